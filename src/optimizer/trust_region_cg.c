/*
 * Newton's method in a trust region with steps by conjugate gradients on Hessian products: they follow the path of CG
 * until the model is solved well enough, the path leaves the region, or curvature is negative; in the last two cases
 * the step goes on to the boundary.
 *
 * Lengths are measured in the norm ‖p‖² = pᵀMp of the preconditioner M⁻¹, in which the path moves ever farther from
 * the start. M itself is not needed: the products pᵀMp, pᵀMd and dᵀMd have recurrences (Conn, Gould & Toint,
 * Trust-Region Methods, 2000, §7.5.1).
 *
 * Steihaug, SIAM J. Numer. Anal. 20 (1983) 626–637; Toint, in Sparse Matrices and Their Uses (1981) 57–88. When to
 * stop: truncation.h.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/truncation.h"
#include "optimizer/trust.h"

enum { CG_ITERATIONS_OPTION = LOSSI_TRUST_OPTIONS, FORCING_OPTION, PRECONDITIONER_OPTION };
enum { STARTING, PRECONDITIONING, SOLVING, TRYING };
enum { STEP, RESIDUAL, CONJUGATE, PRODUCT, PRECONDITIONED, VECTORS };
enum { UNUSABLE = 2 }; /* iterates in a row whose first product is not finite, before the run ends */

typedef struct trust_region_cg {
    lossi_trust trust;
    double unit;           /* s: 1, but for derivatives and steps whose products would overflow or vanish */
    double rz;             /* rᵀM⁻¹r of the inner iteration */
    double pp, pd, dd;     /* pᵀMp, pᵀMd, dᵀMd */
    double slope, model;   /* pᵀ∇f, Q */
    double along;          /* dᵀ∇²f d */
    double squares, start; /* ‖r‖², and at the start */
    double curvature;      /* the largest dᵀ∇²f d/dᵀMd met: the scale of the Hessian */
    double forcing;        /* η */
    int64_t inner, most_inner, unusable;
    int32_t phase, preconditioned; /* whether M⁻¹ is asked for, in the step being found */
} trust_region_cg;

static const loss_option options[] = {
    LOSSI_TRUST_OPTION_ROWS,
    {"cg_iterations", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL,
     "Hessian products for one step at most; 0: 2n + 10"},
    {"forcing", LOSS_OPTION_DOUBLE, 0, 1, 0.5, NULL, NULL,
     "how roughly a step may be solved for; it falls with the root of the gradient norm, and in long runs"},
    {"preconditioner", LOSS_OPTION_STRING, 0, 0, 0, "none", "none|user",
     "of the conjugate gradients: user asks for it"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    (void)optimizer;
    layout->vectors = VECTORS;
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    trust_region_cg *state = optimizer->state;
    int64_t n = optimizer->dimension, most = lossi_own_int(optimizer, CG_ITERATIONS_OPTION);
    state->phase = STARTING;
    state->unusable = 0;
    state->most_inner = most > 0 ? most : n > INT64_MAX / 4 ? n : 2 * n + 10;
    lossi_request_gradient(optimizer, -1);
}

static lossi_pass_result combine(const loss_optimizer *optimizer, int32_t out, double s, int32_t a, double t,
                                 int32_t b)
{
    return lossi_run(optimizer, optimizer->kernels->combine,
                     &(lossi_operands){.in = {a, b}, .out = {out}, .scalar = {s, t}});
}

/* ---- steps ---- */

/* What has been found is the step: without its unit. */
static void found(loss_optimizer *optimizer, trust_region_cg *state, int32_t boundary)
{
    int32_t p = lossi_own_vector(optimizer, STEP);
    lossi_trust_step step = {state->slope / state->unit, -state->model / state->unit / state->unit,
                             sqrt(state->pp) / state->unit, boundary};
    if (state->unit != 1.0) {
        combine(optimizer, p, 1.0 / state->unit, p, 0.0, p);
    }
    state->phase = TRYING;
    lossi_trust_try(optimizer, &state->trust, step);
}

/* p += α d, r −= α ∇²f d, and what follows from it. */
static void move(loss_optimizer *optimizer, trust_region_cg *state, double alpha)
{
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->conjugate,
        &(lossi_operands){.in = {lossi_own_vector(optimizer, CONJUGATE), lossi_own_vector(optimizer, PRODUCT),
                                 lossi_pair_gradient(optimizer->machine.at)},
                          .out = {lossi_own_vector(optimizer, STEP), lossi_own_vector(optimizer, RESIDUAL)},
                          .scalar = {alpha}});
    state->squares = result.sum[0];
    state->slope = result.sum[2];
    /* dᵀr = rᵀM⁻¹r; by recurrence Q falls whatever errors the products have, from pᵀ(s∇f − r)/2 it need not */
    state->model += alpha * (0.5 * alpha * state->along - state->rz);
    state->pp += alpha * (2.0 * state->pd + alpha * state->dd);
    state->pd += alpha * state->dd;
}

/* τ ≥ 0 with ‖p + τd‖ = Δ, without cancellation. */
static double to_boundary(const trust_region_cg *state)
{
    double radius = state->trust.radius * state->unit, missing = radius * radius - state->pp;
    double root = sqrt(state->pd * state->pd + state->dd * fmax(missing, 0.0));
    return state->pd > 0.0 ? missing / (state->pd + root) : (root - state->pd) / state->dd;
}

/* d = z + βd, and its product is asked for. */
static void turn(loss_optimizer *optimizer, trust_region_cg *state, double beta)
{
    int32_t z = lossi_own_vector(optimizer, state->preconditioned ? PRECONDITIONED : RESIDUAL);
    int32_t d = lossi_own_vector(optimizer, CONJUGATE);
    combine(optimizer, d, 1.0, z, beta, beta == 0.0 ? z : d);
    state->pd *= beta;
    state->dd = state->rz + beta * beta * state->dd;
    state->phase = SOLVING;
    lossi_request_product(optimizer, d, lossi_own_vector(optimizer, PRODUCT));
}

/* M⁻¹r is there: the first one, or the next. */
static void residual(loss_optimizer *optimizer, trust_region_cg *state, double rz)
{
    double before = state->rz;
    state->rz = rz;
    if (state->inner > 0) {
        turn(optimizer, state, rz / before);
        return;
    }
    if (state->trust.radius == 0.0) { /* M has the units of ∇²f: ‖M⁻¹∇f‖ is the length of a Newton step */
        lossi_trust_set(&state->trust,
                        state->preconditioned ? sqrt(rz) / state->unit : lossi_trust_guess(optimizer));
    }
    state->pp = state->pd = state->dd = 0.0;
    turn(optimizer, state, 0.0);
}

static void precondition(loss_optimizer *optimizer, trust_region_cg *state)
{
    if (!state->preconditioned) {
        residual(optimizer, state, state->squares);
        return;
    }
    state->phase = PRECONDITIONING;
    lossi_request_precondition(optimizer, lossi_own_vector(optimizer, RESIDUAL),
                               lossi_own_vector(optimizer, PRECONDITIONED));
}

/* What is not positive there is no preconditioner: the step is that found so far, or one without it. */
static void preconditioned(loss_optimizer *optimizer, trust_region_cg *state)
{
    const lossi_machine *m = &optimizer->machine;
    if (m->told_slope > 0.0 && isfinite(m->told_slope) && isfinite(m->told_norm)) {
        residual(optimizer, state, m->told_slope);
    } else if (state->inner > 0) {
        found(optimizer, state, 0);
    } else {
        optimizer->machine.restarts++;
        state->preconditioned = 0;
        residual(optimizer, state, state->squares);
    }
}

/*
 * With ∇f of size G and steps of size X, ‖d‖² is s²G², ‖p‖² is s²X², and dᵀ∇²f d is s²G³/X: what is largest and what is smallest of
 * them lie apart by (X/G)³, or its inverse. Where G or X is beyond this size, s is the power of two that has them equally far from 1:
 * no digit changes.
 */
static const double ordinary = 0x1p100;

static int exponent_of(double size)
{
    int exponent = 0;
    if (isfinite(size)) {
        frexp(size, &exponent);
    }
    return exponent;
}

static int32_t is_ordinary(double size)
{
    return size == 0.0 || (size < ordinary && size > 1.0 / ordinary);
}

static double choose_unit(double norm, double radius)
{
    if (is_ordinary(norm) && is_ordinary(radius)) {
        return 1.0;
    }
    return ldexp(1.0, -(3 * exponent_of(norm) + exponent_of(radius)) / 4);
}

/* p = 0, r = −s∇f. */
static void solve(loss_optimizer *optimizer)
{
    trust_region_cg *state = optimizer->state;
    const lossi_machine *m = &optimizer->machine;
    int32_t gradient = lossi_pair_gradient(m->at);
    state->unit = choose_unit(m->gradient_norm,
                              state->trust.radius > 0.0 ? state->trust.radius : lossi_trust_guess(optimizer));
    combine(optimizer, lossi_own_vector(optimizer, STEP), 0.0, gradient, 0.0, gradient);
    state->squares = state->start = combine(optimizer, lossi_own_vector(optimizer, RESIDUAL), -state->unit,
                                            gradient, 0.0, gradient)
                                        .sum[1];
    state->slope = state->model = state->curvature = 0.0;
    state->inner = 0;
    /* relative to the start, so that it does not depend on the units of f */
    state->forcing = lossi_forcing(
        fmin(lossi_own_double(optimizer, FORCING_OPTION), sqrt(m->gradient_norm / m->start_norm)),
        m->iterations);
    state->preconditioned = lossi_own_int(optimizer, PRECONDITIONER_OPTION) != 0;
    precondition(optimizer, state);
}

/* ---- the inner iteration ---- */

/* A product that is not finite: the step so far, or along −∇f as if there were no curvature, but not time and again. */
static void do_without(loss_optimizer *optimizer, trust_region_cg *state)
{
    int32_t d = lossi_own_vector(optimizer, CONJUGATE);
    if (state->inner > 0) {
        found(optimizer, state, 0);
        return;
    }
    if (++state->unusable >= UNUSABLE) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        lossi_fail(optimizer->context, LOSS_ERROR_NONFINITE,
                   "%s was told Hessian products that are not finite, after %lld iterations",
                   optimizer->owner, (long long)optimizer->machine.iterations);
        return;
    }
    optimizer->machine.restarts++;
    state->along = 0.0;
    combine(optimizer, lossi_own_vector(optimizer, PRODUCT), 0.0, d, 0.0, d);
    move(optimizer, state, to_boundary(state));
    found(optimizer, state, 1);
}

/* One inner iteration with the product told. */
static void told_product(loss_optimizer *optimizer, trust_region_cg *state)
{
    const lossi_machine *m = &optimizer->machine;
    double along = m->told_slope, curvature = along / state->dd, before = state->model;
    double epsilon = lossi_epsilon(optimizer), radius = state->trust.radius * state->unit;
    if (!isfinite(m->told_norm) || !isfinite(along)) {
        do_without(optimizer, state);
        return;
    }
    state->unusable = state->inner > 0 ? state->unusable : 0;
    state->along = along;
    state->curvature = fmax(state->curvature, curvature);
    double alpha = state->rz / along;
    if (!(along > 0.0) || !(state->pp + alpha * (2.0 * state->pd + alpha * state->dd) < radius * radius)) {
        move(optimizer, state, to_boundary(state));
        found(optimizer, state, 1);
        return;
    }
    move(optimizer, state, alpha);
    const lossi_inner inner = {.forcing = state->forcing,
                               .before = before,
                               .model = state->model,
                               .squares = state->squares,
                               .start = state->start,
                               .count = ++state->inner};
    /* curvature within the rounding of the largest will do for this step, but not for another */
    if (curvature <= epsilon * state->curvature || state->inner >= state->most_inner ||
        lossi_inner_is_enough(&inner, epsilon)) {
        found(optimizer, state, 0);
        return;
    }
    precondition(optimizer, state);
}

static void advance(loss_optimizer *optimizer)
{
    trust_region_cg *state = optimizer->state;
    switch (state->phase) {
    case STARTING:
        if (!lossi_accept_start(optimizer)) {
            lossi_trust_start(optimizer, &state->trust, lossi_own_vector(optimizer, STEP));
            solve(optimizer);
        }
        return;
    case PRECONDITIONING:
        preconditioned(optimizer, state);
        return;
    case SOLVING:
        told_product(optimizer, state);
        return;
    default:
        lossi_trust_advance(optimizer, &state->trust, solve, solve);
    }
}

const lossi_optimizer_row lossi_optimizer_trust_region_cg = {
    .name = "trust_region_cg",
    .family = "Newton",
    .summary = "Newton's method in a trust region with steps by conjugate gradients on Hessian products",
    .reference = "Steihaug, SIAM Journal on Numerical Analysis 20 (1983) 626–637",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(trust_region_cg),
    .layout = layout,
    .start = start,
    .advance = advance,
};
