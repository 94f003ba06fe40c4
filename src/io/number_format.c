/*
 * Number to the shortest text that reads back to the same bits (the problem of Steele & White, "How to print
 * floating-point numbers accurately", PLDI 1990; the digits are those of Adams's Ryu, PLDI 2018).
 *
 * snprintf rounds %.*e correctly, so the shortest text is found by asking for one digit more until it reads
 * back. Only the digits and the exponent are taken from it; the point, which depends on the locale, is put by
 * us.
 */
#include "loss/io.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digits {
    char text[24]; /* significant digits; the last is not 0 unless it is the only one */
    int count;
    int exponent; /* value = d.ddd… · 10^exponent */
};

static int reads_back(const struct digits *digits, double magnitude, int is_float)
{
    char text[48];
    const int length = snprintf(text, sizeof text, "%se%d", digits->text,
                                digits->exponent - (digits->count - 1));
    if (is_float) {
        float value;
        return loss_parse_float(text, length, &value) == LOSS_OK && (double)value == magnitude;
    }
    double value;
    return loss_parse_double(text, length, &value) == LOSS_OK && value == magnitude;
}

/* The nearest decimal of so many digits. */
static void nearest_digits(struct digits *digits, double magnitude, int count)
{
    char text[48];
    snprintf(text, sizeof text, "%.*e", count - 1, magnitude);
    const char *p = text;
    digits->count = 0;
    for (; *p && *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9') {
            digits->text[digits->count++] = *p;
        }
    }
    digits->text[digits->count] = '\0';
    digits->exponent = atoi(p + 1);
}

/* One unit up in the last digit. */
static void increment(struct digits *digits)
{
    int i = digits->count - 1;
    while (i >= 0 && digits->text[i] == '9') {
        digits->text[i--] = '0';
    }
    if (i >= 0) {
        digits->text[i]++;
    } else {
        digits->text[0] = '1'; /* 999 became 1000: the zeros fall away below */
        digits->exponent++;
    }
}

static void strip_zeros(struct digits *digits)
{
    while (digits->count > 1 && digits->text[digits->count - 1] == '0') {
        digits->text[--digits->count] = '\0';
    }
}

static void shortest_digits(struct digits *digits, double magnitude, int is_float)
{
    int exponent;
    /* Below a power of two the numbers lie twice as dense, so the decimal above may read back where the
     * nearest does not. */
    const int is_power_of_two = frexp(magnitude, &exponent) == 0.5;
    const int is_subnormal = magnitude < (is_float ? (double)FLT_MIN : DBL_MIN);
    /* A shorter decimal survives the way to a normal number and back to so many digits, so it is found there.
     */
    int count = is_subnormal ? 1 : (is_float ? FLT_DIG : DBL_DIG);
    for (;; count++) {
        nearest_digits(digits, magnitude, count);
        if (reads_back(digits, magnitude, is_float)) {
            break;
        }
        if (is_power_of_two) {
            increment(digits);
            if (reads_back(digits, magnitude, is_float)) {
                break;
            }
        }
    }
    strip_zeros(digits);
}

/* d.ddde-7, or 0.000ddd, ddd.ddd, ddd000 when the exponent is −4 … 15. */
static int lay_out(char *out, const struct digits *digits)
{
    const int count = digits->count, exponent = digits->exponent;
    const char *text = digits->text;
    if (exponent < -4 || exponent > 15) {
        return sprintf(out, "%.1s%s%se%d", text, count > 1 ? "." : "", text + 1, exponent);
    }
    if (exponent < 0) {
        return sprintf(out, "0.%.*s%s", -exponent - 1, "000", text);
    }
    if (exponent >= count - 1) {
        return sprintf(out, "%s%.*s", text, exponent - (count - 1), "000000000000000");
    }
    return sprintf(out, "%.*s.%s", exponent + 1, text, text + exponent + 1);
}

static loss_status format(double value, int is_float, char *buffer, int64_t size, int64_t *length)
{
    if (size < 0 || (size > 0 && !buffer)) {
        return LOSS_ERROR_ARGUMENT;
    }
    char text[40];
    int n = 0;
    const double magnitude = fabs(value);
    if (signbit(value) && !isnan(value)) {
        text[n++] = '-';
    }
    if (isnan(value) || isinf(value)) {
        n += sprintf(text + n, isnan(value) ? "nan" : "inf");
    } else if (magnitude < (is_float ? 1e6 : 1e15) && magnitude == (double)(int64_t)magnitude) {
        n += sprintf(text + n, "%lld", (long long)magnitude);
    } else {
        struct digits digits;
        shortest_digits(&digits, magnitude, is_float);
        n += lay_out(text + n, &digits);
    }
    if (length) {
        *length = n;
    }
    if (n >= size) {
        return LOSS_ERROR_SHAPE;
    }
    memcpy(buffer, text, (size_t)n + 1);
    return LOSS_OK;
}

loss_status loss_format_double(double value, char *buffer, int64_t size, int64_t *length)
{
    return format(value, 0, buffer, size, length);
}

loss_status loss_format_float(float value, char *buffer, int64_t size, int64_t *length)
{
    return format((double)value, 1, buffer, size, length);
}
