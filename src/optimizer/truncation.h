/*
 * When the inner iteration of a truncated Newton method may stop: conjugate gradients that solve ∇²f d = −∇f, with
 * Q(d) = ∇fᵀd + ½dᵀ∇²f d, need go no further after j products
 *
 *     when j(Q_j − Q_{j−1}) ≥ ηQ_j: the last one has added less than η of the average;
 *     or when ‖∇f + ∇²f d‖ ≤ 0.2η‖∇f‖: what Q still promises lies where it hardly bends, many products away, and a step
 *     there would leave the region in which Q is like f.
 *
 * LIBLINEAR has the first alone, with η = min(0.5, √‖∇f‖) in the norm of M⁻¹: that root depends on the units of f, so ours is of the norm
 * relative to the start, and the second and the fall of η below were measured to be better. Its preconditioner (1 − α)I + α·diag ∇²f
 * is for whoever answers the request: the methods know no diagonal.
 *
 * The first: Nash & Sofer, Oper. Res. Lett. 9 (1990) 219–221, as used by Galli & Lin, IEEE TNNLS 33 (2022), eq. 21. The second is
 * that of Dembo & Steihaug, Math. Prog. 26 (1983) 190–212, with a share that suits the first: 0.2 to 0.5 save 8 to 13 % of
 * the evaluations on the problems of CUTE, but more than 0.2 lose some on Rosenbrock's.
 */
#ifndef LOSSI_OPTIMIZER_TRUNCATION_H
#define LOSSI_OPTIMIZER_TRUNCATION_H

#include <math.h>
#include <stdint.h>

/*
 * η from what is wanted at the first iterate on, for one after `iterations` others: a long run goes through a valley where products
 * are worth more than steps. Twenty serve problems of CUTE, the classics and linear models that are badly conditioned: without it some
 * of those take ten times the products, or never end.
 */
static inline double lossi_forcing(double wanted, int64_t iterations)
{
    return wanted / (1.0 + (double)iterations / 20.0);
}

typedef struct lossi_inner {
    double forcing;        /* η */
    double before, model;  /* Q_{j−1}, Q_j */
    double squares, start; /* ‖∇f + ∇²f d‖², and at d = 0 */
    int64_t count;         /* j */
} lossi_inner;

/* epsilon: the spacing of numbers near 1, below which a residual says nothing. */
static inline int32_t lossi_inner_is_enough(const lossi_inner *inner, double epsilon)
{
    const double share = fmax(epsilon, 0.2 * inner->forcing);
    return (double)inner->count * (inner->model - inner->before) >= inner->forcing * inner->model ||
           inner->squares <= share * share * inner->start;
}

#endif
