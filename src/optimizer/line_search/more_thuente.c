/* The Moré–Thuente line search. The conditions and the paper are in more_thuente.h; sections are the paper's. */
#include "optimizer/line_search/more_thuente.h"

#include <math.h>

#include "optimizer/extremes.h"

static const double shrink =
    0.66; /* δ: two steps have to shrink the interval to this; its part beyond (§4) */
static const double nearest = 1.1, farthest = 4.0; /* extrapolation, in last steps (dcsrch: xtrapl, xtrapu) */
static const double back_off = 0.1; /* after a trial without a finite value, as Hager–Zhang */
enum {
    MOST_TRIALS = 50,   /* as Hager–Zhang */
    MOST_NONFINITE = 40 /* 10^−40 of the first step is hopeless in both element types */
};
enum {
    AUXILIARY = 1,
    DIRECT
}; /* stages: of ψ, whose minimiser has both conditions within reach, then of φ */

/* ---- the interpolation of §4 ---- */

/* γ and θ of the cubic through two values and slopes; scaled, so that no square overflows. */
typedef struct cubic {
    double theta, gamma;
} cubic;

static cubic cubic_through(const lossi_trial *a, const lossi_trial *b)
{
    cubic c = {3.0 * (a->value - b->value) / (b->step - a->step) + a->slope + b->slope, 0.0};
    double scale = lossi_larger(fabs(c.theta), lossi_larger(fabs(a->slope), fabs(b->slope)));
    double ratio = c.theta / scale;
    c.gamma = scale * sqrt(lossi_larger(0.0, ratio * ratio - a->slope / scale * (b->slope / scale)));
    return c;
}

/* Where the line through two slopes has its zero. */
static double secant(const lossi_trial *x, const lossi_trial *p)
{
    return p->step + p->slope / (p->slope - x->slope) * (x->step - p->step);
}

static double nearer(double to, double a, double b)
{
    return fabs(a - to) < fabs(b - to) ? a : b;
}

static double further(double from, double a, double b)
{
    return fabs(a - from) > fabs(b - from) ? a : b;
}

/* Case 1: p is higher. The cubic through both, or the mean of it and the parabola when that is nearer to x. */
static double higher(const lossi_trial *x, const lossi_trial *p)
{
    cubic c = cubic_through(x, p);
    double width = p->step - x->step, gamma = p->step < x->step ? -c.gamma : c.gamma;
    double r = ((gamma - x->slope) + c.theta) / (((gamma - x->slope) + gamma) + p->slope);
    double by_cubic = x->step + r * width;
    double by_parabola = x->step + 0.5 * (x->slope / ((x->value - p->value) / width + x->slope)) * width;
    return fabs(by_cubic - x->step) < fabs(by_parabola - x->step) ? by_cubic
                                                                  : by_cubic + 0.5 * (by_parabola - by_cubic);
}

/* Case 2: p is lower, and beyond the minimum. The cubic or the secant, whichever is further from p. */
static double beyond(const lossi_trial *x, const lossi_trial *p)
{
    cubic c = cubic_through(x, p);
    double gamma = p->step > x->step ? -c.gamma : c.gamma;
    double r = ((gamma - p->slope) + c.theta) / (((gamma - p->slope) + gamma) + x->slope);
    return further(p->step, p->step + r * (x->step - p->step), secant(x, p));
}

/* Case 3: p is lower, before the minimum, and flatter. The cubic counts when it rises in the end. */
static double flatter(const lossi_trial *x, const lossi_trial *y, const lossi_trial *p, int32_t bracketed,
                      double least, double most)
{
    cubic c = cubic_through(x, p);
    int32_t onward = p->step > x->step;
    double gamma = onward ? -c.gamma : c.gamma;
    double r = ((gamma - p->slope) + c.theta) / ((gamma + (x->slope - p->slope)) + gamma);
    double by_cubic = onward ? most : least, by_secant = secant(x, p);
    if (r < 0.0 && gamma != 0.0) {
        by_cubic = p->step + r * (x->step - p->step);
    }
    if (!bracketed) {
        return lossi_larger(least, lossi_smaller(most, further(p->step, by_cubic, by_secant)));
    }
    double limit = p->step + shrink * (y->step - p->step);
    double step = nearer(p->step, by_cubic, by_secant);
    return onward ? lossi_smaller(limit, step) : lossi_larger(limit, step);
}

/* Case 4: p is lower, before the minimum, and as steep. The cubic to the other end, or as far as allowed. */
static double steeper(const lossi_trial *x, const lossi_trial *y, const lossi_trial *p, int32_t bracketed,
                      double least, double most)
{
    if (!bracketed) {
        return p->step > x->step ? most : least;
    }
    cubic c = cubic_through(p, y);
    double gamma = p->step > y->step ? -c.gamma : c.gamma;
    double r = ((gamma - p->slope) + c.theta) / (((gamma - p->slope) + gamma) + y->slope);
    return p->step + r * (y->step - p->step);
}

double lossi_more_thuente_interpolate(lossi_trial *x, lossi_trial *y, const lossi_trial *p,
                                      int32_t *bracketed, double least, double most)
{
    int32_t turned = (p->slope > 0.0 && x->slope < 0.0) || (p->slope < 0.0 && x->slope > 0.0);
    double step;
    if (p->value > x->value) {
        step = higher(x, p);
        *bracketed = 1;
    } else if (turned) {
        step = beyond(x, p);
        *bracketed = 1;
    } else if (fabs(p->slope) < fabs(x->slope)) {
        step = flatter(x, y, p, *bracketed, least, most);
    } else {
        step = steeper(x, y, p, *bracketed, least, most);
    }
    if (p->value > x->value) {
        *y = *p;
    } else {
        if (turned) {
            *y = *x;
        }
        *x = *p;
    }
    if (isfinite(step)) {
        return step;
    }
    return *bracketed ? x->step + 0.5 * (y->step - x->step) : most; /* ∞/∞ in a formula */
}

/* ---- the search ---- */

lossi_search_status lossi_more_thuente_start(lossi_more_thuente *search, double value0, double slope0,
                                             double first_step, const lossi_more_thuente_setup *setup)
{
    double step = lossi_larger(setup->shortest, lossi_smaller(setup->longest, first_step));
    double width = setup->longest - setup->shortest;
    *search = (lossi_more_thuente){.setup = *setup,
                                   .value0 = value0,
                                   .slope0 = slope0,
                                   .step = step,
                                   .wall = NAN,
                                   .most = step + farthest * step,
                                   .width = width,
                                   .width_before = 2.0 * width,
                                   .best = {0.0, value0, slope0},
                                   .other = {0.0, value0, slope0},
                                   .stage = AUXILIARY};
    return slope0 < 0.0 && isfinite(slope0) && first_step > 0.0 ? LOSSI_SEARCH_TRY : LOSSI_SEARCH_NO_DESCENT;
}

/* What φ may be at a trial. */
static double allowed(const lossi_more_thuente *search, const lossi_trial *c)
{
    return search->value0 + c->step * (search->setup.sufficient_decrease * search->slope0);
}

/* The first condition; a decrease that rounds to nothing is none. */
static int32_t goes_down(const lossi_more_thuente *search, const lossi_trial *c)
{
    return c->value <= allowed(search, c) && c->value < search->value0;
}

/* No better step: the trial itself, or the best end of the interval, told once more, when one goes down enough. */
static lossi_search_status give_up(lossi_more_thuente *search, const lossi_trial *c, lossi_search_status why)
{
    const lossi_trial *best = &search->best;
    if (goes_down(search, c)) {
        return LOSSI_SEARCH_SETTLED;
    }
    if (best->step <= 0.0 || !goes_down(search, best) || best->step == c->step) {
        return why;
    }
    search->settling = 1;
    search->failure = (int32_t)why;
    search->step = best->step;
    return LOSSI_SEARCH_TRY;
}

static int32_t warn(const lossi_more_thuente *search, const lossi_trial *c)
{
    const lossi_more_thuente_setup *setup = &search->setup;
    double wanted = setup->sufficient_decrease * search->slope0;
    int32_t enough = c->value <= allowed(search, c);
    if (c->step == setup->shortest && (!enough || c->slope >= wanted)) {
        return LOSSI_MORE_THUENTE_SHORTEST;
    }
    if (c->step == setup->longest && enough && c->slope <= wanted) {
        return LOSSI_MORE_THUENTE_LONGEST;
    }
    if (search->bracketed && search->most - search->least <= setup->interval * search->most) {
        return LOSSI_MORE_THUENTE_INTERVAL;
    }
    if (search->bracketed && (c->step <= search->least || c->step >= search->most)) {
        return LOSSI_MORE_THUENTE_ROUNDING;
    }
    if (-c->step * search->slope0 <= setup->rounding && fabs(c->value - search->value0) <= setup->rounding) {
        return LOSSI_MORE_THUENTE_ROUNDING;
    }
    return search->trials >= MOST_TRIALS ? LOSSI_MORE_THUENTE_TRIALS : LOSSI_MORE_THUENTE_NO_WARNING;
}

/* The interval updated by φ, or, while a trial is low but not low enough, by ψ(α) = φ(α) − φ(0) − c₁αφ′(0). */
static double interpolate(lossi_more_thuente *search, const lossi_trial *c)
{
    lossi_trial x = search->best, y = search->other, p = *c;
    double lift = 0.0;
    if (search->stage == AUXILIARY && c->value <= x.value && c->value > allowed(search, c)) {
        lift = search->setup.sufficient_decrease * search->slope0;
    }
    lossi_trial *const ends[] = {&x, &y, &p};
    for (int i = 0; i < 3; i++) {
        ends[i]->value -= ends[i]->step * lift;
        ends[i]->slope -= lift;
    }
    double step = lossi_more_thuente_interpolate(&x, &y, &p, &search->bracketed, search->least, search->most);
    for (int i = 0; i < 2; i++) {
        ends[i]->value += ends[i]->step * lift;
        ends[i]->slope += lift;
    }
    search->best = x;
    search->other = y;
    return step;
}

/* Keeps the next trial on the near side of the wall. */
static double before_wall(const lossi_more_thuente *search, double step)
{
    double best = search->best.step, wall = search->wall;
    int32_t reaches = (wall > best && step >= wall) || (wall < best && step <= wall);
    return reaches ? best + 0.5 * (wall - best) : step;
}

/* The bounds for the trial after the next, and the next one within the bounds of now. */
static lossi_search_status go_on(lossi_more_thuente *search, const lossi_trial *c, double step)
{
    double best = search->best.step, other = search->other.step;
    if (search->bracketed) {
        if (fabs(other - best) >= shrink * search->width_before) {
            step = best + 0.5 * (other - best);
        }
        search->width_before = search->width;
        search->width = fabs(other - best);
        search->least = lossi_smaller(best, other);
        search->most = lossi_larger(best, other);
    } else {
        search->least = step + nearest * (step - best);
        search->most = step + farthest * (step - best);
    }
    step = before_wall(search,
                       lossi_larger(search->setup.shortest, lossi_smaller(search->setup.longest, step)));
    int32_t stuck = search->bracketed && (step <= search->least || step >= search->most);
    int32_t narrow = search->bracketed &&
                     search->most - search->least <= search->setup.interval * search->most;
    if (stuck || narrow) { /* dcsrch would try the best end again, and warn */
        search->warning = stuck ? LOSSI_MORE_THUENTE_ROUNDING : LOSSI_MORE_THUENTE_INTERVAL;
        return give_up(search, c, LOSSI_SEARCH_PRECISION);
    }
    if (!isfinite(step)) {
        return give_up(search, c, LOSSI_SEARCH_EXHAUSTED);
    }
    search->step = step;
    return LOSSI_SEARCH_TRY;
}

static lossi_search_status nonfinite(lossi_more_thuente *search)
{
    lossi_trial nothing = {search->step, INFINITY, 0.0};
    double best = search->best.step;
    double step = best + back_off * (search->step - best);
    search->nonfinite++;
    if (search->settling) { /* it was finite there before: not a function */
        return LOSSI_SEARCH_EXHAUSTED;
    }
    if (search->nonfinite >= MOST_NONFINITE || step == best || step == search->step) {
        return give_up(search, &nothing, LOSSI_SEARCH_NONFINITE);
    }
    search->wall = search->step;
    search->step = step;
    return LOSSI_SEARCH_TRY;
}

lossi_search_status lossi_more_thuente_tell(lossi_more_thuente *search, double value, double slope)
{
    lossi_trial c = {search->step, value, slope};
    if (!isfinite(value) || !isfinite(slope)) {
        return nonfinite(search);
    }
    search->trials++;
    int32_t enough = value <= allowed(search, &c);
    if (enough && fabs(slope) <= -search->setup.curvature * search->slope0) {
        return LOSSI_SEARCH_ACCEPTED;
    }
    if (search->settling) {
        return goes_down(search, &c) ? LOSSI_SEARCH_SETTLED : (lossi_search_status)search->failure;
    }
    if (enough && slope >= 0.0) {
        search->stage = DIRECT;
    }
    search->warning = warn(search, &c);
    if (search->warning != LOSSI_MORE_THUENTE_NO_WARNING) {
        return give_up(search, &c,
                       search->warning == LOSSI_MORE_THUENTE_TRIALS ? LOSSI_SEARCH_EXHAUSTED
                                                                    : LOSSI_SEARCH_PRECISION);
    }
    return go_on(search, &c, interpolate(search, &c));
}
