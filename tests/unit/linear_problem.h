/* The problems that the tests of linear cross-entropy solve: features, coefficients, bias, weights and labels of a linear layer. */
#ifndef LOSS_TEST_LINEAR_PROBLEM_H
#define LOSS_TEST_LINEAR_PROBLEM_H

#include <stdint.h>

#include "loss/loss.h"
#include "support/allocator.h"

/* Several tiles and blocks of rows and of classes, none of them whole. */
enum { ROWS = 333, CLASSES = 301, D = 37 };

/* Features, coefficients and bias, as the library names them. */
enum { FEATURES, COEFFICIENTS, BIAS, ROLES };
extern const char *const role_names[ROLES];

typedef struct problem {
    loss_dtype dtype;
    int64_t rows, classes, d, padding; /* elements between the rows of an array */
    void *x[ROLES], *direction[ROLES]; /* a direction may be NULL */
    void *weight;
    int32_t *label;
    double scale;
} problem;

/* Numbers of the size of 1, every eleventh label ignored. */
problem make_problem(loss_dtype dtype, int64_t rows, int64_t classes, int64_t d, int64_t padding);
void free_problem(problem *made);

int64_t role_rows(const problem *p, int role);
int64_t role_columns(const problem *p, int role);
int64_t role_stride(const problem *p, int role);

/* Everything but the directions; the caller frees it. */
loss_data *create_inputs(loss_context *with, const problem *p);

/* Zeros for the output "features.gradient" and the like, set there; the caller frees them after the data. */
void *set_result(loss_data *outputs, const problem *p, int role, const char *kind);

/* A context with an instruction set, by its number, and threads; NULL behind the last. */
loss_context *create_with_isa(int32_t isa, int64_t threads);

/* A context whose memory is counted. */
loss_context *create_counted(test_allocator *allocator, int64_t threads);

#endif
