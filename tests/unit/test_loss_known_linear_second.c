/*
 * Second derivatives of linear cross-entropy beyond the sizes of the reference vectors: several tiles and blocks of rows and of
 * classes, none of them whole, by the definition; the same bits everywhere; classes that are shut out; memory.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "linear_problem.h"
#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

typedef struct result {
    void *gradient[ROLES], *curvature[ROLES], *product[ROLES];
} result;

static result solve(loss_context *with, const problem *p, const char *kind, const char *options)
{
    loss_function *function = make_function("linear_cross_entropy", options);
    loss_data *inputs = create_inputs(with, p), *outputs;
    result made;
    char name[64];
    assert_status(with, loss_function_set_string(function, "curvature", kind), LOSS_OK);
    assert_status(with, loss_data_create(&outputs, with), LOSS_OK);
    for (int r = 0; r < ROLES; r++) {
        if (p->direction[r] != NULL) {
            snprintf(name, sizeof name, "%s.direction", role_names[r]);
            loss_data_set_input(inputs, name, p->direction[r], p->dtype, role_rows(p, r), role_columns(p, r),
                                role_stride(p, r), 1);
        }
        made.gradient[r] = set_result(outputs, p, r, "gradient");
        made.curvature[r] = set_result(outputs, p, r, "curvature");
        made.product[r] = set_result(outputs, p, r, "product");
    }
    assert_status(with, loss_function_evaluate(with, function, inputs, outputs, NULL, NULL), LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return made;
}

static void free_result(result *made)
{
    for (int r = 0; r < ROLES; r++) {
        free(made->gradient[r]);
        free(made->curvature[r]);
        free(made->product[r]);
    }
}

/* ---- against the definition, in long double ---- */

typedef struct sums {
    long double *curvature[ROLES], *product[ROLES]; /* without padding */
} sums;

static long double at(const problem *p, void *const *arrays, int r, int64_t i, int64_t k)
{
    return arrays[r] == NULL ? 0 : element(arrays[r], p->dtype, i * role_stride(p, r) + k);
}

/* What row i adds: z and a', p, then g and h of each class. */
static void add_row(const problem *p, int64_t i, int32_t exact, const sums *to)
{
    const long double weight = p->scale * (long double)element(p->weight, p->dtype, i);
    long double *probability = calloc((size_t)(2 * p->classes), sizeof *probability), total = 0, mean = 0;
    assert_non_null(probability);
    long double *along = probability + p->classes;
    for (int64_t c = 0; c < p->classes; c++) {
        long double z = at(p, p->x, BIAS, 0, c);
        along[c] = at(p, p->direction, BIAS, 0, c);
        for (int64_t k = 0; k < p->d; k++) {
            const long double x = at(p, p->x, FEATURES, i, k), w = at(p, p->x, COEFFICIENTS, c, k);
            z += x * w;
            along[c] += at(p, p->direction, FEATURES, i, k) * w + x * at(p, p->direction, COEFFICIENTS, c, k);
        }
        probability[c] = expl(z);
        total += probability[c];
    }
    for (int64_t c = 0; c < p->classes; c++) {
        probability[c] /= total;
        mean += probability[c] * along[c];
    }
    for (int64_t k = 0; k < p->d; k++) {
        long double middle = 0, square = 0;
        for (int64_t c = 0; c < p->classes; c++) {
            const long double w = at(p, p->x, COEFFICIENTS, c, k);
            middle += probability[c] * w;
            square += probability[c] * w * w;
        }
        to->curvature[FEATURES][i * p->d + k] = weight * (square - middle * middle);
    }
    for (int64_t c = 0; c < p->classes; c++) {
        const long double q = probability[c], g = exact ? weight * (q - (c == p->label[i])) : 0,
                          h = weight * q * (along[c] - mean), bend = weight * q * (1 - q);
        to->product[BIAS][c] += h;
        to->curvature[BIAS][c] += bend;
        for (int64_t k = 0; k < p->d; k++) {
            const long double x = at(p, p->x, FEATURES, i, k);
            to->product[FEATURES][i * p->d + k] += h * at(p, p->x, COEFFICIENTS, c, k) +
                                                   g * at(p, p->direction, COEFFICIENTS, c, k);
            to->product[COEFFICIENTS][c * p->d + k] += h * x + g * at(p, p->direction, FEATURES, i, k);
            to->curvature[COEFFICIENTS][c * p->d + k] += bend * x * x;
        }
    }
    free(probability);
}

/* Terms of a sum are of size 8 at most, and rows or classes add few of that size. */
static void check_array(const problem *p, int r, const void *found, const long double *wanted)
{
    const long double room = p->dtype == LOSS_FLOAT32 ? 4e-6L : 2e-14L;
    for (int64_t i = 0; i < role_rows(p, r); i++) {
        for (int64_t k = 0; k < role_columns(p, r); k++) {
            const double got = element(found, p->dtype, i * role_stride(p, r) + k);
            if (!(fabsl(got - wanted[i * role_columns(p, r) + k]) <= room)) {
                fail_msg("%s %lld, %lld: %.17g is not %.17Lg", role_names[r], (long long)i, (long long)k, got,
                         wanted[i * role_columns(p, r) + k]);
            }
        }
    }
}

static void check_against_definition(const problem *p, int32_t exact, const result *found)
{
    sums wanted;
    for (int r = 0; r < ROLES; r++) {
        const size_t count = (size_t)(role_rows(p, r) * role_columns(p, r));
        wanted.curvature[r] = calloc(count, sizeof(long double));
        wanted.product[r] = calloc(count, sizeof(long double));
        assert_true(wanted.curvature[r] != NULL && wanted.product[r] != NULL);
    }
    for (int64_t i = 0; i < p->rows; i++) {
        if (p->label[i] >= 0) {
            add_row(p, i, exact, &wanted);
        }
    }
    for (int r = 0; r < ROLES; r++) {
        check_array(p, r, found->curvature[r], wanted.curvature[r]);
        check_array(p, r, found->product[r], wanted.product[r]);
        free(wanted.curvature[r]);
        free(wanted.product[r]);
    }
}

static void test_definition(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        problem p = make_problem(dtypes[k % 2], ROWS, CLASSES, D, k / 2 * 3);
        const int32_t exact = k == 0 || k == 3;
        result found = solve(context, &p, exact ? "exact" : "gauss_newton", "");
        check_against_definition(&p, exact, &found);
        free_result(&found);
        free_problem(&p);
    }
}

/* A direction that is not given is 0. */
static void test_directions(void **state)
{
    (void)state;
    for (int role = 0; role < ROLES; role++) {
        problem p = make_problem(LOSS_FLOAT64, 70, 130, 5, 0);
        for (int r = 0; r < ROLES; r++) {
            if (r != role) {
                free(p.direction[r]);
                p.direction[r] = NULL;
            }
        }
        result found = solve(context, &p, "exact", "");
        check_against_definition(&p, 1, &found);
        free_result(&found);
        free_problem(&p);
    }
}

/* ---- the same bits, classes that are shut out, memory ---- */

static void assert_same_result(const result *a, const result *b, const problem *p)
{
    for (int r = 0; r < ROLES; r++) {
        const int64_t count = role_rows(p, r) * role_stride(p, r);
        assert_same_bits(a->gradient[r], b->gradient[r], p->dtype, count);
        assert_same_bits(a->curvature[r], b->curvature[r], p->dtype, count);
        assert_same_bits(a->product[r], b->product[r], p->dtype, count);
    }
}

static void test_same_bits(void **state)
{
    static const char options[] = "soft_cap=3;label_smoothing=0.125;temperature=0.7;z_loss=0.01";
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], ROWS, CLASSES, D, 0);
        result first = solve(context, &p, "exact", options);
        for (int32_t isa = 0; loss_context_isa_name(context, isa) != NULL; isa++) {
            for (int64_t threads = 1; threads <= 8; threads *= 8) {
                loss_context *other = create_with_isa(isa, threads);
                result again = solve(other, &p, "exact", options);
                assert_same_result(&again, &first, &p);
                free_result(&again);
                loss_context_free(other);
            }
        }
        free_result(&first);
        free_problem(&p);
    }
}

/* Classes shut out by a bias of minus infinity, among them all of the first tile, are as if they were not there. */
static void test_shut_out(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], 20, 200, 4, 0);
        for (int64_t c = 0; c < 100; c++) {
            set_element(p.x[BIAS], p.dtype, c, -INFINITY);
        }
        for (int64_t i = 0; i < p.rows; i++) {
            p.label[i] = 100 + (int32_t)i;
        }
        result found = solve(context, &p, "exact", "");
        check_against_definition(&p, 1, &found);
        for (int64_t c = 0; c < 100; c++) {
            assert_close(element(found.product[BIAS], p.dtype, c), 0, 0, 0);
            assert_close(element(found.curvature[BIAS], p.dtype, c), 0, 0, 0);
        }
        free_result(&found);
        free_problem(&p);
    }
}

/* A logits matrix of 1024 x 16384 would be 64 MiB; threads share what there is. */
static void test_memory(void **state)
{
    static const struct {
        int64_t rows, classes, d, threads;
    } cases[] = {{1024, 16384, 3, 1}, {64, 512, 2048, 1}, {256, 2048, 47, 32}};
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        test_allocator allocator = {0};
        loss_context *counted = create_counted(&allocator, cases[k].threads);
        problem p = make_problem(LOSS_FLOAT32, cases[k].rows, cases[k].classes, cases[k].d, 0);
        result found = solve(counted, &p, "exact", "soft_cap=3");
        assert_true(allocator.live_bytes > 0 && allocator.live_bytes < 8 << 20);
        free_result(&found);
        free_problem(&p);
        loss_context_free(counted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition), cmocka_unit_test(test_directions),
        cmocka_unit_test(test_same_bits),  cmocka_unit_test(test_shut_out),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("linear cross-entropy, second derivatives", tests, known_setup,
                                       known_teardown);
}
