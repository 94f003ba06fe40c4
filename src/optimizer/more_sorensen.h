/*
 * The step of a trust region, exactly: the minimiser of ∇fᵀp + ½pᵀ∇²f p over ‖p‖ ≤ Δ, for a matrix of any
 * definiteness.
 */
#ifndef LOSSI_OPTIMIZER_MORE_SORENSEN_H
#define LOSSI_OPTIMIZER_MORE_SORENSEN_H

#include "optimizer/dense.h"

typedef struct lossi_more_sorensen {
    const double *gradient;
    double *step; /* n: the result */
    double radius;
    double epsilon;    /* the precision of the matrix, for lossi_dense_cholesky() */
    double multiplier; /* λ of the result: (∇²f + λI)p = −∇f, but for a part along an eigenvector */
    double length;     /* ‖p‖ */
    double slope;      /* ∇fᵀp */
    double predicted;  /* −∇fᵀp − ½pᵀ∇²f p */
    int32_t boundary;  /* whether the step ends there */
    int32_t factorizations;
    int32_t hard; /* whether it has a part along an eigenvector */
} lossi_more_sorensen;

/* The gradient is finite and not zero, the matrix finite. Overwrites both work vectors of the matrix. */
void lossi_more_sorensen_solve(const lossi_dense *dense, lossi_more_sorensen *problem);

#endif
