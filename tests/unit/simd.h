/* The checks of test_simd.c and simd_functions.c. Each is run once per instruction set and element type. */
#ifndef LOSS_TEST_SIMD_H
#define LOSS_TEST_SIMD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/math_kernels.h"

enum { LANES_MAX = 16, SAMPLE = 100003 };

/* The state of a check. */
typedef struct pass {
    int isa, bits;
} pass;

/* The check counts as skipped when this processor lacks the instruction set. */
const math_kernels *kernels_or_skip(void **state);

/* Element i has the bits of expected, or both are NaN; what(x, y) is for the message. */
void check_element(const void *actual, int64_t i, double expected, int bits, const char *what, double x,
                   double y);

void test_limits(void **state);
void test_limits_in_headers_of_their_own(void **state); /* math_….h */
void test_ends_of_the_range(void **state);
void test_limits_of_powers(void **state);
void test_same_bits_as_the_baseline(void **state);

#endif
