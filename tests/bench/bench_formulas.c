/*
 * How fast losses from a formula are: value and gradient in ns an element, in turns with the loss of the catalogue that computes
 * the same.
 *
 *     bench_formulas [--quick] [--only LOSS]
 *
 * One JSON object a line: loss, formula, dtype, elements, ns of the loss, formula_ns, and ratio, formula_ns / ns.
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum { MOST = 1000000 };

static const struct pair {
    const char *loss, *formula;
    int signs; /* targets are −1 and +1 */
} pairs[] = {
    {"squared_error", "formula:(p - y)^2", 0},
    {"huber", "formula:where(abs(p - y) <= d, (p - y)^2/2, d*(abs(p - y) - d/2)); d=1", 0},
    {"pseudo_huber", "formula:d^2*(sqrt(1 + ((p - y)/d)^2) - 1); d=1", 0},
    {"log_cosh", "formula:log(cosh(p - y))", 0},
    {"soft_margin", "formula:log(1 + exp(-y*p))", 1},
    {"logistic", "formula:log(1 + exp(p)) - y*p", 0},
    {"hinge", "formula:max(0, 1 - y*p)", 1},
    {"quantile", "formula:max(q*(y - p), (q - 1)*(y - p)); q=0.5", 0},
    {"cauchy", "formula:s^2/2*log(1 + ((p - y)/s)^2); s=1", 0},
    {"exponential", "formula:exp(-y*p)", 1},
    {"absolute_error", "formula:abs(p - y)", 0},
    {"epsilon_insensitive", "formula:max(0, abs(p - y) - epsilon); epsilon=0.1", 0},
    {"squared_hinge", "formula:max(0, 1 - y*p)^2", 1},
};

static double memory[3 * MOST];

typedef struct job {
    loss_context *context;
    loss_function *function;
    loss_dtype dtype;
    int64_t n;
} job;

static void run(void *argument)
{
    const job *j = argument;
    double cost;
    float *single = (float *)(void *)memory;
    const loss_status status = j->dtype == LOSS_FLOAT32
                                   ? loss_function_cost_float32(j->context, j->function, j->n, single,
                                                                single + MOST, &cost, single + 2 * MOST)
                                   : loss_function_cost_float64(j->context, j->function, j->n, memory,
                                                                memory + MOST, &cost, memory + 2 * MOST);
    if (status != LOSS_OK) {
        fprintf(stderr, "bench_formulas: %s\n", loss_context_error(j->context));
        exit(1);
    }
}

static void put(loss_dtype dtype, int64_t i, double number)
{
    if (dtype == LOSS_FLOAT32) {
        ((float *)(void *)memory)[i] = (float)number;
    } else {
        memory[i] = number;
    }
}

static void fill(loss_dtype dtype, int signs)
{
    uint32_t state = 12345;
    for (int64_t i = 0; i < MOST; i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes, 3rd ed., 7.1.4 */
        put(dtype, i, (double)(state >> 8) * 0x1p-22 - 2);
        state = state * 1664525u + 1013904223u;
        put(dtype, MOST + i, signs ? (state >> 31 ? 1 : -1) : (double)(state >> 8) * 0x1p-24);
    }
}

static void measure(loss_context *context, const struct pair *pair, loss_dtype dtype, int64_t n,
                    double seconds)
{
    job jobs[2] = {{context, NULL, dtype, n}, {context, NULL, dtype, n}};
    bench_action actions[2] = {{.run = run, .argument = &jobs[0]}, {.run = run, .argument = &jobs[1]}};
    if (loss_function_create(&jobs[0].function, context, pair->loss) ||
        loss_function_create(&jobs[1].function, context, pair->formula)) {
        fprintf(stderr, "bench_formulas: %s\n", loss_context_error(context));
        exit(1);
    }
    fill(dtype, pair->signs);
    bench_measure(actions, 2, seconds, 15);
    const double ns = actions[0].smallest / (double)n * 1e9,
                 formula_ns = actions[1].smallest / (double)n * 1e9;
    printf("{\"loss\": \"%s\", \"formula\": \"%s\", \"dtype\": \"%s\", \"elements\": %lld, \"ns\": %.4f, "
           "\"formula_ns\": %.4f, \"ratio\": %.2f}\n",
           pair->loss, pair->formula, loss_dtype_name(dtype), (long long)n, ns, formula_ns, formula_ns / ns);
    loss_function_free(jobs[0].function);
    loss_function_free(jobs[1].function);
}

int main(int argc, char **argv)
{
    double seconds = 0.02;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        seconds = strcmp(argv[i], "--quick") == 0 ? 0.002 : seconds;
        only = strcmp(argv[i], "--only") == 0 && i + 1 < argc ? argv[i + 1] : only;
    }
    loss_context *context;
    if (loss_context_create(&context)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (only != NULL && strcmp(only, pairs[i].loss) != 0) {
            continue;
        }
        measure(context, &pairs[i], LOSS_FLOAT32, 10000, seconds);
        measure(context, &pairs[i], LOSS_FLOAT64, 10000, seconds);
        measure(context, &pairs[i], LOSS_FLOAT32, MOST, seconds);
        measure(context, &pairs[i], LOSS_FLOAT64, MOST, seconds);
    }
    loss_context_free(context);
    return 0;
}
