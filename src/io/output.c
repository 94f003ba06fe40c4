/*
 * Files written: beside the path first, so that a failure costs nobody an older file, and then renamed. What a link leads to is
 * replaced, not the link; what is no regular file is never replaced.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many names are tried; each that is taken is a run that was killed, or one under way. */
enum { MOST_NAMES = 1000, SUFFIX_SIZE = 40 };

static loss_status fail(const struct lossi_io_output *output, const char *path, int error)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, path);
    lossi_io_message_add(&message, "cannot write: %s", strerror(error));
    return lossi_io_message_fail(&message, output->context, LOSS_ERROR_FILE);
}

static void forget(struct lossi_io_output *output)
{
    loss_context_release(output->context, output->beside);
    free(output->target);
    output->beside = output->target = NULL;
    output->file = NULL;
}

/* A descriptor of a new file beside the target, with the rights of any new file; −1 and errno. */
static int open_beside(struct lossi_io_output *output)
{
    const size_t length = strlen(output->target);
    for (int i = 0; i < MOST_NAMES; i++) {
        snprintf(output->beside, length + SUFFIX_SIZE, "%s.%ld-%d.part", output->target, (long)getpid(), i);
        /* Not mkstemp(), whose file only the owner may read: the rights of new files are the process's own setting, which a
         * library can read only by changing it. */
        const int descriptor = open(output->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) {
            return descriptor;
        }
    }
    return -1;
}

static int open_descriptor(struct lossi_io_output *output, const struct stat *old)
{
    if (!output->target) {
        return open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    const int descriptor = open_beside(output);
    if (descriptor >= 0 && old && fchmod(descriptor, old->st_mode & 0777) != 0) {
        const int error = errno;
        close(descriptor);
        unlink(output->beside);
        errno = error;
        return -1;
    }
    return descriptor;
}

loss_status lossi_io_output_open(struct lossi_io_output *output)
{
    struct stat old, link;
    const int is_there = stat(output->path, &old) == 0;
    if (is_there ? S_ISREG(old.st_mode) : lstat(output->path, &link) != 0) {
        output->target = is_there ? realpath(output->path, NULL) : strdup(output->path);
        if (!output->target) {
            return fail(output, output->path, errno);
        }
        output->beside = lossi_io_table_allocate(output->context,
                                                 (int64_t)strlen(output->target) + SUFFIX_SIZE, 1);
        if (!output->beside) {
            forget(output);
            return LOSS_ERROR_MEMORY;
        }
    }
    const int descriptor = open_descriptor(output, is_there ? &old : NULL);
    output->file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (output->file) {
        return LOSS_OK;
    }
    const loss_status status = fail(output, output->path, errno);
    if (descriptor >= 0) {
        close(descriptor);
        if (output->beside) {
            unlink(output->beside);
        }
    }
    forget(output);
    return status;
}

loss_status lossi_io_output_close(struct lossi_io_output *output, int is_written)
{
    loss_status status = LOSS_OK;
    int error = is_written ? 0 : errno;
    if (fclose(output->file) != 0 && !error) {
        error = errno;
    }
    if (!error && output->target && rename(output->beside, output->target) != 0) {
        error = errno;
    }
    if (error || !is_written) {
        status = fail(output, output->path, error ? error : EIO);
        if (output->beside) {
            unlink(output->beside);
        }
    }
    forget(output);
    return status;
}
