/*
 * The programs of a formula over a tile, block after block: values that nobody keeps are added to the lanes while they are in the
 * cache, and a gradient that goes past the caches leaves from there.
 */
#include "loss/formula/kernels.h"

#include <math.h>
#include <stddef.h>

#include "core/isa.h"
#include "loss/expression/program.h"
#include "loss/formula/formula.h"
#include "loss/tile_kernels.h"

/* The numbers among the inputs, in the element type. */
typedef struct scalars {
    float single[LOSSI_FORMULA_INPUTS];
    double numbers[LOSSI_FORMULA_INPUTS];
} scalars;

static void set_inputs(const lossi_tile *tile, int32_t real_index, scalars *s, const void **inputs)
{
    for (int32_t k = LOSSI_FORMULA_SCALE; k < LOSSI_FORMULA_INPUTS; k++) {
        const double number = k == LOSSI_FORMULA_SCALE ? tile->scale
                                                       : tile->prepared->parameters[k - LOSSI_FORMULA_OPTION];
        s->single[k] = (float)number;
        s->numbers[k] = number;
        inputs[k] = real_index == LOSSI_FLOAT64 ? (const void *)&s->numbers[k] : (const void *)&s->single[k];
    }
}

static void *element(void *array, int64_t index, int64_t size)
{
    return array == NULL ? NULL : (char *)array + index * size;
}

static void run(const lossi_tile *tile, int32_t real_index, int32_t which)
{
    const lossi_formula *formula = tile->prepared->formula;
    const lossi_tile_kernels *tiles = lossi_tile_kernels_for(tile->isa, real_index);
    const int64_t size = real_index == LOSSI_FLOAT64 ? 8 : 4;
    const void *inputs[LOSSI_FORMULA_INPUTS];
    scalars s;
    lossi_run r;
    if (tile->outside != NULL) { /* whether they are, the caller looks */
        *tile->outside = 1;
    }
    set_inputs(tile, real_index, &s, inputs);
    lossi_run_begin(&r, formula->programs[which], tile->isa, real_index, tile->elements, inputs,
                    tile->scratch);
    r.lanes = tile->lanes;
    for (int64_t i = 0; i < tile->rows; i += r.block) {
        const int64_t n = tile->rows - i < r.block ? tile->rows - i : r.block;
        void *outputs[LOSSI_FORMULA_OUTPUTS] = {element(tile->value, i, size),
                                                tile->streaming ? NULL : element(tile->gradient, i, size),
                                                element(tile->curvature, i, size)};
        inputs[LOSSI_FORMULA_PREDICTION] = (const char *)tile->prediction + i * size;
        inputs[LOSSI_FORMULA_TARGET] = (const char *)tile->target + i * size;
        const int64_t added = lossi_run_block(&r, n, inputs, outputs);
        if (tile->value == NULL && added < n) {
            tiles->sum(n - added, element(lossi_run_place(&r, LOSSI_FORMULA_OF_VALUE), added, size),
                       tile->lanes);
        }
        if (tile->streaming && tile->gradient != NULL) {
            tiles->stream(n, lossi_run_place(&r, LOSSI_FORMULA_OF_GRADIENT),
                          element(tile->gradient, i, size));
        }
    }
}

/* A majorizer is the bound of the curvature that the caller gave; a NaN stays. */
static void fill_majorizer(const lossi_tile *tile, int32_t real_index)
{
    const double bound = tile->prepared->bounds.curvature;
    for (int64_t i = 0; i < tile->rows; i++) {
        if (real_index == LOSSI_FLOAT64) {
            const double value = ((const double *)tile->value)[i];
            ((double *)tile->curvature)[i] = isnan(value) ? value : bound * tile->scale;
        } else {
            const float value = ((const float *)tile->value)[i];
            ((float *)tile->curvature)[i] = isnan(value) ? value : (float)bound * (float)tile->scale;
        }
    }
}

static void run_everything(const lossi_tile *tile, int32_t real_index)
{
    if (tile->curvature_kind == LOSSI_MAJORIZER) {
        run(tile, real_index, LOSSI_FORMULA_GRADIENT);
        fill_majorizer(tile, real_index);
    } else {
        run(tile, real_index,
            tile->curvature_kind == LOSSI_GAUSS_NEWTON ? LOSSI_FORMULA_GAUSS_NEWTON : LOSSI_FORMULA_EXACT);
    }
}

static void value_float32(const lossi_tile *tile)
{
    run(tile, LOSSI_FLOAT32, LOSSI_FORMULA_VALUE);
}

static void gradient_float32(const lossi_tile *tile)
{
    run(tile, LOSSI_FLOAT32, LOSSI_FORMULA_GRADIENT);
}

static void everything_float32(const lossi_tile *tile)
{
    run_everything(tile, LOSSI_FLOAT32);
}

static void value_float64(const lossi_tile *tile)
{
    run(tile, LOSSI_FLOAT64, LOSSI_FORMULA_VALUE);
}

static void gradient_float64(const lossi_tile *tile)
{
    run(tile, LOSSI_FLOAT64, LOSSI_FORMULA_GRADIENT);
}

static void everything_float64(const lossi_tile *tile)
{
    run_everything(tile, LOSSI_FLOAT64);
}

const lossi_kernels *lossi_formula_kernels(int32_t real_index)
{
    static const lossi_kernels kernels[LOSSI_REAL_COUNT] = {
        [LOSSI_FLOAT32] = {.value = value_float32,
                           .gradient = gradient_float32,
                           .everything = everything_float32},
        [LOSSI_FLOAT64] = {.value = value_float64,
                           .gradient = gradient_float64,
                           .everything = everything_float64},
    };
    return &kernels[real_index];
}
