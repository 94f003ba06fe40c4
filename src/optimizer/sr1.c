/*
 * SR1 in a trust region: a symmetric matrix B that need not be positive definite learns the Hessian,
 *
 *     B⁺ = B + rrᵀ/rᵀs,   r = y − Bs,   unless |rᵀs| < 10⁻⁸‖r‖‖s‖
 *
 * also from steps that are not taken. A step solves Bs = −∇f within ‖s‖ ≤ Δ by conjugate gradients on B, which stop
 * at the boundary, at negative curvature, or when good enough.
 *
 * Conn, Gould & Toint, Math. Prog. 50 (1991) 177–195; Nocedal & Wright, Numerical Optimization (2006), algorithms 6.2
 * and 7.2; the inner iteration: Steihaug, SIAM J. Numer. Anal. 20 (1983) 626–637.
 *
 * The matrix and its vectors are doubles for either element type. A change of B waits for the next product.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/dense_update.h"
#include "optimizer/descent.h"

/* Constants of algorithm 6.2, but for those that say otherwise. */
static const double least_ratio = 1e-4; /* η: of the decrease to that of the model, for a step to be taken */
static const double poor = 0.1, good = 0.75; /* ratios below, above which Δ changes */
static const double near_boundary = 0.8;
static const double narrow = 0.5, widen = 2.0;
static const double retreat = 0.25; /* Δ after a step not taken, in lengths of it (algorithm 4.1) */
static const double back_off = 0.1; /* after a value that is not finite, as Hager–Zhang */
static const double skip = 1e-8;    /* r of the update, eq. 6.26 */
/* of f in a ratio (Conn, Gould & Toint, Trust-Region Methods (2000), §17.4.2), of B in a curvature */
static const double roundings = 10.0;
static const double forcing = 0.1; /* how roughly Bs = −∇f may be solved: a product is cheap beside f */
static const double exact = 1e4;   /* a step of so many roundings of x is what it was meant to be */
enum { MOST_REFUSED = 40 };        /* in a row: then Δ has shrunk by 4⁴⁰ */
enum { STARTING, STEPPING };

/* Places in `doubles`: the matrix, then vectors of whole strips, then the scratch of a pass. */
enum { STEP, RESIDUAL, CONJUGATE, PRODUCT, CHANGE, GRADIENT, VECTORS };

typedef struct sr1 {
    double unit;   /* a power of two: f and ∇f times it have ordinary size, so no product overflows */
    double radius; /* Δ */
    double length, model; /* ‖s‖, and the decrease of f the model has for it */
    double inverse;       /* 1/rᵀs of the change that waits, 0 for none */
    double steepest;      /* the largest curvature met: the scale of B */
    double promise;       /* as in lossi_no_step() */
    int64_t contradictions;
    int32_t scaled;             /* B has learnt its size */
    int32_t refused, nonfinite; /* steps in a row that were not taken; those of them without a finite value */
    int32_t fallen_back;        /* B has been given up since the last step taken */
    int32_t phase;
} sr1;

static double *place(const loss_optimizer *optimizer, int32_t vector)
{
    int64_t n = optimizer->dimension;
    return optimizer->doubles + lossi_dense_size(n) + vector * lossi_dense_rows(n);
}

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int64_t n = optimizer->dimension;
    if (lossi_dense_size(n) < 0) {
        return lossi_fail_memory(optimizer->context, "the matrix of an optimizer");
    }
    layout->vectors = 1;
    layout->doubles = lossi_dense_size(n) + VECTORS * lossi_dense_rows(n) + lossi_dense_scratch(n);
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    int64_t n = optimizer->dimension, rows = lossi_dense_rows(n);
    memset(place(optimizer, 0), 0, (size_t)(VECTORS * rows) * sizeof(double));
    ((sr1 *)optimizer->state)->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/* ---- the step ---- */

/* Bp, with the change that waits. */
static void multiply(loss_optimizer *optimizer, sr1 *state)
{
    const double *r = place(optimizer, CHANGE);
    lossi_rank_two change = {r, r, state->inverse, 0.0, 0.0};
    lossi_dense_pass pass = {optimizer->doubles, state->inverse != 0.0 ? &change : NULL,
                             place(optimizer, CONJUGATE)};
    lossi_dense_run(optimizer->context, &pass, optimizer->dimension, place(optimizer, PRODUCT),
                    place(optimizer, VECTORS));
    state->inverse = 0.0;
}

/* τ ≥ 0 with ‖s + τp‖ = Δ, from sᵀs, sᵀp and pᵀp; in lengths of p, so that no square overflows. */
static double to_boundary(double radius, double ss, double sp, double pp)
{
    double length = sqrt(pp), along = sp / length;
    double room = fmax(0.0, radius * radius - ss);
    double root = sqrt(along * along + room);
    return (along > 0.0 ? room / (along + root) : root - along) / length;
}

/* s += τp, r −= τBp. */
static void go(loss_optimizer *optimizer, double tau)
{
    double *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL);
    const double *p = place(optimizer, CONJUGATE), *product = place(optimizer, PRODUCT);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        s[i] += tau * p[i];
        r[i] -= tau * product[i];
    }
}

/* s = 0, r = p = −∇f; gives ‖∇f‖². */
static double prepare(loss_optimizer *optimizer, const sr1 *state)
{
    double *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL);
    double *p = place(optimizer, CONJUGATE), *g = place(optimizer, GRADIENT);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        g[i] = state->unit * lossi_element(optimizer, lossi_pair_gradient(optimizer->machine.at), i);
        s[i] = 0.0;
        r[i] = p[i] = -g[i];
    }
    return lossi_dense_dot(optimizer->dimension, g, g);
}

/* The inner iteration: s, with r = −∇f − Bs. */
static void solve(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    double *p = place(optimizer, CONJUGATE), *product = place(optimizer, PRODUCT);
    double *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL);
    double squares = prepare(optimizer, state), start = squares;
    double enough = fmin(forcing, sqrt(m->gradient_norm / m->start_norm));
    for (int64_t j = 0; j < 2 * n + 10; j++) {
        multiply(optimizer, state);
        double pp = lossi_dense_dot(n, p, p), curvature = lossi_dense_dot(n, p, product) / pp;
        double ss = lossi_dense_dot(n, s, s), sp = lossi_dense_dot(n, s, p);
        double boundary = to_boundary(state->radius, ss, sp, pp), alpha = squares / pp / curvature;
        state->steepest = fmax(state->steepest, fabs(curvature));
        double noise = roundings * DBL_EPSILON * state->steepest;
        if (fabs(curvature) <= noise) { /* of the rounding of B: φ is a line that way */
            memset(product, 0, (size_t)n * sizeof *product);
        }
        if (!(curvature > noise) || !(alpha < boundary)) {
            go(optimizer, boundary);
            break;
        }
        go(optimizer, alpha);
        double before = squares;
        squares = lossi_dense_dot(n, r, r);
        if (squares <= enough * enough * start) {
            break;
        }
        for (int64_t i = 0; i < n; i++) {
            p[i] = r[i] + squares / before * p[i];
        }
    }
    const double *g = place(optimizer, GRADIENT);
    state->length = sqrt(lossi_dense_dot(n, s, s));
    state->model = 0.5 * (lossi_dense_dot(n, r, s) - lossi_dense_dot(n, g, s)) / state->unit;
}

static void step(loss_optimizer *optimizer, sr1 *state)
{
    const double *s = place(optimizer, STEP);
    int32_t d = lossi_own_vector(optimizer, 0);
    solve(optimizer, state);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        lossi_set_element(optimizer, d, i, s[i]);
    }
    lossi_move_trial(optimizer, 1.0, d);
    lossi_request_gradient(optimizer, d);
}

/* ---- the matrix ---- */

/* B such that the first step is along −∇f, and Δ its length. */
static void begin_matrix(loss_optimizer *optimizer, sr1 *state)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    double squares = lossi_dot(optimizer, gradient, gradient);
    double length = lossi_descent_cautious_step(optimizer, -squares);
    state->steepest = state->unit / length;
    lossi_dense_set_diagonal(optimizer->doubles, optimizer->dimension, state->steepest);
    state->radius = length * sqrt(squares);
    state->inverse = 0.0;
    state->scaled = 0;
}

/* Gives B its size, yᵀy/sᵀy, by the first step that has curvature; −∇f − Bs follows. */
static void scale(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    double *r = place(optimizer, RESIDUAL), *y = place(optimizer, PRODUCT);
    const double *s = place(optimizer, STEP), *g = place(optimizer, GRADIENT);
    for (int64_t i = 0; i < n; i++) {
        y[i] = state->unit * lossi_element(optimizer, lossi_pair_gradient(m->trial), i) - g[i];
    }
    double size = lossi_dense_dot(n, y, y) / lossi_dense_dot(n, s, y);
    if (!isfinite(size) || !(size > 0.0)) {
        return;
    }
    state->steepest = size;
    lossi_dense_set_diagonal(optimizer->doubles, n, size);
    for (int64_t i = 0; i < n; i++) {
        r[i] = -g[i] - size * s[i];
    }
    state->scaled = 1;
}

/* s as x⁺ has it, with its Bs, where the rounding of x is not small beside it. */
static void take_step(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    if (state->length > exact * lossi_epsilon(optimizer) * lossi_norm(optimizer, lossi_pair_x(m->at))) {
        return;
    }
    double *s = place(optimizer, STEP), *difference = place(optimizer, CONJUGATE);
    for (int64_t i = 0; i < n; i++) {
        double taken = lossi_element(optimizer, lossi_pair_x(m->trial), i) -
                       lossi_element(optimizer, lossi_pair_x(m->at), i);
        difference[i] = taken - s[i];
    }
    multiply(optimizer, state);
    go(optimizer, 1.0);
    state->length = sqrt(lossi_dense_dot(n, s, s));
}

/* r of the update is ∇f⁺ − (∇f + Bs): what the model said wrong about the gradient there. */
static void learn(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    take_step(optimizer, state);
    if (!state->scaled) {
        scale(optimizer, state);
    }
    double *change = place(optimizer, CHANGE);
    const double *residual = place(optimizer, RESIDUAL), *s = place(optimizer, STEP);
    for (int64_t i = 0; i < n; i++) {
        change[i] = state->unit * lossi_element(optimizer, lossi_pair_gradient(m->trial), i) + residual[i];
    }
    double along = lossi_dense_dot(n, change, s), squares = lossi_dense_dot(n, change, change);
    if (fabs(along) > skip * sqrt(squares) * state->length && isfinite(1.0 / along)) {
        state->inverse = 1.0 / along;
    }
}

/* ---- the iteration ---- */

static void begin(loss_optimizer *optimizer, sr1 *state)
{
    double squares = optimizer->machine.told_slope; /* of ∇f with itself */
    if (lossi_accept_start(optimizer)) {
        return;
    }
    int exponent = 0;
    frexp(optimizer->machine.gradient_norm, &exponent);
    state->unit = ldexp(1.0, -exponent);
    state->phase = STEPPING;
    if (isfinite(squares) && squares >= DBL_MIN) {
        begin_matrix(optimizer, state);
        step(optimizer, state);
    } else { /* out of the range of a double */
        lossi_no_step(optimizer, 0, INFINITY, 0.0);
    }
}

/* The step is not taken: a shorter one, then one along −∇f without what B has learnt, then the end. */
static void refuse(loss_optimizer *optimizer, sr1 *state, double radius)
{
    double size = lossi_norm(optimizer, lossi_pair_x(optimizer->machine.at));
    int32_t moves = radius > lossi_epsilon(optimizer) * size && radius > 0.0;
    state->radius = radius;
    if (++state->refused < MOST_REFUSED && moves) {
        step(optimizer, state);
    } else if (!state->fallen_back) {
        state->fallen_back = 1;
        state->refused = state->nonfinite = 0;
        optimizer->machine.restarts++;
        begin_matrix(optimizer, state);
        step(optimizer, state);
    } else if (state->nonfinite == state->refused) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise, 0.0);
    }
}

static void examine(const loss_optimizer *optimizer, sr1 *state, double slope)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_trial before = {0.0, m->value, slope}, trial = {1.0, m->told_value, m->told_slope};
    state->promise = fmax(state->promise, lossi_promise(&before, &trial));
    state->contradictions += lossi_contradicts(optimizer, &before, &trial, lossi_own_vector(optimizer, 0));
}

static void judge(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    double slope = lossi_dot(optimizer, lossi_own_vector(optimizer, 0), lossi_pair_gradient(m->at));
    /* after values that contradict the gradient, rounding is no excuse for one more */
    double rounding = state->contradictions > 0
                          ? 0.0
                          : roundings * lossi_epsilon(optimizer) * fmax(fabs(m->value), fabs(m->told_value));
    double ratio = (m->value - m->told_value + rounding) / (state->model + rounding);
    learn(optimizer, state);
    if (!(ratio > least_ratio)) {
        examine(optimizer, state, slope);
        refuse(optimizer, state, retreat * fmin(state->length, state->radius));
        return;
    }
    if (ratio < poor) {
        state->radius = narrow * fmin(state->length, state->radius);
    } else if (ratio > good && state->length > near_boundary * state->radius) {
        state->radius *= widen;
    }
    state->refused = state->nonfinite = state->fallen_back = 0;
    state->contradictions = 0;
    state->promise = 0.0;
    if (!lossi_accept(optimizer)) {
        step(optimizer, state);
    }
}

static void advance(loss_optimizer *optimizer)
{
    sr1 *state = optimizer->state;
    const lossi_machine *m = &optimizer->machine;
    if (state->phase == STARTING) {
        begin(optimizer, state);
    } else if (isfinite(m->told_value) && isfinite(m->told_norm)) {
        judge(optimizer, state);
    } else {
        state->nonfinite++;
        refuse(optimizer, state, back_off * state->length);
    }
}

const lossi_optimizer_row lossi_optimizer_sr1 = {
    .name = "sr1",
    .family = "quasi-Newton",
    .summary =
        "symmetric rank one in a trust region: learns negative curvature too, with a matrix of n²/2 numbers",
    .reference = "Conn, Gould & Toint, Mathematical Programming 50 (1991) 177–195",
    .state_size = sizeof(sr1),
    .layout = layout,
    .start = start,
    .advance = advance,
};
