/*
 * Functions of CUTE whose terms share a variable or a sum, or know variables far apart.
 *
 * Bongartz, Conn, Gould & Toint, ACM TOMS 21 (1995) 123–160. The formula of each stands above it, i from 1.
 */
#include <math.h>
#include <string.h>

#include "problems/problems.h"

static void clear(int64_t n, double *g)
{
    memset(g, 0, (size_t)n * sizeof *g);
}

/* Σ_{i<n} (xᵢ² + xₙ²)² − 4xᵢ + 3 */
double arwhead_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0, z = x[n - 1];
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double u = x[i] * x[i] + z * z;
        f += u * u - 4.0 * x[i] + 3.0;
        g[i] += 4.0 * u * x[i] - 4.0;
        g[n - 1] += 4.0 * u * z;
    }
    return f;
}

/* Σ_{i<n} sin(x₁ + xᵢ² − 1) + ½ sin xₙ² */
double eg2_evaluate(int64_t n, const double *x, double *g)
{
    double last = x[n - 1] * x[n - 1], f = 0.5 * sin(last);
    clear(n, g);
    g[n - 1] = x[n - 1] * cos(last);
    for (int64_t i = 0; i + 1 < n; i++) {
        double a = x[0] + x[i] * x[i] - 1.0, c = cos(a);
        f += sin(a);
        g[0] += c;
        g[i] += 2.0 * c * x[i];
    }
    return f;
}

/* Σ 4(xᵢ² − x₁)² + (xᵢ − 1)² */
double liarwhd_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i < n; i++) {
        double a = x[i] * x[i] - x[0], b = x[i] - 1.0;
        f += 4.0 * a * a + b * b;
        g[i] += 16.0 * a * x[i] + 2.0 * b;
        g[0] -= 8.0 * a;
    }
    return f;
}

/* Σ t² + 4 cos t with t = xᵢ + x at (3i − 2 mod n) + 1 + x at (7i − 3 mod n) + 1 */
double noncvxu2_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 1; i <= n; i++) {
        int64_t j = (3 * i - 2) % n, k = (7 * i - 3) % n;
        double t = x[i - 1] + x[j] + x[k], slope = 2.0 * t - 4.0 * sin(t);
        f += t * t + 4.0 * cos(t);
        g[i - 1] += slope;
        g[j] += slope;
        g[k] += slope;
    }
    return f;
}

/* (x₁ − 1)² + 100Σ_{i>1} (x₁ − xᵢ₋₁²)² */
double nondia_evaluate(int64_t n, const double *x, double *g)
{
    double b = x[0] - 1.0, f = b * b;
    clear(n, g);
    g[0] = 2.0 * b;
    for (int64_t i = 1; i < n; i++) {
        double a = x[0] - x[i - 1] * x[i - 1];
        f += 100.0 * a * a;
        g[0] += 200.0 * a;
        g[i - 1] -= 400.0 * a * x[i - 1];
    }
    return f;
}

/* (x₁ − x₂)² + (xₙ₋₁ + xₙ)² + Σ_{i≤n−2} (xᵢ + xᵢ₊₁ + xₙ)⁴ */
double nondquar_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - x[1], b = x[n - 2] + x[n - 1], f = a * a + b * b;
    clear(n, g);
    g[0] += 2.0 * a;
    g[1] -= 2.0 * a;
    g[n - 2] += 2.0 * b;
    g[n - 1] += 2.0 * b;
    for (int64_t i = 0; i + 2 < n; i++) {
        double s = x[i] + x[i + 1] + x[n - 1], slope = 4.0 * s * s * s;
        f += s * s * s * s;
        g[i] += slope;
        g[i + 1] += slope;
        g[n - 1] += slope;
    }
    return f;
}

/* (Σ ixᵢ²)² */
double power_of_sum_evaluate(int64_t n, const double *x, double *g)
{
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) {
        s += (double)(i + 1) * x[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        g[i] = 4.0 * s * (double)(i + 1) * x[i];
    }
    return s * s;
}

/* Σ (ixᵢ)² */
double power_quadratic_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double a = (double)(i + 1) * x[i];
        f += a * a;
        g[i] = 2.0 * (double)(i + 1) * a;
    }
    return f;
}

/* Σ (xᵢ − i)⁴ */
double quartc_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - (double)(i + 1);
        f += d * d * d * d;
        g[i] = 4.0 * d * d * d;
    }
    return f;
}

/* (x₁ − 1)⁴ + (xₙ² − x₁²)² + Σ_{1<i<n} (sin(xᵢ − xₙ) − x₁² + xᵢ²)² */
double sinquad_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - 1.0, first = x[0] * x[0], b = x[n - 1] * x[n - 1] - first, f = a * a * a * a + b * b;
    clear(n, g);
    g[0] = 4.0 * a * a * a - 4.0 * b * x[0];
    g[n - 1] = 4.0 * b * x[n - 1];
    for (int64_t i = 1; i + 1 < n; i++) {
        double d = x[i] - x[n - 1], r = sin(d) - first + x[i] * x[i], c = cos(d);
        f += r * r;
        g[i] += 2.0 * r * (c + 2.0 * x[i]);
        g[n - 1] -= 2.0 * r * c;
        g[0] -= 4.0 * r * x[0];
    }
    return f;
}

/* ½Σ i(Σ_{k = 1, 2, 3, 5, 7, 11} sin x at (ki − 1 mod n) + 1)² */
double sparsine_evaluate(int64_t n, const double *x, double *g)
{
    static const int64_t factors[] = {1, 2, 3, 5, 7, 11};
    enum { FACTORS = sizeof factors / sizeof factors[0] };
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 1; i <= n; i++) {
        double s = 0.0;
        for (int k = 0; k < FACTORS; k++) {
            s += sin(x[(factors[k] * i - 1) % n]);
        }
        f += 0.5 * (double)i * s * s;
        for (int k = 0; k < FACTORS; k++) {
            int64_t at = (factors[k] * i - 1) % n;
            g[at] += (double)i * s * cos(x[at]);
        }
    }
    return f;
}

/* (x₁ − 1)² + Σ_{i>1} (x₁² − xᵢ²)² */
double tquartic_evaluate(int64_t n, const double *x, double *g)
{
    double b = x[0] - 1.0, f = b * b;
    clear(n, g);
    g[0] = 2.0 * b;
    for (int64_t i = 1; i < n; i++) {
        double a = x[0] * x[0] - x[i] * x[i];
        f += a * a;
        g[0] += 4.0 * a * x[0];
        g[i] -= 4.0 * a * x[i];
    }
    return f;
}
