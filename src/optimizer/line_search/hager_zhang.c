/* The Hager–Zhang line search. The conditions and the paper are in hager_zhang.h; B1 …, U1 …, S1 … are its
 * steps. */
#include "optimizer/line_search/hager_zhang.h"

#include <math.h>

#include "optimizer/extremes.h"
#include "optimizer/line_search/more_thuente.h"

/* Constants of the paper (2005, §5), but for those that say otherwise. */
static const double default_delta = 0.1; /* T1: the decrease wanted of the slope's promise */
static const double default_sigma =
    0.8;                         /* T1, T2: how much flatter than at 0 (0.9: 1 – 2 % more evaluations) */
static const double theta = 0.5; /* U3: where an interval is cut */
static const double gamma_shrink = 0.66; /* L2: a round has to shrink the interval to this */
static const double growth = 5.0;        /* B3: ρ, expansion while going down */
static const double amplify = 1.05;      /* expansion by the secant overshoots by this (CG_DESCENT 6) */
static const double growth_cap = 200.0;  /* and grows at most by this (CG_DESCENT 6) */
static const double back_off = 0.1;      /* after a trial without a finite value (CG_DESCENT 6: nan_decay) */
static const double least_cut = 0.1;     /* of U3 with values (Dennis & Schnabel 1983, A6.3.1) */
/* Two values can be told apart when they differ by more than this share (CG_DESCENT 6: CubicCutOff), and by this many
 * roundings, for float32. */
static const double difference = 1e-12;
static const double difference_units = 1e3;
enum {
    MOST_TRIALS = 50,     /* nexpand, nsecant (CG_DESCENT) */
    PATIENCE = 10,        /* then T2 counts wherever φ falls: T1 may have no solution left in the interval */
    MOST_NONFINITE = 40,  /* 10^−40 of the first step is hopeless in both element types */
    SECANT_EXPANSIONS = 2 /* later ones grow by ρ: a slope that keeps falling is no parabola's */
};

enum { BRACKET, SQUEEZE, INTERVAL, SETTLE };  /* what the next trial is for */
enum { WHOLE, SECANT, SECANT_AGAIN, HALVED }; /* how far the round has come */

lossi_search_status lossi_hager_zhang_start(lossi_hager_zhang *search, double value0, double slope0,
                                            double first_step, double tolerance, double band,
                                            double resolution)
{
    const lossi_trial here = {0.0, value0, slope0}, none = {0.0, 0.0, 0.0};
    search->value0 = value0; /* one by one: a literal would be cleared, filled and copied at every step */
    search->slope0 = slope0;
    search->delta = default_delta;
    search->sigma = default_sigma;
    search->tolerance = tolerance;
    search->band = band;
    search->resolution = resolution;
    search->step = first_step;
    search->ceiling = INFINITY;
    search->width = 0.0;
    search->a = here;
    search->low = here;
    search->flat = here;
    search->b = none;
    search->round_a = none;
    search->round_b = none;
    search->phase = BRACKET;
    search->stage = WHOLE;
    search->by_slopes = 0;
    search->trials = search->nonfinite = search->expansions = search->failure = 0;
    return slope0 < 0.0 && isfinite(slope0) && first_step > 0.0 ? LOSSI_SEARCH_TRY : LOSSI_SEARCH_NO_DESCENT;
}

static int32_t enough_decrease(const lossi_hager_zhang *search, const lossi_trial *c)
{
    return c->value - search->value0 <= search->delta * c->step * search->slope0;
}

static int32_t acceptable(const lossi_hager_zhang *search, const lossi_trial *c)
{
    if (c->slope < search->sigma * search->slope0) {
        return 0;
    }
    if (enough_decrease(search, c)) {
        return 1;
    }
    double change = c->value - search->value0;
    int32_t applies = fabs(change) <= search->band || (search->trials > PATIENCE && change < 0.0);
    return applies && change <= search->tolerance && c->slope <= (2.0 * search->delta - 1.0) * search->slope0;
}

/*
 * What to go back to when T1 has no solution: φ may jump between 0 and its minimum, and promise at 0 what is not to be had beyond. There
 * T2 without its band is as much as can be asked for.
 */
static void remember(lossi_hager_zhang *search, const lossi_trial *c)
{
    if (enough_decrease(search, c) && c->value < search->low.value) {
        search->low = *c;
    }
    if (c->value < search->flat.value && c->slope >= search->sigma * search->slope0 &&
        c->slope <= (2.0 * search->delta - 1.0) * search->slope0) {
        search->flat = *c;
    }
}

/* φ(c) ≤ φ(0) + ε: c may become the left end. */
static int32_t not_above(const lossi_hager_zhang *search, const lossi_trial *c)
{
    return c->value <= search->value0 + search->tolerance;
}

/* Nothing acceptable: go back to the lowest trial when it was worth the way. */
static lossi_search_status give_up(lossi_hager_zhang *search, lossi_search_status why)
{
    const double back = search->low.step > 0.0 ? search->low.step : search->flat.step;
    if (back <= 0.0) {
        return why;
    }
    if (back == search->step) {
        return LOSSI_SEARCH_SETTLED;
    }
    search->phase = SETTLE;
    search->failure = (int32_t)why;
    search->step = back;
    return LOSSI_SEARCH_TRY;
}

static lossi_search_status ask(lossi_hager_zhang *search, int32_t phase, double step)
{
    search->phase = phase;
    search->step = step;
    return LOSSI_SEARCH_TRY;
}

/* The zero of the line through two slopes, NaN when they are equal. */
static double secant(const lossi_trial *a, const lossi_trial *b)
{
    return (a->step * b->slope - b->step * a->slope) / (b->slope - a->slope);
}

static int32_t inside(const lossi_hager_zhang *search, double step)
{
    return step > search->a.step && step < search->b.step;
}

/* Whether the values at a and b say more than their rounding. */
static int32_t differ(const lossi_hager_zhang *search, const lossi_trial *a, const lossi_trial *b)
{
    double least = lossi_larger(difference, difference_units * search->resolution) * fabs(search->value0);
    return isfinite(b->value) && fabs(a->value - b->value) > least;
}

/* Where a cubic through values and slopes at a and b, φ′(a) < 0, has its minimum, safeguarded as by Moré & Thuente. */
static double interpolate(const lossi_trial *a, const lossi_trial *b)
{
    lossi_trial best = *a, other = *b;
    int32_t bracketed = 0;
    return lossi_more_thuente_interpolate(&best, &other, b, &bracketed, a->step, b->step);
}

/*
 * S1 – L1: a new round begins where the cubic, or the secant, through both ends says, or with the middle where that is no
 * use. The values tell how far from a parabola φ is, which slopes alone do not (CG_DESCENT 6: UseCubic).
 */
static lossi_search_status next_round(lossi_hager_zhang *search)
{
    int32_t values = !search->by_slopes && differ(search, &search->a, &search->b);
    double step = values ? interpolate(&search->a, &search->b) : secant(&search->a, &search->b);
    search->width = search->b.step - search->a.step;
    search->round_a = search->a;
    search->round_b = search->b;
    search->stage = SECANT;
    if (!inside(search, step)) {
        step = search->a.step + theta * search->width;
        search->stage = HALVED;
    }
    if (!inside(search, step) || search->width <= search->resolution * search->b.step) {
        return give_up(search, LOSSI_SEARCH_PRECISION);
    }
    return ask(search, INTERVAL, step);
}

/* The interval is updated: what the round wants next. */
static lossi_search_status go_on(lossi_hager_zhang *search)
{
    if (search->stage == SECANT) { /* S2 – S4: the other secant, through the end that has just moved */
        double step = NAN;
        if (search->b.step == search->step) {
            step = secant(&search->round_b, &search->b);
        } else if (search->a.step == search->step) {
            step = secant(&search->round_a, &search->a);
        }
        search->stage = SECANT_AGAIN;
        if (inside(search, step)) {
            return ask(search, INTERVAL, step);
        }
    }
    if (search->stage == SECANT_AGAIN &&
        search->b.step - search->a.step > gamma_shrink * search->width) { /* L2 */
        double middle = search->a.step + theta * (search->b.step - search->a.step);
        search->stage = HALVED;
        if (inside(search, middle)) {
            return ask(search, INTERVAL, middle);
        }
    }
    return next_round(search);
}

/*
 * U3: φ is too high at c though it falls there; a rise lies between a and c. cut is where to look, at most: the values
 * may speak for a shorter step.
 */
static lossi_search_status squeeze(lossi_hager_zhang *search, const lossi_trial *c, double cut)
{
    search->b = *c;
    if (search->stage == SECANT) { /* S2 – S4 are for a secant that became an end */
        search->stage = SECANT_AGAIN;
    }
    double width = search->b.step - search->a.step;
    double step = search->a.step + cut * width;
    if (differ(search, &search->a, c)) {
        double shortest = search->a.step + lossi_smaller(least_cut, cut) * width;
        step = lossi_larger(shortest, lossi_smaller(step, interpolate(&search->a, c)));
    }
    if (!inside(search, step) || width <= search->resolution * search->b.step) {
        return give_up(search, LOSSI_SEARCH_PRECISION);
    }
    return ask(search, SQUEEZE, step);
}

/* U1 – U3 for a trial inside the interval, finite or not above at its left end. */
static lossi_search_status update(lossi_hager_zhang *search, const lossi_trial *c)
{
    if (c->slope >= 0.0) {
        search->b = *c;
        return go_on(search);
    }
    if (!not_above(search, c)) {
        return squeeze(search, c, theta);
    }
    search->a = *c;
    if (search->phase == SQUEEZE) { /* b still has no rising slope */
        lossi_trial b = search->b;
        return squeeze(search, &b, theta);
    }
    return go_on(search);
}

/* B3: further down, by the secant of the last two slopes while it bends upwards, then by a factor. */
static lossi_search_status expand(lossi_hager_zhang *search, const lossi_trial *c)
{
    double before = search->a.step, slope = search->a.slope;
    double step = growth * c->step;
    if (search->expansions < SECANT_EXPANSIONS && c->slope > slope) {
        double ahead = (c->step - before) * c->slope / (slope - c->slope);
        step = lossi_smaller(lossi_larger(c->step + amplify * ahead, growth * c->step), growth_cap * c->step);
    }
    search->a = *c;
    search->expansions++;
    if (step >= search->ceiling) {
        step = c->step + theta * (search->ceiling - c->step);
    }
    if (!(step > c->step) || !isfinite(step)) {
        return give_up(search, LOSSI_SEARCH_EXHAUSTED);
    }
    return ask(search, BRACKET, step);
}

static lossi_search_status nonfinite(lossi_hager_zhang *search)
{
    lossi_trial wall = {search->step, INFINITY, -INFINITY};
    search->nonfinite++;
    if (search->phase == SETTLE) { /* it was finite there before: not a function */
        return LOSSI_SEARCH_EXHAUSTED;
    }
    if (search->nonfinite >= MOST_NONFINITE) {
        return give_up(search, LOSSI_SEARCH_NONFINITE);
    }
    if (search->phase == BRACKET) {
        search->ceiling = search->step;
        double step = search->a.step + back_off * (search->step - search->a.step);
        return step > search->a.step ? ask(search, BRACKET, step) : give_up(search, LOSSI_SEARCH_NONFINITE);
    }
    return squeeze(search, &wall, back_off);
}

lossi_search_status lossi_hager_zhang_tell(lossi_hager_zhang *search, double value, double slope)
{
    lossi_trial c = {search->step, value, slope};
    if (!isfinite(value) || !isfinite(slope)) {
        return nonfinite(search);
    }
    search->trials++;
    if (acceptable(search, &c)) {
        return LOSSI_SEARCH_ACCEPTED;
    }
    if (search->phase == SETTLE) {
        return LOSSI_SEARCH_SETTLED;
    }
    remember(search, &c);
    if (search->trials >= MOST_TRIALS) {
        return give_up(search, LOSSI_SEARCH_EXHAUSTED);
    }
    if (search->phase != BRACKET) {
        return update(search, &c);
    }
    if (slope >= 0.0) { /* B1 */
        search->b = c;
        search->stage = HALVED;
        return go_on(search);
    }
    if (!not_above(search, &c)) { /* B2 */
        search->stage = HALVED;
        return squeeze(search, &c, theta);
    }
    return expand(search, &c);
}
