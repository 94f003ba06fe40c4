/*
 * For tests of single numbers: one row, or a few, evaluated by the name of the loss.
 */
#ifndef LOSS_TEST_KNOWN_H
#define LOSS_TEST_KNOWN_H

#include <stdint.h>

#include "loss/loss.h"

enum { MOST = 8 }; /* columns of a row */

/* One row and everything about it. */
typedef struct row {
    double value, gradient[MOST], curvature[MOST], product[MOST], cost, denominator;
} row;

/* The context of the group of tests: between known_setup() and known_teardown(), for cmocka_run_group_tests(). */
extern loss_context *context;
int known_setup(void **state);
int known_teardown(void **state);

/* The two element types, and for each what a few roundings make of a number, relative. */
extern const loss_dtype dtypes[2];
extern const double tolerance[2];

/* A function with options as "delta=0.5;target_encoding=zero_one"; the caller frees it. */
loss_function *make_function(const char *name, const char *options);

/* Evaluates one row; target NULL: the label. direction may be NULL. */
row evaluate_row(const char *name, const char *options, loss_dtype dtype, int64_t columns,
                 const double *prediction, const double *target, int64_t label, const double *direction);

/* The same for one prediction and one target. */
row pair(const char *name, const char *options, loss_dtype dtype, double prediction, double target);

/* The cost of rows × columns numbers with labels, or with distributions when labels is NULL. */
double cost_of(const char *name, const char *options, loss_dtype dtype, int64_t rows, int64_t columns,
               const double *prediction, const int64_t *labels, const double *target);

#endif
