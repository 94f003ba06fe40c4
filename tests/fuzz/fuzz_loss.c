/* Losses of the catalogue with any options over arrays of any numbers. */
#include "fuzz/evaluation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_stream s = {bytes, length, 0};
    loss_function *function = NULL;
    const char *name = fuzz_name(&s, loss_function_catalogue_count(), loss_function_catalogue_name);
    const loss_status status = loss_function_create(&function, fuzz_context(), name);
    fuzz_expect_status(fuzz_context(), status, "loss_function_create()");
    if (status == LOSS_OK) {
        fuzz_evaluate(&s, function);
    }
    loss_function_free(function);
    return 0;
}
