/* Checkpoints and resuming: from any ask on, a fresh optimizer goes on with the same bits; what is no checkpoint is refused. */
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};

static void *save(const loss_optimizer *optimizer, int64_t *size)
{
    *size = loss_optimizer_save_size(optimizer);
    assert_true(*size > 0);
    char *blob = malloc((size_t)*size + 1);
    assert_non_null(blob);
    /* one byte further: no alignment is asked for */
    assert_int_equal(loss_optimizer_save(optimizer, blob + 1, *size), LOSS_OK);
    memmove(blob, blob + 1, (size_t)*size);
    return blob;
}

/* The optimizer as another process would have it: made anew, everything else from the checkpoint. */
static fixture pass_on(fixture f, int32_t index, const problem *p, loss_dtype dtype)
{
    int64_t size;
    void *blob = save(f.optimizer, &size);
    fixture fresh = {.name = f.name, .stochastic = f.stochastic};
    fixture_drop(&f);
    assert_int_equal(loss_context_create(&fresh.context), LOSS_OK);
    assert_int_equal(loss_optimizer_create(&fresh.optimizer, fresh.context,
                                           loss_optimizer_catalogue_name(index), dtype, p->n),
                     LOSS_OK);
    assert_status(fresh.context, loss_optimizer_load(fresh.optimizer, blob, size), LOSS_OK);
    free(blob);
    return fresh;
}

enum { ALONE, BETWEEN, ASKED };

/* A run answer by answer, handed on to a fresh optimizer after every one: before the next ask or after it. */
static uint64_t relay(int32_t index, loss_dtype dtype, int how, int64_t *answers)
{
    const problem *p = suited(index);
    const run_plan one = {.leave_after = 1};
    fixture f = fixture_make(index, p, dtype);
    uint64_t digest = 17;
    int32_t request;
    void *x = starting_point(p, dtype);
    run_result result = {0};
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 23), LOSS_OK);
    assert_int_equal(loss_optimizer_start(f.optimizer, x), LOSS_OK);
    free(x);
    for (*answers = 0; result.outcome == LOSS_OK; (*answers)++) {
        result = run(f.optimizer, p, dtype, &one);
        digest = digest * 0x100000001b3u ^ result.digest;
        if (how == ASKED && result.outcome == LOSS_OK) {
            assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
        }
        if (how != ALONE) {
            f = pass_on(f, index, p, dtype);
        }
    }
    digest = digest * 0x100000001b3u ^ (uint64_t)get_int(f.optimizer, "iterations");
    fixture_drop(&f);
    return digest;
}

static void every_ask_can_be_saved_and_loaded(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 2; k++) {
            int64_t alone, between, asked;
            uint64_t digest = relay(i, dtypes[k], ALONE, &alone);
            assert_true(alone > 5);
            assert_true(relay(i, dtypes[k], BETWEEN, &between) == digest);
            assert_int_equal(between, alone);
            /* an ask more passes over NEW_ITERATE, which the digest counts; the answers are the same */
            relay(i, dtypes[k], ASKED, &asked);
            assert_int_equal(asked, alone);
        }
    }
}

static uint64_t whole_digest(int32_t index, loss_dtype dtype, int64_t most, int64_t stop_after)
{
    const problem *p = suited(index);
    fixture f = fixture_make(index, p, dtype);
    run_plan plan = {.stop_after = stop_after};
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", most), LOSS_OK);
    run_result result = start_and_run(f.optimizer, p, dtype, &plan);
    if (most < 1000000 || stop_after > 0) {
        assert_int_equal(result.outcome, stop_after > 0 ? LOSS_STOP_USER : LOSS_STOP_EVALUATIONS);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 1000000), LOSS_OK);
        assert_status(f.context, loss_optimizer_resume(f.optimizer), LOSS_OK);
        run(f.optimizer, p, dtype, NULL);
    }
    const void *best = NULL;
    uint64_t digest = 0xcbf29ce484222325u;
    assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_x", &best), LOSS_OK);
    for (int64_t i = 0; i < p->n * (dtype == LOSS_FLOAT64 ? 8 : 4); i++) {
        digest = (digest ^ ((const unsigned char *)best)[i]) * 0x100000001b3u;
    }
    digest ^= (uint64_t)get_int(f.optimizer, "evaluations");
    fixture_drop(&f);
    return digest;
}

static void a_run_stopped_from_outside_can_be_resumed(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 2; k++) {
            uint64_t digest = whole_digest(i, dtypes[k], 1000000, 0);
            for (int64_t at = 1; at < 6; at++) {
                assert_true(whole_digest(i, dtypes[k], at, 0) == digest);
                assert_true(whole_digest(i, dtypes[k], 1000000, at) == digest);
            }
        }
    }
}

static void what_has_ended_cannot_be_resumed(void **unused)
{
    fixture f = fixture_make(index_of("lbfgs"), &rosenbrock, LOSS_FLOAT64);
    (void)unused;
    assert_status(f.context, loss_optimizer_resume(f.optimizer), LOSS_ERROR_STATE);
    assert_int_equal(loss_optimizer_resume(NULL), LOSS_ERROR_ARGUMENT);
    start_and_run(f.optimizer, &rosenbrock, LOSS_FLOAT64, NULL);
    assert_status(f.context, loss_optimizer_resume(f.optimizer), LOSS_ERROR_STATE);
    assert_sentence(f.context, "its run came to an end");
    fixture_drop(&f);
}

static void an_option_of_the_method_ends_it_for_good(void **unused)
{
    fixture f = fixture_make(index_of("lbfgs"), &rosenbrock, LOSS_FLOAT64);
    (void)unused;
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 7), LOSS_OK);
    start_and_run(f.optimizer, &rosenbrock, LOSS_FLOAT64, NULL);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-5), LOSS_OK);
    assert_int_equal(loss_optimizer_resume(f.optimizer), LOSS_OK); /* ends at once: the limit still holds */
    assert_int_equal(run(f.optimizer, &rosenbrock, LOSS_FLOAT64, NULL).answers, 0);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "memory", 3), LOSS_OK);
    assert_status(f.context, loss_optimizer_resume(f.optimizer), LOSS_ERROR_STATE);
    fixture_drop(&f);
}

static void options_come_with_a_checkpoint(void **unused)
{
    int32_t index = index_of("lbfgs");
    fixture f = fixture_make(index, &rosenbrock, LOSS_FLOAT64);
    (void)unused;
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "memory", 3), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 2.385e-4), LOSS_OK);
    start_and_run(f.optimizer, &rosenbrock, LOSS_FLOAT64, &(run_plan){.leave_after = 9});
    f = pass_on(f, index, &rosenbrock, LOSS_FLOAT64);
    assert_int_equal(get_int(f.optimizer, "memory"), 3);
    assert_true(get_double(f.optimizer, "gradient_tolerance") == 2.385e-4);
    assert_int_equal(run(f.optimizer, &rosenbrock, LOSS_FLOAT64, NULL).outcome, LOSS_STOP_GRADIENT);
    assert_true(get_double(f.optimizer, "test_threshold") == 2.385e-4);
    fixture_drop(&f);
}

/* ---- what is refused ---- */

/* A handle in the middle of a run, and what it would go on to do. */
static void refused_and_unchanged(const void *blob, int64_t size, loss_status expected, const char *why)
{
    fixture f = fixture_make(index_of("lbfgs"), &beale, LOSS_FLOAT64);
    start_and_run(f.optimizer, &beale, LOSS_FLOAT64, &(run_plan){.leave_after = 4});
    assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), expected);
    assert_sentence(f.context, why);
    uint64_t after = run(f.optimizer, &beale, LOSS_FLOAT64, NULL).digest;
    fixture_drop(&f);
    f = fixture_make(index_of("lbfgs"), &beale, LOSS_FLOAT64);
    start_and_run(f.optimizer, &beale, LOSS_FLOAT64, &(run_plan){.leave_after = 4});
    assert_true(run(f.optimizer, &beale, LOSS_FLOAT64, NULL).digest == after);
    fixture_drop(&f);
}

static char *beale_checkpoint(int64_t *size)
{
    fixture f = fixture_make(index_of("lbfgs"), &beale, LOSS_FLOAT64);
    start_and_run(f.optimizer, &beale, LOSS_FLOAT64, &(run_plan){.leave_after = 6});
    char *blob = save(f.optimizer, size);
    fixture_drop(&f);
    return blob;
}

static void damage_is_refused(void **unused)
{
    int64_t size;
    char *blob = beale_checkpoint(&size);
    (void)unused;
    for (int64_t i = 0; i < size; i += i < 256 ? 1 : 37) {
        char *damaged = malloc((size_t)size);
        assert_non_null(damaged);
        memcpy(damaged, blob, (size_t)size);
        damaged[i] ^= (char)(1 << (i % 8));
        refused_and_unchanged(damaged, size, LOSS_ERROR_CHECKPOINT, "cannot continue from this checkpoint");
        free(damaged);
    }
    for (int64_t length = 0; length < size; length += 61) {
        refused_and_unchanged(blob, length, LOSS_ERROR_CHECKPOINT, "cannot continue from this checkpoint");
    }
    refused_and_unchanged(blob, -5, LOSS_ERROR_CHECKPOINT, "only the beginning");
    free(blob);
}

static void foreign_checkpoints_are_refused(void **unused)
{
    int64_t size;
    char *blob = beale_checkpoint(&size);
    fixture f = fixture_make(index_of("gradient_descent"), &beale, LOSS_FLOAT64);
    loss_optimizer *other = NULL;
    (void)unused;
    assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), LOSS_ERROR_CHECKPOINT);
    assert_sentence(f.context, "it is of the optimizer 'lbfgs'");
    assert_int_equal(loss_optimizer_create(&other, f.context, "lbfgs", LOSS_FLOAT32, beale.n), LOSS_OK);
    assert_status(f.context, loss_optimizer_load(other, blob, size), LOSS_ERROR_CHECKPOINT);
    assert_sentence(f.context, "float64");
    loss_optimizer_free(other);
    assert_int_equal(loss_optimizer_create(&other, f.context, "lbfgs", LOSS_FLOAT64, beale.n + 5), LOSS_OK);
    assert_status(f.context, loss_optimizer_load(other, blob, size), LOSS_ERROR_CHECKPOINT);
    assert_sentence(f.context, "it has dimension 2, not 7");
    loss_optimizer_free(other);
    fixture_drop(&f);
    free(blob);
}

static void bad_calls_are_refused(void **unused)
{
    int64_t size;
    char *blob = beale_checkpoint(&size), room[16];
    fixture f = fixture_make(index_of("lbfgs"), &beale, LOSS_FLOAT64);
    (void)unused;
    assert_int_equal(loss_optimizer_save_size(NULL), 0);
    assert_int_equal(loss_optimizer_save_size(f.optimizer), 0);
    assert_int_equal(loss_optimizer_save(NULL, blob, size), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_optimizer_save(f.optimizer, NULL, size), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_optimizer_save(f.optimizer, blob, size), LOSS_ERROR_STATE);
    assert_int_equal(loss_optimizer_load(NULL, blob, size), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_optimizer_load(f.optimizer, NULL, size), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), LOSS_OK);
    assert_status(f.context, loss_optimizer_save(f.optimizer, room, sizeof room), LOSS_ERROR_ARGUMENT);
    assert_sentence(f.context, "there is room for");
    fixture_drop(&f);
    free(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of_catalogue(every_ask_can_be_saved_and_loaded),
        test_of_catalogue(a_run_stopped_from_outside_can_be_resumed),
        test_of_catalogue(what_has_ended_cannot_be_resumed),
        test_of_catalogue(an_option_of_the_method_ends_it_for_good),
        test_of_catalogue(options_come_with_a_checkpoint),
        test_of_catalogue(damage_is_refused),
        test_of_catalogue(foreign_checkpoints_are_refused),
        test_of_catalogue(bad_calls_are_refused),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
