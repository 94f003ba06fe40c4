/*
 * RMSProp: steps in units of the moving root mean square of each derivative,
 *
 *     a = ρa + (1 − ρ)g²,   d = g/(√a + ε),   x = x − η·d
 *
 * centered takes the variance in place of a, with the moving mean h = ρh + (1 − ρ)g: a − h². With momentum v = μv + d
 * and x = x − η·v. epsilon_inside puts ε under the root.
 *
 * Tieleman & Hinton, Coursera, Neural Networks for Machine Learning (2012), lecture 6e; centered: Graves, arXiv 1308.0850
 * (2013), eq. 38–45.
 */
#include "optimizer/stochastic.h"

enum {
    RHO_OPTION = LOSSI_STOCHASTIC_OWN,
    EPSILON_OPTION,
    EPSILON_INSIDE_OPTION,
    MOMENTUM_OPTION,
    CENTERED_OPTION
};

typedef struct rmsprop {
    lossi_stochastic base;
    double rho, outside, inside, momentum; /* ε is one of the two, the other 0 */
    int32_t centered;
} rmsprop;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
    {"rho", LOSS_OPTION_DOUBLE, 0, 0.9999999, 0.99, NULL, NULL, "what a step leaves of the mean of squares"},
    {"epsilon", LOSS_OPTION_DOUBLE, 1e-30, 1, 1e-8, NULL, NULL, "added to the root"},
    {"epsilon_inside", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: added under the root"},
    {"momentum", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL, "share of the last step that goes on"},
    {"centered", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: the variance in place of the mean of squares"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)samples;
    return 1 + lossi_own_int(optimizer, CENTERED_OPTION) +
           (lossi_own_double(optimizer, MOMENTUM_OPTION) > 0.0);
}

static void begin(loss_optimizer *optimizer)
{
    rmsprop *state = optimizer->state;
    double epsilon = lossi_own_double(optimizer, EPSILON_OPTION);
    int64_t inside = lossi_own_int(optimizer, EPSILON_INSIDE_OPTION);
    state->rho = lossi_own_double(optimizer, RHO_OPTION);
    state->outside = inside ? 0.0 : epsilon;
    state->inside = inside ? epsilon : 0.0;
    state->momentum = lossi_own_double(optimizer, MOMENTUM_OPTION);
    state->centered = (int32_t)lossi_own_int(optimizer, CENTERED_OPTION);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const rmsprop *state = optimizer->state;
    step->scalar[0] = state->rho;
    step->scalar[1] = 1.0 - state->rho;
    step->scalar[2] = state->outside;
    step->scalar[3] = step->rate;
    step->scalar[4] = state->momentum;
    step->scalar[5] = state->inside;
    step->scalar[6] = lossi_inverse_rate(optimizer, step->rate);
    return lossi_run_step(optimizer, lossi_steps(optimizer)->rmsprop[state->centered][state->momentum > 0.0],
                          step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors, .begin = begin, .step = take};

const lossi_optimizer_row lossi_optimizer_rmsprop = {
    .name = "rmsprop",
    .family = "stochastic gradient descent",
    .summary = "steps in units of the moving root mean square of each derivative",
    .reference = "Tieleman & Hinton, Coursera, Neural Networks for Machine Learning, lecture 6e (2012)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(rmsprop),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
