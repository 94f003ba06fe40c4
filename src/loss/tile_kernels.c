/* What is done to tiles around the formula, on vectors. The order of the sum is core/sum.h's. */
#include "loss/tile_kernels.h"

#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/real.h"

enum { WIDE = LOSSI_LANES / F64_LANES }; /* vectors of double that hold the 16 lanes */

/* One element of an array of any alignment, read and written. */
LOSSI_INLINE real get(const real *x)
{
    real one;
    memcpy(&one, x, sizeof one);
    return one;
}

LOSSI_INLINE void put(real *x, real one)
{
    memcpy(x, &one, sizeof one);
}

/* 16 elements onto the lanes; float32 is widened, which is exact. */
LOSSI_INLINE void add_sixteen(const real *x, f64v *lanes)
{
#if LOSSI_REAL == 64
    for (int v = 0; v < WIDE; v++) {
        lanes[v] = lanes[v] + f64_load(x + v * F64_LANES);
    }
#else
    for (int v = 0; v < WIDE / 2; v++) {
        f32v narrow = f32_load(x + v * F32_LANES);
        lanes[2 * v] = lanes[2 * v] + f32_to_f64_low(narrow);
        lanes[2 * v + 1] = lanes[2 * v + 1] + f32_to_f64_high(narrow);
    }
#endif
}

static void sum(int64_t count, const void *array, double *total)
{
    const real *x = array;
    f64v lanes[WIDE];
    int64_t i = 0;
    for (int v = 0; v < WIDE; v++) {
        lanes[v] = f64_load(total + v * F64_LANES);
    }
    for (; i + LOSSI_LANES <= count; i += LOSSI_LANES) {
        add_sixteen(x + i, lanes);
    }
    for (int v = 0; v < WIDE; v++) {
        f64_store(total + v * F64_LANES, lanes[v]);
    }
    for (int lane = 0; i < count; i++, lane++) {
        total[lane] += (double)get(x + i);
    }
}

static void weigh(int64_t rows, int64_t columns, const void *weight, void *array)
{
    const real *w = weight;
    real *x = array;
    if (columns == 1) {
        int64_t i = 0;
        for (; i + VREAL_LANES <= rows; i += VREAL_LANES) {
            v_store(x + i, v_load(x + i) * v_load(w + i));
        }
        for (; i < rows; i++) {
            put(x + i, get(x + i) * get(w + i));
        }
        return;
    }
    for (int64_t i = 0; i < rows; i++, x += columns) {
        const vreal factor = v_set1(get(w + i));
        int64_t j = 0;
        for (; j + VREAL_LANES <= columns; j += VREAL_LANES) {
            v_store(x + j, v_load(x + j) * factor);
        }
        for (; j < columns; j++) {
            put(x + j, get(x + j) * get(w + i));
        }
    }
}

static void multiply(int64_t count, const void *left, const void *right, void *out)
{
    const real *a = left, *b = right;
    real *y = out;
    int64_t i = 0;
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        v_store(y + i, v_load(a + i) * v_load(b + i));
    }
    for (; i < count; i++) {
        put(y + i, get(a + i) * get(b + i));
    }
}

/* Bounds rounded to float32 stay bounds: the domains of the catalogue are small integers and infinities. */
static int64_t outside(int64_t count, const void *array, const lossi_domain *domain)
{
    const real *x = array, low = (real)domain->low, high = (real)domain->high;
    const vreal lows = v_set1(low), highs = v_set1(high);
    int64_t i = 0;
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        const vreal a = v_load(x + i);
        const vmask wrong = domain->discrete ? v_mask_and(v_ne(a, lows), v_ne(a, highs))
                                             : v_mask_or(v_lt(a, lows), v_gt(a, highs));
        if (v_mask_any(v_mask_and(wrong, v_mask_not(v_is_nan(a))))) {
            break;
        }
    }
    for (; i < count; i++) {
        const real a = get(x + i);
        int bad = domain->discrete ? a != low && a != high : a < low || a > high;
        if (bad && a == a) {
            return i;
        }
    }
    return -1;
}

static int64_t nonfinite(int64_t count, const void *array)
{
    const real *x = array;
    const vreal most = v_set1(REAL_MAX);
    int64_t i = 0;
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        if (!v_mask_all(v_le(v_abs(v_load(x + i)), most))) {
            break;
        }
    }
    for (; i < count; i++) {
        if (!(get(x + i) <= REAL_MAX && get(x + i) >= -REAL_MAX)) {
            return i;
        }
    }
    return -1;
}

/* Streaming stores want aligned places: the ends go by ordinary ones. */
static void stream(int64_t count, const void *from, void *to)
{
    const real *x = from;
    real *y = to;
    int64_t i = 0;
    for (; i < count && (uintptr_t)(y + i) % sizeof(vreal) != 0; i++) {
        put(y + i, get(x + i));
    }
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        v_stream(y + i, v_load(x + i));
    }
    for (; i < count; i++) {
        put(y + i, get(x + i));
    }
}

static void stream_end(void)
{
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}

extern const lossi_tile_kernels LOSSI_NAME(tile_kernels);
const lossi_tile_kernels LOSSI_NAME(tile_kernels) = {sum,       weigh,  multiply,  outside,
                                                     nonfinite, stream, stream_end};

#ifdef LOSSI_ONCE

extern const lossi_tile_kernels LOSSI_ISA_DECLARE(tile_kernels);
static const lossi_tile_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    tile_kernels);

const lossi_tile_kernels *lossi_tile_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
