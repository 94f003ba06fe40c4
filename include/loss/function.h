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
 * Or from a formula, "formula:log(1 + exp(-y*p)) + c*p^2; c=0.1" (docs/formulas.md): pointwise, of the prediction p and the
 * target y; c becomes an option of type double. Its name is the whole text, and what it is may be said as of a loss of the
 * caller's (loss_function_set_property() and its kin); unsaid nothing is promised.
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_function_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (the sentence names the nearest), LOSS_ERROR_FORMULA (a
 * formula that cannot be read; the sentence names the character), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_function_create(loss_function **out, loss_context *context, const char *name);

/* A copy with the same options, not sealed. Arguments and statuses as loss_function_create(). Since 0.1. */
LOSS_API loss_status loss_function_clone(loss_function **out, loss_context *context,
                                         const loss_function *function);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_function_free(loss_function *function);

/*
 * What the function is: its name in the catalogue, its aliases separated by spaces, one line in words, the formula, and
 * where it comes from, and what other libraries call it ("PyTorch HuberLoss; Keras Huber", "" when nothing is known).
 * Static strings, of a loss of the caller's for as long as the function lives; NULL gives "". Any thread. Since 0.1.
 */
LOSS_API const char *loss_function_name(const loss_function *function);
LOSS_API const char *loss_function_aliases(const loss_function *function);
LOSS_API const char *loss_function_summary(const loss_function *function);
LOSS_API const char *loss_function_formula(const loss_function *function);
LOSS_API const char *loss_function_reference(const loss_function *function);
LOSS_API const char *loss_function_elsewhere(const loss_function *function);

/*
 * The roles the function reads: how many, and their names; the one that decides the element type first ("prediction", but for
 * losses of vectors or layers), those that every loss has, "weight" and "mask", last.
 *   function  NULL gives 0, and NULL
 *   index     counts from 0; outside the range gives NULL
 * Static strings. Any thread. Since 0.1.
 */
LOSS_API int32_t loss_function_role_count(const loss_function *function);
LOSS_API const char *loss_function_role(const loss_function *function, int32_t index);

/*
 * What a role is, in one line: "SHAPE, TYPE: meaning", or "SHAPE, TYPE, optional: meaning" of one that may be left out.
 *   SHAPE  rows and columns, as in "rows x columns", "rows x 1", "1 x classes"; rows and columns are those of the first role
 *          where they have no other name
 *   TYPE   "real": of the type of the first role, float32 or float64; integers are converted, but for the first role and for
 *          "weight". "integer": int32 or int64. "uint8 or integer": "mask"
 * In "weight" stands what the denominator of the cost is. Arguments, strings and threads as loss_function_role(). Since 0.1.
 */
LOSS_API const char *loss_function_role_doc(const loss_function *function, int32_t index);

/*
 * The derivatives a role has, separated by spaces, R being its name: "gradient curvature product" (outputs "R.gradient",
 * "R.curvature" and "R.product", input "R.direction"), "gradient" (neither the other outputs nor the input), or "" (none).
 * Arguments, strings and threads as loss_function_role(). Since 0.1.
 */
LOSS_API const char *loss_function_role_outputs(const loss_function *function, int32_t index);

/*
 * A property, 1 or 0, at the options as they are:
 *   "convex"         in the prediction, for every target
 *   "smooth"         once continuously differentiable in the prediction
 *   "pointwise"      each column of a row counts for itself
 *   "separable"      each row counts for itself: sums over parts of the rows add up to that of all
 *   "classification" the target is a class: labels, ±1, or probabilities of classes
 *   "margin"         a function of prediction × target with targets ±1
 *   "probabilistic"  the negative logarithm of a probability
 *   "integer_target" integer targets are class labels
 *   "structured"     reads more roles than prediction, target, weight and mask (loss_function_role())
 *   "binary_target"  a target is one of two numbers, "target_minimum" or "target_maximum"
 *   "bounded"        "minimum" and "maximum" are finite
 *   "lipschitz"      the number of that name is finite
 *   "majorizer"      there is one: the option "curvature" takes that word
 *   "thread_safe"    several threads may evaluate it at a time: every loss of the catalogue; of the caller's own when said
 *   function, name, value  not NULL; *value is untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME. loss_function_property_name() lists the names: index counts from
 * 0, outside the range it gives NULL. Static strings. Any thread. Since 0.1.
 */
LOSS_API loss_status loss_function_property(const loss_function *function, const char *name, int32_t *value);
LOSS_API int32_t loss_function_property_count(void);
LOSS_API const char *loss_function_property_name(int32_t index);

/*
 * A number that a solver may rely on, at the options as they are. Without weights and scale; over all targets that the loss
 * takes, for losses over classes with labels, or distributions that sum to 1:
 *   "lipschitz"        the smallest L with |loss(x) − loss(y)| ≤ L · ‖x − y‖ (2-norm over the columns of a row);
 *                      infinity: there is none
 *   "curvature_bound"  the smallest bound of the exact second derivative from above (of the largest eigenvalue over the
 *                      columns), and of its size where the loss is convex; infinity: there is none, as for every loss
 *                      with a kink
 *   "minimum"          the infimum of the loss       "maximum"  its supremum, infinity when it has no bound
 *   "continuous_derivatives"   how many derivatives with respect to the prediction are continuous where it is finite:
 *                      0 with a kink, infinity when all are. "smooth" is: at least 1
 *   "prediction_minimum", "prediction_maximum", "target_minimum", "target_maximum"   the numbers the loss takes;
 *                      ±infinity: all
 *   function, name, value  not NULL; *value is untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME. loss_function_number_name() lists the names: index counts from 0,
 * outside the range it gives NULL. Static strings. Any thread. Since 0.1.
 */
LOSS_API loss_status loss_function_number(const loss_function *function, const char *name, double *value);
LOSS_API int32_t loss_function_number_count(void);
LOSS_API const char *loss_function_number_name(int32_t index);

/*
 * Options: those of the loss (docs/losses.md), and for every loss
 *   "curvature"  string, "exact" (default), "gauss_newton" (never negative) or "majorizer" (an upper bound): what the
 *                outputs "curvature" and "product" are.
 *   function, name  not NULL
 *   value           not NULL as a string to set, copied; not NULL in the getters, and untouched on failure. A string that is got
 *                   lives until the option is set again or the function is freed
 *   values          not NULL when count > 0; elements of dtype LOSS_FLOAT32, LOSS_FLOAT64, LOSS_INT32 or LOSS_INT64, copied
 *   count           ≥ 0
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

/*
 * The options, how many and each described (option.h). function NULL gives 0, and NULL. index counts from 0; outside the range
 * gives NULL. What is returned lives as long as the function. Any thread. Since 0.1.
 */
LOSS_API int32_t loss_function_option_count(const loss_function *function);
LOSS_API const loss_option *loss_function_option(const loss_function *function, int32_t index);

/*
 * Evaluates the loss of every row in one pass.
 *
 *   context      not NULL: error text, scratch, threads and instruction set of this call
 *   function     not NULL; sealed by this call
 *   inputs       not NULL; sealed by this call. Roles (loss_function_role()):
 *                  "prediction"  float32 or float64, rows × columns; its type is the type of the arithmetic
 *                  "target"      same type and shape; integers are converted, or are class labels (rows × 1); not for
 *                                a loss that has no such role
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
 *                A loss with the property "structured" reads the roles that loss_function_role_doc() describes, and
 *                docs/losses.md. The first decides the element type. For each role R that has derivatives
 *                (loss_function_role_outputs()) there are the outputs "R.gradient", "R.curvature" and "R.product", of R's shape,
 *                and the input "R.direction"; a product is that of the whole matrix of second derivatives with all directions,
 *                one that is not given being 0. Roles of one row are shared by all rows.
 *                "offsets", int32 or int64, groups + 1 numbers from 0 that never decrease and end at the rows, cuts rows
 *                into groups; without it they are one. Of groups "value" and "weight" are groups × 1, but weights that are
 *                part of the formula ("cox") are one a row; "mask" is one a row. No output may be an input's array
 *   sum          may be NULL: Σ weight · loss
 *   denominator  may be NULL: what the sum is divided by to give the cost (docs/losses.md); 0 when no row counts, and
 *                the cost of nothing is 0
 *
 * NaN and ±infinity in predictions or targets are no error: they give NaN or the limit in their row.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (a role the loss does not have), LOSS_ERROR_TYPE,
 * LOSS_ERROR_SHAPE, LOSS_ERROR_MEMORY, LOSS_ERROR_SUPPORT (a majorizer the loss has not with these options),
 * LOSS_ERROR_CALLBACK (of a loss of the caller's: loss_context_error_callback() is what it returned), and for data
 * LOSS_ERROR_LABEL or LOSS_ERROR_DOMAIN: then sum and denominator are untouched, the output arrays are unspecified, and
 * loss_context_error_row() is the first bad row. Since 0.1.
 */
LOSS_API loss_status loss_function_evaluate(loss_context *context, const loss_function *function,
                                            const loss_data *inputs, const loss_data *outputs, double *sum,
                                            double *denominator);

/*
 * The common case in one line: contiguous arrays, no weights, the cost and its gradient.
 *   n                   ≥ 0, elements of each array
 *   prediction, target  not NULL when n > 0; target is NULL for a loss that has no such role
 *   cost                may be NULL: the mean loss
 *   gradient            may be NULL: ∂cost/∂prediction, n elements
 *   context, function   not NULL; the function is sealed by this call
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_SHAPE (a loss that is not pointwise), LOSS_ERROR_SUPPORT (a pointwise loss with
 * the property "structured": its other roles have no place here; or the majorizer that the option "curvature" asks for and these
 * options have not), LOSS_ERROR_MEMORY, LOSS_ERROR_CALLBACK, and for data LOSS_ERROR_DOMAIN with loss_context_error_row(); on
 * failure cost is untouched, and after a data error the gradient is unspecified. Since 0.1.
 */
LOSS_API loss_status loss_function_cost_float32(loss_context *context, const loss_function *function,
                                                int64_t n, const float *prediction, const float *target,
                                                double *cost, float *gradient);
LOSS_API loss_status loss_function_cost_float64(loss_context *context, const loss_function *function,
                                                int64_t n, const double *prediction, const double *target,
                                                double *cost, double *gradient);

/*
 * The same for class labels: contiguous row-major arrays, no weights, the cost and its gradient.
 *   context, function   not NULL; the function is sealed by this call
 *   rows, classes       ≥ 0
 *   prediction, labels  not NULL when rows > 0 and classes > 0: rows × classes numbers, and rows labels 0 … classes − 1, or the
 *                       option "ignore_label"
 *   cost                may be NULL: sum / denominator, 0 when no row counts
 *   gradient            may be NULL: ∂cost/∂prediction, rows × classes; may be the very array of the predictions
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_SHAPE (a loss that takes no labels, with several classes, or an option
 * "class_weight" of another length), LOSS_ERROR_SUPPORT (a loss with the property "structured", or a majorizer as above),
 * LOSS_ERROR_MEMORY, LOSS_ERROR_CALLBACK, and for data LOSS_ERROR_LABEL or LOSS_ERROR_DOMAIN with loss_context_error_row(); on
 * failure cost is untouched, and after a data error the gradient is unspecified. Since 0.1.
 */
LOSS_API loss_status loss_function_cost_labels_float32(loss_context *context, const loss_function *function,
                                                       int64_t rows, int64_t classes, const float *prediction,
                                                       const int64_t *labels, double *cost, float *gradient);
LOSS_API loss_status loss_function_cost_labels_float64(loss_context *context, const loss_function *function,
                                                       int64_t rows, int64_t classes,
                                                       const double *prediction, const int64_t *labels,
                                                       double *cost, double *gradient);

/*
 * The link between a prediction and the mean of the target that it stands for:
 *   "identity"  the prediction itself            "log"      mean = e^prediction
 *   "logit"     mean = 1/(1 + e^−prediction)     "softmax"  means = softmax of the predictions of a row, after the
 *                                              options "soft_cap" and "temperature" where the loss has them
 * At the options as they are. A static string; NULL gives "". Any thread. Since 0.1.
 */
LOSS_API const char *loss_function_link(const loss_function *function);

/*
 * Turns predictions into these means: scores into probabilities, logarithms of rates into rates.
 *
 *   context   not NULL: error text, scratch, threads and instruction set of this call
 *   function  not NULL; sealed by this call
 *   inputs    not NULL; the role "prediction", float32 or float64, rows × columns, and no other
 *   outputs   not NULL; the role "mean", same type and shape, and no other. It may be the very array of the predictions
 *             with the same strides, and must not overlap it otherwise
 *
 * Every mean is within 4 units in the last place of the exact one for predictions moved by at most one, also far out:
 * a probability of 1e−300 is 1e−300. ±infinity gives the limit and NaN gives NaN: in its element, for "softmax" in its row. A
 * row with two +infinity, or with nothing but −infinity in several columns, has no softmax: it is NaN.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (another role), LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE,
 * LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_function_inverse_link(loss_context *context, const loss_function *function,
                                                const loss_data *inputs, const loss_data *outputs);

/*
 * The same for contiguous row-major arrays.
 *   context, function  not NULL; the function is sealed by this call
 *   rows, columns      ≥ 0
 *   prediction, mean   not NULL when rows > 0 and columns > 0; rows × columns each. They may be the same array and must not overlap
 *                      otherwise
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_function_inverse_link_float32(loss_context *context, const loss_function *function,
                                                        int64_t rows, int64_t columns,
                                                        const float *prediction, float *mean);
LOSS_API loss_status loss_function_inverse_link_float64(loss_context *context, const loss_function *function,
                                                        int64_t rows, int64_t columns,
                                                        const double *prediction, double *mean);

/*
 * The best constant prediction: one number for each column which, predicted for every row, makes the cost smallest. It is
 * where boosting starts, what an intercept begins with, and what a model has to beat.
 *
 *   context     not NULL        function  not NULL; sealed by this call
 *   inputs      not NULL; sealed by this call. Roles "target", and optionally "weight" and "mask", as for
 *               loss_function_evaluate(); targets and weights may be float32 or float64, each for itself. Weights are not
 *               negative and finite
 *   columns     how many numbers: the columns of the target, or with class labels the number of classes
 *   prediction  not NULL when columns > 0; untouched on failure
 *
 * Masked rows, ignored labels and rows of weight 0 do not count. For each loss it is
 *   a mean      where the loss's best constant is one: the link of the weighted mean of the targets, so the mean itself,
 *               the log-odds log(Σ w t / Σ w (1 − t)), the logarithm of the mean; for losses over classes the logarithms of
 *               the classes' shares of the weight (class weights and smoothing included), or the shares where the
 *               prediction is a probability. −infinity and +infinity where a share is 0 or 1. For classes that are questions
 *               of their own the log-odds of each, 0 of one that counts for nothing
 *   a majority  for crammer_singer: its margin for a class of more than half the weight, 0 for all others
 *   a quantile  where it is one (absolute_error: the median): by sorting. Where two targets are equally good, and so all
 *               between them, the middle of the two
 *   a search    for the other pointwise losses: with the loss's own derivatives in float64, to the last digit that they
 *               show. For a convex loss it is the minimum; of several the middle, of a ray of them its end; ±infinity when
 *               the cost falls for ever, as with labels that are all the same. For a loss that is not convex it is a point
 *               where the cost has a minimum nearby, and not above the cost at the targets' weighted quantiles 0, 1/32, …,
 *               1 (the median among them), nor at 0, ±2^k for k = −8 … 8 within the domain, nor at its ends
 * NaN where a target is NaN, or infinite in a search, and where nothing counts. The result does not depend on threads or
 * instruction sets. Takes memory for five copies of a column at most; a search takes some hundred evaluations.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (a role it does not read), LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE,
 * LOSS_ERROR_MEMORY, LOSS_ERROR_SUPPORT (several columns without closed form, more roles, or no target), for data LOSS_ERROR_LABEL or
 * LOSS_ERROR_DOMAIN (a target outside the domain, a weight that is negative or not finite) with
 * loss_context_error_row() as the row, and LOSS_ERROR_CALLBACK. Since 0.1.
 */
LOSS_API loss_status loss_function_best_constant(loss_context *context, const loss_function *function,
                                                 const loss_data *inputs, int64_t columns,
                                                 double *prediction);

/*
 * A loss of the caller's.
 *
 * loss_block_callback evaluates n elements; prediction and target, and the arrays to write, are float32 or float64 as dtype
 * says, contiguous, aligned and apart from each other, and there only during the call. For every i it puts the loss of
 * prediction[i] and target[i] into value[i], its derivative with respect to the prediction into gradient[i] unless gradient is
 * NULL, and its second derivative into curvature[i] unless curvature is NULL (never without gradient). It knows nothing of
 * weights, masks, strides or scale. It returns 0, or any other number to stop: the call then returns LOSS_ERROR_CALLBACK, and
 * the number is loss_context_error_callback(). It must not use the context of the call.
 *
 * loss_user_callback gives the caller's data back when the last of the function and its clones is freed, on the thread that
 * frees it. Its result is ignored.
 */
typedef int32_t (*loss_block_callback)(void *user, loss_dtype dtype, int64_t n, const void *prediction,
                                       const void *target, void *value, void *gradient, void *curvature);
typedef int32_t (*loss_user_callback)(void *user);

/*
 * Makes a loss function from a callback, pointwise, for use wherever one of the catalogue is.
 *   out, context  not NULL; *out is NULL on failure. The caller owns it: loss_function_free().
 *   name          not NULL, 1 … 47 characters, not a name or alias of the catalogue; copied
 *   evaluate      not NULL
 *   user          handed to the callbacks
 *   release       may be NULL; not called when this call fails
 * As made it promises nothing: not convex, not smooth, no bounds, every prediction and target, link "identity". What is known
 * should be said (loss_function_set_property() and its kin): solvers and loss_function_best_constant() count on it.
 * The callback runs on the thread that called the library and on no other, unless the property "thread_safe" is set. Threads
 * that evaluate the function at the same time, each with its own context, run it at the same time.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_function_create_user(loss_function **out, loss_context *context, const char *name,
                                               loss_block_callback evaluate, void *user,
                                               loss_user_callback release);

/*
 * Says what a loss of the caller's is, before its first use:
 *   properties  "convex", "classification", "margin", "probabilistic", "thread_safe", to 0 or 1
 *   numbers     all of loss_function_number(). With "curvature_bound" there is a majorizer, that bound; with
 *               "continuous_derivatives" ≥ 1 the loss is smooth; predictions and targets outside the domain are errors
 *   link        "identity", "logit", "log", "softmax"
 *   function, name  not NULL
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_RANGE, LOSS_ERROR_STATE (sealed), LOSS_ERROR_SUPPORT (a loss
 * of the catalogue, or a property that follows from the rest). Since 0.1.
 */
LOSS_API loss_status loss_function_set_property(loss_function *function, const char *name, int32_t value);
LOSS_API loss_status loss_function_set_number(loss_function *function, const char *name, double value);
LOSS_API loss_status loss_function_set_link(loss_function *function, const char *name);

#ifdef __cplusplus
}
#endif

#endif
