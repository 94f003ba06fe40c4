/*
 * The penalties that keep parameters in a set: 0 inside it and ∞ outside, so that their proximal map is the projection.
 *
 *     box       lower ≤ x_j ≤ upper
 *     simplex   x_j ≥ 0 and Σ x_j = total
 */
#include <math.h>
#include <stddef.h>

#include "core/sum.h"
#include "gradient/objective.h"
#include "gradient/penalty_row.h"

static double number(const lossi_options *options, int32_t index)
{
    return lossi_options_own(options, index)->number;
}

static double element(lossi_stretch s, const void *x, int64_t i)
{
    return lossi_real_get(s.dtype, x, s.first + i);
}

/* ---- box ---- */

enum { LOWER, UPPER, LOWER_BOUNDS, UPPER_BOUNDS };

static const loss_option box_options[] = {
    [LOWER] = {"lower", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, -INFINITY, NULL, NULL,
               "the least that any of the parameters may be"},
    [UPPER] = {"upper", LOSS_OPTION_DOUBLE, -INFINITY, INFINITY, INFINITY, NULL, NULL,
               "the largest that any of the parameters may be"},
    [LOWER_BOUNDS] = {"lower_bounds", LOSS_OPTION_ARRAY, -INFINITY, INFINITY, 0, NULL, NULL,
                      "the least for each parameter, instead of lower"},
    [UPPER_BOUNDS] = {"upper_bounds", LOSS_OPTION_ARRAY, -INFINITY, INFINITY, 0, NULL, NULL,
                      "the largest for each parameter, instead of upper"},
};

static double bound(const lossi_options *options, int32_t all, int32_t each, int64_t index)
{
    const lossi_option_value *array = lossi_options_own(options, each);
    return array->count > 0 ? array->array[index] : number(options, all);
}

static void box_bounds(const lossi_options *options, int64_t index, double *lower, double *upper)
{
    *lower = bound(options, LOWER, LOWER_BOUNDS, index);
    *upper = bound(options, UPPER, UPPER_BOUNDS, index);
}

/* Bounds as the element type has them. */
static void typed_bounds(const lossi_options *options, lossi_stretch s, int64_t i, double *lower,
                         double *upper)
{
    box_bounds(options, s.first + i - s.origin, lower, upper);
    lossi_bounds_inside(s.dtype, lower, upper);
}

static double box_value(const lossi_options *options, lossi_stretch s, const void *x)
{
    double lower, upper;
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i);
        typed_bounds(options, s, i, &lower, &upper);
        if (!(x_i >= lower && x_i <= upper)) {
            return x_i != x_i ? x_i : INFINITY;
        }
    }
    return 0.0;
}

static void box_prox(const lossi_options *options, lossi_stretch s, double step, void *x)
{
    double lower, upper;
    (void)step;
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i);
        typed_bounds(options, s, i, &lower, &upper);
        if (x_i < lower || x_i > upper) {
            lossi_real_put(s.dtype, x, s.first + i, x_i < lower ? lower : upper);
        }
    }
}

static void box_way(const lossi_options *options, lossi_stretch s, double step, const void *x, void *way)
{
    double lower, upper;
    (void)step;
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i), way_i = element(s, way, i);
        typed_bounds(options, s, i, &lower, &upper);
        if (way_i < lower - x_i || way_i > upper - x_i) {
            lossi_real_put(s.dtype, way, s.first + i, way_i < lower - x_i ? lower - x_i : upper - x_i);
        }
    }
}

static loss_status box_check(const lossi_options *options, loss_context *context, const char *title,
                             lossi_stretch s)
{
    const int64_t length = s.length;
    for (int32_t each = LOWER_BOUNDS; each <= UPPER_BOUNDS; each++) {
        const int64_t count = lossi_options_own(options, each)->count;
        if (count > 0 && count != length) {
            return lossi_fail(context, LOSS_ERROR_SHAPE, "%s has %lld %s, but is about %lld parameters",
                              title, (long long)count, box_options[each].name, (long long)length);
        }
    }
    for (int64_t i = 0; i < length; i++) {
        double lower, upper;
        box_bounds(options, i, &lower, &upper);
        if (!(lower <= upper) || lower == INFINITY || upper == -INFINITY) {
            return lossi_fail_row(context, LOSS_ERROR_RANGE, i,
                                  "the bounds of parameter %lld in %s are crossed or not numbers: %g and %g",
                                  (long long)i, title, lower, upper);
        }
    }
    return LOSS_OK;
}

const lossi_penalty_row lossi_penalty_box = {
    .name = "box",
    .options = box_options,
    .option_count = sizeof box_options / sizeof *box_options,
    .rough = LOSSI_ROUGH_BOUNDS,
    .rough_value = box_value,
    .prox = box_prox,
    .way = box_way,
    .check = box_check,
    .bounds = box_bounds,
};

/* ---- simplex ---- */

enum { TOTAL };

static const loss_option simplex_options[] = {
    [TOTAL] = {"total", LOSS_OPTION_DOUBLE, 1e-300, 1e300, 1, NULL, NULL, "the sum of the parameters"},
};

/*
 * The sum is known but for rounding: that of the numbers to their element type, of the threshold that the projection takes from each, which
 * is no larger than the largest of them, and of the additions in lanes (Higham, Accuracy and Stability of Numerical Algorithms, §4.2), of
 * these numbers here and of their distances from the largest there.
 */
static double simplex_value(const lossi_options *options, lossi_stretch s, const void *x)
{
    const double total = number(options, TOTAL);
    const double additions = (double)(s.count / LOSSI_LANES) +
                             4.0; /* one after the other, then 16 lanes by pairs */
    const double unit = (s.dtype == LOSS_FLOAT64 ? 0x1p-52 : 0x1p-23) + 0x1p-53 * additions;
    double lanes[LOSSI_LANES] = {0}, largest = 0.0;
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i);
        if (!(x_i >= 0.0)) {
            return x_i != x_i ? x_i : INFINITY;
        }
        lanes[i % LOSSI_LANES] += x_i;
        largest = fmax(largest, x_i);
    }
    return fabs(lossi_sum_lanes(lanes) - total) <= unit * (total + (double)s.count * largest) ? 0.0
                                                                                              : INFINITY;
}

/*
 * x_j = max(x_j − τ, 0) with τ such that the sum is right: τ is raised to the mean excess over the parameters still above it
 * until none falls below, which needs no sorting and no memory. Michelot, J. Optim. Theory Appl. 50 (1986) 195–200.
 * All is measured from the largest number, which is no more than the total above τ: so the sum is as exact for numbers far
 * from the set as for those in it.
 */
static void simplex_prox(const lossi_options *options, lossi_stretch s, double step, void *x)
{
    const double total = number(options, TOTAL);
    double tau = -INFINITY, largest = -INFINITY;
    int64_t above = -1;
    (void)step;
    for (int64_t i = 0; i < s.count; i++) {
        largest = fmax(largest, element(s, x, i));
    }
    for (;;) {
        double lanes[LOSSI_LANES] = {0};
        int64_t count = 0;
        for (int64_t i = 0; i < s.count; i++) {
            const double x_i = element(s, x, i) - largest;
            if (!(x_i <= tau)) {
                lanes[count++ % LOSSI_LANES] += x_i;
            }
        }
        if (count == 0 || (above >= 0 && count >= above)) {
            break;
        }
        above = count;
        tau = (lossi_sum_lanes(lanes) - total) / (double)count;
    }
    for (int64_t i = 0; i < s.count; i++) {
        const double left = element(s, x, i) - largest - tau;
        lossi_real_put(s.dtype, x, s.first + i, left <= 0.0 ? 0.0 : left);
    }
}

/*
 * way_j = max(way_j − τ, −x_j), with τ by the same rounds. x is in the set, so that the sum of the ways has to be 0, and
 * neither the total nor the sum of x is needed, which are known but for their rounding.
 */
static void simplex_way(const lossi_options *options, lossi_stretch s, double step, const void *x, void *way)
{
    double tau = -INFINITY, largest = -INFINITY; /* ways are long ones: their differences are not */
    int64_t above = -1;
    (void)options;
    (void)step;
    for (int64_t i = 0; i < s.count; i++) {
        largest = fmax(largest, element(s, way, i));
    }
    for (;;) {
        double lanes[LOSSI_LANES] = {0};
        int64_t count = 0;
        for (int64_t i = 0; i < s.count; i++) {
            const double x_i = element(s, x, i), way_i = element(s, way, i) - largest;
            const int32_t stays = !(way_i - tau <= -x_i);
            lanes[i % LOSSI_LANES] += stays ? way_i : -x_i;
            count += stays;
        }
        if (count == 0 || (above >= 0 && count >= above)) {
            break;
        }
        above = count;
        tau = lossi_sum_lanes(lanes) / (double)count;
    }
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i), left = element(s, way, i) - largest - tau;
        lossi_real_put(s.dtype, way, s.first + i, left <= -x_i ? -x_i : left);
    }
}

const lossi_penalty_row lossi_penalty_simplex = {
    .name = "simplex",
    .options = simplex_options,
    .option_count = sizeof simplex_options / sizeof *simplex_options,
    .rough = LOSSI_ROUGH_SET,
    .rough_value = simplex_value,
    .prox = simplex_prox,
    .way = simplex_way,
};
