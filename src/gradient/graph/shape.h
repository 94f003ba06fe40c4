/* Shapes: comparing, broadcasting, and saying them. */
#ifndef LOSSI_GRADIENT_GRAPH_SHAPE_H
#define LOSSI_GRADIENT_GRAPH_SHAPE_H

#include "gradient/graph/tape.h"

enum { LOSSI_SHAPE_TEXT = 160 };

/* "[rows, 28, 28, 1]", "[]" of a number. */
const char *lossi_shape_text(const lossi_shape *shape, char buffer[LOSSI_SHAPE_TEXT]);

int32_t lossi_shapes_equal(const lossi_shape *a, const lossi_shape *b);

/* The elements for that many rows; at most so many, which no memory holds. */
#define LOSSI_MOST_ELEMENTS (INT64_C(1) << 58)
int64_t lossi_shape_elements(const lossi_shape *shape, int64_t rows);

/* Whether the first size is the rows of a batch. */
int32_t lossi_shape_of_rows(const lossi_shape *shape);

/* The elements without the rows of a batch: of a row, or of everything where there are no rows. */
int64_t lossi_shape_row(const lossi_shape *shape);

/*
 * What both broadcast to: aligned at the last size, each pair of sizes equal or one of them 1. 0 when they do not fit, and
 * `to` is unspecified. The rows of a batch fit with themselves and with 1.
 */
int32_t lossi_shapes_broadcast(const lossi_shape *a, const lossi_shape *b, lossi_shape *to);

/* Sizes product in range, none negative but rows first: LOSS_OK or LOSS_ERROR_SHAPE with a sentence that names `what`. */
loss_status lossi_shape_check(loss_context *context, const char *what, const lossi_shape *shape);

#endif
