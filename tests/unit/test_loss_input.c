/*
 * Bad input to the loss module: each gets a status and a sentence that says what, where and what was expected, and leaves
 * everything as it was.
 */
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

enum { N = 4, K = 3 };

static loss_data *data(void)
{
    loss_data *made;
    assert_status(context, loss_data_create(&made, context), LOSS_OK);
    return made;
}

/* ---- a table of wrong arrays ---- */

static double numbers[N * K] = {0.5, 0.25, 0.125, 0.75, 0.375, 0.5, 0.625, 0.25, 0.5, 0.25, 0.75, 0.5};
static double written[N * K];

/* A good call of huber on N × K, then one array of it replaced or taken away. */
typedef struct wrong_array {
    const char *role;
    int32_t output; /* set as an output */
    loss_dtype dtype;
    int64_t rows, columns; /* 0 × 0 takes it away */
    loss_status expected;
    const char *words; /* in the sentence */
} wrong_array;

static const wrong_array wrong_arrays[] = {
    {"prediction", 0, LOSS_FLOAT64, 0, 0, LOSS_ERROR_ARGUMENT, "prediction"},
    {"target", 0, LOSS_FLOAT64, 0, 0, LOSS_ERROR_ARGUMENT, "target"},
    {"prediction", 0, LOSS_INT32, N, K, LOSS_ERROR_TYPE, "int32"},
    {"prediction", 0, LOSS_FLOAT32, N, K, LOSS_ERROR_TYPE, "float32"},
    {"target", 0, LOSS_FLOAT32, N, K, LOSS_ERROR_TYPE, "target"},
    {"target", 0, LOSS_UINT8, N, K, LOSS_ERROR_TYPE, "target"},
    {"weight", 0, LOSS_FLOAT32, N, 1, LOSS_ERROR_TYPE, "weight"},
    {"weight", 0, LOSS_INT64, N, 1, LOSS_ERROR_TYPE, "weight"},
    {"mask", 0, LOSS_FLOAT64, N, 1, LOSS_ERROR_TYPE, "mask"},
    {"direction", 0, LOSS_FLOAT32, N, K, LOSS_ERROR_TYPE, "direction"},
    {"target", 0, LOSS_FLOAT64, N - 1, K, LOSS_ERROR_SHAPE, "target"},
    {"target", 0, LOSS_FLOAT64, N, 1, LOSS_ERROR_SHAPE, "target"},
    {"weight", 0, LOSS_FLOAT64, N - 1, 1, LOSS_ERROR_SHAPE, "weight"},
    {"weight", 0, LOSS_FLOAT64, N, K, LOSS_ERROR_SHAPE, "weight"},
    {"mask", 0, LOSS_INT64, N - 1, 1, LOSS_ERROR_SHAPE, "mask"},
    {"direction", 0, LOSS_FLOAT64, N, K - 1, LOSS_ERROR_SHAPE, "direction"},
    {"features", 0, LOSS_FLOAT64, N, K, LOSS_ERROR_NAME, "features"},
    {"wieght", 0, LOSS_FLOAT64, N, 1, LOSS_ERROR_NAME, "weight"},
    {"value", 1, LOSS_FLOAT64, N, 1, LOSS_ERROR_SHAPE, "value"},
    {"value", 1, LOSS_FLOAT32, N, K, LOSS_ERROR_TYPE, "value"},
    {"gradient", 1, LOSS_FLOAT64, N - 1, K, LOSS_ERROR_SHAPE, "gradient"},
    {"gradient", 1, LOSS_INT64, N, K, LOSS_ERROR_TYPE, "gradient"},
    {"curvature", 1, LOSS_FLOAT64, N, K - 1, LOSS_ERROR_SHAPE, "curvature"},
    {"product", 1, LOSS_FLOAT64, N, K, LOSS_ERROR_ARGUMENT, "direction"},
    {"gradeint", 1, LOSS_FLOAT64, N, K, LOSS_ERROR_NAME, "gradient"},
    {"hessian", 1, LOSS_FLOAT64, N, K, LOSS_ERROR_NAME, "hessian"},
};

static void try_wrong_array(const wrong_array *wrong)
{
    loss_function *function = make_function("huber", "");
    loss_data *inputs = data(), *outputs = data();
    double sum = 777, denominator = 888;
    void *pointer = wrong->rows == 0 ? NULL : wrong->output ? written : numbers;
    memset(written, 0, sizeof written);
    loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, N, K, K, 1);
    loss_data_set_input(inputs, "target", numbers, LOSS_FLOAT64, N, K, K, 1);
    if (wrong->output) {
        loss_data_set_output(outputs, wrong->role, pointer, wrong->dtype, wrong->rows, wrong->columns,
                             wrong->columns, 1);
    } else {
        loss_data_set_input(inputs, wrong->role, pointer, wrong->dtype, wrong->rows, wrong->columns,
                            wrong->columns, 1);
    }
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator),
                  wrong->expected);
    assert_sentence(context, wrong->words);
    assert_int_equal(loss_context_error_status(context), wrong->expected);
    assert_close(sum, 777, 0, 0);
    assert_close(denominator, 888, 0, 0);
    for (int i = 0; i < N * K; i++) {
        assert_close(written[i], 0, 0, 0);
    }
    /* An argument error changes nothing: neither the function nor the data is sealed. */
    assert_status(context, loss_function_set_double(function, "delta", 2.385), LOSS_OK);
    assert_status(context, loss_data_set_double(inputs, "scale", 2), LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
}

static void test_wrong_arrays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_arrays / sizeof *wrong_arrays; i++) {
        print_message("           %s %s %lld x %lld\n", wrong_arrays[i].role,
                      loss_dtype_name(wrong_arrays[i].dtype), (long long)wrong_arrays[i].rows,
                      (long long)wrong_arrays[i].columns);
        try_wrong_array(&wrong_arrays[i]);
    }
}

/* ---- class labels ---- */

static loss_status evaluate_labels(loss_function *function, const void *labels, loss_dtype dtype,
                                   int64_t columns)
{
    loss_data *inputs = data();
    double sum = 777;
    loss_status status;
    loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, N, K, K, 1);
    loss_data_set_input(inputs, "target", labels, dtype, N, columns, columns, 1);
    status = loss_function_evaluate(context, function, inputs, NULL, &sum, NULL);
    assert_true((status == LOSS_OK) == (sum != 777));
    loss_data_free(inputs);
    return status;
}

static void test_labels(void **state)
{
    static const int64_t high[] = {0, 1, 3, 2}, low[] = {0, -1, 1, 2}, far_out[] = {0, 1, 2, INT64_MAX};
    static const int32_t narrow[] = {0, 1, 2, 77}, good[] = {0, 1, 2, 2};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    assert_status(context, evaluate_labels(function, high, LOSS_INT64, 1), LOSS_ERROR_LABEL);
    assert_sentence(context, "row 2");
    assert_sentence(context, "3");
    assert_true(loss_context_error_row(context) == 2);
    assert_status(context, evaluate_labels(function, low, LOSS_INT64, 1), LOSS_ERROR_LABEL);
    assert_sentence(context, "row 1");
    assert_sentence(context, "-1");
    assert_status(context, evaluate_labels(function, far_out, LOSS_INT64, 1), LOSS_ERROR_LABEL);
    assert_sentence(context, "9223372036854775807");
    assert_status(context, evaluate_labels(function, narrow, LOSS_INT32, 1), LOSS_ERROR_LABEL);
    assert_sentence(context, "77");
    assert_sentence(context, "row 3");
    assert_status(context, evaluate_labels(function, narrow, LOSS_INT32, K), LOSS_ERROR_SHAPE);
    assert_status(context, evaluate_labels(function, good, LOSS_INT32, 1), LOSS_OK);
    loss_function_free(function);
}

static void test_distributions(void **state)
{
    double target[N * K] = {0.5, 0.25, 0.25, 1, 0, 0, 0, 1, 0, 0.25, 0.25, 0.5};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    assert_status(context, evaluate_labels(function, target, LOSS_FLOAT64, K), LOSS_OK);
    target[7] = -0.5;
    assert_status(context, evaluate_labels(function, target, LOSS_FLOAT64, K), LOSS_ERROR_DOMAIN);
    assert_sentence(context, "-0.5");
    assert_true(loss_context_error_row(context) == 2);
    assert_status(context, evaluate_labels(function, target, LOSS_FLOAT64, 1), LOSS_ERROR_SHAPE);
    loss_function_free(function);
}

static void test_class_weights(void **state)
{
    static const double weights[] = {1, 2, 3, 4}, negative[] = {1, -2, 3};
    static const int64_t labels[] = {0, 1, 2, 2};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    assert_status(context, loss_function_set_array(function, "class_weight", negative, LOSS_FLOAT64, 3),
                  LOSS_ERROR_RANGE);
    assert_status(context, loss_function_set_array(function, "class_weight", weights, LOSS_FLOAT64, 4),
                  LOSS_OK);
    assert_status(context, evaluate_labels(function, labels, LOSS_INT64, 1), LOSS_ERROR_SHAPE);
    assert_sentence(context, "class_weight");
    assert_sentence(context, "4");
    loss_function_free(function);
}

/* ---- names and options ---- */

static void test_names(void **state)
{
    static const char *const misspelt[][2] = {{"hubber", "huber"},
                                              {"squared_eror", "squared_error"},
                                              {"logistics", "logistic"},
                                              {"cross-entropy", "cross_entropy"}};
    loss_function *function = (loss_function *)&function;
    (void)state;
    for (size_t i = 0; i < sizeof misspelt / sizeof *misspelt; i++) {
        function = (loss_function *)&function;
        assert_status(context, loss_function_create(&function, context, misspelt[i][0]), LOSS_ERROR_NAME);
        assert_null(function);
        assert_sentence(context, misspelt[i][0]);
        assert_sentence(context, misspelt[i][1]);
    }
    assert_status(context, loss_function_create(&function, context, ""), LOSS_ERROR_NAME);
    assert_status(context, loss_function_create(&function, context, "HUBER"), LOSS_ERROR_NAME);
    assert_null(loss_function_catalogue_name(-1));
    assert_null(loss_function_catalogue_name(loss_function_catalogue_count()));
    for (int32_t i = 1; i < loss_function_catalogue_count(); i++) {
        assert_true(strcmp(loss_function_catalogue_name(i - 1), loss_function_catalogue_name(i)) < 0);
    }
}

static void test_options(void **state)
{
    loss_function *function = make_function("huber", "");
    double delta = 0;
    const char *text = "kept";
    (void)state;
    assert_status(context, loss_function_set_double(function, "delta", 2.385), LOSS_OK);
    assert_status(context, loss_function_set_double(function, "delta", -1), LOSS_ERROR_RANGE);
    assert_sentence(context, "delta");
    assert_sentence(context, "-1");
    assert_status(context, loss_function_set_double(function, "delta", 0), LOSS_ERROR_RANGE);
    assert_status(context, loss_function_set_double(function, "delta", (double)NAN), LOSS_ERROR_RANGE);
    assert_status(context, loss_function_get_double(function, "delta", &delta), LOSS_OK);
    assert_close(delta, 2.385, 0, 0);
    assert_status(context, loss_function_set_double(function, "dleta", 1), LOSS_ERROR_NAME);
    assert_sentence(context, "delta");
    assert_status(context, loss_function_get_string(function, "delta", &text), LOSS_ERROR_TYPE);
    assert_string_equal(text, "kept");
    assert_status(context, loss_function_set_string(function, "curvature", "exakt"), LOSS_ERROR_RANGE);
    assert_sentence(context, "exact");
    loss_function_free(function);
    function = make_function("cross_entropy", "");
    assert_status(context, loss_function_set_double(function, "label_smoothing", 1.01), LOSS_ERROR_RANGE);
    assert_status(context, loss_function_set_string(function, "input", "scores"), LOSS_ERROR_RANGE);
    loss_function_free(function);
    function = make_function("smooth_l1", "");
    assert_status(context, loss_function_set_double(function, "beta", -0.5), LOSS_ERROR_RANGE);
    loss_function_free(function);
}

/* ---- NULL ---- */

static void test_null_create(void **state)
{
    loss_function *function = make_function("huber", ""), *copy = (loss_function *)&copy;
    (void)state;
    assert_int_equal(loss_function_create(NULL, context, "huber"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_create(&copy, NULL, "huber"), LOSS_ERROR_ARGUMENT);
    assert_null(copy);
    assert_status(context, loss_function_create(&copy, context, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_clone(NULL, context, function), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_clone(&copy, context, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_clone(&copy, NULL, function), LOSS_ERROR_ARGUMENT);
    assert_null(copy);
    loss_function_free(NULL);
    loss_function_free(function);
}

static void test_null_options(void **state)
{
    loss_function *function = make_function("huber", "");
    double number;
    int64_t integer;
    const char *text;
    int32_t property;
    (void)state;
    assert_int_equal(loss_function_set_double(NULL, "delta", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_set_int(NULL, "delta", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_set_string(NULL, "curvature", "exact"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_set_array(NULL, "class_weight", &number, LOSS_FLOAT64, 1),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_get_double(NULL, "delta", &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_get_int(NULL, "delta", &integer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_get_string(NULL, "delta", &text), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_property(NULL, "convex", &property), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_set_double(function, NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_set_string(function, "curvature", NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_get_double(function, "delta", NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_get_double(function, NULL, &number), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_property(function, NULL, &property), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_property(function, "convex", NULL), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_function_name(NULL), "");
    assert_string_equal(loss_function_aliases(NULL), "");
    assert_string_equal(loss_function_formula(NULL), "");
    assert_string_equal(loss_function_summary(NULL), "");
    assert_string_equal(loss_function_reference(NULL), "");
    assert_null(loss_function_role(NULL, 0));
    assert_null(loss_function_role_doc(NULL, 0));
    assert_null(loss_function_role_outputs(NULL, 0));
    assert_null(loss_function_option(NULL, 0));
    assert_int_equal(loss_function_role_count(NULL), 0);
    assert_int_equal(loss_function_option_count(NULL), 0);
    loss_function_free(function);
}

static void test_null_evaluate(void **state)
{
    loss_function *function = make_function("huber", ""), *classes = make_function("cross_entropy", "");
    loss_data *inputs = data();
    static const int64_t labels[N] = {0, 1, 2, 0};
    double cost = 777;
    (void)state;
    assert_int_equal(loss_function_evaluate(NULL, function, inputs, NULL, &cost, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_evaluate(context, NULL, inputs, NULL, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_evaluate(context, function, NULL, NULL, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_cost_float64(NULL, function, N, numbers, numbers, &cost, NULL),
                     LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float64(context, NULL, N, numbers, numbers, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float64(context, function, N, NULL, numbers, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float64(context, function, N, numbers, NULL, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float64(context, function, -1, numbers, numbers, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float32(context, function, N, NULL, NULL, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context,
                  loss_function_cost_labels_float64(context, classes, N, K, NULL, labels, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context,
                  loss_function_cost_labels_float64(context, classes, N, K, numbers, NULL, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context,
                  loss_function_cost_labels_float64(context, classes, N, -1, numbers, labels, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context,
                  loss_function_cost_labels_float32(context, classes, -N, K, NULL, labels, &cost, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_cost_float64(context, classes, N, numbers, numbers, &cost, NULL),
                  LOSS_ERROR_SHAPE);
    assert_close(cost, 777, 0, 0);
    assert_status(context, loss_function_cost_float64(context, function, 0, NULL, NULL, &cost, NULL),
                  LOSS_OK);
    assert_close(cost, 0, 0, 0);
    loss_data_free(inputs);
    loss_function_free(function);
    loss_function_free(classes);
}

/* ---- the data set of arrays ---- */

static void test_data(void **state)
{
    loss_data *made = data();
    char long_role[64];
    (void)state;
    memset(long_role, 'r', sizeof long_role - 1);
    long_role[sizeof long_role - 1] = '\0';
    assert_int_equal(loss_data_set_input(NULL, "target", numbers, LOSS_FLOAT64, N, 1, 1, 1),
                     LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, NULL, numbers, LOSS_FLOAT64, N, 1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, "", numbers, LOSS_FLOAT64, N, 1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, long_role, numbers, LOSS_FLOAT64, N, 1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, "target", NULL, LOSS_FLOAT64, N, 1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, "target", numbers, 5, N, 1, 1, 1), LOSS_ERROR_TYPE);
    assert_status(context, loss_data_set_input(made, "target", numbers, LOSS_FLOAT64, -1, 1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_input(made, "target", numbers, LOSS_FLOAT64, N, -1, 1, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_output(made, "value", written, LOSS_FLOAT64, N, 1, 0, 1),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "stride 0");
    assert_status(context, loss_data_set_output(made, "value", written, LOSS_FLOAT64, N, K, 1, 0),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_double(made, "scael", 1), LOSS_ERROR_NAME);
    assert_sentence(context, "scale");
    assert_status(context, loss_data_set_double(made, "scale", (double)NAN), LOSS_ERROR_RANGE);
    assert_status(context, loss_data_set_double(made, "scale", (double)INFINITY), LOSS_ERROR_RANGE);
    assert_int_equal(loss_data_set_double(NULL, "scale", 1), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_data_set_double(made, NULL, 1), LOSS_ERROR_ARGUMENT);
    loss_data_free(NULL);
    loss_data_free(made);
}

/* The scalar "scale" is a factor, the array "scale" the scale of laplace_nll: both can be set, and taking one for the other is said. */
static void test_scale_of_data_and_loss(void **state)
{
    static const char scalar[] = "scalar", factor[] = "loss_data_set_double";
    static const double spread[2] = {0.5, 4};
    double once[2], twice[2];
    loss_function *function = make_function("laplace_nll", ""), *huber = make_function("huber", "");
    (void)state;
    for (int k = 0; k < 2; k++) {
        loss_data *inputs = data(), *outputs = data();
        loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, 2, 1, 1, 1);
        loss_data_set_input(inputs, "target", numbers + 3, LOSS_FLOAT64, 2, 1, 1, 1);
        loss_data_set_output(outputs, "scale.gradient", k == 0 ? once : twice, LOSS_FLOAT64, 2, 1, 1, 1);
        assert_status(context, loss_data_set_double(inputs, "scale", k == 0 ? 1 : 2.5), LOSS_OK);
        assert_status(context, loss_function_evaluate(context, function, inputs, NULL, NULL, NULL),
                      LOSS_ERROR_ARGUMENT);
        assert_sentence(context, scalar);
        loss_data_set_input(inputs, "scale", spread, LOSS_FLOAT64, 2, 1, 1, 1);
        assert_status(context, loss_function_evaluate(context, huber, inputs, NULL, NULL, NULL),
                      LOSS_ERROR_NAME);
        assert_sentence(context, factor);
        assert_status(context, loss_function_evaluate(context, function, inputs, outputs, NULL, NULL),
                      LOSS_OK);
        loss_data_free(inputs);
        loss_data_free(outputs);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(once[i] != 0);
        assert_close(twice[i], 2.5 * once[i], 1e-15, 0);
    }
    loss_function_free(function);
    loss_function_free(huber);
}

/* After its first use the data is sealed. */
/* Without elements there is nothing that strides could say: NumPy gives 0 and 0, others what was left of a slice. */
static void test_strides_of_nothing(void **state)
{
    static const int64_t strides[][2] = {{0, 0}, {K, 1}, {0, 1}, {K, 0}, {-7, 5}, {INT64_MAX, INT64_MIN}};
    static const int64_t shapes[][2] = {{0, K}, {N, 0}, {0, 1}, {0, 0}};
    static const char *const names[] = {"huber", "total_variation"};
    enum { SHAPES = sizeof shapes / sizeof *shapes, STRIDES = sizeof strides / sizeof *strides };
    (void)state;
    for (int i = 0; i < 2 * SHAPES * STRIDES; i++) {
        const int64_t *shape = shapes[i / 2 % SHAPES], *stride = strides[i / 2 / SHAPES];
        loss_function *function = make_function(names[i % 2], "");
        loss_data *inputs = data(), *outputs = data();
        double sum = 777, denominator = 777;
        loss_status status;
        written[0] = 777;
        assert_status(context,
                      loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, shape[0], shape[1],
                                          stride[0], stride[1]),
                      LOSS_OK);
        assert_status(context,
                      loss_data_set_input(inputs, "target", numbers, LOSS_FLOAT64, shape[0], shape[1],
                                          stride[0], stride[1]),
                      LOSS_OK);
        assert_status(context,
                      loss_data_set_output(outputs, "gradient", written, LOSS_FLOAT64, shape[0], shape[1],
                                           stride[0], stride[1]),
                      LOSS_OK);
        status = loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator);
        if (shape[1] > 0) { /* rows without columns are for the loss to judge */
            assert_status(context, status, LOSS_OK);
            assert_close(sum, 0, 0, 0);
            assert_close(denominator, 0, 0, 0);
        }
        assert_close(written[0], 777, 0, 0);
        loss_data_free(inputs);
        loss_data_free(outputs);
        loss_function_free(function);
    }
}

static void test_sealed_data(void **state)
{
    loss_function *function = make_function("huber", "");
    loss_data *inputs = data(), *outputs = data();
    (void)state;
    loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, N, K, K, 1);
    loss_data_set_input(inputs, "target", numbers, LOSS_FLOAT64, N, K, K, 1);
    loss_data_set_output(outputs, "prediction.gradient", written, LOSS_FLOAT64, N, K, K, 1);
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, NULL, NULL), LOSS_OK);
    assert_status(context, loss_data_set_input(inputs, "weight", numbers, LOSS_FLOAT64, N, 1, 1, 1),
                  LOSS_ERROR_STATE);
    assert_status(context, loss_data_set_output(outputs, "value", written, LOSS_FLOAT64, N, K, K, 1),
                  LOSS_ERROR_STATE);
    assert_status(context, loss_data_set_double(inputs, "scale", 2), LOSS_ERROR_STATE);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_arrays),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_null_create),
        cmocka_unit_test(test_null_options),
        cmocka_unit_test(test_null_evaluate),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_sealed_data),
        cmocka_unit_test(test_strides_of_nothing),
        cmocka_unit_test(test_scale_of_data_and_loss),
    };
    return cmocka_run_group_tests_name("loss_input", tests, known_setup, known_teardown);
}
