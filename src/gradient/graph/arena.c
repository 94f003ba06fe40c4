/*
 * Where results lie: lifetimes, then offsets in one arena.
 *
 * A result lives from the step that makes it to the last that reads it. The largest is placed first, each at the lowest
 * offset where nothing lies that lives at the same time (greedy by size: Pisarchyk & Lee, Efficient memory management for deep
 * neural net inference, 2020, §5.2); of very many each in its turn, in the first place that is free then. An elementwise step
 * may write a result over an input of the same shape that nobody reads afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/plan_parts.h"

enum { ALIGNMENT = 64 };

/* More than any memory has: an arena of as many is refused, and offsets of as many blocks as there may be stay an int64. */
static const int64_t MOST_BYTES = INT64_C(1) << 56;

static int32_t root_of(const lossi_tape *tape, int32_t node)
{
    while (tape->nodes[node].operation->flags & LOSSI_OPERATION_VIEW) {
        node = lossi_tape_input(tape, node, 0);
    }
    return node;
}

/* Leaves have places of their own. */
static void place_leaf(lossi_plan *plan, int32_t node)
{
    const lossi_tape_node *at = &plan->tape.nodes[node];
    lossi_node_place *place = &plan->places[node];
    place->offset = at->attributes.integer[0];
    if (at->operation == &lossi_operation_number) {
        const double number = at->attributes.number[0];
        const float single = (float)number;
        char *to = plan->numbers + 8 * (int64_t)node;
        memcpy(to, at->dtype == LOSS_FLOAT32 ? (const void *)&single : (const void *)&number,
               at->dtype == LOSS_FLOAT32 ? sizeof single : sizeof number);
        place->kind = LOSSI_PLACE_FIXED;
        place->fixed = to;
    } else if (at->operation == &lossi_operation_constant) {
        place->kind = LOSSI_PLACE_FIXED;
        place->fixed = at->attributes.object;
    } else if (at->operation == &lossi_operation_parameter) {
        place->kind = LOSSI_PLACE_X;
    } else if (at->operation == &lossi_operation_direction) {
        place->kind = LOSSI_PLACE_DIRECTION;
    } else if (at->operation == &lossi_operation_seed) {
        place->kind = LOSSI_PLACE_SEED;
        place->offset = 0;
    } else if (at->operation == &lossi_operation_input) {
        place->kind = LOSSI_PLACE_INPUT;
        place->slot = (int32_t)at->attributes.integer[0];
    } else if (at->operation == &lossi_operation_statistic) {
        place->kind = LOSSI_PLACE_STATISTIC;
        place->slot = (int32_t)at->attributes.integer[0];
    }
}

void lossi_plan_live(lossi_plan *plan)
{
    const lossi_tape *tape = &plan->tape;
    for (int32_t node = 0; node < tape->count; node++) {
        lossi_node_place *place = &plan->places[node];
        place->root = root_of(tape, node);
        place->made = place->last = -1;
        if (tape->nodes[node].operation->flags & LOSSI_OPERATION_LEAF) {
            place_leaf(plan, node);
        }
    }
    for (int32_t s = 0; s < plan->step_count; s++) {
        const lossi_step *step = &plan->steps[s];
        for (int32_t i = 0; i < step->output_count; i++) {
            const int32_t node = plan->list[step->first_output + i];
            plan->places[node].made = plan->places[node].last = s;
        }
        for (int32_t i = 0; i < step->input_count; i++) {
            plan->places[plan->places[plan->list[step->first_input + i]].root].last = s;
        }
    }
    for (int32_t i = 0; i < plan->output_count; i++) {
        lossi_node_place *place = &plan->places[plan->places[plan->outputs[i].node].root];
        if (place->kind == LOSSI_PLACE_ARENA && !place->wanted) {
            place->kind = LOSSI_PLACE_OUTPUT; /* made where it is wanted */
            place->slot = plan->outputs[i].slot;
            place->offset = plan->outputs[i].offset;
            place->wanted = i + 1;
        } else {
            place->last = plan->step_count; /* copied at the end */
        }
    }
}

/* ---- offsets ---- */

typedef struct block {
    int32_t node, made, last;
    int64_t bytes, offset;
    int32_t over; /* the block whose place it takes over, −1 */
} block;

static int64_t bytes_of(const lossi_plan *plan, int32_t node, int64_t rows)
{
    const lossi_tape_node *at = &plan->tape.nodes[node];
    const int64_t bytes = lossi_shape_elements(&at->shape, rows) * loss_dtype_size(at->dtype);
    return bytes > MOST_BYTES ? MOST_BYTES : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Larger first; of equal ones the earlier. */
static int larger(const void *x, const void *y)
{
    const block *a = x, *b = y;
    return a->bytes != b->bytes ? (a->bytes < b->bytes ? 1 : -1) : (a->node > b->node) - (a->node < b->node);
}

/* The block of a node, of those before `count`; −1 when it has none. `slot` of a place has its number while offsets are made. */
static int32_t find_block(const lossi_plan *plan, int32_t count, int32_t node)
{
    const lossi_node_place *place = &plan->places[node];
    return place->kind == LOSSI_PLACE_ARENA && place->slot < count ? place->slot : -1;
}

/* Whether a sum of an elementwise step reads a root, besides what it adds up: later than the step writes. */
static int32_t is_read_late(const lossi_plan *plan, const lossi_step *step, int32_t root)
{
    for (int32_t i = 0; i < step->member_count; i++) {
        const int32_t member = plan->list[step->first_member + i];
        for (int32_t k = 1; !(plan->tape.nodes[member].operation->flags & LOSSI_OPERATION_ELEMENTWISE) &&
                            k < plan->tape.nodes[member].input_count;
             k++) {
            if (plan->places[lossi_tape_input(&plan->tape, member, k)].root == root) {
                return 1;
            }
        }
    }
    return 0;
}

/*
 * An input of an elementwise step that dies there, of the shape of its results, and read in that shape alone: the first result
 * may take its place. Blocks are in the order of steps here; `used` keeps an input from being taken twice.
 */
static void take_over(const lossi_plan *plan, block *blocks, int32_t count)
{
    for (int32_t b = 0; b < count; b++) {
        const lossi_step *step = &plan->steps[blocks[b].made];
        for (int32_t i = 0; step->kind == LOSSI_STEP_FUSED && i < step->input_count && blocks[b].over < 0;
             i++) {
            const int32_t input = plan->list[step->first_input + i], root = plan->places[input].root;
            const int32_t from = find_block(plan, b, root);
            int32_t readers = 0;
            for (int32_t k = 0; k < step->input_count; k++) {
                readers += plan->places[plan->list[step->first_input + k]].root == root;
            }
            if (from >= 0 && readers == 1 && blocks[from].last == blocks[b].made &&
                !is_read_late(plan, step, root) &&
                lossi_shapes_equal(&plan->tape.nodes[input].shape, &plan->tape.nodes[blocks[b].node].shape)) {
                blocks[b].over = from;
                blocks[from].last = -2; /* taken: it lives on as the other */
            }
        }
    }
}

/* Chains of blocks over each other live from the first to the last as one. */
static void join_chains(block *blocks, int32_t count)
{
    for (int32_t b = count - 1; b >= 0; b--) {
        if (blocks[b].over >= 0) {
            blocks[blocks[b].over].last = blocks[b].last;
        }
    }
}

static int64_t place_blocks(block *blocks, int32_t count)
{
    int64_t end = 0;
    for (int32_t b = 0; b < count; b++) {
        int64_t offset = 0;
        for (int32_t moved = 1; moved;) { /* until nothing that lives then is in the way */
            moved = 0;
            for (int32_t k = 0; k < b; k++) {
                if (blocks[k].made <= blocks[b].last && blocks[b].made <= blocks[k].last &&
                    offset < blocks[k].offset + blocks[k].bytes &&
                    blocks[k].offset < offset + blocks[b].bytes) {
                    offset = blocks[k].offset + blocks[k].bytes;
                    moved = 1;
                }
            }
        }
        blocks[b].offset = offset;
        end = offset + blocks[b].bytes > end ? offset + blocks[b].bytes : end;
        if (end >= MOST_BYTES) {
            return -1;
        }
    }
    return end;
}

/* ---- offsets of many ---- */

enum {
    MANY = 1024
}; /* blocks, of which the largest first would take too long: each is compared with all before it */

typedef struct hole {
    int64_t offset, bytes;
} hole;

/* Blocks in turn: where the arena is free, as holes in the order of their offsets; and the blocks that end with each step. */
typedef struct turns {
    hole *holes;
    int32_t hole_count;
    int64_t end;
    int32_t *first, *next; /* of each step its first block, −1; of each block the next that ends with it */
} turns;

static void free_block(turns *t, int64_t offset, int64_t bytes)
{
    int32_t low = 0, high = t->hole_count; /* the first hole behind it */
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (t->holes[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < t->hole_count && offset + bytes == t->holes[low].offset) {
        t->holes[low].offset = offset;
        t->holes[low].bytes += bytes;
    } else {
        memmove(&t->holes[low + 1], &t->holes[low], (size_t)(t->hole_count++ - low) * sizeof *t->holes);
        t->holes[low] = (hole){offset, bytes};
    }
    if (low > 0 && t->holes[low - 1].offset + t->holes[low - 1].bytes == t->holes[low].offset) {
        t->holes[low - 1].bytes += t->holes[low].bytes;
        memmove(&t->holes[low], &t->holes[low + 1], (size_t)(--t->hole_count - low) * sizeof *t->holes);
    }
}

/* The first hole that is large enough, or the end. */
static int64_t take_block(turns *t, int64_t bytes)
{
    for (int32_t i = 0; i < t->hole_count; i++) {
        hole *at = &t->holes[i];
        if (at->bytes >= bytes) {
            const int64_t offset = at->offset;
            at->offset += bytes;
            at->bytes -= bytes;
            if (at->bytes == 0) {
                memmove(at, at + 1, (size_t)(--t->hole_count - i) * sizeof *at);
            }
            return offset;
        }
    }
    t->end += bytes;
    return t->end - bytes;
}

/* As a stack of memory would do it, step by step. Blocks are in the order of the steps that make them. */
static int64_t place_in_turn(const lossi_plan *plan, block *blocks, int32_t count)
{
    const int64_t steps = plan->step_count + 1;
    turns t = {.holes = lossi_allocate(plan->context, (count + 1) * (int64_t)sizeof(hole)),
               .first = lossi_allocate(plan->context, (steps + count) * (int64_t)sizeof(int32_t))};
    int32_t past = 0;
    if (t.holes == NULL || t.first == NULL) {
        t.end = -1;
        count = 0;
    } else {
        t.next = t.first + steps;
        memset(t.first, 0xff, (size_t)steps * sizeof *t.first);
    }
    for (int32_t b = 0; b < count && t.end >= 0; b++) {
        for (; past < blocks[b].made; past++) {
            for (int32_t k = t.first[past]; k >= 0; k = t.next[k]) {
                free_block(&t, blocks[k].offset, blocks[k].bytes);
            }
        }
        blocks[b].offset = blocks[b].bytes > 0 ? take_block(&t, blocks[b].bytes) : 0;
        t.end = t.end >= MOST_BYTES ? -1 : t.end;
        if (blocks[b].bytes > 0) {
            t.next[b] = t.first[blocks[b].last];
            t.first[blocks[b].last] = b;
        }
    }
    lossi_release(plan->context, t.holes);
    lossi_release(plan->context, t.first);
    return t.end;
}

int64_t lossi_plan_arrange(lossi_plan *plan, int64_t rows)
{
    const lossi_tape *tape = &plan->tape;
    block *blocks = lossi_allocate(plan->context, (int64_t)sizeof *blocks * (tape->count + 1));
    int32_t count = 0, roots = 0;
    if (blocks == NULL) {
        return -1;
    }
    for (int32_t s = 0; s < plan->step_count; s++) {
        const lossi_step *step = &plan->steps[s];
        for (int32_t i = 0; i < step->output_count; i++) {
            const int32_t node = plan->list[step->first_output + i];
            lossi_node_place *place = &plan->places[node];
            if (place->kind == LOSSI_PLACE_ARENA) {
                place->slot = count;
                blocks[count++] = (block){node, place->made, place->last, bytes_of(plan, node, rows), 0, -1};
            }
        }
    }
    take_over(plan, blocks, count);
    join_chains(blocks, count);
    for (int32_t b = 0; b < count; b++) { /* one that is over another has its offset, found through `slot` */
        plan->places[blocks[b].node].slot = blocks[b].over >= 0 ? blocks[blocks[b].over].node : -1;
    }
    for (int32_t b = 0; b < count; b++) {
        if (blocks[b].over < 0) {
            blocks[roots++] = blocks[b];
        }
    }
    int64_t bytes;
    if (roots > MANY) {
        bytes = place_in_turn(plan, blocks, roots);
    } else {
        qsort(blocks, (size_t)roots, sizeof *blocks, larger);
        bytes = place_blocks(blocks, roots);
    }
    for (int32_t b = 0; b < roots; b++) {
        plan->places[blocks[b].node].offset = blocks[b].offset;
    }
    lossi_release(plan->context, blocks);
    for (int32_t s = 0; s < plan->step_count; s++) { /* in the order of steps: what is below is settled */
        const lossi_step *step = &plan->steps[s];
        for (int32_t i = 0; i < step->output_count; i++) {
            lossi_node_place *place = &plan->places[plan->list[step->first_output + i]];
            if (place->kind == LOSSI_PLACE_ARENA && place->slot >= 0) {
                place->offset = plan->places[place->slot].offset;
            }
        }
    }
    return bytes;
}
