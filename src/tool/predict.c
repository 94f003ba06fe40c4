/* loss predict: a model written by loss fit, on the rows of another file. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct predict_options {
    const char *model;
    struct source source;
    int json, probabilities;
};

static const struct argp_option options[] = {
    {"probabilities", 'p', NULL, 0, "Print the probability of every class too", 0},
    {"target-file", OPTION_TARGET_FILE, "FILE", 0,
     "Where the target is, for --json to say how good the predictions are", 0},
    {"format", OPTION_FORMAT, "NAME", 0,
     "Of the data: csv, libsvm, npy, idx (default: by the name's end, else by the first bytes)", 0},
    {"separator", OPTION_SEPARATOR, "CHARACTER", 0,
     "What stands between the fields of CSV: ; or tab, say (default ,)", 0},
    {"dtype", OPTION_DTYPE, "NAME", 0, "float64 (default) or float32: in which the features are held", 0},
    {"json", 'j', NULL, 0,
     "Print JSON with predictions, scores and, when the file has the target, how good they are", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct predict_options *predict = state->input;
    if (options_parse_source(state, key, argument, &predict->source)) {
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        predict->source.first_index = 1;
        predict->source.dtype = LOSS_FLOAT64;
        return 0;
    case 'p':
        predict->probabilities = 1;
        return 0;
    case 'j':
        predict->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (predict->source.path) {
            argp_error(state, "\"%s\" is too much", argument);
        }
        *(predict->model ? &predict->source.path : &predict->model) = argument;
        return 0;
    case ARGP_KEY_END:
        if (!predict->source.path) {
            argp_error(state, "the %s is missing", predict->model ? "data file" : "model");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "MODEL.json DATA",
    "Predict the target of every row with a model written by loss fit. Columns of CSV are found "
    "by their names; others are ignored. Features of LIBSVM, .npy and IDX data are found by their number. "
    "Prints CSV, one "
    "line per row under the target's name.",
    NULL,
    NULL,
    NULL};

struct prediction {
    struct model model;
    struct dataset dataset;
    loss_classes *classes;
    double *scores;        /* rows × outputs */
    double *numbers;       /* rows: what the scores stand for; NULL of classes */
    double *probabilities; /* rows × classes; NULL when they are not wanted */
};

/* Numbers as the target has them: a score may be the logarithm of one. */
static int find_numbers(struct prediction *prediction, loss_context *context)
{
    loss_function *function;
    if (model_create_function(&function, context, &prediction->model)) {
        return TOOL_FAILED;
    }
    prediction->numbers = tool_allocate(prediction->dataset.rows, sizeof *prediction->numbers);
    for (int64_t r = 0; r < prediction->dataset.rows; r++) {
        prediction->numbers[r] = model_number(context, function,
                                              prediction->scores[r * prediction->model.outputs]);
    }
    loss_function_free(function);
    return TOOL_DONE;
}

/* The classes of a row as numbers of 0 to 1, by the inverse of the loss's link. */
static int find_probabilities(struct prediction *prediction, loss_context *context)
{
    const struct model *model = &prediction->model;
    const int64_t rows = prediction->dataset.rows, classes = model->class_count;
    loss_function *function;
    if (model_create_function(&function, context, model)) {
        return TOOL_FAILED;
    }
    const char *link = loss_function_link(function);
    if (!classes || (strcmp(link, "logit") != 0 && strcmp(link, "softmax") != 0)) {
        loss_function_free(function);
        return classes ? tool_fail("the loss %s makes scores that stand for no probabilities; logistic and "
                                   "cross_entropy do",
                                   model->loss)
                       : tool_fail("the model predicts numbers: it has no classes and no probabilities");
    }
    prediction->probabilities = tool_allocate(rows * classes, sizeof *prediction->probabilities);
    double *scores = prediction->probabilities;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t k = 0; k < classes; k++) {
            /* Of two classes each has a logit, so that a small probability keeps its digits on both ends. */
            scores[r * classes + k] = model->outputs == 1 ? (k == 1 ? 1 : -1) * prediction->scores[r]
                                                          : prediction->scores[r * classes + k];
        }
    }
    const loss_status status = loss_function_inverse_link_float64(context, function, rows, classes, scores,
                                                                  scores);
    loss_function_free(function);
    return status ? tool_fail_context(context) : TOOL_DONE;
}

/* Accuracy of classes or root mean square error of numbers. */
static double goodness(const struct prediction *prediction)
{
    const struct model *model = &prediction->model;
    const struct dataset *dataset = &prediction->dataset;
    double total = 0;
    for (int64_t r = 0; r < dataset->rows; r++) {
        const double *scores = prediction->scores + r * model->outputs;
        if (model->class_count) {
            total += model_class(model, scores) == dataset->labels[r];
        } else {
            const double residual = prediction->numbers[r] - dataset->values[r];
            total += residual * residual;
        }
    }
    total = dataset->rows > 0 ? total / (double)dataset->rows : NAN;
    return model->class_count ? total : sqrt(total);
}

static void print_text(const struct prediction *prediction)
{
    const struct model *model = &prediction->model;
    char text[64];
    tool_print_field(stdout, model->target);
    for (int64_t k = 0; prediction->probabilities && k < model->class_count; k++) {
        const size_t size = strlen(model->class_names[k]) + 32;
        char *heading = tool_allocate((int64_t)size, 1);
        snprintf(heading, size, "probability of %s", model->class_names[k]);
        putchar(',');
        tool_print_field(stdout, heading);
        free(heading);
    }
    putchar('\n');
    for (int64_t r = 0; r < prediction->dataset.rows; r++) {
        const double *scores = prediction->scores + r * model->outputs;
        if (prediction->numbers) {
            loss_format_double(prediction->numbers[r], text, sizeof text, NULL);
        }
        tool_print_field(stdout, model->class_count ? model->class_names[model_class(model, scores)] : text);
        for (int64_t k = 0; prediction->probabilities && k < model->class_count; k++) {
            loss_format_double(prediction->probabilities[r * model->class_count + k], text, sizeof text,
                               NULL);
            printf(",%s", text);
        }
        putchar('\n');
    }
}

static json_t *numbers_to_json(const double *numbers, int64_t count)
{
    json_t *json = json_array();
    for (int64_t k = 0; k < count; k++) {
        json_array_append_new(json, json_from_double(numbers[k]));
    }
    return json;
}

static void print_json(const struct prediction *prediction)
{
    const struct model *model = &prediction->model;
    const struct dataset *dataset = &prediction->dataset;
    const int64_t classes = model->class_count;
    json_t *predictions = json_array(), *scores = json_array(), *probabilities = json_array();
    for (int64_t r = 0; r < dataset->rows; r++) {
        const double *row = prediction->scores + r * model->outputs;
        json_array_append_new(predictions, classes ? json_string(model->class_names[model_class(model, row)])
                                                   : json_from_double(prediction->numbers[r]));
        json_array_append_new(scores, model->outputs == 1 ? json_from_double(*row)
                                                          : numbers_to_json(row, model->outputs));
        if (prediction->probabilities) {
            json_array_append_new(probabilities,
                                  numbers_to_json(prediction->probabilities + r * classes, classes));
        }
    }
    json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:o}", "target", model->target, "loss", model->loss,
                             "rows", (json_int_t)dataset->rows, "predictions", predictions, "scores", scores);
    if (prediction->probabilities) {
        json_t *names = json_array();
        for (int64_t k = 0; k < classes; k++) {
            json_array_append_new(names, json_string(model->class_names[k]));
        }
        json_object_set_new(json, "classes", names);
        json_object_set(json, "probabilities", probabilities);
    }
    json_decref(probabilities);
    if (dataset->labels || dataset->values) {
        json_object_set_new(json, classes ? "accuracy" : "rmse", json_from_double(goodness(prediction)));
    }
    json_print(stdout, json);
    json_decref(json);
}

static int read_data(struct prediction *prediction, loss_context *context, struct predict_options *predict)
{
    const struct model *model = &prediction->model;
    if (model->class_count && loss_classes_create_named(&prediction->classes, context, model->class_count,
                                                        (const char *const *)model->class_names)) {
        return tool_fail_context(context);
    }
    /* Only JSON says how good the predictions are, so only there the target is looked at. */
    const struct expectation expected = {.feature_count = model->feature_count,
                                         .feature_names = model->feature_names,
                                         .classes = prediction->classes,
                                         .wants_target = predict->json ? 0 : -1};
    predict->source.target = predict->source.target_file ? NULL : model->target;
    predict->source.likely_target = model->target;
    return dataset_read(&prediction->dataset, context, &predict->source, 0, &expected);
}

static int predict_all(struct prediction *prediction, loss_context *context, struct predict_options *predict)
{
    struct model *model = &prediction->model;
    int result = model_read(model, predict->model);
    if (result == TOOL_DONE) {
        result = read_data(prediction, context, predict);
    }
    if (result) {
        return result;
    }
    model_scale(model, &prediction->dataset);
    prediction->scores = tool_allocate(prediction->dataset.rows * model->outputs, sizeof *prediction->scores);
    struct scorer scorer;
    scorer_begin(&scorer, model, &prediction->dataset);
    for (int64_t r = 0; r < prediction->dataset.rows; r++) {
        scorer_row(&scorer, r, prediction->scores + r * model->outputs);
    }
    scorer_end(&scorer);
    if (!model->class_count) {
        result = find_numbers(prediction, context);
    }
    if (result == TOOL_DONE && predict->probabilities) {
        result = find_probabilities(prediction, context);
    }
    if (result == TOOL_DONE && predict->json) {
        print_json(prediction);
    } else if (result == TOOL_DONE) {
        print_text(prediction);
    }
    return result;
}

int command_predict(int argc, char **argv)
{
    struct predict_options predict = {0};
    struct prediction prediction = {0};
    loss_context *context;
    argp_parse(&argp, argc, argv, 0, NULL, &predict);
    if (loss_context_create(&context)) {
        return tool_fail("no memory");
    }
    const int result = predict_all(&prediction, context, &predict);
    free(prediction.scores);
    free(prediction.numbers);
    free(prediction.probabilities);
    dataset_free(&prediction.dataset);
    loss_classes_free(prediction.classes);
    model_free(&prediction.model);
    loss_context_free(context);
    return result;
}
