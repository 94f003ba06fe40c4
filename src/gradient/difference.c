/*
 * Derivatives from values.
 *
 * Central differences D(h) = (f(x + h) − f(x − h)) / 2h at steps h, h/2, h/4, … have an error in even powers of h, which
 * Richardson's tableau removes column by column; the entry that agrees best with its neighbours is taken, and their
 * disagreement plus the noise of the values over h is its error bar: Ridders, Accurate computation of F'(x) and F'(x)F''(x),
 * Adv. Eng. Software 4 (1982), 75–76. The noise is estimated from higher differences of values close together, as in
 * Moré & Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011), §3.
 *
 * The slopes on the two sides come from the same values: their gap falls like h where f is smooth, and stays at a kink. At a
 * kink nearby it does neither: what is left over is in the error bar, since extrapolated entries may agree by chance there.
 */
#include "gradient/difference.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "loss/random.h"

enum {
    LEVELS = 12,     /* steps, each half of the one before */
    LEVELS_LEAST = 4 /* enough to see whether the gap of the slopes falls */
};

/* The value at the changed x; NaN where there is none, which is no failure here. */
static loss_status value_at(lossi_differences *d, double *value)
{
    loss_status status = loss_objective_evaluate(d->objective, d->x, value, NULL);
    if (status == LOSS_ERROR_NONFINITE || status == LOSS_ERROR_DOMAIN) {
        *value = NAN;
        status = LOSS_OK;
    }
    return status;
}

/* ---- noise ---- */

enum { NOISE_POINTS = 8, NOISE_FIRST = 3, NOISE_LAST = 5 };

/*
 * The differences of order k of noise with standard deviation σ have the variance σ²·(2k)!/(k!)². Orders 3 to 5 no longer
 * see a smooth function at such steps; of the three estimates the smallest is the one with the least of it left.
 */
static double noise_of(double values[NOISE_POINTS])
{
    double least = INFINITY, variance = 1;
    for (int32_t k = 1; k <= NOISE_LAST; k++) {
        double sum = 0;
        variance *= (2.0 * k) * (2.0 * k - 1) / ((double)k * k); /* (2k)! / (k!)² */
        for (int32_t i = 0; i < NOISE_POINTS - k; i++) {
            values[i] = values[i + 1] - values[i];
            sum += values[i] * values[i];
        }
        const double sigma = sqrt(sum / (NOISE_POINTS - k) / variance);
        if (k >= NOISE_FIRST && sigma < least) {
            least = sigma;
        }
    }
    return least;
}

/* Moves x to x0 + t · (±1) · max(|x0|, 1), the signs being those of the seed. */
static void move(lossi_differences *d, const double *signs, int64_t count, double t, const char *origin)
{
    const loss_dtype dtype = d->objective->dtype;
    for (int64_t i = 0; i < d->objective->dimension; i++) {
        const double x = lossi_real_get(dtype, origin, i), sign = signs[i % count] < 0.5 ? -1 : 1;
        lossi_real_put(dtype, d->x, i, x + t * sign * fmax(fabs(x), 1));
    }
}

static loss_status measure_noise(lossi_differences *d, uint64_t seed, char *origin)
{
    enum { SIGNS = 61 }; /* a prime: repeated, but not in step with rows of parameters */
    const loss_objective *o = d->objective;
    /* Steps of some units in the last place of x, and smaller the more coordinates move together. */
    const double unit = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    const double step = fmax(sqrt(unit) / sqrt((double)o->dimension), 16 * unit);
    double signs[SIGNS], values[NOISE_POINTS], again;
    loss_status status = loss_random_uniform(seed, 1, 0, SIGNS, signs);
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, origin, i, lossi_real_get(o->dtype, d->x, i));
    }
    if (status == LOSS_OK) { /* the same point twice: a function that is not one shows here */
        status = value_at(d, &again);
    }
    for (int32_t k = 0; k < NOISE_POINTS && status == LOSS_OK; k++) {
        move(d, signs, SIGNS, (k + 1) * step, origin);
        status = value_at(d, &values[k]);
    }
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, d->x, i, lossi_real_get(o->dtype, origin, i));
    }
    if (status == LOSS_OK) {
        const double seen = noise_of(values);
        d->noise = fmax(DBL_EPSILON * fabs(d->value), fabs(again - d->value));
        d->noise = isfinite(seen) ? fmax(d->noise, seen) : d->noise;
    }
    return status;
}

loss_status lossi_differences_begin(lossi_differences *d, uint64_t seed)
{
    loss_objective *o = d->objective;
    /* Ridders starts wide. float32 starts wider: its values move by 1e-7, which a small step magnifies. */
    d->first_step = o->dtype == LOSS_FLOAT32 ? 0x1p-4 : 0x1p-6;
    char *origin = lossi_allocate(o->context, o->dimension * o->real_size);
    if (origin == NULL) {
        return lossi_fail_memory(o->context, "a derivative check");
    }
    loss_status status = measure_noise(d, seed, origin);
    lossi_release(o->context, origin);
    return status;
}

/* ---- slopes ---- */

typedef struct tableau {
    double entry[LEVELS][LEVELS]; /* row: step, column: how often extrapolated */
    double gap[LEVELS];           /* of the right slope over the left one */
    int32_t rows;
} tableau;

/*
 * How much of the gap is not curvature: that halves with the step, but for a part in the cube of it. A kink of height J at a
 * distance a of less than this step h moves the difference by J/2 (1 − a/h), and leaves J (1/2 − 3a/4h) of the gap over; near
 * the zero of that, a = 2h/3, the step before has J/4 left, a quarter of which is allowed for. So four times this (check.c)
 * covers the kink, and where f is smooth it falls with the cube.
 */
static double left_over(const tableau *t, int32_t row, double noise)
{
    double most = 0;
    for (int32_t k = row; k > 0 && k > row - 2; k--) {
        const double over = fabs(t->gap[k] - t->gap[k - 1] / 2);
        most = fmax(most, k == row ? over : over / 4);
    }
    return fmax(most - 4 * noise, 0);
}

/* Adds the differences of a step; best and error follow when something better comes out. */
static void extrapolate(tableau *t, double difference, double noise, lossi_slope *slope)
{
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
        factor *= 4; /* the error falls with the square of the step */
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

/* Values at x ± step along coordinate i, and how far away they really are once x is rounded to its type. */
static loss_status sample(lossi_differences *d, int64_t i, double x, double step, double distance[2],
                          double value[2])
{
    const loss_dtype dtype = d->objective->dtype;
    loss_status status = LOSS_OK;
    for (int32_t side = 0; side < 2 && status == LOSS_OK; side++) {
        lossi_real_put(dtype, d->x, i, side == 0 ? x - step : x + step);
        distance[side] = fabs(lossi_real_get(dtype, d->x, i) - x);
        status = value_at(d, &value[side]);
    }
    lossi_real_put(dtype, d->x, i, x);
    return status;
}

/* Whether the gap between the slopes is more than noise and no longer falls: where f is smooth it halves every time. */
static int32_t stays_apart(const tableau *t, double noise)
{
    const double last = t->rows < 3 ? 0 : fabs(t->gap[t->rows - 1]);
    return last > 8 * noise && last > 0.75 * fabs(t->gap[t->rows - 2]) &&
           last > 0.75 * fabs(t->gap[t->rows - 3]);
}

loss_status lossi_differences_slope(lossi_differences *d, int64_t i, lossi_slope *slope)
{
    const loss_objective *o = d->objective;
    const double x = lossi_real_get(o->dtype, d->x, i);
    /* A power of two: x ± step is then exact unless a binade ends in between. */
    double step = d->first_step * exp2(floor(log2(fmax(fabs(x), 1))));
    const double unit = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    tableau t = {.rows = 0};

    *slope = (lossi_slope){NAN, INFINITY, NAN, NAN, 64 * unit * fabs(d->value) / step, 0};
    for (int32_t level = 0; level < LEVELS; level++, step /= 2) {
        double distance[2], value[2];
        loss_status status = sample(d, i, x, step, distance, value);
        if (status != LOSS_OK) {
            return status;
        }
        if (!isfinite(value[0]) || !isfinite(value[1])) {
            t.rows = 0; /* too far: begin again, nearer */
            continue;
        }
        const double noise = 2 * d->noise / step;
        slope->left = (d->value - value[0]) / distance[0];
        slope->right = (value[1] - d->value) / distance[1];
        t.gap[t.rows] = slope->right - slope->left;
        extrapolate(&t, (value[1] - value[0]) / (distance[0] + distance[1]), noise, slope);
        slope->kink = stays_apart(&t, noise);
        if (t.rows >= LEVELS_LEAST && slope->error < 3 * noise) {
            break; /* from here on smaller steps only magnify the noise */
        }
    }
    return LOSS_OK;
}
