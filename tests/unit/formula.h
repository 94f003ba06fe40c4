/* Losses from formulas: what the files of their tests share. */
#ifndef LOSS_TEST_FORMULA_H
#define LOSS_TEST_FORMULA_H

#include "support/check.h"

/* Value, gradient and curvature of one element. */
typedef struct point {
    double value, gradient, curvature;
} point;

/* Evaluates one element by loss_function_evaluate(). */
point evaluate_point(loss_context *context, const loss_function *function, loss_dtype dtype, double p,
                     double y);

loss_function *formula_of(loss_context *context, const char *text);

/* The tests of the other file. */
void errors_name_the_character(void **state);
void anything_else_is_refused(void **state);
void limits_hold(void **state);
void noise_is_no_danger(void **state);
void numbers_are_read_exactly(void **state);
void operators_bind_as_documented(void **state);
void memory_runs_out_of_formulas(void **state);

#endif
