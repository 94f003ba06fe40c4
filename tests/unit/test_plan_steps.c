/* Plans from the inside: what steps hand on to each other. */
#include <math.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/plan.h"
#include "loss/expression/expression.h"
#include "support/check.h"

/*
 * select(maximum(p·p, 0) > 0, maximum(p·p, 0) · p, 0): the result of the rectifier is kept for the product, and what is above 0 follows
 * from it, so that the arena has two matrices and no third one for the comparison.
 */
static void comparisons_follow_from_what_is_kept(void **unused)
{
    enum { SIDE = 16 };
    const lossi_attributes shape = {.integer = {0, 2, SIDE, SIDE}};
    static double x[SIDE][SIDE], made[SIDE][SIDE];
    lossi_tape tape;
    lossi_plan *plan;
    loss_context *context;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    lossi_tape_create(&tape, context, LOSS_FLOAT64, (lossi_purpose){0});
    const int32_t p = lossi_tape_add(&tape, &lossi_operation_parameter, &shape, NULL, 0);
    const int32_t zero = lossi_tape_number(&tape, 0);
    const int32_t kept = lossi_tape_scalar(&tape, LOSSI_SCALAR_maximum,
                                           lossi_tape_scalar(&tape, LOSSI_SCALAR_add, p, p, LOSSI_NONE), zero,
                                           LOSSI_NONE);
    const int32_t above = lossi_tape_scalar(&tape, LOSSI_SCALAR_greater, kept, zero, LOSSI_NONE);
    const int32_t product = lossi_tape_add(&tape, &lossi_operation_matrix_product, NULL, (int32_t[]){kept, p},
                                           2);
    const lossi_plan_output output = {lossi_tape_scalar(&tape, LOSSI_SCALAR_select, above, product, zero), 0,
                                      0};
    assert_status(context, lossi_plan_create(&plan, &tape, &output, 1), LOSS_OK);
    for (int i = 0; i < SIDE * SIDE; i++) {
        x[i / SIDE][i % SIDE] = i % 3 - 1 + i % 5 * 0.25;
    }
    const lossi_bindings bindings = {.batch = {.rows = 1}, .x = x, .outputs = {made}};
    assert_status(context, lossi_plan_run(plan, &bindings), LOSS_OK);
    assert_int_equal(lossi_plan_bytes(plan), 2 * sizeof x);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double expected = 0;
        for (int k = 0; k < SIDE && x[i / SIDE][i % SIDE] > 0; k++) {
            expected += fmax(2 * x[i / SIDE][k], 0) * x[k][i % SIDE];
        }
        assert_close(made[i / SIDE][i % SIDE], expected, 1e-14, 1e-14);
    }
    lossi_plan_free(plan);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_follow_from_what_is_kept),
    };
    return cmocka_run_group_tests_name("plan_steps", tests, NULL, NULL);
}
