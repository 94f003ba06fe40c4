/* Linear models with sparse features, and with standardised columns. */
#include "gradient_sparse.h"

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_every_loss),  cmocka_unit_test(sparse_forms),
        cmocka_unit_test(sparse_by_hand),     cmocka_unit_test(sparse_malformed),
        cmocka_unit_test(sparse_arguments),   cmocka_unit_test(sparse_elsewhere),
        cmocka_unit_test(sparse_roles),       cmocka_unit_test(sparse_shapes),
        cmocka_unit_test(sparse_threads),     cmocka_unit_test(sparse_batches),
        cmocka_unit_test(columns_every_loss), cmocka_unit_test(columns_means_and_deviations),
        cmocka_unit_test(columns_far_away),   cmocka_unit_test(columns_original),
        cmocka_unit_test(columns_refused),    cmocka_unit_test(sparse_woven),
    };
    return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
