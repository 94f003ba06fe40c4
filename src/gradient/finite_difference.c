/*
 * Finite differences as handles: life, options, the questions and answers. Which values are asked for is in stencil.c.
 *
 * Steps and their reasons: Gill, Murray, Saunders & Wright, Computing forward-difference intervals for numerical optimization,
 * SIAM J. Sci. Stat. Comput. 4 (1983), 310–321; with the noise of the values for ε, Moré & Wild, Estimating derivatives of
 * noisy simulations, ACM Trans. Math. Softw. 38 (2012), 19.
 */
#include "gradient/finite_difference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradient/objective.h"

enum { FUNCTION_PRECISION, TYPICAL, TYPICAL_SIZES, LOWER, UPPER, LOWER_BOUNDS, UPPER_BOUNDS, OPTIONS };

static const loss_option difference_options[OPTIONS] = {
    [FUNCTION_PRECISION] = {"function_precision", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
                            "the relative error of the values; 0: the precision of the element type"},
    [TYPICAL] = {"typical", LOSS_OPTION_DOUBLE, DBL_MIN, 1e300, 1, NULL, NULL,
                 "the size of parameters that are near 0"},
    [TYPICAL_SIZES] = {"typical_sizes", LOSS_OPTION_ARRAY, DBL_MIN, 1e300, 0, NULL, NULL,
                       "the size of each parameter, instead of typical"},
    [LOWER] = {"lower", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, -INFINITY, NULL, NULL,
               "the least that any of the parameters may be"},
    [UPPER] = {"upper", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, INFINITY, NULL, NULL,
               "the largest that any of the parameters may be"},
    [LOWER_BOUNDS] = {"lower_bounds", LOSS_OPTION_ARRAY, -INFINITY, INFINITY, 0, NULL, NULL,
                      "the least for each parameter, instead of lower"},
    [UPPER_BOUNDS] = {"upper_bounds", LOSS_OPTION_ARRAY, -INFINITY, INFINITY, 0, NULL, NULL,
                      "the largest for each parameter, instead of upper"},
};

static const char *const methods[] = {
    [LOSSI_DIFFERENCE_FORWARD] = "forward",
    [LOSSI_DIFFERENCE_CENTRAL] = "central",
    [LOSSI_DIFFERENCE_RIDDERS] = "ridders",
};
enum { METHODS = sizeof methods / sizeof *methods };

/* ---- life ---- */

static const char *method_name(const void *unused, int32_t index)
{
    (void)unused;
    return methods[index];
}

static loss_status find_method(loss_context *context, const char *name, int32_t *method)
{
    for (*method = 0; *method < METHODS; ++*method) {
        if (strcmp(methods[*method], name) == 0) {
            return LOSS_OK;
        }
    }
    return lossi_fail_name(context, "difference called", name, method_name, NULL, METHODS);
}

static loss_status make(loss_difference **out, loss_context *context, int32_t method)
{
    loss_difference *d = lossi_allocate(context, (int64_t)sizeof *d);
    if (d == NULL) {
        return lossi_fail_memory(context, "a difference");
    }
    snprintf(d->title, sizeof d->title, "the difference '%s'", methods[method]);
    loss_status status = lossi_options_create(&d->options, context, d->title, NULL, 0, difference_options,
                                              OPTIONS);
    if (status != LOSS_OK) {
        lossi_release(context, d);
        return status;
    }
    d->context = lossi_context_retain(context);
    atomic_init(&d->references, 1);
    d->method = method;
    d->value = NAN;
    *out = d;
    return LOSS_OK;
}

loss_status loss_difference_create(loss_difference **out, loss_context *context, const char *name,
                                   loss_dtype dtype, int64_t dimension)
{
    int32_t method = 0;
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || name == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                                          : "the name of the difference");
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "differences are of float32 or float64, not %s",
                          loss_dtype_name(dtype));
    }
    if (dimension < 1 || dimension >= INT64_MAX / 16) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "the dimension is %lld; 1 … 2^59 was expected",
                          (long long)dimension);
    }
    loss_status status = find_method(context, name, &method);
    if (status == LOSS_OK) {
        status = make(out, context, method);
    }
    if (status == LOSS_OK) {
        (*out)->dtype = dtype;
        (*out)->real_size = (int32_t)loss_dtype_size(dtype);
        (*out)->dimension = dimension;
    }
    return status;
}

loss_difference *lossi_difference_retain(loss_difference *d)
{
    atomic_fetch_add_explicit(&d->references, 1, memory_order_relaxed);
    return d;
}

void loss_difference_free(loss_difference *d)
{
    if (d == NULL || atomic_fetch_sub_explicit(&d->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    loss_context *context = d->context;
    lossi_release(context, d->x);
    lossi_release(context, d->point);
    lossi_release(context, d->direction);
    lossi_release(context, d->result);
    lossi_release(context, d->error);
    lossi_options_destroy(&d->options);
    lossi_release(context, d);
    lossi_context_drop(context);
}

/* ---- options ---- */

static int32_t running(const loss_difference *d)
{
    return d->job != LOSSI_JOB_NONE && d->phase != LOSSI_PHASE_DONE;
}

static loss_status settable(const loss_difference *d)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    return running(d)
               ? lossi_fail(d->context, LOSS_ERROR_STATE,
                            "%s is under way; its options can be set before it starts and after it ends",
                            d->title)
               : LOSS_OK;
}

loss_status loss_difference_set_double(loss_difference *d, const char *name, double value)
{
    loss_status status = settable(d);
    return status != LOSS_OK ? status : lossi_options_set_double(&d->options, name, value);
}

/* A length that does not fit is refused at once, so that an array never ends before the parameters do. */
loss_status loss_difference_set_array(loss_difference *d, const char *name, const void *values,
                                      loss_dtype dtype, int64_t count)
{
    int32_t index;
    loss_status status = settable(d);
    if (status == LOSS_OK) {
        status = lossi_option_find(d->context, d->title, difference_options, OPTIONS, name, LOSS_OPTION_ARRAY,
                                   &index);
    }
    if (status == LOSS_OK && count > 0 && count != d->dimension) {
        status = lossi_fail(d->context, LOSS_ERROR_SHAPE, "%lld %s for %s, which is about %lld parameters",
                            (long long)count, name, d->title, (long long)d->dimension);
    }
    return status != LOSS_OK ? status : lossi_options_set_array(&d->options, name, values, dtype, count);
}

loss_status loss_difference_get_double(const loss_difference *d, const char *name, double *value)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name != NULL && value != NULL && strcmp(name, "value") == 0) {
        *value = d->value;
        return LOSS_OK;
    }
    return lossi_options_get_double(&d->options, name, value);
}

loss_status loss_difference_get_int(const loss_difference *d, const char *name, int64_t *value)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name != NULL && value != NULL && strcmp(name, "dimension") == 0) {
        *value = d->dimension;
        return LOSS_OK;
    }
    if (name != NULL && value != NULL && strcmp(name, "evaluations") == 0) {
        *value = d->evaluations;
        return LOSS_OK;
    }
    return lossi_options_get_int(&d->options, name, value);
}

int32_t loss_difference_option_count(const loss_difference *d)
{
    return d == NULL ? 0 : lossi_options_count(&d->options);
}

const loss_option *loss_difference_option(const loss_difference *d, int32_t index)
{
    return d == NULL ? NULL : lossi_options_at(&d->options, index);
}

/* ---- settings of one parameter ---- */

static double setting(const loss_difference *d, int32_t all, int32_t each, int64_t index)
{
    const lossi_option_value *array = lossi_options_own(&d->options, each);
    return array->count > 0 ? array->array[index] : lossi_options_own(&d->options, all)->number;
}

double lossi_difference_precision(const loss_difference *d)
{
    const double given = lossi_options_own(&d->options, FUNCTION_PRECISION)->number;
    return given > 0 ? given : d->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
}

double lossi_difference_size(const loss_difference *d, int64_t index)
{
    return fmax(fabs(lossi_real_get(d->dtype, d->x, index)), setting(d, TYPICAL, TYPICAL_SIZES, index));
}

void lossi_difference_bounds(const loss_difference *d, int64_t index, double *lower, double *upper)
{
    *lower = setting(d, LOWER, LOWER_BOUNDS, index);
    *upper = setting(d, UPPER, UPPER_BOUNDS, index);
    if (d->dtype == LOSS_FLOAT32) {
        *lower = (double)(float)*lower;
        *upper = (double)(float)*upper;
    }
}

loss_status lossi_difference_check(const loss_difference *d)
{
    for (int64_t i = 0; i < d->dimension; i++) {
        char low[32], high[32];
        const double lower = setting(d, LOWER, LOWER_BOUNDS, i), upper = setting(d, UPPER, UPPER_BOUNDS, i);
        if (!(lower <= upper) || lower == INFINITY || upper == -INFINITY) {
            return lossi_fail(d->context, LOSS_ERROR_RANGE,
                              "the bounds of parameter %lld in %s are crossed or not numbers: %s and %s",
                              (long long)i, d->title, lossi_number(lower, low), lossi_number(upper, high));
        }
    }
    return LOSS_OK;
}

int64_t lossi_difference_outside(const loss_difference *d, const void *x)
{
    for (int64_t i = 0; i < d->dimension; i++) {
        double lower, upper;
        const double x_i = lossi_real_get(d->dtype, x, i);
        lossi_difference_bounds(d, i, &lower, &upper);
        if (!(x_i >= lower && x_i <= upper)) { /* NaN is nowhere inside */
            return i;
        }
    }
    return -1;
}

loss_status lossi_difference_fail_outside(const loss_difference *d, loss_status status, int64_t index,
                                          double x)
{
    char at[32], low[32], high[32];
    double lower, upper;
    lossi_difference_bounds(d, index, &lower, &upper);
    return lossi_fail(d->context, status, "parameter %lld is %s, outside its bounds %s … %s in %s",
                      (long long)index, lossi_number(x, at), lossi_number(lower, low),
                      lossi_number(upper, high), d->title);
}

/* ---- questions and answers ---- */

loss_status lossi_difference_prepare(loss_difference *d)
{
    char **const arrays[] = {&d->x, &d->point, &d->direction, &d->result};
    int32_t complete = 1;
    for (int32_t i = 0; i < 4; i++) {
        if (*arrays[i] == NULL) {
            *arrays[i] = lossi_allocate(d->context, d->dimension * d->real_size);
        }
        complete &= *arrays[i] != NULL;
    }
    if (d->error == NULL) {
        d->error = lossi_allocate(d->context, d->dimension * (int64_t)sizeof(double));
    }
    return complete && d->error != NULL ? LOSS_OK : lossi_fail_memory(d->context, "differences");
}

static loss_status start(loss_difference *d, const void *x, const void *direction, int64_t first)
{
    loss_status status = lossi_difference_check(d);
    if (status != LOSS_OK) {
        return status;
    }
    const int64_t outside = lossi_difference_outside(d, x);
    if (outside >= 0) {
        return lossi_difference_fail_outside(d, LOSS_ERROR_RANGE, outside,
                                             lossi_real_get(d->dtype, x, outside));
    }
    status = lossi_difference_prepare(d);
    if (status != LOSS_OK) {
        return status;
    }
    memmove(d->x, x, (size_t)(d->dimension * d->real_size));
    if (direction != NULL) {
        memmove(d->direction, direction, (size_t)(d->dimension * d->real_size));
    }
    lossi_stencil_start(d, direction == NULL ? LOSSI_JOB_GRADIENT : LOSSI_JOB_PRODUCT, first);
    return LOSS_OK;
}

loss_status loss_difference_start(loss_difference *d, const void *x)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    return x == NULL ? lossi_fail_null(d->context, "x") : start(d, x, NULL, 0);
}

loss_status lossi_difference_start_rows(loss_difference *d, const void *x, const void *direction,
                                        int64_t first)
{
    return start(d, x, direction, first);
}

loss_status loss_difference_start_product(loss_difference *d, const void *x, const void *direction)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || direction == NULL) {
        return lossi_fail_null(d->context, x == NULL ? "x" : "direction");
    }
    return start(d, x, direction, 0);
}

loss_status loss_difference_ask(loss_difference *d, int32_t *request)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (request == NULL) {
        return lossi_fail_null(d->context, "request");
    }
    if (d->job == LOSSI_JOB_NONE) {
        return lossi_fail(d->context, LOSS_ERROR_STATE, "%s was not started: loss_difference_start() does it",
                          d->title);
    }
    d->asked = running(d);
    *request = d->asked ? LOSS_REQUEST_VALUE : LOSS_REQUEST_DONE;
    return LOSS_OK;
}

loss_status loss_difference_tell_value(loss_difference *d, double value)
{
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!d->asked) {
        return lossi_fail(d->context, LOSS_ERROR_STATE, "%s did not ask for a value", d->title);
    }
    d->asked = 0;
    lossi_stencil_tell(d, value);
    return LOSS_OK;
}

static const char *payload_name(const void *names, int32_t index)
{
    return ((const char *const *)names)[index];
}

loss_status loss_difference_get_pointer(const loss_difference *d, const char *name, const void **pointer)
{
    static const char *const names[] = {"x", "gradient", "product", "error"};
    enum { X, GRADIENT, PRODUCT, ERROR, NAMES };
    int32_t index = 0;
    if (d == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || pointer == NULL) {
        return lossi_fail_null(d->context, name == NULL ? "name" : "pointer");
    }
    while (index < NAMES && strcmp(names[index], name) != 0) {
        index++;
    }
    if (index == NAMES) {
        return lossi_fail_name(d->context, "part of a difference called", name, payload_name, names, NAMES);
    }
    if (index == ERROR && d->method != LOSSI_DIFFERENCE_RIDDERS) {
        return lossi_fail(d->context, LOSS_ERROR_SUPPORT, "%s has no error bars; 'ridders' has", d->title);
    }
    const int32_t has = index == X         ? running(d)
                        : index == PRODUCT ? d->job == LOSSI_JOB_PRODUCT && !running(d)
                                           : d->job == LOSSI_JOB_GRADIENT && !running(d);
    if (!has) {
        return lossi_fail(d->context, LOSS_ERROR_STATE, "%s has no '%s' now", d->title, name);
    }
    *pointer = index == X ? (const void *)d->point : index == ERROR ? (const void *)d->error : d->result;
    return LOSS_OK;
}

loss_status lossi_difference_run(loss_difference *d, lossi_value_function function, void *user)
{
    while (running(d)) {
        double value = NAN;
        loss_status status = function(user, d->point, &value);
        if (status != LOSS_OK) {
            d->job = LOSSI_JOB_NONE;
            return status;
        }
        lossi_stencil_tell(d, value);
    }
    return LOSS_OK;
}
