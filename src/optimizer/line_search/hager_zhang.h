/*
 * The Hager–Zhang line search as a machine: it names a step, is told φ and φ′ there, and goes on until one is
 * acceptable.
 *
 * φ(α) = f(x + αd). A step is accepted by the Wolfe conditions
 *     T1   φ(α) − φ(0) ≤ δαφ′(0)  and  φ′(α) ≥ σφ′(0)
 * or, where two values are too close for their difference to mean anything, by the approximate ones
 *     T2   (2δ − 1)φ′(0) ≥ φ′(α) ≥ σφ′(0)  and  φ(α) ≤ φ(0) + ε
 * which use derivatives, good to the last digit, where T1 has half of the digits.
 *
 * Hager & Zhang, SIAM J. Optim. 16 (2005) 170–192, §3–4; ACM TOMS 32 (2006) 113–137. While values can be told apart, rounds
 * begin with a cubic through values and slopes instead of a secant, as in version 6 of their program.
 *
 * The state is plain numbers: copying the struct is a checkpoint, and nothing is allocated.
 */
#ifndef LOSSI_OPTIMIZER_HAGER_ZHANG_H
#define LOSSI_OPTIMIZER_HAGER_ZHANG_H

#include <stdint.h>

#include "optimizer/line_search/line_search.h"

typedef struct lossi_hager_zhang {
    double value0, slope0;        /* φ(0), φ′(0) */
    double delta, sigma;          /* δ, σ of T1 and T2: 0.1 and 0.8 unless changed after the start */
    double tolerance;             /* ε of T2 */
    double band;                  /* T2 counts where |φ(α) − φ(0)| is at most this */
    double resolution;            /* relative spacing of steps that can still differ */
    double step;                  /* the trial asked for, then the result */
    double ceiling;               /* the shortest step without a finite φ; +∞ when all were finite */
    double width;                 /* of the interval at the start of the round */
    lossi_trial a, b;             /* the interval: φ(a) ≤ φ(0) + ε, φ′(a) < 0, φ′(b) ≥ 0 */
    lossi_trial round_a, round_b; /* the same at the start of the round */
    lossi_trial low;              /* the lowest trial with enough decrease; step 0 when there is none */
    lossi_trial flat;             /* the same with some decrease and the slope of T2, for where φ jumps */
    int32_t phase, stage;
    int32_t by_slopes; /* rounds look at slopes alone, unless changed after the start 0 */
    int32_t trials, nonfinite, expansions;
    int32_t failure; /* why it settles */
} lossi_hager_zhang;

/* Starts; the first trial is first_step > 0. TRY, or NO_DESCENT. */
lossi_search_status lossi_hager_zhang_start(lossi_hager_zhang *search, double value0, double slope0,
                                            double first_step, double tolerance, double band,
                                            double resolution);

/* φ and φ′ at search->step, not necessarily finite. */
lossi_search_status lossi_hager_zhang_tell(lossi_hager_zhang *search, double value, double slope);

#endif
