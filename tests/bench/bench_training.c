/*
 * Seconds of training linear models until (F − F*)/F* ≤ 1e-6: F = mean loss + λ/2 ‖w‖², no intercept, from w = 0.
 *
 *     bench_training DATA [--loss NAME] [--strength λ] [--float32] [--threads N] [--rows N] [--optimum F] [--finder METHOD]
 *                    [--epochs N] [--point FILE] [--json] [METHOD[:option=value…]]…
 *
 * DATA is digits or a directory, training_task.h; Fashion-MNIST is the Debian package dataset-fashion-mnist. The loss is
 * cross_entropy, λ = 1e-4, the type float64 unless said. F* is found by the finder (newton_cg), unless it is told, and printed with
 * what it may at most be above the minimum, ‖∇F‖²/(2λ). Without methods: those an objective like this one is for, by their defaults;
 * none where a finder is named. Each is run three times, more often while half a second lasts, and once where that is longer than 15
 * seconds. The seconds are from arrays in memory to the point: making objective and optimizer is in them, reading the data is not.
 *
 * preconditioner=block is the linear model's block, asked for by preconditioner=user.
 *
 * --epochs N instead lets stochastic methods make so many passes, and counts samples a second. --point FILE gets the last point as plain
 * numbers, F*'s where there is no method. --json prints an object a line with, besides, megabytes: the most memory that a run
 * had, less what there was before the first.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"
#include "training_task.h"

enum { REPEATS = 3, MOST_REPEATS = 200, MOST_NAMES = 16 };
static const double gap = 1e-6, optimum_gap = 1e-10, short_seconds = 0.5, long_seconds = 15,
                    most_seconds = 120;
static const char *const defaults[] = {"lbfgs", "conjugate_gradient", "newton_cg",
                                       "newton_cg:preconditioner=user",
                                       "trust_region_cg:preconditioner=user"};

typedef struct settings {
    training_task task;
    const char *source, *finder, *point;
    const char *names[MOST_NAMES];
    int count, known, json;
    double optimum;
    int64_t threads, epochs;
} settings;

/* What a method took. */
typedef struct taken {
    double smallest, largest, times[MOST_REPEATS], value, megabytes;
    int repeats;
    int64_t iterations, gradients, products, hessians; /* gradients: with their values */
    const char *outcome;
} taken;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int of_block(const char *name)
{
    return strstr(name, ":preconditioner=block") != NULL;
}

/* An optimizer by a name that options may follow, each as :option=value, a number where it can be one. */
static loss_optimizer *create(const settings *s, const char *name, int64_t dimension)
{
    char copy[256];
    loss_context *context = s->task.context;
    loss_optimizer *optimizer;
    snprintf(copy, sizeof copy, "%s", name);
    char *option = strchr(copy, ':');
    if (option != NULL) {
        *option++ = '\0';
    }
    bench_must(context, loss_optimizer_create(&optimizer, context, copy, s->task.dtype, dimension));
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
        value = strcmp(value, "block") == 0 ? "user" : value;
        const double number = strtod(value, &end);
        if (*end != '\0' || end == value) {
            bench_must(context, loss_optimizer_set_string(optimizer, option, value));
        } else if (number != floor(number) ||
                   loss_optimizer_set_int(optimizer, option, (int64_t)number) < 0) {
            bench_must(context, loss_optimizer_set_double(optimizer, option, number));
        }
        option = next;
    }
    return optimizer;
}

/* Strongly convex as F is, F − F* ≤ ‖∇F‖²/(2λ). */
static void find_optimum(settings *s, double *x)
{
    loss_context *context = s->task.context;
    loss_objective *objective = training_objective(&s->task, of_block(s->finder));
    const int64_t n = loss_objective_dimension(objective);
    double *gradient = calloc((size_t)n, sizeof *gradient);
    double value = NAN, bound = INFINITY;
    const double start = now();
    for (double tolerance = 1e-7; gradient != NULL && tolerance > 1e-12 && !(bound <= optimum_gap);
         tolerance /= 10) {
        loss_optimizer *optimizer = create(s, s->finder, n);
        double squares = 0;
        bench_must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", tolerance));
        bench_must(context, loss_optimizer_minimize(optimizer, objective, x));
        loss_optimizer_free(optimizer);
        bench_must(context, loss_objective_evaluate(objective, x, &value, gradient));
        for (int64_t i = 0; i < n; i++) {
            squares += gradient[i] * gradient[i];
        }
        bound = squares / (2 * s->task.strength) / value;
    }
    free(gradient);
    loss_objective_free(objective);
    printf(s->json ? "{\"optimum\": %.17g, \"bound\": %.3e, \"seconds\": %.3f}\n"
                   : "F* = %.17g, at most %.1e of it above the minimum, in %.2f s\n",
           value, bound, now() - start);
    fflush(stdout);
    s->optimum = value;
}

/* Once, from the arrays to the point, and what it took. */
static double run(const settings *s, const char *name, void *x, taken *t)
{
    loss_context *context = s->task.context;
    const double start = now();
    loss_objective *objective = training_objective(&s->task, of_block(name));
    loss_optimizer *optimizer = create(s, name, loss_objective_dimension(objective));
    if (s->epochs > 0) {
        bench_must(context, loss_optimizer_set_int(optimizer, "epochs", s->epochs));
        bench_must(context, loss_optimizer_set_int(optimizer, "evaluate_every", 0));
    } else {
        bench_must(context, loss_optimizer_set_double(optimizer, "target_value", s->optimum * (1 + gap)));
        bench_must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 0));
    }
    bench_must(context, loss_optimizer_set_double(optimizer, "max_seconds", most_seconds));
    const loss_status status = loss_optimizer_minimize(optimizer, objective, x);
    const double seconds = now() - start;
    bench_must(context, status);
    t->outcome = loss_status_message(status);
    bench_must(context, loss_objective_evaluate(objective, x, &t->value, NULL));
    loss_optimizer_get_int(optimizer, "iterations", &t->iterations);
    loss_optimizer_get_int(optimizer, "gradient_evaluations", &t->gradients);
    loss_optimizer_get_int(optimizer, "hessian_products", &t->products);
    loss_optimizer_get_int(optimizer, "hessians", &t->hessians);
    loss_optimizer_free(optimizer);
    loss_objective_free(objective);
    return seconds;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const settings *s, const char *name, const taken *t)
{
    const double off = s->optimum > 0 ? (t->value - s->optimum) / s->optimum : NAN,
                 middle = t->times[t->repeats / 2], rate = (double)(s->task.rows * s->epochs) / t->smallest;
    if (s->json) {
        printf("{\"method\": \"%s\", \"seconds\": %.9f, \"median\": %.9f, \"repeats\": %d, \"iterations\": "
               "%lld, "
               "\"gradients\": %lld, \"products\": %lld, \"hessians\": %lld, \"value\": %.17g, "
               "\"megabytes\": %.2f, \"samples_per_second\": %.6g, \"outcome\": \"%s\"}\n",
               name, t->smallest, middle, t->repeats, (long long)t->iterations, (long long)t->gradients,
               (long long)t->products, (long long)t->hessians, t->value, t->megabytes, rate, t->outcome);
    } else if (s->epochs > 0) {
        printf("%-36s %12.0f samples/s, F = %.8g\n", name, rate, t->value);
    } else {
        printf("%-36s %10.5f … %10.5f s %5lld iterations %5lld gradients %5lld products %3lld Hessians, gap "
               "%.1e, %.0f MB, %s\n",
               name, t->smallest, t->times[t->repeats - 1], (long long)t->iterations, (long long)t->gradients,
               (long long)t->products, (long long)t->hessians, off, t->megabytes, t->outcome);
    }
    fflush(stdout);
}

static void train(const settings *s, const char *name, void *x, int64_t size, double before)
{
    taken t = {.smallest = INFINITY};
    double sum = 0;
    training_forget_peak();
    while (t.repeats < REPEATS || (sum < short_seconds && t.repeats < MOST_REPEATS)) {
        memset(x, 0, (size_t)size);
        const double seconds = run(s, name, x, &t);
        t.times[t.repeats++] = seconds;
        t.smallest = fmin(t.smallest, seconds);
        sum += seconds;
        if (seconds > long_seconds) {
            break;
        }
    }
    t.megabytes = training_peak() - before;
    qsort(t.times, (size_t)t.repeats, sizeof *t.times, compare);
    print(s, name, &t);
}

static void write_point(const settings *s, const void *x, int64_t size)
{
    FILE *file = fopen(s->point, "wb");
    if (file == NULL || fwrite(x, 1, (size_t)size, file) != (size_t)size || fclose(file) != 0) {
        fprintf(stderr, "bench_training: cannot write %s\n", s->point);
        exit(1);
    }
}

static int usage(void)
{
    fputs("usage: bench_training digits|DIRECTORY [--loss NAME] [--strength λ] [--float32] [--threads N] "
          "[--rows N] "
          "[--optimum F] [--finder METHOD] [--epochs N] [--point FILE] [--json] [METHOD[:option=value…]]…\n",
          stderr);
    return 2;
}

/* 0: something is wrong with them. */
static int read_arguments(settings *s, int argc, char **argv)
{
    s->source = argc > 1 ? argv[1] : NULL;
    for (int i = 2; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(name, "--json") == 0) {
            s->json = 1;
        } else if (strcmp(name, "--float32") == 0) {
            s->task.dtype = LOSS_FLOAT32;
        } else if (strncmp(name, "--", 2) != 0) {
            if (s->count == MOST_NAMES) {
                return 0;
            }
            s->names[s->count++] = name;
        } else if (value == NULL) {
            return 0;
        } else if (i++, strcmp(name, "--threads") == 0) {
            s->threads = strtoll(value, NULL, 10);
        } else if (strcmp(name, "--rows") == 0) {
            s->task.most_rows = strtoll(value, NULL, 10);
        } else if (strcmp(name, "--optimum") == 0) {
            s->optimum = strtod(value, NULL);
            s->known = 1;
        } else if (strcmp(name, "--loss") == 0) {
            s->task.loss = value;
        } else if (strcmp(name, "--strength") == 0) {
            s->task.strength = strtod(value, NULL);
        } else if (strcmp(name, "--finder") == 0) {
            s->finder = value;
        } else if (strcmp(name, "--epochs") == 0) {
            s->epochs = strtoll(value, NULL, 10);
        } else if (strcmp(name, "--point") == 0) {
            s->point = value;
        } else {
            return 0;
        }
    }
    return s->source != NULL;
}

int main(int argc, char **argv)
{
    settings s = {.task = {.strength = 1e-4, .most_rows = INT64_MAX, .dtype = LOSS_FLOAT64}, .threads = 1};
    if (!read_arguments(&s, argc, argv)) {
        return usage();
    }
    bench_must(NULL, loss_context_create(&s.task.context));
    bench_must(s.task.context, loss_context_set_int(s.task.context, "threads", s.threads));
    training_read(&s.task, s.source);
    const int64_t size = s.task.features * s.task.outputs * (s.task.dtype == LOSS_FLOAT64 ? 8 : 4);
    void *x = calloc(1, (size_t)size);
    if (x == NULL) {
        bench_must(NULL, LOSS_ERROR_MEMORY);
    }
    const double before = training_memory();
    const int only_finds = s.finder != NULL && s.count == 0;
    s.finder = s.finder != NULL ? s.finder : "newton_cg";
    if (!s.known && s.epochs == 0) {
        find_optimum(&s, x);
    }
    const int standard = (int)(sizeof defaults / sizeof *defaults);
    for (int i = 0; !only_finds && i < (s.count > 0 ? s.count : standard); i++) {
        train(&s, s.count > 0 ? s.names[i] : defaults[i], x, size, before);
    }
    if (s.point != NULL) {
        write_point(&s, x, size);
    }
    free(x);
    training_free(&s.task);
    loss_context_free(s.task.context);
    return 0;
}
