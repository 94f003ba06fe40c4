/*
 * The compiler of programs: which nodes are needed and which of them are uniform, the list of instructions in the order of the
 * nodes, then a register for every result until its last use (linear scan: Poletto & Sarkar, 1999).
 *
 * A product that is used once, in a sum or product, is computed with it, and a sum with the product it is used in: in two roundings
 * all the same, with a store and a load less.
 */
#include "loss/expression/program_plan.h"

#include <stddef.h>
#include <string.h>

static int32_t is_scalar_input(const plan *p, const lossi_node *at)
{
    return at->operation == LOSSI_SCALAR_INPUT && at->a < p->inputs && p->scalar != NULL &&
           p->scalar[at->a] != 0;
}

/* ---- what is needed ---- */

static void count_uses(plan *p)
{
    for (int32_t k = 0; k < p->outputs; k++) {
        p->uses[p->nodes[k]]++;
        p->output[p->nodes[k]] = k + 1;
    }
    for (int32_t i = p->count - 1; i > 0; i--) {
        const lossi_node *at = node_of(p, i);
        for (int32_t o = 0; o < lossi_scalar_operands(at->operation) && p->uses[i] > 0; o++) {
            p->uses[operand(at, o)]++;
        }
    }
}

static void find_uniform(plan *p)
{
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        const int32_t operands = lossi_scalar_operands(at->operation);
        p->uniform[i] = at->operation == LOSSI_SCALAR_CONSTANT || is_scalar_input(p, at) || operands > 0;
        for (int32_t o = 0; o < operands; o++) {
            p->uniform[i] &= p->uniform[operand(at, o)];
        }
    }
}

/* Two operations on one operand that have a loop together. */
static const struct pair {
    int32_t first, second, kernel;
} pairs[] = {{LOSSI_SCALAR_softplus, LOSSI_SCALAR_sigmoid, LOSSI_KERNEL_softplus_sigmoid},
             {LOSSI_SCALAR_log_cosh, LOSSI_SCALAR_tanh, LOSSI_KERNEL_log_cosh_tanh},
             {LOSSI_SCALAR_pseudo_huber, LOSSI_SCALAR_hypotenuse_slope, LOSSI_KERNEL_pseudo_huber_slope}};

enum { PAIRS = sizeof pairs / sizeof *pairs };

/* The pair that an operation belongs to, PAIRS when there is none. */
static int32_t pair_of(int32_t operation)
{
    int32_t k = 0;
    while (k < PAIRS && pairs[k].first != operation && pairs[k].second != operation) {
        k++;
    }
    return k;
}

/* Both nodes of a pair, when both are needed: each other's partner. */
static void find_partners(plan *p, int32_t *of_operand)
{
    for (int32_t k = 0; k < PAIRS; k++) {
        memset(of_operand, 0, (size_t)p->count * sizeof *of_operand);
        for (int32_t i = 1; i < p->count; i++) {
            const lossi_node *at = node_of(p, i);
            if (p->uses[i] == 0 || p->uniform[i] || pair_of(at->operation) != k) {
                continue;
            }
            const int32_t other = of_operand[at->a];
            if (other != 0) {
                p->partner[i] = other;
                p->partner[other] = i;
            }
            of_operand[at->a] = i;
        }
    }
}

/* ---- instructions on nodes ---- */

lossi_instruction *lossi_program_emit(plan *p, int32_t kernel, int32_t y)
{
    lossi_program *made = p->made;
    lossi_instruction *at = &made->instructions[made->count++];
    memset(at, 0, sizeof *at);
    at->kernel = kernel;
    at->y = y;
    return at;
}

static int32_t variant_of(const plan *p, int32_t operands, int32_t a, int32_t b, int32_t c)
{
    return (operands > 0 && p->uniform[a] ? 1 : 0) | (operands > 1 && p->uniform[b] ? 2 : 0) |
           (operands > 2 && p->uniform[c] ? 4 : 0);
}

static int32_t absorbs(const plan *p, int32_t node, int32_t operand_node)
{
    return operand_node > 0 && p->absorbed[operand_node] == node;
}

/* Whether a node may be computed with the one that reads it: nothing else does, and there is a loop for both. */
static int32_t is_absorbable(const plan *p, int32_t consumer, int32_t node)
{
    const lossi_node *at = node_of(p, node);
    const int32_t is_product = at->operation == LOSSI_SCALAR_multiply || at->operation == LOSSI_SCALAR_square;
    const int32_t is_sum = at->operation == LOSSI_SCALAR_add ||
                           (at->operation == LOSSI_SCALAR_subtract && !p->uniform[at->a]);
    const int32_t is_sign = at->operation == LOSSI_SCALAR_sign;
    const int32_t fits = is_product || ((is_sum || is_sign) && consumer == LOSSI_SCALAR_multiply);
    return fits && p->uses[node] == 1 && p->output[node] == 0 && !p->uniform[node] && !p->done[node] &&
           p->absorbed[node] == 0 && p->pieces[node] == 0 && !absorbs(p, node, at->a) &&
           !absorbs(p, node, at->b);
}

static void find_absorbed(plan *p)
{
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        const int32_t consumer = at->operation;
        if (p->uses[i] > 0 && !p->done[i] && p->absorbed[i] == 0 && p->pieces[i] == 0 &&
            (consumer == LOSSI_SCALAR_add || consumer == LOSSI_SCALAR_subtract ||
             consumer == LOSSI_SCALAR_multiply)) {
            const int32_t inner = is_absorbable(p, consumer, at->a)   ? at->a
                                  : is_absorbable(p, consumer, at->b) ? at->b
                                                                      : 0;
            p->absorbed[inner] = i;
        }
    }
    p->absorbed[0] = 0;
}

/* The loop of an operation whose operand a or b is computed with it. */
static int32_t kernel_with(const lossi_node *at, const lossi_node *inner, int32_t inner_is_a)
{
    if (at->operation == LOSSI_SCALAR_multiply) {
        return inner->operation == LOSSI_SCALAR_add        ? LOSSI_KERNEL_add_multiply
               : inner->operation == LOSSI_SCALAR_sign     ? LOSSI_KERNEL_sign_multiply
               : inner->operation == LOSSI_SCALAR_subtract ? LOSSI_KERNEL_difference_multiply
                                                           : LOSSI_KERNEL_multiply_multiply;
    }
    return at->operation == LOSSI_SCALAR_add ? LOSSI_KERNEL_multiply_add
           : inner_is_a                      ? LOSSI_KERNEL_multiply_subtract
                                             : LOSSI_KERNEL_subtract_multiply;
}

static void emit_with_operand(plan *p, int32_t node, int32_t absorbed)
{
    const lossi_node *at = node_of(p, node), *inner = node_of(p, absorbed);
    const int32_t b = lossi_scalar_operands(inner->operation) == 1 ? inner->a : inner->b;
    lossi_instruction *made = lossi_program_emit(p, kernel_with(at, inner, at->a == absorbed), node);
    made->a = p->uniform[inner->a] ? b : inner->a;
    made->b = made->a == inner->a ? b : inner->a;
    made->c = at->a == absorbed ? at->b : at->a;
    if (inner->operation == LOSSI_SCALAR_sign) {
        made->b = made->c;
        made->variant = variant_of(p, 2, made->a, made->b, 0);
        return;
    }
    made->variant = variant_of(p, 3, made->a, made->b, made->c);
}

static void emit_pair(plan *p, int32_t node)
{
    const struct pair *pair = &pairs[pair_of(node_of(p, node)->operation)];
    const int32_t other = p->partner[node];
    const int32_t first = node_of(p, node)->operation == pair->first ? node : other;
    lossi_instruction *made = lossi_program_emit(p, pair->kernel, first);
    made->z = first == node ? other : node;
    made->a = node_of(p, node)->a;
    p->done[other] = 1;
}

/* The loops of select want an array of conditions. */
static int32_t as_array(plan *p, int32_t node)
{
    if (!p->uniform[node]) {
        return node;
    }
    lossi_instruction *copy = lossi_program_emit(p, LOSSI_KERNEL_copy, p->count + node);
    copy->a = node;
    copy->variant = 1;
    return p->count + node;
}

static void emit_node(plan *p, int32_t node)
{
    const lossi_node at = *node_of(p, node);
    const int32_t operands = lossi_scalar_operands(at.operation);
    if (operands == 0 || p->absorbed[node] != 0 || p->done[node]) {
        return;
    }
    if (p->pieces[node] != 0) {
        lossi_program_emit_pieces(p, node);
        return;
    }
    if (p->choice[node] != 0) {
        lossi_program_emit_choice(p, node);
        return;
    }
    if (p->uniform[node]) {
        lossi_instruction *made = lossi_program_emit(p, at.operation, node);
        made->a = at.a;
        made->b = at.b;
        made->c = at.c;
        return;
    }
    for (int32_t o = 0; o < operands; o++) {
        if (absorbs(p, node, operand(&at, o))) {
            emit_with_operand(p, node, operand(&at, o));
            return;
        }
    }
    if (p->partner[node] != 0) {
        emit_pair(p, node);
        return;
    }
    const int32_t a = operands == 3 ? as_array(p, at.a) : at.a;
    const int32_t by_number = at.operation == LOSSI_SCALAR_divide && p->uniform[at.b];
    lossi_instruction *made = lossi_program_emit(p, by_number ? LOSSI_KERNEL_divide_by : at.operation, node);
    made->a = a;
    made->b = at.b;
    made->c = at.c;
    made->variant = by_number ? 0 : variant_of(p, operands, operands == 3 ? 0 : a, at.b, at.c);
}

/* Outputs that no instruction writes: inputs, uniforms, and nodes that are an output already. */
static void emit_copies(plan *p)
{
    for (int32_t k = 0; k < p->outputs; k++) {
        const int32_t node = p->nodes[k];
        if (p->output[node] != k + 1 || lossi_scalar_operands(node_of(p, node)->operation) == 0 ||
            p->uniform[node]) {
            lossi_instruction *made = lossi_program_emit(p, LOSSI_KERNEL_copy, -(k + 1));
            made->a = node;
            made->variant = p->uniform[node] ? 1 : 0;
        }
    }
}

static void emit_all(plan *p)
{
    for (int32_t uniform = 1; uniform >= 0; uniform--) {
        for (int32_t i = 1; i < p->count; i++) {
            if (p->uses[i] > 0 && p->uniform[i] == uniform) {
                emit_node(p, i);
            }
        }
        p->made->uniform_count = uniform ? p->made->count : p->made->uniform_count;
    }
    emit_copies(p);
}

/* ---- places ---- */

static int32_t first_register(const plan *p)
{
    return p->inputs + p->outputs;
}

/* Registers first: uniforms come behind them, however many there will be. */
enum { UNIFORM = 1 << 30 };

static void place_leaves(plan *p)
{
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        if (p->uses[i] == 0) {
            continue;
        }
        if (at->operation == LOSSI_SCALAR_INPUT) {
            p->place[i] = at->a;
        } else if (p->uniform[i]) {
            p->place[i] = UNIFORM + p->uniforms++;
        }
        if (at->operation == LOSSI_SCALAR_CONSTANT) {
            p->made->constants[p->made->constant_count++] = (lossi_program_constant){p->place[i], at->value};
        }
    }
}

static int32_t is_register(const plan *p, int32_t node)
{
    return p->place[node] >= first_register(p) && p->place[node] < UNIFORM;
}

static int32_t operands_of(int32_t kernel)
{
    const int32_t is_ternary = kernel >= LOSSI_KERNEL_multiply_add &&
                               kernel <= LOSSI_KERNEL_difference_multiply;
    return kernel < LOSSI_SCALAR_COUNT ? lossi_scalar_operands(kernel)
           : is_ternary                ? 3
           : kernel == LOSSI_KERNEL_sign_multiply || kernel == LOSSI_KERNEL_divide_by ? 2
                                                                                      : 1;
}

enum { OPERANDS = LOSSI_PIECE_OPERANDS };

/* Where an instruction names its operands; NULL behind the last. */
static void list_operands(lossi_instruction *at, int32_t **operands)
{
    int32_t *const all[] = {&at->a, &at->b, &at->c, &at->d, &at->e, &at->f, &at->factor, &at->g};
    const int32_t is_choice = at->kernel >= LOSSI_KERNEL_choose_less &&
                              at->kernel <= LOSSI_KERNEL_choose_order;
    const int32_t is_order = at->kernel == LOSSI_KERNEL_choose_order;
    int32_t count = 0;
    if (at->kernel == LOSSI_KERNEL_pieces) {
        operands[lossi_program_list_pieces(at->pieces, operands)] = NULL;
        return;
    }
    for (int32_t o = 0; o < 8; o++) {
        const int32_t there = !is_choice ? o < operands_of(at->kernel)
                              : o < 4    ? 1
                              : o == 6   ? (at->flags & LOSSI_CHOICE_FACTOR) != 0
                              : is_order ? o == 4 || (at->flags & LOSSI_CHOICE_SCALED) != 0
                                         : o != 7 && (at->flags & LOSSI_CHOICE_TWO) != 0;
        if (there) {
            operands[count++] = all[o];
        } else {
            *all[o] = 0;
        }
    }
    operands[count] = NULL;
}

static void find_last_uses(plan *p)
{
    for (int32_t i = p->made->uniform_count; i < p->made->count; i++) {
        int32_t *operands[OPERANDS + 1];
        list_operands(&p->made->instructions[i], operands);
        for (int32_t o = 0; operands[o] != NULL; o++) {
            p->last_use[*operands[o]] = i;
        }
    }
}

static int32_t place_result(plan *p, int32_t node)
{
    if (node < p->count && p->uniform[node]) {
        return p->place[node];
    }
    if (node < p->count && p->output[node] != 0) {
        return p->place[node] = p->inputs + p->output[node] - 1;
    }
    return p->place[node] = p->free_count > 0 ? p->free_registers[--p->free_count]
                                              : first_register(p) + p->registers++;
}

static void give_back(plan *p, int32_t node, int32_t instruction)
{
    if (is_register(p, node) && p->last_use[node] == instruction) {
        p->free_registers[p->free_count++] = p->place[node];
        p->last_use[node] = -1;
    }
}

/* Turns the nodes of instructions into slots. */
static void place_all(plan *p)
{
    for (int32_t i = 0; i < p->made->count; i++) {
        lossi_instruction *at = &p->made->instructions[i];
        int32_t *operands[OPERANDS + 1];
        list_operands(at, operands);
        for (int32_t o = 0; operands[o] != NULL; o++) {
            const int32_t node = *operands[o];
            *operands[o] = p->place[node];
            if (i >= p->made->uniform_count) {
                give_back(p, node, i);
            }
        }
        at->y = at->y < 0 ? p->inputs - at->y - 1 : place_result(p, at->y);
        at->z = at->z != 0 ? place_result(p, at->z) : 0;
    }
}

/* When inputs are read for the last time and outputs are written: an output may take the place of an input that nothing reads after. */
static void find_times(lossi_program *made)
{
    for (int32_t k = 0; k < made->inputs; k++) {
        made->last_read[k] = -1;
    }
    for (int32_t i = made->uniform_count; i < made->count; i++) {
        lossi_instruction at = made->instructions[i];
        int32_t *operands[OPERANDS + 1];
        list_operands(&at, operands);
        for (int32_t o = 0; operands[o] != NULL; o++) {
            if (*operands[o] < made->inputs) {
                made->last_read[*operands[o]] = i;
            }
        }
        const int32_t results[] = {at.y, at.z};
        for (int32_t r = 0; r < 2; r++) {
            if (results[r] >= made->inputs && results[r] < made->inputs + made->outputs) {
                made->written[results[r] - made->inputs] = i;
            }
        }
    }
}

static int32_t final_slot(const plan *p, int32_t slot)
{
    return slot < UNIFORM ? slot : slot - UNIFORM + first_register(p) + p->registers;
}

static void finish(plan *p)
{
    lossi_program *made = p->made;
    for (int32_t i = 0; i < made->count; i++) {
        lossi_instruction *at = &made->instructions[i];
        int32_t *operands[OPERANDS + 1];
        list_operands(at, operands);
        for (int32_t o = 0; operands[o] != NULL; o++) {
            *operands[o] = final_slot(p, *operands[o]);
        }
        at->y = final_slot(p, at->y);
        at->z = final_slot(p, at->z);
        if (at->kernel == LOSSI_KERNEL_pieces && at->z == p->inputs && p->uses[p->nodes[0]] == 1) {
            at->pieces->flags |= LOSSI_PIECES_SUM;
            at->pieces->lanes = first_register(p) + p->registers + p->uniforms;
            made->sums = 1;
        }
    }
    for (int32_t i = 0; i < made->constant_count; i++) {
        made->constants[i].slot = final_slot(p, made->constants[i].slot);
    }
    made->registers = p->registers;
    made->uniforms = p->uniforms;
    find_times(made);
}

/* ---- life ---- */

void lossi_program_free(lossi_program *program)
{
    if (program != NULL) {
        loss_context *context = program->context;
        lossi_release(context, program->instructions);
        lossi_release(context, program->pieces);
        lossi_release(context, program->constants);
        lossi_release(context, program->scalar);
        lossi_release(context, program->last_read);
        lossi_release(context, program);
        lossi_context_drop(context);
    }
}

/* At most as many instructions of pieces: one for a comparison, maximum or minimum, and one for two outputs. */
static int64_t most_pieces(const lossi_expression *expression, int32_t count)
{
    int64_t most = 2; /* and one that is tried */
    for (int32_t i = 1; i < count; i++) {
        const int32_t operation = lossi_expression_node(expression, i)->operation;
        most += operation >= LOSSI_SCALAR_minimum && operation <= LOSSI_SCALAR_not_equal;
    }
    return most;
}

static lossi_program *allocate(const lossi_expression *expression, int32_t count, int32_t inputs,
                               int32_t outputs)
{
    loss_context *context = lossi_expression_context(expression);
    lossi_program *made = lossi_allocate(context, (int64_t)sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->context = lossi_context_retain(context);
    made->inputs = inputs;
    made->outputs = outputs;
    made->instructions = lossi_allocate(context,
                                        (2 * (int64_t)count + outputs) * (int64_t)sizeof *made->instructions);
    made->pieces = lossi_allocate(context, most_pieces(expression, count) * (int64_t)sizeof *made->pieces);
    made->constants = lossi_allocate(context, count * (int64_t)sizeof *made->constants);
    made->scalar = lossi_allocate(context, inputs);
    made->last_read = lossi_allocate(context, ((int64_t)inputs + outputs) * (int64_t)sizeof(int32_t));
    made->written = made->last_read != NULL ? made->last_read + inputs : NULL;
    if (made->instructions == NULL || made->pieces == NULL || made->constants == NULL ||
        made->scalar == NULL || made->last_read == NULL) {
        lossi_program_free(made);
        return NULL;
    }
    return made;
}

/* Arrays of a plan: how many numbers each node takes in all of them. */
enum { ARRAYS = 21 };

static void compile(plan *p, int32_t *numbers)
{
    const int64_t count = p->count;
    int32_t *of_operand;
    p->uses = numbers;
    p->uniform = p->uses + count;
    p->absorbed = p->uniform + count;
    p->done = p->absorbed + count;
    p->output = p->done + count;
    p->partner = p->output + count;
    p->choice = p->partner + count;
    p->chosen[0] = p->choice + count;
    p->chosen[1] = p->chosen[0] + count;
    p->times = p->chosen[1] + count;
    p->extreme = p->times + count;
    p->pieces = p->extreme + count;
    p->first = p->pieces + count;
    p->second = p->first + count;
    p->base_uses = p->second + count;
    of_operand = p->base_uses + count;
    p->free_registers = of_operand + count;
    p->place = p->free_registers + count;
    p->last_use = p->place + 2 * count;
    count_uses(p);
    find_uniform(p);
    find_partners(p, of_operand);
    lossi_program_find_pieces(p);
    find_absorbed(p);
    lossi_program_find_choices(p);
    emit_all(p);
    place_leaves(p);
    find_last_uses(p);
    place_all(p);
    finish(p);
}

int32_t lossi_program_compile(lossi_program **out, const lossi_expression *expression, const int32_t *nodes,
                              int32_t outputs, int32_t inputs, const uint8_t *scalar)
{
    loss_context *context = lossi_expression_context(expression);
    const int32_t count = lossi_expression_count(expression) + 1;
    *out = NULL;
    for (int32_t k = 0; k < outputs; k++) {
        if (nodes[k] < 0) {
            return nodes[k];
        }
    }
    int32_t *numbers = lossi_allocate(context, ARRAYS * (int64_t)count * (int64_t)sizeof *numbers);
    lossi_program *made = numbers != NULL ? allocate(expression, count, inputs, outputs) : NULL;
    if (made != NULL) {
        plan p = {.expression = expression,
                  .nodes = nodes,
                  .outputs = outputs,
                  .inputs = inputs,
                  .scalar = scalar,
                  .count = count,
                  .made = made};
        if (scalar != NULL) {
            memcpy(made->scalar, scalar, (size_t)inputs);
        }
        compile(&p, numbers);
        *out = made;
    }
    lossi_release(context, numbers);
    return made == NULL ? LOSSI_EXPRESSION_MEMORY : 0;
}

int32_t lossi_program_length(const lossi_program *program)
{
    return program->count - program->uniform_count;
}

int32_t lossi_program_registers(const lossi_program *program)
{
    return program->registers;
}
