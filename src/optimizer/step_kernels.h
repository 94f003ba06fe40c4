/*
 * Steps of stochastic methods: one pass over memory that reads the gradient, the parameters and a method's own
 * vectors and writes what changes.
 *
 * All arithmetic is in the element type, by operations that are rounded once and no fused ones, so the bits are the
 * same on every instruction set. Every step begins with what is common,
 *
 *     g = scale · clamp(gradient, ±clip) + l2 · x        clipping, weight decay in the gradient
 *
 * and ends in z = keep · x − u, where keep < 1 is decoupled weight decay and u the update with its learning rate. With
 * penalties c·|x| and bounds l ≤ x ≤ b the steps down to amsgrad end in their proximal map, else in x = z:
 *
 *     x = min(b, max(l, sign(z) · max(|z| − a·c, 0)))
 *
 * for a, what the step multiplies a constant gradient by: the map in the metric of the step (Duchi, Hazan & Singer, J. Mach.
 * Learn. Res. 12 (2011), §5; Yun, Lozano & Yang, NeurIPS 2021). A momentum then goes on with the step that was taken, as the
 * inertial one of iPiano does (Ochs, Chen, Brox & Pock, SIAM J. Imaging Sci. 7 (2014), eq. 5): of z − x, what was taken off
 * the step, it gets its share.
 */
#ifndef LOSSI_OPTIMIZER_STEP_KERNELS_H
#define LOSSI_OPTIMIZER_STEP_KERNELS_H

#include <stdint.h>

#include "loss/optimizer.h"

enum { LOSSI_STEP_VECTORS = 4, LOSSI_STEP_SCALARS = 8 };

typedef struct lossi_step {
    const void *gradient;
    void *x;
    void *state[LOSSI_STEP_VECTORS];     /* the method's own */
    const void *weights, *lower, *upper; /* c; l and b: NULL where there are none */
    int64_t rows, columns;               /* of a matrix */
    double clip, scale, l2, keep;
    double
        rate; /* learning rate of this stretch; for adam what a constant gradient is multiplied by before the division */
    double scalar[LOSSI_STEP_SCALARS];
} lossi_step;

/* Elements begin … end − 1. Gives 1 when a derivative was not finite: what is written then means nothing. */
typedef int32_t (*lossi_step_kernel)(const lossi_step *step, int64_t begin, int64_t end);

/* s0 … s7 the scalars, p q r w the own vectors in their order. */
typedef struct lossi_step_kernels {
    lossi_step_kernel plain;    /* u = s0·g */
    lossi_step_kernel momentum; /* p = s0·p + s1·g, u = s2·g + s3·p; a = s4, p += s5·(z − x) */
    lossi_step_kernel adagrad;  /* p += g², u = s0·g/(√p + s1) */
    lossi_step_kernel adadelta; /* p = s0·p + s1·g², d = √(q + s2)/√(p + s2)·g, q = s0·q + s1·d², u = s3·d */
    lossi_step_kernel rmsprop[2][2]; /* [centered][momentum], see rmsprop.c */
    lossi_step_kernel adam; /* p = s0·p + s1·g, q = s2·q + s3·g², u = (s4·g + s5·p)/(s6·√q + s7) */
    lossi_step_kernel amsgrad;     /* the same with r = max(r, q) under the root */
    lossi_step_kernel lion;        /* u = s0·sign(s1·p + s2·g), p = s3·p + s4·g */
    lossi_step_kernel scaled_root; /* p = s0·p + s1·g², q = g/max(√p, s2); x stays */
    lossi_step_kernel interpolate; /* p += s0·(g − p), q = g + s1·(p − g); x stays */
    lossi_step_kernel average;     /* p += s0·(x − p); x stays */
    lossi_step_kernel yield; /* p += s0·(gradient − x), the gradient being x before a proximal map; x stays */
    lossi_step_kernel copy;     /* p = gradient; x stays */
    lossi_step_kernel correct;  /* p = gradient − p + q; x stays */
    lossi_step_kernel exchange; /* d = gradient − p, p = gradient, r = s0·d + q, q += s1·d; x stays */
    /* Of a matrix of gradients; p are R and C, the means of rows and columns, one behind the other; x stays. */
    lossi_step_kernel row_squares;    /* rows begin … end − 1: R = s0·R + s1·mean g² */
    lossi_step_kernel column_squares; /* columns begin … end − 1: C = s0·C + s1·mean g² */
    lossi_step_kernel factored;       /* rows: q = g/√max(R·C/max(s3, s2), s2²) */
} lossi_step_kernels;

/* Those of the context's instruction set and the optimizer's type. */
const lossi_step_kernels *lossi_steps(const loss_optimizer *optimizer);

/* Runs one over elements 0 … count − 1 of the pointers; the slices of a long stretch go to the context's threads. */
int32_t lossi_run_step(const loss_optimizer *optimizer, lossi_step_kernel kernel, const lossi_step *step,
                       int64_t count);

/* The same over rows, or columns, 0 … count − 1 of a matrix, each of `breadth` elements. */
int32_t lossi_run_bands(const loss_optimizer *optimizer, lossi_step_kernel kernel, const lossi_step *step,
                        int64_t count, int64_t breadth);

#endif
