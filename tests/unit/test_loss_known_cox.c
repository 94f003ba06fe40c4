/*
 * Cox's partial likelihood of rows that are at risk from a time of their own on: a known example, and what starts may not change.
 */
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { ROWS = 40 };

static const double infinity = (double)INFINITY;

typedef known_outputs call;

/* start and weight may be NULL. */
static call entering(const char *options, loss_dtype dtype, int64_t rows, const double *x,
                     const double *start, const double *time, const double *event, const double *weight)
{
    double direction[ROWS];
    known_role given[] = {{"prediction", rows, 1, x, 0}, {"time", rows, 1, time, 0},
                          {"event", rows, 1, event, 0},  {NULL, 0, 0, NULL, 0},
                          {NULL, 0, 0, NULL, 0},         {NULL, 0, 0, NULL, 0}};
    int next = 3;
    if (start != NULL) {
        given[next++] = (known_role){"start", rows, 1, start, 0};
    }
    if (weight != NULL) {
        given[next] = (known_role){"weight", rows, 1, weight, 0};
    }
    for (int64_t i = 0; i < rows; i++) {
        direction[i] = (double)i + 1;
    }
    call made = evaluate_roles("cox", options, dtype, given, "prediction", direction, 1, 1);
    assert_status(context, made.status, LOSS_OK);
    return made;
}

/* Scores, and times with ties or without. */
static void cohort(int seed, int64_t ties, double *x, double *time, double *event)
{
    for (int i = 0; i < ROWS; i++) {
        x[i] = 4 * scatter(seed + i) - 2;
        time[i] = (double)(ties > 0 ? (i * 17 + seed) % ties : (i * 17 + seed) % 41);
        event[i] = scatter(seed + 2000 + i) < 0.6;
    }
}

/*
 * The second data set of Therneau & Grambsch, Modeling survival data (2000), appendix E, which R's coxph() shows too: at each event
 * time those at risk are counted by hand, r = e^b being the risk of x = 1.
 */
static void test_therneau_grambsch(void **state)
{
    static const double start[] = {1, 2, 5, 2, 1, 7, 3, 4, 8, 8}, time[] = {2, 3, 6, 7, 8, 9, 9, 9, 14, 17},
                        event[] = {1, 1, 1, 1, 1, 1, 1, 0, 0, 0}, x[] = {1, 0, 0, 1, 0, 1, 1, 1, 0, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (double b = -0.75; b < 3; b += 0.75) {
            const double r = exp(b);
            const double both = log(r + 1) + log(r + 2) + 2 * log(3 * r + 2) + 2 * log(3 * r + 1) - 4 * b;
            const double slope = r / (r + 1) + r / (r + 2) + 6 * r / (3 * r + 2) + 6 * r / (3 * r + 1) - 4;
            double scores[10], along = 0, along_efron = 0;
            for (int i = 0; i < 10; i++) {
                scores[i] = b * x[i];
            }
            const call breslow = entering("", dtypes[k], 10, scores, start, time, event, NULL);
            const call efron = entering("ties=efron", dtypes[k], 10, scores, start, time, event, NULL);
            for (int i = 0; i < 10; i++) {
                along += breslow.gradient[i] * x[i];
                along_efron += efron.gradient[i] * x[i];
            }
            assert_close(breslow.sum, both + log(3 * r + 2), 4 * tolerance[k], 0);
            assert_close(efron.sum, both + log(2 * r + 2), 4 * tolerance[k], 0);
            assert_close(along, slope + 3 * r / (3 * r + 2), 0, 40 * tolerance[k]);
            assert_close(along_efron, slope + 2 * r / (2 * r + 2), 0, 40 * tolerance[k]);
            assert_close(breslow.denominator, 7, 0, 0);
        }
    }
}

static void assert_near(const call *a, const call *b, int64_t rows, int k)
{
    for (int64_t i = 0; i < rows; i++) {
        assert_close(a->gradient[i], b->gradient[i], 4 * tolerance[k], 1e-14);
        assert_close(a->curvature[i], b->curvature[i], 4 * tolerance[k], 1e-14);
        assert_close(a->product[i], b->product[i], 4 * tolerance[k], 1e-14);
    }
    assert_close(a->sum, b->sum, 4 * tolerance[k], 0);
    assert_close(a->denominator, b->denominator, 0, 0);
}

/* A start before all event times changes nothing; whoever starts at or after the last event is at no risk at all. */
static void test_starts_without_effect(void **state)
{
    double x[ROWS], time[ROWS], event[ROWS], start[ROWS], weight[ROWS];
    (void)state;
    for (int k = 0; k < 8; k++) {
        const char *options = k % 4 < 2 ? "" : "ties=efron";
        const double *weights = k < 4 ? NULL : weight;
        cohort(7 + k, k % 2 ? 8 : 0, x, time, event);
        for (int i = 0; i < ROWS; i++) {
            start[i] = i % 3 == 0 ? -infinity : -1 - scatter(i);
            weight[i] = 0.25 + scatter(i + 77);
        }
        const call plain = entering(options, dtypes[k % 2], ROWS, x, NULL, time, event, weights);
        const call entered = entering(options, dtypes[k % 2], ROWS, x, start, time, event, weights);
        assert_near(&entered, &plain, ROWS, k % 2);
        for (int i = ROWS - 5; i < ROWS; i++) {
            x[i] += 20; /* it would have dominated */
            start[i] = 50;
            time[i] = 51 + i;
            event[i] = 0;
        }
        const call fewer = entering(options, dtypes[k % 2], ROWS - 5, x, NULL, time, event, weights);
        const call late = entering(options, dtypes[k % 2], ROWS, x, start, time, event, weights);
        assert_near(&late, &fewer, ROWS - 5, k % 2);
        assert_close(late.gradient[ROWS - 1], 0, 0, 0);
    }
}

/* A row is as good as two, one until some time between events and one from it on: derivatives add up. */
static void test_split_rows(void **state)
{
    enum { HALF = ROWS / 2 };
    double x[ROWS], time[ROWS], event[ROWS], start[ROWS];
    (void)state;
    for (int k = 0; k < 4; k++) {
        const char *options = k < 2 ? "" : "ties=efron";
        for (int seed = 0; seed < 20; seed++) {
            cohort(seed * 60, seed % 2 ? 5 : HALF, x, time, event);
            for (int i = 0; i < HALF; i++) {
                x[i] += i % 7 == 3 ? 25 : 0; /* now and then the largest by far */
                start[i] = floor((time[i] + 1) * scatter(seed + 100 + i)) - 1;
            }
            const call whole = entering(options, dtypes[k % 2], HALF, x, start, time, event, NULL);
            for (int i = 0; i < HALF; i++) {
                x[HALF + i] = x[i];
                time[HALF + i] = time[i];
                event[HALF + i] = event[i];
                time[i] = start[HALF + i] = floor(start[i] + (time[i] - start[i]) * scatter(seed + i)) + 0.5;
                event[i] = 0;
            }
            const call halves = entering(options, dtypes[k % 2], ROWS, x, start, time, event, NULL);
            assert_close(halves.sum, whole.sum, 4 * tolerance[k % 2], 0);
            for (int i = 0; i < HALF; i++) {
                assert_close(halves.gradient[i] + halves.gradient[HALF + i], whole.gradient[i],
                             4 * tolerance[k % 2], tolerance[k % 2]);
                assert_close(halves.curvature[i] + halves.curvature[HALF + i], whole.curvature[i],
                             4 * tolerance[k % 2], 0);
            }
        }
    }
}

/* Nobody is at risk in an empty interval: NaN, as of a failure time whose bounds have changed places. */
static void test_empty_interval(void **state)
{
    static const double x[] = {0.5, 1, 2}, time[] = {1, 2, 3}, event[] = {1, 0, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int at = 0; at < 3; at++) {
            double start[] = {0, 0.5, 1};
            assert_true(entering("", dtypes[k], 3, x, start, time, event, NULL).sum > 0);
            start[at] = time[at];
            assert_close(entering("", dtypes[k], 3, x, start, time, event, NULL).sum, (double)NAN, 0, 0);
            start[at] = (double)NAN;
            assert_close(entering("", dtypes[k], 3, x, start, time, event, NULL).gradient[0], (double)NAN, 0,
                         0);
        }
    }
}

/* Nobody had an event: there is nothing to explain, which is 0 of 0 and not NaN, whatever the scores. */
static void test_no_events(void **state)
{
    double x[ROWS], time[ROWS], event[ROWS], weight[ROWS];
    (void)state;
    for (int k = 0; k < 8; k++) {
        cohort(11 + k, k & 2 ? 8 : 0, x, time, event);
        for (int i = 0; i < ROWS; i++) {
            x[i] *= 300;
            event[i] = 0;
            weight[i] = 0.25 + scatter(i + 77);
        }
        const call made = entering(k & 4 ? "ties=efron" : "", dtypes[k % 2], ROWS, x, NULL, time, event,
                                   k & 2 ? weight : NULL);
        assert_close(made.sum, 0, 0, 0);
        assert_close(made.denominator, 0, 0, 0);
        for (int i = 0; i < ROWS; i++) {
            assert_close(made.gradient[i], 0, 0, 0);
            assert_close(made.curvature[i], 0, 0, 0);
            assert_close(made.product[i], 0, 0, 0);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_therneau_grambsch), cmocka_unit_test(test_starts_without_effect),
        cmocka_unit_test(test_split_rows),        cmocka_unit_test(test_empty_interval),
        cmocka_unit_test(test_no_events),
    };
    return cmocka_run_group_tests_name("loss_known_cox", tests, known_setup, known_teardown);
}
