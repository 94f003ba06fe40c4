/*
 * A regularisation path: a model for every strength of a penalty, from the strongest, where few weights are left, to the weakest,
 * each begun where the one before ended (Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear models
 * via coordinate descent", Journal of Statistical Software 33, 2010, section 2.5). The rows held out say which is best.
 */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights drawn in colours and named, and how many lines a picture has at most. */
enum { NAMED_LINES = 4, MOST_LINES = 1000, NAME_SIZE = 64 };

struct step {
    struct run run;
    double strength, cost;
    int64_t nonzeros;
};

struct path {
    const struct training_options *training;
    struct problem *problem;
    struct step *steps;
    int count, best;
};

static int train(struct path *path, const char *optimizer, int64_t seed)
{
    struct problem *problem = path->problem;
    struct settings *settings = (struct settings *)&path->training->settings;
    const int64_t weights = problem->model.outputs * problem->model.feature_count;
    const double *start = NULL;
    for (int i = 0; i < path->count; i++) {
        struct step *step = &path->steps[i];
        step->strength = penalties_strength(&path->training->penalties, i);
        int result = problem_set_strength(problem, step->strength);
        if (result == TOOL_DONE) {
            result = run_optimizer(&step->run, problem, optimizer, settings, 0, seed, start);
        }
        if (result == TOOL_DONE && run_has_failed(&step->run)) {
            result = tool_fail("at the strength %g %s", step->strength, step->run.failure);
        }
        if (result == TOOL_DONE && problem_cost(problem, step->run.parameters, &step->cost)) {
            result = tool_fail_context(problem->context);
        }
        if (result) {
            return result;
        }
        start = step->run.parameters;
        for (int64_t j = 0; j < weights; j++) {
            step->nonzeros += start[j] != 0;
        }
    }
    return TOOL_DONE;
}

/* The best score on the rows held out; of equal ones the strongest penalty's, the simplest model. */
static void choose_best(struct path *path)
{
    const double sign = path->problem->dataset->classes ? 1 : -1;
    for (int i = 1; i < path->count; i++) {
        if (sign * path->steps[i].run.test_score > sign * path->steps[path->best].run.test_score) {
            path->best = i;
        }
    }
}

static void print_text(const struct path *path)
{
    const struct problem *problem = path->problem;
    const struct dataset *dataset = problem->dataset;
    char penalties[512];
    penalties_describe(&path->training->penalties, penalties, sizeof penalties);
    printf("%s: %lld row%s to train on, %lld held out, %lld feature%s, target %s\n", dataset->path,
           (long long)problem->train_rows, tool_plural(problem->train_rows), (long long)problem->test_rows,
           (long long)dataset->feature_count, tool_plural(dataset->feature_count), problem->model.target);
    printf("objective mean %s%s, by %s\n\n", problem->model.loss, penalties, path->steps[0].run.optimizer);
    printf("  %12s %14s %14s %9s %9s %10s  %s\n", "strength", "objective", "cost", "non-zeros",
           dataset->classes ? "accuracy" : "rmse", "iterations", "outcome");
    for (int i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        printf("%c %12.6g %14.8g %14.8g %9lld ", i == path->best ? '*' : ' ', step->strength,
               step->run.objective, step->cost, (long long)step->nonzeros);
        if (dataset->classes) {
            printf("%7.2f %%", 100 * step->run.test_score);
        } else {
            printf(fabs(step->run.test_score) < 1e5 ? "%9.5g" : "%9.3g", step->run.test_score);
        }
        printf(" %10lld  %s%s%s%s\n", (long long)step->run.iterations, run_outcome_text(&step->run),
               *step->run.test ? " (" : "", step->run.test, *step->run.test ? ")" : "");
    }
    printf("\n* the best %s on the held-out rows\n",
           dataset->classes ? "accuracy" : "root mean square error");
}

static void print_json(const struct path *path, int64_t seed, const char *model)
{
    const struct problem *problem = path->problem;
    const int has_classes = problem->dataset->classes != NULL;
    json_t *steps = json_array();
    for (int i = 0; i < path->count; i++) {
        const struct step *step = &path->steps[i];
        json_array_append_new(
            steps,
            json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:I, s:s, s:s, s:b}", "strength",
                      json_from_double(step->strength), "objective", json_from_double(step->run.objective),
                      "cost", json_from_double(step->cost), "nonzeros", (json_int_t)step->nonzeros,
                      has_classes ? "test_accuracy" : "test_rmse", json_from_double(step->run.test_score),
                      has_classes ? "train_accuracy" : "train_rmse", json_from_double(step->run.train_score),
                      "iterations", (json_int_t)step->run.iterations, "evaluations",
                      (json_int_t)step->run.evaluations, "outcome", loss_status_name(step->run.outcome),
                      "test", step->run.test, "best", i == path->best));
    }
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o?}", "data",
        json_from_text(problem->dataset->path), "target", problem->model.target, "loss", problem->model.loss,
        "penalties", penalties_to_json(&path->training->penalties), "optimizer", path->steps[0].run.optimizer,
        "seed", (json_int_t)seed, "train_rows", (json_int_t)problem->train_rows, "test_rows",
        (json_int_t)problem->test_rows, "features", (json_int_t)problem->dataset->feature_count, "classes",
        (json_int_t)problem->model.class_count, "best_strength",
        json_from_double(path->steps[path->best].strength), "path", steps, "model",
        model ? json_from_text(model) : NULL);
    json_print(stdout, json);
    json_decref(json);
}

/* ---- the picture */

static double weight(const struct path *path, int step, int64_t index)
{
    return path->steps[step].run.parameters[index];
}

/* The largest size of a weight along the path, by which lines are chosen to be named. */
static double largest(const struct path *path, int64_t index)
{
    double size = 0;
    for (int i = 0; i < path->count; i++) {
        size = fmax(size, fabs(weight(path, i, index)));
    }
    return size;
}

/* The weights that get a colour: the largest ones; returns how many. */
static int choose_named(const struct path *path, int64_t count, int64_t named[NAMED_LINES])
{
    int found = 0;
    while (found < NAMED_LINES && found < count) {
        int64_t best = -1;
        for (int64_t j = 0; j < count; j++) {
            int is_taken = 0;
            for (int k = 0; k < found; k++) {
                is_taken |= named[k] == j;
            }
            if (!is_taken && (best < 0 || largest(path, j) > largest(path, best))) {
                best = j;
            }
        }
        named[found++] = best;
    }
    return found;
}

static void name_weight(const struct path *path, int64_t index, char text[NAME_SIZE])
{
    const struct model *model = &path->problem->model;
    const char *feature = model->feature_names[index % model->feature_count];
    if (model->outputs == 1) {
        snprintf(text, NAME_SIZE, "%.12s", feature);
    } else {
        snprintf(text, NAME_SIZE, "%.8s, %.4s", feature, model->class_names[index / model->feature_count]);
    }
}

static void draw(FILE *picture, const struct path *path)
{
    /* Okabe & Ito (2008): colours that are told apart also by the colour-blind. */
    static const char *const colours[NAMED_LINES] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7"};
    const struct model *model = &path->problem->model;
    const int64_t all = model->outputs * model->feature_count;
    const int64_t count = all < MOST_LINES ? all : MOST_LINES;
    int64_t named[NAMED_LINES];
    char names[NAMED_LINES][NAME_SIZE], title[256];
    const int named_count = choose_named(path, all, named);
    struct chart_line *lines = tool_allocate(count + NAMED_LINES, sizeof *lines);
    double *y = tool_allocate((count + NAMED_LINES) * path->count, sizeof *y);
    double *x = tool_allocate(path->count, sizeof *x), low = 0, high = 0;
    /* The named ones are drawn last, so that they lie above the grey ones. */
    for (int64_t l = 0; l < count + named_count; l++) {
        const int64_t k = l - count;
        const int64_t index = k < 0 ? l : named[k];
        for (int i = 0; i < path->count; i++) {
            y[l * path->count + i] = weight(path, i, index);
            low = fmin(low, y[l * path->count + i]);
            high = fmax(high, y[l * path->count + i]);
        }
        if (k >= 0) {
            name_weight(path, index, names[k]);
        }
        lines[l] = (struct chart_line){k < 0 ? NULL : names[k], k < 0 ? "#bbb" : colours[k], "",
                                       y + l * path->count, INFINITY};
    }
    for (int i = 0; i < path->count; i++) {
        x[i] = log10(path->steps[i].strength);
    }
    const double margin = high > low ? (high - low) * 0.05 : 1, marker = x[path->best];
    snprintf(title, sizeof title, "weights of %.80s, %s", path->problem->dataset->path,
             path->training->penalties.texts[path->training->penalties.path]);
    const struct chart chart = {.title = title,
                                .label = "log10 strength",
                                .left = x[0],
                                .right = x[path->count - 1],
                                .bottom = low - margin,
                                .top = high + margin,
                                .marker = &marker,
                                .x = x,
                                .points = path->count,
                                .line_count = (int)(count + named_count),
                                .lines = lines};
    chart_print(picture, &chart);
    free(lines);
    free(y);
    free(x);
}

static int draw_file(const struct path *path)
{
    FILE *picture = tmpfile();
    if (!picture) {
        return tool_fail("no temporary file for the plot: %s", strerror(errno));
    }
    draw(picture, path);
    const int result = output_write(picture, path->training->plot);
    fclose(picture);
    return result;
}

/* ---- all of it */

int path_run(struct training_options *training, loss_context *context, struct problem *problem,
             const char *optimizer, int64_t seed, const char *model_path)
{
    struct path path = {
        .training = training, .problem = problem, .count = training->penalties.strength_count};
    (void)context;
    path.steps = tool_allocate(path.count, sizeof *path.steps);
    int result = train(&path, optimizer, seed);
    if (result == TOOL_DONE) {
        choose_best(&path);
        if (model_path) {
            problem->model.parameters = path.steps[path.best].run.parameters;
            result = model_write(&problem->model, model_path);
            problem->model.parameters = NULL;
        }
    }
    if (result == TOOL_DONE && training->plot) {
        result = draw_file(&path);
    }
    progress_clear();
    if (result == TOOL_DONE && training->json) {
        print_json(&path, seed, model_path);
    } else if (result == TOOL_DONE) {
        print_text(&path);
    }
    for (int i = 0; i < path.count; i++) {
        run_free(&path.steps[i].run);
    }
    free(path.steps);
    return result;
}
