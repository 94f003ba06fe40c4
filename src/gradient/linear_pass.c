/*
 * One pass of a linear model over its data.
 *
 * Rows are taken in tiles small enough for the second-level cache. While a tile is there, its predictions are made, the
 * loss turns them into derivatives, and these are multiplied back onto the features: the features come from memory once.
 * Gradients are summed over the rows of a block in order, over the blocks of a slice in order, and over slices as a tree; of
 * sparse rows over the rows of a slice in order: sums of a block would cost more than its entries.
 */
#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "core/prefetch.h"
#include "gradient/linear_parameters.h"
#include "gradient/linear_tile.h"
#include "gradient/linear_woven.h"

enum {
    PARALLEL_ELEMENTS = 32768,  /* fewer cost more to hand out than to do */
    PARALLEL_SCATTERED = 16384, /* the same of rows from anywhere in memory, which take twice as long */
    BLOCKS_LEAST = 4,           /* for threads to share what is worth sharing */
    BLOCK_ROWS_LEAST = 32,      /* fewer than these cost less than the sums of their block */
    FEATURES_PER_COLUMN =
        16, /* a tile has at most 16 · 1024 features: 128 KiB of float64, a part of a cache of 512 KiB */
    COLUMNS_MAX = 256,     /* so that a tile of very wide rows still has 4 of them to share each parameter */
    AHEAD_BYTES = 1 << 22, /* features that fill caches are asked for ahead */
    /* A tile of sparse rows, and the next that is asked for, are to leave the second-level cache to parameters and sums. */
    SPARSE_TILE_ENTRIES = 2048
};

/*
 * Smaller tiles of sparse rows where that changes no bit: whole turns of the lanes of a sum, and no masked rows, which a tile
 * closes up.
 */
static void shorten_tiles(lossi_tile_pass *p)
{
    while (p->model->mask == NULL && p->cut.tile_rows > LOSSI_LANES &&
           p->cut.tile_rows * p->sparse->average > SPARSE_TILE_ENTRIES) {
        p->cut.tile_rows /= 2;
    }
}

/*
 * Larger tiles of float32, as many bytes as of float64, for a product that goes over its parameters and its sums once a tile; where that
 * changes no bit, as above.
 */
static void lengthen_tiles(lossi_tile_pass *p)
{
    if (p->model->base.dtype == LOSS_FLOAT32 && p->model->mask == NULL && p->shape.outputs > 1 &&
        p->cut.tile_rows >= LOSSI_LANES && 2 * p->cut.tile_rows <= p->cut.block_rows) {
        p->cut.tile_rows *= 2;
    }
}

/* Whether the features fill caches, and what comes next has to be asked for. */
static int32_t large(const lossi_tile_pass *p)
{
    const int64_t columns = p->sparse != NULL ? p->sparse->average : p->features->columns;
    return p->features->rows > AHEAD_BYTES / p->model->base.real_size / (columns + 1);
}

/* Halves blocks as long as there are less than BLOCKS_LEAST of them; each is a slice then. */
static void shorten_blocks(lossi_cut *cut)
{
    const int64_t least = cut->tile_rows > BLOCK_ROWS_LEAST ? cut->tile_rows : BLOCK_ROWS_LEAST;
    while (cut->block_rows > least && cut->rows <= (BLOCKS_LEAST - 1) * cut->block_rows) {
        cut->block_rows /= 2;
        cut->slice_rows = cut->block_rows;
        cut->slices = (cut->rows + cut->block_rows - 1) / cut->block_rows;
    }
}

static lossi_cut cut_rows(const lossi_linear_shape *shape, const lossi_sparse_features *sparse, int64_t rows)
{
    int64_t columns = (shape->features + FEATURES_PER_COLUMN - 1) / FEATURES_PER_COLUMN;
    columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    columns = columns > shape->outputs ? columns : shape->outputs;
    if (sparse != NULL) {
        return lossi_sparse_cut(shape, sparse->average, rows);
    }
    lossi_cut cut = lossi_cut_rows(rows, columns);
    if (rows >= PARALLEL_SCATTERED / (shape->features + 1)) {
        shorten_blocks(&cut);
    }
    return cut;
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

/* Fills in what any pass over that many rows needs. */
static void begin(lossi_tile_pass *p, lossi_linear_model *m, const lossi_array *features,
                  const lossi_sparse_features *sparse, int64_t rows)
{
    const int32_t isa = lossi_context_isa(m->base.context), real_index = lossi_real_index(m->base.dtype);
    memset(p, 0, offsetof(lossi_tile_pass, totals));
    p->model = m;
    p->features = features;
    p->sparse = sparse;
    p->shape = lossi_linear_shape_for(m, sparse != NULL);
    p->kernels = lossi_linear_kernels_for(isa, real_index);
    p->sparse_kernels = lossi_sparse_kernels_for(isa, real_index);
    p->cut = cut_rows(&p->shape, sparse, rows);
    if (sparse != NULL) {
        shorten_tiles(p);
    } else {
        lengthen_tiles(p);
    }
}

static int32_t workers(const lossi_tile_pass *p)
{
    const int64_t features = p->sparse != NULL ? p->sparse->average : p->shape.features;
    const int64_t elements = p->cut.rows * (features + p->shape.outputs);
    const int64_t least = p->indices != NULL && large(p) ? PARALLEL_SCATTERED : PARALLEL_ELEMENTS;
    return elements >= least && !p->e.serial ? lossi_context_threads(p->model->base.context) : 1;
}

static loss_status get_scratch(lossi_tile_pass *p)
{
    lossi_tile_work unused;
    loss_context *context = p->model->base.context;
    static char origin; /* only its distance to the end matters */
    p->scratch_each = lossi_tile_lay_out(p, &origin, &unused);
    p->scratch = lossi_scratch(context, p->scratch_each * workers(p));
    return p->scratch == NULL ? lossi_fail_memory(context, "scratch") : LOSS_OK;
}

loss_status lossi_linear_reserve(lossi_linear_model *m, int64_t slices)
{
    loss_context *context = m->base.context;
    if (slices <= m->slices) {
        return LOSS_OK;
    }
    double *sums = m->size > INT64_MAX / 8 / slices ? NULL
                                                    : lossi_allocate_lines(context, slices * m->size * 8);
    if (sums == NULL) {
        return lossi_fail_memory(context, "the sums of a gradient");
    }
    lossi_release_lines(context, m->sums);
    m->sums = sums;
    m->slices = slices;
    return LOSS_OK;
}

/* ---- slices ---- */

/* Where the predictions of a tile go; those of products stay, unless rows are left out. */
static char *prediction_place(const lossi_tile_pass *p, const lossi_tile_work *w, int64_t first)
{
    const lossi_linear_model *m = p->model;
    return p->what == LOSSI_PASS_PRODUCT && m->mask == NULL && m->predictions != NULL
               ? m->predictions + first * m->shape.outputs * m->base.real_size
               : w->prediction;
}

static void pass_tile(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t rows, double *sums,
                      lossi_total *total)
{
    const lossi_linear_model *m = p->model;
    const int64_t outputs = p->shape.outputs, count = lossi_tile_find_rows(p, w, first, rows);
    char *prediction = prediction_place(p, w, first);
    lossi_evaluation e = p->e;
    lossi_place place = {.prediction = {prediction, outputs, 1}};

    lossi_tile_forward(p, w, first, count, prediction);
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
    }
    lossi_evaluation_tile(&e, w->loss, p->cut.tile_rows, m->mask != NULL ? 0 : first, count, &place, total);
    if (p->what != LOSSI_PASS_VALUE && total->status == LOSS_OK) {
        lossi_tile_backward(p, w, first, count, sums);
    }
}

/* The sums of a block of dense rows onto those of its slice; those of the first are there already. */
static void end_block(const lossi_tile_pass *p, const lossi_tile_work *w, const double *block, double *sums)
{
    const int64_t size = p->model->size;
    if (p->what == LOSSI_PASS_VALUE || p->sparse != NULL) {
        return;
    }
    if (block == sums) {
        memset(sums, 0, w->fresh ? (size_t)size * sizeof *sums : 0); /* all its rows are masked */
    } else if (!w->fresh) {
        p->kernels->add(size, block, sums);
    }
}

static void pass_slice(void *argument, int64_t slice, int32_t worker)
{
    lossi_tile_pass *p = argument;
    const lossi_linear_model *m = p->model;
    const lossi_cut *cut = &p->cut;
    lossi_total *total = &p->totals[slice];
    double *sums = m->sums + slice * m->size;
    int64_t row = slice * cut->slice_rows,
            end = row + cut->slice_rows < cut->rows ? row + cut->slice_rows : cut->rows;
    const size_t bytes = p->what == LOSSI_PASS_VALUE ? 0 : (size_t)m->size * sizeof *sums;
    lossi_tile_work w;

    lossi_tile_lay_out(p, p->scratch + worker * p->scratch_each, &w);
    lossi_tile_begin(p, &w, row, end);
    lossi_total_clear(total);
    if (p->woven) {
        lossi_weave(p, &w);
    } else {
        memset(sums, 0, p->sparse != NULL ? bytes : 0);
    }
    memset(w.merged, 0, lossi_tile_merging(p) ? (size_t)p->shape.features * sizeof *w.merged : 0);
    for (double *into = p->woven ? w.woven + 1 : sums; row < end && total->status == LOSS_OK;
         into = p->sparse != NULL ? into : w.block) {
        const int64_t block_end = row + cut->block_rows < end ? row + cut->block_rows : end;
        w.fresh = p->sparse == NULL;
        while (row < block_end && total->status == LOSS_OK) {
            const int64_t rows = block_end - row < cut->tile_rows ? block_end - row : cut->tile_rows;
            pass_tile(p, &w, row, rows, into, total);
            row += rows;
        }
        lossi_total_end_block(total);
        end_block(p, &w, into, sums);
    }
    if (p->woven) {
        lossi_unweave(p, &w, sums);
    }
}

/* ---- the pass ---- */

static void run(lossi_tile_pass *p, lossi_task task)
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
static void add_slices(const lossi_tile_pass *p)
{
    const lossi_linear_model *m = p->model;
    for (int64_t step = 1; step < p->cut.slices; step *= 2) {
        for (int64_t i = 0; i + step < p->cut.slices; i += 2 * step) {
            p->kernels->add(m->size, m->sums + (i + step) * m->size, m->sums + i * m->size);
        }
    }
}

static loss_status collect(lossi_tile_pass *p, lossi_pass_result *result)
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
static loss_status begin_pass(lossi_tile_pass *p, lossi_linear_model *m, int32_t what, lossi_batch batch)
{
    begin(p, m, m->features, sparse_of(m), batch.count < 0 ? m->features->rows : batch.count);
    p->what = what;
    p->indices = batch.indices;
    loss_status status = lossi_evaluation_init(&p->e, m->base.context, m->function, m->base.dtype,
                                               m->features->rows, m->shape.outputs, m->target, m->weight,
                                               m->mask);
    p->woven = lossi_woven(p);
    return status == LOSS_OK ? get_scratch(p) : status;
}

/* No worker has woven its parameters yet. */
static void begin_weaving(const lossi_tile_pass *p)
{
    for (int64_t worker = 0; p->woven && worker < workers(p); worker++) {
        lossi_tile_work w;
        lossi_tile_lay_out(p, p->scratch + worker * p->scratch_each, &w);
        *w.is_woven = 0;
    }
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
        m->predicted = m->predictions != NULL ? lossi_allocate_lines(context, (int64_t)size) : NULL;
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

/*
 * Whether prefetchers manage alone: rows of one output, one after another, are a loop over memory, which some processors see through.
 * Many outputs multiply for so long between two rows that asking gains anywhere.
 */
static int32_t alone(const lossi_tile_pass *p)
{
    return p->indices == NULL && p->shape.outputs == 1 && lossi_prefetches_rows();
}

/* What to ask memory for ahead: also of the next batch, as far as this one does not need where its sparse rows are. */
static void look_ahead(lossi_tile_pass *p, lossi_batch batch)
{
    lossi_linear_model *m = p->model;
    const int32_t dense = p->sparse == NULL && !lossi_tile_copied(m->features);
    p->serial = workers(p) == 1;
    p->asks_ahead = large(p) && (dense ? !alone(p) : p->sparse != NULL);
    if (dense && p->asks_ahead && batch.following > 0) {
        p->following = batch.following < p->cut.tile_rows ? batch.following : p->cut.tile_rows;
    }
    p->asked = batch.indices != NULL && batch.indices == m->asked ? m->asked_count : 0;
    m->asked = p->following > 0 ? batch.indices + batch.count : NULL;
    m->asked_count = p->following;
}

loss_status lossi_linear_pass(lossi_linear_model *m, int32_t what, lossi_batch batch,
                              lossi_pass_result *result)
{
    lossi_tile_pass p;
    loss_status status = begin_pass(&p, m, what, batch);
    if (status == LOSS_OK) { /* only a batch larger than the data needs more than there is */
        status = lossi_linear_reserve(m, p.cut.slices > 0 ? p.cut.slices : 1);
    }
    if (status != LOSS_OK) {
        return status;
    }
    p.indices = batch.indices;
    look_ahead(&p, batch);
    p.e.indices = batch.indices;
    if (p.cut.slices == 0) {
        memset(m->sums, 0, (size_t)m->size * sizeof *m->sums);
    }
    if (what == LOSSI_PASS_PRODUCT && p.sparse == NULL) {
        know_predictions(m);
    }
    begin_weaving(&p);
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
    const lossi_batch all = {-1, NULL, 0};
    lossi_tile_pass p;
    loss_status status = begin_pass(&p, m, LOSSI_PASS_GRADIENT, all);
    if (status == LOSS_OK && workers(&p) > 1) {
        lossi_parallel(m->base.context, 2, do_nothing, NULL); /* starts the threads */
    }
    return status;
}

/* ---- predictions ---- */

static void predict_slice(void *argument, int64_t slice, int32_t worker)
{
    lossi_tile_pass *p = argument;
    const lossi_linear_model *m = p->model;
    const lossi_array *to = p->prediction;
    const int64_t real = m->base.real_size, outputs = m->shape.outputs;
    int64_t row = slice * p->cut.slice_rows;
    const int64_t end = row + p->cut.slice_rows < p->cut.rows ? row + p->cut.slice_rows : p->cut.rows;
    lossi_tile_work w;

    lossi_tile_lay_out(p, p->scratch + worker * p->scratch_each, &w);
    for (; row < end; row += p->cut.tile_rows) {
        const int64_t count = lossi_tile_find_rows(
            p, &w, row, end - row < p->cut.tile_rows ? end - row : p->cut.tile_rows);
        lossi_tile_forward(p, &w, row, count, w.prediction);
        for (int64_t i = 0; i < count * outputs; i++) {
            const int64_t place = (row + i / outputs) * to->row_stride + i % outputs * to->column_stride;
            memcpy(to->pointer + place * real, w.prediction + i * real, (size_t)real);
        }
    }
}

loss_status lossi_linear_predict(lossi_linear_model *m, const lossi_array *features,
                                 const lossi_sparse_features *sparse, const lossi_array *prediction)
{
    lossi_tile_pass p;
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
