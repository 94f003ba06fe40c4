/*
 * Finite differences: gradients and Hessian products of a function that gives values and nothing else.
 *
 * A difference is a machine that asks for values and is told:
 *
 *     loss_difference_start(difference, x);
 *     while (loss_difference_ask(difference, &request) == LOSS_OK && request == LOSS_REQUEST_VALUE) {
 *         loss_difference_get_pointer(difference, "x", &at);
 *         loss_difference_tell_value(difference, f(at));
 *     }
 *     loss_difference_get_pointer(difference, "gradient", &gradient);
 *
 * An objective from a callback that only gives values does all this by itself once it has a difference:
 * loss_objective_set_difference(). docs/gradients.md compares the methods.
 *
 * A difference belongs to the context it was made with, and does one thing at a time.
 */
#ifndef LOSS_DIFFERENCE_H
#define LOSS_DIFFERENCE_H

#include <stdint.h>

#include "loss/optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_difference loss_difference;

/*
 * Makes a difference by the name of its method, for functions of n parameters.
 *   "forward"  (f(x + h) − f(x)) / h, h = √ε·s: n values and f(x); about half the digits of the values
 *   "central"  (f(x + h) − f(x − h)) / 2h, h = ∛ε·s: 2n values and f(x); about two thirds of the digits
 *   "ridders"  central differences at steps s/64, s/128, … extrapolated: 8 to 24 values a parameter, up to 72 where f varies
 *              over less than the shortest of these; nearly all digits, and an error bar for each derivative, which is ∞ where
 *              the differences go on changing as the step shrinks
 * where s = max(|x_j|, the parameter's typical size) and ε is the option "function_precision". What is divided by is the way
 * really gone, once x ± h is rounded to its type.
 *
 * Bounds: no value outside them is ever asked for. Where one side has no room, values of the other one do, to the same order in
 * h; where neither has, the steps are shorter. The derivative along a parameter whose bounds are equal is 0, and NaN where they
 * leave it less than 2⁻⁵⁰·|x_j| (float32: 2⁻²¹) on either side. A value that is not finite counts as no room, for "ridders" at
 * shorter steps first; the derivative is NaN when nothing helps.
 *
 * Options, settable while nothing is asked for:
 *   "function_precision"  double, 0 … 1, default 0: the relative error of the values; 0: the precision of the element type,
 *                         2⁻⁵² or 2⁻²³
 *   "typical"             double > 0, default 1: the size of parameters that are near 0; or array "typical_sizes", one each
 *   "lower", "upper"      doubles, −∞ and ∞; or arrays "lower_bounds", "upper_bounds", one each
 *
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_difference_free().
 *   dtype               LOSS_FLOAT32 or LOSS_FLOAT64: the type of x and of the gradient
 *   dimension           ≥ 1
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_difference_create(loss_difference **out, loss_context *context, const char *name,
                                            loss_dtype dtype, int64_t dimension);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_difference_free(loss_difference *difference);

/*
 * Options, as loss_penalty_set_double() and its kin: LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE,
 * LOSS_ERROR_RANGE, LOSS_ERROR_SHAPE (an array that is not as long as the dimension; length 0 takes it away again),
 * LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (a run is under way).
 * Readable too: the double "value", f(x) of the last run, NaN before; the ints "dimension" and "evaluations", how many values
 * the last run was told. Since 0.1.
 */
LOSS_API loss_status loss_difference_set_double(loss_difference *difference, const char *name, double value);
LOSS_API loss_status loss_difference_set_array(loss_difference *difference, const char *name,
                                               const void *values, loss_dtype dtype, int64_t count);
LOSS_API loss_status loss_difference_get_double(const loss_difference *difference, const char *name,
                                                double *value);
LOSS_API loss_status loss_difference_get_int(const loss_difference *difference, const char *name,
                                             int64_t *value);
LOSS_API int32_t loss_difference_option_count(const loss_difference *difference);
LOSS_API const loss_option *loss_difference_option(const loss_difference *difference, int32_t index);

/*
 * Begins a gradient at x; a run that was under way is forgotten. The first start allocates all working memory.
 *   difference, x   not NULL; x has as many elements as the dimension, of the difference's type, and is copied
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_RANGE (crossed bounds, or x outside
 * them). Since 0.1.
 */
LOSS_API loss_status loss_difference_start(loss_difference *difference, const void *x);

/*
 * Begins a product of the Hessian at x with a direction, from second differences at steps ε^¼ in both: 4n values (for "forward"
 * first differences at ε^⅓: 2n + 2), good to about half the digits (a third). Near a bound x is moved inside until the steps
 * fit; rows of parameters whose bounds are equal are 0, and their part of the direction does not count.
 *   direction   not NULL, as many elements as x, copied
 * The rest, and what it returns, as loss_difference_start(). Since 0.1.
 */
LOSS_API loss_status loss_difference_start_product(loss_difference *difference, const void *x,
                                                   const void *direction);

/*
 * What is wanted next: LOSS_REQUEST_VALUE, of f at "x", or LOSS_REQUEST_DONE. Asking again gives the same again.
 *   request  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_STATE (not started). Since 0.1.
 */
LOSS_API loss_status loss_difference_ask(loss_difference *difference, int32_t *request);

/*
 * "x" while a value is wanted; after the end "gradient" or "product", of the difference's type, and by "ridders" after a
 * gradient "error": doubles, how far off each derivative may be, ∞ where it is NaN. Owned by the difference, valid until the
 * next call of start, ask or tell.
 *   pointer  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_STATE (not now), LOSS_ERROR_SUPPORT ("error" of another
 * method). Since 0.1.
 */
LOSS_API loss_status loss_difference_get_pointer(const loss_difference *difference, const char *name,
                                                 const void **pointer);

/*
 * Answers LOSS_REQUEST_VALUE; a value that is not finite is an answer too.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_STATE (no value was asked for). Since 0.1.
 */
LOSS_API loss_status loss_difference_tell_value(loss_difference *difference, double value);

/*
 * Makes the gradients of an objective from callbacks by differences: its evaluate callback, and that of batches, then only ever
 * get NULL for the gradient. Penalties are not differenced: their derivatives are added. Hessian products and Hessians for which
 * there is no callback are second differences of values, a Hessian 2n² + 2n of them ("forward" n² + 3n).
 *   difference  of the objective's context, type and dimension; the objective holds a reference. NULL: the gradient is the
 *               callback's again
 * The working memory is allocated by loss_objective_prepare(), which refuses crossed bounds (LOSS_ERROR_RANGE). Where x is outside the bounds the callback is not called: the
 * value is ∞ and the gradient NaN, with LOSS_ERROR_NONFINITE; optimizers step back from there. LOSS_ERROR_NONFINITE also when a
 * derivative is NaN. After an evaluation the difference has "error", "evaluations" and the rest to be read.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT (also for an objective that is not from callbacks, or another context), LOSS_ERROR_TYPE,
 * LOSS_ERROR_SHAPE, LOSS_ERROR_STATE (already prepared or evaluated). Since 0.1.
 */
LOSS_API loss_status loss_objective_set_difference(loss_objective *objective, loss_difference *difference);

#ifdef __cplusplus
}
#endif

#endif
