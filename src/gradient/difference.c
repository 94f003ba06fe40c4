/*
 * Derivatives from values, for the checks: Ridders' extrapolation with error bars from the noise that the values show. It is
 * estimated from higher differences of values close together, as in Moré & Wild, Estimating computational noise, SIAM J. Sci.
 * Comput. 33 (2011), §3.
 */
#include "gradient/difference.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "gradient/check.h"
#include "loss/random.h"

loss_status lossi_check_value(loss_objective *objective, const void *x, double *value)
{
    loss_status status = loss_objective_evaluate(objective, x, value, NULL);
    if (status == LOSS_ERROR_NONFINITE || status == LOSS_ERROR_DOMAIN) {
        *value = NAN;
        status = LOSS_OK;
    }
    return status;
}

/* ---- noise ---- */

enum { NOISE_FIRST = 3, NOISE_LAST = 5 };

/*
 * The differences of order k of noise with standard deviation σ have the variance σ²·(2k)!/(k!)². Orders 3 to 5 no longer
 * see a smooth function at such steps; of the three estimates the smallest is the one with the least of it left.
 */
double lossi_noise_of(double values[LOSSI_NOISE_POINTS])
{
    double least = INFINITY, variance = 1;
    for (int32_t k = 1; k <= NOISE_LAST; k++) {
        double sum = 0;
        variance *= (2.0 * k) * (2.0 * k - 1) / ((double)k * k); /* (2k)! / (k!)² */
        for (int32_t i = 0; i < LOSSI_NOISE_POINTS - k; i++) {
            values[i] = values[i + 1] - values[i];
            sum += values[i] * values[i];
        }
        const double sigma = sqrt(sum / (LOSSI_NOISE_POINTS - k) / variance);
        if (k >= NOISE_FIRST && sigma < least) {
            least = sigma;
        }
    }
    return least;
}

/* Moves x to x0 + t · (±1) · max(|x0|, 1), the signs being those of the seed, but inwards where `most` for t leaves a bound. */
static void move(lossi_differences *d, const double *signs, int64_t count, double t, double most,
                 const char *origin)
{
    const loss_dtype dtype = d->objective->dtype;
    for (int64_t i = 0; i < d->objective->dimension; i++) {
        const double x = lossi_real_get(dtype, origin, i), sign = signs[i % count] < 0.5 ? -1 : 1;
        const double way = sign * fmax(fabs(x), 1), end = x + most * way;
        double lower, upper;
        lossi_check_bounds(d->objective, i, &lower, &upper);
        lossi_real_put(dtype, d->x, i, x + (end < lower || end > upper ? -t : t) * way);
    }
}

static loss_status measure_noise(lossi_differences *d, uint64_t seed, char *origin)
{
    enum { SIGNS = 61 }; /* a prime: repeated, but not in step with rows of parameters */
    const loss_objective *o = d->objective;
    /* Steps of some units in the last place of x, and smaller the more coordinates move together. */
    const double unit = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    const double step = fmax(sqrt(unit) / sqrt((double)o->dimension), 16 * unit);
    double signs[SIGNS], values[LOSSI_NOISE_POINTS], again, seen = NAN;
    loss_status status = loss_random_uniform(seed, 1, 0, SIGNS, signs);
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, origin, i, lossi_real_get(o->dtype, d->x, i));
    }
    if (status == LOSS_OK) { /* the same point twice: a function that is not one shows here */
        status = lossi_check_value(d->objective, d->x, &again);
    }
    for (int32_t side = 1; side >= -1 && !isfinite(seen) && status == LOSS_OK; side -= 2) {
        for (int32_t k = 0; k < LOSSI_NOISE_POINTS && status == LOSS_OK; k++) {
            move(d, signs, SIGNS, side * (k + 1) * step, side * LOSSI_NOISE_POINTS * step, origin);
            status = lossi_check_value(d->objective, d->x, &values[k]);
        }
        seen = status == LOSS_OK ? lossi_noise_of(values) : NAN; /* not finite where there are no values */
    }
    for (int64_t i = 0; i < o->dimension; i++) {
        lossi_real_put(o->dtype, d->x, i, lossi_real_get(o->dtype, origin, i));
    }
    if (status == LOSS_OK) {
        d->noise = fmax(DBL_EPSILON * fabs(d->value), fabs(again - d->value));
        d->noise = fmax(d->noise, isfinite(seen) ? seen : unit * fabs(d->value));
        d->steep = seen > sqrt(unit) * fabs(d->value) && again == d->value ? seen / step : INFINITY;
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

/* Values behind and ahead of x along coordinate i, or of one side alone, and where they really are once x is rounded. */
static loss_status sample(lossi_differences *d, int64_t i, double x, const lossi_ridders *ridders,
                          double distance[2], double value[2])
{
    const loss_dtype dtype = d->objective->dtype;
    const int32_t count = ridders->one_sided ? 1 : 2;
    loss_status status = LOSS_OK;
    for (int32_t k = 0; k < count && status == LOSS_OK; k++) {
        const int32_t ahead = k == 1 || ridders->one_sided > 0;
        lossi_real_put(dtype, d->x, i, ahead ? x + ridders->step : x - ridders->step);
        distance[k] = lossi_real_get(dtype, d->x, i) - x;
        status = lossi_check_value(d->objective, d->x, &value[k]);
    }
    lossi_real_put(dtype, d->x, i, x);
    return status;
}

loss_status lossi_differences_slope(lossi_differences *d, int64_t i, lossi_slope *slope)
{
    const loss_objective *o = d->objective;
    const double x = lossi_real_get(o->dtype, d->x, i);
    const double unit = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    /* A power of two: x ± step is then exact unless a binade ends in between. */
    const double step = d->first_step * exp2(floor(log2(fmax(fabs(x), 1))));
    double distance[2], value[2];
    int32_t side = 0, again;
    lossi_ridders ridders;
    loss_status status;
    do {
        lossi_ridders_begin(&ridders, d->value, d->noise, step, unit);
        ridders.one_sided = side;
        do {
            status = sample(d, i, x, &ridders, distance, value);
        } while (status == LOSS_OK && lossi_ridders_tell(&ridders, distance, value));
        /* On the edge of where the function is, the inner side says it. */
        again = status == LOSS_OK && side == 0 && !isfinite(ridders.slope.error) &&
                isfinite(value[0]) != isfinite(value[1]);
        side = again && isfinite(value[0]) ? -1 : 1;
    } while (again);
    *slope = ridders.slope;
    return status;
}
