/* Runs the kernels of matrix_kernels.h over whole matrices, a band of rows to a task. */
#include <stddef.h>

#include "core/isa.h"
#include "optimizer/matrix_kernels.h"
#include "optimizer/optimizer.h"

extern const lossi_matrix_kernels LOSSI_ISA_DECLARE(matrix_kernels);
static const lossi_matrix_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    matrix_kernels);

/* Rows of a task; and below so many multiplications, or elements moved, a thread would not have woken up. */
enum { BAND = 32, PARALLEL = 65536 };

typedef struct job {
    const lossi_matrix_kernels *kernels;
    const lossi_product *product;
    const lossi_transpose *transpose;
    int64_t rows;
} job;

static void run_band(void *argument, int64_t index, int32_t worker)
{
    const job *work = argument;
    int64_t begin = index * BAND, end = begin + BAND < work->rows ? begin + BAND : work->rows;
    (void)worker;
    if (work->product != NULL) {
        work->kernels->multiply(work->product, begin, end);
    } else {
        work->kernels->transpose(work->transpose, begin, end);
    }
}

static void run(const loss_optimizer *optimizer, job *work, double effort)
{
    int64_t bands = (work->rows + BAND - 1) / BAND;
    work->kernels = table[lossi_context_isa(optimizer->context)][lossi_real_index(optimizer->dtype)];
    if (effort >= PARALLEL) {
        lossi_parallel(optimizer->context, bands, run_band, work);
    } else {
        for (int64_t i = 0; i < bands; i++) {
            run_band(work, i, 0);
        }
    }
}

void lossi_multiply(const loss_optimizer *optimizer, const lossi_product *product)
{
    job work = {.product = product, .rows = product->m};
    run(optimizer, &work, (double)product->m * (double)product->n * (double)product->k);
}

void lossi_transpose_matrix(const loss_optimizer *optimizer, const lossi_transpose *transpose)
{
    job work = {.transpose = transpose, .rows = transpose->rows};
    run(optimizer, &work, (double)transpose->rows * (double)transpose->columns);
}
