/*
 * p solves the problem when (H + λI)p = −g with λ ≥ 0, H + λI positive semidefinite and λ(Δ − ‖p‖) = 0. Newton's
 * method on 1/Δ − 1/‖p(λ)‖ finds λ by Cholesky factors, within bounds that every factor narrows, those that fail
 * too. In the hard case g has nothing of the eigenvectors of the least eigenvalue and ‖p‖ stays below Δ: then what is
 * missing is added along such an eigenvector.
 *
 * Moré & Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553–572; the bounds and the constants: Conn, Gould & Toint,
 * Trust-Region Methods, 2000, algorithms 7.3.1–7.3.6 and §7.3.8.
 */
#include "optimizer/more_sorensen.h"

#include <math.h>
#include <stddef.h>

static const double easy = 0.1, hard = 0.2; /* κ_easy, κ_hard: how far from Δ, and from the least value */
static const double theta = 0.01;           /* θ: how near the lower bound λ may go without cause */
enum { FACTORIZATIONS = 25 };               /* two or three are the rule; a bound on what rounding can do */

typedef struct search {
    const lossi_dense *dense;
    lossi_more_sorensen *problem;
    double lambda, lower, upper;
    double gradient; /* ‖g‖ */
    double rounding; /* of an eigenvalue: those nearer to 0 have no sign. Four times what a factor wants */
    int32_t found;   /* whether problem->step holds a step of some λ */
} search;

/* ---- bounds ---- */

/* Gershgorin's bounds of the spectrum; the norms that bound it too; the least diagonal element. */
typedef struct extent {
    double least, most, norm, diagonal;
} extent;

static extent measure(const lossi_dense *dense)
{
    int64_t n = dense->n;
    double *beside = dense->work[0], rows = 0.0, scale = 0.0, squares = 0.0;
    extent e = {INFINITY, -INFINITY, 0.0, INFINITY};
    for (int64_t i = 0; i < n; i++) {
        beside[i] = 0.0;
        scale = fmax(scale, fabs(dense->diagonal[i]));
    }
    for (int64_t i = 0; i < n; i++) {
        const double *row = dense->matrix + i * n;
        for (int64_t j = i + 1; j < n; j++) {
            double size = fabs(row[j]);
            beside[i] += size;
            beside[j] += size;
            scale = fmax(scale, size);
        }
    }
    for (int64_t i = 0; i < n && scale > 0.0; i++) { /* Frobenius, in units of the largest element */
        const double *row = dense->matrix + i * n;
        double part = dense->diagonal[i] / scale;
        squares += part * part;
        for (int64_t j = i + 1; j < n; j++) {
            squares += 2.0 * (row[j] / scale) * (row[j] / scale);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        e.least = fmin(e.least, dense->diagonal[i] - beside[i]);
        e.most = fmax(e.most, dense->diagonal[i] + beside[i]);
        e.diagonal = fmin(e.diagonal, dense->diagonal[i]);
        rows = fmax(rows, fabs(dense->diagonal[i]) + beside[i]);
    }
    e.norm = fmin(rows, scale * sqrt(squares));
    return e;
}

/* A value strictly between the bounds, nearer to the lower one. */
static double between(const search *s)
{
    return fmax(sqrt(s->lower) * sqrt(s->upper), s->lower + theta * (s->upper - s->lower));
}

static void begin(search *s)
{
    extent e = measure(s->dense);
    double ratio = s->gradient / s->problem->radius;
    s->lower = fmax(fmax(0.0, -e.diagonal), ratio - fmin(e.most, e.norm));
    s->upper = fmax(0.0, ratio + fmin(-e.least, e.norm));
    s->rounding = 4.0 * (double)s->dense->n * s->problem->epsilon * e.norm;
    s->lambda = s->lower == 0.0 ? 0.0 : s->lower <= s->rounding ? s->rounding : between(s);
}

/* ---- with a factor ---- */

/* A unit vector z for which zᵀ(H + λI)z, given back, is about the least. L is solved for a right side that makes the
 * solution grow (Cline, Moler, Stewart & Wilkinson, SIAM J. Numer. Anal. 16 (1979) 368–375), then once more. */
static double least_curvature(const lossi_dense *dense, double *z)
{
    int64_t n = dense->n;
    for (int64_t i = 0; i < n; i++) {
        const double *row = dense->matrix + i * n;
        double sum = dense->kernels->dot(row, z, i);
        z[i] = (sum > 0.0 ? -1.0 - sum : 1.0 - sum) / row[i];
    }
    lossi_dense_solve_upper(dense, n, z);
    double length = lossi_dense_norm(dense, z), along = 0.0, *before = dense->work[1];
    for (int64_t i = 0; i < n; i++) {
        before[i] = z[i] /= length;
    }
    lossi_dense_solve_lower(dense, n, z);
    lossi_dense_solve_upper(dense, n, z);
    length = lossi_dense_norm(dense, z);
    for (int64_t i = 0; i < n; i++) {
        z[i] /= length;
        along += z[i] * before[i];
    }
    return along / length; /* of A⁻¹ applied to a unit vector: the Rayleigh quotient of what it gave */
}

/* The root of ‖p + τz‖ = Δ of smaller size, for a unit vector z and ‖p‖ < Δ. */
static double to_boundary(const lossi_more_sorensen *problem, double along)
{
    double missing = (problem->radius - problem->length) * (problem->radius + problem->length);
    return missing / (along + copysign(sqrt(along * along + missing), along));
}

/*
 * ‖p‖ < Δ although λ > 0, so λ is above the solution: tries to reach the boundary along z. 1: that is good enough.
 * The value is within κ_hard of the least when τ²zᵀ(H + λI)z ≤ κ_hard(pᵀ(H + λI)p + λΔ²).
 */
static int32_t reach(search *s)
{
    const lossi_dense *dense = s->dense;
    lossi_more_sorensen *problem = s->problem;
    double *z = dense->work[0], curvature = least_curvature(dense, z);
    double along = dense->kernels->dot(problem->step, z, dense->n), tau = to_boundary(problem, along);
    double energy = -dense->kernels->dot(problem->gradient, problem->step, dense->n); /* pᵀ(H + λI)p */
    s->lower = fmax(s->lower, s->lambda - curvature);
    if (!(tau * tau * curvature <= hard * (energy + s->lambda * problem->radius * problem->radius))) {
        return 0;
    }
    dense->kernels->add(problem->step, tau, z, dense->n);
    problem->hard = problem->boundary = 1;
    return 1;
}

/* λ whose p is found. 1: it is good enough; else the next λ is set. */
static int32_t judge(search *s)
{
    const lossi_dense *dense = s->dense;
    lossi_more_sorensen *problem = s->problem;
    int64_t n = dense->n;
    double length = problem->length, *w = dense->work[0];
    if (length <= problem->radius && s->lambda <= s->rounding) {
        problem->boundary = 0;
        return 1;
    }
    problem->boundary = 1;
    if (fabs(length - problem->radius) <= easy * problem->radius) {
        return 1;
    }
    for (int64_t i = 0; i < n; i++) {
        w[i] = problem->step[i];
    }
    lossi_dense_solve_lower(dense, n, w);
    double ratio = length / lossi_dense_norm(dense, w);
    double next = s->lambda + ratio * ratio * ((length - problem->radius) / problem->radius);
    if (length > problem->radius) {
        s->lower = fmax(s->lower, s->lambda);
    } else {
        s->upper = fmin(s->upper, s->lambda);
        if (reach(s)) {
            return 1;
        }
    }
    s->lambda = next > s->lower && next <= s->upper ? next : between(s);
    return 0;
}

/*
 * No factor: row k ended with the pivot −δ ≤ 0. With v_k = 1 and Lᵀv = 0 above, vᵀ(H + λI)v = −δ, so that the least
 * eigenvalue of H is below −λ − δ/‖v‖². Where only rounding makes it negative, as when a constant can be added to all scores
 * of a classifier, λ is what rounding is: otherwise the step would run to the boundary along a direction that changes nothing.
 */
static void lift(search *s, int64_t k, double pivot)
{
    const lossi_dense *dense = s->dense;
    double *v = dense->work[0], squares = 1.0;
    for (int64_t i = 0; i < k; i++) {
        v[i] = dense->matrix[k * dense->n + i];
    }
    lossi_dense_solve_upper(dense, k, v);
    for (int64_t i = 0; i < k; i++) {
        squares += v[i] * v[i];
    }
    double more = pivot < 0.0 && isfinite(squares) ? -pivot / squares : 0.0;
    s->lower = fmax(s->lower, s->lambda + more);
    s->upper = fmax(s->upper, s->lower);
    s->lambda = s->lambda == 0.0 && s->lower <= s->rounding ? s->rounding : between(s);
}

/* ---- the result ---- */

/* The minimiser along −g, when there is nothing else. */
static void steepest(const lossi_dense *dense, lossi_more_sorensen *problem, double gradient)
{
    int64_t n = dense->n;
    double *unit = problem->step, *product = dense->work[0];
    for (int64_t i = 0; i < n; i++) {
        unit[i] = -problem->gradient[i] / gradient;
    }
    lossi_dense_symv(dense, unit, product);
    double curvature = dense->kernels->dot(unit, product, n), step = problem->radius;
    problem->boundary = !(curvature > 0.0 && gradient / curvature < step);
    step = problem->boundary ? step : gradient / curvature;
    for (int64_t i = 0; i < n; i++) {
        unit[i] *= step;
    }
}

static void value(const lossi_dense *dense, lossi_more_sorensen *problem)
{
    double *product = dense->work[0];
    lossi_dense_symv(dense, problem->step, product);
    problem->slope = dense->kernels->dot(problem->gradient, problem->step, dense->n);
    problem->predicted = -problem->slope - 0.5 * dense->kernels->dot(problem->step, product, dense->n);
    problem->length = lossi_dense_norm(dense, problem->step);
}

static void find(search *s)
{
    const lossi_dense *dense = s->dense;
    lossi_more_sorensen *problem = s->problem;
    int64_t n = dense->n;
    while (problem->factorizations < FACTORIZATIONS) {
        double pivot = 0.0;
        int64_t good = lossi_dense_cholesky(dense, s->lambda, problem->epsilon, &pivot);
        problem->factorizations++;
        if (good < n) {
            lift(s, good, pivot);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            problem->step[i] = -problem->gradient[i];
        }
        lossi_dense_solve_lower(dense, n, problem->step);
        lossi_dense_solve_upper(dense, n, problem->step);
        problem->length = lossi_dense_norm(dense, problem->step);
        problem->multiplier = s->lambda;
        s->found = isfinite(problem->length);
        if (!s->found) { /* singular but for rounding */
            lift(s, 0, 0.0);
        } else if (judge(s)) {
            return;
        }
    }
}

void lossi_more_sorensen_solve(const lossi_dense *dense, lossi_more_sorensen *problem)
{
    search s = {.dense = dense, .problem = problem, .gradient = lossi_dense_norm(dense, problem->gradient)};
    problem->hard = problem->factorizations = problem->boundary = 0;
    problem->predicted = -INFINITY;
    begin(&s);
    find(&s);
    if (s.found) {
        if (problem->length > (1.0 + easy) * problem->radius && !problem->hard) {
            double factor = problem->radius / problem->length;
            for (int64_t i = 0; i < dense->n; i++) {
                problem->step[i] *= factor;
            }
        }
        value(dense, problem);
    }
    if (!(problem->predicted > 0.0) || !isfinite(problem->predicted)) {
        problem->hard = 0;
        steepest(dense, problem, s.gradient);
        value(dense, problem);
    }
}
