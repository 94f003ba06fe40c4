/*
 * What BFGS and DFP have in common: the inverse Hessian H as a matrix, the direction −H∇f, and a change of rank two
 * a step.
 *
 *     s = x⁺ − x,  y = ∇f⁺ − ∇f,  u = Hy,  H⁺ = H + ss·ssᵀ + su·(suᵀ + usᵀ) + uu·uuᵀ
 *
 * One pass over the matrix an iteration: it makes the change of the step before and the product H∇f⁺. All else
 * follows from it: u = H∇f⁺ − H∇f, and H⁺∇f⁺ by the formula above. H starts as sᵀy/yᵀy of the first pair (Nocedal &
 * Wright, Numerical Optimization (2006), eq. 6.20), and is multiplied before a change where that shows it is too small.
 *
 * The matrix and its vectors are doubles for either element type.
 */
#ifndef LOSSI_OPTIMIZER_QUASI_NEWTON_H
#define LOSSI_OPTIMIZER_QUASI_NEWTON_H

#include "optimizer/dense_update.h"
#include "optimizer/descent.h"

typedef struct lossi_quasi_newton {
    lossi_descent descent;
    double factor;          /* H is so many times what is in the matrix */
    double ss, su, uu;      /* the change of the matrix that waits for the next pass */
    double scale;           /* sᵀy/yᵀy of the newest pair, 0 while there is none */
    double damping;         /* see lossi_quasi_newton_start() */
    int64_t changes;        /* of this matrix */
    int32_t known, waiting; /* whether there is a matrix, and a change */
    int32_t started;
    int32_t formula; /* LOSSI_UPDATE_… */
} lossi_quasi_newton;

enum { LOSSI_UPDATE_BFGS, LOSSI_UPDATE_DFP };

/* The functions of a row, but for its start. */
loss_status lossi_quasi_newton_layout(loss_optimizer *optimizer, lossi_layout *layout);
void lossi_quasi_newton_advance(loss_optimizer *optimizer);

/*
 * The start of a row. damping: pairs with sᵀy below this times sᵀH⁻¹s are moved towards H⁻¹s until they have so
 * much (Powell 1978); 0: pairs without curvature are left out.
 */
void lossi_quasi_newton_start(loss_optimizer *optimizer, int32_t formula, double damping);

/* The coefficients of H⁺ from sᵀy and yᵀHy, both positive. */
typedef struct lossi_rank_two_coefficients {
    double ss, su, uu;
} lossi_rank_two_coefficients;
lossi_rank_two_coefficients lossi_quasi_newton_coefficients(int32_t formula, double sy, double yu);

#endif
