/*
 * The 46 classics of problems.h, with their starting points.
 *
 * Minima that are not 0 or 1: the paper's for the small ones; else what several optimizers agree on to all digits given.
 */
#include "problems/problems.h"

static void zeros(int64_t n, double *x)
{
    start_constant(n, x, 0.0);
}

static void halves(int64_t n, double *x)
{
    start_constant(n, x, 0.5);
}

static void ones(int64_t n, double *x)
{
    start_constant(n, x, 1.0);
}

static void minus_ones(int64_t n, double *x)
{
    start_constant(n, x, -1.0);
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

static void eights(int64_t n, double *x)
{
    start_constant(n, x, 8.0);
}

static void inverse(int64_t n, double *x)
{
    start_constant(n, x, 1.0 / (double)n);
}

static void helical(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){-1.0, 0.0, 0.0}, 3);
}

static void biggs(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){1.0, 2.0, 1.0, 1.0, 1.0, 1.0}, 6);
}

static void gaussian(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){0.4, 1.0, 0.0}, 3);
}

static void powell_bad(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){0.0, 1.0}, 2);
}

static void box(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){0.0, 10.0, 20.0}, 3);
}

static void brown_dennis(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){25.0, 5.0, -5.0, -1.0}, 4);
}

static void gulf(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){5.0, 2.5, 0.15}, 3);
}

static void rosenbrock(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){-1.2, 1.0}, 2);
}

static void powell(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){3.0, -1.0, 0.0, 1.0}, 4);
}

static void wood(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){-3.0, -1.0}, 2);
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

static void falling(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 1.0 - (double)(i + 1) / (double)n;
    }
}

static const test_problem rows[] = {
    {"helical_valley", 3, helical, helical_valley_evaluate, 0.0},
    {"biggs_exp6", 6, biggs, biggs_exp6_evaluate, 0.00565564992551},
    {"gaussian", 3, gaussian, gaussian_evaluate, 1.12793276961912e-08},
    {"powell_badly_scaled", 2, powell_bad, powell_badly_scaled_evaluate, 0.0},
    {"box_3d", 3, box, box_3d_evaluate, 0.0},
    {"variably_dim", 10, falling, variably_dimensioned_evaluate, 0.0},
    {"watson", 9, zeros, watson_evaluate, 1.39976013e-06},
    {"penalty_1", 10, counting, penalty_1_evaluate, 7.08765152e-05},
    {"penalty_2", 10, halves, penalty_2_evaluate, 0.000293660539},
    {"brown_badly_scaled", 2, ones, brown_badly_scaled_evaluate, 0.0},
    {"brown_dennis", 4, brown_dennis, brown_dennis_evaluate, 85822.2016263563},
    {"gulf", 3, gulf, gulf_evaluate, 0.0},
    {"trigonometric", 10, inverse, trigonometric_evaluate, 2.79505612189e-05},
    {"ext_rosenbrock", 10, rosenbrock, extended_rosenbrock_evaluate, 0.0},
    {"ext_powell", 12, powell, extended_powell_evaluate, 0.0},
    {"beale", 2, ones, beale_evaluate, 0.0},
    {"wood", 4, wood, extended_wood_evaluate, 0.0},
    {"chebyquad", 8, rising, chebyquad_evaluate, 0.00351687372568},
    {"ext_rosenbrock_1e3", 1000, rosenbrock, extended_rosenbrock_evaluate, 0.0},
    {"ext_rosenbrock_1e5", 100000, rosenbrock, extended_rosenbrock_evaluate, 0.0},
    {"ext_powell_1e3", 1000, powell, extended_powell_evaluate, 0.0},
    {"ext_powell_1e5", 100000, powell, extended_powell_evaluate, 0.0},
    {"trigonometric_200", 200, inverse, trigonometric_evaluate, 1.15421269127e-06},
    {"gen_rosenbrock_1e3", 1000, rosenbrock, generalized_rosenbrock_evaluate, 0.0},
    {"broyden_tridiag_1e3", 1000, minus_ones, broyden_tridiagonal_evaluate, 0.0},
    {"dixmaana", 1500, twos, dixmaana_evaluate, 1.0},
    {"dixmaanb", 1500, twos, dixmaanb_evaluate, 1.0},
    {"dixmaanc", 1500, twos, dixmaanc_evaluate, 1.0},
    {"dixmaand", 1500, twos, dixmaand_evaluate, 1.0},
    {"dixmaane", 1500, twos, dixmaane_evaluate, 1.0},
    {"dixmaanf", 1500, twos, dixmaanf_evaluate, 1.0},
    {"dixmaang", 1500, twos, dixmaang_evaluate, 1.0},
    {"dixmaanh", 1500, twos, dixmaanh_evaluate, 1.0},
    {"dixmaani", 1500, twos, dixmaani_evaluate, 1.0},
    {"dixmaanj", 1500, twos, dixmaanj_evaluate, 1.0},
    {"dixmaank", 1500, twos, dixmaank_evaluate, 1.0},
    {"dixmaanl", 1500, twos, dixmaanl_evaluate, 1.0},
    {"arwhead", 1000, ones, arwhead_evaluate, 0.0},
    {"engval1", 1000, twos, engval1_evaluate, 1108.1947188},
    {"liarwhd", 1000, fours, liarwhd_evaluate, 0.0},
    {"nondia", 1000, minus_ones, nondia_evaluate, 0.0},
    {"tridia", 1000, ones, tridia_evaluate, 0.0},
    {"edensch", 2000, eights, edensch_evaluate, 12003.284592},
    {"dqdrtic", 1000, threes, dqdrtic_evaluate, 0.0},
    {"power", 1000, ones, power_quadratic_evaluate, 0.0},
    {"quartc", 1000, twos, quartc_evaluate, 0.0},
};

const test_problem_table classic_problems = {rows, sizeof rows / sizeof rows[0]};
