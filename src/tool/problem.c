/*
 * What is minimised for one seed: rows split off to be tested on, features scaled by the rows that are left, both where they
 * are (sparse ones as a view by the objective), and the objective of a linear model over them: mean loss + penalties.
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
    char others[160];
    int result = create_named(&function, context, options->loss, options);
    if (result == TOOL_DONE && tool_other_roles(function, others, sizeof others) > 0) {
        tool_fail("the loss %s reads %s, which this command has no data for: it trains on predictions and a "
                  "target; "
                  "a program trains with such a loss by loss_graph_loss()",
                  loss_function_name(function), others);
        result = TOOL_USAGE;
    }
    if (result == TOOL_DONE) {
        *wants_classes = has_property(function, "classification");
    }
    if (result == TOOL_DONE && options->target_encoding) {
        if (*wants_classes) {
            tool_fail("the loss %s takes classes as they are, and no --target-encoding",
                      loss_function_name(function));
            result = TOOL_USAGE;
        }
        *wants_classes = 1;
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
                         dataset->target_name, (long long)classes);
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

/* Which row of the file comes to which place. It is drawn anew when it is needed, because it is as large as a column. */
static int64_t *draw_order(const struct problem *problem)
{
    const int64_t rows = problem->dataset->rows;
    int64_t *order = tool_allocate(rows, sizeof *order);
    if (loss_random_permutation((uint64_t)problem->seed, SPLIT_STREAM, rows, order)) {
        exit(tool_fail("the rows could not be shuffled"));
    }
    return order;
}

int64_t problem_row(const struct problem *problem, int64_t row)
{
    int64_t *order = draw_order(problem);
    const int64_t place = order[problem->first_row + row];
    free(order);
    return place;
}

/* The first rows of a permutation drawn by the seed are held out. */
static int split_rows(struct problem *problem)
{
    const int64_t rows = problem->dataset->rows;
    problem->first_row = (int64_t)floor(problem->options->test_fraction * (double)rows + 0.5);
    problem->train_rows = rows - problem->first_row;
    problem->test_rows = problem->test ? problem->test->rows : problem->first_row;
    if (problem->train_rows < 1) {
        return tool_fail("a test fraction of %g leaves none of the %lld rows to train on",
                         problem->options->test_fraction, (long long)rows);
    }
    int64_t *order = draw_order(problem);
    const int result = dataset_reorder(problem->dataset, order);
    free(order);
    return result;
}

/*
 * Mean and deviation of each feature over the rows trained on, in two passes; a constant feature is scaled to 0. Constant is
 * asked of the values, not of the sum: the mean of equal numbers may be rounded away from them. Sparse features the objective measures.
 */
static int measure_features(struct problem *problem)
{
    struct model *model = &problem->model;
    const struct dataset *dataset = problem->dataset;
    const int64_t d = dataset->feature_count, first = problem->first_row;
    const int measures = problem->options->standardize && !dataset->sparse;
    double *sums = tool_allocate(d, sizeof *sums);
    unsigned char *varies = tool_allocate(d, 1);
    for (int64_t j = 0; j < d; j++) {
        model->mean[j] = 0;
        model->scale[j] = 1;
    }
    for (int64_t i = first; i < dataset->rows && measures; i++) {
        for (int64_t j = 0; j < d; j++) {
            sums[j] += dataset_feature(dataset, i, j);
        }
    }
    for (int64_t j = 0; j < d && measures; j++) {
        model->mean[j] = sums[j] / (double)problem->train_rows;
        sums[j] = 0;
    }
    for (int64_t i = first; i < dataset->rows && measures; i++) {
        for (int64_t j = 0; j < d; j++) {
            const double x = dataset_feature(dataset, i, j);
            sums[j] += (x - model->mean[j]) * (x - model->mean[j]);
            varies[j] |= x != dataset_feature(dataset, first, j);
        }
    }
    for (int64_t j = 0; j < d && measures; j++) {
        model->scale[j] = varies[j] ? sqrt(sums[j] / (double)problem->train_rows) : 0;
    }
    int result = TOOL_DONE;
    for (int64_t j = 0; j < d && result == TOOL_DONE; j++) {
        if (!isfinite(model->scale[j]) || (varies[j] && model->scale[j] == 0)) {
            result = tool_fail(
                "%s: the deviation of the feature \"%s\" is beyond float64; give it in another unit",
                dataset->path, model->feature_names[j]);
        }
    }
    free(sums);
    free(varies);
    return result;
}

/* Two classes as numbers: as was said; else −1 and 1 where the loss takes only these, unless it was told 0 and 1. */
static double low_class(const struct problem *problem)
{
    const char *encoding = "zero_one";
    if (problem->options->target_encoding) {
        encoding = problem->options->target_encoding;
    } else if (has_property(problem->function, "binary_target")) {
        encoding = "signs";
        loss_function_get_string(problem->function, "target_encoding", &encoding);
    }
    return strcmp(encoding, "zero_one") == 0 ? 0 : -1;
}

static int takes_labels(const struct problem *problem)
{
    return problem->dataset->classes && has_property(problem->function, "integer_target");
}

/* Whether the target is lent as the data set has it. */
static int has_values(const struct dataset *dataset)
{
    return !dataset->classes && dataset->dtype == LOSS_FLOAT64;
}

/* The target as numbers of the features' type, where it is not labels. */
static void fill_values(struct problem *problem)
{
    const struct dataset *dataset = problem->dataset;
    if (takes_labels(problem) || has_values(dataset)) {
        return;
    }
    const double low = low_class(problem);
    problem->values = tool_allocate(problem->train_rows, (size_t)loss_dtype_size(dataset->dtype));
    for (int64_t i = 0; i < problem->train_rows; i++) {
        const int64_t row = problem->first_row + i;
        const double value = !dataset->classes ? dataset->values[row] : dataset->labels[row] == 1 ? 1 : low;
        if (dataset->dtype == LOSS_FLOAT32) {
            ((float *)problem->values)[i] = (float)value;
        } else {
            ((double *)problem->values)[i] = value;
        }
    }
}

/* ---- the model, but for its parameters ---- */

static void describe_model(struct problem *problem, const struct dataset *dataset)
{
    struct model *model = &problem->model;
    model->loss = tool_copy_text(loss_function_name(problem->function));
    model->target = tool_copy_text(dataset->target_name);
    model->target_encoding = problem->options->target_encoding;
    model->loss_options = json_object();
    for (int i = 0; i < problem->options->loss_settings.count; i++) {
        const char *text = problem->options->loss_settings.texts[i], *equals = strchr(text, '=');
        json_t *value = json_string(equals + 1);
        json_object_setn_new(model->loss_options, text, (size_t)(equals - text), value);
    }
    model->feature_count = dataset->feature_count;
    model->feature_names = dataset->feature_names;
    model->borrows_names = 1;
    model->class_count = loss_classes_count(dataset->classes);
    model->class_names = tool_allocate(model->class_count, sizeof *model->class_names);
    for (int64_t k = 0; k < model->class_count; k++) {
        model->class_names[k] = tool_copy_text(loss_classes_name(dataset->classes, k));
    }
    model->outputs = takes_labels(problem) ? model->class_count : 1;
    model->mean = tool_allocate(model->feature_count, sizeof *model->mean);
    model->scale = tool_allocate(model->feature_count, sizeof *model->scale);
}

/* ---- the objective ---- */

static loss_status add_penalties(struct problem *problem, double strength)
{
    const struct penalties *penalties = &problem->options->penalties;
    loss_status status = LOSS_OK;
    for (int i = 0; i < penalties->count && !status; i++) {
        loss_penalty *penalty;
        status = penalties_create(&penalty, penalties, problem->context, i, strength);
        if (!status) {
            status = loss_objective_add_penalty(problem->objective, penalty);
        }
        loss_penalty_free(penalty);
    }
    return status;
}

static loss_status create_data(struct problem *problem)
{
    const struct dataset *dataset = problem->dataset;
    const int64_t n = problem->train_rows, d = dataset->feature_count, size = loss_dtype_size(dataset->dtype);
    loss_status status = loss_data_create(&problem->data, problem->context);
    if (!status && dataset->sparse) {
        status = sparse_lend(dataset, problem->data, problem->first_row, n);
    } else if (!status) {
        const char *first = (const char *)dataset->features + problem->first_row * dataset->row_stride * size;
        status = loss_data_set_input(problem->data, "features", first, dataset->dtype, n, d,
                                     dataset->row_stride, dataset->column_stride);
    }
    if (!status) {
        const int is_label = takes_labels(problem);
        const void *target = is_label              ? (const void *)(dataset->labels + problem->first_row)
                             : has_values(dataset) ? (const void *)(dataset->values + problem->first_row)
                                                   : problem->values;
        status = loss_data_set_input(problem->data, "target", target, is_label ? LOSS_INT32 : dataset->dtype,
                                     n, 1, 1, 1);
    }
    return status;
}

/* Whether it is the objective that standardises. */
static int is_view(const struct problem *problem)
{
    return problem->dataset->sparse && problem->options->standardize;
}

static loss_status create_objective(struct problem *problem, int has_penalties, double strength)
{
    loss_status status = loss_objective_create_linear(&problem->objective, problem->context,
                                                      problem->function, problem->data);
    /* Said, because the rows trained on may miss the last class. */
    if (!status) {
        status = loss_objective_set_int(problem->objective, "outputs", problem->model.outputs);
    }
    if (!status && is_view(problem)) {
        status = loss_objective_set_int(problem->objective, "center_columns", 1);
        if (!status) {
            status = loss_objective_set_int(problem->objective, "scale_columns", 1);
        }
    }
    if (!status && has_penalties) {
        status = add_penalties(problem, strength);
    }
    return status ? status : loss_objective_prepare(problem->objective);
}

/* What the objective standardises by. */
static loss_status read_view(struct problem *problem)
{
    if (!is_view(problem)) {
        return LOSS_OK;
    }
    const loss_status status = loss_objective_column_means(problem->objective, problem->model.mean);
    return status ? status : loss_objective_column_deviations(problem->objective, problem->model.scale);
}

int problem_set_strength(struct problem *problem, double strength)
{
    loss_objective_free(problem->objective);
    problem->objective = NULL;
    return create_objective(problem, 1, strength) ? tool_fail_context(problem->context) : TOOL_DONE;
}

int problem_create(struct problem *problem, loss_context *context, const struct training_options *options,
                   struct dataset *dataset, struct dataset *test, int64_t seed, int keep)
{
    *problem = (struct problem){
        .context = context, .options = options, .dataset = dataset, .test = test, .seed = seed};
    if (keep && !dataset->sparse) {
        dataset_copy(&problem->copies[0], dataset);
        problem->dataset = &problem->copies[0];
    }
    if (keep && test && !test->sparse) {
        dataset_copy(&problem->copies[1], test);
        problem->test = &problem->copies[1];
    }
    int result = problem_create_function(&problem->function, context, options, dataset);
    if (result == TOOL_DONE) {
        result = split_rows(problem);
    }
    if (result) {
        return result;
    }
    problem->restores = keep && dataset->sparse;
    describe_model(problem, dataset);
    result = measure_features(problem);
    if (result) {
        return result;
    }
    model_scale(&problem->model, problem->dataset);
    fill_values(problem);
    if (create_data(problem) || create_objective(problem, 1, options->penalties.strongest) ||
        read_view(problem)) {
        return tool_fail_context(context);
    }
    if (problem->test) {
        model_scale(&problem->model, problem->test);
    }
    return TOOL_DONE;
}

/* Sparse rows as the file has them, for the split of the next seed. */
static void restore_rows(struct problem *problem)
{
    const int64_t rows = problem->dataset->rows;
    int64_t *order = draw_order(problem), *places = tool_allocate(rows, sizeof *places);
    for (int64_t i = 0; i < rows; i++) {
        places[order[i]] = i;
    }
    free(order);
    if (dataset_reorder(problem->dataset, places)) {
        exit(TOOL_FAILED);
    }
    free(places);
}

void problem_free(struct problem *problem)
{
    loss_objective_free(problem->objective);
    loss_data_free(problem->data);
    loss_function_free(problem->function);
    if (problem->restores) {
        restore_rows(problem);
    }
    free(problem->values);
    for (int i = 0; i < 2; i++) {
        dataset_free(&problem->copies[i]);
    }
    model_free(&problem->model);
}

/* ---- what parameters are worth ---- */

loss_status problem_evaluate(const struct problem *problem, const double *parameters, double *value,
                             double *gradient)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    if (problem->dataset->dtype == LOSS_FLOAT64) {
        return loss_objective_evaluate(problem->objective, parameters, value, gradient);
    }
    float *x = tool_allocate(2 * n, sizeof *x), *slope = x + n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)parameters[i];
    }
    const loss_status status = loss_objective_evaluate(problem->objective, x, value, gradient ? slope : NULL);
    for (int64_t i = 0; i < n && gradient; i++) {
        gradient[i] = (double)slope[i];
    }
    free(x);
    return status;
}

loss_status problem_hessian_product(const struct problem *problem, const double *parameters,
                                    const double *direction, double *product)
{
    const int64_t n = loss_objective_dimension(problem->objective);
    if (problem->dataset->dtype == LOSS_FLOAT64) {
        return loss_objective_hessian_product(problem->objective, parameters, direction, product);
    }
    float *x = tool_allocate(3 * n, sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)parameters[i];
        x[n + i] = (float)direction[i];
    }
    const loss_status status = loss_objective_hessian_product(problem->objective, x, x + n, x + 2 * n);
    for (int64_t i = 0; i < n; i++) {
        product[i] = (double)x[2 * n + i];
    }
    free(x);
    return status;
}

loss_status problem_cost(const struct problem *problem, const double *parameters, double *cost)
{
    struct problem alone = *problem;
    alone.objective = NULL;
    loss_status status = create_objective(&alone, 0, 0);
    if (!status) {
        status = problem_evaluate(&alone, parameters, cost, NULL);
    }
    loss_objective_free(alone.objective);
    return status;
}

double problem_score(const struct problem *problem, const double *parameters, int held_out)
{
    const struct dataset *dataset = held_out && problem->test ? problem->test : problem->dataset;
    const int64_t first = held_out ? 0 : problem->first_row;
    const int64_t rows = held_out ? problem->test_rows : problem->train_rows;
    struct model model = problem->model;
    model.parameters = (double *)parameters;
    double *scores = tool_allocate(model.outputs, sizeof *scores), total = 0;
    struct scorer scorer;
    scorer_begin(&scorer, &model, dataset);
    for (int64_t i = first; i < first + rows; i++) {
        scorer_row(&scorer, i, scores);
        if (dataset->classes) {
            total += model_class(&model, scores) == dataset->labels[i];
        } else {
            const double residual = model_number(problem->context, problem->function, scores[0]) -
                                    dataset->values[i];
            total += residual * residual;
        }
    }
    scorer_end(&scorer);
    free(scores);
    total = rows > 0 ? total / (double)rows : NAN;
    return dataset->classes ? total : sqrt(total);
}
