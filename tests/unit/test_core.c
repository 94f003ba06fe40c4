/* The core: statuses, options, data, random numbers, threads, and the order of sums. */
#include <locale.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/context.h"
#include "core/option.h"
#include "core/random.h"
#include "core/sum.h"
#include "loss/loss.h"
#include "support/allocator.h"
#include "support/check.h"

static loss_context *new_context(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

/* ---- statuses and constants ---- */

static void status_names_are_never_null(void **state)
{
    static const int32_t numbers[] = {0,  1,  -1,  2,    -10,   -101,      -303,
                                      31, 99, -99, 1000, -1000, INT32_MAX, INT32_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_non_null(loss_status_name(numbers[i]));
        assert_true(strlen(loss_status_message(numbers[i])) > 0);
    }
    assert_string_equal(loss_status_name(LOSS_ERROR_LABEL), "LOSS_ERROR_LABEL");
    assert_string_equal(loss_status_name(12345), "LOSS_STATUS_UNKNOWN");
}

static void constants_are_found_by_name(void **state)
{
    static const struct {
        const char *name;
        int32_t value;
    } rows[] = {{"LOSS_OK", 0},
                {"LOSS_ERROR_DOMAIN", -102},
                {"LOSS_STOP_USER", 31},
                {"LOSS_FLOAT64", 2},
                {"LOSS_UINT8", 21},
                {"LOSS_OPTION_ARRAY", 4},
                {"LOSS_REQUEST_NEW_ITERATE", 401},
                {"LOSS_CHECK_KINK", 3}};
    int32_t value = 777;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(loss_constant(rows[i].name, &value), LOSS_OK);
        assert_int_equal(value, rows[i].value);
    }
    value = 777;
    assert_int_equal(loss_constant("LOSS_NOT_THERE", &value), LOSS_ERROR_NAME);
    assert_int_equal(loss_constant(NULL, &value), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_constant("LOSS_OK", NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(value, 777);
}

static void version_agrees_with_the_header(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", LOSS_VERSION_MAJOR, LOSS_VERSION_MINOR, LOSS_VERSION_PATCH);
    assert_string_equal(loss_version_string(), text);
    assert_int_equal(loss_version(), LOSS_VERSION_NUMBER);
    assert_true(loss_numerics_revision() >= 1);
}

/* ---- context ---- */

static void context_keeps_its_options(void **state)
{
    loss_context *context = new_context();
    int64_t threads = 0;
    const char *isa = NULL;
    (void)state;
    assert_int_equal(loss_context_get_int(context, "threads", &threads), LOSS_OK);
    assert_int_equal(threads, 1);
    assert_int_equal(loss_context_set_int(context, "threads", 3), LOSS_OK);
    assert_int_equal(loss_context_set_int(context, "threads", 0), LOSS_ERROR_RANGE);
    assert_string_equal(loss_context_error(context),
                        "the option 'threads' of the context is 1 … 1024, not 0");
    assert_int_equal(loss_context_set_int(context, "thraeds", 2), LOSS_ERROR_NAME);
    assert_non_null(strstr(loss_context_error(context), "did you mean 'threads'?"));
    assert_int_equal(loss_context_set_int(context, "isa", 2), LOSS_ERROR_TYPE);
    assert_int_equal(loss_context_get_int(context, "threads", &threads), LOSS_OK);
    assert_int_equal(threads, 3);
    for (int32_t i = 0; i < loss_context_isa_count(context); i++) {
        assert_int_equal(loss_context_set_string(context, "isa", loss_context_isa_name(context, i)), LOSS_OK);
        assert_int_equal(loss_context_get_string(context, "isa", &isa), LOSS_OK);
        assert_string_equal(isa, loss_context_isa_name(context, i));
    }
    assert_int_equal(loss_context_set_string(context, "isa", "mmx"), LOSS_ERROR_SUPPORT);
    assert_non_null(strstr(loss_context_error(context), "'mmx'"));
    assert_null(loss_context_isa_name(context, -1));
    assert_null(loss_context_isa_name(context, loss_context_isa_count(context)));
    loss_context_free(context);
}

/* Of both kinds of memory: used before, and, when it is large, fresh from the system in large pages. */
static void allocated_memory_is_zero(void **state)
{
    static const int64_t sizes[] = {0, 1, 1000, 100000, (5 << 20) + 3, (40 << 20) + 1};
    loss_context *context = new_context();
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int turn = 0; turn < 3; turn++) {
            unsigned char *block = loss_context_allocate(context, sizes[i]);
            assert_non_null(block);
            for (int64_t k = 0; k < sizes[i]; k++) {
                if (block[k] != 0) {
                    fail_msg("byte %lld of %lld is %d", (long long)k, (long long)sizes[i], block[k]);
                }
            }
            memset(block, 0xa5, (size_t)sizes[i]);
            loss_context_release(context, block);
        }
    }
    assert_null(loss_context_allocate(context, -1));
    loss_context_free(context);
}

static void context_takes_null(void **state)
{
    int64_t number = 777;
    (void)state;
    assert_int_equal(loss_context_create(NULL), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(NULL), "");
    assert_int_equal(loss_context_error_status(NULL), LOSS_OK);
    assert_int_equal(loss_context_error_row(NULL), -1);
    assert_int_equal(loss_context_set_int(NULL, "threads", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_context_get_int(NULL, "threads", &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_context_set_log(NULL, NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_context_set_error(NULL, LOSS_ERROR_FILE, "text"), LOSS_ERROR_FILE);
    assert_null(loss_context_allocate(NULL, 8));
    loss_context_release(NULL, NULL);
    loss_context_free(NULL);
    assert_int_equal(number, 777);
}

static int32_t keep_text(void *user, int32_t level, const char *text)
{
    assert_int_equal(level, 1);
    snprintf(user, 64, "%s", text);
    return 0;
}

static void log_hook_hears_failures(void **state)
{
    loss_context *context = new_context();
    char heard[64] = "";
    (void)state;
    assert_int_equal(loss_context_set_log(context, keep_text, heard), LOSS_OK);
    assert_int_equal(loss_context_set_error(context, LOSS_ERROR_FILE, "no such file"), LOSS_ERROR_FILE);
    assert_string_equal(heard, "no such file");
    assert_string_equal(loss_context_error(context), "no such file");
    assert_int_equal(loss_context_error_status(context), LOSS_ERROR_FILE);
    loss_context_free(context);
}

static void handles_may_be_freed_in_any_order(void **state)
{
    test_allocator allocator = {0};
    loss_context *context;
    loss_function *function;
    loss_data *data;
    (void)state;
    assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator),
                     LOSS_OK);
    assert_int_equal(loss_function_create(&function, context, "huber"), LOSS_OK);
    assert_int_equal(loss_data_create(&data, context), LOSS_OK);
    loss_context_free(context);
    loss_data_free(data);
    loss_function_free(function);
    assert_int_equal(allocator.live, 0);
}

static void numbers_in_sentences_ignore_the_locale(void **state)
{
    char buffer[32];
    (void)state;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL) {
        print_message("  no German locale on this machine: only the C locale is tried\n");
    }
    assert_string_equal(lossi_number(2.385, buffer), "2.385");
    assert_string_equal(lossi_number(-1e300, buffer), "-1e+300");
    assert_string_equal(lossi_number(0.1 + 0.2, buffer), "0.30000000000000004");
    assert_string_equal(lossi_number((double)NAN, buffer), "NaN");
    assert_string_equal(lossi_number(-(double)INFINITY, buffer), "-Infinity");
    setlocale(LC_NUMERIC, "C");
}

/* ---- data ---- */

static void data_refuses_what_cannot_be(void **state)
{
    loss_context *context = new_context();
    loss_data *data;
    double x[6] = {0};
    char longest[64];
    (void)state;
    memset(longest, 'r', sizeof longest);
    longest[48] = '\0';
    assert_int_equal(loss_data_create(NULL, context), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_create(&data, NULL), LOSS_ERROR_ARGUMENT);
    assert_null(data);
    assert_int_equal(loss_data_create(&data, context), LOSS_OK);
    assert_int_equal(loss_data_set_input(data, NULL, x, LOSS_FLOAT64, 6, 1, 1, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_set_input(data, "", x, LOSS_FLOAT64, 6, 1, 1, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_set_input(data, longest, x, LOSS_FLOAT64, 6, 1, 1, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_set_input(data, "target", NULL, LOSS_FLOAT64, 6, 1, 1, 1),
                     LOSS_ERROR_ARGUMENT);
    assert_non_null(strstr(loss_context_error(context), "'target' is NULL"));
    assert_int_equal(loss_data_set_input(data, "target", x, LOSS_FLOAT64, -1, 1, 1, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_set_input(data, "target", x, 99, 6, 1, 1, 1), LOSS_ERROR_TYPE);
    assert_int_equal(loss_data_set_output(data, "gradient", x, LOSS_FLOAT64, 6, 1, 0, 1),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_data_set_double(data, "sclae", 2), LOSS_ERROR_NAME);
    assert_non_null(strstr(loss_context_error(context), "did you mean 'scale'?"));
    assert_int_equal(loss_data_set_double(data, "scale", (double)NAN), LOSS_ERROR_RANGE);
    assert_int_equal(loss_data_set_input(NULL, "target", x, LOSS_FLOAT64, 6, 1, 1, 1), LOSS_ERROR_ARGUMENT);
    for (int i = 0; i < 9; i++) { /* more than the first capacity */
        char role[16];
        snprintf(role, sizeof role, "role_%d", i);
        assert_int_equal(loss_data_set_input(data, role, x, LOSS_FLOAT64, 6, 1, 1, 1), LOSS_OK);
    }
    assert_int_equal(loss_data_set_input(data, "role_4", NULL, LOSS_FLOAT64, 0, 0, 0, 0), LOSS_OK);
    loss_data_free(data);
    loss_data_free(NULL);
    loss_context_free(context);
}

static void data_and_functions_are_sealed_by_use(void **state)
{
    loss_context *context = new_context();
    loss_data *data;
    loss_function *function, *copy;
    double x[3] = {2.385, -1.25, 0.5}, sum = 0;
    (void)state;
    assert_int_equal(loss_data_create(&data, context), LOSS_OK);
    assert_int_equal(loss_data_set_input(data, "prediction", x, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_OK);
    assert_int_equal(loss_data_set_input(data, "target", x, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_OK);
    assert_int_equal(loss_function_create(&function, context, "huber"), LOSS_OK);
    assert_int_equal(loss_function_set_double(function, "delta", 0.75), LOSS_OK);
    assert_int_equal(loss_function_evaluate(context, function, data, NULL, &sum, NULL), LOSS_OK);
    assert_int_equal(loss_data_set_input(data, "weight", x, LOSS_FLOAT64, 3, 1, 1, 1), LOSS_ERROR_STATE);
    assert_int_equal(loss_data_set_double(data, "scale", 2), LOSS_ERROR_STATE);
    assert_int_equal(loss_function_set_double(function, "delta", 2), LOSS_ERROR_STATE);
    assert_non_null(strstr(loss_context_error(context), "sealed"));
    assert_int_equal(loss_function_clone(&copy, context, function), LOSS_OK);
    assert_int_equal(loss_function_set_double(copy, "delta", 2), LOSS_OK);
    loss_function_free(copy);
    loss_function_free(function);
    loss_data_free(data);
    loss_context_free(context);
}

/* ---- random numbers ---- */

/* The known answers published with the generator: Random123, kat_vectors, philox4x32 10. */
static void philox_gives_the_published_words(void **state)
{
    static const struct {
        uint64_t seed, stream, counter;
        uint32_t words[4];
    } rows[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t words[7], later[7];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lossi_philox(rows[i].seed, rows[i].stream, rows[i].counter, words);
        assert_memory_equal(words, rows[i].words, sizeof rows[i].words);
    }
    /* any part of a stream can be computed alone */
    assert_int_equal(loss_random_words(42, 7, 0, 7, words), LOSS_OK);
    assert_int_equal(loss_random_words(42, 7, 3, 4, later), LOSS_OK);
    assert_memory_equal(words + 3, later, 4 * sizeof *later);
}

/* Fisher and Yates from the end, each place from the next number of the stream; around the lengths that are drawn at once. */
static void permutations_are_the_documented_ones(void **state)
{
    enum { MOST = 130 };
    int64_t order[MOST], expected[MOST];
    double u[MOST];
    (void)state;
    for (int64_t count = 0; count <= MOST; count++) {
        assert_int_equal(loss_random_permutation(9, 31, count, order), LOSS_OK);
        assert_int_equal(loss_random_uniform(9, 31, 0, count, u), LOSS_OK);
        for (int64_t i = 0; i < count; i++) {
            expected[i] = i;
        }
        for (int64_t i = count - 1; i > 0; i--) {
            const int64_t j = (int64_t)(u[count - 1 - i] * (double)(i + 1)), moved = expected[i];
            expected[i] = expected[j];
            expected[j] = moved;
        }
        assert_memory_equal(order, expected, (size_t)count * sizeof *order);
    }
}

static void random_numbers_are_uniform_and_permutations_whole(void **state)
{
    enum { COUNT = 10007 };
    static double u[COUNT];
    static int64_t order[COUNT];
    static char seen[COUNT];
    double sum = 0;
    int64_t fixed = 0;
    (void)state;
    assert_int_equal(loss_random_uniform(42, 7, 0, COUNT, u), LOSS_OK);
    for (int i = 0; i < COUNT; i++) {
        assert_true(u[i] >= 0 && u[i] < 1);
        sum += u[i];
    }
    assert_close(sum / COUNT, 0.5, 0, 0.012); /* four standard deviations of the mean */
    assert_int_equal(loss_random_permutation(42, 7, COUNT, order), LOSS_OK);
    for (int i = 0; i < COUNT; i++) {
        assert_true(order[i] >= 0 && order[i] < COUNT);
        assert_int_equal(seen[order[i]]++, 0);
        fixed += order[i] == i;
    }
    assert_true(fixed < 10); /* one is expected */
    assert_int_equal(loss_random_words(0, 0, -1, 1, (uint32_t *)u), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_random_uniform(0, 0, 0, 1, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_random_permutation(0, 0, -1, order), LOSS_ERROR_ARGUMENT);
}

/* ---- sums ---- */

static void rows_are_cut_by_their_shape_alone(void **state)
{
    static const struct {
        int64_t rows, columns, tile_rows, block_rows, slice_rows, slices;
    } cuts[] = {{0, 1, 1024, 4096, 0, 0},       {1, 1, 1024, 4096, 4096, 1},
                {4097, 1, 1024, 4096, 4096, 2}, {1000000, 1, 1024, 4096, 32768, 31},
                {1797, 10, 64, 256, 256, 8},    {8192, 1000, 1, 4, 256, 32},
                {256, 128256, 1, 1, 8, 32},     {5, 0, 1024, 4096, 4096, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        lossi_cut cut = lossi_cut_rows(cuts[i].rows, cuts[i].columns);
        assert_int_equal(cut.tile_rows, cuts[i].tile_rows);
        assert_int_equal(cut.block_rows, cuts[i].block_rows);
        assert_int_equal(cut.slice_rows, cuts[i].slice_rows);
        assert_int_equal(cut.slices, cuts[i].slices);
    }
}

static void sums_have_the_documented_order(void **state)
{
    double lanes[LOSSI_LANES], slices[5] = {0.1, 0.2, 0.3, 0.4, 0.5};
    (void)state;
    for (int i = 0; i < LOSSI_LANES; i++) {
        lanes[i] = 1.0 / (i + 3);
    }
    double e[8];
    for (int i = 0; i < 8; i++) {
        e[i] = lanes[i] + lanes[i + 8];
    }
    double expected = ((e[0] + e[4]) + (e[2] + e[6])) + ((e[1] + e[5]) + (e[3] + e[7]));
    double sum = lossi_sum_lanes(lanes);
    assert_memory_equal(&sum, &expected, sizeof sum);
    expected = ((0.1 + 0.2) + (0.3 + 0.4)) + 0.5;
    sum = lossi_sum_slices(slices, 5);
    assert_memory_equal(&sum, &expected, sizeof sum);
    sum = lossi_sum_slices(slices, 0);
    assert_true(sum == 0 && !signbit(sum));
}

/* ---- threads ---- */

typedef struct tally {
    atomic_int done[1000];
    atomic_int busy[8]; /* workers inside a task */
    atomic_int clashes;
} tally;

static void count_task(void *argument, int64_t index, int32_t worker)
{
    tally *t = argument;
    if (atomic_fetch_add(&t->busy[worker], 1) != 0) {
        atomic_fetch_add(&t->clashes, 1);
    }
    atomic_fetch_add(&t->done[index], 1);
    atomic_fetch_sub(&t->busy[worker], 1);
}

static void every_task_runs_once(void **state)
{
    static const int32_t threads[] = {1, 2, 4, 8, 3};
    loss_context *context = new_context();
    (void)state;
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        assert_int_equal(loss_context_set_int(context, "threads", threads[k]), LOSS_OK);
        for (int round = 0; round < 20; round++) {
            static tally t;
            memset(&t, 0, sizeof t);
            lossi_parallel(context, 1000, count_task, &t);
            for (int i = 0; i < 1000; i++) {
                assert_int_equal(atomic_load(&t.done[i]), 1);
            }
            assert_int_equal(atomic_load(&t.clashes), 0);
        }
    }
    loss_context_free(context);
}

/* Jobs of a few tasks one after another, and now and then a while without any, after which threads have gone to sleep. */
static void short_jobs_run_once(void **state)
{
    enum { JOBS = 3000, TASKS = 7 };
    const struct timespec while_without = {0, 400000};
    loss_context *context = new_context();
    static tally t;
    (void)state;
    for (int32_t threads = 2; threads <= 6; threads += 4) {
        memset(&t, 0, sizeof t);
        assert_int_equal(loss_context_set_int(context, "threads", threads), LOSS_OK);
        for (int job = 0; job < JOBS; job++) {
            lossi_parallel(context, 1 + job % TASKS, count_task, &t);
            for (int i = 0; i < TASKS; i++) { /* job by job: it has ended when the call returns */
                assert_int_equal(atomic_load(&t.done[i]),
                                 job / TASKS * (TASKS - i) + (job % TASKS < i ? 0 : job % TASKS - i + 1));
            }
            if (job % 300 == 299) {
                nanosleep(&while_without, NULL);
            }
        }
        assert_int_equal(atomic_load(&t.clashes), 0);
    }
    loss_context_free(context);
}

/* A child after fork has none of the threads: it works on, alone, and may free the context. */
static void a_child_after_fork_works_on(void **state)
{
    enum { N = 100000 };
    static double prediction[N], target[N], gradient[N];
    loss_context *context = new_context();
    loss_function *function;
    double before = 0, after = 0;
    int status = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        prediction[i] = sin(i * 0.1);
    }
    assert_int_equal(loss_context_set_int(context, "threads", 4), LOSS_OK);
    assert_int_equal(loss_function_create(&function, context, "huber"), LOSS_OK);
    assert_int_equal(loss_function_cost_float64(context, function, N, prediction, target, &before, gradient),
                     LOSS_OK);
    pid_t child = fork();
    if (child == 0) {
        loss_status s = loss_function_cost_float64(context, function, N, prediction, target, &after,
                                                   gradient);
        loss_function_free(function);
        loss_context_free(context);
        _exit(s == LOSS_OK && memcmp(&before, &after, sizeof after) == 0 ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    loss_function_free(function);
    loss_context_free(context);
}

/* ---- names ---- */

static const char *const candidates[] = {"huber", "hinge", "logistic", "squared_error"};

static const char *candidate(const void *names, int32_t index)
{
    return ((const char *const *)names)[index];
}

static void the_nearest_name_is_near(void **state)
{
    static const char *const rows[][2] = {{"hubre", "huber"},
                                          {"Huber", "huber"},
                                          {"hing", "hinge"},
                                          {"logstic", "logistic"},
                                          {"sqared_eror", "squared_error"},
                                          {"completely_other", NULL},
                                          {"", NULL},
                                          {"x", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *nearest = lossi_nearest(rows[i][0], candidate, candidates, 4);
        if (rows[i][1] == NULL) {
            assert_null(nearest);
        } else {
            assert_non_null(nearest);
            assert_string_equal(nearest, rows[i][1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_names_are_never_null),
        cmocka_unit_test(constants_are_found_by_name),
        cmocka_unit_test(version_agrees_with_the_header),
        cmocka_unit_test(context_keeps_its_options),
        cmocka_unit_test(allocated_memory_is_zero),
        cmocka_unit_test(context_takes_null),
        cmocka_unit_test(log_hook_hears_failures),
        cmocka_unit_test(handles_may_be_freed_in_any_order),
        cmocka_unit_test(numbers_in_sentences_ignore_the_locale),
        cmocka_unit_test(data_refuses_what_cannot_be),
        cmocka_unit_test(data_and_functions_are_sealed_by_use),
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(random_numbers_are_uniform_and_permutations_whole),
        cmocka_unit_test(permutations_are_the_documented_ones),
        cmocka_unit_test(rows_are_cut_by_their_shape_alone),
        cmocka_unit_test(sums_have_the_documented_order),
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(short_jobs_run_once),
        cmocka_unit_test(a_child_after_fork_works_on),
        cmocka_unit_test(the_nearest_name_is_near),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
