/*
 * The kernels of a loss of the label's margin over its largest rival, included once, after
 *     #define LOSSI_FORMULA crammer_singer
 *     #define LOSSI_LEAST_RIVAL (-REAL_INFINITY)     a rival that is always there
 *
 *     loss = w max(0, margin + max_{j ≠ y} z_j − z_y)
 *
 * The gradient is w at the rival and −w at the label; rivals that are equal share it, which is the smallest subgradient, and so is
 * 0 where the margin is just reached. The curvature is 0.
 */
#include "loss/class_margin.h"

typedef struct rivals {
    real largest;
    int64_t ties; /* how many have it */
    int32_t nan;  /* whether there is one */
} rivals;

/* Of 16 columns, −∞ beyond the row and at the label. */
LOSSI_INLINE void load_rivals(const lossi_tile *tile, const lossi_margin_row *m, int64_t j, vreal *z)
{
    vreal number[LOSSI_PACK];
    lossi_load_pack(m->logits, j, tile->columns, -REAL_INFINITY, z);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        z[v] = v_select(v_eq(number[v], v_set1((real)m->label)), v_set1(-REAL_INFINITY), z[v]);
    }
}

static rivals find_rivals(const lossi_tile *tile, const lossi_margin_row *m)
{
    vreal z[LOSSI_PACK], largest[LOSSI_PACK], nan = v_set1(0);
    lossi_lane_sum ties;
    rivals found;
    for (int v = 0; v < LOSSI_PACK; v++) {
        largest[v] = v_set1(LOSSI_LEAST_RIVAL);
    }
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_rivals(tile, m, j, z);
        for (int v = 0; v < LOSSI_PACK; v++) {
            largest[v] = v_max(z[v], largest[v]); /* NaN is passed over */
            nan = v_select(v_is_nan(z[v]), z[v], nan);
        }
    }
    for (int v = 1; v < LOSSI_PACK; v++) {
        largest[0] = v_max(largest[v], largest[0]);
    }
    found.largest = v_largest_lane(largest[0]);
    found.nan = v_mask_any(v_is_nan(nan));
    lossi_lane_sum_clear(&ties);
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        load_rivals(tile, m, j, z);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask tie = v_mask_and(v_eq(z[v], v_set1(found.largest)),
                                         v_gt(z[v], v_set1(LOSSI_LEAST_RIVAL)));
            lossi_lane_sum_add(&ties, v, v_select(tie, v_set1(1), v_set1(0)));
        }
    }
    found.ties = (int64_t)lossi_lane_sum_total(&ties);
    return found;
}

/* 16 columns of a row that costs something, or not. Everything is read before anything is written over it. */
static void write_pack(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, const rivals *found,
                       int32_t costs, int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal zero = v_set1(0), least = v_set1(LOSSI_LEAST_RIVAL);
    const vreal share = v_set1(found->ties > 0 && costs ? m->weight / (real)found->ties : 0);
    const vreal own = v_set1(costs ? -m->weight : 0);
    vreal z[LOSSI_PACK], number[LOSSI_PACK], gradient[LOSSI_PACK], d[LOSSI_PACK], flat[LOSSI_PACK];
    load_rivals(tile, m, j, z);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask tie = v_mask_and(v_eq(z[v], v_set1(found->largest)), v_gt(z[v], least));
        gradient[v] = v_select(v_eq(number[v], v_set1((real)m->label)), own, v_select(tie, share, zero));
        flat[v] = zero;
    }
    if (to.product != NULL) {
        lossi_load_pack(m->direction, j, tile->columns, 0, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = zero * d[v]; /* NaN of infinity and NaN, as with any curvature of 0 */
        }
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.curvature, j, flat);
    lossi_store_scaled(tile, to.gradient, j, gradient);
}

static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m)
{
    const rivals found = find_rivals(tile, m);
    const real margin = (real)tile->prepared->parameters[LOSSI_CLASS_MARGIN];
    const real over = tile->columns > 1 || found.largest > -REAL_INFINITY ? found.largest - m->own
                                                                          : -REAL_INFINITY;
    const real gap = margin + over;
    if (gap != gap || found.nan || m->own != m->own) {
        lossi_margin_fill(tile, row, REAL_NAN, REAL_NAN);
        return;
    }
    lossi_put((real *)tile->value + row, gap > 0 && m->weight > 0 ? m->weight * gap : 0);
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        write_pack(tile, row, m, &found, gap > 0, j);
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
