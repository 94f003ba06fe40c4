/*
 * Muon: the momentum of a matrix of parameters, made orthogonal,
 *
 *     M = M + (1 − μ)(G − M),   U = G + μ(M − G)   (M itself without nesterov)
 *     X = U/‖U‖_F (0 for 0), then five times X = aX + (bA + cA²)X with A = XXᵀ
 *     W = (1 − ηλ)·W − η·√max(1, rows/columns)·X
 *
 * Jordan et al., Muon: an optimizer for hidden layers (2024), with its a, b, c; the iteration: Björck & Bowie, SIAM J.
 * Numer. Anal. 8 (1971) 358–364. Matrices are the segments with more than one row and column, unless their option
 * "orthogonalize" is 0. All other parameters follow AdamW, with options of its own; where nobody named a matrix, all do.
 *
 * Beside the two vectors of AdamW, of which a matrix needs the first, there is room for 2·r·c + 2·min(r, c)² numbers of
 * the largest matrix.
 */
#include "optimizer/matrix_kernels.h"
#include "optimizer/moments.h"

enum {
    MOMENTUM_OPTION = LOSSI_STOCHASTIC_OWN,
    NESTEROV_OPTION,
    ITERATIONS_OPTION,
    ADAMW_RATE_OPTION,
    ADAMW_DECAY_OPTION,
    BETA1_OPTION,
    BETA2_OPTION,
    EPSILON_OPTION
};

enum { MEAN, SQUARES, WORK };

static const double newton_schulz[] = {3.4445, -4.7750, 2.0315}; /* Jordan et al. */
enum {
    PLAIN = 100
}; /* binary exponents whose squares and reciprocals float and double hold, with room for sums */

typedef struct muon {
    lossi_stochastic base;
    lossi_moments moments;
    double momentum, adamw_rate, adamw_decay;
    int64_t iterations;
    int32_t nesterov;
} muon;

static const loss_option options[] = {
#include "optimizer/stochastic_options.def"
    {"learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL,
     "step of matrices (segments with rows and columns) at the start; for all else see adamw_learning_rate"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 0.1, NULL, NULL,
     "share of a matrix that a step takes away, times the learning rate"},
    {"momentum", LOSS_OPTION_DOUBLE, 0, 1, 0.95, NULL, NULL, "what a step leaves of the mean of gradients"},
    {"nesterov", LOSS_OPTION_INT, 0, 1, 1, NULL, NULL, "1: Nesterov's momentum"},
    {"newton_schulz_iterations", LOSS_OPTION_INT, 1, 100, 5, NULL, NULL, "how near to orthogonal"},
    {"adamw_learning_rate", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-3, NULL, NULL,
     "step of all other parameters at the start"},
    {"adamw_weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, 1e-2, NULL, NULL,
     "share of them that a step takes away, times their learning rate"},
    {"beta1", LOSS_OPTION_DOUBLE, 0, 0.9999999, 0.9, NULL, NULL,
     "of adamw: what a step leaves of the mean of gradients"},
    {"beta2", LOSS_OPTION_DOUBLE, 0, 0.9999999, 0.999, NULL, NULL,
     "of adamw: what a step leaves of the mean of squares"},
    {"epsilon", LOSS_OPTION_DOUBLE, 1e-30, 1, 1e-8, NULL, NULL, "of adamw: added to the root"},
};

static int32_t is_matrix(const lossi_span *span)
{
    return span->orthogonalize && span->rows > 1 && span->columns > 1;
}

/* Numbers beside M that a matrix needs. */
static double work_size(const lossi_span *span)
{
    double least = (double)(span->rows < span->columns ? span->rows : span->columns);
    return 2.0 * (double)span->count + 2.0 * least * least;
}

static int64_t vectors(const loss_optimizer *optimizer, int64_t samples)
{
    lossi_span span = {0};
    int64_t next = 0;
    double most = 0.0;
    (void)samples;
    while (lossi_next_span(optimizer, 0.0, span.offset + span.count, &next, &span)) {
        most = is_matrix(&span) ? fmax(most, work_size(&span)) : most;
    }
    return WORK + (int64_t)ceil(most / (double)optimizer->dimension);
}

static void begin(loss_optimizer *optimizer)
{
    muon *state = optimizer->state;
    state->moments = lossi_moments_read(optimizer, BETA1_OPTION);
    state->momentum = lossi_own_double(optimizer, MOMENTUM_OPTION);
    state->nesterov = (int32_t)lossi_own_int(optimizer, NESTEROV_OPTION);
    state->iterations = lossi_own_int(optimizer, ITERATIONS_OPTION);
    state->adamw_rate = lossi_own_double(optimizer, ADAMW_RATE_OPTION);
    state->adamw_decay = lossi_own_double(optimizer, ADAMW_DECAY_OPTION);
    state->base.decoupled = 1;
}

static void prepare(loss_optimizer *optimizer)
{
    lossi_moments_count(&((muon *)optimizer->state)->moments);
}

/* The schedule's factor is common; a weight decay of the segment's own holds here too. */
static int32_t take_adamw(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const muon *state = optimizer->state;
    double rate = state->adamw_rate * state->base.factor * span->rate_scale;
    double decay = span->own_decay ? span->weight_decay : state->adamw_decay;
    step->keep = 1.0 - rate * decay;
    lossi_moments_fill_adam(&state->moments, step, rate);
    return lossi_run_step(optimizer, lossi_steps(optimizer)->adam, step, span->count);
}

/* X in `from` to X in `to`, both r × c with r ≤ c; grams is room for A and for bA + cA². */
static void iterate(const loss_optimizer *optimizer, int64_t r, int64_t c, const void *from, void *to,
                    void *grams)
{
    void *gram = grams, *polynomial = lossi_offset_in(optimizer, grams, r * r);
    lossi_transpose_matrix(optimizer, &(lossi_transpose){from, to, r, c});
    lossi_multiply(optimizer, &(lossi_product){from, to, NULL, gram, r, r, c, 1.0, 0.0});
    lossi_multiply(optimizer, &(lossi_product){gram, gram, gram, polynomial, r, r, r, newton_schulz[2],
                                               newton_schulz[1]});
    lossi_multiply(optimizer, &(lossi_product){polynomial, from, from, to, r, c, r, 1.0, newton_schulz[0]});
}

/*
 * U/‖U‖_F from `first` to `second`, 0 for U = 0. Jordan et al. divide by no less than 1e-7, which would make a step hang on
 * the units of f. Where squares or the reciprocal of the norm would leave the range of numbers U is first multiplied by a
 * power of two, in two halves as that itself may not be a number of the type.
 */
static void normalize(const loss_optimizer *optimizer, int64_t count, void *first, void *second)
{
    lossi_pass pass = {.in = {first, first}, .out = {second}};
    lossi_pass_result size = lossi_run_part(optimizer, optimizer->kernels->measure, &pass, count);
    int exponent = 0;
    if (isfinite(size.maximum[0])) {
        frexp(size.maximum[0], &exponent);
    }
    if (exponent > PLAIN || exponent < -PLAIN) {
        const int half = -exponent / 2;
        pass.scalar[0] = ldexp(1.0, half);
        lossi_run_part(optimizer, optimizer->kernels->combine, &pass, count);
        pass = (lossi_pass){.in = {second, second}, .out = {first}, .scalar = {ldexp(1.0, -exponent - half)}};
        lossi_run_part(optimizer, optimizer->kernels->combine, &pass, count);
        pass = (lossi_pass){.in = {first, first}, .out = {second}};
        size = lossi_run_part(optimizer, optimizer->kernels->measure, &pass, count);
    }
    pass.scalar[0] = size.sum[0] == 0.0 ? 0.0 : 1.0 / sqrt(size.sum[0]);
    lossi_run_part(optimizer, optimizer->kernels->combine, &pass, count);
}

/* U in `first` to the orthogonal matrix near it; gives where that is: in `first` or in `second`. */
static void *orthogonalize(const loss_optimizer *optimizer, const lossi_span *span, void *first, void *second,
                           void *grams)
{
    const muon *state = optimizer->state;
    int32_t tall = span->rows > span->columns;
    int64_t r = tall ? span->columns : span->rows, c = tall ? span->rows : span->columns;
    normalize(optimizer, span->count, first, second);
    void *now = second, *other = first;
    if (tall) {
        lossi_transpose_matrix(optimizer, &(lossi_transpose){second, first, span->rows, span->columns});
        now = first;
        other = second;
    }
    for (int64_t i = 0; i < state->iterations; i++) {
        iterate(optimizer, r, c, now, other, grams);
        void *result = other;
        other = now;
        now = result;
    }
    if (tall) {
        lossi_transpose_matrix(optimizer, &(lossi_transpose){now, other, r, c});
        now = other;
    }
    return now;
}

static int32_t take(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    const muon *state = optimizer->state;
    const lossi_step_kernels *steps = lossi_steps(optimizer);
    if (!is_matrix(span)) {
        return take_adamw(optimizer, span, step);
    }
    void *first = lossi_stochastic_vector(optimizer, WORK, 0);
    void *second = lossi_offset_in(optimizer, first, span->count);
    step->state[1] = first;
    step->scalar[0] = 1.0 - state->momentum;
    step->scalar[1] = state->nesterov ? state->momentum : 1.0;
    if (lossi_run_step(optimizer, steps->interpolate, step, span->count)) {
        return 1;
    }
    lossi_step move = {.gradient = orthogonalize(optimizer, span, first, second,
                                                 lossi_offset_in(optimizer, second, span->count)),
                       .x = step->x,
                       .clip = INFINITY,
                       .scale = 1.0,
                       .keep = step->keep};
    move.scalar[0] = step->rate * sqrt(fmax(1.0, (double)span->rows / (double)span->columns));
    return lossi_run_step(optimizer, steps->plain, &move, span->count);
}

static const lossi_stochastic_method method = {
    .vectors = vectors, .begin = begin, .prepare = prepare, .step = take};

const lossi_optimizer_row lossi_optimizer_muon = {
    .name = "muon",
    .family = "stochastic gradient descent",
    .summary =
        "orthogonal momentum for segments that are matrices, adamw for the rest: for all where none is",
    .reference = "Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(muon),
    .layout = lossi_stochastic_layout,
    .start = lossi_stochastic_start,
    .advance = lossi_stochastic_advance,
    .stochastic = &method,
};
