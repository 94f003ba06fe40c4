/*
 * The passes of vector_kernels.h, once per instruction set and element type.
 *
 * A pass works on chunks of 16 elements, one per logical lane of core/sum.h, held as doubles. Each pass is a
 * function of one chunk; sweep() runs it over blocks and adds the lanes up. The end of a vector is a chunk
 * with zeros, which change neither a sum (a lane is never −0) nor a maximum.
 */
#include "optimizer/vector_kernels.h"

#include "optimizer/chunk.h"

/* The running results of a block. */
typedef struct totals {
    chunk sum[LOSSI_PASS_SUMS];
    peak maximum[LOSSI_PASS_MAXIMA];
} totals;

typedef void (*chunk_step)(const lossi_pass *pass, int64_t i, int n, totals *t);

/* step is a constant, so the compiler makes a loop of its own for every pass. */
LOSSI_INLINE lossi_pass_result sweep(chunk_step step, int sums, int maxima, const lossi_pass *pass,
                                     int64_t begin, int64_t end)
{
    lossi_pass_result result = {{0.0}, {0.0}};
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
            result.sum[k] += lanes_added(&t.sum[k]);
        }
        for (int k = 0; k < maxima; k++) {
            result.maximum[k] = largest(&t.maximum[k], result.maximum[k]);
        }
    }
    return result;
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

LOSSI_INLINE void measure_step(const lossi_pass *pass, int64_t i, int n, totals *t)
{
    chunk a = load(pass->in[0], i, n);
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

static lossi_pass_result dot(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(dot_step, 1, 0, pass, begin, end);
}

static lossi_pass_result norm(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(norm_step, 0, 1, pass, begin, end);
}

static lossi_pass_result move(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(move_step, 0, 0, pass, begin, end);
}

static lossi_pass_result take(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(take_step, 1, 1, pass, begin, end);
}

static lossi_pass_result measure(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(measure_step, 1, 1, pass, begin, end);
}

static lossi_pass_result combine(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(combine_step, 2, 0, pass, begin, end);
}

static lossi_pass_result recur(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(recur_step, 1, 0, pass, begin, end);
}

static lossi_pass_result pair(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(pair_step, 3, 0, pass, begin, end);
}

static lossi_pass_result change(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(change_step, 2, 0, pass, begin, end);
}

static lossi_pass_result turn(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(turn_step, 3, 0, pass, begin, end);
}

static lossi_pass_result distance(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(distance_step, 0, 2, pass, begin, end);
}

static lossi_pass_result conjugate(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(conjugate_step, 3, 0, pass, begin, end);
}

static lossi_pass_result clamped(const lossi_pass *pass, int64_t begin, int64_t end)
{
    return sweep(clamped_step, 1, 1, pass, begin, end);
}

extern const lossi_vector_kernels LOSSI_NAME(vector_kernels);
const lossi_vector_kernels LOSSI_NAME(vector_kernels) = {
    dot, norm, move, take, measure, combine, recur, pair, change, turn, distance, conjugate, clamped,
};
