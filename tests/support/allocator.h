/*
 * An allocator that counts, and that can fail on request: the k-th allocation once, or from the k-th on for ever.
 * Handed to loss_context_create_with_allocator() with a test_allocator as user.
 */
#ifndef LOSS_TEST_ALLOCATOR_H
#define LOSS_TEST_ALLOCATOR_H

#include <stdint.h>

typedef struct test_allocator {
    int64_t calls;      /* allocations asked for */
    int64_t live;       /* blocks not given back */
    int64_t live_bytes; /* and their size */
    int64_t fail_at;    /* fail this allocation, counted from 1; 0 never */
    int32_t for_ever;   /* and all later ones */
    int64_t failed;     /* allocations refused */
} test_allocator;

int32_t test_allocate(void *user, int64_t size, void **pointer);
int32_t test_release(void *user, void *pointer);

#endif
