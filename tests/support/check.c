/* Asserts for numbers: see check.h. */
#include "support/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

long double ulp_of(long double x, loss_dtype dtype)
{
    int digits = dtype == LOSS_FLOAT32 ? FLT_MANT_DIG : DBL_MANT_DIG;
    int lowest = dtype == LOSS_FLOAT32 ? FLT_MIN_EXP : DBL_MIN_EXP;
    int highest = dtype == LOSS_FLOAT32 ? FLT_MAX_EXP : DBL_MAX_EXP;
    int exponent = lowest;
    if (x != 0 && isfinite(x)) {
        frexpl(x, &exponent);
    }
    exponent = exponent < lowest ? lowest : exponent > highest ? highest : exponent;
    return ldexpl(1, exponent - digits);
}

double element(const void *array, loss_dtype dtype, int64_t i)
{
    float narrow;
    double wide;
    if (dtype == LOSS_FLOAT32) {
        memcpy(&narrow, (const char *)array + i * (int64_t)sizeof narrow, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, (const char *)array + i * (int64_t)sizeof wide, sizeof wide);
    return wide;
}

void set_element(void *array, loss_dtype dtype, int64_t i, double value)
{
    float narrow = (float)value;
    if (dtype == LOSS_FLOAT32) {
        memcpy((char *)array + i * (int64_t)sizeof narrow, &narrow, sizeof narrow);
    } else {
        memcpy((char *)array + i * (int64_t)sizeof value, &value, sizeof value);
    }
}

void check_close(double actual, double expected, double relative, double absolute, const char *text,
                 const char *file, int line)
{
    int special = isnan(expected) || isinf(expected) || isnan(actual) || isinf(actual);
    int good = special ? (isnan(actual) && isnan(expected)) || actual == expected
                       : fabs(actual - expected) <= relative * fabs(expected) + absolute;
    if (!good) {
        print_error("%s is %.17g, expected %.17g (relative %g, absolute %g)\n", text, actual, expected,
                    relative, absolute);
        _fail(file, line);
    }
}

void check_ulp(double actual, double expected, double ulps, loss_dtype dtype, const char *text,
               const char *file, int line)
{
    int special = isnan(expected) || isinf(expected) || isnan(actual) || isinf(actual);
    long double away = special ? 0 : fabsl((long double)actual - (long double)expected);
    int good = special ? (isnan(actual) && isnan(expected)) || actual == expected
                       : away <= (long double)ulps * ulp_of(expected, dtype);
    if (!good) {
        print_error("%s is %.17g, expected %.17g within %g ulp of %s\n", text, actual, expected, ulps,
                    loss_dtype_name(dtype));
        _fail(file, line);
    }
}

void check_same_bits(const void *actual, const void *expected, loss_dtype dtype, int64_t count,
                     const char *text, const char *file, int line)
{
    for (int64_t i = 0; i < count; i++) {
        double a = element(actual, dtype, i), b = element(expected, dtype, i);
        if (!same_bits(a, b)) {
            print_error("%s[%lld] is %a, expected %a\n", text, (long long)i, a, b);
            _fail(file, line);
        }
    }
}

void check_status(const loss_context *context, loss_status status, loss_status expected, const char *text,
                  const char *file, int line)
{
    if (status != expected) {
        print_error("%s gave %s, expected %s; the context says: %s\n", text, loss_status_name(status),
                    loss_status_name(expected), loss_context_error(context));
        _fail(file, line);
    }
}

void check_sentence(const loss_context *context, const char *words, const char *file, int line)
{
    if (strstr(loss_context_error(context), words) == NULL) {
        print_error("the context says: %s\nexpected in it: %s\n", loss_context_error(context), words);
        _fail(file, line);
    }
}
