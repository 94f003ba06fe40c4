/* One kernel source for both element types: the vector vocabulary and the elementary functions under names
 * without a width, for the type of this compilation pass (LOSSI_REAL is 32 or 64).
 *
 *   real            the element type                    vreal vint vmask   its vectors
 *   VREAL_LANES     how many elements a vreal holds     v_…                the functions of simd/vector.h
 *   LOSSI_NAME(x)   lossi_x_<isa>_<dtype>, the only names with linkage in a kernel file
 *
 * A kernel file includes this header, and the others of simd/ that have functions beyond its own (math_atan.h …) by name. */
#ifndef LOSSI_SIMD_REAL_H
#define LOSSI_SIMD_REAL_H

#include <float.h>

#include "vector.h"

#if LOSSI_REAL == 32
typedef float real;
typedef f32v vreal;
typedef f32i vint;
typedef f32m vmask;
#define VREAL_LANES   F32_LANES
#define REAL_EPSILON  FLT_EPSILON
#define REAL_MAX      FLT_MAX
#define REAL_MIN      FLT_MIN /* the smallest normal number */
#define REAL_INFINITY __builtin_inff()
#define REAL_NAN      __builtin_nanf("")
#define REAL(x)       x##f /* a literal in the element type: REAL(0.5) */
#define LOSSI_V(name) f32_##name
#elif LOSSI_REAL == 64
typedef double real;
typedef f64v vreal;
typedef f64i vint;
typedef f64m vmask;
#define VREAL_LANES   F64_LANES
#define REAL_EPSILON  DBL_EPSILON
#define REAL_MAX      DBL_MAX
#define REAL_MIN      DBL_MIN
#define REAL_INFINITY __builtin_inf()
#define REAL_NAN      __builtin_nan("")
#define REAL(x)       x
#define LOSSI_V(name) f64_##name
#else
#error "LOSSI_REAL must be 32 or 64"
#endif

/* Two steps, so that the macros are expanded before they are pasted. */
#define LOSSI_PASTE(stem, isa, dtype)          lossi_##stem##_##isa##_##dtype
#define LOSSI_PASTE_EXPANDED(stem, isa, dtype) LOSSI_PASTE(stem, isa, dtype)
#define LOSSI_NAME(stem)                       LOSSI_PASTE_EXPANDED(stem, LOSSI_ISA, LOSSI_DTYPE)

/* memory */
#define v_load         LOSSI_V(load)
#define v_store        LOSSI_V(store)
#define v_load_part    LOSSI_V(load_part)
#define v_store_part   LOSSI_V(store_part)
#define v_stream       LOSSI_V(stream)
#define v_stream_fence vector_stream_fence
/* arithmetic */
#define v_set1     LOSSI_V(set1)
#define v_fma      LOSSI_V(fma)
#define v_fnma     LOSSI_V(fnma)
#define v_abs      LOSSI_V(abs)
#define v_copysign LOSSI_V(copysign)
#define v_min      LOSSI_V(min)
#define v_max      LOSSI_V(max)
#define v_sqrt     LOSSI_V(sqrt)
#define v_round    LOSSI_V(round)
/* masks */
#define v_select    LOSSI_V(select)
#define v_where     LOSSI_V(where)
#define v_nan_where LOSSI_V(nan_where)
#define v_lt        LOSSI_V(lt)
#define v_le        LOSSI_V(le)
#define v_gt        LOSSI_V(gt)
#define v_ge        LOSSI_V(ge)
#define v_eq        LOSSI_V(eq)
#define v_ne        LOSSI_V(ne)
#define v_is_nan    LOSSI_V(is_nan)
#define v_mask_and  LOSSI_V(mask_and)
#define v_mask_or   LOSSI_V(mask_or)
#define v_mask_not  LOSSI_V(mask_not)
#define v_mask_any  LOSSI_V(mask_any)
#define v_mask_all  LOSSI_V(mask_all)
/* integers and bits */
#define v_to_int       LOSSI_V(to_int)
#define v_from_int     LOSSI_V(from_int)
#define v_bits         LOSSI_V(bits)
#define v_from_bits    LOSSI_V(from_bits)
#define v_int_set1     LOSSI_V(int_set1)
#define v_int_add      LOSSI_V(int_add)
#define v_int_sub      LOSSI_V(int_sub)
#define v_int_shl      LOSSI_V(int_shl)
#define v_int_shr      LOSSI_V(int_shr)
#define v_pow2         LOSSI_V(pow2)
#define v_scale        LOSSI_V(scale)
#define v_split        LOSSI_V(split)
#define v_split_normal LOSSI_V(split_normal)

/* v_exp v_expm1 v_log v_log1p v_log_half v_log_complement v_log1p_unit v_tanh v_sigmoid v_softplus */
#include "math.h"

#endif
