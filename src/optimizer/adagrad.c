/*
 * Adagrad: steps in units of the root of all squared derivatives so far,
 *
 *     a = a + g²,   x = x − η·g/(√a + ε)
 *
 * Duchi, Hazan & Singer, J. Mach. Learn. Res. 12 (2011) 2121–2159, figure 1, diagonal.
 */
#include "optimizer/stochastic.h"

enum { EPSILON_OPTION = LOSSI_STOCHASTIC_OWN, INITIAL_OPTION };

typedef struct adagrad {
    lossi_stochastic base;
    double epsilon;
} adagrad;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL, "step at the start"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL, "times x, added to the gradient"},
    {"epsilon", LOSS_OPTION_DOUBLE, 1e-30, 1, 1e-10, NULL, NULL, "added to the root"},
    {"initial_accumulator", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL,
     "what the sums of squares begin with"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 1;
}

static void begin(loss_optimizer *optimizer)
{
    adagrad *state = optimizer->state;
    state->epsilon = lossi_own_double(optimizer, EPSILON_OPTION);
    void *sums = lossi_stochastic_vector(optimizer, 0, 0);
    double initial = lossi_own_double(optimizer, INITIAL_OPTION);
    for (int64_t i = 0; initial > 0.0 && i < optimizer->dimension; i++) {
        if (optimizer->dtype == LOSS_FLOAT64) {
            ((double *)sums)[i] = initial;
        } else {
            ((float *)sums)[i] = (float)initial;
        }
    }
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adagrad *state = optimizer->state;
    step->scalar[0] = step->rate;
    step->scalar[1] = state->epsilon;
    return lossi_run_step(optimizer, lossi_steps(optimizer)->adagrad, step, span->count);
}

static const lossi_stochastic_method method = {.vectors = vectors, .begin = begin, .step = take};

const lossi_optimizer_row lossi_optimizer_adagrad = {
    .name = "adagrad",
    .family = "stochastic gradient descent",
    .summary = "steps that shrink with all squared derivatives so far; for sparse data",
    .reference = "Duchi, Hazan & Singer, Journal of Machine Learning Research 12 (2011) 2121–2159",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(adagrad),
    .handles = LOSSI_ROUGH_L1 | LOSSI_ROUGH_BOUNDS,
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
