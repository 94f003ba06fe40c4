#include "core/prefetch.h"

enum { ASK_NEAR = 256 /* bytes: four lines; from none to six took the same time */ };

int64_t lossi_ask_ahead(int64_t far)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_is("amd")) {
        return far < ASK_NEAR ? far : ASK_NEAR;
    }
#endif
    return far;
}

int32_t lossi_prefetches_rows(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11 /* the first to know the family */
    if (__builtin_cpu_is("amdfam19h")) {
        return 0;
    }
#endif
    return __builtin_cpu_is("amd") != 0;
#else
    return 0;
#endif
}
