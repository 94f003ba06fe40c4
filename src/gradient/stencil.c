/*
 * Which values a finite difference is made of.
 *
 *     forward    (f(x + h) − f(x)) / h
 *     central    (f(x + h) − f(x − h)) / 2h, and of three unequal points a ≠ b beside x
 *                ((f(x + a) − f(x))·b/a − (f(x + b) − f(x))·a/b) / (b − a)
 *     Hessian    ∂_i of (f(x + r·v) − f(x − r·v)) / 2r, by central differences along i: four values
 *
 * The best steps make the remainder of the Taylor series as large as the error ε|f| of the values over the step: √ε, ∛ε and ε^¼
 * times the size of x (Gill, Murray & Wright, Practical Optimization, 1981, §8.6). They are rounded to powers of two, so that
 * x ± h is exact unless a binade ends in between; what is divided by is the way really gone.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "gradient/finite_difference.h"
#include "gradient/objective.h"

/* The largest power of two that is not above a positive number. */
static double power_below(double number)
{
    int exponent;
    frexp(number, &exponent);
    return ldexp(0.5, exponent);
}

/* ε^(1/root) as a power of two, at least what x ± h can tell from x. */
static double relative_step(const loss_difference *d, int32_t root)
{
    const double unit = d->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    int exponent;
    frexp(lossi_difference_precision(d), &exponent);
    const int32_t size = 1 - exponent; /* of −log2 ε, which is at least 0 */
    return fmax(ldexp(1, -(2 * size + root) / (2 * root)), 4 * unit);
}

static double at(const loss_difference *d, int64_t i)
{
    return lossi_real_get(d->dtype, d->x, i);
}

/* Element i of the point becomes the number, or the bound it is beyond; returns what is there once it is rounded. */
static double put(loss_difference *d, int64_t i, double number)
{
    double lower, upper;
    lossi_difference_bounds(d, i, &lower, &upper);
    lossi_real_put(d->dtype, d->point, i, number < lower ? lower : number > upper ? upper : number);
    return lossi_real_get(d->dtype, d->point, i);
}

static void room(const loss_difference *d, double *behind, double *ahead)
{
    double lower, upper;
    lossi_difference_bounds(d, d->index, &lower, &upper);
    *behind = at(d, d->index) - lower;
    *ahead = upper - at(d, d->index);
}

/* ---- which values: one parameter of a gradient ---- */

static void want(loss_difference *d, int32_t stencil, int32_t count, double first, double second)
{
    d->stencil = stencil;
    d->count = count;
    d->sample = 0;
    d->target[0] = first;
    d->target[1] = second;
}

static void plan_forward(loss_difference *d, double behind, double ahead)
{
    double h = relative_step(d, 2) * power_below(lossi_difference_size(d, d->index));
    int32_t back = at(d, d->index) < 0; /* away from 0 */
    if ((back ? behind : ahead) < h) {
        back = (back ? ahead : behind) >= h ? !back : behind > ahead;
    }
    h = fmin(h, back ? behind : ahead);
    want(d, LOSSI_STENCIL_ONE, 1, back ? -h : h, 0);
}

static void one_side(loss_difference *d, int32_t back, double reach)
{
    want(d, LOSSI_STENCIL_TWO, 2, back ? -reach / 2 : reach / 2, back ? -reach : reach);
}

static void plan_central(loss_difference *d, double behind, double ahead)
{
    const double h = relative_step(d, 3) * power_below(lossi_difference_size(d, d->index));
    const double least = fmin(behind, ahead), most = fmax(behind, ahead);
    if (least >= h) {
        want(d, LOSSI_STENCIL_TWO, 2, -h, h);
    } else if (most >= 2 * h || least < most / 2) {
        one_side(d, behind > ahead, fmin(2 * h, most));
    } else {
        want(d, LOSSI_STENCIL_TWO, 2, -behind, ahead);
    }
}

/* Wide, as Ridders starts; float32 wider, since its values move by 1e-7, which a small step magnifies. */
static double widest_step(const loss_difference *d)
{
    const double relative = fmax(d->dtype == LOSS_FLOAT32 ? 0x1p-4 : 0x1p-6, 4 * relative_step(d, 3));
    return relative * power_below(lossi_difference_size(d, d->index));
}

/* The side of the values, when it is one: −1 behind, 1 ahead, 0 both. */
static void begin_ridders(loss_difference *d, int32_t side, double space)
{
    const double unit = d->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    lossi_ridders_begin(&d->ridders, d->value, lossi_difference_precision(d) * fabs(d->value),
                        power_below(fmin(widest_step(d), space)), unit);
    d->ridders.one_sided = side;
}

static void want_ridders(loss_difference *d)
{
    const double step = d->ridders.step;
    const int32_t side = d->ridders.one_sided;
    want(d, LOSSI_STENCIL_RIDDERS, side == 0 ? 2 : 1, side > 0 ? step : -step, step);
}

static void plan_ridders(loss_difference *d, double behind, double ahead)
{
    const double least = fmin(behind, ahead), most = fmax(behind, ahead);
    /* Both sides, of which fewer powers have to be removed, unless that makes the first step much shorter. */
    const int32_t both = least >= widest_step(d) / 8 || least >= most / 2;
    begin_ridders(d, both ? 0 : behind > ahead ? -1 : 1, both ? least : most);
    want_ridders(d);
}

/*
 * Whether bounds leave a parameter less than the four units in its last place that the shortest steps have: rounding alone would make
 * the difference.
 */
static int32_t is_narrow(const loss_difference *d, double behind, double ahead)
{
    const double unit = d->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    return fmax(behind, ahead) < 4 * unit * fabs(at(d, d->index));
}

/* There is no derivative along the parameter. */
static int32_t give_none(loss_difference *d)
{
    lossi_real_put(d->dtype, d->result, d->index, NAN);
    d->error[d->index] = INFINITY;
    d->narrow = d->narrow < 0 ? d->index : d->narrow;
    d->bad = d->bad < 0 ? d->index : d->bad;
    return 0;
}

/* Chooses the values for a parameter; 0 when it cannot move, or not far enough. */
static int32_t plan_gradient(loss_difference *d)
{
    double behind, ahead;
    room(d, &behind, &ahead);
    if (behind == 0 && ahead == 0) {
        return 0;
    }
    if (is_narrow(d, behind, ahead)) {
        return give_none(d);
    }
    d->fallback = 0;
    switch (d->method) {
    case LOSSI_DIFFERENCE_FORWARD:
        plan_forward(d, behind, ahead);
        break;
    case LOSSI_DIFFERENCE_CENTRAL:
        plan_central(d, behind, ahead);
        break;
    default:
        plan_ridders(d, behind, ahead);
    }
    return 1;
}

/* ---- what the values say ---- */

/* By the values told; when one of them is not finite the other side is tried, once, and 0 returned. */
static int32_t conclude_one(loss_difference *d, double *derivative)
{
    double behind, ahead;
    *derivative = (d->told[0] - d->value) / d->distance[0];
    room(d, &behind, &ahead);
    const int32_t back = d->distance[0] > 0; /* from now on */
    const double space = back ? behind : ahead;
    if (isfinite(*derivative) || d->fallback || space == 0) {
        return 1;
    }
    const double h = fmin(fabs(d->target[0]), space);
    want(d, LOSSI_STENCIL_ONE, 1, back ? -h : h, 0);
    d->fallback = 1;
    return 0;
}

static int32_t conclude_two(loss_difference *d, double *derivative)
{
    const double a = d->distance[0], b = d->distance[1];
    double behind, ahead;
    *derivative = a == -b ? (d->told[1] - d->told[0]) / (b - a)
                          : ((d->told[0] - d->value) * (b / a) - (d->told[1] - d->value) * (a / b)) / (b - a);
    const int32_t back = isfinite(d->told[0]) != 0;
    if (isfinite(*derivative) || d->fallback || a > 0 || b < 0 || (!back && !isfinite(d->told[1]))) {
        return 1;
    }
    room(d, &behind, &ahead);
    one_side(d, back, fmin(2 * fabs(back ? a : b), back ? behind : ahead));
    d->fallback = 1;
    return 0;
}

static int32_t conclude_ridders(loss_difference *d, double *derivative)
{
    double behind, ahead;
    const int32_t more = lossi_ridders_tell(&d->ridders, d->distance, d->told);
    *derivative = d->ridders.slope.central;
    d->error[d->index] = isnan(*derivative) || d->ridders.slope.unsettled ? (double)INFINITY
                                                                          : d->ridders.slope.error;
    if (!more) {
        const int32_t back = d->ridders.one_sided == 0 && isfinite(d->told[0]);
        if (!isnan(*derivative) || d->fallback || d->ridders.one_sided != 0 ||
            (!back && !isfinite(d->told[1]))) {
            return 1;
        }
        d->fallback = 1;
        room(d, &behind, &ahead);
        begin_ridders(d, back ? -1 : 1, back ? behind : ahead);
    }
    want_ridders(d);
    return 0;
}

/* Of a product: nothing else is tried. */
static double conclude_mixed(const loss_difference *d)
{
    const double *told = d->told, *distance = d->distance;
    return d->stencil == LOSSI_STENCIL_MIXED
               ? ((told[0] - told[1]) / (distance[0] - distance[1]) -
                  (told[2] - told[3]) / (distance[2] - distance[3])) /
                     (2 * d->reach)
               : ((told[1] - d->ahead) / distance[1] - (told[0] - d->here) / distance[0]) / d->reach;
}

static int32_t conclude(loss_difference *d, double *derivative)
{
    switch (d->stencil) {
    case LOSSI_STENCIL_ONE:
        return conclude_one(d, derivative);
    case LOSSI_STENCIL_TWO:
        return conclude_two(d, derivative);
    case LOSSI_STENCIL_RIDDERS:
        return conclude_ridders(d, derivative);
    default:
        *derivative = conclude_mixed(d);
        return 1;
    }
}

/* ---- products: the point, and the steps that fit around it ---- */

static double product_step(const loss_difference *d, int64_t i)
{
    double lower, upper;
    lossi_difference_bounds(d, i, &lower, &upper);
    const double h = relative_step(d, d->method == LOSSI_DIFFERENCE_FORWARD ? 3 : 4);
    return fmin(h * power_below(lossi_difference_size(d, i)), (upper - lower) / 4);
}

/*
 * The reach moves x, in the Euclidean norm of its sizes, by as much as a step moves one parameter; then it is shortened until
 * it takes up no more than a quarter of any interval. NaN when the direction has no finite length, 0 when it is 0.
 */
static double find_reach(loss_difference *d)
{
    double largest = 0, sum = 0, longest = INFINITY;
    for (int64_t i = 0; i < d->dimension; i++) {
        double lower, upper;
        lossi_difference_bounds(d, i, &lower, &upper);
        if (lower == upper) {
            lossi_real_put(d->dtype, d->direction, i, 0);
        }
        const double v = fabs(lossi_real_get(d->dtype, d->direction, i));
        largest = isnan(v) || isnan(largest) ? NAN : fmax(largest, v / lossi_difference_size(d, i));
        longest = v > 0 ? fmin(longest, (upper - lower) / 4 / v) : longest;
    }
    if (largest == 0 || !isfinite(largest)) {
        return largest == 0 ? 0 : NAN;
    }
    for (int64_t i = 0; i < d->dimension; i++) {
        const double part = lossi_real_get(d->dtype, d->direction, i) / lossi_difference_size(d, i) / largest;
        sum += part * part;
    }
    const double h = relative_step(d, d->method == LOSSI_DIFFERENCE_FORWARD ? 3 : 4);
    return power_below(fmin(h / largest / sqrt(sum), longest));
}

/* Moves x inside, so that no value is wanted outside the bounds. */
static void move_inside(loss_difference *d)
{
    for (int64_t i = 0; i < d->dimension; i++) {
        double lower, upper;
        const double v = fabs(lossi_real_get(d->dtype, d->direction, i));
        const double space = product_step(d, i) + d->reach * v;
        lossi_difference_bounds(d, i, &lower, &upper);
        const double x = at(d, i), low = lower + space, high = upper - space;
        lossi_real_put(d->dtype, d->x, i, x < low ? low : x > high ? high : x);
    }
}

static double shifted(const loss_difference *d, int64_t i, double times)
{
    return at(d, i) + times * d->reach * lossi_real_get(d->dtype, d->direction, i);
}

/* The whole point becomes x + times · reach · direction. */
static void shift(loss_difference *d, double times)
{
    for (int64_t i = 0; i < d->dimension; i++) {
        put(d, i, shifted(d, i, times));
    }
}

static int32_t plan_product(loss_difference *d)
{
    double lower, upper;
    const double h = product_step(d, d->index);
    lossi_difference_bounds(d, d->index, &lower, &upper);
    if (lower == upper) {
        return 0;
    }
    if (d->method == LOSSI_DIFFERENCE_FORWARD) {
        want(d, LOSSI_STENCIL_MIXED_FORWARD, 2, at(d, d->index) < 0 ? -h : h, 0);
    } else {
        want(d, LOSSI_STENCIL_MIXED, 4, h, 0);
    }
    return 1;
}

/* ---- the run ---- */

/* Puts the point of the next value into its place, and how far it is from where differences are taken. */
static void place(loss_difference *d)
{
    const int32_t s = d->sample;
    const int64_t i = d->index;
    double times = 0, sign = 1;
    switch (d->stencil) {
    case LOSSI_STENCIL_MIXED:
        times = s < 2 ? 1 : -1;
        sign = s % 2 == 0 ? 1 : -1;
        shift(d, times);
        d->distance[s] = put(d, i, shifted(d, i, times) + sign * d->target[0]);
        return;
    case LOSSI_STENCIL_MIXED_FORWARD:
        times = s == 0 ? 0 : 1;
        shift(d, times);
        const double from = put(d, i, shifted(d, i, times));
        d->distance[s] = put(d, i, from + d->target[0]) - from;
        return;
    default:
        d->distance[s] = put(d, i, at(d, i) + d->target[s]) - at(d, i);
    }
}

/* Goes to the next parameter that can move, from d->index on; those that cannot have the derivative 0. */
static void go_on(loss_difference *d)
{
    for (; d->index < d->dimension; d->index++) {
        if (d->job == LOSSI_JOB_GRADIENT ? plan_gradient(d) : plan_product(d)) {
            d->phase = LOSSI_PHASE_PARAMETERS;
            place(d);
            return;
        }
    }
    d->phase = LOSSI_PHASE_DONE;
}

void lossi_stencil_start(loss_difference *d, int32_t job, int64_t first)
{
    d->job = job;
    d->phase = LOSSI_PHASE_BASE;
    d->asked = 0;
    d->index = first;
    d->bad = -1;
    d->narrow = -1;
    d->evaluations = 0;
    d->base = 1;
    memset(d->result, 0, (size_t)(d->dimension * d->real_size));
    memset(d->error, 0, (size_t)d->dimension * sizeof *d->error);
    if (job == LOSSI_JOB_GRADIENT) {
        memcpy(d->point, d->x, (size_t)(d->dimension * d->real_size));
        return;
    }
    d->reach = find_reach(d);
    if (!(d->reach > 0)) { /* nowhere to go */
        for (int64_t i = first; i < d->dimension && isnan(d->reach); i++) {
            lossi_real_put(d->dtype, d->result, i, NAN);
            d->bad = first;
        }
        d->phase = LOSSI_PHASE_DONE;
        return;
    }
    move_inside(d);
    d->base = d->method == LOSSI_DIFFERENCE_FORWARD ? 2 : 0;
    shift(d, 0);
    if (d->base == 0) {
        go_on(d);
    }
}

/* A value at the point itself, and of a product the one ahead. */
static void tell_base(loss_difference *d, double value)
{
    if (d->job == LOSSI_JOB_GRADIENT) {
        d->value = value;
    } else if (d->base == 2) {
        d->here = value;
        shift(d, 1);
    } else {
        d->ahead = value;
    }
    d->base--;
    if (d->base == 0) {
        go_on(d);
    }
}

void lossi_stencil_tell(loss_difference *d, double value)
{
    double derivative;
    d->evaluations++;
    if (d->phase == LOSSI_PHASE_BASE) {
        tell_base(d, value);
        return;
    }
    d->told[d->sample] = value;
    if (++d->sample < d->count || !conclude(d, &derivative)) {
        place(d);
        return;
    }
    lossi_real_put(d->dtype, d->result, d->index, derivative);
    if (!isfinite(derivative) && d->bad < 0) {
        d->bad = d->index;
    }
    if (d->job == LOSSI_JOB_GRADIENT) {
        put(d, d->index, at(d, d->index));
    }
    d->index++;
    go_on(d);
}
