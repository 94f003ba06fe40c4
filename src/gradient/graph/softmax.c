/*
 * The softmax along the last axis, its logarithm, and the logarithm of a sum of exponentials over the last axes.
 *
 * With p the softmax of a row z, whatever is reduced being the row,
 *
 *     p̄ ↦ p (p̄ − Σ p p̄)        ȳ of log p ↦ ȳ − p Σ ȳ        ȳ of log Σ exp z ↦ ȳ p
 *
 * and tangents are ṗ = p (ż − Σ p ż), ż − Σ p ż, Σ p ż: nodes of the same kind, so derivatives of every order are there.
 * Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions, IMA J. Numer. Anal. 41 (2021).
 */
#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"
#include "gradient/graph/softmax_kernels.h"

enum { KIND, LAST }; /* attributes: which, and how many of the last axes a row is */

enum { TASK_ELEMENTS = 8192 }; /* of a thread at a time: some 10 µs */

static const lossi_operation softmax_rows;

static loss_status infer_rows(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    if (node->attributes.integer[KIND] == LOSSI_LOG_SUM_EXP) {
        for (int64_t i = 0; i < node->attributes.integer[LAST]; i++) {
            node->shape.size[node->shape.rank - 1 - i] = 1;
        }
    }
    return LOSS_OK;
}

static int32_t put_rows(lossi_tape *tape, int64_t kind, int64_t last, int32_t a)
{
    const lossi_attributes attributes = {.integer = {[KIND] = kind, [LAST] = last}};
    return lossi_tape_add(tape, &softmax_rows, &attributes, &a, 1);
}

/* The sum over a row of something of the shape of the input. */
static int32_t sum_row(lossi_tape *tape, int32_t node, int64_t last, int32_t a)
{
    const int32_t rank = lossi_tape_shape(tape, node)->rank;
    const int32_t all = (1 << rank) - 1;
    return lossi_tape_reduce(tape, a, all & ~(all >> last));
}

/* p (x − Σ p x) */
static int32_t centred(lossi_tape *tape, int32_t node, int64_t last, int32_t x)
{
    const int32_t mean = sum_row(tape, node, last, lossi_tape_multiply(tape, node, x));
    return lossi_tape_multiply(tape, node, lossi_tape_subtract(tape, x, mean));
}

static int32_t rows_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const int64_t last = attributes.integer[LAST];
    const int32_t input = lossi_tape_input(tape, node, which);
    if (attributes.integer[KIND] == LOSSI_SOFTMAX) {
        return centred(tape, node, last, adjoint);
    }
    const int32_t p = put_rows(tape, LOSSI_SOFTMAX, last, input);
    if (attributes.integer[KIND] == LOSSI_LOG_SUM_EXP) {
        return lossi_tape_multiply(tape, adjoint, p);
    }
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    const int32_t sum = sum_row(tape, node, last, lossi_tape_full(tape, adjoint, &shape));
    return lossi_tape_subtract(tape, adjoint, lossi_tape_multiply(tape, p, sum));
}

static int32_t rows_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const int64_t last = attributes.integer[LAST];
    if (attributes.integer[KIND] == LOSSI_SOFTMAX) {
        return centred(tape, node, last, tangents[0]);
    }
    const int32_t p = put_rows(tape, LOSSI_SOFTMAX, last, lossi_tape_input(tape, node, 0));
    const int32_t mean = sum_row(tape, node, last, lossi_tape_multiply(tape, p, tangents[0]));
    return attributes.integer[KIND] == LOSSI_LOG_SUM_EXP ? mean
                                                         : lossi_tape_subtract(tape, tangents[0], mean);
}

typedef struct job {
    lossi_softmax_rows kernel;
    const char *from;
    char *to;
    int64_t rows, columns, task_rows, size, out;
} job;

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const job *j = argument;
    const int64_t begin = index * j->task_rows;
    const int64_t rows = j->rows - begin < j->task_rows ? j->rows - begin : j->task_rows;
    (void)worker;
    j->kernel(rows, j->columns, j->from + begin * j->columns * j->size, j->to + begin * j->out * j->size);
}

/* The logarithm of no exponentials. */
static void fill_empty(const lossi_value *output)
{
    const double low = -HUGE_VAL;
    const float single = -HUGE_VALF;
    for (int64_t i = 0; i < lossi_value_elements(output); i++) {
        if (output->dtype == LOSS_FLOAT64) {
            memcpy(output->data + 8 * i, &low, sizeof low);
        } else {
            memcpy(output->data + 4 * i, &single, sizeof single);
        }
    }
}

static loss_status run_rows(const lossi_node_run *run)
{
    const int64_t kind = run->attributes->integer[KIND];
    const lossi_shape *shape = &run->input[0].shape;
    job j = {.from = run->input[0].data, .to = run->output.data, .rows = 1, .columns = 1};
    for (int32_t i = 0; i < shape->rank; i++) {
        *(i < shape->rank - run->attributes->integer[LAST] ? &j.rows : &j.columns) *= shape->size[i];
    }
    if (j.rows * j.columns == 0) {
        fill_empty(&run->output);
        return LOSS_OK;
    }
    j.kernel = lossi_softmax_row_kernels_for(lossi_context_isa(run->context),
                                             lossi_real_index(run->output.dtype))
                   ->of[kind];
    j.size = loss_dtype_size(run->output.dtype);
    j.out = kind == LOSSI_LOG_SUM_EXP ? 1 : j.columns;
    j.task_rows = (TASK_ELEMENTS + j.columns - 1) / j.columns;
    j.task_rows = (j.task_rows + 15) / 16 * 16; /* rows that begin together */
    if (j.rows <= j.task_rows) {
        run_task(&j, 0, 0);
    } else {
        lossi_parallel(run->context, (j.rows + j.task_rows - 1) / j.task_rows, run_task, &j);
    }
    return LOSS_OK;
}

static const lossi_operation softmax_rows = {.name = "_softmax_rows",
                                             .infer = infer_rows,
                                             .vector_jacobian = rows_adjoint,
                                             .jacobian_vector = rows_tangent,
                                             .run = run_rows};

/* ---- by name ---- */

static loss_status infer_softmax(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    if (node->shape.rank < 1) {
        return lossi_operation_fail_shapes(tape, node, "there is no last axis");
    }
    return lossi_check_real(tape, node, 0);
}

static int32_t expand_softmax(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                              int32_t count)
{
    (void)attributes;
    (void)count;
    return put_rows(tape, LOSSI_SOFTMAX, 1, inputs[0]);
}

static int32_t expand_log_softmax(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                                  int32_t count)
{
    (void)attributes;
    (void)count;
    return put_rows(tape, LOSSI_LOG_SOFTMAX, 1, inputs[0]);
}

static const loss_option options[] = {LOSSI_AXES_OPTION_ROWS};

static loss_status infer_log_sum_exp(const lossi_tape *tape, lossi_tape_node *node)
{
    const int32_t rank = lossi_input_node(tape, node, 0)->shape.rank;
    const int32_t axes = lossi_axes_of(&node->attributes, rank), all = (1 << rank) - 1;
    if (axes >= 0 && ((all & ~axes) & ((all & ~axes) + 1)) != 0) {
        return lossi_operation_fail_shapes(tape, node, "the axes are not the last ones");
    }
    return lossi_axes_infer(tape, node);
}

static int32_t expand_log_sum_exp(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                                  int32_t count)
{
    const int32_t axes = lossi_axes_of(attributes, lossi_tape_shape(tape, inputs[0])->rank);
    int32_t last = 0;
    (void)count;
    for (int32_t i = 0; axes >> i != 0; i++) {
        last += axes >> i & 1;
    }
    return lossi_axes_drop(tape, attributes, put_rows(tape, LOSSI_LOG_SUM_EXP, last, inputs[0]));
}

const lossi_operation lossi_operation_softmax = {
    .name = "softmax",
    .summary = "the softmax along the last axis",
    .inputs = "a",
    .formula = "exp(a[..., j]) / sum over k of exp(a[..., k])",
    .reference = "Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)",
    .infer = infer_softmax,
    .expand = expand_softmax};

const lossi_operation lossi_operation_log_softmax = {
    .name = "log_softmax",
    .summary = "the logarithm of the softmax along the last axis, exact in both tails",
    .inputs = "a",
    .formula = "a[..., j] - log(sum over k of exp(a[..., k]))",
    .reference =
        "Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions, IMA "
        "J. Numer. Anal. 41 (2021)",
    .infer = infer_softmax,
    .expand = expand_log_softmax};

const lossi_operation lossi_operation_log_sum_exp = {
    .name = "log_sum_exp",
    .summary = "the logarithm of the sum of exponentials over the last axes",
    .inputs = "a",
    .formula = "log(sum over the axes of exp(a))",
    .reference =
        "Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions, IMA "
        "J. Numer. Anal. 41 (2021)",
    .options = options,
    .option_count = LOSSI_AXES_OPTIONS,
    .settle = lossi_axes_settle,
    .infer = infer_log_sum_exp,
    .expand = expand_log_sum_exp};
