/*
 * The patches of images as a matrix that exists in panels only: row (image, place down, place across), column (row of the
 * window, column of the window, channel), zeros outside the image.
 *
 * Chellapilla, Puri & Simard, High performance convolutional neural networks for document processing (2006), unrolled lazily.
 */
#ifndef LOSSI_GRADIENT_GRAPH_PATCHES_H
#define LOSSI_GRADIENT_GRAPH_PATCHES_H

#include <stdint.h>

#include "gradient/matrix_product.h"

typedef struct lossi_patches {
    const char *images;                        /* height × width × channels each */
    int64_t size;                              /* of an element, 4 or 8 bytes */
    int64_t height, width, channels;           /* of an image */
    int64_t first, depth;                      /* the channels that are taken */
    int64_t window[2], stride[2], dilation[2]; /* along height and width */
    int64_t before[2];                         /* padding above and left; negative: skipped */
    int64_t places[2];                         /* how many windows down and across */
} lossi_patches;

/* A lossi_matrix_pack whose argument is a lossi_patches. */
void lossi_patches_pack(const void *argument, int64_t row_begin, int64_t row_end, int64_t column_begin,
                        int64_t column_end, void *panel, int64_t panel_stride);

/* A lossi_matrix_lay, and its lossi_matrix_room: rows of images with their zeros around them, once for every window that sees them. */
void lossi_patches_lay(const void *argument, int64_t begin, int64_t end, void *room, int64_t *rows);
int64_t lossi_patches_room(const void *argument, int64_t rows);

/* A lossi_matrix_source. */
const char *lossi_patches_source(const void *argument, int64_t begin, int64_t end, int64_t *bytes);

/* A lossi_matrix_runs. */
int32_t lossi_patches_runs(const void *argument, int64_t begin, int64_t end, lossi_matrix_run *runs);

#endif
