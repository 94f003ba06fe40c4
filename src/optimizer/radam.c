/*
 * RAdam: Adam that takes plain steps with momentum until the variance of its scale can be told,
 *
 *     ρ∞ = 2/(1 − β₂) − 1,  ρₜ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ)
 *     x = x − η·m̂                              while ρₜ ≤ 5
 *     x = x − η·m̂·r·√(1 − β₂ᵗ)/(√v + ε),        r² = (ρₜ − 4)(ρₜ − 2)ρ∞/((ρ∞ − 4)(ρ∞ − 2)ρₜ)
 *
 * Liu et al., ICLR 2020, algorithm 2; the threshold 5, where they have 4, is that of all who ship it.
 */
#include "optimizer/moments.h"

enum { BETA1_OPTION = LOSSI_STOCHASTIC_OWN, BETA2_OPTION, EPSILON_OPTION, DECOUPLED_OPTION };

static const double threshold = 5.0;

typedef struct radam {
    lossi_stochastic base;
    lossi_moments moments;
} radam;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
#include "optimizer/moments_options.def"
    {"decoupled", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
     "1: weight decay apart from the gradient, as in adamw"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 2;
}

static void begin(loss_optimizer *optimizer)
{
    radam *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, BETA1_OPTION);
    state->base.decoupled = (int32_t)lossi_own_int(optimizer, DECOUPLED_OPTION);
}

static void prepare(loss_optimizer *optimizer)
{
    lossi_moments_count(&((radam *)optimizer->state)->moments);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const radam *state = optimizer->state;
    const lossi_moments *moments = &state->moments;
    double t = (double)state->base.steps + 1.0, corrected = 1.0 - moments->power2;
    double longest = 2.0 / (1.0 - moments->beta2) - 1.0;
    double length = longest - 2.0 * t * moments->power2 / corrected;
    double mean = step->rate / (1.0 - moments->power1);
    if (length > threshold) {
        double root = 1.0 / sqrt(corrected);
        double rectified = sqrt((length - 4.0) * (length - 2.0) * longest /
                                ((longest - 4.0) * (longest - 2.0) * length));
        lossi_moments_fill(moments, step, 0.0, mean * rectified, root, moments->epsilon * root);
    } else {
        lossi_moments_fill(moments, step, 0.0, mean, 0.0, 1.0);
    }
    return lossi_run_step(optimizer, lossi_steps(optimizer)->adam, step, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_radam = {
    .name = "radam",
    .family = "stochastic gradient descent",
    .summary = "Adam whose first steps wait until the variance of its scale is known",
    .reference =
        "Liu, Jiang, He, Chen, Liu, Gao & Han, International Conference on Learning Representations (2020)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(radam),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
