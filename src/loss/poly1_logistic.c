/*
 * Poly-1 logistic loss: binary cross-entropy of a logit x with a weight of its own, 1 + ε, on the first term of its expansion in
 * the probability missed; a target t in [0, 1].
 *
 *     loss = t (−log σ(x) + ε σ(−x)) + (1 − t) (−log σ(−x) + ε σ(x)),   ε ≥ −1
 *
 * With w the coefficient of the wrong side (1 − t for x ≥ 0), o that of the right one, a, e, large, small and soft as in logit.h:
 *
 *     loss = (soft + ε small) + w (a + ε (large − small))
 *     d/da = large² (w + (1 + ε) (w − o) e − o e²)
 *     d²/da² = small large² ((1 + ε − 2ε w) + (1 + ε − 2ε o) e)
 *
 * For ε < 0, soft + ε small would cancel; it is (1 + ε) soft − ε (soft − small), and the difference has a series. ε < −1 would
 * pay for being wrong. Below the smallest normal number e has few digits, and ε times that would show: it is lifted there. Convex
 * for |ε| ≤ 1. The majorizer is the largest curvature (1 − u²)(1 + |ε| u)/4, where u = large − small
 * solves 3 |ε| u² + 2u = |ε|.
 * Leng et al., PolyLoss (2022), eq. (5).
 */
#include "loss/logit.h"
#include "loss/pointwise.h"

enum { EPSILON, ONE_PLUS_EPSILON, LARGEST };

/* log(1 + e) − e/(1 + e), of order e²/2. With log(1 + f) = f − f²/2 + f³ tail(f) on [−¼, ½]: for e ≤ ½ it is e² (large − ½ + e
 * tail(e)); above, with e = 1 + 2f, it is log 2 − ½ + f small − f²/2 + f³ tail(f). */
LOSSI_INLINE vreal soft_minus_small(const lossi_logit *l)
{
    const vreal half = v_set1((real)0.5), e = l->e;
    const vmask upper = v_gt(e, half);
    const vreal f = v_select(upper, v_fma(e, half, -half), e);
    const vreal linear = v_fma(f, l->small, v_set1((real)0.19314718055994530942)); /* log 2 − ½ */
    const vreal second = v_fma(f, v_log_tail(f), v_select(upper, -half, l->large - half));
    return v_fma(f * f, second, v_select(upper, linear, v_set1(0)));
}

/* (1 + ε − 2ε w) + (1 + ε − 2ε o) e; for ε < 0 nothing cancels */
LOSSI_INLINE vreal bend_below(const lossi_logit *l, const lossi_sides *w, vreal epsilon, vreal more)
{
    const vreal twice = v_set1(2) * epsilon;
    return v_fma(v_fnma(twice, w->right, more), l->e, v_fnma(twice, w->wrong, more));
}

/* The same as (1 + e) − κ (1 − e), κ = ε (w − o), for ε ≥ 0: at its zero with what the two sums and e lost by rounding. */
LOSSI_INLINE vreal bend_above(const lossi_logit *l, vreal kappa)
{
    const vreal one = v_set1(1), sum = one + l->e, difference = one - l->e;
    const vreal sum_missing = (l->e - (sum - one)) + l->missing;
    const vreal difference_missing = ((one - difference) - l->e) - l->missing;
    return v_fnma(kappa, difference, sum) + v_fnma(kappa, difference_missing, sum_missing);
}

LOSSI_INLINE void poly1_logistic(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), epsilon = v_set1(parameters[EPSILON]),
                more = v_set1(parameters[ONE_PLUS_EPSILON]);
    const lossi_logit l = lossi_logit_for(x, out);
    const lossi_sides w = lossi_sides_of(&l, t);
    const vreal good = parameters[EPSILON] < 0 ? v_fnma(epsilon, soft_minus_small(&l), more * l.soft)
                                               : v_fma(epsilon, l.small, l.soft);
    const vreal bad = w.wrong * v_fma(epsilon, l.large - l.small, l.a);
    /* polynomials in e that have zeros: evaluated with what e and 1 − t lost by rounding */
    const vreal linear = v_fnma(w.right, l.e, more * w.apart);
    const vreal slope = v_fma(linear, l.e, w.wrong) + (v_fnma(w.right_missing, l.e * l.e, w.wrong_missing) +
                                                       v_fnma(w.right, l.e, linear) * l.missing);
    const vreal bend = parameters[EPSILON] < 0 ? bend_below(&l, &w, epsilon, more)
                                               : bend_above(&l, epsilon * w.apart);

    out->value = good + v_select(v_eq(w.wrong, zero), zero, bad);
    out->gradient = v_select(l.up, slope, -slope) * l.square;
    out->curvature = l.small_large * (bend * l.large);
    const vmask deep = v_gt(l.a, v_set1(LOGIT_DEEP));
    if (lossi_unusual(out, deep)) { /* 1 + e is 1, and soft, small and small_large are e */
        const vreal wrong = v_select(v_eq(w.wrong, zero), zero, bad);
        const vreal steep = w.wrong + ((more * w.apart) * l.lifted) * l.lower;
        out->value = v_select(deep, (more * l.lifted) * l.lower + wrong, out->value);
        out->gradient = v_select(deep, v_select(l.up, steep, -steep), out->gradient);
        out->curvature = v_select(deep, (bend * l.lifted) * l.lower, out->curvature);
    }
    out->majorizer = v_select(v_is_nan(slope), slope, v_set1(parameters[LARGEST]));
}

/*
 * Value and gradient for ε ≥ 0 and |x| up to LOGIT_DEEP:
 *
 *     loss = soft + w a + ε (e + w (1 − e))/(1 + e)
 */
LOSSI_INLINE void brief(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), below = v_copysign(x, v_set1(-1)), e = lossi_exp_shallow(below);
    const vmask up = v_ge(x, v_set1(0));
    const vreal other = one - t, tilt = v_fma(v_set1(-2), t, one);
    const vreal wrong = v_select(up, other, t), right = v_select(up, t, other);
    const vreal apart = v_select(up, tilt, -tilt);
    vreal rest;
    const vreal rough = lossi_rough_inverse(e, &rest), square = rough * rough;
    const vreal large_square = v_fma(square, lossi_rest_of_square(rest), square);
    const vreal missed = v_fma(wrong, one - e, e) * v_fma(rough, rest, rough);
    const vreal linear = v_fnma(right, e, v_set1(parameters[ONE_PLUS_EPSILON]) * apart);
    const vreal slope = v_fma(linear, e, wrong) * large_square;

    lossi_leave(out, v_lt(below, v_set1(-LOGIT_DEEP)));
    out->value = v_fnma(wrong, below, v_fma(v_set1(parameters[EPSILON]), missed, v_log1p_unit(e)));
    out->gradient = v_select(up, slope, -slope);
}

static int32_t is_brief(const lossi_prepared *prepared)
{
    return prepared->parameters[EPSILON] >= 0;
}

#define LOSSI_FORMULA  poly1_logistic
#define LOSSI_SHORT    brief
#define LOSSI_IS_SHORT is_brief
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    [EPSILON] = {.name = "epsilon",
                 .type = LOSS_OPTION_DOUBLE,
                 .minimum = -1,
                 .maximum = 1000,
                 .initial = 2,
                 .doc = "the weight of the probability missed"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double epsilon = prepared->parameters[EPSILON], size = fabs(epsilon);
    const double u = size / (1 + sqrt(1 + 3 * size * size));
    (void)values;
    prepared->parameters[ONE_PLUS_EPSILON] = 1 + epsilon;
    prepared->parameters[LARGEST] = (1 - u * u) * (1 + size * u) / 4;
    prepared->target = (lossi_domain){0, 1, 0};
    prepared->flags &= size <= 1 ? ~(uint32_t)0 : ~(uint32_t)LOSSI_CONVEX;
    prepared->constant = epsilon == 0 ? LOSSI_CONSTANT_MEAN : LOSSI_CONSTANT_SEARCH;
    /* q (1 + ε (1 − q)) is largest at q = 1, or at (1 + ε)/(2ε) */
    prepared->bounds.lipschitz = epsilon > 1 ? (1 + epsilon) * ((1 + epsilon) / (4 * epsilon)) : 1;
    prepared->bounds.curvature = prepared->parameters[LARGEST];
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_poly1_logistic;
const lossi_row lossi_row_poly1_logistic = {
    .name = "poly1_logistic",
    .aliases = "poly1_binary poly1_binary_cross_entropy",
    .summary = "binary cross-entropy of a logit plus a multiple of the probability missed",
    .formula = "t*(-log(p) + epsilon*(1 - p)) + (1 - t)*(-log(1 - p) + epsilon*p), p = 1/(1 + exp(-x)), "
               "x = prediction, t = target",
    .reference = "Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions "
                 "(2022)",
    .elsewhere = "optax poly_loss_cross_entropy, of two classes",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
