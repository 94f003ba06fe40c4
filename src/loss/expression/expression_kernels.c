/*
 * The scalar operations on vectors, and the loops over them. What each is stands in scalar_operations.def; what is not one of simd/:
 *
 *     logistic_density    e / (1 + e)² of e = e^−|a|
 *     hypotenuse          |a| from 2^30 on, where 1 is nothing beside a²
 */
#include "loss/expression/expression_kernels.h"

#include "core/isa.h"
#include "loss/expression/choice_kernels.h"
#include "loss/expression/division_kernels.h"
#include "loss/lanes.h"
#include "simd/math_atan.h"
#include "simd/math_erf.h"
#include "simd/math_hyperbolic.h"
#include "simd/math_logarithms.h"
#include "simd/math_normal.h"
#include "simd/math_power.h"
#include "simd/math_trigonometric.h"

#define ONE  v_set1(REAL(1.0))
#define ZERO v_set1(REAL(0.0))

/* Of every operation: whether its code is long, so that it should stand in a loop once, and its vectors. */
#define OPERATION(name, is_long, a, b, c)                                                                    \
    enum { name##_is_long = is_long };                                                                       \
    LOSSI_INLINE vreal scalar_##name(vreal a, vreal b, vreal c)
#define UNARY(name)       OPERATION(name, 0, a, unused_b, unused_c)
#define LONG_UNARY(name)  OPERATION(name, 1, a, unused_b, unused_c)
#define BINARY(name)      OPERATION(name, 0, a, b, unused_c)
#define LONG_BINARY(name) OPERATION(name, 1, a, b, unused_c)
#define TERNARY(name)     OPERATION(name, 0, a, b, c)
#define UNUSED_BC         (void)unused_b, (void)unused_c
#define UNUSED_C          (void)unused_c

/* ---- arithmetic ---- */

BINARY(add)
{
    UNUSED_C;
    return a + b;
}

BINARY(subtract)
{
    UNUSED_C;
    return a - b;
}

BINARY(multiply)
{
    UNUSED_C;
    return a * b;
}

BINARY(divide)
{
    UNUSED_C;
    return a / b;
}

UNARY(negate)
{
    UNUSED_BC;
    return -a;
}

UNARY(square)
{
    UNUSED_BC;
    return a * a;
}

UNARY(reciprocal)
{
    UNUSED_BC;
    return ONE / a;
}

UNARY(copy)
{
    UNUSED_BC;
    return a;
}

TERNARY(multiply_add)
{
    return a * b + c;
}

TERNARY(multiply_subtract)
{
    return a * b - c;
}

TERNARY(subtract_multiply)
{
    return c - a * b;
}

TERNARY(multiply_multiply)
{
    return (a * b) * c;
}

TERNARY(add_multiply)
{
    return (a + b) * c;
}

TERNARY(difference_multiply)
{
    return (a - b) * c;
}

/* Of a below 0, and of -0: of odd b it has the sign of a; of a below 0 and b that is not whole there is none. */
LONG_BINARY(power)
{
    const vreal size = v_pow(v_abs(a), b);
    const vmask negative = v_lt(v_copysign(ONE, a), ZERO);
    UNUSED_C;
    if (!v_mask_any(negative)) {
        return size;
    }
    const vreal half = b * REAL(0.5);
    const vmask whole = v_eq(v_round(b), b), odd = v_mask_and(whole, v_ne(v_round(half), half));
    const vreal none = v_select(v_mask_and(v_lt(a, ZERO), v_mask_not(whole)), v_set1(REAL_NAN), size);
    return v_select(v_mask_and(negative, odd), -size, none);
}

UNARY(sqrt)
{
    UNUSED_BC;
    return v_sqrt(a);
}

/* From here on a² + 1 is a², and a² still a number. */
#define FAR REAL(0x1p30)

UNARY(hypotenuse)
{
    const vreal size = v_abs(a);
    UNUSED_BC;
    return v_select(v_gt(size, v_set1(FAR)), size, v_sqrt(a * a + REAL(1.0)));
}

/* Of root = sqrt(1 + a²), which the two share. */
LOSSI_INLINE vreal hypotenuse_slope_of(vreal a, vreal root)
{
    return v_select(v_gt(v_abs(a), v_set1(FAR)), v_copysign(ONE, a), a / root);
}

LOSSI_INLINE vreal pseudo_huber_of(vreal a, vreal root)
{
    const vreal size = v_abs(a);
    return v_select(v_gt(size, v_set1(FAR)), size - REAL(1.0), size * (size / (root + REAL(1.0))));
}

UNARY(hypotenuse_slope)
{
    UNUSED_BC;
    return hypotenuse_slope_of(a, v_sqrt(a * a + REAL(1.0)));
}

UNARY(pseudo_huber)
{
    UNUSED_BC;
    return pseudo_huber_of(a, v_sqrt(a * a + REAL(1.0)));
}

/* ---- sizes and comparisons ---- */

UNARY(abs)
{
    UNUSED_BC;
    return v_abs(a);
}

UNARY(sign)
{
    UNUSED_BC;
    return v_select(v_gt(a, ZERO), ONE, v_select(v_lt(a, ZERO), -ONE, a));
}

BINARY(sign_multiply)
{
    UNUSED_C;
    return scalar_sign(a, a, a) * b;
}

UNARY(floor)
{
    const vreal whole = v_round(a);
    UNUSED_BC;
    return v_select(v_gt(whole, a), whole - REAL(1.0), whole);
}

/* min and max give their second operand where one is NaN; of b, most often a number, that is asked before the loop */
BINARY(minimum)
{
    UNUSED_C;
    return v_select(v_is_nan(b), b, v_min(b, a));
}

BINARY(maximum)
{
    UNUSED_C;
    return v_select(v_is_nan(b), b, v_max(b, a));
}

/* 1 or 0, and NaN of NaN */
LOSSI_INLINE vreal truth(vmask holds, vreal a, vreal b)
{
    const vmask unordered = v_mask_or(v_is_nan(a), v_is_nan(b));
    return v_select(unordered, a + b, v_select(holds, ONE, ZERO));
}

BINARY(heaviside)
{
    UNUSED_C;
    return v_select(v_eq(a, b), v_set1(REAL(0.5)), truth(v_gt(a, b), a, b));
}

/* One of two comparisons of which neither holds for NaN. */
LOSSI_INLINE vreal one_of(vmask yes, vmask no)
{
    return v_select(yes, ONE, v_select(no, ZERO, v_set1(REAL_NAN)));
}

BINARY(less)
{
    UNUSED_C;
    return one_of(v_lt(a, b), v_ge(a, b));
}

BINARY(less_equal)
{
    UNUSED_C;
    return one_of(v_le(a, b), v_gt(a, b));
}

BINARY(greater)
{
    UNUSED_C;
    return one_of(v_gt(a, b), v_le(a, b));
}

BINARY(greater_equal)
{
    UNUSED_C;
    return one_of(v_ge(a, b), v_lt(a, b));
}

BINARY(equal)
{
    UNUSED_C;
    return truth(v_eq(a, b), a, b);
}

BINARY(not_equal)
{
    UNUSED_C;
    return truth(v_ne(a, b), a, b);
}

TERNARY(select)
{
    return v_select(v_is_nan(a), a, v_select(v_eq(a, ZERO), c, b));
}

/* ---- exponentials and logarithms ---- */

LONG_UNARY(exp)
{
    UNUSED_BC;
    return v_exp(a);
}

LONG_UNARY(expm1)
{
    UNUSED_BC;
    return v_expm1(a);
}

LONG_UNARY(log)
{
    UNUSED_BC;
    return v_log(a);
}

LONG_UNARY(log1p)
{
    UNUSED_BC;
    return v_log1p(a);
}

LONG_UNARY(x_minus_log1p)
{
    UNUSED_BC;
    return v_x_minus_log1p(a);
}

LONG_UNARY(log1mexp)
{
    UNUSED_BC;
    return v_log1mexp(a);
}

LONG_BINARY(xlogy)
{
    const vreal product = a * v_log(b);
    UNUSED_C;
    return v_select(v_mask_and(v_eq(a, ZERO), v_eq(b, b)), a, product);
}

LONG_UNARY(sinh)
{
    UNUSED_BC;
    return v_sinh(a);
}

LONG_UNARY(cosh)
{
    UNUSED_BC;
    return v_cosh(a);
}

LONG_UNARY(tanh)
{
    UNUSED_BC;
    return v_tanh(a);
}

LONG_UNARY(log_cosh)
{
    UNUSED_BC;
    return v_log_cosh(a);
}

/* Of e = e^-|a|, which the two share: 1 / (1 + e) above 0 and e / (1 + e) below; max(a, 0) + log1p(e) */
LOSSI_INLINE vreal sigmoid_of(vreal a, vreal e)
{
    const vreal inverse = ONE / (e + REAL(1.0));
    return v_select(v_lt(a, ZERO), e * inverse, inverse);
}

LOSSI_INLINE vreal softplus_of(vreal a, vreal e)
{
    return v_max(ZERO, a) + v_log1p_unit(e);
}

LONG_UNARY(sigmoid)
{
    UNUSED_BC;
    return sigmoid_of(a, v_exp_nonpositive(-v_abs(a)));
}

LONG_UNARY(softplus)
{
    UNUSED_BC;
    return softplus_of(a, v_exp_nonpositive(-v_abs(a)));
}

LONG_UNARY(logistic_density)
{
    const vreal e = v_exp_nonpositive(-v_abs(a)), d = e + REAL(1.0);
    UNUSED_BC;
    return (e / d) / d;
}

LONG_UNARY(sin)
{
    UNUSED_BC;
    return v_sin(a);
}

LONG_UNARY(cos)
{
    UNUSED_BC;
    return v_cos(a);
}

LONG_UNARY(tan)
{
    UNUSED_BC;
    return v_tan(a);
}

LONG_UNARY(atan)
{
    UNUSED_BC;
    return v_atan(a);
}

/* ---- the normal distribution ---- */

LONG_UNARY(erf)
{
    UNUSED_BC;
    return v_erf(a);
}

LONG_UNARY(erfc)
{
    UNUSED_BC;
    return v_erfc(a);
}

LONG_UNARY(erf_slope)
{
    UNUSED_BC;
    return v_erf_slope(a);
}

LONG_UNARY(normal_density)
{
    UNUSED_BC;
    return v_normal_density(v_abs(a));
}

LONG_UNARY(normal_cdf)
{
    UNUSED_BC;
    return v_normal_cdf(a);
}

LONG_UNARY(log_normal_cdf)
{
    UNUSED_BC;
    return v_log_normal_survival(-a);
}

LONG_UNARY(normal_hazard)
{
    UNUSED_BC;
    return v_normal_hazard(a);
}

LONG_UNARY(normal_hazard_slope)
{
    UNUSED_BC;
    return v_normal_hazard_slope(a, v_normal_hazard(a));
}

/* ---- loops ---- */

typedef vreal (*scalar_operation)(vreal a, vreal b, vreal c);

/* An operand: an array, or a vector that was made of one number before the loop. */
typedef struct operand_array {
    int is_there, is_scalar;
    const real *x;
    vreal number; /* of a scalar */
} operand_array;

LOSSI_INLINE operand_array array_of(int is_there, int is_scalar, const char *slot)
{
    operand_array made = {is_there, is_scalar, (const real *)(const void *)slot, v_set1(0)};
    if (is_there && is_scalar) {
        made.number = v_set1(lossi_get(made.x));
    }
    return made;
}

LOSSI_INLINE vreal vector_at(const operand_array *a, int64_t i)
{
    return !a->is_there || a->is_scalar ? a->number : v_load(a->x + i);
}

LOSSI_INLINE void loop(int64_t n, char *const *slots, const lossi_instruction *at, scalar_operation f,
                       int is_long, int operands, int scalars)
{
    real *y = (real *)(void *)slots[at->y];
    const operand_array a = array_of(1, scalars & 1, slots[at->a]),
                        b = array_of(operands > 1, scalars & 2, slots[at->b]),
                        c = array_of(operands > 2, scalars & 4, slots[at->c]);
    if (is_long) {
        LOSSI_NO_UNROLL
        for (int64_t i = 0; i < n; i += VREAL_LANES) {
            v_store(y + i, f(vector_at(&a, i), vector_at(&b, i), vector_at(&c, i)));
        }
        return;
    }
    for (int64_t i = 0; i < n; i += LOSSI_LANES) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int64_t k = i + v * VREAL_LANES;
            v_store(y + k, f(vector_at(&a, k), vector_at(&b, k), vector_at(&c, k)));
        }
    }
}

#define KERNEL(name, operands, scalars)                                                                      \
    static void name##_##scalars(int64_t n, char *const *slots, const lossi_instruction *at)                 \
    {                                                                                                        \
        loop(n, slots, at, scalar_##name, name##_is_long, operands, scalars);                                \
    }
#define KERNELS_1(name) KERNEL(name, 1, 0)
#define KERNELS_2(name) KERNEL(name, 2, 0) KERNEL(name, 2, 1) KERNEL(name, 2, 2)
#define KERNELS_3(name) KERNEL(name, 3, 0) KERNEL(name, 3, 2) KERNEL(name, 3, 4) KERNEL(name, 3, 6)

#define LOSSI_SCALAR(name, operands, doc) KERNELS_##operands(name)
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
KERNEL(copy, 1, 0)
KERNEL(copy, 1, 1)
KERNELS_3(multiply_add)
KERNELS_3(multiply_subtract)
KERNELS_3(subtract_multiply)
KERNELS_3(multiply_multiply)
KERNELS_3(add_multiply)
KERNELS_3(difference_multiply)
KERNELS_2(sign_multiply)

#include "loss/expression/pair_kernels.h"
#include "loss/expression/piece_kernels.h"

#define TABLE_1(name)                                                                                        \
    {                                                                                                        \
        name##_0                                                                                             \
    }
#define TABLE_2(name)                                                                                        \
    {                                                                                                        \
        name##_0, name##_1, name##_2                                                                         \
    }
#define TABLE_3(name)                                                                                        \
    {                                                                                                        \
        name##_0, 0, name##_2, 0, name##_4, 0, name##_6                                                      \
    }

extern const lossi_expression_kernels LOSSI_NAME(expression_kernels);
const lossi_expression_kernels LOSSI_NAME(expression_kernels) = {{
#define LOSSI_SCALAR(name, operands, doc) [LOSSI_KERNEL_##name] = TABLE_##operands(name),
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
    [LOSSI_KERNEL_copy] = {copy_0, copy_1},
    [LOSSI_KERNEL_multiply_add] = TABLE_3(multiply_add),
    [LOSSI_KERNEL_multiply_subtract] = TABLE_3(multiply_subtract),
    [LOSSI_KERNEL_subtract_multiply] = TABLE_3(subtract_multiply),
    [LOSSI_KERNEL_multiply_multiply] = TABLE_3(multiply_multiply),
    [LOSSI_KERNEL_add_multiply] = TABLE_3(add_multiply),
    [LOSSI_KERNEL_difference_multiply] = TABLE_3(difference_multiply),
    [LOSSI_KERNEL_sign_multiply] = TABLE_2(sign_multiply),
    [LOSSI_KERNEL_divide_by] = TABLE_1(divide_by),
    [LOSSI_KERNEL_choose_less] = TABLE_1(choose_less),
    [LOSSI_KERNEL_choose_less_equal] = TABLE_1(choose_less_equal),
    [LOSSI_KERNEL_choose_equal] = TABLE_1(choose_equal),
    [LOSSI_KERNEL_choose_order] = TABLE_1(choose_order),
    [LOSSI_KERNEL_pieces] = TABLE_1(pieces),
    [LOSSI_KERNEL_softplus_sigmoid] = TABLE_1(softplus_sigmoid),
    [LOSSI_KERNEL_pseudo_huber_slope] = TABLE_1(pseudo_huber_slope),
    [LOSSI_KERNEL_log_cosh_tanh] = TABLE_1(log_cosh_tanh),
}};

#ifdef LOSSI_ONCE
extern const lossi_expression_kernels LOSSI_ISA_DECLARE(expression_kernels);
static const lossi_expression_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    expression_kernels);

const lossi_expression_kernels *lossi_expression_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
