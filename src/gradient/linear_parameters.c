/*
 * Parameters of a linear model, and what is summed about them, between two orders: the caller's, a row of weights per output,
 * then the intercepts; and the kernels', which of dense rows is nearly that, and of sparse rows has the outputs side by side.
 *
 * Standardised columns are a change of variables on this way, so that the features stay as they are:
 *
 *     Σ_j (x_j − m_j) / s_j · w_j + b  =  Σ_j x_j · w_j / s_j  +  (b − Σ_j m_j · w_j / s_j)
 *
 * and by the chain rule the derivative for w_j is (G_j − m_j · R) / s_j, where G_j and R are those for the weight of x_j and for
 * the intercept; of second derivatives, with curvatures c: Σ c · (x − m)² / s². Where s_j is 0 the column counts as 0.
 */
#include "gradient/linear_parameters.h"

#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "gradient/parameter_kernels.h"
#include "loss/evaluation.h"

enum { CHUNK = 256 }; /* features at a time: 2 KiB */

/* Where the number of output k and feature j is: k · output_step + j · feature_step. */
typedef struct layout {
    int64_t output_step, feature_step, intercepts;
} layout;

static layout layout_of(const lossi_linear_shape *s, int32_t sparse, int64_t sets)
{
    return sparse ? (layout){1, sets * s->stride, sets * s->stride * s->features}
                  : (layout){s->stride, 1, s->outputs * s->stride};
}

lossi_linear_shape lossi_linear_shape_for(const lossi_linear_model *m, int32_t sparse)
{
    lossi_linear_shape shape = m->shape;
    shape.stride = sparse ? lossi_sparse_stride(shape.outputs)
                          : (shape.features + LOSSI_LANES - 1) / LOSSI_LANES * LOSSI_LANES;
    return shape;
}

int64_t lossi_linear_numbers(const lossi_linear_shape *shape, int32_t sparse, int64_t sets)
{
    const int64_t numbers = sparse ? (shape->features + 1) * shape->stride : lossi_linear_size(shape),
                  line = LOSSI_LINE / (int64_t)sizeof(double);
    return (numbers * sets + line - 1) / line * line;
}

/* Whole vectors for contiguous parameters: of small batches these are a good part of the time. */
static const lossi_parameter_kernels *kernels_of(const lossi_linear_model *m)
{
    return lossi_parameter_kernels_for(lossi_context_isa(m->base.context), lossi_real_index(m->base.dtype));
}

static const void *element(const lossi_linear_model *m, const void *x, int64_t index)
{
    return (const char *)x + index * m->base.real_size;
}

void lossi_linear_spread(const lossi_linear_model *m, int32_t sparse, int64_t set, int64_t sets,
                         const void *x, double *numbers)
{
    const lossi_linear_shape s = lossi_linear_shape_for(m, sparse);
    const layout to = layout_of(&s, sparse, sets);
    const lossi_parameter_kernels *kernels = kernels_of(m);
    const loss_dtype dtype = m->base.dtype;
    numbers += set * s.stride;
    for (int64_t k = 0; k < s.outputs; k++) {
        double shift = 0, lost = 0;
        const int32_t as_they_are = to.feature_step == 1 && m->means == NULL;
        if (as_they_are) {
            kernels->widen(s.features, element(m, x, k * s.features), numbers + k * to.output_step);
        }
        for (int64_t j = 0; j < s.features && !as_they_are; j++) {
            const double weight = lossi_linear_original(m, j, lossi_real_at(dtype, x, k * s.features + j));
            numbers[k * to.output_step + j * to.feature_step] = weight;
            if (m->centred) {
                lossi_add_kept(&shift, &lost, m->means[j] * weight);
            }
        }
        if (s.intercept) {
            const double b = m->intercept ? lossi_real_at(dtype, x, s.outputs * s.features + k) : 0;
            numbers[to.intercepts + k] = m->centred ? b - (shift + lost) : b;
        }
    }
}

/* The sum about feature j as it is about the standardised one; `about` is that about the intercept. */
static double standardised(const lossi_linear_model *m, int32_t what, int64_t j, double sum, double about)
{
    const double deviation = m->deviations[j], mean = m->means[j];
    if (deviation == 0) {
        return 0;
    }
    if (what != LOSSI_PASS_DIAGONAL) {
        return (m->centred ? sum - mean * about : sum) / deviation;
    }
    if (m->sparse.array == NULL) { /* squares of dense features are made of standardised ones */
        return sum;
    }
    return (m->centred ? sum + mean * mean * about : sum) / (deviation * deviation);
}

void lossi_linear_gather(const lossi_linear_model *m, int32_t what, double denominator, const void *x,
                         lossi_add_penalties add, void *out)
{
    const lossi_linear_shape *s = &m->shape;
    const layout from = layout_of(s, m->sparse.array != NULL, 1);
    const lossi_parameter_kernels *kernels = kernels_of(m);
    const loss_dtype dtype = m->base.dtype;
    double chunk[CHUNK];
    for (int64_t j = 0; j < s->features; j += CHUNK) {
        const int64_t count = s->features - j < CHUNK ? s->features - j : CHUNK;
        for (int64_t k = 0; k < s->outputs; k++) {
            const double *sums = m->sums + k * from.output_step + j * from.feature_step;
            const double about = m->centred ? m->sums[from.intercepts + k] : 0;
            const int64_t first = k * s->features + j;
            const int32_t as_they_are = from.feature_step == 1 && m->deviations == NULL && denominator != 0;
            if (as_they_are) {
                kernels->divide(count, sums, denominator, chunk);
            }
            for (int64_t i = 0; i < count && !as_they_are; i++) {
                const double sum = sums[i * from.feature_step];
                chunk[i] = denominator == 0
                               ? 0
                               : (m->deviations != NULL ? standardised(m, what, j + i, sum, about) : sum) /
                                     denominator;
            }
            add(&m->base.penalties, dtype, m->base.penalised, x, first, count, chunk);
            kernels->narrow(count, chunk, (char *)out + first * m->base.real_size);
        }
    }
    for (int64_t k = 0; m->intercept && k < s->outputs; k++) {
        const double sum = m->sums[from.intercepts + k];
        lossi_real_put(dtype, out, s->outputs * s->features + k, denominator != 0 ? sum / denominator : 0);
    }
}
