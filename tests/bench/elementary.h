/*
 * The outside yardstick of exp, log and their kin: the vector functions of SLEEF and of glibc's libmvec, as they are
 * installed. Both are looked up by the names of the function, the lanes and the instruction set, when the program runs: what
 * a row of the catalogue names is measured without being listed anywhere.
 */
#ifndef BENCH_ELEMENTARY_H
#define BENCH_ELEMENTARY_H

#include "measure.h"
#include "passes.h"

enum { BENCH_SLEEF, BENCH_LIBMVEC, BENCH_OWN, BENCH_SOURCES };
enum { BENCH_SYMBOL = 48, BENCH_HOT = 2048 };

/* One function in one element type. A time of 0: not there. */
typedef struct bench_elementary {
    char name[16];
    int bits;
    char symbol[BENCH_SOURCES][BENCH_SYMBOL];
    double ns[BENCH_SOURCES];  /* an element, from the first-level cache */
    double ulp[BENCH_SOURCES]; /* the largest error met on the arguments, in units in the last place */
    int limit; /* the faster of the first two that errs by 1 ulp at most; our own where neither is there */
    const bench_passes *passes;
    void (*function)(void); /* of the limit; NULL: own */
    bench_pass own;
} bench_elementary;

extern const char *const bench_source_names[BENCH_SOURCES];

/* Found and measured once, then remembered; NULL when no library has it. */
bench_elementary *bench_elementary_of(const char *name, const char *isa, int bits, double seconds, int turns);

/* Calls the function of the limit on BENCH_HOT elements. */
bench_action bench_elementary_action(bench_elementary *elementary);

#endif
