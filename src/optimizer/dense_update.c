/* The pass of dense_update.h over whole matrices: cut into slices, run on the context's threads, added up. */
#include "optimizer/dense_update.h"

#include <string.h>

#include "core/isa.h"
#include "core/sum.h"

#define DECLARE(stem, isa) extern const lossi_dense_kernel lossi_##stem##_##isa##_float64;
#define LIST(stem, isa)    &lossi_##stem##_##isa##_float64,
LOSSI_ISA_LIST(DECLARE, dense_kernel)
static const lossi_dense_kernel *const kernels[LOSSI_ISA_COUNT] = {LOSSI_ISA_LIST(LIST, dense_kernel)};

/* A slice is worth a thread's waking up from so many elements on: a quarter of a megabyte. */
enum { SLICE_ELEMENTS = 32768 };
enum { MOST_ROWS = INT32_MAX }; /* the square of which fits */

static int64_t strips_of(int64_t n)
{
    return (n + LOSSI_STRIP - 1) / LOSSI_STRIP;
}

int64_t lossi_dense_rows(int64_t n)
{
    return n > MOST_ROWS - LOSSI_STRIP ? -1 : strips_of(n) * LOSSI_STRIP;
}

int64_t lossi_dense_size(int64_t n)
{
    return lossi_dense_rows(n) < 0 ? -1 : lossi_strip_offset(strips_of(n));
}

static int64_t slices_of(int64_t n)
{
    int64_t slices = lossi_dense_size(n) / SLICE_ELEMENTS;
    return slices < 1 ? 1 : slices > LOSSI_SLICES ? LOSSI_SLICES : slices;
}

int64_t lossi_dense_scratch(int64_t n)
{
    return slices_of(n) * lossi_dense_rows(n);
}

double lossi_dense_dot(int64_t n, const double *a, const double *b)
{
    double lanes[LOSSI_LANES] = {0.0};
    int64_t i = 0;
    for (; i + LOSSI_LANES <= n; i += LOSSI_LANES) {
        for (int k = 0; k < LOSSI_LANES; k++) {
            lanes[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        lanes[i % LOSSI_LANES] += a[i] * b[i];
    }
    return lossi_sum_lanes(lanes);
}

void lossi_dense_set_diagonal(double *matrix, int64_t n, double value)
{
    memset(matrix, 0, (size_t)lossi_strip_offset(strips_of(n)) * sizeof *matrix);
    for (int64_t i = 0; i < n; i++) {
        int64_t strip = i / LOSSI_STRIP, row = i % LOSSI_STRIP;
        matrix[lossi_strip_offset(strip) + row * LOSSI_STRIP * (strip + 1) + i] = value;
    }
}

void lossi_dense_multiply(double *matrix, int64_t n, double factor)
{
    for (int64_t i = 0; i < lossi_strip_offset(strips_of(n)); i++) {
        matrix[i] *= factor;
    }
}

typedef struct job {
    const lossi_dense_pass *pass;
    lossi_dense_kernel kernel;
    double *products; /* of the slices, rows apart */
    int64_t rows;
    int64_t cuts[LOSSI_SLICES + 1];
} job;

static void run_slice(void *argument, int64_t index, int32_t worker)
{
    const job *work = argument;
    (void)worker;
    work->kernel(work->pass, work->cuts[index], work->cuts[index + 1], work->products + index * work->rows);
}

/* Strips cut where the elements before them are as near as can be to equal parts. */
static void cut(job *work, int64_t strips, int64_t slices)
{
    int64_t strip = 0, per_slice = lossi_strip_offset(strips) / slices;
    for (int64_t i = 0; i < slices; i++) {
        while (strip < strips && lossi_strip_offset(strip) < i * per_slice) {
            strip++;
        }
        work->cuts[i] = strip;
    }
    work->cuts[slices] = strips;
}

void lossi_dense_run(loss_context *context, const lossi_dense_pass *pass, int64_t n, double *product,
                     double *scratch)
{
    int64_t slices = slices_of(n), strips = strips_of(n);
    job work = {.pass = pass,
                .kernel = *kernels[lossi_context_isa(context)],
                .products = slices == 1 ? product : scratch,
                .rows = lossi_dense_rows(n)};
    cut(&work, strips, slices);
    lossi_parallel(context, slices, run_slice, &work);
    if (slices == 1) {
        return;
    }
    memset(product, 0, (size_t)work.rows * sizeof *product);
    for (int64_t k = 0; k < slices; k++) {
        const double *part = work.products + k * work.rows;
        for (int64_t i = 0; i < work.cuts[k + 1] * LOSSI_STRIP; i++) {
            product[i] += part[i];
        }
    }
}
