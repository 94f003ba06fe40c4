/*
 * The two products of a linear model on vectors. Everything is float64 inside; float32 features are widened, exactly.
 *
 * Both products are blocked over registers, so that a loaded number is used several times and the chains of fused multiply-adds
 * hide their latency: `forward` over a few rows and outputs, two vectors of their lanes at a time; `backward` over a few
 * outputs and columns, whose sums stay in registers for all rows of the tile, or for one output over a few rows.
 * Blocking never changes a bit: every sum has its own order. How the blocks are chosen is the way of Goto & van de Geijn,
 * Anatomy of high-performance matrix multiplication, ACM TOMS 34 (2008) 12.
 */
#include "loss/linear_kernels.h"

#include <stddef.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/real.h"
#include "simd/reduce.h"
#include "simd/widen.h"

/* A sum has 16 lanes: VECTORS vectors. */
enum { VECTORS = LOSSI_LANES / F64_LANES };

/*
 * Register blocks. A forward block of rows × outputs has one vector of each of its sums, or MOST_AT_ONCE where that fits; a backward
 * block of outputs × vectors of columns as well: at least 8 chains hide the latency of a multiply-add on two pipes (4 cycles each on
 * Zen 3 and Skylake), and 16 registers hold 12 beside what is multiplied; the 32 of AVX-512 and NEON hold SUMS_AT_ONCE. On AVX2 two
 * rows and five outputs, not four and three: rows come from the second-level cache for every few outputs anew. With 32 registers, short
 * rows are taken few at a time: what comes after the products is then the most of it. SUMS is a whole number of vectors. Backward,
 * BACK_MANY outputs share each widened number, as widening takes the pipes of multiply-adds.
 */
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_NEON)
enum { ROWS = 4, OUTPUTS = 5, ROWS_OF_SHORT = 2, ROWS_OF_THREE = 2, ROWS_OF_TWO = 4, ROWS_OF_ONE = 8 };
enum { SUMS = 24, SUMS_AT_ONCE = 20, MOST_AT_ONCE = 2 };
enum { BACK_OUTPUTS = 5, BACK_VECTORS = 4, BACK_ROWS = 8, BACK_MANY = 10, MANY_VECTORS = 2 };
#elif defined(LOSSI_ISA_AVX2)
enum { ROWS = 2, OUTPUTS = 5, ROWS_OF_SHORT = 2, ROWS_OF_THREE = 4, ROWS_OF_TWO = 4, ROWS_OF_ONE = 8 };
enum { SUMS = 12, SUMS_AT_ONCE = 12, MOST_AT_ONCE = 1 };
enum {
    BACK_OUTPUTS = 5,
    BACK_VECTORS = 2,
    BACK_ROWS = 8,
    BACK_MANY = BACK_OUTPUTS,
    MANY_VECTORS = BACK_VECTORS
};
#else /* a multiply-add is a call */
enum { ROWS = 1, OUTPUTS = 1, ROWS_OF_SHORT = 1, ROWS_OF_ONE = 1 };
enum { SUMS = 2, SUMS_AT_ONCE = 1, MOST_AT_ONCE = 1 };
enum {
    BACK_OUTPUTS = 1,
    BACK_VECTORS = 1,
    BACK_ROWS = 1,
    BACK_MANY = BACK_OUTPUTS,
    MANY_VECTORS = BACK_VECTORS
};
#endif
enum { SHORT = 16 * LOSSI_LANES }; /* features */
enum { PAIR_VECTORS = 4 };         /* of columns, for two outputs */

/*
 * Features are taken in chunks, so that the parameters of OUTPUTS outputs stay in a first-level cache of 32 to 48 KiB beside ROWS rows
 * of them, which as float64 take twice as much; the lanes of GROUP_ROWS rows and GROUP_OUTPUTS outputs wait in memory between chunks.
 */
enum { GROUP_ROWS = 16, GROUP_OUTPUTS = 10, CHUNK_LEAST = 8 * LOSSI_LANES };
#if defined(LOSSI_ISA_AVX2)
enum { CHUNK_NUMBERS = LOSSI_REAL == 64 ? 1408 : 2048 };
#else
enum { CHUNK_NUMBERS = LOSSI_REAL == 64 ? 2816 : 4096 };
#endif

/* Without it GCC leaves small loops rolled at -O2, and their arrays in memory instead of registers: as many turns as SUMS. */
#define UNROLL _Pragma("GCC unroll 24")

/* GCC would load a number again for each multiplication that can have it from memory, and loads are what there are too many of. */
#if defined(LOSSI_ISA_AVX2)
#define LOADED_ONCE(v) __asm__("" : "+x"(v))
#else
#define LOADED_ONCE(v) (void)(v)
#endif

/* The first 0 <= count <= F64_LANES elements, and zeros. */
LOSSI_INLINE f64v load_part(const real *x, int count)
{
#if LOSSI_REAL == 64
    return f64_load_part(x, count);
#else
    return f32_to_f64_low(f32_load_part(x, count));
#endif
}

#include "loss/linear_backward.h"

/* ---- forward ---- */

/* Where sums go: rounded, or as they are. */
typedef struct sink {
    real *z;
    double *wide; /* NULL: z */
} sink;

/* What a forward block works on: features `first` … `end` − 1 of some rows and outputs. */
typedef struct chunk {
    const lossi_linear_shape *shape;
    const real *const *x;
    const double *w, *b; /* of its first output; b NULL: no intercept */
    int64_t first, end;
    double *lanes; /* between chunks: 16 of each row and output, rows GROUP_OUTPUTS of them apart */
    const sink *to;
    int64_t at; /* where the first sum goes */
    lossi_upcoming *ahead;
} chunk;

/* Where the lanes of a block's sum wait. */
LOSSI_INLINE int waiting(int outputs, int sum)
{
    return (sum / outputs * GROUP_OUTPUTS + sum % outputs) * LOSSI_LANES;
}

enum { WHOLE = -1 };

/* A vector of the features of a row, or `part` of it. */
LOSSI_INLINE f64v load_features(const chunk *c, int row, int64_t j, int part)
{
    return part == WHOLE ? v_load_wide(c->x[row] + j) : load_part(c->x[row] + j, part);
}

/*
 * Each of a block's sums takes a vector of products more; part: how many numbers of it there are, WHOLE for all. Registers hold the
 * rows or the outputs, whichever are fewer.
 */
LOSSI_INLINE void multiply_add(int rows, int outputs, int part, const chunk *c, int64_t j, f64v sums[SUMS])
{
    f64v x[ROWS], w[OUTPUTS];
    UNROLL
    for (int r = 0; rows < outputs && r < rows; r++) {
        x[r] = load_features(c, r, j, part);
    }
    UNROLL
    for (int o = 0; rows < outputs && o < outputs; o++) {
        w[0] = f64_load(c->w + o * c->shape->stride + j);
        LOADED_ONCE(w[0]);
        UNROLL
        for (int r = 0; r < rows; r++) {
            sums[r * outputs + o] = f64_fma(x[r], w[0], sums[r * outputs + o]);
        }
    }
    if (rows < outputs) {
        return;
    }
    UNROLL
    for (int o = 0; o < outputs; o++) {
        w[o] = f64_load(c->w + o * c->shape->stride + j);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        x[0] = load_features(c, r, j, part);
        if (outputs > 1) {
            LOADED_ONCE(x[0]);
        }
        UNROLL
        for (int o = 0; o < outputs; o++) {
            sums[r * outputs + o] = f64_fma(x[0], w[o], sums[r * outputs + o]);
        }
    }
}

/* A block's sums as whole vectors. */
LOSSI_INLINE int padded(int sums)
{
    return (sums + F64_LANES - 1) / F64_LANES * F64_LANES;
}

/* Sums are finished: lanes to one number, the intercept, and away with them. */
LOSSI_INLINE void finish(int rows, int outputs, const chunk *c, f64v sums[VECTORS][SUMS])
{
    double result[SUMS];
    const double *b = c->b;
    const sink to = *c->to;
    UNROLL
    for (int half = VECTORS / 2; half > 0; half /= 2) {
        UNROLL
        for (int v = 0; v < half; v++) {
            UNROLL
            for (int i = 0; i < rows * outputs; i++) {
                sums[v][i] = sums[v][i] + sums[v + half][i];
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows * outputs; i += F64_LANES) {
        f64_store(result + i, f64_sum_each(sums[0] + i));
    }
    UNROLL
    for (int i = 0; i < rows * outputs; i++) {
        const int64_t place = c->at + i / outputs * c->shape->outputs + i % outputs;
        const double sum = b != NULL ? result[i] + b[i % outputs] : result[i];
        if (to.wide != NULL) {
            to.wide[place] = sum;
        } else {
            to.z[place] = (real)sum;
        }
    }
}

/* How many vectors of each of a block's sums registers hold at once. */
LOSSI_INLINE int at_once(int sums)
{
    return MOST_AT_ONCE * sums <= SUMS_AT_ONCE ? MOST_AT_ONCE : 1;
}

/* One pass: vectors of every sum of a block, from v on, from where they waited, if they did, or from +0. */
LOSSI_INLINE void pass(int rows, int outputs, int v, const chunk *c, int64_t whole,
                       f64v sums[MOST_AT_ONCE][SUMS])
{
    UNROLL
    for (int u = 0; u < at_once(rows * outputs); u++) {
        UNROLL
        for (int i = 0; i < rows * outputs; i++) {
            sums[u][i] = c->first == 0 ? f64_set1(0)
                                       : f64_load(c->lanes + waiting(outputs, i) + (v + u) * F64_LANES);
        }
    }
    const char *ahead = c->ahead->at;
    for (int64_t j = c->first + v * F64_LANES; j < whole; j += LOSSI_LANES) {
        UNROLL
        for (int u = 0; u < at_once(rows * outputs); u++) {
            multiply_add(rows, outputs, WHOLE, c, j + u * F64_LANES, sums[u]);
        }
        ahead = outputs > 1 ? lossi_upcoming_ask(c->ahead, ahead) : lossi_upcoming_ask_lines(c->ahead, ahead);
    }
    c->ahead->at = ahead;
    /* all lanes, on every instruction set: + 0 makes −0 to +0 */
    for (int u = 0; whole < c->end && u < at_once(rows * outputs); u++) {
        const int count = (int)(c->end - whole) - (v + u) * F64_LANES;
        multiply_add(rows, outputs,
                     count < 0           ? 0
                     : count < F64_LANES ? count
                                         : F64_LANES,
                     c, whole + (v + u) * F64_LANES, sums[u]);
    }
}

/* Vector v of every sum of a block after a chunk: to where it waits, or after the last chunk among `all`. */
LOSSI_INLINE void keep(int rows, int outputs, int v, int last, const chunk *c, const f64v sums[SUMS],
                       f64v all[SUMS])
{
    if (last) {
        UNROLL
        for (int i = 0; i < padded(rows * outputs); i++) {
            all[i] = i < rows * outputs ? sums[i] : f64_set1(0);
        }
        return;
    }
    UNROLL
    for (int i = 0; i < rows * outputs; i++) {
        f64_store(c->lanes + waiting(outputs, i) + v * F64_LANES, sums[i]);
    }
}

/* The dot products of a block of rows and outputs over a chunk. */
LOSSI_INLINE void dots(int rows, int outputs, const chunk *c)
{
    const int64_t whole = c->first + (c->end - c->first) / LOSSI_LANES * LOSSI_LANES;
    const int last = c->end == c->shape->features;
    f64v all[VECTORS][SUMS];
    for (int v = 0; v < VECTORS; v += at_once(rows * outputs)) {
        f64v sums[MOST_AT_ONCE][SUMS];
        pass(rows, outputs, v, c, whole, sums);
        UNROLL
        for (int u = 0; u < at_once(rows * outputs); u++) {
            keep(rows, outputs, v + u, last, c, sums[u], all[v + u]);
        }
    }
    if (last) {
        finish(rows, outputs, c, all);
    }
}

/* All rows of a group, some outputs; x, lanes and at of the chunk are those of its first row. */
LOSSI_INLINE void sweep(int block, int outputs, int64_t rows, chunk c)
{
    int64_t i = 0;
    for (; i + block <= rows; i += block) {
        dots(block, outputs, &c);
        c.x += block;
        c.lanes += block * GROUP_OUTPUTS * LOSSI_LANES;
        c.at += block * c.shape->outputs;
    }
    for (; block > 1 && i < rows; i++) {
        dots(1, outputs, &c);
        c.x += 1;
        c.lanes += GROUP_OUTPUTS * LOSSI_LANES;
        c.at += c.shape->outputs;
    }
}

/* How many outputs to take at once of those left: none alone that can have company. */
static int64_t outputs_at_once(int64_t left)
{
    if (OUTPUTS == 1 || left == 1) {
        return 1;
    }
    if (left == 2 || left == 4) {
        return 2;
    }
    return left == 3 || left == 6 ? 3 : OUTPUTS;
}

/* Not inline: one for each width, however many callers. */
static __attribute__((noinline)) void sweep_outputs(int64_t outputs, int64_t rows, const chunk *c)
{
    switch (outputs) {
    case 1:
        sweep(ROWS_OF_ONE, 1, rows, *c);
        return;
#if !defined(LOSSI_ISA_BASE)
    case 2:
        sweep(ROWS_OF_TWO, 2, rows, *c);
        return;
    case 3:
        sweep(ROWS_OF_THREE, 3, rows, *c);
        return;
    default:
        if (ROWS_OF_SHORT != ROWS && c->shape->features < SHORT) {
            sweep(ROWS_OF_SHORT, OUTPUTS, rows, *c);
        } else {
            sweep(ROWS, OUTPUTS, rows, *c);
        }
#endif
    }
}

/* A group of rows and outputs, chunk by chunk. */
static void forward_group(int64_t rows, int64_t outputs, int64_t length, chunk c)
{
    const int64_t features = c.shape->features;
    const chunk start = c;
    do {
        int64_t taken;
        c.end = features - c.first < length ? features : c.first + length;
        for (int64_t k = 0; k < outputs; k += taken) {
            taken = outputs_at_once(outputs - k);
            sweep_outputs(taken, rows, &c);
            c.w += taken * c.shape->stride;
            c.b = c.b != NULL ? c.b + taken : NULL;
            c.lanes += taken * LOSSI_LANES;
            c.at += taken;
        }
        const int64_t end = c.end;
        c = start;
        c.first = end;
    } while (c.first < features);
}

/* How many features to take at a time: as many as there are, when they fit, and else about equal parts. */
static int64_t chunk_length(const lossi_linear_shape *shape)
{
    const int64_t outputs = shape->outputs < OUTPUTS ? shape->outputs : OUTPUTS;
    const int64_t most = CHUNK_NUMBERS / outputs > CHUNK_LEAST ? CHUNK_NUMBERS / outputs : CHUNK_LEAST;
    if (shape->outputs == 1 || shape->features <= most) {
        return shape->stride;
    }
    const int64_t parts = (shape->features + most - 1) / most, lanes = parts * LOSSI_LANES;
    return (shape->features + lanes - 1) / lanes * LOSSI_LANES;
}

static void forward_to(const lossi_linear_shape *shape, int64_t rows, const real *const *x, const double *w,
                       const sink *to, lossi_upcoming *ahead)
{
    lossi_upcoming nothing = {0};
    double lanes[GROUP_ROWS * GROUP_OUTPUTS * LOSSI_LANES];
    const int64_t length = chunk_length(shape), step = length < shape->features ? GROUP_ROWS : rows;
    for (int64_t i = 0; i < rows; i += step) {
        for (int64_t k = 0; k < shape->outputs; k += GROUP_OUTPUTS) {
            const chunk c = {.shape = shape,
                             .x = x + i,
                             .w = w + k * shape->stride,
                             .b = shape->intercept ? w + shape->outputs * shape->stride + k : NULL,
                             .lanes = lanes,
                             .to = to,
                             .at = i * shape->outputs + k,
                             .ahead = ahead != NULL ? ahead : &nothing};
            const int64_t outputs = shape->outputs - k;
            forward_group(rows - i < step ? rows - i : step,
                          outputs < GROUP_OUTPUTS ? outputs : GROUP_OUTPUTS, length, c);
        }
    }
}

static void forward(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                    void *z, lossi_upcoming *ahead)
{
    const sink to = {z, NULL};
    forward_to(shape, rows, (const real *const *)x, w, &to, ahead);
}

static void forward_wide(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                         double *z)
{
    const sink to = {NULL, z};
    forward_to(shape, rows, (const real *const *)x, w, &to, NULL);
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
    for (; i + F64_LANES <= count; i += F64_LANES) {
        f64_store(to + i, v_load_wide(x + i));
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
const lossi_linear_kernels LOSSI_NAME(linear_kernels) = {
    .forward = forward,
    .forward_wide = forward_wide,
    .backward = backward,
    .widen = widen,
    .add = add,
    .turn = (int64_t)ROWS * OUTPUTS * F64_LANES,
    .one_forward = (int64_t)ROWS_OF_ONE * F64_LANES *
                   (MOST_AT_ONCE * ROWS_OF_ONE <= SUMS_AT_ONCE ? MOST_AT_ONCE : 1),
    .one_backward = (int64_t)BACK_ROWS * F64_LANES,
};

#ifdef LOSSI_ONCE

extern const lossi_linear_kernels LOSSI_ISA_DECLARE(linear_kernels);
static const lossi_linear_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    linear_kernels);

const char *lossi_upcoming_row(lossi_upcoming *a)
{
    if (a->next >= a->end) {
        return a->stop;
    }
    const int64_t row = a->indices != NULL ? a->indices[a->next] : a->next;
    /* an index that was not checked may be any: only the address is made of it */
    const uintptr_t start = (uintptr_t)a->rows + (uintptr_t)row * (uintptr_t)a->step;
    const int64_t rows = a->indices == NULL && a->step == a->bytes ? a->end - a->next : 1;
    a->next += rows;
    a->stop = (const char *)(start + (uintptr_t)(rows * a->bytes));
    return (const char *)start;
}

const lossi_linear_kernels *lossi_linear_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
