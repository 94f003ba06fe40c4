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
#include "gradient/matrix_product_kernels.h"

enum {
    LINE = 64,            /* bytes of a cache line, and how scratch is aligned */
    A_BYTES = 96 * 1024,  /* of A at a time, and */
    B_BYTES = 256 * 1024, /* of B: half of a second-level cache of 512 KiB */
    PARALLEL = 1 << 20,   /* multiplications; fewer take no longer than threads need to wake up */
    JOBS_OF_THREAD = 4,   /* so that a thread that is late does not keep the others waiting */
    DIRECT_TILES = 2,     /* rows of tiles for which B is not worth a copy */
    DIRECT_A = 1 << 15    /* multiplications for which a transposed A is not */
};

typedef struct job_list {
    const lossi_product_kernels *kernels;
    const lossi_matrix_factor *a, *b;
    int64_t rows, columns, inner, size;
    char *c;
    int64_t c_row;
    int32_t accumulate;
    int64_t piece_depth, pieces;                    /* elements of inner in a piece, and how many */
    int64_t job_rows, job_columns, down, across;    /* a job's part of C, and how many of them */
    int64_t block_rows, block_columns;              /* of A and B at a time */
    char *scratch, *sums;                           /* of workers; of all pieces but the first */
    int64_t a_panel, a_copy, b_panel, worker_bytes; /* where a worker's parts begin, b_copy last */
    int64_t b_copy;
} job_list;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Elements from row to row of a panel: whole lines, an odd number of them, so that rows do not share a place in the cache. */
static int64_t panel_stride(int64_t columns, int64_t size)
{
    return ((columns * size + LINE - 1) / LINE | 1) * LINE / size;
}

/* Where a worker's parts lie, for the tiles of every instruction set. */
static int64_t lay_out(job_list *list)
{
    const int64_t size = list->size, depth = least(list->inner, LOSSI_PRODUCT_DEPTH);
    const int64_t m = round_up(least(list->rows, A_BYTES / (LOSSI_PRODUCT_DEPTH * size)), 16) +
                      16; /* a tile more */
    const int64_t n = round_up(least(list->columns, B_BYTES / (LOSSI_PRODUCT_DEPTH * size)), 32);
    const int64_t k = panel_stride(depth, size);
    list->a_panel = 0;
    list->a_copy = list->a_panel + round_up(panel_stride(m, size) * k * size, LINE);
    list->b_panel = list->a_copy + round_up(m * depth * size, LINE);
    list->b_copy = list->b_panel + round_up(panel_stride(n, size) * k * size, LINE);
    list->worker_bytes = list->b_copy + round_up(n * depth * size, LINE);
    return list->worker_bytes;
}

static int64_t scratch_bytes(int32_t threads, loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner)
{
    if (rows < 0 || columns < 0 || inner < 0 || (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64)) {
        return -1;
    }
    job_list list = {.rows = rows, .columns = columns, .inner = inner, .size = loss_dtype_size(dtype)};
    const int64_t pieces = lossi_product_pieces(rows, columns, inner);
    const int64_t sums = pieces > 1 ? (pieces - 1) * rows * columns * list.size : 0;
    return LINE + lay_out(&list) * threads + sums;
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

static lossi_matrix_view step(lossi_matrix_view view, int64_t i, int64_t j, int64_t size)
{
    view.data = (const char *)view.data + (i * view.row_stride + j * view.column_stride) * size;
    return view;
}

/* Rows i … and columns j … of a factor: of its view, or of the panel that is packed for it. */
static lossi_matrix_view part_of(const job_list *list, const lossi_matrix_factor *factor, int64_t i,
                                 int64_t rows, int64_t j, int64_t columns, char *panel)
{
    if (factor->pack == NULL) {
        return step(factor->view, i, j, list->size);
    }
    if (factor->transposed) {
        const int64_t stride = panel_stride(rows, list->size);
        factor->pack(factor->argument, j, j + columns, i, i + rows, panel, stride);
        return (lossi_matrix_view){panel, 1, stride};
    }
    const int64_t stride = panel_stride(columns, list->size);
    factor->pack(factor->argument, i, i + rows, j, j + columns, panel, stride);
    return (lossi_matrix_view){panel, stride, 1};
}

/* The sums of a block of inner for some columns of a job: b is laid out, and A goes by. */
static void multiply_rows(const job_list *list, lossi_product_block *block, int64_t first, int64_t rows,
                          int64_t k, char *scratch)
{
    const lossi_product_kernels *kernels = list->kernels;
    char *c = block->c;
    for (int64_t i = 0; i < rows; i += list->block_rows) {
        block->rows = least(list->block_rows, rows - i);
        const lossi_matrix_view a = part_of(list, list->a, first + i, block->rows, k, block->inner,
                                            scratch + list->a_panel);
        if (a.column_stride == 1 || block->rows * block->columns * block->inner <= DIRECT_A) {
            block->a = a.data;
            block->a_row = a.row_stride;
            block->a_inner = a.column_stride;
            block->a_tile = kernels->tile_rows * a.row_stride;
        } else {
            kernels->copy_a(block->rows, block->inner, a, scratch + list->a_copy);
            block->a = scratch + list->a_copy;
            block->a_row = 1;
            block->a_inner = kernels->tile_rows;
            block->a_tile = kernels->tile_rows * block->inner;
        }
        block->c = c + i * list->c_row * list->size;
        kernels->multiply(block);
    }
    block->c = c;
}

static void run_job(void *argument, int64_t index, int32_t worker)
{
    const job_list *list = argument;
    const lossi_product_kernels *kernels = list->kernels;
    char *scratch = list->scratch + worker * list->worker_bytes;
    const int64_t piece = index / (list->down * list->across), size = list->size;
    const int64_t top = index / list->across % list->down * list->job_rows;
    const int64_t left = index % list->across * list->job_columns;
    const int64_t rows = least(list->job_rows, list->rows - top);
    const int64_t right = least(left + list->job_columns, list->columns);
    const int64_t begin = piece * list->piece_depth, end = least(begin + list->piece_depth, list->inner);
    job_list own = *list; /* the piece's C */
    if (piece > 0) {
        own.c = list->sums + (piece - 1) * list->rows * list->columns * size;
        own.c_row = list->columns;
    }
    for (int64_t j = left; j < right; j += list->block_columns) {
        for (int64_t k = begin; k < end; k += LOSSI_PRODUCT_DEPTH) {
            lossi_product_block block = {.columns = least(list->block_columns, right - j),
                                         .inner = least(LOSSI_PRODUCT_DEPTH, end - k),
                                         .c = own.c + (top * own.c_row + j) * size,
                                         .c_row = own.c_row,
                                         .fresh = k == begin && (piece > 0 || !list->accumulate)};
            const lossi_matrix_view b = part_of(list, list->b, k, block.inner, j, block.columns,
                                                scratch + list->b_panel);
            if (b.column_stride == 1 && block.columns % kernels->lanes == 0 &&
                rows <= DIRECT_TILES * kernels->tile_rows) {
                block.b = b.data;
                block.b_inner = b.row_stride;
                block.b_panel = kernels->tile_columns;
            } else {
                kernels->copy_b(block.inner, block.columns, b, scratch + list->b_copy);
                block.b = scratch + list->b_copy;
                block.b_inner = kernels->tile_columns;
                block.b_panel = kernels->tile_columns * block.inner;
            }
            multiply_rows(&own, &block, top, rows, k, scratch);
        }
    }
}

/* The tree over pieces, by bands of rows. */
static void run_sums(void *argument, int64_t index, int32_t worker)
{
    const job_list *list = argument;
    const int64_t begin = list->rows * index / list->down, end = list->rows * (index + 1) / list->down;
    const int64_t whole = list->rows * list->columns * list->size;
    const int64_t skip = begin * list->columns * list->size;
    (void)worker;
    for (int64_t apart = 1; apart < list->pieces; apart *= 2) {
        for (int64_t p = 0; p + apart < list->pieces; p += 2 * apart) {
            char *to = p == 0 ? list->c + begin * list->c_row * list->size
                              : list->sums + (p - 1) * whole + skip;
            list->kernels->add(end - begin, list->columns, to, p == 0 ? list->c_row : list->columns,
                               list->sums + (p + apart - 1) * whole + skip);
        }
    }
}

/* As many jobs as threads like, of whole tiles: pieces first, then the longer side is halved. */
static void cut_jobs(job_list *list, int64_t wanted)
{
    const int64_t tile_rows = list->kernels->tile_rows, tile_columns = list->kernels->tile_columns;
    int64_t rows = list->rows, columns = list->columns;
    int64_t jobs = list->pieces;
    while (jobs < wanted) {
        if (rows >= columns && rows >= 4 * tile_rows) {
            rows = round_up((rows + 1) / 2, tile_rows);
        } else if (columns >= 2 * tile_columns) {
            columns = round_up((columns + 1) / 2, tile_columns);
        } else if (rows >= 2 * tile_rows) {
            rows = round_up((rows + 1) / 2, tile_rows);
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

static void clear(const job_list *list)
{
    for (int64_t i = 0; i < list->rows && !list->accumulate; i++) {
        memset(list->c + i * list->c_row * list->size, 0, (size_t)(list->columns * list->size));
    }
}

/* `threads` are those there is scratch for; the context is not looked at when there is one. */
static void run(loss_context *context, job_list *list, int64_t threads)
{
    const double work = (double)list->rows * (double)list->columns * (double)list->inner;
    threads = work < PARALLEL ? 1 : threads;
    cut_jobs(list, threads > 1 ? threads * JOBS_OF_THREAD : 1);
    const int64_t jobs = list->pieces * list->down * list->across;
    if (threads > 1) {
        lossi_parallel(context, jobs, run_job, list);
    } else {
        for (int64_t i = 0; i < jobs; i++) {
            run_job(list, i, 0);
        }
    }
    if (list->pieces > 1) {
        list->down = threads > 1 ? least(list->rows, threads) : 1;
        if (threads > 1 && list->pieces * list->rows * list->columns >= PARALLEL / 16) {
            lossi_parallel(context, list->down, run_sums, list);
        } else {
            list->down = 1;
            run_sums(list, 0, 0);
        }
    }
}

static void run_product(loss_context *context, int32_t isa, int32_t threads, loss_dtype dtype, int64_t rows,
                        int64_t columns, int64_t inner, const lossi_matrix_factor *a,
                        const lossi_matrix_factor *b, void *c, int64_t c_row_stride, int32_t accumulate,
                        void *scratch)
{
    const lossi_product_kernels *kernels = lossi_product_kernels_for(isa, lossi_real_index(dtype));
    job_list list = {.kernels = kernels,
                     .a = a,
                     .b = b,
                     .rows = rows,
                     .columns = columns,
                     .inner = inner,
                     .size = loss_dtype_size(dtype),
                     .c = c,
                     .c_row = c_row_stride,
                     .accumulate = accumulate,
                     .pieces = lossi_product_pieces(rows, columns, inner),
                     .piece_depth = lossi_product_piece_blocks(rows, columns, inner) * LOSSI_PRODUCT_DEPTH,
                     .down = 1,
                     .across = 1};
    if (rows == 0 || columns == 0) {
        return;
    }
    if (inner == 0) {
        clear(&list);
        return;
    }
    list.block_rows = A_BYTES / (LOSSI_PRODUCT_DEPTH * list.size) / kernels->tile_rows * kernels->tile_rows;
    list.block_columns = B_BYTES / (LOSSI_PRODUCT_DEPTH * list.size);
    list.scratch = scratch;
    list.sums = list.scratch + lay_out(&list) * threads;
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
    run_product(context, lossi_context_isa(context), lossi_context_threads(context), dtype, rows, columns,
                inner, a, b, c, c_row_stride, accumulate, scratch);
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
