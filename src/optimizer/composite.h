/*
 * Composite objectives: what is told is f, and penalties are added to it by the machine.
 *
 *     F(x) = f(x) + s(x) + h(x)      s the smooth parts of the penalties, h the rough ones (gradient/penalty.h)
 *
 * The penalties are those attached to the optimizer, and the rough parts of those of the objective being minimised.
 * An algorithm sees f + s as its objective; h it has to handle in its own way, and its row says which kinds it can.
 * Where there is an h, told_value is F, told_rough is h, and told_norm measures stationarity by the proximal step
 *
 *     ‖x − prox(x − ∇(f + s)(x))‖∞,
 *
 * which for bounds is the norm of the projected gradient.
 */
#ifndef LOSSI_OPTIMIZER_COMPOSITE_H
#define LOSSI_OPTIMIZER_COMPOSITE_H

#include "optimizer/optimizer.h"

/* At start: whether the row can handle what there is, and the vectors that takes. Machine.rough is set. */
loss_status lossi_composite_layout(loss_optimizer *optimizer, lossi_layout *layout);

/* Once the workspace is there: bounds and weights are written, the starting point is projected onto the sets. */
void lossi_composite_start(loss_optimizer *optimizer);

/* What the penalties add to an answer at the trial point: the gradient in the answer's place, or just the value. */
void lossi_composite_gradient(loss_optimizer *optimizer);
void lossi_composite_value(loss_optimizer *optimizer);
void lossi_composite_batch(loss_optimizer *optimizer);
void lossi_composite_product(loss_optimizer *optimizer);
void lossi_composite_hessian(loss_optimizer *optimizer);

/* A number that tells one set of penalties from another. When that of the run is not that of what is attached
 * now, the optimizer is unsettled: it does not go on before the penalties are there again. The objective's are only known
 * while it is minimised; the optimizer's own cannot change in a run, so a checkpoint of others is refused when it is loaded. */
uint64_t lossi_composite_digest(const loss_optimizer *optimizer);
int32_t lossi_composite_fits(const loss_optimizer *optimizer, const lossi_machine *run);
void lossi_composite_settle(loss_optimizer *optimizer);

/* ---- for algorithms ---- */

/* x = the proximal map of step · h, in place. Nothing happens when there is no h. */
void lossi_prox(const loss_optimizer *optimizer, int32_t vector, double step);

/* way = the proximal map of step · h at x + way, less x, with the digits of the way; x is in the sets. */
void lossi_prox_way(const loss_optimizer *optimizer, int32_t x, int32_t way, double step);

/* h at a vector. */
double lossi_rough_value(const loss_optimizer *optimizer, int32_t vector);

/* ‖x − prox(x − g)‖∞ of two vectors. */
double lossi_stationarity(const loss_optimizer *optimizer, int32_t x, int32_t gradient);

/* A vector to work in, when there is an h. */
int32_t lossi_composite_scratch(const loss_optimizer *optimizer);

/* The vectors of bounds (infinite where there is none), and of factors of |x|, for rows that handle these kinds;
 * −1 when the run has none of the kind. */
int32_t lossi_lower_bounds(const loss_optimizer *optimizer);
int32_t lossi_upper_bounds(const loss_optimizer *optimizer);
int32_t lossi_l1_weights(const loss_optimizer *optimizer);

#endif
