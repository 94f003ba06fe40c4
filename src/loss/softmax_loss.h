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
    vreal value;
    vreal first, first_others; /* Σ φ' */
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

LOSSI_SHORT void lossi_columns_load(int32_t abreast, const lossi_tile *tile, int64_t row,
                                    const lossi_softmax_state *s, int64_t j, lossi_columns *out)
{
    if (abreast) {
        lossi_softmax_load_kept(&s->softmax, j, &out->of);
    } else {
        lossi_softmax_load(&s->softmax, j, &out->of);
    }
    out->dominant = v_gt(out->of.p, v_set1(REAL(0.75)));
    columns(tile, row, s, j, out);
}

/* A sum over all columns, and over all but the largest. */
typedef struct lossi_two_sums {
    lossi_sum all, others;
} lossi_two_sums;

LOSSI_INLINE void lossi_two_sums_clear(int32_t abreast, lossi_two_sums *sums)
{
    lossi_sum_clear(abreast, &sums->all);
    lossi_sum_clear(abreast, &sums->others);
}

LOSSI_INLINE void lossi_two_sums_add(int32_t abreast, lossi_two_sums *sums, int64_t j, vmask largest, vreal x)
{
    lossi_sum_add(abreast, &sums->all, j, x);
    lossi_sum_add(abreast, &sums->others, j, v_select(largest, v_set1(0), x));
}

LOSSI_INLINE void lossi_two_sums_total(int32_t abreast, lossi_two_sums *sums, int64_t columns, vreal *all,
                                       vreal *others)
{
    *all = lossi_round(lossi_sum_total(abreast, &sums->all, columns, 0));
    *others = lossi_round(lossi_sum_total(abreast, &sums->others, columns, 0));
}

/* ---- passes over the columns of a row ---- */

/* Whether there is more to a second derivative than Σ φ' tells. */
LOSSI_INLINE int32_t lossi_softmax_bent(const lossi_tile *tile, const lossi_softmax_state *s)
{
    return (tile->curvature != NULL || tile->product != NULL) && !s->linear;
}

/* Σ φ, with an offset, and what is wanted of Σ φ' and Σ φ'' − Σ φ'. */
LOSSI_INLINE void lossi_softmax_values_of(int32_t abreast, const lossi_tile *tile, int64_t row, vreal offset,
                                          lossi_softmax_state *s)
{
    const int32_t slopes = tile->gradient != NULL || tile->curvature != NULL || tile->product != NULL,
                  bends = !abreast && lossi_softmax_bent(tile, s);
    lossi_sum value, bend;
    lossi_two_sums first;
    lossi_columns at;
    lossi_sum_clear(abreast, &value);
    lossi_sum_clear(abreast, &bend);
    lossi_two_sums_clear(abreast, &first);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns_load(abreast, tile, row, s, j, &at);
        lossi_sum_add(abreast, &value, j, at.value);
        if (slopes) {
            lossi_two_sums_add(abreast, &first, j, at.of.largest, at.first);
        }
        if (bends) {
            lossi_sum_add(abreast, &bend, j, at.second - at.first);
        }
    }
    const vreal others =
        s->softmax.others.head; /* NaN in a column that counts for nothing is NaN all the same */
    const lossi_doubles total = lossi_sum_total(abreast, &value, tile->columns, 0);
    s->value = v_select(v_is_nan(others), others, lossi_round(lossi_doubles_add(total, lossi_widen(offset))));
    if (slopes) {
        lossi_two_sums_total(abreast, &first, tile->columns, &s->first, &s->first_others);
    }
    if (bends) {
        s->bend = lossi_first_lane(lossi_round(lossi_sum_total(abreast, &bend, tile->columns, 0)));
    }
}

static __attribute__((noinline)) void lossi_softmax_values(const lossi_tile *tile, int64_t row, vreal offset,
                                                           lossi_softmax_state *s)
{
    lossi_softmax_values_of(0, tile, row, offset, s);
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
    return v_fnma(at->of.p, s->first, at->second);
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
    lossi_sum along, along_others;
    lossi_lane_sum others, left_out;
    lossi_columns at;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&left_out);
    lossi_sum_clear(0, &along);
    lossi_sum_clear(0, &along_others);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns_load(0, tile, row, s, j, &at);
        const vreal w = lossi_softmax_load_direction(tile, row, s, j), h = lossi_softmax_bend(tile, s, &at);
        lossi_columns_add(&others, j, v_select(at.of.largest, v_set1(0), h));
        lossi_columns_add(&left_out, j, h - lossi_softmax_exact_bend(s, &at));
        lossi_sum_add(0, &along, j, h * w);
        lossi_sum_add(0, &along_others, j, v_select(at.of.largest, v_set1(0), h * w));
    }
    s->bend_others = (real)lossi_columns_total(&others, tile->columns);
    s->bend = (real)((double)s->bend + lossi_columns_total(&left_out, tile->columns));
    s->along = (real)lossi_columns_total(&along.lanes, tile->columns);
    s->along_others = (real)lossi_columns_total(&along_others.lanes, tile->columns);
}

/* ---- outputs ---- */

/* Curvature and product of a vector of columns. */
LOSSI_INLINE void lossi_softmax_second(const lossi_tile *tile, const lossi_softmax_state *s,
                                       const lossi_columns *at, vreal w, vreal *curvature, vreal *product)
{
    const vreal weight = -s->first, bound = weight * REAL(0.5);
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
    return v_select(at->dominant, first * at->of.rest - p * s->first_others, v_fnma(p, s->first, first));
}

/* Everything is read of columns before anything of them is written: the gradient may take the prediction's place. */
static __attribute__((noinline)) void lossi_softmax_write(const lossi_tile *tile, int64_t row,
                                                          const lossi_softmax_state *s)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t seconds = to.curvature != NULL || to.product != NULL;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_columns at;
        lossi_columns_load(0, tile, row, s, j, &at);
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
    const real value = lossi_first_lane(s->value);
    lossi_put((real *)tile->value + row, value);
    if (value != value) {
        lossi_fill_row(tile, row, value);
        return;
    }
    if (tile->product != NULL) {
        lossi_softmax_direction(tile, row, s);
    }
    if (lossi_softmax_bent(tile, s)) {
        lossi_softmax_bends(tile, row, s);
    }
    if (tile->gradient != NULL || tile->curvature != NULL || tile->product != NULL) {
        lossi_softmax_write(tile, row, s);
    }
}

/* Rows abreast, whose softmax is known: s->value, and the gradient in the place of the tile of rows abreast. */
static __attribute__((noinline, unused)) void lossi_softmax_abreast(const lossi_tile *tile, vreal offset,
                                                                    lossi_softmax_state *s)
{
    lossi_softmax_values_of(1, tile, 0, offset, s);
    for (int64_t j = 0; tile->gradient != NULL && j < tile->columns; j += VREAL_LANES) {
        lossi_columns at;
        lossi_columns_load(1, tile, 0, s, j, &at);
        const vreal gradient = lossi_softmax_gradient(s, &at) * v_set1((real)tile->scale);
        v_store((real *)tile->gradient + j, v_select(v_is_nan(s->value), s->value, gradient));
    }
}

#endif
