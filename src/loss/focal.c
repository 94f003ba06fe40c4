/*
 * Focal loss: binary cross-entropy of a logit x, with less weight on what is classified well; a target t in [0, 1].
 *
 *     loss = (α t + (1 − α)(1 − t)) m^γ B,   m = (1 − t) σ(x) + t σ(−x),   B = −t log σ(x) − (1 − t) log σ(−x)
 *
 * For a target of 1 that is −α (1 − p)^γ log p with p = σ(x). A negative α weighs both classes with 1. γ = 0 is the logistic
 * loss. Not convex for γ > 0. The majorizer is the largest curvature, rounded up to a multiple of 2⁻²⁰ so that it does not
 * depend on the last digits of a search. focal.h has the derivatives.
 * Lin et al., Focal loss for dense object detection (2017), eq. (5); between 0 and 1 the target is mixed as torchvision does.
 */
#include "loss/focal.h"
#include "loss/pointwise.h"

/* The weight of a target is LEAST + MORE · (SLOPE t + OFFSET) too, where nothing cancels. */
enum {
    GAMMA,
    ALPHA,
    POSITIVE,
    NEGATIVE,
    LEAST,
    MORE,
    SLOPE,
    OFFSET,
    LARGEST = ALPHA /* kernels have no use for it */
};

/* positive t + negative (1 − t), from the nearer end: with one rounding, and exact where both are 1. */
LOSSI_INLINE vreal class_weight(vreal t, const real *parameters)
{
    const vreal one = v_set1(1), positive = v_set1(parameters[POSITIVE]),
                negative = v_set1(parameters[NEGATIVE]);
    const vmask upper = v_gt(t, v_set1((real)0.5));
    const vreal away = v_select(upper, one - t, t), change = positive - negative;
    return v_fma(v_select(upper, -change, change), away, v_select(upper, positive, negative));
}

LOSSI_INLINE void focal(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const lossi_logit l = lossi_logit_for(x, out);
    const lossi_sides w = lossi_sides_of(&l, t);
    const lossi_focal_term term = lossi_focal(&l, &w, parameters[GAMMA]);
    const vreal weight = class_weight(t, parameters);

    out->value = weight * term.value;
    out->gradient = weight * v_select(l.up, term.slope, -term.slope);
    out->curvature = weight * term.bend;
    out->majorizer = v_select(v_is_nan(x), x, weight * v_set1(parameters[LARGEST]));
}

/*
 * Value and gradient for γ = 2 and |x| up to LOGIT_DEEP, without a power and a quotient by n, for n k = (w − o) e:
 *
 *     loss = m² B,   d/da = m large² ((w − o e) n + 2 (w − o) e B)
 */
LOSSI_INLINE void focal_square(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), below = v_copysign(x, v_set1(-1)), e = lossi_exp_shallow(below);
    const vmask up = v_ge(x, v_set1(0));
    const vreal other = one - t, wrong = v_select(up, other, t), right = v_select(up, t, other);
    const vreal n = v_fma(right, e, wrong), b = v_fnma(wrong, below, v_log1p_unit(e));
    vreal rest;
    const vreal rough = lossi_rough_inverse(e, &rest), product = n * rough, square = rough * rough;
    const vreal m = product +
                    v_fma(v_fma(right, e, wrong - n), rough, v_fma(product, rest, v_fma(n, rough, -product)));
    const vreal large_square = v_fma(square, lossi_rest_of_square(rest), square);
    const vreal steep = v_fma(v_fnma(right, e, wrong), n, (wrong - right) * (e + e) * b);
    const vreal away = v_fma(v_set1(parameters[SLOPE]), t, v_set1(parameters[OFFSET]));
    const vreal part = v_fma(v_set1(parameters[MORE]) * m, away, v_set1(parameters[LEAST]) * m);
    const vreal slope = (part * large_square) * steep;

    lossi_leave(out, v_lt(below, v_set1(-LOGIT_DEEP)));
    const vreal power = part * m;
    out->value = v_fma(power, b, v_fma(part, m, -power) * b);
    out->gradient = v_select(up, slope, -slope);
}

static int32_t is_square(const lossi_prepared *prepared)
{
    return prepared->parameters[GAMMA] == 2;
}

#define LOSSI_FORMULA  focal
#define LOSSI_SHORT    focal_square
#define LOSSI_IS_SHORT is_square
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include "loss/focal_bounds.h"

static const loss_option options[] = {
    [GAMMA] = {.name = "gamma",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 0,
               .maximum = 1000,
               .initial = 2,
               .doc = "the power of the probability missed; 0 is the logistic loss"},
    [ALPHA] = {.name = "alpha",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = -1,
               .maximum = 1,
               .initial = 0.25,
               .doc = "the weight of positive targets, 1 - alpha that of negative ones; below 0: both 1"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double gamma = prepared->parameters[GAMMA], alpha = prepared->parameters[ALPHA];
    const double positive = alpha < 0 ? 1 : alpha, negative = alpha < 0 ? 1 : 1 - alpha;
    (void)values;
    prepared->parameters[POSITIVE] = positive;
    prepared->parameters[NEGATIVE] = negative;
    prepared->parameters[LEAST] = positive < negative ? positive : negative;
    prepared->parameters[MORE] = fabs(positive - negative);
    prepared->parameters[SLOPE] = positive < negative ? -1 : 1;
    prepared->parameters[OFFSET] = positive < negative ? 1 : 0;
    prepared->target = (lossi_domain){0, 1, 0};
    const double largest = positive > negative ? positive : negative;
    prepared->bounds.lipschitz = largest * focal_lipschitz(gamma);
    prepared->bounds.curvature = largest * focal_largest_curvature(gamma);
    prepared->parameters[LARGEST] = gamma == 0 ? 0.25
                                               : ceil(focal_largest_curvature(gamma) * 0x1p20) * 0x1p-20;
    prepared->bounds.derivatives = REAL_INFINITY;
    if (gamma > 0) {
        prepared->flags &= ~(uint32_t)LOSSI_CONVEX;
    } else if (positive == negative) {
        prepared->constant = LOSSI_CONSTANT_MEAN;
    }
}

extern const lossi_row lossi_row_focal;
const lossi_row lossi_row_focal = {
    .name = "focal",
    .aliases = "sigmoid_focal binary_focal sigmoid_focal_loss binary_focal_cross_entropy "
               "binary_focal_crossentropy",
    .summary = "binary cross-entropy of a logit, with less weight on what is classified well",
    .formula =
        "(alpha*t + (1 - alpha)*(1 - t))*(p*(1 - t) + (1 - p)*t)^gamma*(-t*log(p) - (1 - t)*log(1 - p)), "
        "p = 1/(1 + exp(-x)), x = prediction, t = target",
    .reference = "Lin et al., Focal loss for dense object detection (2017), eq. (5)",
    .elsewhere = "torchvision sigmoid_focal_loss; Keras BinaryFocalCrossentropy; optax sigmoid_focal_loss; "
                 "CatBoost Focal",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
