/* The vector vocabulary means what simd/vector.h says, and the elementary functions keep their promises at the special
 * values, on every instruction set. How accurate they are is measured by tests/numerics/ulp.c.
 *
 * Every check runs once per instruction set and element type; one this processor lacks counts as skipped. */
#include "simd.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/sample.h"

const math_kernels *kernels_or_skip(void **state)
{
    const pass *at = *state;
    const math_kernels *kernels = math_kernels_at(at->isa, at->bits);
    if (!kernels)
        skip();
    return kernels;
}

void check_element(const void *actual, int64_t i, double expected, int bits, const char *what, double x,
                   double y)
{
    union {
        float narrow;
        double wide;
    } one;
    sample_set(&one, 0, bits, expected);
    uint64_t a = sample_canonical(actual, i, bits), e = sample_canonical(&one, 0, bits);
    if (a != e)
        fail_msg("%s(%a, %a) is %a (%" PRIx64 "), expected %a (%" PRIx64 ")", what, x, y,
                 sample_get(actual, i, bits), a, expected, e);
}

/* Zeros, subnormals, the borders of the range, halves for rounding, infinities, NaN and some plain numbers. */
static int special_values(double out[64], int bits)
{
    double tiny = bits == 32 ? 0x1p-149 : 0x1p-1074, least = bits == 32 ? FLT_MIN : DBL_MIN;
    double most = bits == 32 ? FLT_MAX : DBL_MAX, whole = bits == 32 ? 0x1p23 : 0x1p52;
    double positive[] = {0.0,
                         tiny,
                         3.0 * tiny,
                         least - tiny,
                         least,
                         0.5,
                         0.75,
                         1.0,
                         1.5,
                         2.0,
                         2.385,
                         2.5,
                         3.5,
                         1e-3,
                         88.5,
                         whole / 2.0 - 0.5,
                         whole / 2.0 + 0.5,
                         whole - 1.0,
                         whole,
                         whole + 1.0,
                         most,
                         INFINITY};
    int count = 0;
    for (size_t i = 0; i < sizeof positive / sizeof positive[0]; i++) {
        double x = bits == 32 ? (double)(float)positive[i] : positive[i];
        out[count++] = x;
        out[count++] = -x;
    }
    out[count++] = NAN;
    return count;
}

/* The vocabulary against plain C */

static double expected_unary(int operation, double x, int bits)
{
    int exponent;
    double significand;
    switch (operation) {
    case MATH_ABS:
        return fabs(x);
    case MATH_NEGATE:
        return -x;
    case MATH_SQRT:
        return sqrt(x);
    case MATH_ROUND:
        return rint(x);
    case MATH_IS_NAN:
        return isnan(x) ? 1.0 : 0.0;
    case MATH_THROUGH_INT:
        return x;
    case MATH_POW2:
        return ldexp(1.0, (int)x);
    case MATH_SHIFTED: {
        union {
            float narrow;
            double wide;
            uint32_t word;
            uint64_t pattern;
        } v;
        sample_set(&v, 0, bits, x);
        if (bits == 32)
            v.word = v.word << 3 >> 5;
        else
            v.pattern = v.pattern << 3 >> 5;
        return sample_get(&v, 0, bits);
    }
    default:
        significand = frexp(x, &exponent);
        if (significand < 0.75) {
            significand *= 2.0;
            exponent--;
        }
        return operation == MATH_SPLIT_SIGNIFICAND || operation == MATH_SPLIT_NORMAL_SIGNIFICAND
                   ? significand
                   : (double)exponent;
    }
}

static void test_unary_vocabulary(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    int bits = kernels->bits;
    double specials[64], x[1024], y[1024];
    int count = special_values(specials, bits);
    for (int k = MATH_ABS; k < MATH_UNARY; k++) {
        for (int i = 0; i < 1024; i++) {
            double any = i < count ? specials[i] : sample_number(5, (uint64_t)i, bits);
            sample_set(x, i, bits, sample_in_domain(k, any, bits));
        }
        kernels->unary(k, x, y, 1024);
        for (int i = 0; i < 1024; i++) {
            double argument = sample_get(x, i, bits);
            if (k == MATH_SHIFTED && isnan(argument)) /* the payload passed through a conversion here */
                continue;
            check_element(y, i, expected_unary(k, argument, bits), bits, math_unary_names[k], argument, 0.0);
        }
    }
}

static double expected_binary(int operation, double a, double b, int bits)
{
    switch (operation) {
    /* One operation of float computed in double and rounded again is rounded right (Figueroa, 1995). */
    case MATH_ADD:
        return a + b;
    case MATH_SUBTRACT:
        return a - b;
    case MATH_MULTIPLY:
        return a * b;
    case MATH_DIVIDE:
        return a / b;
    case MATH_MIN:
        return a < b ? a : b;
    case MATH_MAX:
        return a > b ? a : b;
    case MATH_COPYSIGN:
        return copysign(a, b);
    case MATH_LT:
        return a < b;
    case MATH_LE:
        return a <= b;
    case MATH_GT:
        return a > b;
    case MATH_GE:
        return a >= b;
    case MATH_EQ:
        return a == b;
    case MATH_NE:
        return a != b;
    case MATH_NOT_BELOW:
        return !(a < b);
    case MATH_BOTH_NONZERO:
        return a != 0.0 && b != 0.0;
    case MATH_ANY_NONZERO:
        return a != 0.0 || b != 0.0;
    default: /* MATH_SCALE */
        return bits == 32 ? ldexpf((float)a, (int)b) : ldexp(a, (int)b);
    }
}

static void test_binary_vocabulary(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    int bits = kernels->bits;
    static double a[64 * 64], b[64 * 64], y[64 * 64];
    double specials[64];
    int count = special_values(specials, bits);
    for (int k = MATH_BINARY_FUNCTIONS; k < MATH_BINARY; k++) {
        for (int i = 0; i < count * count; i++) {
            int j = i % count;
            double limit = bits == 32 ? 160.0 : 1100.0;
            sample_set(a, i, bits, k == MATH_SCALE ? 0.71 + 0.017 * j : specials[i / count]);
            sample_set(b, i, bits,
                       k == MATH_SCALE ? rint(limit * (2.0 * i / (count * count) - 1.0)) : specials[j]);
        }
        kernels->binary(k, a, b, y, count * count);
        for (int i = 0; i < count * count; i++) {
            double p = sample_get(a, i, bits), q = sample_get(b, i, bits);
            check_element(y, i, expected_binary(k, p, q, bits), bits, math_binary_names[k], p, q);
        }
    }
}

static void test_ternary_vocabulary(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    int bits = kernels->bits;
    double specials[64];
    int count = special_values(specials, bits);
    double a[LANES_MAX], b[LANES_MAX], c[LANES_MAX], y[LANES_MAX];
    for (int k = 0; k < MATH_TERNARY; k++) {
        for (uint64_t round = 0; round < 4000; round++) {
            for (int i = 0; i < kernels->lanes; i++) {
                uint64_t random = sample_bits(77, round * LANES_MAX + (uint64_t)i);
                sample_set(a, i, bits, specials[random % (uint64_t)count]);
                sample_set(b, i, bits, specials[(random >> 16) % (uint64_t)count]);
                sample_set(c, i, bits, specials[(random >> 32) % (uint64_t)count]);
            }
            kernels->ternary(k, a, b, c, y, kernels->lanes);
            for (int i = 0; i < kernels->lanes; i++) {
                double p = sample_get(a, i, bits), q = sample_get(b, i, bits), r = sample_get(c, i, bits);
                double first = k == MATH_FNMA ? -p : p;
                double expected = bits == 32 ? fmaf((float)first, (float)q, (float)r) : fma(first, q, r);
                check_element(y, i, k == MATH_SELECT ? (p < 0.0 ? q : r) : expected, bits,
                              math_ternary_names[k], p, q);
            }
        }
    }
}

/* Memory */

static void test_partial_access_stays_inside(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)kernels->bits / 8;
    /* an accessible page between two that are not */
    char *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map + page, page, PROT_READ | PROT_WRITE), 0);
    for (int n = 0; n <= kernels->lanes; n++) {
        char outside[LANES_MAX * 8 + 8];
        char *last = map + 2 * page - (size_t)n * size;
        memset(outside, 0x5a, sizeof outside);
        for (int i = 0; i < n; i++)
            sample_set(last, i, kernels->bits, 2.385 + i);
        kernels->copy_part(last, outside + 1, n); /* reads up to the end of the page */
        assert_memory_equal(outside + 1, last, (size_t)n * size);
        for (size_t i = (size_t)n * size + 1; i < sizeof outside; i++)
            assert_int_equal(outside[i], 0x5a);
        memset(last, 0, (size_t)n * size);
        kernels->copy_part(outside + 1, last, n); /* writes up to the end of the page */
        assert_memory_equal(outside + 1, last, (size_t)n * size);
        kernels->copy_part(map + page, outside, n); /* and begins at the first byte */
        kernels->copy_part(outside, map + page, n);
    }
    kernels->copy_part(map, map, 0); /* nothing at all, not even where nothing is */
    munmap(map, 3 * page);
}

static void test_any_alignment(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    int bits = kernels->bits, n = 3 * kernels->lanes - 1;
    size_t size = (size_t)bits / 8;
    char from[3 * LANES_MAX * 8 + 8], to[3 * LANES_MAX * 8 + 8];
    double x[3 * LANES_MAX], expected[3 * LANES_MAX];
    for (int i = 0; i < n; i++)
        sample_set(x, i, bits, 2.385 - 0.71 * i);
    kernels->unary(MATH_NEGATE, x, expected, n);
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(from + shift, x, (size_t)n * size);
        kernels->unary(MATH_NEGATE, from + shift, to + 7 - shift, n);
        assert_memory_equal(to + 7 - shift, expected, (size_t)n * size);
    }
}

static void test_streaming_store(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    _Alignas(64) double to[LANES_MAX];
    double from[LANES_MAX];
    for (int i = 0; i < kernels->lanes; i++)
        sample_set(from, i, kernels->bits, -2.385 * i);
    kernels->copy_streaming(from, to);
    assert_memory_equal(from, to, (size_t)kernels->lanes * (size_t)kernels->bits / 8);
}

static void test_masks_see_every_lane(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    double x[LANES_MAX];
    int any, all;
    for (int lane = -1; lane < kernels->lanes; lane++) {
        for (int inverted = 0; inverted < 2; inverted++) {
            for (int i = 0; i < kernels->lanes; i++)
                sample_set(x, i, kernels->bits, (i == lane) != inverted ? 2.385 : 0.0);
            kernels->summarize_mask(x, &any, &all);
            assert_int_equal(any != 0, inverted ? 1 : lane >= 0);
            assert_int_equal(all != 0, inverted ? lane < 0 : 0);
        }
    }
}

static void test_conversions(void **state)
{
    const math_kernels *kernels = kernels_or_skip(state);
    if (!kernels->widen)
        return; /* conversions belong to the table of float32 */
    double specials[64], wide[LANES_MAX], rounded[LANES_MAX];
    float narrow[LANES_MAX], back[LANES_MAX];
    int count = special_values(specials, 32);
    for (int start = 0; start < count; start++) {
        for (int i = 0; i < kernels->lanes; i++)
            narrow[i] = (float)specials[(start + i) % count];
        kernels->widen(narrow, wide);
        for (int i = 0; i < kernels->lanes; i++) {
            check_element(wide, i, narrow[i], 64, "widen", narrow[i], 0.0);
            wide[i] *= 1.0 + 0x1p-25; /* now it has to be rounded */
        }
        kernels->narrow(wide, back);
        for (int i = 0; i < kernels->lanes; i++)
            check_element(back, i, (float)wide[i], 32, "narrow", wide[i], 0.0);
        /* in registers too: compilers have been seen to drop the rounding of such a pair of conversions */
        kernels->round_to_float(wide, rounded);
        for (int i = 0; i < kernels->lanes; i++)
            check_element(rounded, i, back[i], 64, "round_to_float", wide[i], 0.0);
    }
}

int main(void)
{
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } checks[] = {
        {"unary_vocabulary", test_unary_vocabulary},
        {"binary_vocabulary", test_binary_vocabulary},
        {"ternary_vocabulary", test_ternary_vocabulary},
        {"partial_access_stays_inside", test_partial_access_stays_inside},
        {"any_alignment", test_any_alignment},
        {"streaming_store", test_streaming_store},
        {"masks_see_every_lane", test_masks_see_every_lane},
        {"conversions", test_conversions},
        {"limits", test_limits},
        {"limits_in_headers_of_their_own", test_limits_in_headers_of_their_own},
        {"ends_of_the_range", test_ends_of_the_range},
        {"limits_of_powers", test_limits_of_powers},
        {"same_bits_as_the_baseline", test_same_bits_as_the_baseline},
    };
    enum { CHECKS = sizeof checks / sizeof checks[0], RUNS = CHECKS * MATH_ISAS_MAX * 2 };
    static struct CMUnitTest tests[RUNS];
    static pass passes[RUNS];
    static char names[RUNS][64];
    size_t count = 0;
    for (int isa = 0; isa < math_isa_count(); isa++) {
        for (int bits = 32; bits <= 64; bits += 32) {
            for (size_t c = 0; c < CHECKS; c++, count++) {
                snprintf(names[count], sizeof names[count], "%s %s float%d", checks[c].name,
                         math_isa_name(isa), bits);
                passes[count] = (pass){isa, bits};
                tests[count] = (struct CMUnitTest){names[count], checks[c].run, NULL, NULL, &passes[count]};
            }
        }
    }
    return _cmocka_run_group_tests("simd", tests, count, NULL, NULL);
}
