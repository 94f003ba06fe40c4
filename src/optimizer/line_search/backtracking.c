/* Backtracking with interpolation. The condition and the papers are in backtracking.h. */
#include "optimizer/line_search/backtracking.h"

#include <math.h>

static const double least_cut = 0.1, most_cut = 0.5; /* of the last trial (Dennis & Schnabel 1983, A6.3.1) */
static const double back_off = 0.1; /* after a trial without a finite value, as Hager–Zhang */
enum {
    MOST_TRIALS = 60,   /* each at most halves the step, and a double has 53 bits */
    MOST_NONFINITE = 40 /* 10^−40 of the first step is hopeless in both element types */
};

lossi_search_status lossi_backtracking_start(lossi_backtracking *search, double value0, double slope0,
                                             double reference, double first_step, double sufficient_decrease,
                                             double rounding)
{
    *search = (lossi_backtracking){.value0 = value0,
                                   .slope0 = slope0,
                                   .reference = fmax(reference, value0),
                                   .sufficient_decrease = sufficient_decrease,
                                   .rounding = rounding,
                                   .step = first_step};
    return slope0 < 0.0 && isfinite(slope0) && first_step > 0.0 ? LOSSI_SEARCH_TRY : LOSSI_SEARCH_NO_DESCENT;
}

/* (φ(α) − φ(0) − αφ′(0))/α²|φ′(0)|: in units of the slope, so that those of f do not matter. */
static double bend(const lossi_backtracking *search, double value)
{
    double step = search->step;
    return ((value - search->value0) / (-step * search->slope0) + 1.0) / step;
}

/* The minimiser of the parabola, or of the cubic −α + bα² + aα³, where its derivative is 0 and rises. */
static double interpolate(const lossi_backtracking *search, double bend_here)
{
    double here = search->step, before = search->before;
    if (before == 0.0) {
        return 0.5 / bend_here;
    }
    double a = (bend_here - search->bend_before) / (here - before);
    double b = (here * search->bend_before - before * bend_here) / (here - before);
    return 1.0 / (b + sqrt(fmax(0.0, b * b + 3.0 * a)));
}

static lossi_search_status cut(lossi_backtracking *search, double step)
{
    if (!(step < search->step) || !(step > 0.0)) {
        return LOSSI_SEARCH_PRECISION;
    }
    search->step = step;
    return LOSSI_SEARCH_TRY;
}

lossi_search_status lossi_backtracking_tell(lossi_backtracking *search, double value)
{
    double step = search->step;
    if (!isfinite(value)) {
        search->before = 0.0;
        if (++search->nonfinite >= MOST_NONFINITE) {
            return search->trials == 0 ? LOSSI_SEARCH_NONFINITE : LOSSI_SEARCH_EXHAUSTED;
        }
        return cut(search, back_off * step);
    }
    search->trials++;
    double wanted = search->reference + search->sufficient_decrease * step * search->slope0;
    if (value <= wanted && value < search->reference) { /* a decrease that rounds to nothing is none */
        return LOSSI_SEARCH_ACCEPTED;
    }
    if (search->trials >= MOST_TRIALS) {
        return LOSSI_SEARCH_EXHAUSTED;
    }
    if (-step * search->slope0 <= search->rounding) {
        return LOSSI_SEARCH_PRECISION; /* the slope promises less than f can show */
    }
    double bend_here = bend(search, value), next = interpolate(search, bend_here);
    search->before = step;
    search->bend_before = bend_here;
    next = isfinite(next) ? next : most_cut * step;
    return cut(search, fmin(fmax(next, least_cut * step), most_cut * step));
}
