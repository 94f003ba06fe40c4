/* Values of options: kept beside the table that describes them, changed only through it. */
#include "core/option.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- introspection ---- */

const char *loss_option_name(const loss_option *option)
{
    return option == NULL ? "" : option->name;
}

int32_t loss_option_type(const loss_option *option)
{
    return option == NULL ? 0 : option->type;
}

static int32_t is_string(const loss_option *option)
{
    return option == NULL || option->type == LOSS_OPTION_STRING;
}

double loss_option_minimum(const loss_option *option)
{
    return is_string(option) ? (double)NAN : option->minimum;
}

double loss_option_maximum(const loss_option *option)
{
    return is_string(option) ? (double)NAN : option->maximum;
}

double loss_option_default(const loss_option *option)
{
    return is_string(option) || option->type == LOSS_OPTION_ARRAY ? (double)NAN : option->initial;
}

const char *loss_option_aliases(const loss_option *option)
{
    return option == NULL || option->aliases == NULL ? "" : option->aliases;
}

const char *loss_option_default_string(const loss_option *option)
{
    return option == NULL || option->text == NULL ? "" : option->text;
}

const char *loss_option_choices(const loss_option *option)
{
    return option == NULL || option->choices == NULL ? "" : option->choices;
}

const char *loss_option_doc(const loss_option *option)
{
    return option == NULL ? "" : option->doc;
}

/* ---- one row ---- */

static const char *const type_names[] = {"", "a double", "an int", "a string", "an array"};

static const char *row_name(const void *rows, int32_t index)
{
    return ((const loss_option *)rows)[index].name;
}

/* Whether that is its name or one of its aliases. */
static int32_t called(const loss_option *row, const char *name)
{
    if (row->name[0] == name[0] && strcmp(row->name, name) == 0) { /* most names are other ones */
        return 1;
    }
    const size_t length = row->aliases == NULL ? 0 : strlen(name);
    const char *alias = row->aliases == NULL ? "" : row->aliases;
    while (*alias != '\0') {
        const size_t end = strcspn(alias, " ");
        if (end == length && strncmp(alias, name, length) == 0) {
            return 1;
        }
        alias += end + strspn(alias + end, " ");
    }
    return 0;
}

/* An int where a double is wanted is fine; everything else has to match. */
static int32_t fits(int32_t type, int32_t given)
{
    return type == given || (type == LOSS_OPTION_DOUBLE && given == LOSS_OPTION_INT);
}

loss_status lossi_option_find(loss_context *context, const char *owner, const loss_option *rows,
                              int32_t count, const char *name, int32_t type, int32_t *index)
{
    char kind[96];
    if (name == NULL) {
        return lossi_fail_null(context, "the name of the option");
    }
    for (int32_t i = 0; i < count; i++) {
        if (!called(&rows[i], name)) {
            continue;
        }
        if (!fits(rows[i].type, type)) {
            return lossi_fail(context, LOSS_ERROR_TYPE, "the option '%s' of %s is %s, not %s", name, owner,
                              type_names[rows[i].type], type_names[type]);
        }
        *index = i;
        return LOSS_OK;
    }
    snprintf(kind, sizeof kind, "option of %s called", owner);
    return lossi_fail_name(context, kind, name, row_name, rows, count);
}

loss_status lossi_option_check_number(loss_context *context, const char *owner, const loss_option *option,
                                      double value)
{
    char given[32], low[32], high[32];
    if (value >= option->minimum && value <= option->maximum) {
        return LOSS_OK;
    }
    return lossi_fail(context, LOSS_ERROR_RANGE, "the option '%s' of %s is %s … %s, not %s", option->name,
                      owner, lossi_number(option->minimum, low), lossi_number(option->maximum, high),
                      lossi_number(value, given));
}

/* Which of the choices "a|b|c" the word is, −1 when none; any word is choice 0 of "". */
static int32_t choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    int32_t index = 0;
    if (*choices == '\0') {
        return 0;
    }
    for (;; index++) {
        size_t end = strcspn(choices, "|");
        if (end == length && strncmp(choices, word, length) == 0) {
            return index;
        }
        if (choices[end] == '\0') {
            return -1;
        }
        choices += end + 1;
    }
}

/* Choice `index` of "a|b|c", in a word of LOSSI_WORD_SIZE. */
static void copy_choice(const char *choices, int32_t index, char *word)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|') + 1;
    }
    snprintf(word, LOSSI_WORD_SIZE, "%.*s", (int)strcspn(choices, "|"), choices);
}

/* ---- the values of a handle ---- */

static void set_default(const loss_option *option, lossi_option_value *value)
{
    value->number = option->initial;
    value->integer = option->type == LOSS_OPTION_INT ? (int64_t)option->initial : 0;
    if (option->type == LOSS_OPTION_STRING) {
        const char *text = loss_option_default_string(option);
        size_t length = strlen(text); /* no snprintf(): it would take as long as all the rest of a handle */
        memcpy(value->word, text, length < sizeof value->word ? length : sizeof value->word - 1);
        value->integer = choice(loss_option_choices(option), value->word);
    }
}

loss_status lossi_options_create(lossi_options *options, loss_context *context, const char *owner,
                                 const loss_option *common, int32_t common_count, const loss_option *own,
                                 int32_t own_count)
{
    *options = (lossi_options){context, owner, {common, own}, {common_count, own_count}, NULL};
    int32_t count = common_count + own_count;
    options->values = lossi_allocate(context, (int64_t)sizeof(lossi_option_value) * count);
    if (options->values == NULL) {
        return lossi_fail_memory(context, "options");
    }
    for (int32_t i = 0; i < count; i++) {
        set_default(lossi_options_at(options, i), &options->values[i]);
    }
    return LOSS_OK;
}

void lossi_options_destroy(lossi_options *options)
{
    for (int32_t i = 0; options->values != NULL && i < lossi_options_count(options); i++) {
        lossi_release(options->context, options->values[i].array);
    }
    lossi_release(options->context, options->values);
    options->values = NULL;
}

loss_status lossi_options_copy(lossi_options *to, const lossi_options *from)
{
    for (int32_t i = 0; i < lossi_options_count(from); i++) {
        const lossi_option_value *value = &from->values[i];
        double *array = NULL;
        if (value->count > 0) {
            array = lossi_allocate(to->context, value->count * (int64_t)sizeof *array);
            if (array == NULL) {
                return lossi_fail_memory(to->context, "options");
            }
            memcpy(array, value->array, (size_t)value->count * sizeof *array);
        }
        lossi_release(to->context, to->values[i].array);
        to->values[i] = *value;
        to->values[i].array = array;
    }
    return LOSS_OK;
}

int32_t lossi_options_count(const lossi_options *options)
{
    return options->counts[0] + options->counts[1];
}

const loss_option *lossi_options_at(const lossi_options *options, int32_t index)
{
    if (index < 0 || index >= lossi_options_count(options)) {
        return NULL;
    }
    int32_t own = index - options->counts[0];
    return own < 0 ? &options->tables[0][index] : &options->tables[1][own];
}

const lossi_option_value *lossi_options_common(const lossi_options *options, int32_t index)
{
    return &options->values[index];
}

const lossi_option_value *lossi_options_own(const lossi_options *options, int32_t index)
{
    return &options->values[options->counts[0] + index];
}

static const char *any_name(const void *options, int32_t index)
{
    return lossi_options_at(options, index)->name;
}

/* The value of that name and type, NULL with a sentence and *status when there is none. */
static lossi_option_value *find(const lossi_options *options, const char *name, int32_t type,
                                const loss_option **option, loss_status *status)
{
    char kind[96];
    if (name == NULL) {
        *status = lossi_fail_null(options->context, "the name of the option");
        return NULL;
    }
    for (int32_t table = 0, first = 0; table < 2; first += options->counts[table], table++) {
        for (int32_t i = 0; i < options->counts[table]; i++) {
            if (called(&options->tables[table][i], name)) {
                int32_t index;
                *option = &options->tables[table][i];
                *status = lossi_option_find(options->context, options->owner, *option, 1, name, type, &index);
                return *status == LOSS_OK ? &options->values[first + i] : NULL;
            }
        }
    }
    snprintf(kind, sizeof kind, "option of %s called", options->owner);
    *status = lossi_fail_name(options->context, kind, name, any_name, options, lossi_options_count(options));
    return NULL;
}

loss_status lossi_options_set_double(lossi_options *options, const char *name, double value)
{
    const loss_option *option;
    loss_status status;
    lossi_option_value *place = find(options, name, LOSS_OPTION_DOUBLE, &option, &status);
    if (place == NULL) {
        return status;
    }
    status = lossi_option_check_number(options->context, options->owner, option, value);
    if (status == LOSS_OK) {
        place->number = value;
    }
    return status;
}

loss_status lossi_options_set_int(lossi_options *options, const char *name, int64_t value)
{
    const loss_option *option;
    loss_status status;
    lossi_option_value *place = find(options, name, LOSS_OPTION_INT, &option, &status);
    if (place == NULL) {
        return status;
    }
    status = lossi_option_check_number(options->context, options->owner, option, (double)value);
    if (status == LOSS_OK) {
        place->number = (double)value;
        place->integer = value;
    }
    return status;
}

loss_status lossi_options_set_string(lossi_options *options, const char *name, const char *value)
{
    const loss_option *option;
    loss_status status;
    if (value == NULL) {
        return lossi_fail_null(options->context, "value");
    }
    lossi_option_value *place = find(options, name, LOSS_OPTION_STRING, &option, &status);
    if (place == NULL) {
        return status;
    }
    int32_t which = choice(loss_option_choices(option), value);
    const int32_t other = which < 0 && option->words != NULL ? choice(option->words, value) : -1;
    if (other >= 0) {
        copy_choice(loss_option_choices(option), other, place->word);
        place->integer = other;
        return LOSS_OK;
    }
    if (which < 0 || strlen(value) >= LOSSI_WORD_SIZE) {
        return lossi_fail(options->context, LOSS_ERROR_RANGE,
                          "the option '%s' of %s is one of %s, not '%.64s'", name, options->owner,
                          loss_option_choices(option), value);
    }
    snprintf(place->word, sizeof place->word, "%s", value);
    place->integer = which;
    return LOSS_OK;
}

static double element(const void *values, loss_dtype dtype, int64_t index)
{
    switch (dtype) {
    case LOSS_FLOAT32:
        return ((const float *)values)[index];
    case LOSS_INT32:
        return ((const int32_t *)values)[index];
    case LOSS_INT64:
        return (double)((const int64_t *)values)[index];
    default:
        return ((const double *)values)[index];
    }
}

loss_status lossi_options_set_array(lossi_options *options, const char *name, const void *values,
                                    loss_dtype dtype, int64_t count)
{
    const loss_option *option;
    loss_status status;
    double *copy = NULL;
    lossi_option_value *place = find(options, name, LOSS_OPTION_ARRAY, &option, &status);
    if (place == NULL) {
        return status;
    }
    if (count < 0 || (count > 0 && values == NULL)) {
        return lossi_fail(options->context, LOSS_ERROR_ARGUMENT,
                          "the option '%s' needs an array of count ≥ 0", name);
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64 && dtype != LOSS_INT32 && dtype != LOSS_INT64) {
        return lossi_fail(options->context, LOSS_ERROR_TYPE,
                          "the option '%s' cannot be read from elements of type %s", name,
                          loss_dtype_name(dtype));
    }
    for (int64_t i = 0; i < count; i++) {
        status = lossi_option_check_number(options->context, options->owner, option,
                                           element(values, dtype, i));
        if (status != LOSS_OK) {
            return status;
        }
    }
    if (count > 0) {
        copy = count > INT64_MAX / 8 ? NULL : lossi_allocate(options->context, count * (int64_t)sizeof *copy);
        if (copy == NULL) {
            return lossi_fail_memory(options->context, "an array option");
        }
    }
    for (int64_t i = 0; i < count; i++) {
        copy[i] = element(values, dtype, i);
    }
    lossi_release(options->context, place->array);
    place->array = copy;
    place->count = count;
    return LOSS_OK;
}

/* Getters want the very type: reading an int as a double would hide a mistake. */
static const lossi_option_value *read(const lossi_options *options, const char *name, int32_t type,
                                      const void *out, loss_status *status)
{
    const loss_option *option = NULL;
    if (out == NULL) {
        *status = lossi_fail_null(options->context, "value");
        return NULL;
    }
    const lossi_option_value *place = find(options, name, type, &option, status);
    if (place != NULL && option->type != type) {
        *status = lossi_fail(options->context, LOSS_ERROR_TYPE, "the option '%s' of %s is %s, not %s", name,
                             options->owner, type_names[option->type], type_names[type]);
        return NULL;
    }
    return place;
}

loss_status lossi_options_get_double(const lossi_options *options, const char *name, double *value)
{
    loss_status status;
    const lossi_option_value *place = read(options, name, LOSS_OPTION_DOUBLE, value, &status);
    if (place != NULL) {
        *value = place->number;
    }
    return status;
}

loss_status lossi_options_get_int(const lossi_options *options, const char *name, int64_t *value)
{
    loss_status status;
    const lossi_option_value *place = read(options, name, LOSS_OPTION_INT, value, &status);
    if (place != NULL) {
        *value = place->integer;
    }
    return status;
}

loss_status lossi_options_get_string(const lossi_options *options, const char *name, const char **value)
{
    loss_status status;
    const lossi_option_value *place = read(options, name, LOSS_OPTION_STRING, value, &status);
    if (place != NULL) {
        *value = place->word;
    }
    return status;
}
