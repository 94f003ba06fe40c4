/* The instances of CUTE of problems.h, with their starting points. */
#include "problems/problems.h"

void start_constant(int64_t n, double *x, double number)
{
    start_pattern(n, x, &number, 1);
}

void start_pattern(int64_t n, double *x, const double *pattern, int64_t period)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = pattern[i % period];
    }
}

static void zeros(int64_t n, double *x)
{
    start_constant(n, x, 0.0);
}

static void tenths(int64_t n, double *x)
{
    start_constant(n, x, 0.1);
}

static void halves(int64_t n, double *x)
{
    start_constant(n, x, 0.5);
}

static void ones(int64_t n, double *x)
{
    start_constant(n, x, 1.0);
}

static void twos(int64_t n, double *x)
{
    start_constant(n, x, 2.0);
}

static void threes(int64_t n, double *x)
{
    start_constant(n, x, 3.0);
}

static void fours(int64_t n, double *x)
{
    start_constant(n, x, 4.0);
}

static void minus_ones(int64_t n, double *x)
{
    start_constant(n, x, -1.0);
}

static void alternating(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){1.0, -1.0}, 2);
}

static void rosenbrock(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){1.2, 1.0}, 2);
}

static void wood(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){-3.0, -1.0}, 2);
}

static void powell(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){3.0, -1.0, 0.0, 1.0}, 4);
}

static void first_one(int64_t n, double *x)
{
    start_constant(n, x, 2.0);
    x[0] = 1.0;
}

static void freuroth(int64_t n, double *x)
{
    start_constant(n, x, 0.0);
    x[0] = 0.5;
    x[1] = -2.0;
}

static void far(int64_t n, double *x)
{
    start_constant(n, x, -506.2);
    x[0] = -506.0;
}

static void counting(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
    }
}

static void rising(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1) / (double)(n + 1);
    }
}

static void hardly_rising(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 1e-4 * (double)(i + 1) / (double)(n + 1);
    }
}

static void falling(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 1.0 - (double)(i + 1) / (double)n;
    }
}

static const test_problem rows[] = {
    {"ARWHEAD", 1000, ones, arwhead_evaluate, 0.0},
    {"ARWHEAD", 10000, ones, arwhead_evaluate, 0.0},
    {"BDQRTIC", 1000, ones, bdqrtic_evaluate, 3.984e3},
    {"BDQRTIC", 5000, ones, bdqrtic_evaluate, 2.001e4},
    {"BRYBND", 1000, minus_ones, broyden_banded_evaluate, 0.0},
    {"BRYBND", 5000, minus_ones, broyden_banded_evaluate, 0.0},
    {"COSINE", 500, ones, cosine_evaluate, -4.990e2},
    {"COSINE", 1000, ones, cosine_evaluate, -9.990e2},
    {"CRAGGLVY", 2000, first_one, cragglvy_evaluate, 6.744e2},
    {"CRAGGLVY", 5000, first_one, cragglvy_evaluate, 1.688e3},
    {"CURLY10", 200, hardly_rising, curly10_evaluate, -2.006e4},
    {"CURLY10", 1000, hardly_rising, curly10_evaluate, -1.003e5},
    {"CURLY20", 200, hardly_rising, curly20_evaluate, -2.006e4},
    {"CURLY20", 1000, hardly_rising, curly20_evaluate, -1.003e5},
    {"CURLY30", 200, hardly_rising, curly30_evaluate, -2.006e4},
    {"CURLY30", 1000, hardly_rising, curly30_evaluate, -1.003e5},
    {"DIXMAANA", 1500, twos, dixmaana_evaluate, 1.0},
    {"DIXMAANA", 3000, twos, dixmaana_evaluate, 1.0},
    {"DIXMAANB", 1500, twos, dixmaanb_cute_evaluate, 1.0},
    {"DIXMAANB", 3000, twos, dixmaanb_cute_evaluate, 1.0},
    {"DIXMAANC", 6000, twos, dixmaanc_evaluate, 1.0},
    {"DIXMAAND", 6000, twos, dixmaand_evaluate, 1.0},
    {"DIXMAANE", 6000, twos, dixmaane_evaluate, 1.0},
    {"DIXMAANF", 6000, twos, dixmaanf_evaluate, 1.0},
    {"DIXMAANG", 6000, twos, dixmaang_evaluate, 1.0},
    {"DIXMAANH", 6000, twos, dixmaanh_evaluate, 1.0},
    {"DIXMAANI", 6000, twos, dixmaani_evaluate, 1.0},
    {"DIXMAANJ", 6000, twos, dixmaanj_evaluate, 1.0},
    {"DIXMAANK", 6000, twos, dixmaank_evaluate, 1.0},
    {"DIXMAANL", 6000, twos, dixmaanl_evaluate, 1.0},
    {"DIXON3DQ", 500, minus_ones, dixon3dq_evaluate, 0.0},
    {"DIXON3DQ", 1000, minus_ones, dixon3dq_evaluate, 0.0},
    {"DQDRTIC", 1000, threes, dqdrtic_evaluate, 0.0},
    {"DQDRTIC", 10000, threes, dqdrtic_evaluate, 0.0},
    {"DQRTIC", 5000, twos, quartc_evaluate, 0.0},
    {"EDENSCH", 5000, zeros, edensch_evaluate, 3.000e4},
    {"EG2", 1000, zeros, eg2_evaluate, -9.989e2},
    {"ENGVAL1", 10000, twos, engval1_evaluate, 1.110e4},
    {"EXTROSNB", 50, minus_ones, extrosnb_evaluate, 0.0},
    {"FLETCBV2", 500, rising, fletcbv2_evaluate, -5.029e-1},
    {"FLETCBV2", 1000, rising, fletcbv2_evaluate, -5.014e-1},
    {"FLETCHCR", 1000, zeros, fletchcr_evaluate, 0.0},
    {"FLETCHCR", 5000, zeros, fletchcr_evaluate, 0.0},
    {"FREUROTH", 1000, freuroth, freuroth_evaluate, 1.214e5},
    {"FREUROTH", 5000, freuroth, freuroth_evaluate, 6.081e5},
    {"GENHUMPS", 500, far, genhumps_evaluate, 0.0},
    {"GENHUMPS", 1000, far, genhumps_evaluate, 0.0},
    {"GENROSE", 100, rising, genrose_evaluate, 1.0},
    {"GENROSE", 500, rising, genrose_evaluate, 1.0},
    {"LIARWHD", 5000, fours, liarwhd_evaluate, 0.0},
    {"LIARWHD", 10000, fours, liarwhd_evaluate, 0.0},
    {"NONCVXU2", 100, counting, noncvxu2_evaluate, 2.317e2},
    {"NONCVXU2", 1000, counting, noncvxu2_evaluate, 2.317e3},
    {"NONDIA", 5000, minus_ones, nondia_evaluate, 0.0},
    {"NONDIA", 10000, minus_ones, nondia_evaluate, 0.0},
    {"NONDQUAR", 1000, alternating, nondquar_evaluate, 0.0},
    {"NONDQUAR", 5000, alternating, nondquar_evaluate, 0.0},
    {"PENALTY1", 5000, counting, penalty_1_evaluate, 4.929e-2},
    {"PENALTY1", 10000, counting, penalty_1_evaluate, 9.900e-2},
    {"POWELLSG", 5000, powell, extended_powell_evaluate, 0.0},
    {"POWELLSG", 10000, powell, extended_powell_evaluate, 0.0},
    {"POWER", 1000, ones, power_of_sum_evaluate, 0.0},
    {"POWER", 5000, ones, power_of_sum_evaluate, 0.0},
    {"QUARTC", 5000, twos, quartc_evaluate, 0.0},
    {"QUARTC", 10000, twos, quartc_evaluate, 0.0},
    {"SCHMVETT", 10000, halves, schmvett_evaluate, -2.999e4},
    {"SINQUAD", 500, tenths, sinquad_evaluate, 0.0},
    {"SPARSINE", 200, halves, sparsine_evaluate, 0.0},
    {"SPARSINE", 1000, halves, sparsine_evaluate, 0.0},
    {"SROSENBR", 10000, rosenbrock, extended_rosenbrock_evaluate, 0.0},
    {"TOINTGSS", 10000, threes, tointgss_evaluate, 1.000e1},
    {"TQUARTIC", 5000, tenths, tquartic_evaluate, 0.0},
    {"TQUARTIC", 10000, tenths, tquartic_evaluate, 0.0},
    {"TRIDIA", 5000, ones, tridia_evaluate, 0.0},
    {"TRIDIA", 10000, ones, tridia_evaluate, 0.0},
    {"VARDIM", 5000, falling, variably_dimensioned_evaluate, 0.0},
    {"VARDIM", 10000, falling, variably_dimensioned_evaluate, 0.0},
    {"WOODS", 10000, wood, extended_wood_evaluate, 0.0},
};

const test_problem_table cute_problems = {rows, sizeof rows / sizeof rows[0]};
