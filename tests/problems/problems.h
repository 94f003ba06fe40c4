/*
 * Unconstrained problems of the literature, written from their formulas: what optimizers are tested with and measured on.
 *
 * A table is one collection; a row is a function at one size, with its start and what is known of its minimum.
 */
#ifndef LOSS_TEST_PROBLEMS_H
#define LOSS_TEST_PROBLEMS_H

#include <stdint.h>

typedef struct test_problem {
    const char *name;
    int64_t n;
    void (*start)(int64_t n, double *x);
    double (*evaluate)(int64_t n, const double *x, double *gradient); /* all of the gradient is written */
    double minimum; /* the least value known, NaN for none */
} test_problem;

typedef struct test_problem_table {
    const test_problem *rows;
    int64_t count;
} test_problem_table;

/*
 * Bongartz, Conn, Gould & Toint, CUTE, ACM TOMS 21 (1995) 123–160: instances that Hager & Zhang, ACM TOMS 32 (2006)
 * 113–137 published counts for. Minima are the least values published there.
 */
extern const test_problem_table cute_problems;

/*
 * 46 classics: Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17–41 in their small sizes (the first MGH_PROBLEMS rows), then
 * large ones of the same paper and of CUTE. Where the standard start leads to a local minimum, that is the one given.
 */
enum { MGH_PROBLEMS = 18 };
extern const test_problem_table classic_problems;

/* Fills x with one number, and with a pattern of `period` numbers. */
void start_constant(int64_t n, double *x, double number);
void start_pattern(int64_t n, double *x, const double *pattern, int64_t period);

/* ---- the functions, by file, for the tables ---- */

#define TEST_FUNCTION(name) double name##_evaluate(int64_t n, const double *x, double *g)

/* more_garbow_hillstrom.c */
TEST_FUNCTION(helical_valley);
TEST_FUNCTION(biggs_exp6);
TEST_FUNCTION(gaussian);
TEST_FUNCTION(powell_badly_scaled);
TEST_FUNCTION(box_3d);
TEST_FUNCTION(variably_dimensioned);
TEST_FUNCTION(watson);
TEST_FUNCTION(penalty_1);
TEST_FUNCTION(penalty_2);
TEST_FUNCTION(brown_badly_scaled);
TEST_FUNCTION(brown_dennis);
TEST_FUNCTION(gulf);
TEST_FUNCTION(trigonometric);
TEST_FUNCTION(extended_rosenbrock);
TEST_FUNCTION(extended_powell);
TEST_FUNCTION(beale);
TEST_FUNCTION(extended_wood);
TEST_FUNCTION(chebyquad);
TEST_FUNCTION(broyden_tridiagonal);
TEST_FUNCTION(broyden_banded);

/* neighbours.c: sums of terms in a few neighbouring variables */
TEST_FUNCTION(bdqrtic);
TEST_FUNCTION(cosine);
TEST_FUNCTION(cragglvy);
TEST_FUNCTION(curly10);
TEST_FUNCTION(curly20);
TEST_FUNCTION(curly30);
TEST_FUNCTION(dixon3dq);
TEST_FUNCTION(dqdrtic);
TEST_FUNCTION(edensch);
TEST_FUNCTION(engval1);
TEST_FUNCTION(extrosnb);
TEST_FUNCTION(fletcbv2);
TEST_FUNCTION(fletchcr);
TEST_FUNCTION(freuroth);
TEST_FUNCTION(generalized_rosenbrock);
TEST_FUNCTION(genhumps);
TEST_FUNCTION(genrose);
TEST_FUNCTION(schmvett);
TEST_FUNCTION(tointgss);
TEST_FUNCTION(tridia);

/* coupled.c: every term knows a common variable or sum, or variables far apart */
TEST_FUNCTION(arwhead);
TEST_FUNCTION(eg2);
TEST_FUNCTION(liarwhd);
TEST_FUNCTION(noncvxu2);
TEST_FUNCTION(nondia);
TEST_FUNCTION(nondquar);
TEST_FUNCTION(power_of_sum);
TEST_FUNCTION(power_quadratic);
TEST_FUNCTION(quartc);
TEST_FUNCTION(sinquad);
TEST_FUNCTION(sparsine);
TEST_FUNCTION(tquartic);

/* dixmaan.c */
TEST_FUNCTION(dixmaana);
TEST_FUNCTION(dixmaanb);
TEST_FUNCTION(dixmaanb_cute);
TEST_FUNCTION(dixmaanc);
TEST_FUNCTION(dixmaand);
TEST_FUNCTION(dixmaane);
TEST_FUNCTION(dixmaanf);
TEST_FUNCTION(dixmaang);
TEST_FUNCTION(dixmaanh);
TEST_FUNCTION(dixmaani);
TEST_FUNCTION(dixmaanj);
TEST_FUNCTION(dixmaank);
TEST_FUNCTION(dixmaanl);

#endif
