/*
 * See blas_product.h. By the routines of Fortran, which every BLAS has, with 32-bit integers; matrices are there column after column, so that
 * C = A·B row after row is Cᵀ = Bᵀ·Aᵀ. Dongarra et al., A set of level 3 basic linear algebra subprograms, ACM TOMS 16(1), 1990.
 */
#include "gradient/blas_product.h"

void sgemm_(const char *transpose_a, const char *transpose_b, const int32_t *m, const int32_t *n,
            const int32_t *k, const float *alpha, const float *a, const int32_t *a_stride, const float *b,
            const int32_t *b_stride, const float *beta, float *c, const int32_t *c_stride);
void dgemm_(const char *transpose_a, const char *transpose_b, const int32_t *m, const int32_t *n,
            const int32_t *k, const double *alpha, const double *a, const int32_t *a_stride, const double *b,
            const int32_t *b_stride, const double *beta, double *c, const int32_t *c_stride);

/* How BLAS is told of a factor of `rows` × `columns` that lies row after row: as it is, or as its transpose. */
typedef struct told {
    char transpose;
    int32_t stride;
} told;

static int tell(lossi_matrix_view view, int64_t rows, int64_t columns, told *out)
{
    const int in_rows = view.column_stride == 1 && view.row_stride >= columns;
    const int in_columns = view.row_stride == 1 && view.column_stride >= rows;
    const int64_t stride = in_rows ? view.row_stride : view.column_stride;
    *out = (told){in_rows ? 'N' : 'T', (int32_t)stride};
    return (in_rows || in_columns) && stride <= INT32_MAX;
}

static int is_size(int64_t size)
{
    return size >= 1 && size <= INT32_MAX;
}

int lossi_blas_product(loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner, lossi_matrix_view a,
                       lossi_matrix_view b, void *c, int64_t c_row_stride, int32_t accumulate)
{
    told left, right;
    if (!is_size(rows) || !is_size(columns) || !is_size(inner) || c_row_stride < columns ||
        c_row_stride > INT32_MAX || !tell(a, rows, inner, &left) || !tell(b, inner, columns, &right)) {
        return 0;
    }
    const int32_t m = (int32_t)columns, n = (int32_t)rows, k = (int32_t)inner, stride = (int32_t)c_row_stride;
    if (dtype == LOSS_FLOAT32) {
        const float one = 1, beta = accumulate ? 1 : 0;
        sgemm_(&right.transpose, &left.transpose, &m, &n, &k, &one, b.data, &right.stride, a.data,
               &left.stride, &beta, c, &stride);
    } else {
        const double one = 1, beta = accumulate ? 1 : 0;
        dgemm_(&right.transpose, &left.transpose, &m, &n, &k, &one, b.data, &right.stride, a.data,
               &left.stride, &beta, c, &stride);
    }
    return 1;
}
