/*
 * The same bits everywhere, seen through the public interface: digests of every loss of the catalogue and of a run of
 * every optimizer, of a graph and of matrix products, on each instruction set of this machine and for 1 and 3 threads, against
 * those in a file.
 *
 *   results FILE     compares; 0 when all agree, 1 with the list of differences, 2 when FILE is unreadable
 *   results          prints the digests, in the format of FILE
 *
 * A digest is 64-bit FNV-1a (Fowler, Noll & Vo 1991) over the bytes, lowest first, every NaN as one. Whoever changes a
 * digest on purpose raises loss_numerics_revision(). No library but libc and libloss: cross-built programs run it.
 */
#include <inttypes.h>
#include <loss/loss.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results_graph.h"
#include "results_product.h"
#include "results_structured.h"

/* Rows: two blocks of the sums and a part, not a multiple of any vector. Columns: of losses that are not pointwise. */
enum { ROWS = 9001, COLUMNS = 7, MAX_LINES = 2000, MAX_LINE = 160, MAX_TOLD = 400 };

typedef struct workspace {
    loss_context *context;
    char (*lines)[MAX_LINE];
    int line_count;
    double uniform[4][ROWS * COLUMNS];
    double wide[4][ROWS * COLUMNS];
    float narrow[4][ROWS * COLUMNS];
    double output[4][ROWS * COLUMNS];
    int64_t labels[ROWS];
} workspace;

static void must(loss_context *context, loss_status status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s: %s\n", what, loss_status_name(status), loss_context_error(context));
        exit(2);
    }
}

static uint64_t hash_number(uint64_t hash, double number)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    if (!isnan(number)) {
        memcpy(&bits, &number, sizeof bits);
    }
    for (int byte = 0; byte < 8; byte++) {
        hash = (hash ^ (bits >> 8 * byte & 0xff)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_array(const void *array, loss_dtype dtype, int64_t count)
{
    uint64_t hash = hash_start;
    for (int64_t i = 0; i < count; i++) {
        hash = hash_number(hash, dtype == LOSS_FLOAT32 ? (double)((const float *)array)[i]
                                                       : ((const double *)array)[i]);
    }
    return hash;
}

static void add_line(workspace *w, const char *kind, const char *name, loss_dtype dtype, const char *what,
                     uint64_t hash)
{
    if (w->line_count < MAX_LINES) {
        snprintf(w->lines[w->line_count++], MAX_LINE, "%s %s %s %s %016" PRIx64, kind, name,
                 loss_dtype_name(dtype), what, hash);
    }
}

/* Array 0 predictions, 1 targets, 2 weights, 3 directions; every 97th number is one that has cost libraries bugs. */
/* Targets are `low` and 1 where they are `binary`, else between 0 and 1. */
static void fill(workspace *w, int32_t unit_predictions, int32_t binary, double low)
{
    static const double hard[6] = {0.0, -0.0, 1.0, 0x1p-30, 88.75, -745.0};
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        w->wide[0][i] = unit_predictions ? w->uniform[0][i] : 12.0 * w->uniform[0][i] - 6.0;
        w->wide[1][i] = binary ? (w->uniform[1][i] < 0.5 ? low : 1.0) : w->uniform[1][i];
        w->wide[2][i] = 2.0 * w->uniform[2][i];
        w->wide[3][i] = w->uniform[3][i] - 0.5;
        if (i % 97 == 5 && !unit_predictions) {
            w->wide[0][i] = hard[i / 97 % 6];
        }
        for (int k = 0; k < 4; k++) {
            w->narrow[k][i] = (float)w->wide[k][i];
        }
    }
}

static const char *const output_names[4] = {"value", "gradient", "curvature", "product"};

static int32_t reads(const loss_function *function, const char *role)
{
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        if (strcmp(loss_function_role(function, i), role) == 0) {
            return 1;
        }
    }
    return 0;
}

static int32_t property(const workspace *w, const loss_function *function, const char *name)
{
    int32_t value;
    must(w->context, loss_function_property(function, name, &value), name);
    return value;
}

static double number(const workspace *w, const loss_function *function, const char *name)
{
    double value;
    must(w->context, loss_function_number(function, name, &value), name);
    return value;
}

/* The first `wanted` of the outputs: kernels for value and gradient alone are others. */
static loss_status evaluate(workspace *w, const loss_function *function, loss_dtype dtype, int64_t columns,
                            int32_t labels, int wanted, double *sum)
{
    static const char *const input_names[4] = {"prediction", "target", "weight", "direction"};
    loss_data *inputs, *outputs;
    double denominator;
    must(w->context, loss_data_create(&inputs, w->context), "inputs");
    must(w->context, loss_data_create(&outputs, w->context), "outputs");
    for (int k = 0; k < 4; k++) {
        const void *array = dtype == LOSS_FLOAT32 ? (const void *)w->narrow[k] : w->wide[k];
        const int64_t width = k == 2 ? 1 : columns;
        if (k != 1 || reads(function, "target")) {
            must(w->context, loss_data_set_input(inputs, input_names[k], array, dtype, ROWS, width, width, 1),
                 "input");
        }
        const int64_t out_width = k == 0 && !property(w, function, "pointwise") ? 1 : columns;
        if (k < wanted) {
            must(w->context,
                 loss_data_set_output(outputs, output_names[k], w->output[k], dtype, ROWS, out_width,
                                      out_width, 1),
                 "output");
        }
    }
    if (labels) {
        must(w->context, loss_data_set_input(inputs, "target", w->labels, LOSS_INT64, ROWS, 1, 1, 1),
             "labels");
    }
    loss_status status = loss_function_evaluate(w->context, function, inputs, outputs, sum, &denominator);
    loss_data_free(outputs);
    loss_data_free(inputs);
    return status;
}

static void digest_structured(workspace *w, const char *name, loss_dtype dtype)
{
    uint64_t digest = hash_start;
    case_file file;
    if (cases_read(name, &file) != 0) {
        fprintf(stderr, "%s has no reference vectors\n", name);
        exit(2);
    }
    must(w->context, digest_cases(w->context, name, &file, dtype, hash_number, &digest), name);
    add_line(w, "loss", name, dtype, "everything", digest);
    cases_free(&file);
}

/* The best constant for the targets of digest_loss(), weighted; losses over columns without closed form have none. */
static void digest_constant(workspace *w, const loss_function *function, const char *name, loss_dtype dtype,
                            int64_t columns, int32_t labels)
{
    double constant[COLUMNS];
    loss_data *inputs;
    const void *targets = dtype == LOSS_FLOAT32 ? (const void *)w->narrow[1] : w->wide[1];
    must(w->context, loss_data_create(&inputs, w->context), "inputs");
    must(w->context,
         loss_data_set_input(inputs, "target", labels ? (const void *)w->labels : targets,
                             labels ? LOSS_INT64 : dtype, ROWS, labels ? 1 : columns, labels ? 1 : columns,
                             1),
         "target");
    must(w->context, loss_data_set_input(inputs, "weight", w->wide[2], LOSS_FLOAT64, ROWS, 1, 1, 1),
         "weight");
    loss_status status = loss_function_best_constant(w->context, function, inputs, columns, constant);
    if (status != LOSS_ERROR_SUPPORT) {
        must(w->context, status, name);
        add_line(w, "loss", name, dtype, "constant", hash_array(constant, LOSS_FLOAT64, columns));
    }
    loss_data_free(inputs);
}

static int32_t unused(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                      void *value, void *gradient, void *curvature)
{
    (void)user, (void)dtype, (void)n, (void)prediction, (void)target, (void)value, (void)gradient,
        (void)curvature;
    return 1;
}

static void digest_link(workspace *w, const char *link, loss_dtype dtype)
{
    loss_function *function;
    must(w->context, loss_function_create_user(&function, w->context, "link", unused, NULL, NULL), link);
    must(w->context, loss_function_set_link(function, link), link);
    fill(w, 0, 0, 0);
    must(w->context,
         dtype == LOSS_FLOAT32
             ? loss_function_inverse_link_float32(w->context, function, ROWS, COLUMNS, w->narrow[0],
                                                  (float *)(void *)w->output[0])
             : loss_function_inverse_link_float64(w->context, function, ROWS, COLUMNS, w->wide[0],
                                                  w->output[0]),
         link);
    add_line(w, "link", link, dtype, "mean", hash_array(w->output[0], dtype, ROWS * COLUMNS));
    loss_function_free(function);
}

static void digest_loss(workspace *w, const char *name, loss_dtype dtype)
{
    loss_function *function;
    double sum = NAN;
    must(w->context, loss_function_create(&function, w->context, name), name);
    if (property(w, function, "structured")) {
        loss_function_free(function);
        digest_structured(w, name, dtype);
        return;
    }
    const int32_t labels = property(w, function, "integer_target");
    const int64_t columns = property(w, function, "pointwise") ? 1 : COLUMNS;
    const int32_t binary = property(w, function, "binary_target");
    const double low = number(w, function, "target_minimum");
    fill(w, 0, binary, low);
    loss_status status = evaluate(w, function, dtype, columns, labels, 4, &sum);
    if (status == LOSS_ERROR_DOMAIN) { /* predictions that are probabilities */
        fill(w, 1, binary, low);
        status = evaluate(w, function, dtype, columns, labels, 4, &sum);
    }
    must(w->context, status, name);
    for (int k = 0; k < 4; k++) {
        const int64_t width = k == 0 && !property(w, function, "pointwise") ? 1 : columns;
        add_line(w, "loss", name, dtype, output_names[k], hash_array(w->output[k], dtype, ROWS * width));
    }
    add_line(w, "loss", name, dtype, "sum", hash_number(hash_start, sum));
    must(w->context, evaluate(w, function, dtype, columns, labels, 2, &sum), name);
    add_line(w, "loss", name, dtype, "gradient_alone", hash_array(w->output[1], dtype, ROWS * columns));
    add_line(w, "loss", name, dtype, "sum_alone", hash_number(hash_start, sum));
    digest_constant(w, function, name, dtype, columns, labels);
    loss_function_free(function);
}

/* Σ ½ cᵢ(xᵢ − tᵢ)² + ¼(xᵢ − tᵢ)⁴ in three dimensions: convex, smooth, no quadratic. */
static const double curve[3] = {1.0, 20.0, 0.125}, centre[3] = {2.385, -0.75, 11.5};

static double answer(const double *x, double *gradient)
{
    double value = 0.0;
    for (int i = 0; i < 3; i++) {
        const double d = x[i] - centre[i];
        value += 0.5 * curve[i] * d * d + 0.25 * d * d * d * d;
        gradient[i] = curve[i] * d + d * d * d;
    }
    return value;
}

static void read_vector(loss_optimizer *optimizer, loss_dtype dtype, const char *name, double out[3])
{
    const void *vector;
    must(NULL, loss_optimizer_get_pointer(optimizer, name, &vector), name);
    for (int i = 0; i < 3; i++) {
        out[i] = dtype == LOSS_FLOAT32 ? (double)((const float *)vector)[i] : ((const double *)vector)[i];
    }
}

/* The Hessian, which is diagonal. */
static loss_status tell_hessian(loss_optimizer *optimizer, loss_dtype dtype, const double *x)
{
    double matrix[9] = {0};
    float narrow[9] = {0};
    for (int i = 0; i < 3; i++) {
        const double d = x[i] - centre[i];
        matrix[4 * i] = curve[i] + 3.0 * d * d;
        narrow[4 * i] = (float)matrix[4 * i];
    }
    return loss_optimizer_tell_vector(optimizer, dtype == LOSS_FLOAT32 ? (const void *)narrow : matrix);
}

/* Answers one request; every point asked for goes into the hash. */
static loss_status tell(loss_optimizer *optimizer, loss_dtype dtype, int32_t request, uint64_t *hash)
{
    double x[3], vector[3], direction[3], value;
    float narrow[3];
    read_vector(optimizer, dtype, "x", x);
    value = answer(x, vector);
    if (request == LOSS_REQUEST_HESSIAN_PRODUCT) {
        read_vector(optimizer, dtype, "direction", direction);
    }
    for (int i = 0; i < 3; i++) {
        if (request == LOSS_REQUEST_HESSIAN_PRODUCT) {
            const double d = x[i] - centre[i];
            vector[i] = (curve[i] + 3.0 * d * d) * direction[i];
            *hash = hash_number(*hash, direction[i]);
        }
        *hash = hash_number(*hash, x[i]);
        narrow[i] = (float)vector[i];
    }
    if (request == LOSS_REQUEST_HESSIAN) {
        return tell_hessian(optimizer, dtype, x);
    }
    const void *told = dtype == LOSS_FLOAT32 ? (const void *)narrow : vector;
    switch (request) {
    case LOSS_REQUEST_VALUE:
        return loss_optimizer_tell_value(optimizer, value);
    case LOSS_REQUEST_HESSIAN_PRODUCT:
        return loss_optimizer_tell_vector(optimizer, told);
    default:
        return loss_optimizer_tell_gradient(optimizer, value, told);
    }
}

static void digest_optimizer(workspace *w, const char *name, loss_dtype dtype)
{
    static const float start_narrow[3] = {-1.5f, 0.25f, 4.0f};
    static const double start_wide[3] = {-1.5, 0.25, 4.0};
    loss_optimizer *optimizer;
    uint64_t hash = hash_start;
    int32_t request = 0;
    must(w->context, loss_optimizer_create(&optimizer, w->context, name, dtype, 3), name);
    if (loss_optimizer_set_int(optimizer, "samples", 40) == LOSS_OK) {
        must(w->context, loss_optimizer_set_double(optimizer, "learning_rate", 0.01), name);
    }
    must(w->context, loss_optimizer_set_int(optimizer, "max_evaluations", MAX_TOLD), name);
    must(w->context,
         loss_optimizer_start(optimizer, dtype == LOSS_FLOAT32 ? (const void *)start_narrow : start_wide),
         name);
    while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        if (request != LOSS_REQUEST_NEW_ITERATE) {
            must(w->context, tell(optimizer, dtype, request, &hash), name);
        }
    }
    add_line(w, "optimizer", name, dtype, "path", hash);
    loss_optimizer_free(optimizer);
}

static void digest_products(workspace *w, loss_dtype dtype)
{
    fill(w, 0, 0, 0);
    for (int k = 0; k < PRODUCT_SHAPES; k++) {
        const void *a = dtype == LOSS_FLOAT32 ? (const void *)w->narrow[0] : w->wide[0];
        const void *b = dtype == LOSS_FLOAT32 ? (const void *)w->narrow[1] : w->wide[1];
        int64_t count = 0;
        must(w->context, product_of_shape(w->context, k, dtype, a, b, w->output[0], &count),
             product_shape(k));
        add_line(w, "product", product_shape(k), dtype, "matrix", hash_array(w->output[0], dtype, count));
    }
}

static void digest_graphs(workspace *w, loss_dtype dtype)
{
    uint64_t digests[GRAPH_DIGESTS] = {hash_start, hash_start, hash_start};
    must(w->context, digest_graph(w->context, dtype, hash_number, digests), "a graph");
    for (int32_t i = 0; i < GRAPH_DIGESTS; i++) {
        add_line(w, "graph", "perceptron", dtype, graph_digest_names[i], digests[i]);
    }
}

static void digest_everything(workspace *w)
{
    w->line_count = 0;
    for (int d = 0; d < 2; d++) {
        const loss_dtype dtype = d == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
            digest_loss(w, loss_function_catalogue_name(i), dtype);
        }
        for (int32_t i = 0; i < 3; i++) {
            static const char *const links[] = {"logit", "log", "softmax"};
            digest_link(w, links[i], dtype);
        }
        for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
            digest_optimizer(w, loss_optimizer_catalogue_name(i), dtype);
        }
        digest_graphs(w, dtype);
    }
    digest_products(w, LOSS_FLOAT32);
    digest_products(w, LOSS_FLOAT64);
}

/* What a BLAS makes where there is one. */
static int is_of_blas(const char *line)
{
    return loss_has_blas() && (strncmp(line, "product ", 8) == 0 || strncmp(line, "graph ", 6) == 0);
}

static int compare(const workspace *w, const char *path, const char *isa, int threads)
{
    char line[MAX_LINE + 2];
    int differences = 0, count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (!is_of_blas(line) && (count >= w->line_count || strcmp(line, w->lines[count]) != 0)) {
            differences++;
            printf("%s, %d threads: %s, stored %s\n", isa, threads,
                   count < w->line_count ? w->lines[count] : "nothing", line);
        }
        count++;
    }
    fclose(file);
    for (; count < w->line_count; count++) {
        differences++;
        printf("%s, %d threads: %s, stored nothing\n", isa, threads, w->lines[count]);
    }
    return differences;
}

int main(int argc, char **argv)
{
    int differences = 0;
    workspace *w = calloc(1, sizeof *w);
    if (w == NULL || (w->lines = calloc(MAX_LINES, MAX_LINE)) == NULL) {
        return 2;
    }
    must(NULL, loss_context_create(&w->context), "context");
    for (int k = 0; k < 4; k++) {
        must(w->context, loss_random_uniform(20261122, (uint64_t)k, 0, ROWS * COLUMNS, w->uniform[k]),
             "random numbers");
    }
    for (int i = 0; i < ROWS; i++) {
        w->labels[i] = (int64_t)(w->uniform[1][i] * COLUMNS);
    }
    for (int32_t i = 0; i < loss_context_isa_count(w->context) && (argc > 1 || i == 0); i++) {
        const char *isa = loss_context_isa_name(w->context, i);
        must(w->context, loss_context_set_string(w->context, "isa", isa), isa);
        for (int threads = 1; threads <= (argc > 1 ? 3 : 1); threads += 2) {
            must(w->context, loss_context_set_int(w->context, "threads", threads), "threads");
            digest_everything(w);
            differences += argc > 1 ? compare(w, argv[1], isa, threads) : 0;
            if (argc > 1) {
                printf("%s, %d threads: %d digests\n", isa, threads, w->line_count);
            }
        }
    }
    for (int i = 0; i < w->line_count && argc == 1; i++) {
        puts(w->lines[i]);
    }
    if (differences != 0) {
        puts("If this is meant: results > tests/data/results.txt, and raise loss_numerics_revision() for a "
             "release");
    }
    loss_context_free(w->context);
    free(w->lines);
    free(w);
    return differences != 0;
}
