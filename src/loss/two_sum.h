/* What rounding takes from the sum of two vectors (Knuth, TAOCP vol. 2, 4.2.2, theorem B). */
#ifndef LOSSI_LOSS_TWO_SUM_H
#define LOSSI_LOSS_TWO_SUM_H

#include "simd/real.h"

/* a + b − sum, where sum is a + b as rounded: a number of the type. Infinity and NaN miss nothing. */
LOSSI_INLINE vreal lossi_missing_of(vreal a, vreal b, vreal sum)
{
    const vreal part = sum - a;
    const vmask number = v_lt(v_abs(sum), v_set1(REAL_INFINITY));
    return v_select(number, (a - (sum - part)) + (b - part), v_set1(0));
}

#endif
