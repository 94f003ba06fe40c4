/* A data set for training: the columns of a CSV file as features and target. */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A column of whole numbers is taken for classes when it has no more different values than this. */
#define MOST_NUMERIC_CLASSES 20

int dataset_read_column(const loss_table *table, loss_context *context, int64_t column, double *values,
                        int64_t stride)
{
    if (loss_table_get_column_double(table, context, column, values, stride)) {
        return tool_fail_context(context);
    }
    for (int64_t r = 0; r < loss_table_row_count(table); r++) {
        if (!isfinite(values[r * stride])) {
            return tool_fail("%s: line %lld, column %lld (\"%s\"): \"%s\" is no finite number",
                             loss_table_path(table), (long long)loss_table_row_line(table, r),
                             (long long)column + 1, loss_table_column_name(table, column),
                             loss_table_cell(table, r, column));
        }
    }
    return TOOL_DONE;
}

/* What the column looks like, when nobody said. */
static int looks_like_classes(const loss_table *table, int64_t column, const loss_classes *classes)
{
    if (!loss_table_column_is_numeric(table, column)) {
        return 1;
    }
    if (loss_classes_count(classes) > MOST_NUMERIC_CLASSES) {
        return 0;
    }
    for (int64_t i = 0; i < loss_classes_count(classes); i++) {
        const char *name = loss_classes_name(classes, i);
        if (name[strspn(name, "-0123456789")]) {
            return 0;
        }
    }
    return 1;
}

static int read_target(struct dataset *dataset, loss_context *context, int wants_classes)
{
    const loss_table *table = dataset->table;
    const int64_t column = dataset->target_column;
    if (wants_classes != 0) {
        /* Without a wish, a column of numbers that cannot be classes is one of values. */
        const int is_optional = wants_classes < 0 && loss_table_column_is_numeric(table, column);
        if (loss_classes_create(&dataset->classes, context, table, column) && !is_optional) {
            return tool_fail_context(context);
        }
        if (wants_classes < 0 && dataset->classes && !looks_like_classes(table, column, dataset->classes)) {
            loss_classes_free(dataset->classes);
            dataset->classes = NULL;
        }
    }
    if (!dataset->classes) {
        dataset->values = tool_allocate(dataset->rows, sizeof *dataset->values);
        return dataset_read_column(table, context, column, dataset->values, 1);
    }
    dataset->labels = tool_allocate(dataset->rows, sizeof *dataset->labels);
    if (loss_classes_get_labels(dataset->classes, context, table, column, dataset->labels, 1)) {
        return tool_fail_context(context);
    }
    if (loss_classes_count(dataset->classes) < 2) {
        return tool_fail("%s: the target \"%s\" has the same class in every row", loss_table_path(table),
                         loss_table_column_name(table, column));
    }
    return TOOL_DONE;
}

static int read_features(struct dataset *dataset, loss_context *context)
{
    const loss_table *table = dataset->table;
    dataset->feature_count = loss_table_column_count(table) - 1;
    dataset->feature_names = tool_allocate(dataset->feature_count, sizeof *dataset->feature_names);
    dataset->features = tool_allocate(dataset->rows * dataset->feature_count, sizeof *dataset->features);
    int64_t feature = 0;
    for (int64_t c = 0; c < loss_table_column_count(table); c++) {
        if (c == dataset->target_column) {
            continue;
        }
        dataset->feature_names[feature] = loss_table_column_name(table, c);
        if (dataset_read_column(table, context, c, dataset->features + feature, dataset->feature_count)) {
            return TOOL_FAILED;
        }
        feature++;
    }
    return TOOL_DONE;
}

int dataset_read_table(loss_table **table, loss_context *context, const char *path)
{
    if (loss_table_read_csv(table, context, path, 1, ',')) {
        return tool_fail_context(context);
    }
    if (loss_table_column_count(*table) == 1 && strchr(loss_table_column_name(*table, 0), ';')) {
        return tool_fail("%s: there is but one column; the separator is probably ';', expected ','", path);
    }
    return TOOL_DONE;
}

int dataset_read(struct dataset *dataset, loss_context *context, const char *path, const char *target,
                 int wants_classes)
{
    *dataset = (struct dataset){0};
    if (dataset_read_table(&dataset->table, context, path)) {
        return TOOL_FAILED;
    }
    if (loss_table_find_column(dataset->table, context, target, &dataset->target_column)) {
        return tool_fail_context(context);
    }
    dataset->rows = loss_table_row_count(dataset->table);
    const int64_t others = loss_table_column_count(dataset->table) - 1;
    if (dataset->rows < 1 || others < 1) {
        return tool_fail(
            "%s: there is nothing to learn from: %lld row%s and %lld column%s besides the target", path,
            (long long)dataset->rows, tool_plural(dataset->rows), (long long)others, tool_plural(others));
    }
    const int result = read_features(dataset, context);
    return result ? result : read_target(dataset, context, wants_classes);
}

void dataset_free(struct dataset *dataset)
{
    loss_classes_free(dataset->classes);
    loss_table_free(dataset->table);
    free(dataset->feature_names);
    free(dataset->features);
    free(dataset->values);
    free(dataset->labels);
}
