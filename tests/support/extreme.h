/* Numbers for options that float32 does not have, and what float32 may make of them: what float64 makes of them. */
#ifndef LOSS_TEST_EXTREME_H
#define LOSS_TEST_EXTREME_H

#include <float.h>
#include <math.h>

/* Too small, too large, or not apart from 1. */
static const double extremes[] = {-1e300, -1e60,     -1e-60,    1e-300, 1e-60, 1e-46,
                                  1e-40,  1 - 1e-12, 1 + 1e-12, 1e39,   1e60,  1e300};

enum { EXTREMES = sizeof extremes / sizeof *extremes };

/* As far as float32 has such numbers; beside the largest number of the output others may cancel. */
static inline int extreme_agrees(double narrow, double wide, double largest)
{
    if (isnan(wide)) {
        return isnan(narrow);
    }
    if (fabs(wide) > FLT_MAX) {
        return fabs(narrow) > 0.9 * FLT_MAX && (narrow > 0) == (wide > 0);
    }
    return fabs(narrow - wide) <= 1e-2 * fabs(wide) + 1e-5 * fmin(largest, FLT_MAX) + 1e-37;
}

#endif
