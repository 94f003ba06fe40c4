/*
 * The memory of a run: vectors, int64 numbers and float64 numbers, sized by the algorithm's layout() and
 * kept for the next start. Nothing else is allocated while an optimizer runs.
 */
#include <stddef.h>

#include "core/isa.h"
#include "core/sum.h"
#include "optimizer/composite.h"

extern const lossi_vector_kernels LOSSI_ISA_DECLARE(vector_kernels);
extern const lossi_memory_kernels LOSSI_ISA_DECLARE(memory_kernels);
static const lossi_memory_kernels *const memory_table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    memory_kernels);
static const lossi_vector_kernels *const kernel_table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    vector_kernels);

enum { LINE = 64 }; /* bytes of a cache line; vectors begin with one */

/* A block: what there is, and what is wanted. */
typedef struct block {
    void *old;
    int64_t size, wanted; /* bytes */
    void *fresh;          /* old, when that is large enough */
} block;

enum { VECTORS_BLOCK, INTEGERS_BLOCK, DOUBLES_BLOCK, BLOCKS };

/* Nothing is changed unless everything was there. */
static loss_status allocate(loss_context *context, block *blocks)
{
    int32_t missing = 0;
    for (int32_t i = 0; i < BLOCKS; i++) {
        block *b = &blocks[i];
        b->fresh = b->size >= b->wanted ? b->old : lossi_allocate(context, b->wanted);
        missing += b->fresh == NULL && b->wanted > 0;
    }
    for (int32_t i = 0; i < BLOCKS; i++) {
        block *b = &blocks[i];
        if (b->fresh != b->old) {
            lossi_release(context, missing ? b->fresh : b->old);
            b->size = b->wanted;
        }
    }
    return missing ? lossi_fail_memory(context, "the workspace of an optimizer") : LOSS_OK;
}

static loss_status reserve(loss_optimizer *optimizer, int64_t vectors, int64_t integers, int64_t doubles)
{
    block blocks[BLOCKS] = {
        [VECTORS_BLOCK] = {optimizer->vectors_block, optimizer->vectors_size, vectors + LINE, NULL},
        [INTEGERS_BLOCK] = {optimizer->integers, optimizer->integers_size, integers, NULL},
        [DOUBLES_BLOCK] = {optimizer->doubles, optimizer->doubles_size, doubles, NULL},
    };
    loss_status status = allocate(optimizer->context, blocks);
    if (status == LOSS_OK) {
        char *begin = blocks[VECTORS_BLOCK].fresh;
        optimizer->vectors_block = begin;
        optimizer->vectors = begin + (LINE - (uintptr_t)begin % LINE) % LINE;
        optimizer->integers = blocks[INTEGERS_BLOCK].fresh;
        optimizer->doubles = blocks[DOUBLES_BLOCK].fresh;
        optimizer->vectors_size = blocks[VECTORS_BLOCK].size;
        optimizer->integers_size = blocks[INTEGERS_BLOCK].size;
        optimizer->doubles_size = blocks[DOUBLES_BLOCK].size;
    }
    return status;
}

loss_status lossi_workspace_prepare(loss_optimizer *optimizer)
{
    lossi_layout layout = {.pairs = 3};
    loss_status status = optimizer->row->layout(optimizer, &layout);
    if (status == LOSS_OK) {
        status = lossi_composite_layout(optimizer, &layout);
    }
    if (status != LOSS_OK) {
        return status;
    }
    int64_t size = optimizer->dtype == LOSS_FLOAT64 ? 8 : 4;
    int64_t count = 2 * (int64_t)layout.pairs + layout.vectors;
    if (optimizer->dimension > INT64_MAX / count / size - LOSSI_LANES - LINE ||
        layout.integers > INT64_MAX / 8 || layout.doubles > INT64_MAX / 8) {
        return lossi_fail_memory(optimizer->context, "the workspace of an optimizer");
    }
    int64_t padded = (optimizer->dimension + LOSSI_LANES - 1) / LOSSI_LANES * LOSSI_LANES;
    int64_t stride = padded * size; /* whole cache lines */
    status = reserve(optimizer, count * stride, 8 * layout.integers, 8 * layout.doubles);
    if (status == LOSS_OK) {
        int32_t isa = lossi_context_isa(optimizer->context), real = lossi_real_index(optimizer->dtype);
        optimizer->stride = stride;
        optimizer->padded = padded;
        optimizer->pairs = layout.pairs;
        optimizer->layout = layout;
        optimizer->kernels = kernel_table[isa][real];
        optimizer->memory_kernels = memory_table[isa][real];
    }
    return status;
}
