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

#include "loss/distribution.h"

/* 16 columns. */
typedef struct lossi_columns {
    vreal p[LOSSI_PACK], rest[LOSSI_PACK], log[LOSSI_PACK]; /* p, 1 − p, log p */
    vreal value[LOSSI_PACK], first[LOSSI_PACK], second[LOSSI_PACK];
    vmask largest[LOSSI_PACK], dominant[LOSSI_PACK];
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

/* value, first and second of 16 columns, whose probabilities are filled in; 0 beyond the row. */
static void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                    lossi_columns *out);

static void lossi_columns_load(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                               lossi_columns *out)
{
    lossi_softmax_pack(&s->softmax, j, out->p, out->rest, out->log, out->largest);
    for (int v = 0; v < LOSSI_PACK; v++) {
        out->dominant[v] = v_gt(out->p[v], v_set1(REAL(0.75)));
    }
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

LOSSI_INLINE void lossi_two_sums_add(lossi_two_sums *sums, int v, vmask largest, vreal x)
{
    lossi_lane_sum_add(&sums->all, v, x);
    lossi_lane_sum_add(&sums->others, v, v_select(largest, v_set1(0), x));
}

LOSSI_INLINE void lossi_two_sums_total(const lossi_two_sums *sums, real *all, real *others)
{
    *all = (real)lossi_lane_sum_total(&sums->all);
    *others = (real)lossi_lane_sum_total(&sums->others);
}

/* ---- passes over the columns of a row ---- */

/* Σ φ, with an offset, Σ φ', and Σ φ'' − Σ φ'. */
static void lossi_softmax_values(const lossi_tile *tile, int64_t row, double offset, lossi_softmax_state *s)
{
    lossi_lane_sum value, bend;
    lossi_two_sums first;
    lossi_columns at;
    lossi_lane_sum_clear(&value);
    lossi_lane_sum_clear(&bend);
    lossi_two_sums_clear(&first);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_columns_load(tile, row, s, j, &at);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&value, v, at.value[v]);
            lossi_lane_sum_add(&bend, v, at.second[v] - at.first[v]);
            lossi_two_sums_add(&first, v, at.largest[v], at.first[v]);
        }
    }
    const real others =
        s->softmax.others.head; /* NaN in a column that counts for nothing is NaN all the same */
    s->value = others != others ? others : (real)(lossi_lane_sum_total(&value) + offset);
    lossi_two_sums_total(&first, &s->first, &s->first_others);
    s->bend = (real)lossi_lane_sum_total(&bend);
}

/* p · direction, or for a majorizer the mean of the direction. */
static void lossi_softmax_direction(const lossi_tile *tile, int64_t row, lossi_softmax_state *s)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    vreal p[LOSSI_PACK], rest[LOSSI_PACK], log[LOSSI_PACK], d[LOSSI_PACK];
    vmask largest[LOSSI_PACK];
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    s->origin = majorizer ? 0 : lossi_get(direction + s->softmax.largest);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_softmax_pack(&s->softmax, j, p, rest, log, largest);
        lossi_load_pack(direction, j, tile->columns, 0, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&sum, v, majorizer ? d[v] : p[v] * (d[v] - v_set1(s->origin)));
        }
    }
    const double total = lossi_lane_sum_total(&sum);
    s->mean = (real)(majorizer ? total / (double)tile->columns : total);
}

/* w of 16 columns; 0 without a direction. */
static void lossi_softmax_load_direction(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s,
                                         int64_t j, vreal *w)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        w[v] = v_set1(0);
    }
    if (tile->product == NULL) {
        return;
    }
    lossi_load_pack(lossi_row_of(tile->direction, row, tile->direction_stride), j, tile->columns, s->origin,
                    w);
    for (int v = 0; v < LOSSI_PACK; v++) {
        w[v] = (w[v] - v_set1(s->origin)) - v_set1(s->mean);
    }
}

LOSSI_INLINE vreal lossi_softmax_exact_bend(const lossi_softmax_state *s, const lossi_columns *at, int v)
{
    return v_fnma(at->p[v], v_set1(s->first), at->second[v]);
}

/* h, without its negative parts for Gauss–Newton. */
LOSSI_INLINE vreal lossi_softmax_bend(const lossi_tile *tile, const lossi_softmax_state *s,
                                      const lossi_columns *at, int v)
{
    const vreal h = lossi_softmax_exact_bend(s, at, v);
    return tile->curvature_kind == LOSSI_GAUSS_NEWTON ? v_max(v_set1(0), h) : h;
}

/* The sums of h and h w; H itself is known, but for what Gauss–Newton leaves out. */
static void lossi_softmax_bends(const lossi_tile *tile, int64_t row, lossi_softmax_state *s)
{
    lossi_two_sums along;
    lossi_lane_sum others, left_out;
    lossi_columns at;
    vreal w[LOSSI_PACK];
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&left_out);
    lossi_two_sums_clear(&along);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_columns_load(tile, row, s, j, &at);
        lossi_softmax_load_direction(tile, row, s, j, w);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vreal h = lossi_softmax_bend(tile, s, &at, v);
            lossi_lane_sum_add(&others, v, v_select(at.largest[v], v_set1(0), h));
            lossi_lane_sum_add(&left_out, v, h - lossi_softmax_exact_bend(s, &at, v));
            lossi_two_sums_add(&along, v, at.largest[v], h * w[v]);
        }
    }
    s->bend_others = (real)lossi_lane_sum_total(&others);
    s->bend = (real)((double)s->bend + lossi_lane_sum_total(&left_out));
    lossi_two_sums_total(&along, &s->along, &s->along_others);
}

/* ---- outputs ---- */

/* Curvature and product of 16 columns. */
static void lossi_softmax_second(const lossi_tile *tile, const lossi_softmax_state *s,
                                 const lossi_columns *at, const vreal *w, vreal *curvature, vreal *product)
{
    const vreal weight = v_set1(-s->first), bound = weight * REAL(0.5);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal p = at->p[v], rest = at->rest[v];
        if (tile->curvature_kind == LOSSI_MAJORIZER) {
            curvature[v] = bound;
            product[v] = bound * w[v];
        } else if (s->linear) {
            curvature[v] = weight * p * rest;
            product[v] = weight * p * w[v];
        } else {
            const vreal h = lossi_softmax_bend(tile, s, at, v), hw = h * w[v];
            const vreal split = v_fnma(v_set1(2), p, v_set1(1));
            const vreal here = v_fma(h * rest, rest, p * p * v_set1(s->bend_others));
            curvature[v] = v_select(at->dominant[v], here, v_fma(h, split, p * p * v_set1(s->bend)));
            product[v] = v_select(at->dominant[v], hw * rest - p * v_set1(s->along_others),
                                  v_fnma(p, v_set1(s->along), hw));
        }
    }
}

/* Everything is read of 16 columns before anything of them is written: the gradient may take the prediction's place. */
static void lossi_softmax_write(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    vreal w[LOSSI_PACK], gradient[LOSSI_PACK], curvature[LOSSI_PACK], product[LOSSI_PACK];
    lossi_columns at;
    lossi_columns_load(tile, row, s, j, &at);
    lossi_softmax_load_direction(tile, row, s, j, w);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal p = at.p[v], first = at.first[v];
        gradient[v] = v_select(at.dominant[v], first * at.rest[v] - p * v_set1(s->first_others),
                               v_fnma(p, v_set1(s->first), first));
    }
    if (to.curvature != NULL || to.product != NULL) {
        lossi_softmax_second(tile, s, &at, w, curvature, product);
        lossi_store_scaled(tile, to.curvature, j, curvature);
        lossi_store_scaled(tile, to.product, j, product);
    }
    lossi_store_scaled(tile, to.gradient, j, gradient);
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
    if ((tile->curvature != NULL || tile->product != NULL) && !s->linear) {
        lossi_softmax_bends(tile, row, s);
    }
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        lossi_softmax_write(tile, row, s, j);
    }
}

#endif
