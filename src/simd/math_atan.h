/* The arc tangent, for the element type of the pass, as exact as the functions of simd/math.h and of the same bits everywhere.
 *
 * With a = |x|, atan a is atan q with q = a up to tan(pi / 8), pi / 4 + atan q with q = (a - 1) / (a + 1) up to its inverse, and
 * pi / 2 + atan q with q = -1 / a beyond: one division, whose rounding errors are then measured. Included by the files that
 * need it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_ATAN_H
#define LOSSI_SIMD_MATH_ATAN_H

#include "simd/real.h"

/* (atan(q) / q - 1) / q^2 in z = q^2 on |q| <= tan(pi / 8); atan(q) is then right to 2^-30.4 and 2^-59.4 */
#if LOSSI_REAL == 32

#define MATH_PI_4          0x1.921fb6p-1f
#define MATH_PI_4_LOW      -0x1.777a5cp-26f
#define MATH_TAN_PI_8      0x1.a8279ap-2f
#define MATH_TAN_3PI_8     0x1.3504f4p1f
#define MATH_ATAN_INFINITY 0x1p60f /* from here on atan x is pi / 2 */

LOSSI_INLINE vreal v_atan_tail(vreal z)
{
    vreal p = v_set1(-0x1.f2f74cp-5f);
    p = v_fma(p, z, v_set1(0x1.b227aep-4f));
    p = v_fma(p, z, v_set1(-0x1.23b9d6p-3f));
    p = v_fma(p, z, v_set1(0x1.9991e4p-3f));
    return v_fma(p, z, v_set1(-0x1.55554ap-2f));
}

#else

#define MATH_PI_4          0x1.921fb54442d18p-1
#define MATH_PI_4_LOW      0x1.1a62633145c07p-55
#define MATH_TAN_PI_8      0x1.a8279ap-2
#define MATH_TAN_3PI_8     0x1.3504f4p1
#define MATH_ATAN_INFINITY 0x1p60

LOSSI_INLINE vreal v_atan_tail(vreal z)
{
    vreal square = z * z;
    vreal even = v_set1(-0x1.256ae1c819cccp-6);
    vreal odd = v_set1(0x1.37d5d6ce4a661p-5);
    even = v_fma(even, square, v_set1(-0x1.9cd2cc3bca9b5p-5));
    odd = v_fma(odd, square, v_set1(0x1.df0f4dc533861p-5));
    even = v_fma(even, square, v_set1(-0x1.10ebb86a779eap-4));
    odd = v_fma(odd, square, v_set1(0x1.3b11191f75b4cp-4));
    even = v_fma(even, square, v_set1(-0x1.745cf8dcacc2cp-4));
    odd = v_fma(odd, square, v_set1(0x1.c71c70e613401p-4));
    even = v_fma(even, square, v_set1(-0x1.24924922ad6edp-3));
    odd = v_fma(odd, square, v_set1(0x1.999999999586dp-3));
    even = v_fma(even, square, v_set1(-0x1.555555555553dp-2));
    return v_fma(odd, z, even);
}

#endif

/* atan a = pi / 4 quarters + atan(numerator / denominator), a >= 0 and not infinite; what a + 1 and a - 1 lost by rounding */
typedef struct v_atan_quotient {
    vreal numerator, numerator_missing, denominator, denominator_missing, quarters;
} v_atan_quotient;

LOSSI_INLINE v_atan_quotient v_atan_reduce(vreal a)
{
    vreal zero = v_set1(REAL(0.0)), one = v_set1(REAL(1.0));
    vmask small = v_le(a, v_set1(MATH_TAN_PI_8)), large = v_gt(a, v_set1(MATH_TAN_3PI_8));
    vmask middle = v_mask_not(v_mask_or(small, large));
    vreal below = a - one, above = a + one;
    v_atan_quotient x;
    x.numerator = v_select(small, a, v_select(large, -one, below));
    x.numerator_missing = v_select(middle, a - (below + one), zero);
    x.denominator = v_select(small, one, v_select(large, a, above));
    x.denominator_missing = v_select(middle, a - (above - one), zero);
    x.quarters = v_select(small, zero, v_select(large, v_set1(REAL(2.0)), one));
    return x;
}

/* The reciprocal of the denominator may be a few ulp off: its error is measured. */
LOSSI_INLINE vreal v_atan_of(const v_atan_quotient *x, vreal inverse)
{
    vreal q = x->numerator * inverse;
    vreal remainder = v_fnma(q, x->denominator, x->numerator) +
                      v_fnma(q, x->denominator_missing, x->numerator_missing);
    vreal z = q * q;
    vreal base = x->quarters * MATH_PI_4;
    vreal head = base + q;
    vreal missing = q - (head - base);
    vreal low = v_fma(remainder, inverse, x->quarters * MATH_PI_4_LOW);
    return head + (missing + v_fma(q * z, v_atan_tail(z), low));
}

LOSSI_INLINE vreal v_atan(vreal x)
{
    v_atan_quotient a = v_atan_reduce(v_min(v_set1(MATH_ATAN_INFINITY), v_abs(x))); /* keeps NaN */
    return v_copysign(v_atan_of(&a, v_set1(REAL(1.0)) / a.denominator), x);
}

#endif
