/* The readers of files: the same bytes as CSV, LIBSVM, .npy, IDX and safetensors. What they accept must hang together. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/evaluation.h"
#include "loss/io.h"

static volatile double seen; /* so that every element is read */

static void touch_array(const loss_array *array)
{
    const int64_t rows = loss_array_row_count(array), columns = loss_array_column_count(array);
    const int64_t size = loss_dtype_size(loss_array_dtype(array));
    const char *values = loss_array_values(array);
    fuzz_expect(rows >= 0 && columns >= 0 && size > 0, "an array has a shape and a type");
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) {
            const int64_t at = r * loss_array_row_stride(array) + c * loss_array_column_stride(array);
            seen = values[at * size] + values[at * size + size - 1];
        }
    }
}

static void touch_table(const loss_table *table)
{
    for (int64_t c = 0; c < loss_table_column_count(table); c++) {
        fuzz_expect(loss_table_column_name(table, c) != NULL, "every column has a name");
        for (int64_t r = 0; r < loss_table_row_count(table); r++) {
            const char *cell = loss_table_cell(table, r, c);
            fuzz_expect(cell != NULL, "every cell has a text");
            seen = (double)strlen(cell);
        }
    }
}

static void read_csv(const char *text, int64_t length, int32_t header, int32_t separator)
{
    loss_context *context = fuzz_context();
    loss_table *table = NULL;
    loss_array *array = NULL;
    loss_status status = loss_table_parse_csv(&table, context, text, length, header, separator);
    fuzz_expect_status(context, status, "loss_table_parse_csv()");
    fuzz_expect((status == LOSS_OK) == (table != NULL), "a table comes with LOSS_OK alone");
    if (table != NULL) {
        touch_table(table);
    }
    const loss_status second = loss_array_parse_csv(&array, NULL, context, text, length, header, separator,
                                                    header ? LOSS_FLOAT32 : LOSS_FLOAT64, 0, -1, NULL, 0,
                                                    NULL);
    fuzz_expect_status(context, second, "loss_array_parse_csv()");
    fuzz_expect(second != LOSS_OK || status == LOSS_OK, "numbers are read where a table is");
    if (array != NULL) {
        touch_array(array);
        fuzz_expect(loss_array_row_count(array) == loss_table_row_count(table) &&
                        loss_array_column_count(array) == loss_table_column_count(table),
                    "numbers and table have the same shape");
    }
    loss_array_free(array);
    loss_table_free(table);
}

static void read_svmlight(const char *text, int64_t length, loss_dtype dtype, loss_dtype index, int64_t first,
                          int64_t columns)
{
    loss_sparse *sparse = NULL;
    const loss_status status = loss_sparse_parse_svmlight(&sparse, fuzz_context(), text, length, dtype, index,
                                                          first, columns);
    fuzz_expect_status(fuzz_context(), status, "loss_sparse_parse_svmlight()");
    if (sparse != NULL) {
        const int64_t *offsets = loss_sparse_row_offsets(sparse), rows = loss_sparse_row_count(sparse);
        fuzz_expect(offsets[0] == 0 && offsets[rows] == loss_sparse_entry_count(sparse),
                    "offsets span the entries");
        for (int64_t r = 0; r < rows; r++) {
            fuzz_expect(offsets[r] <= offsets[r + 1], "offsets never fall");
            for (int64_t e = offsets[r]; e < offsets[r + 1]; e++) {
                const void *indices = loss_sparse_column_indices(sparse);
                const int64_t column = index == LOSS_INT32 ? ((const int32_t *)indices)[e]
                                                           : ((const int64_t *)indices)[e];
                fuzz_expect(column >= 0 && column < loss_sparse_column_count(sparse), "indices are columns");
            }
        }
    }
    loss_sparse_free(sparse);
}

static void read_tensors(const uint8_t *bytes, int64_t length)
{
    loss_tensors *tensors = NULL;
    fuzz_expect_status(fuzz_context(), loss_tensors_parse(&tensors, fuzz_context(), bytes, length),
                       "loss_tensors_parse()");
    for (int64_t i = 0; i < loss_tensors_count(tensors); i++) {
        int64_t count = 1;
        for (int32_t axis = 0; axis < loss_tensors_rank(tensors, i); axis++) {
            count *= loss_tensors_size(tensors, i, axis);
        }
        fuzz_expect(count >= 0 && count <= 8 * length, "a tensor is no larger than its file");
        double *elements = malloc((size_t)(count + 1) * sizeof *elements);
        fuzz_expect(elements != NULL, "there is memory for a tensor");
        fuzz_expect_status(fuzz_context(),
                           loss_tensors_get(tensors, fuzz_context(), i, elements, LOSS_FLOAT64),
                           "loss_tensors_get()");
        free(elements);
    }
    loss_tensors_free(tensors);
}

static void read_array(loss_status (*parse)(loss_array **, loss_context *, const void *, int64_t),
                       const uint8_t *bytes, int64_t length)
{
    loss_array *array = NULL;
    fuzz_expect_status(fuzz_context(), parse(&array, fuzz_context(), bytes, length), "loss_array_parse_…()");
    if (array != NULL) {
        touch_array(array);
    }
    loss_array_free(array);
}

static loss_status parse_npy_as(loss_array **out, loss_context *context, const void *bytes, int64_t length)
{
    return loss_array_parse_npy_as(out, context, bytes, length, LOSS_FLOAT32);
}

static loss_status parse_idx_as(loss_array **out, loss_context *context, const void *bytes, int64_t length)
{
    return loss_array_parse_idx_as(out, context, bytes, length, LOSS_FLOAT64);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const int64_t length = (int64_t)size;
    read_csv(text, length, 1, 0);
    read_csv(text, length, 0, ',');
    read_svmlight(text, length, LOSS_FLOAT64, LOSS_INT64, 1, 0);
    read_svmlight(text, length, LOSS_FLOAT32, LOSS_INT32, 0, 7);
    read_array(loss_array_parse_npy, bytes, length);
    read_array(loss_array_parse_idx, bytes, length);
    read_array(parse_npy_as, bytes, length);
    read_array(parse_idx_as, bytes, length);
    read_tensors(bytes, length);
    return 0;
}
