/*
 * L-BFGS: the direction −H∇f, where H is the inverse Hessian that the last m pairs (s, y) build from γI.
 *
 *     s = x⁺ − x,  y = ∇f⁺ − ∇f,  ρ = 1/sᵀy,  γ = sᵀy/yᵀy of the newest pair
 *
 * Nocedal, Math. Comp. 35 (1980) 773–782, the two-loop recursion; Liu & Nocedal, Math. Prog. 45 (1989)
 * 503–528.
 *
 * Each step of the recursion is one pass: it updates the vector and takes the product the next step needs.
 * Memory: the old iterate turns into its own pair (s, y) in place, and the trial point lives where the oldest
 * pair was, whose turn is over once the direction is known: 2m + 5 vectors.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/descent.h"

enum { MEMORY_OPTION = LOSSI_SEARCH_OPTIONS };
enum { LARGEST_MEMORY = 100 };
enum { STARTING, SEARCHING };

typedef struct lbfgs {
    lossi_descent descent;
    double rho[LARGEST_MEMORY], alpha[LARGEST_MEMORY];
    double scale;                 /* γ, 0 while there is none */
    int32_t kept[LARGEST_MEMORY]; /* pairs (s, y), oldest first */
    int32_t unused[LARGEST_MEMORY];
    int32_t kept_count, unused_count, phase;
} lbfgs;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"memory", LOSS_OPTION_INT, 1, LARGEST_MEMORY, 10, NULL, NULL, "how many pairs (s, y) are remembered"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->pairs = (int32_t)lossi_own_int(optimizer, MEMORY_OPTION) + 2;
    layout->vectors = 1;
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    state->phase = STARTING;
    for (int32_t pair = optimizer->pairs - 1; pair >= 3; pair--) {
        state->unused[state->unused_count++] = pair;
    }
    lossi_request_gradient(optimizer, -1);
}

/* The old iterate, in the trial pair, becomes the newest (s, y), unless its curvature is lost in rounding. */
static void learn(loss_optimizer *optimizer, lbfgs *state)
{
    lossi_machine *m = &optimizer->machine;
    int32_t old = m->trial, pair = old;
    if (m->best == old) { /* it has to stay as it is; then the spare pair is free */
        pair = m->spare;
        m->spare = old;
    }
    m->trial = pair;
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->pair,
        (lossi_operands){.in = {lossi_pair_x(m->at), lossi_pair_x(old), lossi_pair_gradient(m->at),
                                lossi_pair_gradient(old)},
                         .out = {lossi_pair_x(pair), lossi_pair_gradient(pair)}});
    double sy = result.sum[0], yy = result.sum[1], ss = result.sum[2], scale = sy / yy;
    if (!(sy > lossi_epsilon(optimizer) * sqrt(ss) * sqrt(yy)) || !isfinite(1.0 / sy) || !isfinite(scale) ||
        scale == 0.0) {
        return; /* relative, so that it does not depend on the units of x and f */
    }
    state->scale = scale;
    state->rho[state->kept_count] = 1.0 / sy;
    state->kept[state->kept_count++] = pair;
    m->trial = -1;
}

/* A pair for the next trial when the last one was kept: an unused one, or the oldest. */
static void find_trial(loss_optimizer *optimizer, lbfgs *state)
{
    lossi_machine *m = &optimizer->machine;
    if (m->trial >= 0) {
        return;
    }
    if (state->unused_count > 0) {
        m->trial = state->unused[--state->unused_count];
        return;
    }
    m->trial = state->kept[0];
    state->kept_count--;
    for (int32_t i = 0; i < state->kept_count; i++) {
        state->kept[i] = state->kept[i + 1];
        state->rho[i] = state->rho[i + 1];
    }
}

static void forget(lbfgs *state)
{
    while (state->kept_count > 0) {
        state->unused[state->unused_count++] = state->kept[--state->kept_count];
    }
}

static double recur(const loss_optimizer *optimizer, int32_t from, double factor, int32_t vector,
                    double scale, int32_t with)
{
    int32_t d = lossi_own_vector(optimizer, 0);
    return lossi_run(optimizer, optimizer->kernels->recur,
                     (lossi_operands){.in = {from, vector, with}, .out = {d}, .scalar = {factor, scale}})
        .sum[0];
}

/* d = −H∇f; gives dᵀ∇f. */
static double two_loops(const loss_optimizer *optimizer, lbfgs *state)
{
    int32_t newest = state->kept_count - 1, gradient = lossi_pair_gradient(optimizer->machine.at);
    int32_t d = lossi_own_vector(optimizer, 0), from = gradient;
    double product = lossi_dot(optimizer, lossi_pair_x(state->kept[newest]), gradient);
    for (int32_t i = newest; i >= 0; i--, from = d) {
        int32_t y = lossi_pair_gradient(state->kept[i]);
        state->alpha[i] = state->rho[i] * product;
        product = recur(optimizer, from, -state->alpha[i], y, i > 0 ? 1.0 : state->scale,
                        i > 0 ? lossi_pair_x(state->kept[i - 1]) : y);
    }
    for (int32_t i = 0; i <= newest; i++) {
        double factor = state->alpha[i] - state->rho[i] * product;
        product = recur(optimizer, d, factor, lossi_pair_x(state->kept[i]), i < newest ? 1.0 : -1.0,
                        i < newest ? lossi_pair_gradient(state->kept[i + 1]) : gradient);
    }
    return product;
}

static void search(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    double slope = 0.0, first = 1.0;
    if (state->kept_count > 0) {
        slope = two_loops(optimizer, state);
        if (!(slope < 0.0) || !isfinite(slope)) { /* rounding has spoilt the memory */
            forget(state);
            optimizer->machine.restarts++;
        }
    }
    if (state->kept_count == 0) {
        slope = lossi_descent_steepest(optimizer, lossi_own_vector(optimizer, 0));
        first = state->scale > 0.0 ? state->scale : lossi_descent_cautious_step(optimizer, slope);
    }
    find_trial(optimizer, state);
    lossi_descent_search(optimizer, &state->descent, slope, first);
}

/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    learn(optimizer, optimizer->state);
    search(optimizer);
}

/* With an empty memory, along −∇f. */
static void restart(loss_optimizer *optimizer)
{
    forget(optimizer->state);
    search(optimizer);
}

static void advance(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->phase = SEARCHING;
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, 0));
            search(optimizer);
        }
    } else {
        lossi_descent_advance(optimizer, &state->descent, proceed, restart);
    }
}

const lossi_optimizer_row lossi_optimizer_lbfgs = {
    .name = "lbfgs",
    .family = "quasi-Newton",
    .summary = "limited-memory BFGS; the first choice for smooth functions",
    .reference = "Liu & Nocedal, Mathematical Programming 45 (1989) 503–528",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lbfgs),
    .layout = layout,
    .start = start,
    .advance = advance,
};
