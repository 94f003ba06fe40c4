/*
 * Losses of sequences: known numbers, identities, and mistakes that other libraries made and this one must not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

enum { OUTPUTS = 3, TYPES = 2 };

/* A call of sequences, in float64 here and in the element type there. */
typedef struct call {
    int64_t frames, classes, labels, sequences;
    double *logits, *direction, *output[OUTPUTS]; /* gradient, curvature, product */
    int64_t *label, *offsets, *label_offsets;
    const double *weight; /* of sequences; NULL: none */
    const uint8_t *mask;  /* of frames; NULL: none */
    double value[4], sum, denominator;
} call;

static void *zeros(int64_t count)
{
    void *made = calloc(count > 0 ? (size_t)count : 1, 8);
    assert_non_null(made);
    return made;
}

/* Sequences of these many frames and labels each; logits, labels and directions are the caller's to fill in. */
static call call_create(int64_t classes, int64_t sequences, const int64_t *frames, const int64_t *labels)
{
    call made = {.classes = classes, .sequences = sequences};
    made.offsets = zeros(sequences + 1);
    made.label_offsets = zeros(sequences + 1);
    for (int64_t g = 0; g < sequences; g++) {
        made.offsets[g + 1] = made.frames += frames[g];
        made.label_offsets[g + 1] = made.labels += labels[g];
    }
    made.logits = zeros(made.frames * classes);
    made.direction = zeros(made.frames * classes);
    made.label = zeros(made.labels);
    for (int k = 0; k < OUTPUTS; k++) {
        made.output[k] = zeros(made.frames * classes);
    }
    return made;
}

static void call_free(call *made)
{
    free(made->logits);
    free(made->direction);
    free(made->label);
    free(made->offsets);
    free(made->label_offsets);
    for (int k = 0; k < OUTPUTS; k++) {
        free(made->output[k]);
    }
}

static void fill_generic(call *made, double size)
{
    for (int64_t i = 0; i < made->frames * made->classes; i++) {
        made->logits[i] = size * (2 * scatter(i) - 1);
        made->direction[i] = 2 * scatter(3 * i + 500) - 1;
    }
    for (int64_t i = 0; i < made->labels; i++) {
        made->label[i] = 1 + (int64_t)(scatter(7 * i + 11) * (double)(made->classes - 1));
    }
}

static loss_status try_call(const char *options, loss_dtype dtype, call *made)
{
    static const char *const names[OUTPUTS] = {"gradient", "curvature", "product"};
    loss_function *function = make_function("ctc", options);
    loss_data *inputs, *outputs;
    const int64_t numbers = made->frames * made->classes;
    void *logits = zeros(numbers), *direction = zeros(numbers), *weight = zeros(made->sequences),
         *value = zeros(made->sequences), *output[OUTPUTS];
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    for (int64_t i = 0; i < numbers; i++) {
        set_element(logits, dtype, i, made->logits[i]);
        set_element(direction, dtype, i, made->direction[i]);
    }
    for (int64_t g = 0; g < made->sequences && made->weight != NULL; g++) {
        set_element(weight, dtype, g, made->weight[g]);
    }
    loss_data_set_input(inputs, "prediction", logits, dtype, made->frames, made->classes, made->classes, 1);
    loss_data_set_input(inputs, "direction", direction, dtype, made->frames, made->classes, made->classes, 1);
    loss_data_set_input(inputs, "target", made->label, LOSS_INT64, made->labels, 1, 1, 1);
    loss_data_set_input(inputs, "offsets", made->offsets, LOSS_INT64, made->sequences + 1, 1, 1, 1);
    loss_data_set_input(inputs, "target_offsets", made->label_offsets, LOSS_INT64, made->sequences + 1, 1, 1,
                        1);
    if (made->weight != NULL) {
        loss_data_set_input(inputs, "weight", weight, dtype, made->sequences, 1, 1, 1);
    }
    if (made->mask != NULL) {
        loss_data_set_input(inputs, "mask", made->mask, LOSS_UINT8, made->frames, 1, 1, 1);
    }
    loss_data_set_output(outputs, "value", value, dtype, made->sequences, 1, 1, 1);
    for (int k = 0; k < OUTPUTS; k++) {
        output[k] = zeros(numbers);
        loss_data_set_output(outputs, names[k], output[k], dtype, made->frames, made->classes, made->classes,
                             1);
    }
    const loss_status status = loss_function_evaluate(context, function, inputs, outputs, &made->sum,
                                                      &made->denominator);
    for (int64_t g = 0; g < made->sequences && g < 4; g++) {
        made->value[g] = element(value, dtype, g);
    }
    for (int k = 0; k < OUTPUTS; k++) {
        for (int64_t i = 0; i < numbers; i++) {
            made->output[k][i] = element(output[k], dtype, i);
        }
        free(output[k]);
    }
    free(logits);
    free(direction);
    free(weight);
    free(value);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return status;
}

static void evaluate(const char *options, loss_dtype dtype, call *made)
{
    assert_status(context, try_call(options, dtype, made), LOSS_OK);
}

/* ---- known numbers ---- */

/* Four frames of four equally likely classes: 2.8371 for two labels, 3.2426 for one; PyTorch's mean divides by the labels. */
static void test_uniform(void **state)
{
    static const int64_t frames[] = {4, 4}, labels[] = {2, 1};
    static const double by_length[] = {0.5, 1};
    (void)state;
    for (int d = 0; d < TYPES; d++) {
        call c = call_create(4, 2, frames, labels);
        c.label[0] = 1;
        c.label[1] = 2;
        c.label[2] = 1;
        evaluate("", dtypes[d], &c);
        assert_close(c.value[0], log(256.0 / 15) / 2, tolerance[d], 0);
        assert_close(c.denominator, 2, 0, 0);
        assert_close(c.sum / c.denominator, (log(256.0 / 15) / 2 + log(256.0 / 10)) / 2, tolerance[d], 0);
        assert_close(c.sum / c.denominator, 2.3306, 0, 5e-5);
        evaluate("normalization=none", dtypes[d], &c);
        assert_close(c.value[0], log(256.0 / 15), tolerance[d], 0);
        assert_close(c.value[1], log(256.0 / 10), tolerance[d], 0);
        assert_close(c.value[0], 2.8371, 0, 5e-5);
        assert_close(c.value[1], 3.2426, 0, 5e-5);
        assert_close(c.denominator, 3, 0, 0);
        c.weight = by_length; /* the same mean by weights */
        evaluate("normalization=none", dtypes[d], &c);
        assert_close(c.sum / c.denominator, 2.3306, 0, 5e-5);
        call_free(&c);
    }
}

/* pytorch#18215: without labels every frame is blank. */
static void test_no_labels(void **state)
{
    static const int64_t frames[] = {3}, labels[] = {0};
    (void)state;
    call c = call_create(4, 1, frames, labels);
    double expected = 0;
    fill_generic(&c, 2);
    evaluate("", LOSS_FLOAT64, &c);
    for (int t = 0; t < 3; t++) {
        double all = 0;
        for (int k = 0; k < 4; k++) {
            all += exp(c.logits[4 * t + k]);
        }
        expected += log(all) - c.logits[4 * t];
        assert_close(c.output[0][4 * t], exp(c.logits[4 * t]) / all - 1, 1e-14, 0);
        assert_close(c.output[0][4 * t + 1], exp(c.logits[4 * t + 1]) / all, 1e-14, 0);
    }
    assert_close(c.value[0], expected, 1e-14, 0);
    assert_close(c.denominator, 1, 0, 0);
    call_free(&c);
}

/* One frame with one label is cross-entropy, in all that there is. */
static void test_one_frame(void **state)
{
    static const int64_t one[] = {1};
    (void)state;
    for (int64_t k = 1; k < 5; k++) {
        call c = call_create(5, 1, one, one);
        fill_generic(&c, 4);
        c.label[0] = k;
        evaluate("", LOSS_FLOAT64, &c);
        const row r = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 5, c.logits, NULL, k, c.direction);
        assert_close(c.value[0], r.value, 1e-15, 0);
        for (int j = 0; j < 5; j++) {
            assert_close(c.output[0][j], r.gradient[j], 1e-15, 1e-16);
            assert_close(c.output[1][j], r.curvature[j], 1e-15, 1e-16);
            assert_close(c.output[2][j], r.product[j], 1e-15, 1e-16);
        }
        call_free(&c);
    }
}

/* ---- what cannot be ---- */

static void check_impossible(call *c, const char *options, double value)
{
    for (int d = 0; d < TYPES; d++) {
        evaluate(options, dtypes[d], c);
        assert_close(c->value[0], value, 0, 0);
        for (int64_t i = 0; i < c->frames * c->classes; i++) {
            for (int k = 0; k < OUTPUTS; k++) {
                assert_close(c->output[k][i], 0, 0, 0);
            }
        }
    }
}

/* pytorch#14335, #21680: labels that need more frames than there are: infinity and no gradient, not NaN, nor 1e5. */
static void test_impossible(void **state)
{
    static const int64_t two[] = {2}, three[] = {3};
    (void)state;
    call repeated = call_create(4, 1, two, two), many = call_create(4, 1, two, three);
    fill_generic(&repeated, 2);
    repeated.label[0] = repeated.label[1] = 3; /* needs a blank between */
    fill_generic(&many, 2);
    call *const all[] = {&repeated, &many};
    for (int i = 0; i < 2; i++) {
        check_impossible(all[i], "", (double)INFINITY);
        check_impossible(all[i], "zero_infinity=1", 0);
        assert_true(all[i]->denominator > 0);
        call_free(all[i]);
    }
}

/* Improbable is not impossible: a label 5000 below the others has its loss, though its probability is no number. */
static void test_improbable(void **state)
{
    static const int64_t frames[] = {40}, labels[] = {20};
    (void)state;
    for (int d = 0; d < TYPES; d++) {
        call c = call_create(3, 1, frames, labels);
        for (int64_t i = 0; i < 40; i++) {
            c.logits[3 * i + 1] = -5000;
            c.logits[3 * i + 2] = -4000;
        }
        for (int64_t i = 0; i < 20; i++) {
            c.label[i] = 1; /* a blank between any two: of 40 frames one is free */
        }
        evaluate("normalization=none", dtypes[d], &c);
        /* 20 frames of label and 19 blanks between; the last blank goes to one of 21 places */
        assert_close(c.value[0], 100000 - log(21), d == 0 ? 2e-7 : 1e-15, 0);
        call_free(&c);
    }
}

static void test_errors(void **state)
{
    static const int64_t frames[] = {4, 4}, labels[] = {2, 1};
    (void)state;
    call c = call_create(4, 2, frames, labels);
    fill_generic(&c, 1);
    assert_status(context, try_call("blank=4", LOSS_FLOAT64, &c), LOSS_ERROR_SHAPE);
    assert_sentence(context, "blank 4");
    assert_sentence(context, "4 columns");
    c.label[2] = 4;
    assert_status(context, try_call("", LOSS_FLOAT64, &c), LOSS_ERROR_LABEL);
    assert_sentence(context, "row 2 is 4");
    c.label[2] = 1;
    c.label[0] = 2;
    c.label[1] = 0; /* no path collapses to a blank */
    assert_status(context, try_call("zero_infinity=1", LOSS_FLOAT32, &c), LOSS_ERROR_LABEL);
    assert_sentence(context, "row 1 is 0, the blank; another of 0 … 3 was expected");
    assert_int_equal(loss_context_error_row(context), 1);
    assert_status(context, try_call("blank=1", LOSS_FLOAT64, &c), LOSS_ERROR_LABEL);
    c.label[1] = 3;
    assert_status(context, try_call("blank=-1", LOSS_FLOAT64, &c), LOSS_ERROR_LABEL);
    assert_sentence(context, "row 1 is 3, the blank");
    assert_status(context, try_call("", LOSS_FLOAT64, &c), LOSS_OK);
    c.label_offsets[1] = 5;
    assert_status(context, try_call("", LOSS_FLOAT64, &c), LOSS_ERROR_DOMAIN);
    assert_sentence(context, "target_offsets");
    call_free(&c);
}

/* ---- identities ---- */

/* Moving all logits of a frame changes nothing: gradients and products of a frame add up to 0. The Hessian is symmetric, which
   libraries without a second derivative of this loss (pytorch#2210) do not show. */
static void test_sums_and_symmetry(void **state)
{
    static const int64_t frames[] = {9, 4, 6}, labels[] = {4, 0, 2};
    (void)state;
    call c = call_create(5, 3, frames, labels), other = call_create(5, 3, frames, labels);
    double forth = 0, back = 0;
    fill_generic(&c, 3);
    fill_generic(&other, 3);
    for (int64_t i = 0; i < c.frames * 5; i++) {
        other.direction[i] = 2 * scatter(5 * i + 9000) - 1;
    }
    evaluate("", LOSS_FLOAT64, &c);
    evaluate("", LOSS_FLOAT64, &other);
    for (int64_t t = 0; t < c.frames; t++) {
        double gradient = 0, product = 0;
        for (int64_t i = 5 * t; i < 5 * t + 5; i++) {
            gradient += c.output[0][i];
            product += c.output[2][i];
            forth += other.direction[i] * c.output[2][i];
            back += c.direction[i] * other.output[2][i];
        }
        assert_close(gradient, 0, 0, 4e-16);
        assert_close(product, 0, 0, 2e-15);
    }
    assert_close(forth, back, 1e-12, 0);
    assert_true(fabs(forth) > 1e-3);
    call_free(&c);
    call_free(&other);
}

/* The diagonal is what products with unit vectors have there. */
static void test_diagonal(void **state)
{
    static const int64_t frames[] = {5}, labels[] = {2};
    static const char *const kinds[] = {"", "curvature=gauss_newton", "curvature=majorizer"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        call c = call_create(4, 1, frames, labels);
        fill_generic(&c, 2);
        for (int64_t i = 0; i < 20; i++) {
            memset(c.direction, 0, 20 * sizeof(double));
            c.direction[i] = 1;
            evaluate(kinds[k], LOSS_FLOAT64, &c);
            assert_close(c.output[2][i], c.output[1][i], 1e-13, 1e-15);
        }
        call_free(&c);
    }
}

/* Frames that are masked are not there. */
static void test_masked_frames(void **state)
{
    static const int64_t padded[] = {7}, frames[] = {4}, labels[] = {2};
    static const uint8_t mask[] = {1, 1, 0, 1, 0, 1, 0};
    (void)state;
    call c = call_create(4, 1, padded, labels), few = call_create(4, 1, frames, labels);
    fill_generic(&c, 2);
    for (int64_t t = 0, to = 0; t < 7; t++) {
        for (int64_t k = 0; k < 4; k++) {
            if (mask[t]) {
                few.logits[4 * to + k] = c.logits[4 * t + k];
                few.direction[4 * to + k] = c.direction[4 * t + k];
            } else {
                c.logits[4 * t + k] = (double)NAN;
            }
        }
        to += mask[t];
    }
    memcpy(few.label, c.label, 2 * sizeof *c.label);
    c.mask = mask;
    evaluate("", LOSS_FLOAT64, &c);
    evaluate("", LOSS_FLOAT64, &few);
    assert_close(c.value[0], few.value[0], 0, 0);
    for (int64_t t = 0, to = 0; t < 7; t++) {
        for (int64_t k = 0; k < 4; k++) {
            assert_close(c.output[2][4 * t + k], mask[t] ? few.output[2][4 * to + k] : 0, 0, 0);
        }
        to += mask[t];
    }
    call_free(&c);
    call_free(&few);
}

/* ---- long sequences, by logarithms ---- */

static double log_add(double a, double b)
{
    const double high = a > b ? a : b;
    return high == -(double)INFINITY ? high : high + log(exp(a - high) + exp(b - high));
}

/* The forward recursion as textbooks have it, in logarithms. */
static double by_logarithms(const call *c)
{
    const int64_t states = 2 * c->labels + 1;
    double *alpha = zeros(states), *before = zeros(states), result;
    for (int64_t t = 0; t < c->frames; t++) {
        const double *row_of_t = c->logits + t * c->classes;
        double all = 0;
        for (int64_t k = 0; k < c->classes; k++) {
            all += exp(row_of_t[k]);
        }
        for (int64_t j = 0; j < states; j++) {
            const int64_t k = j % 2 == 0 ? 0 : c->label[j / 2];
            double from = t == 0 ? (j < 2 ? 0 : -(double)INFINITY) : before[j];
            if (t > 0 && j > 0) {
                from = log_add(from, before[j - 1]);
            }
            if (t > 0 && j > 2 && j % 2 == 1 && c->label[j / 2] != c->label[j / 2 - 1]) {
                from = log_add(from, before[j - 2]);
            }
            alpha[j] = from + row_of_t[k] - log(all);
        }
        memcpy(before, alpha, (size_t)states * sizeof *alpha);
    }
    result = -log_add(alpha[states - 1], alpha[states - 2]);
    free(alpha);
    free(before);
    return result;
}

static void test_long(void **state)
{
    static const int64_t frames[] = {1500}, labels[] = {300};
    static const double step = 1e-5;
    (void)state;
    call c = call_create(12, 1, frames, labels), ahead = call_create(12, 1, frames, labels),
         behind = call_create(12, 1, frames, labels);
    fill_generic(&c, 4);
    fill_generic(&ahead, 4);
    fill_generic(&behind, 4);
    double slope = 0;
    for (int64_t i = 0; i < c.frames * c.classes; i++) {
        ahead.logits[i] += step * c.direction[i];
        behind.logits[i] -= step * c.direction[i];
    }
    evaluate("normalization=none", LOSS_FLOAT64, &c);
    evaluate("normalization=none", LOSS_FLOAT64, &ahead);
    evaluate("normalization=none", LOSS_FLOAT64, &behind);
    assert_close(c.value[0], by_logarithms(&c), 1e-13, 0);
    assert_true(c.value[0] > 1000);
    for (int64_t i = 0; i < c.frames * c.classes; i++) {
        slope += c.output[0][i] * c.direction[i];
        assert_close(c.output[2][i], (ahead.output[0][i] - behind.output[0][i]) / (2 * step), 1e-6, 1e-8);
    }
    assert_close(slope, (ahead.value[0] - behind.value[0]) / (2 * step), 1e-6, 1e-5);
    call_free(&c);
    call_free(&ahead);
    call_free(&behind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),           cmocka_unit_test(test_no_labels),
        cmocka_unit_test(test_one_frame),         cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_improbable),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_sums_and_symmetry), cmocka_unit_test(test_diagonal),
        cmocka_unit_test(test_masked_frames),     cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests_name("known sequences", tests, known_setup, known_teardown);
}
