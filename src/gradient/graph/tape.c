/* The tape: nodes side by side, their inputs in one list, and a table of hashes that finds equal ones. */
#include "gradient/graph/tape.h"

#include <stdio.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"

enum { FIRST_NODES = 64, MOST_NODES = 1 << 24 };

void lossi_tape_create(lossi_tape *tape, loss_context *context, loss_dtype dtype, lossi_purpose purpose)
{
    memset(tape, 0, sizeof *tape);
    tape->context = context;
    tape->dtype = dtype;
    tape->purpose = purpose;
    tape->origin = LOSSI_NONE;
}

void lossi_tape_destroy(lossi_tape *tape)
{
    lossi_release(tape->context, tape->nodes);
    lossi_release(tape->context, tape->inputs);
    lossi_release(tape->context, tape->buckets);
    memset(tape, 0, sizeof *tape);
}

int32_t lossi_tape_fail(lossi_tape *tape, loss_status status)
{
    if (tape->status == LOSS_OK) {
        tape->status = status;
    }
    return LOSSI_NONE;
}

/* ---- room ---- */

/* An array of at least `needed` elements in place of one of `count` used ones; NULL when there is no memory. */
static void *grown(loss_context *context, void *array, int64_t size, int32_t count, int32_t needed,
                   int32_t *capacity)
{
    int32_t larger = *capacity > 0 ? *capacity : FIRST_NODES;
    while (larger < needed) {
        larger *= 2;
    }
    void *copy = needed <= MOST_NODES ? lossi_allocate(context, size * larger) : NULL;
    if (copy == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(copy, array, (size_t)(size * count));
    }
    lossi_release(context, array);
    *capacity = larger;
    return copy;
}

/* FNV-1a over 64-bit words: Fowler, Noll and Vo; any mixing serves. */
static uint64_t hash_of(const lossi_operation *operation, const lossi_attributes *attributes,
                        const int32_t *inputs, int32_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    uint64_t words[sizeof *attributes / 8 + 1];
    memcpy(words, attributes, sizeof *attributes);
    words[sizeof *attributes / 8] = (uint64_t)(uintptr_t)operation;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
    }
    for (int32_t i = 0; i < count; i++) {
        hash = (hash ^ (uint64_t)inputs[i]) * UINT64_C(0x100000001b3);
    }
    return hash ^ hash >> 32;
}

static int32_t node_hash_bucket(const lossi_tape *tape, int32_t index)
{
    const lossi_tape_node *node = &tape->nodes[index];
    return (int32_t)(hash_of(node->operation, &node->attributes, tape->inputs + node->first_input,
                             node->input_count) %
                     (uint64_t)tape->bucket_count);
}

/* The chains of all nodes, into empty buckets. */
static void chain_all(lossi_tape *tape)
{
    for (int32_t i = 0; i < tape->count; i++) {
        const int32_t bucket = node_hash_bucket(tape, i);
        tape->nodes[i].chain = tape->buckets[bucket];
        tape->buckets[bucket] = i;
    }
}

/* As many buckets as nodes may be; the chains are made anew. */
static loss_status rehash(lossi_tape *tape)
{
    int32_t *buckets = lossi_allocate(tape->context, (int64_t)sizeof *buckets * tape->capacity);
    if (buckets == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    lossi_release(tape->context, tape->buckets);
    tape->buckets = buckets;
    tape->bucket_count = tape->capacity;
    memset(buckets, 0xff, sizeof *buckets * (size_t)tape->bucket_count);
    chain_all(tape);
    return LOSS_OK;
}

static loss_status make_room(lossi_tape *tape, int32_t inputs)
{
    if (tape->count == tape->capacity) {
        lossi_tape_node *nodes = grown(tape->context, tape->nodes, sizeof *nodes, tape->count,
                                       tape->count + 1, &tape->capacity);
        if (nodes == NULL) {
            return lossi_fail_memory(tape->context, "the nodes of a graph");
        }
        tape->nodes = nodes;
    }
    if (tape->bucket_count < tape->capacity && rehash(tape) != LOSS_OK) {
        return lossi_fail_memory(tape->context, "the nodes of a graph");
    }
    if (tape->input_count + inputs > tape->input_capacity) {
        int32_t *list = grown(tape->context, tape->inputs, sizeof *list, tape->input_count,
                              tape->input_count + inputs, &tape->input_capacity);
        if (list == NULL) {
            return lossi_fail_memory(tape->context, "the inputs of nodes");
        }
        tape->inputs = list;
    }
    return LOSS_OK;
}

/* ---- nodes ---- */

static int32_t find_equal(const lossi_tape *tape, const lossi_operation *operation,
                          const lossi_attributes *attributes, const int32_t *inputs, int32_t count,
                          uint64_t hash)
{
    for (int32_t i = tape->buckets[hash % (uint64_t)tape->bucket_count]; i >= 0; i = tape->nodes[i].chain) {
        const lossi_tape_node *node = &tape->nodes[i];
        if (node->operation == operation && node->input_count == count &&
            memcmp(&node->attributes, attributes, sizeof *attributes) == 0 &&
            (count == 0 ||
             memcmp(tape->inputs + node->first_input, inputs, sizeof *inputs * (size_t)count) == 0)) {
            return i;
        }
    }
    return LOSSI_NONE;
}

/* Broadcasting and products make shapes that are larger than those of the inputs. */
static loss_status check_shape(const lossi_tape *tape, const lossi_tape_node *node)
{
    char what[80];
    snprintf(what, sizeof what, "the result of the operation '%s'", node->operation->name);
    return lossi_shape_check(tape->context, what, &node->shape);
}

int32_t lossi_tape_add(lossi_tape *tape, const lossi_operation *operation, const lossi_attributes *attributes,
                       const int32_t *inputs, int32_t count)
{
    static const lossi_attributes nothing;
    attributes = attributes != NULL ? attributes : &nothing;
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    if (operation->expand != NULL && !tape->verbatim) {
        return operation->expand(tape, attributes, inputs, count);
    }
    loss_status status = make_room(tape, count);
    if (status != LOSS_OK) {
        return lossi_tape_fail(tape, status);
    }
    const uint64_t hash = hash_of(operation, attributes, inputs, count);
    const int32_t equal = find_equal(tape, operation, attributes, inputs, count, hash);
    if (equal != LOSSI_NONE) {
        return equal;
    }
    lossi_tape_node *node = &tape->nodes[tape->count];
    memset(node, 0, sizeof *node);
    node->operation = operation;
    node->attributes = *attributes;
    node->first_input = tape->input_count;
    node->input_count = count;
    node->dtype = tape->dtype;
    node->origin = tape->origin;
    for (int32_t i = 0; i < count; i++) {
        tape->inputs[tape->input_count + i] = inputs[i];
    }
    status = operation->infer(tape, node);
    if (status == LOSS_OK) {
        status = check_shape(tape, node);
    }
    if (status != LOSS_OK) {
        return lossi_tape_fail(tape, status);
    }
    const uint64_t bucket = hash % (uint64_t)tape->bucket_count;
    node->chain = tape->buckets[bucket];
    tape->buckets[bucket] = tape->count;
    tape->input_count += count;
    return tape->count++;
}

void lossi_tape_copy(lossi_tape *tape, const lossi_tape *from, int32_t last, const uint8_t *wanted,
                     int32_t *at)
{
    int32_t inputs[LOSSI_NODE_INPUTS];
    for (int32_t i = 0; i <= last && tape->status == LOSS_OK; i++) {
        const lossi_tape_node *node = &from->nodes[i];
        at[i] = LOSSI_NONE;
        if (wanted[i]) {
            for (int32_t k = 0; k < node->input_count; k++) {
                inputs[k] = at[lossi_tape_input(from, i, k)];
            }
            tape->origin = i;
            at[i] = lossi_tape_add(tape, node->operation, &node->attributes, inputs, node->input_count);
        }
    }
    tape->origin = LOSSI_NONE;
}

void lossi_tape_truncate(lossi_tape *tape, int32_t count)
{
    if (count < tape->count) {
        tape->input_count = tape->nodes[count].first_input;
        tape->count = count;
        memset(tape->buckets, 0xff, sizeof *tape->buckets * (size_t)tape->bucket_count);
        chain_all(tape);
    }
}

/* ---- what rules are made of ---- */

int32_t lossi_tape_number(lossi_tape *tape, double number)
{
    lossi_attributes attributes = {.number = {number}};
    return lossi_tape_add(tape, &lossi_operation_number, &attributes, NULL, 0);
}

int32_t lossi_tape_reshape(lossi_tape *tape, int32_t node, const lossi_shape *shape)
{
    lossi_attributes attributes = {.integer = {shape->rank}};
    if (node == LOSSI_NONE || lossi_shapes_equal(shape, lossi_tape_shape(tape, node))) {
        return node;
    }
    memcpy(attributes.integer + 1, shape->size, sizeof shape->size[0] * (size_t)shape->rank);
    return lossi_tape_add(tape, &lossi_operation_view, &attributes, &node, 1);
}

int32_t lossi_tape_full(lossi_tape *tape, int32_t node, const lossi_shape *shape)
{
    lossi_attributes attributes = {.integer = {shape->rank}};
    if (node == LOSSI_NONE || lossi_shapes_equal(shape, lossi_tape_shape(tape, node))) {
        return node;
    }
    memcpy(attributes.integer + 1, shape->size, sizeof shape->size[0] * (size_t)shape->rank);
    return lossi_tape_add(tape, &lossi_operation_spread, &attributes, &node, 1);
}

int32_t lossi_tape_reduce(lossi_tape *tape, int32_t node, int32_t axes)
{
    lossi_attributes attributes = {.integer = {axes}};
    return node == LOSSI_NONE || axes == 0
               ? node
               : lossi_tape_add(tape, &lossi_operation_sum_axes, &attributes, &node, 1);
}

int32_t lossi_tape_sum_to(lossi_tape *tape, int32_t adjoint, const lossi_shape *from, const lossi_shape *to)
{
    if (adjoint == LOSSI_NONE) {
        return LOSSI_NONE;
    }
    const lossi_shape *is = lossi_tape_shape(tape, adjoint);
    int32_t axes = 0, lazy = 0;
    for (int32_t i = 0; i < from->rank; i++) {
        const int32_t in_to = i - (from->rank - to->rank), in_is = i - (from->rank - is->rank);
        if (from->size[i] != 1 && (in_to < 0 || to->size[in_to] == 1)) {
            axes |= 1 << i;
            lazy |= in_is < 0 || is->size[in_is] == 1; /* one element stands for many: they all count */
        }
    }
    if (lazy || (axes != 0 && is->rank != from->rank)) {
        adjoint = lossi_tape_full(tape, adjoint, from);
    }
    adjoint = lossi_tape_reduce(tape, adjoint, axes);
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    /* Leading sizes 1 that `to` has not. */
    lossi_shape shape = *lossi_tape_shape(tape, adjoint);
    const int32_t excess = shape.rank - to->rank;
    if (excess > 0) {
        memmove(shape.size, shape.size + excess, sizeof shape.size[0] * (size_t)to->rank);
        shape.rank = to->rank;
    }
    return lossi_tape_reshape(tape, adjoint, &shape);
}
