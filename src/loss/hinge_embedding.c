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
    const vreal zero = v_set1(0), one = v_set1(1), y = lossi_sign(target, parameters);
    const vreal gap = v_set1(parameters[MARGIN]) - prediction;
    const vmask similar = v_gt(y, zero), pushed = v_gt(gap, zero);
    const vreal sum = y + prediction, rest = v_select(v_is_nan(sum), sum, zero);

    out->value = rest + v_select(similar, prediction, v_select(pushed, gap, zero));
    out->gradient = rest + v_select(similar, one, v_select(pushed, -one, zero));
    out->curvature = rest;
    out->majorizer = rest;
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
