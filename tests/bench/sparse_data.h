/*
 * Rows of 50 draws among the columns, the first of them much more often (u³), positive values, rows of length 1, and labels by a
 * logistic model: what counts of words look like.
 */
#ifndef BENCH_SPARSE_DATA_H
#define BENCH_SPARSE_DATA_H

#include <stdint.h>

typedef struct bench_sparse_data {
    int64_t rows, columns;
    int64_t *offsets;
    int32_t *indices;
    double *values, *labels;
} bench_sparse_data;

/* On large pages where the system has them; room for a few numbers more behind each array. 0: no memory. */
int bench_sparse_make(bench_sparse_data *made, int64_t rows, int64_t columns);

void bench_sparse_free(bench_sparse_data *data);

/* Reads the entries of some rows, and gives something made of all of them. */
double bench_sparse_read(const bench_sparse_data *data, int64_t first, int64_t end);

/*
 * What sparse rows cost besides: for each row the parameters of its columns are added up, and then something is added to the sums of
 * the same columns. No values, no loss, no order to keep. In plain C, some rows at a time.
 */
void bench_sparse_gather(const bench_sparse_data *data, int64_t first, int64_t end, const double *parameters,
                         double *sums);

#endif
