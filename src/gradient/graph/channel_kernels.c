/* The kernels of channel_kernels.h, once per instruction set and element type. Loops over channels are the compiler's to vectorise. */
#include "gradient/graph/channel_kernels.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "simd/real.h"

/* Arrays need no alignment. */
LOSSI_INLINE double get(const real *p)
{
    real x;
    memcpy(&x, p, sizeof x);
    return x;
}

LOSSI_INLINE double square_at(const real *x, double mean)
{
    const double d = get(x) - mean;
    return d * d;
}

LOSSI_INLINE double product_at(const real *a, const real *x, const real *mean)
{
    return get(a) * (get(x) - get(mean));
}

/* term(r) is that of row i + r and channel c. */
#define SUM_ROWS(term)                                                                                       \
    int64_t i = 0;                                                                                           \
    for (; i + 4 <= rows; i += 4) {                                                                          \
        for (int64_t c = 0; c < channels; c++) {                                                             \
            sum[c] += (term(0) + term(1)) + (term(2) + term(3));                                             \
        }                                                                                                    \
    }                                                                                                        \
    for (; i < rows; i++) {                                                                                  \
        for (int64_t c = 0; c < channels; c++) {                                                             \
            sum[c] += term(0);                                                                               \
        }                                                                                                    \
    }

static void add_up(const void *from, int64_t rows, int64_t channels, double *restrict sum)
{
    const real *x = from;
#define TERM(r) get(x + (i + (r)) * channels + c)
    SUM_ROWS(TERM)
#undef TERM
}

static void squares(const void *from, int64_t rows, int64_t channels, const double *mean,
                    double *restrict sum)
{
    const real *x = from;
#define TERM(r) square_at(x + (i + (r)) * channels + c, mean[c])
    SUM_ROWS(TERM)
#undef TERM
}

static void products(const void *with, const void *from, int64_t rows, int64_t channels, const void *means,
                     double *restrict sum)
{
    const real *a = with, *x = from, *mean = means;
#define TERM(r) product_at(a + (i + (r)) * channels + c, x + (i + (r)) * channels + c, mean + c)
    SUM_ROWS(TERM)
#undef TERM
}

static void apply(const void *from, int64_t rows, int64_t channels, const void *means, const void *factors,
                  const void *shifts, void *to)
{
    const real *mean = means, *factor = factors, *shift = shifts;
    for (int64_t i = 0; i < rows; i++) {
        const real *x = (const real *)from + i * channels;
        real *y = (real *)to + i * channels;
        int64_t c = 0;
        for (; c + VREAL_LANES <= channels; c += VREAL_LANES) {
            v_store(y + c, (v_load(x + c) - v_load(mean + c)) * v_load(factor + c) + v_load(shift + c));
        }
        if (c < channels) {
            const int n = (int)(channels - c);
            v_store_part(y + c,
                         (v_load_part(x + c, n) - v_load_part(mean + c, n)) * v_load_part(factor + c, n) +
                             v_load_part(shift + c, n),
                         n);
        }
    }
}

extern const lossi_channel_kernels LOSSI_NAME(channel_kernels);
const lossi_channel_kernels LOSSI_NAME(channel_kernels) = {add_up, squares, products, apply};

#ifdef LOSSI_ONCE

extern const lossi_channel_kernels LOSSI_ISA_DECLARE(channel_kernels);
static const lossi_channel_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    channel_kernels);

const lossi_channel_kernels *lossi_channel_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
