/*
 * Losses of the caller's: a callback that evaluates a block, between the parts that every loss shares.
 *
 * Weights, masks, strides, types, domains, sums and threads are those of evaluation.c. The callback sees whole blocks of
 * contiguous, aligned copies that nothing overlaps, so it may write its results in any order.
 */
#include "loss/user.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "loss/formula/formula.h"
#include "loss/registry.h"

/* ---- life ---- */

static void drop_callback(lossi_callback *callback)
{
    if (atomic_fetch_sub_explicit(&callback->references, 1, memory_order_acq_rel) == 1) {
        loss_context *context = callback->context;
        if (callback->release != NULL) {
            callback->release(callback->user);
        }
        lossi_release(context, callback);
        lossi_context_drop(context);
    }
}

void lossi_user_free(loss_context *context, lossi_user *user)
{
    if (user != NULL) {
        if (user->callback != NULL) {
            drop_callback(user->callback);
        }
        if (user->formula != NULL) {
            lossi_formula_drop(user->formula);
        }
        lossi_release(context, user);
    }
}

static loss_status check_name(loss_context *context, const char *name)
{
    const size_t length = strlen(name);
    if (length == 0 || length >= LOSSI_NAME_SIZE) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the name of a loss has %lld characters; 1 … %d were expected", (long long)length,
                          LOSSI_NAME_SIZE - 1);
    }
    return lossi_registry_find(name) < 0
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_ARGUMENT, "the catalogue has a loss called '%s'", name);
}

/* Everything but the callback, as long as nobody has said more. */
static void begin(lossi_user *user)
{
    static const lossi_domain anything = {-INFINITY, INFINITY, 0};
    user->row.aliases = "";
    user->row.summary = "defined by the program";
    user->row.formula = "";
    user->row.reference = "";
    user->row.flags = LOSSI_POINTWISE;
    user->row.link = LOSSI_LINK_IDENTITY;
    user->row.constant = LOSSI_CONSTANT_SEARCH;
    user->prediction = anything;
    user->target = anything;
    user->bounds = (lossi_bounds){INFINITY, INFINITY, -INFINITY, INFINITY, 0};
}

loss_status loss_function_create_user(loss_function **out, loss_context *context, const char *name,
                                      loss_block_callback evaluate, void *user, loss_user_callback release)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || name == NULL || evaluate == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                        : name == NULL    ? "the name of the loss"
                                                          : "evaluate");
    }
    loss_status status = check_name(context, name);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_user *made = lossi_allocate(context, (int64_t)sizeof *made);
    lossi_callback *callback = lossi_allocate(context, (int64_t)sizeof *callback);
    if (made == NULL || callback == NULL) {
        status = lossi_fail_memory(context, "a loss function");
    } else {
        begin(made);
        memcpy(made->name, name, strlen(name) + 1);
        made->row.name = made->name;
        made->callback = callback;
        callback->context = context;
        callback->evaluate = evaluate;
        callback->user = user;
        callback->release = release;
        atomic_init(&callback->references, 1);
        status = lossi_function_new(out, context, &made->row, -1, made);
    }
    if (status != LOSS_OK) {
        lossi_release(context, callback);
        lossi_release(context, made);
        return status;
    }
    lossi_context_retain(context); /* the callback may outlive this function by a clone's life */
    return LOSS_OK;
}

loss_status lossi_user_create_formula(loss_function **out, loss_context *context, lossi_formula *formula)
{
    lossi_user *made = lossi_allocate(context, (int64_t)sizeof *made);
    if (made == NULL) {
        return lossi_fail_memory(context, "a loss function");
    }
    begin(made);
    made->row.name = formula->text;
    made->row.summary = "a formula";
    made->row.formula = formula->body;
    made->row.options = formula->options;
    made->row.option_count = formula->option_count;
    made->thread_safe = 1;
    made->formula = formula;
    loss_status status = lossi_function_new(out, context, &made->row, -1, made);
    if (status != LOSS_OK) {
        lossi_release(context, made);
    }
    return status;
}

loss_status lossi_user_clone(loss_function **out, loss_context *context, const loss_function *function)
{
    lossi_user *copy = lossi_allocate(context, (int64_t)sizeof *copy);
    if (copy == NULL) {
        return lossi_fail_memory(context, "a loss function");
    }
    *copy = *function->user;
    copy->row.name = copy->formula != NULL ? copy->row.name : copy->name;
    loss_status status = lossi_function_new(out, context, &copy->row, -1, copy);
    if (status != LOSS_OK) {
        lossi_release(context, copy);
        return status;
    }
    atomic_fetch_add_explicit(copy->formula != NULL ? &copy->formula->references
                                                    : &copy->callback->references,
                              1, memory_order_relaxed);
    return LOSS_OK;
}

void lossi_user_prepare(const lossi_user *user, lossi_prepared *prepared)
{
    prepared->prediction = user->prediction;
    prepared->target = user->target;
    prepared->bounds = user->bounds;
    /* a bound of the curvature is a majorizer: Taylor's theorem with the remainder of Lagrange */
    prepared->flags |= user->bounds.curvature < INFINITY ? LOSSI_MAJORIZED : 0;
    prepared->flags |= user->bounds.derivatives >= 1 ? LOSSI_SMOOTH : 0;
    prepared->callback = user->callback;
    prepared->formula = user->formula;
}

/* ---- kernels ---- */

static int32_t call(const lossi_tile *tile, loss_dtype dtype, void *gradient, void *curvature)
{
    const lossi_callback *callback = tile->prepared->callback;
    if (tile->rows > 0) {
        *tile->callback_status = callback->evaluate(callback->user, dtype, tile->rows, tile->prediction,
                                                    tile->target, tile->value, gradient, curvature);
    }
    return *tile->callback_status == 0;
}

/* What lossi_curvature_of() of pointwise.h does, one by one: a NaN stays. */
static double of_kind(const lossi_tile *tile, double curvature, double value)
{
    if (tile->curvature_kind == LOSSI_MAJORIZER) {
        return isnan(value) ? value : tile->prepared->bounds.curvature;
    }
    return tile->curvature_kind == LOSSI_GAUSS_NEWTON && curvature < 0 ? 0 : curvature;
}

/* A majorizer needs no curvature of the callback. */
static void *curvature_wanted(const lossi_tile *tile)
{
    return tile->curvature_kind == LOSSI_MAJORIZER ? NULL : tile->curvature;
}

static void value_float32(const lossi_tile *tile)
{
    call(tile, LOSS_FLOAT32, NULL, NULL);
}

static void gradient_float32(const lossi_tile *tile)
{
    float *gradient = tile->gradient;
    const float scale = (float)tile->scale;
    if (!call(tile, LOSS_FLOAT32, gradient, NULL)) {
        return;
    }
    for (int64_t i = 0; i < tile->rows; i++) {
        gradient[i] = gradient[i] * scale;
    }
}

static void everything_float32(const lossi_tile *tile)
{
    float *gradient = tile->gradient, *curvature = tile->curvature, *value = tile->value;
    const float scale = (float)tile->scale;
    if (!call(tile, LOSS_FLOAT32, gradient, curvature_wanted(tile))) {
        return;
    }
    for (int64_t i = 0; i < tile->rows; i++) {
        gradient[i] = gradient[i] * scale;
        curvature[i] = (float)of_kind(tile, (double)curvature[i], (double)value[i]) * scale;
    }
}

static void value_float64(const lossi_tile *tile)
{
    call(tile, LOSS_FLOAT64, NULL, NULL);
}

static void gradient_float64(const lossi_tile *tile)
{
    double *gradient = tile->gradient;
    if (!call(tile, LOSS_FLOAT64, gradient, NULL)) {
        return;
    }
    for (int64_t i = 0; i < tile->rows; i++) {
        gradient[i] = gradient[i] * tile->scale;
    }
}

static void everything_float64(const lossi_tile *tile)
{
    double *gradient = tile->gradient, *curvature = tile->curvature, *value = tile->value;
    if (!call(tile, LOSS_FLOAT64, gradient, curvature_wanted(tile))) {
        return;
    }
    for (int64_t i = 0; i < tile->rows; i++) {
        gradient[i] = gradient[i] * tile->scale;
        curvature[i] = of_kind(tile, curvature[i], value[i]) * tile->scale;
    }
}

const lossi_kernels *lossi_user_kernels(int32_t real_index)
{
    static const lossi_kernels kernels[LOSSI_REAL_COUNT] = {
        [LOSSI_FLOAT32] = {.value = value_float32,
                           .gradient = gradient_float32,
                           .everything = everything_float32},
        [LOSSI_FLOAT64] = {.value = value_float64,
                           .gradient = gradient_float64,
                           .everything = everything_float64},
    };
    return &kernels[real_index];
}
