/*
 * Runs the passes of vector_kernels.h over whole vectors, cut as core/sum.h says.
 *
 * Up to one block it is a plain call. From PARALLEL elements on the slices go to the context's threads,
 * shorter vectors are done before a thread would have woken up.
 */
#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "optimizer/optimizer.h"

enum { PARALLEL = 65536 };

typedef struct job {
    lossi_pass_kernel kernel;
    const lossi_pass *pass;
    lossi_cut cut;
    lossi_pass_result slices[LOSSI_SLICES];
} job;

static void run_slice(void *argument, int64_t index, int32_t worker)
{
    job *work = argument;
    int64_t begin = index * work->cut.slice_rows;
    int64_t end = begin + work->cut.slice_rows;
    (void)worker;
    work->slices[index] = work->kernel(work->pass, begin, end < work->cut.rows ? end : work->cut.rows);
}

/* A maximum that keeps a NaN. */
static double larger(double a, double b)
{
    return b <= a || a != a ? a : b;
}

static lossi_pass_result add_up(job *work)
{
    lossi_pass_result result = work->slices[0];
    double sums[LOSSI_SLICES];
    for (int k = 0; k < LOSSI_PASS_SUMS; k++) {
        for (int64_t i = 0; i < work->cut.slices; i++) {
            sums[i] = work->slices[i].sum[k];
        }
        result.sum[k] = lossi_sum_slices(sums, work->cut.slices);
    }
    for (int k = 0; k < LOSSI_PASS_MAXIMA; k++) {
        for (int64_t i = 1; i < work->cut.slices; i++) {
            result.maximum[k] = larger(result.maximum[k], work->slices[i].maximum[k]);
        }
    }
    return result;
}

lossi_pass_result lossi_run_pass(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                                 const lossi_pass *pass)
{
    return lossi_run_part(optimizer, kernel, pass, optimizer->dimension);
}

lossi_pass_result lossi_run_part(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                                 const lossi_pass *pass, int64_t n)
{
    if (n <= LOSSI_BLOCK) {
        return kernel(pass, 0, n);
    }
    job work = {.kernel = kernel, .pass = pass, .cut = lossi_cut_rows(n, 1)};
    if (n >= PARALLEL) {
        lossi_parallel(optimizer->context, work.cut.slices, run_slice, &work);
    } else {
        for (int64_t i = 0; i < work.cut.slices; i++) {
            run_slice(&work, i, 0);
        }
    }
    return add_up(&work);
}

/* ---- many vectors ---- */

typedef struct many_job {
    lossi_many_kernel kernel;
    const lossi_many *many;
    lossi_cut cut;
    double slices[LOSSI_SLICES][LOSSI_MANY_SUMS];
} many_job;

static void run_many_slice(void *argument, int64_t index, int32_t worker)
{
    many_job *work = argument;
    index = work->many->backwards ? work->cut.slices - 1 - index : index;
    int64_t begin = index * work->cut.slice_rows;
    int64_t end = begin + work->cut.slice_rows;
    (void)worker;
    work->kernel(work->many, begin, end < work->cut.rows ? end : work->cut.rows, work->slices[index]);
}

void lossi_run_many(const loss_optimizer *optimizer, lossi_many_kernel kernel, const lossi_many *many,
                    int32_t count, double *sums)
{
    int64_t n = optimizer->padded;
    if (n <= LOSSI_BLOCK) {
        kernel(many, 0, n, sums);
        return;
    }
    many_job work;
    work.kernel = kernel;
    work.many = many;
    work.cut = lossi_cut_rows(n, 1);
    if (n >= PARALLEL) {
        lossi_parallel(optimizer->context, work.cut.slices, run_many_slice, &work);
    } else {
        for (int64_t i = 0; i < work.cut.slices; i++) {
            run_many_slice(&work, i, 0);
        }
    }
    for (int32_t k = 0; k < count; k++) {
        double column[LOSSI_SLICES];
        for (int64_t i = 0; i < work.cut.slices; i++) {
            column[i] = work.slices[i][k];
        }
        sums[k] = lossi_sum_slices(column, work.cut.slices);
    }
}

/* ---- by index ---- */

lossi_pass_result lossi_run(const loss_optimizer *optimizer, lossi_pass_kernel kernel,
                            const lossi_operands *operands)
{
    lossi_pass pass;
    double zero = 0.0; /* NaN when a scalar is not finite */
    for (int k = 0; k < 4; k++) {
        pass.in[k] = lossi_vector(optimizer, operands->in[k]);
        pass.scalar[k] = operands->scalar[k];
        zero += 0.0 * operands->scalar[k];
    }
    pass.out[0] = lossi_vector(optimizer, operands->out[0]);
    pass.out[1] = lossi_vector(optimizer, operands->out[1]);
    return lossi_run_part(optimizer, kernel, &pass, zero == 0.0 ? optimizer->padded : optimizer->dimension);
}

double lossi_dot(const loss_optimizer *optimizer, int32_t a, int32_t b)
{
    return lossi_run(optimizer, optimizer->kernels->dot, &(lossi_operands){.in = {a, b}}).sum[0];
}

double lossi_norm(const loss_optimizer *optimizer, int32_t a)
{
    return lossi_run(optimizer, optimizer->kernels->norm, &(lossi_operands){.in = {a}}).maximum[0];
}

void lossi_copy(const loss_optimizer *optimizer, int32_t to, int32_t from)
{
    memcpy(lossi_vector(optimizer, to), lossi_vector(optimizer, from), (size_t)optimizer->stride);
}

void lossi_widen(const loss_optimizer *optimizer, double *to, int32_t from)
{
    const void *vector = lossi_vector(optimizer, from);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        to[i] = optimizer->dtype == LOSS_FLOAT64 ? ((const double *)vector)[i]
                                                 : (double)((const float *)vector)[i];
    }
}

void lossi_narrow(const loss_optimizer *optimizer, int32_t to, const double *from)
{
    void *vector = lossi_vector(optimizer, to);
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        if (optimizer->dtype == LOSS_FLOAT64) {
            ((double *)vector)[i] = from[i];
        } else {
            ((float *)vector)[i] = (float)from[i];
        }
    }
}
