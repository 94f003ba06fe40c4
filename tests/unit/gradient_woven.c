/*
 * Sparse rows of very many features, whose parameters and sums a pass lays side by side: one feature fewer and it does not, and an
 * additional feature that no row has changes no bit of anything.
 */
#include <stdlib.h>
#include <string.h>

#include "gradient_sparse.h"

enum { FEATURES = 1 << 15, ROWS = 34000, PER_ROW = 32, THREADS = 3 }; /* two slices of sums */

typedef struct form {
    loss_dtype dtype, index_dtype;
    const char *loss;
    int32_t intercept;
} form;

static const form forms[] = {
    {LOSS_FLOAT64, LOSS_INT32, "logistic", 1},
    {LOSS_FLOAT32, LOSS_INT64, "huber", 1},
    {LOSS_FLOAT64, LOSS_INT64, "squared_error", 0},
};

/* Entries everywhere, the last feature but one too; every 97th row is short. */
static csr make_features(const form *f)
{
    csr m = {.dtype = f->dtype, .offset_dtype = LOSS_INT64, .index_dtype = f->index_dtype, .rows = ROWS};
    m.offsets = calloc(ROWS + 1, 8);
    m.indices = calloc((size_t)ROWS * PER_ROW, 8);
    m.values = calloc((size_t)ROWS * PER_ROW, 8);
    assert_true(m.offsets != NULL && m.indices != NULL && m.values != NULL);
    for (int64_t i = 0; i < ROWS; i++) {
        for (int64_t e = i % 97 == 0 ? PER_ROW - i % 5 : 0; e < PER_ROW; e++, m.entries++) {
            csr_put(m.index_dtype, m.indices, m.entries, (i * 7919 + e * e * 104729) % (FEATURES - 1));
            set_element(m.values, m.dtype, m.entries, scatter(i * PER_ROW + e) - 0.5);
        }
        csr_put(m.offset_dtype, m.offsets, i + 1, m.entries);
    }
    return m;
}

/* Value and gradient with so many features: gradient without that of a last one, which has to be 0. */
static void evaluate(const form *f, csr *features, int64_t columns, int32_t threads, double *value,
                     char *gradient)
{
    const int64_t size = loss_dtype_size(f->dtype), n = columns + f->intercept;
    char *x = calloc((size_t)n, 8), *out = calloc((size_t)n, 8), *target = calloc(ROWS, 8);
    loss_context *context;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    assert_true(x != NULL && out != NULL && target != NULL);
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, f->loss), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    for (int64_t j = 0; j < FEATURES - 1; j++) {
        set_element(x, f->dtype, j, scatter(j) - 0.5);
    }
    if (f->intercept) {
        set_element(x, f->dtype, n - 1, 0.25);
    }
    for (int64_t i = 0; i < ROWS; i++) {
        set_element(target, f->dtype, i, (double)(i % 3 == 0));
    }
    features->columns = columns;
    csr_set(context, data, features);
    assert_status(context, loss_data_set_input(data, "target", target, f->dtype, ROWS, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "intercept", f->intercept), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, x, value, out), LOSS_OK);
    memcpy(gradient, out, (size_t)((FEATURES - 1) * size));
    memcpy(gradient + (FEATURES - 1) * size, out + columns * size, (size_t)(f->intercept * size));
    assert_true(columns < FEATURES || element(out, f->dtype, FEATURES - 1) == 0);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_function_free(function);
    loss_context_free(context);
    free(x);
    free(out);
    free(target);
}

void sparse_woven(void **state)
{
    static char apart[FEATURES * 8], woven[FEATURES * 8];
    (void)state;
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        csr features = make_features(&forms[k]);
        double value, other;
        memset(apart, 0, sizeof apart);
        memset(woven, 0, sizeof woven);
        evaluate(&forms[k], &features, FEATURES - 1, 1, &value, apart);
        for (int32_t threads = 1; threads <= THREADS; threads++) {
            evaluate(&forms[k], &features, FEATURES, threads, &other, woven);
            assert_memory_equal(&value, &other, sizeof value);
            assert_memory_equal(apart, woven, sizeof apart);
        }
        csr_free(&features);
    }
}
