/* The best constant prediction: what its parts share. loss/constant.c says how they fit together. */
#ifndef LOSSI_LOSS_CONSTANT_H
#define LOSSI_LOSS_CONSTANT_H

#include <stdint.h>

#include "core/data.h"
#include "loss/handle.h"

/* A target that counts, and its weight, which is not negative; the largest weight is 1 … 2. */
typedef struct lossi_sample {
    double target, weight;
} lossi_sample;

/* What a sum of doubles is, and what rounding took away from it (Neumaier 1974). */
typedef struct lossi_exact_sum {
    double sum, lost;
} lossi_exact_sum;

static inline void lossi_exact_add(lossi_exact_sum *total, double x)
{
    const double after = total->sum + x;
    const double larger = (total->sum < 0 ? -total->sum : total->sum) >= (x < 0 ? -x : x) ? total->sum : x;
    const double smaller = larger == x ? total->sum : x;
    total->lost += (larger - after) + smaller;
    total->sum = after;
}

static inline double lossi_exact_total(const lossi_exact_sum *total)
{
    /* infinity and NaN have no rounding error to give back */
    return total->sum - total->sum == 0 ? total->sum + total->lost : total->sum;
}

/* Sorts by target, then by weight; buffer has room for as many. */
void lossi_samples_sort(lossi_sample *samples, lossi_sample *buffer, int64_t count);

/*
 * Of sorted samples, at least one: the smallest target below or at which there is the part q of the weight; where it is
 * exactly that part, the middle between that target and the next.
 */
double lossi_samples_quantile(const lossi_sample *samples, int64_t count, double q);

/* By the loss's own derivatives; sorts the samples. *constant is written when it was found. */
loss_status lossi_constant_search(loss_context *context, const loss_function *function, lossi_sample *samples,
                                  lossi_sample *buffer, int64_t count, double *constant);

/* The arrays a best constant is made from; weight and mask may be NULL. */
typedef struct lossi_constant_input {
    loss_context *context;
    const loss_function *function;
    const lossi_array *target, *weight, *mask;
} lossi_constant_input;

/* The weight of a row, 1 without weights; a weight that is none is an error. */
loss_status lossi_constant_weight(const lossi_constant_input *input, int64_t row, double *weight);

/* Of a loss over classes: the logarithms of the classes' shares, or the shares. */
loss_status lossi_constant_of_classes(const lossi_constant_input *input, int64_t columns, double *constant);

/* log(a/b) of a, b ≥ 0, to a few units in the last place also where it is near 0; the same bits on every machine. */
double lossi_constant_log_ratio(loss_context *context, double a, double b);

#endif
