/*
 * Losses over the pairs of a group: a formula of the difference of two scores, for every pair in which one item should rank
 * above the other.
 *
 *     loss = Σ φ(d),   d = s_low − s_high,   over the pairs with y_high > y_low
 *
 * Gradient: φ'(d) onto the low item and −φ'(d) onto the high one. The matrix of second derivatives is the Laplacian of a graph
 * with weights φ''(d): its diagonal is a sum over an item's pairs, its product with a direction v adds φ''(d)(v_low − v_high)
 * the same way, so that nothing is ever formed that is larger than the group (Burges et al. 2005, §3; Chung, Spectral graph
 * theory, 1997, §1.2).
 *
 * Sums are in double: for one high item over all low ones in 16 lanes (core/sum.h), for each low item over the high ones in
 * their order; what rounding takes away is kept and given back at the end (Knuth, TAOCP vol. 2, 4.2.2, theorem B).
 */
#ifndef LOSSI_LOSS_PAIRWISE_H
#define LOSSI_LOSS_PAIRWISE_H

#include "loss/lists.h"
#include "simd/reduce.h"

typedef struct lossi_pair {
    vreal value, slope, bend; /* φ, φ', φ'' */
    vreal slope_missing;      /* what rounding took away from φ', of a loss that says so */
} lossi_pair;

/* A sum per item, with what rounding took away. */
typedef struct lossi_item_sums {
    double *sum, *lost;
} lossi_item_sums;

enum { LOSSI_PAIR_SUMS = 3 }; /* gradient, curvature, product */

typedef struct lossi_pairs {
    const lossi_part *part;
    const real *score, *relevance, *direction; /* direction NULL: no product */
    int64_t items;
    lossi_item_sums sums[LOSSI_PAIR_SUMS];
    double value, value_lost, pairs;
    double *own; /* scratch behind the sums, of a loss that asked for it */
} lossi_pairs;

/* φ of `count` pairs: item i is the high one, items j … are the low ones. */
typedef void (*lossi_pair_formula)(const lossi_pairs *p, int64_t i, int64_t j, int count, vreal d,
                                   lossi_pair *out);

/* sum + lost += x */
LOSSI_INLINE void lossi_add_kept(double *sum, double *lost, double x)
{
    const double before = *sum, after = before + x, part = after - before;
    *lost += (before - (after - part)) + (x - part);
    *sum = after;
}

LOSSI_INLINE void lossi_add_kept_lanes(double *sum, double *lost, f64v x)
{
    const f64v before = f64_load(sum), after = before + x, part = after - before;
    f64_store(lost, f64_load(lost) + ((before - (after - part)) + (x - part)));
    f64_store(sum, after);
}

/* A vector of items onto their own sums. */
LOSSI_INLINE void lossi_add_items(lossi_item_sums *sums, int64_t j, vreal x)
{
#if LOSSI_REAL == 64
    lossi_add_kept_lanes(sums->sum + j, sums->lost + j, x);
#else
    lossi_add_kept_lanes(sums->sum + j, sums->lost + j, f32_to_f64_low(x));
    lossi_add_kept_lanes(sums->sum + j + F64_LANES, sums->lost + j + F64_LANES, f32_to_f64_high(x));
#endif
}

/* 16 lanes of a sum over the low items. */
typedef struct lossi_lane_pair {
    double sum[LOSSI_LANES], lost[LOSSI_LANES];
} lossi_lane_pair;

LOSSI_INLINE void lossi_add_pair_lanes(lossi_lane_pair *lanes, int64_t j, vreal x)
{
    lossi_item_sums sums = {lanes->sum, lanes->lost};
    lossi_add_items(&sums, j % LOSSI_LANES, x);
}

/* Lanes to a sum, with the errors kept. */
LOSSI_INLINE void lossi_add_lanes(const lossi_lane_pair *lanes, double sign, double *sum, double *lost)
{
    for (int i = 0; i < LOSSI_LANES; i++) {
        lossi_add_kept(sum, lost, sign * lanes->sum[i]);
        *lost += sign * lanes->lost[i];
    }
}

/* `count` lanes from memory, 0 beyond. */
LOSSI_INLINE vreal lossi_load_lanes(const real *from, int count)
{
    return count == VREAL_LANES ? v_load(from) : v_load_part(from, count);
}

/* The first n lanes. */
LOSSI_INLINE vmask lossi_first_lanes(int n)
{
    real there[VREAL_LANES] = {0};
    for (int lane = 0; lane < n; lane++) {
        there[lane] = 1;
    }
    return v_gt(v_load(there), v_set1(0));
}

/* All pairs in which item i is the high one; `missing`, a constant: whether the formula gives what φ' is missing. */
LOSSI_INLINE void lossi_pairs_of(lossi_pairs *p, int64_t i, lossi_pair_formula formula, int missing)
{
    const lossi_derivatives *out = &p->part->output[LOSSI_SCORE];
    const int wanted[LOSSI_PAIR_SUMS] = {out->gradient != NULL, out->curvature != NULL, out->product != NULL};
    const vreal zero = v_set1(0), one = v_set1(1), score = v_set1(lossi_get(p->score + i));
    const vreal relevance = v_set1(lossi_get(p->relevance + i));
    const vreal along = v_set1(p->direction != NULL ? lossi_get(p->direction + i) : 0);
    lossi_lane_pair value = {{0}, {0}}, own[LOSSI_PAIR_SUMS] = {{{0}, {0}}};
    vreal pairs = zero; /* a lane counts to 2²⁴ in float32: items enough for days of pairs */
    real counted[VREAL_LANES];
    for (int64_t j = 0; j < p->items; j += VREAL_LANES) {
        const int count = p->items - j < VREAL_LANES ? (int)(p->items - j) : VREAL_LANES;
        const vreal low = lossi_load_lanes(p->relevance + j, count);
        vmask below = v_gt(relevance, low);
        lossi_pair pair;
        if (count < VREAL_LANES) {
            below = v_mask_and(below, lossi_first_lanes(count));
        }
        if (!v_mask_any(below)) {
            continue;
        }
        formula(p, i, j, count, lossi_load_lanes(p->score + j, count) - score, &pair);
        pairs = pairs + v_select(below, one, zero);
        lossi_add_pair_lanes(&value, j, v_select(below, pair.value, zero));
        const vreal apart = wanted[2] ? lossi_load_lanes(p->direction + j, count) - along : zero;
        const vreal parts[LOSSI_PAIR_SUMS] = {pair.slope, pair.bend, pair.bend * apart};
        for (int k = 0; k < LOSSI_PAIR_SUMS; k++) {
            if (wanted[k]) {
                const vreal part = v_select(below, parts[k], zero);
                lossi_add_items(&p->sums[k], j, part);
                lossi_add_pair_lanes(&own[k], j, part);
            }
        }
        if (missing && wanted[0]) {
            const vreal part = v_select(below, pair.slope_missing, zero);
            lossi_add_items(&p->sums[0], j, part);
            lossi_add_pair_lanes(&own[0], j, part);
        }
    }
    v_store(counted, pairs);
    for (int lane = 0; lane < VREAL_LANES; lane++) {
        p->pairs += (double)counted[lane];
    }
    lossi_add_lanes(&value, 1, &p->value, &p->value_lost);
    for (int k = 0; k < LOSSI_PAIR_SUMS; k++) {
        if (wanted[k]) {
            lossi_add_lanes(&own[k], k == 1 ? 1 : -1, &p->sums[k].sum[i], &p->sums[k].lost[i]);
        }
    }
}

static void lossi_pairs_put(const lossi_pairs *p, void *array, int k, real probe)
{
    for (int64_t i = 0; array != NULL && i < p->items; i++) {
        const double sum = p->sums[k].sum[i], lost = p->sums[k].lost[i];
        const double total = sum - sum == 0 ? sum + lost
                                            : sum; /* infinity and NaN have nothing to give back */
        lossi_put((real *)array + i, probe + (real)total * (real)p->part->scale);
    }
}

static void lossi_pairs_begin(lossi_pairs *p, const lossi_part *part)
{
    const int64_t padded = lossi_padded(part->rows);
    double *scratch = part->scratch;
    memset(p, 0, sizeof *p);
    p->part = part;
    p->score = part->input[LOSSI_SCORE].data;
    p->relevance = part->input[LOSSI_RELEVANCE].data;
    p->direction = part->output[LOSSI_SCORE].direction;
    p->items = part->rows;
    memset(scratch, 0, (size_t)(2 * LOSSI_PAIR_SUMS * padded) * sizeof *scratch);
    for (int k = 0; k < LOSSI_PAIR_SUMS; k++, scratch += 2 * padded) {
        p->sums[k] = (lossi_item_sums){scratch, scratch + padded};
    }
    p->own = scratch;
}

LOSSI_INLINE void lossi_pairs_all(lossi_pairs *p, lossi_pair_formula formula, int missing)
{
    for (int64_t i = 0; i < p->items; i++) {
        lossi_pairs_of(p, i, formula, missing);
    }
}

static void lossi_pairs_end(const lossi_pairs *p)
{
    const lossi_derivatives *out = &p->part->output[LOSSI_SCORE];
    const real probe = lossi_list_probe(p->part);
    const double total = p->value - p->value == 0 ? p->value + p->value_lost : p->value;
    lossi_put(p->part->value, probe + (real)total);
    *p->part->denominator = p->pairs;
    lossi_pairs_put(p, out->gradient, 0, probe);
    lossi_pairs_put(p, out->curvature, 1, probe);
    lossi_pairs_put(p, out->product, 2, probe);
}

/* The kernel of a loss over pairs whose formula needs the difference alone. */
LOSSI_INLINE void lossi_pairwise(const lossi_part *part, lossi_pair_formula formula, int missing)
{
    lossi_pairs p;
    lossi_pairs_begin(&p, part);
    lossi_pairs_all(&p, formula, missing);
    lossi_pairs_end(&p);
}

/* The structure of all of them. */
#ifdef LOSSI_ONCE

static int64_t lossi_pairs_scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    return 2 * LOSSI_PAIR_SUMS * lossi_padded(shape->rows[0]) * (int64_t)sizeof(double);
}

static const lossi_structure lossi_pair_structure = {.roles = lossi_list_roles,
                                                     .role_count = LOSSI_LIST_ROLES,
                                                     .flags = LOSSI_GROUPED,
                                                     .scratch = lossi_pairs_scratch};

#endif

#endif
