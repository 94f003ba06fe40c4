/*
 * The two products of a linear model over a tile of rows: predictions, and gradients of the parameters.
 *
 * Parameters and what accumulates on them are float64 in a padded layout (lossi_linear_shape): one row of `stride`
 * numbers per output, stride a multiple of 16, then one number per output for the intercept. The padding of the
 * parameters is 0; what stands in the padding of an accumulator is never read.
 */
#ifndef LOSSI_LOSS_LINEAR_KERNELS_H
#define LOSSI_LOSS_LINEAR_KERNELS_H

#include <stdint.h>

typedef struct lossi_linear_shape {
    int64_t features, outputs;
    int64_t stride;    /* features, rounded up to the lanes of a sum */
    int32_t intercept; /* whether there is one */
} lossi_linear_shape;

/*
 * Rows that will be wanted soon, asked for while the processor multiplies: a product that waits for memory and then multiplies takes
 * the time of both. A turn of an inner loop moves on by `pace` bytes, so that requests are spread over the whole product; more at once
 * than the ten to sixteen that a core of today keeps open would hold it up. One row after another, or those of `indices`; rows that
 * follow each other without a gap are taken as one.
 */
typedef struct lossi_upcoming {
    const char *at, *stop; /* what is left of the row being asked for; at = stop: nothing */
    int64_t pace;          /* of many outputs at most LOSSI_LINE, of one whole lines */
    const char *rows;
    int64_t step, bytes; /* from row to row, and of one */
    const int64_t *indices;
    int64_t next, end; /* the next row, and up to which */
} lossi_upcoming;

enum { LOSSI_LINE = 64 }; /* bytes of a cache line on all processors the kernels are for */

/* From the start of the next row, or from nowhere. */
const char *lossi_upcoming_row(lossi_upcoming *ahead);

/* Asks for what is at `at`, into the second-level cache, and moves on. */
static inline const char *lossi_upcoming_ask(lossi_upcoming *ahead, const char *at)
{
    if (at < ahead->stop) {
        __builtin_prefetch(at, 0, 2);
        at += ahead->pace;
        at = at < ahead->stop ? at : lossi_upcoming_row(ahead);
    }
    return at;
}

/* The same for some lines a turn: that of one output is short, as its rows are read once forward and once back. */
static inline const char *lossi_upcoming_ask_lines(lossi_upcoming *ahead, const char *at)
{
    if (at < ahead->stop) {
        const char *end = ahead->stop - at > ahead->pace ? at + ahead->pace : ahead->stop;
        do {
            __builtin_prefetch(at, 0, 2);
            at += LOSSI_LINE;
        } while (at < end);
        at = end < ahead->stop ? end : lossi_upcoming_row(ahead);
    }
    return at;
}

typedef struct lossi_linear_kernels {
    /*
     * z[i·outputs + k] = Σ_j x[i][j] · w[k·stride + j] + b[k]. Element j belongs to lane j mod 16, lane = fma(x, w, lane)
     * in order from +0, lanes are added as lossi_sum_lanes() does, then the intercept. x and z are of the element type.
     * `ahead`, NULL: nothing is asked for.
     */
    void (*forward)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                    void *z, lossi_upcoming *ahead);
    /* The same, not rounded to the element type. */
    void (*forward_wide)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                         double *z);
    /*
     * g[k·stride + j] = fma(r[i·outputs + k], x[i][j], g[k·stride + j]) and g_b[k] += r[i·outputs + k], rows in order; from +0 when
     * `fresh`, whatever g has in it, for which there have to be rows.
     */
    void (*backward)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *r,
                     int32_t fresh, double *g, lossi_upcoming *ahead);
    /* The elements as float64: from itself when they are, else to. */
    const double *(*widen)(int64_t count, const void *from, double *to);
    /* y += x */
    void (*add)(int64_t count, const double *x, double *y);
    int64_t turn;                      /* multiply-adds of a turn of the inner loops, of many outputs */
    int64_t one_forward, one_backward; /* the same of one output */
} lossi_linear_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_linear_kernels *lossi_linear_kernels_for(int32_t isa, int32_t real_index);

/* How many numbers the padded layout has. */
static inline int64_t lossi_linear_size(const lossi_linear_shape *shape)
{
    return shape->outputs * shape->stride + shape->outputs;
}

#endif
