/* loss evaluate: a loss on given predictions and targets, with its derivatives. */
#include "tool.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct evaluate_options {
    const char *name, *prediction, *target, *weight;
    struct settings settings;
    loss_dtype dtype;
    int32_t separator; /* 0: a comma */
    int64_t threads;
    int json;
};

enum { THREADS = 256 };

/* A matrix of the chosen type, or of labels. */
struct matrix {
    void *elements;
    loss_dtype dtype;
    int64_t rows, columns;
};

enum { OUTPUT_VALUE, OUTPUT_GRADIENT, OUTPUT_CURVATURE, OUTPUT_COUNT };

static const char *const output_roles[OUTPUT_COUNT] = {"value", "gradient", "curvature"};
static const char *const output_keys[OUTPUT_COUNT] = {"values", "gradient", "curvature"};

static const struct argp_option options[] = {
    {"prediction", 'p', "FILE", 0, "CSV of numbers without header: a row per sample, a column per output", 0},
    {"target", 't', "FILE", 0, "CSV like it; one column of class labels (0, 1, …) for losses of classes", 0},
    {"weight", 'w', "FILE", 0, "CSV with one column: the weight of each sample", 0},
    {"set", 's', "KEY=VALUE", 0, "An option of the loss; may be repeated (loss list losses --json)", 0},
    {"separator", OPTION_SEPARATOR, "CHARACTER", 0,
     "What stands between the fields of the files: ; or tab, say (default ,)", 0},
    {"threads", THREADS, "N", 0, "Threads to use (default 1); results do not depend on it", 0},
    {"dtype", 'd', "TYPE", 0, "float32 or float64 (default): the type of the arithmetic", 0},
    {"json", 'j', NULL, 0, "Print JSON with the arrays values, gradient and curvature", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct evaluate_options *evaluate = state->input;
    switch (key) {
    case 'p':
        evaluate->prediction = argument;
        return 0;
    case 't':
        evaluate->target = argument;
        return 0;
    case 'w':
        evaluate->weight = argument;
        return 0;
    case 's':
        if (settings_add(&evaluate->settings, argument)) {
            argp_error(state, "--set %s: expected KEY=VALUE", argument);
        }
        return 0;
    case 'd':
        evaluate->dtype = strcmp(argument, "float32") == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        if (evaluate->dtype == LOSS_FLOAT64 && strcmp(argument, "float64") != 0) {
            argp_error(state, "--dtype %s: expected float32 or float64", argument);
        }
        return 0;
    case OPTION_SEPARATOR:
        evaluate->separator = options_parse_separator(state, argument);
        return 0;
    case THREADS:
        evaluate->threads = options_parse_int(state, "--threads", argument, 1, 1024);
        return 0;
    case 'j':
        evaluate->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (evaluate->name) {
            argp_error(state, "one loss at a time: \"%s\" is too much", argument);
        }
        evaluate->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (!evaluate->name || !evaluate->prediction) {
            argp_error(state, "the %s is missing", !evaluate->name ? "name of a loss" : "--prediction");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "NAME --prediction FILE [--target FILE]",
    "Evaluate a loss: its sum, denominator and cost, and for every sample the value, "
    "the derivative with respect to the prediction and the curvature.",
    NULL,
    NULL,
    NULL};

static int read_table(loss_table **table, loss_context *context, const struct evaluate_options *evaluate,
                      const char *path)
{
    const loss_status status = loss_table_read_csv_progress(table, context, path, 0, evaluate->separator,
                                                            progress_reading, (void *)path);
    progress_clear();
    return status ? tool_fail_context(context) : TOOL_DONE;
}

/* All columns of a table, which is given back; with dtype LOSS_INT64, labels. */
static int fill_matrix(struct matrix *matrix, loss_context *context, loss_table *table, loss_dtype dtype)
{
    const int64_t rows = loss_table_row_count(table), columns = loss_table_column_count(table);
    *matrix = (struct matrix){.dtype = dtype, .rows = rows, .columns = columns};
    matrix->elements = tool_allocate(rows * columns, (size_t)loss_dtype_size(dtype));
    loss_status status = LOSS_OK;
    for (int64_t c = 0; c < columns && !status; c++) {
        if (dtype == LOSS_FLOAT32) {
            status = loss_table_get_column_float(table, context, c, (float *)matrix->elements + c, columns);
        } else if (dtype == LOSS_FLOAT64) {
            status = loss_table_get_column_double(table, context, c, (double *)matrix->elements + c, columns);
        } else {
            status = loss_table_get_column_int64(table, context, c, (int64_t *)matrix->elements + c, columns);
        }
    }
    loss_table_free(table);
    return status ? tool_fail_context(context) : TOOL_DONE;
}

static int read_matrix(struct matrix *matrix, loss_context *context, const struct evaluate_options *evaluate,
                       const char *path)
{
    loss_table *table;
    const int result = read_table(&table, context, evaluate, path);
    return result ? result : fill_matrix(matrix, context, table, evaluate->dtype);
}

/* Labels when the loss takes them and the file, which may be a pipe, has but one column; else numbers. */
static int read_target(struct matrix *matrix, loss_context *context, const struct evaluate_options *evaluate,
                       const loss_function *function)
{
    int32_t takes_labels = 0;
    loss_table *table;
    loss_function_property(function, "integer_target", &takes_labels);
    const int result = read_table(&table, context, evaluate, evaluate->target);
    if (result) {
        return result;
    }
    const int has_labels = takes_labels && loss_table_column_count(table) == 1;
    return fill_matrix(matrix, context, table, has_labels ? LOSS_INT64 : evaluate->dtype);
}

static json_t *element_to_json(const struct matrix *matrix, int64_t index)
{
    return matrix->dtype == LOSS_FLOAT32 ? json_from_float(((const float *)matrix->elements)[index])
                                         : json_from_double(((const double *)matrix->elements)[index]);
}

/* One number per row, or one array per row when there are several columns. */
static json_t *matrix_to_json(const struct matrix *matrix)
{
    json_t *rows = json_array();
    for (int64_t r = 0; r < matrix->rows; r++) {
        if (matrix->columns == 1) {
            json_array_append_new(rows, element_to_json(matrix, r));
            continue;
        }
        json_t *row = json_array();
        for (int64_t c = 0; c < matrix->columns; c++) {
            json_array_append_new(row, element_to_json(matrix, r * matrix->columns + c));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static loss_status set_input(loss_data *inputs, const char *role, const struct matrix *matrix)
{
    return loss_data_set_input(inputs, role, matrix->elements, matrix->dtype, matrix->rows, matrix->columns,
                               matrix->columns, 1);
}

struct evaluation {
    loss_function *function;
    loss_data *inputs, *outputs;
    struct matrix prediction, target, weight, results[OUTPUT_COUNT];
};

/* A file has as many rows as that of the predictions. */
static int check_rows(const struct matrix *matrix, const char *path, const struct matrix *prediction,
                      const char *prediction_path)
{
    if (matrix->rows == prediction->rows) {
        return TOOL_DONE;
    }
    return tool_fail("%s has %lld row%s, %s has %lld", path, (long long)matrix->rows,
                     tool_plural(matrix->rows), prediction_path, (long long)prediction->rows);
}

/*
 * The library counts rows from 0 ("the label of row 3 is 5"); a file without header has row 3 on line 4. Which file it is,
 * the first words tell.
 */
static int fail_evaluation(const loss_context *context, const struct evaluate_options *evaluate,
                           const loss_function *function)
{
    char others[160];
    const int64_t row = loss_context_error_row(context);
    const char *sentence = loss_context_error(context);
    char words[48];
    snprintf(words, sizeof words, " of row %lld", (long long)row);
    const char *found = row < 0 ? NULL : strstr(sentence, words);
    if (!found && tool_other_roles(function, others, sizeof others) > 0) {
        return tool_fail("%s; this loss reads %s too, which this command has no options for and "
                         "loss_function_evaluate() takes",
                         sentence, others);
    }
    if (!found) {
        return tool_fail_context(context);
    }
    const char *path = strncmp(sentence, "the prediction ", 15) == 0 ? evaluate->prediction
                       : strncmp(sentence, "the weight ", 11) == 0   ? evaluate->weight
                                                                     : evaluate->target;
    return tool_fail("%s: line %lld: %.*s%s", path, (long long)row + 1, (int)(found - sentence), sentence,
                     found + strlen(words));
}

/* --target goes with a loss that reads one, and with no other. */
static int check_target(const struct evaluation *e, const struct evaluate_options *evaluate)
{
    const int reads = tool_reads_target(e->function);
    if (reads != (evaluate->target != NULL)) {
        tool_fail(reads ? "the --target is missing: the loss \"%s\" reads one"
                        : "the loss \"%s\" reads no --target",
                  loss_function_name(e->function));
        return TOOL_USAGE;
    }
    return TOOL_DONE;
}

static int read_inputs(struct evaluation *e, loss_context *context, const struct evaluate_options *evaluate)
{
    int result = check_target(e, evaluate);
    if (result == TOOL_DONE) {
        result = read_matrix(&e->prediction, context, evaluate, evaluate->prediction);
    }
    if (result == TOOL_DONE && evaluate->target) {
        result = read_target(&e->target, context, evaluate, e->function);
    }
    if (result == TOOL_DONE && evaluate->weight) {
        result = read_matrix(&e->weight, context, evaluate, evaluate->weight);
    }
    if (result) {
        return result;
    }
    if ((evaluate->target &&
         check_rows(&e->target, evaluate->target, &e->prediction, evaluate->prediction)) ||
        (evaluate->weight &&
         check_rows(&e->weight, evaluate->weight, &e->prediction, evaluate->prediction))) {
        return TOOL_FAILED;
    }
    if (set_input(e->inputs, "prediction", &e->prediction) ||
        (evaluate->target && set_input(e->inputs, "target", &e->target)) ||
        (evaluate->weight && set_input(e->inputs, "weight", &e->weight))) {
        return tool_fail_context(context);
    }
    return TOOL_DONE;
}

static int make_outputs(struct evaluation *e, loss_context *context)
{
    int32_t is_pointwise = 0;
    loss_function_property(e->function, "pointwise", &is_pointwise);
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        struct matrix *matrix = &e->results[i];
        *matrix = e->prediction;
        matrix->columns = i == OUTPUT_VALUE && !is_pointwise ? 1 : e->prediction.columns;
        matrix->elements = tool_allocate(matrix->rows * matrix->columns,
                                         (size_t)loss_dtype_size(matrix->dtype));
        if (loss_data_set_output(e->outputs, output_roles[i], matrix->elements, matrix->dtype, matrix->rows,
                                 matrix->columns, matrix->columns, 1)) {
            return tool_fail_context(context);
        }
    }
    return TOOL_DONE;
}

static void print_result(const struct evaluation *e, const struct evaluate_options *evaluate, double sum,
                         double denominator)
{
    /* The cost of nothing is 0. */
    const double cost = denominator == 0 && sum == 0 ? 0 : sum / denominator;
    if (!evaluate->json) {
        const struct {
            const char *name;
            double value;
        } lines[] = {{"sum", sum}, {"denominator", denominator}, {"cost", cost}};
        printf("%-12s %s\n", "loss", loss_function_name(e->function));
        printf("%-12s %lld\n", "rows", (long long)e->prediction.rows);
        for (int i = 0; i < 3; i++) {
            char text[32];
            loss_format_double(lines[i].value, text, sizeof text, NULL);
            printf("%-12s %s\n", lines[i].name, text);
        }
        return;
    }
    json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o}", "loss", loss_function_name(e->function), "dtype",
                             loss_dtype_name(evaluate->dtype), "sum", json_from_double(sum), "denominator",
                             json_from_double(denominator), "cost", json_from_double(cost));
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        json_object_set_new(json, output_keys[i], matrix_to_json(&e->results[i]));
    }
    json_print(stdout, json);
    json_decref(json);
}

static int run(struct evaluation *e, loss_context *context, const struct evaluate_options *evaluate)
{
    if (loss_function_create(&e->function, context, evaluate->name)) {
        return tool_fail_usage(context);
    }
    if (loss_data_create(&e->inputs, context) || loss_data_create(&e->outputs, context)) {
        return tool_fail_context(context);
    }
    int result = settings_apply_function(&evaluate->settings, context, e->function);
    if (result == TOOL_DONE) {
        result = read_inputs(e, context, evaluate);
    }
    if (result == TOOL_DONE) {
        result = make_outputs(e, context);
    }
    if (result) {
        return result;
    }
    double sum, denominator;
    if (loss_function_evaluate(context, e->function, e->inputs, e->outputs, &sum, &denominator)) {
        return fail_evaluation(context, evaluate, e->function);
    }
    print_result(e, evaluate, sum, denominator);
    return TOOL_DONE;
}

int command_evaluate(int argc, char **argv)
{
    struct evaluate_options evaluate = {.dtype = LOSS_FLOAT64, .threads = 1};
    struct evaluation e = {0};
    loss_context *context;
    argp_parse(&argp, argc, argv, 0, NULL, &evaluate);
    if (loss_context_create(&context) || loss_context_set_int(context, "threads", evaluate.threads)) {
        return tool_fail("no memory");
    }
    const int result = run(&e, context, &evaluate);
    loss_function_free(e.function);
    loss_data_free(e.inputs);
    loss_data_free(e.outputs);
    free(e.prediction.elements);
    free(e.target.elements);
    free(e.weight.elements);
    for (int i = 0; i < OUTPUT_COUNT; i++) {
        free(e.results[i].elements);
    }
    settings_free(&evaluate.settings);
    loss_context_free(context);
    return result;
}
