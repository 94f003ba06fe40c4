/* The generator itself; what is made of it is in loss/random.h of the installed headers. */
#ifndef LOSSI_CORE_RANDOM_H
#define LOSSI_CORE_RANDOM_H

#include <stdint.h>

/* The four words of a counter (its low half) under a stream (its high half) and a seed (the key). */
void lossi_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

#endif
