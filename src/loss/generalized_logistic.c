/*
 * Generalized logistic loss: the generalized cross-entropy of two classes, between the logistic loss (q = 0) and the probability
 * missed (q = 1), the more robust to wrong labels the larger q; of a logit x and a target t in [0, 1].
 *
 *     loss = t f(x) + (1 − t) f(−x),   f(s) = (1 − σ(s)^q)/q
 *
 * f(s) is −expm1(−q log(1 + e⁻ˢ))/q, so that it goes over into the logistic loss; of the wrong side the product of two powers less 1. With w the coefficient of the wrong side (1 −
 * t for x ≥ 0), o that of the right one, a, e, large and soft as in logit.h, and σ(−a)^q = e^q large^q:
 *
 *     d/da = large large^q (w e^q − o e)
 *     d²/da² = large² large^q (w e^q (e − q) + o e (1 − q e))
 *
 * Not convex for q > 0. The majorizer is the largest curvature: with p = σ(s), f'' = p^q (1 − p)((1 + q) p − q), which is largest
 * where (1 + q)(2 + q) p² − (1 + q)(1 + 2q) p + q² = 0.
 * Zhang & Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels (2018), eq. (6).
 */
#include "loss/exponentials.h"
#include "loss/logit.h"
#include "loss/pointwise.h"
#include "loss/power.h"

enum { Q, PEAK, REST, Q_MISSING /* of float32 */ };

/* A factor with what rounding took from it. */
typedef struct factor {
    vreal head, missing;
} factor;

LOSSI_INLINE factor times(factor a, factor b)
{
    const vreal head = a.head * b.head;
    return (factor){head, v_fma(a.head, b.head, -head) + v_fma(a.head, b.missing, a.missing * b.head)};
}

/* w e^q (e − q) + o e (1 − q e), whose terms cancel where the curvature changes its sign: digits of both are kept. */
LOSSI_INLINE vreal bend_of(const lossi_logit *l, const lossi_sides *w, factor power, factor q)
{
    const vreal one = v_set1(1), apart = l->e - q.head, part = apart - l->e;
    const factor e = {l->e, l->missing}, product = times(q, e);
    const vreal left = one - product.head;
    const factor down = {apart, ((l->e - (apart - part)) - (q.head + part)) + (l->missing - q.missing)};
    const factor up = {left, ((one - left) - product.head) - product.missing};
    const factor wrong = times(times((factor){w->wrong, w->wrong_missing}, power), down);
    const factor right = times(times((factor){w->right, w->right_missing}, e), up);
    return (wrong.head + right.head) + (wrong.missing + right.missing);
}

LOSSI_INLINE void generalized_logistic(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), q = v_set1(parameters[Q]);
    const vmask logistic = v_eq(q, zero);
    const lossi_logit l = lossi_logit_for(x, out);
    const lossi_sides w = lossi_sides_of(&l, t);
    const vreal q_missing = LOSSI_REAL == 32 ? v_set1(parameters[Q_MISSING]) : zero;
    vreal near, fallen, lost, rest = zero;
    const vreal soft = q * l.soft;
    lossi_exp_both(-soft, zero, &near);
    const vreal large_power = one + near; /* large^q ≥ ½ */
    const vreal exponent = v_times_parts(-q, l.a, &rest);
    rest = v_fnma(q_missing, l.a, rest);
    vreal power = lossi_exp_both_parts(exponent, rest, &fallen, &lost); /* σ(−a)^q is e^(−qa) large^q */
    const vmask far = v_gt(l.a, v_set1(LOSSI_EXP_ORDINARY));
    if (lossi_unusual(out, far)) {
        power = v_select(far, lossi_power_of_e(q, l.a), power);
        fallen = v_select(far, v_expm1(exponent), fallen);
    }
    power = v_select(logistic, one, power);
    lost = v_select(v_mask_or(logistic, far), zero, lost);
    /* to the last digit soft itself where q soft is small, which may be below the normal numbers */
    const vreal good = v_select(v_lt(soft, v_set1(REAL_EPSILON / 4)), l.soft, lossi_quotient_of(-near, q));
    const vreal bad = v_select(logistic, l.a + l.soft, lossi_quotient_of(v_fnma(power, near, -fallen), q));
    /* differences that have zeros: with what e and 1 − t lost by rounding */
    const vreal slope = v_fma(w.wrong, power, -w.right * l.e) +
                        (v_fma(w.wrong, lost, w.wrong_missing * power) -
                         v_fma(w.right, l.missing, w.right_missing * l.e));
    const vreal bend = bend_of(&l, &w, (factor){power, lost}, (factor){q, q_missing});

    out->value = v_fma(w.right, good, v_select(v_eq(w.wrong, zero), zero, w.wrong * bad));
    out->gradient = v_select(l.up, slope, -slope) * (l.large * large_power);
    out->curvature = (l.square * large_power) * bend;
    out->majorizer = v_select(v_is_nan(slope), slope,
                              v_exp(q * v_log(v_set1(parameters[PEAK]))) * v_set1(parameters[REST]));
}

/*
 * Value and gradient for q = ½ and |x| up to LOGIT_DEEP, where powers are roots. With h = e^(−a/2), whose square is e, and
 * ρ = (1 + e)^(−1/2):
 *
 *     loss = 2 (o e ρ²/(1 + ρ) + w (1 − h ρ)),   d/da = ρ³ h (w − o h)
 *
 * ρ is y (1 + rest/2): the rest of a rough one, which has a square with all its digits.
 */
LOSSI_INLINE void by_roots(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), below = v_copysign(x, v_set1(-1));
    const vmask up = v_ge(x, v_set1(0));
    const vreal other = one - t, wrong = v_select(up, other, t), right = v_select(up, t, other);
    vreal h_missing;
    const vreal h = lossi_exp_shallow_parts(half * below, &h_missing), e = h * h;
    const vreal e_missing = v_fma(h, h, -e) + (h + h) * h_missing;
    const vreal d = one + e, lost = (e - (d - one)) + e_missing;
    const vreal y = v_inverse_root(d), square = y * y, square_missing = v_fma(y, y, -square);
    const vreal rest = v_fnma(d, square, one) - v_fma(lost, square, d * square_missing);
    const vreal large = square + v_fma(square, rest, square_missing), cube = square * y;
    const vreal root = v_fma(half * y, rest, y), product = h * y;
    const vreal missing = v_fma(h, y, -product) + v_fma(half * product, rest, h_missing * y);
    const vreal good = v_fma(e, large, e_missing * large) * v_reciprocal(one + root),
                bad = (one - product) - missing;
    const vreal value = v_fma(right, good, wrong * bad);
    const vreal slope = v_fma(cube, rest * (real)1.5, cube) * h * v_fnma(right, h, wrong);

    (void)parameters;
    lossi_leave(out, v_lt(below, v_set1(-LOGIT_DEEP)));
    out->value = value + value;
    out->gradient = v_select(up, slope, -slope);
}

static int32_t is_root(const lossi_prepared *prepared)
{
    return prepared->parameters[Q] == 0.5;
}

#define LOSSI_FORMULA  generalized_logistic
#define LOSSI_SHORT    by_roots
#define LOSSI_IS_SHORT is_root
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    [Q] = {.name = "q",
           .type = LOSS_OPTION_DOUBLE,
           .minimum = 0,
           .maximum = 1,
           .initial = 0.5,
           .doc = "0 is the logistic loss, 1 the probability missed"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    double *parameters = prepared->parameters;
    (void)values;
    if (parameters[Q] < 1e-30) {
        parameters[Q] = 0; /* which changes no digit, and spares float32 a number it has not got */
        prepared->constant = LOSSI_CONSTANT_MEAN;
    } else {
        prepared->flags &= ~(uint32_t)LOSSI_CONVEX;
        prepared->bounds.maximum = 1 / parameters[Q];
    }
    const double q = parameters[Q], linear = (1 + q) * (1 + 2 * q), square = (1 + q) * (2 + q);
    const double peak = (linear + sqrt(linear * linear - 4 * square * q * q)) / (2 * square);
    parameters[Q_MISSING] = q - (double)(float)q;
    parameters[PEAK] = peak;
    parameters[REST] = (1 - peak) * ((1 + q) * peak - q);
    prepared->target = (lossi_domain){0, 1, 0};
    prepared->bounds.lipschitz = pow(q / (1 + q), q) / (1 + q); /* p^q (1 − p) at p = q/(1 + q) */
    prepared->bounds.curvature = pow(peak, q) * parameters[REST];
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_generalized_logistic;
const lossi_row lossi_row_generalized_logistic = {
    .name = "generalized_logistic",
    .aliases = "generalized_binary_cross_entropy binary_gce",
    .summary = "between the logistic loss and the probability missed: robust to wrong labels",
    .formula = "t*(1 - p^q)/q + (1 - t)*(1 - (1 - p)^q)/q, p = 1/(1 + exp(-x)), x = prediction, t = target",
    .reference =
        "Zhang & Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy "
        "labels (2018)",
    .elsewhere = "Keras CategoricalGeneralizedCrossEntropy, of two classes (q = 0.5, as here)",
    .elementary = "exp log1p expm1",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
