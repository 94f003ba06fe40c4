/*
 * The kernels of a loss of the label's margin over each of its rivals, included once, after
 *     #define LOSSI_FORMULA weston_watkins
 *     #define LOSSI_PER_CLASS 0     1: divided by the number of classes
 *
 *     loss = f Σ_{j ≠ y} g_j^p,   g_j = max(0, margin + z_j − z_y),   p = 1 or 2
 *
 * f is the class weight, divided by the number of classes or not. The gradient is f p g_j^(p − 1) at a rival, f where g_j > 0 for
 * p = 1, and minus the sum of those at the label. The curvature is 0 for p = 1. For p = 2 it is 2 f Σ (e_j − e_y)(e_j − e_y)ᵀ
 * over the rivals with g_j > 0: its product costs no more than a gradient. At g_j = 0 the flat piece counts.
 *
 * A difference of two logits, or the sum of all, may overflow where the loss, which is f times that, is a number. Such a row is summed
 * once more with everything SHRINK times as large; a power of two, it changes no digit.
 */
#include "loss/class_margin.h"

enum { POWER = LOSSI_MARGIN_OPTIONS };

/* float32 adds in double: only a difference overflows. In float64 so may the sum over up to 2⁶² columns. */
#define SHRINK (LOSSI_REAL == 32 ? REAL(0x1p-2) : REAL(0x1p-64))

/* Σ g^p, Σ p g^(p − 1), of shrunk g; how many rivals cost, and Σ (d_j − d_y) over those. */
typedef struct rival_sums {
    double value, slope, count, along;
} rival_sums;

/* shrink (margin + z_j − z_y) of 16 columns; −∞ beyond the row and at the label. */
LOSSI_INLINE void load_gaps(const lossi_tile *tile, const lossi_margin_row *m, real shrink, int64_t j,
                            vreal *gap)
{
    const vreal by = v_set1(shrink), own = v_set1(m->own * shrink),
                margin = v_set1((real)tile->prepared->parameters[LOSSI_CLASS_MARGIN] * shrink);
    const vreal nothing = v_set1(-REAL_INFINITY), none = v_set1((real)tile->columns);
    vreal number[LOSSI_PACK];
    lossi_load_pack(m->logits, j, tile->columns, 0, gap);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask rival = v_mask_and(v_lt(number[v], none), v_ne(number[v], v_set1((real)m->label)));
        gap[v] = v_select(rival, margin + (gap[v] * by - own), nothing);
    }
}

/* 1 where a rival costs, times d_j − d_y: NaN of infinity and NaN everywhere, as with any curvature of 0. 0 when
   no product is wanted. */
LOSSI_INLINE void load_along(const lossi_tile *tile, const lossi_margin_row *m, int64_t j, const vreal *gap,
                             vreal *along)
{
    const vreal zero = v_set1(0);
    if (tile->product == NULL) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            along[v] = zero;
        }
        return;
    }
    lossi_load_pack(m->direction, j, tile->columns, m->along, along);
    for (int v = 0; v < LOSSI_PACK; v++) {
        along[v] = v_select(v_gt(gap[v], zero), v_set1(1), zero) * (along[v] - v_set1(m->along));
    }
}

static rival_sums sum_rivals(const lossi_tile *tile, const lossi_margin_row *m, real shrink)
{
    const int32_t square = tile->prepared->parameters[POWER] == 2;
    const vreal zero = v_set1(0);
    lossi_lane_sum value, linear, count, along;
    vreal gap[LOSSI_PACK], d[LOSSI_PACK];
    lossi_lane_sum_clear(&value);
    lossi_lane_sum_clear(&linear);
    lossi_lane_sum_clear(&count);
    lossi_lane_sum_clear(&along);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_gaps(tile, m, shrink, j, gap);
        load_along(tile, m, j, gap, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vreal g = v_max(zero, gap[v]); /* keeps NaN */
            lossi_lane_sum_add(&value, v, square ? g * g : g);
            lossi_lane_sum_add(&linear, v, g);
            lossi_lane_sum_add(&count, v, v_select(v_gt(g, zero), v_set1(1), zero));
            if (tile->product != NULL) {
                lossi_lane_sum_add(&along, v, d[v]);
            }
        }
    }
    const double costing = lossi_lane_sum_total(&count);
    return (rival_sums){lossi_lane_sum_total(&value), square ? 2 * lossi_lane_sum_total(&linear) : costing,
                        costing, tile->product != NULL ? lossi_lane_sum_total(&along) : 0};
}

/* 16 columns. Everything is read before anything is written over it. */
static void write_pack(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, double factor,
                       const rival_sums *sums, real shrink, int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t square = tile->prepared->parameters[POWER] == 2;
    const double bend = square ? 2 * factor : 0, grown = square ? factor / (double)shrink : factor;
    const vreal zero = v_set1(0), f = v_set1((real)factor), twice = v_set1((real)(2 * grown)),
                bent = v_set1((real)bend);
    const vreal slope = v_set1((real) - (grown * sums->slope)), turn = v_set1((real)(bend * sums->count)),
                back = v_set1((real) - (bend * sums->along));
    vreal gap[LOSSI_PACK], number[LOSSI_PACK], gradient[LOSSI_PACK], curvature[LOSSI_PACK], d[LOSSI_PACK];
    load_gaps(tile, m, shrink, j, gap);
    lossi_column_numbers(j, number);
    load_along(tile, m, j, gap, d);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask here = v_eq(number[v], v_set1((real)m->label)), costs = v_gt(gap[v], zero);
        gradient[v] = v_select(here, slope, v_select(costs, square ? twice * gap[v] : f, zero));
        curvature[v] = v_select(here, turn, v_select(costs, bent, zero));
        if (to.product != NULL) {
            d[v] = v_select(here, back, bent * d[v]);
        }
    }
    lossi_store_scaled(tile, to.curvature, j, curvature);
    if (to.product != NULL) {
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.gradient, j, gradient);
}

static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m)
{
    const int32_t square = tile->prepared->parameters[POWER] == 2;
    const double factor = (double)m->weight / (LOSSI_PER_CLASS ? (double)tile->columns : 1);
    rival_sums sums = sum_rivals(tile, m, 1);
    real shrink = 1;
    if (sums.value - sums.value != 0 && sums.value == sums.value) {
        const rival_sums shrunk = sum_rivals(tile, m, SHRINK);
        const double largest = square ? shrunk.slope : shrunk.value;
        if (largest - largest == 0) { /* else a logit is infinite */
            sums = shrunk;
            shrink = SHRINK;
        }
    }
    if (sums.value != sums.value || m->own != m->own) {
        lossi_margin_fill(tile, row, REAL_NAN, REAL_NAN);
        return;
    }
    if (factor == 0) {
        lossi_margin_fill(tile, row, 0, 0);
        return;
    }
    const double grown = factor / (double)shrink;
    lossi_put((real *)tile->value + row,
              (real)(square ? (grown * sums.value) / (double)shrink : grown * sums.value));
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        write_pack(tile, row, m, factor, &sums, shrink, j);
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    LOSSI_CLASS_MARGIN_ROW,
    [POWER] = {.name = "p",
               .type = LOSS_OPTION_INT,
               .minimum = 1,
               .maximum = 2,
               .initial = 1,
               .doc = "the power of what is missing from the margin"},
};

/* Of rows that have any number of classes nothing is bounded unless it is divided by that. */
static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int32_t square = lossi_options_own(values, POWER)->integer == 2;
    lossi_prepare_classes(values, prepared);
    const double weight = lossi_largest_class_weight(prepared);
    prepared->bounds.derivatives = square;
    prepared->flags |= square ? LOSSI_SMOOTH : 0;
    if (LOSSI_PER_CLASS && square) {
        prepared->bounds.curvature =
            2 * weight; /* of K classes the largest eigenvalue of Σ (e_j − e_y)(e_j − e_y)ᵀ is K */
    } else if (LOSSI_PER_CLASS) {
        prepared->bounds.lipschitz = weight; /* √(K (K − 1))/K */
    }
}

#endif
