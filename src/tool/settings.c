/* Options given as key=value: the library says which type each has, and refuses what is wrong. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 64

struct setting {
    char key[KEY_SIZE];
    const char *value;
};

int settings_add(struct settings *settings, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals - text >= KEY_SIZE) {
        return TOOL_USAGE;
    }
    settings->texts = realloc(settings->texts, (size_t)(settings->count + 1) * sizeof *settings->texts);
    settings->used = realloc(settings->used, (size_t)settings->count + 1);
    if (!settings->texts || !settings->used) {
        exit(tool_fail("no memory for the settings"));
    }
    settings->texts[settings->count] = text;
    settings->used[settings->count++] = 0;
    return TOOL_DONE;
}

void settings_free(struct settings *settings)
{
    free(settings->texts);
    free(settings->used);
    *settings = (struct settings){0};
}

static struct setting split_setting(const char *text)
{
    struct setting setting = {.value = strchr(text, '=') + 1};
    memcpy(setting.key, text, (size_t)(setting.value - 1 - text));
    return setting;
}

static int fail_value(const struct setting *setting, const char *wanted)
{
    tool_fail("%s=%s: \"%s\" is no %s", setting->key, setting->value, setting->value, wanted);
    return TOOL_USAGE;
}

static int parse_int(const struct setting *setting, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(setting->value, &end, 10);
    return *setting->value && !*end && errno == 0 ? TOOL_DONE : fail_value(setting, "whole number");
}

static int parse_double(const struct setting *setting, double *value)
{
    const int64_t length = (int64_t)strlen(setting->value);
    return loss_parse_double(setting->value, length, value) == LOSS_OK ? TOOL_DONE
                                                                       : fail_value(setting, "number");
}

/* Numbers with commas between. */
static int parse_array(const struct setting *setting, double **values, int64_t *count)
{
    int64_t capacity = 1;
    for (const char *p = setting->value; *p; p++) {
        capacity += *p == ',';
    }
    *values = tool_allocate(capacity, sizeof **values);
    *count = 0;
    for (const char *p = setting->value; *p || *count == 0; p += *p == ',') {
        const size_t length = strcspn(p, ",");
        if (loss_parse_double(p, (int64_t)length, &(*values)[(*count)++]) != LOSS_OK) {
            free(*values);
            return fail_value(setting, "list of numbers with commas between");
        }
        p += length;
    }
    return TOOL_DONE;
}

static int set_function_array(loss_function *function, const struct setting *setting, loss_status *status)
{
    double *values;
    int64_t count;
    const int result = parse_array(setting, &values, &count);
    if (result == TOOL_DONE) {
        *status = loss_function_set_array(function, setting->key, values, LOSS_FLOAT64, count);
        free(values);
    }
    return result;
}

static int32_t function_option_type(const loss_function *function, const char *key)
{
    for (int32_t i = 0; i < loss_function_option_count(function); i++) {
        if (strcmp(loss_option_name(loss_function_option(function, i)), key) == 0) {
            return loss_option_type(loss_function_option(function, i));
        }
    }
    return 0;
}

int settings_apply_function(const struct settings *settings, loss_context *context, loss_function *function)
{
    for (int i = 0; i < settings->count; i++) {
        const struct setting setting = split_setting(settings->texts[i]);
        loss_status status = LOSS_OK;
        int64_t integer;
        double number;
        int result = TOOL_DONE;
        switch (function_option_type(function, setting.key)) {
        case LOSS_OPTION_INT:
            result = parse_int(&setting, &integer);
            status = result ? LOSS_OK : loss_function_set_int(function, setting.key, integer);
            break;
        case LOSS_OPTION_DOUBLE:
            result = parse_double(&setting, &number);
            status = result ? LOSS_OK : loss_function_set_double(function, setting.key, number);
            break;
        case LOSS_OPTION_ARRAY:
            result = set_function_array(function, &setting, &status);
            break;
        default: /* a string, or a name it does not know: then the sentence has the nearest */
            status = loss_function_set_string(function, setting.key, setting.value);
        }
        if (result) {
            return result;
        }
        if (status) {
            return tool_fail_usage(context);
        }
    }
    return TOOL_DONE;
}

static int32_t optimizer_option_type(const loss_optimizer *optimizer, const char *key)
{
    for (int32_t i = 0; i < loss_optimizer_option_count(optimizer); i++) {
        if (strcmp(loss_option_name(loss_optimizer_option(optimizer, i)), key) == 0) {
            return loss_option_type(loss_optimizer_option(optimizer, i));
        }
    }
    return 0;
}

int settings_apply_optimizer(struct settings *settings, loss_context *context, loss_optimizer *optimizer,
                             int skip_unknown)
{
    for (int i = 0; i < settings->count; i++) {
        const struct setting setting = split_setting(settings->texts[i]);
        const int32_t type = optimizer_option_type(optimizer, setting.key);
        loss_status status = LOSS_OK;
        int64_t integer;
        double number;
        int result = TOOL_DONE;
        if (type == 0 && skip_unknown) {
            continue;
        }
        settings->used[i] = 1;
        switch (type) {
        case LOSS_OPTION_INT:
            result = parse_int(&setting, &integer);
            status = result ? LOSS_OK : loss_optimizer_set_int(optimizer, setting.key, integer);
            break;
        case LOSS_OPTION_DOUBLE:
            result = parse_double(&setting, &number);
            status = result ? LOSS_OK : loss_optimizer_set_double(optimizer, setting.key, number);
            break;
        default:
            status = loss_optimizer_set_string(optimizer, setting.key, setting.value);
        }
        if (result) {
            return result;
        }
        if (status) {
            return tool_fail_usage(context);
        }
    }
    return TOOL_DONE;
}

int settings_check_used(const struct settings *settings)
{
    for (int i = 0; i < settings->count; i++) {
        if (!settings->used[i]) {
            tool_fail("--set %s: none of these optimizers has such an option", settings->texts[i]);
            return TOOL_USAGE;
        }
    }
    return TOOL_DONE;
}
