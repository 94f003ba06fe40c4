/*
 * Hinge embedding loss of the distance of a pair: similar ones (+1) are drawn together, dissimilar ones (−1) pushed apart.
 *
 *     loss = d                      y = +1,   d = prediction
 *            max(0, margin − d)     y = −1
 *
 * A distance is not checked for its sign: the loss of similar pairs is linear in all of d. The gradient at the kink is 0, the
 * smallest subgradient; there is no majorizer.
 * Hadsell, Chopra & LeCun, Dimensionality reduction by learning an invariant mapping (2006), with distances not squared.
 */
#include "loss/margin.h"

enum { MARGIN, TARGET_ENCODING };

LOSSI_INLINE void hinge_embedding(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), y = lossi_sign(target, parameters);
    const vmask dissimilar = v_lt(y, zero);
    const vreal value = v_fma(y, prediction, v_where(dissimilar, v_set1(parameters[MARGIN])));
    const vmask costs = v_mask_not(v_mask_and(dissimilar, v_le(value, zero))), nan = v_is_nan(value);

    out->value = v_where(costs, value);
    out->gradient = v_nan_where(nan, v_where(costs, y));
    out->curvature = v_nan_where(nan, zero);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA hinge_embedding
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 1,
                .doc = "how far apart dissimilar pairs should be"},
    [TARGET_ENCODING] = LOSSI_TARGET_ENCODING,
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.lipschitz = 1;
    prepared->bounds.minimum = -REAL_INFINITY;
}

extern const lossi_row lossi_row_hinge_embedding;
const lossi_row lossi_row_hinge_embedding = {
    .name = "hinge_embedding",
    .aliases = "hinge_embedding_loss",
    .summary = "the distance of similar pairs, and what dissimilar ones lack to the margin",
    .formula = "d if y = +1, max(0, margin - d) if y = -1, with d = prediction",
    .reference = "Hadsell, Chopra & LeCun, Dimensionality reduction by learning an invariant mapping (2006)",
    .elsewhere = "PyTorch HingeEmbeddingLoss; mlpack HingeEmbeddingLoss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_CLASSIFICATION,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
