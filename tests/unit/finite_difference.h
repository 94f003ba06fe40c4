/* Functions that give values and nothing else, watched: for the tests of finite differences. */
#ifndef LOSS_TEST_FINITE_DIFFERENCE_H
#define LOSS_TEST_FINITE_DIFFERENCE_H

#include "support/batch.h"
#include "support/check.h"

enum { GUARD_MAX = 64 };

typedef struct guard {
    loss_dtype dtype;
    int64_t n;
    double (*value)(const double *x, int64_t n, double *gradient);
    const void *lower, *upper; /* of the type, NULL: none */
    double noise;              /* added to values, other every time */
    int64_t calls;
    int32_t status; /* what the callback returns */
} guard;

/* Σ exp(x_i / 2) + x_i x_{i+1} + ½ (i + 1) x_i², and Rosenbrock's function of pairs, without its gradient. */
double chain(const double *x, int64_t n, double *gradient);
double rosenbrock(const double *x, int64_t n, double *gradient);

/* As a loss_evaluate_callback, and as answers to all a difference asks. */
int32_t guard_evaluate(void *user, int64_t n, const void *x, double *value, void *gradient);
void guard_answer(loss_context *context, loss_difference *difference, guard *guarded);

/* The tests of the other file. */
void values_only_same_bits(void **state);
void values_only_minimize(void **state);
void values_only_by_asking(void **state);
void values_only_bounds(void **state);
void values_only_hessian(void **state);
void values_only_batches(void **state);
void values_only_failures(void **state);
void values_only_narrow(void **state);
void values_only_refused(void **state);
void values_only_memory(void **state);

#endif
