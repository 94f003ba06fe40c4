/*
 * Symmetric updates by chunks of rows, blocked over registers: a block of rows of the result by a panel of its columns, whose
 * sums stay in registers for all rows of the chunk. Goto & van de Geijn, Anatomy of high-performance matrix multiplication,
 * ACM TOMS 34 (2008) 12. Every element is a chain in the order of the rows, whatever the blocks.
 */
#include "loss/symmetric_kernels.h"

#include <stddef.h>

#include "core/isa.h"
#include "simd/real.h"
#include "simd/widen.h"

/* 12 chains hide the latency on AVX2, whose 16 registers they fill with a row of the panel and a factor; AVX-512 has 32. */
#if defined(LOSSI_ISA_AVX512)
enum { BLOCK = 8, VECTORS = 3 };
#elif defined(LOSSI_ISA_AVX2)
enum { BLOCK = 4, VECTORS = 3 };
#elif defined(LOSSI_ISA_NEON)
enum { BLOCK = 4, VECTORS = 6 };
#else
enum { BLOCK = 2, VECTORS = 1 };
#endif
enum { WIDTH = VECTORS * F64_LANES };

#define UNROLL _Pragma("GCC unroll 16")

LOSSI_INLINE f64v columns_of(const real *x, int64_t count)
{
#if LOSSI_REAL == 64
    return count >= F64_LANES ? f64_load(x) : count > 0 ? f64_load_part(x, (int)count) : f64_set1(0);
#else
    return count >= F64_LANES ? f64_load_float32(x)
           : count > 0        ? f32_to_f64_low(f32_load_part(x, (int)count))
                              : f64_set1(0);
#endif
}

static void pack(int64_t rows, int64_t features, int32_t ones, const void *const *x, double *packed)
{
    for (int64_t i = 0; i < rows; i++) {
        const real *row = x[i];
        for (int64_t j = 0; j < features; j += WIDTH) {
            double *to = packed + (j / WIDTH * rows + i) * WIDTH;
            UNROLL
            for (int v = 0; v < VECTORS; v++) {
                const int64_t left = features - j - v * F64_LANES;
                f64_store(to + v * F64_LANES, columns_of(left > 0 ? row + j + v * F64_LANES : row, left));
            }
        }
        if (ones) {
            double *to = packed + (features / WIDTH * rows + i) * WIDTH;
            for (int c = 0; features % WIDTH == 0 && c < WIDTH; c++) {
                to[c] = 0;
            }
            to[features % WIDTH] = 1;
        }
    }
}

/* d[i]·x[i][j …] of a block of rows of the result, side by side. */
LOSSI_INLINE void scale(int64_t rows, const double *x, const double *d, double *scaled)
{
    for (int64_t i = 0; i < rows; i++) {
        const f64v factor = f64_set1(d[i]);
        UNROLL
        for (int r = 0; r < BLOCK; r += F64_LANES) {
            f64_store(scaled + i * BLOCK + r, factor * f64_load(x + i * WIDTH + r));
        }
    }
}

LOSSI_INLINE void add_block(int64_t rows, int64_t stride, const double *scaled, const double *panel,
                            double *sums)
{
    f64v chains[BLOCK][VECTORS];
    UNROLL
    for (int k = 0; k < BLOCK * VECTORS; k++) {
        chains[k / VECTORS][k % VECTORS] = f64_set1(0);
    }
    for (int64_t i = 0; i < rows; i++) {
        f64v across[VECTORS];
        UNROLL
        for (int v = 0; v < VECTORS; v++) {
            across[v] = f64_load(panel + i * WIDTH + v * F64_LANES);
        }
        UNROLL
        for (int r = 0; r < BLOCK; r++) {
            const f64v down = f64_set1(scaled[i * BLOCK + r]);
            UNROLL
            for (int v = 0; v < VECTORS; v++) {
                chains[r][v] = f64_fma(down, across[v], chains[r][v]);
            }
        }
    }
    UNROLL
    for (int k = 0; k < BLOCK * VECTORS; k++) {
        double *to = sums + k / VECTORS * stride + k % VECTORS * F64_LANES;
        f64_store(to, f64_load(to) + chains[k / VECTORS][k % VECTORS]);
    }
}

static void add(int64_t rows, int64_t begin, int64_t end, int64_t stride, const double *packed,
                const double *d, double *scaled, double *sums, lossi_upcoming *ahead)
{
    for (int64_t j = begin; j < end; j += BLOCK) {
        scale(rows, packed + j / WIDTH * WIDTH * rows + j % WIDTH, d, scaled);
        for (int64_t l = 0; l < j + BLOCK; l += WIDTH) {
            ahead->at = lossi_upcoming_ask_lines(ahead, ahead->at);
            add_block(rows, stride, scaled, packed + l * rows, sums + j * stride + l);
        }
    }
}

extern const lossi_symmetric_kernels LOSSI_NAME(symmetric_kernels);
const lossi_symmetric_kernels LOSSI_NAME(symmetric_kernels) = {WIDTH, BLOCK, pack, add};

#ifdef LOSSI_ONCE

extern const lossi_symmetric_kernels LOSSI_ISA_DECLARE(symmetric_kernels);
static const lossi_symmetric_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    symmetric_kernels);

const lossi_symmetric_kernels *lossi_symmetric_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
