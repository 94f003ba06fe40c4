/*
 * The kernels of pool_kernels.h, once per instruction set and element type.
 *
 * Pixels of a window are met row by row, places of the window too: every sum has that order.
 */
#include "gradient/graph/pool_kernels.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "simd/real.h"

/* A window at a place, cut to the image. */
typedef struct cell {
    int64_t rows, columns; /* of pixels */
    int64_t pixel, down;   /* from pixel to pixel, and from row to row, in elements */
    int64_t from, to;      /* the first pixel in the images, the place in the results, in elements */
    real share;            /* one over the number of pixels that count */
} cell;

LOSSI_INLINE cell cell_at(const lossi_pool *pool, int64_t image, int64_t i, int64_t j)
{
    int64_t top = i * pool->stride[0] - pool->before[0], left = j * pool->stride[1] - pool->before[1];
    int64_t bottom = top + pool->window[0], right = left + pool->window[1];
    top = top < 0 ? 0 : top;
    left = left < 0 ? 0 : left;
    bottom = bottom > pool->height ? pool->height : bottom;
    right = right > pool->width ? pool->width : right;
    cell c = {.rows = bottom - top, .columns = right - left, .pixel = pool->channels};
    c.down = pool->width * pool->channels;
    c.from = ((image * pool->height + top) * pool->width + left) * pool->channels;
    c.to = ((image * pool->places[0] + i) * pool->places[1] + j) * pool->channels;
    c.share = REAL(1.0) / (real)(pool->inside ? c.rows * c.columns : pool->window[0] * pool->window[1]);
    return c;
}

/* n elements, the others 0; n is a constant VREAL_LANES after inlining where all are there. */
LOSSI_INLINE vreal take(const real *p, int n)
{
    return n == VREAL_LANES ? v_load(p) : v_load_part(p, n);
}

LOSSI_INLINE void give(real *p, vreal x, int n)
{
    if (n == VREAL_LANES) {
        v_store(p, x);
    } else {
        v_store_part(p, x, n);
    }
}

/* ---- of some channels at one place ---- */

/* A NaN is the largest, so that it is seen. */
LOSSI_INLINE void largest_at(const lossi_pool *pool, const cell *c, int64_t channel, int n)
{
    const real *x = (const real *)pool->input[0] + c->from + channel;
    vreal most = take(x, n);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            const vreal v = take(x + i * c->down + j * c->pixel, n);
            most = v_select(v_mask_or(v_gt(v, most), v_is_nan(v)), v, most);
        }
    }
    give((real *)pool->output + c->to + channel, most, n);
}

LOSSI_INLINE void gather_at(const lossi_pool *pool, const cell *c, int64_t channel, int n)
{
    const real *x = (const real *)pool->input[0] + c->from + channel;
    const real *t = (const real *)pool->input[2] + c->from + channel;
    const vreal most = take((const real *)pool->input[1] + c->to + channel, n);
    vreal sum = v_set1(0), count = v_set1(0);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            const int64_t at = i * c->down + j * c->pixel;
            const vmask equal = v_eq(take(x + at, n), most);
            sum = sum + v_select(equal, take(t + at, n), v_set1(0));
            count = count + v_select(equal, v_set1(1), v_set1(0));
        }
    }
    give((real *)pool->output + c->to + channel, sum / v_max(count, v_set1(1)), n);
}

/* `apart`: no pixel is in two windows, so nothing is there that it would be added to. */
LOSSI_INLINE void scatter_at(const lossi_pool *pool, const cell *c, int64_t channel, int n, const int apart)
{
    const real *x = (const real *)pool->input[0] + c->from + channel;
    real *to = (real *)pool->output + c->from + channel;
    const vreal most = take((const real *)pool->input[1] + c->to + channel, n);
    vreal count = v_set1(0);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            const vmask equal = v_eq(take(x + i * c->down + j * c->pixel, n), most);
            count = count + v_select(equal, v_set1(1), v_set1(0));
        }
    }
    const vreal part = take((const real *)pool->input[2] + c->to + channel, n) / v_max(count, v_set1(1));
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            const int64_t at = i * c->down + j * c->pixel;
            const vreal own = v_select(v_eq(take(x + at, n), most), part, v_set1(0));
            give(to + at, apart ? own : take(to + at, n) + own, n);
        }
    }
}

LOSSI_INLINE void mean_at(const lossi_pool *pool, const cell *c, int64_t channel, int n)
{
    const real *x = (const real *)pool->input[0] + c->from + channel;
    vreal sum = v_set1(0);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            sum = sum + take(x + i * c->down + j * c->pixel, n);
        }
    }
    give((real *)pool->output + c->to + channel, sum * v_set1(c->share), n);
}

LOSSI_INLINE void spread_at(const lossi_pool *pool, const cell *c, int64_t channel, int n, const int apart)
{
    real *to = (real *)pool->output + c->from + channel;
    const vreal part = take((const real *)pool->input[0] + c->to + channel, n) * v_set1(c->share);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            const int64_t at = i * c->down + j * c->pixel;
            give(to + at, apart ? part : take(to + at, n) + part, n);
        }
    }
}

/* ---- of an image ---- */

/* Whole vectors of channels with a constant count, then the rest. */
#define EACH_PLACE(pool, image, at, ...)                                                                     \
    for (int64_t i = 0; i < (pool)->places[0]; i++) {                                                        \
        for (int64_t j = 0; j < (pool)->places[1]; j++) {                                                    \
            const cell c = cell_at(pool, image, i, j);                                                       \
            int64_t channel = 0;                                                                             \
            for (; channel + VREAL_LANES <= (pool)->channels; channel += VREAL_LANES) {                      \
                at(pool, &c, channel, VREAL_LANES __VA_ARGS__);                                              \
            }                                                                                                \
            if (channel < (pool)->channels) {                                                                \
                at(pool, &c, channel, (int)((pool)->channels - channel) __VA_ARGS__);                        \
            }                                                                                                \
        }                                                                                                    \
    }

static void largest(const lossi_pool *pool, int64_t image)
{
    EACH_PLACE(pool, image, largest_at)
}

static void gather(const lossi_pool *pool, int64_t image)
{
    EACH_PLACE(pool, image, gather_at)
}

static void mean(const lossi_pool *pool, int64_t image)
{
    EACH_PLACE(pool, image, mean_at)
}

/* Whether windows do not overlap. The image is cleared in any case: windows may leave pixels out. */
static int clear_image(const lossi_pool *pool, int64_t image)
{
    const int64_t elements = pool->height * pool->width * pool->channels;
    memset((real *)pool->output + image * elements, 0, (size_t)elements * sizeof(real));
    return pool->stride[0] >= pool->window[0] && pool->stride[1] >= pool->window[1];
}

static void scatter(const lossi_pool *pool, int64_t image)
{
    if (clear_image(pool, image)) {
        EACH_PLACE(pool, image, scatter_at, , 1)
    } else {
        EACH_PLACE(pool, image, scatter_at, , 0)
    }
}

static void spread(const lossi_pool *pool, int64_t image)
{
    if (clear_image(pool, image)) {
        EACH_PLACE(pool, image, spread_at, , 1)
    } else {
        EACH_PLACE(pool, image, spread_at, , 0)
    }
}

extern const lossi_pool_kernels LOSSI_NAME(pool_kernels);
const lossi_pool_kernels LOSSI_NAME(pool_kernels) = {largest, gather, scatter, mean, spread};

#ifdef LOSSI_ONCE

extern const lossi_pool_kernels LOSSI_ISA_DECLARE(pool_kernels);
static const lossi_pool_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    pool_kernels);

const lossi_pool_kernels *lossi_pool_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
