/*
 * A function that gives values and nothing else: its gradient by finite differences, what each method costs and is good
 * for, and a minimum found that way.
 * Introduces loss_difference_create(), loss_objective_set_difference(), loss_difference_get_pointer().
 */
#include "must.h"

enum { N = 4, SPEEDS = 23, TREATED = 12 };

/*
 * How fast an enzyme works, counts/min², at concentrations of its substrate in ppm: 12 times treated with puromycin, 11 times not
 * (Treloar 1974; Bates & Watts 1988, table A1.3).
 */
static const double concentration[SPEEDS] = {0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22,
                                             0.56, 0.56, 1.10, 1.10, 0.02, 0.02, 0.06, 0.06,
                                             0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.10};
static const double speed[SPEEDS] = {76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200,
                                     67, 51, 84, 86,  98,  115, 131, 124, 144, 158, 160};

/*
 * Half the mean squared residual of the law of Michaelis and Menten, speed = 100 x0 c/(x1/10 + c), with x2 and x3 for the untreated. No
 * derivative is asked for.
 */
static int32_t misfit(void *calls, int64_t n, const void *at, double *value, void *gradient)
{
    const double *x = at;
    (void)n;
    (void)gradient; /* always NULL */
    *value = 0;
    for (int i = 0; i < SPEEDS; i++) {
        const double *y = i < TREATED ? x : x + 2;
        const double residual = 100 * y[0] * concentration[i] / (y[1] / 10 + concentration[i]) - speed[i];
        *value += residual * residual / (2 * SPEEDS);
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
    double exact[N] = {0}, worst = 0;
    for (int i = 0; i < SPEEDS; i++) {
        const int first = i < TREATED ? 0 : 2;
        const double share = concentration[i] / (x[first + 1] / 10 + concentration[i]);
        const double residual = 100 * x[first] * share - speed[i];
        exact[first] += 100 * residual * share / SPEEDS;
        exact[first + 1] -= 10 * residual * x[first] * share * share / concentration[i] / SPEEDS;
    }
    for (int i = 0; i < N; i++) {
        worst = size(gradient[i] - exact[i]) > worst ? size(gradient[i] - exact[i]) : worst;
    }
    return worst;
}

static void show(loss_context *context, const char *method)
{
    double x[N] = {1, 1, 1, 1}, value, gradient[N];
    int calls = 0;

    loss_difference *difference;
    must(context, loss_difference_create(&difference, context, method, LOSS_FLOAT64, N));
    loss_objective *objective;
    must(context, loss_objective_create_callback(&objective, context, LOSS_FLOAT64, N, misfit, NULL, &calls));
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
    printf("\n         lbfgs finds %.1f counts/min² at most, %.1f untreated\n", 100 * x[0], 100 * x[2]);

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
forward    5 values, derivatives up to 2864 off by 1e-05
         lbfgs finds 212.7 counts/min² at most, 160.3 untreated
central    9 values, derivatives up to 2864 off by 9e-08
         lbfgs finds 212.7 counts/min² at most, 160.3 untreated
ridders   43 values, derivatives up to 2864 off by 2e-10, error bar 2e-10
         lbfgs finds 212.7 counts/min² at most, 160.3 untreated
 */
