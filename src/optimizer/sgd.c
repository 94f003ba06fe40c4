/*
 * Stochastic gradient descent with momentum: for every batch of samples, with g the mean gradient over it,
 *
 *     v = μv + g,   x = x − η(t)·v            (Polyak)
 *                   x = x − η(t)·(g + μv)     (Nesterov)
 *
 * Robbins & Monro, Ann. Math. Statist. 22 (1951) 400–407; Polyak, USSR Comput. Math. 4 (1964) 1–17; the form
 * of the Nesterov step: Sutskever, Martens, Dahl & Hinton, ICML 2013, eq. 5–7.
 *
 * An epoch draws every sample once, in the order of stream number `epoch` of the seed (loss/random.h). A
 * batch is a stretch of that permutation, the last one may be shorter. An iterate is an epoch that ends with
 * f and ∇f over everything: the point that is kept as the best is never judged by a batch. The trial pair's x
 * is the moving point, and its other half takes the gradients of batches.
 */
#include <math.h>
#include <stddef.h>

#include "loss/random.h"
#include "optimizer/optimizer.h"

enum {
    SAMPLES_OPTION,
    BATCH_SIZE_OPTION,
    EPOCHS_OPTION,
    LEARNING_RATE_OPTION,
    MOMENTUM_OPTION,
    NESTEROV_OPTION,
    SCHEDULE_OPTION,
    DECAY_OPTION,
    SEED_OPTION,
    EVALUATE_EVERY_OPTION
};
enum { CONSTANT, INVERSE_TIME, COSINE };
enum { STARTING, BATCHES, EVALUATING };
enum { VELOCITY };

typedef struct sgd {
    int64_t samples, batch_size, epochs, evaluate_every;
    int64_t done; /* samples of this epoch */
    uint64_t seed;
    double learning_rate, momentum, decay;
    int32_t nesterov, schedule, phase;
} sgd;

static const loss_option options[] = {
    {"samples", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL,
     "how many samples there are; 0: as the objective says"},
    {"batch_size", LOSS_OPTION_INT, 1, 0x1p53, 32, NULL, NULL, "samples in a batch"},
    {"epochs", LOSS_OPTION_INT, 1, 0x1p53, 100, NULL, NULL, "passes over the samples"},
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 0.1, NULL, NULL, "step at the start"},
    {"momentum", LOSS_OPTION_DOUBLE, 0, 1, 0.9, NULL, NULL, "share of the last step that goes on; 0: plain"},
    {"nesterov", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: Nesterov's momentum"},
    {"schedule", LOSS_OPTION_STRING, 0, 0, 0, "constant", "constant|inverse_time|cosine",
     "how the learning rate falls with the epochs t of T: not, as 1/(1 + decay·t), as (1 + cos(πt/T))/2"},
    {"decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0.1, NULL, NULL, "of the schedule inverse_time, per epoch"},
    {"seed", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL, "of the order of the samples"},
    {"evaluate_every", LOSS_OPTION_INT, 0, 0x1p53, 1, NULL, NULL,
     "epochs between evaluations over all samples; 0: only at the end"},
};

static int64_t sample_count(const loss_optimizer *optimizer)
{
    int64_t samples = lossi_own_int(optimizer, SAMPLES_OPTION);
    return samples > 0 ? samples : optimizer->samples_hint;
}

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    layout->vectors = 1;
    layout->integers = sample_count(optimizer);
    if (layout->integers < 1) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                          "%s draws batches and has to know the option 'samples' before it is started",
                          optimizer->owner);
    }
    return LOSS_OK;
}

static void start(loss_optimizer *optimizer)
{
    sgd *state = optimizer->state;
    state->samples = sample_count(optimizer);
    state->batch_size = lossi_own_int(optimizer, BATCH_SIZE_OPTION);
    state->epochs = lossi_own_int(optimizer, EPOCHS_OPTION);
    state->evaluate_every = lossi_own_int(optimizer, EVALUATE_EVERY_OPTION);
    state->seed = (uint64_t)lossi_own_int(optimizer, SEED_OPTION);
    state->learning_rate = lossi_own_double(optimizer, LEARNING_RATE_OPTION);
    state->momentum = lossi_own_double(optimizer, MOMENTUM_OPTION);
    state->decay = lossi_own_double(optimizer, DECAY_OPTION);
    state->nesterov = (int32_t)lossi_own_int(optimizer, NESTEROV_OPTION);
    state->schedule = (int32_t)lossi_own_int(optimizer, SCHEDULE_OPTION);
    state->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/*
 * (1 + cos πu)/2 = sin²(π(1 − u)/2) for 0 ≤ u ≤ 1, by the Taylor series of the sine up to the 21st power
 * (error below 2e-18 at π/2): libm's cosine need not have the same bits everywhere.
 */
static double half_cosine(double u)
{
    static const double half_pi = 0x1.921fb54442d18p+0;
    double a = half_pi * (1.0 - u), term = a, sine = a;
    for (int k = 2; k <= 20; k += 2) {
        term *= -a * a / (double)(k * (k + 1));
        sine += term;
    }
    return sine * sine;
}

static double learning_rate(const loss_optimizer *optimizer, const sgd *state)
{
    double t = (double)optimizer->machine.epoch + (double)state->done / (double)state->samples;
    switch (state->schedule) {
    case INVERSE_TIME:
        return state->learning_rate / (1.0 + state->decay * t);
    case COSINE:
        return state->learning_rate * half_cosine(t / (double)state->epochs);
    default:
        return state->learning_rate;
    }
}

static void ask_batch(loss_optimizer *optimizer, const sgd *state)
{
    int64_t left = state->samples - state->done;
    lossi_request_batch(optimizer, state->done, left < state->batch_size ? left : state->batch_size,
                        lossi_pair_gradient(optimizer->machine.trial));
}

static void begin_epoch(loss_optimizer *optimizer, sgd *state)
{
    state->done = 0;
    state->phase = BATCHES;
    loss_random_permutation(state->seed, (uint64_t)optimizer->machine.epoch, state->samples,
                            optimizer->integers);
    ask_batch(optimizer, state);
}

/* From an iterate: the moving point starts there, in the trial pair. */
static void leave_iterate(loss_optimizer *optimizer, sgd *state)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_clear_trial(optimizer);
    lossi_copy(optimizer, lossi_pair_x(m->trial), lossi_pair_x(m->at));
    begin_epoch(optimizer, state);
}

/* One step with the gradient of a batch; 1 when it was not finite. */
static int32_t take_step(loss_optimizer *optimizer, const sgd *state)
{
    lossi_machine *m = &optimizer->machine;
    m->step = learning_rate(optimizer, state);
    lossi_run(optimizer, optimizer->kernels->momentum,
              (lossi_operands){.in = {lossi_pair_gradient(m->trial)},
                               .out = {lossi_own_vector(optimizer, VELOCITY), lossi_pair_x(m->trial)},
                               .scalar = {state->momentum, m->step, state->nesterov ? 1.0 : 0.0,
                                          state->nesterov ? state->momentum : 1.0}});
    return !isfinite(m->told_value) || !isfinite(m->told_norm);
}

static void after_batch(loss_optimizer *optimizer, sgd *state)
{
    lossi_machine *m = &optimizer->machine;
    if (take_step(optimizer, state)) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    state->done += m->indices_count;
    if (state->done < state->samples) {
        ask_batch(optimizer, state);
        return;
    }
    int64_t epoch = m->epoch + 1; /* it counts when f is known to be finite after it, or nobody asks */
    if (epoch == state->epochs || (state->evaluate_every > 0 && epoch % state->evaluate_every == 0)) {
        state->phase = EVALUATING;
        lossi_request_gradient(optimizer, -1);
    } else {
        m->epoch = epoch;
        begin_epoch(optimizer, state);
    }
}

static void after_evaluation(loss_optimizer *optimizer, sgd *state)
{
    lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm)) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        return;
    }
    m->epoch++;
    if (lossi_accept(optimizer)) {
        return;
    }
    if (m->epoch == state->epochs) {
        lossi_finish(optimizer, LOSS_STOP_ITERATIONS, LOSSI_TEST_OWN + EPOCHS_OPTION, (double)m->epoch,
                     (double)state->epochs);
        return;
    }
    leave_iterate(optimizer, state);
}

static void advance(loss_optimizer *optimizer)
{
    sgd *state = optimizer->state;
    switch (state->phase) {
    case STARTING:
        if (!lossi_accept_start(optimizer)) {
            int32_t v = lossi_own_vector(optimizer, VELOCITY), x = lossi_pair_x(optimizer->machine.at);
            lossi_run(optimizer, optimizer->kernels->combine,
                      (lossi_operands){.in = {x, x}, .out = {v}, .scalar = {0.0, 0.0}});
            leave_iterate(optimizer, state);
        }
        return;
    case BATCHES:
        after_batch(optimizer, state);
        return;
    default:
        after_evaluation(optimizer, state);
    }
}

const lossi_optimizer_row lossi_optimizer_sgd = {
    .name = "sgd",
    .family = "stochastic gradient descent",
    .summary = "mini-batch gradient descent with momentum and learning-rate schedules",
    .reference = "Robbins & Monro, Annals of Mathematical Statistics 22 (1951) 400–407",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(sgd),
    .layout = layout,
    .start = start,
    .advance = advance,
};
