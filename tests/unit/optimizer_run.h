/*
 * Problems with known minima, and a driver that answers an optimizer's requests from one of them.
 *
 * Problems are functions of doubles; for a float32 optimizer x is widened and the gradient rounded, as a user would.
 */
#ifndef LOSS_TEST_OPTIMIZER_RUN_H
#define LOSS_TEST_OPTIMIZER_RUN_H

#include <stdint.h>

#include "loss/loss.h"

typedef struct problem {
    const char *name;
    int64_t n;
    double minimum; /* the least value */
    void (*start)(int64_t n, double *x);
    double (*evaluate)(int64_t n, const double *x, double *gradient);
} problem;

extern const problem rosenbrock, extended_rosenbrock, quadratic, logistic, beale, brown_dennis, cosh_sum,
    parabola;
extern const problem saddle, wells;   /* with negative curvature, at the start and between two minima */
extern const problem large_quadratic; /* 70 001 parameters: more than one block, more than one thread */

/* A finite sum: the logistic problem's mean over the samples `indices`. */
enum { LOGISTIC_SAMPLES = 103 };
double logistic_batch(const double *x, int64_t count, const int64_t *indices, double *gradient);

/* What the driver may do instead of the plain answer. */
typedef struct run_plan {
    int64_t nan_at;         /* the value of this answer, counted from 1, is NaN; 0: none */
    int64_t nan_from;       /* and of all from this one on */
    int32_t in_gradient;    /* 1: a derivative is NaN there in place of the value */
    double infinite;        /* ±INFINITY: what it is in place of NaN; 0: NaN */
    double gradient_factor; /* told gradients are multiplied by it; 0 means 1 */
    int64_t nan_second_at;  /* this Hessian or product, counted from 1, has a NaN; 0: none */
    int64_t nan_second_from;
    double precondition_factor; /* what the preconditioner gives is multiplied by it; 0 means 1 */
    int64_t stop_after;         /* loss_optimizer_stop() after this many answers */
    int64_t leave_after;        /* go away after this many answers, without DONE */
} run_plan;

typedef struct run_result {
    loss_status outcome;
    int64_t answers, iterates;
    int64_t values, gradients, products, hessians, preconditions, batches;
    double least; /* of the finite values told with a gradient */
    uint64_t
        digest; /* FNV-1a over every x asked for, every direction and index, and what the optimizer measured */
} run_result;

/* Answers until DONE. Fails the test when the machine does not do what its header says. */
run_result run(loss_optimizer *optimizer, const problem *p, loss_dtype dtype, const run_plan *plan);

/* The same from the problem's own start. */
run_result start_and_run(loss_optimizer *optimizer, const problem *p, loss_dtype dtype, const run_plan *plan);

/* The starting point in the element type; free() it. */
void *starting_point(const problem *p, loss_dtype dtype);

/* What the optimizer says is its best point has the value and gradient it says, bit for bit. */
void assert_best_belongs_together(const loss_optimizer *optimizer, const problem *p, loss_dtype dtype);

/* A context, and optimizer number `index` of the catalogue made with it, ready for the problem. */
typedef struct fixture {
    loss_context *context;
    loss_optimizer *optimizer;
    const char *name;
    int32_t stochastic;
} fixture;

fixture fixture_make(int32_t index, const problem *p, loss_dtype dtype);
void fixture_drop(fixture *f);

/* After a test over the whole catalogue, as its teardown: says which optimizer it failed with. */
#define test_of_catalogue(test) cmocka_unit_test_teardown(test, fixture_tell)
int fixture_tell(void **unused);

/* The place of an optimizer in the catalogue. */
int32_t index_of(const char *name);

/* Whether it keeps a matrix: those are for some thousand parameters at most. */
int32_t keeps_a_matrix(int32_t index);

/* Whether a method of the catalogue draws batches. */
int32_t is_stochastic(const char *name);

/* The problem everybody can do: stochastic methods need its samples. */
const problem *suited(int32_t index);

double get_double(const loss_optimizer *optimizer, const char *name);
int64_t get_int(const loss_optimizer *optimizer, const char *name);

#endif
