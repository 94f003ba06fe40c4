/*
 * The derivative check: every coordinate of the gradient against differences of values, each with its own error bar.
 *
 * A derivative g and a difference n with error bar e agree when |g − n| ≤ 4e + a little rounding. They contradict each other
 * otherwise; unless the slopes on the two sides differ, when there is no derivative, or the error bar is so wide that
 * agreement says nothing.
 */
#include "gradient/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradient/difference.h"
#include "loss/random.h"

/* How wide an error bar may be, relative to the derivative, and still decide something. */
static const double widest = 0.1;

/* From good to bad: the worst finding is the verdict. */
static int32_t rank(int32_t verdict)
{
    switch (verdict) {
    case LOSS_CHECK_WRONG:
        return 3;
    case LOSS_CHECK_KINK:
        return 2;
    case LOSS_CHECK_INCONCLUSIVE:
        return 1;
    default:
        return 0;
    }
}

lossi_check_limits lossi_check_limit(const loss_objective *o, int32_t what, double size)
{
    const int32_t single = o->dtype == LOSS_FLOAT32;
    const double unit = single ? FLT_EPSILON : DBL_EPSILON;
    /* What a sum of many terms of either sign loses to rounding: relative to itself, and to the largest of its kind. */
    lossi_check_limits limits = {single ? 1e-4 : 1e-7, 0, what == LOSSI_CHECK_GRADIENT ? 0.01 : 0.1};
    if (o->kind->differences != NULL &&
        o->kind->differences(o, what)) { /* what these lose: √ε of the values */
        limits.relative = sqrt(sqrt(unit));
        limits.absolute = 16 * sqrt(unit) * size;
    }
    return limits;
}

void lossi_check_judge(lossi_check_limits limits, const loss_objective *o, double scale, lossi_finding *f)
{
    const lossi_slope *s = &f->slope;
    const double absolute = 64 * (o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON);
    const double size = fmax(fabs(f->derivative), fabs(s->central)), apart = fabs(f->derivative - s->central);
    const double bar = 4 * s->error;
    /* Unless shorter steps say it sharply, when it was no noise. */
    const int32_t steep = fabs(f->derivative) > f->steep && !(s->shorter && bar <= widest / 2 * size);

    f->allowed = bar + limits.relative * size + absolute * scale + limits.absolute;
    f->severity = apart / f->allowed;
    f->verdict = LOSS_CHECK_OK;
    if (isnan(f->derivative)) {
        f->verdict = LOSS_CHECK_WRONG;
    } else if (!isfinite(s->error)) {
        f->verdict = LOSS_CHECK_INCONCLUSIVE;
        f->severity = INFINITY;
    } else if (s->kink) {
        const double low = fmin(s->left, s->right) - f->allowed, high = fmax(s->left, s->right) + f->allowed;
        f->verdict = f->derivative >= low && f->derivative <= high ? LOSS_CHECK_KINK
                     : s->unsettled || steep                       ? LOSS_CHECK_INCONCLUSIVE
                                                                   : LOSS_CHECK_WRONG;
        f->severity = fabs(s->right - s->left);
    } else if (!(apart <= f->allowed)) {
        f->verdict = steep ? LOSS_CHECK_INCONCLUSIVE : LOSS_CHECK_WRONG;
    } else if (bar > widest * fmax(size, limits.least * fmax(scale, s->widest)) && bar > s->rounding) {
        f->verdict = LOSS_CHECK_INCONCLUSIVE;
        f->severity = bar;
    }
    if (isnan(f->severity)) {
        f->severity = INFINITY;
    }
}

lossi_finding lossi_check_none(void)
{
    return (lossi_finding){.index = -1,
                           .direction = -1,
                           .verdict = LOSS_CHECK_OK,
                           .severity = -1,
                           .taylor = NAN,
                           .steep = INFINITY};
}

void lossi_check_keep(lossi_finding *worst, const lossi_finding *f)
{
    const int32_t better = rank(f->verdict) - rank(worst->verdict);
    if (better > 0 || (better == 0 && f->severity > worst->severity)) {
        *worst = *f;
    }
}

/* ---- what is said about it ---- */

/* What was compared, and along what it was: both for sentences. */
static void name(const lossi_finding *f, char what[160], char along[48])
{
    const long long index = f->index, direction = f->direction;
    if (f->what == LOSSI_OF_PARAMETER || f->what == LOSSI_OF_DIRECTION) {
        const int32_t parameter = f->what == LOSSI_OF_PARAMETER;
        snprintf(along, 48, "%s %lld", parameter ? "parameter" : "direction", parameter ? index : direction);
        snprintf(what, 160, "the derivative along %s", along);
    } else {
        snprintf(along, 48, "direction %lld", direction);
        if (f->what == LOSSI_OF_PRODUCT) {
            snprintf(what, 160, "element %lld of the Hessian product with %s", index, along);
        } else {
            snprintf(what, 160, "a weighted sum of the Hessian product with %s", along);
        }
    }
}

static void explain(const loss_objective *o, const lossi_finding *f)
{
    char what[160], along[48], derivative[32], difference[32], error[32], left[32], right[32];
    const char *g = lossi_number(f->derivative, derivative), *n = lossi_number(f->slope.central, difference);
    const char *e = lossi_number(f->allowed, error);
    const char *of = f->what >= LOSSI_OF_PRODUCT ? "gradients" : "values";
    name(f, what, along);
    if (f->what == LOSSI_OF_SYMMETRY && f->verdict == LOSS_CHECK_WRONG) {
        lossi_fail(
            o->context, LOSS_ERROR_DERIVATIVE,
            "the Hessian product is not symmetric: with the directions u = %lld and v = %lld, u'Hv is %s and "
            "v'Hu %s, which should differ by at most %s",
            (long long)f->direction, (long long)f->direction + 1, g, n, e);
    } else if (f->verdict == LOSS_CHECK_WRONG && isnan(f->derivative) && !isfinite(f->slope.error)) {
        lossi_fail(o->context, LOSS_ERROR_DERIVATIVE, "%s is NaN", what);
    } else if (f->verdict == LOSS_CHECK_WRONG) {
        lossi_fail(o->context, LOSS_ERROR_DERIVATIVE, "%s is %s; differences of %s say %s, give or take %s",
                   what, g, of, n, e);
    } else if (f->verdict == LOSS_CHECK_KINK && !f->slope.kink) { /* a product that is a difference itself */
        lossi_fail(o->context, LOSS_OK,
                   "there is a kink of the gradient along %s, or near it: differences of gradients do not "
                   "agree, %s in %s and %s at the steps of the check",
                   along, g, what, n);
    } else if (f->verdict == LOSS_CHECK_KINK) {
        lossi_fail(o->context, LOSS_OK, "there is a kink%s along %s: the slope is %s before and %s behind it",
                   f->what >= LOSSI_OF_PRODUCT ? " of the gradient" : "", along,
                   lossi_number(f->slope.left, left), lossi_number(f->slope.right, right));
    } else if (f->verdict == LOSS_CHECK_INCONCLUSIVE && f->beside) {
        lossi_fail(o->context, LOSS_OK,
                   "there are kinks beside the point along %s, within the steps of the differences: these "
                   "say %s, the "
                   "derivative is %s and goes with the values around it",
                   along, n, g);
    } else if (f->verdict == LOSS_CHECK_INCONCLUSIVE && f->slope.unsettled) {
        lossi_fail(
            o->context, LOSS_OK,
            "differences of %s along %s do not settle as their steps shrink, to %s in the end; %s is %s", of,
            along, n,
            f->what == LOSSI_OF_PARAMETER || f->what == LOSSI_OF_DIRECTION ? "the derivative" : what, g);
    } else if (f->verdict == LOSS_CHECK_INCONCLUSIVE) {
        lossi_fail(
            o->context, LOSS_OK,
            "the %s are too noisy along %s: differences say %s, give or take %s; %s is %s", of, along, n, e,
            f->what == LOSSI_OF_PARAMETER || f->what == LOSSI_OF_DIRECTION ? "the derivative" : what, g);
    }
}

void lossi_check_report(loss_objective *o, const lossi_finding *worst)
{
    o->check_index = worst->index;
    o->check_direction = worst->direction;
    o->check_derivative = worst->derivative;
    o->check_difference = worst->slope.central;
    o->check_error = worst->allowed;
    o->check_slope = worst->taylor;
    explain(o, worst);
}

/* ---- which parameters ---- */

int64_t lossi_check_parameter(int64_t dimension, int64_t k, uint64_t seed)
{
    double u;
    if (dimension <= LOSSI_CHECK_SAMPLE) {
        return k;
    }
    const double part = (double)dimension / LOSSI_CHECK_SAMPLE;
    const int64_t first = (int64_t)(part * (double)k);
    const int64_t next = k + 1 < LOSSI_CHECK_SAMPLE ? (int64_t)(part * (double)(k + 1)) : dimension;
    loss_random_uniform(seed, 0, k, 1, &u);
    const int64_t chosen = first + (int64_t)(u * (double)(next - first));
    return chosen < next ? chosen : next - 1;
}

int32_t lossi_check_fixed(const loss_objective *o, int64_t index)
{
    double lower, upper;
    lossi_check_bounds(o, index, &lower, &upper);
    return lower == upper;
}

void lossi_check_bounds(const loss_objective *o, int64_t index, double *lower, double *upper)
{
    *lower = -INFINITY;
    *upper = INFINITY;
    if (o->kind->bounds != NULL) {
        o->kind->bounds(o, index, lower, upper);
    }
}

double lossi_check_largest(const loss_objective *o, const void *vector)
{
    double most = 0;
    for (int64_t i = 0; i < o->dimension; i++) {
        most = fmax(most, fabs(lossi_real_get(o->dtype, vector, i)));
    }
    return most;
}

/* ---- parameter by parameter ---- */

/* Value and derivative with parameter i moved. */
typedef struct beside {
    lossi_differences *d;
    int64_t index;
    char *gradient;
} beside;

static loss_status at_parameter(void *user, double *t, double *value, double *derivative)
{
    const beside *b = user;
    const loss_dtype dtype = b->d->objective->dtype;
    const double x = lossi_real_get(dtype, b->d->x, b->index);
    lossi_real_put(dtype, b->d->x, b->index, x + *t);
    *t = lossi_real_get(dtype, b->d->x, b->index) - x;
    const loss_status status = loss_objective_evaluate(b->d->objective, b->d->x, value, b->gradient);
    *derivative = lossi_real_get(dtype, b->gradient, b->index);
    lossi_real_put(dtype, b->d->x, b->index, x);
    return status;
}

static loss_status look_beside(lossi_differences *d, lossi_check_limits limits, double scale, char *nearby,
                               lossi_finding *f)
{
    const double x = fabs(lossi_real_get(d->objective->dtype, d->x, f->index));
    beside b = {d, f->index, nearby};
    const lossi_check_line line = {d->objective, &b, at_parameter,
                                   d->first_step * exp2(floor(log2(fmax(x, 1)))), d->noise};
    return lossi_check_beside(&line, limits, scale, f);
}

static loss_status look(lossi_differences *d, const char *gradient, char *nearby, uint64_t seed,
                        lossi_finding *worst)
{
    const loss_objective *o = d->objective;
    const double scale = lossi_check_largest(o, gradient);
    const lossi_check_limits limits = lossi_check_limit(o, LOSSI_CHECK_GRADIENT, fabs(d->value) + scale);
    const int64_t count = o->dimension < LOSSI_CHECK_SAMPLE ? o->dimension : LOSSI_CHECK_SAMPLE;
    loss_status status = lossi_differences_begin(d, seed);
    *worst = lossi_check_none();
    for (int64_t k = 0; k < count && status == LOSS_OK; k++) {
        lossi_finding f = lossi_check_none();
        f.what = LOSSI_OF_PARAMETER;
        f.index = lossi_check_parameter(o->dimension, k, seed);
        f.steep = d->steep;
        if (lossi_check_fixed(o, f.index)) {
            continue; /* its derivative is 0, and there are no values to say otherwise */
        }
        f.derivative = lossi_real_get(o->dtype, gradient, f.index);
        status = lossi_differences_slope(d, f.index, &f.slope);
        if (status == LOSS_OK) {
            lossi_check_judge(limits, o, scale, &f);
            status = look_beside(d, limits, scale, nearby, &f);
            lossi_check_keep(worst, &f);
        }
    }
    return status;
}

typedef struct parameter_check {
    const void *x;
    uint64_t seed;
    lossi_differences d; /* d.x: a copy of x */
    char *gradient, *nearby;
} parameter_check;

static loss_status check(void *check, lossi_finding *worst)
{
    parameter_check *c = check;
    loss_objective *o = c->d.objective;
    loss_status status = loss_objective_evaluate(o, c->x, &c->d.value, c->gradient);
    if (status == LOSS_OK) {
        memcpy(c->d.x, c->x, (size_t)(o->dimension * o->real_size));
        status = look(&c->d, c->gradient, c->nearby, c->seed, worst);
    }
    return status;
}

loss_status lossi_check_smooth(loss_objective *o, lossi_check_run run, void *check, int32_t *verdict)
{
    const int32_t before = o->smooth_only;
    lossi_finding worst;
    o->smooth_only = 1;
    const loss_status status = run(check, &worst);
    o->smooth_only = before;
    if (status == LOSS_OK) {
        *verdict = worst.verdict;
        lossi_check_report(o, &worst);
    }
    return status;
}

loss_status loss_objective_check(loss_objective *objective, const void *x, uint64_t seed, int32_t *verdict)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = lossi_check_arguments(objective, x, 1, verdict);
    if (status != LOSS_OK) {
        return status;
    }
    loss_context *context = objective->context;
    const int64_t bytes = objective->dimension * objective->real_size;
    parameter_check c = {.x = x, .seed = seed, .d = {.objective = objective}};
    c.d.x = lossi_allocate(context, bytes);
    c.gradient = lossi_allocate(context, bytes);
    c.nearby = lossi_allocate(context, bytes);
    status = c.d.x == NULL || c.gradient == NULL || c.nearby == NULL
                 ? lossi_fail_memory(context, "a derivative check")
                 : lossi_check_smooth(objective, check, &c, verdict);
    lossi_release(context, c.d.x);
    lossi_release(context, c.gradient);
    lossi_release(context, c.nearby);
    return status;
}
