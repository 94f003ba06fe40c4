/* Names of the instruction sets, and what this machine can run. */
#include "core/isa.h"

#include <stddef.h>

static const char *const names[LOSSI_ISA_COUNT] = {
    "base",
#if defined(LOSSI_HAS_AVX)
    "avx2",
    "avx512",
#elif defined(LOSSI_HAS_NEON)
    "neon",
#endif
};

const char *lossi_isa_name(int32_t isa)
{
    return isa >= 0 && isa < LOSSI_ISA_COUNT ? names[isa] : NULL;
}

int32_t lossi_isa_supported(int32_t isa)
{
#if defined(LOSSI_HAS_AVX)
    /* The compiler's check reads CPUID and XGETBV: it also asks whether the system saves the wide registers. */
    __builtin_cpu_init();
    if (isa == LOSSI_AVX2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    if (isa == LOSSI_AVX512) {
#if defined(LOSSI_EMULATE_AVX512) /* for tests: these kernels are made of AVX2 instructions */
        return lossi_isa_supported(LOSSI_AVX2);
#else
        return lossi_isa_supported(LOSSI_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
#endif
    }
#endif
    return isa >= 0 && isa < LOSSI_ISA_COUNT;
}
