/*
 * An objective as the library sees it: what every kind has in common, and the table of what a kind does itself. The
 * public half is loss/gradient.h.
 */
#ifndef LOSSI_GRADIENT_OBJECTIVE_H
#define LOSSI_GRADIENT_OBJECTIVE_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/option.h"
#include "gradient/penalty.h"
#include "loss/gradient.h"

/*
 * The samples of an evaluation: all of them when indices is NULL and count is −1. So many indices follow that are likely the next to be
 * evaluated; their samples may be asked for ahead, but as nobody checked them nothing of them may be read.
 */
typedef struct lossi_batch {
    int64_t count;
    const int64_t *indices;
    int64_t following;
} lossi_batch;

/* What a kind of objective does itself. Arguments are checked and the objective is prepared before any of them runs. */
typedef struct lossi_objective_kind {
    const char *name; /* "the linear model": what sentences call it */
    const loss_option *options;
    int32_t option_count;
    /* The dimension at the options as they are, 0 when it cannot be told; with a sentence when explain is set. */
    loss_status (*measure)(const loss_objective *objective, int32_t explain, int64_t *dimension);
    /* Allocates what evaluations need. May be called again after a failure. */
    loss_status (*prepare)(loss_objective *objective);
    /* Value with penalties, and gradient with penalties unless it is NULL; written only when every sample was good. */
    loss_status (*evaluate)(loss_objective *objective, const void *x, lossi_batch batch, double *value,
                            void *gradient);
    loss_status (*product)(loss_objective *objective, const void *x, const void *direction, void *product);
    /* May be NULL: n products do it then. */
    loss_status (*hessian)(loss_objective *objective, const void *x, void *matrix);
    /* The diagonal of that. May be NULL: n products do it then. */
    loss_status (*diagonal)(loss_objective *objective, const void *x, void *diagonal);
    /* Of its own, for whoever sets none; NULL: there is none. */
    loss_status (*precondition)(loss_objective *objective, const void *x, const void *vector, void *product);
    loss_status (*predict)(loss_objective *objective, const void *x, const loss_data *inputs,
                           const loss_data *outputs);
    /* Whether the gradient (0) or Hessian products (1) are differences of the library's; NULL: never. */
    int32_t (*differences)(const loss_objective *objective, int32_t what);
    /* Between which numbers, they included, a parameter has values; NULL: any finite one has. */
    void (*bounds)(const loss_objective *objective, int64_t index, double *lower, double *upper);
    /* A new iterate: what changes between iterates and never while a value is computed. NULL: nothing does. */
    void (*new_iterate)(loss_objective *objective);
    /* Takes over what another objective of the kind keeps from iterate to iterate, to be evaluated beside it. NULL: nothing. */
    void (*follow)(loss_objective *objective, const loss_objective *other);
    /* The running statistics of a node: read, or with `set` written. LOSS_ERROR_RANGE; NULL: there are none. */
    loss_status (*statistics)(loss_objective *objective, int32_t node, int32_t set, void *mean,
                              void *variance);
    /* Releases what is its own; the rest is common. */
    void (*destroy)(loss_objective *objective);
} lossi_objective_kind;

/* The first member of every kind's own structure. */
struct loss_objective {
    loss_context *context;
    atomic_int references;
    const lossi_objective_kind *kind;
    loss_dtype dtype;
    int32_t real_size;
    int32_t prepared;
    int64_t dimension; /* 0 until it can be told */
    int64_t penalised; /* how many of the first parameters the penalties are about */
    int64_t samples;   /* of batches */
    int32_t batches;   /* whether there are any */
    lossi_options options;
    lossi_penalties penalties;
    int32_t smooth_only; /* the rough parts of penalties are left out: an optimizer takes care of them */
    loss_precondition_callback precondition;
    void *precondition_user;
    char *unit; /* a unit vector for the rows of a Hessian, all zeros in between: allocated by the first */
    int64_t callback_status;
    int64_t check_index, check_direction; /* −1 before the first check, and where there is none */
    double check_error, check_derivative, check_difference, check_slope;
};

/*
 * Makes an objective of a kind, `size` bytes of which the common part is the first; NULL with a sentence when there is no
 * memory.
 */
loss_objective *lossi_objective_new(loss_context *context, const lossi_objective_kind *kind, int64_t size,
                                    loss_dtype dtype);

/* One more reference, and one less; the last one frees it. */
loss_objective *lossi_objective_retain(loss_objective *objective);
void lossi_objective_drop(loss_objective *objective);

/* The loss of a linear model where it has kinks, as sentences call it; NULL: it has none, or nothing is known of it. */
const char *lossi_linear_kinked(const loss_objective *objective);

/* One element of an array of the dtype, of any alignment. */
double lossi_real_get(loss_dtype dtype, const void *array, int64_t index);
void lossi_real_put(loss_dtype dtype, void *array, int64_t index, double value);

/* loss_objective_evaluate_batch(), told what follows. */
loss_status lossi_objective_evaluate_batch(loss_objective *objective, const void *x, lossi_batch batch,
                                           double *value, void *gradient);

/* What a callback returned, as a status; the number is kept. */
loss_status lossi_objective_returned(loss_objective *objective, const char *which, int32_t number);

/*
 * The Hessian row by row: row() writes row `index`, while objective->unit is the unit vector of that index; at the end
 * the matrix is made symmetric. By products every row is one of them.
 */
typedef loss_status (*lossi_hessian_row_function)(loss_objective *objective, const void *x, int64_t index,
                                                  void *row);
loss_status lossi_hessian_by_rows(loss_objective *objective, const void *x, lossi_hessian_row_function row,
                                  void *matrix);
loss_status lossi_hessian_by_products(loss_objective *objective, const void *x, void *matrix);

/* The diagonal, of the same rows one at a time. */
loss_status lossi_diagonal_by_rows(loss_objective *objective, const void *x, lossi_hessian_row_function row,
                                   void *diagonal);
loss_status lossi_diagonal_by_products(loss_objective *objective, const void *x, void *diagonal);

/* Whether two vectors of the objective's dimension share bytes. */
int32_t lossi_objective_overlap(const loss_objective *objective, const void *a, const void *b);

/* LOSS_ERROR_NONFINITE with a sentence when the value is not finite; row −1 when no row is to blame. */
loss_status lossi_objective_finite(const loss_objective *objective, double value, int64_t row);

/* What the penalties add to the value at x. */
double lossi_objective_penalties(const loss_objective *objective, const void *x);

#endif
