/* Loads, uses and unloads the library 100 times; afterwards it is gone, and so are its threads. */
#include <dirent.h>
#include <dlfcn.h>
#include <loss/loss.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 200000 };

static int use(void *library, const double *x, double *gradient)
{
    __typeof__(&loss_context_create) create = dlsym(library, "loss_context_create");
    __typeof__(&loss_context_set_int) set_int = dlsym(library, "loss_context_set_int");
    __typeof__(&loss_function_create) function_create = dlsym(library, "loss_function_create");
    __typeof__(&loss_function_cost_float64) evaluate = dlsym(library, "loss_function_cost_float64");
    __typeof__(&loss_function_free) function_free = dlsym(library, "loss_function_free");
    __typeof__(&loss_context_free) context_free = dlsym(library, "loss_context_free");
    loss_context *context;
    loss_function *function;
    double cost = -1.0;
    int failed = create(&context) || set_int(context, "threads", 4) ||
                 function_create(&function, context, "huber") ||
                 evaluate(context, function, N, x, x, &cost, gradient);
    function_free(function);
    context_free(context);
    return failed || cost != 0.0;
}

static int count_threads(void)
{
    int count = -2; /* "." and ".." */
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) {
        perror("/proc/self/task");
        exit(77); /* cannot be told here: skipped */
    }
    while (readdir(tasks) != NULL) {
        count++;
    }
    closedir(tasks);
    return count;
}

int main(int argc, char **argv)
{
    double *x = calloc(N, sizeof *x), *gradient = calloc(N, sizeof *gradient);
    int failures = argc != 2;
    for (int i = 0; i < 100 && failures == 0; i++) {
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        failures += library == NULL || use(library, x, gradient) || dlclose(library);
        failures += dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) != NULL;
        failures += count_threads() != 1;
    }
    free(x);
    free(gradient);
    printf("%d failures\n", failures);
    return failures != 0;
}
