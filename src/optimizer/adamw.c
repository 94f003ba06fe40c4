/*
 * AdamW: Adam with weight decay apart from the gradient,
 *
 *     m = β₁m + (1 − β₁)g,  v = β₂v + (1 − β₂)g²,  x = (1 − ηλ)·x − η·m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *
 * Loshchilov & Hutter, ICLR 2019, algorithm 2; λ falls with the schedule too, as it does where it is used most.
 */
#include "optimizer/moments.h"

enum { BETA1_OPTION = LOSSI_STOCHASTIC_OWN, BETA2_OPTION, EPSILON_OPTION, AMSGRAD_OPTION };

typedef struct adamw {
    lossi_stochastic base;
    lossi_moments moments;
    int32_t amsgrad;
} adamw;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "share of x that a step takes away, times the learning rate"},
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
    adamw *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, BETA1_OPTION);
    state->base.decoupled = 1;
    state->amsgrad = (int32_t)lossi_own_int(optimizer, AMSGRAD_OPTION);
}

static void prepare(loss_optimizer *optimizer)
{
    lossi_moments_count(&((adamw *)optimizer->state)->moments);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adamw *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    lossi_moments_fill_adam(&state->moments, step, step->rate);
    return lossi_run_step(optimizer, state->amsgrad ? steps->amsgrad : steps->adam, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_adamw = {
    .name = "adamw",
    .family = "stochastic gradient descent",
    .summary = "Adam with decoupled weight decay; the usual choice for networks",
    .reference = "Loshchilov & Hutter, International Conference on Learning Representations (2019)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(adamw),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
