/*
 * Rows of a table by their numbers (embeddings), elements of rows by theirs, and numbers as unit vectors.
 *
 *     gather           y[i…, :] = table[index[i…], :]       adjoint: table̅[n, :] = Σ over index[i…] = n of y̅[i…, :]
 *     take_along_axis  y[…, k] = a[…, index[…, k]]          adjoint: a̅[…, n] = Σ over index[…, k] = n of y̅[…, k]
 *
 * The sums of a table's row are added up in double in the order of the indices, those of take_along_axis in the element type:
 * whatever the threads. An index that is not there is a failure that names the node and the row of the data.
 */
#include <stdio.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"

static const lossi_operation scatter_add, put_along;

enum { TASK_BYTES = 128 * 1024, STRIP = 256 };

/* ---- indices ---- */

static int64_t index_at(const lossi_value *indices, int64_t i)
{
    int32_t small;
    int64_t large;
    switch (indices->dtype) {
    case LOSS_UINT8:
        return (uint8_t)indices->data[i];
    case LOSS_INT32:
        memcpy(&small, indices->data + 4 * i, sizeof small);
        return small;
    default:
        memcpy(&large, indices->data + 8 * i, sizeof large);
        return large;
    }
}

static loss_status check_indices_type(const lossi_tape *tape, const lossi_tape_node *node, int32_t which)
{
    const loss_dtype dtype = lossi_input_node(tape, node, which)->dtype;
    return dtype == LOSS_INT32 || dtype == LOSS_INT64 || dtype == LOSS_UINT8
               ? LOSS_OK
               : lossi_fail(tape->context, LOSS_ERROR_TYPE,
                            "the operation '%s' takes int32, int64 or uint8 as indices, not %s",
                            node->operation->name, loss_dtype_name(dtype));
}

/* " (node 7)", of the graph. */
static const char *origin_text(const lossi_node_run *run, char *text, size_t size)
{
    const int32_t origin = run->tape->nodes[run->node].origin;
    snprintf(text, size, " (node %d)", (int)origin);
    return origin == LOSSI_NONE ? "" : text;
}

/* All are 0 … count − 1, or a sentence with the node and the row of the data. */
static loss_status check_indices(const lossi_node_run *run, const lossi_value *indices, int64_t count,
                                 const char *name)
{
    const int64_t elements = lossi_value_elements(indices);
    const lossi_batch_state *batch = run->batch;
    char text[32];
    for (int64_t i = 0; i < elements; i++) {
        const int64_t index = index_at(indices, i);
        if (index < 0 || index >= count) {
            const int32_t node = lossi_tape_input(run->tape, run->node, run->input_count - 1);
            const int32_t of_rows = lossi_shape_of_rows(lossi_tape_shape(run->tape, node));
            const int64_t r = of_rows ? i / (elements / indices->shape.size[0]) : i;
            const int64_t row = !of_rows ? i : batch->indices != NULL ? batch->indices[r] : batch->first + r;
            return lossi_fail_row(
                run->context, LOSS_ERROR_LABEL, row,
                "the operation '%s'%s has the index %lld in row %lld; 0 … %lld were expected", name,
                origin_text(run, text, sizeof text), (long long)index, (long long)row, (long long)count - 1);
        }
    }
    return LOSS_OK;
}

static int32_t put_with_indices(lossi_tape *tape, const lossi_operation *operation,
                                const lossi_attributes *attributes, int32_t a, int32_t indices)
{
    const int32_t inputs[] = {a, indices};
    return lossi_tape_add(tape, operation, attributes, inputs, 2);
}

/* A tangent of the first input in its shape. */
static int32_t full_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_shape shape = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    return lossi_tape_full(tape, tangents[0], &shape);
}

static int32_t full_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    return lossi_tape_full(tape, adjoint, &shape);
}

/* ---- gather ---- */

static loss_status infer_gather(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *table = &lossi_input_node(tape, node, 0)->shape;
    const lossi_shape *indices = &lossi_input_node(tape, node, 1)->shape;
    loss_status status = lossi_check_real(tape, node, 0);
    if (status == LOSS_OK) {
        status = check_indices_type(tape, node, 1);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (table->rank < 1 || lossi_shape_of_rows(table)) {
        return lossi_operation_fail_shapes(tape, node,
                                           "the table has a first size that is not the rows of the batch");
    }
    if (indices->rank + table->rank - 1 > LOSSI_RANK) {
        return lossi_operation_fail_shapes(tape, node, "there are at most 6 axes");
    }
    node->shape = *indices;
    for (int32_t i = 1; i < table->rank; i++) {
        node->shape.size[node->shape.rank++] = table->size[i];
    }
    return lossi_shape_check(tape->context, "what the operation 'gather' gives", &node->shape);
}

static int32_t gather_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape table = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    lossi_attributes attributes = {.integer = {table.rank}};
    if (which != 0) {
        return LOSSI_NONE;
    }
    memcpy(attributes.integer + 1, table.size, sizeof table.size[0] * (size_t)table.rank);
    return put_with_indices(tape, &scatter_add, &attributes, full_adjoint(tape, node, adjoint),
                            lossi_tape_input(tape, node, 1));
}

static int32_t gather_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    return put_with_indices(tape, &lossi_operation_gather, NULL, full_tangent(tape, node, tangents),
                            lossi_tape_input(tape, node, 1));
}

/* What both directions need: the indices, and bytes of a row of the table. */
typedef struct job {
    const lossi_value *indices;
    const char *from;
    char *to;
    loss_dtype dtype;
    int64_t size, row; /* bytes of an element, elements of a row */
    int64_t count, per_task;
    const int64_t *begin,
        *order; /* of each row of the table its indices: order[begin[n] … begin[n + 1] − 1] */
} job;

static void gather_task(void *argument, int64_t task, int32_t worker)
{
    const job *j = argument;
    const int64_t end = (task + 1) * j->per_task < j->count ? (task + 1) * j->per_task : j->count;
    const int64_t bytes = j->row * j->size;
    (void)worker;
    for (int64_t i = task * j->per_task; i < end; i++) {
        memcpy(j->to + i * bytes, j->from + index_at(j->indices, i) * bytes, (size_t)bytes);
    }
}

static void run_job(loss_context *context, job *j, lossi_task task)
{
    const int64_t bytes = j->row * j->size;
    j->per_task = bytes < TASK_BYTES ? TASK_BYTES / (bytes > 0 ? bytes : 1) : 1;
    const int64_t tasks = (j->count + j->per_task - 1) / j->per_task;
    if (tasks == 1) {
        task(j, 0, 0);
    } else if (tasks > 0) {
        lossi_parallel(context, tasks, task, j);
    }
}

/* Elements of all axes but the first. */
static int64_t row_elements(const lossi_shape *table)
{
    int64_t elements = 1;
    for (int32_t i = 1; i < table->rank; i++) {
        elements *= table->size[i];
    }
    return elements;
}

static loss_status run_gather(const lossi_node_run *run)
{
    const lossi_value *table = &run->input[0], *indices = &run->input[1];
    job j = {.indices = indices,
             .from = table->data,
             .to = run->output.data,
             .size = loss_dtype_size(table->dtype),
             .row = row_elements(&table->shape),
             .count = lossi_value_elements(indices)};
    const loss_status status = check_indices(run, indices, table->shape.size[0], "gather");
    if (status == LOSS_OK) {
        run_job(run->context, &j, gather_task);
    }
    return status;
}

const lossi_operation lossi_operation_gather = {
    .name = "gather",
    .summary = "rows of a table by their numbers, such as embeddings",
    .inputs = "table indices",
    .formula = "table[indices[...], :]",
    .reference = "",
    .infer = infer_gather,
    .vector_jacobian = gather_adjoint,
    .jacobian_vector = gather_tangent,
    .run = run_gather};

/* ---- its adjoint ---- */

static loss_status infer_scatter(const lossi_tape *tape, lossi_tape_node *node)
{
    (void)tape;
    node->shape.rank = (int32_t)node->attributes.integer[0];
    memcpy(node->shape.size, node->attributes.integer + 1,
           sizeof node->shape.size[0] * (size_t)node->shape.rank);
    return LOSS_OK;
}

static int32_t scatter_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    return which != 0 ? LOSSI_NONE
                      : put_with_indices(tape, &lossi_operation_gather, NULL,
                                         full_adjoint(tape, node, adjoint), lossi_tape_input(tape, node, 1));
}

static int32_t scatter_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    return put_with_indices(tape, &scatter_add, &attributes, full_tangent(tape, node, tangents),
                            lossi_tape_input(tape, node, 1));
}

static int64_t scatter_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const int64_t indices = lossi_shape_elements(lossi_tape_shape(tape, lossi_tape_input(tape, node, 1)),
                                                 rows);
    return 8 * (indices + lossi_tape_shape(tape, node)->size[0] + 2);
}

/* A counting sort: the indices of each row of the table in order. */
static void sort_indices(const lossi_value *indices, int64_t count, int64_t rows, int64_t *begin,
                         int64_t *order)
{
    memset(begin, 0, sizeof *begin * (size_t)(rows + 2));
    for (int64_t i = 0; i < count; i++) {
        begin[index_at(indices, i) + 2]++;
    }
    for (int64_t n = 2; n < rows + 2; n++) {
        begin[n] += begin[n - 1];
    }
    for (int64_t i = 0; i < count; i++) {
        order[begin[index_at(indices, i) + 1]++] = i;
    }
}

static void add_to(loss_dtype dtype, int64_t n, const char *from, double *sums)
{
    if (dtype == LOSS_FLOAT64) {
        for (int64_t i = 0; i < n; i++) {
            double x;
            memcpy(&x, from + 8 * i, sizeof x);
            sums[i] += x;
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            float x;
            memcpy(&x, from + 4 * i, sizeof x);
            sums[i] += (double)x;
        }
    }
}

/* Elements left … left + n − 1 of a row that has several indices. */
static void sum_strip(const job *j, int64_t row, int64_t left, int64_t n)
{
    double sums[STRIP] = {0};
    char *to = j->to + (row * j->row + left) * j->size;
    for (int64_t k = j->begin[row]; k < j->begin[row + 1]; k++) {
        add_to(j->dtype, n, j->from + (j->order[k] * j->row + left) * j->size, sums);
    }
    if (j->dtype == LOSS_FLOAT64) {
        memcpy(to, sums, (size_t)n * sizeof *sums);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const float single = (float)sums[i];
        memcpy(to + 4 * i, &single, sizeof single);
    }
}

static void scatter_task(void *argument, int64_t task, int32_t worker)
{
    const job *j = argument;
    const int64_t end = (task + 1) * j->per_task < j->count ? (task + 1) * j->per_task : j->count;
    const int64_t bytes = j->row * j->size;
    (void)worker;
    for (int64_t row = task * j->per_task; row < end; row++) {
        const int64_t indices = j->begin[row + 1] - j->begin[row];
        if (indices == 0) {
            memset(j->to + row * bytes, 0, (size_t)bytes);
        } else if (indices == 1) {
            memcpy(j->to + row * bytes, j->from + j->order[j->begin[row]] * bytes, (size_t)bytes);
        } else {
            for (int64_t left = 0; left < j->row; left += STRIP) {
                sum_strip(j, row, left, j->row - left < STRIP ? j->row - left : STRIP);
            }
        }
    }
}

static loss_status run_scatter(const lossi_node_run *run)
{
    const lossi_value *values = &run->input[0], *indices = &run->input[1];
    const int64_t rows = run->output.shape.size[0];
    int64_t *begin = run->scratch;
    job j = {.indices = indices,
             .from = values->data,
             .to = run->output.data,
             .dtype = values->dtype,
             .size = loss_dtype_size(values->dtype),
             .row = row_elements(&run->output.shape),
             .count = rows,
             .begin = begin,
             .order = begin + rows + 2};
    const loss_status status = check_indices(run, indices, rows, "gather");
    if (status == LOSS_OK) {
        sort_indices(indices, lossi_value_elements(indices), rows, begin, begin + rows + 2);
        run_job(run->context, &j, scatter_task);
    }
    return status;
}

static const lossi_operation scatter_add = {.name = "_scatter_add",
                                            .infer = infer_scatter,
                                            .vector_jacobian = scatter_adjoint,
                                            .jacobian_vector = scatter_tangent,
                                            .scratch = scatter_scratch,
                                            .run = run_scatter};

/* ---- take_along_axis ---- */

static loss_status infer_take(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *a = &lossi_input_node(tape, node, 0)->shape;
    const lossi_shape *indices = &lossi_input_node(tape, node, 1)->shape;
    loss_status status = lossi_check_real(tape, node, 0);
    if (status == LOSS_OK) {
        status = check_indices_type(tape, node, 1);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_shape leading = *a, others = *indices;
    leading.rank--;
    others.rank = leading.rank;
    if (a->rank < 1 || a->size[a->rank - 1] == LOSSI_ROWS || indices->rank < a->rank - 1 ||
        indices->rank > a->rank || !lossi_shapes_equal(&leading, &others)) {
        return lossi_operation_fail_shapes(
            tape, node, "indices have the sizes of a but for the last, which may be left out");
    }
    node->shape = *indices;
    return LOSS_OK;
}

enum {
    COLUMNS,
    SEVERAL
}; /* attributes of the adjoint: the last size of a, and whether indices have a last size too */

static int32_t take_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape a = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    const int64_t several = lossi_tape_shape(tape, node)->rank == a.rank;
    const lossi_attributes attributes = {.integer = {[COLUMNS] = a.size[a.rank - 1], [SEVERAL] = several}};
    return which != 0 ? LOSSI_NONE
                      : put_with_indices(tape, &put_along, &attributes, full_adjoint(tape, node, adjoint),
                                         lossi_tape_input(tape, node, 1));
}

static int32_t take_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    return put_with_indices(tape, &lossi_operation_take_along_axis, NULL, full_tangent(tape, node, tangents),
                            lossi_tape_input(tape, node, 1));
}

/* How many indices a row of `columns` elements has; all of them are rows × that. */
static int64_t indices_of_row(const lossi_value *indices, const lossi_value *a)
{
    const int32_t rank = indices->shape.rank;
    return rank == a->shape.rank ? indices->shape.size[rank - 1] : 1;
}

static loss_status run_take(const lossi_node_run *run)
{
    const lossi_value *a = &run->input[0], *indices = &run->input[1];
    const int64_t columns = a->shape.size[a->shape.rank - 1], each = indices_of_row(indices, a);
    const int64_t count = lossi_value_elements(indices), size = loss_dtype_size(a->dtype);
    const loss_status status = check_indices(run, indices, columns, "take_along_axis");
    for (int64_t i = 0; i < count && status == LOSS_OK; i++) {
        memcpy(run->output.data + i * size, a->data + (i / each * columns + index_at(indices, i)) * size,
               (size_t)size);
    }
    return status;
}

const lossi_operation lossi_operation_take_along_axis = {
    .name = "take_along_axis",
    .summary = "elements along the last axis by their numbers",
    .inputs = "a indices",
    .formula = "a[..., indices[..., k]]; a[..., indices[...]] where the indices have an axis less",
    .reference = "",
    .infer = infer_take,
    .vector_jacobian = take_adjoint,
    .jacobian_vector = take_tangent,
    .run = run_take};

static loss_status infer_put(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    node->shape.rank += node->attributes.integer[SEVERAL] ? 0 : 1;
    node->shape.size[node->shape.rank - 1] = node->attributes.integer[COLUMNS];
    return LOSS_OK;
}

static int32_t put_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    return which != 0 ? LOSSI_NONE
                      : put_with_indices(tape, &lossi_operation_take_along_axis, NULL,
                                         full_adjoint(tape, node, adjoint), lossi_tape_input(tape, node, 1));
}

static int32_t put_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    return put_with_indices(tape, &put_along, &attributes, full_tangent(tape, node, tangents),
                            lossi_tape_input(tape, node, 1));
}

static void add_element(loss_dtype dtype, char *to, const char *from)
{
    if (dtype == LOSS_FLOAT64) {
        double a, b;
        memcpy(&a, to, sizeof a);
        memcpy(&b, from, sizeof b);
        a += b;
        memcpy(to, &a, sizeof a);
    } else {
        float a, b;
        memcpy(&a, to, sizeof a);
        memcpy(&b, from, sizeof b);
        a += b;
        memcpy(to, &a, sizeof a);
    }
}

static loss_status run_put(const lossi_node_run *run)
{
    const lossi_value *values = &run->input[0], *indices = &run->input[1], *to = &run->output;
    const int64_t columns = run->attributes->integer[COLUMNS], each = indices_of_row(indices, to);
    const int64_t count = lossi_value_elements(indices), size = loss_dtype_size(values->dtype);
    const loss_status status = check_indices(run, indices, columns, "take_along_axis");
    memset(to->data, 0, (size_t)(lossi_value_elements(to) * size));
    for (int64_t i = 0; i < count && status == LOSS_OK; i++) {
        add_element(to->dtype, to->data + (i / each * columns + index_at(indices, i)) * size,
                    values->data + i * size);
    }
    return status;
}

static const lossi_operation put_along = {.name = "_put_along_axis",
                                          .infer = infer_put,
                                          .vector_jacobian = put_adjoint,
                                          .jacobian_vector = put_tangent,
                                          .run = run_put};

/* ---- one_hot ---- */

static const loss_option one_hot_options[] = {
    {"classes", LOSS_OPTION_INT, 1, 0x1p40, 2, NULL, NULL, "how many there are: the last size of the result"},
};

static loss_status settle_one_hot(const lossi_options *given, loss_context *context,
                                  lossi_attributes *attributes)
{
    (void)context;
    attributes->integer[COLUMNS] = lossi_options_own(given, 0)->integer;
    return LOSS_OK;
}

static loss_status infer_one_hot(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *indices = &lossi_input_node(tape, node, 0)->shape;
    const loss_status status = check_indices_type(tape, node, 0);
    if (status != LOSS_OK) {
        return status;
    }
    if (indices->rank == LOSSI_RANK) {
        return lossi_operation_fail_shapes(tape, node, "there are at most 6 axes");
    }
    node->shape = *indices;
    node->shape.size[node->shape.rank++] = node->attributes.integer[COLUMNS];
    return lossi_shape_check(tape->context, "what the operation 'one_hot' gives", &node->shape);
}

static loss_status run_one_hot(const lossi_node_run *run)
{
    const lossi_value *indices = &run->input[0], *to = &run->output;
    const int64_t columns = run->attributes->integer[COLUMNS], size = loss_dtype_size(to->dtype);
    const int64_t count = lossi_value_elements(indices);
    const float single = 1;
    const double number = 1;
    const loss_status status = check_indices(run, indices, columns, "one_hot");
    memset(to->data, 0, (size_t)(lossi_value_elements(to) * size));
    for (int64_t i = 0; i < count && status == LOSS_OK; i++) {
        memcpy(to->data + (i * columns + index_at(indices, i)) * size,
               size == 8 ? (const void *)&number : (const void *)&single, (size_t)size);
    }
    return status;
}

const lossi_operation lossi_operation_one_hot = {.name = "one_hot",
                                                 .summary = "unit vectors by their numbers",
                                                 .inputs = "indices",
                                                 .formula = "1 where j = indices[...], else 0",
                                                 .reference = "",
                                                 .options = one_hot_options,
                                                 .option_count = 1,
                                                 .settle = settle_one_hot,
                                                 .infer = infer_one_hot,
                                                 .run = run_one_hot};
