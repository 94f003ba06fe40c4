/*
 * The kernel of a pointwise loss, made from a long formula: included once, after
 *     #define LOSSI_FORMULA logistic
 * and where it may be said, LOSSI_DOMAINS. Neither the code nor the loop is shorter for a call that wants less (loss/pointwise.h).
 *
 * LOSSI_ALONE is for a formula so long that it stands in the code once, one vector at a time: overlapping gains it little. So it is
 * with vectors of 16 bytes.
 *
 * A loss may have a shorter formula for some of its parameters: LOSSI_SPECIAL, and LOSSI_IS_SPECIAL, a function of the prepared loss
 * that says whether it has those.
 */
#ifndef LOSSI_DOMAINS
#define LOSSI_DOMAINS LOSSI_SOMEWHERE
#endif

#if VREAL_LANES * LOSSI_REAL == 128 && !defined(LOSSI_ALONE)
#define LOSSI_ALONE
#endif

#ifdef LOSSI_ALONE

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

#ifdef LOSSI_SPECIAL

#if VREAL_LANES * LOSSI_REAL == 128

static void special_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_SPECIAL, NULL, LOSSI_DOMAINS, LOSSI_WANTED_ALONE);
}

#else

static __attribute__((noinline)) void special_once_more(const lossi_tile *tile, int64_t k, int count,
                                                        real *values)
{
    lossi_vectors_again(tile, LOSSI_SPECIAL, k, count, values);
}

static void special_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_SPECIAL, special_once_more, LOSSI_DOMAINS, LOSSI_WANTED);
}

#endif

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, LOSSI_IS_SPECIAL(tile->prepared) ? special_packs : packs);
}

#else

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, packs);
}

#endif

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {wanted, wanted, wanted, NULL};
