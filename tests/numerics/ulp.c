/* How far the elementary functions are from the exact result, in units in the last place, measured with MPFR.
 *
 *   ulp short    every region where a method may break, and a random sample: seconds
 *   ulp full     every float32 there is, and 2^26 float64 a function: half an hour
 *   ulp full exp log     only these
 *
 * Prints the table of docs/numerics.md; leaves with 1 when an error exceeds 2 ulp or a NaN, an infinity or the sign
 * of a zero is wrong. A unit is the distance of neighbours in the binade of the exact result, below the normal
 * numbers the smallest one. In the full measurement libm in the next wider type tells which results are close to the
 * worst so far, and MPFR then judges those. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <mpfr.h>

#include "support/math_kernels.h"
#include "support/sample.h"

enum { BLOCK = 4096, NEIGHBOURS = 512, PRECISION = 300 };
static const double limit = 2.0;

typedef struct measurement {
    const math_kernels *kernels;
    int function;
    int screened; /* libm decides what MPFR sees */
    double worst, worst_at;
    double count;
} measurement;

/* exact = f(x); the functions MPFR does not have are composed where nothing cancels. */
static void evaluate_exactly(mpfr_t exact, int function, double x)
{
    mpfr_set_d(exact, x, MPFR_RNDN);
    switch (function) {
    case MATH_EXP:
        mpfr_exp(exact, exact, MPFR_RNDN);
        break;
    case MATH_EXPM1:
        mpfr_expm1(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG:
        mpfr_log(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG1P:
    case MATH_LOG1P_UNIT:
        mpfr_log1p(exact, exact, MPFR_RNDN);
        break;
    case MATH_TANH:
        mpfr_tanh(exact, exact, MPFR_RNDN);
        break;
    case MATH_SIGMOID:
        mpfr_neg(exact, exact, MPFR_RNDN);
        mpfr_exp(exact, exact, MPFR_RNDN);
        mpfr_add_ui(exact, exact, 1, MPFR_RNDN);
        mpfr_ui_div(exact, 1, exact, MPFR_RNDN);
        break;
    case MATH_SOFTPLUS:
        if (x > 1000.0) /* e^-x is beyond the precision, and e^x might be beyond the range */
            break;
        mpfr_exp(exact, exact, MPFR_RNDN);
        mpfr_log1p(exact, exact, MPFR_RNDN);
        break;
    }
}

/* Exponent of the unit in the last place of a number 0.5 <= |m| < 1 times 2^exponent. */
static long unit_exponent(long exponent, int bits)
{
    long digits = bits == 32 ? FLT_MANT_DIG : DBL_MANT_DIG, lowest = bits == 32 ? -149 : -1074;
    return exponent - digits > lowest ? exponent - digits : lowest;
}

/* The error of y in units; infinite when it is wrong in kind. */
static double exact_error(int function, int bits, double x, double y)
{
    static mpfr_t exact, difference;
    static int ready;
    if (!ready) {
        mpfr_init2(exact, PRECISION);
        mpfr_init2(difference, PRECISION);
        ready = 1;
    }
    evaluate_exactly(exact, function, x);
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

static double libm_double(int function, double x)
{
    switch (function) {
    case MATH_EXP:
        return exp(x);
    case MATH_EXPM1:
        return expm1(x);
    case MATH_LOG:
        return log(x);
    case MATH_TANH:
        return tanh(x);
    case MATH_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case MATH_SOFTPLUS:
        return x > 100.0 ? x : log1p(exp(x));
    default:
        return log1p(x);
    }
}

static long double libm_long_double(int function, long double x)
{
    switch (function) {
    case MATH_EXP:
        return expl(x);
    case MATH_EXPM1:
        return expm1l(x);
    case MATH_LOG:
        return logl(x);
    case MATH_TANH:
        return tanhl(x);
    case MATH_SIGMOID:
        return 1.0L / (1.0L + expl(-x));
    case MATH_SOFTPLUS:
        return x > 1000.0L ? x : log1pl(expl(x));
    default:
        return log1pl(x);
    }
}

/* The error of a float32 by libm in double, good to a hundredth; NaN where it cannot tell. Four thousand million calls
 * a function: hence the exponent is read from the bits. */
static double screened_error_float32(int function, double x, double y)
{
    double near = libm_double(function, x);
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
static double screened_error_float64(int function, double x, double y)
{
    long double near = libm_long_double(function, x);
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

static double screened_error(int function, int bits, double x, double y)
{
    return bits == 32 ? screened_error_float32(function, x, y) : screened_error_float64(function, x, y);
}

static void measure_block(measurement *m, const void *x, int n)
{
    static double y[BLOCK]; /* room for either type */
    int bits = m->kernels->bits;
    m->kernels->unary(m->function, x, y, n);
    for (int i = 0; i < n; i++) {
        double argument = sample_get(x, i, bits), value = sample_get(y, i, bits);
        if (m->screened && screened_error(m->function, bits, argument, value) < m->worst - 0.02)
            continue;
        double error = exact_error(m->function, bits, argument, value);
        if (error > m->worst || isinf(error)) {
            m->worst = error;
            m->worst_at = argument;
        }
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
            sample_set(x, i, bits, sample_in_domain(m->function, any, bits));
        }
        measure_block(m, x, BLOCK);
    }
}

/* NEIGHBOURS / 2 numbers from c on either side; for 0 the smallest numbers of both signs. */
static void measure_around(measurement *m, double c)
{
    static double x[NEIGHBOURS];
    int bits = m->kernels->bits;
    double up = c, down = c;
    for (int i = 0; i < NEIGHBOURS; i += 2) {
        sample_set(x, i, bits, sample_in_domain(m->function, up, bits));
        sample_set(x, i + 1, bits, sample_in_domain(m->function, down, bits));
        up = bits == 32 ? nextafterf((float)up, INFINITY) : nextafter(up, INFINITY);
        down = bits == 32 ? nextafterf((float)down, -INFINITY) : nextafter(down, -INFINITY);
    }
    measure_block(m, x, NEIGHBOURS);
}

static void measure_hard_regions(measurement *m)
{
    static const double centres[] = {0.0,        0.25,
                                     1.0 / 3.0,  0.5,
                                     0.75,       1.0,
                                     1.5,        2.0,
                                     3.0, /* borders of the logarithms' reductions */
                                     88.72284,   87.33655,
                                     103.27893,  103.97208,
                                     89.0,       104.0,
                                     17.32868,   18.0,
                                     9.01091,    10.0,
                                     16.63553, /* float32 */
                                     709.78271,  708.39642,
                                     744.44007,  745.13322,
                                     710.0,      746.0,
                                     37.42995,   38.0,
                                     19.06155,   20.0,
                                     36.7368, /* float64 */
                                     16777216.0, 9007199254740992.0,
                                     1e30,       3.4028234e38,
                                     0x1p-24,    0x1p-53};
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

static void measure_every_float32(measurement *m)
{
    static float x[BLOCK];
    for (uint64_t pattern = 0; pattern < UINT64_C(1) << 32; pattern += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            uint32_t bits = (uint32_t)pattern + (uint32_t)i;
            memcpy(&x[i], &bits, sizeof bits);
        }
        int n = BLOCK;
        if (m->function == MATH_LOG1P_UNIT) /* 0 up to 1, the first of its block */
            n = signbit(x[0]) || !(x[0] <= 1.0f) ? 0 : x[0] < 1.0f ? BLOCK : 1;
        if (n > 0)
            measure_block(m, x, n);
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

static int measure(int function, int bits, int full)
{
    measurement m = {.kernels = widest(bits), .function = function, .worst = -1.0};
    measure_hard_regions(&m);
    measure_sample(&m, 31, 1 << 15);
    m.screened = 1;
    if (full && bits == 32)
        measure_every_float32(&m);
    else if (full)
        measure_sample(&m, 47, INT64_C(1) << 26);
    char tested[32];
    snprintf(tested, sizeof tested, full && bits == 32 ? "all" : "%.0f", m.count);
    printf("| %s | float%d | %s | %.3f | %a |\n", math_unary_names[function], bits, tested, m.worst,
           m.worst_at);
    fflush(stdout);
    return !(m.worst <= limit);
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
    mpfr_free_cache();
    return failed;
}
