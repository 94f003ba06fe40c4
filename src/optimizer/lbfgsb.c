/*
 * L-BFGS-B: limited-memory BFGS inside bounds. Every iteration minimises a quadratic model over the parameters that a
 * step along the projected gradient leaves free, and searches along the line to that point.
 *
 * Byrd, Lu, Nocedal & Zhu, SIAM J. Sci. Comput. 16 (1995) 1190–1208; Zhu, Byrd, Lu & Nocedal, ACM TOMS 23 (1997)
 * 550–560 (algorithm 778); the projection of the subspace minimiser: Morales & Nocedal, ACM TOMS 38 (2011) 7.
 *
 * The search is Moré and Thuente's with the constants of algorithm 778. Near the rounding of f, where its decrease condition
 * compares noise, a trial that satisfies the approximate Wolfe conditions of Hager and Zhang is taken too: that is
 * what keeps L-BFGS-B from giving up on functions with a large minimum.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/bounded_model.h"
#include "optimizer/composite.h"
#include "optimizer/descent.h"

enum { MEMORY_OPTION };
enum { STARTING, SEARCHING };
enum { DIRECTION, POINT, WORK, VECTORS };

/* Of algorithm 778: ftol, gtol, xtol. */
static const double sufficient_decrease = 1e-3, curvature = 0.9, interval = 0.1;

/* Of Hager & Zhang (2006): σ and δ of the approximate conditions, ε and ω, see descent.c. */
static const double steep = 0.9, shallow = 0.1, error_estimate = 1e-6, switch_factor = 1e-3,
                    weight_decay = 0.7;

typedef struct lbfgsb {
    lossi_bounded_model model;
    lossi_more_thuente search;
    double slope, size, weight, promise; /* φ′(0); the running mean of |f|; what the slopes promise */
    double length;                       /* of the last step */
    double direction_length;
    int64_t contradictions;
    int32_t phase, approximate;
} lbfgsb;

static const loss_option options[] = {
    [MEMORY_OPTION] = {"memory", LOSS_OPTION_INT, 1, LOSSI_LARGEST_MEMORY, 10, NULL, NULL,
                       "how many pairs (s, y) are remembered"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int64_t memory = lossi_own_int(optimizer, MEMORY_OPTION);
    layout->pairs = (int32_t)memory + 3;
    layout->vectors = VECTORS;
    layout->doubles = lossi_bounded_doubles(optimizer->dimension, memory);
    layout->integers = lossi_bounded_integers(optimizer->dimension);
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    state->phase = STARTING;
    lossi_bounded_start(optimizer, &state->model, (int32_t)lossi_own_int(optimizer, MEMORY_OPTION));
    state->model.direction = lossi_own_vector(optimizer, DIRECTION);
    state->model.point = lossi_own_vector(optimizer, POINT);
    state->model.work = lossi_own_vector(optimizer, WORK);
    lossi_request_gradient(optimizer, -1);
}

/* ---- the search ---- */

static void try(loss_optimizer *optimizer, lbfgsb *state)
{
    int32_t trial;
    lossi_move_trial(optimizer, state->search.step, state->model.direction);
    trial = lossi_pair_x(optimizer->machine.trial);
    if (state->search.step == 1.0) {
        lossi_copy(optimizer, trial, state->model.point); /* exactly, bounds and all */
    }
    lossi_prox(optimizer, trial, 0.0);
    lossi_request_gradient(optimizer, state->model.direction);
}

static void fail(loss_optimizer *optimizer, const lbfgsb *state)
{
    if (state->search.trials == 0 && state->search.nonfinite > 0) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    lossi_no_step(optimizer, state->contradictions, state->promise, state->size);
}

static void iterate(loss_optimizer *optimizer);

/* The model or the search has failed: once more without memory, but no third time. */
static void refresh(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    if (state->model.memory.count == 0) {
        fail(optimizer, state);
        return;
    }
    lossi_bounded_forget(&state->model);
    optimizer->machine.restarts++;
    iterate(optimizer);
}

/* From the iterate: a direction, and the first trial along it. */
static void iterate(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    if (!lossi_bounded_minimize(optimizer, &state->model)) {
        refresh(optimizer);
        return;
    }
    int32_t d = state->model.direction;
    double length = sqrt(lossi_dot(optimizer, d, d)), longest = 1.0, first = 1.0;
    state->slope = lossi_dot(optimizer, d, lossi_pair_gradient(m->at));
    state->promise = isfinite(state->slope) ? 0.0 : INFINITY;
    if (m->iterations > 0 || !state->model.constrained) {
        longest = lossi_bounded_longest(optimizer, &state->model);
    }
    if (m->iterations == 0 && !state->model.boxed) {
        first = fmin(1.0 / length, longest);
    } else if (state->model.memory.count == 0 && m->iterations > 0) {
        first = state->length / length; /* nothing is known about the scale but this */
    }
    state->direction_length = length;
    const lossi_more_thuente_setup setup = {sufficient_decrease, curvature, interval, 0.0, longest, 0.0};
    if (!(longest > 0.0) || !isfinite(first) || !(first > 0.0) ||
        lossi_more_thuente_start(&state->search, m->value, state->slope, fmin(first, longest), &setup) !=
            LOSSI_SEARCH_TRY) {
        refresh(optimizer);
        return;
    }
    try(optimizer, state);
}

/* The approximate Wolfe conditions (Hager & Zhang 2005, eq. 1.5), where f is known no better than this. */
static int32_t good_enough(const loss_optimizer *optimizer, const lbfgsb *state)
{
    const lossi_machine *m = &optimizer->machine;
    return state->approximate && m->told_value <= m->value + error_estimate * state->size &&
           m->told_slope >= steep * state->slope && m->told_slope <= (2.0 * shallow - 1.0) * state->slope;
}

static void examine(const loss_optimizer *optimizer, lbfgsb *state)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_trial begin = {0.0, m->value, state->slope}, trial = {m->step, m->told_value, m->told_slope};
    if (isfinite(trial.value) && isfinite(trial.slope)) {
        state->promise = fmax(state->promise, -0.5 * trial.step * (begin.slope + fmin(trial.slope, 0.0)));
        state->contradictions += lossi_contradicts(optimizer, &begin, &trial, state->model.direction);
    }
}

static void arrive(loss_optimizer *optimizer, lbfgsb *state)
{
    lossi_machine *m = &optimizer->machine;
    state->weight = 1.0 + weight_decay * state->weight;
    state->size += (fabs(m->told_value) - state->size) / state->weight;
    state->approximate |= fabs(m->told_value - m->value) < switch_factor * state->size;
    state->contradictions = 0;
    state->length = m->step * state->direction_length;
    if (!lossi_accept(optimizer)) {
        lossi_bounded_learn(optimizer, &state->model);
        iterate(optimizer);
    }
}

static void advance(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->phase = SEARCHING;
            state->size = fabs(m->value);
            state->weight = 1.0;
            iterate(optimizer);
        }
        return;
    }
    examine(optimizer, state);
    if (good_enough(optimizer, state)) {
        m->search_end = LOSSI_END_APPROXIMATE_WOLFE;
        arrive(optimizer, state);
        return;
    }
    lossi_search_status status = lossi_more_thuente_tell(&state->search, m->told_value, m->told_slope);
    if (status == LOSSI_SEARCH_TRY) {
        try(optimizer, state);
    } else if (status == LOSSI_SEARCH_ACCEPTED ||
               (status == LOSSI_SEARCH_SETTLED && m->told_value < m->value)) { /* else it has not moved */
        m->search_end = status == LOSSI_SEARCH_ACCEPTED ? LOSSI_END_STRONG_WOLFE : LOSSI_END_SETTLED;
        arrive(optimizer, state);
    } else {
        m->search_end = LOSSI_END_EXHAUSTED;
        refresh(optimizer);
    }
}

const lossi_optimizer_row lossi_optimizer_lbfgsb = {
    .name = "lbfgsb",
    .family = "quasi-Newton",
    .summary = "limited-memory BFGS inside bounds",
    .reference = "Byrd, Lu, Nocedal & Zhu, SIAM Journal on Scientific Computing 16 (1995) 1190–1208",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lbfgsb),
    .handles = LOSSI_ROUGH_BOUNDS,
    .layout = layout,
    .start = start,
    .advance = advance,
};
