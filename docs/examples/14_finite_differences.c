/*
 * A function that gives values and nothing else: its gradient by finite differences, what each method costs and is good
 * for, and a minimum found that way.
 * Introduces loss_difference_create(), loss_objective_set_difference(), loss_difference_get_pointer().
 */
#include "must.h"

enum { N = 4 };

/* Rosenbrock's function in four dimensions; no derivative is asked for. */
static int32_t rosenbrock(void *calls, int64_t n, const void *at, double *value, void *gradient)
{
    const double *x = at;
    (void)gradient; /* always NULL */
    *value = 0;
    for (int64_t i = 0; i + 1 < n; i++) {
        const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
        *value += a * a + 100 * b * b;
    }
    ++*(int *)calls;
    return 0;
}

static double size(double number)
{
    return number < 0 ? -number : number;
}

/* How far the worst derivative is from the one by hand. */
static double off(const double *x, const double *gradient)
{
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double exact = i + 1 < N ? -2 * (1 - x[i]) - 400 * x[i] * (x[i + 1] - x[i] * x[i]) : 0;
        exact += i > 0 ? 200 * (x[i] - x[i - 1] * x[i - 1]) : 0;
        worst = size(gradient[i] - exact) > worst ? size(gradient[i] - exact) : worst;
    }
    return worst;
}

static void show(loss_context *context, const char *method)
{
    double x[N] = {1.7, 1, 0.7, 1.3}, value, gradient[N];
    int calls = 0;

    loss_difference *difference;
    must(context, loss_difference_create(&difference, context, method, LOSS_FLOAT64, N));
    loss_objective *objective;
    must(context,
         loss_objective_create_callback(&objective, context, LOSS_FLOAT64, N, rosenbrock, NULL, &calls));
    must(context, loss_objective_set_difference(objective, difference));
    must(context, loss_objective_evaluate(objective, x, &value, gradient));
    printf("%-8s %3d values, derivatives up to %.0f off by %.0e", method, calls, size(gradient[0]),
           off(x, gradient));

    const void *error = NULL;
    if (loss_difference_get_pointer(difference, "error", &error) == LOSS_OK) { /* the other two have none */
        printf(", error bar %.0e", ((const double *)error)[0]);
    }

    loss_optimizer *lbfgs;
    must(context, loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, N));
    must(context, loss_optimizer_minimize(lbfgs, objective, x));
    must(context, loss_objective_evaluate(objective, x, &value, NULL));
    printf("\n         lbfgs reaches %s\n", value < 1e-10 ? "f < 1e-10" : "less");

    loss_optimizer_free(lbfgs);
    loss_objective_free(objective);
    loss_difference_free(difference);
}

int main(void)
{
    loss_context *context;
    must(NULL, loss_context_create(&context));
    show(context, "forward");
    show(context, "central");
    show(context, "ridders");
    loss_context_free(context);
    return 0;
}

/* Prints:
forward    5 values, derivatives up to 1287 off by 3e-05
         lbfgs reaches f < 1e-10
central    9 values, derivatives up to 1287 off by 4e-08
         lbfgs reaches f < 1e-10
ridders   57 values, derivatives up to 1287 off by 3e-10, error bar 2e-09
         lbfgs reaches f < 1e-10
 */
