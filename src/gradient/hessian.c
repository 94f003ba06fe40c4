/*
 * Hessians as whole matrices, and preconditioners.
 *
 * Without a better way the Hessian is n products with the unit vectors. Its rows are then rounded one by one, so
 * the two halves are averaged: the matrix handed out is symmetric to the bit.
 */
#include <stddef.h>

#include "gradient/objective.h"

static loss_status allocate_unit(loss_objective *objective)
{
    if (objective->unit == NULL) {
        objective->unit = lossi_allocate(objective->context, objective->dimension * objective->real_size);
    }
    return objective->unit != NULL ? LOSS_OK : lossi_fail_memory(objective->context, "a Hessian");
}

static void *row_of(const loss_objective *objective, void *matrix, int64_t row)
{
    return (char *)matrix + row * objective->dimension * objective->real_size;
}

static void symmetrize(const loss_objective *objective, void *matrix)
{
    const loss_dtype dtype = objective->dtype;
    const int64_t n = objective->dimension;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            /* halves first: the sum of two large elements may be beyond the type */
            const double mean = 0.5 * lossi_real_get(dtype, matrix, i * n + j) +
                                0.5 * lossi_real_get(dtype, matrix, j * n + i);
            lossi_real_put(dtype, matrix, i * n + j, mean);
            lossi_real_put(dtype, matrix, j * n + i, mean);
        }
    }
}

loss_status lossi_hessian_by_rows(loss_objective *objective, const void *x, lossi_hessian_row_function row,
                                  void *matrix)
{
    loss_status status = allocate_unit(objective), result = status;
    for (int64_t j = 0; j < objective->dimension && status == LOSS_OK; j++) {
        lossi_real_put(objective->dtype, objective->unit, j, 1);
        status = row(objective, x, j, row_of(objective, matrix, j));
        lossi_real_put(objective->dtype, objective->unit, j, 0);
        result = status != LOSS_OK ? status : result;
        if (status == LOSS_ERROR_NONFINITE) { /* the row is there all the same, as the matrix has to be */
            status = LOSS_OK;
        }
    }
    if (status == LOSS_OK) {
        symmetrize(objective, matrix);
    }
    return result;
}

static loss_status product_row(loss_objective *objective, const void *x, int64_t index, void *row)
{
    (void)index;
    return objective->kind->product(objective, x, objective->unit, row);
}

loss_status lossi_hessian_by_products(loss_objective *objective, const void *x, void *matrix)
{
    return lossi_hessian_by_rows(objective, x, product_row, matrix);
}

/* ---- diagonals ---- */

loss_status lossi_diagonal_by_rows(loss_objective *objective, const void *x, lossi_hessian_row_function row,
                                   void *diagonal)
{
    const loss_dtype dtype = objective->dtype;
    loss_status status = allocate_unit(objective), result = status;
    char *one = lossi_allocate(objective->context, objective->dimension * objective->real_size);
    if (one == NULL) {
        return lossi_fail_memory(objective->context, "the diagonal of a Hessian");
    }
    for (int64_t i = 0; i < objective->dimension && status == LOSS_OK; i++) {
        lossi_real_put(dtype, objective->unit, i, 1);
        status = row(objective, x, i, one);
        lossi_real_put(dtype, objective->unit, i, 0);
        lossi_real_put(dtype, diagonal, i, lossi_real_get(dtype, one, i));
        result = status != LOSS_OK ? status : result;
        if (status == LOSS_ERROR_NONFINITE) {
            status = LOSS_OK;
        }
    }
    lossi_release(objective->context, one);
    return result;
}

loss_status lossi_diagonal_by_products(loss_objective *objective, const void *x, void *diagonal)
{
    return lossi_diagonal_by_rows(objective, x, product_row, diagonal);
}

loss_status loss_objective_hessian_diagonal(loss_objective *objective, const void *x, void *diagonal)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || diagonal == NULL) {
        return lossi_fail_null(objective->context, x == NULL ? "x" : "diagonal");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status != LOSS_OK) {
        return status;
    }
    if (lossi_objective_overlap(objective, x, diagonal)) {
        return lossi_fail(objective->context, LOSS_ERROR_ARGUMENT,
                          "the diagonal overlaps x, which it is made of");
    }
    return objective->kind->diagonal != NULL ? objective->kind->diagonal(objective, x, diagonal)
                                             : lossi_diagonal_by_products(objective, x, diagonal);
}

/* ---- matrices ---- */

loss_status loss_objective_hessian(loss_objective *objective, const void *x, void *matrix)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || matrix == NULL) {
        return lossi_fail_null(objective->context, x == NULL ? "x" : "matrix");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status != LOSS_OK) {
        return status;
    }
    return objective->kind->hessian != NULL ? objective->kind->hessian(objective, x, matrix)
                                            : lossi_hessian_by_products(objective, x, matrix);
}

/* ---- preconditioners ---- */

loss_status loss_objective_set_precondition_callback(loss_objective *objective,
                                                     loss_precondition_callback precondition, void *user)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    objective->precondition = precondition;
    objective->precondition_user = user;
    return LOSS_OK;
}

loss_status loss_objective_precondition(loss_objective *objective, const void *x, const void *vector,
                                        void *product)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || vector == NULL || product == NULL) {
        return lossi_fail_null(objective->context, x == NULL ? "x" : vector == NULL ? "vector" : "product");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status != LOSS_OK) {
        return status;
    }
    if (objective->precondition == NULL && objective->kind->precondition != NULL) {
        return objective->kind->precondition(objective, x, vector, product);
    }
    if (objective->precondition == NULL) {
        return lossi_fail(objective->context, LOSS_ERROR_SUPPORT,
                          "the objective has no preconditioner: loss_objective_set_precondition_callback() "
                          "gives it one");
    }
    const int32_t number = objective->precondition(objective->precondition_user, objective->dimension, x,
                                                   vector, product);
    return lossi_objective_returned(objective, "precondition", number);
}
