/* Matrices in compressed sparse rows for the tests, from the dense features of a model. */
#ifndef LOSS_TEST_GRADIENT_SPARSE_H
#define LOSS_TEST_GRADIENT_SPARSE_H

#include "gradient_model.h"

/* What a matrix is to be like, besides right. SPLIT: every third entry stands twice, as two that add up to it. */
enum { WIDE_OFFSETS = 1, WIDE_INDICES = 2, REVERSED = 4, SPLIT = 8, LATER = 16, FORMS = 32 };

typedef struct csr {
    loss_dtype dtype, offset_dtype, index_dtype;
    int64_t rows, columns, entries;
    void *offsets, *indices, *values;
} csr;

/* Every entry of x, rows × columns, that is not 0. LATER: the rows are the last ones of a larger matrix. */
csr csr_of(loss_dtype dtype, const void *x, int64_t rows, int64_t columns, int form);
void csr_free(csr *made);

/* Names it as the features of some data, in the place of those there are. */
void csr_set(loss_context *context, loss_data *data, const csr *features);

/* An element of the offsets or of the indices. */
void csr_put(loss_dtype dtype, void *array, int64_t i, int64_t value);

/* Makes most of the features of a model 0 and keeps its predictions. */
void model_thin(model *made);

/* Within `relative` of the largest of `expected`, both of the type. */
void assert_like(const void *actual, const void *expected, loss_dtype dtype, int64_t count, double relative);

/* The gradient at x agrees with differences of values. */
void check_derivatives(loss_context *context, const loss_function *function, loss_objective *objective,
                       const void *x);

/* The tests of the other files of this executable. */
void sparse_every_loss(void **state);
void sparse_forms(void **state);
void sparse_by_hand(void **state);
void sparse_malformed(void **state);
void sparse_arguments(void **state);
void sparse_elsewhere(void **state);
void sparse_roles(void **state);
void sparse_shapes(void **state);
void sparse_threads(void **state);
void sparse_batches(void **state);
void sparse_woven(void **state);
void columns_every_loss(void **state);
void columns_means_and_deviations(void **state);
void columns_far_away(void **state);
void columns_original(void **state);
void columns_refused(void **state);

#endif
