/* Classes: the different values of a column, numbered; and the numbers of a column's cells. */
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loss_classes {
    loss_context *context;
    loss_data *anchor; /* keeps the context alive, see struct loss_table */
    int64_t count;
    char *text;         /* the names, each ended by NUL */
    const char **names; /* in the order of the classes, into text */
    int64_t *by_name;   /* count classes sorted by the bytes of their names */
};

/* A name while it is sorted: by number when it has one. */
struct entry {
    double number;
    const char *name;
    int64_t index;
};

#define NAME_SIZE 40

static int compare_bytes(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int compare_numbers(const void *a, const void *b)
{
    const double x = ((const struct entry *)a)->number, y = ((const struct entry *)b)->number;
    return (x > y) - (x < y);
}

/* The name of the class a cell is of: its text, or the shortest form of its number, written to buffer. */
static const char *cell_name(const loss_table *table, int64_t row, int64_t column, char buffer[NAME_SIZE])
{
    if (table->bad_row[column] >= 0) {
        return lossi_io_table_cell(table, row, column);
    }
    /* Adding 0 makes −0 the same class as 0. */
    loss_format_double(table->numbers[row * table->columns + column] + 0.0, buffer, NAME_SIZE, NULL);
    return buffer;
}

static loss_status fail_cell(const loss_table *table, loss_context *context, int64_t row, int64_t column,
                             loss_status status, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_cell(&message, table, row, column);
    if (*lossi_io_table_cell(table, row, column)) {
        lossi_io_message_quote(&message, lossi_io_table_cell(table, row, column));
    } else {
        lossi_io_message_add(&message, "an empty field");
    }
    lossi_io_message_add(&message, " %s", what);
    return lossi_io_message_fail(&message, context, status);
}

static loss_status create_empty(loss_classes **out, loss_context *context)
{
    loss_classes *classes = lossi_io_table_allocate(context, 1, sizeof *classes);
    if (!classes) {
        return LOSS_ERROR_MEMORY;
    }
    *classes = (loss_classes){.context = context};
    const loss_status status = loss_data_create(&classes->anchor, context);
    if (status) {
        loss_context_release(context, classes);
        return status;
    }
    *out = classes;
    return LOSS_OK;
}

/* Copies the names, in order, and sorts an index of them by name. */
static loss_status keep_names(loss_classes *classes, struct entry *entries, int64_t count)
{
    loss_context *context = classes->context;
    size_t bytes = 0;
    for (int64_t i = 0; i < count; i++) {
        bytes += strlen(entries[i].name) + 1;
    }
    classes->text = lossi_io_table_allocate(context, (int64_t)bytes, 1);
    classes->names = lossi_io_table_allocate(context, count, sizeof *classes->names);
    classes->by_name = lossi_io_table_allocate(context, count, sizeof *classes->by_name);
    if (!classes->text || !classes->names || !classes->by_name) {
        return LOSS_ERROR_MEMORY;
    }
    char *p = classes->text;
    for (int64_t i = 0; i < count; i++) {
        classes->names[i] = p;
        p = strcpy(p, entries[i].name) + strlen(entries[i].name) + 1;
        entries[i] = (struct entry){.name = classes->names[i], .index = i};
    }
    qsort(entries, (size_t)count, sizeof *entries, compare_bytes);
    for (int64_t i = 0; i < count; i++) {
        classes->by_name[i] = entries[i].index;
    }
    classes->count = count;
    return LOSS_OK;
}

/* Sorts a column's values and leaves one of each; returns how many, −1 when a cell can be no class. */
static int64_t distinct_values(const loss_table *table, loss_context *context, int64_t column,
                               struct entry *entries, loss_status *status)
{
    const int is_numeric = table->bad_row[column] < 0;
    for (int64_t r = 0; r < table->rows; r++) {
        entries[r].name = lossi_io_table_cell(table, r, column);
        entries[r].number = table->numbers[r * table->columns + column];
        if (*entries[r].name == '\0' || (is_numeric && isnan(entries[r].number))) {
            *status = fail_cell(table, context, r, column, LOSS_ERROR_FORMAT, "is no class");
            return -1;
        }
    }
    qsort(entries, (size_t)table->rows, sizeof *entries, is_numeric ? compare_numbers : compare_bytes);
    int64_t count = 0;
    for (int64_t r = 0; r < table->rows; r++) {
        if (count == 0 || (is_numeric ? entries[r].number != entries[count - 1].number
                                      : strcmp(entries[r].name, entries[count - 1].name) != 0)) {
            entries[count++] = entries[r];
        }
    }
    return count;
}

/* Numbers are named by their shortest form, whatever the file's spelling. */
static char *name_numbers(loss_context *context, struct entry *entries, int64_t count)
{
    char *names = lossi_io_table_allocate(context, count, NAME_SIZE);
    for (int64_t i = 0; names && i < count; i++) {
        loss_format_double(entries[i].number + 0.0, names + i * NAME_SIZE, NAME_SIZE, NULL);
        entries[i].name = names + i * NAME_SIZE;
    }
    return names;
}

static loss_status collect(loss_classes *classes, const loss_table *table, int64_t column)
{
    loss_context *context = classes->context;
    struct entry *entries = lossi_io_table_allocate(context, table->rows, sizeof *entries);
    if (!entries) {
        return LOSS_ERROR_MEMORY;
    }
    loss_status status = LOSS_OK;
    char *numbers = NULL;
    const int64_t count = distinct_values(table, context, column, entries, &status);
    if (!status && table->bad_row[column] < 0) {
        numbers = name_numbers(context, entries, count);
        status = numbers ? LOSS_OK : LOSS_ERROR_MEMORY;
    }
    if (!status) {
        status = keep_names(classes, entries, count);
    }
    loss_context_release(context, numbers);
    loss_context_release(context, entries);
    return status;
}

loss_status loss_classes_create(loss_classes **out, loss_context *context, const loss_table *table,
                                int64_t column)
{
    if (out) {
        *out = NULL;
    }
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = out ? lossi_io_check_column(context, table, column)
                             : lossi_io_fail_null(context, "out");
    if (status) {
        return status;
    }
    loss_classes *classes = NULL;
    status = create_empty(&classes, context);
    if (!status) {
        status = collect(classes, table, column);
    }
    if (status) {
        loss_classes_free(classes);
        return status;
    }
    *out = classes;
    return LOSS_OK;
}

static loss_status check_no_twins(const loss_classes *classes)
{
    for (int64_t i = 1; i < classes->count; i++) {
        const char *name = classes->names[classes->by_name[i]];
        if (strcmp(classes->names[classes->by_name[i - 1]], name) != 0) {
            continue;
        }
        struct lossi_io_message message = {0};
        lossi_io_message_add(&message, "two classes are named ");
        lossi_io_message_quote(&message, name);
        return lossi_io_message_fail(&message, classes->context, LOSS_ERROR_NAME);
    }
    return LOSS_OK;
}

static loss_status check_names(loss_context *context, int64_t count, const char *const *names)
{
    if (count < 1) {
        return lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "classes need at least 1 name");
    }
    if (!names) {
        return lossi_io_fail_null(context, "names");
    }
    for (int64_t i = 0; i < count; i++) {
        if (!names[i]) {
            struct lossi_io_message message = {0};
            lossi_io_message_add(&message, "the name of class %" PRId64 " (counted from 0) is NULL", i);
            return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
        }
    }
    return LOSS_OK;
}

loss_status loss_classes_create_named(loss_classes **out, loss_context *context, int64_t count,
                                      const char *const *names)
{
    if (out) {
        *out = NULL;
    }
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = out ? check_names(context, count, names) : lossi_io_fail_null(context, "out");
    if (status) {
        return status;
    }
    loss_classes *classes = NULL;
    status = create_empty(&classes, context);
    struct entry *entries = status ? NULL : lossi_io_table_allocate(context, count, sizeof *entries);
    if (!status && !entries) {
        status = LOSS_ERROR_MEMORY;
    }
    for (int64_t i = 0; !status && i < count; i++) {
        entries[i].name = names[i];
    }
    if (!status) {
        status = keep_names(classes, entries, count);
    }
    loss_context_release(context, entries);
    if (!status) {
        status = check_no_twins(classes);
    }
    if (status) {
        loss_classes_free(classes);
        return status;
    }
    *out = classes;
    return LOSS_OK;
}

void loss_classes_free(loss_classes *classes)
{
    if (!classes) {
        return;
    }
    loss_context *context = classes->context;
    loss_data *anchor = classes->anchor;
    loss_context_release(context, classes->text);
    loss_context_release(context, classes->names);
    loss_context_release(context, classes->by_name);
    loss_context_release(context, classes);
    loss_data_free(anchor);
}

int64_t loss_classes_count(const loss_classes *classes)
{
    return classes ? classes->count : 0;
}

const char *loss_classes_name(const loss_classes *classes, int64_t index)
{
    return classes && index >= 0 && index < classes->count ? classes->names[index] : NULL;
}

static int64_t find_class(const loss_classes *classes, const char *name)
{
    int64_t low = 0, high = classes->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(name, classes->names[classes->by_name[middle]]);
        if (order == 0) {
            return classes->by_name[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return -1;
}

loss_status loss_classes_get_labels(const loss_classes *classes, loss_context *context,
                                    const loss_table *table, int64_t column, int64_t *labels, int64_t stride)
{
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = classes ? lossi_io_check_column(context, table, column)
                                 : lossi_io_fail_null(context, "classes");
    if (!status && !labels && table->rows > 0) {
        status = lossi_io_fail_null(context, "labels");
    }
    if (status) {
        return status;
    }
    char buffer[NAME_SIZE];
    for (int64_t r = 0; r < table->rows; r++) {
        if (find_class(classes, cell_name(table, r, column, buffer)) < 0) {
            char what[64];
            snprintf(what, sizeof what, "is none of the %" PRId64 " classes", classes->count);
            return fail_cell(table, context, r, column, LOSS_ERROR_LABEL, what);
        }
    }
    for (int64_t r = 0; r < table->rows; r++) {
        labels[r * stride] = find_class(classes, cell_name(table, r, column, buffer));
    }
    return LOSS_OK;
}
