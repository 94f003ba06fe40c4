/* Parameters and their derivatives between the element type and float64, whole vectors at a time. */
#ifndef LOSSI_GRADIENT_PARAMETER_KERNELS_H
#define LOSSI_GRADIENT_PARAMETER_KERNELS_H

#include <stdint.h>

typedef struct lossi_parameter_kernels {
    /* Copies, of any alignment; narrow() rounds. */
    void (*widen)(int64_t count, const void *from, double *to);
    void (*narrow)(int64_t count, const double *from, void *to);
    /* sum += weight from, the product rounded */
    void (*add)(int64_t count, double weight, const void *from, double *sum);
    /* to = from / denominator */
    void (*divide)(int64_t count, const double *from, double denominator, double *to);
} lossi_parameter_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_parameter_kernels *lossi_parameter_kernels_for(int32_t isa, int32_t real_index);

#endif
