/*
 * The pass of dense_update.h, once per instruction set. It works on doubles whatever the optimizer's type, so the
 * passes of the compilation for float32 are empty.
 *
 * A few rows of a strip go together, so that the vectors are loaded once for all of them: as many as the registers
 * hold sums and factors for. That changes no bit.
 */
#include "optimizer/dense_update.h"

#include <stddef.h>

#include "simd/real.h"

#if LOSSI_REAL == 64

#if defined(LOSSI_ISA_AVX512)
enum { GROUP = 4 };
#else
enum { GROUP = 2 };
#endif
enum { WIDE = LOSSI_STRIP / F64_LANES };

/* What a row does with a column's element: h += left·a + right·b, and the row's own element of the vector. */
typedef struct row {
    double *restrict h;
    double left, right, vector;
} row;

/* The vectors of a pass, by themselves: a store could change those behind its pointers. */
typedef struct vectors {
    const double *restrict a, *restrict b, *restrict v;
} vectors;

LOSSI_INLINE double changed(const row *r, const lossi_rank_two *change, int64_t column)
{
    double h = __builtin_fma(r->left, change->a[column], r->h[column]);
    return __builtin_fma(r->right, change->b[column], h);
}

/* Columns j … j + 7 of the rows, left of the strip's own columns. */
LOSSI_INLINE void eight_columns(const vectors *from, const row *rows, int64_t j, int update,
                                f64v sums[GROUP][WIDE], double *restrict product)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        const int64_t at = j + k * F64_LANES;
        const f64v v = f64_load(from->v + at);
        const f64v a = update ? f64_load(from->a + at) : v;
        const f64v b = update ? f64_load(from->b + at) : v;
        f64v p = f64_load(product + at);
#pragma GCC unroll 8
        for (int i = 0; i < GROUP; i++) {
            f64v h = f64_load(rows[i].h + at);
            if (update) {
                h = f64_fma(f64_set1(rows[i].left), a, h);
                h = f64_fma(f64_set1(rows[i].right), b, h);
                f64_store(rows[i].h + at, h);
            }
            sums[i][k] = f64_fma(h, v, sums[i][k]);
            p = f64_fma(h, f64_set1(rows[i].vector), p);
        }
        f64_store(product + at, p);
    }
}

LOSSI_INLINE double lanes_added(const f64v *sum)
{
    double l[LOSSI_STRIP];
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        f64_store(l + k * F64_LANES, sum[k]);
    }
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

/* Rows first … first + GROUP − 1 of the matrix, in the strip whose own columns begin at `own`. */
LOSSI_INLINE void group_of_rows(const lossi_dense_pass *pass, int64_t first, int64_t own, int update,
                                double *restrict product)
{
    const lossi_rank_two *change = pass->change;
    const vectors from = {update ? change->a : NULL, update ? change->b : NULL, pass->vector};
    const int64_t width = own + LOSSI_STRIP;
    double *strip = pass->matrix + lossi_strip_offset(own / LOSSI_STRIP);
    row rows[GROUP];
    f64v sums[GROUP][WIDE];
    for (int i = 0; i < GROUP; i++) {
        const int64_t r = first + i;
        rows[i] = (row){.h = strip + (r - own) * width, .vector = pass->vector[r]};
        if (update) {
            rows[i].left = change->aa * change->a[r] + change->ab * change->b[r];
            rows[i].right = change->ab * change->a[r] + change->bb * change->b[r];
        }
        for (int k = 0; k < WIDE; k++) {
            sums[i][k] = f64_set1(0.0);
        }
    }
    for (int64_t j = 0; j < own; j += LOSSI_STRIP) {
        eight_columns(&from, rows, j, update, sums, product);
    }
    for (int i = 0; i < GROUP; i++) {
        const int64_t r = first + i;
        double sum = lanes_added(sums[i]);
        for (int64_t column = own; column <= r; column++) {
            const double h = update ? changed(&rows[i], change, column) : rows[i].h[column];
            rows[i].h[column] = h;
            sum = __builtin_fma(h, pass->vector[column], sum);
            if (column < r) {
                product[column] = __builtin_fma(h, rows[i].vector, product[column]);
            }
        }
        product[r] += sum;
    }
}

extern const lossi_dense_kernel LOSSI_NAME(dense_kernel);

static void run(const lossi_dense_pass *pass, int64_t begin, int64_t end, double *product)
{
    for (int64_t i = 0; i < end * LOSSI_STRIP; i++) {
        product[i] = 0.0;
    }
    for (int64_t r = begin * LOSSI_STRIP; r < end * LOSSI_STRIP; r += GROUP) {
        const int64_t own = r / LOSSI_STRIP * LOSSI_STRIP;
        if (pass->change != NULL) {
            group_of_rows(pass, r, own, 1, product);
        } else {
            group_of_rows(pass, r, own, 0, product);
        }
    }
}

const lossi_dense_kernel LOSSI_NAME(dense_kernel) = run;

#endif
