/*
 * Seconds of training softmax regression until (F − F*)/F* ≤ 1e-6: F = mean cross-entropy + λ/2 ‖w‖², λ = 1e-4, no intercept,
 * float64, from w = 0.
 *
 *     bench_training digits|DIRECTORY [--threads N] [--rows N] [--optimum F] [OPTIMIZER[:option=value…]]…
 *
 * digits are the 1797 of tests/data, their pixels divided by 16; DIRECTORY has the IDX files of MNIST or one of its kin, whose
 * pixels are divided by 255, of the first --rows pictures (Fashion-MNIST is the Debian package dataset-fashion-mnist). F* is found by newton_cg, unless it is
 * told, and printed with what it may at most be above the minimum, ‖∇F‖²/(2λ). Without names: the methods an objective like
 * this one is for, by their defaults. Each is run up to three times, as long as it takes less than 15 seconds; one line each:
 * seconds (the smallest, and the largest), iterations, evaluations, Hessian products, the outcome. Reading the data is not in it.
 */
#include <loss/io.h>
#include <loss/loss.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASSES = 10, REPEATS = 3, MOST_NAMES = 16 };
static const double strength = 1e-4, gap = 1e-6, optimum_gap = 1e-10, long_seconds = 15, most_seconds = 120;
static const char *const defaults[] = {"lbfgs", "conjugate_gradient", "newton_cg",
                                       "newton_cg:preconditioner=user",
                                       "trust_region_cg:preconditioner=user"};

typedef struct problem {
    loss_context *context;
    int64_t rows, features, n;
    double *x;
    int64_t *labels;
    loss_objective *objective;
    double *parameters, *gradient;
} problem;

static void must(loss_context *context, loss_status status)
{
    if (status < 0) {
        fprintf(stderr, "bench_training: %s\n", context != NULL ? loss_context_error(context) : "no memory");
        exit(1);
    }
}

static void *memory(int64_t count)
{
    void *made = calloc((size_t)count, 8);
    if (made == NULL) {
        must(NULL, LOSS_ERROR_MEMORY);
    }
    return made;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the data ---- */

static void read_digits(problem *p)
{
    loss_table *table;
    loss_classes *classes;
    must(p->context, loss_table_read_csv(&table, p->context, BENCH_DATA "/digits.csv", 1, ','));
    p->rows = loss_table_row_count(table);
    p->features = loss_table_column_count(table) - 1;
    p->x = memory(p->rows * p->features);
    p->labels = memory(p->rows);
    for (int64_t j = 0; j < p->features; j++) {
        must(p->context, loss_table_get_column_double(table, p->context, j, p->x + j, p->features));
    }
    for (int64_t i = 0; i < p->rows * p->features; i++) {
        p->x[i] /= 16;
    }
    must(p->context, loss_classes_create(&classes, p->context, table, p->features));
    must(p->context, loss_classes_get_labels(classes, p->context, table, p->features, p->labels, 1));
    loss_classes_free(classes);
    loss_table_free(table);
}

static loss_array *read_idx(loss_context *context, const char *directory, const char *name)
{
    char path[1024];
    loss_array *array;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    must(context, loss_array_read_idx(&array, context, path, NULL, NULL));
    return array;
}

static void read_pictures(problem *p, const char *directory, int64_t most)
{
    loss_array *pixels = read_idx(p->context, directory, "train-images-idx3-ubyte.gz"),
               *labels = read_idx(p->context, directory, "train-labels-idx1-ubyte.gz");
    const unsigned char *from = loss_array_values(pixels), *kinds = loss_array_values(labels);
    p->rows = loss_array_row_count(pixels) < most ? loss_array_row_count(pixels) : most;
    p->features = loss_array_column_count(pixels);
    p->x = memory(p->rows * p->features);
    p->labels = memory(p->rows);
    for (int64_t i = 0; i < p->rows * p->features; i++) {
        p->x[i] = from[i] / 255.0;
    }
    for (int64_t i = 0; i < p->rows; i++) {
        p->labels[i] = kinds[i];
    }
    loss_array_free(pixels);
    loss_array_free(labels);
}

static void make_objective(problem *p)
{
    loss_function *function;
    loss_data *data;
    loss_penalty *penalty;
    loss_context *context = p->context;
    must(context, loss_function_create(&function, context, "cross_entropy"));
    must(context, loss_data_create(&data, context));
    must(context,
         loss_data_set_input(data, "features", p->x, LOSS_FLOAT64, p->rows, p->features, p->features, 1));
    must(context, loss_data_set_input(data, "target", p->labels, LOSS_INT64, p->rows, 1, 1, 1));
    must(context, loss_penalty_create(&penalty, context, "l2"));
    must(context, loss_penalty_set_double(penalty, "strength", strength));
    must(context, loss_objective_create_linear(&p->objective, context, function, data));
    must(context, loss_objective_set_int(p->objective, "intercept", 0));
    must(context, loss_objective_set_int(p->objective, "outputs", CLASSES));
    must(context, loss_objective_add_penalty(p->objective, penalty));
    must(context, loss_objective_prepare(p->objective));
    loss_penalty_free(penalty);
    loss_data_free(data);
    loss_function_free(function);
    p->n = loss_objective_dimension(p->objective);
    p->parameters = memory(p->n);
    p->gradient = memory(p->n);
}

/* ---- training ---- */

/* An optimizer by a name that options may follow, each as :option=value, a number where it can be one. */
static loss_optimizer *create(const problem *p, const char *name)
{
    char copy[256];
    loss_optimizer *optimizer;
    snprintf(copy, sizeof copy, "%s", name);
    char *option = strchr(copy, ':');
    if (option != NULL) {
        *option++ = '\0';
    }
    must(p->context, loss_optimizer_create(&optimizer, p->context, copy, LOSS_FLOAT64, p->n));
    while (option != NULL) {
        char *next = strchr(option, ':'), *value = strchr(option, '='), *end;
        if (next != NULL) {
            *next++ = '\0';
        }
        if (value == NULL) {
            fprintf(stderr, "bench_training: '%s' has no value\n", option);
            exit(1);
        }
        *value++ = '\0';
        const double number = strtod(value, &end);
        if (*end != '\0' || end == value) {
            must(p->context, loss_optimizer_set_string(optimizer, option, value));
        } else if (loss_optimizer_set_int(optimizer, option, (int64_t)number) < 0) {
            must(p->context, loss_optimizer_set_double(optimizer, option, number));
        }
        option = next;
    }
    must(p->context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 0));
    return optimizer;
}

static double squared_norm(int64_t n, const double *x)
{
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        squares += x[i] * x[i];
    }
    return squares;
}

/* Strongly convex as F is, F − F* ≤ ‖∇F‖²/(2λ). */
static double find_optimum(problem *p)
{
    double value, bound = INFINITY;
    const double start = now();
    for (double tolerance = 1e-7; tolerance > 1e-12 && !(bound <= optimum_gap); tolerance /= 10) {
        loss_optimizer *optimizer = create(p, "newton_cg");
        must(p->context, loss_optimizer_set_double(optimizer, "gradient_tolerance", tolerance));
        must(p->context, loss_optimizer_minimize(optimizer, p->objective, p->parameters));
        loss_optimizer_free(optimizer);
        must(p->context, loss_objective_evaluate(p->objective, p->parameters, &value, p->gradient));
        bound = squared_norm(p->n, p->gradient) / (2 * strength) / value;
    }
    printf("F* = %.16g, at most %.1e of it above the minimum, in %.2f s\n", value, bound, now() - start);
    fflush(stdout);
    return value;
}

static void train(problem *p, const char *name, double optimum)
{
    double smallest = INFINITY, largest = 0, value = 0;
    int64_t iterations = 0, evaluations = 0, products = 0;
    const char *outcome = "";
    for (int i = 0; i < REPEATS && largest < long_seconds; i++) {
        loss_optimizer *optimizer = create(p, name);
        must(p->context, loss_optimizer_set_double(optimizer, "target_value", optimum * (1 + gap)));
        must(p->context, loss_optimizer_set_double(optimizer, "max_seconds", most_seconds));
        memset(p->parameters, 0, (size_t)p->n * sizeof *p->parameters);
        const double start = now();
        const loss_status status = loss_optimizer_minimize(optimizer, p->objective, p->parameters);
        const double taken = now() - start;
        must(p->context, status);
        outcome = loss_status_message(status);
        smallest = fmin(smallest, taken);
        largest = fmax(largest, taken);
        loss_optimizer_get_int(optimizer, "iterations", &iterations);
        loss_optimizer_get_int(optimizer, "evaluations", &evaluations);
        loss_optimizer_get_int(optimizer, "hessian_products", &products);
        loss_optimizer_free(optimizer);
    }
    must(p->context, loss_objective_evaluate(p->objective, p->parameters, &value, NULL));
    printf("%-36s %9.4f … %9.4f s %6lld iterations %6lld evaluations %6lld products, gap %.1e, %s\n", name,
           smallest, largest, (long long)iterations, (long long)evaluations, (long long)products,
           (value - optimum) / optimum, outcome);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *names[MOST_NAMES];
    int count = 0, known = 0;
    int64_t threads = 1, most = INT64_MAX;
    double optimum = 0;
    problem p = {0};
    if (argc < 2) {
        fputs("usage: bench_training digits|DIRECTORY [--threads N] [--rows N] [--optimum F] "
              "[OPTIMIZER[:option=value…]]…\n",
              stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc) {
            most = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--optimum") == 0 && i + 1 < argc) {
            optimum = strtod(argv[++i], NULL);
            known = 1;
        } else if (count < MOST_NAMES) {
            names[count++] = argv[i];
        }
    }
    must(NULL, loss_context_create(&p.context));
    must(p.context, loss_context_set_int(p.context, "threads", threads));
    if (strcmp(argv[1], "digits") == 0) {
        read_digits(&p);
    } else {
        read_pictures(&p, argv[1], most);
    }
    make_objective(&p);
    optimum = known ? optimum : find_optimum(&p);
    for (int i = 0; i < (count > 0 ? count : (int)(sizeof defaults / sizeof *defaults)); i++) {
        train(&p, count > 0 ? names[i] : defaults[i], optimum);
    }
    loss_objective_free(p.objective);
    loss_context_free(p.context);
    free(p.x);
    free(p.labels);
    free(p.parameters);
    free(p.gradient);
    return 0;
}
