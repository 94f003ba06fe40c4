/*
 * Other libraries on the classics of problems.h: what a driver defines, and what it calls.
 *
 * A driver is a file that names its library and its methods and sends every evaluation through here, where it is counted and
 * judged. Once a run is over (solved, or out of evaluations or time) `over` is set, and evaluations cost and change nothing:
 * the driver leaves its library in the library's own way as soon as it can, or by peer_leave().
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <setjmp.h>

#include "problems/problems.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct peer_run {
    const test_problem *problem;
    int64_t values, gradients;
    double value, norm, begin;
    double *scratch; /* a gradient nobody asked for */
    int32_t solved, over;
    jmp_buf leave;
} peer_run;

double peer_value(peer_run *run, const double *x);
void peer_gradient(peer_run *run, const double *x, double *gradient);
double peer_value_and_gradient(peer_run *run, const double *x, double *gradient);

/* Jumps out of a library written in C when the run is over. */
void peer_leave(peer_run *run);

typedef struct peer_method {
    const char *name;
    int64_t most; /* variables; a dense method is not asked for more */
    void (*solve)(peer_run *run, double *x);
} peer_method;

extern const char *const peer_name;
extern const peer_method peer_methods[]; /* ends with a name of NULL */

#ifdef __cplusplus
}
#endif

#endif
