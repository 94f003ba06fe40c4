/*
 * Softmax cross-entropy of adjusted logits (loss/adjusted_logits.h), with a z-loss: the options that few use, in one way for all
 * of them.
 *
 *     loss = Σ_j u_j (L − z_j) + λ L²,   L = log Σ_k exp z_k,   z = c tanh(x/c)/τ
 *
 * With p = softmax z, M = diag p − ppᵀ, W = Σ u and R = W + 2λL the derivatives by z are
 *
 *     gradient  g = (W p − u) + 2λL p        Hessian  R M + 2λ ppᵀ
 *
 * and by x, with the slopes s and the bends b of z, s g and diag s (R M + 2λ ppᵀ) diag s + diag(b g). Gauss–Newton takes R and b g
 * where they are positive. A majorizer there is only without cap and z-loss: ½ W (I − 11ᵀ/K)/τ².
 *
 * A soft cap bends down what the softmax bends up, and s times a direction is rounded before its mean is taken away: both cancel, and
 * results are within 4 ulp of the sizes of their terms added up.
 *
 * z-loss: Chowdhery et al., PaLM (2022), section 5; class weights do not touch it.
 */
#ifndef LOSSI_LOSS_ADJUSTED_H
#define LOSSI_LOSS_ADJUSTED_H

#include "loss/adjusted_logits.h"
#include "loss/class_targets.h"

/* One vector after the other: this way is to be short. */
#if defined(__clang__)
#define LOSSI_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define LOSSI_ROLLED _Pragma("GCC unroll 1")
#endif

/* A row while it is worked on. */
typedef struct lossi_adjusted_row {
    const lossi_tile *tile;
    const real *logits;
    int64_t row, label, largest;
    lossi_adjustment by;
    double smoothing;
    double weight_total;       /* of all class weights */
    real maximum;              /* m, of z */
    real others, inverse;      /* Σ e without the largest, and 1/(1 + that) */
    real weight, other_weight; /* W, and without the u of the largest */
    real z_slope;              /* 2λL */
    real z_bend;               /* 2λ */
    real raised;               /* R, of Gauss–Newton not below 0 */
    real origin, mean; /* of s · direction: its element at the largest, and from there p · (s direction) */
} lossi_adjusted_row;

/* 16 columns. */
typedef struct lossi_adjusted_pack {
    lossi_adjusted z[LOSSI_PACK];
    vreal e[LOSSI_PACK], u[LOSSI_PACK]; /* both 0 beyond the row */
    vmask largest[LOSSI_PACK];
} lossi_adjusted_pack;

static void lossi_adjusted_load(const lossi_adjusted_row *r, int64_t j, lossi_adjusted_pack *at)
{
    const int64_t columns = r->tile->columns;
    vreal x[LOSSI_PACK], number[LOSSI_PACK];
    lossi_load_pack(r->logits, j, columns, 0, x);
    lossi_column_numbers(j, number);
    LOSSI_ROLLED
    for (int v = 0; v < LOSSI_PACK; v++) {
        at->largest[v] = v_eq(number[v], v_set1((real)r->largest));
        lossi_adjust(&r->by, x[v], at->largest[v], &at->z[v]);
        at->e[v] = v_select(v_lt(number[v], v_set1((real)columns)), at->z[v].exponential, v_set1(0));
    }
    lossi_class_targets(r->tile, r->smoothing, r->row, r->label, j, at->u);
}

/* 1/(1 + s), rounded once. */
LOSSI_INLINE real lossi_adjusted_inverse(double s)
{
    double missing;
    const double total = lossi_two_sum(1, s, &missing), inverse = 1 / total;
    return (real)(inverse + inverse * (__builtin_fma(-inverse, total, 1) - inverse * missing));
}

/* Sums over the columns; the loss. */
static real lossi_adjusted_forward(lossi_adjusted_row *r, double z_loss)
{
    const vreal zero = v_set1(0);
    lossi_adjusted_pack at;
    lossi_lane_sum others, linear, weight, rest;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&linear);
    lossi_lane_sum_clear(&weight);
    lossi_lane_sum_clear(&rest);
    for (int64_t j = 0; j < r->tile->columns; j += LOSSI_LANES) {
        lossi_adjusted_load(r, j, &at);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask none = v_mask_or(v_eq(at.u[v], zero), at.largest[v]);
            lossi_lane_sum_add(&others, v, v_select(at.largest[v], zero, at.e[v]));
            lossi_lane_sum_add(&linear, v, v_select(none, zero, -at.u[v] * at.z[v].missing));
            lossi_lane_sum_add(&linear, v, v_select(none, zero, -at.u[v] * at.z[v].head));
            lossi_lane_sum_add(&weight, v, at.u[v]);
            lossi_lane_sum_add(&rest, v, v_select(at.largest[v], zero, at.u[v]));
        }
    }
    const real highest = lossi_get(r->logits + r->largest);
    const double sum_of_others = highest != highest ? (double)highest : lossi_lane_sum_total(&others);
    r->others = (real)sum_of_others;
    r->inverse = lossi_adjusted_inverse(sum_of_others);
    r->weight = (real)(r->label < 0 ? lossi_lane_sum_total(&weight)
                                    : lossi_class_total(r->tile, r->smoothing, r->weight_total, r->label));
    r->other_weight = (real)lossi_lane_sum_total(&rest);
    const double log = (double)lossi_first_lane(v_log1p(v_set1(r->others))),
                 sum = z_loss == 0 ? 0 : (double)r->maximum + log;
    r->z_slope = (real)(2 * z_loss * sum);
    r->z_bend = (real)(2 * z_loss);
    r->raised = r->weight + r->z_slope;
    const double of_classes = r->weight == 0 ? (r->others != r->others ? log : 0)
                                             : (double)r->weight * log + lossi_lane_sum_total(&linear);
    return (real)(of_classes + z_loss * sum * sum);
}

/* p · (s direction), or the mean of the direction. */
static void lossi_adjusted_direction(lossi_adjusted_row *r)
{
    const lossi_tile *tile = r->tile;
    const real *direction = lossi_row_of(tile->direction, r->row, tile->direction_stride);
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    lossi_adjusted_pack at;
    lossi_adjusted top;
    lossi_lane_sum sum;
    vreal d[LOSSI_PACK];
    lossi_adjusted_cap(&r->by, v_set1(lossi_get(r->logits + r->largest)), &top);
    r->origin = majorizer
                    ? 0
                    : lossi_first_lane(top.slope) / r->by.temperature * lossi_get(direction + r->largest);
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_adjusted_load(r, j, &at);
        lossi_load_pack(direction, j, tile->columns, 0, d);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vreal along = at.z[v].slope * d[v] - v_set1(r->origin);
            lossi_lane_sum_add(&sum, v, majorizer ? d[v] : at.e[v] * v_set1(r->inverse) * along);
        }
    }
    const double total = lossi_lane_sum_total(&sum);
    r->mean = (real)(majorizer ? total / (double)tile->columns : total);
}

/* a · b, 0 where b is 0: also where a is infinite. */
LOSSI_INLINE vreal lossi_adjusted_times(vreal a, vreal b)
{
    return v_select(v_eq(b, v_set1(0)), v_set1(0), a * b);
}

/* The derivatives of 16 columns. */
static void lossi_adjusted_backward(const lossi_adjusted_row *r, int64_t j)
{
    const lossi_tile *tile = r->tile;
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER,
                  gauss_newton = tile->curvature_kind == LOSSI_GAUSS_NEWTON;
    const vreal zero = v_set1(0), scale = v_set1((real)tile->scale), bend = v_set1(r->z_bend),
                raised = v_set1(gauss_newton && r->raised < 0 ? 0 : r->raised);
    const vreal bound = v_set1(REAL(0.5) * r->weight / (r->by.temperature * r->by.temperature));
    real *gradient = lossi_place_of(tile->gradient, r->row, tile->gradient_stride);
    real *curvature = lossi_place_of(tile->curvature, r->row, tile->curvature_stride);
    real *product = lossi_place_of(tile->product, r->row, tile->product_stride);
    vreal first[LOSSI_PACK], second[LOSSI_PACK], along[LOSSI_PACK];
    lossi_adjusted_pack at;
    lossi_adjusted_load(r, j, &at);
    if (product != NULL) {
        lossi_load_pack(lossi_row_of(tile->direction, r->row, tile->direction_stride), j, tile->columns, 0,
                        along);
    }
    LOSSI_ROLLED
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal p = at.e[v] * v_set1(r->inverse), slope = at.z[v].slope;
        const vreal rest = v_select(at.largest[v], v_set1(r->others) * v_set1(r->inverse), v_set1(1) - p);
        const vreal other_u = v_select(at.largest[v], v_set1(r->other_weight), v_set1(r->weight) - at.u[v]);
        const vreal by_z = (other_u * p - at.u[v] * rest) + lossi_adjusted_times(v_set1(r->z_slope), p);
        vreal turn = by_z * at.z[v].bend;
        turn = gauss_newton ? v_select(v_lt(turn, zero), zero, turn) : turn;
        const vreal exact = slope * slope * (lossi_adjusted_times(raised, p * rest) + bend * p * p) + turn;
        second[v] = (majorizer ? v_select(v_is_nan(p), p, bound) : exact) * scale;
        first[v] = slope * by_z * scale;
        if (product != NULL) {
            const vreal d = along[v], apart = (slope * d - v_set1(r->origin)) - v_set1(r->mean);
            const vreal by_direction = slope * (lossi_adjusted_times(raised, p * apart) +
                                                bend * p * (v_set1(r->origin) + v_set1(r->mean))) +
                                       turn * d;
            along[v] = (majorizer ? bound * (d - v_set1(r->mean)) : by_direction) * scale;
        }
    }
    if (product != NULL) {
        lossi_store_pack(product, j, tile->columns, along);
    }
    if (curvature != NULL) {
        lossi_store_pack(curvature, j, tile->columns, second);
    }
    if (gradient != NULL) {
        lossi_store_pack(gradient, j, tile->columns, first);
    }
}

static void lossi_adjusted_tile(const lossi_tile *tile, double smoothing, double z_loss)
{
    lossi_adjusted_row r = {.tile = tile,
                            .by = lossi_adjustment_of(tile->prepared),
                            .smoothing = smoothing,
                            .weight_total = lossi_class_weight_total(tile)};
    for (r.row = 0; r.row < tile->rows; r.row++) {
        const lossi_class_label label = lossi_class_label_of(tile, r.row);
        if (!label.counts) {
            lossi_put((real *)tile->value + r.row, 0);
            lossi_fill_row(tile, r.row, 0);
            continue;
        }
        r.label = label.label;
        r.logits = lossi_row_of(tile->prediction, r.row, tile->prediction_stride);
        r.maximum = lossi_adjusted_begin(&r.by, lossi_row_maximum(r.logits, tile->columns, &r.largest));
        lossi_put((real *)tile->value + r.row, lossi_adjusted_forward(&r, z_loss));
        if (tile->product != NULL) {
            lossi_adjusted_direction(&r);
        }
        for (int64_t j = 0; j < tile->columns &&
                            (tile->gradient != NULL || tile->curvature != NULL || tile->product != NULL);
             j += LOSSI_LANES) {
            lossi_adjusted_backward(&r, j);
        }
    }
}

#endif
