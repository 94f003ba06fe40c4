/*
 * The passes of vector_kernels.h, once per instruction set and element type.
 *
 * A pass works on chunks of 16 elements, one per logical lane of core/sum.h, held as doubles. Each pass is a
 * function of one chunk; sweep() runs it over blocks and adds the lanes up. The end of a vector is a chunk
 * with zeros, which change neither a sum (a lane is never −0) nor a maximum.
 */
#include "optimizer/vector_kernels.h"

#include "core/sum.h"
#include "simd/real.h"

enum { WIDE = LOSSI_LANES / F64_LANES };

typedef struct chunk {
    f64v part[WIDE];
} chunk;

/* The running results of a block. */
typedef struct totals {
    chunk sum[LOSSI_PASS_SUMS];
    chunk maximum[LOSSI_PASS_MAXIMA];
} totals;

typedef void (*chunk_step)(const lossi_pass *pass, int64_t i, int n, totals *t);

/* ---- chunks ---- */

LOSSI_INLINE vreal load_some(const real *p, int n)
{
    return n >= VREAL_LANES ? v_load(p) : n > 0 ? v_load_part(p, n) : v_set1(0);
}

LOSSI_INLINE void store_some(real *p, vreal v, int n)
{
    if (n >= VREAL_LANES) {
        v_store(p, v);
    } else if (n > 0) {
        v_store_part(p, v, n);
    }
}

/* n is 16, a constant after inlining, everywhere but at the end of the vector. */
LOSSI_INLINE chunk load(const void *vector, int64_t i, int n)
{
    const real *p = (const real *)vector + i;
    chunk c;
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_LANES / VREAL_LANES; k++) {
        vreal v = load_some(p + k * VREAL_LANES, n - k * VREAL_LANES);
#if LOSSI_REAL == 32
        c.part[2 * k] = f32_to_f64_low(v);
        c.part[2 * k + 1] = f32_to_f64_high(v);
#else
        c.part[k] = v;
#endif
    }
    return c;
}

LOSSI_INLINE void store(void *vector, int64_t i, int n, chunk c)
{
    real *p = (real *)vector + i;
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_LANES / VREAL_LANES; k++) {
#if LOSSI_REAL == 32
        vreal v = f64_to_f32(c.part[2 * k], c.part[2 * k + 1]);
#else
        vreal v = c.part[k];
#endif
        store_some(p + k * VREAL_LANES, v, n - k * VREAL_LANES);
    }
}

/* What a later reader of the stored vector will see. */
LOSSI_INLINE chunk rounded(chunk c)
{
#if LOSSI_REAL == 32
#pragma GCC unroll 8
    for (int k = 0; k < WIDE / 2; k++) {
        f32v v = f64_to_f32(c.part[2 * k], c.part[2 * k + 1]);
        c.part[2 * k] = f32_to_f64_low(v);
        c.part[2 * k + 1] = f32_to_f64_high(v);
    }
#endif
    return c;
}

/* s·a + b, rounded once. */
LOSSI_INLINE chunk fused(double s, chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        b.part[k] = f64_fma(f64_set1(s), a.part[k], b.part[k]);
    }
    return b;
}

LOSSI_INLINE chunk scaled(double s, chunk a)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        a.part[k] = f64_set1(s) * a.part[k];
    }
    return a;
}

LOSSI_INLINE chunk minus(chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        a.part[k] = a.part[k] - b.part[k];
    }
    return a;
}

LOSSI_INLINE void add_product(chunk *sum, chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        sum->part[k] = f64_fma(a.part[k], b.part[k], sum->part[k]);
    }
}

/* max gives its second operand on NaN: a NaN comes in by it and is held by the select. */
LOSSI_INLINE void add_maximum(chunk *maximum, chunk a)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        f64v old = maximum->part[k];
        maximum->part[k] = f64_select(f64_is_nan(old), old, f64_max(old, f64_abs(a.part[k])));
    }
}

/* Of all lanes and so_far; a NaN stays. */
LOSSI_INLINE double largest(const chunk *c, double so_far)
{
    f64v most = c->part[0];
    double lanes[F64_LANES];
#pragma GCC unroll 8
    for (int k = 1; k < WIDE; k++) { /* max gives its second operand on NaN, see above */
        f64v other = c->part[k];
        most = f64_select(f64_is_nan(most), most, f64_max(most, other));
    }
    f64_store(lanes, most);
    for (int i = 0; i < F64_LANES; i++) {
        if (!(lanes[i] <= so_far)) {
            so_far = so_far != so_far ? so_far : lanes[i];
        }
    }
    return so_far;
}

/* lossi_sum_lanes(), by whole vectors as long as there are two: for short vectors this is most of a pass. */
LOSSI_INLINE double lanes_added(const chunk *c)
{
    chunk sum = *c;
    double lanes[F64_LANES];
#pragma GCC unroll 8
    for (int half = WIDE / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int k = 0; k < half; k++) {
            sum.part[k] = sum.part[k] + sum.part[k + half];
        }
    }
    f64_store(lanes, sum.part[0]);
#pragma GCC unroll 8
    for (int half = F64_LANES / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int k = 0; k < half; k++) {
            lanes[k] = lanes[k] + lanes[k + half];
        }
    }
    return lanes[0];
}

/* step is a constant, so the compiler makes a loop of its own for every pass. */
LOSSI_INLINE void sweep(chunk_step step, int sums, int maxima, const lossi_pass *pass, int64_t begin,
                        int64_t end, lossi_pass_result *result)
{
    for (int k = 0; k < LOSSI_PASS_SUMS; k++) {
        result->sum[k] = 0.0;
    }
    for (int k = 0; k < LOSSI_PASS_MAXIMA; k++) {
        result->maximum[k] = 0.0;
    }
    for (int64_t i = begin; i < end;) {
        int64_t stop = end - i < LOSSI_BLOCK ? end : i + LOSSI_BLOCK;
        totals t = {0};
        for (; i + LOSSI_LANES <= stop; i += LOSSI_LANES) {
            step(pass, i, LOSSI_LANES, &t);
        }
        if (i < stop) {
            step(pass, i, (int)(stop - i), &t);
            i = stop;
        }
        for (int k = 0; k < sums; k++) {
            result->sum[k] += lanes_added(&t.sum[k]);
        }
        for (int k = 0; k < maxima; k++) {
            result->maximum[k] = largest(&t.maximum[k], result->maximum[k]);
        }
    }
}

/* ---- the passes ---- */

LOSSI_INLINE void dot_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    add_product(&t->sum[0], load(pass->in[0], i, n), load(pass->in[1], i, n));
}

LOSSI_INLINE void norm_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    add_maximum(&t->maximum[0], load(pass->in[0], i, n));
}

LOSSI_INLINE void move_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    (void)t;
    store(pass->out[0], i, n, fused(pass->scalar[0], load(pass->in[1], i, n), load(pass->in[0], i, n)));
}

LOSSI_INLINE void take_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n);
    store(pass->out[0], i, n, a);
    add_product(&t->sum[0], a, load(pass->in[1], i, n));
    add_maximum(&t->maximum[0], a);
}

LOSSI_INLINE void combine_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n);
    chunk u = rounded(fused(pass->scalar[1], load(pass->in[1], i, n), scaled(pass->scalar[0], a)));
    store(pass->out[0], i, n, u);
    add_product(&t->sum[0], u, a);
    add_product(&t->sum[1], u, u);
}

LOSSI_INLINE void recur_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk u = fused(pass->scalar[0], load(pass->in[1], i, n), load(pass->in[0], i, n));
    u = rounded(scaled(pass->scalar[1], u));
    store(pass->out[0], i, n, u);
    add_product(&t->sum[0], u, load(pass->in[2], i, n));
}

LOSSI_INLINE void pair_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk u = rounded(minus(load(pass->in[0], i, n), load(pass->in[1], i, n)));
    chunk v = rounded(minus(load(pass->in[2], i, n), load(pass->in[3], i, n)));
    store(pass->out[0], i, n, u);
    store(pass->out[1], i, n, v);
    add_product(&t->sum[0], u, v);
    add_product(&t->sum[1], v, v);
    add_product(&t->sum[2], u, u);
}

LOSSI_INLINE void change_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n);
    chunk u = minus(a, load(pass->in[1], i, n));
    add_product(&t->sum[0], u, a);
    add_product(&t->sum[1], u, u);
}

LOSSI_INLINE void turn_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n), c = load(pass->in[2], i, n);
    chunk u = minus(a, load(pass->in[1], i, n));
    add_product(&t->sum[0], u, c);
    add_product(&t->sum[1], u, minus(c, load(pass->in[3], i, n)));
    add_product(&t->sum[2], a, c);
}

LOSSI_INLINE void distance_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n);
    add_maximum(&t->maximum[0], minus(a, load(pass->in[1], i, n)));
    add_maximum(&t->maximum[1], a);
}

LOSSI_INLINE void conjugate_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    double s = pass->scalar[0];
    chunk u = rounded(fused(s, load(pass->in[0], i, n), load(pass->out[0], i, n)));
    chunk v = rounded(fused(-s, load(pass->in[1], i, n), load(pass->out[1], i, n)));
    store(pass->out[0], i, n, u);
    store(pass->out[1], i, n, v);
    add_product(&t->sum[0], v, v);
    add_product(&t->sum[1], u, v);
    add_product(&t->sum[2], u, load(pass->in[2], i, n));
}

LOSSI_INLINE void clamped_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n), u;
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        u.part[k] = f64_set1(pass->scalar[1]) * f64_min(f64_abs(a.part[k]), f64_set1(pass->scalar[0]));
    }
    add_product(&t->sum[0], u, u);
    add_maximum(&t->maximum[0], a);
}

static void dot(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(dot_step, 1, 0, pass, begin, end, result);
}

static void norm(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(norm_step, 0, 1, pass, begin, end, result);
}

static void move(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(move_step, 0, 0, pass, begin, end, result);
}

static void take(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(take_step, 1, 1, pass, begin, end, result);
}

static void combine(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(combine_step, 2, 0, pass, begin, end, result);
}

static void recur(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(recur_step, 1, 0, pass, begin, end, result);
}

static void pair(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(pair_step, 3, 0, pass, begin, end, result);
}

static void change(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(change_step, 2, 0, pass, begin, end, result);
}

static void turn(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(turn_step, 3, 0, pass, begin, end, result);
}

static void distance(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(distance_step, 0, 2, pass, begin, end, result);
}

static void conjugate(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(conjugate_step, 3, 0, pass, begin, end, result);
}

static void clamped(const lossi_pass *pass, int64_t begin, int64_t end, lossi_pass_result *result)
{
    sweep(clamped_step, 1, 1, pass, begin, end, result);
}

/* ---- passes over many vectors ---- */

/* Products of `count` vectors, 1 or 2, with a: two keep the registers of every instruction set busy and no more. */
LOSSI_INLINE void multiply_some(const lossi_many *many, int first, int count, int64_t begin, int64_t end,
                                double *sums)
{
    chunk sum[2] = {0};
    int64_t i = begin;
    for (; i + LOSSI_LANES <= end; i += LOSSI_LANES) {
        chunk a = load(many->a, i, LOSSI_LANES);
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(many->vector[first + k], i, LOSSI_LANES), a);
        }
    }
    if (i < end) {
        chunk a = load(many->a, i, (int)(end - i));
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) {
            add_product(&sum[k], load(many->vector[first + k], i, (int)(end - i)), a);
        }
    }
#pragma GCC unroll 2
    for (int k = 0; k < count; k++) {
        sums[first + k] += lanes_added(&sum[k]);
    }
}

/* The block of a stays in the first-level cache while the vectors go by. */
static void products(const lossi_many *many, int64_t begin, int64_t end, double *sums)
{
    for (int k = 0; k < many->count; k++) {
        sums[k] = 0.0;
    }
    for (int64_t i = begin; i < end; i += LOSSI_BLOCK) {
        int64_t stop = end - i < LOSSI_BLOCK ? end : i + LOSSI_BLOCK;
        int k = 0;
        for (; k + 2 <= many->count; k += 2) {
            multiply_some(many, k, 2, i, stop, sums);
        }
        if (k < many->count) {
            multiply_some(many, k, 1, i, stop, sums);
        }
    }
}

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
        store(many->out, i, n, u);
        add_product(sum, u, load(many->b, i, n));
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
        int64_t stop = end - block < LOSSI_BLOCK ? end : block + LOSSI_BLOCK;
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

extern const lossi_vector_kernels LOSSI_NAME(vector_kernels);
const lossi_vector_kernels LOSSI_NAME(vector_kernels) = {
    dot, norm, move, take, combine, recur, pair, change, turn, distance, conjugate, clamped, products, weigh,
};
