/*
 * The twelve DIXMAAN functions: with n = 3m and weights wₖ(i) = (i/n)^kₖ
 *
 *     1 + Σ α w₁xᵢ² + Σ_{i<n} β w₂xᵢ²(xᵢ₊₁ + xᵢ₊₁²)² + Σ_{i≤2m} γ w₃xᵢ²xᵢ₊ₘ⁴ + Σ_{i≤m} δ w₄xᵢxᵢ₊₂ₘ
 *
 * Dixon & Maany, A family of test problems with sparse Hessians for unconstrained optimization, Hatfield (1988).
 */
#include <string.h>

#include "problems/problems.h"

typedef struct family {
    double alpha, beta, gamma, delta;
    int power[4];
} family;

static double weight(const family *of, int term, int64_t i, int64_t n)
{
    double share = (double)(i + 1) / (double)n;
    int power = of->power[term];
    return power == 0 ? 1.0 : power == 1 ? share : share * share;
}

static double evaluate(const family *of, int64_t n, const double *x, double *g)
{
    int64_t m = n / 3;
    double f = 1.0;
    memset(g, 0, (size_t)n * sizeof *g);
    for (int64_t i = 0; i < n; i++) {
        double w = of->alpha * weight(of, 0, i, n);
        f += w * x[i] * x[i];
        g[i] += 2.0 * w * x[i];
    }
    for (int64_t i = 0; i + 1 < n; i++) {
        double w = of->beta * weight(of, 1, i, n), y = x[i + 1], u = y + y * y;
        f += w * x[i] * x[i] * u * u;
        g[i] += 2.0 * w * x[i] * u * u;
        g[i + 1] += 2.0 * w * x[i] * x[i] * u * (1.0 + 2.0 * y);
    }
    for (int64_t i = 0; i < 2 * m; i++) {
        double w = of->gamma * weight(of, 2, i, n), y = x[i + m], squares = y * y;
        f += w * x[i] * x[i] * squares * squares;
        g[i] += 2.0 * w * x[i] * squares * squares;
        g[i + m] += 4.0 * w * x[i] * x[i] * squares * y;
    }
    for (int64_t i = 0; i < m; i++) {
        double w = of->delta * weight(of, 3, i, n), y = x[i + 2 * m];
        f += w * x[i] * y;
        g[i] += w * y;
        g[i + 2 * m] += w * x[i];
    }
    return f;
}

static const family a = {1, 0, 0.125, 0.125, {0, 0, 0, 0}};
static const family b = {1, 0.0625, 0.0625, 0.0625, {0, 0, 0, 1}};
static const family b_cute = {1, 0.0625, 0.0625, 0.0625, {0, 0, 0, 0}};
static const family c = {1, 0.125, 0.125, 0.125, {0, 0, 0, 0}};
static const family d = {1, 0.26, 0.26, 0.26, {0, 0, 0, 0}};
static const family e = {1, 0, 0.125, 0.125, {1, 0, 0, 1}};
static const family f = {1, 0.0625, 0.0625, 0.0625, {1, 0, 0, 1}};
static const family g_ = {1, 0.125, 0.125, 0.125, {1, 0, 0, 1}};
static const family h = {1, 0.26, 0.26, 0.26, {1, 0, 0, 1}};
static const family i_ = {1, 0, 0.125, 0.125, {2, 0, 0, 2}};
static const family j = {1, 0.0625, 0.0625, 0.0625, {2, 0, 0, 2}};
static const family k = {1, 0.125, 0.125, 0.125, {2, 0, 0, 2}};
static const family l = {1, 0.26, 0.26, 0.26, {2, 0, 0, 2}};

double dixmaana_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&a, n, x, g);
}

double dixmaanb_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&b, n, x, g);
}

double dixmaanb_cute_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&b_cute, n, x, g);
}

double dixmaanc_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&c, n, x, g);
}

double dixmaand_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&d, n, x, g);
}

double dixmaane_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&e, n, x, g);
}

double dixmaanf_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&f, n, x, g);
}

double dixmaang_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&g_, n, x, g);
}

double dixmaanh_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&h, n, x, g);
}

double dixmaani_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&i_, n, x, g);
}

double dixmaanj_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&j, n, x, g);
}

double dixmaank_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&k, n, x, g);
}

double dixmaanl_evaluate(int64_t n, const double *x, double *g)
{
    return evaluate(&l, n, x, g);
}
