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
 *
 * LOSSI_SHORT is a shorter formula of values and gradients alone, which may leave lanes to the long one (lossi_leave()); those lanes
 * and all curvatures are done again, by both, and then cost more. LOSSI_IS_SHORT, where it may be said, is such a function too.
 */
#ifdef LOSSI_SHORT

#ifndef LOSSI_DOMAINS
#define LOSSI_DOMAINS LOSSI_SOMEWHERE
#endif

/* Once in the code: a call for each vector is little beside it. */
static __attribute__((noinline)) void long_formula(vreal prediction, vreal target,
                                                   const lossi_parameter *parameters, lossi_point *out)
{
    LOSSI_FORMULA(prediction, target, parameters, out);
}

static __attribute__((noinline)) void once_more(const lossi_tile *tile, int64_t k, int count, real *values)
{
    lossi_short_vectors_again(tile, LOSSI_SHORT, long_formula, k, count, values);
}

static void short_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_SHORT, once_more, LOSSI_DOMAINS, LOSSI_WANTED_SHORT);
}

#ifdef LOSSI_IS_SHORT

static void packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, long_formula, NULL, LOSSI_DOMAINS, LOSSI_WANTED_ALONE);
}

#endif

#else
#include "loss/pointwise_long_packs.h"
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

#elif defined(LOSSI_IS_SHORT)

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, LOSSI_IS_SHORT(tile->prepared) ? short_packs : packs);
}

#elif defined(LOSSI_SHORT)

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, short_packs);
}

#else

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, packs);
}

#endif

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {wanted, wanted, wanted, NULL};
