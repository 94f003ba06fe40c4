/*
 * SR1 in a trust region: a symmetric matrix B that need not be positive definite learns the Hessian, and its inverse H
 * with it,
 *
 *     B⁺ = B + rrᵀ/rᵀs,   r = y − Bs,      H⁺ = H + wwᵀ/wᵀy,   w = s − Hy,
 *
 * unless |rᵀs| < 10⁻⁸‖r‖‖s‖, also from steps that are not taken. As det B⁺/det B = −wᵀy/rᵀs, and a change of rank one
 * moves the sign of one eigenvalue at most, the signs of the two say how many are negative.
 *
 * A step solves Bs = −∇f within ‖s‖ ≤ Δ. With all eigenvalues positive it is p = −H∇f, when that is inside. Else it comes
 * from a few conjugate gradients on B, which end at the boundary, at negative curvature, or when good enough; where
 * they have not, it is the best of the plane through p and the point they came to. So a step costs a bounded number of
 * products, however badly conditioned B is.
 *
 * Conn, Gould & Toint, Math. Prog. 50 (1991) 177–195; Nocedal & Wright, Numerical Optimization (2006), algorithms 6.2
 * and 7.2; the inner iteration: Steihaug, SIAM J. Numer. Anal. 20 (1983) 626–637; the plane: Byrd, Schnabel & Shultz,
 * Math. Prog. 40 (1988) 247–263.
 *
 * The matrices and their vectors are doubles for either element type. A change of one waits for its next product.
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/dense_update.h"
#include "optimizer/descent.h"
#include "optimizer/plane.h"
#include "optimizer/trust.h"

/* Constants of algorithm 6.2, but for those that say otherwise. */
static const double least_ratio = 1e-4; /* η: of the decrease to that of the model, for a step to be taken */
static const double poor = 0.1, good = 0.75; /* ratios below, above which Δ changes */
static const double near_boundary = 0.8;
static const double narrow = 0.5, widen = 2.0;
static const double retreat = 0.25;   /* Δ after a step not taken, in lengths of it (algorithm 4.1) */
static const double back_off = 0.1;   /* after a value that is not finite, as Hager–Zhang */
static const double skip = 1e-8;      /* r of the update, eq. 6.26; and w of that of H */
static const double most = 0.9;       /* θ where w is orthogonal to y */
static const double roundings = 10.0; /* of B in a curvature */
static const double forcing = 0.1;    /* how roughly Bs = −∇f may be solved */
static const double parallel = 1e-6;  /* a sine below which two directions make no plane */
static const double exact = 1e4;      /* a step of so many roundings of x is what it was meant to be */
enum { MOST_REFUSED = 40 };           /* in a row: then Δ has shrunk by 4⁴⁰ */
/* Of conjugate gradients: where p is the minimiser of the model, and where they look for negative curvature. Chosen by few runs
 * on CURLY, NONDQUAR, NONCVXU2 and GENHUMPS of CUTE, where more of them cost time and saved few evaluations or none. */
enum { CONVEX_PRODUCTS = 3, MOST_PRODUCTS = 8 };
enum { CONTRADICTIONS = 3 }; /* as lossi_no_step() counts them */
enum { STARTING, STEPPING };

/* Places in `doubles`: B, H, then vectors of whole strips, then the scratch of a pass. */
enum {
    STEP,
    RESIDUAL, /* −∇f − Bs */
    CONJUGATE,
    PRODUCT,
    CHANGE, /* r */
    GRADIENT,
    INVERSE_CHANGE, /* w */
    NEWTON,         /* H∇f at the iterate */
    TRIAL_NEWTON,   /* and at the trial */
    VECTORS
};

typedef struct sr1 {
    double unit;   /* a power of two: f and ∇f times it have ordinary size, so no product overflows */
    double radius; /* Δ */
    double length, model;            /* ‖s‖, and the decrease of f the model has for it */
    double waiting, inverse_waiting; /* 1/rᵀs and 1/wᵀy of the changes that wait, 0 for none */
    double steepest;                 /* the largest curvature met: the scale of B */
    double promise;                  /* as in lossi_no_step() */
    int64_t contradictions;
    lossi_trust_floor floor;
    int64_t negative;           /* eigenvalues of B; below 0 when rounding has spoilt the count */
    int32_t scaled;             /* B has learnt its size */
    int32_t lost;               /* H has overflown: it is not used until B begins anew */
    int32_t refused, nonfinite; /* steps in a row that were not taken; those of them without a finite value */
    int32_t fallen_back;        /* B has been given up since the last step taken */
    int32_t roused;             /* and once because its steps no longer moved x */
    int32_t phase;
} sr1;

static double *place(const loss_optimizer *optimizer, int32_t vector)
{
    int64_t n = optimizer->dimension;
    return optimizer->doubles + 2 * lossi_dense_size(n) + vector * lossi_dense_rows(n);
}

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int64_t n = optimizer->dimension;
    if (lossi_dense_size(n) < 0) {
        return lossi_fail_memory(optimizer->context, "the matrix of an optimizer");
    }
    layout->vectors = 1;
    layout->doubles = 2 * lossi_dense_size(n) + VECTORS * lossi_dense_rows(n) + lossi_dense_scratch(n);
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

/* The product of a matrix with CONJUGATE, after the change of it that waits. */
static void run(loss_optimizer *optimizer, double *matrix, int32_t change, double *waiting, int32_t product)
{
    const double *r = place(optimizer, change);
    lossi_rank_two rank_one = {r, r, *waiting, 0.0, 0.0};
    lossi_dense_pass pass = {matrix, *waiting != 0.0 ? &rank_one : NULL, place(optimizer, CONJUGATE)};
    lossi_dense_run(optimizer->context, &pass, optimizer->dimension, place(optimizer, product),
                    place(optimizer, VECTORS));
    *waiting = 0.0;
}

static void multiply(loss_optimizer *optimizer, sr1 *state)
{
    run(optimizer, optimizer->doubles, CHANGE, &state->waiting, PRODUCT);
}

static void multiply_inverse(loss_optimizer *optimizer, sr1 *state, int32_t product)
{
    double *inverse = optimizer->doubles + lossi_dense_size(optimizer->dimension);
    run(optimizer, inverse, INVERSE_CHANGE, &state->inverse_waiting, product);
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

/* p = −H∇f as the step: 1 when it solves the problem. */
static int32_t newton(loss_optimizer *optimizer, sr1 *state, double squares)
{
    int64_t n = optimizer->dimension;
    double *p = place(optimizer, CONJUGATE), *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL);
    const double *g = place(optimizer, GRADIENT), *newton = place(optimizer, NEWTON);
    if (state->lost || state->negative != 0 || !(sqrt(lossi_dense_dot(n, newton, newton)) <= state->radius)) {
        return 0;
    }
    for (int64_t i = 0; i < n; i++) {
        p[i] = -newton[i];
        s[i] = 0.0;
        r[i] = -g[i];
    }
    multiply(optimizer, state);
    go(optimizer, 1.0);
    return lossi_dense_dot(n, r, r) <= forcing * forcing * squares;
}

/* Conjugate gradients: 1 when they came to an end, 0 after so many products. */
static int32_t iterate(loss_optimizer *optimizer, sr1 *state, int64_t products, double start, double enough)
{
    int64_t n = optimizer->dimension;
    double *p = place(optimizer, CONJUGATE), *product = place(optimizer, PRODUCT);
    double *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL), squares = start;
    for (int64_t j = 0; j < products; j++) {
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
            return 1;
        }
        go(optimizer, alpha);
        double before = squares;
        squares = lossi_dense_dot(n, r, r);
        if (squares <= enough * enough * start) {
            return 1;
        }
        for (int64_t i = 0; i < n; i++) {
            p[i] = r[i] + squares / before * p[i];
        }
    }
    return 0;
}

/* The minimiser of the model in the plane of s and p = −H∇f. */
static void search_plane(loss_optimizer *optimizer, sr1 *state)
{
    int64_t n = optimizer->dimension;
    double *s = place(optimizer, STEP), *r = place(optimizer, RESIDUAL), *p = place(optimizer, CONJUGATE);
    double *product = place(optimizer, PRODUCT);
    const double *g = place(optimizer, GRADIENT), *newton = place(optimizer, NEWTON);
    for (int64_t i = 0; i < n; i++) {
        p[i] = -newton[i];
    }
    multiply(optimizer, state);
    double length = sqrt(lossi_dense_dot(n, s, s)), whole = sqrt(lossi_dense_dot(n, p, p));
    double along = lossi_dense_dot(n, s, p) / length / length;
    for (int64_t i = 0; i < n; i++) { /* what is orthogonal to s, and B times it; Bs = −∇f − r */
        p[i] -= along * s[i];
        product[i] += along * (g[i] + r[i]);
    }
    double rest = sqrt(lossi_dense_dot(n, p, p));
    if (!(rest > parallel * whole) || !isfinite(rest)) {
        return;
    }
    lossi_plane plane = {{lossi_dense_dot(n, g, s) / length, lossi_dense_dot(n, g, p) / rest},
                         {-(lossi_dense_dot(n, s, g) + lossi_dense_dot(n, s, r)) / length / length,
                          lossi_dense_dot(n, s, product) / length / rest,
                          lossi_dense_dot(n, p, product) / rest / rest},
                         state->radius};
    double z[2];
    lossi_plane_minimize(&plane, z);
    double of_s = z[0] / length, of_p = z[1] / rest;
    for (int64_t i = 0; i < n; i++) {
        r[i] = of_s * (r[i] + g[i]) - g[i] - of_p * product[i];
        s[i] = of_s * s[i] + of_p * p[i];
    }
}

static void solve(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    const double *g = place(optimizer, GRADIENT), *s = place(optimizer, STEP),
                 *r = place(optimizer, RESIDUAL);
    double squares = prepare(optimizer, state);
    double enough = fmin(forcing, sqrt(m->gradient_norm / m->start_norm));
    if (!newton(optimizer, state, squares)) {
        int64_t products = state->lost ? 2 * n + 10 : state->negative == 0 ? CONVEX_PRODUCTS : MOST_PRODUCTS;
        prepare(optimizer, state);
        if (!iterate(optimizer, state, products, squares, enough) && !state->lost) {
            search_plane(optimizer, state);
        }
    }
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
    optimizer->machine.step = state->length;
    lossi_request_gradient(optimizer, d);
}

/* ---- the matrix ---- */

/* B = steepest · I, with no change waiting, and what follows from it. */
static void set_matrices(loss_optimizer *optimizer, sr1 *state)
{
    int64_t n = optimizer->dimension;
    double *newton = place(optimizer, NEWTON);
    const double *g = place(optimizer, GRADIENT);
    lossi_dense_set_diagonal(optimizer->doubles, n, state->steepest);
    lossi_dense_set_diagonal(optimizer->doubles + lossi_dense_size(n), n, 1.0 / state->steepest);
    for (int64_t i = 0; i < n; i++) {
        newton[i] = g[i] / state->steepest;
    }
    state->waiting = state->inverse_waiting = 0.0;
    state->negative = state->lost = 0;
}

/* B such that the first step is along −∇f, and Δ its length. */
static void begin_matrix(loss_optimizer *optimizer, sr1 *state)
{
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    double squares = lossi_dot(optimizer, gradient, gradient);
    double length = lossi_descent_scaled_step(optimizer, -squares);
    state->steepest = state->unit / length;
    state->radius = length * sqrt(squares);
    state->scaled = 0;
    prepare(optimizer, state);
    set_matrices(optimizer, state);
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
    set_matrices(optimizer, state);
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

/* w = s − Hy, from H∇f and H∇f⁺. */
static void find_inverse_change(loss_optimizer *optimizer, sr1 *state)
{
    int64_t n = optimizer->dimension;
    double *trial = place(optimizer, CONJUGATE), *y = place(optimizer, PRODUCT);
    double *w = place(optimizer, INVERSE_CHANGE);
    const double *s = place(optimizer, STEP), *g = place(optimizer, GRADIENT);
    const double *before = place(optimizer, NEWTON), *after = place(optimizer, TRIAL_NEWTON);
    for (int64_t i = 0; i < n; i++) {
        trial[i] = state->unit * lossi_element(optimizer, lossi_pair_gradient(optimizer->machine.trial), i);
        y[i] = trial[i] - g[i];
    }
    multiply_inverse(optimizer, state, TRIAL_NEWTON);
    for (int64_t i = 0; i < n; i++) {
        w[i] = s[i] - (after[i] - before[i]);
    }
}

/*
 * The change of H that goes with θrrᵀ/rᵀs, and H∇f at both points after it. θ = 1, but where B⁺ would be singular but
 * for rounding, as after the first step, or where f is a line: then B learns nine tenths of what there is. Gives θ.
 */
static double change_inverse(loss_optimizer *optimizer, sr1 *state, double rs)
{
    int64_t n = optimizer->dimension;
    const double *w = place(optimizer, INVERSE_CHANGE), *trial = place(optimizer, CONJUGATE);
    double *newton = place(optimizer, NEWTON), *trial_newton = place(optimizer, TRIAL_NEWTON);
    const double *y = place(optimizer, PRODUCT);
    double along = lossi_dense_dot(n, w, y), squares = lossi_dense_dot(n, w, w), theta = 1.0;
    if (!(fabs(along) > skip * sqrt(squares) * sqrt(lossi_dense_dot(n, y, y)))) {
        theta = most;
        along -= (1.0 - most) * lossi_dense_dot(n, w, place(optimizer, CHANGE));
    }
    double scale = theta / along, here = scale * lossi_dense_dot(n, w, place(optimizer, GRADIENT));
    double there = scale * lossi_dense_dot(n, w, trial);
    if (state->lost || !isfinite(scale * squares) || !isfinite(here) || !isfinite(there)) {
        state->lost = 1;
        return 1.0;
    }
    if ((rs > 0.0) == (along > 0.0)) { /* det B changes its sign */
        state->negative += rs > 0.0 ? -1 : 1;
    }
    state->inverse_waiting = scale;
    for (int64_t i = 0; i < n; i++) {
        newton[i] += here * w[i];
        trial_newton[i] += there * w[i];
    }
    return theta;
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
    find_inverse_change(optimizer, state);
    double rs = lossi_dense_dot(n, change, s), rr = lossi_dense_dot(n, change, change);
    if (fabs(rs) > skip * sqrt(rr) * state->length && isfinite(1.0 / rs)) {
        state->waiting = change_inverse(optimizer, state, rs) / rs;
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
        lossi_no_step(optimizer, 0, INFINITY);
    }
}

/* Whether ∇f has squares: the first scale of B is made of them, and steps of anything else are not finite. */
static int32_t can_begin(const loss_optimizer *optimizer)
{
    const int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    const double squares = lossi_dot(optimizer, gradient, gradient);
    return squares >= DBL_MIN && isfinite(squares);
}

/* The step is not taken: a shorter one, then one along −∇f without what B has learnt, then the end. */
static void refuse(loss_optimizer *optimizer, sr1 *state, double radius)
{
    double size = lossi_norm(optimizer, lossi_pair_x(optimizer->machine.at));
    int32_t moves = radius > lossi_epsilon(optimizer) * size && radius > 0.0;
    state->radius = radius;
    if (++state->refused < MOST_REFUSED && moves) {
        step(optimizer, state);
    } else if (!state->fallen_back && can_begin(optimizer)) {
        state->fallen_back = 1;
        state->refused = state->nonfinite = 0;
        optimizer->machine.restarts++;
        begin_matrix(optimizer, state);
        step(optimizer, state);
    } else if (state->nonfinite == state->refused && can_begin(optimizer)) { /* else our own numbers */
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
    } else {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    }
}

static void examine(const loss_optimizer *optimizer, sr1 *state, double slope)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_trial before = {0.0, m->value, slope}, trial = {1.0, m->told_value, m->told_slope};
    state->promise = fmax(state->promise, lossi_promise(&before, &trial));
    state->contradictions += lossi_contradicts(optimizer, &before, &trial, lossi_own_vector(optimizer, 0));
}

/* From a new iterate, unless nothing more can be told apart there. */
static void go_on(loss_optimizer *optimizer, sr1 *state, double slope, double rounding)
{
    const lossi_trust_step taken = {slope, state->model, state->length,
                                    state->length > near_boundary * state->radius};
    if (state->contradictions >= CONTRADICTIONS) {
        lossi_no_step(optimizer, state->contradictions, state->promise);
    } else if (!lossi_trust_drowned(optimizer, &state->floor, &taken, rounding)) {
        step(optimizer, state);
    } else if (state->floor.unmoved > 0 && !state->roused &&
               can_begin(optimizer)) { /* B was learnt elsewhere, where f was steeper */
        state->roused = 1;
        state->floor = (lossi_trust_floor){0};
        optimizer->machine.standing = 0;
        optimizer->machine.restarts++;
        begin_matrix(optimizer, state);
        step(optimizer, state);
    } else {
        lossi_trust_end(optimizer, &state->floor, state->model, rounding);
    }
}

static void judge(loss_optimizer *optimizer, sr1 *state)
{
    const lossi_machine *m = &optimizer->machine;
    double slope = lossi_dot(optimizer, lossi_own_vector(optimizer, 0), lossi_pair_gradient(m->at));
    /* after values that contradict the gradient, rounding is no excuse for one more */
    double rounding = state->contradictions > 0 ? 0.0 : lossi_trust_rounding(optimizer);
    double ratio = (m->value - m->told_value + rounding) / (state->model + rounding);
    learn(optimizer, state);
    int32_t fell = ratio >= poor && state->model > rounding;
    if (!fell) {
        examine(optimizer, state, slope);
    }
    if (!(ratio > least_ratio)) {
        refuse(optimizer, state, retreat * fmin(state->length, state->radius));
        return;
    }
    if (ratio < poor) {
        state->radius = narrow * fmin(state->length, state->radius);
    } else if (ratio > good && state->length > near_boundary * state->radius) {
        state->radius *= widen;
    }
    state->refused = state->nonfinite = state->fallen_back = 0;
    state->contradictions = fell ? 0
                                 : state->contradictions; /* not for a step that is taken for being short */
    state->promise = 0.0;
    memcpy(place(optimizer, NEWTON), place(optimizer, TRIAL_NEWTON),
           (size_t)optimizer->dimension * sizeof(double));
    if (lossi_accept(optimizer)) {
        return;
    }
    go_on(optimizer, state, slope, rounding);
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
    .summary = "symmetric rank one in a trust region: learns negative curvature too, with two matrices of "
               "n²/2 numbers",
    .reference = "Conn, Gould & Toint, Mathematical Programming 50 (1991) 177–195",
    .state_size = sizeof(sr1),
    .layout = layout,
    .start = start,
    .advance = advance,
};
