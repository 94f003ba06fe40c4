/*
 * A loss through roles and L-BFGS through ask and tell, every result printed as the 16 hexadecimal digits of
 * its bits. test_ctypes.py does the same from Python; the two must print the same lines.
 */
#include <inttypes.h>
#include <loss/loss.h>
#include <stdio.h>
#include <string.h>

static void print_bits(const char *name, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf("%s %016" PRIx64 "\n", name, bits);
}

static void check(loss_context *context, loss_status status)
{
    if (status != LOSS_OK) {
        printf("%s: %s\n", loss_status_name(status), loss_context_error(context));
    }
}

static void evaluate_huber(loss_context *context)
{
    const double prediction[4] = {2.385, -0.25, 7.125, 1e-3}, target[4] = {1.9, 0.75, 3.5, -1e-3};
    const double weight[4] = {1.0, 0.5, 2.25, 3.0};
    double value[4], gradient[4], cost, sum, denominator;
    loss_function *huber;
    loss_data *inputs, *outputs;
    check(context, loss_function_create(&huber, context, "huber"));
    check(context, loss_function_set_double(huber, "delta", 0.75));
    check(context, loss_function_cost_float64(context, huber, 4, prediction, target, &cost, gradient));
    print_bits("cost", cost);

    check(context, loss_data_create(&inputs, context));
    check(context, loss_data_create(&outputs, context));
    check(context, loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT64, 4, 1, 1, 1));
    check(context, loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, 4, 1, 1, 1));
    check(context, loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, 4, 1, 1, 1));
    check(context, loss_data_set_output(outputs, "value", value, LOSS_FLOAT64, 4, 1, 1, 1));
    check(context, loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, 4, 1, 1, 1));
    check(context, loss_function_evaluate(context, huber, inputs, outputs, &sum, &denominator));
    for (int i = 0; i < 4; i++) {
        print_bits("value", value[i]);
        print_bits("gradient", gradient[i]);
    }
    print_bits("sum", sum);
    print_bits("denominator", denominator);
    loss_data_free(outputs);
    loss_data_free(inputs);
    loss_function_free(huber);
}

static double rosenbrock(const double *x, double *gradient)
{
    const double a = 1.0 - x[0], b = x[1] - x[0] * x[0];
    gradient[0] = -2.0 * a - 400.0 * x[0] * b;
    gradient[1] = 200.0 * b;
    return a * a + 100.0 * b * b;
}

static void minimize_rosenbrock(loss_context *context)
{
    const double start[2] = {-1.2, 1.0};
    double gradient[2];
    const void *x;
    int32_t request;
    int64_t evaluations;
    loss_status outcome;
    loss_optimizer *lbfgs;
    check(context, loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, 2));
    check(context, loss_optimizer_start(lbfgs, start));
    while (loss_optimizer_ask(lbfgs, &request) == LOSS_OK && request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
        check(context, loss_optimizer_get_pointer(lbfgs, "x", &x));
        const double value = rosenbrock(x, gradient);
        print_bits("f", value);
        print_bits("x0", ((const double *)x)[0]);
        print_bits("x1", ((const double *)x)[1]);
        check(context, loss_optimizer_tell_gradient(lbfgs, value, gradient));
    }
    check(context, loss_optimizer_outcome(lbfgs, &outcome));
    check(context, loss_optimizer_get_int(lbfgs, "evaluations", &evaluations));
    check(context, loss_optimizer_get_pointer(lbfgs, "best_x", &x));
    print_bits("best x0", ((const double *)x)[0]);
    print_bits("best x1", ((const double *)x)[1]);
    printf("%s after %" PRId64 " evaluations\n", loss_status_name(outcome), evaluations);
    loss_optimizer_free(lbfgs);
}

int main(void)
{
    loss_context *context;
    check(NULL, loss_context_create(&context));
    evaluate_huber(context);
    minimize_rosenbrock(context);
    loss_context_free(context);
    return 0;
}
