/* Derivatives of what is on a tape, as further nodes. */
#ifndef LOSSI_GRADIENT_GRAPH_DIFFERENTIATE_H
#define LOSSI_GRADIENT_GRAPH_DIFFERENTIATE_H

#include "gradient/graph/tape.h"

/*
 * Reverse mode: adjoints[i] = seedᵀ · ∂output/∂sources[i], with the shape of the source; seed, a node that broadcasts to the
 * output's shape. A source that the output does not depend on gets zeros. The status of the tape tells whether it worked.
 */
void lossi_tape_adjoints(lossi_tape *tape, int32_t output, int32_t seed, const int32_t *sources,
                         int32_t count, int32_t *adjoints);

/*
 * Forward mode: tangents of the outputs when sources[i] moves along directions[i], a node of its shape, with the shapes of the
 * outputs. Applied to adjoints it is the product with a Hessian, forward over reverse.
 */
void lossi_tape_tangents(lossi_tape *tape, const int32_t *sources, const int32_t *directions, int32_t count,
                         const int32_t *outputs, int32_t output_count, int32_t *tangents);

#endif
