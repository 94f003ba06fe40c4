/*
 * The three kernels of a pointwise loss, made from its formula: included once, after
 *     #define LOSSI_FORMULA huber
 * It is a header and not a macro so that a debugger can step through it.
 */
static void value(const lossi_tile *tile)
{
    lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_VALUE);
}

static void gradient(const lossi_tile *tile)
{
    lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_GRADIENT);
}

static void everything(const lossi_tile *tile)
{
    lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_EVERYTHING);
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {value, gradient, everything};
