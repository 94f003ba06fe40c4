/* What the examples do about failures: say the context's sentence and leave. 06_errors.c shows what else
 * there is. */
#ifndef MUST_H
#define MUST_H

#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>

static inline loss_status must(loss_context *context, loss_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", loss_status_name(status), loss_context_error(context));
        exit(EXIT_FAILURE);
    }
    return status;
}

#endif
