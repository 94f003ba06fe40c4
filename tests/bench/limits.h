/* What the machine allows, measured beside the losses: plain passes over memory and plain runs of exp and log1p. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include <stdint.h>

typedef struct bench_limits {
    /* Reads a and b, writes c: the least a value and its gradient can do. The second stores past the caches. */
    void (*read_two_write_one)(int64_t n, const void *a, const void *b, void *c);
    void (*read_two_stream_one)(int64_t n, const void *a, const void *b, void *c);
    /* Reads a, writes c: the same for class labels, whose reading does not count. */
    void (*read_one_write_one)(int64_t n, const void *a, const void *b, void *c);
    void (*read_one_stream_one)(int64_t n, const void *a, const void *b, void *c);
    /* c = exp(a), log(a), log1p(a) on arrays in the first-level cache. */
    void (*exp)(int64_t n, const void *a, const void *b, void *c);
    void (*log)(int64_t n, const void *a, const void *b, void *c);
    void (*log1p)(int64_t n, const void *a, const void *b, void *c);
} bench_limits;

typedef void (*bench_pass)(int64_t n, const void *a, const void *b, void *c);

/* Of an instruction set by its name, for float32 (bits 32) or float64; NULL when there is none. */
const bench_limits *bench_limits_for(const char *isa, int bits);

#endif
