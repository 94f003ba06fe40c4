/*
 * Adafactor: steps in units of a root mean square that a matrix keeps as the outer product of a column and a row,
 *
 *     βₜ = 1 − t^(−k),  R = βₜR + (1 − βₜ)·row means of G²,  C = βₜC + (1 − βₜ)·column means of G²
 *     U = G/√(R·C/mean R)          other parameters: V = βₜV + (1 − βₜ)g²,  u = g/√V
 *     W = (1 − ηλ)·W − max(ε₂, RMS W)·min(η, 1/√t)/max(1, RMS U/d)·U
 *
 * Shazeer & Stern, ICML 2018, algorithms 4 and 5 without momentum. Matrices are the segments with more than one row
 * and column; their R and C stand in the first rows + columns numbers of their part of one vector.
 */
#include "optimizer/stochastic.h"

#include <float.h>

enum {
    DECAY_RATE_OPTION = LOSSI_STOCHASTIC_OWN,
    EPSILON_OPTION,
    EPSILON_SCALE_OPTION,
    CLIP_THRESHOLD_OPTION
};

typedef struct adafactor {
    lossi_stochastic base;
    double decay_rate, epsilon, epsilon_scale, clip_threshold;
    double share, longest; /* 1 − βₜ, 1/√t */
} adafactor;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "step at the start, times the root mean square of the parameters"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0, NULL, NULL,
     "share of x that a step takes away, times the learning rate"},
    {"decay_rate", LOSS_OPTION_DOUBLE, 0, 1, 0.8, NULL, NULL,
     "k: the weight of the latest squares after t steps is t^-k"},
    {"epsilon", LOSS_OPTION_DOUBLE, 0, 1, 0, NULL, NULL,
     "least root mean square that is divided by; 0: the spacing of numbers near 1"},
    {"epsilon_scale", LOSS_OPTION_DOUBLE, 0, 1, 1e-3, NULL, NULL,
     "least root mean square of parameters that scales a step"},
    {"clip_threshold", LOSS_OPTION_DOUBLE, 1e-30, 1e30, 1, NULL, NULL,
     "d: updates with a larger root mean square are scaled to it"},
};

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    (void)optimizer;
    (void)samples;
    return 1;
}

static void begin(loss_optimizer *optimizer)
{
    adafactor *state = optimizer->state;
    double epsilon = lossi_own_double(optimizer, EPSILON_OPTION);
    state->decay_rate = lossi_own_double(optimizer, DECAY_RATE_OPTION);
    state->epsilon = epsilon > 0.0 ? epsilon : optimizer->dtype == LOSS_FLOAT64 ? DBL_EPSILON : FLT_EPSILON;
    state->epsilon_scale = lossi_own_double(optimizer, EPSILON_SCALE_OPTION);
    state->clip_threshold = lossi_own_double(optimizer, CLIP_THRESHOLD_OPTION);
    state->base.decoupled = 1;
}

static void prepare(loss_optimizer *optimizer)
{
    adafactor *state = optimizer->state;
    double t = (double)state->base.steps + 1.0;
    state->share = lossi_power(t, -state->decay_rate);
    state->longest = 1.0 / sqrt(t);
}

static double root_mean_square(const loss_optimizer *optimizer, const void *vector, int64_t count)
{
    lossi_pass pass = {.in = {vector, vector}};
    return sqrt(lossi_run_part(optimizer, optimizer->kernels->dot, &pass, count).sum[0] / (double)count);
}

/* The update goes to step->state[1]; 1 when a derivative was not finite. */
static int32_t update_matrix(const loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adafactor *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    step->rows = span->rows;
    step->columns = span->columns;
    step->scalar[0] = 1.0 - state->share;
    step->scalar[1] = state->share;
    step->scalar[2] = state->epsilon;
    if (lossi_run_bands(optimizer, steps->row_squares, step, span->rows, span->columns) ||
        lossi_run_bands(optimizer, steps->column_squares, step, span->columns, span->rows)) {
        return 1;
    }
    step->scalar[3] = 0.0;
    for (int64_t i = 0; i < span->rows; i++) {
        step->scalar[3] += (optimizer->dtype == LOSS_FLOAT64 ? ((const double *)step->state[0])[i]
                                                             : (double)((const float *)step->state[0])[i]) /
                           (double)span->rows;
    }
    return lossi_run_bands(optimizer, steps->factored, step, span->rows, span->columns);
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const adafactor *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    double size = fmax(state->epsilon_scale, root_mean_square(optimizer, step->x, span->count));
    int32_t bad;
    step->state[1] = lossi_offset_in(
        optimizer, lossi_vector(optimizer, lossi_pair_gradient(optimizer->machine.trial)), span->offset);
    if (span->rows > 1 && span->columns > 1) {
        bad = update_matrix(optimizer, span, step);
    } else {
        step->scalar[0] = 1.0 - state->share;
        step->scalar[1] = state->share;
        step->scalar[2] = state->epsilon;
        bad = lossi_run_step(optimizer, steps->scaled_root, step, span->count);
    }
    if (bad) {
        return 1;
    }
    double length = root_mean_square(optimizer, step->state[1], span->count);
    lossi_step move = {
        .gradient = step->state[1], .x = step->x, .clip = INFINITY, .scale = 1.0, .keep = step->keep};
    move.scalar[0] = size * fmin(step->rate, state->longest) / fmax(1.0, length / state->clip_threshold);
    return lossi_run_step(optimizer, steps->plain, &move, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_adafactor = {
    .name = "adafactor",
    .family = "stochastic gradient descent",
    .summary = "adaptive steps whose squares are kept by rows and columns of segments that are matrices",
    .reference = "Shazeer & Stern, International Conference on Machine Learning (2018)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(adafactor),
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
