/*
 * The tests that every row of the catalogue gets by itself: each is a function of one loss_case, a loss in one element
 * type with its reference vectors. test_losses.c runs all of them over the whole catalogue.
 */
#ifndef LOSS_TEST_LOSSES_H
#define LOSS_TEST_LOSSES_H

#include "support/batch.h"
#include "support/check.h"

typedef struct loss_case {
    const char *name;
    loss_dtype dtype;
    loss_context *context;
    vector_file file;
    int32_t pointwise, integer_target;
} loss_case;

/* A function with the options of a group; the caller frees it. */
loss_function *losses_make(const loss_case *given, const char *options);

/* The group after `index` (start with −1) of the case's element type that has generic rows, −1 at the end. */
int64_t losses_next_group(const loss_case *given, int64_t index);

/* The columns that tests of a group use: several for a pointwise loss, the file's own for the others. */
int64_t losses_columns(const loss_case *given, const vector_group *group);

/* losses_exact.c: against the reference vectors, and derivatives against differences. */
void losses_reference(void **state);
void losses_reference_one_by_one(void **state);
void losses_gauss_newton(void **state);
void losses_majorizer(void **state);
void losses_majorizer_bounds(void **state);
void losses_differences(void **state);

/* losses_layout.c: where the numbers lie does not matter. */
void losses_tails(void **state);
void losses_strides(void **state);
void losses_broadcast(void **state);
void losses_subsets(void **state);
void losses_in_place(void **state);
void losses_determinism(void **state);

/* losses_rows.c: weights, masks, scale, NaN, nothing, the short calls. */
void losses_weights(void **state);
void losses_masks(void **state);
void losses_nothing(void **state);
void losses_nan(void **state);
void losses_scale(void **state);
void losses_short_calls(void **state);
void losses_convexity(void **state);

/* losses_bounds.c: Lipschitz constants, bounds, continuity, and what follows from what. */
void losses_bounds(void **state);
void losses_bounds_reached(void **state);
void losses_continuity(void **state);
void losses_properties(void **state);

/* losses_constant.c: the best constant against brute force; parts of a data set. */
void losses_best_constant(void **state);
void losses_parts(void **state);

/* losses_options.c: names, options, roles, properties, clones. */
void losses_options(void **state);
void losses_extreme_options(void **state);
void losses_descriptions(void **state);

#endif
