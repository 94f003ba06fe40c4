/* Epochs: falls of the learning rate that are due in the middle of one, and runs that are taken up again after some. */
#include <math.h>

#include "optimizer_run.h"
#include "stochastic.h"
#include "support/check.h"

static loss_context *context_create(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static int32_t ask(loss_optimizer *optimizer)
{
    int32_t request = 0;
    assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
    return request;
}

static loss_status outcome(const loss_optimizer *optimizer)
{
    loss_status status = LOSS_OK;
    assert_int_equal(loss_optimizer_outcome(optimizer, &status), LOSS_OK);
    return status;
}

/* A fall that is due after k tenths of an epoch comes with that batch, though neither is a number of base 2. */
static void falls_come_when_they_are_due(void **unused)
{
    static const struct {
        const char *every;
        int per; /* batches */
    } cases[] = {
        {"decay_every=0.1", 1}, {"decay_every=0.2", 2}, {"decay_every=0.3", 3}, {"decay_every=0.7", 7}};
    loss_context *context = context_create();
    const double start[1] = {0.0}, g[1] = {1.0};
    (void)unused;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, "sgd",
            "samples=10 batch_size=1 epochs=7 momentum=0 learning_rate=1 schedule=step decay_factor=0.5 "
            "gradient_tolerance=0",
            LOSS_FLOAT64, 1);
        int batch = 0;
        stochastic_set(context, optimizer, cases[k].every);
        assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
        for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_OK);
            if (request == LOSS_REQUEST_BATCH_GRADIENT) {
                double expected = ldexp(1.0, -(batch++ / cases[k].per)), got = get_double(optimizer, "step");
                assert_true(fabs(got - expected) <= 1e-12 * expected);
            }
        }
        assert_int_equal(batch, 70);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* A part of the epochs is a limit and goes on as if there had been none; all of them are the end. */
static void a_part_of_the_epochs_is_taken_up_again(void **unused)
{
    loss_context *context = context_create();
    const double start[1] = {2.0};
    double whole = 0.0;
    (void)unused;
    for (int parts = 0; parts < 2; parts++) {
        loss_optimizer *optimizer = stochastic_create(
            context, "sgd", "samples=5 batch_size=2 epochs=6 learning_rate=0.1 schedule=cosine", LOSS_FLOAT64,
            1);
        if (parts) {
            stochastic_set(context, optimizer, "max_iterations=2");
        }
        assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
        for (int part = 0; part <= parts; part++) {
            for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
                const double *x = NULL;
                assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&x), LOSS_OK);
                const double f = *x * *x, g = 2.0 * *x;
                assert_int_equal(loss_optimizer_tell_gradient(optimizer, f, &g), LOSS_OK);
            }
            assert_int_equal(outcome(optimizer), LOSS_STOP_ITERATIONS);
            if (part < parts) {
                assert_int_equal(get_int(optimizer, "epoch"), 2);
                stochastic_set(context, optimizer, "max_iterations=10000");
                assert_int_equal(loss_optimizer_resume(optimizer), LOSS_OK);
            }
        }
        assert_int_equal(get_int(optimizer, "epoch"), 6);
        assert_int_equal(loss_optimizer_resume(optimizer), LOSS_ERROR_STATE);
        assert_sentence(context, "its run came to an end");
        whole = parts ? whole : get_double(optimizer, "value");
        assert_true(get_double(optimizer, "value") == whole && whole < 4.0);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(falls_come_when_they_are_due),
        cmocka_unit_test(a_part_of_the_epochs_is_taken_up_again),
    };
    return cmocka_run_group_tests_name("stochastic epochs", tests, NULL, NULL);
}
