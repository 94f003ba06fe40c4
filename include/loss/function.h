/*
 * The loss module: loss functions by name, with value, gradient, curvature and Hessian product in one pass.
 *
 * A loss is per sample; the cost is the weighted mean over a data set. Everything here works on predictions; how a
 * model makes them, and the derivative with respect to its parameters, is the gradient module's job (gradient.h).
 *
 * A loss_function is sealed at its first evaluation and may then be read by any number of threads, each with its own
 * context. docs/losses.md lists the names, options and formulas.
 */
#ifndef LOSS_FUNCTION_H
#define LOSS_FUNCTION_H

#include <stdint.h>

#include "loss/data.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_function loss_function;

/* How many losses the catalogue has, and their names in alphabetical order; outside the range gives NULL.
 * Static strings. Any thread. Since 0.1. */
LOSS_API int32_t loss_function_catalogue_count(void);
LOSS_API const char *loss_function_catalogue_name(int32_t index);

/*
 * Makes a loss function by its name or one of its aliases: "huber", "logistic", …
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_function_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (the sentence names the nearest), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_function_create(loss_function **out, loss_context *context, const char *name);

/* A copy with the same options, not sealed. Arguments and statuses as loss_function_create(). Since 0.1. */
LOSS_API loss_status loss_function_clone(loss_function **out, loss_context *context,
                                         const loss_function *function);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_function_free(loss_function *function);

/*
 * What the function is: its name in the catalogue, its aliases separated by spaces, one line in words, the formula, and
 * where it comes from. Static strings; NULL gives "". Any thread. Since 0.1.
 */
LOSS_API const char *loss_function_name(const loss_function *function);
LOSS_API const char *loss_function_aliases(const loss_function *function);
LOSS_API const char *loss_function_summary(const loss_function *function);
LOSS_API const char *loss_function_formula(const loss_function *function);
LOSS_API const char *loss_function_reference(const loss_function *function);

/*
 * The roles the function reads, "prediction" first; after the required ones come those that may be left out ("weight",
 * "mask"). index counts from 0; outside the range gives NULL. Static strings. Any thread. Since 0.1.
 */
LOSS_API int32_t loss_function_role_count(const loss_function *function);
LOSS_API const char *loss_function_role(const loss_function *function, int32_t index);

/*
 * A property, 1 or 0, at the options as they are:
 *   "convex"         in the prediction, for every target
 *   "smooth"         once continuously differentiable in the prediction
 *   "pointwise"      each column of a row counts for itself
 *   "classification" the target is a class: labels, ±1, or probabilities of classes
 *   "margin"         a function of prediction × target with targets ±1
 *   "probabilistic"  the negative logarithm of a probability
 *   "integer_target" integer targets are class labels
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME; *value is untouched on failure. Since 0.1.
 */
LOSS_API loss_status loss_function_property(const loss_function *function, const char *name, int32_t *value);

/*
 * Options: those of the loss (docs/losses.md), and for every loss
 *   "curvature"  string, "exact" (default), "gauss_newton" (never negative) or "majorizer" (an upper bound): what the
 *                outputs "curvature" and "product" are.
 *   function, name  not NULL     values  not NULL when count > 0; elements of dtype LOSS_FLOAT32, LOSS_FLOAT64, LOSS_INT32
 *   or LOSS_INT64, copied       value   not NULL in the getters; untouched on failure
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_RANGE, LOSS_ERROR_MEMORY, and the
 * setters LOSS_ERROR_STATE (sealed) and LOSS_ERROR_SUPPORT (a majorizer the loss has not). The sentence goes to the context the function was made with. Since 0.1.
 */
LOSS_API loss_status loss_function_set_double(loss_function *function, const char *name, double value);
LOSS_API loss_status loss_function_set_int(loss_function *function, const char *name, int64_t value);
LOSS_API loss_status loss_function_set_string(loss_function *function, const char *name, const char *value);
LOSS_API loss_status loss_function_set_array(loss_function *function, const char *name, const void *values,
                                             loss_dtype dtype, int64_t count);
LOSS_API loss_status loss_function_get_double(const loss_function *function, const char *name, double *value);
LOSS_API loss_status loss_function_get_int(const loss_function *function, const char *name, int64_t *value);
LOSS_API loss_status loss_function_get_string(const loss_function *function, const char *name,
                                              const char **value);

/* The options, described. index counts from 0; outside the range gives NULL. Any thread. Since 0.1. */
LOSS_API int32_t loss_function_option_count(const loss_function *function);
LOSS_API const loss_option *loss_function_option(const loss_function *function, int32_t index);

/*
 * Evaluates the loss of every row in one pass.
 *
 *   context      not NULL: error text, scratch, threads and instruction set of this call
 *   function     not NULL; sealed by this call
 *   inputs       not NULL; sealed by this call. Roles (loss_function_role()):
 *                  "prediction"  float32 or float64, rows × columns; its type is the type of the arithmetic
 *                  "target"      same type and shape; integers are converted, or are class labels (rows × 1)
 *                  "weight"      optional, same type, rows × 1: multiplies every output of its row, whatever number it is:
 *                                negative weights are the caller's wish, and one that is not finite makes sum and
 *                                denominator so. Weight 0 still evaluates the row: 0·NaN is NaN
 *                  "mask"        optional, uint8, int32 or int64, rows × 1: a row with mask 0 is never touched; its outputs
 *                                are 0
 *                  "direction"   same type and shape as prediction; needed by the output "product"
 *                and the scalar "scale" (default 1), a factor on gradient, curvature and product
 *   outputs      may be NULL; sealed by this call. Any of, all of the prediction's type:
 *                  "value"       rows × columns for a pointwise loss, rows × 1 for the others: weight · loss
 *                  "gradient"    rows × columns: scale · ∂sum/∂prediction
 *                  "curvature"   rows × columns: scale · diagonal of the kind of curvature chosen; where the majorizer is a
 *                                matrix, a diagonal that bounds it
 *                  "product"     rows × columns: scale · (that kind's matrix) · direction
 *                "prediction.gradient" is the long name of "gradient", and so on. Outputs must not overlap inputs or
 *                each other, nor the elements of one output each other, except that one may be the very array of the
 *                prediction, with the same strides. That is not checked: an overlap gives unspecified numbers.
 *   sum          may be NULL: Σ weight · loss
 *   denominator  may be NULL: what the sum is divided by to give the cost (docs/losses.md); 0 when no row counts, and
 *                the cost of nothing is 0
 *
 * NaN and ±infinity in predictions or targets are no error: they give NaN or the limit in their row.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (a role the loss does not have), LOSS_ERROR_TYPE,
 * LOSS_ERROR_SHAPE, LOSS_ERROR_MEMORY, LOSS_ERROR_SUPPORT (a majorizer the loss has not with these options), and for data
 * LOSS_ERROR_LABEL or LOSS_ERROR_DOMAIN: then sum and denominator are untouched, the output arrays are unspecified, and
 * loss_context_error_row() is the first bad row. Since 0.1.
 */
LOSS_API loss_status loss_function_evaluate(loss_context *context, const loss_function *function,
                                            const loss_data *inputs, const loss_data *outputs, double *sum,
                                            double *denominator);

/*
 * The common case in one line: contiguous arrays, no weights, the cost and its gradient.
 *   n                   ≥ 0, elements of each array
 *   prediction, target  not NULL when n > 0
 *   cost                may be NULL: the mean loss
 *   gradient            may be NULL: ∂cost/∂prediction, n elements
 * Returns as loss_function_evaluate(); for a loss that is not pointwise LOSS_ERROR_SHAPE. Since 0.1.
 */
LOSS_API loss_status loss_function_cost_float32(loss_context *context, const loss_function *function,
                                                int64_t n, const float *prediction, const float *target,
                                                double *cost, float *gradient);
LOSS_API loss_status loss_function_cost_float64(loss_context *context, const loss_function *function,
                                                int64_t n, const double *prediction, const double *target,
                                                double *cost, double *gradient);

/*
 * The same for class labels: prediction and gradient are rows × classes, row-major and contiguous; labels are
 * 0 … classes − 1. Since 0.1.
 */
LOSS_API loss_status loss_function_cost_labels_float32(loss_context *context, const loss_function *function,
                                                       int64_t rows, int64_t classes, const float *prediction,
                                                       const int64_t *labels, double *cost, float *gradient);
LOSS_API loss_status loss_function_cost_labels_float64(loss_context *context, const loss_function *function,
                                                       int64_t rows, int64_t classes,
                                                       const double *prediction, const int64_t *labels,
                                                       double *cost, double *gradient);

#ifdef __cplusplus
}
#endif

#endif
