/*
 * The accelerated gradient method: a gradient step from a point ahead of the last two.
 *
 *     z⁺ = prox(y − t∇f(y)),   θ⁺ = (1 + √(1 + 4θ²))/2,   y⁺ = z⁺ + (θ − 1)/θ⁺ · (z⁺ − z)
 *
 * Without penalties it is Nesterov's method, with them FISTA. t is halved until f(z⁺) is below the parabola that
 * 1/t says, and grows a little between. The memory of the way is given up when it leads up again.
 *
 * Nesterov, Soviet Math. Doklady 27 (1983) 372–376; Beck & Teboulle, SIAM J. Imaging Sci. 2 (2009) 183–202; the restart by the
 * gradient: O'Donoghue & Candès, Found. Comput. Math. 15 (2015) 715–732, §3.2.
 *
 * The points y are the iterates, since it is there that the gradient is known; f(z) costs a value more. Where z has zeros twice, y
 * has them too, and sets are kept by projecting y.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/composite.h"
#include "optimizer/descent.h"

enum { LEARNING_RATE_OPTION, RESTART_OPTION };
enum { BY_GRADIENT, BY_VALUE, NEVER };
enum { STARTING, STEPPING, LEAPING };
enum { STEP_END, STEP_BEGIN, TAKEN, ALONG, VECTORS }; /* z⁺ and z, which change places; z⁺ − y and z⁺ − z */

static const double shrink = 0.5,
                    grow = 1.0 / 0.9;      /* of t (the 0.9 is that of TFOCS: Becker, Candès & Grant 2011) */
static const double units = 16.0;          /* roundings of f that do not count */
static const double as_curved = 1.0 / 3.0; /* between the two */
enum { MOST_TRIALS = 200 };                /* of t: halved so often, the longest learning rate is 1e-30 */
enum { STREAK = 10 };                      /* iterations without a halving after which t is doubled */
enum { CONTRADICTIONS = 10 };              /* halvings in a row that only a wrong gradient explains */

typedef struct accelerated_gradient {
    double step, theta;    /* t; θ */
    double smooth;         /* f(y) without what has no derivative */
    double z_value, least; /* F(z⁺), and the least of them */
    double back, promise;  /* (y − z⁺)ᵀ(z⁺ − z); the decrease the slopes speak of */
    double excess;         /* f(z⁺) over the line along ∇f, at the last trial that was refused */
    int64_t contradictions;
    int32_t phase, trials, finite_trials, restart, newer;
    int32_t alone, stalls, streak; /* alone: the leap was to z⁺ itself */
    int32_t halved;                /* t has been too large once; until then it is doubled */
} accelerated_gradient;

static const loss_option options[] = {
    [LEARNING_RATE_OPTION] = {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL,
                              "the first step t; 0: from the size of x and the gradient"},
    [RESTART_OPTION] =
        {"restart", LOSS_OPTION_STRING, 0, 0, 0, "gradient", "gradient|value|never",
         "when the memory of the way is given up: it leads up the gradient; the value has risen"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    (void)optimizer;
    layout->vectors = VECTORS;
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    accelerated_gradient *state = optimizer->state;
    state->phase = STARTING;
    state->theta = 1.0;
    state->restart = (int32_t)lossi_own_int(optimizer, RESTART_OPTION);
    lossi_request_gradient(optimizer, -1);
}

static int32_t z_vector(const loss_optimizer *optimizer, const accelerated_gradient *state)
{
    return lossi_own_vector(optimizer, state->newer ? STEP_END : STEP_BEGIN);
}

static int32_t z_before(const loss_optimizer *optimizer, const accelerated_gradient *state)
{
    return lossi_own_vector(optimizer, state->newer ? STEP_BEGIN : STEP_END);
}

/* From the iterate y: z⁺ goes to the trial point, to be told its value. */
static void step(loss_optimizer *optimizer, accelerated_gradient *state)
{
    lossi_machine *m = &optimizer->machine;
    lossi_move_trial(optimizer, -state->step, lossi_pair_gradient(m->at));
    m->step = state->step;
    lossi_prox(optimizer, lossi_pair_x(m->trial), state->step);
    state->phase = STEPPING;
    lossi_request_value(optimizer);
}

static void begin(loss_optimizer *optimizer, accelerated_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    if (lossi_accept_start(optimizer)) {
        return;
    }
    double given = lossi_own_double(optimizer, LEARNING_RATE_OPTION);
    lossi_copy(optimizer, z_vector(optimizer, state), lossi_pair_x(m->at));
    state->step = given > 0.0 ? given : lossi_descent_first_step(optimizer);
    state->least = m->value;
    state->smooth = m->value - m->told_rough;
    step(optimizer, state);
}

/* ∇fᵀ(z⁺ − y) and ‖z⁺ − y‖²: how the parabola is measured. */
typedef struct way_made {
    double slope, squares;
} way_made;

static way_made measure(const loss_optimizer *optimizer, accelerated_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    int32_t z = lossi_pair_x(m->trial), taken = lossi_own_vector(optimizer, TAKEN);
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->pair,
        &(lossi_operands){.in = {z, lossi_pair_x(m->at), z, z_vector(optimizer, state)},
                          .out = {taken, lossi_own_vector(optimizer, ALONG)}});
    state->back = -result.sum[0];
    return (way_made){lossi_dot(optimizer, lossi_pair_gradient(m->at), taken), result.sum[2]};
}

static void give_up(loss_optimizer *optimizer, const accelerated_gradient *state)
{
    if (!isfinite(optimizer->machine.told_norm)) { /* the last gradient told: of z⁺, however near it came */
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    lossi_no_step(optimizer, state->contradictions >= CONTRADICTIONS ? state->contradictions : 0,
                  state->promise);
}

static void shorten(loss_optimizer *optimizer, accelerated_gradient *state)
{
    state->step *= shrink;
    state->streak = 0;
    state->halved = 1;
    if (++state->trials < MOST_TRIALS && state->step > 0.0) {
        step(optimizer, state);
    } else if (state->finite_trials == 0) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else {
        give_up(optimizer, state);
    }
}

/* y⁺ from the last two z, to be told value and gradient. */
static void leap(loss_optimizer *optimizer, accelerated_gradient *state)
{
    lossi_machine *m = &optimizer->machine;
    int32_t z = z_vector(optimizer, state), before = z_before(optimizer, state);
    if ((state->restart == BY_GRADIENT && state->back > 0.0) ||
        (state->restart == BY_VALUE && state->z_value > state->least)) {
        state->theta = 1.0;
        m->restarts++;
    }
    double theta = 0.5 * (1.0 + sqrt(1.0 + 4.0 * state->theta * state->theta));
    double beta = (state->theta - 1.0) / theta;
    state->theta = theta;
    state->alone = beta == 0.0;
    lossi_clear_trial(optimizer);
    lossi_run(
        optimizer, optimizer->kernels->combine,
        &(lossi_operands){.in = {z, before}, .out = {lossi_pair_x(m->trial)}, .scalar = {1.0 + beta, -beta}});
    lossi_prox(optimizer, lossi_pair_x(m->trial), 0.0);
    state->phase = LEAPING;
    lossi_request_gradient(optimizer, -1);
}

/* The value at z⁺ is there. */
static void judge(loss_optimizer *optimizer, accelerated_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value)) {
        shorten(optimizer, state);
        return;
    }
    way_made way = measure(optimizer, state);
    double change = (m->told_value - m->told_rough) - state->smooth;
    double rounding = units * lossi_epsilon(optimizer) * fmax(fabs(m->told_value), fabs(state->smooth));
    state->finite_trials++;
    state->promise = fmax(state->promise, 0.5 * way.squares / state->step);
    double parabola = way.slope + 0.5 * way.squares / state->step;
    if (!(change <= parabola + rounding)) {
        double noise = fmax(rounding, units * lossi_epsilon(optimizer) * m->largest_value);
        double excess = change - way.slope;
        /* curvature takes it down fourfold with every halving, whatever t was; a wrong gradient twofold */
        int32_t curved = state->trials > 0 && excess < as_curved * state->excess;
        state->contradictions += !curved && fabs(way.slope) > noise && excess > 0.5 * fabs(way.slope);
        state->contradictions = curved ? 0 : state->contradictions;
        state->excess = excess;
        shorten(optimizer, state);
        return;
    }
    state->promise = 0.5 * way.squares / state->step; /* of the step that is taken, not of longer ones */
    /* a fall as small as its rounding says no more than a rise */
    state->stalls = change <= parabola && state->promise > rounding ? 0 : state->stalls + 1;
    if (state->stalls == 0) {
        state->contradictions = 0;
    } else if (state->stalls >= lossi_patience(optimizer)) {
        give_up(optimizer, state);
        return;
    }
    state->newer = !state->newer;
    lossi_copy(optimizer, z_vector(optimizer, state), lossi_pair_x(m->trial));
    state->z_value = m->told_value;
    leap(optimizer, state);
}

static void arrive(loss_optimizer *optimizer, accelerated_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm)) {
        if (state->alone) { /* f is finite there, but the gradient is not: back to y */
            state->newer = !state->newer;
            state->finite_trials = 0;
            shorten(optimizer, state);
            return;
        }
        state->theta = 1.0; /* too far ahead: at z⁺ itself f is finite */
        leap(optimizer, state);
        return;
    }
    state->smooth = m->told_value - m->told_rough;
    state->least = fmin(state->least, state->z_value);
    state->stalls = lossi_gradient_shrinks(optimizer) ? 0 : state->stalls;
    if (lossi_accept(optimizer)) {
        return;
    }
    state->step *= ++state->streak > STREAK || !state->halved ? 1.0 / shrink : grow;
    state->trials = state->finite_trials = 0;
    state->promise = 0.0;
    step(optimizer, state);
}

static void advance(loss_optimizer *optimizer)
{
    accelerated_gradient *state = optimizer->state;
    if (state->phase == STARTING) {
        begin(optimizer, state);
    } else if (state->phase == STEPPING) {
        judge(optimizer, state);
    } else {
        arrive(optimizer, state);
    }
}

const lossi_optimizer_row lossi_optimizer_accelerated_gradient = {
    .name = "accelerated_gradient",
    .family = "gradient descent",
    .summary =
        "Nesterov's accelerated gradient with restarts; with penalties that have a proximal map it is FISTA",
    .reference = "Beck & Teboulle, SIAM Journal on Imaging Sciences 2 (2009) 183–202",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(accelerated_gradient),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM,
    .layout = layout,
    .start = start,
    .advance = advance,
};
