/*
 * The objective of a linear model:
 *
 *     f(W, b) = Σ_i w_i · loss(x_i·W + b, y_i) / denominator + penalties(W)
 *
 * with gradient Xᵀ·(∂loss/∂prediction) and Hessian product Xᵀ·(∂²loss/∂prediction²)·X·V, both divided by the denominator;
 * McCullagh & Nelder, Generalized Linear Models (2nd ed. 1989), §2.5. The denominator is the loss's own and is known only
 * when all rows were read, so sums are kept unscaled and divided once.
 */
#include "gradient/linear_model.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "gradient/column_statistics.h"
#include "gradient/linear_parameters.h"
#include "gradient/linear_preconditioner.h"
#include "loss/evaluation.h"

enum { INTERCEPT, OUTPUTS, CENTER_COLUMNS, SCALE_COLUMNS, PRECONDITIONER, OPTION_COUNT };

/* 2^31: as many as a 32-bit label can tell apart. */
static const double outputs_max = 2147483648.0;

static const loss_option options[OPTION_COUNT] = {
    [INTERCEPT] = {.name = "intercept",
                   .type = LOSS_OPTION_INT,
                   .minimum = 0,
                   .maximum = 1,
                   .initial = 1,
                   .doc = "1: every output has a constant, which is never penalised"},
    [OUTPUTS] = {.name = "outputs",
                 .type = LOSS_OPTION_INT,
                 .minimum = 0,
                 .maximum = 2147483648.0,
                 .initial = 0,
                 .doc = "outputs of the model; 0: what the target or the class weights say"},
    [CENTER_COLUMNS] = {.name = "center_columns",
                        .type = LOSS_OPTION_INT,
                        .minimum = 0,
                        .maximum = 1,
                        .initial = 0,
                        .doc = "1: the mean of each column of the features is taken away"},
    [SCALE_COLUMNS] = {.name = "scale_columns",
                       .type = LOSS_OPTION_INT,
                       .minimum = 0,
                       .maximum = 1,
                       .initial = 0,
                       .doc = "1: each column of the features is divided by its standard deviation"},
    [PRECONDITIONER] = {.name = "preconditioner",
                        .type = LOSS_OPTION_STRING,
                        .text = "diagonal",
                        .choices = "diagonal|block",
                        .doc = "of the Hessian its diagonal, or the average block of an output at 0"},
};

/* ---- shape ---- */

static int32_t has_labels(const lossi_linear_model *m)
{
    return (m->function->row->flags & LOSSI_LABELS) != 0 &&
           (m->target->dtype == LOSS_INT32 || m->target->dtype == LOSS_INT64);
}

static int64_t label_at(const lossi_array *target, int64_t row)
{
    const char *place = target->pointer + row * target->row_stride * loss_dtype_size(target->dtype);
    int32_t small;
    int64_t large;
    if (target->dtype == LOSS_INT32) {
        memcpy(&small, place, sizeof small);
        return small;
    }
    memcpy(&large, place, sizeof large);
    return large;
}

/* The row of the largest label that counts, −1 when none does. */
static int64_t largest_label(const lossi_linear_model *m)
{
    const int64_t ignored = m->function->prepared.ignore_label;
    int64_t best = -1, most = -1;
    for (int64_t i = 0; i < m->target->rows; i++) {
        if (!lossi_masked(m->mask, i)) {
            const int64_t label = label_at(m->target, i);
            if (label > most && label != ignored) {
                most = label;
                best = i;
            }
        }
    }
    return best;
}

/* How many outputs there are; 0, with a sentence when explain is set, when that cannot be told. */
static loss_status count_outputs(const lossi_linear_model *m, int32_t explain, int64_t *outputs)
{
    loss_context *context = explain ? m->base.context : NULL;
    *outputs = lossi_options_own(&m->base.options, OUTPUTS)->integer;
    if (*outputs > 0) {
        return LOSS_OK;
    }
    if (!has_labels(m) && (m->function->row->flags & LOSSI_LABELS) != 0 && m->target->columns == 1) {
        return lossi_fail(
            context, LOSS_ERROR_TYPE,
            "the target is one column of %s: class labels are int32 or int64, and a distribution has "
            "a column for each class",
            loss_dtype_name(m->target->dtype));
    }
    if (!has_labels(m)) {
        *outputs = m->target->columns;
    } else if (m->function->prepared.class_weight != NULL) {
        *outputs = m->function->prepared.class_weights;
    } else {
        const int64_t row = largest_label(m), label = row < 0 ? -1 : label_at(m->target, row);
        if ((double)label >= outputs_max) {
            return lossi_fail_row(context, LOSS_ERROR_LABEL, row,
                                  "the label of row %lld is %lld: that is too large for a class",
                                  (long long)row, (long long)label);
        }
        *outputs = label + 1;
    }
    return *outputs > 0
               ? LOSS_OK
               : lossi_fail(
                     context, LOSS_ERROR_SHAPE,
                     "the target does not tell how many outputs the model has: set the option 'outputs'");
}

static loss_status measure(const loss_objective *objective, int32_t explain, int64_t *dimension)
{
    const lossi_linear_model *m = (const lossi_linear_model *)objective;
    loss_context *context = explain ? objective->context : NULL;
    const int64_t features = m->features->columns, most = INT64_MAX / 1024, /* with slices, padding, bytes */
        per_output = features > most /* an array of strides 0 has as many columns as one likes */
                         ? features
                         : features + lossi_options_own(&objective->options, INTERCEPT)->integer;
    int64_t outputs;
    loss_status status = count_outputs(m, explain, &outputs);
    if (status != LOSS_OK) {
        return status;
    }
    if (per_output == 0) {
        return lossi_fail(context, LOSS_ERROR_SHAPE,
                          "without features and without intercept there are no parameters");
    }
    if (per_output > most / outputs) {
        return lossi_fail(context, LOSS_ERROR_MEMORY, "no memory for %lld outputs of %lld parameters each",
                          (long long)outputs, (long long)per_output);
    }
    *dimension = per_output * outputs;
    return LOSS_OK;
}

/* ---- memory ---- */

static void release(lossi_linear_model *m)
{
    double **const arrays[] = {&m->parameters, &m->direction, &m->sums,      &m->hessian,
                               &m->predicted,  &m->means,     &m->deviations};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        lossi_release_lines(m->base.context, *arrays[i]);
        *arrays[i] = NULL;
    }
    lossi_linear_preconditioner_release(m);
    lossi_release(m->base.context, m->predictions);
    m->predictions = NULL;
    m->slices = m->predictions_known = 0;
}

static double *allocate_numbers(const lossi_linear_model *m, int64_t count)
{
    return lossi_allocate_lines(m->base.context, count * (int64_t)sizeof(double));
}

/* Rows to predict may be dense or sparse whatever those of the data are, so the parameters have room for both. */
static loss_status allocate(lossi_linear_model *m)
{
    const int32_t sparse = m->sparse.array != NULL;
    const lossi_linear_shape dense_shape = lossi_linear_shape_for(m, 0),
                             sparse_shape = lossi_linear_shape_for(m, 1);
    const int64_t slices = lossi_linear_cut(m, m->features->rows).slices,
                  dense_room = lossi_linear_numbers(&dense_shape, 0, 1),
                  sparse_room = lossi_linear_numbers(&sparse_shape, 1, sparse ? 2 : 1);
    m->parameters = allocate_numbers(m, dense_room > sparse_room ? dense_room : sparse_room);
    if (!sparse) {
        m->direction = allocate_numbers(m, dense_room);
    }
    if (m->parameters == NULL || (m->direction == NULL && !sparse)) {
        return lossi_fail_memory(m->base.context, "the parameters of a linear model");
    }
    return lossi_linear_reserve(m, slices > 0 ? slices : 1);
}

/* What the features are: sparse ones are looked at before anything of them is used, means and deviations are taken. */
static loss_status examine(lossi_linear_model *m)
{
    const int64_t features = m->features->columns;
    const int32_t center = (int32_t)lossi_options_own(&m->base.options, CENTER_COLUMNS)->integer,
                  scale = (int32_t)lossi_options_own(&m->base.options, SCALE_COLUMNS)->integer;
    const lossi_sparse_array *array = lossi_array_sparse(m->features);
    loss_status status = array != NULL ? lossi_sparse_examine(&m->sparse, m->base.context, array) : LOSS_OK;
    m->centred = center;
    if (status != LOSS_OK || !(center || scale)) {
        return status;
    }
    m->means = allocate_numbers(m, features);
    m->deviations = allocate_numbers(m, features);
    if (m->means == NULL || m->deviations == NULL) {
        return lossi_fail_memory(m->base.context, "the means and deviations of columns");
    }
    return lossi_column_statistics(m->base.context, m->features, &m->sparse, m->weight, m->mask, center,
                                   scale, m->means, m->deviations);
}

static loss_status prepare(loss_objective *objective)
{
    lossi_linear_model *m = (lossi_linear_model *)objective;
    const int64_t features = m->features->columns;
    release(m);
    m->sparse.array = NULL;
    m->intercept = (int32_t)lossi_options_own(&objective->options, INTERCEPT)->integer;
    m->shape.features = features;
    m->shape.outputs = objective->dimension / (features + m->intercept);
    m->shape.intercept = m->intercept || lossi_options_own(&objective->options, CENTER_COLUMNS)->integer;
    m->shape = lossi_linear_shape_for(m, lossi_array_sparse(m->features) != NULL);
    m->size = lossi_linear_numbers(&m->shape, lossi_array_sparse(m->features) != NULL, 1);
    objective->penalised = m->shape.outputs * features;
    loss_status status = examine(m);
    if (status == LOSS_OK) { /* checks types and shapes before what is large is allocated */
        status = lossi_linear_warm_up(m);
    }
    if (status == LOSS_OK) {
        status = allocate(m);
    }
    if (status == LOSS_OK) { /* so that whoever reads the option learns how many there are */
        status = lossi_options_set_int(&objective->options, "outputs", m->shape.outputs);
    }
    if (status != LOSS_OK) {
        release(m);
    }
    return status;
}

static void destroy(loss_objective *objective)
{
    lossi_linear_model *m = (lossi_linear_model *)objective;
    release(m);
    lossi_function_drop(m->function);
    lossi_data_drop(m->data);
}

/* The parameters, and beside them the direction of a product, to where kernels read them. */
static void spread(const lossi_linear_model *m, const void *x, const void *direction)
{
    const int32_t sparse = m->sparse.array != NULL;
    const int64_t sets = sparse && direction != NULL ? 2 : 1;
    lossi_linear_spread(m, sparse, 0, sets, x, m->parameters);
    if (direction != NULL) {
        lossi_linear_spread(m, sparse, sets - 1, sets, direction, sparse ? m->parameters : m->direction);
    }
}

/* ---- evaluation ---- */

static loss_status evaluate(loss_objective *objective, const void *x, lossi_batch batch, double *value,
                            void *gradient)
{
    lossi_linear_model *m = (lossi_linear_model *)objective;
    lossi_pass_result result;
    spread(m, x, NULL);
    loss_status status = lossi_linear_pass(m, gradient != NULL ? LOSSI_PASS_GRADIENT : LOSSI_PASS_VALUE,
                                           batch, &result);
    if (status != LOSS_OK) {
        return status;
    }
    const double cost = result.denominator != 0 ? result.sum / result.denominator : 0;
    *value = cost + lossi_objective_penalties(objective, x);
    if (gradient != NULL) {
        lossi_linear_gather(m, LOSSI_PASS_GRADIENT, result.denominator, x, lossi_penalties_add_gradient,
                            gradient);
    }
    return lossi_objective_finite(objective, *value, result.nonfinite_row);
}

static loss_status product(loss_objective *objective, const void *x, const void *direction, void *out)
{
    const lossi_batch all = {-1, NULL, 0};
    lossi_linear_model *m = (lossi_linear_model *)objective;
    lossi_pass_result result;
    spread(m, x, direction);
    loss_status status = lossi_linear_pass(m, LOSSI_PASS_PRODUCT, all, &result);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_linear_gather(m, LOSSI_PASS_PRODUCT, result.denominator, direction, lossi_penalties_add_product,
                        out);
    return lossi_objective_finite(objective, result.denominator != 0 ? result.sum / result.denominator : 0,
                                  result.nonfinite_row);
}

/* In one pass where rows are dense and as they are; sparse ones are for methods that want no matrix. */
static loss_status hessian(loss_objective *objective, const void *x, void *matrix)
{
    lossi_linear_model *m = (lossi_linear_model *)objective;
    lossi_pass_result result;
    if (m->sparse.array != NULL || m->means != NULL) {
        return lossi_hessian_by_products(objective, x, matrix);
    }
    spread(m, x, NULL);
    loss_status status = lossi_linear_hessian(m, matrix, &result);
    return status != LOSS_OK
               ? status
               : lossi_objective_finite(objective,
                                        result.denominator != 0 ? result.sum / result.denominator : 0,
                                        result.nonfinite_row);
}

loss_status lossi_linear_diagonal(lossi_linear_model *m, const void *x, void *out, lossi_pass_result *result)
{
    const lossi_batch all = {-1, NULL, 0};
    spread(m, x, NULL);
    loss_status status = lossi_linear_pass(m, LOSSI_PASS_DIAGONAL, all, result);
    if (status != LOSS_OK) {
        return status;
    }
    for (int64_t i = 0; i < m->base.dimension;
         i++) { /* what the penalties multiply: their Hessians are diagonal */
        lossi_real_put(m->base.dtype, out, i, 1);
    }
    lossi_linear_gather(m, LOSSI_PASS_DIAGONAL, result->denominator, out, lossi_penalties_add_product, out);
    return LOSS_OK;
}

static loss_status diagonal(loss_objective *objective, const void *x, void *out)
{
    lossi_pass_result result;
    loss_status status = lossi_linear_diagonal((lossi_linear_model *)objective, x, out, &result);
    return status != LOSS_OK
               ? status
               : lossi_objective_finite(objective,
                                        result.denominator != 0 ? result.sum / result.denominator : 0,
                                        result.nonfinite_row);
}

static loss_status precondition(loss_objective *objective, const void *x, const void *vector, void *out)
{
    return lossi_linear_precondition((lossi_linear_model *)objective,
                                     (int32_t)lossi_options_own(&objective->options, PRECONDITIONER)->integer,
                                     x, vector, out);
}

/* ---- predictions ---- */

/* The roles a linear model reads, in the order of find_roles(). */
static const char *const roles[] = {"features", "target", "weight", "mask"};
enum { ROLE_COUNT = sizeof roles / sizeof *roles, ROLES_NEEDED = 2 };

/* Whether an array is one that training reads and a prediction has no use for. */
static int32_t of_training(const lossi_array *array)
{
    for (int32_t role = 1; role < ROLE_COUNT; role++) {
        if (strcmp(array->role, roles[role]) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *only_name(const void *name, int32_t index)
{
    (void)index;
    return name;
}

/* The one array of such data, which has to be of the model's type; data with the targets beside it is welcome. */
static loss_status only_array(const lossi_linear_model *m, const loss_data *data, const char *role,
                              int32_t output, const lossi_array **array)
{
    loss_context *context = m->base.context;
    for (int32_t i = 0; i < lossi_data_count(data); i++) {
        const lossi_array *given = lossi_data_at(data, i);
        if (strcmp(given->role, role) != 0 && (output || !of_training(given))) {
            return lossi_fail_name(
                context, output ? "output of a prediction in the role" : "input of a prediction in the role",
                given->role, only_name, role, 1);
        }
    }
    *array = lossi_data_find(data, role);
    if (*array == NULL || (*array)->output != output) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a prediction needs the role '%s' as an %s", role,
                          output ? "output" : "input");
    }
    if ((*array)->dtype != m->base.dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'%s' is %s; %s like the model was expected", role,
                          loss_dtype_name((*array)->dtype), loss_dtype_name(m->base.dtype));
    }
    return LOSS_OK;
}

static loss_status predict(loss_objective *objective, const void *x, const loss_data *inputs,
                           const loss_data *outputs)
{
    lossi_linear_model *m = (lossi_linear_model *)objective;
    lossi_sparse_features sparse = {NULL, 0, 0, 0};
    const lossi_array *features, *prediction;
    loss_status status = only_array(m, inputs, "features", 0, &features);
    if (status == LOSS_OK) {
        status = only_array(m, outputs, "prediction", 1, &prediction);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (features->columns != m->shape.features) {
        return lossi_fail(objective->context, LOSS_ERROR_SHAPE,
                          "'features' has %lld column%s; the model has %lld", (long long)features->columns,
                          features->columns == 1 ? "" : "s", (long long)m->shape.features);
    }
    if (prediction->rows != features->rows || prediction->columns != m->shape.outputs) {
        return lossi_fail(objective->context, LOSS_ERROR_SHAPE,
                          "'prediction' is %lld x %lld; %lld x %lld was expected",
                          (long long)prediction->rows, (long long)prediction->columns,
                          (long long)features->rows, (long long)m->shape.outputs);
    }
    if (lossi_array_sparse(features) != NULL) {
        status = lossi_sparse_examine(&sparse, objective->context, lossi_array_sparse(features));
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_data_seal(inputs);
    lossi_data_seal(outputs);
    lossi_linear_spread(m, sparse.array != NULL, 0, 1, x, m->parameters);
    return lossi_linear_predict(m, features, &sparse, prediction);
}

/* ---- life ---- */

static const lossi_objective_kind kind = {
    .name = "the linear model",
    .options = options,
    .option_count = OPTION_COUNT,
    .measure = measure,
    .prepare = prepare,
    .evaluate = evaluate,
    .product = product,
    .hessian = hessian,
    .diagonal = diagonal,
    .precondition = precondition,
    .predict = predict,
    .destroy = destroy,
};

const lossi_linear_model *lossi_linear_of(const loss_objective *objective)
{
    return objective->kind == &kind ? (const lossi_linear_model *)objective : NULL;
}

static const char *role_name(const void *unused, int32_t index)
{
    (void)unused;
    return roles[index];
}

static loss_status find_roles(loss_context *context, const loss_data *data,
                              const lossi_array *arrays[ROLE_COUNT])
{
    memset(arrays, 0, ROLE_COUNT * sizeof *arrays);
    for (int32_t i = 0; i < lossi_data_count(data); i++) {
        const lossi_array *array = lossi_data_at(data, i);
        int32_t role = 0;
        while (role < ROLE_COUNT && strcmp(roles[role], array->role) != 0) {
            role++;
        }
        if (role == ROLE_COUNT) {
            return lossi_fail_name(context, "input of a linear model in the role", array->role, role_name,
                                   NULL, ROLE_COUNT);
        }
        if (array->output) {
            return lossi_fail(context, LOSS_ERROR_ARGUMENT, "'%s' has to be set as an input", array->role);
        }
        if (lossi_array_sparse(array) != NULL && role != 0) {
            return lossi_fail(context, LOSS_ERROR_TYPE,
                              "'%s' is sparse: of a linear model only the features can be", array->role);
        }
        arrays[role] = array;
    }
    for (int32_t role = 0; role < ROLES_NEEDED; role++) {
        if (arrays[role] == NULL) {
            return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a linear model needs the role '%s'",
                              roles[role]);
        }
    }
    return LOSS_OK;
}

/* Everything about the data that does not depend on the options. */
static loss_status check_data(loss_context *context, const loss_function *function, const loss_data *data,
                              const lossi_array *arrays[ROLE_COUNT])
{
    lossi_evaluation e;
    if ((function->row->flags & LOSSI_NO_TARGET) != 0) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT,
                          "%s has no target, so that there is nothing to fit a linear model to",
                          function->title);
    }
    loss_status status = find_roles(context, data, arrays);
    if (status != LOSS_OK) {
        return status;
    }
    const lossi_array *features = arrays[0], *target = arrays[1];
    if (features->dtype != LOSS_FLOAT32 && features->dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'features' is %s; float32 or float64 was expected",
                          loss_dtype_name(features->dtype));
    }
    if (lossi_data_scale(data) != 1) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the data has a scale: it would change an objective's gradient but not its value");
    }
    const int32_t labels = (function->row->flags & LOSSI_LABELS) != 0 &&
                           (target->dtype == LOSS_INT32 || target->dtype == LOSS_INT64);
    const int64_t classes = function->prepared.class_weight != NULL ? function->prepared.class_weights : 1;
    return lossi_evaluation_init(&e, context, function, features->dtype, features->rows,
                                 labels ? classes : target->columns, target, arrays[2], arrays[3]);
}

loss_status loss_objective_create_linear(loss_objective **out, loss_context *context,
                                         const loss_function *function, const loss_data *data)
{
    const lossi_array *arrays[ROLE_COUNT];
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || function == NULL || data == NULL) {
        return lossi_fail_null(context, out == NULL        ? "out"
                                        : context == NULL  ? "the context"
                                        : function == NULL ? "the loss function"
                                                           : "the data");
    }
    loss_status status = check_data(context, function, data, arrays);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_linear_model *m = (lossi_linear_model *)lossi_objective_new(context, &kind, (int64_t)sizeof *m,
                                                                      arrays[0]->dtype);
    if (m == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    m->function = lossi_function_retain(function);
    m->data = lossi_data_retain(data);
    m->features = arrays[0];
    m->target = arrays[1];
    m->weight = arrays[2];
    m->mask = arrays[3];
    m->base.samples = m->features->rows;
    m->base.batches = 1;
    *out = &m->base;
    return LOSS_OK;
}
