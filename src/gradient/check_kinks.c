/*
 * A second look at a derivative that differences contradict: there may be kinks beside x, which steps wide enough for the noise of the
 * values go over, as in float32 those of a network of rectifiers.
 *
 * Over the widest step the values differ by the integral of the derivative, kinks or not. So with N derivatives d_k at the middles of equal
 * parts of (x − h, x + h),
 *
 *     (f(x + h) − f(x − h)) / 2h = Σ d_k / N    but for R / N,    R = ½ Σ |d_(k−1) − 2 d_k + d_(k+1)|,
 *
 * where R is the height of the kinks, and small where the derivative is smooth. If that holds, and the derivative at x is one of those
 * beside it, then differences cannot tell. A derivative that is wrong by a factor or a term has another mean, and one that is wrong at x
 * alone is none of those beside it. In float64 steps are narrow enough not to need it.
 */
#include "gradient/check.h"

#include <float.h>
#include <math.h>

enum { PARTS = 32, NEAR = 6 };

typedef struct sampled {
    double mean, low, high; /* of the derivatives */
    double rough;           /* R */
} sampled;

static sampled summary(const double *d)
{
    sampled s = {0, d[0], d[0], 0};
    for (int32_t k = 0; k < PARTS; k++) {
        s.mean += d[k] / PARTS;
        s.low = fmin(s.low, d[k]);
        s.high = fmax(s.high, d[k]);
        s.rough += k > 0 && k + 1 < PARTS ? fabs(d[k - 1] - 2 * d[k] + d[k + 1]) / 2 : 0;
    }
    return s;
}

/*
 * Whether derivatives and the difference of values over all parts go together, and with the derivative at x: so closely that one wrong by
 * what is to be explained would be noticed, or kinks are high enough to explain it.
 */
static int32_t go_together(const sampled *s, double difference, double noise, double rounding,
                           const lossi_finding *f)
{
    const double apart = fabs(f->derivative - f->slope.central);
    const double tolerance = noise + 2 * s->rough / PARTS + rounding;
    return fabs(s->mean - difference) <= tolerance && (tolerance <= apart / 2 || s->rough >= apart / 4) &&
           f->derivative >= s->low - rounding && f->derivative <= s->high + rounding;
}

loss_status lossi_check_beside(const lossi_check_line *line, lossi_check_limits limits, double scale,
                               lossi_finding *f)
{
    double d[PARTS], near[NEAR], end[2], value[2], unused;
    loss_status status = LOSS_OK;
    if (f->verdict != LOSS_CHECK_WRONG || !isfinite(f->derivative) ||
        line->objective->dtype != LOSS_FLOAT32) {
        return LOSS_OK;
    }
    for (int32_t k = 0; k < 2 && status == LOSS_OK; k++) {
        end[k] = k == 0 ? -line->step : line->step;
        status = line->at(line->user, &end[k], &value[k], &unused);
    }
    for (int32_t k = 0; k < PARTS && status == LOSS_OK; k++) {
        double t = line->step * ((2 * k + 1) / (double)PARTS - 1);
        status = line->at(line->user, &t, &unused, &d[k]);
    }
    for (int32_t k = 0; k < NEAR && status == LOSS_OK; k++) { /* a kink may be nearer than a part */
        double t = (k % 2 == 0 ? line->step : -line->step) * ldexp(1, -6 - 3 * (k / 2));
        status = line->at(line->user, &t, &unused, &near[k]);
    }
    if (status == LOSS_ERROR_NONFINITE || status == LOSS_ERROR_DOMAIN) {
        return LOSS_OK; /* where there are no values there is no second look */
    }
    if (status != LOSS_OK) {
        return status;
    }
    sampled s = summary(d);
    for (int32_t k = 0; k < NEAR; k++) {
        s.low = fmin(s.low, near[k]);
        s.high = fmax(s.high, near[k]);
    }
    const double difference = (value[1] - value[0]) / (end[1] - end[0]), noise = 8 * line->noise / line->step;
    const double rounding = limits.relative * fmax(fabs(s.mean), fabs(difference)) +
                            64 * FLT_EPSILON * scale + limits.absolute;
    if (go_together(&s, difference, noise, rounding, f)) {
        f->verdict = LOSS_CHECK_INCONCLUSIVE;
        f->severity = s.rough;
        f->beside = 1;
    }
    return LOSS_OK;
}
