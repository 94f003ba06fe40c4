/*
 * Pools of images, channels last: the largest or the mean of the pixels under a window, channel by channel.
 *
 * The largest of several equal pixels has no derivative; of its subdifferential, the convex hull of the selections, the element
 * of least norm is taken, which gives each of them an equal part (docs/numerics.md). What an adjoint is spread by and a
 * tangent gathered by are each other's adjoints, and constant where the largest pixel does not change.
 *
 * Reference of the sizes: Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016), §3.
 */
#include <stdio.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/pool_kernels.h"
#include "gradient/graph/run.h"
#include "gradient/graph/window.h"

static const lossi_operation largest, gather, scatter, mean, spread;

enum { WINDOW, STRIDE, PADDING, SAME, COUNTED, OPTIONS }; /* COUNTED of average_pool2d alone */

/* Where attributes are: of the operations with a name, */
enum { AT_WINDOW = 0, AT_STRIDE = 2, AT_PADDING = 4, AT_SAME = 8, AT_INSIDE = 9 };
/* and of those that are computed. */
enum { WINDOW_AT = 0, STRIDE_AT = 2, BEFORE_AT = 4, EXTENT_AT = 6, INSIDE_AT = 8 };

#define WINDOW_OPTIONS                                                                                       \
    [WINDOW] = {"window", LOSS_OPTION_ARRAY,                                                                 \
                1,        LOSSI_WINDOW_MOST,                                                                 \
                0,        NULL,                                                                              \
                NULL,     "pixels under the window, one number or height and width; none: 2"},               \
    [STRIDE] = {"stride",                                                                                    \
                LOSS_OPTION_ARRAY,                                                                           \
                1,                                                                                           \
                LOSSI_WINDOW_MOST,                                                                           \
                0,                                                                                           \
                NULL,                                                                                        \
                NULL,                                                                                        \
                "pixels from place to place, one number or height and width; none: those of the window"},    \
    [PADDING] = {"padding",                                                                                  \
                 LOSS_OPTION_ARRAY,                                                                          \
                 0,                                                                                          \
                 LOSSI_WINDOW_MOST,                                                                          \
                 0,                                                                                          \
                 NULL,                                                                                       \
                 NULL,                                                                                       \
                 "pixels around the image: one number, height and width, or above, below, left and right; "  \
                 "none: 0"},                                                                                 \
    [SAME] = {"same",                                                                                        \
              LOSS_OPTION_INT,                                                                               \
              0,                                                                                             \
              1,                                                                                             \
              0,                                                                                             \
              NULL,                                                                                          \
              NULL,                                                                                          \
              "1: as much padding that the result has size / stride pixels, rounded up, in place of "        \
              "'padding'"}

static const loss_option options[OPTIONS] = {
    WINDOW_OPTIONS, [COUNTED] = {
                        "counted", LOSS_OPTION_STRING, 0, 0, 0, "all", "all|inside",
                        "which pixels the sum is divided by: all of the window, or those inside the image"}};

static loss_status settle_windows(const lossi_options *given, loss_context *context,
                                  lossi_attributes *attributes, const char *name)
{
    int64_t *to = attributes->integer, *window = to + AT_WINDOW, *stride = to + AT_STRIDE;
    const lossi_option_value *strides = lossi_options_own(given, STRIDE);
    loss_status status = lossi_window_pair(context, name, "window", lossi_options_own(given, WINDOW), 2,
                                           window);
    if (status == LOSS_OK) {
        status = lossi_window_pair(context, name, "stride", strides, 1, stride);
    }
    if (status == LOSS_OK && strides->count == 0) {
        memcpy(stride, window, 2 * sizeof *stride);
    }
    if (status == LOSS_OK) {
        status = lossi_window_padding(context, name, lossi_options_own(given, PADDING), to + AT_PADDING);
    }
    to[AT_SAME] = lossi_options_own(given, SAME)->integer;
    return status;
}

static loss_status settle_largest(const lossi_options *given, loss_context *context,
                                  lossi_attributes *attributes)
{
    return settle_windows(given, context, attributes, "max_pool2d");
}

static loss_status settle_mean(const lossi_options *given, loss_context *context,
                               lossi_attributes *attributes)
{
    attributes->integer[AT_INSIDE] = lossi_options_own(given, COUNTED)->integer;
    return settle_windows(given, context, attributes, "average_pool2d");
}

static lossi_window window_of(const lossi_attributes *attributes, const lossi_shape *image, int64_t places[2])
{
    lossi_window window;
    const int64_t *from = attributes->integer;
    for (int32_t i = 0; i < 2; i++) {
        window.window[i] = from[AT_WINDOW + i];
        window.stride[i] = from[AT_STRIDE + i];
        window.dilation[i] = 1;
        window.before[i] = from[AT_PADDING + 2 * i];
        window.after[i] = from[AT_PADDING + 2 * i + 1];
        places[i] = lossi_window_places(&window, i, image->size[1 + i], (int32_t)from[AT_SAME]);
    }
    return window;
}

static loss_status fail_window(const lossi_tape *tape, const lossi_tape_node *node, const lossi_window *w,
                               const char *wrong)
{
    char why[256];
    snprintf(why, sizeof why, "%s: the window is %lld x %lld, the padding %lld, %lld, %lld and %lld", wrong,
             (long long)w->window[0], (long long)w->window[1], (long long)w->before[0],
             (long long)w->after[0], (long long)w->before[1], (long long)w->after[1]);
    return lossi_operation_fail_shapes(tape, node, why);
}

static loss_status infer_pool(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *image = lossi_input_node(tape, node, 0);
    const lossi_shape *x = &image->shape;
    int64_t places[2];
    if (x->rank != 4) {
        return lossi_operation_fail_shapes(tape, node, "the image is rows × height × width × channels");
    }
    const lossi_window window = window_of(&node->attributes, x, places);
    for (int32_t i = 0; i < 2; i++) {
        if (window.before[i] >= window.window[i] || window.after[i] >= window.window[i]) {
            return fail_window(tape, node, &window,
                               "the padding is as large as the window, of which no pixel would be inside");
        }
        if (places[i] < 1) {
            return fail_window(tape, node, &window, "the window does not fit into the padded image");
        }
    }
    if (image->dtype != tape->dtype) {
        return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation '%s' takes %s, not %s",
                          node->operation->name, loss_dtype_name(tape->dtype), loss_dtype_name(image->dtype));
    }
    node->shape = (lossi_shape){4, {x->size[0], places[0], places[1], x->size[3]}};
    return LOSS_OK;
}

static int32_t put_pool(lossi_tape *tape, const lossi_operation *operation, const lossi_attributes *given,
                        const int32_t *inputs)
{
    lossi_attributes attributes = {.integer = {0}};
    int64_t *to = attributes.integer, places[2];
    const lossi_window window = window_of(given, lossi_tape_shape(tape, inputs[0]), places);
    for (int32_t i = 0; i < 2; i++) {
        to[WINDOW_AT + i] = window.window[i];
        to[STRIDE_AT + i] = window.stride[i];
        to[BEFORE_AT + i] = window.before[i];
        to[EXTENT_AT + i] = places[i];
    }
    to[INSIDE_AT] = given->integer[AT_INSIDE];
    return lossi_tape_add(tape, operation, &attributes, inputs, 1);
}

static int32_t expand_largest(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                              int32_t count)
{
    (void)count;
    return put_pool(tape, &largest, attributes, inputs);
}

static int32_t expand_mean(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    (void)count;
    return put_pool(tape, &mean, attributes, inputs);
}

const lossi_operation lossi_operation_max_pool2d = {
    .name = "max_pool2d",
    .summary = "the largest pixel under a window, channel by channel",
    .inputs = "image",
    .formula = "max over k, l of image[n, i stride + k - padding, j stride + l - padding, c]",
    .reference =
        "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016)",
    .options = options,
    .option_count = COUNTED,
    .settle = settle_largest,
    .infer = infer_pool,
    .expand = expand_largest};

const lossi_operation lossi_operation_average_pool2d = {
    .name = "average_pool2d",
    .summary = "the mean of the pixels under a window, channel by channel",
    .inputs = "image",
    .formula =
        "sum over k, l of image[n, i stride + k - padding, j stride + l - padding, c] / number counted",
    .reference =
        "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016)",
    .options = options,
    .option_count = OPTIONS,
    .settle = settle_mean,
    .infer = infer_pool,
    .expand = expand_mean};

/* ---- what is computed ---- */

/* The shape of the first input, with the height and width of the result. */
static loss_status infer_extent(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    memcpy(node->shape.size + 1, node->attributes.integer + EXTENT_AT, 2 * sizeof node->shape.size[0]);
    return LOSS_OK;
}

static loss_status infer_like_image(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    return LOSS_OK;
}

static loss_status infer_like_result(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 1)->shape;
    return LOSS_OK;
}

/* `image`: the value that has the size of images, `result`: that of results. */
static lossi_pool pool_of(const lossi_node_run *run, const lossi_value *image, const lossi_value *result)
{
    const int64_t *from = run->attributes->integer;
    lossi_pool pool = {.height = image->shape.size[1],
                       .width = image->shape.size[2],
                       .channels = image->shape.size[3],
                       .inside = (int32_t)from[INSIDE_AT],
                       .output = run->output.data};
    for (int32_t i = 0; i < 2; i++) {
        pool.window[i] = from[WINDOW_AT + i];
        pool.stride[i] = from[STRIDE_AT + i];
        pool.before[i] = from[BEFORE_AT + i];
        pool.places[i] = result->shape.size[1 + i];
    }
    for (int32_t i = 0; i < run->input_count; i++) {
        pool.input[i] = run->input[i].data;
    }
    return pool;
}

typedef struct pool_task {
    lossi_pool pool;
    void (*kernel)(const lossi_pool *pool, int64_t image);
} pool_task;

static void run_image(void *argument, int64_t index, int32_t worker)
{
    const pool_task *task = argument;
    (void)worker;
    task->kernel(&task->pool, index);
}

static const lossi_pool_kernels *kernels_of(const lossi_node_run *run)
{
    return lossi_pool_kernels_for(lossi_context_isa(run->context), lossi_real_index(run->output.dtype));
}

/* Fewer elements take no longer than threads need to wake up. */
enum { PARALLEL = 1 << 16 };

static loss_status run_images(const lossi_node_run *run, pool_task *task)
{
    const int64_t images = run->output.shape.size[0];
    if (images * task->pool.height * task->pool.width * task->pool.channels < PARALLEL) {
        for (int64_t i = 0; i < images; i++) {
            task->kernel(&task->pool, i);
        }
    } else {
        lossi_parallel(run->context, images, run_image, task);
    }
    return LOSS_OK;
}

static loss_status run_largest(const lossi_node_run *run)
{
    pool_task task = {pool_of(run, &run->input[0], &run->output), kernels_of(run)->largest};
    return run_images(run, &task);
}

static loss_status run_gather(const lossi_node_run *run)
{
    pool_task task = {pool_of(run, &run->input[0], &run->output), kernels_of(run)->gather};
    return run_images(run, &task);
}

static loss_status run_scatter(const lossi_node_run *run)
{
    pool_task task = {pool_of(run, &run->output, &run->input[1]), kernels_of(run)->scatter};
    return run_images(run, &task);
}

static loss_status run_mean(const lossi_node_run *run)
{
    pool_task task = {pool_of(run, &run->input[0], &run->output), kernels_of(run)->mean};
    return run_images(run, &task);
}

static loss_status run_spread(const lossi_node_run *run)
{
    pool_task task = {pool_of(run, &run->output, &run->input[0]), kernels_of(run)->spread};
    return run_images(run, &task);
}

/* ---- derivatives ---- */

static int32_t full_like(lossi_tape *tape, int32_t node, int32_t like)
{
    const lossi_shape shape = *lossi_tape_shape(tape, like);
    return lossi_tape_full(tape, node, &shape);
}

/* gather or scatter between an image and its result, of a third. */
static int32_t put_selection(lossi_tape *tape, const lossi_operation *operation, int32_t node, int32_t image,
                             int32_t result, int32_t of)
{
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const int32_t inputs[] = {image, result, of};
    return lossi_tape_add(tape, operation, &attributes, inputs, 3);
}

static int32_t largest_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t image = lossi_tape_input(tape, node, which);
    return put_selection(tape, &scatter, node, image, node, full_like(tape, adjoint, node));
}

static int32_t largest_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t image = lossi_tape_input(tape, node, 0);
    return put_selection(tape, &gather, node, image, node, full_like(tape, tangents[0], image));
}

/* Of gather and scatter: linear in the third; which pixels are selected is constant. */
static int32_t selection_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_operation *other = tape->nodes[node].operation == &gather ? &scatter : &gather;
    const int32_t image = lossi_tape_input(tape, node, 0), result = lossi_tape_input(tape, node, 1);
    return which < 2 ? LOSSI_NONE
                     : put_selection(tape, other, node, image, result, full_like(tape, adjoint, node));
}

static int32_t selection_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t image = lossi_tape_input(tape, node, 0), result = lossi_tape_input(tape, node, 1);
    const int32_t of = lossi_tape_input(tape, node, 2);
    return tangents[2] == LOSSI_NONE ? LOSSI_NONE
                                     : put_selection(tape, tape->nodes[node].operation, node, image, result,
                                                     full_like(tape, tangents[2], of));
}

static const lossi_operation largest = {.name = "_largest",
                                        .infer = infer_extent,
                                        .vector_jacobian = largest_adjoint,
                                        .jacobian_vector = largest_tangent,
                                        .run = run_largest};
static const lossi_operation gather = {.name = "_gather_largest",
                                       .infer = infer_like_result,
                                       .vector_jacobian = selection_adjoint,
                                       .jacobian_vector = selection_tangent,
                                       .run = run_gather};
static const lossi_operation scatter = {.name = "_scatter_largest",
                                        .infer = infer_like_image,
                                        .vector_jacobian = selection_adjoint,
                                        .jacobian_vector = selection_tangent,
                                        .run = run_scatter};

/* Of mean and spread, which are linear: the other, for the extent of the input. */
static int32_t mean_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t input = lossi_tape_input(tape, node, which);
    adjoint = full_like(tape, adjoint, node);
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    lossi_attributes attributes = tape->nodes[node].attributes;
    memcpy(attributes.integer + EXTENT_AT, tape->nodes[input].shape.size + 1, 2 * sizeof(int64_t));
    return lossi_tape_add(tape, tape->nodes[node].operation == &mean ? &spread : &mean, &attributes, &adjoint,
                          1);
}

static int32_t mean_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t tangent = full_like(tape, tangents[0], lossi_tape_input(tape, node, 0));
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    const lossi_attributes attributes = tape->nodes[node].attributes;
    return lossi_tape_add(tape, tape->nodes[node].operation, &attributes, &tangent, 1);
}

static const lossi_operation mean = {.name = "_mean_pool",
                                     .infer = infer_extent,
                                     .vector_jacobian = mean_adjoint,
                                     .jacobian_vector = mean_tangent,
                                     .run = run_mean};
static const lossi_operation spread = {.name = "_spread_pool",
                                       .infer = infer_extent,
                                       .vector_jacobian = mean_adjoint,
                                       .jacobian_vector = mean_tangent,
                                       .run = run_spread};
