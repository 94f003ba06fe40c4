/* Checks along directions where values end: in corners of bounds, on edges, and with parameters that are fixed. */
#include <math.h>

#include "check_directions.h"

static const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};

/* In a corner of the bounds, where values are to be had on one side alone: directions lead inwards. */
void in_a_corner(void **state)
{
    enum { N = 5 };
    (void)state;
    for (int run = 0; run < 8; run++) {
        const plan p = {.value = chain, .wrong = -1, .factor = 1};
        const double distance = run < 4 ? 0 : 1e-3; /* near it, the wide steps leave them */
        double lower[N], upper[N], slope = 0;
        int32_t verdicts[3] = {0};
        loss_difference *d;
        fixture f;
        make(&f, dtypes[run % 2], N, &p, NULL, 0);
        for (int i = 0; i < N; i++) {
            const double x = element(f.x, f.p.dtype, i);
            lower[i] = (i + run / 2) % 2 ? x - distance : -INFINITY;
            upper[i] = (i + run / 2) % 2 ? INFINITY : x + distance;
        }
        assert_status(f.context, loss_difference_create(&d, f.context, "central", f.p.dtype, N), LOSS_OK);
        assert_status(f.context, loss_difference_set_array(d, "lower_bounds", lower, LOSS_FLOAT64, N),
                      LOSS_OK);
        assert_status(f.context, loss_difference_set_array(d, "upper_bounds", upper, LOSS_FLOAT64, N),
                      LOSS_OK);
        assert_status(f.context, loss_objective_set_difference(f.objective, d), LOSS_OK);
        assert_status(f.context, loss_objective_check(f.objective, f.x, 3, &verdicts[0]), LOSS_OK);
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 4, 3, &verdicts[1]),
                      LOSS_OK);
        assert_status(f.context, loss_objective_get_double(f.objective, "check_slope", &slope), LOSS_OK);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 4, 3, &verdicts[2]), LOSS_OK);
        assert_int_equal(verdicts[0], LOSS_CHECK_OK);
        assert_int_equal(verdicts[1], LOSS_CHECK_OK);
        assert_true(f.p.dtype == LOSS_FLOAT32 || fabs(slope - 2) < 0.1);
        assert_true(verdicts[2] != LOSS_CHECK_WRONG);
        loss_difference_free(d);
        unmake(&f);
    }
}

/* No values below the first element of x as make() fills it, and no bound that says so. */
static double half_space(const double *x, int64_t n, double *gradient)
{
    const double least = (double)(float)(3 * scatter(0) - 1.3);
    const double value = chain(x, n, gradient);
    return x[0] < least - 1e-6 ? (double)NAN : value;
}

/* Values end at x, for a reason of their own: the side that there is says whether the gradient and the product are right. */
void on_an_edge(void **state)
{
    enum { N = 6 };
    static const struct {
        double factor;
        int32_t product, gradient_verdict, product_verdict;
    } cases[] = {{1, PRODUCT_RIGHT, LOSS_CHECK_OK, LOSS_CHECK_OK},
                 {1.01, PRODUCT_RIGHT, LOSS_CHECK_WRONG, LOSS_CHECK_WRONG},
                 {1, PRODUCT_FACTOR, LOSS_CHECK_OK, LOSS_CHECK_WRONG},
                 {1, PRODUCT_ELEMENT, LOSS_CHECK_OK, LOSS_CHECK_WRONG}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const plan p = {
            .value = half_space, .wrong = -1, .factor = cases[i / 2].factor, .product = cases[i / 2].product};
        int32_t verdict = 0;
        fixture f;
        make(&f, dtypes[i % 2], N, &p, chain_product, 0);
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 4, 3, &verdict), LOSS_OK);
        assert_int_equal(verdict, cases[i / 2].gradient_verdict);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 4, 3, &verdict), LOSS_OK);
        assert_int_equal(verdict, cases[i / 2].product_verdict);
        unmake(&f);
    }
}

/* A parameter that bounds hold where it is has the derivative 0, and says nothing of the others. */
void a_fixed_parameter(void **state)
{
    enum { N = 5, FIXED = 3 };
    (void)state;
    for (int run = 0; run < 4; run++) {
        const plan p = {.value = chain, .wrong = -1, .factor = 1};
        double lower[N], upper[N];
        int32_t verdicts[3] = {0};
        loss_difference *d;
        fixture f;
        make(&f, dtypes[run % 2], N, &p, NULL, 0);
        for (int i = 0; i < N; i++) {
            lower[i] = element(f.x, f.p.dtype, i) - (i == FIXED ? 0 : 3);
            upper[i] = element(f.x, f.p.dtype, i) + (i == FIXED ? 0 : 3);
        }
        assert_status(f.context,
                      loss_difference_create(&d, f.context, run < 2 ? "central" : "ridders", f.p.dtype, N),
                      LOSS_OK);
        assert_status(f.context, loss_difference_set_array(d, "lower_bounds", lower, LOSS_FLOAT64, N),
                      LOSS_OK);
        assert_status(f.context, loss_difference_set_array(d, "upper_bounds", upper, LOSS_FLOAT64, N),
                      LOSS_OK);
        assert_status(f.context, loss_objective_set_difference(f.objective, d), LOSS_OK);
        assert_status(f.context, loss_objective_check(f.objective, f.x, 3, &verdicts[0]), LOSS_OK);
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 2, 3, &verdicts[1]),
                      LOSS_OK);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 2, 3, &verdicts[2]), LOSS_OK);
        assert_int_equal(verdicts[0], LOSS_CHECK_OK);
        assert_int_equal(verdicts[1], LOSS_CHECK_OK);
        assert_true(verdicts[2] != LOSS_CHECK_WRONG);
        loss_difference_free(d);
        unmake(&f);
    }
}
