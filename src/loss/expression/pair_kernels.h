/* Loops that make two results of one operand, for expression_kernels.c. */
#ifndef LOSSI_LOSS_PAIR_KERNELS_H
#define LOSSI_LOSS_PAIR_KERNELS_H

#include "loss/expression/expression_kernels.h"
#include "loss/lanes.h"

/* Two results of one operand, with what they have in common computed once. */
typedef void (*scalar_pair)(vreal a, vreal *y, vreal *z);

LOSSI_INLINE void softplus_sigmoid(vreal a, vreal *y, vreal *z)
{
    const vreal e = v_exp_nonpositive(-v_abs(a));
    *y = softplus_of(a, e);
    *z = sigmoid_of(a, e);
}

LOSSI_INLINE void pseudo_huber_slope(vreal a, vreal *y, vreal *z)
{
    const vreal root = v_sqrt(a * a + REAL(1.0));
    *y = pseudo_huber_of(a, root);
    *z = hypotenuse_slope_of(a, root);
}

LOSSI_INLINE void pair_loop(int64_t n, char *const *slots, const lossi_instruction *at, scalar_pair f)
{
    const real *a = (const real *)(void *)slots[at->a];
    real *y = (real *)(void *)slots[at->y], *z = (real *)(void *)slots[at->z];
    LOSSI_NO_UNROLL
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        vreal first, second;
        f(v_load(a + i), &first, &second);
        v_store(y + i, first);
        v_store(z + i, second);
    }
}

#define PAIR(name, f)                                                                                        \
    static void name##_0(int64_t n, char *const *slots, const lossi_instruction *at)                         \
    {                                                                                                        \
        pair_loop(n, slots, at, f);                                                                          \
    }
PAIR(softplus_sigmoid, softplus_sigmoid)
PAIR(pseudo_huber_slope, pseudo_huber_slope)
PAIR(log_cosh_tanh, v_log_cosh_tanh)

#endif
