/* A finite difference as the library sees it. The public half is loss/difference.h. */
#ifndef LOSSI_GRADIENT_FINITE_DIFFERENCE_H
#define LOSSI_GRADIENT_FINITE_DIFFERENCE_H

#include <stdatomic.h>

#include "core/option.h"
#include "gradient/ridders.h"
#include "loss/difference.h"

enum { LOSSI_DIFFERENCE_FORWARD, LOSSI_DIFFERENCE_CENTRAL, LOSSI_DIFFERENCE_RIDDERS };

/* Which values make the derivative along one parameter. */
enum {
    LOSSI_STENCIL_ONE,
    LOSSI_STENCIL_TWO,
    LOSSI_STENCIL_RIDDERS,
    LOSSI_STENCIL_MIXED,
    LOSSI_STENCIL_MIXED_FORWARD
};

/* What a run is for, and whether it wants a value. */
enum { LOSSI_JOB_NONE, LOSSI_JOB_GRADIENT, LOSSI_JOB_PRODUCT };
enum { LOSSI_PHASE_BASE, LOSSI_PHASE_PARAMETERS, LOSSI_PHASE_DONE };

struct loss_difference {
    loss_context *context;
    atomic_int references;
    int32_t method;
    loss_dtype dtype;
    int32_t real_size;
    int64_t dimension;
    char title[32]; /* "the difference 'central'", for sentences */
    lossi_options options;
    /* Working memory, in the element type but for the errors: allocated by the first start. */
    char *x, *point, *direction, *result;
    double *error;
    /* The run. */
    int32_t job, phase, asked;
    int32_t base;         /* values at the point itself still wanted */
    int64_t index, first; /* the parameter, and the first one */
    int64_t narrow;       /* the first one whose bounds leave it no room, −1 */
    int64_t bad;          /* the first parameter whose derivative is NaN, −1 */
    int64_t evaluations;
    double value;       /* f at x, of the last gradient */
    double here, ahead; /* of a product: f at the point, and at the point + reach · direction */
    double reach;       /* of a product's steps along the direction */
    int32_t stencil, count, sample, fallback;
    double target[4], distance[4], told[4];
    lossi_ridders ridders;
};

/* Allocates the working memory. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_difference_prepare(loss_difference *difference);
loss_difference *lossi_difference_retain(loss_difference *difference);

/* LOSS_ERROR_RANGE for bounds that are no bounds. */
loss_status lossi_difference_check(const loss_difference *difference);

/* The first parameter of x that is outside its bounds, −1 when none is. */
int64_t lossi_difference_outside(const loss_difference *difference, const void *x);
loss_status lossi_difference_fail_outside(const loss_difference *difference, loss_status status,
                                          int64_t index, double x);

/* Settings of one parameter, bounds as the element type has them. */
double lossi_difference_precision(const loss_difference *difference);
double lossi_difference_size(const loss_difference *difference, int64_t index);
void lossi_difference_bounds(const loss_difference *difference, int64_t index, double *lower, double *upper);

/* As loss_difference_start_product(), but rows before the first are not computed: they are 0. */
loss_status lossi_difference_start_rows(loss_difference *difference, const void *x, const void *direction,
                                        int64_t first);

/* stencil.c: the run once x (and the direction) are in place, and an answer. */
void lossi_stencil_start(loss_difference *difference, int32_t job, int64_t first);
void lossi_stencil_tell(loss_difference *difference, double value);

/* A whole run by calls of a function, which gives 0 or a status to end with. */
typedef loss_status (*lossi_value_function)(void *user, const void *x, double *value);
loss_status lossi_difference_run(loss_difference *difference, lossi_value_function function, void *user);

#endif
