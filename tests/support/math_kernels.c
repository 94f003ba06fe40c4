/* The functions of math_kernels.h, compiled once per instruction set and element type. */
#include "support/math_kernels.h"

#include "simd/math_atan.h"
#include "simd/math_erf.h"
#include "simd/math_gamma.h"
#include "simd/math_logarithms.h"
#include "simd/math_normal.h"
#include "simd/math_power.h"
#include "simd/math_single.h"
#include "simd/math_trigonometric.h"
#include "simd/real.h"
#include "simd/widen.h"

/* Called through tables: a test of meaning, not of speed. */
typedef vreal unary_function(vreal);
typedef vreal binary_function(vreal, vreal);

LOSSI_INLINE vreal one_where(vmask mask)
{
    return v_select(mask, v_set1(REAL(1.0)), v_set1(REAL(0.0)));
}

LOSSI_INLINE vreal negate(vreal x)
{
    return -x;
}

LOSSI_INLINE vreal is_nan(vreal x)
{
    return one_where(v_is_nan(x));
}

LOSSI_INLINE vreal through_int(vreal x)
{
    return v_from_int(v_to_int(x));
}

LOSSI_INLINE vreal shifted(vreal x)
{
    return v_from_bits(v_int_shr(v_int_shl(v_bits(x), 3), 5));
}

LOSSI_INLINE vreal split_significand(vreal x)
{
    vreal n;
    return v_split(x, &n);
}

LOSSI_INLINE vreal split_exponent(vreal x)
{
    vreal n;
    (void)v_split(x, &n);
    return n;
}

LOSSI_INLINE vreal split_normal_significand(vreal x)
{
    vreal n;
    return v_split_normal(x, &n);
}

LOSSI_INLINE vreal split_normal_exponent(vreal x)
{
    vreal n;
    (void)v_split_normal(x, &n);
    return n;
}

LOSSI_INLINE vreal x_minus_log1p_of(vreal x)
{
    vreal one_plus = x + REAL(1.0);
    return v_x_minus_log1p_of(x, one_plus, REAL(1.0) / one_plus);
}

LOSSI_INLINE vreal normal_hazard_slope(vreal x)
{
    return v_normal_hazard_slope(x, v_normal_hazard(x));
}

static unary_function *const unary_functions[MATH_UNARY] = {
    [MATH_EXP] = v_exp,
    [MATH_EXPM1] = v_expm1,
    [MATH_LOG] = v_log,
    [MATH_LOG1P] = v_log1p,
    [MATH_LOG1P_UNIT] = v_log1p_unit,
    [MATH_LOG_HALF] = v_log_half,
    [MATH_LOG_COMPLEMENT] = v_log_complement,
    [MATH_RECIPROCAL] = v_reciprocal,
    [MATH_INVERSE_ROOT] = v_inverse_root,
    [MATH_TANH] = v_tanh,
    [MATH_SIGMOID] = v_sigmoid,
    [MATH_SOFTPLUS] = v_softplus,
    [MATH_X_MINUS_LOG1P] = v_x_minus_log1p,
    [MATH_X_MINUS_LOG1P_OF] = x_minus_log1p_of,
    [MATH_LOG1MEXP] = v_log1mexp,
    [MATH_ATAN] = v_atan,
    [MATH_SIN] = v_sin,
    [MATH_COS] = v_cos,
    [MATH_TAN] = v_tan,
    [MATH_ERF] = v_erf,
    [MATH_ERF_SLOPE] = v_erf_slope,
    [MATH_LOG_GAMMA] = v_log_gamma,
    [MATH_NORMAL_CDF] = v_normal_cdf,
    [MATH_NORMAL_HAZARD] = v_normal_hazard,
    [MATH_LOG_NORMAL_SURVIVAL] = v_log_normal_survival,
    [MATH_NORMAL_HAZARD_SLOPE] = normal_hazard_slope,
    [MATH_ERFC] = v_erfc,
    [MATH_ABS] = v_abs,
    [MATH_NEGATE] = negate,
    [MATH_SQRT] = v_sqrt,
    [MATH_ROUND] = v_round,
    [MATH_IS_NAN] = is_nan,
    [MATH_THROUGH_INT] = through_int,
    [MATH_SHIFTED] = shifted,
    [MATH_POW2] = v_pow2,
    [MATH_SPLIT_SIGNIFICAND] = split_significand,
    [MATH_SPLIT_EXPONENT] = split_exponent,
    [MATH_SPLIT_NORMAL_SIGNIFICAND] = split_normal_significand,
    [MATH_SPLIT_NORMAL_EXPONENT] = split_normal_exponent,
};

static void unary(int operation, const void *from, void *to, int64_t n)
{
    unary_function *f = unary_functions[operation];
    const real *x = from;
    real *y = to;
    int64_t i = 0;
    for (; i + VREAL_LANES <= n; i += VREAL_LANES)
        v_store(y + i, f(v_load(x + i)));
    int rest = (int)(n - i);
    v_store_part(y + i, f(v_load_part(x + i, rest)), rest);
}

LOSSI_INLINE vreal add(vreal a, vreal b)
{
    return a + b;
}

LOSSI_INLINE vreal subtract(vreal a, vreal b)
{
    return a - b;
}

LOSSI_INLINE vreal multiply(vreal a, vreal b)
{
    return a * b;
}

LOSSI_INLINE vreal divide(vreal a, vreal b)
{
    return a / b;
}

LOSSI_INLINE vreal lt(vreal a, vreal b)
{
    return one_where(v_lt(a, b));
}

LOSSI_INLINE vreal le(vreal a, vreal b)
{
    return one_where(v_le(a, b));
}

LOSSI_INLINE vreal gt(vreal a, vreal b)
{
    return one_where(v_gt(a, b));
}

LOSSI_INLINE vreal ge(vreal a, vreal b)
{
    return one_where(v_ge(a, b));
}

LOSSI_INLINE vreal eq(vreal a, vreal b)
{
    return one_where(v_eq(a, b));
}

LOSSI_INLINE vreal ne(vreal a, vreal b)
{
    return one_where(v_ne(a, b));
}

LOSSI_INLINE vreal not_below(vreal a, vreal b)
{
    return one_where(v_mask_not(v_lt(a, b)));
}

LOSSI_INLINE vmask nonzero(vreal x)
{
    return v_ne(x, v_set1(REAL(0.0)));
}

LOSSI_INLINE vreal both_nonzero(vreal a, vreal b)
{
    return one_where(v_mask_and(nonzero(a), nonzero(b)));
}

LOSSI_INLINE vreal any_nonzero(vreal a, vreal b)
{
    return one_where(v_mask_or(nonzero(a), nonzero(b)));
}

static binary_function *const binary_functions[MATH_BINARY] = {
    [MATH_POW] = v_pow,
    [MATH_POWM1] = v_powm1,
    [MATH_POW1P] = v_pow1p,
    [MATH_POW1PM1] = v_pow1pm1,
    [MATH_ADD] = add,
    [MATH_SUBTRACT] = subtract,
    [MATH_MULTIPLY] = multiply,
    [MATH_DIVIDE] = divide,
    [MATH_MIN] = v_min,
    [MATH_MAX] = v_max,
    [MATH_COPYSIGN] = v_copysign,
    [MATH_LT] = lt,
    [MATH_LE] = le,
    [MATH_GT] = gt,
    [MATH_GE] = ge,
    [MATH_EQ] = eq,
    [MATH_NE] = ne,
    [MATH_NOT_BELOW] = not_below,
    [MATH_BOTH_NONZERO] = both_nonzero,
    [MATH_ANY_NONZERO] = any_nonzero,
    [MATH_SCALE] = v_scale,
};

static void binary(int operation, const void *first, const void *second, void *result, int64_t n)
{
    binary_function *f = binary_functions[operation];
    const real *a = first, *b = second;
    real *y = result;
    int64_t i = 0;
    for (; i + VREAL_LANES <= n; i += VREAL_LANES)
        v_store(y + i, f(v_load(a + i), v_load(b + i)));
    int rest = (int)(n - i);
    v_store_part(y + i, f(v_load_part(a + i, rest), v_load_part(b + i, rest)), rest);
}

LOSSI_INLINE vreal choose(int operation, vreal a, vreal b, vreal c)
{
    if (operation == MATH_FMA)
        return v_fma(a, b, c);
    if (operation == MATH_FNMA)
        return v_fnma(a, b, c);
    return v_select(v_lt(a, v_set1(REAL(0.0))), b, c);
}

static void ternary(int operation, const void *first, const void *second, const void *third, void *result,
                    int64_t n)
{
    const real *a = first, *b = second, *c = third;
    real *y = result;
    int64_t i = 0;
    for (; i + VREAL_LANES <= n; i += VREAL_LANES)
        v_store(y + i, choose(operation, v_load(a + i), v_load(b + i), v_load(c + i)));
    int rest = (int)(n - i);
    vreal last = choose(operation, v_load_part(a + i, rest), v_load_part(b + i, rest),
                        v_load_part(c + i, rest));
    v_store_part(y + i, last, rest);
}

static void copy_part(const void *from, void *to, int n)
{
    v_store_part(to, v_load_part(from, n), n);
}

static void copy_streaming(const void *from, void *to)
{
    v_stream(to, v_load(from));
    v_stream_fence();
}

static void summarize_mask(const void *x, int *any, int *all)
{
    vmask mask = nonzero(v_load(x));
    *any = v_mask_any(mask);
    *all = v_mask_all(mask);
}

#if LOSSI_REAL == 32

static void widen(const float *from, double *to)
{
    f32v v = f32_load(from);
    f64_store(to, f32_to_f64_low(v));
    f64_store(to + F64_LANES, f32_to_f64_high(v));
}

static void narrow(const double *from, float *to)
{
    f32_store(to, f64_to_f32(f64_load(from), f64_load(from + F64_LANES)));
}

static void round_to_float(const double *from, double *to)
{
    f32v v = f64_to_f32(f64_load(from), f64_load(from + F64_LANES));
    f64_store(to, f32_to_f64_low(v));
    f64_store(to + F64_LANES, f32_to_f64_high(v));
}

LOSSI_INLINE f64v exp_nonpositive(f64v x)
{
    f64v minus_one;
    return single_exp_nonpositive(x, &minus_one);
}

LOSSI_INLINE f64v expm1_nonpositive(f64v x)
{
    f64v minus_one;
    (void)single_exp_nonpositive(x, &minus_one);
    return minus_one;
}

static f64v (*const single_functions[SINGLE_FUNCTIONS])(f64v) = {
    [SINGLE_EXP] = single_exp,
    [SINGLE_EXPM1] = single_expm1,
    [SINGLE_EXP_NONPOSITIVE] = exp_nonpositive,
    [SINGLE_EXPM1_NONPOSITIVE] = expm1_nonpositive,
    [SINGLE_TANH] = single_tanh,
    [SINGLE_LOG] = single_log,
    [SINGLE_LOG1P] = single_log1p,
    [SINGLE_LOG1P_UNIT] = single_log1p_unit,
};

static void single(int function, const float *x, double *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += F64_LANES)
        f64_store(y + i, single_functions[function](f64_load_float32(x + i)));
}

#else
#define single         0
#define widen          0
#define narrow         0
#define round_to_float 0
#endif

#define TEXT(x)          #x
#define TEXT_EXPANDED(x) TEXT(x)

extern const math_kernels LOSSI_NAME(math);
const math_kernels LOSSI_NAME(math) = {
    TEXT_EXPANDED(LOSSI_ISA), LOSSI_REAL,     VREAL_LANES, unary,  binary,         ternary, copy_part,
    copy_streaming,           summarize_mask, widen,       narrow, round_to_float, single,
};
