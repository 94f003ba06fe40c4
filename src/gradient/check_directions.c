/*
 * The derivative check along random directions v: the gradient's g·v against differences of φ(t) = f(x + t·v) by Ridders'
 * extrapolation, with an error bar. Every parameter takes part in every direction, so that a few of them see what a check
 * of some parameters misses.
 *
 * Where values end at x, in a corner of bounds above all, those ahead of it say the derivative: v points inwards there.
 *
 * Beside the verdict stands how fast Taylor's remainder falls: |f(x + t·v) − f(x) − t·g·v| goes with t² when g is the gradient,
 * and with t when it is not (Dolfin-adjoint's Taylor test: Farrell, Ham, Funke & Rognes, SIAM J. Sci. Comput. 35 (2013), §5).
 */
#include "gradient/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "gradient/difference.h"
#include "loss/random.h"

/* ---- directions ---- */

/* Element i of the direction, turned from a bound that the widest step of a check would leave. */
static double inwards(const loss_objective *o, const void *x, int64_t i, double v)
{
    const double x_i = lossi_real_get(o->dtype, x, i);
    double lower, upper;
    lossi_check_bounds(o, i, &lower, &upper);
    const double behind = x_i - lower, ahead = upper - x_i, reach = 0x1p-4 * fabs(v);
    if (behind >= reach && ahead >= reach) {
        return v;
    }
    return behind == 0 && ahead == 0 ? 0 : behind < ahead ? fabs(v) : -fabs(v);
}

void lossi_check_direction(const loss_objective *o, const void *x, uint64_t seed, int64_t k, double *out)
{
    enum { CHUNK = 64, STREAM = 2 /* 0 and 1 choose parameters and the signs that noise is measured with */ };
    double uniform[CHUNK];
    int exponent;
    frexp((double)o->dimension, &exponent);
    const double shrink = ldexp(1, -(exponent / 2));
    for (int64_t i = 0; i < o->dimension; i++) {
        if (i % CHUNK == 0) {
            const int64_t left = o->dimension - i;
            loss_random_uniform(seed, STREAM + (uint64_t)k, i, left < CHUNK ? left : CHUNK, uniform);
        }
        const double u = 2 * uniform[i % CHUNK], sign = u < 1 ? -1 : 1;
        const double sixteenths = 8 + floor(16 * (u < 1 ? u : u - 1));
        frexp(fmax(fabs(lossi_real_get(o->dtype, x, i)), 1), &exponent);
        out[i] = inwards(o, x, i, sign * shrink * ldexp(sixteenths / 16, exponent - 1));
    }
}

double lossi_check_least_step(const loss_objective *o)
{
    const double unit = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    return 0x1p8 * unit * sqrt((double)o->dimension); /* directions are that much shorter than x */
}

void lossi_check_move(const loss_objective *o, const void *x, double t, const double *v, void *point)
{
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, point, i, lossi_real_get(o->dtype, x, i) + t * v[i]);
    }
}

/* ---- Taylor's remainder ---- */

/* What is left of f(x + t·v) without the terms, of the way really gone; 0 when that is noise and the terms' rounding. */
static double remainder_of(const lossi_expansion *e, double t, double value)
{
    const loss_dtype dtype = e->objective->dtype;
    const double unit = dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    double first = 0, second = 0, size = 0;
    for (int64_t i = 0; i < e->objective->dimension; i++) {
        const double way = lossi_real_get(dtype, e->point, i) - lossi_real_get(dtype, e->x, i);
        const double slope = way * lossi_real_get(dtype, e->gradient, i);
        const double bend = e->product == NULL ? 0
                                               : t * t / 2 * e->v[i] * lossi_real_get(dtype, e->product, i);
        first += slope;
        second += bend;
        size += fabs(slope) + fabs(bend);
    }
    const double remainder = fabs(value - e->value - first - second);
    return remainder <= 16 * e->noise + 4 * unit * size ? 0 : remainder;
}

loss_status lossi_taylor_slope(const lossi_expansion *e, double *slope)
{
    enum { WIDEST = 2, FINEST = 20 }; /* t from 2⁻² to 2⁻²⁰ */
    double logarithms[FINEST + 1];
    int32_t seen = 0;
    loss_status status = LOSS_OK;
    for (int32_t k = WIDEST; k <= FINEST && status == LOSS_OK; k++) {
        double value;
        lossi_check_move(e->objective, e->x, ldexp(1, -k), e->v, e->point);
        status = lossi_check_value(e->objective, e->point, &value);
        const double remainder = remainder_of(e, ldexp(1, -k), value);
        if (remainder > 0 && isfinite(remainder)) {
            logarithms[seen++] = log2(remainder);
        } else if (isfinite(remainder)) {
            break; /* smaller steps see nothing but noise */
        }
    }
    *slope = seen < 3 ? (double)NAN : (logarithms[seen - 3] - logarithms[seen - 1]) / 2;
    return status;
}

/* ---- the check ---- */

typedef struct directional {
    lossi_differences d; /* d.x: the point */
    const void *x;
    int64_t count;
    uint64_t seed;
    char *gradient, *nearby;
    double *v;
    double derivative, scale; /* Σ g_i·v_i, and the root of the sum of their squares */
} directional;

static void project(directional *c)
{
    const loss_objective *o = c->d.objective;
    double squares = 0;
    c->derivative = 0;
    for (int64_t i = 0; i < o->dimension; i++) {
        const double part = lossi_real_get(o->dtype, c->gradient, i) * c->v[i];
        c->derivative += part;
        squares += isnan(part) ? 0 : part * part;
    }
    c->scale = sqrt(squares);
}

/* The value at x + t·v; what rounding the point to its type moved it by is taken off, to the first order. */
static loss_status value_at(directional *c, double t, double *value)
{
    const loss_objective *o = c->d.objective;
    double moved = 0;
    lossi_check_move(o, c->x, t, c->v, c->d.x);
    loss_status status = lossi_check_value(c->d.objective, c->d.x, value);
    for (int64_t i = 0; i < o->dimension; i++) {
        const double way = lossi_real_get(o->dtype, c->d.x, i) - lossi_real_get(o->dtype, c->x, i);
        moved += (way - t * c->v[i]) * lossi_real_get(o->dtype, c->gradient, i);
    }
    *value -= isfinite(moved) ? moved : 0; /* of a gradient that is none nothing can be taken */
    return status;
}

/* By values on both sides (0), or behind (−1) or ahead (1); *there: on which sides there were any at the widest step, 0 for both or none. */
static loss_status find_slope(directional *c, int32_t side, lossi_slope *slope, int32_t *there)
{
    const double unit = c->d.objective->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    lossi_ridders ridders;
    loss_status status = LOSS_OK;
    int32_t more = 1;
    lossi_ridders_begin(&ridders, c->d.value, (side == 0 ? 1 : LOSSI_CHECK_ONE_SIDED) * c->d.noise,
                        c->d.first_step, unit);
    ridders.one_sided = side;
    while (more && status == LOSS_OK) {
        double value[2] = {NAN, NAN};
        const double t = ridders.step, distance[2] = {side > 0 ? t : -t, t};
        if (ridders.tableaux > 0 && t < lossi_check_least_step(c->d.objective)) {
            lossi_ridders_tell(&ridders, distance, value);
            break;
        }
        status = value_at(c, distance[0], &value[0]);
        if (status == LOSS_OK && side == 0) {
            status = value_at(c, t, &value[1]);
        }
        if (side == 0 && ridders.levels == 0) {
            *there = (isfinite(value[1]) != 0) - (isfinite(value[0]) != 0);
        }
        more = lossi_ridders_tell(&ridders, distance, value);
    }
    *slope = ridders.slope;
    return status;
}

/* Value and derivative at x + t·v. */
static loss_status at_direction(void *user, double *t, double *value, double *derivative)
{
    directional *c = user;
    const loss_objective *o = c->d.objective;
    loss_status status = value_at(c, *t, value); /* leaves the point in d.x */
    double number;
    *derivative = 0;
    status = status == LOSS_OK ? loss_objective_evaluate(c->d.objective, c->d.x, &number, c->nearby) : status;
    for (int64_t i = 0; i < o->dimension && status == LOSS_OK; i++) {
        *derivative += lossi_real_get(o->dtype, c->nearby, i) * c->v[i];
    }
    return status;
}

static loss_status look_along(directional *c, lossi_check_limits limits, lossi_finding *f)
{
    const loss_objective *o = c->d.objective;
    int32_t there = 0;
    project(c);
    f->what = LOSSI_OF_DIRECTION;
    f->derivative = c->derivative;
    f->steep = c->d.steep;
    loss_status status = find_slope(c, 0, &f->slope, &there);
    lossi_check_judge(limits, o, c->scale, f);
    if (status == LOSS_OK && f->verdict == LOSS_CHECK_INCONCLUSIVE && there != 0) {
        status = find_slope(c, there, &f->slope, &there); /* on an edge, or near it: the inner side says it */
        lossi_check_judge(limits, o, c->scale, f);
    }
    const lossi_check_line line = {o, c, at_direction, c->d.first_step, c->d.noise};
    status = status == LOSS_OK ? lossi_check_beside(&line, limits, c->scale, f) : status;
    const lossi_expansion expansion = {c->d.objective, c->x,       c->gradient, NULL,
                                       c->v,           c->d.value, c->d.noise,  c->d.x};
    return status == LOSS_OK ? lossi_taylor_slope(&expansion, &f->taylor) : status;
}

static loss_status check(void *check, lossi_finding *worst)
{
    directional *c = check;
    loss_objective *o = c->d.objective;
    loss_status status = loss_objective_evaluate(o, c->x, &c->d.value, c->gradient);
    if (status == LOSS_OK) {
        memcpy(c->d.x, c->x, (size_t)(o->dimension * o->real_size));
        status = lossi_differences_begin(&c->d, c->seed);
    }
    const lossi_check_limits limits = lossi_check_limit(
        o, LOSSI_CHECK_GRADIENT, fabs(c->d.value) + lossi_check_largest(o, c->gradient));
    *worst = lossi_check_none();
    for (int64_t k = 0; k < c->count && status == LOSS_OK; k++) {
        lossi_finding f = lossi_check_none();
        f.direction = k;
        lossi_check_direction(o, c->x, c->seed, k, c->v);
        status = look_along(c, limits, &f);
        lossi_check_keep(worst, &f);
    }
    return status;
}

loss_status lossi_check_arguments(loss_objective *o, const void *x, int64_t count, const int32_t *verdict)
{
    if (x == NULL || verdict == NULL) {
        return lossi_fail_null(o->context, x == NULL ? "x" : "verdict");
    }
    if (count < 1 || count > INT32_MAX) {
        return lossi_fail(o->context, LOSS_ERROR_ARGUMENT,
                          "a check along %lld directions: from 1 to %d were expected", (long long)count,
                          INT32_MAX);
    }
    return loss_objective_prepare(o);
}

loss_status loss_objective_check_directions(loss_objective *objective, const void *x, int64_t count,
                                            uint64_t seed, int32_t *verdict)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = lossi_check_arguments(objective, x, count, verdict);
    if (status != LOSS_OK) {
        return status;
    }
    loss_context *context = objective->context;
    const int64_t n = objective->dimension, bytes = n * objective->real_size;
    directional c = {.d = {.objective = objective}, .x = x, .count = count, .seed = seed};
    c.d.x = lossi_allocate(context, bytes);
    c.gradient = lossi_allocate(context, bytes);
    c.nearby = lossi_allocate(context, bytes);
    c.v = lossi_allocate(context, n * (int64_t)sizeof *c.v);
    status = c.d.x == NULL || c.gradient == NULL || c.nearby == NULL || c.v == NULL
                 ? lossi_fail_memory(context, "a derivative check")
                 : lossi_check_smooth(objective, check, &c, verdict);
    lossi_release(context, c.d.x);
    lossi_release(context, c.gradient);
    lossi_release(context, c.nearby);
    lossi_release(context, c.v);
    return status;
}
