/* The passes of limited_memory_kernels.h, once per instruction set and element type. */
#include "optimizer/limited_memory_kernels.h"

#include "optimizer/chunk.h"

LOSSI_INLINE void clear(double *sums, int count)
{
    for (int k = 0; k < count; k++) {
        sums[k] = 0.0;
    }
}

LOSSI_INLINE int64_t block_end(int64_t i, int64_t end)
{
    return end - i < LOSSI_BLOCK ? end : i + LOSSI_BLOCK;
}

/* ---- products ---- */

/* Products of `count` vectors, 1 or 2, with a: two keep the registers of every instruction set busy and no more. */
LOSSI_INLINE void multiply_some(const void *const *vectors, const void *with, int count, int64_t begin,
                                int64_t end, double *sums)
{
    chunk sum[2] = {0};
    int64_t i = begin;
    for (; i + LOSSI_LANES <= end; i += LOSSI_LANES) {
        chunk a = load(with, i, LOSSI_LANES);
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(vectors[k], i, LOSSI_LANES), a);
        }
    }
    if (i < end) {
        chunk a = load(with, i, (int)(end - i));
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(vectors[k], i, (int)(end - i)), a);
        }
    }
#pragma GCC unroll 2
    for (int k = 0; k < count; k++) {
        sums[k] += lanes_added(&sum[k]);
    }
}

/* A block: that of a stays in the first-level cache while the vectors go by. */
LOSSI_INLINE void multiply(const void *const *vectors, const void *with, int count, int64_t begin,
                           int64_t end, double *sums)
{
    int k = 0;
    for (; k + 2 <= count; k += 2) {
        multiply_some(vectors + k, with, 2, begin, end, sums + k);
    }
    if (k < count) {
        multiply_some(vectors + k, with, 1, begin, end, sums + k);
    }
}

static void products(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    clear(sums, many->count);
    for (int64_t i = begin; i < end; i += LOSSI_BLOCK) {
        multiply(many->vector, many->a, many->count, i, block_end(i, end), sums);
    }
}

/* ---- learn ---- */

LOSSI_INLINE void pair_chunk(const lossi_many *many, int64_t i, int n, chunk *sum)
{
    chunk u = rounded(minus(load(many->b, i, n), load(many->c, i, n)));
    chunk v = rounded(minus(load(many->a, i, n), load(many->d, i, n)));
    store(many->out[0], i, n, u);
    store(many->out[1], i, n, v);
    add_product(&sum[0], u, v);
    add_product(&sum[1], v, v);
    add_product(&sum[2], u, u);
}

/* A block becomes a pair, then its products are taken while it is at hand. */
static void learn(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    const void *const made[2] = {many->out[0], many->out[1]};
    clear(sums, LOSSI_PAIR_SUMS + many->count);
    for (int64_t block = begin; block < end; block += LOSSI_BLOCK) {
        int64_t stop = block_end(block, end), i = block;
        chunk sum[3] = {0};
        for (; i + LOSSI_LANES <= stop; i += LOSSI_LANES) {
            pair_chunk(many, i, LOSSI_LANES, sum);
        }
        if (i < stop) {
            pair_chunk(many, i, (int)(stop - i), sum);
        }
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++) {
            sums[k] += lanes_added(&sum[k]);
        }
        multiply_some(made, many->a, 2, block, stop, sums + 3);
        multiply(many->vector, many->a, many->count, block, stop, sums + LOSSI_PAIR_SUMS);
    }
}

/* ---- weigh ---- */

/*
 * Up to four vectors added to a tile: the first go on top of scalar·a, and after the last the result is stored. Between
 * them it waits in sum, in double whatever the element type.
 */
enum { WEIGHED = 4 };

LOSSI_INLINE void weigh_chunk(const lossi_many *many, int first, int count, int64_t i, int n, double *tile,
                              chunk *sum)
{
    chunk u;
    if (first == 0) {
        u = scaled(many->scalar, load(many->a, i, n));
    } else {
#pragma GCC unroll 8
        for (int k = 0; k < WIDE; k++) {
            u.part[k] = f64_load(tile + k * F64_LANES);
        }
    }
#pragma GCC unroll 4
    for (int k = first; k < first + count; k++) {
        u = fused(many->weight[k], load(many->vector[k], i, n), u);
    }
    if (first + count == many->count) {
        u = rounded(u);
        store(many->out[0], i, n, u);
        add_product(sum, u, load(many->b, i, n));
        if (many->out[1] != NULL) {
            store(many->out[1], i, n, fused(many->step, u, load(many->c, i, n)));
        }
        return;
    }
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        f64_store(tile + k * F64_LANES, u.part[k]);
    }
}

LOSSI_INLINE void weigh_some(const lossi_many *many, int first, int count, int64_t begin, int64_t end,
                             double *tile, chunk *sum)
{
    int64_t i = begin;
    for (; i + LOSSI_LANES <= end; i += LOSSI_LANES) {
        weigh_chunk(many, first, count, i, LOSSI_LANES, tile + (i - begin), sum);
    }
    if (i < end) {
        weigh_chunk(many, first, count, i, (int)(end - i), tile + (i - begin), sum);
    }
}

/* Tile by tile, so that a vector is read in long pieces and the tile stays in the first-level cache. */
static void weigh(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    double tile[LOSSI_TILE];
    sums[0] = 0.0;
    for (int64_t block = begin; block < end; block += LOSSI_BLOCK) {
        int64_t stop = block_end(block, end);
        chunk sum = {0};
        for (int64_t i = block; i < stop; i += LOSSI_TILE) {
            int64_t next = stop - i < LOSSI_TILE ? stop : i + LOSSI_TILE;
            int k = 0;
            for (; k + WEIGHED <= many->count; k += WEIGHED) {
                weigh_some(many, k, WEIGHED, i, next, tile, &sum);
            }
            if (k < many->count) {
                weigh_some(many, k, many->count - k, i, next, tile, &sum);
            }
        }
        sums[0] += lanes_added(&sum);
    }
}

/* ---- the recursion ---- */

/* to[begin … end − 1] += factor·row, in whole vectors: also before begin and behind end, where nobody looks any more. */
LOSSI_INLINE void add_row(double *to, double factor, const double *row, int32_t begin, int32_t end)
{
    for (int32_t j = begin / F64_LANES * F64_LANES; j < end; j += F64_LANES) {
        f64_store(to + j, f64_load(to + j) + f64_set1(factor) * f64_load(row + j));
    }
}

/* Each loop waits for one number at a time: that is made first, beside the vector it will be in. */
static void recur(const lossi_recursion *r)
{
    double q_s[LOSSI_LARGEST_ROW], q_y[LOSSI_LARGEST_ROW], alpha[LOSSI_LARGEST_ROW]; /* sᵀq, yᵀq */
    double *weight = r->weight, scale = r->scale;
    int32_t count = r->count;
    double next = r->with_s[count - 1];
    for (int32_t j = 0; j < count; j += F64_LANES) {
        f64_store(q_s + j, f64_load(r->with_s + j));
        f64_store(q_y + j, f64_load(r->with_y + j));
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        const double *sy = r->sy + i * r->row;
        alpha[i] = next * sy[i];
        next = i > 0 ? q_s[i - 1] - alpha[i] * sy[i - 1] : 0.0;
        add_row(q_s, -alpha[i], sy, 0, i - 1);
        add_row(q_y, -alpha[i], r->yy + i * r->row, 0, count);
    }
    for (int32_t j = 0; j < count; j += F64_LANES) {
        f64_store(q_y + j, f64_set1(scale) * f64_load(q_y + j));
    }
    next = q_y[0];
    for (int32_t i = 0; i < count; i++) {
        const double *sy = r->sy + i * r->row;
        double factor = alpha[i] - next * sy[i];
        weight[2 * i] = -factor;
        weight[2 * i + 1] = scale * alpha[i];
        next = i + 1 < count ? q_y[i + 1] + factor * sy[i + 1] : 0.0;
        add_row(q_y, factor, sy, i + 2, count);
    }
}

extern const lossi_memory_kernels LOSSI_NAME(memory_kernels);
const lossi_memory_kernels LOSSI_NAME(memory_kernels) = {products, learn, weigh, recur};
