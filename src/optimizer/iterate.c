/*
 * Iterates: how a trial becomes the next one, the tests that end a run, and the best point.
 *
 * The best point is the completed one (value and gradient known, the value finite) with the least value; when
 * a convergence test fires, it is the point that passed the test, even if rounding gave an earlier one a
 * lower value; and at the precision floor the iterate, when its gradient is smaller and its value as low but
 * for rounding.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <time.h>

#include "optimizer/extremes.h"
#include "optimizer/optimizer.h"

double lossi_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double lossi_epsilon(const loss_optimizer *optimizer)
{
    return optimizer->dtype == LOSS_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

static double common(const loss_optimizer *optimizer, int32_t index)
{
    return lossi_common(optimizer, index)->number;
}

/* ---- the end ---- */

/* One sentence for every way to fail; NULL when the caller of lossi_finish() has said it already. */
static const char *sentence(loss_status outcome)
{
    switch (outcome) {
    case LOSS_ERROR_NONFINITE:
        return "%s met a value or gradient that is not finite, %lld iterations after the start";
    case LOSS_ERROR_LINE_SEARCH:
        return "%s found no acceptable step, not even along the steepest descent, after %lld iterations";
    case LOSS_ERROR_DERIVATIVE:
        return "%s found values that contradict the gradient: check the derivatives (after %lld iterations)";
    case LOSS_ERROR_UNBOUNDED:
        return "%s found the objective at or below the option 'unbounded_value', after %lld iterations";
    default:
        return NULL;
    }
}

void lossi_finish(loss_optimizer *optimizer, loss_status outcome, int32_t test, double value,
                  double threshold)
{
    lossi_machine *m = &optimizer->machine;
    const char *text = sentence(outcome);
    m->phase = LOSSI_FINISHED;
    m->open_request = 0;
    m->outcome = outcome;
    m->test = test;
    m->test_value = value;
    m->test_threshold = threshold;
    m->seconds = lossi_clock() - optimizer->clock_start;
    m->request = LOSS_REQUEST_DONE;
    m->asked = 0;
    if (m->complete && !m->iterate_ready) {
        m->value = m->best_value;
        m->gradient_norm = m->best_norm;
    }
    if (outcome == LOSS_ERROR_LINE_SEARCH && optimizer->kinked != NULL) {
        lossi_fail(optimizer->context, outcome,
                   "%s found no acceptable step, not even along the steepest descent, after %lld iterations: "
                   "%s has kinks, "
                   "where the gradient need not lead down; unless this is the minimum, start elsewhere, from "
                   "small random "
                   "numbers, or use a method that needs no descent, such as 'sgd' or 'adam'",
                   optimizer->owner, (long long)m->iterations, optimizer->kinked);
    } else if (text != NULL && !(outcome == LOSS_ERROR_NONFINITE && optimizer->explained)) {
        lossi_fail(optimizer->context, outcome, text, optimizer->owner, (long long)m->iterations);
    }
}

void lossi_interrupt(loss_optimizer *optimizer, loss_status outcome, int32_t test, double value,
                     double threshold)
{
    lossi_machine *m = &optimizer->machine;
    int32_t request = m->request;
    double iterate_value = m->value, iterate_norm = m->gradient_norm;
    lossi_finish(optimizer, outcome, test, value, threshold);
    m->open_request = request;
    m->open_value = iterate_value;
    m->open_norm = iterate_norm;
}

/* ---- the best point ---- */

void lossi_consider_best(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm)) {
        return;
    }
    if (!m->complete || m->told_value < m->best_value) {
        m->complete = 1;
        m->best = m->trial;
        m->best_value = m->told_value;
        m->best_norm = m->told_norm;
    }
}

void lossi_clear_trial(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    if (m->best == m->trial) {
        int32_t free_pair = m->spare;
        m->spare = m->trial;
        m->trial = free_pair;
    }
}

void lossi_move_trial(loss_optimizer *optimizer, double step, int32_t direction)
{
    lossi_machine *m = &optimizer->machine;
    lossi_clear_trial(optimizer);
    m->step = step;
    lossi_pass pass; /* every search begins with one: no more is filled in than it reads */
    pass.in[0] = lossi_vector(optimizer, lossi_pair_x(m->at));
    pass.in[1] = lossi_vector(optimizer, direction);
    pass.out[0] = lossi_vector(optimizer, lossi_pair_x(m->trial));
    pass.scalar[0] = step;
    lossi_run_part(optimizer, optimizer->kernels->move, &pass,
                   isfinite(step) ? optimizer->padded : optimizer->dimension);
}

/* ---- tests ---- */

/*
 * How long f may stand within how many of its roundings, and what counts as a shrinking gradient meanwhile. On badly
 * conditioned functions with a large minimum the gradient goes on falling, up and down, for as long as it took to get
 * there (CURLY10 of CUTE: 1750 iterations until f stands, 700 more to ‖∇f‖∞ = 1e-6): so the patience grows with the run.
 */
enum { FLOOR_ITERATIONS = 20, FLOOR_SHARE = 4 };
static const double floor_roundings = 4.0, shrinking = 0.9;

static void choose_iterate(lossi_machine *m)
{
    m->best = m->at;
    m->best_value = m->value;
    m->best_norm = m->gradient_norm;
}

int64_t lossi_patience(const loss_optimizer *optimizer)
{
    int64_t share = optimizer->machine.iterations / FLOOR_SHARE;
    return share > FLOOR_ITERATIONS ? share : FLOOR_ITERATIONS;
}

int32_t lossi_gradient_shrinks(const loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    return m->told_norm < shrinking * m->least_norm;
}

void lossi_prefer_iterate(loss_optimizer *optimizer, double rounding)
{
    lossi_machine *m = &optimizer->machine;
    if (m->value - m->best_value <= rounding && m->gradient_norm < m->best_norm) {
        choose_iterate(m);
    }
}

/* The iterate passed a test: it is what will be returned. */
static int32_t converged(loss_optimizer *optimizer, loss_status outcome, int32_t test, double value,
                         double threshold)
{
    choose_iterate(&optimizer->machine);
    lossi_finish(optimizer, outcome, test, value, threshold);
    return 1;
}

static int32_t test_gradient(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    double tolerance = common(optimizer, LOSSI_GRADIENT_TOLERANCE);
    double relative = common(optimizer, LOSSI_GRADIENT_TOLERANCE_RELATIVE) * m->start_norm;
    if (m->gradient_norm <= tolerance) {
        return converged(optimizer, LOSS_STOP_GRADIENT, LOSSI_GRADIENT_TOLERANCE, m->gradient_norm,
                         tolerance);
    }
    if (m->gradient_norm <= relative) {
        return converged(optimizer, LOSS_STOP_GRADIENT, LOSSI_GRADIENT_TOLERANCE_RELATIVE, m->gradient_norm,
                         relative);
    }
    return 0;
}

/* Compares the iterate with the one before, which the trial pair still holds. */
static int32_t test_progress(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    double value_tolerance = common(optimizer, LOSSI_VALUE_TOLERANCE);
    double step_tolerance = common(optimizer, LOSSI_STEP_TOLERANCE);
    if (value_tolerance > 0.0) {
        double change = fabs(m->previous_value - m->value);
        double threshold = value_tolerance * lossi_larger(fabs(m->previous_value), fabs(m->value));
        if (change <= threshold) {
            return converged(optimizer, LOSS_STOP_VALUE, LOSSI_VALUE_TOLERANCE, change, threshold);
        }
    }
    if (step_tolerance > 0.0) {
        lossi_pass_result result = lossi_run(
            optimizer, optimizer->kernels->distance,
            &(lossi_operands){.in = {lossi_pair_x(m->at), lossi_pair_x(m->trial)}});
        double threshold = step_tolerance * lossi_larger(result.maximum[1], 1.0);
        if (result.maximum[0] <= threshold) {
            return converged(optimizer, LOSS_STOP_STEP, LOSSI_STEP_TOLERANCE, result.maximum[0], threshold);
        }
    }
    return 0;
}

/* Whether the iterate is another point than the one before, which the trial pair still holds. */
static int32_t moved(const loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->distance,
        &(lossi_operands){.in = {lossi_pair_x(m->at), lossi_pair_x(m->trial)}});
    return result.maximum[0] != 0.0;
}

/*
 * f stands still but for its rounding, and the gradient has stopped shrinking: nothing more can be told
 * apart. The approximate conditions of the line search would go on accepting such steps for ever. Where f was
 * lower in half its digits before, a run that went astray stands still, with steps too short for so large an x.
 */
static int32_t test_floor(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    double change = fabs(m->previous_value - m->value);
    double rounding = floor_roundings * lossi_epsilon(optimizer) *
                      lossi_larger(fabs(m->previous_value), fabs(m->value));
    double astray = sqrt(lossi_epsilon(optimizer)) * lossi_larger(fabs(m->value), fabs(m->best_value));
    if (change > rounding || m->value - m->best_value > astray ||
        !(m->gradient_norm >= shrinking * m->least_norm)) {
        m->least_norm = lossi_smaller(m->least_norm, m->gradient_norm);
        m->standing = 0;
        return 0;
    }
    if (optimizer->row->stochastic != NULL && !moved(optimizer)) {
        return 0; /* its rate is 0, or too small: that says nothing of f */
    }
    if (++m->standing < lossi_patience(optimizer)) {
        return 0;
    }
    lossi_prefer_iterate(optimizer, rounding);
    lossi_finish(optimizer, LOSS_STOP_PRECISION, LOSSI_TEST_NONE, change, rounding);
    return 1;
}

/* ---- iterates ---- */

static const double memory = 0.7; /* Δ of Q (CG_DESCENT: Qdecay) */

static void swap_in(lossi_machine *m)
{
    int32_t old = m->at;
    m->at = m->trial;
    m->trial = old;
    m->value = m->told_value;
    m->gradient_norm = m->told_norm;
    m->mean_weight = 1.0 + memory * m->mean_weight;
    m->mean_value += (fabs(m->value) - m->mean_value) / m->mean_weight;
    m->largest_value = lossi_larger(m->largest_value, fabs(m->value));
    m->taken = m->step;
    m->iterate_ready = m->report;
}

int32_t lossi_accept(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    m->previous_value = m->value;
    swap_in(m);
    m->iterations++;
    return test_gradient(optimizer) || test_progress(optimizer) || test_floor(optimizer);
}

int32_t lossi_accept_start(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    swap_in(m);
    m->taken = 0.0;
    m->start_norm = m->gradient_norm;
    if (!isfinite(m->value) || !isfinite(m->gradient_norm)) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return 1;
    }
    return test_gradient(optimizer);
}
