/* Constants and polynomials of the elementary functions in float64; what they mean is said in simd/math.h.
 *
 * Polynomials: made by tests/numerics/minimax.sollya (Sollya 8.0, fpminimax), minimax in relative error. */
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

/* (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; e^r - 1 is then right to 2^-55.5 */
LOSSI_INLINE vreal v_exp_tail(vreal r)
{
    vreal p = v_set1(0x1.ae77776e17861p-26);
    p = v_fma(p, r, v_set1(0x1.28a28f510994ap-22));
    p = v_fma(p, r, v_set1(0x1.71de810a04547p-19));
    p = v_fma(p, r, v_set1(0x1.a019a6a16c798p-16));
    p = v_fma(p, r, v_set1(0x1.a01a0177f2193p-13));
    p = v_fma(p, r, v_set1(0x1.6c16c17f2f16fp-10));
    p = v_fma(p, r, v_set1(0x1.1111111118831p-7));
    p = v_fma(p, r, v_set1(0x1.555555555210cp-5));
    p = v_fma(p, r, v_set1(0x1.555555555553bp-3));
    return v_fma(p, r, v_set1(0x1.0000000000005p-1));
}

/* (log(1 + f) - f + f^2 / 2) / f^3 on [-1/4, 1/2]; log(1 + f) is then right to 2^-59.2 */
LOSSI_INLINE vreal v_log_tail(vreal f)
{
    vreal p = v_set1(-0x1.d0c4d2b9f000bp-8);
    p = v_fma(p, f, v_set1(0x1.b3eba94706455p-6));
    p = v_fma(p, f, v_set1(-0x1.82e93d391e0e4p-5));
    p = v_fma(p, f, v_set1(0x1.cfb25c4e66c4fp-5));
    p = v_fma(p, f, v_set1(-0x1.d95e3e6101371p-5));
    p = v_fma(p, f, v_set1(0x1.e2a709926cfep-5));
    p = v_fma(p, f, v_set1(-0x1.fdec5bf018a3ap-5));
    p = v_fma(p, f, v_set1(0x1.10d28d801c2e2p-4));
    p = v_fma(p, f, v_set1(-0x1.249d940254772p-4));
    p = v_fma(p, f, v_set1(0x1.3b1917a851519p-4));
    p = v_fma(p, f, v_set1(-0x1.55554ac393409p-4));
    p = v_fma(p, f, v_set1(0x1.745cde4093aa7p-4));
    p = v_fma(p, f, v_set1(-0x1.99999678f86aep-4));
    p = v_fma(p, f, v_set1(0x1.c71c730d0784cp-4));
    p = v_fma(p, f, v_set1(-0x1.0000000d353c2p-3));
    p = v_fma(p, f, v_set1(0x1.249249229f8a2p-3));
    p = v_fma(p, f, v_set1(-0x1.555555552bd62p-3));
    p = v_fma(p, f, v_set1(0x1.999999999c74bp-3));
    p = v_fma(p, f, v_set1(-0x1.0000000000159p-2));
    return v_fma(p, f, v_set1(0x1.555555555554ap-2));
}

#endif
