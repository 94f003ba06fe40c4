/*
 * The preconditioners of a linear model, M⁻¹v.
 *
 *     diagonal   M = diag ∇²f(x)
 *     block      M = I ⊗ (B/8 + P),   B the average over the outputs of their blocks of ∇²cost at 0,  P the penalties' curvature
 *
 * A block knows how the features correlate and how large they are, and of many outputs it is the same for all: one matrix of the size
 * of the features. It does not depend on x. The bound of Böhning, Ann. Inst. Statist. Math. 44 (1992) 197–200, is such a matrix for
 * softmax regression, and larger than all its Hessians. Where the model fits, they are many times smaller than at 0, so that the
 * penalty weighs more: with B/8 softmax regression on digits takes 54 evaluations (45 to 54 from B/2 to B/128), with B 67, without 69.
 */
#include "gradient/linear_preconditioner.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double share = 0.125; /* of B */

/* Elements below this share of the largest are raised to it: a feature that is always 0 has no curvature. */
static double least_share(loss_dtype dtype)
{
    return sqrt(dtype == LOSS_FLOAT32 ? (double)FLT_EPSILON : DBL_EPSILON);
}

void lossi_linear_preconditioner_release(lossi_linear_model *m)
{
    lossi_release(m->base.context, m->diagonal);
    lossi_release_lines(m->base.context, m->block);
    m->diagonal = NULL;
    m->block = NULL;
    m->diagonal_known = 0;
}

/* ---- diagonal ---- */

/* The diagonal of the Hessian at x, unless it is there already: an optimizer asks many times at one point. */
static loss_status measure_diagonal(lossi_linear_model *m, const void *x)
{
    const loss_dtype dtype = m->base.dtype;
    const int64_t n = m->base.dimension, size = n * m->base.real_size;
    lossi_pass_result result;
    double largest = 0;
    if (m->diagonal == NULL && (m->diagonal = lossi_allocate(m->base.context, 2 * size)) == NULL) {
        return lossi_fail_memory(m->base.context, "a preconditioner");
    }
    if (m->diagonal_known && memcmp(m->diagonal + size, x, (size_t)size) == 0) {
        return LOSS_OK;
    }
    m->diagonal_known = 0;
    loss_status status = lossi_linear_diagonal(m, x, m->diagonal, &result);
    if (status != LOSS_OK) {
        return status;
    }
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, lossi_real_get(dtype, m->diagonal, i));
    }
    for (int64_t i = 0; i < n; i++) {
        const double least = largest > 0 ? least_share(dtype) * largest : 1;
        lossi_real_put(dtype, m->diagonal, i, fmax(lossi_real_get(dtype, m->diagonal, i), least));
    }
    memcpy(m->diagonal + size, x, (size_t)size);
    m->diagonal_known = 1;
    return LOSS_OK;
}

static loss_status divide(lossi_linear_model *m, const void *x, const void *vector, void *out)
{
    const loss_dtype dtype = m->base.dtype;
    loss_status status = measure_diagonal(m, x);
    for (int64_t i = 0; status == LOSS_OK && i < m->base.dimension; i++) {
        lossi_real_put(dtype, out, i,
                       lossi_real_get(dtype, vector, i) / lossi_real_get(dtype, m->diagonal, i));
    }
    return status;
}

/* ---- block ---- */

/* How many parameters an output has. */
static int64_t block_size(const lossi_linear_model *m)
{
    return m->shape.features + m->intercept;
}

/*
 * B of columns with their means taken away and divided by their deviations, from that of the columns as they are and a column of ones,
 * which is the last. Element (i, j), j ≤ i; a column of ones has mean 0 and deviation 1.
 */
static double standardised(const lossi_linear_model *m, const double *b, int64_t columns, int64_t i,
                           int64_t j)
{
    const int64_t features = m->shape.features;
    const double mean_i = m->means != NULL && m->centred && i < features ? m->means[i] : 0,
                 mean_j = m->means != NULL && m->centred && j < features ? m->means[j] : 0,
                 deviation_i = m->deviations != NULL && i < features ? m->deviations[i] : 1,
                 deviation_j = m->deviations != NULL && j < features ? m->deviations[j] : 1;
    if (deviation_i == 0 || deviation_j == 0) {
        return 0;
    }
    double sum = b[i * columns + j];
    if (mean_i != 0 || mean_j != 0) {
        const double *ones = b + features * columns; /* sums of the columns, and of nothing but weights */
        const double of_i = ones[i], of_j = ones[j];
        sum += mean_i * mean_j * ones[features] - mean_j * of_i - mean_i * of_j;
    }
    return sum / deviation_i / deviation_j;
}

/* The mean over the outputs of what the penalties add to a weight. */
static double penalty(const lossi_linear_model *m, int64_t feature)
{
    double sum = 0;
    for (int64_t k = 0; k < m->shape.outputs; k++) {
        sum += lossi_penalties_curvature(&m->base.penalties, m->base.dtype, m->base.penalised,
                                         k * m->shape.features + feature);
    }
    return sum / (double)m->shape.outputs;
}

/* M of one output, its lower half in rows of n numbers; gives the largest element of its diagonal. */
static double compose(const lossi_linear_model *m, const double *b, int64_t columns, double *matrix)
{
    const int64_t n = block_size(m);
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            matrix[i * n + j] = share * standardised(m, b, columns, i, j);
        }
        if (i < m->shape.features && m->base.penalties.count > 0) {
            matrix[i * n + i] += penalty(m, i);
        }
        largest = fmax(largest, matrix[i * n + i]);
    }
    return largest;
}

/*
 * The lower half becomes L of LLᵀ = M, the upper one Lᵀ, so that both solutions go along rows. A pivot that rounding has eaten up, of a
 * column that others make up, is raised to the least.
 */
static void factor(double *a, int64_t n, double least)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (int64_t k = 0; k < i;
             k++) { /* rows k of Lᵀ are there: what L[i][k] takes from the rest of row i */
            const double *above = a + k * n, element = row[k] / above[k];
            row[k] = element;
            for (int64_t j = k + 1; j < i; j++) {
                row[j] -= element * above[j];
            }
            row[i] -= element * element;
        }
        row[i] = sqrt(fmax(row[i], least));
        for (int64_t k = 0; k < i; k++) {
            a[k * n + i] = row[k];
        }
    }
}

/* M once and for all. Behind the factor there is room for a vector. */
static loss_status measure_block(lossi_linear_model *m)
{
    const int64_t n = block_size(m), columns = m->shape.features + m->shape.intercept;
    loss_context *context = m->base.context;
    if (m->block != NULL) {
        return LOSS_OK;
    }
    if (m->sparse.array != NULL) {
        return lossi_fail(
            context, LOSS_ERROR_SUPPORT,
            "the preconditioner 'block' is one of dense features: of sparse ones there is 'diagonal'");
    }
    double *b = lossi_allocate_lines(context, columns * columns * (int64_t)sizeof *b),
           *matrix = lossi_allocate_lines(context, n * (n + 1) * (int64_t)sizeof *matrix);
    loss_status status = b != NULL && matrix != NULL ? lossi_linear_average_block(m, b)
                                                     : lossi_fail_memory(context, "a preconditioner");
    if (status == LOSS_OK) {
        const double largest = compose(m, b, columns, matrix);
        factor(matrix, n, largest > 0 ? DBL_EPSILON * (double)n * largest : 1);
        m->block = matrix;
    } else {
        lossi_release_lines(context, matrix);
    }
    lossi_release_lines(context, b);
    return status;
}

/* y = L⁻ᵀL⁻¹y */
static void solve(const double *factor, int64_t n, double *y)
{
    for (int64_t i = 0; i < n; i++) {
        const double *above = factor + i * n;
        y[i] /= above[i];
        for (int64_t j = i + 1; j < n; j++) {
            y[j] -= y[i] * above[j];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        const double *row = factor + i * n;
        y[i] /= row[i];
        for (int64_t j = 0; j < i; j++) {
            y[j] -= y[i] * row[j];
        }
    }
}

static loss_status solve_blocks(lossi_linear_model *m, const void *vector, void *out)
{
    const int64_t n = block_size(m), features = m->shape.features, outputs = m->shape.outputs;
    const loss_dtype dtype = m->base.dtype;
    const loss_status status = measure_block(m);
    if (status != LOSS_OK) {
        return status;
    }
    double *y = m->block + n * n;
    for (int64_t k = 0; k < outputs; k++) {
        for (int64_t j = 0; j < n; j++) {
            y[j] = lossi_real_get(dtype, vector, j < features ? k * features + j : outputs * features + k);
        }
        solve(m->block, n, y);
        for (int64_t j = 0; j < n; j++) {
            lossi_real_put(dtype, out, j < features ? k * features + j : outputs * features + k, y[j]);
        }
    }
    return LOSS_OK;
}

loss_status lossi_linear_precondition(lossi_linear_model *m, int32_t kind, const void *x, const void *vector,
                                      void *out)
{
    return kind == LOSSI_PRECONDITIONER_BLOCK ? solve_blocks(m, vector, out) : divide(m, x, vector, out);
}
