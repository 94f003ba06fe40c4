/*
 * What the machine allows, as loops in the library's own vocabulary: passes over memory, and calls of a vector function on
 * arrays in the first-level cache. Counts are multiples of 64 elements, arrays are aligned to 64 bytes.
 */
#ifndef BENCH_PASSES_H
#define BENCH_PASSES_H

#include <stdint.h>

typedef void (*bench_pass)(int64_t n, const void *a, const void *b, void *c);

/* c = function(a), element by element. */
typedef struct bench_function {
    const char *name; /* NULL ends a list */
    bench_pass run;
} bench_function;

typedef struct bench_passes {
    /* Reads a, or a and b, and writes c; the second of each pair stores past the caches. */
    bench_pass read_one[2], read_two[2];
    /* Reads a and puts a vector of its sums into c. */
    bench_pass read;
    /* n times a few vectors of multiply-adds in float64, enough to hide their latency, on the three numbers of a; puts one into c. */
    bench_pass multiply_add;
    int64_t multiply_adds; /* how many numbers that is, for n = 1 */
    /* Calls a function of another library that takes and gives one vector, from a to c. */
    void (*call)(void (*function)(void), int64_t n, const void *a, void *c);
    /* How such functions are named: _ZGV<letter>N<lanes>v_expf, Sleef_expf<lanes>_u10<suffix>. letter 0: not there. */
    char letter;
    const char *suffix;
    int lanes;
    const bench_function *own; /* the library's own, for comparison */
} bench_passes;

/* Of an instruction set by its name, for float32 (bits 32) or float64; NULL when there is none. */
const bench_passes *bench_passes_for(const char *isa, int bits);

#endif
