/* The archive in the program and the shared library in a plugin of it: each keeps to itself. */
#include <dlfcn.h>
#include <loss/loss.h>
#include <stdio.h>

typedef loss_status (*create_function)(loss_context **out);
typedef void (*free_function)(loss_context *context);

int main(void)
{
    loss_context *ours, *theirs;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return fprintf(stderr, "%s\n", dlerror()), 1;
    }
    create_function create = (create_function)dlsym(library, "loss_context_create");
    free_function release = (free_function)dlsym(library, "loss_context_free");
    if (create == loss_context_create || create(&theirs) != LOSS_OK ||
        loss_context_create(&ours) != LOSS_OK) {
        return 1;
    }
    loss_status refused = loss_context_set_int(ours, "threads", -1);
    release(theirs);
    int told = loss_context_error(ours)[0] != '\0';
    loss_context_free(ours);
    return !(dlclose(library) == 0 && refused == LOSS_ERROR_RANGE && told);
}
