/*
 * The kernels of a loss of loss/divergence.h, made from its formula: included once, after
 *     #define LOSSI_FORMULA reverse_kullback_leibler
 *     #define LOSSI_NORMALIZE normalize                 what is the same for all columns, of Σ t
 *     #define LOSSI_BEGIN begin                         the same, of the largest column
 *     #define LOSSI_FIRST_INPUT LOSSI_PROBABILITIES     where the first choice of `input` is not logits
 *     #define LOSSI_RATIO                               logits go through loss/divergence_ratio.h, but for second derivatives
 */
#ifndef LOSSI_FIRST_INPUT
#define LOSSI_FIRST_INPUT LOSSI_LOGITS
#endif

#include "loss/softmax_loss.h"

#ifdef LOSSI_RATIO
#include "loss/divergence_ratio.h"
#endif

#ifdef LOSSI_SLOPES_KNOWN
#define LOSSI_LINEAR 1
#else
#define LOSSI_LINEAR 0
#endif

/* φ of a vector of columns whose p and, but for probabilities, log p are there. Logarithms are taken where they are needed. */
LOSSI_SHORT void compare(const lossi_tile *tile, int64_t row, const lossi_divergence_row *constants,
                         int64_t j, const lossi_softmax_columns *at, lossi_divergence *out)
{
    const real *target = lossi_row_of(tile->target, row, tile->target_stride);
    const int32_t logarithms = tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0;
    const int32_t probabilities = constants->input == LOSSI_PROBABILITIES;
    const vreal given = lossi_load_columns(target, j, tile->columns, logarithms ? -REAL_INFINITY : 0);
    lossi_pair pair = {at->p, at->rest, given, at->log, given};
    if (logarithms) {
        pair.t = v_exp(given);
        pair.log_ratio = given - (probabilities ? v_log(at->p) : at->log);
    } else if (probabilities) {
        pair.log_ratio = lossi_log_ratio(given, at->p);
    } else {
        pair.log_ratio = v_log(given) - at->log;
    }
    LOSSI_FORMULA(&pair, constants, out);
}

LOSSI_INLINE void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                          lossi_columns *out)
{
    lossi_divergence_row constants = *(const lossi_divergence_row *)s->own;
    lossi_divergence phi;
    constants.input = LOSSI_LOGITS; /* known to the compiler */
    compare(tile, row, &constants, j, &out->of, &phi);
    out->value = phi.value;
    out->first = phi.first;
    out->second = phi.second;
}

/* ---- the target of a row ---- */

#ifdef LOSSI_NORMALIZE
/* Σ t; of logarithms, with what their exponentials lost in rounding. */
static __attribute__((noinline)) lossi_doubles target_total(const lossi_tile *tile, int64_t row)
{
    const real *target = lossi_row_of(tile->target, row, tile->target_stride);
    const int32_t logarithms = tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0;
    const vreal zero = v_set1(0);
    lossi_sum sum;
    lossi_sum_clear(0, &sum);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal x = lossi_load_columns(target, j, tile->columns, logarithms ? -REAL_INFINITY : 0);
        if (logarithms) {
            const vmask below = v_le(x, zero), none = v_lt(x, v_set1(MATH_EXP_LOWEST));
            vreal missing;
            const vreal head = v_exp_parts(v_select(below, v_select(none, zero, x), zero), &missing);
            lossi_sum_add_parts(0, &sum, j, v_select(none, zero, v_select(below, head, v_exp(x))),
                                v_select(v_mask_and(below, v_mask_not(none)), missing, zero));
        } else {
            lossi_sum_add(0, &sum, j, x);
        }
    }
    return lossi_sum_total(0, &sum, tile->columns, logarithms);
}
#endif

#ifdef LOSSI_BEGIN
/* In the largest column. */
static vreal target_at(const lossi_tile *tile, int64_t row, const lossi_softmax *softmax)
{
    const real *target = lossi_row_of(tile->target, row, tile->target_stride);
    const vreal t = v_set1(lossi_get(target + softmax->largest));
    return tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0 ? v_exp(t) : t;
}
#endif

/* ---- of probabilities and of their logarithms: every column for itself ---- */

LOSSI_INLINE void load_direct(const lossi_tile *tile, int64_t row, int32_t input, int64_t j,
                              lossi_softmax_columns *at)
{
    const real *prediction = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    if (input == LOSSI_PROBABILITIES) {
        at->p = lossi_load_columns(prediction, j, tile->columns, 0);
        at->log = v_set1(-REAL_INFINITY); /* not used */
    } else {
        at->log = lossi_load_columns(prediction, j, tile->columns, -REAL_INFINITY);
        at->p = v_exp(at->log);
    }
    at->rest = v_set1(1) - at->p;
}

static __attribute__((noinline)) void direct_row(const lossi_tile *tile, int64_t row,
                                                 const lossi_divergence_row *constants)
{
    const int32_t seconds = tile->curvature != NULL || tile->product != NULL;
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t positive = tile->curvature_kind == LOSSI_GAUSS_NEWTON;
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_softmax_columns at;
        lossi_divergence phi;
        load_direct(tile, row, constants->input, j, &at);
        compare(tile, row, constants, j, &at, &phi);
        lossi_columns_add(&sum, j, phi.value);
        if (seconds) {
            const vreal second = positive ? v_max(v_set1(0), phi.second) : phi.second;
            if (to.product != NULL) {
                const vreal d = lossi_load_columns(direction, j, tile->columns, 0);
                lossi_store_scaled_columns(tile, to.product, j, second * d);
            }
            lossi_store_scaled_columns(tile, to.curvature, j, second);
        }
        lossi_store_scaled_columns(tile, to.gradient, j, phi.first);
    }
    const real value = (real)lossi_columns_total(&sum, tile->columns);
    lossi_put((real *)tile->value + row, value);
    if (value != value) {
        lossi_fill_row(tile, row, value);
    }
}

/* ---- rows ---- */

static void logits_row(const lossi_tile *tile, int64_t row, const lossi_softmax *softmax,
                       lossi_divergence_row *constants)
{
    lossi_softmax_state s = {.softmax = *softmax, .own = constants};
#ifdef LOSSI_NORMALIZE
    LOSSI_NORMALIZE(target_total(tile, row), constants);
#endif
#ifdef LOSSI_BEGIN
    LOSSI_BEGIN(&s.softmax, target_at(tile, row, &s.softmax), constants);
#endif
    s.linear = constants->linear;
    lossi_softmax_values(tile, row, constants->offset, &s);
    lossi_softmax_finish(tile, row, &s);
}

static void logits_tile(const lossi_tile *tile, const lossi_divergence_row *start)
{
    /* a long row stays in the caches for the passes over it */
    const int64_t together = tile->columns <= LOSSI_RUN ? LOSSI_LANES : 1;
    lossi_softmax softmax[LOSSI_LANES];
    for (int64_t row = 0; row < tile->rows; row++) {
        const int64_t left = tile->rows - row;
        lossi_divergence_row constants = *start;
        if (row % together == 0) {
            lossi_softmax_begin(tile, row, left < together ? left : together, 0, softmax);
        }
        logits_row(tile, row, &softmax[row % together], &constants);
    }
}

/* Second derivatives first: the gradient may take the prediction's place. */
static void logits_of(const lossi_tile *tile, const lossi_divergence_row *start)
{
    if (tile->curvature != NULL || tile->product != NULL) {
        lossi_tile second = *tile;
        second.gradient = NULL;
        logits_tile(&second, start);
    }
#ifdef LOSSI_RATIO
    lossi_ratio_tile(tile);
#endif
}

static void everything(const lossi_tile *tile)
{
    const int32_t input = LOSSI_FIRST_INPUT + (int32_t)tile->prepared->parameters[LOSSI_INPUT];
    const vreal zero = v_set1(0);
    const lossi_divergence_row start = {
        tile->prepared->parameters, input, LOSSI_LINEAR, v_set1(1), zero, zero, zero};
    for (int64_t row = 0; row < tile->rows; row++) {
        lossi_put((real *)tile->denominator + row, 1);
    }
    if (LOSSI_FIRST_INPUT != LOSSI_LOGITS || input != LOSSI_LOGITS) {
        for (int64_t row = 0; row < tile->rows; row++) {
            direct_row(tile, row, &start);
        }
    } else {
        logits_of(tile, &start);
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
