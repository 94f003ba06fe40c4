/* The objective of a linear model, and its pass over the data. */
#ifndef LOSSI_GRADIENT_LINEAR_MODEL_H
#define LOSSI_GRADIENT_LINEAR_MODEL_H

#include <stdint.h>

#include "core/data.h"
#include "core/sum.h"
#include "loss/linear_kernels.h"
#include "gradient/objective.h"
#include "gradient/sparse_features.h"
#include "loss/handle.h"

typedef struct lossi_linear_model {
    loss_objective base;
    const loss_function *function;
    const loss_data *data;
    const lossi_array *features, *target, *weight, *mask; /* the last two may be NULL */
    lossi_sparse_features sparse;                         /* from here on: settled by prepare */
    lossi_linear_shape shape;   /* of the kernels: its intercept also takes what means add up to */
    int32_t intercept, centred; /* whether there is one among the parameters; whether means are taken away */
    double *means, *deviations; /* of the columns, NULL when these are as they are */
    int64_t size;               /* of the padded layout */
    double *parameters,
        *direction; /* in the padded layout; of sparse rows the direction lies between the parameters */
    double *sums;   /* one padded layout per slice */
    int64_t slices; /* how many there is room for */
    char *
        diagonal; /* of the Hessian, and the x it is of, in the element type: allocated by the first preconditioner */
    int32_t diagonal_known;
    double *block;     /* the factor of the other one, NULL until it is asked for */
    char *predictions; /* at `predicted`, once they are known: allocated by the first product */
    double *predicted;
    int32_t predictions_known;
    const int64_t *
        asked; /* indices whose rows the last pass asked for at its end: so many. Addresses, to be compared alone */
    int64_t asked_count;
    double *hessian; /* the sums of all slices: allocated by the first Hessian */
} lossi_linear_model;

/* An objective as a linear model, NULL when it is something else. */
const lossi_linear_model *lossi_linear_of(const loss_objective *objective);

/* A weight of feature j as that of the column as it is. */
static inline double lossi_linear_original(const lossi_linear_model *model, int64_t j, double weight)
{
    if (model->deviations == NULL) {
        return weight;
    }
    return model->deviations[j] != 0 ? weight / model->deviations[j] : 0;
}

/* What a pass makes, besides the sum of the losses. The diagonal of the Hessian is Σ curvature · x². */
enum { LOSSI_PASS_VALUE, LOSSI_PASS_GRADIENT, LOSSI_PASS_PRODUCT, LOSSI_PASS_DIAGONAL };

typedef struct lossi_pass_result {
    double sum, denominator;
    int64_t nonfinite_row; /* the first row whose loss is not finite, −1 */
} lossi_pass_result;

/*
 * How so many rows of the data are cut: as core/sum.h cuts rows of max(outputs, min(256, ⌈features / 16⌉)) columns; or as
 * lossi_sparse_cut() says.
 */
lossi_cut lossi_linear_cut(const lossi_linear_model *model, int64_t rows);

/* Makes room for that many slices of sums. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_linear_reserve(lossi_linear_model *model, int64_t slices);

/* Allocates in the context what a pass will need there. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_linear_warm_up(lossi_linear_model *model);

/*
 * Reads the data once, at model->parameters (and along model->direction): the unscaled sum of the losses, and in the first
 * padded layout of model->sums that of their gradients, products or diagonals.
 */
loss_status lossi_linear_pass(lossi_linear_model *model, int32_t what, lossi_batch batch,
                              lossi_pass_result *result);

/*
 * The Hessian with its penalties at model->parameters, n × n numbers of the element type, symmetric to the bit; reads the data
 * once. What passes return.
 */
loss_status lossi_linear_hessian(lossi_linear_model *model, void *matrix, lossi_pass_result *result);

/*
 * The average over the outputs of their blocks of the Hessian at 0, without penalties: the lower half of as many rows and columns as the
 * shape has features, and one for ones when it has an intercept. Dense features, as they are; reads them once.
 */
loss_status lossi_linear_average_block(lossi_linear_model *model, double *block);

/* The diagonal of the Hessian at x, and the sum of the losses. */
loss_status lossi_linear_diagonal(lossi_linear_model *model, const void *x, void *out,
                                  lossi_pass_result *result);

/* Predictions for all rows of the features, at model->parameters; sparse->array is NULL when they are dense. */
loss_status lossi_linear_predict(lossi_linear_model *model, const lossi_array *features,
                                 const lossi_sparse_features *sparse, const lossi_array *prediction);

#endif
