/*
 * Dense symmetric matrices: products, Cholesky and LDLᵀ factors, solutions. Float64; the same bits for any number
 * of threads and on every instruction set.
 *
 * A matrix and its factor share n × n numbers, row after row: above the diagonal stands the matrix, below it the
 * factor. The two diagonals would collide, so that of the matrix is kept beside. A factorisation thus leaves the
 * matrix as it was, to be factored again with another shift.
 */
#ifndef LOSSI_OPTIMIZER_DENSE_H
#define LOSSI_OPTIMIZER_DENSE_H

#include <stdint.h>

#include "core/context.h"
#include "optimizer/dense_kernels.h"

/* Pointers into numbers that belong to somebody else: made for a call, never kept. */
typedef struct lossi_dense {
    loss_context *context; /* its threads */
    const lossi_dense_kernels *kernels;
    int64_t n;
    double *matrix;       /* n × n: also where a whole symmetric matrix is put before lossi_dense_take() */
    double *diagonal;     /* n: of the matrix */
    double *pivot, *side; /* n each: the diagonal of |D|⁻¹ and what stands beside it in its 2 × 2 blocks */
    double *work[2];      /* n each */
    double *panel;
    int64_t
        *order; /* n: row i of the factor is row order[i] of the matrix; NULL when there will be no LDLᵀ */
} lossi_dense;

/* Whether a matrix of dimension n can be counted at all: LOSS_OK or LOSS_ERROR_MEMORY with its sentence. */
loss_status lossi_dense_check(loss_context *context, int64_t n);

/* How many numbers lie behind it, and the matrix of dimension n there; the matrix itself is at the front. */
int64_t lossi_dense_numbers(int64_t n);
lossi_dense lossi_dense_at(loss_context *context, int64_t n, double *numbers, int64_t *order);

/* Takes the symmetric part of the whole n × n numbers. */
void lossi_dense_take(const lossi_dense *dense);

/* y = Ax, x and y apart. */
void lossi_dense_symv(const lossi_dense *dense, const double *x, double *y);

/*
 * LLᵀ = A + shift·I. Gives n, or the row where it ended because the pivot, left in *pivot, was not above
 * n·epsilon times the diagonal before: no larger than the rounding of a matrix known to that precision.
 */
int64_t lossi_dense_cholesky(const lossi_dense *dense, double shift, double epsilon, double *pivot);

/* x = L⁻¹x and x = L⁻ᵀx of the first `count` rows, in place. */
void lossi_dense_solve_lower(const lossi_dense *dense, int64_t count, double *x);
void lossi_dense_solve_upper(const lossi_dense *dense, int64_t count, double *x);

/* What the middle factor D of LDLᵀ says about the matrix: how many of its eigenvalues are negative, and the least one. */
typedef struct lossi_inertia {
    int64_t negative;
    double least;
    int64_t place; /* the first row of its block, and its eigenvector there */
    double vector[2];
} lossi_inertia;

/*
 * P A Pᵀ = LDLᵀ, D with blocks of 1 × 1 and 2 × 2, and in place of D the inverse of |D|: eigenvalues of D count with
 * their size, and no less than √epsilon times the largest element of A. Overwrites both work vectors.
 */
lossi_inertia lossi_dense_ldl(const lossi_dense *dense, double epsilon);

/* x = Pᵀ L⁻ᵀ |D|⁻¹ L⁻¹ P x. */
void lossi_dense_ldl_solve(const lossi_dense *dense, double *x);

/* z with zᵀAz = least < 0. */
void lossi_dense_negative(const lossi_dense *dense, const lossi_inertia *inertia, double *z);

/* ‖x‖, without squares beyond the range of a double; NaN when an element is. */
double lossi_dense_norm(const lossi_dense *dense, const double *x);

#endif
