/*
 * Poly-1 loss: cross-entropy with another first coefficient of its series in 1 − p.
 *
 *     loss = −log p + ε (1 − p),   p = softmax(z)_y,   ε ≥ −1;   of distributions Σ_j u_j times the same of p_j
 *
 * ε < −1 would pay for being wrong. Convex for |ε| ≤ 1. loss/label_probability.h has the derivatives.
 * Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions (2022), eq. (5).
 */
#include "loss/label_probability.h"

enum { EPSILON = LOSSI_CLASS_OPTIONS };

LOSSI_INLINE void poly1_cross_entropy(const lossi_probability *x, const double *parameters, lossi_psi *out)
{
    lossi_psi_linear(x, 1, (real)parameters[EPSILON], out);
}

#define LOSSI_FORMULA poly1_cross_entropy
#include "loss/label_probability_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    [EPSILON] = {.name = "epsilon",
                 .type = LOSS_OPTION_DOUBLE,
                 .minimum = -1,
                 .maximum = 1000,
                 .initial = 2,
                 .doc = "the weight of the probability missed"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    lossi_linear_bounds(prepared, 1, prepared->parameters[EPSILON]);
}

extern const lossi_row lossi_row_poly1_cross_entropy;
const lossi_row lossi_row_poly1_cross_entropy = {
    .name = "poly1_cross_entropy",
    .aliases = "poly1 poly_loss_cross_entropy",
    .summary = "softmax cross-entropy plus a multiple of the probability missed",
    .formula = "sum_j u_j*(-log(p_j) + epsilon*(1 - p_j)), u = class_weight * target distribution, "
               "p = softmax(prediction)",
    .reference = "Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions "
                 "(2022), eq. (5)",
    .elsewhere = "optax poly_loss_cross_entropy",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = EPSILON + 1,
    .prepare = prepare,
};

#endif
