/* The pairs of limited-memory methods, see limited_memory.h. */
#include "optimizer/limited_memory.h"

#include <math.h>

void lossi_memory_start(const loss_optimizer *optimizer, lossi_limited_memory *memory)
{
    for (int32_t pair = optimizer->pairs - 1; pair >= 3; pair--) {
        memory->unused[memory->unused_count++] = pair;
    }
}

int32_t lossi_memory_place(loss_optimizer *optimizer)
{
    lossi_clear_trial(optimizer); /* the best point has to stay as it is; then the spare pair is free */
    return optimizer->machine.trial;
}

int32_t lossi_memory_counts(const loss_optimizer *optimizer, double sy, double yy, double ss)
{
    double scale = sy / yy;
    return sy > lossi_epsilon(optimizer) * sqrt(ss) * sqrt(yy) && isfinite(1.0 / sy) && isfinite(scale) &&
           scale != 0.0; /* relative, so that it does not depend on the units of x and f */
}

int32_t lossi_memory_pair(loss_optimizer *optimizer, double *sy, double *yy)
{
    lossi_machine *m = &optimizer->machine;
    int32_t old = m->trial, pair = lossi_memory_place(optimizer);
    lossi_pass_result result = lossi_run(
        optimizer, optimizer->kernels->pair,
        &(lossi_operands){.in = {lossi_pair_x(m->at), lossi_pair_x(old), lossi_pair_gradient(m->at),
                                 lossi_pair_gradient(old)},
                          .out = {lossi_pair_x(pair), lossi_pair_gradient(pair)}});
    *sy = result.sum[0];
    *yy = result.sum[1];
    if (!lossi_memory_counts(optimizer, *sy, *yy, result.sum[2])) {
        return -1;
    }
    m->trial = -1;
    return pair;
}

int32_t lossi_memory_learn(loss_optimizer *optimizer, lossi_limited_memory *memory)
{
    double sy, yy;
    int32_t pair = lossi_memory_pair(optimizer, &sy, &yy);
    if (pair < 0) {
        return 0;
    }
    memory->scale = sy / yy;
    memory->rho[memory->count] = 1.0 / sy;
    memory->kept[memory->count++] = pair;
    return 1;
}

int32_t lossi_memory_find_trial(loss_optimizer *optimizer, lossi_limited_memory *memory)
{
    lossi_machine *m = &optimizer->machine;
    if (m->trial >= 0) {
        return 0;
    }
    if (memory->unused_count > 0) {
        m->trial = memory->unused[--memory->unused_count];
        return 0;
    }
    m->trial = memory->kept[0];
    memory->count--;
    for (int32_t i = 0; i < memory->count; i++) {
        memory->kept[i] = memory->kept[i + 1];
        memory->rho[i] = memory->rho[i + 1];
    }
    return 1;
}

void lossi_memory_forget(lossi_limited_memory *memory)
{
    while (memory->count > 0) {
        memory->unused[memory->unused_count++] = memory->kept[--memory->count];
    }
}

/* d = scale · (from + factor · vector); gives dᵀwith. */
static double recur(const loss_optimizer *optimizer, int32_t d, int32_t from, double factor, int32_t vector,
                    double scale, int32_t with)
{
    return lossi_run(optimizer, optimizer->kernels->recur,
                     &(lossi_operands){.in = {from, vector, with}, .out = {d}, .scalar = {factor, scale}})
        .sum[0];
}

/* Each step of the recursion is one pass: it updates the vector and takes the product the next step needs. */
double lossi_memory_direction(const loss_optimizer *optimizer, lossi_limited_memory *memory, int32_t d,
                              int32_t g)
{
    int32_t newest = memory->count - 1, from = g;
    double product = lossi_dot(optimizer, lossi_pair_x(memory->kept[newest]), g);
    for (int32_t i = newest; i >= 0; i--, from = d) {
        int32_t y = lossi_pair_gradient(memory->kept[i]);
        memory->alpha[i] = memory->rho[i] * product;
        product = recur(optimizer, d, from, -memory->alpha[i], y, i > 0 ? 1.0 : memory->scale,
                        i > 0 ? lossi_pair_x(memory->kept[i - 1]) : y);
    }
    for (int32_t i = 0; i <= newest; i++) {
        double factor = memory->alpha[i] - memory->rho[i] * product;
        product = recur(optimizer, d, d, factor, lossi_pair_x(memory->kept[i]), i < newest ? 1.0 : -1.0,
                        i < newest ? lossi_pair_gradient(memory->kept[i + 1]) : g);
    }
    return product;
}
