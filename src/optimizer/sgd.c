/*
 * Stochastic gradient descent with momentum: for every batch of samples, with g the mean gradient over it,
 *
 *     v = μv + (1 − τ)g,   x = x − η(t)·v            (Polyak; at the first step v = g)
 *                          x = x − η(t)·(g + μv)     (Nesterov)
 *
 * Robbins & Monro, Ann. Math. Statist. 22 (1951) 400–407; Polyak, USSR Comput. Math. 4 (1964) 1–17; the form
 * of the Nesterov step: Sutskever, Martens, Dahl & Hinton, ICML 2013, eq. 5–7.
 */
#include "optimizer/stochastic.h"

enum { MOMENTUM_OPTION = LOSSI_STOCHASTIC_OWN, DAMPENING_OPTION, NESTEROV_OPTION };

typedef struct sgd {
    lossi_stochastic base;
    double momentum, dampening;
    int32_t nesterov;
} sgd;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 0.1, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
    {"momentum", LOSS_OPTION_DOUBLE, 0, 1, 0.9, NULL, NULL, "share of the last step that goes on; 0: plain"},
    {"dampening", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL, "share of the gradient that momentum leaves out"},
    {"nesterov", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: Nesterov's momentum"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)samples;
    return lossi_own_double(optimizer, MOMENTUM_OPTION) > 0.0 ? 1 : 0;
}

static void begin(loss_optimizer *optimizer)
{
    sgd *state = optimizer->state;
    state->momentum = lossi_own_double(optimizer, MOMENTUM_OPTION);
    state->dampening = lossi_own_double(optimizer, DAMPENING_OPTION);
    state->nesterov = (int32_t)lossi_own_int(optimizer, NESTEROV_OPTION);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const sgd *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    if (state->momentum == 0.0) {
        step->scalar[0] = step->rate;
        return lossi_run_step(optimizer, steps->plain, step, span->count);
    }
    step->scalar[0] = state->momentum;
    step->scalar[1] = state->base.steps == 0 ? 1.0 : 1.0 - state->dampening;
    step->scalar[2] = state->nesterov ? step->rate : 0.0;
    step->scalar[3] = state->nesterov ? step->rate * state->momentum : step->rate;
    return lossi_run_step(optimizer, steps->momentum, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors, .begin = begin, .step = take};

const lossi_optimizer_row lossi_optimizer_sgd = {
    .name = "sgd",
    .family = "stochastic gradient descent",
    .summary = "mini-batch gradient descent with momentum and learning-rate schedules",
    .reference = "Robbins & Monro, Annals of Mathematical Statistics 22 (1951) 400–407",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(sgd),
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
