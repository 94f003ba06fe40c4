/*
 * Sparsemax loss: what cross-entropy is to softmax for the projection of the logits onto the distributions, which gives most
 * classes a probability of exactly 0.
 *
 *     p_j = max(0, z_j − τ) with Σ p = 1        loss = ½ |p − e_y|² + max(0, τ − z_y),   times the class weight of y
 *
 * That is the Fenchel–Young loss p·z − z_y + ½ (1 − p·p) without its cancellation: it is 0 from a margin of 1 on. With S the n
 * classes of p > 0:
 *
 *     gradient  p − e_y        curvature  diag 1_S − 1_S 1_Sᵀ/n        majorizer  I − 11ᵀ/K, as a diagonal I
 *
 * τ is found by Newton's method from z_max − 1 on, below which no class has a part: it climbs to the root of Σ max(0, z − τ) = 1
 * in a few steps, and each drops classes from S. At the label 1 − p_y is the sum of the others.
 *
 * Martins & Astudillo, From softmax to sparsemax (2016), eq. (16); Blondel, Martins & Niculae, Learning with Fenchel–Young losses
 * (2020), table 1.
 */
#include "loss/class_margin.h"

/* A row while it is worked on; everything is measured from the largest logit. */
typedef struct projection {
    real maximum, head, tail; /* τ = head + tail */
    int64_t largest;
    double tau, count; /* n */
    real rest;         /* 1 − p_y */
    real origin;       /* of the direction: its element at the largest logit */
    double mean;       /* of the direction over S, from there */
    int32_t majorizer; /* then S is everything */
} projection;

/* z − max z of 16 columns; −∞ beyond the row. */
LOSSI_INLINE void load_logits(const lossi_tile *tile, const lossi_margin_row *m, const projection *s,
                              int64_t j, vreal *x, vreal *number)
{
    lossi_load_pack(m->logits, j, tile->columns, -REAL_INFINITY, x);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask largest = v_eq(number[v], v_set1((real)s->largest)),
                    beyond = v_ge(number[v], v_set1((real)tile->columns));
        /* ∞ − ∞ is 0 there, and nothing beyond the row */
        x[v] = v_select(largest, v_set1(0),
                        v_select(beyond, v_set1(-REAL_INFINITY), x[v] - v_set1(s->maximum)));
    }
}

/* Σ x and how many there are above a threshold; NaN when one is. */
static double sum_above(const lossi_tile *tile, const lossi_margin_row *m, const projection *s,
                        real threshold, double *count)
{
    const vreal zero = v_set1(0);
    vreal x[LOSSI_PACK], number[LOSSI_PACK];
    lossi_lane_sum sum, counted;
    lossi_lane_sum_clear(&sum);
    lossi_lane_sum_clear(&counted);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_logits(tile, m, s, j, x, number);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask above = v_gt(x[v], v_set1(threshold));
            lossi_lane_sum_add(&sum, v, v_select(above, x[v], v_select(v_is_nan(x[v]), x[v], zero)));
            lossi_lane_sum_add(&counted, v, v_select(above, v_set1(1), zero));
        }
    }
    *count = lossi_lane_sum_total(&counted);
    return lossi_lane_sum_total(&sum);
}

/* τ, and S by its number; 0 for a row with a NaN in it or without a limit. */
static int32_t project(const lossi_tile *tile, const lossi_margin_row *m, projection *s)
{
    double before = 0;
    s->maximum = lossi_row_maximum(m->logits, tile->columns, &s->largest);
    const real highest = lossi_get(m->logits + s->largest);
    s->head = -1;
    do {
        before = s->count;
        const double sum = sum_above(tile, m, s, s->head, &s->count);
        if (sum != sum || highest != highest) {
            return 0;
        }
        s->tau = (sum - 1) / s->count;
        s->head = (real)s->tau;
    } while (s->count != before);
    s->tail = (real)(s->tau - (double)s->head);
    return 1;
}

/* p of 16 columns. */
LOSSI_INLINE void load_probabilities(const projection *s, const vreal *x, vreal *p)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        p[v] = v_max(v_set1(0), (x[v] - v_set1(s->head)) - v_set1(s->tail));
    }
}

/* 1 in S and 0 outside, times d from its origin: NaN of infinity and NaN, as with any curvature of 0. 0
   when no product is wanted. */
LOSSI_INLINE void load_direction(const lossi_tile *tile, const lossi_margin_row *m, const projection *s,
                                 int64_t j, const vreal *p, vreal *d)
{
    if (tile->product == NULL) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = v_set1(0);
        }
        return;
    }
    lossi_load_pack(m->direction, j, tile->columns, s->origin, d);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask in = v_gt(p[v], v_set1(0));
        const vreal part = s->majorizer ? v_set1(1) : v_select(in, v_set1(1), v_set1(0));
        d[v] = part * (d[v] - v_set1(s->origin));
    }
}

/* The loss; and of the direction its mean. */
static real evaluate_row(const lossi_tile *tile, const lossi_margin_row *m, projection *s)
{
    const vreal zero = v_set1(0);
    lossi_lane_sum others, squares, along;
    vreal x[LOSSI_PACK], number[LOSSI_PACK], p[LOSSI_PACK], d[LOSSI_PACK];
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&squares);
    lossi_lane_sum_clear(&along);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_logits(tile, m, s, j, x, number);
        load_probabilities(s, x, p);
        load_direction(tile, m, s, j, p, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vreal other = v_select(v_eq(number[v], v_set1((real)m->label)), zero, p[v]);
            lossi_lane_sum_add(&others, v, other);
            lossi_lane_sum_add(&squares, v, other * other);
            if (tile->product != NULL) {
                lossi_lane_sum_add(&along, v, d[v]);
            }
        }
    }
    const double own = m->label == s->largest ? 0 : (double)(m->own - s->maximum), below = s->tau - own;
    const double rest = below >= 0 ? 1 : lossi_lane_sum_total(&others);
    const double size = s->majorizer ? (double)tile->columns : s->count;
    s->rest = (real)rest;
    s->mean = tile->product != NULL ? lossi_lane_sum_total(&along) / size : 0;
    return (real)((double)m->weight *
                  ((lossi_lane_sum_total(&squares) + rest * rest) / 2 + (below > 0 ? below : 0)));
}

/* 16 columns. Everything is read before anything is written over it. */
static void write_pack(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, const projection *s,
                       int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal weight = v_set1(m->weight), zero = v_set1(0), mean = v_set1((real)s->mean);
    const vreal bend = v_set1((real)(s->majorizer ? 1 : (s->count - 1) / s->count) * m->weight);
    vreal x[LOSSI_PACK], number[LOSSI_PACK], p[LOSSI_PACK], d[LOSSI_PACK], curvature[LOSSI_PACK];
    load_logits(tile, m, s, j, x, number);
    load_probabilities(s, x, p);
    load_direction(tile, m, s, j, p, d);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal part = s->majorizer ? v_set1(1) : v_select(v_gt(p[v], zero), v_set1(1), zero);
        curvature[v] = part * bend;
        if (to.product != NULL) {
            d[v] = weight * (d[v] - part * mean);
        }
        p[v] = weight * v_select(v_eq(number[v], v_set1((real)m->label)), v_set1(-s->rest), p[v]);
    }
    lossi_store_scaled(tile, to.curvature, j, curvature);
    if (to.product != NULL) {
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.gradient, j, p);
}

static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m)
{
    projection s = {.majorizer = tile->curvature_kind == LOSSI_MAJORIZER};
    if (!project(tile, m, &s)) {
        lossi_margin_fill(tile, row, REAL_NAN, REAL_NAN);
        return;
    }
    if (m->weight == 0) {
        lossi_margin_fill(tile, row, 0, 0);
        return;
    }
    s.origin = tile->product == NULL ? 0 : lossi_get(m->direction + s.largest);
    lossi_put((real *)tile->value + row, evaluate_row(tile, m, &s));
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        write_pack(tile, row, m, &s, j);
    }
}

extern const lossi_kernels LOSSI_NAME(sparsemax);
const lossi_kernels LOSSI_NAME(sparsemax) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_CLASS_OPTION_ROWS};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    const double weight = lossi_largest_class_weight(prepared);
    prepared->bounds = (lossi_bounds){sqrt(2.0) * weight, weight, 0, LOSSI_UNBOUNDED, 1};
}

extern const lossi_row lossi_row_sparsemax;
const lossi_row lossi_row_sparsemax = {
    .name = "sparsemax",
    .aliases = "multiclass_sparsemax sparsemax_loss",
    .summary = "what cross-entropy is to softmax for a projection that makes small probabilities 0",
    .formula =
        "u*(|p - e_y|^2/2 + max(0, tau - z_y)), p_j = max(0, z_j - tau) with sum p = 1, z = prediction, "
        "y = label, u = class_weight of y",
    .reference = "Martins & Astudillo, From softmax to sparsemax (2016), eq. (16)",
    .elsewhere = "optax multiclass_sparsemax_loss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = LOSSI_CLASS_OPTIONS,
    .prepare = prepare,
};

#endif
