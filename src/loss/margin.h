/*
 * What the losses of a margin s = y · prediction share, where y is −1 or +1, given as such or as 0 and 1.
 *
 * A loss f(s) has the gradient y f'(s) and, because y² = 1, the curvature f''(s). The option target_encoding (LOSSI_TARGET_ENCODING
 * in row.h) becomes a slope and an offset in the last two parameters, which turn a target into y exactly.
 */
#ifndef LOSSI_LOSS_MARGIN_H
#define LOSSI_LOSS_MARGIN_H

#include "loss/pointwise.h"

#define LOSSI_DOMAINS LOSSI_SIGNS

enum { LOSSI_SIGN_SLOPE = LOSSI_PARAMETERS - 2, LOSSI_SIGN_OFFSET };

/* y; NaN for NaN */
LOSSI_INLINE vreal lossi_sign(vreal target, const real *parameters)
{
    return v_fma(target, v_set1(parameters[LOSSI_SIGN_SLOPE]), v_set1(parameters[LOSSI_SIGN_OFFSET]));
}

/* −y, for what becomes of s = y · prediction only with a sign: its product with the prediction is −s, with f' the gradient. */
LOSSI_INLINE vreal lossi_against(vreal target, const real *parameters)
{
    return v_fma(target, v_set1(-parameters[LOSSI_SIGN_SLOPE]), v_set1(-parameters[LOSSI_SIGN_OFFSET]));
}

/* For prepare(): the encoding is the option at this place. Returns 1 for targets of 0 and 1. */
static inline int32_t lossi_prepare_signs(const lossi_options *values, int32_t option,
                                          lossi_prepared *prepared)
{
    int32_t zero_one = lossi_options_own(values, option)->integer == 1;
    prepared->parameters[LOSSI_SIGN_SLOPE] = zero_one ? 2 : 1;
    prepared->parameters[LOSSI_SIGN_OFFSET] = zero_one ? -1 : 0;
    prepared->target = (lossi_domain){zero_one ? 0 : -1, 1, 1};
    return zero_one;
}

#endif
