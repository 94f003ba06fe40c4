/* What pools of images compute, per instruction set and element type. Channels side by side fill the vectors. */
#ifndef LOSSI_GRADIENT_GRAPH_POOL_KERNELS_H
#define LOSSI_GRADIENT_GRAPH_POOL_KERNELS_H

#include <stdint.h>

/* A window over images; pairs are along height and width. */
typedef struct lossi_pool {
    int64_t height, width, channels; /* of an image */
    int64_t window[2], stride[2], before[2], places[2];
    int32_t inside; /* means count the pixels inside the image alone */
    /* The arrays in the order of the operation's inputs, then its result. */
    const void *input[3];
    void *output;
} lossi_pool;

/*
 * Each of them for one image.
 *   largest  image: result
 *   gather   image, result, tangent of the image: tangent of the result, the mean over the pixels that equal the result
 *   scatter  image, result, adjoint of the result: adjoint of the image, equal parts for those pixels
 *   mean     image: result
 *   spread   adjoint of the result: adjoint of the image
 */
typedef struct lossi_pool_kernels {
    void (*largest)(const lossi_pool *pool, int64_t image);
    void (*gather)(const lossi_pool *pool, int64_t image);
    void (*scatter)(const lossi_pool *pool, int64_t image);
    void (*mean)(const lossi_pool *pool, int64_t image);
    void (*spread)(const lossi_pool *pool, int64_t image);
} lossi_pool_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_pool_kernels *lossi_pool_kernels_for(int32_t isa, int32_t real_index);

#endif
