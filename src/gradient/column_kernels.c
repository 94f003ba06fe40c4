/*
 * Means and deviations of columns: loops over the columns of a row, for the compiler to make vectors of. No sum goes over
 * columns, so that it may do as it likes. The two-sum is Knuth's, TAOCP vol. 2, 4.2.2, theorem B.
 */
#include "gradient/column_kernels.h"

#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/real.h"

LOSSI_INLINE double value_at(const void *values, int64_t j)
{
    real value;
    memcpy(&value, (const char *)values + j * (int64_t)sizeof value, sizeof value);
    return (double)value;
}

static void range(int64_t columns, const void *x, double weight, double *restrict low, double *restrict high,
                  const lossi_column_sums *sums)
{
    double *restrict sum = sums->sum, *restrict lost = sums->lost;
    for (int64_t j = 0; j < columns; j++) {
        const double value = value_at(x, j);
        low[j] = value < low[j] ? value : low[j];
        high[j] = value > high[j] ? value : high[j];
        lossi_add_kept(&sum[j], &lost[j], weight * value);
    }
}

static void spread(int64_t columns, const void *x, double weight, const double *restrict means,
                   const double *restrict factors, const lossi_column_sums *sums)
{
    double *restrict sum = sums->sum, *restrict lost = sums->lost;
    for (int64_t j = 0; j < columns; j++) {
        const double distance = (value_at(x, j) - means[j]) * factors[j];
        lossi_add_kept(&sum[j], &lost[j], weight * (distance * distance));
    }
}

extern const lossi_column_kernels LOSSI_NAME(column_kernels);
const lossi_column_kernels LOSSI_NAME(column_kernels) = {range, spread};

#ifdef LOSSI_ONCE

extern const lossi_column_kernels LOSSI_ISA_DECLARE(column_kernels);
static const lossi_column_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    column_kernels);

const lossi_column_kernels *lossi_column_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
