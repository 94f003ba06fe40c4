/* Loops over what is chosen by a comparison, for expression_kernels.c. */
#ifndef LOSSI_LOSS_CHOICE_KERNELS_H
#define LOSSI_LOSS_CHOICE_KERNELS_H

#include "loss/expression/expression_kernels.h"
#include "loss/lanes.h"

/* Where a comparison holds, and where its opposite does: neither for NaN. */
typedef void (*lossi_comparison)(vreal a, vreal b, vmask *yes, vmask *no);

LOSSI_INLINE void compare_less(vreal a, vreal b, vmask *yes, vmask *no)
{
    *yes = v_lt(a, b);
    *no = v_ge(a, b);
}

LOSSI_INLINE void compare_less_equal(vreal a, vreal b, vmask *yes, vmask *no)
{
    *yes = v_le(a, b);
    *no = v_gt(a, b);
}

LOSSI_INLINE void compare_equal(vreal a, vreal b, vmask *yes, vmask *no)
{
    *yes = v_eq(a, b);
    *no = v_mask_or(v_lt(a, b), v_gt(a, b));
}

/* An operand that is a pack stays where it is, its step is 0: there is no loop for each set of them. */
typedef struct choice_operand {
    const real *x;
    int64_t step;
} choice_operand;

LOSSI_INLINE vreal chosen_of(vmask yes, vmask no, const real *c, const real *d)
{
    return v_select(yes, v_load(c), v_select(no, v_load(d), v_set1(REAL_NAN)));
}

/* All operands of a place are read before it is written to. */
LOSSI_INLINE void choose(int64_t n, const choice_operand *x, real *y, real *z, vreal factor,
                         lossi_comparison compare, const int two)
{
    const real *a = x[0].x, *b = x[1].x, *c = x[2].x, *d = x[3].x, *e = x[4].x, *f = x[5].x;
    for (int64_t i = 0; i < n; i += LOSSI_LANES) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int k = v * VREAL_LANES;
            vmask yes, no;
            compare(v_load(a + k), v_load(b + k), &yes, &no);
            const vreal first = chosen_of(yes, no, c + k, d + k);
            if (two) {
                const vreal second = chosen_of(yes, no, e + k, f + k);
                v_store(z + i + k, second);
            }
            v_store(y + i + k, first * factor);
        }
        a += x[0].step;
        b += x[1].step;
        c += x[2].step;
        d += x[3].step;
        e += two ? x[4].step : 0;
        f += two ? x[5].step : 0;
    }
}

/* What numbers of an order are multiplied with: 1, −1 for a sign, or a number. */
typedef struct order_factors {
    vreal a, b, c, e, y;
} order_factors;

/* The larger or the smaller of two as maximum and minimum have it, and what is chosen by which it is. */
LOSSI_INLINE void choose_by_order(int64_t n, const choice_operand *x, real *y, real *z,
                                  const order_factors *by, const int minimum, const int scaled)
{
    const real *a = x[0].x, *b = x[1].x, *c = x[2].x, *d = x[3].x, *e = x[4].x;
    for (int64_t i = 0; i < n; i += LOSSI_LANES) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int k = v * VREAL_LANES;
            const vreal left = scaled ? v_load(a + k) * by->a : v_load(a + k);
            const vreal right = scaled ? v_load(b + k) * by->b : v_load(b + k);
            const vreal above = v_select(v_gt(left, right), v_load(e + k) * by->e, v_set1(REAL_NAN));
            const vreal chosen = v_select(v_lt(left, right), v_load(c + k) * by->c,
                                          v_select(v_eq(left, right), v_load(d + k), above));
            const vreal extreme = minimum ? v_min(right, left) : v_max(right, left);
            v_store(z + i + k, v_select(v_is_nan(right), right, extreme));
            v_store(y + i + k, chosen * by->y);
        }
        a += x[0].step;
        b += x[1].step;
        c += x[2].step;
        d += x[3].step;
        e += x[4].step;
    }
}

LOSSI_INLINE vreal choice_number(char *const *slots, int32_t slot)
{
    return v_set1(lossi_get((const real *)(const void *)slots[slot]));
}

LOSSI_INLINE vreal choice_factor(char *const *slots, const lossi_instruction *at)
{
    return at->flags & LOSSI_CHOICE_FACTOR ? choice_number(slots, at->factor) : v_set1(REAL(1.0));
}

LOSSI_INLINE void choice_operands(char *const *slots, const lossi_instruction *at, choice_operand x[6])
{
    const int32_t places[] = {at->a, at->b, at->c, at->d, at->e, at->f};
    for (int o = 0; o < 6; o++) {
        x[o] = (choice_operand){(const real *)(const void *)slots[places[o]],
                                at->flags >> o & 1 ? 0 : LOSSI_LANES};
    }
}

LOSSI_INLINE void choice_loop(int64_t n, char *const *slots, const lossi_instruction *at,
                              lossi_comparison compare)
{
    real *y = (real *)(void *)slots[at->y], *z = (real *)(void *)slots[at->z];
    const vreal factor = choice_factor(slots, at);
    choice_operand x[6];
    choice_operands(slots, at, x);
    if (at->flags & LOSSI_CHOICE_TWO) {
        choose(n, x, y, z, factor, compare, 1);
    } else {
        choose(n, x, y, y, factor, compare, 0);
    }
}

#define LOSSI_CHOICE_KERNEL(name)                                                                            \
    static void choose_##name##_0(int64_t n, char *const *slots, const lossi_instruction *at)                \
    {                                                                                                        \
        choice_loop(n, slots, at, compare_##name);                                                           \
    }
LOSSI_CHOICE_KERNEL(less)
LOSSI_CHOICE_KERNEL(less_equal)
LOSSI_CHOICE_KERNEL(equal)

static void choose_order_0(int64_t n, char *const *slots, const lossi_instruction *at)
{
    real *y = (real *)(void *)slots[at->y], *z = (real *)(void *)slots[at->z];
    const int minimum = (at->flags & LOSSI_CHOICE_MINIMUM) != 0,
              scaled = (at->flags & LOSSI_CHOICE_SCALED) != 0;
    const vreal one = v_set1(REAL(1.0));
    const order_factors by = {.a = scaled ? choice_number(slots, at->f) : one,
                              .b = scaled ? choice_number(slots, at->g) : one,
                              .c = at->flags & LOSSI_CHOICE_NEGATED_C ? -one : one,
                              .e = at->flags & LOSSI_CHOICE_NEGATED_E ? -one : one,
                              .y = choice_factor(slots, at)};
    choice_operand x[6];
    choice_operands(slots, at, x);
    if (scaled) {
        if (minimum) {
            choose_by_order(n, x, y, z, &by, 1, 1);
        } else {
            choose_by_order(n, x, y, z, &by, 0, 1);
        }
    } else if (minimum) {
        choose_by_order(n, x, y, z, &by, 1, 0);
    } else {
        choose_by_order(n, x, y, z, &by, 0, 0);
    }
}

#endif
