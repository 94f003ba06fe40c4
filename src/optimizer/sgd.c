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
    state->base.velocity = state->momentum > 0.0 ? 0 : -1;
}

static void prepare(loss_optimizer *optimizer)
{
    sgd *state = optimizer->state;
    state->base.share = state->momentum == 0.0 || state->base.steps == 0 ? 1.0 : 1.0 - state->dampening;
}

/* Nesterov's momentum looks ahead, at points that the proximal map has not seen. */
static loss_status check_proximal(const loss_optimizer *optimizer)
{
    return lossi_own_int(optimizer, NESTEROV_OPTION) == 0 ||
                   lossi_own_double(optimizer, MOMENTUM_OPTION) == 0.0
               ? LOSS_OK
               : lossi_fail(
                     optimizer->context, LOSS_ERROR_SUPPORT,
                     "%s cannot handle penalties without derivatives with the option 'nesterov': set it "
                     "to 0, or take 'accelerated_gradient'",
                     optimizer->owner);
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
    step->scalar[1] = state->base.share;
    step->scalar[2] = state->nesterov ? step->rate : 0.0;
    step->scalar[3] = state->nesterov ? step->rate * state->momentum : step->rate;
    step->scalar[4] = step->rate * state->base.share;
    step->scalar[5] = lossi_inverse_rate(optimizer, step->rate);
    return lossi_run_step(optimizer, steps->momentum, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take, .check_proximal = check_proximal};

const lossi_optimizer_row lossi_optimizer_sgd = {
    .name = "sgd",
    .family = "stochastic gradient descent",
    .summary = "mini-batch gradient descent with momentum and learning-rate schedules",
    .reference = "Robbins & Monro, Annals of Mathematical Statistics 22 (1951) 400–407",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(sgd),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
