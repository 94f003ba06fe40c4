/* The gradient module: linear models with every loss of the catalogue, and the numbers that may not depend on anything. */
#include "gradient_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSION_MAX = 400 };

/* ---- every loss ---- */

static double largest(const double *x, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

/* Every element within `relative` of the largest. */
static void assert_vector(const void *actual, loss_dtype dtype, const double *expected, int64_t count,
                          double relative)
{
    const double absolute = relative * largest(expected, count);
    for (int64_t i = 0; i < count; i++) {
        assert_close(element(actual, dtype, i), expected[i], 0, absolute);
    }
}

/* As many numbers as the model has parameters. */
static double *vector(const model *m)
{
    double *made = calloc((size_t)m->dimension, sizeof *made);
    assert_non_null(made);
    return made;
}

static void compare_with_loops(loss_context *context, const loss_function *function, model *m)
{
    const loss_dtype dtype = m->rows.dtype;
    const double tolerance = dtype == LOSS_FLOAT32 ? 4e-6 : 1e-13;
    double value = 777, alone = 777, expected;
    double *gradient = vector(m), *product = vector(m), *out = vector(m);
    loss_objective *objective = model_objective(context, function, m);

    model_reference(context, function, m, &expected, gradient, product);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &value, out), LOSS_OK);
    assert_close(value, expected, tolerance, 0);
    assert_vector(out, dtype, gradient, m->dimension, tolerance);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &alone, NULL), LOSS_OK);
    assert_true(same_bits(alone, value));
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, out),
                  LOSS_OK);
    assert_vector(out, dtype, product, m->dimension, 4 * tolerance);
    loss_objective_free(objective);
    free(gradient);
    free(product);
    free(out);
}

static void reference_of(loss_context *context, const loss_function *function, const vector_group *group,
                         int32_t pointwise)
{
    /* Features around the 16 lanes of a sum, rows around the blocks of rows of the kernels. */
    static const struct {
        int64_t rows, extra, wide;
        int32_t intercept, give;
        double strength;
    } cases[] = {
        {1, 0, 1, 1, 0, 0},
        {37, 4, 1, 1, GIVE_WEIGHT | GIVE_MASK, 0.37},
        {18, 30, 2, 0, GIVE_WEIGHT, 2.5},
        {41, 15, 1, 0, GIVE_MASK, 0},
        {23, 13, 5, 1, 0, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model m = model_of_group(group, cases[i].rows, cases[i].extra, cases[i].wide, pointwise,
                                 cases[i].intercept);
        m.rows.give |= cases[i].give;
        m.strength = cases[i].strength;
        compare_with_loops(context, function, &m);
        model_free(&m);
    }
}

static void every_loss_as_plain_loops(void **state)
{
    (void)state;
    for_every_loss(reference_of);
}

static double dot(loss_dtype dtype, const void *a, const void *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += element(a, dtype, i) * element(b, dtype, i);
    }
    return sum;
}

/* uᵀ(Hv) = vᵀ(Hu), and Hv is the difference of gradients along v. */
static void products(loss_context *context, loss_objective *objective, const model *m)
{
    const loss_dtype dtype = m->rows.dtype;
    const double h = 1e-6, tolerance = dtype == LOSS_FLOAT32 ? 1e-5 : 1e-13;
    double *hv = vector(m), *hu = vector(m), *u = vector(m), *ahead = vector(m), *behind = vector(m);
    for (int64_t i = 0; i < m->dimension; i++) {
        set_element(u, dtype, i, scatter(3 * i + 1) - 0.4);
    }
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, hv),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, u, hu), LOSS_OK);
    const double size = sqrt(dot(dtype, hv, hv, m->dimension) * dot(dtype, u, u, m->dimension));
    assert_close(dot(dtype, u, hv, m->dimension), dot(dtype, m->direction, hu, m->dimension), 0,
                 tolerance * size);
    for (int side = 0; side < 2 && dtype == LOSS_FLOAT64; side++) {
        for (int64_t i = 0; i < m->dimension; i++) {
            u[i] = element(m->parameters, dtype, i) + (side ? h : -h) * element(m->direction, dtype, i);
        }
        assert_status(context, loss_objective_evaluate(objective, u, NULL, side ? ahead : behind), LOSS_OK);
    }
    for (int64_t i = 0; i < m->dimension; i++) {
        ahead[i] = (ahead[i] - behind[i]) / (2 * h);
    }
    if (dtype == LOSS_FLOAT64) { /* a difference is good to about ε/h and h² */
        assert_vector(hv, dtype, ahead, m->dimension, 1e-7);
    }
    double *const made[] = {hv, hu, u, ahead, behind};
    for (int i = 0; i < 5; i++) {
        free(made[i]);
    }
}

static void derivatives_of(loss_context *context, const loss_function *function, const vector_group *group,
                           int32_t pointwise)
{
    int32_t verdict = 0;
    model m = model_of_group(group, 29, 3, 2, pointwise, 1);
    m.rows.give |= GIVE_WEIGHT;
    m.strength = 0.05;
    loss_objective *objective = model_objective(context, function, &m);
    assert_status(context, loss_objective_check(objective, m.parameters, 7, &verdict), LOSS_OK);
    if (verdict != LOSS_CHECK_OK) {
        print_error("%s %s: %s\n", loss_function_name(function), group->options, loss_context_error(context));
    }
    assert_int_equal(verdict, LOSS_CHECK_OK);
    assert_status(context, loss_objective_check_directions(objective, m.parameters, 2, 7, &verdict), LOSS_OK);
    if (verdict != LOSS_CHECK_OK) {
        print_error("%s %s: %s\n", loss_function_name(function), group->options, loss_context_error(context));
    }
    assert_int_equal(verdict, LOSS_CHECK_OK);
    assert_status(context, loss_objective_check_product(objective, m.parameters, 2, 7, &verdict), LOSS_OK);
    /* Where the gradient has kinks or jumps nearby, differences of it may see them, or say too little. */
    double smoothness = 0;
    assert_status(context, loss_function_number(function, "continuous_derivatives", &smoothness), LOSS_OK);
    const int32_t seen = verdict == LOSS_CHECK_OK || (smoothness < 2 && verdict != LOSS_CHECK_WRONG);
    if (!seen) {
        print_error("%s %s: product: %s\n", loss_function_name(function), group->options,
                    loss_context_error(context));
    }
    assert_true(seen);
    products(context, objective, &m);
    loss_objective_free(objective);
    model_free(&m);
}

static void every_loss_by_differences(void **state)
{
    (void)state;
    for_every_loss(derivatives_of);
}

/* ---- by hand ---- */

static void worked_by_hand(void **state)
{
    /* Predictions 0.5·1.5 − 2 + 0.25 = −1 and 0.5·(−1) − 4 + 0.25 = −4.25; residuals −1.5 and −6.25. */
    const double x[] = {1.5, -2, -1, -4}, y[] = {0.5, 2}, parameters[] = {0.5, 1, 0.25}, v[] = {1, -1, 2};
    double value, gradient[3], product[3];
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    loss_data_set_input(data, "features", x, LOSS_FLOAT64, 2, 2, 2, 1);
    loss_data_set_input(data, "target", y, LOSS_FLOAT64, 2, 1, 1, 1);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, parameters, &value, gradient), LOSS_OK);
    assert_true(value == (2.25 + 39.0625) / 2);
    assert_true(gradient[0] == -1.5 * 1.5 + 6.25);
    assert_true(gradient[1] == 1.5 * 2 + 6.25 * 4);
    assert_true(gradient[2] == -1.5 - 6.25);
    /* X·v + v_b is 5.5 and 5; the Hessian of the mean is XᵀX. */
    assert_status(context, loss_objective_hessian_product(objective, parameters, v, product), LOSS_OK);
    assert_true(product[0] == 5.5 * 1.5 - 5 && product[1] == -5.5 * 2 - 5 * 4 && product[2] == 10.5);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(context);
}

/* ---- the same bits ---- */

typedef struct outcome {
    double value, batch_value;
    double gradient[DIMENSION_MAX], product[DIMENSION_MAX], batch_gradient[DIMENSION_MAX];
} outcome;

enum { BATCH = 700 };

static outcome run(loss_context *context, const loss_function *function, const loss_data *data,
                   const model *m)
{
    outcome o;
    int64_t indices[BATCH];
    loss_objective *objective = model_objective_of(context, function, data, m);
    memset(&o, 0, sizeof o);
    for (int64_t i = 0; i < BATCH; i++) {
        indices[i] = (i * 37 + i / 3) % m->rows.rows;
    }
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &o.value, o.gradient), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, o.product),
                  LOSS_OK);
    assert_status(context,
                  loss_objective_evaluate_batch(objective, m->parameters, BATCH, indices, &o.batch_value,
                                                o.batch_gradient),
                  LOSS_OK);
    loss_objective_free(objective);
    return o;
}

static void assert_same_outcome(const outcome *a, const outcome *b)
{
    assert_same_bits(a, b, LOSS_FLOAT64, (int64_t)(sizeof *a / sizeof(double)));
}

static void determinism_of(loss_dtype dtype, int64_t rows, int64_t features, int64_t outputs, int32_t labels)
{
    static const int64_t threads[] = {1, 2, 4};
    loss_context *context;
    loss_function *function;
    outcome first, other;
    model m = model_plain(dtype, rows, features, outputs, labels);
    m.rows.give |= GIVE_WEIGHT | GIVE_MASK;
    m.strength = 0.1;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, labels ? "cross_entropy" : "huber"),
                  LOSS_OK);
    loss_data *data = model_data(context, &m);
    for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
        const char *name = loss_context_isa_name(context, isa);
        assert_status(context, loss_context_set_string(context, "isa", name), LOSS_OK);
        for (int32_t t = 0; t < 3; t++) {
            assert_status(context, loss_context_set_int(context, "threads", threads[t]), LOSS_OK);
            other = run(context, function, data, &m);
            first = isa == 0 && t == 0 ? other : first;
            assert_same_outcome(&other, &first);
        }
    }
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}

static void same_bits_everywhere(void **state)
{
    (void)state;
    determinism_of(LOSS_FLOAT64, 3001, 37, 1, 0);
    determinism_of(LOSS_FLOAT32, 3001, 37, 1, 0);
    determinism_of(LOSS_FLOAT64, 1503, 22, 7, 1);
    determinism_of(LOSS_FLOAT32, 1503, 31, 10, 1);
    determinism_of(LOSS_FLOAT64, 801, 100, 3, 0);
    determinism_of(LOSS_FLOAT32, 2903, 3, 2, 0);
}

/* Features in any layout: the same numbers, so the same bits. */
static void layouts(void **state)
{
    enum { ROWS = 211, FEATURES = 19, OUTPUTS = 3, GAP = 5 };
    static const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)state;
    for (int type = 0; type < 2; type++) {
        const int64_t size = loss_dtype_size(dtypes[type]);
        loss_context *context;
        loss_function *function;
        model m = model_plain(dtypes[type], ROWS, FEATURES, OUTPUTS, 1);
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
        loss_data *plain = model_data(context, &m);
        const outcome expected = run(context, function, plain, &m);
        const int64_t strides[][3] = {/* row, column, first element */
                                      {FEATURES + GAP, 1, 0},
                                      {1, ROWS, 0},
                                      {2 * FEATURES, 2, 1},
                                      {-FEATURES, 1, (ROWS - 1) * FEATURES},
                                      {FEATURES, -1, FEATURES - 1}};
        char *memory = malloc((size_t)(ROWS * (2 * FEATURES + GAP) * size) + 1);
        assert_non_null(memory);
        for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
            char *start = memory + 1 + strides[s][2] * size; /* no alignment at all */
            for (int64_t i = 0; i < ROWS * FEATURES; i++) {
                memcpy(start + (i / FEATURES * strides[s][0] + i % FEATURES * strides[s][1]) * size,
                       (char *)m.x + i * size, (size_t)size);
            }
            loss_data *data = model_data(context, &m);
            assert_status(context,
                          loss_data_set_input(data, "features", start, dtypes[type], ROWS, FEATURES,
                                              strides[s][0], strides[s][1]),
                          LOSS_OK);
            const outcome other = run(context, function, data, &m);
            assert_same_outcome(&other, &expected);
            loss_data_free(data);
        }
        free(memory);
        loss_data_free(plain);
        loss_function_free(function);
        loss_context_free(context);
        model_free(&m);
    }
}

/* ---- batches ---- */

/* A batch is the objective of a data set made of its rows, to the bit. */
static void batches(void **state)
{
    enum { ROWS = 60, FEATURES = 21, TAKEN = 47 };
    loss_context *context;
    loss_function *function;
    double value, full, mean = 0, part, gradient[DIMENSION_MAX], other[DIMENSION_MAX];
    int64_t indices[ROWS];
    model m = model_plain(LOSS_FLOAT64, ROWS, FEATURES, 2, 0),
          taken = model_plain(LOSS_FLOAT64, TAKEN, FEATURES, 2, 0);
    (void)state;
    m.strength = taken.strength = 0.3;
    for (int64_t i = 0; i < TAKEN; i++) {
        indices[i] = (i * i + 11) % ROWS; /* some more than once */
        batch_copy_row(&taken.rows, i, &m.rows, indices[i]);
        memcpy((double *)taken.x + i * FEATURES, (double *)m.x + indices[i] * FEATURES,
               FEATURES * sizeof(double));
    }
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    loss_objective *objective = model_objective(context, function, &m),
                   *alone = model_objective(context, function, &taken);
    assert_status(context,
                  loss_objective_evaluate_batch(objective, m.parameters, TAKEN, indices, &value, gradient),
                  LOSS_OK);
    assert_status(context, loss_objective_evaluate(alone, m.parameters, &full, other), LOSS_OK);
    assert_true(same_bits(value, full));
    assert_same_bits(gradient, other, LOSS_FLOAT64, m.dimension);

    /* All samples are the objective; the mean over parts of equal size is it too. */
    for (int64_t i = 0; i < ROWS; i++) {
        indices[i] = ROWS - 1 - i;
    }
    assert_status(context, loss_objective_evaluate(objective, m.parameters, &full, other), LOSS_OK);
    assert_status(context,
                  loss_objective_evaluate_batch(objective, m.parameters, ROWS, indices, &value, gradient),
                  LOSS_OK);
    assert_close(value, full, 1e-14, 0);
    assert_vector(gradient, LOSS_FLOAT64, other, m.dimension, 1e-13);
    for (int k = 0; k < 4; k++) {
        assert_status(context,
                      loss_objective_evaluate_batch(objective, m.parameters, ROWS / 4, indices + k * ROWS / 4,
                                                    &part, NULL),
                      LOSS_OK);
        mean += part / 4;
    }
    assert_close(mean, full, 1e-14, 0);

    /* Nothing costs nothing: what is left is the penalty. */
    assert_status(context, loss_objective_evaluate_batch(objective, m.parameters, 0, NULL, &value, gradient),
                  LOSS_OK);
    assert_close(value, m.strength / 2 * dot(LOSS_FLOAT64, m.parameters, m.parameters, 2 * FEATURES), 1e-14,
                 0);
    for (int64_t p = 0; p < m.dimension; p++) {
        assert_true(gradient[p] == (p < 2 * FEATURES ? m.strength * ((double *)m.parameters)[p] : 0));
    }
    loss_objective_free(objective);
    loss_objective_free(alone);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
    model_free(&taken);
}

/* More samples than the data has rows, and rows that are masked with NaN in them. */
static void batches_large_and_masked(void **state)
{
    enum { ROWS = 31, COUNT = 40000 };
    loss_context *context;
    loss_function *function;
    double value, full, gradient[DIMENSION_MAX], other[DIMENSION_MAX];
    int64_t *indices = malloc(COUNT * sizeof *indices);
    model m = model_plain(LOSS_FLOAT64, ROWS, 4, 1, 0);
    (void)state;
    assert_non_null(indices);
    m.rows.give |= GIVE_MASK;
    for (int64_t i = 0; i < COUNT; i++) {
        indices[i] = i % ROWS;
    }
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    loss_objective *objective = model_objective(context, function, &m);
    assert_status(context, loss_objective_evaluate(objective, m.parameters, &full, other), LOSS_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        if (!m.rows.mask[i]) {
            ((double *)m.x)[i * 4] = ((double *)m.rows.target)[i] = (double)NAN;
        }
    }
    assert_status(context, loss_objective_evaluate(objective, m.parameters, &value, gradient), LOSS_OK);
    assert_true(same_bits(value, full));
    assert_same_bits(gradient, other, LOSS_FLOAT64, m.dimension);
    assert_status(context,
                  loss_objective_evaluate_batch(objective, m.parameters, COUNT / ROWS * ROWS, indices, &value,
                                                gradient),
                  LOSS_OK);
    assert_close(value, full, 1e-13, 0);
    assert_vector(gradient, LOSS_FLOAT64, other, m.dimension, 1e-13);
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
    free(indices);
}

/* ---- predictions ---- */

static void predictions(void **state)
{
    enum { ROWS = 500, FEATURES = 18, OUTPUTS = 3, WIDE = 5 };
    static double out[ROWS * WIDE];
    loss_context *context;
    loss_function *function;
    loss_data *inputs, *outputs;
    model m = model_plain(LOSS_FLOAT64, ROWS, FEATURES, OUTPUTS, 1);
    (void)state;
    for (int64_t i = 0; i < ROWS * WIDE; i++) {
        out[i] = 777;
    }
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    loss_objective *objective = model_objective(context, function, &m);
    loss_data_create(&inputs, context);
    loss_data_create(&outputs, context);
    loss_data_set_input(inputs, "features", m.x, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1);
    /* Columns in reverse order, with a gap behind each row. */
    assert_status(
        context,
        loss_data_set_output(outputs, "prediction", out + OUTPUTS - 1, LOSS_FLOAT64, ROWS, OUTPUTS, WIDE, -1),
        LOSS_OK);
    assert_status(context, loss_objective_predict(objective, m.parameters, inputs, outputs), LOSS_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        for (int64_t k = 0; k < OUTPUTS; k++) { /* the features were chosen to give these predictions */
            assert_close(out[i * WIDE + OUTPUTS - 1 - k],
                         element(m.rows.prediction, LOSS_FLOAT64, i * OUTPUTS + k), 1e-13, 1e-13);
        }
        assert_true(out[i * WIDE + 3] == 777 && out[i * WIDE + 4] == 777);
    }
    loss_objective_free(objective);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(every_loss_as_plain_loops),
        cmocka_unit_test(every_loss_by_differences),
        cmocka_unit_test(same_bits_everywhere),
        cmocka_unit_test(layouts),
        cmocka_unit_test(batches),
        cmocka_unit_test(batches_large_and_masked),
        cmocka_unit_test(predictions),
        cmocka_unit_test(gradient_arguments),
        cmocka_unit_test(gradient_data_errors),
        cmocka_unit_test(gradient_labels),
        cmocka_unit_test(gradient_options),
        cmocka_unit_test(gradient_sealing),
        cmocka_unit_test(gradient_nonfinite),
        cmocka_unit_test(gradient_freeing),
        cmocka_unit_test(gradient_memory),
        cmocka_unit_test(gradient_callback_values),
        cmocka_unit_test(gradient_callback_status),
        cmocka_unit_test(gradient_callback_unwritten),
        cmocka_unit_test(gradient_callback_batches),
        cmocka_unit_test(gradient_callback_product),
        cmocka_unit_test(gradient_check_verdicts),
        cmocka_unit_test(gradient_check_large),
        cmocka_unit_test(gradient_check_errors),
        cmocka_unit_test(gradient_hessian_ways),
        cmocka_unit_test(gradient_hessian_model),
        cmocka_unit_test(gradient_hessian_failures),
        cmocka_unit_test(gradient_hessian_diagonals),
        cmocka_unit_test(gradient_hessian_diagonal_failures),
        cmocka_unit_test(gradient_hessian_lengths),
        cmocka_unit_test(gradient_hessian_domains),
        cmocka_unit_test(gradient_preconditioner),
        cmocka_unit_test(gradient_preconditioner_layouts),
        cmocka_unit_test(gradient_block_composition),
        cmocka_unit_test(gradient_block_singular),
        cmocka_unit_test(gradient_block_scales),
        cmocka_unit_test(gradient_block_errors),
        cmocka_unit_test(gradient_dense_shapes),
        cmocka_unit_test(gradient_dense_hessian_ends),
        cmocka_unit_test(gradient_dense_ahead),
        cmocka_unit_test(gradient_dense_hessian_ahead),
    };
    return cmocka_run_group_tests_name("gradient", tests, NULL, NULL);
}
