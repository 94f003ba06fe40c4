/* The largest value of a function of one number, for bounds of losses that have no closed form; for prepare(). */
#ifndef LOSSI_LOSS_SUPREMUM_H
#define LOSSI_LOSS_SUPREMUM_H

enum { LOSSI_SUPREMUM_GRID = 128, LOSSI_SUPREMUM_ROUNDS = 50 };

typedef double (*lossi_profile)(double x, const double *given);

/* Over [low, high], where it should be smooth on the scale of a hundredth of the interval: a grid, then thirds around its best. */
static inline double lossi_supremum(lossi_profile f, const double *given, double low, double high)
{
    const double step = (high - low) / LOSSI_SUPREMUM_GRID;
    double best = low, largest = f(low, given);
    for (int k = 1; k <= LOSSI_SUPREMUM_GRID; k++) {
        const double value = f(low + k * step, given);
        best = value > largest ? low + k * step : best;
        largest = value > largest ? value : largest;
    }
    double left = best - step < low ? low : best - step, right = best + step > high ? high : best + step;
    for (int k = 0; k < LOSSI_SUPREMUM_ROUNDS; k++) {
        const double third = (right - left) / 3, a = f(left + third, given), b = f(right - third, given);
        if (a < b) {
            left += third;
        } else {
            right -= third;
        }
        largest = a > largest ? a : b > largest ? b : largest;
    }
    return largest;
}

#endif
