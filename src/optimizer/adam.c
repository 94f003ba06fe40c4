/*
 * Adam: moving means of the gradient and of its squares,
 *
 *     m = β₁m + (1 − β₁)g,  v = β₂v + (1 − β₂)g²,  x = x − η·m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *
 * Kingma & Ba, ICLR 2015, algorithm 1. amsgrad takes the largest v so far under the root: Reddi, Kale & Kumar, ICLR 2018,
 * algorithm 2, with the bias corrections of Adam.
 */
#include "optimizer/moments.h"

enum { BETA1_OPTION = LOSSI_STOCHASTIC_OWN, BETA2_OPTION, EPSILON_OPTION, AMSGRAD_OPTION };

typedef struct adam {
    lossi_stochastic base;
    lossi_moments moments;
    int32_t amsgrad;
} adam;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
    {"beta1", LOSS_OPTION_DOUBLE, 0, 0.9999999, 0.9, NULL, NULL,
     "what a step leaves of the mean of gradients"},
    {"beta2", LOSS_OPTION_DOUBLE, 0, 0.9999999, 0.999, NULL, NULL,
     "what a step leaves of the mean of squares"},
    {"epsilon", LOSS_OPTION_DOUBLE, 1e-30, 1, 1e-8, NULL, NULL, "added to the root"},
    {"amsgrad", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: the largest mean of squares so far"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)samples;
    return lossi_own_int(optimizer, AMSGRAD_OPTION) ? 3 : 2;
}

static void begin(loss_optimizer *optimizer)
{
    adam *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, BETA1_OPTION);
    state->amsgrad = (int32_t)lossi_own_int(optimizer, AMSGRAD_OPTION);
}

static void prepare(loss_optimizer *optimizer)
{
    lossi_moments_count(&((adam *)optimizer->state)->moments);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adam *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    lossi_moments_fill_adam(&state->moments, step, step->rate);
    return lossi_run_step(optimizer, state->amsgrad ? steps->amsgrad : steps->adam, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_adam = {
    .name = "adam",
    .family = "stochastic gradient descent",
    .summary = "Adam: steps in units of the moving root mean square of each derivative",
    .reference = "Kingma & Ba, International Conference on Learning Representations (2015)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(adam),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
