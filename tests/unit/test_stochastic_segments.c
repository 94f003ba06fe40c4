/* Segments of the parameters: where they may lie, what they are called, and that their options hold in them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stochastic.h"
#include "support/allocator.h"
#include "support/check.h"

static loss_context *context_create(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static loss_optimizer *with_segments(loss_context *context)
{
    loss_optimizer *optimizer = stochastic_create(context, "adamw", "weight_decay=0.125 samples=4",
                                                  LOSS_FLOAT64, 30);
    assert_status(context, loss_optimizer_add_segment(optimizer, "hidden", 5, 2, 5), LOSS_OK);
    assert_status(context, loss_optimizer_add_segment(optimizer, "bias", 0, 1, 5), LOSS_OK);
    assert_status(context, loss_optimizer_add_segment(optimizer, "end", 15, 1, 5), LOSS_OK);
    return optimizer;
}

static void a_segment_lies_inside_and_beside_the_others(void **unused)
{
    static const struct {
        const char *name;
        int64_t offset, rows, columns;
        loss_status status;
    } bad[] = {{NULL, 20, 1, 1, LOSS_ERROR_ARGUMENT},     {"", 20, 1, 1, LOSS_ERROR_ARGUMENT},
               {"hidden", 20, 1, 1, LOSS_ERROR_ARGUMENT}, {"a", -1, 1, 1, LOSS_ERROR_ARGUMENT},
               {"a", 20, 0, 1, LOSS_ERROR_ARGUMENT},      {"a", 20, 1, -3, LOSS_ERROR_ARGUMENT},
               {"a", 30, 1, 1, LOSS_ERROR_SHAPE},         {"a", 20, 1, 11, LOSS_ERROR_SHAPE},
               {"a", 20, INT64_MAX, 3, LOSS_ERROR_SHAPE}, {"a", 20, 3, INT64_MAX, LOSS_ERROR_SHAPE},
               {"a", 19, 2, 3, LOSS_ERROR_ARGUMENT},      {"a", 14, 1, 1, LOSS_ERROR_ARGUMENT},
               {"a", 0, 1, 30, LOSS_ERROR_ARGUMENT},      {"a", 4, 1, 2, LOSS_ERROR_ARGUMENT},
               {"a", 7, 1, 2, LOSS_ERROR_ARGUMENT}};
    loss_context *context = context_create();
    loss_optimizer *optimizer = with_segments(context);
    char name[80];
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            loss_optimizer_add_segment(optimizer, bad[i].name, bad[i].offset, bad[i].rows, bad[i].columns),
            bad[i].status);
    }
    assert_sentence(context, "overlaps 'hidden'");
    assert_int_equal(loss_optimizer_add_segment(NULL, "a", 20, 1, 1), LOSS_ERROR_ARGUMENT);
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    assert_int_equal(loss_optimizer_add_segment(optimizer, name, 20, 1, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_segment_count(optimizer), 3);
    name[63] = '\0';
    assert_int_equal(loss_optimizer_add_segment(optimizer, name, 20, 1, 10), LOSS_OK);
    assert_int_equal(loss_optimizer_segment_count(optimizer), 4);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

static void segments_are_found_by_name_and_number(void **unused)
{
    loss_context *context = context_create();
    loss_optimizer *optimizer = with_segments(context);
    int64_t integer = -7;
    (void)unused;
    assert_string_equal(loss_optimizer_segment_name(optimizer, 0), "bias"); /* by their offsets */
    assert_string_equal(loss_optimizer_segment_name(optimizer, 1), "hidden");
    assert_string_equal(loss_optimizer_segment_name(optimizer, 2), "end");
    assert_null(loss_optimizer_segment_name(optimizer, 3));
    assert_null(loss_optimizer_segment_name(optimizer, -1));
    assert_null(loss_optimizer_segment_name(NULL, 0));
    assert_int_equal(loss_optimizer_segment_count(NULL), 0);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hidden", "rows", &integer), LOSS_OK);
    assert_int_equal(integer, 2);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hidden", "columns", &integer), LOSS_OK);
    assert_int_equal(integer, 5);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "end", "offset", &integer), LOSS_OK);
    assert_int_equal(integer, 15);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hidden", "cols", &integer), LOSS_ERROR_NAME);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hiden", "rows", &integer), LOSS_ERROR_NAME);
    assert_sentence(context, "did you mean 'hidden'");
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hidden", "rows", NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, "hidden", NULL, &integer),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_segment_int(optimizer, NULL, "rows", &integer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_segment_int(NULL, "hidden", "rows", &integer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(integer, 15);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

static void options_of_segments_are_checked(void **unused)
{
    static const struct {
        const char *segment, *option;
        double value;
        loss_status status;
    } bad[] = {{"hidden", "weight_decay", -0.5, LOSS_ERROR_RANGE},
               {"hidden", "weight_decay", (double)NAN, LOSS_ERROR_RANGE},
               {"hidden", "orthogonalize", 2.0, LOSS_ERROR_RANGE},
               {"hidden", "weight", 0.5, LOSS_ERROR_NAME},
               {"hiddne", "weight_decay", 0.5, LOSS_ERROR_NAME},
               {"hidden", NULL, 0.5, LOSS_ERROR_ARGUMENT},
               {NULL, "weight_decay", 0.5, LOSS_ERROR_ARGUMENT}};
    loss_context *context = context_create();
    loss_optimizer *optimizer = with_segments(context),
                   *lbfgs = stochastic_create(context, "lbfgs", "", LOSS_FLOAT64, 30);
    double number = -7.0;
    (void)unused;
    assert_int_equal(loss_optimizer_get_segment_double(optimizer, "hidden", "weight_decay", &number),
                     LOSS_OK);
    assert_close(number, 0.125, 0.0, 0.0); /* the optimizer's, until it has its own */
    assert_int_equal(loss_optimizer_set_segment_double(optimizer, "hidden", "weight_decay", 0.5), LOSS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            loss_optimizer_set_segment_double(optimizer, bad[i].segment, bad[i].option, bad[i].value),
            bad[i].status);
        if (i == 0) {
            assert_sentence(context, "the option 'weight_decay' of the segment 'hidden' is");
        }
    }
    assert_int_equal(loss_optimizer_set_segment_double(NULL, "hidden", "weight_decay", 0.5),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_segment_double(optimizer, "hidden", "weight_decay", &number),
                     LOSS_OK);
    assert_close(number, 0.5, 0.0, 0.0);
    assert_int_equal(loss_optimizer_get_segment_double(optimizer, "hidden", "weight_decay", NULL),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_segment_double(NULL, "hidden", "weight_decay", &number),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_add_segment(lbfgs, "hidden", 5, 2, 5),
                     LOSS_OK); /* kept, without options */
    assert_int_equal(loss_optimizer_set_segment_double(lbfgs, "hidden", "weight_decay", 0.5),
                     LOSS_ERROR_SUPPORT);
    loss_optimizer_free(optimizer);
    loss_optimizer_free(lbfgs);
    loss_context_free(context);
}

static void nothing_of_them_changes_during_a_run(void **unused)
{
    loss_context *context = context_create();
    loss_optimizer *optimizer = with_segments(context);
    void *x = stochastic_start_vector(LOSS_FLOAT64, 30);
    (void)unused;
    assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
    assert_int_equal(loss_optimizer_add_segment(optimizer, "late", 25, 1, 1), LOSS_ERROR_STATE);
    assert_int_equal(loss_optimizer_set_segment_double(optimizer, "bias", "weight_decay", 0.5),
                     LOSS_ERROR_STATE);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, NULL), LOSS_ERROR_STATE);
    assert_int_equal(loss_optimizer_segment_count(optimizer), 3);
    free(x);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* More than fit at first, and memory that runs out on the way: what was there stays. */
static void many_segments_survive_a_lack_of_memory(void **unused)
{
    test_allocator counter = {0};
    loss_context *context = NULL;
    loss_optimizer *optimizer = NULL;
    char name[16];
    (void)unused;
    assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &counter),
                     LOSS_OK);
    assert_int_equal(loss_optimizer_create(&optimizer, context, "adam", LOSS_FLOAT32, 100), LOSS_OK);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "part %d", i);
        counter.fail_at = i % 3 == 0 ? counter.calls + 1 : 0;
        loss_status status = loss_optimizer_add_segment(optimizer, name, 99 - i, 1, 1);
        if (status == LOSS_ERROR_MEMORY) {
            assert_int_equal(loss_optimizer_segment_count(optimizer), i);
            status = loss_optimizer_add_segment(optimizer, name, 99 - i, 1, 1);
        }
        assert_int_equal(status, LOSS_OK);
    }
    counter.fail_at = 0;
    assert_true(counter.failed >= 1);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "part %d", 99 - i);
        assert_string_equal(loss_optimizer_segment_name(optimizer, i), name);
    }
    loss_optimizer_free(optimizer);
    loss_context_free(context);
    assert_int_equal(counter.live, 0);
}

/* Plain descent with rate 0.5 and weight decay 0.25: 0 … 2 as the optimizer, 3 … 6 doubled without decay, 7 … 8 frozen. */
static void options_of_segments_hold_in_them(void **unused)
{
    loss_context *context = context_create();
    (void)unused;
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        loss_optimizer *optimizer = stochastic_create(
            context, decoupled ? "lion" : "sgd",
            "samples=10 batch_size=1 learning_rate=0.5 weight_decay=0.25", LOSS_FLOAT64, 9);
        if (!decoupled) {
            stochastic_set(context, optimizer, "momentum=0");
        }
        double *x = stochastic_start_vector(LOSS_FLOAT64, 9);
        assert_int_equal(loss_optimizer_add_segment(optimizer, "free", 3, 2, 2), LOSS_OK);
        assert_int_equal(loss_optimizer_add_segment(optimizer, "frozen", 7, 1, 2), LOSS_OK);
        assert_int_equal(loss_optimizer_set_segment_double(optimizer, "free", "learning_rate_scale", 2.0),
                         LOSS_OK);
        assert_int_equal(loss_optimizer_set_segment_double(optimizer, "free", "weight_decay", 0.0), LOSS_OK);
        assert_int_equal(loss_optimizer_set_segment_double(optimizer, "frozen", "learning_rate_scale", 0.0),
                         LOSS_OK);
        assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
        assert_int_equal(stochastic_feed(optimizer, LOSS_FLOAT64, 9, 1), 1);
        for (int i = 0; i < 9; i++) {
            double rate = i < 3 ? 0.5 : i < 7 ? 1.0 : 0.0, decay = i < 3 || i > 6 ? 0.25 : 0.0;
            double g = stochastic_gradient(1, i), u = decoupled ? copysign(1.0, g) : g;
            assert_close(((const double *)stochastic_x(optimizer))[i], x[i] - rate * (u + decay * x[i]),
                         1e-15, 1e-15);
        }
        free(x);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_lies_inside_and_beside_the_others),
        cmocka_unit_test(segments_are_found_by_name_and_number),
        cmocka_unit_test(options_of_segments_are_checked),
        cmocka_unit_test(nothing_of_them_changes_during_a_run),
        cmocka_unit_test(many_segments_survive_a_lack_of_memory),
        cmocka_unit_test(options_of_segments_hold_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
