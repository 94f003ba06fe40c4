/* Constants and polynomials of the elementary functions in float32; what they mean is said in simd/math.h.
 *
 * Polynomials: made by tests/numerics/minimax.sollya (Sollya 8.0, fpminimax), minimax in relative error. */
#ifndef LOSSI_SIMD_MATH_FLOAT32_H
#define LOSSI_SIMD_MATH_FLOAT32_H

/* Beyond these e^x is infinite (ln FLT_MAX = 88.72) or rounds to 0 (ln 2^-150 = -103.97). */
#define MATH_EXP_HIGHEST  89.0f
#define MATH_EXP_LOWEST   -104.0f
#define MATH_EXPM1_LOWEST -18.0f /* e^x - 1 rounds to -1 below ln 2^-25 = -17.33 */
#define MATH_TANH_HIGHEST 10.0f  /* tanh x rounds to 1 above 9.02 */

#define MATH_LOG2_E 0x1.715476p0f
/* ln 2 in two parts. 15 bits of the first: its product with any exponent is exact. */
#define MATH_LN2_HIGH 0x1.62e4p-1f
#define MATH_LN2_LOW  0x1.7f7d1cp-20f
#define MATH_ROUNDER  0x1.8p23f /* adding and subtracting it rounds to an integer */

#define MATH_EXPONENT_HIGHEST    127 /* of a power of two that is a number; also the bias */
#define MATH_SIGNIFICAND_BITS    23
#define MATH_BITS_ONE            0x3f800000
#define MATH_BITS_THREE_QUARTERS 0x3f400000
#define MATH_BITS_INVERSE_ROOT   0x5f375a86

/* ((e^r - 1 - r) / r^2 - 1/2) / r on |r| <= ln 2 / 2; e^r - 1 is then right to 2^-31.0 */
LOSSI_INLINE vreal v_exp_cubic_tail(vreal r)
{
    vreal p = v_set1(0x1.9e0bfep-13f);
    p = v_fma(p, r, v_set1(0x1.6d436ap-10f));
    p = v_fma(p, r, v_set1(0x1.111306p-7f));
    p = v_fma(p, r, v_set1(0x1.5554fp-5f));
    return v_fma(p, r, v_set1(0x1.555554p-3f));
}

/* (e^r - 1 - r) / r^2 */
LOSSI_INLINE vreal v_exp_tail(vreal r)
{
    return v_fma(v_exp_cubic_tail(r), r, v_set1(0.5f));
}

/* (log(1 + f) - f + f^2 / 2) / f^3 on [-1/4, 1/2]; log(1 + f) is then right to 2^-27.6 */
LOSSI_INLINE vreal v_log_tail(vreal f)
{
    vreal p = v_set1(-0x1.713ed6p-5f);
    p = v_fma(p, f, v_set1(0x1.aca4d4p-4f));
    p = v_fma(p, f, v_set1(-0x1.0d95dap-3f));
    p = v_fma(p, f, v_set1(0x1.288714p-3f));
    p = v_fma(p, f, v_set1(-0x1.54efp-3f));
    p = v_fma(p, f, v_set1(0x1.99696p-3f));
    p = v_fma(p, f, v_set1(-0x1.000042p-2f));
    return v_fma(p, f, v_set1(0x1.5555a4p-2f));
}

/* (log(1 + x) - x) / x^2 on [0, 1]; log(1 + x) is then right to 2^-27.4. Of the terms after the first, two neighbours are
 * summed before the others, which makes pairs of one sign: nothing cancels. */
LOSSI_INLINE vreal v_log_unit_tail(vreal x)
{
    vreal square = x * x;
    vreal p = v_fma(v_set1(-0x1.b22adep-9f), x, v_set1(0x1.4a9226p-6f));
    p = v_fma(p, square, v_fma(v_set1(-0x1.d7efa8p-5f), x, v_set1(0x1.b53c48p-4f)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.3a6736p-3f), x, v_set1(0x1.935568p-3f)));
    p = v_fma(p, square, v_fma(v_set1(-0x1.ff2556p-3f), x, v_set1(0x1.554ddap-2f)));
    return v_fma(p, x, v_set1(-0x1.ffffd2p-2f));
}

/* (-log(1 - x) - x) / x^2 on [0, 1/2]; log(1 - x) is then right to 2^-27.9 */
LOSSI_INLINE vreal v_log_complement_tail(vreal x)
{
    vreal square = x * x;
    vreal p = v_fma(v_set1(0x1.be55e4p0f), x, v_set1(-0x1.3cfd0ep1f));
    p = v_fma(p, square, v_fma(v_set1(0x1.f88a26p0f), x, v_set1(-0x1.2f3332p-1f)));
    p = v_fma(p, square, v_fma(v_set1(0x1.5c3198p-2f), x, v_set1(0x1.6834dep-3f)));
    p = v_fma(p, square, v_fma(v_set1(0x1.01e9a6p-2f), x, v_set1(0x1.5542f8p-2f)));
    return v_fma(p, x, v_set1(0x1.00001ep-1f));
}

#endif
