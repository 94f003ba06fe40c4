/* Linear models for the tests of the gradient module, and the same model written as plain loops. */
#ifndef LOSS_TEST_GRADIENT_MODEL_H
#define LOSS_TEST_GRADIENT_MODEL_H

#include "support/batch.h"
#include "support/check.h"

/* A data set with parameters at which every prediction lies where the loss is smooth. */
typedef struct model {
    batch rows; /* target, label, weight, mask, and the wanted predictions */
    int64_t features, outputs, dimension;
    int32_t intercept;
    double strength; /* of an l2 penalty; 0: none */
    void *x;         /* the features, row-major */
    void *parameters, *direction;
} model;

/* `extra` features beyond one per output; wide outputs for a pointwise loss. */
model model_of_group(const vector_group *group, int64_t rows, int64_t extra, int64_t wide, int32_t pointwise,
                     int32_t intercept);
void model_free(model *made);

/* The arrays by role, and the objective of it all; the caller frees both. */
loss_data *model_data(loss_context *context, const model *made);
loss_objective *model_objective(loss_context *context, const loss_function *function, const model *made);
loss_objective *model_objective_of(loss_context *context, const loss_function *function,
                                   const loss_data *data, const model *made);

/* Value, gradient and Hessian product by plain loops around loss_function_evaluate(). */
void model_reference(loss_context *context, const loss_function *function, model *made, double *value,
                     double *gradient, double *product);

/* The first group of a loss in an element type that has generic rows, after `index`; −1 at the end. */
int64_t model_next_group(const vector_file *file, loss_dtype dtype, int64_t index);

/* Runs a test for every loss of the catalogue, element type and group of options. */
typedef void (*model_test)(loss_context *context, const loss_function *function, const vector_group *group,
                           int32_t pointwise);
void for_every_loss(model_test test);

/* A plain model that needs no vectors: squared_error (outputs columns) or cross_entropy (labels). */
model model_plain(loss_dtype dtype, int64_t rows, int64_t features, int64_t outputs, int32_t labels);

/* The tests of the other files of this executable. */
void gradient_arguments(void **state);
void gradient_data_errors(void **state);
void gradient_labels(void **state);
void gradient_options(void **state);
void gradient_sealing(void **state);
void gradient_nonfinite(void **state);
void gradient_freeing(void **state);
void gradient_memory(void **state);
void gradient_callback_values(void **state);
void gradient_callback_status(void **state);
void gradient_callback_unwritten(void **state);
void gradient_callback_batches(void **state);
void gradient_callback_product(void **state);
void gradient_check_verdicts(void **state);
void gradient_check_large(void **state);
void gradient_check_errors(void **state);
void gradient_hessian_ways(void **state);
void gradient_hessian_model(void **state);
void gradient_hessian_failures(void **state);
void gradient_hessian_diagonals(void **state);
void gradient_hessian_diagonal_failures(void **state);
void gradient_hessian_lengths(void **state);
void gradient_hessian_domains(void **state);
void gradient_preconditioner(void **state);
void gradient_preconditioner_layouts(void **state);
void gradient_block_composition(void **state);
void gradient_block_singular(void **state);
void gradient_block_scales(void **state);
void gradient_block_errors(void **state);
void gradient_dense_shapes(void **state);
void gradient_dense_hessian_ends(void **state);
void gradient_dense_ahead(void **state);
void gradient_dense_hessian_ahead(void **state);

#endif
