/* Penalties from inside: values, derivatives and proximal maps against their definitions; lists and what they refuse. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient/objective.h"
#include "gradient/penalty.h"
#include "loss/random.h"
#include "support/check.h"

enum { N = 7 };

static const double point[N] = {0.8, -2.385, 0.03, 1.7, -0.4, 0.0, 3.1};

static loss_context *context_make(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static void add(lossi_penalties *list, loss_context *context, const char *name, const char *option,
                double value)
{
    loss_penalty *penalty = NULL;
    assert_status(context, loss_penalty_create(&penalty, context, name), LOSS_OK);
    if (option != NULL) {
        assert_status(context, loss_penalty_set_double(penalty, option, value), LOSS_OK);
    }
    assert_int_equal(lossi_penalties_append(list, context, penalty), LOSS_OK);
    loss_penalty_free(penalty);
}

static void narrow(const double *from, void *to, loss_dtype dtype)
{
    for (int64_t i = 0; i < N; i++) {
        set_element(to, dtype, i, from[i]);
    }
}

/* 1 parameter without a penalty, and a matrix of 2 × 3. */
static lossi_segment_shape shape_at(const void *all, int64_t index)
{
    return ((const lossi_segment_shape *)all)[index];
}

static const lossi_segment_shape all_shapes[] = {{0, 1, 1, 0.0}, {1, 2, 3, 1.375}};
static const lossi_shapes shapes = {"the test", all_shapes, 2, shape_at};

/* h(u) + ‖u − v‖²/2t */
static double moreau(const lossi_penalties *list, loss_dtype dtype, const void *u, const void *v, double t)
{
    double sum = lossi_penalties_rough_value(list, dtype, N, &shapes, u);
    for (int64_t i = 0; i < N; i++) {
        double way = element(u, dtype, i) - element(v, dtype, i);
        sum += way * way / (2.0 * t);
    }
    return sum;
}

static const char *const rough[] = {
    "box",      "elastic_net",  "group_lasso",     "l1",
    "segments", "segment_rows", "segment_columns", "simplex"}; /* group_lasso of what the segments make */

static void set_up(lossi_penalties *list, loss_context *context, const char *kind)
{
    const int32_t of_shapes = strncmp(kind, "segment", 7) == 0;
    const char *name = of_shapes ? "group_lasso" : kind;
    loss_penalty *penalty = NULL;
    assert_status(context, loss_penalty_create(&penalty, context, name), LOSS_OK);
    if (strcmp(name, "box") == 0) {
        assert_int_equal(loss_penalty_set_double(penalty, "lower", -0.7), LOSS_OK);
        assert_int_equal(loss_penalty_set_double(penalty, "upper", 1.25), LOSS_OK);
    } else if (strcmp(name, "simplex") == 0) {
        assert_int_equal(loss_penalty_set_double(penalty, "total", 2.385), LOSS_OK);
    } else {
        assert_int_equal(loss_penalty_set_double(penalty, "strength", 0.6), LOSS_OK);
    }
    if (of_shapes) {
        assert_status(context, loss_penalty_set_string(penalty, "groups", kind), LOSS_OK);
    } else if (strcmp(name, "group_lasso") == 0) {
        const int64_t sizes[] = {2, 1, 4};
        assert_status(context, loss_penalty_set_array(penalty, "group_sizes", sizes, LOSS_INT64, 3), LOSS_OK);
    }
    assert_int_equal(lossi_penalties_append(list, context, penalty), LOSS_OK);
    assert_status(context, lossi_penalties_check(list, context, N, &shapes), LOSS_OK);
    loss_penalty_free(penalty);
}

/* No point near the map's is better, nor any of a thousand others; all of them are in the set when it is one. */
static void a_proximal_map_is_the_minimiser(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (size_t k = 0; k < sizeof rough / sizeof rough[0]; k++) {
        for (int which = 0; which < 2; which++) {
            loss_dtype dtype = dtypes[which];
            loss_context *context = context_make();
            lossi_penalties list = {0};
            double v[N], u[N], trial[N], t = 0.37;
            set_up(&list, context, rough[k]);
            narrow(point, v, dtype);
            memcpy(u, v, sizeof u);
            lossi_penalties_prox(&list, dtype, N, &shapes, t, u);
            double least = moreau(&list, dtype, u, v, t), slack = dtype == LOSS_FLOAT64 ? 1e-14 : 1e-6;
            assert_true(isfinite(least));
            uint64_t random = 12345;
            for (int i = 0; i < 3000; i++) {
                double shrink = pow(0.5, i % 24);
                for (int64_t j = 0; j < N; j++) {
                    random = random * 6364136223846793005u + 1442695040888963407u;
                    double r = (double)(int64_t)(random >> 11) * 0x1p-52 - 1.0;
                    set_element(trial, dtype, j, element(u, dtype, j) + shrink * r);
                }
                lossi_penalties_prox(&list, dtype, N, &shapes, 0.0, trial); /* into the set, when it is one */
                assert_true(moreau(&list, dtype, trial, v, t) >= least - slack);
            }
            lossi_penalties_destroy(&list, context);
            loss_context_free(context);
        }
    }
}

static void values_are_those_of_the_definitions(void **unused)
{
    loss_context *context = context_make();
    double squares = 0.0, magnitudes = 0.0;
    (void)unused;
    for (int i = 0; i < N; i++) {
        squares += point[i] * point[i];
        magnitudes += fabs(point[i]);
    }
    const struct {
        const char *name;
        double smooth, rough;
    } expected[] = {
        {"l2", 0.5 * 0.6 * squares, 0.0},
        {"l1", 0.0, 0.6 * magnitudes},
        {"elastic_net", 0.25 * 0.6 * squares, 0.5 * 0.6 * magnitudes},
        {"group_lasso", 0.0,
         0.6 * (sqrt(2.0) * hypot(0.8, 2.385) + 0.03 + 2.0 * sqrt(1.7 * 1.7 + 0.4 * 0.4 + 3.1 * 3.1))},
        {"segments", 0.0, 0.6 * 1.375 * sqrt(6.0) * sqrt(squares - 0.8 * 0.8)},
        {"segment_rows", 0.0,
         0.6 * 1.375 * sqrt(3.0) *
             (sqrt(2.385 * 2.385 + 0.03 * 0.03 + 1.7 * 1.7) + sqrt(0.4 * 0.4 + 3.1 * 3.1))},
        {"segment_columns", 0.0, 0.6 * 1.375 * sqrt(2.0) * (hypot(2.385, 0.4) + 0.03 + hypot(1.7, 3.1))},
        {"box", 0.0, INFINITY},
        {"simplex", 0.0, INFINITY},
    };
    for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++) {
        lossi_penalties list = {0};
        set_up(&list, context, expected[k].name);
        assert_close(lossi_penalties_value(&list, LOSS_FLOAT64, N, point), expected[k].smooth, 1e-15, 0.0);
        assert_close(lossi_penalties_rough_value(&list, LOSS_FLOAT64, N, &shapes, point), expected[k].rough,
                     1e-15, 0.0);
        lossi_penalties_destroy(&list, context);
    }
    loss_context_free(context);
}

/* Seven parameters in groups of three: the last group has one, and the root of one. */
static void the_last_group_has_what_is_left(void **unused)
{
    loss_context *context = context_make();
    const double first = sqrt(0.8 * 0.8 + 2.385 * 2.385 + 0.03 * 0.03), second = sqrt(1.7 * 1.7 + 0.4 * 0.4);
    const double t = 0.37,
                 kept[] = {1.0 - t * sqrt(3.0) / first, 1.0 - t * sqrt(3.0) / second, 1.0 - t / 3.1};
    (void)unused;
    for (int k = 0; k < 2; k++) { /* the same, said in both ways */
        const int64_t sizes[] = {3, 3, 1};
        lossi_penalties list = {0};
        loss_penalty *penalty = NULL;
        double x[N];
        assert_status(context, loss_penalty_create(&penalty, context, "group_lasso"), LOSS_OK);
        if (k == 0) {
            assert_status(context, loss_penalty_set_int(penalty, "group_size", 3), LOSS_OK);
        } else {
            assert_status(context, loss_penalty_set_array(penalty, "group_sizes", sizes, LOSS_INT64, 3),
                          LOSS_OK);
        }
        assert_int_equal(lossi_penalties_append(&list, context, penalty), LOSS_OK);
        assert_status(context, lossi_penalties_check(&list, context, N, NULL), LOSS_OK);
        loss_penalty_free(penalty);
        assert_close(lossi_penalties_rough_value(&list, LOSS_FLOAT64, N, NULL, point),
                     sqrt(3.0) * (first + second) + 3.1, 1e-15, 0.0);
        memcpy(x, point, sizeof x);
        lossi_penalties_prox(&list, LOSS_FLOAT64, N, NULL, t, x);
        for (int i = 0; i < N; i++) {
            assert_close(x[i], kept[i / 3] * point[i], 1e-15, 0.0);
        }
        lossi_penalties_destroy(&list, context);
    }
    loss_context_free(context);
}

/* A matrix of more columns than are taken at a time, by columns and its transpose by rows: the same bits. */
static void columns_are_rows_of_the_transpose(void **unused)
{
    enum { ROWS = 37, COLUMNS = 41, SIZE = ROWS * COLUMNS };
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    const lossi_segment_shape matrix = {0, ROWS, COLUMNS, 0.25}, transpose = {0, COLUMNS, ROWS, 0.25};
    const lossi_shapes of[] = {{"the test", &matrix, 1, shape_at}, {"the test", &transpose, 1, shape_at}};
    loss_context *context = context_make();
    lossi_penalties lists[2] = {{0}};
    double *x[2] = {calloc(SIZE, sizeof(double)), calloc(SIZE, sizeof(double))};
    (void)unused;
    assert_true(x[0] != NULL && x[1] != NULL);
    for (int k = 0; k < 2; k++) {
        set_up(&lists[k], context, k == 0 ? "segment_columns" : "segment_rows");
    }
    for (int which = 0; which < 2; which++) {
        for (int64_t i = 0; i < SIZE; i++) {
            const double number = sin(0.7 * (double)i) * (double)(i % COLUMNS);
            set_element(x[0], dtypes[which], i, number);
            set_element(x[1], dtypes[which], i % COLUMNS * ROWS + i / COLUMNS, number);
        }
        double values[2];
        for (int k = 0; k < 2; k++) {
            assert_status(context, lossi_penalties_check(&lists[k], context, SIZE, &of[k]), LOSS_OK);
            values[k] = lossi_penalties_rough_value(&lists[k], dtypes[which], SIZE, &of[k], x[k]);
            lossi_penalties_prox(&lists[k], dtypes[which], SIZE, &of[k], 5.0, x[k]);
        }
        assert_true(values[0] == values[1] && values[0] > 0.0);
        int64_t zeros = 0;
        for (int64_t i = 0; i < SIZE; i++) {
            const double number = element(x[0], dtypes[which], i);
            assert_true(number == element(x[1], dtypes[which], i % COLUMNS * ROWS + i / COLUMNS));
            zeros += number == 0.0;
        }
        assert_true(zeros > ROWS && zeros < SIZE);
    }
    for (int k = 0; k < 2; k++) {
        lossi_penalties_destroy(&lists[k], context);
        free(x[k]);
    }
    loss_context_free(context);
}

/* Projections that are known by hand. */
static void projections_are_known(void **unused)
{
    loss_context *context = context_make();
    lossi_penalties list = {0};
    double x[] = {0.5, 0.9, -1.0, 0.3, 0.0, -0.2, 0.1}, sum = 0.0;
    (void)unused;
    add(&list, context, "simplex", "total", 1.0);
    lossi_penalties_prox(&list, LOSS_FLOAT64, N, NULL, 5.0, x);
    /* τ = (0.5 + 0.9 + 0.3 − 1)/3 = 0.2333…, 0.1 is below it */
    const double expected[] = {0.8 / 3.0, 2.0 / 3.0, 0.0, 0.2 / 3.0, 0.0, 0.0, 0.0};
    for (int i = 0; i < N; i++) {
        assert_close(x[i], expected[i], 0.0, 1e-15);
        sum += x[i];
    }
    assert_close(sum, 1.0, 1e-15, 0.0);
    assert_true(lossi_penalties_rough_value(&list, LOSS_FLOAT64, N, NULL, x) == 0.0);
    double nan[] = {0.5, NAN, 0.1, 0.2, 0.3, 0.4, 0.5};
    lossi_penalties_prox(&list, LOSS_FLOAT64, N, NULL, 5.0, nan);
    assert_true(isnan(nan[0]));
    lossi_penalties_destroy(&list, context);
    loss_context_free(context);
}

/* However far away a point is, its projection is in the set: the rounding of x must not be that of the sum. */
static void far_points_come_into_the_simplex(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    loss_context *context = context_make();
    lossi_penalties list = {0};
    (void)unused;
    add(&list, context, "simplex", "total", 1.0);
    for (int which = 0; which < 2; which++) {
        for (double size = 1.0; size < 1e30; size *= 23.85) {
            double x[N], far[N];
            for (int i = 0; i < N; i++) {
                far[i] = (i % 3 == 1 ? 3.1 : point[i]) * size;
            }
            narrow(far, x, dtypes[which]);
            lossi_penalties_prox(&list, dtypes[which], N, NULL, 5.0, x);
            assert_true(lossi_penalties_rough_value(&list, dtypes[which], N, NULL, x) == 0.0);
        }
    }
    lossi_penalties_destroy(&list, context);
    loss_context_free(context);
}

/*
 * However many there are, and most of them 0 as those of a point on the way between two of the set: what their sums are rounded by must
 * not put them outside.
 */
static void many_numbers_come_into_the_simplex(void **unused)
{
    enum { MANY = 30000 };
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    loss_context *context = context_make();
    lossi_penalties list = {0};
    double *drawn = malloc(MANY * sizeof *drawn), *x = malloc(MANY * sizeof *x);
    double *before = malloc(MANY * sizeof *before);
    (void)unused;
    add(&list, context, "simplex", "total", 1.0);
    for (int which = 0; which < 2; which++) {
        uint64_t seed = 0;
        for (int64_t n = 2; n <= MANY; n += n / 8 + 1) {
            memset(before, 0, MANY * sizeof *before);
            for (int step = 0; step < 20; step++) {
                assert_int_equal(loss_random_uniform(seed++, 0, 0, n, drawn), LOSS_OK);
                for (int64_t i = 0; i < n; i++) {
                    set_element(x, dtypes[which], i, drawn[i] - 0.5);
                }
                for (int half = 0; half < 2; half++) {
                    lossi_penalties_prox(&list, dtypes[which], n, NULL, 5.0, x);
                    assert_true(lossi_penalties_rough_value(&list, dtypes[which], n, NULL, x) == 0.0);
                    for (int64_t i = 0; i < n; i++) {
                        const double now = element(x, dtypes[which], i);
                        set_element(x, dtypes[which], i, 0.7 * before[i] + 0.3 * now);
                        before[i] = now;
                    }
                }
            }
        }
    }
    free(before);
    free(drawn);
    free(x);
    lossi_penalties_destroy(&list, context);
    loss_context_free(context);
}

/* A stretch in the middle: the others are not touched. */
static void a_stretch_is_kept_to(void **unused)
{
    loss_context *context = context_make();
    lossi_penalties list = {0};
    double x[N], out[N] = {0};
    loss_penalty *penalty = NULL;
    (void)unused;
    memcpy(x, point, sizeof x);
    assert_int_equal(loss_penalty_create(&penalty, context, "elastic_net"), LOSS_OK);
    assert_int_equal(loss_penalty_set_int(penalty, "first", 1), LOSS_OK);
    assert_int_equal(loss_penalty_set_int(penalty, "count", 3), LOSS_OK);
    assert_int_equal(loss_penalty_set_double(penalty, "strength", 2.0), LOSS_OK);
    assert_int_equal(loss_penalty_set_double(penalty, "l1_ratio", 0.25), LOSS_OK);
    assert_int_equal(lossi_penalties_append(&list, context, penalty), LOSS_OK);
    loss_penalty_free(penalty);
    lossi_penalties_add_gradient(&list, LOSS_FLOAT64, N, x, 0, N, out);
    lossi_penalties_prox(&list, LOSS_FLOAT64, N, NULL, 1.0, x);
    for (int i = 0; i < N; i++) {
        int inside = i >= 1 && i < 4;
        assert_close(out[i], inside ? 1.5 * point[i] : 0.0, 1e-15, 0.0);
        double left = fmax(fabs(point[i]) - 0.5, 0.0);
        assert_close(x[i], inside ? copysign(left, point[i]) : point[i], 1e-15, 0.0);
        assert_close(lossi_penalties_curvature(&list, LOSS_FLOAT32, N, i), inside ? 1.5 : 0.0, 0.0, 0.0);
    }
    lossi_penalties_destroy(&list, context);
    loss_context_free(context);
}

static void contradictions_are_refused(void **unused)
{
    loss_context *context = context_make();
    const double lower[] = {0.0, 1.0, 2.0};
    (void)unused;
    for (int k = 0; k < 6; k++) {
        static const char *const sentences[] = {"the bounds of parameter 0",
                                                "has 3 lower_bounds, but is about 7",
                                                "are about the same parameters",
                                                "the groups of the penalty 'group_lasso' have 3 parameters",
                                                "is about parameters 5 … 9, but there are 7",
                                                "a whole number is needed"};
        static const loss_status statuses[] = {LOSS_ERROR_RANGE, LOSS_ERROR_SHAPE, LOSS_ERROR_SUPPORT,
                                               LOSS_ERROR_SHAPE, LOSS_ERROR_SHAPE, LOSS_ERROR_RANGE};
        static const char *const names[] = {"box", "box", "group_lasso", "group_lasso", "l2", "group_lasso"};
        lossi_penalties list = {0};
        loss_penalty *penalty = NULL;
        const double sizes[] = {1.0, 2.0}, broken[] = {3.5, 3.5};
        assert_int_equal(loss_penalty_create(&penalty, context, names[k]), LOSS_OK);
        if (k == 0) {
            assert_int_equal(loss_penalty_set_double(penalty, "lower", 0.5), LOSS_OK);
            assert_int_equal(loss_penalty_set_double(penalty, "upper", 0.25), LOSS_OK);
        } else if (k == 1) {
            assert_int_equal(loss_penalty_set_array(penalty, "lower_bounds", lower, LOSS_FLOAT64, 3),
                             LOSS_OK);
        } else if (k == 2) {
            add(&list, context, "l1", "strength", 0.1);
        } else if (k == 4) {
            assert_int_equal(loss_penalty_set_int(penalty, "first", 5), LOSS_OK);
            assert_int_equal(loss_penalty_set_int(penalty, "count", 5), LOSS_OK);
        } else {
            assert_int_equal(
                loss_penalty_set_array(penalty, "group_sizes", k == 3 ? sizes : broken, LOSS_FLOAT64, 2),
                LOSS_OK);
        }
        assert_int_equal(lossi_penalties_append(&list, context, penalty), LOSS_OK);
        assert_status(context, lossi_penalties_check(&list, context, N, NULL), statuses[k]);
        assert_sentence(context, sentences[k]);
        loss_penalty_free(penalty);
        lossi_penalties_destroy(&list, context);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proximal_map_is_the_minimiser),
        cmocka_unit_test(values_are_those_of_the_definitions),
        cmocka_unit_test(the_last_group_has_what_is_left),
        cmocka_unit_test(columns_are_rows_of_the_transpose),
        cmocka_unit_test(projections_are_known),
        cmocka_unit_test(far_points_come_into_the_simplex),
        cmocka_unit_test(many_numbers_come_into_the_simplex),
        cmocka_unit_test(a_stretch_is_kept_to),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests_name("penalties", tests, NULL, NULL);
}
