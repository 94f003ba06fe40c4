/*
 * Times of a linear model with sparse features: value, value and gradient, Hessian product, against what the machine needs to
 * read the features, and to gather and scatter by them with nothing else to do; and of training it.
 *
 *     bench_sparse [threads]            a pass, in milliseconds
 *     bench_sparse train [optimizer…]   seconds until (F − F*)/F* ≤ 1e-6, F* by newton_cg
 *
 * The data are 200 000 rows among 100 000 columns (sparse_data.h). λ = 5e-6, no intercept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loss/loss.h"
#include "loss/random.h"
#include "measure.h"
#include "sparse_data.h"
#include "support.h"

enum { ROWS = 200000, COLUMNS = 100000, TURNS = 9 };
static const double strength = 5e-6, tolerance = 1e-6;

static void *zeros(int64_t count)
{
    return memset(bench_memory(count * 8), 0, (size_t)count * 8);
}

/* ---- the limits ---- */

typedef struct problem {
    bench_sparse_data data;
    loss_objective *objective;
    double *x, *direction, *gradient, *plain;
    double value;
} problem;

static void read_all(void *argument)
{
    problem *p = argument;
    p->value += bench_sparse_read(&p->data, 0, ROWS);
}

static void gather_and_scatter(void *argument)
{
    problem *p = argument;
    bench_sparse_gather(&p->data, 0, ROWS, p->x, p->plain);
}

/* ---- the model ---- */

static loss_objective *make_objective(loss_context *context, const bench_sparse_data *d)
{
    loss_function *function;
    loss_data *data;
    loss_penalty *penalty;
    loss_objective *objective;
    bench_must(context, loss_function_create(&function, context, "logistic"));
    bench_must(context, loss_data_create(&data, context));
    bench_must(context,
               loss_data_set_sparse_input(data, "features", ROWS, COLUMNS, d->offsets[ROWS], d->offsets,
                                          LOSS_INT64, d->indices, LOSS_INT32, d->values, LOSS_FLOAT64));
    bench_must(context, loss_data_set_input(data, "target", d->labels, LOSS_FLOAT64, ROWS, 1, 1, 1));
    bench_must(context, loss_penalty_create(&penalty, context, "l2"));
    bench_must(context, loss_penalty_set_double(penalty, "strength", strength));
    bench_must(context, loss_objective_create_linear(&objective, context, function, data));
    bench_must(context, loss_objective_set_int(objective, "intercept", 0));
    bench_must(context, loss_objective_add_penalty(objective, penalty));
    bench_must(context, loss_objective_prepare(objective));
    loss_penalty_free(penalty);
    loss_data_free(data);
    loss_function_free(function);
    return objective;
}

static void value(void *argument)
{
    problem *p = argument;
    loss_objective_evaluate(p->objective, p->x, &p->value, NULL);
}

static void value_and_gradient(void *argument)
{
    problem *p = argument;
    loss_objective_evaluate(p->objective, p->x, &p->value, p->gradient);
}

static void product(void *argument)
{
    problem *p = argument;
    loss_objective_hessian_product(p->objective, p->x, p->direction, p->gradient);
}

static void measure(problem *p)
{
    static const char *const names[] = {"read the features", "gather and scatter", "value",
                                        "value and gradient", "Hessian product"};
    bench_action actions[] = {{.run = read_all, .argument = p},
                              {.run = gather_and_scatter, .argument = p},
                              {.run = value, .argument = p},
                              {.run = value_and_gradient, .argument = p},
                              {.run = product, .argument = p}};
    enum { ACTIONS = sizeof actions / sizeof *actions };
    bench_measure(actions, ACTIONS, 0.02, TURNS);
    for (int i = 0; i < ACTIONS; i++) {
        printf("%-20s %8.2f ms %8.2f ms  %5.2f of reading  %5.2f of gathering and scattering\n", names[i],
               1e3 * actions[i].smallest, 1e3 * actions[i].median, actions[i].smallest / actions[0].smallest,
               actions[i].smallest / actions[1].smallest);
    }
}

/* ---- training ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs until the target or the end; gives the value reached. */
static double train(loss_context *context, problem *p, const char *name, double target)
{
    loss_optimizer *optimizer;
    int64_t evaluations = 0, products = 0, iterations = 0;
    bench_must(context, loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, COLUMNS));
    bench_must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 0));
    if (strcmp(name, "newton_cg") == 0 || strcmp(name, "trust_region_cg") == 0) {
        bench_must(context, loss_optimizer_set_string(optimizer, "preconditioner", "user"));
    }
    if (target > 0) {
        bench_must(context, loss_optimizer_set_double(optimizer, "target_value", target));
    } else {
        bench_must(context, loss_optimizer_set_int(optimizer, "max_iterations", 40));
    }
    memset(p->x, 0, COLUMNS * sizeof *p->x);
    const double start = now();
    const loss_status outcome = loss_optimizer_minimize(optimizer, p->objective, p->x);
    const double seconds = now() - start;
    bench_must(context, loss_objective_evaluate(p->objective, p->x, &p->value, NULL));
    loss_optimizer_get_int(optimizer, "iterations", &iterations);
    loss_optimizer_get_int(optimizer, "evaluations", &evaluations);
    loss_optimizer_get_int(optimizer, "hessian_products", &products);
    printf("%-20s %8.3f s  %4lld iterations %4lld evaluations %4lld products  F = %.12g  %s\n", name, seconds,
           (long long)iterations, (long long)evaluations, (long long)products, p->value,
           loss_status_message(outcome));
    loss_optimizer_free(optimizer);
    return p->value;
}

int main(int count, char **arguments)
{
    loss_context *context;
    problem p = {0};
    const int training = count > 1 && strcmp(arguments[1], "train") == 0;
    if (!bench_sparse_make(&p.data, ROWS, COLUMNS)) {
        fputs("no memory\n", stderr);
        return 1;
    }
    bench_must(NULL, loss_context_create(&context));
    bench_must(context,
               loss_context_set_int(context, "threads", training || count < 2 ? 1 : atoi(arguments[1])));
    p.x = zeros(COLUMNS);
    p.direction = zeros(COLUMNS);
    p.gradient = zeros(COLUMNS);
    p.plain = zeros(COLUMNS);
    loss_random_uniform(7, 0, 0, COLUMNS, p.x);
    loss_random_uniform(7, 1, 0, COLUMNS, p.direction);
    const double start = now();
    p.objective = make_objective(context, &p.data);
    printf("%lld entries; prepared in %.2f ms\n", (long long)p.data.offsets[ROWS], 1e3 * (now() - start));
    if (training) {
        const double best = train(context, &p, "newton_cg", 0);
        for (int i = 2; i < count; i++) {
            train(context, &p, arguments[i], best * (1 + tolerance));
        }
    } else {
        measure(&p);
    }
    loss_objective_free(p.objective);
    loss_context_free(context);
    bench_sparse_free(&p.data);
    return 0;
}
