/* What the compiler of programs (program.c) knows of every node, between its files. */
#ifndef LOSSI_LOSS_PROGRAM_PLAN_H
#define LOSSI_LOSS_PROGRAM_PLAN_H

#include "loss/expression/program.h"

/* What a node is to the program. Nodes behind the last are copies of uniforms, one for each node. */
typedef struct plan {
    const lossi_expression *expression;
    const int32_t *nodes;
    int32_t outputs, inputs;
    const uint8_t *scalar;
    int32_t count; /* of nodes, 0 the first */
    int32_t *uses; /* by nodes that are needed, and outputs */
    int32_t *uniform, *absorbed, *done;
    int32_t *output; /* 1 + the output that a node is, or 0 */
    int32_t *partner;
    int32_t *choice;         /* of the node that makes one (choices.c): the comparison */
    int32_t *chosen[2];      /* of a comparison: its selects, 0 none; */
    int32_t *times;          /* of a select: the product with a number that is made with it, or 0 */
    int32_t *extreme;        /* of the node that makes one with what is chosen by it: a maximum or minimum */
    int32_t *pieces;         /* of the node that makes value and slope of pieces: 1 + which; */
    int32_t *first, *second; /* its y and z */
    int32_t *base_uses;      /* by pieces that are functions of it */
    int32_t *place, *last_use; /* of nodes and copies */
    int32_t *free_registers, free_count, registers, uniforms;
    lossi_program *made;
} plan;

static inline const lossi_node *node_of(const plan *p, int32_t node)
{
    return lossi_expression_node(p->expression, node);
}

static inline int32_t operand(const lossi_node *at, int32_t i)
{
    return i == 0 ? at->a : i == 1 ? at->b : at->c;
}

/* Nodes: results that are further apart are not made together, so that time stays linear. */
enum { LOSSI_MOST_APART = 64 };

/* Whether a node behind the first, up to the last, reads the first. */
int32_t lossi_program_is_read_between(const plan *p, int32_t first, int32_t last);

/* The next instruction, which writes node y. */
lossi_instruction *lossi_program_emit(plan *p, int32_t kernel, int32_t y);

/*
 * Two results that may be made of pieces: the slope y and the value z, the values and slopes of both pieces, what is compared with a
 * number (lossi_pieces), and the nodes that they stand for.
 */
typedef struct lossi_results {
    int32_t kind, flags, y, z;
    int32_t first[2], second[2]; /* nodes: value, slope */
    int32_t compared;
    lossi_fixed number, same, factor;
    int32_t nodes[8], count;
} lossi_results;

enum { LOSSI_PIECE_OPERANDS = 17 };

/* Makes two results of pieces, where they are that; 0 where not. After all of them, their arrays x. */
int32_t lossi_program_settle_pieces(plan *p, const lossi_results *results);
void lossi_program_make_bases(plan *p);

/* The instruction of one; and what it reads, slots or nodes, at most LOSSI_PIECE_OPERANDS: how many. */
void lossi_program_emit_pieces(plan *p, int32_t node);
int32_t lossi_program_list_pieces(lossi_pieces *made, int32_t **operands);

/* Finds results that are made of pieces. */
void lossi_program_find_pieces(plan *p);

/* Finds comparisons that are made with what is chosen by them; and the instruction of one. */
void lossi_program_find_choices(plan *p);
void lossi_program_emit_choice(plan *p, int32_t node);

#endif
