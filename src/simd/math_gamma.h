/* The logarithm of the gamma function for x > 0, of the element type of the pass, and of the same bits everywhere; relative to the
 * result also at its zeros 1 and 2. The constants of the Poisson and the negative binomial distribution need it.
 *
 *   0 ... 1     log_gamma(x + 1) - log x                     1 ... 3     d (d + 1) P(d) with d = x - 2: both zeros are factors
 *   3 ... 4     log_gamma(x - 1) + log(x - 1)                4 ...       (x - 1/2) (log x - 1) + (log(2 pi) - 1) / 2 + phi(x)
 *
 * One logarithm of the argument that its range wants, with a tail; phi is what Stirling's series stands for, a polynomial in
 * 1 / x here (Muller, "Elementary Functions", 3rd ed., 2016; Abramowitz & Stegun, 1964, 6.1.33 and 6.1.40). The difference in the
 * range below 1 is of terms of different sign. Infinite at 0 and infinity, NaN below 0. Included by the files that need it, after
 * simd/real.h. */
#ifndef LOSSI_SIMD_MATH_GAMMA_H
#define LOSSI_SIMD_MATH_GAMMA_H

#include "simd/math_power.h"

/* v_log_gamma_middle: log_gamma(2 + d) / (d (d + 1)) on [-1, 1], right to 2^-25.9 and 2^-56.2.
 * v_stirling_tail: phi(1 / w) / w in z = w^2, w <= 1/4; phi is at most 0.021 and right to 2^-30 and 2^-59
 * math_stirling_tail: its coefficients, the highest first */
#if LOSSI_REAL == 32

#define MATH_STIRLING 0x1.acfe3ap-2f /* (log(2 pi) - 1) / 2 */

LOSSI_INLINE vreal v_log_gamma_middle(vreal d)
{
    vreal p = v_set1(-0x1.175268p-17f);
    p = v_fma(p, d, v_set1(0x1.1aa9cep-16f));
    p = v_fma(p, d, v_set1(-0x1.872f1p-17f));
    p = v_fma(p, d, v_set1(0x1.d8d88p-16f));
    p = v_fma(p, d, v_set1(-0x1.69ea44p-14f));
    p = v_fma(p, d, v_set1(0x1.860202p-13f));
    p = v_fma(p, d, v_set1(-0x1.a8ed44p-12f));
    p = v_fma(p, d, v_set1(0x1.e06d5ap-11f));
    p = v_fma(p, d, v_set1(-0x1.144c6ep-9f));
    p = v_fma(p, d, v_set1(0x1.47892cp-8f));
    p = v_fma(p, d, v_set1(-0x1.95ce7ep-7f));
    p = v_fma(p, d, v_set1(0x1.0e0cfp-5f));
    p = v_fma(p, d, v_set1(-0x1.9ae65p-4f));
    return v_fma(p, d, v_set1(0x1.b0ee6p-2f));
}

static const real math_stirling_tail[] = {-0x1.3c62eep-11f, 0x1.a3ec64p-11f, -0x1.6c2076p-9f, 0x1.555556p-4f};

LOSSI_INLINE vreal v_stirling_tail(vreal z)
{
    const real *c = math_stirling_tail;
    vreal p = v_set1(c[0]);
    p = v_fma(p, z, v_set1(c[1]));
    p = v_fma(p, z, v_set1(c[2]));
    return v_fma(p, z, v_set1(c[3]));
}

#else

#define MATH_STIRLING 0x1.acfe390c97d69p-2

LOSSI_INLINE vreal v_log_gamma_middle(vreal d)
{
    vreal square = d * d;
    vreal even = v_set1(0x1.9602cd64b6bbfp-32);
    vreal odd = v_set1(-0x1.bf9d4a61d28bep-31);
    even = v_fma(even, square, v_set1(-0x1.10d466dae0e2dp-30));
    odd = v_fma(odd, square, v_set1(0x1.4ef847efd7e0cp-29));
    even = v_fma(even, square, v_set1(0x1.f548971f65068p-29));
    odd = v_fma(odd, square, v_set1(-0x1.3048250b93a8p-27));
    even = v_fma(even, square, v_set1(0x1.ce05e658de084p-30));
    odd = v_fma(odd, square, v_set1(-0x1.0689dccaca22cp-30));
    even = v_fma(even, square, v_set1(0x1.8e59073ac9d01p-26));
    odd = v_fma(odd, square, v_set1(-0x1.bd58926c5ae0fp-25));
    even = v_fma(even, square, v_set1(0x1.830815a266564p-24));
    odd = v_fma(odd, square, v_set1(-0x1.900a53b91a424p-23));
    even = v_fma(even, square, v_set1(0x1.b1b8de4e2c72cp-22));
    odd = v_fma(odd, square, v_set1(-0x1.cb3d160983008p-21));
    even = v_fma(even, square, v_set1(0x1.e5609781ea913p-20));
    odd = v_fma(odd, square, v_set1(-0x1.022328ece7556p-18));
    even = v_fma(even, square, v_set1(0x1.13e38954f03cbp-17));
    odd = v_fma(odd, square, v_set1(-0x1.28510e20551cp-16));
    even = v_fma(even, square, v_set1(0x1.402f1c2e4b2aep-15));
    odd = v_fma(odd, square, v_set1(-0x1.5c86af91980ecp-14));
    even = v_fma(even, square, v_set1(0x1.7ed733238d321p-13));
    odd = v_fma(odd, square, v_set1(-0x1.a96a40383ff2bp-12));
    even = v_fma(even, square, v_set1(0x1.dfebcf9229c05p-11));
    odd = v_fma(odd, square, v_set1(-0x1.145121f95cc33p-9));
    even = v_fma(even, square, v_set1(0x1.47974853a3465p-8));
    odd = v_fma(odd, square, v_set1(-0x1.95ce223a9d1c8p-7));
    even = v_fma(even, square, v_set1(0x1.0e0c9df29358ep-5));
    odd = v_fma(odd, square, v_set1(-0x1.9ae6509ea109ep-4));
    even = v_fma(even, square, v_set1(0x1.b0ee6072093cep-2));
    return v_fma(odd, d, even);
}

static const real math_stirling_tail[] = {
    0x1.701bf8694ec9dp-1,  -0x1.95b5ef5ab7386p-2,  0x1.d78b3775968ccp-4,  -0x1.b0de7974fbd4bp-6,
    0x1.9cffb4f2037cp-8,   -0x1.f5fd53fdfe22bp-10, 0x1.b94c628d4a506p-11, -0x1.3813734c8ec09p-11,
    0x1.a01a018c33bc5p-11, -0x1.6c16c16c136d4p-9,  0x1.5555555555555p-4,
};

LOSSI_INLINE vreal v_stirling_tail(vreal z)
{
    const real *c = math_stirling_tail;
    vreal square = z * z;
    vreal even = v_set1(c[0]);
    vreal odd = v_set1(c[1]);
    even = v_fma(even, square, v_set1(c[2]));
    odd = v_fma(odd, square, v_set1(c[3]));
    even = v_fma(even, square, v_set1(c[4]));
    odd = v_fma(odd, square, v_set1(c[5]));
    even = v_fma(even, square, v_set1(c[6]));
    odd = v_fma(odd, square, v_set1(c[7]));
    even = v_fma(even, square, v_set1(c[8]));
    odd = v_fma(odd, square, v_set1(c[9]));
    even = v_fma(even, square, v_set1(c[10]));
    return v_fma(odd, z, even);
}

#endif

/* (v_stirling_tail(a) - v_stirling_tail(b)) / (a - b) without the difference: Horner's scheme for the polynomial and its quotient */
LOSSI_INLINE vreal v_stirling_slope(vreal a, vreal b)
{
    vreal p = v_set1(math_stirling_tail[0]), slope = p;
    for (int k = 1; k + 1 < (int)(sizeof math_stirling_tail / sizeof *math_stirling_tail); k++) {
        p = v_fma(p, a, v_set1(math_stirling_tail[k]));
        slope = v_fma(slope, b, p);
    }
    return slope;
}

/* (x - 1/2) (log x - 1) + ..., which is infinite only where its result is */
LOSSI_INLINE vreal v_log_gamma_large(vreal x, vreal log_head, vreal log_tail)
{
    vreal w = REAL(1.0) / x;
    vreal factor = x - REAL(0.5);
    vreal head = log_head - REAL(1.0);
    vreal tail = ((log_head - head) - REAL(1.0)) + log_tail;
    vreal product = v_times_parts(factor, head, &tail);
    vreal y = product + (tail + v_fma(w, v_stirling_tail(w * w), v_set1(MATH_STIRLING)));
    return v_select(v_lt(product, v_set1(REAL_INFINITY)), y, product);
}

LOSSI_INLINE vreal v_log_gamma(vreal x)
{
    vreal one = v_set1(REAL(1.0)), three = v_set1(REAL(3.0));
    vmask below = v_lt(x, one), above = v_gt(x, three), large = v_ge(x, v_set1(REAL(4.0)));
    vreal shift = v_select(below, one, v_select(above, three, v_set1(REAL(2.0))));
    vreal argument = v_select(v_mask_or(below, large), x, v_select(above, x - one, one));
    vreal tail, head = v_log_parts(argument, &tail);
    vreal d = x - shift;
    vreal d_plus_one = v_select(below, x, x - (shift - one)); /* exact also near 0 */
    vreal middle = v_log_gamma_middle(d) * d_plus_one * d;
    vreal near = v_select(below, -head, head) + (middle + v_select(below, -tail, tail));
    return v_select(large, v_log_gamma_large(x, head, tail), near);
}

#endif
