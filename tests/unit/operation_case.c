/* See operation_case.h. */
#include "operation_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/plan.h"
#include "gradient/graph/shape.h"
#include "support/allocator.h"

loss_context *case_context(int32_t threads)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_int_equal(loss_context_set_int(context, "threads", threads), LOSS_OK);
    return context;
}

loss_operation *case_operation(loss_context *context, const operation_case *c)
{
    loss_operation *operation = NULL;
    assert_status(context, loss_operation_create(&operation, context, c->operation), LOSS_OK);
    for (int32_t i = 0; i < CASE_OPTIONS && c->options[i].name != NULL; i++) {
        const case_option *o = &c->options[i];
        loss_status status = LOSS_OK;
        if (o->count < 0) {
            char name[32];
            snprintf(name, sizeof name, "%s", o->name);
            *strchr(name, '=') = 0;
            status = loss_operation_set_string(operation, name, strchr(o->name, '=') + 1);
        } else if (o->count > 0) {
            status = loss_operation_set_array(operation, o->name, o->numbers, LOSS_FLOAT64, o->count);
        } else {
            status = loss_operation_set_double(operation, o->name, o->numbers[0]);
            if (status == LOSS_ERROR_TYPE) {
                status = loss_operation_set_int(operation, o->name, (int64_t)o->numbers[0]);
            }
        }
        assert_status(context, status, LOSS_OK);
    }
    return operation;
}

int64_t case_elements(const lossi_shape *shape)
{
    return lossi_shape_elements(shape, 1);
}

int64_t case_parameters(const operation_case *c)
{
    int64_t count = 0;
    for (int32_t i = 0; i < c->inputs; i++) {
        count += case_elements(&c->shapes[i]);
    }
    return count;
}

void *case_numbers(loss_dtype dtype, int64_t count, uint64_t seed, int whole)
{
    void *array = calloc((size_t)count + 1, (size_t)loss_dtype_size(dtype));
    assert_non_null(array);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const double number = (double)(int64_t)seed * 0x1p-63;
        set_element(array, dtype, i, whole ? floor(3.5 * number + 0.5) : number);
    }
    return array;
}

void *case_forward(loss_context *context, const operation_case *c, loss_dtype dtype, const void *x,
                   int32_t training, lossi_shape *shape)
{
    lossi_tape tape;
    lossi_attributes attributes;
    int32_t inputs[CASE_INPUTS];
    int64_t offset = 0;
    lossi_tape_create(&tape, context, dtype, (lossi_purpose){training});
    for (int32_t i = 0; i < c->inputs; i++) {
        const lossi_shape *own = &c->shapes[i];
        attributes = (lossi_attributes){.integer = {offset, own->rank}};
        memcpy(attributes.integer + 2, own->size, sizeof own->size[0] * (size_t)own->rank);
        inputs[i] = lossi_tape_add(&tape, &lossi_operation_parameter, &attributes, NULL, 0);
        offset += case_elements(own);
    }
    loss_operation *operation = case_operation(context, c);
    assert_status(context, lossi_operation_settle(operation->row, context, &operation->options, &attributes),
                  LOSS_OK);
    const lossi_plan_output output = {lossi_tape_add(&tape, operation->row, &attributes, inputs, c->inputs),
                                      0, 0};
    loss_operation_free(operation);
    assert_status(context, tape.status, LOSS_OK);
    *shape = *lossi_tape_shape(&tape, output.node);
    void *result = calloc((size_t)case_elements(shape) + 1, 8);
    lossi_plan *plan = NULL;
    assert_non_null(result);
    assert_status(context, lossi_plan_create(&plan, &tape, &output, 1), LOSS_OK);
    const lossi_bindings bindings = {.batch = {.rows = 1}, .x = x, .outputs = {result}};
    assert_status(context, lossi_plan_run(plan, &bindings), LOSS_OK);
    lossi_plan_free(plan);
    return result;
}

/* The parameters and the operation on a graph; the status of applying it. */
static loss_status apply(loss_graph *graph, loss_context *context, const operation_case *c, int32_t *node)
{
    int32_t inputs[CASE_INPUTS];
    for (int32_t i = 0; i < c->inputs; i++) {
        char name[24];
        snprintf(name, sizeof name, "input_%d", (int)i);
        assert_status(context,
                      loss_graph_parameter(graph, name, c->shapes[i].rank, c->shapes[i].size, &inputs[i]),
                      LOSS_OK);
    }
    loss_operation *operation = case_operation(context, c);
    const loss_status status = loss_graph_apply(graph, NULL, operation, inputs, c->inputs, node);
    loss_operation_free(operation);
    return status;
}

/* As case_objective(), of Σ y² in float64, and without asserts: the first status that is not LOSS_OK. */
static loss_status try_objective(loss_context *context, const operation_case *c, loss_graph **graph,
                                 loss_objective **objective)
{
    int32_t inputs[CASE_INPUTS], y = -1;
    loss_data *data = NULL;
    loss_operation *operation = NULL;
    loss_status status = loss_graph_create(graph, context, LOSS_FLOAT64);
    for (int32_t i = 0; i < c->inputs && status == LOSS_OK; i++) {
        const char name[] = {(char)('a' + i), 0};
        status = loss_graph_parameter(*graph, name, c->shapes[i].rank, c->shapes[i].size, &inputs[i]);
    }
    if (status == LOSS_OK) {
        status = loss_operation_create(&operation, context, c->operation);
    }
    if (status == LOSS_OK) {
        status = loss_graph_apply(*graph, NULL, operation, inputs, c->inputs, &y);
    }
    loss_operation_free(operation);
    if (status == LOSS_OK) {
        status = loss_graph_apply(*graph, "square", NULL, &y, 1, &y);
    }
    if (status == LOSS_OK) {
        status = loss_graph_apply(*graph, "sum", NULL, &y, 1, &y);
    }
    if (status == LOSS_OK) {
        status = loss_data_create(&data, context);
    }
    if (status == LOSS_OK) {
        status = loss_objective_create_graph(objective, context, *graph, y, data);
    }
    loss_data_free(data);
    return status;
}

loss_objective *case_objective(loss_context *context, const operation_case *c, loss_dtype dtype)
{
    loss_graph *graph = NULL;
    loss_data *data = NULL;
    loss_objective *objective = NULL;
    int32_t y = -1, r = -1;
    lossi_shape shape;
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, apply(graph, context, c, &y), LOSS_OK);
    shape.rank = loss_graph_node_rank(graph, y);
    for (int32_t i = 0; i < shape.rank; i++) {
        shape.size[i] = loss_graph_node_size(graph, y, i);
    }
    const int64_t count = case_elements(&shape);
    double *weights = calloc((size_t)count, sizeof *weights);
    assert_non_null(weights);
    for (int64_t i = 0; i < count; i++) {
        weights[i] = (double)(1 + i % 5);
    }
    assert_status(context, loss_graph_constant(graph, weights, LOSS_FLOAT64, shape.rank, shape.size, &r),
                  LOSS_OK);
    free(weights);
    assert_status(context, loss_graph_apply(graph, "square", NULL, &y, 1, &y), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "multiply", NULL, (int32_t[]){r, y}, 2, &y), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "sum", NULL, &y, 1, &y), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, y, data), LOSS_OK);
    loss_data_free(data);
    loss_graph_free(graph);
    return objective;
}

void case_check(const operation_case *c, uint64_t seed)
{
    loss_context *context = case_context(1);
    loss_objective *objective = case_objective(context, c, LOSS_FLOAT64);
    void *x = case_numbers(LOSS_FLOAT64, case_parameters(c), seed, 0);
    int32_t verdict = 0;
    assert_status(context, loss_objective_check(objective, x, seed, &verdict), LOSS_OK);
    if (verdict != LOSS_CHECK_OK) {
        fail_msg("%s", loss_context_error(context));
    }
    assert_status(context, loss_objective_check_product(objective, x, 3, seed, &verdict), LOSS_OK);
    if (verdict != LOSS_CHECK_OK) {
        fail_msg("%s", loss_context_error(context));
    }
    free(x);
    loss_objective_free(objective);
    loss_context_free(context);
}

/* Value, gradient and product one after the other. */
static void *everything(loss_context *context, const operation_case *c, loss_dtype dtype, int whole,
                        double *value)
{
    const int64_t n = case_parameters(c), size = loss_dtype_size(dtype);
    loss_objective *objective = case_objective(context, c, dtype);
    void *x = case_numbers(dtype, n, 7, whole), *direction = case_numbers(dtype, n, 8, whole);
    char *both = calloc((size_t)(2 * n), (size_t)size);
    assert_non_null(both);
    assert_status(context, loss_objective_evaluate(objective, x, value, both), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, x, direction, both + n * size), LOSS_OK);
    free(x);
    free(direction);
    loss_objective_free(objective);
    return both;
}

void case_compare_types(const operation_case *c, double relative)
{
    const int64_t n = 2 * case_parameters(c);
    loss_context *context = case_context(1);
    double values[2];
    void *single = everything(context, c, LOSS_FLOAT32, 1, &values[0]);
    void *exact = everything(context, c, LOSS_FLOAT64, 1, &values[1]);
    assert_close(values[0], values[1], relative, 0);
    for (int64_t i = 0; i < n; i++) {
        assert_close(element(single, LOSS_FLOAT32, i), element(exact, LOSS_FLOAT64, i), relative,
                     200 * relative);
    }
    free(single);
    free(exact);
    loss_context_free(context);
}

void case_compare_bits(const operation_case *c, loss_dtype dtype)
{
    loss_context *context = case_context(1);
    double value, other;
    void *expected = everything(context, c, dtype, 0, &value);
    for (int32_t i = 0; i < 3 + loss_context_isa_count(context); i++) { /* threads, then instruction sets */
        loss_context *own = case_context(i < 3 ? i + 1 : 1);
        if (i >= 3) {
            assert_status(own, loss_context_set_string(own, "isa", loss_context_isa_name(own, i - 3)),
                          LOSS_OK);
        }
        void *result = everything(own, c, dtype, 0, &other);
        assert_same_bits(&other, &value, LOSS_FLOAT64, 1);
        assert_same_bits(result, expected, dtype, 2 * case_parameters(c));
        free(result);
        loss_context_free(own);
    }
    free(expected);
    loss_context_free(context);
}

/* Every allocation fails once on the way to an evaluation and a product: a status, and nothing is lost. */
void case_without_memory(const operation_case *c)
{
    const int64_t n = case_parameters(c);
    double *x = case_numbers(LOSS_FLOAT64, 3 * n, 9, 0), value;
    int32_t done = 0;
    for (int64_t k = 1; !done; k++) {
        test_allocator memory = {.fail_at = k};
        loss_context *context = NULL;
        loss_graph *graph = NULL;
        loss_objective *objective = NULL;
        loss_status status = loss_context_create_with_allocator(&context, test_allocate, test_release,
                                                                &memory);
        if (status == LOSS_OK) {
            status = try_objective(context, c, &graph, &objective);
        }
        if (status == LOSS_OK) {
            status = loss_objective_evaluate(objective, x, &value, x + n);
        }
        if (status == LOSS_OK) {
            status = loss_objective_hessian_product(objective, x, x + n, x + 2 * n);
        }
        done = memory.failed == 0;
        assert_int_equal(status, done ? LOSS_OK : LOSS_ERROR_MEMORY);
        loss_objective_free(objective);
        loss_graph_free(graph);
        loss_context_free(context);
        assert_int_equal(memory.live, 0);
    }
    free(x);
}

void case_refused(const operation_case *c, loss_status status, const char *words)
{
    loss_context *context = case_context(1);
    loss_graph *graph = NULL;
    int32_t node = -7;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    assert_status(context, apply(graph, context, c, &node), status);
    assert_sentence(context, words);
    assert_int_equal(node, -7);
    loss_graph_free(graph);
    loss_context_free(context);
}
