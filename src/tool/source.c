/* A file of data: which format it has. */
#include "tool.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    int32_t format;
} names[] = {{"csv", LOSS_FORMAT_CSV},    {"libsvm", LOSS_FORMAT_LIBSVM}, {"svmlight", LOSS_FORMAT_LIBSVM},
             {"svm", LOSS_FORMAT_LIBSVM}, {"npy", LOSS_FORMAT_NPY},       {"idx", LOSS_FORMAT_IDX}};

int32_t source_format_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return names[i].format;
        }
    }
    return 0;
}

/* What the end of the name says, without ".gz"; 0 when that is nothing. */
static int32_t format_of_name(const char *path)
{
    size_t length = strlen(path);
    if (length > 3 && strcasecmp(path + length - 3, ".gz") == 0) {
        length -= 3;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t size = strlen(names[i].name);
        if (length > size && path[length - size - 1] == '.' &&
            strncasecmp(path + length - size, names[i].name, size) == 0) {
            return names[i].format;
        }
    }
    return 0;
}

int source_find_format(loss_context *context, const char *path, int32_t *format)
{
    struct stat status;
    if (*format == 0) {
        *format = format_of_name(path);
    }
    if (*format) {
        return TOOL_DONE;
    }
    *format = LOSS_FORMAT_CSV;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return TOOL_DONE; /* what is looked at in a pipe is gone */
    }
    return loss_file_format(context, path, format) ? tool_fail_context(context) : TOOL_DONE;
}
