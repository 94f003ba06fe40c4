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
#define LOSSI_MARGIN_ABREAST
#include "loss/class_margin.h"

typedef struct rivals {
    real largest;
    int64_t ties; /* how many have it */
    int32_t nan;  /* whether there is one */
} rivals;

/* Of a vector of columns, −∞ beyond the row and at the label. */
LOSSI_INLINE vreal load_rivals(const lossi_tile *tile, const lossi_margin_row *m, int64_t j)
{
    if (lossi_margin_plain(m, j, tile->columns)) {
        return v_load(m->logits + j);
    }
    const vreal z = lossi_load_columns(m->logits, j, tile->columns, -REAL_INFINITY);
    return v_select(lossi_margin_label(m, j), v_set1(-REAL_INFINITY), z);
}

static rivals find_rivals(const lossi_tile *tile, const lossi_margin_row *m)
{
    vreal largest = v_set1(LOSSI_LEAST_RIVAL), nan = v_set1(0);
    lossi_doubles ties = lossi_doubles_set1(0);
    rivals found;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal z = load_rivals(tile, m, j);
        lossi_send_at(tile->stream, j);
        largest = v_max(z, largest); /* NaN is passed over */
        nan = v_select(v_is_nan(z), z, nan);
    }
    found.largest = v_largest_lane(largest);
    found.nan = v_mask_any(v_is_nan(nan));
    const vreal most = v_set1(found.largest), least = v_set1(LOSSI_LEAST_RIVAL);
    for (int64_t from = 0; from < tile->columns && tile->gradient != NULL; from += LOSSI_COUNTED) {
        const int64_t end = tile->columns - from < LOSSI_COUNTED ? tile->columns : from + LOSSI_COUNTED;
        vreal counted = v_set1(0);
        for (int64_t j = from; j < end; j += VREAL_LANES) {
            const vreal z = load_rivals(tile, m, j);
            const vmask tie = v_mask_and(v_eq(z, most), v_gt(z, least));
            counted = counted + v_select(tie, v_set1(1), v_set1(0));
        }
        lossi_count(&ties, counted);
    }
    found.ties = (int64_t)lossi_count_total(&ties);
    return found;
}

/* Of a row that costs something, or not. Everything of columns is read before anything is written over it. */
static void write_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, const rivals *found,
                      int32_t costs)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal zero = v_set1(0), least = v_set1(LOSSI_LEAST_RIVAL);
    const vreal share = v_set1(found->ties > 0 && costs ? m->weight / (real)found->ties : 0);
    const vreal own = v_set1(costs ? -m->weight : 0);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal z = load_rivals(tile, m, j);
        const vmask tie = v_mask_and(v_eq(z, v_set1(found->largest)), v_gt(z, least));
        if (to.product != NULL) { /* NaN of infinity and NaN, as with any curvature of 0 */
            const vreal d = lossi_load_columns(m->direction, j, tile->columns, 0);
            lossi_store_scaled_columns(tile, to.product, j, zero * d);
        }
        lossi_store_scaled_columns(tile, to.curvature, j, zero);
        lossi_store_scaled_columns(tile, to.gradient, j,
                                   v_select(lossi_margin_label(m, j), own, v_select(tie, share, zero)));
    }
}

/* The same of a gradient alone. */
static void write_steps(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, const rivals *found,
                        int32_t costs)
{
    real *const to = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    const vreal least = v_set1(LOSSI_LEAST_RIVAL), most = v_set1(found->largest),
                scale = v_set1((real)tile->scale), low = v_set1(0) * scale;
    const vreal share = v_set1(found->ties > 0 && costs ? m->weight / (real)found->ties : 0) * scale;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal z = load_rivals(tile, m, j);
        lossi_store_columns(to, j, tile->columns,
                            v_select(v_mask_and(v_eq(z, most), v_gt(z, least)), share, low));
    }
    lossi_put(to + m->label, (costs ? -m->weight : 0) * (real)tile->scale);
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
    if (tile->gradient != NULL && tile->curvature == NULL && tile->product == NULL) {
        write_steps(tile, row, m, &found, gap > 0);
    } else if (tile->gradient != NULL) {
        write_row(tile, row, m, &found, gap > 0);
    }
}

static int32_t margin_rows(const lossi_tile *tile, lossi_margin_rows *m, vreal *value)
{
    const vreal zero = v_set1(0), one = v_set1(1), least = v_set1(LOSSI_LEAST_RIVAL),
                scale = v_set1((real)tile->scale);
    const vmask counts = v_ge(m->label, zero);
    vreal largest = least, ties = zero, nan = zero;
    for (int64_t j = 0; j < m->columns; j++) {
        const vmask here = v_eq(lossi_margin_number(j), m->label);
        const vreal z = m->logits.column[j] = v_select(here, v_set1(-REAL_INFINITY), m->logits.column[j]);
        largest = v_max(z, largest); /* NaN is passed over */
        nan = v_select(v_is_nan(z), z, nan);
    }
    const vreal gap = v_set1((real)tile->prepared->parameters[LOSSI_CLASS_MARGIN]) + (largest - m->own);
    const vmask unknown = v_mask_or(v_is_nan(gap), v_is_nan(nan));
    if (v_mask_any(v_mask_and(unknown, counts))) {
        return 0;
    }
    const vmask costs = v_mask_and(v_gt(gap, zero), counts);
    *value = v_select(v_mask_and(costs, v_gt(m->weight, zero)), m->weight * gap, zero);
    for (int64_t j = 0; j < m->columns && tile->gradient != NULL; j++) {
        const vreal z = m->logits.column[j];
        const vmask tie = v_mask_and(v_eq(z, largest), v_gt(z, least));
        ties = ties + v_select(tie, one, zero);
    }
    const vreal share = v_select(v_mask_and(costs, v_gt(ties, zero)), m->weight / ties, zero),
                own = v_select(costs, -m->weight, zero);
    for (int64_t j = 0; j < m->columns && tile->gradient != NULL; j++) {
        const vreal z = m->logits.column[j];
        const vmask tie = v_mask_and(v_eq(z, largest), v_gt(z, least)),
                    here = v_eq(lossi_margin_number(j), m->label);
        m->gradient.column[j] = v_select(here, own, v_select(tie, share, zero)) * scale;
    }
    return 1;
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
