/*
 * The driver of linear_cross_entropy.c: tiles of logits made, used and forgotten.
 *
 * Two sweeps. By rows: a panel of rows meets all classes once for its sums, and once more for ∂x. By classes: a panel of classes meets
 * all rows for ∂c and ∂b. A panel is widened to double; what it meets goes by in tiles. Slices of rows and panels of classes
 * go to threads. A panel holds as much as a share of PANEL_BYTES, which changes no bit: every sum runs over what goes by.
 */
#ifndef LOSSI_LOSS_LINEAR_CROSS_ENTROPY_DRIVER_H
#define LOSSI_LOSS_LINEAR_CROSS_ENTROPY_DRIVER_H

#include <math.h>

#include "core/isa.h"
#include "loss/array_rows.h"
#include "loss/linear_kernels.h"
#include "loss/registry.h"
#include "loss/structured_call.h"

enum {
    PANEL_BYTES = 4 << 20,   /* of all threads together, where a panel of one row is not larger */
    PARALLEL_WORK = 1 << 20, /* products; fewer cost more to hand out than to do */
    CACHE_LINE = 64
};

/* What a row leaves for the sweep by classes. */
typedef struct row_sums {
    double maximum, maximum_missing, others, z_slope;
    double mean, apart; /* of products */
    int64_t top;
} row_sums;

/* One call. */
typedef struct job {
    const lossi_structured_call *call;
    const lossi_kernels *kernels, *wide_kernels; /* those of float64 cap the logits of both types */
    const lossi_linear_kernels *linear;
    const lossi_array *features, *coefficients, *bias;
    const lossi_array *along[ROLES], *gradient[ROLES], *curvature[ROLES], *product[ROLES]; /* NULL: none */
    int32_t second,
        of_classes; /* whether there is a curvature or a product; something of coefficients or bias */
    int32_t gauss_newton;
    int64_t d, classes, stride, panel;
    lossi_cut cut;
    setting by;
    row_sums *sums;
    char *scratch;
    int64_t scratch_each;
    lossi_total totals[LOSSI_SLICES];
} job;

/* What a worker has: a panel as double, what accumulates on it and in the block, a tile of logits, copies of what goes by. */
typedef struct worker {
    double *panel, *total, *block, *z;
    double *missing, *slope;                     /* NULL without a cap */
    double *second_panel, *along, *bend, *spare; /* of second derivatives: NULL without */
    char *copies, *along_copies, *row;
    row_state rows;
} worker;

/* Whether rows of an array are read from copies (real_row). */
static int32_t needs_copies(const job *j, const lossi_array *array)
{
    return array != NULL && (!lossi_array_dense(array) || array->dtype != j->call->dtype ||
                             (uintptr_t)array->pointer % (uintptr_t)j->call->real_size != 0);
}

static int64_t lay_out(const job *j, char *base, worker *w)
{
    const int64_t numbers = (j->panel * j->stride + j->panel) * (int64_t)sizeof(double),
                  row = j->d * j->call->real_size;
    int64_t used = 0;
    w->panel = (double *)(void *)lossi_structured_take(base, &used, numbers);
    w->total = (double *)(void *)lossi_structured_take(base, &used, numbers);
    w->block = (double *)(void *)lossi_structured_take(base, &used, numbers);
    w->z = (double *)(void *)lossi_structured_take(base, &used, TILE * j->panel * (int64_t)sizeof(double));
    w->missing = w->slope = NULL;
    if (j->by.cap > 0) {
        const int64_t bytes = TILE * j->panel * (int64_t)sizeof(double);
        w->missing = (double *)(void *)lossi_structured_take(base, &used, bytes);
        w->slope = (double *)(void *)lossi_structured_take(base, &used, bytes);
    }
    w->second_panel = w->along = w->bend = w->spare = NULL;
    if (j->second) {
        const int64_t bytes = TILE * j->panel * (int64_t)sizeof(double);
        w->second_panel = (double *)(void *)lossi_structured_take(base, &used, numbers);
        w->along = (double *)(void *)lossi_structured_take(base, &used, bytes);
        w->spare = (double *)(void *)lossi_structured_take(base, &used, bytes);
        w->bend = j->by.cap > 0 ? (double *)(void *)lossi_structured_take(base, &used, bytes) : NULL;
    }
    w->row = lossi_structured_take(base, &used, row);
    const int32_t copied = needs_copies(j, j->features) || needs_copies(j, j->coefficients);
    const int32_t along_copied = needs_copies(j, j->along[FEATURES]) ||
                                 needs_copies(j, j->along[COEFFICIENTS]);
    w->copies = lossi_structured_take(base, &used, copied ? TILE * row : 0);
    w->along_copies = lossi_structured_take(base, &used, along_copied ? TILE * row : 0);
    return used;
}

/* ---- rows of arrays ---- */

/* Row i as contiguous reals: where it is when it is that, else in `copy`. */
static const void *real_row(const job *j, const lossi_array *array, int64_t i, char *copy)
{
    const char *from = array->pointer + i * array->row_stride * loss_dtype_size(array->dtype);
    if (array->dtype == j->call->dtype && (array->column_stride == 1 || array->columns == 1) &&
        (uintptr_t)from % (uintptr_t)j->call->real_size == 0 && lossi_array_dense(array)) {
        return from;
    }
    lossi_copy_row(from, array->dtype, array->column_stride, copy, j->call->dtype, array->columns);
    return copy;
}

static void widen_row(const job *j, worker *w, const lossi_array *array, int64_t i, double *to)
{
    const double *wide = j->linear->widen(j->d, real_row(j, array, i, w->row), to);
    if (wide != to) {
        memcpy(to, wide, (size_t)j->d * sizeof *to);
    }
}

/* Row i to row k of the panel. */
static void set_panel(const job *j, worker *w, const lossi_array *array, int64_t i, int64_t k)
{
    double *to = w->panel + k * j->stride;
    widen_row(j, w, array, i, to);
    memset(to + j->d, 0, (size_t)(j->stride - j->d) * sizeof *to);
}

/* Doubles, as reals, to row i of an output from column `first` on. */
static void put_numbers(const job *j, const lossi_array *to, int64_t i, int64_t first, const double *from,
                        int64_t count)
{
    const int64_t size = j->call->real_size;
    for (int64_t k = 0; k < count; k++) {
        char *place = to->pointer + (i * to->row_stride + (first + k) * to->column_stride) * size;
        const float narrow = (float)from[k];
        memcpy(place, size == 4 ? (const void *)&narrow : (const void *)&from[k], (size_t)size);
    }
}

/* ---- rows ---- */

static int64_t label_of(const job *j, int64_t row)
{
    const lossi_array *labels = j->call->roles[TARGET].input;
    return lossi_integer_at(labels->pointer + row * labels->row_stride * loss_dtype_size(labels->dtype),
                            labels->dtype);
}

static int32_t counts(const job *j, int64_t row)
{
    return !lossi_masked(j->call->mask, row) && label_of(j, row) != j->call->function->prepared.ignore_label;
}

static loss_status check_labels(const job *j)
{
    const lossi_prepared *prepared = &j->call->function->prepared;
    if (prepared->class_weight != NULL && prepared->class_weights != j->classes) {
        return lossi_fail(j->call->context, LOSS_ERROR_SHAPE,
                          "the option 'class_weight' has %lld numbers; %lld were expected, one a class",
                          (long long)prepared->class_weights, (long long)j->classes);
    }
    for (int64_t row = 0; row < j->call->rows; row++) {
        if (counts(j, row) && (label_of(j, row) < 0 || label_of(j, row) >= j->classes)) {
            return lossi_fail_row(
                j->call->context, LOSS_ERROR_LABEL, row,
                "the target of row %lld is %lld; 0 … %lld or %lld, which is ignored, was expected",
                (long long)row, (long long)label_of(j, row), (long long)j->classes - 1,
                (long long)prepared->ignore_label);
        }
    }
    return LOSS_OK;
}

/* The rows from `first` to before `end` that count, at most TILE of them. */
static void gather(const job *j, int64_t first, int64_t end, row_state *rows)
{
    const double *class_weight = j->call->function->prepared.class_weight;
    const lossi_array *weight = j->call->weight;
    rows->count = 0;
    for (int64_t row = first; row < end; row++) {
        const int64_t k = rows->count;
        if (!counts(j, row)) {
            continue;
        }
        rows->index[k] = row;
        rows->label[k] = label_of(j, row);
        rows->own_weight[k] = class_weight == NULL ? 1 : class_weight[rows->label[k]];
        rows->weight[k] = weight == NULL
                              ? 1
                              : lossi_real_at(weight->dtype, weight->pointer, row * weight->row_stride);
        rows->factor[k] = (j->by.plain ? rows->own_weight[k] : 1) * rows->weight[k] * j->call->scale /
                          j->by.temperature;
        rows->maximum[k] = rows->anchor[k] = -__builtin_inf();
        rows->maximum_missing[k] = rows->anchor_missing[k] = rows->own_missing[k] = 0;
        rows->others[k] = rows->lost[k] = rows->linear[k] = rows->linear_lost[k] = rows->own[k] = 0;
        rows->mean[k] = rows->mean_lost[k] = rows->apart[k] = 0;
        rows->top[k] = 0;
        rows->count++;
    }
}

static void run(const job *j, tile *t, int32_t operation)
{
    const lossi_part part = {.prepared = &j->call->function->prepared, .scratch = t};
    t->operation = operation;
    t->by = &j->by;
    (operation == CAP ? j->wide_kernels : j->kernels)->part(&part);
}

/* The operation on a tile of fresh logits. */
static void run_on_logits(const job *j, tile *t, int32_t operation)
{
    if (t->missing != NULL) {
        run(j, t, CAP);
    }
    run(j, t, operation);
}

/* ---- products ---- */

/* Products of the panel with rows of an array; z has a line for each of these. */
static void multiply(const job *j, worker *w, const lossi_array *array, const int64_t *index, int64_t first,
                     int64_t count, int64_t panel, const void **x)
{
    const lossi_linear_shape shape = {j->d, panel, j->stride, 0};
    for (int64_t i = 0; i < count; i++) {
        x[i] = real_row(j, array, index != NULL ? index[i] : first + i,
                        w->copies + i * j->d * j->call->real_size);
    }
    j->linear->forward_wide(&shape, count, x, w->panel, w->z);
}

/* Adds the block to the total when it is full. */
static void end_tile(const job *j, worker *w, int64_t panel, int64_t number, int32_t last)
{
    const lossi_linear_shape shape = {j->d, panel, j->stride, 1};
    const int64_t size = lossi_linear_size(&shape);
    if (last || number % TILES_A_BLOCK == TILES_A_BLOCK - 1) {
        j->linear->add(size, w->block, w->total);
        memset(w->block, 0, (size_t)size * sizeof *w->block);
    }
}

/* Adds Σ g x of a tile to the block. */
static void accumulate(const job *j, worker *w, int64_t count, int64_t panel, const void *const *x,
                       int64_t number, int32_t last)
{
    const lossi_linear_shape shape = {j->d, panel, j->stride, 1};
    j->linear->backward(&shape, count, x, w->z, 0, w->block, NULL);
    end_tile(j, w, panel, number, last);
}

static void clear(const job *j, worker *w, int64_t panel)
{
    const size_t bytes = (size_t)(panel * j->stride + panel) * sizeof(double);
    memset(w->total, 0, bytes);
    memset(w->block, 0, bytes);
}

static double bias_at(const job *j, int64_t c)
{
    const lossi_array *bias = j->bias;
    const char *at = bias->pointer + c * bias->column_stride * loss_dtype_size(bias->dtype);
    return lossi_is_integer(bias->dtype) ? (double)lossi_integer_at(at, bias->dtype)
                                         : lossi_real_at(bias->dtype, at, 0);
}

/*
 * The largest finite bias, which is taken from all of them: the loss stays what it is, and logits do not lose the digits that an
 * offset common to them would take.
 */
static double common_offset(const job *j)
{
    double largest = -__builtin_inf();
    for (int64_t c = 0; c < j->classes && j->bias != NULL; c++) {
        const double bias = bias_at(j, c);
        largest = bias > largest && bias < __builtin_inf() ? bias : largest;
    }
    return largest > -__builtin_inf() ? largest : 0;
}

static double bias_of(const job *j, int64_t c)
{
    return bias_at(j, c) - j->by.offset;
}

/* ---- by rows ---- */

/* A tile of `classes` classes from `first` on. */
static tile tile_of(const job *j, worker *w, int64_t first, int64_t classes)
{
    return (tile){.rows = &w->rows,
                  .first = first,
                  .classes = classes,
                  .z = w->z,
                  .missing = w->missing,
                  .slope = w->slope,
                  .along = w->along,
                  .bend = w->bend,
                  .spare = w->spare,
                  .gauss_newton = j->gauss_newton,
                  .d = j->d,
                  .stride = j->stride,
                  .center = w->second_panel,
                  .sums = w->block};
}

/* Logits of a panel of `panel` rows and some classes. */
static void multiply_classes(const job *j, worker *w, int64_t first, int64_t count, int64_t panel,
                             const void **x)
{
    multiply(j, w, j->coefficients, NULL, first, count, panel, x);
    for (int64_t i = 0; i < count && j->bias != NULL; i++) {
        const double bias = bias_of(j, first + i);
        for (int64_t k = 0; k < panel; k++) {
            w->z[i * panel + k] += bias;
        }
    }
}

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

/* Logits of a panel of classes and the rows that are gathered. */
static void multiply_rows(const job *j, worker *w, int64_t first, int64_t panel, const void **x)
{
    multiply(j, w, j->features, w->rows.index, 0, w->rows.count, panel, x);
    for (int64_t k = 0; k < panel && j->bias != NULL; k++) {
        const double bias = bias_of(j, first + k);
        for (int64_t i = 0; i < w->rows.count; i++) {
            w->z[i * panel + k] += bias;
        }
    }
}

/* Gathers rows, with what they left for the sweep by classes. */
static void recall(const job *j, int64_t first, int64_t end, row_state *rows)
{
    gather(j, first, end, rows);
    for (int64_t k = 0; k < rows->count; k++) {
        const row_sums *sums = &j->sums[rows->index[k]];
        rows->maximum[k] = sums->maximum;
        rows->maximum_missing[k] = sums->maximum_missing;
        rows->others[k] = sums->others;
        rows->z_slope[k] = sums->z_slope;
        rows->inverse[k] = 1 / (1 + rows->others[k]);
        rows->mean[k] = sums->mean;
        rows->apart[k] = sums->apart;
        rows->top[k] = sums->top;
    }
}

/* The totals of a panel of classes to where they are wanted. */
static void put_classes(const job *j, const worker *w, int64_t first, int64_t panel,
                        const lossi_array *const *outputs)
{
    for (int64_t k = 0; k < panel && outputs[COEFFICIENTS] != NULL; k++) {
        put_numbers(j, outputs[COEFFICIENTS], first + k, 0, w->total + k * j->stride, j->d);
    }
    if (outputs[BIAS] != NULL) {
        put_numbers(j, outputs[BIAS], 0, first, w->total + panel * j->stride, panel);
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
    const int64_t panels = j->second ? 4 : 3;
    while (j->panel > 1 &&
           panels * j->panel * (j->stride + 1) * (int64_t)sizeof(double) > PANEL_BYTES / workers) {
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
