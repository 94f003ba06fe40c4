/*
 * What a solver may rely on: properties that are so or not, and numbers, by name, at the options as they are.
 *
 * Of the catalogue they are read from what a row's prepare left; of a loss of the caller's they are what was said.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "loss/handle.h"
#include "loss/structured.h"
#include "loss/user.h"

/* ---- properties ---- */

static int32_t is_bounded(const loss_function *function)
{
    const lossi_bounds *bounds = &function->prepared.bounds;
    return isfinite(bounds->minimum) && isfinite(bounds->maximum);
}

static int32_t is_lipschitz(const loss_function *function)
{
    return isfinite(function->prepared.bounds.lipschitz) != 0;
}

static int32_t is_separable(const loss_function *function)
{
    const lossi_structure *structure = function->row->structure;
    return structure == NULL || (structure->flags & LOSSI_GROUPED) == 0;
}

static int32_t has_two_targets(const loss_function *function)
{
    return function->prepared.target.discrete != 0;
}

static int32_t is_thread_safe(const loss_function *function)
{
    return function->user == NULL || function->user->thread_safe;
}

static const struct property {
    const char *name;
    uint32_t flag;                               /* of the row, or */
    int32_t (*found)(const loss_function *made); /* how it is found out */
    int32_t settable;                            /* of a loss of the caller's */
} properties[] = {
    {"convex", LOSSI_CONVEX, NULL, 1},
    {"smooth", LOSSI_SMOOTH, NULL, 0},
    {"pointwise", LOSSI_POINTWISE, NULL, 0},
    {"separable", 0, is_separable, 0},
    {"classification", LOSSI_CLASSIFICATION, NULL, 1},
    {"margin", LOSSI_MARGIN, NULL, 1},
    {"probabilistic", LOSSI_PROBABILISTIC, NULL, 1},
    {"integer_target", LOSSI_LABELS, NULL, 0},
    {"structured", LOSSI_STRUCTURED, NULL, 0},
    {"binary_target", 0, has_two_targets, 0},
    {"bounded", 0, is_bounded, 0},
    {"lipschitz", 0, is_lipschitz, 0},
    {"majorizer", LOSSI_MAJORIZED, NULL, 0},
    {"thread_safe", 0, is_thread_safe, 1},
};

enum { PROPERTY_COUNT = sizeof properties / sizeof *properties };

int32_t loss_function_property_count(void)
{
    return PROPERTY_COUNT;
}

const char *loss_function_property_name(int32_t index)
{
    return index >= 0 && index < PROPERTY_COUNT ? properties[index].name : NULL;
}

static const char *property_name(const void *unused, int32_t index)
{
    (void)unused;
    return loss_function_property_name(index);
}

static loss_status find_property(const loss_function *function, const char *name,
                                 const struct property **found)
{
    *found = NULL;
    for (int32_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strcmp(properties[i].name, name) == 0) {
            *found = &properties[i];
            return LOSS_OK;
        }
    }
    return lossi_fail_name(function->context, "property called", name, property_name, NULL, PROPERTY_COUNT);
}

loss_status loss_function_property(const loss_function *function, const char *name, int32_t *value)
{
    const struct property *property;
    if (function == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || value == NULL) {
        return lossi_fail_null(function->context, name == NULL ? "the name of the property" : "value");
    }
    loss_status status = find_property(function, name, &property);
    if (status == LOSS_OK) {
        *value = property->found != NULL ? property->found(function)
                                         : (function->prepared.flags & property->flag) != 0;
    }
    return status;
}

/* ---- numbers ---- */

static const struct number {
    const char *name;
    size_t offset;  /* in lossi_prepared */
    size_t of_user; /* the same in lossi_user */
    double least;   /* what it cannot be below */
} numbers[] = {
    {"lipschitz", offsetof(lossi_prepared, bounds.lipschitz), offsetof(lossi_user, bounds.lipschitz), 0},
    {"curvature_bound", offsetof(lossi_prepared, bounds.curvature), offsetof(lossi_user, bounds.curvature),
     0},
    {"minimum", offsetof(lossi_prepared, bounds.minimum), offsetof(lossi_user, bounds.minimum), -INFINITY},
    {"maximum", offsetof(lossi_prepared, bounds.maximum), offsetof(lossi_user, bounds.maximum), -INFINITY},
    {"continuous_derivatives", offsetof(lossi_prepared, bounds.derivatives),
     offsetof(lossi_user, bounds.derivatives), 0},
    {"prediction_minimum", offsetof(lossi_prepared, prediction.low), offsetof(lossi_user, prediction.low),
     -INFINITY},
    {"prediction_maximum", offsetof(lossi_prepared, prediction.high), offsetof(lossi_user, prediction.high),
     -INFINITY},
    {"target_minimum", offsetof(lossi_prepared, target.low), offsetof(lossi_user, target.low), -INFINITY},
    {"target_maximum", offsetof(lossi_prepared, target.high), offsetof(lossi_user, target.high), -INFINITY},
};

enum { NUMBER_COUNT = sizeof numbers / sizeof *numbers };

int32_t loss_function_number_count(void)
{
    return NUMBER_COUNT;
}

const char *loss_function_number_name(int32_t index)
{
    return index >= 0 && index < NUMBER_COUNT ? numbers[index].name : NULL;
}

static const char *number_name(const void *unused, int32_t index)
{
    (void)unused;
    return loss_function_number_name(index);
}

static loss_status find_number(const loss_function *function, const char *name, const struct number **found)
{
    *found = NULL;
    for (int32_t i = 0; i < NUMBER_COUNT; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *found = &numbers[i];
            return LOSS_OK;
        }
    }
    return lossi_fail_name(function->context, "number called", name, number_name, NULL, NUMBER_COUNT);
}

loss_status loss_function_number(const loss_function *function, const char *name, double *value)
{
    const struct number *number;
    if (function == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || value == NULL) {
        return lossi_fail_null(function->context, name == NULL ? "the name of the number" : "value");
    }
    loss_status status = find_number(function, name, &number);
    if (status == LOSS_OK) {
        memcpy(value, (const char *)&function->prepared + number->offset, sizeof *value);
    }
    return status;
}

/* ---- links ---- */

static const char *const links[] = {[LOSSI_LINK_IDENTITY] = "identity",
                                    [LOSSI_LINK_LOGIT] = "logit",
                                    [LOSSI_LINK_LOG] = "log",
                                    [LOSSI_LINK_SOFTMAX] = "softmax"};

enum { LINK_COUNT = sizeof links / sizeof *links };

const char *loss_function_link(const loss_function *function)
{
    return function == NULL ? "" : links[function->prepared.link];
}

static const char *link_name(const void *unused, int32_t index)
{
    (void)unused;
    return links[index];
}

/* ---- what the caller says about a loss of its own ---- */

static loss_status describable(const loss_function *function, const char *name)
{
    loss_status status = lossi_function_settable(function);
    if (status != LOSS_OK) {
        return status;
    }
    if (name == NULL) {
        return lossi_fail_null(function->context, "the name");
    }
    return function->user != NULL
               ? LOSS_OK
               : lossi_fail(function->context, LOSS_ERROR_SUPPORT,
                            "%s is of the catalogue: what it is cannot be set", function->title);
}

loss_status loss_function_set_property(loss_function *function, const char *name, int32_t value)
{
    const struct property *property = NULL;
    loss_status status = describable(function, name);
    if (status == LOSS_OK) {
        status = find_property(function, name, &property);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (!property->settable) {
        return lossi_fail(function->context, LOSS_ERROR_SUPPORT,
                          "the property '%s' follows from other things and cannot be set", name);
    }
    if (value != 0 && value != 1) {
        return lossi_fail(function->context, LOSS_ERROR_RANGE,
                          "the property '%s' was set to %d; 0 or 1 was expected", name, (int)value);
    }
    if (property->flag == 0) {
        function->user->thread_safe = value;
    } else if (value) {
        function->user->row.flags |= property->flag;
    } else {
        function->user->row.flags &= ~property->flag;
    }
    lossi_function_prepare(function);
    return LOSS_OK;
}

loss_status loss_function_set_number(loss_function *function, const char *name, double value)
{
    const struct number *number = NULL;
    char text[32], least[32];
    loss_status status = describable(function, name);
    if (status == LOSS_OK) {
        status = find_number(function, name, &number);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (!(value >= number->least)) {
        return lossi_fail(function->context, LOSS_ERROR_RANGE,
                          "the number '%s' was set to %s; at least %s was expected", name,
                          lossi_number(value, text), lossi_number(number->least, least));
    }
    memcpy((char *)function->user + number->of_user, &value, sizeof value);
    lossi_function_prepare(function);
    return LOSS_OK;
}

loss_status loss_function_set_link(loss_function *function, const char *name)
{
    loss_status status = describable(function, name);
    if (status != LOSS_OK) {
        return status;
    }
    for (int32_t i = 0; i < LINK_COUNT; i++) {
        if (strcmp(links[i], name) == 0) {
            function->user->row.link = i;
            lossi_function_prepare(function);
            return LOSS_OK;
        }
    }
    return lossi_fail_name(function->context, "link called", name, link_name, NULL, LINK_COUNT);
}
