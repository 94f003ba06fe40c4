/*
 * The two moving means of Adam and its kin, m of the gradients and v of their squares, and the bias corrections 1 − βᵗ, by
 * running products: no power is taken.
 */
#ifndef LOSSI_OPTIMIZER_MOMENTS_H
#define LOSSI_OPTIMIZER_MOMENTS_H

#include <math.h>

#include "optimizer/stochastic.h"

/* Part of a method's state. */
typedef struct lossi_moments {
    double beta1, beta2, epsilon;
    double power1, power2; /* β₁ᵗ, β₂ᵗ */
} lossi_moments;

/* From the options first, first + 1 and first + 2: "beta1", "beta2", "epsilon". */
static inline lossi_moments lossi_moments_read(const loss_optimizer *optimizer, int32_t first)
{
    return (lossi_moments){lossi_own_double(optimizer, first), lossi_own_double(optimizer, first + 1),
                           lossi_own_double(optimizer, first + 2), 1.0, 1.0};
}

/* One more step. */
static inline void lossi_moments_count(lossi_moments *moments)
{
    moments->power1 *= moments->beta1;
    moments->power2 *= moments->beta2;
}

/* For the kernels adam and amsgrad: u = (gradient·g + mean·m)/(root·√v + epsilon). */
static inline void lossi_moments_fill(const lossi_moments *moments, lossi_step *step, double gradient,
                                      double mean, double root, double epsilon)
{
    step->scalar[0] = moments->beta1;
    step->scalar[1] = 1.0 - moments->beta1;
    step->scalar[2] = moments->beta2;
    step->scalar[3] = 1.0 - moments->beta2;
    step->scalar[4] = gradient;
    step->scalar[5] = mean;
    step->scalar[6] = root;
    step->scalar[7] = epsilon;
    step->rate = gradient + mean * (1.0 - moments->power1); /* m of a constant gradient is 1 − β₁ᵗ of it */
}

/* Adam's own: η·m̂/(√v̂ + ε). */
static inline void lossi_moments_fill_adam(const lossi_moments *moments, lossi_step *step, double rate)
{
    lossi_moments_fill(moments, step, 0.0, rate / (1.0 - moments->power1), 1.0 / sqrt(1.0 - moments->power2),
                       moments->epsilon);
}

#endif
