/*
 * Hinge loss of every pair of items in a group that should be ordered: RankSVM.
 *
 *     loss = Σ max(0, margin + d)ᵖ,   d = s_low − s_high,   over the pairs with target_high > target_low,   p = 1 or 2
 *
 * Rows are items, groups (queries) come by the role "offsets"; the denominator is the number of pairs, so that the cost is a
 * mean over pairs. Items of equal target make no pair. Each pair at its kink gives 0, its own smallest subgradient, and has
 * curvature 0 there. The slopes 2 (margin + d) of an item's pairs cancel when scores are small beside the margin: what the
 * addition loses is added up too.
 * Joachims, Optimizing search engines using clickthrough data (2002), optimization problem 1.
 */
#include "loss/pairwise.h"

enum { MARGIN, POWER };

LOSSI_INLINE void linear(const lossi_pairs *p, int64_t i, int64_t j, vreal d, lossi_pair *out)
{
    const vreal zero = v_set1(0), gap = v_set1((real)p->part->prepared->parameters[MARGIN]) + d;
    (void)i, (void)j;
    out->value = v_max(zero, gap); /* NaN stays */
    out->slope = v_select(v_gt(gap, zero), v_set1(1), out->value);
    out->bend = v_select(v_is_nan(gap), gap, zero);
}

LOSSI_INLINE void squared(const lossi_pairs *p, int64_t i, int64_t j, vreal d, lossi_pair *out)
{
    const vreal zero = v_set1(0), two = v_set1(2),
                margin = v_set1((real)p->part->prepared->parameters[MARGIN]);
    const vreal gap = margin + d, part = gap - margin, missing = (margin - (gap - part)) + (d - part);
    const vreal inside = v_max(zero, gap);
    (void)i, (void)j;
    out->value = inside * inside;
    out->slope = two * inside;
    out->slope_missing = v_select(v_gt(gap, zero), two * missing, zero);
    out->bend = v_select(v_gt(gap, zero), two, v_select(v_is_nan(gap), gap, zero));
}

static void pairwise_hinge(const lossi_part *part)
{
    if (part->prepared->parameters[POWER] == 1) {
        lossi_pairwise(part, linear, 0);
    } else {
        lossi_pairwise(part, squared, 1);
    }
}

extern const lossi_kernels LOSSI_NAME(pairwise_hinge);
const lossi_kernels LOSSI_NAME(pairwise_hinge) = {.part = pairwise_hinge};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e30,
                .initial = 1,
                .doc = "by how much the higher item's score should be larger"},
    [POWER] = {.name = "power",
               .type = LOSS_OPTION_INT,
               .minimum = 1,
               .maximum = 2,
               .initial = 1,
               .doc = "1: hinge, 2: squared hinge"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    if (lossi_options_own(values, POWER)->number == 2) {
        prepared->bounds.derivatives = 1;
    } else {
        prepared->flags &= ~(uint32_t)LOSSI_SMOOTH;
    }
}

extern const lossi_row lossi_row_pairwise_hinge;
const lossi_row lossi_row_pairwise_hinge = {
    .name = "pairwise_hinge",
    .aliases = "rank_svm",
    .summary = "hinge loss of every pair of items in a group that should be ordered",
    .formula =
        "sum over pairs with target_i > target_j of max(0, margin - (x_i - x_j))^power, x = prediction",
    .reference = "Joachims, Optimizing search engines using clickthrough data (2002)",
    .elsewhere = "rax pairwise_hinge_loss; TF-Ranking and KerasRS PairwiseHingeLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH,
    .structure = &lossi_pair_structure,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
