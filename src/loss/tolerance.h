/*
 * ρ of the tolerant loss of a square s, w log((1 + e^((s − a)/w))/(1 + e^(−a/w))): next to nothing below a, s − a above.
 *
 * With x = (s − a)/w and d = s/w it is w log1p(z), z = σ(a/w) eˣ (1 − e⁻ᵈ), where nothing cancels; and for large x, where z
 * would overflow, s − a + w log(e⁻ˣ + σ(a/w) (1 − e⁻ᵈ)). ρ′ = σ(x), ρ″ = σ(x) σ(−x)/w.
 */
#ifndef LOSSI_LOSS_TOLERANCE_H
#define LOSSI_LOSS_TOLERANCE_H

#include "loss/robust.h"

/* As factors, none of which is subnormal where s ρ′ or ρ″ is not. */
typedef struct lossi_tolerance {
    vreal value;
    vreal first, second; /* ρ′ is their product */
    vreal side;          /* w ρ″ is its square */
} lossi_tolerance;

/* s ≥ 0 and what it is missing */
LOSSI_INLINE lossi_tolerance lossi_tolerance_of(vreal s, vreal s_missing, vreal a, vreal w)
{
    const vreal zero = v_set1(0), one = v_set1(1), tiny = v_set1(ROBUST_TINY);
    const vreal gap = s - a, back = gap + a, x = gap / w, d = s / w;
    const vreal gap_missing = (s - back) + ((back - gap) - a) + s_missing; /* Knuth's two-sum */
    /* what x is missing counts where the exponential is not 0 yet, and is no number far out */
    const vreal rest = v_select(v_lt(v_abs(x), v_set1(ROBUST_DECAYED * ROBUST_DECAYED)),
                                (v_fnma(x, w, gap) + gap_missing) / w, zero);
    const vmask up = v_ge(x, zero), far_up = v_gt(x, v_set1(4));
    lossi_tolerance rho;
    vreal one_minus;
    const vreal size = v_min(v_set1(ROBUST_DECAYED * ROBUST_DECAYED), v_abs(x)); /* keeps NaN */
    const vreal half = lossi_half_decay(size, v_select(up, rest, -rest), &one_minus), e = half * half;
    const lossi_weight weight = lossi_weight_of(half);
    const vreal p = lossi_weight_nearest(&weight); /* 1/(1 + e) */
    rho.first = v_select(up, one, half);
    rho.second = rho.first * p;
    rho.side = half * p;
    const vreal part = v_sigmoid(a / w) * -v_expm1(-d); /* σ(a/w) (1 − e⁻ᵈ) */
    const vreal z = v_select(up, part / e, part * e);
    const vreal log = w * v_log1p(v_select(far_up, (part - one) + e, z));
    /* near 0 ρ is s ρ′; where eˣ is next to nothing, w z */
    rho.value = v_select(
        v_lt(d, tiny), (s * rho.first) * rho.second,
        v_select(v_lt(z, tiny), ((w * rho.first) * part) * rho.first, v_select(far_up, gap, zero) + log));
    return rho;
}

#endif
