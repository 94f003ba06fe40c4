/*
 * Newton-CG: the direction solves ∇²f d = −∇f only as well as is worth it, by conjugate gradients on
 * products, with the caller's preconditioner M⁻¹ or without one.
 *
 * How well says truncation.h. Negative curvature along p stops the inner iteration too, after a last step along p: it
 * descends, however long, and is as long as if p curved as much upwards, but where it hardly curves at all.
 *
 * Dembo & Steihaug, Math. Prog. 26 (1983) 190–212.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/descent.h"
#include "optimizer/truncation.h"

enum { CG_ITERATIONS_OPTION = LOSSI_SEARCH_OPTIONS, FORCING_OPTION, PRECONDITIONER_OPTION };
enum { STARTING, PRECONDITIONING, SOLVING, SEARCHING };
enum { DIRECTION, RESIDUAL, CONJUGATE, PRODUCT, PRECONDITIONED, VECTORS };

typedef struct newton_cg {
    lossi_descent descent;
    double slope;                /* dᵀ∇f */
    double unit;                 /* s: 1, but for derivatives whose products would overflow */
    double residual, squares;    /* rᵀM⁻¹r, ‖p‖² of the inner iteration */
    double start_squares, model; /* ‖s∇f‖², Q */
    double first_norm;           /* √(∇fᵀM⁻¹∇f) of the first iterate */
    double curvature;            /* the largest pᵀ∇²f p/‖p‖² met: the scale of the Hessian */
    double forcing;              /* η */
    int64_t inner, most_inner;
    int32_t phase, preconditioned; /* whether M⁻¹ is asked for, in the direction being found */
} newton_cg;

/*
 * Where p hardly curves, its curvature is taken for this share of the largest one met: the line search would have to come
 * back from too far. On 46 classic problems 0.1 to 0.001 need the same evaluations within 1 %, and 1 needs 5 % more: every
 * last step along p is then too short.
 */
static const double least_bend = 0.01;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"cg_iterations", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL,
     "Hessian products for one direction at most; 0: 2n + 10"},
    {"forcing", LOSS_OPTION_DOUBLE, 0, 1, 0.5, NULL, NULL,
     "how roughly a direction may be solved for; it falls with the eighth root of the gradient norm, and in "
     "long runs"},
    {"preconditioner", LOSS_OPTION_STRING, 0, 0, 0, "none", "none|user",
     "of the conjugate gradients: user asks for it"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->vectors = VECTORS;
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    newton_cg *state = optimizer->state;
    int64_t n = optimizer->dimension, most = lossi_own_int(optimizer, CG_ITERATIONS_OPTION);
    state->phase = STARTING;
    state->first_norm = 0.0;
    state->most_inner = most > 0 ? most : n > INT64_MAX / 4 ? n : 2 * n + 10;
    lossi_request_gradient(optimizer, -1);
}

static lossi_pass_result combine(const loss_optimizer *optimizer, int32_t out, double s, int32_t a, double t,
                                 int32_t b)
{
    return lossi_run(optimizer, optimizer->kernels->combine,
                     &(lossi_operands){.in = {a, b}, .out = {out}, .scalar = {s, t}});
}

static void search(loss_optimizer *optimizer, newton_cg *state, double first)
{
    state->phase = SEARCHING;
    lossi_descent_search(optimizer, &state->descent, state->slope, first);
}

/* Along −∇f, first by `step`, if that is a number. */
static void descend(loss_optimizer *optimizer, double step)
{
    newton_cg *state = optimizer->state;
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    state->slope =
        combine(optimizer, lossi_own_vector(optimizer, DIRECTION), -1.0, gradient, 0.0, gradient).sum[0];
    search(optimizer, state, isfinite(step) && step > 0.0 ? step : lossi_descent_first_step(optimizer));
}

static void search_steepest(loss_optimizer *optimizer)
{
    descend(optimizer, NAN);
}

/*
 * pᵀ∇²f p grows as the third power of the units of f. Beyond this size of ∇f the system is solved for −s∇f
 * with a power of two s that takes it to 1, and the first step along d is 1/s: no digit changes.
 */
static const double ordinary = 0x1p100;

static double choose_unit(double norm)
{
    int exponent = 0;
    if (norm == 0.0 || (norm < ordinary && norm > 1.0 / ordinary)) {
        return 1.0;
    }
    frexp(norm, &exponent);
    return ldexp(1.0, -exponent);
}

/* p = z + βp with z = M⁻¹r, and its product is asked for. */
static void turn(loss_optimizer *optimizer, newton_cg *state, double beta)
{
    int32_t z = lossi_own_vector(optimizer, state->preconditioned ? PRECONDITIONED : RESIDUAL);
    int32_t p = lossi_own_vector(optimizer, CONJUGATE);
    state->squares = combine(optimizer, p, 1.0, z, beta, beta == 0.0 ? z : p).sum[1];
    state->phase = SOLVING;
    lossi_request_product(optimizer, p, lossi_own_vector(optimizer, PRODUCT));
}

/* The first M⁻¹r, or the next, has this rᵀM⁻¹r. */
static void go_on(loss_optimizer *optimizer, newton_cg *state, double residual)
{
    const lossi_machine *m = &optimizer->machine;
    double beta = residual / state->residual, norm = sqrt(residual) / state->unit;
    state->residual = residual;
    if (state->inner > 0) {
        turn(optimizer, state, beta);
        return;
    }
    if (state->preconditioned && !(state->first_norm > 0.0)) {
        state->first_norm = norm;
    }
    /* relative to the start, so that it does not depend on the units of f */
    double shrunk = state->preconditioned ? norm / state->first_norm : m->gradient_norm / m->start_norm;
    state->forcing = lossi_forcing(
        fmin(lossi_own_double(optimizer, FORCING_OPTION), sqrt(sqrt(sqrt(shrunk)))), m->iterations);
    turn(optimizer, state, 0.0);
}

static void precondition(loss_optimizer *optimizer, newton_cg *state, double residual)
{
    if (!state->preconditioned) {
        go_on(optimizer, state, residual);
        return;
    }
    state->phase = PRECONDITIONING;
    lossi_request_precondition(optimizer, lossi_own_vector(optimizer, RESIDUAL),
                               lossi_own_vector(optimizer, PRECONDITIONED));
}

/* d = 0, r = −s∇f. */
static void solve(loss_optimizer *optimizer)
{
    newton_cg *state = optimizer->state;
    const lossi_machine *m = &optimizer->machine;
    int32_t gradient = lossi_pair_gradient(m->at), r = lossi_own_vector(optimizer, RESIDUAL);
    state->unit = choose_unit(m->gradient_norm);
    combine(optimizer, lossi_own_vector(optimizer, DIRECTION), 0.0, gradient, 0.0, gradient);
    state->residual = state->start_squares =
        combine(optimizer, r, -state->unit, gradient, 0.0, gradient).sum[1];
    state->slope = state->model = state->curvature = 0.0;
    state->inner = 0;
    state->preconditioned = lossi_own_int(optimizer, PRECONDITIONER_OPTION) != 0;
    precondition(optimizer, state, state->residual);
}

/* d += step·p, r −= step·∇²f p. */
static lossi_pass_result move(const loss_optimizer *optimizer, double step)
{
    return lossi_run(
        optimizer, optimizer->kernels->conjugate,
        &(lossi_operands){
            .in = {lossi_own_vector(optimizer, CONJUGATE), lossi_own_vector(optimizer, PRODUCT),
                   lossi_pair_gradient(optimizer->machine.at)},
            .out = {lossi_own_vector(optimizer, DIRECTION), lossi_own_vector(optimizer, RESIDUAL)},
            .scalar = {step}});
}

/* One inner iteration with the product told. 1: the direction is good enough. */
static int32_t solved(loss_optimizer *optimizer, newton_cg *state)
{
    const lossi_machine *m = &optimizer->machine;
    double along = m->told_slope; /* pᵀ∇²f p */
    double curvature = along / state->squares;
    state->curvature = fmax(state->curvature, curvature);
    if (!isfinite(m->told_norm)) {
        return 1;
    }
    if (!(curvature > lossi_epsilon(optimizer) * state->curvature)) {
        double step = state->residual / fmax(fabs(along), least_bend * state->squares * state->curvature);
        if (state->inner > 0 && isfinite(step)) {
            state->slope = move(optimizer, step).sum[2];
        }
        return 1;
    }
    lossi_pass_result result = move(optimizer, state->residual / along);
    const lossi_inner inner = {.forcing = state->forcing,
                               .before = state->model,
                               .model = 0.5 * (state->unit * result.sum[2] - result.sum[1]),
                               .squares = result.sum[0],
                               .start = state->start_squares,
                               .count = ++state->inner};
    state->slope = result.sum[2];
    state->model = inner.model;
    if (!(state->model < 0.0) || state->inner >= state->most_inner ||
        lossi_inner_is_enough(&inner, lossi_epsilon(optimizer))) {
        return 1;
    }
    precondition(optimizer, state, result.sum[0]);
    return 0;
}

static void found_direction(loss_optimizer *optimizer, newton_cg *state)
{
    if (state->inner > 0 && state->slope < 0.0) {
        search(optimizer, state, 1.0 / state->unit);
    } else { /* −∇f curves downwards: as far as the minimum were if it curved as much upwards */
        descend(optimizer, state->inner > 0 ? NAN : state->residual / fabs(optimizer->machine.told_slope));
    }
}

/* What is not positive there is no preconditioner: the direction is that found so far, or one without it. */
static void take_preconditioned(loss_optimizer *optimizer, newton_cg *state)
{
    const lossi_machine *m = &optimizer->machine;
    if (m->told_slope > 0.0 && isfinite(m->told_slope) && isfinite(m->told_norm)) {
        go_on(optimizer, state, m->told_slope);
    } else if (state->inner > 0) {
        found_direction(optimizer, state);
    } else {
        optimizer->machine.restarts++;
        state->preconditioned = 0;
        go_on(optimizer, state, state->residual);
    }
}

static void advance(loss_optimizer *optimizer)
{
    newton_cg *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, DIRECTION));
            solve(optimizer);
        }
    } else if (state->phase == PRECONDITIONING) {
        take_preconditioned(optimizer, state);
    } else if (state->phase == SOLVING) {
        if (solved(optimizer, state)) {
            found_direction(optimizer, state);
        }
    } else {
        lossi_descent_advance(optimizer, &state->descent, solve, search_steepest);
    }
}

const lossi_optimizer_row lossi_optimizer_newton_cg = {
    .name = "newton_cg",
    .family = "Newton",
    .summary = "truncated Newton: directions by conjugate gradients on Hessian products",
    .reference = "Dembo & Steihaug, Mathematical Programming 26 (1983) 190–212",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(newton_cg),
    .layout = layout,
    .start = start,
    .advance = advance,
};
