/*
 * Rows of vectors in double: for losses of distances and angles, whose sums and differences lose digits in the element type.
 *
 * float32 is widened, which is exact, and results are rounded once. Sums follow core/sum.h: column j belongs to lane j mod 16.
 */
#ifndef LOSSI_LOSS_WIDE_H
#define LOSSI_LOSS_WIDE_H

#include <math.h>

#include "loss/lanes.h"
#include "simd/reduce.h"

/* Vectors of double that a vector of the element type fills. */
enum { LOSSI_WIDENED = VREAL_LANES / F64_LANES };

/* Columns j … j + VREAL_LANES − 1 of a row, 0 beyond its end; NULL is a row of zeros. */
LOSSI_INLINE void lossi_wide_load(const real *row, int64_t j, int64_t columns, f64v *out)
{
    const int count = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
    const vreal x = row == NULL            ? v_set1(0)
                    : count == VREAL_LANES ? v_load(row + j)
                                           : v_load_part(row + j, count);
#if LOSSI_REAL == 64
    out[0] = x;
#else
    out[0] = f32_to_f64_low(x);
    out[1] = f32_to_f64_high(x);
#endif
}

LOSSI_INLINE void lossi_wide_store(real *row, int64_t j, int64_t columns, const f64v *x)
{
    const int count = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
#if LOSSI_REAL == 64
    const vreal out = x[0];
#else
    const vreal out = f64_to_f32(x[0], x[1]);
#endif
    if (count == VREAL_LANES) {
        v_store(row + j, out);
    } else {
        v_store_part(row + j, out, count);
    }
}

/* 16 lanes of a sum. */
typedef struct lossi_wide_sum {
    f64v lanes[LOSSI_WIDE];
} lossi_wide_sum;

LOSSI_INLINE lossi_wide_sum lossi_wide_sum_zero(void)
{
    lossi_wide_sum sum;
    for (int v = 0; v < LOSSI_WIDE; v++) {
        sum.lanes[v] = f64_set1(0);
    }
    return sum;
}

/* Adds a · b of columns j …, as lossi_wide_load() gives them. */
LOSSI_INLINE void lossi_wide_sum_add(lossi_wide_sum *sum, int64_t j, const f64v *a, const f64v *b)
{
    const int first = (int)(j / F64_LANES) % LOSSI_WIDE;
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        sum->lanes[first + v] = f64_fma(a[v], b[v], sum->lanes[first + v]);
    }
}

LOSSI_INLINE double lossi_wide_sum_total(const lossi_wide_sum *sum)
{
    return f64_sum_sixteen(sum->lanes);
}

/* The same, to be written. */
LOSSI_INLINE real *lossi_row_to(void *array, int64_t i, int64_t columns)
{
    return array == NULL ? NULL : (real *)array + i * columns;
}

#endif
