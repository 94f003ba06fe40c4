/*
 * Elements of one type to those of another, each rounded once.
 *
 * The loops are written once a target. Inlined where the source is a constant, they are compiled once a pair of types, and vectorised.
 */
#include "array.h"

#define INLINE static inline __attribute__((always_inline))

enum source { FROM_DOUBLE, FROM_FLOAT, FROM_INT64, FROM_INT32, FROM_INT16, FROM_INT8, FROM_UINT8 };

INLINE double as_double(const void *from, enum source source, int64_t i)
{
    switch (source) {
    case FROM_DOUBLE:
        return ((const double *)from)[i];
    case FROM_FLOAT:
        return (double)((const float *)from)[i];
    case FROM_INT64:
        return (double)((const int64_t *)from)[i];
    case FROM_INT32:
        return ((const int32_t *)from)[i];
    case FROM_INT16:
        return ((const int16_t *)from)[i];
    case FROM_INT8:
        return ((const int8_t *)from)[i];
    default:
        return ((const uint8_t *)from)[i];
    }
}

/* Not by way of double, which would round a long whole number twice. */
INLINE float as_float(const void *from, enum source source, int64_t i)
{
    switch (source) {
    case FROM_DOUBLE:
        return (float)((const double *)from)[i];
    case FROM_FLOAT:
        return ((const float *)from)[i];
    case FROM_INT64:
        return (float)((const int64_t *)from)[i];
    case FROM_INT32:
        return (float)((const int32_t *)from)[i];
    case FROM_INT16:
        return ((const int16_t *)from)[i];
    case FROM_INT8:
        return ((const int8_t *)from)[i];
    default:
        return ((const uint8_t *)from)[i];
    }
}

INLINE void convert_from(const void *from, enum source source, void *to, loss_dtype wanted, int64_t count)
{
    if (wanted == LOSS_FLOAT64) {
        for (int64_t i = 0; i < count; i++) {
            ((double *)to)[i] = as_double(from, source, i);
        }
    } else if (wanted == LOSS_FLOAT32) {
        for (int64_t i = 0; i < count; i++) {
            ((float *)to)[i] = as_float(from, source, i);
        }
    } else { /* narrow whole numbers alone become others */
        for (int64_t i = 0; i < count; i++) {
            ((int32_t *)to)[i] = source == FROM_INT8 ? ((const int8_t *)from)[i] : ((const int16_t *)from)[i];
        }
    }
}

void lossi_io_convert(const void *from, loss_dtype dtype, int64_t size, void *to, loss_dtype wanted,
                      int64_t count)
{
    switch (dtype) {
    case LOSS_FLOAT64:
        convert_from(from, FROM_DOUBLE, to, wanted, count);
        return;
    case LOSS_FLOAT32:
        convert_from(from, FROM_FLOAT, to, wanted, count);
        return;
    case LOSS_INT64:
        convert_from(from, FROM_INT64, to, wanted, count);
        return;
    case LOSS_UINT8:
        convert_from(from, FROM_UINT8, to, wanted, count);
        return;
    default:
        break;
    }
    if (size == 1) {
        convert_from(from, FROM_INT8, to, wanted, count);
    } else if (size == 2) {
        convert_from(from, FROM_INT16, to, wanted, count);
    } else {
        convert_from(from, FROM_INT32, to, wanted, count);
    }
}
