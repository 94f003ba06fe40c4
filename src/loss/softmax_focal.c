/*
 * Softmax focal loss: cross-entropy with less weight on what is classified well.
 *
 *     loss = −α (1 − p)^γ log p,   p = softmax(z)_y;   of distributions Σ_j u_j times the same of p_j
 *
 * With r = 1 − p, ℓ = −log p/r, which is 1 at r = 0, and n = γ p ℓ + 1, by log p:
 *
 *     steepness  α r^γ n        turn  γ p ((γ − 1) p ℓ + 2 + log p)/n        lean  p (γ² p ℓ + 2γ + 1 + γ log p)/n
 *
 * so that nothing is divided by a power of r that may vanish. loss/label_probability.h makes the derivatives by z of them. γ = 0
 * is cross-entropy; not convex for γ > 0.
 *
 * Lin et al., Focal loss for dense object detection (2017), eq. (5), of the softmax.
 */
#include "loss/focal.h"
#include "loss/label_probability.h"

enum { GAMMA = LOSSI_CLASS_OPTIONS, ALPHA };

LOSSI_INLINE void softmax_focal(const lossi_probability *x, const double *parameters, lossi_psi *out)
{
    const real given = (real)parameters[GAMMA];
    const vreal zero = v_set1(0), one = v_set1(1), gamma = v_set1(given),
                alpha = v_set1((real)parameters[ALPHA]);
    const vmask sure = v_eq(x->rest, zero), lost = v_eq(x->p, zero);
    const focal_pair rest = {v_select(sure, one, x->rest), v_select(sure, zero, x->rest_missing)};
    const vreal power = v_select(sure, v_set1(given == 0 ? 1 : 0), focal_power(rest, given).head);
    const vreal p_ell = v_select(lost, zero, x->p * v_select(sure, one, -x->log / rest.head));
    const vreal n = v_fma(gamma, p_ell, one), part = x->p / n, log = v_select(lost, zero, x->log);

    out->value = alpha * (power * -x->log);
    out->steepness = alpha * (power * n);
    out->turn = gamma * part * v_fma(gamma - one, p_ell, v_set1(2) + log);
    out->lean = part * v_fma(gamma, v_fma(gamma, p_ell, v_set1(2) + log), one);
}

#define LOSSI_FORMULA softmax_focal
#include "loss/label_probability_kernels.h"

#ifdef LOSSI_ONCE

#include "loss/focal_bounds.h"

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    [GAMMA] = {.name = "gamma",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 0,
               .maximum = 1000,
               .initial = 2,
               .doc = "the power of the probability missed; 0 is cross-entropy"},
    [ALPHA] = {.name = "alpha",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-6,
               .maximum = 1e6,
               .initial = 0.25,
               .doc = "the weight of every class; class_weight is one for each"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double gamma = prepared->parameters[GAMMA], alpha = prepared->parameters[ALPHA];
    lossi_prepare_classes(values, prepared);
    lossi_label_bounds(prepared, alpha * focal_lipschitz(gamma), alpha * focal_largest_curvature(gamma),
                       LOSSI_UNBOUNDED);
    if (gamma == 0) {
        prepared->flags |= LOSSI_CONVEX;
        prepared->constant = LOSSI_CONSTANT_MEAN;
    }
}

extern const lossi_row lossi_row_softmax_focal;
const lossi_row lossi_row_softmax_focal = {
    .name = "softmax_focal",
    .aliases = "categorical_focal categorical_focal_cross_entropy "
               "categorical_focal_crossentropy",
    .summary = "softmax cross-entropy with less weight on what is classified well",
    .formula = "-alpha*sum_j u_j*(1 - p_j)^gamma*log(p_j), u = class_weight * target distribution, "
               "p = softmax(prediction)",
    .reference = "Lin et al., Focal loss for dense object detection (2017), eq. (5)",
    .elsewhere = "Keras CategoricalFocalCrossentropy",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = ALPHA + 1,
    .prepare = prepare,
};

#endif
