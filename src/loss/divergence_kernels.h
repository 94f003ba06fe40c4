/*
 * The kernels of a loss of loss/divergence.h, made from its formula: included once, after
 *     #define LOSSI_FORMULA reverse_kullback_leibler
 *     #define LOSSI_NORMALIZE normalize                 what is the same for all columns, of Σ t
 *     #define LOSSI_BEGIN begin                         the same, of the largest column
 *     #define LOSSI_FIRST_INPUT LOSSI_PROBABILITIES     where the first choice of `input` is not logits
 */
#ifndef LOSSI_FIRST_INPUT
#define LOSSI_FIRST_INPUT LOSSI_LOGITS
#endif

#include "loss/softmax_loss.h"

static void load_target(const lossi_tile *tile, int64_t row, int64_t j, vreal *t, vreal *log_t)
{
    const real *target = lossi_row_of(tile->target, row, tile->target_stride);
    if (tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0) {
        lossi_load_pack(target, j, tile->columns, -REAL_INFINITY, log_t);
        for (int v = 0; v < LOSSI_PACK; v++) {
            t[v] = v_exp(log_t[v]);
        }
        return;
    }
    lossi_load_pack(target, j, tile->columns, 0, t);
    for (int v = 0; v < LOSSI_PACK; v++) {
        log_t[v] = v_log(t[v]);
    }
}

/* φ of 16 columns whose p and log p are there. */
static void compare(const lossi_tile *tile, int64_t row, const lossi_divergence_row *constants, int64_t j,
                    lossi_columns *at)
{
    const int32_t plain = constants->input == LOSSI_PROBABILITIES &&
                          tile->prepared->parameters[LOSSI_TARGET_INPUT] == 0;
    vreal t[LOSSI_PACK], log_t[LOSSI_PACK];
    load_target(tile, row, j, t, log_t);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal p = at->p[v], log_p = at->log[v];
        const lossi_pair pair = {p, at->rest[v], t[v], log_p,
                                 plain ? lossi_log_ratio(t[v], p) : log_t[v] - log_p};
        lossi_divergence out;
        LOSSI_FORMULA(&pair, constants, &out);
        at->value[v] = out.value;
        at->first[v] = out.first;
        at->second[v] = out.second;
    }
}

static void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                    lossi_columns *out)
{
    compare(tile, row, s->own, j, out);
}

/* ---- the target of a row ---- */

#ifdef LOSSI_NORMALIZE
/* Σ t; of logarithms, with what their exponentials lost in rounding. */
static double target_total(const lossi_tile *tile, int64_t row)
{
    const real *target = lossi_row_of(tile->target, row, tile->target_stride);
    const int32_t logarithms = tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0;
    const vreal zero = v_set1(0);
    vreal t[LOSSI_PACK], missing;
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_load_pack(target, j, tile->columns, logarithms ? -REAL_INFINITY : 0, t);
        for (int v = 0; v < LOSSI_PACK; v++) {
            if (logarithms) {
                const vreal x = t[v], head = v_exp_parts(x, &missing);
                const vmask below = v_le(x, zero); /* what v_exp_parts takes */
                t[v] = v_select(below, head, v_exp(x));
                lossi_lane_sum_add(&sum, v, v_select(below, missing, zero));
            }
            lossi_lane_sum_add(&sum, v, t[v]);
        }
    }
    return lossi_lane_sum_total(&sum);
}
#endif

#ifdef LOSSI_BEGIN
static real target_at(const lossi_tile *tile, int64_t row, int64_t j)
{
    const real t = lossi_get(lossi_row_of(tile->target, row, tile->target_stride) + j);
    return tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0 ? lossi_first_lane(v_exp(v_set1(t))) : t;
}
#endif

/* ---- of probabilities and of their logarithms: every column for itself ---- */

static void load_direct(const lossi_tile *tile, int64_t row, int32_t input, int64_t j, lossi_columns *at)
{
    const real *prediction = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    if (input == LOSSI_PROBABILITIES) {
        lossi_load_pack(prediction, j, tile->columns, 0, at->p);
    } else {
        lossi_load_pack(prediction, j, tile->columns, -REAL_INFINITY, at->log);
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        if (input == LOSSI_PROBABILITIES) {
            at->log[v] = v_log(at->p[v]);
        } else {
            at->p[v] = v_exp(at->log[v]);
        }
        at->rest[v] = v_set1(1) - at->p[v];
    }
}

static void direct_pack(const lossi_tile *tile, int64_t row, const lossi_divergence_row *constants, int64_t j,
                        lossi_lane_sum *value)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const int32_t positive = tile->curvature_kind == LOSSI_GAUSS_NEWTON;
    vreal d[LOSSI_PACK];
    lossi_columns at;
    load_direct(tile, row, constants->input, j, &at);
    compare(tile, row, constants, j, &at);
    for (int v = 0; v < LOSSI_PACK; v++) {
        lossi_lane_sum_add(value, v, at.value[v]);
        at.second[v] = positive ? v_max(v_set1(0), at.second[v]) : at.second[v];
    }
    if (to.product != NULL) {
        lossi_load_pack(lossi_row_of(tile->direction, row, tile->direction_stride), j, tile->columns, 0, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = at.second[v] * d[v];
        }
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.curvature, j, at.second);
    lossi_store_scaled(tile, to.gradient, j, at.first);
}

static void direct_row(const lossi_tile *tile, int64_t row, const lossi_divergence_row *constants)
{
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        direct_pack(tile, row, constants, j, &sum);
    }
    const real value = (real)lossi_lane_sum_total(&sum);
    lossi_put((real *)tile->value + row, value);
    if (value != value) {
        lossi_fill_row(tile, row, value);
    }
}

/* ---- rows ---- */

static void logits_row(const lossi_tile *tile, int64_t row, lossi_divergence_row *constants)
{
    lossi_softmax_state s = {.own = constants};
    lossi_softmax_begin(tile, row, &s.softmax);
#ifdef LOSSI_NORMALIZE
    LOSSI_NORMALIZE(target_total(tile, row), constants);
#endif
#ifdef LOSSI_BEGIN
    LOSSI_BEGIN(&s.softmax, target_at(tile, row, s.softmax.largest), constants);
#endif
    s.linear = constants->linear;
    lossi_softmax_values(tile, row, (double)constants->offset, &s);
    lossi_softmax_finish(tile, row, &s);
}

static void everything(const lossi_tile *tile)
{
    const int32_t input = LOSSI_FIRST_INPUT + (int32_t)tile->prepared->parameters[LOSSI_INPUT];
    for (int64_t row = 0; row < tile->rows; row++) {
        lossi_divergence_row constants = {
            .parameters = tile->prepared->parameters, .input = input, .factor = 1};
        lossi_put((real *)tile->denominator + row, 1);
        if (LOSSI_FIRST_INPUT == LOSSI_LOGITS && input == LOSSI_LOGITS) {
            logits_row(tile, row, &constants);
        } else {
            direct_row(tile, row, &constants);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
