/*
 * Convolutions as matrix products, whose element order matrix_product.h fixes:
 *
 *   result    patches of the image · weights
 *   weights   (patches of the image)ᵀ · result
 *   image     stride 1: patches of the result · weights turned around; otherwise result · weightsᵀ, the columns that each place
 *             of the window gives, which are then added up where they belong, in order of the places, then of the window
 *
 * Patches are packed as the products ask for them. Windows of one pixel with stride 1 are plain products.
 */
#include <string.h>

#include "gradient/graph/convolution.h"
#include "gradient/graph/patches.h"
#include "gradient/graph/run.h"
#include "gradient/matrix_product.h"

enum { COLUMNS_BYTES = 1 << 22 }; /* of columns at a time: a share of a third-level cache */

/* The sizes of a convolution, whichever of its three arrays is the result. */
typedef struct sizes {
    int64_t images, height, width, channels; /* of the image */
    int64_t places[2], results;              /* of the result, and its channels */
    int64_t window[2], stride[2], before[2], dilation[2];
    int64_t groups, depth, each; /* channels of a group, of image and result */
    int64_t size;                /* of an element */
} sizes;

static sizes sizes_of(const int64_t *integer, loss_dtype dtype, const lossi_shape *x, const lossi_shape *w,
                      const lossi_shape *y)
{
    sizes s = {.images = x->size[0],
               .height = x->size[1],
               .width = x->size[2],
               .channels = x->size[3],
               .results = y->size[3],
               .groups = integer[LOSSI_CONVOLUTION_GROUPS],
               .size = loss_dtype_size(dtype)};
    for (int32_t i = 0; i < 2; i++) {
        s.places[i] = y->size[1 + i];
        s.window[i] = w->size[i];
        s.stride[i] = integer[LOSSI_CONVOLUTION_STRIDE + i];
        s.before[i] = integer[LOSSI_CONVOLUTION_BEFORE + i];
        s.dilation[i] = integer[LOSSI_CONVOLUTION_DILATION + i];
    }
    s.depth = s.channels / s.groups;
    s.each = s.results / s.groups;
    return s;
}

/* Of a node on the tape; which of its inputs, or 2 the node itself, are image, weights and result. */
static sizes sizes_of_node(const lossi_tape *tape, int32_t node, int64_t rows, int32_t image, int32_t weights,
                           int32_t result)
{
    lossi_shape shapes[3];
    for (int32_t i = 0; i < 3; i++) {
        shapes[i] = *lossi_tape_shape(tape, i < 2 ? lossi_tape_input(tape, node, i) : node);
        if (lossi_shape_of_rows(&shapes[i])) {
            shapes[i].size[0] = rows;
        }
    }
    return sizes_of(tape->nodes[node].attributes.integer, tape->dtype, &shapes[image], &shapes[weights],
                    &shapes[result]);
}

static int64_t rows_of(const sizes *s)
{
    return s->images * s->places[0] * s->places[1];
}

/* The columns of a group's patches. */
static int64_t inner_of(const sizes *s)
{
    return s->window[0] * s->window[1] * s->depth;
}

/* Patches that are the pixels. */
static int32_t pointwise(const sizes *s)
{
    return s->window[0] == 1 && s->window[1] == 1 && s->stride[0] == 1 && s->stride[1] == 1 &&
           s->places[0] == s->height && s->places[1] == s->width && s->before[0] == 0 && s->before[1] == 0;
}

static int32_t of_stride_one(const sizes *s)
{
    return s->stride[0] == 1 && s->stride[1] == 1;
}

static int64_t rounded(int64_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* A group's patches as a factor; `patches` has to live as long. */
static lossi_matrix_factor patches_of(const sizes *s, const char *images, int64_t group,
                                      lossi_patches *patches)
{
    if (pointwise(s)) {
        return (lossi_matrix_factor){.view = {images + group * s->depth * s->size, s->channels, 1}};
    }
    *patches = (lossi_patches){.images = images,
                               .size = s->size,
                               .height = s->height,
                               .width = s->width,
                               .channels = s->channels,
                               .first = group * s->depth,
                               .depth = s->depth};
    for (int32_t i = 0; i < 2; i++) {
        patches->window[i] = s->window[i];
        patches->stride[i] = s->stride[i];
        patches->dilation[i] = s->dilation[i];
        patches->before[i] = s->before[i];
        patches->places[i] = s->places[i];
    }
    return (lossi_matrix_factor){.pack = lossi_patches_pack,
                                 .lay = lossi_patches_lay,
                                 .room = lossi_patches_room,
                                 .source = lossi_patches_source,
                                 .together = s->depth,
                                 .runs = lossi_patches_runs,
                                 .argument = patches};
}

/* ---- the result ---- */

int64_t lossi_convolution_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const sizes s = sizes_of_node(tape, node, rows, 0, 1, 2);
    return lossi_matrix_product_scratch(tape->context, tape->dtype, rows_of(&s), s.each, inner_of(&s));
}

loss_status lossi_convolution_run(const lossi_node_run *run)
{
    const sizes s = sizes_of(run->attributes->integer, run->output.dtype, &run->input[0].shape,
                             &run->input[1].shape, &run->output.shape);
    loss_status status = LOSS_OK;
    for (int64_t group = 0; group < s.groups && status == LOSS_OK; group++) {
        lossi_patches patches;
        const int64_t skip = group * s.each * s.size;
        const lossi_matrix_factor a = patches_of(&s, run->input[0].data, group, &patches);
        const lossi_matrix_factor b = {.view = {run->input[1].data + skip, s.results, 1}};
        status = lossi_matrix_product_packed(run->context, run->output.dtype, rows_of(&s), s.each,
                                             inner_of(&s), &a, &b, run->output.data + skip, s.results, 0,
                                             run->scratch);
    }
    return status;
}

/* ---- the weights ---- */

int64_t lossi_convolution_weights_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const sizes s = sizes_of_node(tape, node, rows, 0, 2, 1);
    return lossi_matrix_product_scratch(tape->context, tape->dtype, inner_of(&s), s.each, rows_of(&s));
}

loss_status lossi_convolution_weights_run(const lossi_node_run *run)
{
    const sizes s = sizes_of(run->attributes->integer, run->output.dtype, &run->input[0].shape,
                             &run->output.shape, &run->input[1].shape);
    loss_status status = LOSS_OK;
    for (int64_t group = 0; group < s.groups && status == LOSS_OK; group++) {
        lossi_patches patches;
        const int64_t skip = group * s.each * s.size;
        lossi_matrix_factor a = patches_of(&s, run->input[0].data, group, &patches);
        const lossi_matrix_factor b = {.view = {run->input[1].data + skip, s.results, 1}};
        a.transposed = 1;
        a.view = (lossi_matrix_view){a.view.data, a.view.column_stride, a.view.row_stride};
        status = lossi_matrix_product_packed(run->context, run->output.dtype, inner_of(&s), s.each,
                                             rows_of(&s), &a, &b, run->output.data + skip, s.results, 0,
                                             run->scratch);
    }
    return status;
}

/* ---- the image ---- */

/* The result's patches give the image: what a window of stride 1 covered covers it, seen from the other side. */
static sizes turned(const sizes *s)
{
    sizes t = *s;
    t.height = s->places[0];
    t.width = s->places[1];
    t.channels = s->results;
    t.depth = s->each;
    t.results = s->channels;
    t.each = s->depth;
    t.places[0] = s->height;
    t.places[1] = s->width;
    for (int32_t i = 0; i < 2; i++) {
        t.before[i] = (s->window[i] - 1) * s->dilation[i] - s->before[i];
    }
    return t;
}

/* Images whose columns are computed at a time. */
static int64_t images_at_a_time(const sizes *s)
{
    const int64_t bytes = s->places[0] * s->places[1] * inner_of(s) * s->size;
    const int64_t images = bytes > 0 ? COLUMNS_BYTES / bytes : s->images;
    return images < 1 ? 1 : images > s->images ? s->images : images;
}

/* Bytes of the product's scratch, behind which the turned weights or the columns are. */
static int64_t image_product_scratch(const sizes *s, loss_context *context, loss_dtype dtype)
{
    const int64_t rows = of_stride_one(s) ? s->images * s->height * s->width
                                          : images_at_a_time(s) * s->places[0] * s->places[1];
    const int64_t columns = of_stride_one(s) ? s->depth : inner_of(s);
    const int64_t inner = of_stride_one(s) ? s->window[0] * s->window[1] * s->each : s->each;
    return rounded(lossi_matrix_product_scratch(context, dtype, rows, columns, inner));
}

int64_t lossi_convolution_image_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const sizes s = sizes_of_node(tape, node, rows, 2, 1, 0);
    const int64_t more = of_stride_one(&s) ? inner_of(&s) * s.each
                                           : images_at_a_time(&s) * s.places[0] * s.places[1] * inner_of(&s);
    return image_product_scratch(&s, tape->context, tape->dtype) + more * s.size;
}

/* to[i, o, c] = weights[last − i, c, o] of a group, i the pixel of the window. */
static void turn_weights(const sizes *s, const char *weights, char *to)
{
    const int64_t pixels = s->window[0] * s->window[1];
    for (int64_t i = 0; i < pixels; i++) {
        const char *from = weights + (pixels - 1 - i) * s->depth * s->results * s->size;
        for (int64_t o = 0; o < s->each; o++) {
            for (int64_t c = 0; c < s->depth; c++) {
                const char *element = from + (c * s->results + o) * s->size;
                if (s->size == 4) {
                    memcpy(to, element, 4);
                } else {
                    memcpy(to, element, 8);
                }
                to += s->size;
            }
        }
    }
}

static loss_status run_turned(const lossi_node_run *run, const sizes *s, char *turned_weights)
{
    const sizes t = turned(s);
    loss_status status = LOSS_OK;
    for (int64_t group = 0; group < s->groups && status == LOSS_OK; group++) {
        lossi_patches patches;
        const lossi_matrix_factor a = patches_of(&t, run->input[0].data, group, &patches);
        const lossi_matrix_factor b = {.view = {turned_weights, t.each, 1}};
        turn_weights(s, run->input[1].data + group * s->each * s->size, turned_weights);
        status = lossi_matrix_product_packed(run->context, run->output.dtype, rows_of(&t), t.each,
                                             inner_of(&t), &a, &b, run->output.data + group * t.each * t.size,
                                             t.results, 0, run->scratch);
    }
    return status;
}

/* Adding columns up. */
typedef struct columns {
    const sizes *s;
    const char *columns; /* of the first image */
    char *images;        /* the first image, at the group's first channel */
} columns;

static void add_run(char *to, const char *from, int64_t count, int64_t size)
{
    if (size == 4) {
        for (int64_t i = 0; i < count; i++) {
            float a, b;
            memcpy(&a, to + 4 * i, 4);
            memcpy(&b, from + 4 * i, 4);
            a += b;
            memcpy(to + 4 * i, &a, 4);
        }
    } else {
        for (int64_t i = 0; i < count; i++) {
            double a, b;
            memcpy(&a, to + 8 * i, 8);
            memcpy(&b, from + 8 * i, 8);
            a += b;
            memcpy(to + 8 * i, &a, 8);
        }
    }
}

static void add_columns(void *argument, int64_t index, int32_t worker)
{
    const columns *list = argument;
    const sizes *s = list->s;
    const int64_t pixel = s->channels * s->size, depth = s->depth * s->size;
    const char *from = list->columns + index * s->places[0] * s->places[1] * inner_of(s) * s->size;
    char *image = list->images + index * s->height * s->width * pixel;
    (void)worker;
    for (int64_t i = 0; i < s->height * s->width; i++) {
        memset(image + i * pixel, 0, (size_t)depth);
    }
    for (int64_t place = 0; place < s->places[0] * s->places[1]; place++) {
        const int64_t top = place / s->places[1] * s->stride[0] - s->before[0];
        const int64_t left = place % s->places[1] * s->stride[1] - s->before[1];
        for (int64_t k = 0; k < s->window[0]; k++) {
            for (int64_t l = 0; l < s->window[1]; l++, from += depth) {
                const int64_t row = top + k * s->dilation[0], column = left + l * s->dilation[1];
                if (row >= 0 && row < s->height && column >= 0 && column < s->width) {
                    add_run(image + (row * s->width + column) * pixel, from, s->depth, s->size);
                }
            }
        }
    }
}

static loss_status run_columns(const lossi_node_run *run, const sizes *s, char *room)
{
    const int64_t at_a_time = images_at_a_time(s), places = s->places[0] * s->places[1];
    loss_status status = LOSS_OK;
    for (int64_t group = 0; group < s->groups; group++) {
        const char *weights = run->input[1].data + group * s->each * s->size;
        for (int64_t image = 0; image < s->images && status == LOSS_OK; image += at_a_time) {
            const int64_t images = s->images - image < at_a_time ? s->images - image : at_a_time;
            const char *result = run->input[0].data +
                                 (image * places * s->results + group * s->each) * s->size;
            const lossi_matrix_view a = {result, s->results, 1}, b = {weights, 1, s->results};
            columns list = {s, room,
                            run->output.data +
                                (image * s->height * s->width * s->channels + group * s->depth) * s->size};
            status = lossi_matrix_product(run->context, run->output.dtype, images * places, inner_of(s),
                                          s->each, a, b, room, inner_of(s), 0, run->scratch);
            if (status == LOSS_OK) {
                lossi_parallel(run->context, images, add_columns, &list);
            }
        }
    }
    return status;
}

loss_status lossi_convolution_image_run(const lossi_node_run *run)
{
    const sizes s = sizes_of(run->attributes->integer, run->output.dtype, &run->output.shape,
                             &run->input[1].shape, &run->input[0].shape);
    char *more = (char *)run->scratch + image_product_scratch(&s, run->context, run->output.dtype);
    return of_stride_one(&s) ? run_turned(run, &s, more) : run_columns(run, &s, more);
}
