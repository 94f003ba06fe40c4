/*
 * What a row counts: weights, masks, scale, NaN, nothing at all.
 */
#include "losses.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 300 };

/* Rows of a group, evaluated without weights: what most of these tests start from. */
static batch evaluated(const loss_case *given, const loss_function *function, const vector_group *group)
{
    batch made = batch_of_group(group, ROWS, losses_columns(given, group), given->pointwise);
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    return made;
}

/* A row with a NaN in it has nothing but NaN, in every column. */
static void check_all_nan(const batch *made, int output, int64_t row)
{
    for (int64_t j = 0; j < batch_width(made, output); j++) {
        const double got = batch_at(made, output, row, j);
        if (!isnan(got)) {
            fail_msg("of a row with a NaN in it the %s of column %lld is %.17g instead of NaN",
                     batch_output_names[output], (long long)j, got);
        }
    }
}

/* The row of an output has the same bits in both. */
static void check_row(const batch *actual, int64_t actual_row, const batch *expected, int64_t expected_row)
{
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        for (int64_t j = 0; j < batch_width(actual, k); j++) {
            double a = batch_at(actual, k, actual_row, j), b = batch_at(expected, k, expected_row, j);
            assert_same_bits(&a, &b, LOSS_FLOAT64, 1);
        }
    }
}

/* ---- weights ---- */

static void check_weights(const loss_case *given, const loss_function *function, const vector_group *group,
                          const batch *plain)
{
    batch two = batch_of_group(group, ROWS, plain->columns, given->pointwise);
    batch any = batch_of_group(group, ROWS, plain->columns, given->pointwise);
    two.give |= GIVE_WEIGHT;
    any.give |= GIVE_WEIGHT;
    for (int64_t i = 0; i < ROWS; i++) {
        set_element(two.weight, two.dtype, i, 2);
        set_element(any.weight, any.dtype, i, 0.2 + 3 * scatter(i));
    }
    assert_status(given->context, batch_evaluate(given->context, function, &two), LOSS_OK);
    assert_status(given->context, batch_evaluate(given->context, function, &any), LOSS_OK);
    assert_close(two.sum, 2 * plain->sum, 0, 0);
    assert_close(two.denominator, 2 * plain->denominator, 0, 0);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        for (int64_t i = 0; i < ROWS; i++) {
            double weight = element(any.weight, any.dtype, i);
            for (int64_t j = 0; j < batch_width(plain, k); j++) {
                double loss = batch_at(plain, k, i, j);
                assert_close(batch_at(&two, k, i, j), 2 * loss, 0, 0);
                assert_ulp(batch_at(&any, k, i, j), weight * loss, 2, any.dtype);
            }
        }
    }
    batch_free(&two);
    batch_free(&any);
}

/* Weight 3 on a row is the row three times. */
static void check_repetition(const loss_case *given, const loss_function *function, const batch *plain)
{
    batch weighted = batch_create(plain->dtype, ROWS, plain->columns, plain->value_columns, plain->labels);
    batch repeated = batch_create(plain->dtype, 2 * ROWS, plain->columns, plain->value_columns,
                                  plain->labels);
    int64_t to = 0;
    weighted.give |= GIVE_WEIGHT;
    for (int64_t i = 0; i < ROWS; i++) {
        batch_copy_row(&weighted, i, plain, i);
        set_element(weighted.weight, weighted.dtype, i, 1 + (double)(i % 3));
        for (int64_t k = 0; k <= i % 3; k++) {
            batch_copy_row(&repeated, to++, plain, i);
        }
    }
    assert_int_equal(to, 2 * ROWS);
    assert_status(given->context, batch_evaluate(given->context, function, &weighted), LOSS_OK);
    assert_status(given->context, batch_evaluate(given->context, function, &repeated), LOSS_OK);
    assert_close(weighted.sum, repeated.sum, plain->dtype == LOSS_FLOAT32 ? 1e-7 : 1e-14, 0);
    assert_close(weighted.denominator, repeated.denominator, plain->dtype == LOSS_FLOAT32 ? 1e-7 : 1e-14, 0);
    batch_free(&weighted);
    batch_free(&repeated);
}

/* Weight 0 takes a row out of the sum, but it is still evaluated: 0 · NaN is NaN. */
static void check_zero_weight(const loss_case *given, const loss_function *function, const batch *plain)
{
    batch made = batch_create(plain->dtype, ROWS, plain->columns, plain->value_columns, plain->labels);
    made.give |= GIVE_WEIGHT;
    for (int64_t i = 0; i < ROWS; i++) {
        batch_copy_row(&made, i, plain, i);
        set_element(made.weight, made.dtype, i, i == 7 ? 0 : 1);
    }
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    assert_close(batch_at(&made, 0, 7, 0), 0, 0, 0);
    assert_close(batch_at(&made, 1, 7, 0), 0, 0, 0);
    assert_true(made.denominator < plain->denominator);
    set_element(made.prediction, made.dtype, 7 * made.columns, (double)NAN);
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    assert_close(batch_at(&made, 0, 7, 0), (double)NAN, 0, 0);
    assert_close(batch_at(&made, 1, 7, 0), (double)NAN, 0, 0);
    assert_close(made.sum, (double)NAN, 0, 0);
    batch_free(&made);
}

void losses_weights(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch plain = evaluated(given, function, group);
        check_weights(given, function, group, &plain);
        check_repetition(given, function, &plain);
        check_zero_weight(given, function, &plain);
        batch_free(&plain);
        loss_function_free(function);
    }
}

/* ---- masks ---- */

/* Everything a masked row holds is wrong: nobody may look. */
static void poison(batch *made, int64_t row)
{
    for (int64_t j = 0; j < made->columns; j++) {
        set_element(made->prediction, made->dtype, row * made->columns + j, (double)NAN);
        set_element(made->target, made->dtype, row * made->columns + j, 1e30);
        set_element(made->direction, made->dtype, row * made->columns + j, (double)INFINITY);
    }
    set_element(made->weight, made->dtype, row, (double)NAN);
    made->label[row] = INT64_MIN + 3;
    made->mask[row] = 0;
}

static void check_mask(const batch *masked, const batch *removed)
{
    int64_t to = 0;
    for (int64_t i = 0; i < masked->rows; i++) {
        if (masked->mask[i]) {
            check_row(masked, i, removed, to++);
            continue;
        }
        for (int k = 0; k < BATCH_OUTPUTS; k++) {
            for (int64_t j = 0; j < batch_width(masked, k); j++) {
                double zero = 0, got = batch_at(masked, k, i, j);
                assert_same_bits(&got, &zero, LOSS_FLOAT64, 1);
            }
        }
    }
    assert_close(masked->sum, removed->sum, 1e-13, 0);
    assert_close(masked->denominator, removed->denominator, 1e-13, 0);
}

/* The mask in another integer type, with entries that are not 1, gives the same. */
static void check_mask_type(const loss_case *given, const loss_function *function, batch *masked,
                            loss_dtype dtype)
{
    int32_t narrow[ROWS];
    int64_t wide[ROWS];
    batch copy = batch_create(masked->dtype, ROWS, masked->columns, masked->value_columns, masked->labels);
    loss_data *inputs, *outputs;
    copy.give = masked->give;
    for (int64_t i = 0; i < ROWS; i++) {
        batch_copy_row(&copy, i, masked, i);
        narrow[i] = masked->mask[i] ? -1 : 0;
        wide[i] = masked->mask[i] ? INT64_C(1) << 40 : 0;
    }
    inputs = batch_inputs(given->context, &copy);
    outputs = batch_outputs(given->context, &copy);
    loss_data_set_input(inputs, "mask", dtype == LOSS_INT32 ? (void *)narrow : (void *)wide, dtype, ROWS, 1,
                        1, 1);
    assert_status(
        given->context,
        loss_function_evaluate(given->context, function, inputs, outputs, &copy.sum, &copy.denominator),
        LOSS_OK);
    assert_same_batch(&copy, masked);
    loss_data_free(inputs);
    loss_data_free(outputs);
    batch_free(&copy);
}

void losses_masks(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch masked = batch_of_group(group, ROWS, losses_columns(given, group), given->pointwise), removed;
        int64_t left = 0;
        for (int64_t i = 0; i < ROWS; i++) {
            set_element(masked.weight, masked.dtype, i, 0.25 + scatter(i));
            if (scatter(3 * i) < 0.4 || i < 2 || i == ROWS - 1) {
                poison(&masked, i);
            } else {
                left++;
            }
        }
        masked.give |= GIVE_MASK | GIVE_WEIGHT;
        removed = batch_create(masked.dtype, left, masked.columns, masked.value_columns, masked.labels);
        removed.give |= GIVE_WEIGHT;
        left = 0;
        for (int64_t i = 0; i < ROWS; i++) {
            if (masked.mask[i]) {
                batch_copy_row(&removed, left++, &masked, i);
            }
        }
        assert_status(given->context, batch_evaluate(given->context, function, &masked), LOSS_OK);
        assert_status(given->context, batch_evaluate(given->context, function, &removed), LOSS_OK);
        check_mask(&masked, &removed);
        check_mask_type(given, function, &masked, LOSS_INT32);
        check_mask_type(given, function, &masked, LOSS_INT64);
        batch_free(&masked);
        batch_free(&removed);
        loss_function_free(function);
    }
}

/* No rows, and rows that are all masked: the cost of nothing is 0 by a denominator of 0. */
void losses_nothing(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch empty = batch_of_group(group, 0, losses_columns(given, group), given->pointwise);
        batch masked = batch_of_group(group, ROWS, losses_columns(given, group), given->pointwise);
        assert_status(given->context, batch_evaluate(given->context, function, &empty), LOSS_OK);
        assert_close(empty.sum, 0, 0, 0);
        assert_close(empty.denominator, 0, 0, 0);
        masked.give |= GIVE_MASK;
        for (int64_t i = 0; i < ROWS; i++) {
            poison(&masked, i);
        }
        assert_status(given->context, batch_evaluate(given->context, function, &masked), LOSS_OK);
        assert_close(masked.sum, 0, 0, 0);
        assert_close(masked.denominator, 0, 0, 0);
        for (int64_t i = 0; i < ROWS; i++) {
            for (int k = 0; k < BATCH_OUTPUTS; k++) {
                assert_close(batch_at(&masked, k, i, 0), 0, 0, 0);
            }
        }
        batch_free(&empty);
        batch_free(&masked);
        loss_function_free(function);
    }
}

/* ---- NaN ---- */

/* NaN in one input of row 41: NaN in its outputs, and nothing else changes. */
static void check_nan(const loss_case *given, const loss_function *function, const batch *plain, int which)
{
    enum { ROW = 41 };
    batch made = batch_create(plain->dtype, ROWS, plain->columns, plain->value_columns, plain->labels);
    void *arrays[] = {made.prediction, made.target, made.weight, made.direction};
    int64_t width = which == 2 ? 1 : made.columns, column = width - 1;
    made.give |= GIVE_WEIGHT;
    for (int64_t i = 0; i < ROWS; i++) {
        batch_copy_row(&made, i, plain, i);
    }
    set_element(arrays[which], made.dtype, ROW * width + column, (double)NAN);
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        if (i != ROW) {
            check_row(&made, i, plain, i);
        }
    }
    if (which == 3) {
        assert_close(batch_at(&made, 3, ROW, column), (double)NAN, 0, 0);
        assert_close(batch_at(&made, 0, ROW, 0), batch_at(plain, 0, ROW, 0), 0, 0);
        assert_close(batch_at(&made, 1, ROW, column), batch_at(plain, 1, ROW, column), 0, 0);
        assert_close(made.sum, plain->sum, 0, 0);
    } else if (given->pointwise && which != 2) {
        for (int k = 0; k < BATCH_OUTPUTS; k++) {
            assert_close(batch_at(&made, k, ROW, column), (double)NAN, 0, 0);
            assert_close(batch_at(&made, k, ROW, 0), batch_at(plain, k, ROW, 0), 0, 0);
        }
        assert_close(made.sum, (double)NAN, 0, 0);
    } else {
        for (int k = 0; k < BATCH_OUTPUTS; k++) {
            check_all_nan(&made, k, ROW);
        }
        assert_close(made.sum, (double)NAN, 0, 0);
    }
    batch_free(&made);
}

void losses_nan(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch plain = evaluated(given, function, group);
        for (int which = 0; which < 4; which++) {
            if (which != 1 || !(plain.labels || plain.untargeted)) {
                check_nan(given, function, &plain, which);
            }
        }
        batch_free(&plain);
        loss_function_free(function);
    }
}

/* ---- scale, and the short calls ---- */

/*
 * A kernel may multiply by the scale last, or put it into a factor of the row first. Either way three factors make three roundings, of
 * half a unit each; so the two ways are apart by three units of the smaller kind at most, and the expected number is rounded once more.
 */
enum { FACTORED = 4 };

void losses_scale(void **state)
{
    static const double scales[] = {-2, 0x1.333334p-2, 0}; /* numbers of float32 too */
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch plain = evaluated(given, function, group);
        const double least = plain.dtype == LOSS_FLOAT32 ? (double)FLT_MIN : DBL_MIN;
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
            batch made = batch_of_group(group, ROWS, plain.columns, given->pointwise);
            made.give |= GIVE_SCALE;
            made.scale = scales[s];
            assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
            assert_same_bits(made.output[0], plain.output[0], made.dtype, ROWS * made.value_columns);
            assert_close(made.sum, plain.sum, 0, 0);
            for (int64_t i = 0; i < ROWS * made.columns; i++) {
                for (int k = 1; k < BATCH_OUTPUTS; k++) {
                    const double unscaled = element(plain.output[k], plain.dtype, i),
                                 expected = scales[s] * unscaled;
                    /* a product is rounded after the scale: where it is subnormal with it or without, it may differ */
                    const int rounded = s == 1 || (k == 3 && fmin(fabs(unscaled), fabs(expected)) < least);
                    assert_ulp(element(made.output[k], made.dtype, i), expected, rounded ? FACTORED : 0,
                               made.dtype);
                }
            }
            batch_free(&made);
        }
        batch_free(&plain);
        loss_function_free(function);
    }
}

static loss_status short_call(const loss_case *given, const loss_function *function, const batch *made,
                              double *cost, void *gradient)
{
    if (made->labels) {
        return made->dtype == LOSS_FLOAT32
                   ? loss_function_cost_labels_float32(given->context, function, made->rows, made->columns,
                                                       made->prediction, made->label, cost, gradient)
                   : loss_function_cost_labels_float64(given->context, function, made->rows, made->columns,
                                                       made->prediction, made->label, cost, gradient);
    }
    const void *target = made->untargeted ? NULL : made->target;
    return made->dtype == LOSS_FLOAT32
               ? loss_function_cost_float32(given->context, function, made->rows * made->columns,
                                            made->prediction, target, cost, gradient)
               : loss_function_cost_float64(given->context, function, made->rows * made->columns,
                                            made->prediction, target, cost, gradient);
}

/* The short calls give the cost and its gradient: what evaluate gives, divided by the denominator. */
void losses_short_calls(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch plain = evaluated(given, function, group);
        double cost = 777;
        if (!plain.labels && !given->pointwise) {
            assert_status(given->context, short_call(given, function, &plain, &cost, NULL), LOSS_ERROR_SHAPE);
            assert_close(cost, 777, 0, 0);
        } else {
            assert_status(given->context, short_call(given, function, &plain, &cost, plain.output[3]),
                          LOSS_OK);
            assert_close(cost, plain.sum / plain.denominator, 1e-15, 0);
            for (int64_t i = 0; i < ROWS * plain.columns; i++) {
                assert_ulp(element(plain.output[3], plain.dtype, i),
                           element(plain.output[1], plain.dtype, i) / plain.denominator, FACTORED,
                           plain.dtype);
            }
            assert_status(given->context, short_call(given, function, &plain, NULL, plain.output[3]),
                          LOSS_OK);
            assert_status(given->context, short_call(given, function, &plain, &cost, NULL), LOSS_OK);
            plain.rows = 0;
            assert_status(given->context, short_call(given, function, &plain, &cost, NULL), LOSS_OK);
            assert_close(cost, 0, 0, 0);
        }
        batch_free(&plain);
        loss_function_free(function);
    }
}

/* ---- convexity ---- */

/* A loss that says it is convex lies below its chords, and its curvature is not negative. */
void losses_convexity(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch a = evaluated(given, function, group), b = evaluated(given, function, group);
        batch middle = evaluated(given, function, group);
        int32_t convex = -1;
        assert_status(given->context, loss_function_property(function, "convex", &convex), LOSS_OK);
        for (int64_t i = 0; i < ROWS * a.columns; i++) { /* halfway to the row 17 places on */
            double x = element(a.prediction, a.dtype, i);
            double y = element(a.prediction, a.dtype, (i + 17 * a.columns) % (ROWS * a.columns));
            set_element(b.prediction, b.dtype, i, y);
            set_element(middle.prediction, middle.dtype, i, (x + y) / 2);
        }
        assert_status(given->context, batch_evaluate(given->context, function, &b), LOSS_OK);
        assert_status(given->context, batch_evaluate(given->context, function, &middle), LOSS_OK);
        for (int64_t i = 0; i < ROWS * a.value_columns && convex == 1; i++) {
            double chord = (element(a.output[0], a.dtype, i) + element(b.output[0], b.dtype, i)) / 2;
            double slack = (a.dtype == LOSS_FLOAT32 ? 4e-6 : 1e-14) * (1 + fabs(chord));
            assert_true(element(middle.output[0], middle.dtype, i) <= chord + slack);
        }
        for (int64_t i = 0; i < ROWS * a.columns && convex == 1; i++) {
            assert_true(element(a.output[2], a.dtype, i) >= 0);
        }
        batch_free(&a);
        batch_free(&b);
        batch_free(&middle);
        loss_function_free(function);
    }
}
