/* Failures in one line, memory, and the end of the output. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int tool_fail(const char *format, ...)
{
    va_list arguments;
    progress_clear();
    fflush(stdout);
    fputs("loss: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return TOOL_FAILED;
}

int tool_fail_context(const loss_context *context)
{
    const char *sentence = loss_context_error(context);
    return tool_fail("%s", *sentence ? sentence : loss_status_message(loss_context_error_status(context)));
}

int tool_fail_usage(const loss_context *context)
{
    const int result = tool_fail_context(context);
    return loss_context_error_status(context) == LOSS_ERROR_MEMORY ? result : TOOL_USAGE;
}

const char *tool_plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

int tool_reads_target(const loss_function *function)
{
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        if (strcmp(loss_function_role(function, i), "target") == 0) {
            return 1;
        }
    }
    return 0;
}

int tool_other_roles(const loss_function *function, char *text, size_t size)
{
    static const char *const known[] = {"prediction", "target", "weight", "mask"};
    int count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        const char *role = loss_function_role(function, i);
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(role, known[k]) != 0) {
            k++;
        }
        if (k == sizeof known / sizeof *known && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", count++ ? ", " : "", role);
        }
    }
    return count;
}

void *tool_allocate(int64_t count, size_t size)
{
    void *memory = calloc(count > 0 ? (size_t)count : 1, size);
    if (!memory) {
        exit(tool_fail("no memory for %lld elements of %zu bytes", (long long)count, size));
    }
    return memory;
}

int tool_finish_output(int result)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return tool_fail("cannot write to standard output: %s", strerror(errno ? errno : EIO));
    }
    return result;
}

void tool_print_field(FILE *file, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', file);
        }
        fputc(*text, file);
    }
    fputc('"', file);
}
