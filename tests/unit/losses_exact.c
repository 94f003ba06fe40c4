/*
 * Against the exact results of tests/reference: within k ulp of the exact result for inputs moved by at most one ulp. And
 * against differences, which know nothing of that reference.
 */
#include "losses.h"

#include <float.h>
#include <math.h>

enum { SHOWN = 4 };

/* ---- the reference ---- */

/* The rows start … start + count − 1 of a group as a batch; a pointwise product needs directions of its own. */
static batch batch_of_rows(const loss_case *given, const vector_group *group, int64_t start, int64_t count)
{
    batch made = batch_create(group->dtype, count, group->columns, 1, group->labels);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < group->columns; j++) {
            int64_t from = (start + i) * group->columns + j, to = i * group->columns + j;
            set_element(made.prediction, made.dtype, to, group->prediction[from]);
            set_element(made.target, made.dtype, to, group->target[from]);
            set_element(made.direction, made.dtype, to,
                        given->pointwise ? 3 * scatter(start + i) - 1.5 : group->direction[from]);
        }
        made.label[i] = group->label[start + i];
    }
    return made;
}

/* What a product may be that the file has not: curvature times direction, the direction moved by an ulp as well. */
static exact_number times_direction(const exact_number *curvature, double direction, loss_dtype dtype)
{
    long double d = direction, a = fabsl(d);
    exact_number product = {curvature->exact * d, d < 0 ? curvature->up * a : curvature->down * a,
                            d < 0 ? curvature->down * a : curvature->up * a, 0};
    if (fabsl(curvature->exact) > (dtype == LOSS_FLOAT32 ? FLT_MAX : DBL_MAX)) {
        product.exact *= INFINITY; /* the curvature itself is beyond the type */
    }
    if (isfinite(product.exact)) {
        product.down += fabsl(curvature->exact) * ulp_of(d, dtype);
        product.up += fabsl(curvature->exact) * ulp_of(d, dtype);
    }
    return product;
}

static void report(const loss_case *given, const vector_group *group, int64_t row, int64_t column,
                   const char *output, const exact_number *expected, double got)
{
    print_error("%s.csv:%d [%s] column %lld: %s is %.17g, exact %.20Lg -%.3Lg +%.3Lg (%.3g ulp outside)\n",
                given->name, group->line[row], group->options, (long long)column, output, got,
                expected->exact, expected->down, expected->up, exact_distance(expected, got, group->dtype));
}

/* Compares an output of a batch with the rows of the group from start on; returns how many numbers are wrong. */
static int64_t compare(const loss_case *given, const vector_group *group, const batch *made, int64_t start,
                       int output, int reference)
{
    int64_t wrong = 0, width = batch_width(made, output);
    for (int64_t i = 0; i < made->rows * width; i++) {
        int64_t row = start + i / width, from = row * width + i % width;
        double got = element(made->output[output], made->dtype, i);
        exact_number expected = group->exact[reference][from];
        if (output == VECTOR_PRODUCT && (group->available & (1 << VECTOR_PRODUCT)) == 0) {
            expected = times_direction(&group->exact[VECTOR_CURVATURE][from],
                                       element(made->direction, made->dtype, i), made->dtype);
        }
        if (!exact_contains(&expected, got, given->file.ulp, made->dtype) && ++wrong <= SHOWN) {
            report(given, group, row, i % width, batch_output_names[output], &expected, got);
        }
    }
    return wrong;
}

static int64_t compare_all(const loss_case *given, const vector_group *group, const batch *made,
                           int64_t start)
{
    int64_t wrong = 0;
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        wrong += compare(given, group, made, start, k, k);
    }
    return wrong;
}

/* Asked for alone, the gradients and the sum are the same bits, corners and all. */
static void check_gradient_alone(const loss_case *given, const vector_group *group,
                                 const loss_function *function, const batch *all)
{
    batch made = batch_of_rows(given, group, 0, group->rows);
    made.want = WANT_GRADIENT;
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    assert_same_batch(&made, all);
    batch_free(&made);
}

/* Fewer reference rows of an element type say little. */
enum { LEAST_ROWS = 41 };

/* All rows of a group in one call: the lanes of the vectors hold different cases. */
void losses_reference(void **state)
{
    loss_case *given = *state;
    int64_t wrong = 0, rows = 0;
    for (int64_t g = 0; g < given->file.count; g++) {
        const vector_group *group = &given->file.groups[g];
        if (group->dtype == given->dtype) {
            loss_function *function = losses_make(given, group->options);
            batch made = batch_of_rows(given, group, 0, group->rows);
            assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
            wrong += compare_all(given, group, &made, 0);
            rows += group->rows;
            check_gradient_alone(given, group, function, &made);
            batch_free(&made);
            loss_function_free(function);
        }
    }
    if (rows < LEAST_ROWS) {
        fail_msg("%s.csv has %lld rows of %s, and needs %d: the definition should give more points",
                 given->name, (long long)rows, loss_dtype_name(given->dtype), LEAST_ROWS);
    }
    assert_int_equal(wrong, 0);
}

/* And each row alone, which is the tail of a vector. */
void losses_reference_one_by_one(void **state)
{
    loss_case *given = *state;
    int64_t wrong = 0;
    for (int64_t g = 0; g < given->file.count; g++) {
        const vector_group *group = &given->file.groups[g];
        for (int64_t i = 0; i < group->rows && group->dtype == given->dtype; i++) {
            loss_function *function = losses_make(given, group->options);
            batch made = batch_of_rows(given, group, i, 1);
            assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
            wrong += compare_all(given, group, &made, i);
            batch_free(&made);
            loss_function_free(function);
        }
    }
    assert_int_equal(wrong, 0);
}

/*
 * Gauss–Newton is the exact curvature without negative parts: for a pointwise loss that is the curvature where it is not
 * negative. Over several columns it is a matrix that may be larger than the exact one, and bends no direction down.
 */
static void check_gauss_newton(const loss_case *given, const batch *exact, const batch *gauss_newton,
                               int32_t convex)
{
    for (int64_t i = 0; i < exact->rows; i++) {
        double bend = 0, size = 0;
        for (int64_t j = 0; j < exact->columns; j++) {
            double with = batch_at(exact, 2, i, j), without = batch_at(gauss_newton, 2, i, j),
                   d = element(exact->direction, exact->dtype, i * exact->columns + j),
                   term = batch_at(gauss_newton, 3, i, j) * d;
            const int32_t same = with == without || (isnan(with) && isnan(without));
            assert_false(without < 0);
            assert_true(same || (given->pointwise ? with < 0 : !convex && without > with));
            bend += term;
            size += fabs(term);
        }
        assert_false(bend < -(exact->dtype == LOSS_FLOAT32 ? 1e-5 : 1e-13) * size); /* rounding */
    }
}

void losses_gauss_newton(void **state)
{
    loss_case *given = *state;
    for (int64_t g = 0; g < given->file.count; g++) {
        const vector_group *group = &given->file.groups[g];
        loss_function *exact, *gauss_newton;
        int32_t convex = -1;
        batch a, b;
        if (group->dtype != given->dtype) {
            continue;
        }
        exact = losses_make(given, group->options);
        gauss_newton = losses_make(given, group->options);
        assert_status(given->context, loss_function_set_string(gauss_newton, "curvature", "gauss_newton"),
                      LOSS_OK);
        a = batch_of_rows(given, group, 0, group->rows);
        b = batch_of_rows(given, group, 0, group->rows);
        assert_status(given->context, batch_evaluate(given->context, exact, &a), LOSS_OK);
        assert_status(given->context, batch_evaluate(given->context, gauss_newton, &b), LOSS_OK);
        assert_status(given->context, loss_function_property(exact, "convex", &convex), LOSS_OK);
        check_gauss_newton(given, &a, &b, convex);
        batch_free(&a);
        batch_free(&b);
        loss_function_free(exact);
        loss_function_free(gauss_newton);
    }
}

/* The majorizer is the one of the reference; a loss that has none refuses. */
void losses_majorizer(void **state)
{
    loss_case *given = *state;
    int64_t wrong = 0;
    for (int64_t g = 0; g < given->file.count; g++) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function;
        loss_status status;
        batch made;
        if (group->dtype != given->dtype) {
            continue;
        }
        function = losses_make(given, group->options);
        made = batch_of_rows(given, group, 0, group->rows);
        made.want = WANT_VALUE | WANT_GRADIENT | WANT_CURVATURE;
        status = loss_function_set_string(function, "curvature", "majorizer");
        status = status == LOSS_OK ? batch_evaluate(given->context, function, &made) : status;
        if (group->available & (1 << VECTOR_MAJORIZER)) {
            assert_status(given->context, status, LOSS_OK);
            wrong += compare(given, group, &made, 0, VECTOR_CURVATURE, VECTOR_MAJORIZER);
            wrong += compare(given, group, &made, 0, VECTOR_GRADIENT, VECTOR_GRADIENT);
        } else {
            assert_status(given->context, status, LOSS_ERROR_SUPPORT);
        }
        batch_free(&made);
        loss_function_free(function);
    }
    assert_int_equal(wrong, 0);
}

/* Row i of f(x) + s g·d + s²/2 dᵀB d, B as the product gives it or as a diagonal; pointwise columns count for themselves. */
static void check_bound(const batch *start, const batch *moved, double length, int64_t i)
{
    int64_t per_value = start->columns / start->value_columns;
    for (int64_t v = 0; v < start->value_columns; v++) {
        double value = batch_at(start, 0, i, v), linear = 0, full = 0, diagonal = 0,
               there = batch_at(moved, 0, i, v);
        for (int64_t j = v * per_value; j < (v + 1) * per_value; j++) {
            double d = length * element(start->direction, start->dtype, i * start->columns + j);
            linear += batch_at(start, 1, i, j) * d;
            full += batch_at(start, 3, i, j) * length * d / 2;
            diagonal += batch_at(start, 2, i, j) * d * d / 2;
        }
        assert_true(there <= value + linear + full + 1e-13 * (1 + fabs(linear) + full + value));
        assert_true(full <= diagonal * (1 + 1e-14));
    }
}

/* The majorizer is what it says: the quadratic with it lies above the loss, near and far. */
void losses_majorizer_bounds(void **state)
{
    enum { BOUND_ROWS = 200 };
    static const double lengths[] = {0.01, 1, -1.75, 40};
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        int64_t columns = losses_columns(given, group);
        loss_function *function;
        batch start, moved;
        if ((group->available & (1 << VECTOR_MAJORIZER)) == 0) {
            continue;
        }
        function = losses_make(given, group->options);
        assert_status(given->context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_OK);
        start = batch_of_group(group, BOUND_ROWS, columns, given->pointwise);
        moved = batch_of_group(group, BOUND_ROWS, columns, given->pointwise);
        assert_status(given->context, batch_evaluate(given->context, function, &start), LOSS_OK);
        for (size_t s = 0; s < sizeof lengths / sizeof *lengths; s++) {
            for (int64_t i = 0; i < BOUND_ROWS * columns; i++) {
                double x = element(start.prediction, start.dtype, i),
                       d = element(start.direction, start.dtype, i);
                set_element(moved.prediction, moved.dtype, i, x + lengths[s] * d);
            }
            assert_status(given->context, batch_evaluate(given->context, function, &moved), LOSS_OK);
            for (int64_t i = 0; i < BOUND_ROWS; i++) {
                check_bound(&start, &moved, lengths[s], i);
            }
        }
        batch_free(&start);
        batch_free(&moved);
        loss_function_free(function);
    }
}

/* ---- differences: in float64 alone, float32 has too few digits for them ---- */

enum { POINTS = 4 };

/* f'(x) from f(x ± h) and f(x ± 2h), with an error of h⁴. */
static const double offsets[POINTS] = {-2, -1, 1, 2},
                    factors[POINTS] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
static const double step = 1e-4;

/* The output of all rows with the predictions moved by `by` steps along `direction`, into where. */
static void moved(const loss_case *given, const loss_function *function, const batch *start,
                  const double *direction, double by, int output, double *where)
{
    batch copy = batch_create(start->dtype, start->rows, start->columns, start->value_columns, start->labels);
    for (int64_t i = 0; i < start->rows; i++) {
        batch_copy_row(&copy, i, start, i);
    }
    for (int64_t i = 0; i < start->rows * start->columns; i++) {
        double x = element(start->prediction, start->dtype, i);
        set_element(copy.prediction, copy.dtype, i, x + by * step * direction[i]);
    }
    assert_status(given->context, batch_evaluate(given->context, function, &copy), LOSS_OK);
    for (int64_t i = 0; i < start->rows * batch_width(start, output); i++) {
        where[i] = element(copy.output[output], copy.dtype, i);
    }
    batch_free(&copy);
}

/* The derivative of an output along a direction, one number per element of the output. */
static void difference(const loss_case *given, const loss_function *function, const batch *start,
                       const double *direction, int output, double *result)
{
    enum { ROOM = 4096 };
    static double numbers[ROOM];
    int64_t count = start->rows * batch_width(start, output);
    assert_true(count <= ROOM);
    for (int64_t i = 0; i < count; i++) {
        result[i] = 0;
    }
    for (int p = 0; p < POINTS; p++) {
        moved(given, function, start, direction, offsets[p], output, numbers);
        for (int64_t i = 0; i < count; i++) {
            result[i] += factors[p] * numbers[i] / step;
        }
    }
}

/* One column at a time: the gradient is the slope of the values, the curvature that of the gradient. */
static void check_column(const loss_case *given, const loss_function *function, const batch *start,
                         int64_t column)
{
    double direction[512] = {0}, slope[512], bend[512];
    for (int64_t i = 0; i < start->rows; i++) {
        direction[i * start->columns + column] = 1;
    }
    difference(given, function, start, direction, 0, slope);
    difference(given, function, start, direction, 1, bend);
    for (int64_t i = 0; i < start->rows; i++) {
        double gradient = batch_at(start, 1, i, column), curvature = batch_at(start, 2, i, column);
        assert_close(gradient, slope[i], 1e-8, 1e-9 * (1 + fabs(batch_at(start, 0, i, 0))));
        assert_close(curvature, bend[i * start->columns + column], 1e-7, 1e-9 * (1 + fabs(gradient)));
    }
}

void losses_differences(void **state)
{
    loss_case *given = *state;
    double direction[512], bend[512];
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        int64_t generic = 0;
        batch start;
        for (int64_t i = 0; i < group->rows; i++) {
            generic += group->generic[i];
        }
        start = batch_of_group(group, generic, 1, given->pointwise);
        assert_true(start.rows * start.columns <= 512);
        assert_status(given->context, batch_evaluate(given->context, function, &start), LOSS_OK);
        for (int64_t column = 0; column < start.columns; column++) {
            check_column(given, function, &start, column);
        }
        for (int64_t i = 0; i < start.rows * start.columns; i++) {
            direction[i] = element(start.direction, start.dtype, i);
        }
        difference(given, function, &start, direction, 1, bend);
        for (int64_t i = 0; i < start.rows * start.columns; i++) {
            assert_close(element(start.output[3], start.dtype, i), bend[i], 1e-7, 1e-8);
        }
        batch_free(&start);
        loss_function_free(function);
    }
}
