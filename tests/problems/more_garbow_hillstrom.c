/*
 * Functions of Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17–41, §3: sums of squares of residuals. Numbers in brackets are
 * the paper's.
 */
#include <math.h>
#include <string.h>

#include "problems/problems.h"

static void clear(int64_t n, double *g)
{
    memset(g, 0, (size_t)n * sizeof *g);
}

/* (7) θ is the angle in turns */
double helical_valley_evaluate(int64_t n, const double *x, double *g)
{
    const double turn = 6.28318530717958647692;
    double squares = x[0] * x[0] + x[1] * x[1], radius = sqrt(squares);
    double angle = x[0] == 0.0 ? copysign(0.25, x[1]) : atan(x[1] / x[0]) / turn + (x[0] < 0.0 ? 0.5 : 0.0);
    double a = 10.0 * (x[2] - 10.0 * angle), b = 10.0 * (radius - 1.0);
    (void)n;
    g[0] = 2.0 * (a * 100.0 * x[1] / (turn * squares) + 10.0 * b * x[0] / radius);
    g[1] = 2.0 * (a * -100.0 * x[0] / (turn * squares) + 10.0 * b * x[1] / radius);
    g[2] = 20.0 * a + 2.0 * x[2];
    return a * a + b * b + x[2] * x[2];
}

/* (18) */
double biggs_exp6_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int i = 1; i <= 13; i++) {
        double t = 0.1 * i, y = exp(-t) - 5.0 * exp(-10.0 * t) + 3.0 * exp(-4.0 * t);
        double a = exp(-t * x[0]), b = exp(-t * x[1]), c = exp(-t * x[4]);
        double r = x[2] * a - x[3] * b + x[5] * c - y;
        f += r * r;
        g[0] -= 2.0 * r * t * x[2] * a;
        g[1] += 2.0 * r * t * x[3] * b;
        g[2] += 2.0 * r * a;
        g[3] -= 2.0 * r * b;
        g[4] -= 2.0 * r * t * x[5] * c;
        g[5] += 2.0 * r * c;
    }
    return f;
}

/* (9) */
double gaussian_evaluate(int64_t n, const double *x, double *g)
{
    static const double half[] = {0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989};
    double f = 0.0;
    clear(n, g);
    for (int i = 0; i < 15; i++) {
        double d = (7.0 - i) / 2.0 - x[2], e = exp(-x[1] * d * d / 2.0);
        double r = x[0] * e - half[i < 8 ? i : 14 - i];
        f += r * r;
        g[0] += 2.0 * r * e;
        g[1] -= r * x[0] * e * d * d;
        g[2] += 2.0 * r * x[0] * e * x[1] * d;
    }
    return f;
}

/* (3) */
double powell_badly_scaled_evaluate(int64_t n, const double *x, double *g)
{
    double a = 1e4 * x[0] * x[1] - 1.0, u = exp(-x[0]), v = exp(-x[1]), b = u + v - 1.0001;
    (void)n;
    g[0] = 2e4 * a * x[1] - 2.0 * b * u;
    g[1] = 2e4 * a * x[0] - 2.0 * b * v;
    return a * a + b * b;
}

/* (12) */
double box_3d_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int i = 1; i <= 10; i++) {
        double t = 0.1 * i, a = exp(-t * x[0]), b = exp(-t * x[1]), c = exp(-t) - exp(-10.0 * t);
        double r = a - b - x[2] * c;
        f += r * r;
        g[0] -= 2.0 * r * t * a;
        g[1] += 2.0 * r * t * b;
        g[2] -= 2.0 * r * c;
    }
    return f;
}

/* (25) */
double variably_dimensioned_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0, s = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - 1.0;
        f += d * d;
        s += (double)(i + 1) * d;
    }
    for (int64_t i = 0; i < n; i++) {
        g[i] = 2.0 * (x[i] - 1.0) + (double)(i + 1) * s * (2.0 + 4.0 * s * s);
    }
    return f + s * s + s * s * s * s;
}

/* (20) */
double watson_evaluate(int64_t n, const double *x, double *g)
{
    double last = x[1] - x[0] * x[0] - 1.0, f = x[0] * x[0] + last * last;
    clear(n, g);
    g[0] = 2.0 * x[0] - 4.0 * last * x[0];
    g[1] = 2.0 * last;
    for (int i = 1; i <= 29; i++) {
        double t = i / 29.0, sum = 0.0, derivative = 0.0, power = 1.0;
        for (int64_t j = 0; j < n; j++, power *= t) {
            sum += x[j] * power;
            derivative += j + 1 < n ? (double)(j + 1) * x[j + 1] * power : 0.0;
        }
        double r = derivative - sum * sum - 1.0;
        f += r * r;
        power = 1.0 / t;
        for (int64_t j = 0; j < n; j++, power *= t) {
            g[j] += 2.0 * r * power * ((double)j - 2.0 * sum * t);
        }
    }
    return f;
}

/* (23) */
double penalty_1_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0, s = -0.25;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - 1.0;
        f += 1e-5 * d * d;
        s += x[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        g[i] = 2e-5 * (x[i] - 1.0) + 4.0 * s * x[i];
    }
    return f + s * s;
}

/* (24) */
double penalty_2_evaluate(int64_t n, const double *x, double *g)
{
    const double a = 1e-5, floor_value = exp(-0.1);
    double first = x[0] - 0.2, f = first * first, s = -1.0;
    clear(n, g);
    g[0] = 2.0 * first;
    for (int64_t i = 1; i < n; i++) {
        double u = exp(0.1 * x[i]), before = exp(0.1 * x[i - 1]);
        double r = u + before - exp(0.1 * (double)(i + 1)) - exp(0.1 * (double)i), q = u - floor_value;
        f += a * (r * r + q * q);
        g[i] += 0.2 * a * (r + q) * u;
        g[i - 1] += 0.2 * a * r * before;
    }
    for (int64_t i = 0; i < n; i++) {
        s += (double)(n - i) * x[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        g[i] += 4.0 * s * (double)(n - i) * x[i];
    }
    return f + s * s;
}

/* (4) */
double brown_badly_scaled_evaluate(int64_t n, const double *x, double *g)
{
    double a = x[0] - 1e6, b = x[1] - 2e-6, c = x[0] * x[1] - 2.0;
    (void)n;
    g[0] = 2.0 * (a + c * x[1]);
    g[1] = 2.0 * (b + c * x[0]);
    return a * a + b * b + c * c;
}

/* (16) */
double brown_dennis_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int i = 1; i <= 20; i++) {
        double t = i / 5.0, sine = sin(t);
        double a = x[0] + t * x[1] - exp(t), b = x[2] + sine * x[3] - cos(t), r = a * a + b * b;
        f += r * r;
        g[0] += 4.0 * r * a;
        g[1] += 4.0 * r * a * t;
        g[2] += 4.0 * r * b;
        g[3] += 4.0 * r * b * sine;
    }
    return f;
}

/* (11) with m = 99 */
double gulf_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int i = 1; i <= 99; i++) {
        double t = i / 100.0, d = 25.0 + pow(-50.0 * log(t), 2.0 / 3.0) - x[1], size = fabs(d);
        double p = pow(size, x[2]), e = exp(-p / x[0]), r = e - t;
        f += r * r;
        if (size > 0.0) {
            g[0] += 2.0 * r * e * p / (x[0] * x[0]);
            g[1] += 2.0 * r * e * x[2] * p / (x[0] * d);
            g[2] -= 2.0 * r * e * p * log(size) / x[0];
        }
    }
    return f;
}

/* (26) */
double trigonometric_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0, cosines = (double)n, residuals = 0.0;
    for (int64_t i = 0; i < n; i++) {
        cosines -= cos(x[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        double c = cos(x[i]), s = sin(x[i]), r = cosines + (double)(i + 1) * (1.0 - c) - s;
        f += r * r;
        residuals += r;
        g[i] = 2.0 * r * ((double)(i + 1) * s - c);
    }
    for (int64_t i = 0; i < n; i++) {
        g[i] += 2.0 * residuals * sin(x[i]);
    }
    return f;
}

/* (21) */
double extended_rosenbrock_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i + 1 < n; i += 2) {
        double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        f += 100.0 * a * a + b * b;
        g[i] = -400.0 * a * x[i] - 2.0 * b;
        g[i + 1] = 200.0 * a;
    }
    return f;
}

/* (22) */
double extended_powell_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i + 3 < n; i += 4) {
        double a = x[i] + 10.0 * x[i + 1], b = x[i + 2] - x[i + 3];
        double c = x[i + 1] - 2.0 * x[i + 2], d = x[i] - x[i + 3], c3 = 4.0 * c * c * c,
               d3 = 40.0 * d * d * d;
        f += a * a + 5.0 * b * b + 0.25 * c3 * c + 0.25 * d3 * d;
        g[i] = 2.0 * a + d3;
        g[i + 1] = 20.0 * a + c3;
        g[i + 2] = 10.0 * b - 2.0 * c3;
        g[i + 3] = -10.0 * b - d3;
    }
    return f;
}

/* (5) */
double beale_evaluate(int64_t n, const double *x, double *g)
{
    static const double y[] = {1.5, 2.25, 2.625};
    double f = 0.0, power = 1.0;
    clear(n, g);
    for (int i = 0; i < 3; i++) {
        double derivative = (i + 1) * power;
        power *= x[1];
        double r = y[i] - x[0] * (1.0 - power);
        f += r * r;
        g[0] -= 2.0 * r * (1.0 - power);
        g[1] += 2.0 * r * x[0] * derivative;
    }
    return f;
}

/* (14), one after the other for n > 4 */
double extended_wood_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i + 3 < n; i += 4) {
        double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i], c = x[i + 3] - x[i + 2] * x[i + 2];
        double d = 1.0 - x[i + 2], e = x[i + 1] + x[i + 3] - 2.0, h = x[i + 1] - x[i + 3];
        f += 100.0 * a * a + b * b + 90.0 * c * c + d * d + 10.0 * e * e + 0.1 * h * h;
        g[i] = -400.0 * a * x[i] - 2.0 * b;
        g[i + 1] = 200.0 * a + 20.0 * e + 0.2 * h;
        g[i + 2] = -360.0 * c * x[i + 2] - 2.0 * d;
        g[i + 3] = 180.0 * c + 20.0 * e - 0.2 * h;
    }
    return f;
}

/* (35) with m = n ≤ 32; T′ᵢ = 2i·U with the recurrence differentiated */
double chebyquad_evaluate(int64_t n, const double *x, double *g)
{
    double r[32] = {0.0}, f = 0.0;
    for (int64_t j = 0; j < n; j++) {
        double before = 1.0, now = 2.0 * x[j] - 1.0, twice = 2.0 * now;
        for (int64_t i = 0; i < n; i++) {
            double next = twice * now - before;
            r[i] += now / (double)n;
            before = now;
            now = next;
        }
    }
    for (int64_t i = 1; i < n; i += 2) {
        r[i] += 1.0 / (double)((i + 1) * (i + 1) - 1);
    }
    for (int64_t i = 0; i < n; i++) {
        f += r[i] * r[i];
    }
    for (int64_t j = 0; j < n; j++) {
        double before = 1.0, now = 2.0 * x[j] - 1.0, twice = 2.0 * now, slope_before = 0.0, slope = 2.0,
               sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            double next = twice * now - before, slope_next = 4.0 * now + twice * slope - slope_before;
            sum += 2.0 * r[i] * slope / (double)n;
            before = now;
            now = next;
            slope_before = slope;
            slope = slope_next;
        }
        g[j] = sum;
    }
    return f;
}

/* (30) */
double broyden_tridiagonal_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i < n; i++) {
        double left = i > 0 ? x[i - 1] : 0.0, right = i + 1 < n ? x[i + 1] : 0.0;
        double r = (3.0 - 2.0 * x[i]) * x[i] - left - 2.0 * right + 1.0;
        f += r * r;
        g[i] += 2.0 * r * (3.0 - 4.0 * x[i]);
        if (i > 0) {
            g[i - 1] -= 2.0 * r;
        }
        if (i + 1 < n) {
            g[i + 1] -= 4.0 * r;
        }
    }
    return f;
}

/* (31) with 5 neighbours to the left and 1 to the right */
double broyden_banded_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    clear(n, g);
    for (int64_t i = 0; i < n; i++) {
        int64_t first = i < 5 ? 0 : i - 5, last = i + 1 < n ? i + 1 : i;
        double r = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0;
        for (int64_t j = first; j <= last; j++) {
            r -= j == i ? 0.0 : x[j] * (1.0 + x[j]);
        }
        f += r * r;
        for (int64_t j = first; j <= last; j++) {
            g[j] += 2.0 * r * (j == i ? 2.0 + 15.0 * x[i] * x[i] : -1.0 - 2.0 * x[j]);
        }
    }
    return f;
}
