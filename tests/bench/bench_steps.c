/*
 * How fast the steps of stochastic methods are: one step of n parameters through ask and tell, beside passes that move the
 * same bytes.
 *
 *     bench_steps [--threads N] [--elements N] [--only NAME]
 *
 * One JSON object a line:
 *   optimizer, dtype, n, threads, isa
 *   bytes     an element that a step cannot do without: the gradient read, x and the method's vectors read and written
 *   ns        an element, the smallest of many steps, and gigabytes_per_second of those bytes
 *   pass_ns   of a loop that reads and writes as many vectors and adds, in turns with it
 *   ratio     ns / pass_ns
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/sum.h"
#include "measure.h"
#include "support.h"

enum { MOST_VECTORS = 4, TURNS = 7 };
static const double seconds = 0.1; /* a measurement lasts at least */

static const struct {
    const char *name, *option; /* an int option set to 1, NULL for none */
    int vectors;               /* of the method */
} methods[] = {
    {"sgd", NULL, 1},     {"sgd", "nesterov", 1},     {"adagrad", NULL, 1}, {"adadelta", NULL, 2},
    {"rmsprop", NULL, 1}, {"rmsprop", "centered", 2}, {"adam", NULL, 2},    {"adam", "amsgrad", 3},
    {"adamw", NULL, 2},   {"nadam", NULL, 2},         {"radam", NULL, 2},   {"lion", NULL, 1},
};

static int64_t elements = 10000000;
static int32_t threads = 1;
static const char *only, *isa = "";

/* ---- the same bytes ---- */

typedef struct pass_job {
    loss_context *context;
    int vectors, is_double;
    void *gradient, *moved[MOST_VECTORS];
    lossi_cut cut;
} pass_job;

typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(16)));

/* A vector of every stream at a time, as a step does. What is behind the last whole one is too little to matter. */
static void pass_slice(void *argument, int64_t index, int32_t worker)
{
    const pass_job job = *(const pass_job *)argument;
    const int64_t begin = index * job.cut.slice_rows;
    int64_t end = begin + job.cut.slice_rows;
    (void)worker;
    end = end < job.cut.rows ? end : job.cut.rows;
    if (job.is_double) {
        const doubles *g = job.gradient;
        for (int64_t i = begin / 2; i < end / 2; i++) {
            for (int k = 0; k < job.vectors; k++) {
                ((doubles *)job.moved[k])[i] += g[i];
            }
        }
    } else {
        const floats *g = job.gradient;
        for (int64_t i = begin / 4; i < end / 4; i++) {
            for (int k = 0; k < job.vectors; k++) {
                ((floats *)job.moved[k])[i] += g[i];
            }
        }
    }
}

static void run_pass(void *argument)
{
    pass_job *job = argument;
    lossi_parallel(job->context, job->cut.slices, pass_slice, job);
}

/* ---- a step ---- */

typedef struct step_job {
    loss_context *context;
    loss_optimizer *optimizer;
    const void *gradient;
} step_job;

static void run_step(void *argument)
{
    const step_job *job = argument;
    int32_t request = LOSS_REQUEST_DONE;
    bench_must(job->context, loss_optimizer_ask(job->optimizer, &request));
    bench_must(job->context, loss_optimizer_tell_gradient(job->optimizer, 0.5, job->gradient));
}

static void fill(void *vector, int is_double, double low)
{
    for (int64_t i = 0; i < elements; i++) {
        const double value = low + 1e-3 * (double)(i % 1009);
        if (is_double) {
            ((double *)vector)[i] = value;
        } else {
            ((float *)vector)[i] = (float)value;
        }
    }
}

static void *vector_of(int is_double, double low)
{
    void *vector = malloc((size_t)elements * (is_double ? sizeof(double) : sizeof(float)));
    if (vector == NULL) {
        bench_must(NULL, LOSS_ERROR_MEMORY);
    }
    fill(vector, is_double, low);
    return vector;
}

/* One evaluation, then batches for ever. */
static loss_optimizer *begin(loss_context *context, size_t k, int is_double, void *gradient)
{
    loss_optimizer *optimizer = NULL;
    bench_must(context, loss_optimizer_create(&optimizer, context, methods[k].name,
                                              is_double ? LOSS_FLOAT64 : LOSS_FLOAT32, elements));
    bench_must(context, loss_optimizer_set_int(optimizer, "samples", 1000));
    bench_must(context, loss_optimizer_set_int(optimizer, "batch_size", 1));
    bench_must(context, loss_optimizer_set_int(optimizer, "epochs", INT64_C(1) << 53));
    bench_must(context, loss_optimizer_set_int(optimizer, "evaluate_every", 0));
    if (methods[k].option != NULL) {
        bench_must(context, loss_optimizer_set_int(optimizer, methods[k].option, 1));
    }
    bench_must(context, loss_optimizer_start(optimizer, gradient));
    run_step(&(step_job){context, optimizer, gradient});
    return optimizer;
}

static void measure(loss_context *context, size_t k, int is_double)
{
    const char *option = methods[k].option;
    void *gradient = vector_of(is_double, -0.5);
    pass_job pass = {.context = context,
                     .vectors = methods[k].vectors + 1,
                     .is_double = is_double,
                     .gradient = gradient,
                     .cut = lossi_cut_rows(elements, 1)};
    for (int i = 0; i < pass.vectors; i++) {
        pass.moved[i] = vector_of(is_double, 0.1);
    }
    step_job step = {context, begin(context, k, is_double, gradient), gradient};
    bench_action actions[] = {{.run = run_step, .argument = &step}, {.run = run_pass, .argument = &pass}};
    bench_measure(actions, 2, seconds, TURNS);
    const double ns = 1e9 * actions[0].smallest / (double)elements;
    const double pass_ns = 1e9 * actions[1].smallest / (double)elements;
    const int bytes = (2 * pass.vectors + 1) * (is_double ? 8 : 4);
    printf(
        "{\"optimizer\": \"%s%s%s\", \"dtype\": \"%s\", \"n\": %lld, \"threads\": %d, \"isa\": \"%s\", "
        "\"bytes\": %d, \"ns\": %.3f, \"gigabytes_per_second\": %.2f, \"pass_ns\": %.3f, \"ratio\": %.3f}\n",
        methods[k].name, option != NULL ? " " : "", option != NULL ? option : "",
        is_double ? "float64" : "float32", (long long)elements, (int)threads, isa, bytes, ns, bytes / ns,
        pass_ns, ns / pass_ns);
    fflush(stdout);
    loss_optimizer_free(step.optimizer);
    for (int i = 0; i < pass.vectors; i++) {
        free(pass.moved[i]);
    }
    free(gradient);
}

int main(int argc, char **argv)
{
    loss_context *context = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0) {
            threads = (int32_t)strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--elements") == 0) {
            elements = strtoll(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[i + 1];
        }
    }
    bench_must(NULL, loss_context_create(&context));
    bench_must(context, loss_context_set_int(context, "threads", threads));
    bench_must(context, loss_context_get_string(context, "isa", &isa));
    for (size_t k = 0; k < sizeof methods / sizeof methods[0]; k++) {
        if (only == NULL || strcmp(only, methods[k].name) == 0) {
            measure(context, k, 0);
            measure(context, k, 1);
        }
    }
    loss_context_free(context);
    return 0;
}
