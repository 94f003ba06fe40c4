/* Linear models with sparse features: every loss as with the same features dense, and the same numbers whatever their form. */
#include "gradient_sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSION_MAX = 4000 };

/* ---- matrices ---- */

void csr_put(loss_dtype dtype, void *array, int64_t i, int64_t value)
{
    const int32_t narrow = (int32_t)value;
    if (dtype == LOSS_INT32) {
        memcpy((char *)array + i * 4, &narrow, sizeof narrow);
    } else {
        memcpy((char *)array + i * 8, &value, sizeof value);
    }
}

static void put_entry(csr *m, int64_t column, double value)
{
    csr_put(m->index_dtype, m->indices, m->entries, column);
    set_element(m->values, m->dtype, m->entries++, value);
}

csr csr_of(loss_dtype dtype, const void *x, int64_t rows, int64_t columns, int form)
{
    const int64_t before = form & LATER ? 5 : 0;
    csr m = {.dtype = dtype,
             .offset_dtype = form & WIDE_OFFSETS ? LOSS_INT64 : LOSS_INT32,
             .index_dtype = form & WIDE_INDICES ? LOSS_INT64 : LOSS_INT32,
             .rows = rows,
             .columns = columns};
    m.offsets = calloc((size_t)rows + 1, 8);
    m.indices = calloc((size_t)(2 * rows * columns + before + 1), 8);
    m.values = calloc((size_t)(2 * rows * columns + before + 1), 8);
    assert_true(m.offsets != NULL && m.indices != NULL && m.values != NULL);
    for (int64_t e = 0; e < before; e++) { /* must not even be looked at */
        put_entry(&m, columns + e, 1e9);
    }
    csr_put(m.offset_dtype, m.offsets, 0, before);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t c = 0; c < columns; c++) {
            const int64_t j = form & REVERSED ? columns - 1 - c : c;
            const double value = element(x, dtype, i * columns + j);
            if (value != 0 && (form & SPLIT) && (i + j) % 3 == 0) { /* quarters add up exactly */
                put_entry(&m, j, 0.25 * value);
                put_entry(&m, j, 0.75 * value == value - 0.25 * value ? 0.75 * value : value - 0.25 * value);
            } else if (value != 0) {
                put_entry(&m, j, value);
            }
        }
        csr_put(m.offset_dtype, m.offsets, i + 1, m.entries);
    }
    return m;
}

void csr_free(csr *made)
{
    free(made->offsets);
    free(made->indices);
    free(made->values);
}

void csr_set(loss_context *context, loss_data *data, const csr *m)
{
    assert_status(context,
                  loss_data_set_sparse_input(data, "features", m->rows, m->columns, m->entries, m->offsets,
                                             m->offset_dtype, m->indices, m->index_dtype, m->values,
                                             m->dtype),
                  LOSS_OK);
}

/* The first `outputs` features have weight 0.9 in one output each: they take over what the others leave. */
void model_thin(model *made)
{
    const loss_dtype dtype = made->rows.dtype;
    for (int64_t i = 0; i < made->rows.rows; i++) {
        for (int64_t j = made->outputs; j < made->features; j++) {
            const double gone = element(made->x, dtype, i * made->features + j);
            if (scatter(31 * i + 7 * j) < 0.3) {
                continue;
            }
            set_element(made->x, dtype, i * made->features + j, 0);
            for (int64_t k = 0; k < made->outputs; k++) {
                const int64_t place = i * made->features + k;
                const double weight = element(made->parameters, dtype, k * made->features + j);
                set_element(made->x, dtype, place, element(made->x, dtype, place) + gone * weight / 0.9);
            }
        }
    }
}

void assert_like(const void *actual, const void *expected, loss_dtype dtype, int64_t count, double relative)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fmax(most, fabs(element(expected, dtype, i)));
    }
    for (int64_t i = 0; i < count; i++) {
        assert_close(element(actual, dtype, i), element(expected, dtype, i), 0, relative * most);
    }
}

/* ---- every loss ---- */

static loss_objective *sparse_objective(loss_context *context, const loss_function *function, const model *m,
                                        const csr *features)
{
    loss_data *data = model_data(context, m);
    csr_set(context, data, features);
    loss_objective *objective = model_objective_of(context, function, data, m);
    loss_data_free(data);
    return objective;
}

typedef struct results {
    double value, gradient[DIMENSION_MAX], product[DIMENSION_MAX], preconditioned[DIMENSION_MAX];
    double diagonal[DIMENSION_MAX];
} results;

static void evaluate(loss_context *context, loss_objective *objective, const model *m, results *r)
{
    assert_true(m->dimension <= DIMENSION_MAX);
    memset(r, 0, sizeof *r);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &r->value, r->gradient),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, r->product),
                  LOSS_OK);
    assert_status(context,
                  loss_objective_precondition(objective, m->parameters, m->direction, r->preconditioned),
                  LOSS_OK);
    assert_status(context, loss_objective_hessian_diagonal(objective, m->parameters, r->diagonal), LOSS_OK);
}

static void compare(loss_context *context, const loss_function *function, const model *m, int form)
{
    const loss_dtype dtype = m->rows.dtype;
    /* Predictions differ by an ulp where a sum of another order rounds to the other side; losses are curved. */
    const double tolerance = dtype == LOSS_FLOAT32 ? 3e-6 : 1e-13;
    static results dense, sparse;
    double value;
    csr features = csr_of(dtype, m->x, m->rows.rows, m->features, form);
    loss_objective *first = model_objective(context, function, m);
    loss_objective *second = sparse_objective(context, function, m, &features);
    evaluate(context, first, m, &dense);
    evaluate(context, second, m, &sparse);
    assert_close(sparse.value, dense.value, tolerance, 0);
    assert_like(sparse.gradient, dense.gradient, dtype, m->dimension, tolerance);
    assert_like(sparse.product, dense.product, dtype, m->dimension, 4 * tolerance);
    assert_like(sparse.preconditioned, dense.preconditioned, dtype, m->dimension, 1e3 * tolerance);
    assert_like(sparse.diagonal, dense.diagonal, dtype, m->dimension, 4 * tolerance);
    assert_status(context, loss_objective_evaluate(second, m->parameters, &value, NULL), LOSS_OK);
    assert_true(same_bits(value, sparse.value));
    loss_objective_free(first);
    loss_objective_free(second);
    csr_free(&features);
}

static void dense_and_sparse_of(loss_context *context, const loss_function *function,
                                const vector_group *group, int32_t pointwise)
{
    /* 1, 2, 4 outputs and more are kernels of their own. */
    static const struct {
        int64_t rows, extra, wide;
        int32_t intercept, give, form;
        double strength;
    } cases[] = {
        {1, 3, 1, 1, 0, 0, 0},
        {37, 9, 1, 1, GIVE_WEIGHT | GIVE_MASK, WIDE_OFFSETS | SPLIT | REVERSED, 0.37},
        {18, 30, 2, 0, GIVE_WEIGHT, WIDE_INDICES | LATER, 2.5},
        {41, 15, 3, 0, GIVE_MASK, WIDE_OFFSETS | WIDE_INDICES | SPLIT, 0},
        {23, 13, 11, 1, 0, REVERSED | LATER, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model m = model_of_group(group, cases[i].rows, cases[i].extra, cases[i].wide, pointwise,
                                 cases[i].intercept);
        m.rows.give |= cases[i].give;
        m.strength = cases[i].strength;
        model_thin(&m);
        compare(context, function, &m, cases[i].form);
        model_free(&m);
    }
}

void sparse_every_loss(void **state)
{
    (void)state;
    for_every_loss(dense_and_sparse_of);
}

/* In float32 a step that shows above the rounding, and any step where kinks are near, may show too little. */
void check_derivatives(loss_context *context, const loss_function *function, loss_objective *objective,
                       const void *x)
{
    int32_t verdict = 0, smooth = 0;
    assert_status(context, loss_function_property(function, "smooth", &smooth), LOSS_OK);
    assert_status(context, loss_objective_check(objective, x, 5, &verdict), LOSS_OK);
    const int32_t fine = smooth && loss_objective_dtype(objective) == LOSS_FLOAT64
                             ? verdict == LOSS_CHECK_OK
                             : verdict != LOSS_CHECK_WRONG;
    if (!fine) {
        print_error("%s: %s\n", loss_function_name(function), loss_context_error(context));
    }
    assert_true(fine);
}

/* ---- forms ---- */

/* The types of offsets and indices and the place of the rows change no bit; order and duplicates only the rounding. */
void sparse_forms(void **state)
{
    static results plain, other;
    loss_context *context;
    loss_function *function;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    for (int dtype = LOSS_FLOAT32; dtype <= LOSS_FLOAT64; dtype++) {
        model m = model_plain(dtype, 90, 17, 3, 0);
        m.rows.give |= GIVE_MASK;
        model_thin(&m);
        for (int form = 0; form < FORMS; form++) {
            csr features = csr_of(dtype, m.x, m.rows.rows, m.features, form);
            loss_objective *objective = sparse_objective(context, function, &m, &features);
            evaluate(context, objective, &m, form == 0 ? &plain : &other);
            if (form > 0 && (form & (REVERSED | SPLIT)) == 0) {
                assert_int_equal(memcmp(&plain, &other, sizeof plain), 0);
            } else if (form > 0) {
                const double tolerance = dtype == LOSS_FLOAT32 ? 1e-6 : 1e-14;
                assert_close(other.value, plain.value, tolerance, 0);
                assert_like(other.gradient, plain.gradient, dtype, m.dimension, tolerance);
                assert_like(other.product, plain.product, dtype, m.dimension, tolerance);
                assert_like(other.preconditioned, plain.preconditioned, dtype, m.dimension, tolerance);
            }
            loss_objective_free(objective);
            csr_free(&features);
        }
        model_free(&m);
    }
    loss_function_free(function);
    loss_context_free(context);
}

/* Three features, two rows, by hand: duplicates add up before they are squared. */
void sparse_by_hand(void **state)
{
    static const int32_t offsets[] = {0, 4, 4, 5}, indices[] = {2, 0, 2, 0, 1};
    static const double values[] = {1, 3, 0.5, -1, 4}, targets[] = {1, 2, 3}, x[] = {2, -1, 4, 0.25};
    static const double ones[] = {1, 1, 1, 1};
    double value, gradient[4], hessian[16], inverse[4];
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_sparse_input(data, "features", 3, 3, 5, offsets, LOSS_INT32, indices,
                                             LOSS_INT32, values, LOSS_FLOAT64),
                  LOSS_OK);
    assert_status(context, loss_data_set_input(data, "target", targets, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    /* Rows (2, 0, 1.5), (0, 0, 0), (0, 4, 0): predictions 10.25, 0.25, −3.75; errors 9.25, −1.75, −6.75. */
    assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
    assert_close(value, (9.25 * 9.25 + 1.75 * 1.75 + 6.75 * 6.75) / 3, 1e-15, 0);
    const double expected[] = {2 * 9.25 * 2 / 3, 2 * -6.75 * 4 / 3, 2 * 9.25 * 1.5 / 3, 2 * 0.75 / 3};
    const double matrix[] = {4, 0, 3, 2, 0, 16, 0, 4, 3, 0, 2.25, 1.5, 2, 4, 1.5, 3};
    assert_status(context, loss_objective_hessian(objective, x, hessian), LOSS_OK);
    assert_status(context, loss_objective_precondition(objective, x, ones, inverse), LOSS_OK);
    for (int i = 0; i < 4; i++) {
        assert_close(gradient[i], expected[i], 1e-15, 0);
        assert_close(1 / inverse[i], 2 * matrix[5 * i] / 3, 1e-15, 0);
    }
    for (int i = 0; i < 16; i++) {
        assert_close(hessian[i], 2 * matrix[i] / 3, 1e-15, 0);
    }
    loss_objective_free(objective);
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(context);
}
