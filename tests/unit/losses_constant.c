/*
 * The best constant prediction against brute force: no other constant has a smaller cost. And parts of a data set, whose
 * sums and denominators add up to those of the whole.
 */
#include "losses.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60, COLUMNS_MAX = 32 };

/* ---- a data set in float64 ---- */

typedef struct sample {
    int64_t rows, columns, width; /* width: columns of the target */
    int32_t labels;
    double target[ROWS * COLUMNS_MAX], weight[ROWS];
    int64_t label[ROWS];
} sample;

static sample sample_of_group(const loss_case *given, const vector_group *group)
{
    sample made = {.rows = ROWS, .columns = losses_columns(given, group), .labels = group->labels};
    batch rows = batch_of_group(group, ROWS, made.columns, given->pointwise);
    made.width = made.labels ? 1 : made.columns;
    assert_true(made.columns <= COLUMNS_MAX);
    for (int64_t i = 0; i < ROWS; i++) {
        made.weight[i] = 0.125 + 2 * scatter(7 * i);
        made.label[i] = rows.label[i];
        for (int64_t j = 0; j < made.columns; j++) {
            made.target[i * made.columns + j] = element(rows.target, rows.dtype, i * made.columns + j);
        }
    }
    batch_free(&rows);
    return made;
}

static loss_data *inputs_of(const loss_case *given, const sample *s)
{
    loss_data *inputs;
    assert_status(given->context, loss_data_create(&inputs, given->context), LOSS_OK);
    if (s->labels) {
        loss_data_set_input(inputs, "target", s->label, LOSS_INT64, s->rows, 1, 1, 1);
    } else {
        loss_data_set_input(inputs, "target", s->target, LOSS_FLOAT64, s->rows, s->columns, s->columns, 1);
    }
    loss_data_set_input(inputs, "weight", s->weight, LOSS_FLOAT64, s->rows, 1, 1, 1);
    return inputs;
}

/* The cost of a constant over all columns, and without the target's other columns over one of them. */
static double cost_of(const loss_case *given, const loss_function *function, const sample *s, int64_t column,
                      const double *constant)
{
    loss_data *inputs;
    double sum = 777, denominator = 777;
    loss_status status;
    assert_status(given->context, loss_data_create(&inputs, given->context), LOSS_OK);
    loss_data_set_input(inputs, "weight", s->weight, LOSS_FLOAT64, s->rows, 1, 1, 1);
    if (given->pointwise) {
        loss_data_set_input(inputs, "prediction", constant, LOSS_FLOAT64, s->rows, 1, 0, 1);
        loss_data_set_input(inputs, "target", s->target + column, LOSS_FLOAT64, s->rows, 1, s->columns, 1);
    } else {
        loss_data_set_input(inputs, "prediction", constant, LOSS_FLOAT64, s->rows, s->columns, 0, 1);
        loss_data_set_input(inputs, "target", s->labels ? (const void *)s->label : s->target,
                            s->labels ? LOSS_INT64 : LOSS_FLOAT64, s->rows, s->width, s->width, 1);
    }
    status = loss_function_evaluate(given->context, function, inputs, NULL, &sum, &denominator);
    loss_data_free(inputs);
    assert_status(given->context, status, LOSS_OK);
    return denominator == 0 ? 0 : sum / denominator;
}

static void check_no_better(const loss_case *given, const char *options, double cost, double other,
                            double constant, double at)
{
    /* sums of 60 terms of the size of the cost */
    if (!(cost <= other + 64 * DBL_EPSILON * (fabs(other) + DBL_MIN)) && !isnan(other)) {
        fail_msg("%s [%s]: the cost of %.17g is %.17g, but that of %.17g is %.17g", given->name, options,
                 constant, cost, at, other);
    }
}

/* How many constants are tried beside the best one: a convex cost has no second valley that few would miss. */
static int64_t tries_of(const loss_case *given, const loss_function *function)
{
    int32_t convex = 0;
    assert_status(given->context, loss_function_property(function, "convex", &convex), LOSS_OK);
    return convex ? 400 : 4000;
}

/* ---- pointwise: one column at a time ---- */

/* Of some tries, places near the constant and far from it, from both sides, and everything in between. */
static double place(double constant, int64_t i, int64_t tries)
{
    const double centre = isfinite(constant) ? constant : 0;
    const int64_t k = i / 4;
    const double away = pow(10, -9 + 20.0 * (double)k / ((double)tries / 4));
    switch (i % 4) {
    case 0:
        return centre + away;
    case 1:
        return centre - away;
    case 2:
        return 8 * scatter(i) - 4;
    default:
        return centre * (1 + (scatter(i) - 0.5) / (1 + (double)(k % 10) * 100));
    }
}

static void check_column(const loss_case *given, const loss_function *function, const char *options,
                         const sample *s, int64_t column, double constant)
{
    const int64_t tries = tries_of(given, function);
    double low = 0, high = 0, cost;
    loss_function_number(function, "prediction_minimum", &low);
    loss_function_number(function, "prediction_maximum", &high);
    assert_false(isnan(constant));
    assert_true(constant >= low && constant <= high);
    cost = cost_of(given, function, s, column, &constant);
    if (isnan(cost)) { /* terms go to both infinities: the further out, the better it has to be */
        const double near = copysign(1e6, constant), far = copysign(1e9, constant);
        assert_true(isinf(constant));
        assert_true(cost_of(given, function, s, column, &far) < cost_of(given, function, s, column, &near));
        return;
    }
    for (int64_t i = 0; i < tries; i++) {
        double at = place(constant, i, tries);
        if (at >= low && at <= high) {
            check_no_better(given, options, cost, cost_of(given, function, s, column, &at), constant, at);
        }
    }
}

static void check_pointwise(const loss_case *given, const loss_function *function, const char *options,
                            const sample *s)
{
    double constant[COLUMNS_MAX];
    loss_data *inputs = inputs_of(given, s);
    assert_status(given->context,
                  loss_function_best_constant(given->context, function, inputs, s->columns, constant),
                  LOSS_OK);
    loss_data_free(inputs);
    for (int64_t j = 0; j < s->columns; j++) {
        check_column(given, function, options, s, j, constant[j]);
    }
}

/* One target for all: where a loss goes on falling, the constant is infinite, and nothing finite is better. */
static void check_single_target(const loss_case *given, const loss_function *function, const char *options,
                                sample *s)
{
    for (int64_t i = 0; i < s->rows; i++) {
        for (int64_t j = 0; j < s->columns; j++) {
            s->target[i * s->columns + j] = s->target[j];
        }
    }
    check_pointwise(given, function, options, s);
}

/* Both ends of the domain of the targets, one in each column: labels that are all the same, rates of 0. */
static void check_end_targets(const loss_case *given, const loss_function *function, const char *options,
                              sample *s)
{
    static const char *const ends[] = {"target_minimum", "target_maximum"};
    for (int k = 0; k < 2; k++) {
        double end = 0;
        loss_function_number(function, ends[k], &end);
        for (int64_t i = 0; i < s->rows && isfinite(end); i++) {
            s->target[i * s->columns + k] = end;
        }
    }
    check_pointwise(given, function, options, s);
}

/* ---- over classes ---- */

/* Whether the constant is any numbers, and not logits or shares that sum to 1: of margins, and of questions of their own. */
static int32_t is_free(const loss_case *given, const char *link)
{
    return strcmp(link, "logit") == 0 || strcmp(given->name, "crammer_singer") == 0;
}

/* A constant beside the one given, any numbers or in shares that sum to 1. */
static void move_classes(const char *link, int32_t any, int64_t columns, const double *constant, int64_t i,
                         double *moved)
{
    const double size = pow(10, -6 + 8 * scatter(i));
    double share = 0, all = 0;
    for (int64_t j = 0; j < columns; j++) {
        all += 0.01 + scatter(i * columns + j);
    }
    for (int64_t j = 0; j < columns; j++) {
        if (any || strcmp(link, "softmax") == 0) {
            moved[j] = (isfinite(constant[j]) ? constant[j] : -40) + size * (scatter(i * columns + j) - 0.5);
            continue;
        }
        share = strcmp(link, "log") == 0 ? exp(constant[j]) : constant[j];
        share += size / (1 + size) * ((0.01 + scatter(i * columns + j)) / all - share);
        moved[j] = strcmp(link, "log") == 0 ? log(share) : share;
    }
}

static void check_classes(const loss_case *given, const loss_function *function, const char *options,
                          const sample *s)
{
    double constant[COLUMNS_MAX], moved[COLUMNS_MAX];
    const char *link = loss_function_link(function);
    const int32_t any = is_free(given, link);
    loss_data *inputs = inputs_of(given, s);
    loss_status status = loss_function_best_constant(given->context, function, inputs, s->columns, constant);
    double cost, sum = 0, temperature = 1;
    loss_data_free(inputs);
    loss_function_get_double(function, "temperature", &temperature); /* 1 of losses without that option */
    if (status == LOSS_ERROR_SUPPORT) {
        assert_sentence(given->context, given->name);
        return;
    }
    assert_status(given->context, status, LOSS_OK);
    for (int64_t j = 0; j < s->columns; j++) {
        sum += strcmp(link, "identity") == 0 ? constant[j] : exp(constant[j] / temperature);
    }
    assert_true(any || fabs(sum - 1) <= 1e-14);
    cost = cost_of(given, function, s, 0, constant);
    for (int64_t i = tries_of(given, function); i-- > 0;) {
        move_classes(link, any, s->columns, constant, i, moved);
        check_no_better(given, options, cost, cost_of(given, function, s, 0, moved), constant[0], moved[0]);
    }
}

/* Without targets no constant is best for them. */
static void check_refused(const loss_case *given, const loss_function *function, const sample *s)
{
    double constant[COLUMNS_MAX] = {777};
    loss_data *inputs = inputs_of(given, s);
    assert_status(given->context,
                  loss_function_best_constant(given->context, function, inputs, s->columns, constant),
                  LOSS_ERROR_SUPPORT);
    assert_sentence(given->context, given->name);
    assert_close(constant[0], 777, 0, 0);
    loss_data_free(inputs);
}

void losses_best_constant(void **state)
{
    const loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        sample s = sample_of_group(given, group);
        if (!reads_target(function)) {
            check_refused(given, function, &s);
        } else if (given->pointwise) {
            check_pointwise(given, function, group->options, &s);
            check_single_target(given, function, group->options, &s);
            check_end_targets(given, function, group->options, &s);
        } else {
            check_classes(given, function, group->options, &s);
            for (int64_t i = 0; i < ROWS; i++) { /* classes that do not occur */
                s.label[i] = i % 3 == 0 ? s.columns - 1 : 0;
            }
            check_classes(given, function, group->options, &s);
        }
        loss_function_free(function);
    }
}

/* ---- parts of a data set ---- */

enum { PART_ROWS = 5000 };

/* Adds what rows first … end − 1 of the batch give. */
static void add_part(const loss_case *given, const loss_function *function, const batch *whole, int64_t first,
                     int64_t end, double *sum, double *denominator)
{
    batch part = batch_create(whole->dtype, end - first, whole->columns, whole->value_columns, whole->labels);
    part.give = whole->give;
    part.want = WANT_GRADIENT;
    for (int64_t i = first; i < end; i++) {
        batch_copy_row(&part, i - first, whole, i);
        part.mask[i - first] = whole->mask[i];
        set_element(part.weight, part.dtype, i - first, element(whole->weight, whole->dtype, i));
    }
    assert_status(given->context, batch_evaluate(given->context, function, &part), LOSS_OK);
    *sum += part.sum;
    *denominator += part.denominator;
    for (int64_t i = first; i < end; i++) { /* what a row gives does not depend on its part */
        for (int64_t j = 0; j < whole->columns; j++) {
            double alone = batch_at(&part, 1, i - first, j), among = batch_at(whole, 1, i, j);
            assert_same_bits(&alone, &among, LOSS_FLOAT64, 1);
        }
    }
    batch_free(&part);
}

static void check_parts(const loss_case *given, const loss_function *function, const vector_group *group)
{
    /* one row, a tile, a block, a block and a row, and what is left */
    static const int64_t sizes[] = {1, 1024, 4096, 4097, 333, PART_ROWS};
    batch whole = batch_of_group(group, PART_ROWS, losses_columns(given, group), given->pointwise);
    double size = 0;
    whole.give |= GIVE_WEIGHT | GIVE_MASK;
    for (int64_t i = 0; i < PART_ROWS; i++) {
        set_element(whole.weight, whole.dtype, i, 0.25 + scatter(5 * i));
        whole.mask[i] = scatter(11 * i) > 0.2;
    }
    assert_status(given->context, batch_evaluate(given->context, function, &whole), LOSS_OK);
    for (int64_t i = 0; i < PART_ROWS * whole.value_columns; i++) {
        size += fabs(element(whole.output[0], whole.dtype, i));
    }
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        double sum = 0, denominator = 0;
        if (sizes[k] == 1) { /* each row alone, the first hundred of them, and the others together */
            for (int64_t i = 0; i < 100; i++) {
                add_part(given, function, &whole, i, i + 1, &sum, &denominator);
            }
        }
        for (int64_t i = sizes[k] == 1 ? 100 : 0; i < PART_ROWS;) {
            int64_t end = sizes[k] == 1 || i + sizes[k] > PART_ROWS ? PART_ROWS : i + sizes[k];
            add_part(given, function, &whole, i, end, &sum, &denominator);
            i = end;
        }
        assert_close(sum, whole.sum, 0, 1e-14 * size);
        assert_close(denominator, whole.denominator, 1e-14, 0);
    }
    batch_free(&whole);
}

void losses_parts(void **state)
{
    const loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        loss_function *function = losses_make(given, given->file.groups[g].options);
        int32_t separable = 0;
        assert_status(given->context, loss_function_property(function, "separable", &separable), LOSS_OK);
        if (separable) {
            check_parts(given, function, &given->file.groups[g]);
        }
        loss_function_free(function);
    }
}
