/*
 * Graphs of any operations over any nodes: what does not fit is refused with a sentence; what fits has a gradient and Hessian products
 * with the same bits on every instruction set, and can be printed.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/evaluation.h"

enum {
    MOST_NODES = 48,
    MOST_STEPS = 24,
    MOST_RANK = 4,
    MOST_SIZE = 4,
    MOST_ROWS = 5,
    MOST_ELEMENTS = 4096,
    ARRAYS = 3,
    NAME = 48
};

typedef struct maker {
    loss_graph *graph;
    loss_dtype dtype;
    int64_t rows;
    void *arrays[ARRAYS]; /* of the inputs "a", "b", "c" */
    int64_t columns[ARRAYS];
    loss_dtype dtypes[ARRAYS];
} maker;

/* How many elements a node has; nothing large is built upon, for memory's sake. */
static int64_t elements(const maker *m, int32_t node)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < loss_graph_node_rank(m->graph, node); axis++) {
        const int64_t size = loss_graph_node_size(m->graph, node, axis);
        count *= size == LOSS_ROWS ? m->rows : size;
    }
    return count;
}

static int32_t random_shape(fuzz_stream *s, int64_t *shape)
{
    const int32_t rank = fuzz_below(s, MOST_RANK + 1);
    for (int32_t axis = 0; axis < rank; axis++) {
        shape[axis] = 1 + fuzz_below(s, MOST_SIZE);
    }
    return rank;
}

static void add_leaves(fuzz_stream *s, maker *m)
{
    static const loss_dtype others[] = {LOSS_INT32, LOSS_INT64, LOSS_UINT8};
    static const char *const names[ARRAYS] = {"a", "b", "c"}, *const parameters[] = {"u", "v", "w"};
    int64_t shape[MOST_RANK];
    int32_t node;
    for (int32_t k = 0; k < ARRAYS; k++) {
        int64_t columns = 1;
        int32_t rank = random_shape(s, shape);
        if (rank > 0) {
            shape[0] = LOSS_ROWS;
        }
        m->dtypes[k] = fuzz_byte(s) < 160 ? m->dtype : others[fuzz_below(s, 3)];
        for (int32_t axis = 1; axis < rank; axis++) {
            columns *= shape[axis];
        }
        m->columns[k] = columns;
        m->arrays[k] = malloc((size_t)(m->rows * columns + 1) * 8);
        fuzz_expect(m->arrays[k] != NULL, "there is memory for the arrays");
        fuzz_fill(s, m->arrays[k], m->dtypes[k], (rank > 0 ? m->rows : 1) * columns);
        fuzz_expect_status(fuzz_context(),
                           loss_graph_input(m->graph, names[k], m->dtypes[k], rank, shape, &node),
                           "loss_graph_input()");
        m->columns[k] = rank > 0 ? columns : -1;
        rank = random_shape(s, shape);
        fuzz_expect_status(fuzz_context(), loss_graph_parameter(m->graph, parameters[k], rank, shape, &node),
                           "loss_graph_parameter()");
    }
}

static void set_options(fuzz_stream *s, loss_operation *operation)
{
    const int32_t count = loss_operation_option_count(operation);
    for (int32_t k = count == 0 ? 0 : fuzz_below(s, count + 1); k > 0; k--) {
        const loss_option *option = loss_operation_option(operation, fuzz_below(s, count));
        const char *name = loss_option_name(option);
        int64_t numbers[MOST_RANK];
        for (int32_t i = 0; i < MOST_RANK; i++) {
            numbers[i] = fuzz_integer(s);
        }
        switch (loss_option_type(option)) {
        case LOSS_OPTION_INT:
            loss_operation_set_int(operation, name, numbers[0]);
            break;
        case LOSS_OPTION_DOUBLE:
            loss_operation_set_double(operation, name, fuzz_number(s));
            break;
        case LOSS_OPTION_ARRAY:
            loss_operation_set_array(operation, name, numbers, LOSS_INT64, fuzz_below(s, MOST_RANK + 1));
            break;
        default:
            loss_operation_set_string(operation, name,
                                      strrchr(loss_option_choices(option), '|') == NULL
                                          ? "same"
                                          : strrchr(loss_option_choices(option), '|') + 1);
        }
    }
}

static int32_t any_node(fuzz_stream *s, const maker *m)
{
    const int32_t count = loss_graph_node_count(m->graph);
    return fuzz_byte(s) < 250 ? fuzz_below(s, count) : fuzz_below(s, 256) - 100;
}

static void apply(fuzz_stream *s, const maker *m)
{
    loss_operation *operation = NULL;
    int32_t inputs[3], node = -7;
    const char *name = fuzz_name(s, loss_operation_catalogue_count(), loss_operation_catalogue_name);
    const int32_t count = 1 + fuzz_below(s, 3);
    for (int32_t k = 0; k < count; k++) {
        inputs[k] = any_node(s, m);
    }
    loss_status status = loss_operation_create(&operation, fuzz_context(), name);
    fuzz_expect_status(fuzz_context(), status, "loss_operation_create()");
    if (status == LOSS_OK) {
        set_options(s, operation);
    }
    status = loss_graph_apply(m->graph, operation == NULL ? name : NULL, operation, inputs, count, &node);
    fuzz_expect_status(fuzz_context(), status, "loss_graph_apply()");
    fuzz_expect((status == LOSS_OK) == (node != -7), "a node comes with LOSS_OK alone");
    loss_operation_free(operation);
}

static void add_loss(fuzz_stream *s, const maker *m)
{
    loss_function *function = NULL;
    const char *roles[MOST_RANK];
    int32_t nodes[MOST_RANK], node, count = 0;
    const char *name = fuzz_name(s, loss_function_catalogue_count(), loss_function_catalogue_name);
    if (loss_function_create(&function, fuzz_context(), name) == LOSS_OK) {
        const int32_t most = loss_function_role_count(function);
        while (count < most && count < MOST_RANK && (count < 2 || fuzz_byte(s) < 100)) {
            roles[count] = loss_function_role(function, count);
            nodes[count++] = any_node(s, m);
        }
        fuzz_expect_status(fuzz_context(), loss_graph_loss(m->graph, function, roles, nodes, count, &node),
                           "loss_graph_loss()");
    }
    loss_function_free(function);
}

static void add_formula(fuzz_stream *s, const maker *m)
{
    static const char *const texts[] = {"a*b + c",   "log(1 + exp(-a*u))", "sum(v^2)",        "mean(u*a) - w",
                                        "x ? y : a", "where(u > v, u, w)", "sqrt(u*u + 1)^y", "max(x, y)/b"};
    static const char *const names[] = {"x", "y"};
    const int32_t nodes[] = {any_node(s, m), any_node(s, m)};
    char text[64];
    int32_t node;
    if (fuzz_byte(s) < 200) {
        strcpy(text, texts[fuzz_below(s, 8)]);
    } else {
        fuzz_text(s, text, sizeof text);
    }
    fuzz_expect_status(fuzz_context(), loss_graph_formula(m->graph, text, names, nodes, 2, &node),
                       "loss_graph_formula()");
}

static loss_data *lend(const maker *m)
{
    static const char *const names[ARRAYS] = {"a", "b", "c"};
    loss_data *data = NULL;
    fuzz_expect(loss_data_create(&data, fuzz_context()) == LOSS_OK, "data can be made");
    for (int32_t k = 0; k < ARRAYS; k++) {
        const int64_t columns = m->columns[k] < 0 ? 1 : m->columns[k];
        loss_data_set_input(data, names[k], m->arrays[k], m->dtypes[k], m->columns[k] < 0 ? 1 : m->rows,
                            columns, columns, 1);
    }
    return data;
}

typedef struct result {
    loss_status value_status, product_status;
    double value;
    double *gradient, *product; /* room for either type */
} result;

static result evaluate(const maker *m, int32_t node, const double *x, uint32_t how)
{
    const int64_t n = loss_graph_dimension(m->graph);
    loss_data *data = lend(m);
    loss_objective *objective = NULL;
    result r = {.value = -7, .gradient = calloc((size_t)n + 1, 8), .product = calloc((size_t)n + 1, 8)};
    fuzz_expect(r.gradient != NULL && r.product != NULL, "there is memory for a gradient");
    r.value_status = loss_objective_create_graph(&objective, fuzz_context(), m->graph, node, data);
    fuzz_expect_status(fuzz_context(), r.value_status, "loss_objective_create_graph()");
    if (r.value_status == LOSS_OK) {
        loss_objective_set_int(objective, "training", how & 1);
        loss_objective_set_int(objective, "chunk_rows", how & 2 ? 256 : 2);
        loss_objective_set_string(objective, "curvature", how & 4 ? "exact" : "gauss_newton");
        r.value_status = loss_objective_evaluate(objective, x, &r.value, r.gradient);
        fuzz_expect_status(fuzz_context(), r.value_status, "loss_objective_evaluate()");
        r.product_status = loss_objective_hessian_product(objective, x, x, r.product);
        fuzz_expect_status(fuzz_context(), r.product_status, "loss_objective_hessian_product()");
    }
    loss_objective_free(objective);
    loss_data_free(data);
    return r;
}

static void compare(const maker *m, const result *a, const result *b)
{
    const int64_t n = loss_graph_dimension(m->graph);
    fuzz_expect(a->value_status == b->value_status && a->product_status == b->product_status,
                "the status is the same everywhere");
    if (a->value_status == LOSS_OK) {
        fuzz_expect(fuzz_same_or_say("value", &a->value, &b->value, LOSS_FLOAT64, 1) &&
                        fuzz_same_or_say("gradient", a->gradient, b->gradient, m->dtype, n),
                    "value and gradient have the same bits everywhere");
    }
    if (a->product_status == LOSS_OK) {
        fuzz_expect(fuzz_same_or_say("product", a->product, b->product, m->dtype, n),
                    "products have the same bits everywhere");
    }
}

static void drop(result *r)
{
    free(r->gradient);
    free(r->product);
}

static void evaluate_everywhere(fuzz_stream *s, const maker *m, int32_t node)
{
    loss_context *context = fuzz_context();
    double *x = calloc((size_t)loss_graph_dimension(m->graph) + 1, sizeof *x);
    const uint32_t how = fuzz_byte(s);
    fuzz_expect(x != NULL, "there is memory for a point");
    fuzz_fill(s, x, m->dtype, loss_graph_dimension(m->graph));
    result usual = evaluate(m, node, x, how);
    for (int32_t i = 0; i < loss_context_isa_count(context); i++) {
        loss_context_set_string(context, "isa", loss_context_isa_name(context, i));
        loss_context_set_int(context, "threads", 1 + i % 2);
        result other = evaluate(m, node, x, how);
        compare(m, &usual, &other);
        drop(&other);
    }
    loss_context_set_int(context, "threads", 1);
    drop(&usual);
    free(x);
}

/* A number made of the node, so that it is an objective. */
static int32_t summed(const maker *m, int32_t node)
{
    int32_t sum = node;
    loss_operation *operation = NULL;
    if (loss_graph_node_rank(m->graph, node) > 0 && loss_graph_node_dtype(m->graph, node) == m->dtype &&
        loss_operation_create(&operation, fuzz_context(), "mean") == LOSS_OK) {
        loss_graph_apply(m->graph, NULL, operation, &node, 1, &sum);
    }
    loss_operation_free(operation);
    return sum;
}

static void build(fuzz_stream *s, maker *m)
{
    char text[512];
    add_leaves(s, m);
    for (int32_t k = fuzz_below(s, MOST_STEPS); k > 0; k--) {
        const uint32_t what = fuzz_byte(s);
        if (what < 200) {
            apply(s, m);
        } else if (what < 230) {
            add_loss(s, m);
        } else {
            add_formula(s, m);
        }
        const int32_t count = loss_graph_node_count(m->graph);
        if (count > MOST_NODES || elements(m, count - 1) > MOST_ELEMENTS) {
            return;
        }
    }
    const int32_t node = summed(m, loss_graph_node_count(m->graph) - 1);
    fuzz_expect(loss_graph_print(m->graph, "graphviz", text, sizeof text, NULL) == LOSS_OK,
                "a graph can be printed");
    evaluate_everywhere(s, m, node);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_stream s = {bytes, length, 0};
    maker m = {.dtype = fuzz_byte(&s) & 1 ? LOSS_FLOAT32 : LOSS_FLOAT64, .rows = fuzz_below(&s, MOST_ROWS)};
    fuzz_expect(loss_graph_create(&m.graph, fuzz_context(), m.dtype) == LOSS_OK, "a graph can be made");
    build(&s, &m);
    loss_graph_free(m.graph);
    for (int32_t k = 0; k < ARRAYS; k++) {
        free(m.arrays[k]);
    }
    return 0;
}
