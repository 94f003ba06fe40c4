/*
 * SAGA: gradients of batches corrected by those last seen of each, g_j in a table with the weighted mean g̅,
 *
 *     d = ∇f_j(x) − g_j,   x = x − η·(w_j·d + g̅),   g̅ = g̅ + (n_j/n)·d,   g_j = ∇f_j(x),   w_j = n_j·B/n
 *
 * for batch j of n_j samples, one of B with n together; w_j keeps the step unbiased when the last batch is shorter.
 * Defazio, Bach & Lacoste-Julien, NIPS 2014, eq. 1. The samples are cut into batches once, by stream 0 of the seed; an
 * epoch visits every batch once, in the order of stream 1 + epoch. Before the first the table is filled at the start,
 * batch by batch.
 *
 * The table is B vectors of n parameters: with batch_size 1 a gradient for every sample.
 */
#include "optimizer/stochastic.h"

#include "loss/random.h"

typedef struct saga {
    lossi_stochastic base;
    int64_t batches, filled, position, current;
} saga;

enum { MEAN, ESTIMATE, TABLE };

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "step at the start; a third of 1/L where gradients change by L at most"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
};

static int64_t batch_count(const loss_optimizer *optimizer, int64_t samples)
{
    int64_t size = lossi_own_int(optimizer, LOSSI_BATCH_SIZE);
    return samples / size + (samples % size != 0);
}

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    return TABLE + batch_count(optimizer, samples);
}

static void begin(loss_optimizer *optimizer)
{
    saga *state = optimizer->state;
    state->batches = batch_count(optimizer, state->base.samples);
}

static void ask_for(loss_optimizer *optimizer, saga *state, int64_t batch)
{
    int64_t offset = batch * state->base.batch_size, left = state->base.samples - offset;
    state->current = batch;
    lossi_request_batch(optimizer, optimizer->machine.trial, offset,
                        left < state->base.batch_size ? left : state->base.batch_size);
}

static void ask(loss_optimizer *optimizer)
{
    saga *state = optimizer->state;
    ask_for(optimizer, state, optimizer->integers[state->base.samples + state->position++]);
}

static void epoch(loss_optimizer *optimizer)
{
    saga *state = optimizer->state;
    if (state->filled == 0) {
        loss_random_permutation(state->base.seed, 0, state->base.samples, optimizer->integers);
        ask_for(optimizer, state, 0);
        return;
    }
    loss_random_permutation(state->base.seed, (uint64_t)optimizer->machine.epoch + 1, state->batches,
                            optimizer->integers + state->base.samples);
    state->position = 0;
    ask(optimizer);
}

static int32_t receive(loss_optimizer *optimizer)
{
    saga *state = optimizer->state;
    double share = (double)optimizer->machine.indices_count / (double)state->base.samples;
    lossi_step step = {.gradient = optimizer->told,
                       .state = {lossi_stochastic_vector(optimizer, TABLE + state->current, 0),
                                 lossi_stochastic_vector(optimizer, MEAN, 0),
                                 lossi_stochastic_vector(optimizer, ESTIMATE, 0)},
                       .scalar = {share * (double)state->batches, share}};
    if (lossi_run_step(optimizer, lossi_steps(optimizer)->exchange, &step, optimizer->dimension)) {
        return -1;
    }
    if (state->filled < state->batches) {
        if (++state->filled < state->batches) {
            ask_for(optimizer, state, state->filled);
        } else {
            epoch(optimizer);
        }
        return 1;
    }
    optimizer->told = step.state[2];
    return 0;
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    step->scalar[0] = step->rate;
    return lossi_run_step(optimizer, lossi_steps(optimizer)->plain, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors,
                                               .extra_integers = batch_count,
                                               .begin = begin,
                                               .step = take,
                                               .epoch = epoch,
                                               .ask = ask,
                                               .receive = receive};

const lossi_optimizer_row lossi_optimizer_saga = {
    .name = "saga",
    .family = "stochastic gradient descent",
    .summary = "gradients of batches corrected by a table of those last seen; converges with a constant "
               "step, and keeps a vector a batch",
    .reference = "Defazio, Bach & Lacoste-Julien, Advances in Neural Information Processing Systems 27 "
                 "(2014) 1646–1654",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(saga),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
