/*
 * The symmetric indefinite systems of compact quasi-Newton matrices,
 *
 *     [ −P  Bᵀ ] [v₁]   [u₁]
 *     [  B  Q  ] [v₂] = [u₂],      P positive definite, Q positive semidefinite, k × k each,
 *
 * by two Cholesky factorisations: P = CCᵀ and Q + BP⁻¹Bᵀ = JJᵀ.
 *
 * Byrd, Nocedal & Schnabel, Math. Prog. 63 (1994) 129–156, eq. 2.25–2.26.
 */
#ifndef LOSSI_OPTIMIZER_COMPACT_SYSTEM_H
#define LOSSI_OPTIMIZER_COMPACT_SYSTEM_H

#include <stdint.h>

/* k × k matrices with rows of `stride` numbers. Filled with P, B and Q (the lower halves of P and Q), factored in place. */
typedef struct lossi_compact_system {
    double *p, *b, *q;
    int32_t k, stride;
} lossi_compact_system;

/* 0 when a matrix that ought to be positive definite is not. */
int32_t lossi_compact_factor(lossi_compact_system *system);

/* v = the solution for u; both of 2k numbers, and may be the same. */
void lossi_compact_solve(const lossi_compact_system *system, const double *u, double *v);

#endif
