/*
 * Losses of similarities: a row of the prediction holds what an anchor's similarity is to each candidate.
 *
 * Which candidates are positives says the role "target", the label of the only one, or "positives", ones and zeros. The others are
 * negatives; or those that "negatives" marks, which leaves the rest out, an anchor itself, say. A positive is not a negative.
 * What is left out does not count, whatever it is: its derivatives are 0.
 */
#ifndef LOSSI_LOSS_SIMILARITIES_H
#define LOSSI_LOSS_SIMILARITIES_H

#include "loss/structured.h"
#include "loss/twofold.h"

enum { LOSSI_SIMILARITY, LOSSI_POSITIVE, LOSSI_POSITIVES, LOSSI_NEGATIVES, LOSSI_SIMILARITY_ROLES };

#define LOSSI_TEMPERATURE(standard)                                                                          \
    {                                                                                                        \
        .name = "temperature", .type = LOSS_OPTION_DOUBLE, .minimum = 1e-6, .maximum = 1e6,                  \
        .initial = (standard), .doc = "what similarities are divided by"                                     \
    }

/* An anchor's row. */
typedef struct lossi_anchor {
    const lossi_part *part;
    int64_t row, candidates;
    const real *similarity, *direction; /* direction NULL: no product */
    real *gradient, *curvature, *product;
    int64_t positives, negatives; /* how many */
    real probe;                   /* NaN when a number that is read is NaN, else 0 */
} lossi_anchor;

/* Which of `count` candidates from j on are positives, and which negatives; lanes beyond them are neither. */
LOSSI_INLINE void lossi_candidates(const lossi_anchor *a, int64_t j, int count, vmask *positive,
                                   vmask *negative, vmask *unknown)
{
    static const real numbers[LOSSI_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const lossi_input *input = a->part->input;
    const vreal zero = v_set1(0), lane = v_load(numbers);
    const vmask there = v_lt(lane, v_set1((real)count));
    const int64_t *label = input[LOSSI_POSITIVE].data;
    if (label != NULL) {
        const int64_t away = label[a->row] - j; /* far away: no lane */
        *positive = v_eq(lane, v_set1(away >= 0 && away < count ? (real)away : (real)-1));
        *unknown = v_lt(lane, zero);
    } else {
        const real *row = lossi_row_of(input[LOSSI_POSITIVES].data, a->row, a->candidates);
        const vreal mark = count == VREAL_LANES ? v_load(row + j) : v_load_part(row + j, count);
        *positive = v_mask_and(there, v_ne(mark, zero));
        *unknown = v_mask_and(there, v_is_nan(mark));
    }
    *negative = v_mask_and(there, v_mask_not(*positive));
    if (input[LOSSI_NEGATIVES].data != NULL) {
        const real *row = lossi_row_of(input[LOSSI_NEGATIVES].data, a->row, a->candidates);
        const vreal mark = count == VREAL_LANES ? v_load(row + j) : v_load_part(row + j, count);
        *negative = v_mask_and(*negative, v_ne(mark, zero));
        *unknown = v_mask_or(*unknown, v_mask_and(there, v_is_nan(mark)));
    }
}

/*
 * Row i: the columns of its positives, and a copy of its negatives, with the positives or without, in which −∞ stands for all
 * others.
 */
static inline void lossi_anchor_begin(const lossi_part *part, int64_t i, int32_t with_positives,
                                      int64_t *positive, real *copy, lossi_anchor *a)
{
    const int64_t columns = part->columns;
    const lossi_derivatives *out = &part->output[LOSSI_SIMILARITY];
    const vreal zero = v_set1(0), one = v_set1(1), none = v_set1(-REAL_INFINITY);
    vreal negatives = zero;
    real lanes[VREAL_LANES];
    *a = (lossi_anchor){.part = part,
                        .row = i,
                        .candidates = columns,
                        .similarity = lossi_row_of(part->input[LOSSI_SIMILARITY].data, i, columns),
                        .direction = lossi_row_of(out->direction, i, columns),
                        .gradient = lossi_row_to(out->gradient, i, columns),
                        .curvature = lossi_row_to(out->curvature, i, columns),
                        .product = lossi_row_to(out->product, i, columns)};
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        const int count = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
        const vreal s = count == VREAL_LANES ? v_load(a->similarity + j)
                                             : v_load_part(a->similarity + j, count);
        vmask is_positive, is_negative, unknown;
        lossi_candidates(a, j, count, &is_positive, &is_negative, &unknown);
        const vmask read = v_mask_or(is_positive, is_negative);
        v_store(copy + j, v_select(with_positives ? read : is_negative, s, none));
        negatives = negatives + v_select(is_negative, one, zero);
        if (v_mask_any(v_mask_or(unknown, v_mask_and(read, v_is_nan(s))))) {
            a->probe = REAL_NAN;
        }
        if (v_mask_any(is_positive)) {
            v_store(lanes, v_select(is_positive, one, zero));
            for (int lane = 0; lane < count; lane++) {
                if (lanes[lane] != 0) {
                    positive[a->positives++] = j + lane;
                }
            }
        }
    }
    v_store(lanes, negatives);
    for (int lane = 0; lane < VREAL_LANES; lane++) {
        a->negatives += (int64_t)lanes[lane];
    }
}

/* The direction at the candidates of the copy, 0 at the others. */
static inline void lossi_anchor_direction(const lossi_anchor *a, const real *copy, real *to)
{
    for (int64_t j = 0; j < a->candidates; j += VREAL_LANES) {
        const int count = a->candidates - j < VREAL_LANES ? (int)(a->candidates - j) : VREAL_LANES;
        const vreal d = count == VREAL_LANES ? v_load(a->direction + j)
                                             : v_load_part(a->direction + j, count);
        v_store(to + j, v_select(v_gt(v_load(copy + j), v_set1(-REAL_INFINITY)), d, v_set1(0)));
    }
}

/* factor · e, the gradient of the candidates of the copy. */
static inline void lossi_anchor_slopes(const lossi_anchor *a, const double *e, double factor)
{
    for (int64_t j = 0; j < a->candidates; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            out[v] = f64_set1(factor) * f64_load(e + j + v * F64_LANES);
        }
        lossi_wide_store(a->gradient, j, a->candidates, out);
    }
}

/* One number in all derivatives of the row. */
static inline void lossi_anchor_fill(const lossi_anchor *a, real number)
{
    real *const rows[] = {a->gradient, a->curvature, a->product};
    for (int k = 0; k < 3; k++) {
        for (int64_t j = 0; rows[k] != NULL && j < a->candidates; j++) {
            lossi_put(rows[k] + j, number);
        }
    }
}

/* Elements of a row by a list of columns. */
static inline void lossi_gather(const real *row, const int64_t *column, int64_t count, real *to)
{
    for (int64_t k = 0; k < count; k++) {
        to[k] = lossi_get(row + column[k]);
    }
}

#ifdef LOSSI_ONCE

static const lossi_role lossi_similarity_roles[LOSSI_SIMILARITY_ROLES] = {
    [LOSSI_SIMILARITY] = {.name = "prediction",
                          .flags = LOSSI_DIFFERENTIABLE,
                          .doc = "rows x columns, real: a row holds the similarities of its anchor to all "
                                 "candidates, one a column"},
    [LOSSI_POSITIVE] = {.name = "target",
                        .kind = LOSSI_ROLE_LABEL,
                        .columns = 1,
                        .flags = LOSSI_OPTIONAL,
                        .doc = "rows x 1, integer, optional: the column of the anchor's only positive, 0 to "
                               "columns - 1; not a class. Needed unless there is positives"},
    [LOSSI_POSITIVES] = {.name = "positives",
                         .flags = LOSSI_OPTIONAL,
                         .domain = {0, 1, 1},
                         .doc = "rows x columns, real, optional: 1 where a candidate is a positive, 0 "
                                "elsewhere; instead of target"},
    [LOSSI_NEGATIVES] = {.name = "negatives",
                         .flags = LOSSI_OPTIONAL,
                         .domain = {0, 1, 1},
                         .doc = "rows x columns, real, optional: 1 where a candidate is a negative unless it "
                                "is a positive; what is neither is left out, the anchor itself, "
                                "say. Without it all but the positives are negatives"},
};

static loss_status lossi_similarities_check(loss_context *context, const char *title,
                                            const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    return (shape->rows[LOSSI_POSITIVE] >= 0) != (shape->rows[LOSSI_POSITIVES] >= 0)
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s needs either 'target' or 'positives'", title);
}

static int64_t lossi_similarities_classes(const lossi_prepared *prepared, const lossi_shape *shape,
                                          int32_t role)
{
    (void)prepared;
    (void)role;
    return shape->columns[LOSSI_SIMILARITY];
}

#endif

#endif
