/* A program that happens to use names of ours; if the archive did not hide its own, these would replace them.
 */
#include <stdlib.h>

void *lossi_allocate(void);
void lossi_release(void);
int lossi_nearest(void);

void *lossi_allocate(void)
{
    abort();
}

void lossi_release(void)
{
    abort();
}

int lossi_nearest(void)
{
    abort();
}
