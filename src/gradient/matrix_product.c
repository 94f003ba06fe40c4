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
#include "gradient/matrix_product_kernels.h"

enum {
    LINE = 64,              /* bytes of a cache line, and how scratch is aligned */
    A_BYTES = 96 * 1024,    /* of A at a time, and */
    B_BYTES = 256 * 1024,   /* of B: half of a second-level cache of 512 KiB */
    PARALLEL = 1 << 21,     /* multiplications; fewer take no longer than threads need to wake up */
    JOB = 1 << 22,          /* multiplications; jobs of fewer copy too much for what they do */
    JOBS_OF_THREAD = 4,     /* so that a thread that is late does not keep the others waiting */
    DIRECT_TILES = 2,       /* rows of tiles for which B is not worth a copy */
    DIRECT_A = 1 << 15,     /* multiplications for which a transposed A is not */
    NEAR_BYTES = 16 * 1024, /* nor where all steps of it fill half of a first-level cache */
    COPY_COLUMNS = 64,      /* from so many on A is read often enough for a copy of its rows, */
    COPY_PACKED = 96,       /* and one that was packed for a second */
    TILES_AHEAD = 2,        /* of A, asked for where there is no copy */
    STEPS_AHEAD = 16        /* of B: at 14 cycles each some twice what the second-level cache takes */
};

typedef struct job_list {
    const lossi_product_kernels *kernels;
    const lossi_matrix_factor *a, *b;
    int64_t rows, columns, inner, size;
    char *c;
    int64_t c_row, c_column;
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
    list->worker_bytes = list->b_copy + round_up(least(n * list->inner * size, B_BYTES), LINE);
    return list->worker_bytes;
}

static int64_t scratch_bytes(int32_t threads, loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner)
{
    if (rows < 0 || columns < 0 || inner < 0 || (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64)) {
        return -1;
    }
    job_list list = {.rows = rows, .columns = columns, .inner = inner, .size = loss_dtype_size(dtype)};
    job_list other = {.rows = columns, .columns = rows, .inner = inner, .size = list.size};
    const int64_t pieces = lossi_product_pieces(rows, columns, inner);
    const int64_t sums = pieces > 1 ? (pieces - 1) * rows * columns * list.size : 0;
    const int64_t each = lay_out(&list), transposed = lay_out(&other);
    return LINE + (each > transposed ? each : transposed) * threads + sums;
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

/* How A's rows first … and steps k … are read, in place or as a copy. */
static void place_a(const job_list *list, lossi_product_block *block, int64_t first, int64_t k, char *scratch)
{
    const int64_t tiles = (block->rows + list->kernels->tile_rows - 1) / list->kernels->tile_rows;
    const lossi_matrix_view a = part_of(list, list->a, first, block->rows, k, block->inner,
                                        scratch + list->a_panel);
    block->tile_rows = (block->rows + tiles - 1) / tiles;
    block->tile_rows = round_up(block->tile_rows, list->kernels->tile_step);
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
static void copy_b_from(const job_list *list, lossi_product_block *block, lossi_matrix_view b, char *to)
{
    const lossi_product_kernels *kernels = list->kernels;
    kernels->copy_b(block->inner, block->columns, b, to);
    block->b = to;
    block->b_inner = block->columns <= kernels->lanes ? kernels->lanes : kernels->tile_columns;
    block->b_panel = kernels->tile_columns * block->inner;
    block->b_ahead = 0;
}

/* B's steps k … and columns left … */
static void copy_b(const job_list *list, lossi_product_block *block, int64_t k, int64_t left, char *scratch,
                   char *to)
{
    const lossi_matrix_view b = part_of(list, list->b, k, block->inner, left, block->columns,
                                        scratch + list->b_panel);
    copy_b_from(list, block, b, to);
}

/* A strip of columns of a job. */
typedef struct strip {
    int64_t top, rows, left, columns, begin, end;
    lossi_product_block block; /* the strip's C */
    char *scratch;
} strip;

static char *c_of(const job_list *list, const strip *s, int64_t i, int64_t j)
{
    return (char *)s->block.c + (i * s->block.c_row + j * s->block.c_column) * list->size;
}

/* B is copied once for every block of inner, then A goes by. */
static void multiply_copied(const job_list *list, const strip *s)
{
    lossi_product_block block = s->block;
    block.columns = s->columns;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
        copy_b(list, &block, k, s->left, s->scratch, s->scratch + list->b_copy);
        for (int64_t i = 0; i < s->rows; i += list->block_rows) {
            block.rows = least(list->block_rows, s->rows - i);
            place_a(list, &block, s->top + i, k, s->scratch);
            block.c = c_of(list, s, i, 0);
            list->kernels->multiply(&block);
        }
        block.fresh = 0;
    }
}

/*
 * A is copied, and a panel of B at a time, which is still in the first-level cache when the tiles of C read it: by the first of them on
 * its way where B is contiguous.
 */
static void multiply_by_panels(const job_list *list, const strip *s)
{
    lossi_product_block block = s->block;
    const int64_t width = list->kernels->tile_columns;
    block.rows = s->rows;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
        block.columns = s->columns;
        place_a(list, &block, s->top, k, s->scratch);
        const lossi_matrix_view b = part_of(list, list->b, k, block.inner, s->left, s->columns,
                                            s->scratch + list->b_panel);
        for (int64_t j = 0; j < s->columns; j += width) {
            block.columns = least(width, s->columns - j);
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
static void multiply_by_rows(const job_list *list, const strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int64_t width = round_up(s->columns, kernels->tile_columns) * list->size;
    const int64_t step = TILES_AHEAD * kernels->tile_rows;
    lossi_product_block block = s->block;
    block.columns = s->columns;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
        copy_b(list, &block, k, s->left, s->scratch, s->scratch + list->b_copy + (k - s->begin) * width);
    }
    for (int64_t i = 0; i < s->rows; i += step) {
        block.rows = least(step, s->rows - i);
        block.c = c_of(list, s, i, 0);
        block.fresh = s->block.fresh;
        for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
            block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
            block.b = s->scratch + list->b_copy + (k - s->begin) * width;
            block.b_panel = kernels->tile_columns * block.inner;
            place_a(list, &block, s->top + i, k, s->scratch);
            kernels->multiply(&block);
            block.fresh = 0;
        }
    }
}

/* B is read where it is, but for the columns behind the last whole vector. */
static void multiply_in_place(const job_list *list, const strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int64_t whole = s->columns - s->columns % kernels->lanes;
    lossi_product_block block = s->block;
    for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
        block.rows = s->rows;
        block.columns = whole;
        block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
        place_a(list, &block, s->top, k, s->scratch);
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

/* Vectors go down the rows of C, of which there are only a few columns. */
static void multiply_down(const job_list *list, const strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int64_t rows = list->a->pack == NULL ? kernels->down_rows : list->block_rows;
    lossi_product_block block = s->block;
    block.columns = s->columns;
    block.b_inner = list->b->view.row_stride;
    block.b_panel = list->b->view.column_stride;
    for (int64_t i = 0; i < s->rows; i += rows) {
        block.rows = least(rows, s->rows - i);
        block.c = c_of(list, s, i, 0);
        block.fresh = s->block.fresh;
        for (int64_t k = s->begin; k < s->end; k += LOSSI_PRODUCT_DEPTH) {
            block.inner = least(LOSSI_PRODUCT_DEPTH, s->end - k);
            block.b = step(list->b->view, k, s->left, list->size).data;
            place_a(list, &block, s->top + i, k, s->scratch);
            block.a_ahead = list->a->pack == NULL ? rows * block.a_row : 0;
            kernels->multiply_down(&block);
            block.fresh = 0;
        }
    }
}

/* Whether B is read where it is: few rows pay for no copy, and for none that would spare but a part of a vector. */
static int32_t in_place(const job_list *list, const strip *s)
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

static void multiply_strip(const job_list *list, const strip *s)
{
    const lossi_product_kernels *kernels = list->kernels;
    const int32_t a_in_rows = list->a->pack != NULL ? !list->a->transposed : list->a->view.column_stride == 1;
    const int64_t copied = round_up(s->columns, kernels->tile_columns) * (s->end - s->begin) * list->size;
    if (a_in_rows && list->b->pack == NULL && s->columns <= LOSSI_PRODUCT_FEW && s->rows >= kernels->lanes) {
        multiply_down(list, s);
    } else if (in_place(list, s)) {
        multiply_in_place(list, s);
    } else if (list->a->pack == NULL && a_in_rows && s->columns < COPY_COLUMNS &&
               s->end - s->begin > LOSSI_PRODUCT_DEPTH && copied <= B_BYTES) {
        multiply_by_rows(list, s);
    } else if (s->rows <= list->block_rows) {
        multiply_by_panels(list, s);
    } else {
        multiply_copied(list, s);
    }
}

static void run_job(void *argument, int64_t index, int32_t worker)
{
    const job_list *list = argument;
    const int64_t piece = index / (list->down * list->across), begin = piece * list->piece_depth;
    const int64_t left = index % list->across * list->job_columns;
    const int64_t right = least(left + list->job_columns, list->columns);
    strip s = {.top = index / list->across % list->down * list->job_rows,
               .begin = begin,
               .end = least(begin + list->piece_depth, list->inner),
               .block = {.c_row = piece == 0 ? list->c_row : list->columns,
                         .c_column = piece == 0 ? list->c_column : 1,
                         .fresh = piece > 0 || !list->accumulate},
               .scratch = list->scratch + worker * list->worker_bytes};
    char *c = piece == 0 ? list->c : list->sums + (piece - 1) * list->rows * list->columns * list->size;
    s.rows = least(list->job_rows, list->rows - s.top);
    for (s.left = left; s.left < right; s.left += s.columns) {
        s.columns = least(list->block_columns, right - s.left);
        s.block.c = c + (s.top * s.block.c_row + s.left * s.block.c_column) * list->size;
        multiply_strip(list, &s);
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
    /* Before any exchange of sides: rows of C are contiguous. */
    for (int64_t i = 0; i < list->rows && !list->accumulate; i++) {
        memset(list->c + i * list->c_row * list->size, 0, (size_t)(list->columns * list->size));
    }
}

/* `threads` are those there is scratch for; the context is not looked at when there is one. */
static void run(loss_context *context, job_list *list, int64_t threads)
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
        list->down = threads > 1 ? least(list->rows, threads) : 1;
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
static int32_t better_transposed(const job_list *list)
{
    return by_columns(list->a) && list->rows > list->columns &&
           (list->columns < list->kernels->tile_columns || list->pieces > 3);
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
                     .c_column = 1,
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
    const lossi_matrix_factor left = transpose(a), right = transpose(b);
    if (better_transposed(&list)) {
        list.a = &right;
        list.b = &left;
        list.rows = columns;
        list.columns = rows;
        list.c_row = 1;
        list.c_column = c_row_stride;
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
