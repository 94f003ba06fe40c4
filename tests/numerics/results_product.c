/* Matrix products of the shapes that have ways of their own: see results_product.h. */
#include "results_product.h"

#include <stdlib.h>
#include <string.h>

#include "gradient/matrix_product.h"

/* Tiles and blocks with edges; columns that fill no vector; few columns; one row; pieces. Factors have PRODUCT_NUMBERS at most. */
static const struct {
    const char *name;
    int64_t rows, columns, inner;
} shapes[PRODUCT_SHAPES] = {{"wide", 150, 131, 300},
                            {"tall", 80, 10, 784},
                            {"few", 205, 3, 300},
                            {"row", 1, 203, 300},
                            {"long", 7, 5, 9000}};

const char *product_shape(int k)
{
    return shapes[k].name;
}

loss_status product_of_shape(loss_context *context, int k, loss_dtype dtype, const void *a, const void *b,
                             void *c, int64_t *count)
{
    const int64_t rows = shapes[k].rows, columns = shapes[k].columns, inner = shapes[k].inner;
    const int64_t bytes = rows * columns * loss_dtype_size(dtype);
    const lossi_matrix_view left = {a, inner, 1}, right = {b, columns, 1};
    char *second = (char *)c + bytes;
    const int64_t scratch_bytes = lossi_matrix_product_scratch(context, dtype, rows, columns, inner);
    void *scratch = aligned_alloc(64, (size_t)(scratch_bytes + 63) / 64 * 64);
    if (scratch == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    loss_status status = lossi_matrix_product(context, dtype, rows, columns, inner, left, right, c, columns,
                                              0, scratch);
    memcpy(second, c, (size_t)bytes);
    if (status == LOSS_OK) {
        status = lossi_matrix_product(context, dtype, rows, columns, inner, left, right, second, columns, 1,
                                      scratch);
    }
    free(scratch);
    *count = 2 * rows * columns;
    return status;
}
