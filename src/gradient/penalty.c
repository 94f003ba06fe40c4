/*
 * Penalties.
 *
 *     l2    ½ · strength · Σ x_j²        Hoerl & Kennard, Ridge regression, Technometrics 12 (1970), eq. 2.1;
 *                                        Krogh & Hertz, A simple weight decay can improve generalization (1991)
 *
 * The sum has the lanes of core/sum.h: element j belongs to lane j mod 16, a square is rounded before it is added, lanes
 * are added by halving.
 */
#include "gradient/penalty.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/option.h"
#include "core/sum.h"
#include "gradient/objective.h"

/* What a penalty computes, from its options. */
typedef struct penalty_row {
    const char *name;
    const loss_option *options;
    int32_t option_count;
    double (*value)(const lossi_options *options, loss_dtype dtype, int64_t count, const void *x);
    void (*add_gradient)(const lossi_options *options, loss_dtype dtype, const void *x, int64_t first,
                         int64_t count, double *out);
    void (*add_product)(const lossi_options *options, loss_dtype dtype, const void *direction, int64_t first,
                        int64_t count, double *out);
} penalty_row;

struct loss_penalty {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    const penalty_row *row;
    char title[32]; /* "the penalty 'l2'", for sentences */
    lossi_options options;
};

/* ---- l2 ---- */

enum { L2_STRENGTH };

static const loss_option l2_options[] = {
    [L2_STRENGTH] = {.name = "strength",
                     .type = LOSS_OPTION_DOUBLE,
                     .minimum = 0,
                     .maximum = 1e300,
                     .initial = 1,
                     .doc = "the factor before half the sum of squares"},
};

static double l2_value(const lossi_options *options, loss_dtype dtype, int64_t count, const void *x)
{
    double lanes[LOSSI_LANES] = {0};
    for (int64_t j = 0; j < count; j++) {
        const double element = lossi_real_get(dtype, x, j);
        lanes[j % LOSSI_LANES] += element * element;
    }
    return 0.5 * lossi_options_own(options, L2_STRENGTH)->number * lossi_sum_lanes(lanes);
}

/* The gradient is strength · x and the Hessian strength · 1: one function for both. */
static void l2_add(const lossi_options *options, loss_dtype dtype, const void *x, int64_t first,
                   int64_t count, double *out)
{
    const double strength = lossi_options_own(options, L2_STRENGTH)->number;
    for (int64_t i = 0; i < count; i++) {
        out[i] += strength * lossi_real_get(dtype, x, first + i);
    }
}

static const penalty_row rows[] = {
    {"l2", l2_options, 1, l2_value, l2_add, l2_add},
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* ---- life ---- */

static const char *row_name(const void *unused, int32_t index)
{
    (void)unused;
    return rows[index].name;
}

loss_status loss_penalty_create(loss_penalty **out, loss_context *context, const char *name)
{
    int32_t index = 0;
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || name == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                                          : "the name of the penalty");
    }
    while (index < ROW_COUNT && strcmp(rows[index].name, name) != 0) {
        index++;
    }
    if (index == ROW_COUNT) {
        return lossi_fail_name(context, "penalty called", name, row_name, NULL, ROW_COUNT);
    }
    loss_penalty *penalty = lossi_allocate(context, (int64_t)sizeof *penalty);
    if (penalty == NULL) {
        return lossi_fail_memory(context, "a penalty");
    }
    penalty->row = &rows[index];
    snprintf(penalty->title, sizeof penalty->title, "the penalty '%s'", penalty->row->name);
    loss_status status = lossi_options_create(&penalty->options, context, penalty->title, NULL, 0,
                                              penalty->row->options, penalty->row->option_count);
    if (status != LOSS_OK) {
        lossi_release(context, penalty);
        return status;
    }
    penalty->context = lossi_context_retain(context);
    atomic_init(&penalty->references, 1);
    atomic_init(&penalty->sealed, 0);
    *out = penalty;
    return LOSS_OK;
}

void loss_penalty_free(loss_penalty *penalty)
{
    if (penalty == NULL || atomic_fetch_sub_explicit(&penalty->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    loss_context *context = penalty->context;
    lossi_options_destroy(&penalty->options);
    lossi_release(context, penalty);
    lossi_context_drop(context);
}

/* ---- options ---- */

loss_status loss_penalty_set_double(loss_penalty *penalty, const char *name, double value)
{
    if (penalty == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (atomic_load_explicit(&penalty->sealed, memory_order_acquire)) {
        return lossi_fail(penalty->context, LOSS_ERROR_STATE,
                          "%s is sealed since an objective evaluated it; make another to change an option",
                          penalty->title);
    }
    return lossi_options_set_double(&penalty->options, name, value);
}

loss_status loss_penalty_get_double(const loss_penalty *penalty, const char *name, double *value)
{
    return penalty == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_double(&penalty->options, name, value);
}

int32_t loss_penalty_option_count(const loss_penalty *penalty)
{
    return penalty == NULL ? 0 : lossi_options_count(&penalty->options);
}

const loss_option *loss_penalty_option(const loss_penalty *penalty, int32_t index)
{
    return penalty == NULL ? NULL : lossi_options_at(&penalty->options, index);
}

/* ---- the penalties of an objective ---- */

loss_status lossi_penalties_append(lossi_penalties *penalties, loss_context *context,
                                   const loss_penalty *penalty)
{
    enum { FIRST_CAPACITY = 2 };
    /* References and the seal are bookkeeping, not contents: a const penalty may still be held and sealed. */
    loss_penalty *held = (loss_penalty *)penalty;
    if (penalties->count == penalties->capacity) {
        int32_t capacity = penalties->capacity == 0 ? FIRST_CAPACITY : 2 * penalties->capacity;
        loss_penalty **list = lossi_allocate(context, capacity * (int64_t)sizeof *list);
        if (list == NULL) {
            return lossi_fail_memory(context, "one more penalty");
        }
        if (penalties->count > 0) {
            memcpy(list, penalties->list, (size_t)penalties->count * sizeof *list);
        }
        lossi_release(context, penalties->list);
        penalties->list = list;
        penalties->capacity = capacity;
    }
    atomic_fetch_add_explicit(&held->references, 1, memory_order_relaxed);
    penalties->list[penalties->count++] = held;
    return LOSS_OK;
}

void lossi_penalties_destroy(lossi_penalties *penalties, loss_context *context)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        loss_penalty_free(penalties->list[i]);
    }
    lossi_release(context, penalties->list);
}

void lossi_penalties_seal(const lossi_penalties *penalties)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        atomic_store_explicit(&penalties->list[i]->sealed, 1, memory_order_release);
    }
}

double lossi_penalties_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t count, const void *x)
{
    double sum = 0;
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        sum += penalty->row->value(&penalty->options, dtype, count, x);
    }
    return sum;
}

void lossi_penalties_add_gradient(const lossi_penalties *penalties, loss_dtype dtype, const void *x,
                                  int64_t first, int64_t count, double *out)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        penalty->row->add_gradient(&penalty->options, dtype, x, first, count, out);
    }
}

void lossi_penalties_add_product(const lossi_penalties *penalties, loss_dtype dtype, const void *direction,
                                 int64_t first, int64_t count, double *out)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        penalty->row->add_product(&penalty->options, dtype, direction, first, count, out);
    }
}
