/*
 * OWL-QN: limited-memory BFGS for f(x) + Σ c_j |x_j|. Within an orthant |x| is linear, so each step stays in the one that
 * the pseudo-gradient points into, and what would cross over becomes 0.
 *
 *     ◇_j = g_j ± c_j where x_j ≠ 0;   at 0: g_j + c_j if negative, g_j − c_j if positive, else 0
 *     d = −H◇, without what disagrees with −◇;   x⁺ = π(x + αd)
 *
 * Andrew & Gao, ICML 2007, algorithm 1. H is of f alone: its pairs are differences of ∇f.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/limited_memory.h"
#include "optimizer/composite.h"
#include "optimizer/descent.h"

enum { MEMORY_OPTION };
enum { STARTING, SEARCHING };
enum { DIRECTION, PSEUDO_GRADIENT, ORTHANT, VECTORS };

static const double enough = 1e-4; /* γ of Armijo's condition (Andrew & Gao 2007, §3.2) */
static const double shortest = 0.1,
                    longest = 0.5;  /* of the last trial, by the parabola; their halving is the longest */
static const double further = 10.0; /* than the last step, while no curvature was met */
static const double units = 16.0;   /* roundings of F that do not count as a rise */
enum { MOST_TRIALS = 60 };          /* each at most halves the step, and there are 53 bits */

typedef struct owlqn {
    lossi_limited_memory memory;
    double step, slope, promise; /* of the trial; ◇ᵀd; the decrease that was promised at the first trial */
    double moved;                /* ◇ᵀ(x⁺ − x) of the trial */
    double taken;                /* the last step along −◇ */
    int64_t contradictions;
    int32_t phase, trials, finite_trials, stalls;
} owlqn;

static const loss_option options[] = {
    [MEMORY_OPTION] = {"memory", LOSS_OPTION_INT, 1, LOSSI_LARGEST_MEMORY, 10, NULL, NULL,
                       "how many pairs (s, y) are remembered"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->pairs = (int32_t)lossi_own_int(optimizer, MEMORY_OPTION) + 2;
    layout->vectors = VECTORS;
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    owlqn *state = optimizer->state;
    state->phase = STARTING;
    lossi_memory_start(optimizer, &state->memory);
    lossi_request_gradient(optimizer, -1);
}

/* ---- a direction ---- */

/* The derivative of F along the way down, and the orthant it leads into: the sign of x, or of the way from 0. */
static void pseudo_gradient(const loss_optimizer *optimizer)
{
    int32_t weights = lossi_l1_weights(optimizer), x = lossi_pair_x(optimizer->machine.at);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        double c = weights >= 0 ? lossi_element(optimizer, weights, i) : 0.0;
        double g = lossi_element(optimizer, lossi_pair_gradient(optimizer->machine.at), i);
        double x_i = lossi_element(optimizer, x, i), sign = x_i > 0.0 ? 1.0 : x_i < 0.0 ? -1.0 : 0.0, pseudo;
        if (sign != 0.0) {
            pseudo = g + sign * c;
        } else {
            pseudo = g + c < 0.0 ? g + c : g - c > 0.0 ? g - c : 0.0;
            sign = pseudo < 0.0 ? 1.0 : pseudo > 0.0 ? -1.0 : 0.0;
        }
        lossi_set_element(optimizer, lossi_own_vector(optimizer, PSEUDO_GRADIENT), i, pseudo);
        lossi_set_element(optimizer, lossi_own_vector(optimizer, ORTHANT), i, c > 0.0 ? sign : NAN);
    }
}

/* What leads up the pseudo-gradient is left out. */
static void align(const loss_optimizer *optimizer)
{
    int32_t d = lossi_own_vector(optimizer, DIRECTION), pseudo = lossi_own_vector(optimizer, PSEUDO_GRADIENT);
    for (int64_t i = 0; lossi_l1_weights(optimizer) >= 0 && i < optimizer->dimension; i++) {
        if (lossi_element(optimizer, d, i) * lossi_element(optimizer, pseudo, i) >= 0.0) {
            lossi_set_element(optimizer, d, i, 0.0);
        }
    }
}

/* x⁺ = π(x + αd); moved = ◇ᵀ(x⁺ − x). A parameter without a factor of |x| has NaN for an orthant: it may go anywhere. */
static void try(loss_optimizer *optimizer, owlqn *state)
{
    lossi_machine *m = &optimizer->machine;
    int32_t d = lossi_own_vector(optimizer, DIRECTION), orthant = lossi_own_vector(optimizer, ORTHANT);
    lossi_move_trial(optimizer, state->step, d);
    for (int64_t i = 0; lossi_l1_weights(optimizer) >= 0 && i < optimizer->dimension; i++) {
        double sign = lossi_element(optimizer, orthant, i);
        if (sign == 0.0 || lossi_element(optimizer, lossi_pair_x(m->trial), i) * sign < 0.0) {
            lossi_set_element(optimizer, lossi_pair_x(m->trial), i, 0.0);
        }
    }
    int32_t pseudo = lossi_own_vector(optimizer, PSEUDO_GRADIENT);
    state->moved = lossi_dot(optimizer, lossi_pair_x(m->trial), pseudo) -
                   lossi_dot(optimizer, lossi_pair_x(m->at), pseudo);
    lossi_request_gradient(optimizer, d);
}

static void search(loss_optimizer *optimizer)
{
    owlqn *state = optimizer->state;
    int32_t d = lossi_own_vector(optimizer, DIRECTION), pseudo = lossi_own_vector(optimizer, PSEUDO_GRADIENT);
    state->slope = 0.0;
    state->step = 1.0;
    if (state->memory.count > 0) {
        lossi_memory_direction(optimizer, &state->memory, d, pseudo);
        align(optimizer);
        state->slope = lossi_dot(optimizer, d, pseudo);
        if (!(state->slope < 0.0) ||
            !isfinite(state->slope)) { /* rounding has spoilt it, or all was left out */
            lossi_memory_forget(&state->memory);
            optimizer->machine.restarts++;
        }
    }
    if (state->memory.count == 0) {
        state->slope = -lossi_run(
                            optimizer, optimizer->kernels->combine,
                            &(lossi_operands){.in = {pseudo, pseudo}, .out = {d}, .scalar = {-1.0, 0.0}})
                            .sum[1];
        state->step = state->memory.scale > 0.0 ? state->memory.scale
                      : state->taken > 0.0      ? further * state->taken
                      : lossi_descent_out_of_scale(optimizer, 1.0)
                          ? lossi_descent_scaled_step(optimizer, state->slope)
                          : 1.0 / sqrt(-state->slope); /* a step of length 1 */
    }
    state->trials = state->finite_trials = 0;
    state->promise = isfinite(state->slope) ? -0.5 * state->step * state->slope : INFINITY;
    lossi_memory_find_trial(optimizer, &state->memory);
    if (state->slope < 0.0 && isfinite(state->slope) && isfinite(state->step)) {
        try(optimizer, state);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

/* ---- a step ---- */

static void arrive(loss_optimizer *optimizer, owlqn *state)
{
    if (lossi_accept(optimizer)) {
        return;
    }
    state->taken = state->memory.count == 0 ? state->step : 0.0;
    lossi_memory_learn(optimizer, &state->memory);
    pseudo_gradient(optimizer);
    search(optimizer);
}

static void shorten(loss_optimizer *optimizer, owlqn *state)
{
    const lossi_machine *m = &optimizer->machine;
    double factor = shortest;
    if (isfinite(m->told_value)) {
        double rise = m->told_value - m->value - state->moved;
        lossi_trial begin = {0.0, m->value, state->slope};
        double linear = state->slope - lossi_dot(optimizer, lossi_own_vector(optimizer, DIRECTION),
                                                 lossi_pair_gradient(m->at));
        lossi_trial trial = {state->step, m->told_value, m->told_slope + linear}; /* within the orthant */
        factor = fmin(fmax(-0.5 * state->moved / rise, shortest), longest);
        state->finite_trials += isfinite(m->told_norm);
        state->contradictions += lossi_contradicts(optimizer, &begin, &trial,
                                                   lossi_own_vector(optimizer, DIRECTION));
    }
    state->step *= factor;
    if (++state->trials < MOST_TRIALS && state->step > 0.0) {
        try(optimizer, state);
    } else if (state->finite_trials == 0) {
        optimizer->machine.search_end = LOSSI_END_NONFINITE;
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else if (state->memory.count > 0) {
        lossi_memory_forget(&state->memory);
        optimizer->machine.restarts++;
        search(optimizer);
    } else {
        optimizer->machine.search_end = LOSSI_END_EXHAUSTED;
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

static void advance(loss_optimizer *optimizer)
{
    owlqn *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->phase = SEARCHING;
            pseudo_gradient(optimizer);
            search(optimizer);
        }
        return;
    }
    double wanted = m->value + enough * state->moved,
           rounding = units * lossi_epsilon(optimizer) * fabs(m->value);
    int32_t finite = isfinite(m->told_value) && isfinite(m->told_norm);
    if (!finite || !(m->told_value <= wanted + rounding)) {
        shorten(optimizer, state);
        return;
    }
    int32_t down = m->told_value <= wanted && m->told_value < m->value;
    m->search_end = down ? LOSSI_END_ARMIJO : LOSSI_END_SETTLED;
    state->stalls = down || lossi_gradient_shrinks(optimizer) ? 0 : state->stalls + 1;
    state->contradictions = down ? 0 : state->contradictions;
    if (state->stalls < lossi_patience(optimizer)) {
        arrive(optimizer, state);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

const lossi_optimizer_row lossi_optimizer_owlqn = {
    .name = "owlqn",
    .family = "quasi-Newton",
    .summary = "limited-memory BFGS with the sum of magnitudes (l1) as a penalty",
    .reference = "Andrew & Gao, International Conference on Machine Learning (2007) 33–40",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(owlqn),
    .handles = LOSSI_ROUGH_L1,
    .layout = layout,
    .start = start,
    .advance = advance,
};
