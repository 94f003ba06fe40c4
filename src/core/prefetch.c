#include "core/prefetch.h"

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
