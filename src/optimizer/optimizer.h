/*
 * Inside the optimizers: what the machine keeps, and what an algorithm may do with it.
 *
 * An algorithm is a row: a file with its options, the size of its workspace, and two functions. start() is
 * called when the starting point is in place, advance() when what was asked for has been told; both end by
 * asking for the next thing (lossi_request()) or by finishing (lossi_finish()). The machine does the rest:
 * counting, limits, stop tests, the best point.
 *
 * All state is flat: lossi_machine, the algorithm's own struct and the workspace hold numbers and indices,
 * never pointers, so that copying three blocks is a checkpoint.
 *
 * Vectors of the workspace are known by their index. The first come in pairs (x, ∇f(x)): pair p is the
 * vectors 2p and 2p + 1. Three pairs go around: `at` is the iterate, `trial` what is being evaluated, and
 * `spare` holds the best point when neither of the others does. Accepting a step swaps two indices; nothing
 * is copied.
 */
#ifndef LOSSI_OPTIMIZER_H
#define LOSSI_OPTIMIZER_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/context.h"
#include "core/option.h"
#include "gradient/penalty.h"
#include "loss/optimizer.h"
#include "optimizer/limited_memory_kernels.h"
#include "optimizer/segment.h"
#include "optimizer/vector_kernels.h"

/* Options every optimizer has, by their place in lossi_common_options. */
enum {
    LOSSI_MAX_ITERATIONS,
    LOSSI_MAX_EVALUATIONS,
    LOSSI_MAX_SECONDS,
    LOSSI_GRADIENT_TOLERANCE,
    LOSSI_GRADIENT_TOLERANCE_RELATIVE,
    LOSSI_VALUE_TOLERANCE,
    LOSSI_STEP_TOLERANCE,
    LOSSI_TARGET_VALUE,
    LOSSI_UNBOUNDED_VALUE,
    LOSSI_REPORT,
    LOSSI_COMMON_OPTIONS
};

extern const loss_option lossi_common_options[LOSSI_COMMON_OPTIONS];

/* The test that ended a run: an option of above, one of these, or an own option as LOSSI_TEST_OWN + index. */
enum { LOSSI_TEST_NONE = -1, LOSSI_TEST_OWN = 1000 };

enum { LOSSI_IDLE, LOSSI_RUNNING, LOSSI_FINISHED };

/* The machine's part of a checkpoint. */
typedef struct lossi_machine {
    int64_t iterations, evaluations, value_evaluations, gradient_evaluations, hessian_products, hessians;
    int64_t preconditions, batches, epoch, restarts, indices_count, indices_offset, callback_status;
    int64_t samples;                   /* of the objective being minimised, 0 for none */
    uint64_t digest, own_digest;       /* of the penalties, and of the optimizer's own: see composite.h */
    int64_t matrix;                    /* where in `doubles` the Hessian asked for goes */
    double value, gradient_norm;       /* at the iterate; ‖·‖∞ */
    double start_norm, previous_value; /* for the relative tests */
    double mean_value, mean_weight; /* Hager–Zhang's C and Q: the running mean of |f| over the iterates */
    double largest_value;           /* of |f| over them */
    double best_value, best_norm;   /* of the pair `best` */
    double least_norm;              /* ‖∇f‖∞ of the iterates, for the precision floor */
    double step, seconds;           /* of the trial, along the direction; when the run ended */
    double taken;                   /* the step that led to the iterate, 0 at the start */
    double told_value, told_norm, told_slope; /* of the last answer: f, ‖·‖∞, ∇f·slope_along; of a batch f */
    double held_out_value;                    /* last told, NaN before */
    double told_rough; /* the part of told_value that has no gradient, see composite.h */
    double test_value, test_threshold;
    double open_value, open_norm; /* of the iterate, see open_request */
    int32_t test, outcome;
    int32_t rough, smooth;  /* kinds of rough parts of penalties; whether there are smooth ones */
    int32_t standing;       /* iterations in a row that f stood still */
    int32_t phase;          /* LOSSI_IDLE … */
    int32_t request, asked; /* what is wanted, and whether the caller knows */
    int32_t open_request;   /* what was wanted when a limit or the user stopped the run */
    int32_t report, iterate_ready, shown;   /* NEW_ITERATE: wanted, due, being shown */
    int32_t at, trial, spare, best;         /* pairs; best is one of the three */
    int32_t point;                          /* the pair whose x is asked about */
    int32_t complete;                       /* whether best has a finite value and a gradient */
    int32_t search_end;                     /* how the last line search ended, see line_search/choice.h */
    int32_t slope_along, direction, answer; /* vectors, −1 for none: see lossi_request_…() */
} lossi_machine;

/* What a run needs beside the machine: whole vectors of n elements, int64 and float64 numbers. */
typedef struct lossi_layout {
    int32_t pairs;    /* at least 3 */
    int32_t vectors;  /* beyond the pairs */
    int64_t integers; /* e.g. a permutation of the samples */
    int64_t doubles;  /* of either element type: dense matrices, which are factored in double */
} lossi_layout;

struct lossi_stochastic_method;

typedef struct lossi_optimizer_row {
    const char *name, *family, *summary, *reference;
    const loss_option *options;
    int32_t option_count;
    int64_t state_size; /* of the algorithm's struct; it is zeroed before start() */
    int32_t handles;    /* kinds of rough parts of penalties, LOSSI_ROUGH_… */
    loss_status (*layout)(loss_optimizer *optimizer, lossi_layout *layout);
    void (*start)(loss_optimizer *optimizer);
    void (*advance)(loss_optimizer *optimizer);
    const struct lossi_stochastic_method
        *stochastic; /* what stochastic.c does for it; NULL: none of the family */
} lossi_optimizer_row;

struct loss_optimizer {
    loss_context *context;
    const lossi_optimizer_row *row;
    loss_dtype dtype;
    int64_t dimension, stride; /* elements; bytes from vector to vector */
    int64_t padded;            /* elements with the zeros behind them, up to whole chunks of 16 */
    lossi_options options;
    char owner[64]; /* "the optimizer 'lbfgs'", for sentences */
    atomic_int stop;
    lossi_machine machine;
    void *state;         /* row->state_size bytes */
    void *vectors_block; /* as allocated */
    char *vectors;       /* layout of the run */
    int64_t *integers;
    double *doubles;
    int64_t vectors_size, integers_size, doubles_size; /* bytes they were allocated with */
    int32_t pairs;
    lossi_layout layout;
    const lossi_vector_kernels *kernels; /* of the context's instruction set, chosen at start */
    const lossi_memory_kernels *memory_kernels;
    double clock_start, max_seconds;
    int32_t driven;       /* loss_optimizer_run() is under way */
    const char *kinked;   /* meanwhile: what of the objective has kinks, NULL where nothing is known of */
    int32_t explained;    /* the objective has put a sentence about its last value into the context */
    int64_t samples_hint; /* what machine.samples will be at start */
    lossi_penalties penalties;
    const lossi_penalties
        *objective_penalties; /* whose rough parts belong to the run; borrowed while it is minimised */
    int64_t objective_penalised;
    int32_t rough, rough_hint; /* what machine.rough will be; what it will be at least */
    int32_t unsettled;         /* see lossi_composite_settle() */
    lossi_segments segments;
    loss_objective *held_out; /* for minimize(), NULL for none; a reference */
    const void *told;         /* the gradient of a batch, while it is being told */
    loss_iterate_callback callback;
    void *callback_user;
};

/* The row at a place of the catalogue. */
const lossi_optimizer_row *lossi_optimizer_row_at(int32_t index);

/* ---- for algorithms ---- */

/* The optimizer's own options, by their place in the row's table. */
double lossi_own_double(const loss_optimizer *optimizer, int32_t index);
int64_t lossi_own_int(const loss_optimizer *optimizer, int32_t index);

/* A common option, for what reads some at every evaluation: without a call. */
static inline const lossi_option_value *lossi_common(const loss_optimizer *optimizer, int32_t index)
{
    return &optimizer->options.values[index];
}

/* Vector number i of the workspace, and the two of a pair. */
static inline void *lossi_vector(const loss_optimizer *optimizer, int32_t i)
{
    return optimizer->vectors + i * optimizer->stride;
}

static inline int32_t lossi_pair_x(int32_t pair)
{
    return 2 * pair;
}

static inline int32_t lossi_pair_gradient(int32_t pair)
{
    return 2 * pair + 1;
}

/* One element of vector number i. */
static inline double lossi_element(const loss_optimizer *optimizer, int32_t i, int64_t element)
{
    const void *vector = lossi_vector(optimizer, i);
    return optimizer->dtype == LOSS_FLOAT64 ? ((const double *)vector)[element]
                                            : (double)((const float *)vector)[element];
}

static inline void lossi_set_element(const loss_optimizer *optimizer, int32_t i, int64_t element,
                                     double value)
{
    void *vector = lossi_vector(optimizer, i);
    if (optimizer->dtype == LOSS_FLOAT64) {
        ((double *)vector)[element] = value;
    } else {
        ((float *)vector)[element] = (float)value;
    }
}

/* The first vector after the pairs. */
static inline int32_t lossi_own_vector(const loss_optimizer *optimizer, int32_t index)
{
    return 2 * optimizer->pairs + index;
}

/*
 * Runs one pass over whole vectors given by their indices, −1 where the pass has none. Behind the elements of a vector
 * of the workspace there are zeros up to a whole chunk, and such a pass goes over them too: it has no ragged end. They
 * stay zeros, since with scalars that are not finite a pass ends with the elements.
 */
typedef struct lossi_operands {
    int32_t in[4], out[2];
    double scalar[4];
} lossi_operands;

lossi_pass_result lossi_run(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                            const lossi_operands *operands);

/* The same over the elements alone, from pointers that need not be into the workspace. */
lossi_pass_result lossi_run_pass(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                                 const lossi_pass *pass);

/* The same over n elements from the pointers on, which need not be whole vectors. */
lossi_pass_result lossi_run_part(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                                 const lossi_pass *pass, int64_t n);

/* The same for a pass over many vectors of the workspace, given by pointers, with `count` sums and finite scalars. */
void lossi_run_many(const loss_optimizer *optimizer, lossi_many_kernel kernel, const lossi_many *many,
                    int32_t count, double *sums);

/* Common uses. */
double lossi_dot(const loss_optimizer *optimizer, int32_t a, int32_t b);
double lossi_norm(const loss_optimizer *optimizer, int32_t a);
void lossi_copy(const loss_optimizer *optimizer, int32_t to, int32_t from);

/* A whole vector as float64 numbers, and back: rounded to the optimizer's type. */
void lossi_widen(const loss_optimizer *optimizer, double *to, int32_t from);
void lossi_narrow(const loss_optimizer *optimizer, int32_t to, const double *from);

/*
 * Asks. The value, or value and gradient, is of the trial pair's x; the gradient goes to its other half, and
 * told_slope is its product with the vector slope_along (−1: with itself). Hessian, product and
 * preconditioner are at the iterate; told_slope of the last two is the product of direction and answer. The
 * Hessian comes as n × n float64 numbers, row after row, from the place `matrix` of `doubles` on; told_norm is
 * its largest element. The gradient of a batch is at the x of any pair; it is not copied: advance() finds it
 * in optimizer->told, and nobody has looked whether it is finite. The answer to a held-out value is told_value.
 */
void lossi_request_value(loss_optimizer *optimizer);
void lossi_request_gradient(loss_optimizer *optimizer, int32_t slope_along);
void lossi_request_product(loss_optimizer *optimizer, int32_t direction, int32_t answer);
void lossi_request_precondition(loss_optimizer *optimizer, int32_t direction, int32_t answer);
void lossi_request_hessian(loss_optimizer *optimizer, int64_t matrix);
void lossi_request_batch(loss_optimizer *optimizer, int32_t pair, int64_t offset, int64_t count);
void lossi_request_held_out(loss_optimizer *optimizer);

/* Ends the run. test_value and test_threshold are those of the test, NaN for none. Errors get their
 * sentence. */
void lossi_finish(loss_optimizer *optimizer, loss_status outcome, int32_t test, double value,
                  double threshold);

/* Ends the run for a reason from outside, a limit or the user; the request in place stays open for resume. */
void lossi_interrupt(loss_optimizer *optimizer, loss_status outcome, int32_t test, double value,
                     double threshold);

/* Makes the trial pair free to be written: when it holds the best point, the spare pair takes its place. */
void lossi_clear_trial(loss_optimizer *optimizer);

/* x of the trial pair = x of the iterate + step · direction. */
void lossi_move_trial(loss_optimizer *optimizer, double step, int32_t direction);

/*
 * The trial becomes the iterate (the trial pair then holds the old one), the stop tests run. Gives 1 when one
 * fired: the run is then finished. At the start nothing is compared with an iterate before.
 */
int32_t lossi_accept(loss_optimizer *optimizer);

/* The value and gradient told for the starting point: 1 when the run is over already (not finite,
 * converged). */
int32_t lossi_accept_start(loss_optimizer *optimizer);

/* How many iterations in a row that only rounding excuses are borne at the precision floor. */
int64_t lossi_patience(const loss_optimizer *optimizer);

/* Whether the gradient just told is the smallest so far by a clear margin: progress where the values tell none. */
int32_t lossi_gradient_shrinks(const loss_optimizer *optimizer);

/* At the precision floor: the iterate is best when its value is as low but for rounding, and its gradient
 * smaller. */
void lossi_prefer_iterate(loss_optimizer *optimizer, double rounding);

/* ---- for the machine's own files ---- */

/* Memory for the row's layout at the options as they are, and the kernels. Nothing is changed on failure. */
loss_status lossi_workspace_prepare(loss_optimizer *optimizer);
/* LOSS_OK when what a run is made of may be changed, which ends the one before for good; LOSS_ERROR_STATE, with a
 * sentence, during a run. */
loss_status lossi_optimizer_changeable(loss_optimizer *optimizer);

/* LOSS_OK, or LOSS_ERROR_STATE, with a sentence, when this is called from within loss_optimizer_run(). */
loss_status lossi_optimizer_free_to_start(const loss_optimizer *optimizer);

/* Bookkeeping of the best point when the trial pair has been completed, see lossi_clear_trial(). */
void lossi_consider_best(loss_optimizer *optimizer);

/* Seconds of a clock that never goes back. */
double lossi_clock(void);

/* The spacing of numbers near 1 of the optimizer's type. */
double lossi_epsilon(const loss_optimizer *optimizer);

/* Where the caller of minimize may write the answer to a request: tell accepts it without a copy's cost. */
void *lossi_answer(const loss_optimizer *optimizer);

#endif
