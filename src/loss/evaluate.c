/* The public evaluation: roles to arrays, rows to slices, slices to threads, totals to sum and denominator. */
#include <stddef.h>
#include <string.h>

#include "core/sparse.h"
#include "loss/plain.h"
#include "loss/structured.h"

enum {
    PARALLEL_ELEMENTS = 32768, /* fewer cost more to hand out than to do */
    /* about half of a last-level cache, the other half being what was read: above it, stores past the caches save a read */
    STREAM_BYTES = 16 * 1024 * 1024
};

/* What a call works on; outputs that are not wanted are NULL. */
typedef struct call {
    loss_context *context;
    lossi_evaluation e;
    const lossi_array *prediction, *direction;
    const lossi_array *value, *gradient, *curvature, *product;
    lossi_cut cut;
    int32_t is_plain;
    lossi_plain plain;
    char *scratch;
    int64_t scratch_each;
    lossi_total totals[LOSSI_SLICES];
} call;

/* ---- slices ---- */

static lossi_view view_from(const lossi_array *array, int64_t row)
{
    lossi_view view = {NULL, 0, 0};
    if (array != NULL) {
        view.pointer = array->pointer + row * array->row_stride * loss_dtype_size(array->dtype);
        view.row_stride = array->row_stride;
        view.column_stride = array->column_stride;
    }
    return view;
}

static void evaluate_tile(call *c, char *scratch, int64_t first, int64_t rows, lossi_total *total)
{
    const lossi_place place = {view_from(c->prediction, first), view_from(c->direction, first),
                               view_from(c->value, first),      view_from(c->gradient, first),
                               view_from(c->curvature, first),  view_from(c->product, first)};
    lossi_evaluation_tile(&c->e, scratch, c->cut.tile_rows, first, rows, &place, total);
}

static void evaluate_slice(void *argument, int64_t slice, int32_t worker)
{
    call *c = argument;
    lossi_total *total = &c->totals[slice];
    lossi_stream stream;
    char *scratch = c->scratch + worker * c->scratch_each;
    int64_t row = slice * c->cut.slice_rows, end = row + c->cut.slice_rows;

    lossi_total_clear(total);
    lossi_plain_begin(&stream);
    end = end < c->cut.rows ? end : c->cut.rows;
    while (c->is_plain && row < end && total->status == LOSS_OK) {
        const int64_t most = lossi_plain_next(&c->plain, &stream), rows = most < end - row ? most : end - row;
        lossi_plain_rows(&c->plain, scratch, row, rows, &stream, total);
        row += rows;
    }
    while (row < end && total->status == LOSS_OK) {
        int64_t block_end = row + c->cut.block_rows < end ? row + c->cut.block_rows : end;
        while (row < block_end && total->status == LOSS_OK) {
            int64_t rows = block_end - row < c->cut.tile_rows ? block_end - row : c->cut.tile_rows;
            evaluate_tile(c, scratch, row, rows, total);
            row += rows;
        }
        lossi_total_end_block(total);
    }
    if (c->is_plain) {
        lossi_plain_end(&c->plain, &stream);
    }
    if (c->e.streaming) {
        c->e.tiles->stream_end();
    }
}

static int64_t output_bytes(const call *c)
{
    int64_t arrays = (c->value != NULL) + (c->gradient != NULL) + (c->curvature != NULL) +
                     (c->product != NULL);
    return arrays * c->cut.rows * c->cut.columns * c->e.real_size;
}

/* Runs all slices; sum and denominator are written only when every row was good. */
static loss_status evaluate(call *c, double *sum, double *denominator)
{
    double sums[LOSSI_SLICES], denominators[LOSSI_SLICES];
    c->cut = lossi_cut_rows(c->e.rows, c->e.columns);
    int64_t elements = c->cut.rows * c->cut.columns;
    int32_t parallel = elements >= PARALLEL_ELEMENTS && lossi_context_threads(c->context) > 1 && !c->e.serial;
    int32_t workers = parallel ? lossi_context_threads(c->context) : 1;

    c->e.streaming = output_bytes(c) > STREAM_BYTES && c->e.weight == NULL;
    c->is_plain = c->value == NULL && c->curvature == NULL && c->product == NULL &&
                  lossi_plain_init(&c->plain, &c->e, &c->cut, c->prediction, c->gradient);
    c->scratch_each = c->is_plain ? lossi_plain_scratch(&c->plain)
                                  : lossi_evaluation_scratch(&c->e, c->cut.tile_rows);
    c->scratch = lossi_scratch(c->context, c->scratch_each * workers);
    if (c->scratch == NULL) {
        return lossi_fail_memory(c->context, "scratch");
    }
    if (parallel) {
        lossi_parallel(c->context, c->cut.slices, evaluate_slice, c);
    } else {
        for (int64_t slice = 0; slice < c->cut.slices; slice++) {
            evaluate_slice(c, slice, 0);
        }
    }
    for (int64_t slice = 0; slice < c->cut.slices; slice++) {
        if (c->totals[slice].status != LOSS_OK) {
            return lossi_evaluation_fail(&c->e, c->context, &c->totals[slice]);
        }
        sums[slice] = c->totals[slice].sum;
        denominators[slice] = c->totals[slice].denominator;
    }
    if (sum != NULL) {
        *sum = lossi_sum_slices(sums, c->cut.slices);
    }
    if (denominator != NULL) {
        *denominator = lossi_sum_slices(denominators, c->cut.slices);
    }
    return LOSS_OK;
}

/* ---- roles ---- */

typedef struct role {
    const char *name;
    const lossi_array **array;
} role;

/* "prediction.gradient" is the long name of "gradient". */
static const char *short_name(const char *name)
{
    static const char prefix[] = "prediction.";
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : name;
}

static const char *role_name(const void *roles, int32_t index)
{
    return ((const role *)roles)[index].name;
}

static loss_status resolve(loss_context *context, const char *kind, const loss_data *data, const role *roles,
                           int32_t count)
{
    for (int32_t i = 0; i < lossi_data_count(data); i++) {
        const lossi_array *array = lossi_data_at(data, i);
        int32_t k = 0;
        while (k < count && strcmp(short_name(array->role), roles[k].name) != 0) {
            k++;
        }
        if (k == count) {
            return lossi_evaluation_fail_role(context, kind, array->role, role_name, roles, count);
        }
        *roles[k].array = array;
    }
    return LOSS_OK;
}

static loss_status resolve_inputs(call *c, const loss_data *inputs, const lossi_array **target,
                                  const lossi_array **weight, const lossi_array **mask)
{
    const role roles[] = {{"prediction", &c->prediction},
                          {"target", target},
                          {"weight", weight},
                          {"mask", mask},
                          {"direction", &c->direction}};
    loss_status status = resolve(c->context, "input of a loss in the role", inputs, roles, 5);
    if (status == LOSS_OK && c->prediction == NULL) {
        status = lossi_fail(c->context, LOSS_ERROR_ARGUMENT, "a loss needs the role 'prediction'");
    }
    return status;
}

static loss_status resolve_outputs(call *c, const loss_data *outputs)
{
    const role roles[] = {{"value", &c->value},
                          {"gradient", &c->gradient},
                          {"curvature", &c->curvature},
                          {"product", &c->product}};
    return outputs == NULL ? LOSS_OK : resolve(c->context, "output of a loss in the role", outputs, roles, 4);
}

static loss_status check_shape(const call *c, const lossi_array *array, int64_t columns, int32_t output)
{
    if (array == NULL) {
        return LOSS_OK;
    }
    if (array->output != output) {
        return lossi_fail(c->context, LOSS_ERROR_ARGUMENT, "'%s' has to be set as an %s", array->role,
                          output ? "output" : "input");
    }
    if (array->dtype != c->e.dtype) {
        return lossi_fail(c->context, LOSS_ERROR_TYPE, "'%s' is %s; %s like the prediction was expected",
                          array->role, loss_dtype_name(array->dtype), loss_dtype_name(c->e.dtype));
    }
    if (array->rows != c->e.rows || array->columns != columns) {
        return lossi_fail(c->context, LOSS_ERROR_SHAPE, "'%s' is %lld x %lld; %lld x %lld was expected",
                          array->role, (long long)array->rows, (long long)array->columns,
                          (long long)c->e.rows, (long long)columns);
    }
    return LOSS_OK;
}

static loss_status check_shapes(const call *c)
{
    const int32_t pointwise = (c->e.function->row->flags & LOSSI_POINTWISE) != 0;
    const lossi_array *const outputs[] = {c->value, c->gradient, c->curvature, c->product};
    loss_status status = check_shape(c, c->direction, c->e.columns, 0);
    for (int32_t i = 0; i < 4 && status == LOSS_OK; i++) {
        status = check_shape(c, outputs[i], i == 0 && !pointwise ? 1 : c->e.columns, 1);
    }
    if (status == LOSS_OK && c->product != NULL && c->direction == NULL) {
        status = lossi_fail(c->context, LOSS_ERROR_ARGUMENT,
                            "the output 'product' needs the input 'direction'");
    }
    return status;
}

/* Finds and checks the arrays of a loss without a structure. */
static loss_status bind(call *c, loss_context *context, const loss_function *function,
                        const loss_data *inputs, const loss_data *outputs)
{
    const lossi_array *target = NULL, *weight = NULL, *mask = NULL;
    memset(c, 0, offsetof(call, totals));
    c->context = context;
    loss_status status = resolve_inputs(c, inputs, &target, &weight, &mask);
    if (status == LOSS_OK) {
        status = resolve_outputs(c, outputs);
    }
    if (status == LOSS_OK) {
        status = lossi_evaluation_init(&c->e, context, function, c->prediction->dtype, c->prediction->rows,
                                       c->prediction->columns, target, weight, mask);
    }
    return status == LOSS_OK ? check_shapes(c) : status;
}

loss_status lossi_function_check_inputs(loss_context *context, const loss_function *function,
                                        const loss_data *inputs)
{
    call c;
    return function->row->structure != NULL ? lossi_structured_check(context, function, inputs)
                                            : bind(&c, context, function, inputs, NULL);
}

loss_status loss_function_evaluate(loss_context *context, const loss_function *function,
                                   const loss_data *inputs, const loss_data *outputs, double *sum,
                                   double *denominator)
{
    call c;
    if (context == NULL || function == NULL || inputs == NULL) {
        return lossi_fail_null(context, context == NULL    ? "the context"
                                        : function == NULL ? "the loss function"
                                                           : "inputs");
    }
    loss_status status = lossi_data_check_dense(context, inputs);
    if (status == LOSS_OK) {
        status = lossi_data_check_dense(context, outputs);
    }
    if (status == LOSS_OK && function->row->structure != NULL) {
        return lossi_structured_evaluate(context, function, inputs, outputs, sum, denominator);
    }
    if (status == LOSS_OK) {
        status = bind(&c, context, function, inputs, outputs);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_function_seal(function);
    lossi_data_seal(inputs);
    if (outputs != NULL) {
        lossi_data_seal(outputs);
    }
    c.e.scale = lossi_data_scale(inputs);
    return evaluate(&c, sum, denominator);
}

/* ---- the short calls ---- */

/*
 * What the sum will be divided by, from the labels alone, so that one pass can write the gradient of the cost. A label that
 * is no class is left to the pass itself, which names its row.
 */
static double denominator_of(const lossi_evaluation *e, const int64_t *labels)
{
    const lossi_prepared *prepared = &e->function->prepared;
    double denominator = 0;
    int64_t counted;
    if (!e->labels) {
        return (double)e->rows * (double)e->columns;
    }
    if (prepared->class_weight == NULL || (e->function->row->flags & LOSSI_COUNTS_ROWS) != 0) {
        e->tiles->labels_outside(e->rows, labels, e->columns, prepared->ignore_label, &counted);
        return (double)counted;
    }
    for (int64_t i = 0; i < e->rows; i++) {
        if (labels[i] != prepared->ignore_label && labels[i] >= 0 && labels[i] < e->columns) {
            denominator += prepared->class_weight[labels[i]];
        }
    }
    return denominator;
}

/* Contiguous arrays, no weights: the cost, and the gradient of the cost. */
static loss_status evaluate_cost(loss_context *context, const loss_function *function,
                                 const lossi_array *prediction, const lossi_array *target, double *cost,
                                 const lossi_array *gradient)
{
    call c;
    double sum, denominator;
    if (context == NULL || function == NULL) {
        return lossi_fail_null(context, context == NULL ? "the context" : "the loss function");
    }
    if (prediction->rows < 0 || prediction->columns < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a size is negative");
    }
    if ((function->row->flags & LOSSI_NO_TARGET) != 0 && target->pointer == NULL) {
        target = NULL;
    }
    if (prediction->rows > 0 && prediction->columns > 0 &&
        (prediction->pointer == NULL || (target != NULL && target->pointer == NULL))) {
        return lossi_fail_null(context, prediction->pointer == NULL ? "prediction" : target->role);
    }
    memset(&c, 0, offsetof(call, totals));
    c.context = context;
    c.prediction = prediction;
    c.gradient = gradient->pointer != NULL ? gradient : NULL;
    loss_status status = lossi_evaluation_init(&c.e, context, function, prediction->dtype, prediction->rows,
                                               prediction->columns, target, NULL, NULL);
    if (status == LOSS_OK) {
        lossi_function_seal(function);
        denominator = denominator_of(&c.e,
                                     c.e.labels ? (const int64_t *)(const void *)target->pointer : NULL);
        c.e.scale = denominator == 0 ? 1 : 1 / denominator;
        status = evaluate(&c, &sum, &denominator);
    }
    if (status == LOSS_OK && cost != NULL) {
        *cost = denominator == 0 ? 0 : sum / denominator;
    }
    return status;
}

static loss_status cost_of_pairs(loss_context *context, const loss_function *function, int64_t n,
                                 loss_dtype dtype, const void *prediction, const void *target, double *cost,
                                 void *gradient)
{
    const lossi_array predictions = {"prediction", (char *)prediction, dtype, 0, n, 1, 1, 1};
    const lossi_array targets = {"target", (char *)target, dtype, 0, n, 1, 1, 1};
    const lossi_array gradients = {"gradient", gradient, dtype, 1, n, 1, 1, 1};
    if (context != NULL && function != NULL && (function->row->flags & LOSSI_POINTWISE) == 0) {
        return lossi_fail(context, LOSS_ERROR_SHAPE,
                          "%s takes several columns a row; use loss_function_cost_labels_… or "
                          "loss_function_evaluate()",
                          function->title);
    }
    return evaluate_cost(context, function, &predictions, &targets, cost, &gradients);
}

loss_status loss_function_cost_float32(loss_context *context, const loss_function *function, int64_t n,
                                       const float *prediction, const float *target, double *cost,
                                       float *gradient)
{
    return cost_of_pairs(context, function, n, LOSS_FLOAT32, prediction, target, cost, gradient);
}

loss_status loss_function_cost_float64(loss_context *context, const loss_function *function, int64_t n,
                                       const double *prediction, const double *target, double *cost,
                                       double *gradient)
{
    return cost_of_pairs(context, function, n, LOSS_FLOAT64, prediction, target, cost, gradient);
}

static loss_status cost_of_labels(loss_context *context, const loss_function *function, int64_t rows,
                                  int64_t classes, loss_dtype dtype, const void *prediction,
                                  const int64_t *labels, double *cost, void *gradient)
{
    const lossi_array predictions = {"prediction", (char *)prediction, dtype, 0, rows, classes, classes, 1};
    const lossi_array targets = {"labels", (char *)labels, LOSS_INT64, 0, rows, 1, 1, 1};
    const lossi_array gradients = {"gradient", gradient, dtype, 1, rows, classes, classes, 1};
    return evaluate_cost(context, function, &predictions, &targets, cost, &gradients);
}

loss_status loss_function_cost_labels_float32(loss_context *context, const loss_function *function,
                                              int64_t rows, int64_t classes, const float *prediction,
                                              const int64_t *labels, double *cost, float *gradient)
{
    return cost_of_labels(context, function, rows, classes, LOSS_FLOAT32, prediction, labels, cost, gradient);
}

loss_status loss_function_cost_labels_float64(loss_context *context, const loss_function *function,
                                              int64_t rows, int64_t classes, const double *prediction,
                                              const int64_t *labels, double *cost, double *gradient)
{
    return cost_of_labels(context, function, rows, classes, LOSS_FLOAT64, prediction, labels, cost, gradient);
}
