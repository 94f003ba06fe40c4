/*
 * NAdam: Adam with Nesterov's momentum, whose weight grows,
 *
 *     μₜ = β₁(1 − 0.96^(tψ)/2),  Πₜ = μ₁…μₜ,  m and v as Adam
 *     x = x − η·( (1 − μₜ)/(1 − Πₜ)·g + μₜ₊₁/(1 − Πₜ₊₁)·m )/(√v̂ + ε)
 *
 * Dozat, ICLR 2016 workshop, algorithm 2 and its appendix on the schedule of μ.
 */
#include "optimizer/moments.h"

enum {
    BETA1_OPTION = LOSSI_STOCHASTIC_OWN,
    BETA2_OPTION,
    EPSILON_OPTION,
    MOMENTUM_DECAY_OPTION,
    DECOUPLED_OPTION
};

typedef struct nadam {
    lossi_stochastic base;
    lossi_moments moments;
    double decay;                   /* ψ */
    double momentum, next, product; /* μₜ, μₜ₊₁, Πₜ */
} nadam;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 2e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
#include "optimizer/moments_options.def"
    {"momentum_decay", LOSS_OPTION_DOUBLE, 0, 1e3, 4e-3, NULL, NULL, "how fast the momentum grows to beta1"},
    {"decoupled", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
     "1: weight decay apart from the gradient, as in adamw"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 2;
}

/* 0.96: Dozat's constant. */
static double momentum_at(const nadam *state, double t)
{
    return state->moments.beta1 * (1.0 - 0.5 * lossi_power(0.96, t * state->decay));
}

static void begin(loss_optimizer *optimizer)
{
    nadam *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, BETA1_OPTION);
    state->decay = lossi_own_double(optimizer, MOMENTUM_DECAY_OPTION);
    state->base.decoupled = (int32_t)lossi_own_int(optimizer, DECOUPLED_OPTION);
    state->next = momentum_at(state, 1.0);
    state->product = 1.0;
}

static void prepare(loss_optimizer *optimizer)
{
    nadam *state = optimizer->state;
    lossi_moments_count(&state->moments);
    state->momentum = state->next;
    state->next = momentum_at(state, (double)state->base.steps + 2.0);
    state->product *= state->momentum;
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const nadam *state = optimizer->state;
    lossi_moments_fill(&state->moments, step, step->rate * (1.0 - state->momentum) / (1.0 - state->product),
                       step->rate * state->next / (1.0 - state->product * state->next),
                       1.0 / sqrt(1.0 - state->moments.power2), state->moments.epsilon);
    return lossi_run_step(optimizer, lossi_steps(optimizer)->adam, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_nadam = {
    .name = "nadam",
    .family = "stochastic gradient descent",
    .summary = "Adam with Nesterov's momentum",
    .reference = "Dozat, International Conference on Learning Representations, workshop (2016)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(nadam),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
