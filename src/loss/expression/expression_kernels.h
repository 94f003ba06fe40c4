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
    LOSSI_KERNEL_pieces,             /* value and slope, made of pieces: lossi_pieces */
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

/*
 * A piece: a value and a slope that are short functions of an array x, each operation of them rounded as where it stands alone.
 *
 *     NUMBER       k                  s
 *     LINEAR       x m + k            s
 *     SIZE         (|x| + k) f        sign(x) s
 *     SQUARE       x x f              x
 *     PARABOLA     x x f              x s
 *     MARGIN       x m + k            q s         of another array q
 *     ARRAY        v                  q           of two other arrays
 *     WEIGHED      x x f              x q s       alone, as the others
 *     SOFTPLUS     softplus(x m) f    sigmoid(x m) s, or sigmoid(x m) q s with WITH_ARRAY
 *     LOG_COSH     log_cosh(x m) f    tanh(x m) s, ...
 *     PSEUDO_HUBER pseudo_huber(x m) f    hypotenuse_slope(x m) s, ...
 */
enum {
    LOSSI_PIECE_NUMBER,
    LOSSI_PIECE_LINEAR,
    LOSSI_PIECE_SIZE,
    LOSSI_PIECE_MARGIN,
    LOSSI_PIECE_ARRAY,
    LOSSI_PIECE_SQUARE,
    LOSSI_PIECE_PARABOLA,
    LOSSI_PIECE_WEIGHED,
    LOSSI_PIECE_SOFTPLUS,
    LOSSI_PIECE_LOG_COSH,
    LOSSI_PIECE_PSEUDO_HUBER,
    LOSSI_PIECE_FORMS,
    LOSSI_PIECE_OF_EXTREMES = LOSSI_PIECE_SQUARE /* so many are pieces of a maximum */
};

/* A number of a piece: a slot or none, where it changes nothing, and whether it is taken with the other sign. */
typedef struct lossi_fixed {
    int32_t is_there, is_negated, slot;
} lossi_fixed;

typedef struct lossi_piece {
    int32_t form, value, slope; /* slots of v and q */
    lossi_fixed m, k, f, s;
} lossi_piece;

/* x: an array a, or made of two, a and b. */
enum { LOSSI_BASE_ARRAY, LOSSI_BASE_DIFFERENCE, LOSSI_BASE_PRODUCT };

/*
 * Which piece counts: the first alone; the first where number < x, or as it says |x|, −x or −|x|, else the second; or the larger of
 * them, and where they tie that value with the slope `same`, which is a NUMBER's own. NaN where one of them is.
 */
enum { LOSSI_PIECES_ALONE, LOSSI_PIECES_ABOVE, LOSSI_PIECES_MAXIMUM };

enum {
    LOSSI_PIECES_OF_SIZE = 1,
    LOSSI_PIECES_NEGATED = 2,
    LOSSI_PIECES_SUM = 4,
    LOSSI_PIECES_WITH_ARRAY = 8
};

/* y is the slope, times the factor, and z the value; with SUM and where there are lanes, those get the value instead. */
typedef struct lossi_pieces {
    int32_t base, a, b; /* slots */
    int32_t kind, flags, lanes;
    lossi_piece first, second;
    lossi_fixed number, same, factor;
} lossi_pieces;

/* y, z, a … g and factor: slots. */
typedef struct lossi_instruction {
    int32_t kernel, variant, flags;
    int32_t y, z, a, b, c, d, e, f, g, factor;
    lossi_pieces *pieces; /* of that kernel */
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
