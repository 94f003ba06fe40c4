/* The preconditioner 'block' of linear models: what it is made of, from Hessians at 0; and what it is good for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient_model.h"

enum { ROWS = 70, MOST = 24 };

static loss_objective *prepared(loss_context *context, const loss_function *function, const model *m,
                                int32_t center, int32_t scale)
{
    loss_objective *objective = model_objective(context, function, m);
    assert_status(context, loss_objective_set_string(objective, "preconditioner", "block"), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "center_columns", center), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "scale_columns", scale), LOSS_OK);
    assert_status(context, loss_objective_prepare(objective), LOSS_OK);
    return objective;
}

/* Where parameter j of output k is; the last may be the intercept. */
static int64_t place(const model *m, int64_t k, int64_t j)
{
    return j < m->features ? k * m->features + j : m->outputs * m->features + k;
}

/* M⁻¹v multiplied by M, which is made of the Hessian at 0. */
static void compare(loss_context *context, loss_objective *objective, const model *m, double tolerance)
{
    const loss_dtype dtype = m->rows.dtype;
    const int64_t n = m->dimension, size = n / m->outputs;
    double matrix[MOST * MOST], zero[MOST] = {0}, out[MOST];
    assert_true(n <= MOST);
    assert_status(context, loss_objective_hessian(objective, zero, matrix), LOSS_OK);
    assert_status(context, loss_objective_precondition(objective, m->parameters, m->direction, out), LOSS_OK);
    for (int64_t k = 0; k < m->outputs; k++) {
        for (int64_t i = 0; i < size; i++) {
            double sum = 0, largest = 0;
            for (int64_t j = 0; j < size; j++) {
                const double penalty = i == j && i < m->features ? m->strength : 0;
                double mean = 0;
                for (int64_t l = 0; l < m->outputs; l++) {
                    mean += element(matrix, dtype, place(m, l, i) * n + place(m, l, j)) - penalty;
                }
                mean = mean / (double)m->outputs / 8 + penalty;
                sum += mean * element(out, dtype, place(m, k, j));
                largest = fmax(largest, fabs(mean * element(out, dtype, place(m, k, j))));
            }
            assert_close(sum, element(m->direction, dtype, place(m, k, i)), tolerance, tolerance * largest);
        }
    }
}

void gradient_block_composition(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        const loss_dtype dtype = i % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const int32_t labels = i / 2 % 2, intercept = i / 4 % 2, center = i / 8 % 2, scale = i / 16 % 2;
        model m = model_plain(dtype, ROWS, 4, 3, labels);
        loss_context *context;
        loss_function *function;
        if (!intercept) {
            m.intercept = 0;
            m.dimension = m.features * m.outputs;
        }
        m.strength = 0.0375;
        for (int row = 0; row < ROWS && i / 32; row++) {
            m.rows.mask[row] = row % 7 != 3;
            set_element(m.rows.weight, dtype, row, 0.25 + scatter(row));
        }
        m.rows.give |= i / 32 ? GIVE_MASK | GIVE_WEIGHT : 0;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context,
                      loss_function_create(&function, context, labels ? "cross_entropy" : "squared_error"),
                      LOSS_OK);
        loss_objective *objective = prepared(context, function, &m, center, scale);
        compare(context, objective, &m, dtype == LOSS_FLOAT64 ? 1e-11 : 2e-5);
        loss_objective_free(objective);
        loss_function_free(function);
        loss_context_free(context);
        model_free(&m);
    }
}

/* Columns that are 0, that are others once more, or not penalised: no pivot is lost, and M⁻¹ stays positive. */
void gradient_block_singular(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        model m = model_plain(LOSS_FLOAT64, ROWS, 4, 3, 1);
        double out[MOST], along = 0;
        loss_context *context;
        loss_function *function;
        double *x = m.x, *v = m.direction;
        m.strength = i / 2 ? 0.5 : 0;
        for (int64_t row = 0; row < ROWS; row++) {
            x[row * 4 + 1] = i % 2 ? 2 * x[row * 4 + 3] : 0;
        }
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
        loss_objective *objective = prepared(context, function, &m, 0, 0);
        assert_status(context, loss_objective_precondition(objective, m.parameters, v, out), LOSS_OK);
        for (int64_t j = 0; j < m.dimension; j++) {
            assert_true(isfinite(out[j]));
            along += out[j] * v[j];
        }
        assert_true(along > 0);
        loss_objective_free(objective);
        loss_function_free(function);
        loss_context_free(context);
        model_free(&m);
    }
}

/* Columns a thousand times larger than others: evaluations until the gradient is small. */
static int64_t evaluations(loss_context *context, loss_objective *objective, const char *preconditioner)
{
    loss_optimizer *optimizer;
    double x[MOST] = {0};
    int64_t count;
    const int64_t n = loss_objective_dimension(objective);
    assert_status(context, loss_optimizer_create(&optimizer, context, "lbfgs", LOSS_FLOAT64, n), LOSS_OK);
    assert_status(context, loss_optimizer_set_string(optimizer, "preconditioner", preconditioner), LOSS_OK);
    assert_status(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-8), LOSS_OK);
    assert_status(context, loss_optimizer_minimize(optimizer, objective, x), LOSS_STOP_GRADIENT);
    assert_status(context, loss_optimizer_get_int(optimizer, "gradient_evaluations", &count), LOSS_OK);
    loss_optimizer_free(optimizer);
    return count;
}

void gradient_block_scales(void **state)
{
    (void)state;
    model m = model_plain(LOSS_FLOAT64, ROWS, 4, 3, 1);
    loss_context *context;
    loss_function *function;
    double *x = m.x;
    m.strength = 1e-6;
    for (int64_t row = 0; row < ROWS; row++) {
        x[row * 4] *= 1e3;
        x[row * 4 + 2] *= 0.05;
    }
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    loss_objective *objective = prepared(context, function, &m, 0, 0);
    const int64_t without = evaluations(context, objective, "none"),
                  with = evaluations(context, objective, "user");
    assert_in_range(with, 5, 60);
    assert_true(without > 3 * with);
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}

void gradient_block_errors(void **state)
{
    static const double values[] = {2.385, -1.25, 0.5};
    static const int32_t indices[] = {0, 1, 0};
    static const int64_t offsets[] = {0, 1, 2, 3};
    static const double target[] = {1.5, 0.25, -1};
    const double x[3] = {0}, v[3] = {1, 2, 3};
    double out[3];
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "huber"), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_sparse_input(data, "features", 3, 2, 3, offsets, LOSS_INT64, indices,
                                             LOSS_INT32, values, LOSS_FLOAT64),
                  LOSS_OK);
    assert_status(context, loss_data_set_input(data, "target", target, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    assert_status(context, loss_objective_set_string(objective, "preconditioner", "blocks"),
                  LOSS_ERROR_RANGE);
    assert_sentence(context, "diagonal|block");
    assert_status(context, loss_objective_set_string(objective, "preconditioner", "block"), LOSS_OK);
    assert_status(context, loss_objective_precondition(objective, x, v, out), LOSS_ERROR_SUPPORT);
    assert_sentence(context, "'block' is one of dense features");
    loss_objective_free(objective);
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(context);
}
