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
#define LOSSI_MARGIN_ABREAST
#include "loss/class_margin.h"

enum { POWER = LOSSI_MARGIN_OPTIONS };

/* float32 adds in double: only a difference overflows. In float64 so may the sum over up to 2⁶² columns. */
#define SHRINK (LOSSI_REAL == 32 ? REAL(0x1p-2) : REAL(0x1p-64))

/* Σ g^p, Σ p g^(p − 1), of shrunk g; how many rivals cost, and Σ (d_j − d_y) over those. */
typedef struct rival_sums {
    double value, slope, count, along;
} rival_sums;

/* shrink (margin + z_j − z_y) of a vector of columns; −∞ beyond the row and at the label. */
LOSSI_INLINE vreal load_gaps(const lossi_tile *tile, const lossi_margin_row *m, real shrink, int64_t j)
{
    const vreal own = v_set1(m->own * shrink),
                margin = v_set1((real)tile->prepared->parameters[LOSSI_CLASS_MARGIN] * shrink);
    if (lossi_margin_plain(m, j, tile->columns)) {
        return margin + (v_load(m->logits + j) * v_set1(shrink) - own);
    }
    const vreal z = lossi_load_columns(m->logits, j, tile->columns, -REAL_INFINITY);
    const vmask beyond = v_ge(lossi_lane_numbers(0), v_set1((real)(tile->columns - j)));
    return v_select(v_mask_or(beyond, lossi_margin_label(m, j)), v_set1(-REAL_INFINITY),
                    margin + (z * v_set1(shrink) - own));
}

/* 1 where a rival costs, times d_j − d_y: NaN of infinity and NaN everywhere, as with any curvature of 0. */
LOSSI_INLINE vreal load_along(const lossi_tile *tile, const lossi_margin_row *m, int64_t j, vreal gap)
{
    const vreal d = lossi_load_columns(m->direction, j, tile->columns, m->along) - v_set1(m->along);
    return v_select(v_gt(gap, v_set1(0)), v_set1(1), v_set1(0)) * d;
}

LOSSI_INLINE rival_sums sum_rivals_of(const lossi_tile *tile, const lossi_margin_row *m, real shrink,
                                      int32_t square, int32_t product)
{
    const int64_t columns = tile->columns;
    const vreal zero = v_set1(0), one = v_set1(1);
    lossi_lane_sum value, linear, along;
    lossi_doubles count = lossi_doubles_set1(0);
    lossi_lane_sum_clear(&value);
    lossi_lane_sum_clear(&linear);
    lossi_lane_sum_clear(&along);
    for (int64_t from = 0; from < columns; from += LOSSI_COUNTED) {
        const int64_t end = columns - from < LOSSI_COUNTED ? columns : from + LOSSI_COUNTED;
        vreal counted = zero;
        for (int64_t j = from; j < end; j += VREAL_LANES) {
            const vreal gap = load_gaps(tile, m, shrink, j), g = v_max(zero, gap); /* keeps NaN */
            lossi_send_at(tile->stream, j);
            lossi_columns_add(&value, j, square ? g * g : g);
            counted = counted + v_select(v_gt(g, zero), one, zero);
            if (square) {
                lossi_columns_add(&linear, j, g);
            }
            if (product) {
                lossi_columns_add(&along, j, load_along(tile, m, j, gap));
            }
        }
        lossi_count(&count, counted);
    }
    const double costing = lossi_count_total(&count);
    return (rival_sums){lossi_columns_total(&value, columns),
                        square ? 2 * lossi_columns_total(&linear, columns) : costing, costing,
                        product ? lossi_columns_total(&along, columns) : 0};
}

/* What most rows want is a loop of its own. */
static rival_sums sum_rivals(const lossi_tile *tile, const lossi_margin_row *m, real shrink)
{
    const int32_t square = tile->prepared->parameters[POWER] == 2;
    if (!square && tile->product == NULL) {
        return sum_rivals_of(tile, m, shrink, 0, 0);
    }
    return sum_rivals_of(tile, m, shrink, square, tile->product != NULL);
}

/* Everything of columns is read before anything is written over it. */
static void write_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, double factor,
                      const rival_sums *sums, real shrink)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t square = tile->prepared->parameters[POWER] == 2;
    const double bend = square ? 2 * factor : 0, grown = square ? factor / (double)shrink : factor;
    const vreal zero = v_set1(0), f = v_set1((real)factor), twice = v_set1((real)(2 * grown)),
                bent = v_set1((real)bend);
    const vreal slope = v_set1((real) - (grown * sums->slope)), turn = v_set1((real)(bend * sums->count)),
                back = v_set1((real) - (bend * sums->along));
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal gap = load_gaps(tile, m, shrink, j);
        const vmask here = lossi_margin_label(m, j), costs = v_gt(gap, zero);
        if (to.product != NULL) {
            const vreal d = load_along(tile, m, j, gap);
            lossi_store_scaled_columns(tile, to.product, j, v_select(here, back, bent * d));
        }
        lossi_store_scaled_columns(tile, to.curvature, j, v_select(here, turn, v_select(costs, bent, zero)));
        lossi_store_scaled_columns(tile, to.gradient, j,
                                   v_select(here, slope, v_select(costs, square ? twice * gap : f, zero)));
    }
}

/* The same of a gradient alone, for p = 1. */
static void write_steps(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, double factor,
                        const rival_sums *sums, real shrink)
{
    real *const to = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    const vreal zero = v_set1(0), scale = v_set1((real)tile->scale);
    const vreal high = v_set1((real)factor) * scale, low = zero * scale;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_store_columns(to, j, tile->columns,
                            v_select(v_gt(load_gaps(tile, m, shrink, j), zero), high, low));
    }
    lossi_put(to + m->label, (real) - (factor * sums->slope) * (real)tile->scale);
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
    if (tile->gradient != NULL && !square && tile->curvature == NULL && tile->product == NULL) {
        write_steps(tile, row, m, factor, &sums, shrink);
    } else if (tile->gradient != NULL) {
        write_row(tile, row, m, factor, &sums, shrink);
    }
}

/* shrink is 1 here: a row that needs it goes by itself. */
LOSSI_INLINE int32_t margin_rows_of(const lossi_tile *tile, lossi_margin_rows *m, int32_t square,
                                    vreal *value)
{
    const lossi_doubles classes = lossi_doubles_set1(LOSSI_PER_CLASS ? (double)tile->columns : 1),
                        factor = lossi_doubles_divide(lossi_widen(m->weight), classes);
    const vreal zero = v_set1(0), one = v_set1(1), scale = v_set1((real)tile->scale),
                margin = v_set1((real)tile->prepared->parameters[LOSSI_CLASS_MARGIN]);
    lossi_sum sum, linear;
    lossi_doubles total, slope;
    vreal count = zero;
    for (int64_t j = 0; j < m->columns; j++) {
        const vmask rival = v_ne(lossi_margin_number(j), m->label);
        const vreal gap = v_select(rival, margin + (m->logits.column[j] - m->own), v_set1(-REAL_INFINITY));
        const vreal g = v_max(zero, gap); /* keeps NaN */
        m->gradient.column[j] = g;
        sum.terms.of[j] = square ? g * g : g;
        linear.terms.of[j] = g;
        count = count + v_select(v_gt(g, zero), one, zero);
    }
    lossi_abreast_total(&sum.terms, m->columns, 0, &total);
    slope = lossi_widen(count);
    if (square) {
        lossi_abreast_total(&linear.terms, m->columns, 0, &slope);
        slope = lossi_doubles_add(slope, slope);
    }
    /* of lanes without a row or a count the label is none, and what they get is not used */
    const vmask counts = v_ge(m->label, zero), none = v_eq(m->weight, zero);
    const vreal all = lossi_round(total), finite = all - all + (m->own - m->own);
    if (!v_mask_all(v_mask_or(v_eq(finite, zero), v_mask_not(counts)))) {
        return 0;
    }
    *value = v_select(none, zero, lossi_round(lossi_doubles_multiply(factor, total)));
    const vreal f = lossi_round(factor), twice = lossi_round(lossi_doubles_add(factor, factor)),
                own = -lossi_round(lossi_doubles_multiply(factor, slope));
    for (int64_t j = 0; j < m->columns && tile->gradient != NULL; j++) {
        const vmask here = v_eq(lossi_margin_number(j), m->label);
        const vreal g = m->gradient.column[j];
        const vreal rival = v_select(v_gt(g, zero), square ? twice * g : f, zero);
        m->gradient.column[j] = v_select(none, zero, v_select(here, own, rival) * scale);
    }
    return 1;
}

static int32_t margin_rows(const lossi_tile *tile, lossi_margin_rows *m, vreal *value)
{
    return tile->prepared->parameters[POWER] == 2 ? margin_rows_of(tile, m, 1, value)
                                                  : margin_rows_of(tile, m, 0, value);
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
