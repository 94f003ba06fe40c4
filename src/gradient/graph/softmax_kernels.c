/*
 * The kernels of softmax_kernels.h, by what losses make of a softmax (loss/softmax.h): with m the largest of a row and
 * s = Σ exp(z_j − m) over the others,
 *
 *     p_j = exp(z_j − m) / (1 + s)     log p_j = (z_j − m) − log1p(s)     log Σ exp(z_j) = m + log1p(s)
 *
 * so that 1 is never added to what matters: log p of [20, 0] is −2.06e-9, −20. Rows of at most 32 columns go abreast where
 * multiply-adds are instructions, with the same bits.
 */
#include "gradient/graph/softmax_kernels.h"

#include "core/isa.h"
#include "loss/softmax.h"

/* A vector of columns of a row whose exponentials were kept in y. */
LOSSI_INLINE vreal kept_probability(const lossi_softmax *softmax, const real *y, int64_t j, int64_t columns)
{
    return lossi_softmax_divide(softmax, lossi_load_columns(y, j, columns, 0), v_set1(0));
}

LOSSI_INLINE vreal logarithm(const lossi_softmax *softmax, int64_t j)
{
    const vreal z = lossi_load_columns(softmax->logits, j, softmax->columns, 0);
    const vmask largest = lossi_column_is(&softmax->place, j);
    return v_select(largest, v_set1(0), z - softmax->maximum) - softmax->log;
}

/* `kind` is a constant after inlining. */
LOSSI_INLINE void write_row(const int kind, const lossi_softmax *softmax, int64_t row, int64_t columns,
                            int32_t keep, real *y)
{
    if (kind == LOSSI_LOG_SUM_EXP) {
        lossi_put(y + row, lossi_first_lane(softmax->maximum + softmax->log));
        return;
    }
    real *to = y + row * columns;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        lossi_softmax_columns at;
        if (kind == LOSSI_LOG_SOFTMAX) {
            at.log = logarithm(softmax, j);
        } else if (keep) {
            at.p = kept_probability(softmax, to, j, columns);
        } else {
            lossi_softmax_load(softmax, j, &at);
        }
        lossi_store_columns(to, j, columns, kind == LOSSI_SOFTMAX ? at.p : at.log);
    }
}

/* The rows from `first` on, as many as a vector has lanes. */
LOSSI_INLINE void write_abreast(const int kind, int64_t rows, int64_t columns, const real *x, real *y)
{
    lossi_abreast_rows logits, out;
    lossi_kept kept;
    lossi_softmax softmax;
    lossi_softmax_columns at;
    lossi_abreast_load(x, columns, columns, rows, &logits);
    lossi_softmax_begin_abreast(&logits, columns, &kept, &softmax);
    if (kind == LOSSI_LOG_SUM_EXP) {
        const vreal sum = softmax.maximum + softmax.log;
        if (rows >= VREAL_LANES) {
            v_store(y, sum);
        } else {
            v_store_part(y, sum, (int)rows);
        }
        return;
    }
    for (int64_t j = 0; j < columns; j++) {
        lossi_softmax_load_kept(&softmax, j * VREAL_LANES, &at);
        out.column[j] = kind == LOSSI_SOFTMAX ? at.p : at.log;
    }
    lossi_abreast_store(&out, columns, rows, y, columns);
}

LOSSI_INLINE void write_rows(const int kind, int64_t rows, int64_t columns, const real *x, real *y)
{
    const int32_t is_short = columns <= LOSSI_ABREAST_MOST;
    const lossi_tile tile = {.rows = rows,
                             .columns = columns,
                             .prediction = x,
                             .prediction_stride = columns,
                             .gradient = y,
                             .gradient_stride = columns};
    if (LOSSI_HAS_ABREAST && is_short && columns >= LOSSI_ABREAST_LEAST) {
        const int64_t out = kind == LOSSI_LOG_SUM_EXP ? 1 : columns;
        for (int64_t i = 0; i < rows; i += VREAL_LANES) {
            write_abreast(kind, rows - i, columns, x + i * columns, y + i * out);
        }
        return;
    }
    for (int64_t i = 0; i < rows; i += LOSSI_LANES) {
        lossi_softmax softmax[LOSSI_LANES];
        const int64_t count = rows - i < LOSSI_LANES ? rows - i : LOSSI_LANES;
        const int32_t keep = kind == LOSSI_SOFTMAX && !is_short;
        lossi_softmax_begin(&tile, i, count, keep, softmax);
        for (int64_t k = 0; k < count; k++) {
            write_row(kind, &softmax[k], i + k, columns, keep, y);
        }
    }
}

static void softmax_rows(int64_t rows, int64_t columns, const void *x, void *y)
{
    write_rows(LOSSI_SOFTMAX, rows, columns, x, y);
}

static void log_softmax_rows(int64_t rows, int64_t columns, const void *x, void *y)
{
    write_rows(LOSSI_LOG_SOFTMAX, rows, columns, x, y);
}

static void log_sum_exp_rows(int64_t rows, int64_t columns, const void *x, void *y)
{
    write_rows(LOSSI_LOG_SUM_EXP, rows, columns, x, y);
}

extern const lossi_softmax_row_kernels LOSSI_NAME(softmax_row_kernels);
const lossi_softmax_row_kernels LOSSI_NAME(softmax_row_kernels) = {
    {softmax_rows, log_softmax_rows, log_sum_exp_rows}};

#ifdef LOSSI_ONCE

extern const lossi_softmax_row_kernels LOSSI_ISA_DECLARE(softmax_row_kernels);
static const lossi_softmax_row_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    softmax_row_kernels);

const lossi_softmax_row_kernels *lossi_softmax_row_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
