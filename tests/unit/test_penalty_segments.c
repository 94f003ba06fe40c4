/*
 * Group lasso whose groups are the segments of an optimizer, their rows or columns: the minimum is the one known in closed
 * form, whichever way the penalty is attached; what does not fit is refused.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

/* ½‖x − c‖² + strength · Σ w_g √p_g ‖x_g‖ has its minimum at c_g · max(1 − strength·w_g·√p_g/‖c_g‖, 0). */
enum { N = 9 };
static const double centre[N] = {0.7, -1.9, 1.6, -0.2, 0.9, 2.3, 0.15, -0.8, 0.35};
static const double strength = 0.4;

static const struct {
    const char *name;
    int64_t offset, rows, columns;
    double factor;
} segments[] = {{"hidden", 2, 2, 3, 0.75}, {"bias", 0, 1, 2, 0.0}, {"end", 8, 1, 1, 1.0}};

/* The group of every parameter, and how many parameters and which factor it has. */
static const struct {
    const char *groups;
    int of[N];
} partitions[] = {{"segments", {0, 0, 1, 1, 1, 1, 1, 1, 2}},
                  {"segment_rows", {0, 0, 1, 1, 1, 2, 2, 2, 3}},
                  {"segment_columns", {0, 1, 2, 3, 4, 2, 3, 4, 5}}};

enum { PARTITIONS = sizeof partitions / sizeof partitions[0] };

static double factor_at(int i)
{
    return i < 2 ? 0.0 : i < 8 ? 0.75 : 1.0;
}

static void known_minimum(int k, double *x)
{
    for (int i = 0; i < N; i++) {
        double squares = 0.0, size = 0.0;
        for (int j = 0; j < N; j++) {
            if (partitions[k].of[j] == partitions[k].of[i]) {
                squares += centre[j] * centre[j];
                size += 1.0;
            }
        }
        x[i] = centre[i] * fmax(1.0 - strength * factor_at(i) * sqrt(size) / sqrt(squares), 0.0);
    }
}

static void paraboloid_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 0.25 * (double)(i % 4) - 0.3;
    }
}

static double paraboloid_evaluate(int64_t n, const double *x, double *gradient)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        gradient[i] = x[i] - centre[i];
        sum += 0.5 * gradient[i] * gradient[i];
    }
    return sum;
}

static const problem paraboloid = {"paraboloid", N, 0.0, paraboloid_start, paraboloid_evaluate};

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    double unwanted[N];
    (void)user;
    *value = paraboloid_evaluate(n, x, gradient != NULL ? gradient : unwanted);
    return 0;
}

static loss_penalty *penalty_make(loss_context *context, const char *groups)
{
    loss_penalty *penalty = NULL;
    assert_status(context, loss_penalty_create(&penalty, context, "group_lasso"), LOSS_OK);
    assert_status(context, loss_penalty_set_double(penalty, "strength", strength), LOSS_OK);
    assert_status(context, loss_penalty_set_string(penalty, "groups", groups), LOSS_OK);
    return penalty;
}

static void attach(fixture *f, const char *groups)
{
    loss_penalty *penalty = penalty_make(f->context, groups);
    assert_status(f->context, loss_optimizer_add_penalty(f->optimizer, penalty), LOSS_OK);
    loss_penalty_free(penalty);
}

static loss_objective *objective_make(loss_context *context, const char *groups)
{
    loss_objective *objective = NULL;
    loss_penalty *penalty = penalty_make(context, groups);
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT64, N, evaluate, NULL, NULL),
                  LOSS_OK);
    assert_status(context, loss_objective_add_penalty(objective, penalty), LOSS_OK);
    loss_penalty_free(penalty);
    return objective;
}

static fixture with_segments(int32_t index, loss_dtype dtype)
{
    fixture f = fixture_make(index, &paraboloid, dtype);
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        assert_status(f.context,
                      loss_optimizer_add_segment(f.optimizer, segments[i].name, segments[i].offset,
                                                 segments[i].rows, segments[i].columns),
                      LOSS_OK);
        loss_status status = loss_optimizer_set_segment_double(f.optimizer, segments[i].name,
                                                               "penalty_factor", segments[i].factor);
        assert_true(status == LOSS_OK || status == LOSS_ERROR_SUPPORT);
    }
    loss_optimizer_set_double(f.optimizer, "gradient_tolerance", dtype == LOSS_FLOAT64 ? 1e-11 : 1e-6);
    return f;
}

/* Whether the method takes group lasso at all. */
static int takes_groups(int32_t index)
{
    fixture f = with_segments(index, LOSS_FLOAT64);
    double x[N];
    paraboloid_start(N, x);
    attach(&f, "sizes");
    loss_status status = f.stochastic ? LOSS_ERROR_SUPPORT : loss_optimizer_start(f.optimizer, x);
    assert_true(status == LOSS_OK || status == LOSS_ERROR_SUPPORT);
    fixture_drop(&f);
    return status == LOSS_OK;
}

/* Values that differ by a rounding are at points that differ by its root: a run may end there. */
static void assert_minimum(int k, const void *x, loss_dtype dtype)
{
    double expected[N];
    known_minimum(k, expected);
    for (int i = 0; i < N; i++) {
        double xi = element(x, dtype, i), slack = sqrt(dtype == LOSS_FLOAT64 ? 0x1p-52 : 0x1p-23);
        assert_close(xi, expected[i], 0.0, slack);
        assert_int_equal(xi == 0.0, expected[i] == 0.0);
    }
}

static void the_minimum_is_the_known_one(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    int methods = 0;
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < PARTITIONS && takes_groups(i); k++) {
            for (int t = 0; t < 2; t++, methods++) {
                fixture f = with_segments(i, dtypes[t]);
                const void *best = NULL;
                attach(&f, partitions[k].groups);
                start_and_run(f.optimizer, &paraboloid, dtypes[t], NULL);
                assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_x", &best), LOSS_OK);
                assert_minimum(k, best, dtypes[t]);
                fixture_drop(&f);
            }
            fixture f = with_segments(i, LOSS_FLOAT64);
            loss_objective *objective = objective_make(f.context, partitions[k].groups);
            double x[N];
            paraboloid_start(N, x);
            assert_true(loss_optimizer_minimize(f.optimizer, objective, x) > 0);
            assert_minimum(k, x, LOSS_FLOAT64);
            loss_objective_free(objective);
            fixture_drop(&f);
        }
    }
    assert_true(methods >= 2 * 2 * PARTITIONS);
}

/* The same groups by numbers: the same bits. */
static void segments_are_groups_like_any(void **unused)
{
    const int64_t sizes[] = {2, 3, 3, 1};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        uint64_t digests[2] = {0};
        for (int by_size = 0; by_size < 2 && takes_groups(i); by_size++) {
            fixture f = with_segments(i, LOSS_FLOAT64);
            loss_penalty *penalty = penalty_make(f.context, by_size ? "sizes" : "segment_rows");
            if (by_size) {
                assert_int_equal(loss_penalty_set_array(penalty, "group_sizes", sizes, LOSS_INT64, 4),
                                 LOSS_OK);
            }
            for (size_t s = 0; s < sizeof segments / sizeof segments[0]; s++) {
                assert_int_equal(
                    loss_optimizer_set_segment_double(f.optimizer, segments[s].name, "penalty_factor", 1.0),
                    LOSS_OK);
            }
            assert_int_equal(loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
            digests[by_size] = start_and_run(f.optimizer, &paraboloid, LOSS_FLOAT64, NULL).digest;
            loss_penalty_free(penalty);
            fixture_drop(&f);
        }
        assert_true(digests[0] == digests[1]);
    }
}

/* ---- what is refused ---- */

static const struct {
    int64_t first, count;
    int which; /* bits: which of the segments there are */
    int sizes; /* whether there are group_sizes too */
    loss_status status;
    const char *sentence;
} refused[] = {
    {0, 0, 0, 0, LOSS_ERROR_STATE, "'spectral_projected_gradient' has none: loss_optimizer_add_segment()"},
    {0, 0, 3, 0, LOSS_ERROR_SHAPE, "is about parameters 8 … 8, which are in no segment"},
    {0, 0, 5, 0, LOSS_ERROR_SHAPE, "is about parameters 0 … 1, which are in no segment"},
    {0, 0, 6, 0, LOSS_ERROR_SHAPE, "is about parameters 2 … 7, which are in no segment"},
    {0, 5, 7, 0, LOSS_ERROR_SHAPE, "is about parameters 0 … 4, and cuts the segment of parameters 2 … 7"},
    {3, 0, 7, 0, LOSS_ERROR_SHAPE, "is about parameters 3 … 8, and cuts the segment of parameters 2 … 7"},
    {0, 0, 7, 1, LOSS_ERROR_ARGUMENT, "has group_sizes, and groups that are segments"},
    {2, 6, 5, 0, LOSS_OK, NULL}, /* those outside the stretch do not matter */
    {2, 0, 5, 0, LOSS_OK, NULL},
};

static void what_does_not_fit_is_refused(void **unused)
{
    const int64_t sizes[] = {2, 7};
    double x[N];
    (void)unused;
    paraboloid_start(N, x);
    for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
        for (int of_objective = 0; of_objective < 2; of_objective++) {
            fixture f = fixture_make(index_of("spectral_projected_gradient"), &paraboloid, LOSS_FLOAT64);
            loss_penalty *penalty = penalty_make(f.context, "segments");
            loss_objective *objective = NULL;
            for (int i = 0; i < 3; i++) {
                if (refused[k].which >> i & 1) {
                    assert_int_equal(loss_optimizer_add_segment(f.optimizer, segments[i].name,
                                                                segments[i].offset, segments[i].rows,
                                                                segments[i].columns),
                                     LOSS_OK);
                }
            }
            assert_int_equal(loss_penalty_set_int(penalty, "first", refused[k].first), LOSS_OK);
            assert_int_equal(loss_penalty_set_int(penalty, "count", refused[k].count), LOSS_OK);
            if (refused[k].sizes) {
                assert_int_equal(loss_penalty_set_array(penalty, "group_sizes", sizes, LOSS_INT64, 2),
                                 LOSS_OK);
            }
            assert_int_equal(
                loss_objective_create_callback(&objective, f.context, LOSS_FLOAT64, N, evaluate, NULL, NULL),
                LOSS_OK);
            loss_status status;
            if (of_objective) {
                assert_int_equal(loss_objective_add_penalty(objective, penalty), LOSS_OK);
                status = loss_optimizer_minimize(f.optimizer, objective, x);
                status = status > 0 ? LOSS_OK : status;
            } else {
                assert_int_equal(loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
                status = loss_optimizer_start(f.optimizer, x);
            }
            assert_status(f.context, status, refused[k].status);
            if (refused[k].sentence != NULL) {
                assert_sentence(f.context, refused[k].sentence);
            }
            loss_penalty_free(penalty);
            loss_objective_free(objective);
            fixture_drop(&f);
        }
    }
}

static void an_objective_alone_has_no_segments(void **unused)
{
    loss_context *context = NULL;
    double x[N], g[N], value = -7.0;
    int32_t verdict = -1;
    (void)unused;
    paraboloid_start(N, x);
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    loss_objective *objective = objective_make(context, "segments");
    assert_status(context, loss_objective_evaluate(objective, x, &value, g), LOSS_ERROR_STATE);
    assert_sentence(context, "are segments of an optimizer, and the objective has none");
    assert_true(value == -7.0);
    assert_status(context, loss_objective_evaluate(objective, x, NULL, g), LOSS_OK); /* f's, which is known */
    assert_close(g[1], x[1] - centre[1], 0.0, 1e-15);
    assert_status(context, loss_objective_check(objective, x, 5, &verdict), LOSS_OK);
    assert_int_equal(verdict, LOSS_CHECK_OK);
    loss_objective_free(objective);
    loss_context_free(context);
}

static void the_factor_is_for_methods_that_take_groups(void **unused)
{
    static const struct {
        const char *method, *option;
        double value;
        loss_status status;
        const char *sentence;
    } rows[] = {
        {"spectral_projected_gradient", "penalty_factor", 0.5, LOSS_OK, NULL},
        {"accelerated_gradient", "penalty_factor", 0.0, LOSS_OK, NULL},
        {"spectral_projected_gradient", "penalty_factor", -0.5, LOSS_ERROR_RANGE, "penalty_factor"},
        {"spectral_projected_gradient", "penalty_facto", 0.5, LOSS_ERROR_NAME, "mean 'penalty_factor'"},
        {"spectral_projected_gradient", "weight_decay", 0.5, LOSS_ERROR_SUPPORT,
         "makes no use of the option 'weight_decay'"},
        {"lbfgs", "penalty_factor", 0.5, LOSS_ERROR_SUPPORT, "treats all parameters alike"},
        {"adafactor", "penalty_factor", 0.5, LOSS_ERROR_SUPPORT,
         "makes no use of the option 'penalty_factor'"},
    };
    (void)unused;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        fixture f = fixture_make(index_of(rows[k].method), &paraboloid, LOSS_FLOAT64);
        double value = -7.0;
        assert_int_equal(loss_optimizer_add_segment(f.optimizer, "hidden", 2, 2, 3), LOSS_OK);
        assert_status(f.context,
                      loss_optimizer_set_segment_double(f.optimizer, "hidden", rows[k].option, rows[k].value),
                      rows[k].status);
        if (rows[k].status != LOSS_OK) {
            assert_sentence(f.context, rows[k].sentence);
        } else {
            assert_int_equal(loss_optimizer_get_segment_double(f.optimizer, "hidden", rows[k].option, &value),
                             LOSS_OK);
            assert_true(value == rows[k].value);
        }
        fixture_drop(&f);
    }
}

/* ---- checkpoints ---- */

/* Segments and factors come with a checkpoint, the penalty does not. */
static void a_checkpoint_goes_on_with_its_groups(void **unused)
{
    const run_plan one = {.leave_after = 1};
    int32_t index = index_of("spectral_projected_gradient");
    uint64_t digests[2] = {17, 17};
    int64_t answers[2] = {0};
    (void)unused;
    for (int relay = 0; relay < 2; relay++) {
        fixture f = with_segments(index, LOSS_FLOAT64);
        run_result result = {0};
        double x[N];
        paraboloid_start(N, x);
        attach(&f, "segment_columns");
        assert_int_equal(loss_optimizer_start(f.optimizer, x), LOSS_OK);
        for (; result.outcome == LOSS_OK; answers[relay]++) {
            result = run(f.optimizer, &paraboloid, LOSS_FLOAT64, &one);
            digests[relay] = digests[relay] * 0x100000001b3u ^ result.digest;
            if (relay) {
                int64_t size = loss_optimizer_save_size(f.optimizer);
                char *blob = malloc((size_t)size);
                assert_non_null(blob);
                assert_int_equal(loss_optimizer_save(f.optimizer, blob, size), LOSS_OK);
                fixture_drop(&f);
                f = fixture_make(index, &paraboloid, LOSS_FLOAT64);
                attach(&f, "segment_columns");
                assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), LOSS_OK);
                free(blob);
            }
        }
        fixture_drop(&f);
    }
    assert_true(answers[0] > 2);
    assert_int_equal(answers[1], answers[0]);
    assert_true(digests[1] == digests[0]);
}

static void other_groups_do_not_go_on(void **unused)
{
    int32_t index = index_of("accelerated_gradient"), request;
    fixture f = with_segments(index, LOSS_FLOAT64);
    (void)unused;
    attach(&f, "segment_columns");
    start_and_run(f.optimizer, &paraboloid, LOSS_FLOAT64, &(run_plan){.leave_after = 3});
    int64_t size = loss_optimizer_save_size(f.optimizer);
    char *blob = malloc((size_t)size);
    assert_non_null(blob);
    assert_int_equal(loss_optimizer_save(f.optimizer, blob, size), LOSS_OK);
    fixture_drop(&f);
    f = fixture_make(index, &paraboloid, LOSS_FLOAT64);
    attach(&f, "segment_rows");
    assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), LOSS_ERROR_CHECKPOINT);
    assert_sentence(f.context, "its run had other penalties");
    assert_status(f.context, loss_optimizer_ask(f.optimizer, &request), LOSS_ERROR_STATE); /* as it was */
    free(blob);
    fixture_drop(&f);
}

static void the_choice_is_checked(void **unused)
{
    loss_context *context = NULL;
    const char *word = "untouched";
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    loss_penalty *penalty = penalty_make(context, "segment_rows");
    assert_status(context, loss_penalty_set_string(penalty, "groups", "rows"), LOSS_ERROR_RANGE);
    assert_sentence(context, "sizes|segments|segment_rows|segment_columns");
    assert_status(context, loss_penalty_set_string(penalty, "group", "sizes"), LOSS_ERROR_NAME);
    assert_status(context, loss_penalty_set_string(penalty, "strength", "sizes"), LOSS_ERROR_TYPE);
    assert_status(context, loss_penalty_set_string(penalty, "groups", NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_penalty_set_string(penalty, NULL, "sizes"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_penalty_set_string(NULL, "groups", "sizes"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_penalty_get_string(NULL, "groups", &word), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_penalty_get_string(penalty, NULL, &word), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_penalty_get_string(penalty, "groups", NULL), LOSS_ERROR_ARGUMENT);
    assert_string_equal(word, "untouched");
    assert_status(context, loss_penalty_get_string(penalty, "groups", &word), LOSS_OK);
    assert_string_equal(word, "segment_rows");
    loss_penalty_free(penalty);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_minimum_is_the_known_one),
        cmocka_unit_test(segments_are_groups_like_any),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(an_objective_alone_has_no_segments),
        cmocka_unit_test(the_factor_is_for_methods_that_take_groups),
        cmocka_unit_test(a_checkpoint_goes_on_with_its_groups),
        cmocka_unit_test(other_groups_do_not_go_on),
        cmocka_unit_test(the_choice_is_checked),
    };
    return cmocka_run_group_tests_name("penalties of segments", tests, NULL, NULL);
}
