/* Guard pages: see guard.h. */
#include "support/guard.h"

#include <sys/mman.h>
#include <unistd.h>

guarded guard_create(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page;
    guarded block = {NULL, NULL, inner + page};
    void *map = mmap(NULL, block.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        return block;
    }
    if (mprotect((char *)map + inner, page, PROT_NONE) != 0) {
        munmap(map, block.length);
        return block;
    }
    block.map = map;
    block.start = (char *)map + (inner - size);
    return block;
}

void guard_free(guarded *block)
{
    if (block->map != NULL) {
        munmap(block->map, block->length);
    }
    block->map = NULL;
    block->start = NULL;
}
