/* Numbers as text: read as strtod() reads them, which is exact in the C library, and written so that they come back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/evaluation.h"
#include "loss/io.h"

/* What both take for a number: digits, a point, an exponent, a sign. strtod() takes more, and stops where it has enough. */
static int is_plain(const char *text)
{
    return strspn(text, "0123456789+-.eE") == strlen(text);
}

static void read_back(double value, float narrow)
{
    char text[64];
    double again = 0;
    float narrow_again = 0;
    int64_t length = 0;
    fuzz_expect(loss_format_double(value, text, sizeof text, &length) == LOSS_OK &&
                    loss_parse_double(text, length, &again) == LOSS_OK &&
                    fuzz_same(&value, &again, LOSS_FLOAT64, 1),
                "a double written comes back");
    fuzz_expect(loss_format_float(narrow, text, sizeof text, &length) == LOSS_OK &&
                    loss_parse_float(text, length, &narrow_again) == LOSS_OK &&
                    fuzz_same(&narrow, &narrow_again, LOSS_FLOAT32, 1),
                "a float written comes back");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_stream s = {bytes, length, 0};
    double value = -7, expected;
    float narrow = -7;
    char *text = malloc(length + 1), *end = NULL;
    fuzz_expect(text != NULL, "there is memory for the text");
    memcpy(text, bytes, length);
    text[length] = '\0';
    const loss_status status = loss_parse_double(text, (int64_t)length, &value);
    fuzz_expect((loss_parse_float(text, (int64_t)length, &narrow) == LOSS_OK) == (status == LOSS_OK),
                "what is a double is a float");
    if (is_plain(text) && strlen(text) == length) {
        expected = strtod(text, &end);
        if (status == LOSS_OK) {
            const float expected_narrow = strtof(text, NULL);
            fuzz_expect(*end == '\0' && fuzz_same(&value, &expected, LOSS_FLOAT64, 1),
                        "a number is read as strtod() reads it");
            fuzz_expect(fuzz_same(&narrow, &expected_narrow, LOSS_FLOAT32, 1), "and as strtof() does");
        } else {
            fuzz_expect(end == text || *end != '\0' || length > 700,
                        "what strtod() reads to its end is a number");
        }
    }
    fuzz_expect(status == LOSS_OK || value == -7, "a failure leaves the number alone");
    value = fuzz_number(&s);
    read_back(value, (float)value);
    free(text);
    return 0;
}
