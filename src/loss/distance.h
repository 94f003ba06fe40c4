/*
 * Distances between rows of vectors, and what losses of them add to the derivatives of both.
 *
 *     δ = a − b,   t = ‖δ‖ or ‖δ‖²,   ∇ₐt = −∇_b t = g δ,   the second derivative of t along v = v_a − v_b:  h v − k (δ·v) δ
 *
 * with g = 1/‖δ‖, h = 1/‖δ‖, k = 1/‖δ‖³ for the distance, and g = h = 2, k = 0 for its square. Where a and b are the same
 * vector the distance has a kink: its smallest subgradient is 0, and so is its curvature there.
 */
#ifndef LOSSI_LOSS_DISTANCE_H
#define LOSSI_LOSS_DISTANCE_H

#include "loss/wide.h"

typedef struct lossi_distance {
    const real *a, *b, *along_a, *along_b;
    double t, g, h, k;
    double along; /* δ · v */
} lossi_distance;

/* Measures; the directions may be NULL. */
LOSSI_INLINE void lossi_distance_measure(lossi_distance *d, int64_t columns, int32_t squared)
{
    lossi_wide_sum square = lossi_wide_sum_zero(), along = square;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], va[LOSSI_WIDENED], vb[LOSSI_WIDENED];
        lossi_wide_load(d->a, j, columns, a);
        lossi_wide_load(d->b, j, columns, b);
        lossi_wide_load(d->along_a, j, columns, va);
        lossi_wide_load(d->along_b, j, columns, vb);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            a[v] = a[v] - b[v];
            va[v] = va[v] - vb[v];
        }
        lossi_wide_sum_add(&square, j, a, a);
        lossi_wide_sum_add(&along, j, a, va);
    }
    const double total = lossi_wide_sum_total(&square), length = sqrt(total);
    d->along = lossi_wide_sum_total(&along);
    d->t = squared ? total : length;
    d->g = squared ? 2 : length == 0 ? 0 : 1 / length;
    d->h = d->g;
    d->k = squared || length == 0 ? 0 : 1 / length / total;
}

/* ∂t along v. */
LOSSI_INLINE double lossi_distance_slope(const lossi_distance *d)
{
    return d->g * d->along;
}

/* What one distance adds at columns j … to a (and, negated, to b; the curvature as it is): slope · ∂t, and so on. */
typedef struct lossi_distance_terms {
    f64v gradient[LOSSI_WIDENED]; /* ∂t/∂a */
    f64v bend[LOSSI_WIDENED];     /* ∂²t/∂a², the diagonal */
    f64v product[LOSSI_WIDENED];  /* ∂²t/∂a² v */
} lossi_distance_terms;

LOSSI_INLINE void lossi_distance_at(const lossi_distance *d, int64_t j, int64_t columns,
                                    lossi_distance_terms *out)
{
    const f64v g = f64_set1(d->g), h = f64_set1(d->h), k = f64_set1(d->k), along = f64_set1(d->k * d->along);
    f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], va[LOSSI_WIDENED], vb[LOSSI_WIDENED];
    lossi_wide_load(d->a, j, columns, a);
    lossi_wide_load(d->b, j, columns, b);
    lossi_wide_load(d->along_a, j, columns, va);
    lossi_wide_load(d->along_b, j, columns, vb);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v delta = a[v] - b[v];
        out->gradient[v] = g * delta;
        out->bend[v] = h - k * (delta * delta);
        out->product[v] = h * (va[v] - vb[v]) - along * delta;
    }
}

#endif
