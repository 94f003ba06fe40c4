/* The passes of limited_memory_kernels.h, once per instruction set and element type. */
#include "optimizer/limited_memory_kernels.h"

#include "optimizer/chunk.h"

/* How many vectors are gone through at once: so many keep their sums, or their weights, in the registers there are. */
#if defined(LOSSI_ISA_AVX512)
enum { MULTIPLIED = 8, WEIGHED = 8 };
#else
enum { MULTIPLIED = 2, WEIGHED = 4 };
#endif

/*
 * Elements of a vector that are multiplied before it is the next one's turn. Memory takes a while to come up to speed with every piece, and a
 * block of float32 is a short one: four save 5 to 10 % of the time over a million numbers, 30 % with AVX2. What all are multiplied with
 * comes by again from the second-level cache.
 */
enum { PIECE = LOSSI_REAL == 32 ? 4 * LOSSI_BLOCK : LOSSI_BLOCK };

/* The first `count` numbers, and those up to a whole vector. */
LOSSI_INLINE void clear(double *sums, int count)
{
    for (int k = 0; k < count; k += F64_LANES) {
        f64_store(sums + k, f64_set1(0.0));
    }
}

/* One by one: an array cleared as a whole is a string instruction, which takes as long as a short pass. */
LOSSI_INLINE void clear_lanes(f64v *lanes, int count)
{
#pragma GCC unroll 8
    for (int k = 0; k < count; k++) {
        lanes[k] = f64_set1(0.0);
    }
}

/* sums[k] += the lanes of vector k. */
LOSSI_INLINE void add_each(double *sums, const f64v lanes[F64_LANES])
{
    f64_store(sums, f64_load(sums) + f64_sum_each(lanes));
}

/* Where what begins at i ends, `length` elements later or with all. */
LOSSI_INLINE int64_t end_of(int64_t i, int64_t length, int64_t end)
{
    return end - i < length ? end : i + length;
}

/* ---- products ---- */

/* Products of `count` vectors with a; their lanes are folded but not yet added up. */
LOSSI_INLINE void multiply_some(const void *const *vectors, const void *with, int count, int64_t begin,
                                int64_t end, f64v *lanes)
{
    chunk sum[MULTIPLIED] = {0};
    int64_t i = begin;
    for (; i + LOSSI_LANES <= end; i += LOSSI_LANES) {
        chunk a = load(with, i, LOSSI_LANES);
#pragma GCC unroll 8
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(vectors[k], i, LOSSI_LANES), a);
        }
    }
    if (i < end) {
        chunk a = load(with, i, (int)(end - i));
#pragma GCC unroll 8
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(vectors[k], i, (int)(end - i)), a);
        }
    }
#pragma GCC unroll 8
    for (int k = 0; k < count; k++) {
        lanes[k] = folded(&sum[k]);
    }
}

/* A piece, block by block: that of a stays in the cache while the vectors go by. */
LOSSI_INLINE void multiply(const void *const *vectors, const void *with, int count, int64_t begin,
                           int64_t end, double *sums)
{
    for (int k = 0; k < count; k += F64_LANES) {
        const int some = count - k < F64_LANES ? count - k : F64_LANES;
        for (int64_t i = begin; i < end; i += LOSSI_BLOCK) {
            f64v lanes[F64_LANES];
            clear_lanes(lanes, F64_LANES);
            if (some == MULTIPLIED) {
                multiply_some(vectors + k, with, MULTIPLIED, i, end_of(i, LOSSI_BLOCK, end), lanes);
            } else {
                for (int j = 0; j < some; j += 2) {
                    multiply_some(vectors + k + j, with, 2, i, end_of(i, LOSSI_BLOCK, end), lanes + j);
                }
            }
            add_each(sums + k, lanes);
        }
    }
}

static void products(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    clear(sums, many->count);
    for (int64_t i = begin; i < end; i += PIECE) {
        multiply(many->vector, many->a, many->count, i, end_of(i, PIECE, end), sums);
    }
}

/* ---- learn ---- */

enum { OF_PAIR = 5 };

LOSSI_INLINE void pair_chunk(const lossi_many *many, int64_t i, int n, chunk *sum)
{
    chunk a = load(many->a, i, n);
    chunk u = rounded(minus(load(many->b, i, n), load(many->c, i, n)));
    chunk v = rounded(minus(a, load(many->d, i, n)));
    store(many->out[0], i, n, u);
    store(many->out[1], i, n, v);
    add_product(&sum[0], u, v);
    add_product(&sum[1], v, v);
    add_product(&sum[2], u, u);
    add_product(&sum[3], u, a);
    add_product(&sum[4], v, a);
}

/* A block becomes a pair. */
LOSSI_INLINE void make_pair(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    int64_t i = begin;
    chunk sum[OF_PAIR] = {0};
    f64v lanes[LOSSI_PAIR_SUMS];
    clear_lanes(lanes, LOSSI_PAIR_SUMS);
    for (; i + LOSSI_LANES <= end; i += LOSSI_LANES) {
        pair_chunk(many, i, LOSSI_LANES, sum);
    }
    if (i < end) {
        pair_chunk(many, i, (int)(end - i), sum);
    }
#pragma GCC unroll 5
    for (int k = 0; k < OF_PAIR; k++) {
        lanes[k] = folded(&sum[k]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < LOSSI_PAIR_SUMS; k += F64_LANES) {
        add_each(sums + k, lanes + k);
    }
}

/* A piece becomes a pair, then its products with the others are taken while it is at hand. */
static void learn(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    clear(sums, LOSSI_PAIR_SUMS + many->count);
    for (int64_t piece = begin; piece < end; piece += PIECE) {
        const int64_t stop = end_of(piece, PIECE, end);
        for (int64_t block = piece; block < stop; block += LOSSI_BLOCK) {
            make_pair(many, block, end_of(block, LOSSI_BLOCK, stop), sums);
        }
        multiply(many->vector, many->a, many->count, piece, stop, sums + LOSSI_PAIR_SUMS);
    }
}

/* ---- weigh ---- */

/*
 * WEIGHED vectors at a time are added to a tile: the first go on top of scalar·a, and after the last the result is stored. Between
 * them it waits in `tile`, in double whatever the element type.
 */
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
#pragma GCC unroll 8
    for (int k = 0; k < count; k++) {
        u = fused(many->weight[first + k], load(many->vector[first + k], i, n), u);
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

/* count is a constant. */
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
        int64_t stop = end_of(block, LOSSI_BLOCK, end);
        chunk sum = {0};
        for (int64_t i = block; i < stop; i += LOSSI_TILE) {
            int64_t next = end_of(i, LOSSI_TILE, stop);
            int k = 0;
            for (; k + WEIGHED <= many->count; k += WEIGHED) {
                weigh_some(many, k, WEIGHED, i, next, tile, &sum);
            }
            if (WEIGHED > 4 && k + 4 <= many->count) {
                weigh_some(many, k, 4, i, next, tile, &sum);
                k += 4;
            }
            if (k < many->count) {
                weigh_some(many, k, 2, i, next, tile, &sum);
            }
        }
        sums[0] += lanes_added(&sum);
    }
}

/* ---- the recursion ---- */

/*
 * Numbers of a row by fours, on every instruction set: each loop waits for one number at a time, and longer while there are vectors
 * of 512 bits, which shut one of three ports to it.
 */
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));
enum { FOUR = 4, MOST_FOURS = LOSSI_LARGEST_ROW / FOUR, PAIRS_IN_REGISTERS = 24 };

/* q += factor·row; of all places, also where nobody looks any more. */
LOSSI_INLINE void add_row(four *q, double factor, const double *row, int fours)
{
#pragma GCC unroll 6
    for (int k = 0; k < fours; k++) {
        q[k] = q[k] + (four){factor, factor, factor, factor} * *(const four *)(row + k * FOUR);
    }
}

LOSSI_INLINE void copy_row(double *to, const four *from, int fours)
{
#pragma GCC unroll 6
    for (int k = 0; k < fours; k++) {
        *(four *)(to + k * FOUR) = from[k];
    }
}

/* The place before one, and the place after it. */
LOSSI_INLINE int32_t older(const lossi_recursion *r, int32_t place)
{
    return place > 0 ? place - 1 : r->places - 1;
}

LOSSI_INLINE int32_t younger(const lossi_recursion *r, int32_t place)
{
    return place + 1 < r->places ? place + 1 : 0;
}

/*
 * The numbers of the next two turns are made beside the vectors they will be in: what has just been stored takes longer to come back
 * than a turn lasts. With few vectors, `fours` a constant, q stays in registers, and numbers are read from copies of it.
 */
LOSSI_INLINE int32_t recur_by_fours(const lossi_recursion *r, int fours, int copied)
{
    four q_s[MOST_FOURS], q_y[MOST_FOURS]; /* sᵀq, yᵀq */
    double copy[PAIRS_IN_REGISTERS], alpha[LOSSI_LARGEST_ROW], *weight = r->weight;
    const double *in_s = copied ? copy : (const double *)q_s, *in_y = copied ? copy : (const double *)q_y;
    double scale = r->scale, check = 0.0;
    int32_t count = r->count, last = r->oldest + count - 1;
    int32_t at = last < r->places ? last : last - r->places, then = older(r, at);
    double now = r->with_s[at], next = r->with_s[then];
    copy_row((double *)q_s, (const four *)r->with_s, fours);
    copy_row((double *)q_y, (const four *)r->with_y, fours);
    copy_row(copy, q_s, copied ? fours : 0);
    for (int32_t i = count - 1; i >= 0; i--) {
        const double *sy = r->sy + at * r->row, *yy = r->yy + at * r->row;
        const double step = now * sy[at];
        at = then;
        then = older(r, then);
        now = next - step * sy[at];
        next = in_s[then] - step * sy[then];
        add_row(q_s, -step, sy, fours);
        copy_row(copy, q_s, copied ? fours : 0);
        add_row(q_y, -step, yy, fours);
        alpha[i] = step;
    }
#pragma GCC unroll 6
    for (int k = 0; k < fours; k++) {
        q_y[k] = q_y[k] * (four){scale, scale, scale, scale};
    }
    copy_row(copy, q_y, copied ? fours : 0);
    at = r->oldest;
    then = younger(r, at);
    now = in_y[at];
    next = in_y[then];
    for (int32_t i = 0; i < count; i++) {
        const double *sy = r->sy + at * r->row;
        const double factor = alpha[i] - now * sy[at];
        weight[2 * i] = -factor;
        weight[2 * i + 1] = scale * alpha[i];
        check += 0.0 * factor + 0.0 * weight[2 * i + 1]; /* NaN when a number is not finite */
        at = then;
        then = younger(r, then);
        now = next + factor * sy[at];
        next = in_y[then] + factor * sy[then];
        add_row(q_y, factor, sy, fours);
        copy_row(copy, q_y, copied ? fours : 0);
    }
    return check + 0.0 * scale == 0.0;
}

/* Of a row, the places behind the last pair are left alone. */
static int32_t recur(const lossi_recursion *r)
{
    const int32_t end = r->oldest + r->count, used = end < r->places ? end : r->places;
    switch ((used + FOUR - 1) / FOUR) {
    case 1:
        return recur_by_fours(r, 1, 1);
    case 2:
        return recur_by_fours(r, 2, 1);
    case 3:
        return recur_by_fours(r, 3, 1);
    case 4:
        return recur_by_fours(r, 4, 1);
    case 5:
        return recur_by_fours(r, 5, 1);
    case PAIRS_IN_REGISTERS / FOUR:
        return recur_by_fours(r, PAIRS_IN_REGISTERS / FOUR, 1);
    default:
        return recur_by_fours(r, (used + FOUR - 1) / FOUR, 0);
    }
}

extern const lossi_memory_kernels LOSSI_NAME(memory_kernels);
const lossi_memory_kernels LOSSI_NAME(memory_kernels) = {products, learn, weigh, recur};
