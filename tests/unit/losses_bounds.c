/*
 * What a loss says about itself holds, and nothing much smaller would: its Lipschitz constant, the bound of its curvature, its
 * minimum and maximum, and how many derivatives are continuous. The points are generic ones, far ones, and a dense grid.
 */
#include "losses.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE, GRADIENT, CURVATURE, KINDS };

typedef struct numbers {
    double lipschitz, curvature, minimum, maximum, derivatives;
    double low, high, target_low, target_high;
    int32_t binary, convex;
} numbers;

static double number(const loss_case *given, const loss_function *function, const char *name)
{
    double value = 777;
    assert_status(given->context, loss_function_number(function, name, &value), LOSS_OK);
    assert_false(isnan(value));
    return value;
}

static int32_t property(const loss_case *given, const loss_function *function, const char *name)
{
    int32_t value = 777;
    assert_status(given->context, loss_function_property(function, name, &value), LOSS_OK);
    return value;
}

static numbers numbers_of(const loss_case *given, const loss_function *function)
{
    return (numbers){.lipschitz = number(given, function, "lipschitz"),
                     .curvature = number(given, function, "curvature_bound"),
                     .minimum = number(given, function, "minimum"),
                     .maximum = number(given, function, "maximum"),
                     .derivatives = number(given, function, "continuous_derivatives"),
                     .low = number(given, function, "prediction_minimum"),
                     .high = number(given, function, "prediction_maximum"),
                     .target_low = number(given, function, "target_minimum"),
                     .target_high = number(given, function, "target_maximum"),
                     .binary = property(given, function, "binary_target"),
                     .convex = property(given, function, "convex")};
}

/* ---- points ---- */

enum { TARGETS = 40, POINTS = 40000, STEPS_A_DECADE = 230 /* steps of one per cent */ };

typedef struct points {
    int32_t target_count, count;
    double target[TARGETS];
    int32_t moderate_target[TARGETS];
    double *prediction; /* of one target */
    int32_t *moderate;  /* neither near a place where something happens nor far away */
    double *output[KINDS];
    void *narrow[KINDS + 1]; /* room for the element type */
} points;

static void add_target(points *made, const numbers *n, double target)
{
    if (target >= n->target_low && target <= n->target_high && made->target_count < TARGETS) {
        made->moderate_target[made->target_count] = fabs(target) <= 100;
        made->target[made->target_count++] = target;
    }
}

/* The ends of the domain, generic targets of the reference, and far ones. */
static void choose_targets(points *made, const numbers *n, const vector_group *group)
{
    static const double far[] = {0, 1e-6, -1e-6, 1e6, -1e6, 1e15, -1e15, 1e30, -1e30};
    made->target_count = 0;
    if (n->binary) {
        add_target(made, n, n->target_low);
        add_target(made, n, n->target_high);
        return;
    }
    add_target(made, n, isfinite(n->target_low) ? n->target_low : -0.75);
    add_target(made, n, isfinite(n->target_high) ? n->target_high : 2.385);
    for (int64_t i = 0, taken = 0; i < group->rows && taken < 8; i++) {
        if (group->generic[i]) {
            add_target(made, n, group->target[i * group->columns]);
            taken++;
        }
    }
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        add_target(made, n, far[i]);
    }
}

static void add_point(points *made, const numbers *n, double x, int32_t moderate)
{
    if (x >= n->low && x <= n->high && isfinite(x)) {
        assert_true(made->count < POINTS);
        made->prediction[made->count] = x;
        made->moderate[made->count++] = moderate;
    }
}

/* Both sides of a centre, 1e−8 … 1e8 away in steps of one per cent. */
static void add_around(points *made, const numbers *n, double centre, double lowest, double highest)
{
    add_point(made, n, centre, 0);
    for (int32_t k = 0; k <= 16 * STEPS_A_DECADE; k++) {
        const double away = 1e-8 * pow(10, (double)k / STEPS_A_DECADE);
        const int32_t moderate = away >= 1e-2 && away <= 1e2;
        if (away >= lowest && away <= highest) {
            add_point(made, n, centre + away, moderate);
            add_point(made, n, centre - away, moderate);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void choose_points(points *made, const numbers *n, double target)
{
    static const double far[] = {1e10, 1e15, 1e20, 1e30};
    made->count = 0;
    add_around(made, n, target, 0, 1e9);
    add_around(made, n, 0, 1e-3, 1e4);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        add_point(made, n, far[i], 0);
        add_point(made, n, -far[i], 0);
    }
    for (int32_t k = -2000; k <= 2000; k++) {
        add_point(made, n, k / 250.0, 1);
    }
    if (isfinite(n->low)) {
        add_around(made, n, n->low, 0, 10);
    }
    if (isfinite(n->high)) {
        add_around(made, n, n->high, 0, 10);
    }
}

static points points_create(void)
{
    points made = {0};
    made.prediction = calloc(POINTS, sizeof *made.prediction);
    made.moderate = calloc(POINTS, sizeof *made.moderate);
    assert_true(made.prediction != NULL && made.moderate != NULL);
    for (int k = 0; k < KINDS; k++) {
        made.output[k] = calloc(POINTS, sizeof *made.output[k]);
        assert_non_null(made.output[k]);
    }
    for (int k = 0; k <= KINDS; k++) {
        made.narrow[k] = calloc(POINTS, sizeof(double));
        assert_non_null(made.narrow[k]);
    }
    return made;
}

static void points_free(points *made)
{
    free(made->prediction);
    free(made->moderate);
    for (int k = 0; k < KINDS; k++) {
        free(made->output[k]);
    }
    for (int k = 0; k <= KINDS; k++) {
        free(made->narrow[k]);
    }
}

/* Value, gradient and curvature at all points, for one target. */
static void evaluate_points(const loss_case *given, const loss_function *function, points *made,
                            double target)
{
    static const char *const roles[KINDS] = {"value", "gradient", "curvature"};
    loss_data *inputs, *outputs;
    char element_of[8];
    set_element(element_of, given->dtype, 0, target);
    for (int32_t i = 0; i < made->count; i++) {
        set_element(made->narrow[KINDS], given->dtype, i, made->prediction[i]);
    }
    loss_data_create(&inputs, given->context);
    loss_data_create(&outputs, given->context);
    loss_data_set_input(inputs, "prediction", made->narrow[KINDS], given->dtype, made->count, 1, 1, 1);
    if (reads_target(function)) {
        loss_data_set_input(inputs, "target", element_of, given->dtype, made->count, 1, 0, 1);
    }
    for (int k = 0; k < KINDS; k++) {
        loss_data_set_output(outputs, roles[k], made->narrow[k], given->dtype, made->count, 1, 1, 1);
    }
    assert_status(given->context,
                  loss_function_evaluate(given->context, function, inputs, outputs, NULL, NULL), LOSS_OK);
    for (int k = 0; k < KINDS; k++) {
        for (int32_t i = 0; i < made->count; i++) {
            made->output[k][i] = element(made->narrow[k], given->dtype, i);
        }
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
}

/* ---- the bounds hold ---- */

/* x ≤ bound, but for rounding; what is not a number is not below anything. */
static void check_below(const loss_case *given, const char *what, double x, double bound, double prediction,
                        double target)
{
    const double rounding = 8 * (given->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON) * fabs(bound);
    if (!(x <= bound + (isinf(bound) ? 0 : rounding))) {
        fail_msg("%s: %s %.17g is above %.17g at prediction %.17g, target %.17g", given->name, what, x, bound,
                 prediction, target);
    }
}

static void check_point(const loss_case *given, const numbers *n, const points *made, int32_t i,
                        double target)
{
    const double x = made->prediction[i], value = made->output[VALUE][i],
                 curvature = made->output[CURVATURE][i];
    if (isnan(value)) { /* no limit there: the whole row is NaN */
        return;
    }
    check_below(given, "|gradient|", fabs(made->output[GRADIENT][i]), n->lipschitz, x, target);
    check_below(given, "curvature", n->convex ? fabs(curvature) : curvature, n->curvature, x, target);
    check_below(given, "value", value, n->maximum, x, target);
    check_below(given, "minus value", -value, -n->minimum, x, target);
}

static void check_group(const loss_case *given, const vector_group *group)
{
    loss_function *function = losses_make(given, group->options);
    const numbers n = numbers_of(given, function);
    points made = points_create();
    choose_targets(&made, &n, group);
    assert_true(made.target_count >= 2);
    for (int32_t t = 0; t < made.target_count; t++) {
        double target = made.target[t];
        choose_points(&made, &n, target);
        assert_true(made.count > 1000);
        evaluate_points(given, function, &made, target);
        for (int32_t i = 0; i < made.count; i++) {
            check_point(given, &n, &made, i, target);
        }
    }
    points_free(&made);
    loss_function_free(function);
}

/* Over several columns the gradient is measured by its 2-norm; logits are stretched, probabilities are not. */
static void check_rows_group(const loss_case *given, const vector_group *group)
{
    static const double stretches[] = {1, 8, 64, 1e4};
    loss_function *function = losses_make(given, group->options);
    const numbers n = numbers_of(given, function);
    for (size_t s = 0; s < sizeof stretches / sizeof *stretches; s++) {
        batch made = batch_of_group(group, 600, group->columns, given->pointwise);
        for (int64_t i = 0; i < made.rows * made.columns && isinf(n.high); i++) {
            set_element(made.prediction, made.dtype, i,
                        stretches[s] * element(made.prediction, made.dtype, i));
        }
        assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
        for (int64_t i = 0; i < made.rows; i++) {
            double norm = 0;
            for (int64_t j = 0; j < made.columns; j++) {
                norm = hypot(norm, batch_at(&made, 1, i, j));
                check_below(given, "curvature", batch_at(&made, 2, i, j), n.curvature, (double)i, (double)j);
            }
            check_below(given, "the norm of the gradient", norm, n.lipschitz, (double)i, 0);
            check_below(given, "value", batch_at(&made, 0, i, 0), n.maximum, (double)i, 0);
            check_below(given, "minus value", -batch_at(&made, 0, i, 0), -n.minimum, (double)i, 0);
        }
        batch_free(&made);
    }
    loss_function_free(function);
}

void losses_bounds(void **state)
{
    const loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        if (given->pointwise) {
            check_group(given, &given->file.groups[g]);
        } else {
            check_rows_group(given, &given->file.groups[g]);
        }
    }
}

/* ---- and are reached ---- */

/* The largest numbers seen anywhere, and at moderate points. */
typedef struct extremes {
    double gradient, curvature, value, minus_value;
} extremes;

static void widen(extremes *seen, const points *made, int32_t i)
{
    seen->gradient = fmax(seen->gradient, fabs(made->output[GRADIENT][i]));
    seen->curvature = fmax(seen->curvature, made->output[CURVATURE][i]);
    seen->value = fmax(seen->value, made->output[VALUE][i]);
    seen->minus_value = fmax(seen->minus_value, -made->output[VALUE][i]);
}

/*
 * A finite bound is reached but for a hundredth, the step of the grid, and 0 as a limit nearly so; where there is none, far points
 * show more than moderate ones, logarithms too.
 */
static void check_reached(const loss_case *given, const char *what, double bound, double reached,
                          double moderate)
{
    const int32_t good = isinf(bound) ? reached == bound || reached > 1.5 * fmax(moderate, 0)
                                      : reached >= bound - 1e-2 * fabs(bound) - 1e-6;
    if (!good) {
        fail_msg("%s: %s is said to go up to %.17g, but only %.17g was seen (%.17g at moderate points)",
                 given->name, what, bound, reached, moderate);
    }
}

void losses_bounds_reached(void **state)
{
    const loss_case *given = *state;
    if (!given->pointwise) {
        return; /* a random row is seldom near the worst of all rows */
    }
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        loss_function *function = losses_make(given, given->file.groups[g].options);
        const numbers n = numbers_of(given, function);
        extremes all = {0, -INFINITY, -INFINITY, -INFINITY}, moderate = all;
        points made = points_create();
        choose_targets(&made, &n, &given->file.groups[g]);
        for (int32_t t = 0; t < made.target_count; t++) {
            choose_points(&made, &n, made.target[t]);
            evaluate_points(given, function, &made, made.target[t]);
            for (int32_t i = 0; i < made.count; i++) {
                widen(&all, &made, i);
                if (made.moderate[i] && made.moderate_target[t]) {
                    widen(&moderate, &made, i);
                }
            }
        }
        check_reached(given, "|gradient|", n.lipschitz, all.gradient, moderate.gradient);
        if (n.derivatives >= 1 ||
            isfinite(n.curvature)) { /* a kink has no bound, and no curvature that shows it */
            check_reached(given, "curvature", n.curvature, all.curvature, moderate.curvature);
        }
        check_reached(given, "value", n.maximum, all.value, moderate.value);
        check_reached(given, "minus value", -n.minimum, all.minus_value, moderate.minus_value);
        points_free(&made);
        loss_function_free(function);
    }
}

/* ---- continuity ---- */

/* Halves all intervals at once, each towards the larger change of an output, until their ends are neighbours. */
static int32_t count_jumps(const loss_case *given, const loss_function *function, points *made, double target,
                           int output)
{
    const int32_t intervals = made->count / 2;
    double *scale = calloc((size_t)intervals, sizeof *scale), *x = made->prediction,
           *y = made->output[output];
    double *ends = calloc((size_t)intervals * 4, sizeof *ends); /* x and y of both */
    int32_t jumps = 0;
    assert_true(scale != NULL && ends != NULL);
    for (int32_t i = 0; i < intervals; i++) {
        ends[4 * i] = x[2 * i];
        ends[4 * i + 1] = y[2 * i];
        ends[4 * i + 2] = x[2 * i + 1];
        ends[4 * i + 3] = y[2 * i + 1];
        scale[i] = fmax(fabs(y[2 * i]), fabs(y[2 * i + 1]));
    }
    made->count = intervals;
    for (int round = 0; round < 64; round++) {
        for (int32_t i = 0; i < intervals; i++) {
            x[i] = ends[4 * i] + (ends[4 * i + 2] - ends[4 * i]) / 2;
        }
        evaluate_points(given, function, made, target);
        for (int32_t i = 0; i < intervals; i++) {
            double *end = ends + 4 * i;
            const int32_t first = fabs(y[i] - end[1]) > fabs(end[3] - y[i]);
            if (x[i] > end[0] && x[i] < end[2]) {
                end[first ? 2 : 0] = x[i];
                end[first ? 3 : 1] = y[i];
            }
        }
    }
    for (int32_t i = 0; i < intervals; i++) {
        /* between the last numbers above 0 there are only jumps */
        jumps += isfinite(scale[i]) && scale[i] > 1e-290 &&
                 fabs(ends[4 * i + 3] - ends[4 * i + 1]) > 1e-3 * scale[i];
    }
    free(scale);
    free(ends);
    return jumps;
}

/* Infinite between finite neighbours, as a curvature that has no bound: a jump for the intervals around it to find. */
static int32_t is_pole(const double *y, int32_t i, int32_t count)
{
    return i > 0 && i + 1 < count && isinf(y[i]) && isfinite(y[i - 1]) && isfinite(y[i + 1]);
}

/* Intervals between the points of a sorted grid: the points become pairs of ends. */
static int32_t count_grid_jumps(const loss_case *given, const loss_function *function, const numbers *n,
                                points *made, double target, int output)
{
    double *grid = calloc(POINTS, sizeof *grid);
    int32_t count = 0;
    assert_non_null(grid);
    made->count = 0;
    add_around(made, n, target, 1e-4, 1e4);
    for (int32_t k = -1000; k <= 1000; k++) {
        add_point(made, n, k / 125.0 + 0.0003, 1);
    }
    qsort(made->prediction, (size_t)made->count, sizeof *made->prediction, by_size);
    evaluate_points(given, function, made, target);
    int32_t kept = 0;
    for (int32_t i = 0; i < made->count; i++) {
        if (!is_pole(made->output[output], i, made->count)) {
            grid[kept++] = made->prediction[i];
        }
    }
    for (int32_t i = 0, last = kept; i + 1 < last && 2 * count + 1 < POINTS; i++) {
        made->prediction[2 * count] = grid[i];
        made->prediction[2 * count + 1] = grid[i + 1];
        count++;
    }
    made->count = 2 * count;
    free(grid);
    evaluate_points(given, function, made, target);
    return count_jumps(given, function, made, target, output);
}

void losses_continuity(void **state)
{
    const loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); given->pointwise && g >= 0;
         g = losses_next_group(given, g)) {
        loss_function *function = losses_make(given, given->file.groups[g].options);
        const numbers n = numbers_of(given, function);
        int32_t jumps[KINDS] = {0};
        points made = points_create();
        choose_targets(&made, &n, &given->file.groups[g]);
        for (int32_t t = 0; t < made.target_count; t++) {
            for (int k = VALUE; k < KINDS && made.moderate_target[t]; k++) {
                jumps[k] += count_grid_jumps(given, function, &n, &made, made.target[t], k);
            }
        }
        print_message("           %s [%s]: %d jumps of the value, %d of the gradient, %d of the curvature\n",
                      given->name, given->file.groups[g].options, jumps[VALUE], jumps[GRADIENT],
                      jumps[CURVATURE]);
        assert_int_equal(property(given, function, "smooth"), n.derivatives >= 1);
        if (n.derivatives < 1) {
            assert_true(jumps[VALUE] + jumps[GRADIENT] > 0);
        } else {
            assert_int_equal(jumps[VALUE] + jumps[GRADIENT], 0);
            assert_int_equal(jumps[CURVATURE] > 0, n.derivatives < 2);
        }
        points_free(&made);
        loss_function_free(function);
    }
}

/* ---- what follows from what ---- */

void losses_properties(void **state)
{
    const loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        loss_function *function = losses_make(given, given->file.groups[g].options);
        const numbers n = numbers_of(given, function);
        const char *link = loss_function_link(function);
        loss_status majorizer = loss_function_set_string(function, "curvature", "majorizer");
        assert_true(n.lipschitz >= 0 && n.curvature >= 0 && n.derivatives >= 0);
        assert_true(n.minimum < n.maximum && n.low < n.high && n.target_low < n.target_high);
        assert_int_equal(property(given, function, "smooth"), n.derivatives >= 1);
        assert_int_equal(property(given, function, "lipschitz"), isfinite(n.lipschitz));
        assert_int_equal(property(given, function, "bounded"), isfinite(n.minimum) && isfinite(n.maximum));
        assert_int_equal(property(given, function, "majorizer"), majorizer == LOSS_OK);
        assert_int_equal(property(given, function, "thread_safe"), 1);
        assert_true(n.derivatives >= 1 || isinf(n.curvature)); /* a kink bends without bound */
        assert_true(strcmp(link, "softmax") == 0 ? !given->pointwise : strlen(link) > 0);
        assert_true(!property(given, function, "binary_target") ||
                    (isfinite(n.target_low) && isfinite(n.target_high)));
        loss_function_free(function);
    }
}
