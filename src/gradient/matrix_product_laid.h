/*
 * Factors that are read where they were laid out: rows and columns that each have a place of their own, whose sum is an element's, so
 * that nothing is copied for every element. Patches of an image overlap, and are nine times the image where windows are 3 × 3.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_LAID_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_LAID_H

#include <stdint.h>

#include "gradient/matrix_product.h"
#include "gradient/matrix_product_kernels.h"

/* What is laid out, and the tables that a block points to. */
typedef struct lossi_laid {
    int64_t begin, end; /* rows of the factor; none where both are −1 */
    int64_t rows[LOSSI_PRODUCT_PANEL_ROWS];
    lossi_product_run runs[LOSSI_PRODUCT_PANEL_ROWS];
    int64_t places[LOSSI_PRODUCT_PANEL_ROWS]; /* of columns, or of vectors of them */
} lossi_laid;

static inline void lossi_laid_forget(lossi_laid *laid)
{
    laid->begin = laid->end = -1;
}

/* Whether blocks of so many rows of a factor can be read where they are laid out in so many bytes. */
int32_t lossi_laid_fits(const lossi_matrix_factor *factor, int64_t rows, int64_t bytes);

/* The block's rows of A, `first` and on, and its steps from k on. Elements have `size` bytes. */
void lossi_laid_as_a(lossi_laid *laid, const lossi_matrix_factor *a, int64_t first, int64_t k, int64_t size,
                     void *room, lossi_product_block *block);

/* The block's steps of B, from k on, and its columns, `left` and on: at most LOSSI_PRODUCT_PANEL_ROWS vectors that lie together. */
void lossi_laid_as_b(lossi_laid *laid, const lossi_matrix_factor *b, int64_t k, int64_t left, int32_t lanes,
                     int64_t size, void *room, lossi_product_block *block);

#endif
