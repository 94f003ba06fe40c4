/*
 * Stochastic methods in tests: made, set and fed by hand with gradients that depend on the step alone, and references
 * that follow the published formulas in plain double arithmetic.
 */
#ifndef LOSS_TEST_STOCHASTIC_H
#define LOSS_TEST_STOCHASTIC_H

#include <stdint.h>

#include "loss/loss.h"

/* Makes an optimizer; settings are "name=value" with blanks between, of any type. */
loss_optimizer *stochastic_create(loss_context *context, const char *name, const char *settings,
                                  loss_dtype dtype, int64_t n);
void stochastic_set(loss_context *context, loss_optimizer *optimizer, const char *settings);

/* A double or int option as a double. */
double stochastic_option(const loss_optimizer *optimizer, const char *name);

/* Start and gradients of step t = 1, 2, …: exact in float32, never 0, of different sizes. */
double stochastic_start(int64_t i);
double stochastic_gradient(int64_t t, int64_t i);
void *stochastic_start_vector(loss_dtype dtype, int64_t n);

/* Answers until `batches` gradients of batches were told (in the order of t) or the run is done; values told are 1. Gives
 * the number of batches told. */
int64_t stochastic_feed(loss_optimizer *optimizer, loss_dtype dtype, int64_t n, int64_t batches);

/* x as it is asked about now. */
const void *stochastic_x(const loss_optimizer *optimizer);

/* ---- references ---- */

enum { REFERENCE_STATE = 3 };

/* A stretch that is a matrix: rows = 1 for all others. */
typedef struct reference_part {
    int64_t offset, rows, columns;
    double epsilon; /* the spacing of numbers near 1 of the type */
} reference_part;

/* One step of a part: x and the vectors s[k] (0 before the first) are of the part alone; t counts from 1. */
typedef void (*reference_step)(const loss_optimizer *options, reference_part part, int64_t t, const double *g,
                               double *x, double *const *s);

/* By name; NULL when there is none. */
reference_step reference_for(const char *name);

#endif
