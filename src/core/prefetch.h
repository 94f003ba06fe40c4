/* What the prefetchers of this machine do without being asked, and what loops had better ask for. */
#ifndef LOSSI_CORE_PREFETCH_H
#define LOSSI_CORE_PREFETCH_H

#include <stdint.h>

/*
 * How many bytes ahead of itself a loop over arrays asks memory for them: `far`, as its file says, where prefetchers stop at the end
 * of every page, as Intel's do. AMD's (Zen 5: measured) are always ahead of such a loop, and what is asked for long before its turn
 * disturbs them: there it asks for the next few lines only. It costs or gains a fifth of the time, and never changes a bit.
 */
int64_t lossi_ask_ahead(int64_t far);

/*
 * Whether they keep up with rows that are read in tiles, each forward once and from the caches once back. Those of AMD's Zen 5 do.
 * Zen 3 took 150 ns a row of 800 bytes alone, and 100 ns where a tile was asked for while the one before was multiplied; Zen 4,
 * which is of the same family, is taken to be like it.
 */
int32_t lossi_prefetches_rows(void);

#endif
