/* Hessian products by differences of gradients: digit for digit their formula, on every instruction set. */
#include <float.h>
#include <math.h>

#include "core/sum.h"
#include "loss/loss.h"
#include "support/check.h"

enum { LONGEST = 5003 };

/* Σ cᵢxᵢ³/3 */
static double slope(int64_t i, double x)
{
    return (0.5 + (double)(i % 7)) * x * x;
}

static int32_t cubes(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const loss_dtype dtype = *(const loss_dtype *)user;
    *value = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double at = element(x, dtype, i);
        *value += slope(i, at) * at / 3.0;
        if (gradient != NULL) {
            set_element(gradient, dtype, i, slope(i, at));
        }
    }
    return 0;
}

/* The norm over 2^exponent, in the order of every sum. */
static double norm_of(loss_dtype dtype, const void *vector, int64_t n, int *exponent)
{
    const lossi_cut cut = lossi_cut_rows(n, 1);
    double largest = 0.0, sums[LOSSI_SLICES];
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(element(vector, dtype, i)));
    }
    frexp(largest, exponent);
    for (int64_t slice = 0; slice < cut.slices; slice++) {
        double lanes[LOSSI_LANES] = {0.0}; /* a slice is a block here */
        for (int64_t i = slice * cut.slice_rows; i < n && i < (slice + 1) * cut.slice_rows; i++) {
            const double part = ldexp(element(vector, dtype, i), -*exponent);
            lanes[i % LOSSI_LANES] += part * part;
        }
        sums[slice] = lossi_sum_lanes(lanes);
    }
    return sqrt(lossi_sum_slices(sums, cut.slices));
}

/* The formula at the head of gradient_difference.c. */
static void expect(loss_dtype dtype, const void *x, const void *direction, int64_t n, void *out)
{
    int exponent, exponent_x = 0;
    const double length = norm_of(dtype, direction, n, &exponent);
    const double scaled = norm_of(dtype, x, n, &exponent_x), size = ldexp(scaled, exponent_x);
    const double step = sqrt(dtype == LOSS_FLOAT32 ? (double)FLT_EPSILON : DBL_EPSILON) * (1 + size) / length;
    for (int64_t i = 0; i < n; i++) {
        const double way = ldexp(element(direction, dtype, i), -exponent);
        char ends[2][8], slopes[2][8];
        for (int k = 0; k < 2; k++) {
            set_element(ends[k], dtype, 0, element(x, dtype, i) + (k == 0 ? step : -step) * way);
            set_element(slopes[k], dtype, 0, slope(i, element(ends[k], dtype, 0)));
        }
        const double rise = element(slopes[0], dtype, 0) - element(slopes[1], dtype, 0);
        set_element(out, dtype, i, ldexp(rise / (step + step), exponent));
    }
}

/* Lengths with and without whole sixteens, and of more than a block; directions as long and as short as there are. */
static void products_are_their_formula(void **unused)
{
    static const int64_t lengths[] = {1, 2, 7, 15, 16, 17, 31, 48, 100, 4096, LONGEST};
    static const double units[2][3] = {{1.0, 0x1p+1010, 0x1p-1060}, {1.0, 0x1p+120, 0x1p-140}};
    static double x[LONGEST], direction[LONGEST], expected[LONGEST], out[LONGEST];
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t isa = 0; loss_context_isa_name(context, isa) != NULL; isa++) {
        if (loss_context_set_string(context, "isa", loss_context_isa_name(context, isa)) != LOSS_OK) {
            continue; /* not this processor's */
        }
        for (size_t k = 0; k < 6 * sizeof lengths / sizeof lengths[0]; k++) {
            loss_dtype dtype = k % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
            const int64_t n = lengths[k / 6];
            loss_objective *objective = NULL;
            for (int64_t i = 0; i < n; i++) {
                set_element(x, dtype, i, 0.75 + sin(2.385 * (double)i));
                set_element(direction, dtype, i, cos(1.617 * (double)(i + 1)) * units[k % 2][k % 6 / 2]);
            }
            expect(dtype, x, direction, n, expected);
            assert_int_equal(
                loss_objective_create_callback(&objective, context, dtype, n, cubes, NULL, &dtype), LOSS_OK);
            assert_int_equal(loss_objective_hessian_product(objective, x, direction, out), LOSS_OK);
            assert_same_bits(out, expected, dtype, n);
            loss_objective_free(objective);
        }
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_their_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
