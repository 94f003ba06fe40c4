/* Objectives as handles: what every kind has in common - life, options, checks of arguments, penalties attached. */
#include "gradient/objective.h"

#include <math.h>
#include <string.h>

/* ---- life ---- */

loss_objective *lossi_objective_new(loss_context *context, const lossi_objective_kind *kind, int64_t size,
                                    loss_dtype dtype)
{
    loss_objective *objective = lossi_allocate(context, size);
    if (objective == NULL || lossi_options_create(&objective->options, context, kind->name, NULL, 0,
                                                  kind->options, kind->option_count) != LOSS_OK) {
        lossi_release(context, objective);
        lossi_fail_memory(context, "an objective");
        return NULL;
    }
    objective->context = lossi_context_retain(context);
    atomic_init(&objective->references, 1);
    objective->kind = kind;
    objective->dtype = dtype;
    objective->real_size = (int32_t)loss_dtype_size(dtype);
    objective->check_index = -1;
    objective->check_direction = -1;
    objective->check_slope = NAN;
    return objective;
}

loss_objective *lossi_objective_retain(loss_objective *objective)
{
    atomic_fetch_add_explicit(&objective->references, 1, memory_order_relaxed);
    return objective;
}

void lossi_objective_drop(loss_objective *objective)
{
    if (atomic_fetch_sub_explicit(&objective->references, 1, memory_order_acq_rel) == 1) {
        loss_context *context = objective->context;
        objective->kind->destroy(objective);
        lossi_penalties_destroy(&objective->penalties, context);
        lossi_options_destroy(&objective->options);
        lossi_release(context, objective->unit);
        lossi_release(context, objective);
        lossi_context_drop(context);
    }
}

void loss_objective_free(loss_objective *objective)
{
    if (objective != NULL) {
        lossi_objective_drop(objective);
    }
}

/* ---- numbers of either type ---- */

double lossi_real_get(loss_dtype dtype, const void *array, int64_t index)
{
    float single;
    double number;
    if (dtype == LOSS_FLOAT32) {
        memcpy(&single, (const char *)array + index * 4, sizeof single);
        return single;
    }
    memcpy(&number, (const char *)array + index * 8, sizeof number);
    return number;
}

void lossi_real_put(loss_dtype dtype, void *array, int64_t index, double value)
{
    const float single = (float)value;
    if (dtype == LOSS_FLOAT32) {
        memcpy((char *)array + index * 4, &single, sizeof single);
    } else {
        memcpy((char *)array + index * 8, &value, sizeof value);
    }
}

/* ---- options and what can be read ---- */

/* What can only be read. As options they exist for the setters' and getters' search alone. */
enum {
    DIMENSION,
    SAMPLES,
    CALLBACK_STATUS,
    CHECK_INDEX,
    CHECK_ERROR,
    CHECK_DERIVATIVE,
    CHECK_DIFFERENCE,
    CHECK_DIRECTION,
    CHECK_SLOPE,
    READABLES
};

static const struct {
    const char *name;
    int32_t type;
} readables[READABLES] = {
    [DIMENSION] = {"dimension", LOSS_OPTION_INT},
    [SAMPLES] = {"samples", LOSS_OPTION_INT},
    [CALLBACK_STATUS] = {"callback_status", LOSS_OPTION_INT},
    [CHECK_INDEX] = {"check_index", LOSS_OPTION_INT},
    [CHECK_ERROR] = {"check_error", LOSS_OPTION_DOUBLE},
    [CHECK_DERIVATIVE] = {"check_derivative", LOSS_OPTION_DOUBLE},
    [CHECK_DIFFERENCE] = {"check_difference", LOSS_OPTION_DOUBLE},
    [CHECK_DIRECTION] = {"check_direction", LOSS_OPTION_INT},
    [CHECK_SLOPE] = {"check_slope", LOSS_OPTION_DOUBLE},
};

/* The readable of that name, READABLES when there is none. */
static int32_t find_readable(const char *name)
{
    int32_t index = 0;
    while (name != NULL && index < READABLES && strcmp(readables[index].name, name) != 0) {
        index++;
    }
    return name != NULL ? index : READABLES;
}

/* Names of what can be read: the readables, then the options. */
static const char *any_name(const void *objective, int32_t index)
{
    return index < READABLES ? readables[index].name
                             : loss_option_name(loss_objective_option(objective, index - READABLES));
}

static loss_status fail_unreadable(const loss_objective *objective, const char *name)
{
    return lossi_fail_name(objective->context, "number of an objective called", name, any_name, objective,
                           READABLES + lossi_options_count(&objective->options));
}

static int32_t is_option(const loss_objective *objective, const char *name)
{
    for (int32_t i = 0; i < lossi_options_count(&objective->options); i++) {
        if (strcmp(loss_option_name(lossi_options_at(&objective->options, i)), name) == 0) {
            return 1;
        }
    }
    return 0;
}

static loss_status check_settable(const loss_objective *objective, const char *name)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (find_readable(name) < READABLES) {
        return lossi_fail(objective->context, LOSS_ERROR_STATE, "'%s' can be read but not set", name);
    }
    if (objective->prepared) {
        return lossi_fail(objective->context, LOSS_ERROR_STATE,
                          "the options of an objective are settled since it was prepared or evaluated");
    }
    return LOSS_OK;
}

loss_status loss_objective_set_int(loss_objective *objective, const char *name, int64_t value)
{
    const loss_status status = check_settable(objective, name);
    return status == LOSS_OK ? lossi_options_set_int(&objective->options, name, value) : status;
}

loss_status loss_objective_set_string(loss_objective *objective, const char *name, const char *value)
{
    const loss_status status = check_settable(objective, name);
    return status == LOSS_OK ? lossi_options_set_string(&objective->options, name, value) : status;
}

loss_status loss_objective_get_int(const loss_objective *objective, const char *name, int64_t *value)
{
    const int32_t readable = find_readable(name);
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || value == NULL) {
        return lossi_fail_null(objective->context, name == NULL ? "the name" : "value");
    }
    switch (readable) {
    case DIMENSION:
        *value = loss_objective_dimension(objective);
        return LOSS_OK;
    case SAMPLES:
        *value = objective->samples;
        return LOSS_OK;
    case CALLBACK_STATUS:
        *value = objective->callback_status;
        return LOSS_OK;
    case CHECK_INDEX:
        *value = objective->check_index;
        return LOSS_OK;
    case CHECK_DIRECTION:
        *value = objective->check_direction;
        return LOSS_OK;
    case READABLES:
        return is_option(objective, name) ? lossi_options_get_int(&objective->options, name, value)
                                          : fail_unreadable(objective, name);
    default:
        return lossi_fail(objective->context, LOSS_ERROR_TYPE, "'%s' is a double, not an int", name);
    }
}

loss_status loss_objective_get_double(const loss_objective *objective, const char *name, double *value)
{
    const int32_t readable = find_readable(name);
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || value == NULL) {
        return lossi_fail_null(objective->context, name == NULL ? "the name" : "value");
    }
    switch (readable) {
    case CHECK_ERROR:
        *value = objective->check_error;
        return LOSS_OK;
    case CHECK_DERIVATIVE:
        *value = objective->check_derivative;
        return LOSS_OK;
    case CHECK_DIFFERENCE:
        *value = objective->check_difference;
        return LOSS_OK;
    case CHECK_SLOPE:
        *value = objective->check_slope;
        return LOSS_OK;
    case READABLES:
        return is_option(objective, name) ? lossi_options_get_double(&objective->options, name, value)
                                          : fail_unreadable(objective, name);
    default:
        return lossi_fail(objective->context, LOSS_ERROR_TYPE, "'%s' is an int, not a double", name);
    }
}

int32_t loss_objective_option_count(const loss_objective *objective)
{
    return objective == NULL ? 0 : lossi_options_count(&objective->options);
}

const loss_option *loss_objective_option(const loss_objective *objective, int32_t index)
{
    return objective == NULL ? NULL : lossi_options_at(&objective->options, index);
}

loss_status loss_objective_add_penalty(loss_objective *objective, const loss_penalty *penalty)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (penalty == NULL) {
        return lossi_fail_null(objective->context, "the penalty");
    }
    if (objective->prepared) {
        return lossi_fail(objective->context, LOSS_ERROR_STATE,
                          "a penalty cannot be added to an objective that was prepared or evaluated");
    }
    return lossi_penalties_append(&objective->penalties, objective->context, penalty);
}

int64_t loss_objective_dimension(const loss_objective *objective)
{
    int64_t dimension = 0;
    if (objective == NULL) {
        return 0;
    }
    if (objective->prepared) {
        return objective->dimension;
    }
    return objective->kind->measure(objective, 0, &dimension) == LOSS_OK ? dimension : 0;
}

loss_dtype loss_objective_dtype(const loss_objective *objective)
{
    return objective == NULL ? 0 : objective->dtype;
}

/* ---- evaluation ---- */

loss_status loss_objective_prepare(loss_objective *objective)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (objective->prepared) {
        return LOSS_OK;
    }
    loss_status status = objective->kind->measure(objective, 1, &objective->dimension);
    if (status == LOSS_OK) {
        status = objective->kind->prepare(objective);
    }
    if (status == LOSS_OK) {
        status = lossi_penalties_check(&objective->penalties, objective->context, objective->penalised, NULL);
    }
    if (status == LOSS_OK) {
        lossi_penalties_seal(&objective->penalties);
        objective->prepared = 1;
    }
    return status;
}

loss_status lossi_objective_finite(const loss_objective *objective, double value, int64_t row)
{
    char number[32];
    if (isfinite(value)) {
        return LOSS_OK;
    }
    if (row >= 0) {
        return lossi_fail_row(objective->context, LOSS_ERROR_NONFINITE, row,
                              "the objective is %s: the loss of row %lld is not finite",
                              lossi_number(value, number), (long long)row);
    }
    return lossi_fail(objective->context, LOSS_ERROR_NONFINITE, "the objective is %s",
                      lossi_number(value, number));
}

double lossi_objective_penalties(const loss_objective *objective, const void *x)
{
    const lossi_penalties *penalties = &objective->penalties;
    if (penalties->count == 0) {
        return 0.0;
    }
    const double value = lossi_penalties_value(penalties, objective->dtype, objective->penalised, x);
    return objective->smooth_only ? value
                                  : value + lossi_penalties_rough_value(penalties, objective->dtype,
                                                                        objective->penalised, NULL, x);
}

loss_status lossi_objective_returned(loss_objective *objective, const char *which, int32_t number)
{
    objective->callback_status = number;
    return number == 0 ? LOSS_OK
                       : lossi_fail(objective->context, LOSS_ERROR_CALLBACK, "the %s callback returned %d",
                                    which, (int)number);
}

/* The whole value of a penalty about segments only their optimizer knows. */
static loss_status check_shapes(const loss_objective *objective)
{
    const char *penalty = objective->smooth_only ? NULL : lossi_penalties_shaped(&objective->penalties);
    return penalty == NULL
               ? LOSS_OK
               : lossi_fail(objective->context, LOSS_ERROR_STATE,
                            "the groups of %s are segments of an optimizer, and the objective has none: "
                            "minimise it, or say group_sizes",
                            penalty);
}

static loss_status evaluate(loss_objective *objective, const void *x, lossi_batch batch, double *value,
                            void *gradient)
{
    double unwanted;
    loss_status status = value == NULL ? LOSS_OK : check_shapes(objective);
    if (status != LOSS_OK) {
        return status;
    }
    return objective->kind->evaluate(objective, x, batch, value != NULL ? value : &unwanted, gradient);
}

loss_status loss_objective_evaluate(loss_objective *objective, const void *x, double *value, void *gradient)
{
    const lossi_batch all = {-1, NULL, 0};
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL) {
        return lossi_fail_null(objective->context, "x");
    }
    loss_status status = loss_objective_prepare(objective);
    return status == LOSS_OK ? evaluate(objective, x, all, value, gradient) : status;
}

static loss_status check_batch(const loss_objective *objective, int64_t count, const int64_t *indices)
{
    loss_context *context = objective->context;
    if (!objective->batches) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT,
                          "the objective has no batches: loss_objective_set_batch_callback() gives it some");
    }
    if (count < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a batch has %lld samples: that may not be negative",
                          (long long)count);
    }
    if (indices == NULL && count > 0) {
        return lossi_fail_null(context, "indices");
    }
    for (int64_t i = 0; i < count; i++) {
        if (indices[i] < 0 || indices[i] >= objective->samples) {
            return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                              "element %lld of the batch is %lld; samples are 0 … %lld", (long long)i,
                              (long long)indices[i], (long long)objective->samples - 1);
        }
    }
    return LOSS_OK;
}

loss_status lossi_objective_evaluate_batch(loss_objective *objective, const void *x, lossi_batch batch,
                                           double *value, void *gradient)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL) {
        return lossi_fail_null(objective->context, "x");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status == LOSS_OK) {
        status = check_batch(objective, batch.count, batch.indices);
    }
    return status == LOSS_OK ? evaluate(objective, x, batch, value, gradient) : status;
}

loss_status loss_objective_evaluate_batch(loss_objective *objective, const void *x, int64_t count,
                                          const int64_t *indices, double *value, void *gradient)
{
    const lossi_batch batch = {count, indices, 0};
    return lossi_objective_evaluate_batch(objective, x, batch, value, gradient);
}

int32_t lossi_objective_overlap(const loss_objective *objective, const void *a, const void *b)
{
    const uintptr_t bytes = (uintptr_t)(objective->dimension * objective->real_size);
    const uintptr_t first = (uintptr_t)a, second = (uintptr_t)b;
    return first < second + bytes && second < first + bytes;
}

loss_status loss_objective_hessian_product(loss_objective *objective, const void *x, const void *direction,
                                           void *product)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || direction == NULL || product == NULL) {
        return lossi_fail_null(objective->context, x == NULL           ? "x"
                                                   : direction == NULL ? "direction"
                                                                       : "product");
    }
    loss_status status = loss_objective_prepare(objective);
    if (status == LOSS_OK && (lossi_objective_overlap(objective, x, product) ||
                              lossi_objective_overlap(objective, direction, product))) {
        return lossi_fail(objective->context, LOSS_ERROR_ARGUMENT,
                          "the product overlaps %s, which it is made of",
                          lossi_objective_overlap(objective, x, product) ? "x" : "the direction");
    }
    return status == LOSS_OK ? objective->kind->product(objective, x, direction, product) : status;
}

loss_status loss_objective_new_iterate(loss_objective *objective)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = loss_objective_prepare(objective);
    if (status == LOSS_OK && objective->kind->new_iterate != NULL) {
        objective->kind->new_iterate(objective);
    }
    return status;
}

static loss_status statistics(loss_objective *objective, int32_t node, int32_t set, void *mean,
                              void *variance)
{
    if (mean == NULL || variance == NULL) {
        return lossi_fail_null(objective->context, mean == NULL ? "mean" : "variance");
    }
    if (objective->kind->statistics == NULL) {
        return lossi_fail(objective->context, LOSS_ERROR_SUPPORT, "%s has no running statistics",
                          objective->kind->name);
    }
    return objective->kind->statistics(objective, node, set, mean, variance);
}

loss_status loss_objective_get_statistics(loss_objective *objective, int32_t node, void *mean, void *variance)
{
    return objective == NULL ? LOSS_ERROR_ARGUMENT : statistics(objective, node, 0, mean, variance);
}

loss_status loss_objective_set_statistics(loss_objective *objective, int32_t node, const void *mean,
                                          const void *variance)
{
    return objective == NULL ? LOSS_ERROR_ARGUMENT
                             : statistics(objective, node, 1, (void *)mean, (void *)variance); /* read only */
}

loss_status loss_objective_predict(loss_objective *objective, const void *x, const loss_data *inputs,
                                   const loss_data *outputs)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || inputs == NULL || outputs == NULL) {
        return lossi_fail_null(objective->context, x == NULL ? "x" : inputs == NULL ? "inputs" : "outputs");
    }
    if (objective->kind->predict == NULL) {
        return lossi_fail(objective->context, LOSS_ERROR_SUPPORT, "%s makes no predictions",
                          objective->kind->name);
    }
    loss_status status = loss_objective_prepare(objective);
    return status == LOSS_OK ? objective->kind->predict(objective, x, inputs, outputs) : status;
}
