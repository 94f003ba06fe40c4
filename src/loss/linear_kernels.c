/*
 * The two products of a linear model on vectors. Everything is float64 inside; float32 features are widened, exactly.
 *
 * Both products are blocked over registers: `forward` over a few rows and outputs, so that a loaded number is used
 * several times and the chains of fused multiply-adds hide their latency; `backward` over a few outputs and columns,
 * whose sums stay in registers for all rows of the tile. Blocking never changes a bit: every sum has its own order.
 */
#include "loss/linear_kernels.h"

#include <stddef.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/real.h"

/* A pair is two vectors of doubles: what one vector of float32 widens to. */
enum { PAIR = 2 * F64_LANES, PAIRS = LOSSI_LANES / PAIR, VECTORS = 2 * PAIRS };

/*
 * Register blocks. 16 lanes take VECTORS registers per sum: AVX-512 and NEON have 32 registers, AVX2 and SSE 16.
 * FORWARD_ROWS · FORWARD_OUTPUTS is at most F64_LANES, the number of sums that are folded together.
 */
#if defined(LOSSI_ISA_AVX512)
enum { FORWARD_ROWS = 4, FORWARD_OUTPUTS = 2, BACKWARD_OUTPUTS = 4, BACKWARD_PAIRS = 2 };
#elif defined(LOSSI_ISA_AVX2) || defined(LOSSI_ISA_NEON)
enum { FORWARD_ROWS = 2, FORWARD_OUTPUTS = 1, BACKWARD_OUTPUTS = 2, BACKWARD_PAIRS = 2 };
#else
enum { FORWARD_ROWS = 1, FORWARD_OUTPUTS = 1, BACKWARD_OUTPUTS = 1, BACKWARD_PAIRS = 2 };
#endif
enum { SINGLE_PAIRS = 4 }; /* columns at a time for a single output, in pairs: 8 sums in flight */

/* Without it GCC leaves small loops rolled at -O2, and their arrays in memory instead of registers. */
#define UNROLL _Pragma("GCC unroll 16")

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (f64i){__VA_ARGS__})
#endif

typedef struct pair {
    f64v low, high;
} pair;

LOSSI_INLINE pair load_pair(const real *x)
{
#if LOSSI_REAL == 64
    return (pair){f64_load(x), f64_load(x + F64_LANES)};
#else
    const f32v narrow = f32_load(x);
    return (pair){f32_to_f64_low(narrow), f32_to_f64_high(narrow)};
#endif
}

/* The first 0 < count < PAIR elements, and zeros. A product with such a zero changes no sum that started at +0. */
LOSSI_INLINE pair load_pair_part(const real *x, int count)
{
#if LOSSI_REAL == 64
    if (count < F64_LANES) {
        return (pair){f64_load_part(x, count), f64_set1(0)};
    }
    return (pair){f64_load(x), f64_load_part(x + F64_LANES, count - F64_LANES)};
#else
    const f32v narrow = f32_load_part(x, count);
    return (pair){f32_to_f64_low(narrow), f32_to_f64_high(narrow)};
#endif
}

/* ---- forward ---- */

/* Pair p of all sums of a block takes one product more. */
LOSSI_INLINE void multiply_add(int rows, int outputs, int p, const pair *x, const double *w, int64_t stride,
                               f64v sums[FORWARD_ROWS][FORWARD_OUTPUTS][VECTORS])
{
    UNROLL
    for (int o = 0; o < outputs; o++) {
        const f64v low = f64_load(w + o * stride), high = f64_load(w + o * stride + F64_LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            sums[r][o][2 * p] = f64_fma(x[r].low, low, sums[r][o][2 * p]);
            sums[r][o][2 * p + 1] = f64_fma(x[r].high, high, sums[r][o][2 * p + 1]);
        }
    }
}

/* The 16 lanes of a sum to those of one vector, by halving. */
LOSSI_INLINE f64v fold(f64v sum[VECTORS])
{
    UNROLL
    for (int half = PAIRS; half > 0; half /= 2) {
        UNROLL
        for (int v = 0; v < half; v++) {
            sum[v] = sum[v] + sum[v + half];
        }
    }
    return sum[0];
}

/* Lane i of the result is the sum of the lanes of s[i], by halving: all of them at once. */
LOSSI_INLINE f64v add_lanes(const f64v s[F64_LANES])
{
#if F64_LANES == 8
    f64v four[4], two[2];
    UNROLL
    for (int i = 0; i < 4; i++) {
        four[i] = SHUFFLE(s[2 * i], s[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11) +
                  SHUFFLE(s[2 * i], s[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    UNROLL
    for (int i = 0; i < 2; i++) {
        two[i] = SHUFFLE(four[2 * i], four[2 * i + 1], 0, 1, 4, 5, 8, 9, 12, 13) +
                 SHUFFLE(four[2 * i], four[2 * i + 1], 2, 3, 6, 7, 10, 11, 14, 15);
    }
    return SHUFFLE(two[0], two[1], 0, 2, 4, 6, 8, 10, 12, 14) +
           SHUFFLE(two[0], two[1], 1, 3, 5, 7, 9, 11, 13, 15);
#elif F64_LANES == 4
    const f64v a = SHUFFLE(s[0], s[1], 0, 1, 4, 5) + SHUFFLE(s[0], s[1], 2, 3, 6, 7);
    const f64v b = SHUFFLE(s[2], s[3], 0, 1, 4, 5) + SHUFFLE(s[2], s[3], 2, 3, 6, 7);
    return SHUFFLE(a, b, 0, 2, 4, 6) + SHUFFLE(a, b, 1, 3, 5, 7);
#else
    return SHUFFLE(s[0], s[1], 0, 2) + SHUFFLE(s[0], s[1], 1, 3);
#endif
}

/* Where sums go: rounded, or as they are. */
typedef struct sink {
    real *z;
    double *wide; /* NULL: z */
} sink;

LOSSI_INLINE void put(const sink *to, int64_t i, double sum)
{
    if (to->wide != NULL) {
        to->wide[i] = sum;
    } else {
        to->z[i] = (real)sum;
    }
}

/* The dot products of a block of rows and outputs; b is that of its first output, which goes to place `at`. */
LOSSI_INLINE void dots(int rows, int outputs, const lossi_linear_shape *shape, const real *const *x,
                       const double *w, const double *b, const sink *to, int64_t at)
{
    f64v sums[FORWARD_ROWS][FORWARD_OUTPUTS][VECTORS] = {{{{0}}}}, folded[F64_LANES] = {{0}};
    double result[F64_LANES];
    pair xs[FORWARD_ROWS];
    int64_t j = 0;

    for (; j + LOSSI_LANES <= shape->features; j += LOSSI_LANES) {
        UNROLL
        for (int p = 0; p < PAIRS; p++) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                xs[r] = load_pair(x[r] + j + p * PAIR);
            }
            multiply_add(rows, outputs, p, xs, w + j + p * PAIR, shape->stride, sums);
        }
    }
    const int rest = (int)(shape->features - j);
    UNROLL
    for (int p = 0; p < PAIRS; p++) {
        if (rest > p * PAIR) {
            const int count = rest - p * PAIR;
            UNROLL
            for (int r = 0; r < rows; r++) {
                const real *from = x[r] + j + p * PAIR;
                xs[r] = count < PAIR ? load_pair_part(from, count) : load_pair(from);
            }
            multiply_add(rows, outputs, p, xs, w + j + p * PAIR, shape->stride, sums);
        }
    }
    UNROLL
    for (int i = 0; i < rows * outputs; i++) {
        folded[i] = fold(sums[i / outputs][i % outputs]);
    }
    f64_store(result, add_lanes(folded));
    for (int i = 0; i < rows * outputs; i++) {
        const double dot = result[i];
        put(to, at + i / outputs * shape->outputs + i % outputs, b != NULL ? dot + b[i % outputs] : dot);
    }
}

/* A few rows, all outputs. */
LOSSI_INLINE void forward_rows(int rows, const lossi_linear_shape *shape, const real *const *x,
                               const double *w, const sink *to, int64_t at)
{
    const double *b = shape->intercept ? w + shape->outputs * shape->stride : NULL;
    int64_t k = 0;
    for (; k + FORWARD_OUTPUTS <= shape->outputs; k += FORWARD_OUTPUTS) {
        dots(rows, FORWARD_OUTPUTS, shape, x, w + k * shape->stride, b != NULL ? b + k : NULL, to, at + k);
    }
    for (; k < shape->outputs; k++) {
        dots(rows, 1, shape, x, w + k * shape->stride, b != NULL ? b + k : NULL, to, at + k);
    }
}

/* Not inline: one for both ways, which differ once a sum. */
static __attribute__((noinline)) void forward_to(const lossi_linear_shape *shape, int64_t rows,
                                                 const real *const *x, const double *w, const sink *to)
{
    int64_t i = 0;
    for (; i + FORWARD_ROWS <= rows; i += FORWARD_ROWS) {
        forward_rows(FORWARD_ROWS, shape, x + i, w, to, i * shape->outputs);
    }
    for (; i < rows; i++) {
        forward_rows(1, shape, x + i, w, to, i * shape->outputs);
    }
}

static void forward(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                    void *z)
{
    const sink to = {z, NULL};
    forward_to(shape, rows, (const real *const *)x, w, &to);
}

static void forward_wide(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                         double *z)
{
    const sink to = {NULL, z};
    forward_to(shape, rows, (const real *const *)x, w, &to);
}

/* ---- backward ---- */

typedef struct panel {
    int64_t rows, outputs, stride;
    const real *const *x;
    const double *r;
    double *g;
} panel;

/* Columns j … of a few outputs; the last pair has only `part` columns when part is not 0. */
LOSSI_INLINE void accumulate(int outputs, int pairs, int part, const panel *a, int64_t k, int64_t j)
{
    f64v sums[BACKWARD_OUTPUTS][2 * SINGLE_PAIRS];
    double *g = a->g + k * a->stride + j;

    UNROLL
    for (int o = 0; o < outputs; o++) {
        UNROLL
        for (int v = 0; v < 2 * pairs; v++) {
            sums[o][v] = f64_load(g + o * a->stride + v * F64_LANES);
        }
    }
    for (int64_t i = 0; i < a->rows; i++) {
        const real *x = a->x[i] + j;
        const double *r = a->r + i * a->outputs + k;
        UNROLL
        for (int p = 0; p < pairs; p++) {
            const pair columns = part != 0 ? load_pair_part(x, part) : load_pair(x + p * PAIR);
            UNROLL
            for (int o = 0; o < outputs; o++) {
                const f64v factor = f64_set1(r[o]);
                sums[o][2 * p] = f64_fma(factor, columns.low, sums[o][2 * p]);
                sums[o][2 * p + 1] = f64_fma(factor, columns.high, sums[o][2 * p + 1]);
            }
        }
    }
    UNROLL
    for (int o = 0; o < outputs; o++) {
        UNROLL
        for (int v = 0; v < 2 * pairs; v++) {
            f64_store(g + o * a->stride + v * F64_LANES, sums[o][v]);
        }
    }
}

/* Columns j … of all outputs: the panel of x stays in the first-level cache for all of them. */
LOSSI_INLINE void accumulate_outputs(int pairs, int part, const panel *a, int64_t j)
{
    int64_t k = 0;
    for (; k + BACKWARD_OUTPUTS <= a->outputs; k += BACKWARD_OUTPUTS) {
        accumulate(BACKWARD_OUTPUTS, pairs, part, a, k, j);
    }
    for (; k < a->outputs; k++) {
        accumulate(1, pairs, part, a, k, j);
    }
}

static void backward(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *r,
                     double *g)
{
    const panel a = {rows, shape->outputs, shape->stride, (const real *const *)x, r, g};
    int64_t j = 0;

    for (; shape->outputs == 1 && j + SINGLE_PAIRS * PAIR <= shape->features; j += SINGLE_PAIRS * PAIR) {
        accumulate(1, SINGLE_PAIRS, 0, &a, 0, j);
    }
    for (; j + BACKWARD_PAIRS * PAIR <= shape->features; j += BACKWARD_PAIRS * PAIR) {
        accumulate_outputs(BACKWARD_PAIRS, 0, &a, j);
    }
    for (; j + PAIR <= shape->features; j += PAIR) {
        accumulate_outputs(1, 0, &a, j);
    }
    if (j < shape->features) {
        accumulate_outputs(1, (int)(shape->features - j), &a, j);
    }
    double *intercept = g + shape->outputs * shape->stride;
    for (int64_t i = 0; shape->intercept && i < rows; i++) {
        for (int64_t k = 0; k < shape->outputs; k++) {
            intercept[k] += r[i * shape->outputs + k];
        }
    }
}

/* ---- the rest ---- */

static const double *widen(int64_t count, const void *from, double *to)
{
#if LOSSI_REAL == 64
    (void)count;
    (void)to;
    return from;
#else
    const float *x = from;
    int64_t i = 0;
    for (; i + PAIR <= count; i += PAIR) {
        const pair two = load_pair(x + i);
        f64_store(to + i, two.low);
        f64_store(to + i + F64_LANES, two.high);
    }
    for (; i < count; i++) {
        to[i] = (double)x[i];
    }
    return to;
#endif
}

static void add(int64_t count, const double *x, double *y)
{
    int64_t i = 0;
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(y + i, f64_load(y + i) + f64_load(x + i));
    }
    for (; i < count; i++) {
        y[i] += x[i];
    }
}

extern const lossi_linear_kernels LOSSI_NAME(linear_kernels);
const lossi_linear_kernels LOSSI_NAME(linear_kernels) = {forward, forward_wide, backward, widen, add};

#ifdef LOSSI_ONCE

extern const lossi_linear_kernels LOSSI_ISA_DECLARE(linear_kernels);
static const lossi_linear_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    linear_kernels);

const lossi_linear_kernels *lossi_linear_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
