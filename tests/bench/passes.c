/* Passes at the limit of the machine, compiled once per instruction set and element type. */
#include "passes.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "simd/math_atan.h"
#include "simd/math_erf.h"
#include "simd/math_trigonometric.h"
#include "simd/real.h"

/* ---- memory ---- */

static void read_one_write_one(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    real *c = out;
    (void)right;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, -v_load(a + i));
    }
}

static void read_one_stream_one(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    real *c = out;
    (void)right;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_stream(c + i, -v_load(a + i));
    }
    v_stream_fence();
}

static void read_two_write_one(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left, *b = right;
    real *c = out;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, v_load(a + i) - v_load(b + i));
    }
}

static void read_two_stream_one(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left, *b = right;
    real *c = out;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_stream(c + i, v_load(a + i) - v_load(b + i));
    }
    v_stream_fence();
}

enum { READ_AHEAD = 4096 }; /* bytes: a page, which is where the machine's own prefetching ends */

static void read_all(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    vreal sums[4] = {v_set1(0), v_set1(0), v_set1(0), v_set1(0)};
    int64_t i = 0;
    (void)right;
    for (; i + 4 * VREAL_LANES <= n; i += 4 * VREAL_LANES) {
        __builtin_prefetch((const char *)(a + i) + READ_AHEAD);
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            sums[k] += v_load(a + i + k * VREAL_LANES);
        }
    }
    for (; i + VREAL_LANES <= n; i += VREAL_LANES) {
        sums[0] += v_load(a + i);
    }
    v_store(out, (sums[0] + sums[1]) + (sums[2] + sums[3]));
}

enum { CHAINS = 12 };

static void multiply_add(int64_t n, const void *left, const void *right, void *out)
{
    const double *a = left;
    const f64v x = f64_set1(a[0]), y = f64_set1(a[1]);
    f64v chains[CHAINS];
    (void)right;
#pragma GCC unroll 12
    for (int k = 0; k < CHAINS; k++) {
        chains[k] = f64_set1(a[2] + k);
    }
    for (int64_t i = 0; i < n; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++) {
            chains[k] = f64_fma(chains[k], x, y);
        }
    }
    for (int k = 1; k < CHAINS; k++) {
        chains[0] += chains[k];
    }
    f64_store(out, chains[0]);
}

/* ---- functions ---- */

typedef vreal (*vector_function)(vreal);

static void call(void (*function)(void), int64_t n, const void *left, void *out)
{
    const vector_function f = (vector_function)function;
    const real *a = left;
    real *c = out;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, f(v_load(a + i)));
    }
}

LOSSI_INLINE void inlined(int64_t n, const void *left, void *out, vector_function f)
{
    const real *a = left;
    real *c = out;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, f(v_load(a + i)));
    }
}

static void own_atan(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_atan);
}

static void own_cos(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_cos);
}

static void own_erfc(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_erfc);
}

static void own_exp(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_exp);
}

static void own_expm1(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_expm1);
}

static void own_log(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_log);
}

static void own_log1p(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_log1p);
}

static void own_sin(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_sin);
}

static void own_tanh(int64_t n, const void *a, const void *b, void *c)
{
    (void)b;
    inlined(n, a, c, v_tanh);
}

static const bench_function own[] = {
    {"atan", own_atan}, {"cos", own_cos},     {"erfc", own_erfc}, {"exp", own_exp},   {"expm1", own_expm1},
    {"log", own_log},   {"log1p", own_log1p}, {"sin", own_sin},   {"tanh", own_tanh}, {NULL, NULL}};

/* The letters of the vector function ABIs of x86-64 and AArch64. */
#if defined(LOSSI_ISA_AVX512)
enum { LETTER = 'e' };
#define SUFFIX ""
#elif defined(LOSSI_ISA_AVX2)
enum { LETTER = 'd' };
#define SUFFIX "avx2"
#elif defined(__x86_64__)
enum { LETTER = 'b' };
#define SUFFIX ""
#elif defined(__aarch64__)
enum { LETTER = 'n' };
#define SUFFIX ""
#else
enum { LETTER = 0 };
#define SUFFIX ""
#endif

extern const bench_passes LOSSI_NAME(bench_passes);
const bench_passes LOSSI_NAME(bench_passes) = {
    .read_one = {read_one_write_one, read_one_stream_one},
    .read_two = {read_two_write_one, read_two_stream_one},
    .read = read_all,
    .multiply_add = multiply_add,
    .multiply_adds = CHAINS * F64_LANES,
    .call = call,
    .letter = LETTER,
    .suffix = SUFFIX,
    .lanes = VREAL_LANES,
    .own = own,
};

#ifdef LOSSI_ONCE

extern const bench_passes LOSSI_ISA_DECLARE(bench_passes);
static const bench_passes *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(bench_passes);

const bench_passes *bench_passes_for(const char *isa, int bits)
{
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        if (strcmp(isa, lossi_isa_name(i)) == 0) {
            return table[i][bits == 64];
        }
    }
    return NULL;
}

#endif
