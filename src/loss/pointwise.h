/*
 * The loop of the pointwise losses: a formula on vectors, applied to a tile.
 *
 * A formula computes value, gradient, curvature and majorizer of all lanes; what a variant does not store, the compiler
 * leaves out. It is passed as a function and inlined: a loss file holds its formula and, below it,
 *
 *     #define LOSSI_FORMULA huber
 *     #include "loss/pointwise_kernels.h"
 */
#ifndef LOSSI_LOSS_POINTWISE_H
#define LOSSI_LOSS_POINTWISE_H

#include "loss/lanes.h"
#include "loss/row.h"

enum { LOSSI_VALUE, LOSSI_GRADIENT, LOSSI_EVERYTHING };

typedef struct lossi_point {
    vreal value, gradient, curvature, majorizer;
} lossi_point;

typedef void (*lossi_formula)(vreal prediction, vreal target, const real *parameters, lossi_point *out);

/* The curvature of the kind asked for; Gauss–Newton is the positive part, and keeps NaN. */
LOSSI_INLINE vreal lossi_curvature_of(const lossi_point *point, int32_t kind)
{
    if (kind == LOSSI_MAJORIZER) {
        return point->majorizer;
    }
    return kind == LOSSI_GAUSS_NEWTON ? v_max(v_set1(0), point->curvature) : point->curvature;
}

LOSSI_INLINE void lossi_pointwise_parameters(const lossi_tile *tile, real *parameters)
{
    for (int k = 0; k < LOSSI_PARAMETERS; k++) {
        parameters[k] = (real)tile->prepared->parameters[k];
    }
}

LOSSI_INLINE void lossi_pointwise(const lossi_tile *tile, lossi_formula formula, int variant)
{
    const real *prediction = tile->prediction, *target = tile->target;
    real *value = tile->value, *gradient = tile->gradient, *curvature = tile->curvature;
    const vreal scale = v_set1((real)tile->scale);
    const int64_t count = tile->rows;
    real parameters[LOSSI_PARAMETERS];
    lossi_point point;
    int64_t i = 0;

    lossi_pointwise_parameters(tile, parameters);
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        formula(v_load(prediction + i), v_load(target + i), parameters, &point);
        v_store(value + i, point.value);
        if (variant >= LOSSI_GRADIENT) {
            v_store(gradient + i, point.gradient * scale);
        }
        if (variant == LOSSI_EVERYTHING) {
            v_store(curvature + i, lossi_curvature_of(&point, tile->curvature_kind) * scale);
        }
    }
    if (i < count) {
        int rest = (int)(count - i);
        formula(v_load_part(prediction + i, rest), v_load_part(target + i, rest), parameters, &point);
        v_store_part(value + i, point.value, rest);
        if (variant >= LOSSI_GRADIENT) {
            v_store_part(gradient + i, point.gradient * scale, rest);
        }
        if (variant == LOSSI_EVERYTHING) {
            v_store_part(curvature + i, lossi_curvature_of(&point, tile->curvature_kind) * scale, rest);
        }
    }
}

/* The last elements, fewer than 16. */
LOSSI_INLINE void lossi_pointwise_rest(const lossi_tile *tile, lossi_formula formula, int variant,
                                       const real *parameters, int64_t first)
{
    const real *prediction = tile->prediction, *target = tile->target;
    real *gradient = tile->gradient, value[VREAL_LANES];
    for (int64_t i = first; i < tile->rows; i += VREAL_LANES) {
        const int left = tile->rows - i < VREAL_LANES ? (int)(tile->rows - i) : VREAL_LANES;
        lossi_point point;
        formula(v_load_part(prediction + i, left), v_load_part(target + i, left), parameters, &point);
        v_store(value, point.value);
        for (int lane = 0; lane < left; lane++) {
            tile->lanes[i - first + lane] += (double)value[lane];
        }
        if (variant >= LOSSI_GRADIENT) {
            v_store_part(gradient + i, point.gradient * v_set1((real)tile->scale), left);
        }
    }
}

/* The same without a place for the values: they go from registers onto the lanes. */
LOSSI_INLINE void lossi_pointwise_sum(const lossi_tile *tile, lossi_formula formula, int variant,
                                      int streaming)
{
    const real *prediction = tile->prediction, *target = tile->target;
    real *gradient = tile->gradient, parameters[LOSSI_PARAMETERS];
    const vreal scale = v_set1((real)tile->scale);
    const int64_t count = tile->rows;
    lossi_point point;
    f64v lanes[LOSSI_WIDE];
    int64_t i = 0;

    lossi_pointwise_parameters(tile, parameters);
    lossi_lanes_load(tile->lanes, lanes);
    for (; i + LOSSI_LANES <= count; i += LOSSI_LANES) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int64_t k = i + v * VREAL_LANES;
            formula(v_load(prediction + k), v_load(target + k), parameters, &point);
            lossi_lanes_add(lanes, v, point.value);
            if (variant >= LOSSI_GRADIENT && streaming) {
                v_stream(gradient + k, point.gradient * scale);
            } else if (variant >= LOSSI_GRADIENT) {
                v_store(gradient + k, point.gradient * scale);
            }
        }
    }
    lossi_lanes_store(tile->lanes, lanes);
    lossi_pointwise_rest(tile, formula, variant, parameters, i);
}

#endif
