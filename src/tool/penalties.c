/*
 * Penalties as they are typed: NAME=STRENGTH[,OPTION=VALUE]…, box=LOWER:UPPER, simplex=TOTAL. A strength FROM:TO:COUNT is a path of
 * so many, evenly spaced in their logarithms. The library knows the options, their types and ranges.
 */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 32, VALUE_SIZE = 256 };

/* One NAME=VALUE of a text; returns what follows the comma, NULL at the end. */
static const char *next_setting(const char *text, char name[NAME_SIZE], char value[VALUE_SIZE])
{
    const size_t length = strcspn(text, ","), name_length = strcspn(text, "=,");
    snprintf(name, NAME_SIZE, "%.*s", (int)name_length, text);
    snprintf(value, VALUE_SIZE, "%.*s", (int)(length > name_length ? length - name_length - 1 : 0),
             text + name_length + (length > name_length));
    return text[length] ? text + length + 1 : NULL;
}

static int parse_number(const char *text, size_t length, double *number)
{
    return length > 0 && loss_parse_double(text, (int64_t)length, number) == LOSS_OK;
}

/* The parts of FROM:TO:COUNT; 0 when it is something else. */
static int parse_path(const char *value, double *from, double *to, int *count)
{
    const size_t first = strcspn(value, ":");
    if (!value[first]) {
        return 0;
    }
    const size_t second = strcspn(value + first + 1, ":");
    double number;
    if (!value[first + 1 + second]) {
        return 0;
    }
    const char *last = value + first + 1 + second + 1;
    *count = parse_number(last, strlen(last), &number) && number >= 2 && number <= MOST_STRENGTHS &&
                     number == floor(number)
                 ? (int)number
                 : -1;
    if (!parse_number(value, first, from) || !parse_number(value + first + 1, second, to)) {
        *count = -1;
    }
    return 1;
}

static int is_set(const char *name)
{
    return strcmp(name, "box") == 0 || strcmp(name, "simplex") == 0;
}

const char *penalties_add(struct penalties *penalties, const char *text)
{
    char name[NAME_SIZE], value[VALUE_SIZE];
    double from, to;
    int count;
    if (!strchr(text, '=') || strlen(text) >= VALUE_SIZE) {
        return "expected NAME=STRENGTH";
    }
    if (penalties->count == MOST_PENALTIES) {
        return "there are too many penalties";
    }
    if (penalties->count == 0) {
        penalties->path = -1;
    }
    next_setting(text, name, value);
    if (!is_set(name) && parse_path(value, &from, &to, &count)) {
        if (count < 0 || !(from > 0 && to > 0 && isfinite(from) && isfinite(to)) || from == to) {
            return "expected FROM:TO:COUNT, two different positive strengths and a number from 2 to 1000";
        }
        if (penalties->path >= 0) {
            return "only one penalty can have several strengths";
        }
        penalties->path = penalties->count;
        penalties->strongest = fmax(from, to);
        penalties->weakest = fmin(from, to);
        penalties->strength_count = count;
    }
    penalties->texts[penalties->count++] = text;
    return NULL;
}

double penalties_strength(const struct penalties *penalties, int index)
{
    const int last = penalties->strength_count - 1;
    if (index == 0 || index == last) {
        return index == 0 ? penalties->strongest : penalties->weakest;
    }
    const double part = (double)index / last;
    return exp((1 - part) * log(penalties->strongest) + part * log(penalties->weakest));
}

/* ---- the library's penalties ---- */

static int32_t option_type(const loss_penalty *penalty, const char *name)
{
    for (int32_t i = 0; i < loss_penalty_option_count(penalty); i++) {
        if (strcmp(loss_option_name(loss_penalty_option(penalty, i)), name) == 0) {
            return loss_option_type(loss_penalty_option(penalty, i));
        }
    }
    return 0;
}

static loss_status fail_value(loss_context *context, const char *name, const char *value, const char *wanted)
{
    char sentence[VALUE_SIZE + 96];
    snprintf(sentence, sizeof sentence, "%s=%s: expected %s", name, value, wanted);
    return loss_context_set_error(context, LOSS_ERROR_RANGE, sentence);
}

/* Numbers with colons between. */
static loss_status set_array(loss_penalty *penalty, loss_context *context, const char *name,
                             const char *value)
{
    double numbers[VALUE_SIZE / 2];
    int64_t count = 0;
    for (const char *p = value; *p || count == 0; p += *p == ':') {
        const size_t length = strcspn(p, ":");
        if (!parse_number(p, length, &numbers[count++])) {
            return fail_value(context, name, value, "numbers with colons between");
        }
        p += length;
    }
    return loss_penalty_set_array(penalty, name, numbers, LOSS_FLOAT64, count);
}

static loss_status set_option(loss_penalty *penalty, loss_context *context, const char *name,
                              const char *value)
{
    double number;
    char *end;
    switch (option_type(penalty, name)) {
    case LOSS_OPTION_ARRAY:
        return set_array(penalty, context, name, value);
    case LOSS_OPTION_INT: {
        const long long integer = strtoll(value, &end, 10);
        return *value && !*end ? loss_penalty_set_int(penalty, name, integer)
                               : fail_value(context, name, value, "a whole number");
    }
    case LOSS_OPTION_STRING:
        return loss_penalty_set_string(penalty, name, value);
    default: /* a number, or a name it does not know: then the sentence has the nearest */
        return parse_number(value, strlen(value), &number) ? loss_penalty_set_double(penalty, name, number)
                                                           : fail_value(context, name, value, "a number");
    }
}

/* LOWER:UPPER, either of them may be missing. */
static loss_status set_bounds(loss_penalty *penalty, loss_context *context, const char *value)
{
    const size_t length = strcspn(value, ":");
    double lower = -INFINITY, upper = INFINITY;
    const char *second = value[length] ? value + length + 1 : "";
    if (!value[length] || (length > 0 && !parse_number(value, length, &lower)) ||
        (*second && !parse_number(second, strlen(second), &upper))) {
        return fail_value(context, "box", value, "LOWER:UPPER");
    }
    const loss_status status = loss_penalty_set_double(penalty, "lower", lower);
    return status ? status : loss_penalty_set_double(penalty, "upper", upper);
}

/* What the library says when it knows the parameters, that is when the data were read, is told at once. */
static loss_status check_bounds(const loss_penalty *penalty, loss_context *context, const char *text)
{
    double lower = -INFINITY, upper = INFINITY;
    char sentence[VALUE_SIZE + 96];
    loss_penalty_get_double(penalty, "lower", &lower);
    loss_penalty_get_double(penalty, "upper", &upper);
    if (lower <= upper) {
        return LOSS_OK;
    }
    snprintf(sentence, sizeof sentence, "%s: no number is at least %g and at most %g", text, lower, upper);
    return loss_context_set_error(context, LOSS_ERROR_RANGE, sentence);
}

/* The first setting: what the name is followed by. */
static loss_status set_first(loss_penalty *penalty, loss_context *context, const char *name,
                             const char *value)
{
    double number;
    if (strcmp(name, "box") == 0) {
        return set_bounds(penalty, context, value);
    }
    if (!parse_number(value, strlen(value), &number)) {
        return fail_value(context, name, value, "a number");
    }
    return loss_penalty_set_double(penalty, strcmp(name, "simplex") == 0 ? "total" : "strength", number);
}

loss_status penalties_create(loss_penalty **penalty, const struct penalties *penalties, loss_context *context,
                             int index, double strength)
{
    char kind[NAME_SIZE], name[NAME_SIZE], value[VALUE_SIZE];
    const char *rest = next_setting(penalties->texts[index], kind, value);
    loss_status status = loss_penalty_create(penalty, context, kind);
    if (!status) {
        status = index == penalties->path ? loss_penalty_set_double(*penalty, "strength", strength)
                                          : set_first(*penalty, context, kind, value);
    }
    while (rest && !status) {
        rest = next_setting(rest, name, value);
        status = set_option(*penalty, context, name, value);
    }
    if (!status && strcmp(kind, "box") == 0) {
        status = check_bounds(*penalty, context, penalties->texts[index]);
    }
    if (status) {
        loss_penalty_free(*penalty);
        *penalty = NULL;
    }
    return status;
}

int penalties_check(const struct penalties *penalties, loss_context *context)
{
    for (int i = 0; i < penalties->count; i++) {
        loss_penalty *penalty;
        if (penalties_create(&penalty, penalties, context, i, penalties->strongest)) {
            return tool_fail_usage(context);
        }
        loss_penalty_free(penalty);
    }
    return TOOL_DONE;
}

/* Without their options, so that they go with one parameter. */
int penalties_check_optimizer(const struct penalties *penalties, loss_context *context, const char *name)
{
    loss_optimizer *optimizer;
    const double zero = 0;
    loss_status status = loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, 1);
    for (int i = 0; i < penalties->count && !status; i++) {
        char kind[NAME_SIZE], value[VALUE_SIZE];
        loss_penalty *penalty;
        next_setting(penalties->texts[i], kind, value);
        status = loss_penalty_create(&penalty, context, kind);
        if (!status) {
            status = loss_optimizer_add_penalty(optimizer, penalty);
        }
        loss_penalty_free(penalty);
    }
    const loss_status start = status ? status : loss_optimizer_start(optimizer, &zero);
    loss_optimizer_free(optimizer);
    /* Any other failure of the start is met again where it belongs. */
    return status || start == LOSS_ERROR_SUPPORT ? tool_fail_usage(context) : TOOL_DONE;
}

/* ---- what they are ---- */

int penalties_kind(const struct penalties *penalties)
{
    int kind = PENALTIES_SMOOTH;
    for (int i = 0; i < penalties->count; i++) {
        char name[NAME_SIZE], value[VALUE_SIZE];
        next_setting(penalties->texts[i], name, value);
        const int own = strcmp(name, "l2") == 0                                       ? PENALTIES_SMOOTH
                        : strcmp(name, "l1") == 0 || strcmp(name, "elastic_net") == 0 ? PENALTIES_L1
                        : strcmp(name, "box") == 0                                    ? PENALTIES_BOUNDS
                                                                                      : PENALTIES_OTHER;
        if (own != PENALTIES_SMOOTH) {
            kind = kind == PENALTIES_SMOOTH || kind == own ? own : PENALTIES_OTHER;
        }
    }
    return kind;
}

double penalties_l2(const struct penalties *penalties)
{
    double number;
    if (penalties->count != 1 || strncmp(penalties->texts[0], "l2=", 3) != 0) {
        return 0;
    }
    const char *value = penalties->texts[0] + 3;
    return parse_number(value, strlen(value), &number) ? number : 0;
}

void penalties_describe(const struct penalties *penalties, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    if (penalties->count == 1 && penalties->path < 0 && strncmp(penalties->texts[0], "l2=", 3) == 0 &&
        !strchr(penalties->texts[0], ',')) {
        snprintf(text, size, " + %g/2 |w|^2", penalties_l2(penalties));
        return;
    }
    for (int i = 0; i < penalties->count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, " + %s", penalties->texts[i]);
    }
}

json_t *penalties_to_json(const struct penalties *penalties)
{
    json_t *json = json_array();
    for (int i = 0; i < penalties->count; i++) {
        json_array_append_new(json, json_string(penalties->texts[i]));
    }
    return json;
}
