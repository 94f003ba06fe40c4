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

struct watch {
    struct run *run;
    double batches_per_epoch;
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
    return batches > 0 ? evaluations - batches + batches / watch->batches_per_epoch : evaluations;
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

static char *copy_text(const char *text)
{
    return strcpy(tool_allocate((int64_t)strlen(text) + 1, 1), text);
}

/* Value and gradient at the point that came out, so that all optimizers are measured alike. */
static void measure(struct run *run, const struct problem *problem)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    double *gradient = tool_allocate(n, sizeof *gradient);
    run->objective = NAN;
    run->gradient_norm = 0;
    loss_objective_evaluate(problem->objective, run->parameters, &run->objective, gradient);
    for (int64_t i = 0; i < n; i++) {
        /* Not fmax, which would lose a NaN. */
        run->gradient_norm = fabs(gradient[i]) <= run->gradient_norm ? run->gradient_norm : fabs(gradient[i]);
    }
    free(gradient);
    run->train_score = problem_score(problem, run->parameters, 0);
    run->test_score = problem_score(problem, run->parameters, 1);
}

/* The line of the file on which a row trained on is. */
static long long line_of(const struct problem *problem, int64_t row)
{
    return loss_table_row_line(problem->dataset->table, problem->order[problem->test_rows + row]);
}

/*
 * The optimizer says what it met. Rows are counted in the split, so that they are told as lines of the file: that of the
 * point returned when its objective is not finite, which no step size mends, else that of where the steps led.
 */
static char *describe_failure(const struct run *run, const struct problem *problem)
{
    const loss_context *context = problem->context;
    const char *path = problem->options->data;
    const int is_explained = loss_context_error_status(context) == run->outcome;
    const int64_t met = is_explained ? loss_context_error_row(context) : -1;
    char text[640];
    const int length = snprintf(text, sizeof text, "%s",
                                is_explained ? loss_context_error(context)
                                             : loss_status_message(run->outcome));
    if (run->outcome != LOSS_ERROR_NONFINITE) {
        return copy_text(text);
    }
    if (loss_objective_evaluate(problem->objective, run->parameters, NULL, NULL) == LOSS_ERROR_NONFINITE) {
        const int64_t row = loss_context_error_row(context);
        if (row >= 0) {
            snprintf(text, sizeof text, "line %lld of %s: the loss is not finite", line_of(problem, row),
                     path);
        } else if (!is_explained) {
            snprintf(text + length, sizeof text - (size_t)length, ": %s", loss_context_error(context));
        }
    } else {
        char where[320] = "";
        if (met >= 0) {
            snprintf(where, sizeof where, ", first in line %lld of %s", line_of(problem, met), path);
        }
        snprintf(text, sizeof text,
                 "%s left the finite numbers after %lld iteration%s%s: its steps are probably too long",
                 run->optimizer, (long long)run->iterations, tool_plural(run->iterations), where);
    }
    return copy_text(text);
}

static void minimize(struct run *run, struct problem *problem, loss_optimizer *optimizer)
{
    int64_t samples = 0, batch_size = 0;
    loss_objective_get_int(problem->objective, "samples", &samples);
    loss_optimizer_get_int(optimizer, "batch_size", &batch_size);
    struct watch watch = {run, batch_size > 0 ? ceil((double)samples / (double)batch_size) : NAN};
    run->parameters = tool_allocate(loss_objective_dimension(problem->objective), sizeof *run->parameters);
    loss_optimizer_set_iterate_callback(optimizer, watch_iterate, &watch);
    run->outcome = loss_optimizer_minimize(optimizer, problem->objective, run->parameters);
    run->iterations = get_int(optimizer, "iterations");
    if (run->outcome < 0) {
        run->failure = describe_failure(run, problem);
    }
    run->evaluations = get_int(optimizer, "evaluations");
    run->seconds = get_double(optimizer, "seconds");
    run->passes = passes(&watch, optimizer);
    loss_optimizer_get_string(optimizer, "test", &run->test);
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
                  int skip_unknown, int64_t seed)
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
    result = settings_apply_optimizer(settings, problem->context, optimizer, skip_unknown);
    if (result == TOOL_DONE) {
        minimize(run, problem, optimizer);
    }
    loss_optimizer_free(optimizer);
    return result;
}

int run_reference(struct problem *problem, double *objective)
{
    static const struct {
        const char *name;
        int64_t iterations;
    } attempts[] = {{"lbfgs", 3000}, {"newton_cg", 100}};
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
        outcome = loss_optimizer_minimize(optimizer, problem->objective, x);
        loss_optimizer_free(optimizer);
    }
    *objective = NAN;
    loss_objective_evaluate(problem->objective, x, objective, NULL);
    free(x);
    return TOOL_DONE;
}

double run_gap(double objective, double reference)
{
    return (objective - reference) / (reference == 0 ? 1 : fabs(reference));
}

const char *run_outcome_text(loss_status outcome)
{
    if (outcome < 0) {
        return "failed";
    }
    switch (outcome) {
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
