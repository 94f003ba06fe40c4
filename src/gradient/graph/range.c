/*
 * Where squares leave the range of the type, numbers are taken times a power of two first, and what is made of them times another one:
 * that is exact, and where the power is 1 nothing changes. As with the three accumulators of Blue, A portable Fortran program to find
 * the Euclidean norm of a vector, ACM Trans. Math. Softw. 4 (1978), 15–23, there are few powers, each for a wide interval.
 */
#include "gradient/graph/range.h"

#include <math.h>

#include "gradient/graph/operations.h"
#include "loss/expression/expression.h"

/* Of squares above or below 2^limit, numbers are taken times 2^power. */
typedef struct step {
    int32_t limit, power;
} step;

/*
 * With norms n = √squares, n·2^power and its square are normal numbers, and so are first and second derivatives on their way, of the
 * size of 2^−power / n². float32 has an interval more for that: n may be 2^50 … 2^63, and beyond up to 2^128 where squares are infinite.
 * Small ones, which go down to 2^−149 and 2^−1074, are below 2^−30 and 2^−400: single elements that are smaller by half the digits of
 * the type do not count any more, and have squares in the range up to there.
 */
static const step far32 = {126, -80}, large32 = {100, -60}, small32 = {-60, 80};
static const step large64 = {800, -550}, small64 = {-800, 550};

static int32_t choose(lossi_tape *tape, int32_t squares, int32_t comparison, step s, int32_t sign,
                      int32_t other)
{
    const int32_t limit = lossi_tape_number(tape, ldexp(1, s.limit)),
                  power = lossi_tape_number(tape, ldexp(1, sign * s.power));
    const int32_t beyond = lossi_tape_scalar(tape, comparison, squares, limit, LOSSI_NONE);
    return lossi_tape_scalar(tape, LOSSI_SCALAR_select, beyond, power, other);
}

lossi_range lossi_tape_range(lossi_tape *tape, int32_t squares, int32_t small)
{
    const int32_t single = tape->dtype == LOSS_FLOAT32;
    int32_t made[2];
    for (int32_t k = 0; k < 2; k++) {
        const int32_t sign = k == 0 ? 1 : -1;
        int32_t node = lossi_tape_number(tape, 1.0);
        node = small ? choose(tape, squares, LOSSI_SCALAR_less, single ? small32 : small64, sign, node)
                     : node;
        node = choose(tape, squares, LOSSI_SCALAR_greater, single ? large32 : large64, sign, node);
        made[k] = single ? choose(tape, squares, LOSSI_SCALAR_greater, far32, sign, node) : node;
    }
    return (lossi_range){made[0], made[1]};
}
