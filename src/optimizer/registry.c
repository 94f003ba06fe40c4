/*
 * The catalogue of optimizers and what all of them share: creation, options, names.
 *
 * optimizers.def lists the rows in alphabetical order; everything else is read from them.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "gradient/objective.h"
#include "optimizer/measured.h"
#include "optimizer/optimizer.h"

#define OPTIMIZER_ROW(name) extern const lossi_optimizer_row lossi_optimizer_##name;
#include "optimizer/optimizers.def"
#undef OPTIMIZER_ROW

#define OPTIMIZER_ROW(name) &lossi_optimizer_##name,
static const lossi_optimizer_row *const rows[] = {
#include "optimizer/optimizers.def"
};
#undef OPTIMIZER_ROW

enum { ROWS = sizeof rows / sizeof rows[0] };

/* The longest count a double holds exactly: as good as no limit. */
#define NO_LIMIT 0x1p53

const loss_option lossi_common_options[LOSSI_COMMON_OPTIONS] = {
    {"max_iterations", LOSS_OPTION_INT, 0, NO_LIMIT, 10000, NULL, NULL,
     "iterations before the run is stopped"},
    {"max_evaluations", LOSS_OPTION_INT, 1, NO_LIMIT, NO_LIMIT, NULL, NULL,
     "answers (values, gradients, batches, products) before the run is stopped"},
    {"max_seconds", LOSS_OPTION_DOUBLE, 0, INFINITY, INFINITY, NULL, NULL,
     "seconds since the start before the run is stopped"},
    {"gradient_tolerance", LOSS_OPTION_DOUBLE, 0, INFINITY, 1e-6, NULL, NULL,
     "converged when the largest derivative is at most this"},
    {"gradient_tolerance_relative", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
     "converged when the largest derivative is at most this times the largest at the start"},
    {"value_tolerance", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
     "converged when f changes by no more than this times max(|f|, |f before|); 0: no such test"},
    {"step_tolerance", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
     "converged when no parameter moves by more than this times max(1, the largest parameter); 0: no such "
     "test"},
    {"target_value", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, -INFINITY, NULL, NULL,
     "done when f is at most this"},
    {"unbounded_value", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, -1e30, NULL, NULL,
     "f at or below this is taken to have no minimum"},
    {"report", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: NEW_ITERATE is asked at every iterate"},
};

int32_t loss_optimizer_catalogue_count(void)
{
    return ROWS;
}

const char *loss_optimizer_catalogue_name(int32_t index)
{
    return index >= 0 && index < ROWS ? rows[index]->name : NULL;
}

const lossi_optimizer_row *lossi_optimizer_row_at(int32_t index)
{
    return rows[index];
}

static const char *name_at(const void *names, int32_t index)
{
    (void)names;
    return loss_optimizer_catalogue_name(index);
}

static loss_status find(loss_context *context, const char *name, const lossi_optimizer_row **row)
{
    for (int32_t i = 0; i < ROWS; i++) {
        if (rows[i]->name[0] == name[0] && strcmp(rows[i]->name, name) == 0) {
            *row = rows[i];
            return LOSS_OK;
        }
    }
    return lossi_fail_name(context, "optimizer called", name, name_at, NULL, ROWS);
}

static loss_status check_arguments(loss_context *context, const char *name, loss_dtype dtype,
                                   int64_t dimension, const lossi_optimizer_row **row)
{
    if (name == NULL) {
        return lossi_fail_null(context, "the name of the optimizer");
    }
    loss_status status = find(context, name, row);
    if (status != LOSS_OK) {
        return status;
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE,
                          "an optimizer works on LOSS_FLOAT32 or LOSS_FLOAT64, not on %s",
                          loss_dtype_name(dtype));
    }
    if (dimension < 1) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the dimension of an optimizer is at least 1, not %lld", (long long)dimension);
    }
    return LOSS_OK;
}

/* "the optimizer 'name'", without snprintf(), which would take as long as all the rest. */
static void name_owner(char *owner, size_t size, const char *name)
{
    static const char before[] = "the optimizer '";
    size_t used = sizeof before - 1, length = strlen(name), most = size - used - 2;
    length = length < most ? length : most;
    memcpy(owner, before, used);
    memcpy(owner + used, name, length);
    owner[used + length] = '\'';
    owner[used + length + 1] = '\0';
}

loss_status loss_optimizer_create(loss_optimizer **out, loss_context *context, const char *name,
                                  loss_dtype dtype, int64_t dimension)
{
    const lossi_optimizer_row *row = NULL;
    if (out == NULL) {
        return lossi_fail_null(context, "out");
    }
    *out = NULL;
    if (context == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = check_arguments(context, name, dtype, dimension, &row);
    if (status != LOSS_OK) {
        return status;
    }
    loss_optimizer *optimizer = lossi_allocate(context, (int64_t)sizeof *optimizer);
    if (optimizer == NULL) {
        return lossi_fail_memory(context, "an optimizer");
    }
    optimizer->context = lossi_context_retain(context);
    optimizer->row = row;
    optimizer->dtype = dtype;
    optimizer->dimension = dimension;
    optimizer->machine.test = LOSSI_TEST_NONE;
    optimizer->machine.value = optimizer->machine.gradient_norm = optimizer->machine.held_out_value = NAN;
    optimizer->machine.test_value = optimizer->machine.test_threshold = NAN;
    name_owner(optimizer->owner, sizeof optimizer->owner, row->name);
    atomic_init(&optimizer->stop, 0);
    status = lossi_options_create(&optimizer->options, context, optimizer->owner, lossi_common_options,
                                  LOSSI_COMMON_OPTIONS, row->options, row->option_count);
    optimizer->state = lossi_allocate(context, row->state_size);
    if (status == LOSS_OK && optimizer->state == NULL) {
        status = lossi_fail_memory(context, "an optimizer");
    }
    if (status != LOSS_OK) {
        loss_optimizer_free(optimizer);
        return status;
    }
    *out = optimizer;
    return LOSS_OK;
}

void loss_optimizer_free(loss_optimizer *optimizer)
{
    if (optimizer == NULL) {
        return;
    }
    loss_context *context = optimizer->context;
    lossi_options_destroy(&optimizer->options);
    lossi_penalties_destroy(&optimizer->penalties, context);
    lossi_release(context, optimizer->segments.all);
    if (optimizer->held_out != NULL) {
        lossi_objective_drop(optimizer->held_out);
    }
    lossi_release(context, optimizer->state);
    lossi_release(context, optimizer->vectors_block);
    lossi_release(context, optimizer->integers);
    lossi_release(context, optimizer->doubles);
    lossi_release(context, optimizer);
    lossi_context_drop(context);
}

/* ---- words ---- */

const char *loss_optimizer_name(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? "" : optimizer->row->name;
}

const char *loss_optimizer_family(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? "" : optimizer->row->family;
}

const char *loss_optimizer_summary(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? "" : optimizer->row->summary;
}

const char *loss_optimizer_reference(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? "" : optimizer->row->reference;
}

/* ---- options ---- */

double lossi_own_double(const loss_optimizer *optimizer, int32_t index)
{
    return lossi_options_own(&optimizer->options, index)->number;
}

int64_t lossi_own_int(const loss_optimizer *optimizer, int32_t index)
{
    return lossi_options_own(&optimizer->options, index)->integer;
}

/*
 * Options of the method are read at the start: changing one under way would do nothing, or harm. A run that a
 * limit ended can go on with new limits and tolerances, but not as another method.
 */
static loss_status idle(loss_optimizer *optimizer)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (optimizer->machine.phase == LOSSI_RUNNING) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                          "options of %s cannot be set during a run: stop it, or wait until it is done",
                          optimizer->owner);
    }
    return LOSS_OK;
}

loss_status lossi_optimizer_changeable(loss_optimizer *optimizer)
{
    loss_status status = idle(optimizer);
    if (status == LOSS_OK) {
        optimizer->machine.open_request = 0;
    }
    return status;
}

static loss_status settable(loss_optimizer *optimizer, const char *name)
{
    loss_status status = idle(optimizer);
    if (status != LOSS_OK) {
        return status;
    }
    for (int32_t i = 0; name != NULL && i < optimizer->row->option_count; i++) {
        if (strcmp(optimizer->row->options[i].name, name) == 0) {
            optimizer->machine.open_request = 0;
        }
    }
    return LOSS_OK;
}

loss_status loss_optimizer_set_double(loss_optimizer *optimizer, const char *name, double value)
{
    loss_status status = settable(optimizer, name);
    return status != LOSS_OK ? status : lossi_options_set_double(&optimizer->options, name, value);
}

loss_status loss_optimizer_set_int(loss_optimizer *optimizer, const char *name, int64_t value)
{
    loss_status status = settable(optimizer, name);
    return status != LOSS_OK ? status : lossi_options_set_int(&optimizer->options, name, value);
}

loss_status loss_optimizer_set_string(loss_optimizer *optimizer, const char *name, const char *value)
{
    loss_status status = settable(optimizer, name);
    return status != LOSS_OK ? status : lossi_options_set_string(&optimizer->options, name, value);
}

int32_t loss_optimizer_option_count(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? 0 : lossi_options_count(&optimizer->options);
}

const loss_option *loss_optimizer_option(const loss_optimizer *optimizer, int32_t index)
{
    return optimizer == NULL ? NULL : lossi_options_at(&optimizer->options, index);
}

loss_status loss_optimizer_add_penalty(loss_optimizer *optimizer, const loss_penalty *penalty)
{
    if (optimizer != NULL && penalty == NULL) {
        return lossi_fail_null(optimizer->context, "the penalty");
    }
    loss_status status = lossi_optimizer_changeable(optimizer);
    return status == LOSS_OK ? lossi_penalties_append(&optimizer->penalties, optimizer->context, penalty)
                             : status;
}

/* ---- getters: what was measured first, then the options ---- */

/* What is neither: a number measured, but of another type, or a name for the options to refuse. */
static loss_status check_type(const loss_optimizer *optimizer, const char *name, const void *value,
                              int32_t wanted)
{
    static const char *const types[] = {
        [LOSS_OPTION_INT] = "an int", [LOSS_OPTION_DOUBLE] = "a double", [LOSS_OPTION_STRING] = "a string"};
    int32_t type = name == NULL || value == NULL ? 0 : lossi_measured_type(name);
    return type == 0 ? LOSS_OK
                     : lossi_fail(optimizer->context, LOSS_ERROR_TYPE, "'%s' of %s is %s, not %s", name,
                                  optimizer->owner, types[type], types[wanted]);
}

loss_status loss_optimizer_get_double(const loss_optimizer *optimizer, const char *name, double *value)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name != NULL && value != NULL && lossi_measured_double(optimizer, name, value)) {
        return LOSS_OK;
    }
    loss_status status = check_type(optimizer, name, value, LOSS_OPTION_DOUBLE);
    return status == LOSS_OK ? lossi_options_get_double(&optimizer->options, name, value) : status;
}

loss_status loss_optimizer_get_int(const loss_optimizer *optimizer, const char *name, int64_t *value)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name != NULL && value != NULL && lossi_measured_int(optimizer, name, value)) {
        return LOSS_OK;
    }
    loss_status status = check_type(optimizer, name, value, LOSS_OPTION_INT);
    return status == LOSS_OK ? lossi_options_get_int(&optimizer->options, name, value) : status;
}

loss_status loss_optimizer_get_string(const loss_optimizer *optimizer, const char *name, const char **value)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name != NULL && value != NULL && lossi_measured_string(optimizer, name, value)) {
        return LOSS_OK;
    }
    loss_status status = check_type(optimizer, name, value, LOSS_OPTION_STRING);
    return status == LOSS_OK ? lossi_options_get_string(&optimizer->options, name, value) : status;
}
