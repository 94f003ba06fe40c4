/* loss compare: the same problem for every family of optimizers, over one or many splits. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One good member of each family; --optimizer names others. */
static const char *const families[] = {"gradient_descent", "sgd", "newton_cg", "lbfgs", "conjugate_gradient"};

enum { FAMILY_COUNT = sizeof families / sizeof *families, MOST_OPTIMIZERS = 64, MOST_SEEDS = 1000 };

/* What takes penalties without derivatives, besides the one that is best at them. */
static const char *const proximal[] = {"spectral_projected_gradient", "accelerated_gradient"};

struct compare_options {
    struct training_options training;
    const char *optimizers[MOST_OPTIMIZERS];
    int optimizer_count;
    int64_t first_seed;
    int seed_count;
};

enum { SEEDS = 512 };

static const struct argp_option options[] = {
    {"optimizer", 'o', "NAME", 0,
     "Default: gradient_descent, sgd, newton_cg, lbfgs and conjugate_gradient, or those that take the "
     "penalties; may be "
     "repeated",
     0},
    {"seeds", SEEDS, "A-B", 0,
     "Seeds of the splits: a number or a range (default 1); the table has the means", 0},
    {0}};

static void parse_seeds(struct compare_options *compare, const char *argument, const struct argp_state *state)
{
    static const int64_t largest = INT64_C(1) << 53;
    char first[32];
    const size_t length = strcspn(argument, "-");
    if (length >= sizeof first) {
        argp_error(state, "--seeds %s: expected a number or a range like 1-10", argument);
        return;
    }
    memcpy(first, argument, length);
    first[length] = '\0';
    compare->first_seed = options_parse_int(state, "--seeds", first, 0, largest);
    int64_t last = compare->first_seed;
    if (argument[length]) {
        last = options_parse_int(state, "--seeds", argument + length + 1, 0, largest);
    }
    if (last < compare->first_seed) {
        argp_error(state, "--seeds %s: the first seed is above the last", argument);
    }
    if (last - compare->first_seed >= MOST_SEEDS) {
        argp_error(state, "--seeds %s: at most %d seeds", argument, MOST_SEEDS);
    }
    compare->seed_count = (int)(last - compare->first_seed + 1);
}

static void choose_optimizers(struct compare_options *compare)
{
    const struct penalties *penalties = &compare->training.penalties;
    const int kind = penalties_kind(penalties);
    if (kind == PENALTIES_SMOOTH) {
        memcpy(compare->optimizers, families, sizeof families);
        compare->optimizer_count = FAMILY_COUNT;
        return;
    }
    if (kind != PENALTIES_OTHER) {
        compare->optimizers[compare->optimizer_count++] = run_default_optimizer(penalties);
    }
    memcpy(compare->optimizers + compare->optimizer_count, proximal, sizeof proximal);
    compare->optimizer_count += sizeof proximal / sizeof *proximal;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct compare_options *compare = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &compare->training;
        compare->first_seed = 1;
        compare->seed_count = 1;
        return 0;
    case 'o':
        if (compare->optimizer_count == MOST_OPTIMIZERS) {
            argp_error(state, "at most %d optimizers", MOST_OPTIMIZERS);
        }
        compare->optimizers[compare->optimizer_count++] = argument;
        return 0;
    case SEEDS:
        parse_seeds(compare, argument, state);
        return 0;
    case ARGP_KEY_END:
        if (compare->training.penalties.path >= 0) {
            argp_error(state, "a path of strengths is for loss fit");
        }
        if (compare->optimizer_count == 0) {
            choose_optimizers(compare);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&options_training_argp, 0, NULL, 0}, {&options_optimizer_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    options,
    parse,
    "DATA --target COLUMN",
    "Train the same linear model with several optimizers and compare what they reach "
    "and what it costs them. An option given by --set goes to every optimizer that has "
    "it.",
    children,
    NULL,
    NULL};

/* ---- the work ---- */

struct comparison {
    const struct compare_options *options;
    struct dataset *dataset, *test;
    struct run *runs;   /* optimizer_count for the first seed, then for the next, … */
    double *references; /* the smallest objective found, per seed */
    char *loss;
    int64_t train_rows, test_rows;
};

static struct run *run_at(const struct comparison *comparison, int seed, int optimizer)
{
    return &comparison->runs[seed * comparison->options->optimizer_count + optimizer];
}

/* All optimizers on the split of one seed. */
static int compare_on_seed(struct comparison *comparison, loss_context *context, struct settings *settings,
                           int s)
{
    const struct compare_options *compare = comparison->options;
    const int64_t seed = compare->first_seed + s;
    struct problem problem;
    int result = problem_create(&problem, context, &compare->training, comparison->dataset, comparison->test,
                                seed, s + 1 < compare->seed_count);
    if (result == TOOL_DONE) {
        comparison->train_rows = problem.train_rows;
        comparison->test_rows = problem.test_rows;
        result = run_reference(&problem, &comparison->references[s]);
    }
    if (result == TOOL_DONE && !comparison->loss) {
        comparison->loss = problem.model.loss;
        problem.model.loss = NULL;
    }
    for (int i = 0; result == TOOL_DONE && i < compare->optimizer_count; i++) {
        struct run *run = run_at(comparison, s, i);
        result = run_optimizer(run, &problem, compare->optimizers[i], settings, 1, seed, NULL);
        if (result == TOOL_DONE && !(run->objective >= comparison->references[s])) {
            comparison->references[s] = run->objective;
        }
    }
    problem_free(&problem);
    return result;
}

/* ---- the table ---- */

/* Means over the seeds. */
struct summary {
    double iterations, evaluations, passes, objective, gap, gradient_norm, train_score, test_score, seconds;
    const struct run *worst; /* a failed run if there is one, else one that hit a limit, else any */
};

static int badness(const struct run *run)
{
    return run_has_failed(run) ? 2
                               : run->outcome >= LOSS_STOP_ITERATIONS && run->outcome <= LOSS_STOP_SECONDS;
}

static struct summary summarize(const struct comparison *comparison, int optimizer)
{
    const int seeds = comparison->options->seed_count;
    struct summary mean = {.worst = run_at(comparison, 0, optimizer)};
    for (int s = 0; s < seeds; s++) {
        const struct run *run = run_at(comparison, s, optimizer);
        mean.iterations += (double)run->iterations / seeds;
        mean.evaluations += (double)run->evaluations / seeds;
        mean.passes += run->passes / seeds;
        mean.objective += run->objective / seeds;
        mean.gap += run_gap(run->objective, comparison->references[s]) / seeds;
        mean.gradient_norm += run->gradient_norm / seeds;
        mean.train_score += run->train_score / seeds;
        mean.test_score += run->test_score / seeds;
        mean.seconds += run->seconds / seeds;
        if (badness(run) > badness(mean.worst)) {
            mean.worst = run;
        }
    }
    return mean;
}

static double mean_reference(const struct comparison *comparison)
{
    double mean = 0;
    for (int s = 0; s < comparison->options->seed_count; s++) {
        mean += comparison->references[s] / comparison->options->seed_count;
    }
    return mean;
}

/* Room for the longest of the names as they were given, which may be aliases. */
static int name_width(const struct compare_options *compare)
{
    int width = 19;
    for (int i = 0; i < compare->optimizer_count; i++) {
        const int length = (int)strlen(compare->optimizers[i]);
        width = length > width ? length : width;
    }
    return width;
}

static void print_heading(const struct comparison *comparison)
{
    const struct compare_options *compare = comparison->options;
    const struct dataset *dataset = comparison->dataset;
    char penalties[512];
    penalties_describe(&compare->training.penalties, penalties, sizeof penalties);
    printf("%s: %lld row%s to train on, %lld held out, %lld feature%s, target %s", dataset->path,
           (long long)comparison->train_rows, tool_plural(comparison->train_rows),
           (long long)comparison->test_rows, (long long)dataset->feature_count,
           tool_plural(dataset->feature_count), dataset->target_name);
    if (dataset->classes) {
        printf(" of %lld classes", (long long)loss_classes_count(dataset->classes));
    }
    printf("\nobjective F = mean %s%s, smallest found F* = %.9g", comparison->loss, penalties,
           mean_reference(comparison));
    if (compare->seed_count > 1) {
        printf("\nmeans over the splits of the seeds %lld to %lld", (long long)compare->first_seed,
               (long long)compare->first_seed + compare->seed_count - 1);
    }
    printf("\n\n%-*s %10s %11s %8s %14s %9s %9s %9s %8s  %s\n", name_width(compare), "optimizer",
           "iterations", "evaluations", "passes", "objective", "gap", "gradient",
           dataset->classes ? "accuracy" : "rmse", "seconds", "outcome");
}

static void print_text(const struct comparison *comparison)
{
    const struct compare_options *compare = comparison->options;
    print_heading(comparison);
    for (int i = 0; i < compare->optimizer_count; i++) {
        const struct summary mean = summarize(comparison, i);
        char objective[32];
        /* Eight digits behind the point, so that points stand below points, while they fit the column. */
        snprintf(objective, sizeof objective, fabs(mean.objective) < 100 ? "%.8f" : "%.8g", mean.objective);
        printf("%-*s %10.6g %11.6g %8.5g %14s %9.2e %9.2e ", name_width(compare), mean.worst->optimizer,
               mean.iterations, mean.evaluations, mean.passes, objective, mean.gap, mean.gradient_norm);
        if (comparison->dataset->classes) {
            printf("%7.2f %%", 100 * mean.test_score);
        } else {
            printf(fabs(mean.test_score) < 1e5 ? "%9.5g" : "%9.3g", mean.test_score);
        }
        printf(" %8.3f  %s", mean.seconds, run_outcome_text(mean.worst));
        if (run_has_failed(mean.worst)) {
            printf(": %s", mean.worst->failure);
        } else if (*mean.worst->test) {
            printf(" (%s)", mean.worst->test);
        }
        putchar('\n');
    }
    printf("\ngap = (F - F*) / F*; passes = what the evaluations cost, in passes over the training rows;\n"
           "gradient = largest component; %s on the held-out rows\n",
           comparison->dataset->classes ? "accuracy" : "root mean square error");
}

/* ---- the same as JSON ---- */

static json_t *run_to_json(const struct comparison *comparison, int seed, int optimizer)
{
    const struct run *run = run_at(comparison, seed, optimizer);
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o?}", "seed", (json_int_t)run->seed,
        "outcome", loss_status_name(run->outcome), "test", run->test, "iterations",
        (json_int_t)run->iterations, "evaluations", (json_int_t)run->evaluations, "passes",
        json_from_double(run->passes), "objective", json_from_double(run->objective), "gap",
        json_from_double(run_gap(run->objective, comparison->references[seed])), "gradient_norm",
        json_from_double(run->gradient_norm), "train_score", json_from_double(run->train_score), "test_score",
        json_from_double(run->test_score), "seconds", json_from_double(run->seconds), "failure",
        run->failure ? json_from_text(run->failure) : NULL);
    return json;
}

static json_t *optimizer_to_json(const struct comparison *comparison, int optimizer)
{
    const struct summary mean = summarize(comparison, optimizer);
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "optimizer", mean.worst->optimizer, "family",
        mean.worst->family, "iterations", json_from_double(mean.iterations), "evaluations",
        json_from_double(mean.evaluations), "passes", json_from_double(mean.passes), "objective",
        json_from_double(mean.objective), "gap", json_from_double(mean.gap), "gradient_norm",
        json_from_double(mean.gradient_norm), "seconds", json_from_double(mean.seconds),
        comparison->dataset->classes ? "accuracy" : "rmse", json_from_double(mean.test_score));
    json_t *runs = json_array();
    for (int s = 0; s < comparison->options->seed_count; s++) {
        json_array_append_new(runs, run_to_json(comparison, s, optimizer));
    }
    json_object_set_new(json, "runs", runs);
    return json;
}

static void print_json(const struct comparison *comparison)
{
    const struct compare_options *compare = comparison->options;
    json_t *references = json_array(), *results = json_array();
    for (int s = 0; s < compare->seed_count; s++) {
        json_array_append_new(references, json_from_double(comparison->references[s]));
    }
    for (int i = 0; i < compare->optimizer_count; i++) {
        json_array_append_new(results, optimizer_to_json(comparison, i));
    }
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "data",
        json_from_text(comparison->dataset->path), "target", comparison->dataset->target_name, "loss",
        comparison->loss, "l2", json_from_double(penalties_l2(&compare->training.penalties)), "penalties",
        penalties_to_json(&compare->training.penalties), "train_rows", (json_int_t)comparison->train_rows,
        "test_rows", (json_int_t)comparison->test_rows, "features",
        (json_int_t)comparison->dataset->feature_count, "classes",
        (json_int_t)loss_classes_count(comparison->dataset->classes), "reference_objectives", references,
        "results", results);
    json_print(stdout, json);
    json_decref(json);
}

/* ---- the command ---- */

static int all_failed(const struct comparison *comparison)
{
    const int count = comparison->options->seed_count * comparison->options->optimizer_count;
    for (int i = 0; i < count; i++) {
        if (!run_has_failed(&comparison->runs[i])) {
            return 0;
        }
    }
    return 1;
}

static int run_all(struct comparison *comparison, loss_context *context, struct settings *settings,
                   struct plot *plot)
{
    const struct compare_options *compare = comparison->options;
    for (int s = 0; s < compare->seed_count; s++) {
        const int result = compare_on_seed(comparison, context, settings, s);
        if (result) {
            return result;
        }
    }
    progress_clear();
    if (all_failed(comparison)) {
        return tool_fail("every optimizer failed, the first because %s", comparison->runs[0].failure);
    }
    if (compare->training.json) {
        print_json(comparison);
    } else {
        print_text(comparison);
    }
    if (plot) {
        char title[256], penalties[128];
        penalties_describe(&compare->training.penalties, penalties, sizeof penalties);
        snprintf(title, sizeof title, "%s, %s%s, seed %lld", comparison->dataset->path, comparison->loss,
                 penalties, (long long)compare->first_seed);
        plot_runs(plot, title, comparison->runs, compare->optimizer_count, comparison->references[0]);
    }
    return TOOL_DONE;
}

static int compare_all(void *user, loss_context *context, struct dataset *dataset, struct dataset *test,
                       struct plot *plot)
{
    struct compare_options *compare = user;
    const int count = compare->seed_count * compare->optimizer_count;
    struct comparison comparison = {.options = compare, .dataset = dataset, .test = test};
    comparison.runs = tool_allocate(count, sizeof *comparison.runs);
    comparison.references = tool_allocate(compare->seed_count, sizeof *comparison.references);
    const int result = run_all(&comparison, context, &compare->training.settings, plot);
    for (int i = 0; i < count; i++) {
        run_free(&comparison.runs[i]);
    }
    free(comparison.runs);
    free(comparison.references);
    free(comparison.loss);
    return result;
}

int command_compare(int argc, char **argv)
{
    struct compare_options compare = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &compare);
    return training_run(&compare.training, compare.optimizers, compare.optimizer_count, 1, compare_all,
                        &compare);
}
