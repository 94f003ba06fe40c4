/*
 * What operations of graphs give: values and derivatives at chosen points, kinks and tails among them, and large arrays by threads.
 *
 * The objective is Σ c · operation(a …), so its gradient is, parameter after parameter, the derivatives with c = 1 and then the
 * values of the operation.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations_values.h"
#include "support/batch.h"
#include "support/check.h"

enum { MOST = 4096 };

static int32_t apply(loss_context *context, loss_graph *graph, const char *name, int32_t a, int32_t b)
{
    const int32_t inputs[] = {a, b};
    int32_t node = -1;
    assert_status(context, loss_graph_apply(graph, name, NULL, inputs, b < 0 ? 1 : 2, &node), LOSS_OK);
    return node;
}

/* Σ c · result, which has no rows; how many elements c has. */
static loss_objective *weighted_sum(operation_objective *made, int64_t *elements)
{
    int64_t shape[8];
    int32_t weights = -1;
    loss_objective *objective;
    const int32_t rank = loss_graph_node_rank(made->graph, made->result);
    *elements = 1;
    for (int32_t i = 0; i < rank; i++) {
        shape[i] = loss_graph_node_size(made->graph, made->result, i);
        *elements *= shape[i];
    }
    assert_status(made->context, loss_graph_parameter(made->graph, "c", rank, shape, &weights), LOSS_OK);
    const int32_t product = apply(made->context, made->graph, "multiply", made->result, weights);
    assert_status(made->context,
                  loss_objective_create_graph(&objective, made->context, made->graph,
                                              apply(made->context, made->graph, "sum", product, -1),
                                              made->data),
                  LOSS_OK);
    return objective;
}

static void begin(operation_objective *made, loss_context *context, const operation_case *of,
                  loss_dtype dtype)
{
    memset(made, 0, sizeof *made);
    made->context = context;
    assert_status(context, loss_graph_create(&made->graph, context, dtype), LOSS_OK);
    assert_status(context, loss_data_create(&made->data, context), LOSS_OK);
    assert_status(context, operation_apply(made, of), LOSS_OK);
}

static void check_values(loss_context *context, const value_case *of, loss_dtype dtype)
{
    operation_objective *made = malloc(sizeof *made);
    double x[MOST], gradient[MOST], value;
    int64_t count;
    assert_non_null(made);
    begin(made, context, &of->of, dtype);
    assert_int_equal(made->n, of->inputs);
    loss_objective *objective = weighted_sum(made, &count);
    for (int64_t i = 0; i < made->n + count; i++) {
        const double at = of->at[0] == 0x1p99 ? (double)(i + 1) : i < made->n ? of->at[i] : 0;
        set_element(x, dtype, i, i < made->n ? at : 1);
    }
    const loss_status status = loss_objective_evaluate(objective, x, &value, gradient);
    assert_true(status == LOSS_OK || status == LOSS_ERROR_NONFINITE);
    for (int64_t i = 0; i < made->n + count; i++) {
        const double wanted = i < made->n ? of->slopes[i] : of->values[i - made->n];
        if (i >= made->n || of->slopes[0] != 0x1p99) {
            const double got = element(gradient, dtype, i);
            const double bound = (dtype == LOSS_FLOAT32 ? 0x1p-21 : 0x1p-50) * fabs(wanted); /* 4 ulp */
            if (!(fabs(got - wanted) <= bound) && !same_bits(got, wanted) && got != wanted) {
                print_error("%s (%s) in %s: element %lld is %.17g, not %.17g\n", of->of.operation,
                            of->of.options, loss_dtype_name(dtype), (long long)i, got, wanted);
                fail();
            }
        }
    }
    loss_objective_free(objective);
    operation_free(made);
    free(made);
}

static void test_values(void **state)
{
    (void)state;
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int i = 0; i < values_count; i++) {
        check_values(context, &values[i], LOSS_FLOAT64);
        if (values[i].at[0] < 1e8 || values[i].at[0] == 0x1p99) {
            check_values(context, &values[i], LOSS_FLOAT32);
        }
    }
    loss_context_free(context);
}

/* ---- arrays that are cut for threads and vectors ---- */

static const operation_case large[] = {
    {"transpose", "", {"67,130"}, -1, 1},
    {"transpose", "", {"300,9"}, -1, 1},
    {"transpose", "axes=0,2,1", {"3,65,129"}, -1, 1},
    {"transpose", "axes=2,0,1", {"5,70,77"}, -1, 1},
    {"transpose", "axes=1,0,2", {"400,11,33"}, -1, 1},
    {"transpose", "axes=3,1,2,0", {"7,9,13,31"}, -1, 1},
    {"transpose", "axes=1,3,5,0,2,4", {"2,3,4,5,6,7"}, -1, 1},
};

enum { LARGE = sizeof large / sizeof large[0] };

/* Where element `to` of the result comes from. */
static int64_t source(const loss_graph *graph, int32_t from, int32_t to_node, const char *options, int64_t to)
{
    int64_t place[8], axes[8], offset = 0;
    const int32_t rank = loss_graph_node_rank(graph, from);
    const char *text = strchr(options, '=');
    for (int32_t i = 0; i < rank; i++) {
        axes[i] = text == NULL ? rank - 1 - i : strtoll(text + 1 + 2 * i, NULL, 10);
    }
    for (int32_t i = rank - 1; i >= 0; i--) {
        place[axes[i]] = to % loss_graph_node_size(graph, to_node, i);
        to /= loss_graph_node_size(graph, to_node, i);
    }
    for (int32_t i = 0; i < rank; i++) {
        offset = offset * loss_graph_node_size(graph, from, i) + place[i];
    }
    return offset;
}

static void check_transpose(loss_context *context, const operation_case *of, loss_dtype dtype)
{
    loss_graph *graph;
    loss_data *data;
    loss_operation *operation;
    loss_objective *objective;
    int64_t shape[8];
    int32_t rank = 0, a, c, result;
    int64_t n = 1;
    double value;
    for (const char *text = of->inputs[0]; text != NULL; text = strchr(text, ',')) {
        text += *text == ',';
        shape[rank] = strtoll(text, NULL, 10);
        n *= shape[rank++];
    }
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "a", rank, shape, &a), LOSS_OK);
    assert_status(context, operation_with(&operation, context, of->operation, of->options), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, NULL, operation, &a, 1, &result), LOSS_OK);
    for (int32_t i = 0; i < rank; i++) {
        shape[i] = loss_graph_node_size(graph, result, i);
    }
    assert_status(context, loss_graph_parameter(graph, "c", rank, shape, &c), LOSS_OK);
    const int32_t sum = apply(context, graph, "sum", apply(context, graph, "multiply", result, c), -1);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, sum, data), LOSS_OK);
    void *x = calloc((size_t)n, 16), *gradient = calloc((size_t)n, 16);
    assert_true(x != NULL && gradient != NULL);
    for (int64_t i = 0; i < 2 * n; i++) {
        set_element(x, dtype, i, (double)(float)(scatter(i) - 0.5));
    }
    assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = source(graph, a, result, of->options, i);
        assert_true(element(gradient, dtype, n + i) == element(x, dtype, from));
        assert_true(element(gradient, dtype, from) == element(x, dtype, n + i));
    }
    free(x);
    free(gradient);
    loss_objective_free(objective);
    loss_operation_free(operation);
    loss_data_free(data);
    loss_graph_free(graph);
}

static void test_transposes(void **state)
{
    (void)state;
    for (int64_t threads = 1; threads <= 3; threads++) {
        loss_context *context;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
            assert_status(context,
                          loss_context_set_string(context, "isa", loss_context_isa_name(context, isa)),
                          LOSS_OK);
            assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
            for (int i = 0; i < LARGE; i++) {
                check_transpose(context, &large[i], LOSS_FLOAT32);
                check_transpose(context, &large[i], LOSS_FLOAT64);
            }
        }
        loss_context_free(context);
    }
}

/* ---- the same bits however the work is shared out ---- */

static const operation_case shared[] = {
    {"softmax", "", {"3001,10"}, -1, 1},
    {"softmax", "", {"700,33"}, -1, 1},
    {"log_softmax", "", {"41,1500"}, -1, 1},
    {"log_softmax", "", {"999,32"}, -1, 1},
    {"log_sum_exp", "axes=1", {"900,70"}, -1, 1},
    {"log_sum_exp", "axes=1,2", {"900,2,9"}, -1, 1},
    {"max", "axes=0", {"3000,17"}, -1, 1},
    {"min", "axes=0,2", {"70,30,40"}, -1, 1},
    {"variance", "axes=0,1", {"60,50,20"}, -1, 1},
    {"norm", "axes=-1", {"3000,19"}, -1, 1},
    {"mean", "axes=0", {"100000,1"}, -1, 1},
    {"concatenate", "axis=1", {"400,100", "400,70", "400,33"}, -1, 1},
    {"slice", "axis=1 start=5 stop=-3", {"300,40,11"}, -1, 1},
    {"pad", "axis=1 before=2 after=1", {"300,40,11"}, -1, 1},
    {"gelu", "", {"50000"}, -1, 1},
    {"batch_matrix_product", "", {"60,40,33", "60,33,50"}, -1, 1},
    {"batch_matrix_product", "transpose_b=1", {"3,210,170", "3,130,170"}, -1, 1},
    {"batch_matrix_product", "transpose_a=1", {"2,5,290,30", "2,5,290,20"}, -1, 1},
};

enum { SHARED = sizeof shared / sizeof shared[0] };

static int32_t parse(const char *text, int64_t *shape)
{
    int32_t rank = 0;
    for (; text != NULL; text = strchr(text, ',')) {
        text += *text == ',';
        shape[rank++] = strtoll(text, NULL, 10);
    }
    return rank;
}

/* What the parameters are. */
static double number_at(int64_t i, double scale)
{
    return (double)(float)(scale * (scatter(i) - 0.5));
}

/* The gradient of Σ c · operation(inputs): by the inputs, then the values. To be freed; *n numbers, the values from *first. */
static void *gradient_of(loss_context *context, const operation_case *of, loss_dtype dtype, double scale,
                         int64_t *n, int64_t *first)
{
    loss_graph *graph;
    loss_data *data;
    loss_operation *operation;
    loss_objective *objective;
    int64_t shape[8];
    int32_t inputs[OPERATION_INPUTS], count = 0, c, result;
    double value;
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    for (; count < OPERATION_INPUTS && of->inputs[count] != NULL; count++) {
        const char name[] = {(char)('p' + count), 0};
        const int32_t rank = parse(of->inputs[count], shape);
        assert_status(context, loss_graph_parameter(graph, name, rank, shape, &inputs[count]), LOSS_OK);
    }
    assert_status(context, operation_with(&operation, context, of->operation, of->options), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, NULL, operation, inputs, count, &result), LOSS_OK);
    *first = loss_graph_dimension(graph);
    for (int32_t i = 0; i < loss_graph_node_rank(graph, result); i++) {
        shape[i] = loss_graph_node_size(graph, result, i);
    }
    assert_status(context, loss_graph_parameter(graph, "c", loss_graph_node_rank(graph, result), shape, &c),
                  LOSS_OK);
    const int32_t sum = apply(context, graph, "sum", apply(context, graph, "multiply", result, c), -1);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, sum, data), LOSS_OK);
    *n = loss_graph_dimension(graph);
    void *x = calloc((size_t)*n, 8), *gradient = calloc((size_t)*n, 8);
    assert_true(x != NULL && gradient != NULL);
    for (int64_t i = 0; i < *n; i++) {
        set_element(x, dtype, i, number_at(i, scale));
    }
    assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
    free(x);
    loss_objective_free(objective);
    loss_operation_free(operation);
    loss_data_free(data);
    loss_graph_free(graph);
    return gradient;
}

static void test_shared(void **state)
{
    (void)state;
    loss_context *first;
    assert_int_equal(loss_context_create(&first), LOSS_OK);
    assert_status(first, loss_context_set_string(first, "isa", "base"), LOSS_OK);
    for (int i = 0; i < 2 * SHARED; i++) {
        const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        int64_t n, at;
        void *expected = gradient_of(first, &shared[i / 2], dtype, 1, &n, &at);
        for (int32_t isa = 0; isa < loss_context_isa_count(first); isa++) {
            loss_context *context;
            assert_int_equal(loss_context_create(&context), LOSS_OK);
            assert_status(context, loss_context_set_int(context, "threads", 2 + (i + isa) % 2), LOSS_OK);
            assert_status(context, loss_context_set_string(context, "isa", loss_context_isa_name(first, isa)),
                          LOSS_OK);
            void *actual = gradient_of(context, &shared[i / 2], dtype, 1, &n, &at);
            assert_same_bits(actual, expected, dtype, n);
            free(actual);
            loss_context_free(context);
        }
        free(expected);
    }
    loss_context_free(first);
}

/* Every element of a product of pairs beside the sum as it is written; inner sizes up to 290, so 2^-44 of the terms is ample. */
static void test_batch_products(void **state)
{
    (void)state;
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int i = 0; i < SHARED; i++) {
        if (strcmp(shared[i].operation, "batch_matrix_product") != 0) {
            continue;
        }
        int64_t a[8], b[8], n, first, pairs = 1;
        const int32_t rank = parse(shared[i].inputs[0], a);
        parse(shared[i].inputs[1], b);
        const int ta = strstr(shared[i].options, "transpose_a") != NULL,
                  tb = strstr(shared[i].options, "transpose_b") != NULL;
        for (int32_t k = 0; k < rank - 2; k++) {
            pairs *= a[k];
        }
        const int64_t rows = a[rank - 2 + ta], inner = a[rank - 1 - ta], columns = b[rank - 1 - tb];
        double *gradient = gradient_of(context, &shared[i], LOSS_FLOAT64, 1, &n, &first);
        for (int64_t e = 0; e < pairs * rows * columns; e++) {
            const int64_t pair = e / (rows * columns), r = e / columns % rows, c = e % columns;
            double sum = 0, size = 0;
            for (int64_t k = 0; k < inner; k++) {
                const int64_t at_a = pair * rows * inner + (ta ? k * rows + r : r * inner + k);
                const int64_t at_b = pair * inner * columns + (tb ? c * inner + k : k * columns + c);
                const double x = number_at(at_a, 1);
                const double y = number_at(pairs * rows * inner + at_b, 1);
                sum += x * y;
                size += fabs(x * y);
            }
            assert_true(fabs(gradient[first + e] - sum) <= 0x1p-44 * size);
        }
        free(gradient);
    }
    loss_context_free(context);
}

/* ---- digits of a softmax ---- */

static const operation_case softmaxes[] = {
    {"softmax", "", {"200,2"}, 0, 0},
    {"softmax", "", {"200,10"}, 0, 0},
    {"softmax", "", {"99,33"}, 0, 0},
    {"softmax", "", {"20,700"}, 0, 0},
    {"log_softmax", "", {"200,2"}, 0, 0},
    {"log_softmax", "", {"200,10"}, 0, 0},
    {"log_softmax", "", {"99,33"}, 0, 0},
    {"log_softmax", "", {"20,700"}, 0, 0},
    {"log_sum_exp", "axes=1", {"200,10"}, 0, 0},
    {"log_sum_exp", "axes=1", {"20,700"}, 0, 0},
};

enum { SOFTMAXES = sizeof softmaxes / sizeof softmaxes[0] };

/* Within 4 units in the last place of what long double makes of logits up to 12.5 that are moved by one unit. */
static void check_softmax(loss_context *context, const operation_case *of, loss_dtype dtype)
{
    int64_t shape[8], n, first;
    parse(of->inputs[0], shape);
    void *gradient = gradient_of(context, of, dtype, 25, &n, &first);
    for (int64_t row = 0; row < shape[0]; row++) {
        long double most = -INFINITY, others = 0;
        int64_t largest = 0;
        for (int64_t j = 0; j < shape[1]; j++) {
            const long double z = number_at(row * shape[1] + j, 25);
            largest = z > most ? j : largest;
            most = z > most ? z : most;
        }
        for (int64_t j = 0; j < shape[1]; j++) {
            others += j != largest ? expl(number_at(row * shape[1] + j, 25) - most) : 0;
        }
        for (int64_t j = 0; j < (strcmp(of->operation, "log_sum_exp") == 0 ? 1 : shape[1]); j++) {
            const long double log = number_at(row * shape[1] + j, 25) - most - log1pl(others);
            const int64_t at = strcmp(of->operation, "log_sum_exp") == 0 ? row : row * shape[1] + j;
            const long double wanted = strcmp(of->operation, "log_sum_exp") == 0 ? most + log1pl(others)
                                       : strcmp(of->operation, "softmax") == 0   ? expl(log)
                                                                                 : log;
            const double got = element(gradient, dtype, first + at);
            const long double size = fmaxl(fabsl(wanted),
                                           strcmp(of->operation, "log_sum_exp") == 0 ? fabsl(most) : 0);
            const long double moved = 2 * fminl(1, fabsl(wanted)) * ulp_of(12.5, dtype);
            if (!(fabsl(got - wanted) <= 4 * ulp_of(size, dtype) + moved)) {
                print_error("%s of %s in %s: %.17g, not %.20Lg\n", of->operation, of->inputs[0],
                            loss_dtype_name(dtype), got, wanted);
                fail();
            }
        }
    }
    free(gradient);
}

static void test_softmax_digits(void **state)
{
    (void)state;
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int i = 0; i < SOFTMAXES; i++) {
        check_softmax(context, &softmaxes[i], LOSS_FLOAT32);
        check_softmax(context, &softmaxes[i], LOSS_FLOAT64);
    }
    loss_context_free(context);
}

/* ---- many indices of few rows ---- */

enum { TABLE = 13, WIDTH = 300, INDICES = 3000 };

/* The gradient of Σ c · table[indices] by c and table: to the last bit the table's rows, and sums in double. */
static void check_gather(loss_context *context, loss_dtype dtype)
{
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    int32_t nodes[2], c, result, *indices = calloc(INDICES, sizeof *indices);
    const int64_t n = TABLE * WIDTH, all = n + (int64_t)INDICES * WIDTH;
    void *x = calloc((size_t)all, 8), *gradient = calloc((size_t)all, 8);
    double value;
    assert_true(indices != NULL && x != NULL && gradient != NULL);
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "table", 2, (int64_t[]){TABLE, WIDTH}, &nodes[0]),
                  LOSS_OK);
    assert_status(context, loss_graph_input(graph, "indices", LOSS_INT32, 1, (int64_t[]){INDICES}, &nodes[1]),
                  LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "gather", NULL, nodes, 2, &result), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "c", 2, (int64_t[]){INDICES, WIDTH}, &c), LOSS_OK);
    for (int64_t i = 0; i < INDICES; i++) {
        indices[i] = (int32_t)(scatter(i) * (TABLE - 1)) +
                     (i == 1234);                      /* row 12 once or so, none of row 0 left out */
        indices[i] = indices[i] == 5 ? 4 : indices[i]; /* none of row 5 */
    }
    assert_status(context, loss_data_set_input(data, "indices", indices, LOSS_INT32, INDICES, 1, 1, 1),
                  LOSS_OK);
    const int32_t sum = apply(context, graph, "sum", apply(context, graph, "multiply", result, c), -1);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, sum, data), LOSS_OK);
    for (int64_t i = 0; i < all; i++) {
        set_element(x, dtype, i, (double)(float)(scatter(3 * i) - 0.5));
    }
    assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
    double *sums = calloc((size_t)n, sizeof *sums);
    assert_non_null(sums);
    for (int64_t i = 0; i < INDICES; i++) {
        for (int64_t j = 0; j < WIDTH; j++) {
            assert_true(element(gradient, dtype, n + i * WIDTH + j) ==
                        element(x, dtype, indices[i] * (int64_t)WIDTH + j));
            sums[indices[i] * (int64_t)WIDTH + j] += element(x, dtype, n + i * WIDTH + j);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        assert_true(element(gradient, dtype, i) ==
                    (dtype == LOSS_FLOAT32 ? (double)(float)sums[i] : sums[i]));
    }
    free(sums);
    free(indices);
    free(x);
    free(gradient);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_graph_free(graph);
}

static void test_gather(void **state)
{
    (void)state;
    for (int64_t threads = 1; threads <= 3; threads++) {
        loss_context *context;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
        check_gather(context, LOSS_FLOAT32);
        check_gather(context, LOSS_FLOAT64);
        loss_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_transposes),
        cmocka_unit_test(test_shared),         cmocka_unit_test(test_batch_products),
        cmocka_unit_test(test_softmax_digits), cmocka_unit_test(test_gather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
