/* Strips of columns of a matrix product: what is copied, what is read where it is, and in which order. */
#include <stddef.h>

#include "gradient/matrix_product_jobs.h"

enum {
    DIRECT_TILES = 2,       /* rows of tiles for which B is not worth a copy */
    DIRECT_A = 1 << 15,     /* multiplications for which a transposed A is not */
    NEAR_BYTES = 16 * 1024, /* nor where all steps of it fill half of a first-level cache */
    COPY_COLUMNS = 64,      /* from so many on A is read often enough for a copy of its rows */
    COPY_PACKED = LOSSI_PRODUCT_COPY_PACKED,
    TILES_AHEAD = 2,           /* of A, asked for where there is no copy */
    PAGE = 4096,               /* bytes, of memory and of a way of a first-level cache */
    DOWN_NEAR_BYTES = 1 << 19, /* a second-level cache */
    DOWN_STREAM = 2048,        /* bytes of a row that is a stream */
    DOWN_AHEAD = 8192,         /* bytes */
    DOWN_FEW = 2,              /* columns of which the processor keeps up with long rows by itself */
    STEPS_AHEAD = 16           /* of B: at 14 cycles each some twice what the second-level cache takes */
};

static lossi_matrix_view step(lossi_matrix_view view, int64_t i, int64_t j, int64_t size)
{
    view.data = (const char *)view.data + (i * view.row_stride + j * view.column_stride) * size;
    return view;
}

/* Rows i … and columns j … of a factor: of its view, or of the panel that is packed for it. */
static lossi_matrix_view part_of(const lossi_product_jobs *list, const lossi_matrix_factor *factor, int64_t i,
                                 int64_t rows, int64_t j, int64_t columns, char *panel)
{
    if (factor->pack == NULL) {
        return step(factor->view, i, j, list->size);
    }
    if (factor->transposed) {
        const int64_t stride = lossi_product_panel_stride(rows, list->size);
        factor->pack(factor->argument, j, j + columns, i, i + rows, panel, stride);
        return (lossi_matrix_view){panel, 1, stride};
    }
    const int64_t stride = lossi_product_panel_stride(columns, list->size);
    factor->pack(factor->argument, i, i + rows, j, j + columns, panel, stride);
    return (lossi_matrix_view){panel, stride, 1};
}

/* How A's rows first … and steps k … are read, in place or as a copy. */
static void place_a(const lossi_product_jobs *list, const lossi_product_strip *s, lossi_product_block *block,
                    int64_t first, int64_t k)
{
    char *scratch = s->scratch;
    const int64_t tiles = (block->rows + list->kernels->tile_rows - 1) / list->kernels->tile_rows;
    block->tile_rows = (block->rows + tiles - 1) / tiles;
    block->tile_rows = lossi_product_rounded(block->tile_rows, list->kernels->tile_step);
    block->a_rows = NULL;
    block->runs = NULL;
    if (list->a_laid && block->columns > LOSSI_PRODUCT_FEW && block->columns < COPY_PACKED) {
        lossi_laid_as_a(s->laid, list->a, first, k, list->size, scratch + list->a_panel, block);
        return;
    }
    if (list->a_laid) { /* its room is taken */
        lossi_laid_forget(s->laid);
    }
    const lossi_matrix_view a = part_of(list, list->a, first, block->rows, k, block->inner,
                                        scratch + list->a_panel);
    block->a = a.data;
    block->a_row = a.row_stride;
    block->a_inner = a.column_stride;
    block->a_ahead = 0;
    if (a.column_stride == 1 && block->columns < (list->a->pack == NULL ? COPY_COLUMNS : COPY_PACKED)) {
        block->a_ahead = list->a->pack == NULL ? TILES_AHEAD * block->tile_rows * a.row_stride : 0;
    } else if ((a.column_stride == 1 && block->tile_rows >= list->kernels->near_rows) ||
               (a.column_stride != 1 && block->rows * block->columns * block->inner > DIRECT_A &&
                (a.row_stride != 1 || a.column_stride * block->inner * list->size > NEAR_BYTES))) {
        list->kernels->copy_a(block->rows, block->inner, block->tile_rows, a, scratch + list->a_copy);
        block->a = scratch + list->a_copy;
        block->a_row = 1;
        block->a_inner = block->tile_rows;
        block->a_tile = block->tile_rows * block->inner;
        return;
    }
    block->a_tile = block->tile_rows * block->a_row;
}

/* A part of B as a copy at `to`. */
static void copy_b_from(const lossi_product_jobs *list, lossi_product_block *block, lossi_matrix_view b,
                        char *to)
{
    const lossi_product_kernels *kernels = list->kernels;
    kernels->copy_b(block->inner, block->columns, b, to);
    block->b = to;
    block->b_inner = block->columns <= kernels->lanes ? kernels->lanes : kernels->tile_columns;
    block->b_panel = kernels->tile_columns * block->inner;
    block->b_ahead = 0;
}

/* B's steps k … and columns left … */
static void copy_b(const lossi_product_jobs *list, lossi_product_block *block, int64_t k, int64_t left,
                   char *scratch, char *to)
{
    const lossi_matrix_view b = part_of(list, list->b, k, block->inner, left, block->columns,
                                        scratch + list->b_panel);
    copy_b_from(list, block, b, to);
}

/* Steps of a view whose rows, or columns, are dense: what is to be read of it, whole. */
static int64_t dense_steps(int64_t steps, int64_t width, int64_t stride, int64_t pitch, int64_t size)
{
    return stride == 1 && pitch == width ? steps * pitch * size : 0;
}

/* What the block after this one reads of A that is not near: its rows, or its steps where A is laid out by them. */
static void ask_for_a(const lossi_product_jobs *list, lossi_product_block *block, int64_t first, int64_t rows)
{
    block->soon[0].bytes = 0;
    if (rows > 0 && list->a->source != NULL) {
        block->soon[0].at = list->a->source(list->a->argument, first, first + rows, &block->soon[0].bytes);
    } else if (rows > 0 && list->a->pack == NULL) {
        const lossi_matrix_view a = list->a->view;
        block->soon[0].at = step(a, 0, first, list->size).data;
        block->soon[0].bytes = dense_steps(rows, list->rows, a.row_stride, a.column_stride, list->size);
    }
}

/* And of B: its steps. */
static void ask_for_b(const lossi_product_jobs *list, lossi_product_block *block, int64_t first,
                      int64_t steps)
{
    block->soon[1].bytes = 0;
    if (steps > 0 && list->b->source != NULL) {
        block->soon[1].at = list->b->source(list->b->argument, first, first + steps, &block->soon[1].bytes);
    } else if (steps > 0 && list->b->pack == NULL) {
        const lossi_matrix_view b = list->b->view;
        block->soon[1].at = step(b, first, 0, list->size).data;
        block->soon[1].bytes = dense_steps(steps, list->columns, b.column_stride, b.row_stride, list->size);
    }
}

static char *c_of(const lossi_product_jobs *list, const lossi_product_strip *s, int64_t i, int64_t j)
{
    return (char *)s->block.c + (i * s->block.c_row + j * s->block.c_column) * list->size;
}

/* B is copied once for every block of inner, then A goes by. */
static void multiply_copied(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    lossi_product_block block = s->block;
    block.columns = s->columns;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        copy_b(list, &block, k, s->left, s->scratch, s->scratch + list->b_copy);
        for (int64_t i = 0; i < s->rows; i += list->block_rows) {
            block.rows = lossi_product_least(list->block_rows, s->rows - i);
            place_a(list, s, &block, s->top + i, k);
            block.c = c_of(list, s, i, 0);
            if (list->a_laid && list->a->transposed) {
                const int64_t next = k + LOSSI_PRODUCT_DEPTH,
                              steps = i == 0 ? lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - next) : 0;
                ask_for_a(list, &block, next, steps);
                ask_for_b(list, &block, next, steps);
            }
            list->kernels->multiply(&block);
        }
        block.fresh = 0;
    }
}

/* B is read where it is laid out. */
static void multiply_laid(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    lossi_product_block block = s->block;
    block.columns = s->columns;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        for (int64_t i = 0; i < s->rows; i += list->block_rows) {
            block.rows = lossi_product_least(list->block_rows, s->rows - i);
            place_a(list, s, &block, s->top + i, k);
            lossi_laid_as_b(s->laid, list->b, k, s->left, list->kernels->lanes, list->size,
                            s->scratch + list->b_panel, &block);
            block.c = c_of(list, s, i, 0);
            const int64_t next = k + LOSSI_PRODUCT_DEPTH,
                          steps = i == 0 ? lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - next) : 0;
            ask_for_a(list, &block, next, steps);
            ask_for_b(list, &block, next, steps);
            list->kernels->multiply(&block);
        }
        block.fresh = 0;
    }
}

/*
 * A is copied, and a panel of B at a time, which is still in the first-level cache when the tiles of C read it: by the first of them on
 * its way where B is contiguous.
 */
static void multiply_by_panels(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    lossi_product_block block = s->block;
    const int64_t width = list->kernels->tile_columns;
    block.rows = s->rows;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        block.columns = s->columns;
        place_a(list, s, &block, s->top, k);
        const lossi_matrix_view b = part_of(list, list->b, k, block.inner, s->left, s->columns,
                                            s->scratch + list->b_panel);
        for (int64_t j = 0; j < s->columns; j += width) {
            block.columns = lossi_product_least(width, s->columns - j);
            if (b.column_stride == 1 && block.columns == width && block.a_row == 1 &&
                block.tile_rows >= list->kernels->near_rows) {
                block.b = step(b, 0, j, list->size).data;
                block.b_inner = b.row_stride;
                block.b_kept = s->scratch + list->b_copy;
                block.b_ahead = STEPS_AHEAD * block.b_inner;
            } else {
                copy_b_from(list, &block, step(b, 0, j, list->size), s->scratch + list->b_copy);
                block.b_kept = NULL;
            }
            block.c = c_of(list, s, 0, j);
            list->kernels->multiply(&block);
        }
        block.b_kept = NULL;
        block.fresh = 0;
    }
}

/* All of B is copied, then A goes by, whole rows of it: in memory they are read fastest in their order. */
static void multiply_by_rows(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int64_t width = lossi_product_rounded(s->columns, kernels->tile_columns) * list->size;
    const int64_t step = list->a_laid ? list->block_rows : TILES_AHEAD * kernels->tile_rows;
    lossi_product_block block = s->block;
    block.columns = s->columns;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        copy_b(list, &block, k, s->left, s->scratch, s->scratch + list->b_copy + (k - s->begin) * width);
    }
    for (int64_t i = 0; i < s->rows; i += step) {
        block.rows = lossi_product_least(step, s->rows - i);
        block.c = c_of(list, s, i, 0);
        block.fresh = s->block.fresh;
        for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
            block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
            block.b = s->scratch + list->b_copy + (k - s->begin) * width;
            block.b_panel = kernels->tile_columns * block.inner;
            place_a(list, s, &block, s->top + i, k);
            if (list->a_laid) {
                const int64_t next = i + step;
                ask_for_a(list, &block, s->top + next,
                          k == s->begin ? lossi_product_least(step, s->rows - next) : 0);
            }
            kernels->multiply(&block);
            block.fresh = 0;
        }
    }
}

/* B is read where it is, but for the columns behind the last whole vector. */
static void multiply_in_place(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int64_t whole = s->columns - s->columns % kernels->lanes;
    lossi_product_block block = s->block;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.rows = s->rows;
        block.columns = whole;
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        place_a(list, s, &block, s->top, k);
        if (whole > 0) {
            block.b = step(list->b->view, k, s->left, list->size).data;
            block.b_inner = list->b->view.row_stride;
            block.b_panel = block.b_ahead = kernels->tile_columns;
            block.c = s->block.c;
            kernels->multiply(&block);
        }
        if (whole < s->columns) {
            block.columns = s->columns - whole;
            copy_b(list, &block, k, s->left + whole, s->scratch, s->scratch + list->b_copy);
            block.c = c_of(list, s, 0, whole);
            kernels->multiply(&block);
        }
        block.fresh = 0;
    }
}

/*
 * How rows of A go by where vectors go down them. Long rows are streams that the processor asks for itself, but not where all of them
 * lie a multiple of a page apart: of these a first-level cache holds eight at a time. Short ones end before it does; a matrix that comes
 * from memory is asked for in its order then. With several columns so much is done between two lines of a stream that its next rows are
 * asked for, too.
 */
static void place_down(const lossi_product_jobs *list, lossi_product_block *block)
{
    const int64_t row = block->a_row * list->size;
    const int32_t near = list->rows * list->inner <= DOWN_NEAR_BYTES / list->size,
                  is_short = row < DOWN_STREAM;
    block->a_in_order = is_short;
    block->a_ahead = !near && is_short ? DOWN_AHEAD / list->size : 0;
    if (!near && !is_short && block->columns > DOWN_FEW) {
        block->a_ahead = list->kernels->down_rows * block->a_row;
    }
    block->a_apart = row % PAGE == 0 || (!near && is_short);
}

/* Vectors go down the rows of C, of which there are only a few columns. */
static void multiply_down(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int32_t streams = list->a->pack == NULL && s->end - s->begin > LOSSI_PRODUCT_DEPTH;
    const int64_t rows = streams ? kernels->down_rows : list->block_rows;
    lossi_product_block block = s->block;
    block.columns = s->columns;
    block.b_inner = list->b->view.row_stride;
    block.b_panel = list->b->view.column_stride;
    for (int64_t i = 0; i < s->rows; i += rows) {
        block.rows = lossi_product_least(rows, s->rows - i);
        block.c = c_of(list, s, i, 0);
        block.fresh = s->block.fresh;
        for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
            block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
            block.b = step(list->b->view, k, s->left, list->size).data;
            place_a(list, s, &block, s->top + i, k);
            block.a_ahead = block.a_apart = 0;
            if (list->a->pack == NULL) {
                place_down(list, &block);
            }
            kernels->multiply_down(&block);
            block.fresh = 0;
        }
    }
}

/* One row; sums of its columns are kept while all of B goes by. */
static void multiply_across(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    lossi_product_block block = s->block;
    block.columns = s->columns;
    block.a_inner = list->a->view.column_stride;
    block.b_inner = list->b->view.row_stride;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = lossi_product_least(LOSSI_PRODUCT_DEPTH, s->end - k);
        block.a = step(list->a->view, s->top, k, list->size).data;
        block.b = step(list->b->view, k, s->left, list->size).data;
        list->kernels->multiply_across(&block);
        block.fresh = 0;
    }
}

/* Whether B is read where it is: few rows pay for no copy, and for none that would spare but a part of a vector. */
static int32_t in_place(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    if (list->b->pack != NULL || list->b->view.column_stride != 1) {
        return 0;
    }
    if (s->rows <= 2) {
        return 1;
    }
    if (s->columns < kernels->tile_columns && s->columns % kernels->lanes != 0) {
        return 0;
    }
    return s->rows <= DIRECT_TILES * kernels->tile_rows;
}

void lossi_product_multiply_strip(const lossi_product_jobs *list, const lossi_product_strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int32_t a_in_rows = list->a->pack != NULL ? !list->a->transposed : list->a->view.column_stride == 1;
    const int64_t copied = lossi_product_rounded(s->columns, kernels->tile_columns) * (s->end - s->begin) *
                           list->size;
    if (list->b_laid) {
        multiply_laid(list, s);
    } else if (list->is_row) {
        multiply_across(list, s);
    } else if (a_in_rows && list->b->pack == NULL && s->columns <= LOSSI_PRODUCT_FEW &&
               s->rows >= kernels->lanes) {
        multiply_down(list, s);
    } else if (in_place(list, s)) {
        multiply_in_place(list, s);
    } else if (s->columns < (list->a_laid ? COPY_PACKED : COPY_COLUMNS) &&
               (list->a_laid || (list->a->pack == NULL && a_in_rows)) &&
               s->end - s->begin > LOSSI_PRODUCT_DEPTH && copied <= LOSSI_PRODUCT_B_BYTES) {
        multiply_by_rows(list, s);
    } else if (s->rows <= list->block_rows) {
        multiply_by_panels(list, s);
    } else {
        multiply_copied(list, s);
    }
}
