/* Files, memory that runs out, and a progress callback for the tests of the readers. */
#include "io_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char stored[64];

char *load(const char *path, int64_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *length = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)*length + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)*length, file), *length);
    fclose(file);
    return bytes;
}

void remove_stored(void)
{
    if (*stored) {
        unlink(stored);
        *stored = '\0';
    }
}

const char *store(const void *bytes, int64_t length)
{
    remove_stored();
    strcpy(stored, "/tmp/loss_test_io_XXXXXX");
    const int descriptor = mkstemp(stored);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, (size_t)length), length);
    close(descriptor);
    return stored;
}

struct counting {
    int64_t until_failure, blocks;
};

static int32_t counting_allocate(void *user, int64_t size, void **pointer)
{
    struct counting *counting = user;
    *pointer = counting->until_failure-- == 0 ? NULL : malloc((size_t)size);
    counting->blocks += *pointer != NULL;
    return 0;
}

static int32_t counting_release(void *user, void *pointer)
{
    ((struct counting *)user)->blocks--;
    free(pointer);
    return 0;
}

void check_every_allocation(loss_status (*everything)(loss_context *context))
{
    loss_status status = LOSS_ERROR_MEMORY;
    int64_t k = 0;
    for (; status == LOSS_ERROR_MEMORY && k < 1000; k++) {
        struct counting counting = {.until_failure = -1};
        loss_context *counted = NULL;
        assert_int_equal(
            loss_context_create_with_allocator(&counted, counting_allocate, counting_release, &counting),
            LOSS_OK);
        counting.until_failure = k;
        status = everything(counted);
        if (status) {
            assert_int_equal(loss_context_error_status(counted), LOSS_ERROR_MEMORY);
            assert_string_not_equal(loss_context_error(counted), "");
        }
        loss_context_free(counted);
        assert_int_equal(counting.blocks, 0);
    }
    assert_int_equal(status, LOSS_OK);
    assert_true(k > 3); /* the loop did fail something */
}

int32_t note_progress(void *user, int64_t done, int64_t total)
{
    struct progress *progress = user;
    progress->calls++;
    progress->is_falling |= done < progress->done;
    progress->done = done;
    progress->total = total;
    return progress->calls == progress->cancel_at ? 7 : 0;
}
