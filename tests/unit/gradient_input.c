/* What is refused, and with which sentence; options, sealing, freeing, and memory that runs out. */
#include "gradient_model.h"

#include <math.h>
#include <string.h>

#include "support/allocator.h"

enum { ROWS = 50, FEATURES = 4, CLASSES = 3 };

typedef struct fixture {
    loss_context *context;
    loss_function *function;
    model m;
    loss_data *data;
    loss_objective *objective;
} fixture;

static fixture make(const char *loss, int32_t labels)
{
    fixture f;
    f.m = model_plain(LOSS_FLOAT64, ROWS, FEATURES, CLASSES, labels);
    assert_int_equal(loss_context_create(&f.context), LOSS_OK);
    assert_status(f.context, loss_function_create(&f.function, f.context, loss), LOSS_OK);
    f.data = model_data(f.context, &f.m);
    assert_status(f.context, loss_objective_create_linear(&f.objective, f.context, f.function, f.data),
                  LOSS_OK);
    return f;
}

static void unmake(fixture *f)
{
    loss_objective_free(f->objective);
    loss_data_free(f->data);
    loss_function_free(f->function);
    loss_context_free(f->context);
    model_free(&f->m);
}

static int32_t sphere(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const double *at = x;
    (void)user;
    *value = 0;
    for (int64_t i = 0; i < n; i++) {
        *value += at[i] * at[i];
        if (gradient != NULL) {
            ((double *)gradient)[i] = 2 * at[i];
        }
    }
    return 0;
}

void gradient_arguments(void **state)
{
    fixture f = make("squared_error", 0);
    loss_objective *o = f.objective, *out = o;
    loss_penalty *penalty;
    double number = 777, x[16] = {0};
    int64_t integer = 777;
    int32_t verdict = 777;
    const loss_status wrong = LOSS_ERROR_ARGUMENT;
    (void)state;

    assert_status(f.context, loss_objective_create_linear(NULL, f.context, f.function, f.data), wrong);
    assert_status(f.context, loss_objective_create_linear(&out, f.context, NULL, f.data), wrong);
    assert_null(out);
    assert_status(f.context, loss_objective_create_linear(&out, f.context, f.function, NULL), wrong);
    assert_sentence(f.context, "the data is NULL");
    assert_int_equal(loss_objective_create_linear(&out, NULL, f.function, f.data), wrong);
    assert_status(f.context,
                  loss_objective_create_callback(&out, f.context, LOSS_FLOAT64, 0, sphere, NULL, NULL),
                  wrong);
    assert_status(f.context,
                  loss_objective_create_callback(&out, f.context, LOSS_FLOAT64, 3, NULL, NULL, NULL), wrong);
    assert_status(f.context,
                  loss_objective_create_callback(&out, f.context, LOSS_INT32, 3, sphere, NULL, NULL),
                  LOSS_ERROR_TYPE);
    assert_null(out);
    assert_status(f.context, loss_penalty_create(&penalty, f.context, NULL), wrong);
    assert_status(f.context, loss_penalty_create(&penalty, f.context, "l3"), LOSS_ERROR_NAME);
    assert_sentence(f.context, "there is no penalty called 'l3'");
    assert_null(penalty);
    assert_status(f.context, loss_objective_add_penalty(o, NULL), wrong);
    assert_status(f.context, loss_objective_evaluate(o, NULL, &number, NULL), wrong);
    assert_sentence(f.context, "x is NULL");
    assert_status(f.context, loss_objective_evaluate_batch(o, x, -1, NULL, &number, NULL), wrong);
    assert_status(f.context, loss_objective_evaluate_batch(o, x, 2, NULL, &number, NULL), wrong);
    const int64_t indices[] = {0, ROWS - 1, ROWS}, below[] = {4, -1};
    assert_status(f.context, loss_objective_evaluate_batch(o, x, 3, indices, &number, NULL), wrong);
    assert_sentence(f.context, "element 2 of the batch is 50; samples are 0 … 49");
    assert_status(f.context, loss_objective_evaluate_batch(o, x, 2, below, &number, NULL), wrong);
    assert_status(f.context, loss_objective_hessian_product(o, x, NULL, x), wrong);
    assert_status(f.context, loss_objective_hessian_product(o, x, x, NULL), wrong);
    assert_status(f.context, loss_objective_hessian_product(o, x, x, x), wrong);
    assert_sentence(f.context, "the product overlaps x");
    assert_status(f.context, loss_objective_predict(o, x, NULL, f.data), wrong);
    assert_status(f.context, loss_objective_check(o, NULL, 1, &verdict), wrong);
    assert_status(f.context, loss_objective_check(o, x, 1, NULL), wrong);
    assert_status(f.context, loss_objective_get_int(o, "dimension", NULL), wrong);
    assert_status(f.context, loss_objective_get_int(o, NULL, &integer), wrong);
    assert_status(f.context, loss_objective_set_batch_callback(o, 5, NULL), wrong);
    assert_sentence(f.context, "the linear model has batches of its own");
    assert_int_equal(loss_objective_evaluate(NULL, x, &number, NULL), wrong);
    assert_int_equal(loss_objective_prepare(NULL), wrong);
    assert_int_equal(loss_objective_dimension(NULL), 0);
    assert_int_equal(loss_objective_dtype(NULL), 0);
    assert_null(loss_objective_option(NULL, 0));
    loss_objective_free(NULL);
    loss_penalty_free(NULL);
    assert_true(number == 777 && integer == 777 && verdict == 777);
    unmake(&f);
}

/* A data set that is right but for one thing. */
static void refuse(const char *role, loss_dtype dtype, int64_t rows, int64_t columns, loss_status expected,
                   const char *words)
{
    static const double numbers[ROWS * FEATURES];
    fixture f = make("squared_error", 0);
    loss_data *data = model_data(f.context, &f.m);
    loss_objective *out = f.objective;
    assert_status(f.context, loss_data_set_input(data, role, numbers, dtype, rows, columns, columns, 1),
                  LOSS_OK);
    assert_status(f.context, loss_objective_create_linear(&out, f.context, f.function, data), expected);
    assert_sentence(f.context, words);
    assert_null(out);
    loss_data_free(data);
    unmake(&f);
}

/* Columns that no memory could hold, as strides of 0 and sparse rows allow: refused before anything is sized by them. */
static void refuse_columns(int64_t columns, int32_t sparse)
{
    static const int64_t offsets[ROWS + 1], index[1];
    static const double numbers[1];
    fixture f = make("squared_error", 0);
    loss_data *data = model_data(f.context, &f.m);
    loss_objective *objective;
    double x[16] = {0}, value = 777;
    assert_status(f.context,
                  sparse ? loss_data_set_sparse_input(data, "features", ROWS, columns, 0, offsets, LOSS_INT64,
                                                      index, LOSS_INT64, numbers, LOSS_FLOAT64)
                         : loss_data_set_input(data, "features", numbers, LOSS_FLOAT64, ROWS, columns, 0, 0),
                  LOSS_OK);
    assert_status(f.context, loss_objective_create_linear(&objective, f.context, f.function, data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(objective), 0);
    assert_status(f.context, loss_objective_prepare(objective), LOSS_ERROR_MEMORY);
    assert_sentence(f.context, "no memory for 3 outputs of 9223372036854775807 parameters each");
    assert_status(f.context, loss_objective_evaluate(objective, x, &value, NULL), LOSS_ERROR_MEMORY);
    assert_true(value == 777);
    loss_objective_free(objective);
    loss_data_free(data);
    unmake(&f);
}

/* Predictions from data that does not fit, and from the data the model was trained on. */
static void check_predictions(const fixture *f, const double *x)
{
    double prediction[ROWS * CLASSES];
    loss_data *inputs, *outputs;
    loss_data_create(&inputs, f->context);
    loss_data_create(&outputs, f->context);
    loss_data_set_input(inputs, "features", f->m.x, LOSS_FLOAT64, ROWS, FEATURES - 1, FEATURES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_ERROR_ARGUMENT);
    assert_sentence(f->context, "a prediction needs the role 'prediction' as an output");
    loss_data_set_output(outputs, "prediction", prediction, LOSS_FLOAT64, ROWS, CLASSES, CLASSES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_ERROR_SHAPE);
    assert_sentence(f->context, "'features' has 3 columns; the model has 4");
    loss_data_set_input(inputs, "features", f->m.x, LOSS_FLOAT64, ROWS, 1, FEATURES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_ERROR_SHAPE);
    assert_sentence(f->context, "'features' has 1 column; the model has 4");
    loss_data_set_input(inputs, "features", f->m.x, LOSS_FLOAT64, ROWS - 1, FEATURES, FEATURES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_ERROR_SHAPE);
    loss_data_set_input(inputs, "features", f->m.x, LOSS_FLOAT32, ROWS, FEATURES, FEATURES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_ERROR_TYPE);
    loss_data_free(inputs);
    loss_data_free(outputs);

    /* The very data it was trained on, targets and all, can be predicted; and the outputs can be asked for. */
    int64_t settled = 777;
    assert_status(f->context, loss_objective_get_int(f->objective, "outputs", &settled), LOSS_OK);
    assert_int_equal(settled, CLASSES);
    inputs = model_data(f->context, &f->m);
    loss_data_create(&outputs, f->context);
    loss_data_set_output(outputs, "prediction", prediction, LOSS_FLOAT64, ROWS, CLASSES, CLASSES, 1);
    assert_status(f->context, loss_objective_predict(f->objective, x, inputs, outputs), LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
}

void gradient_data_errors(void **state)
{
    fixture f = make("squared_error", 0);
    loss_data *data;
    loss_objective *out;
    double value = 777, x[16] = {0};
    (void)state;
    refuse("features", LOSS_INT32, ROWS, FEATURES, LOSS_ERROR_TYPE,
           "'features' is int32; float32 or float64 was expected");
    refuse("features", LOSS_FLOAT32, ROWS, FEATURES, LOSS_ERROR_TYPE, "'target' is float64");
    refuse("features", LOSS_FLOAT64, ROWS - 1, FEATURES, LOSS_ERROR_SHAPE,
           "'target' is 50 x 3; 49 x 3 was expected");
    refuse("weight", LOSS_FLOAT64, ROWS, 2, LOSS_ERROR_SHAPE, "'weight' is 50 x 2; 50 x 1 was expected");
    refuse("mask", LOSS_FLOAT64, ROWS, 1, LOSS_ERROR_TYPE, "'mask' is float64");
    refuse("wieght", LOSS_FLOAT64, ROWS, 1, LOSS_ERROR_NAME, "did you mean 'weight'?");
    refuse("prediction", LOSS_FLOAT64, ROWS, 1, LOSS_ERROR_NAME,
           "there is no input of a linear model in the role 'prediction'");
    refuse_columns(INT64_MAX, 0);
    refuse_columns(INT64_MAX, 1);

    assert_status(f.context, loss_data_create(&data, f.context), LOSS_OK);
    loss_data_set_input(data, "features", f.m.x, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1);
    assert_status(f.context, loss_objective_create_linear(&out, f.context, f.function, data),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(f.context, "a linear model needs the role 'target'");
    loss_data_free(data);
    data = model_data(f.context, &f.m);
    loss_data_set_double(data, "scale", 2);
    assert_status(f.context, loss_objective_create_linear(&out, f.context, f.function, data),
                  LOSS_ERROR_ARGUMENT);
    loss_data_free(data);

    /* Labels read as numbers, as a reader of files gives them: not taken for a distribution over one class. */
    loss_function *classes;
    loss_objective *labels;
    assert_status(f.context, loss_function_create(&classes, f.context, "cross_entropy"), LOSS_OK);
    assert_status(f.context, loss_data_create(&data, f.context), LOSS_OK);
    loss_data_set_input(data, "features", f.m.x, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1);
    loss_data_set_input(data, "target", f.m.x, LOSS_FLOAT64, ROWS, 1, FEATURES, 1);
    assert_status(f.context, loss_objective_create_linear(&labels, f.context, classes, data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(labels), 0);
    assert_status(f.context, loss_objective_prepare(labels), LOSS_ERROR_TYPE);
    assert_sentence(f.context, "class labels are int32 or int64");
    loss_objective_free(labels);
    loss_function_free(classes);
    loss_data_free(data);

    /* More outputs than the target has columns: known only when the options are settled. */
    assert_status(f.context, loss_objective_set_int(f.objective, "outputs", 5), LOSS_OK);
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, NULL), LOSS_ERROR_SHAPE);
    assert_sentence(f.context, "'target' is 50 x 3; 50 x 5 was expected");
    assert_true(value == 777);
    assert_status(f.context, loss_objective_set_int(f.objective, "outputs", 0), LOSS_OK);
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, NULL), LOSS_OK);

    check_predictions(&f, x);
    unmake(&f);
}

/* How many classes there are, and what happens to a label that is none. */
void gradient_labels(void **state)
{
    fixture f = make("cross_entropy", 1);
    loss_objective *other;
    loss_function *weighted;
    const double class_weight[] = {1, 2, 0.5, 3, 1.5};
    double value = 777, x[40] = {0}, gradient[40];
    (void)state;
    assert_int_equal(loss_objective_dimension(f.objective), CLASSES * (FEATURES + 1));
    assert_status(f.context, loss_objective_set_int(f.objective, "outputs", 4), LOSS_OK);
    assert_int_equal(loss_objective_dimension(f.objective), 4 * (FEATURES + 1));
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, gradient), LOSS_OK);
    assert_close(value, log(4), 1e-15, 0); /* every class is as probable as the others */

    assert_status(f.context, loss_function_create(&weighted, f.context, "cross_entropy"), LOSS_OK);
    assert_status(f.context, loss_function_set_array(weighted, "class_weight", class_weight, LOSS_FLOAT64, 5),
                  LOSS_OK);
    assert_status(f.context, loss_objective_create_linear(&other, f.context, weighted, f.data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(other), 5 * (FEATURES + 1));
    loss_objective_free(other);
    loss_function_free(weighted);

    value = 777;
    gradient[0] = 777;
    f.m.rows.label[17] = 4;
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, gradient), LOSS_ERROR_LABEL);
    assert_int_equal(loss_context_error_row(f.context), 17);
    assert_sentence(f.context, "the label of row 17 is 4");
    assert_true(value == 777 && gradient[0] == 777);
    f.m.rows.label[17] = INT64_MAX;
    assert_status(f.context, loss_objective_create_linear(&other, f.context, f.function, f.data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(other), 0);
    assert_status(f.context, loss_objective_prepare(other), LOSS_ERROR_LABEL);
    assert_sentence(f.context, "that is too large for a class");
    for (int64_t i = 0; i < ROWS; i++) {
        f.m.rows.label[i] = -1;
    }
    assert_int_equal(loss_objective_dimension(other), 0);
    assert_status(f.context, loss_objective_prepare(other), LOSS_ERROR_SHAPE);
    assert_sentence(f.context, "set the option 'outputs'");
    loss_objective_free(other);
    unmake(&f);
}

void gradient_options(void **state)
{
    fixture f = make("squared_error", 0);
    loss_objective *o = f.objective;
    loss_penalty *penalty;
    int64_t integer;
    double number;
    (void)state;
    assert_int_equal(loss_objective_option_count(o), 5);
    assert_string_equal(loss_option_name(loss_objective_option(o, 0)), "intercept");
    assert_true(loss_option_default(loss_objective_option(o, 0)) == 1);
    assert_string_equal(loss_option_name(loss_objective_option(o, 1)), "outputs");
    assert_string_equal(loss_option_name(loss_objective_option(o, 2)), "center_columns");
    assert_string_equal(loss_option_name(loss_objective_option(o, 3)), "scale_columns");
    assert_string_equal(loss_option_name(loss_objective_option(o, 4)), "preconditioner");
    assert_string_equal(loss_option_choices(loss_objective_option(o, 4)), "diagonal|block");
    assert_null(loss_objective_option(o, 5));
    assert_status(f.context, loss_objective_set_int(o, "intercept", 2), LOSS_ERROR_RANGE);
    assert_status(f.context, loss_objective_set_int(o, "interecpt", 1), LOSS_ERROR_NAME);
    assert_sentence(f.context, "did you mean 'intercept'?");
    assert_status(f.context, loss_objective_set_int(o, "dimension", 1), LOSS_ERROR_STATE);
    assert_status(f.context, loss_objective_set_int(o, "intercept", 0), LOSS_OK);
    const struct {
        const char *name;
        int64_t expected;
    } readable[] = {{"intercept", 0},  {"outputs", 0},         {"dimension", CLASSES * FEATURES},
                    {"samples", ROWS}, {"callback_status", 0}, {"check_index", -1}};
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        assert_status(f.context, loss_objective_get_int(o, readable[i].name, &integer), LOSS_OK);
        assert_int_equal(integer, readable[i].expected);
    }
    assert_status(f.context, loss_objective_get_int(o, "dimensoin", &integer), LOSS_ERROR_NAME);
    assert_sentence(f.context, "did you mean 'dimension'?");
    assert_status(f.context, loss_objective_get_int(o, "check_error", &integer), LOSS_ERROR_TYPE);
    assert_status(f.context, loss_objective_get_double(o, "check_error", &number), LOSS_OK);
    assert_status(f.context, loss_objective_get_double(o, "samples", &number), LOSS_ERROR_TYPE);
    assert_int_equal(loss_objective_dtype(o), LOSS_FLOAT64);

    assert_status(f.context, loss_penalty_create(&penalty, f.context, "l2"), LOSS_OK);
    assert_int_equal(loss_penalty_option_count(penalty), 3);
    assert_string_equal(loss_option_name(loss_penalty_option(penalty, 0)), "first");
    assert_string_equal(loss_option_name(loss_penalty_option(penalty, 2)), "strength");
    assert_null(loss_penalty_option(penalty, 3));
    assert_status(f.context, loss_penalty_set_int(penalty, "count", 2), LOSS_OK);
    assert_status(f.context, loss_penalty_get_int(penalty, "count", &integer), LOSS_OK);
    assert_int_equal(integer, 2);
    assert_status(f.context, loss_penalty_get_int(penalty, "count", NULL), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_penalty_get_int(penalty, "strength", &integer), LOSS_ERROR_TYPE);
    assert_int_equal(loss_penalty_get_int(NULL, "count", &integer), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_penalty_set_double(penalty, "strength", -1), LOSS_ERROR_RANGE);
    assert_status(f.context, loss_penalty_set_double(penalty, "strength", (double)NAN), LOSS_ERROR_RANGE);
    assert_status(f.context, loss_penalty_get_double(penalty, "strength", &number), LOSS_OK);
    assert_true(number == 1);
    loss_penalty_free(penalty);
    unmake(&f);
}

/* From the first evaluation on, nothing can be changed under it. */
void gradient_sealing(void **state)
{
    fixture f = make("squared_error", 0);
    loss_penalty *penalty;
    double value, x[16] = {0};
    (void)state;
    assert_status(f.context, loss_penalty_create(&penalty, f.context, "l2"), LOSS_OK);
    assert_status(f.context, loss_objective_add_penalty(f.objective, penalty), LOSS_OK);
    assert_status(f.context, loss_penalty_set_double(penalty, "strength", 3), LOSS_OK);
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, NULL), LOSS_OK);
    assert_status(f.context, loss_penalty_set_double(penalty, "strength", 4), LOSS_ERROR_STATE);
    assert_status(f.context, loss_objective_add_penalty(f.objective, penalty), LOSS_ERROR_STATE);
    assert_status(f.context, loss_objective_set_int(f.objective, "intercept", 0), LOSS_ERROR_STATE);
    assert_status(f.context, loss_data_set_double(f.data, "scale", 2), LOSS_ERROR_STATE);
    assert_status(f.context, loss_function_set_int(f.function, "half", 1), LOSS_ERROR_STATE);
    loss_penalty_free(penalty);
    unmake(&f);
}

/* A NaN feature: everything is written, and the first row is named, whatever the threads. */
void gradient_nonfinite(void **state)
{
    enum { MANY = 5000 };
    loss_context *context;
    loss_function *function;
    double value, gradient[40], product[40];
    model m = model_plain(LOSS_FLOAT64, MANY, FEATURES, 1, 0);
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", 2), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "huber"), LOSS_OK);
    loss_objective *objective = model_objective(context, function, &m);
    ((double *)m.x)[4321 * FEATURES + 2] = (double)NAN;
    ((double *)m.x)[4444 * FEATURES] = (double)NAN;
    assert_status(context, loss_objective_evaluate(objective, m.parameters, &value, gradient),
                  LOSS_ERROR_NONFINITE);
    assert_int_equal(loss_context_error_row(context), 4321);
    assert_sentence(context, "the objective is NaN: the loss of row 4321 is not finite");
    assert_true(isnan(value));
    assert_true(isnan(gradient[2]) && isnan(gradient[0]) && isnan(gradient[FEATURES]));
    assert_status(context, loss_objective_hessian_product(objective, m.parameters, m.direction, product),
                  LOSS_ERROR_NONFINITE);
    assert_int_equal(loss_context_error_row(context), 4321);
    const int64_t good[] = {0, 17, 4320}, bad[] = {5, 4444, 4321};
    assert_status(context, loss_objective_evaluate_batch(objective, m.parameters, 3, good, &value, gradient),
                  LOSS_OK);
    assert_status(context, loss_objective_evaluate_batch(objective, m.parameters, 3, bad, &value, gradient),
                  LOSS_ERROR_NONFINITE);
    assert_int_equal(loss_context_error_row(context), 4444);
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}

/* Handles hold what they need: any order of freeing will do. */
void gradient_freeing(void **state)
{
    fixture f = make("cross_entropy", 1);
    loss_penalty *penalty;
    double value;
    (void)state;
    assert_status(f.context, loss_penalty_create(&penalty, f.context, "l2"), LOSS_OK);
    assert_status(f.context, loss_objective_add_penalty(f.objective, penalty), LOSS_OK);
    loss_context_free(f.context);
    loss_penalty_free(penalty);
    loss_data_free(f.data);
    loss_function_free(f.function);
    assert_int_equal(loss_objective_evaluate(f.objective, f.m.parameters, &value, NULL), LOSS_OK);
    assert_true(value > 0);
    loss_objective_free(f.objective);
    model_free(&f.m);
}

/* ---- memory ---- */

typedef struct handles {
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_penalty *penalty;
    loss_objective *linear, *callback;
} handles;

static loss_status build(test_allocator *allocator, const model *m, handles *h)
{
    loss_status status = loss_context_create_with_allocator(&h->context, test_allocate, test_release,
                                                            allocator);
    status = status == LOSS_OK ? loss_context_set_int(h->context, "threads", 2) : status;
    status = status == LOSS_OK ? loss_function_create(&h->function, h->context, "squared_error") : status;
    status = status == LOSS_OK ? loss_data_create(&h->data, h->context) : status;
    status = status == LOSS_OK ? loss_data_set_input(h->data, "features", m->x, LOSS_FLOAT64, m->rows.rows,
                                                     FEATURES, FEATURES, 1)
                               : status;
    status = status == LOSS_OK
                 ? loss_data_set_input(h->data, "target", m->rows.target, LOSS_FLOAT64, m->rows.rows, 1, 1, 1)
                 : status;
    status = status == LOSS_OK ? loss_penalty_create(&h->penalty, h->context, "l2") : status;
    status = status == LOSS_OK ? loss_objective_create_linear(&h->linear, h->context, h->function, h->data)
                               : status;
    status = status == LOSS_OK ? loss_objective_add_penalty(h->linear, h->penalty) : status;
    return status == LOSS_OK
               ? loss_objective_create_callback(&h->callback, h->context, LOSS_FLOAT64, 3, sphere, NULL, NULL)
               : status;
}

static loss_status use(test_allocator *allocator, const model *m, const handles *h)
{
    double value, gradient[8], product[8], matrix[64];
    const double x[] = {0.5, -2, 1.25};
    int32_t verdict;
    loss_status status = loss_objective_prepare(h->linear);
    const int64_t before = allocator->calls;
    if (status == LOSS_OK) { /* evaluations allocate nothing */
        status = loss_objective_evaluate(h->linear, m->parameters, &value, gradient);
        assert_int_equal(status, LOSS_OK);
        assert_int_equal(allocator->calls, before);
        for (int again = 0; again < 2; again++) { /* but for the first product, which can do without */
            const int64_t failed = allocator->failed, calls = allocator->calls;
            assert_int_equal(loss_objective_hessian_product(h->linear, m->parameters, m->direction, product),
                             LOSS_OK);
            assert_true(again == 0 || allocator->calls == calls || failed > 0);
        }
    }
    if (status == LOSS_OK) { /* and the first Hessian */
        status = loss_objective_hessian(h->linear, m->parameters, matrix);
    }
    if (status == LOSS_OK) { /* and the first preconditioner */
        status = loss_objective_precondition(h->linear, m->parameters, m->direction, product);
    }
    status = status == LOSS_OK ? loss_objective_hessian_product(h->callback, x, x, product) : status;
    return status == LOSS_OK ? loss_objective_check(h->callback, x, 1, &verdict) : status;
}

/* The k-th allocation fails, for every k until there are none left to fail. */
void gradient_memory(void **state)
{
    model m = model_plain(LOSS_FLOAT64, 9000, FEATURES, 1, 0);
    loss_status status = LOSS_ERROR_MEMORY;
    (void)state;
    for (int64_t k = 1; status != LOSS_OK; k++) {
        test_allocator allocator = {.fail_at = k, .for_ever = k % 2 == 0};
        handles h;
        memset(&h, 0, sizeof h);
        assert_true(k < 200);
        status = build(&allocator, &m, &h);
        status = status == LOSS_OK ? use(&allocator, &m, &h) : status;
        /* A pool of threads that cannot be made is no failure: the caller's thread does the work. */
        assert_true(status == LOSS_OK || status == LOSS_ERROR_MEMORY);
        if (allocator.failed > 0 && status == LOSS_OK) {
            status = LOSS_ERROR_MEMORY;
        }
        loss_objective_free(h.linear);
        loss_objective_free(h.callback);
        loss_penalty_free(h.penalty);
        loss_data_free(h.data);
        loss_function_free(h.function);
        loss_context_free(h.context);
        assert_int_equal(allocator.live, 0);
    }
    model_free(&m);
}
