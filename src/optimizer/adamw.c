/*
 * AdamW: Adam with weight decay apart from the gradient,
 *
 *     m = β₁m + (1 − β₁)g,  v = β₂v + (1 − β₂)g²,  x = (1 − ηλ)·x − η·m̂/(√v̂ + ε),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *
 * Loshchilov & Hutter, ICLR 2019, algorithm 2; λ falls with the schedule too, as it does where it is used most.
 */
#include "optimizer/adam.h"

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "share of x that a step takes away, times the learning rate"},
#include "optimizer/moments_options.def"
    {"amsgrad", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: the largest mean of squares so far"},
};

static void begin(loss_optimizer *optimizer)
{
    lossi_adam_begin(optimizer);
    ((lossi_adam *)optimizer->state)->base.decoupled = 1;
}

static const lossi_stochastic_method method = {
    .vectors = lossi_adam_vectors, .begin = begin, .prepare = lossi_adam_prepare, .step = lossi_adam_step};

const lossi_optimizer_row lossi_optimizer_adamw = {
    .name = "adamw",
    .family = "stochastic gradient descent",
    .summary = "Adam with decoupled weight decay; the usual choice for networks",
    .reference = "Loshchilov & Hutter, International Conference on Learning Representations (2019)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lossi_adam),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
