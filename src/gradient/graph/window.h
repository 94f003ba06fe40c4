/* Windows that move over an image: the options that say how, and the sizes that follow. Of convolutions and pools. */
#ifndef LOSSI_GRADIENT_GRAPH_WINDOW_H
#define LOSSI_GRADIENT_GRAPH_WINDOW_H

#include "gradient/graph/tape.h"

enum { LOSSI_WINDOW_MOST = 65536 }; /* of an option: products of two of them with a size stay exact */

/* Along height, then width. A window covers (window − 1) · dilation + 1 pixels of the padded image. */
typedef struct lossi_window {
    int64_t window[2], stride[2], dilation[2];
    int64_t before[2], after[2]; /* padding */
} lossi_window;

/*
 * The numbers of an array option for height and width: none gives both `otherwise`, one is for both, two are one each.
 * LOSS_ERROR_RANGE for more numbers, or numbers that are no integers.
 */
loss_status lossi_window_pair(loss_context *context, const char *operation, const char *option,
                              const lossi_option_value *value, int64_t otherwise, int64_t *pair);

/* The padding above, below, left and right: no numbers, one for all, two for height and width, or the four. */
loss_status lossi_window_padding(loss_context *context, const char *operation,
                                 const lossi_option_value *value, int64_t *padding);

/*
 * How many places a window has along an axis (0 height, 1 width) of that size, fewer than 1 where it does not fit. With `same`
 * they are ⌈size / stride⌉, and before and after are set to the padding that makes them so, the odd pixel after.
 */
int64_t lossi_window_places(lossi_window *window, int32_t axis, int64_t size, int32_t same);

#endif
