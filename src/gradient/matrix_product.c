/*
 * Dense matrix products: blocks, copies of factors and threads. See matrix_product.h.
 *
 * C is cut into jobs, rectangles of a piece of inner each; a job goes through its columns, its blocks of inner and its rows,
 * so that a strip of B and a block of A stay in the second-level cache while tiles of C are made of them.
 */
#include "gradient/matrix_product.h"

#include <stddef.h>
#include <string.h>

#include "core/context.h"
#include "core/isa.h"
#include "gradient/blas_product.h"
#include "gradient/matrix_product_jobs.h"

enum {
    PARALLEL = 1 << 21,  /* multiplications; fewer take no longer than threads need to wake up */
    JOB = 1 << 22,       /* multiplications; jobs of fewer copy too much for what they do */
    ROW_COLUMNS = 256,   /* of which a part is a stream */
    ROW_BYTES = 1 << 19, /* a second-level cache */
    JOBS_OF_THREAD = 4   /* so that a thread that is late does not keep the others waiting */
};

/* Where a worker's parts lie, for the tiles of every instruction set. */
static int64_t lay_out(lossi_product_jobs *list)
{
    const int64_t size = list->size, depth = lossi_product_least(list->inner, LOSSI_PRODUCT_DEPTH);
    const int64_t m = lossi_product_rounded(lossi_product_least(list->rows, LOSSI_PRODUCT_A_BYTES /
                                                                                (LOSSI_PRODUCT_DEPTH * size)),
                                            16) +
                      16; /* a tile more */
    const int64_t n = lossi_product_rounded(
        lossi_product_least(list->columns, LOSSI_PRODUCT_B_BYTES / (LOSSI_PRODUCT_DEPTH * size)), 32);
    const int64_t k = lossi_product_panel_stride(depth, size);
    list->a_panel = 0;
    list->a_copy = list->a_panel +
                   lossi_product_rounded(lossi_product_panel_stride(m, size) * k * size, LOSSI_PRODUCT_LINE);
    list->b_panel = list->a_copy + lossi_product_rounded(m * depth * size, LOSSI_PRODUCT_LINE);
    list->b_copy = list->b_panel +
                   lossi_product_rounded(lossi_product_panel_stride(n, size) * k * size, LOSSI_PRODUCT_LINE);
    list->worker_bytes = list->b_copy + lossi_product_rounded(lossi_product_least(n * list->inner * size,
                                                                                  LOSSI_PRODUCT_B_BYTES),
                                                              LOSSI_PRODUCT_LINE);
    return list->worker_bytes;
}

static int64_t scratch_bytes(int32_t threads, loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner)
{
    if (rows < 0 || columns < 0 || inner < 0 || (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64)) {
        return -1;
    }
    lossi_product_jobs list = {
        .rows = rows, .columns = columns, .inner = inner, .size = loss_dtype_size(dtype)};
    lossi_product_jobs other = {.rows = columns, .columns = rows, .inner = inner, .size = list.size};
    const int64_t pieces = lossi_product_pieces(rows, columns, inner);
    const int64_t sums = pieces > 1 ? (pieces - 1) * rows * columns * list.size : 0;
    const int64_t each = lay_out(&list), transposed = lay_out(&other);
    return LOSSI_PRODUCT_LINE + (each > transposed ? each : transposed) * threads + sums;
}

int64_t lossi_matrix_product_scratch(const loss_context *context, loss_dtype dtype, int64_t rows,
                                     int64_t columns, int64_t inner)
{
    return scratch_bytes(lossi_context_threads(context), dtype, rows, columns, inner);
}

int64_t lossi_matrix_product_serial_scratch(loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner)
{
    return scratch_bytes(1, dtype, rows, columns, inner);
}

static void run_job(void *argument, int64_t index, int32_t worker)
{
    const lossi_product_jobs *list = argument;
    const int64_t piece = index / (list->down * list->across), begin = piece * list->piece_depth;
    const int64_t left = index % list->across * list->job_columns;
    const int64_t right = lossi_product_least(left + list->job_columns, list->columns);
    lossi_product_strip s = {.top = index / list->across % list->down * list->job_rows,
                             .begin = begin,
                             .end = lossi_product_least(begin + list->piece_depth, list->inner),
                             .block = {.c_row = piece == 0 ? list->c_row : list->columns,
                                       .c_column = piece == 0 ? list->c_column : 1,
                                       .fresh = piece > 0 || !list->accumulate},
                             .scratch = list->scratch + worker * list->worker_bytes};
    lossi_laid laid;
    s.laid = &laid;
    lossi_laid_forget(&laid);
    char *c = piece == 0 ? list->c : list->sums + (piece - 1) * list->rows * list->columns * list->size;
    s.rows = lossi_product_least(list->job_rows, list->rows - s.top);
    for (s.left = left; s.left < right; s.left += s.columns) {
        s.columns = lossi_product_least(list->block_columns, right - s.left);
        s.block.c = c + (s.top * s.block.c_row + s.left * s.block.c_column) * list->size;
        lossi_product_multiply_strip(list, &s);
    }
}

/* The tree over pieces, by bands of rows. */
static void run_sums(void *argument, int64_t index, int32_t worker)
{
    const lossi_product_jobs *list = argument;
    const int64_t begin = list->rows * index / list->down, end = list->rows * (index + 1) / list->down;
    const int64_t whole = list->rows * list->columns * list->size;
    const int64_t skip = begin * list->columns * list->size;
    (void)worker;
    for (int64_t apart = 1; apart < list->pieces; apart *= 2) {
        for (int64_t p = 0; p + apart < list->pieces; p += 2 * apart) {
            const char *from = list->sums + (p + apart - 1) * whole + skip;
            if (p == 0) {
                list->kernels->add(end - begin, list->columns, list->c + begin * list->c_row * list->size,
                                   list->c_row, list->c_column, from);
            } else {
                list->kernels->add(end - begin, list->columns, list->sums + (p - 1) * whole + skip,
                                   list->columns, 1, from);
            }
        }
    }
}

/* As many jobs as threads like, of whole tiles: pieces first, then the longer side is halved. */
static void cut_jobs(lossi_product_jobs *list, int64_t wanted)
{
    const int64_t tile_rows = list->kernels->tile_rows, tile_columns = list->kernels->tile_columns;
    int64_t rows = list->rows, columns = list->columns;
    int64_t jobs = list->pieces;
    while (jobs < wanted) {
        if (rows >= columns && rows >= 4 * tile_rows) {
            rows = lossi_product_rounded((rows + 1) / 2, tile_rows);
        } else if (columns >= 2 * tile_columns) {
            columns = lossi_product_rounded((columns + 1) / 2, tile_columns);
        } else if (rows >= 2 * tile_rows) {
            rows = lossi_product_rounded((rows + 1) / 2, tile_rows);
        } else {
            break;
        }
        list->down = (list->rows + rows - 1) / rows;
        list->across = (list->columns + columns - 1) / columns;
        jobs = list->pieces * list->down * list->across;
    }
    list->job_rows = rows;
    list->job_columns = columns;
}

static void clear(const lossi_product_jobs *list)
{
    /* Before any exchange of sides: rows of C are contiguous. */
    for (int64_t i = 0; i < list->rows && !list->accumulate; i++) {
        memset(list->c + i * list->c_row * list->size, 0, (size_t)(list->columns * list->size));
    }
}

/* `threads` are those there is scratch for; the context is not looked at when there is one. */
static void run(loss_context *context, lossi_product_jobs *list, int64_t threads)
{
    const double work = (double)list->rows * (double)list->columns * (double)list->inner;
    threads = work < PARALLEL ? 1 : threads;
    const double jobs_worth = work / JOB;
    int64_t wanted = threads * JOBS_OF_THREAD;
    if (jobs_worth < (double)wanted) {
        wanted = (int64_t)jobs_worth > threads ? (int64_t)jobs_worth : threads;
    }
    cut_jobs(list, threads > 1 ? wanted : 1);
    const int64_t jobs = list->pieces * list->down * list->across;
    if (threads > 1) {
        lossi_parallel(context, jobs, run_job, list);
    } else {
        for (int64_t i = 0; i < jobs; i++) {
            run_job(list, i, 0);
        }
    }
    if (list->pieces > 1) {
        list->down = threads > 1 ? lossi_product_least(list->rows, threads) : 1;
        if (threads > 1 && list->pieces * list->rows * list->columns >= PARALLEL / 16) {
            lossi_parallel(context, list->down, run_sums, list);
        } else {
            list->down = 1;
            run_sums(list, 0, 0);
        }
    }
}

static lossi_matrix_factor transpose(const lossi_matrix_factor *factor)
{
    lossi_matrix_factor other = *factor;
    other.view.row_stride = factor->view.column_stride;
    other.view.column_stride = factor->view.row_stride;
    other.transposed = !factor->transposed;
    return other;
}

/* Whether consecutive elements down a column are consecutive in memory, but not those of a row. */
static int32_t by_columns(const lossi_matrix_factor *factor)
{
    return factor->pack != NULL ? factor->transposed
                                : factor->view.row_stride == 1 && factor->view.column_stride != 1;
}

/*
 * Cᵀ = Bᵀ·Aᵀ has the same bits. It is better where A is contiguous along the rows of C: these fill vectors where C has but a few
 * columns, and B is cheaper to copy than A, so that it should be the larger one. C itself is then written element by
 * element, but only by the first of some pieces.
 */
static int32_t better_transposed(const lossi_product_jobs *list)
{
    return by_columns(list->a) && list->rows > list->columns &&
           (list->columns < list->kernels->tile_columns || list->pieces > 3);
}

/*
 * Rows that are read where they are laid out, as many as there is room for: the rows of an image above and below those of a block are
 * laid out once more for it, so that large blocks have less of them. Not where all columns of a job, or its last ones, are multiplied
 * with panels, which have less room.
 */
static int64_t laid_rows(const lossi_product_jobs *list)
{
    const int64_t tile_rows = list->kernels->tile_rows, rest = list->columns % list->kernels->tile_columns;
    int64_t rows = LOSSI_PRODUCT_PANEL_ROWS / tile_rows * tile_rows;
    if (list->columns >= LOSSI_PRODUCT_COPY_PACKED || (rest > 0 && rest <= LOSSI_PRODUCT_FEW)) {
        return list->block_rows;
    }
    while (rows > list->block_rows && !lossi_laid_fits(list->a, rows, list->a_copy - list->a_panel)) {
        rows -= tile_rows;
    }
    return rows;
}

static void run_product(loss_context *context, int32_t isa, int32_t threads, loss_dtype dtype, int64_t rows,
                        int64_t columns, int64_t inner, const lossi_matrix_factor *a,
                        const lossi_matrix_factor *b, void *c, int64_t c_row_stride, int32_t accumulate,
                        void *scratch)
{
    const lossi_product_kernels *kernels = lossi_product_kernels_for(isa, lossi_real_index(dtype));
    lossi_product_jobs list = {.kernels = kernels,
                               .a = a,
                               .b = b,
                               .rows = rows,
                               .columns = columns,
                               .inner = inner,
                               .size = loss_dtype_size(dtype),
                               .c = c,
                               .c_row = c_row_stride,
                               .c_column = 1,
                               .accumulate = accumulate,
                               .pieces = lossi_product_pieces(rows, columns, inner),
                               .piece_depth = lossi_product_piece_blocks(rows, columns, inner) *
                                              LOSSI_PRODUCT_DEPTH,
                               .down = 1,
                               .across = 1};
    if (rows == 0 || columns == 0) {
        return;
    }
    if (inner == 0) {
        clear(&list);
        return;
    }
    const lossi_matrix_factor left = transpose(a), right = transpose(b);
    if (better_transposed(&list)) {
        list.a = &right;
        list.b = &left;
        list.rows = columns;
        list.columns = rows;
        list.c_row = 1;
        list.c_column = c_row_stride;
    }
    list.block_rows = LOSSI_PRODUCT_A_BYTES / (LOSSI_PRODUCT_DEPTH * list.size) / kernels->tile_rows *
                      kernels->tile_rows;
    list.block_columns = LOSSI_PRODUCT_B_BYTES / (LOSSI_PRODUCT_DEPTH * list.size);
    list.scratch = scratch;
    list.sums = list.scratch + lay_out(&list) * threads;
    list.a_laid = lossi_laid_fits(list.a, list.a->transposed ? LOSSI_PRODUCT_DEPTH : list.block_rows,
                                  list.a_copy - list.a_panel);
    if (list.a_laid && !list.a->transposed) {
        list.block_rows = laid_rows(&list);
    }
    list.b_laid = !list.a_laid && !list.b->transposed && list.b->together % kernels->lanes == 0 &&
                  lossi_laid_fits(list.b, LOSSI_PRODUCT_DEPTH, list.b_copy - list.b_panel);
    list.is_row = list.rows == 1 && list.c_column == 1 && list.a->pack == NULL && list.b->pack == NULL &&
                  list.b->view.column_stride == 1 && list.columns > ROW_COLUMNS &&
                  list.inner * list.columns > ROW_BYTES / list.size;
    if (list.b_laid) { /* no copy is to fit */
        list.block_columns = LOSSI_PRODUCT_PANEL_ROWS * kernels->lanes;
    } else if (list.is_row) {
        list.block_columns = list.columns;
    }
    run(context, &list, threads);
}

loss_status lossi_matrix_product_packed(loss_context *context, loss_dtype dtype, int64_t rows,
                                        int64_t columns, int64_t inner, const lossi_matrix_factor *a,
                                        const lossi_matrix_factor *b, void *c, int64_t c_row_stride,
                                        int32_t accumulate, void *scratch)
{
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "a matrix product is of float32 or float64, not of %s",
                          loss_dtype_name(dtype));
    }
    if (rows < 0 || columns < 0 || inner < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a matrix product of %lld × %lld by %lld × %lld",
                          (long long)rows, (long long)inner, (long long)inner, (long long)columns);
    }
    if (a->pack != NULL || b->pack != NULL ||
        !lossi_blas_product(dtype, rows, columns, inner, a->view, b->view, c, c_row_stride, accumulate)) {
        run_product(context, lossi_context_isa(context), lossi_context_threads(context), dtype, rows, columns,
                    inner, a, b, c, c_row_stride, accumulate, scratch);
    }
    return LOSS_OK;
}

loss_status lossi_matrix_product(loss_context *context, loss_dtype dtype, int64_t rows, int64_t columns,
                                 int64_t inner, lossi_matrix_view a, lossi_matrix_view b, void *c,
                                 int64_t c_row_stride, int32_t accumulate, void *scratch)
{
    const lossi_matrix_factor left = {.view = a}, right = {.view = b};
    return lossi_matrix_product_packed(context, dtype, rows, columns, inner, &left, &right, c, c_row_stride,
                                       accumulate, scratch);
}

void lossi_matrix_product_serial(int32_t isa, loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner,
                                 lossi_matrix_view a, lossi_matrix_view b, void *c, int64_t c_row_stride,
                                 int32_t accumulate, void *scratch)
{
    const lossi_matrix_factor left = {.view = a}, right = {.view = b};
    run_product(NULL, isa, 1, dtype, rows, columns, inner, &left, &right, c, c_row_stride, accumulate,
                scratch);
}
