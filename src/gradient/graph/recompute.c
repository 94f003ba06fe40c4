/*
 * What steps compute again, where reading it would take longer: an array that follows from others by a few additions, multiplications
 * and comparisons, such as what a channel deviates from its mean or where a rectifier lets through. Each elementwise step that reads it
 * then has it from those, and it is no array any more.
 *
 * It is done where every step that reads the array reads no more arrays then than before. Chen, Xu, Zhang & Guestrin, Training deep
 * nets with sublinear memory cost, arXiv:1604.06174 (2016), §3, on cheap operations that are dropped and computed again.
 */
#include "gradient/graph/operations.h"
#include "gradient/graph/schedule_parts.h"
#include "loss/expression/expression.h"

enum {
    MOST_COPIES = 6, /* of an array: more take as long as it does to read it */
    MOST_SOURCES = 3,
    MOST_READERS = 8,
    LEAST_ROW = 1 << 14 /* elements without rows that are worth it: caches near by hold fewer */
};

/* What is computed for an array, itself first, and the arrays of its shape that it is computed from. */
typedef struct recipe {
    int32_t nodes[MOST_COPIES], count;
    int32_t sources[MOST_SOURCES], source_count;
} recipe;

static int32_t is_listed(const int32_t *list, int32_t count, int32_t node)
{
    for (int32_t i = 0; i < count; i++) {
        if (list[i] == node) {
            return 1;
        }
    }
    return 0;
}

static int32_t is_cheap(const lossi_grouping *g, int32_t node)
{
    if (!lossi_has_flag(g, node, LOSSI_OPERATION_ELEMENTWISE)) {
        return 0;
    }
    switch ((int32_t)(lossi_node_at(g, node)->operation - lossi_elementwise_at(0))) {
    case LOSSI_SCALAR_add:
    case LOSSI_SCALAR_subtract:
    case LOSSI_SCALAR_multiply:
    case LOSSI_SCALAR_negate:
    case LOSSI_SCALAR_abs:
    case LOSSI_SCALAR_minimum:
    case LOSSI_SCALAR_maximum:
    case LOSSI_SCALAR_less:
    case LOSSI_SCALAR_less_equal:
    case LOSSI_SCALAR_greater:
    case LOSSI_SCALAR_greater_equal:
    case LOSSI_SCALAR_select:
        return 1;
    default:
        return 0;
    }
}

static int32_t is_large(const lossi_shape *shape)
{
    return lossi_shape_of_rows(shape) || lossi_shape_row(shape) >= LEAST_ROW;
}

static int32_t same_shape(const lossi_grouping *g, int32_t a, int32_t b)
{
    return lossi_shapes_equal(&lossi_node_at(g, a)->shape, &lossi_node_at(g, b)->shape);
}

/* Whether others than its group read a node where it lies. */
static int32_t is_stored(const lossi_grouping *g, int32_t node)
{
    for (int32_t u = g->first_user[node]; u < g->first_user[node + 1]; u++) {
        if (g->needed[g->users[u]] && !lossi_is_inside(g, g->leader[g->users[u]], node)) {
            return 1;
        }
    }
    return (g->needed[node] & LOSSI_WANTED) != 0;
}

/* Down to arrays that are stored anyway. 0: it is no recipe. */
static int32_t follow(const lossi_grouping *g, int32_t node, recipe *r)
{
    if (r->count == MOST_COPIES || !is_cheap(g, node)) {
        return 0;
    }
    r->nodes[r->count++] = node;
    for (int32_t k = 0; k < lossi_node_at(g, node)->input_count; k++) {
        const int32_t input = lossi_tape_input(&g->plan->tape, node, k);
        if (!same_shape(g, input, node) || is_listed(r->nodes, r->count, input) ||
            is_listed(r->sources, r->source_count, input)) {
            continue; /* numbers, and what is broadcast: small, and made elsewhere */
        }
        if (lossi_has_flag(g, input, LOSSI_OPERATION_ELEMENTWISE) && !is_stored(g, input)) {
            if (!follow(g, input, r)) {
                return 0;
            }
        } else if (r->source_count == MOST_SOURCES) {
            return 0;
        } else {
            r->sources[r->source_count++] = input;
        }
    }
    return 1;
}

static int32_t node_reads(const lossi_grouping *g, int32_t node, int32_t array)
{
    return is_listed(g->plan->tape.inputs + lossi_node_at(g, node)->first_input,
                     lossi_node_at(g, node)->input_count, array);
}

static int32_t group_reads(const lossi_grouping *g, int32_t leader, int32_t array)
{
    for (int32_t member = leader; member >= 0; member = g->next[member]) {
        if (g->needed[member] && node_reads(g, member, array)) {
            return 1;
        }
    }
    for (int32_t i = g->first_copy[leader]; i >= 0; i = g->copies[i].next) {
        if (node_reads(g, g->copies[i].node, array)) {
            return 1;
        }
    }
    return 0;
}

/* The groups that read a node where it lies; −1 unless all of them can have a recipe for it. */
static int32_t list_readers(const lossi_grouping *g, int32_t node, int32_t *readers)
{
    int32_t count = 0;
    for (int32_t u = g->first_user[node]; u < g->first_user[node + 1]; u++) {
        const int32_t user = g->users[u], leader = g->leader[user];
        if (!g->needed[user] || lossi_is_inside(g, leader, node) || is_listed(readers, count, leader)) {
            continue;
        }
        if (count == MOST_READERS || !lossi_has_flag(g, user, LOSSI_OPERATION_ELEMENTWISE) ||
            !same_shape(g, user, node)) {
            return -1;
        }
        readers[count++] = leader;
    }
    return count;
}

static int32_t is_no_worse(const lossi_grouping *g, int32_t leader, const recipe *r)
{
    int32_t more = 0;
    for (int32_t i = 0; i < r->source_count; i++) {
        more += !group_reads(g, leader, r->sources[i]);
    }
    return more <= 1 && g->size[leader] + r->count <= LOSSI_STEP_MEMBERS;
}

static void copy_into(lossi_grouping *g, int32_t leader, const recipe *r)
{
    for (int32_t i = 0; i < r->count; i++) {
        if (!lossi_is_inside(g, leader, r->nodes[i])) {
            g->copies[g->copy_count] = (lossi_copy){r->nodes[i], g->first_copy[leader]};
            g->first_copy[leader] = g->copy_count++;
            g->size[leader]++;
        }
    }
}

/* ---- what is needed ---- */

static void mark_inputs(lossi_grouping *g, int32_t leader, int32_t node, int32_t depth)
{
    for (int32_t k = 0; k < lossi_node_at(g, node)->input_count; k++) {
        const int32_t input = lossi_tape_input(&g->plan->tape, node, k);
        if (g->leader[input] != leader && lossi_is_inside(g, leader, input) && depth < MOST_COPIES) {
            mark_inputs(g, leader, input, depth + 1); /* a copy, which needs what it is made of */
        } else {
            g->needed[input] |= LOSSI_NEEDED;
        }
    }
}

/* Nodes that nothing but copies stood in for are not. */
static void mark_again(lossi_grouping *g)
{
    const int32_t count = g->plan->tape.count;
    for (int32_t node = 0; node < count; node++) {
        g->needed[node] = (g->needed[node] & LOSSI_WANTED) != 0 ? LOSSI_NEEDED | LOSSI_WANTED : 0;
    }
    for (int32_t node = count - 1; node >= 0; node--) {
        if (g->needed[node]) {
            mark_inputs(g, g->leader[node], node, 0);
        }
    }
}

void lossi_schedule_recompute(lossi_grouping *g)
{
    int32_t readers[MOST_READERS];
    for (int32_t node = 0; node < g->plan->tape.count; node++) {
        recipe r = {.count = 0};
        if (!g->needed[node] || (g->needed[node] & LOSSI_WANTED) != 0 || !is_cheap(g, node) ||
            !is_large(&lossi_node_at(g, node)->shape)) {
            continue;
        }
        const int32_t count = list_readers(g, node, readers);
        int32_t worth = count > 0 && follow(g, node, &r) &&
                        g->copy_count + count * r.count <= g->copy_capacity;
        for (int32_t i = 0; worth && i < count; i++) {
            worth = is_no_worse(g, readers[i], &r);
        }
        for (int32_t i = 0; worth && i < count; i++) {
            copy_into(g, readers[i], &r);
        }
    }
    if (g->copy_count > 0) {
        mark_again(g);
    }
}
