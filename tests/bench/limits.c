/* Passes at the limit of the machine, in the library's own vocabulary; n is a multiple of 64. */
#include "limits.h"

#include <string.h>

#include "core/isa.h"
#include "simd/real.h"

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

static void run_exp(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    real *c = out;
    (void)right;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, v_exp(v_load(a + i)));
    }
}

static void run_log(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    real *c = out;
    (void)right;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, v_log(v_load(a + i)));
    }
}

static void run_log1p(int64_t n, const void *left, const void *right, void *out)
{
    const real *a = left;
    real *c = out;
    (void)right;
    for (int64_t i = 0; i < n; i += VREAL_LANES) {
        v_store(c + i, v_log1p(v_load(a + i)));
    }
}

extern const bench_limits LOSSI_NAME(bench_limits);
const bench_limits LOSSI_NAME(bench_limits) = {
    read_two_write_one, read_two_stream_one, read_one_write_one, read_one_stream_one, run_exp, run_log,
    run_log1p};

#ifdef LOSSI_ONCE

extern const bench_limits LOSSI_ISA_DECLARE(bench_limits);
static const bench_limits *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(bench_limits);

const bench_limits *bench_limits_for(const char *isa, int bits)
{
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        if (strcmp(isa, lossi_isa_name(i)) == 0) {
            return table[i][bits == 64];
        }
    }
    return NULL;
}

#endif
