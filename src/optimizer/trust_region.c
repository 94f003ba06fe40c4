/*
 * Newton's method in a trust region: every step is the minimiser of the quadratic model ∇fᵀp + ½pᵀ∇²f p within the
 * radius, whatever the signs of the curvature. It leaves saddle points, where a line search has no direction.
 *
 * Moré & Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983) 553–572.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/more_sorensen.h"
#include "optimizer/trust.h"

enum { STARTING, ASKING, TRYING };
enum { UNUSABLE = 2 }; /* Hessians in a row that are not finite, before the run ends */

typedef struct trust_region {
    lossi_trust trust;
    int64_t unusable; /* in a row */
    int32_t phase;
} trust_region;

static const loss_option options[] = {LOSSI_TRUST_OPTION_ROWS};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    loss_status status = lossi_dense_check(optimizer->context, optimizer->dimension);
    if (status == LOSS_OK) {
        layout->vectors = 1;
        layout->doubles = lossi_dense_numbers(optimizer->dimension) + 2 * optimizer->dimension;
    }
    return status;
}

static void start(loss_optimizer *optimizer)
{
    ((trust_region *)optimizer->state)->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    ((trust_region *)optimizer->state)->phase = ASKING;
    lossi_request_hessian(optimizer, 0);
}

/* The step within the radius as it is now, from the Hessian of the iterate. */
static void step(loss_optimizer *optimizer)
{
    trust_region *state = optimizer->state;
    int64_t n = optimizer->dimension;
    lossi_dense dense = lossi_dense_at(optimizer->context, n, optimizer->doubles, NULL);
    double *gradient = optimizer->doubles + lossi_dense_numbers(n);
    lossi_more_sorensen problem = {.gradient = gradient,
                                   .step = gradient + n,
                                   .radius = state->trust.radius,
                                   .epsilon = lossi_epsilon(optimizer)};
    lossi_widen(optimizer, gradient, lossi_pair_gradient(optimizer->machine.at));
    lossi_more_sorensen_solve(&dense, &problem);
    lossi_narrow(optimizer, state->trust.direction, problem.step);
    state->phase = TRYING;
    lossi_trust_try(optimizer, &state->trust,
                    (lossi_trust_step){problem.slope, problem.predicted, problem.length, problem.boundary});
}

/* A Hessian that is not finite says nothing, and one of zeros leaves −∇f; but not time and again. */
static int32_t do_without(loss_optimizer *optimizer, trust_region *state)
{
    if (++state->unusable >= UNUSABLE) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        lossi_fail(optimizer->context, LOSS_ERROR_NONFINITE,
                   "%s was told Hessians that are not finite, after %lld iterations", optimizer->owner,
                   (long long)optimizer->machine.iterations);
        return 0;
    }
    optimizer->machine.restarts++;
    for (int64_t i = 0; i < optimizer->dimension * optimizer->dimension; i++) {
        optimizer->doubles[i] = 0.0;
    }
    return 1;
}

static void found_hessian(loss_optimizer *optimizer, trust_region *state)
{
    lossi_dense dense = lossi_dense_at(optimizer->context, optimizer->dimension, optimizer->doubles, NULL);
    if (isfinite(optimizer->machine.told_norm)) {
        state->unusable = 0;
    } else if (!do_without(optimizer, state)) {
        return;
    }
    lossi_dense_take(&dense);
    step(optimizer);
}

static void advance(loss_optimizer *optimizer)
{
    trust_region *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            lossi_trust_start(optimizer, &state->trust, lossi_own_vector(optimizer, 0));
            if (state->trust.radius == 0.0) {
                lossi_trust_set(&state->trust, lossi_trust_guess(optimizer));
            }
            proceed(optimizer);
        }
    } else if (state->phase == ASKING) {
        found_hessian(optimizer, state);
    } else {
        lossi_trust_advance(optimizer, &state->trust, proceed, step);
    }
}

const lossi_optimizer_row lossi_optimizer_trust_region = {
    .name = "trust_region",
    .family = "Newton",
    .summary = "Newton's method in a trust region with exact steps; it leaves saddle points",
    .reference = "Moré & Sorensen, SIAM Journal on Scientific and Statistical Computing 4 (1983) 553–572",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(trust_region),
    .layout = layout,
    .start = start,
    .advance = advance,
};
