/* One evaluation with all its arrays: see batch.h. */
#include "support/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

const char *const batch_output_names[BATCH_OUTPUTS] = {"value", "gradient", "curvature", "product"};

double scatter(int64_t i)
{
    /* Weyl's sequence of the golden ratio: never the same twice, and no pattern of vector lanes. */
    double x = (double)(i + 1) * 0.6180339887498949;
    return x - floor(x);
}

static void *array(int64_t count, size_t size)
{
    void *made = calloc(count > 0 ? (size_t)count : 1, size);
    assert_non_null(made);
    return made;
}

batch batch_create(loss_dtype dtype, int64_t rows, int64_t columns, int64_t value_columns, int32_t labels)
{
    size_t size = (size_t)loss_dtype_size(dtype);
    batch made = {.dtype = dtype,
                  .rows = rows,
                  .columns = columns,
                  .value_columns = value_columns,
                  .labels = labels,
                  .give = GIVE_DIRECTION,
                  .want = WANT_ALL,
                  .scale = 1};
    made.prediction = array(rows * columns, size);
    made.target = array(rows * columns, size);
    made.direction = array(rows * columns, size);
    made.weight = array(rows, size);
    made.label = array(rows, sizeof(int64_t));
    made.mask = array(rows, 1);
    for (int64_t i = 0; i < rows; i++) {
        set_element(made.weight, dtype, i, 1);
        made.mask[i] = 1;
    }
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        made.output[k] = array(rows * batch_width(&made, k), size);
    }
    batch_forget(&made);
    return made;
}

void batch_forget(batch *made)
{
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        int64_t count = made->rows * batch_width(made, k);
        for (int64_t i = 0; i < count; i++) {
            set_element(made->output[k], made->dtype, i, 777);
        }
    }
}

void batch_free(batch *made)
{
    free(made->prediction);
    free(made->target);
    free(made->direction);
    free(made->weight);
    free(made->label);
    free(made->mask);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        free(made->output[k]);
    }
    memset(made, 0, sizeof *made);
}

int64_t batch_width(const batch *made, int output)
{
    return output == 0 ? made->value_columns : made->columns;
}

double batch_at(const batch *made, int output, int64_t row, int64_t column)
{
    return element(made->output[output], made->dtype, row * batch_width(made, output) + column);
}

batch batch_of_group(const vector_group *group, int64_t rows, int64_t wide, int32_t pointwise)
{
    int64_t columns = pointwise ? wide : group->columns, generic = 0, source = -1;
    batch made = batch_create(group->dtype, rows, columns, pointwise ? wide : 1, group->labels);
    made.untargeted = group->untargeted;
    for (int64_t i = 0; i < group->rows; i++) {
        generic += group->generic[i];
    }
    assert_true(generic > 0);
    for (int64_t i = 0; i < rows * columns; i++) {
        int64_t column = pointwise ? 0 : i % columns;
        /* Towards zero: probabilities stay probabilities. The first round is as it is in the file. */
        double factor = i / columns < generic ? 1 : 1 - 0.5 * scatter(i);
        if (column == 0) {
            do {
                source = (source + 1) % group->rows;
            } while (!group->generic[source]);
        }
        set_element(made.prediction, made.dtype, i,
                    factor * group->prediction[source * group->columns + column]);
        set_element(made.target, made.dtype, i, group->target[source * group->columns + column]);
        set_element(made.direction, made.dtype, i, 3 * scatter(i + 7) - 1.5);
        made.label[i / columns] = group->label[source];
    }
    return made;
}

void batch_copy_row(batch *to, int64_t to_row, const batch *from, int64_t from_row)
{
    for (int64_t j = 0; j < from->columns; j++) {
        int64_t a = to_row * to->columns + j, b = from_row * from->columns + j;
        set_element(to->prediction, to->dtype, a, element(from->prediction, from->dtype, b));
        set_element(to->target, to->dtype, a, element(from->target, from->dtype, b));
        set_element(to->direction, to->dtype, a, element(from->direction, from->dtype, b));
    }
    set_element(to->weight, to->dtype, to_row, element(from->weight, from->dtype, from_row));
    to->untargeted = from->untargeted;
    to->label[to_row] = from->label[from_row];
    to->mask[to_row] = from->mask[from_row];
}

loss_data *batch_inputs(loss_context *context, const batch *made)
{
    int64_t rows = made->rows, columns = made->columns;
    loss_data *inputs;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    loss_data_set_input(inputs, "prediction", made->prediction, made->dtype, rows, columns, columns, 1);
    if (made->labels) {
        loss_data_set_input(inputs, "target", made->label, LOSS_INT64, rows, 1, 1, 1);
    } else if (!made->untargeted) {
        loss_data_set_input(inputs, "target", made->target, made->dtype, rows, columns, columns, 1);
    }
    if (made->give & GIVE_WEIGHT) {
        loss_data_set_input(inputs, "weight", made->weight, made->dtype, rows, 1, 1, 1);
    }
    if (made->give & GIVE_MASK) {
        loss_data_set_input(inputs, "mask", made->mask, LOSS_UINT8, rows, 1, 1, 1);
    }
    if (made->give & GIVE_DIRECTION) {
        loss_data_set_input(inputs, "direction", made->direction, made->dtype, rows, columns, columns, 1);
    }
    if (made->give & GIVE_SCALE) {
        assert_status(context, loss_data_set_double(inputs, "scale", made->scale), LOSS_OK);
    }
    return inputs;
}

loss_data *batch_outputs(loss_context *context, const batch *made)
{
    loss_data *outputs;
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        int64_t width = batch_width(made, k);
        if (made->want & (1 << k)) {
            assert_status(context,
                          loss_data_set_output(outputs, batch_output_names[k], made->output[k], made->dtype,
                                               made->rows, width, width, 1),
                          LOSS_OK);
        }
    }
    return outputs;
}

int32_t reads_target(const loss_function *function)
{
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        if (strcmp(loss_function_role(function, i), "target") == 0) {
            return 1;
        }
    }
    return 0;
}

loss_status batch_evaluate(loss_context *context, const loss_function *function, batch *made)
{
    loss_data *inputs, *outputs = batch_outputs(context, made);
    loss_status status;
    made->untargeted = !reads_target(function);
    inputs = batch_inputs(context, made);
    made->sum = made->denominator = 777;
    status = loss_function_evaluate(context, function, inputs, outputs, &made->sum, &made->denominator);
    loss_data_free(inputs);
    loss_data_free(outputs);
    return status;
}

void assert_same_batch(const batch *actual, const batch *expected)
{
    assert_int_equal(actual->rows, expected->rows);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        if (actual->want & expected->want & (1 << k)) {
            check_same_bits(actual->output[k], expected->output[k], actual->dtype,
                            actual->rows * batch_width(actual, k), batch_output_names[k], __FILE__, __LINE__);
        }
    }
    check_same_bits(&actual->sum, &expected->sum, LOSS_FLOAT64, 1, "sum", __FILE__, __LINE__);
    check_same_bits(&actual->denominator, &expected->denominator, LOSS_FLOAT64, 1, "denominator", __FILE__,
                    __LINE__);
}
