/* A data set: features and target from files of any format, in memory once. */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

char *tool_copy_text(const char *text)
{
    return strcpy(tool_allocate((int64_t)strlen(text) + 1, 1), text);
}

static int64_t element(const struct dataset *dataset, int64_t row, int64_t feature)
{
    return row * dataset->row_stride + feature * dataset->column_stride;
}

double dataset_feature(const struct dataset *dataset, int64_t row, int64_t feature)
{
    const int64_t at = element(dataset, row, feature);
    return dataset->dtype == LOSS_FLOAT32 ? (double)((const float *)dataset->features)[at]
                                          : ((const double *)dataset->features)[at];
}

void dataset_set_feature(struct dataset *dataset, int64_t row, int64_t feature, double value)
{
    const int64_t at = element(dataset, row, feature);
    if (dataset->dtype == LOSS_FLOAT32) {
        ((float *)dataset->features)[at] = (float)value;
    } else {
        ((double *)dataset->features)[at] = value;
    }
}

void dataset_describe_row(const struct dataset *dataset, int64_t row, char *text, size_t size)
{
    const int64_t line = dataset->sparse ? loss_sparse_row_line(dataset->sparse, row)
                                         : loss_array_row_line(dataset->array, row);
    snprintf(text, size, "%s %lld of %s", line ? "line" : "row", (long long)(line ? line : row + 1),
             dataset->path);
}

void dataset_describe_place(const struct dataset *dataset, const char *path, int64_t row, char *text,
                            size_t size)
{
    const int64_t line = path == dataset->path ? loss_sparse_row_line(dataset->sparse, row) : 0;
    snprintf(text, size, "%s: %s %lld", path, line ? "line" : "row", (long long)(line ? line : row + 1));
}

/* ---- features ---- */

/* Room for the names of all features, one behind the other; of so many bytes, ends included. */
static char *allocate_names(struct dataset *dataset, int64_t bytes)
{
    dataset->feature_names = tool_allocate(dataset->feature_count, sizeof *dataset->feature_names);
    dataset->name_text = tool_allocate(bytes, 1);
    return dataset->name_text;
}

/* Names as the file counts its columns, from first on: there may be millions of them. */
static void number_features(struct dataset *dataset, int64_t first)
{
    char text[24];
    int64_t bytes = 0;
    for (int64_t j = 0; j < dataset->feature_count; j++) {
        bytes += snprintf(text, sizeof text, "%lld", (long long)(first + j)) + 1;
    }
    char *p = allocate_names(dataset, bytes);
    for (int64_t j = 0; j < dataset->feature_count; j++) {
        dataset->feature_names[j] = p;
        p += snprintf(p, sizeof text, "%lld", (long long)(first + j)) + 1;
    }
}

/* Names as the header of a CSV file has them. */
static void name_features(struct dataset *dataset)
{
    int64_t bytes = 0;
    for (int64_t j = 0; j < dataset->feature_count; j++) {
        bytes += (int64_t)strlen(loss_array_column_name(dataset->array, j)) + 1;
    }
    char *p = allocate_names(dataset, bytes);
    for (int64_t j = 0; j < dataset->feature_count; j++) {
        dataset->feature_names[j] = p;
        strcpy(p, loss_array_column_name(dataset->array, j));
        p += strlen(p) + 1;
    }
}

/* Memory of its own, dense. */
static void allocate_features(struct dataset *dataset)
{
    dataset->memory = tool_allocate(dataset->rows * dataset->feature_count,
                                    (size_t)loss_dtype_size(dataset->dtype));
    dataset->features = dataset->memory;
    dataset->row_stride = dataset->feature_count;
    dataset->column_stride = 1;
}

static int check_count(const struct dataset *dataset, const struct expectation *expected)
{
    if (expected && dataset->feature_count != expected->feature_count) {
        return tool_fail("%s has %lld feature%s, the model has %lld", dataset->path,
                         (long long)dataset->feature_count, tool_plural(dataset->feature_count),
                         (long long)expected->feature_count);
    }
    return TOOL_DONE;
}

/* To train and to test something must be there; to predict nothing need be. */
static int check_size(const struct dataset *dataset, int32_t format, const struct expectation *expected)
{
    if (dataset->rows < 1 && (!expected || expected->wants_target > 0)) {
        return tool_fail("%s: there are no rows%s; one for each sample to %s was expected", dataset->path,
                         format == LOSS_FORMAT_CSV ? " below the header" : "",
                         expected ? "test on" : "learn from");
    }
    if (dataset->feature_count < 1 && !expected) {
        return tool_fail("%s: there are no features: %s", dataset->path,
                         format == LOSS_FORMAT_CSV      ? "a column besides the target was expected"
                         : format == LOSS_FORMAT_LIBSVM ? "no row has an index:value"
                                                        : "the rows have no columns");
    }
    return check_count(dataset, expected);
}

static void take_array(struct dataset *dataset, loss_array *array)
{
    dataset->array = array;
    dataset->rows = loss_array_row_count(array);
    dataset->feature_count = loss_array_column_count(array);
    dataset->features = loss_array_writable_values(array);
    dataset->row_stride = loss_array_row_stride(array);
    dataset->column_stride = loss_array_column_stride(array);
}

static int check_finite(const struct dataset *dataset)
{
    for (int64_t i = 0; i < dataset->rows; i++) {
        for (int64_t j = 0; j < dataset->feature_count; j++) {
            const double x = dataset_feature(dataset, i, j);
            if (!isfinite(x)) {
                return tool_fail("%s: row %lld, column %lld: %g is no finite number", dataset->path,
                                 (long long)i + 1, (long long)j + 1, x);
            }
        }
    }
    return TOOL_DONE;
}

static int read_array(struct dataset *dataset, loss_context *context, const struct source *source,
                      int32_t format, const struct expectation *expected)
{
    loss_array *array;
    const loss_status status = format == LOSS_FORMAT_NPY
                                   ? loss_array_read_npy_as(&array, context, source->path, dataset->dtype,
                                                            progress_reading, (void *)source->path)
                                   : loss_array_read_idx_as(&array, context, source->path, dataset->dtype,
                                                            progress_reading, (void *)source->path);
    if (status) {
        return tool_fail_context(context);
    }
    take_array(dataset, array);
    if (!expected) {
        number_features(dataset, 1);
    }
    int result = check_size(dataset, format, expected);
    if (result == TOOL_DONE) {
        result = check_finite(dataset);
    }
    return result;
}

static int read_sparse(struct dataset *dataset, loss_context *context, const struct source *source,
                       int wants_classes, const struct expectation *expected)
{
    int64_t first = source->first_index;
    if (expected && strcmp(expected->feature_names[0], "0") == 0) {
        first = 0;
    }
    int result = sparse_read(dataset, context, first, expected ? expected->feature_count : source->columns);
    if (result == TOOL_DONE && !expected) {
        number_features(dataset, first);
    }
    if (result == TOOL_DONE) {
        result = check_size(dataset, LOSS_FORMAT_LIBSVM, expected);
    }
    if (result == TOOL_DONE && !source->target_file && (!expected || expected->wants_target >= 0)) {
        double *labels = (double *)loss_sparse_labels(dataset->sparse);
        dataset->borrows_values = dataset->dtype == LOSS_FLOAT64;
        if (!dataset->borrows_values) {
            labels = tool_allocate(dataset->rows, sizeof *labels);
            for (int64_t i = 0; i < dataset->rows; i++) {
                labels[i] = array_number(loss_sparse_labels(dataset->sparse), dataset->dtype, i);
            }
        }
        dataset->target_name = tool_copy_text("label");
        return target_from_numbers(dataset, context, labels, dataset->path, wants_classes);
    }
    return result;
}

/* −1 when the table does not have the column. */
static int64_t find_column(const loss_table *table, const char *name)
{
    for (int64_t c = 0; c < loss_table_column_count(table); c++) {
        if (name && strcmp(loss_table_column_name(table, c), name) == 0) {
            return c;
        }
    }
    return -1;
}

/* The columns that are no features: the target, where it is in the file, and what was said to be none. */
static const char **other_columns(const struct source *source, int has_target, int64_t *count)
{
    const char **names = tool_allocate(source->ignored_count + 1, sizeof *names);
    *count = 0;
    if (has_target) {
        names[(*count)++] = source->target;
    }
    for (int i = 0; i < source->ignored_count; i++) {
        names[(*count)++] = source->ignored[i];
    }
    return names;
}

/* Text in the first row of data to learn from: the column may be meant to be no feature. Further down a number is missing. */
static int fail_csv(const loss_context *context, const struct expectation *expected)
{
    const char *sentence = loss_context_error(context), *const words = "\" is no number";
    const size_t length = strlen(sentence);
    if (expected || length < strlen(words) || !strstr(sentence, ": line 2, ") ||
        strcmp(sentence + length - strlen(words), words) != 0) {
        return tool_fail_context(context);
    }
    return tool_fail("%s; --ignore leaves a column out", sentence);
}

static int read_csv(struct dataset *dataset, loss_context *context, const struct source *source,
                    int wants_classes, const struct expectation *expected)
{
    const int is_optional = expected && expected->wants_target == 0;
    const int has_target = !source->target_file && (!expected || expected->wants_target >= 0);
    loss_table *others = NULL;
    int64_t count;
    const char **names = other_columns(source, has_target, &count);
    /* An optional target is among the columns that are no features, if there it is. */
    const loss_status status = loss_array_read_csv(
        &dataset->array, &others, context, source->path, 1, source->separator, dataset->dtype, 1,
        expected ? expected->feature_count : -1,
        expected ? (const char *const *)expected->feature_names : NULL,
        has_target && is_optional ? -1 : count, names, progress_reading, (void *)source->path);
    free(names);
    if (status) {
        return fail_csv(context, expected);
    }
    take_array(dataset, dataset->array);
    if (!expected) {
        name_features(dataset);
    }
    const int64_t column = has_target ? find_column(others, source->target) : -1;
    int result = check_size(dataset, LOSS_FORMAT_CSV, expected);
    if (result == TOOL_DONE && column >= 0) {
        dataset->target_name = tool_copy_text(source->target);
        result = target_from_table(dataset, context, others, column, wants_classes);
    }
    loss_table_free(others);
    return result;
}

/* Names go into models, which are JSON. */
static int check_names(const struct dataset *dataset, const struct source *source)
{
    char where[320];
    if (!text_is_utf8(dataset->target_name)) {
        /* What was not typed is the only column of a target file. */
        snprintf(where, sizeof where, "%s: line 1", source->target_file ? source->target_file : source->path);
        return text_fail(source->target ? "--target" : where, "the column name", dataset->target_name);
    }
    for (int64_t j = 0; j < dataset->feature_count; j++) {
        if (!text_is_utf8(dataset->feature_names[j])) {
            snprintf(where, sizeof where, "%s: line 1", source->path);
            return text_fail(where, "the column name", dataset->feature_names[j]);
        }
    }
    return TOOL_DONE;
}

/* ---- all of it ---- */

/* What goes with a format. */
static int check_usage(const struct source *source, int32_t format, const struct expectation *expected)
{
    if (!source->target_file && (format == LOSS_FORMAT_NPY || format == LOSS_FORMAT_IDX) &&
        (!expected || expected->wants_target > 0)) {
        tool_fail("%s has features only: --target-file says where the target is", source->path);
        return TOOL_USAGE;
    }
    if (!source->target_file && format == LOSS_FORMAT_CSV && !source->target && !expected) {
        tool_fail("--target is missing: which column of %s is to be learned", source->path);
        return TOOL_USAGE;
    }
    if (!source->target_file && format == LOSS_FORMAT_LIBSVM && source->target && !expected) {
        tool_fail("--target names a column of CSV: the target of %s is the label that each row begins with",
                  source->path);
        return TOOL_USAGE;
    }
    if (source->of_libsvm && format != LOSS_FORMAT_LIBSVM) {
        tool_fail("%s is about LIBSVM data, which %s is not", source->of_libsvm, source->path);
        return TOOL_USAGE;
    }
    if (source->ignored_count > 0 && format != LOSS_FORMAT_CSV) {
        tool_fail("--ignore is about CSV, which %s is not", source->path);
        return TOOL_USAGE;
    }
    if (source->separator && format != LOSS_FORMAT_CSV && !source->target_file) {
        tool_fail("--separator is about CSV, which %s is not", source->path);
        return TOOL_USAGE;
    }
    return TOOL_DONE;
}

int dataset_read(struct dataset *dataset, loss_context *context, const struct source *source,
                 int wants_classes, const struct expectation *expected)
{
    int32_t format = source->format;
    *dataset = (struct dataset){
        .path = source->path, .dtype = source->dtype, .is_for_training = expected == NULL};
    if (expected && expected->classes) {
        dataset->classes = expected->classes;
        dataset->borrows_classes = 1;
        wants_classes = 1;
    } else if (expected) {
        wants_classes = 0;
    }
    int result = source_find_format(context, source->path, &format);
    if (result) {
        return result;
    }
    result = check_usage(source, format, expected);
    if (result) {
        return result;
    }
    switch (format) {
    case LOSS_FORMAT_CSV:
        result = read_csv(dataset, context, source, wants_classes, expected);
        break;
    case LOSS_FORMAT_LIBSVM:
        result = read_sparse(dataset, context, source, wants_classes, expected);
        break;
    default:
        result = read_array(dataset, context, source, format, expected);
    }
    if (result == TOOL_DONE && source->target_file) {
        result = target_from_file(dataset, context, source, wants_classes);
    }
    progress_clear();
    return result || expected ? result : check_names(dataset, source);
}

void dataset_free(struct dataset *dataset)
{
    if (!dataset->borrows_classes) {
        loss_classes_free(dataset->classes);
    }
    free(dataset->feature_names);
    free(dataset->name_text);
    free(dataset->target_name);
    loss_array_free(dataset->array);
    loss_sparse_free(dataset->sparse);
    free(dataset->memory);
    if (!dataset->borrows_values) {
        free(dataset->values);
    }
    free(dataset->labels);
    *dataset = (struct dataset){0};
}

void dataset_copy(struct dataset *copy, const struct dataset *dataset)
{
    *copy = (struct dataset){.path = dataset->path,
                             .dtype = dataset->dtype,
                             .rows = dataset->rows,
                             .feature_count = dataset->feature_count,
                             .classes = dataset->classes,
                             .borrows_classes = 1};
    allocate_features(copy);
    for (int64_t i = 0; i < copy->rows; i++) {
        for (int64_t j = 0; j < copy->feature_count; j++) {
            dataset_set_feature(copy, i, j, dataset_feature(dataset, i, j));
        }
    }
    const size_t rows = (size_t)copy->rows;
    if (dataset->labels) {
        copy->labels = tool_allocate(copy->rows, sizeof *copy->labels);
        memcpy(copy->labels, dataset->labels, rows * sizeof *copy->labels);
    } else {
        copy->values = tool_allocate(copy->rows, sizeof *copy->values);
        memcpy(copy->values, dataset->values, rows * sizeof *copy->values);
    }
}

/* ---- another order of the rows ---- */

struct rows {
    char *first;
    int64_t stride; /* bytes */
    size_t size;
};

/* Cycle after cycle: one row is put aside, the others move up. A place that is done has its bit in done. */
static void reorder(struct rows rows, const int64_t *order, int64_t count, unsigned char *done)
{
    char *aside = tool_allocate((int64_t)rows.size, 1);
    memset(done, 0, (size_t)(count + 7) / 8);
    for (int64_t i = 0; i < count; i++) {
        if (done[i / 8] >> i % 8 & 1) {
            continue;
        }
        memcpy(aside, rows.first + i * rows.stride, rows.size);
        int64_t to = i;
        while (order[to] != i) {
            memcpy(rows.first + to * rows.stride, rows.first + order[to] * rows.stride, rows.size);
            done[to / 8] |= (unsigned char)(1 << to % 8);
            to = order[to];
        }
        memcpy(rows.first + to * rows.stride, aside, rows.size);
        done[to / 8] |= (unsigned char)(1 << to % 8);
    }
    free(aside);
}

int dataset_reorder(struct dataset *dataset, const int64_t *order)
{
    const int64_t size = loss_dtype_size(dataset->dtype), rows = dataset->rows;
    if (dataset->sparse && loss_sparse_reorder(dataset->sparse, order)) {
        return tool_fail("%s: the rows could not be put in another order", dataset->path);
    }
    unsigned char *done = tool_allocate(rows / 8 + 1, 1);
    /* Rows that are contiguous move as one, others column by column. */
    const int is_dense = dataset->column_stride == 1;
    const int64_t parts = dataset->sparse ? 0 : is_dense ? 1 : dataset->feature_count;
    for (int64_t j = 0; j < parts; j++) {
        reorder((struct rows){(char *)dataset->features + j * dataset->column_stride * size,
                              dataset->row_stride * size,
                              (size_t)(is_dense ? dataset->feature_count * size : size)},
                order, rows, done);
    }
    if (dataset->labels) {
        reorder((struct rows){(char *)dataset->labels, sizeof *dataset->labels, sizeof *dataset->labels},
                order, rows, done);
    }
    if (dataset->values && !dataset->borrows_values) {
        reorder((struct rows){(char *)dataset->values, sizeof *dataset->values, sizeof *dataset->values},
                order, rows, done);
    }
    free(done);
    return TOOL_DONE;
}
