/* Adam, for itself and for AdamW: the two differ in the weight decay alone. Their options end with "amsgrad". */
#ifndef LOSSI_OPTIMIZER_ADAM_H
#define LOSSI_OPTIMIZER_ADAM_H

#include "optimizer/moments.h"

enum { LOSSI_ADAM_BETA1 = LOSSI_STOCHASTIC_OWN, LOSSI_ADAM_AMSGRAD = LOSSI_ADAM_BETA1 + 3 };

typedef struct lossi_adam {
    lossi_stochastic base;
    lossi_moments moments;
    int32_t amsgrad;
} lossi_adam;

/* The parts of a lossi_stochastic_method. */
int64_t lossi_adam_vectors(const loss_optimizer *optimizer, int64_t samples);
void lossi_adam_begin(loss_optimizer *optimizer);
void lossi_adam_prepare(loss_optimizer *optimizer);
int32_t lossi_adam_step(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step);

#endif
