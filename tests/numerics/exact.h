/* The elementary functions by MPFR, which judges ours, and by libm in the next wider type, which tells what is worth
 * judging. A function is an operation of support/math_kernels.h and its number of arguments; the second is ignored where
 * there is one. */
#ifndef LOSS_TEST_EXACT_H
#define LOSS_TEST_EXACT_H

#include <mpfr.h>

typedef struct elementary {
    int operation, arguments;
} elementary;

const char *elementary_name(elementary function);

/* The number of the precision of `exact` that is nearest to the result, or nearly. */
void exact_value(mpfr_t exact, elementary function, double x, double y);

double libm_double(elementary function, double x, double y);
long double libm_long_double(elementary function, long double x, long double y);

#endif
