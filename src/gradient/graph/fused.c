/*
 * Groups of elementwise nodes as one program over blocks.
 *
 * The elements of the result are cut into blocks. An input of the same shape is read where it is; one number is a scalar of the
 * program; any other broadcasts, and its elements are laid out for a block in scratch. Where an input repeats itself within a block
 * and blocks begin with it - biases, weights of channels - it is laid out once.
 */
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/elementwise.h"
#include "gradient/graph/operations.h"
#include "loss/expression/program.h"

enum {
    MOST_NODES = 1 << 16, /* of an expression: groups are shorter */
    ALIGNMENT = 64,
    BLOCKS_PER_TASK = 16, /* of a thread at a time: some 10 µs */
    SERIAL_BLOCKS = 24    /* fewer are not worth waking a thread */
};

struct lossi_fused {
    lossi_program *program;
    int32_t real_index;
    int32_t input_count, output_count;
    uint8_t scalar[]; /* of each input */
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

static loss_status compile(lossi_fused *fused, const lossi_tape *tape, const int32_t *members,
                           int32_t member_count, const int32_t *inputs, const int32_t *outputs)
{
    loss_status status = LOSS_ERROR_MEMORY;
    lossi_expression *expression = lossi_expression_create(tape->context, MOST_NODES);
    int32_t *became = lossi_allocate(tape->context,
                                     (int64_t)sizeof *became * (member_count + fused->output_count));
    int32_t *results = became != NULL ? became + member_count : NULL;
    if (expression != NULL && became != NULL) {
        for (int32_t i = 0; i < member_count; i++) {
            became[i] = put_member(expression, tape, members[i], members, became, i, inputs,
                                   fused->input_count);
        }
        for (int32_t i = 0; i < fused->output_count; i++) {
            results[i] = operand(expression, tape, outputs[i], members, became, member_count, inputs,
                                 fused->input_count);
        }
        if (lossi_program_compile(&fused->program, expression, results, fused->output_count,
                                  fused->input_count, fused->scalar) == 0) {
            status = LOSS_OK;
        }
    }
    lossi_release(tape->context, became);
    lossi_expression_free(expression);
    return status;
}

lossi_fused *lossi_fused_create(const lossi_tape *tape, const int32_t *members, int32_t member_count,
                                const int32_t *inputs, int32_t input_count, const int32_t *outputs,
                                int32_t output_count)
{
    lossi_fused *fused = lossi_allocate(tape->context, (int64_t)sizeof *fused + input_count);
    if (fused == NULL) {
        lossi_fail_memory(tape->context, "the elementwise operations of a graph");
        return NULL;
    }
    fused->real_index = tape->dtype == LOSS_FLOAT64 ? LOSSI_FLOAT64 : LOSSI_FLOAT32;
    fused->input_count = input_count;
    fused->output_count = output_count;
    for (int32_t i = 0; i < input_count; i++) {
        fused->scalar[i] = (uint8_t)is_number(lossi_tape_shape(tape, inputs[i]));
    }
    if (compile(fused, tape, members, member_count, inputs, outputs) != LOSS_OK) {
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

/*
 * Where the elements of an input are for the elements of the result: sizes and strides, those of neighbours that go on alike
 * joined. The last is a run of neighbours (stride 1) or of one element (stride 0).
 */
typedef struct pattern {
    int32_t rank;
    int64_t size[LOSSI_RANK + 1], stride[LOSSI_RANK + 1];
    int64_t period; /* elements after which it starts again: of one that repeats as a whole, else 0 */
} pattern;

static pattern pattern_of(const lossi_shape *input, const lossi_shape *result)
{
    int64_t strides[LOSSI_RANK], step = 1;
    pattern p = {0, {0}, {0}, 0};
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
static void lay_out(const pattern *p, const char *from, int64_t size, int64_t begin, int64_t n, char *to)
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

typedef struct job {
    const lossi_fused *fused;
    const lossi_value *inputs, *outputs;
    const pattern *patterns;
    const uint8_t *direct; /* of each input: a scalar, or of the result's shape */
    int32_t isa;
    int64_t size, elements, block, task;
    int64_t per_worker;
    char *scratch;
} job;

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Bytes of the arrays that blocks of broadcast inputs are laid out in, and of the pointers to everything. */
static int64_t room_bytes(const lossi_fused *fused)
{
    const int64_t block = lossi_program_block(fused->program, fused->real_index) *
                          (fused->real_index == LOSSI_FLOAT64 ? 8 : 4);
    return padded((int64_t)sizeof(void *) * (fused->input_count + fused->output_count)) +
           fused->input_count * padded(block);
}

static int64_t shared_bytes(const lossi_fused *fused)
{
    return padded((int64_t)sizeof(pattern) * fused->input_count) + padded(fused->input_count);
}

int64_t lossi_fused_scratch(const lossi_fused *fused, int32_t threads)
{
    return shared_bytes(fused) +
           threads * (room_bytes(fused) + padded(lossi_program_scratch(fused->program)));
}

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const job *j = argument;
    const lossi_fused *fused = j->fused;
    char *mine = j->scratch + worker * j->per_worker;
    const void **inputs = (const void **)(void *)mine;
    void **outputs = (void **)(void *)mine + fused->input_count;
    char *arrays = mine + padded((int64_t)sizeof(void *) * (fused->input_count + fused->output_count));
    const int64_t array_bytes = padded(j->block * j->size);
    const int64_t begin = index * j->task,
                  end = begin + j->task < j->elements ? begin + j->task : j->elements;
    lossi_run run;
    for (int32_t k = 0; k < fused->input_count; k++) {
        inputs[k] = j->direct[k] ? j->inputs[k].data : arrays + k * array_bytes;
    }
    lossi_run_begin(&run, fused->program, j->isa, fused->real_index, j->elements, inputs,
                    mine + room_bytes(fused));
    for (int64_t i = begin; i < end; i += j->block) {
        const int64_t n = end - i < j->block ? end - i : j->block;
        for (int32_t k = 0; k < fused->input_count; k++) {
            const pattern *p = &j->patterns[k];
            if (j->direct[k]) {
                inputs[k] = j->inputs[k].data + (fused->scalar[k] ? 0 : i * j->size);
            } else if (i == begin || p->period == 0 || j->block % p->period != 0) {
                lay_out(p, j->inputs[k].data, j->size, i, n, arrays + k * array_bytes);
            }
        }
        for (int32_t k = 0; k < fused->output_count; k++) {
            outputs[k] = j->outputs[k].data + i * j->size;
        }
        lossi_run_block(&run, n, inputs, outputs);
    }
}

/* The longest block up to a length that is a multiple of the largest period that fits in it. */
static int64_t fitting_block(int64_t block, const pattern *patterns, int32_t count)
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

void lossi_fused_run(const lossi_fused *fused, loss_context *context, const lossi_value *inputs,
                     const lossi_value *outputs, void *scratch)
{
    pattern *patterns = scratch;
    uint8_t *direct = (uint8_t *)scratch + padded((int64_t)sizeof *patterns * fused->input_count);
    job j = {.fused = fused, .inputs = inputs, .outputs = outputs, .patterns = patterns, .direct = direct};
    j.isa = lossi_context_isa(context);
    j.size = fused->real_index == LOSSI_FLOAT64 ? 8 : 4;
    j.elements = lossi_value_elements(&outputs[0]);
    for (int32_t k = 0; k < fused->input_count; k++) {
        direct[k] = fused->scalar[k] || lossi_value_elements(&inputs[k]) == j.elements;
        patterns[k] = direct[k] ? (pattern){0} : pattern_of(&inputs[k].shape, &outputs[0].shape);
    }
    j.block = fitting_block(lossi_program_block(fused->program, fused->real_index), patterns,
                            fused->input_count);
    const int64_t blocks = (j.elements + j.block - 1) / j.block;
    j.task = blocks < SERIAL_BLOCKS ? j.elements : BLOCKS_PER_TASK * j.block;
    j.per_worker = room_bytes(fused) + padded(lossi_program_scratch(fused->program));
    j.scratch = (char *)scratch + shared_bytes(fused);
    if (j.elements > 0) {
        const int64_t tasks = (j.elements + j.task - 1) / j.task;
        if (tasks == 1) {
            run_task(&j, 0, 0);
        } else {
            lossi_parallel(context, tasks, run_task, &j);
        }
    }
}
