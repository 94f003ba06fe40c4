/*
 * Tversky loss: soft Dice with a price of its own for false positives and for false negatives.
 *
 *     loss = (1 − (I + n)/(I + α Σ p (1 − t) + β Σ (1 − p) t + d))ᵉ,   I = Σ p t
 *
 * α = β = ½ is soft Dice, with twice n and d; α = β = 1 the soft Jaccard index; an exponent e ≠ 1 focal Tversky, whose authors
 * write 1/γ = ¾ for it. With e < 1 the slope is infinite at a perfect overlap, with 1 < e < 2 the curvature is; where n > d a
 * base below 0 has no power and the loss is NaN.
 *
 * Salehi, Erdogmus & Gholipour, Tversky loss function (2017), eq. (3); Abraham & Khan, A novel focal Tversky loss (2019), eq. (4).
 */
#include "loss/overlap.h"

enum { ALPHA, BETA, NUMERATOR, DENOMINATOR, EXPONENT };

static void everything(const lossi_tile *tile)
{
    const double *parameters = tile->prepared->parameters;
    const lossi_overlap how = {.alpha = parameters[ALPHA],
                               .beta = parameters[BETA],
                               .numerator = parameters[NUMERATOR],
                               .denominator = parameters[DENOMINATOR],
                               .exponent = parameters[EXPONENT]};
    lossi_overlap_tile(tile, &how);
}

extern const lossi_kernels LOSSI_NAME(tversky);
const lossi_kernels LOSSI_NAME(tversky) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [ALPHA] = {.name = "alpha",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 0,
               .maximum = 1e6,
               .initial = 0.5,
               .doc = "what a false positive counts"},
    [BETA] = {.name = "beta",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 0,
              .maximum = 1e6,
              .initial = 0.5,
              .doc = "what a false negative counts"},
    [NUMERATOR] = LOSSI_OVERLAP_SMOOTH("numerator"),
    [DENOMINATOR] = LOSSI_OVERLAP_SMOOTH("denominator"),
    [EXPONENT] = {.name = "exponent",
                  .type = LOSS_OPTION_DOUBLE,
                  .minimum = 0.1,
                  .maximum = 10,
                  .initial = 1,
                  .doc = "the power of the loss: 0.75 in focal Tversky"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_overlap_prepare(prepared, lossi_options_own(values, NUMERATOR)->number,
                          lossi_options_own(values, DENOMINATOR)->number,
                          lossi_options_own(values, EXPONENT)->number);
}

extern const lossi_row lossi_row_tversky;
const lossi_row lossi_row_tversky = {
    .name = "tversky",
    .aliases = "tversky_loss focal_tversky",
    .summary = "soft Dice with a price of its own for false positives and for false negatives",
    .formula = "(1 - (I + smooth_numerator)/(I + alpha*sum_j p_j*(1 - t_j) + beta*sum_j (1 - p_j)*t_j + "
               "smooth_denominator))^exponent, I = sum_j p_j*t_j, p = prediction, t = target",
    .reference = "Salehi, Erdogmus & Gholipour, Tversky loss function (2017), eq. (3)",
    .elsewhere = "MONAI TverskyLoss; Keras Tversky with smooth_numerator = 0",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION,
    .options = options,
    .option_count = 5,
    .prepare = prepare,
};

#endif
