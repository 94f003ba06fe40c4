/*
 * Margin ranking loss of two scores: the one that the target names should be larger by a margin.
 *
 *     loss = max(0, margin − target · (first − second)),   target = +1: first ranks higher, −1: second does
 *
 * The gradient at the kink is 0, the smallest subgradient of both scores together; all second derivatives are 0. A target that
 * is neither −1 nor +1 is an error: with 0, PyTorch gives the margin and no gradient.
 * Herbrich, Graepel & Obermayer, Large margin rank boundaries for ordinal regression (2000), eq. (7).
 */
#include "loss/elementwise.h"

enum { MARGIN };
enum { FIRST, SECOND, TARGET, ROLES };

LOSSI_INLINE void formula(const lossi_part *part, const real *parameters, lossi_element *e)
{
    const vreal zero = v_set1(0), y = e->in[TARGET];
    const vreal gap = v_set1(parameters[MARGIN]) - y * (e->in[FIRST] - e->in[SECOND]);
    const vreal rest = v_select(v_is_nan(gap), gap, zero), slope = v_select(v_gt(gap, zero), y, rest);

    (void)part;
    e->outside = v_ne(v_abs(y), v_set1(1));
    e->value = v_max(zero, gap); /* NaN stays */
    e->gradient[FIRST] = -slope;
    e->gradient[SECOND] = slope;
    for (int r = FIRST; r <= SECOND; r++) {
        e->curvature[r] = rest;
        e->product[r] = rest;
    }
}

static __attribute__((noinline)) void everything(const lossi_part *part)
{
    lossi_elements(part, formula, ROLES, 1);
}

static void margin_ranking(const lossi_part *part)
{
    lossi_elementwise(part, formula, ROLES, 1, everything);
}

extern const lossi_kernels LOSSI_NAME(margin_ranking);
const lossi_kernels LOSSI_NAME(margin_ranking) = {.part = margin_ranking};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 0,
                .doc = "by how much the higher score should be larger"},
};

static const lossi_role roles[ROLES] = {
    [FIRST] = {.name = "first",
               .flags = LOSSI_DIFFERENTIABLE,
               .doc = "rows x columns, real: one score of each pair"},
    [SECOND] = {.name = "second", .flags = LOSSI_DIFFERENTIABLE, .doc = "rows x columns, real: the other"},
    [TARGET] = {.name = "target",
                .domain = {-1, 1, 1},
                .doc = "rows x columns, real: 1 where first should be the larger, -1 where second should"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .flags = LOSSI_ADDS_UP};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.lipschitz = 1.41421356237309504880; /* the square root of 2: of both scores together */
}

extern const lossi_row lossi_row_margin_ranking;
const lossi_row lossi_row_margin_ranking = {
    .name = "margin_ranking",
    .aliases = "margin_ranking_loss",
    .summary = "what the score that should be the larger one of two lacks to the other and a margin",
    .formula = "max(0, margin - y*(first - second)), y = target, -1 or +1",
    .reference =
        "Herbrich, Graepel & Obermayer, Large margin rank boundaries for ordinal regression (2000), eq. (7)",
    .elsewhere = "PyTorch MarginRankingLoss; mlpack MarginRankingLoss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
