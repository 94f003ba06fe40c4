/* Ridders' extrapolation of differences, told one step after the other. */
#ifndef LOSSI_GRADIENT_RIDDERS_H
#define LOSSI_GRADIENT_RIDDERS_H

#include <stdint.h>

enum { LOSSI_RIDDERS_LEVELS = 12 }; /* steps, each half of the one before */

typedef struct lossi_slope {
    double central;     /* the derivative; NaN when there are no finite values around */
    double error;       /* how wrong it may be */
    double left, right; /* one-sided slopes of the smallest step */
    double widest;      /* the larger of them, without its sign, at the widest step */
    double rounding;    /* the error that rounding alone makes inevitable */
    int32_t kink;       /* whether left and right stay apart as the step shrinks */
} lossi_slope;

typedef struct lossi_ridders {
    double entry[LOSSI_RIDDERS_LEVELS][LOSSI_RIDDERS_LEVELS]; /* row: step, column: how often extrapolated */
    double gap[LOSSI_RIDDERS_LEVELS];                         /* of the right slope over the left one */
    int32_t rows, levels;                                     /* of the tableau, and steps told in all */
    int32_t one_sided;   /* set after the beginning: values of one side only */
    double value, sigma; /* at the point itself, and the noise of the values */
    double step;         /* of the values wanted next */
    lossi_slope slope;   /* the best so far */
} lossi_ridders;

/* unit: the precision of the element type. */
void lossi_ridders_begin(lossi_ridders *ridders, double value, double sigma, double step, double unit);

/*
 * Takes the values at the signed distances from the point, behind and ahead of it by about ridders->step, of one side the
 * first alone. Returns whether those of the next step are wanted.
 */
int32_t lossi_ridders_tell(lossi_ridders *ridders, const double distance[2], const double value[2]);

#endif
