/*
 * One penalty as a row: its options, and what is computed from them.
 *
 * A penalty has a smooth part, which objectives add to the cost, or a rough one that has no derivative
 * everywhere, or both. Of the rough part h an optimizer needs the value and the proximal map
 *
 *     prox(v) = argmin_u  h(u) + ‖u − v‖²/2t            Moreau, Bull. Soc. Math. France 93 (1965) 273–299
 *
 * which for the indicator of a set is the projection onto it.
 */
#ifndef LOSSI_GRADIENT_PENALTY_ROW_H
#define LOSSI_GRADIENT_PENALTY_ROW_H

#include <stdatomic.h>

#include "core/option.h"
#include "gradient/penalty.h"

/* Options every penalty has, by their place: the stretch of parameters it is about. */
enum { LOSSI_PENALTY_FIRST, LOSSI_PENALTY_COUNT, LOSSI_PENALTY_COMMON };

/* The parameters of one call: elements first … first + count − 1 of x, all of them the penalty's. `origin` is
 * the penalty's first parameter, and `length` how many it has; `shapes` what is known of them, NULL when nothing is. */
typedef struct lossi_stretch {
    loss_dtype dtype;
    int64_t origin, length, first, count;
    const lossi_shapes *shapes;
} lossi_stretch;

typedef struct lossi_penalty_row {
    const char *name;
    const loss_option *options;
    int32_t option_count;
    int32_t rough; /* LOSSI_ROUGH_… of the part without derivatives, 0 for none */
    /* The smooth part: NULL when there is none. Its Hessian is diagonal: out += derivative, or diagonal · direction. */
    double (*value)(const lossi_options *options, lossi_stretch stretch, const void *x);
    void (*add_gradient)(const lossi_options *options, lossi_stretch stretch, const void *x, double *out);
    void (*add_product)(const lossi_options *options, lossi_stretch stretch, const void *direction,
                        double *out);
    /* The rough part: NULL when there is none. Both are of the whole stretch. */
    double (*rough_value)(const lossi_options *options, lossi_stretch stretch, const void *x);
    void (*prox)(const lossi_options *options, lossi_stretch stretch, double step, void *x);
    /* way = prox(x + way) − x with the digits of the way, which may be far below the rounding of x. */
    void (*way)(const lossi_options *options, lossi_stretch stretch, double step, const void *x, void *way);
    /* A sentence about options that contradict each other, the stretch or its shapes; NULL when there are none. */
    loss_status (*check)(const lossi_options *options, loss_context *context, const char *title,
                         lossi_stretch stretch);
    /* Whether it cannot be without shapes; NULL: it never needs them. */
    int32_t (*shaped)(const lossi_options *options);
    /* What a method needs that handles this kind in its own way, by parameter: 1 the factor of |x| (l1), or the
     * bounds. NULL unless `rough` is LOSSI_ROUGH_L1 or LOSSI_ROUGH_BOUNDS. */
    double (*weight)(const lossi_options *options, int64_t index);
    void (*bounds)(const lossi_options *options, int64_t index, double *lower, double *upper);
} lossi_penalty_row;

extern const lossi_penalty_row lossi_penalty_box, lossi_penalty_simplex; /* penalty_sets.c */
extern const lossi_penalty_row lossi_penalty_group_lasso;                /* penalty_groups.c */

/* Σ x_j² of the stretch, element j in lane j mod 16. */
double lossi_sum_of_squares(lossi_stretch stretch, const void *x);

/*
 * The outermost numbers of the element type that are not outside of the bounds: no point is where whoever gave them, as
 * doubles, said that there is none. lower > upper when there is no such number. Two that are equal fix a parameter: at the nearest.
 */
void lossi_bounds_inside(loss_dtype dtype, double *lower, double *upper);

/* All of them, in alphabetical order. */
extern const lossi_penalty_row *const lossi_penalty_rows[];
extern const int32_t lossi_penalty_row_count;

struct loss_penalty {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    const lossi_penalty_row *row;
    char title[32]; /* "the penalty 'l2'", for sentences */
    lossi_options options;
};

#endif
