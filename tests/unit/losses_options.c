/* How a loss describes itself, and what its options accept. */
#include "losses.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/extreme.h"

/* ---- numbers ---- */

static loss_status set_number(loss_function *function, const loss_option *option, double value)
{
    const char *name = loss_option_name(option);
    return loss_option_type(option) == LOSS_OPTION_INT ? loss_function_set_int(function, name, (int64_t)value)
                                                       : loss_function_set_double(function, name, value);
}

static double get_number(const loss_case *given, const loss_function *function, const loss_option *option)
{
    const char *name = loss_option_name(option);
    double number = 777;
    int64_t integer = 777;
    if (loss_option_type(option) == LOSS_OPTION_INT) {
        assert_status(given->context, loss_function_get_int(function, name, &integer), LOSS_OK);
        return (double)integer;
    }
    assert_status(given->context, loss_function_get_double(function, name, &number), LOSS_OK);
    return number;
}

static void check_number(const loss_case *given, loss_function *function, const loss_option *option)
{
    double low = loss_option_minimum(option), high = loss_option_maximum(option),
           initial = loss_option_default(option);
    double inside[] = {low, high, initial};
    assert_true(low <= initial && initial <= high && low < high);
    assert_close(get_number(given, function, option), initial, 0, 0);
    for (size_t k = 0; k < sizeof inside / sizeof *inside; k++) {
        if (fabs(inside[k]) <= 0x1p53 || loss_option_type(option) == LOSS_OPTION_DOUBLE) {
            assert_status(given->context, set_number(function, option, inside[k]), LOSS_OK);
            assert_close(get_number(given, function, option), inside[k], 0, 0);
        }
    }
    if (loss_option_type(option) == LOSS_OPTION_DOUBLE) {
        double outside[] = {nextafter(low, -INFINITY), nextafter(high, INFINITY), (double)NAN,
                            (double)INFINITY};
        for (size_t k = 0; k < sizeof outside / sizeof *outside; k++) {
            if (!(outside[k] >= low && outside[k] <= high)) { /* an infinity may be allowed */
                assert_status(given->context, set_number(function, option, outside[k]), LOSS_ERROR_RANGE);
                assert_sentence(given->context, loss_option_name(option));
            }
        }
    } else if (low > -9e15 && high < 9e15) {
        assert_status(given->context, set_number(function, option, low - 1), LOSS_ERROR_RANGE);
        assert_status(given->context, set_number(function, option, high + 1), LOSS_ERROR_RANGE);
        assert_sentence(given->context, loss_option_name(option));
    }
    assert_close(get_number(given, function, option), initial, 0, 0);
    assert_status(given->context, loss_function_set_string(function, loss_option_name(option), "1"),
                  LOSS_ERROR_TYPE);
}

/* ---- strings and arrays ---- */

static void check_string(const loss_case *given, loss_function *function, const loss_option *option)
{
    const char *name = loss_option_name(option), *choices = loss_option_choices(option), *got = NULL;
    loss_status status;
    assert_true(isnan(loss_option_default(option)));
    assert_status(given->context, loss_function_get_string(function, name, &got), LOSS_OK);
    assert_string_equal(got, loss_option_default_string(option));
    while (*choices != '\0') {
        char word[64];
        size_t length = strcspn(choices, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, choices);
        status = loss_function_set_string(function, name, word);
        if (strcmp(word, "majorizer") == 0 && status == LOSS_ERROR_SUPPORT) {
            /* a loss without one says so; the reference knows which those are */
            assert_sentence(given->context, given->name);
        } else {
            assert_status(given->context, status, LOSS_OK);
            assert_status(given->context, loss_function_get_string(function, name, &got), LOSS_OK);
            assert_string_equal(got, word);
        }
        choices += length + (choices[length] == '|');
    }
    status = loss_function_set_string(function, name, "nonsense");
    assert_true(status == LOSS_ERROR_RANGE || status == LOSS_ERROR_NAME);
    assert_sentence(given->context, "nonsense");
    assert_status(given->context, loss_function_set_double(function, name, 1), LOSS_ERROR_TYPE);
    assert_status(given->context,
                  loss_function_set_string(function, name, loss_option_default_string(option)), LOSS_OK);
}

static void check_array(const loss_case *given, loss_function *function, const loss_option *option)
{
    const char *name = loss_option_name(option);
    double good[] = {1.5, 2.385, 0.25}, bad[] = {1, (double)NAN, 1};
    int32_t integers[] = {1, 2, 3};
    assert_status(given->context, loss_function_set_array(function, name, good, LOSS_FLOAT64, 3), LOSS_OK);
    assert_status(given->context, loss_function_set_array(function, name, integers, LOSS_INT32, 3), LOSS_OK);
    assert_status(given->context, loss_function_set_array(function, name, NULL, LOSS_FLOAT64, 3),
                  LOSS_ERROR_ARGUMENT);
    assert_status(given->context, loss_function_set_array(function, name, good, LOSS_FLOAT64, -1),
                  LOSS_ERROR_ARGUMENT);
    assert_status(given->context, loss_function_set_array(function, name, good, 99, 3), LOSS_ERROR_TYPE);
    assert_status(given->context, loss_function_set_array(function, name, bad, LOSS_FLOAT64, 3),
                  LOSS_ERROR_RANGE);
    assert_status(given->context, loss_function_set_array(function, name, NULL, LOSS_FLOAT64, 0), LOSS_OK);
}

/* ---- aliases ---- */

static loss_status get(const loss_function *function, const loss_option *option, const char *name)
{
    double number;
    int64_t integer;
    const char *word;
    switch (loss_option_type(option)) {
    case LOSS_OPTION_DOUBLE:
        return loss_function_get_double(function, name, &number);
    case LOSS_OPTION_INT:
        return loss_function_get_int(function, name, &integer);
    default:
        return loss_function_get_string(function, name, &word);
    }
}

/* An alias is the option, and nothing else of this loss is called so. */
static void check_option_aliases(const loss_case *given, loss_function *function, const loss_option *option)
{
    const double none[] = {1.5, 2.385};
    char word[64];
    for (const char *alias = loss_option_aliases(option); *alias != '\0'; alias += strspn(alias, " ")) {
        const size_t length = strcspn(alias, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, alias);
        for (int32_t k = 0; k < loss_function_option_count(function); k++) {
            assert_string_not_equal(word, loss_option_name(loss_function_option(function, k)));
        }
        if (loss_option_type(option) == LOSS_OPTION_ARRAY) {
            assert_status(given->context, loss_function_set_array(function, word, none, LOSS_FLOAT64, 2),
                          LOSS_OK);
            assert_status(given->context, loss_function_set_array(function, word, NULL, LOSS_FLOAT64, 0),
                          LOSS_OK);
        } else {
            assert_status(given->context, get(function, option, word), LOSS_OK);
        }
        word[length - 1] = '\0'; /* a part of an alias is none */
        assert_status(given->context, loss_function_set_double(function, word, 1), LOSS_ERROR_NAME);
        alias += length;
    }
}

/* ---- all options ---- */

void losses_options(void **state)
{
    loss_case *given = *state;
    loss_function *function = losses_make(given, "");
    int32_t count = loss_function_option_count(function), curvature = 0;
    assert_true(count >= 1);
    for (int32_t i = 0; i < count; i++) {
        const loss_option *option = loss_function_option(function, i);
        assert_true(strlen(loss_option_name(option)) > 0 && strlen(loss_option_doc(option)) > 0);
        curvature += strcmp(loss_option_name(option), "curvature") == 0;
        for (int32_t k = 0; k < i; k++) {
            assert_string_not_equal(loss_option_name(option),
                                    loss_option_name(loss_function_option(function, k)));
        }
        check_option_aliases(given, function, option);
        switch (loss_option_type(option)) {
        case LOSS_OPTION_DOUBLE:
        case LOSS_OPTION_INT:
            check_number(given, function, option);
            break;
        case LOSS_OPTION_STRING:
            check_string(given, function, option);
            break;
        default:
            assert_int_equal(loss_option_type(option), LOSS_OPTION_ARRAY);
            check_array(given, function, option);
        }
    }
    assert_int_equal(curvature, 1);
    assert_null(loss_function_option(function, -1));
    assert_null(loss_function_option(function, count));
    assert_status(given->context, loss_function_set_double(function, "no_such_option", 1), LOSS_ERROR_NAME);
    loss_function_free(function);
}

/* ---- numbers that float32 does not have ---- */

enum { EXTREME_ROWS = 12 };

/* The same numbers in float64. */
static batch widened(const batch *narrow)
{
    batch made = batch_create(LOSS_FLOAT64, narrow->rows, narrow->columns, narrow->value_columns,
                              narrow->labels);
    for (int64_t i = 0; i < narrow->rows * narrow->columns; i++) {
        set_element(made.prediction, LOSS_FLOAT64, i, element(narrow->prediction, LOSS_FLOAT32, i));
        set_element(made.target, LOSS_FLOAT64, i, element(narrow->target, LOSS_FLOAT32, i));
        set_element(made.direction, LOSS_FLOAT64, i, element(narrow->direction, LOSS_FLOAT32, i));
    }
    memcpy(made.label, narrow->label, (size_t)narrow->rows * sizeof *made.label);
    return made;
}

static double largest_of(const batch *made, int output)
{
    double largest = 0;
    for (int64_t i = 0; i < made->rows * batch_width(made, output); i++) {
        largest = fmax(largest, fabs(element(made->output[output], made->dtype, i)));
    }
    return largest;
}

static int32_t compare_extreme(const loss_case *given, const vector_group *group, const char *name,
                               double value)
{
    loss_function *function = losses_make(given, group->options);
    batch narrow = batch_of_group(group, EXTREME_ROWS, losses_columns(given, group), given->pointwise),
          wide = widened(&narrow);
    int32_t wrong = 0;
    assert_status(given->context, loss_function_set_double(function, name, value), LOSS_OK);
    assert_status(given->context, batch_evaluate(given->context, function, &narrow), LOSS_OK);
    assert_status(given->context, batch_evaluate(given->context, function, &wide), LOSS_OK);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        const double largest = largest_of(&wide, k);
        for (int64_t i = 0; i < narrow.rows * batch_width(&narrow, k); i++) {
            const double a = element(narrow.output[k], LOSS_FLOAT32, i),
                         b = element(wide.output[k], LOSS_FLOAT64, i);
            if (!extreme_agrees(a, b, largest) && wrong++ == 0) {
                print_error("%s [%s] with %s = %g: %s of %g is %.9g in float32, %.17g in float64\n",
                            given->name, group->options, name, value, batch_output_names[k],
                            element(wide.prediction, LOSS_FLOAT64, i), a, b);
            }
        }
    }
    batch_free(&narrow);
    batch_free(&wide);
    loss_function_free(function);
    return wrong;
}

/* Every number an option takes has a result, also one that float32 does not hold: too small, too large, or not apart from 1. */
void losses_extreme_options(void **state)
{
    const loss_case *given = *state;
    int32_t wrong = 0;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        loss_function *function = losses_make(given, "");
        for (int32_t i = 0; i < loss_function_option_count(function); i++) {
            const loss_option *option = loss_function_option(function, i);
            const double low = loss_option_minimum(option), high = loss_option_maximum(option);
            if (loss_option_type(option) != LOSS_OPTION_DOUBLE) {
                continue;
            }
            wrong += compare_extreme(given, &given->file.groups[g], loss_option_name(option), low);
            wrong += compare_extreme(given, &given->file.groups[g], loss_option_name(option), high);
            for (int k = 0; k < EXTREMES; k++) {
                if (extremes[k] > low && extremes[k] < high) {
                    wrong += compare_extreme(given, &given->file.groups[g], loss_option_name(option),
                                             extremes[k]);
                }
            }
        }
        loss_function_free(function);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the description, the clone, the seal ---- */

static void check_roles(const loss_function *function)
{
    int32_t count = loss_function_role_count(function), weight = 0, mask = 0;
    assert_true(count == 3 + reads_target(function));
    assert_string_equal(loss_function_role(function, 0), "prediction");
    assert_string_equal(loss_function_role(function, 1), reads_target(function) ? "target" : "weight");
    for (int32_t i = 0; i < count; i++) {
        weight += strcmp(loss_function_role(function, i), "weight") == 0;
        mask += strcmp(loss_function_role(function, i), "mask") == 0;
    }
    assert_int_equal(weight, 1);
    assert_int_equal(mask, 1);
    assert_null(loss_function_role(function, -1));
    assert_null(loss_function_role(function, count));
}

static void check_aliases(const loss_case *given, const loss_function *function)
{
    const char *rest = loss_function_aliases(function);
    while (*rest != '\0') {
        char alias[64];
        loss_function *same;
        size_t length = strcspn(rest, " ");
        snprintf(alias, sizeof alias, "%.*s", (int)length, rest);
        assert_status(given->context, loss_function_create(&same, given->context, alias), LOSS_OK);
        assert_string_equal(loss_function_name(same), given->name);
        loss_function_free(same);
        rest += length + (rest[length] == ' ');
    }
}

/* An evaluation seals; a clone has the same options and is open. */
static void check_seal(const loss_case *given, loss_function *function)
{
    int64_t g = losses_next_group(given, -1);
    batch made = batch_of_group(&given->file.groups[g], 3, 1, given->pointwise);
    const char *kind = NULL;
    loss_function *copy;
    assert_status(given->context, loss_function_set_string(function, "curvature", "gauss_newton"), LOSS_OK);
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    assert_status(given->context, loss_function_set_string(function, "curvature", "exact"), LOSS_ERROR_STATE);
    assert_status(given->context, loss_function_clone(&copy, given->context, function), LOSS_OK);
    assert_status(given->context, loss_function_get_string(copy, "curvature", &kind), LOSS_OK);
    assert_string_equal(kind, "gauss_newton");
    assert_status(given->context, loss_function_set_string(copy, "curvature", "exact"), LOSS_OK);
    loss_function_free(copy);
    batch_free(&made);
}

void losses_descriptions(void **state)
{
    static const char *const properties[] = {"convex", "smooth",        "pointwise",     "classification",
                                             "margin", "probabilistic", "integer_target"};
    loss_case *given = *state;
    loss_function *function = losses_make(given, given->file.groups[losses_next_group(given, -1)].options);
    int32_t value;
    assert_string_equal(loss_function_name(function), given->name);
    assert_true(strlen(loss_function_summary(function)) > 0);
    assert_true(strlen(loss_function_formula(function)) > 0);
    assert_true(strlen(loss_function_reference(function)) > 0);
    for (size_t k = 0; k < sizeof properties / sizeof *properties; k++) {
        value = 777;
        assert_status(given->context, loss_function_property(function, properties[k], &value), LOSS_OK);
        assert_true(value == 0 || value == 1);
    }
    value = 777;
    assert_status(given->context, loss_function_property(function, "beautiful", &value), LOSS_ERROR_NAME);
    assert_int_equal(value, 777);
    check_roles(function);
    check_aliases(given, function);
    check_seal(given, function);
    loss_function_free(function);
}
