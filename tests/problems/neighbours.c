/*
 * Functions of CUTE that are sums of terms in a few neighbouring variables.
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

/* Σ_{i≤n−4} (3 − 4xᵢ)² + (xᵢ² + 2xᵢ₊₁² + 3xᵢ₊₂² + 4xᵢ₊₃² + 5xₙ²)² */
double bdqrtic_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 4 < n; i++) {
        const int64_t at[] = {i, i + 1, i + 2, i + 3, n - 1};
        double a = 3.0 - 4.0 * x[i], b = 0.0;
        for (int k = 0; k < 5; k++) {
            b += (k + 1) * x[at[k]] * x[at[k]];
        }
        f += a * a + b * b;
        g[i] -= 8.0 * a;
        for (int k = 0; k < 5; k++) {
            g[at[k]] += 4.0 * b * (k + 1) * x[at[k]];
        }
    }
    return f;
}

/* Σ_{i<n} cos(xᵢ² − xᵢ₊₁/2) */
double cosine_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double a = x[i] * x[i] - 0.5 * x[i + 1], s = -sin(a);
        f += cos(a);
        g[i] += 2.0 * s * x[i];
        g[i + 1] -= 0.5 * s;
    }
    return f;
}

/* Σ over (a, b, c, d) = (x₂ᵢ₋₁, …, x₂ᵢ₊₂) of (eᵃ − b)⁴ + 100(b − c)⁶ + (tan(c − d) + c − d)⁴ + a⁸ + (d − 1)² */
double cragglvy_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 3 < n; i += 2) {
        double e = exp(x[i]), p = e - x[i + 1], q = x[i + 1] - x[i + 2], t = tan(x[i + 2] - x[i + 3]);
        double r = t + x[i + 2] - x[i + 3], s = x[i + 3] - 1.0, a2 = x[i] * x[i];
        double p3 = 4.0 * p * p * p, q5 = 600.0 * q * q * q * q * q, r3 = 4.0 * r * r * r * (2.0 + t * t);
        f += p * p * p * p + 100.0 * q * q * q * q * q * q + r * r * r * r + a2 * a2 * a2 * a2 + s * s;
        g[i] += p3 * e + 8.0 * a2 * a2 * a2 * x[i];
        g[i + 1] += q5 - p3;
        g[i + 2] += r3 - q5;
        g[i + 3] += 2.0 * s - r3;
    }
    return f;
}

/* Σ q(q(q² − 20) − 0.1) with q = xᵢ + … + xᵢ₊ₖ as far as there are any */
static double curly(int64_t n, const double *x, double *g, int64_t k)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i < n; i++) {
        int64_t end = i + k < n ? i + k + 1 : n;
        double q = 0.0;
        for (int64_t j = i; j < end; j++) {
            q += x[j];
        }
        double slope = q * (4.0 * q * q - 40.0) - 0.1;
        f += q * (q * (q * q - 20.0) - 0.1);
        for (int64_t j = i; j < end; j++) {
            g[j] += slope;
        }
    }
    return f;
}

double curly10_evaluate(int64_t n, const double *x, double *g)
{
    return curly(n, x, g, 10);
}

double curly20_evaluate(int64_t n, const double *x, double *g)
{
    return curly(n, x, g, 20);
}

double curly30_evaluate(int64_t n, const double *x, double *g)
{
    return curly(n, x, g, 30);
}

/* (x₁ − 1)² + Σ_{1<i<n} (xᵢ − xᵢ₊₁)² + (xₙ − 1)² */
double dixon3dq_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - 1.0, b = x[n - 1] - 1.0, f = a * a + b * b;
    clear(n, g);
    g[0] = 2.0 * a;
    g[n - 1] = 2.0 * b;
    for (int64_t i = 1; i + 1 < n; i++) {
        double d = x[i] - x[i + 1];
        f += d * d;
        g[i] += 2.0 * d;
        g[i + 1] -= 2.0 * d;
    }
    return f;
}

/* Σ_{i≤n−2} xᵢ² + 100xᵢ₊₁² + 100xᵢ₊₂² */
double dqdrtic_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 2 < n; i++) {
        f += x[i] * x[i] + 100.0 * (x[i + 1] * x[i + 1] + x[i + 2] * x[i + 2]);
        g[i] += 2.0 * x[i];
        g[i + 1] += 200.0 * x[i + 1];
        g[i + 2] += 200.0 * x[i + 2];
    }
    return f;
}

/* 16 + Σ_{i<n} (xᵢ − 2)⁴ + (xᵢxᵢ₊₁ − 2xᵢ₊₁)² + (xᵢ₊₁ + 1)² */
double edensch_evaluate(int64_t n, const double *x, double *g)
{
    double f = 16.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double a = x[i] - 2.0, y = x[i + 1], b = a * y, c = y + 1.0;
        f += a * a * a * a + b * b + c * c;
        g[i] += 4.0 * a * a * a + 2.0 * b * y;
        g[i + 1] += 2.0 * b * a + 2.0 * c;
    }
    return f;
}

/* Σ_{i<n} (xᵢ² + xᵢ₊₁²)² − 4xᵢ + 3 */
double engval1_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double u = x[i] * x[i] + x[i + 1] * x[i + 1];
        f += u * u - 4.0 * x[i] + 3.0;
        g[i] += 4.0 * u * x[i] - 4.0;
        g[i + 1] += 4.0 * u * x[i + 1];
    }
    return f;
}

/* (x₁ − 1)² + 100Σ_{i>1} (xᵢ − xᵢ₋₁²)² */
double extrosnb_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - 1.0, f = a * a;
    clear(n, g);
    g[0] = 2.0 * a;
    for (int64_t i = 1; i < n; i++) {
        double r = x[i] - x[i - 1] * x[i - 1];
        f += 100.0 * r * r;
        g[i] += 200.0 * r;
        g[i - 1] -= 400.0 * r * x[i - 1];
    }
    return f;
}

/* ½(x₁² + Σ_{i<n} (xᵢ − xᵢ₊₁)² + xₙ²) − h²Σ (2xᵢ + cos xᵢ) − xₙ with h = 1/(n + 1) */
double fletcbv2_evaluate(int64_t n, const double *x, double *g)
{
    double h = 1.0 / (double)(n + 1), f = 0.5 * (x[0] * x[0] + x[n - 1] * x[n - 1]) - x[n - 1];
    for (int64_t i = 0; i < n; i++) {
        f -= h * h * (2.0 * x[i] + cos(x[i]));
        g[i] = -h * h * (2.0 - sin(x[i]));
    }
    g[0] += x[0];
    g[n - 1] += x[n - 1] - 1.0;
    for (int64_t i = 0; i + 1 < n; i++) {
        double d = x[i] - x[i + 1];
        f += 0.5 * d * d;
        g[i] += d;
        g[i + 1] -= d;
    }
    return f;
}

/* 100Σ_{i<n} (xᵢ₊₁ − xᵢ + 1 − xᵢ²)² */
double fletchcr_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double r = x[i + 1] - x[i] + 1.0 - x[i] * x[i];
        f += 100.0 * r * r;
        g[i] -= 200.0 * r * (1.0 + 2.0 * x[i]);
        g[i + 1] += 200.0 * r;
    }
    return f;
}

/* Σ_{i<n} ((5 − y)y² + xᵢ − 2y − 13)² + ((1 + y)y² + xᵢ − 14y − 29)² with y = xᵢ₊₁ */
double freuroth_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double y = x[i + 1], y2 = y * y;
        double a = (5.0 - y) * y2 + x[i] - 2.0 * y - 13.0, b = (1.0 + y) * y2 + x[i] - 14.0 * y - 29.0;
        f += a * a + b * b;
        g[i] += 2.0 * (a + b);
        g[i + 1] += 2.0 * (a * (10.0 * y - 3.0 * y2 - 2.0) + b * (2.0 * y + 3.0 * y2 - 14.0));
    }
    return f;
}

/* Σ_{i<n} 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² */
double generalized_rosenbrock_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        f += 100.0 * a * a + b * b;
        g[i] -= 400.0 * a * x[i] + 2.0 * b;
        g[i + 1] += 200.0 * a;
    }
    return f;
}

/* Σ_{i<n} sin²(20xᵢ)sin²(20xᵢ₊₁) + 0.05(xᵢ² + xᵢ₊₁²) */
double genhumps_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double s = sin(20.0 * x[i]), t = sin(20.0 * x[i + 1]);
        f += s * s * t * t + 0.05 * (x[i] * x[i] + x[i + 1] * x[i + 1]);
        g[i] += 40.0 * s * cos(20.0 * x[i]) * t * t + 0.1 * x[i];
        g[i + 1] += 40.0 * t * cos(20.0 * x[i + 1]) * s * s + 0.1 * x[i + 1];
    }
    return f;
}

/* 1 + Σ_{i>1} 100(xᵢ − xᵢ₋₁²)² + (xᵢ − 1)² */
double genrose_evaluate(int64_t n, const double *x, double *g)
{
    double f = 1.0;
    clear(n, g);
    for (int64_t i = 1; i < n; i++) {
        double a = x[i] - x[i - 1] * x[i - 1], b = x[i] - 1.0;
        f += 100.0 * a * a + b * b;
        g[i] += 200.0 * a + 2.0 * b;
        g[i - 1] -= 400.0 * a * x[i - 1];
    }
    return f;
}

/* Σ_{i≤n−2} −1/(1 + (xᵢ − xᵢ₊₁)²) − sin((πxᵢ₊₁ + xᵢ₊₂)/2) − exp(−((xᵢ + xᵢ₊₂)/xᵢ₊₁ − 2)²) */
double schmvett_evaluate(int64_t n, const double *x, double *g)
{
    const double pi = 3.14159265358979323846;
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i + 2 < n; i++) {
        double d = x[i] - x[i + 1], r = 1.0 / (1.0 + d * d), angle = 0.5 * (pi * x[i + 1] + x[i + 2]);
        double quotient = (x[i] + x[i + 2]) / x[i + 1], q = quotient - 2.0, e = exp(-q * q);
        double by_d = 2.0 * d * r * r, by_angle = -0.5 * cos(angle), by_sum = 2.0 * q * e / x[i + 1];
        f += -r - sin(angle) - e;
        g[i] += by_d + by_sum;
        g[i + 1] += -by_d + pi * by_angle - by_sum * quotient;
        g[i + 2] += by_angle + by_sum;
    }
    return f;
}

/* Σ_{i≤n−2} (10/(n + 2) + xᵢ₊₂²)(2 − exp(−(xᵢ − xᵢ₊₁)²/(0.1 + xᵢ₊₂²))) */
double tointgss_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0, share = 10.0 / (double)(n + 2);
    clear(n, g);
    for (int64_t i = 0; i + 2 < n; i++) {
        double d = x[i] - x[i + 1], c = x[i + 2], width = 0.1 + c * c, size = share + c * c;
        double e = exp(-d * d / width), by_d = size * e * 2.0 * d / width;
        f += size * (2.0 - e);
        g[i] += by_d;
        g[i + 1] -= by_d;
        g[i + 2] += 2.0 * c * (2.0 - e) - size * e * d * d * 2.0 * c / (width * width);
    }
    return f;
}

/* (x₁ − 1)² + Σ_{i>1} i(2xᵢ − xᵢ₋₁)² */
double tridia_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - 1.0, f = a * a;
    clear(n, g);
    g[0] = 2.0 * a;
    for (int64_t i = 1; i < n; i++) {
        double r = 2.0 * x[i] - x[i - 1], factor = (double)(i + 1);
        f += factor * r * r;
        g[i] += 4.0 * factor * r;
        g[i - 1] -= 2.0 * factor * r;
    }
    return f;
}
