/* What the derivative checks have in common: findings, and what is made of them. */
#ifndef LOSSI_GRADIENT_CHECK_H
#define LOSSI_GRADIENT_CHECK_H

#include "gradient/objective.h"
#include "gradient/ridders.h"

enum { LOSSI_CHECK_SAMPLE = 256 /* parameters looked at */ };

/*
 * How much more noise counts along a direction with values on one side only: taking all powers of the step off one after the other
 * magnifies it by up to Π (2^j + 1)/(2^j − 1) ≈ 8, of which lossi_ridders_tell() has 2.
 */
enum { LOSSI_CHECK_ONE_SIDED = 4 };

/* The least step along a direction: at shorter ones rounding x counts. It is 2⁸ units of the largest elements of directions. */
double lossi_check_least_step(const loss_objective *objective);

/* A number of the objective beside a difference. */
typedef struct lossi_finding {
    int32_t what; /* LOSSI_OF_… */
    int32_t verdict;
    int64_t index, direction; /* −1: none */
    double derivative, allowed;
    double severity; /* how bad, among findings of the same verdict */
    double taylor;   /* the power of the step by which Taylor's remainder falls, NaN when it was not seen */
    lossi_slope slope;
    double
        steep; /* steeper derivatives than this are not contradicted: what they differ by may be the noise */
    int32_t beside; /* inconclusive for kinks beside x */
} lossi_finding;

/* A derivative along a parameter or a direction, an element or a sum of a Hessian product, or two of them. */
enum { LOSSI_OF_PARAMETER, LOSSI_OF_DIRECTION, LOSSI_OF_PRODUCT, LOSSI_OF_PRODUCT_SUM, LOSSI_OF_SYMMETRY };

/*
 * How far apart two numbers may be that rounding alone, or the objective's own differences, tells apart; and which part of the
 * largest of its kind a small one counts as, when an error bar is asked whether it says anything.
 */
typedef struct lossi_check_limits {
    double relative, absolute, least;
} lossi_check_limits;

/* what: LOSSI_CHECK_GRADIENT or _PRODUCT; size: of the values and derivatives that differences lose digits to. */
enum { LOSSI_CHECK_GRADIENT, LOSSI_CHECK_PRODUCT };
lossi_check_limits lossi_check_limit(const loss_objective *objective, int32_t what, double size);

/* A verdict about a finding whose derivative and slope are there; scale is the largest of its kind. */
void lossi_check_judge(lossi_check_limits limits, const loss_objective *objective, double scale,
                       lossi_finding *finding);

/*
 * A line through x, and the second look (check_kinks.c) at a finding on it that fails: it stays unless kinks beside x explain it, and is
 * inconclusive then.
 *   at   the value and the derivative at x + t along the line; t becomes the way that was really gone
 */
typedef struct lossi_check_line {
    const loss_objective *objective;
    void *user;
    loss_status (*at)(void *user, double *t, double *value, double *derivative);
    double step, noise; /* the widest step of the differences; σ of the values */
} lossi_check_line;
loss_status lossi_check_beside(const lossi_check_line *line, lossi_check_limits limits, double scale,
                               lossi_finding *finding);

/* Keeps the worse of the two, fails being the worst, in `worst`, which begins with index, severity and verdict of none. */
lossi_finding lossi_check_none(void);
void lossi_check_keep(lossi_finding *worst, const lossi_finding *finding);

/* Makes the worst finding readable, and gives a sentence about a verdict other than OK. */
void lossi_check_report(loss_objective *objective, const lossi_finding *worst);

/* What checks along directions are called with: LOSS_OK, LOSS_ERROR_ARGUMENT, and what prepare returns. */
loss_status lossi_check_arguments(loss_objective *objective, const void *x, int64_t count,
                                  const int32_t *verdict);

/* The k-th of the parameters looked at: all of them, or one from each of LOSSI_CHECK_SAMPLE parts. */
int64_t lossi_check_parameter(int64_t dimension, int64_t k, uint64_t seed);

/* Between which numbers a parameter has values, infinite ones where there is no bound; whether they leave it no room to move. */
void lossi_check_bounds(const loss_objective *objective, int64_t index, double *lower, double *upper);
int32_t lossi_check_fixed(const loss_objective *objective, int64_t index);

/*
 * Direction number k of the seed at x: 0 for parameters that are fixed; else element i is ±m/16 · 2^e/2^⌊½(1 + log2 n)⌋ with m from 8 to 23 and 2^e ≤ max(|x_i|, 1) < 2^(e+1),
 * so that no two contributions cancel for good and x + t·v is exact for most t. Where a bound is nearer than |v_i|/16 it points away
 * from the nearer bound, so that in a corner x + t·v is inside for small positive t. Any k < 2^32.
 */
void lossi_check_direction(const loss_objective *objective, const void *x, uint64_t seed, int64_t k,
                           double *out);

/* Puts x + t·v into the point, as its type has it. */
void lossi_check_move(const loss_objective *objective, const void *x, double t, const double *v, void *point);

/*
 * The power of t by which |f(x + t·v) − f(x) − t·g·v − ½t²·v'Hv| falls as t is halved, by the last three of them above the noise;
 * NaN when there are no three. Without a product the last term is left out. Failures but those of values that are not finite.
 *   point   a vector to work in
 */
typedef struct lossi_expansion {
    loss_objective *objective;
    const void *x, *gradient, *product;
    const double *v;
    double value, noise;
    void *point;
} lossi_expansion;
loss_status lossi_taylor_slope(const lossi_expansion *expansion, double *slope);

/*
 * Runs a check with the parts of penalties without derivatives left out of the values, and reports what is worst. The run gives a
 * failure or sets the finding; it is called with the `check` it is about.
 */
typedef loss_status (*lossi_check_run)(void *check, lossi_finding *worst);
loss_status lossi_check_smooth(loss_objective *objective, lossi_check_run run, void *check, int32_t *verdict);

/* As loss_objective_evaluate() of the value alone, NaN where there is none, which is no failure here. */
loss_status lossi_check_value(loss_objective *objective, const void *x, double *value);

/* The largest of all elements. */
double lossi_check_largest(const loss_objective *objective, const void *vector);

#endif
