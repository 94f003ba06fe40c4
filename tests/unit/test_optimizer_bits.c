/* What a run costs and gives whatever it runs on: no allocation after the start, failing ones survived, the same bits. */
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/allocator.h"
#include "support/check.h"

static void nothing_is_allocated_during_a_run(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        test_allocator counter = {0};
        loss_context *context = NULL;
        loss_optimizer *optimizer = NULL;
        void *x = starting_point(&logistic, LOSS_FLOAT32);
        assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &counter),
                         LOSS_OK);
        assert_int_equal(loss_optimizer_create(&optimizer, context, loss_optimizer_catalogue_name(i),
                                               LOSS_FLOAT32, logistic.n),
                         LOSS_OK);
        loss_optimizer_set_int(optimizer, "samples", LOGISTIC_SAMPLES); /* only stochastic methods have it */
        assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
        int64_t calls = counter.calls;
        run(optimizer, &logistic, LOSS_FLOAT32, NULL);
        assert_int_equal(counter.calls, calls);
        free(x);
        loss_optimizer_free(optimizer);
        loss_context_free(context);
        assert_int_equal(counter.live, 0);
    }
}

/* Every allocation of create and start fails once: a status, nothing lost, and a second try works. */
static void failing_allocations_are_survived(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        int64_t refused = 0;
        for (int64_t fail_at = 1; fail_at < 12; fail_at++) {
            test_allocator counter = {0};
            loss_context *context = NULL;
            loss_optimizer *optimizer = NULL;
            const char *name = loss_optimizer_catalogue_name(i);
            void *x = starting_point(&logistic, LOSS_FLOAT64);
            assert_int_equal(
                loss_context_create_with_allocator(&context, test_allocate, test_release, &counter), LOSS_OK);
            counter.fail_at = counter.calls + fail_at;
            loss_status status = loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, logistic.n);
            if (status != LOSS_OK) {
                assert_int_equal(status, LOSS_ERROR_MEMORY);
                assert_null(optimizer);
                assert_int_equal(loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, logistic.n),
                                 LOSS_OK);
            }
            loss_optimizer_set_int(optimizer, "samples", LOGISTIC_SAMPLES);
            status = loss_optimizer_start(optimizer, x);
            if (status != LOSS_OK) {
                assert_int_equal(status, LOSS_ERROR_MEMORY);
                assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
            }
            assert_true(run(optimizer, &logistic, LOSS_FLOAT64, NULL).outcome > 0);
            refused += counter.failed;
            free(x);
            loss_optimizer_free(optimizer);
            loss_context_free(context);
            assert_int_equal(counter.live, 0);
        }
        assert_in_range(refused, 3, 11);
    }
}

static uint64_t digest_with(int32_t index, const problem *p, loss_dtype dtype, const char *isa,
                            int64_t threads)
{
    fixture f = fixture_make(index, p, dtype);
    assert_int_equal(loss_context_set_string(f.context, "isa", isa), LOSS_OK);
    assert_int_equal(loss_context_set_int(f.context, "threads", threads), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 12), LOSS_OK);
    uint64_t digest = start_and_run(f.optimizer, p, dtype, NULL).digest;
    fixture_drop(&f);
    return digest;
}

static void the_same_bits_on_every_instruction_set_and_thread_count(void **unused)
{
    static problem several_blocks; /* of a matrix, and rows enough for threads */
    static const problem *const problems[] = {&large_quadratic, &extended_rosenbrock, &cosh_sum, &rosenbrock};
    loss_context *context = NULL;
    (void)unused;
    several_blocks = extended_rosenbrock;
    several_blocks.n = 594;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        int32_t stochastic = is_stochastic(loss_optimizer_catalogue_name(i));
        for (int k = 0; k < (stochastic ? 2 : 8); k++) {
            const problem *p = stochastic ? &logistic : problems[k / 2];
            p = k < 2 && keeps_a_matrix(i) ? &several_blocks : p;
            loss_dtype dtype = k % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
            uint64_t expected = digest_with(i, p, dtype, "base", 1);
            for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
                for (int64_t threads = 1; threads <= 4; threads *= 2) {
                    const char *name = loss_context_isa_name(context, isa);
                    if (digest_with(i, p, dtype, name, threads) != expected) {
                        fail_msg("%s on %s in %s: other bits with %s and %d threads",
                                 loss_optimizer_catalogue_name(i), p->name, loss_dtype_name(dtype), name,
                                 (int)threads);
                    }
                }
            }
        }
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of_catalogue(nothing_is_allocated_during_a_run),
        test_of_catalogue(failing_allocations_are_survived),
        test_of_catalogue(the_same_bits_on_every_instruction_set_and_thread_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
