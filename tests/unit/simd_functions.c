/* The elementary functions at their special values; how accurate they are is measured by tests/numerics/ulp.c. */
#include "simd.h"

#include <float.h>
#include <math.h>

#include "support/sample.h"

typedef struct special {
    int function;
    double x, y;
} special;

static void check_specials(const math_kernels *kernels, const special *rows, size_t count)
{
    int bits = kernels->bits;
    for (size_t r = 0; r < count; r++) {
        double x[LANES_MAX], y[LANES_MAX];
        for (int i = 0; i < kernels->lanes; i++)
            sample_set(x, i, bits, rows[r].x);
        kernels->unary(rows[r].function, x, y, kernels->lanes);
        for (int i = 0; i < kernels->lanes; i++)
            check_element(y, i, rows[r].y, bits, math_unary_names[rows[r].function], rows[r].x, 0.0);
    }
}

void test_limits(void **state)
{
    static const special rows[] = {
        {MATH_EXP, 0.0, 1.0},
        {MATH_EXP, -0.0, 1.0},
        {MATH_EXP, INFINITY, INFINITY},
        {MATH_EXP, -INFINITY, 0.0},
        {MATH_EXP, NAN, NAN},
        {MATH_EXP, 3e38, INFINITY},
        {MATH_EXP, -3e38, 0.0},
        {MATH_EXPM1, 0.0, 0.0},
        {MATH_EXPM1, -0.0, -0.0},
        {MATH_EXPM1, -INFINITY, -1.0},
        {MATH_EXPM1, -3e38, -1.0},
        {MATH_EXPM1, INFINITY, INFINITY},
        {MATH_EXPM1, NAN, NAN},
        {MATH_LOG, 1.0, 0.0},
        {MATH_LOG, 0.0, -INFINITY},
        {MATH_LOG, -0.0, -INFINITY},
        {MATH_LOG, -1e-30, NAN},
        {MATH_LOG, -INFINITY, NAN},
        {MATH_LOG, INFINITY, INFINITY},
        {MATH_LOG, NAN, NAN},
        {MATH_LOG1P, 0.0, 0.0},
        {MATH_LOG1P, -0.0, -0.0},
        {MATH_LOG1P, -1.0, -INFINITY},
        {MATH_LOG1P, -1.5, NAN},
        {MATH_LOG1P, -INFINITY, NAN},
        {MATH_LOG1P, INFINITY, INFINITY},
        {MATH_LOG1P, NAN, NAN},
        {MATH_LOG_HALF, 0.0, -INFINITY},
        {MATH_LOG_HALF, 0.5, -M_LN2},
        {MATH_LOG_HALF, NAN, NAN},
        {MATH_LOG_COMPLEMENT, 0.0, 0.0},
        {MATH_LOG_COMPLEMENT, 0.5, M_LN2},
        {MATH_LOG_COMPLEMENT, NAN, NAN},
        {MATH_LOG1P_UNIT, 0.0, 0.0},
        {MATH_LOG1P_UNIT, 1.0, M_LN2},
        {MATH_LOG1P_UNIT, NAN, NAN},
        {MATH_TANH, 0.0, 0.0},
        {MATH_TANH, -0.0, -0.0},
        {MATH_TANH, INFINITY, 1.0},
        {MATH_TANH, -INFINITY, -1.0},
        {MATH_TANH, -3e38, -1.0},
        {MATH_TANH, NAN, NAN},
        {MATH_SIGMOID, 0.0, 0.5},
        {MATH_SIGMOID, -0.0, 0.5},
        {MATH_SIGMOID, INFINITY, 1.0},
        {MATH_SIGMOID, -INFINITY, 0.0},
        {MATH_SIGMOID, -3e38, 0.0},
        {MATH_SIGMOID, NAN, NAN},
        {MATH_SOFTPLUS, 0.0, M_LN2},
        {MATH_SOFTPLUS, -0.0, M_LN2},
        {MATH_SOFTPLUS, INFINITY, INFINITY},
        {MATH_SOFTPLUS, -INFINITY, 0.0},
        {MATH_SOFTPLUS, 3e38, 3e38},
        {MATH_SOFTPLUS, NAN, NAN},
    };
    check_specials(kernels_or_skip(state), rows, sizeof rows / sizeof rows[0]);
}

void test_limits_in_headers_of_their_own(void **state)
{
    static const special rows[] = {
        {MATH_RECIPROCAL, 1.0, 1.0},
        {MATH_RECIPROCAL, -2.0, -0.5},
        {MATH_RECIPROCAL, 0x1p-120, 0x1p120},
        {MATH_RECIPROCAL, -0x1p120, -0x1p-120},
        {MATH_RECIPROCAL, NAN, NAN},
        {MATH_INVERSE_ROOT, 1.0, 1.0},
        {MATH_INVERSE_ROOT, 4.0, 0.5},
        {MATH_INVERSE_ROOT, NAN, NAN},
        {MATH_X_MINUS_LOG1P, 0.0, 0.0},
        {MATH_X_MINUS_LOG1P, -0.0, 0.0},
        {MATH_X_MINUS_LOG1P, -1.0, INFINITY},
        {MATH_X_MINUS_LOG1P, INFINITY, INFINITY},
        {MATH_X_MINUS_LOG1P, 3e38, 3e38},
        {MATH_X_MINUS_LOG1P, -1.5, NAN},
        {MATH_X_MINUS_LOG1P, -INFINITY, NAN},
        {MATH_X_MINUS_LOG1P, NAN, NAN},
        {MATH_LOG1MEXP, 0.0, -INFINITY},
        {MATH_LOG1MEXP, -0.0, -INFINITY},
        {MATH_LOG1MEXP, INFINITY, -0.0},
        {MATH_LOG1MEXP, 3e38, -0.0},
        {MATH_LOG1MEXP, -0x1p-149, NAN},
        {MATH_LOG1MEXP, -INFINITY, NAN},
        {MATH_LOG1MEXP, NAN, NAN},
        {MATH_ATAN, 0.0, 0.0},
        {MATH_ATAN, -0.0, -0.0},
        {MATH_ATAN, 1.0, M_PI_4},
        {MATH_ATAN, INFINITY, M_PI_2},
        {MATH_ATAN, -INFINITY, -M_PI_2},
        {MATH_ATAN, 3e38, M_PI_2},
        {MATH_ATAN, NAN, NAN},
        {MATH_LOG_GAMMA, 0.0, INFINITY},
        {MATH_LOG_GAMMA, -0.0, INFINITY},
        {MATH_LOG_GAMMA, 1.0, 0.0},
        {MATH_LOG_GAMMA, 2.0, 0.0},
        {MATH_LOG_GAMMA, 3.0, M_LN2},
        {MATH_LOG_GAMMA, INFINITY, INFINITY},
        {MATH_LOG_GAMMA, -0.5, NAN},
        {MATH_LOG_GAMMA, -INFINITY, NAN},
        {MATH_LOG_GAMMA, NAN, NAN},
        {MATH_NORMAL_CDF, INFINITY, 1.0},
        {MATH_NORMAL_CDF, -INFINITY, 0.0},
        {MATH_NORMAL_CDF, NAN, NAN},
        {MATH_NORMAL_HAZARD, INFINITY, INFINITY},
        {MATH_NORMAL_HAZARD, -INFINITY, 0.0},
        {MATH_NORMAL_HAZARD, 3e38, 3e38},
        {MATH_NORMAL_HAZARD, -3e38, 0.0},
        {MATH_NORMAL_HAZARD, NAN, NAN},
        {MATH_LOG_NORMAL_SURVIVAL, INFINITY, -INFINITY},
        {MATH_LOG_NORMAL_SURVIVAL, -INFINITY, -0.0},
        {MATH_LOG_NORMAL_SURVIVAL, NAN, NAN},
        {MATH_NORMAL_HAZARD_SLOPE, -INFINITY, 0.0},
        {MATH_NORMAL_HAZARD_SLOPE, NAN, NAN},
        {MATH_X_MINUS_LOG1P_OF, 0.0, 0.0},
        {MATH_X_MINUS_LOG1P_OF, 3e38, 3e38},
        {MATH_X_MINUS_LOG1P_OF, NAN, NAN},
    };
    check_specials(kernels_or_skip(state), rows, sizeof rows / sizeof rows[0]);
}

/* The last arguments before a result leaves the range, and the smallest numbers, computed with MPFR. */
void test_ends_of_the_range(void **state)
{
    static const special narrow[] = {
        {MATH_EXP, 0x1.62e42ep6, 0x1.ffff08p127},   {MATH_EXP, 0x1.62e43p6, INFINITY},
        {MATH_EXP, -0x1.9fe368p6, 0x1p-149},        {MATH_EXP, -0x1.9fe36ap6, 0.0},
        {MATH_EXPM1, 0x1.62e42ep6, 0x1.ffff08p127}, {MATH_EXPM1, 0x1.62e43p6, INFINITY},
        {MATH_EXPM1, 0x1p-149, 0x1p-149},           {MATH_EXPM1, -0x1p-149, -0x1p-149},
        {MATH_LOG, 0x1p-149, -0x1.9d1dap6},         {MATH_LOG, FLT_MAX, 0x1.62e43p6},
        {MATH_LOG1P, 0x1p-149, 0x1p-149},           {MATH_LOG1P, -0x1p-149, -0x1p-149},
        {MATH_LOG1P, FLT_MAX, 0x1.62e43p6},         {MATH_LOG_COMPLEMENT, 0x1p-149, 0x1p-149},
        {MATH_LOG1P_UNIT, 0x1p-149, 0x1p-149},      {MATH_TANH, 0x1p-149, 0x1p-149},
        {MATH_TANH, -0x1p-149, -0x1p-149},          {MATH_SIGMOID, -0x1.9fe368p6, 0x1p-149},
        {MATH_SOFTPLUS, -0x1.9fe368p6, 0x1p-149},   {MATH_SOFTPLUS, -0x1.9fe36ap6, 0.0},
        {MATH_SOFTPLUS, FLT_MAX, FLT_MAX},
    };
    static const special wide[] = {
        {MATH_EXP, 0x1.62e42fefa39efp9, 0x1.fffffffffff2ap1023},
        {MATH_EXP, 0x1.62e42fefa39fp9, INFINITY},
        {MATH_EXP, -0x1.74910d52d3051p9, 0x1p-1074},
        {MATH_EXP, -0x1.74910d52d3052p9, 0.0},
        {MATH_EXPM1, 0x1.62e42fefa39efp9, 0x1.fffffffffff2ap1023},
        {MATH_EXPM1, 0x1.62e42fefa39fp9, INFINITY},
        {MATH_EXPM1, 0x1p-1074, 0x1p-1074},
        {MATH_LOG, 0x1p-1074, -0x1.74385446d71c3p9},
        {MATH_LOG, DBL_MAX, 0x1.62e42fefa39efp9},
        {MATH_LOG1P, -0x1p-1074, -0x1p-1074},
        {MATH_LOG1P, DBL_MAX, 0x1.62e42fefa39efp9},
        {MATH_LOG_COMPLEMENT, 0x1p-1074, 0x1p-1074},
        {MATH_LOG1P_UNIT, 0x1p-1074, 0x1p-1074},
        {MATH_TANH, -0x1p-1074, -0x1p-1074},
        {MATH_SIGMOID, -0x1.74910d52d3051p9, 0x1p-1074},
        {MATH_SOFTPLUS, -0x1.74910d52d3051p9, 0x1p-1074},
        {MATH_SOFTPLUS, DBL_MAX, DBL_MAX},
        {MATH_X_MINUS_LOG1P, DBL_MAX, DBL_MAX},
        {MATH_X_MINUS_LOG1P, 0x1p-536, 0x1p-1073},
        {MATH_LOG1MEXP, 0x1p-1074, -0x1.74385446d71c3p9},
        {MATH_LOG1MEXP, 0x1.74910d52d3051p9, -0x1p-1074},
        {MATH_ATAN, 0x1p-1074, 0x1p-1074},
        {MATH_ATAN, DBL_MAX, M_PI_2},
        {MATH_LOG_GAMMA, 0x1p-1074, 0x1.74385446d71c3p9},
        {MATH_LOG_GAMMA, DBL_MAX, INFINITY},
    };
    const math_kernels *kernels = kernels_or_skip(state);
    if (kernels->bits == 32)
        check_specials(kernels, narrow, sizeof narrow / sizeof narrow[0]);
    else
        check_specials(kernels, wide, sizeof wide / sizeof wide[0]);
}

/* x^0 and 1^y, the limits at 0 and infinity; a NaN always gives NaN, and so does a base below 0. */
void test_limits_of_powers(void **state)
{
    static const double rows[][4] = {
        /* x, y, x^y, x^y - 1 */
        {0.0, 0.0, 1.0, 0.0},
        {-0.0, 0.0, 1.0, 0.0},
        {INFINITY, 0.0, 1.0, 0.0},
        {3.0, -0.0, 1.0, 0.0},
        {1.0, INFINITY, 1.0, 0.0},
        {1.0, -3e38, 1.0, 0.0},
        {0.0, 0.5, 0.0, -1.0},
        {-0.0, 3.0, 0.0, -1.0},
        {0.0, -0.5, INFINITY, INFINITY},
        {-0.0, -3.0, INFINITY, INFINITY},
        {INFINITY, 0x1p-100, INFINITY, INFINITY},
        {INFINITY, -0x1p-100, 0.0, -1.0},
        {2.0, INFINITY, INFINITY, INFINITY},
        {2.0, -INFINITY, 0.0, -1.0},
        {0.5, INFINITY, 0.0, -1.0},
        {INFINITY, -INFINITY, 0.0, -1.0},
        {0.0, -INFINITY, INFINITY, INFINITY},
        {3e38, 3e38, INFINITY, INFINITY},
        {3e38, -3e38, 0.0, -1.0},
        {0.25, -0.5, 2.0, 1.0},
        {9.0, 1.5, 27.0, 26.0},
        {NAN, 0.0, NAN, NAN},
        {1.0, NAN, NAN, NAN},
        {NAN, 2.0, NAN, NAN},
        {-2.0, 2.0, NAN, NAN},
        {-2.0, 0.0, NAN, NAN},
        {-INFINITY, -1.0, NAN, NAN},
    };
    const math_kernels *kernels = kernels_or_skip(state);
    int bits = kernels->bits;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        double base = rows[r][0], exponent = rows[r][1], x[1], from_one[1], y[1], result[1];
        sample_set(x, 0, bits, base);
        sample_set(from_one, 0, bits, base - 1.0);
        sample_set(y, 0, bits, exponent);
        for (int k = 0; k < MATH_BINARY_FUNCTIONS; k++) {
            int minus_one = k == MATH_POWM1 || k == MATH_POW1PM1;
            kernels->binary(k, k == MATH_POW || k == MATH_POWM1 ? x : from_one, y, result, 1);
            check_element(result, 0, rows[r][2 + minus_one], bits, math_binary_names[k], base, exponent);
        }
    }
}

void test_same_bits_as_the_baseline(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    const pass *at = *state;
    int bits = kernels->bits;
    static double x[SAMPLE], y[SAMPLE], expected[SAMPLE];
    for (int k = 0; k < MATH_FUNCTIONS; k++) {
        for (int i = 0; i < SAMPLE; i++)
            sample_set(x, i, bits, sample_in_domain(k, sample_number(1009, (uint64_t)i, bits), bits));
        kernels->unary(k, x, y, SAMPLE);
        math_kernels_at(0, at->bits)->unary(k, x, expected, SAMPLE);
        for (int i = 0; i < SAMPLE; i++)
            check_element(y, i, sample_get(expected, i, bits), bits, math_unary_names[k],
                          sample_get(x, i, bits), 0.0);
    }
    static double second[SAMPLE];
    for (int i = 0; i < SAMPLE; i++) {
        sample_set(x, i, bits, fabs(sample_number(2003, (uint64_t)i, bits)));
        sample_set(second, i, bits, sample_number(3001, (uint64_t)i / 7, bits));
    }
    for (int k = 0; k < MATH_BINARY_FUNCTIONS; k++) {
        kernels->binary(k, x, second, y, SAMPLE);
        math_kernels_at(0, at->bits)->binary(k, x, second, expected, SAMPLE);
        for (int i = 0; i < SAMPLE; i++)
            check_element(y, i, sample_get(expected, i, bits), bits, math_binary_names[k],
                          sample_get(x, i, bits), sample_get(second, i, bits));
    }
}
