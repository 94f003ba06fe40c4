/*
 * How fast the losses are: value and gradient of every loss, in ns per element, beside what memory allows in the same run.
 *
 *     bench_losses [--quick] [--threads N] [--only NAME]
 *
 * One JSON object a line: loss, dtype, rows, columns, threads, isa, ns (median), ns_minimum, ns_maximum, memory_ns (reading
 * the inputs and writing the gradient once, the better of ordinary and streaming stores), compute_ns (the exp, log and log1p
 * calls the formula needs, from the first-level cache), and the ratios to memory_ns and to the larger of the two.
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "limits.h"

enum { MOST = 16000000, RUNS = 9, HOT = 2048 };

static void *arrays[3]; /* MOST doubles each */
static int64_t *labels;
static loss_context *context;
static double shortest = 0.02; /* seconds a measurement lasts at least */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct figure {
    double median, minimum, maximum;
} figure;

typedef void (*action)(void *argument);

/* Seconds one action takes: repeated until a run lasts long enough, the median of several runs. */
static figure measure(action act, void *argument)
{
    double seconds[RUNS];
    int64_t repeats = 1;
    act(argument);
    for (;; repeats *= 2) {
        double start = now();
        for (int64_t i = 0; i < repeats; i++) {
            act(argument);
        }
        if (now() - start > shortest) {
            break;
        }
    }
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        for (int64_t i = 0; i < repeats; i++) {
            act(argument);
        }
        seconds[run] = (now() - start) / (double)repeats;
    }
    qsort(seconds, RUNS, sizeof *seconds, compare);
    return (figure){seconds[RUNS / 2], seconds[0], seconds[RUNS - 1]};
}

/* ---- limits ---- */

typedef struct pass_job {
    bench_pass pass;
    int64_t n;
} pass_job;

static void run_pass(void *argument)
{
    const pass_job *job = argument;
    job->pass(job->n, arrays[0], arrays[1], arrays[2]);
}

static double pass_ns(bench_pass pass, int64_t n)
{
    pass_job job = {pass, n / 64 * 64};
    return measure(run_pass, &job).median * 1e9 / (double)job.n;
}

static double memory_ns(const bench_limits *limits, int64_t n, int with_labels)
{
    double plain = pass_ns(with_labels ? limits->read_one_write_one : limits->read_two_write_one, n);
    double streamed = pass_ns(with_labels ? limits->read_one_stream_one : limits->read_two_stream_one, n);
    return plain < streamed ? plain : streamed;
}

/* Calls of exp, log and log1p an element of the formula needs. */
static double compute_ns(const bench_limits *limits, const char *loss)
{
    if (strcmp(loss, "logistic") == 0) {
        return pass_ns(limits->exp, HOT) + pass_ns(limits->log1p, HOT);
    }
    if (strcmp(loss, "binary_cross_entropy") == 0) {
        return pass_ns(limits->log, HOT) + pass_ns(limits->log1p, HOT);
    }
    return strcmp(loss, "cross_entropy") == 0 ? pass_ns(limits->exp, HOT) : 0;
}

/* ---- losses ---- */

typedef struct loss_job {
    loss_function *function;
    int bits;
    int64_t rows, columns;
    double cost;
} loss_job;

static void run_loss(void *argument)
{
    loss_job *j = argument;
    loss_status status;
    if (j->columns > 1 && j->bits == 32) {
        status = loss_function_cost_labels_float32(context, j->function, j->rows, j->columns, arrays[0],
                                                   labels, &j->cost, arrays[2]);
    } else if (j->columns > 1) {
        status = loss_function_cost_labels_float64(context, j->function, j->rows, j->columns, arrays[0],
                                                   labels, &j->cost, arrays[2]);
    } else if (j->bits == 32) {
        status = loss_function_cost_float32(context, j->function, j->rows, arrays[0], arrays[1], &j->cost,
                                            arrays[2]);
    } else {
        status = loss_function_cost_float64(context, j->function, j->rows, arrays[0], arrays[1], &j->cost,
                                            arrays[2]);
    }
    if (status != LOSS_OK) {
        fprintf(stderr, "%s\n", loss_context_error(context));
        exit(1);
    }
}

static int32_t property(const loss_function *function, const char *name)
{
    int32_t value = 0;
    loss_function_property(function, name, &value);
    return value;
}

/* Predictions and targets that the loss takes: logits, probabilities, signs. */
static void fill(const loss_function *function, int bits)
{
    static const int64_t piece = 1000;
    double u[2000];
    const int probabilities = strcmp(loss_function_name(function), "binary_cross_entropy") == 0;
    for (int64_t i = 0; i < MOST; i++) {
        if (i % piece == 0) {
            loss_random_uniform(1, 0, 2 * i, 2 * piece, u);
        }
        double prediction = u[2 * (i % piece)], target = u[2 * (i % piece) + 1];
        prediction = probabilities ? prediction : 8 * prediction - 4;
        target = property(function, "margin") ? (target < 0.5 ? -1 : 1) : target;
        if (bits == 32) {
            ((float *)arrays[0])[i] = (float)prediction;
            ((float *)arrays[1])[i] = (float)target;
        } else {
            ((double *)arrays[0])[i] = prediction;
            ((double *)arrays[1])[i] = target;
        }
    }
}

static void fill_labels(int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++) {
        labels[i] = (i * 7919) % columns; /* a prime: all classes, no pattern a branch could learn */
    }
}

static void bench(loss_function *function, int bits, int64_t rows, int64_t columns, int threads)
{
    const char *isa = "";
    loss_context_get_string(context, "isa", &isa);
    const bench_limits *limits = bench_limits_for(isa, bits);
    loss_job job = {function, bits, rows, columns, 0};
    double elements = (double)(rows * columns), ns = 1e9 / elements;

    double memory = memory_ns(limits, rows * columns, columns > 1);
    double compute = compute_ns(limits, loss_function_name(function));
    double limit = memory > compute ? memory : compute;
    figure f = measure(run_loss, &job);
    printf("{\"loss\": \"%s\", \"dtype\": \"float%d\", \"rows\": %lld, \"columns\": %lld, \"threads\": %d, "
           "\"isa\": \"%s\", "
           "\"ns\": %.4f, \"ns_minimum\": %.4f, \"ns_maximum\": %.4f, \"memory_ns\": %.4f, \"compute_ns\": "
           "%.4f, "
           "\"times_memory\": %.2f, \"times_limit\": %.2f}\n",
           loss_function_name(function), bits, (long long)rows, (long long)columns, threads, isa,
           f.median * ns, f.minimum * ns, f.maximum * ns, memory, compute, f.median * ns / memory,
           f.median * ns / limit);
    fflush(stdout);
}

static void bench_loss(const char *name, int bits, int threads)
{
    static const int64_t sizes[] = {10000, 1000000, MOST}, classes[] = {10, 1000};
    loss_function *function;
    if (loss_function_create(&function, context, name) != LOSS_OK) {
        return;
    }
    fill(function, bits);
    for (int i = 0; i < 3; i++) {
        if (property(function, "pointwise")) {
            bench(function, bits, sizes[i], 1, threads);
            continue;
        }
        for (int k = 0; k < 2; k++) {
            fill_labels(sizes[i] / classes[k], classes[k]);
            bench(function, bits, sizes[i] / classes[k], classes[k], threads);
        }
    }
    loss_function_free(function);
}

/* Large pages, where the system has them: the limit and the losses get the same. */
static void *map(int64_t bytes)
{
    void *pointer = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pointer == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    madvise(pointer, (size_t)bytes, MADV_HUGEPAGE);
    return memset(pointer, 0, (size_t)bytes);
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    int threads = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            shortest = 0.002;
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else {
            fprintf(stderr, "usage: bench_losses [--quick] [--threads N] [--only NAME]\n");
            return 2;
        }
    }
    for (int i = 0; i < 3; i++) {
        arrays[i] = map((int64_t)MOST * 8 + 4096);
    }
    labels = map((int64_t)MOST * 8);
    if (loss_context_create(&context) != LOSS_OK ||
        loss_context_set_int(context, "threads", threads) != LOSS_OK) {
        fprintf(stderr, "%s\n", loss_context_error(context));
        return 1;
    }
    for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
        const char *name = loss_function_catalogue_name(i);
        for (int bits = 32; bits <= 64 && (only == NULL || strcmp(only, name) == 0); bits += 32) {
            bench_loss(name, bits, threads);
        }
    }
    loss_context_free(context);
    return 0;
}
