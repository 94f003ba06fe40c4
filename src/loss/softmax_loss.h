/*
 * Losses of the softmax of a row that are sums of functions φ of the columns' log-probabilities: their derivatives by logits.
 *
 * With φ' and φ'' by log p, c = Σ φ' and h_k = φ''_k − p_k c:
 *
 *     gradient  φ'_j − p_j c        curvature  Σ_k h_k (e_k − p)(e_k − p)ᵀ, e_k a unit vector
 *
 * Gauss–Newton leaves out the h_k below 0. Where φ is linear in log p, h is p times W = −c, the matrix W (diag p − ppᵀ), and its
 * majorizer ½ W (I − 11ᵀ/K), as a diagonal ½ W (Böhning 1992).
 *
 * With H = Σ h = Σ φ'' − c and A = Σ h w the diagonal is h_j (1 − 2 p_j) + p_j² H, and the product h_j w_j − p_j A, where w is the
 * direction from its mean p·v. In a column that dominates, p > ¾, these cancel: there they are φ'_j (1 − p_j) − p_j (c − φ'_j),
 * h_j (1 − p_j)² + p_j² (H − h_j) and h_j w_j (1 − p_j) − p_j (A − h_j w_j), with 1 − p and the differences summed over the others,
 * and directions are measured from their element there.
 *
 * The including file defines columns(), which gives φ. It is called again in every pass: nothing is stored between.
 */
#ifndef LOSSI_LOSS_SOFTMAX_LOSS_H
#define LOSSI_LOSS_SOFTMAX_LOSS_H

#include "loss/softmax.h"

/* A vector of columns. */
typedef struct lossi_columns {
    lossi_softmax_columns of;
    vreal value, first, second;
    vmask dominant;
} lossi_columns;

/* A row while it is worked on; `others` leaves out the largest column. */
typedef struct lossi_softmax_state {
    lossi_softmax softmax;
    const void *own; /* what columns() wants to know */
    int32_t linear;  /* φ is linear in log p */
    real value;
    real first, first_others; /* Σ φ' */
    real origin, mean; /* of the direction: its element at the largest column, and from there p·direction */
    real bend, bend_others;   /* Σ h */
    real along, along_others; /* Σ h w */
} lossi_softmax_state;

/*
 * value, first and second of a vector of columns, whose probabilities are filled in; 0 beyond the row. Inlined: of these, what a pass
 * does not use the compiler leaves out.
 */
LOSSI_INLINE void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                          lossi_columns *out);

LOSSI_SHORT void lossi_columns_load(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s,
                                    int64_t j, lossi_columns *out)
{
    lossi_softmax_load(&s->softmax, j, &out->of);
    out->dominant = v_gt(out->of.p, v_set1(REAL(0.75)));
    columns(tile, row, s, j, out);
}

/* A sum over all columns, and over all but the largest. */
typedef struct lossi_two_sums {
    lossi_lane_sum all, others;
} lossi_two_sums;

LOSSI_INLINE void lossi_two_sums_clear(lossi_two_sums *sums)
{
    lossi_lane_sum_clear(&sums->all);
    lossi_lane_sum_clear(&sums->others);
}

LOSSI_INLINE void lossi_two_sums_add(lossi_two_sums *sums, int64_t j, vmask largest, vreal x)
{
    lossi_columns_add(&sums->all, j, x);
    lossi_columns_add(&sums->others, j, v_select(largest, v_set1(0), x));
}

LOSSI_INLINE void lossi_two_sums_total(lossi_two_sums *sums, int64_t columns, real *all, real *others)
{
    *all = (real)lossi_columns_total(&sums->all, columns);
    *others = (real)lossi_columns_total(&sums->others, columns);
}

/* ---- passes over the columns of a row ---- */

/* Whether there is more to a second derivative than Σ φ' tells. */
LOSSI_INLINE int32_t lossi_softmax_bent(const lossi_tile *tile, const lossi_softmax_state *s)
{
    return (tile->curvature != NULL || tile->product != NULL) && !s->linear;
}

/* Σ φ, with an offset, and what is wanted of Σ φ' and Σ φ'' − Σ φ'. */
static __attribute__((noinline)) void lossi_softmax_values(const lossi_tile *tile, int64_t row, double offset,
                                                           lossi_softmax_state *s)
{
    const int32_t slopes = tile->gradient != NULL, bends = lossi_softmax_bent(tile, s);
    lossi_lane_sum value, bend;
    lossi_two_sums first;
    lossi_columns at;
    lossi_lane_sum_clear(&value);
    lossi_lane_sum_clear(&bend);
    lossi_two_sums_clear(&first);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns_load(tile, row, s, j, &at);
        lossi_columns_add(&value, j, at.value);
        if (slopes) {
            lossi_two_sums_add(&first, j, at.of.largest, at.first);
        }
        if (bends) {
            lossi_columns_add(&bend, j, at.second - at.first);
        }
    }
    const real others =
        s->softmax.others.head; /* NaN in a column that counts for nothing is NaN all the same */
    s->value = others != others ? others : (real)(lossi_columns_total(&value, tile->columns) + offset);
    if (slopes) {
        lossi_two_sums_total(&first, tile->columns, &s->first, &s->first_others);
    }
    if (bends) {
        s->bend = (real)lossi_columns_total(&bend, tile->columns);
    }
}

/* p · direction, or for a majorizer the mean of the direction. */
static void lossi_softmax_direction(const lossi_tile *tile, int64_t row, lossi_softmax_state *s)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    lossi_softmax_columns at;
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    s->origin = majorizer ? 0 : lossi_get(direction + s->softmax.largest);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal d = lossi_load_columns(direction, j, tile->columns, 0);
        lossi_softmax_load(&s->softmax, j, &at);
        lossi_columns_add(&sum, j, majorizer ? d : at.p * (d - v_set1(s->origin)));
    }
    const double total = lossi_columns_total(&sum, tile->columns);
    s->mean = (real)(majorizer ? total / (double)tile->columns : total);
}

/* w of a vector of columns; 0 without a direction. */
LOSSI_INLINE vreal lossi_softmax_load_direction(const lossi_tile *tile, int64_t row,
                                                const lossi_softmax_state *s, int64_t j)
{
    if (tile->product == NULL) {
        return v_set1(0);
    }
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    return (lossi_load_columns(direction, j, tile->columns, s->origin) - v_set1(s->origin)) - v_set1(s->mean);
}

LOSSI_INLINE vreal lossi_softmax_exact_bend(const lossi_softmax_state *s, const lossi_columns *at)
{
    return v_fnma(at->of.p, v_set1(s->first), at->second);
}

/* h, without its negative parts for Gauss–Newton. */
LOSSI_INLINE vreal lossi_softmax_bend(const lossi_tile *tile, const lossi_softmax_state *s,
                                      const lossi_columns *at)
{
    const vreal h = lossi_softmax_exact_bend(s, at);
    return tile->curvature_kind == LOSSI_GAUSS_NEWTON ? v_max(v_set1(0), h) : h;
}

/* The sums of h and h w; H itself is known, but for what Gauss–Newton leaves out. */
static void lossi_softmax_bends(const lossi_tile *tile, int64_t row, lossi_softmax_state *s)
{
    lossi_two_sums along;
    lossi_lane_sum others, left_out;
    lossi_columns at;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&left_out);
    lossi_two_sums_clear(&along);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns_load(tile, row, s, j, &at);
        const vreal w = lossi_softmax_load_direction(tile, row, s, j), h = lossi_softmax_bend(tile, s, &at);
        lossi_columns_add(&others, j, v_select(at.of.largest, v_set1(0), h));
        lossi_columns_add(&left_out, j, h - lossi_softmax_exact_bend(s, &at));
        lossi_two_sums_add(&along, j, at.of.largest, h * w);
    }
    s->bend_others = (real)lossi_columns_total(&others, tile->columns);
    s->bend = (real)((double)s->bend + lossi_columns_total(&left_out, tile->columns));
    lossi_two_sums_total(&along, tile->columns, &s->along, &s->along_others);
}

/* ---- outputs ---- */

/* Curvature and product of a vector of columns. */
LOSSI_INLINE void lossi_softmax_second(const lossi_tile *tile, const lossi_softmax_state *s,
                                       const lossi_columns *at, vreal w, vreal *curvature, vreal *product)
{
    const vreal weight = v_set1(-s->first), bound = weight * REAL(0.5);
    const vreal p = at->of.p, rest = at->of.rest;
    if (tile->curvature_kind == LOSSI_MAJORIZER) {
        *curvature = bound;
        *product = bound * w;
    } else if (s->linear) {
        *curvature = weight * p * rest;
        *product = weight * p * w;
    } else {
        const vreal h = lossi_softmax_bend(tile, s, at), hw = h * w;
        const vreal split = v_fnma(v_set1(2), p, v_set1(1));
        const vreal here = v_fma(h * rest, rest, p * p * v_set1(s->bend_others));
        *curvature = v_select(at->dominant, here, v_fma(h, split, p * p * v_set1(s->bend)));
        *product = v_select(at->dominant, hw * rest - p * v_set1(s->along_others),
                            v_fnma(p, v_set1(s->along), hw));
    }
}

LOSSI_INLINE vreal lossi_softmax_gradient(const lossi_softmax_state *s, const lossi_columns *at)
{
    const vreal p = at->of.p, first = at->first;
    return v_select(at->dominant, first * at->of.rest - p * v_set1(s->first_others),
                    v_fnma(p, v_set1(s->first), first));
}

/* Everything is read of columns before anything of them is written: the gradient may take the prediction's place. */
static __attribute__((noinline)) void lossi_softmax_write(const lossi_tile *tile, int64_t row,
                                                          const lossi_softmax_state *s)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t seconds = to.curvature != NULL || to.product != NULL;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns at;
        lossi_columns_load(tile, row, s, j, &at);
        if (seconds) {
            const vreal w = lossi_softmax_load_direction(tile, row, s, j);
            vreal curvature, product;
            lossi_softmax_second(tile, s, &at, w, &curvature, &product);
            lossi_store_scaled_columns(tile, to.curvature, j, curvature);
            lossi_store_scaled_columns(tile, to.product, j, product);
        }
        lossi_store_scaled_columns(tile, to.gradient, j, lossi_softmax_gradient(s, &at));
    }
}

/* What is wanted of a row whose value and Σ φ' are known. */
static void lossi_softmax_finish(const lossi_tile *tile, int64_t row, lossi_softmax_state *s)
{
    lossi_put((real *)tile->value + row, s->value);
    if (s->value != s->value) {
        lossi_fill_row(tile, row, s->value);
        return;
    }
    if (tile->product != NULL) {
        lossi_softmax_direction(tile, row, s);
    }
    if (lossi_softmax_bent(tile, s)) {
        lossi_softmax_bends(tile, row, s);
    }
    if (tile->gradient != NULL) {
        lossi_softmax_write(tile, row, s);
    }
}

#endif
