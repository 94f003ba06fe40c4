/*
 * Objectives from the caller's functions. What they do not give comes from differences: of gradients (gradient_difference.h) or of
 * values (finite_difference.h).
 */
#include <math.h>
#include <string.h>

#include "gradient/finite_difference.h"
#include "gradient/gradient_difference.h"
#include "gradient/objective.h"

typedef struct callback_objective {
    loss_objective base;
    loss_evaluate_callback evaluate;
    loss_batch_callback evaluate_batch;
    loss_product_callback product;
    loss_hessian_callback hessian;
    void *user;
    loss_difference *difference; /* NULL: evaluate gives gradients */
    lossi_gradient_difference gradients;
} callback_objective;

static loss_status measure(const loss_objective *objective, int32_t explain, int64_t *dimension)
{
    (void)explain;
    *dimension = objective->dimension;
    return LOSS_OK;
}

static loss_status prepare(loss_objective *objective)
{
    const loss_difference *difference = ((callback_objective *)objective)->difference;
    objective->penalised = objective->dimension;
    if (difference == NULL) {
        return LOSS_OK;
    }
    loss_status status = lossi_difference_check(difference);
    return status == LOSS_OK ? lossi_difference_prepare(((callback_objective *)objective)->difference)
                             : status;
}

static void destroy(loss_objective *objective)
{
    callback_objective *self = (callback_objective *)objective;
    loss_difference_free(self->difference);
    lossi_gradient_difference_free(&self->gradients, objective->context);
}

/* What the penalties' Hessian adds to a product. */
static void add_product(const loss_objective *objective, const void *direction, void *out)
{
    lossi_penalties_add_to(&objective->penalties, objective->dtype, objective->penalised, direction,
                           LOSSI_PENALTIES_PRODUCT, out);
}

/*
 * A callback that gives values alone leaves what was in the gradient, and an optimizer would take that for one. So its first
 * element is a NaN before, of bits that no arithmetic makes, and may not be that afterwards.
 */
static const uint64_t unwritten64 = UINT64_C(0x7ff8f00d5ca1ab1e);
static const uint32_t unwritten32 = UINT32_C(0x7fcdab1e);

static void mark_unwritten(const loss_objective *objective, void *gradient)
{
    if (gradient == NULL) {
        return;
    }
    if (objective->dtype == LOSS_FLOAT64) { /* sizes are constants: a move each, no call */
        memcpy(gradient, &unwritten64, sizeof unwritten64);
    } else {
        memcpy(gradient, &unwritten32, sizeof unwritten32);
    }
}

static int32_t is_unwritten(const loss_objective *objective, const void *gradient)
{
    uint64_t first64;
    uint32_t first32;
    if (objective->dtype == LOSS_FLOAT64) {
        memcpy(&first64, gradient, sizeof first64);
        return first64 == unwritten64;
    }
    memcpy(&first32, gradient, sizeof first32);
    return first32 == unwritten32;
}

static loss_status check_written(const loss_objective *objective, const void *gradient)
{
    if (gradient != NULL && is_unwritten(objective, gradient)) {
        return lossi_fail(objective->context, LOSS_ERROR_DERIVATIVE,
                          "the callback wrote no gradient: one that gives values alone needs "
                          "loss_objective_set_difference()");
    }
    return LOSS_OK;
}

/* The callback's own value and gradient, without penalties. */
static loss_status call(callback_objective *self, const void *x, lossi_batch batch, double *value,
                        void *gradient)
{
    loss_objective *objective = &self->base;
    const int64_t n = objective->dimension;
    *value = 0;
    if (batch.count < 0) {
        mark_unwritten(objective, gradient);
        loss_status status = lossi_objective_returned(objective, "evaluate",
                                                      self->evaluate(self->user, n, x, value, gradient));
        return status == LOSS_OK ? check_written(objective, gradient) : status;
    }
    if (batch.count == 0) { /* the mean of nothing is 0 */
        if (gradient != NULL) {
            memset(gradient, 0, (size_t)(n * objective->real_size));
        }
        return LOSS_OK;
    }
    mark_unwritten(objective, gradient);
    loss_status status = lossi_objective_returned(
        objective, "batch",
        self->evaluate_batch(self->user, n, x, batch.count, batch.indices, value, gradient));
    return status == LOSS_OK ? check_written(objective, gradient) : status;
}

/* ---- from values alone ---- */

typedef struct sampling {
    callback_objective *self;
    lossi_batch batch;
} sampling;

static loss_status sample(void *user, const void *x, double *value)
{
    const sampling *s = user;
    return call(s->self, x, s->batch, value, NULL);
}

/* NaN in all of the gradient, where no value may be asked for. */
static loss_status outside(const callback_objective *self, const void *x, int64_t index, double *value,
                           void *gradient)
{
    const loss_objective *o = &self->base;
    *value = INFINITY;
    for (int64_t i = 0; gradient != NULL && i < o->dimension; i++) {
        lossi_real_put(o->dtype, gradient, i, NAN);
    }
    return lossi_difference_fail_outside(self->difference, LOSS_ERROR_NONFINITE, index,
                                         lossi_real_get(o->dtype, x, index));
}

static loss_status differences(callback_objective *self, const void *x, lossi_batch batch, double *value,
                               void *gradient)
{
    const loss_objective *o = &self->base;
    loss_difference *d = self->difference;
    sampling s = {self, batch};
    if (gradient == NULL) {
        return call(self, x, batch, value, NULL);
    }
    loss_status status = loss_difference_start(d, x);
    if (status == LOSS_OK) {
        status = lossi_difference_run(d, sample, &s);
    }
    if (status == LOSS_OK) {
        *value = d->value;
        memcpy(gradient, d->result, (size_t)(o->dimension * o->real_size));
    }
    return status;
}

/* After the value was found finite: whether the derivatives are. */
static loss_status check_derivatives(const callback_objective *self, const void *gradient)
{
    if (self->difference == NULL || gradient == NULL || self->difference->bad < 0) {
        return LOSS_OK;
    }
    const int64_t bad = self->difference->bad;
    return lossi_fail(self->base.context, LOSS_ERROR_NONFINITE,
                      bad == self->difference->narrow
                          ? "the bounds leave no room for a difference along parameter %lld"
                          : "there are no finite values for the derivative along parameter %lld",
                      (long long)bad);
}

/* ---- value and gradient ---- */

static loss_status evaluate(loss_objective *objective, const void *x, lossi_batch batch, double *value,
                            void *gradient)
{
    callback_objective *self = (callback_objective *)objective;
    const int64_t beyond = self->difference == NULL ? -1 : lossi_difference_outside(self->difference, x);
    double own;
    if (beyond >= 0) {
        return outside(self, x, beyond, value, gradient);
    }
    loss_status status = self->difference == NULL ? call(self, x, batch, &own, gradient)
                                                  : differences(self, x, batch, &own, gradient);
    if (status != LOSS_OK) {
        return status;
    }
    if (gradient != NULL && objective->penalties.count > 0) {
        lossi_penalties_add_to(&objective->penalties, objective->dtype, objective->penalised, x,
                               LOSSI_PENALTIES_GRADIENT, gradient);
    }
    *value = own + lossi_objective_penalties(objective, x);
    status = lossi_objective_finite(objective, *value, -1);
    return status == LOSS_OK ? check_derivatives(self, gradient) : status;
}

/* ---- Hessian products ---- */

/* As lossi_gradient_difference wants it. */
static loss_status gradient_alone(loss_objective *objective, const void *x, double *value, void *gradient)
{
    const lossi_batch all = {-1, NULL, 0};
    return call((callback_objective *)objective, x, all, value, gradient);
}

/* Second differences of values: the rows of the product from the first on. */
static loss_status product_of_values(callback_objective *self, const void *x, const void *direction,
                                     int64_t first)
{
    sampling s = {self, {-1, NULL, 0}};
    loss_status status = lossi_difference_start_rows(self->difference, x, direction, first);
    return status == LOSS_OK ? lossi_difference_run(self->difference, sample, &s) : status;
}

static loss_status own_product(callback_objective *self, const void *x, const void *direction, void *out)
{
    const loss_objective *o = &self->base;
    if (self->product != NULL) {
        return lossi_objective_returned(&self->base, "product",
                                        self->product(self->user, o->dimension, x, direction, out));
    }
    if (self->difference == NULL) {
        return lossi_gradient_difference_product(&self->gradients, &self->base, x, direction, out);
    }
    loss_status status = product_of_values(self, x, direction, 0);
    if (status == LOSS_OK) {
        memcpy(out, self->difference->result, (size_t)(o->dimension * o->real_size));
    }
    return status;
}

static loss_status product(loss_objective *objective, const void *x, const void *direction, void *out)
{
    loss_status status = own_product((callback_objective *)objective, x, direction, out);
    if (status == LOSS_OK) {
        add_product(objective, direction, out);
    }
    return status;
}

/* ---- Hessians ---- */

/* Row i by differences of gradients. */
static loss_status difference_row(loss_objective *objective, const void *x, int64_t index, void *row)
{
    callback_objective *self = (callback_objective *)objective;
    loss_status status = lossi_gradient_difference_row(&self->gradients, objective, x, index, row);
    if (status == LOSS_OK) {
        add_product(objective, objective->unit, row);
    }
    return status;
}

/* Row i of the caller's matrix, which is there already. */
static loss_status own_row(loss_objective *objective, const void *x, int64_t index, void *row)
{
    (void)x;
    (void)index;
    add_product(objective, objective->unit, row);
    return LOSS_OK;
}

/*
 * Row i of values: from the diagonal on. What is on its left is above the diagonal of earlier rows; the halves are averaged
 * in the end, so it has to be written into the row.
 */
static loss_status row_of_values(loss_objective *objective, const void *x, int64_t index, void *row)
{
    callback_objective *self = (callback_objective *)objective;
    const loss_dtype dtype = objective->dtype;
    const int64_t n = objective->dimension;
    loss_status status = product_of_values(self, x, objective->unit, index);
    if (status != LOSS_OK) {
        return status;
    }
    for (int64_t j = 0; j < n; j++) {
        const void *from = j < index ? (char *)row - (index - j) * n * objective->real_size
                                     : self->difference->result;
        lossi_real_put(dtype, row, j, lossi_real_get(dtype, from, j < index ? index : j));
    }
    add_product(objective, objective->unit, row);
    return LOSS_OK;
}

static loss_status hessian(loss_objective *objective, const void *x, void *matrix)
{
    callback_objective *self = (callback_objective *)objective;
    if (self->hessian != NULL) {
        loss_status status = lossi_objective_returned(
            objective, "Hessian", self->hessian(self->user, objective->dimension, x, matrix));
        return status == LOSS_OK ? lossi_hessian_by_rows(objective, x, own_row, matrix) : status;
    }
    if (self->product != NULL) {
        return lossi_hessian_by_products(objective, x, matrix);
    }
    if (self->difference != NULL) {
        return lossi_hessian_by_rows(objective, x, row_of_values, matrix);
    }
    return lossi_hessian_by_rows(objective, x, difference_row, matrix);
}

/* As row_of_values(), but for what other rows have. */
static loss_status diagonal_of_values(loss_objective *objective, const void *x, int64_t index, void *row)
{
    callback_objective *self = (callback_objective *)objective;
    loss_status status = product_of_values(self, x, objective->unit, index);
    if (status == LOSS_OK) {
        memcpy(row, self->difference->result, (size_t)(objective->dimension * objective->real_size));
        add_product(objective, objective->unit, row);
    }
    return status;
}

/* By way of the whole matrix, which is what the caller's function gives. */
static loss_status diagonal_of_matrix(loss_objective *objective, const void *x, void *diagonal)
{
    const int64_t n = objective->dimension, row = n * objective->real_size;
    char *matrix = n <= INT64_MAX / row ? lossi_allocate(objective->context, n * row) : NULL;
    if (matrix == NULL) {
        return lossi_fail_memory(objective->context, "a Hessian");
    }
    loss_status status = hessian(objective, x, matrix);
    for (int64_t i = 0; status == LOSS_OK && i < n; i++) {
        lossi_real_put(objective->dtype, diagonal, i, lossi_real_get(objective->dtype, matrix, i * n + i));
    }
    lossi_release(objective->context, matrix);
    return status;
}

static loss_status diagonal(loss_objective *objective, const void *x, void *out)
{
    const callback_objective *self = (const callback_objective *)objective;
    if (self->hessian != NULL) {
        return diagonal_of_matrix(objective, x, out);
    }
    if (self->product != NULL) {
        return lossi_diagonal_by_products(objective, x, out);
    }
    return lossi_diagonal_by_rows(objective, x,
                                  self->difference != NULL ? diagonal_of_values : difference_row, out);
}

/* ---- life ---- */

static int32_t by_differences(const loss_objective *objective, int32_t what)
{
    const callback_objective *self = (const callback_objective *)objective;
    return what == 0 ? self->difference != NULL : self->product == NULL;
}

static void bounds(const loss_objective *objective, int64_t index, double *lower, double *upper)
{
    const callback_objective *self = (const callback_objective *)objective;
    *lower = -INFINITY;
    *upper = INFINITY;
    if (self->difference != NULL) {
        lossi_difference_bounds(self->difference, index, lower, upper);
    }
}

static const lossi_objective_kind kind = {
    .name = "the objective from callbacks",
    .measure = measure,
    .prepare = prepare,
    .evaluate = evaluate,
    .product = product,
    .hessian = hessian,
    .diagonal = diagonal,
    .differences = by_differences,
    .bounds = bounds,
    .destroy = destroy,
};

loss_status loss_objective_create_callback(loss_objective **out, loss_context *context, loss_dtype dtype,
                                           int64_t dimension, loss_evaluate_callback evaluate_callback,
                                           loss_product_callback product_callback, void *user)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || evaluate_callback == NULL) {
        return lossi_fail_null(context, out == NULL ? "out" : context == NULL ? "the context" : "evaluate");
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE,
                          "the parameters of an objective are float32 or float64, not %s",
                          loss_dtype_name(dtype));
    }
    if (dimension < 1 || dimension >= INT64_MAX / 16) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "the dimension is %lld; 1 … 2^59 was expected",
                          (long long)dimension);
    }
    callback_objective *self = (callback_objective *)lossi_objective_new(context, &kind,
                                                                         (int64_t)sizeof *self, dtype);
    if (self == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    self->base.dimension = dimension;
    self->evaluate = evaluate_callback;
    self->product = product_callback;
    self->user = user;
    self->gradients.gradient = gradient_alone;
    *out = &self->base;
    return LOSS_OK;
}

loss_status loss_objective_set_batch_callback(loss_objective *objective, int64_t samples,
                                              loss_batch_callback evaluate_callback)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (objective->kind != &kind) {
        return lossi_fail(objective->context, LOSS_ERROR_ARGUMENT, "%s has batches of its own",
                          objective->kind->name);
    }
    if (evaluate_callback == NULL) {
        return lossi_fail_null(objective->context, "evaluate");
    }
    if (samples < 1) {
        return lossi_fail(objective->context, LOSS_ERROR_ARGUMENT,
                          "there are %lld samples; at least 1 was expected", (long long)samples);
    }
    callback_objective *self = (callback_objective *)objective;
    self->evaluate_batch = evaluate_callback;
    objective->samples = samples;
    objective->batches = 1;
    return LOSS_OK;
}

loss_status loss_objective_set_hessian_callback(loss_objective *objective,
                                                loss_hessian_callback hessian_callback)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (objective->kind != &kind) {
        return lossi_fail(objective->context, LOSS_ERROR_ARGUMENT, "%s has a Hessian of its own",
                          objective->kind->name);
    }
    ((callback_objective *)objective)->hessian = hessian_callback;
    return LOSS_OK;
}

loss_status loss_objective_set_difference(loss_objective *objective, loss_difference *difference)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_context *context = objective->context;
    if (objective->kind != &kind) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s has derivatives of its own",
                          objective->kind->name);
    }
    if (objective->prepared) {
        return lossi_fail(context, LOSS_ERROR_STATE,
                          "a difference cannot be given to an objective that was prepared or evaluated");
    }
    if (difference != NULL && difference->context != context) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s is of another context than the objective",
                          difference->title);
    }
    if (difference != NULL && difference->dtype != objective->dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "%s is of %s, but the objective a function of %s",
                          difference->title, loss_dtype_name(difference->dtype),
                          loss_dtype_name(objective->dtype));
    }
    if (difference != NULL && difference->dimension != objective->dimension) {
        return lossi_fail(context, LOSS_ERROR_SHAPE, "%s has dimension %lld, but the objective %lld",
                          difference->title, (long long)difference->dimension,
                          (long long)objective->dimension);
    }
    callback_objective *self = (callback_objective *)objective;
    if (difference != NULL) {
        lossi_difference_retain(difference);
    }
    loss_difference_free(self->difference);
    self->difference = difference;
    return LOSS_OK;
}
