/* Uniform random numbers in the domain that the row of a loss declares: no loss is known here by its name. */
#include "arrays.h"

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "loss/handle.h"
#include "loss/random.h"

/* Large pages, where the system has them: the limit and the losses get the same. */
static void *map(int64_t bytes)
{
    void *pointer = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pointer == MAP_FAILED) {
        return NULL;
    }
    madvise(pointer, (size_t)bytes, MADV_HUGEPAGE);
    memset(pointer, 0, (size_t)bytes); /* a page that nobody wrote to is read from one place in a cache */
    return pointer;
}

int bench_arrays_create(bench_arrays *arrays, int64_t most, int64_t most_rows)
{
    arrays->most = most;
    arrays->most_rows = most_rows;
    arrays->prediction = map(most * 8);
    arrays->target = map(most * 8);
    arrays->gradient = map(most * 8);
    arrays->labels = map(most_rows * 8);
    return arrays->prediction != NULL && arrays->target != NULL && arrays->gradient != NULL &&
           arrays->labels != NULL;
}

double bench_inside(const lossi_domain *domain, double u)
{
    const int below = isinf(domain->low), above = isinf(domain->high);
    if (domain->discrete) {
        return u < 0.5 ? domain->low : domain->high;
    }
    if (below && above) {
        return 8 * u - 4;
    }
    if (above) {
        return domain->low + 4 * (1 - u);
    }
    return below ? domain->high - 4 * (1 - u) : domain->low + u * (domain->high - domain->low);
}

static void put(void *array, int bits, int64_t i, double x)
{
    if (bits == 32) {
        ((float *)array)[i] = (float)x;
    } else {
        ((double *)array)[i] = x;
    }
}

void bench_arrays_fill(bench_arrays *arrays, const loss_function *function, int bits, int64_t n)
{
    enum { PIECE = 1000 };
    double u[2 * PIECE];
    for (int64_t i = 0; i < n; i++) {
        if (i % PIECE == 0) {
            loss_random_uniform(1, 0, 2 * i, 2 * PIECE, u);
        }
        put(arrays->prediction, bits, i, bench_inside(&function->prepared.prediction, u[2 * (i % PIECE)]));
        put(arrays->target, bits, i, bench_inside(&function->prepared.target, u[2 * (i % PIECE) + 1]));
    }
}

void bench_arrays_fill_labels(bench_arrays *arrays, int64_t rows, int64_t classes)
{
    for (int64_t i = 0; i < rows && i < arrays->most_rows; i++) {
        arrays->labels[i] = (i * 7919) % classes; /* a prime: all classes, no pattern a branch could learn */
    }
}
