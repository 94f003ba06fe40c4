/*
 * A descent step around the line search: error estimate of f, switch to the approximate conditions, and
 * verdicts.
 *
 * Hager & Zhang, ACM TOMS 32 (2006) 113–137: C_k, the running mean of |f|, scales ε_k (§4), and T2 takes over
 * for good once f changes by less than ωC_k in a step.
 */
#include "optimizer/descent.h"

#include <float.h>
#include <math.h>

#include "optimizer/extremes.h"

static const double error_estimate = 1e-6; /* ε of ε_k = εC_k (CG_DESCENT: eps) */
static const double switch_factor = 1e-3;  /* ω (CG_DESCENT: AWolfeFac) */
static const double error_growth = 10.0;   /* of ε after a failed search (CG_DESCENT: egrow) */
static const double first_step = 0.01;     /* ψ₀ (CG_DESCENT: psi0) */

/*
 * How far the first step at the scale of x may go, in times that f could lose |f| on a line: further away are walls and jumps. The classic
 * problems are solved from 100 times their starts so, in as many evaluations as without a bound from their own.
 */
static const double most_falls = 10.0;

/* f of float32 parameters carries their rounding: ε is not below this many of their units. */
static const double units = 16.0;

/* A contradiction counts when it is more than half of what the slope says, and far above the rounding of
 * f. */
static const double contradiction = 0.5;
static const double above_rounding = 1e3;
enum { CONTRADICTIONS = 3 };
enum { FAILURES = 2 }; /* in a row: along the direction, then along −∇f */

/* At the precision floor, what the slopes still promise is within this many roundings of f, or the gradient
 * has fallen to this many roundings of its first size. */
static const double floor_units = 100.0;

void lossi_descent_start(loss_optimizer *optimizer, lossi_descent *descent, int32_t direction)
{
    *descent = (lossi_descent){.error_factor = 1.0, .direction = direction};
    lossi_line_search_choose(&descent->search, optimizer);
    descent->epsilon = lossi_epsilon(optimizer);
}

static double tolerance(const loss_optimizer *optimizer, const lossi_descent *descent)
{
    return lossi_larger(error_estimate, units * descent->epsilon) * descent->error_factor *
           optimizer->machine.mean_value;
}

double lossi_descent_first_step(const loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    double size = lossi_norm(optimizer, lossi_pair_x(m->at));
    double step = 1.0;
    if (size > 0.0) {
        step = first_step * size / m->gradient_norm;
    } else if (m->value != 0.0) {
        int32_t gradient = lossi_pair_gradient(m->at);
        step = first_step * fabs(m->value) / lossi_dot(optimizer, gradient, gradient);
    }
    return isfinite(step) && step > 0.0 ? step : 1.0;
}

double lossi_descent_steepest(const loss_optimizer *optimizer, int32_t vector)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    return lossi_run(optimizer, optimizer->kernels->combine,
                     &(lossi_operands){.in = {gradient, gradient}, .out = {vector}, .scalar = {-1.0, 0.0}})
        .sum[0];
}

double lossi_descent_scaled_step(const loss_optimizer *optimizer, double slope)
{
    const lossi_machine *m = &optimizer->machine;
    double size = lossi_norm(optimizer, lossi_pair_x(m->at));
    double reach = 1.0 / m->gradient_norm, fall = fabs(m->value) / -slope;
    double step = lossi_larger(size / m->gradient_norm, fall > 0.0 ? lossi_smaller(reach, fall) : reach);
    if (fall > 0.0) { /* from afar the scale of x is not that of the minimum */
        step = lossi_smaller(step, most_falls * fall);
    }
    return isfinite(step) && step > 0.0 ? step : lossi_descent_first_step(optimizer);
}

int32_t lossi_descent_out_of_scale(const loss_optimizer *optimizer, double length)
{
    double size = lossi_norm(optimizer, lossi_pair_x(optimizer->machine.at));
    double least = sqrt(lossi_epsilon(optimizer)); /* half the digits */
    return size > 0.0 && (length < least * size || size < least * length);
}

/* moved: the step the trial is at already, 0 for none. */
static void try(loss_optimizer *optimizer, const lossi_descent *descent, double moved)
{
    double step = lossi_line_search_step(&descent->search);
    if (step == moved) {
        optimizer->machine.step = step;
    } else {
        lossi_move_trial(optimizer, step, descent->direction);
    }
    lossi_request_gradient(optimizer, descent->direction);
}

/* Ends the run after a search along the steepest descent, with the reason that fits. */
static void fail(loss_optimizer *optimizer, const lossi_descent *descent)
{
    if (lossi_line_search_blind(&descent->search)) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    lossi_no_step(optimizer, descent->contradictions, descent->promise);
}

/* What f moves by when it and x are rounded; Hager–Zhang has its own way. */
static double rounding_of_value(const loss_optimizer *optimizer, const lossi_descent *descent)
{
    const lossi_machine *m = &optimizer->machine;
    if (descent->search.kind == LOSSI_HAGER_ZHANG) {
        return 0.0;
    }
    return descent->epsilon *
           (fabs(m->value) + m->gradient_norm * lossi_norm(optimizer, lossi_pair_x(m->at)));
}

static void search(loss_optimizer *optimizer, lossi_descent *descent, double slope, double step, double moved)
{
    lossi_machine *m = &optimizer->machine;
    if (descent->failures >
        0) { /* the last trials may have been too short to move x: now one that it shows */
        double size = lossi_norm(optimizer, lossi_pair_x(m->at)),
               d = lossi_norm(optimizer, descent->direction);
        double least = sqrt(descent->epsilon) * size / d;
        step = isfinite(least) && step < least ? least : step;
    }
    lossi_search_noise noise = {tolerance(optimizer, descent),
                                descent->approximate ? INFINITY : switch_factor * m->mean_value,
                                descent->epsilon, rounding_of_value(optimizer, descent)};
    lossi_search_status status = lossi_line_search_start(&descent->search, m->value, slope, step, &noise);
    descent->promise = isfinite(slope) ? 0.0 : INFINITY; /* a slope that overflowed promises anything */
    if (status == LOSSI_SEARCH_TRY) {
        try(optimizer, descent, moved);
    } else {
        m->search_end = lossi_line_search_end(&descent->search, status, m->value);
        fail(optimizer, descent);
    }
}

void lossi_descent_search(loss_optimizer *optimizer, lossi_descent *descent, double slope, double step)
{
    search(optimizer, descent, slope, step, 0.0);
}

void lossi_descent_search_moved(loss_optimizer *optimizer, lossi_descent *descent, double slope, double step)
{
    search(optimizer, descent, slope, step, step);
}

/*
 * Where φ′(α) ≈ φ′(0), the gradients say that φ is nearly a line up to there, so its mean slope has to be
 * φ′(0) too: a test of the gradient alone, whatever the scale of x. It means nothing where the change of f is
 * within its rounding, or the step within that of x.
 *
 * That rounding is of the largest |f| this run has met: what f is a sum of may cancel towards the minimum, terms of a
 * vanishing f are as large as they were at the start. A gradient that is wrong shows long before f has lost so many
 * digits; one that is right must not be accused for their sake.
 */
int32_t lossi_contradicts(const loss_optimizer *optimizer, const lossi_trial *start, const lossi_trial *trial,
                          int32_t direction)
{
    double epsilon = lossi_epsilon(optimizer);
    double said = trial->step * start->slope, change = trial->value - start->value;
    double rounding = epsilon * lossi_larger(optimizer->machine.largest_value, fabs(trial->value));
    if (fabs(trial->slope - start->slope) > 0.1 * fabs(start->slope) ||
        fabs(change - said) <= contradiction * fabs(said) || fabs(said) <= above_rounding * rounding) {
        return 0;
    }
    double size = lossi_norm(optimizer, lossi_pair_x(optimizer->machine.at));
    return trial->step * lossi_norm(optimizer, direction) > above_rounding * epsilon * size;
}

double lossi_promise(const lossi_trial *start, const lossi_trial *trial)
{
    if (trial->slope <= 0.0) {
        return -0.5 * trial->step * (start->slope + trial->slope);
    }
    return -0.5 * trial->step * start->slope * (start->slope / (start->slope - trial->slope));
}

static void examine(const loss_optimizer *optimizer, lossi_descent *descent)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_trial start = {0.0, m->value, descent->search.slope0};
    lossi_trial trial = {m->step, m->told_value, m->told_slope};
    if (!isfinite(trial.value) || !isfinite(trial.slope)) {
        return;
    }
    descent->promise = lossi_larger(descent->promise, lossi_promise(&start, &trial));
    descent->contradictions += lossi_contradicts(optimizer, &start, &trial, descent->direction);
}

static void arrive(loss_optimizer *optimizer, lossi_descent *descent)
{
    const lossi_machine *m = &optimizer->machine;
    descent->error_factor = 1.0;
    descent->contradictions = 0;
    descent->failures = 0;
    lossi_accept(optimizer);
    if (fabs(m->value - m->previous_value) < switch_factor * m->mean_value) {
        descent->approximate = 1;
    }
}

void lossi_descent_advance(loss_optimizer *optimizer, lossi_descent *descent, lossi_descent_turn proceed,
                           lossi_descent_turn restart)
{
    lossi_machine *m = &optimizer->machine;
    examine(optimizer, descent);
    lossi_search_status status = lossi_line_search_tell(&descent->search, m->told_value, m->told_slope);
    if (status == LOSSI_SEARCH_TRY) {
        try(optimizer, descent, 0.0);
        return;
    }
    m->search_end = lossi_line_search_end(&descent->search, status, m->told_value);
    switch (status) {
    case LOSSI_SEARCH_ACCEPTED:
    case LOSSI_SEARCH_SETTLED:
        arrive(optimizer, descent);
        if (m->phase == LOSSI_RUNNING) {
            proceed(optimizer);
        }
        return;
    default:
        descent->error_factor *= error_growth;
        if (++descent->failures >= FAILURES) {
            fail(optimizer, descent);
            return;
        }
        m->restarts++;
        lossi_line_search_forget(&descent->search);
        restart(optimizer);
    }
}

/* Slopes along −∇f are made of squares: the largest of them has to be a number with all its digits. */
static int32_t squares_fit(double norm)
{
    return norm == 0.0 || (isfinite(norm * norm) && norm * norm >= DBL_MIN);
}

void lossi_no_step(loss_optimizer *optimizer, int64_t contradictions, double promise)
{
    const lossi_machine *m = &optimizer->machine;
    double epsilon = lossi_epsilon(optimizer);
    /* f moves so much when x is rounded */
    double from_x = m->gradient_norm * lossi_norm(optimizer, lossi_pair_x(m->at));
    /* and once more by as much as the largest of the terms that cancel in it */
    double rounding = epsilon * (floor_units * (lossi_larger(fabs(m->value), m->mean_value) + from_x) +
                                 m->largest_value);
    double small = floor_units * epsilon * m->start_norm;
    int32_t in_range = squares_fit(m->gradient_norm) && isfinite(promise) && isfinite(rounding);
    if (contradictions >= CONTRADICTIONS) {
        lossi_finish(optimizer, LOSS_ERROR_DERIVATIVE, LOSSI_TEST_NONE, (double)contradictions,
                     CONTRADICTIONS);
    } else if (in_range && promise <= rounding) {
        lossi_prefer_iterate(optimizer, rounding);
        lossi_finish(optimizer, LOSS_STOP_PRECISION, LOSSI_TEST_NONE, promise, rounding);
    } else if (m->gradient_norm <= small) {
        lossi_prefer_iterate(optimizer, isfinite(rounding) ? rounding : 0.0);
        lossi_finish(optimizer, LOSS_STOP_PRECISION, LOSSI_TEST_NONE, m->gradient_norm, small);
    } else {
        lossi_finish(optimizer, LOSS_ERROR_LINE_SEARCH, LOSSI_TEST_NONE, promise, rounding);
        if (!in_range) {
            lossi_fail(optimizer->context, LOSS_ERROR_LINE_SEARCH,
                       "%s cannot work with derivatives whose squares are not in the range of a double: "
                       "multiply the objective by a constant",
                       optimizer->owner);
        }
    }
}
