/*
 * Dense matrix products by a BLAS, in builds with LOSS_BLAS. In others nothing of it is there.
 *
 * Bits of such a build are those of that BLAS, on that machine and with its threads: products of graphs no longer keep the
 * same-bits contract (docs/numerics.md). Everything else does.
 */
#ifndef LOSSI_GRADIENT_BLAS_PRODUCT_H
#define LOSSI_GRADIENT_BLAS_PRODUCT_H

#include "gradient/matrix_product.h"

#ifdef LOSSI_BLAS

/*
 * C = A·B, or C += A·B, as lossi_matrix_product(). 1 when it was done; 0 when a factor has gaps in both directions, or a size is 0
 * or beyond the 32 bits of BLAS: then nothing was.
 */
int lossi_blas_product(loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner, lossi_matrix_view a,
                       lossi_matrix_view b, void *c, int64_t c_row_stride, int32_t accumulate);

#else

static inline int lossi_blas_product(loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner,
                                     lossi_matrix_view a, lossi_matrix_view b, void *c, int64_t c_row_stride,
                                     int32_t accumulate)
{
    (void)dtype, (void)rows, (void)columns, (void)inner, (void)a, (void)b, (void)c, (void)c_row_stride,
        (void)accumulate;
    return 0;
}

#endif

#endif
