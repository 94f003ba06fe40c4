/*
 * Nonlinear conjugate gradients: d⁺ = −M∇f⁺ + βd, with β by one of the formulas of conjugate_formula.h, that of
 * Hager and Zhang unless told otherwise: with it d is a direction of descent for any line search. M is the
 * identity, or the caller's preconditioner.
 *
 * The first step of a line search comes from a value nearby (QuadStep; Hager & Zhang, ACM TOMS 32 (2006) 113–137, §5).
 * Directions begin anew every few n iterations, where one is hardly downhill, and, on demand, where successive
 * gradients are far from orthogonal (Powell, Math. Prog. 12 (1977) 241–254, eq. 19).
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/conjugate_formula.h"
#include "optimizer/descent.h"

static const double probe = 0.1;  /* ψ₁: where QuadStep looks, in last steps */
static const double longer = 2.0; /* ψ₂: the first step without QuadStep, in last steps */
static const double probe_change =
    1e-12;                             /* f has to change by more, relatively, for a parabola (QuadCutOff) */
static const double probe_units = 1e3; /* the same in roundings, for float32 */
/* dᵀ∇f ≤ −σ₃∇fᵀM∇f, for the formulas that do not see to it themselves (as SciPy's minimize_cg) */
static const double downhill = 0.01;

enum { FORMULA_OPTION = LOSSI_SEARCH_OPTIONS, RESTART_OPTION, POWELL_OPTION, PRECONDITIONER_OPTION };
enum { DIRECTION, PRECONDITIONED }; /* vectors: d, then M∇f of this iterate and the one before, in turn */
enum { STARTING, PRECONDITIONING, PROBING, SEARCHING };

typedef struct conjugate_gradient {
    lossi_descent descent;
    lossi_conjugate_products products; /* the last ones */
    double powell;                     /* ν of Powell's test, 0 for none */
    double last_step;                  /* 0 at the start */
    int64_t since_restart, restart_after;
    int32_t formula, preconditioned;
    int32_t newest;  /* which of the two vectors has M∇f of the iterate */
    int32_t refused; /* the preconditioner is no help there: that vector has ∇f */
    int32_t
        anew; /* it has been refused either here or at the iterate before: their products do not go together */
    double unit; /* a power of two that M is multiplied by, 0 before it is known */
    int32_t phase;
} conjugate_gradient;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"formula", LOSS_OPTION_STRING, 0, 0, 0, "hager_zhang", LOSSI_CONJUGATE_FORMULAS,
     "of β; all but the first want a flat end, 'curvature' 0.1"},
    /* CG_DESCENT 6: restart_fac */
    {"restart", LOSS_OPTION_INT, 0, 1e6, 6, NULL, NULL,
     "directions begin anew after so many times n iterations; 0: never"},
    {"powell", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
     "directions begin anew when |∇f⁺ᵀ∇f| is at least this times ‖∇f⁺‖² (Powell's is 0.2); 0: no such test"},
    {"preconditioner", LOSS_OPTION_STRING, 0, 0, 0, "none", "none|user",
     "user: LOSS_REQUEST_PRECONDITION is asked at every iterate, for a symmetric positive definite M"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->vectors = lossi_own_int(optimizer, PRECONDITIONER_OPTION) ? PRECONDITIONED + 2 : PRECONDITIONED;
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    int64_t multiple = lossi_own_int(optimizer, RESTART_OPTION), n = optimizer->dimension;
    state->restart_after = multiple == 0 || n > INT64_MAX / multiple ? INT64_MAX : multiple * n;
    state->formula = (int32_t)lossi_own_int(optimizer, FORMULA_OPTION);
    state->powell = lossi_own_double(optimizer, POWELL_OPTION);
    state->preconditioned = (int32_t)lossi_own_int(optimizer, PRECONDITIONER_OPTION);
    state->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/* M∇f of the iterate, or, with before = 1, of the one before it. */
static int32_t preconditioned(const loss_optimizer *optimizer, const conjugate_gradient *state,
                              int32_t before)
{
    const lossi_machine *m = &optimizer->machine;
    if (!state->preconditioned) {
        return lossi_pair_gradient(before ? m->trial : m->at);
    }
    return lossi_own_vector(optimizer, PRECONDITIONED + (before ? 1 - state->newest : state->newest));
}

/* d = −M∇f + βd. */
static void turn(const loss_optimizer *optimizer, conjugate_gradient *state, double beta)
{
    lossi_conjugate_products *p = &state->products;
    int32_t z = preconditioned(optimizer, state, 0), d = lossi_own_vector(optimizer, DIRECTION);
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->combine,
        &(lossi_operands){.in = {z, beta == 0.0 ? z : d}, .out = {d}, .scalar = {-1.0, beta}});
    if (state->preconditioned) { /* dᵀM⁻¹d by its parts: M⁻¹ is not at hand */
        p->slope = lossi_dot(optimizer, d, lossi_pair_gradient(optimizer->machine.at));
        p->squares = beta == 0.0 ? p->now : p->now - beta * (2.0 * p->slope_told - beta * p->squares);
    } else {
        p->slope = result.sum[0];
        p->squares = result.sum[1];
    }
    state->since_restart = beta == 0.0 ? 0 : state->since_restart + 1;
}

/* β for the step just made, 0 to begin anew. */
static double choose_beta(const loss_optimizer *optimizer, conjugate_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_conjugate_products *p = &state->products;
    lossi_pass_result y = lossi_run(
        optimizer, optimizer->kernels->turn,
        &(lossi_operands){.in = {lossi_pair_gradient(m->at), lossi_pair_gradient(m->trial),
                                 preconditioned(optimizer, state, 0), preconditioned(optimizer, state, 1)}});
    p->change = y.sum[0];
    p->bend = y.sum[1];
    p->before = p->now;
    p->now = y.sum[2];
    double beta = lossi_conjugate_beta(state->formula, p);
    int32_t far_from_orthogonal = state->powell > 0.0 && fabs(p->now - p->change) >= state->powell * p->now;
    if (!isfinite(beta) || state->since_restart + 1 >= state->restart_after || state->anew ||
        far_from_orthogonal) {
        return 0.0;
    }
    return beta;
}

static void search(loss_optimizer *optimizer, conjugate_gradient *state, double first)
{
    state->phase = SEARCHING;
    lossi_descent_search(optimizer, &state->descent, state->products.slope, first);
}

/* Along −M∇f: a step of 1 is the preconditioner's promise. */
static void search_anew(loss_optimizer *optimizer, conjugate_gradient *state)
{
    int32_t scaled = state->preconditioned && !state->refused;
    turn(optimizer, state, 0.0);
    search(optimizer, state, scaled ? 1.0 : lossi_descent_scaled_step(optimizer, state->products.slope));
}

/* ∇f takes the place of M∇f. */
static void refuse(const loss_optimizer *optimizer, conjugate_gradient *state)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    lossi_copy(optimizer, preconditioned(optimizer, state, 0), gradient);
    state->products.now = lossi_dot(optimizer, gradient, gradient);
    state->refused = 1;
}

/* After a direction without a step: along −∇f. */
static void restart(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    if (state->preconditioned) {
        refuse(optimizer, state);
    }
    search_anew(optimizer, state);
}

/* Whether d goes down as a method can rely on. */
static int32_t descends(const conjugate_gradient *state)
{
    const lossi_conjugate_products *p = &state->products;
    return state->formula == LOSSI_FORMULA_HAGER_ZHANG ? p->slope < 0.0 : p->slope <= -downhill * p->now;
}

/* The search from a new iterate: first a value near it, when f still changes enough to fit a parabola. */
static void turn_and_search(loss_optimizer *optimizer, conjugate_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    double least = fmax(probe_change, probe_units * lossi_epsilon(optimizer)) * fabs(m->value);
    double beta = choose_beta(optimizer, state);
    turn(optimizer, state, beta);
    if (!descends(state)) {
        optimizer->machine.restarts++;
        turn(optimizer, state, 0.0);
    }
    if (fabs(m->previous_value - m->value) <= least) {
        search(optimizer, state, longer * state->last_step);
        return;
    }
    state->phase = PROBING;
    lossi_move_trial(optimizer, probe * state->last_step, lossi_own_vector(optimizer, DIRECTION));
    lossi_request_value(optimizer);
}

static void precondition(loss_optimizer *optimizer, conjugate_gradient *state)
{
    state->phase = PRECONDITIONING;
    state->newest = 1 - state->newest;
    lossi_request_precondition(optimizer, lossi_pair_gradient(optimizer->machine.at),
                               preconditioned(optimizer, state, 0));
}

/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    state->last_step = optimizer->machine.step;
    state->products.slope_told = optimizer->machine.told_slope;
    if (state->preconditioned) {
        precondition(optimizer, state);
    } else {
        turn_and_search(optimizer, state);
    }
}

/*
 * M may have any scale, which is the same at all iterates: where a step of 1 would be out of all proportion, a power of
 * two brings it to that of −∇f. No digit changes, and where it is in proportion nothing does.
 */
static const double ordinary = 0x1p100;

static void scale_preconditioned(loss_optimizer *optimizer, conjugate_gradient *state)
{
    lossi_machine *m = &optimizer->machine;
    int32_t z = preconditioned(optimizer, state, 0), g = lossi_pair_gradient(m->at);
    if (state->unit == 0.0) {
        double step = lossi_descent_scaled_step(optimizer, -lossi_dot(optimizer, g, g));
        double ratio = m->told_norm / (step * m->gradient_norm);
        int exponent = 0;
        if (isfinite(ratio) && (ratio > ordinary || ratio < 1.0 / ordinary)) {
            frexp(ratio, &exponent);
        }
        state->unit = ldexp(1.0, -exponent);
    }
    if (state->unit != 1.0) {
        lossi_run(optimizer, optimizer->kernels->combine,
                  &(lossi_operands){.in = {z, z}, .out = {z}, .scalar = {state->unit, 0.0}});
        m->told_slope = lossi_dot(optimizer, g, z);
        m->told_norm *= state->unit;
    }
}

/* M∇f has been told; where it does not go down, ∇f takes its place. Two of those in a row are as conjugate as
 * without a preconditioner; from one to the other directions begin anew. */
static void take_preconditioned(loss_optimizer *optimizer, conjugate_gradient *state)
{
    const lossi_machine *m = &optimizer->machine;
    double before = state->products.now;
    int32_t without = state->refused;
    state->refused = 0;
    if (isfinite(m->told_norm) && m->told_slope > 0.0) {
        scale_preconditioned(optimizer, state);
    }
    state->products.now = m->told_slope;
    if (!(m->told_slope > 0.0) || !isfinite(m->told_slope) || !isfinite(m->told_norm)) {
        refuse(optimizer, state);
    }
    state->anew = without != state->refused;
    if (state->last_step > 0.0) {
        state->products.now = before;
        turn_and_search(optimizer, state);
    } else {
        search_anew(optimizer, state);
    }
}

/* The minimiser of the parabola through φ(0), φ′(0) and the value told, when there is one. */
static double parabola(const loss_optimizer *optimizer, const conjugate_gradient *state)
{
    double at = probe * state->last_step, fall = optimizer->machine.told_value - optimizer->machine.value;
    /* half the curvature times the step: the curvature alone would overflow */
    double bend = fall / at - state->products.slope;
    double step = at * (-0.5 * state->products.slope / bend);
    return fall <= 0.0 && bend > 0.0 && isfinite(step) && step > 0.0 ? step : longer * state->last_step;
}

static void begin(loss_optimizer *optimizer, conjugate_gradient *state)
{
    state->products.now = optimizer->machine.told_slope; /* of ∇f with itself */
    if (lossi_accept_start(optimizer)) {
        return;
    }
    lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, DIRECTION));
    lossi_line_search_by_slopes(&state->descent.search);
    if (state->formula != LOSSI_FORMULA_HAGER_ZHANG) { /* they count on it */
        lossi_line_search_flatten(&state->descent.search, optimizer);
    }
    if (state->preconditioned) {
        precondition(optimizer, state);
    } else {
        search_anew(optimizer, state);
    }
}

static void advance(loss_optimizer *optimizer)
{
    conjugate_gradient *state = optimizer->state;
    switch (state->phase) {
    case STARTING:
        begin(optimizer, state);
        return;
    case PRECONDITIONING:
        take_preconditioned(optimizer, state);
        return;
    case PROBING:
        search(optimizer, state, parabola(optimizer, state));
        return;
    default:
        lossi_descent_advance(optimizer, &state->descent, proceed, restart);
    }
}

const lossi_optimizer_row lossi_optimizer_conjugate_gradient = {
    .name = "conjugate_gradient",
    .family = "conjugate gradient",
    .summary =
        "nonlinear conjugate gradients of Hager and Zhang, and five older formulas; little memory, no matrix",
    .reference = "Hager & Zhang, SIAM Journal on Optimization 16 (2005) 170–192",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(conjugate_gradient),
    .layout = layout,
    .start = start,
    .advance = advance,
};
