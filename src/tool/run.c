/* One optimizer at work on one problem, watched: what it reached, what it cost, and the way there. */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The reference is sought until its gradient has fallen by this factor. The gap that is left goes with the square of it, so
 * that it is below the rounding of the objective for all but hopelessly conditioned problems.
 */
#define REFERENCE_TOLERANCE 1e-9

/*
 * At the minimum of a loss with kinks the gradient does not vanish, so that no test of it ends a run: what does is that the objective
 * falls no more. The line search of a quasi-Newton method gets close to the minimum all the same (Lewis & Overton, Nonsmooth
 * optimization via quasi-Newton methods, Math. Program. 141 (2013) 135–163), and ends where the kink leaves it no step.
 */
#define KINK_TOLERANCE 1e-8

/*
 * Of crammer_singer all rivals tie where all parameters are 0. The gradient is then the mean of theirs, and need not lead down: an
 * optimizer finds no step there, or steps that take nothing off. So when this share of the objective at the start is not gained, it
 * starts once more, from numbers up to NUDGE.
 */
#define STANDSTILL 1e-6
#define NUDGE      1e-3

/* Which stream of the seed's random numbers they are drawn from; the split has 0, check 1. */
#define NUDGE_STREAM 2

struct watch {
    struct run *run;
    double batches_per_epoch;
    double passes_before; /* of an attempt that came to nothing */
};

static double get_double(const loss_optimizer *optimizer, const char *name)
{
    double number = NAN;
    loss_optimizer_get_double(optimizer, name, &number);
    return number;
}

static int64_t get_int(const loss_optimizer *optimizer, const char *name)
{
    int64_t number = 0;
    loss_optimizer_get_int(optimizer, name, &number);
    return number;
}

/*
 * What the evaluations cost, in passes over the rows: a value, a gradient and a Hessian product are one each, the batches
 * of an epoch are one together.
 */
static double passes(const struct watch *watch, const loss_optimizer *optimizer)
{
    const double evaluations = (double)get_int(optimizer, "evaluations");
    const double batches = (double)get_int(optimizer, "batches");
    return watch->passes_before +
           (batches > 0 ? evaluations - batches + batches / watch->batches_per_epoch : evaluations);
}

static void keep_point(struct run *run, double at, double objective)
{
    if (run->history_count == run->history_capacity) {
        run->history_capacity = run->history_capacity ? 2 * run->history_capacity : 256;
        run->history = realloc(run->history, (size_t)run->history_capacity * sizeof *run->history);
        if (!run->history) {
            exit(tool_fail("no memory for the history of a run"));
        }
    }
    run->history[run->history_count++] = (struct point){at, objective};
}

static int32_t watch_iterate(void *user, loss_optimizer *optimizer)
{
    const struct watch *watch = user;
    const double objective = get_double(optimizer, "value");
    keep_point(watch->run, passes(watch, optimizer), objective);
    if (progress_is_due()) {
        progress_show("%-18s seed %-3lld iteration %-5lld objective %-10.8g gradient %.2g",
                      watch->run->optimizer, (long long)watch->run->seed,
                      (long long)get_int(optimizer, "iterations"), objective,
                      get_double(optimizer, "gradient_norm"));
    }
    return 0;
}

/*
 * Value and gradient at the point that came out, so that all optimizers are measured alike. Where a penalty has no derivatives
 * the optimizer's own norm counts, that of the step which the penalty leaves of a gradient's.
 */
static void measure(struct run *run, const struct problem *problem)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    double *gradient = tool_allocate(n, sizeof *gradient);
    double norm = 0;
    run->objective = NAN;
    problem_evaluate(problem, run->parameters, &run->objective, gradient);
    for (int64_t i = 0; i < n; i++) {
        /* Not fmax, which would lose a NaN. */
        norm = fabs(gradient[i]) <= norm ? norm : fabs(gradient[i]);
    }
    if (penalties_kind(&problem->options->penalties) == PENALTIES_SMOOTH) {
        run->gradient_norm = norm;
    }
    free(gradient);
    run->train_score = problem_score(problem, run->parameters, 0);
    run->test_score = problem_score(problem, run->parameters, 1);
}

/* "line 17 of data.csv" of a row trained on. */
static void describe_row(const struct problem *problem, int64_t row, char *text, size_t size)
{
    dataset_describe_row(problem->dataset, problem_row(problem, row), text, size);
}

/*
 * The optimizer says what it met. Rows are counted in the split, so that they are told as lines of the file: that of the
 * point returned when its objective is not finite, which no step size mends, else that of where the steps led.
 */
static char *describe_failure(const struct run *run, const struct problem *problem)
{
    const loss_context *context = problem->context;
    const int is_explained = loss_context_error_status(context) == run->outcome;
    const int64_t met = is_explained ? loss_context_error_row(context) : -1;
    char text[640];
    const int length = snprintf(text, sizeof text, "%s",
                                is_explained ? loss_context_error(context)
                                             : loss_status_message(run->outcome));
    if (run->outcome != LOSS_ERROR_NONFINITE) {
        return tool_copy_text(text);
    }
    double value;
    char where[320] = "";
    if (problem_evaluate(problem, run->parameters, &value, NULL) == LOSS_ERROR_NONFINITE) {
        const int64_t row = loss_context_error_row(context);
        if (row >= 0) {
            describe_row(problem, row, where, sizeof where);
            snprintf(text, sizeof text, "%s: the loss is not finite", where);
        } else if (!is_explained) {
            snprintf(text + length, sizeof text - (size_t)length, ": %s", loss_context_error(context));
        }
    } else {
        if (met >= 0) {
            describe_row(problem, met, where, sizeof where);
        }
        snprintf(text, sizeof text,
                 "%s left the finite numbers after %lld iteration%s%s%s: its steps are probably too long",
                 run->optimizer, (long long)run->iterations, tool_plural(run->iterations),
                 *where ? ", first in " : "", where);
    }
    return tool_copy_text(text);
}

static char *describe_stuck(const struct run *run)
{
    char text[256];
    snprintf(text, sizeof text,
             "%s stands still after %lld iteration%s, though the objective could fall: rounding hides what "
             "its steps "
             "change in numbers of this size; give the target or the features in another unit",
             run->optimizer, (long long)run->iterations, tool_plural(run->iterations));
    return tool_copy_text(text);
}

/* From parameters to the same place, whatever the optimizer's type. */
static loss_status minimize_from(loss_optimizer *optimizer, const struct problem *problem, double *parameters)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    if (loss_objective_dtype(problem->objective) == LOSS_FLOAT64) {
        return loss_optimizer_minimize(optimizer, problem->objective, parameters);
    }
    float *x = tool_allocate(n, sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)parameters[i];
    }
    const loss_status outcome = loss_optimizer_minimize(optimizer, problem->objective, x);
    for (int64_t i = 0; i < n; i++) {
        parameters[i] = (double)x[i];
    }
    free(x);
    return outcome;
}

static int has_kinks(const struct problem *problem)
{
    double derivatives = 1;
    loss_function_number(problem->function, "continuous_derivatives", &derivatives);
    return derivatives < 1;
}

/*
 * How much the step down the gradient that is best by the curvature takes off the objective (Cauchy, 1847): with the direction
 * u = g/|g|_inf, half of (g·u)²/(u·Hu). NAN where there is no such step.
 */
static double cauchy_decrease(const struct problem *problem, const double *parameters)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    double *gradient = tool_allocate(2 * n, sizeof *gradient), *product = gradient + n, value;
    double largest = 0, slope = 0, curvature = 0;
    loss_status status = problem_evaluate(problem, parameters, &value, gradient);
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(gradient[i]));
    }
    for (int64_t i = 0; i < n; i++) {
        gradient[i] = largest > 0 ? gradient[i] / largest : 0;
        slope += largest * gradient[i] * gradient[i];
    }
    if (!status) {
        status = problem_hessian_product(problem, parameters, gradient, product);
    }
    for (int64_t i = 0; i < n && !status; i++) {
        curvature += gradient[i] * product[i];
    }
    free(gradient);
    return !status && curvature > 0 ? slope / curvature * slope / 2 : NAN;
}

/*
 * An optimizer stops when rounding hides what its steps change. That is a minimum as a rule; but when the numbers are so large that
 * its first steps, of the size of 1, change nothing, it stands where it began. A thousandth of the objective is what no rounding hides.
 */
static int is_stuck(const struct run *run, const struct problem *problem, const double *start)
{
    double first = NAN, last = NAN;
    if (run->outcome != LOSS_STOP_PRECISION ||
        penalties_kind(&problem->options->penalties) != PENALTIES_SMOOTH || has_kinks(problem) ||
        problem_evaluate(problem, start, &first, NULL) ||
        problem_evaluate(problem, run->parameters, &last, NULL)) {
        return 0;
    }
    return cauchy_decrease(problem, run->parameters) > 1e-3 * fmax(fabs(first), fabs(last));
}

/* Batches are another matter: the objectives that their iterates see differ by the batch. */
static void set_kink_tolerance(const struct problem *problem, loss_optimizer *optimizer)
{
    int64_t batch_size;
    if (has_kinks(problem) && loss_optimizer_get_int(optimizer, "batch_size", &batch_size)) {
        loss_optimizer_set_double(optimizer, "value_tolerance", KINK_TOLERANCE);
    }
}

enum { FEW_PARAMETERS = 1000, USUAL_PAIRS = 20, MOST_PAIRS = 100, FEATURES_PER_NUMBER = 8 };

/*
 * With a longer memory L-BFGS needs up to half fewer evaluations, and goes through its 2n numbers a pair twice an iteration: as many
 * pairs as are little beside the features that an evaluation reads. Few parameters have a long memory anyway.
 */
static void set_memory(const struct problem *problem, loss_optimizer *optimizer)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    if (strcmp(loss_optimizer_name(optimizer), "lbfgs") != 0 || problem->dataset->sparse ||
        n <= FEW_PARAMETERS) {
        return;
    }
    const int64_t pairs = problem->train_rows * problem->dataset->feature_count / FEATURES_PER_NUMBER /
                          (2 * n);
    if (pairs > USUAL_PAIRS) {
        loss_optimizer_set_int(optimizer, "memory", pairs < MOST_PAIRS ? pairs : MOST_PAIRS);
    }
}

/* Sparse columns differ in how often they are there: with the diagonal of the Hessian a quarter of the products does (docs/training-benchmarks.md). */
static void set_preconditioner(const struct problem *problem, loss_optimizer *optimizer)
{
    const char *name = loss_optimizer_name(optimizer);
    if (problem->dataset->sparse &&
        (strcmp(name, "newton_cg") == 0 || strcmp(name, "trust_region_cg") == 0)) {
        loss_optimizer_set_string(optimizer, "preconditioner", "user");
    }
}

/* Minimises from x, and notes what that came to. */
static void attempt(struct run *run, const struct problem *problem, loss_optimizer *optimizer,
                    struct watch *watch, double *x)
{
    watch->passes_before = run->passes;
    run->outcome = minimize_from(optimizer, problem, x);
    run->iterations = get_int(optimizer, "iterations");
    run->evaluations += get_int(optimizer, "evaluations");
    run->seconds += get_double(optimizer, "seconds");
    run->gradient_norm = get_double(optimizer, "gradient_norm");
    run->passes = passes(watch, optimizer);
    loss_optimizer_get_string(optimizer, "test", &run->test);
}

/* How much lower the objective is at b than at a, as a share of it. */
static double gain(const struct problem *problem, const double *a, const double *b)
{
    double from = NAN, to = NAN;
    problem_evaluate(problem, a, &from, NULL);
    problem_evaluate(problem, b, &to, NULL);
    return (from - to) / fabs(from);
}

/* From beside the start. What came of that counts when it is lower than what came before. */
static void start_again(struct run *run, const struct problem *problem, loss_optimizer *optimizer,
                        struct watch *watch, const double *start)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    const struct run before = *run;
    double *x = tool_allocate(n, sizeof *x);
    loss_random_uniform((uint64_t)run->seed, NUDGE_STREAM, 0, n, x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = start[i] + NUDGE * (2 * x[i] - 1);
    }
    attempt(run, problem, optimizer, watch, x);
    if (gain(problem, before.parameters, x) > 0) {
        free(run->parameters);
        run->parameters = x;
        return;
    }
    free(x);
    run->outcome = before.outcome;
    run->iterations = before.iterations;
    run->gradient_norm = before.gradient_norm;
    run->test = before.test;
}

static void minimize(struct run *run, struct problem *problem, loss_optimizer *optimizer, const double *start)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    int64_t samples = 0, batch_size = 0;
    loss_objective_get_int(problem->objective, "samples", &samples);
    loss_optimizer_get_int(optimizer, "batch_size", &batch_size);
    struct watch watch = {run, batch_size > 0 ? ceil((double)samples / (double)batch_size) : NAN, 0};
    double *first = tool_allocate(n, sizeof *first);
    if (start) {
        memcpy(first, start, (size_t)n * sizeof *start);
    }
    run->parameters = tool_allocate(n, sizeof *run->parameters);
    memcpy(run->parameters, first, (size_t)n * sizeof *first);
    loss_optimizer_set_iterate_callback(optimizer, watch_iterate, &watch);
    attempt(run, problem, optimizer, &watch, run->parameters);
    const int stands = batch_size == 0 && has_kinks(problem) &&
                       gain(problem, first, run->parameters) <= STANDSTILL;
    if (stands) {
        start_again(run, problem, optimizer, &watch, first);
    }
    run->at_kink = run->outcome == LOSS_ERROR_LINE_SEARCH && (run->iterations > 0 || stands) &&
                   has_kinks(problem);
    run->is_stuck = is_stuck(run, problem, first);
    if (run->is_stuck) {
        run->failure = describe_stuck(run);
    } else if (run_has_failed(run)) {
        run->failure = describe_failure(run, problem);
    }
    free(first);
    measure(run, problem);
    keep_point(run, run->passes, run->objective);
}

static int create_optimizer(loss_optimizer **optimizer, const struct problem *problem, const char *name)
{
    if (loss_optimizer_create(optimizer, problem->context, name, loss_objective_dtype(problem->objective),
                              loss_objective_dimension(problem->objective))) {
        return tool_fail_usage(problem->context);
    }
    return TOOL_DONE;
}

int run_optimizer(struct run *run, struct problem *problem, const char *name, struct settings *settings,
                  int skip_unknown, int64_t seed, const double *start)
{
    loss_optimizer *optimizer;
    *run = (struct run){.test = "", .seed = seed};
    int result = create_optimizer(&optimizer, problem, name);
    if (result) {
        return result;
    }
    run->optimizer = loss_optimizer_name(optimizer);
    run->family = loss_optimizer_family(optimizer);
    /* Batches are drawn by the seed of the split; --set seed=… is stronger. */
    loss_optimizer_set_int(optimizer, "seed", seed);
    set_kink_tolerance(problem, optimizer); /* --set value_tolerance=… is stronger */
    set_memory(problem, optimizer);         /* as are --set memory=… */
    set_preconditioner(problem, optimizer); /* and --set preconditioner=… */
    result = settings_apply_optimizer(settings, problem->context, optimizer, skip_unknown);
    if (result == TOOL_DONE) {
        minimize(run, problem, optimizer, start);
    }
    loss_optimizer_free(optimizer);
    return result;
}

const char *run_default_optimizer(const struct penalties *penalties)
{
    switch (penalties_kind(penalties)) {
    case PENALTIES_SMOOTH:
        return "lbfgs";
    case PENALTIES_L1:
        return "owlqn";
    case PENALTIES_BOUNDS:
        return "lbfgsb";
    default:
        return "spectral_projected_gradient";
    }
}

/*
 * What fills caches is worth a thought. Where the objective is strictly convex and has second derivatives, a pass that makes the
 * Hessian costs as much as some passes that make gradients, and five to eight of them do where L-BFGS takes fifty to a hundred
 * (docs/training-benchmarks.md): up to HESSIAN_WIDTH multiply-adds a feature. Of many sparse columns it is products that do.
 */
enum { LARGE_NUMBERS = 1 << 19, HESSIAN_WIDTH = 128 };

static int has_second_derivatives(const struct problem *problem)
{
    int32_t convex = 0, smooth = 0;
    loss_function_property(problem->function, "convex", &convex);
    loss_function_property(problem->function, "smooth", &smooth);
    return convex && smooth && penalties_l2(&problem->options->penalties) > 0;
}

const char *run_suitable_optimizer(const struct problem *problem, const char *usual)
{
    const struct dataset *dataset = problem->dataset;
    const int64_t columns = dataset->feature_count + 1,
                  outputs = loss_objective_dimension(problem->objective) / columns;
    if (strcmp(usual, "lbfgs") != 0 || problem->options->settings.count > 0 ||
        !has_second_derivatives(problem)) {
        return usual;
    }
    if (dataset->sparse) {
        return loss_sparse_entry_count(dataset->sparse) >= LARGE_NUMBERS ? "newton_cg" : usual;
    }
    return problem->train_rows * dataset->feature_count >= LARGE_NUMBERS &&
                   outputs * (outputs + 1) / 2 * columns / 2 <= HESSIAN_WIDTH
               ? "newton"
               : usual;
}

int run_reference(struct problem *problem, double *objective)
{
    const struct penalties *penalties = &problem->options->penalties;
    const int is_smooth = penalties_kind(penalties) == PENALTIES_SMOOTH;
    const struct {
        const char *name;
        int64_t iterations;
    } attempts[] = {{run_default_optimizer(penalties), 3000},
                    {is_smooth ? "newton_cg" : "accelerated_gradient", is_smooth ? 100 : 3000}};
    double *x = tool_allocate(loss_objective_dimension(problem->objective), sizeof *x);
    loss_status outcome = LOSS_OK;
    /* The second goes on from where the first could not. */
    for (int i = 0; i < 2 && outcome != LOSS_STOP_GRADIENT; i++) {
        loss_optimizer *optimizer;
        const int result = create_optimizer(&optimizer, problem, attempts[i].name);
        if (result) {
            free(x);
            return result;
        }
        progress_show("the smallest objective there is, by %s", attempts[i].name);
        loss_optimizer_set_double(optimizer, "gradient_tolerance", 0);
        loss_optimizer_set_double(optimizer, "gradient_tolerance_relative", REFERENCE_TOLERANCE);
        loss_optimizer_set_int(optimizer, "max_iterations", attempts[i].iterations);
        set_kink_tolerance(problem, optimizer);
        outcome = minimize_from(optimizer, problem, x);
        loss_optimizer_free(optimizer);
    }
    *objective = NAN;
    problem_evaluate(problem, x, objective, NULL);
    free(x);
    return TOOL_DONE;
}

double run_gap(double objective, double reference)
{
    return (objective - reference) / (reference == 0 ? 1 : fabs(reference));
}

int run_has_failed(const struct run *run)
{
    return (run->outcome < 0 && !run->at_kink) || run->is_stuck;
}

const char *run_outcome_text(const struct run *run)
{
    if (run->outcome < 0 || run->is_stuck) {
        return run->at_kink ? "converged to a kink" : "failed";
    }
    switch (run->outcome) {
    case LOSS_STOP_GRADIENT:
    case LOSS_STOP_VALUE:
    case LOSS_STOP_STEP:
        return "converged";
    case LOSS_STOP_PRECISION:
        return "converged to rounding";
    case LOSS_STOP_TARGET:
        return "reached the target";
    default:
        return "stopped at a limit";
    }
}

void run_free(struct run *run)
{
    free(run->failure);
    free(run->parameters);
    free(run->history);
    *run = (struct run){0};
}
