/*
 * Lion: the sign of an interpolated momentum, so that every parameter moves by the learning rate,
 *
 *     x = (1 − ηλ)·x − η·sign(β₁m + (1 − β₁)g),   m = β₂m + (1 − β₂)g
 *
 * Chen et al., Symbolic Discovery of Optimization Algorithms, NeurIPS 2023, program 1.
 */
#include "optimizer/stochastic.h"

enum { BETA1_OPTION = LOSSI_STOCHASTIC_OWN, BETA2_OPTION };

typedef struct lion {
    lossi_stochastic base;
    double beta1, beta2;
} lion;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-4, NULL, NULL,
     "step at the start; a third to a tenth of adamw's"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL,
     "share of x that a step takes away, times the learning rate"},
    {"beta1", LOSS_OPTION_DOUBLE, 0, 1, 0.9, NULL, NULL, "share of the momentum in the sign"},
    {"beta2", LOSS_OPTION_DOUBLE, 0, 1, 0.99, NULL, NULL, "what a step leaves of the momentum"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 1;
}

static void begin(loss_optimizer *optimizer)
{
    lion *state = optimizer->state;
    state->beta1 = lossi_own_double(optimizer, BETA1_OPTION);
    state->beta2 = lossi_own_double(optimizer, BETA2_OPTION);
    state->base.decoupled = 1;
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const lion *state = optimizer->state;
    step->scalar[0] = step->rate;
    step->scalar[1] = state->beta1;
    step->scalar[2] = 1.0 - state->beta1;
    step->scalar[3] = state->beta2;
    step->scalar[4] = 1.0 - state->beta2;
    return lossi_run_step(optimizer, lossi_steps(optimizer)->lion, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors, .begin = begin, .step = take};

const lossi_optimizer_row lossi_optimizer_lion = {
    .name = "lion",
    .family = "stochastic gradient descent",
    .summary = "steps by the sign of the momentum; one vector less than adamw",
    .reference = "Chen et al., Advances in Neural Information Processing Systems 36 (2023)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lion),
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
