/*
 * The derivative checks of networks of rectifiers in float32, whose kinks lie within the steps of the differences: a right gradient does not
 * fail, a wrong one does.
 */
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

enum { ROWS = 6, FEATURES = 5, HIDDEN = 16, X = FEATURES * HIDDEN + HIDDEN + HIDDEN };

/* Σ over rows of (target − Σ_j out_j max(0, Σ_i feature_i in_ij + bias_j))² / rows, and what is done to its gradient. */
typedef struct network {
    float features[ROWS][FEATURES], target[ROWS];
    int32_t
        spoiled; /* 0: right; 1: parameter 5 a tenth too large; 2: one bias forgotten; 3: of the other sign; 4: slope 1 below 0 */
} network;

static double draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

static int32_t evaluate(void *user, int64_t dimension, const void *x, double *value, void *gradient)
{
    const network *n = user;
    (void)dimension;
    const float *in = x, *bias = in + FEATURES * HIDDEN, *out = bias + HIDDEN;
    float *g = gradient;
    *value = 0;
    if (g != NULL) {
        memset(g, 0, X * sizeof *g);
    }
    for (int r = 0; r < ROWS; r++) {
        float hidden[HIDDEN], error = -n->target[r];
        for (int j = 0; j < HIDDEN; j++) {
            hidden[j] = bias[j];
            for (int i = 0; i < FEATURES; i++) {
                hidden[j] += n->features[r][i] * in[i * HIDDEN + j];
            }
            error += out[j] * fmaxf(hidden[j], 0);
        }
        *value += (double)(error * error) / ROWS;
        for (int j = 0; j < HIDDEN && g != NULL; j++) {
            const float up = 2 * error / ROWS, below = n->spoiled == 4 ? 1 : 0;
            const float slope = up * out[j] * (hidden[j] > 0 ? 1 : below);
            for (int i = 0; i < FEATURES; i++) {
                g[i * HIDDEN + j] += slope * n->features[r][i];
            }
            g[FEATURES * HIDDEN + j] += n->spoiled == 2 && j == 1 ? 0 : slope;
            g[FEATURES * HIDDEN + HIDDEN + j] += up * fmaxf(hidden[j], 0);
        }
    }
    for (int k = 0; k < X && g != NULL; k++) {
        g[k] *= n->spoiled == 3 ? -1.0f : n->spoiled == 1 && k == 5 ? 1.1f : 1.0f;
    }
    return 0;
}

static void make(network *n, float *x, uint64_t seed, int32_t spoiled)
{
    uint64_t state = seed;
    n->spoiled = spoiled;
    for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < FEATURES; i++) {
            n->features[r][i] = (float)draw(&state);
        }
        n->target[r] = (float)draw(&state);
    }
    for (int k = 0; k < X; k++) {
        x[k] = (float)draw(&state);
    }
}

/* Whether what is wrong is a fiftieth of the gradient. */
static int32_t matters(uint64_t seed, int32_t spoiled)
{
    network n;
    float x[X], right[X], wrong[X], most = 0, apart = 0;
    double value;
    make(&n, x, seed, 0);
    evaluate(&n, X, x, &value, right);
    n.spoiled = spoiled;
    evaluate(&n, X, x, &value, wrong);
    for (int k = 0; k < X; k++) {
        most = fmaxf(most, fabsf(right[k]));
        apart = fmaxf(apart, fabsf(right[k] - wrong[k]));
    }
    return apart > most / 50;
}

static int32_t verdict_of(uint64_t seed, int32_t spoiled, int32_t directions)
{
    network n;
    float x[X];
    loss_objective *objective;
    int32_t verdict = -1;
    make(&n, x, seed, spoiled);
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT32, X, evaluate, NULL, &n),
                  LOSS_OK);
    assert_status(context,
                  directions ? loss_objective_check_directions(objective, x, 4, seed, &verdict)
                             : loss_objective_check(objective, x, seed, &verdict),
                  LOSS_OK);
    loss_objective_free(objective);
    return verdict;
}

/* Networks are numbered from 1; in the last ones, found among 3000, the differences alone contradict a right gradient. */
enum { NETWORKS = 100, HARD = 5 };
static const uint64_t hard[HARD] = {236, 257, 1654, 1863, 2425};

static void right_gradients_do_not_fail(void **unused)
{
    (void)unused;
    for (int k = 0; k < NETWORKS + HARD; k++) {
        const uint64_t seed = k < NETWORKS ? (uint64_t)k + 1 : hard[k - NETWORKS];
        for (int32_t directions = 0; directions < 2; directions++) {
            if (verdict_of(seed, 0, directions) == LOSS_CHECK_WRONG) {
                fail_msg("network %d, %s: %s", (int)seed, directions ? "directions" : "parameters",
                         loss_context_error(context));
            }
        }
    }
}

/* Of the networks in which what is wrong makes a difference nearly all are found out parameter by parameter. */
static void wrong_gradients_fail(void **unused)
{
    (void)unused;
    for (int32_t spoiled = 1; spoiled <= 4; spoiled++) {
        int32_t wrong = 0, found = 0;
        for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
            const int32_t counts = matters(seed, spoiled);
            wrong += counts;
            found += counts && verdict_of(seed, spoiled, 0) == LOSS_CHECK_WRONG;
        }
        if (wrong < NETWORKS / 10 || found < wrong * 19 / 20) {
            fail_msg("spoiled in way %d: %d of %d are found out", spoiled, found, wrong);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_gradients_do_not_fail),
        cmocka_unit_test(wrong_gradients_fail),
    };
    return cmocka_run_group_tests_name("check_kinks", tests, known_setup, known_teardown);
}
