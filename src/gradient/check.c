/*
 * The derivative check: every coordinate of the gradient against differences of values, each with its own error bar.
 *
 * A derivative g and a difference n with error bar e agree when |g − n| ≤ 4e + a little rounding. They contradict each other
 * otherwise; unless the slopes on the two sides differ, when there is no derivative, or the error bar is so wide that
 * agreement says nothing.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "gradient/difference.h"
#include "loss/random.h"

enum { SAMPLE = 256 };

/* How wide an error bar may be, relative to the derivative, and still decide something. */
static const double widest = 0.1;

typedef struct finding {
    int32_t verdict;
    int64_t index;
    double derivative, allowed;
    double severity; /* how bad, among findings of the same verdict */
    lossi_slope slope;
} finding;

/* From good to bad: the worst finding is the verdict. */
static int32_t rank(int32_t verdict)
{
    switch (verdict) {
    case LOSS_CHECK_FAIL:
        return 3;
    case LOSS_CHECK_KINK:
        return 2;
    case LOSS_CHECK_INCONCLUSIVE:
        return 1;
    default:
        return 0;
    }
}

/* scale is the largest derivative of all. */
static void judge(const loss_objective *o, double scale, finding *f)
{
    const lossi_slope *s = &f->slope;
    const int32_t single = o->dtype == LOSS_FLOAT32;
    /* What a sum of many terms of either sign loses to rounding: relative to itself, and to the largest of its kind. */
    const double relative = single ? 1e-4 : 1e-7, absolute = 64 * (single ? FLT_EPSILON : DBL_EPSILON);
    const double size = fmax(fabs(f->derivative), fabs(s->central)), apart = fabs(f->derivative - s->central);
    const double bar = 4 * s->error;

    f->allowed = bar + relative * size + absolute * scale;
    f->severity = apart / f->allowed;
    f->verdict = LOSS_CHECK_PASS;
    if (!isfinite(s->error)) {
        f->verdict = LOSS_CHECK_INCONCLUSIVE;
        f->severity = INFINITY;
    } else if (s->kink) {
        const double low = fmin(s->left, s->right) - f->allowed, high = fmax(s->left, s->right) + f->allowed;
        f->verdict = f->derivative >= low && f->derivative <= high ? LOSS_CHECK_KINK : LOSS_CHECK_FAIL;
        f->severity = fabs(s->right - s->left);
    } else if (!(apart <= f->allowed)) {
        f->verdict = LOSS_CHECK_FAIL;
    } else if (bar > widest * fmax(size, 0.01 * scale) && bar > s->rounding) {
        f->verdict = LOSS_CHECK_INCONCLUSIVE;
        f->severity = bar;
    }
    if (isnan(f->severity)) {
        f->severity = INFINITY;
    }
}

/* The sentence about a verdict other than PASS. */
static void explain(const loss_objective *o, const finding *f)
{
    char derivative[32], difference[32], error[32], left[32], right[32];
    const long long index = f->index;
    const char *g = lossi_number(f->derivative, derivative), *n = lossi_number(f->slope.central, difference);
    const char *e = lossi_number(f->allowed, error);
    if (f->verdict == LOSS_CHECK_FAIL) {
        lossi_fail(o->context, LOSS_ERROR_DERIVATIVE,
                   "the derivative along parameter %lld is %s; differences of values say %s, give or take %s",
                   index, g, n, e);
    } else if (f->verdict == LOSS_CHECK_KINK) {
        lossi_fail(o->context, LOSS_OK,
                   "there is a kink along parameter %lld: the slope is %s before and %s behind it", index,
                   lossi_number(f->slope.left, left), lossi_number(f->slope.right, right));
    } else if (f->verdict == LOSS_CHECK_INCONCLUSIVE) {
        lossi_fail(o->context, LOSS_OK,
                   "the values are too noisy along parameter %lld: differences say %s, give or take %s; the "
                   "derivative "
                   "is %s",
                   index, n, e, g);
    }
}

/* Which coordinate is looked at as number k: all of them, or one from each of 256 parts of equal length. */
static int64_t coordinate(int64_t dimension, int64_t k, uint64_t seed)
{
    double u;
    if (dimension <= SAMPLE) {
        return k;
    }
    const int64_t first = (int64_t)((double)dimension / SAMPLE * (double)k);
    const int64_t next = k + 1 < SAMPLE ? (int64_t)((double)dimension / SAMPLE * (double)(k + 1)) : dimension;
    loss_random_uniform(seed, 0, k, 1, &u);
    const int64_t chosen = first + (int64_t)(u * (double)(next - first));
    return chosen < next ? chosen : next - 1;
}

static double largest(const loss_objective *o, const char *gradient)
{
    double most = 0;
    for (int64_t i = 0; i < o->dimension; i++) {
        most = fmax(most, fabs(lossi_real_get(o->dtype, gradient, i)));
    }
    return most;
}

static loss_status look(lossi_differences *d, const char *gradient, uint64_t seed, finding *worst)
{
    const loss_objective *o = d->objective;
    const double scale = largest(o, gradient);
    const int64_t count = o->dimension < SAMPLE ? o->dimension : SAMPLE;
    loss_status status = lossi_differences_begin(d, seed);
    *worst = (finding){.index = -1, .verdict = LOSS_CHECK_PASS, .severity = -1};
    for (int64_t k = 0; k < count && status == LOSS_OK; k++) {
        finding f = {.index = coordinate(o->dimension, k, seed)};
        f.derivative = lossi_real_get(o->dtype, gradient, f.index);
        status = lossi_differences_slope(d, f.index, &f.slope);
        if (status == LOSS_OK) {
            judge(o, scale, &f);
            const int32_t better = rank(f.verdict) - rank(worst->verdict);
            if (better > 0 || (better == 0 && f.severity > worst->severity)) {
                *worst = f;
            }
        }
    }
    return status;
}

static loss_status check(loss_objective *o, const void *x, char *copy, char *gradient, uint64_t seed,
                         int32_t *verdict)
{
    lossi_differences d = {.objective = o, .x = copy};
    finding worst;
    loss_status status = loss_objective_evaluate(o, x, &d.value, gradient);
    if (status != LOSS_OK) {
        return status;
    }
    memcpy(copy, x, (size_t)(o->dimension * o->real_size));
    status = look(&d, gradient, seed, &worst);
    if (status != LOSS_OK) {
        return status;
    }
    o->check_index = worst.index;
    o->check_derivative = worst.derivative;
    o->check_difference = worst.slope.central;
    o->check_error = worst.allowed;
    *verdict = worst.verdict;
    explain(o, &worst);
    return LOSS_OK;
}

loss_status loss_objective_check(loss_objective *objective, const void *x, uint64_t seed, int32_t *verdict)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || verdict == NULL) {
        return lossi_fail_null(objective->context, x == NULL ? "x" : "verdict");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status != LOSS_OK) {
        return status;
    }
    loss_context *context = objective->context;
    const int64_t bytes = objective->dimension * objective->real_size;
    char *copy = lossi_allocate(context, bytes), *gradient = lossi_allocate(context, bytes);
    status = copy == NULL || gradient == NULL ? lossi_fail_memory(context, "a derivative check")
                                              : check(objective, x, copy, gradient, seed, verdict);
    lossi_release(context, copy);
    lossi_release(context, gradient);
    return status;
}
