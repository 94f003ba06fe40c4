/*
 * SVRG: gradients of batches corrected by what they were at the last iterate x̃, where the whole gradient is known,
 *
 *     x = x − η·(∇f_B(x) − ∇f_B(x̃) + ∇f(x̃))
 *
 * Johnson & Zhang, NIPS 2013, figure 1. The snapshot x̃ is the iterate, so `evaluate_every` says how long it serves; for
 * every batch the gradient is asked for at x̃ first and then at x.
 */
#include "optimizer/stochastic.h"

typedef struct svrg {
    lossi_stochastic base;
    int32_t at_snapshot; /* where the gradient that is being waited for is */
} svrg;

enum { CORRECTION };

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "step at the start; a tenth of 1/L where gradients change by L at most"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 1;
}

static void ask(loss_optimizer *optimizer)
{
    ((svrg *)optimizer->state)->at_snapshot = 1;
    lossi_stochastic_ask(optimizer, optimizer->machine.at);
}

static int32_t receive(loss_optimizer *optimizer)
{
    svrg *state = optimizer->state;
    const lossi_machine *m = &optimizer->machine;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    lossi_step step = {.gradient = optimizer->told,
                       .state = {lossi_stochastic_vector(optimizer, CORRECTION, 0),
                                 lossi_vector(optimizer, lossi_pair_gradient(m->at))}};
    int32_t bad = lossi_run_step(optimizer, state->at_snapshot ? steps->copy : steps->correct, &step,
                                 optimizer->dimension);
    if (bad) {
        return -1;
    }
    if (state->at_snapshot) {
        state->at_snapshot = 0;
        lossi_stochastic_ask(optimizer, m->trial);
        return 1;
    }
    optimizer->told = step.state[0];
    return 0;
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    step->scalar[0] = step->rate;
    return lossi_run_step(optimizer, lossi_steps(optimizer)->plain, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .step = take, .ask = ask, .receive = receive};

const lossi_optimizer_row lossi_optimizer_svrg = {
    .name = "svrg",
    .family = "stochastic gradient descent",
    .summary = "gradients of batches corrected by the whole gradient at the last iterate; converges with a "
               "constant step",
    .reference = "Johnson & Zhang, Advances in Neural Information Processing Systems 26 (2013) 315–323",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(svrg),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
