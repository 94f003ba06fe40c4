/*
 * Logarithms to twice the digits of a double, for constants of densities: they are added to terms of the other sign, and a sum may
 * be next to 0.
 */
#ifndef LOSSI_LOSS_EXTENDED_LOGARITHM_H
#define LOSSI_LOSS_EXTENDED_LOGARITHM_H

#include "loss/extended.h"

/* log x for ½√2 ≤ x ≤ √2: 2 artanh z = 2 (z + z³/3 + z⁵/5 …), z = (x − 1)/(x + 1), of which 22 terms leave 2⁻¹¹⁷. */
static inline lossi_extended lossi_extended_logarithm_near_one(lossi_extended x)
{
    const lossi_extended one = lossi_extended_from(1);
    const lossi_extended z = lossi_extended_times(lossi_extended_subtract(x, one),
                                                  lossi_extended_reciprocal(lossi_extended_add(x, one)));
    const lossi_extended square = lossi_extended_times(z, z);
    lossi_extended sum = lossi_extended_zero;
    for (int k = 2 * 22 - 1; k > 0; k -= 2) {
        sum = lossi_extended_add(lossi_extended_times(sum, square),
                                 lossi_extended_reciprocal(lossi_extended_from(k)));
    }
    return lossi_extended_times(lossi_extended_from(2), lossi_extended_times(sum, z));
}

/* log x of a number x > 0. */
static inline lossi_extended lossi_extended_logarithm(lossi_extended x)
{
    const lossi_extended log_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56, 0};
    int n;
    frexp(x.high * 1.4142135623730951, &n);
    const lossi_extended part = {ldexp(x.high, 1 - n), ldexp(x.low, 1 - n), 0};
    const lossi_extended whole = lossi_extended_times(lossi_extended_from(n - 1 + x.exponent), log_2);
    return lossi_extended_add(lossi_extended_logarithm_near_one(part), whole);
}

#endif
