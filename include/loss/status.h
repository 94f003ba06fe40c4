/*
 * Statuses: what every fallible function returns.
 *
 *   0         done
 *   negative  an error: nothing was changed, and the context holds one sentence that says what was wrong
 *   positive  a reason to stop that is no failure (only optimizers have them)
 *
 * Numbers come in blocks of 100 per module and are never reused, so a program may store or compare them.
 */
#ifndef LOSS_STATUS_H
#define LOSS_STATUS_H

#include <stdint.h>

#include "loss/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t loss_status;

#define LOSS_OK 0

/* Core, -1 to -99. */
#define LOSS_ERROR_ARGUMENT (-1) /* a NULL where none is allowed, a negative size, an impossible stride */
#define LOSS_ERROR_MEMORY   (-2) /* the allocator returned nothing */
#define LOSS_ERROR_NAME     (-3) /* no such loss, optimizer, option, role, … ; the sentence names the nearest */
#define LOSS_ERROR_TYPE     (-4) /* an element or option type that does not fit */
#define LOSS_ERROR_RANGE    (-5) /* an option outside its minimum and maximum */
#define LOSS_ERROR_SHAPE    (-6) /* rows or columns that do not agree */
#define LOSS_ERROR_STATE    (-7) /* a call out of order: a sealed handle, a tell without an ask, … */
#define LOSS_ERROR_SUPPORT  (-8) /* asked for something that this object, machine or build cannot do */
#define LOSS_ERROR_CALLBACK (-9) /* a callback returned non-zero; its number can be read back */
#define LOSS_ERROR_NONFINITE                                                                                 \
    (-10) /* NaN or infinity where a finite number is needed; the sentence names the row */

/* Loss module, -100 to -199: data that a loss is not defined for (the sentence names row and value), and formulas. */
#define LOSS_ERROR_LABEL   (-101) /* a class label outside 0 … classes − 1, or one that is the blank */
#define LOSS_ERROR_DOMAIN  (-102) /* a prediction or target outside its domain, e.g. a probability of 1.5 */
#define LOSS_ERROR_FORMULA (-103) /* a formula that cannot be read; the sentence names the character */

/* Optimizer module, errors, -300 to -399. */
#define LOSS_ERROR_LINE_SEARCH (-301) /* no acceptable step, not even along the steepest descent direction */
#define LOSS_ERROR_UNBOUNDED   (-302) /* the objective fell below the option "unbounded_value" */
#define LOSS_ERROR_DERIVATIVE  (-303) /* the gradient contradicts the values, or was not given */
#define LOSS_ERROR_CHECKPOINT  (-304) /* a checkpoint that is damaged, cut short, or of another optimizer */

/* Files (libloss_io), -400 to -499. */
#define LOSS_ERROR_FILE   (-401) /* a file that cannot be opened, read or written */
#define LOSS_ERROR_FORMAT (-402) /* contents that are not what the format says; the sentence names the line */

/* Reasons to stop, 1 to 99: see loss_optimizer_outcome(). */
#define LOSS_STOP_GRADIENT    1  /* converged: the gradient norm is at or below its tolerance */
#define LOSS_STOP_VALUE       2  /* converged: the objective hardly changes any more */
#define LOSS_STOP_STEP        3  /* converged: the parameters hardly change any more */
#define LOSS_STOP_TARGET      4  /* the objective reached the option "target_value" */
#define LOSS_STOP_ITERATIONS  11 /* limit: option "max_iterations" */
#define LOSS_STOP_EVALUATIONS 12 /* limit: option "max_evaluations" */
#define LOSS_STOP_SECONDS     13 /* limit: option "max_seconds" */
#define LOSS_STOP_PRECISION   21 /* the rounding of the objective hides any further progress */
#define LOSS_STOP_USER        31 /* loss_optimizer_stop() was called */

/*
 * The constant's name, "LOSS_ERROR_SHAPE"; never NULL, also for numbers that are no status.
 * A static string. Any thread. Since 0.1.
 */
LOSS_API const char *loss_status_name(loss_status status);

/*
 * What the status means, as a short English sentence without a final stop; never NULL. A static string.
 * The sentence about a particular failure is in the context: loss_context_error(). Any thread. Since 0.1.
 */
LOSS_API const char *loss_status_message(loss_status status);

/*
 * The number of a public constant by its name, for languages that cannot see the preprocessor:
 * every LOSS_OK, LOSS_ERROR_…, LOSS_STOP_…, LOSS_FLOAT…, LOSS_INT…, LOSS_OPTION_…, LOSS_REQUEST_…, LOSS_CHECK_…, LOSS_ROWS.
 *   name   not NULL
 *   value  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_NAME when there is no such constant.
 * Any thread. Since 0.1.
 */
LOSS_API loss_status loss_constant(const char *name, int32_t *value);

#ifdef __cplusplus
}
#endif

#endif
