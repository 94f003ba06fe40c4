/* What is done to tiles around the formula, on vectors. The order of the sum is core/sum.h's. */
#include "loss/tile_kernels.h"

#include "core/isa.h"
#include "loss/lanes.h"
#include "loss/stream.h"

/* ---- any number of elements of a pointwise loss (loss/pointwise.h) ---- */

/* The last of the tile's elements, fewer than 16, as a pack: the others repeat the last one. */
static void pad(const void *array, int64_t first, int left, real *pack)
{
    const real *x = (const real *)array + first;
    for (int k = 0; k < LOSSI_LANES; k++) {
        pack[k] = lossi_get(x + (k < left ? k : left - 1));
    }
}

static void unpad(const real *pack, void *array, int64_t first, int left)
{
    if (array != NULL) {
        memcpy((real *)array + first, pack, (size_t)left * sizeof *pack);
    }
}

static void pointwise_rest(const lossi_tile *tile, lossi_kernel packs, int64_t first, int left)
{
    real prediction[LOSSI_LANES], target[LOSSI_LANES];
    real value[LOSSI_LANES], gradient[LOSSI_LANES], curvature[LOSSI_LANES];
    lossi_tile rest = *tile;
    pad(tile->prediction, first, left, prediction);
    pad(tile->target, first, left, target);
    rest.rows = LOSSI_LANES;
    rest.prediction = prediction;
    rest.target = target;
    rest.value = value;
    rest.gradient = tile->gradient == NULL ? NULL : gradient;
    rest.curvature = tile->curvature == NULL ? NULL : curvature;
    rest.streaming = 0;
    packs(&rest);
    for (int lane = 0; lane < left && tile->value == NULL; lane++) {
        tile->lanes[lane] += (double)value[lane];
    }
    unpad(value, tile->value, first, left);
    unpad(gradient, tile->gradient, first, left);
    unpad(curvature, tile->curvature, first, left);
}

void LOSSI_NAME(pointwise)(const lossi_tile *tile, lossi_kernel packs);
void LOSSI_NAME(pointwise)(const lossi_tile *tile, lossi_kernel packs)
{
    const int left = (int)(tile->rows % LOSSI_LANES);
    lossi_tile whole = *tile;
    whole.rows -= left;
    if (whole.rows > 0) {
        packs(&whole);
    }
    if (left > 0) {
        pointwise_rest(tile, packs, whole.rows, left);
    }
}

/* ---- tiles of any loss ---- */

static void sum(int64_t count, const void *array, double *total)
{
    const real *x = array;
    f64v lanes[LOSSI_WIDE];
    int64_t i = 0;
    lossi_lanes_load(total, lanes);
    for (; i + LOSSI_LANES <= count; i += LOSSI_LANES) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lanes_add(lanes, v, v_load(x + i + v * VREAL_LANES));
        }
    }
    lossi_lanes_store(total, lanes);
    for (int lane = 0; i < count; i++, lane++) {
        total[lane] += (double)lossi_get(x + i);
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
            lossi_put(x + i, lossi_get(x + i) * lossi_get(w + i));
        }
        return;
    }
    for (int64_t i = 0; i < rows; i++, x += columns) {
        const vreal factor = v_set1(lossi_get(w + i));
        int64_t j = 0;
        for (; j + VREAL_LANES <= columns; j += VREAL_LANES) {
            v_store(x + j, v_load(x + j) * factor);
        }
        for (; j < columns; j++) {
            lossi_put(x + j, lossi_get(x + j) * lossi_get(w + i));
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
        lossi_put(y + i, lossi_get(a + i) * lossi_get(b + i));
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
        /* NaN is let through: every comparison with it is false */
        const vmask wrong = domain->discrete
                                ? v_mask_and(v_mask_or(v_lt(a, lows), v_gt(a, lows)), v_ne(a, highs))
                                : v_mask_or(v_lt(a, lows), v_gt(a, highs));
        if (v_mask_any(wrong)) {
            break;
        }
    }
    for (; i < count; i++) {
        const real a = lossi_get(x + i);
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
        if (!(lossi_get(x + i) <= REAL_MAX && lossi_get(x + i) >= -REAL_MAX)) {
            return i;
        }
    }
    return -1;
}

/* Plain C: the compiler makes vectors of it, in this order of the conditions. */
static int64_t labels_outside(int64_t count, const int64_t *labels, int64_t columns, int64_t ignored,
                              int64_t *counted)
{
    int64_t classes = 0, left_out = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t ignore = labels[i] == ignored, inside = (labels[i] >= 0) & (labels[i] < columns);
        classes += inside & (ignore ^ 1);
        left_out += ignore;
    }
    *counted = classes;
    if (classes + left_out == count) {
        return -1;
    }
    int64_t i = 0;
    while (labels[i] == ignored || (labels[i] >= 0 && labels[i] < columns)) {
        i++;
    }
    return i;
}

/* Streaming stores want aligned places: the ends go by ordinary ones. */
static void stream(int64_t count, const void *from, void *to)
{
    const real *x = from;
    real *y = to;
    int64_t i = 0;
    for (; i < count && (uintptr_t)(y + i) % sizeof(vreal) != 0; i++) {
        lossi_put(y + i, lossi_get(x + i));
    }
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        v_stream(y + i, v_load(x + i));
    }
    for (; i < count; i++) {
        lossi_put(y + i, lossi_get(x + i));
    }
}

static void send_rest(lossi_stream *stream)
{
    if (stream->rows.elements > 0) {
        lossi_send_multiplied(stream, stream->rows.elements);
    }
}

static void stream_end(void)
{
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}

extern const lossi_tile_kernels LOSSI_NAME(tile_kernels);
const lossi_tile_kernels LOSSI_NAME(tile_kernels) = {sum,       weigh,  multiply,  outside,   labels_outside,
                                                     nonfinite, stream, send_rest, stream_end};

#ifdef LOSSI_ONCE

extern const lossi_tile_kernels LOSSI_ISA_DECLARE(tile_kernels);
static const lossi_tile_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    tile_kernels);

const lossi_tile_kernels *lossi_tile_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
