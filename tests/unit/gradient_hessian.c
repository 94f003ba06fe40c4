/* Hessians as matrices: the caller's own, from products, from differences, of linear models; and preconditioners. */
#include "gradient_model.h"

#include <math.h>
#include <string.h>

enum { N = 5 };

/* What callbacks are to do, and how often they were called. */
typedef struct plan {
    loss_dtype dtype;
    int64_t gradients, products, hessians, preconditions, nan_at;
    int32_t status;
} plan;

/* Σ exp(x_i / 2) + x_i x_{i+1} + ½ (i + 1) x_i² + (Σ x_i)⁴ / 12: no element of the Hessian is 0. */
static double sum_of(const plan *p, const void *x)
{
    double sum = 0;
    for (int64_t i = 0; i < N; i++) {
        sum += element(x, p->dtype, i);
    }
    return sum;
}

static double second(const plan *p, const void *x, int64_t i, int64_t j)
{
    const double sum = sum_of(p, x), xi = element(x, p->dtype, i);
    return sum * sum + (i == j ? exp(xi / 2) / 4 + (double)(i + 1) : i - j == 1 || j - i == 1 ? 1 : 0);
}

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    plan *p = user;
    const double sum = sum_of(p, x);
    p->gradients++;
    *value = sum * sum * sum * sum / 12;
    for (int64_t i = 0; i < n; i++) {
        const double xi = element(x, p->dtype, i);
        const double next = i + 1 < n ? element(x, p->dtype, i + 1) : 0;
        const double before = i > 0 ? element(x, p->dtype, i - 1) : 0;
        *value += exp(xi / 2) + xi * next + (double)(i + 1) / 2 * xi * xi;
        if (gradient != NULL) {
            set_element(gradient, p->dtype, i,
                        p->gradients == p->nan_at
                            ? (double)NAN
                            : exp(xi / 2) / 2 + next + before + (double)(i + 1) * xi + sum * sum * sum / 3);
        }
    }
    return p->status;
}

static int32_t product(void *user, int64_t n, const void *x, const void *direction, void *out)
{
    plan *p = user;
    p->products++;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            sum += second(p, x, i, j) * element(direction, p->dtype, j);
        }
        set_element(out, p->dtype, i, sum);
    }
    return p->status;
}

static int32_t hessian(void *user, int64_t n, const void *x, void *matrix)
{
    plan *p = user;
    p->hessians++;
    for (int64_t i = 0; i < n * n; i++) {
        set_element(matrix, p->dtype, i, second(p, x, i / n, i % n));
    }
    return p->status;
}

/* The inverse of the diagonal. */
static int32_t precondition(void *user, int64_t n, const void *x, const void *vector, void *out)
{
    plan *p = user;
    p->preconditions++;
    for (int64_t i = 0; i < n; i++) {
        set_element(out, p->dtype, i, element(vector, p->dtype, i) / second(p, x, i, i));
    }
    return p->status;
}

typedef struct fixture {
    loss_context *context;
    loss_objective *objective;
    plan p;
    double x[N]; /* room for either type */
} fixture;

static void make(fixture *f, loss_dtype dtype, loss_product_callback by_product, double strength)
{
    loss_penalty *penalty;
    *f = (fixture){.p = {.dtype = dtype}};
    assert_int_equal(loss_context_create(&f->context), LOSS_OK);
    assert_status(
        f->context,
        loss_objective_create_callback(&f->objective, f->context, dtype, N, evaluate, by_product, &f->p),
        LOSS_OK);
    if (strength > 0) {
        assert_status(f->context, loss_penalty_create(&penalty, f->context, "l2"), LOSS_OK);
        assert_status(f->context, loss_penalty_set_double(penalty, "strength", strength), LOSS_OK);
        assert_status(f->context, loss_objective_add_penalty(f->objective, penalty), LOSS_OK);
        loss_penalty_free(penalty);
    }
    for (int i = 0; i < N; i++) {
        set_element(f->x, dtype, i, 0.45 * (i - 1) + 0.135);
    }
}

static void unmake(fixture *f)
{
    loss_objective_free(f->objective);
    loss_context_free(f->context);
}

static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};

/* The diagonal is that of the matrix, each of the ways. */
void gradient_hessian_diagonals(void **state)
{
    enum { OWN, PRODUCTS, DIFFERENCES, VALUES, WAYS };
    (void)state;
    for (int c = 0; c < 2 * WAYS; c++) {
        const loss_dtype dtype = dtypes[c / WAYS];
        const int way = c % WAYS;
        double matrix[N * N], diagonal[N];
        fixture f;
        make(&f, dtype, way == PRODUCTS ? product : NULL, 0.375);
        if (way == OWN) {
            assert_status(f.context, loss_objective_set_hessian_callback(f.objective, hessian), LOSS_OK);
        }
        if (way == VALUES) {
            loss_difference *d;
            assert_status(f.context, loss_difference_create(&d, f.context, "central", dtype, N), LOSS_OK);
            assert_status(f.context, loss_objective_set_difference(f.objective, d), LOSS_OK);
            loss_difference_free(d);
        }
        assert_status(f.context, loss_objective_hessian_diagonal(f.objective, f.x, diagonal), LOSS_OK);
        assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_OK);
        for (int64_t i = 0; i < N; i++) {
            assert_true(element(diagonal, dtype, i) == element(matrix, dtype, i * N + i));
            assert_true(element(diagonal, dtype, i) > 1);
        }
        unmake(&f);
    }
}

void gradient_hessian_diagonal_failures(void **state)
{
    double diagonal[N], *const none = NULL;
    fixture f;
    (void)state;
    make(&f, LOSS_FLOAT64, product, 0);
    assert_int_equal(loss_objective_hessian_diagonal(NULL, f.x, diagonal), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_hessian_diagonal(f.objective, none, diagonal),
                  LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_hessian_diagonal(f.objective, f.x, none), LOSS_ERROR_ARGUMENT);
    assert_sentence(f.context, "diagonal is NULL");
    assert_status(f.context, loss_objective_hessian_diagonal(f.objective, f.x, f.x + N - 1),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(f.context, "the diagonal overlaps x");
    f.p.status = 23;
    assert_status(f.context, loss_objective_hessian_diagonal(f.objective, f.x, diagonal),
                  LOSS_ERROR_CALLBACK);
    assert_int_equal(f.p.products, 1);
    unmake(&f);
}

/* Every way gives the same matrix, with the penalty on its diagonal, symmetric to the bit. */
void gradient_hessian_ways(void **state)
{
    enum { OWN, PRODUCTS, DIFFERENCES, WAYS };
    static const double tolerances[2][WAYS] = {{1e-15, 1e-15, 1e-9}, {1e-7, 1e-7, 1e-4}};
    (void)state;
    for (int c = 0; c < 2 * WAYS; c++) {
        const loss_dtype dtype = dtypes[c / WAYS];
        const int way = c % WAYS;
        double matrix[N * N];
        fixture f;
        make(&f, dtype, way == DIFFERENCES ? NULL : product, 0.375);
        if (way == OWN) {
            assert_status(f.context, loss_objective_set_hessian_callback(f.objective, hessian), LOSS_OK);
        }
        memset(matrix, 0x55, sizeof matrix);
        for (int again = 0; again < 2; again++) {
            assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_OK);
            for (int64_t i = 0; i < N * N; i++) {
                const double penalty = i / N == i % N ? 0.375 : 0;
                assert_close(element(matrix, dtype, i), second(&f.p, f.x, i / N, i % N) + penalty,
                             tolerances[c / WAYS][way], tolerances[c / WAYS][way]);
                assert_true(element(matrix, dtype, i) == element(matrix, dtype, i % N * N + i / N));
            }
        }
        assert_int_equal(f.p.hessians, way == OWN ? 2 : 0);
        assert_int_equal(f.p.products, way == PRODUCTS ? 2 * N : 0);
        assert_int_equal(f.p.gradients, way == DIFFERENCES ? 2 * 2 * N : 0);
        unmake(&f);
    }
}

/* Of a linear model: its products with the unit vectors, but for the last bit. */
void gradient_hessian_model(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        const loss_dtype dtype = dtypes[type];
        const double tolerance = type == 0 ? 1e-15 : 1e-7;
        model m = model_plain(dtype, 50, 3, 3, 1);
        const int64_t n = m.dimension;
        double matrix[400], unit[20] = {0}, row[20];
        loss_context *context;
        loss_function *function;
        assert_true(n <= 20);
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
        m.strength = 0.625;
        loss_objective *objective = model_objective(context, function, &m);
        assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_OK);
        for (int64_t i = 0; i < n; i++) {
            set_element(unit, dtype, i, 1);
            assert_status(context, loss_objective_hessian_product(objective, m.parameters, unit, row),
                          LOSS_OK);
            set_element(unit, dtype, i, 0);
            for (int64_t j = 0; j < n; j++) {
                assert_close(element(matrix, dtype, i * n + j), element(row, dtype, j), tolerance, tolerance);
                assert_true(element(matrix, dtype, i * n + j) == element(matrix, dtype, j * n + i));
            }
            assert_true(element(matrix, dtype, i * n + i) > 0.01);
        }
        for (int again = 0; again < 2;
             again++) { /* its own preconditioner: over the diagonal of that matrix */
            assert_status(context, loss_objective_precondition(objective, m.parameters, m.direction, row),
                          LOSS_OK);
            for (int64_t i = 0; i < n; i++) {
                assert_close(element(row, dtype, i) * element(matrix, dtype, i * n + i),
                             element(m.direction, dtype, i), 10 * tolerance, 0);
            }
            set_element(m.parameters, dtype, 1, element(m.parameters, dtype, 1) + 0.5); /* elsewhere */
            assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_OK);
        }
        assert_status(context, loss_objective_set_hessian_callback(objective, hessian), LOSS_ERROR_ARGUMENT);
        assert_sentence(context, "the linear model has a Hessian of its own");
        loss_objective_free(objective);
        loss_function_free(function);
        loss_context_free(context);
        model_free(&m);
    }
}

/* The preconditioner squares features where they are copied to: columns apart, masked rows, weights. */
void gradient_preconditioner_layouts(void **state)
{
    enum { ROWS = 40, FEATURES = 4 };
    (void)state;
    for (int type = 0; type < 2; type++) {
        const loss_dtype dtype = dtypes[type];
        model m = model_plain(dtype, ROWS, FEATURES, 1, 0);
        double by_column[ROWS * FEATURES], matrix[100], out[10];
        loss_context *context;
        loss_function *function;
        assert_true(m.dimension <= 10);
        for (int i = 0; i < ROWS; i++) {
            m.rows.mask[i] = i % 5 != 2;
            set_element(m.rows.weight, dtype, i, 0.25 + scatter(i));
            for (int j = 0; j < FEATURES; j++) {
                set_element(by_column, dtype, j * ROWS + i, element(m.x, dtype, i * FEATURES + j));
            }
        }
        m.rows.give |= GIVE_MASK | GIVE_WEIGHT;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_function_create(&function, context, "pseudo_huber"), LOSS_OK);
        loss_data *data = model_data(context, &m);
        assert_status(context,
                      loss_data_set_input(data, "features", by_column, dtype, ROWS, FEATURES, 1, ROWS),
                      LOSS_OK);
        loss_objective *objective = model_objective_of(context, function, data, &m);
        assert_status(context, loss_objective_hessian(objective, m.parameters, matrix), LOSS_OK);
        assert_status(context, loss_objective_precondition(objective, m.parameters, m.direction, out),
                      LOSS_OK);
        for (int64_t i = 0; i < m.dimension; i++) {
            assert_close(element(out, dtype, i) * element(matrix, dtype, i * m.dimension + i),
                         element(m.direction, dtype, i), type == 0 ? 1e-14 : 1e-5, 0);
        }
        loss_objective_free(objective);
        loss_data_free(data);
        loss_function_free(function);
        loss_context_free(context);
        model_free(&m);
    }
}

void gradient_hessian_failures(void **state)
{
    double matrix[N * N];
    fixture f;
    (void)state;
    for (int way = 0; way < 3; way++) {
        static const char *const words[] = {"the Hessian callback returned 23",
                                            "the product callback returned 23",
                                            "the evaluate callback returned 23"};
        make(&f, LOSS_FLOAT64, way < 2 ? product : NULL, 0);
        if (way == 0) {
            assert_status(f.context, loss_objective_set_hessian_callback(f.objective, hessian), LOSS_OK);
        }
        f.p.status = 23;
        assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_ERROR_CALLBACK);
        assert_sentence(f.context, words[way]);
        assert_int_equal(f.p.hessians + f.p.products + f.p.gradients, 1); /* the first refusal ends it */
        f.p.status = 0;
        assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_OK);
        assert_close(matrix[1], second(&f.p, f.x, 0, 1), 1e-9, 0);
        if (way == 0) { /* without it again: by products */
            assert_status(f.context, loss_objective_set_hessian_callback(f.objective, NULL), LOSS_OK);
            assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_OK);
            assert_int_equal(f.p.products, N);
        }
        unmake(&f);
    }
    make(&f, LOSS_FLOAT64, NULL, 0);
    f.p.nan_at = 4; /* the gradient behind the second coordinate: a nearer one does */
    assert_status(f.context, loss_objective_hessian(f.objective, f.x, matrix), LOSS_OK);
    for (int i = 0; i < N * N; i++) {
        assert_close(matrix[i], second(&f.p, f.x, i / N, i % N), 1e-3, 1e-3);
    }
    assert_int_equal(loss_objective_hessian(NULL, f.x, matrix), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_hessian(f.objective, NULL, matrix), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_hessian(f.objective, f.x, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_set_hessian_callback(NULL, hessian), LOSS_ERROR_ARGUMENT);
    unmake(&f);
}

void gradient_preconditioner(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        double v[N], out[N], *const none = NULL;
        int64_t number;
        fixture f;
        make(&f, dtypes[type], NULL, 0);
        for (int i = 0; i < N; i++) {
            set_element(v, dtypes[type], i, 1.375 - i);
        }
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, v, out), LOSS_ERROR_SUPPORT);
        assert_sentence(f.context, "no preconditioner");
        assert_status(f.context, loss_objective_set_precondition_callback(f.objective, precondition, &f.p),
                      LOSS_OK);
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, v, out), LOSS_OK);
        for (int i = 0; i < N; i++) {
            assert_close(element(out, dtypes[type], i), (1.375 - i) / second(&f.p, f.x, i, i),
                         type == 0 ? 1e-15 : 1e-7, 0);
        }
        f.p.status = -5;
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, v, out), LOSS_ERROR_CALLBACK);
        assert_sentence(f.context, "the precondition callback returned -5");
        assert_status(f.context, loss_objective_get_int(f.objective, "callback_status", &number), LOSS_OK);
        assert_int_equal(number, -5);
        assert_int_equal(f.p.preconditions, 2);
        assert_int_equal(loss_objective_precondition(NULL, f.x, v, out), LOSS_ERROR_ARGUMENT);
        assert_status(f.context, loss_objective_precondition(f.objective, none, v, out), LOSS_ERROR_ARGUMENT);
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, none, out),
                      LOSS_ERROR_ARGUMENT);
        assert_sentence(f.context, "vector");
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, v, none), LOSS_ERROR_ARGUMENT);
        assert_int_equal(loss_objective_set_precondition_callback(NULL, precondition, NULL),
                         LOSS_ERROR_ARGUMENT);
        assert_status(f.context, loss_objective_set_precondition_callback(f.objective, NULL, NULL), LOSS_OK);
        assert_status(f.context, loss_objective_precondition(f.objective, f.x, v, out), LOSS_ERROR_SUPPORT);
        unmake(&f);
    }
}
