/*
 * Philox 4×32-10, a counter-based generator.
 *
 * Ten rounds of two 32 × 32 → 64 bit products turn a 128-bit counter into 128 random bits under a 64-bit key.
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011), §3.3; constants from
 * there.
 */
#include "core/random.h"

#include "loss/random.h"

#include <stddef.h>

enum { ROUNDS = 10 };

static const uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
static const uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85; /* golden ratio, √3 − 1 */

void lossi_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t key_0 = (uint32_t)seed, key_1 = (uint32_t)(seed >> 32);
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream,
                     (uint32_t)(stream >> 32)};
    for (int32_t round = 0; round < ROUNDS; round++) {
        uint64_t product_0 = (uint64_t)multiplier_0 * c[0], product_1 = (uint64_t)multiplier_1 * c[2];
        uint32_t next[4] = {(uint32_t)(product_1 >> 32) ^ c[1] ^ key_0, (uint32_t)product_1,
                            (uint32_t)(product_0 >> 32) ^ c[3] ^ key_1, (uint32_t)product_0};
        for (int32_t i = 0; i < 4; i++) {
            c[i] = next[i];
        }
        key_0 += weyl_0;
        key_1 += weyl_1;
    }
    for (int32_t i = 0; i < 4; i++) {
        out[i] = c[i];
    }
}

loss_status loss_random_words(uint64_t seed, uint64_t stream, int64_t start, int64_t count, uint32_t *out)
{
    uint32_t four[4];
    if (start < 0 || count < 0 || (out == NULL && count > 0)) {
        return LOSS_ERROR_ARGUMENT;
    }
    for (int64_t i = 0; i < count; i++) {
        uint64_t word = (uint64_t)start + (uint64_t)i;
        if (i == 0 || word % 4 == 0) {
            lossi_philox(seed, stream, word / 4, four);
        }
        out[i] = four[word % 4];
    }
    return LOSS_OK;
}

static double uniform_of(const uint32_t pair[2])
{
    uint64_t bits = (uint64_t)pair[0] << 32 | pair[1];
    return (double)(bits >> 11) * 0x1p-53;
}

static double uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t four[4];
    lossi_philox(seed, stream, index / 2, four);
    return uniform_of(&four[2 * (index % 2)]);
}

loss_status loss_random_uniform(uint64_t seed, uint64_t stream, int64_t start, int64_t count, double *out)
{
    if (start < 0 || count < 0 || (out == NULL && count > 0)) {
        return LOSS_ERROR_ARGUMENT;
    }
    for (int64_t i = 0; i < count; i++) {
        out[i] = uniform(seed, stream, (uint64_t)start + (uint64_t)i);
    }
    return LOSS_OK;
}

/*
 * The exchanges of a permutation, SWAPS at a time: all places are drawn and asked for before the first is touched, as in a long
 * permutation every one of them is somewhere else in memory.
 */
enum { SWAPS = 32 };

static void exchange(uint64_t seed, uint64_t stream, int64_t count, int64_t last, int64_t swaps, int64_t *out)
{
    int64_t places[SWAPS];
    uint32_t four[4];
    for (int64_t k = 0; k < swaps; k++) {
        /* u < 1 and i + 1 < 2^53, so the product rounds to at most i + 1: the last place is kept from
         * overflowing. */
        const int64_t i = last - k;
        const uint64_t index = (uint64_t)(count - 1 - i);
        if (k == 0 || index % 2 == 0) {
            lossi_philox(seed, stream, index / 2, four);
        }
        const double u = uniform_of(&four[2 * (index % 2)]);
        const int64_t j = (int64_t)(u * (double)(i + 1));
        places[k] = j > i ? i : j;
        __builtin_prefetch(out + places[k], 1);
    }
    for (int64_t k = 0; k < swaps; k++) {
        const int64_t moved = out[last - k];
        out[last - k] = out[places[k]];
        out[places[k]] = moved;
    }
}

loss_status loss_random_permutation(uint64_t seed, uint64_t stream, int64_t count, int64_t *out)
{
    if (count < 0 || (out == NULL && count > 0)) {
        return LOSS_ERROR_ARGUMENT;
    }
    for (int64_t i = 0; i < count; i++) {
        out[i] = i;
    }
    for (int64_t i = count - 1; i > 0; i -= SWAPS) {
        exchange(seed, stream, count, i, i < SWAPS ? i : SWAPS, out);
    }
    return LOSS_OK;
}
