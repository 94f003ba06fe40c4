/*
 * The three kernels of a pointwise loss, made from its formula: included once, after
 *     #define LOSSI_FORMULA huber
 * It is a header and not a macro so that a debugger can step through it.
 */
static void value(const lossi_tile *tile)
{
    if (tile->value != NULL) {
        lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_VALUE);
    } else {
        lossi_pointwise_sum(tile, LOSSI_FORMULA, LOSSI_VALUE, 0);
    }
}

static void gradient(const lossi_tile *tile)
{
    if (tile->value != NULL) {
        lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_GRADIENT);
    } else if (tile->streaming) {
        lossi_pointwise_sum(tile, LOSSI_FORMULA, LOSSI_GRADIENT, 1);
    } else {
        lossi_pointwise_sum(tile, LOSSI_FORMULA, LOSSI_GRADIENT, 0);
    }
}

static void everything(const lossi_tile *tile)
{
    lossi_pointwise(tile, LOSSI_FORMULA, LOSSI_EVERYTHING);
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {value, gradient, everything};
