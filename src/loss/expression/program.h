/*
 * Programs: nodes of an expression made into a list of loops over blocks of elements.
 *
 * An instruction is one operation on all elements of a block, read from and written to arrays, the caller's or registers of the
 * program; a block is so short that they stay in the first-level cache (vectorised interpretation: Boncz, Zukowski & Nes,
 * MonetDB/X100, 2005). What depends on constants and scalars alone is computed once per run. The results do not depend on the
 * instruction set, on n, or on which other nodes are in the program.
 */
#ifndef LOSSI_LOSS_PROGRAM_H
#define LOSSI_LOSS_PROGRAM_H

#include <stdint.h>

#include "loss/expression/expression.h"
#include "loss/expression/expression_kernels.h"

/* The elements of a block are a multiple of this many, but at the end of the data. */
enum { LOSSI_PROGRAM_PACK = 16 };

typedef struct lossi_program lossi_program;

/*
 * Makes a program that computes nodes[0 … outputs − 1] of `inputs` inputs; scalar[k] ≠ 0 says that input k is one number, the same
 * for all elements, scalar NULL that none is. 0, or LOSSI_EXPRESSION_MEMORY, or the first negative node. *out is NULL then. The
 * program keeps nothing of the expression, and may be run by any number of threads at a time.
 */
int32_t lossi_program_compile(lossi_program **out, const lossi_expression *expression, const int32_t *nodes,
                              int32_t outputs, int32_t inputs, const uint8_t *scalar);
void lossi_program_free(lossi_program *program);

/* How many instructions run over every block, of how many registers. */
int32_t lossi_program_length(const lossi_program *program);
int32_t lossi_program_registers(const lossi_program *program);

/* Elements of a block, a multiple of LOSSI_PROGRAM_PACK; real_index is core/isa.h's. */
int64_t lossi_program_block(const lossi_program *program, int32_t real_index);

/* Bytes of scratch that a run needs, aligned to 64, of its own. */
int64_t lossi_program_scratch(const lossi_program *program);

/*
 * Runs over n ≥ 0 elements. inputs[k] is an array of n elements, or of one where it is a scalar; outputs[k] are arrays of n
 * elements, or NULL, that may be an input, but not overlap one otherwise. isa and real_index are those of core/isa.h. No alignment is
 * needed, nothing is allocated.
 */
void lossi_program_run(const lossi_program *program, int32_t isa, int32_t real_index, int64_t n,
                       const void *const *inputs, void *const *outputs, void *scratch);

/* The same block by block, for who wants to look at them: begin, then any number of blocks of at most the block's elements. */
typedef struct lossi_run {
    const lossi_program *program;
    const lossi_expression_kernels *kernels;
    int64_t size, block; /* of an element, in bytes; of a block, in elements */
    int32_t asks;        /* ahead for what the next block works on */
    char **slots;
    const void **inputs; /* room for pointers of a block */
    void **outputs;
    double
        *lanes; /* NULL, or 16 that output 0 is to be added to (core/sum.h) where there is no place for it */
    char *ends, *places; /* scratch: of inputs for the last elements; of outputs that cannot be written to */
} lossi_run;

/* n: the elements of all blocks, about; inputs: of the scalars only, the others are not looked at. */
void lossi_run_begin(lossi_run *run, const lossi_program *program, int32_t isa, int32_t real_index, int64_t n,
                     const void *const *inputs, void *scratch);

/*
 * outputs[k] NULL: output k is in lossi_run_place() until the next block. How many of the first elements of output 0 were added to
 * lanes and are in no place.
 */
int64_t lossi_run_block(lossi_run *run, int64_t n, const void *const *inputs, void *const *outputs);

void *lossi_run_place(const lossi_run *run, int32_t output);

/* ---- between compiler and runner ---- */

/* What a slot is filled with at the beginning of a run. */
typedef struct lossi_program_constant {
    int32_t slot;
    double value;
} lossi_program_constant;

/*
 * Slots are places of arrays: inputs, outputs, registers, then uniforms: a pack of equal numbers each. Instructions on uniforms
 * come first.
 */
struct lossi_program {
    loss_context *context;
    int32_t inputs, outputs, registers, uniforms;
    int32_t uniform_count, count; /* instructions */
    lossi_instruction *instructions;
    int32_t piece_count;
    lossi_pieces *pieces; /* of instructions of pieces */
    int32_t sums;         /* whether output 0 is made by an instruction that may add it to lanes instead */
    int32_t constant_count;
    lossi_program_constant *constants;
    uint8_t *scalar;    /* of each input */
    int32_t *last_read; /* of each input, the instruction; −1 where there is none */
    int32_t *written;   /* of each output */
};

#endif
