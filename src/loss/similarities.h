/*
 * Losses of similarities: a row of the prediction holds what an anchor's similarity is to each candidate.
 *
 * Which candidates are positives says the role "target", the label of the only one, or "positives", ones and zeros. The others are
 * negatives; or those that "negatives" marks, which leaves the rest out, an anchor itself, say. A positive is not a negative.
 * What is left out is not read: its derivatives are 0.
 */
#ifndef LOSSI_LOSS_SIMILARITIES_H
#define LOSSI_LOSS_SIMILARITIES_H

#include "loss/structured.h"
#include "loss/twofold.h"

enum { LOSSI_SIMILARITY, LOSSI_POSITIVE, LOSSI_POSITIVES, LOSSI_NEGATIVES, LOSSI_SIMILARITY_ROLES };

enum { LOSSI_LEFT_OUT, LOSSI_IS_POSITIVE, LOSSI_IS_NEGATIVE };

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

/* What candidate j is. */
static inline int32_t lossi_candidate(const lossi_anchor *a, int64_t j)
{
    const lossi_input *input = a->part->input;
    const real *positives = lossi_row_of(input[LOSSI_POSITIVES].data, a->row, a->candidates);
    const real *negatives = lossi_row_of(input[LOSSI_NEGATIVES].data, a->row, a->candidates);
    const int64_t *label = input[LOSSI_POSITIVE].data;
    if (label != NULL ? label[a->row] == j : lossi_get(positives + j) != 0) {
        return LOSSI_IS_POSITIVE;
    }
    return negatives == NULL || lossi_get(negatives + j) != 0 ? LOSSI_IS_NEGATIVE : LOSSI_LEFT_OUT;
}

/* Row i; the numbers of its candidates in lists: positives one behind the other, then negatives. */
static inline void lossi_anchor_begin(const lossi_part *part, int64_t i, int64_t *positive, int64_t *negative,
                                      lossi_anchor *a)
{
    const int64_t columns = part->columns;
    const lossi_derivatives *out = &part->output[LOSSI_SIMILARITY];
    const void *const masks[] = {part->input[LOSSI_POSITIVES].data, part->input[LOSSI_NEGATIVES].data};
    *a = (lossi_anchor){.part = part,
                        .row = i,
                        .candidates = columns,
                        .similarity = lossi_row_of(part->input[LOSSI_SIMILARITY].data, i, columns),
                        .direction = lossi_row_of(out->direction, i, columns),
                        .gradient = lossi_row_to(out->gradient, i, columns),
                        .curvature = lossi_row_to(out->curvature, i, columns),
                        .product = lossi_row_to(out->product, i, columns)};
    for (int64_t j = 0; j < columns; j++) {
        const int32_t is = lossi_candidate(a, j);
        const real s = lossi_get(a->similarity + j);
        if (is == LOSSI_IS_POSITIVE) {
            positive[a->positives++] = j;
        } else if (is == LOSSI_IS_NEGATIVE) {
            negative[a->negatives++] = j;
        }
        for (int k = 0; k < 2; k++) {
            const real mark = masks[k] == NULL ? 0 : lossi_get(lossi_row_of(masks[k], i, columns) + j);
            a->probe = mark == mark ? a->probe : REAL_NAN;
        }
        a->probe = is == LOSSI_LEFT_OUT || s == s ? a->probe : REAL_NAN;
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

static inline void lossi_scatter(const real *x, const int64_t *column, int64_t count, real *row)
{
    for (int64_t k = 0; row != NULL && k < count; k++) {
        lossi_put(row + column[k], lossi_get(x + k));
    }
}

#ifdef LOSSI_ONCE

static const lossi_role lossi_similarity_roles[LOSSI_SIMILARITY_ROLES] = {
    [LOSSI_SIMILARITY] = {.name = "prediction", .flags = LOSSI_DIFFERENTIABLE},
    [LOSSI_POSITIVE] = {.name = "target", .kind = LOSSI_ROLE_LABEL, .columns = 1, .flags = LOSSI_OPTIONAL},
    [LOSSI_POSITIVES] = {.name = "positives", .flags = LOSSI_OPTIONAL, .domain = {0, 1, 1}},
    [LOSSI_NEGATIVES] = {.name = "negatives", .flags = LOSSI_OPTIONAL, .domain = {0, 1, 1}},
};

static loss_status lossi_similarities_check(loss_context *context, const char *title,
                                            const lossi_shape *shape)
{
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
