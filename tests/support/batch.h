/*
 * One call of loss_function_evaluate() with everything it reads and writes in plain arrays.
 *
 * A batch owns its arrays: contiguous, row-major, all of one element type. What is not wanted is taken away by clearing a
 * bit of `give` or `want`.
 */
#ifndef LOSS_TEST_BATCH_H
#define LOSS_TEST_BATCH_H

#include <stdint.h>

#include "loss/loss.h"
#include "support/vectors.h"

enum { GIVE_WEIGHT = 1, GIVE_MASK = 2, GIVE_DIRECTION = 4, GIVE_SCALE = 8 };
enum { WANT_VALUE = 1, WANT_GRADIENT = 2, WANT_CURVATURE = 4, WANT_PRODUCT = 8, WANT_ALL = 15 };
enum { BATCH_OUTPUTS = 4 };

typedef struct batch {
    loss_dtype dtype;
    int64_t rows, columns, value_columns;
    int32_t labels, give, want;
    int32_t untargeted; /* of a loss that has no role "target" */
    double scale;
    void *prediction, *target, *direction, *weight;
    int64_t *label;
    uint8_t *mask;
    void *output[BATCH_OUTPUTS]; /* value, gradient, curvature, product */
    double sum, denominator;
} batch;

/* The names of the outputs, in the order of the bits. */
extern const char *const batch_output_names[BATCH_OUTPUTS];

/* An empty batch: zeros, weights 1, masks 1, outputs filled with 777 so that what is never written shows. */
batch batch_create(loss_dtype dtype, int64_t rows, int64_t columns, int64_t value_columns, int32_t labels);
void batch_free(batch *made);

/* Fills the outputs with 777 again. */
void batch_forget(batch *made);

/*
 * A batch of the generic rows of a group, again and again with other factors, so that no two rows are alike; `wide`
 * columns for a pointwise loss. The directions are generic too.
 */
batch batch_of_group(const vector_group *group, int64_t rows, int64_t wide, int32_t pointwise);

/* Copies row `from` of a batch to row `to` of another of the same shape. */
void batch_copy_row(batch *to, int64_t to_row, const batch *from, int64_t from_row);

/* The columns of an output. */
int64_t batch_width(const batch *made, int output);

/* Element of an output. */
double batch_at(const batch *made, int output, int64_t row, int64_t column);

/* Names the arrays of the batch by role. */
loss_data *batch_inputs(loss_context *context, const batch *made);
loss_data *batch_outputs(loss_context *context, const batch *made);

/* Whether the loss has the role "target". */
int32_t reads_target(const loss_function *function);

/* Evaluates; sum and denominator are left at 777 when the call fails. */
loss_status batch_evaluate(loss_context *context, const loss_function *function, batch *made);

/* All wanted outputs, sum and denominator have the same bits in both. */
void assert_same_batch(const batch *actual, const batch *expected);

/* A cheap repeatable number in [0, 1), other for every i. */
double scatter(int64_t i);

#endif
