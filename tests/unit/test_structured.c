/*
 * Every loss that reads more than predictions and targets, in both element types, against its reference vectors and
 * through what holds for all of them. Nothing here names a loss: a new row and its definition bring their tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "structured.h"
#include "support/allocator.h"
#include "support/batch.h"
#include "support/check.h"
#include "support/pattern.h"
#include "support/vectors.h"

enum { SHOWN = 6, NAME = 80 };

static test_allocator allocator;

loss_function *structured_make(const loss_case *given, const char *options)
{
    loss_function *function;
    assert_status(given->context, loss_function_create(&function, given->context, given->name), LOSS_OK);
    assert_status(given->context, vectors_configure(function, options), LOSS_OK);
    return function;
}

int64_t structured_next(const loss_case *given, int64_t index, int32_t generic)
{
    for (index++; index < given->file.count; index++) {
        const structured_case *c = &given->file.cases[index];
        if (c->dtype == given->dtype && (c->generic || !generic)) {
            return index;
        }
    }
    return -1;
}

/* ---- the reference ---- */

/* The largest size in the row of an output, or in all of it when it is one column. */
static long double largest_beside(const case_array *expected, int64_t i)
{
    const int64_t columns = expected->columns, first = columns > 1 ? i / columns * columns : 0;
    const int64_t end = columns > 1 ? first + columns : expected->rows;
    long double largest = 0;
    for (int64_t j = first; j < end; j++) {
        const long double size = fabsl(expected->exact[j].exact);
        largest = isfinite(size) && size > largest ? size : largest;
    }
    return largest;
}

/* Within k ulp of its own size, or for losses of whole vectors of the largest beside it: those cancel. */
static int is_right(const loss_case *given, const case_array *expected, int64_t i, double got)
{
    const exact_number *e = &expected->exact[i];
    if (exact_contains(e, got, given->file.ulp, given->dtype)) {
        return 1;
    }
    const long double room = given->file.ulp * ulp_of(largest_beside(expected, i), given->dtype);
    return given->file.normwise && isfinite(got) && (long double)got >= e->exact - e->down - room &&
           (long double)got <= e->exact + e->up + room;
}

static int64_t compare(const loss_case *given, const structured_call *call, int32_t k, const char *reference)
{
    const case_array *expected = case_output(call->given, reference);
    int64_t wrong = 0;
    if (expected == NULL) {
        return 0;
    }
    assert_int_equal(expected->rows * expected->columns, call->output_rows[k] * call->output_columns[k]);
    for (int64_t i = 0; i < expected->rows * expected->columns; i++) {
        const double got = call_output(call, k, i / call->output_columns[k], i % call->output_columns[k]);
        if (!is_right(given, expected, i, got) && ++wrong <= SHOWN) {
            const exact_number *e = &expected->exact[i];
            print_error(
                "%s.csv:%d [%s] %s number %lld is %.17g, exact %.20Lg -%.3Lg +%.3Lg (%.3g ulp outside)\n",
                given->name, call->given->line, call->given->options, reference, (long long)i, got, e->exact,
                e->down, e->up, exact_distance(e, got, given->dtype));
        }
    }
    return wrong;
}

static int64_t compare_all(const loss_case *given, const structured_call *call)
{
    int64_t wrong = 0;
    for (int32_t k = 0; k < call->outputs; k++) {
        wrong += compare(given, call, k, call->output_role[k]);
    }
    return wrong;
}

static void test_reference(void **state)
{
    const loss_case *given = *state;
    int64_t wrong = 0, cases = 0;
    for (int64_t c = structured_next(given, -1, 0); c >= 0; c = structured_next(given, c, 0), cases++) {
        loss_function *function = structured_make(given, given->file.cases[c].options);
        structured_call call = call_create(&given->file.cases[c], 1, 0);
        assert_status(given->context, call_evaluate(given->context, function, &call), LOSS_OK);
        wrong += compare_all(given, &call);
        call_free(&call);
        loss_function_free(function);
    }
    assert_true(cases > 3);
    assert_int_equal(wrong, 0);
}

/* The other kinds of curvature: matrices of the reference, or refused; Gauss–Newton is never negative. */
static void check_kind(const loss_case *given, const structured_case *c, const char *kind, int64_t *wrong)
{
    loss_function *function = structured_make(given, c->options);
    structured_call call = call_create(c, 1, 0);
    char name[2 * CASE_NAME];
    int32_t known = 0;
    loss_status status = loss_function_set_string(function, "curvature", kind);
    status = status == LOSS_OK ? call_evaluate(given->context, function, &call) : status;
    for (int32_t k = 1; k + 2 < call.outputs && status == LOSS_OK; k++) {
        if (!call_is_gradient(&call, k) || call_is_gradient(&call, k + 1)) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s%s", (int)strcspn(call.output_role[k], ".") + 1, call.output_role[k],
                 kind);
        known |= case_output(c, name) != NULL;
        *wrong += compare(given, &call, k + 1, name);
        strcat(name, "_product");
        *wrong += compare(given, &call, k + 2, name);
        for (int64_t i = 0; i < call.output_rows[k + 1]; i++) {
            for (int64_t j = 0; j < call.output_columns[k + 1]; j++) {
                assert_false(call_output(&call, k + 1, i, j) < 0);
            }
        }
    }
    if (strcmp(kind, "majorizer") == 0 && !known) {
        assert_status(given->context, status, LOSS_ERROR_SUPPORT);
    } else {
        assert_status(given->context, status, LOSS_OK);
    }
    call_free(&call);
    loss_function_free(function);
}

static void test_curvatures(void **state)
{
    const loss_case *given = *state;
    int64_t wrong = 0;
    for (int64_t c = structured_next(given, -1, 0); c >= 0; c = structured_next(given, c, 0)) {
        check_kind(given, &given->file.cases[c], "gauss_newton", &wrong);
        check_kind(given, &given->file.cases[c], "majorizer", &wrong);
    }
    assert_int_equal(wrong, 0);
}

/* ---- where the numbers lie, and what is asked for ---- */

static void test_layout(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 0); c >= 0; c = structured_next(given, c, 0)) {
        loss_function *function = structured_make(given, given->file.cases[c].options);
        structured_call plain = call_create(&given->file.cases[c], 1, 0);
        structured_call padded = call_create(&given->file.cases[c], 1, 3);
        assert_status(given->context, call_evaluate(given->context, function, &plain), LOSS_OK);
        assert_status(given->context, call_evaluate(given->context, function, &padded), LOSS_OK);
        assert_same_call(&padded, &plain);
        for (int32_t k = 0; k < padded.outputs; k++) { /* nothing between the rows is touched */
            for (int64_t i = 0; i < padded.output_rows[k]; i++) {
                const int64_t columns = padded.output_columns[k];
                assert_close(element(padded.output[k], given->dtype, i * (columns + 3) + columns), 777, 0, 0);
            }
        }
        call_free(&plain);
        call_free(&padded);
        loss_function_free(function);
    }
}

static void test_subsets(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 0); c >= 0; c = structured_next(given, c, 0)) {
        loss_function *function = structured_make(given, given->file.cases[c].options);
        structured_call all = call_create(&given->file.cases[c], 1, 0);
        structured_call one = call_create(&given->file.cases[c], 1, 0);
        assert_status(given->context, call_evaluate(given->context, function, &all), LOSS_OK);
        for (int32_t k = -1; k < all.outputs; k++) {
            one.want = k < 0 ? 0 : 1u << k;
            assert_status(given->context, call_evaluate(given->context, function, &one), LOSS_OK);
            assert_same_call(&one, &all);
        }
        call_free(&all);
        call_free(&one);
        loss_function_free(function);
    }
}

/* Where the bits may not differ: every instruction set, and threads few, dividing nothing, and more than there are slices. */
static const struct {
    const char *isa; /* NULL for that of the machine */
    int64_t threads;
} places[] = {
    {"base", 1}, {"avx2", 2}, {"avx512", 3}, {"neon", 2}, {NULL, 2}, {NULL, 3}, {NULL, 7}, {NULL, 64},
};

static void check_places(const structured_case *given, const loss_function *function,
                         const structured_call *many, int32_t isas)
{
    for (size_t s = 0; s < sizeof places / sizeof *places; s++) {
        if (places[s].isa != NULL && !isas) {
            continue;
        }
        structured_call again = call_create(given, many->copies, 0);
        loss_context *context;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_context_set_int(context, "threads", places[s].threads), LOSS_OK);
        if (places[s].isa == NULL || loss_context_set_string(context, "isa", places[s].isa) == LOSS_OK) {
            assert_status(context, call_evaluate(context, function, &again), LOSS_OK);
            assert_same_call(&again, many);
        }
        call_free(&again);
        loss_context_free(context);
    }
}

/* Each of many copies gives what one gives, and they add up. */
static void check_copies(const structured_call *many, const structured_call *one)
{
    const double copies = (double)many->copies;
    for (int32_t k = 0; k < one->outputs; k++) {
        for (int64_t i = 0; i < many->output_rows[k] && many->output_rows[k] != one->output_rows[k]; i++) {
            for (int64_t j = 0; j < one->output_columns[k]; j++) {
                assert_true(
                    same_bits(call_output(many, k, i, j), call_output(one, k, i % one->output_rows[k], j)));
            }
        }
    }
    assert_close(many->sum, copies * one->sum, 1e-12, 1e-12 * copies);
    assert_close(many->denominator, copies * one->denominator, 1e-12, 0);
}

/*
 * Many copies give, each, what one gives; for any number of threads and on every instruction set the same bits. As many as fill
 * lanes, tiles and blocks, one fewer and one more, and enough for slices of several blocks.
 */
static void test_copies(void **state)
{
    enum { LONG = 80000 };
    static const int64_t elements[] = {16, 1024, 4096, LONG};
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one_case = &given->file.cases[c];
        const int64_t numbers = one_case->input[0].rows * one_case->input[0].columns;
        loss_function *function = structured_make(given, one_case->options);
        structured_call one = call_create(one_case, 1, 0);
        assert_status(given->context, call_evaluate(given->context, function, &one), LOSS_OK);
        /* without offsets a group is all there is: copies would be another one */
        const int32_t single = one.output_rows[0] != one.input_rows[0] &&
                               case_input(one_case, "offsets") == NULL;
        for (size_t i = 0; i < 3 * sizeof elements / sizeof *elements && !single; i++) {
            const int64_t whole = elements[i / 3] / (numbers > 0 ? numbers : 1);
            const int64_t copies = whole + (int64_t)(i % 3) - 1;
            if (copies < 1 || (elements[i / 3] == LONG && i % 3 != 2)) {
                continue;
            }
            structured_call many = call_create(one_case, copies, 0);
            assert_status(given->context, call_evaluate(given->context, function, &many), LOSS_OK);
            check_copies(&many, &one);
            check_places(one_case, function, &many, elements[i / 3] == LONG);
            call_free(&many);
        }
        call_free(&one);
        loss_function_free(function);
    }
}

/* ---- weights, masks, scale ---- */

static void *numbers(loss_dtype dtype, int64_t count, double first, double step)
{
    void *made = calloc((size_t)count + 1, (size_t)loss_dtype_size(dtype));
    assert_non_null(made);
    for (int64_t i = 0; i < count; i++) {
        set_element(made, dtype, i, first + step * (double)(i % 3));
    }
    return made;
}

/* Equal weights of a power of two multiply everything, exactly; losses that weigh inside say so by their shape. */
static void test_weights(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        loss_function *function = structured_make(given, given->file.cases[c].options);
        structured_call plain = call_create(&given->file.cases[c], 2, 0);
        structured_call weighed = call_create(&given->file.cases[c], 2, 0);
        weighed.weight_rows = weighed.output_rows[0];
        weighed.weight = numbers(given->dtype, weighed.weight_rows, 4, 0);
        loss_status status = call_evaluate(given->context, function, &weighed);
        if (status == LOSS_ERROR_SHAPE) { /* one a row, inside the formula: the oracle has these cases */
            assert_true(weighed.weight_rows != weighed.input_rows[0]);
        } else if (case_input(&given->file.cases[c], "weight") == NULL) {
            assert_status(given->context, status, LOSS_OK);
            assert_status(given->context, call_evaluate(given->context, function, &plain), LOSS_OK);
            for (int32_t k = 0; k < plain.outputs; k++) {
                for (int64_t i = 0; i < plain.output_rows[k]; i++) {
                    for (int64_t j = 0; j < plain.output_columns[k]; j++) {
                        assert_close(call_output(&weighed, k, i, j), 4 * call_output(&plain, k, i, j),
                                     given->dtype == LOSS_FLOAT32 ? 1e-6 : 1e-14, 0);
                    }
                }
            }
            assert_close(weighed.sum, 4 * plain.sum, 1e-14, 0);
            assert_close(weighed.denominator, 4 * plain.denominator, 1e-14, 0);
        }
        call_free(&plain);
        call_free(&weighed);
        loss_function_free(function);
    }
}

/* Masked rows are as if they were not there, whatever stands in them, and their outputs are 0. */
static void test_masks(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one_case = &given->file.cases[c];
        loss_function *function = structured_make(given, one_case->options);
        structured_call one = call_create(one_case, 1, 0), two = call_create(one_case, 2, 0);
        const int64_t rows = one.input_rows[0];
        two.mask = calloc((size_t)(2 * rows), 1);
        memset(two.mask, 1, (size_t)rows);
        for (int32_t k = 0; k < one_case->inputs; k++) { /* the second copy is rubbish */
            for (int64_t i = rows; i < two.input_rows[k] && two.input_rows[k] == 2 * rows; i++) {
                for (int64_t j = 0; j < one_case->input[k].columns && !one_case->input[k].integers; j++) {
                    call_set_input(&two, k, i, j, NAN);
                }
            }
        }
        assert_status(given->context, call_evaluate(given->context, function, &one), LOSS_OK);
        const int32_t single = one.output_rows[0] != rows && case_input(one_case, "offsets") == NULL;
        if (!single) {
            assert_status(given->context, call_evaluate(given->context, function, &two), LOSS_OK);
            assert_true(same_bits(two.sum, one.sum));
            assert_true(same_bits(two.denominator, one.denominator));
        }
        for (int32_t k = 0; k < one.outputs && !single; k++) {
            for (int64_t i = 0; i < two.output_rows[k]; i++) {
                for (int64_t j = 0; j < one.output_columns[k]; j++) {
                    const double got = call_output(&two, k, i, j);
                    assert_true(i < one.output_rows[k] ? same_bits(got, call_output(&one, k, i, j))
                                                       : same_bits(got, 0));
                }
            }
        }
        call_free(&one);
        call_free(&two);
        loss_function_free(function);
    }
}

static void test_scale(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        loss_function *function = structured_make(given, given->file.cases[c].options);
        structured_call plain = call_create(&given->file.cases[c], 1, 0);
        structured_call scaled = call_create(&given->file.cases[c], 1, 0);
        scaled.scale = -0.25;
        assert_status(given->context, call_evaluate(given->context, function, &plain), LOSS_OK);
        assert_status(given->context, call_evaluate(given->context, function, &scaled), LOSS_OK);
        for (int32_t k = 0; k < plain.outputs; k++) {
            for (int64_t i = 0; i < plain.output_rows[k]; i++) {
                for (int64_t j = 0; j < plain.output_columns[k]; j++) {
                    assert_close(call_output(&scaled, k, i, j),
                                 (k == 0 ? 1 : -0.25) * call_output(&plain, k, i, j),
                                 given->dtype == LOSS_FLOAT32 ? 1e-6 : 1e-14, 0);
                }
            }
        }
        assert_true(same_bits(scaled.sum, plain.sum));
        call_free(&plain);
        call_free(&scaled);
        loss_function_free(function);
    }
}

/* ---- derivatives by differences: in float64, float32 has too few digits ---- */

static void test_differences(void **state)
{
    static const double step = 1e-5;
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one = &given->file.cases[c];
        loss_function *function = structured_make(given, one->options);
        structured_call here = call_create(one, 1, 0);
        assert_status(given->context, call_evaluate(given->context, function, &here), LOSS_OK);
        for (int32_t output = 1; output < here.outputs; output++) {
            int32_t k = 0;
            if (!call_is_gradient(&here, output)) {
                continue;
            }
            here.output_role[output][strcspn(here.output_role[output], ".")] = 0;
            while (strcmp(one->input[k].role, here.output_role[output]) != 0) {
                k++;
            }
            const case_array *moving = &one->input[k];
            double slope = 0, moved[2];
            for (int64_t i = 0; i < moving->rows; i++) {
                for (int64_t j = 0; j < moving->columns; j++) {
                    slope += call_output(&here, output, i, j) * (4 * scatter(i * moving->columns + j) - 2);
                }
            }
            for (int side = 0; side < 2; side++) {
                structured_call there = call_create(one, 1, 0);
                for (int64_t i = 0; i < moving->rows; i++) {
                    for (int64_t j = 0; j < moving->columns; j++) {
                        const double by = (side == 0 ? -step : step) *
                                          (4 * scatter(i * moving->columns + j) - 2);
                        call_set_input(&there, k, i, j, call_input(&there, k, i, j) + by);
                    }
                }
                assert_status(given->context, call_evaluate(given->context, function, &there), LOSS_OK);
                moved[side] = there.sum;
                call_free(&there);
            }
            assert_close((moved[1] - moved[0]) / (2 * step), slope, 1e-6, 1e-6 * (1 + fabs(here.sum)));
        }
        call_free(&here);
        loss_function_free(function);
    }
}

/* ---- the catalogue ---- */

typedef struct named_test {
    const char *name;
    CMUnitTestFunction function;
    loss_dtype only;
} named_test;

static const named_test named_tests[] = {
    {"reference", test_reference, 0},
    {"curvatures", test_curvatures, 0},
    {"layout", test_layout, 0},
    {"subsets", test_subsets, 0},
    {"copies", test_copies, 0},
    {"weights", test_weights, 0},
    {"masks", test_masks, 0},
    {"scale", test_scale, 0},
    {"nan", structured_test_nan, 0},
    {"roles", structured_test_roles, 0},
    {"missing", structured_test_missing, 0},
    {"role_docs", structured_test_role_docs, LOSS_FLOAT64},
    {"turned", structured_test_turned, LOSS_FLOAT64},
    {"bounds", structured_test_bounds, 0},
    {"no_constant", structured_test_no_constant, 0},
    {"extreme_options", structured_test_extreme_options, LOSS_FLOAT32},
    {"differences", test_differences, LOSS_FLOAT64},
};

enum { TESTS = sizeof named_tests / sizeof *named_tests, DTYPES = 2 };

static int is_of(const named_test *test, loss_dtype dtype)
{
    return test->only == 0 || test->only == dtype;
}

static const char *name_of(const named_test *test, const loss_case *given, char name[NAME])
{
    snprintf(name, NAME, "%s/%s/%s", given->name, loss_dtype_name(given->dtype), test->name);
    return name;
}

/* Whether a test of the loss is wanted at all. */
static int is_wanted(const char *pattern, const loss_case *given)
{
    char name[NAME];
    for (int k = 0; k < TESTS; k++) {
        if (is_of(&named_tests[k], given->dtype) &&
            pattern_holds(pattern, name_of(&named_tests[k], given, name))) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : NULL;
    static const loss_dtype dtypes[DTYPES] = {LOSS_FLOAT32, LOSS_FLOAT64};
    int count = loss_function_catalogue_count() * DTYPES, failed = 0, used = 0, made = 0;
    loss_case *cases = calloc((size_t)count, sizeof *cases);
    struct CMUnitTest *tests = calloc((size_t)count * TESTS, sizeof *tests);
    char(*names)[NAME] = calloc((size_t)count * TESTS, NAME);
    if (cases == NULL || tests == NULL || names == NULL) {
        return EXIT_FAILURE;
    }
    for (int i = 0; i < count; i++) {
        loss_case *one = &cases[made];
        one->name = loss_function_catalogue_name(i / DTYPES);
        one->dtype = dtypes[i % DTYPES];
        if (!is_structured(one->name) || !is_wanted(pattern, one)) {
            continue;
        }
        const int wrong = cases_read(one->name, &one->file);
        if (wrong != 0) {
            fprintf(stderr,
                    wrong < 0 ? "%s has no reference vectors\n" : "%s: line %d of the vectors is wrong\n",
                    one->name, wrong);
            failed = 1;
            continue;
        }
        failed |= loss_context_create_with_allocator(&one->context, test_allocate, test_release,
                                                     &allocator) != LOSS_OK;
        made++;
        for (int k = 0; k < TESTS; k++) {
            name_of(&named_tests[k], one, names[used]);
            if (is_of(&named_tests[k], one->dtype) && pattern_holds(pattern, names[used])) {
                tests[used] = (struct CMUnitTest){names[used], named_tests[k].function, NULL, NULL, one};
                used++;
            }
        }
    }
    failed = pattern_finds_nothing(pattern, (size_t)used, "test_losses") || failed;
    failed = _cmocka_run_group_tests("structured", tests, (size_t)used, NULL, NULL) != 0 || failed;
    for (int i = 0; i < made; i++) {
        cases_free(&cases[i].file);
        loss_context_free(cases[i].context);
    }
    if (allocator.live != 0) {
        fprintf(stderr, "%lld blocks were not freed\n", (long long)allocator.live);
        failed = 1;
    }
    free(cases);
    free(tests);
    free(names);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
