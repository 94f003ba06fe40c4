/*
 * The optimizer module: one machine that asks and is told.
 *
 * An optimizer never calls the caller. It asks for what it needs, a value, a gradient, a Hessian product, the gradient
 * of a batch, and is told:
 *
 *     loss_optimizer_start(optimizer, x0);
 *     while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE)
 *         switch (request) {
 *         case LOSS_REQUEST_VALUE_AND_GRADIENT:
 *             loss_optimizer_get_pointer(optimizer, "x", &x);
 *             loss_optimizer_tell_gradient(optimizer, f(x, g), g);
 *             …
 *
 * loss_optimizer_minimize() is that loop over a loss_objective. Whatever the way, the same numbers give the same bits.
 *
 * An optimizer belongs to the context it was made with and is used by one thread at a time; only
 * loss_optimizer_stop() may be called from another. It allocates when it starts and never again.
 */
#ifndef LOSS_OPTIMIZER_H
#define LOSS_OPTIMIZER_H

#include <stdint.h>

#include "loss/gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_optimizer loss_optimizer;

/*
 * Requests: what loss_optimizer_ask() wants, the payload to read by name, and how it is answered.
 * Numbers come in blocks and are never reused.
 */
#define LOSS_REQUEST_VALUE              1   /* f at "x"                              tell_value */
#define LOSS_REQUEST_VALUE_AND_GRADIENT 2   /* f and ∇f at "x"                       tell_gradient */
#define LOSS_REQUEST_HESSIAN_PRODUCT    101 /* ∇²f at "x" times "direction"          tell_vector */
#define LOSS_REQUEST_HESSIAN            102 /* ∇²f at "x", n × n row-major           tell_vector */
#define LOSS_REQUEST_BATCH_GRADIENT     201 /* mean over samples "indices" at "x"    tell_gradient */
#define LOSS_REQUEST_HELD_OUT_VALUE     202 /* f at "x" over data held out           tell_value */
#define LOSS_REQUEST_PRECONDITION       301 /* an approximate inverse times "direction"   tell_vector */
#define LOSS_REQUEST_NEW_ITERATE        401 /* nothing: a report, "x" is the iterate  the next ask goes on */
#define LOSS_REQUEST_DONE               501 /* nothing: see loss_optimizer_outcome() */

/* How many optimizers the catalogue has, and their names in alphabetical order; outside the range gives NULL.
 * Static strings. Any thread. Since 0.1. */
LOSS_API int32_t loss_optimizer_catalogue_count(void);
LOSS_API const char *loss_optimizer_catalogue_name(int32_t index);

/*
 * Makes an optimizer by name: "gradient_descent", "sgd", "newton_cg", "lbfgs", "conjugate_gradient", …
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_optimizer_free().
 *   dtype               LOSS_FLOAT32 or LOSS_FLOAT64: the type of x and of every vector told and read
 *   dimension           ≥ 1
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_create(loss_optimizer **out, loss_context *context, const char *name,
                                           loss_dtype dtype, int64_t dimension);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_optimizer_free(loss_optimizer *optimizer);

/* Name, family ("gradient descent", "stochastic gradient descent", "Newton", "quasi-Newton", "conjugate gradient"), one
 * line in words, and where it comes from. Static strings; NULL gives "". Any thread. Since 0.1. */
LOSS_API const char *loss_optimizer_name(const loss_optimizer *optimizer);
LOSS_API const char *loss_optimizer_family(const loss_optimizer *optimizer);
LOSS_API const char *loss_optimizer_summary(const loss_optimizer *optimizer);
LOSS_API const char *loss_optimizer_reference(const loss_optimizer *optimizer);

/*
 * Options, settable whenever the optimizer is not between start and done: those of the method, and for every one
 *   "max_iterations"               int, 10000: hard limit; an iteration of "sgd" is an evaluation at the end of an epoch
 *   "max_evaluations"              int, none: hard limit; an evaluation is one value, gradient, batch or product told
 *   "max_seconds"                  double, none: hard limit, counted from start
 *   "gradient_tolerance"           double, 1e-6: stop when ‖∇f‖∞ ≤ this
 *   "gradient_tolerance_relative"  double, 0: stop when ‖∇f‖∞ ≤ this · ‖∇f at the start‖∞
 *   "value_tolerance"              double, 0 off: stop when f changes by no more than this · max(|f|, |f before|)
 *   "step_tolerance"               double, 0 off: stop when ‖x − x before‖∞ ≤ this · max(‖x‖∞, 1)
 *   "target_value"                 double, −∞: stop when f ≤ this
 *   "unbounded_value"              double, −1e30: fail when f ≤ this, it is taken to have no minimum
 *   "report"                       int, 0; 1: ask NEW_ITERATE at every iterate
 * As loss_function_set_double() and its kin; LOSS_ERROR_STATE while running. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_set_double(loss_optimizer *optimizer, const char *name, double value);
LOSS_API loss_status loss_optimizer_set_int(loss_optimizer *optimizer, const char *name, int64_t value);
LOSS_API loss_status loss_optimizer_set_string(loss_optimizer *optimizer, const char *name,
                                               const char *value);
LOSS_API int32_t loss_optimizer_option_count(const loss_optimizer *optimizer);
LOSS_API const loss_option *loss_optimizer_option(const loss_optimizer *optimizer, int32_t index);

/*
 * Adds a penalty: what is told then is the rest of the objective, and the machine adds the penalty to it. Parts without derivatives
 * (see loss_penalty_create()) only methods take that can handle them: start says which. With them "value" is the whole objective, and
 * "gradient_norm" is ‖x − prox(x − ∇f)‖∞, for bounds the projected gradient. Holds a reference; the starting point is moved into the sets.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (running). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_add_penalty(loss_optimizer *optimizer, const loss_penalty *penalty);

/*
 * Reads an option or a measured number by name. Measured:
 *   int     "iterations", "evaluations" (all), "value_evaluations", "gradient_evaluations", "hessian_products",
 *           "hessians", "preconditions", "batches", "epoch", "restarts", "indices_count" (of a batch request),
 *           "callback_status"
 *   double  "value", "gradient_norm" (‖·‖∞), "step" (of the trial asked for, in lengths of its direction; at NEW_ITERATE
 *           and in the end of the step that led to the iterate, 0 at the start; of a trust region the length of the step;
 *           of a stochastic method the last learning rate), "held_out_value" (last told, NaN before), "seconds",
 *           "test_value", "test_threshold": of the test that fired; NaN after LOSS_STOP_USER and where nothing is compared.
 *           With LOSS_STOP_PRECISION, which no option fires, the first is what could still be had, a decrease the slopes or
 *           the model promise, the last change of f, or ‖∇f‖∞, and the second the rounding it is lost in; with
 *           LOSS_ERROR_LINE_SEARCH a promise that is above it; with LOSS_ERROR_DERIVATIVE contradictions, and how many end a run
 *   string  "test": the name of the option that stopped the run, or "", as with LOSS_STOP_PRECISION; "line_search_end": how the last line search ended:
 *           "wolfe", "strong_wolfe", "approximate_wolfe", "armijo", "settled" (the best there was), or without a step
 *           "no_descent", "nonfinite", "exhausted", "precision"; "" before the first, and for methods without one
 *   optimizer, name, value  not NULL; *value is untouched on failure
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE. Strings are static. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_get_double(const loss_optimizer *optimizer, const char *name,
                                               double *value);
LOSS_API loss_status loss_optimizer_get_int(const loss_optimizer *optimizer, const char *name,
                                            int64_t *value);
LOSS_API loss_status loss_optimizer_get_string(const loss_optimizer *optimizer, const char *name,
                                               const char **value);

/*
 * Segments: named stretches of the parameters that have a shape and options of their own; what lies in none follows the
 * options of the optimizer. Stochastic methods and group lasso (loss_penalty_create()) use them, others keep them only.
 *
 * loss_optimizer_add_segment() names parameters offset … offset + rows · columns − 1, a rows × columns matrix, row-major.
 *   optimizer, name  not NULL; 1 … 63 bytes, copied, no segment has it yet
 *   offset ≥ 0, rows, columns ≥ 1, inside the dimension, overlapping no other segment
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_SHAPE (outside the dimension), LOSS_ERROR_STATE (during a run),
 * LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_add_segment(loss_optimizer *optimizer, const char *name, int64_t offset,
                                                int64_t rows, int64_t columns);

/* How many there are, and their names in the order of their offsets: NULL outside 0 … count − 1. A name is valid until
 * the next segment is added. NULL gives 0 and NULL. Since 0.1. */
LOSS_API int64_t loss_optimizer_segment_count(const loss_optimizer *optimizer);
LOSS_API const char *loss_optimizer_segment_name(const loss_optimizer *optimizer, int64_t index);

/*
 * Options of a segment, for stochastic methods, and the last one for methods that take group lasso:
 *   "learning_rate_scale"  1: factor on the learning rate; 0 leaves the segment as it is
 *   "weight_decay"         the optimizer's: in its place
 *   "orthogonalize"        1: of "muon", for segments with rows, columns > 1; 0 leaves the matrix to AdamW, as are all parameters
 *                          that are in no such segment
 *   "penalty_factor"       1: factor on the strength of a group lasso whose groups are segments; 0: none on this one
 * and its numbers as ints: "offset", "rows", "columns".
 *   optimizer, segment, option, value  not NULL; *value is untouched on failure
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (no such segment, no such option), LOSS_ERROR_RANGE,
 * LOSS_ERROR_SUPPORT (a method that makes no use of it), LOSS_ERROR_STATE (set during a run). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_set_segment_double(loss_optimizer *optimizer, const char *segment,
                                                       const char *option, double value);
LOSS_API loss_status loss_optimizer_get_segment_double(const loss_optimizer *optimizer, const char *segment,
                                                       const char *option, double *value);
LOSS_API loss_status loss_optimizer_get_segment_int(const loss_optimizer *optimizer, const char *segment,
                                                    const char *name, int64_t *value);

/*
 * Starts, or starts again, from x0.
 *   x0  not NULL, dimension elements, copied; finite
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NONFINITE, LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (a method that draws
 * batches needs its option "samples"; a penalty needs segments, and there are none), LOSS_ERROR_RANGE (no step can fulfil the
 * options of the line search), LOSS_ERROR_SHAPE (a penalty does not fit the dimension, or its segments), LOSS_ERROR_SUPPORT (a penalty
 * that the method cannot handle). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_start(loss_optimizer *optimizer, const void *x0);

/*
 * What is needed next. Asking again before telling gives the same request; after NEW_ITERATE it goes on.
 *   request  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_STATE (not started). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_ask(loss_optimizer *optimizer, int32_t *request);

/*
 * The payload of the request: "x", "direction" (elements of the optimizer's type, dimension of them), "indices" (int64_t,
 * "indices_count" of them); and at any time between requests "best_x", the best completed point, with the
 * "best_gradient" that belongs to it. Owned by the optimizer, valid until the next tell or ask.
 *   pointer  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_STATE (not part of this request). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_get_pointer(const loss_optimizer *optimizer, const char *name,
                                                const void **pointer);

/*
 * The answers. Vectors are copied or used up before the call returns. Non-finite numbers are allowed: a line search
 * backs off from them, elsewhere they end the run with LOSS_ERROR_NONFINITE as its outcome.
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_STATE (nothing was asked, or something else). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_tell_value(loss_optimizer *optimizer, double value);
LOSS_API loss_status loss_optimizer_tell_gradient(loss_optimizer *optimizer, double value,
                                                  const void *gradient);
LOSS_API loss_status loss_optimizer_tell_vector(loss_optimizer *optimizer, const void *vector);

/*
 * Asks a run to end: the next ask gives DONE, with the outcome LOSS_STOP_USER and the best point so far. A run that starts
 * afterwards knows nothing of it.
 * Any thread, any callback. NULL is allowed. Since 0.1.
 */
LOSS_API void loss_optimizer_stop(loss_optimizer *optimizer);

/*
 * How the run ended: a positive LOSS_STOP_…, or a negative LOSS_ERROR_… when it failed; LOSS_OK while it runs.
 *   status  not NULL; untouched on failure
 * The point returned is the best completed one in every case. Returns LOSS_OK, LOSS_ERROR_ARGUMENT,
 * LOSS_ERROR_STATE (not started). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_outcome(const loss_optimizer *optimizer, loss_status *status);

/*
 * Minimises the objective from x and leaves the best point there: a loop over ask and tell.
 *   optimizer, objective, x  not NULL; types and dimensions agree. x also in case of failure holds the best point.
 * Returns the outcome (positive: converged or a limit; negative: failed), or LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE,
 * LOSS_ERROR_SHAPE, LOSS_ERROR_MEMORY, LOSS_ERROR_CALLBACK, LOSS_ERROR_STATE (called by a callback of a run of the same optimizer:
 * that run goes on; neither can it be started, run or loaded there) and what loss_objective_evaluate() returns. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_minimize(loss_optimizer *optimizer, loss_objective *objective, void *x);

/*
 * The same loop from where the optimizer stands: after loss_optimizer_start(), loss_optimizer_load() or
 * loss_optimizer_resume(). loss_optimizer_minimize() is start and run.
 *   x  takes the best point; what is in it is not read
 * Returns as loss_optimizer_minimize(), and LOSS_ERROR_STATE (not started). Since 0.1.
 */
LOSS_API loss_status loss_optimizer_run(loss_optimizer *optimizer, loss_objective *objective, void *x);

/*
 * Takes a run up again that a limit, loss_optimizer_stop() or an objective's error ended: it goes on with the same bits, as if it had not been
 * stopped. Limits and tolerances may be set before. A limit still exceeded ends it again at once. Of a run that has not ended,
 * nothing.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_STATE (not started; converged or failed; through all its "epochs", which its schedule
 * spans; an option of the method was set).
 * Since 0.1.
 */
LOSS_API loss_status loss_optimizer_resume(loss_optimizer *optimizer);

/*
 * Checkpoints: all of a run in one block of bytes, at any time between two calls, also inside a line search. Loaded into an
 * optimizer of the same name, type and dimension, in this process or another, the run continues with the same bits; options come
 * with it, the elapsed time too. docs/checkpoints.md describes the bytes.
 *
 * loss_optimizer_save_size() gives how many bytes a checkpoint has now, 0 for NULL or before the first start.
 * loss_optimizer_save() writes them.
 *   blob  not NULL; any alignment      size  at least loss_optimizer_save_size()
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT (NULL, too small), LOSS_ERROR_STATE (not started).
 *
 * loss_optimizer_load() reads them; a run under way is replaced. Damaged, cut short, of another byte order, optimizer, type, dimension, numerics
 * revision, or of a run with other penalties of the optimizer (not of the objective): refused with a sentence, and nothing is changed. A checkpoint is trusted beyond its checksum: load only what you saved.
 *   blob  not NULL; any alignment      size  exactly as many bytes as were written
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_CHECKPOINT, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API int64_t loss_optimizer_save_size(const loss_optimizer *optimizer);
LOSS_API loss_status loss_optimizer_save(const loss_optimizer *optimizer, void *blob, int64_t size);
LOSS_API loss_status loss_optimizer_load(loss_optimizer *optimizer, const void *blob, int64_t size);

/*
 * The objective over held-out data that loss_optimizer_minimize() evaluates when the option "held_out" of a stochastic
 * method is 1: a function of the same parameters. The optimizer holds a reference; NULL takes it away.
 *   optimizer  not NULL
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE, LOSS_ERROR_STATE (during a run),
 * LOSS_ERROR_SUPPORT (the method makes no use of it) and what loss_objective_prepare() returns. Since 0.1.
 */
LOSS_API loss_status loss_optimizer_set_held_out(loss_optimizer *optimizer, loss_objective *objective);

/* Called by loss_optimizer_minimize() at every iterate; a non-zero result stops the run as loss_optimizer_stop() does. */
typedef int32_t (*loss_iterate_callback)(void *user, loss_optimizer *optimizer);

/* Sets that callback; NULL removes it. Returns LOSS_OK or LOSS_ERROR_ARGUMENT. Since 0.1. */
LOSS_API loss_status loss_optimizer_set_iterate_callback(loss_optimizer *optimizer,
                                                         loss_iterate_callback callback, void *user);

#ifdef __cplusplus
}
#endif

#endif
