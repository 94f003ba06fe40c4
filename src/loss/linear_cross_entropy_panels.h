/*
 * Panels and tiles of linear_cross_entropy_driver.h: where rows of the arrays are found and results put, the scratch of a worker, and
 * products of a panel with what goes by.
 */
#ifndef LOSSI_LOSS_LINEAR_CROSS_ENTROPY_PANELS_H
#define LOSSI_LOSS_LINEAR_CROSS_ENTROPY_PANELS_H

#include <math.h>

#include "core/isa.h"
#include "loss/array_rows.h"
#include "loss/linear_kernels.h"
#include "loss/registry.h"
#include "loss/structured_call.h"

enum {
    PANEL_BYTES = 4 << 20, /* of all threads together, where a panel of one row is not larger */
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

/* ---- logits ---- */

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

#endif
