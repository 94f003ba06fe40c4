/*
 * Quantile loss smoothed by a logistic density of width h.
 *
 *     r = prediction − target,  x = |r|/h,  e = e⁻ˣ
 *     loss = h log(1 + e^(r/h)) − τ r = h log1p(e) + w |r|,   w = τ for r < 0, 1 − τ for r ≥ 0
 *
 * Two positive terms: nothing cancels. The gradient is σ(r/h) − τ = ±(w − (1 − w) e)/(1 + e), where neither the product nor e nor
 * a weight is rounded, for the zero where both are equal; the curvature is e/(1 + e)²/h. As h goes to 0 the loss goes to the
 * quantile loss. The majorizer is that of the logistic loss, tanh(r/2h)/(2r).
 * Zheng, Gradient descent algorithms for quantile regression with smooth approximation (2011), eq. (4); majorizer: Jaakkola &
 * Jordan, Bayesian parameter estimation via variational methods (2000), eq. (9).
 */
#include "loss/robust.h"
#include "loss/sides.h"

/* The weights below and above are τ and 1 − τ; then what is missing of them in float32 and in float64. */
enum {
    QUANTILE,
    WIDTH,
    ABOVE,
    BELOW_FLOAT32,
    ABOVE_FLOAT32,
    BELOW_FLOAT64,
    ABOVE_FLOAT64,
    BELOW_MISSING = LOSSI_REAL == 32 ? BELOW_FLOAT32 : BELOW_FLOAT64,
    ABOVE_MISSING = LOSSI_REAL == 32 ? ABOVE_FLOAT32 : ABOVE_FLOAT64
};

/* Beyond, e is near the numbers that are not normal. */
#define DEEP (LOSSI_REAL == 32 ? REAL(80.0) : REAL(700.0))

/* From here on e is 0, and so is its root. */
#define GONE REAL(4000.0)

LOSSI_INLINE void smoothed_quantile(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal below = v_set1(parameters[QUANTILE]), below_missing = v_set1(parameters[BELOW_MISSING]);
    const vreal above = v_set1(parameters[ABOVE]), above_missing = v_set1(parameters[ABOVE_MISSING]);
    const vreal width = v_set1(parameters[WIDTH]), one = v_set1(1), half = v_set1((real)0.5);
    const vreal r = lossi_weighed(prediction - target, below, above), a = v_abs(r);
    const vreal x = lossi_over(v_min(width * GONE, a), width);
    const vmask low = v_lt(r, v_set1(0));
    const vreal own = v_select(low, below, above), own_missing = v_select(low, below_missing, above_missing);
    const vreal other = v_select(low, above, below),
                other_missing = v_select(low, above_missing, below_missing);
    const vmask deep = v_gt(x, v_set1(DEEP));
    vreal missing; /* what e lost by rounding */
    const vreal e = v_exp_parts(-x, &missing), sum = one + e, inverse = one / sum;
    const vreal rest = v_fnma(inverse, (e - (sum - one)) + missing, v_fnma(inverse, sum, one));
    const vreal sigma = v_fma(rest, inverse, inverse), linear = own * a;
    const vreal lost = v_fnma(other_missing, e, v_fnma(other, missing, own_missing));
    const vreal slope = (v_fnma(other, e, own) + lost) * inverse;

    out->value = v_fma(width, v_log1p_unit(e), linear);
    out->gradient = v_select(low, -slope, slope);
    out->curvature = e * (sigma * sigma) / width;
    if (lossi_unusual(out, deep)) { /* log1p(e) = e = root²: h may lift it from below the normal numbers */
        const vreal root = v_exp(-half * v_select(deep, x, v_set1(DEEP)));
        out->value = v_select(deep, v_fma(width * root, root, linear), out->value);
        out->curvature = v_select(deep, (root / width) * root, out->curvature);
    }
    out->majorizer = v_select(v_lt(x, v_set1(REAL_MIN)), v_set1((real)0.25) / width,
                              half * ((-v_expm1(-x) * sigma) / a));
}

#define LOSSI_FORMULA smoothed_quantile
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [QUANTILE] = LOSSI_SIDES("quantile", "the quantile sought; the weight of predictions that are too low"),
    [WIDTH] = {.name = "width",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-30,
               .maximum = 1e30,
               .initial = 1,
               .doc = "the width of the smoothing"},
};

/* The smallest loss of width 1, at σ(r) = τ: the entropy of τ. */
static double entropy(double quantile)
{
    double terms[F64_LANES] = {quantile, 1 - quantile}, logs[F64_LANES];
    f64_store(logs, v_log(f64_load(terms)));
    return (terms[0] > 0 ? -terms[0] * logs[0] : 0) + (terms[1] > 0 ? -terms[1] * logs[1] : 0);
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double quantile = prepared->parameters[QUANTILE];
    const double above = 1 - quantile;
    prepared->parameters[ABOVE] = above;
    prepared->parameters[BELOW_FLOAT32] = quantile - (double)(float)quantile;
    prepared->parameters[ABOVE_FLOAT32] = above - (double)(float)above;
    prepared->parameters[BELOW_FLOAT64] = 0;
    prepared->parameters[ABOVE_FLOAT64] = (1 - above) - quantile;
    prepared->bounds = (lossi_bounds){
        quantile > 0.5 ? quantile : 1 - quantile, 0.25 / prepared->parameters[WIDTH],
        entropy(quantile) * prepared->parameters[WIDTH], LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_smoothed_quantile;
const lossi_row lossi_row_smoothed_quantile = {
    .name = "smoothed_quantile",
    .aliases = "smooth_pinball",
    .summary = "quantile loss smoothed by a logistic density",
    .formula = "width*log(1 + exp(r/width)) - quantile*r, with r = prediction - target",
    .reference = "Zheng, Gradient descent algorithms for quantile regression with smooth approximation "
                 "(2011), eq. (4)",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
