/* Constants and polynomials of the elementary functions in float64; what they mean is said in simd/math.h.
 *
 * Polynomials: made by tests/numerics/minimax.sollya (Sollya 8.0, fpminimax), minimax in relative error. Even and
 * odd powers are summed apart: one chain of twenty dependent additions would leave the processor waiting. */
#ifndef LOSSI_SIMD_MATH_FLOAT64_H
#define LOSSI_SIMD_MATH_FLOAT64_H

/* Beyond these e^x is infinite (ln DBL_MAX = 709.78) or rounds to 0 (ln 2^-1075 = -745.13). */
#define MATH_EXP_HIGHEST  710.0
#define MATH_EXP_LOWEST   -746.0
#define MATH_EXPM1_LOWEST -38.0 /* e^x - 1 rounds to -1 below ln 2^-54 = -37.43 */
#define MATH_TANH_HIGHEST 20.0  /* tanh x rounds to 1 above 19.07 */

#define MATH_LOG2_E 0x1.71547652b82fep0
/* ln 2 in two parts. 41 bits of the first: its product with any exponent is exact. */
#define MATH_LN2_HIGH 0x1.62e42fefa4p-1
#define MATH_LN2_LOW  -0x1.8432a1b0e2634p-43
#define MATH_ROUNDER  0x1.8p52 /* adding and subtracting it rounds to an integer */

#define MATH_EXPONENT_HIGHEST    1023 /* of a power of two that is a number; also the bias */
#define MATH_SIGNIFICAND_BITS    52
#define MATH_BITS_ONE            0x3ff0000000000000
#define MATH_BITS_THREE_QUARTERS 0x3fe8000000000000
#define MATH_BITS_INVERSE_ROOT   0x5fe6eb50c7b537a9

/* (e^r - 1 - r) / r^2 = 1/2 + r (odd + r even) on |r| <= ln 2 / 2; e^r - 1 is then right to 2^-61.5 */
LOSSI_INLINE vreal v_exp_chains(vreal square, vreal *odd)
{
    vreal even = v_set1(0x1.1f1a283c7cf11p-29);
    *odd = v_set1(0x1.af5f17c20c511p-26);
    even = v_fma(even, square, v_set1(0x1.27e5133c92e3cp-22));
    *odd = v_fma(*odd, square, v_set1(0x1.71ddf819199dfp-19));
    even = v_fma(even, square, v_set1(0x1.a01a018e0fb83p-16));
    *odd = v_fma(*odd, square, v_set1(0x1.a01a01b000a1cp-13));
    even = v_fma(even, square, v_set1(0x1.6c16c16c1aafap-10));
    *odd = v_fma(*odd, square, v_set1(0x1.111111110f659p-7));
    even = v_fma(even, square, v_set1(0x1.555555555554dp-5));
    *odd = v_fma(*odd, square, v_set1(0x1.5555555555559p-3));
    return even;
}

LOSSI_INLINE vreal v_exp_cubic_tail(vreal r)
{
    vreal odd;
    vreal even = v_exp_chains(r * r, &odd);
    return v_fma(even, r, odd);
}

LOSSI_INLINE vreal v_exp_tail(vreal r)
{
    vreal odd, square = r * r;
    vreal even = v_exp_chains(square, &odd);
    return v_fma(odd, r, v_fma(even, square, v_set1(0.5)));
}

/* (log(1 + f) - f + f^2 / 2) / f^3 on [-1/4, 1/2]; log(1 + f) is then right to 2^-59.2 */
LOSSI_INLINE vreal v_log_tail(vreal f)
{
    vreal square = f * f;
    vreal odd = v_set1(-0x1.d0c4d2b9f000bp-8);
    vreal even = v_set1(0x1.b3eba94706455p-6);
    odd = v_fma(odd, square, v_set1(-0x1.82e93d391e0e4p-5));
    even = v_fma(even, square, v_set1(0x1.cfb25c4e66c4fp-5));
    odd = v_fma(odd, square, v_set1(-0x1.d95e3e6101371p-5));
    even = v_fma(even, square, v_set1(0x1.e2a709926cfep-5));
    odd = v_fma(odd, square, v_set1(-0x1.fdec5bf018a3ap-5));
    even = v_fma(even, square, v_set1(0x1.10d28d801c2e2p-4));
    odd = v_fma(odd, square, v_set1(-0x1.249d940254772p-4));
    even = v_fma(even, square, v_set1(0x1.3b1917a851519p-4));
    odd = v_fma(odd, square, v_set1(-0x1.55554ac393409p-4));
    even = v_fma(even, square, v_set1(0x1.745cde4093aa7p-4));
    odd = v_fma(odd, square, v_set1(-0x1.99999678f86aep-4));
    even = v_fma(even, square, v_set1(0x1.c71c730d0784cp-4));
    odd = v_fma(odd, square, v_set1(-0x1.0000000d353c2p-3));
    even = v_fma(even, square, v_set1(0x1.249249229f8a2p-3));
    odd = v_fma(odd, square, v_set1(-0x1.555555552bd62p-3));
    even = v_fma(even, square, v_set1(0x1.999999999c74bp-3));
    odd = v_fma(odd, square, v_set1(-0x1.0000000000159p-2));
    even = v_fma(even, square, v_set1(0x1.555555555554ap-2));
    return v_fma(odd, f, even);
}

/* (log(1 + x) - x) / x^2 on [0, 1]; log(1 + x) is then right to 2^-59.1. Of the terms after the first, two neighbours are
 * summed before the others, which makes pairs of one sign: nothing cancels. */
LOSSI_INLINE vreal v_log_unit_tail(vreal x)
{
    vreal square = x * x;
    vreal p = v_fma(v_set1(-0x1.1606f1dbe692ap-16), x, v_set1(0x1.a1ab58f076299p-13));
    p = v_fma(p, square, v_fma(v_set1(-0x1.2a61cb642b434p-10), x, v_set1(0x1.0f075553a57a1p-8)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.61dc7ab40b35bp-7), x, v_set1(0x1.6514bc33cc758p-6)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.25c642daf840bp-5), x, v_set1(0x1.9cae2fde5fbe1p-5)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.02741dbe70b94p-4), x, v_set1(0x1.2cae376984a4dp-4)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.50611352abfafp-4), x, v_set1(0x1.72fd8cf67ab94p-4)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.994c3cc37a64bp-4), x, v_set1(0x1.c70f2ac27546bp-4)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.fffe436a7b01ap-4), x, v_set1(0x1.249233a746fabp-3)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.555553dc86beap-3), x, v_set1(0x1.999999886544fp-3)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.ffffffff8608ep-3), x, v_set1(0x1.555555555477p-2)));
    return v_fma(p, x, v_set1(-0x1.fffffffffffeep-2));
}

/* (-log(1 - x) - x) / x^2 on [0, 1/2]; log(1 - x) is then right to 2^-59.6 */
LOSSI_INLINE vreal v_log_complement_tail(vreal x)
{
    vreal square = x * x;
    vreal p = v_fma(v_set1(0x1.1afb7f5845c18p5), x, v_set1(-0x1.3cf12f5ac6a49p7));
    p = v_fma(p, square, v_fma(v_set1(0x1.514a5d9bc0211p8), x, v_set1(-0x1.bfea1ac558533p8)));
    p = v_fma(p, square, v_fma(v_set1(0x1.9e5bf22168e49p8), x, v_set1(-0x1.1a3ee9dea3848p8)));
    p = v_fma(p, square, v_fma(v_set1(0x1.250748aac74p7), x, v_set1(-0x1.d76719e30cb81p5)));
    p = v_fma(p, square, v_fma(v_set1(0x1.2bb4257597cabp4), x, v_set1(-0x1.2545502a8ba43p2)));
    p = v_fma(p, square, v_fma(v_set1(0x1.00804736e2ae1p0), x, v_set1(-0x1.a5ec3f2701c41p-5)));
    p = v_fma(p, square, v_fma(v_set1(0x1.e016abb0ddac3p-4), x, v_set1(0x1.c09033b1b8346p-4)));
    p = v_fma(p, square, v_fma(v_set1(0x1.003aa72a5817p-3), x, v_set1(0x1.248f47d93b5e2p-3)));
    p = v_fma(p, square, v_fma(v_set1(0x1.555571090b979p-3), x, v_set1(0x1.999998f095278p-3)));
    p = v_fma(p, square, v_fma(v_set1(0x1.0000000136956p-2), x, v_set1(0x1.55555555530ecp-2)));
    return v_fma(p, x, v_set1(0x1.000000000000cp-1));
}

#endif
