/*
 * The softmax of a row, a vector of columns at a time: p, 1 − p and log p, exact to their last digits (loss/rowwise.h). Of one row, or
 * of short rows abreast (loss/abreast.h), where each lane has its own.
 *
 * Of one row nothing is stored: every pass over it computes them again.
 */
#ifndef LOSSI_LOSS_SOFTMAX_H
#define LOSSI_LOSS_SOFTMAX_H

#include "loss/abreast.h"

/* A number and what rounding took away from it. */
typedef struct lossi_exact_vector {
    vreal head, missing;
} lossi_exact_vector;

/* The exponentials of rows abreast, column by column, and what they are missing: rows this short are not computed again. */
typedef struct lossi_kept {
    vreal e[LOSSI_ABREAST_MOST], missing[LOSSI_ABREAST_MOST];
} lossi_kept;

/*
 * What is the same for all columns of a row: p_j = exp(z_j − m)/(1 + s), the terms of loss/rowwise.h. Derivatives of losses that
 * are not convex subtract numbers of the size of p, so it is worth being right to nearly half a unit in the last place.
 */
typedef struct lossi_softmax {
    const real *logits;
    int64_t columns, largest;   /* largest: of one row alone */
    lossi_column_place place;   /* of the largest */
    vreal maximum;              /* m */
    lossi_exact_vector others;  /* s */
    lossi_exact_vector divisor; /* 1 + s */
    vreal inverse;              /* about 1/(1 + s) */
    vreal rest;                 /* s/(1 + s): 1 − p of the largest column */
    vreal log;                  /* log(1 + s) */
    const lossi_kept *kept;     /* of rows abreast alone */
} lossi_softmax;

/* (a + a_missing) · inverse, corrected by what is left of the division by the divisor. */
LOSSI_INLINE vreal lossi_softmax_divide(const lossi_softmax *softmax, vreal a, vreal a_missing)
{
    const vreal y = a * softmax->inverse;
    const vreal left = v_fnma(y, softmax->divisor.head, a) + v_fnma(y, softmax->divisor.missing, a_missing);
    return v_fma(left, softmax->inverse, y);
}

/* A vector of columns: 0, 1, −∞ beyond the row. */
typedef struct lossi_softmax_columns {
    vreal p, rest, log; /* p, 1 − p, which keeps its digits where p is nearly 1, and log p */
    vmask largest;
} lossi_softmax_columns;

/*
 * p as exp(z_j − m), 1 in the largest column, with what it is missing, and z_j − m as log p. What is 0, columns beyond the row first
 * of all, is not computed: an exponential that underflows takes processors a hundred times as long.
 */
LOSSI_INLINE vreal lossi_softmax_exponentials(const lossi_softmax *softmax, int64_t j,
                                              lossi_softmax_columns *at)
{
    const vreal zero = v_set1(0);
    const vreal z = lossi_load_columns(softmax->logits, j, softmax->columns, -REAL_INFINITY);
    vreal missing;
    at->largest = lossi_column_is(&softmax->place, j);
    at->log = v_select(at->largest, zero, z - softmax->maximum); /* ∞ − ∞ is 0 there */
    const vmask none = v_lt(at->log, v_set1(MATH_EXP_LOWEST));
    const vreal e = v_exp_parts(v_select(none, zero, at->log), &missing);
    at->p = v_select(none, zero, e);
    return v_select(none, zero, missing);
}

/*
 * Of at most 16 rows from `first` on. A row with a NaN in it, or without a limit, has s = NaN. Where told to keep the exponentials e_j
 * they are left in the place of the gradient, which may be that of the logits.
 */
#define lossi_softmax_begin LOSSI_NAME(softmax_begin)
void lossi_softmax_begin(const lossi_tile *tile, int64_t first, int64_t rows, int32_t keep,
                         lossi_softmax *softmax);

/* The same of rows abreast, whose exponentials are kept. */
#define lossi_softmax_begin_abreast LOSSI_NAME(softmax_begin_abreast)
void lossi_softmax_begin_abreast(const lossi_abreast_rows *logits, int64_t columns, lossi_kept *kept,
                                 lossi_softmax *softmax);

/* Inlined where that makes it fast; without an instruction for a fused multiply-add it is long instead. */
#if defined(LOSSI_ISA_BASE)
#define LOSSI_SHORT static __attribute__((noinline))
#else
#define LOSSI_SHORT LOSSI_INLINE
#endif

/* p, 1 − p and log p of the exponentials and what they are missing. */
LOSSI_INLINE void lossi_softmax_complete(const lossi_softmax *softmax, vreal missing,
                                         lossi_softmax_columns *at)
{
    at->p = lossi_softmax_divide(softmax, at->p, missing);
    at->rest = v_select(at->largest, softmax->rest, v_set1(1) - at->p);
    at->log = at->log - softmax->log;
}

LOSSI_INLINE void lossi_softmax_load_inline(const lossi_softmax *softmax, int64_t j,
                                            lossi_softmax_columns *at)
{
    const vreal missing = lossi_softmax_exponentials(softmax, j, at);
    lossi_softmax_complete(softmax, missing, at);
}

/* The same of rows abreast, of what was kept. */
LOSSI_INLINE void lossi_softmax_load_kept(const lossi_softmax *softmax, int64_t j, lossi_softmax_columns *at)
{
    const vreal apart = v_load(softmax->logits + j) - softmax->maximum;
    at->largest = lossi_column_is(&softmax->place, j);
    at->log = v_select(at->largest, v_set1(0), apart);
    at->p = softmax->kept->e[j / VREAL_LANES];
    lossi_softmax_complete(softmax, softmax->kept->missing[j / VREAL_LANES], at);
}

#if defined(LOSSI_ISA_BASE)
#define lossi_softmax_load LOSSI_NAME(softmax_load)
void lossi_softmax_load(const lossi_softmax *softmax, int64_t j, lossi_softmax_columns *at);
#else
#define lossi_softmax_load lossi_softmax_load_inline
#endif

#endif
