/*
 * Graphs from a seeded generator, whose first and second derivatives are compared with differences, with each other and with the
 * other element type.
 */
#include <math.h>
#include <string.h>

#include "graph_random.h"
#include "support/known.h"

enum { GRAPHS = 100, DIRECTIONS = 2 };

/* ---- against differences ---- */

static void check_symmetry(loss_objective *objective, const double *x)
{
    static double hessian[GRAPH_X][GRAPH_X], unit[GRAPH_X];
    const int64_t n = loss_objective_dimension(objective);
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        unit[i] = 1;
        assert_status(context, loss_objective_hessian_product(objective, x, unit, hessian[i]), LOSS_OK);
        unit[i] = 0;
        for (int64_t j = 0; j < n; j++) {
            largest = fmax(largest, fabs(hessian[i][j]));
        }
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            assert_close(hessian[i][j], hessian[j][i], 1e-10, 1e-12 * largest);
        }
    }
}

static void derivatives_are_those_of_the_values(void **unused)
{
    int32_t nodes = 0, refused = 0;
    (void)unused;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph made;
        int32_t verdict = 0;
        random_graph_make(&made, context, seed, LOSS_FLOAT64);
        loss_objective *objective = random_graph_objective(&made, context, made.number);
        assert_status(context, loss_objective_check(objective, made.x, seed, &verdict), LOSS_OK);
        if (verdict != LOSS_CHECK_OK) {
            fail_msg("graph %d: %s", (int)seed, loss_context_error(context));
        }
        assert_status(context, loss_objective_check_product(objective, made.x, DIRECTIONS, seed, &verdict),
                      LOSS_OK);
        if (verdict != LOSS_CHECK_OK) {
            fail_msg("graph %d: %s", (int)seed, loss_context_error(context));
        }
        check_symmetry(objective, made.x);
        nodes += made.nodes;
        refused += made.refused;
        loss_objective_free(objective);
        random_graph_free(&made);
    }
    assert_true(nodes > 10 * GRAPHS); /* the generator makes what it says, and hits what does not fit */
    assert_true(refused > GRAPHS);
}

static void float32_is_near_float64(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph made[2];
        double value[2], gradient[GRAPH_X], product[GRAPH_X], largest[2] = {0, 0};
        float x[GRAPH_X], direction[GRAPH_X], single[2][GRAPH_X];
        for (int32_t i = 0; i < 2; i++) {
            random_graph_make(&made[i], context, seed, i == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32);
        }
        random_graph_numbers(&made[1], made[1].x, x);
        random_graph_numbers(&made[1], made[1].direction, direction);
        loss_objective *wide = random_graph_objective(&made[0], context, made[0].number),
                       *narrow = random_graph_objective(&made[1], context, made[1].number);
        const int64_t n = loss_objective_dimension(narrow);
        assert_status(context, loss_objective_evaluate(wide, made[0].x, &value[0], gradient), LOSS_OK);
        assert_status(context, loss_objective_evaluate(narrow, x, &value[1], single[0]), LOSS_OK);
        assert_status(context, loss_objective_hessian_product(wide, made[0].x, made[0].direction, product),
                      LOSS_OK);
        assert_status(context, loss_objective_hessian_product(narrow, x, direction, single[1]), LOSS_OK);
        for (int64_t i = 0; i < n; i++) {
            largest[0] = fmax(largest[0], fabs(gradient[i]));
            largest[1] = fmax(largest[1], fabs(product[i]));
        }
        /* 25 operations one after the other, each of which may amplify what comes in by some tens */
        assert_close(value[1], value[0], 3e-4, 3e-4);
        for (int64_t i = 0; i < n; i++) {
            assert_close(single[0][i], gradient[i], 0, 1e-3 * (largest[0] + 0.01));
            assert_close(single[1][i], product[i], 0, 3e-3 * (largest[1] + 0.01));
        }
        loss_objective_free(wide);
        loss_objective_free(narrow);
        random_graph_free(&made[0]);
        random_graph_free(&made[1]);
    }
}

/* ---- plans ---- */

enum { ELEMENTS = 512 };

static void jacobian_products_fit_each_other(void **unused)
{
    static double value[2][ELEMENTS], forward[ELEMENTS], vector[ELEMENTS], back[GRAPH_X], x[GRAPH_X];
    (void)unused;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph made;
        loss_plan *plan;
        double left = 0, right = 0, size = 0;
        random_graph_make(&made, context, seed, LOSS_FLOAT64);
        assert_status(context, loss_plan_create(&plan, context, made.graph, made.elements, made.data, 1),
                      LOSS_OK);
        const int64_t elements = loss_plan_size(plan), n = loss_graph_dimension(made.graph);
        assert_in_range(elements, 1, ELEMENTS);
        for (int64_t i = 0; i < elements; i++) {
            vector[i] = sin((double)i + 1);
        }
        assert_status(context, loss_plan_jacobian_vector(plan, made.x, made.direction, forward), LOSS_OK);
        assert_status(context, loss_plan_vector_jacobian(plan, made.x, vector, back), LOSS_OK);
        for (int64_t i = 0; i < elements; i++) {
            left += vector[i] * forward[i];
            size += fabs(vector[i] * forward[i]);
        }
        for (int64_t i = 0; i < n; i++) {
            right += back[i] * made.direction[i];
        }
        assert_close(left, right, 1e-11, 1e-13 * size);
        for (int32_t side = 0; side < 2; side++) {
            for (int64_t i = 0; i < n; i++) {
                x[i] = made.x[i] + (side == 0 ? -1e-5 : 1e-5) * made.direction[i];
            }
            assert_status(context, loss_plan_value(plan, x, value[side]), LOSS_OK);
        }
        for (int64_t i = 0; i < elements; i++) {
            /* the third derivative times h²/6, and rounding over h */
            assert_close((value[1][i] - value[0][i]) / 2e-5, forward[i], 1e-5,
                         1e-5 + 1e-10 * fabs(value[0][i]));
        }
        loss_plan_free(plan);
        random_graph_free(&made);
    }
}

/* ---- the same whatever the way ---- */

static void evaluate_all(loss_objective *objective, const random_graph *made, double *value, double *gradient,
                         double *product)
{
    assert_status(context, loss_objective_evaluate(objective, made->x, value, gradient), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, made->x, made->direction, product),
                  LOSS_OK);
}

static void pieces_give_what_one_piece_gives(void **unused)
{
    static const int64_t chunks[] = {1, 2, 3, 1000};
    (void)unused;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph made;
        double value[2], gradient[2][GRAPH_X], product[2][GRAPH_X];
        random_graph_make(&made, context, seed, LOSS_FLOAT64);
        for (int32_t c = 3; c >= 0; c--) {
            loss_objective *objective = random_graph_objective(&made, context, made.cost);
            const int32_t at = c < 3;
            assert_status(context, loss_objective_set_int(objective, "chunk_rows", chunks[c]), LOSS_OK);
            evaluate_all(objective, &made, &value[at], gradient[at], product[at]);
            loss_objective_free(objective);
            assert_close(value[at], value[0], 1e-13, 1e-13);
            for (int64_t i = 0; i < loss_graph_dimension(made.graph); i++) {
                assert_close(gradient[at][i], gradient[0][i], 1e-11, 1e-12);
                assert_close(product[at][i], product[0][i], 1e-10, 1e-11);
            }
        }
        random_graph_free(&made);
    }
}

static void threads_give_the_same_bits(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < GRAPHS / 4; seed++) {
        double value[3], gradient[3][GRAPH_X], product[3][GRAPH_X];
        for (int32_t threads = 1; threads <= 3; threads++) {
            random_graph made;
            const int32_t t = threads - 1;
            assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
            random_graph_make(&made, context, seed, LOSS_FLOAT64);
            loss_objective *objective = random_graph_objective(&made, context, made.number);
            const int64_t n = loss_objective_dimension(objective);
            evaluate_all(objective, &made, &value[t], gradient[t], product[t]);
            assert_same_bits(&value[t], &value[0], LOSS_FLOAT64, 1);
            assert_same_bits(gradient[t], gradient[0], LOSS_FLOAT64, n);
            assert_same_bits(product[t], product[0], LOSS_FLOAT64, n);
            loss_objective_free(objective);
            random_graph_free(&made);
        }
        assert_status(context, loss_context_set_int(context, "threads", 1), LOSS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_are_those_of_the_values),
        cmocka_unit_test(float32_is_near_float64),
        cmocka_unit_test(jacobian_products_fit_each_other),
        cmocka_unit_test(pieces_give_what_one_piece_gives),
        cmocka_unit_test(threads_give_the_same_bits),
    };
    return cmocka_run_group_tests_name("graph", tests, known_setup, known_teardown);
}
