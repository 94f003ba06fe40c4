/*
 * Parameters and their derivatives between the element type and float64. There are as many as features times outputs, and all of them
 * come by for every batch: of a small batch that is a good part of the time, most of it the divisions.
 */
#include "gradient/parameter_kernels.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "simd/real.h"
#include "simd/widen.h"

static void widen(int64_t count, const void *from, double *to)
{
#if LOSSI_REAL == 64
    memcpy(to, from, (size_t)count * sizeof *to);
#else
    const float *x = from;
    int64_t i = 0;
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(to + i, f64_load_float32(x + i));
    }
    for (; i < count; i++) {
        float narrow;
        memcpy(&narrow, x + i, sizeof narrow);
        to[i] = (double)narrow;
    }
#endif
}

static void narrow(int64_t count, const double *from, void *to)
{
#if LOSSI_REAL == 64
    memcpy(to, from, (size_t)count * sizeof *from);
#else
    float *out = to;
    int64_t i = 0;
    for (; i + F32_LANES <= count; i += F32_LANES) {
        f32_store(out + i, f64_to_f32(f64_load(from + i), f64_load(from + i + F64_LANES)));
    }
    for (; i < count; i++) {
        const float rounded = (float)from[i];
        memcpy(out + i, &rounded, sizeof rounded);
    }
#endif
}

static void add(int64_t count, double weight, const void *from, double *sum)
{
    const real *x = from;
    int64_t i = 0;
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(sum + i, f64_load(sum + i) + f64_set1(weight) * v_load_wide(x + i));
    }
    for (; i < count; i++) {
        real one;
        memcpy(&one, x + i, sizeof one);
        sum[i] += weight * (double)one;
    }
}

/* 1 / x where that is exact, so that multiplying by it is dividing by x: of a batch of 2^k rows. Otherwise 0. */
static double exact_reciprocal(double x)
{
    int exponent;
    return x > 0 && isfinite(x) && frexp(x, &exponent) == 0.5 && isfinite(1 / x) ? 1 / x : 0;
}

static void divide(int64_t count, const double *from, double denominator, double *to)
{
    const double reciprocal = exact_reciprocal(denominator);
    int64_t i = 0;
    for (; reciprocal != 0 && i + F64_LANES <= count; i += F64_LANES) {
        f64_store(to + i, f64_load(from + i) * f64_set1(reciprocal));
    }
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(to + i, f64_load(from + i) / f64_set1(denominator));
    }
    for (; i < count; i++) {
        to[i] = from[i] / denominator;
    }
}

extern const lossi_parameter_kernels LOSSI_NAME(parameter_kernels);
const lossi_parameter_kernels LOSSI_NAME(parameter_kernels) = {widen, narrow, add, divide};

#ifdef LOSSI_ONCE

extern const lossi_parameter_kernels LOSSI_ISA_DECLARE(parameter_kernels);
static const lossi_parameter_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    parameter_kernels);

const lossi_parameter_kernels *lossi_parameter_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
