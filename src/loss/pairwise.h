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
 * their order. Of float64, what rounding takes away is kept and given back at the end (Knuth, TAOCP vol. 2, 4.2.2, theorem B).
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

/* Arrays of whole packs: relevances behind the last item are NaN, which is above nothing. */
typedef struct lossi_pairs {
    const lossi_part *part;
    real *score, *relevance, *direction; /* direction NULL: no product */
    int64_t items;
    lossi_item_sums sums[LOSSI_PAIR_SUMS];
    double value, value_lost, pairs;
    double *own; /* scratch behind the sums, of a loss that asked for it */
} lossi_pairs;

/* φ of a vector of pairs: item i is the high one, items j … are the low ones. */
typedef void (*lossi_pair_formula)(const lossi_pairs *p, int64_t i, int64_t j, vreal d, lossi_pair *out);

/* log(1 + eˣ) and its derivatives, of one exponential and one division. */
LOSSI_INLINE void lossi_pair_logistic(vreal x, lossi_pair *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), e = v_exp_nonpositive(v_copysign(x, v_set1(-1)));
    const vreal large = one / (one + e); /* σ(|x|) */
    out->value = v_max(zero, x) + v_log1p_unit(e);
    out->slope = v_select(v_lt(x, zero), e, one) * large;
    out->bend = e * (large * large);
}

/* lossi_add_kept() on vectors. */
LOSSI_INLINE void lossi_add_kept_lanes(f64v *sum, f64v *lost, f64v x)
{
    const f64v before = *sum, after = before + x, part = after - before;
    *lost = *lost + ((before - (after - part)) + (x - part));
    *sum = after;
}

/* 16 lanes of a sum over the low items. */
typedef struct lossi_pair_lanes {
    f64v sum[LOSSI_WIDE], lost[LOSSI_WIDE];
} lossi_pair_lanes;

/* Vector v of a pack onto its lanes. */
LOSSI_INLINE void lossi_add_pair_lanes(lossi_pair_lanes *lanes, int v, vreal x)
{
#if LOSSI_REAL == 64
    lossi_add_kept_lanes(&lanes->sum[v], &lanes->lost[v], x);
#else
    lossi_lanes_add(lanes->sum, v, x);
#endif
}

/* A vector of items onto their own sums. */
LOSSI_INLINE void lossi_add_items(const lossi_item_sums *sums, int64_t j, vreal x)
{
#if LOSSI_REAL == 64
    f64v sum = f64_load(sums->sum + j), lost = f64_load(sums->lost + j);
    lossi_add_kept_lanes(&sum, &lost, x);
    f64_store(sums->sum + j, sum);
    f64_store(sums->lost + j, lost);
#else
    f64_store(sums->sum + j, f64_load(sums->sum + j) + f32_to_f64_low(x));
    f64_store(sums->sum + j + F64_LANES, f64_load(sums->sum + j + F64_LANES) + f32_to_f64_high(x));
#endif
}

/* Lanes to a sum, with the errors kept. */
LOSSI_INLINE void lossi_add_lanes(const lossi_pair_lanes *lanes, double sign, double *sum, double *lost)
{
    double sums[LOSSI_LANES], losts[LOSSI_LANES];
    lossi_lanes_store(sums, lanes->sum);
    lossi_lanes_store(losts, lanes->lost);
    for (int i = 0; i < LOSSI_LANES; i++) {
        lossi_add_kept(sum, lost, sign * sums[i]);
        *lost += sign * losts[i];
    }
}

/* What one high item collects. */
typedef struct lossi_pairs_of_one {
    lossi_pair_lanes value, sums[LOSSI_PAIR_SUMS];
    f64v pairs[LOSSI_WIDE];
} lossi_pairs_of_one;

/* Vector v of the pack of low items at j. */
LOSSI_INLINE void lossi_pairs_at(lossi_pairs *p, int64_t i, int64_t j, int v, lossi_pair_formula formula,
                                 int sums, int missing, lossi_pairs_of_one *own)
{
    const vreal zero = v_set1(0);
    const int64_t at = j + v * VREAL_LANES;
    const vmask below = v_gt(v_set1(p->relevance[i]), v_load(p->relevance + at));
    lossi_pair pair;
    if (!v_mask_any(below)) {
        return;
    }
    formula(p, i, at, v_load(p->score + at) - v_set1(p->score[i]), &pair);
    const vreal slope = v_select(below, pair.slope, zero);
    lossi_add_pair_lanes(&own->value, v, v_select(below, pair.value, zero));
    lossi_add_items(&p->sums[0], at, slope);
    lossi_add_pair_lanes(&own->sums[0], v, slope);
    if (missing) {
        const vreal rest = v_select(below, pair.slope_missing, zero);
        lossi_add_items(&p->sums[0], at, rest);
        lossi_add_pair_lanes(&own->sums[0], v, rest);
    }
    if (sums > 1) {
        const vreal bend = v_select(below, pair.bend, zero);
        lossi_add_items(&p->sums[1], at, bend);
        lossi_add_pair_lanes(&own->sums[1], v, bend);
    }
    if (sums > 1 && p->direction != NULL) {
        const vreal along = v_load(p->direction + at) - v_set1(p->direction[i]);
        const vreal product = v_select(below, pair.bend * along, zero);
        lossi_add_items(&p->sums[2], at, product);
        lossi_add_pair_lanes(&own->sums[2], v, product);
    }
    lossi_lanes_add(own->pairs, v, v_select(below, v_set1(1), zero));
}

/*
 * All pairs in which item i is the high one. Constants: `sums`, how many there are (1: the gradient alone), and `missing`,
 * whether the formula gives what φ' is missing.
 */
LOSSI_INLINE void lossi_pairs_of(lossi_pairs *p, int64_t i, lossi_pair_formula formula, int sums, int missing)
{
    lossi_pairs_of_one own;
    memset(&own, 0, sizeof own);
    for (int64_t j = 0; j < p->items; j += LOSSI_LANES) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_pairs_at(p, i, j, v, formula, sums, missing, &own);
        }
    }
    lossi_add_lanes(&own.value, 1, &p->value, &p->value_lost);
    for (int k = 0; k < sums; k++) {
        lossi_add_lanes(&own.sums[k], k == 1 ? 1 : -1, &p->sums[k].sum[i], &p->sums[k].lost[i]);
    }
    p->pairs += f64_sum_sixteen(own.pairs);
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

/* A copy in whole packs, `behind` after the last item. */
static real *lossi_pairs_copy(const void *from, int64_t items, real behind, real *to)
{
    memcpy(to, from, (size_t)items * sizeof *to);
    for (int64_t i = items; i < lossi_padded(items); i++) {
        to[i] = behind;
    }
    return to;
}

static void lossi_pairs_begin(lossi_pairs *p, const lossi_part *part)
{
    const int64_t padded = lossi_padded(part->rows);
    const void *direction = part->output[LOSSI_SCORE].direction;
    double *scratch = part->scratch;
    memset(p, 0, sizeof *p);
    p->part = part;
    p->items = part->rows;
    memset(scratch, 0, (size_t)(2 * LOSSI_PAIR_SUMS * padded) * sizeof *scratch);
    for (int k = 0; k < LOSSI_PAIR_SUMS; k++, scratch += 2 * padded) {
        p->sums[k] = (lossi_item_sums){scratch, scratch + padded};
    }
    real *copies = (real *)scratch;
    p->score = lossi_pairs_copy(part->input[LOSSI_SCORE].data, p->items, 0, copies);
    p->relevance = lossi_pairs_copy(part->input[LOSSI_RELEVANCE].data, p->items, REAL_NAN, copies + padded);
    p->direction = direction == NULL ? NULL : lossi_pairs_copy(direction, p->items, 0, copies + 2 * padded);
    p->own = scratch + 3 * padded;
}

LOSSI_INLINE void lossi_pairs_all(lossi_pairs *p, lossi_pair_formula formula, int missing)
{
    const lossi_derivatives *out = &p->part->output[LOSSI_SCORE];
    if (out->curvature == NULL && out->product == NULL) {
        for (int64_t i = 0; i < p->items; i++) {
            lossi_pairs_of(p, i, formula, 1, missing);
        }
    } else {
        for (int64_t i = 0; i < p->items; i++) {
            lossi_pairs_of(p, i, formula, LOSSI_PAIR_SUMS, missing);
        }
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
    return (2 * LOSSI_PAIR_SUMS + 3) * lossi_padded(shape->rows[0]) * (int64_t)sizeof(double);
}

static const lossi_structure lossi_pair_structure = {
    .roles = lossi_list_roles,
    .role_count = LOSSI_LIST_ROLES,
    .flags = LOSSI_GROUPED,
    .weight_doc = "groups x 1, real, optional: a factor on every output of its list; denominator: the sum of "
                  "weight x pairs of different relevance",
    .scratch = lossi_pairs_scratch};

#endif

#endif
