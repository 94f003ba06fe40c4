/* What a group of elementwise nodes is, between the file that makes and runs it (fused.c) and that of its sums (fused_sums.c). */
#ifndef LOSSI_GRADIENT_GRAPH_FUSED_PARTS_H
#define LOSSI_GRADIENT_GRAPH_FUSED_PARTS_H

#include "gradient/graph/elementwise.h"
#include "gradient/graph/reduce.h"
#include "loss/expression/program.h"

/* Sums over all rows of a member, or of its products with how far an input is from its channels' means. */
typedef struct lossi_fused_sum {
    int32_t made;       /* which of the program's outputs is added up */
    int32_t output;     /* of the step */
    int32_t x, moments; /* inputs of the step, −1 of plain sums */
} lossi_fused_sum;

struct lossi_fused {
    lossi_program *program;
    lossi_shape shape; /* of the members */
    loss_dtype dtype;
    int32_t real_index;
    int32_t input_count, made_count, sum_count;
    int32_t *
        written; /* where each output of the program goes: an output of the step, −1: nowhere but into sums */
    lossi_fused_sum *sums;
    uint8_t *scalar; /* of each input: one number, or what sums alone read */
};

/*
 * Where the elements of an input are for the elements of the result: sizes and strides, those of neighbours that go on alike
 * joined. The last is a run of neighbours (stride 1) or of one element (stride 0).
 */
typedef struct lossi_fused_pattern {
    int32_t rank;
    int64_t size[LOSSI_RANK + 1], stride[LOSSI_RANK + 1];
    int64_t period; /* elements after which it starts again: of one that repeats as a whole, else 0 */
} lossi_fused_pattern;

typedef struct lossi_fused_job {
    const lossi_fused *fused;
    const lossi_value *inputs, *outputs;
    const lossi_fused_pattern *patterns;
    const uint8_t *direct; /* of each input: a scalar, or of the result's shape */
    int32_t isa;
    int64_t size, elements, block, task;
    int64_t per_worker;
    char *scratch;
    /* where there are sums */
    lossi_column_cut cut;
    double *sums; /* of each, those of the pieces */
} lossi_fused_job;

/* A worker's own. */
typedef struct lossi_fused_worker {
    const lossi_fused_job *job;
    lossi_run run;
    const void **inputs; /* of a block; broadcast ones point into the arrays */
    void **outputs;
    char *arrays;  /* of what is laid out, */
    int64_t *laid; /* from which element of the input's period on; −1: nothing yet */
    char *made;    /* sums: what only they read, and themselves */
} lossi_fused_worker;

static inline int64_t lossi_fused_padded(int64_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

void lossi_fused_begin(lossi_fused_worker *w, const lossi_fused_job *job, int32_t worker);

/* Elements begin … end − 1; made[k], or where that is NULL the step's output, gets those of the program's output k. */
void lossi_fused_blocks(lossi_fused_worker *w, int64_t begin, int64_t end, char *const *made);

/* ---- sums (fused_sums.c) ---- */

/* Which of the members are sums. What they read is among the program's outputs, `made`, or is put there. */
void lossi_fused_list_sums(lossi_fused *fused, const lossi_tape *tape, const int32_t *members,
                           int32_t member_count, const int32_t *inputs, const int32_t *outputs,
                           int32_t output_count, int32_t *made);

/* Bytes of scratch of each worker, and of all. */
int64_t lossi_fused_sums_worker(const lossi_fused *fused);
int64_t lossi_fused_sums_shared(const lossi_fused *fused);

void lossi_fused_run_sums(lossi_fused_job *job, loss_context *context);

#endif
