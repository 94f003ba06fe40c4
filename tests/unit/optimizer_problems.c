/*
 * The problems of optimizer_run.h.
 *
 * Rosenbrock, Beale, Brown & Dennis: Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17–41, problems 1, 5 and 16.
 */
#include <math.h>
#include <string.h>

#include "optimizer_run.h"

static void alternate(int64_t n, double *x, double odd, double even)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = i % 2 == 0 ? odd : even;
    }
}

static void rosenbrock_start(int64_t n, double *x)
{
    alternate(n, x, -1.2, 1.0);
}

static double rosenbrock_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i += 2) {
        double a = 1.0 - x[i], b = x[i + 1] - x[i] * x[i];
        f += a * a + 100.0 * b * b;
        g[i] = -2.0 * a - 400.0 * x[i] * b;
        g[i + 1] = 200.0 * b;
    }
    return f;
}

/* Σ cᵢ(xᵢ − tᵢ)²/2 with cᵢ from 1 to 1e4, geometrically. */
static double quadratic_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double c = pow(1e4, (double)i / (double)(n - 1)), d = x[i] - (0.37 + 0.01 * (double)(i % 7));
        f += 0.5 * c * d * d;
        g[i] = c * d;
    }
    return f;
}

/* The same without pow(), whose bits are libm's business: cᵢ = 1 … 17. */
static double large_quadratic_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double c = 1.0 + (double)(i % 17), d = x[i] - (0.37 + 0.01 * (double)(i % 7));
        f += 0.5 * c * d * d;
        g[i] = c * d;
    }
    return f;
}

static void quadratic_start(int64_t n, double *x)
{
    alternate(n, x, 2.385, -1.617);
}

/* Sample i has features from a fixed recurrence and the label of a hidden plane, some of them wrong. */
enum { FEATURES = 6 };

static double logistic_sample(const double *x, int64_t i, double *g, double share)
{
    double a[FEATURES], margin = 0.0, hidden = 0.0;
    uint64_t word = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
    for (int k = 0; k < FEATURES; k++) {
        word = word * 6364136223846793005u + 1442695040888963407u;
        a[k] = (double)(word >> 11) * 0x1p-53 - 0.5;
        hidden += (k % 2 == 0 ? 1.7 : -0.9) * a[k];
        margin += a[k] * x[k];
    }
    double y = (hidden > 0.0) != (i % 11 == 3) ? 1.0 : -1.0;
    double z = -y * margin, e = exp(-fabs(z));
    double slope = -y * (z > 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e));
    for (int k = 0; k < FEATURES; k++) {
        g[k] += share * slope * a[k];
    }
    return share * (fmax(z, 0.0) + log1p(e));
}

/* The L2 penalty counts in full for every batch. */
static double logistic_penalty(const double *x, double *g)
{
    double f = 0.0;
    for (int k = 0; k < FEATURES; k++) {
        g[k] = 0.02 * x[k];
        f += 0.01 * x[k] * x[k];
    }
    return f;
}

double logistic_batch(const double *x, int64_t count, const int64_t *indices, double *gradient)
{
    double f = logistic_penalty(x, gradient);
    for (int64_t i = 0; i < count; i++) {
        f += logistic_sample(x, indices[i], gradient, 1.0 / (double)count);
    }
    return f;
}

static double logistic_evaluate(int64_t n, const double *x, double *g)
{
    double f = logistic_penalty(x, g);
    (void)n;
    for (int64_t i = 0; i < LOGISTIC_SAMPLES; i++) {
        f += logistic_sample(x, i, g, 1.0 / LOGISTIC_SAMPLES);
    }
    return f;
}

static void beale_start(int64_t n, double *x)
{
    alternate(n, x, 1.0, 1.0);
}

static double beale_evaluate(int64_t n, const double *x, double *g)
{
    static const double y[] = {1.5, 2.25, 2.625};
    double f = 0.0, power = 1.0;
    (void)n;
    g[0] = g[1] = 0.0;
    for (int i = 1; i <= 3; i++) {
        double derivative = (double)i * power;
        power *= x[1];
        double r = y[i - 1] - x[0] * (1.0 - power);
        f += r * r;
        g[0] -= 2.0 * r * (1.0 - power);
        g[1] += 2.0 * r * x[0] * derivative;
    }
    return f;
}

static void brown_dennis_start(int64_t n, double *x)
{
    static const double x0[] = {25.0, 5.0, -5.0, -1.0};
    memcpy(x, x0, (size_t)n * sizeof *x);
}

static double brown_dennis_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    memset(g, 0, (size_t)n * sizeof *g);
    for (int i = 1; i <= 20; i++) {
        double t = (double)i / 5.0;
        double a = x[0] + t * x[1] - exp(t), b = x[2] + x[3] * sin(t) - cos(t), r = a * a + b * b;
        f += r * r;
        g[0] += 4.0 * r * a;
        g[1] += 4.0 * r * a * t;
        g[2] += 4.0 * r * b;
        g[3] += 4.0 * r * b * sin(t);
    }
    return f;
}

/* log Σ cosh: convex, flat far away. */
static double cosh_sum_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double z = x[i] - 0.7, e = exp(-2.0 * fabs(z));
        f += fabs(z) + log1p(e);
        g[i] = copysign((1.0 - e) / (1.0 + e), z);
    }
    return f;
}

static double parabola_evaluate(int64_t n, const double *x, double *g)
{
    (void)n;
    g[0] = 3.1 * (x[0] - 2.385);
    return 1.55 * (x[0] - 2.385) * (x[0] - 2.385) - 7.5;
}

/* Σ (x_i² − 1)²/4, neighbours coupled: a maximum at 0, a minimum where all have one sign, and many less low. */
static double wells_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double a = x[i] * x[i] - 1.0;
        f += 0.25 * a * a;
        g[i] = a * x[i];
    }
    for (int64_t i = 0; i + 1 < n; i++) {
        double d = x[i + 1] - x[i];
        f += 0.5 * d * d;
        g[i] -= d;
        g[i + 1] += d;
    }
    return f;
}

static void wells_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 0.0625 + 0.001 * (double)(i % 5);
    }
}

/* x² − y² + y⁴/2 + 0.5: a saddle at 0, minima at y = ±1. The start is a minimum along y = 0. */
static double saddle_evaluate(int64_t n, const double *x, double *g)
{
    (void)n;
    g[0] = 2.0 * x[0];
    g[1] = 2.0 * x[1] * (x[1] * x[1] - 1.0);
    return x[0] * x[0] + 0.5 * (x[1] * x[1] - 1.0) * (x[1] * x[1] - 1.0);
}

static void saddle_start(int64_t n, double *x)
{
    (void)n;
    x[0] = 1.375;
    x[1] = 0.0;
}

const problem rosenbrock = {"rosenbrock", 2, 0.0, rosenbrock_start, rosenbrock_evaluate};
const problem extended_rosenbrock = {"extended_rosenbrock", 100, 0.0, rosenbrock_start, rosenbrock_evaluate};
const problem quadratic = {"quadratic", 50, 0.0, quadratic_start, quadratic_evaluate};
const problem large_quadratic = {"large_quadratic", 70001, 0.0, quadratic_start, large_quadratic_evaluate};
const problem logistic = {"logistic", FEATURES, 0.59900133164575742, quadratic_start, logistic_evaluate};
const problem beale = {"beale", 2, 0.0, beale_start, beale_evaluate};
const problem brown_dennis = {"brown_dennis", 4, 85822.20162635628, brown_dennis_start,
                              brown_dennis_evaluate};
const problem cosh_sum = {"cosh_sum", 23, 15.942385152878742, quadratic_start, cosh_sum_evaluate};
const problem saddle = {"saddle", 2, 0.0, saddle_start, saddle_evaluate};
const problem wells = {"wells", 12, 0.0, wells_start, wells_evaluate};
const problem parabola = {"parabola", 1, -7.5, rosenbrock_start, parabola_evaluate};
