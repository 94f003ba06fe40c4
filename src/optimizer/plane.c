/* The trust region of plane.h, in the coordinates of the eigenvectors. */
#include "optimizer/plane.h"

#include <float.h>
#include <math.h>

/* Newton's method on 1/Δ − 1/‖z(λ)‖ needs four or five rounds; bisection, where rounding spoils it, has as many digits. */
enum { ROUNDS = 100 };

typedef struct turned {
    double low, high;    /* λ₁ ≤ λ₂ */
    double gradient[2];  /* along their eigenvectors */
    double cosine, sine; /* the eigenvector of λ₂ is (cosine, sine), that of λ₁ (−sine, cosine) */
} turned;

static turned turn(const lossi_plane *p)
{
    double half = 0.5 * (p->matrix[0] - p->matrix[2]), middle = 0.5 * p->matrix[0] + 0.5 * p->matrix[2];
    double b = p->matrix[1], size = fmax(fabs(half), fabs(b));
    turned t = {middle, middle, {p->gradient[1], p->gradient[0]}, 1.0, 0.0};
    if (size > 0.0) {
        double radius = size * sqrt(half / size * (half / size) + b / size * (b / size));
        /* from the row without cancellation */
        double x = half >= 0.0 ? half + radius : b, y = half >= 0.0 ? b : radius - half;
        double largest = fmax(fabs(x), fabs(y));
        double length = largest * sqrt(x / largest * (x / largest) + y / largest * (y / largest));
        t.cosine = x / length;
        t.sine = y / length;
        t.high = middle + radius;
        t.low = middle - radius;
        t.gradient[0] = t.cosine * p->gradient[1] - t.sine * p->gradient[0];
        t.gradient[1] = t.cosine * p->gradient[0] + t.sine * p->gradient[1];
    }
    return t;
}

static double length_of(const double z[2])
{
    double largest = fmax(fabs(z[0]), fabs(z[1]));
    return largest > 0.0
               ? largest * sqrt(z[0] / largest * (z[0] / largest) + z[1] / largest * (z[1] / largest))
               : 0.0;
}

/* z(λ) by eigenvectors; a part of the gradient that is 0 has no z, whatever it is divided by. */
static double solve(const turned *t, double lambda, double z[2])
{
    z[0] = t->gradient[0] == 0.0 ? 0.0 : -t->gradient[0] / (t->low + lambda);
    z[1] = t->gradient[1] == 0.0 ? 0.0 : -t->gradient[1] / (t->high + lambda);
    return length_of(z);
}

/* On the boundary: λ between its bounds, where ‖z(λ)‖ falls from more than Δ to less. */
static void reach(const turned *t, double radius, double z[2])
{
    double lower = fmax(0.0, -t->low), upper = fmax(lower, length_of(t->gradient) / radius - t->low);
    double lambda = upper;
    for (int i = 0; i < ROUNDS; i++) {
        double length = solve(t, lambda, z);
        if (fabs(length - radius) <= 4.0 * DBL_EPSILON * radius) {
            return;
        }
        if (length > radius) {
            lower = lambda;
        } else {
            upper = lambda;
        }
        /* −½ d‖z‖²/dλ = Σ z²/(λᵢ + λ) */
        double fall = (z[0] == 0.0 ? 0.0 : z[0] / length * z[0] / (t->low + lambda)) +
                      (z[1] == 0.0 ? 0.0 : z[1] / length * z[1] / (t->high + lambda));
        double next = lambda + length / fall * ((length - radius) / radius);
        lambda = next > lower && next < upper ? next : lower + 0.5 * (upper - lower);
        if (!(lambda > lower && lambda < upper)) { /* neighbours */
            break;
        }
    }
    /* the hard case, or near it: what is missing lies along the eigenvector of λ₁ */
    solve(t, upper, z);
    double rest = (radius - fabs(z[1])) * (radius + fabs(z[1]));
    z[0] = copysign(sqrt(fmax(0.0, rest)), -t->gradient[0]);
}

void lossi_plane_minimize(const lossi_plane *plane, double z[2])
{
    turned t = turn(plane);
    double along[2];
    if (!(t.low > 0.0) || !(solve(&t, 0.0, along) <= plane->radius)) {
        reach(&t, plane->radius, along);
    }
    z[0] = t.cosine * along[1] - t.sine * along[0];
    z[1] = t.sine * along[1] + t.cosine * along[0];
}
