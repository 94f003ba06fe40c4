/*
 * Multi-label margin loss: the hinge losses of the margins of every class of a row's labels over every other class, divided by the
 * number of classes K.
 *
 *     loss = 1/K Σ_{j in Y} Σ_{i not in Y} max(0, 1 + z_i − z_j),   Y the columns with a positive target
 *
 * The gradient counts: 1/K times the labels that class i comes too close to, −1/K times the classes too close to label j. At
 * 1 + z_i = z_j the flat piece counts: pairs push labels up and the others down, so that of all subgradients the one without
 * it is the smallest. The curvature is 0. Of labels alone, or of none, nothing costs.
 *
 * Labels go one by one over the row, so a row takes |Y| K steps, and the counts add up where the gradient will be: hence
 * LOSSI_APART. A row adds 1 to the denominator. A NaN makes its row NaN, whether it is compared with anything or not.
 *
 * Where a difference or the sum of them overflows, which the mean need not, the value is summed once more with everything SHRINK times as
 * large; a power of two, it changes no digit, nor whether a pair costs.
 *
 * Crammer & Singer, A family of additive online algorithms for category ranking (2003), section 3, without their normalization, as
 * PyTorch has it.
 */
#include "loss/distribution.h"

enum { TARGET_ENCODING };

/* float32 adds in double: only a difference overflows. In float64 so may the sum over fewer than 2⁶² pairs. */
#define SHRINK (LOSSI_REAL == 32 ? REAL(0x1p-2) : REAL(0x1p-64))

/* 1 where i is no label and too close to the logit of one, 0 elsewhere, for 16 columns; and by how much, shrunk. */
LOSSI_INLINE void load_pairs(const lossi_tile *tile, const real *logits, const real *targets, real own,
                             real shrink, int64_t i, vreal *gap, vreal *costs)
{
    const vreal zero = v_set1(0), one = v_set1(1), by = v_set1(shrink), label = v_set1(own * shrink);
    vreal t[LOSSI_PACK];
    lossi_load_pack(logits, i, tile->columns, 0, gap);
    lossi_load_pack(targets, i, tile->columns, 1, t); /* beyond the row are labels: no pairs */
    for (int v = 0; v < LOSSI_PACK; v++) {
        gap[v] = v_max(zero, v_select(v_le(t[v], zero), by + (gap[v] * by - label), zero)); /* keeps NaN */
        costs[v] = v_select(v_gt(gap[v], zero), one, zero);
    }
}

/* One label against all other classes: its value is added up, its count given, and those of the others added to. */
static double add_label(const lossi_tile *tile, const real *logits, const real *targets, real own,
                        real shrink, real *counts, lossi_lane_sum *value)
{
    vreal gap[LOSSI_PACK], costs[LOSSI_PACK], count[LOSSI_PACK];
    lossi_lane_sum costing;
    lossi_lane_sum_clear(&costing);
    for (int64_t i = 0; i < tile->columns; i += LOSSI_LANES) {
        load_pairs(tile, logits, targets, own, shrink, i, gap, costs);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(value, v, gap[v]);
            lossi_lane_sum_add(&costing, v, costs[v]);
        }
        if (counts != NULL) {
            lossi_load_pack(counts, i, tile->columns, 0, count);
            for (int v = 0; v < LOSSI_PACK; v++) {
                count[v] = count[v] + costs[v];
            }
            lossi_store_pack(counts, i, tile->columns, count);
        }
    }
    return lossi_lane_sum_total(&costing);
}

/* Counts become the gradient; of 0 curvature the product is 0, and NaN of infinity and NaN as everywhere. */
static void write_row(const lossi_tile *tile, const lossi_outputs *to, const real *direction)
{
    const vreal scale = v_set1((real)(tile->scale / (double)tile->columns));
    vreal x[LOSSI_PACK];
    for (int64_t i = 0; i < tile->columns; i += LOSSI_LANES) {
        if (to->gradient != NULL) {
            lossi_load_pack(to->gradient, i, tile->columns, 0, x);
            for (int v = 0; v < LOSSI_PACK; v++) {
                x[v] = scale * x[v];
            }
            lossi_store_pack(to->gradient, i, tile->columns, x);
        }
        if (to->product != NULL) {
            lossi_load_pack(direction, i, tile->columns, 0, x);
            for (int v = 0; v < LOSSI_PACK; v++) {
                x[v] = v_set1(0) * x[v];
            }
            lossi_store_pack(to->product, i, tile->columns, x);
        }
        for (int v = 0; v < LOSSI_PACK; v++) {
            x[v] = v_set1(0);
        }
        if (to->curvature != NULL) {
            lossi_store_pack(to->curvature, i, tile->columns, x);
        }
    }
}

/* The mean of a row whose plain sum overflows: infinite where it is. */
static double shrunk_value(const lossi_tile *tile, const real *logits, const real *targets)
{
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j++) {
        if (lossi_get(targets + j) > 0) {
            add_label(tile, logits, targets, lossi_get(logits + j), SHRINK, NULL, &sum);
        }
    }
    return lossi_lane_sum_total(&sum) / (double)tile->columns / (double)SHRINK;
}

static void evaluate_row(const lossi_tile *tile, int64_t row)
{
    const real *logits = lossi_row_of(tile->prediction, row, tile->prediction_stride),
               *targets = lossi_row_of(tile->target, row, tile->target_stride);
    const lossi_outputs to = lossi_outputs_of(tile, row);
    double value;
    int32_t unknown = 0;
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns && to.gradient != NULL; j++) {
        lossi_put(to.gradient + j, 0);
    }
    for (int64_t j = 0; j < tile->columns; j++) {
        const real own = lossi_get(logits + j), t = lossi_get(targets + j);
        unknown |= (own != own) | (t != t);
        if (t > 0) {
            const double count = add_label(tile, logits, targets, own, 1, to.gradient, &sum);
            if (to.gradient != NULL) {
                lossi_put(to.gradient + j, (real)-count);
            }
        }
    }
    value = unknown ? (double)REAL_NAN : lossi_lane_sum_total(&sum) / (double)tile->columns;
    if (value - value != 0 && value == value) {
        value = shrunk_value(tile, logits, targets);
    }
    lossi_put((real *)tile->value + row, (real)value);
    lossi_put((real *)tile->denominator + row, 1);
    if (value != value) {
        lossi_fill_row(tile, row, (real)value);
        return;
    }
    write_row(tile, &to, lossi_row_of(tile->direction, row, tile->direction_stride));
}

static void everything(const lossi_tile *tile)
{
    for (int64_t row = 0; row < tile->rows; row++) {
        evaluate_row(tile, row);
    }
}

extern const lossi_kernels LOSSI_NAME(multilabel_margin);
const lossi_kernels LOSSI_NAME(multilabel_margin) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [TARGET_ENCODING] = {.name = "target_encoding",
                         .type = LOSS_OPTION_STRING,
                         .text = "zero_one",
                         .choices = "signs|zero_one",
                         .doc = "targets are -1 and +1, or 0 and 1"},
};

/* Rows may have any number of classes, and the gradient is up to √K/2 long: nothing is bounded. */
static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int32_t zero_one = lossi_options_own(values, TARGET_ENCODING)->integer == 1;
    prepared->target = (lossi_domain){zero_one ? 0 : -1, 1, 1};
}

extern const lossi_row lossi_row_multilabel_margin;
const lossi_row lossi_row_multilabel_margin = {
    .name = "multilabel_margin",
    .aliases = "multilabel_margin_loss multi_label_margin multi_label_margin_loss",
    .summary = "mean over the classes of the hinge losses of the margins of all labels over all other logits",
    .formula = "1/K*sum_(j in Y) sum_(i not in Y) max(0, 1 + z_i - z_j), z = prediction, "
               "Y = columns with target 1, K = columns",
    .reference = "Crammer & Singer, A family of additive online algorithms for category ranking (2003)",
    .elsewhere = "PyTorch MultiLabelMarginLoss, whose targets are lists of the labels",
    .flags = LOSSI_CONVEX | LOSSI_CLASSIFICATION | LOSSI_APART,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
