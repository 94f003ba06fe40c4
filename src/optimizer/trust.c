/*
 * Steps within a trust region: the ratio of decreases, and the rules for the radius.
 *
 *     ρ = (f − f⁺ + ε_f)/(f − m(s) + ε_f)
 *
 * with ε_f ten roundings of f, so that near a minimum, where both decreases drown in them, ρ goes to 1 and steps are
 * judged by the gradient alone: Conn, Gould & Toint, Trust-Region Methods, 2000, §17.4.2. There it is ten roundings
 * of max(1, |f|). Here, in the units of f, it is of |f| + ‖∇f‖‖x‖: f moves by the second when x is rounded. What f was
 * before, whose terms may cancel now, counts only when f has shown it: after a fall by half its digits, steps would be
 * taken for noise that f tells apart plainly.
 *
 * The radius follows Lin & Moré, SIAM J. Optim. 9 (1999) 1100–1127 (TRON, its constants and its interpolation).
 */
#include "optimizer/trust.h"

#include <math.h>

#include "optimizer/descent.h"

static const double accepted = 1e-4, poor = 0.25, good = 0.75; /* η₀, η₁, η₂ */
static const double shrink = 0.25, halve = 0.5, grow = 4.0;    /* σ₁, σ₂, σ₃ */
static const double roundings = 10.0;
static const double stuck_units =
    100.0; /* of the rounding of x in ∇f; and of the first ∇f, as in lossi_no_step() */
static const double shrinking = 0.9; /* what counts as a gradient that still shrinks, as in iterate.c */

enum {
    REFUSED = 100,      /* in a row: each at most half as long as the one before */
    CUT_SHORT = 4,      /* refusals in a row: a third power has fallen by 4⁻⁶ beside the promise */
    CONTRADICTIONS = 3, /* as lossi_no_step() counts them */
    BOUNDARY = 1100     /* steps to the boundary: fourfold each, a radius goes from 1e-300 to 1e300 in 1000 */
};

void lossi_trust_start(loss_optimizer *optimizer, lossi_trust *trust, int32_t direction)
{
    *trust = (lossi_trust){.direction = direction};
    trust->largest = lossi_own_double(optimizer, LOSSI_TRUST_LARGEST);
    lossi_trust_set(trust, lossi_own_double(optimizer, LOSSI_TRUST_RADIUS));
}

double lossi_trust_guess(const loss_optimizer *optimizer)
{
    int32_t x = lossi_pair_x(optimizer->machine.at);
    double length = sqrt(lossi_dot(optimizer, x, x));
    length = isfinite(length) && length > 0.0 ? length : lossi_norm(optimizer, x);
    return length > 1.0 || lossi_descent_out_of_scale(optimizer, 1.0) ? length : 1.0;
}

void lossi_trust_set(lossi_trust *trust, double radius)
{
    trust->radius = fmin(radius, trust->largest);
}

double lossi_trust_rounding(const loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    return roundings * lossi_epsilon(optimizer) *
           (fabs(m->value) + m->gradient_norm * lossi_norm(optimizer, lossi_pair_x(m->at)));
}

/* There is no step: not a finite value anywhere, or lossi_no_step() knows why. */
static void fail(loss_optimizer *optimizer, const lossi_trust *trust)
{
    if (trust->refused > 0 && trust->blind == trust->refused) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    lossi_no_step(optimizer, trust->contradictions, trust->promise);
}

void lossi_trust_try(loss_optimizer *optimizer, lossi_trust *trust, lossi_trust_step step)
{
    if (!(step.predicted > 0.0) || !isfinite(step.slope)) {
        if (!isfinite(step.slope) || (trust->refused == 0 && !(step.slope < 0.0))) {
            trust->promise =
                INFINITY; /* out of range, or below it: nothing was promised because nothing was found */
        } else {
            trust->promise = fmax(trust->promise, -step.slope);
        }
        fail(optimizer, trust);
        return;
    }
    trust->step = step;
    lossi_move_trial(optimizer, 1.0, trust->direction);
    optimizer->machine.step = step.length;
    lossi_request_gradient(optimizer, trust->direction);
}

/* A step that was refused leaves no trace in x any more. */
static int32_t exhausted(const loss_optimizer *optimizer, const lossi_trust *trust)
{
    double size = lossi_norm(optimizer, lossi_pair_x(optimizer->machine.at));
    return trust->refused >= REFUSED || trust->contradictions >= CONTRADICTIONS ||
           lossi_norm(optimizer, trust->direction) <= lossi_epsilon(optimizer) * size;
}

/* A quarter of the step, on the same model: of its curvature nothing else is needed. */
static void shorten(loss_optimizer *optimizer, lossi_trust *trust)
{
    lossi_trust_step step = trust->step;
    int32_t s = trust->direction;
    trust->refused++;
    trust->blind++;
    if (exhausted(optimizer, trust)) {
        fail(optimizer, trust);
        return;
    }
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {s, s}, .out = {s}, .scalar = {shrink, 0.0}});
    double bend = step.predicted + step.slope; /* −½sᵀ∇²f s */
    step.slope *= shrink;
    step.predicted = -step.slope + shrink * shrink * bend;
    step.length *= shrink;
    step.boundary = 1;
    trust->radius = step.length;
    trust->begun = 1;
    lossi_trust_try(optimizer, trust, step);
}

/* The radius after a step whose decreases have this ratio. */
static double next_radius(const lossi_trust *trust, double ratio, double change)
{
    double radius = trust->radius, length = trust->step.length;
    /* the minimiser of the parabola through f, ∇fᵀs and f⁺, in steps */
    double bend = change - trust->step.slope;
    double factor = bend <= 0.0 ? grow : fmax(shrink, -0.5 * trust->step.slope / bend);
    if (ratio < accepted) {
        return fmin(factor * length, halve * radius);
    }
    if (ratio < poor) {
        return fmax(shrink * radius, fmin(factor * length, halve * radius));
    }
    if (ratio < good) {
        return fmax(shrink * radius, fmin(factor * length, grow * radius));
    }
    return trust->step.boundary ? grow * radius : fmax(radius, fmin(factor * length, grow * radius));
}

static void examine(const loss_optimizer *optimizer, lossi_trust *trust)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_trial start = {0.0, m->value, trust->step.slope}, trial = {1.0, m->told_value, m->told_slope};
    trust->promise = fmax(trust->promise, -0.5 * (start.slope + fmin(trial.slope, 0.0)));
    trust->contradictions += lossi_contradicts(optimizer, &start, &trial, trust->direction);
}

/* What the last step says of x and ∇f; the trial pair still has where it began. */
static void watch(const loss_optimizer *optimizer, lossi_trust_floor *floor)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_pass_result x = lossi_run(optimizer, optimizer->kernels->distance,
                                    &(lossi_operands){.in = {lossi_pair_x(m->at), lossi_pair_x(m->trial)}});
    double s = x.maximum[0];
    if (s <= lossi_epsilon(optimizer) * x.maximum[1]) { /* the largest are known no better */
        floor->unmoved++;
        return;
    }
    floor->unmoved = 0;
    floor->stiffness =
        lossi_run(optimizer, optimizer->kernels->distance,
                  &(lossi_operands){.in = {lossi_pair_gradient(m->at), lossi_pair_gradient(m->trial)}})
            .maximum[0] /
        s;
}

int32_t lossi_trust_drowned(loss_optimizer *optimizer, lossi_trust_floor *floor, const lossi_trust_step *step,
                            double noise)
{
    lossi_machine *m = &optimizer->machine;
    watch(optimizer, floor);
    if (floor->unmoved > 0) { /* f has not been asked anywhere else: lossi_trust_end() judges that */
        m->standing = 0;
    }
    if (step->predicted > noise || floor->beneath == 0 || m->gradient_norm < shrinking * floor->least) {
        floor->least = m->gradient_norm;
        floor->beneath = step->predicted <= noise;
        return 0;
    }
    int64_t patience = lossi_patience(optimizer);
    if (step->boundary) { /* the model wants more than it was let */
        patience = BOUNDARY;
        m->standing = 0;
    }
    return ++floor->beneath > patience;
}

/* Whether x stood still lately although ∇f is larger than the rounding of x explains. */
static int32_t stuck(const loss_optimizer *optimizer, const lossi_trust_floor *floor)
{
    const lossi_machine *m = &optimizer->machine;
    double units = stuck_units * lossi_epsilon(optimizer);
    double of_x = units * floor->stiffness * lossi_norm(optimizer, lossi_pair_x(m->at));
    return floor->unmoved > 0 && m->gradient_norm > fmax(of_x, units * m->start_norm);
}

void lossi_trust_end(loss_optimizer *optimizer, const lossi_trust_floor *floor, double predicted,
                     double noise)
{
    if (stuck(optimizer, floor)) {
        lossi_finish(optimizer, LOSS_ERROR_LINE_SEARCH, LOSSI_TEST_NONE, predicted, noise);
        return;
    }
    lossi_prefer_iterate(optimizer, noise);
    lossi_finish(optimizer, LOSS_STOP_PRECISION, LOSSI_TEST_NONE, predicted, noise);
}

static void arrive(loss_optimizer *optimizer, lossi_trust *trust, double noise, lossi_trust_turn proceed)
{
    lossi_machine *m = &optimizer->machine;
    double fall = m->value - m->told_value;
    trust->promise = 0.0;
    trust->refused = trust->blind = 0;
    if (trust->step.predicted > noise && fall >= poor * trust->step.predicted) {
        trust->contradictions = 0; /* not for a step that is taken for being short */
    }
    if (lossi_accept(optimizer)) {
        return;
    }
    if (trust->contradictions >= CONTRADICTIONS) {
        fail(optimizer, trust);
    } else if (lossi_trust_drowned(optimizer, &trust->floor, &trust->step, noise)) {
        lossi_trust_end(optimizer, &trust->floor, trust->step.predicted, noise);
    } else if (m->phase == LOSSI_RUNNING) {
        proceed(optimizer);
    }
}

/* The rounding of a small f whose terms may still be as large as f has been: by the running mean of |f|. */
static double rounding_of_terms(const loss_optimizer *optimizer)
{
    return fmax(lossi_trust_rounding(optimizer),
                roundings * lossi_epsilon(optimizer) * optimizer->machine.mean_value);
}

/*
 * What f says of a step and what its slopes say differ by a third power of its length, unless it is rounding, which does not
 * fall when the step is cut to half or less. When that is more than f and x explain and as much as the step promised, after
 * some in a row were cut short, but no more than the terms of f explain, they cancel.
 */
static void find_cancellation(const loss_optimizer *optimizer, lossi_trust *trust, double change)
{
    double off = fabs(change - 0.5 * (trust->step.slope + optimizer->machine.told_slope));
    double terms = rounding_of_terms(optimizer);
    if (trust->refused >= CUT_SHORT && trust->step.predicted <= terms && off <= terms &&
        off > fmax(0.5 * trust->step.predicted, lossi_trust_rounding(optimizer))) {
        trust->cancels |= off > 0.5 * trust->off;
    }
    trust->off = off;
}

void lossi_trust_advance(loss_optimizer *optimizer, lossi_trust *trust, lossi_trust_turn proceed,
                         lossi_trust_turn again)
{
    const lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm)) {
        shorten(optimizer, trust);
        return;
    }
    double noise = trust->cancels ? rounding_of_terms(optimizer) : lossi_trust_rounding(optimizer),
           change = m->told_value - m->value;
    double ratio = (noise - change) / (noise + trust->step.predicted);
    examine(optimizer, trust);
    if (!trust->begun) {
        trust->radius = fmin(trust->radius, trust->step.length);
        trust->begun = 1;
    }
    lossi_trust_set(trust, next_radius(trust, ratio, change));
    if (ratio >= accepted) {
        arrive(optimizer, trust, noise, proceed);
        return;
    }
    trust->refused++;
    if (exhausted(optimizer, trust)) {
        fail(optimizer, trust);
        return;
    }
    find_cancellation(optimizer, trust, change);
    again(optimizer);
}
