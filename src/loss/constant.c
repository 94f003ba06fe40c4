/*
 * The best constant prediction.
 *
 * A pointwise loss goes column by column: the targets that count are copied with their weights, and then it is the link of
 * their mean, a quantile of them, or searched for (constant_search.c), as the row says. A loss over classes is in
 * constant_classes.c.
 */
#include "loss/constant.h"

#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "core/sparse.h"
#include "loss/array_rows.h"
#include "loss/evaluation.h"
#include "loss/link_kernels.h"

/* ---- samples ---- */

static int32_t before(const lossi_sample *a, const lossi_sample *b)
{
    return a->target < b->target || (a->target == b->target && a->weight <= b->weight);
}

static void merge(const lossi_sample *from, int64_t middle, int64_t end, lossi_sample *to)
{
    for (int64_t i = 0, left = 0, right = middle; i < end; i++) {
        const int32_t take_left = left < middle && (right >= end || before(&from[left], &from[right]));
        to[i] = from[take_left ? left++ : right++];
    }
}

void lossi_samples_sort(lossi_sample *samples, lossi_sample *buffer, int64_t count)
{
    lossi_sample *from = samples, *to = buffer;
    for (int64_t run = 1; run < count; run *= 2) {
        for (int64_t first = 0; first < count; first += 2 * run) {
            const int64_t left = count - first, end = left < 2 * run ? left : 2 * run;
            merge(from + first, run < end ? run : end, end, to + first);
        }
        lossi_sample *const swapped = from;
        from = to;
        to = swapped;
    }
    if (from != samples) {
        memcpy(samples, from, (size_t)count * sizeof *samples);
    }
}

static double total_weight(const lossi_sample *samples, int64_t count)
{
    lossi_exact_sum total = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        lossi_exact_add(&total, samples[i].weight);
    }
    return lossi_exact_total(&total);
}

static double middle_of(double a, double b)
{
    if (isinf(a) || isinf(b)) {
        return isinf(a) && isfinite(b) ? b : a;
    }
    return a + (b / 2 - a / 2); /* a itself when both are equal, and no overflow */
}

double lossi_samples_quantile(const lossi_sample *samples, int64_t count, double q)
{
    const double wanted = q * total_weight(samples, count);
    lossi_exact_sum below = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        lossi_exact_add(&below, samples[i].weight);
        const double part = lossi_exact_total(&below);
        if (part >= wanted) {
            return part == wanted && i + 1 < count ? middle_of(samples[i].target, samples[i + 1].target)
                                                   : samples[i].target;
        }
    }
    return samples[count - 1].target;
}

/* ---- means ---- */

/* Σ weight · (factor · target + offset) */
static double weighted_sum(const lossi_sample *samples, int64_t count, double factor, double offset)
{
    lossi_exact_sum total = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        lossi_exact_add(&total, samples[i].weight * (factor * samples[i].target + offset));
    }
    return lossi_exact_total(&total);
}

static double mean_of(const lossi_sample *samples, int64_t count)
{
    const double weight = total_weight(samples, count), sum = weighted_sum(samples, count, 1, 0);
    return isfinite(sum) ? sum / weight
                         : weighted_sum(samples, count, 0x1p-64, 0) / weight * 0x1p64; /* 2⁶⁴ terms at most */
}

double lossi_constant_log_ratio(loss_context *context, double a, double b)
{
    const lossi_link_kernels *kernels = lossi_link_kernels_for(lossi_context_isa(context), LOSSI_FLOAT64);
    double x = a - b, y = b;
    if (b > 0 && fabs(x) < 0.5 * b) {
        x /= b;
        kernels->logarithm_of_one_plus(1, &x, &x);
        return x;
    }
    x = a;
    kernels->logarithm(1, &x, &x);
    kernels->logarithm(1, &y, &y);
    return x - y;
}

static double link_of_mean(const lossi_constant_input *input, const lossi_sample *samples, int64_t count)
{
    const lossi_domain *domain = &input->function->prepared.target;
    switch (input->function->prepared.link) {
    case LOSSI_LINK_LOGIT: /* of targets 0 … 1, or −1 … 1 */
        return lossi_constant_log_ratio(input->context, weighted_sum(samples, count, 1, -domain->low),
                                        weighted_sum(samples, count, -1, domain->high));
    case LOSSI_LINK_LOG:
        return lossi_constant_log_ratio(input->context, mean_of(samples, count), 1);
    default:
        return mean_of(samples, count);
    }
}

/* ---- one column ---- */

loss_status lossi_constant_weight(const lossi_constant_input *input, int64_t row, double *weight)
{
    const lossi_array *array = input->weight;
    char number[32];
    *weight = 1;
    if (array != NULL) {
        *weight = lossi_real_at(array->dtype, array->pointer, row * array->row_stride);
    }
    if (*weight >= 0 && *weight < INFINITY) {
        return LOSS_OK;
    }
    return lossi_fail_row(input->context, LOSS_ERROR_DOMAIN, row,
                          "the weight of row %lld is %s; a best constant takes finite weights from 0 on",
                          (long long)row, lossi_number(*weight, number));
}

static int32_t is_outside(const lossi_domain *domain, double x)
{
    return domain->discrete ? x < domain->low || x > domain->high || (x > domain->low && x < domain->high)
                            : x < domain->low || x > domain->high;
}

/* An element of an array of numbers or labels, as a double. */
static double element_at(const lossi_array *array, int64_t row, int64_t column)
{
    const int64_t index = row * array->row_stride + column * array->column_stride;
    return lossi_is_integer(array->dtype)
               ? (double)lossi_integer_at(array->pointer + index * loss_dtype_size(array->dtype),
                                          array->dtype)
               : lossi_real_at(array->dtype, array->pointer, index);
}

/* Weights are divided by a power of two, so that the largest is 1 … 2 and no sum of them overflows. */
static void normalize(lossi_sample *samples, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = samples[i].weight > largest ? samples[i].weight : largest;
    }
    const int exponent = count > 0 ? ilogb(largest) : 0;
    for (int64_t i = 0; exponent != 0 && i < count; i++) {
        samples[i].weight = ldexp(samples[i].weight, -exponent);
    }
}

/* The targets of a column that count; *has_nan when one of them is NaN. */
static loss_status gather(const lossi_constant_input *input, const lossi_evaluation *e, int64_t column,
                          lossi_sample *samples, int64_t *count, int32_t *has_nan)
{
    const lossi_array *target = input->target;
    *count = 0;
    *has_nan = 0;
    for (int64_t row = 0; row < target->rows; row++) {
        lossi_sample *sample = &samples[*count];
        if (lossi_masked(input->mask, row)) {
            continue;
        }
        loss_status status = lossi_constant_weight(input, row, &sample->weight);
        if (status != LOSS_OK) {
            return status;
        }
        sample->target = element_at(target, row, column);
        if (is_outside(&input->function->prepared.target, sample->target)) {
            const lossi_total total = {
                .status = LOSS_ERROR_DOMAIN, .row = row, .bad = sample->target, .role = "target"};
            return lossi_evaluation_fail(e, input->context, &total);
        }
        *has_nan |= isnan(sample->target);
        *count += sample->weight > 0;
    }
    normalize(samples, *count);
    return LOSS_OK;
}

static loss_status column_constant(const lossi_constant_input *input, lossi_sample *samples,
                                   lossi_sample *buffer, int64_t count, double *constant)
{
    switch (input->function->prepared.constant) {
    case LOSSI_CONSTANT_MEAN:
        *constant = link_of_mean(input, samples, count);
        return LOSS_OK;
    case LOSSI_CONSTANT_QUANTILE:
        lossi_samples_sort(samples, buffer, count);
        *constant = lossi_samples_quantile(samples, count, input->function->prepared.quantile);
        return LOSS_OK;
    default:
        return lossi_constant_search(input->context, input->function, samples, buffer, count, constant);
    }
}

static loss_status columns_constant(const lossi_constant_input *input, const lossi_evaluation *e,
                                    lossi_sample *samples, lossi_sample *buffer, double *constant)
{
    for (int64_t j = 0; j < input->target->columns; j++) {
        int64_t count;
        int32_t has_nan;
        loss_status status = gather(input, e, j, samples, &count, &has_nan);
        if (status == LOSS_OK && (has_nan || count == 0)) {
            constant[j] = (double)NAN;
        } else if (status == LOSS_OK) {
            status = column_constant(input, samples, buffer, count, &constant[j]);
        }
        if (status != LOSS_OK) {
            return status;
        }
    }
    return LOSS_OK;
}

static loss_status pointwise_constant(const lossi_constant_input *input, const lossi_evaluation *e,
                                      double *constant)
{
    loss_context *context = input->context;
    const int64_t rows = input->target->rows, room = rows > 0 ? rows : 1;
    lossi_sample *samples = NULL, *buffer = NULL;
    loss_status status;
    if (room <= INT64_MAX / (int64_t)sizeof *samples) {
        samples = lossi_allocate(context, room * (int64_t)sizeof *samples);
        buffer = lossi_allocate(context, room * (int64_t)sizeof *buffer);
    }
    status = samples == NULL || buffer == NULL ? lossi_fail_memory(context, "the targets of a best constant")
                                               : columns_constant(input, e, samples, buffer, constant);
    lossi_release(context, samples);
    lossi_release(context, buffer);
    return status;
}

/* ---- the call ---- */

static const char *const roles[] = {"target", "weight", "mask"};

enum { ROLE_COUNT = sizeof roles / sizeof *roles };

static const char *role_name(const void *unused, int32_t index)
{
    (void)unused;
    return roles[index];
}

static loss_status find_roles(lossi_constant_input *input, const loss_data *data)
{
    const lossi_array **const places[ROLE_COUNT] = {&input->target, &input->weight, &input->mask};
    loss_status status = lossi_data_check_dense(input->context, data);
    for (int32_t i = 0; status == LOSS_OK && i < lossi_data_count(data); i++) {
        const lossi_array *array = lossi_data_at(data, i);
        int32_t role = 0;
        while (role < ROLE_COUNT && strcmp(roles[role], array->role) != 0) {
            role++;
        }
        if (role == ROLE_COUNT) {
            return lossi_fail_name(input->context, "input of a best constant in the role", array->role,
                                   role_name, NULL, ROLE_COUNT);
        }
        if (array->output) {
            return lossi_fail(input->context, LOSS_ERROR_ARGUMENT, "'%s' has to be set as an input",
                              array->role);
        }
        *places[role] = array;
    }
    return status;
}

/* Types and shapes: those of an evaluation in float64, but for arrays of float32 that are converted. */
static loss_status check(const lossi_constant_input *input, int64_t columns, lossi_evaluation *e)
{
    lossi_array target, weight;
    if (input->target != NULL) {
        target = *input->target;
        target.dtype = target.dtype == LOSS_FLOAT32 ? LOSS_FLOAT64 : target.dtype;
    }
    if (input->weight != NULL) {
        weight = *input->weight;
        weight.dtype = weight.dtype == LOSS_FLOAT32 ? LOSS_FLOAT64 : weight.dtype;
    }
    return lossi_evaluation_init(
        e, input->context, input->function, LOSS_FLOAT64, input->target != NULL ? input->target->rows : 0,
        columns, input->target != NULL ? &target : NULL, input->weight != NULL ? &weight : NULL, input->mask);
}

loss_status loss_function_best_constant(loss_context *context, const loss_function *function,
                                        const loss_data *inputs, int64_t columns, double *prediction)
{
    lossi_constant_input input = {.context = context, .function = function};
    lossi_evaluation e;
    if (context == NULL || function == NULL || inputs == NULL || (prediction == NULL && columns > 0)) {
        return lossi_fail_null(context, context == NULL    ? "the context"
                                        : function == NULL ? "the loss function"
                                        : inputs == NULL   ? "inputs"
                                                           : "prediction");
    }
    if (columns < 0 || columns > INT64_MAX / 1024) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%lld columns: from 0 to %lld were expected",
                          (long long)columns, (long long)(INT64_MAX / 1024));
    }
    if (function->row->structure != NULL) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT,
                          "%s has no best constant: it reads more than predictions and targets",
                          function->title);
    }
    if ((function->row->flags & LOSSI_NO_TARGET) != 0) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT,
                          "%s has no target, so that no constant is best for the targets", function->title);
    }
    loss_status status = find_roles(&input, inputs);
    if (status == LOSS_OK) {
        status = check(&input, columns, &e);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_function_seal(function);
    lossi_data_seal(inputs);
    /* the caller's numbers change only when all of them are known */
    double *found = lossi_allocate(context, columns * (int64_t)sizeof *found);
    if (found == NULL) {
        return lossi_fail_memory(context, "a best constant");
    }
    status = (function->row->flags & LOSSI_POINTWISE) != 0
                 ? pointwise_constant(&input, &e, found)
                 : lossi_constant_of_classes(&input, columns, found);
    if (status == LOSS_OK && columns > 0) {
        memcpy(prediction, found, (size_t)columns * sizeof *found);
    }
    lossi_release(context, found);
    return status;
}
