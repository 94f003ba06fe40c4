/* What compressed sparse rows hold is the caller's: nothing of it is believed before it has been looked at once. */
#include "gradient/sparse_features.h"

#include <string.h>

#include "gradient/objective.h"

enum {
    FEATURES_PER_COLUMN = 16, /* a tile has about 16 · 1024 entries, as one of dense rows has elements */
    COLUMNS_MAX = 256,
    /* Sums of more slices than stay in a last-level cache of a few MiB cost more to clear and to add than entries to multiply. */
    ENTRIES_PER_SUM = 16
};

static int64_t integer_at(loss_dtype dtype, const void *array, int64_t index)
{
    int32_t narrow;
    int64_t wide;
    if (dtype == LOSS_INT32) {
        memcpy(&narrow, (const char *)array + index * 4, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, (const char *)array + index * 8, sizeof wide);
    return wide;
}

/* ---- the check ---- */

static loss_status check_offset(loss_context *context, const lossi_sparse_array *array, int64_t row,
                                int64_t begin, int64_t end)
{
    const char *role = array->values.role;
    if (begin < 0) {
        return lossi_fail_row(context, LOSS_ERROR_SHAPE, row,
                              "the offset of row %lld of '%s' is %lld: it may not be negative",
                              (long long)row, role, (long long)begin);
    }
    if (end < begin) {
        return lossi_fail_row(context, LOSS_ERROR_SHAPE, row,
                              "row %lld of '%s' begins at entry %lld and ends at %lld: offsets may not fall",
                              (long long)row, role, (long long)begin, (long long)end);
    }
    if (end > array->entries) {
        return lossi_fail_row(context, LOSS_ERROR_SHAPE, row, "row %lld of '%s' ends at entry %lld of %lld",
                              (long long)row, role, (long long)end, (long long)array->entries);
    }
    return LOSS_OK;
}

/* The sentence about the first bad index of a row. */
static loss_status fail_index(loss_context *context, const lossi_sparse_array *array, int64_t row,
                              int64_t begin)
{
    const int64_t columns = array->values.columns;
    int64_t e = begin, index = integer_at(array->index_dtype, array->column_indices, e);
    while (index >= 0 && index < columns) {
        index = integer_at(array->index_dtype, array->column_indices, ++e);
    }
    if (columns == 0) {
        return lossi_fail_row(context, LOSS_ERROR_SHAPE, row,
                              "row %lld of '%s' has entry %lld in column %lld; there are no columns",
                              (long long)row, array->values.role, (long long)e, (long long)index);
    }
    return lossi_fail_row(context, LOSS_ERROR_SHAPE, row,
                          "row %lld of '%s' has entry %lld in column %lld; columns are 0 … %lld",
                          (long long)row, array->values.role, (long long)e, (long long)index,
                          (long long)columns - 1);
}

/* Whether all indices are columns; clears *rising when they do not rise. */
static int32_t indices_good(const lossi_sparse_array *array, int64_t begin, int64_t end, int32_t *rising)
{
    const uint64_t columns = (uint64_t)array->values.columns;
    int64_t last = -1;
    int32_t bad = 0, falls = 0;
    if (array->index_dtype == LOSS_INT32) {
        const char *at = (const char *)array->column_indices + begin * 4;
        for (int64_t e = begin; e < end; e++, at += 4) {
            int32_t index;
            memcpy(&index, at, sizeof index);
            bad |= (uint64_t)(int64_t)index >= columns;
            falls |= index <= last;
            last = index;
        }
    } else {
        const char *at = (const char *)array->column_indices + begin * 8;
        for (int64_t e = begin; e < end; e++, at += 8) {
            int64_t index;
            memcpy(&index, at, sizeof index);
            bad |= (uint64_t)index >= columns;
            falls |= index <= last;
            last = index;
        }
    }
    *rising &= !falls;
    return !bad;
}

loss_status lossi_sparse_examine(lossi_sparse_features *features, loss_context *context,
                                 const lossi_sparse_array *array)
{
    const int64_t rows = array->values.rows;
    const int64_t first = rows > 0 ? integer_at(array->offset_dtype, array->row_offsets, 0) : 0;
    int64_t begin = first, longest = 0;
    int32_t rising = 1;
    for (int64_t row = 0; row < rows; row++) {
        const int64_t end = integer_at(array->offset_dtype, array->row_offsets, row + 1);
        loss_status status = check_offset(context, array, row, begin, end);
        if (status != LOSS_OK) {
            return status;
        }
        if (!indices_good(array, begin, end, &rising)) {
            return fail_index(context, array, row, begin);
        }
        longest = end - begin > longest ? end - begin : longest;
        begin = end;
    }
    *features = (lossi_sparse_features){array, 1, longest, !rising};
    if (begin > first) {
        features->average = (begin - first - 1) / rows + 1;
    }
    return LOSS_OK;
}

/* ---- rows ---- */

/* Entries begin … end − 1; there may be no arrays when there are none. */
static lossi_sparse_row entries(const lossi_sparse_array *array, int64_t index_size, int64_t value_size,
                                int64_t begin, int64_t end)
{
    if (begin == end) {
        return (lossi_sparse_row){NULL, NULL, 0};
    }
    return (lossi_sparse_row){(const char *)array->column_indices + begin * index_size,
                              array->values.pointer + begin * value_size, end - begin};
}

lossi_sparse_row lossi_sparse_span(const lossi_sparse_features *features, int64_t first, int64_t rows)
{
    const lossi_sparse_array *array = features->array;
    return entries(array, loss_dtype_size(array->index_dtype), loss_dtype_size(array->values.dtype),
                   integer_at(array->offset_dtype, array->row_offsets, first),
                   integer_at(array->offset_dtype, array->row_offsets, first + rows));
}

lossi_sparse_row lossi_sparse_row_at(const lossi_sparse_features *features, int64_t row)
{
    return lossi_sparse_span(features, row, 1);
}

void lossi_sparse_find(const lossi_sparse_features *features, int64_t first, int64_t rows,
                       lossi_sparse_row *found)
{
    const lossi_sparse_array *array = features->array;
    const int64_t index_size = loss_dtype_size(array->index_dtype),
                  value_size = loss_dtype_size(array->values.dtype);
    int64_t begin = integer_at(array->offset_dtype, array->row_offsets, first);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t end = integer_at(array->offset_dtype, array->row_offsets, first + i + 1);
        found[i] = entries(array, index_size, value_size, begin, end);
        begin = end;
    }
}

int64_t lossi_sparse_index(const lossi_sparse_features *features, const lossi_sparse_row *row, int64_t e)
{
    return integer_at(features->array->index_dtype, row->indices, e);
}

void lossi_sparse_merge(const lossi_sparse_features *features, lossi_sparse_row *row, double *sums,
                        void *values)
{
    const loss_dtype dtype = features->array->values.dtype;
    for (int64_t e = 0; e < row->count; e++) {
        sums[lossi_sparse_index(features, row, e)] += lossi_real_get(dtype, row->values, e);
    }
    for (int64_t e = 0; e < row->count; e++) {
        double *sum = &sums[lossi_sparse_index(features, row, e)];
        lossi_real_put(dtype, values, e, *sum);
        *sum = 0;
    }
    row->values = values;
}

/* ---- the cut ---- */

lossi_cut lossi_sparse_cut(const lossi_linear_shape *shape, int64_t average, int64_t rows)
{
    int64_t columns = (average + FEATURES_PER_COLUMN - 1) / FEATURES_PER_COLUMN;
    columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    lossi_cut cut = lossi_cut_rows(rows, columns > shape->outputs ? columns : shape->outputs);
    const double worth = (double)rows * (double)average / ENTRIES_PER_SUM / ((double)shape->features + 1);
    const int64_t most = worth < 1 ? 1 : worth < LOSSI_SLICES ? (int64_t)worth : LOSSI_SLICES;
    if (cut.slices > most) {
        const int64_t blocks = rows / cut.block_rows + (rows % cut.block_rows != 0);
        const int64_t per_slice = (blocks + most - 1) / most;
        cut.slice_rows = per_slice * cut.block_rows;
        cut.slices = (blocks + per_slice - 1) / per_slice;
    }
    return cut;
}
