/*
 * The spectral projected gradient method: a gradient step as long as the last curvature says, brought back by the proximal
 * map of the penalties (the projection, when they are sets), and a search along the line to that point.
 *
 *     d = prox(x − λ∇f) − x,   λ = sᵀs/sᵀy,
 *     F(x + αd) ≤ max of the last F + γα(∇fᵀd + h(x + d) − h(x))
 *
 * Birgin, Martínez & Raydan, SIAM J. Optim. 10 (2000) 1196–1211, algorithm 2.2 (SPG2); with a function h instead of a
 * set: Wright, Nowak & Figueiredo, IEEE Trans. Signal Process. 57 (2009) 2479–2493.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "optimizer/composite.h"
#include "optimizer/descent.h"

enum { HISTORY_OPTION };
enum { MOST_HISTORY = 32 };
enum { STARTING, STEPPING };
enum { DIRECTION, VECTORS };

static const double enough = 1e-4;                 /* γ (Birgin, Martínez & Raydan 2000, §3) */
static const double shortest = 0.1, longest = 0.9; /* σ₁, σ₂ of the last trial (the same) */
static const double step_min = 1e-30, step_max = 1e30; /* λ‖∇f‖∞/‖x‖∞: they bound λ itself, which has units */
static const double units = 16.0;                      /* roundings of F that do not count as a rise */
enum { MOST_TRIALS = 100 };                            /* of one search */

typedef struct spectral {
    double values[MOST_HISTORY];
    double lambda, share, slope; /* λ; α; ∇fᵀd + h(x + d) − h(x) */
    double promise;
    int64_t accepted, contradictions;
    int32_t phase, trials, finite_trials, stalls, history;
} spectral;

static const loss_option options[] = {
    [HISTORY_OPTION] = {"history", LOSS_OPTION_INT, 1, MOST_HISTORY, 10, NULL, NULL,
                        "F is compared with the largest of so many values; 1: down at every step"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    (void)optimizer;
    layout->vectors = VECTORS;
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    spectral *state = optimizer->state;
    state->phase = STARTING;
    state->history = (int32_t)lossi_own_int(optimizer, HISTORY_OPTION);
    lossi_request_gradient(optimizer, -1);
}

static void try(loss_optimizer *optimizer, const spectral *state)
{
    int32_t d = lossi_own_vector(optimizer, DIRECTION);
    lossi_move_trial(optimizer, state->share, d);
    lossi_prox(optimizer, lossi_pair_x(optimizer->machine.trial), 0.0); /* rounding */
    lossi_request_gradient(optimizer, d);
}

/* From the iterate: the point aimed at, and the whole way as the first trial. */
static void search(loss_optimizer *optimizer, spectral *state)
{
    const lossi_machine *m = &optimizer->machine;
    int32_t x = lossi_pair_x(m->at), g = lossi_pair_gradient(m->at),
            d = lossi_own_vector(optimizer, DIRECTION);
    double before = lossi_rough_value(optimizer, x);
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {g, g}, .out = {d}, .scalar = {-state->lambda, 0.0}});
    lossi_prox_way(optimizer, x, d,
                   state->lambda); /* no difference, which would have few digits near a minimum */
    lossi_move_trial(optimizer, 1.0, d);
    lossi_prox(optimizer, lossi_pair_x(m->trial), 0.0); /* rounding */
    double after = lossi_rough_value(optimizer, lossi_pair_x(m->trial));
    state->slope = lossi_dot(optimizer, g, d) + (after - before);
    state->share = 1.0;
    state->trials = state->finite_trials = 0;
    state->promise = isfinite(state->slope) ? -0.5 * state->slope : INFINITY;
    if (state->slope < 0.0 && isfinite(state->slope) && -state->slope >= DBL_MIN) {
        try(optimizer, state);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

/* λ from the step between the iterates. */
static double next_lambda(const loss_optimizer *optimizer, const spectral *state)
{
    const lossi_machine *m = &optimizer->machine;
    int32_t d = lossi_own_vector(optimizer, DIRECTION);
    double ss = state->share * state->share * lossi_dot(optimizer, d, d);
    double sy = state->share * (lossi_dot(optimizer, d, lossi_pair_gradient(m->at)) -
                                lossi_dot(optimizer, d, lossi_pair_gradient(m->trial)));
    double size = lossi_norm(optimizer, lossi_pair_x(m->at));
    double norm = lossi_norm(optimizer, lossi_pair_gradient(m->at));
    double reach = (size > 0.0 ? size : 1.0) / norm, lambda = ss / sy;
    if (!(sy > 0.0) || !isfinite(lambda)) { /* no curvature upwards: ten times further at most */
        return fmin(fmax(fmax(size, 1.0) / norm, state->lambda), 10.0 * state->lambda);
    }
    return fmin(fmax(lambda, step_min * reach), step_max * reach);
}

static void arrive(loss_optimizer *optimizer, spectral *state)
{
    if (lossi_accept(optimizer)) {
        return;
    }
    state->lambda = next_lambda(optimizer, state);
    state->values[state->accepted++ % state->history] = optimizer->machine.value;
    search(optimizer, state);
}

static double largest_value(const spectral *state)
{
    double largest = state->values[0];
    for (int64_t i = 1; i < state->history && i < state->accepted; i++) {
        largest = fmax(largest, state->values[i]);
    }
    return largest;
}

static void shorten(loss_optimizer *optimizer, spectral *state)
{
    const lossi_machine *m = &optimizer->machine;
    double factor = shortest;
    if (isfinite(m->told_value)) {
        double said = state->share * state->slope, rise = m->told_value - m->value - said;
        factor = fmin(fmax(-0.5 * said / rise, shortest), longest);
        state->finite_trials += isfinite(m->told_norm);
        if (m->rough == 0 && isfinite(m->told_slope)) {
            lossi_trial begin = {0.0, m->value, state->slope};
            lossi_trial trial = {state->share, m->told_value, m->told_slope};
            state->contradictions += lossi_contradicts(optimizer, &begin, &trial,
                                                       lossi_own_vector(optimizer, DIRECTION));
        }
    }
    state->share *= factor;
    if (++state->trials < MOST_TRIALS && state->share > 0.0) {
        try(optimizer, state);
    } else if (state->finite_trials == 0) {
        optimizer->machine.search_end = LOSSI_END_NONFINITE;
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else {
        optimizer->machine.search_end = LOSSI_END_EXHAUSTED;
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

static void advance(loss_optimizer *optimizer)
{
    spectral *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->values[state->accepted++] = m->value;
            state->phase = STEPPING;
            state->lambda = lossi_descent_first_step(optimizer);
            search(optimizer, state);
        }
        return;
    }
    double largest = largest_value(state), wanted = largest + enough * state->share * state->slope;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm) ||
        !(m->told_value <= wanted + units * lossi_epsilon(optimizer) * fabs(largest))) {
        shorten(optimizer, state);
        return;
    }
    int32_t down = m->told_value <= wanted && m->told_value < largest;
    m->search_end = down ? LOSSI_END_ARMIJO : LOSSI_END_SETTLED;
    state->stalls = down || lossi_gradient_shrinks(optimizer) ? 0 : state->stalls + 1;
    state->contradictions = down ? 0 : state->contradictions;
    if (state->stalls < lossi_patience(optimizer)) {
        arrive(optimizer, state);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

const lossi_optimizer_row lossi_optimizer_spectral_projected_gradient = {
    .name = "spectral_projected_gradient",
    .family = "gradient descent",
    .summary = "Barzilai and Borwein's steps kept in sets by projection, or made with other penalties by "
               "their proximal map",
    .reference = "Birgin, Martínez & Raydan, SIAM Journal on Optimization 10 (2000) 1196–1211",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(spectral),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM,
    .layout = layout,
    .start = start,
    .advance = advance,
};
