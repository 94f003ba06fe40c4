/* Named segments of the parameters: see segment.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "optimizer/optimizer.h"

static const loss_option segment_options[LOSSI_SEGMENT_OPTIONS] = {
    {"learning_rate_scale", LOSS_OPTION_DOUBLE, 0, 1e30, 1, NULL, NULL,
     "factor on the learning rate; 0: the segment stays as it is"},
    {"weight_decay", LOSS_OPTION_DOUBLE, 0, 1e30, NAN, NULL, NULL, "in place of the optimizer's"},
    {"orthogonalize", LOSS_OPTION_DOUBLE, 0, 1, 1, NULL, NULL,
     "of muon: 0 leaves a matrix, as that of an embedding, to adamw"},
    {"penalty_factor", LOSS_OPTION_DOUBLE, 0, 1e30, 1, NULL, NULL,
     "factor on the strength of a penalty whose groups are segments; 0: none on this one"},
};

static const char *segment_name(const void *segments, int32_t index)
{
    return ((const lossi_segment *)segments)[index].name;
}

static loss_status find(const loss_optimizer *optimizer, const char *name, lossi_segment **segment)
{
    const lossi_segments *segments = &optimizer->segments;
    char kind[128];
    if (name == NULL) {
        return lossi_fail_null(optimizer->context, "the name of the segment");
    }
    for (int64_t i = 0; i < segments->count; i++) {
        if (strcmp(segments->all[i].name, name) == 0) {
            *segment = &segments->all[i];
            return LOSS_OK;
        }
    }
    snprintf(kind, sizeof kind, "segment of %s called", optimizer->owner);
    return lossi_fail_name(optimizer->context, kind, name, segment_name, segments->all,
                           (int32_t)segments->count);
}

/* ---- adding ---- */

static loss_status check_name(const loss_optimizer *optimizer, const char *name)
{
    loss_context *context = optimizer->context;
    if (name == NULL) {
        return lossi_fail_null(context, "the name of the segment");
    }
    size_t length = strlen(name);
    if (length == 0 || length >= LOSSI_SEGMENT_NAME) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the name of a segment has 1 … %d bytes, not %lld: '%.80s'", LOSSI_SEGMENT_NAME - 1,
                          (long long)length, name);
    }
    for (int64_t i = 0; i < optimizer->segments.count; i++) {
        if (strcmp(optimizer->segments.all[i].name, name) == 0) {
            return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s has a segment called '%s' already",
                              optimizer->owner, name);
        }
    }
    return LOSS_OK;
}

static int64_t end_of(const lossi_segment *segment)
{
    return segment->offset + segment->rows * segment->columns;
}

/* Inside the dimension, and beside the others; *place is where it belongs among them. */
static loss_status check_place(const loss_optimizer *optimizer, const lossi_segment *fresh, int64_t *place)
{
    const lossi_segments *segments = &optimizer->segments;
    loss_context *context = optimizer->context;
    int64_t n = optimizer->dimension;
    if (fresh->offset < 0 || fresh->rows < 1 || fresh->columns < 1) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the segment '%s' needs offset ≥ 0, rows ≥ 1 and columns ≥ 1, not %lld, %lld, %lld",
                          fresh->name, (long long)fresh->offset, (long long)fresh->rows,
                          (long long)fresh->columns);
    }
    if (fresh->offset >= n || fresh->rows > (n - fresh->offset) / fresh->columns) {
        return lossi_fail(context, LOSS_ERROR_SHAPE,
                          "the segment '%s' of %lld × %lld parameters from %lld on leaves the %lld of %s",
                          fresh->name, (long long)fresh->rows, (long long)fresh->columns,
                          (long long)fresh->offset, (long long)n, optimizer->owner);
    }
    int64_t i = 0;
    while (i < segments->count && segments->all[i].offset < fresh->offset) {
        i++;
    }
    const lossi_segment *other = NULL;
    if (i > 0 && end_of(&segments->all[i - 1]) > fresh->offset) {
        other = &segments->all[i - 1];
    } else if (i < segments->count && end_of(fresh) > segments->all[i].offset) {
        other = &segments->all[i];
    }
    if (other != NULL) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the segment '%s' (parameters %lld … %lld) overlaps '%s' (%lld … %lld)",
                          fresh->name, (long long)fresh->offset, (long long)end_of(fresh) - 1, other->name,
                          (long long)other->offset, (long long)end_of(other) - 1);
    }
    *place = i;
    return LOSS_OK;
}

static loss_status insert(loss_optimizer *optimizer, const lossi_segment *fresh, int64_t place)
{
    lossi_segments *segments = &optimizer->segments;
    if (segments->count == segments->capacity) {
        int64_t capacity = segments->capacity == 0 ? 8 : 2 * segments->capacity;
        lossi_segment *more = capacity > INT32_MAX
                                  ? NULL
                                  : lossi_allocate(optimizer->context, capacity * (int64_t)sizeof *more);
        if (more == NULL) {
            return lossi_fail_memory(optimizer->context, "the segments of an optimizer");
        }
        if (segments->count > 0) {
            memcpy(more, segments->all, (size_t)segments->count * sizeof *more);
        }
        lossi_release(optimizer->context, segments->all);
        segments->all = more;
        segments->capacity = capacity;
    }
    memmove(segments->all + place + 1, segments->all + place,
            (size_t)(segments->count - place) * sizeof *segments->all);
    segments->all[place] = *fresh;
    segments->count++;
    return LOSS_OK;
}

loss_status loss_optimizer_add_segment(loss_optimizer *optimizer, const char *name, int64_t offset,
                                       int64_t rows, int64_t columns)
{
    lossi_segment fresh = {.offset = offset, .rows = rows, .columns = columns};
    int64_t place = 0;
    loss_status status = lossi_optimizer_changeable(optimizer);
    if (status == LOSS_OK) {
        status = check_name(optimizer, name);
    }
    if (status != LOSS_OK) {
        return status;
    }
    snprintf(fresh.name, sizeof fresh.name, "%s", name);
    for (int k = 0; k < LOSSI_SEGMENT_OPTIONS; k++) {
        fresh.options[k] = segment_options[k].initial;
    }
    status = check_place(optimizer, &fresh, &place);
    return status == LOSS_OK ? insert(optimizer, &fresh, place) : status;
}

int64_t loss_optimizer_segment_count(const loss_optimizer *optimizer)
{
    return optimizer == NULL ? 0 : optimizer->segments.count;
}

const char *loss_optimizer_segment_name(const loss_optimizer *optimizer, int64_t index)
{
    return optimizer == NULL || index < 0 || index >= optimizer->segments.count
               ? NULL
               : optimizer->segments.all[index].name;
}

/* ---- options ---- */

/* Whether the method makes use of an option: stochastic ones of all but the last, which is for group lasso. */
static loss_status check_use(const loss_optimizer *optimizer, int32_t index)
{
    const int32_t steps = optimizer->row->stochastic != NULL;
    const int32_t groups = (optimizer->row->handles & LOSSI_ROUGH_NORM) != 0;
    if (index == LOSSI_SEGMENT_PENALTY_FACTOR ? groups : steps) {
        return LOSS_OK;
    }
    if (!steps && !groups) {
        return lossi_fail(optimizer->context, LOSS_ERROR_SUPPORT,
                          "%s treats all parameters alike: its segments have no options", optimizer->owner);
    }
    return lossi_fail(optimizer->context, LOSS_ERROR_SUPPORT,
                      "%s makes no use of the option '%s' of segments", optimizer->owner,
                      segment_options[index].name);
}

enum { OWNER = LOSSI_SEGMENT_NAME + 24 };

/* The segment, for sentences: OWNER bytes. */
static const char *owner_of(const lossi_segment *segment, char *owner)
{
    snprintf(owner, OWNER, "the segment '%s'", segment->name);
    return owner;
}

static loss_status find_option(const loss_optimizer *optimizer, const lossi_segment *segment,
                               const char *option, int32_t *index)
{
    char owner[OWNER];
    loss_status status = lossi_option_find(optimizer->context, owner_of(segment, owner), segment_options,
                                           LOSSI_SEGMENT_OPTIONS, option, LOSS_OPTION_DOUBLE, index);
    return status == LOSS_OK ? check_use(optimizer, *index) : status;
}

loss_status loss_optimizer_set_segment_double(loss_optimizer *optimizer, const char *segment,
                                              const char *option, double value)
{
    lossi_segment *found = NULL;
    char owner[OWNER];
    int32_t index = 0;
    loss_status status = lossi_optimizer_changeable(optimizer);
    if (status == LOSS_OK) {
        status = find(optimizer, segment, &found);
    }
    if (status == LOSS_OK) {
        status = find_option(optimizer, found, option, &index);
    }
    if (status == LOSS_OK) {
        status = lossi_option_check_number(optimizer->context, owner_of(found, owner),
                                           &segment_options[index], value);
    }
    if (status == LOSS_OK) {
        found->options[index] = value;
    }
    return status;
}

loss_status loss_optimizer_get_segment_double(const loss_optimizer *optimizer, const char *segment,
                                              const char *option, double *value)
{
    lossi_segment *found = NULL;
    int32_t index = 0;
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (value == NULL) {
        return lossi_fail_null(optimizer->context, "value");
    }
    loss_status status = find(optimizer, segment, &found);
    if (status == LOSS_OK) {
        status = find_option(optimizer, found, option, &index);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (isnan(found->options[index])) { /* as the optimizer, which has an option of that name */
        return loss_optimizer_get_double(optimizer, option, value);
    }
    *value = found->options[index];
    return LOSS_OK;
}

loss_status loss_optimizer_get_segment_int(const loss_optimizer *optimizer, const char *segment,
                                           const char *name, int64_t *value)
{
    static const char *const names[] = {"offset", "rows", "columns"};
    lossi_segment *found = NULL;
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || value == NULL) {
        return lossi_fail_null(optimizer->context, name == NULL ? "name" : "value");
    }
    loss_status status = find(optimizer, segment, &found);
    if (status != LOSS_OK) {
        return status;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], name) == 0) {
            const int64_t numbers[] = {found->offset, found->rows, found->columns};
            *value = numbers[i];
            return LOSS_OK;
        }
    }
    return lossi_fail(optimizer->context, LOSS_ERROR_NAME,
                      "a segment has the numbers offset, rows and columns, not '%.64s'", name);
}

/* ---- for the algorithms ---- */

int32_t lossi_next_span(const loss_optimizer *optimizer, double weight_decay, int64_t from, int64_t *next,
                        lossi_span *span)
{
    const lossi_segments *segments = &optimizer->segments;
    int64_t n = optimizer->dimension;
    if (from >= n) {
        return 0;
    }
    *span = (lossi_span){.offset = from, .rows = 1, .rate_scale = 1.0, .weight_decay = weight_decay};
    if (*next < segments->count && segments->all[*next].offset == from) {
        const lossi_segment *segment = &segments->all[(*next)++];
        const double *options = segment->options;
        span->rows = segment->rows;
        span->columns = segment->columns;
        span->rate_scale = options[LOSSI_SEGMENT_LEARNING_RATE_SCALE];
        span->orthogonalize = options[LOSSI_SEGMENT_ORTHOGONALIZE] != 0.0;
        if (!isnan(options[LOSSI_SEGMENT_WEIGHT_DECAY])) {
            span->weight_decay = options[LOSSI_SEGMENT_WEIGHT_DECAY];
            span->own_decay = 1;
        }
    } else {
        span->columns = (*next < segments->count ? segments->all[*next].offset : n) - from;
    }
    span->count = span->rows * span->columns;
    return 1;
}
