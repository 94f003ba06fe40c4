/*
 * The loop of a pointwise loss with a long formula, `packs`: included once, after LOSSI_FORMULA and what else pointwise_long_kernels.h
 * says of it. That makes the kernels of it; a loss of several formulas that has its own includes this alone.
 */
#ifndef LOSSI_DOMAINS
#define LOSSI_DOMAINS LOSSI_SOMEWHERE
#endif

#if VREAL_LANES * LOSSI_REAL == 128 && !defined(LOSSI_ALONE)
#define LOSSI_ALONE
#endif

#if defined(LOSSI_ALONE)

static void packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, NULL, LOSSI_DOMAINS, LOSSI_WANTED_ALONE);
}

#else

static __attribute__((noinline)) void once_more(const lossi_tile *tile, int64_t k, int count, real *values)
{
    lossi_vectors_again(tile, LOSSI_FORMULA, k, count, values);
}

static void packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, once_more, LOSSI_DOMAINS, LOSSI_WANTED);
}

#endif
