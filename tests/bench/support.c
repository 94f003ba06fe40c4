/* What the benchmarks do about failures and memory. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { LARGE_PAGE = 2 << 20 };

void bench_must(loss_context *context, loss_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", loss_status_message(status), loss_context_error(context));
        exit(1);
    }
}

void *bench_room(int64_t bytes)
{
    const size_t size = ((size_t)bytes / LARGE_PAGE + 1) * LARGE_PAGE;
    void *made = aligned_alloc(LARGE_PAGE, size);
#if defined(__linux__)
    if (made != NULL) {
        madvise(made, size, MADV_HUGEPAGE);
    }
#endif
    return made;
}

void *bench_memory(int64_t bytes)
{
    void *made = bench_room(bytes);
    if (made == NULL) {
        bench_must(NULL, LOSS_ERROR_MEMORY);
    }
    return made;
}
