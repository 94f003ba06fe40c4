/* What means and deviations of columns are made of, row by row; every column has sums of its own, in order of the rows. */
#ifndef LOSSI_GRADIENT_COLUMN_KERNELS_H
#define LOSSI_GRADIENT_COLUMN_KERNELS_H

#include <stdint.h>

/* A sum per column with its rounding errors (core/sum.h, lossi_add_kept()). */
typedef struct lossi_column_sums {
    double *sum, *lost;
} lossi_column_sums;

typedef struct lossi_column_kernels {
    /* The least and the greatest of each column, and the sum of weight · x. */
    void (*range)(int64_t columns, const void *x, double weight, double *low, double *high,
                  const lossi_column_sums *sums);
    /* The sum of weight · ((x − mean) · factor)². */
    void (*spread)(int64_t columns, const void *x, double weight, const double *means, const double *factors,
                   const lossi_column_sums *sums);
} lossi_column_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_column_kernels *lossi_column_kernels_for(int32_t isa, int32_t real_index);

#endif
