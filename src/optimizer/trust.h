/*
 * One step of a trust-region method: a step is tried, judged by what the model promised, and the radius follows.
 *
 * The method supplies the step; how it was found, and in which norm it is measured, is its own business. The state
 * is plain numbers, part of the algorithm's own struct.
 */
#ifndef LOSSI_OPTIMIZER_TRUST_H
#define LOSSI_OPTIMIZER_TRUST_H

#include "optimizer/optimizer.h"

/* Options every trust-region method has: the first ones of its table. The first radius is the length of x, or 1
 * when that is larger, unless x is next to nothing beside 1 (Moré, in Numerical Analysis, Springer LNM 630 (1978), §5, has a multiple of it); with a
 * preconditioner it is the length of its step. Both are lengths in the norm of the method. */
enum { LOSSI_TRUST_RADIUS, LOSSI_TRUST_LARGEST, LOSSI_TRUST_OPTIONS };
#define LOSSI_TRUST_OPTION_ROWS                                                                              \
    {"radius", LOSS_OPTION_DOUBLE, 0, 1e300, 0, NULL, NULL, "of the first region; 0: by the length of x"},   \
    {                                                                                                        \
        "largest_radius", LOSS_OPTION_DOUBLE, 1e-300, INFINITY, INFINITY, NULL, NULL, "no radius is larger"  \
    }

/* A step s: ∇fᵀs, the decrease f − m(s) of the model, its length, and whether it ends on the boundary. */
typedef struct lossi_trust_step {
    double slope, predicted, length;
    int32_t boundary;
} lossi_trust_step;

/* What happens within the rounding of f. */
typedef struct lossi_trust_floor {
    int64_t beneath; /* accepted steps that promised less than it, and left ∇f as it was */
    int64_t unmoved; /* the last of them in a row that left x as it was, too, but for its rounding */
    double least;    /* ‖∇f‖∞ of the iterates since then */
    double stiffness; /* ‖∇f⁺ − ∇f‖∞/‖x⁺ − x‖∞ of the last step that moved x, 0 for none */
} lossi_trust_floor;

typedef struct lossi_trust {
    double radius, largest;
    lossi_trust_step step;  /* being tried */
    double promise;         /* the largest decrease that steps refused since the last success speak of */
    int64_t contradictions; /* of them, how many contradict the slopes */
    int64_t refused, blind; /* how many there are, and those of them whose f is not finite */
    lossi_trust_floor floor;
    int32_t direction; /* the vector s */
    double off;        /* by how much f and the slopes disagreed on the step refused last */
    int32_t cancels;   /* f has shown the rounding of terms larger than itself */
    int32_t begun;     /* whether a step has been judged: the first radius is a guess */
} lossi_trust;

/* At the start of a run, when the first iterate is in place. A radius of 0 is still to be chosen by the method. */
void lossi_trust_start(loss_optimizer *optimizer, lossi_trust *trust, int32_t direction);

/* The first radius when nothing better is known. */
double lossi_trust_guess(const loss_optimizer *optimizer);

/* Sets the radius that had still to be chosen. */
void lossi_trust_set(lossi_trust *trust, double radius);

/* Tries the step in the vector `direction`. One that promises nothing ends the run. */
void lossi_trust_try(loss_optimizer *optimizer, lossi_trust *trust, lossi_trust_step step);

/* ε_f: by how much f may be wrong. */
double lossi_trust_rounding(const loss_optimizer *optimizer);

/* After a step was accepted: 1 when f has gone up and down within its rounding for a while, and ∇f no longer shrinks.
 * A step to the boundary (of a radius that is still growing) counts only after very many. */
int32_t lossi_trust_drowned(loss_optimizer *optimizer, lossi_trust_floor *floor, const lossi_trust_step *step,
                            double noise);

/* Ends such a run: at the precision floor, or for want of a step where x has not moved and could have. */
void lossi_trust_end(loss_optimizer *optimizer, const lossi_trust_floor *floor, double predicted,
                     double noise);

/* What a method does next; it ends with another step, a request, or the end of the run. */
typedef void (*lossi_trust_turn)(loss_optimizer *optimizer);

/*
 * The answer has come. proceed() goes on from a new iterate; again() finds a step within a smaller radius. A point
 * without a finite value is left by way of shorter pieces of the same step. Where nothing helps the run is over.
 */
void lossi_trust_advance(loss_optimizer *optimizer, lossi_trust *trust, lossi_trust_turn proceed,
                         lossi_trust_turn again);

#endif
