/*
 * The chain rule over a tape, in reverse and forward.
 *
 * Reverse: the adjoint of a node is the sum over its users of what their vector–Jacobian rules give; users come after a node,
 * so one walk from the output down to the sources meets every node after all its users. Forward: the tangent of a node follows
 * from those of its inputs, one walk up. Only nodes between the sources and the outputs take part.
 *
 * Griewank & Walther, Evaluating Derivatives, 2nd ed. (SIAM 2008), §3.2 (reverse), §3.1 (forward), §5.1 (forward over reverse).
 */
#include "gradient/graph/differentiate.h"

#include <string.h>

#include "gradient/graph/shape.h"

/* A list with one entry for each of `count` nodes, all LOSSI_NONE; NULL with the tape failed when there is no memory. */
static int32_t *node_list(lossi_tape *tape, int32_t count)
{
    int32_t *list = lossi_allocate(tape->context, (int64_t)sizeof *list * (count > 0 ? count : 1));
    if (list == NULL) {
        lossi_tape_fail(tape, lossi_fail_memory(tape->context, "the derivatives of a graph"));
        return NULL;
    }
    memset(list, 0xff, sizeof *list * (size_t)count);
    return list;
}

/* mark[i] = 0 for the nodes up to `last` that depend on a source, the sources included; LOSSI_NONE for others. */
static void mark_dependent(const lossi_tape *tape, const int32_t *sources, int32_t count, int32_t constant,
                           int32_t last, int32_t *mark)
{
    for (int32_t i = 0; i < count; i++) {
        if (sources[i] <= last) {
            mark[sources[i]] = 0;
        }
    }
    for (int32_t node = 0; node <= last; node++) {
        const int32_t inputs = tape->nodes[node].operation->flags & constant ? 0
                                                                             : tape->nodes[node].input_count;
        for (int32_t k = 0; k < inputs; k++) {
            if (mark[lossi_tape_input(tape, node, k)] == 0) {
                mark[node] = 0;
            }
        }
    }
}

/* What a node has hands its adjoint on to its inputs. */
static void propagate(lossi_tape *tape, int32_t node, const int32_t *depends, int32_t *adjoint)
{
    const lossi_operation *operation = tape->nodes[node].operation;
    const int32_t inputs = tape->nodes[node].input_count;
    if (operation->vector_jacobian == NULL) {
        return;
    }
    tape->origin = tape->nodes[node].origin;
    for (int32_t which = 0; which < inputs; which++) {
        const int32_t input = lossi_tape_input(tape, node, which);
        if (depends[input] == 0) {
            const int32_t part = operation->vector_jacobian(tape, node, adjoint[node], which);
            adjoint[input] = lossi_tape_sum(tape, adjoint[input], part);
        }
    }
    tape->origin = LOSSI_NONE;
}

/* Zeros of a node's shape. */
static int32_t zeros_like(lossi_tape *tape, int32_t node)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    return lossi_tape_full(tape, lossi_tape_number(tape, 0.0), &shape);
}

/* The node in the shape of another, zeros where it is none. */
static int32_t completed(lossi_tape *tape, int32_t node, int32_t like)
{
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    if (node == LOSSI_NONE) {
        return zeros_like(tape, like);
    }
    const lossi_shape shape = *lossi_tape_shape(tape, like);
    return lossi_tape_full(tape, node, &shape);
}

void lossi_tape_adjoints(lossi_tape *tape, int32_t output, int32_t seed, const int32_t *sources,
                         int32_t count, int32_t constant, int32_t *adjoints)
{
    const int32_t nodes = output + 1;
    int32_t *depends = node_list(tape, nodes), *adjoint = node_list(tape, nodes);
    if (depends != NULL && adjoint != NULL && tape->status == LOSS_OK) {
        mark_dependent(tape, sources, count, constant, output, depends);
        adjoint[output] = seed;
        for (int32_t node = output; node >= 0 && tape->status == LOSS_OK; node--) {
            if (depends[node] == 0 && adjoint[node] != LOSSI_NONE) {
                propagate(tape, node, depends, adjoint);
            }
        }
        for (int32_t i = 0; i < count; i++) {
            adjoints[i] = completed(tape, sources[i] <= output ? adjoint[sources[i]] : LOSSI_NONE,
                                    sources[i]);
        }
    }
    lossi_release(tape->context, depends);
    lossi_release(tape->context, adjoint);
}

/* The tangent of one node; its inputs have theirs. */
static int32_t tangent_of(lossi_tape *tape, int32_t node, const int32_t *tangent)
{
    int32_t of_inputs[LOSSI_NODE_INPUTS], any = 0;
    const lossi_operation *operation = tape->nodes[node].operation;
    for (int32_t which = 0; which < tape->nodes[node].input_count; which++) {
        of_inputs[which] = tangent[lossi_tape_input(tape, node, which)];
        any |= of_inputs[which] != LOSSI_NONE;
    }
    if (!any || operation->jacobian_vector == NULL) {
        return LOSSI_NONE;
    }
    tape->origin = tape->nodes[node].origin;
    const int32_t made = operation->jacobian_vector(tape, node, of_inputs);
    tape->origin = LOSSI_NONE;
    return made;
}

void lossi_tape_tangents(lossi_tape *tape, const int32_t *sources, const int32_t *directions, int32_t count,
                         const int32_t *outputs, int32_t output_count, int32_t *tangents)
{
    int32_t nodes = 0;
    for (int32_t i = 0; i < output_count; i++) {
        nodes = outputs[i] + 1 > nodes ? outputs[i] + 1 : nodes;
    }
    int32_t *wanted = node_list(tape, nodes), *tangent = node_list(tape, nodes);
    if (wanted != NULL && tangent != NULL && tape->status == LOSS_OK) {
        for (int32_t i = 0; i < output_count; i++) {
            wanted[outputs[i]] = 0;
        }
        for (int32_t node = nodes - 1; node >= 0; node--) { /* what the outputs are computed from */
            for (int32_t k = 0; wanted[node] == 0 && k < tape->nodes[node].input_count; k++) {
                wanted[lossi_tape_input(tape, node, k)] = 0;
            }
        }
        for (int32_t i = 0; i < count; i++) {
            if (sources[i] < nodes) {
                tangent[sources[i]] = directions[i];
            }
        }
        for (int32_t node = 0; node < nodes && tape->status == LOSS_OK; node++) {
            if (wanted[node] == 0 && tangent[node] == LOSSI_NONE) {
                tangent[node] = tangent_of(tape, node, tangent);
            }
        }
        for (int32_t i = 0; i < output_count; i++) {
            tangents[i] = completed(tape, tangent[outputs[i]], outputs[i]);
        }
    }
    lossi_release(tape->context, wanted);
    lossi_release(tape->context, tangent);
}
