/*
 * Losses of the probability p that softmax gives to the label: functions ψ of log p, and of a distribution Σ_j u_j ψ(log p_j).
 *
 * u is the class weight of the label, or the class weights times the target. With δ one-hot of the label, M = diag p − ppᵀ and
 * the derivatives by log p:
 *
 *     gradient  ψ' (δ − p)        curvature  ψ'' (δ − p)(δ − p)ᵀ − ψ' M
 *
 * Gauss–Newton leaves out what bends down in M + (δ − p)(δ − p)ᵀ: ψ'' below ψ' p. A formula gives ψ, the steepness g = −ψ', the
 * turn τ = (1 − p) ψ''/g, which has a limit for p → 1 where ψ'' has none, and the lean p + τ, in which the two may cancel: the
 * loss of two classes bends with g (1 − p)(p + τ). A row that counts adds u to the denominator, or 1.
 *
 * These losses are not convex: derivatives by logits are sums of terms of both signs, each of which is rounded. They are within 4 ulp of
 * the terms' sizes added up, where that is more than their own (tests/reference/softmax_terms.py).
 *
 * What is between two classes is the worst of all rows, as a search over more of them did not contradict: the Lipschitz constant
 * is √2 sup −ψ' (1 − p), the bound of the curvature 2 sup f'' of the loss f of the logit between the two.
 */
#ifndef LOSSI_LOSS_LABEL_PROBABILITY_H
#define LOSSI_LOSS_LABEL_PROBABILITY_H

#include <math.h>

#include "loss/class_options.h"
#include "loss/distribution.h"
#include "simd/math_logarithms.h"

/* A vector of probabilities: p, 1 − p and what its rounding lost, log p. */
typedef struct lossi_probability {
    vreal p, rest, rest_missing, log;
} lossi_probability;

typedef struct lossi_psi {
    vreal value, steepness, turn, lean;
} lossi_psi;

/*
 * −α log p + β (1 − p), α ≥ 0, β ≥ −α. For β < 0 the two would cancel: they are (α + β) (−log p) − β (−log p − (1 − p)), and the
 * difference has a function of its own; where p is small it keeps its digits as it stands.
 */
LOSSI_INLINE void lossi_psi_linear(const lossi_probability *x, real alpha, real beta, lossi_psi *out)
{
    const vreal a = v_set1(alpha), b = v_set1(beta), sum = v_set1(alpha + beta);
    /* without its factor a probability of 0 costs nothing */
    const vreal surprise = alpha + (beta < 0 ? beta : 0) == 0 ? v_set1(0) : -x->log;
    if (beta < 0) {
        const vmask small = v_lt(x->p, v_set1(REAL(0.25)));
        const vreal excess = v_select(small, -x->log - x->rest, v_x_minus_log1p(-x->rest));
        out->value = v_fnma(b, excess, sum * surprise);
        out->steepness = v_fnma(b, x->rest, sum);
    } else {
        out->value = v_fma(b, x->rest, a * surprise);
        out->steepness = v_fma(b, x->p, a);
    }
    const vreal turned = v_select(v_eq(out->steepness, v_set1(0)), v_set1(0), x->p / out->steepness);
    out->turn = -(b * x->rest) * turned;
    out->lean = turned * (beta < 0 ? v_fnma(b + b, x->rest, sum) : v_fma(b + b, x->p, v_set1(alpha - beta)));
}

#ifdef LOSSI_ONCE

/* From the bounds for a weight of 1, of losses of two classes: sup −ψ' (1 − p) and sup f''. */
LOSSI_INLINE void lossi_label_bounds(lossi_prepared *prepared, double steepness, double curvature,
                                     double maximum)
{
    const double weight = lossi_largest_class_weight(prepared);
    prepared->bounds = (lossi_bounds){sqrt(2.0) * weight * steepness, 2 * weight * curvature, 0,
                                      weight * maximum, LOSSI_UNBOUNDED};
}

/*
 * The same of −α log p + β (1 − p): (α + β p)(1 − p) is largest at p = (β − α)/(2β), and f'' = (1 − v²)(α + β v)/4, v = 2p − 1, where
 * 3 β v² + 2 α v = β.
 */
LOSSI_INLINE void lossi_linear_bounds(lossi_prepared *prepared, double alpha, double beta)
{
    const double size = fabs(beta),
                 v = size == 0 ? 0 : size / (alpha + sqrt(alpha * alpha + 3 * size * size));
    lossi_label_bounds(prepared, beta > alpha ? (alpha + beta) * ((alpha + beta) / (4 * beta)) : alpha,
                       (1 - v * v) * (alpha + size * v) / 4, alpha > 0 ? LOSSI_UNBOUNDED : beta);
    prepared->flags |= size <= alpha ? LOSSI_CONVEX : 0;
    if (beta == 0 && alpha > 0) { /* cross-entropy */
        prepared->constant = LOSSI_CONSTANT_MEAN;
    }
}

#endif

#endif
