/*
 * Savage loss: the squared error of a probability, bounded and so robust to wrong labels.
 *
 *     loss = σ(−s)²,   s = y · prediction, y = −1 or +1, σ(s) = 1/(1 + e⁻ˢ)
 *
 * Not convex. With 2 s for s it is the loss that the paper writes; the logit stands for the probability here. The curvature
 * 2 σ(−s)² σ(s) (2 σ(s) − σ(−s)) is 0 at s = −log 2, where the last factor is (2e − 1)/(1 + e). The majorizer is the largest
 * curvature: with p = σ(s), the maximum of 2 (1 − p)² p (3p − 1), at p = (9 + √33)/24.
 * Masnadi-Shirazi & Vasconcelos, On the design of loss functions for classification (2008).
 */
#include "loss/logit.h"
#include "loss/margin.h"

enum { TARGET_ENCODING };

#define LARGEST_CURVATURE 0.15405857012135051

LOSSI_INLINE void savage(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), two = v_set1(2);
    const vreal y = lossi_sign(target, parameters), s = y * prediction;
    const vmask up = v_ge(s, zero);
    vreal missing;
    const vreal e = v_exp_parts(v_copysign(s, v_set1(-1)), &missing), d = one + e, inverse = one / d;
    const vreal lost = e - (d - one), rest = v_fnma(inverse, d, one);
    const vreal large = v_fma(v_fnma(inverse, lost, rest), inverse, inverse),
                q = v_select(up, e, one) * large;
    const vreal more = v_fnma(inverse, lost + missing, rest) * inverse;
    /* σ(|s|)⁴ e to more digits than a number has, for next to its extremes the curvature allows nothing for a move of s */
    const vreal square = inverse * inverse;
    const vreal square_missing = v_fma(inverse, inverse, -square) + (two * inverse) * more;
    const vreal fourth = square * square;
    const vreal fourth_missing = v_fma(square, square, -fourth) + (two * square) * square_missing;
    const vreal bell = e * fourth;
    const vreal bell_missing = v_fma(e, fourth, -bell) + v_fma(e, fourth_missing, missing * fourth);
    /* q (2p − q)/large²; at the zero of the curvature with what e lost by rounding */
    const vreal twice = two * e;
    const vreal factor = v_fma(two * missing, v_select(up, one - e, one),
                               v_select(up, v_fnma(e, e, twice), twice - one));

    out->value = q * q;
    out->gradient = (-two * y) * ((e * large) * (large * q));
    out->curvature = (two * factor) * (bell + bell_missing);
    out->majorizer = v_select(v_is_nan(s), s, v_set1((real)LARGEST_CURVATURE));
}

/*
 * q² and q² p with p = eˢ q, for |s| up to SHALLOW, where eˢ is a number of either type; q = σ(−s) = 1/(1 + eˢ). In float32 the products
 * are those of a rough q, rounded once more: five roundings of a product of four would show next to s = 0.
 */
#define SHALLOW REAL(80.0)

LOSSI_INLINE vreal savage_square(vreal s, vreal *steep)
{
    const vreal e = lossi_exp_shallow(s);
    vreal rest;
    const vreal rough = lossi_rough_inverse(e, &rest);
#if LOSSI_REAL == 32
    const vreal square = rough * rough, product = square * (e * rough), twice = rest + rest;
    *steep = v_fma(product, twice + rest, product);
    return v_fma(square, twice, square);
#else
    const vreal q = v_fma(rough, rest, rough), square = q * q;
    *steep = square * (e * q);
    return square;
#endif
}

LOSSI_INLINE void savage_short(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal y = lossi_sign(target, parameters), s = y * prediction;
    vreal steep;

    lossi_leave(out, v_gt(v_abs(s), v_set1(SHALLOW)));
    out->value = savage_square(s, &steep);
    out->gradient = (v_set1(-2) * y) * steep;
}

#define LOSSI_FORMULA savage
#define LOSSI_SHORT   savage_short
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[TARGET_ENCODING] = LOSSI_TARGET_ENCODING};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    if (lossi_prepare_signs(values, TARGET_ENCODING, prepared)) {
        prepared->constant = LOSSI_CONSTANT_MEAN; /* of targets that are probabilities */
    }
    prepared->bounds.lipschitz = 8.0 / 27; /* 2 (1 − p)² p at p = ⅓ */
    prepared->bounds.curvature = LARGEST_CURVATURE;
    prepared->bounds.maximum = 1;
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_savage;
const lossi_row lossi_row_savage = {
    .name = "savage",
    .aliases = "savage_loss",
    .summary = "the squared error of the probability of a logit: bounded, robust to wrong labels",
    .formula = "1/(1 + exp(y*prediction))^2, y = -1 or +1",
    .reference = "Masnadi-Shirazi & Vasconcelos, On the design of loss functions for classification (2008)",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
