/*
 * Memory that ends exactly where an inaccessible page begins: one element read or written too far is a crash, also in
 * vector code where a sanitizer sees nothing.
 */
#ifndef LOSS_TEST_GUARD_H
#define LOSS_TEST_GUARD_H

#include <stddef.h>

typedef struct guarded {
    void *start; /* size bytes, the last one just before the guard page */
    void *map;
    size_t length;
} guarded;

/* start is NULL when there is no memory; the block is zero. */
guarded guard_create(size_t size);
void guard_free(guarded *block);

#endif
