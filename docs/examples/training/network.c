/* Layers over loss_graph. Images are rows × height × width × channels. */
#include "network.h"

int32_t network_apply(network *net, const char *operation, int32_t a, int32_t b)
{
    const int32_t inputs[] = {a, b};
    int32_t node;
    must(net->context, loss_graph_apply(net->graph, operation, NULL, inputs, b < 0 ? 1 : 2, &node));
    return node;
}

/* The result of an operation with options, which is given back. */
static int32_t apply_made(network *net, loss_operation *operation, const int32_t *inputs, int32_t count)
{
    int32_t node;
    must(net->context, loss_graph_apply(net->graph, NULL, operation, inputs, count, &node));
    loss_operation_free(operation);
    return node;
}

static loss_operation *make(network *net, const char *name)
{
    loss_operation *operation;
    must(net->context, loss_operation_create(&operation, net->context, name));
    return operation;
}

static void set_array(network *net, loss_operation *operation, const char *name, int64_t a, int64_t b)
{
    const int64_t values[] = {a, b};
    must(net->context, loss_operation_set_array(operation, name, values, LOSS_INT64, 2));
}

int32_t network_parameter(network *net, const char *name, int32_t rank, const int64_t *shape,
                          const char *initializer)
{
    char full[48];
    int32_t node;
    snprintf(full, sizeof full, "layer%d.%s", net->layers, name);
    must(net->context, loss_graph_parameter(net->graph, full, rank, shape, &node));
    must(net->context, loss_graph_set_initializer(net->graph, node, initializer, 1.0));
    return node;
}

/* The last size of a node: features, or channels. */
static int64_t width(const network *net, int32_t node)
{
    return loss_graph_node_size(net->graph, node, loss_graph_node_rank(net->graph, node) - 1);
}

int32_t network_dense(network *net, int32_t input, int64_t outputs)
{
    if (loss_graph_node_rank(net->graph, input) > 2) {
        input = network_apply(net, "flatten", input, -1);
    }
    const int64_t shape[] = {width(net, input), outputs};
    net->layers++;
    const int32_t weights = network_parameter(net, "weights", 2, shape, "he_normal");
    const int32_t bias = network_parameter(net, "bias", 1, shape + 1, "zeros");
    return network_apply(net, "add", network_apply(net, "matrix_product", input, weights), bias);
}

int32_t network_convolution(network *net, int32_t input, int64_t size, int64_t channels, int64_t stride,
                            int bias)
{
    const int64_t shape[] = {size, size, width(net, input), channels};
    loss_operation *operation = make(net, "conv2d");
    net->layers++;
    set_array(net, operation, "stride", stride, stride);
    set_array(net, operation, "padding", size / 2, size / 2);
    const int32_t inputs[] = {input, network_parameter(net, "weights", 4, shape, "he_normal")};
    const int32_t image = apply_made(net, operation, inputs, 2);
    return bias ? network_apply(net, "add", image, network_parameter(net, "bias", 1, shape + 3, "zeros"))
                : image;
}

int32_t network_batch_norm(network *net, int32_t input)
{
    const int64_t channels = width(net, input);
    net->layers++;
    const int32_t scale = network_parameter(net, "scale", 1, &channels, "ones");
    const int32_t shift = network_parameter(net, "shift", 1, &channels, "zeros");
    const int32_t inputs[] = {input, scale, shift};
    int32_t node;
    must(net->context, loss_graph_apply(net->graph, "batch_norm", NULL, inputs, 3, &node));
    return node;
}

int32_t network_pool(network *net, int32_t input)
{
    loss_operation *operation = make(net, "max_pool2d");
    set_array(net, operation, "window", 2, 2);
    set_array(net, operation, "stride", 2, 2);
    return apply_made(net, operation, &input, 1);
}

int32_t network_average(network *net, int32_t input)
{
    loss_operation *operation = make(net, "mean");
    set_array(net, operation, "axes", 1, 2);
    return apply_made(net, operation, &input, 1);
}

int32_t network_attention(network *net, int32_t input)
{
    const int64_t shape[] = {LOSS_ROWS, loss_graph_node_size(net->graph, input, 1),
                             loss_graph_node_size(net->graph, input, 2), 1};
    const int32_t map = network_apply(net, "flatten", network_convolution(net, input, 1, 1, 1, 1), -1);
    const int32_t weights = network_apply(net, "softmax", map, -1);
    loss_operation *reshape = make(net, "reshape"), *sum = make(net, "sum");
    must(net->context, loss_operation_set_array(reshape, "shape", shape, LOSS_INT64, 4));
    set_array(net, sum, "axes", 1, 2);
    const int32_t parts = network_apply(net, "multiply", input, apply_made(net, reshape, &weights, 1));
    return apply_made(net, sum, &parts, 1);
}

int32_t network_dropout(network *net, int32_t input, double rate)
{
    loss_operation *operation = make(net, "dropout");
    must(net->context, loss_operation_set_double(operation, "rate", rate));
    return apply_made(net, operation, &input, 1);
}

int32_t network_cost(network *net, const char *loss, int32_t prediction, int32_t target)
{
    static const char *const roles[] = {"prediction", "target"};
    const int32_t nodes[] = {prediction, target};
    loss_function *function;
    int32_t node;
    must(net->context, loss_function_create(&function, net->context, loss));
    must(net->context, loss_graph_loss(net->graph, function, roles, nodes, 2, &node));
    loss_function_free(function);
    return node;
}
