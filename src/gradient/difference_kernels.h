/* What differences of gradients do with whole vectors: sixteen elements at a time, in double. */
#ifndef LOSSI_GRADIENT_DIFFERENCE_KERNELS_H
#define LOSSI_GRADIENT_DIFFERENCE_KERNELS_H

#include <stdint.h>

/* A power of two as two factors: the one alone need not be a double, and both in turn are ldexp(), digit for digit. */
typedef struct lossi_power {
    double first, rest;
} lossi_power;

enum { LOSSI_MOVED = 1, LOSSI_FINITE = 2 };

/* Vectors of the element type, of any alignment. */
typedef struct lossi_difference_kernels {
    double (*largest)(int64_t count, const void *vector); /* magnitude; NaN when there is one */
    /* Σ (scale·vectorᵢ)² of the elements begin … end − 1, whole blocks but for the last, in the order of core/sum.h */
    double (*squares)(const void *vector, lossi_power scale, int64_t begin, int64_t end);
    /* to = from + t·(scale·direction): whether that is another point, and whether it is finite */
    int32_t (*move)(int64_t count, const void *from, const void *direction, lossi_power scale, double t,
                    void *to);
    int32_t (*finite)(int64_t count, const void *vector); /* whether all of it is */
    /* to = scale·((ahead − behind)/width) */
    void (*quotient)(int64_t count, const void *ahead, const void *behind, double width, lossi_power scale,
                     void *to);
} lossi_difference_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_difference_kernels *lossi_difference_kernels_for(int32_t isa, int32_t real_index);

#endif
