/*
 * A loss of your own, and what the library then does with it: a squared error for which too little costs more than too much.
 * Introduces loss_function_create_user(), loss_function_set_property(), loss_function_set_number(),
 * loss_function_best_constant().
 */
#include "must.h"

enum { ROWS = 8 };

/* Feet that cars needed to stop from 13 and 14 miles an hour (Ezekiel 1930), and what a rule of thumb says, speed²/5. */
static const double needed[ROWS] = {26, 34, 34, 46, 26, 36, 60, 80};
static const double rule[ROWS] = {33.8, 33.8, 33.8, 33.8, 39.2, 39.2, 39.2, 39.2};

/* Called with whole blocks; knows nothing of weights, masks or strides. Only float64 here: anything else is refused. */
static int32_t uneven(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                      void *value, void *gradient, void *curvature)
{
    const double factor = *(const double *)user, *p = prediction, *t = target;
    double *v = value, *g = gradient, *c = curvature;
    if (dtype != LOSS_FLOAT64) {
        return 1; /* read back with loss_context_error_callback() */
    }
    for (int64_t i = 0; i < n; i++) {
        const double r = p[i] - t[i], weight = r < 0 ? factor : 1;
        v[i] = weight * r * r;
        if (g != NULL) {
            g[i] = 2 * weight * r;
        }
        if (c != NULL) {
            c[i] = 2 * weight;
        }
    }
    return 0;
}

int main(void)
{
    double factor = 3, gradient[ROWS], cost, constant;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *own;
    must(context, loss_function_create_user(&own, context, "uneven", uneven, &factor, NULL));

    /* What is known should be said: solvers count on it. */
    must(context, loss_function_set_property(own, "convex", 1));
    must(context, loss_function_set_number(own, "minimum", 0));
    must(context, loss_function_set_number(own, "continuous_derivatives", 1));
    must(context, loss_function_set_number(own, "curvature_bound", 2 * factor));

    must(context, loss_function_cost_float64(context, own, ROWS, rule, needed, &cost, gradient));
    printf("cost %.5f\n", cost);
    for (int i = 0; i < ROWS; i++) {
        printf("%8.5f\n", gradient[i]);
    }

    /* The best constant lies above the mean, 42.75. */
    loss_data *data;
    must(context, loss_data_create(&data, context));
    must(context, loss_data_set_input(data, "target", needed, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_function_best_constant(context, own, data, 1, &constant));
    printf("best constant %.5f\n", constant);

    loss_data_free(data);
    loss_function_free(own);
    loss_context_free(context);
    return 0;
}

/* Prints:
cost 872.99000
 1.95000
-0.15000
-0.15000
-9.15000
 3.30000
 0.80000
-15.60000
-30.60000
best constant 51.83333
 */
