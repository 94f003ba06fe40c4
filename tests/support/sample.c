/* SplitMix64 and what is made of it. */
#include "support/sample.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "support/math_kernels.h"

uint64_t sample_bits(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double from_pattern(uint64_t pattern, int bits)
{
    if (bits == 32) {
        uint32_t narrow = (uint32_t)pattern;
        float x;
        memcpy(&x, &narrow, sizeof x);
        return x;
    }
    double x;
    memcpy(&x, &pattern, sizeof x);
    return x;
}

double sample_number(uint64_t seed, uint64_t i, int bits)
{
    uint64_t random = sample_bits(seed, i);
    double centred = (double)(random >> 11) * 0x1p-52 - 1.0; /* in [-1, 1) */
    double x;
    switch (i % 4) {
    case 0:
        return from_pattern(random, bits);
    case 1:
        x = 2.0 * centred;
        break;
    case 2:
        x = (bits == 32 ? 120.0 : 800.0) * centred;
        break;
    default:
        x = ldexp(centred < 0.0 ? centred - 1.0 : centred + 1.0, (int)(random % 60) - 30);
    }
    return bits == 32 ? (double)(float)x : x;
}

static double clamp_integer(double x, double limit)
{
    return x >= -limit && x <= limit ? nearbyint(x) + 0.0 : 17.0;
}

double sample_in_domain(int unary_operation, double x, int bits)
{
    double y = x;
    int exponent;
    switch (unary_operation) {
    case MATH_LOG1P_UNIT:
        y = fabs(x) > 1.0 ? 1.0 / fabs(x) : fabs(x);
        break;
    case MATH_LOG_HALF:
    case MATH_LOG_COMPLEMENT:
        y = fabs(x) > 0.5 ? 0.25 / fabs(x) : fabs(x);
        break;
    case MATH_RECIPROCAL: /* what is too large or too small becomes its significand */
        y = fabs(x) >= 0x1p-120 && fabs(x) <= 0x1p120 ? x
            : isfinite(x) && x != 0.0                 ? frexp(x, &exponent)
                                                      : NAN;
        break;
    case MATH_INVERSE_ROOT:
        y = fabs(x) >= (bits == 32 ? FLT_MIN : DBL_MIN) && fabs(x) <= (bits == 32 ? FLT_MAX : DBL_MAX)
                ? fabs(x)
                : NAN;
        break;
    case MATH_LOG:
    case MATH_LOG1MEXP:
    case MATH_LOG_GAMMA:
        y = x < 0.0 ? -x : x;
        break;
    case MATH_X_MINUS_LOG1P_OF:
        y = fabs(x) > (bits == 32 ? FLT_MAX : DBL_MAX) ? 0.0 : fabs(x);
        break;
    case MATH_NORMAL_HAZARD_SLOPE: /* it is given the hazard, which is a normal number from there on */
        y = x < (bits == 32 ? -13.125 : -37.5) ? 13.125 / x : x;
        break;
    case MATH_LOG1P:
    case MATH_X_MINUS_LOG1P:
        y = x < -1.0 ? -1.0 / x : x;
        break;
    case MATH_THROUGH_INT:
        y = clamp_integer(x, 0x1p30);
        break;
    case MATH_POW2:
        y = clamp_integer(x, bits == 32 ? 126.0 : 1022.0);
        break;
    case MATH_SPLIT_SIGNIFICAND:
    case MATH_SPLIT_EXPONENT:
        y = isfinite(x) && x != 0.0 ? fabs(x) : 2.385;
        break;
    case MATH_SPLIT_NORMAL_SIGNIFICAND:
    case MATH_SPLIT_NORMAL_EXPONENT: /* up to the largest number below the power of two that is left out */
        y = fabs(x) >= (bits == 32 ? FLT_MIN : DBL_MIN) ? fabs(x) : 2.385;
        y = y < (bits == 32 ? 0x1p127 : 0x1p1023) ? y
                                                  : (bits == 32 ? 0x1.fffffep126 : 0x1.fffffffffffffp1022);
        break;
    }
    return bits == 32 ? (double)(float)y : y;
}

double sample_get(const void *array, int64_t i, int bits)
{
    return bits == 32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

void sample_set(void *array, int64_t i, int bits, double value)
{
    if (bits == 32)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

uint64_t sample_canonical(const void *array, int64_t i, int bits)
{
    if (isnan(sample_get(array, i, bits)))
        return bits == 32 ? 0x7fc00000u : 0x7ff8000000000000u;
    if (bits == 32) {
        uint32_t pattern;
        memcpy(&pattern, (const float *)array + i, sizeof pattern);
        return pattern;
    }
    uint64_t pattern;
    memcpy(&pattern, (const double *)array + i, sizeof pattern);
    return pattern;
}
