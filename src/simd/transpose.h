/*
 * Rows in lanes: a vector holds one column of as many rows as it has lanes.
 *
 * Columns come in groups of 16 bytes, LOSSI_GROUP of them. In each 16-byte piece of a vector lies one row of the group,
 * piece q of vector a being row LOSSI_GROUP·q + a; transposing within the pieces gives columns with the rows in order,
 * and transposing again gives the rows back.
 */
#ifndef LOSSI_SIMD_TRANSPOSE_H
#define LOSSI_SIMD_TRANSPOSE_H

#include "simd/real.h"

enum { LOSSI_GROUP = 16 / (LOSSI_REAL / 8) };

#if defined(LOSSI_ISA_AVX512)

#if LOSSI_REAL == 32
#define LOSSI_UNPACK_LOW(a, b)  ((vreal)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define LOSSI_UNPACK_HIGH(a, b) ((vreal)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#endif
#define LOSSI_UNPACK_LOW_64(a, b)  ((vreal)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
#define LOSSI_UNPACK_HIGH_64(a, b) ((vreal)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))

/* One group of rows 0, LOSSI_GROUP, 2·LOSSI_GROUP, … */
LOSSI_INLINE vreal lossi_load_pieces(const real *p, int64_t stride)
{
    const int64_t step = LOSSI_GROUP * stride;
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const void *)p));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + step)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + 2 * step)), 2);
    return (vreal)_mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + 3 * step)), 3);
}

LOSSI_INLINE void lossi_store_pieces(real *p, int64_t stride, vreal x)
{
    const int64_t step = LOSSI_GROUP * stride;
    const __m512i v = (__m512i)x;
    _mm_storeu_si128((void *)p, _mm512_castsi512_si128(v));
    _mm_storeu_si128((void *)(p + step), _mm512_extracti32x4_epi32(v, 1));
    _mm_storeu_si128((void *)(p + 2 * step), _mm512_extracti32x4_epi32(v, 2));
    _mm_storeu_si128((void *)(p + 3 * step), _mm512_extracti32x4_epi32(v, 3));
}

#elif defined(LOSSI_ISA_AVX2)

#if LOSSI_REAL == 32
#define LOSSI_UNPACK_LOW(a, b)  ((vreal)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define LOSSI_UNPACK_HIGH(a, b) ((vreal)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#endif
#define LOSSI_UNPACK_LOW_64(a, b)  ((vreal)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
#define LOSSI_UNPACK_HIGH_64(a, b) ((vreal)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))

LOSSI_INLINE vreal lossi_load_pieces(const real *p, int64_t stride)
{
    const __m256i v = _mm256_castsi128_si256(_mm_loadu_si128((const void *)p));
    return (vreal)_mm256_inserti128_si256(v, _mm_loadu_si128((const void *)(p + LOSSI_GROUP * stride)), 1);
}

LOSSI_INLINE void lossi_store_pieces(real *p, int64_t stride, vreal x)
{
    _mm_storeu_si128((void *)p, _mm256_castsi256_si128((__m256i)x));
    _mm_storeu_si128((void *)(p + LOSSI_GROUP * stride), _mm256_extracti128_si256((__m256i)x, 1));
}

#endif

#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_AVX2)

/* Transposes each LOSSI_GROUP × LOSSI_GROUP square of 16-byte pieces. */
LOSSI_INLINE void lossi_transpose_pieces(vreal *x)
{
#if LOSSI_REAL == 32
    const vreal low01 = LOSSI_UNPACK_LOW(x[0], x[1]), low23 = LOSSI_UNPACK_LOW(x[2], x[3]),
                high01 = LOSSI_UNPACK_HIGH(x[0], x[1]), high23 = LOSSI_UNPACK_HIGH(x[2], x[3]);
    x[0] = LOSSI_UNPACK_LOW_64(low01, low23);
    x[1] = LOSSI_UNPACK_HIGH_64(low01, low23);
    x[2] = LOSSI_UNPACK_LOW_64(high01, high23);
    x[3] = LOSSI_UNPACK_HIGH_64(high01, high23);
#else
    const vreal low = LOSSI_UNPACK_LOW_64(x[0], x[1]);
    x[1] = LOSSI_UNPACK_HIGH_64(x[0], x[1]);
    x[0] = low;
#endif
}

/* LOSSI_GROUP columns of VREAL_LANES rows. */
LOSSI_INLINE void v_load_columns(const real *p, int64_t stride, vreal *columns)
{
    for (int a = 0; a < LOSSI_GROUP; a++) {
        columns[a] = lossi_load_pieces(p + a * stride, stride);
    }
    lossi_transpose_pieces(columns);
}

LOSSI_INLINE void v_store_columns(real *p, int64_t stride, const vreal *columns)
{
    vreal x[LOSSI_GROUP];
    for (int a = 0; a < LOSSI_GROUP; a++) {
        x[a] = columns[a];
    }
    lossi_transpose_pieces(x);
    for (int a = 0; a < LOSSI_GROUP; a++) {
        lossi_store_pieces(p + a * stride, stride, x[a]);
    }
}

#else

LOSSI_INLINE void v_load_columns(const real *p, int64_t stride, vreal *columns)
{
    for (int row = 0; row < VREAL_LANES; row++) {
        for (int a = 0; a < LOSSI_GROUP; a++) {
            real one;
            __builtin_memcpy(&one, p + row * stride + a, sizeof one);
            columns[a][row] = one;
        }
    }
}

LOSSI_INLINE void v_store_columns(real *p, int64_t stride, const vreal *columns)
{
    for (int row = 0; row < VREAL_LANES; row++) {
        for (int a = 0; a < LOSSI_GROUP; a++) {
            const real one = columns[a][row];
            __builtin_memcpy(p + row * stride + a, &one, sizeof one);
        }
    }
}

#endif

#endif
