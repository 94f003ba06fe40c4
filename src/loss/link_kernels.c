/*
 * The links and their inverses on vectors.
 *
 *     logistic     1/(1 + e⁻ˣ)
 *     exponential  eˣ
 *     softmax      p_j = e_j / (1 + s),  e_j = exp(z_j − m),  s = Σ_{j ≠ a} e_j,  m = z_a the first largest
 *
 * Both sides of the logistic function are exact (simd/math.h). In the softmax all terms are positive, so nothing cancels, and
 * p_j is 0 only where it is no number any more. ±∞ is the limit: one +∞ has all the mass; two of them, or nothing but −∞ in
 * several columns, have no limit and are NaN. A NaN makes its row NaN.
 * Bridle, Training stochastic model recognition algorithms as networks (1990), eq. (4).
 */
#include "loss/link_kernels.h"

#include "core/isa.h"
#include "loss/adjusted_logits.h"

typedef vreal (*function)(vreal x);

LOSSI_INLINE vreal sigmoid_of(vreal x)
{
    return v_sigmoid(x);
}

LOSSI_INLINE vreal exp_of(vreal x)
{
    return v_exp(x);
}

LOSSI_INLINE vreal log_of(vreal x)
{
    return v_log(x);
}

LOSSI_INLINE vreal log1p_of(vreal x)
{
    return v_log1p(x);
}

LOSSI_INLINE void map(int64_t count, const real *x, real *y, function f)
{
    int64_t i = 0;
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        v_store(y + i, f(v_load(x + i)));
    }
    if (i < count) {
        const int left = (int)(count - i);
        v_store_part(y + i, f(v_load_part(x + i, left)), left);
    }
}

static void logistic(int64_t count, const void *x, void *y)
{
    map(count, x, y, sigmoid_of);
}

static void exponential(int64_t count, const void *x, void *y)
{
    map(count, x, y, exp_of);
}

static void logarithm(int64_t count, const void *x, void *y)
{
    map(count, x, y, log_of);
}

static void logarithm_of_one_plus(int64_t count, const void *x, void *y)
{
    map(count, x, y, log1p_of);
}

/* Every number of a row divided by the sum. */
static void divide(real *row, int64_t columns, real sum)
{
    const vreal divisor = v_set1(sum);
    int64_t j = 0;
    for (; j + VREAL_LANES <= columns; j += VREAL_LANES) {
        v_store(row + j, v_load(row + j) / divisor);
    }
    if (j < columns) {
        const int left = (int)(columns - j);
        v_store_part(row + j, v_load_part(row + j, left) / divisor, left);
    }
}

/* The same terms of logits with a cap or a temperature. */
static void softmax_of_adjusted(const lossi_prepared *prepared, int64_t columns, const real *x, real *y)
{
    lossi_adjustment by = lossi_adjustment_of(prepared);
    int64_t largest;
    const real maximum = lossi_row_maximum(x, columns, &largest), highest = lossi_get(x + largest);
    vreal pack[LOSSI_PACK], number[LOSSI_PACK];
    lossi_adjusted at;
    lossi_lane_sum others;
    lossi_adjusted_begin(&by, maximum);
    lossi_lane_sum_clear(&others);
    for (int64_t j = 0; j < columns; j += LOSSI_LANES) {
        lossi_load_pack(x, j, columns, 0, pack);
        lossi_column_numbers(j, number);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask is_largest = v_eq(number[v], v_set1((real)largest)),
                        there = v_lt(number[v], v_set1((real)columns));
            lossi_adjust(&by, pack[v], is_largest, &at);
            pack[v] = v_select(there, at.exponential, v_set1(0));
            lossi_lane_sum_add(&others, v, v_select(is_largest, v_set1(0), pack[v]));
        }
        lossi_store_pack(y, j, columns, pack);
    }
    divide(y, columns, highest != highest ? highest : (real)(1 + lossi_lane_sum_total(&others)));
}

static void softmax(const lossi_prepared *prepared, int64_t rows, int64_t columns, const void *x, void *y)
{
    const int32_t adjusted = prepared->temperature != 1 || prepared->soft_cap > 0;
    for (int64_t i = 0; i < rows; i++) {
        const real *from = (const real *)x + i * columns;
        real *to = (real *)y + i * columns;
        int64_t largest;
        if (adjusted) {
            softmax_of_adjusted(prepared, columns, from, to);
            continue;
        }
        const real maximum = lossi_row_maximum(from, columns, &largest);
        const double others = lossi_row_exponentials(from, columns, maximum, largest, to);
        divide(to, columns, (real)(1 + others));
    }
}

extern const lossi_link_kernels LOSSI_NAME(link_kernels);
const lossi_link_kernels LOSSI_NAME(link_kernels) = {logistic, exponential, logarithm, logarithm_of_one_plus,
                                                     softmax};

#ifdef LOSSI_ONCE

extern const lossi_link_kernels LOSSI_ISA_DECLARE(link_kernels);
static const lossi_link_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    link_kernels);

const lossi_link_kernels *lossi_link_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
