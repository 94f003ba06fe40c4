/* Programs over arrays: scratch is laid out, uniforms are computed, then the instructions run over block after block. */
#include "loss/expression/program.h"

#include <string.h>

#include "core/isa.h"

enum {
    ALIGNMENT = 64,
    PACK_BYTES = LOSSI_PROGRAM_PACK * 8,
    BLOCK_BYTES = 4096, /* of an array: a call of a loop is then a few per cent of it */
    LEAST_BYTES = 512,
    MOST_BYTES = 32 * 1024, /* of one instruction, which does not come back to what it has read */
    LINE = 64,
    MOST_AHEAD = 8,          /* arrays that are asked for ahead */
    CACHE_BYTES = 28 * 1024, /* what all arrays of a block may take of the first-level cache */
    NEAR_BYTES = 512 *
                 1024 /* arrays that stay in a second-level cache: asking would take longer than it spares */
};

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int64_t block_bytes(const lossi_program *program)
{
    int64_t arrays = (int64_t)program->outputs + program->registers, bytes = BLOCK_BYTES;
    if (program->count - program->uniform_count == 1) {
        return MOST_BYTES;
    }
    for (int32_t k = 0; k < program->inputs; k++) {
        arrays += !program->scalar[k];
    }
    while (bytes > LEAST_BYTES && arrays * bytes > CACHE_BYTES) {
        bytes /= 2;
    }
    return bytes;
}

int64_t lossi_program_block(const lossi_program *program, int32_t real_index)
{
    return block_bytes(program) / (real_index == LOSSI_FLOAT64 ? 8 : 4);
}

/* The last is of lanes. */
static int64_t slot_count(const lossi_program *program)
{
    return (int64_t)program->inputs + program->outputs + program->registers + program->uniforms + 1;
}

int64_t lossi_program_scratch(const lossi_program *program)
{
    const int64_t bytes = block_bytes(program);
    return padded((slot_count(program) + program->inputs + program->outputs) * (int64_t)sizeof(char *)) +
           ((int64_t)program->registers + program->outputs) * bytes +
           ((int64_t)program->uniforms + program->inputs) * PACK_BYTES;
}

/* A pack of a number, in the element type, which is read from float or double. */
static void fill(const lossi_run *run, char *pack, const void *number)
{
    float single[LOSSI_PROGRAM_PACK];
    double wide[LOSSI_PROGRAM_PACK];
    if (run->size == 8) {
        memcpy(wide, number, sizeof *wide);
        for (int32_t i = 1; i < LOSSI_PROGRAM_PACK; i++) {
            wide[i] = wide[0];
        }
        memcpy(pack, wide, sizeof wide);
    } else {
        memcpy(single, number, sizeof *single);
        for (int32_t i = 1; i < LOSSI_PROGRAM_PACK; i++) {
            single[i] = single[0];
        }
        memcpy(pack, single, sizeof single);
    }
}

static void fill_constant(const lossi_run *run, char *pack, double value)
{
    const float single = (float)value;
    fill(run, pack, run->size == 8 ? (const void *)&value : (const void *)&single);
}

static void lay_out(lossi_run *run, void *scratch)
{
    const lossi_program *program = run->program;
    const int64_t bytes = block_bytes(program);
    const int64_t pointers = slot_count(program) + program->inputs + program->outputs;
    char *next = (char *)scratch + padded(pointers * (int64_t)sizeof(char *));
    run->slots = scratch;
    run->inputs = (const void **)(void *)(run->slots + slot_count(program));
    run->outputs = (void **)(void *)(run->inputs + program->inputs);
    char **slot = run->slots + program->inputs + program->outputs;
    for (int32_t i = 0; i < program->registers; i++, next += bytes) {
        *slot++ = next;
    }
    for (int32_t i = 0; i < program->uniforms; i++, next += PACK_BYTES) {
        *slot++ = next;
    }
    *slot = NULL;
    run->ends = next;
    run->places = next + (int64_t)program->inputs * PACK_BYTES;
}

static void execute(const lossi_run *run, int64_t n, const lossi_instruction *first, int32_t count)
{
    for (const lossi_instruction *at = first; at < first + count; at++) {
        run->kernels->run[at->kernel][at->variant](n, run->slots, at);
    }
}

/*
 * What the next block will read and write is asked for while this one runs, a share with every instruction: the prefetchers of
 * the hardware stop at every page, and a block is half of one. Behind the end of an array there is no harm in asking.
 */
typedef struct ahead {
    uintptr_t arrays[MOST_AHEAD];
    int32_t written[MOST_AHEAD];
    int32_t count, array;
    int64_t lines, line; /* of an array */
} ahead;

static void look_at(ahead *next, const void *array, int64_t bytes, int32_t written)
{
    if (next->count < MOST_AHEAD && array != NULL) {
        next->arrays[next->count] = (uintptr_t)array + (uintptr_t)bytes;
        next->written[next->count++] = written;
    }
}

static void ask(ahead *next, int64_t lines)
{
    while (lines > 0 && next->array < next->count) {
        const int64_t left = next->lines - next->line, part = lines < left ? lines : left;
        uintptr_t address = next->arrays[next->array] + (uintptr_t)(next->line * LINE);
        const uintptr_t end = address + (uintptr_t)(part * LINE);
        if (next->written[next->array]) {
            for (; address < end; address += LINE) {
                __builtin_prefetch((const void *)address, 1, 3);
            }
        } else {
            for (; address < end; address += LINE) {
                __builtin_prefetch((const void *)address, 0, 3);
            }
        }
        lines -= part;
        next->line = part < left ? next->line + part : 0;
        next->array += part == left;
    }
}

/* The instructions on a block, the next one of which is n elements behind. */
static void execute_asking(const lossi_run *run, int64_t n, const void *const *inputs, void *const *outputs)
{
    const lossi_program *program = run->program;
    const int32_t count = program->count - program->uniform_count;
    const lossi_instruction *first = program->instructions + program->uniform_count;
    ahead next; /* its arrays need no clearing */
    next.count = next.array = 0;
    next.line = 0;
    next.lines = n * run->size / LINE;
    for (int32_t k = 0; k < program->inputs; k++) {
        look_at(&next, program->scalar[k] ? NULL : inputs[k], n * run->size, 0);
    }
    for (int32_t k = 0; k < program->outputs; k++) {
        look_at(&next, outputs[k], n * run->size, 1);
    }
    const int64_t share = next.lines == 0 || count == 0 ? 0 : (next.count * next.lines + count - 1) / count;
    for (const lossi_instruction *at = first; at < first + count; at++) {
        ask(&next, share);
        run->kernels->run[at->kernel][at->variant](n, run->slots, at);
    }
}

/* Whether arrays of n elements are more than what caches near by hold. */
static int32_t far(const lossi_program *program, int64_t n, int64_t size)
{
    int64_t arrays = program->outputs;
    for (int32_t k = 0; k < program->inputs; k++) {
        arrays += !program->scalar[k];
    }
    return n > NEAR_BYTES / size / (arrays + 1);
}

void lossi_run_begin(lossi_run *run, const lossi_program *program, int32_t isa, int32_t real_index, int64_t n,
                     const void *const *inputs, void *scratch)
{
    run->program = program;
    run->kernels = lossi_expression_kernels_for(isa, real_index);
    run->size = real_index == LOSSI_FLOAT64 ? 8 : 4;
    run->asks = program->count - program->uniform_count > 1 && far(program, n, run->size);
    run->block = lossi_program_block(program, real_index) >> run->asks; /* asked for in smaller portions */
    run->lanes = NULL;
    lay_out(run, scratch);
    for (int32_t k = 0; k < program->inputs; k++) {
        if (program->scalar[k]) { /* its pack is where the last elements of other inputs go */
            run->slots[k] = run->ends + (int64_t)k * PACK_BYTES;
            fill(run, run->slots[k], inputs[k]);
        }
    }
    for (int32_t i = 0; i < program->constant_count; i++) {
        fill_constant(run, run->slots[program->constants[i].slot], program->constants[i].value);
    }
    execute(run, LOSSI_PROGRAM_PACK, program->instructions, program->uniform_count);
}

void *lossi_run_place(const lossi_run *run, int32_t output)
{
    return run->places + output * block_bytes(run->program);
}

/* Whether an output cannot be written to as it is made: where an input is that is read after that, or one that begins elsewhere. */
static int32_t in_the_way(const lossi_run *run, int64_t bytes, const void *const *inputs, int32_t which,
                          const char *output)
{
    const lossi_program *program = run->program;
    for (int32_t k = 0; k < program->inputs; k++) {
        const uintptr_t from = (uintptr_t)inputs[k], to = (uintptr_t)output;
        if (!program->scalar[k] && from < to + (uintptr_t)bytes && to < from + (uintptr_t)bytes &&
            (from != to || program->last_read[k] > program->written[which])) {
            return 1;
        }
    }
    return 0;
}

/* n elements, a multiple of a pack. */
static void run_packs(lossi_run *run, int64_t n, const void *const *inputs, void *const *outputs)
{
    const lossi_program *program = run->program;
    for (int32_t k = 0; k < program->inputs; k++) {
        if (!program->scalar[k]) {
            run->slots[k] = (char *)(uintptr_t)inputs[k]; /* only read */
        }
    }
    for (int32_t k = 0; k < program->outputs; k++) {
        char *output = outputs[k];
        const int32_t direct = output != NULL && !in_the_way(run, n * run->size, inputs, k, output);
        run->slots[program->inputs + k] = direct ? output : lossi_run_place(run, k);
    }
    if (run->asks) {
        execute_asking(run, n, inputs, outputs);
    } else {
        execute(run, n, program->instructions + program->uniform_count,
                program->count - program->uniform_count);
    }
    for (int32_t k = 0; k < program->outputs; k++) {
        const char *made = run->slots[program->inputs + k];
        if (outputs[k] != NULL && made != outputs[k]) {
            memcpy(outputs[k], made, (size_t)(n * run->size));
        }
    }
}

/* The last elements of arrays, fewer than a pack, as a pack: the others repeat the last one. */
static void run_end(lossi_run *run, int64_t offset, int64_t left, const void *const *inputs,
                    void *const *outputs)
{
    const lossi_program *program = run->program;
    const int64_t size = run->size;
    for (int32_t k = 0; k < program->inputs; k++) {
        if (!program->scalar[k]) {
            const char *from = (const char *)inputs[k] + offset * size;
            run->slots[k] = run->ends + (int64_t)k * PACK_BYTES;
            for (int64_t i = 0; i < LOSSI_PROGRAM_PACK; i++) {
                memcpy(run->slots[k] + i * size, from + (i < left ? i : left - 1) * size, (size_t)size);
            }
        }
    }
    for (int32_t k = 0; k < program->outputs; k++) {
        run->slots[program->inputs + k] = (char *)lossi_run_place(run, k) + offset * size;
    }
    execute(run, LOSSI_PROGRAM_PACK, program->instructions + program->uniform_count,
            program->count - program->uniform_count);
    for (int32_t k = 0; k < program->outputs; k++) {
        if (outputs[k] != NULL) {
            memcpy((char *)outputs[k] + offset * size, run->slots[program->inputs + k],
                   (size_t)(left * size));
        }
    }
}

int64_t lossi_run_block(lossi_run *run, int64_t n, const void *const *inputs, void *const *outputs)
{
    const int64_t left = n % LOSSI_PROGRAM_PACK, whole = n - left;
    const int32_t sums = run->program->sums && run->lanes != NULL && outputs[0] == NULL;
    char **const lanes = &run->slots[slot_count(run->program) - 1];
    if (whole > 0) {
        *lanes = sums ? (char *)run->lanes : NULL;
        run_packs(run, whole, inputs, outputs);
        *lanes = NULL;
    }
    if (left > 0) {
        run_end(run, whole, left, inputs, outputs);
    }
    return sums ? whole : 0;
}

void lossi_program_run(const lossi_program *program, int32_t isa, int32_t real_index, int64_t n,
                       const void *const *inputs, void *const *outputs, void *scratch)
{
    lossi_run run;
    lossi_run_begin(&run, program, isa, real_index, n, inputs, scratch);
    for (int64_t first = 0; first < n; first += run.block) {
        for (int32_t k = 0; k < program->inputs; k++) {
            run.inputs[k] = program->scalar[k] ? inputs[k] : (const char *)inputs[k] + first * run.size;
        }
        for (int32_t k = 0; k < program->outputs; k++) {
            run.outputs[k] = outputs[k] == NULL ? NULL : (char *)outputs[k] + first * run.size;
        }
        lossi_run_block(&run, n - first < run.block ? n - first : run.block, run.inputs, run.outputs);
    }
}
