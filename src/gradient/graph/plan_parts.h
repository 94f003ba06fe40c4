/* The parts of a plan, between the files that make it (plan.c, schedule.c, arena.c) and the one that runs it (plan_run.c). */
#ifndef LOSSI_GRADIENT_GRAPH_PLAN_PARTS_H
#define LOSSI_GRADIENT_GRAPH_PLAN_PARTS_H

#include "gradient/graph/elementwise.h"
#include "gradient/graph/loss_node.h"
#include "gradient/graph/plan.h"

enum { LOSSI_STEP_NODE, LOSSI_STEP_FUSED, LOSSI_STEP_LOSS };

typedef struct lossi_step {
    int32_t kind;
    int32_t first_member, member_count; /* of the plan's list of nodes */
    int32_t first_input, input_count;   /* nodes outside that it reads */
    int32_t first_output, output_count; /* members that are read outside, or wanted */
    lossi_fused *fused;
    lossi_loss_step *loss;
} lossi_step;

enum {
    LOSSI_PLACE_NONE, /* inside a step, or not needed */
    LOSSI_PLACE_ARENA,
    LOSSI_PLACE_OUTPUT,
    LOSSI_PLACE_X,
    LOSSI_PLACE_DIRECTION,
    LOSSI_PLACE_SEED,
    LOSSI_PLACE_INPUT,
    LOSSI_PLACE_STATISTIC,
    LOSSI_PLACE_FIXED
};

/* Where the elements of a node are. */
typedef struct lossi_node_place {
    int32_t kind;
    int32_t slot;       /* of an output; the index of an input or a running statistic */
    int64_t offset;     /* bytes in the arena; elements in x, a direction or an output */
    const void *fixed;  /* a constant */
    int32_t root;       /* the node whose elements these are: itself unless it is a view */
    int32_t made, last; /* the steps that write it and read it last; −1 */
    int32_t wanted;     /* an output of the plan, copied at the end or written in place */
} lossi_node_place;

struct lossi_plan {
    loss_context *context;
    lossi_tape tape;
    lossi_node_place *places; /* of each node */
    char *numbers;            /* the elements of numbers, of 8 bytes each, by node */
    double *exact;            /* numbers of the last run in double, by node, where is_exact */
    int32_t *is_exact;
    int32_t *told; /* numbers that follow from others by arithmetic, in the order of the tape */
    int32_t told_count;
    int32_t *group; /* which step a node belongs to, −1 */
    lossi_step *steps;
    int32_t step_count;
    int32_t *list; /* what steps point into */
    int32_t list_count, list_capacity;
    lossi_plan_output *outputs;
    int32_t output_count;
    int64_t rows; /* there is room for */
    char *arena;
    int64_t arena_bytes;
};

/* Groups nodes into steps and puts these in order (schedule.c). */
loss_status lossi_plan_schedule(lossi_plan *plan);

/* When each result is made and read last, and which are written where they are wanted (arena.c). */
void lossi_plan_live(lossi_plan *plan);

/* The offsets of all results in the arena for that many rows; gives its size, −1 when there is no memory. */
int64_t lossi_plan_arrange(lossi_plan *plan, int64_t rows);

#endif
