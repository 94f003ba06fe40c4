/*
 * The check of Hessian products: H·v against differences of gradients along v, element by element, by Ridders' extrapolation
 * with error bars. Above 256 parameters it looks at one from each of 256 parts and at a weighted sum of all elements. Then the
 * symmetry: u'(Hv) = v'(Hu).
 *
 * Beside the verdict stands how fast |f(x + t·v) − f(x) − t·g·v − ½t²·v'Hv| falls: with t³ when g and Hv are right.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "gradient/check.h"
#include "gradient/difference.h"

enum { TRACKED = LOSSI_CHECK_SAMPLE + 1 };

/* One number of the gradient, watched along a direction. */
typedef struct track {
    int64_t index; /* −1: the weighted sum */
    double wanted; /* of the product */
    int32_t more;
    lossi_ridders ridders;
    double near[LOSSI_NOISE_POINTS];
} track;

typedef struct product_check {
    loss_objective *objective;
    const void *x;
    uint64_t seed;
    int64_t directions;
    double value, scale;
    double
        noise; /* at least, of gradients that are differences: they may not show it, being multiples of it */
    lossi_check_limits limits;
    char *point, *gradient, *ahead, *behind, *product,
        *last;               /* of the element type; the products of v and u */
    double *v, *u, *weights; /* u: the direction before v */
    int32_t count;
    track *tracks;
} product_check;

/* ---- what is watched ---- */

static double watched(const product_check *c, const track *t, const void *vector)
{
    const loss_dtype dtype = c->objective->dtype;
    if (t->index >= 0) {
        return lossi_real_get(dtype, vector, t->index);
    }
    double sum = 0;
    for (int64_t i = 0; i < c->objective->dimension; i++) {
        sum += c->weights[i] * lossi_real_get(dtype, vector, i);
    }
    return sum;
}

/* The root of the sum of the squares of the terms: what rounding is relative to. */
static double terms(const product_check *c, const double *weights, const void *vector)
{
    double sum = 0;
    for (int64_t i = 0; i < c->objective->dimension; i++) {
        const double part = weights[i] * lossi_real_get(c->objective->dtype, vector, i);
        sum += part * part;
    }
    return sqrt(sum);
}

static double unit_of(const product_check *c)
{
    return c->objective->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
}

/* The gradient at x + t·v; NaN where there is none, which is no failure here. */
static loss_status gradient_at(product_check *c, double t, void *gradient)
{
    loss_objective *o = c->objective;
    lossi_check_move(o, c->x, t, c->v, c->point);
    loss_status status = loss_objective_evaluate(o, c->point, NULL, gradient);
    if (status == LOSS_ERROR_NONFINITE || status == LOSS_ERROR_DOMAIN) {
        for (int64_t i = 0; i < o->dimension; i++) {
            lossi_real_put(o->dtype, gradient, i, NAN);
        }
        status = LOSS_OK;
    }
    return status;
}

/* ---- along one direction ---- */

/* Begins every track with the noise that its numbers show between points close together. side: as of lossi_ridders. */
static loss_status begin(product_check *c, int32_t side)
{
    const double unit = unit_of(c),
                 step = fmax(sqrt(unit), 16 * unit * sqrt((double)c->objective->dimension));
    loss_status status = LOSS_OK;
    for (int32_t k = 0; k < LOSSI_NOISE_POINTS && status == LOSS_OK; k++) {
        status = gradient_at(c, (side < 0 ? -1 : 1) * (k + 1) * step, c->ahead);
        for (int32_t j = 0; j < c->count; j++) {
            c->tracks[j].near[k] = watched(c, &c->tracks[j], c->ahead);
        }
    }
    /* The gradient's elements are sums of terms of either sign: their rounding is relative to the largest of them. */
    const double least = fmax(c->noise, unit * lossi_check_largest(c->objective, c->gradient));
    for (int32_t j = 0; j < c->count; j++) {
        track *t = &c->tracks[j];
        const double seen = 2 * lossi_noise_of(t->near); /* of so many tracks some show too little */
        const double rounding = t->index < 0 ? fmax(least, unit * terms(c, c->weights, c->gradient)) : least;
        lossi_ridders_begin(&t->ridders, watched(c, t, c->gradient),
                            (side == 0 ? 1 : LOSSI_CHECK_ONE_SIDED) *
                                (isfinite(seen) ? fmax(seen, rounding) : rounding),
                            c->objective->dtype == LOSS_FLOAT32 ? 0x1p-4 : 0x1p-6, unit);
        t->ridders.one_sided = side;
        t->ridders.slope.rounding = 64 * rounding / t->ridders.step;
        t->wanted = watched(c, t, c->product);
        t->more = 1;
    }
    return status;
}

/* Tells all tracks that still want to know; returns whether any wants more. */
static int32_t tell(product_check *c, int32_t side, double step)
{
    const double distance[2] = {side > 0 ? step : -step, step};
    int32_t more = 0;
    for (int32_t j = 0; j < c->count; j++) {
        track *t = &c->tracks[j];
        if (t->more) {
            const int32_t told = t->ridders.tableaux == 0 || step >= lossi_check_least_step(c->objective);
            const double ahead = told ? watched(c, t, c->ahead) : (double)NAN;
            const double value[2] = {side > 0 ? ahead : watched(c, t, c->behind), ahead};
            t->more = lossi_ridders_tell(&t->ridders, distance, value);
        }
        more |= t->more;
    }
    return more;
}

/* Whether products are differences of the library's. */
static int32_t are_own(const product_check *c)
{
    const loss_objective *o = c->objective;
    return o->kind->differences != NULL && o->kind->differences(o, LOSSI_CHECK_PRODUCT);
}

/* Products that are differences of the gradients they are compared with are told apart from them by a jump alone. */
static void judge(product_check *c, int64_t direction, double slope, lossi_finding *worst)
{
    const loss_objective *o = c->objective;
    for (int32_t j = 0; j < c->count; j++) {
        const track *t = &c->tracks[j];
        lossi_finding f = lossi_check_none();
        f.what = t->index < 0 ? LOSSI_OF_PRODUCT_SUM : LOSSI_OF_PRODUCT;
        f.index = t->index;
        f.direction = direction;
        f.derivative = t->wanted;
        f.slope = t->ridders.slope;
        f.taylor = slope;
        lossi_check_judge(c->limits, o, t->index < 0 ? terms(c, c->weights, c->product) : c->scale, &f);
        if (are_own(c) && !isnan(f.derivative) && (f.verdict == LOSS_CHECK_WRONG || f.slope.jump)) {
            f.verdict = LOSS_CHECK_KINK;
        }
        lossi_check_keep(worst, &f);
    }
}

/* By gradients on both sides (0), or behind (−1) or ahead (1); *there: where there is one at the widest step, 0 for both or none. */
static loss_status watch_along(product_check *c, int32_t side, int32_t *there)
{
    const double widest = c->objective->dtype == LOSS_FLOAT32 ? 0x1p-4 : 0x1p-6;
    int32_t more = 1;
    loss_status status = begin(c, side);
    for (double step = widest; more && status == LOSS_OK; step /= 2) {
        if (side <= 0) {
            status = gradient_at(c, -step, c->behind);
        }
        if (status == LOSS_OK && side >= 0) {
            status = gradient_at(c, step, c->ahead);
        }
        if (status == LOSS_OK && side == 0 && step == widest) {
            *there = (isfinite(watched(c, c->tracks, c->ahead)) != 0) -
                     (isfinite(watched(c, c->tracks, c->behind)) != 0);
        }
        if (status == LOSS_OK) {
            more = tell(c, side, step);
        }
    }
    return status;
}

static loss_status look_along(product_check *c, int64_t direction, lossi_finding *worst)
{
    lossi_finding found = lossi_check_none();
    double slope = NAN;
    int32_t there = 0;
    loss_status status = watch_along(c, 0, &there);
    if (status == LOSS_OK) {
        judge(c, direction, slope, &found);
    }
    if (status == LOSS_OK && found.verdict == LOSS_CHECK_INCONCLUSIVE && there != 0) {
        status = watch_along(c, there, &there); /* on an edge, or near it: the inner side says it */
    }
    if (status == LOSS_OK) {
        /* the precision of double: values are sums in double, whatever the type of x */
        const lossi_expansion expansion = {
            c->objective, c->x, c->gradient, c->product, c->v, c->value, DBL_EPSILON * fabs(c->value),
            c->point};
        status = lossi_taylor_slope(&expansion, &slope);
    }
    if (status == LOSS_OK) {
        judge(c, direction, slope, worst);
    }
    return status;
}

/* ---- symmetry ---- */

/* u'(Hv) beside v'(Hu), which rounding tells apart by its part of the terms. */
static void compare(const product_check *c, int64_t direction, lossi_finding *worst)
{
    const loss_dtype dtype = c->objective->dtype;
    lossi_finding f = lossi_check_none();
    double uHv = 0, vHu = 0;
    for (int64_t i = 0; i < c->objective->dimension; i++) {
        uHv += c->u[i] * lossi_real_get(dtype, c->product, i);
        vHu += c->v[i] * lossi_real_get(dtype, c->last, i);
    }
    const double size = terms(c, c->u, c->product) + terms(c, c->v, c->last);
    f.what = LOSSI_OF_SYMMETRY;
    f.direction = direction;
    f.derivative = uHv;
    f.slope.central = vHu;
    f.allowed = c->limits.relative * size + c->limits.absolute;
    f.severity = fabs(uHv - vHu) / f.allowed;
    if (are_own(c) && worst->verdict != LOSS_CHECK_OK) {
        return; /* across a jump of the gradient, or in its noise, they mean nothing */
    }
    if (fabs(uHv - vHu) > f.allowed) {
        f.verdict = LOSS_CHECK_WRONG;
        lossi_check_keep(worst, &f);
    }
}

/* ---- the whole ---- */

static void swap(product_check *c)
{
    double *const v = c->v;
    char *const product = c->product;
    c->v = c->u;
    c->u = v;
    c->product = c->last;
    c->last = product;
}

static void choose_tracks(product_check *c)
{
    const int64_t n = c->objective->dimension;
    c->count = n <= LOSSI_CHECK_SAMPLE ? (int32_t)n : TRACKED;
    for (int32_t j = 0; j < c->count; j++) {
        c->tracks[j].index = j < LOSSI_CHECK_SAMPLE ? lossi_check_parameter(n, j, c->seed) : -1;
    }
}

static loss_status product_along(product_check *c, int64_t direction)
{
    loss_objective *o = c->objective;
    const size_t bytes = (size_t)(o->dimension * o->real_size);
    memset(c->point, 0, bytes);
    lossi_check_direction(o, c->x, c->seed, direction, c->v);
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, c->point, i, c->v[i]);
    }
    return loss_objective_hessian_product(o, c->x, c->point, c->product);
}

static loss_status check(void *check, lossi_finding *worst)
{
    product_check *c = check;
    const loss_objective *o = c->objective;
    const int64_t count = c->directions;
    loss_status status = loss_objective_evaluate(c->objective, c->x, &c->value, c->gradient);
    *worst = lossi_check_none();
    choose_tracks(c);
    lossi_check_direction(o, c->x, c->seed, count + 1, c->weights);
    c->limits = lossi_check_limit(o, LOSSI_CHECK_PRODUCT,
                                  fabs(c->value) + lossi_check_largest(o, c->gradient));
    if (o->kind->differences != NULL && o->kind->differences(o, LOSSI_CHECK_GRADIENT)) {
        c->noise = sqrt(unit_of(c)) * fabs(c->value);
    }
    for (int64_t k = 0; k <= count && status == LOSS_OK; k++) { /* the last one for the symmetry alone */
        swap(c);
        status = product_along(c, k);
        c->scale = lossi_check_largest(o, c->product);
        if (status == LOSS_OK && k < count) {
            status = look_along(c, k, worst);
        }
        if (status == LOSS_OK && k > 0) {
            compare(c, k - 1, worst);
        }
    }
    return status;
}

static loss_status check_with_memory(product_check *c, int32_t *verdict)
{
    enum { REALS = 6, DOUBLES = 3 };
    loss_context *context = c->objective->context;
    const int64_t n = c->objective->dimension;
    char **const reals[REALS] = {&c->point, &c->gradient, &c->ahead, &c->behind, &c->product, &c->last};
    double **const doubles[DOUBLES] = {&c->v, &c->u, &c->weights};
    const int64_t tracked = n <= LOSSI_CHECK_SAMPLE ? n : TRACKED;
    char *memory = lossi_allocate(context,
                                  n * (REALS * (int64_t)sizeof(double) + DOUBLES * (int64_t)sizeof(double)));
    c->tracks = lossi_allocate(context, tracked * (int64_t)sizeof *c->tracks);
    for (int32_t k = 0; memory != NULL && k < DOUBLES; k++) {
        *doubles[k] = (double *)(void *)memory + k * n;
    }
    for (int32_t k = 0; memory != NULL && k < REALS; k++) {
        *reals[k] = memory + (DOUBLES + k) * n * (int64_t)sizeof(double);
    }
    loss_status status = memory == NULL || c->tracks == NULL
                             ? lossi_fail_memory(context, "a check of Hessian products")
                             : lossi_check_smooth(c->objective, check, c, verdict);
    lossi_release(context, memory);
    lossi_release(context, c->tracks);
    return status;
}

loss_status loss_objective_check_product(loss_objective *objective, const void *x, int64_t count,
                                         uint64_t seed, int32_t *verdict)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = lossi_check_arguments(objective, x, count, verdict);
    if (status != LOSS_OK) {
        return status;
    }
    product_check c = {.objective = objective, .x = x, .seed = seed, .directions = count};
    return check_with_memory(&c, verdict);
}
