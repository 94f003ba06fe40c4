/* loss check: the derivatives of what fit minimises, against differences. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct check_options {
    struct training_options training;
    const char *at;
    int64_t seed, directions;
};

enum { SEED = 512 };

/* Which stream of the seed's random numbers the parameters are drawn from; the split has 0. */
#define PARAMETERS_STREAM 1

static const struct argp_option options[] = {
    {"at", 'a', "PLACE", 0,
     "Where: zero, random (default: every parameter drawn from -0.5 to 0.5), or a model written by loss fit",
     0},
    {"directions", 'd', "N", 0, "How many random directions (default 8)", 0},
    {"seed", SEED, "N", 0, "Seed of the split, the parameters and the directions (default 1)", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct check_options *check = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &check->training;
        check->at = "random";
        check->seed = 1;
        check->directions = 8;
        return 0;
    case 'a':
        check->at = argument;
        return 0;
    case 'd':
        check->directions = options_parse_int(state, "--directions", argument, 1, 1000000);
        return 0;
    case SEED:
        check->seed = options_parse_int(state, "--seed", argument, 0, INT64_C(1) << 53);
        return 0;
    case ARGP_KEY_END:
        if (check->training.penalties.path >= 0) {
            argp_error(state, "one strength of a penalty is checked, not a path of them");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&options_training_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    options,
    parse,
    "DATA --target COLUMN",
    "Check the gradient and the Hessian products of the objective that loss fit minimises with the same "
    "arguments, against differences with error bars.",
    children,
    NULL,
    NULL};

/* ---- where ---- */

static int read_parameters(const struct problem *problem, const char *path, double *x)
{
    struct model model;
    const struct model *wanted = &problem->model;
    int result = model_read(&model, path);
    if (result == TOOL_DONE &&
        (model.feature_count != wanted->feature_count || model.outputs != wanted->outputs)) {
        result = tool_fail("%s: the model has %lld feature%s and %lld output%s, the data %lld and %lld", path,
                           (long long)model.feature_count, tool_plural(model.feature_count),
                           (long long)model.outputs, tool_plural(model.outputs),
                           (long long)wanted->feature_count, (long long)wanted->outputs);
    }
    for (int64_t j = 0; result == TOOL_DONE && j < model.feature_count; j++) {
        if (strcmp(model.feature_names[j], wanted->feature_names[j]) != 0) {
            result = tool_fail("%s: feature %lld of the model is \"%s\", of the data \"%s\"", path,
                               (long long)j + 1, model.feature_names[j], wanted->feature_names[j]);
        }
    }
    if (result == TOOL_DONE) {
        const int64_t count = wanted->outputs * (wanted->feature_count + 1);
        memcpy(x, model.parameters, (size_t)count * sizeof *x);
    }
    model_free(&model);
    return result;
}

static int choose_parameters(const struct problem *problem, const struct check_options *check, double *x)
{
    const int64_t count = loss_objective_dimension(problem->objective);
    if (strcmp(check->at, "zero") == 0) {
        return TOOL_DONE; /* as they were allocated */
    }
    if (strcmp(check->at, "random") != 0) {
        return read_parameters(problem, check->at, x);
    }
    if (loss_random_uniform((uint64_t)check->seed, PARAMETERS_STREAM, 0, count, x)) {
        return tool_fail("the parameters could not be drawn");
    }
    for (int64_t i = 0; i < count; i++) {
        x[i] -= 0.5;
    }
    return TOOL_DONE;
}

/* The parameters as the objective reads them, in place. */
static void to_element_type(const struct problem *problem, double *x)
{
    float *narrow = (float *)(void *)x;
    for (int64_t i = 0;
         problem->dataset->dtype == LOSS_FLOAT32 && i < loss_objective_dimension(problem->objective); i++) {
        const float value = (float)x[i];
        memcpy(narrow + i, &value, sizeof value);
    }
}

/* ---- the checks ---- */

enum { PARAMETERS, DIRECTIONS, PRODUCTS, CHECKS };

static const struct {
    const char *of, *along;
} names[CHECKS] = {
    [PARAMETERS] = {"gradient", "parameters"},
    [DIRECTIONS] = {"gradient", "directions"},
    [PRODUCTS] = {"hessian_product", "directions"},
};

struct verdict {
    int32_t verdict;
    int64_t index, direction;
    double derivative, difference, error, slope;
    char sentence[512]; /* "" when all is well */
};

static const char *verdict_name(int32_t verdict)
{
    switch (verdict) {
    case LOSS_CHECK_OK:
        return "ok";
    case LOSS_CHECK_WRONG:
        return "wrong";
    case LOSS_CHECK_KINK:
        return "kink";
    default:
        return "inconclusive";
    }
}

static loss_status run_check(loss_objective *objective, int which, const void *x,
                             const struct check_options *check, int32_t *verdict)
{
    const uint64_t seed = (uint64_t)check->seed;
    switch (which) {
    case PARAMETERS:
        return loss_objective_check(objective, x, seed, verdict);
    case DIRECTIONS:
        return loss_objective_check_directions(objective, x, check->directions, seed, verdict);
    default:
        return loss_objective_check_product(objective, x, check->directions, seed, verdict);
    }
}

static int find_verdicts(const struct problem *problem, const struct check_options *check, const void *x,
                         struct verdict *verdicts)
{
    loss_objective *objective = problem->objective;
    for (int which = 0; which < CHECKS; which++) {
        struct verdict *v = &verdicts[which];
        progress_show("checking %s along %s", names[which].of, names[which].along);
        if (run_check(objective, which, x, check, &v->verdict)) {
            return tool_fail_context(problem->context);
        }
        if (v->verdict != LOSS_CHECK_OK) {
            snprintf(v->sentence, sizeof v->sentence, "%s", loss_context_error(problem->context));
        }
        loss_objective_get_int(objective, "check_index", &v->index);
        loss_objective_get_int(objective, "check_direction", &v->direction);
        loss_objective_get_double(objective, "check_derivative", &v->derivative);
        loss_objective_get_double(objective, "check_difference", &v->difference);
        loss_objective_get_double(objective, "check_error", &v->error);
        loss_objective_get_double(objective, "check_slope", &v->slope);
    }
    progress_clear();
    return TOOL_DONE;
}

/* ---- what is printed ---- */

static void print_text(const struct problem *problem, const struct check_options *check,
                       const struct verdict *verdicts)
{
    char penalties[512];
    penalties_describe(&problem->options->penalties, penalties, sizeof penalties);
    printf("objective   mean %s%s, %lld parameters, at %s\n", problem->model.loss, penalties,
           (long long)loss_objective_dimension(problem->objective), check->at);
    for (int which = 0; which < CHECKS; which++) {
        const struct verdict *v = &verdicts[which];
        printf("%-11s %s: %s", which == PRODUCTS ? "product" : names[which].of, names[which].along,
               verdict_name(v->verdict));
        if (*v->sentence) {
            printf("; %s\n", v->sentence);
            continue;
        }
        printf("; the worst is off by %.2g where %.2g is allowed", fabs(v->derivative - v->difference),
               v->error);
        if (!isnan(v->slope)) {
            printf(", remainder t^%.2f", v->slope);
        }
        putchar('\n');
    }
}

static json_t *verdict_to_json(int which, const struct verdict *v)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I}", "of", names[which].of, "along", names[which].along,
                             "verdict", verdict_name(v->verdict), "index", (json_int_t)v->index, "direction",
                             (json_int_t)v->direction);
    json_object_set_new(json, "derivative", json_from_double(v->derivative));
    json_object_set_new(json, "difference", json_from_double(v->difference));
    json_object_set_new(json, "error", json_from_double(v->error));
    json_object_set_new(json, "slope", json_from_double(v->slope));
    json_object_set_new(json, "sentence", *v->sentence ? json_from_text(v->sentence) : json_null());
    return json;
}

static void print_json(const struct problem *problem, const struct check_options *check,
                       const struct verdict *verdicts)
{
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I}", "data", json_from_text(problem->dataset->path), "target",
        problem->model.target, "loss", problem->model.loss, "l2",
        json_from_double(penalties_l2(&problem->options->penalties)), "penalties",
        penalties_to_json(&problem->options->penalties), "at", json_from_text(check->at), "seed",
        (json_int_t)check->seed, "parameters", (json_int_t)loss_objective_dimension(problem->objective));
    json_t *list = json_array();
    for (int which = 0; which < CHECKS; which++) {
        json_array_append_new(list, verdict_to_json(which, &verdicts[which]));
    }
    json_object_set_new(json, "checks", list);
    json_print(stdout, json);
    json_decref(json);
}

/* A derivative that contradicts the values is a failed job, once all is printed. */
static int conclude(const struct verdict *verdicts)
{
    int result = TOOL_DONE;
    for (int which = 0; which < CHECKS && result == TOOL_DONE; which++) {
        if (verdicts[which].verdict == LOSS_CHECK_WRONG) {
            result = tool_fail("%s", verdicts[which].sentence);
        }
    }
    return result;
}

static int work(void *user, loss_context *context, struct dataset *dataset, struct dataset *test,
                struct plot *plot)
{
    const struct check_options *check = user;
    struct problem problem;
    struct verdict verdicts[CHECKS] = {{0}};
    double *x = NULL;
    (void)plot;
    int result = problem_create(&problem, context, &check->training, dataset, test, check->seed, 0);
    if (result == TOOL_DONE) {
        x = tool_allocate(loss_objective_dimension(problem.objective), sizeof *x);
        result = choose_parameters(&problem, check, x);
        to_element_type(&problem, x);
    }
    if (result == TOOL_DONE) {
        result = find_verdicts(&problem, check, x, verdicts);
    }
    if (result == TOOL_DONE) {
        if (check->training.json) {
            print_json(&problem, check, verdicts);
        } else {
            print_text(&problem, check, verdicts);
        }
        result = conclude(verdicts);
    }
    free(x);
    problem_free(&problem);
    return result;
}

int command_check(int argc, char **argv)
{
    struct check_options check = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &check);
    return training_run(&check.training, NULL, 0, 0, work, &check);
}
