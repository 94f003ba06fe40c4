/* Reductions over axes: how they are computed (reduce_run.c), and what operations that have an option "axes" share (axes.c). */
#ifndef LOSSI_GRADIENT_GRAPH_REDUCE_H
#define LOSSI_GRADIENT_GRAPH_REDUCE_H

#include <stddef.h>

#include "core/option.h"
#include "gradient/graph/reduce_kernels.h"
#include "gradient/graph/run.h"

/* Bytes of scratch for a reduction of that shape, rows filled in, over axes (a bit each). */
int64_t lossi_reduce_scratch(const lossi_shape *from, int32_t axes);

/* output = the sums or extremes (LOSSI_REDUCE_…) of the input over axes, which have the size 1 in the output. */
void lossi_reduce_run(loss_context *context, int32_t kind, const lossi_value *input, int32_t axes,
                      const lossi_value *output, void *scratch);

/* ---- the columns of a matrix, for steps that make it and add it up block by block ---- */

/* How its rows are cut, by its shape alone: reduce_run.c says what a sum is. */
typedef struct lossi_column_cut {
    int64_t rows, columns, abreast, block_rows, piece_rows, pieces;
} lossi_column_cut;

enum { LOSSI_COLUMNS = 1024 }; /* at most, for the next four */

lossi_column_cut lossi_column_cut_of(int64_t rows, int64_t columns);

/* How many numbers the sums of a piece take while they are made. */
static inline int64_t lossi_column_room(int64_t columns)
{
    return columns < 16 ? 16 : columns;
}

/* A piece's sums: from +0 on, the rows of each of its blocks in turn, the end, after which there are as many as columns. */
void lossi_column_begin(const lossi_column_cut *cut, double *sums);
void lossi_column_add(const lossi_column_cut *cut, const lossi_reduce_kernels *kernels, const void *block,
                      int64_t rows, int64_t size, double *sums);
void lossi_column_end(const lossi_column_cut *cut, double *sums);

/* The sums of all pieces, one after the other, are joined in the first ones. */
void lossi_column_join(const lossi_column_cut *cut, double *sums);

/* ---- the options "axes" and "keep_axes" ---- */

enum { LOSSI_AXES, LOSSI_KEEP_AXES, LOSSI_AXES_OPTIONS };

#define LOSSI_AXES_OPTION_ROWS                                                                               \
    [LOSSI_AXES] = {"axes",      LOSS_OPTION_ARRAY,                                                          \
                    -LOSSI_RANK, LOSSI_RANK - 1,                                                             \
                    0,           NULL,                                                                       \
                    NULL,        "the axes to go over, counted from the end where negative; none: all"},     \
    [LOSSI_KEEP_AXES] = {"keep_axes", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: they stay, with size 1"}

/* integer[0]: how many axes, integer[1]: keep, integer[2 …]: the axes; the next free one is integer[8]. */
loss_status lossi_axes_settle(const lossi_options *given, loss_context *context,
                              lossi_attributes *attributes);

/* A bit for each axis of a node with that rank; −1 when one of them is not there. */
int32_t lossi_axes_of(const lossi_attributes *attributes, int32_t rank);

/* Type and shape of a reduction, or a sentence. */
loss_status lossi_axes_infer(const lossi_tape *tape, lossi_tape_node *node);

/* Something reduced, which has kept its axes with size 1, in the shape that lossi_axes_infer() gives. */
int32_t lossi_axes_drop(lossi_tape *tape, const lossi_attributes *attributes, int32_t reduced);

/* How many elements of a shape are reduced to one, as a node: rows are known when it runs. `like` has the rows. */
int32_t lossi_axes_count(lossi_tape *tape, int32_t like, int32_t axes);

/* LOSS_ERROR_TYPE unless an input has the tape's type. */
loss_status lossi_check_real(const lossi_tape *tape, const lossi_tape_node *node, int32_t which);

#endif
