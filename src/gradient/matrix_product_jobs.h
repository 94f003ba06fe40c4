/*
 * How a matrix product is cut up, between its files: jobs (matrix_product.c) go through strips of their columns, each of which is
 * multiplied in one of several ways (matrix_product_strips.c).
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_JOBS_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_JOBS_H

#include <stdint.h>

#include "gradient/matrix_product.h"
#include "gradient/matrix_product_kernels.h"
#include "gradient/matrix_product_laid.h"

enum {
    LOSSI_PRODUCT_LINE = 64,           /* bytes of a cache line, and how scratch is aligned */
    LOSSI_PRODUCT_COPY_PACKED = 96,    /* columns from which on a packed A is copied once more */
    LOSSI_PRODUCT_A_BYTES = 96 * 1024, /* of A at a time, and */
    LOSSI_PRODUCT_B_BYTES = 256 * 1024 /* of B: half of a second-level cache of 512 KiB */
};

typedef struct lossi_product_jobs {
    const lossi_product_kernels *kernels;
    const lossi_matrix_factor *a, *b;
    int64_t rows, columns, inner, size;
    char *c;
    int64_t c_row, c_column;
    int32_t accumulate;
    int64_t piece_depth, pieces;                    /* elements of inner in a piece, and how many */
    int64_t job_rows, job_columns, down, across;    /* a job's part of C, and how many of them */
    int64_t block_rows, block_columns;              /* of A and B at a time */
    char *scratch, *sums;                           /* of workers; of all pieces but the first */
    int64_t a_panel, a_copy, b_panel, worker_bytes; /* where a worker's parts begin, b_copy last */
    int64_t b_copy;
    int32_t a_laid, b_laid; /* read where they are laid out */
    int32_t is_row;         /* A is one, and B is read in its order */
} lossi_product_jobs;

/* A strip of columns of a job. */
typedef struct lossi_product_strip {
    int64_t top, rows, left, columns, begin, end;
    lossi_product_block block; /* the strip's C */
    char *scratch;
    lossi_laid *laid;
} lossi_product_strip;

void lossi_product_multiply_strip(const lossi_product_jobs *list, const lossi_product_strip *s);

static inline int64_t lossi_product_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t lossi_product_rounded(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Elements from row to row of a panel: whole lines, an odd number of them, so that rows do not share a place in the cache. */
static inline int64_t lossi_product_panel_stride(int64_t columns, int64_t size)
{
    return ((columns * size + LOSSI_PRODUCT_LINE - 1) / LOSSI_PRODUCT_LINE | 1) * LOSSI_PRODUCT_LINE / size;
}

#endif
