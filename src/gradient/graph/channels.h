/* What batch_norm puts on the tape: operations over all axes but the last, the channels, whose moments are those of the batch. */
#ifndef LOSSI_GRADIENT_GRAPH_CHANNELS_H
#define LOSSI_GRADIENT_GRAPH_CHANNELS_H

#include "gradient/graph/tape.h"

/* Rows of the result of moments. */
enum { LOSSI_MOMENT_MEAN, LOSSI_MOMENT_SCALE, LOSSI_MOMENT_VARIANCE, LOSSI_MOMENTS };

/*
 * moments    x: 3 × channels, the mean, 1 / sqrt(variance + number[0]) and the variance, divided by how many there are
 * centre     x, moments: the first row, as a function of x
 * scale      x, moments: the second
 * dot        a, x, moments: Σ a (x − mean) scale of each channel
 * normalise  x, scale, shift, moments: (x − mean) scale_of_moments scale + shift
 * Attributes of moments: number[1] the momentum of running statistics, integer[LOSSI_INTEGERS − 1] the node of the graph.
 */
extern const lossi_operation lossi_operation_channel_moments, lossi_operation_channel_centre,
    lossi_operation_channel_scale, lossi_operation_channel_dot, lossi_operation_channel_normalise;

/* Computing them (channels_run.c). */
struct lossi_node_run;
int64_t lossi_channel_moments_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
int64_t lossi_channel_dot_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
int64_t lossi_channel_normalise_scratch(const lossi_tape *tape, int32_t node, int64_t rows);
loss_status lossi_channel_moments_run(const struct lossi_node_run *run);
loss_status lossi_channel_row_run(const struct lossi_node_run *run);
loss_status lossi_channel_dot_run(const struct lossi_node_run *run);
loss_status lossi_channel_normalise_run(const struct lossi_node_run *run);

#endif
