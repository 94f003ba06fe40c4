/* Classes: the different values of a column, numbered; and the numbers of a column's cells. */
#include "input.h"

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

/* From here on a double stands for several whole numbers, which would be one class. */
static const double not_told_apart = 0x1p53;

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
    if (table->bad_row[column] >= 0 || !(fabs(lossi_io_table_number(table, row, column)) < not_told_apart)) {
        return lossi_io_table_cell(table, row, column);
    }
    /* Adding 0 makes −0 the same class as 0. */
    loss_format_double(lossi_io_table_number(table, row, column) + 0.0, buffer, NAME_SIZE, NULL);
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
    if (count > 0) {
        qsort(entries, (size_t)count, sizeof *entries, compare_bytes);
    }
    for (int64_t i = 0; i < count; i++) {
        classes->by_name[i] = entries[i].index;
    }
    classes->count = count;
    return LOSS_OK;
}

/* The different values of a column while they are gathered: memory goes with how many there are, not with the rows. */
struct gathering {
    loss_context *context;
    int is_numeric;
    void *entries; /* struct entry, in the order of their first rows */
    int64_t count, capacity;
    int64_t *
        slots; /* a power of two of them, at least twice as many as entries: where an entry is, −1 for nowhere */
    int64_t slot_count;
};

/* FNV-1a (Fowler, Noll & Vo, 1991), of 64 bits, then its upper half into the lower. */
static uint64_t hash(const struct gathering *gathering, const struct entry *entry)
{
    const double number = entry->number + 0.0; /* −0 is 0 */
    const unsigned char *p = (const unsigned char *)(gathering->is_numeric ? (const char *)&number
                                                                           : entry->name);
    const size_t length = gathering->is_numeric ? sizeof number : strlen(entry->name);
    uint64_t code = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        code = (code ^ p[i]) * 0x100000001b3u;
    }
    return code ^ code >> 32;
}

/* The slot the value is in, or where it would go. */
static int64_t *find_slot(const struct gathering *gathering, const struct entry *entry)
{
    const struct entry *entries = gathering->entries;
    for (uint64_t s = hash(gathering, entry);; s++) {
        int64_t *slot = &gathering->slots[s & (uint64_t)(gathering->slot_count - 1)];
        if (*slot < 0 || (gathering->is_numeric ? entries[*slot].number == entry->number
                                                : strcmp(entries[*slot].name, entry->name) == 0)) {
            return slot;
        }
    }
}

static loss_status double_slots(struct gathering *gathering)
{
    const int64_t count = gathering->slot_count ? 2 * gathering->slot_count : 64;
    int64_t *slots = lossi_io_table_allocate(gathering->context, count, sizeof *slots);
    if (!slots) {
        return LOSS_ERROR_MEMORY;
    }
    loss_context_release(gathering->context, gathering->slots);
    gathering->slots = slots;
    gathering->slot_count = count;
    for (int64_t s = 0; s < count; s++) {
        slots[s] = -1;
    }
    for (int64_t i = 0; i < gathering->count; i++) {
        *find_slot(gathering, (struct entry *)gathering->entries + i) = i;
    }
    return LOSS_OK;
}

static loss_status gather(struct gathering *gathering, const struct entry *entry)
{
    loss_status status = LOSS_OK;
    if (2 * gathering->count >= gathering->slot_count) {
        status = double_slots(gathering);
    }
    int64_t *slot = status ? NULL : find_slot(gathering, entry);
    if (slot && *slot < 0) {
        status = lossi_io_grow(gathering->context, &gathering->entries, &gathering->capacity,
                               gathering->count, gathering->count + 1, sizeof *entry);
        if (!status) {
            ((struct entry *)gathering->entries)[gathering->count] = *entry;
            *slot = gathering->count++;
        }
    }
    return status;
}

/* Gathers a column's values and sorts them; fails when a cell can be no class. */
static loss_status distinct_values(struct gathering *gathering, const loss_table *table, int64_t column)
{
    for (int64_t r = 0; r < table->rows; r++) {
        struct entry entry = {.name = lossi_io_table_cell(table, r, column)};
        if (gathering->is_numeric) {
            entry.number = lossi_io_table_number(table, r, column);
        }
        if (*entry.name == '\0' || (gathering->is_numeric && isnan(entry.number))) {
            return fail_cell(table, gathering->context, r, column, LOSS_ERROR_FORMAT, "is no class");
        }
        if (gathering->is_numeric && !(fabs(entry.number) < not_told_apart)) {
            return fail_cell(table, gathering->context, r, column, LOSS_ERROR_FORMAT,
                             "is no class: numbers from 2^53 on are not told apart");
        }
        const loss_status status = gather(gathering, &entry);
        if (status) {
            return status;
        }
    }
    if (gathering->count > 0) {
        qsort(gathering->entries, (size_t)gathering->count, sizeof(struct entry),
              gathering->is_numeric ? compare_numbers : compare_bytes);
    }
    return LOSS_OK;
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
    struct gathering gathering = {.context = context, .is_numeric = table->bad_row[column] < 0};
    char *numbers = NULL;
    loss_status status = distinct_values(&gathering, table, column);
    if (!status && gathering.is_numeric) {
        numbers = name_numbers(context, gathering.entries, gathering.count);
        status = numbers ? LOSS_OK : LOSS_ERROR_MEMORY;
    }
    if (!status) {
        status = keep_names(classes, gathering.entries, gathering.count);
    }
    loss_context_release(context, numbers);
    loss_context_release(context, gathering.entries);
    loss_context_release(context, gathering.slots);
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
