/*
 * How fast the objective of a linear model is: value and gradient, Hessian products and Hessians, of all rows and of batches,
 * beside what the machine allows.
 *
 *     bench_gradients [--threads N] [--only LOSS] [--what WHAT] [--percent P]
 *
 * WHAT is gradient, product, hessian, batch or sparse; P shortens the data. Without --threads: one thread, then two. One JSON
 * object a line:
 *   loss, what, rows, features, outputs, dtype, threads, isa, and batch, the rows of one (0: all)
 *   ns        a row, the smallest of some turns
 *   read_ns   of reading the features once, as many threads, in turns with it; of a batch, the same rows in the same order
 *   fma_ns    of the multiply-adds, which are float64 for both types, at the most that the machine does of them
 *   entries   of sparse rows, all of them; 0: they are dense
 *   gather_ns of sparse rows, of gathering the parameters of their columns and scattering to sums of them with nothing else to do
 *   limit_ns  the larger of the two, and ratio = ns / limit_ns
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/sum.h"
#include "measure.h"
#include "passes.h"
#include "sparse_data.h"
#include "support.h"

enum { TURNS = 5, CLASSES = 10, SUM_BYTES = 128, MOST_WORKERS = 2 };
enum { GRADIENT, PRODUCT, HESSIAN };
static const double seconds = 0.05; /* a measurement lasts at least */

static const char *const names[] = {"gradient", "product", "hessian"};

typedef struct task {
    const char *loss;
    int64_t rows, features, outputs;
    loss_dtype dtype;
    int what;
    int64_t batch; /* 0: all rows */
    int sparse;
} task;

/* 60,000 × 784 are the training images of MNIST and its kin; batches are drawn from as much. */
static const task tasks[] = {
    {"logistic", 1000000, 100, 1, LOSS_FLOAT64, GRADIENT, 0},
    {"squared_error", 1000000, 100, 1, LOSS_FLOAT64, GRADIENT, 0},
    {"huber", 1000000, 100, 1, LOSS_FLOAT64, GRADIENT, 0},
    {"cross_entropy", 60000, 784, CLASSES, LOSS_FLOAT32, GRADIENT, 0},
    {"cross_entropy", 60000, 784, CLASSES, LOSS_FLOAT64, GRADIENT, 0},
    {"logistic", 1000000, 100, 1, LOSS_FLOAT64, PRODUCT, 0},
    {"cross_entropy", 60000, 784, CLASSES, LOSS_FLOAT32, PRODUCT, 0},
    {"logistic", 1000000, 100, 1, LOSS_FLOAT64, HESSIAN, 0},
    {"huber", 1000000, 100, 1, LOSS_FLOAT64, HESSIAN, 0},
    {"cross_entropy", 60000, 64, CLASSES, LOSS_FLOAT64, HESSIAN, 0},
    {"cross_entropy", 60000, 784, CLASSES, LOSS_FLOAT32, GRADIENT, 64},
    {"cross_entropy", 60000, 784, CLASSES, LOSS_FLOAT32, GRADIENT, 256},
    {"logistic", 1000000, 100, 1, LOSS_FLOAT64, GRADIENT, 64},
    {"logistic", 1000000, 100, 1, LOSS_FLOAT64, GRADIENT, 256},
    {"logistic", 200000, 100000, 1, LOSS_FLOAT64, GRADIENT, 0, 1},
    {"logistic", 200000, 100000, 1, LOSS_FLOAT64, PRODUCT, 0, 1},
};

/* ---- data ---- */

/* −1 … 1, from a linear congruential generator (Knuth's constants): quality does not matter here. */
static double number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)*state * 0x1p-63;
}

static void *numbers(int64_t count, loss_dtype dtype, double scale)
{
    uint64_t state = 1;
    void *made = bench_memory(count * loss_dtype_size(dtype));
    for (int64_t i = 0; i < count; i++) {
        const double x = scale * number(&state);
        if (dtype == LOSS_FLOAT64) {
            ((double *)made)[i] = x;
        } else {
            ((float *)made)[i] = (float)x;
        }
    }
    return made;
}

typedef struct problem {
    task t;
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    void *features, *target, *x, *direction, *out;
    int64_t *order; /* of the rows, for batches */
    const bench_passes *passes;
    lossi_cut cut;
    bench_sparse_data sparse;
    double *parameters, *sums[MOST_WORKERS]; /* of gathering and scattering */
} problem;

static void make_target(problem *p)
{
    uint64_t state = 2;
    const int32_t labels = p->t.outputs > 1;
    p->target = bench_memory(p->t.rows * 8);
    for (int64_t i = 0; i < p->t.rows; i++) {
        const double x = number(&state);
        if (labels) {
            ((int64_t *)p->target)[i] = (int64_t)(0.5 * (x + 1) * (double)p->t.outputs) % p->t.outputs;
        } else {
            ((double *)p->target)[i] = strcmp(p->t.loss, "logistic") == 0 ? (double)(x > 0) : 2 * x;
        }
    }
    bench_must(p->context, loss_data_set_input(p->data, "target", p->target,
                                               labels ? LOSS_INT64 : LOSS_FLOAT64, p->t.rows, 1, 1, 1));
}

static void shuffle(problem *p)
{
    uint64_t state = 3;
    p->order = bench_memory(p->t.rows * 8);
    for (int64_t i = 0; i < p->t.rows; i++) {
        const int64_t j = (int64_t)(0.5 * (number(&state) + 1) * (double)(i + 1)) % (i + 1);
        p->order[i] = p->order[j];
        p->order[j] = i;
    }
}

static void make_dense(problem *p)
{
    const task *t = &p->t;
    p->cut = lossi_cut_rows(t->rows, t->features);
    p->features = numbers(t->rows * t->features, t->dtype, 1);
    bench_must(p->context, loss_data_set_input(p->data, "features", p->features, t->dtype, t->rows,
                                               t->features, t->features, 1));
    make_target(p);
    shuffle(p);
}

static void make_sparse(problem *p)
{
    const task *t = &p->t;
    if (!bench_sparse_make(&p->sparse, t->rows, t->features)) {
        bench_must(NULL, LOSS_ERROR_MEMORY);
    }
    p->cut = lossi_cut_rows(t->rows, 1);
    bench_must(p->context,
               loss_data_set_sparse_input(p->data, "features", t->rows, t->features,
                                          p->sparse.offsets[t->rows], p->sparse.offsets, LOSS_INT64,
                                          p->sparse.indices, LOSS_INT32, p->sparse.values, LOSS_FLOAT64));
    bench_must(p->context,
               loss_data_set_input(p->data, "target", p->sparse.labels, LOSS_FLOAT64, t->rows, 1, 1, 1));
    p->parameters = numbers(t->features, LOSS_FLOAT64, 1);
    for (int i = 0; i < MOST_WORKERS; i++) {
        p->sums[i] = numbers(t->features, LOSS_FLOAT64, 0);
    }
}

static void make(problem *p, const task *t, loss_context *context)
{
    const char *isa = "";
    memset(p, 0, sizeof *p);
    p->t = *t;
    p->context = context;
    bench_must(context, loss_context_get_string(context, "isa", &isa));
    p->passes = bench_passes_for(isa, t->dtype == LOSS_FLOAT64 ? 64 : 32);
    bench_must(context, loss_function_create(&p->function, context, t->loss));
    bench_must(context, loss_data_create(&p->data, context));
    if (t->sparse) {
        make_sparse(p);
    } else {
        make_dense(p);
    }
    bench_must(context, loss_objective_create_linear(&p->objective, context, p->function, p->data));
    bench_must(context, loss_objective_set_int(p->objective, "intercept", 0));
    bench_must(context, loss_objective_set_int(p->objective, "outputs", t->outputs));
    bench_must(context, loss_objective_prepare(p->objective));
    const int64_t n = loss_objective_dimension(p->objective);
    p->x = numbers(n, t->dtype, 0.1);
    p->direction = numbers(n, t->dtype, 0.5);
    p->out = bench_memory((t->what == HESSIAN ? n * n : n) * 8);
}

static void unmake(problem *p)
{
    void *const arrays[] = {p->features, p->target,     p->x,       p->direction, p->out,
                            p->order,    p->parameters, p->sums[0], p->sums[1]};
    loss_objective_free(p->objective);
    loss_data_free(p->data);
    loss_function_free(p->function);
    bench_sparse_free(&p->sparse);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        free(arrays[i]);
    }
}

/* ---- actions ---- */

static void run_task(void *argument)
{
    const problem *p = argument;
    double value;
    if (p->t.what == PRODUCT) {
        bench_must(p->context, loss_objective_hessian_product(p->objective, p->x, p->direction, p->out));
    } else if (p->t.what == HESSIAN) {
        bench_must(p->context, loss_objective_hessian(p->objective, p->x, p->out));
    } else if (p->t.batch == 0) {
        bench_must(p->context, loss_objective_evaluate(p->objective, p->x, &value, p->out));
    }
    for (int64_t i = 0; p->t.batch > 0 && i + p->t.batch <= p->t.rows; i += p->t.batch) {
        bench_must(p->context, loss_objective_evaluate_batch(p->objective, p->x, p->t.batch, p->order + i,
                                                             &value, p->out));
    }
}

static void read_slice(void *argument, int64_t slice, int32_t worker)
{
    const problem *p = argument;
    _Alignas(64) char sums[SUM_BYTES];
    const int64_t first = slice * p->cut.slice_rows, bytes = p->t.features * loss_dtype_size(p->t.dtype),
                  end = first + p->cut.slice_rows < p->t.rows ? first + p->cut.slice_rows : p->t.rows;
    (void)worker;
    if (p->t.sparse) {
        sums[0] = (char)bench_sparse_read(&p->sparse, first, end);
    } else if (p->t.batch == 0) {
        p->passes->read((end - first) * p->t.features, (const char *)p->features + first * bytes, NULL, sums);
    }
    for (int64_t i = first; p->t.batch > 0 && i < end; i++) {
        const int64_t ahead = i + 8 < end ? i + 8
                                          : i; /* 8 rows of some kilobytes: more than memory has open */
        for (int64_t line = 0; line < bytes; line += 64) {
            __builtin_prefetch((const char *)p->features + p->order[ahead] * bytes + line);
        }
        p->passes->read(p->t.features, (const char *)p->features + p->order[i] * bytes, NULL, sums);
    }
}

static void run_read(void *argument)
{
    problem *p = argument;
    lossi_parallel(p->context, p->cut.slices, read_slice, p);
}

static void gather_slice(void *argument, int64_t slice, int32_t worker)
{
    const problem *p = argument;
    const int64_t first = slice * p->cut.slice_rows,
                  end = first + p->cut.slice_rows < p->t.rows ? first + p->cut.slice_rows : p->t.rows;
    bench_sparse_gather(&p->sparse, first, end, p->parameters, p->sums[worker]);
}

static void run_gather(void *argument)
{
    problem *p = argument;
    lossi_parallel(p->context, p->cut.slices, gather_slice, p);
}

enum { FMA_TURNS = 100000, FMA_SLICES = 32 };

static void fma_slice(void *argument, int64_t slice, int32_t worker)
{
    const problem *p = argument;
    const double numbers[3] = {0.5 + 0.001 * (double)slice, 0.25, 1 + worker};
    _Alignas(64) char sums[SUM_BYTES];
    p->passes->multiply_add(FMA_TURNS, numbers, NULL, sums);
}

static void run_fma(void *argument)
{
    problem *p = argument;
    lossi_parallel(p->context, FMA_SLICES, fma_slice, p);
}

/*
 * Of a row. A gradient makes predictions and multiplies back; a product, where the predictions are known from the one
 * before, the same. A Hessian has half of its elements for every pair of outputs, once.
 */
static double multiply_adds(const problem *p)
{
    const task *t = &p->t;
    const double entries = t->sparse ? (double)p->sparse.offsets[t->rows] / (double)t->rows : 0,
                 features = t->sparse ? entries : (double)t->features, outputs = (double)t->outputs;
    return t->what == HESSIAN
               ? features * outputs + features * (features + 1) / 2 * outputs * (outputs + 1) / 2
               : 2 * features * outputs;
}

static void measure(loss_context *context, const task *t, int32_t threads)
{
    const char *isa = "";
    problem p;
    make(&p, t, context);
    bench_action actions[] = {{.run = run_task, .argument = &p},
                              {.run = run_read, .argument = &p},
                              {.run = run_fma, .argument = &p},
                              {.run = run_gather, .argument = &p}};
    bench_measure(actions, t->sparse ? 4 : 3, seconds, TURNS);
    const double fma = (double)FMA_SLICES * FMA_TURNS * (double)p.passes->multiply_adds,
                 rows = (double)(t->batch > 0 ? t->rows / t->batch * t->batch : t->rows);
    const double ns = 1e9 * actions[0].smallest / rows, read_ns = 1e9 * actions[1].smallest / (double)t->rows,
                 fma_ns = 1e9 * actions[2].smallest / fma * multiply_adds(&p),
                 gather_ns = 1e9 * actions[3].smallest / (double)t->rows,
                 limit = read_ns > fma_ns ? read_ns : fma_ns;
    bench_must(context, loss_context_get_string(context, "isa", &isa));
    printf("{\"loss\": \"%s\", \"what\": \"%s\", \"rows\": %lld, \"features\": %lld, \"outputs\": %lld, "
           "\"dtype\": \"%s\", \"batch\": %lld, \"entries\": %lld, \"threads\": %d, \"isa\": \"%s\", \"ns\": "
           "%.2f, "
           "\"read_ns\": %.2f, \"fma_ns\": %.2f, \"gather_ns\": %.2f, \"limit_ns\": %.2f, \"ratio\": %.3f}\n",
           t->loss, names[t->what], (long long)t->rows, (long long)t->features, (long long)t->outputs,
           loss_dtype_name(t->dtype), (long long)t->batch,
           t->sparse ? (long long)p.sparse.offsets[t->rows] : 0, (int)threads, isa, ns, read_ns, fma_ns,
           gather_ns, limit, ns / limit);
    fflush(stdout);
    unmake(&p);
}

static const char *kind_of(const task *t)
{
    return t->sparse ? "sparse" : t->batch > 0 ? "batch" : names[t->what];
}

int main(int argc, char **argv)
{
    int32_t least = 1, most = 2;
    int64_t percent = 100;
    const char *only = NULL, *what = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0) {
            least = most = (int32_t)strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[i + 1];
        } else if (strcmp(argv[i], "--what") == 0) {
            what = argv[i + 1];
        } else if (strcmp(argv[i], "--percent") == 0) {
            percent = strtoll(argv[i + 1], NULL, 10);
        }
    }
    for (int32_t threads = least; threads <= most; threads++) {
        loss_context *context = NULL;
        bench_must(NULL, loss_context_create(&context));
        bench_must(context, loss_context_set_int(context, "threads", threads));
        for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
            task t = tasks[k];
            t.rows = t.rows * percent / 100;
            if (what != NULL && strcmp(what, kind_of(&t)) != 0) {
                continue;
            }
            if (only == NULL || strcmp(only, t.loss) == 0) {
                measure(context, &t, threads);
            }
        }
        loss_context_free(context);
    }
    return 0;
}
