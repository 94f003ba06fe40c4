/* Where bytes go to: a file that is replaced in one step, or a device or pipe that is written to. */
#ifndef LOSSI_IO_OUTPUT_H
#define LOSSI_IO_OUTPUT_H

#include "table.h"

#include <stdio.h>

struct lossi_io_output {
    loss_context *context;
    const char *path;
    FILE *file;
    char *target; /* what a path or a link leads to, by malloc(); NULL: written to where it is */
    char *beside; /* the file being written, which takes the target's place at the end; NULL likewise */
};

/*
 * Opens the path; output starts as {.context, .path}. A regular file, or one that is not there yet, is written beside the target
 * under a name that nobody has; whatever else stands there, a device, a pipe or a link to nowhere, is opened itself. Nothing is
 * left to close after a failure.
 */
loss_status lossi_io_output_open(struct lossi_io_output *output);

/* Puts the file in its place when all of it was written, else leaves things as they were; a failure has a sentence. */
loss_status lossi_io_output_close(struct lossi_io_output *output, int is_written);

#endif
