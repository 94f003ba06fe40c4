/* Which format a file has, by its first bytes, decompressed. */
#include "input.h"

#include <string.h>

/* Bytes looked at: a few lines of text. */
#define HEAD 4096

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    return p;
}

/* What a line says: "label index:value …" or "label qid:…" is LIBSVM, a label alone or nothing does not tell, the rest is CSV. */
static int32_t format_of_line(const char *p, const char *end)
{
    double label;
    const char *comment = memchr(p, '#', (size_t)(end - p));
    end = comment ? comment : end;
    while (end > p && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    p = skip_blanks(p, end);
    if (p == end) {
        return 0;
    }
    const char *first = p;
    while (p < end && *p != ' ' && *p != '\t') {
        p++;
    }
    if (loss_parse_double(first, p - first, &label)) {
        return LOSS_FORMAT_CSV;
    }
    p = skip_blanks(p, end);
    if (p == end) {
        return 0;
    }
    if (end - p > 4 && memcmp(p, "qid:", 4) == 0) {
        return LOSS_FORMAT_LIBSVM;
    }
    first = p;
    while (p < end && is_digit(*p)) {
        p++;
    }
    return p > first && p < end && *p == ':' ? LOSS_FORMAT_LIBSVM : LOSS_FORMAT_CSV;
}

static int32_t format_of(const char *head, int64_t length)
{
    if (length >= 6 && memcmp(head, "\x93NUMPY", 6) == 0) {
        return LOSS_FORMAT_NPY;
    }
    /* Two zeros, an element type, a number of dimensions: no text begins so. */
    if (length >= 4 && head[0] == 0 && head[1] == 0) {
        return LOSS_FORMAT_IDX;
    }
    const char *p = head, *end = head + length;
    if (length >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const int32_t format = format_of_line(p, newline ? newline : end);
        if (format) {
            return format;
        }
        p = newline ? newline + 1 : end;
    }
    return LOSS_FORMAT_CSV;
}

loss_status loss_file_format(loss_context *context, const char *path, int32_t *format)
{
    char head[HEAD];
    int64_t got = 0;
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!path || !format) {
        return lossi_io_fail_null(context, !path ? "the path" : "format");
    }
    struct lossi_io_input input = {.context = context, .path = path};
    loss_status status = lossi_io_input_open(&input);
    if (!status) {
        status = lossi_io_input_read(&input, head, sizeof head, &got);
    }
    lossi_io_input_close(&input);
    if (!status) {
        *format = format_of(head, got);
    }
    return status;
}
