/* Setting the options of a reference vector and reading its results; plain C, for programs without CMocka too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/vectors.h"

enum { MOST = 64 };

static int64_t read_numbers(const char *text, double *numbers)
{
    int64_t count = 0;
    char *end;
    for (;;) {
        double number = strtod(text, &end);
        if (end == text || count == MOST) {
            return count;
        }
        numbers[count++] = number;
        text = end;
    }
}

static int32_t type_of(const loss_function *function, const char *name)
{
    for (int32_t i = 0; i < loss_function_option_count(function); i++) {
        if (strcmp(loss_option_name(loss_function_option(function, i)), name) == 0) {
            return loss_option_type(loss_function_option(function, i));
        }
    }
    return 0;
}

loss_status vectors_configure(loss_function *function, const char *options)
{
    char text[160], *part, *rest = text;
    double numbers[MOST];
    loss_status status = LOSS_OK;
    snprintf(text, sizeof text, "%s", options);
    while (status == LOSS_OK && (part = strtok_r(rest, ";", &rest)) != NULL) {
        char *setting = strchr(part, '=');
        *setting++ = '\0';
        switch (type_of(function, part)) {
        case LOSS_OPTION_DOUBLE:
            status = loss_function_set_double(function, part, strtod(setting, NULL));
            break;
        case LOSS_OPTION_INT:
            status = loss_function_set_int(function, part, strtoll(setting, NULL, 10));
            break;
        case LOSS_OPTION_ARRAY:
            status = loss_function_set_array(function, part, numbers, LOSS_FLOAT64,
                                             read_numbers(setting, numbers));
            break;
        default: /* a name that is not there gets its error from the library */
            status = loss_function_set_string(function, part, setting);
        }
    }
    return status;
}

exact_number exact_read(const char *text, char **end)
{
    exact_number number = {strtold(text, end), 0, 0, 0};
    if (*end != text && **end == '~') {
        number.down = strtold(*end + 1, end);
        number.up = **end == '~' ? strtold(*end + 1, end) : number.down;
    }
    if (*end != text && **end == '@') {
        number.terms = strtold(*end + 1, end);
    }
    return number;
}
