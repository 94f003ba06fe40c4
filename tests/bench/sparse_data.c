/* Sparse rows to measure with. */
#include "sparse_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loss/random.h"
#include "support.h"

enum { DRAWS = 50, SEED = 20240501 };
static const double labels_strength = 5;

typedef struct entry {
    int32_t index;
    double value;
} entry;

static int by_index(const void *a, const void *b)
{
    return ((const entry *)a)->index - ((const entry *)b)->index;
}

/* Box and Muller. */
static double normal(double u, double v)
{
    return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

/* The entries of a row, one a column, of length 1; gives how many. */
static int64_t draw_row(int64_t row, int64_t columns, entry *drawn)
{
    double u[3 * DRAWS], squares = 0;
    int64_t count = 0;
    loss_random_uniform(SEED, 1, row * 3 * DRAWS, 3 * DRAWS, u);
    for (int64_t e = 0; e < DRAWS; e++) {
        drawn[e].index = (int32_t)((double)columns * (u[3 * e] * u[3 * e] * u[3 * e]));
        drawn[e].value = fabs(normal(u[3 * e + 1], u[3 * e + 2])) + 0.1;
    }
    qsort(drawn, DRAWS, sizeof *drawn, by_index);
    for (int64_t e = 0; e < DRAWS; e++) {
        if (count > 0 && drawn[count - 1].index == drawn[e].index) {
            drawn[count - 1].value += drawn[e].value;
        } else {
            drawn[count++] = drawn[e];
        }
    }
    for (int64_t e = 0; e < count; e++) {
        squares += drawn[e].value * drawn[e].value;
    }
    for (int64_t e = 0; e < count; e++) {
        drawn[e].value /= sqrt(squares);
    }
    return count;
}

static void fill(bench_sparse_data *d, const double *weights)
{
    entry drawn[DRAWS];
    d->offsets[0] = 0;
    for (int64_t row = 0; row < d->rows; row++) {
        const int64_t begin = d->offsets[row], count = draw_row(row, d->columns, drawn);
        double z = 0, u;
        for (int64_t e = 0; e < count; e++) {
            const int32_t j = drawn[e].index;
            d->indices[begin + e] = j;
            d->values[begin + e] = drawn[e].value;
            z += drawn[e].value * labels_strength *
                 normal(weights[2 * (int64_t)j], weights[2 * (int64_t)j + 1]);
        }
        d->offsets[row + 1] = begin + count;
        loss_random_uniform(SEED, 3, row, 1, &u);
        d->labels[row] = u < 1 / (1 + exp(-z));
    }
}

int bench_sparse_make(bench_sparse_data *made, int64_t rows, int64_t columns)
{
    double *weights = bench_room(2 * columns * (int64_t)sizeof *weights);
    *made = (bench_sparse_data){rows,
                                columns,
                                bench_room((rows + 1) * (int64_t)sizeof *made->offsets),
                                bench_room(rows * DRAWS * (int64_t)sizeof *made->indices),
                                bench_room(rows * DRAWS * (int64_t)sizeof *made->values),
                                bench_room(rows * (int64_t)sizeof *made->labels)};
    const int good = weights != NULL && made->offsets != NULL && made->indices != NULL &&
                     made->values != NULL && made->labels != NULL;
    if (good) {
        loss_random_uniform(SEED, 2, 0, 2 * columns, weights);
        fill(made, weights);
    } else {
        bench_sparse_free(made);
    }
    free(weights);
    return good;
}

void bench_sparse_free(bench_sparse_data *data)
{
    free(data->offsets);
    free(data->indices);
    free(data->values);
    free(data->labels);
    memset(data, 0, sizeof *data);
}

/* Eight sums at a time, and the bits of eight numbers as fast as they come. */
double bench_sparse_read(const bench_sparse_data *data, int64_t first, int64_t end)
{
    enum { CHAINS = 8 };
    double sums[CHAINS] = {0};
    int32_t bits[CHAINS] = {0};
    for (int64_t e = data->offsets[first]; e + CHAINS <= data->offsets[end]; e += CHAINS) {
        for (int i = 0; i < CHAINS; i++) {
            sums[i] += data->values[e + i];
            bits[i] ^= data->indices[e + i];
        }
    }
    for (int i = 1; i < CHAINS; i++) {
        sums[0] += sums[i];
        bits[0] ^= bits[i];
    }
    return sums[0] + bits[0];
}

void bench_sparse_gather(const bench_sparse_data *data, int64_t first, int64_t end, const double *parameters,
                         double *sums)
{
    enum { CHAINS = 8, GROUP = 16 };
    double z[GROUP];
    for (int64_t from = first; from < end; from += GROUP) {
        const int64_t to = from + GROUP < end ? from + GROUP : end;
        for (int64_t row = from; row < to; row++) {
            double chains[CHAINS] = {0};
            int64_t e = data->offsets[row];
            for (; e + CHAINS <= data->offsets[row + 1]; e += CHAINS) {
#pragma GCC unroll 8
                for (int i = 0; i < CHAINS; i++) {
                    chains[i] += parameters[data->indices[e + i]];
                }
            }
            for (; e < data->offsets[row + 1]; e++) {
                chains[0] += parameters[data->indices[e]];
            }
            z[row - from] = 1e-9 * (((chains[0] + chains[1]) + (chains[2] + chains[3])) +
                                    ((chains[4] + chains[5]) + (chains[6] + chains[7])));
        }
        for (int64_t row = from; row < to; row++) {
            for (int64_t e = data->offsets[row]; e < data->offsets[row + 1]; e++) {
                sums[data->indices[e]] += z[row - from];
            }
        }
    }
}
