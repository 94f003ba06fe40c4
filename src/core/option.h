/* Options: one table of rows per kind of handle gives validation, getters, sentences and introspection. */
#ifndef LOSSI_CORE_OPTION_H
#define LOSSI_CORE_OPTION_H

#include <stdint.h>

#include "core/context.h"
#include "loss/data.h"
#include "loss/option.h"

/* A row of a table. Numbers use minimum, maximum, initial; strings text (the default) and choices ("a|b", ""
 * = any). */
struct loss_option {
    const char *name;
    int32_t type;
    double minimum, maximum, initial;
    const char *text;
    const char *choices;
    const char *doc;
    const char *aliases; /* separated by spaces; NULL: none */
    const char *words; /* the choices in another library's words, in their order: "true|false"; NULL: none */
};

enum { LOSSI_WORD_SIZE = 48 }; /* a string option's longest value and its zero */

typedef struct lossi_option_value {
    double number;              /* of a double */
    int64_t integer;            /* of an int; of a string with choices, which one it is */
    char word[LOSSI_WORD_SIZE]; /* of a string */
    double *array;              /* of an array, owned */
    int64_t count;
} lossi_option_value;

/* The values of one handle: those of a table common to its kind, then those of its own. */
typedef struct lossi_options {
    loss_context *context;
    const char *owner; /* names the handle in sentences: "the loss 'huber'"; must outlive it */
    const loss_option *tables[2];
    int32_t counts[2];
    lossi_option_value *values;
} lossi_options;

/* Sets everything to its default. Tables may be NULL with count 0. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_options_create(lossi_options *options, loss_context *context, const char *owner,
                                 const loss_option *common, int32_t common_count, const loss_option *own,
                                 int32_t own_count);
void lossi_options_destroy(lossi_options *options);

/* Takes the values of a handle of the same kind and name. LOSS_OK or LOSS_ERROR_MEMORY. */
loss_status lossi_options_copy(lossi_options *to, const lossi_options *from);

/* The public setters and getters, after their NULL checks of the handle. */
loss_status lossi_options_set_double(lossi_options *options, const char *name, double value);
loss_status lossi_options_set_int(lossi_options *options, const char *name, int64_t value);
loss_status lossi_options_set_string(lossi_options *options, const char *name, const char *value);
loss_status lossi_options_set_array(lossi_options *options, const char *name, const void *values,
                                    loss_dtype dtype, int64_t count);
loss_status lossi_options_get_double(const lossi_options *options, const char *name, double *value);
loss_status lossi_options_get_int(const lossi_options *options, const char *name, int64_t *value);
loss_status lossi_options_get_string(const lossi_options *options, const char *name, const char **value);
int32_t lossi_options_count(const lossi_options *options);
const loss_option *lossi_options_at(const lossi_options *options, int32_t index);

/* The value at a place in the own table, for the code that owns it. */
const lossi_option_value *lossi_options_own(const lossi_options *options, int32_t index);
const lossi_option_value *lossi_options_common(const lossi_options *options, int32_t index);

/* Finds a row by name or alias and type. LOSS_ERROR_NAME (with the nearest name), LOSS_ERROR_TYPE,
 * LOSS_ERROR_ARGUMENT. */
loss_status lossi_option_find(loss_context *context, const char *owner, const loss_option *rows,
                              int32_t count, const char *name, int32_t type, int32_t *index);

/* LOSS_ERROR_RANGE with the bounds in the sentence when value is outside them or NaN. */
loss_status lossi_option_check_number(loss_context *context, const char *owner, const loss_option *option,
                                      double value);

/*
 * The name nearest to a misspelt one, NULL when none is near: at most one edit in three characters (insert,
 * delete, replace, swap). name_at(names, 0 … count − 1) gives the candidates.
 */
typedef const char *(*lossi_name_at)(const void *names, int32_t index);
const char *lossi_nearest(const char *name, lossi_name_at name_at, const void *names, int32_t count);

/* "there is no <kind> '<name>'", and "; did you mean '…'?" when there is a near one. Gives LOSS_ERROR_NAME.
 */
loss_status lossi_fail_name(loss_context *context, const char *kind, const char *name, lossi_name_at name_at,
                            const void *names, int32_t count);

#endif
