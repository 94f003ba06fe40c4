/* A context for every test of libloss_io's tables, and a table from text. */
#ifndef IO_TABLE_H
#define IO_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "loss/io.h"

static loss_context *context;

static int setup(void **state)
{
    (void)state;
    return loss_context_create(&context);
}

static int teardown(void **state)
{
    (void)state;
    loss_context_free(context);
    return 0;
}

static loss_table *parse_text(const char *text, int32_t has_header)
{
    loss_table *table = NULL;
    const loss_status status = loss_table_parse_csv(&table, context, text, (int64_t)strlen(text), has_header,
                                                    0);
    if (status != LOSS_OK) {
        fail_msg("%s", loss_context_error(context));
    }
    return table;
}

#endif
