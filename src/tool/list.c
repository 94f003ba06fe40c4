/* loss list: the catalogues, with everything the library says about their rows. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <string.h>

struct list_options {
    const char *what;
    int json;
};

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "Print a JSON array of objects, with options, formula and reference", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct list_options *list = state->input;
    switch (key) {
    case 'j':
        list->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (list->what || (strcmp(argument, "losses") != 0 && strcmp(argument, "optimizers") != 0)) {
            argp_error(state, "what to list is one of: losses, optimizers");
        }
        list->what = argument;
        return 0;
    case ARGP_KEY_END:
        if (!list->what) {
            argp_error(state, "what to list is missing: losses or optimizers");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options, parse, "losses|optimizers", "List the loss functions or the optimizers there are.", NULL,
    NULL,    NULL};

/* What stands between ends, without what comes before it. */
static json_t *split_words(const char *text, const char *ends, const char *before)
{
    json_t *words = json_array();
    for (text += strspn(text, before); *text; text += strspn(text, before)) {
        const size_t length = strcspn(text, ends);
        json_array_append_new(words, json_stringn(text, length));
        text += length;
    }
    return words;
}

/* Bounds of whole numbers are told as such; up to 2^53 they are exact. */
static json_t *number_of_type(double value, int32_t type)
{
    return type == LOSS_OPTION_INT && fabs(value) <= 9007199254740992.0 ? json_integer((json_int_t)value)
                                                                        : json_from_double(value);
}

static json_t *describe_option(const loss_option *option)
{
    static const char *const types[] = {"", "double", "int", "string", "array"};
    const int32_t type = loss_option_type(option);
    json_t *json = json_pack("{s:s, s:s}", "name", loss_option_name(option), "type",
                             type >= 1 && type <= 4 ? types[type] : "");
    if (type == LOSS_OPTION_STRING) {
        json_object_set_new(json, "default", json_string(loss_option_default_string(option)));
        json_object_set_new(json, "choices", split_words(loss_option_choices(option), "|", "|"));
    } else {
        json_object_set_new(json, "minimum", number_of_type(loss_option_minimum(option), type));
        json_object_set_new(json, "maximum", number_of_type(loss_option_maximum(option), type));
        json_object_set_new(json, "default",
                            type == LOSS_OPTION_ARRAY ? json_null()
                                                      : number_of_type(loss_option_default(option), type));
    }
    json_object_set_new(json, "aliases", split_words(loss_option_aliases(option), " ", " "));
    json_object_set_new(json, "doc", json_string(loss_option_doc(option)));
    return json;
}

static json_t *describe_loss(const loss_function *function)
{
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:s}", "name", loss_function_name(function), "aliases",
                             split_words(loss_function_aliases(function), " ", " "), "summary",
                             loss_function_summary(function), "formula", loss_function_formula(function),
                             "reference", loss_function_reference(function));
    json_t *roles = json_array(), *flags = json_object(), *numbers = json_object(), *list = json_array();
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        json_array_append_new(roles, json_string(loss_function_role(function, i)));
    }
    for (int32_t i = 0; i < loss_function_property_count(); i++) {
        int32_t value = 0;
        if (loss_function_property(function, loss_function_property_name(i), &value) == LOSS_OK) {
            json_object_set_new(flags, loss_function_property_name(i), json_boolean(value));
        }
    }
    for (int32_t i = 0; i < loss_function_number_count(); i++) {
        double value = 0;
        if (loss_function_number(function, loss_function_number_name(i), &value) == LOSS_OK) {
            json_object_set_new(numbers, loss_function_number_name(i), json_from_double(value));
        }
    }
    for (int32_t i = 0; i < loss_function_option_count(function); i++) {
        json_array_append_new(list, describe_option(loss_function_option(function, i)));
    }
    json_object_set_new(json, "roles", roles);
    json_object_set_new(json, "properties", flags);
    json_object_set_new(json, "numbers", numbers);
    json_object_set_new(json, "link", json_string(loss_function_link(function)));
    json_object_set_new(json, "elsewhere", split_words(loss_function_elsewhere(function), ";", "; "));
    json_object_set_new(json, "options", list);
    return json;
}

static json_t *describe_optimizer(const loss_optimizer *optimizer)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "name", loss_optimizer_name(optimizer), "family",
                             loss_optimizer_family(optimizer), "summary", loss_optimizer_summary(optimizer),
                             "reference", loss_optimizer_reference(optimizer));
    json_t *list = json_array();
    for (int32_t i = 0; i < loss_optimizer_option_count(optimizer); i++) {
        json_array_append_new(list, describe_option(loss_optimizer_option(optimizer, i)));
    }
    json_object_set_new(json, "options", list);
    return json;
}

static int collect_losses(json_t *rows, loss_context *context)
{
    for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
        loss_function *function;
        if (loss_function_create(&function, context, loss_function_catalogue_name(i))) {
            return tool_fail_context(context);
        }
        json_array_append_new(rows, describe_loss(function));
        loss_function_free(function);
    }
    return TOOL_DONE;
}

static int collect_optimizers(json_t *rows, loss_context *context)
{
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        loss_optimizer *optimizer;
        if (loss_optimizer_create(&optimizer, context, loss_optimizer_catalogue_name(i), LOSS_FLOAT64, 1)) {
            return tool_fail_context(context);
        }
        json_array_append_new(rows, describe_optimizer(optimizer));
        loss_optimizer_free(optimizer);
    }
    return TOOL_DONE;
}

static void print_text(const json_t *rows)
{
    size_t width = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const size_t length = json_string_length(json_object_get(json_array_get(rows, i), "name"));
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        printf("%-*s  %s\n", (int)width, json_string_value(json_object_get(row, "name")),
               json_string_value(json_object_get(row, "summary")));
    }
}

int command_list(int argc, char **argv)
{
    struct list_options list = {0};
    loss_context *context;
    argp_parse(&argp, argc, argv, 0, NULL, &list);
    if (loss_context_create(&context)) {
        return tool_fail("no memory");
    }
    json_t *rows = json_array();
    const int result = strcmp(list.what, "losses") == 0 ? collect_losses(rows, context)
                                                        : collect_optimizers(rows, context);
    if (result == TOOL_DONE) {
        if (list.json) {
            json_print(stdout, rows);
        } else {
            print_text(rows);
        }
    }
    json_decref(rows);
    loss_context_free(context);
    return result;
}
