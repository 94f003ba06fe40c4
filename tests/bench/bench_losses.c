/*
 * How fast the losses are: value and gradient of every loss of the catalogue, in ns an element, beside what the machine
 * allows in the same run.
 *
 *     bench_losses [--quick] [--threads N] [--only NAME]
 *
 * One JSON object a line. Those with "function" are the elementary functions that the rows name (elementary.h). The others
 * are losses:
 *   loss, dtype, rows, columns, threads, isa, pointwise
 *   ns             an element, the smallest of many runs, and ns_median
 *   memory_ns      reading the inputs and writing the gradient once, by ordinary stores or past the caches, in turns with it
 *   elementary_ns  the calls of exp, log … that the row names, in the fastest other library that errs by 1 ulp at most, from the first-level cache
 *   limit_ns, fraction   the larger of the two, and limit_ns / ns
 *   speedup        of more than one thread: the time of one divided by this
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "elementary.h"
#include "loss/handle.h"
#include "measure.h"
#include "passes.h"
#include "roles.h"

enum {
    MOST_CALLS = 8, /* of elementary functions an element */
    COUNTS = 2,     /* of threads that are measured */
    MOST_ROWS = 65536,
    CHUNK = 64,             /* elements, of which a pass takes a multiple */
    LEAST_PARALLEL = 100000 /* elements: smaller calls are done by one thread */
};

/* Elements of pointwise losses, shapes of the others. */
static const int64_t shapes[2][4][2] = {
    {{10000, 1}, {1000000, 1}, {16000000, 1}},
    {{65536, 10}, {8192, 1000}, {1024, 32000}, {256, 128256}},
};

static const double patience = 5; /* seconds: a shape at which one evaluation would take longer is left out */

static bench_arrays arrays;
static loss_context *contexts[COUNTS];
static int32_t threads[COUNTS] = {1, 2};
static double seconds = 0.02; /* a measurement lasts at least */
static int turns = 15;
static const char *isa = "";

/* ---- memory ---- */

typedef struct memory_job {
    bench_pass pass;
    loss_context *context;
    int32_t threads;
    int bits;
    int64_t chunks;
} memory_job;

static void run_part(void *argument, int64_t part, int32_t worker)
{
    const memory_job *j = argument;
    const int64_t first = j->chunks * part / j->threads, end = j->chunks * (part + 1) / j->threads;
    const int64_t offset = first * CHUNK * j->bits / 8;
    (void)worker;
    j->pass((end - first) * CHUNK, (char *)arrays.prediction + offset, (char *)arrays.target + offset,
            (char *)arrays.gradient + offset);
}

static void run_memory(void *argument)
{
    memory_job *j = argument;
    if (j->threads == 1) {
        run_part(j, 0, 0);
    } else {
        lossi_parallel(j->context, j->threads, run_part, j);
    }
}

/* ---- losses ---- */

typedef struct loss_job {
    loss_context *context;
    const loss_function *function;
    loss_data *inputs, *outputs; /* NULL where a short call does it */
    int bits, labels;
    int64_t rows, columns;
    double cost;
} loss_job;

static void run_loss(void *argument)
{
    loss_job *j = argument;
    const void *target = (j->function->row->flags & LOSSI_NO_TARGET) != 0 ? NULL : arrays.target;
    double denominator;
    loss_status status;
    if (j->inputs != NULL) {
        status = loss_function_evaluate(j->context, j->function, j->inputs, j->outputs, &j->cost,
                                        &denominator);
    } else if (j->labels && j->bits == 32) {
        status = loss_function_cost_labels_float32(j->context, j->function, j->rows, j->columns,
                                                   arrays.prediction, arrays.labels, &j->cost,
                                                   arrays.gradient);
    } else if (j->labels) {
        status = loss_function_cost_labels_float64(j->context, j->function, j->rows, j->columns,
                                                   arrays.prediction, arrays.labels, &j->cost,
                                                   arrays.gradient);
    } else if (j->bits == 32) {
        status = loss_function_cost_float32(j->context, j->function, j->rows, arrays.prediction, target,
                                            &j->cost, arrays.gradient);
    } else {
        status = loss_function_cost_float64(j->context, j->function, j->rows, arrays.prediction, target,
                                            &j->cost, arrays.gradient);
    }
    if (status != LOSS_OK) {
        fprintf(stderr, "%s\n", loss_context_error(j->context));
        exit(1);
    }
}

/* A loss over rows whose targets are numbers has no short call, and one with a structure none at all. */
static void make_data(loss_job *j, const bench_roles *roles)
{
    if (roles != NULL) {
        j->inputs = roles->inputs;
        j->outputs = roles->outputs;
        return;
    }
    const loss_dtype dtype = j->bits == 32 ? LOSS_FLOAT32 : LOSS_FLOAT64;
    loss_status status = loss_data_create(&j->inputs, j->context);
    if (status == LOSS_OK) {
        status = loss_data_create(&j->outputs, j->context);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_input(j->inputs, "prediction", arrays.prediction, dtype, j->rows, j->columns,
                                     j->columns, 1);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_input(j->inputs, "target", arrays.target, dtype, j->rows, j->columns,
                                     j->columns, 1);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_output(j->outputs, "gradient", arrays.gradient, dtype, j->rows, j->columns,
                                      j->columns, 1);
    }
    if (status != LOSS_OK) {
        fprintf(stderr, "%s\n", loss_context_error(j->context));
        exit(1);
    }
}

/* ---- the limit ---- */

static void print_elementary(const bench_elementary *e)
{
    printf("{\"function\": \"%s\", \"dtype\": \"float%d\", \"isa\": \"%s\"", e->name, e->bits, isa);
    for (int source = 0; source < BENCH_SOURCES; source++) {
        if (e->ns[source] > 0) {
            printf(", \"%s\": \"%s\", \"%s_ns\": %.4f, \"%s_ulp\": %.3f", bench_source_names[source],
                   e->symbol[source], bench_source_names[source], e->ns[source], bench_source_names[source],
                   e->ulp[source]);
        }
    }
    printf(", \"limit\": \"%s\"}\n", bench_source_names[e->limit]);
}

/* The functions that a row names, as actions; gives how many. Every function is printed when it is first met. */
static int elementary_actions(const char *names, int bits, bench_action *actions)
{
    static char met[1024];
    int count = 0;
    while (names != NULL && *names != '\0' && count < MOST_CALLS) {
        char name[16], key[24];
        int length = (int)strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", length, names);
        names += length + (int)strspn(names + length, " ");
        bench_elementary *e = bench_elementary_of(name, isa, bits, seconds, turns);
        if (e == NULL) {
            fprintf(stderr, "no library here has %s as a vector function\n", name);
            exit(1);
        }
        snprintf(key, sizeof key, " %s/%d ", name, bits);
        if (strstr(met, key) == NULL && strlen(met) + strlen(key) < sizeof met) {
            strcat(met, key);
            print_elementary(e);
        }
        actions[count++] = bench_elementary_action(e);
    }
    return count;
}

static void print_loss(const loss_job *j, int count, const bench_action *loss, double memory,
                       double elementary)
{
    const double ns = 1e9 / (double)(j->rows * j->columns);
    const double spread = elementary / threads[count], limit = memory > spread ? memory : spread;
    const char *names = j->function->row->elementary;
    printf("{\"loss\": \"%s\", \"dtype\": \"float%d\", \"rows\": %lld, \"columns\": %lld, \"threads\": %d, "
           "\"isa\": \"%s\", \"pointwise\": %s, \"elementary\": \"%s\", \"ns\": %.4f, \"ns_median\": %.4f, "
           "\"memory_ns\": %.4f, "
           "\"elementary_ns\": %.4f, \"limit_ns\": %.4f, \"fraction\": %.3f",
           loss_function_name(j->function), j->bits, (long long)j->rows, (long long)j->columns,
           threads[count], isa, (j->function->row->flags & LOSSI_POINTWISE) != 0 ? "true" : "false",
           names == NULL ? "" : names, loss[count].smallest * ns, loss[count].median * ns, memory, spread,
           limit, limit / (loss[count].smallest * ns));
    if (count > 0) {
        printf(", \"speedup\": %.2f", loss[0].smallest / loss[count].smallest);
    }
    printf("}\n");
    fflush(stdout);
}

/* ---- all of it ---- */

/*
 * The loss, the pass over the same memory and the elementary functions in turns. Gives the seconds of one thread. `roles` are
 * the arrays of a loss with a structure, else NULL; its pass reads and writes as many bytes, a third of them written.
 */
static double bench(const loss_function *function, int bits, int labels, int64_t rows, int64_t columns,
                    const bench_roles *roles)
{
    const int counts = rows * columns < LEAST_PARALLEL ? 1 : COUNTS;
    const bench_passes *passes = bench_passes_for(isa, bits);
    const int32_t untargeted = (function->row->flags & LOSSI_NO_TARGET) != 0;
    const bench_pass *pass = roles == NULL && (labels || untargeted) ? passes->read_one : passes->read_two;
    const int32_t short_call = roles == NULL && (labels || (function->row->flags & LOSSI_POINTWISE) != 0);
    const int64_t chunks = (roles != NULL ? roles->bytes / (3 * bits / 8) : rows * columns) / CHUNK;
    loss_job jobs[COUNTS];
    memory_job memory_jobs[2 * COUNTS];
    bench_action actions[3 * COUNTS + MOST_CALLS], *memory = actions + counts, *calls = actions + 3 * counts;
    const int call_count = elementary_actions(function->row->elementary, bits, calls);
    for (int k = 0; k < counts; k++) {
        jobs[k] = (loss_job){.context = contexts[k],
                             .function = function,
                             .bits = bits,
                             .labels = labels,
                             .rows = rows,
                             .columns = columns};
        if (!short_call) {
            make_data(&jobs[k], roles);
        }
        actions[k] = (bench_action){.run = run_loss, .argument = &jobs[k]};
        for (int stores = 0; stores < 2; stores++) {
            memory_job *m = &memory_jobs[2 * k + stores];
            *m = (memory_job){pass[stores], contexts[k], threads[k], bits, chunks};
            memory[2 * k + stores] = (bench_action){.run = run_memory, .argument = m};
        }
    }
    bench_measure(actions, 3 * counts + call_count, seconds, turns);
    double elementary = 0;
    for (int k = 0; k < call_count; k++) {
        elementary += calls[k].smallest * 1e9 / BENCH_HOT;
    }
    double least = memory[0].smallest; /* where one thread is faster than several, that is the limit */
    for (int k = 0; k < counts; k++) {
        for (int stores = 0; stores < 2; stores++) {
            const double time = memory[2 * k + stores].smallest;
            least = time < least ? time : least;
        }
        print_loss(&jobs[k], k, actions, least * 1e9 / (double)(rows * columns), elementary);
        if (roles == NULL) {
            loss_data_free(jobs[k].inputs);
            loss_data_free(jobs[k].outputs);
        }
    }
    return actions[0].smallest;
}

/* A loss with a structure: rows, or groups of rows, of what users have. */
static void bench_structured(const loss_function *function, int bits)
{
    static const int64_t elements[] = {10000, 1000000};
    for (int i = 0; i < 2; i++) {
        bench_roles roles;
        if (bench_roles_create(&roles, contexts[0], function, bits, elements[i]) != LOSS_OK) {
            fprintf(stderr, "%s: %s\n", loss_function_name(function), loss_context_error(contexts[0]));
            exit(1);
        }
        bench(function, bits, 0, roles.rows, roles.columns, &roles);
        bench_roles_free(&roles);
    }
}

static void bench_loss(const char *name, int bits)
{
    loss_function *function;
    if (loss_function_create(&function, contexts[0], name) != LOSS_OK) {
        fprintf(stderr, "%s\n", loss_context_error(contexts[0]));
        exit(1);
    }
    if (function->row->structure != NULL) {
        bench_structured(function, bits);
        loss_function_free(function);
        return;
    }
    const int32_t wide = (function->row->flags & LOSSI_POINTWISE) == 0;
    const int labels = (function->row->flags & LOSSI_LABELS) != 0;
    bench_arrays_fill(&arrays, function, bits, wide ? arrays.most : 16000000);
    double before = 0; /* seconds an element, at the shape before */
    for (int i = 0; i < 4 && shapes[wide][i][0] > 0; i++) {
        const int64_t rows = shapes[wide][i][0], columns = shapes[wide][i][1], elements = rows * columns;
        bench_arrays_fill_labels(&arrays, rows, columns);
        const double each = bench(function, bits, labels, rows, columns, NULL) / (double)elements;
        /* what grew with the columns will again */
        const double growth = i > 0 && each > before ? each / before : 1;
        const int64_t next = i < 3 ? shapes[wide][i + 1][0] * shapes[wide][i + 1][1] : 0;
        before = each;
        if (each * growth * (double)next > patience) {
            fprintf(stderr, "%s is too slow for larger shapes\n", name);
            break;
        }
    }
    loss_function_free(function);
}

static int start(void)
{
    for (int k = 0; k < COUNTS; k++) {
        if (loss_context_create(&contexts[k]) != LOSS_OK ||
            loss_context_set_int(contexts[k], "threads", threads[k]) != LOSS_OK) {
            fprintf(stderr, "%s\n", loss_context_error(contexts[k]));
            return 0;
        }
    }
    loss_context_get_string(contexts[0], "isa", &isa);
    if (!bench_arrays_create(&arrays, 256 * 128256, MOST_ROWS)) {
        perror("mmap");
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            seconds = 0.002;
            turns = 5;
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads[1] = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else {
            fprintf(stderr, "usage: bench_losses [--quick] [--threads N] [--only NAME]\n");
            return 2;
        }
    }
    if (!start()) {
        return 1;
    }
    for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
        const char *name = loss_function_catalogue_name(i);
        for (int bits = 32; bits <= 64 && (only == NULL || strcmp(only, name) == 0); bits += 32) {
            bench_loss(name, bits);
        }
    }
    for (int k = 0; k < COUNTS; k++) {
        loss_context_free(contexts[k]);
    }
    return 0;
}
