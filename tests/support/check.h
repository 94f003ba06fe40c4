/*
 * Asserts for numbers. CMocka's own float asserts let NaN pass, so they are never used here.
 * All of them print what differs and fail the running CMocka test.
 */
#ifndef LOSS_TEST_CHECK_H
#define LOSS_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loss/loss.h"

/* |actual − expected| ≤ relative · |expected| + absolute; a NaN equals only a NaN, an infinity only itself. */
#define assert_close(actual, expected, relative, absolute)                                                   \
    check_close((actual), (expected), (relative), (absolute), #actual, __FILE__, __LINE__)
void check_close(double actual, double expected, double relative, double absolute, const char *text,
                 const char *file, int line);

/* At most `ulps` units in the last place of dtype away from expected; NaN and infinities as above. */
#define assert_ulp(actual, expected, ulps, dtype)                                                            \
    check_ulp((actual), (expected), (ulps), (dtype), #actual, __FILE__, __LINE__)
void check_ulp(double actual, double expected, double ulps, loss_dtype dtype, const char *text,
               const char *file, int line);

/* The same bits in every element, where all NaNs count as equal. */
#define assert_same_bits(actual, expected, dtype, count)                                                     \
    check_same_bits((actual), (expected), (dtype), (count), #actual, __FILE__, __LINE__)
void check_same_bits(const void *actual, const void *expected, loss_dtype dtype, int64_t count,
                     const char *text, const char *file, int line);

/* The status of a call, and with it what the context says when it is another. */
#define assert_status(context, status, expected)                                                             \
    check_status((context), (status), (expected), #status, __FILE__, __LINE__)
void check_status(const loss_context *context, loss_status status, loss_status expected, const char *text,
                  const char *file, int line);

/* The context's sentence contains the words. */
#define assert_sentence(context, words) check_sentence((context), (words), __FILE__, __LINE__)
void check_sentence(const loss_context *context, const char *words, const char *file, int line);

/* Nonzero when the two are the same bits, or both NaN. */
int same_bits(double a, double b);

/* The distance between neighbours of dtype at |x|: of its binade, and below the normal numbers the smallest. */
long double ulp_of(long double x, loss_dtype dtype);

/* Element i of an array of float32 or float64. */
double element(const void *array, loss_dtype dtype, int64_t i);
void set_element(void *array, loss_dtype dtype, int64_t i, double value);

#endif
