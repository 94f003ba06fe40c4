/*
 * Newton's method: d = −(∇²f)⁻¹∇f, with a line search, and with a definite matrix near ∇²f where that is none.
 *
 * First a Cholesky factor is tried: it is the cheaper one, and near a minimum it exists. Where it does not, LDLᵀ with
 * |D| takes its place, dense_ldl.c: d then goes down along negative curvature as it goes along positive, with
 * Newton's length. A shift τI would give up the curvature of every direction for that of one, and the modified
 * Cholesky factors of Gill & Murray and of Schnabel & Eskow know the negative curvature only by a bound.
 *
 * When ∇f has nothing of a direction z of negative curvature, as on the way into a saddle, d has nothing of it either,
 * and z is added to d, downhill and as long: Moré & Sorensen, Math. Prog. 16 (1979) 1–20, in the form of a line. Where
 * ∇f has some of it, |D| makes the most of that, and adding z would lead astray.
 *
 * Nocedal & Wright, Numerical Optimization, 2nd ed. 2006, algorithm 3.2; Cheng & Higham, SIAM J. Matrix Anal. Appl.
 * 19 (1998) 1097–1110.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/dense.h"
#include "optimizer/descent.h"

enum { STARTING, ASKING, SEARCHING };
static const double blind = 1e-3; /* as a cosine: what ∇f has of z is nothing */
enum { UNUSABLE = 2 };            /* Hessians in a row that are not finite, before the run ends */

typedef struct newton {
    lossi_descent descent;
    int64_t unusable; /* in a row */
    int32_t phase;
} newton;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    loss_status status = lossi_dense_check(optimizer->context, optimizer->dimension);
    if (status == LOSS_OK) {
        status = lossi_line_search_check(optimizer);
    }
    if (status == LOSS_OK) {
        layout->vectors = 1;
        layout->integers = optimizer->dimension;
        layout->doubles = lossi_dense_numbers(optimizer->dimension) + 2 * optimizer->dimension;
    }
    return status;
}

static void start(loss_optimizer *optimizer)
{
    ((newton *)optimizer->state)->phase = STARTING;
    lossi_request_gradient(optimizer, -1);
}

/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    ((newton *)optimizer->state)->phase = ASKING;
    lossi_request_hessian(optimizer, 0);
}

static void search(loss_optimizer *optimizer, double slope, double first)
{
    newton *state = optimizer->state;
    state->phase = SEARCHING;
    lossi_descent_search(optimizer, &state->descent, slope, first);
}

static void search_steepest(loss_optimizer *optimizer)
{
    double slope = lossi_descent_steepest(optimizer, lossi_own_vector(optimizer, 0));
    search(optimizer, slope, lossi_descent_first_step(optimizer));
}

/* A Hessian of zeros has no curvature to tell a length, whatever the units of f: the scale of x has to. */
static void search_flat(loss_optimizer *optimizer)
{
    double slope = lossi_descent_steepest(optimizer, lossi_own_vector(optimizer, 0));
    search(optimizer, slope, lossi_descent_scaled_step(optimizer, slope));
}
/* d += ±‖d‖/‖z‖ · z, downhill, when ∇f does not see z. */
static void add_negative_curvature(const lossi_dense *dense, const lossi_inertia *inertia,
                                   const double *gradient, double *direction, double *z)
{
    lossi_dense_negative(dense, inertia, z);
    double length = lossi_dense_norm(dense, z), along = dense->kernels->dot(gradient, z, dense->n);
    if (fabs(along) <= blind * length * lossi_dense_norm(dense, gradient)) {
        double factor = lossi_dense_norm(dense, direction) / length;
        dense->kernels->add(direction, along > 0.0 ? -factor : factor, z, dense->n);
    }
}

/* Solves for the direction; gradient and direction are n numbers each. */
static void solve(const lossi_dense *dense, double epsilon, const double *gradient, double *direction)
{
    double pivot;
    for (int64_t i = 0; i < dense->n; i++) {
        direction[i] = -gradient[i];
    }
    if (lossi_dense_cholesky(dense, 0.0, epsilon, &pivot) == dense->n) {
        lossi_dense_solve_lower(dense, dense->n, direction);
        lossi_dense_solve_upper(dense, dense->n, direction);
        return;
    }
    lossi_inertia inertia = lossi_dense_ldl(dense, epsilon);
    lossi_dense_ldl_solve(dense, direction);
    if (inertia.negative > 0) {
        add_negative_curvature(dense, &inertia, gradient, direction, dense->work[1]);
    }
}

/* A Hessian that is not finite says nothing: −∇f is still there, but not time and again. */
static void do_without(loss_optimizer *optimizer, newton *state)
{
    if (++state->unusable >= UNUSABLE) {
        lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
        lossi_fail(optimizer->context, LOSS_ERROR_NONFINITE,
                   "%s was told Hessians that are not finite, after %lld iterations", optimizer->owner,
                   (long long)optimizer->machine.iterations);
        return;
    }
    optimizer->machine.restarts++;
    search_steepest(optimizer);
}

static void found_hessian(loss_optimizer *optimizer, newton *state)
{
    const lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    int32_t d = lossi_own_vector(optimizer, 0);
    if (!isfinite(m->told_norm)) {
        do_without(optimizer, state);
        return;
    }
    if (m->told_norm == 0.0) {
        state->unusable = 0;
        search_flat(optimizer);
        return;
    }
    lossi_dense dense = lossi_dense_at(optimizer->context, n, optimizer->doubles, optimizer->integers);
    double *gradient = optimizer->doubles + lossi_dense_numbers(n), *direction = gradient + n;
    state->unusable = 0;
    lossi_dense_take(&dense);
    lossi_widen(optimizer, gradient, lossi_pair_gradient(m->at));
    solve(&dense, lossi_epsilon(optimizer), gradient, direction);
    lossi_narrow(optimizer, d, direction);
    double slope = lossi_dot(optimizer, d, lossi_pair_gradient(m->at));
    if (!(slope < 0.0) || !isfinite(slope) || !isfinite(lossi_norm(optimizer, d))) {
        optimizer->machine.restarts++;
        search_steepest(optimizer);
        return;
    }
    search(optimizer, slope, 1.0);
}

static void advance(loss_optimizer *optimizer)
{
    newton *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, 0));
            proceed(optimizer);
        }
    } else if (state->phase == ASKING) {
        found_hessian(optimizer, state);
    } else {
        lossi_descent_advance(optimizer, &state->descent, proceed, search_steepest);
    }
}

const lossi_optimizer_row lossi_optimizer_newton = {
    .name = "newton",
    .family = "Newton",
    .summary = "Newton's method with a line search; definite by |D| of LDLᵀ where the Hessian is not",
    .reference = "Cheng & Higham, SIAM Journal on Matrix Analysis and Applications 19 (1998) 1097–1110",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(newton),
    .layout = layout,
    .start = start,
    .advance = advance,
};
