/* A counting and failing allocator: see allocator.h. */
#include "support/allocator.h"

#include <stddef.h>
#include <stdlib.h>

/* In front of every block: its size. As large as the strictest alignment, so that the block keeps it. */
typedef union header {
    int64_t size;
    max_align_t align;
} header;

int32_t test_allocate(void *user, int64_t size, void **pointer)
{
    test_allocator *allocator = user;
    header *block;
    *pointer = NULL;
    allocator->calls++;
    if (allocator->fail_at > 0 && (allocator->for_ever ? allocator->calls >= allocator->fail_at
                                                       : allocator->calls == allocator->fail_at)) {
        allocator->failed++;
        return 0;
    }
    block = malloc(sizeof *block + (size_t)size);
    if (block != NULL) {
        block->size = size;
        allocator->live++;
        allocator->live_bytes += size;
        *pointer = block + 1;
    }
    return 0;
}

int32_t test_release(void *user, void *pointer)
{
    test_allocator *allocator = user;
    if (pointer != NULL) {
        header *block = (header *)pointer - 1;
        allocator->live--;
        allocator->live_bytes -= block->size;
        free(block);
    }
    return 0;
}
