/* A loss function as the library sees it. The public half is loss/function.h of the installed headers. */
#ifndef LOSSI_LOSS_HANDLE_H
#define LOSSI_LOSS_HANDLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "loss/function.h"
#include "loss/row.h"

/* The options every loss has, before its own. */
enum { LOSSI_FUNCTION_CURVATURE, LOSSI_FUNCTION_OPTIONS };

struct lossi_user; /* loss/user.h */

struct loss_function {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    int32_t index; /* in the registry, −1 for a loss of the caller's */
    const lossi_row *row;
    struct lossi_user *user; /* what a loss of the caller's is, NULL for one of the catalogue; owned */
    char title[64];          /* "the loss 'huber'", for sentences */
    lossi_options options;
    lossi_prepared prepared; /* follows the options */
    int32_t curvature_kind;
};

/*
 * Makes a function of a row at its default options. It takes over user (NULL for a row of the catalogue) when it can be
 * made. LOSS_OK or LOSS_ERROR_MEMORY.
 */
loss_status lossi_function_new(loss_function **out, loss_context *context, const lossi_row *row,
                               int32_t index, struct lossi_user *user);

/* The options as kernels want them; called whenever one has changed. */
void lossi_function_prepare(loss_function *function);

/* Whether a list of numbers in that role is one column: weights, masks, offsets, what has groups of its own. */
int32_t lossi_function_role_is_column(const loss_function *function, int32_t index);

/*
 * Everything that loss_function_evaluate() refuses before it looks at an element: roles, types and shapes of inputs, whose pointers
 * are not followed. With its statuses and sentences.
 */
loss_status lossi_function_check_inputs(loss_context *context, const loss_function *function,
                                        const loss_data *inputs);

/* LOSS_OK, LOSS_ERROR_ARGUMENT for NULL, or LOSS_ERROR_STATE when it is sealed. */
loss_status lossi_function_settable(const loss_function *function);

void lossi_function_seal(const loss_function *function);

/* One more reference, which seals, and one less. */
const loss_function *lossi_function_retain(const loss_function *function);
void lossi_function_drop(const loss_function *function);

#endif
