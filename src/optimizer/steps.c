/* Runs the steps of step_kernels.h over stretches of the parameters, cut as core/sum.h says. */
#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "optimizer/optimizer.h"
#include "optimizer/step_kernels.h"

extern const lossi_step_kernels LOSSI_ISA_DECLARE(step_kernels);
static const lossi_step_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    step_kernels);

enum { PARALLEL = 65536 }; /* shorter stretches are done before a thread would have woken up */

const lossi_step_kernels *lossi_steps(const loss_optimizer *optimizer)
{
    return table[lossi_context_isa(optimizer->context)][lossi_real_index(optimizer->dtype)];
}

typedef struct job {
    lossi_step_kernel kernel;
    const lossi_step *step;
    lossi_cut cut;
    int32_t bad[LOSSI_SLICES];
} job;

static void run_slice(void *argument, int64_t index, int32_t worker)
{
    job *work = argument;
    int64_t begin = index * work->cut.slice_rows;
    int64_t end = begin + work->cut.slice_rows;
    (void)worker;
    work->bad[index] = work->kernel(work->step, begin, end < work->cut.rows ? end : work->cut.rows);
}

int32_t lossi_run_bands(const loss_optimizer *optimizer, lossi_step_kernel kernel, const lossi_step *step,
                        int64_t count, int64_t breadth)
{
    if (count * breadth < PARALLEL) {
        return kernel(step, 0, count);
    }
    job work = {.kernel = kernel, .step = step, .cut = lossi_cut_rows(count, breadth)};
    int32_t bad = 0;
    lossi_parallel(optimizer->context, work.cut.slices, run_slice, &work);
    for (int64_t i = 0; i < work.cut.slices; i++) {
        bad |= work.bad[i];
    }
    return bad;
}

int32_t lossi_run_step(const loss_optimizer *optimizer, lossi_step_kernel kernel, const lossi_step *step,
                       int64_t count)
{
    return lossi_run_bands(optimizer, kernel, step, count, 1);
}
