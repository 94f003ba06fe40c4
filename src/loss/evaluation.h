/*
 * One evaluation of a loss function over rows: what is the same for every loss.
 *
 * A caller describes the data (lossi_evaluation), then hands over tiles of rows with the places of predictions and outputs
 * (lossi_place): loss_function_evaluate() from the user's arrays, a linear model from predictions it has just made.
 */
#ifndef LOSSI_LOSS_EVALUATION_H
#define LOSSI_LOSS_EVALUATION_H

#include <stdint.h>
#include <string.h>

#include "core/data.h"
#include "core/sum.h"
#include "loss/handle.h"
#include "loss/tile_kernels.h"

/* An array of real numbers, addressed from some row; strides in elements. pointer NULL: not there, or not wanted. */
typedef struct lossi_view {
    char *pointer;
    int64_t row_stride, column_stride;
} lossi_view;

typedef struct lossi_evaluation {
    const loss_function *function;
    const lossi_kernels *kernels;
    const lossi_tile_kernels *tiles;
    loss_dtype dtype;
    int32_t real_size;
    int32_t labels;    /* the target is class labels */
    int32_t streaming; /* outputs are larger than the caches: store past them */
    int64_t rows, columns;
    double scale;
    const lossi_array *target, *weight, *mask; /* NULL: not there; target, of a loss that has none */
    const int64_t *indices;                    /* NULL, or which rows the rows are: a batch */
    int32_t isa;
    int64_t own_scratch; /* bytes that the kernels of a formula need, padded to 64 */
    int32_t callback; /* the kernels are the caller's: they get copies, aligned and apart from each other */
    int32_t serial;   /* and run on no thread but the caller's */
} lossi_evaluation;

typedef struct lossi_place {
    lossi_view prediction, direction;
    lossi_view value, gradient, curvature, product;
} lossi_place;

/* What tiles add up to. Start with lossi_total_clear(), end every block with lossi_total_end_block(). */
typedef struct lossi_total {
    double lanes[LOSSI_LANES], weight_lanes[LOSSI_LANES];
    double sum, denominator;
    int64_t nonfinite_row; /* the first row whose loss is not finite, −1 */
    /* the first bad row, when status is not LOSS_OK */
    loss_status status;
    int64_t row;
    double bad;
    int32_t callback_status; /* what the callback of the caller's loss returned */
    int64_t label;           /* of a bad label: as an integer it keeps all its digits */
    const char *role;
} lossi_total;

/*
 * Checks types and shapes, and fills in the evaluation; dtype, rows and columns are those of the predictions.
 * LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE.
 */
loss_status lossi_evaluation_init(lossi_evaluation *evaluation, loss_context *context,
                                  const loss_function *function, loss_dtype dtype, int64_t rows,
                                  int64_t columns, const lossi_array *target, const lossi_array *weight,
                                  const lossi_array *mask);

/* LOSS_ERROR_NAME for an array whose role is none of the names; says what the scalar "scale" is where that was meant. */
loss_status lossi_evaluation_fail_role(loss_context *context, const char *kind, const char *role,
                                       lossi_name_at name_at, const void *names, int32_t count);

/* LOSS_ERROR_SUPPORT when the function is to give a majorizer that it has not with its options. */
loss_status lossi_evaluation_check_curvature(loss_context *context, const loss_function *function);

/* Whether the mask takes that row away; no mask takes none. */
int32_t lossi_masked(const lossi_array *mask, int64_t row);

/* Bytes of scratch one worker needs for tiles of that many rows. */
int64_t lossi_evaluation_scratch(const lossi_evaluation *evaluation, int64_t tile_rows);

void lossi_total_clear(lossi_total *total);
void lossi_total_end_block(lossi_total *total);

/*
 * Evaluates rows first … first + rows − 1, at most tile_rows of them. The places are addressed from the first of them.
 * A bad row stops it, and total says which. scratch is aligned to 64.
 */
void lossi_evaluation_tile(const lossi_evaluation *evaluation, char *scratch, int64_t tile_rows,
                           int64_t first, int64_t rows, const lossi_place *place, lossi_total *total);

/* One element of a float32 or float64 array, of any alignment. */
static inline double lossi_real_at(loss_dtype dtype, const char *array, int64_t index)
{
    float single;
    double number;
    if (dtype == LOSS_FLOAT32) {
        memcpy(&single, array + index * 4, sizeof single);
        return single;
    }
    memcpy(&number, array + index * 8, sizeof number);
    return number;
}

/* The sentence about the bad row of a total, in the context. */
loss_status lossi_evaluation_fail(const lossi_evaluation *evaluation, loss_context *context,
                                  const lossi_total *total);

#endif
