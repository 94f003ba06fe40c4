/* loss fit: one optimizer trains a linear model. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fit_options {
    struct training_options training;
    const char *optimizer, *model;
    int chooses; /* the optimizer, when the data are known */
    int64_t seed;
};

enum { SEED = 512 };

static const struct argp_option options[] = {
    {"optimizer", 'o', "NAME", 0,
     "Default: lbfgs; newton or newton_cg where the data are large and it is faster; where a penalty has no "
     "derivatives owlqn, lbfgsb or spectral_projected_gradient",
     0},
    {"seed", SEED, "N", 0, "Seed of the split, and of what an optimizer draws (default 1)", 0},
    {"model", 'm', "FILE.json", 0, "Write the model, for loss predict", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct fit_options *fit = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &fit->training;
        fit->seed = 1;
        return 0;
    case 'o':
        fit->optimizer = argument;
        return 0;
    case SEED:
        fit->seed = options_parse_int(state, "--seed", argument, 0, INT64_C(1) << 53);
        return 0;
    case 'm':
        fit->model = argument;
        return 0;
    case ARGP_KEY_END:
        if (!fit->optimizer) {
            fit->optimizer = run_default_optimizer(&fit->training.penalties);
            fit->chooses = 1;
        }
        if (fit->training.penalties.path >= 0 && fit->training.test_fraction == 0 &&
            !fit->training.test.path) {
            argp_error(state, "a path of strengths needs rows held out, to tell which is best");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&options_training_argp, 0, NULL, 0}, {&options_optimizer_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {options,
                                 parse,
                                 "DATA --target COLUMN",
                                 "Train a linear model on a CSV file with a header, or on LIBSVM, .npy or "
                                 "IDX data: minimise the mean loss "
                                 "over the training rows plus the penalties. With a penalty like "
                                 "l1=0.001:1:20, do so for 20 strengths, each from "
                                 "the result of the one before, and keep the best.",
                                 children,
                                 NULL,
                                 NULL};

static void print_text(const struct run *run, const struct problem *problem)
{
    const struct dataset *dataset = problem->dataset;
    const char *score = dataset->classes ? "accuracy" : "rmse";
    char penalties[512];
    penalties_describe(&problem->options->penalties, penalties, sizeof penalties);
    printf("data        %s: %lld row%s to train on, %lld held out, %lld feature%s\n", dataset->path,
           (long long)problem->train_rows, tool_plural(problem->train_rows), (long long)problem->test_rows,
           (long long)dataset->feature_count, tool_plural(dataset->feature_count));
    printf("target      %s", problem->model.target);
    if (dataset->classes) {
        printf(", %lld classes", (long long)problem->model.class_count);
    }
    printf("\nobjective   mean %s%s\n", problem->model.loss, penalties);
    printf("optimizer   %s: %s%s%s after %lld iteration%s, %lld evaluation%s, %.3g s\n", run->optimizer,
           run_outcome_text(run), *run->test ? ", " : "", run->test, (long long)run->iterations,
           tool_plural(run->iterations), (long long)run->evaluations, tool_plural(run->evaluations),
           run->seconds);
    printf("reached     objective %.9g, gradient norm %.3g\n", run->objective, run->gradient_norm);
    printf("%-11s %.6g on the training rows", score, run->train_score);
    if (problem->test_rows > 0) {
        printf(", %.6g on the held-out rows", run->test_score);
    }
    putchar('\n');
}

static void print_json(const struct run *run, const struct problem *problem, const struct fit_options *fit)
{
    const struct dataset *dataset = problem->dataset;
    json_t *json = json_pack("{s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:I}", "data",
                             json_from_text(dataset->path), "target", problem->model.target, "loss",
                             problem->model.loss, "l2",
                             json_from_double(penalties_l2(&problem->options->penalties)), "penalties",
                             penalties_to_json(&problem->options->penalties), "optimizer", run->optimizer,
                             "family", run->family, "seed", (json_int_t)fit->seed);
    json_object_set_new(json, "train_rows", json_integer(problem->train_rows));
    json_object_set_new(json, "test_rows", json_integer(problem->test_rows));
    json_object_set_new(json, "features", json_integer(dataset->feature_count));
    json_object_set_new(json, "classes", json_integer(problem->model.class_count));
    json_object_set_new(json, "outcome", json_string(loss_status_name(run->outcome)));
    json_object_set_new(json, "test", json_string(run->test));
    json_object_set_new(json, "iterations", json_integer(run->iterations));
    json_object_set_new(json, "evaluations", json_integer(run->evaluations));
    json_object_set_new(json, "passes", json_from_double(run->passes));
    json_object_set_new(json, "objective", json_from_double(run->objective));
    json_object_set_new(json, "gradient_norm", json_from_double(run->gradient_norm));
    json_object_set_new(json, "seconds", json_from_double(run->seconds));
    json_object_set_new(json, dataset->classes ? "train_accuracy" : "train_rmse",
                        json_from_double(run->train_score));
    json_object_set_new(json, dataset->classes ? "test_accuracy" : "test_rmse",
                        json_from_double(run->test_score));
    json_object_set_new(json, "model", fit->model ? json_from_text(fit->model) : json_null());
    json_print(stdout, json);
    json_decref(json);
}

static int draw(struct plot *plot, struct problem *problem, const struct run *run)
{
    double reference;
    const int result = run_reference(problem, &reference);
    if (result == TOOL_DONE) {
        reference = run->objective < reference ? run->objective : reference;
        plot_runs(plot, problem->dataset->path, run, 1, reference);
    }
    return result;
}

static int train(void *user, loss_context *context, struct dataset *dataset, struct dataset *test,
                 struct plot *plot)
{
    struct fit_options *fit = user;
    struct problem problem;
    struct run run = {0};
    int result = fit->model ? output_check(fit->model) : TOOL_DONE; /* told before the work, not after it */
    if (result) {
        return result;
    }
    result = problem_create(&problem, context, &fit->training, dataset, test, fit->seed, 0);
    if (result == TOOL_DONE && fit->training.penalties.path >= 0) {
        result = path_run(&fit->training, context, &problem, fit->optimizer, fit->seed, fit->model);
        problem_free(&problem);
        return result;
    }
    if (result == TOOL_DONE) {
        const char *optimizer = fit->chooses ? run_suitable_optimizer(&problem, fit->optimizer)
                                             : fit->optimizer;
        result = run_optimizer(&run, &problem, optimizer, &fit->training.settings, 0, fit->seed, NULL);
    }
    if (result == TOOL_DONE && run_has_failed(&run)) {
        result = tool_fail("%s", run.failure);
    }
    if (result == TOOL_DONE && plot) {
        result = draw(plot, &problem, &run);
    }
    if (result == TOOL_DONE && fit->model) {
        problem.model.parameters = run.parameters;
        result = model_write(&problem.model, fit->model);
        problem.model.parameters = NULL;
    }
    progress_clear();
    if (result == TOOL_DONE && fit->training.json) {
        print_json(&run, &problem, fit);
    } else if (result == TOOL_DONE) {
        print_text(&run, &problem);
    }
    run_free(&run);
    problem_free(&problem);
    return result;
}

int command_fit(int argc, char **argv)
{
    struct fit_options fit = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &fit);
    return training_run(&fit.training, &fit.optimizer, 1, 0, train, &fit);
}
