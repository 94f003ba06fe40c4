/*
 * Losses of the overlap of a row of probabilities p with a row of targets t, both in [0, 1].
 *
 *     N = Σ p t + n,   D = Σ p t + α Σ p (1 − t) + β Σ (1 − p) t + d,   u = 1 − N/D,   loss = uᵉ
 *
 * or, with squares, D = ½ Σ (p² + t²) + d. Nothing cancels in u = M/D with M = α Σ p (1 − t) + β Σ (1 − p) t + (d − n), or
 * M = ½ Σ (p − t)² + (d − n). With the gradients m of M and b = m + t of D, q = N/D, and c = q for squares, 0 otherwise:
 *
 *     ∇u = a = (q m − u t)/D = (q b − t)/D = (m − u b)/D        ∇²u = (c I − a bᵀ − b aᵀ)/D
 *
 * so that the Hessian of the loss, u′ ∇²u + u″ a aᵀ with u′ and u″ the derivatives of uᵉ, costs two sums over the columns. The
 * positive part of −a bᵀ − b aᵀ is ½ w wᵀ, w = ρ b − a/ρ, ρ² = ‖a‖/‖b‖, for b/‖b‖ ± a/‖a‖ are its eigenvectors: Gauss–Newton
 * takes that, and u″ where it is not negative.
 *
 * These are sums of terms of both signs: of soft targets a, of any (e − 1) m − (e + 1) u b and products. a is made of the smaller of q
 * and u. Where exponents, squares or n > d make more of it cancel q and u have what rounding takes from them, in float64; what is left
 * is within 4 ulp of the sizes of the terms added up, where that is more than their own (tests/reference/overlap.py).
 *
 * Nothing predicted where nothing is wanted, N = D = 0, is a perfect overlap: loss 0, derivatives 0.
 */
#ifndef LOSSI_LOSS_OVERLAP_H
#define LOSSI_LOSS_OVERLAP_H

#include "loss/distribution.h"
#include "loss/twofold.h"

typedef struct lossi_overlap {
    double alpha, beta;            /* what a false positive and a false negative count */
    double numerator, denominator; /* n and d */
    int32_t squares;
    int32_t fine; /* terms cancel whatever the targets are */
} lossi_overlap;

/* A row while it is worked on. */
typedef struct lossi_overlap_row {
    const lossi_overlap *how;
    const real *prediction, *target, *direction; /* direction NULL: no product */
    int64_t columns;
    lossi_twofold q, u;        /* N/D, M/D */
    int32_t fine;              /* these have what rounding takes from them */
    double inverse;            /* 1/D */
    double value, slope, bend; /* uᵉ, u′, u″ */
    double exponent, power;    /* e, and e uᵉ⁻² */
    lossi_twofold steep;       /* −(e + 1) u */
    double along_a, along_b;   /* a·direction, b·direction */
    double ratio, away;        /* ρ and 1/ρ, 0 where Gauss–Newton takes nothing */
    double along_w;            /* w·direction */
} lossi_overlap_row;

/* ---- sums over the columns ---- */

/* Vector v of a pack in double. */
LOSSI_INLINE void lossi_overlap_widen(vreal x, f64v *out)
{
#if LOSSI_REAL == 64
    out[0] = x;
#else
    out[0] = f32_to_f64_low(x);
    out[1] = f32_to_f64_high(x);
#endif
}

/* Adds vector v of a pack to its lanes; of float64 with what rounding takes away. */
LOSSI_INLINE void lossi_overlap_add(lossi_lane_sum *sum, int v, const f64v *x)
{
#if LOSSI_REAL == 64
    lossi_lane_sum_add(sum, v, x[0]);
#else
    sum->sum[2 * v] = sum->sum[2 * v] + x[0];
    sum->sum[2 * v + 1] = sum->sum[2 * v + 1] + x[1];
#endif
}

typedef struct lossi_overlap_ratios {
    lossi_twofold q, u;
    double inverse;
} lossi_overlap_ratios;

/* N/D, M/D and 1/D with what rounding takes from them, of Σ p t and the other two sums. Given by value: the row stays in registers. */
static __attribute__((noinline)) lossi_overlap_ratios
lossi_overlap_fine(const lossi_overlap *how, lossi_twofold shared, lossi_twofold first, lossi_twofold second)
{
    const lossi_twofold n = lossi_twofold_of(how->numerator), d = lossi_twofold_of(how->denominator);
    const lossi_twofold errors =
        how->squares ? first
                     : lossi_twofold_add(lossi_twofold_multiply(lossi_twofold_of(how->alpha), first),
                                         lossi_twofold_multiply(lossi_twofold_of(how->beta), second));
    const lossi_twofold common = lossi_twofold_add(shared, n),
                        apart = lossi_twofold_add(errors, lossi_twofold_subtract(d, n));
    const lossi_twofold all = lossi_twofold_add(how->squares ? second : lossi_twofold_add(shared, errors), d);
    if (all.head == 0 && common.head == 0) {
        return (lossi_overlap_ratios){{1, 0}, {0, 0}, 0};
    }
    return (lossi_overlap_ratios){lossi_twofold_divide(common, all), lossi_twofold_divide(apart, all),
                                  1 / all.head};
}

/* The same of rows whose terms do not cancel. */
LOSSI_INLINE lossi_overlap_ratios lossi_overlap_plain(const lossi_overlap *how, double shared, double first,
                                                      double second)
{
    const double errors = how->squares ? first : how->alpha * first + how->beta * second;
    const double common = shared + how->numerator, apart = errors + (how->denominator - how->numerator);
    const double all = (how->squares ? second : shared + errors) + how->denominator;
    const int32_t nothing = all == 0 && common == 0;
    return (lossi_overlap_ratios){
        {nothing ? 1 : common / all, 0}, {nothing ? 0 : apart / all, 0}, nothing ? 0 : 1 / all};
}

/* N/D, M/D and 1/D. */
static void lossi_overlap_measure(lossi_overlap_row *row)
{
    const lossi_overlap *how = row->how;
    const f64v one = f64_set1(1), half = f64_set1(0.5);
    lossi_lane_sum both, over, under; /* p t, then p (1 − t) and (1 − p) t, or ½ (p − t)² and ½ (p² + t²) */
    lossi_lane_sum_clear(&both);
    lossi_lane_sum_clear(&over);
    lossi_lane_sum_clear(&under);
    for (int64_t j = 0; j < row->columns; j += LOSSI_LANES) {
        vreal predictions[LOSSI_PACK], targets[LOSSI_PACK];
        lossi_load_pack(row->prediction, j, row->columns, 0, predictions);
        lossi_load_pack(row->target, j, row->columns, 0, targets);
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            f64v p[LOSSI_WIDENED], t[LOSSI_WIDENED], x[LOSSI_WIDENED], y[LOSSI_WIDENED], z[LOSSI_WIDENED];
            lossi_overlap_widen(predictions[v], p);
            lossi_overlap_widen(targets[v], t);
            for (int w = 0; w < LOSSI_WIDENED; w++) {
                const f64v apart = p[w] - t[w];
                x[w] = p[w] * t[w];
                y[w] = how->squares ? half * (apart * apart) : p[w] * (one - t[w]);
                z[w] = how->squares ? half * f64_fma(p[w], p[w], t[w] * t[w]) : (one - p[w]) * t[w];
            }
            lossi_overlap_add(&both, v, x);
            lossi_overlap_add(&over, v, y);
            lossi_overlap_add(&under, v, z);
        }
    }
    row->fine = LOSSI_REAL == 64 && how->fine;
    const lossi_overlap_ratios x =
        row->fine ? lossi_overlap_fine(how, lossi_lane_sum_parts(&both), lossi_lane_sum_parts(&over),
                                       lossi_lane_sum_parts(&under))
                  : lossi_overlap_plain(how, lossi_lane_sum_total(&both), lossi_lane_sum_total(&over),
                                        lossi_lane_sum_total(&under));
    row->q = x.q;
    row->u = x.u;
    row->inverse = x.inverse;
}

/* ---- derivatives ---- */

/* a, b and m of columns j …; beyond the row they are some numbers. */
LOSSI_INLINE void lossi_overlap_gradients(const lossi_overlap_row *row, int64_t j, f64v *a, f64v *b, f64v *m)
{
    const lossi_overlap *how = row->how;
    const f64m from_u = f64_lt(f64_set1(row->u.head), f64_set1(0.5)); /* no branch: nobody could predict it */
    const f64v part = f64_select(from_u, f64_set1(-row->u.head), f64_set1(row->q.head)),
               lost = f64_select(from_u, f64_set1(-row->u.lost), f64_set1(row->q.lost)),
               inverse = f64_set1(row->inverse);
    const f64v alpha = f64_set1(how->alpha), beta = f64_set1(how->beta), one = f64_set1(1),
               even = f64_set1((1 - how->beta) - how->alpha);
    f64v p[LOSSI_WIDENED], t[LOSSI_WIDENED];
    lossi_wide_load(row->prediction, j, row->columns, p);
    lossi_wide_load(row->target, j, row->columns, t);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        m[v] = how->squares ? p[v] - t[v] : alpha * (one - t[v]) - beta * t[v];
        b[v] = how->squares ? p[v] : f64_fma(even, t[v], alpha);
        a[v] = f64_fma(part, b[v], f64_select(from_u, m[v], -t[v]));
        a[v] = (row->fine ? f64_fma(lost, b[v], a[v]) : a[v]) * inverse;
    }
}

/* What a product or Gauss–Newton needs of all columns. */
static void lossi_overlap_sums(lossi_overlap_row *row)
{
    static const real ones[LOSSI_LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    lossi_lane_sum sums[4];
    double total[4];
    for (int k = 0; k < 4; k++) {
        lossi_lane_sum_clear(&sums[k]);
    }
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], m[LOSSI_WIDENED], d[LOSSI_WIDENED], there[LOSSI_WIDENED],
            x[4][LOSSI_WIDENED];
        lossi_overlap_gradients(row, j, a, b, m);
        lossi_wide_load(row->direction, j, row->columns, d);
        lossi_wide_load(ones, 0, row->columns - j, there);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            x[0][v] = there[v] * (a[v] * a[v]);
            x[1][v] = there[v] * (b[v] * b[v]);
            x[2][v] = a[v] * d[v];
            x[3][v] = b[v] * d[v];
        }
        for (int k = 0; k < 4; k++) {
            lossi_overlap_add(&sums[k], (int)(j / VREAL_LANES) % LOSSI_PACK, x[k]);
        }
    }
    for (int k = 0; k < 4; k++) {
        total[k] = lossi_lane_sum_total(&sums[k]);
    }
    row->ratio = total[0] > 0 && total[1] > 0 ? sqrt(sqrt(total[0] / total[1])) : 0;
    row->away = row->ratio == 0 ? 0 : 1 / row->ratio;
    row->along_a = total[2];
    row->along_b = total[3];
}

/* w·direction from w as it is used, not from a and b: then no rounding makes the matrix bend anything down. */
static void lossi_overlap_along(lossi_overlap_row *row)
{
    const f64v ratio = f64_set1(row->ratio), away = f64_set1(row->away);
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], m[LOSSI_WIDENED], d[LOSSI_WIDENED];
        lossi_overlap_gradients(row, j, a, b, m);
        lossi_wide_load(row->direction, j, row->columns, d);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            d[v] = (ratio * b[v] - away * a[v]) * d[v];
        }
        lossi_overlap_add(&sum, (int)(j / VREAL_LANES) % LOSSI_PACK, d);
    }
    row->along_w = lossi_lane_sum_total(&sum);
}

/*
 * Curvature and product of one vector of columns. The diagonal u″ a² − 2 u′ a b/D is e uᵉ⁻² a ((e − 1) m − (e + 1) u b)/D: so put,
 * less of it cancels. Gauss–Newton is never below it but for rounding.
 */
LOSSI_INLINE void lossi_overlap_second(const lossi_overlap_row *row, int32_t gauss_newton, f64v a, f64v b,
                                       f64v m, f64v d, f64v *curvature, f64v *product)
{
    const f64v slope = f64_set1(row->slope * row->inverse), inverse = f64_set1(row->inverse);
    const f64v c = f64_set1(row->how->squares ? row->q.head : 0);
    const double bend = gauss_newton && row->bend < 0 ? 0 : row->bend;
    const f64v less = f64_set1(row->exponent - 1), flat = less * m;
    f64v turn = f64_fma(f64_set1(row->steep.head), b, flat);
    turn = turn + f64_fma(f64_set1(row->steep.lost), b, f64_fma(less, m, -flat));
    f64v moved = c * d - (a * f64_set1(row->along_b) + b * f64_set1(row->along_a));
    /* u″ may be infinite */
    *curvature = slope * c +
                 inverse * a * (row->bend == 0 ? f64_set1(-2 * row->slope) * b : f64_set1(row->power) * turn);
    if (gauss_newton) {
        const f64v half = f64_set1(0.5), w = f64_set1(row->ratio) * b - f64_set1(row->away) * a;
        const f64v diagonal = slope * f64_fma(half * w, w, c);
        *curvature = f64_max(*curvature, bend == 0 ? diagonal : diagonal + f64_set1(bend) * (a * a));
        moved = c * d + half * w * f64_set1(row->along_w);
    }
    *product = bend == 0 ? slope * moved : slope * moved + f64_set1(bend * row->along_a) * a;
}

LOSSI_INLINE void lossi_overlap_write(const lossi_tile *tile, int64_t i, const lossi_overlap_row *row,
                                      int32_t second)
{
    const lossi_outputs to = lossi_outputs_of(tile, i);
    const f64v scale = f64_set1(tile->scale);
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], m[LOSSI_WIDENED], d[LOSSI_WIDENED], gradient[LOSSI_WIDENED],
            curvature[LOSSI_WIDENED], product[LOSSI_WIDENED];
        lossi_overlap_gradients(row, j, a, b, m);
        lossi_wide_load(row->direction, j, row->columns, d);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            gradient[v] = f64_set1(row->slope) * a[v] * scale;
        }
        for (int v = 0; v < LOSSI_WIDENED && second; v++) {
            lossi_overlap_second(row, tile->curvature_kind == LOSSI_GAUSS_NEWTON, a[v], b[v], m[v], d[v],
                                 &curvature[v], &product[v]);
            curvature[v] = curvature[v] * scale;
            product[v] = product[v] * scale;
        }
        /* everything has been read of these columns: the gradient may take the prediction's place */
        if (to.gradient != NULL) {
            lossi_wide_store(to.gradient, j, row->columns, gradient);
        }
        if (second && to.curvature != NULL) {
            lossi_wide_store(to.curvature, j, row->columns, curvature);
        }
        if (second && to.product != NULL) {
            lossi_wide_store(to.product, j, row->columns, product);
        }
    }
}

/* The kernel of all of them; `raise` makes uᵉ, u′ and u″ of u, NULL leaves u as it is. */
LOSSI_INLINE void lossi_overlap_tile(const lossi_tile *tile, const lossi_overlap *how,
                                     void (*raise)(const lossi_tile *tile, lossi_overlap_row *row))
{
    for (int64_t i = 0; i < tile->rows; i++) {
        lossi_overlap_row row = {.how = how,
                                 .prediction = lossi_row_of(tile->prediction, i, tile->prediction_stride),
                                 .target = lossi_row_of(tile->target, i, tile->target_stride),
                                 .columns = tile->columns};
        if (tile->product != NULL) {
            row.direction = lossi_row_of(tile->direction, i, tile->direction_stride);
        }
        lossi_overlap_measure(&row);
        row.value = row.u.head;
        row.slope = row.exponent = 1;
        if (raise != NULL) {
            raise(tile, &row);
        }
        lossi_put((real *)tile->value + i, (real)row.value);
        lossi_put((real *)tile->denominator + i, 1);
        if (row.value != row.value) {
            lossi_fill_row(tile, i, (real)row.value);
            continue;
        }
        if (tile->product != NULL ||
            (tile->curvature != NULL && tile->curvature_kind == LOSSI_GAUSS_NEWTON)) {
            lossi_overlap_sums(&row);
            if (tile->product != NULL && tile->curvature_kind == LOSSI_GAUSS_NEWTON) {
                lossi_overlap_along(&row);
            }
        }
        if (tile->curvature != NULL || tile->product != NULL) {
            lossi_overlap_write(tile, i, &row, 1);
        } else if (tile->gradient != NULL) {
            lossi_overlap_write(tile, i, &row, 0);
        }
    }
}

/* What is the same for their rows of the catalogue. */
#ifdef LOSSI_ONCE

#define LOSSI_OVERLAP_SMOOTH(which)                                                                          \
    {                                                                                                        \
        .name = "smooth_" which, .type = LOSS_OPTION_DOUBLE, .minimum = 0, .maximum = 1e6, .initial = 1e-5,  \
        .doc = "what is added to the " which " of the overlap"                                               \
    }

/* Domains and bounds of 1 − N/D to a power, from n and d. */
static void lossi_overlap_prepare(lossi_prepared *prepared, double numerator, double denominator,
                                  double exponent)
{
    const double whole = nearbyint(exponent), steps = ceil(exponent) - 1;
    prepared->prediction = prepared->target = (lossi_domain){0, 1, 0};
    prepared->bounds.maximum = 1;
    prepared->bounds.derivatives = exponent == whole ? LOSSI_UNBOUNDED : steps;
    if (numerator > denominator) {
        prepared->bounds.minimum = exponent == 1 && denominator > 0 ? 1 - numerator / denominator
                                                                    : -LOSSI_UNBOUNDED;
    }
    if (denominator == 0) { /* a jump where nothing is left of both */
        prepared->bounds.derivatives = 0;
    }
    if (prepared->bounds.derivatives < 1) {
        prepared->flags &= ~(uint32_t)LOSSI_SMOOTH;
    }
}

#endif

#endif
