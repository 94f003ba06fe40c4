/*
 * Products of matrices in pairs: c[…, i, j] = Σ_k a[…, i, k] · b[…, k, j], where either may be given transposed.
 *
 * With A and B as they stand in the product, Ā = C̄·Bᵀ and B̄ = Aᵀ·C̄: products of the same kind, so derivatives of every order are
 * there. Every product is that of gradient/matrix_product.h, to the bit; small ones are shared out among threads, large ones
 * one after the other.
 */
#include "core/isa.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"
#include "gradient/matrix_product.h"

enum { TRANSPOSE_A, TRANSPOSE_B };

enum {
    LARGE = 1 << 22,  /* multiplications of a product that has work for all threads */
    OF_TASK = 1 << 19 /* of a task at least */
};

static const loss_option options[] = {
    [TRANSPOSE_A] = {"transpose_a", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
                     "1: matrices of a are given transposed"},
    [TRANSPOSE_B] = {"transpose_b", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
                     "1: matrices of b are given transposed"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    (void)context;
    attributes->integer[TRANSPOSE_A] = lossi_options_own(given, TRANSPOSE_A)->integer;
    attributes->integer[TRANSPOSE_B] = lossi_options_own(given, TRANSPOSE_B)->integer;
    return LOSS_OK;
}

/* The sizes of one product. */
typedef struct sizes {
    int64_t rows, columns, inner, inner_of_b;
} sizes;

static sizes sizes_of(const lossi_attributes *attributes, const lossi_shape *a, const lossi_shape *b)
{
    const int64_t *last_a = a->size + a->rank - 2, *last_b = b->size + b->rank - 2;
    const int64_t ta = attributes->integer[TRANSPOSE_A], tb = attributes->integer[TRANSPOSE_B];
    return (sizes){last_a[ta != 0], last_b[tb == 0], last_a[ta == 0], last_b[tb != 0]};
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *a = &lossi_input_node(tape, node, 0)->shape,
                      *b = &lossi_input_node(tape, node, 1)->shape;
    loss_status status = lossi_check_real(tape, node, 0);
    if (status == LOSS_OK) {
        status = lossi_check_real(tape, node, 1);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_shape before_a = *a, before_b = *b;
    before_a.rank -= 2;
    before_b.rank -= 2;
    if (a->rank < 2 || a->rank != b->rank || !lossi_shapes_equal(&before_a, &before_b) ||
        (a->rank == 2 && (lossi_shape_of_rows(a) || lossi_shape_of_rows(b)))) {
        return lossi_operation_fail_shapes(
            tape, node, "both have the same sizes before the two of a matrix, where no rows are");
    }
    const sizes s = sizes_of(&node->attributes, a, b);
    if (s.inner != s.inner_of_b) {
        return lossi_operation_fail_shapes(tape, node, "the inner sizes of the matrices are not equal");
    }
    node->shape = *a;
    node->shape.size[a->rank - 2] = s.rows;
    node->shape.size[a->rank - 1] = s.columns;
    return lossi_shape_check(tape->context, "what the operation 'batch_matrix_product' gives", &node->shape);
}

static int32_t put_product(lossi_tape *tape, int32_t a, int32_t b, int64_t transpose_a, int64_t transpose_b)
{
    const lossi_attributes attributes = {
        .integer = {[TRANSPOSE_A] = transpose_a, [TRANSPOSE_B] = transpose_b}};
    const int32_t inputs[] = {a, b};
    return lossi_tape_add(tape, &lossi_operation_batch_matrix_product, &attributes, inputs, 2);
}

static int32_t product_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const int64_t ta = attributes.integer[TRANSPOSE_A], tb = attributes.integer[TRANSPOSE_B];
    const int32_t a = lossi_tape_input(tape, node, 0), b = lossi_tape_input(tape, node, 1);
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    adjoint = lossi_tape_full(tape, adjoint, &shape);
    if (which == 0) {
        return ta ? put_product(tape, b, adjoint, tb, 1) : put_product(tape, adjoint, b, 0, !tb);
    }
    return tb ? put_product(tape, adjoint, a, 1, ta) : put_product(tape, a, adjoint, !ta, 0);
}

static int32_t product_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    int32_t sum = LOSSI_NONE;
    for (int32_t which = 0; which < 2; which++) {
        if (tangents[which] != LOSSI_NONE) {
            const lossi_shape shape = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
            int32_t inputs[] = {lossi_tape_input(tape, node, 0), lossi_tape_input(tape, node, 1)};
            inputs[which] = lossi_tape_full(tape, tangents[which], &shape);
            sum = lossi_tape_sum(
                tape, sum,
                lossi_tape_add(tape, &lossi_operation_batch_matrix_product, &attributes, inputs, 2));
        }
    }
    return sum;
}

/* ---- running ---- */

static int64_t pairs_of(const lossi_shape *shape, int64_t rows)
{
    lossi_shape before = *shape;
    before.rank -= 2;
    return lossi_shape_elements(&before, rows);
}

static int32_t is_large(const sizes *s)
{
    return (double)s->rows * (double)s->columns * (double)s->inner >= LARGE;
}

static int64_t lines(int64_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int64_t product_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_tape_node *at = &tape->nodes[node];
    const sizes s = sizes_of(&at->attributes, lossi_tape_shape(tape, lossi_tape_input(tape, node, 0)),
                             lossi_tape_shape(tape, lossi_tape_input(tape, node, 1)));
    (void)rows;
    return is_large(&s)
               ? lossi_matrix_product_scratch(tape->context, tape->dtype, s.rows, s.columns, s.inner)
               : lossi_context_threads(tape->context) *
                     lines(lossi_matrix_product_serial_scratch(tape->dtype, s.rows, s.columns, s.inner));
}

typedef struct job {
    const lossi_node_run *run;
    sizes s;
    int32_t isa;
    int64_t pairs, per_task;
    char *scratch;
    int64_t worker_bytes;
} job;

/* The matrix of a pair, as it stands in the product. */
static lossi_matrix_view matrix_of(const lossi_value *value, int64_t pair, int64_t transposed)
{
    const int64_t *last = value->shape.size + value->shape.rank - 2;
    const char *data = value->data + pair * last[0] * last[1] * loss_dtype_size(value->dtype);
    return transposed ? (lossi_matrix_view){data, 1, last[1]} : (lossi_matrix_view){data, last[1], 1};
}

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const job *j = argument;
    const lossi_node_run *run = j->run;
    const int64_t end = (index + 1) * j->per_task < j->pairs ? (index + 1) * j->per_task : j->pairs;
    const int64_t bytes = j->s.rows * j->s.columns * loss_dtype_size(run->output.dtype);
    for (int64_t pair = index * j->per_task; pair < end; pair++) {
        lossi_matrix_product_serial(j->isa, run->output.dtype, j->s.rows, j->s.columns, j->s.inner,
                                    matrix_of(&run->input[0], pair, run->attributes->integer[TRANSPOSE_A]),
                                    matrix_of(&run->input[1], pair, run->attributes->integer[TRANSPOSE_B]),
                                    run->output.data + pair * bytes, j->s.columns, 0,
                                    j->scratch + worker * j->worker_bytes);
    }
}

static loss_status run_product(const lossi_node_run *run)
{
    const sizes s = sizes_of(run->attributes, &run->input[0].shape, &run->input[1].shape);
    const int64_t work = s.rows * s.columns * s.inner, pairs = pairs_of(&run->output.shape, 0);
    loss_status status = LOSS_OK;
    if (is_large(&s)) {
        const int64_t bytes = s.rows * s.columns * loss_dtype_size(run->output.dtype);
        for (int64_t pair = 0; pair < pairs && status == LOSS_OK; pair++) {
            status = lossi_matrix_product(
                run->context, run->output.dtype, s.rows, s.columns, s.inner,
                matrix_of(&run->input[0], pair, run->attributes->integer[TRANSPOSE_A]),
                matrix_of(&run->input[1], pair, run->attributes->integer[TRANSPOSE_B]),
                run->output.data + pair * bytes, s.columns, 0, run->scratch);
        }
        return status;
    }
    job j = {.run = run, .s = s, .isa = lossi_context_isa(run->context), .pairs = pairs};
    j.per_task = work < OF_TASK ? OF_TASK / (work > 0 ? work : 1) : 1;
    j.scratch = run->scratch;
    j.worker_bytes = lines(
        lossi_matrix_product_serial_scratch(run->output.dtype, s.rows, s.columns, s.inner));
    const int64_t tasks = (pairs + j.per_task - 1) / j.per_task;
    if (tasks == 1) {
        run_task(&j, 0, 0);
    } else if (tasks > 1) {
        lossi_parallel(run->context, tasks, run_task, &j);
    }
    return LOSS_OK;
}

const lossi_operation lossi_operation_batch_matrix_product = {
    .name = "batch_matrix_product",
    .summary = "products of the matrices of the last two axes, in pairs",
    .inputs = "a b",
    .formula = "sum over k of a[..., i, k] b[..., k, j]",
    .reference = "Giles, An extended collection of matrix derivative results for forward and reverse mode "
                 "algorithmic differentiation (2008)",
    .options = options,
    .option_count = 2,
    .settle = settle,
    .infer = infer,
    .vector_jacobian = product_adjoint,
    .jacobian_vector = product_tangent,
    .scratch = product_scratch,
    .run = run_product};
