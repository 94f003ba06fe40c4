/*
 * Generalized cross-entropy: between cross-entropy (q = 0) and the probability missed (q = 1), the more robust against wrong labels
 * the larger q.
 *
 *     loss = (1 − p^q)/q,   p = softmax(z)_y;   of distributions Σ_j u_j times the same of p_j
 *
 * By log p the steepness is p^q and the turn −q (1 − p); loss/label_probability.h has the derivatives by z. The value is
 * −expm1(q log p)/q, where q log p is tiny −log p (1 + q log p/2). It lies between 0 and 1/q.
 *
 * Zhang & Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels (2018), eq. (6).
 */
#include "loss/label_probability.h"
#include "loss/power.h"

enum { Q = LOSSI_CLASS_OPTIONS };

LOSSI_INLINE void generalized_cross_entropy(const lossi_probability *x, const double *parameters,
                                            lossi_psi *out)
{
    const vreal q = v_set1((real)parameters[Q]), exponent = q * x->log, half = v_set1(REAL(0.5));
    if (parameters[Q] == 0) {
        out->value = -x->log;
        out->steepness = v_set1(1);
        out->turn = v_set1(0);
        out->lean = x->p;
        return;
    }
    /* the square of 2⁻²⁸ shows in neither type */
    const vmask tiny = v_gt(exponent, v_set1(-REAL(0x1p-28)));
    const vreal power = lossi_power_of_e(q, v_min(-x->log, v_set1(REAL_MAX)));
    out->value = v_select(tiny, -x->log * v_fma(exponent, half, v_set1(1)), -(v_expm1(exponent) / q));
    out->steepness = power;
    out->turn = -(q * x->rest);
    /* with what q and 1 − p lost by rounding */
    const vreal q_missing = v_set1((real)(parameters[Q] - (double)(real)parameters[Q]));
    out->lean = v_fnma(q, x->rest, x->p) - v_fma(q, x->rest_missing, q_missing * x->rest);
}

#define LOSSI_FORMULA generalized_cross_entropy
#include "loss/label_probability_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    [Q] = {.name = "q",
           .type = LOSS_OPTION_DOUBLE,
           .minimum = 0,
           .maximum = 1,
           .initial = 0.7,
           .doc = "0 is cross-entropy, 1 the probability missed"},
};

/* f'' = p^q (1 − p) ((1 + q) p − q) of two classes is largest where (1 + q)(2 + q) p² − (1 + q)(1 + 2q) p + q² = 0. */
static double largest_curvature(double q)
{
    const double linear = (1 + q) * (1 + 2 * q), square = (1 + q) * (2 + q);
    const double p = (linear + sqrt(linear * linear - 4 * square * q * q)) / (2 * square);
    return pow(p, q) * (1 - p) * ((1 + q) * p - q);
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    if (prepared->parameters[Q] < 1e-30) {
        prepared->parameters[Q] = 0; /* which changes no digit, and spares float32 a number it has not got */
        prepared->flags |= LOSSI_CONVEX;
        prepared->constant = LOSSI_CONSTANT_MEAN;
    }
    const double q = prepared->parameters[Q];
    /* p^q (1 − p) at p = q/(1 + q) */
    lossi_label_bounds(prepared, pow(q / (1 + q), q) / (1 + q), largest_curvature(q),
                       q > 0 ? 1 / q : LOSSI_UNBOUNDED);
}

extern const lossi_row lossi_row_generalized_cross_entropy;
const lossi_row lossi_row_generalized_cross_entropy = {
    .name = "generalized_cross_entropy",
    .aliases = "gce generalized_categorical_cross_entropy categorical_generalized_cross_entropy",
    .summary = "between softmax cross-entropy and the probability missed: robust against wrong labels",
    .formula = "sum_j u_j*(1 - p_j^q)/q, u = class_weight * target distribution, p = softmax(prediction)",
    .reference =
        "Zhang & Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy "
        "labels (2018), eq. (6)",
    .elsewhere = "Keras CategoricalGeneralizedCrossEntropy, whose q is 0.5",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = Q + 1,
    .prepare = prepare,
};

#endif
