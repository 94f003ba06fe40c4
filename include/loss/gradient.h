/*
 * The gradient module: objectives, their gradients and Hessian products, and a check of derivatives.
 *
 * An objective is a function of the parameters x: the cost over a data set plus penalties. It is what an optimizer
 * minimises. It comes from the caller's callbacks, or from a linear model with a loss function and data.
 *
 * Objectives and penalties belong to the context they were made with.
 */
#ifndef LOSS_GRADIENT_H
#define LOSS_GRADIENT_H

#include <stdint.h>

#include "loss/function.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_penalty loss_penalty;
typedef struct loss_objective loss_objective;

/* ---- penalties -------------------------------------------------------------------------------------------------- */

/*
 * Makes a penalty by name. All have the int options "first" (0) and "count" (0: to the end), the stretch of parameters x they
 * are about; of a linear model never the intercepts. "strength" is a double, 0 … 1e300, default 1.
 *   "l2"           ½ · strength · ‖x‖²
 *   "l1"           strength · Σ|x_j|
 *   "elastic_net"  strength · (l1_ratio · Σ|x_j| + ½ · (1 − l1_ratio) · ‖x‖²); "l1_ratio", double, 0 … 1, default 0.5
 *   "group_lasso"  strength · Σ √size · ‖x_group‖; int "group_size" (1) neighbours make a group, the last has what is left,
 *                  with the root of its own size; or array "group_sizes", whose sum is the count; or string "groups" ("sizes"):
 *                  "segments" of the optimizer, "segment_rows" or "segment_columns", every row or column of them a group. They
 *                  have to cover the stretch, and their option "penalty_factor" multiplies the strength: loss_optimizer_add_segment()
 *   "box"          lower ≤ x_j ≤ upper: doubles "lower" (−∞), "upper" (∞), or arrays "lower_bounds", "upper_bounds"
 *   "simplex"      x_j ≥ 0, Σ x_j = total; "total", double, default 1
 * All but l2 have a part without derivatives everywhere. loss_objective_evaluate() counts it in the value (a set is 0 inside, ∞
 * outside); the gradient is that of the rest, and only optimizers that can handle the part take such an objective.
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_penalty_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_penalty_create(loss_penalty **out, loss_context *context, const char *name);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_penalty_free(loss_penalty *penalty);

/* Options, as loss_function_set_double() and its kin; a penalty is sealed when an objective or an optimizer first uses it. Since 0.1. */
LOSS_API loss_status loss_penalty_set_double(loss_penalty *penalty, const char *name, double value);
LOSS_API loss_status loss_penalty_set_int(loss_penalty *penalty, const char *name, int64_t value);
LOSS_API loss_status loss_penalty_set_string(loss_penalty *penalty, const char *name, const char *value);
LOSS_API loss_status loss_penalty_set_array(loss_penalty *penalty, const char *name, const void *values,
                                            loss_dtype dtype, int64_t count);
LOSS_API loss_status loss_penalty_get_int(const loss_penalty *penalty, const char *name, int64_t *value);
LOSS_API loss_status loss_penalty_get_double(const loss_penalty *penalty, const char *name, double *value);
LOSS_API loss_status loss_penalty_get_string(const loss_penalty *penalty, const char *name,
                                             const char **value);
LOSS_API int32_t loss_penalty_option_count(const loss_penalty *penalty);
LOSS_API const loss_option *loss_penalty_option(const loss_penalty *penalty, int32_t index);

/* ---- objectives ------------------------------------------------------------------------------------------------- */

/*
 * The caller's function. All return 0, or any other number to stop: the call then returns LOSS_ERROR_CALLBACK and the
 * number is the objective's integer "callback_status". They run on the thread that called the library.
 *   n         the dimension      x  the parameters, n elements of the objective's type
 *   value     where to put f(x)  gradient  where to put ∇f(x), NULL when it is not wanted
 *   count, indices   the samples of a batch; the value and gradient wanted are the means over them
 *   direction, product          where to read v and put ∇²f(x)·v
 *   matrix                      where to put ∇²f(x), n × n numbers row after row, all of them
 */
typedef int32_t (*loss_evaluate_callback)(void *user, int64_t n, const void *x, double *value,
                                          void *gradient);
typedef int32_t (*loss_batch_callback)(void *user, int64_t n, const void *x, int64_t count,
                                       const int64_t *indices, double *value, void *gradient);
typedef int32_t (*loss_product_callback)(void *user, int64_t n, const void *x, const void *direction,
                                         void *product);
typedef int32_t (*loss_hessian_callback)(void *user, int64_t n, const void *x, void *matrix);

/*
 * Makes an objective from callbacks.
 *   out, context   not NULL; *out is NULL on failure. The caller owns it: loss_objective_free().
 *   dtype          LOSS_FLOAT32 or LOSS_FLOAT64: the type of x, gradient, direction and product
 *   dimension      ≥ 1
 *   evaluate       not NULL
 *   product        may be NULL: Hessian products then are differences of gradients
 * A function that gives values alone leaves the gradient as it is and is given a difference: loss/difference.h.
 *   user           handed to the callbacks
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_create_callback(loss_objective **out, loss_context *context,
                                                    loss_dtype dtype, int64_t dimension,
                                                    loss_evaluate_callback evaluate,
                                                    loss_product_callback product, void *user);

/*
 * Gives a callback objective batches, for stochastic methods: samples are numbered 0 … samples − 1.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT (also for an objective that is not from callbacks). Since 0.1.
 */
LOSS_API loss_status loss_objective_set_batch_callback(loss_objective *objective, int64_t samples,
                                                       loss_batch_callback evaluate);

/*
 * Gives a callback objective its Hessian, for methods that want the whole matrix; the penalties are added to it.
 *   hessian  may be NULL: the matrix then comes from products or differences, see loss_objective_hessian()
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT (also for an objective that is not from callbacks). Since 0.1.
 */
LOSS_API loss_status loss_objective_set_hessian_callback(loss_objective *objective,
                                                         loss_hessian_callback hessian);

/*
 * Makes the objective of a linear model: prediction = features · W + b, one output or many, cost = mean loss.
 *   out, context, function, data   not NULL; *out is NULL on failure. Holds references to all of them.
 *   data   roles "features" (float32 or float64, rows × d: its type is the type of x), "target", and optionally
 *          "weight", "mask" (see loss_function_evaluate()); no other role, and no scale. The features may be sparse
 *          (loss_data_set_sparse_input()), the others not
 * The parameters x are W with one contiguous row of d numbers per output, then the intercepts b, one per output:
 * x[k·d + j] is the weight of feature j in output k, x[K·d + k] the intercept of output k.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (a role the model does not have), LOSS_ERROR_TYPE,
 * LOSS_ERROR_SHAPE, LOSS_ERROR_MEMORY, LOSS_ERROR_SUPPORT (a loss that has no target, or more roles). Since 0.1.
 */
LOSS_API loss_status loss_objective_create_linear(loss_objective **out, loss_context *context,
                                                  const loss_function *function, const loss_data *data);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_objective_free(loss_objective *objective);

/*
 * Options, as loss_function_set_int() and its kin. Of a linear model, settable until the first evaluation:
 *   "intercept"  int, 0 or 1, default 1
 *   "outputs"    int, 0 … 2^31, default 0: as many as the target has columns; with class labels as many as there are class
 *                weights, or else the largest label + 1. Once prepared it reads as the number settled
 *   "center_columns"   int, 0 or 1, default 0: the mean of each column of the features is taken away
 *   "scale_columns"    int, 0 or 1, default 0: each column is divided by its standard deviation. The features stay as they
 *                are, sparse ones too: see loss_objective_column_means()
 *   "preconditioner"   string, diagonal or block, default diagonal: which one it has, see below
 * Readable for all: "dimension", "samples" (0 when there are no batches), "callback_status" (what the last callback
 * returned), and after one of the checks "check_index" and "check_direction" (−1 before, and when there is none), and as
 * doubles "check_derivative", "check_difference", "check_error", the difference allowed between the two, and "check_slope".
 * Since 0.1.
 */
LOSS_API loss_status loss_objective_set_int(loss_objective *objective, const char *name, int64_t value);
LOSS_API loss_status loss_objective_set_string(loss_objective *objective, const char *name,
                                               const char *value);
LOSS_API loss_status loss_objective_get_int(const loss_objective *objective, const char *name,
                                            int64_t *value);
LOSS_API loss_status loss_objective_get_double(const loss_objective *objective, const char *name,
                                               double *value);
LOSS_API int32_t loss_objective_option_count(const loss_objective *objective);
LOSS_API const loss_option *loss_objective_option(const loss_objective *objective, int32_t index);

/*
 * Adds a penalty; the objective holds a reference to it.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (already evaluated). Since 0.1.
 */
LOSS_API loss_status loss_objective_add_penalty(loss_objective *objective, const loss_penalty *penalty);

/*
 * The length of x, and LOSS_FLOAT32 or LOSS_FLOAT64; 0 for NULL or when the number of outputs cannot be told yet (then
 * loss_objective_prepare() says why). Since 0.1.
 */
LOSS_API int64_t loss_objective_dimension(const loss_objective *objective);
LOSS_API loss_dtype loss_objective_dtype(const loss_objective *objective);

/*
 * Settles the options, checks shapes and types, and allocates all working memory. The first evaluation does it by itself;
 * afterwards an evaluation allocates nothing. The offsets and indices of sparse features are looked at here, all of them and once;
 * means and deviations of columns are taken here, once.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE (also sparse features whose offsets fall or lie outside the
 * entries, or with a column that there is not: the sentence has the row and the entry), LOSS_ERROR_LABEL, LOSS_ERROR_NONFINITE (a
 * column with NaN or infinities has no mean), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_prepare(loss_objective *objective);

/*
 * Value and gradient at x; the data is read once.
 *   objective, x   not NULL; x has as many elements as the dimension, of the objective's type
 *   value          may be NULL       gradient  may be NULL, same length and type as x
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, what loss_objective_prepare() and loss_function_evaluate() return,
 * LOSS_ERROR_CALLBACK, and LOSS_ERROR_NONFINITE when the value is not finite: then value and gradient are written all the
 * same, and the sentence names the first row to blame when there is one. Since 0.1.
 */
LOSS_API loss_status loss_objective_evaluate(loss_objective *objective, const void *x, double *value,
                                             void *gradient);

/*
 * The same over some of the samples: the cost is their mean, the penalties count in full.
 *   count ≥ 0; indices not NULL when count > 0, each 0 … samples − 1, repetitions allowed
 * Returns the same, and LOSS_ERROR_SUPPORT for callbacks without batches. Since 0.1.
 */
LOSS_API loss_status loss_objective_evaluate_batch(loss_objective *objective, const void *x, int64_t count,
                                                   const int64_t *indices, double *value, void *gradient);

/*
 * product = ∇²f(x) · direction, of the kind of curvature the loss function's option says.
 *   objective, x, direction, product   not NULL, as many elements as the dimension; product overlaps neither x nor
 *     direction (LOSS_ERROR_ARGUMENT)
 * Callbacks without Hessian products: (∇f(x + r·v) − ∇f(x − r·v)) / 2r with r = √ε·(1 + ‖x‖)/‖v‖, ε of the element type;
 * the first such product allocates three vectors. Where gradients are not finite there, r is shorter, to stay well within the domain, or
 * one of the points is x; LOSS_ERROR_NONFINITE and NaN when that does not help either. Callbacks that give values alone: second differences of values, see
 * loss_objective_set_difference() in loss/difference.h. The first product of a linear model makes room for its predictions, which
 * serve all products at the same x; where there is no memory for them, it goes on without.
 * Returns as loss_objective_evaluate(). Since 0.1.
 */
LOSS_API loss_status loss_objective_hessian_product(loss_objective *objective, const void *x,
                                                    const void *direction, void *product);

/*
 * matrix = ∇²f(x), n × n numbers of the objective's type, row after row and symmetric to the bit.
 *   objective, x, matrix   not NULL; matrix has the square of the dimension of elements
 * A linear model of dense features makes it in one pass over its data. Else it comes from the Hessian callback, or it is n Hessian
 * products; for callbacks that have neither, central differences of gradients along each coordinate with steps
 * 2⁻¹⁷·max(|x_i|, 1) (float32: 2⁻⁸), so 2n gradients (of values alone second differences of these,
 * loss_objective_set_difference()); and of a_ij and a_ji the mean is taken. Penalties are included. The first Hessian allocates a
 * vector, by differences up to four, and of a linear model about half as much as the matrix for each of up to 32 parts of the data.
 * Returns as loss_objective_evaluate(). Since 0.1.
 */
LOSS_API loss_status loss_objective_hessian(loss_objective *objective, const void *x, void *matrix);

/*
 * diagonal_i = ∂²f(x)/∂x_i², of the kind of curvature the loss function's option says: what a preconditioner or a diagonal
 * approximation is made of.
 *   objective, x, diagonal   not NULL, as many elements as the dimension; diagonal does not overlap x (LOSS_ERROR_ARGUMENT)
 * A linear model makes it in one pass over its data, with dense or sparse features. A Hessian callback gives the whole matrix for it;
 * else it is an element of each of n Hessian products, or of the rows loss_objective_hessian() takes differences for. Penalties
 * are included. It allocates a vector or two, with a Hessian callback n × n numbers, and by differences up to four vectors.
 * Returns as loss_objective_evaluate(), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_hessian_diagonal(loss_objective *objective, const void *x,
                                                     void *diagonal);

/*
 * A preconditioner: something like the inverse of ∇²f(x), symmetric and positive definite, which methods by conjugate
 * gradients work the faster with the closer it comes. It runs on the thread that called the library, and returns 0, or any
 * other number to stop as the callbacks above.
 *   vector, product   where to read v and put the product, n elements of the objective's type
 */
typedef int32_t (*loss_precondition_callback)(void *user, int64_t n, const void *x, const void *vector,
                                              void *product);

/*
 * Gives any objective a preconditioner: of the objective with its penalties. At any time.
 *   precondition  may be NULL: the objective's own       user  handed to it
 * A linear model has one of its own. That of the option "diagonal" is the inverse of the diagonal of its Hessian with elements of at
 * least √ε of the largest: it reads the data once at every x. That of "block" is the same at every x: for every output the inverse of
 * B/8 + P, B the average over the outputs of their blocks of the cost's Hessian at 0, P what the penalties add. It is for dense features
 * that correlate, or have units of their own, and several outputs; it reads the data once, and takes the memory of a square of the
 * features. An objective from callbacks has none.
 * Returns LOSS_OK or LOSS_ERROR_ARGUMENT. Since 0.1.
 */
LOSS_API loss_status loss_objective_set_precondition_callback(loss_objective *objective,
                                                              loss_precondition_callback precondition,
                                                              void *user);

/*
 * product = the preconditioner at x times the vector.
 *   objective, x, vector, product   not NULL, as many elements as the dimension; product is neither x nor vector
 * Returns as loss_objective_evaluate(), and LOSS_ERROR_SUPPORT when the objective has no preconditioner. Since 0.1.
 */
LOSS_API loss_status loss_objective_precondition(loss_objective *objective, const void *x, const void *vector,
                                                 void *product);

/*
 * What a linear model standardises the columns of its features by, as its options say: feature j counts as
 * (x_j − means[j]) / deviations[j], and as 0 where deviations[j] is 0. The parameters x are the weights of these, penalties are
 * about them, and predictions take other rows by the same means and deviations.
 * With weights w_i of the rows (1 where there are none), means are Σ w_i x_ij / Σ w_i and deviations √(Σ w_i (x_ij − mean)² / Σ w_i),
 * over the rows that are not masked and whose weight is above 0; rows with a label that is ignored are among them. A column with
 * one value in all of them has the deviation 0. What is not asked for is 0 of means, and of deviations 1, where it is not 0.
 *   objective           not NULL; is prepared when it is not yet
 *   means, deviations   not NULL, one number for each feature
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_SUPPORT (not a linear model), what loss_objective_prepare() returns. Since 0.1.
 */
LOSS_API loss_status loss_objective_column_means(loss_objective *objective, double *means);
LOSS_API loss_status loss_objective_column_deviations(loss_objective *objective, double *deviations);

/*
 * The parameters of a linear model in terms of the columns as they are: weights[k·d + j] = x[k·d + j] / deviations[j], 0 where
 * that is 0, and intercepts[k] = x[K·d + k] − Σ_j means[j] · weights[k·d + j], so that features · Wᵀ + intercepts are the predictions.
 *   objective, x   not NULL; x has as many elements as the dimension
 *   weights        not NULL, outputs × d elements of the objective's type      intercepts  not NULL, one for each output
 * Returns as loss_objective_column_means(). Since 0.1.
 */
LOSS_API loss_status loss_objective_original_parameters(loss_objective *objective, const void *x,
                                                        void *weights, void *intercepts);

/*
 * Predictions for other rows.
 * Of a linear model
 *   inputs   role "features", dense or sparse, as many columns as the model has features; "target", "weight" and "mask" are not
 *            looked at
 *   outputs  role "prediction", rows × outputs
 * Of a graph
 *   inputs   the arrays that the nodes asked for depend on, as for loss_objective_create_graph(); targets need not be there
 *   outputs  by the names of nodes (loss_graph_set_output()), of the nodes' type: a row for each row, its columns the other sizes, row-major.
 *            Nothing drops, and batch_norm takes the objective's running statistics. Each call makes and frees a plan
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (another role), LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE, LOSS_ERROR_SUPPORT (an objective from callbacks),
 * LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_predict(loss_objective *objective, const void *x, const loss_data *inputs,
                                            const loss_data *outputs);

/*
 * Tells the objective that the x it was evaluated at last is a new iterate of whoever drives it. What an objective keeps from
 * iterate to iterate changes here and nowhere else, so that between two of these calls it is a function of x alone: in
 * objectives of graphs, batch_norm's running means and variances take in those of the last evaluation while training (the
 * running ones · (1 − momentum) + the batch's · momentum, the variance divided by n − 1), and dropout draws anew. Objectives
 * that keep nothing ignore it. loss_optimizer_minimize() and loss_optimizer_run() call it after each of their steps, and give the
 * running statistics to the objective of loss_optimizer_set_held_out() when that is one of the same graph; callers of ask and tell
 * do so themselves.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, what loss_objective_prepare() returns. Since 0.1.
 */
LOSS_API loss_status loss_objective_new_iterate(loss_objective *objective);

/*
 * The running means and variances of a batch_norm node of the graph that the objective was made of, to save and to restore. They are
 * 0 and 1 at first; evaluations with the option "training" 0 take them.
 *   objective, mean, variance  not NULL; arrays of the graph's dtype with one element for each channel, copied
 *   node                       the node's number, which loss_graph_find() tells of one with a name
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_SUPPORT (no objective of a graph), LOSS_ERROR_RANGE (no batch_norm the objective
 * depends on; set: a mean that is not finite, a variance that is not or is negative). Since 0.1.
 */
LOSS_API loss_status loss_objective_get_statistics(loss_objective *objective, int32_t node, void *mean,
                                                   void *variance);
LOSS_API loss_status loss_objective_set_statistics(loss_objective *objective, int32_t node, const void *mean,
                                                   const void *variance);

/* Verdicts of the checks. */
#define LOSS_CHECK_OK    1 /* every derivative looked at agrees with the values within its error bar */
#define LOSS_CHECK_WRONG 2 /* a derivative contradicts the values */
#define LOSS_CHECK_KINK  3 /* left and right slopes differ: the objective is not differentiable there */
#define LOSS_CHECK_INCONCLUSIVE                                                                              \
    4 /* too noisy or too steep to tell, or in float32 kinks near x are in the way */

/*
 * Compares the gradient with differences of values, coordinate by coordinate, each with an error bar of its own (Ridders'
 * extrapolation); above 256 coordinates, one chosen by the seed from each of 256 equal parts. x is not changed. Parts of
 * penalties that have no derivative everywhere, which the gradient leaves out, are left out of the values too; parameters that
 * the bounds of a difference fix are skipped.
 *   objective, x   not NULL     verdict  not NULL, one of LOSS_CHECK_…; untouched on failure
 * The worst coordinate, its two numbers and the allowed difference are readable by loss_objective_get_…. When the verdict is not
 * LOSS_CHECK_OK, the context holds a sentence about it. Returns as loss_objective_evaluate(). Since 0.1.
 */
LOSS_API loss_status loss_objective_check(loss_objective *objective, const void *x, uint64_t seed,
                                          int32_t *verdict);

/*
 * The same along random directions, with every parameter in each of them: the derivative g·v against differences of values.
 * A few directions see an error anywhere in a gradient of any length; which parameter is to blame loss_objective_check() tells.
 *   objective, x   not NULL     count  ≥ 1, at most 2^31 − 1 directions     verdict  as above
 * Direction k at x is v_i = ±m/16 · 2^e / 2^⌊½(1 + log2 n)⌋, n the dimension, 2^e the power of two with 2^e ≤ max(|x_i|, 1) < 2^(e+1).
 * With u_i the uniform number i of the stream k + 2 of the seed (loss_random_uniform()) the sign is − below ½ and + from there,
 * and m = 8 + ⌊32u⌋, ½ taken off u before that when it is not below. Where a bound of a difference is nearer to x_i than |v_i|/16,
 * v_i has the sign that leads away from the nearer bound; and where values end at x, those on the side that has some are taken alone.
 * Afterwards "check_direction" is the worst direction, "check_index" −1, and "check_slope" the power of t by which Taylor's
 * remainder |f(x + tv) − f(x) − t·g·v| falls as the step t is halved: near 2 for a right gradient, 1 for a wrong one, NaN
 * when fewer than three remainders are above the noise (a function that is linear along v has none). The verdict is that of the
 * error bars; the slope is for the reader.
 * Returns as loss_objective_check(). Since 0.1.
 */
LOSS_API loss_status loss_objective_check_directions(loss_objective *objective, const void *x, int64_t count,
                                                     uint64_t seed, int32_t *verdict);

/*
 * Compares Hessian products with differences of gradients along random directions, as above, element by element with error bars;
 * above 256 parameters one from each of 256 parts and a weighted sum of all. Then the symmetry of neighbouring directions:
 * u'(Hv) = v'(Hu). The gradient is taken to be right, which the checks above find out. LOSS_CHECK_KINK is one of the gradient:
 * a jump of the second derivative.
 *   objective, x, count, seed, verdict   as above
 * Products of another kind than the exact one (the option "curvature" of losses) are not differences of gradients, and fail.
 * Products that are differences of the library's own are compared to their accuracy.
 * Afterwards "check_direction" is the worst direction, "check_index" the element of the product, −1 for the sum and the
 * symmetry (of that direction and the next one), "check_derivative" and "check_difference" are the element and the difference of
 * gradients (of the symmetry the two numbers), and "check_slope" is the power by which |f(x + tv) − f(x) − t·g·v − ½t²·v'Hv| falls:
 * near 3 when both are right, NaN when it is not seen.
 * Returns as loss_objective_hessian_product(), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_check_product(loss_objective *objective, const void *x, int64_t count,
                                                  uint64_t seed, int32_t *verdict);

#ifdef __cplusplus
}
#endif

#endif
