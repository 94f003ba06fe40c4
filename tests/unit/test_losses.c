/*
 * Every loss of the catalogue, in both element types, through every test of losses.h. Nothing here names a loss: a new row
 * and its definition bring their tests.
 */
#include "losses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/allocator.h"
#include "support/pattern.h"
#include "support/vectors.h"

typedef struct named_test {
    const char *name;
    CMUnitTestFunction function;
    loss_dtype only; /* 0 for both element types */
} named_test;

static const named_test named_tests[] = {
    {"reference", losses_reference, 0},
    {"reference_one_by_one", losses_reference_one_by_one, 0},
    {"gauss_newton", losses_gauss_newton, 0},
    {"majorizer", losses_majorizer, 0},
    {"majorizer_bounds", losses_majorizer_bounds, LOSS_FLOAT64},
    {"differences", losses_differences, LOSS_FLOAT64},
    {"tails", losses_tails, 0},
    {"strides", losses_strides, 0},
    {"broadcast", losses_broadcast, 0},
    {"subsets", losses_subsets, 0},
    {"in_place", losses_in_place, 0},
    {"determinism", losses_determinism, 0},
    {"weights", losses_weights, 0},
    {"masks", losses_masks, 0},
    {"nothing", losses_nothing, 0},
    {"nan", losses_nan, 0},
    {"scale", losses_scale, 0},
    {"short_calls", losses_short_calls, 0},
    {"options", losses_options, 0},
    {"extreme_options", losses_extreme_options, LOSS_FLOAT32},
    {"descriptions", losses_descriptions, 0},
    {"convexity", losses_convexity, 0},
    {"bounds", losses_bounds, 0},
    {"bounds_reached", losses_bounds_reached, LOSS_FLOAT64},
    {"continuity", losses_continuity, LOSS_FLOAT64},
    {"properties", losses_properties, 0},
    {"best_constant", losses_best_constant, LOSS_FLOAT64}, /* its numbers are float64 whatever the data */
    {"parts", losses_parts, 0},
};

enum { TESTS = sizeof named_tests / sizeof *named_tests, DTYPES = 2, NAME = 64 };

static test_allocator allocator;

/* ---- shared by the tests ---- */

loss_function *losses_make(const loss_case *given, const char *options)
{
    loss_function *function;
    assert_status(given->context, loss_function_create(&function, given->context, given->name), LOSS_OK);
    assert_status(given->context, vectors_configure(function, options), LOSS_OK);
    return function;
}

int64_t losses_next_group(const loss_case *given, int64_t index)
{
    for (index++; index < given->file.count; index++) {
        const vector_group *group = &given->file.groups[index];
        for (int64_t i = 0; i < group->rows && group->dtype == given->dtype; i++) {
            if (group->generic[i]) {
                return index;
            }
        }
    }
    return -1;
}

int64_t losses_columns(const loss_case *given, const vector_group *group)
{
    return given->pointwise ? 3 : group->columns;
}

/* ---- the catalogue ---- */

static int is_of(const named_test *test, loss_dtype dtype)
{
    return test->only == 0 || test->only == dtype;
}

static const char *name_of(const named_test *test, const char *loss, loss_dtype dtype, char name[NAME])
{
    snprintf(name, NAME, "%s/%s/%s", loss, loss_dtype_name(dtype), test->name);
    return name;
}

/* Whether a test of the loss is wanted at all. */
static int is_wanted(const char *pattern, const char *loss, loss_dtype dtype)
{
    char name[NAME];
    for (int k = 0; k < TESTS; k++) {
        if (is_of(&named_tests[k], dtype) &&
            pattern_holds(pattern, name_of(&named_tests[k], loss, dtype, name))) {
            return 1;
        }
    }
    return 0;
}

static void read_properties(loss_case *made)
{
    loss_function *function = NULL;
    if (loss_function_create(&function, made->context, made->name) == LOSS_OK) {
        loss_function_property(function, "pointwise", &made->pointwise);
        loss_function_property(function, "integer_target", &made->integer_target);
    }
    loss_function_free(function);
}

static int make_case(loss_case *made, const char *name, loss_dtype dtype)
{
    int wrong;
    made->name = name;
    made->dtype = dtype;
    if (loss_context_create_with_allocator(&made->context, test_allocate, test_release, &allocator) !=
        LOSS_OK) {
        return -1;
    }
    read_properties(made);
    wrong = vectors_read(name, &made->file);
    if (wrong != 0) {
        fprintf(stderr, wrong < 0 ? "%s has no reference vectors\n" : "%s: line %d of the vectors is wrong\n",
                name, wrong);
    }
    return wrong;
}

static int free_cases(loss_case *cases, int count)
{
    for (int i = 0; i < count; i++) {
        vectors_free(&cases[i].file);
        loss_context_free(cases[i].context);
    }
    if (allocator.live != 0) {
        fprintf(stderr, "%lld blocks of %lld bytes were not freed\n", (long long)allocator.live,
                (long long)allocator.live_bytes);
    }
    return allocator.live != 0;
}

int main(int argc, char **argv)
{
    static const loss_dtype dtypes[DTYPES] = {LOSS_FLOAT32, LOSS_FLOAT64};
    const char *pattern = argc > 1 ? argv[1] : NULL;
    int count = loss_function_catalogue_count() * DTYPES, failed = 0, used = 0;
    loss_case *cases = calloc((size_t)count, sizeof *cases);
    struct CMUnitTest *tests = calloc((size_t)count * TESTS, sizeof *tests);
    char(*names)[NAME] = calloc((size_t)count * TESTS, NAME);

    if (count == 0 || cases == NULL || tests == NULL || names == NULL) {
        return EXIT_FAILURE;
    }
    for (int i = 0; i < count; i++) {
        const char *loss = loss_function_catalogue_name(i / DTYPES);
        const loss_dtype dtype = dtypes[i % DTYPES];
        if (is_structured(loss) || !is_wanted(pattern, loss, dtype)) {
            continue;
        }
        failed |= make_case(&cases[i], loss, dtype) != 0;
        for (int k = 0; k < TESTS; k++) {
            name_of(&named_tests[k], loss, dtype, names[used]);
            if (is_of(&named_tests[k], dtype) && pattern_holds(pattern, names[used])) {
                tests[used] = (struct CMUnitTest){names[used], named_tests[k].function, NULL, NULL,
                                                  &cases[i]};
                used++;
            }
        }
    }
    failed = pattern_finds_nothing(pattern, (size_t)used, "test_structured") || failed;
    failed = failed || _cmocka_run_group_tests("losses", tests, (size_t)used, NULL, NULL) != 0;
    failed = free_cases(cases, count) || failed;
    free(cases);
    free(tests);
    free(names);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
