/* What the tests of the readers share: the elements of tests/data/formats, files of their own, and memory that runs out. */
#ifndef LOSS_TESTS_IO_SUPPORT_H
#define LOSS_TESTS_IO_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loss/io.h"

#define FORMATS LOSS_TEST_DATA "/formats/"

/* The formulas of tests/data/formats/generate.py. */
static inline int64_t whole(int64_t row, int64_t column)
{
    return 37 * row + 11 * column;
}

static inline double real(int64_t row, int64_t column)
{
    return (double)whole(row, column) * 0.625 - 41.25;
}

/* The bytes of a file, malloced; one more than there are, so that none may be there too. */
char *load(const char *path, int64_t *length);

/* Writes the bytes to a new file and gives its path, a static string; the next call takes the file away again. */
const char *store(const void *bytes, int64_t length);
void remove_stored(void);

/* Calls everything with a context whose allocation k fails, for k = 0, 1, … until none is left to fail; leaks are found. */
void check_every_allocation(loss_status (*everything)(loss_context *context));

/* A progress callback; user is one of these. */
struct progress {
    int64_t calls, done, total;
    int64_t cancel_at; /* the call that cancels with 7, 0 for none */
    int is_falling;    /* done became less */
};

int32_t note_progress(void *user, int64_t done, int64_t total);

#endif
