/*
 * Losses from a formula: "formula:log(1 + exp(-y*p)) + c*p^2; c=0.1".
 *
 * p or prediction, y or t or target are the elements; every other name is an option of the function whose default stands behind
 * the semicolon. Value, gradient and curvature are programs of one expression (loss/expression/program.h).
 */
#ifndef LOSSI_LOSS_FORMULA_H
#define LOSSI_LOSS_FORMULA_H

#include <stdatomic.h>
#include <stdint.h>

#include "loss/handle.h"

#define LOSSI_FORMULA_PREFIX "formula:"

struct lossi_program;

/* What a formula is run for: each is a program. */
enum {
    LOSSI_FORMULA_VALUE,
    LOSSI_FORMULA_GRADIENT,
    LOSSI_FORMULA_EXACT,
    LOSSI_FORMULA_GAUSS_NEWTON,
    LOSSI_FORMULA_PROGRAMS
};

/* What a function shares with its clones; it never changes. */
typedef struct lossi_formula {
    loss_context *context; /* whose memory it is */
    atomic_int references;
    char *text, *body; /* all of it, prefix and options too; the formula alone */
    int32_t option_count;
    loss_option options[LOSSI_PARAMETERS];
    char names[LOSSI_PARAMETERS][LOSSI_WORD_SIZE];
    struct lossi_program *programs[LOSSI_FORMULA_PROGRAMS];
    int64_t scratch; /* bytes that the longest of them needs */
} lossi_formula;

/* The options behind the semicolon, from `at` to `end` of the text, added to those of the formula. LOSS_OK or LOSS_ERROR_FORMULA. */
loss_status lossi_formula_read_options(lossi_formula *formula, const char *text, const char *at,
                                       const char *end);

/* Whether the name of a loss is a formula. */
int32_t lossi_is_formula(const char *name);

/* Makes a loss function of it. LOSS_OK, LOSS_ERROR_FORMULA, LOSS_ERROR_MEMORY. */
loss_status lossi_formula_create(loss_function **out, loss_context *context, const char *text);

void lossi_formula_drop(lossi_formula *formula);

/* The kernels of every formula; tile->scratch and tile->isa have to be set. */
const lossi_kernels *lossi_formula_kernels(int32_t real_index);

#endif
