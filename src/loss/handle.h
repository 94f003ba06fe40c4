/* A loss function as the library sees it. The public half is loss/function.h of the installed headers. */
#ifndef LOSSI_LOSS_HANDLE_H
#define LOSSI_LOSS_HANDLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "loss/function.h"
#include "loss/row.h"

/* The options every loss has, before its own. */
enum { LOSSI_FUNCTION_CURVATURE, LOSSI_FUNCTION_OPTIONS };

struct loss_function {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    int32_t index; /* in the registry */
    const lossi_row *row;
    char title[64]; /* "the loss 'huber'", for sentences */
    lossi_options options;
    lossi_prepared prepared; /* follows the options */
    int32_t curvature_kind;
};

void lossi_function_seal(const loss_function *function);

/* One more reference, which seals, and one less. */
const loss_function *lossi_function_retain(const loss_function *function);
void lossi_function_drop(const loss_function *function);

#endif
