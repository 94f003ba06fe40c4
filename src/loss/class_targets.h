/*
 * Targets of losses over classes: u_j = w_j q_j, with class weights w and q = (1 − ε) t + ε/K, where t is a distribution or
 * [j = label].
 */
#ifndef LOSSI_LOSS_CLASS_TARGETS_H
#define LOSSI_LOSS_CLASS_TARGETS_H

#include "loss/distribution.h"

static void lossi_class_weights(const lossi_tile *tile, int64_t j, vreal *pack)
{
    real padded[LOSSI_LANES] = {0};
    for (int lane = 0; lane < LOSSI_LANES && j + lane < tile->columns; lane++) {
        padded[lane] = tile->prepared->class_weight == NULL ? 1
                                                            : (real)tile->prepared->class_weight[j + lane];
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        pack[v] = v_load(padded + v * VREAL_LANES);
    }
}

/* u of 16 columns, 0 beyond the row; label −1: of a distribution. */
static void lossi_class_targets(const lossi_tile *tile, double smoothing, int64_t row, int64_t label,
                                int64_t j, vreal *u)
{
    const double even = smoothing / (double)tile->columns;
    vreal weight[LOSSI_PACK];
    lossi_class_weights(tile, j, weight);
    if (label < 0) {
        lossi_load_pack(lossi_row_of(tile->target, row, tile->target_stride), j, tile->columns, 0, u);
        if (smoothing > 0) {
            const vreal kept = v_set1((real)(1 - smoothing)), there = v_set1((real)even);
            for (int v = 0; v < LOSSI_PACK; v++) {
                u[v] = u[v] * kept + there;
            }
        }
    } else {
        const vreal here = v_set1((real)(1 - smoothing + even)), there = v_set1((real)even);
        lossi_column_numbers(j, u);
        for (int v = 0; v < LOSSI_PACK; v++) {
            u[v] = v_select(v_eq(u[v], v_set1((real)label)), here, there);
        }
    }
    if (tile->prepared->class_weight != NULL || j + LOSSI_LANES > tile->columns) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            u[v] = u[v] * weight[v];
        }
    }
}

/* Σ of all class weights, or the number of classes. */
static double lossi_class_weight_total(const lossi_tile *tile)
{
    double total = 0;
    for (int64_t j = 0; j < tile->columns && tile->prepared->class_weight != NULL; j++) {
        total += tile->prepared->class_weight[j];
    }
    return tile->prepared->class_weight == NULL ? (double)tile->columns : total;
}

/* W = Σ u of a label, which is not a sum of rounded u. */
LOSSI_INLINE double lossi_class_total(const lossi_tile *tile, double smoothing, double weight_total,
                                      int64_t label)
{
    const double *weight = tile->prepared->class_weight;
    return weight == NULL
               ? 1
               : (1 - smoothing) * weight[label] + smoothing / (double)tile->columns * weight_total;
}

/* The label of a row, −1 of a distribution, and its weight, which is what the row adds to the denominator. */
typedef struct lossi_class_label {
    int64_t label;
    int32_t counts; /* 0: it is the ignored label */
    real own;
} lossi_class_label;

static lossi_class_label lossi_class_label_of(const lossi_tile *tile, int64_t row)
{
    const lossi_prepared *prepared = tile->prepared;
    const int64_t label = tile->labels == NULL ? -1 : tile->labels[row];
    lossi_class_label made = {label, tile->labels == NULL || label != prepared->ignore_label, 1};
    if (made.counts && label >= 0 && prepared->class_weight != NULL) {
        made.own = (real)prepared->class_weight[label];
    }
    lossi_put((real *)tile->denominator + row, made.counts ? made.own : 0);
    return made;
}

#endif
