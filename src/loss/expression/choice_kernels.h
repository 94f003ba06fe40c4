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

/* An operand that is a pack stays where it is: there is no loop for each set of them, and the loads are not what takes time. */
typedef struct choice_operand {
    const real *x;
    int64_t mask;
} choice_operand;

LOSSI_INLINE vreal choice_at(choice_operand a, int64_t i)
{
    return v_load(a.x + (i & a.mask));
}

/* All operands of a place are read before it is written to. */
LOSSI_INLINE void choice_loop(int64_t n, char *const *slots, const lossi_instruction *at,
                              lossi_comparison compare)
{
    const int32_t places[] = {at->a, at->b, at->c, at->d, at->e, at->f};
    real *y = (real *)(void *)slots[at->y], *z = (real *)(void *)slots[at->z];
    choice_operand x[6];
    const vreal none = v_set1(REAL_NAN);
    const vreal factor = at->flags & LOSSI_CHOICE_FACTOR
                             ? v_set1(lossi_get((const real *)(const void *)slots[at->factor]))
                             : v_set1(REAL(1.0));
    for (int o = 0; o < 6; o++) {
        x[o] = (choice_operand){(const real *)(const void *)slots[places[o]], at->flags >> o & 1 ? 0 : -1};
    }
    if (at->flags & LOSSI_CHOICE_TWO) {
        for (int64_t i = 0; i < n; i += VREAL_LANES) {
            vmask yes, no;
            compare(choice_at(x[0], i), choice_at(x[1], i), &yes, &no);
            const vreal first = v_select(yes, choice_at(x[2], i), v_select(no, choice_at(x[3], i), none));
            const vreal second = v_select(yes, choice_at(x[4], i), v_select(no, choice_at(x[5], i), none));
            v_store(y + i, first * factor);
            v_store(z + i, second);
        }
        return;
    }
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        vmask yes, no;
        compare(choice_at(x[0], i), choice_at(x[1], i), &yes, &no);
        v_store(y + i, v_select(yes, choice_at(x[2], i), v_select(no, choice_at(x[3], i), none)) * factor);
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

#endif
