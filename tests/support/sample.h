/* Repeatable arguments for functions of one variable: the same on every machine, for they are made of integers
 * and exactly rounded operations only. */
#ifndef LOSS_TEST_SAMPLE_H
#define LOSS_TEST_SAMPLE_H

#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood, 2014): the i-th number of a stream, without a state. */
uint64_t sample_bits(uint64_t seed, uint64_t i);

/* The i-th number for float32 or float64, by i mod 4: any bit pattern; [-2, 2); [-120, 120) or [-800, 800);
 * magnitudes from 2^-30 to 2^30. As a double, which holds every float32. */
double sample_number(uint64_t seed, uint64_t i, int bits);

/* The nearest thing to x in the domain of an operation of math_kernels.h; x itself for most. */
double sample_in_domain(int unary_operation, double x, int bits);

/* Reads and writes element i of an array of float32 or float64. */
double sample_get(const void *array, int64_t i, int bits);
void sample_set(void *array, int64_t i, int bits, double value);

/* The bits of element i, the same for all NaNs. */
uint64_t sample_canonical(const void *array, int64_t i, int bits);

#endif
