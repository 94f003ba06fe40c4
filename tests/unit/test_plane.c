/* The trust region in a plane: (M + λI)z = −g with λ ≥ 0, M + λI positive semidefinite and λ(Δ − ‖z‖) = 0. */
#include <float.h>
#include <math.h>
#include <stdint.h>

#include "optimizer/plane.h"
#include "support/check.h"

/* −1 … 1 from a fixed recurrence. */
static double scatter(uint64_t *word)
{
    *word = *word * 6364136223846793005u + 1442695040888963407u;
    return (double)(*word >> 11) * 0x1p-52 - 1.0;
}

/* Gives λ. */
static double check_solution(const lossi_plane *p)
{
    double z[2] = {NAN, NAN};
    lossi_plane_minimize(p, z);
    double a = p->matrix[0], b = p->matrix[1], c = p->matrix[2], length = hypot(z[0], z[1]);
    double left[2] = {p->gradient[0] + a * z[0] + b * z[1], p->gradient[1] + b * z[0] + c * z[1]};
    double size = hypot(p->gradient[0], p->gradient[1]) + (fabs(a) + 2.0 * fabs(b) + fabs(c)) * length;
    double lambda = -(left[0] * z[0] + left[1] * z[1]) / length / length;
    double least = 0.5 * (a + c) - hypot(0.5 * (a - c), b);
    double tolerance = 64.0 * DBL_EPSILON * size; /* of a few operations on sums of that size */
    assert_true(length <= p->radius * (1.0 + 8.0 * DBL_EPSILON));
    if (length < p->radius * (1.0 - 8.0 * DBL_EPSILON)) { /* inside: Mz = −g */
        assert_true(fabs(lambda) * length <= tolerance);
        lambda = 0.0;
    }
    assert_close(left[0] + lambda * z[0], 0.0, 0.0, tolerance);
    assert_close(left[1] + lambda * z[1], 0.0, 0.0, tolerance);
    assert_true(lambda * length >= -tolerance);
    assert_true((least + lambda) * length >= -tolerance);
    return lambda;
}

static void solutions_fulfil_the_conditions(void **unused)
{
    static const double scales[] = {1.0, 1e-100, 1e100};
    uint64_t word = 29;
    int inside = 0, indefinite = 0;
    (void)unused;
    for (int i = 0; i < 30000; i++) {
        double scale = scales[i % 3], far = pow(10.0, 3.0 * scatter(&word));
        lossi_plane p = {{scale * scatter(&word), scale * scatter(&word)},
                         {scale * scatter(&word), 0.0, scale * scatter(&word)},
                         far};
        p.matrix[1] = scale * scatter(&word);
        inside += check_solution(&p) == 0.0;
        indefinite += p.matrix[0] * p.matrix[2] < p.matrix[1] * p.matrix[1];
    }
    assert_true(inside > 1000 && indefinite > 10000);
}

static void special_ones_too(void **unused)
{
    static const struct {
        lossi_plane plane;
        double lambda;
    } cases[] = {
        {{{0.6, -0.8}, {0.0, 0.0, 0.0}, 2.5}, 0.4},    /* a line */
        {{{0.3, 0.4}, {7.0, 0.0, 7.0}, 0.05}, 3.0},    /* no eigenvector is better than another */
        {{{0.0, 0.9}, {-2.0, 0.0, 1.0}, 1.7}, 2.0},    /* the hard case: nothing along the least */
        {{{0.0, -0.9}, {-2.0, 0.0, 1.0}, 0.1}, 8.0},   /* nothing along it, but not hard */
        {{{0.0, 0.9}, {0.0, 0.0, 3.0}, 1.7}, 0.0},     /* singular, and inside */
        {{{1.1, 0.0}, {4.4, 0.0, 0.25}, 0.25}, 0.0},   /* just inside */
        {{{0.9, 0.9}, {1.0, -3.0, 1.0}, 1.3}, NAN},    /* the least along (1, 1) */
        {{{0.9, -0.9}, {1.0, -3.0, 1.0}, 1.3}, 2.0},   /* orthogonal to it */
        {{{1e-200, 0.5}, {-1.0, 0.0, 2.0}, 3.0}, 1.0}, /* next to the hard case */
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double lambda = check_solution(&cases[i].plane);
        if (cases[i].lambda == cases[i].lambda) {
            assert_close(lambda, cases[i].lambda, 1e-12, 1e-15);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_fulfil_the_conditions),
        cmocka_unit_test(special_ones_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
