/*
 * Numbers m · 2ᵉ with an exponent of their own, for products of probabilities over long sequences: they neither underflow nor
 * take a logarithm, and sums of them keep every digit, where sums of logarithms lose as many as the logarithm is large.
 *
 * m is 0, with e = −∞, or in [3/4, 3/2); e is a whole number in a double.
 */
#ifndef LOSSI_LOSS_SCALED_H
#define LOSSI_LOSS_SCALED_H

#include <math.h>

#include "simd/real.h"

typedef struct lossi_scaled {
    f64v m, e;
} lossi_scaled;

/* Terms of a sum further below the largest are nothing beside it. */
#define LOSSI_SCALED_GONE (-1000.0)

LOSSI_INLINE lossi_scaled lossi_scaled_load(const double *m, const double *e)
{
    return (lossi_scaled){f64_load(m), f64_load(e)};
}

LOSSI_INLINE void lossi_scaled_store(double *m, double *e, lossi_scaled x)
{
    f64_store(m, x.m);
    f64_store(e, x.e);
}

/* m · 2ᵉ of any m ≥ 0. */
LOSSI_INLINE lossi_scaled lossi_scaled_of(f64v m, f64v e)
{
    const f64v zero = f64_set1(0);
    const f64m some = f64_gt(m, zero);
    f64v n;
    const f64v part = f64_split(f64_select(some, m, f64_set1(1)), &n);
    return (lossi_scaled){f64_select(some, part, zero), f64_select(some, e + n, f64_set1((double)-INFINITY))};
}

LOSSI_INLINE lossi_scaled lossi_scaled_times(lossi_scaled a, lossi_scaled b)
{
    return lossi_scaled_of(a.m * b.m, a.e + b.e);
}

/* m 2^(e − common) for e ≤ common, 0 where that is next to nothing. */
LOSSI_INLINE f64v lossi_scaled_below(lossi_scaled x, f64v common)
{
    const f64v down = x.e - common, gone = f64_set1(LOSSI_SCALED_GONE);
    return f64_select(f64_gt(down, gone), x.m * f64_pow2(f64_max(gone, down)), f64_set1(0));
}

/* As a plain number; 0 where it would be below 2⁻¹⁰⁰⁰. */
LOSSI_INLINE f64v lossi_scaled_plain(lossi_scaled x)
{
    return lossi_scaled_below(x, f64_set1(0));
}

/* Three numbers over a common power of two, which is the largest of theirs. */
typedef struct lossi_scaled_three {
    f64v part[3], e;
} lossi_scaled_three;

LOSSI_INLINE lossi_scaled_three lossi_scaled_align(lossi_scaled a, lossi_scaled b, lossi_scaled c)
{
    lossi_scaled_three x;
    /* of zeros alone the largest exponent is −∞, from which nothing can be subtracted */
    x.e = f64_max(f64_max(a.e, b.e), f64_max(c.e, f64_set1(-0x1.fffffffffffffp1023)));
    x.part[0] = lossi_scaled_below(a, x.e);
    x.part[1] = lossi_scaled_below(b, x.e);
    x.part[2] = lossi_scaled_below(c, x.e);
    return x;
}

#endif
