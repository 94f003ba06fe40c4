/*
 * Linear models of odd shapes: around the lanes, the register blocks and the chunks of the kernels, with more and fewer rows
 * than a tile, weighted, masked and with features in columns. Gradients and products are those of plain loops, the Hessian
 * multiplies like the products, and no bit depends on threads or instruction sets.
 */
#include "gradient_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 1100 features are several chunks of features for any number of outputs but one; 600 rows three chunks of a Hessian. */
static const struct {
    const char *loss;
    int64_t rows, features, outputs;
    int32_t labels, intercept, give;
} shapes[] = {
    {"logistic", 1, 1, 1, 0, 1, 0},
    {"pseudo_huber", 600, 15, 1, 0, 0, GIVE_WEIGHT},
    {"pseudo_huber", 257, 16, 1, 0, 1, GIVE_MASK},
    {"logistic", 37, 17, 1, 0, 0, 0},
    {"squared_error", 300, 100, 1, 0, 1, GIVE_WEIGHT | GIVE_MASK},
    {"logistic", 130, 784, 1, 0, 0, GIVE_WEIGHT},
    {"cross_entropy", 40, 1, 2, 1, 1, GIVE_WEIGHT},
    {"cross_entropy", 300, 16, 3, 1, 0, GIVE_MASK},
    {"pseudo_huber", 95, 17, 2, 0, 1, GIVE_WEIGHT | GIVE_MASK},
    {"cross_entropy", 600, 15, 10, 1, 1, GIVE_WEIGHT | GIVE_MASK},
    {"cross_entropy", 270, 24, 11, 1, 1, 0},
    {"logistic", 530, 100, 3, 0, 0, GIVE_WEIGHT},
    {"cross_entropy", 19, 784, 10, 1, 1, GIVE_WEIGHT},
    {"cross_entropy", 35, 784, 11, 1, 0, GIVE_MASK},
    {"cross_entropy", 70, 784, 10, 1, 1,
     GIVE_MASK | GIVE_WEIGHT}, /* three blocks: of 32 rows instead of 64 */
    {"huber", 23, 1100, 2, 0, 1, 0},
    {"cross_entropy", 21, 100, 27, 1, 0, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, HESSIAN_MOST = 900 };

typedef struct numbers {
    double value;
    double *gradient, *product, *hessian; /* the last NULL: it would be too large */
} numbers;

static double *room(int64_t count)
{
    double *made = calloc((size_t)count, sizeof *made);
    assert_non_null(made);
    return made;
}

static numbers numbers_of(const model *m)
{
    const int64_t n = m->dimension;
    return (numbers){0, room(n), room(n), n <= HESSIAN_MOST ? room(n * n) : NULL};
}

static void forget(numbers *made)
{
    free(made->gradient);
    free(made->product);
    free(made->hessian);
}

static model model_at(int shape, loss_dtype dtype)
{
    const int64_t outputs = shapes[shape].outputs;
    model m = model_plain(dtype, shapes[shape].rows, shapes[shape].features, outputs, shapes[shape].labels);
    m.intercept = shapes[shape].intercept;
    m.dimension = outputs * (m.features + m.intercept);
    m.rows.give |= shapes[shape].give;
    m.strength = 0.0625;
    for (int64_t i = 0; strcmp(shapes[shape].loss, "logistic") == 0 && i < m.rows.rows * outputs; i++) {
        set_element(m.rows.target, dtype, i, (double)(i * 5 / 3 % 2));
    }
    for (int64_t i = 0; i < m.rows.rows * m.features;
         i++) { /* features of size 1, whatever predictions they make */
        set_element(m.x, dtype, i, 2 * scatter(i + 11) - 1);
    }
    return m;
}

/* The features row after row, or column after column in `columns`. */
static loss_objective *objective_of(loss_context *context, const loss_function *function, const model *m,
                                    void *columns)
{
    const int64_t size = loss_dtype_size(m->rows.dtype), rows = m->rows.rows;
    loss_data *data = model_data(context, m);
    if (columns != NULL) {
        for (int64_t i = 0; i < rows * m->features; i++) {
            memcpy((char *)columns + (i % m->features * rows + i / m->features) * size,
                   (char *)m->x + i * size, (size_t)size);
        }
        assert_status(
            context,
            loss_data_set_input(data, "features", columns, m->rows.dtype, rows, m->features, 1, rows),
            LOSS_OK);
    }
    loss_objective *objective = model_objective_of(context, function, data, m);
    loss_data_free(data);
    return objective;
}

/* The product comes twice: the second has the predictions of the first. */
static void evaluate(loss_context *context, loss_objective *objective, const model *m, numbers *out)
{
    double *again = room(m->dimension);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &out->value, out->gradient),
                  LOSS_OK);
    assert_status(context,
                  loss_objective_hessian_product(objective, m->parameters, m->direction, out->product),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->direction, m->direction, again),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->parameters, again),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, again),
                  LOSS_OK);
    assert_same_bits(again, out->product, m->rows.dtype, m->dimension);
    free(again);
    if (out->hessian != NULL) {
        assert_status(context, loss_objective_hessian(objective, m->parameters, out->hessian), LOSS_OK);
    }
}

static void assert_near(const void *actual, loss_dtype dtype, const double *expected, int64_t count,
                        double relative)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
    }
    for (int64_t i = 0; i < count; i++) {
        assert_close(element(actual, dtype, i), expected[i], 0, relative * largest);
    }
}

/* Symmetric to the bit, and times the direction the product. */
static void assert_hessian(const model *m, const numbers *got, double relative)
{
    const loss_dtype dtype = m->rows.dtype;
    const int64_t n = m->dimension;
    double *expected = room(n), *times = room(n);
    for (int64_t i = 0; i < n; i++) {
        expected[i] = element(got->product, dtype, i);
        for (int64_t j = 0; j < n; j++) {
            const double h = element(got->hessian, dtype, i * n + j);
            times[i] += h * element(m->direction, dtype, j);
            assert_true(h == element(got->hessian, dtype, j * n + i));
        }
    }
    assert_near(times, LOSS_FLOAT64, expected, n, relative);
    free(expected);
    free(times);
}

static void one_shape(int shape, loss_dtype dtype, int by_column)
{
    static const int64_t threads[] = {1, 2, 3};
    const double tolerance = dtype == LOSS_FLOAT32 ? 8e-6 : 2e-13;
    loss_context *context;
    loss_function *function;
    model m = model_at(shape, dtype);
    numbers expected = numbers_of(&m), first = numbers_of(&m), other = numbers_of(&m);
    void *columns = by_column ? room(m.rows.rows * m.features) : NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, shapes[shape].loss), LOSS_OK);
    model_reference(context, function, &m, &expected.value, expected.gradient, expected.product);
    for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
        assert_status(context, loss_context_set_string(context, "isa", loss_context_isa_name(context, isa)),
                      LOSS_OK);
        for (int t = 0; t < 3; t++) {
            assert_status(context, loss_context_set_int(context, "threads", threads[t]), LOSS_OK);
            loss_objective *objective = objective_of(context, function, &m, columns);
            evaluate(context, objective, &m, isa == 0 && t == 0 ? &first : &other);
            loss_objective_free(objective);
            if (isa != 0 || t != 0) {
                assert_true(same_bits(first.value, other.value));
                assert_same_bits(other.gradient, first.gradient, dtype, m.dimension);
                assert_same_bits(other.product, first.product, dtype, m.dimension);
            }
            if (first.hessian != NULL && (isa != 0 || t != 0)) {
                assert_same_bits(other.hessian, first.hessian, dtype, m.dimension * m.dimension);
            }
        }
    }
    assert_close(first.value, expected.value, tolerance, 0);
    assert_near(first.gradient, dtype, expected.gradient, m.dimension, tolerance);
    assert_near(first.product, dtype, expected.product, m.dimension, 4 * tolerance);
    if (first.hessian != NULL) {
        assert_hessian(&m, &first, 4 * tolerance);
    }
    forget(&expected);
    forget(&first);
    forget(&other);
    free(columns);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}

void gradient_dense_shapes(void **state)
{
    (void)state;
    for (int shape = 0; shape < SHAPES; shape++) {
        one_shape(shape, LOSS_FLOAT64, shape % 3 == 1);
        one_shape(shape, LOSS_FLOAT32, shape % 3 == 2);
    }
}

/* Epochs of batches by hand: every one of them alone, and none tells which comes next. x: the best point, as of minimize. */
static void step_by_step(loss_optimizer *optimizer, loss_context *context, loss_objective *objective,
                         const model *m, double *x)
{
    int32_t request = 0;
    double *gradient = room(m->dimension), value = 0, least = INFINITY;
    assert_status(context, loss_optimizer_start(optimizer, x), LOSS_OK);
    while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        const void *at, *indices;
        int64_t count = 0;
        assert_status(context, loss_optimizer_get_pointer(optimizer, "x", &at), LOSS_OK);
        if (request == LOSS_REQUEST_BATCH_GRADIENT) {
            assert_status(context, loss_optimizer_get_pointer(optimizer, "indices", &indices), LOSS_OK);
            assert_status(context, loss_optimizer_get_int(optimizer, "indices_count", &count), LOSS_OK);
            assert_status(context,
                          loss_objective_evaluate_batch(objective, at, count, indices, &value, gradient),
                          LOSS_OK);
        } else {
            assert_status(context, loss_objective_evaluate(objective, at, &value, gradient), LOSS_OK);
            memcpy(x, at, value < least ? (size_t)(m->dimension * loss_dtype_size(m->rows.dtype)) : 0);
            least = fmin(least, value);
        }
        assert_status(context, loss_optimizer_tell_gradient(optimizer, value, gradient), LOSS_OK);
    }
    free(gradient);
}

static loss_optimizer *descent(loss_context *context, const model *m, int64_t batch_size)
{
    loss_optimizer *optimizer;
    assert_status(context, loss_optimizer_create(&optimizer, context, "sgd", m->rows.dtype, m->dimension),
                  LOSS_OK);
    assert_status(context, loss_optimizer_set_int(optimizer, "samples", m->rows.rows), LOSS_OK);
    assert_status(context, loss_optimizer_set_int(optimizer, "batch_size", batch_size), LOSS_OK);
    assert_status(context, loss_optimizer_set_int(optimizer, "epochs", 2), LOSS_OK);
    assert_status(context, loss_optimizer_set_double(optimizer, "learning_rate", 1e-4), LOSS_OK);
    return optimizer;
}

/* Features that fill caches are asked for ahead, also those of the next batch: neither that nor threads change a bit. */
void gradient_dense_ahead(void **state)
{
    static const int64_t batch_sizes[] = {7, 64, 200};
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    for (int k = 0; k < 6; k++) {
        model m = model_plain(dtypes[k % 2], 1600, 700, 11, 1);
        const size_t bytes = (size_t)(m.dimension * loss_dtype_size(m.rows.dtype));
        m.rows.give |= k >= 4 ? GIVE_MASK : 0;
        for (int64_t i = 0; i < m.rows.rows * m.features; i++) {
            set_element(m.x, m.rows.dtype, i, 2 * scatter(i + 11) - 1);
        }
        loss_objective *objective = model_objective(context, function, &m);
        double *expected = room(m.dimension), *x = room(m.dimension);
        loss_optimizer *optimizer = descent(context, &m, batch_sizes[k / 2]);
        memcpy(expected, m.parameters, bytes);
        step_by_step(optimizer, context, objective, &m, expected);
        assert_memory_not_equal(expected, m.parameters, bytes);
        loss_optimizer_free(optimizer);
        for (int64_t threads = 1; threads <= 3; threads++) {
            assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
            memcpy(x, m.parameters, bytes);
            optimizer = descent(context, &m, batch_sizes[k / 2]);
            assert_status(context, loss_optimizer_minimize(optimizer, objective, x), LOSS_STOP_ITERATIONS);
            assert_same_bits(x, expected, m.rows.dtype, m.dimension);
            loss_optimizer_free(optimizer);
        }
        free(expected);
        free(x);
        loss_objective_free(objective);
        model_free(&m);
    }
    loss_function_free(function);
    loss_context_free(context);
}

/* The Hessian asks ahead too, of rows with and without gaps, to the end of the last chunk: threads and parts change no bit. */
void gradient_dense_hessian_ahead(void **state)
{
    enum { ROWS = 9001, FEATURES = 60 };
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "huber"), LOSS_OK);
    model m = model_plain(LOSS_FLOAT64, ROWS, FEATURES, 1, 0);
    static double first[(FEATURES + 1) * (FEATURES + 1)], other[(FEATURES + 1) * (FEATURES + 1)];
    for (int64_t i = 0; i < m.rows.rows * m.features; i++) {
        set_element(m.x, m.rows.dtype, i, 2 * scatter(i + 11) - 1);
    }
    for (int k = 0; k < 4; k++) {
        assert_status(context, loss_context_set_int(context, "threads", 1 + k % 3), LOSS_OK);
        m.rows.give |= k == 3 ? GIVE_MASK : 0;
        memset(m.rows.mask, 1, (size_t)m.rows.rows);
        loss_objective *objective = model_objective(context, function, &m);
        assert_status(context, loss_objective_hessian(objective, m.parameters, k == 0 ? first : other),
                      LOSS_OK);
        if (k > 0) {
            assert_same_bits(other, first, LOSS_FLOAT64, m.dimension * m.dimension);
        }
        loss_objective_free(objective);
    }
    model_free(&m);
    loss_function_free(function);
    loss_context_free(context);
}

/* No row counts, and none is there: the penalty alone. A label that is none, and a loss that is no number. */
void gradient_dense_hessian_ends(void **state)
{
    double matrix[36], nothing[1] = {0};
    loss_context *context;
    loss_function *function;
    (void)state;
    model m = model_plain(LOSS_FLOAT64, 9, 2, 2, 1);
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    m.strength = 0.375;
    m.rows.give |= GIVE_MASK;
    for (int masked = 0; masked < 2; masked++) {
        memset(m.rows.mask, 0, (size_t)m.rows.rows);
        loss_data *data = model_data(context, &m);
        if (!masked) {
            loss_data_set_input(data, "features", nothing, LOSS_FLOAT64, 0, 2, 2, 1);
            loss_data_set_input(data, "target", nothing, LOSS_INT64, 0, 1, 1, 1);
            loss_data_set_input(data, "mask", nothing, LOSS_UINT8, 0, 1, 1, 1);
        }
        loss_objective *objective = model_objective_of(context, function, data, &m);
        memset(matrix, 0x55, sizeof matrix);
        assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_OK);
        for (int i = 0; i < 36; i++) { /* the last two are intercepts, which no penalty is about */
            assert_true(matrix[i] == (i / 6 == i % 6 && i / 6 < 4 ? 0.375 : 0));
        }
        loss_objective_free(objective);
        loss_data_free(data);
    }
    memset(m.rows.mask, 1, (size_t)m.rows.rows);
    m.rows.label[7] = 2;
    loss_objective *objective = model_objective(context, function, &m);
    assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_ERROR_LABEL);
    assert_sentence(context, "the label of row 7 is 2");
    loss_objective_free(objective);
    m.rows.label[7] = 1;
    set_element(m.x, LOSS_FLOAT64, 5 * m.features, NAN);
    objective = model_objective(context, function, &m);
    assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_ERROR_NONFINITE);
    assert_sentence(context, "row 5");
    for (int i = 0; i < 36; i++) {
        assert_true(isnan(matrix[i]));
    }
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
    model_free(&m);
}
