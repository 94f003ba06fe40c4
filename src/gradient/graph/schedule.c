/*
 * Steps of a plan: which nodes are computed together, and in which order.
 *
 * A step is a node; or elementwise nodes of one shape, each of which uses another, joined as long as nothing outside would have
 * to come both before and after them, and sums of them over all rows; or what is wanted of one loss.
 */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/schedule_parts.h"

enum {
    MOST_MEMBERS = LOSSI_STEP_MEMBERS,
    MOST_LOOKED = 512 /* nodes of a search: some microseconds */
};

enum { NEEDED = LOSSI_NEEDED, WANTED = LOSSI_WANTED };

typedef lossi_grouping grouping;

static const lossi_tape_node *node_at(const grouping *g, int32_t node)
{
    return lossi_node_at(g, node);
}

static int32_t has_flag(const grouping *g, int32_t node, int32_t flag)
{
    return lossi_has_flag(g, node, flag);
}

/* ---- which nodes are needed ---- */

static void mark_needed(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t i = 0; i < g->plan->output_count; i++) {
        g->needed[g->plan->outputs[i].node] = NEEDED | WANTED;
    }
    for (int32_t node = tape->count - 1; node >= 0; node--) {
        for (int32_t k = 0; g->needed[node] && k < tape->nodes[node].input_count; k++) {
            g->needed[lossi_tape_input(tape, node, k)] |= NEEDED;
        }
    }
}

/* ---- elementwise groups ---- */

/*
 * Whether anything that the groups of a and b read depends on a member of one of them: then they cannot be one step. A search
 * down from their inputs, group by group. What depends on a group reaches as far as it does: so groups that reach less far
 * than both are not looked into. A search that becomes long is given up, as if there were a cycle: all of a deep graph would
 * be searched for each of its nodes.
 */
static int32_t look_at(grouping *g, int32_t member, int32_t a, int32_t b, int32_t direct, int32_t *depth)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t k = 0; k < tape->nodes[member].input_count; k++) {
        const int32_t other = g->leader[lossi_tape_input(tape, member, k)];
        if (other == a || other == b) {
            if (!direct) {
                return 1;
            }
        } else if (g->seen[other] != g->stamp &&
                   (g->reach[other] >= g->reach[a] || g->reach[other] >= g->reach[b])) {
            g->seen[other] = g->stamp;
            g->stack[(*depth)++] = other;
        }
    }
    return 0;
}

static int32_t would_cycle(grouping *g, int32_t a, int32_t b)
{
    int32_t depth = 0, looked = 0;
    g->stamp++;
    for (int32_t side = 0; side < 2; side++) {
        for (int32_t member = side == 0 ? a : b; member >= 0; member = g->next[member]) {
            look_at(g, member, a, b, 1, &depth);
        }
    }
    while (depth > 0) {
        for (int32_t member = g->stack[--depth]; member >= 0; member = g->next[member]) {
            if (looked++ == MOST_LOOKED || look_at(g, member, a, b, 0, &depth)) {
                return 1;
            }
        }
    }
    return 0;
}

/*
 * What depends on a or b has to reach as far as both together, of the nodes that are grouped already, all up to `last`. Gives up,
 * with 0 and nothing changed, where that is much.
 */
static int32_t reach_on(grouping *g, int32_t a, int32_t b, int32_t last)
{
    const int32_t reach = g->reach[a] > g->reach[b] ? g->reach[a] : g->reach[b];
    int32_t count = 0, looked = 0;
    g->stamp++;
    g->stack[count++] = a;
    g->stack[count++] = b;
    for (int32_t i = 0; i < count; i++) {
        for (int32_t member = g->stack[i]; member >= 0; member = g->next[member]) {
            for (int32_t u = g->first_user[member]; u < g->first_user[member + 1] && g->users[u] <= last;
                 u++) {
                const int32_t other = g->leader[g->users[u]];
                if (looked++ == MOST_LOOKED) {
                    return 0;
                }
                if (other != a && other != b && g->reach[other] < reach && g->seen[other] != g->stamp) {
                    g->seen[other] = g->stamp;
                    g->stack[count++] = other;
                }
            }
        }
    }
    for (int32_t i = 0; i < count; i++) {
        g->reach[g->stack[i]] = reach;
    }
    return 1;
}

/* The chain of b follows that of a. */
static void join(grouping *g, int32_t a, int32_t b)
{
    int32_t end = a;
    while (g->next[end] >= 0) {
        end = g->next[end];
    }
    g->next[end] = b;
    g->size[a] += g->size[b];
    for (int32_t member = b; member >= 0; member = g->next[member]) {
        g->leader[member] = a;
    }
}

/* In the order of the tape, so that users of a node are in order too. */
static void list_users(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t i = 0; i < tape->count; i++) {
        for (int32_t k = 0; k < tape->nodes[i].input_count; k++) {
            g->first_user[lossi_tape_input(tape, i, k) + 1]++;
        }
    }
    for (int32_t i = 0; i < tape->count; i++) {
        g->first_user[i + 1] += g->first_user[i];
        g->seen[i] = g->first_user[i];
    }
    for (int32_t i = 0; i < tape->count; i++) {
        for (int32_t k = 0; k < tape->nodes[i].input_count; k++) {
            g->users[g->seen[lossi_tape_input(tape, i, k)]++] = i;
        }
    }
    memset(g->seen, 0, sizeof *g->seen * (size_t)tape->count);
}

static void group_elementwise(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t node = 0; node < tape->count; node++) {
        if (!g->needed[node] || !has_flag(g, node, LOSSI_OPERATION_ELEMENTWISE)) {
            continue;
        }
        for (int32_t k = 0; k < tape->nodes[node].input_count; k++) {
            const int32_t input = lossi_tape_input(tape, node, k);
            const int32_t a = g->leader[input], b = g->leader[node];
            if (a != b && has_flag(g, input, LOSSI_OPERATION_ELEMENTWISE) &&
                lossi_shapes_equal(&tape->nodes[input].shape, &tape->nodes[node].shape) &&
                g->size[a] + g->size[b] <= MOST_MEMBERS && !would_cycle(g, a, b) && reach_on(g, a, b, node)) {
                join(g, a, b);
            }
        }
    }
}

/* ---- what another step does better ---- */

/* The leader of the one elementwise group of the node's shape that reads it, which is not its own; −1. */
static int32_t only_reader(const grouping *g, int32_t node)
{
    int32_t reader = -1;
    for (int32_t u = g->first_user[node]; u < g->first_user[node + 1]; u++) {
        const int32_t user = g->users[u], leader = g->leader[user];
        if (!g->needed[user]) {
            continue;
        }
        if (leader == g->leader[node] || (reader >= 0 && leader != reader) ||
            !has_flag(g, user, LOSSI_OPERATION_ELEMENTWISE) ||
            !lossi_shapes_equal(&node_at(g, user)->shape, &node_at(g, node)->shape)) {
            return -1;
        }
        reader = leader;
    }
    return reader;
}

/* Whether others than its group read a node. */
static int32_t is_kept(const grouping *g, int32_t node)
{
    for (int32_t u = g->first_user[node]; u < g->first_user[node + 1]; u++) {
        if (g->needed[g->users[u]] && g->leader[g->users[u]] != g->leader[node]) {
            return 1;
        }
    }
    return (g->needed[node] & WANTED) != 0;
}

/* Whether all that a node reads is one node of its group, which is kept anyway, and numbers. */
static int32_t follows_from_kept(const grouping *g, int32_t node)
{
    int32_t from = -1;
    for (int32_t k = 0; k < node_at(g, node)->input_count; k++) {
        const int32_t input = lossi_tape_input(&g->plan->tape, node, k);
        if (node_at(g, input)->operation == &lossi_operation_number || input == from) {
            continue;
        }
        if (from >= 0 || g->leader[input] != g->leader[node] || !is_kept(g, input)) {
            return 0;
        }
        from = input;
    }
    return from >= 0;
}

/*
 * A node that only another step reads, and that follows from what is kept for others anyway, is computed there: so the slope of a
 * rectifier, which its result tells, is no array from the way there to the way back.
 */
static void hand_on(grouping *g)
{
    for (int32_t node = 0; node < g->plan->tape.count; node++) {
        const int32_t from = g->leader[node];
        if (!g->needed[node] || from == node || !has_flag(g, node, LOSSI_OPERATION_ELEMENTWISE) ||
            (g->needed[node] & WANTED) != 0 || !follows_from_kept(g, node)) {
            continue;
        }
        const int32_t to = only_reader(g, node);
        if (to < 0 || g->size[to] >= MOST_MEMBERS) {
            continue;
        }
        int32_t before = from;
        while (g->next[before] != node) {
            before = g->next[before];
        }
        g->next[before] = g->next[node];
        g->next[node] = -1;
        g->size[from]--;
        g->size[node] = 1;
        join(g, to, node);
    }
}

/* ---- sums of what a step makes ---- */

/*
 * A sum over the rows of a node is made with it, block by block: so it is read once more while it is near, and where nothing else reads
 * it, as the products whose sum a derivative is, it is no array at all.
 */
static void join_sums(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t node = 0; node < tape->count; node++) {
        if (!g->needed[node] || !lossi_fused_sum_of(tape, node)) {
            continue;
        }
        const int32_t source = lossi_tape_input(tape, node, 0), group = g->leader[source];
        if (has_flag(g, source, LOSSI_OPERATION_ELEMENTWISE) && g->size[group] < MOST_MEMBERS &&
            !would_cycle(g, group, node) && reach_on(g, group, node, tape->count)) {
            join(g, group, node);
        }
    }
}

/* ---- losses ---- */

/* Sum, denominator and gradients of the same function with the same inputs. */
static int32_t same_loss(const lossi_tape *tape, int32_t a, int32_t b)
{
    const lossi_tape_node *x = &tape->nodes[a], *y = &tape->nodes[b];
    return x->operation != &lossi_operation_loss_product && y->operation != &lossi_operation_loss_product &&
           x->attributes.object == y->attributes.object && x->input_count == y->input_count &&
           memcmp(x->attributes.integer, y->attributes.integer, sizeof x->attributes.integer[0] * 8) == 0 &&
           memcmp(tape->inputs + x->first_input, tape->inputs + y->first_input,
                  sizeof tape->inputs[0] * (size_t)x->input_count) == 0;
}

static void group_losses(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t node = 0; node < tape->count; node++) {
        for (int32_t before = 0; g->needed[node] && has_flag(g, node, LOSSI_OPERATION_LOSS) && before < node;
             before++) {
            if (g->needed[before] && has_flag(g, before, LOSSI_OPERATION_LOSS) &&
                same_loss(tape, before, node)) {
                join(g, g->leader[before], node);
                break;
            }
        }
    }
}

/* ---- order ---- */

static void push(lossi_plan *plan, int32_t number)
{
    plan->list[plan->list_count++] = number; /* room was made: see list_room() */
}

/*
 * Members, inputs and outputs of all steps: each node is a member once, and as often as it is copied, an input of as many steps as it has
 * users, or its copies have inputs.
 */
static int32_t list_room(const lossi_tape *tape, int32_t copies)
{
    return 2 * tape->count + tape->input_count + 4 * copies;
}

static int32_t listed(const lossi_plan *plan, int32_t first, int32_t node)
{
    for (int32_t i = first; i < plan->list_count; i++) {
        if (plan->list[i] == node) {
            return 1;
        }
    }
    return 0;
}

/* Members are chained in the order of joining; a program wants them in the order of the tape. */
static void sort_members(int32_t *members, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        const int32_t member = members[i];
        int32_t k = i;
        for (; k > 0 && members[k - 1] > member; k--) {
            members[k] = members[k - 1];
        }
        members[k] = member;
    }
}

/* Nodes without a computation of their own: their elements are there already. */
static int32_t computes(const lossi_tape *tape, int32_t node)
{
    return (tape->nodes[node].operation->flags & (LOSSI_OPERATION_LEAF | LOSSI_OPERATION_VIEW)) == 0;
}

/* The inputs of a member that are not made by the step. */
static void push_inputs(grouping *g, const lossi_step *step, int32_t leader, int32_t member)
{
    lossi_plan *plan = g->plan;
    const lossi_tape *tape = &plan->tape;
    for (int32_t k = 0; k < tape->nodes[member].input_count; k++) {
        const int32_t input = lossi_tape_input(tape, member, k);
        if (!lossi_is_inside(g, leader, input) &&
            (step->kind != LOSSI_STEP_FUSED || (tape->nodes[input].operation != &lossi_operation_number &&
                                                !listed(plan, step->first_input, input)))) {
            push(plan, input);
        }
    }
}

static void emit(grouping *g, int32_t leader)
{
    lossi_plan *plan = g->plan;
    lossi_step *step = &plan->steps[plan->step_count];
    int32_t own = 0;
    if (!computes(&plan->tape, leader)) {
        return;
    }
    step->kind = has_flag(g, leader, LOSSI_OPERATION_ELEMENTWISE) ? LOSSI_STEP_FUSED
                 : has_flag(g, leader, LOSSI_OPERATION_LOSS)      ? LOSSI_STEP_LOSS
                                                                  : LOSSI_STEP_NODE;
    step->first_member = plan->list_count;
    for (int32_t member = leader; member >= 0; member = g->next[member]) {
        if (g->needed[member]) {
            push(plan, member);
            plan->group[member] = plan->step_count;
            own++;
        }
    }
    if (own == 0) { /* others have copies of them */
        return;
    }
    for (int32_t i = g->first_copy[leader]; i >= 0; i = g->copies[i].next) {
        push(plan, g->copies[i].node);
    }
    step->member_count = plan->list_count - step->first_member;
    sort_members(plan->list + step->first_member, step->member_count);
    step->first_input = plan->list_count;
    const int32_t readers = step->kind == LOSSI_STEP_FUSED ? step->member_count
                                                           : 1; /* of a loss all read the same */
    for (int32_t i = 0; i < readers; i++) {
        push_inputs(g, step, leader, plan->list[step->first_member + i]);
    }
    step->input_count = plan->list_count - step->first_input;
    plan->step_count++;
}

/* A group that one of a group's members or copies reads, and that is not emitted yet; −1. */
static int32_t unmet_by(const grouping *g, int32_t leader, int32_t node)
{
    const lossi_tape *tape = &g->plan->tape;
    for (int32_t k = 0; k < tape->nodes[node].input_count; k++) {
        const int32_t input = lossi_tape_input(tape, node, k);
        if (g->seen[g->leader[input]] == 0 && !lossi_is_inside(g, leader, input)) {
            return g->leader[input];
        }
    }
    return -1;
}

static int32_t unmet(const grouping *g, int32_t leader)
{
    int32_t other = -1;
    for (int32_t member = leader; member >= 0 && other < 0; member = g->next[member]) {
        other = g->needed[member] ? unmet_by(g, leader, member) : -1;
    }
    for (int32_t i = g->first_copy[leader]; i >= 0 && other < 0; i = g->copies[i].next) {
        other = unmet_by(g, leader, g->copies[i].node);
    }
    return other;
}

/* Emits groups in the order of the tape, each after those it reads. */
static void order(grouping *g)
{
    const lossi_tape *tape = &g->plan->tape;
    memset(g->seen, 0, sizeof *g->seen * (size_t)tape->count); /* 1: on the stack, 2: emitted */
    for (int32_t node = 0; node < tape->count; node++) {
        int32_t depth = 0;
        if (g->needed[node] && g->seen[g->leader[node]] == 0) {
            g->stack[depth++] = g->leader[node];
        }
        while (depth > 0) {
            const int32_t leader = g->stack[depth - 1];
            g->seen[leader] = g->seen[leader] == 2 ? 2 : 1;
            const int32_t other = g->seen[leader] == 1 ? unmet(g, leader) : -1;
            if (other >= 0) {
                g->stack[depth++] = other;
                continue;
            }
            if (g->seen[leader] == 1) {
                emit(g, leader);
                g->seen[leader] = 2;
            }
            depth--;
        }
    }
}

/* ---- what a step gives to others ---- */

/* What a step makes gets a place. */
static void keep(lossi_plan *plan, int32_t node)
{
    if (plan->group[node] >= 0) {
        plan->places[node].kind = LOSSI_PLACE_ARENA;
    }
}

static void list_outputs(lossi_plan *plan, const uint8_t *needed)
{
    const lossi_tape *tape = &plan->tape;
    for (int32_t node = 0; node < tape->count; node++) {
        if (needed[node] && (tape->nodes[node].operation->flags & LOSSI_OPERATION_VIEW) != 0) {
            keep(plan, lossi_tape_input(tape, node, 0));
        }
    }
    for (int32_t s = 0; s < plan->step_count; s++) {
        for (int32_t i = 0; i < plan->steps[s].input_count; i++) {
            keep(plan, plan->list[plan->steps[s].first_input + i]);
        }
    }
    for (int32_t i = 0; i < plan->output_count; i++) {
        keep(plan, plan->outputs[i].node);
    }
    for (int32_t s = 0; s < plan->step_count; s++) {
        lossi_step *step = &plan->steps[s];
        step->first_output = plan->list_count;
        for (int32_t i = 0; i < step->member_count; i++) {
            const int32_t member = plan->list[step->first_member + i];
            if (plan->places[member].kind == LOSSI_PLACE_ARENA && plan->group[member] == s) {
                plan->list[plan->list_count++] = member;
            }
        }
        step->output_count = plan->list_count - step->first_output;
    }
}

static loss_status schedule(grouping *g)
{
    lossi_plan *plan = g->plan;
    const lossi_tape *tape = &plan->tape;
    for (int32_t i = 0; i < tape->count; i++) {
        g->leader[i] = i;
        g->next[i] = -1;
        g->size[i] = 1;
        g->reach[i] = i;
        g->first_copy[i] = -1;
        plan->group[i] = -1;
    }
    mark_needed(g);
    list_users(g);
    group_elementwise(g);
    hand_on(g);
    join_sums(g);
    lossi_schedule_recompute(g);
    group_losses(g);
    order(g);
    list_outputs(plan, g->needed);
    return LOSS_OK;
}

loss_status lossi_plan_schedule(lossi_plan *plan)
{
    loss_context *context = plan->context;
    const int64_t count = plan->tape.count > 0 ? plan->tape.count : 1;
    int32_t *lists = lossi_allocate(context,
                                    (8 * count + 1 + plan->tape.input_count) * (int64_t)sizeof *lists);
    grouping g = {.plan = plan, .leader = lists};
    loss_status status = LOSS_ERROR_MEMORY;
    g.needed = lossi_allocate(context, count);
    plan->steps = lossi_allocate(context, count * (int64_t)sizeof *plan->steps);
    plan->group = lossi_allocate(context, count * (int64_t)sizeof *plan->group);
    g.copy_capacity = plan->tape.count;
    g.copies = lossi_allocate(context, count * (int64_t)sizeof *g.copies);
    plan->list_capacity = list_room(&plan->tape, g.copy_capacity);
    plan->list = lossi_allocate(context, (plan->list_capacity + 1) * (int64_t)sizeof *plan->list);
    if (lists != NULL && g.needed != NULL && g.copies != NULL && plan->steps != NULL && plan->group != NULL &&
        plan->list != NULL) {
        g.next = lists + count;
        g.size = lists + 2 * count;
        g.seen = lists + 3 * count;
        g.reach = lists + 4 * count;
        g.stack = lists + 5 * count;
        g.first_user = lists + 6 * count;
        g.users = g.first_user + count + 1;
        g.first_copy = g.users + plan->tape.input_count;
        status = schedule(&g);
    }
    lossi_release(context, lists);
    lossi_release(context, g.needed);
    lossi_release(context, g.copies);
    return status == LOSS_OK ? LOSS_OK : lossi_fail_memory(context, "the plan of a graph");
}
