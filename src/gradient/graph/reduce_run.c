/*
 * Reductions, axis after axis from the last one reduced: rows × columns to columns, the last step rounds to the element type.
 *
 * What a sum is, of the shape alone (docs/numerics.md says the same):
 *
 * - lanes: where there are at most 8 columns, m rows lie abreast, m the largest power of two with m · columns <= 16: row i is
 *   added to lane i mod m. So a sum of neighbours has the 16 lanes of core/sum.h
 * - block: the largest power of two of rows with at most 4096 elements, at least 16; added up in double, in order, from +0. Rows
 *   at the end that are fewer than m are a block of their own
 * - piece: whole blocks, of at least 16384 elements and 64 rows, and so many that there are at most 32; the sums of blocks are
 *   added in order, then the lanes are halved
 * - tree: the sums of pieces are added pairwise, neighbours first, an odd one passing up
 *
 * Largest and smallest numbers go the same way.
 */
#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "gradient/graph/reduce.h"

enum {
    BLOCK_ROWS = 16,
    PIECE_ELEMENTS = 16384,
    PIECE_ROWS = 64,
    STRIP = LOSSI_COLUMNS, /* columns at a time: 8 KiB of results in the first cache */
    TASK_ELEMENTS = 32768  /* of a thread at a time */
};

/* One step: outer × rows × columns to outer × columns. */
typedef struct reduction {
    int32_t kind;
    const lossi_reduce_kernels *kernels;
    const char *input;
    int64_t input_size;
    loss_dtype output_dtype;
    char *output;
    int64_t outer, rows, columns;
    lossi_column_cut cut;
    int64_t strips, units, units_per_task;
    double *sums; /* outer × pieces × columns where there are several pieces */
} reduction;

typedef struct level {
    int64_t outer, rows, columns;
} level;

enum { MOST_LEVELS = LOSSI_RANK };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Neighbouring axes that go the same way are one; then each that is reduced is a level, the last first. */
static int32_t levels_of(const lossi_shape *shape, int32_t axes, level *levels)
{
    int64_t size[LOSSI_RANK];
    int32_t gone[LOSSI_RANK], groups = 0, count = 0;
    for (int32_t i = 0; i < shape->rank; i++) {
        const int32_t reduced = axes >> i & 1;
        if (shape->size[i] == 1) {
            continue;
        }
        if (groups > 0 && gone[groups - 1] == reduced) {
            size[groups - 1] *= shape->size[i];
        } else {
            gone[groups] = reduced;
            size[groups++] = shape->size[i];
        }
    }
    int64_t columns = 1;
    for (int32_t g = groups - 1; g >= 0; g--) {
        if (!gone[g]) {
            columns *= size[g];
            continue;
        }
        int64_t outer = 1;
        for (int32_t before = 0; before < g; before++) {
            outer *= size[before];
        }
        levels[count++] = (level){outer, size[g], columns};
    }
    if (count == 0) {
        levels[count++] = (level){1, 1, columns};
    }
    return count;
}

lossi_column_cut lossi_column_cut_of(int64_t rows, int64_t columns)
{
    lossi_column_cut c = {.rows = rows, .columns = columns, .abreast = 1};
    while (2 * c.abreast * columns <= LOSSI_LANES) {
        c.abreast *= 2;
    }
    c.block_rows = lossi_rows_within(columns, LOSSI_BLOCK);
    c.block_rows = c.block_rows < BLOCK_ROWS ? BLOCK_ROWS : c.block_rows;
    int64_t piece = (rows + LOSSI_SLICES - 1) / LOSSI_SLICES;
    piece = piece < PIECE_ROWS ? PIECE_ROWS : piece;
    piece = piece * columns < PIECE_ELEMENTS ? PIECE_ELEMENTS / columns : piece;
    c.piece_rows = (piece + c.block_rows - 1) / c.block_rows * c.block_rows;
    c.pieces = rows > 0 ? (rows + c.piece_rows - 1) / c.piece_rows : 1;
    return c;
}

static void cut(reduction *r)
{
    r->cut = lossi_column_cut_of(r->rows, r->columns);
    r->strips = (r->columns + STRIP - 1) / STRIP;
    r->units = r->outer * r->cut.pieces * r->strips;
    const int64_t elements = least(r->rows, r->cut.piece_rows) * least(r->columns, STRIP);
    r->units_per_task = elements > 0 && elements < TASK_ELEMENTS ? TASK_ELEMENTS / elements : 1;
}

static double neutral(int32_t kind)
{
    return kind == LOSSI_REDUCE_SUM ? 0.0 : kind == LOSSI_REDUCE_MAXIMUM ? -__builtin_inf() : __builtin_inf();
}

static double combined(int32_t kind, double a, double b)
{
    return kind == LOSSI_REDUCE_SUM       ? a + b
           : b != b                       ? b
           : kind == LOSSI_REDUCE_MAXIMUM ? (b > a ? b : a)
                                          : (b < a ? b : a);
}

static void put(const reduction *r, int64_t at, const double *results, int64_t count)
{
    if (r->output_dtype == LOSS_FLOAT64) {
        memcpy(r->output + at * 8, results, (size_t)count * sizeof *results);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        const float single = (float)results[i];
        memcpy(r->output + (at + i) * 4, &single, sizeof single);
    }
}

/* Rows of a block in packs of those that lie abreast; the end of the last block is one for itself. */
static void add_block(const lossi_column_cut *c, lossi_reduce_block add, const char *from, int64_t rows,
                      int64_t width, int64_t size, double *results)
{
    const int64_t packs = rows / c->abreast;
    add(packs, width, c->columns * c->abreast, from, results);
    if (packs * c->abreast < rows) {
        add(1, (rows - packs * c->abreast) * c->columns, 0, from + packs * c->abreast * c->columns * size,
            results);
    }
}

static void halve_lanes(const lossi_column_cut *c, int32_t kind, double *results)
{
    for (int64_t half = c->abreast / 2; half > 0; half /= 2) {
        for (int64_t j = 0; j < half * c->columns; j++) {
            results[j] = combined(kind, results[j], results[j + half * c->columns]);
        }
    }
}

/* Columns left … right of a piece. */
static void reduce_piece(const reduction *r, int64_t index, int64_t piece, int64_t left, int64_t right,
                         double *results)
{
    const lossi_column_cut *c = &r->cut;
    const int64_t begin = piece * c->piece_rows, end = least(begin + c->piece_rows, r->rows);
    const int64_t width = (right - left) * c->abreast, row = r->columns * r->input_size;
    const char *from = r->input + index * r->rows * row + left * r->input_size;
    for (int64_t j = 0; j < width; j++) {
        results[j] = neutral(r->kind);
    }
    for (int64_t i = begin; i < end; i += c->block_rows) {
        add_block(c, r->kernels->block[r->kind], from + i * row, least(c->block_rows, end - i), width,
                  r->input_size, results);
    }
    halve_lanes(c, r->kind, results);
}

void lossi_column_begin(const lossi_column_cut *c, double *sums)
{
    memset(sums, 0, (size_t)(c->columns * c->abreast) * sizeof *sums);
}

void lossi_column_add(const lossi_column_cut *c, const lossi_reduce_kernels *kernels, const void *block,
                      int64_t rows, int64_t size, double *sums)
{
    add_block(c, kernels->block[LOSSI_REDUCE_SUM], block, rows, c->columns * c->abreast, size, sums);
}

void lossi_column_end(const lossi_column_cut *c, double *sums)
{
    halve_lanes(c, LOSSI_REDUCE_SUM, sums);
}

/* Neighbours, all within a block. */
static int32_t has_rows(const reduction *r)
{
    return r->columns == 1 && r->rows >= 2 && r->rows <= LOSSI_BLOCK;
}

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const reduction *r = argument;
    const int64_t begin = index * r->units_per_task, end = least(begin + r->units_per_task, r->units);
    double results[STRIP];
    (void)worker;
    if (has_rows(r)) {
        for (int64_t i = begin; i < end; i += STRIP) {
            const int64_t count = least(STRIP, end - i);
            r->kernels->rows[r->kind](count, r->rows, r->input + i * r->rows * r->input_size, results);
            put(r, i, results, count);
        }
        return;
    }
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t strip = unit % r->strips, piece = unit / r->strips % r->cut.pieces;
        const int64_t outer = unit / r->strips / r->cut.pieces, left = strip * STRIP;
        const int64_t right = least(left + STRIP, r->columns);
        reduce_piece(r, outer, piece, left, right, results);
        if (r->cut.pieces == 1) {
            put(r, outer * r->columns + left, results, right - left);
        } else {
            memcpy(r->sums + (outer * r->cut.pieces + piece) * r->columns + left, results,
                   (size_t)(right - left) * sizeof *results);
        }
    }
}

/* The sums of pieces, pairwise. */
static void join_pieces(const lossi_column_cut *c, int32_t kind, double *sums)
{
    for (int64_t apart = 1; apart < c->pieces; apart *= 2) {
        for (int64_t p = 0; p + apart < c->pieces; p += 2 * apart) {
            double *to = sums + p * c->columns;
            const double *from = to + apart * c->columns;
            for (int64_t j = 0; j < c->columns; j++) {
                to[j] = combined(kind, to[j], from[j]);
            }
        }
    }
}

void lossi_column_join(const lossi_column_cut *c, double *sums)
{
    join_pieces(c, LOSSI_REDUCE_SUM, sums);
}

static void run_level(loss_context *context, reduction *r)
{
    if (r->outer * r->columns == 0) {
        return;
    }
    cut(r);
    const int64_t tasks = (r->units + r->units_per_task - 1) / r->units_per_task;
    if (tasks == 1) {
        run_task(r, 0, 0);
    } else {
        lossi_parallel(context, tasks, run_task, r);
    }
    for (int64_t outer = 0; r->cut.pieces > 1 && outer < r->outer; outer++) {
        double *sums = r->sums + outer * r->cut.pieces * r->columns;
        join_pieces(&r->cut, r->kind, sums);
        put(r, outer * r->columns, sums, r->columns);
    }
}

/* Doubles of scratch of a level: the sums of pieces, then its results unless it is the last level. */
static int64_t piece_sums(const level *at)
{
    reduction r = {.outer = at->outer, .rows = at->rows, .columns = at->columns};
    if (at->outer * at->columns == 0) {
        return 0;
    }
    cut(&r);
    return r.cut.pieces > 1 ? r.outer * r.cut.pieces * r.columns : 0;
}

int64_t lossi_reduce_scratch(const lossi_shape *from, int32_t axes)
{
    level levels[MOST_LEVELS];
    const int32_t count = levels_of(from, axes, levels);
    int64_t doubles = 0;
    for (int32_t l = 0; l < count; l++) {
        doubles += piece_sums(&levels[l]) + (l + 1 < count ? levels[l].outer * levels[l].columns : 0);
    }
    return 8 * doubles;
}

/* What stands behind so many numbers; where there are none there may be no array either. */
static double *behind(double *numbers, int64_t count)
{
    return count > 0 ? numbers + count : numbers;
}

void lossi_reduce_run(loss_context *context, int32_t kind, const lossi_value *input, int32_t axes,
                      const lossi_value *output, void *scratch)
{
    level levels[MOST_LEVELS];
    const int32_t count = levels_of(&input->shape, axes, levels);
    reduction r = {.kind = kind, .input = input->data, .input_size = loss_dtype_size(input->dtype)};
    double *free = scratch;
    int32_t real_index = lossi_real_index(input->dtype);
    for (int32_t l = 0; l < count; l++) {
        r.kernels = lossi_reduce_kernels_for(lossi_context_isa(context), real_index);
        r.outer = levels[l].outer;
        r.rows = levels[l].rows;
        r.columns = levels[l].columns;
        r.sums = free;
        free = behind(free, piece_sums(&levels[l]));
        r.output = l + 1 < count ? (char *)free : output->data;
        r.output_dtype = l + 1 < count ? LOSS_FLOAT64 : output->dtype;
        free = behind(free, l + 1 < count ? r.outer * r.columns : 0);
        run_level(context, &r);
        r.input = r.output; /* doubles from here on */
        r.input_size = 8;
        real_index = LOSSI_FLOAT64;
    }
}
