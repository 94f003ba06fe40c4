/* A loss of the caller's: what it says it is, and the callback that evaluates it. */
#ifndef LOSSI_LOSS_USER_H
#define LOSSI_LOSS_USER_H

#include <stdatomic.h>
#include <stdint.h>

#include "loss/handle.h"

enum { LOSSI_NAME_SIZE = 48 }; /* the longest name and its zero */

/* What a function shares with its clones. */
typedef struct lossi_callback {
    loss_context *context; /* whose memory it is */
    atomic_int references;
    loss_block_callback evaluate;
    loss_user_callback release; /* may be NULL */
    void *user;
} lossi_callback;

struct lossi_formula; /* loss/formula/formula.h */

typedef struct lossi_user {
    lossi_row row; /* its flags are what the caller said, its name the one below or of the formula */
    char name[LOSSI_NAME_SIZE];
    int32_t thread_safe;
    lossi_domain prediction, target;
    lossi_bounds bounds;
    lossi_callback *callback;      /* a reference, or */
    struct lossi_formula *formula; /* one to this */
} lossi_user;

/* Makes what the caller said into what kernels see. */
void lossi_user_prepare(const lossi_user *user, lossi_prepared *prepared);

/* A function of a formula, whose reference it takes over when it can be made. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_user_create_formula(loss_function **out, loss_context *context,
                                      struct lossi_formula *formula);

/* A copy of a function of the caller's, without its options. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_user_clone(loss_function **out, loss_context *context, const loss_function *function);

/* Gives everything back, with the context it was allocated with. NULL is allowed. */
void lossi_user_free(loss_context *context, lossi_user *user);

/* Kernels that call it; value is always wanted and arrays never overlap, see lossi_evaluation.callback. */
const lossi_kernels *lossi_user_kernels(int32_t real_index);

#endif
