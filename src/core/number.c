/*
 * Decimal text to number, correctly rounded and without a locale: rewritten as digits and an exponent, without the point that
 * makes strtod depend on the locale, and given to strtod, which C libraries round correctly.
 */
#include "core/number.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DIGITS =
        800, /* no double, nor the middle of two, has more than 768 significant ones; the rest is "not zero" */
    MOST_EXPONENT = 100000 /* beyond it all is 0 or infinity with so few digits */
};

static int is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

typedef struct decimal {
    char text[DIGITS + 32];
    int count, seen, more; /* digits kept; whether there was one; whether one that is left out is not 0 */
    int64_t exponent;
} decimal;

/* Digits up to something else; leading zeros are nothing, and of those that are left out only the number counts. */
static const char *read_digits(decimal *d, const char *p, const char *end, int behind_point)
{
    for (; is_digit(p, end); p++) {
        d->seen = 1;
        d->exponent -= behind_point;
        if (d->count == DIGITS) {
            d->more |= *p != '0';
            d->exponent++;
        } else if (d->count > 0 || *p != '0') {
            d->text[d->count++] = *p;
        }
    }
    return p;
}

static const char *read_exponent(decimal *d, const char *p, const char *end)
{
    const char *digits = p + 1;
    int64_t exponent = 0;
    if (p == end || (*p | 0x20) != 'e') {
        return p;
    }
    const int negative = digits < end && *digits == '-';
    digits += digits < end && (*digits == '-' || *digits == '+');
    if (!is_digit(digits, end)) {
        return p;
    }
    for (; is_digit(digits, end); digits++) {
        exponent = exponent < INT64_C(1000000000000) ? 10 * exponent + (*digits - '0') : exponent;
    }
    d->exponent += negative ? -exponent : exponent;
    return digits;
}

const char *lossi_read_number(const char *text, const char *end, double *value)
{
    decimal d = {.count = 0};
    const char *p = read_digits(&d, text, end, 0);
    if (p < end && *p == '.') {
        p = read_digits(&d, p + 1, end, 1);
    }
    if (!d.seen) {
        return text;
    }
    p = read_exponent(&d, p, end);
    if (d.more) {
        d.text[d.count++] = '1';
        d.exponent--;
    }
    const int64_t exponent = d.exponent > MOST_EXPONENT    ? MOST_EXPONENT
                             : d.exponent < -MOST_EXPONENT ? -MOST_EXPONENT
                                                           : d.exponent;
    const int saved = errno;
    snprintf(d.text + d.count, sizeof d.text - (size_t)d.count, "%se%d", d.count == 0 ? "0" : "",
             (int)exponent);
    *value = strtod(d.text, NULL);
    errno = saved;
    return p;
}
