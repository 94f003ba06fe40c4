/*
 * JSON by jansson, except for the digits of numbers: jansson prints 17 of them, we print as few as read back
 * to the same bits, and NaN and the infinities, which JSON does not have, as strings.
 */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_from_text(const char *text)
{
    char *copy = text_to_utf8(text);
    json_t *json = json_string(copy);
    free(copy);
    return json;
}

json_t *json_from_double(double value)
{
    if (isnan(value)) {
        return json_string("NaN");
    }
    if (isinf(value)) {
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    }
    return json_real(value);
}

json_t *json_from_float(float value)
{
    char text[32];
    int64_t length;
    double decimal;
    if (!isfinite(value)) {
        return json_from_double((double)value);
    }
    /* The double nearest to the float's own short decimal prints as that decimal. */
    loss_format_float(value, text, sizeof text, &length);
    loss_parse_double(text, length, &decimal);
    return json_real(decimal);
}

int json_to_double(const json_t *json, double *value)
{
    if (json_is_number(json)) {
        *value = json_number_value(json);
        return 1;
    }
    const char *text = json_string_value(json);
    if (!text ||
        (strcmp(text, "NaN") != 0 && strcmp(text, "Infinity") != 0 && strcmp(text, "-Infinity") != 0)) {
        return 0;
    }
    return loss_parse_double(text, (int64_t)strlen(text), value) == LOSS_OK;
}

static void print_real(FILE *file, double value)
{
    char text[32];
    loss_format_double(value, text, sizeof text, NULL);
    /* "3" would be read back as an integer, and "-0" would lose its sign there. */
    fprintf(file, "%s%s", text, text[strspn(text, "-0123456789")] ? "" : ".0");
}

static void print_value(FILE *file, const json_t *json, int depth);

static void print_line(FILE *file, int depth)
{
    fprintf(file, "\n%*s", 2 * depth, "");
}

/* Arrays of plain values stay on one line. */
static void print_array(FILE *file, const json_t *json, int depth)
{
    const json_t *first = json_array_get(json, 0);
    const int is_nested = json_is_array(first) || json_is_object(first);
    fputc('[', file);
    for (size_t i = 0; i < json_array_size(json); i++) {
        fputs(i == 0 ? "" : is_nested ? "," : ", ", file);
        if (is_nested) {
            print_line(file, depth + 1);
        }
        print_value(file, json_array_get(json, i), depth + 1);
    }
    if (is_nested) {
        print_line(file, depth);
    }
    fputc(']', file);
}

static void print_object(FILE *file, const json_t *json, int depth)
{
    const char *separator = "";
    fputc('{', file);
    for (void *item = json_object_iter((json_t *)json); item;
         item = json_object_iter_next((json_t *)json, item)) {
        json_t *key = json_string(json_object_iter_key(item));
        fputs(separator, file);
        separator = ",";
        print_line(file, depth + 1);
        json_dumpf(key, file, JSON_ENCODE_ANY);
        fputs(": ", file);
        print_value(file, json_object_iter_value(item), depth + 1);
        json_decref(key);
    }
    if (*separator) {
        print_line(file, depth);
    }
    fputc('}', file);
}

static void print_value(FILE *file, const json_t *json, int depth)
{
    if (json_is_real(json)) {
        print_real(file, json_real_value(json));
    } else if (json_is_array(json)) {
        print_array(file, json, depth);
    } else if (json_is_object(json)) {
        print_object(file, json, depth);
    } else {
        json_dumpf(json, file, JSON_ENCODE_ANY);
    }
}

void json_print(FILE *file, const json_t *json)
{
    print_value(file, json, 0);
    fputc('\n', file);
}
