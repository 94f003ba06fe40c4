/* Loads of float32 as float64: one instruction, where a load and the halves of f32_to_f64_low() and its kin are three. */
#ifndef LOSSI_SIMD_WIDEN_H
#define LOSSI_SIMD_WIDEN_H

#include "vector.h"

/* F64_LANES numbers, widened. */
LOSSI_INLINE f64v f64_load_float32(const float *p)
{
#if defined(LOSSI_ISA_AVX512)
    return (f64v)_mm512_cvtps_pd(_mm256_loadu_ps(p));
#elif defined(LOSSI_ISA_AVX2)
    return (f64v)_mm256_cvtps_pd(_mm_loadu_ps(p));
#elif defined(LOSSI_ISA_NEON)
    return (f64v)vcvt_f64_f32(vld1_f32(p));
#else
    f32_half v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, f64v);
#endif
}

#if defined(LOSSI_REAL)

#include "simd/real.h"

/* F64_LANES numbers of the element type, widened. */
LOSSI_INLINE f64v v_load_wide(const real *p)
{
#if LOSSI_REAL == 32
    return f64_load_float32(p);
#else
    return f64_load(p);
#endif
}

#endif

#endif
