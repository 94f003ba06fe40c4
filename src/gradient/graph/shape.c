/* Shapes: comparing, broadcasting as in NumPy (aligned at the last size, 1 fits everything), and saying them. */
#include "gradient/graph/shape.h"

#include <stdio.h>
#include <string.h>

const char *lossi_shape_text(const lossi_shape *shape, char buffer[LOSSI_SHAPE_TEXT])
{
    int used = snprintf(buffer, LOSSI_SHAPE_TEXT, "[");
    for (int32_t i = 0; i < shape->rank; i++) {
        const char *before = i > 0 ? ", " : "";
        used += shape->size[i] == LOSSI_ROWS
                    ? snprintf(buffer + used, (size_t)(LOSSI_SHAPE_TEXT - used), "%srows", before)
                    : snprintf(buffer + used, (size_t)(LOSSI_SHAPE_TEXT - used), "%s%lld", before,
                               (long long)shape->size[i]);
    }
    snprintf(buffer + used, (size_t)(LOSSI_SHAPE_TEXT - used), "]");
    return buffer;
}

int32_t lossi_shapes_equal(const lossi_shape *a, const lossi_shape *b)
{
    return a->rank == b->rank && memcmp(a->size, b->size, sizeof a->size[0] * (size_t)a->rank) == 0;
}

int32_t lossi_shape_of_rows(const lossi_shape *shape)
{
    return shape->rank > 0 && shape->size[0] == LOSSI_ROWS;
}

int64_t lossi_shape_row(const lossi_shape *shape)
{
    int64_t elements = 1;
    for (int32_t i = lossi_shape_of_rows(shape); i < shape->rank; i++) {
        elements *= shape->size[i];
    }
    return elements;
}

int64_t lossi_shape_elements(const lossi_shape *shape, int64_t rows)
{
    const int64_t row = lossi_shape_row(shape);
    if (!lossi_shape_of_rows(shape)) {
        return row;
    }
    return row > 0 && rows > LOSSI_MOST_ELEMENTS / row ? LOSSI_MOST_ELEMENTS : row * rows;
}

/* The size at a place counted from the end, 1 before the first. */
static int64_t from_end(const lossi_shape *shape, int32_t place)
{
    return place < shape->rank ? shape->size[shape->rank - 1 - place] : 1;
}

int32_t lossi_shapes_broadcast(const lossi_shape *a, const lossi_shape *b, lossi_shape *to)
{
    lossi_shape shape = {a->rank > b->rank ? a->rank : b->rank, {0}};
    for (int32_t place = 0; place < shape.rank; place++) {
        const int64_t x = from_end(a, place), y = from_end(b, place);
        const int64_t size = x == 1 ? y : x;
        if (y != 1 && y != size) {
            return 0;
        }
        if (size == LOSSI_ROWS && place != shape.rank - 1) {
            return 0; /* rows come first */
        }
        shape.size[shape.rank - 1 - place] = size;
    }
    *to = shape;
    return 1;
}

loss_status lossi_shape_check(loss_context *context, const char *what, const lossi_shape *shape)
{
    /* What a batch of rows may hold beside: a product of sizes that stays an int64 for any number of rows in memory. */
    const int64_t most = INT64_C(1) << 40;
    char text[LOSSI_SHAPE_TEXT];
    int64_t elements = 1;
    for (int32_t i = 0; i < shape->rank; i++) {
        const int64_t size = shape->size[i];
        if (size == LOSSI_ROWS && i == 0) {
            continue;
        }
        if (size < 0 || (size > 0 && elements > most / size)) {
            return lossi_fail(
                context, LOSS_ERROR_SHAPE,
                "%s has the shape %s; sizes are not negative, only the first may be rows, and a row has at "
                "most 2^40 elements",
                what, lossi_shape_text(shape, text));
        }
        elements *= size > 0 ? size : 1; /* nor have the rows of what has no elements */
    }
    return LOSS_OK;
}
