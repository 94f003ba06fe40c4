/* Standardised columns of features, against features that were standardised beforehand. */
#include "gradient_sparse.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSION_MAX = 4000, FEATURES_MAX = 60 };

/* Means and deviations by the formula, in long double; deviations 0 where all rows have the same value. */
static void expect_columns(const model *m, int32_t center, int32_t scale, double *means, double *deviations)
{
    for (int64_t j = 0; j < m->features; j++) {
        long double total = 0, sum = 0, squares = 0;
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t i = 0; i < m->rows.rows; i++) {
                const double x = element(m->x, m->rows.dtype, i * m->features + j);
                const double weight = m->rows.give & GIVE_WEIGHT ? element(m->rows.weight, m->rows.dtype, i)
                                                                 : 1;
                if (((m->rows.give & GIVE_MASK) && !m->rows.mask[i]) || !(weight > 0)) {
                    continue;
                }
                if (pass == 0) {
                    total += weight;
                    sum += (long double)weight * x;
                    low = fmin(low, x);
                    high = fmax(high, x);
                } else {
                    squares += weight * ((x - sum / total) * (x - sum / total));
                }
            }
        }
        means[j] = !center || total == 0 ? 0 : low == high ? low : (double)(sum / total);
        deviations[j] = total == 0 || low == high ? 0 : scale ? (double)sqrtl(squares / total) : 1;
    }
}

static loss_objective *standardised(loss_context *context, const loss_function *function, const model *m,
                                    const csr *features, int32_t center, int32_t scale)
{
    loss_data *data = model_data(context, m);
    if (features != NULL) {
        csr_set(context, data, features);
    }
    loss_objective *objective = model_objective_of(context, function, data, m);
    assert_status(context, loss_objective_set_int(objective, "center_columns", center), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "scale_columns", scale), LOSS_OK);
    loss_data_free(data);
    return objective;
}

/* ---- every loss ---- */

/* A copy of the model whose features are standardised, and whose parameters then give the same predictions. */
static model explicit_model(const model *m, const double *means, const double *deviations)
{
    const loss_dtype dtype = m->rows.dtype;
    model made = *m;
    made.x = calloc((size_t)(m->rows.rows * m->features), 8);
    made.parameters = calloc((size_t)m->dimension, 8);
    assert_true(made.x != NULL && made.parameters != NULL);
    for (int64_t i = 0; i < m->rows.rows * m->features; i++) {
        const int64_t j = i % m->features;
        const double x = element(m->x, dtype, i);
        set_element(made.x, dtype, i, deviations[j] != 0 ? (x - means[j]) / deviations[j] : 0);
    }
    for (int64_t k = 0; k < m->outputs; k++) {
        double b = element(m->parameters, dtype, m->outputs * m->features + k);
        for (int64_t j = 0; j < m->features; j++) {
            const double w = element(m->parameters, dtype, k * m->features + j);
            set_element(made.parameters, dtype, k * m->features + j, w * deviations[j]);
            b += (deviations[j] != 0 ? means[j] : element(m->x, dtype, j)) * w;
        }
        set_element(made.parameters, dtype, m->outputs * m->features + k, b);
    }
    return made;
}

static void compare(loss_context *context, const model *m, loss_objective *actual, loss_objective *expected)
{
    const loss_dtype dtype = m->rows.dtype;
    const double tolerance = dtype == LOSS_FLOAT32 ? 2e-5 : 1e-12;
    static double first[DIMENSION_MAX], second[DIMENSION_MAX];
    double value, expected_value;
    assert_true(m->dimension <= DIMENSION_MAX);
    assert_status(context, loss_objective_evaluate(expected, m->parameters, &expected_value, first), LOSS_OK);
    assert_status(context, loss_objective_evaluate(actual, m->parameters, &value, second), LOSS_OK);
    assert_close(value, expected_value, tolerance, 0);
    assert_like(second, first, dtype, m->dimension, tolerance);
    assert_status(context, loss_objective_hessian_product(expected, m->parameters, m->direction, first),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(actual, m->parameters, m->direction, second),
                  LOSS_OK);
    assert_like(second, first, dtype, m->dimension, 4 * tolerance);
    assert_status(context, loss_objective_precondition(expected, m->parameters, m->direction, first),
                  LOSS_OK);
    assert_status(context, loss_objective_precondition(actual, m->parameters, m->direction, second), LOSS_OK);
    assert_like(second, first, dtype, m->dimension, 1e3 * tolerance);
}

/* One pass over the data gives the diagonal of the whole Hessian. */
static void compare_diagonal(loss_context *context, const model *m, loss_objective *objective)
{
    const loss_dtype dtype = m->rows.dtype;
    const int64_t n = m->dimension;
    static double diagonal[DIMENSION_MAX], wanted[DIMENSION_MAX];
    double *matrix = malloc((size_t)(n * n) * sizeof *matrix);
    assert_non_null(matrix);
    assert_status(context, loss_objective_hessian_diagonal(objective, m->parameters, diagonal), LOSS_OK);
    assert_status(context, loss_objective_hessian(objective, m->parameters, matrix), LOSS_OK);
    for (int64_t i = 0; i < n; i++) {
        set_element(wanted, dtype, i, element(matrix, dtype, i * n + i));
    }
    assert_like(diagonal, wanted, dtype, n, dtype == LOSS_FLOAT32 ? 2e-5 : 1e-12);
    free(matrix);
}

static void standardised_of(loss_context *context, const loss_function *function, const vector_group *group,
                            int32_t pointwise)
{
    for (int c = 0; c < 4; c++) { /* dense and sparse, scaled and not */
        const int32_t scale = c / 2;
        double means[FEATURES_MAX], deviations[FEATURES_MAX];
        model m = model_of_group(group, 31, 4, 2, pointwise, 1);
        m.rows.give |= GIVE_WEIGHT | GIVE_MASK;
        m.strength = 0.05;
        model_thin(&m);
        assert_true(m.features <= FEATURES_MAX);
        csr features = csr_of(m.rows.dtype, m.x, m.rows.rows, m.features, SPLIT);
        expect_columns(&m, 1, scale, means, deviations);
        model before = explicit_model(&m, means, deviations);
        loss_objective *expected = model_objective(context, function, &before);
        model view = m;
        view.parameters = before.parameters;
        loss_objective *actual = standardised(context, function, &view, c % 2 ? &features : NULL, 1, scale);
        compare(context, &view, actual, expected);
        compare_diagonal(context, &view, actual);
        compare_diagonal(context, &before, expected);
        check_derivatives(context, function, actual, view.parameters);
        loss_objective_free(actual);
        loss_objective_free(expected);
        free(before.x);
        free(before.parameters);
        csr_free(&features);
        model_free(&m);
    }
}

void columns_every_loss(void **state)
{
    (void)state;
    for_every_loss(standardised_of);
}

/* ---- means and deviations ---- */

/* Columns of many kinds; scales of 1e-200 and 1e150, means far from 0, a constant that no sum of it divided gives back. */
static void fill_columns(model *m)
{
    const loss_dtype dtype = m->rows.dtype;
    const double single = dtype == LOSS_FLOAT32;
    for (int64_t i = 0; i < m->rows.rows; i++) {
        const double u = scatter(3 * i + 1) - 0.3;
        const double row[] = {u,
                              single ? 1e-30 * u : 1e-200 * u,
                              single ? 1e30 * u : 1e150 * u,
                              1000 + u,
                              0.1,
                              i % 5 == 0 ? 2.5 * u : 0,
                              i == 12 ? 7 : 0,
                              0,
                              m->rows.mask[i] ? -0.3 : 1e9 * u, /* constant where it counts */
                              i % 2 ? 5 : -5};
        for (int64_t j = 0; j < m->features; j++) {
            set_element(m->x, dtype, i * m->features + j, row[j]);
        }
    }
}

void columns_means_and_deviations(void **state)
{
    enum { COLUMNS = 10 };
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    for (int c = 0; c < 32; c++) {
        const int32_t center = c & 1, scale = c >> 1 & 1;
        double means[COLUMNS], deviations[COLUMNS], expected_means[COLUMNS], expected_deviations[COLUMNS];
        model m = model_plain(c & 4 ? LOSS_FLOAT32 : LOSS_FLOAT64, 201, COLUMNS, 1, 0);
        m.rows.give |= GIVE_MASK | (c & 8 ? GIVE_WEIGHT : 0);
        set_element(m.rows.weight, m.rows.dtype, 20, 0);
        set_element(m.rows.weight, m.rows.dtype, 21, -3);
        fill_columns(&m);
        csr features = csr_of(m.rows.dtype, m.x, 201, COLUMNS, SPLIT | REVERSED);
        loss_objective *objective = standardised(context, function, &m, c & 16 ? &features : NULL, center,
                                                 scale);
        assert_status(context, loss_objective_column_means(objective, means), LOSS_OK);
        assert_status(context, loss_objective_column_deviations(objective, deviations), LOSS_OK);
        expect_columns(&m, center, scale, expected_means, expected_deviations);
        for (int j = 0; j < COLUMNS; j++) {
            if (!center && !scale) {
                expected_deviations[j] = 1;
            }
            assert_close(means[j], expected_means[j], 4 * DBL_EPSILON, 0);
            assert_close(deviations[j], expected_deviations[j], 8 * DBL_EPSILON, 0);
        }
        loss_objective_free(objective);
        csr_free(&features);
        model_free(&m);
    }
    loss_function_free(function);
    loss_context_free(context);
}

/* Means a million deviations away from 0: the value and the gradient keep what digits that leaves them. */
void columns_far_away(void **state)
{
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    model m = model_plain(LOSS_FLOAT64, 300, 5, 2, 0);
    for (int64_t i = 0; i < 300 * 5; i++) {
        ((double *)m.x)[i] += 1e6;
    }
    double means[5], deviations[5], value, expected_value, gradient[12], expected_gradient[12];
    expect_columns(&m, 1, 1, means, deviations);
    model before = explicit_model(&m, means, deviations);
    loss_objective *expected = model_objective(context, function, &before);
    loss_objective *actual = standardised(context, function, &m, NULL, 1, 1);
    assert_status(context,
                  loss_objective_evaluate(expected, m.parameters, &expected_value, expected_gradient),
                  LOSS_OK);
    assert_status(context, loss_objective_evaluate(actual, m.parameters, &value, gradient), LOSS_OK);
    assert_close(value, expected_value, 1e-9, 0);
    assert_like(gradient, expected_gradient, LOSS_FLOAT64, 12, 1e-8);
    loss_objective_free(expected);
    loss_objective_free(actual);
    free(before.x);
    free(before.parameters);
    model_free(&m);
    loss_function_free(function);
    loss_context_free(context);
}

/* ---- back to the columns as they are ---- */

/* Trained on standardised columns, with and without intercept: the original parameters predict the same. */
void columns_original(void **state)
{
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    for (int c = 0; c < 16; c++) {
        double weights[15], intercepts[3], prediction[120];
        loss_data *outputs, *inputs;
        model m = model_plain(LOSS_FLOAT64, 40, 5, 3, 0);
        m.intercept = c & 1;
        m.dimension = 3 * (5 + m.intercept);
        for (int i = 0; i < 40; i++) {
            ((double *)m.x)[5 * i + 3] = 4.25; /* a constant column */
            ((double *)m.x)[5 * i + 2] = i % 3 ? 0 : 30 + scatter(i);
        }
        csr features = csr_of(LOSS_FLOAT64, m.x, 40, 5, 0);
        loss_objective *objective = standardised(context, function, &m, c & 8 ? &features : NULL, c >> 1 & 1,
                                                 c >> 2 & 1);
        inputs = model_data(context, &m);
        assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
        loss_data_set_output(outputs, "prediction", prediction, LOSS_FLOAT64, 40, 3, 3, 1);
        assert_status(context, loss_objective_predict(objective, m.parameters, inputs, outputs), LOSS_OK);
        assert_status(context,
                      loss_objective_original_parameters(objective, m.parameters, weights, intercepts),
                      LOSS_OK);
        for (int i = 0; i < 40; i++) {
            for (int k = 0; k < 3; k++) {
                double sum = intercepts[k];
                for (int j = 0; j < 5; j++) {
                    sum += weights[5 * k + j] * ((double *)m.x)[5 * i + j];
                }
                assert_close(prediction[3 * i + k], sum, 1e-13, 1e-13);
            }
        }
        assert_true((weights[3] == 0) == (c >> 1 & 3 ? 1 : ((double *)m.parameters)[3] == 0));
        loss_objective_free(objective);
        loss_data_free(inputs);
        loss_data_free(outputs);
        csr_free(&features);
        model_free(&m);
    }
    loss_function_free(function);
    loss_context_free(context);
}

/* ---- what is refused ---- */

static int32_t nothing(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    (void)user, (void)n, (void)x, (void)gradient;
    *value = 0;
    return 0;
}

void columns_refused(void **state)
{
    loss_context *context;
    loss_function *function;
    loss_objective *objective;
    double numbers[12] = {777};
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    const struct {
        double value, weight;
        const char *words;
        int64_t row;
    } cases[] = {
        {(double)NAN, 1, "column 3 of 'features' has no mean: it is NaN in row 17", 17},
        {-HUGE_VAL, 1, "column 3 of 'features' has no mean: it is -Infinity in row 17", 17},
        {DBL_MAX, 2, "column 3 of 'features' has no mean: its sum", -1},
        {1, HUGE_VAL, "has no mean: its sum, or that of the weights, is not finite", -1},
    };
    for (size_t c = 0; c < 2 * sizeof cases / sizeof *cases; c++) {
        model m = model_plain(LOSS_FLOAT64, 40, 5, 1, 0);
        m.rows.give |= GIVE_WEIGHT;
        ((double *)m.x)[17 * 5 + 3] = cases[c / 2].value;
        ((double *)m.rows.weight)[17] = cases[c / 2].weight;
        csr features = csr_of(LOSS_FLOAT64, m.x, 40, 5, 0);
        objective = standardised(context, function, &m, c % 2 ? &features : NULL, 1, 0);
        assert_status(context, loss_objective_column_means(objective, numbers), LOSS_ERROR_NONFINITE);
        assert_sentence(context, cases[c / 2].words);
        assert_int_equal(loss_context_error_row(context), cases[c / 2].row);
        assert_true(numbers[0] == 777);
        ((double *)m.rows.weight)[17] = 0; /* a row that does not count may hold anything */
        assert_status(context, loss_objective_column_means(objective, numbers), LOSS_OK);
        numbers[0] = 777;
        assert_status(context, loss_objective_column_means(objective, NULL), LOSS_ERROR_ARGUMENT);
        assert_status(context, loss_objective_column_deviations(objective, NULL), LOSS_ERROR_ARGUMENT);
        assert_status(context, loss_objective_original_parameters(objective, NULL, numbers, numbers),
                      LOSS_ERROR_ARGUMENT);
        assert_status(context, loss_objective_original_parameters(objective, m.parameters, NULL, numbers),
                      LOSS_ERROR_ARGUMENT);
        assert_status(context, loss_objective_original_parameters(objective, m.parameters, numbers, NULL),
                      LOSS_ERROR_ARGUMENT);
        loss_objective_free(objective);
        csr_free(&features);
        model_free(&m);
    }
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, nothing, NULL, NULL),
                  LOSS_OK);
    assert_status(context, loss_objective_column_means(objective, numbers), LOSS_ERROR_SUPPORT);
    assert_sentence(context, "has no columns of features");
    assert_status(context, loss_objective_column_deviations(objective, numbers), LOSS_ERROR_SUPPORT);
    assert_status(context, loss_objective_original_parameters(objective, numbers, numbers, numbers),
                  LOSS_ERROR_SUPPORT);
    assert_int_equal(loss_objective_column_means(NULL, numbers), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_column_deviations(NULL, numbers), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_original_parameters(NULL, numbers, numbers, numbers),
                     LOSS_ERROR_ARGUMENT);
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
}
