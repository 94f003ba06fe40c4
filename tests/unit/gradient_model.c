/* See gradient_model.h. The arithmetic here is as plain as it can be: it is what the library is compared with. */
#include "gradient_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *numbers(loss_dtype dtype, int64_t count)
{
    void *made = calloc((size_t)(count > 0 ? count : 1), (size_t)loss_dtype_size(dtype));
    assert_non_null(made);
    return made;
}

static double rounded(loss_dtype dtype, double x)
{
    return dtype == LOSS_FLOAT32 ? (double)(float)x : x;
}

static double at(const model *m, const void *array, int64_t i)
{
    return element(array, m->rows.dtype, i);
}

/* x·W + b for output k of row i. */
static double predict(const model *m, const void *parameters, int64_t i, int64_t k)
{
    double sum = 0;
    for (int64_t j = 0; j < m->features; j++) {
        sum += at(m, m->x, i * m->features + j) * at(m, parameters, k * m->features + j);
    }
    return sum + (m->intercept ? at(m, parameters, m->outputs * m->features + k) : 0);
}

/*
 * Parameters are generic but for the first `outputs` features, which are 0.9 times the unit matrix: then these features can
 * be chosen so that the predictions are those wanted.
 */
static void fill(model *m)
{
    const loss_dtype dtype = m->rows.dtype;
    for (int64_t i = 0; i < m->dimension; i++) {
        set_element(m->parameters, dtype, i, 0.2 * scatter(i) - 0.1);
        set_element(m->direction, dtype, i, scatter(i + 77) - 0.5);
    }
    for (int64_t k = 0; k < m->outputs; k++) {
        for (int64_t j = 0; j < m->outputs && j < m->features; j++) {
            set_element(m->parameters, dtype, k * m->features + j, j == k ? 0.9 : 0);
        }
    }
    for (int64_t i = 0; i < m->rows.rows; i++) {
        for (int64_t j = m->outputs; j < m->features; j++) {
            set_element(m->x, dtype, i * m->features + j, 2 * scatter(i * m->features + j) - 1);
        }
        for (int64_t k = 0; k < m->outputs && k < m->features; k++) {
            const double wanted = element(m->rows.prediction, dtype, i * m->outputs + k);
            set_element(m->x, dtype, i * m->features + k, (wanted - predict(m, m->parameters, i, k)) / 0.9);
        }
    }
}

static model with_rows(batch rows, int64_t features, int64_t outputs, int32_t intercept)
{
    model m = {.rows = rows, .features = features, .outputs = outputs, .intercept = intercept};
    m.dimension = outputs * (features + intercept);
    m.x = numbers(rows.dtype, rows.rows * features);
    m.parameters = numbers(rows.dtype, m.dimension);
    m.direction = numbers(rows.dtype, m.dimension);
    for (int64_t i = 0; i < rows.rows; i++) {
        set_element(m.rows.weight, rows.dtype, i, 0.3 + scatter(i + 5));
        m.rows.mask[i] = i % 7 != 3;
    }
    fill(&m);
    return m;
}

model model_of_group(const vector_group *group, int64_t rows, int64_t extra, int64_t wide, int32_t pointwise,
                     int32_t intercept)
{
    const int64_t outputs = pointwise ? wide : group->columns;
    return with_rows(batch_of_group(group, rows, wide, pointwise), outputs + extra, outputs, intercept);
}

model model_plain(loss_dtype dtype, int64_t rows, int64_t features, int64_t outputs, int32_t labels)
{
    batch made = batch_create(dtype, rows, outputs, labels ? 1 : outputs, labels);
    for (int64_t i = 0; i < rows * outputs; i++) {
        set_element(made.prediction, dtype, i, 4 * scatter(i + 3) - 2);
        set_element(made.target, dtype, i, 3 * scatter(2 * i) - 1);
        made.label[i / outputs] = (i / outputs + 1) % outputs;
    }
    return with_rows(made, features, outputs, 1);
}

void model_free(model *made)
{
    batch_free(&made->rows);
    free(made->x);
    free(made->parameters);
    free(made->direction);
}

loss_data *model_data(loss_context *context, const model *made)
{
    const batch *rows = &made->rows;
    loss_data *data;
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_input(data, "features", made->x, rows->dtype, rows->rows, made->features,
                                      made->features, 1),
                  LOSS_OK);
    if (rows->labels) {
        loss_data_set_input(data, "target", rows->label, LOSS_INT64, rows->rows, 1, 1, 1);
    } else {
        loss_data_set_input(data, "target", rows->target, rows->dtype, rows->rows, made->outputs,
                            made->outputs, 1);
    }
    if (rows->give & GIVE_WEIGHT) {
        loss_data_set_input(data, "weight", rows->weight, rows->dtype, rows->rows, 1, 1, 1);
    }
    if (rows->give & GIVE_MASK) {
        loss_data_set_input(data, "mask", rows->mask, LOSS_UINT8, rows->rows, 1, 1, 1);
    }
    return data;
}

loss_objective *model_objective_of(loss_context *context, const loss_function *function,
                                   const loss_data *data, const model *made)
{
    loss_objective *objective;
    loss_penalty *penalty;
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "intercept", made->intercept), LOSS_OK);
    if (made->rows.labels) { /* the largest label of the rows may not be the last class */
        assert_status(context, loss_objective_set_int(objective, "outputs", made->outputs), LOSS_OK);
    }
    if (made->strength > 0) {
        assert_status(context, loss_penalty_create(&penalty, context, "l2"), LOSS_OK);
        assert_status(context, loss_penalty_set_double(penalty, "strength", made->strength), LOSS_OK);
        assert_status(context, loss_objective_add_penalty(objective, penalty), LOSS_OK);
        loss_penalty_free(penalty);
    }
    assert_int_equal(loss_objective_dimension(objective), made->dimension);
    return objective;
}

loss_objective *model_objective(loss_context *context, const loss_function *function, const model *made)
{
    loss_data *data = model_data(context, made);
    loss_objective *objective = model_objective_of(context, function, data, made);
    loss_data_free(data);
    return objective;
}

/* out[parameter] = Σ_i r_i · x_i / denominator + strength · at[parameter] */
static void back(const model *m, const void *r, double denominator, const void *where, double *out)
{
    const int64_t weights = m->outputs * m->features;
    memset(out, 0, (size_t)m->dimension * sizeof *out);
    for (int64_t i = 0; i < m->rows.rows; i++) {
        if ((m->rows.give & GIVE_MASK) && !m->rows.mask[i]) {
            continue;
        }
        for (int64_t k = 0; k < m->outputs; k++) {
            const double factor = at(m, r, i * m->outputs + k);
            for (int64_t j = 0; j < m->features; j++) {
                out[k * m->features + j] += factor * at(m, m->x, i * m->features + j);
            }
            if (m->intercept) {
                out[weights + k] += factor;
            }
        }
    }
    for (int64_t p = 0; p < m->dimension; p++) {
        out[p] = out[p] / denominator + (p < weights ? m->strength * at(m, where, p) : 0);
    }
}

void model_reference(loss_context *context, const loss_function *function, model *made, double *value,
                     double *gradient, double *product)
{
    batch *rows = &made->rows;
    double squares = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
        for (int64_t k = 0; k < made->outputs; k++) {
            const int64_t place = i * made->outputs + k;
            set_element(rows->prediction, rows->dtype, place,
                        rounded(rows->dtype, predict(made, made->parameters, i, k)));
            set_element(rows->direction, rows->dtype, place,
                        rounded(rows->dtype, predict(made, made->direction, i, k)));
        }
    }
    for (int64_t p = 0; p < made->outputs * made->features; p++) {
        squares += at(made, made->parameters, p) * at(made, made->parameters, p);
    }
    rows->give |= GIVE_DIRECTION;
    assert_status(context, batch_evaluate(context, function, rows), LOSS_OK);
    assert_true(rows->denominator > 0);
    *value = rows->sum / rows->denominator + made->strength / 2 * squares;
    back(made, rows->output[1], rows->denominator, made->parameters, gradient);
    back(made, rows->output[3], rows->denominator, made->direction, product);
}

/* ---- the catalogue ---- */

int64_t model_next_group(const vector_file *file, loss_dtype dtype, int64_t index)
{
    for (index++; index < file->count; index++) {
        const vector_group *group = &file->groups[index];
        for (int64_t i = 0; group->dtype == dtype && i < group->rows; i++) {
            if (group->generic[i]) {
                return index;
            }
        }
    }
    return -1;
}

static void one_loss(loss_context *context, const char *name, loss_dtype dtype, model_test test)
{
    vector_file file;
    assert_int_equal(vectors_read(name, &file), 0);
    int64_t index = model_next_group(&file, dtype, -1);
    assert_true(index >= 0);
    for (; index >= 0; index = model_next_group(&file, dtype, index)) {
        loss_function *function;
        int32_t pointwise;
        assert_status(context, loss_function_create(&function, context, name), LOSS_OK);
        assert_status(context, vectors_configure(function, file.groups[index].options), LOSS_OK);
        assert_status(context, loss_function_property(function, "pointwise", &pointwise), LOSS_OK);
        test(context, function, &file.groups[index], pointwise);
        loss_function_free(function);
    }
    vectors_free(&file);
}

/* Whether a linear model can have the loss: it reads predictions and targets, no more and no less. */
static int32_t takes_predictions(loss_context *context, const char *name)
{
    loss_function *function;
    int32_t structured = 1;
    assert_status(context, loss_function_create(&function, context, name), LOSS_OK);
    assert_status(context, loss_function_property(function, "structured", &structured), LOSS_OK);
    structured |= !reads_target(function);
    loss_function_free(function);
    return !structured;
}

void for_every_loss(model_test test)
{
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
        const char *name = loss_function_catalogue_name(i);
        if (takes_predictions(context, name)) {
            one_loss(context, name, LOSS_FLOAT64, test);
            one_loss(context, name, LOSS_FLOAT32, test);
        }
    }
    loss_context_free(context);
}
