/*
 * Numbers with twice the digits of a double and an exponent that does not end: (high + low) · 2^exponent.
 *
 * For sums of exponentials whose sizes have nothing in common, where any single shift would lose some of them, and for
 * differences of such sums. low is what high is missing. The exponent is a multiple of 512 and 2⁻²⁵⁶ ≤ |high| < 2²⁵⁶, or high is
 * 0: most numbers have the exponent 0, and most operations are those of two doubles and no more. Sums are good to 2⁻¹⁰⁴ of the
 * larger term, products and quotients to 2⁻¹⁰⁰ of themselves. NaN stays NaN.
 * Dekker, A floating-point technique for extending the available precision (1971); Knuth, TAOCP vol. 2, 4.2.2, theorem B.
 */
#ifndef LOSSI_LOSS_EXTENDED_H
#define LOSSI_LOSS_EXTENDED_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/sum.h"

typedef struct lossi_extended {
    double high, low, exponent;
} lossi_extended;

/* The exponent of 0: below all others, and sums of a few of them are numbers still. */
#define LOSSI_EXTENDED_NOTHING (-0x1p1015)

static const lossi_extended lossi_extended_zero = {0, 0, LOSSI_EXTENDED_NOTHING};

/* 2ⁿ for integral n ≤ 1023, subnormals too, 0 below them. */
static inline double lossi_power_of_two(double n)
{
    const double down = n < -1022 ? n + 64 : n;
    double power;
    if (!(down >= -1022)) {
        return 0;
    }
    const uint64_t bits = (uint64_t)((int64_t)down + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    return n < -1022 ? power * 0x1p-64 : power;
}

static __attribute__((noinline)) lossi_extended lossi_extended_normal(double high, double low,
                                                                      double exponent)
{
    if (high == 0) {
        return lossi_extended_zero;
    }
    for (; fabs(high) < 0x1p-256; exponent -= 512) {
        high *= 0x1p512;
        low *= 0x1p512;
    }
    for (; fabs(high) >= 0x1p256 && high - high == 0; exponent += 512) {
        high *= 0x1p-512;
        low *= 0x1p-512;
    }
    return (lossi_extended){high, low, exponent};
}

/* From parts of any size, low far below high; the exponent a multiple of 512. */
static inline lossi_extended lossi_extended_of(double high, double low, double exponent)
{
    const double size = fabs(high);
    return size >= 0x1p-256 && size < 0x1p256 ? (lossi_extended){high, low, exponent}
                                              : lossi_extended_normal(high, low, exponent);
}

static inline lossi_extended lossi_extended_from(double x)
{
    return lossi_extended_of(x, 0, 0);
}

/* (high + low) · 2ⁿ for any integral n, high between 2⁻⁹⁹ and 2⁹⁹ in size, or 0. */
static inline lossi_extended lossi_extended_scaled(double high, double low, double n)
{
    const double exponent = 512 * rint(n / 512), power = lossi_power_of_two(n - exponent);
    return lossi_extended_of(high * power, low * power, exponent);
}

static inline lossi_extended lossi_extended_add(lossi_extended a, lossi_extended b)
{
    if (a.exponent != b.exponent) {
        const int larger = a.exponent > b.exponent;
        const lossi_extended big = larger ? a : b, small = larger ? b : a;
        const double down = lossi_power_of_two(small.exponent - big.exponent);
        a = big;
        b = (lossi_extended){small.high * down, small.low * down, big.exponent};
    }
    double missing, low_missing;
    double sum = lossi_two_sum(a.high, b.high, &missing);
    const double low = lossi_two_sum(a.low, b.low, &low_missing);
    missing += low;
    const double first = sum + missing;
    missing = (missing - (first - sum)) + low_missing;
    sum = first + missing;
    return lossi_extended_of(sum, missing - (sum - first), a.exponent);
}

static inline lossi_extended lossi_extended_times(lossi_extended a, lossi_extended b)
{
    const double product = a.high * b.high;
    const double missing = fma(a.high, b.high, -product) + (a.high * b.low + a.low * b.high);
    const double sum = product + missing;
    return lossi_extended_of(sum, missing - (sum - product), a.exponent + b.exponent);
}

static inline lossi_extended lossi_extended_negative(lossi_extended a)
{
    return (lossi_extended){-a.high, -a.low, a.exponent};
}

static inline lossi_extended lossi_extended_subtract(lossi_extended a, lossi_extended b)
{
    return lossi_extended_add(a, lossi_extended_negative(b));
}

/* 1/a for a that is not 0. */
static inline lossi_extended lossi_extended_reciprocal(lossi_extended a)
{
    const double first = 1 / a.high, rest = fma(-first, a.high, 1) - first * a.low;
    return lossi_extended_of(first, first * rest, -a.exponent);
}

/* Whether a > b, of numbers that are not negative. */
static inline int lossi_extended_greater(lossi_extended a, lossi_extended b)
{
    return a.exponent != b.exponent ? a.exponent > b.exponent
           : a.high != b.high       ? a.high > b.high
                                    : a.low > b.low;
}

/* The nearest double; two factors, for a power of two beyond the range of numbers may have a product within it. */
static inline double lossi_extended_double(lossi_extended a)
{
    const double sum = a.high + a.low;
    if (a.exponent == 0) {
        return sum;
    }
    const double half = lossi_power_of_two(a.exponent > 1536    ? 768
                                           : a.exponent < -1536 ? -768
                                                                : a.exponent / 2);
    return sum * half * half;
}

#endif
