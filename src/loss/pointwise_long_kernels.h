/*
 * The kernel of a pointwise loss, made from a long formula: included once, after
 *     #define LOSSI_FORMULA logistic
 * Neither the code nor the loop is shorter for a call that wants less (loss/pointwise.h).
 */
static void packs(const lossi_tile *tile)
{
    lossi_pointwise_packs(tile, LOSSI_FORMULA, LOSSI_WANTED);
}

static void wanted(const lossi_tile *tile)
{
    LOSSI_NAME(pointwise)(tile, packs);
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {wanted, wanted, wanted, NULL};
