/*
 * Instruction sets: their numbers, and tables of kernels over (instruction set, element type).
 *
 * A kernel source is compiled once per pair (cmake/isa.cmake) and defines `lossi_<stem>_<isa>_<dtype>`.
 * LOSSI_ISA_TABLE lists them all in one constant table, which a call indexes with the context's choice;
 * nothing is ever written, so there is nothing to race on.
 */
#ifndef LOSSI_CORE_ISA_H
#define LOSSI_CORE_ISA_H

#include <stdint.h>

#include "loss/data.h"

/* LOSSI_BASE_ONLY: built with LOSS_DISPATCH=OFF. */
#if defined(__x86_64__) && !defined(LOSSI_BASE_ONLY)
#define LOSSI_HAS_AVX 1
enum { LOSSI_BASE, LOSSI_AVX2, LOSSI_AVX512, LOSSI_ISA_COUNT };
#define LOSSI_ISA_LIST(X, stem) X(stem, base) X(stem, avx2) X(stem, avx512)
#elif defined(__aarch64__) && !defined(LOSSI_BASE_ONLY)
#define LOSSI_HAS_NEON          1
enum { LOSSI_BASE, LOSSI_NEON, LOSSI_ISA_COUNT };
#define LOSSI_ISA_LIST(X, stem) X(stem, base) X(stem, neon)
#else
enum { LOSSI_BASE, LOSSI_ISA_COUNT };
#define LOSSI_ISA_LIST(X, stem) X(stem, base)
#endif

/* Index of an element type in such a table. */
enum { LOSSI_FLOAT32, LOSSI_FLOAT64, LOSSI_REAL_COUNT };

static inline int32_t lossi_real_index(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT64 ? LOSSI_FLOAT64 : LOSSI_FLOAT32;
}

#define LOSSI_ISA_EXTERN(stem, isa) lossi_##stem##_##isa##_float32, lossi_##stem##_##isa##_float64,
#define LOSSI_ISA_ROW(stem, isa)    {&lossi_##stem##_##isa##_float32, &lossi_##stem##_##isa##_float64},

/* extern const type LOSSI_ISA_DECLARE(stem); declares every kernel of the stem. */
#define LOSSI_ISA_DECLARE(stem) LOSSI_ISA_LIST(LOSSI_ISA_EXTERN, stem) lossi_##stem##_declared

/* The initialiser of `const type *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT]`. */
#define LOSSI_ISA_TABLE(stem)                                                                                \
    {                                                                                                        \
        LOSSI_ISA_LIST(LOSSI_ISA_ROW, stem)                                                                  \
    }

/* "base", "avx2", …; NULL outside 0 … LOSSI_ISA_COUNT − 1. */
const char *lossi_isa_name(int32_t isa);

/* Whether this machine, and its operating system, can run it. */
int32_t lossi_isa_supported(int32_t isa);

#endif
