/* Names of the operations and the tables of math_kernels.h this processor can run. */
#include "support/math_kernels.h"

#include <stddef.h>

const char *const math_unary_names[MATH_UNARY] = {"exp",
                                                  "expm1",
                                                  "log",
                                                  "log1p",
                                                  "log1p_unit",
                                                  "log_half",
                                                  "log_complement",
                                                  "reciprocal",
                                                  "inverse_root",
                                                  "tanh",
                                                  "sigmoid",
                                                  "softplus",
                                                  "x_minus_log1p",
                                                  "x_minus_log1p_of",
                                                  "log1mexp",
                                                  "atan",
                                                  "sin",
                                                  "cos",
                                                  "tan",
                                                  "erf",
                                                  "erf_slope",
                                                  "log_gamma",
                                                  "normal_cdf",
                                                  "normal_hazard",
                                                  "log_normal_survival",
                                                  "normal_hazard_slope",
                                                  "erfc",
                                                  "abs",
                                                  "negate",
                                                  "sqrt",
                                                  "round",
                                                  "is_nan",
                                                  "through_int",
                                                  "shifted",
                                                  "pow2",
                                                  "split_significand",
                                                  "split_exponent",
                                                  "split_normal_significand",
                                                  "split_normal_exponent"};

const char *const math_binary_names[MATH_BINARY] = {
    "pow",    "powm1", "pow1p", "pow1pm1",   "add",          "subtract",    "multiply",
    "divide", "min",   "max",   "copysign",  "lt",           "le",          "gt",
    "ge",     "eq",    "ne",    "not_below", "both_nonzero", "any_nonzero", "scale"};

const char *const math_ternary_names[MATH_TERNARY] = {"fma", "fnma", "select"};

const char *const math_single_names[SINGLE_FUNCTIONS] = {
    "exp", "expm1", "exp_nonpositive", "expm1_nonpositive", "tanh", "log", "log1p", "log1p_unit"};

extern const math_kernels lossi_math_base_float32, lossi_math_base_float64;

#if defined(__x86_64__) && !defined(LOSSI_BASE_ONLY)

extern const math_kernels lossi_math_avx2_float32, lossi_math_avx2_float64;
extern const math_kernels lossi_math_avx512_float32, lossi_math_avx512_float64;

static const math_kernels *const tables[][2] = {
    {&lossi_math_base_float32, &lossi_math_base_float64},
    {&lossi_math_avx2_float32, &lossi_math_avx2_float64},
    {&lossi_math_avx512_float32, &lossi_math_avx512_float64},
};

static int supported(int isa)
{
    __builtin_cpu_init();
    if (isa == 1)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if defined(LOSSI_EMULATE_AVX512)
    if (isa == 2)
        return supported(1);
#else
    if (isa == 2)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    return 1;
}

#elif defined(__aarch64__) && !defined(LOSSI_BASE_ONLY)

extern const math_kernels lossi_math_neon_float32, lossi_math_neon_float64;

static const math_kernels *const tables[][2] = {
    {&lossi_math_base_float32, &lossi_math_base_float64},
    {&lossi_math_neon_float32, &lossi_math_neon_float64},
};

static int supported(int isa)
{
    (void)isa; /* Advanced SIMD is part of the architecture */
    return 1;
}

#else

static const math_kernels *const tables[][2] = {{&lossi_math_base_float32, &lossi_math_base_float64}};

static int supported(int isa)
{
    (void)isa;
    return 1;
}

#endif

int math_isa_count(void)
{
    return (int)(sizeof tables / sizeof tables[0]);
}

const char *math_isa_name(int isa)
{
    return tables[isa][0]->isa;
}

const math_kernels *math_kernels_at(int isa, int bits)
{
    return supported(isa) ? tables[isa][bits == 64] : NULL;
}
