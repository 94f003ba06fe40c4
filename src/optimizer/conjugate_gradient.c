/*
 * Nonlinear conjugate gradients of Hager and Zhang: d⁺ = −∇f⁺ + βd with
 *
 *     β = (yᵀ∇f⁺ − (yᵀy)(dᵀ∇f⁺)/(dᵀy)) / dᵀy,   y = ∇f⁺ − ∇f,   β ≥ η dᵀ∇f/‖d‖²
 *
 * Hager & Zhang, SIAM J. Optim. 16 (2005) 170–192; the factor 1 of the second term and the lower bound are
 * Dai & Kou, SIAM J. Optim. 23 (2013) 296–320, eq. 1.10 and 3.9. With them d is a direction of descent for
 * any line search.
 *
 * The first step of a line search comes from a value nearby (QuadStep; ACM TOMS 32 (2006) 113–137, §5).
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/descent.h"

static const double lower_bound = 0.4; /* η (CG_DESCENT 6: BetaLower) */
static const double probe = 0.1;       /* ψ₁: where QuadStep looks, in last steps */
static const double longer = 2.0;      /* ψ₂: the first step without QuadStep, in last steps */
static const double probe_change =
    1e-12;                             /* f has to change by more, relatively, for a parabola (QuadCutOff) */
static const double probe_units = 1e3; /* the same in roundings, for float32 */
enum { RESTART = 6 };                  /* times n iterations (CG_DESCENT 6: restart_fac) */
enum { STARTING, PROBING, SEARCHING };

typedef struct conjugate_gradient {
    lossi_descent descent;
    double slope, squares; /* dᵀ∇f, ‖d‖² */
    double last_step;
    int64_t since_restart;
    int32_t phase;
} conjugate_gradient;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS,
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->vectors = 1;
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    ((conjugate_gradient *)optimizer->state)->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/* d = −∇f + βd. */
static void turn(const loss_optimizer *optimizer, conjugate_gradient *state, double beta)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at), d = lossi_own_vector(optimizer, 0);
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->combine,
        (lossi_operands){.in = {gradient, beta == 0.0 ? gradient : d}, .out = {d}, .scalar = {-1.0, beta}});
    state->slope = result.sum[0];
    state->squares = result.sum[1];
    state->since_restart = beta == 0.0 ? 0 : state->since_restart + 1;
}

static double choose_beta(const loss_optimizer *optimizer, const conjugate_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_pass_result y = lossi_run(
        optimizer, optimizer->kernels->change,
        (lossi_operands){.in = {lossi_pair_gradient(m->at), lossi_pair_gradient(m->trial)}});
    double slope = m->told_slope, dy = slope - state->slope;
    /* no product of two squares: it would overflow */
    double beta = (y.sum[0] - y.sum[1] * (slope / dy)) / dy;
    beta = fmax(beta, lower_bound * state->slope / state->squares);
    if (!isfinite(beta) || state->since_restart + 1 >= RESTART * optimizer->dimension) {
        return 0.0;
    }
    return beta;
}

static void search(loss_optimizer *optimizer, conjugate_gradient *state, double first)
{
    state->phase = SEARCHING;
    lossi_descent_search(optimizer, &state->descent, state->slope, first);
}

static void restart(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    turn(optimizer, state, 0.0);
    search(optimizer, state, lossi_descent_first_step(optimizer));
}

/* The search from a new iterate: first a value near it, when f still changes enough to fit a parabola. */
static void proceed(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    const lossi_machine *m = &optimizer->machine;
    state->last_step = m->step;
    double least = fmax(probe_change, probe_units * lossi_epsilon(optimizer)) * fabs(m->value);
    double beta = choose_beta(optimizer, state);
    turn(optimizer, state, beta);
    if (!(state->slope < 0.0)) {
        optimizer->machine.restarts++;
        turn(optimizer, state, 0.0);
    }
    if (fabs(m->previous_value - m->value) <= least) {
        search(optimizer, state, longer * state->last_step);
        return;
    }
    state->phase = PROBING;
    lossi_move_trial(optimizer, probe * state->last_step, lossi_own_vector(optimizer, 0));
    lossi_request_value(optimizer);
}

/* The minimiser of the parabola through φ(0), φ′(0) and the value told, when there is one. */
static double parabola(const loss_optimizer *optimizer, const conjugate_gradient *state)
{
    double at = probe * state->last_step, fall = optimizer->machine.told_value - optimizer->machine.value;
    /* half the curvature times the step: the curvature alone would overflow */
    double bend = fall / at - state->slope;
    double step = at * (-0.5 * state->slope / bend);
    return fall <= 0.0 && bend > 0.0 && isfinite(step) && step > 0.0 ? step : longer * state->last_step;
}

static void advance(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, 0));
            restart(optimizer);
        }
    } else if (state->phase == PROBING) {
        search(optimizer, state, parabola(optimizer, state));
    } else {
        lossi_descent_advance(optimizer, &state->descent, proceed, restart);
    }
}

const lossi_optimizer_row lossi_optimizer_conjugate_gradient = {
    .name = "conjugate_gradient",
    .family = "conjugate gradient",
    .summary = "nonlinear conjugate gradients of Hager and Zhang; little memory, no matrix",
    .reference = "Hager & Zhang, SIAM Journal on Optimization 16 (2005) 170–192",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(conjugate_gradient),
    .layout = layout,
    .start = start,
    .advance = advance,
};
