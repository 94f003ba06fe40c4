/*
 * The loop of the pointwise losses: a formula on vectors, applied to a tile.
 *
 * A formula computes value, gradient, curvature and majorizer of all lanes; what a variant does not store, the compiler
 * leaves out. It is passed as a function and inlined: a loss file holds its formula and, below it,
 *
 *     #define LOSSI_FORMULA huber
 *     #include "loss/pointwise_kernels.h"
 *
 * or, where the formula is long for it calls an elementary function, "loss/pointwise_long_kernels.h": there it stands in the
 * code once and not in each variant.
 */
#ifndef LOSSI_LOSS_POINTWISE_H
#define LOSSI_LOSS_POINTWISE_H

#include "loss/lanes.h"
#include "loss/look.h"
#include "loss/row.h"

/* What a copy of the loop makes: so much and no less, or what the tile wants; of a very long formula one vector at a time. */
enum {
    LOSSI_VALUE,
    LOSSI_GRADIENT,
    LOSSI_EVERYTHING,
    LOSSI_WANTED,
    LOSSI_WANTED_ALONE,
    LOSSI_WANTED_SHORT /* values and gradients by a short formula; for curvatures vectors are done again */
};

/*
 * What a formula computes in: the element type; or double for both, where its file begins with
 *
 *     #define LOSSI_IN_DOUBLE
 *
 * In float32 a long formula is then plain, for nothing is lost in double that float32 could show (simd/math_single.h), and takes a
 * fraction of the instructions of one that carries its rounding errors along. Numbers are widened before it and rounded once
 * after it, the value too before it is added up (core/sum.h). Parameters come as the doubles they are.
 */
#if LOSSI_REAL == 32 && defined(LOSSI_IN_DOUBLE)
#define LOSSI_WIDENED_FORMULA 1
typedef double lossi_parameter;
typedef f64m lossi_noted;
typedef struct lossi_wide_point {
    f64v value, gradient, curvature, majorizer;
    lossi_noted unusual;
    int noting; /* see lossi_unusual() */
} lossi_wide_point;
typedef void (*lossi_formula)(f64v prediction, f64v target, const double *parameters, lossi_wide_point *out);
#else
typedef real lossi_parameter;
typedef vmask lossi_noted;
#endif

typedef struct lossi_point {
    vreal value, gradient, curvature, majorizer;
    lossi_noted unusual;
    int noting;
} lossi_point;

#if !defined(LOSSI_WIDENED_FORMULA)
typedef void (*lossi_formula)(vreal prediction, vreal target, const real *parameters, lossi_point *out);
#endif

/*
 * The question of lossi_rare() (loss/look.h) in a long formula, as lossi_unusual(out, mask). It is not answered at once, for vectors between which nothing
 * branches overlap: a mask is noted, and the vectors are done once more when there was any, now with the special results. Such a
 * vector costs twice, and `mask` should not hold for what data are full of, a residual of 0.
 */
#if defined(LOSSI_WIDENED_FORMULA)

LOSSI_INLINE int lossi_any_noted(f64m noted)
{
    return (int)__builtin_expect(f64_mask_any(noted), 0);
}

LOSSI_INLINE int lossi_unusual(lossi_wide_point *out, f64m mask)
{
    if (out->noting) {
        out->unusual = f64_mask_or(out->unusual, mask);
        return 0;
    }
    return lossi_any_noted(mask);
}

LOSSI_INLINE void lossi_apply(lossi_formula formula, vreal prediction, vreal target,
                              const lossi_parameter *parameters, lossi_point *out)
{
    lossi_wide_point low = {.noting = out->noting}, high = {.noting = out->noting};
    formula(f32_to_f64_low(prediction), f32_to_f64_low(target), parameters, &low);
    formula(f32_to_f64_high(prediction), f32_to_f64_high(target), parameters, &high);
    out->value = f64_to_f32(low.value, high.value);
    out->gradient = f64_to_f32(low.gradient, high.gradient);
    out->curvature = f64_to_f32(low.curvature, high.curvature);
    out->majorizer = f64_to_f32(low.majorizer, high.majorizer);
    out->unusual = f64_mask_or(low.unusual, high.unusual);
}

LOSSI_INLINE lossi_noted lossi_note(lossi_noted a, lossi_noted b)
{
    return f64_mask_or(a, b);
}

#else

LOSSI_INLINE int lossi_any_noted(vmask noted)
{
    return lossi_rare(noted);
}

LOSSI_INLINE int lossi_unusual(lossi_point *out, vmask mask)
{
    if (out->noting) {
        out->unusual = v_mask_or(out->unusual, mask);
        return 0;
    }
    return lossi_rare(mask);
}

/* What a short formula (pointwise_long_kernels.h) is not for: it has no special results, but leaves these lanes to the long one. */
LOSSI_INLINE void lossi_leave(lossi_point *out, vmask mask)
{
    out->unusual = v_mask_or(out->unusual, mask);
}

LOSSI_INLINE lossi_noted lossi_note(lossi_noted a, lossi_noted b)
{
    return v_mask_or(a, b);
}

LOSSI_INLINE void lossi_apply(lossi_formula formula, vreal prediction, vreal target,
                              const lossi_parameter *parameters, lossi_point *out)
{
    formula(prediction, target, parameters, out);
}

#endif

/* The curvature of the kind asked for; Gauss–Newton is the positive part, and keeps NaN. */
LOSSI_INLINE vreal lossi_curvature_of(const lossi_point *point, int32_t kind)
{
    if (kind == LOSSI_MAJORIZER) {
        return point->majorizer;
    }
    return kind == LOSSI_GAUSS_NEWTON ? v_max(v_set1(0), point->curvature) : point->curvature;
}

LOSSI_INLINE void lossi_pointwise_parameters(const lossi_tile *tile, lossi_parameter *parameters)
{
    for (int k = 0; k < LOSSI_PARAMETERS; k++) {
        parameters[k] = (lossi_parameter)tile->prepared->parameters[k];
    }
}

/* ---- what lies ahead ---- */

enum { LOSSI_LINE = 64 };

/* Behind the end of an array there is no harm in asking: the address is never read. */
LOSSI_INLINE void lossi_ask(const real *x, int64_t ahead)
{
    for (unsigned line = 0; line < LOSSI_LANES * sizeof *x; line += LOSSI_LINE) {
        __builtin_prefetch((const void *)((uintptr_t)x + (uintptr_t)ahead + line), 0, 3);
    }
}

LOSSI_INLINE void lossi_ask_to_write(const real *x, int64_t ahead)
{
    for (unsigned line = 0; line < LOSSI_LANES * sizeof *x; line += LOSSI_LINE) {
        __builtin_prefetch((const void *)((uintptr_t)x + (uintptr_t)ahead + line), 1, 3);
    }
}

/* ---- the loop ---- */

/* Where a sum starts; nothing where nobody wants it. */
LOSSI_INLINE void lossi_lanes_begin(const lossi_tile *tile, f64v *lanes)
{
    LOSSI_UNROLL
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes[v] = f64_set1(0);
    }
    if (tile->value == NULL) {
        lossi_lanes_load(tile->lanes, lanes);
    }
}

/* Pack i / 16 of the values: stored, or where there is no array for them added to the lanes. */
LOSSI_INLINE void lossi_put_values(const vreal *values, real *array, int64_t i, f64v *lanes)
{
    if (__builtin_expect(array == NULL, 1)) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lanes_add(lanes, v, values[v]);
        }
    } else {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            v_store(array + i + v * VREAL_LANES, values[v]);
        }
    }
}

/*
 * Whether values are added to the lanes an iteration late, where there are registers to keep them. The end of a formula waits for all
 * of it, and what waits fills the window in which the processor looks for work: an addition of 16 values in double is seven
 * instructions, which had better come when the values are there.
 */
enum { LOSSI_LATE = VREAL_LANES * LOSSI_REAL == 512 };

/* `count` values of an iteration, stored where there is an array for them, and those of the one before (+0 before the first) to
 * the lanes, which nobody reads where there is an array. */
LOSSI_INLINE void lossi_put_values_late(const vreal *values, vreal *late, int count, real *array, f64v *lanes)
{
    if (__builtin_expect(array != NULL, 0)) {
        LOSSI_UNROLL
        for (int v = 0; v < count; v++) {
            v_store(array + v * VREAL_LANES, values[v]);
        }
    }
    LOSSI_UNROLL
    for (int v = 0; v < count; v++) {
        lossi_lanes_add(lanes, v % LOSSI_PACK, late[v]);
        late[v] = values[v];
    }
}

LOSSI_INLINE void lossi_put_gradient(vreal slope, real *place, int32_t streaming)
{
    if (__builtin_expect(streaming, 0)) {
        v_stream(place, slope);
    } else {
        v_store(place, slope);
    }
}

/*
 * How many packs an iteration takes of a long formula, and how many of their vectors stand side by side: two, which overlap; four
 * with 32 registers of 64 bytes, unless the file says LOSSI_PAIRS, for a formula that fills them; one where vectors have 16 bytes,
 * or are two halves.
 */
#if VREAL_LANES * LOSSI_REAL == 128 || defined(LOSSI_WIDENED_FORMULA)
enum { LOSSI_PACKS = 1, LOSSI_TOGETHER = 1 };
#elif VREAL_LANES * LOSSI_REAL == 512 && !defined(LOSSI_PAIRS)
enum { LOSSI_TOGETHER = 4, LOSSI_PACKS = LOSSI_TOGETHER / LOSSI_PACK };
#else
enum { LOSSI_PACKS = LOSSI_PACK < 2 ? 2 : 1, LOSSI_TOGETHER = 2 };
#endif

/* The same of a short formula, where vectors wait for each other's stores elsewhere. In float64 it waits for memory, which several at
 * once make no faster. */
enum { LOSSI_SHORT_LATE = LOSSI_LATE && LOSSI_REAL == 32, LOSSI_SHORT_PACKS = LOSSI_SHORT_LATE ? 4 : 1 };

enum { LOSSI_MOST = LOSSI_PACK < 4 ? 4 : LOSSI_PACK }; /* vectors an iteration */

/* A pack of a short formula, or several: vectors side by side. What is stored past the caches is not asked for: it would be read. */
LOSSI_INLINE void lossi_packs_at_once(const lossi_tile *tile, lossi_formula formula, int variant,
                                      int streaming, int packs, int64_t i, const lossi_parameter *parameters,
                                      vreal *values)
{
    const real *prediction = tile->prediction, *target = tile->target;
    real *gradient = tile->gradient, *curvature = tile->curvature;
    const vreal scale = v_set1((real)tile->scale);
    const int count = packs * LOSSI_PACK,
              before = LOSSI_SHORT_LATE ? count : 1; /* formulas before their stores */
    if (variant >= LOSSI_GRADIENT && !streaming) {
        LOSSI_UNROLL
        for (int pack = 0; pack < packs; pack++) {
            lossi_ask_to_write(gradient + i + pack * LOSSI_LANES, tile->ask_ahead);
        }
    }
    LOSSI_UNROLL
    for (int first = 0; first < count; first += before) {
        lossi_point points[LOSSI_MOST];
        LOSSI_UNROLL
        for (int v = 0; v < before; v++) {
            const int64_t k = i + (first + v) * VREAL_LANES;
            points[v] = (lossi_point){.noting = 0};
            lossi_apply(formula, v_load(prediction + k), v_load(target + k), parameters, &points[v]);
            values[first + v] = points[v].value;
        }
        LOSSI_UNROLL
        for (int v = 0; v < before; v++) {
            const int64_t k = i + (first + v) * VREAL_LANES;
            /* at once: a pack of slopes beside one of values is more than 16 registers hold */
            if (variant >= LOSSI_GRADIENT) {
                lossi_put_gradient(points[v].gradient * scale, gradient + k, streaming);
            }
            if (variant == LOSSI_EVERYTHING) {
                v_store(curvature + k, lossi_curvature_of(&points[v], tile->curvature_kind) * scale);
            }
        }
    }
}

/* Makes `count` vectors of a long formula from element k on with all special results: values to an array, derivatives to the tile's. */
typedef void (*lossi_again)(const lossi_tile *tile, int64_t k, int count, real *values);

LOSSI_INLINE void lossi_vectors_again(const lossi_tile *tile, lossi_formula formula, int64_t k, int count,
                                      real *values)
{
    const vreal scale = v_set1((real)tile->scale);
    lossi_parameter parameters[LOSSI_PARAMETERS];
    lossi_pointwise_parameters(tile, parameters);
    LOSSI_NO_UNROLL
    for (int v = 0; v < count; v++, k += VREAL_LANES) {
        lossi_point point = {.noting = 0};
        lossi_apply(formula, v_load((const real *)tile->prediction + k),
                    v_load((const real *)tile->target + k), parameters, &point);
        v_store(values + v * VREAL_LANES, point.value);
        if (tile->gradient != NULL) {
            lossi_put_gradient(point.gradient * scale, (real *)tile->gradient + k, tile->streaming);
        }
        if (tile->curvature != NULL) {
            v_store((real *)tile->curvature + k, lossi_curvature_of(&point, tile->curvature_kind) * scale);
        }
    }
}

#if !defined(LOSSI_WIDENED_FORMULA)

/* The same by a short formula, and by the long one where it is left to that. */
LOSSI_INLINE void lossi_short_vectors_again(const lossi_tile *tile, lossi_formula brief, lossi_formula whole,
                                            int64_t k, int count, real *values)
{
    const vreal scale = v_set1((real)tile->scale);
    lossi_parameter parameters[LOSSI_PARAMETERS];
    lossi_pointwise_parameters(tile, parameters);
    LOSSI_NO_UNROLL
    for (int v = 0; v < count; v++, k += VREAL_LANES) {
        const vreal prediction = v_load((const real *)tile->prediction + k),
                    target = v_load((const real *)tile->target + k);
        lossi_point point = {.noting = 1}, full = {.noting = 0};
        whole(prediction, target, parameters, &full);
        lossi_apply(brief, prediction, target, parameters, &point);
        v_store(values + v * VREAL_LANES, v_select(point.unusual, full.value, point.value));
        if (tile->gradient != NULL) {
            const vreal slope = v_select(point.unusual, full.gradient, point.gradient);
            lossi_put_gradient(slope * scale, (real *)tile->gradient + k, tile->streaming);
        }
        if (tile->curvature != NULL) {
            v_store((real *)tile->curvature + k, lossi_curvature_of(&full, tile->curvature_kind) * scale);
        }
    }
}

#endif

/*
 * Vectors from k on. All of their formulas come before the stores, so that nothing stands between two of them and the compiler can
 * mix their instructions. What only a derivative needs, it moves into the branch that stores it, unless it thinks that branch a
 * likely one, as it would of a pointer that is not NULL: hence the probabilities. `whole` is the tile in memory; without `again` it is
 * one vector, with all special results.
 */
LOSSI_INLINE void lossi_long_vectors(const lossi_tile *tile, const lossi_tile *whole, lossi_formula formula,
                                     lossi_again again, int variant, int64_t k,
                                     const lossi_parameter *parameters, vreal *values)
{
    const vreal scale = v_set1((real)tile->scale);
    const real *prediction = (const real *)tile->prediction + k, *target = (const real *)tile->target + k;
    real *gradient = tile->gradient, *curvature = tile->curvature;
    const int together = again == NULL ? 1 : LOSSI_TOGETHER;
    const int bent = variant == LOSSI_WANTED_SHORT && curvature != NULL;
    lossi_point points[LOSSI_TOGETHER];
    lossi_noted unusual = {0};
    LOSSI_UNROLL
    for (int v = 0; v < together; v++) {
        points[v] = (lossi_point){.noting = again != NULL};
        lossi_apply(formula, v_load(prediction + v * VREAL_LANES), v_load(target + v * VREAL_LANES),
                    parameters, &points[v]);
        values[v] = points[v].value;
        unusual = lossi_note(unusual, points[v].unusual);
    }
    if (again != NULL && (lossi_any_noted(unusual) || __builtin_expect(bent, 0))) {
        real made[LOSSI_TOGETHER * VREAL_LANES];
        again(whole, k, LOSSI_TOGETHER, made);
        for (int v = 0; v < LOSSI_TOGETHER; v++) {
            values[v] = v_load(made + v * VREAL_LANES);
        }
        return;
    }
    if (__builtin_expect_with_probability(gradient != NULL, 1, 0.5)) {
        LOSSI_UNROLL
        for (int v = 0; v < together; v++) {
            lossi_put_gradient(points[v].gradient * scale, gradient + k + v * VREAL_LANES, tile->streaming);
        }
    }
    if (variant != LOSSI_WANTED_SHORT && __builtin_expect_with_probability(curvature != NULL, 1, 0.25)) {
        LOSSI_UNROLL
        for (int v = 0; v < together; v++) {
            v_store(curvature + k + v * VREAL_LANES,
                    lossi_curvature_of(&points[v], tile->curvature_kind) * scale);
        }
    }
}

LOSSI_INLINE void lossi_packs_in_turn(const lossi_tile *tile, const lossi_tile *whole, lossi_formula formula,
                                      lossi_again again, int variant, int64_t i,
                                      const lossi_parameter *parameters, vreal *values)
{
    enum { VECTORS = LOSSI_PACKS * LOSSI_PACK };
    const int together = again == NULL ? 1 : LOSSI_TOGETHER, vectors = again == NULL ? LOSSI_PACK : VECTORS;
    if (tile->gradient != NULL && !tile->streaming) {
        for (int k = 0; k < vectors; k += LOSSI_PACK) {
            lossi_ask_to_write((real *)tile->gradient + i + k * VREAL_LANES, tile->ask_ahead);
        }
    }
    if (together == vectors) {
        lossi_long_vectors(tile, whole, formula, again, variant, i, parameters, values);
        return;
    }
    LOSSI_NO_UNROLL
    for (int v = 0; v < vectors; v += together) {
        lossi_long_vectors(tile, whole, formula, again, variant, i + v * VREAL_LANES, parameters, values + v);
    }
}

/* A pack that is left where an iteration takes more. */
LOSSI_INLINE void lossi_last_pack(const lossi_tile *tile, const lossi_tile *whole, lossi_again again,
                                  int64_t i, f64v *lanes)
{
    real made[LOSSI_LANES];
    vreal values[LOSSI_PACK];
    again(whole, i, LOSSI_PACK, made);
    for (int v = 0; v < LOSSI_PACK; v++) {
        values[v] = v_load(made + v * VREAL_LANES);
    }
    lossi_put_values(values, tile->value, i, lanes);
}

/*
 * Whole packs of 16 elements. What a call does not want is a branch that always goes the same way, not a copy of the formula.
 * A gradient that is streamed has no array of values beside it.
 */
LOSSI_INLINE void lossi_pointwise_loop(const lossi_tile *whole, lossi_formula formula, lossi_again again,
                                       int domains, int variant, int streaming)
{
    lossi_tile tile = *whole; /* in registers, whatever is stored */
    lossi_look predictions = lossi_look_at(&tile, &tile.prepared->prediction, domains, 0),
               targets = lossi_look_at(&tile, &tile.prepared->target, domains, 1);
    const int looking = (predictions.kind | targets.kind) != LOSSI_LOOK_NOT;
    const int long_formula = variant >= LOSSI_WANTED, add_late = long_formula ? LOSSI_LATE : LOSSI_SHORT_LATE;
    const int packs = !long_formula ? LOSSI_SHORT_PACKS : again != NULL ? LOSSI_PACKS : 1;
    lossi_parameter parameters[LOSSI_PARAMETERS];
    f64v lanes[LOSSI_WIDE];
    vreal late[LOSSI_MOST] = {{0}};

    tile.value = variant == LOSSI_GRADIENT && streaming ? NULL : tile.value;
    lossi_pointwise_parameters(&tile, parameters);
    lossi_lanes_begin(&tile, lanes);
    int64_t i = 0;
    for (; i + packs * LOSSI_LANES <= tile.rows; i += packs * LOSSI_LANES) {
        vreal values[LOSSI_MOST];
        LOSSI_UNROLL
        for (int64_t k = i; k < i + packs * LOSSI_LANES; k += LOSSI_LANES) {
            lossi_ask((const real *)tile.prediction + k, tile.ask_ahead);
            lossi_ask((const real *)tile.target + k, tile.ask_ahead);
            if (__builtin_expect(looking,
                                 domains == LOSSI_SIGNS)) { /* before the gradient takes their place */
                lossi_pass(&predictions, (const real *)tile.prediction + k, tile.outside);
                lossi_pass(&targets, (const real *)tile.target + k, tile.outside);
            }
        }
        if (long_formula) {
            lossi_packs_in_turn(&tile, whole, formula, again, variant, i, parameters, values);
        } else {
            lossi_packs_at_once(&tile, formula, variant, streaming, packs, i, parameters, values);
        }
        if (add_late) {
            real *array = tile.value == NULL ? NULL : (real *)tile.value + i;
            lossi_put_values_late(values, late, packs * LOSSI_PACK, array, lanes);
        }
        for (int pack = 0; pack < packs && !add_late; pack++) {
            lossi_put_values(values + pack * LOSSI_PACK, tile.value, i + pack * LOSSI_LANES, lanes);
        }
    }
    for (int v = 0; v < packs * LOSSI_PACK && add_late; v++) {
        lossi_lanes_add(lanes, v % LOSSI_PACK, late[v]);
    }
    for (; packs > 1 && i < tile.rows; i += LOSSI_LANES) {
        lossi_pass(&predictions, (const real *)tile.prediction + i, tile.outside);
        lossi_pass(&targets, (const real *)tile.target + i, tile.outside);
        if (long_formula) {
            lossi_last_pack(&tile, whole, again, i, lanes);
        } else {
            vreal values[LOSSI_MOST];
            lossi_packs_at_once(&tile, formula, variant, streaming, 1, i, parameters, values);
            lossi_put_values(values, tile.value, i, lanes);
        }
    }
    if (tile.value == NULL) {
        lossi_lanes_store(tile.lanes, lanes);
    }
    if (lossi_looked_outside(&predictions) || lossi_looked_outside(&targets)) {
        *tile.outside = 1;
    }
}

/* A short formula has a loop of its own for each kind of store; in a long one the question is nothing. */
LOSSI_INLINE void lossi_pointwise_packs(const lossi_tile *tile, lossi_formula formula, lossi_again again,
                                        int domains, int variant)
{
    if (variant == LOSSI_GRADIENT && tile->streaming) {
        lossi_pointwise_loop(tile, formula, again, domains, variant, 1);
    } else {
        lossi_pointwise_loop(tile, formula, again, domains, variant, 0);
    }
}

/* Any number of elements, by a function that does whole packs; in tile_kernels.c. */
void LOSSI_NAME(pointwise)(const lossi_tile *tile, lossi_kernel packs);

#endif
