/*
 * Means and standard deviations in two passes over the data: first sums and ranges, then squares of distances from the means
 * (Chan, Golub, LeVeque, The American Statistician 37 (1983), 242-247, "the two-pass algorithm"). Sums keep their rounding errors;
 * distances are measured in units of a power of two near the range of the column, so that their squares neither overflow nor
 * vanish. Of sparse features, the rows that have no entry in a column come in at the end, all at once.
 */
#include "gradient/column_statistics.h"

#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/column_kernels.h"
#include "loss/evaluation.h"

typedef struct statistics {
    loss_context *context;
    const lossi_array *features, *weight, *mask;
    const lossi_sparse_features *sparse; /* NULL: dense */
    const lossi_column_kernels *kernels;
    int64_t columns;
    double *low, *high, *factors;
    lossi_column_sums sums;
    lossi_column_sums stored; /* weights of the rows that have an entry in the column */
    double *merged;           /* columns of zeros, and a mark of the last row with an entry in the column */
    int64_t *marks;
    char *row; /* a copy of a row */
    double *memory;
    double total, total_lost; /* the weights of all rows that count */
    int64_t counted;          /* and how many they are */
} statistics;

/* ---- memory ---- */

/* Arrays of a number per column: low, high, factors, two of sums; two of weights when sparse, two more when irregular. */
enum { ARRAYS = 5, SPARSE_ARRAYS = 2, IRREGULAR_ARRAYS = 2 };

static loss_status reserve(statistics *s)
{
    const int32_t irregular = s->sparse != NULL && s->sparse->irregular;
    const int64_t arrays = ARRAYS + (s->sparse != NULL ? SPARSE_ARRAYS : 0) +
                           (irregular ? IRREGULAR_ARRAYS : 0);
    const int64_t row = s->sparse == NULL ? s->columns : irregular ? s->sparse->longest : 0;
    s->memory = lossi_allocate(s->context, (arrays * s->columns + row) * (int64_t)sizeof *s->memory);
    if (s->memory == NULL) {
        return lossi_fail_memory(s->context, "the means and deviations of columns");
    }
    double *const next = s->memory;
    const int64_t n = s->columns;
    s->low = next;
    s->high = next + n;
    s->factors = next + 2 * n;
    s->sums = (lossi_column_sums){next + 3 * n, next + 4 * n};
    if (s->sparse != NULL) {
        s->stored = (lossi_column_sums){next + 5 * n, next + 6 * n};
    }
    if (irregular) {
        s->merged = next + 7 * n;
        s->marks = (int64_t *)(void *)(next + 8 * n);
    }
    s->row = (char *)(next + arrays * n);
    for (int64_t j = 0; j < n; j++) {
        s->low[j] = HUGE_VAL;
        s->high[j] = -HUGE_VAL;
    }
    return LOSS_OK;
}

/* ---- rows ---- */

/* The weight of a row, 0 when it does not count. */
static double weight_of(const statistics *s, int64_t row)
{
    if (lossi_masked(s->mask, row)) {
        return 0;
    }
    if (s->weight == NULL) {
        return 1;
    }
    const int64_t place = row * s->weight->row_stride * loss_dtype_size(s->weight->dtype);
    const double weight = lossi_real_at(s->weight->dtype, s->weight->pointer + place, 0);
    return weight > 0 ? weight : 0;
}

static const char *dense_row(const statistics *s, int64_t row)
{
    const lossi_array *features = s->features;
    const int64_t real = loss_dtype_size(features->dtype);
    const char *from = features->pointer + row * features->row_stride * real;
    if (features->column_stride == 1 || features->columns <= 1) {
        return from;
    }
    for (int64_t j = 0; j < features->columns; j++) {
        memcpy(s->row + j * real, from + j * features->column_stride * real, (size_t)real);
    }
    return s->row;
}

/* The entries of a row, those of one column as one; entries after the first of a column are marked off by is_again(). */
static lossi_sparse_row sparse_row(const statistics *s, int64_t row)
{
    lossi_sparse_row x = lossi_sparse_row_at(s->sparse, row);
    if (s->sparse->irregular) {
        lossi_sparse_merge(s->sparse, &x, s->merged, s->row);
    }
    return x;
}

/* Whether a column was met before in this round of rows; `mark` is a number of its own for every row of both passes. */
static int32_t is_again(const statistics *s, int64_t j, int64_t mark)
{
    if (s->marks == NULL) {
        return 0;
    }
    const int32_t again = s->marks[j] == mark;
    s->marks[j] = mark;
    return again;
}

/* ---- the two passes ---- */

static void range_of_row(statistics *s, int64_t row, double weight)
{
    const loss_dtype dtype = s->features->dtype;
    if (s->sparse == NULL) {
        s->kernels->range(s->columns, dense_row(s, row), weight, s->low, s->high, &s->sums);
        return;
    }
    const lossi_sparse_row x = sparse_row(s, row);
    for (int64_t e = 0; e < x.count; e++) {
        const int64_t j = lossi_sparse_index(s->sparse, &x, e);
        const double value = lossi_real_at(dtype, x.values, e);
        if (!is_again(s, j, row + 1)) {
            s->low[j] = value < s->low[j] ? value : s->low[j];
            s->high[j] = value > s->high[j] ? value : s->high[j];
            lossi_add_kept(&s->sums.sum[j], &s->sums.lost[j], weight * value);
            lossi_add_kept(&s->stored.sum[j], &s->stored.lost[j], weight);
        }
    }
}

static void spread_of_row(statistics *s, int64_t row, double weight, const double *means)
{
    const loss_dtype dtype = s->features->dtype;
    if (s->sparse == NULL) {
        s->kernels->spread(s->columns, dense_row(s, row), weight, means, s->factors, &s->sums);
        return;
    }
    const lossi_sparse_row x = sparse_row(s, row);
    for (int64_t e = 0; e < x.count; e++) {
        const int64_t j = lossi_sparse_index(s->sparse, &x, e);
        const double distance = (lossi_real_at(dtype, x.values, e) - means[j]) * s->factors[j];
        if (!is_again(s, j, s->features->rows + row + 1)) {
            lossi_add_kept(&s->sums.sum[j], &s->sums.lost[j], weight * (distance * distance));
        }
    }
}

/* The weight of the rows without an entry in a column: 0 exactly when there are none, as both sums are made alike. */
static double weight_of_zeros(const statistics *s, int64_t j)
{
    return (s->total - s->stored.sum[j]) + (s->total_lost - s->stored.lost[j]);
}

/* ---- from sums to means and deviations ---- */

/* The sentence about a column whose sum is not finite: the row to blame, when it is one. */
static loss_status fail_column(const statistics *s, int64_t column)
{
    char number[32];
    for (int64_t row = 0; row < s->features->rows; row++) {
        double value = 0;
        if (weight_of(s, row) == 0) {
            continue;
        }
        if (s->sparse == NULL) {
            value = lossi_real_at(s->features->dtype, dense_row(s, row), column);
        } else {
            const lossi_sparse_row x = lossi_sparse_row_at(s->sparse, row);
            for (int64_t e = 0; e < x.count; e++) {
                value += lossi_sparse_index(s->sparse, &x, e) == column
                             ? lossi_real_at(s->features->dtype, x.values, e)
                             : 0;
            }
        }
        if (!isfinite(value)) {
            return lossi_fail_row(s->context, LOSS_ERROR_NONFINITE, row,
                                  "column %lld of 'features' has no mean: it is %s in row %lld",
                                  (long long)column, lossi_number(value, number), (long long)row);
        }
    }
    return lossi_fail(s->context, LOSS_ERROR_NONFINITE,
                      "column %lld of 'features' has no mean: its sum, or that of the weights, is not finite",
                      (long long)column);
}

/* Means, and the units distances are measured in; deviations are 0 for constant columns, else 1. */
static loss_status finish_means(statistics *s, double *means, double *deviations)
{
    const double total = s->total + s->total_lost;
    for (int64_t j = 0; j < s->columns; j++) {
        const double sum = s->sums.sum[j] + s->sums.lost[j];
        int exponent;
        if (s->sparse != NULL && s->counted > 0 && weight_of_zeros(s, j) > 0) {
            s->low[j] = fmin(s->low[j], 0);
            s->high[j] = fmax(s->high[j], 0);
        }
        if (s->counted == 0 || !isfinite(sum) || !isfinite(total)) {
            if (s->counted > 0) {
                return fail_column(s, j);
            }
            continue; /* zeros already */
        }
        if (s->low[j] == s->high[j]) {
            means[j] = s->low[j];
            continue;
        }
        means[j] = fmin(fmax(sum / total, s->low[j]), s->high[j]);
        deviations[j] = 1;
        /* Half the range cannot overflow. Factors above 2^1000 would, for numbers that are hardly there. */
        frexp(0.5 * s->high[j] - 0.5 * s->low[j], &exponent);
        s->factors[j] = ldexp(1, -(exponent > -1000 ? exponent : -1000));
    }
    return LOSS_OK;
}

static void finish_deviations(statistics *s, const double *means, double *deviations)
{
    const double total = s->total + s->total_lost;
    for (int64_t j = 0; j < s->columns; j++) {
        if (deviations[j] != 0) {
            const double distance = means[j] * s->factors[j];
            const double zeros = s->sparse != NULL ? fmax(weight_of_zeros(s, j), 0) : 0;
            const double squares = s->sums.sum[j] + s->sums.lost[j] + zeros * (distance * distance);
            deviations[j] = sqrt(squares / total) / s->factors[j];
        }
    }
}

static loss_status measure(statistics *s, int32_t scale, double *means, double *deviations)
{
    for (int64_t row = 0; row < s->features->rows; row++) {
        const double weight = weight_of(s, row);
        if (weight != 0) {
            s->counted++;
            lossi_add_kept(&s->total, &s->total_lost, weight);
            range_of_row(s, row, weight);
        }
    }
    loss_status status = finish_means(s, means, deviations);
    if (status != LOSS_OK || !scale || s->counted == 0) {
        return status;
    }
    memset(s->sums.sum, 0, (size_t)s->columns * sizeof *s->sums.sum);
    memset(s->sums.lost, 0, (size_t)s->columns * sizeof *s->sums.lost);
    for (int64_t row = 0; row < s->features->rows; row++) {
        const double weight = weight_of(s, row);
        if (weight != 0) {
            spread_of_row(s, row, weight, means);
        }
    }
    finish_deviations(s, means, deviations);
    return LOSS_OK;
}

loss_status lossi_column_statistics(loss_context *context, const lossi_array *features,
                                    const lossi_sparse_features *sparse, const lossi_array *weight,
                                    const lossi_array *mask, int32_t center, int32_t scale, double *means,
                                    double *deviations)
{
    statistics s = {
        .context = context,
        .features = features,
        .weight = weight,
        .mask = mask,
        .sparse = sparse->array != NULL ? sparse : NULL,
        .columns = features->columns,
        .kernels = lossi_column_kernels_for(lossi_context_isa(context), lossi_real_index(features->dtype))};
    memset(means, 0, (size_t)s.columns * sizeof *means);
    memset(deviations, 0, (size_t)s.columns * sizeof *deviations);
    loss_status status = reserve(&s);
    if (status == LOSS_OK) {
        status = measure(&s, scale, means, deviations);
    }
    if (status == LOSS_OK && !center) {
        memset(means, 0, (size_t)s.columns * sizeof *means);
    }
    lossi_release(context, s.memory);
    return status;
}
