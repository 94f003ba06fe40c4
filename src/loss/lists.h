/* What losses of groups of items have in common: scores, relevances, and the groups by the role "offsets". */
#ifndef LOSSI_LOSS_LISTS_H
#define LOSSI_LOSS_LISTS_H

#include "loss/lanes.h"
#include "loss/structured.h"

enum { LOSSI_SCORE, LOSSI_RELEVANCE, LOSSI_OFFSETS, LOSSI_LIST_ROLES };

/*
 * NaN anywhere in a group makes the group NaN: a comparison alone would pass it over. Else 0. By an integer, because GCC 12 makes
 * wrong code of a loop that keeps a number or replaces it by NaN.
 */
static inline real lossi_list_probe(const lossi_part *part)
{
    const real *score = part->input[LOSSI_SCORE].data, *relevance = part->input[LOSSI_RELEVANCE].data;
    int32_t unknown = 0;
    for (int64_t i = 0; i < part->rows; i++) {
        const real s = lossi_get(score + i), y = lossi_get(relevance + i);
        unknown |= (s != s) | (y != y);
    }
    return unknown ? REAL_NAN : 0;
}

/* One number in all outputs: of a group that does not count, 0, or that is NaN; and what it adds to the denominator. */
static inline void lossi_list_fill(const lossi_part *part, real number, double denominator)
{
    const lossi_derivatives *out = &part->output[LOSSI_SCORE];
    real *const arrays[] = {out->gradient, out->curvature, out->product};
    lossi_put(part->value, number);
    *part->denominator = denominator;
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; arrays[k] != NULL && i < part->rows; i++) {
            lossi_put(arrays[k] + i, number);
        }
    }
}

#ifdef LOSSI_ONCE

static const lossi_role lossi_list_roles[LOSSI_LIST_ROLES] = {
    [LOSSI_SCORE] = {.name = "prediction",
                     .columns = 1,
                     .flags = LOSSI_DIFFERENTIABLE,
                     .doc = "rows x 1, real: the scores of the items, the best first where they are largest"},
    [LOSSI_RELEVANCE] = {.name = "target",
                         .columns = 1,
                         .doc = "rows x 1, real: the relevances of the items, larger is better; which lists "
                                "count says the denominator, the others add 0"},
    [LOSSI_OFFSETS] = {.name = "offsets",
                       .kind = LOSSI_ROLE_OFFSETS,
                       .flags = LOSSI_OPTIONAL,
                       .doc = "(groups + 1) x 1, integer, optional: the lists: list g is rows offsets[g] to "
                              "offsets[g + 1] - 1; without it all rows are one"},
};

#endif

#endif
