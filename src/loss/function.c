/* Loss functions as handles: made by name, configured by options, sealed at first use. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loss/formula/formula.h"
#include "loss/handle.h"
#include "loss/registry.h"
#include "loss/user.h"

static const loss_option common_options[LOSSI_FUNCTION_OPTIONS] = {
    [LOSSI_FUNCTION_CURVATURE] = {.name = "curvature",
                                  .type = LOSS_OPTION_STRING,
                                  .text = "exact",
                                  .choices = "exact|gauss_newton|majorizer",
                                  .doc = "what the outputs curvature and product are"},
};

enum { LONGEST_TITLED = 48 }; /* characters of a name in sentences: formulas may be longer */

/* ---- catalogue ---- */

int32_t loss_function_catalogue_count(void)
{
    return lossi_registry_count();
}

const char *loss_function_catalogue_name(int32_t index)
{
    const lossi_row *row = lossi_registry_row(index);
    return row == NULL ? NULL : row->name;
}

static const char *catalogue_name(const void *unused, int32_t index)
{
    (void)unused;
    return loss_function_catalogue_name(index);
}

/* ---- life ---- */

void lossi_function_prepare(loss_function *function)
{
    static const lossi_domain anything = {-INFINITY, INFINITY, 0};
    lossi_prepared *prepared = &function->prepared;

    memset(prepared, 0, sizeof *prepared);
    prepared->flags = function->row->flags | (function->row->structure != NULL ? LOSSI_STRUCTURED : 0);
    prepared->link = function->row->link;
    prepared->constant = function->row->constant;
    prepared->bounds = (lossi_bounds){INFINITY, INFINITY, 0, INFINITY, 0};
    prepared->quantile = 0.5;
    prepared->temperature = 1;
    prepared->prediction = anything;
    prepared->target = anything;
    prepared->ignore_label = INT64_MIN; /* none */
    for (int32_t i = 0; i < function->row->option_count && i < LOSSI_PARAMETERS; i++) {
        const lossi_option_value *value = lossi_options_own(&function->options, i);
        prepared->parameters[i] = function->row->options[i].type == LOSS_OPTION_STRING
                                      ? (double)value->integer
                                      : value->number;
    }
    if (function->row->prepare != NULL) {
        function->row->prepare(&function->options, prepared);
    }
    if (function->user != NULL) {
        lossi_user_prepare(function->user, prepared);
    }
    function->curvature_kind =
        (int32_t)lossi_options_common(&function->options, LOSSI_FUNCTION_CURVATURE)->integer;
}

loss_status lossi_function_new(loss_function **out, loss_context *context, const lossi_row *row,
                               int32_t index, lossi_user *user)
{
    loss_function *function = lossi_allocate(context, (int64_t)sizeof *function);
    if (function == NULL) {
        return lossi_fail_memory(context, "a loss function");
    }
    function->row = row;
    function->index = index;
    function->user = user;
    const int32_t is_long = strlen(row->name) > LONGEST_TITLED;
    snprintf(function->title, sizeof function->title, "the loss '%.*s%s'", LONGEST_TITLED, row->name,
             is_long ? "..." : "");
    loss_status status = lossi_options_create(&function->options, context, function->title, common_options,
                                              LOSSI_FUNCTION_OPTIONS, row->options, row->option_count);
    if (status != LOSS_OK) {
        lossi_release(context, function);
        return status;
    }
    function->context = lossi_context_retain(context);
    atomic_init(&function->references, 1);
    atomic_init(&function->sealed, 0);
    lossi_function_prepare(function);
    *out = function;
    return LOSS_OK;
}

loss_status loss_function_create(loss_function **out, loss_context *context, const char *name)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || name == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                                          : "the name of the loss");
    }
    if (lossi_is_formula(name)) {
        return lossi_formula_create(out, context, name);
    }
    int32_t index = lossi_registry_find(name);
    if (index < 0) {
        return lossi_fail_name(context, "loss called", name, catalogue_name, NULL, lossi_registry_count());
    }
    return lossi_function_new(out, context, lossi_registry_row(index), index, NULL);
}

loss_status loss_function_clone(loss_function **out, loss_context *context, const loss_function *function)
{
    loss_function *copy = NULL;
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || function == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                                          : "the loss function");
    }
    loss_status status = function->user != NULL
                             ? lossi_user_clone(&copy, context, function)
                             : lossi_function_new(&copy, context, function->row, function->index, NULL);
    if (status != LOSS_OK) {
        return status;
    }
    status = lossi_options_copy(&copy->options, &function->options);
    if (status != LOSS_OK) {
        lossi_function_drop(copy);
        return status;
    }
    lossi_function_prepare(copy);
    *out = copy;
    return LOSS_OK;
}

/* References and the seal are bookkeeping, not contents: a const function may still be held and sealed. */
void lossi_function_seal(const loss_function *function)
{
    atomic_store_explicit(&((loss_function *)function)->sealed, 1, memory_order_release);
}

const loss_function *lossi_function_retain(const loss_function *function)
{
    loss_function *mutable = (loss_function *)function;
    lossi_function_seal(function);
    atomic_fetch_add_explicit(&mutable->references, 1, memory_order_relaxed);
    return function;
}

void lossi_function_drop(const loss_function *function)
{
    loss_function *mutable = (loss_function *)function;
    if (atomic_fetch_sub_explicit(&mutable->references, 1, memory_order_acq_rel) == 1) {
        loss_context *context = mutable->context;
        lossi_options_destroy(&mutable->options);
        lossi_user_free(context, mutable->user);
        lossi_release(context, mutable);
        lossi_context_drop(context);
    }
}

void loss_function_free(loss_function *function)
{
    if (function != NULL) {
        lossi_function_drop(function);
    }
}

/* ---- what it is ---- */

const char *loss_function_name(const loss_function *function)
{
    return function == NULL ? "" : function->row->name;
}

const char *loss_function_aliases(const loss_function *function)
{
    return function == NULL ? "" : function->row->aliases;
}

const char *loss_function_summary(const loss_function *function)
{
    return function == NULL ? "" : function->row->summary;
}

const char *loss_function_formula(const loss_function *function)
{
    return function == NULL ? "" : function->row->formula;
}

const char *loss_function_reference(const loss_function *function)
{
    return function == NULL ? "" : function->row->reference;
}

const char *loss_function_elsewhere(const loss_function *function)
{
    return function == NULL || function->row->elsewhere == NULL ? "" : function->row->elsewhere;
}

/* ---- options ---- */

loss_status lossi_function_settable(const loss_function *function)
{
    if (function == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (atomic_load_explicit(&((loss_function *)function)->sealed, memory_order_acquire)) {
        return lossi_fail(function->context, LOSS_ERROR_STATE,
                          "%s is sealed since its first use; clone it to change it", function->title);
    }
    return LOSS_OK;
}

static loss_status changed(loss_function *function, loss_status status)
{
    if (status == LOSS_OK) {
        lossi_function_prepare(function);
    }
    return status;
}

loss_status loss_function_set_double(loss_function *function, const char *name, double value)
{
    loss_status status = lossi_function_settable(function);
    return status != LOSS_OK ? status
                             : changed(function, lossi_options_set_double(&function->options, name, value));
}

loss_status loss_function_set_int(loss_function *function, const char *name, int64_t value)
{
    loss_status status = lossi_function_settable(function);
    return status != LOSS_OK ? status
                             : changed(function, lossi_options_set_int(&function->options, name, value));
}

loss_status loss_function_set_string(loss_function *function, const char *name, const char *value)
{
    loss_status status = lossi_function_settable(function);
    if (status != LOSS_OK) {
        return status;
    }
    int32_t majorizer = name != NULL && value != NULL && strcmp(name, "curvature") == 0 &&
                        strcmp(value, "majorizer") == 0;
    if (majorizer && (function->prepared.flags & LOSSI_MAJORIZED) == 0) {
        return lossi_fail(function->context, LOSS_ERROR_SUPPORT,
                          "%s has no quadratic upper bound, so no majorizer", function->title);
    }
    return changed(function, lossi_options_set_string(&function->options, name, value));
}

loss_status loss_function_set_array(loss_function *function, const char *name, const void *values,
                                    loss_dtype dtype, int64_t count)
{
    loss_status status = lossi_function_settable(function);
    return status != LOSS_OK
               ? status
               : changed(function, lossi_options_set_array(&function->options, name, values, dtype, count));
}

loss_status loss_function_get_double(const loss_function *function, const char *name, double *value)
{
    return function == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_double(&function->options, name, value);
}

loss_status loss_function_get_int(const loss_function *function, const char *name, int64_t *value)
{
    return function == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_int(&function->options, name, value);
}

loss_status loss_function_get_string(const loss_function *function, const char *name, const char **value)
{
    return function == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_string(&function->options, name, value);
}

int32_t loss_function_option_count(const loss_function *function)
{
    return function == NULL ? 0 : lossi_options_count(&function->options);
}

const loss_option *loss_function_option(const loss_function *function, int32_t index)
{
    return function == NULL ? NULL : lossi_options_at(&function->options, index);
}
