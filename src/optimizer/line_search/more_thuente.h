/*
 * The Moré–Thuente line search as a machine: it looks for the strong Wolfe conditions
 *
 *     φ(α) ≤ φ(0) + c₁αφ′(0)  and  |φ′(α)| ≤ c₂|φ′(0)|
 *
 * with cubics and parabolas through the ends of an interval that shrinks around such a step.
 *
 * Moré & Thuente, ACM TOMS 20 (1994) 286–307; the order of the tests is that of dcsrch of MINPACK-2.
 */
#ifndef LOSSI_OPTIMIZER_MORE_THUENTE_H
#define LOSSI_OPTIMIZER_MORE_THUENTE_H

#include <stdint.h>

#include "optimizer/line_search/line_search.h"

/* What the caller may choose; in brackets its name in MINPACK-2. */
typedef struct lossi_more_thuente_setup {
    double sufficient_decrease; /* c₁ (ftol) */
    double curvature;           /* c₂ (gtol) */
    double interval;            /* relative width at which an interval is too short (xtol) */
    double shortest, longest;   /* trials lie between them (stpmin, stpmax); longest may be +∞ */
    double rounding;            /* changes of φ up to this mean nothing; 0 when the caller cannot tell */
} lossi_more_thuente_setup;

/* Why it ended without the conditions (SETTLED, or a failure); the last one that holds. */
enum {
    LOSSI_MORE_THUENTE_NO_WARNING,
    LOSSI_MORE_THUENTE_ROUNDING, /* the trial fell out of the interval by rounding */
    LOSSI_MORE_THUENTE_INTERVAL, /* the interval is too short */
    LOSSI_MORE_THUENTE_LONGEST,  /* φ still falls at the longest step */
    LOSSI_MORE_THUENTE_SHORTEST, /* the shortest step is too long */
    LOSSI_MORE_THUENTE_TRIALS    /* too many trials */
};

typedef struct lossi_more_thuente {
    lossi_more_thuente_setup setup;
    double value0, slope0; /* φ(0), φ′(0) */
    double step;           /* the trial asked for, then the result */
    double wall;           /* the last step without a finite φ, NaN while there is none */
    double least, most;    /* what the next trial has to lie between (stmin, stmax) */
    double width, width_before;
    lossi_trial best, other; /* the ends of the interval: the best trial, and where it is bounded */
    int32_t bracketed, stage, settling;
    int32_t trials, nonfinite; /* finite ones; the others */
    int32_t warning;
    int32_t failure; /* why it settles */
} lossi_more_thuente;

/* Starts; the first trial is first_step > 0, moved between shortest and longest. TRY, or NO_DESCENT. */
lossi_search_status lossi_more_thuente_start(lossi_more_thuente *search, double value0, double slope0,
                                             double first_step, const lossi_more_thuente_setup *setup);

/*
 * φ and φ′ at search->step, not necessarily finite. ACCEPTED: both conditions hold. SETTLED: the first does, and
 * `warning` says why there is no better step. All others: there is no step.
 */
lossi_search_status lossi_more_thuente_tell(lossi_more_thuente *search, double value, double slope);

/*
 * One step of the safeguarded interpolation (dcstep): the interval between x, its best end, and y is updated by the
 * trial p, and the next trial is returned, between least and most while nothing is bracketed.
 */
double lossi_more_thuente_interpolate(lossi_trial *x, lossi_trial *y, const lossi_trial *p,
                                      int32_t *bracketed, double least, double most);

#endif
