/* The calls that read CSV as numbers, and which columns go where. */
#include "csv_numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NOWHERE = -1, FIRST_OTHER = -2, UNSETTLED = INT32_MIN };

/* ---- places */

static loss_status fail_twice(loss_context *context, const char *path, const char *name)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, path);
    lossi_io_message_add(&message, "the column ");
    lossi_io_message_quote(&message, name);
    lossi_io_message_add(&message, " is asked for twice");
    return lossi_io_message_fail(&message, context, LOSS_ERROR_NAME);
}

static loss_status fail_separator(loss_context *context, const char *path, const char *likely)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, path);
    lossi_io_message_add(&message, "there is but one column; the separator is probably %s", likely);
    return lossi_io_message_fail(&message, context, LOSS_ERROR_NAME);
}

/* Gives the columns named the places first, first + step, … */
static loss_status place_names(const loss_table *header, loss_context *context, int64_t count,
                               const char *const *names, int64_t *places, int64_t first, int64_t step)
{
    loss_status status = LOSS_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        int64_t column;
        status = loss_table_find_column(header, context, names[i], &column);
        const char *likely = header->columns == 1
                                 ? lossi_io_csv_likely_separator(loss_table_column_name(header, 0))
                                 : NULL;
        if (status == LOSS_ERROR_NAME && likely) {
            return fail_separator(context, header->path, likely);
        }
        if (!status && places[column] != UNSETTLED) {
            status = fail_twice(context, header->path, names[i]);
        } else if (!status) {
            places[column] = first + i * step;
        }
    }
    return status;
}

/* All others, in the order of the file; returns how many. */
static int64_t place_rest(int64_t columns, int64_t *places, int64_t first, int64_t step)
{
    int64_t count = 0;
    for (int64_t c = 0; c < columns; c++) {
        if (places[c] == UNSETTLED) {
            places[c] = first + count++ * step;
        }
    }
    return count;
}

/* Where in the file the columns of the array and of the table are. */
static loss_status keep_origins(struct loss_array *array, loss_table *others, loss_context *context,
                                const int64_t *places)
{
    array->origins = lossi_io_table_allocate(context, array->columns, sizeof *array->origins);
    int64_t *origins = others ? lossi_io_table_allocate(context, others->columns, sizeof *origins) : NULL;
    if (!array->origins || (others && !origins)) {
        loss_context_release(context, origins);
        return LOSS_ERROR_MEMORY;
    }
    for (int64_t c = 0; c < array->header->columns; c++) {
        if (places[c] >= 0) {
            array->origins[places[c]] = c;
        } else if (places[c] != NOWHERE) {
            origins[FIRST_OTHER - places[c]] = c;
        }
    }
    if (others) {
        others->origins = origins;
    }
    return LOSS_OK;
}

/* The names of the table's columns: at the start of its text, or their numbers in the file. */
static loss_status name_columns(loss_table *others, const loss_table *header, int64_t *text_used)
{
    loss_context *context = others->context;
    int64_t bytes = 0;
    for (int64_t k = 0; k < others->columns; k++) {
        bytes += (int64_t)strlen(loss_table_column_name(header, others->origins[k])) + 1;
    }
    if (!header->names) {
        others->numbering = lossi_io_table_allocate(context, others->columns, NUMBER_WIDTH);
        for (int64_t k = 0; others->numbering && k < others->columns; k++) {
            snprintf(others->numbering + k * NUMBER_WIDTH, NUMBER_WIDTH, "%" PRId64, others->origins[k] + 1);
        }
        return others->numbering ? LOSS_OK : LOSS_ERROR_MEMORY;
    }
    others->names = lossi_io_table_allocate(context, others->columns, sizeof *others->names);
    others->text = lossi_io_table_allocate(context, bytes, 1);
    if (!others->names || !others->text) {
        return LOSS_ERROR_MEMORY;
    }
    for (int64_t k = 0; k < others->columns; k++) {
        const char *name = loss_table_column_name(header, others->origins[k]);
        others->names[k] = *text_used;
        strcpy(others->text + *text_used, name);
        *text_used += (int64_t)strlen(name) + 1;
    }
    return LOSS_OK;
}

loss_status lossi_io_numbers_place(struct loss_array *array, loss_table *others, loss_context *context,
                                   const struct lossi_io_numbers *wish, int64_t *places, int64_t *text_used)
{
    const loss_table *header = array->header;
    for (int64_t c = 0; c < header->columns; c++) {
        places[c] = UNSETTLED;
    }
    loss_status status = place_names(header, context, wish->count, wish->names, places, 0, 1);
    if (!status) {
        status = place_names(header, context, wish->other_count, wish->other_names, places, FIRST_OTHER, -1);
    }
    if (status) {
        return status;
    }
    array->columns = wish->count >= 0 ? wish->count : place_rest(header->columns, places, 0, 1);
    if (others) {
        others->columns = wish->other_count >= 0 ? wish->other_count
                                                 : place_rest(header->columns, places, FIRST_OTHER, -1);
    }
    for (int64_t c = 0; c < header->columns; c++) {
        if (places[c] == UNSETTLED || (!others && places[c] < 0)) {
            places[c] = NOWHERE;
        }
    }
    *text_used = 0;
    status = keep_origins(array, others, context, places);
    return status || !others ? status : name_columns(others, header, text_used);
}

loss_status lossi_io_numbers_finish_table(loss_table *others, const struct lossi_io_lines *lines)
{
    loss_context *context = others->context;
    loss_status status = lossi_io_table_start_numbers(others);
    /* The numbers are not kept: a target is asked for once, and then they are in memory twice. */
    for (int64_t c = 0; c < others->columns && !status; c++) {
        for (int64_t r = 0; r < others->rows && others->bad_row[c] < 0; r++) {
            double number;
            if (lossi_io_parse_cell(lossi_io_table_cell(others, r, c), &number)) {
                others->bad_row[c] = r;
            }
        }
    }
    for (int64_t i = 0; i < lines->count && !status; i++) {
        status = lossi_io_lines_note(&others->lines, context, lines->breaks[i].row, lines->breaks[i].line);
    }
    return status;
}

/* ---- the calls */

static loss_status check_names(loss_context *context, int64_t count, const char *const *names,
                               const char *what)
{
    struct lossi_io_message message = {0};
    if (count < -1) {
        lossi_io_message_add(&message, "the number of %s is below -1", what);
        return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
    }
    if (count > 0 && !names) {
        lossi_io_message_add(&message, "the %s are NULL", what);
        return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
    }
    for (int64_t i = 0; i < count; i++) {
        if (!names[i]) {
            lossi_io_message_add(&message, "a name at %" PRId64 " (counted from 0) of the %s is NULL", i,
                                 what);
            return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
        }
    }
    return LOSS_OK;
}

static loss_status check(loss_context *context, const struct lossi_io_numbers *wish, int32_t separator,
                         int has_table)
{
    loss_status status = lossi_io_check_csv(context, wish->has_header, separator);
    if (!status && wish->finite != 0 && wish->finite != 1) {
        status = lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "finite must be 0 or 1");
    }
    if (!status && wish->dtype != LOSS_FLOAT32 && wish->dtype != LOSS_FLOAT64) {
        status = lossi_io_fail(context, LOSS_ERROR_TYPE, "the numbers must be float32 or float64");
    }
    if (!status) {
        status = check_names(context, wish->count, wish->names, "names");
    }
    if (!status) {
        status = check_names(context, wish->other_count, wish->other_names, "other names");
    }
    if (!status && wish->count < 0 && wish->other_count < 0) {
        status = lossi_io_fail(context, LOSS_ERROR_ARGUMENT,
                               "only one of array and table can have all the columns that the other has not");
    }
    if (!status && !has_table && wish->other_count != 0 && wish->count < 0) {
        status = lossi_io_fail_null(context, "others");
    }
    return status;
}

/* Both at once: the calls differ in where the text is. Nothing is written before all is right. */
static loss_status read_csv(loss_array **out, loss_table **others, const struct lossi_io_input *source,
                            const struct lossi_io_numbers *wish, int32_t separator)
{
    loss_table *table = NULL;
    loss_array *array = NULL;
    loss_status status = check(source->context, wish, separator, others != NULL);
    if (!status) {
        status = lossi_io_array_create(&array, source->context);
    }
    if (!status && others) {
        status = lossi_io_table_create(&table, source->context, source->path);
    }
    if (!status) {
        status = lossi_io_numbers_read(array, table, source, wish);
    }
    if (status) {
        loss_array_free(array);
        loss_table_free(table);
        return status;
    }
    *out = array;
    if (others) {
        *others = table;
    }
    return LOSS_OK;
}

static struct lossi_io_numbers wish_of(int32_t has_header, int32_t separator, loss_dtype dtype,
                                       int32_t finite, int64_t count, const char *const *names,
                                       int64_t other_count, const char *const *other_names)
{
    return (struct lossi_io_numbers){.has_header = has_header,
                                     .finite = finite,
                                     .separator = (char)(separator ? separator : ','),
                                     .dtype = dtype,
                                     .count = count,
                                     .other_count = other_count,
                                     .names = names,
                                     .other_names = other_names};
}

static void clear(loss_array **out, loss_table **others)
{
    if (out) {
        *out = NULL;
    }
    if (others) {
        *others = NULL;
    }
}

loss_status loss_array_read_csv(loss_array **out, loss_table **others, loss_context *context,
                                const char *path, int32_t has_header, int32_t separator, loss_dtype dtype,
                                int32_t finite, int64_t count, const char *const *names, int64_t other_count,
                                const char *const *other_names, loss_progress_callback progress, void *user)
{
    clear(out, others);
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!out || !path) {
        return lossi_io_fail_null(context, !out ? "out" : "the path");
    }
    const struct lossi_io_input source = {
        .context = context, .path = path, .progress = progress, .user = user};
    const struct lossi_io_numbers wish = wish_of(has_header, separator, dtype, finite, count, names,
                                                 other_count, other_names);
    return read_csv(out, others, &source, &wish, separator);
}

loss_status loss_array_parse_csv(loss_array **out, loss_table **others, loss_context *context,
                                 const char *text, int64_t length, int32_t has_header, int32_t separator,
                                 loss_dtype dtype, int32_t finite, int64_t count, const char *const *names,
                                 int64_t other_count, const char *const *other_names)
{
    clear(out, others);
    const loss_status status = lossi_io_check_memory(context, out, text, length);
    if (status) {
        return status;
    }
    const struct lossi_io_input source = {
        .context = context, .memory = (const unsigned char *)text, .memory_size = length};
    const struct lossi_io_numbers wish = wish_of(has_header, separator, dtype, finite, count, names,
                                                 other_count, other_names);
    return read_csv(out, others, &source, &wish, separator);
}
