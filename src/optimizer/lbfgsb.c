/*
 * L-BFGS-B: limited-memory BFGS inside bounds. Every iteration minimises a quadratic model over the parameters that a
 * step along the projected gradient leaves free, and searches along the line to that point.
 *
 * Byrd, Lu, Nocedal & Zhu, SIAM J. Sci. Comput. 16 (1995) 1190–1208; Zhu, Byrd, Lu & Nocedal, ACM TOMS 23 (1997)
 * 550–560 (algorithm 778); the projection of the subspace minimiser: Morales & Nocedal, ACM TOMS 38 (2011) 7.
 *
 * The search is Moré and Thuente's with the constants of algorithm 778. Where f changes by a thousandth of itself or less,
 * its decrease condition begins to compare noise: there the search is Hager and Zhang's, whose approximate conditions are
 * about slopes. That keeps L-BFGS-B from giving up on functions with a large minimum.
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

/* Of Hager & Zhang (2006): ε and ω, the growth of ε after a failed search, Δ of the running mean, see descent.c. */
static const double error_estimate = 1e-6, switch_factor = 1e-3, error_growth = 10.0, weight_decay = 0.7;

typedef struct lbfgsb {
    lossi_bounded_model model;
    lossi_more_thuente search;
    lossi_hager_zhang flat;          /* where f hardly changes */
    double slope, promise;           /* φ′(0); the decrease the slopes of the trials speak of */
    double length, direction_length; /* of the last step, of d */
    double longest, error_factor;    /* step; of ε */
    double size, weight;             /* the running mean of |f|, which scales ε */
    int64_t contradictions;
    int32_t phase;
    int32_t approximate; /* the search is the flat one */
    int32_t stopped;     /* the trial is at the longest step */
    int32_t blind;       /* the last search had no finite trial */
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
    double step = state->approximate ? state->flat.step : state->search.step;
    state->stopped = step >= state->longest;
    step = fmin(step, state->longest);
    lossi_move_trial(optimizer, step, state->model.direction);
    int32_t trial = lossi_pair_x(optimizer->machine.trial);
    if (step == 1.0) {
        lossi_copy(optimizer, trial, state->model.point); /* exactly, bounds and all */
    }
    lossi_prox(optimizer, trial, 0.0);
    lossi_request_gradient(optimizer, state->model.direction);
}

static void fail(loss_optimizer *optimizer, const lbfgsb *state)
{
    if (state->blind) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    lossi_no_step(optimizer, state->contradictions, state->promise);
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
    state->error_factor *= error_growth;
    optimizer->machine.restarts++;
    iterate(optimizer);
}

static double error_of(const loss_optimizer *optimizer, const lbfgsb *state)
{
    return error_estimate * state->error_factor * fmax(state->size, fabs(optimizer->machine.value));
}

static lossi_search_status begin_search(const loss_optimizer *optimizer, lbfgsb *state, double first)
{
    const lossi_machine *m = &optimizer->machine;
    const lossi_more_thuente_setup setup = {sufficient_decrease, curvature, interval, 0.0,
                                            state->longest,      0.0};
    if (!(state->longest > 0.0) || !isfinite(first) || !(first > 0.0)) {
        return LOSSI_SEARCH_NO_DESCENT;
    }
    return state->approximate
               ? lossi_hager_zhang_start(&state->flat, m->value, state->slope, first,
                                         error_of(optimizer, state), INFINITY, lossi_epsilon(optimizer))
               : lossi_more_thuente_start(&state->search, m->value, state->slope, first, &setup);
}

/*
 * Without memory the model is of f with the curvature 1, as in algorithm 778: its minimiser is x − ∇f, inside the bounds.
 * Where that is out of scale, the curvature is such that it is as far as x is large; gives that step along −∇f, 0 for none.
 */
static double begin_model(const loss_optimizer *optimizer, lbfgsb *state)
{
    const lossi_machine *m = &optimizer->machine;
    int32_t g = lossi_pair_gradient(m->at), fixed = m->iterations == 0 && !state->model.boxed;
    double scaled = 0.0;
    if ((state->model.constrained && lossi_descent_out_of_scale(optimizer, m->gradient_norm)) ||
        (fixed && lossi_descent_out_of_scale(optimizer, 1.0))) {
        scaled = lossi_descent_scaled_step(optimizer, -lossi_dot(optimizer, g, g));
    }
    state->model.theta = scaled > 0.0 && isfinite(1.0 / scaled) ? 1.0 / scaled : 1.0;
    return scaled;
}

/* From the iterate: a direction, and the first trial along it. */
static void iterate(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    double scaled = state->model.memory.count == 0 ? begin_model(optimizer, state) : 0.0;
    if (!lossi_bounded_minimize(optimizer, &state->model)) {
        refresh(optimizer);
        return;
    }
    int32_t d = state->model.direction;
    double length = sqrt(lossi_dot(optimizer, d, d)), first = 1.0;
    state->slope = lossi_dot(optimizer, d, lossi_pair_gradient(m->at));
    state->promise = isfinite(state->slope) ? 0.0 : INFINITY;
    state->direction_length = length;
    state->longest = m->iterations > 0 || !state->model.constrained
                         ? lossi_bounded_longest(optimizer, &state->model)
                         : 1.0;
    if (m->iterations == 0 && !state->model.boxed) {
        first = scaled == 0.0 ? 1.0 / length : state->model.constrained ? 1.0 : scaled;
    } else if (state->model.memory.count == 0 && m->iterations > 0) {
        first = state->length / length; /* nothing is known about the scale but this */
    }
    if (begin_search(optimizer, state, fmin(first, state->longest)) == LOSSI_SEARCH_TRY) {
        try(optimizer, state);
    } else {
        refresh(optimizer);
    }
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

static int32_t end_of(const lbfgsb *state, lossi_search_status status)
{
    switch (status) {
    case LOSSI_SEARCH_ACCEPTED:
        return state->approximate ? LOSSI_END_APPROXIMATE_WOLFE : LOSSI_END_STRONG_WOLFE;
    case LOSSI_SEARCH_SETTLED:
        return LOSSI_END_SETTLED;
    case LOSSI_SEARCH_NONFINITE:
        return LOSSI_END_NONFINITE;
    case LOSSI_SEARCH_PRECISION:
        return LOSSI_END_PRECISION;
    default:
        return LOSSI_END_EXHAUSTED;
    }
}

static void arrive(loss_optimizer *optimizer, lbfgsb *state)
{
    lossi_machine *m = &optimizer->machine;
    state->approximate = fabs(m->told_value - m->value) < switch_factor * fabs(m->told_value);
    state->weight = 1.0 + weight_decay * state->weight;
    state->size += (fabs(m->told_value) - state->size) / state->weight;
    state->contradictions = 0;
    state->error_factor = 1.0;
    state->length = m->step * state->direction_length;
    if (!lossi_accept(optimizer)) {
        lossi_bounded_learn(optimizer, &state->model);
        iterate(optimizer);
    }
}

/* How the flat search ends at the longest step: what it would go beyond is good enough when f has not risen. */
static lossi_search_status at_the_wall(const loss_optimizer *optimizer, const lbfgsb *state)
{
    const lossi_machine *m = &optimizer->machine;
    return m->told_value <= m->value + error_of(optimizer, state) && m->told_slope <= 0.0
               ? LOSSI_SEARCH_SETTLED
               : LOSSI_SEARCH_TRY;
}

static void advance(loss_optimizer *optimizer)
{
    lbfgsb *state = optimizer->state;
    lossi_machine *m = &optimizer->machine;
    lossi_search_status status = LOSSI_SEARCH_TRY;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->phase = SEARCHING;
            state->error_factor = state->weight = 1.0;
            state->size = fabs(m->value);
            iterate(optimizer);
        }
        return;
    }
    examine(optimizer, state);
    if (state->approximate) {
        status = state->stopped ? at_the_wall(optimizer, state) : LOSSI_SEARCH_TRY;
        if (status == LOSSI_SEARCH_TRY) {
            status = lossi_hager_zhang_tell(&state->flat, m->told_value, m->told_slope);
        }
    } else {
        status = lossi_more_thuente_tell(&state->search, m->told_value, m->told_slope);
        if (status == LOSSI_SEARCH_SETTLED && !(m->told_value < m->value)) {
            status = LOSSI_SEARCH_PRECISION; /* it has not moved */
        }
    }
    if (status == LOSSI_SEARCH_TRY) {
        try(optimizer, state);
        return;
    }
    m->search_end = end_of(state, status);
    state->blind = status == LOSSI_SEARCH_NONFINITE;
    if (status == LOSSI_SEARCH_ACCEPTED || status == LOSSI_SEARCH_SETTLED) {
        arrive(optimizer, state);
    } else {
        state->approximate = 1; /* noise may have been why */
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
