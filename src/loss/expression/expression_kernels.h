/* The loops of a program (program.h), per instruction set. */
#ifndef LOSSI_LOSS_EXPRESSION_KERNELS_H
#define LOSSI_LOSS_EXPRESSION_KERNELS_H

#include <stdint.h>

/* The operations of the table, and those that stand for several of them, in as many roundings. */
enum {
#define LOSSI_SCALAR(name, operands, doc) LOSSI_KERNEL_##name,
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
    LOSSI_KERNEL_copy,
    LOSSI_KERNEL_multiply_add,        /* a b + c */
    LOSSI_KERNEL_multiply_subtract,   /* a b − c */
    LOSSI_KERNEL_subtract_multiply,   /* c − a b */
    LOSSI_KERNEL_multiply_multiply,   /* (a b) c */
    LOSSI_KERNEL_add_multiply,        /* (a + b) c */
    LOSSI_KERNEL_difference_multiply, /* (a − b) c */
    LOSSI_KERNEL_sign_multiply,       /* sign(a) b */
    LOSSI_KERNEL_divide_by,           /* a / b of a pack b, without variants */
    LOSSI_KERNEL_choose_less, /* a < b ? c : d, NaN where a or b is; and another choice (LOSSI_CHOICE_…) */
    LOSSI_KERNEL_choose_less_equal, /* a <= b ? … */
    LOSSI_KERNEL_choose_equal,      /* a = b ? … */
    LOSSI_KERNEL_choose_order, /* a < b ? c : a = b ? d : e, NaN …, and the extreme of a and b (LOSSI_CHOICE_…) */
    LOSSI_KERNEL_softplus_sigmoid,   /* y = softplus(a), z = sigmoid(a) */
    LOSSI_KERNEL_log_cosh_tanh,      /* y = log_cosh(a), z = tanh(a) */
    LOSSI_KERNEL_pseudo_huber_slope, /* y = pseudo_huber(a), z = hypotenuse_slope(a) */
    LOSSI_KERNEL_COUNT
};

/* Which operands are a pack of equal numbers and not an array: bits 1, 2 and 4 for a, b and c. */
enum { LOSSI_KERNEL_VARIANTS = 7 };

/*
 * Of a choice, which has the variant 0: bit o says that operand o of a … f is a pack. y = a ? c : d, times a number with FACTOR, and with
 * TWO z = a ? e : f beside it. Of an order z is the maximum of a and b, or with MINIMUM that; with SCALED f a and g b stand for a and b, f
 * and g being packs, and with NEGATED_C and NEGATED_E −c and −e for c and e.
 */
enum {
    LOSSI_CHOICE_TWO = 64,
    LOSSI_CHOICE_FACTOR = 128,
    LOSSI_CHOICE_MINIMUM = 256,
    LOSSI_CHOICE_SCALED = 512,
    LOSSI_CHOICE_NEGATED_C = 1024,
    LOSSI_CHOICE_NEGATED_E = 2048
};

/* y, z, a … g and factor: slots. */
typedef struct lossi_instruction {
    int32_t kernel, variant, flags;
    int32_t y, z, a, b, c, d, e, f, g, factor;
} lossi_instruction;

/* Of n elements, a multiple of 16. y and z may be any of the operands. */
typedef void (*lossi_expression_kernel)(int64_t n, char *const *slots, const lossi_instruction *at);

typedef struct lossi_expression_kernels {
    /* Of one operand: variant 0, copy 1 too; of two: 0, 1, 2; of three: 0, 2, 4, 6. NULL the others. */
    lossi_expression_kernel run[LOSSI_KERNEL_COUNT][LOSSI_KERNEL_VARIANTS];
} lossi_expression_kernels;

/* Of an instruction set and element type (core/isa.h). */
const lossi_expression_kernels *lossi_expression_kernels_for(int32_t isa, int32_t real_index);

#endif
