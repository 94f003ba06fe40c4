/* dropout: which elements are dropped, for whom, and when; seen through the gradient of a sum, which is the mask. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "operation_case.h"

enum { SAMPLES = 5, FEATURES = 6 };

typedef struct model {
    loss_context *context;
    loss_objective *objective;
} model;

/* Σ over samples of dropout(weights + features), features of 0: its gradient is the sum of the samples' masks. */
static model model_of(double rate, int64_t training, int64_t seed, int64_t features, int twice)
{
    static const double zeros[SAMPLES * 4096];
    model m = {.context = case_context(1)};
    loss_graph *graph = NULL;
    loss_data *data = NULL;
    loss_operation *dropout = NULL;
    int32_t x, weights, sum, a, b;
    assert_status(m.context, loss_graph_create(&graph, m.context, LOSS_FLOAT64), LOSS_OK);
    loss_graph_input(graph, "features", LOSS_FLOAT64, 2, (int64_t[]){LOSS_ROWS, features}, &x);
    loss_graph_parameter(graph, "weights", 1, (int64_t[]){features}, &weights);
    assert_status(m.context, loss_graph_apply(graph, "add", NULL, (int32_t[]){x, weights}, 2, &sum), LOSS_OK);
    assert_status(m.context, loss_operation_create(&dropout, m.context, "dropout"), LOSS_OK);
    assert_status(m.context, loss_operation_set_double(dropout, "rate", rate), LOSS_OK);
    assert_status(m.context, loss_graph_apply(graph, NULL, dropout, &sum, 1, &a), LOSS_OK);
    if (twice) { /* the difference of two that are made alike */
        assert_status(m.context, loss_graph_apply(graph, NULL, dropout, &sum, 1, &b), LOSS_OK);
        assert_int_not_equal(a, b);
        assert_status(m.context, loss_graph_apply(graph, "subtract", NULL, (int32_t[]){a, b}, 2, &a),
                      LOSS_OK);
    }
    assert_status(m.context, loss_graph_apply(graph, "sum", NULL, &a, 1, &a), LOSS_OK);
    assert_status(m.context, loss_data_create(&data, m.context), LOSS_OK);
    assert_status(m.context,
                  loss_data_set_input(data, "features", zeros, LOSS_FLOAT64, SAMPLES, features, features, 1),
                  LOSS_OK);
    assert_status(m.context, loss_objective_create_graph(&m.objective, m.context, graph, a, data), LOSS_OK);
    assert_status(m.context, loss_objective_set_int(m.objective, "training", training), LOSS_OK);
    assert_status(m.context, loss_objective_set_int(m.objective, "seed", seed), LOSS_OK);
    loss_operation_free(dropout);
    loss_data_free(data);
    loss_graph_free(graph);
    return m;
}

static void free_model(model *m)
{
    loss_objective_free(m->objective);
    loss_context_free(m->context);
}

static void masks(const model *m, int64_t count, const int64_t *indices, double *gradient)
{
    static const double x[4096];
    double value;
    assert_status(m->context,
                  loss_objective_evaluate_batch(m->objective, x, count, indices, &value, gradient), LOSS_OK);
}

/* A sample has the same mask in whatever batch it is, and the batch is what says so. */
static void test_batches(void **state)
{
    double own[SAMPLES][FEATURES], gradient[FEATURES];
    static const int64_t batches[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {4, 4, 0, 2}};
    static const double x[FEATURES];
    double value;
    model m = model_of(0.5, 1, 3, FEATURES, 0);
    (void)state;
    for (int64_t i = 0; i < SAMPLES; i++) {
        masks(&m, 1, &i, own[i]);
        for (int k = 0; k < FEATURES; k++) {
            assert_true(own[i][k] == 0 || own[i][k] == 2);
        }
    }
    assert_true(memcmp(own[0], own[1], sizeof own[0]) != 0);
    for (int b = 0; b < 3; b++) {
        masks(&m, 4, batches[b], gradient);
        for (int k = 0; k < FEATURES; k++) {
            double sum = 0;
            for (int i = 0; i < 4; i++) {
                sum += own[batches[b][i]][k];
            }
            assert_close(gradient[k], sum, 0, 0);
        }
    }
    assert_status(m.context, loss_objective_evaluate(m.objective, x, &value, gradient), LOSS_OK);
    for (int k = 0; k < FEATURES; k++) {
        assert_close(gradient[k], own[0][k] + own[1][k] + own[2][k] + own[3][k] + own[4][k], 0, 0);
    }
    free_model(&m);
}

/* As many as the rate says, within five standard deviations; scaled so that the mean stays. */
static void test_rates(void **state)
{
    static const double rates[] = {0.1, 0.5, 0.8};
    static double gradient[4096];
    (void)state;
    for (int r = 0; r < 3; r++) {
        model m = model_of(rates[r], 1, 1, 4096, 0);
        const int64_t first = 2;
        int64_t dropped = 0;
        masks(&m, 1, &first, gradient);
        for (int k = 0; k < 4096; k++) {
            dropped += gradient[k] == 0;
            assert_true(gradient[k] == 0 || gradient[k] == 1 / (1 - rates[r]));
        }
        assert_true(fabs((double)dropped - 4096 * rates[r]) < 5 * sqrt(4096 * rates[r] * (1 - rates[r])));
        free_model(&m);
    }
}

/* Nothing is dropped with rate 0 or without training, everything with rate 1. */
static void test_identity(void **state)
{
    static const struct {
        double rate;
        int64_t training;
        double mask;
    } settings[] = {{0.5, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 1}};
    const int64_t first = 1;
    double gradient[FEATURES];
    (void)state;
    for (int s = 0; s < 4; s++) {
        model m = model_of(settings[s].rate, settings[s].training, 0, FEATURES, 0);
        masks(&m, 1, &first, gradient);
        for (int k = 0; k < FEATURES; k++) {
            assert_close(gradient[k], settings[s].mask, 0, 0);
        }
        free_model(&m);
    }
}

/* Masks change with iterates, seeds and nodes, and with nothing else. */
static void test_changes(void **state)
{
    static double before[4096], after[4096];
    const int64_t first = 0;
    model m = model_of(0.5, 1, 3, 4096, 0), other = model_of(0.5, 1, 4, 4096, 0);
    model twice = model_of(0.5, 1, 3, 4096, 1);
    (void)state;
    masks(&m, 1, &first, before);
    masks(&m, 1, &first, after);
    assert_memory_equal(before, after, sizeof before);
    masks(&other, 1, &first, after);
    assert_memory_not_equal(before, after, sizeof before);
    assert_status(m.context, loss_objective_new_iterate(m.objective), LOSS_OK);
    masks(&m, 1, &first, after);
    assert_memory_not_equal(before, after, sizeof before);
    int64_t iterate = 0;
    assert_status(m.context, loss_objective_get_int(m.objective, "iterate", &iterate), LOSS_OK);
    assert_int_equal(iterate, 1);
    model later = model_of(0.5, 1, 3, 4096, 0); /* goes on where the first one is */
    assert_status(later.context, loss_objective_set_int(later.objective, "iterate", iterate), LOSS_OK);
    masks(&later, 1, &first, before);
    assert_memory_equal(before, after, sizeof before);
    free_model(&later);
    masks(&twice, 1, &first, after);
    int64_t different = 0;
    for (int k = 0; k < 4096; k++) {
        different += after[k] != 0;
    }
    assert_true(different > 1500 && different < 2600);
    free_model(&m);
    free_model(&other);
    free_model(&twice);
}

static void test_derivatives(void **state)
{
    static const operation_case c = {"dropout", {{"rate", 0, {0.25}}}, 1, {{2, {5, 7}}}};
    static const operation_case large = {"dropout", {{"rate", 0, {0.25}}}, 1, {{3, {50, 40, 30}}}};
    (void)state;
    case_check(&c, 1);
    case_compare_bits(&large, LOSS_FLOAT32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches), cmocka_unit_test(test_rates),       cmocka_unit_test(test_identity),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_derivatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
