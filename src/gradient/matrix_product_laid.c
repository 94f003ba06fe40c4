/* Blocks of factors that were laid out: from rows and runs of columns to what the tiles want. */
#include "gradient/matrix_product_laid.h"

#include <stddef.h>

int32_t lossi_laid_fits(const lossi_matrix_factor *factor, int64_t rows, int64_t bytes)
{
    return factor->pack != NULL && factor->lay != NULL && factor->room(factor->argument, rows) <= bytes;
}

/* Rows begin … end − 1 are in the room; the same as before are there still. */
static void lay(lossi_laid *laid, const lossi_matrix_factor *factor, int64_t begin, int64_t end, void *room)
{
    if (laid->begin != begin || laid->end != end) {
        factor->lay(factor->argument, begin, end, room, laid->rows);
        laid->begin = begin;
        laid->end = end;
    }
}

static const void *behind(const void *memory, int64_t elements, int64_t size)
{
    return (const char *)memory + elements * size;
}

/* Steps that are as far apart as neighbours are, and how far it is from one such run to the next. */
static int64_t list_steps(lossi_laid *laid, int64_t inner, int32_t of_a)
{
    const int64_t *rows = laid->rows;
    int64_t pitch = inner > 1 ? rows[1] - rows[0] : 0;
    int32_t count = 0;
    if (inner > 2 && rows[2] - rows[1] < pitch) { /* the first step was the last of its run */
        pitch = rows[2] - rows[1];
    }
    for (int64_t i = 0; i < inner;) {
        int64_t end = i + 1;
        while (end < inner && rows[end] - rows[end - 1] == pitch) {
            end++;
        }
        const int64_t next = end < inner ? rows[end] - rows[end - 1] - pitch : 0;
        laid->runs[count++] = (lossi_product_run){end - i, of_a ? next : 0, of_a ? 0 : next};
        i = end;
    }
    return pitch;
}

/* Rows of A are columns of what is laid out, and steps of inner are its rows. */
static void as_transposed_a(lossi_laid *laid, const lossi_matrix_factor *a, int64_t first, int64_t k,
                            int64_t size, void *room, lossi_product_block *block)
{
    lossi_matrix_run columns[LOSSI_PRODUCT_PANEL_ROWS];
    const int32_t count = a->runs(a->argument, first, first + block->rows, columns);
    int64_t rows = 0;
    for (int32_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < columns[i].count; j++) {
            laid->places[rows++] = columns[i].first + j;
        }
    }
    lay(laid, a, k, k + block->inner, room);
    block->a_inner = list_steps(laid, block->inner, 1);
    block->runs = laid->runs;
    block->a = behind(room, laid->rows[0], size);
    block->a_rows = laid->places;
    block->a_tile = block->a_row = block->a_ahead = 0;
}

void lossi_laid_as_a(lossi_laid *laid, const lossi_matrix_factor *a, int64_t first, int64_t k, int64_t size,
                     void *room, lossi_product_block *block)
{
    lossi_matrix_run columns[LOSSI_PRODUCT_DEPTH];
    if (a->transposed) {
        as_transposed_a(laid, a, first, k, size, room, block);
        return;
    }
    lay(laid, a, first, first + block->rows, room);
    const int32_t count = a->runs(a->argument, k, k + block->inner, columns);
    for (int32_t i = 0; i < count; i++) {
        const int64_t next = i + 1 < count ? columns[i + 1].first - columns[i].first - columns[i].count : 0;
        laid->runs[i] = (lossi_product_run){columns[i].count, next, 0};
    }
    block->runs = laid->runs;
    block->a = behind(room, columns[0].first, size);
    block->a_rows = laid->rows;
    block->a_tile = block->a_row = block->a_ahead = 0;
    block->a_inner = 1;
}

void lossi_laid_as_b(lossi_laid *laid, const lossi_matrix_factor *b, int64_t k, int64_t left, int32_t lanes,
                     int64_t size, void *room, lossi_product_block *block)
{
    lossi_matrix_run columns[LOSSI_PRODUCT_PANEL_ROWS];
    const int32_t count = b->runs(b->argument, left, left + block->columns, columns);
    int64_t vectors = 0;
    for (int32_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < columns[i].count; j += lanes) {
            laid->places[vectors++] = columns[i].first + j;
        }
    }
    lay(laid, b, k, k + block->inner, room);
    block->b_inner = list_steps(laid, block->inner, 0);
    block->runs = laid->runs;
    block->b = behind(room, laid->rows[0], size);
    block->b_vectors = laid->places;
    block->b_panel = block->b_ahead = 0;
    block->b_kept = NULL;
}
