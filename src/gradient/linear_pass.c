/*
 * One pass of a linear model over its data.
 *
 * Rows are taken in tiles small enough for the second-level cache. While a tile is there, its predictions are made, the
 * loss turns them into derivatives, and these are multiplied back onto the features: the features come from memory once, asked
 * for a tile ahead, so that memory works on while the loss and the products back run from the caches.
 * Gradients are summed over the rows of a block in order, over the blocks of a slice in order, and over slices as a tree; of
 * sparse rows over the rows of a slice in order: sums of a block would cost more than its entries.
 */
#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/linear_model.h"
#include "gradient/linear_parameters.h"
#include "loss/evaluation.h"

enum {
    PARALLEL_ELEMENTS = 32768, /* fewer cost more to hand out than to do */
    ALIGNMENT = 64,
    FEATURES_PER_COLUMN =
        16, /* a tile has at most 16 · 1024 features: 128 KiB of float64, a part of a cache of 512 KiB */
    COLUMNS_MAX = 256,     /* so that a tile of very wide rows still has 4 of them to share each parameter */
    AHEAD_BYTES = 1 << 22, /* features that fill caches are asked for ahead */
    AHEAD_ROWS = 16,       /* at least, of the products that are being made */
    PIECE_ROWS = 8, /* of one output: few enough that what was asked for arrives while they are multiplied */
    LINE = 64
};

typedef struct pass {
    lossi_linear_model *model;
    lossi_linear_shape shape; /* of the kernels */
    const lossi_linear_kernels *kernels;
    const lossi_sparse_kernels *sparse_kernels;
    const lossi_sparse_features *sparse; /* the features, NULL: they are dense */
    lossi_evaluation e;
    lossi_cut cut;
    int32_t what;
    const int64_t *indices;
    const lossi_array *features, *prediction; /* prediction: only when predicting */
    char *scratch;
    int64_t scratch_each;
    int32_t asks_ahead;
    lossi_total totals[LOSSI_SLICES];
} pass;

/* The scratch of one worker, for one tile. */
typedef struct work {
    const void **x; /* where its rows are */
    int64_t *rows;  /* which rows of the data they are, when some are masked */
    char *copy;     /* the features, when their columns are not contiguous, or their squares; a sparse row */
    lossi_sparse_row *entries; /* where its rows are, when they are sparse */
    double *merged;            /* a row of zeros, to add up entries of one column */
    char *prediction;          /* rows × outputs, and so the next two */
    char *directional, *derivative;
    double *wide;  /* the derivative as float64 */
    double *block; /* the sums of a block, in the padded layout */
    char *loss;
    int64_t asked, end; /* up to which row features were asked for, and where its rows end */
} work;

static lossi_cut cut_rows(const lossi_linear_shape *shape, const lossi_sparse_features *sparse, int64_t rows)
{
    int64_t columns = (shape->features + FEATURES_PER_COLUMN - 1) / FEATURES_PER_COLUMN;
    columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    return sparse != NULL ? lossi_sparse_cut(shape, sparse->average, rows)
                          : lossi_cut_rows(rows, columns > shape->outputs ? columns : shape->outputs);
}

static const lossi_sparse_features *sparse_of(const lossi_linear_model *m)
{
    return m->sparse.array != NULL ? &m->sparse : NULL;
}

lossi_cut lossi_linear_cut(const lossi_linear_model *m, int64_t rows)
{
    return cut_rows(&m->shape, sparse_of(m), rows);
}

/* ---- memory ---- */

static char *take(char **scratch, int64_t bytes)
{
    char *piece = *scratch;
    *scratch += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return piece;
}

static int32_t copied(const lossi_array *features)
{
    return features->column_stride != 1 && features->columns > 1;
}

/* Whether the entries of a sparse row have to be added up before they are squared. */
static int32_t merging(const pass *p)
{
    return p->sparse != NULL && p->sparse->irregular && p->what == LOSSI_PASS_DIAGONAL;
}

/* How many features a worker has room to copy. */
static int64_t copies(const pass *p)
{
    if (p->sparse != NULL) {
        return merging(p) ? p->sparse->longest : 0;
    }
    return copied(p->features) || p->what == LOSSI_PASS_DIAGONAL ? p->cut.tile_rows * p->shape.features : 0;
}

/* Lays out a worker's scratch and gives its size. */
static int64_t lay_out(const pass *p, char *scratch, work *w)
{
    const lossi_linear_model *m = p->model;
    const int64_t rows = p->cut.tile_rows, real = m->base.real_size, outputs = rows * m->shape.outputs;
    char *end = scratch;
    w->x = (const void **)(void *)take(&end, p->sparse == NULL ? rows * (int64_t)sizeof *w->x : 0);
    w->entries = (lossi_sparse_row *)(void *)take(&end,
                                                  p->sparse != NULL ? rows * (int64_t)sizeof *w->entries : 0);
    w->rows = (int64_t *)(void *)take(&end, rows * (int64_t)sizeof *w->rows);
    w->copy = take(&end, copies(p) * real);
    w->merged = (double *)(void *)take(&end, merging(p) ? p->shape.features * (int64_t)sizeof *w->merged : 0);
    w->prediction = take(&end, outputs * real);
    w->directional = take(&end, outputs * real);
    w->derivative = take(&end, outputs * real);
    w->wide = (double *)(void *)take(&end, outputs * (int64_t)sizeof *w->wide);
    w->block = (double *)(void *)take(&end, p->sparse == NULL ? m->size * (int64_t)sizeof *w->block : 0);
    w->loss = take(&end, p->prediction != NULL ? 0 : lossi_evaluation_scratch(&p->e, rows));
    return end - scratch;
}

/* Fills in what any pass over that many rows needs. */
static void begin(pass *p, lossi_linear_model *m, const lossi_array *features,
                  const lossi_sparse_features *sparse, int64_t rows)
{
    const int32_t isa = lossi_context_isa(m->base.context), real_index = lossi_real_index(m->base.dtype);
    memset(p, 0, offsetof(pass, totals));
    p->model = m;
    p->features = features;
    p->sparse = sparse;
    p->shape = lossi_linear_shape_for(m, sparse != NULL);
    p->kernels = lossi_linear_kernels_for(isa, real_index);
    p->sparse_kernels = lossi_sparse_kernels_for(isa, real_index);
    p->cut = cut_rows(&p->shape, sparse, rows);
}

static int32_t workers(const pass *p)
{
    const int64_t features = p->sparse != NULL ? p->sparse->average : p->shape.features;
    const int64_t elements = p->cut.rows * (features + p->shape.outputs);
    return elements >= PARALLEL_ELEMENTS && !p->e.serial ? lossi_context_threads(p->model->base.context) : 1;
}

static loss_status get_scratch(pass *p)
{
    work unused;
    loss_context *context = p->model->base.context;
    static char origin; /* only its distance to the end matters */
    p->scratch_each = lay_out(p, &origin, &unused);
    p->scratch = lossi_scratch(context, p->scratch_each * workers(p));
    return p->scratch == NULL ? lossi_fail_memory(context, "scratch") : LOSS_OK;
}

loss_status lossi_linear_reserve(lossi_linear_model *m, int64_t slices)
{
    loss_context *context = m->base.context;
    if (slices <= m->slices) {
        return LOSS_OK;
    }
    double *sums = m->size > INT64_MAX / 8 / slices ? NULL : lossi_allocate(context, slices * m->size * 8);
    if (sums == NULL) {
        return lossi_fail_memory(context, "the sums of a gradient");
    }
    lossi_release(context, m->sums);
    m->sums = sums;
    m->slices = slices;
    return LOSS_OK;
}

/* ---- tiles ---- */

/* Where the rows of a tile are: gives how many count, leaving out masked ones before anything of them is read. */
static int64_t find_rows(const pass *p, const work *w, int64_t first, int64_t rows)
{
    const lossi_array *features = p->features, *mask = p->prediction != NULL ? NULL : p->model->mask;
    const int64_t real = p->model->base.real_size, step = features->row_stride * real;
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t row = p->indices != NULL ? p->indices[first + i] : first + i;
        if (!lossi_masked(mask, row)) {
            w->rows[count] = row;
            if (p->sparse != NULL) {
                w->entries[count++] = lossi_sparse_row_at(p->sparse, row);
            } else {
                w->x[count++] = features->pointer + row * step;
            }
        }
    }
    for (int64_t i = 0; p->sparse == NULL && copied(features) && i < count; i++) {
        const char *from = w->x[i];
        char *to = w->copy + i * features->columns * real;
        for (int64_t j = 0; j < features->columns; j++) {
            memcpy(to + j * real, from + j * features->column_stride * real, (size_t)real);
        }
        w->x[i] = to;
    }
    return count;
}

/* The features of a tile squared, as standardised ones: in the copy, which may be where they are already. */
static void square(const pass *p, const work *w, int64_t count)
{
    const lossi_linear_model *m = p->model;
    const loss_dtype dtype = m->base.dtype;
    const int64_t features = p->features->columns;
    for (int64_t i = 0; i < count; i++) {
        char *to = w->copy + i * features * m->base.real_size;
        for (int64_t j = 0; j < features; j++) {
            double x = lossi_real_get(dtype, w->x[i], j);
            if (m->deviations != NULL) {
                x = m->deviations[j] != 0 ? (x - m->means[j]) / m->deviations[j] : 0;
            }
            lossi_real_put(dtype, to, j, x * x);
        }
        w->x[i] = to;
    }
}

/* Asks for the features of the next rows up to one of them; a row that is masked may not be there, which is no harm. */
static void ask(const pass *p, work *w, int64_t to)
{
    const int64_t real = p->model->base.real_size, bytes = p->features->columns * real;
    to = to < w->end ? to : w->end;
    for (; w->asked < to; w->asked++) {
        const int64_t row = p->indices != NULL ? p->indices[w->asked] : w->asked;
        const uintptr_t from = (uintptr_t)p->features->pointer +
                               (uintptr_t)(row * p->features->row_stride * real);
        for (int64_t i = 0; i < bytes; i += LINE) {
            __builtin_prefetch((const void *)(from + (uintptr_t)i));
        }
    }
}

/* ---- the products, of dense rows and of sparse ones ---- */

static lossi_sparse_tile sparse_rows(const pass *p, const lossi_sparse_row *x, int64_t rows)
{
    return (lossi_sparse_tile){&p->shape, p->sparse->array->index_dtype == LOSS_INT64, rows, x};
}

/* How many rows to multiply at once. */
static int64_t piece(const pass *p, int64_t count)
{
    return p->asks_ahead && p->shape.outputs == 1 ? PIECE_ROWS : count;
}

static void dense_forward(const pass *p, work *w, int64_t first, int64_t count, const double *parameters,
                          char *prediction)
{
    const int64_t step = piece(p, count), bytes = p->shape.outputs * p->model->base.real_size;
    for (int64_t i = 0; i < count; i += step) {
        const int64_t rows = count - i < step ? count - i : step;
        if (p->asks_ahead) {
            ask(p, w, first + i + rows + AHEAD_ROWS);
            ask(p, w, w->asked + step / 2);
        }
        p->kernels->forward(&p->shape, rows, w->x + i, parameters, prediction + i * bytes);
    }
}

/* Predictions, unless they are known; of a Hessian product also along its direction. */
static void forward(const pass *p, work *w, int64_t first, int64_t count, char *prediction)
{
    const lossi_linear_model *m = p->model;
    const int32_t product = p->what == LOSSI_PASS_PRODUCT;
    if (p->sparse != NULL) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries, count);
        p->sparse_kernels->forward(&tile, m->parameters, prediction, product ? w->directional : NULL);
        return;
    }
    if (prediction == w->prediction || !m->predictions_known) {
        dense_forward(p, w, first, count, m->parameters, prediction);
    }
    if (product) {
        dense_forward(p, w, first, count, m->direction, w->directional);
    }
}

static void dense_backward(const pass *p, work *w, int64_t count, const double *r, double *sums)
{
    const int64_t step = piece(p, count);
    for (int64_t i = 0; i < count; i += step) {
        if (p->asks_ahead) {
            ask(p, w, w->asked + step / 2);
        }
        p->kernels->backward(&p->shape, count - i < step ? count - i : step, w->x + i,
                             r + i * p->shape.outputs, sums);
    }
}

static void backward_squares(const pass *p, work *w, int64_t count, const double *r, double *sums)
{
    const double *means = p->model->centred ? p->model->means : NULL;
    if (p->sparse == NULL) {
        square(p, w, count);
        dense_backward(p, w, count, r, sums);
        return;
    }
    for (int64_t i = 0; merging(p) && i < count; i++) {
        lossi_sparse_row row = w->entries[i];
        lossi_sparse_merge(p->sparse, &row, w->merged, w->copy);
        const lossi_sparse_tile tile = sparse_rows(p, &row, 1);
        p->sparse_kernels->backward_squares(&tile, r + i * p->shape.outputs, means, sums);
    }
    if (!merging(p)) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries, count);
        p->sparse_kernels->backward_squares(&tile, r, means, sums);
    }
}

static void backward(const pass *p, work *w, int64_t count, double *sums)
{
    const double *r = p->kernels->widen(count * p->shape.outputs, w->derivative, w->wide);
    if (p->what == LOSSI_PASS_DIAGONAL) {
        backward_squares(p, w, count, r, sums);
    } else if (p->sparse != NULL) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries, count);
        p->sparse_kernels->backward(&tile, r, sums);
    } else {
        dense_backward(p, w, count, r, sums);
    }
}

/* ---- slices ---- */

/* Where the predictions of a tile go; those of products stay, unless rows are left out. */
static char *prediction_place(const pass *p, const work *w, int64_t first)
{
    const lossi_linear_model *m = p->model;
    return p->what == LOSSI_PASS_PRODUCT && m->mask == NULL && m->predictions != NULL
               ? m->predictions + first * m->shape.outputs * m->base.real_size
               : w->prediction;
}

static void pass_tile(const pass *p, work *w, int64_t first, int64_t rows, double *sums, lossi_total *total)
{
    const lossi_linear_model *m = p->model;
    const int64_t outputs = p->shape.outputs, count = find_rows(p, w, first, rows);
    char *prediction = prediction_place(p, w, first);
    lossi_evaluation e = p->e;
    lossi_place place = {.prediction = {prediction, outputs, 1}};

    forward(p, w, first, count, prediction);
    if (p->what == LOSSI_PASS_GRADIENT) {
        place.gradient = (lossi_view){w->derivative, outputs, 1};
    } else if (p->what == LOSSI_PASS_PRODUCT) {
        place.direction = (lossi_view){w->directional, outputs, 1};
        place.product = (lossi_view){w->derivative, outputs, 1};
    } else if (p->what == LOSSI_PASS_DIAGONAL) {
        place.curvature = (lossi_view){w->derivative, outputs, 1};
    }
    if (m->mask != NULL) { /* the rows that are left, as a batch */
        e.mask = NULL;
        e.indices = w->rows;
        first = 0;
    }
    lossi_evaluation_tile(&e, w->loss, p->cut.tile_rows, first, count, &place, total);
    if (p->what != LOSSI_PASS_VALUE && total->status == LOSS_OK) {
        backward(p, w, count, sums);
    }
}

static void pass_slice(void *argument, int64_t slice, int32_t worker)
{
    pass *p = argument;
    const lossi_linear_model *m = p->model;
    const lossi_cut *cut = &p->cut;
    lossi_total *total = &p->totals[slice];
    double *sums = m->sums + slice * m->size;
    int64_t row = slice * cut->slice_rows,
            end = row + cut->slice_rows < cut->rows ? row + cut->slice_rows : cut->rows;
    const size_t bytes = p->what == LOSSI_PASS_VALUE ? 0 : (size_t)m->size * sizeof *sums;
    work w;

    lay_out(p, p->scratch + worker * p->scratch_each, &w);
    w.asked = row;
    w.end = end;
    lossi_total_clear(total);
    memset(sums, 0, bytes);
    memset(w.merged, 0, merging(p) ? (size_t)p->shape.features * sizeof *w.merged : 0);
    while (row < end && total->status == LOSS_OK) {
        const int64_t block_end = row + cut->block_rows < end ? row + cut->block_rows : end;
        memset(w.block, 0, p->sparse != NULL ? 0 : bytes);
        while (row < block_end && total->status == LOSS_OK) {
            const int64_t rows = block_end - row < cut->tile_rows ? block_end - row : cut->tile_rows;
            pass_tile(p, &w, row, rows, p->sparse != NULL ? sums : w.block, total);
            row += rows;
        }
        lossi_total_end_block(total);
        if (p->what != LOSSI_PASS_VALUE && p->sparse == NULL) {
            p->kernels->add(m->size, w.block, sums);
        }
    }
}

/* ---- the pass ---- */

static void run(pass *p, lossi_task task)
{
    if (workers(p) > 1) {
        lossi_parallel(p->model->base.context, p->cut.slices, task, p);
        return;
    }
    for (int64_t slice = 0; slice < p->cut.slices; slice++) {
        task(p, slice, 0);
    }
}

/* Slices to one: the tree of lossi_sum_slices(), in place. */
static void add_slices(const pass *p)
{
    const lossi_linear_model *m = p->model;
    for (int64_t step = 1; step < p->cut.slices; step *= 2) {
        for (int64_t i = 0; i + step < p->cut.slices; i += 2 * step) {
            p->kernels->add(m->size, m->sums + (i + step) * m->size, m->sums + i * m->size);
        }
    }
}

static loss_status collect(pass *p, lossi_pass_result *result)
{
    double sums[LOSSI_SLICES], denominators[LOSSI_SLICES];
    result->nonfinite_row = -1;
    p->model->base.callback_status = 0;
    for (int64_t slice = 0; slice < p->cut.slices; slice++) {
        const lossi_total *total = &p->totals[slice];
        if (total->status != LOSS_OK) {
            p->model->base.callback_status = total->callback_status;
            return lossi_evaluation_fail(&p->e, p->model->base.context, total);
        }
        sums[slice] = total->sum;
        denominators[slice] = total->denominator;
        result->nonfinite_row = result->nonfinite_row >= 0 ? result->nonfinite_row : total->nonfinite_row;
    }
    result->sum = lossi_sum_slices(sums, p->cut.slices);
    result->denominator = lossi_sum_slices(denominators, p->cut.slices);
    if (p->what != LOSSI_PASS_VALUE) {
        add_slices(p);
    }
    return LOSS_OK;
}

/* A pass over that many rows of the data, ready to run. */
static loss_status begin_pass(pass *p, lossi_linear_model *m, int32_t what, int64_t rows)
{
    begin(p, m, m->features, sparse_of(m), rows);
    p->what = what;
    loss_status status = lossi_evaluation_init(&p->e, m->base.context, m->function, m->base.dtype,
                                               m->features->rows, m->shape.outputs, m->target, m->weight,
                                               m->mask);
    return status == LOSS_OK ? get_scratch(p) : status;
}

/*
 * Products are wanted many at one point: the first makes room for its predictions, which serve the next. Whether they are there is
 * known from the parameters. Where there is no memory for them, every product makes its own.
 */
static void know_predictions(lossi_linear_model *m)
{
    loss_context *context = m->base.context;
    const size_t size = (size_t)m->size * sizeof *m->parameters;
    if (m->predictions == NULL) {
        m->predictions = lossi_allocate(context, m->features->rows * m->shape.outputs * m->base.real_size);
        m->predicted = m->predictions != NULL ? lossi_allocate(context, (int64_t)size) : NULL;
        m->predictions_known = 0;
        if (m->predicted == NULL) {
            lossi_release(context, m->predictions);
            m->predictions = NULL;
        }
    }
    if (m->predictions != NULL && (!m->predictions_known || memcmp(m->predicted, m->parameters, size) != 0)) {
        memcpy(m->predicted, m->parameters, size);
        m->predictions_known = 0;
    }
}

loss_status lossi_linear_pass(lossi_linear_model *m, int32_t what, lossi_batch batch,
                              lossi_pass_result *result)
{
    pass p;
    loss_status status = begin_pass(&p, m, what, batch.count < 0 ? m->features->rows : batch.count);
    if (status == LOSS_OK) { /* only a batch larger than the data needs more than there is */
        status = lossi_linear_reserve(m, p.cut.slices > 0 ? p.cut.slices : 1);
    }
    if (status != LOSS_OK) {
        return status;
    }
    p.indices = batch.indices;
    p.e.indices = batch.indices;
    p.asks_ahead = p.sparse == NULL && !copied(m->features) &&
                   (p.indices != NULL ||
                    m->features->rows > AHEAD_BYTES / m->base.real_size / (m->features->columns + 1));
    if (p.cut.slices == 0) {
        memset(m->sums, 0, (size_t)m->size * sizeof *m->sums);
    }
    if (what == LOSSI_PASS_PRODUCT && p.sparse == NULL) {
        know_predictions(m);
    }
    run(&p, pass_slice);
    status = collect(&p, result);
    if (what == LOSSI_PASS_PRODUCT) {
        m->predictions_known = status == LOSS_OK;
    }
    return status;
}

static void do_nothing(void *argument, int64_t index, int32_t worker)
{
    (void)argument;
    (void)index;
    (void)worker;
}

loss_status lossi_linear_warm_up(lossi_linear_model *m)
{
    pass p;
    loss_status status = begin_pass(&p, m, LOSSI_PASS_VALUE, m->features->rows);
    if (status == LOSS_OK && workers(&p) > 1) {
        lossi_parallel(m->base.context, 2, do_nothing, NULL); /* starts the threads */
    }
    return status;
}

/* ---- predictions ---- */

static void predict_slice(void *argument, int64_t slice, int32_t worker)
{
    pass *p = argument;
    const lossi_linear_model *m = p->model;
    const lossi_array *to = p->prediction;
    const int64_t real = m->base.real_size, outputs = m->shape.outputs;
    int64_t row = slice * p->cut.slice_rows;
    const int64_t end = row + p->cut.slice_rows < p->cut.rows ? row + p->cut.slice_rows : p->cut.rows;
    work w;

    lay_out(p, p->scratch + worker * p->scratch_each, &w);
    for (; row < end; row += p->cut.tile_rows) {
        const int64_t count = find_rows(p, &w, row,
                                        end - row < p->cut.tile_rows ? end - row : p->cut.tile_rows);
        forward(p, &w, row, count, w.prediction);
        for (int64_t i = 0; i < count * outputs; i++) {
            const int64_t place = (row + i / outputs) * to->row_stride + i % outputs * to->column_stride;
            memcpy(to->pointer + place * real, w.prediction + i * real, (size_t)real);
        }
    }
}

loss_status lossi_linear_predict(lossi_linear_model *m, const lossi_array *features,
                                 const lossi_sparse_features *sparse, const lossi_array *prediction)
{
    pass p;
    begin(&p, m, features, sparse->array != NULL ? sparse : NULL, features->rows);
    p.prediction = prediction;
    p.cut = lossi_cut_rows(p.cut.rows,
                           p.cut.columns); /* there are no sums that slices could be too many for */
    loss_status status = get_scratch(&p);
    if (status == LOSS_OK) {
        run(&p, predict_slice);
    }
    return status;
}
