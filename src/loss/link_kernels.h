/* Links on arrays, per instruction set: what turns predictions into the means they stand for, and means into predictions. */
#ifndef LOSSI_LOSS_LINK_KERNELS_H
#define LOSSI_LOSS_LINK_KERNELS_H

#include <stdint.h>

struct lossi_prepared;

typedef struct lossi_link_kernels {
    /* 1/(1 + e⁻ˣ) and eˣ of count elements; y may be x. */
    void (*logistic)(int64_t count, const void *x, void *y);
    void (*exponential)(int64_t count, const void *x, void *y);
    /* And back: log x, and log(1 + x). */
    void (*logarithm)(int64_t count, const void *x, void *y);
    void (*logarithm_of_one_plus)(int64_t count, const void *x, void *y);
    /* Softmax of each of the dense rows, of logits as a function's options make them; y may be x. */
    void (*softmax)(const struct lossi_prepared *prepared, int64_t rows, int64_t columns, const void *x,
                    void *y);
} lossi_link_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_link_kernels *lossi_link_kernels_for(int32_t isa, int32_t real_index);

#endif
