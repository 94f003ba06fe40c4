/*
 * One step of a descent method: from the iterate along a direction by the line search of the options, then
 * on from the new iterate, or once more along the steepest descent, and what to say when there is no step.
 *
 * The state is plain numbers, part of the algorithm's own struct.
 */
#ifndef LOSSI_OPTIMIZER_DESCENT_H
#define LOSSI_OPTIMIZER_DESCENT_H

#include "optimizer/line_search/choice.h"
#include "optimizer/optimizer.h"

typedef struct lossi_descent {
    lossi_line_search search;
    double error_factor;    /* of ε, raised after a failure */
    double promise;         /* the largest decrease the slopes of this search's trials speak of */
    double epsilon;         /* of the element type */
    int64_t contradictions; /* trials where the values contradict the slopes, since the last success */
    int32_t direction;      /* the vector */
    int32_t failures;       /* searches in a row without a step */
    int32_t approximate;    /* T2 from now on */
} lossi_descent;

/* At the start of a run, when the first iterate is in place. direction is the vector to search along. The search is
 * that of the options, which begin with LOSSI_SEARCH_OPTION_ROWS. */
void lossi_descent_start(loss_optimizer *optimizer, lossi_descent *descent, int32_t direction);

/* Starts a search with φ′(0) = slope. When that is no descent the run is over. */
void lossi_descent_search(loss_optimizer *optimizer, lossi_descent *descent, double slope, double first_step);

/* The same when the pass that made the direction has moved the trial by first_step along it, after lossi_clear_trial(). */
void lossi_descent_search_moved(loss_optimizer *optimizer, lossi_descent *descent, double slope,
                                double first_step);

/* What a method does next; it ends with a search, another request, or the end of the run. */
typedef void (*lossi_descent_turn)(loss_optimizer *optimizer);

/*
 * The answer to the request has come. proceed() goes on from a new iterate; restart() searches along −∇f
 * after a direction without a step. When that has none either, the run is over.
 */
void lossi_descent_advance(loss_optimizer *optimizer, lossi_descent *descent, lossi_descent_turn proceed,
                           lossi_descent_turn restart);

/*
 * Ends the run: there is no step, not even along −∇f. contradictions: trials that lossi_contradicts();
 * promise: the decrease the slopes still speak of, not finite when the slopes are not.
 */
void lossi_no_step(loss_optimizer *optimizer, int64_t contradictions, double promise);

/* Whether the value at a trial along the vector direction contradicts the slopes there and at the start. All
 * are finite. */
int32_t lossi_contradicts(const loss_optimizer *optimizer, const lossi_trial *start, const lossi_trial *trial,
                          int32_t direction);

/* The decrease that the slopes at the start and at a trial speak of: to the trial, or to where φ′ turns before it. */
double lossi_promise(const lossi_trial *start, const lossi_trial *trial);

/* The first step along −∇f when nothing is known: ψ₀‖x‖∞/‖∇f‖∞, ψ₀|f|/‖∇f‖² at x = 0, else 1. */
double lossi_descent_first_step(const loss_optimizer *optimizer);

/* The vector = −∇f; gives its product with ∇f. */
double lossi_descent_steepest(const loss_optimizer *optimizer, int32_t vector);

/*
 * The first step of all of methods whose later steps find their own length, along −∇f: no parameter moves further than the
 * largest of them, ‖x‖∞/‖∇f‖∞, which is the scale the start itself shows: the rule of lossi_descent_first_step() with
 * ψ₀ = 1, as what is learnt from far away has seen more of f. Around x = 0, where the start shows none: as far as f would
 * have to fall on a line to lose |f|, |f|/‖∇f‖², but no parameter by more than 1. Never more than ten times as far as that fall.
 */
double lossi_descent_scaled_step(const loss_optimizer *optimizer, double slope);

/* Whether a first step of this length is next to nothing beside x, or x beside it: methods whose first step is published
 * as a length take the scale of x instead, so that the units of x do not decide whether they get anywhere. */
int32_t lossi_descent_out_of_scale(const loss_optimizer *optimizer, double length);

#endif
