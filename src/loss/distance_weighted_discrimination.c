/*
 * The loss of distance-weighted discrimination: linear where a hinge is, and then never quite zero.
 *
 *     s = y · prediction,   y = −1 or +1,   s₀ = q/(q + 1)
 *     loss = 1 − s                s < s₀
 *            (s₀/s)^q/(q + 1)     s ≥ s₀
 *
 * q = 1 is the original, 1/(4s) from ½ on; q → ∞ is the hinge. The gradient is continuous: −1, and −(s₀/s)^(q + 1). The curvature
 * is 0, and (q + 1)/s · (s₀/s)^(q + 1); at s₀ it is that of the upper piece, which is downhill. Its largest value, (q + 1)²/q
 * at s₀, is the majorizer. The power is made of 2⁻¹² s/s₀, which does not overflow;
 * where it is below the normal numbers it has few digits, and q + 1 times that shows in the curvature.
 * Marron, Todd & Ahn, Distance-weighted discrimination (2007); q: Wang & Zou, Another look at distance-weighted discrimination
 * (2018).
 */
#include "loss/margin.h"
#include "loss/power.h"

/* s₀ as two numbers, so that the piece of a number next to it is the right one */
enum { Q, TARGET_ENCODING, ONE_PLUS_Q, EDGE, EDGE_REST, LARGEST };

#define FAR REAL(0x1p120) /* to where v_reciprocal() goes */

/* s₀/s */
LOSSI_INLINE vreal part_of(vreal edge, vreal s, lossi_point *out)
{
    const vreal part = edge * v_reciprocal(s);
    const vmask far = v_gt(s, v_set1(FAR));
    return lossi_unusual(out, far) ? v_select(far, edge / s, part) : part;
}

LOSSI_INLINE void distance_weighted_discrimination(vreal prediction, vreal target, const real *parameters,
                                                   lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), more = v_set1(parameters[ONE_PLUS_Q]);
    const vreal y = lossi_sign(target, parameters), s = y * prediction, edge = v_set1(parameters[EDGE]);
    const vmask linear = v_lt(s - edge, v_set1(parameters[EDGE_REST])), nan = v_is_nan(s);
    const vmask endless = v_eq(s, v_set1(REAL_INFINITY));
    const vreal nearest = edge + v_set1(parameters[EDGE_REST]), part = part_of(nearest, s, out);
    const vreal rest = v_set1(parameters[EDGE_REST]) - (nearest - edge), moved = s * v_set1((real)0x1p-12);
    const vreal head = v_select(endless, one, moved / nearest);
    const vreal tail = (v_fnma(head, nearest, moved) - head * rest) / nearest;
    const vreal power = v_select(
        endless, zero,
        v_select(nan, s,
                 lossi_power(head, v_select(endless, zero, tail), v_set1(12), v_set1(-parameters[Q]))));

    out->value = v_select(linear, one - s, power * (one / more));
    out->gradient = -y * v_select(linear, one, power * part);
    out->curvature = v_select(linear, zero, ((more * power) / s) * part);
    out->majorizer = v_select(nan, s, v_set1(parameters[LARGEST]));
}

/* q = 1: the power is s₀/s itself, and s₀ is ½. */
static int is_original(const lossi_prepared *prepared)
{
    return prepared->parameters[Q] == 1;
}

LOSSI_INLINE void original(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal y = lossi_sign(target, parameters), s = y * prediction, part = part_of(half, s, out);
    const vmask linear = v_lt(s, half);

    out->value = v_select(linear, one - s, part * half);
    out->gradient = -y * v_select(linear, one, part * part);
    out->curvature = v_select(linear, zero, ((part + part) / s) * part);
    out->majorizer = v_select(v_is_nan(s), s, v_set1(parameters[LARGEST]));
}

#define LOSSI_ALONE
#define LOSSI_SPECIAL    original
#define LOSSI_IS_SPECIAL is_original
#define LOSSI_FORMULA    distance_weighted_discrimination
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    [Q] = {.name = "q",
           .type = LOSS_OPTION_DOUBLE,
           .minimum = 1e-3,
           .maximum = 100,
           .initial = 1,
           .doc = "the power with which the loss falls beyond the margin"},
    [TARGET_ENCODING] = LOSSI_TARGET_ENCODING,
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    double *parameters = prepared->parameters;
    const double q = parameters[Q], more = q + 1, edge = q / more;
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    parameters[ONE_PLUS_Q] = more;
    parameters[EDGE] = (double)(float)edge; /* exact in both element types */
    parameters[EDGE_REST] = (edge - parameters[EDGE]) + fma(-edge, more, q) / more;
    parameters[LARGEST] = more * (more / q);
    prepared->bounds.lipschitz = 1;
    prepared->bounds.curvature = parameters[LARGEST];
    prepared->bounds.derivatives = 1;
}

extern const lossi_row lossi_row_distance_weighted_discrimination;
const lossi_row lossi_row_distance_weighted_discrimination = {
    .name = "distance_weighted_discrimination",
    .aliases = "dwd dwd_margin",
    .summary = "linear where a hinge is, then falling as a power of the margin",
    .formula = "1 - s if s < q/(q + 1), else (q/((q + 1)*s))^q/(q + 1), with s = y*prediction, y = -1 or +1",
    .reference = "Marron, Todd & Ahn, Distance-weighted discrimination (2007)",
    .elsewhere = "LossFunctions.jl DWDMarginLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
