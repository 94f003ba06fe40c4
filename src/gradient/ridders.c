/*
 * Ridders' extrapolation.
 *
 * Central differences D(h) = (f(x + h) − f(x − h)) / 2h at steps h, h/2, h/4, … have an error in even powers of h, and one-sided
 * ones (f(x + h) − f(x)) / h in all powers, which Richardson's tableau removes column by column; the entry that agrees best with
 * its neighbours is taken, and their disagreement plus the noise of the values over h is its error bar: Ridders, Accurate
 * computation of F'(x) and F'(x)F''(x), Adv. Eng. Software 4 (1982), 75–76.
 *
 * The slopes on the two sides come from the same values: their gap falls like h where f is smooth, and stays at a kink. At a
 * kink nearby it does neither: what is left over is in the error bar, since extrapolated entries may agree by chance there.
 *
 * So they may where f varies within the shortest step, as log x does near 0 and sin(x/ε) everywhere: differences then change as much
 * at the last steps as before, or more. Such a tableau says nothing, and another one begins at shorter steps. Where the last one
 * says nothing either, or no more than the order of magnitude, there is no error bar.
 */
#include "gradient/ridders.h"

#include <math.h>

enum { LEVELS_LEAST = 4 /* enough to see whether the gap of the slopes falls */ };

/*
 * How much of the gap is not curvature: that halves with the step, but for a part in the cube of it. A kink of height J at a
 * distance a of less than this step h moves the difference by J/2 (1 − a/h), and leaves J (1/2 − 3a/4h) of the gap over; near
 * the zero of that, a = 2h/3, the step before has J/4 left, a quarter of which is allowed for. So four times this (check.c)
 * covers the kink, and where f is smooth it falls with the cube.
 */
static double left_over(const lossi_ridders *t, int32_t row, double noise)
{
    double most = 0;
    for (int32_t k = row; k > 0 && k > row - 2; k--) {
        const double over = fabs(t->gap[k] - t->gap[k - 1] / 2);
        most = fmax(most, k == row ? over : over / 4);
    }
    return fmax(most - 4 * noise, 0);
}

/* Adds the differences of a step; best and error follow when something better comes out. */
static void extrapolate(lossi_ridders *t, double difference, double noise)
{
    lossi_slope *slope = &t->slope;
    const int32_t row = t->rows++;
    const double over = left_over(t, row, noise), least = over + noise;
    double factor = 1;
    t->entry[row][0] = difference;
    if (row == 0) {
        slope->central = difference;
        slope->error = INFINITY;
    }
    slope->error = fmax(slope->error, over); /* a kink that only finer steps tell from curvature */
    for (int32_t j = 1; j <= row; j++) {
        const double left = t->entry[row][j - 1], above = t->entry[row - 1][j - 1];
        factor *= t->one_sided ? 2 : 4; /* the powers of the step that the error is made of */
        t->entry[row][j] = left + (left - above) / (factor - 1);
        /* What a finer step finds instead, noise aside: as at a jump of the curvature, entries may agree by chance. */
        const double news = j > 1 ? 0 : fabs(t->entry[row][1] - slope->central) - 4 * noise;
        slope->error = fmax(slope->error, news);
        const double error = fmax(fabs(t->entry[row][j] - left), fabs(t->entry[row][j] - above)) + least;
        if (error < slope->error) {
            slope->error = error;
            slope->central = t->entry[row][j];
        }
    }
}

/* Whether the gap between the slopes is more than noise and no longer falls: where f is smooth it halves every time. */
static int32_t stays_apart(const lossi_ridders *t, double noise)
{
    const double last = t->rows < 3 ? 0 : fabs(t->gap[t->rows - 1]);
    return last > 8 * noise && last > 0.75 * fabs(t->gap[t->rows - 2]) &&
           last > 0.75 * fabs(t->gap[t->rows - 3]);
}

/*
 * Whether the last differences changed from step to step by more than noise and rounding (64 units, as for slope.rounding), and by as
 * much as those before them: with the step, or its square, they fall by a half or a quarter.
 */
static int32_t still_changes(const lossi_ridders *t, double noise)
{
    enum {
        LAST = 3
    }; /* that all of them fall by chance, where they are as good as random, is one case in 50 */
    for (int32_t k = t->rows - 1; k > 1 && k >= t->rows - LAST; k--) {
        const double change = fabs(t->entry[k][0] - t->entry[k - 1][0]);
        const double times = ldexp(1, k + 1 - t->rows); /* noise counts less where the step was longer */
        const double rounding = t->tableaux > 0 ? 0 : 32 * t->unit * fabs(t->value) / t->step;
        if (change > fmax(8 * noise, rounding) * times &&
            change > 0.75 * fabs(t->entry[k - 1][0] - t->entry[k - 2][0])) {
            return 1;
        }
    }
    return t->rows < 3;
}

/* Whether the values jump at the point: what differences say of that grows as their step falls. */
static int32_t doubles(const lossi_ridders *t)
{
    int32_t count = 0;
    for (int32_t k = t->rows - 1; k > 0; k--) {
        const double before = t->entry[k - 1][0], ratio = t->entry[k][0] / before;
        if (!(before != 0 && ratio > 1.9 && ratio < 2.1)) {
            break;
        }
        count++;
    }
    return count >= LEVELS_LEAST;
}

/* What the first tableau said stays, a kink above all; but a derivative has no error bar. */
static void give_up(lossi_ridders *t)
{
    const int32_t jump = t->rows > LEVELS_LEAST ? doubles(t) : t->widest.jump;
    t->slope = t->widest;
    t->slope.jump = jump;
    t->slope.error = t->slope.kink ? t->slope.error : INFINITY;
}

/* At the end of a tableau: whether another one begins. */
static int32_t conclude(lossi_ridders *t, double noise)
{
    const double wide =
        0.1; /* as in check.c: a wider bar decides nothing, and shorter steps were to tell more than wide ones */
    lossi_slope *slope = &t->slope;
    slope->unsettled = still_changes(t, noise) ||
                       (t->tableaux > 0 && !(slope->error <= wide * fabs(slope->central)));
    if (!slope->unsettled) {
        slope->shorter = t->tableaux > 0;
        return 0;
    }
    if (t->tableaux == 0) {
        t->widest = *slope;
        t->widest.jump = doubles(t);
    }
    if (++t->tableaux < LOSSI_RIDDERS_TABLEAUX) {
        t->rows = 0;
        return 1;
    }
    give_up(t);
    return 0;
}

void lossi_ridders_begin(lossi_ridders *t, double value, double sigma, double step, double unit)
{
    t->rows = 0;
    t->levels = 0;
    t->tableaux = 0;
    t->one_sided = 0;
    t->value = value;
    t->sigma = sigma;
    t->step = step;
    t->unit = unit;
    t->slope = (lossi_slope){NAN, INFINITY, NAN, NAN, 0, 64 * unit * fabs(value) / step, 0, 0, 0, 0};
}

int32_t lossi_ridders_tell(lossi_ridders *t, const double distance[2], const double value[2])
{
    const double noise = (t->one_sided ? 4 : 2) * t->sigma / t->step;
    const int32_t side = t->one_sided ? 0 : 1; /* where the value ahead is */
    t->step /= 2;
    t->levels++;
    if (!isfinite(value[0]) || !isfinite(value[side]) || distance[0] == 0 || distance[side] == 0) {
        if (t->tableaux > 0) { /* as near as x can tell points apart */
            give_up(t);
            return 0;
        }
        t->rows = 0; /* too far: begin again, nearer */
        return t->levels < LOSSI_RIDDERS_LEVELS;
    }
    if (t->one_sided) {
        t->gap[t->rows] = 0;
        t->slope.widest = t->rows > 0 ? t->slope.widest : fabs((value[0] - t->value) / distance[0]);
        extrapolate(t, (value[0] - t->value) / distance[0], noise);
    } else {
        t->slope.left = (t->value - value[0]) / -distance[0];
        t->slope.right = (value[1] - t->value) / distance[1];
        t->gap[t->rows] = t->slope.right - t->slope.left;
        t->slope.widest = t->rows > 0 ? t->slope.widest : fmax(fabs(t->slope.left), fabs(t->slope.right));
        extrapolate(t, (value[1] - value[0]) / (distance[1] - distance[0]), noise);
        t->slope.kink = stays_apart(t, noise);
    }
    if (t->rows >= LEVELS_LEAST && t->slope.error < 3 * noise) {
        t->slope.unsettled = 0;
        t->slope.shorter = t->tableaux > 0;
        return 0; /* from here on smaller steps only magnify the noise */
    }
    const int32_t last = t->rows == LOSSI_RIDDERS_LEVELS || t->levels == LOSSI_RIDDERS_LEVELS;
    return last ? conclude(t, noise) : 1;
}
