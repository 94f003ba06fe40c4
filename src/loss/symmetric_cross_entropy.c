/*
 * Symmetric cross-entropy: cross-entropy and its reverse, in which the log 0 of a target is the number A. The reverse is bounded,
 * so the loss is robust against wrong labels.
 *
 *     loss = −α log p − β A (1 − p),   p = softmax(z)_y;   of distributions Σ_j u_j times the same of p_j
 *
 * Convex for −β A ≤ α. loss/label_probability.h has the derivatives.
 * Wang et al., Symmetric cross entropy for robust learning with noisy labels (2019), eq. (6).
 */
#include "loss/label_probability.h"

enum { ALPHA = LOSSI_CLASS_OPTIONS, BETA, LOG_ZERO };

LOSSI_INLINE void symmetric_cross_entropy(const lossi_probability *x, const double *parameters,
                                          lossi_psi *out)
{
    lossi_psi_linear(x, (real)parameters[ALPHA], (real)(parameters[BETA] * -parameters[LOG_ZERO]), out);
}

#define LOSSI_FORMULA symmetric_cross_entropy
#include "loss/label_probability_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    [ALPHA] = {.name = "alpha",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 0,
               .maximum = 1e6,
               .initial = 0.1,
               .doc = "the weight of cross-entropy"},
    [BETA] = {.name = "beta",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 0,
              .maximum = 1e6,
              .initial = 1,
              .doc = "the weight of the reverse"},
    [LOG_ZERO] = {.name = "log_zero",
                  .type = LOSS_OPTION_DOUBLE,
                  .minimum = -1e6,
                  .maximum = 0,
                  .initial = -4,
                  .doc = "what the logarithm of 0 is in the reverse"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    lossi_linear_bounds(prepared, prepared->parameters[ALPHA],
                        prepared->parameters[BETA] * -prepared->parameters[LOG_ZERO]);
}

extern const lossi_row lossi_row_symmetric_cross_entropy;
const lossi_row lossi_row_symmetric_cross_entropy = {
    .name = "symmetric_cross_entropy",
    .aliases = "sce",
    .summary = "softmax cross-entropy and its bounded reverse: robust against wrong labels",
    .formula = "sum_j u_j*(-alpha*log(p_j) - beta*log_zero*(1 - p_j)), "
               "u = class_weight * target distribution, p = softmax(prediction)",
    .reference = "Wang et al., Symmetric cross entropy for robust learning with noisy labels (2019), eq. (6)",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = LOG_ZERO + 1,
    .prepare = prepare,
};

#endif
