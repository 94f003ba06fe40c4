/* The data of bench_training and the objective on them. */
#include "training_task.h"

#include <loss/io.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* ---- files that tests or packages have ---- */

static void put(const training_task *t, int64_t i, double value)
{
    if (t->dtype == LOSS_FLOAT64) {
        ((double *)t->values)[i] = value;
    } else {
        ((float *)t->values)[i] = (float)value;
    }
}

static void make_room(training_task *t, int64_t rows, int64_t features)
{
    t->rows = rows < t->most_rows ? rows : t->most_rows;
    t->features = features;
    t->classes = 1;
    t->values = bench_memory(t->rows * t->features * 8);
    t->target = bench_memory(t->rows * 8);
}

static void read_digits(training_task *t)
{
    loss_table *table;
    loss_classes *classes;
    bench_must(t->context, loss_table_read_csv(&table, t->context, BENCH_DATA "/digits.csv", 1, ','));
    const int64_t rows = loss_table_row_count(table), features = loss_table_column_count(table) - 1;
    t->most_rows = rows;
    make_room(t, rows, features);
    double *pixels = bench_memory(rows * 8);
    for (int64_t j = 0; j < features; j++) {
        bench_must(t->context, loss_table_get_column_double(table, t->context, j, pixels, 1));
        for (int64_t i = 0; i < rows; i++) {
            put(t, i * features + j, pixels[i] / 16);
        }
    }
    free(pixels);
    bench_must(t->context, loss_classes_create(&classes, t->context, table, features));
    bench_must(t->context, loss_classes_get_labels(classes, t->context, table, features, t->target, 1));
    loss_classes_free(classes);
    loss_table_free(table);
}

static loss_array *read_idx(loss_context *context, const char *directory, const char *name)
{
    char path[1024];
    loss_array *array;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    bench_must(context, loss_array_read_idx(&array, context, path, NULL, NULL));
    return array;
}

static void read_pictures(training_task *t, const char *directory)
{
    loss_array *pixels = read_idx(t->context, directory, "train-images-idx3-ubyte.gz"),
               *labels = read_idx(t->context, directory, "train-labels-idx1-ubyte.gz");
    const unsigned char *from = loss_array_values(pixels), *kinds = loss_array_values(labels);
    make_room(t, loss_array_row_count(pixels), loss_array_column_count(pixels));
    for (int64_t i = 0; i < t->rows * t->features; i++) {
        put(t, i, from[i] / 255.0);
    }
    for (int64_t i = 0; i < t->rows; i++) {
        ((int64_t *)t->target)[i] = kinds[i];
    }
    loss_array_free(pixels);
    loss_array_free(labels);
}

/* ---- .npy files ---- */

static int is_there(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        fclose(file);
    }
    return file != NULL;
}

/* A copy on pages of our own; rows in order, columns contiguous. */
static void *read_npy(const training_task *t, const char *directory, const char *name, loss_dtype dtype,
                      int64_t *rows, int64_t *columns)
{
    char path[1024];
    loss_array *array;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    bench_must(t->context, loss_array_read_npy(&array, t->context, path, NULL, NULL));
    *rows = loss_array_row_count(array);
    *columns = loss_array_column_count(array);
    if (loss_array_dtype(array) != dtype || (*columns > 1 && (loss_array_column_stride(array) != 1 ||
                                                              loss_array_row_stride(array) != *columns))) {
        fprintf(stderr, "bench_training: %s has another type or order than this benchmark reads\n", path);
        exit(1);
    }
    const int64_t bytes = *rows * *columns * (dtype == LOSS_FLOAT64 || dtype == LOSS_INT64 ? 8 : 4);
    void *copy = bench_memory(bytes);
    memcpy(copy, loss_array_values(array), (size_t)bytes);
    loss_array_free(array);
    return copy;
}

static void read_arrays(training_task *t, const char *directory)
{
    int64_t columns, rows;
    const loss_dtype target = t->classes ? LOSS_INT64 : t->dtype;
    if (is_there(directory, "offsets.npy")) {
        t->offsets = read_npy(t, directory, "offsets.npy", LOSS_INT64, &rows, &columns);
        t->indices = read_npy(t, directory, "indices.npy", LOSS_INT32, &t->entries, &columns);
        t->values = read_npy(t, directory, "values.npy", t->dtype, &t->entries, &columns);
        for (int64_t e = 0; e < t->entries; e++) {
            t->features = t->indices[e] >= t->features ? t->indices[e] + 1 : t->features;
        }
    } else {
        t->values = read_npy(t, directory, "features.npy", t->dtype, &t->rows, &t->features);
    }
    t->target = read_npy(t, directory, "target.npy", target, &t->rows, &columns);
}

void training_read(training_task *t, const char *source)
{
    t->loss = t->loss != NULL ? t->loss : "cross_entropy";
    t->classes = strcmp(t->loss, "cross_entropy") == 0;
    t->entries = -1;
    if (strcmp(source, "digits") == 0) {
        read_digits(t);
    } else if (is_there(source, "target.npy")) {
        read_arrays(t, source);
    } else {
        read_pictures(t, source);
    }
    t->outputs = 1;
    for (int64_t i = 0; t->classes && i < t->rows; i++) {
        const int64_t label = ((const int64_t *)t->target)[i];
        t->outputs = label >= t->outputs ? label + 1 : t->outputs;
    }
}

/* ---- the objective ---- */

loss_objective *training_objective(const training_task *t, int block)
{
    loss_context *context = t->context;
    loss_function *function;
    loss_data *data;
    loss_penalty *penalty;
    loss_objective *objective;
    bench_must(context, loss_function_create(&function, context, t->loss));
    if (strcmp(t->loss, "squared_error") == 0) {
        bench_must(context, loss_function_set_int(function, "half", 1));
    }
    bench_must(context, loss_data_create(&data, context));
    if (t->offsets != NULL) {
        bench_must(context,
                   loss_data_set_sparse_input(data, "features", t->rows, t->features, t->entries, t->offsets,
                                              LOSS_INT64, t->indices, LOSS_INT32, t->values, t->dtype));
    } else {
        bench_must(context, loss_data_set_input(data, "features", t->values, t->dtype, t->rows, t->features,
                                                t->features, 1));
    }
    bench_must(context, loss_data_set_input(data, "target", t->target, t->classes ? LOSS_INT64 : t->dtype,
                                            t->rows, 1, 1, 1));
    bench_must(context, loss_objective_create_linear(&objective, context, function, data));
    bench_must(context, loss_objective_set_int(objective, "intercept", 0));
    if (t->classes) {
        bench_must(context, loss_objective_set_int(objective, "outputs", t->outputs));
    }
    if (block) {
        bench_must(context, loss_objective_set_string(objective, "preconditioner", "block"));
    }
    if (t->strength > 0) {
        bench_must(context, loss_penalty_create(&penalty, context, "l2"));
        bench_must(context, loss_penalty_set_double(penalty, "strength", t->strength));
        bench_must(context, loss_objective_add_penalty(objective, penalty));
        loss_penalty_free(penalty);
    }
    bench_must(context, loss_objective_prepare(objective));
    loss_data_free(data);
    loss_function_free(function);
    return objective;
}

void training_free(training_task *t)
{
    free(t->values);
    free(t->target);
    free(t->offsets);
    free(t->indices);
}

/* ---- memory ---- */

/* A line of /proc/self/status, in kB. */
static double status_line(const char *name)
{
    char line[256];
    double found = NAN;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && isnan(found) && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            found = strtod(line + strlen(name), NULL) / 1024;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

double training_memory(void)
{
    return status_line("VmRSS:");
}

double training_peak(void)
{
    return status_line("VmHWM:");
}

/* proc(5): "5" resets the peak. */
void training_forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
}
