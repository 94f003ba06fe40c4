/*
 * The steps of step_kernels.h, once per instruction set and element type: each a function of one vector of
 * elements, which sweep() runs over a stretch.
 */
#include "optimizer/step_kernels.h"

#include "core/sum.h"
#include "simd/real.h"

/* One vector of elements on its way: where it stands, how many of its lanes there are, and whether there are penalties. */
typedef struct place {
    const lossi_step *step;
    int64_t i;
    int n, proximal;
} place;

/* Gives 0 in every lane, NaN where a derivative is not finite, or its square: a step by its root would be 0 for good. */
typedef vreal (*element_step)(place at);

/* ---- what all have in common ---- */

LOSSI_INLINE vreal get(place at, const void *vector)
{
    const real *p = (const real *)vector + at.i;
    return at.n >= VREAL_LANES ? v_load(p) : v_load_part(p, at.n);
}

LOSSI_INLINE void put(place at, void *vector, vreal v)
{
    real *p = (real *)vector + at.i;
    if (at.n >= VREAL_LANES) {
        v_store(p, v);
    } else {
        v_store_part(p, v, at.n);
    }
}

LOSSI_INLINE vreal scalar(place at, int k)
{
    return v_set1((real)at.step->scalar[k]);
}

LOSSI_INLINE vreal own(place at, int k)
{
    return get(at, at.step->state[k]);
}

LOSSI_INLINE vreal clipped(place at, vreal raw)
{
    const vreal clip = v_set1((real)at.step->clip);
    return v_set1((real)at.step->scale) * v_min(clip, v_max(-clip, raw));
}

/* The gradient a method works with. raw is the one told: raw − raw is 0, or NaN when it is not finite. */
LOSSI_INLINE vreal decayed(place at, vreal raw, vreal x)
{
    return clipped(at, raw) + v_set1((real)at.step->l2) * x;
}

/* What the proximal map of a·c·|x| and bounds makes of z. NaN stays: it is the second operand. */
LOSSI_INLINE vreal shrunk(place at, vreal z, vreal a)
{
    if (at.step->weights != NULL) {
        z = v_copysign(v_max(v_set1(0), v_abs(z) - a * get(at, at.step->weights)), z);
    }
    if (at.step->lower != NULL) {
        z = v_min(get(at, at.step->upper), v_max(get(at, at.step->lower), z));
    }
    return z;
}

/* a is what a constant gradient would be multiplied by. Gives what penalties took off x. */
LOSSI_INLINE vreal move(place at, vreal x, vreal u, vreal a)
{
    const vreal z = v_set1((real)at.step->keep) * x - u;
    if (!at.proximal) {
        put(at, at.step->x, z);
        return v_set1(0);
    }
    const vreal left = shrunk(at, z, a);
    put(at, at.step->x, left);
    return z - left;
}

/* f and proximal are constants, so the compiler makes a loop of its own for every step. The copy of the step is the loop's
 * alone: nothing that is stored can change it, so its numbers stay in registers. */
LOSSI_INLINE int32_t sweep_so(element_step f, const lossi_step *step, int64_t begin, int64_t end,
                              int proximal)
{
    const lossi_step mine = *step;
    vreal bad = v_set1(0);
    int64_t i = begin;
    for (; i + VREAL_LANES <= end; i += VREAL_LANES) {
        bad = bad + f((place){&mine, i, VREAL_LANES, proximal});
    }
    if (i < end) {
        bad = bad + f((place){&mine, i, (int)(end - i), proximal});
    }
    return v_mask_any(v_is_nan(bad)) != 0;
}

LOSSI_INLINE int32_t sweep(element_step f, const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_so(f, step, begin, end, 0);
}

/* Of the steps that penalties can be part of. */
LOSSI_INLINE int32_t sweep_proximal(element_step f, const lossi_step *step, int64_t begin, int64_t end)
{
    return step->weights == NULL && step->lower == NULL ? sweep_so(f, step, begin, end, 0)
                                                        : sweep_so(f, step, begin, end, 1);
}

/* ---- the steps ---- */

LOSSI_INLINE vreal plain_step(place at)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x);
    move(at, x, scalar(at, 0) * decayed(at, raw, x), scalar(at, 0));
    return raw - raw;
}

LOSSI_INLINE vreal momentum_step(place at)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = scalar(at, 0) * own(at, 0) + scalar(at, 1) * g;
    vreal taken = move(at, x, scalar(at, 2) * g + scalar(at, 3) * p, scalar(at, 4));
    put(at, at.step->state[0], at.proximal ? p + scalar(at, 5) * taken : p);
    return raw - raw;
}

LOSSI_INLINE vreal adagrad_step(place at)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = own(at, 0) + g * g;
    put(at, at.step->state[0], p);
    vreal under = v_sqrt(p) + scalar(at, 1);
    move(at, x, scalar(at, 0) * g / under, scalar(at, 0) / under);
    return (raw - raw) + (p - p);
}

LOSSI_INLINE vreal adadelta_step(place at)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = scalar(at, 0) * own(at, 0) + scalar(at, 1) * (g * g), q = own(at, 1);
    vreal unit = v_sqrt(q + scalar(at, 2)) / v_sqrt(p + scalar(at, 2)), d = unit * g;
    put(at, at.step->state[0], p);
    put(at, at.step->state[1], scalar(at, 0) * q + scalar(at, 1) * (d * d));
    move(at, x, scalar(at, 3) * d, scalar(at, 3) * unit);
    return (raw - raw) + (p - p);
}

/* p, the mean of squares; then the mean if centered, then the velocity if any. The variance of rounded means may be
 * below zero by a rounding: it is 0 then. */
LOSSI_INLINE vreal rmsprop_step(place at, int centered, int momentum)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = scalar(at, 0) * own(at, 0) + scalar(at, 1) * (g * g), square = p;
    put(at, at.step->state[0], p);
    if (centered) {
        vreal mean = scalar(at, 0) * own(at, 1) + scalar(at, 1) * g;
        put(at, at.step->state[1], mean);
        square = v_max(v_set1(0), p - mean * mean);
    }
    vreal under = v_sqrt(square + scalar(at, 5)) + scalar(at, 2), u = g / under;
    void *velocity = at.step->state[1 + centered];
    if (momentum) {
        u = scalar(at, 4) * get(at, velocity) + u;
    }
    vreal taken = move(at, x, scalar(at, 3) * u, scalar(at, 3) / under);
    if (momentum) {
        put(at, velocity, at.proximal ? u + scalar(at, 6) * taken : u);
    }
    return (raw - raw) + (p - p);
}

LOSSI_INLINE vreal rmsprop_plain_step(place at)
{
    return rmsprop_step(at, 0, 0);
}

LOSSI_INLINE vreal rmsprop_momentum_step(place at)
{
    return rmsprop_step(at, 0, 1);
}

LOSSI_INLINE vreal rmsprop_centered_step(place at)
{
    return rmsprop_step(at, 1, 0);
}

LOSSI_INLINE vreal rmsprop_centered_momentum_step(place at)
{
    return rmsprop_step(at, 1, 1);
}

LOSSI_INLINE vreal adaptive_step(place at, int maximum)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = scalar(at, 0) * own(at, 0) + scalar(at, 1) * g;
    vreal q = scalar(at, 2) * own(at, 1) + scalar(at, 3) * (g * g), under = q;
    put(at, at.step->state[0], p);
    put(at, at.step->state[1], q);
    if (maximum) {
        under = v_max(own(at, 2), q);
        put(at, at.step->state[2], under);
    }
    under = scalar(at, 6) * v_sqrt(under) + scalar(at, 7);
    move(at, x, (scalar(at, 4) * g + scalar(at, 5) * p) / under, v_set1((real)at.step->rate) / under);
    return (raw - raw) + (q - q);
}

LOSSI_INLINE vreal adam_step(place at)
{
    return adaptive_step(at, 0);
}

LOSSI_INLINE vreal amsgrad_step(place at)
{
    return adaptive_step(at, 1);
}

LOSSI_INLINE vreal lion_step(place at)
{
    vreal raw = get(at, at.step->gradient), x = get(at, at.step->x), g = decayed(at, raw, x);
    vreal p = own(at, 0), way = scalar(at, 1) * p + scalar(at, 2) * g;
    put(at, at.step->state[0], scalar(at, 3) * p + scalar(at, 4) * g);
    move(at, x, v_select(v_eq(way, v_set1(0)), v_set1(0), v_copysign(scalar(at, 0), way)), v_set1(0));
    return raw - raw;
}

LOSSI_INLINE vreal scaled_root_step(place at)
{
    vreal raw = get(at, at.step->gradient), g = clipped(at, raw);
    vreal p = scalar(at, 0) * own(at, 0) + scalar(at, 1) * (g * g);
    put(at, at.step->state[0], p);
    put(at, at.step->state[1], g / v_max(v_sqrt(p), scalar(at, 2)));
    return (raw - raw) + (p - p);
}

LOSSI_INLINE vreal interpolate_step(place at)
{
    vreal raw = get(at, at.step->gradient), g = clipped(at, raw), old = own(at, 0);
    vreal p = old + scalar(at, 0) * (g - old);
    put(at, at.step->state[0], p);
    put(at, at.step->state[1], g + scalar(at, 1) * (p - g));
    return raw - raw;
}

LOSSI_INLINE vreal average_step(place at)
{
    vreal x = get(at, at.step->x), p = own(at, 0);
    put(at, at.step->state[0], p + scalar(at, 0) * (x - p));
    return x - x;
}

LOSSI_INLINE vreal yield_step(place at)
{
    vreal x = get(at, at.step->x), before = get(at, at.step->gradient);
    put(at, at.step->state[0], own(at, 0) + scalar(at, 0) * (before - x));
    return x - x;
}

LOSSI_INLINE vreal copy_step(place at)
{
    vreal raw = get(at, at.step->gradient);
    put(at, at.step->state[0], raw);
    return raw - raw;
}

LOSSI_INLINE vreal correct_step(place at)
{
    vreal raw = get(at, at.step->gradient);
    put(at, at.step->state[0], raw - own(at, 0) + own(at, 1));
    return raw - raw;
}

LOSSI_INLINE vreal exchange_step(place at)
{
    vreal raw = get(at, at.step->gradient), d = raw - own(at, 0), q = own(at, 1);
    put(at, at.step->state[0], raw);
    put(at, at.step->state[2], scalar(at, 0) * d + q);
    put(at, at.step->state[1], q + scalar(at, 1) * d);
    return raw - raw;
}

/* ---- matrices ---- */

static real clipped_number(const lossi_step *step, real raw)
{
    const real clip = (real)step->clip;
    return (real)step->scale * (raw > clip ? clip : raw < -clip ? -clip : raw);
}

/* Sums of squares are in double, over the lanes of core/sum.h. */
static int32_t row_squares(const lossi_step *step, int64_t begin, int64_t end)
{
    real *means = step->state[0], bad = 0;
    for (int64_t i = begin; i < end; i++) {
        const real *g = (const real *)step->gradient + i * step->columns;
        double lanes[LOSSI_LANES] = {0.0};
        for (int64_t j = 0; j < step->columns; j++) {
            const double square = clipped_number(step, g[j]);
            lanes[j % LOSSI_LANES] += square * square;
            bad += g[j] - g[j];
        }
        const double mean = lossi_sum_lanes(lanes) / (double)step->columns;
        means[i] = (real)(step->scalar[0] * (double)means[i] + step->scalar[1] * mean);
    }
    return bad != bad;
}

/* A stretch of columns at a time, so that rows are read as they lie in memory. */
static int32_t column_squares(const lossi_step *step, int64_t begin, int64_t end)
{
    enum { STRETCH = 256 };
    real *means = (real *)step->state[0] + step->rows;
    double sums[STRETCH];
    for (int64_t first = begin; first < end; first += STRETCH) {
        const int64_t count = end - first < STRETCH ? end - first : STRETCH;
        for (int64_t j = 0; j < count; j++) {
            sums[j] = 0.0;
        }
        for (int64_t i = 0; i < step->rows; i++) {
            const real *g = (const real *)step->gradient + i * step->columns + first;
            for (int64_t j = 0; j < count; j++) {
                const double square = clipped_number(step, g[j]);
                sums[j] += square * square;
            }
        }
        for (int64_t j = 0; j < count; j++) {
            const double mean = sums[j] / (double)step->rows;
            means[first + j] = (real)(step->scalar[0] * (double)means[first + j] + step->scalar[1] * mean);
        }
    }
    return 0;
}

static int32_t factored(const lossi_step *step, int64_t begin, int64_t end)
{
    const real *rows = step->state[0];
    const double epsilon = step->scalar[2], mean = step->scalar[3] > epsilon ? step->scalar[3] : epsilon;
    const vreal least = v_set1((real)(epsilon * epsilon));
    for (int64_t i = begin; i < end; i++) {
        const real *g = (const real *)step->gradient + i * step->columns;
        real *q = (real *)step->state[1] + i * step->columns;
        const vreal row = v_set1((real)((double)rows[i] / mean));
        for (int64_t j = 0; j < step->columns; j += VREAL_LANES) {
            const int64_t left = step->columns - j;
            const place at = {step, j, left < VREAL_LANES ? (int)left : VREAL_LANES, 0};
            const vreal square = v_max(least, row * get(at, rows + step->rows));
            put(at, q, clipped(at, get(at, g)) / v_sqrt(square));
        }
    }
    return 0;
}

/* ---- as functions ---- */

static int32_t plain(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(plain_step, step, begin, end);
}

static int32_t momentum(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(momentum_step, step, begin, end);
}

static int32_t adagrad(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(adagrad_step, step, begin, end);
}

static int32_t adadelta(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(adadelta_step, step, begin, end);
}

static int32_t rmsprop_plain(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(rmsprop_plain_step, step, begin, end);
}

static int32_t rmsprop_momentum(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(rmsprop_momentum_step, step, begin, end);
}

static int32_t rmsprop_centered(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(rmsprop_centered_step, step, begin, end);
}

static int32_t rmsprop_centered_momentum(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(rmsprop_centered_momentum_step, step, begin, end);
}

static int32_t adam(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(adam_step, step, begin, end);
}

static int32_t amsgrad(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep_proximal(amsgrad_step, step, begin, end);
}

static int32_t lion(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(lion_step, step, begin, end);
}

static int32_t scaled_root(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(scaled_root_step, step, begin, end);
}

static int32_t interpolate(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(interpolate_step, step, begin, end);
}

static int32_t average(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(average_step, step, begin, end);
}

static int32_t yield(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(yield_step, step, begin, end);
}

static int32_t copy(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(copy_step, step, begin, end);
}

static int32_t correct(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(correct_step, step, begin, end);
}

static int32_t exchange(const lossi_step *step, int64_t begin, int64_t end)
{
    return sweep(exchange_step, step, begin, end);
}

extern const lossi_step_kernels LOSSI_NAME(step_kernels);
const lossi_step_kernels LOSSI_NAME(step_kernels) = {
    .plain = plain,
    .momentum = momentum,
    .adagrad = adagrad,
    .adadelta = adadelta,
    .rmsprop = {{rmsprop_plain, rmsprop_momentum}, {rmsprop_centered, rmsprop_centered_momentum}},
    .adam = adam,
    .amsgrad = amsgrad,
    .lion = lion,
    .scaled_root = scaled_root,
    .interpolate = interpolate,
    .average = average,
    .yield = yield,
    .copy = copy,
    .correct = correct,
    .exchange = exchange,
    .row_squares = row_squares,
    .column_squares = column_squares,
    .factored = factored,
};
