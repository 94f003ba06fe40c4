/*
 * Text to number, correctly rounded and without a locale.
 *
 * What number.h settles is done there. Everything else is rewritten as digits and an exponent, without the point that makes
 * strtod depend on the locale, and given to strtod, which C libraries round correctly.
 */
#include "loss/io.h"
#include "number.h"
#include "powers_of_five.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No double lies between two decimals that agree in 767 significant digits, and no midpoint of two doubles in
 * 768; what follows after so many only matters as "not zero". */
#define DIGITS_KEPT 800

/* 60 bits, and a last digit that says whether more follows: enough to round 53 of them once. */
#define HEX_DIGITS_KEPT 15

/* An exponent beyond this is 0 or infinity for any text that fits in memory; it stops the exponent from
 * overflowing. */
#define EXPONENT_LIMIT INT64_C(100000000000000000)

const double lossi_io_powers_of_ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct number {
    const char *first, *last; /* the significand's first significant character, and one past its last */
    int64_t exponent;         /* of the digit string without its point */
    int64_t significant;      /* digits from the first that is not 0 */
    uint64_t leading;         /* the first LOSSI_IO_MOST_DIGITS of them */
    int negative, hexadecimal;
};

static int digit_value(char c, int hexadecimal)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (hexadecimal && ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) {
        return (c | 0x20) - 'a' + 10;
    }
    return -1;
}

/* The exponent that may follow a significand; NULL when a letter is followed by no digits. */
static const char *scan_exponent(const char *p, const char *end, int letter, int64_t *exponent)
{
    if (p == end || (*p | 0x20) != letter) {
        return p;
    }
    int negative = 0;
    if (++p < end && (*p == '+' || *p == '-')) {
        negative = *p++ == '-';
    }
    if (p == end || *p < '0' || *p > '9') {
        return NULL;
    }
    int64_t magnitude = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        if (magnitude < EXPONENT_LIMIT) {
            magnitude = 10 * magnitude + (*p - '0');
        }
    }
    *exponent += negative ? -magnitude : magnitude;
    return p;
}

/* Reads all of [p, end) as a number without its sign; 0 when it is none. */
static int scan(const char *p, const char *end, struct number *number)
{
    const int hexadecimal = end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x';
    const int64_t digit_weight = hexadecimal ? 4 : 1; /* what one digit adds to the exponent */
    if (hexadecimal) {
        p += 2;
    }
    int64_t exponent = 0, significant = 0;
    int digits_seen = 0, point_seen = 0;
    uint64_t leading = 0;
    number->first = p;
    for (; p < end; p++) {
        if (*p == '.' && !point_seen) {
            point_seen = 1;
            continue;
        }
        const int digit = digit_value(*p, hexadecimal);
        if (digit < 0) {
            break;
        }
        digits_seen = 1;
        exponent -= point_seen ? digit_weight : 0;
        if (significant == 0) {
            if (digit == 0) {
                continue;
            }
            number->first = p;
        }
        if (++significant <= LOSSI_IO_MOST_DIGITS) {
            leading = 10 * leading + (uint64_t)digit;
        }
    }
    number->last = p;
    number->hexadecimal = hexadecimal;
    number->significant = significant;
    number->leading = leading;
    if (!digits_seen) {
        return 0;
    }
    p = scan_exponent(p, end, hexadecimal ? 'p' : 'e', &exponent);
    number->exponent = exponent;
    return p == end;
}

/* The same for what most numbers are, up to 19 decimal digits, leading zeros counted; 0 for all others too. */
static int scan_short(const char *p, const char *end, struct number *number)
{
    uint64_t leading = 0;
    const char *first = p, *point = NULL;
    for (; p < end; p++) {
        const unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit <= 9) {
            leading = 10 * leading + digit;
        } else if (*p == '.' && !point) {
            point = p;
        } else {
            break;
        }
    }
    const int64_t digits = p - first - (point != NULL);
    if (digits < 1 || digits > LOSSI_IO_MOST_DIGITS) {
        return 0;
    }
    number->first = first;
    number->last = p;
    number->significant = leading ? digits : 0;
    number->leading = leading;
    number->exponent = point ? point + 1 - p : 0;
    return p == end || scan_exponent(p, end, 'e', &number->exponent) == end;
}

/* Writes the number as digits, a letter and an exponent: the same value, or one that rounds the same. */
static void rewrite(const struct number *number, char *text, size_t size)
{
    const int64_t keep = number->hexadecimal ? HEX_DIGITS_KEPT : DIGITS_KEPT;
    const int64_t digit_weight = number->hexadecimal ? 4 : 1;
    int64_t exponent = number->exponent, seen = 0;
    int more = 0;
    char *out = text;
    *out++ = number->negative ? '-' : '+';
    if (number->hexadecimal) {
        *out++ = '0';
        *out++ = 'x';
    }
    for (const char *p = number->first; p < number->last; p++) {
        if (*p == '.') {
            continue;
        }
        if (seen < keep) {
            *out++ = *p;
        } else {
            more |= *p != '0';
        }
        seen++;
    }
    if (seen > keep) {
        *out++ = more ? '1' : '0';
        exponent += digit_weight * (seen - keep - 1);
    }
    /* strtod reads its exponent as an int on some systems; beyond ±1e6 all is 0 or infinity with so few
     * digits. */
    if (exponent > 1000000) {
        exponent = 1000000;
    }
    if (exponent < -1000000) {
        exponent = -1000000;
    }
    snprintf(out, size - (size_t)(out - text), "%c%d", number->hexadecimal ? 'p' : 'e', (int)exponent);
}

/* inf, infinity and nan in any case; 0 when text is none of them. */
static int scan_word(const char *p, int64_t length, int negative, double *value)
{
    static const struct {
        const char *word;
        int64_t length;
        double value;
    } words[] = {{"inf", 3, INFINITY}, {"infinity", 8, INFINITY}, {"nan", 3, NAN}};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        int64_t i = 0;
        while (i < length && i < words[w].length && (p[i] | 0x20) == words[w].word[i]) {
            i++;
        }
        if (i == length && i == words[w].length) {
            *value = negative ? -words[w].value : words[w].value;
            return 1;
        }
    }
    return 0;
}

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 uint128;

/* floor(e · log2(10)) for |e| ≤ 342: 217706 = ⌊2^16 · log2(10)⌋. */
static int64_t binary_exponent(int64_t e)
{
    const int64_t scaled = 217706 * e;
    return scaled >= 0 ? scaled >> 16 : -((-scaled + 65535) >> 16);
}

int lossi_io_round_decimal(uint64_t leading, int64_t exponent, double *value)
{
    if (exponent < LOSSI_IO_SMALLEST_POWER || exponent > LOSSI_IO_LARGEST_POWER) {
        return 0;
    }
    const uint64_t *power = lossi_io_powers_of_five[exponent - LOSSI_IO_SMALLEST_POWER];
    const int zeros = __builtin_clzll(leading);
    leading <<= zeros;
    uint128 product = (uint128)leading * power[0];
    /* The rest of the power adds less than 2^64: unless 9 bits are all 1, it cannot reach the 55 that are looked at. */
    if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff) {
        product += ((uint128)leading * power[1]) >> 64;
        if ((uint64_t)product == UINT64_MAX && (exponent < -27 || exponent > 55)) {
            return 0;
        }
    }
    const uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    const int top = (int)(high >> 63);
    const int64_t biased = binary_exponent(exponent) + 63 + top - zeros + (DBL_MAX_EXP - 1);
    if (biased <= 0 || biased >= 2 * DBL_MAX_EXP - 1) {
        return 0; /* not a normal number, or none at all */
    }
    uint64_t bits = high >> (top + 9); /* 53 and one to round by */
    /* Half way, exactly: only powers of five below 2^64, and 5^-4 times what has them as a factor, leave nothing. */
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << (top + 9) == high) {
        bits &= ~UINT64_C(1);
    }
    bits = (bits + (bits & 1)) >> 1;
    /* A carry out of the 53 bits goes into the exponent by itself. */
    bits += (uint64_t)(biased - 1) << (DBL_MANT_DIG - 1);
    if (bits >= UINT64_C(0x7ff) << (DBL_MANT_DIG - 1)) {
        return 0;
    }
    memcpy(value, &bits, sizeof bits);
    return 1;
}

#else

int lossi_io_round_decimal(uint64_t leading, int64_t exponent, double *value)
{
    (void)leading;
    (void)exponent;
    (void)value;
    return 0;
}

#endif

/* As a double or, with as_float, as a float, rounded once by the C library. */
static double slow_value(const struct number *number, int as_float)
{
    char text[DIGITS_KEPT + 32];
    rewrite(number, text, sizeof text);
    const int saved = errno;
    const double value = as_float ? (double)strtof(text, NULL) : strtod(text, NULL);
    errno = saved;
    return value;
}

/* A float near d: the double was rounded already, so when it sits exactly between two floats the tie is not
 * real. */
static int is_float_midpoint(double d, float nearest)
{
    if (fabs(d) >= FLT_MIN && fabs(d) <= FLT_MAX) {
        /* 29 bits more than a float has: the midpoint is 1 and zeros. */
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        return (bits & 0x1fffffff) == 0x10000000;
    }
    if (isinf(nearest) && !isinf(d)) {
        return 1;
    }
    if (isinf(d) || (double)nearest == d) {
        return 0;
    }
    const float other = nextafterf(nearest, d > (double)nearest ? INFINITY : -INFINITY);
    return isinf(other) || ((double)nearest + (double)other) * 0.5 == d;
}

/* As a double, by the shortest way that is exact. */
static double value_of(const struct number *number)
{
    double value = 0.0;
    if (number->significant == 0) {
        return number->negative ? -value : value;
    }
    if (number->hexadecimal || number->significant > LOSSI_IO_MOST_DIGITS ||
        !lossi_io_decimal(number->leading, number->exponent, &value)) {
        return slow_value(number, 0);
    }
    return number->negative ? -value : value;
}

static loss_status parse(const char *text, int64_t length, double *as_double, float *as_float)
{
    if (!text || length < 1 || (!as_double && !as_float)) {
        return LOSS_ERROR_ARGUMENT;
    }
    const char *p = text, *end = text + length;
    struct number number = {0};
    double value;
    if (*p == '+' || *p == '-') {
        number.negative = *p++ == '-';
    }
    if (p == end) {
        return LOSS_ERROR_FORMAT;
    }
    int word = 0;
    if (!scan_short(p, end, &number)) {
        number.exponent = 0;
        word = scan_word(p, end - p, number.negative, &value);
        if (!word && !scan(p, end, &number)) {
            return LOSS_ERROR_FORMAT;
        }
    }
    if (!word) {
        value = value_of(&number);
    }
    if (as_double) {
        *as_double = value;
    }
    if (as_float) {
        *as_float = (float)value;
        if (!word && is_float_midpoint(value, *as_float)) {
            *as_float = (float)slow_value(&number, 1);
        }
    }
    return LOSS_OK;
}

loss_status loss_parse_double(const char *text, int64_t length, double *value)
{
    return parse(text, length, value, NULL);
}

loss_status loss_parse_float(const char *text, int64_t length, float *value)
{
    return parse(text, length, NULL, value);
}
