/*
 * Gradient descent: x⁺ = x − α∇f.
 *
 * fixed              α is the option "learning_rate", whatever happens
 * armijo             α is twice the last one, halved or shortened by the parabola until f falls by a share of what the
 *                    slope says (Armijo, Pacific J. Math. 16 (1966) 1–3)
 * barzilai_borwein   α = sᵀs/sᵀy, or sᵀy/yᵀy where that is much shorter: the curvature along the last step,
 *                    or over it; taken when f falls below the largest of the last ten values (Grippo,
 *                    Lampariello & Lucidi), else shortened by the parabola
 *
 * Barzilai & Borwein, IMA J. Numer. Anal. 8 (1988) 141–148; the safeguard: Grippo, Lampariello & Lucidi, SIAM
 * J. Numer. Anal. 23 (1986) 707–716, and Raydan, SIAM J. Optim. 7 (1997) 26–33; the choice of the two: Zhou,
 * Gao & Dai, Comput. Optim. Appl. 35 (2006) 69–86, eq. 1.7.
 *
 * s = −α∇f is a multiple of the gradient before, so one pass over two gradients gives all the products.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "optimizer/descent.h"

enum { STEP_OPTION, LEARNING_RATE_OPTION, HISTORY_OPTION };
enum { BARZILAI_BORWEIN, ARMIJO, FIXED };
enum { MOST_HISTORY = 32 };
enum { MOST_TRIALS = 60 }; /* of one search: each at most halves the step, and there are 53 bits */
enum { STARTING, STEPPING };

static const double enough = 1e-4;                 /* γ (Raydan 1997) */
static const double shortest = 0.1, longest = 0.5; /* σ₁, σ₂: of the last trial (Raydan 1997) */
/* α‖∇f‖∞/‖x‖∞; Birgin, Martínez & Raydan (2001) bound α itself, which has units. */
static const double step_min = 1e-30, step_max = 1e30;
static const double choice = 0.5;   /* κ (Zhou, Gao & Dai 2006) */
static const double back_off = 0.1; /* after a value that is not finite */
static const double units = 16.0;   /* roundings of f that do not count as a rise */

typedef struct gradient_descent {
    double history[MOST_HISTORY];
    double squares; /* ‖∇f‖² */
    double step;    /* of the trial */
    double promise; /* decrease the slope speaks of, at the first trial */
    int64_t accepted, contradictions;
    int32_t rule, kept, trials, finite_trials, phase; /* kept: values to compare with, M (Raydan 1997, §3) */
    int32_t stalls;                                   /* steps in a row that only rounding excuses */
} gradient_descent;

static const loss_option options[] = {
    {"step", LOSS_OPTION_STRING, 0, 0, 0, "barzilai_borwein", "barzilai_borwein|armijo|fixed",
     "how the step is chosen"},
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 0.01, NULL, NULL, "the step when it is fixed"},
    {"history", LOSS_OPTION_INT, 0, MOST_HISTORY, 0, NULL, NULL,
     "f is compared with the largest of so many values; 0: 10 for barzilai_borwein, 1 for armijo"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    (void)optimizer;
    (void)layout;
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    gradient_descent *state = optimizer->state;
    int32_t history = (int32_t)lossi_own_int(optimizer, HISTORY_OPTION);
    state->rule = (int32_t)lossi_own_int(optimizer, STEP_OPTION);
    state->kept = history > 0 ? history : state->rule == BARZILAI_BORWEIN ? 10 : 1;
    state->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

static void try(loss_optimizer *optimizer, const gradient_descent *state)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    lossi_move_trial(optimizer, -state->step, gradient);
    optimizer->machine.step = state->step;
    lossi_request_gradient(optimizer, gradient);
}

static void first_trial(loss_optimizer *optimizer, gradient_descent *state, double step)
{
    state->step = state->rule == FIXED ? lossi_own_double(optimizer, LEARNING_RATE_OPTION) : step;
    state->trials = state->finite_trials = 0;
    state->promise = 0.5 * state->step * state->squares;
    if (state->rule == FIXED || (isfinite(state->squares) && state->squares >= DBL_MIN)) {
        try(optimizer, state);
    } else { /* out of the range of a double */
        lossi_no_step(optimizer, 0, INFINITY);
    }
}

/* The step from the old gradient, in the trial pair, to the new one. */
static double barzilai_borwein(const loss_optimizer *optimizer, const gradient_descent *state)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_pass_result y = lossi_run(
        optimizer, optimizer->kernels->change,
        &(lossi_operands){.in = {lossi_pair_gradient(m->at), lossi_pair_gradient(m->trial)}});
    double old_y = y.sum[0] - y.sum[1]; /* ∇fᵀy of the old gradient: sᵀy = −α old_y, sᵀs = α²‖∇f‖² */
    double along = -state->step * state->squares / old_y;
    double over = -state->step * old_y / y.sum[1];
    double size = lossi_norm(optimizer, lossi_pair_x(m->at));
    if (!(old_y < 0.0) || !isfinite(along) || !isfinite(over)) {
        /* no curvature upwards: as far as x is large, ten times further at most */
        return fmin(fmax(fmax(size, 1.0) / m->gradient_norm, state->step), 10.0 * state->step);
    }
    double reach = (size > 0.0 ? size : 1.0) / m->gradient_norm; /* so that the units of f do not matter */
    return fmin(fmax(over < choice * along ? over : along, step_min * reach), step_max * reach);
}

/* Whether the trial goes down enough, or, near the minimum, no more up than rounding can make it. */
enum { TOO_HIGH, WITHIN_ROUNDING, LOW_ENOUGH };

static int32_t judge(const loss_optimizer *optimizer, const gradient_descent *state)
{
    double largest = state->history[0], value = optimizer->machine.told_value;
    int64_t kept = state->accepted < state->kept ? state->accepted : state->kept;
    for (int64_t i = 1; i < kept; i++) {
        largest = fmax(largest, state->history[i]);
    }
    double wanted = largest - enough * state->step * state->squares;
    if (value <= wanted && value < largest) {
        return LOW_ENOUGH;
    }
    return value <= wanted + units * lossi_epsilon(optimizer) * fabs(largest) ? WITHIN_ROUNDING : TOO_HIGH;
}

static void arrive(loss_optimizer *optimizer, gradient_descent *state)
{
    lossi_machine *m = &optimizer->machine;
    if (lossi_accept(optimizer)) {
        return;
    }
    double step = state->rule == BARZILAI_BORWEIN ? barzilai_borwein(optimizer, state) : 2.0 * state->step;
    int32_t gradient = lossi_pair_gradient(m->at);
    state->squares = lossi_dot(optimizer, gradient, gradient);
    state->history[state->accepted++ % state->kept] = m->value;
    first_trial(optimizer, state, step);
}

/* A shorter step: the minimiser of the parabola through f, its slope and the value told, within bounds. */
static void shorten(loss_optimizer *optimizer, gradient_descent *state)
{
    const lossi_machine *m = &optimizer->machine;
    double step = state->step, factor = back_off;
    state->finite_trials += isfinite(m->told_value) && isfinite(m->told_norm);
    if (isfinite(m->told_value) && isfinite(m->told_slope)) {
        lossi_trial before = {0.0, m->value, -state->squares};
        lossi_trial trial = {step, m->told_value, -m->told_slope};
        double rise = m->told_value - m->value + step * state->squares;
        factor = fmin(fmax(0.5 * step * state->squares / rise, shortest), longest);
        state->contradictions += lossi_contradicts(optimizer, &before, &trial, lossi_pair_gradient(m->at));
    }
    state->step = factor * step;
    if (++state->trials < MOST_TRIALS && state->step > 0.0) {
        try(optimizer, state);
    } else if (state->finite_trials == 0) {
        optimizer->machine.search_end = LOSSI_END_NONFINITE;
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else {
        optimizer->machine.search_end = LOSSI_END_EXHAUSTED;
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

static void begin(loss_optimizer *optimizer, gradient_descent *state)
{
    const lossi_machine *m = &optimizer->machine;
    state->squares = m->told_slope; /* of ∇f with itself */
    if (lossi_accept_start(optimizer)) {
        return;
    }
    state->history[state->accepted++] = m->value;
    state->phase = STEPPING;
    first_trial(optimizer, state, lossi_descent_first_step(optimizer));
}

static void advance(loss_optimizer *optimizer)
{
    gradient_descent *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    if (state->phase == STARTING) {
        begin(optimizer, state);
        return;
    }
    int32_t finite = isfinite(m->told_value) && isfinite(m->told_norm);
    if (state->rule == FIXED) {
        if (finite) {
            arrive(optimizer, state);
        } else {
            lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        }
        return;
    }
    int32_t verdict = finite ? judge(optimizer, state) : TOO_HIGH;
    if (verdict == TOO_HIGH) {
        shorten(optimizer, state);
        return;
    }
    m->search_end = verdict == LOW_ENOUGH ? LOSSI_END_ARMIJO : LOSSI_END_SETTLED;
    state->stalls = verdict == LOW_ENOUGH || lossi_gradient_shrinks(optimizer) ? 0 : state->stalls + 1;
    state->contradictions = verdict == LOW_ENOUGH ? 0 : state->contradictions;
    if (state->stalls < lossi_patience(optimizer)) {
        arrive(optimizer, state);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

const lossi_optimizer_row lossi_optimizer_gradient_descent = {
    .name = "gradient_descent",
    .family = "gradient descent",
    .summary =
        "steps along the negative gradient, of fixed length, by Armijo's rule or Barzilai and Borwein's",
    .reference = "Barzilai & Borwein, IMA Journal of Numerical Analysis 8 (1988) 141–148",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(gradient_descent),
    .layout = layout,
    .start = start,
    .advance = advance,
};
