/*
 * Adam: moving means of the gradient and of its squares,
 *
 *     m = β₁m + (1 − β₁)g,  v = β₂v + (1 − β₂)g²,  x = x − η·m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *
 * Kingma & Ba, ICLR 2015, algorithm 1. amsgrad takes the largest v so far under the root: Reddi, Kale & Kumar, ICLR 2018,
 * algorithm 2, with the bias corrections of Adam.
 */
#include "optimizer/adam.h"

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
#include "optimizer/moments_options.def"
    {"amsgrad", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: the largest mean of squares so far"},
};

int64_t lossi_adam_vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)samples;
    return lossi_own_int(optimizer, LOSSI_ADAM_AMSGRAD) ? 3 : 2;
}

void lossi_adam_begin(loss_optimizer *optimizer)
{
    lossi_adam *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, LOSSI_ADAM_BETA1);
    state->amsgrad = (int32_t)lossi_own_int(optimizer, LOSSI_ADAM_AMSGRAD);
}

void lossi_adam_prepare(loss_optimizer *optimizer)
{
    lossi_moments_count(&((lossi_adam *)optimizer->state)->moments);
}

int32_t lossi_adam_step(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const lossi_adam *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    lossi_moments_fill_adam(&state->moments, step, step->rate);
    return lossi_run_step(optimizer, state->amsgrad ? steps->amsgrad : steps->adam, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = lossi_adam_vectors,
                                               .begin = lossi_adam_begin,
                                               .prepare = lossi_adam_prepare,
                                               .step = lossi_adam_step};

const lossi_optimizer_row lossi_optimizer_adam = {
    .name = "adam",
    .family = "stochastic gradient descent",
    .summary = "Adam: steps in units of the moving root mean square of each derivative",
    .reference = "Kingma & Ba, International Conference on Learning Representations (2015)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lossi_adam),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
