/* Penalties as handles, and the lists of them that objectives and optimizers hold. The rows are in penalty_rows.c. */
#include "gradient/penalty.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/option.h"
#include "gradient/objective.h"
#include "gradient/penalty_row.h"

static const loss_option common_options[LOSSI_PENALTY_COMMON] = {
    [LOSSI_PENALTY_FIRST] = {"first", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL,
                             "the first parameter it is about"},
    [LOSSI_PENALTY_COUNT] = {"count", LOSS_OPTION_INT, 0, 0x1p53, 0, NULL, NULL,
                             "how many parameters it is about; 0: all from the first on"},
};

/* ---- life ---- */

static const char *row_name(const void *unused, int32_t index)
{
    (void)unused;
    return lossi_penalty_rows[index]->name;
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
    while (index < lossi_penalty_row_count && strcmp(lossi_penalty_rows[index]->name, name) != 0) {
        index++;
    }
    if (index == lossi_penalty_row_count) {
        return lossi_fail_name(context, "penalty called", name, row_name, NULL, lossi_penalty_row_count);
    }
    loss_penalty *penalty = lossi_allocate(context, (int64_t)sizeof *penalty);
    if (penalty == NULL) {
        return lossi_fail_memory(context, "a penalty");
    }
    penalty->row = lossi_penalty_rows[index];
    snprintf(penalty->title, sizeof penalty->title, "the penalty '%s'", penalty->row->name);
    loss_status status = lossi_options_create(&penalty->options, context, penalty->title, common_options,
                                              LOSSI_PENALTY_COMMON, penalty->row->options,
                                              penalty->row->option_count);
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

static loss_status settable(const loss_penalty *penalty)
{
    if (penalty == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (atomic_load_explicit(&penalty->sealed, memory_order_acquire)) {
        return lossi_fail(penalty->context, LOSS_ERROR_STATE,
                          "%s is sealed since it was first used; make another to change an option",
                          penalty->title);
    }
    return LOSS_OK;
}

loss_status loss_penalty_set_double(loss_penalty *penalty, const char *name, double value)
{
    loss_status status = settable(penalty);
    return status != LOSS_OK ? status : lossi_options_set_double(&penalty->options, name, value);
}

loss_status loss_penalty_set_int(loss_penalty *penalty, const char *name, int64_t value)
{
    loss_status status = settable(penalty);
    return status != LOSS_OK ? status : lossi_options_set_int(&penalty->options, name, value);
}

loss_status loss_penalty_set_string(loss_penalty *penalty, const char *name, const char *value)
{
    loss_status status = settable(penalty);
    return status != LOSS_OK ? status : lossi_options_set_string(&penalty->options, name, value);
}

loss_status loss_penalty_set_array(loss_penalty *penalty, const char *name, const void *values,
                                   loss_dtype dtype, int64_t count)
{
    loss_status status = settable(penalty);
    return status != LOSS_OK ? status
                             : lossi_options_set_array(&penalty->options, name, values, dtype, count);
}

loss_status loss_penalty_get_double(const loss_penalty *penalty, const char *name, double *value)
{
    return penalty == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_double(&penalty->options, name, value);
}

loss_status loss_penalty_get_int(const loss_penalty *penalty, const char *name, int64_t *value)
{
    return penalty == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_int(&penalty->options, name, value);
}

loss_status loss_penalty_get_string(const loss_penalty *penalty, const char *name, const char **value)
{
    return penalty == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_get_string(&penalty->options, name, value);
}

int32_t loss_penalty_option_count(const loss_penalty *penalty)
{
    return penalty == NULL ? 0 : lossi_options_count(&penalty->options);
}

const loss_option *loss_penalty_option(const loss_penalty *penalty, int32_t index)
{
    return penalty == NULL ? NULL : lossi_options_at(&penalty->options, index);
}

/* ---- lists ---- */

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

/* The parameters of one penalty among the first `length`. */
static lossi_stretch whole(const loss_penalty *penalty, loss_dtype dtype, int64_t length)
{
    const int64_t first = lossi_options_common(&penalty->options, LOSSI_PENALTY_FIRST)->integer;
    const int64_t count = lossi_options_common(&penalty->options, LOSSI_PENALTY_COUNT)->integer;
    const int64_t left = first < length ? length - first : 0;
    const int64_t mine = count > 0 && count < left ? count : left;
    return (lossi_stretch){dtype, first, mine, first, mine, NULL};
}

/* The same with what is known of their shapes. */
static lossi_stretch shaped(const loss_penalty *penalty, loss_dtype dtype, int64_t length,
                            const lossi_shapes *shapes)
{
    lossi_stretch s = whole(penalty, dtype, length);
    s.shapes = shapes;
    return s;
}

/* Those of them that are among `count` parameters from `first` on. */
static lossi_stretch part(const loss_penalty *penalty, loss_dtype dtype, int64_t length, int64_t first,
                          int64_t count)
{
    lossi_stretch s = whole(penalty, dtype, length);
    const int64_t end = s.origin + s.length < first + count ? s.origin + s.length : first + count;
    s.first = s.origin > first ? s.origin : first;
    s.count = end > s.first ? end - s.first : 0;
    return s;
}

static int32_t overlap(lossi_stretch a, lossi_stretch b)
{
    return a.origin < b.origin + b.length && b.origin < a.origin + a.length;
}

/* Proximal maps of different parameters follow each other; of the same ones only |x| and bounds do. */
static loss_status check_pairs(const lossi_penalties *penalties, loss_context *context, int32_t index,
                               int64_t length)
{
    const loss_penalty *penalty = penalties->list[index];
    for (int32_t i = 0; i < index; i++) {
        const loss_penalty *other = penalties->list[i];
        const int32_t kinds = penalty->row->rough | other->row->rough;
        if (penalty->row->rough != 0 && other->row->rough != 0 &&
            (kinds & (LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM)) != 0 &&
            overlap(whole(penalty, 0, length), whole(other, 0, length))) {
            return lossi_fail(
                context, LOSS_ERROR_SUPPORT,
                "%s and %s are about the same parameters: their sum has no proximal map that is known",
                other->title, penalty->title);
        }
    }
    return LOSS_OK;
}

loss_status lossi_penalties_check(const lossi_penalties *penalties, loss_context *context, int64_t length,
                                  const lossi_shapes *shapes)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const int64_t first = lossi_options_common(&penalty->options, LOSSI_PENALTY_FIRST)->integer;
        const int64_t count = lossi_options_common(&penalty->options, LOSSI_PENALTY_COUNT)->integer;
        if (first + count > length || (first > 0 && first >= length)) {
            return lossi_fail(context, LOSS_ERROR_SHAPE,
                              "%s is about parameters %lld … %lld, but there are %lld to penalise",
                              penalty->title, (long long)first,
                              (long long)(first + (count > 0 ? count : 1) - 1), (long long)length);
        }
        loss_status status = check_pairs(penalties, context, i, length);
        if (status == LOSS_OK && penalty->row->check != NULL) {
            status = penalty->row->check(&penalty->options, context, penalty->title,
                                         shaped(penalty, 0, length, shapes));
        }
        if (status != LOSS_OK) {
            return status;
        }
    }
    return LOSS_OK;
}

/* ---- the smooth parts ---- */

double lossi_penalties_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                             const void *x)
{
    double sum = 0;
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        if (penalty->row->value != NULL) {
            sum += penalty->row->value(&penalty->options, whole(penalty, dtype, length), x);
        }
    }
    return sum;
}

void lossi_penalties_add_gradient(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                  const void *x, int64_t first, int64_t count, double *out)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = part(penalty, dtype, length, first, count);
        if (penalty->row->add_gradient != NULL && s.count > 0) {
            penalty->row->add_gradient(&penalty->options, s, x, out + (s.first - first));
        }
    }
}

void lossi_penalties_add_product(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 const void *direction, int64_t first, int64_t count, double *out)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = part(penalty, dtype, length, first, count);
        if (penalty->row->add_product != NULL && s.count > 0) {
            penalty->row->add_product(&penalty->options, s, direction, out + (s.first - first));
        }
    }
}

/* A stack's worth at a time. */
void lossi_penalties_add_to(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, const void *x,
                            int32_t what, void *out)
{
    enum { CHUNK = 256 };
    double chunk[CHUNK];
    for (int64_t first = 0; penalties->count > 0 && first < length; first += CHUNK) {
        const int64_t count = length - first < CHUNK ? length - first : CHUNK;
        for (int64_t i = 0; i < count; i++) {
            chunk[i] = lossi_real_get(dtype, out, first + i);
        }
        if (what == LOSSI_PENALTIES_PRODUCT) {
            lossi_penalties_add_product(penalties, dtype, length, x, first, count, chunk);
        } else {
            lossi_penalties_add_gradient(penalties, dtype, length, x, first, count, chunk);
        }
        for (int64_t i = 0; i < count; i++) {
            lossi_real_put(dtype, out, first + i, chunk[i]);
        }
    }
}

/* The Hessian does not depend on x, and it is diagonal: its product with 1. */
double lossi_penalties_curvature(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 int64_t index)
{
    double one[1] = {0}, sum = 0;
    lossi_real_put(dtype, one, 0, 1.0);
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = part(penalty, dtype, length, index, 1);
        if (penalty->row->add_product != NULL && s.count > 0) {
            penalty->row->add_product(&penalty->options, (lossi_stretch){dtype, 0, 1, 0, 1, NULL}, one, &sum);
        }
    }
    return sum;
}

int32_t lossi_penalties_smooth(const lossi_penalties *penalties)
{
    int32_t smooth = 0;
    for (int32_t i = 0; i < penalties->count; i++) {
        smooth |= penalties->list[i]->row->value != NULL;
    }
    return smooth;
}

/* ---- the rough parts ---- */

int32_t lossi_penalties_rough(const lossi_penalties *penalties)
{
    int32_t kinds = 0;
    for (int32_t i = 0; i < penalties->count; i++) {
        kinds |= penalties->list[i]->row->rough;
    }
    return kinds;
}

const char *lossi_penalties_named(const lossi_penalties *penalties, int32_t kinds)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        if ((penalties->list[i]->row->rough & kinds) != 0) {
            return penalties->list[i]->title;
        }
    }
    return NULL;
}

const char *lossi_penalties_shaped(const lossi_penalties *penalties)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        if (penalty->row->shaped != NULL && penalty->row->shaped(&penalty->options)) {
            return penalty->title;
        }
    }
    return NULL;
}

double lossi_penalties_rough_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                   const lossi_shapes *shapes, const void *x)
{
    double sum = 0;
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        if (penalty->row->rough_value != NULL) {
            sum += penalty->row->rough_value(&penalty->options, shaped(penalty, dtype, length, shapes), x);
        }
    }
    return sum;
}

/* |x| first, then the sets: of one parameter that is the map of the sum (both are convex functions of it alone). */
void lossi_penalties_prox(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                          const lossi_shapes *shapes, double step, void *x)
{
    const int32_t sets = LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET;
    for (int32_t turn = 0; turn < 2; turn++) {
        for (int32_t i = 0; i < penalties->count; i++) {
            const loss_penalty *penalty = penalties->list[i];
            if (penalty->row->prox != NULL && ((penalty->row->rough & sets) != 0) == turn) {
                penalty->row->prox(&penalty->options, shaped(penalty, dtype, length, shapes), step, x);
            }
        }
    }
}

void lossi_bounds_inside(loss_dtype dtype, double *lower, double *upper)
{
    if (dtype == LOSS_FLOAT32 && *lower == *upper) {
        *lower = *upper = (double)(float)*lower;
    } else if (dtype == LOSS_FLOAT32) {
        const float low = (float)*lower, high = (float)*upper;
        *lower = (double)((double)low < *lower ? nextafterf(low, INFINITY) : low);
        *upper = (double)((double)high > *upper ? nextafterf(high, -INFINITY) : high);
    }
}

void lossi_penalties_bounds(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, int64_t index,
                            double *lower, double *upper)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = part(penalty, LOSS_FLOAT64, length, index, 1);
        if (penalty->row->bounds != NULL && s.count > 0) {
            double low, high;
            penalty->row->bounds(&penalty->options, index - s.origin, &low, &high);
            lossi_bounds_inside(dtype, &low, &high);
            *lower = fmax(*lower, low);
            *upper = fmin(*upper, high);
        }
    }
}

void lossi_penalties_way(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                         const lossi_shapes *shapes, double step, const void *x, void *way)
{
    const int32_t sets = LOSSI_ROUGH_BOUNDS | LOSSI_ROUGH_SET;
    for (int32_t turn = 0; turn < 2; turn++) {
        for (int32_t i = 0; i < penalties->count; i++) {
            const loss_penalty *penalty = penalties->list[i];
            if (penalty->row->way != NULL && ((penalty->row->rough & sets) != 0) == turn) {
                penalty->row->way(&penalty->options, shaped(penalty, dtype, length, shapes), step, x, way);
            }
        }
    }
}

void lossi_penalties_narrow(const lossi_penalties *penalties, loss_dtype dtype, int64_t length, void *lower,
                            void *upper)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = whole(penalty, dtype, length);
        for (int64_t j = 0; penalty->row->bounds != NULL && j < s.count; j++) {
            double low, high;
            penalty->row->bounds(&penalty->options, j, &low, &high);
            lossi_bounds_inside(dtype, &low, &high);
            low = fmax(low, lossi_real_get(dtype, lower, s.first + j));
            high = fmin(high, lossi_real_get(dtype, upper, s.first + j));
            lossi_real_put(dtype, lower, s.first + j, low);
            lossi_real_put(dtype, upper, s.first + j, high);
        }
    }
}

void lossi_penalties_add_weights(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                 void *weights)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        const lossi_stretch s = whole(penalty, dtype, length);
        for (int64_t j = 0; penalty->row->weight != NULL && j < s.count; j++) {
            const double sum = lossi_real_get(dtype, weights, s.first + j) +
                               penalty->row->weight(&penalty->options, j);
            lossi_real_put(dtype, weights, s.first + j, sum);
        }
    }
}

/* ---- telling lists apart ---- */

/* FNV-1a over words. */
static uint64_t mix(uint64_t digest, double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    return (digest ^ word) * 0x100000001b3u;
}

uint64_t lossi_penalties_digest(const lossi_penalties *penalties, uint64_t digest)
{
    for (int32_t i = 0; i < penalties->count; i++) {
        const loss_penalty *penalty = penalties->list[i];
        for (const char *letter = penalty->row->name; *letter != '\0'; letter++) {
            digest = mix(digest, (double)*letter);
        }
        for (int32_t k = 0; k < lossi_options_count(&penalty->options); k++) {
            const lossi_option_value *value =
                k < LOSSI_PENALTY_COMMON ? lossi_options_common(&penalty->options, k)
                                         : lossi_options_own(&penalty->options, k - LOSSI_PENALTY_COMMON);
            digest = mix(mix(digest, value->number), (double)value->integer);
            for (int64_t j = 0; j < value->count; j++) {
                digest = mix(digest, value->array[j]);
            }
        }
    }
    return digest;
}
