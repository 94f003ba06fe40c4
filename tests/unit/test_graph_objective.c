/*
 * What graphs do with data: pieces, batches, masks, bad samples, no rows at all, predictions, and what a failure leaves behind.
 */
#include <math.h>
#include <string.h>

#include "graph_model.h"
#include "support/known.h"

enum { N = GRAPH_MODEL_ROWS };

/* ---- pieces ---- */

static const int64_t chunks[] = {N, 7, 1};

/* Value and gradient in pieces of each size, which have to agree; or the sentence they have to be refused with. */
static void same_in_pieces(const graph_model *m, int32_t node, const char *refused)
{
    double value[3], gradient[3][GRAPH_MODEL_X], product[3][GRAPH_MODEL_X];
    for (int32_t c = 0; c < 3; c++) {
        loss_objective *objective = graph_model_objective(m, node);
        assert_status(context, loss_objective_set_int(objective, "chunk_rows", chunks[c]), LOSS_OK);
        if (refused != NULL && c > 0) {
            double before = 777;
            memset(gradient[c], 0x55, sizeof gradient[c]);
            memcpy(product[c], gradient[c], sizeof gradient[c]);
            assert_status(context, loss_objective_evaluate(objective, m->x, &before, gradient[c]),
                          LOSS_ERROR_SUPPORT);
            assert_sentence(context, refused);
            assert_sentence(context, "chunk_rows");
            assert_true(before == 777);
            assert_memory_equal(product[c], gradient[c], sizeof gradient[c]);
        } else {
            assert_status(context, loss_objective_evaluate(objective, m->x, &value[c], gradient[c]), LOSS_OK);
            assert_status(context, loss_objective_hessian_product(objective, m->x, m->direction, product[c]),
                          LOSS_OK);
            assert_close(value[c], value[0], 1e-13, 1e-14);
            for (int64_t i = 0; i < loss_objective_dimension(objective); i++) {
                assert_close(gradient[c][i], gradient[0][i], 1e-11, 1e-13);
                assert_close(product[c][i], product[0][i], 1e-11, 1e-13);
            }
        }
        loss_objective_free(objective);
    }
}

static void weights_and_masks_in_pieces(void **unused)
{
    static const char *const given[] = {"", "weight", "mask"};
    (void)unused;
    for (int32_t i = 0; i < 3; i++) {
        graph_model m;
        graph_model_make(&m, LOSS_FLOAT64);
        const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", given[i]);
        same_in_pieces(&m, cost, NULL);
        graph_model_free(&m);
        graph_model_make(&m, LOSS_FLOAT64);
        same_in_pieces(&m,
                       graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", given[i]),
                                       graph_model_penalty(&m)),
                       NULL);
        graph_model_free(&m);
    }
}

/* A mask that leaves nothing: the cost is 0, and what does not depend on the data is still there. */
static void nothing_that_counts(void **unused)
{
    graph_model m;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    memset(m.mask, 0, sizeof m.mask);
    same_in_pieces(
        &m,
        graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", "mask"), graph_model_penalty(&m)),
        NULL);
    graph_model_free(&m);
}

static void losses_that_count_otherwise(void **unused)
{
    static const char *const words = "differently from piece to piece";
    (void)unused;
    for (int32_t i = 0; i < 4; i++) {
        graph_model m;
        graph_model_make(&m, LOSS_FLOAT64);
        const int32_t plain = graph_model_loss(&m, "cross_entropy", "labels", ""),
                      weighted = graph_model_loss(&m, "cross_entropy", "labels", i == 0 ? "weight" : "mask");
        if (i == 3) { /* means over rows count rows too */
            same_in_pieces(&m, graph_model_add(&m, weighted, graph_model_mean(&m)), words);
        } else {
            same_in_pieces(
                &m, i < 2 ? graph_model_add(&m, plain, weighted) : graph_model_add(&m, weighted, plain),
                words);
        }
        graph_model_free(&m);
    }
}

/* More losses than anybody has, of one and the same count. */
static void many_losses_in_pieces(void **unused)
{
    (void)unused;
    for (int32_t bad = 0; bad < 2; bad++) {
        graph_model m;
        int32_t sum = -1;
        graph_model_make(&m, LOSS_FLOAT64);
        for (int32_t i = 0; i < 40; i++) {
            const int32_t loss = graph_model_loss(&m, "cross_entropy", "labels",
                                                  bad && i == 37 ? "mask" : "");
            sum = sum < 0 ? loss : graph_model_add(&m, sum, loss);
        }
        same_in_pieces(&m, sum, bad ? "differently from piece to piece" : NULL);
        graph_model_free(&m);
    }
}

static void means_over_rows_in_pieces(void **unused)
{
    graph_model m;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    same_in_pieces(&m, graph_model_mean(&m), NULL);
    graph_model_free(&m);
    graph_model_make(&m, LOSS_FLOAT64);
    same_in_pieces(
        &m, graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", ""), graph_model_mean(&m)),
        NULL);
    graph_model_free(&m);
}

/* What is no mean over the rows cannot be had from pieces: a sum over rows, the square of a mean. */
static void what_is_no_mean_is_refused(void **unused)
{
    for (int32_t i = 0; i < 3; i++) {
        graph_model m;
        int32_t node;
        (void)unused;
        graph_model_make(&m, LOSS_FLOAT64);
        if (i == 0) {
            assert_status(context, loss_graph_apply(m.graph, "sum", NULL, &m.scores, 1, &node), LOSS_OK);
        } else {
            node = i == 1 ? graph_model_mean(&m) : graph_model_loss(&m, "cross_entropy", "labels", "");
            assert_status(context,
                          loss_graph_apply(m.graph, i == 1 ? "square" : "exp", NULL, &node, 1, &node),
                          LOSS_OK);
        }
        same_in_pieces(&m, node, "no mean over the rows");
        graph_model_free(&m);
    }
}

/* ---- batches ---- */

static void batches_are_the_same_rows_as_data(void **unused)
{
    static const int64_t indices[] = {4, 0, 19, 4, 11};
    (void)unused;
    for (int32_t type = 0; type < 2; type++) {
        graph_model m, few;
        double value[2];
        char gradient[2][8 * GRAPH_MODEL_X];
        graph_model_make(&m, dtypes[type]);
        graph_model_make(&few, dtypes[type]);
        graph_model_pick(&few, &m, indices, 5);
        loss_objective *batches = graph_model_objective(&m,
                                                        graph_model_loss(&m, "huber", "targets", "weight")),
                       *rows = graph_model_objective(&few,
                                                     graph_model_loss(&few, "huber", "targets", "weight"));
        assert_status(context,
                      loss_objective_evaluate_batch(batches, m.x, 5, indices, &value[0], gradient[0]),
                      LOSS_OK);
        assert_status(context, loss_objective_evaluate(rows, m.x, &value[1], gradient[1]), LOSS_OK);
        assert_same_bits(&value[0], &value[1], LOSS_FLOAT64, 1);
        assert_same_bits(gradient[0], gradient[1], dtypes[type], loss_objective_dimension(rows));
        loss_objective_free(batches);
        loss_objective_free(rows);
        graph_model_free(&m);
        graph_model_free(&few);
    }
}

static void bad_labels_are_named(void **unused)
{
    static const int64_t indices[] = {3, 9, 15, 2};
    (void)unused;
    for (int64_t chunk = 4; chunk <= 32; chunk *= 8) {
        graph_model m;
        double value = 777, gradient[GRAPH_MODEL_X], before[GRAPH_MODEL_X];
        graph_model_make(&m, LOSS_FLOAT64);
        m.labels[15] = 3; /* of classes 0 … 2 */
        loss_objective *objective = graph_model_objective(
            &m, graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", ""),
                                graph_model_penalty(&m)));
        assert_status(context, loss_objective_set_int(objective, "chunk_rows", chunk), LOSS_OK);
        memset(gradient, 0x55, sizeof gradient);
        memcpy(before, gradient, sizeof before);
        assert_status(context, loss_objective_evaluate(objective, m.x, &value, gradient), LOSS_ERROR_LABEL);
        assert_sentence(context, "sample 15");
        assert_int_equal(loss_context_error_row(context), 15);
        assert_status(context, loss_objective_evaluate_batch(objective, m.x, 4, indices, &value, gradient),
                      LOSS_ERROR_LABEL);
        assert_sentence(context, "sample 15");
        assert_int_equal(loss_context_error_row(context), 15);
        assert_true(value == 777); /* nothing was written */
        assert_memory_equal(gradient, before, sizeof before);
        loss_objective_free(objective);
        graph_model_free(&m);
    }
}

/* ---- no rows, no parameters ---- */

static void batches_without_rows(void **unused)
{
    (void)unused;
    for (int32_t converted = 0; converted < 2; converted++) {
        graph_model m;
        double value = 777, gradient[GRAPH_MODEL_X];
        graph_model_make(&m, LOSS_FLOAT64);
        if (converted) { /* an input without rows that has to be converted */
            assert_status(context, loss_data_set_input(m.data, "table", m.labels, LOSS_INT64, 1, 3, 3, 1),
                          LOSS_OK);
        }
        const int32_t cost = graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", ""),
                                             graph_model_table(&m));
        loss_objective *objective = graph_model_objective(&m, cost);
        assert_status(context, loss_objective_evaluate_batch(objective, m.x, 0, NULL, &value, gradient),
                      LOSS_OK);
        assert_close(value, converted ? (1 + 2 + 2) / 3.0 : 0.75, 1e-15, 0);
        for (int64_t i = 0; i < loss_objective_dimension(objective); i++) {
            assert_true(gradient[i] == 0);
        }
        loss_objective_free(objective);
        graph_model_free(&m);
    }
}

/* Gradients are made where they are wanted, but where x is, or at an odd address: there they are the same. */
static void gradients_anywhere(void **unused)
{
    graph_model m;
    double value, gradient[GRAPH_MODEL_X], over[GRAPH_MODEL_X];
    char bytes[sizeof gradient + 1];
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    loss_objective *objective = graph_model_objective(
        &m,
        graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", ""), graph_model_penalty(&m)));
    const size_t size = (size_t)loss_objective_dimension(objective) * sizeof *gradient;
    assert_status(context, loss_objective_evaluate(objective, m.x, &value, gradient), LOSS_OK);
    assert_true(gradient[0] != 0);
    memcpy(over, m.x, size);
    assert_status(context, loss_objective_evaluate(objective, over, &value, over), LOSS_OK);
    assert_memory_equal(over, gradient, size);
    assert_status(context, loss_objective_evaluate(objective, m.x, &value, bytes + 1), LOSS_OK);
    assert_memory_equal(bytes + 1, gradient, size);
    loss_objective_free(objective);
    graph_model_free(&m);
}

static void data_without_rows(void **unused)
{
    graph_model m;
    double value = 777, gradient[GRAPH_MODEL_X], out[3] = {777, 777, 777};
    loss_plan *plan;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    graph_model_pick(&m, &m, NULL, 0);
    const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", "");
    const int32_t mean = graph_model_mean(&m);
    loss_objective *objective = graph_model_objective(&m, cost);
    assert_status(context, loss_objective_evaluate(objective, m.x, &value, gradient), LOSS_OK);
    assert_true(value == 0 && gradient[0] == 0 && gradient[5] == 0);
    assert_status(context, loss_objective_hessian_product(objective, m.x, m.direction, gradient), LOSS_OK);
    assert_true(gradient[0] == 0 && gradient[5] == 0);
    loss_objective_free(objective);
    objective = graph_model_objective(&m, mean); /* the mean of nothing */
    assert_status(context, loss_objective_evaluate(objective, m.x, &value, NULL), LOSS_ERROR_NONFINITE);
    loss_objective_free(objective);
    assert_status(context, loss_plan_create(&plan, context, m.graph, m.scores, m.data, 0), LOSS_OK);
    assert_int_equal(loss_plan_size(plan), 0);
    assert_status(context, loss_plan_value(plan, m.x, out), LOSS_OK);
    assert_status(context, loss_plan_jacobian_vector(plan, m.x, m.direction, out), LOSS_OK);
    assert_true(out[0] == 777);
    assert_status(context, loss_plan_vector_jacobian(plan, m.x, out, gradient), LOSS_OK);
    assert_true(gradient[0] == 0 && gradient[5] == 0);
    loss_plan_free(plan);
    graph_model_free(&m);
}

/* A graph that nothing moves: there is no x to speak of. */
static void no_parameters(void **unused)
{
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    loss_plan *plan;
    int32_t features, square, mean;
    double value = 777, x = 3, out[3], numbers[] = {1.5, -2, 0.5};
    (void)unused;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    assert_status(context,
                  loss_graph_input(graph, "features", LOSS_FLOAT64, 1, (int64_t[]){LOSS_ROWS}, &features),
                  LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "square", NULL, &features, 1, &square), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "mean", NULL, &square, 1, &mean), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_data_set_input(data, "features", numbers, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, mean, data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(objective), 0);
    assert_status(context, loss_objective_evaluate(objective, &x, &value, out), LOSS_OK);
    assert_close(value, (2.25 + 4 + 0.25) / 3, 1e-15, 0);
    assert_status(context, loss_objective_hessian_product(objective, &x, &x, out), LOSS_OK);
    loss_objective_free(objective);
    assert_status(context, loss_plan_create(&plan, context, graph, square, data, 0), LOSS_OK);
    assert_status(context, loss_plan_value(plan, &x, out), LOSS_OK);
    assert_true(out[0] == 2.25 && out[1] == 4 && out[2] == 0.25);
    assert_status(context, loss_plan_jacobian_vector(plan, &x, &x, out), LOSS_OK);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
    assert_status(context, loss_plan_vector_jacobian(plan, &x, out, &value), LOSS_OK);
    loss_plan_free(plan);
    loss_graph_free(graph);
    loss_data_free(data);
}

/* ---- predictions ---- */

static void predictions(void **unused)
{
    graph_model m;
    loss_data *outputs;
    double scores[N * 3], cost[2], expected, value[N * 3];
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t loss = graph_model_loss(&m, "cross_entropy", "labels", "");
    assert_status(context, loss_graph_set_output(m.graph, "scores", m.scores), LOSS_OK);
    assert_status(context, loss_graph_set_output(m.graph, "cost", loss), LOSS_OK);
    loss_objective *objective = graph_model_objective(&m, loss);
    assert_status(context, loss_objective_set_int(objective, "chunk_rows", 7), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, m.x, &expected, NULL), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    assert_status(context, loss_data_set_output(outputs, "scores", scores, LOSS_FLOAT64, N, 3, 3, 1),
                  LOSS_OK);
    assert_status(context, loss_data_set_output(outputs, "cost", cost, LOSS_FLOAT64, 1, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_predict(objective, m.x, m.data, outputs), LOSS_OK);
    assert_close(cost[0], expected, 1e-14, 0); /* of all rows, not of the last piece */
    loss_plan *plan;
    assert_status(context, loss_plan_create(&plan, context, m.graph, m.scores, m.data, 0), LOSS_OK);
    assert_status(context, loss_plan_value(plan, m.x, value), LOSS_OK);
    assert_same_bits(scores, value, LOSS_FLOAT64, (int64_t)N * 3);
    loss_plan_free(plan);
    loss_data_free(outputs);
    loss_objective_free(objective);
    graph_model_free(&m);
}

/* ---- what failures leave ---- */

/* An objective or a plan that was not made has not sealed the graph: the missing input can still be named otherwise. */
static void a_failure_seals_nothing(void **unused)
{
    graph_model m;
    loss_data *empty;
    loss_objective *objective = (loss_objective *)&m;
    loss_plan *plan = (loss_plan *)&m;
    int32_t node;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", "");
    assert_status(context, loss_data_create(&empty, context), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, m.graph, cost, empty),
                  LOSS_ERROR_NAME);
    assert_null(objective);
    assert_status(context, loss_plan_create(&plan, context, m.graph, cost, empty, 0), LOSS_ERROR_NAME);
    assert_null(plan);
    assert_status(context, loss_graph_apply(m.graph, "negate", NULL, &cost, 1, &node), LOSS_OK);
    assert_status(context, loss_data_set_input(empty, "features", m.features, LOSS_FLOAT64, N, 4, 4, 1),
                  LOSS_OK);
    objective = graph_model_objective(&m, cost);
    assert_status(context, loss_graph_apply(m.graph, "tanh", NULL, &cost, 1, &node), LOSS_ERROR_STATE);
    loss_objective_free(objective);
    loss_data_free(empty);
    graph_model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_and_masks_in_pieces),
        cmocka_unit_test(nothing_that_counts),
        cmocka_unit_test(losses_that_count_otherwise),
        cmocka_unit_test(many_losses_in_pieces),
        cmocka_unit_test(means_over_rows_in_pieces),
        cmocka_unit_test(what_is_no_mean_is_refused),
        cmocka_unit_test(batches_are_the_same_rows_as_data),
        cmocka_unit_test(bad_labels_are_named),
        cmocka_unit_test(batches_without_rows),
        cmocka_unit_test(gradients_anywhere),
        cmocka_unit_test(data_without_rows),
        cmocka_unit_test(no_parameters),
        cmocka_unit_test(predictions),
        cmocka_unit_test(a_failure_seals_nothing),
    };
    return cmocka_run_group_tests_name("graph_objective", tests, known_setup, known_teardown);
}
