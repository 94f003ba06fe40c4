/*
 * Groups of elementwise nodes as one program over blocks.
 *
 * The elements of the result are cut into blocks. An input of the same shape is read where it is; one number is a scalar of the
 * program; any other broadcasts, and its elements are laid out for a block in scratch. Where an input repeats itself within a block
 * and blocks begin with it - biases, weights of channels - it is laid out once. What is added up over rows is added up block by block,
 * while it is in the first-level cache (fused_sums.c).
 */
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/fused_parts.h"
#include "gradient/graph/operations.h"

enum {
    MOST_NODES = 1 << 16, /* of an expression: groups are shorter */
    BLOCKS_PER_TASK = 16, /* of a thread at a time: some 10 µs */
    SERIAL_BLOCKS = 24    /* fewer are not worth waking a thread */
};

/* ---- making ---- */

/* The node of an operand in the expression: inputs by their place, numbers as constants, members by what they became. */
static int32_t operand(lossi_expression *expression, const lossi_tape *tape, int32_t node,
                       const int32_t *members, const int32_t *became, int32_t member_count,
                       const int32_t *inputs, int32_t input_count)
{
    if (tape->nodes[node].operation == &lossi_operation_number) {
        return lossi_expression_constant(expression, tape->nodes[node].attributes.number[0]);
    }
    for (int32_t i = member_count - 1; i >= 0; i--) {
        if (members[i] == node) {
            return became[i];
        }
    }
    for (int32_t i = 0; i < input_count; i++) {
        if (inputs[i] == node) {
            return lossi_expression_input(expression, i);
        }
    }
    return LOSSI_NO_NODE;
}

static int32_t put_member(lossi_expression *expression, const lossi_tape *tape, int32_t node,
                          const int32_t *members, const int32_t *became, int32_t done, const int32_t *inputs,
                          int32_t input_count)
{
    int32_t operands[3] = {LOSSI_NO_NODE, LOSSI_NO_NODE, LOSSI_NO_NODE};
    const lossi_operation *operation = tape->nodes[node].operation;
    for (int32_t k = 0; k < tape->nodes[node].input_count; k++) {
        operands[k] = operand(expression, tape, lossi_tape_input(tape, node, k), members, became, done,
                              inputs, input_count);
    }
    if (operation == &lossi_operation_spread) {
        return operands[0];
    }
    return lossi_expression_apply(expression, (int32_t)(operation - lossi_elementwise_at(0)), operands[0],
                                  operands[1], operands[2]);
}

/* One element whatever the rows. */
static int32_t is_number(const lossi_shape *shape)
{
    return !lossi_shape_of_rows(shape) && lossi_shape_row(shape) == 1;
}

static int32_t is_elementwise(const lossi_tape *tape, int32_t node)
{
    return (tape->nodes[node].operation->flags & LOSSI_OPERATION_ELEMENTWISE) != 0;
}

/* `made` are the members that the program is to compute for others, with room for as many behind them. */
static loss_status compile(lossi_fused *fused, const lossi_tape *tape, const int32_t *members,
                           int32_t member_count, const int32_t *inputs, int32_t *made)
{
    loss_status status = LOSS_ERROR_MEMORY;
    lossi_expression *expression = lossi_expression_create(tape->context, MOST_NODES);
    int32_t *became = lossi_allocate(tape->context, (int64_t)sizeof *became * member_count);
    if (expression != NULL && became != NULL) {
        for (int32_t i = 0; i < member_count; i++) {
            became[i] = is_elementwise(tape, members[i]) ? put_member(expression, tape, members[i], members,
                                                                      became, i, inputs, fused->input_count)
                                                         : LOSSI_NO_NODE;
        }
        for (int32_t i = 0; i < fused->made_count; i++) {
            made[i] = operand(expression, tape, made[i], members, became, member_count, inputs,
                              fused->input_count);
        }
        if (lossi_program_compile(&fused->program, expression, made, fused->made_count, fused->input_count,
                                  fused->scalar) == 0) {
            status = LOSS_OK;
        }
    }
    lossi_release(tape->context, became);
    lossi_expression_free(expression);
    return status;
}

/* Whether the program reads an input: sums read others. */
static int32_t is_read(const lossi_tape *tape, const int32_t *members, int32_t member_count, int32_t input)
{
    for (int32_t i = 0; i < member_count; i++) {
        for (int32_t k = 0; is_elementwise(tape, members[i]) && k < tape->nodes[members[i]].input_count;
             k++) {
            if (lossi_tape_input(tape, members[i], k) == input) {
                return 1;
            }
        }
    }
    return 0;
}

/* One block of memory, with all lists behind it. */
static lossi_fused *allocate(const lossi_tape *tape, int32_t member_count, int32_t input_count)
{
    const int64_t head = lossi_fused_padded((int64_t)sizeof(lossi_fused));
    const int64_t sums = member_count * (int64_t)sizeof(lossi_fused_sum);
    char *memory = lossi_allocate(tape->context,
                                  head + sums + member_count * (int64_t)sizeof(int32_t) + input_count);
    lossi_fused *fused = (lossi_fused *)(void *)memory;
    if (memory != NULL) {
        fused->sums = (lossi_fused_sum *)(void *)(memory + head);
        fused->written = (int32_t *)(void *)(memory + head + sums);
        fused->scalar = (uint8_t *)(fused->written + member_count);
    }
    return fused;
}

lossi_fused *lossi_fused_create(const lossi_tape *tape, const int32_t *members, int32_t member_count,
                                const int32_t *inputs, int32_t input_count, const int32_t *outputs,
                                int32_t output_count)
{
    lossi_fused *fused = allocate(tape, member_count, input_count);
    int32_t *made = lossi_allocate(tape->context, (int64_t)sizeof *made * member_count);
    loss_status status = LOSS_ERROR_MEMORY;
    if (fused != NULL && made != NULL) {
        fused->dtype = tape->dtype;
        fused->real_index = lossi_real_index(tape->dtype);
        fused->input_count = input_count;
        for (int32_t i = member_count - 1; i >= 0; i--) {
            fused->shape = is_elementwise(tape, members[i]) ? *lossi_tape_shape(tape, members[i])
                                                            : fused->shape;
        }
        for (int32_t i = 0; i < input_count; i++) {
            fused->scalar[i] = is_number(lossi_tape_shape(tape, inputs[i])) ||
                               !is_read(tape, members, member_count, inputs[i]);
        }
        for (int32_t i = 0; i < output_count; i++) {
            if (is_elementwise(tape, outputs[i])) {
                fused->written[fused->made_count] = i;
                made[fused->made_count++] = outputs[i];
            }
        }
        lossi_fused_list_sums(fused, tape, members, member_count, inputs, outputs, output_count, made);
        status = compile(fused, tape, members, member_count, inputs, made);
    }
    lossi_release(tape->context, made);
    if (status != LOSS_OK) {
        lossi_fail_memory(tape->context, "the elementwise operations of a graph");
        lossi_release(tape->context, fused);
        return NULL;
    }
    return fused;
}

void lossi_fused_free(lossi_fused *fused, loss_context *context)
{
    if (fused != NULL) {
        lossi_program_free(fused->program);
        lossi_release(context, fused);
    }
}

/* ---- broadcasting ---- */

static lossi_fused_pattern pattern_of(const lossi_shape *input, const lossi_shape *result)
{
    int64_t strides[LOSSI_RANK], step = 1;
    lossi_fused_pattern p = {0, {0}, {0}, 0};
    for (int32_t i = result->rank - 1; i >= 0; i--) {
        const int32_t k = i - (result->rank - input->rank);
        const int64_t size = k < 0 ? 1 : input->size[k];
        strides[i] = size == 1 ? 0 : step;
        step *= size;
    }
    for (int32_t i = 0; i < result->rank; i++) {
        if (result->size[i] == 1) {
            continue;
        }
        const int32_t last = p.rank - 1;
        if (last >= 0 && p.stride[last] == strides[i] * result->size[i]) {
            p.size[last] *= result->size[i]; /* goes on where the one before ends, or both stand still */
            p.stride[last] = strides[i];
        } else {
            p.size[p.rank] = result->size[i];
            p.stride[p.rank++] = strides[i];
        }
    }
    if (p.rank == 2 && p.stride[0] == 0 && p.stride[1] == 1) {
        p.period = p.size[1];
    }
    return p;
}

/* Elements [begin, begin + n) of the result's order. */
static void lay_out(const lossi_fused_pattern *p, const char *from, int64_t size, int64_t begin, int64_t n,
                    char *to)
{
    int64_t place[LOSSI_RANK + 1], offset = 0, rest = begin;
    const int32_t last = p->rank - 1;
    for (int32_t i = last; i >= 0; i--) {
        place[i] = rest % p->size[i];
        rest /= p->size[i];
        offset += place[i] * p->stride[i];
    }
    while (n > 0) {
        int64_t run = p->size[last] - place[last];
        run = run < n ? run : n;
        if (p->stride[last] == 1) {
            memcpy(to, from + offset * size, (size_t)(run * size));
        } else if (size == 4) {
            uint32_t word;
            memcpy(&word, from + offset * size, 4);
            for (int64_t i = 0; i < run; i++) {
                memcpy(to + 4 * i, &word, 4);
            }
        } else {
            uint64_t word;
            memcpy(&word, from + offset * size, 8);
            for (int64_t i = 0; i < run; i++) {
                memcpy(to + 8 * i, &word, 8);
            }
        }
        n -= run;
        to += run * size;
        offset += run * p->stride[last];
        place[last] += run;
        for (int32_t i = last; i > 0 && place[i] == p->size[i]; i--) {
            offset += p->stride[i - 1] - place[i] * p->stride[i];
            place[i] = 0;
            place[i - 1]++;
        }
    }
}

/* ---- running ---- */

static int64_t block_bytes(const lossi_fused *fused)
{
    return lossi_program_block(fused->program, fused->real_index) * loss_dtype_size(fused->dtype);
}

/* Of a worker: pointers to everything, how far arrays are laid out, the arrays of blocks of broadcast inputs, what sums need. */
static int64_t pointer_bytes(const lossi_fused *fused)
{
    return lossi_fused_padded((int64_t)sizeof(void *) * (fused->input_count + fused->made_count) +
                              (int64_t)sizeof(int64_t) * fused->input_count);
}

static int64_t worker_bytes(const lossi_fused *fused)
{
    return pointer_bytes(fused) + fused->input_count * lossi_fused_padded(block_bytes(fused)) +
           lossi_fused_sums_worker(fused) + lossi_fused_padded(lossi_program_scratch(fused->program));
}

static int64_t pattern_bytes(const lossi_fused *fused)
{
    return lossi_fused_padded((int64_t)sizeof(lossi_fused_pattern) * fused->input_count) +
           lossi_fused_padded(fused->input_count);
}

int64_t lossi_fused_scratch(const lossi_fused *fused, int32_t threads)
{
    return pattern_bytes(fused) + lossi_fused_sums_shared(fused) + threads * worker_bytes(fused);
}

void lossi_fused_begin(lossi_fused_worker *w, const lossi_fused_job *job, int32_t worker)
{
    const lossi_fused *fused = job->fused;
    char *mine = job->scratch + worker * job->per_worker;
    w->job = job;
    w->inputs = (const void **)(void *)mine;
    w->outputs = (void **)(void *)(w->inputs + fused->input_count);
    w->laid = (int64_t *)(void *)(w->outputs + fused->made_count);
    w->arrays = mine + pointer_bytes(fused);
    w->made = w->arrays + fused->input_count * lossi_fused_padded(block_bytes(fused));
    for (int32_t k = 0; k < fused->input_count; k++) {
        w->inputs[k] = job->direct[k] ? job->inputs[k].data
                                      : w->arrays + k * lossi_fused_padded(block_bytes(fused));
        w->laid[k] = -1;
    }
    lossi_run_begin(&w->run, fused->program, job->isa, fused->real_index, job->elements, w->inputs,
                    w->made + lossi_fused_sums_worker(fused));
}

/* The elements of a broadcast input for a whole block from i on, unless they are there. */
static void lay_block(lossi_fused_worker *w, int32_t k, int64_t i)
{
    const lossi_fused_job *j = w->job;
    const lossi_fused_pattern *p = &j->patterns[k];
    if (p->period == 0 || w->laid[k] != i % p->period) {
        const int64_t left = j->elements - i;
        lay_out(p, j->inputs[k].data, j->size, i, left < j->block ? left : j->block,
                w->arrays + k * lossi_fused_padded(block_bytes(j->fused)));
        w->laid[k] = p->period == 0 || left < j->block ? -1 : i % p->period;
    }
}

void lossi_fused_blocks(lossi_fused_worker *w, int64_t begin, int64_t end, char *const *made)
{
    const lossi_fused_job *j = w->job;
    const lossi_fused *fused = j->fused;
    for (int64_t i = begin; i < end; i += j->block) {
        const int64_t n = end - i < j->block ? end - i : j->block;
        for (int32_t k = 0; k < fused->input_count; k++) {
            if (!j->direct[k]) {
                lay_block(w, k, i);
            } else if (!fused->scalar[k]) {
                w->inputs[k] = j->inputs[k].data + i * j->size;
            }
        }
        for (int32_t k = 0; k < fused->made_count; k++) {
            w->outputs[k] = made != NULL && made[k] != NULL
                                ? made[k] + (i - begin) * j->size
                                : j->outputs[fused->written[k]].data + i * j->size;
        }
        lossi_run_block(&w->run, n, w->inputs, w->outputs);
    }
}

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const lossi_fused_job *j = argument;
    const int64_t begin = index * j->task,
                  end = begin + j->task < j->elements ? begin + j->task : j->elements;
    lossi_fused_worker w;
    lossi_fused_begin(&w, j, worker);
    lossi_fused_blocks(&w, begin, end, NULL);
}

/* The longest block up to a length that is a multiple of the largest period that fits in it. */
static int64_t fitting_block(int64_t block, const lossi_fused_pattern *patterns, int32_t count)
{
    int64_t period = 0;
    for (int32_t k = 0; k < count; k++) {
        if (patterns[k].period > period && patterns[k].period <= block) {
            period = patterns[k].period;
        }
    }
    int64_t fitted = period > 0 ? block / period * period : block;
    return fitted % LOSSI_PROGRAM_PACK == 0 || fitted < LOSSI_PROGRAM_PACK || period == 0
               ? fitted
               : (block / (period * LOSSI_PROGRAM_PACK) > 0
                      ? block / (period * LOSSI_PROGRAM_PACK) * period * LOSSI_PROGRAM_PACK
                      : fitted);
}

void lossi_fused_run(const lossi_fused *fused, loss_context *context, int64_t rows, const lossi_value *inputs,
                     const lossi_value *outputs, void *scratch)
{
    lossi_fused_pattern *patterns = scratch;
    uint8_t *direct = (uint8_t *)scratch + lossi_fused_padded((int64_t)sizeof *patterns * fused->input_count);
    lossi_fused_job j = {
        .fused = fused, .inputs = inputs, .outputs = outputs, .patterns = patterns, .direct = direct};
    lossi_shape shape = fused->shape;
    if (lossi_shape_of_rows(&shape)) {
        shape.size[0] = rows;
    }
    j.isa = lossi_context_isa(context);
    j.size = loss_dtype_size(fused->dtype);
    j.elements = lossi_shape_elements(&shape, 0);
    for (int32_t k = 0; k < fused->input_count; k++) {
        direct[k] = fused->scalar[k] || lossi_value_elements(&inputs[k]) == j.elements;
        patterns[k] = direct[k] ? (lossi_fused_pattern){0} : pattern_of(&inputs[k].shape, &shape);
    }
    j.block = fitting_block(lossi_program_block(fused->program, fused->real_index), patterns,
                            fused->input_count);
    j.per_worker = worker_bytes(fused);
    j.sums = (double *)(void *)((char *)scratch + pattern_bytes(fused));
    j.scratch = (char *)scratch + pattern_bytes(fused) + lossi_fused_sums_shared(fused);
    const int64_t blocks = (j.elements + j.block - 1) / j.block;
    j.task = blocks < SERIAL_BLOCKS ? j.elements : BLOCKS_PER_TASK * j.block;
    if (fused->sum_count > 0) {
        lossi_fused_run_sums(&j, context);
    } else if (j.elements > 0) {
        const int64_t tasks = (j.elements + j.task - 1) / j.task;
        if (tasks == 1) {
            run_task(&j, 0, 0);
        } else {
            lossi_parallel(context, tasks, run_task, &j);
        }
    }
}
