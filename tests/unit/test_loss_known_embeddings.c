/*
 * Losses of pairs and triples of vectors where a length or a distance is 0: what a root with something added under it, or an
 * autodiff of it, gets wrong.
 */
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { LONGEST = 21, ROWS = 3 };

static known_outputs of_pair(const char *name, const char *options, loss_dtype dtype, int64_t rows,
                             int64_t columns, const double *first, const double *second, const double *target,
                             const char *of)
{
    const known_role roles[] = {{"first", rows, columns, first, 0},
                                {"second", rows, columns, second, 0},
                                {"target", rows, 1, target, 0},
                                {NULL, 0, 0, NULL, 0}};
    return evaluate_roles(name, options, dtype, roles, of, NULL, rows, 1);
}

static double generic(int64_t i)
{
    return (float)(2 * scatter(i) - 1);
}

/* ---- cosines ---- */

/*
 * The cosine with a vector of length 0 is 0, and so are its derivatives: PyTorch's 1e-12 under the root makes a gradient of 1e6
 * of it, and in half precision (lightly#1259) a division by 0. Rows beside it give what they give alone.
 */
static void check_zero(const char *options, loss_dtype dtype, int64_t columns, int which, const char *of,
                       double target, double expected)
{
    double vectors[2][ROWS * LONGEST] = {{0}}, targets[ROWS] = {1, target, 1};
    for (int64_t i = 0; i < ROWS * columns; i++) {
        vectors[0][i] = generic(i);
        vectors[1][i] = generic(i + 3000);
    }
    for (int64_t j = 0; j < columns; j++) { /* which: 1 the first, 2 the second, 3 both */
        vectors[0][columns + j] = which & 1 ? (j % 2 ? -0.0 : 0.0) : vectors[0][columns + j];
        vectors[1][columns + j] = which & 2 ? (j % 2 ? -0.0 : 0.0) : vectors[1][columns + j];
    }
    const known_outputs made = of_pair("cosine_embedding", options, dtype, ROWS, columns, vectors[0],
                                       vectors[1], targets, of);
    assert_status(context, made.status, LOSS_OK);
    assert_close(made.value[1], expected, 0, 0);
    for (int64_t j = 0; j < columns; j++) {
        assert_close(made.gradient[columns + j], 0, 0, 0);
        assert_close(made.curvature[columns + j], 0, 0, 0);
        assert_close(made.product[columns + j], 0, 0, 0);
    }
    for (int64_t i = 0; i < ROWS; i += 2) {
        const known_outputs alone = of_pair("cosine_embedding", options, dtype, 1, columns,
                                            vectors[0] + i * columns, vectors[1] + i * columns, targets, of);
        assert_true(same_bits(made.value[i], alone.value[0]));
        for (int64_t j = 0; j < columns; j++) {
            assert_true(same_bits(made.gradient[i * columns + j], alone.gradient[j]));
            assert_true(same_bits(made.curvature[i * columns + j], alone.curvature[j]));
            assert_true(same_bits(made.product[i * columns + j], alone.product[j]));
        }
    }
}

static void test_cosine_of_nothing(void **state)
{
    static const struct {
        const char *options;
        double target, expected;
    } cases[] = {
        {"", 1, 1},
        {"margin=0.25", 1, 1},
        {"", -1, 0},
        {"margin=0.25", -1, 0},
        {"margin=-0.75", -1, 0.75}, /* a cosine of 0 is above the margin */
        {"curvature=gauss_newton", 1, 1},
        {"curvature=gauss_newton;margin=-0.75", -1, 0.75},
    };
    static const int64_t widths[] = {1, 2, 7, 16, LONGEST};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
            for (int i = 0; i < 12; i++) {
                check_zero(cases[c].options, dtypes[i % 2], widths[w], i / 4 + 1,
                           i / 2 % 2 ? "first" : "second", cases[c].target, cases[c].expected);
            }
        }
    }
}

/* A short vector is none of length 0: lengths cancel, by powers of two to the bit, also where their squares are no double. */
static void test_cosine_has_no_length(void **state)
{
    static const int exponents[2][4] = {{-60, -110, 30, 60}, {-60, -900, 400, 900}};
    (void)state;
    for (int i = 0; i < 2 * 4 * 2; i++) {
        const int k = i % 2, exponent = exponents[k][i / 2 % 4];
        const double by = ldexp(1, exponent), target = i < 8 ? 1 : -1;
        double a[5], b[5], scaled[5];
        for (int j = 0; j < 5; j++) {
            a[j] = generic(i * 5 + j);
            b[j] = a[j] + 0.5 * generic(i * 5 + j + 700); /* near enough to be above the margin */
            scaled[j] = by * a[j];
        }
        const known_outputs here = of_pair("cosine_embedding", "", dtypes[k], 1, 5, a, b, &target, "first");
        const known_outputs there = of_pair("cosine_embedding", "", dtypes[k], 1, 5, scaled, b, &target,
                                            "first");
        assert_true(here.value[0] > 0);
        assert_true(same_bits(there.value[0], here.value[0]));
        for (int j = 0; j < 5; j++) {
            assert_true(here.gradient[j] != 0);
            assert_true(same_bits(by * there.gradient[j], here.gradient[j]));
        }
    }
}

/* An anchor of length 0 has a cosine of 0 with everything: all columns are as likely, and the gradients finite. */
static void test_contrast_of_nothing(void **state)
{
    static const char *const names[] = {"info_nce", "supervised_contrastive"};
    static const double s[] = {0, -0.0, 0, 0, 0}, label = 2;
    const known_role roles[] = {
        {"prediction", 1, 5, s, 0}, {"target", 1, 1, &label, 1}, {NULL, 0, 0, NULL, 0}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        const known_outputs made = evaluate_roles(names[i / 2], "temperature=0.125", dtypes[i % 2], roles,
                                                  "prediction", NULL, 1, 1);
        assert_close(made.value[0], log(5), 2 * tolerance[i % 2], 0);
        for (int j = 0; j < 5; j++) {
            assert_close(made.gradient[j], 8 * (0.2 - (j == 2)), 2 * tolerance[i % 2], 0);
            assert_close(made.curvature[j], 64 * 0.16, 4 * tolerance[i % 2], 0);
        }
    }
}

/* ---- distances ---- */

/*
 * tensorflow#30199: the root of a distance of 0 has no derivative, its smallest subgradient is 0. Nothing is added to a difference:
 * PyTorch's 1e-6 makes 1.4e-6 of the distance of two equal points and a gradient of 0.707.
 */
static void test_triplet_of_same(void **state)
{
    static const double a[] = {0.5, 0.25}, n[] = {1.25, 1.25}; /* 1.25 apart */
    static const struct {
        const double *negative;
        double value, anchor[2], at_negative[2];
    } cases[] = {{n, 0.75, {0.6, 0.8}, {-0.6, -0.8}}, {a, 2, {0, 0}, {0, 0}}};
    static const char *const names[] = {"anchor", "positive", "negative"};
    (void)state;
    for (int i = 0; i < 2 * 2 * 3; i++) {
        const int k = i % 2, c = i / 2 % 2, of = i / 4;
        const known_role roles[] = {{"anchor", 1, 2, a, 0},
                                    {"positive", 1, 2, a, 0},
                                    {"negative", 1, 2, cases[c].negative, 0},
                                    {NULL, 0, 0, NULL, 0}};
        const known_outputs made = evaluate_roles("triplet", "margin=2", dtypes[k], roles, names[of], NULL, 1,
                                                  1);
        const double none[2] = {0, 0}, *expected = of == 0   ? cases[c].anchor
                                                   : of == 1 ? none
                                                             : cases[c].at_negative;
        assert_close(made.value[0], cases[c].value, 0, 0);
        for (int j = 0; j < 2; j++) {
            assert_close(made.gradient[j], expected[j], tolerance[k], 0);
            assert_true(isfinite(made.curvature[j]) && isfinite(made.product[j]));
        }
    }
}

static void test_contrastive_of_same(void **state)
{
    static const double a[] = {0.5, -0.25, 3}, together = 1, apart = 0;
    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *of = i / 2 ? "first" : "second";
        const known_outputs near = of_pair("contrastive", "margin=1.5", dtypes[i % 2], 1, 3, a, a, &together,
                                           of);
        const known_outputs far = of_pair("contrastive", "margin=1.5", dtypes[i % 2], 1, 3, a, a, &apart, of);
        assert_close(near.value[0], 0, 0, 0);
        assert_close(far.value[0], 2.25, 0, 0);
        for (int j = 0; j < 3; j++) {
            assert_close(near.gradient[j], 0, 0, 0);
            assert_close(near.curvature[j], 2, 0, 0); /* of d², which has one everywhere */
            assert_close(far.gradient[j], 0, 0, 0);
            assert_true(isfinite(far.curvature[j]) && isfinite(far.product[j]));
        }
    }
}

/* ---- large and small vectors, other norms ---- */

static known_outputs of_triplet(const char *options, loss_dtype dtype, int64_t columns, const double *a,
                                const double *p, const double *n, const char *of)
{
    const known_role roles[] = {{"anchor", 1, columns, a, 0},
                                {"positive", 1, columns, p, 0},
                                {"negative", 1, columns, n, 0},
                                {NULL, 0, 0, NULL, 0}};
    return evaluate_roles("triplet", options, dtype, roles, of, NULL, 1, 1);
}

/* Squares of coordinates leave the numbers from 1e154 on, and below 1e-154, where distances do not. */
static void test_distances_of_any_size(void **state)
{
    static const int exponents[2][4] = {{60, 120, -60, -120}, {531, 1020, -531, -1000}};
    static const char *const norms[] = {"margin=0", "margin=0;p=3", "margin=0;p=1", "margin=0;p=1.5"};
    static const char *const outputs[] = {"anchor", "positive", "negative"};
    (void)state;
    for (int i = 0; i < 2 * 4 * 4 * 3; i++) {
        const int k = i % 2, exponent = exponents[k][i / 2 % 4];
        const char *options = norms[i / 8 % 4], *of = outputs[i / 32];
        const double by = ldexp(1, exponent);
        double at[3][3], scaled[3][3];
        for (int j = 0; j < 9; j++) { /* the positive is the farther one */
            at[j / 3][j % 3] = (j / 3 == 1 ? 1 : 0.25) * (float)(scatter(j) - 0.5);
            scaled[j / 3][j % 3] = by * at[j / 3][j % 3];
        }
        const known_outputs here = of_triplet(options, dtypes[k], 3, at[0], at[1], at[2], of);
        const known_outputs there = of_triplet(options, dtypes[k], 3, scaled[0], scaled[1], scaled[2], of);
        assert_true(here.value[0] > 0);
        assert_true(same_bits(there.value[0], by * here.value[0]));
        for (int j = 0; j < 3; j++) {
            assert_true(here.gradient[j] != 0 || i / 8 % 4 == 2); /* signs of p = 1 may cancel */
            assert_close(there.gradient[j], here.gradient[j], tolerance[k], 0);
            assert_close(by * there.curvature[j], here.curvature[j], 4 * tolerance[k], tolerance[k]);
        }
    }
}

/* A square of 1e320 is no number, but the difference of two of them has a sign: nothing is lost to infinity minus infinity. */
static void test_squares_beyond_numbers(void **state)
{
    static const double a[] = {0, 0}, near[] = {3e160, 0}, far[] = {0, 4e160};
    const char *options = "distance=squared";
    (void)state;
    const known_outputs won = of_triplet(options, LOSS_FLOAT64, 2, a, near, far, "positive");
    const known_outputs lost = of_triplet(options, LOSS_FLOAT64, 2, a, far, near, "positive");
    assert_close(won.value[0], 0, 0, 0);
    assert_close(won.gradient[0], 0, 0, 0);
    assert_close(lost.value[0], (double)INFINITY, 0, 0);
    assert_close(lost.gradient[1], 8e160, tolerance[1], 0);
    const double apart = 0, together = 1;
    const known_outputs away = of_pair("contrastive", "", LOSS_FLOAT64, 1, 2, near, far, &apart, "first");
    assert_close(away.value[0], 0, 0, 0);
    assert_close(away.gradient[0], 0, 0, 0);
    const known_outputs attracted = of_pair("contrastive", "", LOSS_FLOAT64, 1, 2, near, far, &together,
                                            "first");
    assert_close(attracted.value[0], (double)INFINITY, 0, 0);
    assert_close(attracted.gradient[0], 6e160, tolerance[1], 0);
}

/* Numbers of torch.nn.TripletMarginLoss by hand, and what other norms do where coordinates agree. */
static void test_triplet_norms(void **state)
{
    static const double a[] = {1, 2}, p[] = {1, 4.5}, n[] = {0.5, 2};
    static const struct {
        const char *options;
        double value, anchor[2];
    } cases[] = {
        {"p=1", 2.5 - 0.5 + 1, {-1, -1}},
        {"p=3;margin=0.25", 2.25, {-1, -1}},
        {"p=500", 3, {-1, -1}},
        {"epsilon=0.5;p=1", 2.5 - 1.5 + 1, {1 - 1, -1 - 1}},
        {"epsilon=1.5", 0.30277563773199464, {0.03205029433784372, -1.15470019622522915}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        const known_outputs made = of_triplet(cases[i / 2].options, dtypes[i % 2], 2, a, p, n, "anchor");
        assert_close(made.value[0], cases[i / 2].value, tolerance[i % 2], 0);
        for (int j = 0; j < 2; j++) {
            assert_close(made.gradient[j], cases[i / 2].anchor[j], tolerance[i % 2], tolerance[i % 2]);
        }
    }
    /* between 1 and 2 a norm bends without bound where a coordinate is 0, and its slope is 0 there */
    const known_outputs bent = of_triplet("p=1.5", LOSS_FLOAT64, 2, a, p, n, "positive");
    assert_close(bent.gradient[0], 0, 0, 0);
    assert_close(bent.curvature[0], (double)INFINITY, 0, 0);
    assert_close(bent.gradient[1], 1, tolerance[1], 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cosine_of_nothing),      cmocka_unit_test(test_cosine_has_no_length),
        cmocka_unit_test(test_contrast_of_nothing),    cmocka_unit_test(test_triplet_of_same),
        cmocka_unit_test(test_contrastive_of_same),    cmocka_unit_test(test_distances_of_any_size),
        cmocka_unit_test(test_squares_beyond_numbers), cmocka_unit_test(test_triplet_norms),
    };
    return cmocka_run_group_tests_name("loss_known_embeddings", tests, known_setup, known_teardown);
}
