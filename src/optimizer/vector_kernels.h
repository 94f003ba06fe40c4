/*
 * What optimizers do with vectors: single passes that update some of them and measure the result.
 *
 * A pass reads in[], writes out[] (which may be one of in[]: element i depends on element i only) and leaves
 * sums and maxima. Elements are float32 or float64; all arithmetic is in double, stored elements are rounded
 * once. Sums follow core/sum.h, so they have the same bits on every instruction set and for any number of
 * threads; a maximum is NaN when an element is.
 */
#ifndef LOSSI_OPTIMIZER_VECTOR_KERNELS_H
#define LOSSI_OPTIMIZER_VECTOR_KERNELS_H

#include <stdint.h>

enum { LOSSI_PASS_SUMS = 3, LOSSI_PASS_MAXIMA = 2 };

typedef struct lossi_pass {
    const void *in[4];
    void *out[2];
    double scalar[4];
} lossi_pass;

typedef struct lossi_pass_result {
    double sum[LOSSI_PASS_SUMS];
    double maximum[LOSSI_PASS_MAXIMA];
} lossi_pass_result;

/* Elements begin … end − 1, whole blocks but for the last; the result is that of this slice alone. */
typedef lossi_pass_result (*lossi_pass_kernel)(const lossi_pass *pass, int64_t begin, int64_t end);

/* a … d are in[0] … in[3], u and v out[0] and out[1], s0 … s3 the scalars. */
typedef struct lossi_vector_kernels {
    lossi_pass_kernel dot;       /* sum a·b                                               */
    lossi_pass_kernel norm;      /* maximum |a|                                           */
    lossi_pass_kernel move;      /* u = a + s0·b                                          */
    lossi_pass_kernel take;      /* u = a; sum a·b; maximum |a|                           */
    lossi_pass_kernel measure;   /* sum a·b; maximum |a|                                  */
    lossi_pass_kernel combine;   /* u = s0·a + s1·b; sums u·a, u·u                        */
    lossi_pass_kernel recur;     /* u = s1·(a + s0·b); sum u·c        (two-loop recursion) */
    lossi_pass_kernel pair;      /* u = a − b, v = c − d; sums u·v, v·v, u·u              */
    lossi_pass_kernel change;    /* sums (a−b)·a, (a−b)·(a−b)                             */
    lossi_pass_kernel turn;      /* sums (a−b)·c, (a−b)·(c−d), a·c                        */
    lossi_pass_kernel distance;  /* maxima |a − b|, |a|                                   */
    lossi_pass_kernel conjugate; /* u += s0·a, v −= s0·b; sums v·v, u·v, u·c              */
    lossi_pass_kernel clamped;   /* sum (s1·min(|a|, s0))²; maximum |a|                   */
} lossi_vector_kernels;

#endif
