/* Derivatives of what is on a tape, as further nodes. */
#ifndef LOSSI_GRADIENT_GRAPH_DIFFERENTIATE_H
#define LOSSI_GRADIENT_GRAPH_DIFFERENTIATE_H

#include "gradient/graph/tape.h"

/*
 * Reverse mode: adjoints[i] = seedᵀ · ∂output/∂sources[i], with the shape of the source; seed, a node that broadcasts to the
 * output's shape. A source that the output does not depend on gets zeros. Operations with
 * one of the flags `constant` are taken to depend on nothing. The status of the tape tells whether it worked.
 */
void lossi_tape_adjoints(lossi_tape *tape, int32_t output, int32_t seed, const int32_t *sources,
                         int32_t count, int32_t constant, int32_t *adjoints);

/*
 * Forward mode: tangents of the outputs when sources[i] moves along directions[i], a node of its shape, with the shapes of the
 * outputs. Applied to adjoints it is the product with a Hessian, forward over reverse.
 */
void lossi_tape_tangents(lossi_tape *tape, const int32_t *sources, const int32_t *directions, int32_t count,
                         const int32_t *outputs, int32_t output_count, int32_t *tangents);

/*
 * Gauss-Newton products: as the tangents of the adjoints of the output, but that what losses are computed from is taken to be
 * linear, Σ c Jᵀ H J · direction over the losses, where H is what the function that `curvature` gives for a loss's function makes
 * of the loss's second derivatives. What does not go through losses counts with its own second derivatives.
 */
typedef const loss_function *(*lossi_curvature_of)(void *argument, const loss_function *function);
void lossi_tape_gauss_newton(lossi_tape *tape, int32_t output, const int32_t *sources,
                             const int32_t *directions, int32_t count, lossi_curvature_of curvature,
                             void *argument, int32_t *products);

#endif
