/* A linear model: what it was trained for, the scaling of its features, its weights; to JSON and back. */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the file says it is; the number goes up when an older reader could not use it. */
#define MODEL_FORMAT  "libloss linear model"
#define MODEL_VERSION 1

static void free_names(char **names, int64_t count)
{
    for (int64_t i = 0; names && i < count; i++) {
        free(names[i]);
    }
    free(names);
}

void model_free(struct model *model)
{
    free(model->loss);
    free(model->target);
    json_decref(model->loss_options);
    if (!model->borrows_names) {
        free_names(model->feature_names, model->feature_count);
    }
    free_names(model->class_names, model->class_count);
    free(model->mean);
    free(model->scale);
    free(model->parameters);
    *model = (struct model){0};
}

/* ---- use ---- */

void model_scale(const struct model *model, struct dataset *dataset)
{
    for (int64_t r = 0; r < dataset->rows && !dataset->sparse; r++) {
        for (int64_t j = 0; j < model->feature_count; j++) {
            const double x = dataset_feature(dataset, r, j);
            dataset_set_feature(dataset, r, j,
                                model->scale[j] == 0 ? 0 : (x - model->mean[j]) / model->scale[j]);
        }
    }
}

void model_scores(const struct model *model, const struct dataset *scaled, int64_t row, double *scores)
{
    const int64_t d = model->feature_count, outputs = model->outputs;
    for (int64_t k = 0; k < outputs; k++) {
        double sum = model->parameters[outputs * d + k];
        for (int64_t j = 0; j < d; j++) {
            if (model->scale[j] != 0) {
                sum += model->parameters[k * d + j] * dataset_feature(scaled, row, j);
            }
        }
        scores[k] = sum;
    }
}

int64_t model_class(const struct model *model, const double *scores)
{
    if (model->outputs == 1) {
        return scores[0] > 0;
    }
    int64_t best = 0;
    for (int64_t k = 1; k < model->outputs; k++) {
        if (scores[k] > scores[best]) {
            best = k;
        }
    }
    return best;
}

double model_number(loss_context *context, const loss_function *function, double score)
{
    double mean = NAN;
    if (strcmp(loss_function_link(function), "softmax") == 0) { /* of classes alone */
        return score;
    }
    return loss_function_inverse_link_float64(context, function, 1, 1, &score, &mean) ? NAN : mean;
}

int model_create_function(loss_function **function, loss_context *context, const struct model *model)
{
    struct settings settings = {0};
    const char *key;
    json_t *value;
    int result = TOOL_DONE;
    const int64_t count = (int64_t)json_object_size(model->loss_options);
    char **texts = tool_allocate(count, sizeof *texts);
    int64_t used = 0;
    if (loss_function_create(function, context, model->loss)) {
        free(texts);
        return tool_fail_context(context);
    }
    json_object_foreach(model->loss_options, key, value)
    {
        const char *text = json_string_value(value);
        const size_t size = strlen(key) + (text ? strlen(text) : 0) + 2;
        texts[used] = tool_allocate((int64_t)size, 1);
        snprintf(texts[used], size, "%s=%s", key, text ? text : "");
        result |= settings_add(&settings, texts[used++]);
    }
    if (result == TOOL_DONE) {
        result = settings_apply_function(&settings, context, *function);
    }
    free_names(texts, used);
    settings_free(&settings);
    if (result) {
        loss_function_free(*function);
        *function = NULL;
    }
    return result ? TOOL_FAILED : TOOL_DONE;
}

/* ---- to JSON ---- */

static json_t *names_to_json(char *const *names, int64_t count)
{
    json_t *json = json_array();
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(json, json_string(names[i]));
    }
    return json;
}

static json_t *numbers_to_json(const double *numbers, int64_t count)
{
    json_t *json = json_array();
    for (int64_t i = 0; i < count; i++) {
        json_array_append_new(json, json_from_double(numbers[i]));
    }
    return json;
}

int model_write(const struct model *model, const char *path)
{
    const int64_t d = model->feature_count;
    json_t *weights = json_array();
    for (int64_t k = 0; k < model->outputs; k++) {
        json_array_append_new(weights, numbers_to_json(model->parameters + k * d, d));
    }
    json_t *json = json_pack(
        "{s:s, s:i, s:s, s:O, s:s, s:o?, s:o, s:o, s:o, s:o, s:o}", "format", MODEL_FORMAT, "version",
        MODEL_VERSION, "loss", model->loss, "loss_options", model->loss_options, "target", model->target,
        "classes", model->class_count ? names_to_json(model->class_names, model->class_count) : NULL,
        "features", names_to_json(model->feature_names, d), "mean", numbers_to_json(model->mean, d), "scale",
        numbers_to_json(model->scale, d), "intercept",
        numbers_to_json(model->parameters + model->outputs * d, model->outputs), "weights", weights);
    if (model->target_encoding) {
        json_object_set_new(json, "target_encoding", json_string(model->target_encoding));
    }
    FILE *file = tmpfile();
    if (!file) {
        json_decref(json);
        return tool_fail("no temporary file for the model: %s", strerror(errno));
    }
    json_print(file, json);
    json_decref(json);
    const int result = fflush(file) != 0 || ferror(file)
                           ? tool_fail("no room for the model in a temporary file: %s", strerror(errno))
                           : output_write(file, path);
    fclose(file);
    return result;
}

/* ---- from JSON ---- */

static char *text_from_json(const json_t *json)
{
    const char *text = json_string_value(json);
    return text ? strcpy(tool_allocate((int64_t)strlen(text) + 1, 1), text) : NULL;
}

/* Exactly count numbers; 0 when the array is something else. */
static int numbers_from_json(const json_t *json, double *numbers, int64_t count)
{
    if (!json_is_array(json) || (int64_t)json_array_size(json) != count) {
        return 0;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!json_to_double(json_array_get(json, (size_t)i), &numbers[i])) {
            return 0;
        }
    }
    return 1;
}

static char **names_from_json(const json_t *json, int64_t *count)
{
    *count = (int64_t)json_array_size(json);
    char **names = tool_allocate(*count, sizeof *names);
    for (int64_t i = 0; i < *count; i++) {
        names[i] = text_from_json(json_array_get(json, (size_t)i));
        if (!names[i]) {
            free_names(names, i);
            *count = 0;
            return NULL;
        }
    }
    return names;
}

/* The place of a number that is none of a model, in text; 0 when there is none. */
static int find_bad_number(const char *name, const double *numbers, int64_t count, double minimum, char *text,
                           size_t size)
{
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(numbers[i]) || numbers[i] < minimum) {
            snprintf(text, size, "%s[%lld] is %g, which is no finite number%s", name, (long long)i,
                     numbers[i], minimum == 0 ? " of 0 or more" : "");
            return 1;
        }
    }
    return 0;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name that is there twice, or NULL. */
static const char *find_twin(char *const *names, int64_t count)
{
    const char **sorted = tool_allocate(count, sizeof *sorted), *twin = NULL;
    memcpy(sorted, names, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_texts);
    for (int64_t j = 1; j < count && !twin; j++) {
        twin = strcmp(sorted[j - 1], sorted[j]) == 0 ? sorted[j] : NULL;
    }
    free(sorted);
    return twin;
}

/* What fit never writes, but whoever edits a model may. */
static int check_contents(const struct model *model, const char *path)
{
    const int64_t d = model->feature_count, outputs = model->outputs;
    const char *twin = find_twin(model->feature_names, d);
    char wrong[128];
    if (twin) {
        return tool_fail("%s: the feature \"%s\" is there twice", path, twin);
    }
    int is_bad = find_bad_number("mean", model->mean, d, -INFINITY, wrong, sizeof wrong) ||
                 find_bad_number("scale", model->scale, d, 0, wrong, sizeof wrong) ||
                 find_bad_number("intercept", model->parameters + outputs * d, outputs, -INFINITY, wrong,
                                 sizeof wrong);
    for (int64_t k = 0; k < outputs && !is_bad; k++) {
        char name[40];
        snprintf(name, sizeof name, "weights[%lld]", (long long)k);
        is_bad = find_bad_number(name, model->parameters + k * d, d, -INFINITY, wrong, sizeof wrong);
    }
    return is_bad ? tool_fail("%s: %s", path, wrong) : TOOL_DONE;
}

/* What is wrong with the file, NULL when nothing is. */
static const char *fill(struct model *model, const json_t *json)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    if (!format || strcmp(format, MODEL_FORMAT) != 0) {
        return "this is no model written by loss fit";
    }
    if (json_integer_value(json_object_get(json, "version")) != MODEL_VERSION) {
        return "the model is of a version this command does not know";
    }
    model->loss = text_from_json(json_object_get(json, "loss"));
    model->target = text_from_json(json_object_get(json, "target"));
    model->loss_options = json_incref(json_object_get(json, "loss_options"));
    model->feature_names = names_from_json(json_object_get(json, "features"), &model->feature_count);
    model->class_names = names_from_json(json_object_get(json, "classes"), &model->class_count);
    const json_t *weights = json_object_get(json, "weights");
    const int64_t d = model->feature_count;
    model->outputs = (int64_t)json_array_size(weights);
    if (!model->loss || !model->target || d < 1 || model->outputs < 1 || !model->class_names) {
        return "the model lacks its loss, target, features, classes or weights";
    }
    const int64_t classes = model->class_count;
    if (!(model->outputs == 1 && (classes == 0 || classes == 2)) &&
        !(model->outputs == classes && classes >= 2)) {
        return "the model's weights do not fit its classes";
    }
    model->mean = tool_allocate(d, sizeof *model->mean);
    model->scale = tool_allocate(d, sizeof *model->scale);
    model->parameters = tool_allocate(model->outputs * d + model->outputs, sizeof *model->parameters);
    int is_good = numbers_from_json(json_object_get(json, "mean"), model->mean, d) &&
                  numbers_from_json(json_object_get(json, "scale"), model->scale, d) &&
                  numbers_from_json(json_object_get(json, "intercept"),
                                    model->parameters + model->outputs * d, model->outputs);
    for (int64_t k = 0; is_good && k < model->outputs; k++) {
        is_good = numbers_from_json(json_array_get(weights, (size_t)k), model->parameters + k * d, d);
    }
    return is_good
               ? NULL
               : "the model's mean, scale, intercept or weights are not as many numbers as it has features";
}

int model_read(struct model *model, const char *path)
{
    *model = (struct model){0};
    FILE *file = fopen(path, "r");
    if (!file) {
        return tool_fail("%s: cannot open: %s", path, strerror(errno));
    }
    json_error_t error;
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    if (!json) {
        return tool_fail("%s: line %d, column %d: %s", path, error.line, error.column, error.text);
    }
    const char *wrong = fill(model, json);
    json_decref(json);
    return wrong ? tool_fail("%s: %s", path, wrong) : check_contents(model, path);
}
