/*
 * A plan: what is to be computed of a tape, in which order, and where every intermediate result lies.
 *
 * Elementwise nodes of one shape that follow each other are one step, with sums over the rows of what they make, and with copies of
 * nodes that are cheaper to compute again than to read; results whose time has passed give their place to later
 * ones, in one arena. It is made once; a run allocates nothing unless there are more rows than ever before.
 */
#ifndef LOSSI_GRADIENT_GRAPH_PLAN_H
#define LOSSI_GRADIENT_GRAPH_PLAN_H

#include "gradient/graph/run.h"

enum { LOSSI_PLAN_SLOTS = 4 };

/* A node whose elements are wanted at outputs[slot] + offset elements of its type. */
typedef struct lossi_plan_output {
    int32_t node, slot;
    int64_t offset;
} lossi_plan_output;

/* What a run is given. */
typedef struct lossi_bindings {
    lossi_batch_state batch;
    const void *x, *direction, *seed;
    const void *const
        *statistics;           /* running ones, by integer[0] of their leaves; NULL where there are none */
    const void *const *inputs; /* by the index of an input; dense, row-major, of the input's type */
    void *outputs[LOSSI_PLAN_SLOTS];
} lossi_bindings;

typedef struct lossi_plan lossi_plan;

/* Takes over the tape (and leaves it empty), also on failure. LOSS_OK, the tape's own status, or LOSS_ERROR_MEMORY. */
loss_status lossi_plan_create(lossi_plan **out, lossi_tape *tape, const lossi_plan_output *outputs,
                              int32_t output_count);
void lossi_plan_free(lossi_plan *plan);

/* Room for that many rows, so that runs of at most as many need none. */
loss_status lossi_plan_reserve(lossi_plan *plan, int64_t rows);

loss_status lossi_plan_run(lossi_plan *plan, const lossi_bindings *bindings);

/*
 * A number after a run, an output of the plan of one element: sums, and what +, − · and / make of them, as they were in double before
 * they were rounded to the element type.
 */
double lossi_plan_number(const lossi_plan *plan, const lossi_bindings *bindings, int32_t output);

/* How many steps it has, and bytes of its arena as it is. */
int32_t lossi_plan_steps(const lossi_plan *plan);
int64_t lossi_plan_bytes(const lossi_plan *plan);

#endif
