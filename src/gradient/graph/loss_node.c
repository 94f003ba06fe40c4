/*
 * Losses as nodes. With s = Σ losses and d the denominator, the cost is s/d; d does not depend on predictions, so
 *
 *     ∂s/∂p = gradient,    ∂/∂t gradient = H·ṗ, the loss's product with its second derivatives
 *
 * and products have no further derivative here.
 */
#include "gradient/graph/loss_node.h"

#include <stdio.h>
#include <string.h>

#include "core/data.h"
#include "gradient/graph/operations.h"
#include "loss/expression/expression.h"
#include "loss/handle.h"

/*
 * Attributes: object is the function, integer[0 … 7] the role of each input plus 1, integer[8] which input a gradient or a
 * product is of, integer[9] of a product which inputs have directions, a bit each; directions follow the inputs, in order.
 */
enum { MOST_ROLES = LOSSI_LOSS_ROLES, OF = 8, DIRECTIONS = 9 };

static const loss_function *function_of(const lossi_attributes *attributes)
{
    return attributes->object;
}

static int32_t role_count(const lossi_attributes *attributes)
{
    int32_t count = 0;
    while (count < MOST_ROLES && attributes->integer[count] != 0) {
        count++;
    }
    return count;
}

/* ---- inference and rules ---- */

static loss_status infer_number(const lossi_tape *tape, lossi_tape_node *node)
{
    (void)tape;
    node->shape.rank = 0;
    return LOSS_OK;
}

static loss_status infer_like(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, (int32_t)node->attributes.integer[OF])->shape;
    return LOSS_OK;
}

const loss_function *lossi_loss_node_function(const lossi_tape *tape, int32_t node)
{
    return function_of(&tape->nodes[node].attributes);
}

int32_t lossi_loss_node_inputs(const lossi_tape *tape, int32_t node)
{
    return role_count(&tape->nodes[node].attributes);
}

int32_t lossi_loss_node_differentiable(const lossi_tape *tape, int32_t node, int32_t which)
{
    const lossi_attributes *attributes = &tape->nodes[node].attributes;
    const char *role = loss_function_role(function_of(attributes), (int32_t)attributes->integer[which] - 1);
    return tape->nodes[lossi_tape_input(tape, node, which)].dtype == tape->dtype &&
           strcmp(role, "weight") != 0 && strcmp(role, "mask") != 0 && strcmp(role, "target") != 0;
}

/* The node of another operation of the same function and inputs. */
static int32_t put_sibling(lossi_tape *tape, int32_t node, const lossi_operation *operation, int32_t of)
{
    int32_t inputs[MOST_ROLES];
    lossi_attributes attributes = tape->nodes[node].attributes;
    const int32_t count = role_count(&attributes);
    attributes.integer[OF] = of;
    for (int32_t i = 0; i < count; i++) {
        inputs[i] = lossi_tape_input(tape, node, i);
    }
    return lossi_tape_add(tape, operation, &attributes, inputs, count);
}

static int32_t fail_derivative(lossi_tape *tape, int32_t node, const char *what)
{
    const loss_function *function = function_of(&tape->nodes[node].attributes);
    return lossi_tape_fail(tape, lossi_fail(tape->context, LOSS_ERROR_SUPPORT,
                                            "%s has no derivatives %s here", function->title, what));
}

static int32_t sum_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    if (!lossi_loss_node_differentiable(tape, node, which)) {
        return fail_derivative(tape, node, "with respect to targets, weights and masks");
    }
    return lossi_tape_multiply(tape, adjoint, put_sibling(tape, node, &lossi_operation_loss_gradient, which));
}

/* All axes of a node added up, to a number. */
static int32_t total(lossi_tape *tape, int32_t node)
{
    static const lossi_shape number;
    if (node == LOSSI_NONE) {
        return LOSSI_NONE;
    }
    const int32_t rank = lossi_tape_shape(tape, node)->rank;
    return lossi_tape_reshape(tape, lossi_tape_reduce(tape, node, (1 << rank) - 1), &number);
}

static int32_t sum_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    int32_t sum = LOSSI_NONE;
    const int32_t count = role_count(&tape->nodes[node].attributes);
    for (int32_t i = 0; i < count && tape->status == LOSS_OK; i++) {
        if (tangents[i] == LOSSI_NONE) {
            continue;
        }
        if (!lossi_loss_node_differentiable(tape, node, i)) {
            return fail_derivative(tape, node, "with respect to targets, weights and masks");
        }
        const int32_t gradient = put_sibling(tape, node, &lossi_operation_loss_gradient, i);
        sum = lossi_tape_sum(tape, sum, total(tape, lossi_tape_multiply(tape, gradient, tangents[i])));
    }
    return sum;
}

int32_t lossi_tape_loss_product(lossi_tape *tape, int32_t node, const loss_function *function,
                                const int32_t *directions, int32_t of)
{
    int32_t inputs[2 * MOST_ROLES];
    lossi_attributes attributes = tape->nodes[node].attributes;
    const int32_t count = role_count(&attributes);
    int32_t used = count;
    attributes.object = function;
    attributes.integer[OF] = of;
    attributes.integer[DIRECTIONS] = 0;
    for (int32_t i = 0; i < count; i++) {
        inputs[i] = lossi_tape_input(tape, node, i);
        if (directions[i] != LOSSI_NONE) {
            const lossi_shape shape = *lossi_tape_shape(tape, inputs[i]);
            if (!lossi_loss_node_differentiable(tape, node, i)) {
                return fail_derivative(tape, node, "with respect to targets, weights and masks");
            }
            attributes.integer[DIRECTIONS] |= INT64_C(1) << i;
            inputs[used++] = lossi_tape_full(tape, directions[i], &shape);
        }
    }
    return lossi_tape_add(tape, &lossi_operation_loss_product, &attributes, inputs, used);
}

static int32_t put_product(lossi_tape *tape, int32_t node, const int32_t *directions, int32_t of)
{
    return lossi_tape_loss_product(tape, node, lossi_loss_node_function(tape, node), directions, of);
}

static int32_t gradient_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    return put_product(tape, node, tangents, (int32_t)tape->nodes[node].attributes.integer[OF]);
}

/* The matrix of second derivatives is symmetric: what hits the gradient of `of` comes back as a product along it. */
static int32_t gradient_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    int32_t directions[MOST_ROLES];
    for (int32_t i = 0; i < MOST_ROLES; i++) {
        directions[i] = LOSSI_NONE;
    }
    directions[tape->nodes[node].attributes.integer[OF]] = adjoint;
    return put_product(tape, node, directions, which);
}

static int32_t product_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    /* Linear in its directions; the rest would be a third derivative. */
    int32_t directions[MOST_ROLES], next = role_count(&tape->nodes[node].attributes);
    const int32_t count = next;
    const int64_t given = tape->nodes[node].attributes.integer[DIRECTIONS];
    for (int32_t i = 0; i < count; i++) {
        directions[i] = given >> i & 1 ? tangents[next++] : LOSSI_NONE;
        if (tangents[i] != LOSSI_NONE) {
            return fail_derivative(tape, node, "of third order");
        }
    }
    return put_product(tape, node, directions, (int32_t)tape->nodes[node].attributes.integer[OF]);
}

static int32_t product_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_attributes *attributes = &tape->nodes[node].attributes;
    const int32_t count = role_count(attributes), of = (int32_t)attributes->integer[OF];
    int32_t directions[MOST_ROLES], place = count;
    if (which < count) {
        return fail_derivative(tape, node, "of third order");
    }
    for (int32_t i = 0; i < count; i++) {
        directions[i] = LOSSI_NONE;
        if (attributes->integer[DIRECTIONS] >> i & 1 && place++ == which) {
            which = i; /* the input this direction is of; below count, so it is met once */
        }
    }
    directions[of] = adjoint;
    return put_product(tape, node, directions, which);
}

const lossi_operation lossi_operation_loss_sum = {.name = "_loss_sum",
                                                  .flags = LOSSI_OPERATION_LOSS,
                                                  .infer = infer_number,
                                                  .vector_jacobian = sum_adjoint,
                                                  .jacobian_vector = sum_tangent};
const lossi_operation lossi_operation_loss_denominator = {
    .name = "_loss_denominator", .flags = LOSSI_OPERATION_LOSS, .infer = infer_number};
const lossi_operation lossi_operation_loss_gradient = {.name = "_loss_gradient",
                                                       .flags = LOSSI_OPERATION_LOSS,
                                                       .infer = infer_like,
                                                       .vector_jacobian = gradient_adjoint,
                                                       .jacobian_vector = gradient_tangent};
const lossi_operation lossi_operation_loss_product = {.name = "_loss_product",
                                                      .flags = LOSSI_OPERATION_LOSS,
                                                      .infer = infer_like,
                                                      .vector_jacobian = product_adjoint,
                                                      .jacobian_vector = product_tangent};

int32_t lossi_tape_cost(lossi_tape *tape, const loss_function *function, const int32_t *roles,
                        const int32_t *inputs, int32_t count)
{
    lossi_attributes attributes = {.object = function};
    for (int32_t i = 0; i < count; i++) {
        attributes.integer[i] = roles[i] + 1;
    }
    const int32_t sum = lossi_tape_add(tape, &lossi_operation_loss_sum, &attributes, inputs, count);
    const int32_t denominator = lossi_tape_add(tape, &lossi_operation_loss_denominator, &attributes, inputs,
                                               count);
    /* The cost of nothing is 0; the denominator stays what it is, for pieces of the rows are weighted by it. */
    const int32_t divisor = lossi_tape_scalar(tape, LOSSI_SCALAR_select, denominator, denominator,
                                              lossi_tape_number(tape, 1));
    return lossi_tape_divide(tape, sum, divisor);
}

/* ---- a step ---- */

struct lossi_loss_step {
    const lossi_tape *tape;
    loss_data *inputs, *outputs;
    int32_t product; /* the nodes are products: there is one */
    int32_t count, nodes[];
};

lossi_loss_step *lossi_loss_step_create(const lossi_tape *tape, const int32_t *nodes, int32_t count)
{
    lossi_loss_step *step = lossi_allocate(tape->context,
                                           (int64_t)sizeof *step + (int64_t)sizeof *nodes * count);
    if (step == NULL) {
        lossi_fail_memory(tape->context, "a loss in a graph");
        return NULL;
    }
    step->tape = tape;
    step->count = count;
    memcpy(step->nodes, nodes, sizeof *nodes * (size_t)count);
    step->product = tape->nodes[nodes[0]].operation == &lossi_operation_loss_product;
    if (loss_data_create(&step->inputs, tape->context) != LOSS_OK ||
        loss_data_create(&step->outputs, tape->context) != LOSS_OK) {
        lossi_loss_step_free(step, tape->context);
        return NULL;
    }
    return step;
}

void lossi_loss_step_free(lossi_loss_step *step, loss_context *context)
{
    if (step != NULL) {
        loss_data_free(step->inputs);
        loss_data_free(step->outputs);
        lossi_release(context, step);
    }
}

/* "prediction.gradient": as long as a role and a word. */
enum { LONG_ROLE = 2 * LOSSI_ROLE_SIZE };

static const char *long_role(char buffer[LONG_ROLE], const char *role, const char *what)
{
    snprintf(buffer, LONG_ROLE, "%s.%s", role, what);
    return buffer;
}

/* The role of an input of the step. */
static int32_t role_of(const lossi_loss_step *step, int32_t input)
{
    return (int32_t)step->tape->nodes[step->nodes[0]].attributes.integer[input] - 1;
}

static const char *role_name(const lossi_loss_step *step, int32_t input)
{
    return loss_function_role(function_of(&step->tape->nodes[step->nodes[0]].attributes),
                              role_of(step, input));
}

/* A value in the role of an input, or one named after it, beside a prediction of that many rows. */
static loss_status place(const lossi_loss_step *step, int32_t output, int32_t input, const char *name,
                         const lossi_value *value, int64_t prediction_rows)
{
    int64_t rows, columns;
    lossi_loss_matrix_shape(&value->shape, function_of(&step->tape->nodes[step->nodes[0]].attributes),
                            role_of(step, input), prediction_rows, &rows, &columns);
    return output ? loss_data_set_output(step->outputs, name, value->data, value->dtype, rows, columns,
                                         columns, 1)
                  : loss_data_set_input(step->inputs, name, value->data, value->dtype, rows, columns, columns,
                                        1);
}

static loss_status place_inputs(lossi_loss_step *step, const lossi_value *inputs, int64_t rows)
{
    char name[LONG_ROLE];
    const lossi_attributes *attributes = &step->tape->nodes[step->nodes[0]].attributes;
    const int32_t count = role_count(attributes);
    int32_t direction = count;
    loss_status status = LOSS_OK;
    lossi_data_clear(step->inputs);
    for (int32_t i = 0; i < count && status == LOSS_OK; i++) {
        status = place(step, 0, i, role_name(step, i), &inputs[i], rows);
        if (status == LOSS_OK && step->product && attributes->integer[DIRECTIONS] >> i & 1) {
            status = place(step, 0, i, long_role(name, role_name(step, i), "direction"), &inputs[direction++],
                           rows);
        }
    }
    return status;
}

static loss_status place_outputs(lossi_loss_step *step, const lossi_value *outputs, int64_t rows)
{
    char name[LONG_ROLE];
    loss_status status = LOSS_OK;
    lossi_data_clear(step->outputs);
    for (int32_t i = 0; i < step->count && status == LOSS_OK; i++) {
        const lossi_tape_node *node = &step->tape->nodes[step->nodes[i]];
        const int32_t gradient = node->operation == &lossi_operation_loss_gradient;
        if (gradient || step->product) {
            const int32_t of = (int32_t)node->attributes.integer[OF];
            const char *what = gradient ? "gradient" : "product";
            status = place(step, 1, of, long_role(name, role_name(step, of), what), &outputs[i], rows);
        }
    }
    return status;
}

static void put_number(const lossi_value *value, double number)
{
    const float single = (float)number;
    if (value->dtype == LOSS_FLOAT32) {
        memcpy(value->data, &single, sizeof single);
    } else {
        memcpy(value->data, &number, sizeof number);
    }
}

/*
 * A bad row of the loss is one of the batch: the sentence and the row become those of the sample, and of its rows the one where a sample
 * has several. Offsets count groups, not rows.
 */
static loss_status fail_sample(const lossi_loss_step *step, loss_context *context, loss_status status,
                               const lossi_batch_state *batch, int64_t rows)
{
    char sentence[512], row_words[40], sample_words[96];
    const int32_t prediction = lossi_tape_input(step->tape, step->nodes[0], 0);
    const int64_t row = loss_context_error_row(context), each = batch->rows > 0 ? rows / batch->rows : 1;
    if (!lossi_shape_of_rows(lossi_tape_shape(step->tape, prediction)) ||
        (status != LOSS_ERROR_LABEL && status != LOSS_ERROR_DOMAIN) || row < 0 || each < 1) {
        return status;
    }
    snprintf(sentence, sizeof sentence, "%s", loss_context_error(context));
    const int row_length = snprintf(row_words, sizeof row_words, "row %lld", (long long)row);
    const char *found = strstr(sentence, row_words);
    if (found == NULL) {
        return status;
    }
    const int64_t place = row / each;
    const int64_t sample = batch->indices != NULL ? batch->indices[place] : batch->first + place;
    if (each > 1) {
        snprintf(sample_words, sizeof sample_words, "row %lld of the %lld of sample %lld",
                 (long long)(row % each), (long long)each, (long long)sample);
    } else {
        snprintf(sample_words, sizeof sample_words, "sample %lld", (long long)sample);
    }
    return lossi_fail_row(context, status, sample, "%.*s%s%s", (int)(found - sentence), sentence,
                          sample_words, found + row_length);
}

loss_status lossi_loss_step_run(lossi_loss_step *step, loss_context *context, const lossi_batch_state *batch,
                                const lossi_value *inputs, const lossi_value *outputs, double *exact,
                                int32_t *is_exact)
{
    const loss_function *function = function_of(&step->tape->nodes[step->nodes[0]].attributes);
    const int64_t rows = lossi_loss_prediction_rows(&inputs[0].shape);
    double sum = 0, denominator = 0;
    loss_status status = place_inputs(step, inputs, rows);
    if (status == LOSS_OK) {
        status = place_outputs(step, outputs, rows);
    }
    if (status == LOSS_OK) {
        status = loss_function_evaluate(context, function, step->inputs, step->outputs, &sum, &denominator);
        status = status == LOSS_OK ? status : fail_sample(step, context, status, batch, rows);
    }
    for (int32_t i = 0; i < step->count && status == LOSS_OK; i++) {
        const lossi_operation *operation = step->tape->nodes[step->nodes[i]].operation;
        if (operation == &lossi_operation_loss_sum || operation == &lossi_operation_loss_denominator) {
            const double number = operation == &lossi_operation_loss_sum ? sum : denominator;
            put_number(&outputs[i], number);
            exact[step->nodes[i]] = number;
            is_exact[step->nodes[i]] = 1;
        }
    }
    return status;
}
