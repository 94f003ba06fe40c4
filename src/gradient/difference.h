/* Derivatives along one coordinate from values alone, with an error bar. */
#ifndef LOSSI_GRADIENT_DIFFERENCE_H
#define LOSSI_GRADIENT_DIFFERENCE_H

#include <stdint.h>

#include "gradient/objective.h"
#include "gradient/ridders.h"

/* Where differences are taken. */
typedef struct lossi_differences {
    loss_objective *objective;
    char *x;      /* a copy of the parameters, changed and restored */
    double value; /* the objective there */
    double noise; /* how much its values jump about between neighbouring points */
    double
        steep; /* the slope that would make this noise where it is half of the values' digits, ∞ where it is less */
    double first_step; /* relative to max(|x_i|, 1) */
} lossi_differences;

/* Sets first_step and measures the noise; x, objective and value are set. The seed chooses a direction. */
loss_status lossi_differences_begin(lossi_differences *d, uint64_t seed);

/* The noise of LOSSI_NOISE_POINTS values in a row, which are used up. */
enum { LOSSI_NOISE_POINTS = 8 };
double lossi_noise_of(double values[LOSSI_NOISE_POINTS]);

/* The slope along coordinate i. Statuses are those of evaluation, without those of values that are not finite. */
loss_status lossi_differences_slope(lossi_differences *d, int64_t i, lossi_slope *slope);

#endif
