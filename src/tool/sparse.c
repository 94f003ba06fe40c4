/*
 * Sparse features of a data set: they stay as the file has them, compressed sparse rows, and are standardised as a view.
 *
 *     score_k = b_k + Σ_j w_kj (x_j − m_j) / s_j  =  (b_k − Σ_j m_j w_kj / s_j)  +  Σ_j x_j w_kj / s_j
 *
 * The terms in brackets are the same for all rows, so that of a row only what is not 0 is read; docs/data.md has the same formula.
 */
#include "tool.h"

#include <math.h>
#include <stdlib.h>

/* More columns are refused: an index that is wrong would have all memory filled with weights. The widest of the LIBSVM data sets,
 * kdd2012, has 54 686 452. */
#define MOST_COLUMNS (INT64_C(1) << 26)

static double entry_value(const struct dataset *dataset, int64_t entry)
{
    return array_number(loss_sparse_values(dataset->sparse), dataset->dtype, entry);
}

static int64_t entry_column(const struct dataset *dataset, int64_t entry)
{
    return ((const int32_t *)loss_sparse_column_indices(dataset->sparse))[entry];
}

void sparse_describe_nonfinite(const struct dataset *dataset, double value, char *text, size_t size)
{
    if (isnan(value)) {
        snprintf(text, size, "nan is no finite number");
    } else {
        snprintf(text, size, "the number is infinite or too large for %s", loss_dtype_name(dataset->dtype));
    }
}

int sparse_read(struct dataset *dataset, loss_context *context, int64_t first_index, int64_t columns)
{
    if (loss_sparse_read_svmlight(&dataset->sparse, context, dataset->path, dataset->dtype, LOSS_INT32,
                                  first_index, columns, progress_reading, (void *)dataset->path)) {
        return tool_fail_context(context);
    }
    dataset->rows = loss_sparse_row_count(dataset->sparse);
    const int64_t count = loss_sparse_column_count(dataset->sparse);
    if (count > MOST_COLUMNS) {
        return tool_fail("%s has %lld columns; a model has at most %lld features", dataset->path,
                         (long long)count, (long long)MOST_COLUMNS);
    }
    dataset->feature_count = count;
    const int64_t *offsets = loss_sparse_row_offsets(dataset->sparse);
    for (int64_t i = 0; i < dataset->rows; i++) {
        for (int64_t e = offsets[i]; e < offsets[i + 1]; e++) {
            if (!isfinite(entry_value(dataset, e))) {
                char what[64];
                sparse_describe_nonfinite(dataset, entry_value(dataset, e), what, sizeof what);
                return tool_fail("%s: line %lld, index %lld: %s", dataset->path,
                                 (long long)loss_sparse_row_line(dataset->sparse, i),
                                 (long long)(entry_column(dataset, e) + first_index), what);
            }
        }
    }
    return TOOL_DONE;
}

loss_status sparse_lend(const struct dataset *dataset, loss_data *data, int64_t first, int64_t rows)
{
    const loss_sparse *sparse = dataset->sparse;
    return loss_data_set_sparse_input(
        data, "features", rows, dataset->feature_count, loss_sparse_entry_count(sparse),
        loss_sparse_row_offsets(sparse) + first, LOSS_INT64, loss_sparse_column_indices(sparse),
        loss_sparse_index_dtype(sparse), loss_sparse_values(sparse), dataset->dtype);
}

/* ---- scores ---- */

void scorer_begin(struct scorer *scorer, const struct model *model, const struct dataset *dataset)
{
    const int64_t d = model->feature_count, outputs = model->outputs;
    *scorer = (struct scorer){.model = model, .dataset = dataset};
    if (!dataset->sparse) {
        return;
    }
    scorer->weights = tool_allocate(outputs * d, sizeof *scorer->weights);
    scorer->intercepts = tool_allocate(outputs, sizeof *scorer->intercepts);
    for (int64_t k = 0; k < outputs; k++) {
        double sum = model->parameters[outputs * d + k];
        for (int64_t j = 0; j < d; j++) {
            if (model->scale[j] != 0) {
                const double weight = model->parameters[k * d + j] / model->scale[j];
                scorer->weights[k * d + j] = weight;
                sum -= model->mean[j] * weight;
            }
        }
        scorer->intercepts[k] = sum;
    }
}

void scorer_row(const struct scorer *scorer, int64_t row, double *scores)
{
    const struct dataset *dataset = scorer->dataset;
    if (!scorer->weights) {
        model_scores(scorer->model, dataset, row, scores);
        return;
    }
    const int64_t *offsets = loss_sparse_row_offsets(dataset->sparse);
    for (int64_t k = 0; k < scorer->model->outputs; k++) {
        const double *weights = scorer->weights + k * scorer->model->feature_count;
        double sum = scorer->intercepts[k];
        for (int64_t e = offsets[row]; e < offsets[row + 1]; e++) {
            sum += weights[entry_column(dataset, e)] * entry_value(dataset, e);
        }
        scores[k] = sum;
    }
}

void scorer_end(struct scorer *scorer)
{
    free(scorer->weights);
    free(scorer->intercepts);
    *scorer = (struct scorer){0};
}
