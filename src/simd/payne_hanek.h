/* The remainder of large numbers by pi / 2, exact to more bits than a double has.
 *
 * x = m 2^e with a whole m of 53 bits. Of the bits of 2 / pi those whose product with x is a multiple of 4 are left out, and of the
 * others as many taken as it needs: what comes out is x 2 / pi modulo 4 (Payne & Hanek, "Radian reduction for trigonometric functions",
 * SIGNUM Newsletter 18, 1983). No double is nearer than 2^-62 to a multiple of pi / 2 (Muller, "Elementary Functions", 3rd ed., 2016,
 * section 11.4), so that of the 137 bits that are right behind the point 75 are left.
 *
 * One number at a time, integers and exactly rounded operations: the same bits everywhere. Included by math_trigonometric.h only. */
#ifndef LOSSI_SIMD_PAYNE_HANEK_H
#define LOSSI_SIMD_PAYNE_HANEK_H

#include <stdint.h>
#include <string.h>

enum { PAYNE_HANEK_WORDS = 6, PAYNE_HANEK_AHEAD = 64 /* zero bits before those of 2 / pi */ };

/* The product of a whole number of 53 bits with 192 bits, of which the last 192 are kept; the first word is the highest. */
static inline void payne_hanek_multiply(uint64_t m, const uint32_t *bits, uint32_t *product)
{
    const uint64_t low = m & 0xffffffffu, high = m >> 32;
    uint64_t carry_low = 0, carry_high = 0;
    uint32_t above = 0; /* the word of the high product that falls on the place before */
    for (int i = PAYNE_HANEK_WORDS - 1; i >= 0; i--) {
        carry_low += low * bits[i];
        const uint64_t sum = (carry_low & 0xffffffffu) + above;
        product[i] = (uint32_t)sum;
        carry_low = (carry_low >> 32) + (sum >> 32);
        carry_high += high * bits[i];
        above = (uint32_t)carry_high;
        carry_high >>= 32;
    }
}

/* The words as a fraction below 1, high + low. Each word is above all that is to its right, so the errors of the sums are exact. */
static inline double payne_hanek_fraction(const uint32_t *words, double *low)
{
    double high = 0, missing = 0, unit = 0x1p-192;
    for (int i = PAYNE_HANEK_WORDS - 1; i >= 0; i--, unit *= 0x1p32) {
        const double word = words[i] * unit, sum = word + high;
        missing += high - (sum - word);
        high = sum;
    }
    *low = missing;
    return high;
}

/* x = n pi / 2 + high + low, |high| <= pi / 4, for 2^17 <= |x|; gives n modulo 4. NaN for an infinity. */
__attribute__((noinline, unused)) static int payne_hanek(double x, double *high, double *low)
{
    /* 2 / pi behind two words of zeros */
    static const uint32_t two_over_pi[] = {
        0,          0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
        0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
        0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
        0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
        0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab};
    uint64_t pattern;
    uint32_t bits[PAYNE_HANEK_WORDS], product[PAYNE_HANEK_WORDS];
    memcpy(&pattern, &x, sizeof pattern);
    const int exponent = (int)(pattern >> 52 & 0x7ff) - 1075; /* of the last bit of the significand */
    if (exponent > 971) {
        *high = *low = x - x;
        return 0;
    }
    const int first = exponent - 2 +
                      PAYNE_HANEK_AHEAD; /* the bit whose product begins with 2, the higher of the two of n */
    for (int i = 0; i < PAYNE_HANEK_WORDS; i++) {
        const uint64_t pair = (uint64_t)two_over_pi[first / 32 + i] << 32 | two_over_pi[first / 32 + i + 1];
        bits[i] = (uint32_t)(pair >> (32 - first % 32));
    }
    payne_hanek_multiply((pattern & 0xfffffffffffff) | 0x10000000000000, bits, product);
    int n = (int)(product[0] >> 30);
    const int up = product[0] >> 29 &
                   1; /* the fraction is a half or more: the next n, and what it is less than that */
    uint32_t carry = (uint32_t)up;
    for (int i = PAYNE_HANEK_WORDS - 1; i >= 0; i--) { /* without n; two's complement where it is less */
        uint32_t word = product[i] << 2 | (i + 1 < PAYNE_HANEK_WORDS ? product[i + 1] >> 30 : 0);
        word = up ? ~word : word;
        bits[i] = word + carry;
        carry = carry && bits[i] == 0;
    }
    double rest;
    const double turn = payne_hanek_fraction(bits, &rest);
    const double half_pi = 0x1.921fb54442d18p0, half_pi_low = 0x1.1a62633145c07p-54;
    const double sign = (x < 0) != up ? -1.0 : 1.0;
    const double head = turn * half_pi;
    const double tail = __builtin_fma(turn, half_pi, -head) +
                        __builtin_fma(turn, half_pi_low, rest * half_pi);
    *high = sign * (head + tail);
    *low = sign * (tail - ((head + tail) - head));
    n += up;
    return (x < 0 ? -n : n) & 3;
}

#endif
