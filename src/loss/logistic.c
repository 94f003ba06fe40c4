/*
 * Logistic loss: binary cross-entropy of a logit x and a target t in [0, 1], positives weighted by w.
 *
 *     loss = w t log(1 + e⁻ˣ) + (1 − t) log(1 + eˣ)
 *
 * With e = exp(−|x|) and L = log1p(e), log(1 + e^±x) is L, or |x| + L on the side where it is large: both terms are
 * positive, so nothing cancels and tails are exact. Let r be the coefficient of the one that is L alone, the right side's. The
 * gradient is ±(wrong − r e)/(1 + e), where the product is not rounded; the curvature is (wrong + r) e/(1 + e)². At x = ±∞ a
 * coefficient of 0 takes its term away. Where e may be below the normal numbers and r e is not, r e is made of two halves of e.
 * Cox, The regression analysis of binary sequences (1958); majorizer tanh(x/2)/(2x): Jaakkola & Jordan, Bayesian parameter
 * estimation via variational methods (2000), eq. (9).
 */
#include "loss/logit.h"

enum { POSITIVE_WEIGHT };

/* Both derivatives and the value beyond LOGIT_DEEP, where 1 + e is 1. */
LOSSI_INLINE void deep_logistic(vmask deep, const vreal *coefficients, vreal below, lossi_point *out)
{
    const vreal wrong = coefficients[0], right = coefficients[1], total = coefficients[2],
                linear = coefficients[3];
    const vreal half = v_exp_nonpositive(v_set1((real)0.5) * below), all = (total * half) * half;
    out->value = v_select(deep, all - linear, out->value);
    out->gradient = v_select(deep, wrong - (right * half) * half, out->gradient);
    out->curvature = v_select(deep, all, out->curvature);
}

LOSSI_INLINE void logistic(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal positive = v_set1(parameters[POSITIVE_WEIGHT]) * t, negative = one - t;
    const vmask up = v_ge(x, zero);
    const vreal below = v_copysign(x, v_set1(-1)), a = -below;
    const vreal e = lossi_exp_shallow(v_max(v_set1(-LOGIT_DEEP), below)); /* beyond: deep */
    const vreal d = one + e, large = one / d;                             /* σ(|x|) */
    const vreal nearest = v_fma(v_fnma(large, d, one) - large * (e - (d - one)), large, large);
    const vreal wrong = v_select(up, negative, positive); /* the coefficient of the term |x| + L */
    const vreal right = v_select(up, positive, negative), total = positive + negative;
    const vreal linear = v_select(v_eq(wrong, zero), zero, wrong * below); /* −wrong |x| */
    /* σ(x)(1 − t) − σ(−x) w t; the product exact, for the zero where both are equal */
    const vmask deep = v_gt(a, v_set1(LOGIT_DEEP));

    out->value = v_fma(total, v_log1p_unit(e), -linear);
    out->gradient = v_fnma(right, e, wrong) * large;
    out->curvature = (total * e) * (nearest * nearest);
    if (lossi_unusual(out, deep)) {
        deep_logistic(deep, (const vreal[]){wrong, right, total, linear}, below, out);
    }
    out->gradient = v_select(up, out->gradient, -out->gradient);
    /* tanh(a/2)/(2a) = expm1(−a)/(−2a (1 + e)); ¼ at 0 */
    out->majorizer = total * v_select(v_lt(a, v_set1(REAL_MIN)), v_set1((real)0.25),
                                      half * ((-v_expm1(-a) / a) * large));
}

#define LOSSI_FORMULA logistic
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [POSITIVE_WEIGHT] = {.name = "positive_weight",
                         .aliases = "pos_weight",
                         .type = LOSS_OPTION_DOUBLE,
                         .minimum = 0,
                         .maximum = 1e30,
                         .initial = 1,
                         .doc =
                             "the weight of positive targets; one for each column: multilabel_soft_margin"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double weight = prepared->parameters[POSITIVE_WEIGHT], largest = weight > 1 ? weight : 1;
    (void)values;
    prepared->target = (lossi_domain){0, 1, 0};
    prepared->constant = weight == 1 ? LOSSI_CONSTANT_MEAN : LOSSI_CONSTANT_SEARCH;
    prepared->bounds.lipschitz = largest;
    prepared->bounds.curvature = largest / 4;
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_logistic;
const lossi_row lossi_row_logistic = {
    .name = "logistic",
    .aliases = "bce_with_logits log_loss binary_cross_entropy_with_logits bce_with_logits_loss "
               "sigmoid_binary_cross_entropy half_binomial_loss binary_logistic binary_logitraw "
               "reg_logistic binary xentropy multiclassova logloss multi_class_one_vs_all",
    .summary = "binary cross-entropy of a logit, targets 0 to 1",
    .formula = "positive_weight*t*log(1 + exp(-x)) + (1 - t)*log(1 + exp(x)), x = prediction, t = target",
    .reference = "Cox, The regression analysis of binary sequences (1958)",
    .elsewhere =
        "PyTorch BCEWithLogitsLoss (multilabel_soft_margin with a pos_weight for each class); Keras "
        "BinaryCrossentropy(from_logits=True); optax "
        "sigmoid_binary_cross_entropy; scikit-learn HalfBinomialLoss; XGBoost binary:logistic; "
        "LightGBM binary and cross_entropy; CatBoost Logloss and CrossEntropy; Vowpal Wabbit logistic",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC |
             LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
