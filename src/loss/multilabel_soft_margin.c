/*
 * Multi-label soft margin loss: the mean over the classes of the logistic losses of a row, each class a question of its own.
 *
 *     loss = 1/K Σ_j w_j (t_j log(1 + e^(−z_j)) + (1 − t_j) log(1 + e^(z_j))),   t in [0, 1],   w class weights
 *
 * With the pieces of loss/logit.h a term is log(1 + e⁻ᵃ) + wrong a, its gradient ±(wrong − right e)/(1 + e), its curvature
 * σ'(z_j). A class of weight 0 counts for nothing at ±∞ either. A row adds 1 to the denominator.
 *
 * Cox, The regression analysis of binary sequences (1958), of several sequences, as PyTorch has it.
 */
#include <math.h>

#include "loss/distribution.h"
#include "loss/logit.h"

enum { CLASS_WEIGHT };

/* 16 columns: w_j/K, and 0 beyond the row. */
static void load_factors(const lossi_tile *tile, int64_t j, vreal *factor)
{
    const double *weight = tile->prepared->class_weight;
    real padded[LOSSI_LANES] = {0};
    for (int lane = 0; lane < LOSSI_LANES && j + lane < tile->columns; lane++) {
        padded[lane] = (real)((weight == NULL ? 1 : weight[j + lane]) / (double)tile->columns);
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        factor[v] = v_load(padded + v * VREAL_LANES);
    }
}

/* factor · x; where the factor is 0, 0 unless x is NaN. */
LOSSI_INLINE vreal weighed(vreal factor, vreal x)
{
    return v_select(v_eq(factor, v_set1(0)), v_select(v_is_nan(x), x, v_set1(0)), factor * x);
}

/* Everything is read of 16 columns before anything of them is written: the gradient may take the prediction's place. */
static void evaluate_pack(const lossi_tile *tile, int64_t row, int64_t j, lossi_lane_sum *sum)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal zero = v_set1(0);
    vreal z[LOSSI_PACK], t[LOSSI_PACK], factor[LOSSI_PACK], curvature[LOSSI_PACK], d[LOSSI_PACK];
    lossi_load_pack(lossi_row_of(tile->prediction, row, tile->prediction_stride), j, tile->columns, 0, z);
    lossi_load_pack(lossi_row_of(tile->target, row, tile->target_stride), j, tile->columns, 0, t);
    load_factors(tile, j, factor);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const lossi_logit l = lossi_logit_of(z[v]);
        const lossi_sides w = lossi_sides_of(&l, t[v]);
        const vreal linear = v_select(v_eq(w.wrong, zero), zero, w.wrong * l.a);
        const vreal base = v_fnma(w.right, l.e, w.wrong) +
                           (w.wrong_missing - v_fma(w.right, l.missing, w.right_missing * l.e));
        const vreal slope = base * l.large;
        lossi_lane_sum_add(sum, v, weighed(factor[v], l.soft + linear));
        z[v] = factor[v] * v_select(l.up, slope, -slope);
        curvature[v] = factor[v] * l.small_large;
    }
    if (to.product != NULL) {
        lossi_load_pack(lossi_row_of(tile->direction, row, tile->direction_stride), j, tile->columns, 0, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = curvature[v] * d[v];
        }
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.curvature, j, curvature);
    lossi_store_scaled(tile, to.gradient, j, z);
}

static void everything(const lossi_tile *tile)
{
    for (int64_t row = 0; row < tile->rows; row++) {
        lossi_lane_sum sum;
        lossi_lane_sum_clear(&sum);
        for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
            evaluate_pack(tile, row, j, &sum);
        }
        const real value = (real)lossi_lane_sum_total(&sum);
        lossi_put((real *)tile->value + row, value);
        lossi_put((real *)tile->denominator + row, 1);
        if (value != value) {
            lossi_fill_row(tile, row, value);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(multilabel_soft_margin);
const lossi_kernels LOSSI_NAME(multilabel_soft_margin) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [CLASS_WEIGHT] = {.name = "class_weight",
                      .aliases = "weight",
                      .type = LOSS_OPTION_ARRAY,
                      .minimum = 0,
                      .maximum = 1e300,
                      .doc = "one weight a class; empty: all 1"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const lossi_option_value *weight = lossi_options_own(values, CLASS_WEIGHT);
    double largest = weight->count == 0;
    prepared->class_weight = weight->count > 0 ? weight->array : NULL;
    prepared->class_weights = weight->count;
    for (int64_t j = 0; j < weight->count; j++) {
        largest = weight->array[j] > largest ? weight->array[j] : largest;
    }
    prepared->target = (lossi_domain){0, 1, 0};
    /* of one class; of K with the same weight both are smaller */
    prepared->bounds = (lossi_bounds){largest, largest / 4, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_multilabel_soft_margin;
const lossi_row lossi_row_multilabel_soft_margin = {
    .name = "multilabel_soft_margin",
    .aliases = "multilabel_soft_margin_loss multi_label_soft_margin "
               "multi_label_soft_margin_loss multi_logloss multi_cross_entropy",
    .summary = "mean over the classes of the logistic losses of a row",
    .formula = "1/K*sum_j class_weight_j*(t_j*log(1 + exp(-z_j)) + (1 - t_j)*log(1 + exp(z_j))), "
               "z = prediction, t = target, K = columns",
    .reference = "Cox, The regression analysis of binary sequences (1958)",
    .elsewhere = "PyTorch MultiLabelSoftMarginLoss; CatBoost MultiLogloss; mlpack MultiLabelSoftMarginLoss",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
