/*
 * Where squares leave the range of the type, numbers are taken times a power of two first, and what is made of them times another one:
 * that is exact, and where the power is 1 nothing changes. As with the three accumulators of Blue, A portable Fortran program to find
 * the Euclidean norm of a vector, ACM Trans. Math. Softw. 4 (1978), 15–23, there are few powers, each for a wide interval.
 */
#include "gradient/graph/range.h"

#include <math.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"
#include "gradient/objective.h"
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

/* ---- sums of scaled squares ---- */

enum { A, PLAIN, FACTOR }; /* inputs */

static loss_status infer_squares(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, PLAIN)->shape;
    return LOSS_OK;
}

/* a factor */
static int32_t put_scaled(lossi_tape *tape, int32_t node, int32_t a)
{
    return lossi_tape_multiply(tape, a, lossi_tape_input(tape, node, FACTOR));
}

/*
 * 2 a factor² of each element, the second factor last, so that nothing on the way leaves the range. The sum of the squares as they are
 * is no way to a of its own, and factors have no derivatives.
 */
static int32_t squares_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    if (which != A) {
        return LOSSI_NONE;
    }
    const int32_t scaled = put_scaled(tape, node, lossi_tape_input(tape, node, A));
    return put_scaled(tape, node, lossi_tape_multiply(tape, scaled, lossi_tape_sum(tape, adjoint, adjoint)));
}

static int32_t squares_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    if (tangents[A] == LOSSI_NONE) {
        return LOSSI_NONE;
    }
    const int32_t half = lossi_tape_multiply(tape, put_scaled(tape, node, lossi_tape_input(tape, node, A)),
                                             put_scaled(tape, node, tangents[A]));
    const int32_t sum = lossi_tape_reduce(tape, half, (int32_t)tape->nodes[node].attributes.integer[0]);
    return lossi_tape_sum(tape, sum, sum);
}

/* The shape of a with the rows filled in, and bytes of its elements. */
static lossi_shape shape_of_a(const lossi_tape *tape, int32_t node, int64_t rows)
{
    lossi_shape shape = *lossi_tape_shape(tape, lossi_tape_input(tape, node, A));
    if (lossi_shape_of_rows(&shape)) {
        shape.size[0] = rows;
    }
    return shape;
}

static int64_t element_bytes(const lossi_shape *shape, loss_dtype dtype)
{
    return (lossi_shape_elements(shape, 0) * loss_dtype_size(dtype) + 63) / 64 * 64;
}

static int64_t squares_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape shape = shape_of_a(tape, node, rows);
    return element_bytes(&shape, tape->dtype) +
           lossi_reduce_scratch(&shape, (int32_t)tape->nodes[node].attributes.integer[0]);
}

static int32_t all_are_one(const lossi_value *factors)
{
    const int64_t count = lossi_value_elements(factors);
    int64_t i = 0;
    while (i < count && lossi_real_get(factors->dtype, factors->data, i) == 1) {
        i++;
    }
    return i == count;
}

/* Squares of all elements times their factors, which stand where the sums stand: the axes of size 1 are those added up. */
static void square_all(const lossi_node_run *run, const lossi_value *to)
{
    const lossi_value *a = &run->input[A], *factors = &run->input[FACTOR];
    int64_t place[LOSSI_RANK] = {0}, at = 0;
    const int64_t count = lossi_value_elements(a);
    for (int64_t i = 0; i < count; i++) {
        const double number = lossi_real_get(a->dtype, a->data, i) *
                              lossi_real_get(factors->dtype, factors->data, at);
        lossi_real_put(to->dtype, to->data, i, number * number);
        int64_t stride = 1;
        for (int32_t axis = a->shape.rank - 1; axis >= 0; axis--) {
            const int64_t own = factors->shape.size[axis] == 1 ? 0 : stride;
            stride *= factors->shape.size[axis];
            at += own;
            if (++place[axis] < a->shape.size[axis]) {
                break;
            }
            place[axis] = 0;
            at -= own * a->shape.size[axis];
        }
    }
}

static loss_status run_squares(const lossi_node_run *run)
{
    const lossi_value *a = &run->input[A];
    if (all_are_one(&run->input[FACTOR])) {
        memcpy(run->output.data, run->input[PLAIN].data,
               (size_t)(lossi_value_elements(&run->output) * loss_dtype_size(run->output.dtype)));
        return LOSS_OK;
    }
    const lossi_value squares = {run->scratch, a->dtype, a->shape};
    square_all(run, &squares);
    lossi_reduce_run(run->context, LOSSI_REDUCE_SUM, &squares, (int32_t)run->attributes->integer[0],
                     &run->output, (char *)run->scratch + element_bytes(&a->shape, a->dtype));
    return LOSS_OK;
}

static const lossi_operation scaled_squares = {.name = "_scaled_squares",
                                               .infer = infer_squares,
                                               .vector_jacobian = squares_adjoint,
                                               .jacobian_vector = squares_tangent,
                                               .scratch = squares_scratch,
                                               .run = run_squares};

int32_t lossi_tape_scaled_squares(lossi_tape *tape, int32_t a, int32_t axes, int32_t plain, int32_t factor)
{
    const lossi_attributes attributes = {.integer = {axes}};
    const int32_t inputs[] = {[A] = a, [PLAIN] = plain, [FACTOR] = factor};
    return lossi_tape_add(tape, &scaled_squares, &attributes, inputs, 3);
}
