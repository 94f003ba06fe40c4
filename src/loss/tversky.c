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
#include "simd/math_power.h"

enum { ALPHA, BETA, NUMERATOR, DENOMINATOR, EXPONENT };

/* u to the power y, from 1 − q where that has more digits. In float32 with what u loses in rounding. Called,
   not copied to each of its places: it is the largest part of the code. */
__attribute__((noinline)) static double power(const lossi_overlap_row *row, double y)
{
    const int32_t complement = row->q.head < 0.5;
    const double base = complement ? -row->q.head : row->u.head;
    const real head = (real)base;
    const double rest = (base - (double)head) + (complement ? -row->q.lost : row->u.lost),
                 whole = complement ? 1 + (double)head : (double)head;
    const vreal x = v_set1(head), exponent = v_set1((real)y);
    const double raised = (double)lossi_first_lane(complement ? v_pow1p(x, exponent) : v_pow(x, exponent));
    return rest == 0 || whole == 0 ? raised : raised * (1 + y * rest / whole);
}

static void raise_to_power(const lossi_tile *tile, lossi_overlap_row *row)
{
    const double e = tile->prepared->parameters[EXPONENT];
    double powers[3]; /* e, e − 1, e − 2 */
    for (int k = 0; k < 3; k++) {
        powers[k] = power(row, e - k);
    }
    row->exponent = e;
    row->value = powers[0];
    row->slope = row->inverse == 0 ? 0 : e * powers[1];
    row->bend = row->inverse == 0 ? 0 : e * (e - 1) * powers[2];
    row->power = e * powers[2];
    row->steep = lossi_twofold_multiply(row->u,
                                        lossi_twofold_add(lossi_twofold_of(-e), lossi_twofold_of(-1)));
}

static void everything(const lossi_tile *tile)
{
    const double *parameters = tile->prepared->parameters;
    const lossi_overlap how = {.alpha = parameters[ALPHA],
                               .beta = parameters[BETA],
                               .numerator = parameters[NUMERATOR],
                               .denominator = parameters[DENOMINATOR],
                               .fine = parameters[EXPONENT] != 1 ||
                                       parameters[NUMERATOR] > parameters[DENOMINATOR]};
    lossi_overlap_tile(tile, &how, parameters[EXPONENT] == 1 ? NULL : raise_to_power);
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
