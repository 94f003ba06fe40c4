/*
 * Whether a loss can take nodes in its roles, told by their shapes when it is added to a graph: the loss looks at arrays of the shapes
 * that the nodes will have, of whose elements it sees none.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradient/graph/graph.h"
#include "gradient/graph/loss_node.h"
#include "loss/handle.h"

/*
 * Stands for the rows of any batch: a prime, which is no size of a model by chance, and below 2^20, so that with the 2^40 elements that
 * a row may have sizes stay an int64.
 */
enum { SOME_ROWS = 1000003 };

void lossi_loss_matrix_shape(const lossi_shape *shape, const loss_function *function, int32_t role,
                             int64_t prediction_rows, int64_t *rows, int64_t *columns)
{
    const int64_t last = shape->rank > 0 ? shape->size[shape->rank - 1] : 1;
    const int64_t elements = lossi_shape_elements(shape, 0);
    const int32_t is_list = shape->rank == 1 && lossi_function_role_is_column(function, role);
    int64_t leading = 1;
    for (int32_t i = 0; i < shape->rank - 1; i++) {
        leading *= shape->size[i];
    }
    *rows = is_list || (elements == prediction_rows && leading != prediction_rows) ? elements : leading;
    *columns = *rows == leading && !is_list ? last : 1;
}

int64_t lossi_loss_prediction_rows(const lossi_shape *shape)
{
    const int64_t last = shape->rank > 1 ? shape->size[shape->rank - 1] : 1;
    return last > 0 ? lossi_shape_elements(shape, 0) / last : 0;
}

static lossi_shape shape_with_rows(const lossi_tape_node *node)
{
    lossi_shape shape = node->shape;
    if (lossi_shape_of_rows(&shape)) {
        shape.size[0] = SOME_ROWS;
    }
    return shape;
}

/* ---- sentences ---- */

/* Text with "rows" and "2*rows" for the numbers that stand for them. */
static void name_rows(const char *text, char *to, size_t capacity)
{
    size_t used = 0;
    while (*text != '\0' && used + 1 < capacity) {
        char *after = NULL;
        const long long number = isdigit((unsigned char)*text) ? strtoll(text, &after, 10) : 0;
        if (number == 0) {
            to[used++] = *text++;
            continue;
        }
        const long long times = number % SOME_ROWS == 0 ? number / SOME_ROWS : 0;
        const int written = times == 1 ? snprintf(to + used, capacity - used, "rows")
                            : times > 1
                                ? snprintf(to + used, capacity - used, "%lld*rows", times)
                                : snprintf(to + used, capacity - used, "%.*s", (int)(after - text), text);
        used += (size_t)written < capacity - used ? (size_t)written : capacity - used - 1;
        text = after;
    }
    to[used] = '\0';
}

/* "the loss 'huber' cannot take prediction [rows, 3] (node 4) and target [rows, 2] (node 1): " and what the loss says. */
static loss_status fail(const lossi_tape *tape, const loss_function *function, const int32_t *roles,
                        const int32_t *inputs, int32_t count, loss_status status)
{
    char why[512], list[1024] = "", text[LOSSI_SHAPE_TEXT];
    int used = 0;
    name_rows(loss_context_error(tape->context), why, sizeof why);
    for (int32_t i = 0; i < count; i++) {
        used += snprintf(list + used, sizeof list - (size_t)used, "%s%s %s (node %d)",
                         i == 0           ? ""
                         : i + 1 == count ? " and "
                                          : ", ",
                         loss_function_role(function, roles[i]),
                         lossi_shape_text(&tape->nodes[inputs[i]].shape, text), (int)inputs[i]);
        used = used < (int)sizeof list ? used : (int)sizeof list - 1;
    }
    return lossi_fail(tape->context, status, "%s cannot take %s: %s", function->title, list, why);
}

/* ---- the check ---- */

static loss_status check_roles(const lossi_tape *tape, const loss_function *function, const int32_t *roles,
                               const int32_t *inputs, int32_t count)
{
    int32_t prediction = 0;
    if (count < 1 || count > LOSSI_LOSS_ROLES) {
        return lossi_fail(tape->context, LOSS_ERROR_ARGUMENT, "a loss in a graph has 1 … %d inputs, not %d",
                          (int)LOSSI_LOSS_ROLES, (int)count);
    }
    for (int32_t i = 0; i < count; i++) {
        prediction |= roles[i] == 0;
        for (int32_t k = 0; k < i; k++) {
            if (roles[k] == roles[i]) {
                return lossi_fail(tape->context, LOSS_ERROR_NAME, "'%s' is given twice to %s",
                                  loss_function_role(function, roles[i]), function->title);
            }
        }
    }
    if (!prediction || roles[0] != 0 || tape->nodes[inputs[0]].dtype != tape->dtype) {
        return lossi_fail(tape->context, LOSS_ERROR_TYPE, "%s needs '%s', of type %s and first",
                          function->title, loss_function_role(function, 0), loss_dtype_name(tape->dtype));
    }
    return LOSS_OK;
}

loss_status lossi_loss_node_check(const lossi_tape *tape, const loss_function *function, const int32_t *roles,
                                  const int32_t *inputs, int32_t count)
{
    static const double nothing[1]; /* an address; there is nothing to be read */
    loss_data *data;
    loss_status status = check_roles(tape, function, roles, inputs, count);
    if (status == LOSS_OK) {
        status = loss_data_create(&data, tape->context);
    }
    if (status != LOSS_OK) {
        return status;
    }
    const lossi_shape prediction = shape_with_rows(&tape->nodes[inputs[0]]);
    for (int32_t i = 0; i < count && status == LOSS_OK; i++) {
        const lossi_tape_node *node = &tape->nodes[inputs[i]];
        const lossi_shape shape = shape_with_rows(node);
        int64_t rows, columns;
        lossi_loss_matrix_shape(&shape, function, roles[i], lossi_loss_prediction_rows(&prediction), &rows,
                                &columns);
        status = loss_data_set_input(data, loss_function_role(function, roles[i]), nothing, node->dtype, rows,
                                     columns, columns, 1);
    }
    if (status == LOSS_OK) {
        status = lossi_function_check_inputs(tape->context, function, data);
    }
    loss_data_free(data);
    return status == LOSS_ERROR_SHAPE ? fail(tape, function, roles, inputs, count, status) : status;
}
