/*
 * Losses between two distributions over the columns of a row, sums of a function φ of the prediction's probability p and the
 * target's t. What the prediction is, the option `input` says, and `target_input` what the target is.
 *
 * Of probabilities or their logarithms every column counts for itself. Of logits the derivatives are those of
 * loss/softmax_loss.h, made of φ' and φ'' by log p.
 */
#ifndef LOSSI_LOSS_DIVERGENCE_H
#define LOSSI_LOSS_DIVERGENCE_H

#include <math.h>

#include "loss/distribution.h"
#include "loss/softmax.h"

/* The first options of all these losses; a loss's own come behind them. */
enum { LOSSI_INPUT, LOSSI_TARGET_INPUT, LOSSI_DIVERGENCE_OPTIONS };
enum { LOSSI_LOGITS, LOSSI_PROBABILITIES, LOSSI_LOG_PROBABILITIES }; /* the choices of `input` */

/* What is the same for all columns of a row; of rows abreast each lane has its own. */
typedef struct lossi_divergence_row {
    const double *parameters;
    int32_t input;
    int32_t linear;           /* φ is linear in log p */
    vreal factor, log_factor; /* what distributions are made comparable with, and its logarithm */
    vreal offset;             /* added to the sum of the values */
    vreal origin;             /* where slopes are measured from */
} lossi_divergence_row;

/* A vector of columns. */
typedef struct lossi_pair {
    vreal p, rest;   /* rest: 1 − p */
    vreal t, log_p;  /* log_p: not of predictions that are probabilities */
    vreal log_ratio; /* log (t/p); NaN where both are 0 */
} lossi_pair;

/* φ, and its derivatives: by p where the prediction is p, else by log p. */
typedef struct lossi_divergence {
    vreal value, first, second;
} lossi_divergence;

/* clang-format off */
#define LOSSI_DIVERGENCE_OPTION_ROWS(inputs)                                                                         \
    [LOSSI_INPUT] = {.name = "input",                                                                        \
                     .type = LOSS_OPTION_STRING,                                                             \
                     .text = "logits",                                                                       \
                     .choices = inputs,                                    \
                     .doc = "what the predictions are"},                                                     \
    [LOSSI_TARGET_INPUT] = {.name = "target_input",                                                          \
                            .type = LOSS_OPTION_STRING,                                                      \
                            .text = "probabilities",                                                         \
                            .choices = "probabilities|log_probabilities",                                    \
                            .doc = "what the targets are: log_target false or true",                         \
                            .aliases = "log_target",                                                         \
                            .words = "false|true"}
/* clang-format on */

#ifdef LOSSI_ONCE

/* Domains and links; a row that has more than this says so: convex by p alone, and without a majorizer. */
LOSSI_INLINE void lossi_divergence_prepare(const lossi_options *values, lossi_prepared *prepared)
{
    static const int32_t links[] = {LOSSI_LINK_SOFTMAX, LOSSI_LINK_IDENTITY, LOSSI_LINK_LOG};
    const int64_t input = lossi_options_own(values, LOSSI_INPUT)->integer;
    prepared->link = links[input];
    if (input == LOSSI_PROBABILITIES) {
        prepared->prediction = (lossi_domain){0, 1, 0};
    }
    if (lossi_options_own(values, LOSSI_TARGET_INPUT)->integer == 0) {
        prepared->target.low = 0;
    }
    prepared->flags &= ~(uint32_t)(input == LOSSI_PROBABILITIES ? LOSSI_MAJORIZED
                                                                : LOSSI_MAJORIZED | LOSSI_CONVEX);
}

#endif

#endif
