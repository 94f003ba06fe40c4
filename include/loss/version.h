/* The version of the header and of the library that was linked. */
#ifndef LOSS_VERSION_H
#define LOSS_VERSION_H

#include <stdint.h>

#include "loss/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LOSS_VERSION_MAJOR  0
#define LOSS_VERSION_MINOR  1
#define LOSS_VERSION_PATCH  0
#define LOSS_VERSION_NUMBER (LOSS_VERSION_MAJOR * 10000 + LOSS_VERSION_MINOR * 100 + LOSS_VERSION_PATCH)

/* The library's version as LOSS_VERSION_NUMBER is built: 100 is 0.1.0. Any thread. Since 0.1. */
LOSS_API int32_t loss_version(void);

/* "0.1.0"; a static string. Any thread. Since 0.1. */
LOSS_API const char *loss_version_string(void);

/*
 * A number that changes whenever a release changes the bits of any result (see docs/numerics.md).
 * Two builds with equal numbers give equal bits, but for loss_has_blas(). Any thread. Since 0.1.
 */
LOSS_API int32_t loss_numerics_revision(void);

/*
 * 1 when this library was built with LOSS_BLAS, else 0. The matrix products of graphs are then a BLAS's: their bits are that
 * library's, and may change with it, with the machine and with its threads. Any thread. Since 0.1.
 */
LOSS_API int32_t loss_has_blas(void);

#ifdef __cplusplus
}
#endif

#endif
