/* Objectives of values alone: a callback and a difference. */
#include <math.h>
#include <string.h>

#include "finite_difference.h"
#include "support/allocator.h"

enum { N = 6 };

static const char *const methods[] = {"forward", "central", "ridders"};

typedef struct values_only {
    loss_context *context;
    loss_difference *difference;
    loss_objective *objective;
    guard g;
} values_only;

static void make(values_only *v, const char *method, loss_dtype dtype, int64_t n,
                 double (*value)(const double *, int64_t, double *))
{
    *v = (values_only){.g = {.dtype = dtype, .n = n, .value = value}};
    assert_int_equal(loss_context_create(&v->context), LOSS_OK);
    assert_status(v->context, loss_difference_create(&v->difference, v->context, method, dtype, n), LOSS_OK);
    assert_status(
        v->context,
        loss_objective_create_callback(&v->objective, v->context, dtype, n, guard_evaluate, NULL, &v->g),
        LOSS_OK);
    assert_status(v->context, loss_objective_set_difference(v->objective, v->difference), LOSS_OK);
}

static void unmake(values_only *v)
{
    loss_difference_free(v->difference); /* the objective holds it too */
    loss_objective_free(v->objective);
    loss_context_free(v->context);
}

static void add_penalty(values_only *v, const char *name, double strength)
{
    loss_penalty *penalty;
    assert_status(v->context, loss_penalty_create(&penalty, v->context, name), LOSS_OK);
    assert_status(v->context, loss_penalty_set_double(penalty, "strength", strength), LOSS_OK);
    assert_status(v->context, loss_objective_add_penalty(v->objective, penalty), LOSS_OK);
    loss_penalty_free(penalty);
}

/* The objective is the machine in a loop, and the penalties' derivatives are added, not differenced. */
void values_only_same_bits(void **state)
{
    const double x[N] = {0.3, -1.2, 2.385, 0.7, -0.4, 1e-3};
    (void)state;
    for (int c = 0; c < 6; c++) {
        const loss_dtype dtype = c % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        double typed[N], out[N], value, alone, squares = 0;
        const void *gradient;
        values_only v;
        loss_difference *apart;
        make(&v, methods[c / 2], dtype, N, chain);
        add_penalty(&v, "l2", 0.75);
        for (int i = 0; i < N; i++) {
            set_element(typed, dtype, i, x[i]);
            squares += element(typed, dtype, i) * element(typed, dtype, i);
        }
        assert_status(v.context, loss_objective_evaluate(v.objective, typed, &alone, NULL), LOSS_OK);
        assert_int_equal(v.g.calls, 1);
        assert_status(v.context, loss_objective_evaluate(v.objective, typed, &value, out), LOSS_OK);
        assert_true(same_bits(value, alone));
        assert_status(v.context, loss_difference_create(&apart, v.context, methods[c / 2], dtype, N),
                      LOSS_OK);
        assert_status(v.context, loss_difference_start(apart, typed), LOSS_OK);
        guard_answer(v.context, apart, &v.g);
        assert_status(v.context, loss_difference_get_pointer(apart, "gradient", &gradient), LOSS_OK);
        for (int i = 0; i < N; i++) {
            const double sum = element(gradient, dtype, i) + 0.75 * element(typed, dtype, i);
            assert_ulp(element(out, dtype, i), sum, 1, dtype);
        }
        assert_status(v.context, loss_difference_get_double(apart, "value", &alone), LOSS_OK);
        assert_close(value, alone + 0.75 / 2 * squares, 1e-15, 0);
        /* the objective's own difference can be read afterwards */
        assert_status(v.context, loss_difference_get_pointer(v.difference, "gradient", &gradient), LOSS_OK);
        loss_difference_free(apart);
        unmake(&v);
    }
}

static double minimize(values_only *v, const char *optimizer, double *x, loss_status *outcome)
{
    double value;
    loss_optimizer *o;
    assert_status(v->context, loss_optimizer_create(&o, v->context, optimizer, LOSS_FLOAT64, v->g.n),
                  LOSS_OK);
    *outcome = loss_optimizer_minimize(o, v->objective, x);
    loss_optimizer_free(o);
    assert_status(v->context, loss_objective_evaluate(v->objective, x, &value, NULL), LOSS_OK);
    return value;
}

/* Every deterministic optimizer, out of the box. */
void values_only_minimize(void **state)
{
    static const struct {
        const char *optimizer, *method;
        double reached;
    } cases[] = {
        {"lbfgs", "forward", 1e-10},
        {"lbfgs", "central", 1e-10},
        {"lbfgs", "ridders", 1e-10},
        {"bfgs", "central", 1e-10},
        {"conjugate_gradient", "central", 1e-10},
        {"lbfgsb", "central", 1e-10},
        {"newton", "central", 1e-10},
        {"newton_cg", "central", 1e-10},
        {"newton_cg", "ridders", 1e-10},
        {"dfp", "central", 1e-10},
        {"sr1", "central", 1e-10},
        {"owlqn", "central", 1e-10},
        {"trust_region", "central", 1e-10},
        {"trust_region_cg", "central", 1e-10},
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double x[N] = {-1.2, 1, -1.2, 1, -1.2, 1};
        loss_status outcome;
        values_only v;
        make(&v, cases[c].method, LOSS_FLOAT64, N, rosenbrock);
        const double reached = minimize(&v, cases[c].optimizer, x, &outcome);
        if (!(outcome >= 0 && reached < cases[c].reached)) {
            print_error("%s, %s: %s, f = %g: %s\n", cases[c].optimizer, cases[c].method,
                        loss_status_name(outcome), reached, loss_context_error(v.context));
        }
        assert_true(outcome >= 0);
        assert_true(reached < cases[c].reached);
        unmake(&v);
    }
}

/* No callback anywhere: the optimizer asks for a gradient, the difference for the values of it. */
void values_only_by_asking(void **state)
{
    double x[2] = {-1.2, 1};
    int32_t request;
    const void *at, *gradient;
    double value;
    guard g = {.dtype = LOSS_FLOAT64, .n = 2, .value = rosenbrock};
    loss_context *context;
    loss_difference *d;
    loss_optimizer *o;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_difference_create(&d, context, "central", LOSS_FLOAT64, 2), LOSS_OK);
    assert_status(context, loss_optimizer_create(&o, context, "lbfgs", LOSS_FLOAT64, 2), LOSS_OK);
    assert_status(context, loss_optimizer_start(o, x), LOSS_OK);
    while (loss_optimizer_ask(o, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
            assert_status(context, loss_optimizer_get_pointer(o, "x", &at), LOSS_OK);
            assert_status(context, loss_difference_start(d, at), LOSS_OK);
            guard_answer(context, d, &g);
            loss_difference_get_double(d, "value", &value);
            loss_difference_get_pointer(d, "gradient", &gradient);
            assert_status(context, loss_optimizer_tell_gradient(o, value, gradient), LOSS_OK);
        } else {
            assert_int_equal(request, LOSS_REQUEST_VALUE);
            assert_status(context, loss_optimizer_get_pointer(o, "x", &at), LOSS_OK);
            assert_status(context, loss_optimizer_tell_value(o, rosenbrock(at, 2, NULL)), LOSS_OK);
        }
    }
    assert_status(context, loss_optimizer_get_pointer(o, "best_x", &at), LOSS_OK);
    assert_true(rosenbrock(at, 2, NULL) < 1e-10);
    loss_optimizer_free(o);
    loss_difference_free(d);
    loss_context_free(context);
}

/* The same bounds for the optimizer and for the differences: the callback is never called outside. */
void values_only_bounds(void **state)
{
    static const char *const optimizers[] = {"lbfgsb", "lbfgs", "gradient_descent"};
    const double lower[2] = {-1.5, -INFINITY}, upper[2] = {0.5, 2};
    (void)state;
    for (int c = 0; c < 3; c++) {
        double x[2] = {-1.2, 1}, value, gradient[2];
        loss_status outcome;
        values_only v;
        make(&v, "central", LOSS_FLOAT64, 2, rosenbrock);
        v.g.lower = lower;
        v.g.upper = upper;
        loss_difference_set_array(v.difference, "lower_bounds", lower, LOSS_FLOAT64, 2);
        loss_difference_set_array(v.difference, "upper_bounds", upper, LOSS_FLOAT64, 2);
        if (c == 0) {
            loss_penalty *box;
            assert_status(v.context, loss_penalty_create(&box, v.context, "box"), LOSS_OK);
            loss_penalty_set_array(box, "lower_bounds", lower, LOSS_FLOAT64, 2);
            loss_penalty_set_array(box, "upper_bounds", upper, LOSS_FLOAT64, 2);
            assert_status(v.context, loss_objective_add_penalty(v.objective, box), LOSS_OK);
            loss_penalty_free(box);
        }
        const double reached = minimize(&v, optimizers[c], x, &outcome);
        if (c == 0) { /* the minimum is at (½, ¼), where f = ¼ */
            assert_true(outcome >= 0);
            assert_close(x[0], 0.5, 0, 0);
            assert_close(x[1], 0.25, 0, 1e-6);
            assert_close(reached, 0.25, 0, 1e-10);
        } else { /* an optimizer that knows nothing of bounds steps back from them */
            assert_true(reached < 4);
        }
        x[0] = 0.75;
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, gradient),
                      LOSS_ERROR_NONFINITE);
        assert_sentence(v.context, "parameter 0 is 0.75, outside its bounds -1.5 … 0.5");
        assert_true(isinf(value) && isnan(gradient[0]) && isnan(gradient[1]));
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, NULL), LOSS_ERROR_NONFINITE);
        assert_status(v.context, loss_objective_hessian_product(v.objective, x, x, gradient),
                      LOSS_ERROR_RANGE);
        unmake(&v);
    }
}

void values_only_hessian(void **state)
{
    const double x[N] = {0.3, -1.2, 2.385, 0.7, -0.4, 1e-3};
    (void)state;
    for (int c = 0; c < 3; c++) {
        double matrix[N * N], product[N], unit[N] = {0, 0, 1};
        values_only v;
        make(&v, methods[c], LOSS_FLOAT64, N, chain);
        add_penalty(&v, "l2", 0.75);
        const double tolerance = c == 0 ? 1e-4 : 1e-6;
        assert_status(v.context, loss_objective_hessian(v.objective, x, matrix), LOSS_OK);
        assert_int_equal(v.g.calls, c == 0 ? N * N + 3 * N : 2 * N * N + 2 * N);
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                const double exact = i == j ? exp(x[i] / 2) / 4 + i + 1 + 0.75 : i - j == 1 || j - i == 1;
                assert_close(matrix[i * N + j], exact, 0, tolerance);
                assert_true(matrix[i * N + j] == matrix[j * N + i]);
            }
        }
        assert_status(v.context, loss_objective_hessian_product(v.objective, x, unit, product), LOSS_OK);
        for (int i = 0; i < N; i++) {
            assert_close(product[i], matrix[i * N + 2], 0, tolerance);
        }
        unmake(&v);
    }
}

/* Batches: the mean of (x_0 − s)² / 2 over some samples. */
static int32_t batch_value(void *user, int64_t n, const void *x, int64_t count, const int64_t *indices,
                           double *value, void *gradient)
{
    double sum = 0;
    (void)user, (void)n;
    assert_null(gradient);
    for (int64_t i = 0; i < count; i++) {
        const double r = element(x, LOSS_FLOAT64, 0) - (double)indices[i];
        sum += r * r / 2;
    }
    *value = sum / (double)count;
    return 0;
}

void values_only_batches(void **state)
{
    const double x[2] = {2.5, 1};
    const int64_t indices[] = {1, 4, 1, 6};
    double value, gradient[2];
    values_only v;
    (void)state;
    make(&v, "central", LOSS_FLOAT64, 2, chain);
    assert_status(v.context, loss_objective_set_batch_callback(v.objective, 7, batch_value), LOSS_OK);
    assert_status(v.context, loss_objective_evaluate_batch(v.objective, x, 4, indices, &value, gradient),
                  LOSS_OK);
    assert_true(value == (3 * 1.125 + 6.125) / 4);
    assert_close(gradient[0], -0.5, 0, 1e-9);
    assert_true(gradient[1] == 0);
    assert_status(v.context, loss_objective_evaluate_batch(v.objective, x, 0, NULL, &value, gradient),
                  LOSS_OK);
    assert_true(value == 0 && gradient[0] == 0);
    unmake(&v);
}

static double nowhere(const double *x, int64_t n, double *gradient)
{
    (void)n, (void)gradient;
    return x[0] == 1 ? 2.5 : (double)NAN;
}

static double nothing(const double *x, int64_t n, double *gradient)
{
    (void)x, (void)n, (void)gradient;
    return INFINITY;
}

void values_only_failures(void **state)
{
    const double x[2] = {1, 2};
    (void)state;
    for (int c = 0; c < 3; c++) {
        double value = 777, gradient[2] = {777, 777};
        int64_t number;
        values_only v;
        make(&v, methods[c], LOSS_FLOAT64, 2, chain);
        v.g.status = -17;
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, gradient),
                      LOSS_ERROR_CALLBACK);
        assert_status(v.context, loss_objective_get_int(v.objective, "callback_status", &number), LOSS_OK);
        assert_int_equal(number, -17);
        assert_true(value == 777 && gradient[0] == 777);
        assert_status(v.context, loss_objective_hessian_product(v.objective, x, x, gradient),
                      LOSS_ERROR_CALLBACK);
        /* a run that ended so is none that is under way */
        assert_status(v.context, loss_difference_set_double(v.difference, "typical", 2), LOSS_OK);
        v.g.status = 0;
        v.g.value = nowhere;
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, gradient),
                      LOSS_ERROR_NONFINITE);
        assert_sentence(v.context, "no finite values for the derivative along parameter 0");
        assert_true(value == 2.5 && isnan(gradient[0]) && gradient[1] == 0);
        v.g.value = nothing;
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, gradient),
                      LOSS_ERROR_NONFINITE);
        assert_sentence(v.context, "the objective is Infinity");
        assert_true(isinf(value));
        unmake(&v);
    }
}

/* Bounds that leave a parameter no more than rounding: no method makes a derivative of that, and all say so. */
void values_only_narrow(void **state)
{
    (void)state;
    for (int c = 0; c < 6; c++) {
        const loss_dtype dtype = c % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
        const double unit = dtype == LOSS_FLOAT64 ? 0x1p-52 : 0x1p-23;
        const double lower[2] = {1, -9}, upper[2] = {1 + unit, 9};
        double x[2], value, gradient[2];
        const void *error;
        values_only v;
        make(&v, methods[c / 2], dtype, 2, chain);
        set_element(x, dtype, 0, 1);
        set_element(x, dtype, 1, 2);
        assert_status(v.context,
                      loss_difference_set_array(v.difference, "lower_bounds", lower, LOSS_FLOAT64, 2),
                      LOSS_OK);
        assert_status(v.context,
                      loss_difference_set_array(v.difference, "upper_bounds", upper, LOSS_FLOAT64, 2),
                      LOSS_OK);
        assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, gradient),
                      LOSS_ERROR_NONFINITE);
        assert_sentence(v.context, "the bounds leave no room for a difference along parameter 0");
        assert_true(isnan(element(gradient, dtype, 0)) && isfinite(element(gradient, dtype, 1)));
        if (c / 2 == 2) {
            assert_status(v.context, loss_difference_get_pointer(v.difference, "error", &error), LOSS_OK);
            assert_true(isinf(element(error, LOSS_FLOAT64, 0)));
        }
        unmake(&v);
    }
}

void values_only_refused(void **state)
{
    const double x[2] = {1, 2}, three[3] = {0, 0, 0};
    double value;
    values_only v;
    loss_context *other;
    loss_difference *d;
    loss_objective *objective;
    (void)state;
    make(&v, "central", LOSS_FLOAT64, 2, chain);
    assert_int_equal(loss_objective_set_difference(NULL, v.difference), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_context_create(&other), LOSS_OK);
    assert_status(other, loss_difference_create(&d, other, "central", LOSS_FLOAT64, 2), LOSS_OK);
    assert_status(v.context, loss_objective_set_difference(v.objective, d), LOSS_ERROR_ARGUMENT);
    loss_difference_free(d);
    loss_context_free(other);
    assert_status(v.context, loss_difference_create(&d, v.context, "central", LOSS_FLOAT32, 2), LOSS_OK);
    assert_status(v.context, loss_objective_set_difference(v.objective, d), LOSS_ERROR_TYPE);
    loss_difference_free(d);
    assert_status(v.context, loss_difference_create(&d, v.context, "central", LOSS_FLOAT64, 3), LOSS_OK);
    assert_status(v.context, loss_objective_set_difference(v.objective, d), LOSS_ERROR_SHAPE);
    loss_difference_free(d);
    assert_status(v.context, loss_objective_set_difference(v.objective, NULL), LOSS_OK);
    assert_status(v.context, loss_objective_set_difference(v.objective, v.difference), LOSS_OK);
    assert_status(v.context, loss_difference_set_array(v.difference, "typical_sizes", three, LOSS_FLOAT64, 2),
                  LOSS_ERROR_RANGE);
    assert_status(v.context, loss_difference_set_double(v.difference, "lower", 3), LOSS_OK);
    assert_status(v.context, loss_difference_set_double(v.difference, "upper", 2), LOSS_OK);
    assert_status(v.context, loss_objective_prepare(v.objective), LOSS_ERROR_RANGE);
    assert_sentence(v.context, "crossed");
    assert_status(v.context, loss_difference_set_double(v.difference, "lower", 0), LOSS_OK);
    assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, NULL), LOSS_OK);
    assert_status(v.context, loss_objective_set_difference(v.objective, NULL), LOSS_ERROR_STATE);
    /* bounds may change between evaluations, their number not */
    assert_status(v.context, loss_difference_set_array(v.difference, "upper_bounds", three, LOSS_FLOAT64, 1),
                  LOSS_ERROR_SHAPE);
    assert_status(v.context, loss_difference_set_array(v.difference, "upper_bounds", three, LOSS_FLOAT64, 2),
                  LOSS_OK);
    assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, NULL), LOSS_ERROR_NONFINITE);
    assert_status(v.context, loss_difference_set_array(v.difference, "upper_bounds", NULL, LOSS_FLOAT64, 0),
                  LOSS_OK);
    assert_status(v.context, loss_objective_evaluate(v.objective, x, &value, NULL), LOSS_OK);
    unmake(&v);

    loss_function *function;
    loss_data *data;
    assert_int_equal(loss_context_create(&other), LOSS_OK);
    assert_status(other, loss_function_create(&function, other, "squared_error"), LOSS_OK);
    assert_status(other, loss_data_create(&data, other), LOSS_OK);
    loss_data_set_input(data, "features", x, LOSS_FLOAT64, 2, 1, 1, 1);
    loss_data_set_input(data, "target", x, LOSS_FLOAT64, 2, 1, 1, 1);
    assert_status(other, loss_objective_create_linear(&objective, other, function, data), LOSS_OK);
    assert_status(other, loss_objective_set_difference(objective, NULL), LOSS_ERROR_ARGUMENT);
    assert_sentence(other, "derivatives of its own");
    loss_objective_free(objective);
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(other);
}

/* Everything is allocated by prepare, and every allocation up to there may fail. */
void values_only_memory(void **state)
{
    const double x[2] = {1, 2};
    int32_t refused = 1;
    (void)state;
    for (int64_t k = 1; refused; k++) {
        test_allocator allocator = {0};
        double value, gradient[2];
        guard g = {.dtype = LOSS_FLOAT64, .n = 2, .value = chain};
        loss_context *context;
        loss_difference *d = NULL;
        loss_objective *objective = NULL;
        assert_int_equal(
            loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator), LOSS_OK);
        allocator.fail_at = allocator.calls + k;
        loss_status status = loss_difference_create(&d, context, "ridders", LOSS_FLOAT64, 2);
        if (status == LOSS_OK) {
            status = loss_difference_set_array(d, "typical_sizes", x, LOSS_FLOAT64, 2);
        }
        if (status == LOSS_OK) {
            status = loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, guard_evaluate,
                                                    NULL, &g);
        }
        if (status == LOSS_OK) {
            status = loss_objective_set_difference(objective, d);
        }
        if (status == LOSS_OK) {
            status = loss_objective_prepare(objective);
        }
        refused = allocator.failed > 0;
        assert_status(context, status, refused ? LOSS_ERROR_MEMORY : LOSS_OK);
        if (objective != NULL && allocator.failed) { /* the same again works */
            assert_status(context, loss_objective_set_difference(objective, d), LOSS_OK);
            assert_status(context, loss_objective_prepare(objective), LOSS_OK);
        }
        if (objective != NULL) {
            const int64_t calls = allocator.calls;
            assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
            assert_status(context, loss_objective_hessian_product(objective, x, x, gradient), LOSS_OK);
            assert_int_equal(allocator.calls, calls);
        }
        loss_objective_free(objective);
        loss_difference_free(d);
        loss_context_free(context);
        assert_int_equal(allocator.live, 0);
    }
}
