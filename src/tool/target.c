/* The target of a data set: numbers or classes, from a column, from labels, or from a file of its own. */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers are taken for classes when they have no more different values than this. */
#define MOST_NUMERIC_CLASSES 20

double array_number(const void *values, loss_dtype dtype, int64_t at)
{
    switch (dtype) {
    case LOSS_FLOAT32:
        return (double)((const float *)values)[at];
    case LOSS_FLOAT64:
        return ((const double *)values)[at];
    case LOSS_INT32:
        return ((const int32_t *)values)[at];
    case LOSS_INT64:
        return (double)((const int64_t *)values)[at];
    default:
        return ((const unsigned char *)values)[at];
    }
}

/* Whether numbers look like classes, when nobody said: whole ones, of few different values. */
static int look_like_classes(const double *numbers, int64_t rows)
{
    double seen[MOST_NUMERIC_CLASSES];
    int count = 0, last = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (count > 0 && numbers[i] == seen[last]) {
            continue;
        }
        for (last = 0; last < count && seen[last] != numbers[i]; last++) {
        }
        /* 2^64: numbers given to people and things fit 64 bits. Those that are not told apart are refused as classes. */
        if (last == count && (count == MOST_NUMERIC_CLASSES || numbers[i] != trunc(numbers[i]) ||
                              !(fabs(numbers[i]) < 0x1p64))) {
            return 0;
        }
        if (last == count) {
            seen[count++] = numbers[i];
        }
    }
    return count > 0;
}

/* Names of classes go into models. */
static int check_names(const struct dataset *dataset, const loss_table *table, int64_t column)
{
    for (int64_t k = 0; !dataset->borrows_classes && k < loss_classes_count(dataset->classes); k++) {
        const char *name = loss_classes_name(dataset->classes, k);
        int64_t row = 0;
        if (text_is_utf8(name)) {
            continue;
        }
        while (row + 1 < dataset->rows && dataset->labels[row] != k) {
            row++;
        }
        char where[320];
        snprintf(where, sizeof where, "%s: line %lld, column %lld", loss_table_path(table),
                 (long long)loss_table_row_line(table, row),
                 (long long)loss_table_column_position(table, column));
        return text_fail(where, "the class", name);
    }
    return TOOL_DONE;
}

static int check_classes(const struct dataset *dataset, const char *path)
{
    if (!dataset->borrows_classes && loss_classes_count(dataset->classes) < 2) {
        return tool_fail("%s: the target \"%s\" has the same class in every row", path, dataset->target_name);
    }
    return TOOL_DONE;
}

/* ---- a column of a table ---- */

/* The sentence about text where a number was expected; two classes can be made numbers. */
static int fail_text(const struct dataset *dataset, loss_context *context, const loss_table *table,
                     int64_t column)
{
    char *sentence = tool_copy_text(loss_context_error(context));
    loss_classes *classes = NULL;
    if (dataset->is_for_training) {
        loss_classes_create(&classes, context, table, column);
    }
    const int result = tool_fail(
        "%s%s", sentence,
        loss_classes_count(classes) == 2 ? "; --target-encoding makes numbers of two classes" : "");
    loss_classes_free(classes);
    free(sentence);
    return result;
}

static int read_numbers(struct dataset *dataset, loss_context *context, const loss_table *table,
                        int64_t column)
{
    dataset->values = tool_allocate(dataset->rows, sizeof *dataset->values);
    if (loss_table_get_column_double(table, context, column, dataset->values, 1)) {
        return fail_text(dataset, context, table, column);
    }
    for (int64_t r = 0; r < dataset->rows; r++) {
        if (!isfinite(dataset->values[r])) {
            return tool_fail("%s: line %lld, column %lld (\"%s\"): \"%s\" is no finite number",
                             loss_table_path(table), (long long)loss_table_row_line(table, r),
                             (long long)loss_table_column_position(table, column),
                             loss_table_column_name(table, column), loss_table_cell(table, r, column));
        }
    }
    return TOOL_DONE;
}

int target_from_table(struct dataset *dataset, loss_context *context, const loss_table *table, int64_t column,
                      int wants_classes)
{
    if (!dataset->classes && wants_classes <= 0 &&
        (wants_classes == 0 || loss_table_column_is_numeric(table, column))) {
        const int result = read_numbers(dataset, context, table, column);
        if (result || wants_classes == 0 || !look_like_classes(dataset->values, dataset->rows)) {
            return result;
        }
        free(dataset->values);
        dataset->values = NULL;
    }
    if (!dataset->classes && loss_classes_create(&dataset->classes, context, table, column)) {
        return tool_fail_context(context);
    }
    int64_t *wide = tool_allocate(dataset->rows, sizeof *wide);
    const loss_status status = loss_classes_get_labels(dataset->classes, context, table, column, wide, 1);
    dataset->labels = tool_allocate(dataset->rows, sizeof *dataset->labels);
    for (int64_t r = 0; r < dataset->rows && !status; r++) {
        dataset->labels[r] = (int32_t)wide[r];
    }
    free(wide);
    if (status) {
        return tool_fail_context(context);
    }
    const int result = check_names(dataset, table, column);
    return result ? result : check_classes(dataset, loss_table_path(table));
}

/* ---- numbers ---- */

static int compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Labels that may have been rounded would be one class, though they were not one in the file. */
static int check_told_apart(const struct dataset *dataset, const double *numbers, const char *path)
{
    const int is_single = dataset->sparse && path == dataset->path && dataset->dtype == LOSS_FLOAT32;
    for (int64_t i = 0; i < dataset->rows; i++) {
        if (!(fabs(numbers[i]) < (is_single ? 0x1p24 : 0x1p53))) {
            char where[320];
            dataset_describe_place(dataset, path, i, where, sizeof where);
            return tool_fail("%s: %.17g is no class: %snumbers from 2^%d on are not told apart", where,
                             numbers[i], is_single ? "in float32 " : "", is_single ? 24 : 53);
        }
    }
    return TOOL_DONE;
}

/* Sorts numbers and puts each of them first once; returns how many there are. */
static int64_t sort_different(double *numbers, int64_t count)
{
    int64_t different = 0;
    qsort(numbers, (size_t)count, sizeof *numbers, compare_numbers);
    for (int64_t i = 0; i < count; i++) {
        if (different == 0 || numbers[different - 1] != numbers[i]) {
            numbers[different++] = numbers[i];
        }
    }
    return different;
}

/* The different ones of all rows, in their order: a batch at a time, because they are few and the rows may be many. */
static double *find_different(const double *numbers, int64_t rows, int64_t *count)
{
    int64_t room = 1024, used = 0;
    double *found = tool_allocate(room, sizeof *found);
    for (int64_t i = 0; i < rows; i++) {
        if (i > 0 && numbers[i] == numbers[i - 1]) {
            continue;
        }
        if (used == room) {
            used = sort_different(found, used);
            room = used > room / 2 ? 2 * room : room;
            found = realloc(found, (size_t)room * sizeof *found);
            if (!found) {
                exit(tool_fail("no memory for the classes"));
            }
        }
        found[used++] = numbers[i];
    }
    *count = sort_different(found, used);
    return found;
}

/* The different numbers as classes, in their order; the names are their shortest forms. */
static int create_classes(struct dataset *dataset, loss_context *context, const double *numbers)
{
    int64_t count;
    double *sorted = find_different(numbers, dataset->rows, &count);
    char(*texts)[32] = tool_allocate(count, sizeof *texts);
    const char **names = tool_allocate(count, sizeof *names);
    for (int64_t k = 0; k < count; k++) {
        loss_format_double(sorted[k] + 0.0, texts[k], sizeof texts[k], NULL); /* −0 is 0 */
        names[k] = texts[k];
    }
    const loss_status status = loss_classes_create_named(&dataset->classes, context, count, names);
    free(sorted);
    free(texts);
    free(names);
    return status ? tool_fail_context(context) : TOOL_DONE;
}

/* Classes of another file may be in another order than that of their numbers. */
static int64_t find_class(const loss_classes *classes, double number, int64_t likely)
{
    char text[32];
    loss_format_double(number + 0.0, text, sizeof text, NULL);
    if (likely < loss_classes_count(classes) && strcmp(loss_classes_name(classes, likely), text) == 0) {
        return likely;
    }
    for (int64_t k = 0; k < loss_classes_count(classes); k++) {
        if (strcmp(loss_classes_name(classes, k), text) == 0) {
            return k;
        }
    }
    return -1;
}

static int label_rows(struct dataset *dataset, const double *numbers, const char *path)
{
    const int64_t rows = dataset->rows;
    dataset->labels = tool_allocate(rows, sizeof *dataset->labels);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t before = i > 0 ? dataset->labels[i - 1] : 0;
        const int64_t label = i > 0 && numbers[i] == numbers[i - 1]
                                  ? before
                                  : find_class(dataset->classes, numbers[i], before);
        dataset->labels[i] = (int32_t)label;
        if (label < 0) {
            char where[320];
            dataset_describe_place(dataset, path, i, where, sizeof where);
            return tool_fail("%s: %g is none of the %lld classes", where, numbers[i],
                             (long long)loss_classes_count(dataset->classes));
        }
    }
    return TOOL_DONE;
}

static int fail_nonfinite(const struct dataset *dataset, const char *path, int64_t row, double value)
{
    char where[320], what[64];
    dataset_describe_place(dataset, path, row, where, sizeof where);
    if (dataset->sparse && path == dataset->path) {
        sparse_describe_nonfinite(dataset, value, what, sizeof what);
        return tool_fail("%s, label: %s", where, what);
    }
    return tool_fail("%s: the target %g is no finite number", where, value);
}

int target_from_numbers(struct dataset *dataset, loss_context *context, double *numbers, const char *path,
                        int wants_classes)
{
    int result = TOOL_DONE;
    for (int64_t i = 0; i < dataset->rows && result == TOOL_DONE; i++) {
        if (!isfinite(numbers[i])) {
            result = fail_nonfinite(dataset, path, i, numbers[i]);
        }
    }
    if (result == TOOL_DONE && !dataset->classes &&
        (wants_classes > 0 || (wants_classes < 0 && look_like_classes(numbers, dataset->rows)))) {
        result = check_told_apart(dataset, numbers, path);
        result = result ? result : create_classes(dataset, context, numbers);
    }
    if (result == TOOL_DONE && !dataset->classes) {
        dataset->values = numbers;
        return TOOL_DONE;
    }
    if (result == TOOL_DONE) {
        result = label_rows(dataset, numbers, path);
    }
    if (!dataset->borrows_values) {
        free(numbers);
    }
    return result ? result : check_classes(dataset, path);
}

/* ---- a file of its own ---- */

static int check_rows(const struct dataset *dataset, const char *path, int64_t rows)
{
    if (rows != dataset->rows) {
        return tool_fail("%s has %lld row%s, %s has %lld", path, (long long)rows, tool_plural(rows),
                         dataset->path, (long long)dataset->rows);
    }
    return TOOL_DONE;
}

static int read_table(struct dataset *dataset, loss_context *context, const struct source *source,
                      int wants_classes)
{
    loss_table *table;
    int64_t column = 0;
    if (loss_table_read_csv_progress(&table, context, source->target_file, 1, source->separator,
                                     progress_reading, (void *)source->target_file)) {
        return tool_fail_context(context);
    }
    int result = check_rows(dataset, source->target_file, loss_table_row_count(table));
    if (result == TOOL_DONE && source->target) {
        result = loss_table_find_column(table, context, source->target, &column) ? tool_fail_context(context)
                                                                                 : TOOL_DONE;
    } else if (result == TOOL_DONE && loss_table_column_count(table) > 1 && source->likely_target) {
        result = loss_table_find_column(table, context, source->likely_target, &column)
                     ? tool_fail_context(context)
                     : TOOL_DONE;
    } else if (result == TOOL_DONE && loss_table_column_count(table) > 1) {
        result = tool_fail("%s has %lld columns: --target says which is the target", source->target_file,
                           (long long)loss_table_column_count(table));
    }
    if (result == TOOL_DONE) {
        dataset->target_name = tool_copy_text(loss_table_column_name(table, column));
        result = target_from_table(dataset, context, table, column, wants_classes);
    }
    loss_table_free(table);
    return result;
}

static int read_array(struct dataset *dataset, loss_context *context, const struct source *source,
                      int32_t format, int wants_classes)
{
    loss_array *array;
    const char *path = source->target_file;
    const loss_status status =
        format == LOSS_FORMAT_NPY
            ? loss_array_read_npy(&array, context, path, progress_reading, (void *)path)
            : loss_array_read_idx(&array, context, path, progress_reading, (void *)path);
    if (status) {
        return tool_fail_context(context);
    }
    const int64_t rows = loss_array_row_count(array), columns = loss_array_column_count(array);
    int result = check_rows(dataset, path, rows);
    if (result == TOOL_DONE && columns != 1) {
        result = tool_fail("%s has %lld columns; a target has one", path, (long long)columns);
    }
    if (result == TOOL_DONE) {
        double *numbers = tool_allocate(rows, sizeof *numbers);
        for (int64_t i = 0; i < rows; i++) {
            numbers[i] = array_number(loss_array_values(array), loss_array_dtype(array),
                                      i * loss_array_row_stride(array));
        }
        dataset->target_name = tool_copy_text(source->target ? source->target : "target");
        result = target_from_numbers(dataset, context, numbers, path, wants_classes);
    }
    loss_array_free(array);
    return result;
}

int target_from_file(struct dataset *dataset, loss_context *context, const struct source *source,
                     int wants_classes)
{
    int32_t format = source->target_format;
    const int result = source_find_format(context, source->target_file, &format);
    if (result) {
        return result;
    }
    switch (format) {
    case LOSS_FORMAT_CSV:
        return read_table(dataset, context, source, wants_classes);
    case LOSS_FORMAT_LIBSVM:
        return tool_fail("%s: a target file is CSV, .npy or IDX, this is LIBSVM", source->target_file);
    default:
        return read_array(dataset, context, source, format, wants_classes);
    }
}
