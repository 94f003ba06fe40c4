/*
 * Backtracking as a machine: steps are cut until
 *
 *     φ(α) ≤ φᵣ + c₁αφ′(0)
 *
 * where φᵣ is φ(0) (Armijo), or the largest of the last values of f (Grippo, Lampariello & Lucidi). The cut is the
 * minimiser of the parabola through φ(0), φ′(0), φ(α), then of the cubic through one value more.
 *
 * Armijo, Pacific J. Math. 16 (1966) 1–3; Grippo, Lampariello & Lucidi, SIAM J. Numer. Anal. 23 (1986) 707–716;
 * the interpolation: Dennis & Schnabel, Numerical Methods for Unconstrained Optimization (1983), A6.3.1.
 */
#ifndef LOSSI_OPTIMIZER_BACKTRACKING_H
#define LOSSI_OPTIMIZER_BACKTRACKING_H

#include <stdint.h>

#include "optimizer/line_search/line_search.h"

typedef struct lossi_backtracking {
    double value0, slope0;      /* φ(0), φ′(0) */
    double reference;           /* φᵣ ≥ φ(0) */
    double sufficient_decrease; /* c₁ */
    double rounding;            /* changes of φ up to this mean nothing */
    double step;                /* the trial asked for, then the result */
    double before, bend_before; /* the finite trial before, 0 for none; see bend() */
    int32_t trials, nonfinite;  /* finite ones; the others */
} lossi_backtracking;

/* Starts; the first trial is first_step > 0. TRY, or NO_DESCENT. */
lossi_search_status lossi_backtracking_start(lossi_backtracking *search, double value0, double slope0,
                                             double reference, double first_step, double sufficient_decrease,
                                             double rounding);

/* φ at search->step, not necessarily finite. */
lossi_search_status lossi_backtracking_tell(lossi_backtracking *search, double value);

#endif
