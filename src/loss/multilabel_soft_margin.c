/*
 * Multi-label soft margin loss: the mean over the classes of the logistic losses of a row, each class a question of its own.
 *
 *     loss = 1/K Σ_j w_j (v_j t_j log(1 + e^(−z_j)) + (1 − t_j) log(1 + e^(z_j))),   t in [0, 1],   w, v weights of classes
 *
 * v weighs the positive targets, so the mean over rows is PyTorch's BCEWithLogitsLoss with a pos_weight for each class. With the pieces of loss/logit.h a term is (wrong + right) log(1 + e⁻ᵃ) + wrong a, its gradient ±(wrong − right e)/(1 + e), its curvature
 * (wrong + right) σ'(z_j), where wrong + right is 1 without v. A class of weight 0 counts for nothing at ±∞ either. A row adds 1 to the denominator.
 * The majorizer has tanh(a/2)/(2a) instead of σ'(z_j), as that of the logistic loss.
 *
 * Cox, The regression analysis of binary sequences (1958), of several sequences, as PyTorch has it.
 */
#include <math.h>

#include "loss/distribution.h"
#include "loss/logit.h"

enum { CLASS_WEIGHT, POSITIVE_WEIGHT };

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

/* v_j of 16 columns. */
static void load_positive(const lossi_tile *tile, int64_t j, vreal *positive)
{
    real padded[LOSSI_LANES] = {0};
    for (int lane = 0; lane < LOSSI_LANES && j + lane < tile->columns; lane++) {
        padded[lane] = (real)tile->prepared->positive_weight[j + lane];
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        positive[v] = v_load(padded + v * VREAL_LANES);
    }
}

/* Multiplies the side of the positive target with v, what 1 − t and the product lost included; gives wrong + right. */
static vreal weigh_positive(const lossi_logit *l, vreal positive, lossi_sides *w)
{
    const vreal given = v_select(l->up, w->right, w->wrong), weighed = positive * given;
    const vreal missing = v_fma(positive, given, -weighed);
    w->right = v_select(l->up, weighed, w->right);
    w->right_missing = v_select(l->up, missing, w->right_missing);
    w->wrong = v_select(l->up, w->wrong, weighed);
    w->wrong_missing = v_select(l->up, w->wrong_missing, missing);
    return w->wrong + w->right;
}

/* factor · x; where the factor is 0, 0 unless x is NaN. */
LOSSI_INLINE vreal weighed(vreal factor, vreal x)
{
    return v_select(v_eq(factor, v_set1(0)), v_select(v_is_nan(x), x, v_set1(0)), factor * x);
}

/* tanh(a/2)/(2a), ¼ at 0: Jaakkola & Jordan, Bayesian parameter estimation via variational methods (2000), eq. (9) */
LOSSI_INLINE vreal bound_of(const lossi_logit *l)
{
    const vreal half = v_set1((real)0.5);
    return v_select(v_lt(l->a, v_set1(REAL_MIN)), v_set1((real)0.25),
                    half * ((-v_expm1(-l->a) / l->a) * l->large));
}

/* Everything is read of 16 columns before anything of them is written: the gradient may take the prediction's place. */
static void evaluate_pack(const lossi_tile *tile, int64_t row, int64_t j, lossi_lane_sum *sum)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal zero = v_set1(0);
    vreal z[LOSSI_PACK], t[LOSSI_PACK], factor[LOSSI_PACK], curvature[LOSSI_PACK], d[LOSSI_PACK];
    vreal positive[LOSSI_PACK];
    const int32_t has_positive = tile->prepared->positive_weight != NULL,
                  majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    if (has_positive) {
        load_positive(tile, j, positive);
    }
    lossi_load_pack(lossi_row_of(tile->prediction, row, tile->prediction_stride), j, tile->columns, 0, z);
    lossi_load_pack(lossi_row_of(tile->target, row, tile->target_stride), j, tile->columns, 0, t);
    load_factors(tile, j, factor);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const lossi_logit l = lossi_logit_of(z[v]);
        lossi_sides w = lossi_sides_of(&l, t[v]);
        const vreal both = has_positive ? weigh_positive(&l, positive[v], &w) : v_set1(1);
        const vreal linear = v_select(v_eq(w.wrong, zero), zero, w.wrong * l.a);
        const vreal base = v_fnma(w.right, l.e, w.wrong) +
                           (w.wrong_missing - v_fma(w.right, l.missing, w.right_missing * l.e));
        const vreal slope = base * l.large;
        lossi_lane_sum_add(sum, v, weighed(factor[v], v_fma(both, l.soft, linear)));
        z[v] = factor[v] * v_select(l.up, slope, -slope);
        curvature[v] = factor[v] * (both * (majorizer ? bound_of(&l) : l.small_large));
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
    [POSITIVE_WEIGHT] = {.name = "positive_weight",
                         .aliases = "pos_weight",
                         .type = LOSS_OPTION_ARRAY,
                         .minimum = 0,
                         .maximum = 1e30,
                         .doc = "one weight a class, of its positive targets; empty: all 1"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const lossi_option_value *weight = lossi_options_own(values, CLASS_WEIGHT);
    const lossi_option_value *positive = lossi_options_own(values, POSITIVE_WEIGHT);
    const int64_t classes = weight->count > positive->count ? weight->count : positive->count;
    double largest = classes == 0;
    prepared->class_weight = weight->count > 0 ? weight->array : NULL;
    prepared->class_weights = weight->count;
    prepared->positive_weight = positive->count > 0 ? positive->array : NULL;
    prepared->positive_weights = positive->count;
    for (int64_t j = 0; j < classes; j++) {
        const double own = j < weight->count ? weight->array[j] : 1;
        const double most = j < positive->count && positive->array[j] > 1 ? positive->array[j] : 1;
        largest = own * most > largest ? own * most : largest;
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
    .formula = "1/K*sum_j class_weight_j*(positive_weight_j*t_j*log(1 + exp(-z_j)) + "
               "(1 - t_j)*log(1 + exp(z_j))), z = prediction, t = target, K = columns",
    .reference = "Cox, The regression analysis of binary sequences (1958)",
    .elsewhere = "PyTorch MultiLabelSoftMarginLoss, and BCEWithLogitsLoss with a pos_weight for each class; "
                 "CatBoost MultiLogloss; mlpack MultiLabelSoftMarginLoss",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
