/*
 * Division of all elements by one number, for expression_kernels.c. Where that is a power of two, as widths and scales often are, the
 * product with its reciprocal is the quotient, to the bit, in a fifth of the time.
 */
#ifndef LOSSI_LOSS_DIVISION_KERNELS_H
#define LOSSI_LOSS_DIVISION_KERNELS_H

#include <string.h>

#include "loss/expression/expression_kernels.h"
#include "loss/lanes.h"

/* Whether a number and its reciprocal are normal powers of two. */
LOSSI_INLINE int is_power_of_two(real number)
{
#if LOSSI_REAL == 32
    enum {
        DIGITS = 23,
        LARGEST = 253
    }; /* of the mantissa; the exponent, biased, whose reciprocal is the smallest normal number */
    uint32_t bits;
#else
    enum { DIGITS = 52, LARGEST = 2045 };
    uint64_t bits;
#endif
    memcpy(&bits, &number, sizeof bits);
    const int exponent = (int)(bits >> DIGITS & (LARGEST + 2));
    return bits << (LOSSI_REAL - DIGITS) == 0 && exponent >= 1 && exponent <= LARGEST;
}

static void divide_by_0(int64_t n, char *const *slots, const lossi_instruction *at)
{
    const real *a = (const real *)(const void *)slots[at->a];
    const real divisor = lossi_get((const real *)(const void *)slots[at->b]);
    real *y = (real *)(void *)slots[at->y];
    const vreal by = v_set1(divisor), factor = v_set1(REAL(1.0) / divisor);
    if (is_power_of_two(divisor)) {
        for (int64_t i = 0; i < n; i += VREAL_LANES) {
            v_store(y + i, v_load(a + i) * factor);
        }
        return;
    }
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(y + i, v_load(a + i) / by);
    }
}

#endif
