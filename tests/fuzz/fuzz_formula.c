/* Formulas: the text up to a zero byte, then numbers to evaluate it with. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/evaluation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char prefix[] = "formula:";
    const uint8_t *end = length == 0 ? NULL : memchr(bytes, 0, length);
    const size_t count = end == NULL ? length : (size_t)(end - bytes);
    fuzz_stream s = {bytes, length, count + (end != NULL)};
    loss_function *function = NULL;
    char *text = malloc(sizeof prefix + count);
    fuzz_expect(text != NULL, "there is memory for the text");
    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + sizeof prefix - 1, bytes, count);
    text[sizeof prefix - 1 + count] = '\0';
    const loss_status status = loss_function_create(&function, fuzz_context(), text);
    fuzz_expect_status(fuzz_context(), status, "loss_function_create()");
    if (status == LOSS_ERROR_FORMULA) {
        fuzz_expect(strstr(loss_context_error(fuzz_context()), "character") != NULL,
                    "what is wrong with a formula is said with its place");
    }
    if (status == LOSS_OK) {
        fuzz_evaluate(&s, function);
    }
    loss_function_free(function);
    free(text);
    return 0;
}
