/*
 * The nodes of an expression: a table that only grows, and a hash table over it so that nodes that are alike are one.
 *
 * Open addressing with linear probing (Knuth, TAOCP vol. 3, 6.4, algorithm L), at most half full.
 */
#include "loss/expression/expression.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { FIRST_NODES = 64, FIRST_BUCKETS = 256 }; /* powers of two */

struct lossi_expression {
    loss_context *context;
    lossi_node *nodes; /* node 0 is none */
    int32_t count;     /* of used elements, that one included */
    int32_t room, most;
    int32_t *buckets; /* 0: empty */
    int32_t bucket_count;
};

/* ---- the table of operations ---- */

static const struct row {
    const char *name, *doc;
    int32_t operands;
} rows[LOSSI_SCALAR_COUNT] = {
#define LOSSI_SCALAR(name, operands, doc) {#name, doc, operands},
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
};

static int32_t is_operation(int32_t operation)
{
    return operation >= 0 && operation < LOSSI_SCALAR_COUNT;
}

const char *lossi_scalar_name(int32_t operation)
{
    return is_operation(operation) ? rows[operation].name : NULL;
}

int32_t lossi_scalar_operands(int32_t operation)
{
    return is_operation(operation) ? rows[operation].operands : 0;
}

const char *lossi_scalar_doc(int32_t operation)
{
    return is_operation(operation) ? rows[operation].doc : NULL;
}

/* ---- life ---- */

lossi_expression *lossi_expression_create(loss_context *context, int32_t most_nodes)
{
    lossi_expression *made = lossi_allocate(context, (int64_t)sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->context = lossi_context_retain(context);
    made->count = 1;
    made->most = most_nodes;
    made->room = FIRST_NODES;
    made->bucket_count = FIRST_BUCKETS;
    made->nodes = lossi_allocate(context, FIRST_NODES * (int64_t)sizeof *made->nodes);
    made->buckets = lossi_allocate(context, FIRST_BUCKETS * (int64_t)sizeof *made->buckets);
    if (made->nodes == NULL || made->buckets == NULL) {
        lossi_expression_free(made);
        return NULL;
    }
    return made;
}

void lossi_expression_free(lossi_expression *expression)
{
    if (expression != NULL) {
        loss_context *context = expression->context;
        lossi_release(context, expression->nodes);
        lossi_release(context, expression->buckets);
        lossi_release(context, expression);
        lossi_context_drop(context);
    }
}

/* ---- what is there ---- */

int32_t lossi_expression_count(const lossi_expression *expression)
{
    return expression->count - 1;
}

const lossi_node *lossi_expression_node(const lossi_expression *expression, int32_t node)
{
    return &expression->nodes[node];
}

int32_t lossi_expression_is(const lossi_expression *expression, int32_t node, double value)
{
    const lossi_node *at = node > 0 ? &expression->nodes[node] : NULL;
    return at != NULL && at->operation == LOSSI_SCALAR_CONSTANT && at->value == value &&
           !signbit(at->value) == !signbit(value);
}

loss_context *lossi_expression_context(const lossi_expression *expression)
{
    return expression->context;
}

/* ---- new nodes ---- */

/* 64-bit finaliser of MurmurHash3 (Appleby, 2011) over the fields one by one. */
static uint64_t mix(uint64_t hash, uint64_t field)
{
    hash ^= field;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53u;
    return hash ^ (hash >> 33);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t hash_of(const lossi_node *node)
{
    uint64_t hash = mix(0, (uint64_t)(uint32_t)node->operation);
    hash = mix(hash, (uint64_t)(uint32_t)node->a << 32 | (uint32_t)node->b);
    hash = mix(hash, (uint64_t)(uint32_t)node->c);
    return mix(hash, bits_of(node->value));
}

static int32_t alike(const lossi_node *x, const lossi_node *y)
{
    return x->operation == y->operation && x->a == y->a && x->b == y->b && x->c == y->c &&
           bits_of(x->value) == bits_of(y->value);
}

/* The bucket of a node like this, or the empty one where it belongs. */
static int32_t *bucket_of(const lossi_expression *e, const lossi_node *node)
{
    uint64_t at = hash_of(node) & (uint64_t)(e->bucket_count - 1);
    while (e->buckets[at] != 0 && !alike(&e->nodes[e->buckets[at]], node)) {
        at = (at + 1) & (uint64_t)(e->bucket_count - 1);
    }
    return &e->buckets[at];
}

/* Room for one node more. */
static int32_t grow(lossi_expression *e)
{
    if (e->count < e->room) {
        return 1;
    }
    const int32_t room = 2 * e->room, bucket_count = 2 * e->bucket_count;
    lossi_node *nodes = lossi_allocate(e->context, room * (int64_t)sizeof *nodes);
    int32_t *buckets = lossi_allocate(e->context, bucket_count * (int64_t)sizeof *buckets);
    if (nodes == NULL || buckets == NULL) {
        lossi_release(e->context, nodes);
        lossi_release(e->context, buckets);
        return 0;
    }
    memcpy(nodes, e->nodes, (size_t)e->count * sizeof *nodes);
    lossi_release(e->context, e->nodes);
    lossi_release(e->context, e->buckets);
    e->nodes = nodes;
    e->buckets = buckets;
    e->room = room;
    e->bucket_count = bucket_count;
    for (int32_t i = 1; i < e->count; i++) {
        *bucket_of(e, &nodes[i]) = i;
    }
    return 1;
}

static int32_t find_or_add(lossi_expression *e, const lossi_node *node)
{
    int32_t *bucket = bucket_of(e, node);
    if (*bucket != 0) {
        return *bucket;
    }
    if (e->count > e->most) {
        return LOSSI_EXPRESSION_FULL;
    }
    if (!grow(e)) {
        return LOSSI_EXPRESSION_MEMORY;
    }
    bucket = bucket_of(e, node); /* growing moves it */
    e->nodes[e->count] = *node;
    *bucket = e->count;
    return e->count++;
}

int32_t lossi_expression_input(lossi_expression *expression, int32_t k)
{
    const lossi_node node = {LOSSI_SCALAR_INPUT, k, 0, 0, 0};
    return find_or_add(expression, &node);
}

int32_t lossi_expression_constant(lossi_expression *expression, double value)
{
    const lossi_node node = {LOSSI_SCALAR_CONSTANT, 0, 0, 0, isnan(value) ? (double)NAN : value};
    return find_or_add(expression, &node);
}

int32_t lossi_expression_make(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                              int32_t c)
{
    const int32_t swapped = a > b && (operation == LOSSI_SCALAR_add || operation == LOSSI_SCALAR_multiply ||
                                      operation == LOSSI_SCALAR_equal || operation == LOSSI_SCALAR_not_equal);
    const lossi_node node = {operation, swapped ? b : a, swapped ? a : b, c, 0};
    return find_or_add(expression, &node);
}

/* ---- constants ---- */

static double compared(double a, double b, int32_t result)
{
    return isnan(a) || isnan(b) ? NAN : (double)result;
}

/* Of operations that IEEE 754 rounds exactly, and so that give the same everywhere; 0 for the others. */
static int32_t fold(int32_t operation, double a, double b, double c, double *value)
{
    switch (operation) {
    case LOSSI_SCALAR_add:
        *value = a + b;
        return 1;
    case LOSSI_SCALAR_subtract:
        *value = a - b;
        return 1;
    case LOSSI_SCALAR_multiply:
        *value = a * b;
        return 1;
    case LOSSI_SCALAR_divide:
        *value = a / b;
        return 1;
    case LOSSI_SCALAR_negate:
        *value = -a;
        return 1;
    case LOSSI_SCALAR_square:
        *value = a * a;
        return 1;
    case LOSSI_SCALAR_reciprocal:
        *value = 1 / a;
        return 1;
    case LOSSI_SCALAR_sqrt:
        *value = sqrt(a);
        return 1;
    case LOSSI_SCALAR_abs:
        *value = fabs(a);
        return 1;
    case LOSSI_SCALAR_sign:
        *value = a > 0 ? 1 : a < 0 ? -1 : a;
        return 1;
    case LOSSI_SCALAR_floor:
        *value = floor(a);
        return 1;
    case LOSSI_SCALAR_less:
        *value = compared(a, b, a < b);
        return 1;
    case LOSSI_SCALAR_less_equal:
        *value = compared(a, b, a <= b);
        return 1;
    case LOSSI_SCALAR_greater:
        *value = compared(a, b, a > b);
        return 1;
    case LOSSI_SCALAR_greater_equal:
        *value = compared(a, b, a >= b);
        return 1;
    case LOSSI_SCALAR_equal:
        *value = compared(a, b, a == b);
        return 1;
    case LOSSI_SCALAR_not_equal:
        *value = compared(a, b, a != b);
        return 1;
    case LOSSI_SCALAR_select:
        *value = isnan(a) ? a : a != 0 ? b : c;
        return 1;
    default:
        return 0;
    }
}

/* The constant that an operation of constants is; LOSSI_NO_NODE when it is left to the program. */
static int32_t folded(lossi_expression *e, int32_t operation, const int32_t *operands)
{
    double numbers[3] = {0}, value;
    for (int32_t i = 0; i < rows[operation].operands; i++) {
        if (e->nodes[operands[i]].operation != LOSSI_SCALAR_CONSTANT) {
            return LOSSI_NO_NODE;
        }
        numbers[i] = e->nodes[operands[i]].value;
    }
    return fold(operation, numbers[0], numbers[1], numbers[2], &value) ? lossi_expression_constant(e, value)
                                                                       : LOSSI_NO_NODE;
}

int32_t lossi_expression_apply(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                               int32_t c)
{
    int32_t operands[3] = {a, b, c};
    for (int32_t i = 0; i < 3; i++) {
        if (i >= rows[operation].operands) {
            operands[i] = LOSSI_NO_NODE;
        } else if (operands[i] < 0) {
            return operands[i];
        }
    }
    int32_t node = folded(expression, operation, operands);
    if (node == LOSSI_NO_NODE) {
        node = lossi_expression_identity(expression, operation, operands[0], operands[1], operands[2]);
    }
    return node != LOSSI_NO_NODE
               ? node
               : lossi_expression_make(expression, operation, operands[0], operands[1], operands[2]);
}
