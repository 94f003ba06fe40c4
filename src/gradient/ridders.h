/* Ridders' extrapolation of differences, told one step after the other. */
#ifndef LOSSI_GRADIENT_RIDDERS_H
#define LOSSI_GRADIENT_RIDDERS_H

#include <stdint.h>

/*
 * Steps of a tableau, each half of the one before; and tableaux, each of which goes on with shorter steps where the one before says that
 * the function varies within its own: they reach down to 2⁻³⁶ of the first step.
 */
enum { LOSSI_RIDDERS_LEVELS = 12, LOSSI_RIDDERS_TABLEAUX = 3 };

typedef struct lossi_slope {
    double central;     /* the derivative; NaN when there are no finite values around */
    double error;       /* how wrong it may be */
    double left, right; /* one-sided slopes of the smallest step */
    double widest;      /* the larger of them, without its sign, at the widest step */
    double rounding;    /* the error that rounding alone makes inevitable */
    int32_t kink;       /* whether left and right stay apart as the step shrinks */
    int32_t jump;       /* whether the differences double instead when the step is halved: the values jump */
    int32_t shorter;    /* whether it took shorter steps than those of the first tableau */
    int32_t unsettled;  /* whether differences go on changing as the step shrinks */
} lossi_slope;

typedef struct lossi_ridders {
    double entry[LOSSI_RIDDERS_LEVELS][LOSSI_RIDDERS_LEVELS]; /* row: step, column: how often extrapolated */
    double gap[LOSSI_RIDDERS_LEVELS];                         /* of the right slope over the left one */
    int32_t rows, levels, tableaux; /* of this tableau, steps told in all; tableaux before it */
    int32_t one_sided;              /* set after the beginning: values of one side only */
    double value, sigma;            /* at the point itself, and the noise of the values */
    double step;                    /* of the values wanted next */
    double unit;                    /* the precision of the element type */
    lossi_slope slope;              /* the best so far */
    lossi_slope widest;             /* that of the first tableau, when there is another */
} lossi_ridders;

/* unit: the precision of the element type. */
void lossi_ridders_begin(lossi_ridders *ridders, double value, double sigma, double step, double unit);

/*
 * Takes the values at the signed distances from the point, behind and ahead of it by about ridders->step, of one side the
 * first alone. Returns whether those of the next step are wanted.
 */
int32_t lossi_ridders_tell(lossi_ridders *ridders, const double distance[2], const double value[2]);

#endif
