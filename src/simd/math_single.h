/* Elementary functions for float32 that is computed in double: exp expm1 log log1p tanh.
 *
 * The classical way to single functions (Sun's fdlibm, Tang's; today CORE-MATH's): float32 is widened, which is exact, the
 * formula is written plainly, and its result is rounded once. Nothing needs a head and a tail then, for 2^-36 of relative
 * error is 2^-12 of a unit in the last place of float32; and nothing needs care about range, for a float32 number, its
 * exponential, its square and the product of a few are far inside the range of double, subnormal ones included.
 *
 * So the arguments here are float32 numbers or made of them, and results are within 2^-36 of the exact ones
 * (tests/numerics/single.c). NaN gives NaN; the sign of a zero is not kept. Fused multiply-adds stand where they are written: the
 * same bits on every instruction set. Polynomials: made by tests/numerics/minimax.sollya, minimax in relative error;
 * neighbouring terms are paired, so that no chain of additions is longer than half of them.
 *
 * It needs no element type: any kernel file includes it, whatever its pass. */
#ifndef LOSSI_SIMD_MATH_SINGLE_H
#define LOSSI_SIMD_MATH_SINGLE_H

#include "vector.h"

#define SINGLE_LOG2_E 0x1.71547652b82fep0
#define SINGLE_LN2    0x1.62e42fefa39efp-1

/* From here down e^x is 0: 2^-1023 comes out as 0 below. From here up it is a number that float32 has not got. */
#define SINGLE_EXP_LOWEST  -709.2
#define SINGLE_EXP_HIGHEST 709.0

/* Adding and subtracting it rounds to an integer n, and leaves n + 1023 in the low bits of the sum. */
#define SINGLE_ROUNDER (0x1.8p52 + 1023.0)

#define SINGLE_BITS_ONE            INT64_C(0x3ff0000000000000)
#define SINGLE_BITS_TWO_POWER_52   INT64_C(0x4330000000000000)
#define SINGLE_BITS_THREE_QUARTERS INT64_C(0x3fe8000000000000)
#define SINGLE_BITS_INVERSE_ROOT   INT64_C(0x5fe6eb50c7b537a9)
#define SINGLE_SIGNIFICAND_MASK    INT64_C(0x000fffffffffffff)

/* ---- roots and quotients ---- */

/* 1/sqrt(x) of a normal x > 0, as v_inverse_root() of simd/math.h has it but for the last term: right to 2^-33. */
LOSSI_INLINE f64v single_inverse_root(f64v x)
{
    f64v y = f64_from_bits(f64_int_sub(f64_int_set1(SINGLE_BITS_INVERSE_ROOT), f64_int_shr(f64_bits(x), 1)));
    const f64v rest = f64_fnma(x * y, y, f64_set1(1.0));
    const f64v p = f64_fma(rest, f64_set1(0.3125), f64_set1(0.375));
    y = f64_fma(y, rest * f64_fma(rest, p, f64_set1(0.5)), y);
    return f64_fma(y * 0.5, f64_fnma(x * y, y, f64_set1(1.0)), y);
}

/* 1/x for 2^-120 <= |x| <= 2^120, right to 2^-45 */
LOSSI_INLINE f64v single_reciprocal(f64v x)
{
    const f64v rough = f64_rough_reciprocal(x);
    return f64_fma(rough, f64_fnma(rough, x, f64_set1(1.0)), rough);
}

/* ---- exponentials ---- */

/* e^x = power (1 + result): power = 2^n, the result is e^r - 1 of r = x - n ln 2, |r| <= ln 2 / 2. For -709.2 <= x <= 709. */
LOSSI_INLINE f64v single_exp_parts(f64v x, f64v *power)
{
    const f64v moved = f64_fma(x, f64_set1(SINGLE_LOG2_E), f64_set1(SINGLE_ROUNDER));
    const f64v r = f64_fnma(moved - SINGLE_ROUNDER, f64_set1(SINGLE_LN2), x), square = r * r;
    /* (e^r - 1 - r) / r^2; e^r - 1 is then right to 2^-37.5 */
    f64v p = f64_fma(f64_set1(0x1.a003a750d0637p-16), r, f64_set1(0x1.a16f64e67a32ap-13));
    p = f64_fma(p, r, f64_set1(0x1.6c1766c1797b4p-10));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.1110b2213923cp-7), r, f64_set1(0x1.555554f3768b2p-5)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.5555557350932p-3), r, f64_set1(0x1.000000001715ep-1)));
    *power = f64_from_bits(f64_int_shl(f64_bits(moved), 52));
    return f64_fma(p, square, r);
}

/* min(high, x) in this order returns x when it is NaN, and so does max(low, x). */
LOSSI_INLINE f64v single_exp_clamp(f64v x)
{
    return f64_max(f64_set1(SINGLE_EXP_LOWEST), f64_min(f64_set1(SINGLE_EXP_HIGHEST), x));
}

/* e^x; 0 at -infinity, 8e307 from 709 on. */
LOSSI_INLINE f64v single_exp(f64v x)
{
    f64v power;
    const f64v p = single_exp_parts(single_exp_clamp(x), &power);
    return f64_fma(power, p, power);
}

LOSSI_INLINE f64v single_expm1(f64v x)
{
    f64v power;
    const f64v p = single_exp_parts(single_exp_clamp(x), &power);
    return f64_fma(power, p, power - 1.0);
}

/* e^x and e^x - 1 of x <= 0, for formulas in which 1 may be taken away from the exponential. */
LOSSI_INLINE f64v single_exp_nonpositive(f64v x, f64v *minus_one)
{
    f64v power;
    const f64v p = single_exp_parts(f64_max(f64_set1(SINGLE_EXP_LOWEST), x), &power);
    *minus_one = f64_fma(power, p, power - 1.0);
    return f64_fma(power, p, power);
}

/* With m = e^(2|x|) - 1, tanh |x| = m / (m + 2); from 20 on that is 1 in float32 by far. */
LOSSI_INLINE f64v single_tanh(f64v x)
{
    f64v power;
    const f64v a = f64_min(f64_set1(20.0), f64_abs(x)), p = single_exp_parts(a + a, &power);
    const f64v m = f64_fma(power, p, power - 1.0);
    return f64_copysign(m / (m + 2.0), x);
}

/* ---- logarithms ---- */

/* log(1 + f) on [-1/4, 1/2], right to 2^-38.4 */
LOSSI_INLINE f64v single_log_significand(f64v f)
{
    const f64v square = f * f;
    f64v p = f64_fma(f64_set1(-0x1.6eec5335b84bep-6), f, f64_set1(0x1.011d1139a2e8cp-4));
    p = f64_fma(p, f, f64_set1(-0x1.67dcf6cfbb6e5p-4));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.83c1d5d0ed509p-4), f, f64_set1(-0x1.9af4c3c798961p-4)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.c60d90c3fe9b3p-4), f, f64_set1(-0x1.ffcc912a4dd6dp-4)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.24960fb95332cp-3), f, f64_set1(-0x1.555650eacb5b8p-3)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.99998edb837d7p-3), f, f64_set1(-0x1.fffffc747a5a5p-3)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.5555555a1464fp-2), f, f64_set1(-0x1.00000000dbe7ep-1)));
    return f64_fma(p, square, f);
}

/* The exponent n of x = m 2^n with m in [3/4, 3/2), left in the exponent field of the bits; x is a positive normal number. */
LOSSI_INLINE f64i single_moved_exponent(f64v x)
{
    return f64_int_add(f64_bits(x), f64_int_set1(SINGLE_BITS_ONE - SINGLE_BITS_THREE_QUARTERS));
}

LOSSI_INLINE f64v single_exponent(f64i moved)
{
    return f64_from_bits(f64_int_shr(moved, 52) | SINGLE_BITS_TWO_POWER_52) - (0x1p52 + 1023.0);
}

/* log x of what is a positive number; anything else gives any number. */
LOSSI_INLINE f64v single_log_of_positive(f64v x)
{
    const f64i moved = single_moved_exponent(x);
    const f64v m = f64_from_bits((moved & SINGLE_SIGNIFICAND_MASK) + SINGLE_BITS_THREE_QUARTERS);
    return f64_fma(single_exponent(moved), f64_set1(SINGLE_LN2), single_log_significand(m - 1.0));
}

/* log(1 + x) of x > -1 that is not infinite. The significand is x's own, f = x 2^-n + (2^-n - 1): nothing is lost near 0. */
LOSSI_INLINE f64v single_log1p_of_positive(f64v x)
{
    const f64i moved = single_moved_exponent(x + 1.0);
    const f64i exponent = moved & ~SINGLE_SIGNIFICAND_MASK;
    const f64v scale = f64_from_bits(f64_int_sub(f64_int_set1(2 * SINGLE_BITS_ONE), exponent));
    const f64v f = f64_fma(x, scale, scale - 1.0);
    return f64_fma(single_exponent(moved), f64_set1(SINGLE_LN2), single_log_significand(f));
}

/* log(1 - x) of 0 <= x < 1, where 1 - x is at hand with all its digits. */
LOSSI_INLINE f64v single_log_of_complement(f64v one_minus, f64v x)
{
    const f64i moved = single_moved_exponent(one_minus);
    const f64v m = f64_from_bits((moved & SINGLE_SIGNIFICAND_MASK) + SINGLE_BITS_THREE_QUARTERS);
    const f64v n = single_exponent(moved), f = f64_select(f64_eq(n, f64_set1(0.0)), -x, m - 1.0);
    return f64_fma(n, f64_set1(SINGLE_LN2), single_log_significand(f));
}

/* y, the logarithm of x where that is a positive number, with the limits and NaN where not. */
LOSSI_INLINE f64v single_log_ends(f64v x, f64v y)
{
    const f64v infinity = f64_set1(__builtin_inf()), zero = f64_set1(0.0);
    const f64m number = f64_mask_and(f64_gt(x, zero), f64_lt(x, infinity));
    if (__builtin_expect(!f64_mask_all(number), 0)) {
        y = f64_select(f64_lt(x, infinity), y, x);
        y = f64_select(f64_eq(x, zero), -infinity, y);
        y = f64_select(f64_lt(x, zero), f64_set1(__builtin_nan("")), y);
    }
    return y;
}

LOSSI_INLINE f64v single_log(f64v x)
{
    return single_log_ends(x, single_log_of_positive(x));
}

LOSSI_INLINE f64v single_log1p(f64v x)
{
    return single_log_ends(x + 1.0, single_log1p_of_positive(x));
}

/* log(1 + x) for 0 <= x <= 1, the range of e^-|x|, right to 2^-38.2; NaN gives NaN. */
LOSSI_INLINE f64v single_log1p_unit(f64v x)
{
    const f64v square = x * x;
    f64v p = f64_fma(f64_set1(-0x1.14af88213e931p-11), x, f64_set1(0x1.166c031d2cef4p-8));
    p = f64_fma(p, x, f64_set1(-0x1.0710ffc1fbedp-6));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.3b68e23cf046dp-5), x, f64_set1(-0x1.1470ea6f66d5ap-4)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.87d4f4b962c17p-4), x, f64_set1(-0x1.e9a97e6fa429dp-4)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.21bbbd36e4775p-3), x, f64_set1(-0x1.54d59e54930e9p-3)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.998aee7dacff9p-3), x, f64_set1(-0x1.fffefe840244ap-3)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.555550d8af3c9p-2), x, f64_set1(-0x1.fffffff1e7ca9p-2)));
    return f64_fma(p, square, x);
}

#endif
