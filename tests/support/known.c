#include "support/known.h"

#include "support/batch.h"
#include "support/check.h"

loss_context *context;

const loss_dtype dtypes[2] = {LOSS_FLOAT32, LOSS_FLOAT64};
const double tolerance[2] = {2e-7, 1e-14};

int known_setup(void **state)
{
    (void)state;
    return loss_context_create(&context);
}

int known_teardown(void **state)
{
    (void)state;
    loss_context_free(context);
    return 0;
}

loss_function *make_function(const char *name, const char *options)
{
    loss_function *function;
    assert_status(context, loss_function_create(&function, context, name), LOSS_OK);
    assert_status(context, vectors_configure(function, options), LOSS_OK);
    return function;
}

row evaluate_row(const char *name, const char *options, loss_dtype dtype, int64_t columns,
                 const double *prediction, const double *target, int64_t label, const double *direction)
{
    loss_function *function = make_function(name, options);
    batch made = batch_create(dtype, 1, columns, 1, target == NULL);
    row result = {0};
    for (int64_t j = 0; j < columns; j++) {
        set_element(made.prediction, dtype, j, prediction[j]);
        set_element(made.target, dtype, j, target != NULL ? target[j] : 0);
        set_element(made.direction, dtype, j, direction != NULL ? direction[j] : 1);
    }
    made.label[0] = label;
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    result.value = batch_at(&made, 0, 0, 0);
    result.denominator = made.denominator;
    result.cost = made.denominator == 0 ? 0 : made.sum / made.denominator;
    for (int64_t j = 0; j < columns; j++) {
        result.gradient[j] = batch_at(&made, 1, 0, j);
        result.curvature[j] = batch_at(&made, 2, 0, j);
        result.product[j] = batch_at(&made, 3, 0, j);
    }
    batch_free(&made);
    loss_function_free(function);
    return result;
}

row pair(const char *name, const char *options, loss_dtype dtype, double prediction, double target)
{
    return evaluate_row(name, options, dtype, 1, &prediction, &target, 0, NULL);
}

double cost_of(const char *name, const char *options, loss_dtype dtype, int64_t rows, int64_t columns,
               const double *prediction, const int64_t *labels, const double *target)
{
    loss_function *function = make_function(name, options);
    int32_t pointwise = 0;
    double cost;
    assert_status(context, loss_function_property(function, "pointwise", &pointwise), LOSS_OK);
    batch made = batch_create(dtype, rows, columns, pointwise ? columns : 1, labels != NULL);
    for (int64_t i = 0; i < rows * columns; i++) {
        set_element(made.prediction, dtype, i, prediction[i]);
        set_element(made.target, dtype, i, target != NULL ? target[i] : 0);
    }
    for (int64_t i = 0; i < rows && labels != NULL; i++) {
        made.label[i] = labels[i];
    }
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    cost = made.denominator == 0 ? 0 : made.sum / made.denominator;
    batch_free(&made);
    loss_function_free(function);
    return cost;
}
