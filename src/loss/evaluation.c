/*
 * A tile of rows: fetch what is not contiguous, check it, call the kernel, weigh, add up, put away what was wanted.
 *
 * Where the user's arrays are contiguous the kernel works on them directly; otherwise on copies in scratch, which fit the
 * first-level cache. Masked rows are left out before anything is read, so the kernel never sees them.
 */
#include "loss/evaluation.h"

#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "core/prefetch.h"
#include "loss/array_rows.h"
#include "loss/formula/formula.h"
#include "loss/registry.h"
#include "loss/user.h"

enum { ALIGNMENT = 64 };

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- description ---- */

static loss_status check_rows(loss_context *context, const lossi_array *array, int64_t rows)
{
    if (array == NULL || (array->rows == rows && array->columns == 1)) {
        return LOSS_OK;
    }
    return lossi_fail(context, LOSS_ERROR_SHAPE, "'%s' is %lld x %lld; %lld x 1 was expected", array->role,
                      (long long)array->rows, (long long)array->columns, (long long)rows);
}

static loss_status check_types(loss_context *context, const lossi_evaluation *e)
{
    if (e->dtype != LOSS_FLOAT32 && e->dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "predictions are float32 or float64, not %s",
                          loss_dtype_name(e->dtype));
    }
    if (e->target != NULL && e->target->dtype != e->dtype && !lossi_is_integer(e->target->dtype)) {
        return lossi_fail(context, LOSS_ERROR_TYPE,
                          "'target' is %s; %s like the prediction, int32 or int64 was expected",
                          loss_dtype_name(e->target->dtype), loss_dtype_name(e->dtype));
    }
    if (e->weight != NULL && e->weight->dtype != e->dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'weight' is %s; %s like the prediction was expected",
                          loss_dtype_name(e->weight->dtype), loss_dtype_name(e->dtype));
    }
    if (e->mask != NULL && e->mask->dtype != LOSS_UINT8 && !lossi_is_integer(e->mask->dtype)) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'mask' is %s; uint8, int32 or int64 was expected",
                          loss_dtype_name(e->mask->dtype));
    }
    return LOSS_OK;
}

/* The setter refuses a majorizer that is not there, but a later option may take it away. */
loss_status lossi_evaluation_check_curvature(loss_context *context, const loss_function *function)
{
    if (function->curvature_kind != LOSSI_MAJORIZER || (function->prepared.flags & LOSSI_MAJORIZED) != 0) {
        return LOSS_OK;
    }
    return lossi_fail(context, LOSS_ERROR_SUPPORT,
                      "%s has no quadratic upper bound with these options, so no majorizer", function->title);
}

/* One weight a class. */
static loss_status check_weights(loss_context *context, const lossi_evaluation *e, const char *name,
                                 const double *weights, int64_t count)
{
    if (weights == NULL || count == e->columns) {
        return LOSS_OK;
    }
    return lossi_fail(context, LOSS_ERROR_SHAPE,
                      "'%s' of %s has %lld elements; the prediction has %lld columns", name,
                      e->function->title, (long long)count, (long long)e->columns);
}

static loss_status check_target(loss_context *context, const lossi_evaluation *e, int64_t data_rows)
{
    const lossi_array *target = e->target;
    const lossi_prepared *prepared = &e->function->prepared;
    int64_t columns = e->labels ? 1 : e->columns;
    if (target == NULL) { /* and there should be none */
        return LOSS_OK;
    }
    if ((e->function->row->flags & LOSSI_LABELS_ONLY) != 0 && !e->labels) {
        return lossi_fail(context, LOSS_ERROR_TYPE,
                          "'target' is %s; %s takes class labels: int32 or int64 was expected",
                          loss_dtype_name(target->dtype), e->function->title);
    }
    if (target->rows != data_rows || target->columns != columns) {
        return lossi_fail(context, LOSS_ERROR_SHAPE, "'target' is %lld x %lld; %lld x %lld was expected%s",
                          (long long)target->rows, (long long)target->columns, (long long)data_rows,
                          (long long)columns, e->labels ? " for class labels" : "");
    }
    if ((e->function->row->flags & LOSSI_POINTWISE) == 0 && e->columns < 1 && data_rows > 0) {
        return lossi_fail(context, LOSS_ERROR_SHAPE,
                          "'prediction' has no columns; one per class was expected");
    }
    loss_status status = check_weights(context, e, "class_weight", prepared->class_weight,
                                       prepared->class_weights);
    if (status == LOSS_OK) {
        status = check_weights(context, e, "positive_weight", prepared->positive_weight,
                               prepared->positive_weights);
    }
    return status;
}

loss_status lossi_evaluation_fail_role(loss_context *context, const char *kind, const char *role,
                                       lossi_name_at name_at, const void *names, int32_t count)
{
    return strcmp(role, "scale") != 0
               ? lossi_fail_name(context, kind, role, name_at, names, count)
               : lossi_fail(context, LOSS_ERROR_NAME,
                            "there is no %s 'scale'; the factor on derivatives is the scalar of that name, "
                            "set by loss_data_set_double()",
                            kind);
}

static void set_kernels(lossi_evaluation *e, int32_t isa, int32_t real_index)
{
    const loss_function *function = e->function;
    const lossi_formula *formula = function->prepared.formula;
    e->isa = isa;
    e->own_scratch = formula != NULL ? padded(formula->scratch) : 0;
    e->callback = function->user != NULL && formula == NULL;
    e->serial = function->user != NULL && !function->user->thread_safe;
    e->kernels = formula != NULL ? lossi_formula_kernels(real_index)
                 : e->callback   ? lossi_user_kernels(real_index)
                                 : lossi_registry_kernels(function->index, isa, real_index);
    e->tiles = lossi_tile_kernels_for(isa, real_index);
}

loss_status lossi_evaluation_init(lossi_evaluation *e, loss_context *context, const loss_function *function,
                                  loss_dtype dtype, int64_t rows, int64_t columns, const lossi_array *target,
                                  const lossi_array *weight, const lossi_array *mask)
{
    memset(e, 0, sizeof *e);
    if (function->row->structure != NULL) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT,
                          "%s reads more than predictions and targets; use loss_function_evaluate()",
                          function->title);
    }
    const int32_t targeted = (function->row->flags & LOSSI_NO_TARGET) == 0;
    if (target == NULL && targeted) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s needs the role 'target'", function->title);
    }
    if (target != NULL && !targeted) {
        return lossi_fail(context, LOSS_ERROR_NAME, "%s has no role 'target': it reads predictions alone",
                          function->title);
    }
    e->function = function;
    e->dtype = dtype;
    e->rows = rows;
    e->columns = columns;
    e->scale = 1;
    e->target = target;
    e->weight = weight;
    e->mask = mask;
    loss_status status = check_types(context, e);
    if (status == LOSS_OK) {
        status = lossi_evaluation_check_curvature(context, function);
    }
    if (status != LOSS_OK) {
        return status;
    }
    e->real_size = (int32_t)loss_dtype_size(dtype);
    e->labels = target != NULL && (function->row->flags & LOSSI_LABELS) != 0 &&
                lossi_is_integer(target->dtype);
    int32_t isa = lossi_context_isa(context), real_index = lossi_real_index(dtype);
    set_kernels(e, isa, real_index);
    status = check_target(context, e, rows);
    if (status == LOSS_OK) {
        status = check_rows(context, weight, rows);
    }
    return status == LOSS_OK ? check_rows(context, mask, rows) : status;
}

/* ---- scratch ---- */

/* Buffers of a tile's elements, then of its rows. */
enum { PREDICTION, TARGET, DIRECTION, VALUE, GRADIENT, CURVATURE, PRODUCT, ELEMENT_BUFFERS };
enum { WEIGHT, DENOMINATOR, LABELS, ACTIVE, ROW_BUFFERS };

int64_t lossi_evaluation_scratch(const lossi_evaluation *e, int64_t tile_rows)
{
    return ELEMENT_BUFFERS * padded(tile_rows * e->columns * e->real_size) +
           ROW_BUFFERS * padded(tile_rows * 8) + e->own_scratch;
}

typedef struct work {
    const lossi_evaluation *e;
    char *elements[ELEMENT_BUFFERS], *by_row[ROW_BUFFERS], *own;
    int64_t first, rows;   /* the tile */
    const int64_t *active; /* NULL: all of them; else which of its rows count */
    int64_t count;         /* how many */
} work;

static void lay_out(work *w, const lossi_evaluation *e, char *scratch, int64_t tile_rows)
{
    int64_t element_bytes = padded(tile_rows * e->columns * e->real_size), row_bytes = padded(tile_rows * 8);
    for (int32_t i = 0; i < ELEMENT_BUFFERS; i++, scratch += element_bytes) {
        w->elements[i] = scratch;
    }
    for (int32_t i = 0; i < ROW_BUFFERS; i++, scratch += row_bytes) {
        w->by_row[i] = scratch;
    }
    w->own = scratch;
}

/* ---- fetching ---- */

/* The row of the data that row i of the tile is. */
static int64_t data_row(const work *w, int64_t i)
{
    return w->e->indices != NULL ? w->e->indices[w->first + i] : w->first + i;
}

/* The row of the tile that active row i is. */
static int64_t tile_row(const work *w, int64_t i)
{
    return w->active != NULL ? w->active[i] : i;
}

int32_t lossi_masked(const lossi_array *mask, int64_t row)
{
    static const char zero[8] = {0};
    int64_t size = mask == NULL ? 0 : loss_dtype_size(mask->dtype);
    return mask != NULL && memcmp(mask->pointer + row * mask->row_stride * size, zero, (size_t)size) == 0;
}

static void choose_active(work *w)
{
    int64_t *active = (int64_t *)(void *)w->by_row[ACTIVE];
    w->active = NULL;
    w->count = w->rows;
    if (w->e->mask == NULL) {
        return;
    }
    w->count = 0;
    for (int64_t i = 0; i < w->rows; i++) {
        if (!lossi_masked(w->e->mask, data_row(w, i))) {
            active[w->count++] = i;
        }
    }
    w->active = w->count == w->rows ? NULL : active;
}

/* Active rows of the user's array, which is addressed by rows of the data. */
static const char *fetch_array(const work *w, const lossi_array *array, int64_t columns, char *buffer)
{
    const lossi_evaluation *e = w->e;
    int64_t size = loss_dtype_size(array->dtype);
    int32_t dense = !e->callback && (array->column_stride == 1 || columns == 1) &&
                    (array->row_stride == columns || w->rows == 1);
    if (dense && array->dtype == e->dtype && w->active == NULL && e->indices == NULL) {
        return array->pointer + w->first * array->row_stride * size;
    }
    for (int64_t i = 0; i < w->count; i++) {
        int64_t row = data_row(w, tile_row(w, i));
        lossi_copy_row(array->pointer + row * array->row_stride * size, array->dtype, array->column_stride,
                       buffer + i * columns * e->real_size, e->dtype, columns);
    }
    return buffer;
}

/* Whether a kernel can work on the view itself. */
static int32_t direct(const work *w, const lossi_view *view)
{
    int64_t columns = w->e->columns;
    return w->active == NULL && !w->e->callback && (view->column_stride == 1 || columns == 1) &&
           (view->row_stride == columns || w->rows == 1);
}

/* Active rows of a view, which is addressed by rows of the tile. */
static const char *fetch_view(const work *w, const lossi_view *view, char *buffer)
{
    const lossi_evaluation *e = w->e;
    if (direct(w, view)) {
        return view->pointer;
    }
    for (int64_t i = 0; i < w->count; i++) {
        lossi_copy_row(view->pointer + tile_row(w, i) * view->row_stride * e->real_size, e->dtype,
                       view->column_stride, buffer + i * e->columns * e->real_size, e->dtype, e->columns);
    }
    return buffer;
}

static const int64_t *fetch_labels(const work *w)
{
    const lossi_array *target = w->e->target;
    int64_t *labels = (int64_t *)(void *)w->by_row[LABELS], size = loss_dtype_size(target->dtype);
    for (int64_t i = 0; i < w->count; i++) {
        int64_t row = data_row(w, tile_row(w, i));
        labels[i] = lossi_integer_at(target->pointer + row * target->row_stride * size, target->dtype);
    }
    return labels;
}

/* ---- checking ---- */

static int32_t note(const work *w, lossi_total *total, loss_status status, const char *role,
                    int64_t active_row, double bad)
{
    total->status = status;
    total->role = role;
    total->row = data_row(w, tile_row(w, active_row));
    total->bad = bad;
    return 0;
}

/* Whether a real array of the tile keeps to its domain. */
static int32_t keeps_to(const work *w, lossi_total *total, const char *role, const char *array,
                        const lossi_domain *domain)
{
    const lossi_evaluation *e = w->e;
    if (isinf(domain->low) && isinf(domain->high)) {
        return 1;
    }
    int64_t index = e->tiles->outside(w->count * e->columns, array, domain);
    return index < 0 ? 1
                     : note(w, total, LOSS_ERROR_DOMAIN, role, index / e->columns,
                            lossi_real_at(e->dtype, array, index));
}

static int32_t labels_are_classes(const work *w, lossi_total *total, const int64_t *labels)
{
    int64_t ignored = w->e->function->prepared.ignore_label;
    for (int64_t i = 0; i < w->count; i++) {
        if ((labels[i] < 0 || labels[i] >= w->e->columns) && labels[i] != ignored) {
            total->label = labels[i];
            return note(w, total, LOSS_ERROR_LABEL, "target", i, (double)labels[i]);
        }
    }
    return 1;
}

loss_status lossi_evaluation_fail(const lossi_evaluation *e, loss_context *context, const lossi_total *total)
{
    char bad[32], low[32], high[32];
    if (total->status == LOSS_ERROR_CALLBACK) {
        return lossi_fail_callback(context, e->function->title, total->callback_status);
    }
    const lossi_domain *domain = strcmp(total->role, "target") == 0 ? &e->function->prepared.target
                                                                    : &e->function->prepared.prediction;
    if (total->status == LOSS_ERROR_LABEL) {
        return lossi_fail_row(context, total->status, total->row,
                              "the label of row %lld is %lld; with %lld classes it is 0 … %lld",
                              (long long)total->row, (long long)total->label, (long long)e->columns,
                              (long long)e->columns - 1);
    }
    return lossi_fail_row(context, total->status, total->row, "the %s of row %lld is %s; %s takes %s %s %s",
                          total->role, (long long)total->row, lossi_number(total->bad, bad),
                          e->function->title, lossi_number(domain->low, low), domain->discrete ? "or" : "…",
                          lossi_number(domain->high, high));
}

/* ---- putting away ---- */

/* Copies a tile's output to where it is wanted; rows that do not count become 0. */
static void put_away(const work *w, const char *from, const lossi_view *view, int64_t columns)
{
    const lossi_evaluation *e = w->e;
    int64_t size = e->real_size, next = 0;
    if (view->pointer == NULL || view->pointer == from) {
        return;
    }
    if (w->active == NULL && (view->column_stride == 1 || columns == 1) &&
        (view->row_stride == columns || w->rows == 1)) {
        if (e->streaming) {
            e->tiles->stream(w->rows * columns, from, view->pointer);
        } else {
            memcpy(view->pointer, from, (size_t)(w->rows * columns * size));
        }
        return;
    }
    for (int64_t i = 0; i < w->rows; i++) {
        char *row = view->pointer + i * view->row_stride * size;
        if (w->active != NULL && (next == w->count || w->active[next] != i)) {
            lossi_put_row(NULL, row, view->column_stride, columns, size);
            continue;
        }
        lossi_put_row(from + next * columns * size, row, view->column_stride, columns, size);
        next++;
    }
}

/* Where a kernel writes an output: its place when that is contiguous and in the caches, else scratch. */
static char *output(const work *w, const lossi_view *view, int32_t buffer, int32_t needed)
{
    if (view->pointer != NULL && direct(w, view) && !w->e->streaming) {
        return view->pointer;
    }
    return view->pointer != NULL || needed ? w->elements[buffer] : NULL;
}

/* The same of the gradient, which curvatures and products need as well. */
static char *gradient_output(const work *w, const lossi_place *place, const char *prediction)
{
    char *gradient = output(w, &place->gradient, GRADIENT,
                            place->curvature.pointer != NULL || place->product.pointer != NULL);
    const int32_t apart = (w->e->function->row->flags & LOSSI_APART) != 0;
    return apart && gradient == prediction ? w->elements[GRADIENT] : gradient;
}

/* ---- adding up ---- */

void lossi_total_clear(lossi_total *total)
{
    memset(total, 0, sizeof *total);
    total->nonfinite_row = -1;
}

void lossi_total_end_block(lossi_total *total)
{
    total->sum += lossi_sum_lanes(total->lanes);
    total->denominator += lossi_sum_lanes(total->weight_lanes);
    memset(total->lanes, 0, sizeof total->lanes);
    memset(total->weight_lanes, 0, sizeof total->weight_lanes);
}

/* A lane that is not finite stays so: only then is it worth looking for the row. */
static void look_for_nonfinite(const work *w, lossi_total *total, const char *value, int64_t columns)
{
    double probe = 0;
    if (total->nonfinite_row >= 0) {
        return;
    }
    for (int32_t i = 0; i < LOSSI_LANES; i++) {
        probe += total->lanes[i] * 0; /* 0, or NaN */
    }
    if (probe == 0) {
        return;
    }
    int64_t index = w->e->tiles->nonfinite(w->count * columns, value);
    if (index >= 0) {
        total->nonfinite_row = data_row(w, tile_row(w, index / columns));
    }
}

/* Adds the rows' part of the denominator: weight × columns, or weight × what the kernel says. */
static void add_denominator(const work *w, lossi_total *total, const char *weight, const char *denominator)
{
    const lossi_evaluation *e = w->e;
    if (denominator == NULL && weight == NULL) {
        total->weight_lanes[0] += (double)(w->count * e->columns); /* integers: exact in any order */
        return;
    }
    for (int64_t i = 0; i < w->count; i++) {
        double part = denominator != NULL ? lossi_real_at(e->dtype, denominator, i) : (double)e->columns;
        total->weight_lanes[i % LOSSI_LANES] += weight != NULL ? part * lossi_real_at(e->dtype, weight, i)
                                                               : part;
    }
}

/* ---- the tile ---- */

/* Inputs of the kernel; 0 when a row is bad, which total then says. */
static int32_t fetch_inputs(work *w, const lossi_place *place, lossi_tile *tile, lossi_total *total)
{
    const lossi_evaluation *e = w->e;
    const lossi_prepared *prepared = &e->function->prepared;

    tile->prediction = fetch_view(w, &place->prediction, w->elements[PREDICTION]);
    if (!keeps_to(w, total, "prediction", tile->prediction, &prepared->prediction)) {
        return 0;
    }
    if (e->labels) {
        tile->labels = fetch_labels(w);
        return labels_are_classes(w, total, tile->labels);
    }
    if (e->target == NULL) {
        tile->target = tile->prediction;
        return 1;
    }
    tile->target = fetch_array(w, e->target, e->columns, w->elements[TARGET]);
    return keeps_to(w, total, "target", tile->target, &prepared->target);
}

/* 0 when a callback said no, which total then says. */
static int32_t run(const lossi_evaluation *e, lossi_tile *tile, int32_t pointwise, lossi_total *total)
{
    tile->callback_status = &total->callback_status;
    if (pointwise) {
        tile->rows *= tile->columns;
        tile->columns = 1;
    }
    if (tile->curvature != NULL || tile->product != NULL) {
        e->kernels->everything(tile);
    } else if (tile->gradient != NULL) {
        e->kernels->gradient(tile);
    } else {
        e->kernels->value(tile);
    }
    if (total->callback_status != 0) {
        total->status = LOSS_ERROR_CALLBACK;
    }
    return total->status == LOSS_OK;
}

/* Multiplies what the tile gave by the weights of its rows; gives these, NULL where there are none. */
static const char *weigh(work *w, const lossi_tile *tile, int64_t value_columns, int64_t columns)
{
    const lossi_evaluation *e = w->e;
    void *const derivatives[] = {tile->gradient, tile->curvature, tile->product};
    if (e->weight == NULL) {
        return NULL;
    }
    const char *weight = fetch_array(w, e->weight, 1, w->by_row[WEIGHT]);
    e->tiles->weigh(w->count, value_columns, weight, tile->value);
    for (int32_t i = 0; i < 3; i++) {
        if (derivatives[i] != NULL) {
            e->tiles->weigh(w->count, columns, weight, derivatives[i]);
        }
    }
    return weight;
}

void lossi_evaluation_tile(const lossi_evaluation *e, char *scratch, int64_t tile_rows, int64_t first,
                           int64_t rows, const lossi_place *place, lossi_total *total)
{
    const int32_t pointwise = (e->function->row->flags & LOSSI_POINTWISE) != 0;
    const int64_t value_columns = pointwise ? e->columns : 1, elements_per_row = e->columns;
    work w = {.e = e, .first = first, .rows = rows};
    lossi_tile tile = {.prepared = &e->function->prepared,
                       .scale = e->scale,
                       .curvature_kind = e->function->curvature_kind,
                       .isa = e->isa,
                       .ask_ahead = lossi_ask_ahead(LOSSI_POINTWISE_AHEAD),
                       .columns = e->columns,
                       .prediction_stride = e->columns,
                       .target_stride = e->columns,
                       .direction_stride = e->columns,
                       .gradient_stride = e->columns,
                       .curvature_stride = e->columns,
                       .product_stride = e->columns};
    const int32_t product_wanted = place->product.pointer != NULL;

    lay_out(&w, e, scratch, tile_rows);
    tile.scratch = w.own;
    choose_active(&w);
    tile.rows = w.count;
    if (!fetch_inputs(&w, place, &tile, total)) {
        return;
    }
    const int32_t whole = w.active == NULL &&
                          pointwise; /* a row-wise value may have any stride: it goes by scratch */
    tile.value = whole ? output(&w, &place->value, VALUE, 1) : w.elements[VALUE];
    tile.gradient = gradient_output(&w, place, tile.prediction);
    tile.curvature = output(&w, &place->curvature, CURVATURE, product_wanted && pointwise);
    if (product_wanted) {
        tile.direction = fetch_view(&w, &place->direction, w.elements[DIRECTION]);
        tile.product = pointwise ? NULL : output(&w, &place->product, PRODUCT, 1);
    }
    tile.denominator = pointwise ? NULL : w.by_row[DENOMINATOR];
    if (!run(e, &tile, pointwise, total)) {
        return;
    }
    if (product_wanted && pointwise) {
        tile.product = output(&w, &place->product, PRODUCT, 1);
        e->tiles->multiply(w.count * elements_per_row, tile.curvature, tile.direction, tile.product);
    }

    const char *weight = weigh(&w, &tile, value_columns, elements_per_row);
    e->tiles->sum(w.count * value_columns, tile.value, total->lanes);
    look_for_nonfinite(&w, total, tile.value, value_columns);
    add_denominator(&w, total, weight, tile.denominator);

    put_away(&w, tile.value, &place->value, value_columns);
    put_away(&w, tile.gradient, &place->gradient, elements_per_row);
    put_away(&w, tile.curvature, &place->curvature, elements_per_row);
    put_away(&w, tile.product, &place->product, elements_per_row);
}
