/* How far the elementary functions are from the exact result, in units in the last place, measured with MPFR.
 *
 *   ulp short    every region where a method may break, and a random sample: seconds
 *   ulp full     every float32 there is, and 2^26 float64 a function (2^21 where only MPFR can tell), 2^26
 *                and 2^22 pairs: hours
 *   ulp full exp log     only these
 *
 * Prints the table of docs/numerics.md; leaves with 1 when an error exceeds 2 ulp (log_gamma, the normal distribution and
 * erfc 4, the slope of the hazard 8) or a NaN, an infinity or the sign
 * of a zero is wrong. A unit is the distance of neighbours in the binade of the exact result, below the normal
 * numbers the smallest one. In the full measurement libm in the next wider type tells which results are close to the
 * worst so far, and MPFR then judges those. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "exact.h"
#include "support/math_kernels.h"
#include "support/sample.h"

enum { BLOCK = 4096, NEIGHBOURS = 512, PRECISION = 300 };

static double limit_of(elementary function)
{
    if (function.arguments == 1 && function.operation == MATH_NORMAL_HAZARD_SLOPE)
        return 8.0; /* below 0 the hazard is in it twice */
    return function.arguments == 1 && function.operation >= MATH_LOG_GAMMA ? 4.0 : 2.0;
}

typedef struct measurement {
    const math_kernels *kernels;
    elementary function;
    int screened; /* libm decides what MPFR sees */
    double worst, worst_at, worst_second;
    double count;
} measurement;

/* Exponent of the unit in the last place of a number 0.5 <= |m| < 1 times 2^exponent. */
static long unit_exponent(long exponent, int bits)
{
    long digits = bits == 32 ? FLT_MANT_DIG : DBL_MANT_DIG, lowest = bits == 32 ? -149 : -1074;
    return exponent - digits > lowest ? exponent - digits : lowest;
}

/* The error of y = f(x, second) in units; infinite when it is wrong in kind. */
static double exact_error(elementary function, int bits, double x, double second, double y)
{
    static mpfr_t exact, difference;
    static int ready;
    if (!ready) {
        mpfr_init2(exact, PRECISION);
        mpfr_init2(difference, PRECISION);
        ready = 1;
    }
    exact_value(exact, function, x, second);
    if (mpfr_nan_p(exact) || isnan(y))
        return mpfr_nan_p(exact) && isnan(y) ? 0.0 : INFINITY;
    if (!!mpfr_signbit(exact) != !!signbit(y))
        return INFINITY;
    if (mpfr_inf_p(exact))
        return isinf(y) ? 0.0 : INFINITY;
    if (mpfr_zero_p(exact))
        return y == 0.0 ? 0.0 : INFINITY;
    /* An infinite y stands for the first number beyond the range; the exact result beyond it is no error. */
    mpfr_set_d(difference, y, MPFR_RNDN);
    if (isinf(y)) {
        mpfr_set_ui_2exp(difference, 1, bits == 32 ? FLT_MAX_EXP : DBL_MAX_EXP, MPFR_RNDN);
        if (mpfr_cmpabs(exact, difference) >= 0)
            return 0.0;
        mpfr_setsign(difference, difference, signbit(y), MPFR_RNDN);
    }
    mpfr_sub(difference, difference, exact, MPFR_RNDN);
    mpfr_mul_2si(difference, difference, -unit_exponent(mpfr_get_exp(exact), bits), MPFR_RNDN);
    return fabs(mpfr_get_d(difference, MPFR_RNDA));
}

/* The error of a float32 by libm in double, good to a hundredth; NaN where it cannot tell. Four thousand million calls
 * a function: hence the exponent is read from the bits. */
static double screened_error_float32(elementary function, double x, double second, double y)
{
    double near = libm_double(function, x, second);
    if (isnan(near) || !!signbit(near) != !!signbit(y))
        return isnan(near) && isnan(y) ? 0.0 : NAN;
    if (isinf(y))
        return fabs(near) >= 0x1p128 ? 0.0 : NAN;
    if (isinf(near))
        return NAN;
    uint64_t pattern;
    memcpy(&pattern, &near, sizeof pattern);
    uint64_t field = pattern >> 52 & 0x7ff,
             lowest = 1023 - 126; /* the unit stops shrinking with the normal numbers */
    uint64_t reciprocal = (2 * 1023 + FLT_MANT_DIG - 1 - (field > lowest ? field : lowest)) << 52;
    double units;
    memcpy(&units, &reciprocal, sizeof units);
    return fabs(y - near) * units;
}

/* The same for a float64 by libm in long double. */
static double screened_error_float64(elementary function, double x, double second, double y)
{
    long double near = libm_long_double(function, x, second);
    int exponent;
    if (isnan(near) || !!signbit(near) != !!signbit(y))
        return isnan(near) && isnan(y) ? 0.0 : NAN;
    if (isinf(y))
        return fabsl(near) >= 0x1p1024L ? 0.0 : NAN;
    if (near == 0.0L || isinf(near))
        return near == 0.0L && y == 0.0 ? 0.0 : NAN;
    (void)frexpl(near, &exponent);
    return (double)fabsl(ldexpl((long double)y - near, -(int)unit_exponent(exponent, 64)));
}

static void judge(measurement *m, double x, double second, double y)
{
    int bits = m->kernels->bits;
    if (m->screened) {
        double near = bits == 32 ? screened_error_float32(m->function, x, second, y)
                                 : screened_error_float64(m->function, x, second, y);
        if (near < m->worst - 0.02)
            return;
    }
    double error = exact_error(m->function, bits, x, second, y);
    if (error > m->worst || isinf(error)) {
        m->worst = error;
        m->worst_at = x;
        m->worst_second = second;
    }
}

/* x holds the first arguments; second, where the function has two, the others. */
static void measure_block(measurement *m, const void *x, const void *second, int n)
{
    static double y[BLOCK]; /* room for either type */
    int bits = m->kernels->bits;
    if (second == NULL)
        m->kernels->unary(m->function.operation, x, y, n);
    else
        m->kernels->binary(m->function.operation, x, second, y, n);
    for (int i = 0; i < n; i++) {
        judge(m, sample_get(x, i, bits), second == NULL ? 0.0 : sample_get(second, i, bits),
              sample_get(y, i, bits));
    }
    m->count += n;
}

static void measure_sample(measurement *m, uint64_t seed, int64_t count)
{
    static double x[BLOCK];
    int bits = m->kernels->bits;
    for (int64_t start = 0; start < count; start += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            double any = sample_number(seed, (uint64_t)(start + i), bits);
            sample_set(x, i, bits, sample_in_domain(m->function.operation, any, bits));
        }
        measure_block(m, x, NULL, BLOCK);
    }
}

/* NEIGHBOURS / 2 numbers from c on either side; for 0 the smallest numbers of both signs. */
static void measure_around(measurement *m, double c)
{
    static double x[NEIGHBOURS];
    int bits = m->kernels->bits;
    double up = c, down = c;
    for (int i = 0; i < NEIGHBOURS; i += 2) {
        sample_set(x, i, bits, sample_in_domain(m->function.operation, up, bits));
        sample_set(x, i + 1, bits, sample_in_domain(m->function.operation, down, bits));
        up = bits == 32 ? nextafterf((float)up, INFINITY) : nextafter(up, INFINITY);
        down = bits == 32 ? nextafterf((float)down, -INFINITY) : nextafter(down, -INFINITY);
    }
    measure_block(m, x, NULL, NEIGHBOURS);
}

/* Where a method changes, or an argument is special. */
static const double centres[] = {0.0,
                                 0.25,
                                 1.0 / 3.0,
                                 0.5,
                                 0.75,
                                 1.0,
                                 1.5,
                                 2.0,
                                 3.0, /* borders of the logarithms' reductions */
                                 88.72284,
                                 87.33655,
                                 103.27893,
                                 103.97208,
                                 89.0,
                                 104.0,
                                 17.32868,
                                 18.0,
                                 9.01091,
                                 10.0,
                                 16.63553, /* float32 */
                                 709.78271,
                                 708.39642,
                                 744.44007,
                                 745.13322,
                                 710.0,
                                 746.0,
                                 37.42995,
                                 38.0,
                                 19.06155,
                                 20.0,
                                 36.7368, /* float64 */
                                 16777216.0,
                                 9007199254740992.0,
                                 1e30,
                                 3.4028234e38,
                                 0x1p-24,
                                 0x1p-53,
                                 M_LN2,
                                 0.28768207,
                                 0.34657359,
                                 1.03972077,
                                 0.41421356,
                                 2.41421356,
                                 4.0,
                                 2.55634e305,
                                 1.89615e154,
                                 38.485,
                                 13.2,
                                 M_PI_2,
                                 M_PI_4,
                                 M_PI,
                                 3 * M_PI_2,
                                 22.0,
                                 710.0 * M_PI_2,
                                 0x1p17,
                                 0x1p30, /* the reductions by pi / 2 */
                                 0x1.6ac5b262ca1ffp849,
                                 0x1.f37c8ap95, /* float32 and float64 nearest to multiples of it */
                                 26.5,
                                 27.226, /* erfc is subnormal, and 0 */
                                 9.2,
                                 10.055,
                                 5.92};

static void measure_hard_regions(measurement *m)
{
    double smallest = m->kernels->bits == 32 ? FLT_MIN : DBL_MIN,
           largest = m->kernels->bits == 32 ? FLT_MAX : DBL_MAX;
    double half_ln2 = 0.34657359027997264;
    for (size_t i = 0; i < sizeof centres / sizeof centres[0]; i++) {
        measure_around(m, centres[i]);
        measure_around(m, -centres[i]);
    }
    for (int odd = -15; odd <= 15; odd += 2) /* where the exponential's integer changes */
        measure_around(m, odd * half_ln2);
    measure_around(m, smallest);
    measure_around(m, -smallest);
    measure_around(m, largest);
    measure_around(m, -largest);
}

/* Functions of an interval from 0 to a power of two, which begins a block; infinity: of every number. */
static float last_argument(int function)
{
    return function == MATH_X_MINUS_LOG1P_OF                              ? FLT_MAX
           : function == MATH_LOG1P_UNIT                                  ? 1.0f
           : function == MATH_LOG_HALF || function == MATH_LOG_COMPLEMENT ? 0.5f
                                                                          : INFINITY;
}

static void measure_every_float32(measurement *m)
{
    static float x[BLOCK];
    const float last = last_argument(m->function.operation);
    for (uint64_t pattern = 0; pattern < UINT64_C(1) << 32; pattern += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            uint32_t bits = (uint32_t)pattern + (uint32_t)i;
            memcpy(&x[i], &bits, sizeof bits);
            if (m->function.operation == MATH_INVERSE_ROOT)
                x[i] = (float)sample_in_domain(MATH_INVERSE_ROOT, (double)x[i], 32);
        }
        int n = BLOCK;
        if (!isinf(last))
            n = signbit(x[0]) || !(x[0] <= last) ? 0 : x[0] < last ? BLOCK : 1;
        if (n > 0)
            measure_block(m, x, NULL, n);
    }
}

/* Bases near 1 and of every size, with exponents whose power is a number of any size, and pairs that know no limit. */
static void measure_pairs(measurement *m, uint64_t seed, int64_t count)
{
    static double x[BLOCK], second[BLOCK];
    int bits = m->kernels->bits;
    int from_one = m->function.operation == MATH_POW1P || m->function.operation == MATH_POW1PM1;
    for (int64_t start = 0; start < count; start += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            double base = sample_number(seed, (uint64_t)(start + i), bits);
            uint64_t random = sample_bits(seed + 2, (uint64_t)(start + i));
            double exponent = sample_number(seed + 1, random, bits);
            if (i % 16 >= 12) /* near 1 */
                base = (double)(random >> 11) * ldexp(1.0, -53 - (int)(random % 50));
            else if (!from_one)
                base = fabs(base) - 1.0;
            base = sample_in_domain(MATH_LOG1P, base, bits);
            if (i % 4 != 0) {
                double wanted = (bits == 32 ? 195.0 : 1460.0) * ((double)(random >> 40) * 0x1p-24 - 0.535);
                exponent = wanted / log1p(base);
            }
            sample_set(x, i, bits, from_one ? base : 1.0 + base);
            sample_set(second, i, bits, exponent);
        }
        measure_block(m, x, second, BLOCK);
    }
}

/* Every pair of the numbers whose neighbours may mean something else. */
static void measure_hard_pairs(measurement *m)
{
    static const double hard[] = {0.0,    0x1p-1074, 0x1p-149, 0x1p-1022, 0x1p-126, 0x1p-54, 0.25,
                                  0.5,    0.75,      1.0,      1.5,       2.0,      3.0,     1024.0,
                                  0x1p25, 0x1p54,    3e38,     1e300,     INFINITY};
    enum { HARD = sizeof hard / sizeof hard[0], SIDES = 6, POINTS = HARD * SIDES };
    static double points[POINTS], x[POINTS], second[POINTS];
    int bits = m->kernels->bits;
    for (int i = 0; i < POINTS; i++) {
        float narrow = (float)hard[i / SIDES];
        int side = i / 2 % 3 - 1;
        points[i] = bits == 32 ? (side == 0 ? narrow : nextafterf(narrow, (float)side * INFINITY))
                               : (side == 0 ? hard[i / SIDES] : nextafter(hard[i / SIDES], side * INFINITY));
        points[i] = i % 2 ? -points[i] : points[i];
    }
    points[0] = NAN; /* there is another 0 */
    for (int i = 0; i < POINTS; i++) {
        for (int j = 0; j < POINTS; j++) {
            sample_set(x, j, bits, points[i]);
            sample_set(second, j, bits, points[j]);
        }
        measure_block(m, x, second, POINTS);
    }
}

/* The widest instruction set of this processor: all of them give the same bits. */
static const math_kernels *widest(int bits)
{
    const math_kernels *found = NULL;
    for (int isa = 0; isa < math_isa_count(); isa++)
        found = math_kernels_at(isa, bits) ? math_kernels_at(isa, bits) : found;
    return found;
}

static int report(const measurement *m, const char *tested)
{
    printf("| %s | float%d | %s | %.3f | %a", elementary_name(m->function), m->kernels->bits, tested,
           m->worst, m->worst_at);
    if (m->function.arguments == 2)
        printf(", %a", m->worst_second);
    printf(" |\n");
    fflush(stdout);
    return !(m->worst <= limit_of(m->function));
}

static int measure(int operation, int bits, int full)
{
    measurement m = {.kernels = widest(bits), .function = {operation, 1}, .worst = -1.0};
    measure_hard_regions(&m);
    measure_sample(&m, 31, 1 << 15);
    m.screened = 1;
    if (full && bits == 32)
        measure_every_float32(&m);
    else if (full)
        measure_sample(&m, 47, INT64_C(1) << (operation >= MATH_NORMAL_CDF ? 21 : 26));
    char tested[32];
    snprintf(tested, sizeof tested, full && bits == 32 ? "all" : "%.0f", m.count);
    return report(&m, tested);
}

static int measure_binary(int operation, int bits, int full)
{
    measurement m = {.kernels = widest(bits), .function = {operation, 2}, .worst = -1.0};
    measure_hard_pairs(&m);
    measure_pairs(&m, 31, 1 << 15);
    m.screened = 1;
    if (full)
        measure_pairs(&m, 47, INT64_C(1) << (bits == 32 ? 26 : 22));
    char tested[32];
    snprintf(tested, sizeof tested, "%.0f pairs", m.count);
    return report(&m, tested);
}

static int wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return 1;
    }
    return argc <= 2;
}

int main(int argc, char **argv)
{
    int full = argc >= 2 && strcmp(argv[1], "full") == 0;
    if (argc < 2 || (!full && strcmp(argv[1], "short") != 0)) {
        fprintf(stderr, "usage: ulp short|full [function ...]\n");
        return 2;
    }
    printf("| function | type | arguments | largest error in ulp | at |\n|---|---|---|---|---|\n");
    int failed = 0;
    for (int function = 0; function < MATH_FUNCTIONS; function++) {
        if (wanted(math_unary_names[function], argc, argv))
            failed |= measure(function, 32, full) | measure(function, 64, full);
    }
    for (int function = 0; function < MATH_BINARY_FUNCTIONS; function++) {
        if (wanted(math_binary_names[function], argc, argv))
            failed |= measure_binary(function, 32, full) | measure_binary(function, 64, full);
    }
    mpfr_free_cache();
    return failed;
}
