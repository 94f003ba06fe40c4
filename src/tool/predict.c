/* loss predict: a model written by loss fit, on the rows of another file. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct predict_options {
    const char *model, *data;
    int json;
};

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0,
     "Print JSON with predictions, scores and, when the file has the target, how good they are", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct predict_options *predict = state->input;
    switch (key) {
    case 'j':
        predict->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (predict->data) {
            argp_error(state, "\"%s\" is too much", argument);
        }
        *(predict->model ? &predict->data : &predict->model) = argument;
        return 0;
    case ARGP_KEY_END:
        if (!predict->data) {
            argp_error(state, "the %s is missing", predict->model ? "CSV file" : "model");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "MODEL.json DATA.csv",
    "Predict the target of every row with a model written by loss fit. Columns are found "
    "by their names; others are ignored. Prints one line per row under the target's name.",
    NULL,
    NULL,
    NULL};

struct prediction {
    struct model model;
    loss_table *table;
    int64_t rows;
    double *features, *scores;
};

static int read_features(struct prediction *prediction, loss_context *context)
{
    const struct model *model = &prediction->model;
    prediction->features = tool_allocate(prediction->rows * model->feature_count,
                                         sizeof *prediction->features);
    for (int64_t j = 0; j < model->feature_count; j++) {
        int64_t column;
        if (loss_table_find_column(prediction->table, context, model->feature_names[j], &column)) {
            return tool_fail_context(context);
        }
        if (dataset_read_column(prediction->table, context, column, prediction->features + j,
                                model->feature_count)) {
            return TOOL_FAILED;
        }
    }
    return TOOL_DONE;
}

/* −1 when the file does not have the target. */
static int64_t find_target(const struct prediction *prediction)
{
    for (int64_t c = 0; c < loss_table_column_count(prediction->table); c++) {
        if (strcmp(loss_table_column_name(prediction->table, c), prediction->model.target) == 0) {
            return c;
        }
    }
    return -1;
}

/* Accuracy of classes or root mean square error of numbers; a target that cannot be used is an error. */
static int score(const struct prediction *prediction, loss_context *context, int64_t column, double *result)
{
    const struct model *model = &prediction->model;
    const int64_t rows = prediction->rows;
    double total = 0;
    loss_status status;
    if (model->class_count) {
        loss_classes *classes = NULL;
        int64_t *labels = tool_allocate(rows, sizeof *labels);
        status = loss_classes_create_named(&classes, context, model->class_count,
                                           (const char *const *)model->class_names);
        if (!status) {
            status = loss_classes_get_labels(classes, context, prediction->table, column, labels, 1);
        }
        for (int64_t r = 0; !status && r < rows; r++) {
            total += model_class(model, prediction->scores + r * model->outputs) == labels[r];
        }
        loss_classes_free(classes);
        free(labels);
    } else {
        double *values = tool_allocate(rows, sizeof *values);
        status = loss_table_get_column_double(prediction->table, context, column, values, 1);
        for (int64_t r = 0; !status && r < rows; r++) {
            const double residual = prediction->scores[r] - values[r];
            total += residual * residual;
        }
        free(values);
    }
    if (status) {
        return tool_fail_context(context);
    }
    total = rows > 0 ? total / (double)rows : NAN;
    *result = model->class_count ? total : sqrt(total);
    return TOOL_DONE;
}

static void print_text(const struct prediction *prediction)
{
    const struct model *model = &prediction->model;
    tool_print_field(stdout, model->target);
    putchar('\n');
    for (int64_t r = 0; r < prediction->rows; r++) {
        const double *scores = prediction->scores + r * model->outputs;
        char text[32];
        loss_format_double(scores[0], text, sizeof text, NULL);
        tool_print_field(stdout, model->class_count ? model->class_names[model_class(model, scores)] : text);
        putchar('\n');
    }
}

static json_t *scores_to_json(const double *scores, int64_t count)
{
    if (count == 1) {
        return json_from_double(*scores);
    }
    json_t *json = json_array();
    for (int64_t k = 0; k < count; k++) {
        json_array_append_new(json, json_from_double(scores[k]));
    }
    return json;
}

static int print_json(const struct prediction *prediction, loss_context *context)
{
    const struct model *model = &prediction->model;
    const int64_t target = find_target(prediction);
    double goodness = NAN;
    if (target >= 0 && score(prediction, context, target, &goodness)) {
        return TOOL_FAILED;
    }
    json_t *predictions = json_array(), *scores = json_array();
    for (int64_t r = 0; r < prediction->rows; r++) {
        const double *row = prediction->scores + r * model->outputs;
        json_array_append_new(predictions, model->class_count
                                               ? json_string(model->class_names[model_class(model, row)])
                                               : json_from_double(*row));
        json_array_append_new(scores, scores_to_json(row, model->outputs));
    }
    json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:o}", "target", model->target, "loss", model->loss,
                             "rows", (json_int_t)prediction->rows, "predictions", predictions, "scores",
                             scores);
    if (target >= 0) {
        json_object_set_new(json, model->class_count ? "accuracy" : "rmse", json_from_double(goodness));
    }
    json_print(stdout, json);
    json_decref(json);
    return TOOL_DONE;
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
    int result = model_read(&prediction.model, predict.model);
    if (result == TOOL_DONE) {
        result = dataset_read_table(&prediction.table, context, predict.data);
    }
    prediction.rows = loss_table_row_count(prediction.table);
    if (result == TOOL_DONE) {
        result = read_features(&prediction, context);
    }
    if (result == TOOL_DONE) {
        prediction.scores = tool_allocate(prediction.rows * prediction.model.outputs,
                                          sizeof *prediction.scores);
        model_scores(&prediction.model, prediction.features, prediction.rows, prediction.scores);
        if (predict.json) {
            result = print_json(&prediction, context);
        } else {
            print_text(&prediction);
        }
    }
    free(prediction.features);
    free(prediction.scores);
    loss_table_free(prediction.table);
    model_free(&prediction.model);
    loss_context_free(context);
    return result;
}
