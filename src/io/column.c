/* What a table tells: sizes, names, cells, and columns as numbers. */
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Columns named in the sentence about a missing one. */
#define NAMES_TOLD 12

const char *loss_table_path(const loss_table *table)
{
    return table && table->path ? table->path : "";
}

int64_t loss_table_row_count(const loss_table *table)
{
    return table ? table->rows : 0;
}

int64_t loss_table_column_count(const loss_table *table)
{
    return table ? table->columns : 0;
}

const char *loss_table_column_name(const loss_table *table, int64_t column)
{
    if (!table || !lossi_io_table_has_column(table, column)) {
        return NULL;
    }
    return table->names ? table->text + table->names[column] : table->numbering + column * NUMBER_WIDTH;
}

int32_t loss_table_column_is_numeric(const loss_table *table, int64_t column)
{
    return table && lossi_io_table_has_column(table, column) && table->bad_row[column] < 0;
}

const char *loss_table_cell(const loss_table *table, int64_t row, int64_t column)
{
    if (!table || row < 0 || row >= table->rows || !lossi_io_table_has_column(table, column)) {
        return NULL;
    }
    return lossi_io_table_cell(table, row, column);
}

int64_t loss_table_row_line(const loss_table *table, int64_t row)
{
    return table && row >= 0 && row < table->rows ? lossi_io_lines_at(&table->lines, row) : 0;
}

int64_t loss_table_column_position(const loss_table *table, int64_t column)
{
    if (!table || !lossi_io_table_has_column(table, column)) {
        return 0;
    }
    return (table->origins ? table->origins[column] : column) + 1;
}

static const char *name_at(const void *list, int64_t index)
{
    return loss_table_column_name(list, index);
}

static loss_status fail_no_column(const loss_table *table, loss_context *context, const char *name)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, table->path);
    lossi_io_message_add(&message, "no column ");
    lossi_io_message_quote(&message, name);
    const int64_t nearest = lossi_io_nearest_name(table, name_at, table->columns, name);
    if (nearest >= 0) {
        lossi_io_message_add(&message, "; did you mean ");
        lossi_io_message_quote(&message, loss_table_column_name(table, nearest));
        lossi_io_message_add(&message, "?");
    }
    lossi_io_message_add(&message, "%s", nearest >= 0 ? " The columns are " : "; the columns are ");
    /* The last column is where the target usually is, so it is always told. */
    const int64_t told = table->columns <= NAMES_TOLD ? table->columns : NAMES_TOLD - 1;
    for (int64_t c = 0; c < told; c++) {
        lossi_io_message_add(&message, "%s%s", c ? ", " : "", loss_table_column_name(table, c));
    }
    if (told < table->columns) {
        lossi_io_message_add(&message, ", … (%" PRId64 " more), %s", table->columns - told - 1,
                             loss_table_column_name(table, table->columns - 1));
    }
    return lossi_io_message_fail(&message, context, LOSS_ERROR_NAME);
}

loss_status loss_table_find_column(const loss_table *table, loss_context *context, const char *name,
                                   int64_t *column)
{
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!table || !name || !column) {
        return lossi_io_fail_null(context, !table ? "the table" : !name ? "the name" : "column");
    }
    for (int64_t c = 0; c < table->columns; c++) {
        if (strcmp(loss_table_column_name(table, c), name) == 0) {
            *column = c;
            return LOSS_OK;
        }
    }
    return fail_no_column(table, context, name);
}

/* ---- columns as numbers ---- */

static loss_status check_copy(const loss_table *table, loss_context *context, int64_t column,
                              const void *values)
{
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    const loss_status status = lossi_io_check_column(context, table, column);
    if (!status && !values && table->rows > 0) {
        return lossi_io_fail_null(context, "values");
    }
    return status;
}

static loss_status fail_cell(const loss_table *table, loss_context *context, int64_t row, int64_t column,
                             const char *wanted)
{
    struct lossi_io_message message = {0};
    const char *cell = lossi_io_table_cell(table, row, column);
    lossi_io_message_cell(&message, table, row, column);
    if (*cell) {
        lossi_io_message_quote(&message, cell);
    } else {
        lossi_io_message_add(&message, "an empty field");
    }
    lossi_io_message_add(&message, " is no %s", wanted);
    return lossi_io_message_fail(&message, context, LOSS_ERROR_FORMAT);
}

static loss_status check_numeric(const loss_table *table, loss_context *context, int64_t column)
{
    if (table->bad_row[column] < 0) {
        return LOSS_OK;
    }
    return fail_cell(table, context, table->bad_row[column], column, "number");
}

loss_status loss_table_get_column_double(const loss_table *table, loss_context *context, int64_t column,
                                         double *values, int64_t stride)
{
    loss_status status = check_copy(table, context, column, values);
    if (!status) {
        status = check_numeric(table, context, column);
    }
    if (!status) {
        for (int64_t r = 0; r < table->rows; r++) {
            values[r * stride] = lossi_io_table_number(table, r, column);
        }
    }
    return status;
}

/* From the text again, because rounding a double is rounding twice. */
static float float_cell(const loss_table *table, int64_t row, int64_t column)
{
    const double number = lossi_io_table_number(table, row, column);
    float value = (float)number;
    if ((double)value == number && !isinf(number)) {
        return value;
    }
    const char *cell = lossi_io_table_cell(table, row, column);
    cell += strspn(cell, " \t");
    loss_parse_float(cell, (int64_t)strcspn(cell, " \t"), &value);
    return value;
}

loss_status loss_table_get_column_float(const loss_table *table, loss_context *context, int64_t column,
                                        float *values, int64_t stride)
{
    loss_status status = check_copy(table, context, column, values);
    if (!status) {
        status = check_numeric(table, context, column);
    }
    if (!status) {
        for (int64_t r = 0; r < table->rows; r++) {
            values[r * stride] = float_cell(table, r, column);
        }
    }
    return status;
}

/* Digits alone are read exactly, also beyond 2^53; other spellings go through a double. 0 when it is no whole
 * number. */
static int int64_cell(const loss_table *table, int64_t row, int64_t column, int64_t *value)
{
    const char *p = lossi_io_table_cell(table, row, column);
    p += strspn(p, " \t");
    const int negative = *p == '-';
    p += *p == '-' || *p == '+';
    /* Counted down, so that the smallest number has room. */
    int64_t total = 0;
    const char *first = p;
    for (; *p >= '0' && *p <= '9'; p++) {
        const int digit = *p - '0';
        if (total < (INT64_MIN + digit) / 10) {
            return 0;
        }
        total = 10 * total - digit;
    }
    if (p > first && p[strspn(p, " \t")] == '\0') {
        if (!negative && total == INT64_MIN) {
            return 0;
        }
        *value = negative ? total : -total;
        return 1;
    }
    const double number = lossi_io_table_number(table, row, column);
    /* 2^53: from there on a double no longer tells whole numbers apart. */
    if (!(fabs(number) <= 9007199254740992.0) || number != trunc(number)) {
        return 0;
    }
    *value = (int64_t)number;
    return 1;
}

loss_status loss_table_get_column_int64(const loss_table *table, loss_context *context, int64_t column,
                                        int64_t *values, int64_t stride)
{
    loss_status status = check_copy(table, context, column, values);
    int64_t value;
    if (!status && table->bad_row[column] >= 0) {
        status = fail_cell(table, context, table->bad_row[column], column, "whole number");
    }
    for (int64_t r = 0; !status && r < table->rows; r++) {
        if (!int64_cell(table, r, column, &value)) {
            status = fail_cell(table, context, r, column, "whole number");
        }
    }
    for (int64_t r = 0; !status && r < table->rows; r++) {
        int64_cell(table, r, column, &value);
        values[r * stride] = value;
    }
    return status;
}
