/*
 * Files that the command writes, whole or not at all: what is to be in them is made in a file without a name first, and copied beside
 * the file asked for, whose place it takes in one step.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What keeps the file from being written, as errno; 0 when nothing is known to. */
static int why_not_writable(const char *path)
{
    struct stat status;
    if (access(path, W_OK) == 0) {
        return stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR : 0;
    }
    if (errno != ENOENT || !*path) {
        return errno;
    }
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    const int error = !directory ? ENOMEM : access(directory, W_OK | X_OK) != 0 ? errno : 0;
    free(directory);
    return error;
}

static int fail_to_write(const char *path, int error)
{
    return tool_fail("%s: cannot write: %s", path, strerror(error));
}

int output_check(const char *path)
{
    const int reason = why_not_writable(path);
    return reason ? fail_to_write(path, reason) : TOOL_DONE;
}

/* Copies to a descriptor, and closes it; 0 or errno. */
static int copy(FILE *content, int to)
{
    char buffer[1 << 14];
    size_t length;
    FILE *file = fdopen(to, "wb");
    if (!file) {
        close(to);
        return errno;
    }
    errno = 0;
    rewind(content);
    while ((length = fread(buffer, 1, sizeof buffer, content)) > 0) {
        if (fwrite(buffer, 1, length, file) != length) {
            break;
        }
    }
    const int is_bad = ferror(content) || ferror(file);
    const int error = errno;
    if (fclose(file) != 0) {
        return errno;
    }
    return is_bad ? (error ? error : EIO) : 0;
}

/* Puts the content into the place of a file, or where there is none yet. */
static int replace_file(FILE *content, const char *path, mode_t mode)
{
    char *beside = tool_allocate((int64_t)strlen(path) + 8, 1);
    sprintf(beside, "%s.XXXXXX", path);
    const int to = mkostemp(beside, O_CLOEXEC);
    int error = to < 0 ? errno : 0;
    if (!error) {
        fchmod(to, mode);
        error = copy(content, to);
        if (!error && rename(beside, path) != 0) {
            error = errno;
        }
        if (error) {
            unlink(beside);
        }
    }
    free(beside);
    return error;
}

static int write_file(FILE *content, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (lstat(path, &status) == 0) { /* a link to what is not there yet */
            const int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
            return to < 0 ? errno : copy(content, to);
        }
        const mode_t mask = umask(0);
        umask(mask);
        return replace_file(content, path, 0666 & ~mask);
    }
    if (!S_ISREG(status.st_mode)) { /* a pipe or a device is written to, never replaced */
        const int to = open(path, O_WRONLY | O_CLOEXEC);
        return to < 0 ? errno : copy(content, to);
    }
    char *target = realpath(path, NULL); /* what a link leads to is replaced, not the link */
    const int error = target ? replace_file(content, target, status.st_mode & 0777) : errno;
    free(target);
    return error;
}

int output_write(FILE *content, const char *path)
{
    const int reason = why_not_writable(path);
    const int error = reason ? reason : write_file(content, path);
    return error ? fail_to_write(path, error) : TOOL_DONE;
}
