/* The three products that a convolution and its derivatives are, which convolution.c puts on the tape. */
#ifndef LOSSI_GRADIENT_GRAPH_CONVOLUTION_H
#define LOSSI_GRADIENT_GRAPH_CONVOLUTION_H

#include "gradient/graph/tape.h"

/* Their attributes: pairs are along height and width. */
enum {
    LOSSI_CONVOLUTION_STRIDE = 0,
    LOSSI_CONVOLUTION_BEFORE = 2, /* padding above and left */
    LOSSI_CONVOLUTION_DILATION = 4,
    LOSSI_CONVOLUTION_GROUPS = 6,
    LOSSI_CONVOLUTION_EXTENT = 7 /* height and width of the result */
};

extern const lossi_operation lossi_operation_convolution;         /* image, weights: result */
extern const lossi_operation lossi_operation_convolution_image;   /* adjoint of the result, weights: image */
extern const lossi_operation lossi_operation_convolution_weights; /* image, adjoint of the result: weights */

/* Computing them (convolution_run.c). */
struct lossi_node_run;
int64_t lossi_convolution_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
int64_t lossi_convolution_image_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
int64_t lossi_convolution_weights_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
loss_status lossi_convolution_run(const struct lossi_node_run *run);
loss_status lossi_convolution_image_run(const struct lossi_node_run *run);
loss_status lossi_convolution_weights_run(const struct lossi_node_run *run);

#endif
