/* Sparse features that are wrong, odd, many, or in other calls than those that take them. */
#include "gradient_sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Three rows of 2, 0 and 3 entries in 4 columns; one thing at a time is made wrong. */
typedef struct matrix {
    int64_t rows, columns, entries;
    int64_t offsets[4], indices[5];
    double values[5];
} matrix;

static const matrix good = {3, 4, 5, {0, 2, 2, 5}, {1, 3, 0, 1, 2}, {0.5, -2, 1.5, 3, -0.25}};

typedef struct fixture {
    loss_context *context;
    loss_function *function;
    loss_data *data;
    matrix m;
    int32_t offsets[4], indices[5];
    double target[3];
} fixture;

static void make(fixture *f, const matrix *m)
{
    memset(f, 0, sizeof *f);
    f->m = *m;
    for (int i = 0; i < 5; i++) {
        f->indices[i] = (int32_t)m->indices[i];
        f->offsets[i < 4 ? i : 3] = (int32_t)m->offsets[i < 4 ? i : 3];
    }
    assert_int_equal(loss_context_create(&f->context), LOSS_OK);
    assert_status(f->context, loss_function_create(&f->function, f->context, "huber"), LOSS_OK);
    assert_status(f->context, loss_data_create(&f->data, f->context), LOSS_OK);
    assert_status(f->context, loss_data_set_input(f->data, "target", f->target, LOSS_FLOAT64, 3, 1, 1, 1),
                  LOSS_OK);
}

static void unmake(fixture *f)
{
    loss_data_free(f->data);
    loss_function_free(f->function);
    loss_context_free(f->context);
}

/* wide: bit 0 the offsets, bit 1 the indices are int64. */
static loss_status set(fixture *f, loss_data *data, const char *role, int wide)
{
    return loss_data_set_sparse_input(data, role, f->m.rows, f->m.columns, f->m.entries,
                                      wide & 1 ? (const void *)f->m.offsets : (const void *)f->offsets,
                                      wide & 1 ? LOSS_INT64 : LOSS_INT32,
                                      wide & 2 ? (const void *)f->m.indices : (const void *)f->indices,
                                      wide & 2 ? LOSS_INT64 : LOSS_INT32, f->m.values, LOSS_FLOAT64);
}

/* ---- what is refused ---- */

static const struct malformed {
    int where; /* 0 … 3: an offset, 10 … 14: an index, 20: the entries, 21: the columns */
    int64_t value;
    int64_t row;
    const char *words;
} malformed[] = {
    {0, -1, 0, "the offset of row 0 of 'features' is -1: it may not be negative"},
    {0, 3, 0, "row 0 of 'features' begins at entry 3 and ends at 2: offsets may not fall"},
    {1, 3, 1, "row 1 of 'features' begins at entry 3 and ends at 2"},
    {2, 1, 1, "row 1 of 'features' begins at entry 2 and ends at 1"},
    {3, 1, 2, "row 2 of 'features' begins at entry 2 and ends at 1"},
    {3, 6, 2, "row 2 of 'features' ends at entry 6 of 5"},
    {3, INT32_MAX, 2, "row 2 of 'features' ends at entry 2147483647"},
    {1, 2000000, 0, "row 0 of 'features' ends at entry 2000000"},
    {10, -1, 0, "row 0 of 'features' has entry 0 in column -1; columns are 0 … 3"},
    {11, 4, 0, "row 0 of 'features' has entry 1 in column 4; columns are 0 … 3"},
    {14, INT32_MAX, 2, "row 2 of 'features' has entry 4 in column 2147483647"},
    {13, INT32_MIN, 2, "row 2 of 'features' has entry 3 in column -2147483648"},
    {20, 4, 2, "row 2 of 'features' ends at entry 5 of 4"},
    {21, 3, 0, "row 0 of 'features' has entry 1 in column 3; columns are 0 … 2"},
    {21, 0, 0, "row 0 of 'features' has entry 0 in column 1; there are no columns"},
};

static void refuse(const struct malformed *wrong, int wide)
{
    fixture f;
    matrix m = good;
    double x[8] = {0}, value = 777, prediction[3];
    loss_objective *objective, *fine;
    loss_data *outputs, *right;
    if (wrong->where < 4) {
        m.offsets[wrong->where] = wrong->value;
    } else if (wrong->where < 20) {
        m.indices[wrong->where - 10] = wrong->value;
    } else {
        *(wrong->where == 20 ? &m.entries : &m.columns) = wrong->value;
    }
    make(&f, &m);
    assert_status(f.context, set(&f, f.data, "features", wide), LOSS_OK);
    assert_status(f.context, loss_objective_create_linear(&objective, f.context, f.function, f.data),
                  LOSS_OK);
    for (int again = 0; again < 2; again++) {
        assert_status(f.context, loss_objective_evaluate(objective, x, &value, NULL), LOSS_ERROR_SHAPE);
        assert_sentence(f.context, wrong->words);
        assert_int_equal(loss_context_error_row(f.context), wrong->row);
    }
    loss_objective_free(objective);

    /* The same as rows to predict, of a model of so many features. */
    const double dense[12] = {1, 2, 3, 4, 5, 6};
    assert_status(f.context, loss_data_create(&right, f.context), LOSS_OK);
    loss_data_set_input(right, "features", dense, LOSS_FLOAT64, 3, m.columns, m.columns, 1);
    loss_data_set_input(right, "target", f.target, LOSS_FLOAT64, 3, 1, 1, 1);
    assert_status(f.context, loss_objective_create_linear(&fine, f.context, f.function, right), LOSS_OK);
    assert_status(f.context, loss_data_create(&outputs, f.context), LOSS_OK);
    loss_data_set_output(outputs, "prediction", prediction, LOSS_FLOAT64, 3, 1, 1, 1);
    assert_status(f.context, loss_objective_predict(fine, x, f.data, outputs), LOSS_ERROR_SHAPE);
    assert_sentence(f.context, wrong->words);
    assert_true(value == 777);
    loss_objective_free(fine);
    loss_data_free(outputs);
    loss_data_free(right);
    unmake(&f);
}

void sparse_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        for (int wide = 0; wide < 4; wide++) {
            refuse(&malformed[i], wide);
        }
    }
    matrix m = good; /* an index beyond 32 bits that would be column 1 if it were cut */
    fixture f;
    loss_objective *objective;
    m.indices[2] = (INT64_C(1) << 32) + 1;
    make(&f, &m);
    assert_status(f.context, set(&f, f.data, "features", 2), LOSS_OK);
    assert_status(f.context, loss_objective_create_linear(&objective, f.context, f.function, f.data),
                  LOSS_OK);
    assert_status(f.context, loss_objective_prepare(objective), LOSS_ERROR_SHAPE);
    assert_sentence(f.context, "entry 2 in column 4294967297");
    loss_objective_free(objective);
    unmake(&f);
}

void sparse_arguments(void **state)
{
    fixture f;
    (void)state;
    make(&f, &good);
    loss_data *d = f.data;
    const void *o = f.offsets, *i = f.indices, *v = f.m.values;
    const struct {
        int64_t rows, columns, entries;
        const void *offsets, *indices, *values;
        loss_dtype offset, index, value;
        loss_status expected;
        const char *words;
    } cases[] = {
        {-1, 4, 5, o, i, v, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT, "'f' has -1 rows"},
        {3, -4, 5, o, i, v, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT, "-4 columns"},
        {3, 4, -5, o, i, v, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT, "-5 entries"},
        {3, 4, 5, NULL, i, v, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT,
         "the row offsets of 'f' are NULL"},
        {3, 4, 5, o, NULL, v, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT,
         "the column indices of 'f' are NULL"},
        {3, 4, 5, o, i, NULL, LOSS_INT32, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_ARGUMENT,
         "the values of 'f' are NULL"},
        {3, 4, 5, o, i, v, 0, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_TYPE, "row offsets of 'f' are unknown"},
        {3, 4, 5, o, i, v, LOSS_UINT8, LOSS_INT32, LOSS_FLOAT64, LOSS_ERROR_TYPE,
         "row offsets of 'f' are uint8; int32 or int64 was expected"},
        {3, 4, 5, o, i, v, LOSS_INT32, LOSS_FLOAT32, LOSS_FLOAT64, LOSS_ERROR_TYPE,
         "column indices of 'f' are float32; int32 or int64 was expected"},
        {3, 4, 5, o, i, v, LOSS_INT32, LOSS_INT32, LOSS_INT64, LOSS_ERROR_TYPE,
         "the values of 'f' are int64; float32 or float64 was expected"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        assert_status(f.context,
                      loss_data_set_sparse_input(d, "f", cases[c].rows, cases[c].columns, cases[c].entries,
                                                 cases[c].offsets, cases[c].offset, cases[c].indices,
                                                 cases[c].index, cases[c].values, cases[c].value),
                      cases[c].expected);
        assert_sentence(f.context, cases[c].words);
    }
    assert_int_equal(set(&f, NULL, "f", 0), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, set(&f, d, NULL, 0), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, set(&f, d, "", 0), LOSS_ERROR_ARGUMENT);
    unmake(&f);
}

/* Only the features of a linear model: everybody else says so, and reads nothing. */
void sparse_elsewhere(void **state)
{
    static const char *const losses[] = {"huber", "cross_entropy", "cox", "linear_cross_entropy"};
    static const char *const roles[] = {"target", "weight", "mask"};
    double out[12], constant[3];
    (void)state;
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++) {
        fixture f;
        loss_function *function;
        loss_data *data;
        make(&f, &good);
        assert_status(f.context, loss_function_create(&function, f.context, losses[l]), LOSS_OK);
        assert_status(f.context, loss_data_create(&data, f.context), LOSS_OK);
        assert_status(f.context, set(&f, data, "prediction", 0), LOSS_OK);
        assert_status(f.context, loss_function_evaluate(f.context, function, data, NULL, NULL, NULL),
                      LOSS_ERROR_TYPE);
        assert_sentence(f.context, "'prediction' is sparse: a dense array was expected");
        assert_status(f.context, loss_function_evaluate(f.context, function, f.data, data, NULL, NULL),
                      LOSS_ERROR_TYPE);
        if (l < 2) { /* the others have neither */
            assert_status(f.context, loss_function_best_constant(f.context, function, data, 3, constant),
                          LOSS_ERROR_TYPE);
            assert_status(f.context, loss_function_inverse_link(f.context, function, data, data),
                          LOSS_ERROR_TYPE);
        }
        /* Not sealed by a refusal, and dense again. */
        assert_status(f.context, loss_data_set_input(data, "prediction", f.target, LOSS_FLOAT64, 3, 1, 1, 1),
                      LOSS_OK);
        loss_data_free(data);
        loss_function_free(function);
        unmake(&f);
    }
    for (size_t r = 0; r < sizeof roles / sizeof *roles; r++) {
        fixture f;
        loss_objective *objective = (loss_objective *)&objective;
        make(&f, &good);
        assert_status(f.context, loss_data_set_input(f.data, "features", out, LOSS_FLOAT64, 3, 4, 4, 1),
                      LOSS_OK);
        assert_status(f.context, set(&f, f.data, roles[r], 0), LOSS_OK);
        assert_status(f.context, loss_objective_create_linear(&objective, f.context, f.function, f.data),
                      LOSS_ERROR_TYPE);
        assert_sentence(f.context, "is sparse: of a linear model only the features can be");
        assert_null(objective);
        unmake(&f);
    }
}

/* A role is set, replaced and taken away, whatever it was. */
void sparse_roles(void **state)
{
    fixture f;
    double sum, dense[3] = {1, 2, 3};
    (void)state;
    make(&f, &good);
    assert_status(f.context, set(&f, f.data, "prediction", 0), LOSS_OK);
    assert_status(f.context, loss_data_set_input(f.data, "prediction", dense, LOSS_FLOAT64, 3, 1, 1, 1),
                  LOSS_OK);
    assert_status(f.context, set(&f, f.data, "weight", 3), LOSS_OK);
    assert_status(f.context,
                  loss_data_set_sparse_input(f.data, "weight", 0, 0, 0, NULL, LOSS_INT32, NULL, LOSS_INT32,
                                             NULL, LOSS_FLOAT64),
                  LOSS_OK);
    assert_status(f.context, loss_function_evaluate(f.context, f.function, f.data, NULL, &sum, NULL),
                  LOSS_OK);
    assert_close(sum, 0.5 + 1.5 + 2.5, 1e-15, 0);
    assert_status(f.context, set(&f, f.data, "weight", 0), LOSS_ERROR_STATE);
    assert_sentence(f.context, "the data is sealed since its first use");
    unmake(&f);
}

/* ---- odd shapes ---- */

static loss_objective *objective_of(const fixture *f, int32_t center, int32_t scale)
{
    loss_objective *objective;
    assert_status(f->context, loss_objective_create_linear(&objective, f->context, f->function, f->data),
                  LOSS_OK);
    assert_status(f->context, loss_objective_set_int(objective, "center_columns", center), LOSS_OK);
    assert_status(f->context, loss_objective_set_int(objective, "scale_columns", scale), LOSS_OK);
    return objective;
}

void sparse_shapes(void **state)
{
    static const struct {
        int64_t rows, columns, entries;
        int32_t null;
    } shapes[] = {{0, 4, 0, 1}, {0, 4, 0, 0}, {3, 4, 0, 1}, {3, 0, 0, 1}, {0, 0, 0, 0}, {2, 4, 2, 0}};
    static const int64_t zeros[4];
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int options = 0; options < 4; options++) {
            fixture f;
            matrix m = good;
            double x[5] = {0.5, -0.5, 1, 2, -1.5}, value = 777, gradient[5], product[5];
            m.rows = shapes[s].rows;
            m.columns = shapes[s].columns;
            m.entries = shapes[s].entries;
            make(&f, &m);
            loss_data_set_input(f.data, "target", f.target, LOSS_FLOAT64, m.rows, 1, 1, 1);
            const int32_t null = shapes[s].null;
            assert_status(f.context,
                          loss_data_set_sparse_input(f.data, "features", m.rows, m.columns, m.entries,
                                                     null && m.rows == 0 ? NULL
                                                     : null              ? zeros
                                                                         : m.offsets,
                                                     LOSS_INT64, null ? NULL : m.indices, LOSS_INT64,
                                                     null ? NULL : m.values, LOSS_FLOAT64),
                          LOSS_OK);
            loss_objective *objective = objective_of(&f, options & 1, options >> 1);
            assert_int_equal(loss_objective_dimension(objective), m.columns + 1);
            assert_status(f.context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
            assert_status(f.context, loss_objective_hessian_product(objective, x, x, product), LOSS_OK);
            assert_status(f.context, loss_objective_precondition(objective, x, x, product), LOSS_OK);
            assert_true(m.rows > 0 || (value == 0 && gradient[0] == 0));
            assert_true(m.rows < 3 || gradient[m.columns] == (m.columns == 4 ? -1 : 0.5));
            assert_status(f.context, loss_objective_evaluate_batch(objective, x, 0, NULL, &value, gradient),
                          LOSS_OK);
            assert_true(value == 0);
            loss_objective_free(objective);
            unmake(&f);
        }
    }
}

/* ---- many rows ---- */

enum { MANY = 9000, COLUMNS = 300, OUTPUTS = 3, HEAVY = 4000 };

typedef struct outcome {
    double value, part;
    char gradient[8 * OUTPUTS * (COLUMNS + 1)], product[8 * OUTPUTS * (COLUMNS + 1)],
        batch[8 * OUTPUTS * (COLUMNS + 1)], preconditioned[8 * OUTPUTS * (COLUMNS + 1)],
        prediction[8 * OUTPUTS * MANY];
} outcome;

/* Gives how many instruction sets there are to choose from. */
static int32_t run(int32_t isa, int threads, const model *m, const csr *features, int32_t standardise,
                   outcome *o)
{
    static int64_t indices[5000];
    loss_context *context;
    loss_function *function;
    loss_data *outputs, *inputs;
    for (int64_t i = 0; i < 5000; i++) {
        indices[i] = (i * 7919) % MANY;
    }
    memset(o, 0, sizeof *o);
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    const int32_t isas = loss_context_isa_count(context);
    assert_status(context, loss_context_set_string(context, "isa", loss_context_isa_name(context, isa)),
                  LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "pseudo_huber"), LOSS_OK);
    inputs = model_data(context, m);
    csr_set(context, inputs, features);
    loss_objective *objective = model_objective_of(context, function, inputs, m);
    assert_status(context, loss_objective_set_int(objective, "center_columns", standardise), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "scale_columns", standardise), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &o->value, o->gradient),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, o->product),
                  LOSS_OK);
    assert_status(context,
                  loss_objective_precondition(objective, m->parameters, m->direction, o->preconditioned),
                  LOSS_OK);
    assert_status(context,
                  loss_objective_evaluate_batch(objective, m->parameters, 5000, indices, &o->part, o->batch),
                  LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    loss_data_set_output(outputs, "prediction", o->prediction, m->rows.dtype, MANY, m->outputs, m->outputs,
                         1);
    assert_status(context, loss_objective_predict(objective, m->parameters, inputs, outputs), LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_objective_free(objective);
    loss_function_free(function);
    loss_context_free(context);
    return isas;
}

/* Rows of very different lengths, one of them all there is: the same bits for any number of threads and any instruction set. */
void sparse_threads(void **state)
{
    static outcome first, other;
    (void)state;
    for (int c = 0; c < 8; c++) {
        const loss_dtype dtype = c & 1 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const int64_t outputs = c & 2 ? OUTPUTS : 1;
        model m = model_plain(dtype, MANY, COLUMNS, outputs, 0);
        m.rows.give |= GIVE_MASK | GIVE_WEIGHT;
        for (int64_t i = 0; i < MANY * COLUMNS; i++) {
            if (i / COLUMNS != HEAVY && scatter(i) < (i / COLUMNS % 50 == 0 ? 0.5 : 0.95)) {
                set_element(m.x, dtype, i, 0);
            }
        }
        csr features = csr_of(dtype, m.x, MANY, COLUMNS, c & 4 ? SPLIT : WIDE_INDICES);
        const int32_t isas = run(0, 1, &m, &features, c >> 2, &first);
        for (int i = 1; i < 3 * isas; i++) {
            run(i / 3, 1 + i % 3, &m, &features, c >> 2, &other);
            assert_int_equal(memcmp(&first, &other, sizeof first), 0);
        }
        csr_free(&features);
        model_free(&m);
    }
}

/* A batch is the mean over its rows, repetitions counted, as of dense features. */
void sparse_batches(void **state)
{
    static const int64_t indices[] = {5, 0, 88, 5, 13, 89, 0};
    loss_context *context;
    loss_function *function;
    double dense_value, value, dense_gradient[80], gradient[80];
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    model m = model_plain(LOSS_FLOAT64, 90, 17, 2, 0);
    m.rows.give |= GIVE_MASK | GIVE_WEIGHT;
    model_thin(&m);
    csr features = csr_of(LOSS_FLOAT64, m.x, 90, 17, LATER);
    loss_data *data = model_data(context, &m);
    csr_set(context, data, &features);
    loss_objective *sparse = model_objective_of(context, function, data, &m);
    loss_objective *dense = model_objective(context, function, &m);
    assert_status(
        context, loss_objective_evaluate_batch(dense, m.parameters, 7, indices, &dense_value, dense_gradient),
        LOSS_OK);
    assert_status(context, loss_objective_evaluate_batch(sparse, m.parameters, 7, indices, &value, gradient),
                  LOSS_OK);
    assert_close(value, dense_value, 1e-14, 0);
    assert_like(gradient, dense_gradient, LOSS_FLOAT64, m.dimension, 1e-14);

    /* A model of either kind predicts rows of either kind. */
    for (int c = 0; c < 4; c++) {
        double expected[180], prediction[180];
        loss_data *inputs = model_data(context, &m), *outputs;
        if (c & 1) {
            csr_set(context, inputs, &features);
        }
        assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
        loss_data_set_output(outputs, "prediction", c == 0 ? expected : prediction, LOSS_FLOAT64, 90, 2, 2,
                             1);
        assert_status(context, loss_objective_predict(c & 2 ? sparse : dense, m.parameters, inputs, outputs),
                      LOSS_OK);
        for (int i = 0; c > 0 && i < 180; i++) {
            assert_close(prediction[i], expected[i], 0, 1e-14);
        }
        loss_data_free(inputs);
        loss_data_free(outputs);
    }
    loss_objective_free(sparse);
    loss_objective_free(dense);
    loss_data_free(data);
    csr_free(&features);
    model_free(&m);
    loss_function_free(function);
    loss_context_free(context);
}
