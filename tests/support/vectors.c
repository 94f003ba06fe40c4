/* Reading the reference vectors: see vectors.h. */
#include "support/vectors.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

enum {
    FIELD_DTYPE,
    FIELD_KIND,
    FIELD_OPTIONS,
    FIELD_PREDICTION,
    FIELD_TARGET,
    FIELD_DIRECTION,
    FIELD_VALUE,
    FIELDS = 11
};
enum { LINE_LENGTH = 16384, MAX_COLUMNS = 64 };

/* ---- one line ---- */

/* Cuts the line at its commas; nonzero when there are as many as there should be. */
static int split(char *line, char *fields[FIELDS])
{
    int count = 0;
    line[strcspn(line, "\n")] = '\0';
    fields[count++] = line;
    for (char *c = line; *c != '\0'; c++) {
        if (*c == ',' && count < FIELDS) {
            *c = '\0';
            fields[count++] = c + 1;
        }
    }
    return count == FIELDS;
}

static int64_t read_numbers(const char *text, double *numbers)
{
    int64_t count = 0;
    char *end;
    for (;;) {
        double number = strtod(text, &end);
        if (end == text || count == MAX_COLUMNS) {
            return count;
        }
        numbers[count++] = number;
        text = end;
    }
}

static int64_t read_results(const char *text, exact_number *numbers)
{
    int64_t count = 0;
    char *end;
    for (;;) {
        const exact_number number = exact_read(text, &end);
        if (end == text || count == MAX_COLUMNS) {
            return count;
        }
        numbers[count++] = number;
        text = end;
    }
}

/* ---- groups ---- */

static void *grown(void *pointer, int64_t count, size_t size)
{
    void *larger = realloc(pointer, (size_t)count * size);
    assert_non_null(larger);
    return larger;
}

static vector_group *group_of(vector_file *file, loss_dtype dtype, const char *options, int64_t columns,
                              int32_t labels, int32_t available)
{
    vector_group *group;
    for (int64_t i = 0; i < file->count; i++) {
        group = &file->groups[i];
        if (group->dtype == dtype && group->columns == columns && group->labels == labels &&
            strcmp(group->options, options) == 0) {
            return group->available == available ? group : NULL;
        }
    }
    file->groups = grown(file->groups, file->count + 1, sizeof *group);
    group = &file->groups[file->count++];
    memset(group, 0, sizeof *group);
    group->dtype = dtype;
    group->columns = columns;
    group->labels = labels;
    group->available = available;
    snprintf(group->options, sizeof group->options, "%s", options);
    return group;
}

static void make_room(vector_group *group)
{
    int64_t rows = group->rows + 1, size = rows * group->columns;
    group->prediction = grown(group->prediction, size, sizeof(double));
    group->target = grown(group->target, size, sizeof(double));
    group->direction = grown(group->direction, size, sizeof(double));
    group->label = grown(group->label, rows, sizeof(int64_t));
    group->generic = grown(group->generic, rows, sizeof(int32_t));
    group->line = grown(group->line, rows, sizeof(int32_t));
    for (int k = 0; k < VECTOR_OUTPUTS; k++) {
        group->exact[k] = grown(group->exact[k], size, sizeof(exact_number));
    }
}

static int add_row(vector_file *file, char *fields[FIELDS], int line)
{
    double prediction[MAX_COLUMNS], target[MAX_COLUMNS] = {0}, direction[MAX_COLUMNS] = {0};
    exact_number exact[VECTOR_OUTPUTS][MAX_COLUMNS];
    int64_t columns = read_numbers(fields[FIELD_PREDICTION], prediction);
    int32_t labels = fields[FIELD_TARGET][0] == '#', untargeted = fields[FIELD_TARGET][0] == '\0',
            available = 0;
    loss_dtype dtype = strcmp(fields[FIELD_DTYPE], "32") == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
    vector_group *group;

    for (int k = 0; k < VECTOR_OUTPUTS; k++) {
        int64_t count = read_results(fields[FIELD_VALUE + k], exact[k]);
        available |= (count > 0) << k;
        if (count != 0 && count != columns && !(k == VECTOR_VALUE && count == 1)) {
            return -1;
        }
    }
    if (columns == 0 || (!labels && !untargeted && read_numbers(fields[FIELD_TARGET], target) != columns)) {
        return -1;
    }
    read_numbers(fields[FIELD_DIRECTION], direction);
    group = group_of(file, dtype, fields[FIELD_OPTIONS], columns, labels, available);
    if (group == NULL) {
        return -1;
    }
    group->untargeted = untargeted;
    make_room(group);
    memcpy(group->prediction + group->rows * columns, prediction, (size_t)columns * sizeof(double));
    memcpy(group->target + group->rows * columns, target, (size_t)columns * sizeof(double));
    memcpy(group->direction + group->rows * columns, direction, (size_t)columns * sizeof(double));
    for (int k = 0; k < VECTOR_OUTPUTS; k++) {
        int64_t width = k == VECTOR_VALUE ? 1 : columns;
        memcpy(group->exact[k] + group->rows * width, exact[k], (size_t)width * sizeof(exact_number));
    }
    group->label[group->rows] = labels ? strtoll(fields[FIELD_TARGET] + 1, NULL, 10) : 0;
    group->generic[group->rows] = fields[FIELD_KIND][0] == 'r';
    group->line[group->rows] = line;
    group->rows++;
    return 0;
}

int vectors_read(const char *name, vector_file *out)
{
    static char line[LINE_LENGTH]; /* one file at a time */
    const char *directory = getenv("LOSS_REFERENCE");
    char path[1024], *fields[FIELDS];
    int number = 0, wrong = 0;
    FILE *file;

    memset(out, 0, sizeof *out);
    out->ulp = 4;
    snprintf(path, sizeof path, "%s/%s.csv", directory != NULL ? directory : LOSS_TEST_DATA "/reference",
             name);
    file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }
    while (wrong == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        if (line[0] == '#') {
            const char *ulp = strstr(line, "ulp ");
            out->ulp = ulp != NULL ? strtod(ulp + 4, NULL) : out->ulp;
        } else if (!split(line, fields) || add_row(out, fields, number) != 0) {
            wrong = number;
        }
    }
    fclose(file);
    return wrong;
}

void vectors_free(vector_file *file)
{
    for (int64_t i = 0; i < file->count; i++) {
        vector_group *group = &file->groups[i];
        free(group->prediction);
        free(group->target);
        free(group->direction);
        free(group->label);
        free(group->generic);
        free(group->line);
        for (int k = 0; k < VECTOR_OUTPUTS; k++) {
            free(group->exact[k]);
        }
    }
    free(file->groups);
    memset(file, 0, sizeof *file);
}

/* ---- the rule ---- */

static long double largest(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT32 ? (long double)FLT_MAX : (long double)DBL_MAX;
}

/* An ulp of a bound of a result, or of what the result is a difference of. */
static long double unit(const exact_number *number, long double bound, loss_dtype dtype)
{
    return ulp_of(fmaxl(fabsl(bound), number->terms), dtype);
}

double exact_distance(const exact_number *number, double x, loss_dtype dtype)
{
    long double low = number->exact - number->down, high = number->exact + number->up;
    if (isnan(number->exact) || isnan(x)) {
        return isnan(number->exact) && isnan(x) ? 0 : (double)INFINITY;
    }
    if (isinf(number->exact)) {
        return (long double)x == number->exact ? 0 : (double)INFINITY;
    }
    if (isinf(x)) { /* right when the exact result is beyond the largest number, or rounds to there */
        long double edge = x > 0 ? largest(dtype) - high : low + largest(dtype);
        return edge <= 0 ? 0 : (double)(edge / ulp_of(largest(dtype), dtype));
    }
    if ((long double)x < low) {
        return (double)((low - (long double)x) / unit(number, low, dtype));
    }
    return (long double)x > high ? (double)(((long double)x - high) / unit(number, high, dtype)) : 0;
}

int exact_contains(const exact_number *number, double x, double ulps, loss_dtype dtype)
{
    return exact_distance(number, x, dtype) <= ulps;
}

int32_t is_structured(const char *name)
{
    loss_context *context;
    loss_function *function;
    int32_t structured = 0;
    if (loss_context_create(&context) != LOSS_OK) {
        return 0;
    }
    if (loss_function_create(&function, context, name) == LOSS_OK) {
        loss_function_property(function, "structured", &structured);
        loss_function_free(function);
    }
    loss_context_free(context);
    return structured;
}
