/*
 * Every loss of the catalogue that a linear model can have × every penalty and none × dense and sparse features × element types:
 * the gradient and the Hessian product against differences, along each parameter and along directions. Of a penalty the smooth
 * part has derivatives; the rough one counts in values only, and checks leave it out.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient_sparse.h"

enum { DIMENSION_MOST = 9000, MANY = 24, KINDS = 7 };

static int failures, checks,
    unsure; /* counted, so that all are shown; unsure: said to be kinks, or noise, in float32 */

static const double strength = 0.03, ratio = 0.4, lowest = -0.07, highest = 0.05, total = 1.7;

static const char *const kinds[KINDS] = {NULL, "box", "elastic_net", "group_lasso", "l1", "l2", "simplex"};

static int is(const char *kind, const char *name)
{
    return kind != NULL && strcmp(kind, name) == 0;
}

static int is_a_set(const char *kind)
{
    return is(kind, "box") || is(kind, "simplex");
}

static void add_penalty(loss_context *context, loss_objective *objective, const char *kind)
{
    loss_penalty *penalty;
    if (kind == NULL) {
        return;
    }
    assert_status(context, loss_penalty_create(&penalty, context, kind), LOSS_OK);
    if (is(kind, "box")) {
        assert_status(context, loss_penalty_set_double(penalty, "lower", lowest), LOSS_OK);
        assert_status(context, loss_penalty_set_double(penalty, "upper", highest), LOSS_OK);
    } else if (is(kind, "simplex")) {
        assert_status(context, loss_penalty_set_double(penalty, "total", total), LOSS_OK);
    } else {
        assert_status(context, loss_penalty_set_double(penalty, "strength", strength), LOSS_OK);
    }
    if (is(kind, "elastic_net")) {
        assert_status(context, loss_penalty_set_double(penalty, "l1_ratio", ratio), LOSS_OK);
    } else if (is(kind, "group_lasso")) {
        assert_status(context, loss_penalty_set_int(penalty, "group_size", 3), LOSS_OK);
    }
    assert_status(context, loss_objective_add_penalty(objective, penalty), LOSS_OK);
    loss_penalty_free(penalty);
}

/* The factor of a penalty's ½Σx², by its definition. */
static double of_squares(const char *kind)
{
    return is(kind, "l2") ? strength : is(kind, "elastic_net") ? strength * (1 - ratio) : 0;
}

/* The value of a penalty of n parameters, by its definition; the model's lie outside of both sets. */
static double value_of(const char *kind, loss_dtype dtype, const void *x, int64_t n)
{
    double squares = 0, magnitudes = 0, norms = 0, group = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x_i = element(x, dtype, i);
        squares += x_i * x_i;
        magnitudes += fabs(x_i);
        group += x_i * x_i;
        if (i % 3 == 2 || i == n - 1) {
            norms += sqrt((double)(i % 3 + 1)) * sqrt(group);
            group = 0;
        }
    }
    return is_a_set(kind)            ? (double)INFINITY
           : is(kind, "l1")          ? strength * magnitudes
           : is(kind, "group_lasso") ? strength * norms
           : is(kind, "elastic_net") ? strength * (ratio * magnitudes + (1 - ratio) / 2 * squares)
                                     : of_squares(kind) / 2 * squares;
}

typedef struct derivatives {
    double value, gradient[DIMENSION_MOST], product[DIMENSION_MOST];
} derivatives;

static loss_objective *objective_of(loss_context *context, const loss_function *function, const model *m,
                                    const csr *features, const char *kind)
{
    loss_data *data = model_data(context, m);
    if (features != NULL) {
        csr_set(context, data, features);
    }
    loss_objective *objective = model_objective_of(context, function, data, m);
    loss_data_free(data);
    add_penalty(context, objective, kind);
    return objective;
}

static void differentiate(loss_context *context, loss_objective *objective, const model *m, int infinite,
                          derivatives *d)
{
    memset(d, 0, sizeof *d);
    assert_status(context, loss_objective_evaluate(objective, m->parameters, &d->value, d->gradient),
                  infinite ? LOSS_ERROR_NONFINITE : LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->parameters, m->direction, d->product),
                  LOSS_OK);
}

/* What a penalty adds: to the value all of it, to derivatives the smooth part's. The intercepts have none. */
static void assert_added(const model *m, const char *kind, const derivatives *plain, const derivatives *with)
{
    const loss_dtype dtype = m->rows.dtype;
    const int64_t weights = m->outputs * m->features;
    const double unit = dtype == LOSS_FLOAT32 ? 0x1p-23 : 0x1p-52, factor = of_squares(kind);
    const double added = value_of(kind, dtype, m->parameters, weights);
    if (is_a_set(kind)) {
        return; /* no value there: the gradient is unspecified */
    }
    assert_close(with->value, plain->value + added, 64 * 0x1p-52, 0);
    for (int64_t i = 0; i < m->dimension; i++) {
        const double g = element(plain->gradient, dtype, i), h = element(plain->product, dtype, i);
        const double x = i < weights ? factor * element(m->parameters, dtype, i) : 0;
        const double v = i < weights ? factor * element(m->direction, dtype, i) : 0;
        assert_close(element(with->gradient, dtype, i), g + x, 0, 2 * unit * (fabs(g) + fabs(x)));
        assert_close(element(with->product, dtype, i), h + v, 0, 2 * unit * (fabs(h) + fabs(v)));
    }
}

/*
 * A check contradicts nowhere. Where the loss has a kink nearby, a difference may see it or say too little; and a value of float32
 * predictions is a staircase, whose steps look like kinks where they happen to be alike: seldom.
 */
static void judge(loss_context *context, const loss_function *function, const char *kind, const char *what,
                  int32_t verdict, int32_t single, int32_t kinked)
{
    const int32_t is_unsure = verdict != LOSS_CHECK_OK && single && !kinked;
    checks += single && !kinked;
    unsure += is_unsure;
    if (verdict == LOSS_CHECK_WRONG || (verdict != LOSS_CHECK_OK && !kinked && !single)) {
        print_error("%s, penalty %s: %s: verdict %d: %s\n", loss_function_name(function),
                    kind == NULL ? "none" : kind, what, (int)verdict, loss_context_error(context));
        failures++;
    }
}

static void run_checks(loss_context *context, const loss_function *function, loss_objective *objective,
                       const void *x, const char *kind)
{
    const int32_t single = loss_objective_dtype(objective) == LOSS_FLOAT32;
    double smoothness;
    int32_t verdict = -1;
    assert_status(context, loss_function_number(function, "continuous_derivatives", &smoothness), LOSS_OK);
    /* A direction has all parameters: of those many that the groups of 17 classes and more need, each is looked at once. */
    if (kind == NULL || loss_objective_dimension(objective) <= MANY) {
        assert_status(context, loss_objective_check(objective, x, 5, &verdict), LOSS_OK);
        judge(context, function, kind, "gradient", verdict, single, smoothness < 1);
    }
    assert_status(context, loss_objective_check_directions(objective, x, 1, 5, &verdict), LOSS_OK);
    judge(context, function, kind, "directions", verdict, single, smoothness < 1);
    assert_status(context, loss_objective_check_product(objective, x, 1, 5, &verdict), LOSS_OK);
    judge(context, function, kind, "product", verdict, single, smoothness < 2);
}

static void derivatives_of(loss_context *context, const loss_function *function, const vector_group *group,
                           int32_t pointwise)
{
    static derivatives plain, with;
    model m = model_of_group(group, 7, 2, 1, pointwise, 1);
    assert_true(m.dimension <= DIMENSION_MOST);
    m.rows.give |= GIVE_WEIGHT | GIVE_MASK;
    model_thin(&m);
    csr features = csr_of(m.rows.dtype, m.x, m.rows.rows, m.features, SPLIT);
    for (int sparse = 0; sparse < 2; sparse++) {
        for (int k = 0; k < KINDS; k++) {
            loss_objective *objective = objective_of(context, function, &m, sparse ? &features : NULL,
                                                     kinds[k]);
            differentiate(context, objective, &m, is_a_set(kinds[k]), k == 0 ? &plain : &with);
            if (k > 0) {
                assert_added(&m, kinds[k], &plain, &with);
            }
            run_checks(context, function, objective, m.parameters, kinds[k]);
            loss_objective_free(objective);
        }
    }
    csr_free(&features);
    model_free(&m);
}

static void every_loss_and_penalty(void **state)
{
    (void)state;
    for_every_loss(derivatives_of);
    assert_int_equal(failures, 0);
    assert_in_range(100 * unsure, 0, checks); /* one in a hundred */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loss_and_penalty),
    };
    return cmocka_run_group_tests_name("gradient_penalties", tests, NULL, NULL);
}
