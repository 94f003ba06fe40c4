/* batch_norm, layer_norm and rms_norm beside their formulas; their derivatives; running statistics. */
#include <math.h>
#include <stdlib.h>

#include "operation_case.h"

static const operation_case cases[] = {
    {"batch_norm", {{0}}, 3, {{2, {5, 3}}, {1, {3}}, {1, {3}}}},
    {"batch_norm", {{"epsilon", 0, {0.25}}}, 3, {{4, {2, 3, 2, 9}}, {1, {9}}, {1, {9}}}},
    {"batch_norm", {{0}}, 3, {{3, {4, 3, 1}}, {1, {1}}, {1, {1}}}},
    {"layer_norm", {{0}}, 3, {{2, {3, 5}}, {1, {5}}, {1, {5}}}},
    {"layer_norm",
     {{"last_axes", 0, {2}}, {"epsilon", 0, {0.5}}},
     3,
     {{3, {2, 3, 4}}, {2, {3, 4}}, {2, {3, 4}}}},
    {"rms_norm", {{0}}, 2, {{2, {3, 5}}, {1, {5}}}},
    {"rms_norm", {{"last_axes", 0, {2}}}, 2, {{3, {2, 3, 4}}, {2, {3, 4}}}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static double option_of(const operation_case *c, char first, double otherwise)
{
    for (int32_t i = 0; i < CASE_OPTIONS && c->options[i].name != NULL; i++) {
        if (c->options[i].name[0] == first) {
            return c->options[i].numbers[0];
        }
    }
    return otherwise;
}

/* An element of the result: `stride` apart lie `count` elements that are normalised together, from `first` on. */
static double naive(const operation_case *c, const void *x, loss_dtype dtype, int64_t at, int64_t first,
                    int64_t stride, int64_t count, int64_t parameter)
{
    const int64_t all = case_elements(&c->shapes[0]), scales = case_elements(&c->shapes[1]);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < count && c->operation[0] != 'r'; i++) {
        mean += element(x, dtype, first + i * stride) / (double)count;
    }
    for (int64_t i = 0; i < count; i++) {
        square += pow(element(x, dtype, first + i * stride) - mean, 2) / (double)count;
    }
    const double z = (element(x, dtype, at) - mean) / sqrt(square + option_of(c, 'e', 1e-5));
    return z * element(x, dtype, all + parameter) +
           (c->inputs == 3 ? element(x, dtype, all + scales + parameter) : 0);
}

static void test_forward(void **state)
{
    loss_context *context = case_context(1);
    (void)state;
    for (int32_t i = 0; i < 2 * CASES; i++) {
        const operation_case *c = &cases[i / 2];
        const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        void *x = case_numbers(dtype, case_parameters(c), 5, 0);
        lossi_shape shape;
        void *y = case_forward(context, c, dtype, x, 1, &shape);
        const int64_t all = case_elements(&shape), last = case_elements(&c->shapes[1]);
        const double rounding = dtype == LOSS_FLOAT32 ? 4e-6 : 1e-14;
        for (int64_t at = 0; at < all; at++) {
            const double expected = c->operation[0] == 'b'
                                        ? naive(c, x, dtype, at, at % last, last, all / last, at % last)
                                        : naive(c, x, dtype, at, at / last * last, 1, last, at % last);
            assert_close(element(y, dtype, at), expected, rounding, rounding);
        }
        free(x);
        free(y);
    }
    loss_context_free(context);
}

static void test_derivatives(void **state)
{
    (void)state;
    for (int32_t i = 0; i < CASES; i++) {
        case_check(&cases[i], (uint64_t)i);
    }
}

static void test_bits(void **state)
{
    static const operation_case large = {
        "batch_norm", {{0}}, 3, {{4, {9, 21, 20, 13}}, {1, {13}}, {1, {13}}}};
    (void)state;
    case_compare_bits(&large, LOSS_FLOAT32);
    case_compare_bits(&large, LOSS_FLOAT64);
}

/* Far from zero: deviations that have no digits in common with the mean. */
static void test_offset(void **state)
{
    static const operation_case c = {
        "batch_norm", {{"epsilon", 0, {0}}}, 3, {{2, {999, 2}}, {1, {2}}, {1, {2}}}};
    loss_context *context = case_context(1);
    double *x = case_numbers(LOSS_FLOAT64, case_parameters(&c), 5, 0);
    lossi_shape shape;
    (void)state;
    for (int64_t i = 0; i < 999; i++) {
        x[2 * i] = 1e9 + (double)(i % 2);
    }
    x[1998] = 2;
    x[2000] = 0;
    double *y = case_forward(context, &c, LOSS_FLOAT64, x, 1, &shape);
    const double mean = 499.0 / 999, deviation = sqrt(mean * (1 - mean));
    for (int64_t i = 0; i < 999; i++) {
        assert_close(y[2 * i], 2 * ((double)(i % 2) - mean) / deviation, 1e-6, 0);
    }
    free(x);
    free(y);
    loss_context_free(context);
}

static void test_refused(void **state)
{
    static const struct {
        operation_case c;
        loss_status status;
        const char *words;
    } wrong[] = {
        {{"batch_norm", {{0}}, 3, {{2, {5, 3}}, {1, {2}}, {1, {3}}}},
         LOSS_ERROR_SHAPE,
         "one number for each channel"},
        {{"batch_norm", {{0}}, 3, {{1, {3}}, {1, {3}}, {1, {3}}}},
         LOSS_ERROR_SHAPE,
         "one number for each channel"},
        {{"layer_norm", {{0}}, 3, {{2, {5, 3}}, {1, {3}}, {1, {5}}}},
         LOSS_ERROR_SHAPE,
         "the last sizes of the first"},
        {{"rms_norm", {{"last_axes", 0, {3}}}, 2, {{2, {5, 3}}, {1, {3}}}}, LOSS_ERROR_SHAPE, "'last_axes'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        case_refused(&wrong[i].c, wrong[i].status, wrong[i].words);
    }
}

/* ---- running statistics ---- */

enum { SAMPLES = 7, FEATURES = 2 };
static const double features[SAMPLES * FEATURES] = {1, 4, 2, -3, 0.5, 2, 7, 1, -2, 0, 3, 3, 1, 5};
static const double targets[SAMPLES] = {1, 0, 2, 1, 3, 0, 1};

typedef struct model {
    loss_context *context;
    loss_graph *graph;
    loss_objective *objective;
    int32_t norm, cost;
    loss_data *data;
} model;

/* The mean squared error of batch_norm(features) · weights. */
static model model_of(int32_t training, int64_t chunk)
{
    model m = {.context = case_context(1)};
    loss_data *data = NULL;
    loss_function *function = NULL;
    int32_t x, y, scale, shift, weights, scores, cost;
    assert_status(m.context, loss_graph_create(&m.graph, m.context, LOSS_FLOAT64), LOSS_OK);
    loss_graph_input(m.graph, "features", LOSS_FLOAT64, 2, (int64_t[]){LOSS_ROWS, FEATURES}, &x);
    loss_graph_input(m.graph, "target", LOSS_FLOAT64, 2, (int64_t[]){LOSS_ROWS, 1}, &y);
    loss_graph_parameter(m.graph, "scale", 1, (int64_t[]){FEATURES}, &scale);
    loss_graph_parameter(m.graph, "shift", 1, (int64_t[]){FEATURES}, &shift);
    loss_graph_parameter(m.graph, "weights", 2, (int64_t[]){FEATURES, 1}, &weights);
    const int32_t inputs[] = {x, scale, shift};
    assert_status(m.context, loss_graph_apply(m.graph, "batch_norm", NULL, inputs, 3, &m.norm), LOSS_OK);
    assert_status(m.context, loss_graph_set_output(m.graph, "normal", m.norm), LOSS_OK);
    assert_status(m.context,
                  loss_graph_apply(m.graph, "matrix_product", NULL, (int32_t[]){m.norm, weights}, 2, &scores),
                  LOSS_OK);
    assert_status(m.context, loss_function_create(&function, m.context, "squared_error"), LOSS_OK);
    const char *roles[] = {"prediction", "target"};
    assert_status(m.context, loss_graph_loss(m.graph, function, roles, (int32_t[]){scores, y}, 2, &cost),
                  LOSS_OK);
    assert_status(m.context, loss_data_create(&data, m.context), LOSS_OK);
    assert_status(
        m.context,
        loss_data_set_input(data, "features", features, LOSS_FLOAT64, SAMPLES, FEATURES, FEATURES, 1),
        LOSS_OK);
    assert_status(m.context, loss_data_set_input(data, "target", targets, LOSS_FLOAT64, SAMPLES, 1, 1, 1),
                  LOSS_OK);
    assert_status(m.context, loss_objective_create_graph(&m.objective, m.context, m.graph, cost, data),
                  LOSS_OK);
    assert_status(m.context, loss_objective_set_int(m.objective, "training", training), LOSS_OK);
    assert_status(m.context, loss_objective_set_int(m.objective, "chunk_rows", chunk), LOSS_OK);
    loss_function_free(function);
    m.cost = cost;
    m.data = data;
    return m;
}

static void free_model(model *m)
{
    loss_objective_free(m->objective);
    loss_data_free(m->data);
    loss_graph_free(m->graph);
    loss_context_free(m->context);
}

static void expect(const model *m, double weight, const int64_t *rows, int64_t count, const double *before,
                   double *after)
{
    double mean[FEATURES], variance[FEATURES];
    assert_status(m->context, loss_objective_get_statistics(m->objective, m->norm, mean, variance), LOSS_OK);
    for (int c = 0; c < FEATURES; c++) {
        double m1 = 0, m2 = 0;
        for (int64_t i = 0; i < count; i++) {
            m1 += features[rows[i] * FEATURES + c] / (double)count;
        }
        for (int64_t i = 0; i < count; i++) {
            m2 += pow(features[rows[i] * FEATURES + c] - m1, 2) / (double)(count - 1);
        }
        after[c] = count > 0 ? (1 - weight) * before[c] + weight * m1 : before[c];
        after[FEATURES + c] = count > 0 ? (1 - weight) * before[FEATURES + c] + weight * m2
                                        : before[FEATURES + c];
        assert_close(mean[c], after[c], 1e-14, 1e-15);
        assert_close(variance[c], after[FEATURES + c], 1e-14, 0);
    }
}

static void test_running(void **state)
{
    static const int64_t all[] = {0, 1, 2, 3, 4, 5, 6}, some[] = {4, 0, 5};
    const double x[] = {1, 2, 0.5, -1, 3, 1};
    double value, again, gradient[6], first[4] = {0, 0, 1, 1}, second[4], third[4];
    (void)state;
    for (int64_t chunk = 3; chunk <= 7; chunk += 4) { /* in pieces of three rows, and in one */
        model m = model_of(1, chunk);
        expect(&m, 0, NULL, 0, first, second); /* 0 and 1 */
        assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
        expect(&m, 0, NULL, 0, first, second); /* nothing was evaluated */
        assert_status(m.context, loss_objective_evaluate(m.objective, x, &value, gradient), LOSS_OK);
        assert_status(m.context, loss_objective_evaluate(m.objective, x, &again, NULL), LOSS_OK);
        assert_close(again, value, 0, 0);
        expect(&m, 0, NULL, 0, first, second); /* evaluations change nothing */
        assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
        expect(&m, 0.1, all, SAMPLES, first, second);
        assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
        expect(&m, 0, NULL, 0, second, third); /* once */
        assert_status(m.context, loss_objective_evaluate_batch(m.objective, x, 3, some, &value, gradient),
                      LOSS_OK);
        assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
        expect(&m, 0.1, some, 3, second, third);
        free_model(&m);
    }
}

static void test_evaluation(void **state)
{
    const double x[] = {1, 2, 0.5, -1, 3, 1}, mean[] = {0.5, 1}, variance[] = {4, 0.25};
    double value, expected = 0, gradient[6], direction[6] = {1, 0, 2, 0, 1, 1}, product[6];
    int32_t verdict;
    model m = model_of(0, 7);
    (void)state;
    assert_int_equal(loss_graph_find(m.graph, "normal"), m.norm);
    assert_status(m.context, loss_objective_set_statistics(m.objective, m.norm, mean, variance), LOSS_OK);
    assert_status(m.context, loss_objective_evaluate(m.objective, x, &value, gradient), LOSS_OK);
    for (int i = 0; i < SAMPLES; i++) {
        double score = 0;
        for (int c = 0; c < FEATURES; c++) {
            const double z = (features[i * FEATURES + c] - mean[c]) / sqrt(variance[c] + 1e-5);
            score += (z * x[c] + x[FEATURES + c]) * x[2 * FEATURES + c];
        }
        expected += pow(score - targets[i], 2) / SAMPLES;
    }
    assert_close(value, expected, 1e-13, 0);
    assert_status(m.context, loss_objective_check(m.objective, x, 1, &verdict), LOSS_OK);
    assert_int_equal(verdict, LOSS_CHECK_OK);
    assert_status(m.context, loss_objective_hessian_product(m.objective, x, direction, product), LOSS_OK);
    assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
    double same[2], spread[2];
    assert_status(m.context, loss_objective_get_statistics(m.objective, m.norm, same, spread), LOSS_OK);
    assert_close(same[0], mean[0], 0, 0);
    assert_close(spread[1], variance[1], 0, 0);
    assert_status(m.context, loss_objective_get_statistics(m.objective, 0, same, spread), LOSS_ERROR_RANGE);
    assert_sentence(m.context, "node 0 is no batch_norm");
    assert_status(m.context, loss_objective_get_statistics(m.objective, m.norm, NULL, spread),
                  LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_new_iterate(NULL), LOSS_ERROR_ARGUMENT);
    free_model(&m);
}

/* Gradients at a point in training, over the samples and with two batch_norms' worth of derivatives. */
static void test_training(void **state)
{
    const double x[] = {1, 2, 0.5, -1, 3, 1};
    int32_t verdict;
    model m = model_of(1, 7);
    (void)state;
    assert_status(m.context, loss_objective_check(m.objective, x, 1, &verdict), LOSS_OK);
    assert_int_equal(verdict, LOSS_CHECK_OK);
    assert_status(m.context, loss_objective_check_product(m.objective, x, 3, 1, &verdict), LOSS_OK);
    assert_int_equal(verdict, LOSS_CHECK_OK);
    free_model(&m);
}

/* An optimizer tells of its iterates, a stochastic one of each of its steps: 14 of them leave 0.9^14 of the ones. */
static void test_optimizers(void **state)
{
    static const char *const names[] = {"lbfgs", "adam"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        model m = model_of(1, 7);
        loss_optimizer *optimizer = NULL;
        double x[] = {1, 2, 0.5, -1, 3, 1}, mean[2], variance[2];
        int64_t steps = 14;
        assert_status(m.context, loss_optimizer_create(&optimizer, m.context, names[i], LOSS_FLOAT64, 6),
                      LOSS_OK);
        if (i == 0) {
            loss_optimizer_set_int(optimizer, "max_iterations", 3);
        } else {
            assert_status(m.context, loss_optimizer_set_int(optimizer, "epochs", 14), LOSS_OK);
            assert_status(m.context, loss_optimizer_set_int(optimizer, "batch_size", 7), LOSS_OK);
        }
        (void)loss_optimizer_minimize(optimizer, m.objective, x);
        if (i == 0) {
            loss_optimizer_get_int(optimizer, "iterations", &steps);
            assert_true(steps > 0);
        }
        assert_status(m.context, loss_objective_get_statistics(m.objective, m.norm, mean, variance), LOSS_OK);
        assert_close(mean[0], (1 - pow(0.9, (double)steps)) * 12.5 / 7, 1e-12, 0);
        loss_optimizer_free(optimizer);
        free_model(&m);
    }
}

static void test_memory(void **state)
{
    (void)state;
    case_without_memory(&cases[0]);
    case_without_memory(&cases[3]);
}

/* Held-out data see the running statistics of the objective that trains, at its last step. */
static void test_held_out(void **state)
{
    model m = model_of(1, 7);
    loss_objective *held_out = NULL;
    loss_optimizer *optimizer = NULL;
    double x[] = {1, 2, 0.5, -1, 3, 1}, mean[2], variance[2], seen[2], seen_variance[2];
    (void)state;
    assert_status(m.context, loss_objective_create_graph(&held_out, m.context, m.graph, m.cost, m.data),
                  LOSS_OK);
    assert_status(m.context, loss_objective_set_int(held_out, "training", 0), LOSS_OK);
    assert_status(m.context, loss_optimizer_create(&optimizer, m.context, "adam", LOSS_FLOAT64, 6), LOSS_OK);
    assert_status(m.context, loss_optimizer_set_int(optimizer, "epochs", 5), LOSS_OK);
    assert_status(m.context, loss_optimizer_set_int(optimizer, "batch_size", 3), LOSS_OK);
    assert_status(m.context, loss_optimizer_set_int(optimizer, "held_out", 1), LOSS_OK);
    assert_status(m.context, loss_optimizer_set_held_out(optimizer, held_out), LOSS_OK);
    (void)loss_optimizer_minimize(optimizer, m.objective, x);
    assert_status(m.context, loss_objective_get_statistics(m.objective, m.norm, mean, variance), LOSS_OK);
    assert_status(m.context, loss_objective_get_statistics(held_out, m.norm, seen, seen_variance), LOSS_OK);
    assert_true(mean[0] != 0);
    assert_memory_equal(seen, mean, sizeof mean);
    assert_memory_equal(seen_variance, variance, sizeof variance);
    loss_optimizer_free(optimizer);
    loss_objective_free(held_out);
    free_model(&m);
}

/* ---- squares out of the range of the type ---- */

/* Numbers times a power of two have the same norm of a row, to the bit, once epsilon is nothing beside them. */
static void test_large_rows(void **state)
{
    static const operation_case rows[] = {
        {"layer_norm", {{0}}, 3, {{2, {3, 5}}, {1, {5}}, {1, {5}}}},
        {"rms_norm", {{0}}, 2, {{2, {3, 5}}, {1, {5}}}},
        {"rms_norm", {{"epsilon", 0, {0}}}, 2, {{2, {3, 5}}, {1, {5}}}},
    };
    static const int powers[2][6] = {{48, 64, 90, 120, -100, -120}, {390, 500, 700, 1000, -600, -1000}};
    loss_context *context = case_context(1);
    (void)state;
    for (int32_t i = 0; i < 36; i++) {
        const operation_case *c = &rows[i / 12];
        const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const int power = powers[i % 2][i / 2 % 6];
        lossi_shape shape;
        void *x = case_numbers(dtype, case_parameters(c), 5, 0);
        if (power < 0 && i / 12 < 2) { /* with an epsilon small numbers are something else */
            free(x);
            continue;
        }
        const int64_t all = case_elements(&c->shapes[0]);
        for (int64_t k = 0; k < all; k++) {
            set_element(x, dtype, k, ldexp(element(x, dtype, k), power < 0 ? 0 : 40));
        }
        void *plain = case_forward(context, c, dtype, x, 1, &shape);
        for (int64_t k = 0; k < all; k++) {
            set_element(x, dtype, k, ldexp(element(x, dtype, k), power < 0 ? power : power - 40));
        }
        void *far = case_forward(context, c, dtype, x, 1, &shape);
        for (int64_t k = 0; k < case_elements(&shape); k++) {
            assert_true(fabs(element(plain, dtype, k)) < 100);
            if (element(far, dtype, k) != element(plain, dtype, k)) {
                fail_msg("%s, %s times 2^%d: %g, not %g", c->operation, loss_dtype_name(dtype), power,
                         element(far, dtype, k), element(plain, dtype, k));
            }
        }
        free(x);
        free(plain);
        free(far);
    }
    loss_context_free(context);
}

/*
 * The same of channels, in float64, of which one leaves the range and the others do not; a thousand rows are several blocks and slices.
 * Gradients of numbers that are 2^power times as large are 2^−power times as large.
 */
static void test_large_channels(void **state)
{
    static const operation_case channels[] = {
        {"batch_norm", {{0}}, 3, {{2, {7, 3}}, {1, {3}}, {1, {3}}}},
        {"batch_norm", {{"epsilon", 0, {0}}}, 3, {{2, {7, 3}}, {1, {3}}, {1, {3}}}},
        {"batch_norm", {{"epsilon", 0, {0}}}, 3, {{2, {1003, 5}}, {1, {5}}, {1, {5}}}},
    };
    static const int powers[] = {420, 532, 700, 1000, -420, -600, -1000}; /* 2^532 is about 1e160 */
    loss_context *context = case_context(1);
    (void)state;
    for (int32_t i = 0; i < 21; i++) {
        const operation_case *c = &channels[i / 7];
        const int power = powers[i % 7], near = power > 0 ? 40 : 0;
        const int64_t each = c->shapes[1].size[0], all = case_elements(&c->shapes[0]);
        const int64_t parameters = case_parameters(c);
        lossi_shape shape;
        if (power < 0 && i / 7 == 0) { /* with an epsilon small numbers are something else */
            continue;
        }
        double *x = case_numbers(LOSS_FLOAT64, parameters, 5, 0);
        double *gradient = calloc((size_t)parameters * 2, sizeof *gradient),
               *far_gradient = gradient + parameters;
        loss_objective *objective = case_objective(context, c, LOSS_FLOAT64);
        double value, far_value;
        assert_non_null(gradient);
        for (int64_t k = 1; k < all; k += each) {
            x[k] = ldexp(x[k], near);
        }
        double *plain = case_forward(context, c, LOSS_FLOAT64, x, 1, &shape);
        assert_status(context, loss_objective_evaluate(objective, x, &value, gradient), LOSS_OK);
        for (int64_t k = 1; k < all; k += each) {
            x[k] = ldexp(x[k], power - near);
        }
        double *far = case_forward(context, c, LOSS_FLOAT64, x, 1, &shape);
        assert_status(context, loss_objective_evaluate(objective, x, &far_value, far_gradient), LOSS_OK);
        assert_true(far_value == value);
        for (int64_t k = 0; k < parameters; k++) {
            /* Far out it is made of numbers that may be below the normal ones, whose unit is 2^−1074. */
            const int by = k % each == 1 && k < all ? power - near : 0;
            assert_close(ldexp(far_gradient[k], by), gradient[k], 0, ldexp(2, by - 1074));
        }
        for (int64_t k = 0; k < all; k++) {
            assert_true(fabs(plain[k]) < 100);
            if (far[k] != plain[k]) {
                fail_msg("%d rows times 2^%d: element %d is %g, not %g", (int)(all / each), power, (int)k,
                         far[k], plain[k]);
            }
        }
        loss_objective_free(objective);
        free(gradient);
        free(x);
        free(plain);
        free(far);
    }
    loss_context_free(context);
}

/* norm(w), its gradient and the product of its Hessian with (1, 2, −1), at w = 2^power · (3, −4, 12): 13 for power 0. */
static void norm_at(loss_context *context, loss_dtype dtype, int power, double *value, void *gradient,
                    void *product)
{
    static const double at[3] = {3, -4, 12}, along[3] = {1, 2, -1};
    const int64_t shape[1] = {3};
    double w[3], v[3];
    int32_t parameter, node;
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "w", 1, shape, &parameter), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "norm", NULL, &parameter, 1, &node), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, node, data), LOSS_OK);
    for (int i = 0; i < 3; i++) {
        set_element(w, dtype, i, ldexp(at[i], power));
        set_element(v, dtype, i, along[i]);
    }
    assert_status(context, loss_objective_evaluate(objective, w, value, gradient), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, w, v, product), LOSS_OK);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_graph_free(graph);
}

static void test_norm_far(void **state)
{
    static const int powers[2][10] = {{40, 47, 50, 60, 76, 100, 120, -40, -60, -100},
                                      {300, 396, 400, 500, 700, 900, 1000, -410, -600, -900}};
    loss_context *context = case_context(1);
    (void)state;
    for (int type = 0; type < 2; type++) {
        const loss_dtype dtype = type == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const double rounding = type == 0 ? 4e-7 : 8e-16;
        double value, far, gradient[3], far_gradient[3], product[3], far_product[3];
        norm_at(context, dtype, 0, &value, gradient, product);
        assert_true(value == 13);
        assert_close(element(gradient, dtype, 1), -4. / 13, rounding, 0);
        for (int k = 0; k < 10; k++) {
            const int power = powers[type][k];
            norm_at(context, dtype, power, &far, far_gradient, far_product);
            assert_true(far == ldexp(13, power));
            for (int i = 0; i < 3; i++) {
                const double second = ldexp(element(product, dtype, i), -power);
                assert_close(element(far_gradient, dtype, i), element(gradient, dtype, i), rounding, 0);
                assert_close(element(far_product, dtype, i), second, 4 * rounding, 0x1p-140 * (type == 0));
            }
        }
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),        cmocka_unit_test(test_derivatives),
        cmocka_unit_test(test_bits),           cmocka_unit_test(test_offset),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_running),
        cmocka_unit_test(test_evaluation),     cmocka_unit_test(test_training),
        cmocka_unit_test(test_optimizers),     cmocka_unit_test(test_memory),
        cmocka_unit_test(test_held_out),       cmocka_unit_test(test_large_rows),
        cmocka_unit_test(test_large_channels), cmocka_unit_test(test_norm_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
