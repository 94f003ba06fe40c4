/* The loops of dense_kernels.h, once per instruction set. */
#include "optimizer/dense_kernels.h"

#include "core/sum.h"
#include "simd/real.h"

#if LOSSI_REAL == 64 /* dense matrices are float64 whatever the type of the parameters */

enum { WIDE = LOSSI_PANEL_STRIP / F64_LANES }; /* vectors of a strip's row */

static void solve(const double *factor, int64_t stride, int64_t count, double *strip)
{
    for (int64_t t = 0; t < count; t++) {
        const double *row = factor + t * stride;
        f64v sum[WIDE];
#pragma GCC unroll 8
        for (int k = 0; k < WIDE; k++) {
            sum[k] = f64_load(strip + t * LOSSI_PANEL_STRIP + k * F64_LANES);
        }
        for (int64_t s = 0; s < t; s++) {
            const f64v coefficient = f64_set1(row[s]);
#pragma GCC unroll 8
            for (int k = 0; k < WIDE; k++) {
                sum[k] = sum[k] - coefficient * f64_load(strip + s * LOSSI_PANEL_STRIP + k * F64_LANES);
            }
        }
#pragma GCC unroll 8
        for (int k = 0; k < WIDE; k++) {
            f64_store(strip + t * LOSSI_PANEL_STRIP + k * F64_LANES, sum[k] / f64_set1(row[t]));
        }
    }
}

/* `rows` rows of two vectors, which with the accumulators just fit into 16 registers: from column `column` of the
 * strip on. */
LOSSI_INLINE void tile(double *into, const double *left, int64_t stride, int rows, const int64_t *width,
                       const double *strip, int64_t count, int column)
{
    f64v sum[LOSSI_ROWS][2];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        sum[r][0] = sum[r][1] = f64_set1(0);
    }
    for (int64_t t = 0; t < count; t++) {
        const f64v first = f64_load(strip + t * LOSSI_PANEL_STRIP + column);
        const f64v second = f64_load(strip + t * LOSSI_PANEL_STRIP + column + F64_LANES);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            const f64v coefficient = f64_set1(left[r * stride + t]);
            sum[r][0] = sum[r][0] + coefficient * first;
            sum[r][1] = sum[r][1] + coefficient * second;
        }
    }
    for (int r = 0; r < rows; r++) {
        double *out = into + r * stride + column;
        if (width[r] >= column + 2 * F64_LANES) {
            f64_store(out, f64_load(out) - sum[r][0]);
            f64_store(out + F64_LANES, f64_load(out + F64_LANES) - sum[r][1]);
        } else {
            double part[2 * F64_LANES];
            f64_store(part, sum[r][0]);
            f64_store(part + F64_LANES, sum[r][1]);
            for (int64_t c = 0; c < width[r] - column; c++) {
                out[c] -= part[c];
            }
        }
    }
}

static void update(double *into, const double *left, int64_t stride, int64_t rows, const int64_t *width,
                   const double *strip, int64_t count)
{
    for (int column = 0; column < LOSSI_PANEL_STRIP; column += 2 * F64_LANES) {
        if (rows == LOSSI_ROWS) {
            tile(into, left, stride, LOSSI_ROWS, width, strip, count, column);
            continue;
        }
        for (int64_t r = 0; r < rows; r++) {
            tile(into + r * stride, left + r * stride, stride, 1, width + r, strip, count, column);
        }
    }
}

static void add(double *y, double s, const double *x, int64_t count)
{
    const f64v factor = f64_set1(s);
    int64_t i = 0;
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(y + i, f64_load(y + i) + factor * f64_load(x + i));
    }
    for (; i < count; i++) {
        y[i] += s * x[i];
    }
}

static double dot(const double *a, const double *b, int64_t count)
{
    double lanes[LOSSI_PANEL_STRIP];
    f64v sum[WIDE];
    int64_t i = 0;
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        sum[k] = f64_set1(0);
    }
    for (; i + LOSSI_PANEL_STRIP <= count; i += LOSSI_PANEL_STRIP) {
#pragma GCC unroll 8
        for (int k = 0; k < WIDE; k++) {
            sum[k] = sum[k] + f64_load(a + i + k * F64_LANES) * f64_load(b + i + k * F64_LANES);
        }
    }
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        f64_store(lanes + k * F64_LANES, sum[k]);
    }
    for (int lane = 0; i < count; i++, lane++) {
        lanes[lane] += a[i] * b[i];
    }
    return lossi_sum_lanes(lanes);
}

extern const lossi_dense_kernels LOSSI_NAME(dense_kernels);
const lossi_dense_kernels LOSSI_NAME(dense_kernels) = {solve, update, add, dot};

#endif
