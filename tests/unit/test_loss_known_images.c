/*
 * Losses of maps, boxes and sequences: known numbers, identities, and mistakes that other libraries made and this one must not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

enum { PIXELS = 6, CORNERS = 4, TYPES = 2 };

static void assert_zero(const double *x, int count)
{
    for (int j = 0; j < count; j++) {
        assert_close(x[j], 0, 0, 0);
    }
}

/* Row i of generic probabilities, and of generic targets, hard in every other row. */
static void generic_maps(int i, double *p, double *t)
{
    for (int j = 0; j < PIXELS; j++) {
        p[j] = 0.05 + 0.9 * scatter(PIXELS * i + j);
        t[j] = scatter(PIXELS * i + j + 1000);
        t[j] = i % 2 == 0 ? (t[j] > 0.5) : t[j];
    }
}

/* H of a row, from products with unit vectors. */
static void matrix_of(const char *name, const char *options, int columns, const double *prediction,
                      const double *target, double *matrix)
{
    for (int k = 0; k < columns; k++) {
        double unit[MOST] = {0};
        unit[k] = 1;
        const row r = evaluate_row(name, options, LOSS_FLOAT64, columns, prediction, target, 0, unit);
        for (int j = 0; j < columns; j++) {
            matrix[j * columns + k] = r.product[j];
        }
        assert_close(r.product[k], r.curvature[k], 1e-11, 1e-11);
    }
}

/* The Hessian is symmetric and its diagonal the curvature; Gauss–Newton bends no direction down, and each at least as much. */
static void check_second(const char *name, const char *options, int columns, const double *prediction,
                         const double *target)
{
    double exact[MOST * MOST], positive[MOST * MOST], direction[MOST];
    char with[128];
    snprintf(with, sizeof with, "%s%scurvature=gauss_newton", options, options[0] != '\0' ? ";" : "");
    matrix_of(name, options, columns, prediction, target, exact);
    matrix_of(name, with, columns, prediction, target, positive);
    for (int n = 0; n < 40; n++) {
        double bend = 0, up = 0, size = 0;
        for (int j = 0; j < columns; j++) {
            direction[j] = 2 * scatter(columns * n + j + 77) - 1;
        }
        for (int j = 0; j < columns; j++) {
            for (int k = 0; k < columns; k++) {
                bend += direction[j] * exact[j * columns + k] * direction[k];
                up += direction[j] * positive[j * columns + k] * direction[k];
                size += fabs(exact[j * columns + k]) + fabs(positive[j * columns + k]);
                assert_close(exact[j * columns + k], exact[k * columns + j], 1e-11, 1e-11);
            }
        }
        assert_true(up >= -1e-12 * size);
        if (strstr(name, "union") == NULL) { /* of boxes it leaves out terms of both signs */
            assert_true(up >= bend - 1e-12 * size);
        }
    }
}

/* ---- maps ---- */

/* MONAI#807, mmocr#408: an empty foreground is a perfect prediction of it, and no NaN. */
static void test_empty_maps(void **state)
{
    static const double empty[PIXELS] = {0}, some[PIXELS] = {0.25, 0, 0.5, 0.125, 0, 0};
    static const char *const names[] = {"soft_dice", "tversky"};
    static const char *const bare = "smooth_numerator=0;smooth_denominator=0";
    (void)state;
    for (int n = 0; n < 2; n++) {
        for (int d = 0; d < TYPES; d++) {
            row r = evaluate_row(names[n], bare, dtypes[d], PIXELS, empty, empty, 0, NULL);
            assert_close(r.value, 0, 0, 0);
            assert_zero(r.gradient, PIXELS);
            assert_zero(r.curvature, PIXELS);
            assert_zero(r.product, PIXELS);
            r = evaluate_row(names[n], bare, dtypes[d], PIXELS, some, empty, 0, NULL);
            assert_close(r.value, 1, 0, 0);
            assert_zero(r.gradient, PIXELS);
            /* smoothed, wrong foreground is pushed down: 1 − n/(Σ p + n), of Tversky with half of Σ p */
            r = evaluate_row(names[n], "", dtypes[d], PIXELS, some, empty, 0, NULL);
            const double part = n == 0 ? 1 : 0.5, sum = part * 0.875 + 1e-5;
            assert_close(r.value, 1 - 1e-5 / sum, tolerance[d], 0);
            for (int j = 0; j < PIXELS; j++) {
                assert_close(r.gradient[j], part * 1e-5 / (sum * sum), 8 * tolerance[d], 0);
            }
        }
    }
}

/* Keras adds to the denominator alone, optax 1 to both: two empty maps are then quite different things. */
static void test_smoothing_is_separate(void **state)
{
    static const double empty[PIXELS] = {0}, p[2] = {0.75, 0.5}, t[2] = {1, 0};
    static const char *const keras = "smooth_numerator=0;smooth_denominator=1e-7";
    static const char *const optax = "smooth_numerator=1;smooth_denominator=1";
    (void)state;
    assert_close(evaluate_row("soft_dice", keras, LOSS_FLOAT64, PIXELS, empty, empty, 0, NULL).value, 1, 0,
                 0);
    assert_close(evaluate_row("soft_dice", optax, LOSS_FLOAT64, PIXELS, empty, empty, 0, NULL).value, 0, 0,
                 0);
    assert_close(evaluate_row("soft_dice", keras, LOSS_FLOAT64, 2, p, t, 0, NULL).value, 1 - 1.5 / 2.2500001,
                 1e-15, 0);
    assert_close(evaluate_row("soft_dice", optax, LOSS_FLOAT64, 2, p, t, 0, NULL).value, 1 - 2.5 / 3.25,
                 1e-15, 0);
    assert_close(evaluate_row("soft_dice", "denominator=squares;smooth_numerator=0;smooth_denominator=0",
                              LOSS_FLOAT64, 2, p, t, 0, NULL)
                     .value,
                 1 - 1.5 / (0.5625 + 0.25 + 1), 1e-15, 0);
}

/* A row is what is summed over: a map each, or all of a batch in one. */
static void test_sample_and_batch(void **state)
{
    static const double p[4] = {1, 1, 0, 1}, t[4] = {1, 1, 1, 0};
    static const char *const bare = "smooth_numerator=0;smooth_denominator=0";
    (void)state;
    assert_close(cost_of("soft_dice", bare, LOSS_FLOAT64, 2, 2, p, NULL, t), 0.5, 1e-15, 0);
    assert_close(cost_of("soft_dice", bare, LOSS_FLOAT64, 1, 4, p, NULL, t), 1 - 4.0 / 6, 1e-15, 0);
}

/* Tversky is Dice at one half, Jaccard at one, and focal Tversky a power of itself. */
static void test_tversky_is_dice_and_jaccard(void **state)
{
    static const double direction[MOST] = {0.5, -1.25, 2, 0.75, -0.375, 1};
    (void)state;
    for (int i = 0; i < 40; i++) {
        double p[PIXELS], t[PIXELS];
        generic_maps(i, p, t);
        const row dice = evaluate_row("soft_dice", "smooth_numerator=0.5;smooth_denominator=1.5",
                                      LOSS_FLOAT64, PIXELS, p, t, 0, direction);
        const row half = evaluate_row("tversky", "smooth_numerator=0.25;smooth_denominator=0.75",
                                      LOSS_FLOAT64, PIXELS, p, t, 0, direction);
        assert_close(dice.value, half.value, 1e-15, 0);
        for (int j = 0; j < PIXELS; j++) {
            assert_close(dice.gradient[j], half.gradient[j], 1e-15, 0);
            assert_close(dice.curvature[j], half.curvature[j], 1e-15, 0);
            assert_close(dice.product[j], half.product[j], 1e-15, 0);
        }
        const double plain = evaluate_row("soft_dice", "smooth_numerator=0;smooth_denominator=0",
                                          LOSS_FLOAT64, PIXELS, p, t, 0, NULL)
                                 .value;
        const double jaccard = evaluate_row("tversky",
                                            "alpha=1;beta=1;smooth_numerator=0;smooth_denominator=0",
                                            LOSS_FLOAT64, PIXELS, p, t, 0, NULL)
                                   .value;
        assert_close(1 - jaccard, (1 - plain) / (1 + plain), 1e-14, 0);
        const row focal = evaluate_row("tversky", "alpha=0.3;beta=0.7;exponent=0.75", LOSS_FLOAT64, PIXELS, p,
                                       t, 0, NULL);
        const row whole = evaluate_row("tversky", "alpha=0.3;beta=0.7", LOSS_FLOAT64, PIXELS, p, t, 0, NULL);
        assert_close(focal.value, pow(whole.value, 0.75), 1e-14, 0);
        assert_close(focal.gradient[0], 0.75 * pow(whole.value, -0.25) * whole.gradient[0], 1e-13, 0);
    }
}

static void test_maps_second(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        double p[PIXELS], t[PIXELS];
        generic_maps(i, p, t);
        check_second("soft_dice", "", PIXELS, p, t);
        check_second("soft_dice", "denominator=squares", PIXELS, p, t);
        check_second("tversky", "alpha=0.25;beta=0.75;exponent=0.75", PIXELS, p, t);
        check_second("tversky", "alpha=2;beta=0.5;exponent=3", PIXELS, p, t);
    }
}

/* ---- boxes ---- */

static const char *const boxes[] = {"intersection_over_union", "generalized_intersection_over_union",
                                    "distance_intersection_over_union", "complete_intersection_over_union"};

enum { BOXES = sizeof boxes / sizeof *boxes };

static row box_row(int k, loss_dtype dtype, const double *prediction, const double *target)
{
    return evaluate_row(boxes[k], "", dtype, CORNERS, prediction, target, 0, NULL);
}

/* vision#7746: a box is no different from itself, though it be a line or a point. */
static void test_same_boxes(void **state)
{
    static const double same[][CORNERS] = {{0.5, -1, 2, 3}, {0.1, 0.2, 0.1, 0.7}, {3, 3, 8, 3},
                                           {2, 2, 2, 2},    {0, 0, 0, 0},         {-1e8, 5, 2e8, 7}};
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
            for (int d = 0; d < TYPES; d++) {
                const row r = box_row(k, dtypes[d], same[i], same[i]);
                assert_close(r.value, 0, 0, 0);
                assert_zero(r.gradient, CORNERS);
                for (int j = 0; j < CORNERS; j++) {
                    assert_false(isnan(r.curvature[j]) || isnan(r.product[j]));
                }
            }
        }
    }
}

/* I = 1, U = 7, C = 9, centres √2 apart in a hull of diagonal √18; then boxes of turned shapes. */
static void test_known_boxes(void **state)
{
    static const double a[CORNERS] = {0, 0, 2, 2}, b[CORNERS] = {1, 1, 3, 3}, flat[CORNERS] = {0, 0, 2, 1},
                        tall[CORNERS] = {0, 0, 1, 2};
    const double pi = 3.141592653589793, turn = atan(2) - atan(0.5), v = 4 / (pi * pi) * turn * turn;
    const double square[BOXES] = {6.0 / 7, 6.0 / 7 + 2.0 / 9, 6.0 / 7 + 1.0 / 9, 6.0 / 7 + 1.0 / 9};
    const double turned[BOXES] = {2.0 / 3, 2.0 / 3 + 1.0 / 4, 2.0 / 3 + 0.5 / 8,
                                  2.0 / 3 + 0.5 / 8 + v * v / (2.0 / 3 + v)};
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (int d = 0; d < TYPES; d++) {
            assert_close(box_row(k, dtypes[d], a, b).value, square[k], tolerance[d], 0);
            assert_close(box_row(k, dtypes[d], flat, tall).value, turned[k], tolerance[d], 0);
            assert_close(box_row(k, dtypes[d], tall, flat).value, turned[k], tolerance[d], 0);
        }
    }
}

/* Boxes apart: no slope from the intersection, but the hull and the centres draw them together. */
static void test_boxes_apart(void **state)
{
    static const double left[CORNERS] = {0, 0, 1, 1}, right[CORNERS] = {3, 0, 4, 1};
    (void)state;
    const row plain = box_row(0, LOSS_FLOAT64, left, right);
    assert_close(plain.value, 1, 0, 0);
    assert_zero(plain.gradient, CORNERS);
    const row hull = box_row(1, LOSS_FLOAT64, left, right);
    assert_close(hull.value, 1 + 2.0 / 4, 1e-15, 0);
    assert_close(hull.gradient[2], -0.25, 1e-15, 0); /* wider: U grows, the hull does not */
    const row centres = box_row(2, LOSS_FLOAT64, left, right);
    assert_close(centres.value, 1 + 9.0 / 17, 1e-15, 0);
    assert_close(centres.gradient[2], -3.0 / 17, 1e-15, 0);
    assert_close(centres.gradient[0], (-3 + 8 * 9.0 / 17) / 17, 1e-14,
                 0); /* a shorter hull, at the cost of c² */
}

/* DIoU-pytorch-detectron#19, #3: boxes without height, points, and a box over a point have numbers. */
static void test_boxes_without_area(void **state)
{
    static const double target[CORNERS] = {0, 0, 4, 2}, line[CORNERS] = {1, 1, 3, 1},
                        upright[CORNERS] = {1, 0, 1, 2}, point[CORNERS] = {1, 1, 1, 1},
                        other[CORNERS] = {3, 1, 3, 1};
    const double *const thin[] = {line, upright, point};
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (int i = 0; i < 3; i++) {
            for (int side = 0; side < 2; side++) {
                const row r = side == 0 ? box_row(k, LOSS_FLOAT64, thin[i], target)
                                        : box_row(k, LOSS_FLOAT64, target, thin[i]);
                assert_true(r.value >= 1 && r.value <= 2.5);
                for (int j = 0; j < CORNERS; j++) {
                    assert_true(isfinite(r.gradient[j]) && isfinite(r.curvature[j]) &&
                                isfinite(r.product[j]));
                }
            }
        }
        assert_close(box_row(k, LOSS_FLOAT64, point, other).value, k < 2 ? 1 : 2, 1e-15, 0);
    }
    /* a point has no shape: nothing is added for it */
    assert_close(box_row(3, LOSS_FLOAT64, point, target).value, box_row(2, LOSS_FLOAT64, point, target).value,
                 0, 0);
    assert_true(box_row(3, LOSS_FLOAT64, line, target).value > box_row(2, LOSS_FLOAT64, line, target).value);
}

/* vision#5322, and corners in the wrong order: NaN in that row, where others assert or go on with a negative area. */
static void test_no_boxes(void **state)
{
    static const double good[CORNERS] = {0, 0, 4, 2};
    static const double bad[][CORNERS] = {
        {3, 0, 1, 2}, {0, 2, 1, 1}, {0, (double)NAN, 1, 1}, {0, 0, (double)INFINITY, 1}};
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (int d = 0; d < TYPES; d++) {
            for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                const row r = box_row(k, dtypes[d], bad[i], good), s = box_row(k, dtypes[d], good, bad[i]);
                assert_true(isnan(r.value) && isnan(s.value));
                for (int j = 0; j < CORNERS; j++) {
                    assert_true(isnan(r.gradient[j]) && isnan(r.curvature[j]) && isnan(r.product[j]));
                    assert_true(isnan(s.gradient[j]));
                }
            }
        }
    }
}

/* A loss of boxes has no unit: 2ⁿ times as large they have the same loss and 2⁻ⁿ of the slope, also where areas overflow. */
static void test_boxes_have_no_unit(void **state)
{
    static const double a[CORNERS] = {0.25, 0.5, 2, 3}, b[CORNERS] = {-1, 1, 1.75, 4.5};
    static const int powers[TYPES][4] = {{-60, -3, 5, 100}, {-400, -3, 5, 900}};
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (int d = 0; d < TYPES; d++) {
            const row r = box_row(k, dtypes[d], a, b);
            for (int n = 0; n < 4; n++) {
                double scaled[2][CORNERS];
                for (int j = 0; j < CORNERS; j++) {
                    scaled[0][j] = ldexp(a[j], powers[d][n]);
                    scaled[1][j] = ldexp(b[j], powers[d][n]);
                }
                const row s = box_row(k, dtypes[d], scaled[0], scaled[1]);
                assert_close(s.value, r.value, 0, 0);
                for (int j = 0; j < CORNERS; j++) {
                    assert_close(s.gradient[j], ldexp(r.gradient[j], -powers[d][n]), 0, 0);
                }
            }
        }
    }
}

/* Where edges meet the slope is the smallest there is: 0 for an edge on the target's, that from outside where boxes touch. */
static void test_boxes_at_kinks(void **state)
{
    static const double a[CORNERS] = {1, 0.5, 3, 2}, within[CORNERS] = {0, 0, 3, 4},
                        beside[CORNERS] = {3, 0, 5, 4};
    (void)state;
    const row edge = box_row(0, LOSS_FLOAT64, a, within);
    assert_close(edge.gradient[2], 0, 0, 0);
    assert_true(edge.gradient[0] > 0 && edge.gradient[1] > 0 && edge.gradient[3] < 0);
    assert_zero(box_row(0, LOSS_FLOAT64, a, beside).gradient, CORNERS);
    /* a = 3 of the hull of 16, and h = 1.5 */
    assert_close(box_row(1, LOSS_FLOAT64, a, beside).gradient[2], -1.5 / 16, 1e-15, 0);
}

/* The trade-off of the complete loss is part of it: the gradient is what differences of the loss show. */
static void test_complete_is_one_function(void **state)
{
    static const double a[CORNERS] = {0.25, 0.5, 2, 1.25}, b[CORNERS] = {0, 0, 1.5, 3};
    static const double step = 1e-6;
    (void)state;
    const row r = box_row(3, LOSS_FLOAT64, a, b);
    for (int j = 0; j < CORNERS; j++) {
        double there[2][CORNERS];
        memcpy(there[0], a, sizeof a);
        memcpy(there[1], a, sizeof a);
        there[0][j] -= step;
        there[1][j] += step;
        const double slope = (box_row(3, LOSS_FLOAT64, there[1], b).value -
                              box_row(3, LOSS_FLOAT64, there[0], b).value) /
                             (2 * step);
        assert_close(r.gradient[j], slope, 1e-8, 1e-9);
    }
}

static void test_boxes_second(void **state)
{
    (void)state;
    for (int k = 0; k < BOXES; k++) {
        for (int i = 0; i < 20; i++) {
            double box[2][CORNERS];
            for (int n = 0; n < 2; n++) {
                for (int axis = 0; axis < 2; axis++) {
                    box[n][axis] = 2 * scatter(8 * i + 4 * n + axis);
                    box[n][axis + 2] = box[n][axis] + 0.25 + 2 * scatter(8 * i + 4 * n + axis + 2);
                }
            }
            check_second(boxes[k], "", CORNERS, box[0], box[1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_maps),
        cmocka_unit_test(test_smoothing_is_separate),
        cmocka_unit_test(test_sample_and_batch),
        cmocka_unit_test(test_tversky_is_dice_and_jaccard),
        cmocka_unit_test(test_maps_second),
        cmocka_unit_test(test_same_boxes),
        cmocka_unit_test(test_known_boxes),
        cmocka_unit_test(test_boxes_apart),
        cmocka_unit_test(test_boxes_without_area),
        cmocka_unit_test(test_no_boxes),
        cmocka_unit_test(test_boxes_have_no_unit),
        cmocka_unit_test(test_boxes_at_kinks),
        cmocka_unit_test(test_complete_is_one_function),
        cmocka_unit_test(test_boxes_second),
    };
    return cmocka_run_group_tests_name("known images", tests, known_setup, known_teardown);
}
