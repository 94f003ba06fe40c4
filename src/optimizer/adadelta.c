/*
 * Adadelta: steps in units of the moving root mean square of the steps before,
 *
 *     a = ρa + (1 − ρ)g²,   d = √(b + ε)/√(a + ε)·g,   b = ρb + (1 − ρ)d²,   x = x − η·d
 *
 * Zeiler, arXiv 1212.5701 (2012), algorithm 1; there η is 1.
 */
#include "optimizer/stochastic.h"

enum { RHO_OPTION = LOSSI_STOCHASTIC_OWN, EPSILON_OPTION };

typedef struct adadelta {
    lossi_stochastic base;
    double rho, epsilon;
} adadelta;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1, NULL, NULL, "factor on the steps at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
    {"rho", LOSS_OPTION_DOUBLE, 0, 1, 0.9, NULL, NULL, "what a step leaves of the means of squares"},
    {"epsilon", LOSS_OPTION_DOUBLE, 1e-30, 1, 1e-6, NULL, NULL, "added under the roots"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 2;
}

static void begin(loss_optimizer *optimizer)
{
    adadelta *state = optimizer->state;
    state->rho = lossi_own_double(optimizer, RHO_OPTION);
    state->epsilon = lossi_own_double(optimizer, EPSILON_OPTION);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adadelta *state = optimizer->state;
    step->scalar[0] = state->rho;
    step->scalar[1] = 1.0 - state->rho;
    step->scalar[2] = state->epsilon;
    step->scalar[3] = step->rate;
    return lossi_run_step(optimizer, lossi_steps(optimizer)->adadelta, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors, .begin = begin, .step = take};

const lossi_optimizer_row lossi_optimizer_adadelta = {
    .name = "adadelta",
    .family = "stochastic gradient descent",
    .summary = "steps in units of the steps before: no learning rate to choose",
    .reference = "Zeiler, arXiv 1212.5701 (2012)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(adadelta),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
