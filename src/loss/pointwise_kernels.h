/*
 * The three kernels of a pointwise loss, made from its formula: included once, after
 *     #define LOSSI_FORMULA huber
 * and where it may be said, LOSSI_DOMAINS (pointwise.h). It is a header and not a macro so that a debugger can step through it.
 */
#ifndef LOSSI_DOMAINS
#define LOSSI_DOMAINS LOSSI_SOMEWHERE
#endif

static void value_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, NULL, LOSSI_DOMAINS, LOSSI_VALUE);
}

static void gradient_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, NULL, LOSSI_DOMAINS, LOSSI_GRADIENT);
}

static void everything_packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, NULL, LOSSI_DOMAINS, LOSSI_EVERYTHING);
}

static void value(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, value_packs);
}

static void gradient(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, gradient_packs);
}

static void everything(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, everything_packs);
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {value, gradient, everything, NULL};
