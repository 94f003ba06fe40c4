/* What the prefetchers of this machine do without being asked. */
#ifndef LOSSI_CORE_PREFETCH_H
#define LOSSI_CORE_PREFETCH_H

#include <stdint.h>

/*
 * Whether they keep up with rows that are read in tiles, each forward once and from the caches once back. Those of AMD's Zen 5 do.
 * Zen 3 took 150 ns a row of 800 bytes alone, and 100 ns where a tile was asked for while the one before was multiplied; Zen 4,
 * which is of the same family, is taken to be like it.
 */
int32_t lossi_prefetches_rows(void);

#endif
