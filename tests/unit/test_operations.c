/* Operations of graphs: derivatives of first and second order of each, both types, threads, instruction sets, pieces, mistakes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations.h"
#include "support/allocator.h"
#include "support/batch.h"
#include "support/check.h"

enum { MOST = 4096 };

static loss_context *new_context(int64_t threads, const char *isa)
{
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
    if (isa != NULL) {
        assert_status(context, loss_context_set_string(context, "isa", isa), LOSS_OK);
    }
    return context;
}

/* Value, gradient and a Hessian product, in the element type. */
typedef struct outcome {
    loss_dtype dtype;
    int64_t n;
    double value;
    double gradient[MOST], product[MOST]; /* of that type, packed */
} outcome;

static void evaluate(const operation_objective *made, outcome *out)
{
    double x[MOST], direction[MOST];
    out->dtype = loss_objective_dtype(made->objective);
    out->n = made->n;
    for (int64_t i = 0; i < made->n; i++) {
        set_element(x, out->dtype, i, made->x[i]);
        set_element(direction, out->dtype, i, (double)(float)(scatter(5 * i + 3) - 0.5));
    }
    assert_status(made->context, loss_objective_evaluate(made->objective, x, &out->value, out->gradient),
                  LOSS_OK);
    assert_status(made->context, loss_objective_hessian_product(made->objective, x, direction, out->product),
                  LOSS_OK);
}

static void evaluate_case(loss_context *context, const operation_case *of, loss_dtype dtype, outcome *out)
{
    operation_objective *made = malloc(sizeof *made);
    assert_non_null(made);
    operation_create(made, context, of, dtype);
    evaluate(made, out);
    operation_free(made);
    free(made);
}

static void explain(loss_context *context, const operation_case *of, int32_t verdict, const char *what)
{
    if (verdict != LOSS_CHECK_OK) {
        print_error("%s (%s) of %s: %s: %s\n", of->operation, of->options, of->inputs[0], what,
                    loss_context_error(context));
        fail();
    }
}

static void test_derivatives(void **state)
{
    (void)state;
    loss_context *context = new_context(1, NULL);
    operation_objective *made = malloc(sizeof *made);
    assert_non_null(made);
    for (int i = 0; i < operation_case_count; i++) {
        int32_t verdict = 0;
        const operation_case *of = &operation_cases[i];
        operation_create(made, context, of, LOSS_FLOAT64);
        assert_status(context, loss_objective_check(made->objective, made->x, 11, &verdict), LOSS_OK);
        explain(context, of, verdict, "gradient");
        assert_status(context, loss_objective_check_product(made->objective, made->x, 3, 13, &verdict),
                      LOSS_OK);
        explain(context, of, verdict, "Hessian product");
        operation_free(made);
    }
    free(made);
    loss_context_free(context);
}

/* Apart by at most 2^10 roundings to float32 of the largest. */
static void assert_near(const operation_case *of, const char *what, const double *single,
                        const double *number, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(number[i]));
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = element(single, LOSS_FLOAT32, i);
        if (!(fabs(x - number[i]) <= 0x1p-14 * largest + 1e-30)) {
            print_error("%s (%s): %s %lld is %.9g in float32, %.17g in float64\n", of->operation, of->options,
                        what, (long long)i, x, number[i]);
            fail();
        }
    }
}

static void test_types(void **state)
{
    (void)state;
    loss_context *context = new_context(1, NULL);
    outcome *of32 = malloc(sizeof *of32), *of64 = malloc(sizeof *of64);
    assert_true(of32 != NULL && of64 != NULL);
    for (int i = 0; i < operation_case_count; i++) {
        evaluate_case(context, &operation_cases[i], LOSS_FLOAT32, of32);
        evaluate_case(context, &operation_cases[i], LOSS_FLOAT64, of64);
        assert_close(of32->value, of64->value, 0x1p-16, 0);
        assert_near(&operation_cases[i], "gradient", of32->gradient, of64->gradient, of64->n);
        assert_near(&operation_cases[i], "product", of32->product, of64->product, of64->n);
    }
    free(of32);
    free(of64);
    loss_context_free(context);
}

static void assert_same(const operation_case *of, const outcome *a, const outcome *b)
{
    (void)of;
    assert_true(same_bits(a->value, b->value));
    assert_same_bits(a->gradient, b->gradient, a->dtype, a->n);
    assert_same_bits(a->product, b->product, a->dtype, a->n);
}

/* The same bits with 1, 2 and 3 threads, and on every instruction set. */
static void test_bits(void **state)
{
    (void)state;
    loss_context *first = new_context(1, "base");
    outcome *expected = malloc(sizeof *expected), *actual = malloc(sizeof *actual);
    assert_true(expected != NULL && actual != NULL);
    for (int32_t isa = 0; isa < loss_context_isa_count(first); isa++) {
        loss_context *context = new_context(2 + isa % 2, loss_context_isa_name(first, isa));
        for (int i = 0; i < operation_case_count; i++) {
            const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
            evaluate_case(first, &operation_cases[i], dtype, expected);
            evaluate_case(context, &operation_cases[i], dtype, actual);
            assert_same(&operation_cases[i], actual, expected);
        }
        loss_context_free(context);
    }
    free(expected);
    free(actual);
    loss_context_free(first);
}

/* Rows in pieces: where each row has a result of its own the mean is the same. */
static void test_pieces(void **state)
{
    (void)state;
    loss_context *context = new_context(1, NULL);
    operation_objective *made = malloc(sizeof *made);
    outcome *whole = malloc(sizeof *whole), *pieces = malloc(sizeof *pieces);
    assert_true(made != NULL && whole != NULL && pieces != NULL);
    for (int i = 0; i < operation_case_count; i++) {
        operation_create(made, context, &operation_cases[i], LOSS_FLOAT64);
        if (loss_graph_node_rank(made->graph, made->result) > 0 &&
            loss_graph_node_size(made->graph, made->result, 0) == LOSS_ROWS) {
            evaluate_case(context, &operation_cases[i], LOSS_FLOAT64, whole);
            assert_status(context, loss_objective_set_int(made->objective, "chunk_rows", 3), LOSS_OK);
            evaluate(made, pieces);
            assert_close(pieces->value, whole->value, 1e-14, 0);
            for (int64_t k = 0; k < made->n; k++) {
                assert_close(pieces->gradient[k], whole->gradient[k], 1e-13, 1e-14);
                assert_close(pieces->product[k], whole->product[k], 1e-13, 1e-14);
            }
        }
        operation_free(made);
    }
    free(made);
    free(whole);
    free(pieces);
    loss_context_free(context);
}

/* Whoever adds an operation adds it to the table. */
static void test_complete(void **state)
{
    (void)state;
    int missing = 0;
    for (int32_t k = 0; k < loss_operation_catalogue_count(); k++) {
        int found = 0;
        for (int i = 0; i < operation_case_count; i++) {
            found |= strcmp(operation_cases[i].operation, loss_operation_catalogue_name(k)) == 0;
        }
        if (!found) {
            print_error("no case of the operation '%s' in operations_table.c\n",
                        loss_operation_catalogue_name(k));
        }
        missing += !found;
    }
    assert_int_equal(missing, 0);
}

/* ---- mistakes ---- */

typedef struct mistake {
    operation_case of;
    loss_status status;
    const char *words; /* of the sentence */
} mistake;

static const mistake mistakes[] = {
    {{"add", "", {"R,3", "4"}, 0, 1},
     LOSS_ERROR_SHAPE,
     "'add' cannot take [rows, 3] and [4] (node 2 and node 3 'weight1')"},
    {{"sum", "axes=1,-1", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "one of the axes is named twice"},
    {{"norm", "axes=0,0", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "one of the axes is named twice"},
    {{"log_sum_exp", "axes=-1,1", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "one of the axes is named twice"},
    {{"reshape", "shape=4,-1", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "of elements; it is [4, -1]"},
    {{"max_pool2d", "window=3,3", {"1,2,2,1"}, 0, 1}, LOSS_ERROR_SHAPE, "the window is 3 x 3"},
    {{"relu", "", {"i5:R"}, 0, 1}, LOSS_ERROR_TYPE, "'relu' takes float64, not int64"},
    {{"gelu", "approximate=maybe", {"R"}, 0, 1}, LOSS_ERROR_RANGE, "approximate"},
    {{"leaky_relu", "slope=-1", {"R"}, 0, 1}, LOSS_ERROR_RANGE, "slope"},
    {{"leaky_relu", "slope=nan", {"R"}, 0, 1}, LOSS_ERROR_RANGE, "slope"},
    {{"clip", "minimum=2 maximum=1", {"R"}, 0, 1}, LOSS_ERROR_RANGE, "'minimum' above its 'maximum'"},
    {{"tanh", "", {"3", "3"}, 0, 1}, LOSS_ERROR_ARGUMENT, "the operation 'tanh' takes 1 input (a), not 2"},
    {{"sum", "axes=2", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, ": one of the axes is not there"},
    {{"sum", "axes=0.5", {"R,3"}, 0, 1}, LOSS_ERROR_RANGE, "not whole"},
    {{"sum", "axes=0,0,0,0,0,0,0", {"R,3"}, 0, 1}, LOSS_ERROR_RANGE, "at most 6 axes"},
    {{"max", "axes=-3", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'max' cannot take [rows, 3]"},
    {{"max", "", {"u2:R"}, 0, 1}, LOSS_ERROR_TYPE, "'max' takes float64, not uint8"},
    {{"log_sum_exp", "axes=0", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "the axes are not the last ones"},
    {{"reshape", "shape=-1,4", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'reshape' cannot take [rows, 3]"},
    {{"reshape", "shape=3", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'reshape' cannot take [rows, 3]"},
    {{"reshape", "shape=-1,1.5", {"R,1"}, 0, 1}, LOSS_ERROR_RANGE, "not whole"},
    {{"reshape", "shape=2,-1", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "the rows stay the first size"},
    {{"reshape", "shape=-1,2,-1", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "do not divide the number of elements"},
    {{"reshape", "shape=-1,4", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, ": the other sizes"},
    {{"reshape", "shape=-1,0", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "do not divide"},
    {{"reshape", "shape=-1,-1", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "more than one size"},
    {{"reshape", "shape=2,4", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "another number of elements"},
    {{"softmax", "", {""}, 0, 1}, LOSS_ERROR_SHAPE, "'softmax' cannot take []"},
    {{"softmax", "", {"j3:4"}, 0, 1}, LOSS_ERROR_TYPE, "'softmax' takes float64, not int32"},
    {{"transpose", "axes=0,0", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'axes' does not name each axis once"},
    {{"transpose", "axes=0", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'transpose' cannot take [2, 3]"},
    {{"transpose", "axes=0,1.5", {"2,3"}, 0, 1}, LOSS_ERROR_RANGE, "not whole"},
    {{"transpose", "", {"R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "the rows stay the first axis"},
    {{"concatenate", "", {"R,3", "2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "[rows, 3] and [2, 3]"},
    {{"concatenate", "axis=0", {"R,3", "R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "holds the rows"},
    {{"concatenate", "axis=2", {"2,3", "2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "the axis is not there"},
    {{"concatenate", "", {"R,3", "i3:R,3"}, 0, 1}, LOSS_ERROR_TYPE, "not float64 and int64"},
    {{"slice", "start=6", {"R,5"}, 0, 1}, LOSS_ERROR_SHAPE, "'slice' cannot take [rows, 5]"},
    {{"slice", "stop=-6", {"R,5"}, 0, 1}, LOSS_ERROR_SHAPE, "not in order"},
    {{"slice", "axis=0", {"R,5"}, 0, 1}, LOSS_ERROR_SHAPE, "holds the rows"},
    {{"pad", "before=-1", {"R,5"}, 0, 1}, LOSS_ERROR_RANGE, "before"},
    {{"pad", "axis=1 before=1099511627776", {"R,5,2"}, 0, 1}, LOSS_ERROR_SHAPE, "'pad'"},
    {{"stack", "", {"R,5", "R,4"}, 0, 1}, LOSS_ERROR_SHAPE, "'stack' cannot take [rows, 5] and [rows, 4]"},
    {{"stack", "axis=0", {"R,5", "R,5"}, 0, 1}, LOSS_ERROR_SHAPE, "the rows stay the first axis"},
    {{"gather", "", {"R,5", "i2:3"}, 0, 1}, LOSS_ERROR_SHAPE, "'gather' cannot take [rows, 5] and [3]"},
    {{"gather", "", {"3,5", "3"}, 0, 1}, LOSS_ERROR_TYPE, "as indices, not float64"},
    {{"gather", "", {"3,2,2,2", "i2:3,2,2,2"}, 0, 1}, LOSS_ERROR_SHAPE, "at most 6 axes"},
    {{"take_along_axis", "", {"R,5", "i2:3"}, 0, 1}, LOSS_ERROR_SHAPE, "[rows, 5] and [3]"},
    {{"take_along_axis", "", {"R,5", "R"}, 0, 1}, LOSS_ERROR_TYPE, "as indices, not float64"},
    {{"one_hot", "classes=0", {"i2:3"}, 0, 1}, LOSS_ERROR_RANGE, "classes"},
    {{"one_hot", "", {"R"}, 0, 1}, LOSS_ERROR_TYPE, "as indices, not float64"},
    {{"matrix_product", "", {"R,3", "4,3"}, 0, 1}, LOSS_ERROR_SHAPE, "[rows, 3] and [4, 3]"},
    {{"batch_matrix_product", "", {"R,3,4", "2,4,5"}, 0, 1}, LOSS_ERROR_SHAPE, "[rows, 3, 4] and [2, 4, 5]"},
    {{"batch_matrix_product", "", {"R,3,4", "R,5,4"}, 0, 1}, LOSS_ERROR_SHAPE, "inner sizes"},
    {{"batch_matrix_product", "", {"R,3", "R,3"}, 0, 1}, LOSS_ERROR_SHAPE, "'batch_matrix_product' cannot"},
    {{"batch_matrix_product", "transpose_a=2", {"R,3", "R,3"}, 0, 1}, LOSS_ERROR_RANGE, "transpose_a"},
    {{"broadcast_to", "shape=2,3", {"3,2"}, 0, 1}, LOSS_ERROR_SHAPE, "those of the option 'shape', [2, 3]"},
    {{"broadcast_to", "shape=2,-1", {"2,3"}, 0, 1}, LOSS_ERROR_SHAPE, "only the first may be rows"},
    {{"variance", "unbiased=2", {"R,3"}, 0, 1}, LOSS_ERROR_RANGE, "unbiased"},
    {{"norm", "axes=1", {"3"}, 0, 1}, LOSS_ERROR_SHAPE, "'norm' cannot take [3]"},
    {{"matrix_product", "shape=2", {"R,3", "4,3"}, 0, 1}, LOSS_ERROR_NAME, "shape"},
};

static void test_mistakes(void **state)
{
    (void)state;
    loss_context *context = new_context(1, NULL);
    operation_objective *made = malloc(sizeof *made);
    assert_non_null(made);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        memset(made, 0, sizeof *made);
        made->context = context;
        made->result = -7;
        assert_status(context, loss_graph_create(&made->graph, context, LOSS_FLOAT64), LOSS_OK);
        assert_status(context, loss_data_create(&made->data, context), LOSS_OK);
        assert_status(context, operation_apply(made, &mistakes[i].of), mistakes[i].status);
        assert_sentence(context, mistakes[i].words);
        assert_int_equal(made->result, -7);
        operation_free(made);
    }
    free(made);
    loss_context_free(context);
}

/* Indices that are not there: the node and the row of the data are named, whatever the piece or the batch; other rows do as before. */
static void test_indices(void **state)
{
    static const operation_case cases[] = {
        {"gather", "", {"5,3", "i5:R"}, -1, 1},
        {"gather", "", {"5,3", "u5:R,2"}, -1, 1},
        {"take_along_axis", "", {"R,5", "j5:R,2"}, -1, 1},
        {"one_hot", "classes=5", {"i5:R,2"}, -1, 1},
    };
    (void)state;
    loss_context *context = new_context(1, NULL);
    operation_objective *made = malloc(sizeof *made);
    assert_non_null(made);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 7, gradient[MOST];
        char node[64];
        operation_create(made, context, &cases[i], LOSS_FLOAT64);
        snprintf(node, sizeof node, "the operation '%s' (node %d) has", cases[i].operation,
                 (int)made->result);
        assert_status(context, loss_objective_set_int(made->objective, "chunk_rows", 2), LOSS_OK);
        char *indices = made->arrays[made->array_count - 1];
        const char *spec = cases[i].inputs[strcmp(cases[i].operation, "one_hot") != 0];
        const int64_t bytes = *spec == 'i' ? 8 : *spec == 'j' ? 4 : 1;
        const int64_t each = strchr(spec, ',') != NULL ? 2 : 1;
        indices[(5 * each + each - 1) * bytes] = 5; /* row 5, its last */
        assert_status(context, loss_objective_evaluate(made->objective, made->x, &value, gradient),
                      LOSS_ERROR_LABEL);
        assert_sentence(context, node);
        assert_sentence(context, "index 5 in row 5");
        assert_int_equal(loss_context_error_row(context), 5);
        assert_true(value == 7);
        assert_status(context,
                      loss_objective_evaluate_batch(made->objective, made->x, 3, (int64_t[]){6, 5, 0}, &value,
                                                    gradient),
                      LOSS_ERROR_LABEL);
        assert_int_equal(loss_context_error_row(context), 5);
        assert_status(context,
                      loss_objective_evaluate_batch(made->objective, made->x, 3, (int64_t[]){6, 4, 0}, &value,
                                                    gradient),
                      LOSS_OK);
        operation_free(made);
    }
    free(made);
    loss_context_free(context);
}

/* ---- memory ---- */

static int32_t put(loss_graph *graph, const char *name, const char *options, const int32_t *inputs,
                   int32_t count, loss_context *context, loss_status *status)
{
    loss_operation *operation = NULL;
    int32_t node = -1;
    if (*status == LOSS_OK) {
        *status = operation_with(&operation, context, name, options);
    }
    if (*status == LOSS_OK) {
        *status = loss_graph_apply(graph, NULL, operation, inputs, count, &node);
    }
    loss_operation_free(operation);
    return node;
}

/* A graph of most kinds of operations, evaluated with its product; whatever fails is given back. */
static loss_status whole_life(loss_context *context)
{
    static const int32_t indices[6] = {0, 3, 1, 1, 4, 0};
    double x[16], gradient[16], product[16], value;
    loss_graph *graph = NULL;
    loss_data *data = NULL;
    loss_objective *objective = NULL;
    int32_t table = -1, numbers = -1;
    loss_status status = loss_graph_create(&graph, context, LOSS_FLOAT64);
    status = status == LOSS_OK ? loss_data_create(&data, context) : status;
    status = status == LOSS_OK ? loss_graph_parameter(graph, "table", 2, (int64_t[]){5, 3}, &table) : status;
    status = status == LOSS_OK
                 ? loss_graph_input(graph, "numbers", LOSS_INT32, 2, (int64_t[]){LOSS_ROWS, 2}, &numbers)
                 : status;
    status = status == LOSS_OK ? loss_data_set_input(data, "numbers", indices, LOSS_INT32, 3, 2, 2, 1)
                               : status;
    const int32_t rows = put(graph, "gather", "", (int32_t[]){table, numbers}, 2, context, &status);
    const int32_t turned = put(graph, "transpose", "axes=0,2,1", &rows, 1, context, &status);
    const int32_t pair = put(graph, "batch_matrix_product", "", (int32_t[]){rows, turned}, 2, context,
                             &status);
    const int32_t soft = put(graph, "softmax", "", &pair, 1, context, &status);
    const int32_t both = put(graph, "concatenate", "axis=1", (int32_t[]){soft, pair}, 2, context, &status);
    const int32_t most = put(graph, "max", "axes=1", &both, 1, context, &status);
    const int32_t spread = put(graph, "variance", "", &most, 1, context, &status);
    status = status == LOSS_OK ? loss_objective_create_graph(&objective, context, graph, spread, data)
                               : status;
    for (int i = 0; i < 16; i++) {
        x[i] = scatter(i);
    }
    status = status == LOSS_OK ? loss_objective_evaluate(objective, x, &value, gradient) : status;
    status = status == LOSS_OK ? loss_objective_hessian_product(objective, x, gradient, product) : status;
    loss_objective_free(objective);
    loss_data_free(data);
    loss_graph_free(graph);
    return status;
}

/* Every allocation fails once: the status says so, and nothing is kept. */
static void test_memory(void **state)
{
    (void)state;
    loss_status status = LOSS_ERROR_MEMORY;
    for (int64_t at = 1; status != LOSS_OK; at++) {
        test_allocator allocator = {.fail_at = at};
        loss_context *context = NULL;
        status = loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator);
        if (status == LOSS_OK) {
            status = whole_life(context);
        }
        assert_true(status == LOSS_ERROR_MEMORY || (status == LOSS_OK && allocator.failed == 0));
        loss_context_free(context);
        assert_int_equal(allocator.live, 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives), cmocka_unit_test(test_types),    cmocka_unit_test(test_bits),
        cmocka_unit_test(test_pieces),      cmocka_unit_test(test_complete), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_indices),     cmocka_unit_test(test_memory),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
