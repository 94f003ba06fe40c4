/*
 * What limited-memory methods do with all vectors of their memory in one pass: the products of each with a common one,
 * and the sum of them with weights.
 *
 * Elements, sums and bits are as in vector_kernels.h. A pass at the size of the memory is as fast as the memory of the
 * machine gives it away, so each brings along what would be a pass of its own over vectors it has at hand.
 */
#ifndef LOSSI_OPTIMIZER_LIMITED_MEMORY_KERNELS_H
#define LOSSI_OPTIMIZER_LIMITED_MEMORY_KERNELS_H

#include <stdint.h>

/*
 * At most LOSSI_MANY vectors at once, an even number; more are done in turns. LOSSI_PAIR_SUMS are those of `learn` before the
 * others: five, and a place up to a whole vector of any instruction set, since sums are added by vectors.
 */
enum { LOSSI_MANY = 24, LOSSI_PAIR_SUMS = 8, LOSSI_MANY_SUMS = LOSSI_PAIR_SUMS + LOSSI_MANY };

typedef struct lossi_many {
    const void *vector[LOSSI_MANY];
    const double *weight;
    const void *a, *b, *c, *d;
    void *out[2];
    double scalar, step;
    int32_t count;
    int32_t
        backwards; /* slices from the last to the first: begins with what the pass before has left in the cache */
} lossi_many;

/* Elements begin … end − 1, whole blocks but for the last. There is room for a multiple of 8 sums, but for that of `weigh`. */
typedef void (*lossi_many_kernel)(const lossi_many *many, int64_t begin, int64_t end, double *sums);

/*
 * The two loops of L-BFGS on numbers. Pairs are in a ring of `places`, the i-th, 0 the oldest, at `oldest` + i; with_s, with_y and
 * the rows of sy and yy go by places and are `row` numbers long, a multiple of 8 and at most LOSSI_LARGEST_ROW. sy is symmetric,
 * sᵢᵀyⱼ, i the older one, with ρ in the diagonal; yy is yᵢᵀyⱼ. The result is −H∇f = −scale·∇f + Σ weight[2i]·sᵢ + weight[2i + 1]·yᵢ.
 */
enum { LOSSI_LARGEST_ROW = 104 };

typedef struct lossi_recursion {
    const double *with_s, *with_y, *sy, *yy; /* sᵢᵀ∇f, yᵢᵀ∇f */
    double *weight;
    double scale;
    int64_t row;
    int32_t count; /* at least 1 */
    int32_t places, oldest;
} lossi_recursion;

/* u and v are out[0] and out[1]; out may be any of the others, element i depends on elements i only. */
typedef struct lossi_memory_kernels {
    lossi_many_kernel products; /* sums vector[i]·a                                                      */
    lossi_many_kernel learn; /* u = b − c, v = a − d; sums u·v, v·v, u·u, u·a, v·a, then vector[i]·a   */
    lossi_many_kernel weigh; /* u = scalar·a + Σ weight[i]·vector[i]; sum u·b; v = c + step·u if v ≠ NULL */
    int32_t (*recur)(const lossi_recursion *recursion); /* 0: a weight is not finite */
} lossi_memory_kernels;

#endif
