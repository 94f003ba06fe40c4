/*
 * fmax() and fmin() as expressions. The functions have to be called, since compilers cannot say all they say about the sign of
 * zero, and an evaluation asks for a dozen of them.
 */
#ifndef LOSSI_OPTIMIZER_EXTREMES_H
#define LOSSI_OPTIMIZER_EXTREMES_H

/* The larger number; of a number and a NaN the number. */
static inline double lossi_larger(double a, double b)
{
    return a >= b || b != b ? a : b;
}

/* The smaller number; of a number and a NaN the number. */
static inline double lossi_smaller(double a, double b)
{
    return a <= b || b != b ? a : b;
}

#endif
