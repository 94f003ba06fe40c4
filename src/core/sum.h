/*
 * The order of every sum: rows are cut the same way whatever the number of threads and the instruction set.
 *
 * - lanes: element i of a tile belongs to lane i mod 16; a lane adds its elements in order, in double
 * - tile: what a kernel sees at a time: the largest power of two of rows with at most 1024 elements, at least 1 row
 * - block: the same with 4096 elements; the lanes go on through its tiles, and at its end are added by halving
 * - slice: the blocks are cut into at most 32 contiguous slices of equal numbers of blocks (the last may be shorter); block sums
 *   are added in order within a slice
 * - tree: slice sums are added pairwise, neighbours first, until one is left
 *
 * docs/numerics.md says the same in words. Changing a number here changes everybody's bits.
 */
#ifndef LOSSI_CORE_SUM_H
#define LOSSI_CORE_SUM_H

#include <stdint.h>
#include <string.h>

enum { LOSSI_LANES = 16, LOSSI_TILE = 1024, LOSSI_BLOCK = 4096, LOSSI_SLICES = 32 };

/* The largest power of two of rows with at most `elements` elements, at least 1. */
static inline int64_t lossi_rows_within(int64_t columns, int64_t elements)
{
    if (columns <= 1) { /* most calls, and a power of two already */
        return elements;
    }
    const int64_t most = elements / columns;
    return most > 0 ? (int64_t)1 << (63 - __builtin_clzll((unsigned long long)most)) : 1;
}

/* a + b as a double, and what that is missing (Knuth, TAOCP vol. 2, 4.2.2, theorem B). */
static inline double lossi_two_sum(double a, double b, double *missing)
{
    const double sum = a + b, part = sum - a;
    *missing = (a - (sum - part)) + (b - part);
    return sum;
}

/* sum + lost += x */
static inline void lossi_add_kept(double *sum, double *lost, double x)
{
    double missing;
    *sum = lossi_two_sum(*sum, x, &missing);
    *lost += missing;
}

typedef struct lossi_cut {
    int64_t rows, columns;
    int64_t tile_rows, block_rows;
    int64_t slice_rows; /* rows of a slice, a multiple of block_rows */
    int64_t slices;     /* 0 when there are no rows */
} lossi_cut;

static inline lossi_cut lossi_cut_rows(int64_t rows, int64_t columns)
{
    lossi_cut cut = {
        rows, columns, lossi_rows_within(columns, LOSSI_TILE), lossi_rows_within(columns, LOSSI_BLOCK), 0, 0};
    int64_t blocks = rows / cut.block_rows + (rows % cut.block_rows != 0);
    int64_t per_slice = (blocks + LOSSI_SLICES - 1) / LOSSI_SLICES;
    cut.slice_rows = per_slice * cut.block_rows;
    cut.slices = per_slice == 0 ? 0 : (blocks + per_slice - 1) / per_slice;
    return cut;
}

/* 16 lanes to one number: 16 → 8 → 4 → 2 → 1, lane k plus lane k + half; by twos, which every processor has. */
static inline double lossi_sum_lanes(const double lanes[LOSSI_LANES])
{
    typedef double pair __attribute__((vector_size(16)));
    pair sum[LOSSI_LANES / 2];
    memcpy(sum, lanes, sizeof sum);
    const pair a = sum[0] + sum[4], b = sum[1] + sum[5], c = sum[2] + sum[6], d = sum[3] + sum[7];
    const pair last = (a + c) + (b + d);
    return last[0] + last[1];
}

/* Slice sums to one number, pairwise in place; +0 for none. */
static inline double lossi_sum_slices(double *sums, int64_t count)
{
    for (; count > 1; count = (count + 1) / 2) {
        for (int64_t i = 0; i < count / 2; i++) {
            sums[i] = sums[2 * i] + sums[2 * i + 1];
        }
        if (count % 2 != 0) {
            sums[count / 2] = sums[count - 1];
        }
    }
    return count == 1 ? sums[0] : 0.0;
}

#endif
