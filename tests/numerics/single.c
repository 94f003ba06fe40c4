/* The functions of simd/math_single.h, which take float32 numbers and answer in double: how far they are from the exact
 * results, relatively, and that every instruction set gives the same bits.
 *
 *   single         one float32 in 1021
 *   single full    all of them: hours
 *
 * Prints a line a function; leaves with 1 when an error is above 2^-36, a limit or a NaN is wrong, or bits differ. The exact
 * results are libm's in long double; an infinite float32 stands for any number beyond FLT_MAX, 0 for any below half of the smallest. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/math_kernels.h"
#include "support/sample.h"

enum { BLOCK = 4096, SPARSE = 1021 };

static const double largest_error = 0x1p-36;

typedef long double exact_function(long double);

static exact_function *const exact[SINGLE_FUNCTIONS] = {expl,  expm1l, expl,   expm1l,
                                                        tanhl, logl,   log1pl, log1pl};

/* float32 numbers the function is made for; NaN always */
static int in_domain(int function, float x)
{
    if (isnan(x))
        return 1;
    switch (function) {
    case SINGLE_EXP_NONPOSITIVE:
    case SINGLE_EXPM1_NONPOSITIVE:
        return x <= 0.0f;
    case SINGLE_LOG1P_UNIT:
        return x >= 0.0f && x <= 1.0f;
    default:
        return 1;
    }
}

/* The relative error of y = f(x); infinite when it is wrong in kind. */
static double error_of(int function, float x, double y)
{
    const long double true_y = exact[function](x);
    if (isnan(true_y) || isnan(y))
        return isnan(true_y) && isnan(y) ? 0.0 : INFINITY;
    if (fabsl(true_y) > (long double)FLT_MAX || fabsl(true_y) < 0x1p-151L) /* as float32: infinite, or 0 */
        return (float)true_y == (float)y ? 0.0 : INFINITY;
    return (double)fabsl((y - true_y) / true_y);
}

typedef struct measurement {
    double worst, at;
    uint64_t count;
    int same;
} measurement;

static void measure_block(int function, const float *x, measurement *m)
{
    static double y[BLOCK], other[BLOCK];
    math_kernels_at(0, 32)->single(function, x, y, BLOCK);
    for (int isa = 1; isa < math_isa_count(); isa++) {
        if (!math_kernels_at(isa, 32))
            continue;
        math_kernels_at(isa, 32)->single(function, x, other, BLOCK);
        for (int i = 0; i < BLOCK; i++)
            m->same &= sample_canonical(y, i, 64) == sample_canonical(other, i, 64);
    }
    for (int i = 0; i < BLOCK; i++) {
        const double error = error_of(function, x[i], y[i]);
        m->count++;
        if (error > m->worst) {
            m->worst = error;
            m->at = x[i];
        }
    }
}

static int measure(int function, uint64_t step)
{
    static float x[BLOCK];
    measurement m = {.worst = 0.0, .same = 1};
    int n = 0;
    for (uint64_t pattern = 0; pattern < UINT64_C(1) << 32; pattern += step) {
        uint32_t bits = (uint32_t)pattern;
        memcpy(&x[n], &bits, sizeof bits);
        n += in_domain(function, x[n]);
        if (n == BLOCK) {
            measure_block(function, x, &m);
            n = 0;
        }
    }
    for (int i = 0; i < BLOCK; i++) /* what is left over, and the numbers that begin or end something */
        x[i] = i < n ? x[i] : (i % 3 == 0 ? 0.0f : i % 3 == 1 ? -0.0f : NAN);
    measure_block(function, x, &m);
    printf("%-18s %10" PRIu64 " numbers  2^%.2f at %a%s\n", math_single_names[function], m.count,
           log2(m.worst), m.at, m.same ? "" : ", and bits differ");
    return !(m.worst <= largest_error) || !m.same;
}

int main(int argc, char **argv)
{
    const uint64_t step = argc >= 2 && strcmp(argv[1], "full") == 0 ? 1 : SPARSE;
    int failed = 0;
    for (int function = 0; function < SINGLE_FUNCTIONS; function++)
        failed |= measure(function, step);
    return failed;
}
