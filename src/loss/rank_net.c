/*
 * RankNet: the logistic loss of every pair of items in a group that should be ordered.
 *
 *     loss = Σ log(1 + e^(σ d)),   d = s_low − s_high,   over the pairs with target_high > target_low
 *
 * Rows are items, groups (queries) come by the role "offsets"; the denominator is the number of pairs, so that the cost is a
 * mean over pairs. Items of equal target make no pair. Convex: the second derivatives are the Laplacian of a graph.
 * Burges et al., Learning to rank using gradient descent (2005), eq. (3).
 */
#include "loss/pairwise.h"

enum { SHARPNESS };

LOSSI_INLINE void formula(const lossi_pairs *p, int64_t i, int64_t j, vreal d, lossi_pair *out)
{
    const vreal sharpness = v_set1((real)p->part->prepared->parameters[SHARPNESS]);
    (void)i, (void)j;
    lossi_pair_logistic(sharpness * d, out);
    out->slope = sharpness * out->slope;
    out->bend = sharpness * (sharpness * out->bend); /* the square alone may be infinite */
}

static void rank_net(const lossi_part *part)
{
    lossi_pairwise(part, formula, 0);
}

extern const lossi_kernels LOSSI_NAME(rank_net);
const lossi_kernels LOSSI_NAME(rank_net) = {.part = rank_net};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [SHARPNESS] = {.name = "sharpness",
                   .aliases = "sigma",
                   .type = LOSS_OPTION_DOUBLE,
                   .minimum = 1e-30,
                   .maximum = 1e30,
                   .initial = 1,
                   .doc = "the factor on the difference of two scores"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_rank_net;
const lossi_row lossi_row_rank_net = {
    .name = "rank_net",
    .aliases = "pairwise_logistic pair_logit rank_pairwise",
    .summary = "logistic loss of every pair of items in a group that should be ordered",
    .formula =
        "sum over pairs with target_i > target_j of log(1 + exp(sharpness*(x_j - x_i))), x = prediction",
    .reference = "Burges et al., Learning to rank using gradient descent (2005), eq. (3)",
    .elsewhere = "XGBoost rank:pairwise; CatBoost PairLogit; rax pairwise_logistic_loss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &lossi_pair_structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
