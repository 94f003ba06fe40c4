/*
 * The two products of a linear model with sparse rows. Everything is float64 inside; float32 values are widened, exactly.
 *
 * An entry costs what it takes to fetch the parameters of its feature, which lie anywhere: so one fetch serves several
 * outputs, and a Hessian product's parameters and direction, which lie side by side. Four chains of fused multiply-adds per
 * output hide their latency. Blocking over outputs never changes a bit: every sum has its own order.
 */
#include "gradient/sparse_kernels.h"

#include <string.h>

#include "core/isa.h"
#include "simd/real.h"

enum { LANES = LOSSI_SPARSE_LANES, WIDTH_MAX = 8 };

/* Without it GCC leaves small loops rolled, and their arrays in memory instead of registers. */
#define UNROLL _Pragma("GCC unroll 8")

LOSSI_INLINE int64_t index_at(int wide, const void *indices, int64_t e)
{
    int32_t narrow;
    int64_t index;
    if (wide) {
        memcpy(&index, (const char *)indices + e * 8, sizeof index);
        return index;
    }
    memcpy(&narrow, (const char *)indices + e * 4, sizeof narrow);
    return narrow;
}

LOSSI_INLINE double value_at(const void *values, int64_t e)
{
    real value;
    memcpy(&value, (const char *)values + e * (int64_t)sizeof value, sizeof value);
    return (double)value;
}

/* Two numbers, on every instruction set: wider vectors take longer to put together of numbers that lie anywhere. */
typedef double pair __attribute__((vector_size(16)));

LOSSI_INLINE pair pair_fma(pair a, pair b, pair c)
{
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_AVX2)
    return (pair)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
#else /* as wide as a vector */
    return (pair)f64_fma((f64v)a, (f64v)b, (f64v)c);
#endif
}

/* Values e and e + 1. */
LOSSI_INLINE pair values_at(const void *values, int64_t e)
{
    typedef real two __attribute__((vector_size(2 * sizeof(real))));
    two value;
    memcpy(&value, (const char *)values + e * (int64_t)sizeof(real), sizeof value);
    return __builtin_convertvector(value, pair);
}

/* sum += x w, `width` of them, which the compiler knows: in vectors where they fill some. */
LOSSI_INLINE void multiply_add(int width, double x, const double *w, double *sum)
{
    const int in_vectors = width % F64_LANES == 0 ? width : 0;
    UNROLL
    for (int k = 0; k < in_vectors; k += F64_LANES) {
        f64_store(sum + k, f64_fma(f64_set1(x), f64_load(w + k), f64_load(sum + k)));
    }
    UNROLL
    for (int k = in_vectors; k < width; k++) {
        sum[k] = __builtin_fma(x, w[k], sum[k]);
    }
}

/* ---- forward ---- */

/* The parameters of entries e and e + 1, one each. */
LOSSI_INLINE pair parameters_at(int wide, const void *indices, int64_t e, const double *w, int64_t step)
{
    return (pair){w[index_at(wide, indices, e) * step], w[index_at(wide, indices, e + 1) * step]};
}

/* The dot product of a row with one number of each row of parameters: neighbouring lanes are a pair. */
LOSSI_INLINE double dot(int wide, const lossi_sparse_row *x, const double *w, int64_t step)
{
    pair low = {0, 0}, high = {0, 0};
    int64_t e = 0;
    for (; e + LANES <= x->count; e += LANES) {
        low = pair_fma(values_at(x->values, e), parameters_at(wide, x->indices, e, w, step), low);
        high = pair_fma(values_at(x->values, e + 2), parameters_at(wide, x->indices, e + 2, w, step), high);
    }
    double lanes[LANES] = {low[0], low[1], high[0], high[1]};
    UNROLL
    for (int lane = 0; lane < LANES - 1; lane++) {
        if (e + lane < x->count) {
            lanes[lane] = __builtin_fma(value_at(x->values, e + lane),
                                        w[index_at(wide, x->indices, e + lane) * step], lanes[lane]);
        }
    }
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

/* What an entry adds to two sums. */
LOSSI_INLINE pair two_more(int wide, const lossi_sparse_row *x, const double *w, int64_t step, int64_t e,
                           pair sum)
{
    const double value = value_at(x->values, e);
    pair parameters;
    memcpy(&parameters, w + index_at(wide, x->indices, e) * step, sizeof parameters);
    return pair_fma((pair){value, value}, parameters, sum);
}

/* The same with two neighbouring numbers of each row: they are a pair. */
LOSSI_INLINE void two_dots(int wide, const lossi_sparse_row *x, const double *w, int64_t step, double *result)
{
    pair sums[LANES] = {{0}};
    int64_t e = 0;
    for (; e + LANES <= x->count; e += LANES) {
        UNROLL
        for (int lane = 0; lane < LANES; lane++) {
            sums[lane] = two_more(wide, x, w, step, e + lane, sums[lane]);
        }
    }
    UNROLL
    for (int lane = 0; lane < LANES - 1; lane++) {
        if (e + lane < x->count) {
            sums[lane] = two_more(wide, x, w, step, e + lane, sums[lane]);
        }
    }
    const pair sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    memcpy(result, &sum, sizeof sum);
}

/* The dot products of a row with `width` neighbouring numbers of the parameters, whose rows have `step`. */
LOSSI_INLINE void dots(int width, int wide, const lossi_sparse_row *x, const double *w, int64_t step,
                       double *result)
{
    double sums[LANES][WIDTH_MAX] = {{0}};
    int64_t e = 0;
    for (; e + LANES <= x->count; e += LANES) {
        UNROLL
        for (int lane = 0; lane < LANES; lane++) {
            multiply_add(width, value_at(x->values, e + lane),
                         w + index_at(wide, x->indices, e + lane) * step, sums[lane]);
        }
    }
    UNROLL
    for (int lane = 0; lane < LANES - 1; lane++) {
        if (e + lane < x->count) {
            multiply_add(width, value_at(x->values, e + lane),
                         w + index_at(wide, x->indices, e + lane) * step, sums[lane]);
        }
    }
    UNROLL
    for (int k = 0; k < width; k++) {
        result[k] = (sums[0][k] + sums[2][k]) + (sums[1][k] + sums[3][k]);
    }
}

/* All rows, the numbers first … first + width − 1 of the parameters of a feature. */
LOSSI_INLINE void forward_columns(int width, int64_t step, int wide, const lossi_sparse_tile *tile,
                                  const double *w, int64_t first, real *z, real *z2)
{
    const lossi_linear_shape *shape = tile->shape;
    const int64_t outputs = shape->outputs, stride = shape->stride;
    const double *intercept = w + shape->features * step + first;
    double sums[WIDTH_MAX];
    for (int64_t i = 0; i < tile->rows; i++) {
        if (width == 1) {
            sums[0] = dot(wide, &tile->x[i], w, step);
        } else if (width == 2) {
            two_dots(wide, &tile->x[i], w, step, sums);
        } else {
            dots(width, wide, &tile->x[i], w + first, step, sums);
        }
        for (int k = 0; k < width; k++) {
            const int64_t column = first + k, output = column < stride ? column : column - stride;
            if (output < outputs) {
                (column < stride ? z : z2)[i * outputs + output] =
                    (real)(shape->intercept ? sums[k] + intercept[k] : sums[k]);
            }
        }
    }
}

/* One output is worth steps the compiler knows: alone, and with its sum. */
LOSSI_INLINE void forward_indices(int wide, const lossi_sparse_tile *tile, const double *w, real *z, real *z2)
{
    const int64_t columns = z2 != NULL ? 2 * tile->shape->stride : tile->shape->stride;
    switch (columns) {
    case 1:
        if (tile->step == 2) {
            forward_columns(1, 2, wide, tile, w, 0, z, z2);
        } else {
            forward_columns(1, 1, wide, tile, w, 0, z, z2);
        }
        return;
    case 2:
        forward_columns(2, 2, wide, tile, w, 0, z, z2);
        return;
    case 4:
        forward_columns(4, 4, wide, tile, w, 0, z, z2);
        return;
    default:
        for (int64_t first = 0; first < columns; first += WIDTH_MAX) {
            forward_columns(WIDTH_MAX, columns, wide, tile, w, first, z, z2);
        }
    }
}

static void forward(const lossi_sparse_tile *tile, const double *w, void *z, void *z2)
{
    if (tile->wide) {
        forward_indices(1, tile, w, z, z2);
    } else {
        forward_indices(0, tile, w, z, z2);
    }
}

/* ---- backward ---- */

/* What an entry is multiplied by the derivative as. */
enum { PLAIN, SQUARE, CENTRED_SQUARE };

LOSSI_INLINE double power_of(int kind, double x, const double *means, int64_t j)
{
    return kind == PLAIN ? x : kind == SQUARE ? x * x : x * (x - 2 * means[j]);
}

LOSSI_INLINE void add_row(int width, int wide, int kind, const lossi_sparse_row *x, const double *r,
                          const double *means, double *g, int64_t step)
{
#pragma GCC unroll 4
    for (int64_t e = 0; e < x->count; e++) {
        const int64_t j = index_at(wide, x->indices, e);
        const double factor = power_of(kind, value_at(x->values, e), means, j);
        multiply_add(width, factor, r, g + j * step);
    }
}

/* All rows, outputs first … first + width − 1; the derivatives of outputs that are not there are 0. */
LOSSI_INLINE void backward_outputs(int width, int64_t step, int wide, int kind, const lossi_sparse_tile *tile,
                                   const double *r, const double *means, double *g, int64_t first)
{
    const lossi_linear_shape *shape = tile->shape;
    const int64_t left = shape->outputs - first;
    double *intercept = g + shape->features * step + first;
    for (int64_t i = 0; i < tile->rows; i++) {
        double factors[WIDTH_MAX];
        UNROLL
        for (int k = 0; k < width; k++) {
            factors[k] = k < left ? r[i * shape->outputs + first + k] : 0;
        }
        add_row(width, wide, kind, &tile->x[i], factors, means, g + first, step);
        for (int k = 0; shape->intercept && k < width; k++) {
            intercept[k] += factors[k];
        }
    }
}

LOSSI_INLINE void backward_indices(int wide, int kind, const lossi_sparse_tile *tile, const double *r,
                                   const double *means, double *g)
{
    const int64_t stride = tile->shape->stride;
    switch (stride) {
    case 1:
        if (kind == PLAIN && tile->step == 2) {
            backward_outputs(1, 2, wide, kind, tile, r, means, g, 0);
        } else {
            backward_outputs(1, 1, wide, kind, tile, r, means, g, 0);
        }
        return;
    case 2:
        backward_outputs(2, 2, wide, kind, tile, r, means, g, 0);
        return;
    case 4:
        backward_outputs(4, 4, wide, kind, tile, r, means, g, 0);
        return;
    default:
        for (int64_t first = 0; first < stride; first += WIDTH_MAX) {
            backward_outputs(WIDTH_MAX, stride, wide, kind, tile, r, means, g, first);
        }
    }
}

LOSSI_INLINE void backward_kind(int kind, const lossi_sparse_tile *tile, const double *r, const double *means,
                                double *g)
{
    if (tile->wide) {
        backward_indices(1, kind, tile, r, means, g);
    } else {
        backward_indices(0, kind, tile, r, means, g);
    }
}

static void backward(const lossi_sparse_tile *tile, const double *r, double *g)
{
    backward_kind(PLAIN, tile, r, NULL, g);
}

static void backward_squares(const lossi_sparse_tile *tile, const double *r, const double *means, double *g)
{
    if (means != NULL) {
        backward_kind(CENTRED_SQUARE, tile, r, means, g);
    } else {
        backward_kind(SQUARE, tile, r, NULL, g);
    }
}

extern const lossi_sparse_kernels LOSSI_NAME(sparse_kernels);
const lossi_sparse_kernels LOSSI_NAME(sparse_kernels) = {forward, backward, backward_squares};

#ifdef LOSSI_ONCE

extern const lossi_sparse_kernels LOSSI_ISA_DECLARE(sparse_kernels);
static const lossi_sparse_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    sparse_kernels);

const lossi_sparse_kernels *lossi_sparse_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
