/* Arrays to measure with: one place for each role, filled with numbers that the loss takes. */
#ifndef BENCH_ARRAYS_H
#define BENCH_ARRAYS_H

#include <stdint.h>

#include "loss/function.h"
#include "loss/row.h"

typedef struct bench_arrays {
    void *prediction, *target, *gradient; /* `most` doubles each, aligned to pages */
    int64_t *labels;                      /* most_rows */
    int64_t most, most_rows;
} bench_arrays;

/* 0 when there is not enough memory. */
int bench_arrays_create(bench_arrays *arrays, int64_t most, int64_t most_rows);

/* u in [0, 1) to a number inside the domain, a few units wide where it has no end. */
double bench_inside(const lossi_domain *domain, double u);

/* The first n elements of predictions and targets, inside the domains of the function. */
void bench_arrays_fill(bench_arrays *arrays, const loss_function *function, int bits, int64_t n);

void bench_arrays_fill_labels(bench_arrays *arrays, int64_t rows, int64_t classes);

#endif
