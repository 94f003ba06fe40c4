/* The vector vocabulary and the elementary functions as calls on arrays, one table per instruction set and type.
 *
 * Arrays are of the type of the table; the last, partial vector goes through load_part and store_part. */
#ifndef LOSS_TEST_MATH_KERNELS_H
#define LOSS_TEST_MATH_KERNELS_H

#include <stdint.h>

enum {
    MATH_EXP,
    MATH_EXPM1,
    MATH_LOG,
    MATH_LOG1P,
    MATH_LOG1P_UNIT,
    MATH_LOG_HALF,
    MATH_LOG_COMPLEMENT,
    MATH_RECIPROCAL,
    MATH_INVERSE_ROOT,
    MATH_TANH,
    MATH_SIGMOID,
    MATH_SOFTPLUS,
    MATH_X_MINUS_LOG1P,
    MATH_X_MINUS_LOG1P_OF,
    MATH_LOG1MEXP,
    MATH_ATAN,
    MATH_SIN,
    MATH_COS,
    MATH_TAN,
    MATH_ERF,
    MATH_ERF_SLOPE,
    MATH_LOG_GAMMA,
    MATH_NORMAL_CDF,
    MATH_NORMAL_HAZARD,
    MATH_LOG_NORMAL_SURVIVAL,
    MATH_NORMAL_HAZARD_SLOPE,
    MATH_ERFC,
    MATH_FUNCTIONS, /* above: the elementary functions */
    MATH_ABS = MATH_FUNCTIONS,
    MATH_NEGATE,
    MATH_SQRT,
    MATH_ROUND,
    MATH_IS_NAN,      /* 1 or 0 */
    MATH_THROUGH_INT, /* from_int(to_int(x)) */
    MATH_SHIFTED,     /* the bits, three to the left and five to the right */
    MATH_POW2,
    MATH_SPLIT_SIGNIFICAND,
    MATH_SPLIT_EXPONENT,
    MATH_SPLIT_NORMAL_SIGNIFICAND,
    MATH_SPLIT_NORMAL_EXPONENT,
    MATH_UNARY
};

enum {
    MATH_POW,
    MATH_POWM1,
    MATH_POW1P,
    MATH_POW1PM1,
    MATH_BINARY_FUNCTIONS, /* above: the elementary functions of two arguments */
    MATH_ADD = MATH_BINARY_FUNCTIONS,
    MATH_SUBTRACT,
    MATH_MULTIPLY,
    MATH_DIVIDE,
    MATH_MIN,
    MATH_MAX,
    MATH_COPYSIGN,
    MATH_LT, /* the comparisons give 1 or 0 */
    MATH_LE,
    MATH_GT,
    MATH_GE,
    MATH_EQ,
    MATH_NE,
    MATH_NOT_BELOW,    /* mask_not(a < b) */
    MATH_BOTH_NONZERO, /* mask_and */
    MATH_ANY_NONZERO,  /* mask_or */
    MATH_SCALE,
    MATH_BINARY
};

/* The functions of simd/math_single.h: of float32 in double. */
enum {
    SINGLE_EXP,
    SINGLE_EXPM1,
    SINGLE_EXP_NONPOSITIVE,
    SINGLE_EXPM1_NONPOSITIVE,
    SINGLE_TANH,
    SINGLE_LOG,
    SINGLE_LOG1P,
    SINGLE_LOG1P_UNIT,
    SINGLE_FUNCTIONS
};

enum { MATH_FMA, MATH_FNMA, MATH_SELECT /* a < 0 ? b : c */, MATH_TERNARY };

extern const char *const math_unary_names[MATH_UNARY];
extern const char *const math_binary_names[MATH_BINARY];
extern const char *const math_ternary_names[MATH_TERNARY];
extern const char *const math_single_names[SINGLE_FUNCTIONS];

typedef struct math_kernels {
    const char *isa;
    int bits;  /* 32 or 64 */
    int lanes; /* of one vector */
    void (*unary)(int operation, const void *x, void *y, int64_t n);
    void (*binary)(int operation, const void *a, const void *b, void *y, int64_t n);
    void (*ternary)(int operation, const void *a, const void *b, const void *c, void *y, int64_t n);
    /* one vector, or its first n lanes, 0 <= n <= lanes */
    void (*copy_part)(const void *from, void *to, int n);
    void (*copy_streaming)(const void *from, void *to);
    void (*summarize_mask)(const void *x, int *any, int *all); /* of x != 0 */
    /* one vector of float32 from or to float64; NULL in the tables of float64 */
    void (*widen)(const float *from, double *to);
    void (*narrow)(const double *from, float *to);
    void (*round_to_float)(const double *from, double *to); /* narrow and widen without memory between */
    void (*single)(int function, const float *x, double *y, int64_t n); /* n a multiple of 16 */
} math_kernels;

enum { MATH_ISAS_MAX = 4 };

/* Instruction sets this build has, the baseline first. */
int math_isa_count(void);
const char *math_isa_name(int isa);

/* NULL when this processor lacks the instruction set. */
const math_kernels *math_kernels_at(int isa, int bits);

#endif
