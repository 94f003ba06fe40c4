/*
 * What is minimised for one seed: rows split off to be tested on, features scaled by the rows that are left,
 * and the objective of a linear model over them: mean loss + ½ · l2 · ‖W‖².
 */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which stream of the seed's random numbers the split is drawn from; others are free for other uses. */
#define SPLIT_STREAM 0

static int32_t has_property(const loss_function *function, const char *name)
{
    int32_t value = 0;
    loss_function_property(function, name, &value);
    return value;
}

/* Makes the function and applies its settings; what is wrong with them was typed. */
static int create_named(loss_function **function, loss_context *context, const char *name,
                        const struct training_options *options)
{
    if (loss_function_create(function, context, name)) {
        return tool_fail_usage(context);
    }
    return settings_apply_function(&options->loss_settings, context, *function);
}

int problem_wants_classes(loss_context *context, const struct training_options *options, int *wants_classes)
{
    loss_function *function;
    *wants_classes = -1;
    if (!options->loss) {
        return TOOL_DONE;
    }
    const int result = create_named(&function, context, options->loss, options);
    if (function) {
        *wants_classes = has_property(function, "classification");
    }
    loss_function_free(function);
    return result;
}

static const char *suitable_loss(const struct dataset *dataset)
{
    if (!dataset->classes) {
        return "squared_error";
    }
    return loss_classes_count(dataset->classes) == 2 ? "logistic" : "cross_entropy";
}

/*
 * A linear model predicts any number. Whether the loss takes one below 0 is asked of a copy, which the evaluation seals;
 * the target 1 is one that every loss takes.
 */
static int takes_every_number(loss_context *context, const loss_function *function, int64_t outputs)
{
    const int has_labels = has_property(function, "integer_target");
    double *predictions = tool_allocate(outputs, sizeof *predictions), sum;
    const double number = 1;
    const int64_t label = 1;
    for (int64_t k = 0; k < outputs; k++) {
        predictions[k] = -2.385; /* below 0, and no other meaning */
    }
    loss_function *copy = NULL;
    loss_data *inputs = NULL;
    loss_status status = loss_function_clone(&copy, context, function);
    if (!status) {
        status = loss_data_create(&inputs, context);
    }
    if (!status) {
        status = loss_data_set_input(inputs, "prediction", predictions, LOSS_FLOAT64, 1, outputs, outputs, 1);
    }
    if (!status) {
        status = has_labels ? loss_data_set_input(inputs, "target", &label, LOSS_INT64, 1, 1, 1, 1)
                            : loss_data_set_input(inputs, "target", &number, LOSS_FLOAT64, 1, 1, 1, 1);
    }
    if (!status) {
        status = loss_function_evaluate(context, copy, inputs, NULL, &sum, NULL);
    }
    loss_data_free(inputs);
    loss_function_free(copy);
    free(predictions);
    /* Any other failure is met again where it belongs. */
    return status != LOSS_ERROR_DOMAIN;
}

int problem_create_function(loss_function **function, loss_context *context,
                            const struct training_options *options, const struct dataset *dataset)
{
    const int result = create_named(function, context, options->loss ? options->loss : suitable_loss(dataset),
                                    options);
    if (result) {
        return result;
    }
    const char *name = loss_function_name(*function);
    const int64_t classes = loss_classes_count(dataset->classes);
    const int has_labels = has_property(*function, "integer_target");
    if (classes > 2 && !has_labels) {
        return tool_fail("the loss %s needs a target of 2 classes, \"%s\" has %lld", name,
                         loss_table_column_name(dataset->table, dataset->target_column), (long long)classes);
    }
    if (!takes_every_number(context, *function, has_labels ? classes : 1)) {
        tool_fail(
            "the predictions of the loss %s are probabilities, which a linear model does not make; use %s",
            name, has_labels ? "input=logits" : "logistic");
        return TOOL_USAGE;
    }
    return TOOL_DONE;
}

/* ---- the split ---- */

/* The first rows of a permutation drawn by the seed are held out. */
static int split_rows(struct problem *problem, int64_t seed)
{
    const int64_t rows = problem->dataset->rows;
    problem->order = tool_allocate(rows, sizeof *problem->order);
    if (loss_random_permutation((uint64_t)seed, SPLIT_STREAM, rows, problem->order)) {
        return tool_fail("the rows could not be shuffled");
    }
    problem->test_rows = (int64_t)floor(problem->options->test_fraction * (double)rows + 0.5);
    problem->train_rows = rows - problem->test_rows;
    if (problem->train_rows < 1) {
        return tool_fail("a test fraction of %g leaves none of the %lld rows to train on",
                         problem->options->test_fraction, (long long)rows);
    }
    return TOOL_DONE;
}

/* Mean and deviation of each feature over the rows trained on, in two passes; a constant feature is scaled to
 * 0. */
static void measure_features(struct problem *problem)
{
    struct model *model = &problem->model;
    const int64_t d = problem->dataset->feature_count, n = problem->train_rows;
    const int64_t *rows = problem->order + problem->test_rows;
    for (int64_t j = 0; j < d; j++) {
        double sum = 0, squares = 0;
        model->mean[j] = 0;
        model->scale[j] = 1;
        if (!problem->options->standardize) {
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            sum += problem->dataset->features[rows[i] * d + j];
        }
        model->mean[j] = sum / (double)n;
        int is_constant = 1;
        for (int64_t i = 0; i < n; i++) {
            const double x = problem->dataset->features[rows[i] * d + j];
            squares += (x - model->mean[j]) * (x - model->mean[j]);
            is_constant &= x == problem->dataset->features[rows[0] * d + j];
        }
        /* Asked of the values, not of the sum: the mean of equal numbers may be rounded away from them. */
        model->scale[j] = is_constant ? 0 : sqrt(squares / (double)n);
    }
}

static double scaled(const struct model *model, int64_t feature, double x)
{
    return model->scale[feature] == 0 ? 0 : (x - model->mean[feature]) / model->scale[feature];
}

static void fill_rows(struct problem *problem)
{
    const struct dataset *dataset = problem->dataset;
    const int64_t d = dataset->feature_count;
    problem->features = tool_allocate(problem->train_rows * d, sizeof *problem->features);
    const int64_t *rows = problem->order + problem->test_rows;
    for (int64_t i = 0; i < problem->train_rows; i++) {
        for (int64_t j = 0; j < d; j++) {
            problem->features[i * d + j] = scaled(&problem->model, j, dataset->features[rows[i] * d + j]);
        }
    }
    if (dataset->classes && has_property(problem->function, "integer_target")) {
        problem->labels = tool_allocate(problem->train_rows, sizeof *problem->labels);
        for (int64_t i = 0; i < problem->train_rows; i++) {
            problem->labels[i] = dataset->labels[rows[i]];
        }
        return;
    }
    /* Two classes as numbers: −1 and 1 where the loss takes only these, unless it was told 0 and 1. */
    const char *encoding = "zero_one";
    if (has_property(problem->function, "binary_target")) {
        encoding = "signs";
        loss_function_get_string(problem->function, "target_encoding", &encoding);
    }
    const double low = strcmp(encoding, "zero_one") == 0 ? 0 : -1;
    problem->values = tool_allocate(problem->train_rows, sizeof *problem->values);
    for (int64_t i = 0; i < problem->train_rows; i++) {
        problem->values[i] = !dataset->classes               ? dataset->values[rows[i]]
                             : dataset->labels[rows[i]] == 1 ? 1
                                                             : low;
    }
}

/* ---- the model, but for its parameters ---- */

static char *copy_text(const char *text)
{
    return strcpy(tool_allocate((int64_t)strlen(text) + 1, 1), text);
}

static void describe_model(struct problem *problem)
{
    const struct dataset *dataset = problem->dataset;
    struct model *model = &problem->model;
    model->loss = copy_text(loss_function_name(problem->function));
    model->target = copy_text(loss_table_column_name(dataset->table, dataset->target_column));
    model->loss_options = json_object();
    for (int i = 0; i < problem->options->loss_settings.count; i++) {
        const char *text = problem->options->loss_settings.texts[i], *equals = strchr(text, '=');
        json_t *value = json_string(equals + 1);
        json_object_setn_new(model->loss_options, text, (size_t)(equals - text), value);
    }
    model->feature_count = dataset->feature_count;
    model->feature_names = tool_allocate(model->feature_count, sizeof *model->feature_names);
    for (int64_t j = 0; j < model->feature_count; j++) {
        model->feature_names[j] = copy_text(dataset->feature_names[j]);
    }
    model->class_count = loss_classes_count(dataset->classes);
    model->class_names = tool_allocate(model->class_count, sizeof *model->class_names);
    for (int64_t k = 0; k < model->class_count; k++) {
        model->class_names[k] = copy_text(loss_classes_name(dataset->classes, k));
    }
    model->outputs = dataset->classes && has_property(problem->function, "integer_target")
                         ? model->class_count
                         : 1;
    model->mean = tool_allocate(model->feature_count, sizeof *model->mean);
    model->scale = tool_allocate(model->feature_count, sizeof *model->scale);
}

/* ---- the objective ---- */

static loss_status add_penalty(struct problem *problem)
{
    loss_penalty *penalty;
    if (problem->options->l2 == 0) {
        return LOSS_OK;
    }
    loss_status status = loss_penalty_create(&penalty, problem->context, "l2");
    if (!status) {
        status = loss_penalty_set_double(penalty, "strength", problem->options->l2);
    }
    if (!status) {
        status = loss_objective_add_penalty(problem->objective, penalty);
    }
    loss_penalty_free(penalty);
    return status;
}

static loss_status create_objective(struct problem *problem)
{
    const int64_t n = problem->train_rows, d = problem->dataset->feature_count;
    loss_status status = loss_data_create(&problem->data, problem->context);
    if (!status) {
        status = loss_data_set_input(problem->data, "features", problem->features, LOSS_FLOAT64, n, d, d, 1);
    }
    if (!status) {
        status = problem->labels
                     ? loss_data_set_input(problem->data, "target", problem->labels, LOSS_INT64, n, 1, 1, 1)
                     : loss_data_set_input(problem->data, "target", problem->values, LOSS_FLOAT64, n, 1, 1,
                                           1);
    }
    if (!status) {
        status = loss_objective_create_linear(&problem->objective, problem->context, problem->function,
                                              problem->data);
    }
    /* Said, because the rows trained on may miss the last class. */
    if (!status) {
        status = loss_objective_set_int(problem->objective, "outputs", problem->model.outputs);
    }
    if (!status) {
        status = add_penalty(problem);
    }
    return status ? status : loss_objective_prepare(problem->objective);
}

int problem_create(struct problem *problem, loss_context *context, const struct training_options *options,
                   const struct dataset *dataset, int64_t seed)
{
    *problem = (struct problem){.context = context, .options = options, .dataset = dataset};
    int result = problem_create_function(&problem->function, context, options, dataset);
    if (result == TOOL_DONE) {
        result = split_rows(problem, seed);
    }
    if (result) {
        return result;
    }
    describe_model(problem);
    measure_features(problem);
    fill_rows(problem);
    return create_objective(problem) ? tool_fail_context(context) : TOOL_DONE;
}

void problem_free(struct problem *problem)
{
    loss_objective_free(problem->objective);
    loss_data_free(problem->data);
    loss_function_free(problem->function);
    free(problem->order);
    free(problem->features);
    free(problem->values);
    free(problem->labels);
    model_free(&problem->model);
}

double problem_score(const struct problem *problem, const double *parameters, int held_out)
{
    const struct dataset *dataset = problem->dataset;
    const int64_t rows = held_out ? problem->test_rows : problem->train_rows, d = dataset->feature_count;
    const int64_t *order = held_out ? problem->order : problem->order + problem->test_rows;
    struct model model = problem->model;
    model.parameters = (double *)parameters;
    double *scores = tool_allocate(model.outputs, sizeof *scores), total = 0;
    for (int64_t i = 0; i < rows; i++) {
        model_scores(&model, dataset->features + order[i] * d, 1, scores);
        if (dataset->classes) {
            total += model_class(&model, scores) == dataset->labels[order[i]];
        } else {
            const double residual = scores[0] - dataset->values[order[i]];
            total += residual * residual;
        }
    }
    free(scores);
    total = rows > 0 ? total / (double)rows : NAN;
    return dataset->classes ? total : sqrt(total);
}
