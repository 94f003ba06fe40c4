/*
 * The Hessian of a linear model as a matrix, in one pass over its data:
 *
 *     ∂²f / ∂W_k ∂W_l = Σ_i D_i[k, l] x_i x_iᵀ / denominator + penalties,    D_i = ∂²loss / ∂prediction² of row i,
 *
 * McCullagh & Nelder, Generalized Linear Models (2nd ed. 1989), §2.5. A loss that takes its columns one by one has a
 * diagonal D_i, its curvature; else column k of D_i is the loss's product with the unit direction of output k. Elements are
 * summed over the rows of a chunk in order, over the chunks of a slice in order, and over slices as a tree; pairs of
 * outputs, and where there are few slices rows of the matrix too, go to threads of their own, which changes no sum.
 *
 * For a preconditioner the same pass makes one block alone, the average of those of the outputs at x = 0, where no prediction
 * has to be made: D_i is the mean curvature of the row.
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/linear_model.h"
#include "loss/evaluation.h"
#include "loss/symmetric_kernels.h"

enum {
    SUMS_MOST = 1 << 23, /* numbers, 64 MiB, unless one slice needs more */
    SLICES_ENOUGH = 16,  /* to keep threads busy with nothing but slices */
    STRETCHES = 8,       /* of rows of the matrix at most, where there are fewer */
    PARTS_EACH = 4,      /* for a thread: they are not equally long */
    ALIGNMENT = 64,
    PARALLEL_WORK = 1 << 18, /* multiply-adds; fewer cost more to hand out than to do */
    AHEAD_BYTES = 1 << 22    /* features that fill caches are asked for ahead */
};

typedef struct hessian_pass {
    lossi_linear_model *model;
    const lossi_linear_kernels *linear;
    const lossi_symmetric_kernels *symmetric;
    lossi_evaluation e;
    int32_t average; /* one block: the mean of all outputs, at x = 0 */
    int32_t coupled; /* D is not diagonal */
    int64_t outputs; /* that have blocks */
    double *sums;
    int64_t columns, stride;   /* of a block of the matrix */
    int64_t pairs, block_size; /* blocks, and numbers of one */
    int64_t tile_rows, slice_chunks, slices, parts;
    int32_t threads;
    char *scratch;
    int64_t scratch_each;
    lossi_total totals[LOSSI_SLICES]; /* of the first part */
    atomic_flag failed;               /* some part, which only a callback can do that is not the first */
    lossi_total failure;
} hessian_pass;

/* What one worker needs, for a chunk. */
typedef struct work {
    const void **x;
    int64_t *rows;
    char *copy, *prediction, *direction, *derivative, *loss;
    double *packed, *scaled, *d;
} work;

/* A part of the job: outputs, and rows of their blocks. */
typedef struct part {
    int64_t first_output, last_output, begin, end;
} part;

static char *take(char **scratch, int64_t bytes)
{
    char *piece = *scratch;
    *scratch += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return piece;
}

static int64_t lay_out(const hessian_pass *p, char *scratch, work *w)
{
    const lossi_linear_model *m = p->model;
    const int64_t real = m->base.real_size, rows = LOSSI_CHUNK_ROWS, outputs = rows * m->shape.outputs;
    const int32_t copied = m->features->column_stride != 1 && m->features->columns > 1;
    char *end = scratch;
    w->x = (const void **)(void *)take(&end, rows * (int64_t)sizeof *w->x);
    w->rows = (int64_t *)(void *)take(&end, rows * (int64_t)sizeof *w->rows);
    w->copy = take(&end, copied ? rows * m->shape.features * real : 0);
    w->prediction = take(&end, outputs * real);
    w->direction = take(&end, p->tile_rows * m->shape.outputs * real);
    w->derivative = take(&end, p->tile_rows * m->shape.outputs * real);
    w->packed = (double *)(void *)take(&end, rows * p->stride * (int64_t)sizeof *w->packed);
    w->scaled = (double *)(void *)take(&end, rows * LOSSI_CHUNK_COLUMNS * (int64_t)sizeof *w->scaled);
    w->d = (double *)(void *)take(&end, outputs * (int64_t)sizeof *w->d);
    w->loss = take(&end, lossi_evaluation_scratch(&p->e, p->tile_rows));
    return end - scratch;
}

/* ---- a chunk ---- */

/* The rows of a chunk that count, their features contiguous. */
static int64_t find_rows(const hessian_pass *p, const work *w, int64_t first, int64_t end)
{
    const lossi_linear_model *m = p->model;
    const lossi_array *features = m->features;
    const int64_t real = m->base.real_size;
    int64_t count = 0;
    for (int64_t row = first; row < end; row++) {
        if (m->mask == NULL || !lossi_masked(m->mask, row)) {
            const char *from = features->pointer + row * features->row_stride * real;
            w->rows[count] = row;
            w->x[count] = from;
            if (features->column_stride != 1 && features->columns > 1) {
                char *to = w->copy + count * features->columns * real;
                for (int64_t j = 0; j < features->columns; j++) {
                    memcpy(to + j * real, from + j * features->column_stride * real, (size_t)real);
                }
                w->x[count] = to;
            }
            count++;
        }
    }
    return count;
}

/* The loss of some rows of the chunk, from row i on, and what the place asks for. */
static void evaluate(const hessian_pass *p, const work *w, int64_t i, int64_t rows, const lossi_place *place,
                     lossi_total *total)
{
    const lossi_linear_model *m = p->model;
    lossi_evaluation e = p->e;
    if (m->mask != NULL) { /* the rows that are left, as a batch */
        e.mask = NULL;
        e.indices = w->rows;
    }
    lossi_evaluation_tile(&e, w->loss, p->tile_rows, m->mask != NULL ? i : w->rows[0] + i, rows, place,
                          total);
}

/* Means of the curvatures of every row of the chunk where all predictions are 0. A negative one is no help to a preconditioner. */
static void average_curvature(const hessian_pass *p, const work *w, int64_t count, lossi_total *total)
{
    const lossi_linear_model *m = p->model;
    const int64_t outputs = m->shape.outputs, real = m->base.real_size;
    memset(w->prediction, 0, (size_t)(p->tile_rows * outputs * real));
    for (int64_t i = 0; i < count && total->status == LOSS_OK; i += p->tile_rows) {
        const int64_t rows = count - i < p->tile_rows ? count - i : p->tile_rows;
        const lossi_place place = {.prediction = {w->prediction, outputs, 1},
                                   .curvature = {w->derivative, outputs, 1}};
        evaluate(p, w, i, rows, &place, total);
        for (int64_t r = 0; r < rows; r++) {
            double sum = 0;
            for (int64_t l = 0; l < outputs; l++) {
                sum += lossi_real_at(m->base.dtype, w->derivative, r * outputs + l);
            }
            w->d[i + r] = sum > 0 && sum < HUGE_VAL ? sum / (double)outputs : 0;
        }
    }
    lossi_total_end_block(total);
}

/* Column `output` of D for all rows of the chunk, w->d[(l − output) · count + i] = D_i[l, output], l ≥ output. */
static void find_curvature(const hessian_pass *p, const work *w, int64_t count, int64_t output,
                           lossi_total *total)
{
    const lossi_linear_model *m = p->model;
    const int64_t outputs = m->shape.outputs, real = m->base.real_size;
    for (int64_t i = 0; i < p->tile_rows * outputs && p->coupled; i++) {
        lossi_real_put(m->base.dtype, w->direction, i, i % outputs == output);
    }
    for (int64_t i = 0; i < count && total->status == LOSS_OK; i += p->tile_rows) {
        const int64_t rows = count - i < p->tile_rows ? count - i : p->tile_rows;
        lossi_place place = {.prediction = {w->prediction + i * outputs * real, outputs, 1}};
        if (p->coupled) {
            place.direction = (lossi_view){w->direction, outputs, 1};
            place.product = (lossi_view){w->derivative, outputs, 1};
        } else {
            place.curvature = (lossi_view){w->derivative, outputs, 1};
        }
        evaluate(p, w, i, rows, &place, total);
        for (int64_t l = output; l < (p->coupled ? outputs : output + 1); l++) {
            double *d = w->d + (l - output) * count + i;
            for (int64_t r = 0; r < rows; r++) {
                d[r] = lossi_real_at(m->base.dtype, w->derivative, r * outputs + l);
            }
        }
    }
    lossi_total_end_block(total);
}

/* Where the block of a pair of outputs k ≤ l is among those of a slice. */
static int64_t pair_of(const hessian_pass *p, int64_t k, int64_t l)
{
    const int64_t outputs = p->outputs;
    return p->coupled ? k * outputs - k * (k - 1) / 2 + (l - k) : k;
}

/*
 * The features of the next chunk, asked for while this one is multiplied, which needs no memory: else the predictions, which read them
 * first, wait for it.
 */
static lossi_upcoming next_chunk(const hessian_pass *p, const part *at, int64_t first)
{
    const lossi_array *features = p->model->features;
    const int64_t real = p->model->base.real_size, outputs = p->outputs, left = features->rows - first,
                  rows = left < LOSSI_CHUNK_ROWS ? left : LOSSI_CHUNK_ROWS, bytes = features->columns * real;
    const int64_t blocks = (at->end - at->begin + p->symmetric->block - 1) / p->symmetric->block,
                  panels = (at->begin + at->end) / 2 / p->symmetric->width + 1,
                  pairs = p->coupled ? outputs - at->first_output : 1;
    lossi_upcoming ahead = {.rows = features->pointer, .step = features->row_stride * real, .bytes = bytes};
    if (rows > 0 && blocks > 0 && bytes * features->rows >= AHEAD_BYTES &&
        (features->column_stride == 1 || features->columns == 1)) {
        ahead.next = first;
        ahead.end = first + rows;
        ahead.pace = (rows * bytes / (pairs * blocks * panels) / LOSSI_LINE + 1) * LOSSI_LINE;
        ahead.at = lossi_upcoming_row(&ahead);
    }
    return ahead;
}

/* `next`: the row after the chunk. */
static void add_chunk(const hessian_pass *p, const work *w, const part *at, int64_t count, int64_t next,
                      double *sums, lossi_total *total, lossi_total *other)
{
    lossi_upcoming ahead = next_chunk(p, at, next);
    const lossi_linear_model *m = p->model;
    const int64_t outputs = p->outputs;
    if (!p->average) {
        p->linear->forward(&m->shape, count, w->x, m->parameters, w->prediction, NULL);
    }
    p->symmetric->pack(count, m->shape.features, m->shape.intercept, w->x, w->packed);
    for (int64_t k = at->first_output; k <= at->last_output; k++) {
        lossi_total *into = k == 0 && at->begin == 0 ? total : other; /* the losses count once */
        if (p->average) {
            average_curvature(p, w, count, into);
        } else {
            find_curvature(p, w, count, k, into);
        }
        if (into->status != LOSS_OK) {
            return;
        }
        for (int64_t l = k; l < (p->coupled ? outputs : k + 1); l++) {
            p->symmetric->add(count, at->begin, at->end, p->stride, w->packed, w->d + (l - k) * count,
                              w->scaled, sums + pair_of(p, k, l) * p->block_size, &ahead);
        }
    }
}

/* ---- parts ---- */

static part part_at(const hessian_pass *p, int64_t index)
{
    const int64_t outputs = p->outputs, block = p->symmetric->block;
    part at = {0, outputs - 1, 0, p->columns};
    if (p->parts > 1 && outputs > 1) {
        at.first_output = at.last_output = index;
    } else if (p->parts > 1) { /* rows 0 … j of a triangle are j² of it */
        const double columns = (double)p->columns;
        at.begin = (int64_t)(columns * sqrt((double)index / (double)p->parts)) / block * block;
        at.end = index + 1 == p->parts
                     ? p->columns
                     : (int64_t)(columns * sqrt((double)(index + 1) / (double)p->parts)) / block * block;
    }
    return at;
}

static void run_part(void *argument, int64_t index, int32_t worker)
{
    hessian_pass *p = argument;
    const lossi_linear_model *m = p->model;
    const int64_t slice = index % p->slices, rows = m->features->rows,
                  chunk = slice * p->slice_chunks * LOSSI_CHUNK_ROWS;
    const int64_t end = rows - chunk < p->slice_chunks * LOSSI_CHUNK_ROWS
                            ? rows
                            : chunk + p->slice_chunks * LOSSI_CHUNK_ROWS;
    const part at = part_at(p, index / p->slices);
    lossi_total own, other, *total = index < p->slices ? &p->totals[slice] : &own;
    double *sums = p->sums + slice * p->pairs * p->block_size;
    work w;

    lay_out(p, p->scratch + worker * p->scratch_each, &w);
    lossi_total_clear(total);
    lossi_total_clear(&other);
    for (int64_t k = at.first_output; k <= at.last_output; k++) {
        for (int64_t l = k; l < (p->coupled ? p->outputs : k + 1); l++) {
            memset(sums + pair_of(p, k, l) * p->block_size + at.begin * p->stride, 0,
                   (size_t)((at.end - at.begin) * p->stride) * sizeof *sums);
        }
    }
    for (int64_t row = chunk; row < end && total->status == LOSS_OK && other.status == LOSS_OK;
         row += LOSSI_CHUNK_ROWS) {
        const int64_t count = find_rows(p, &w, row,
                                        end - row < LOSSI_CHUNK_ROWS ? end : row + LOSSI_CHUNK_ROWS);
        add_chunk(p, &w, &at, count, row + LOSSI_CHUNK_ROWS, sums, total, &other);
    }
    total = total->status != LOSS_OK ? total : &other;
    if (total->status != LOSS_OK && !atomic_flag_test_and_set(&p->failed)) {
        p->failure = *total;
    }
}

/* ---- the whole ---- */

static int32_t threads_for(const hessian_pass *p)
{
    const double columns = (double)p->columns,
                 there = (double)p->model->features->rows * (double)p->pairs * columns * columns / 2;
    return there >= PARALLEL_WORK && !p->e.serial ? lossi_context_threads(p->model->base.context) : 1;
}

/* As few as keep the threads busy: each packs its rows, and finds their curvatures, for itself. */
static int64_t parts_for(const hessian_pass *p)
{
    const int64_t wanted = p->slices > 0 ? (PARTS_EACH * p->threads + p->slices - 1) / p->slices : 1;
    if (p->threads == 1 || p->slices >= SLICES_ENOUGH) {
        return 1;
    }
    return p->outputs > 1 ? p->outputs : wanted < STRETCHES ? wanted : STRETCHES;
}

/* `sums` are allocated unless they are there. */
static loss_status prepare(hessian_pass *p, lossi_linear_model *m, int32_t average, double **sums)
{
    loss_context *context = m->base.context;
    const int32_t isa = lossi_context_isa(context), type = lossi_real_index(m->base.dtype);
    const int64_t outputs = average ? 1 : m->shape.outputs,
                  tile = lossi_linear_cut(m, m->features->rows).tile_rows,
                  chunks = (m->features->rows + LOSSI_CHUNK_ROWS - 1) / LOSSI_CHUNK_ROWS;
    memset(p, 0, sizeof *p);
    atomic_flag_clear(&p->failed);
    p->model = m;
    p->average = average;
    p->outputs = outputs;
    p->linear = lossi_linear_kernels_for(isa, type);
    p->symmetric = lossi_symmetric_kernels_for(isa, type);
    p->coupled = outputs > 1 && (m->function->row->flags & LOSSI_POINTWISE) == 0;
    p->columns = m->shape.features + m->shape.intercept;
    p->stride = lossi_symmetric_stride(p->columns);
    p->pairs = p->coupled ? outputs * (outputs + 1) / 2 : outputs;
    p->block_size = p->stride * p->stride;
    p->tile_rows = tile < LOSSI_CHUNK_ROWS ? tile : LOSSI_CHUNK_ROWS;
    p->slices = chunks < LOSSI_SLICES ? chunks : LOSSI_SLICES;
    while (p->slices > 1 && p->pairs > SUMS_MOST / p->slices / p->block_size) {
        p->slices = (p->slices + 1) / 2;
    }
    p->slice_chunks = p->slices > 0 ? (chunks + p->slices - 1) / p->slices : 0;
    p->slices = p->slice_chunks > 0 ? (chunks + p->slice_chunks - 1) / p->slice_chunks : 0;
    loss_status status = lossi_evaluation_init(&p->e, context, m->function, m->base.dtype, m->features->rows,
                                               m->shape.outputs, m->target, m->weight, m->mask);
    p->threads = threads_for(p);
    p->parts = parts_for(p);
    if (status == LOSS_OK && *sums == NULL) {
        const int64_t size = p->pairs > INT64_MAX / 8 / LOSSI_SLICES / p->block_size
                                 ? -1
                                 : (p->slices > 0 ? p->slices : 1) * p->pairs * p->block_size * 8;
        *sums = lossi_allocate_lines(context, size);
        status = *sums == NULL ? lossi_fail_memory(context, "the sums of a Hessian") : LOSS_OK;
    }
    p->sums = *sums;
    return status;
}

static loss_status run(hessian_pass *p)
{
    loss_context *context = p->model->base.context;
    static char origin; /* only its distance to the end matters */
    work unused;
    p->scratch_each = lay_out(p, &origin, &unused);
    p->scratch = lossi_scratch(context, p->scratch_each * p->threads);
    if (p->scratch == NULL) {
        return lossi_fail_memory(context, "scratch");
    }
    if (p->threads > 1) {
        lossi_parallel(context, p->slices * p->parts, run_part, p);
    }
    for (int64_t i = 0; p->threads == 1 && i < p->slices * p->parts; i++) {
        run_part(p, i, 0);
    }
    return LOSS_OK;
}

/* Slices to one, as the tree of lossi_sum_slices(), and what they say of the rows. */
static loss_status collect(hessian_pass *p, lossi_pass_result *result)
{
    double sums[LOSSI_SLICES], denominators[LOSSI_SLICES];
    lossi_linear_model *m = p->model;
    const int64_t size = p->pairs * p->block_size;
    const lossi_total *failure = p->failure.status != LOSS_OK ? &p->failure : NULL;
    result->nonfinite_row = -1;
    for (int64_t slice = p->slices - 1; slice >= 0;
         slice--) { /* the first bad row, whichever thread was first */
        failure = p->totals[slice].status != LOSS_OK ? &p->totals[slice] : failure;
    }
    m->base.callback_status = failure != NULL ? failure->callback_status : 0;
    if (failure != NULL) {
        return lossi_evaluation_fail(&p->e, m->base.context, failure);
    }
    for (int64_t slice = 0; slice < p->slices; slice++) {
        const lossi_total *total = &p->totals[slice];
        sums[slice] = total->sum;
        denominators[slice] = total->denominator;
        result->nonfinite_row = result->nonfinite_row >= 0 ? result->nonfinite_row : total->nonfinite_row;
    }
    result->sum = lossi_sum_slices(sums, p->slices);
    result->denominator = lossi_sum_slices(denominators, p->slices);
    for (int64_t step = 1; step < p->slices; step *= 2) {
        for (int64_t i = 0; i + step < p->slices; i += 2 * step) {
            p->linear->add(size, p->sums + (i + step) * size, p->sums + i * size);
        }
    }
    return LOSS_OK;
}

/* Where the parameter of a column of the features, or the intercept, and an output is in x. */
static int64_t parameter(const lossi_linear_shape *s, int64_t output, int64_t column)
{
    return column < s->features ? output * s->features + column : s->outputs * s->features + output;
}

/* One element of the matrix and those it is equal to. */
static void put(const lossi_linear_model *m, int64_t k, int64_t l, int64_t i, int64_t j, double value,
                void *matrix)
{
    const int64_t n = m->base.dimension;
    const int64_t a = parameter(&m->shape, k, i), b = parameter(&m->shape, l, j),
                  c = parameter(&m->shape, k, j), d = parameter(&m->shape, l, i);
    if (m->base.dtype == LOSS_FLOAT64) {
        memcpy((double *)matrix + a * n + b, &value, sizeof value);
        memcpy((double *)matrix + b * n + a, &value, sizeof value);
        memcpy((double *)matrix + c * n + d, &value, sizeof value);
        memcpy((double *)matrix + d * n + c, &value, sizeof value);
    } else {
        const float narrow = (float)value;
        memcpy((float *)matrix + a * n + b, &narrow, sizeof narrow);
        memcpy((float *)matrix + b * n + a, &narrow, sizeof narrow);
        memcpy((float *)matrix + c * n + d, &narrow, sizeof narrow);
        memcpy((float *)matrix + d * n + c, &narrow, sizeof narrow);
    }
}

static void hand_out(const hessian_pass *p, double denominator, void *matrix)
{
    const lossi_linear_model *m = p->model;
    const int64_t n = m->base.dimension, outputs = p->outputs;
    memset(matrix, 0, (size_t)(n * n * m->base.real_size));
    for (int64_t k = 0; k < outputs && p->slices > 0 && denominator != 0; k++) {
        for (int64_t l = k; l < (p->coupled ? outputs : k + 1); l++) {
            const double *block = p->sums + pair_of(p, k, l) * p->block_size;
            for (int64_t i = 0; i < p->columns; i++) {
                for (int64_t j = 0; j <= i; j++) {
                    put(m, k, l, i, j, block[i * p->stride + j] / denominator, matrix);
                }
            }
        }
    }
    for (int64_t i = 0; i < m->base.penalised && m->base.penalties.count > 0; i++) {
        const int64_t k = i / m->shape.features, j = i % m->shape.features;
        const double sum = p->slices > 0 && denominator != 0
                               ? p->sums[pair_of(p, k, k) * p->block_size + j * p->stride + j] / denominator
                               : 0;
        put(m, k, k, j, j,
            sum + lossi_penalties_curvature(&m->base.penalties, m->base.dtype, m->base.penalised, i), matrix);
    }
}

loss_status lossi_linear_hessian(lossi_linear_model *m, void *matrix, lossi_pass_result *result)
{
    hessian_pass p;
    loss_status status = prepare(&p, m, 0, &m->hessian);
    if (status == LOSS_OK) {
        status = run(&p);
    }
    if (status == LOSS_OK) {
        status = collect(&p, result);
    }
    if (status == LOSS_OK) {
        hand_out(&p, result->denominator, matrix);
    }
    return status;
}

/* Row i of the block has its elements j ≤ i; 0 where nothing counts. */
loss_status lossi_linear_average_block(lossi_linear_model *m, double *block)
{
    hessian_pass p;
    lossi_pass_result result;
    double *sums = NULL;
    loss_status status = prepare(&p, m, 1, &sums);
    if (status == LOSS_OK) {
        status = run(&p);
    }
    if (status == LOSS_OK) {
        status = collect(&p, &result);
    }
    for (int64_t i = 0; status == LOSS_OK && i < p.columns; i++) {
        for (int64_t j = 0; j <= i; j++) {
            block[i * p.columns + j] = p.slices > 0 && result.denominator != 0
                                           ? sums[i * p.stride + j] / result.denominator
                                           : 0;
        }
    }
    lossi_release_lines(m->base.context, sums);
    return status;
}
