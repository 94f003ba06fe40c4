/*
 * How fast matrix products are, beside OpenBLAS where it was found.
 *
 *     bench_matrix_product [--threads N] [--only NAME] [--dtype float32 | float64] [--seconds S]
 *                          [--shape FORM,ROWS,COLUMNS,INNER]
 *
 * One JSON object a line:
 *   shape, rows, columns, inner, dtype, threads, isa
 *   form      nn: both factors row-major; tn: A is a transposed view, nt: B is
 *   us        a product, the smallest of some measurements, and gflops
 *   peer_us   of OpenBLAS, in turns with it, and ratio = peer_us / us; its threads are those of OPENBLAS_NUM_THREADS
 */
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "gradient/matrix_product.h"
#include "measure.h"
#include "support.h"

#if defined(BENCH_OPENBLAS)
#include <cblas.h>
#endif

typedef struct shape {
    const char *name, *form;
    int64_t rows, columns, inner;
} shape;

static const shape shapes[] = {
    {"square", "nn", 512, 512, 512},
    {"square", "nt", 512, 512, 512},
    {"square", "tn", 512, 512, 512},
    {"square_1000", "nn", 1000, 1000, 1000},
    {"square_1024", "nn", 1024, 1024, 1024},
    /* one layer with 10 outputs: forward, and the gradient of its weights */
    {"tall_10", "nn", 60000, 10, 784},
    {"tall_10_weights", "tn", 784, 10, 60000},
    {"tall_1", "nn", 1000000, 1, 100},
    {"tall_1_weights", "tn", 100, 1, 1000000},
    /* a batch of 64 through a layer of 256: forward, the gradients of its weights and of its inputs */
    {"batch", "nn", 64, 256, 784},
    {"batch_weights", "tn", 784, 256, 64},
    {"batch_inputs", "nt", 64, 784, 256},
    {"batch_10", "nn", 64, 10, 256},
    {"batch_10_weights", "tn", 256, 10, 64},
    {"batch_10_inputs", "nt", 64, 256, 10},
    {"tiny", "nn", 10, 10, 10},
    /* convolutions: patches · weights, and the gradient of the weights */
    {"conv_27", "nn", 50176, 32, 27},
    {"conv_288", "nn", 12544, 64, 288},
    {"conv_576", "nn", 3136, 128, 576},
    {"conv_weights", "tn", 288, 64, 12544},
    {"conv_inputs", "nt", 12544, 288, 64},
    /* vectors */
    {"row", "nn", 1, 256, 784},
    {"row_large", "nn", 1, 4096, 4096},
    {"column_large", "nn", 4096, 1, 4096},
    {"dot", "nn", 1, 1, 100000},
};

typedef struct job {
    loss_context *context;
    loss_dtype dtype;
    int64_t rows, columns, inner;
    lossi_matrix_view a, b;
    int32_t a_transposed, b_transposed;
    void *c, *scratch;
} job;

static void run_product(void *argument)
{
    const job *j = argument;
    bench_must(j->context, lossi_matrix_product(j->context, j->dtype, j->rows, j->columns, j->inner, j->a,
                                                j->b, j->c, j->columns, 0, j->scratch));
}

#if defined(BENCH_OPENBLAS)
static void run_peer(void *argument)
{
    const job *j = argument;
    const CBLAS_TRANSPOSE a = j->a_transposed ? CblasTrans : CblasNoTrans,
                          b = j->b_transposed ? CblasTrans : CblasNoTrans;
    const int m = (int)j->rows, n = (int)j->columns, k = (int)j->inner;
    const int lda = j->a_transposed ? m : k, ldb = j->b_transposed ? k : n;
    if (j->dtype == LOSS_FLOAT32) {
        cblas_sgemm(CblasRowMajor, a, b, m, n, k, 1.0f, j->a.data, lda, j->b.data, ldb, 0.0f, j->c, n);
    } else {
        cblas_dgemm(CblasRowMajor, a, b, m, n, k, 1.0, j->a.data, lda, j->b.data, ldb, 0.0, j->c, n);
    }
}
#endif

static void *new_array(loss_dtype dtype, int64_t count, double step)
{
    void *array = aligned_alloc(64, (size_t)(count * loss_dtype_size(dtype) + 63) / 64 * 64);
    if (array == NULL) {
        bench_must(NULL, LOSS_ERROR_MEMORY);
    }
    for (int64_t i = 0; i < count; i++) {
        const double value = step * (double)(i % 1009 - 500);
        if (dtype == LOSS_FLOAT32) {
            ((float *)array)[i] = (float)value;
        } else {
            ((double *)array)[i] = value;
        }
    }
    return array;
}

static void measure(loss_context *context, const shape *s, loss_dtype dtype, double seconds)
{
    enum { TURNS = 5 };
    const int64_t rows = s->rows, columns = s->columns, inner = s->inner;
    const int32_t a_transposed = s->form[0] == 't', b_transposed = s->form[1] == 't';
    void *a = new_array(dtype, rows * inner, 0.001), *b = new_array(dtype, inner * columns, 0.002);
    job j = {context,         dtype,        rows,         columns, inner, {a, inner, 1},
             {b, columns, 1}, a_transposed, b_transposed, NULL,    NULL};
    if (a_transposed) {
        j.a = (lossi_matrix_view){a, 1, rows};
    }
    if (b_transposed) {
        j.b = (lossi_matrix_view){b, 1, inner};
    }
    j.c = new_array(dtype, rows * columns, 0.0);
    j.scratch = new_array(LOSS_FLOAT64,
                          lossi_matrix_product_scratch(context, dtype, rows, columns, inner) / 8 + 1, 0.0);
    bench_action actions[2] = {{.run = run_product, .argument = &j}};
    int count = 1;
#if defined(BENCH_OPENBLAS)
    actions[count++] = (bench_action){.run = run_peer, .argument = &j};
#endif
    bench_measure(actions, count, seconds, TURNS);
    const char *isa = "";
    int64_t threads = 1;
    bench_must(context, loss_context_get_string(context, "isa", &isa));
    bench_must(context, loss_context_get_int(context, "threads", &threads));
    printf("{\"shape\": \"%s\", \"form\": \"%s\", \"rows\": %lld, \"columns\": %lld, \"inner\": %lld, "
           "\"dtype\": \"%s\", \"threads\": %d, \"isa\": \"%s\", \"us\": %.2f, \"gflops\": %.2f",
           s->name, s->form, (long long)rows, (long long)columns, (long long)inner, loss_dtype_name(dtype),
           (int)threads, isa, 1e6 * actions[0].smallest,
           2e-9 * (double)rows * (double)columns * (double)inner / actions[0].smallest);
    if (count > 1) {
        printf(", \"peer_us\": %.2f, \"ratio\": %.2f", 1e6 * actions[1].smallest,
               actions[1].smallest / actions[0].smallest);
    }
    puts("}");
    fflush(stdout);
    free(a);
    free(b);
    free(j.c);
    free(j.scratch);
}

static void measure_both(loss_context *context, const shape *s, const char *dtype, double seconds)
{
    for (int d = 0; d < 2; d++) {
        const loss_dtype of = d == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        if (dtype == NULL || strcmp(dtype, loss_dtype_name(of)) == 0) {
            measure(context, s, of, seconds);
        }
    }
}

int main(int argc, char **argv)
{
    loss_context *context = NULL;
    const char *only = NULL, *dtype = NULL;
    char form[3] = "nn";
    shape own = {"own", form, 0, 0, 0};
    double seconds = 0.02;
    int32_t threads = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0) {
            threads = (int32_t)strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[i + 1];
        } else if (strcmp(argv[i], "--dtype") == 0) {
            dtype = argv[i + 1];
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(argv[i + 1], NULL);
        } else if (strcmp(argv[i], "--shape") == 0) {
            long long n[3] = {0};
            if (sscanf(argv[i + 1], "%2[nt],%lld,%lld,%lld", form, &n[0], &n[1], &n[2]) == 4) {
                own.rows = n[0];
                own.columns = n[1];
                own.inner = n[2];
            }
        }
    }
    bench_must(NULL, loss_context_create(&context));
    bench_must(context, loss_context_set_int(context, "threads", threads));
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0] && own.rows == 0; k++) {
        if (only == NULL || strcmp(only, shapes[k].name) == 0) {
            measure_both(context, &shapes[k], dtype, seconds);
        }
    }
    if (own.rows > 0) {
        measure_both(context, &own, dtype, seconds);
    }
    loss_context_free(context);
    return 0;
}
