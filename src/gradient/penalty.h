/* Penalties: functions of the parameters alone that an objective adds to its cost, or an optimizer to what it is told. */
#ifndef LOSSI_GRADIENT_PENALTY_H
#define LOSSI_GRADIENT_PENALTY_H

#include <stdint.h>

#include "core/context.h"
#include "loss/gradient.h"

/* What a method has to know to handle the part of a penalty that has no derivative everywhere; they are bits. */
enum {
    LOSSI_ROUGH_L1 = 1,     /* Σ c_j |x_j| */
    LOSSI_ROUGH_BOUNDS = 2, /* lower_j ≤ x_j ≤ upper_j */
    LOSSI_ROUGH_SET = 4,    /* another set that can be projected onto */
    LOSSI_ROUGH_NORM = 8    /* another function with a proximal map */
};

/* Parameters with a shape, a rows × columns matrix, row after row, and a factor on the strengths of penalties about it. */
typedef struct lossi_segment_shape {
    int64_t offset, rows, columns;
    double factor;
} lossi_segment_shape;

/* Those of somebody, apart from each other and in the order of their offsets. `owner` is for sentences. */
typedef struct lossi_shapes {
    const char *owner;
    const void *all;
    int64_t count;
    lossi_segment_shape (*at)(const void *all, int64_t index);
} lossi_shapes;

/* The penalties of one handle, in the order they were added. */
typedef struct lossi_penalties {
    loss_penalty **list; /* references, owned */
    int32_t count, capacity;
} lossi_penalties;

loss_status lossi_penalties_append(lossi_penalties *penalties, loss_context *context,
                                   const loss_penalty *penalty);
void lossi_penalties_destroy(lossi_penalties *penalties, loss_context *context);

/* From here on their options stay. */
void lossi_penalties_seal(const lossi_penalties *penalties);

/* Whether all of them make sense together for the first `length` parameters, and with the shapes unless they are NULL:
 * not known yet; with a sentence. */
loss_status lossi_penalties_check(const lossi_penalties *penalties, loss_context *context, int64_t length,
                                  const lossi_shapes *shapes);

/* ---- the smooth parts ---- */

/* The sum of their values at the first `length` elements of x. */
double lossi_penalties_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                             const void *x);

/* out[i] += the derivative with respect to x[first + i], i < count; first + count ≤ length. */
void lossi_penalties_add_gradient(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                  const void *x, int64_t first, int64_t count, double *out);

/* out[i] += the same element of the Hessian, which is diagonal, times the direction. */
void lossi_penalties_add_product(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 const void *direction, int64_t first, int64_t count, double *out);

/* The same for a whole vector of the element type, whose elements it rounds once. */
enum { LOSSI_PENALTIES_GRADIENT, LOSSI_PENALTIES_PRODUCT };
void lossi_penalties_add_to(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, const void *x,
                            int32_t what, void *out);

/* The diagonal of their Hessian at one parameter. */
double lossi_penalties_curvature(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 int64_t index);

/* ---- the rough parts, of the first `length` parameters ---- */

/* The kinds there are, and which penalty is of one of these kinds (NULL: none). */
int32_t lossi_penalties_rough(const lossi_penalties *penalties);
const char *lossi_penalties_named(const lossi_penalties *penalties, int32_t kinds);

/* Whether there are smooth parts. */
int32_t lossi_penalties_smooth(const lossi_penalties *penalties);

/* The first that cannot be without shapes, NULL when there is none. */
const char *lossi_penalties_shaped(const lossi_penalties *penalties);

double lossi_penalties_rough_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                   const lossi_shapes *shapes, const void *x);

/* x = the proximal map of step · their sum. Step 0 is the projection onto the sets. */
void lossi_penalties_prox(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                          const lossi_shapes *shapes, double step, void *x);

/* The bounds of one parameter, narrowed by every box; of float64 they are as they were given. */
void lossi_penalties_bounds(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, int64_t index,
                            double *lower, double *upper);

/* way = the proximal map at x + way, less x: not formed as that difference, in which a way below the rounding of x is lost.
 * Each penalty of several takes the way from the one before. x is in the sets. */
void lossi_penalties_way(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                         const lossi_shapes *shapes, double step, const void *x, void *way);

/* lower and upper are narrowed by every box; weights grow by every factor of |x_j|. */
void lossi_penalties_narrow(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, void *lower,
                            void *upper);
void lossi_penalties_add_weights(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 void *weights);

/* A number that tells one list of penalties from another: their names, options and arrays. */
uint64_t lossi_penalties_digest(const lossi_penalties *penalties, uint64_t digest);

#endif
