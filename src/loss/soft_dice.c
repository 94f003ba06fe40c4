/*
 * Soft Dice: one minus the Dice coefficient of a map of probabilities with a map of targets.
 *
 *     loss = 1 − (2 Σ p t + n)/(Σ p + Σ t + d)
 *
 * or, with denominator = squares, Σ p² + Σ t² below. A row is one map: a sample, or a class of a sample; its columns are the
 * pixels, so what is summed over is the caller's choice. With n = d = 0 two empty maps overlap perfectly, 0/0 = 1, and an empty
 * target has loss 1 for every other prediction, without a slope: d > 0 gives it one.
 *
 * Milletari, Navab & Ahmadi, V-Net (2016), §3, with squares; Sudre et al., Generalised Dice overlap (2017), eq. (2).
 */
#include "loss/overlap.h"

enum { NUMERATOR, DENOMINATOR, TERMS };

static void everything(const lossi_tile *tile)
{
    const double *parameters = tile->prepared->parameters;
    /* both by half: Dice is Tversky's index with α = β = ½ */
    const lossi_overlap how = {.alpha = 0.5,
                               .beta = 0.5,
                               .numerator = parameters[NUMERATOR] / 2,
                               .denominator = parameters[DENOMINATOR] / 2,
                               .squares = parameters[TERMS] != 0,
                               .fine = parameters[TERMS] != 0 ||
                                       parameters[NUMERATOR] > parameters[DENOMINATOR]};
    lossi_overlap_tile(tile, &how, NULL);
}

extern const lossi_kernels LOSSI_NAME(soft_dice);
const lossi_kernels LOSSI_NAME(soft_dice) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [NUMERATOR] = LOSSI_OVERLAP_SMOOTH("numerator"),
    [DENOMINATOR] = LOSSI_OVERLAP_SMOOTH("denominator"),
    [TERMS] = {.name = "denominator",
               .type = LOSS_OPTION_STRING,
               .text = "sum",
               .choices = "sum|squares",
               .doc = "whether it has the probabilities or their squares"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_overlap_prepare(prepared, lossi_options_own(values, NUMERATOR)->number,
                          lossi_options_own(values, DENOMINATOR)->number, 1);
}

extern const lossi_row lossi_row_soft_dice;
const lossi_row lossi_row_soft_dice = {
    .name = "soft_dice",
    .aliases = "dice dice_loss",
    .summary = "one minus the Dice coefficient of a map of probabilities with a map of targets",
    .formula = "1 - (2*sum_j p_j*t_j + smooth_numerator)/(sum_j p_j + sum_j t_j + smooth_denominator), "
               "p = prediction, t = target",
    .reference = "Milletari, Navab & Ahmadi, V-Net (2016), section 3",
    .elsewhere = "MONAI DiceLoss; Keras Dice with smooth_numerator = 0; optax dice_loss with both 1",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION,
    .options = options,
    .option_count = 3,
    .prepare = prepare,
};

#endif
