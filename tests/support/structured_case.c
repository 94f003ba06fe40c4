/* Reading reference vectors of structured losses: see structured_case.h. */
#include "support/structured_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 1 << 18 };

/* role:layout:RxC:numbers; 0 when it is that. */
static int read_array(char *field, case_array *out, int results)
{
    char *layout = strchr(field, ':'), *shape = layout == NULL ? NULL : strchr(layout + 1, ':');
    char *numbers = shape == NULL ? NULL : strchr(shape + 1, ':'), *end;
    memset(out, 0, sizeof *out);
    if (numbers == NULL) {
        return -1;
    }
    *layout = *shape = *numbers = '\0';
    out->integers = strchr(layout + 1, '#') != NULL;
    layout[1 + strcspn(layout + 1, "#")] = '\0';
    snprintf(out->role, sizeof out->role, "%s", field);
    snprintf(out->layout, sizeof out->layout, "%s", layout + 1);
    out->rows = strtoll(shape + 1, &end, 10);
    out->columns = *end == 'x' ? strtoll(end + 1, NULL, 10) : 0;
    const int64_t count = out->rows * out->columns;
    const char *text = numbers + 1;
    out->number = calloc(count > 0 ? (size_t)count : 1, sizeof *out->number);
    out->exact = calloc(count > 0 ? (size_t)count : 1, sizeof *out->exact);
    for (int64_t i = 0; i < count; i++, text = end) {
        if (results) {
            out->exact[i] = exact_read(text, &end);
        } else {
            out->number[i] = strtod(text, &end);
        }
        if (end == text) {
            return -1;
        }
    }
    return 0;
}

static int read_case(char *text, structured_case *out)
{
    char *field, *rest = text;
    int index = 0, wrong = 0;
    text[strcspn(text, "\n")] = '\0';
    for (; wrong == 0 && (field = strsep(&rest, ",")) != NULL; index++) {
        if (index == 0) {
            out->dtype = strcmp(field, "32") == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        } else if (index == 1) {
            out->generic = field[0] == 'r';
        } else if (index == 2) {
            snprintf(out->options, sizeof out->options, "%s", field);
        } else if (field[0] == '>') {
            wrong = out->outputs == CASE_ARRAYS || read_array(field + 1, &out->output[out->outputs++], 1);
        } else {
            wrong = out->inputs == CASE_ARRAYS || read_array(field, &out->input[out->inputs++], 0);
        }
    }
    return wrong || out->inputs == 0 || out->outputs == 0;
}

int cases_read(const char *name, case_file *out)
{
    static char line[LINE];
    const char *directory = getenv("LOSS_REFERENCE");
    char path[1024];
    int number = 0, wrong = 0;
    memset(out, 0, sizeof *out);
    out->ulp = 4;
    snprintf(path, sizeof path, "%s/%s.csv", directory != NULL ? directory : LOSS_TEST_DATA "/reference",
             name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }
    while (wrong == 0 && fgets(line, sizeof line, file) != NULL) {
        number++;
        if (line[0] == '#') {
            const char *ulp = strstr(line, "ulp ");
            out->ulp = ulp != NULL ? strtod(ulp + 4, NULL) : out->ulp;
            out->normwise |= strstr(line, " normwise") != NULL;
            continue;
        }
        structured_case *larger = realloc(out->cases, (size_t)(out->count + 1) * sizeof *larger);
        if (larger == NULL) {
            wrong = number;
            break;
        }
        out->cases = larger;
        memset(&larger[out->count], 0, sizeof *larger);
        larger[out->count].line = number;
        wrong = read_case(line, &larger[out->count]) ? number : 0;
        out->count++;
    }
    fclose(file);
    return wrong;
}

static void free_arrays(case_array *arrays, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        free(arrays[i].number);
        free(arrays[i].exact);
    }
}

void cases_free(case_file *file)
{
    for (int64_t i = 0; i < file->count; i++) {
        free_arrays(file->cases[i].input, file->cases[i].inputs);
        free_arrays(file->cases[i].output, file->cases[i].outputs);
    }
    free(file->cases);
    memset(file, 0, sizeof *file);
}

static const case_array *find(const case_array *arrays, int32_t count, const char *role)
{
    for (int32_t i = 0; i < count; i++) {
        if (strcmp(arrays[i].role, role) == 0) {
            return &arrays[i];
        }
    }
    return NULL;
}

const case_array *case_input(const structured_case *given, const char *role)
{
    return find(given->input, given->inputs, role);
}

const case_array *case_output(const structured_case *given, const char *role)
{
    return find(given->output, given->outputs, role);
}
