/*
 * The driver of linear_cross_entropy.c: tiles of logits made, used and forgotten.
 *
 * Two sweeps. By rows: a panel of rows meets all classes once for its sums, and once more for ∂x. By classes: a panel of classes meets
 * all rows for ∂c and ∂b. A panel is widened to double; what it meets goes by in tiles. Slices of rows and panels of classes
 * go to threads. A panel holds as much as a share of PANEL_BYTES, which changes no bit: every sum runs over what goes by.
 */
#ifndef LOSSI_LOSS_LINEAR_CROSS_ENTROPY_DRIVER_H
#define LOSSI_LOSS_LINEAR_CROSS_ENTROPY_DRIVER_H

#include "loss/linear_cross_entropy_panels.h"

enum { PARALLEL_WORK = 1 << 20 /* products; fewer cost more to hand out than to do */ };

/* ---- by rows ---- */

/* A panel of rows meets all classes: their sums, or what they add to the gradient. */
static void meet_classes(const job *j, worker *w, row_state *rows, int32_t operation)
{
    const void *x[TILE];
    double seen = 0;
    for (int64_t c = 0; c < j->classes; c += TILE) {
        const int64_t count = j->classes - c < TILE ? j->classes - c : TILE;
        tile t = tile_of(j, w, c, count);
        t.by_class = 1;
        t.seen = seen;
        multiply_classes(j, w, c, count, rows->count, x);
        run_on_logits(j, &t, operation);
        if (operation == BACKWARD) {
            accumulate(j, w, count, rows->count, x, c / TILE, c + TILE >= j->classes);
        }
        for (int64_t i = 0; i < count && j->by.smoothing > 0; i++) {
            seen += weight_of(&j->by, c + i);
        }
    }
}

#include "loss/linear_cross_entropy_products.h"

static void panel_of_rows(const job *j, worker *w, row_state *rows)
{
    tile t = {.rows = rows};
    for (int64_t k = 0; k < rows->count; k++) {
        set_panel(j, w, j->features, rows->index[k], k);
    }
    meet_classes(j, w, rows, FORWARD);
    run(j, &t, FINISH);
    if (j->gradient[FEATURES] != NULL) {
        clear(j, w, rows->count);
        meet_classes(j, w, rows, BACKWARD);
        for (int64_t k = 0; k < rows->count; k++) {
            put_numbers(j, j->gradient[FEATURES], rows->index[k], 0, w->total + k * j->stride, j->d);
        }
    }
    second_of_rows(j, w, rows);
    for (int64_t k = 0; k < rows->count; k++) {
        j->sums[rows->index[k]] = (row_sums){.maximum = rows->maximum[k],
                                             .maximum_missing = rows->maximum_missing[k],
                                             .others = rows->others[k],
                                             .z_slope = rows->z_slope[k],
                                             .mean = rows->mean[k],
                                             .apart = rows->apart[k],
                                             .top = rows->top[k]};
    }
}

/* Values of a panel, as they are stored, onto the lanes. */
static void add_values(const job *j, const row_state *rows, int64_t *place, lossi_total *total)
{
    for (int64_t k = 0; k < rows->count; k++, ++*place) {
        double value = rows->value[k] * rows->weight[k];
        value = j->call->real_size == 4 ? (double)(float)value : value;
        total->lanes[*place % LOSSI_LANES] += value;
        total->weight_lanes[*place % LOSSI_LANES] += rows->own_weight[k] * rows->weight[k];
        if (j->call->value != NULL) {
            put_numbers(j, j->call->value, rows->index[k], 0, &value, 1);
        }
    }
}

/* Zeros for the rows that do not count. */
static void clear_rows(const job *j, int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        const lossi_array *const outputs[] = {j->call->value, j->gradient[FEATURES], j->curvature[FEATURES],
                                              j->product[FEATURES]};
        for (size_t k = 0; k < sizeof outputs / sizeof *outputs && !counts(j, row); k++) {
            if (outputs[k] != NULL) {
                lossi_put_row(NULL, outputs[k]->pointer + row * outputs[k]->row_stride * j->call->real_size,
                              outputs[k]->column_stride, outputs[k]->columns, j->call->real_size);
            }
        }
    }
}

static void slice_of_rows(void *argument, int64_t slice, int32_t number)
{
    job *j = argument;
    lossi_total *total = &j->totals[slice];
    worker w;
    int64_t row = slice * j->cut.slice_rows, end = row + j->cut.slice_rows;
    end = end < j->cut.rows ? end : j->cut.rows;
    lay_out(j, j->scratch + number * j->scratch_each, &w);
    for (; row < end; row += j->cut.block_rows) {
        const int64_t block_end = end - row < j->cut.block_rows ? end : row + j->cut.block_rows;
        int64_t place = 0;
        clear_rows(j, row, block_end);
        for (int64_t first = row; first < block_end; first += j->panel) {
            gather(j, first, block_end - first < j->panel ? block_end : first + j->panel, &w.rows);
            if (w.rows.count > 0) {
                panel_of_rows(j, &w, &w.rows);
                add_values(j, &w.rows, &place, total);
            }
        }
        lossi_total_end_block(total);
    }
}

/* ---- by classes ---- */

static void gradient_of_classes(const job *j, worker *w, int64_t first, int64_t panel)
{
    const void *x[TILE];
    clear(j, w, panel);
    for (int64_t row = 0; row < j->call->rows; row += TILE) {
        const int64_t end = j->call->rows - row < TILE ? j->call->rows : row + TILE;
        tile t = tile_of(j, w, first, panel);
        recall(j, row, end, &w->rows);
        multiply_rows(j, w, first, panel, x);
        run_on_logits(j, &t, BACKWARD);
        accumulate(j, w, w->rows.count, panel, x, row / TILE, end == j->call->rows);
    }
    put_classes(j, w, first, panel, j->gradient);
}

static void panel_of_classes(void *argument, int64_t index, int32_t number)
{
    const job *j = argument;
    const int64_t first = index * j->panel, left = j->classes - first,
                  panel = left < j->panel ? left : j->panel;
    worker w;
    lay_out(j, j->scratch + number * j->scratch_each, &w);
    for (int64_t k = 0; k < panel; k++) {
        set_panel(j, &w, j->coefficients, first + k, k);
    }
    if (j->gradient[COEFFICIENTS] != NULL || j->gradient[BIAS] != NULL) {
        gradient_of_classes(j, &w, first, panel);
    }
    second_of_classes(j, &w, first, panel, SECOND, j->product);
    second_of_classes(j, &w, first, panel, CURVE_CLASSES, j->curvature);
}

/* ---- calls ---- */

static void hand_out(job *j, int32_t workers, int64_t count, lossi_task task)
{
    if (workers > 1) {
        lossi_parallel(j->call->context, count, task, j);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        task(j, i, 0);
    }
}

/* Sizes of panels, and scratch. */
static loss_status prepare_job(job *j, int32_t workers)
{
    worker unused;
    j->stride = (j->d + LOSSI_LANES - 1) / LOSSI_LANES * LOSSI_LANES;
    j->panel = TILE;
    /* bytes of a row of a panel: of second derivatives with its tiles, of which there are more then */
    const int64_t panels = j->second ? 4 : 3, tiles = j->second ? (j->by.cap > 0 ? 6 : 3) : 0;
    const int64_t each = (panels * (j->stride + 1) + tiles * TILE) * (int64_t)sizeof(double);
    while (j->panel > 1 && j->panel * each > PANEL_BYTES / workers) {
        j->panel /= 2;
    }
    const int64_t sums = (j->call->rows * (int64_t)sizeof(row_sums) + CACHE_LINE - 1) / CACHE_LINE *
                         CACHE_LINE;
    j->scratch_each = lay_out(j, NULL, &unused);
    j->scratch = lossi_scratch(j->call->context, sums + j->scratch_each * workers);
    if (j->scratch == NULL) {
        return lossi_fail_memory(j->call->context, "scratch");
    }
    j->sums = (row_sums *)(void *)j->scratch;
    j->scratch += sums;
    return LOSS_OK;
}

static setting setting_of(const job *j)
{
    const lossi_prepared *prepared = &j->call->function->prepared;
    const double smoothing = prepared->parameters[LABEL_SMOOTHING], z_loss = prepared->parameters[Z_LOSS];
    setting made = {.class_weight = prepared->class_weight,
                    .smoothing = smoothing,
                    .even = smoothing / (double)j->classes,
                    .temperature = prepared->parameters[TEMPERATURE],
                    .rate = 1 / prepared->parameters[TEMPERATURE],
                    .z_loss = z_loss,
                    .cap = prepared->parameters[SOFT_CAP],
                    .classes = j->classes,
                    .plain = smoothing == 0 && z_loss == 0};
    if (made.cap > 0 && made.cap < DBL_MIN) {
        made.cap = DBL_MIN; /* a smaller one would have no reciprocal, and makes all logits 0 as this does */
    }
    made.offset = made.cap > 0 ? 0 : common_offset(j); /* which a capped logit does not leave as it is */
    made.rate_missing = fma(-made.rate, made.temperature, 1) / made.temperature;
    for (int64_t c = 0; c < j->classes; c++) {
        lossi_add_kept(&made.weights, &made.weights_lost, weight_of(&made, c));
    }
    return made;
}

/* What is wanted of which role, and along what. */
static void bind_outputs(job *j)
{
    static const int32_t places[] = {FEATURES, COEFFICIENTS, BIAS};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        const int32_t r = places[k];
        const lossi_bound_role *role = &j->call->roles[r];
        j->along[r] = role->direction;
        j->gradient[r] = role->output[LOSSI_OF_GRADIENT];
        j->curvature[r] = role->output[LOSSI_OF_CURVATURE];
        j->product[r] = role->output[LOSSI_OF_PRODUCT];
        j->second |= j->curvature[r] != NULL || j->product[r] != NULL;
        j->of_classes |= r != FEATURES &&
                         (j->gradient[r] != NULL || j->curvature[r] != NULL || j->product[r] != NULL);
    }
}

static loss_status drive(const lossi_structured_call *call, const lossi_kernels *kernels, double *sum,
                         double *denominator)
{
    const lossi_bound_role *roles = call->roles;
    job j = {
        .call = call,
        .kernels = kernels,
        .wide_kernels = lossi_registry_kernels(call->function->index, lossi_context_isa(call->context),
                                               lossi_real_index(LOSS_FLOAT64)),
        .linear = lossi_linear_kernels_for(lossi_context_isa(call->context), lossi_real_index(call->dtype)),
        .features = roles[FEATURES].input,
        .coefficients = roles[COEFFICIENTS].input,
        .bias = roles[BIAS].input,
        .gauss_newton = call->function->curvature_kind == LOSSI_GAUSS_NEWTON,
        .d = call->columns,
        .classes = roles[COEFFICIENTS].input->rows,
        .cut = lossi_cut_rows(call->rows, TILE)};
    double sums[LOSSI_SLICES], denominators[LOSSI_SLICES];
    const int32_t threads = lossi_context_threads(call->context);
    const int32_t workers = (double)call->rows * (double)j.classes * (double)j.d >= PARALLEL_WORK ? threads
                                                                                                  : 1;
    bind_outputs(&j);
    loss_status status = check_labels(&j);
    j.by = setting_of(&j); /* a cap takes scratch */
    if (status == LOSS_OK) {
        status = prepare_job(&j, workers);
    }
    if (status != LOSS_OK) {
        return status;
    }
    for (int64_t s = 0; s < j.cut.slices; s++) {
        lossi_total_clear(&j.totals[s]);
    }
    hand_out(&j, workers, j.cut.slices, slice_of_rows);
    if (j.of_classes) {
        hand_out(&j, workers, (j.classes + j.panel - 1) / j.panel, panel_of_classes);
    }
    for (int64_t s = 0; s < j.cut.slices; s++) {
        sums[s] = j.totals[s].sum;
        denominators[s] = j.totals[s].denominator;
    }
    if (sum != NULL) {
        *sum = lossi_sum_slices(sums, j.cut.slices);
    }
    if (denominator != NULL) {
        *denominator = lossi_sum_slices(denominators, j.cut.slices);
    }
    return LOSS_OK;
}

#endif
