/*
 * The quadratic model of L-BFGS-B in its compact form, and what is done with it inside bounds.
 *
 *     B = θI − WMWᵀ,  W = [Y θS],  M⁻¹ = [−D Lᵀ; L θSᵀS],  θ = yᵀy/sᵀy
 *
 * with L and D the strictly lower part and the diagonal of SᵀY.
 *
 * Byrd, Lu, Nocedal & Zhu, SIAM J. Sci. Comput. 16 (1995) 1190–1208; Morales & Nocedal, ACM TOMS 38 (2011) 7.
 */
#ifndef LOSSI_OPTIMIZER_BOUNDED_MODEL_H
#define LOSSI_OPTIMIZER_BOUNDED_MODEL_H

#include "optimizer/limited_memory.h"

/* Where things lie: vectors of the workspace, and places in its doubles and integers. */
typedef struct lossi_bounded_model {
    lossi_limited_memory memory;
    double theta;
    int64_t segments;               /* of the piecewise linear paths so far */
    int64_t sy, ss, yy;             /* memory × memory each, row i of sᵢᵀyⱼ and so on */
    int64_t middle, reduced, small; /* two factored systems, and small vectors */
    int64_t times;                  /* n breakpoints */
    int64_t heap, free_list;        /* integers: n each */
    int64_t free_count;
    int32_t capacity;               /* the option `memory` */
    int32_t lower, upper;           /* vectors of bounds, −1 when there are none */
    int32_t direction, point, work; /* vectors: d; the point aimed at; reduced gradient and step */
    int32_t constrained, boxed;     /* some bound is finite; all are */
} lossi_bounded_model;

/* How many doubles and integers it takes. */
int64_t lossi_bounded_doubles(int64_t n, int64_t memory);
int64_t lossi_bounded_integers(int64_t n);

/* At start, `memory` being the option. */
void lossi_bounded_start(const loss_optimizer *optimizer, lossi_bounded_model *model, int32_t memory);

/* The pair of the step just accepted, unless its curvature is lost; then a pair for the next trial. */
void lossi_bounded_learn(loss_optimizer *optimizer, lossi_bounded_model *model);

void lossi_bounded_forget(lossi_bounded_model *model);

/*
 * point = the minimiser of the model in the subspace of the parameters that its generalised Cauchy point leaves between
 * their bounds, brought back into the bounds; direction = point − x. 0: a matrix was singular, the memory has to be forgotten.
 */
int32_t lossi_bounded_minimize(const loss_optimizer *optimizer, lossi_bounded_model *model);

/* The longest step along direction that keeps to the bounds; ∞ when nothing limits it. */
double lossi_bounded_longest(const loss_optimizer *optimizer, const lossi_bounded_model *model);

#endif
