/*
 * Random numbers: counter-based Philox 4×32-10 (Salmon, Moraes, Dror & Shaw 2011), one generator for shuffles, splits and
 * initial values.
 *
 * The sequence is part of the contract (docs/numerics.md) and the same everywhere. Word number 4·i + j of a stream is
 * output j of Philox with key (seed low, seed high) and counter (i low, i high, stream low, stream high). There is no
 * state: any word can be computed alone. Any thread.
 */
#ifndef LOSS_RANDOM_H
#define LOSS_RANDOM_H

#include <stdint.h>

#include "loss/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Words start … start + count − 1 of the stream.
 *   out  not NULL when count > 0, count elements     start, count ≥ 0
 * Returns LOSS_OK or LOSS_ERROR_ARGUMENT. Since 0.1.
 */
LOSS_API loss_status loss_random_words(uint64_t seed, uint64_t stream, int64_t start, int64_t count,
                                       uint32_t *out);

/*
 * Uniform numbers in [0, 1): number i is the top 53 bits of words 2i (high) and 2i + 1 (low), times 2^−53.
 * Arguments and result as above. Since 0.1.
 */
LOSS_API loss_status loss_random_uniform(uint64_t seed, uint64_t stream, int64_t start, int64_t count,
                                         double *out);

/*
 * A permutation of 0 … count − 1 by Fisher & Yates from the top, position i (count − 1 … 1) swapped with
 * ⌊u·(i + 1)⌋, u the uniform number count − 1 − i of the stream. Arguments and result as above. Since 0.1.
 */
LOSS_API loss_status loss_random_permutation(uint64_t seed, uint64_t stream, int64_t count, int64_t *out);

#ifdef __cplusplus
}
#endif

#endif
