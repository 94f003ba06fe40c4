/*
 * Focal loss: binary cross-entropy of a logit x, with less weight on what is classified well; a target t in [0, 1].
 *
 *     loss = (α t + (1 − α)(1 − t)) m^γ B,   m = (1 − t) σ(x) + t σ(−x),   B = −t log σ(x) − (1 − t) log σ(−x)
 *
 * For a target of 1 that is −α (1 − p)^γ log p with p = σ(x). A negative α weighs both classes with 1. γ = 0 is the logistic
 * loss. Not convex for γ > 0; no majorizer. focal.h has the derivatives.
 * Lin et al., Focal loss for dense object detection (2017), eq. (5); between 0 and 1 the target is mixed as torchvision does.
 */
#include "loss/focal.h"
#include "loss/pointwise.h"

enum { GAMMA, ALPHA, POSITIVE, NEGATIVE };

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
    out->majorizer = out->curvature;
}

#define LOSSI_ALONE
#define LOSSI_FORMULA focal
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
    prepared->target = (lossi_domain){0, 1, 0};
    const double largest = positive > negative ? positive : negative;
    prepared->bounds.lipschitz = largest * focal_lipschitz(gamma);
    prepared->bounds.curvature = largest * focal_largest_curvature(gamma);
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
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
