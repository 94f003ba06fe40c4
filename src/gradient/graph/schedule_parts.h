/* What the files that group nodes into steps share: schedule.c, and recompute.c. */
#ifndef LOSSI_GRADIENT_GRAPH_SCHEDULE_PARTS_H
#define LOSSI_GRADIENT_GRAPH_SCHEDULE_PARTS_H

#include "gradient/graph/plan_parts.h"

enum {
    LOSSI_STEP_MEMBERS =
        48 /* at most: a program of so many operations fills the first cache with registers */
};

enum { LOSSI_NEEDED = 1, LOSSI_WANTED = 2 };

/* A node that a group computes for itself, though it is another's. */
typedef struct lossi_copy {
    int32_t node, next; /* the next of the group, −1 */
} lossi_copy;

/* Groups while they are made: nodes of a group are chained, each node knows its group's first node, its leader. */
typedef struct lossi_grouping {
    lossi_plan *plan;
    int32_t *leader, *next, *size; /* by node; next and size of leaders' chains */
    int32_t *seen, stamp;          /* of a search */
    int32_t *stack;
    int32_t *reach; /* of leaders: no node of the group, or that it depends on, has a higher number */
    int32_t *first_user,
        *users; /* the nodes that read node i are users[first_user[i]] … users[first_user[i + 1] − 1] */
    int32_t *first_copy; /* of leaders, −1 */
    lossi_copy *copies;
    int32_t copy_count, copy_capacity;
    uint8_t *needed; /* by a node that is, LOSSI_NEEDED, or by who wants it, LOSSI_WANTED */
} lossi_grouping;

static inline const lossi_tape_node *lossi_node_at(const lossi_grouping *g, int32_t node)
{
    return &g->plan->tape.nodes[node];
}

static inline int32_t lossi_has_flag(const lossi_grouping *g, int32_t node, int32_t flag)
{
    return (lossi_node_at(g, node)->operation->flags & flag) != 0;
}

/* Whether a group computes a node: its own, or a copy. */
static inline int32_t lossi_is_inside(const lossi_grouping *g, int32_t leader, int32_t node)
{
    int32_t i = g->leader[node] == leader ? -1 : g->first_copy[leader];
    while (i >= 0 && g->copies[i].node != node) {
        i = g->copies[i].next;
    }
    return g->leader[node] == leader || i >= 0;
}

/* Lets groups compute again what is cheap to have from what they read, or what is kept, and marks anew what is needed (recompute.c). */
void lossi_schedule_recompute(lossi_grouping *g);

#endif
