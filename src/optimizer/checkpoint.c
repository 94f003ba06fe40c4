/*
 * Checkpoints: the whole of a run as bytes, and back.
 *
 *     header    what wrote this, for what, how many bytes, and their checksum
 *     options   one record an option, by name, so that defaults may change
 *     segments  lossi_segment each
 *     machine   lossi_machine                       state     the algorithm's struct
 *     vectors   each of n elements                  integers, doubles
 *
 * Every part begins at a multiple of 8 bytes. The state is flat numbers (optimizer.h), so it is copied as it
 * stands, in the writer's byte order; a change of a struct is a new FORMAT.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "loss/version.h"
#include "optimizer/composite.h"

static const char magic[8] = {'l', 'o', 's', 's', 'r', 'u', 'n', '\x1a'};

enum { FORMAT = 4, BYTE_ORDER = 0x01020304 };

typedef struct header {
    char magic[8];
    uint32_t byte_order, format;
    int64_t size;                             /* of everything, the header included */
    uint64_t checksum;                        /* of everything after this number */
    int32_t numerics, dtype, rough, reserved; /* kinds of rough parts of penalties */
    int64_t dimension, samples;
    int64_t options, segments;          /* how many */
    int64_t machine_size, state_size;   /* bytes */
    int64_t vectors, integers, doubles; /* how many */
    char optimizer[64];                 /* its name, filled up with zeros */
} header;

typedef struct option_record {
    char name[64], word[64];
    double number;
    int64_t type, integer;
} option_record;

/* ---- bytes ---- */

/* Where the next part goes or comes from; `at` is NULL when they are only counted. */
typedef struct cursor {
    char *at;
    int64_t used;
} cursor;

static int64_t padded(int64_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

static void put(cursor *c, const void *part, int64_t bytes)
{
    static const char zeros[8];
    if (c->at != NULL && bytes > 0) {
        memcpy(c->at + c->used, part, (size_t)bytes);
        memcpy(c->at + c->used + bytes, zeros, (size_t)(padded(bytes) - bytes));
    }
    c->used += padded(bytes);
}

static void take(cursor *c, void *part, int64_t bytes)
{
    if (bytes > 0) {
        memcpy(part, c->at + c->used, (size_t)bytes);
    }
    c->used += padded(bytes);
}

/*
 * FNV-1a over words of 8 bytes (Fowler, Noll & Vo, 1991; the constants of its 64-bit form). Each step is a bijection of the
 * sum, so damage within one word never goes unseen.
 */
static uint64_t checksum(const char *bytes, int64_t count)
{
    uint64_t sum = 0xcbf29ce484222325u, word;
    for (int64_t i = 0; i + 8 <= count; i += 8) {
        memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0x100000001b3u;
    }
    return sum;
}

enum { SUMMED_FROM = offsetof(header, checksum) + sizeof(uint64_t) };

/* ---- save ---- */

static int64_t element_size(const loss_optimizer *optimizer)
{
    return optimizer->dtype == LOSS_FLOAT64 ? 8 : 4;
}

static int64_t vector_count(const loss_optimizer *optimizer)
{
    return 2 * (int64_t)optimizer->layout.pairs + optimizer->layout.vectors;
}

static void put_options(cursor *c, const loss_optimizer *optimizer)
{
    for (int32_t i = 0; i < lossi_options_count(&optimizer->options); i++) {
        const loss_option *option = lossi_options_at(&optimizer->options, i);
        const lossi_option_value *value =
            i < LOSSI_COMMON_OPTIONS ? lossi_options_common(&optimizer->options, i)
                                     : lossi_options_own(&optimizer->options, i - LOSSI_COMMON_OPTIONS);
        option_record record;
        memset(&record, 0, sizeof record);
        snprintf(record.name, sizeof record.name, "%s", option->name);
        record.type = option->type;
        record.number = value->number;
        record.integer = value->integer;
        if (option->type == LOSS_OPTION_STRING) {
            memcpy(record.word, value->word, sizeof value->word);
        }
        put(c, &record, (int64_t)sizeof record);
    }
}

/* Everything after the header. */
static void put_run(cursor *c, const loss_optimizer *optimizer)
{
    lossi_machine machine = optimizer->machine;
    if (machine.phase == LOSSI_RUNNING) {
        machine.seconds = lossi_clock() - optimizer->clock_start;
    }
    put_options(c, optimizer);
    put(c, optimizer->segments.all, optimizer->segments.count * (int64_t)sizeof(lossi_segment));
    put(c, &machine, (int64_t)sizeof machine);
    put(c, optimizer->state, optimizer->row->state_size);
    for (int64_t i = 0; i < vector_count(optimizer); i++) {
        put(c, lossi_vector(optimizer, (int32_t)i), optimizer->dimension * element_size(optimizer));
    }
    put(c, optimizer->integers, 8 * optimizer->layout.integers);
    put(c, optimizer->doubles, 8 * optimizer->layout.doubles);
}

static header describe(const loss_optimizer *optimizer)
{
    header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, magic, sizeof magic);
    h.byte_order = BYTE_ORDER;
    h.format = FORMAT;
    h.numerics = loss_numerics_revision();
    h.dtype = optimizer->dtype;
    h.dimension = optimizer->dimension;
    h.samples = optimizer->machine.samples;
    h.rough = optimizer->machine.rough;
    h.options = lossi_options_count(&optimizer->options);
    h.segments = optimizer->segments.count;
    h.machine_size = (int64_t)sizeof(lossi_machine);
    h.state_size = optimizer->row->state_size;
    h.vectors = vector_count(optimizer);
    h.integers = optimizer->layout.integers;
    h.doubles = optimizer->layout.doubles;
    snprintf(h.optimizer, sizeof h.optimizer, "%s", optimizer->row->name);
    return h;
}

int64_t loss_optimizer_save_size(const loss_optimizer *optimizer)
{
    if (optimizer == NULL || optimizer->machine.phase == LOSSI_IDLE) {
        return 0;
    }
    cursor counter = {NULL, (int64_t)sizeof(header)};
    put_run(&counter, optimizer);
    return counter.used;
}

loss_status loss_optimizer_save(const loss_optimizer *optimizer, void *blob, int64_t size)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (blob == NULL) {
        return lossi_fail_null(optimizer->context, "blob");
    }
    int64_t needed = loss_optimizer_save_size(optimizer);
    if (needed == 0) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s has nothing to save before it is started",
                          optimizer->owner);
    }
    if (size < needed) {
        return lossi_fail(optimizer->context, LOSS_ERROR_ARGUMENT,
                          "a checkpoint of %s has %lld bytes, more than the %lld there is room for",
                          optimizer->owner, (long long)needed, (long long)size);
    }
    cursor c = {blob, (int64_t)sizeof(header)};
    header h = describe(optimizer);
    put_run(&c, optimizer);
    h.size = needed;
    memcpy(blob, &h, sizeof h);
    h.checksum = checksum((char *)blob + SUMMED_FROM, needed - SUMMED_FROM);
    memcpy(blob, &h, sizeof h);
    return LOSS_OK;
}

/* ---- load ---- */

static loss_status refuse(const loss_optimizer *optimizer, const char *why)
{
    return lossi_fail(optimizer->context, LOSS_ERROR_CHECKPOINT,
                      "%s cannot continue from this checkpoint: %s", optimizer->owner, why);
}

/* Whether these are whole bytes that this library wrote on a machine like this one. */
static loss_status check_bytes(const loss_optimizer *optimizer, const void *blob, int64_t size, header *h)
{
    char why[96];
    if (size < (int64_t)sizeof *h || memcmp(blob, magic, sizeof magic) != 0) {
        return refuse(optimizer, "it is not one, or only the beginning of one");
    }
    memcpy(h, blob, sizeof *h);
    if (h->byte_order != BYTE_ORDER) {
        return refuse(optimizer, "it was written on a machine with another byte order");
    }
    if (h->format != FORMAT) {
        snprintf(why, sizeof why, "its format is %lu, this library reads format %d", (unsigned long)h->format,
                 FORMAT);
        return refuse(optimizer, why);
    }
    if (h->size != size) {
        snprintf(why, sizeof why, "it says it has %lld bytes, not %lld", (long long)h->size, (long long)size);
        return refuse(optimizer, why);
    }
    if (h->checksum != checksum((const char *)blob + SUMMED_FROM, size - SUMMED_FROM)) {
        return refuse(optimizer, "its checksum is wrong, so bytes were changed");
    }
    return LOSS_OK;
}

/* Whether it is of an optimizer like this one. */
static loss_status check_fit(const loss_optimizer *optimizer, const header *h)
{
    char why[128];
    if (memchr(h->optimizer, 0, sizeof h->optimizer) == NULL ||
        strcmp(h->optimizer, optimizer->row->name) != 0) {
        snprintf(why, sizeof why, "it is of the optimizer '%.63s'", h->optimizer);
        return refuse(optimizer, why);
    }
    if (h->dtype != optimizer->dtype) {
        snprintf(why, sizeof why, "it is of %s parameters, not %s", loss_dtype_name(h->dtype),
                 loss_dtype_name(optimizer->dtype));
        return refuse(optimizer, why);
    }
    if (h->dimension != optimizer->dimension) {
        snprintf(why, sizeof why, "it has dimension %lld, not %lld", (long long)h->dimension,
                 (long long)optimizer->dimension);
        return refuse(optimizer, why);
    }
    if (h->numerics != loss_numerics_revision()) {
        snprintf(why, sizeof why,
                 "it was made with numerics revision %d, and this library has %d: the bits "
                 "would not be the same",
                 (int)h->numerics, (int)loss_numerics_revision());
        return refuse(optimizer, why);
    }
    if (h->machine_size != (int64_t)sizeof(lossi_machine) || h->state_size != optimizer->row->state_size) {
        return refuse(optimizer, "it was written by a build whose numbers lie elsewhere");
    }
    return LOSS_OK;
}

static loss_status set_option(lossi_options *options, const option_record *record)
{
    switch (record->type) {
    case LOSS_OPTION_INT:
        return lossi_options_set_int(options, record->name, record->integer);
    case LOSS_OPTION_STRING:
        return lossi_options_set_string(options, record->name, record->word);
    default:
        return lossi_options_set_double(options, record->name, record->number);
    }
}

static loss_status take_options(cursor *c, const loss_optimizer *optimizer, const header *h,
                                lossi_options *options)
{
    loss_status status = lossi_options_create(options, optimizer->context, optimizer->owner,
                                              lossi_common_options, LOSSI_COMMON_OPTIONS,
                                              optimizer->row->options, optimizer->row->option_count);
    for (int64_t i = 0; status == LOSS_OK && i < h->options; i++) {
        option_record record;
        if (c->used + (int64_t)sizeof record > h->size) {
            return refuse(optimizer, "its options go beyond its end");
        }
        take(c, &record, (int64_t)sizeof record);
        record.name[sizeof record.name - 1] = record.word[sizeof record.word - 1] = '\0';
        status = set_option(options, &record);
        if (status != LOSS_OK) {
            return refuse(optimizer, "it has an option that this library does not take");
        }
    }
    return status;
}

/* The segments, in an array of their own; NULL for none. */
static loss_status take_segments(cursor *c, const loss_optimizer *optimizer, const header *h,
                                 lossi_segments *segments)
{
    const int64_t most = (h->size - c->used) / (int64_t)sizeof(lossi_segment);
    *segments = (lossi_segments){NULL, h->segments, h->segments};
    if (h->segments < 0 || h->segments > most) {
        return refuse(optimizer, "its segments go beyond its end");
    }
    if (h->segments > 0) {
        segments->all = lossi_allocate(optimizer->context, h->segments * (int64_t)sizeof(lossi_segment));
        if (segments->all == NULL) {
            return lossi_fail_memory(optimizer->context, "the segments of an optimizer");
        }
    }
    take(c, segments->all, h->segments * (int64_t)sizeof(lossi_segment));
    return LOSS_OK;
}

/* Whether the optimizer's own penalties are those of the run; `used` bytes come before its machine. */
static loss_status check_penalties(const loss_optimizer *optimizer, const char *blob, const header *h,
                                   int64_t used)
{
    lossi_machine run;
    if (used + (int64_t)sizeof run > h->size) {
        return refuse(optimizer, "its numbers go beyond its end");
    }
    memcpy(&run, blob + used, sizeof run);
    return lossi_composite_fits(optimizer, &run)
               ? LOSS_OK
               : refuse(optimizer, "its run had other penalties; add the same ones before it is loaded");
}

/* The workspace for what the checkpoint holds, when that is what the options ask for. */
static loss_status make_room(loss_optimizer *optimizer, const header *h, int64_t used)
{
    lossi_layout before = optimizer->layout;
    optimizer->samples_hint = h->samples;
    optimizer->rough_hint = h->rough;
    loss_status status = lossi_workspace_prepare(optimizer);
    optimizer->samples_hint = 0;
    optimizer->rough_hint = 0;
    if (status != LOSS_OK) {
        return status;
    }
    int64_t rest = padded(h->machine_size) + padded(h->state_size) +
                   h->vectors * padded(optimizer->dimension * element_size(optimizer)) + 8 * h->integers +
                   8 * h->doubles;
    if (h->vectors != vector_count(optimizer) || h->integers != optimizer->layout.integers ||
        h->doubles != optimizer->layout.doubles || used + rest != h->size) {
        optimizer->layout = before;
        return refuse(optimizer, "it does not hold what its options ask for");
    }
    return LOSS_OK;
}

static void take_run(cursor *c, loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    take(c, m, (int64_t)sizeof *m);
    take(c, optimizer->state, optimizer->row->state_size);
    for (int64_t i = 0; i < vector_count(optimizer); i++) {
        take(c, lossi_vector(optimizer, (int32_t)i), optimizer->dimension * element_size(optimizer));
    }
    take(c, optimizer->integers, 8 * optimizer->layout.integers);
    take(c, optimizer->doubles, 8 * optimizer->layout.doubles);
    atomic_store(&optimizer->stop, 0);
    optimizer->explained = 0;
    lossi_composite_settle(optimizer);
    optimizer->clock_start = lossi_clock() - m->seconds;
    optimizer->max_seconds = lossi_options_common(&optimizer->options, LOSSI_MAX_SECONDS)->number;
}

loss_status loss_optimizer_load(loss_optimizer *optimizer, const void *blob, int64_t size)
{
    header h;
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (blob == NULL) {
        return lossi_fail_null(optimizer->context, "blob");
    }
    loss_status status = lossi_optimizer_free_to_start(optimizer);
    if (status == LOSS_OK) {
        status = check_bytes(optimizer, blob, size, &h);
    }
    if (status == LOSS_OK) {
        status = check_fit(optimizer, &h);
    }
    if (status != LOSS_OK) {
        return status;
    }
    cursor c = {(char *)blob, (int64_t)sizeof h};
    lossi_options mine = optimizer->options, loaded;
    lossi_segments my_segments = optimizer->segments, segments = {0};
    memset(&loaded, 0, sizeof loaded);
    status = take_options(&c, optimizer, &h, &loaded);
    if (status == LOSS_OK) {
        status = take_segments(&c, optimizer, &h, &segments);
    }
    if (status == LOSS_OK) {
        status = check_penalties(optimizer, blob, &h, c.used);
    }
    if (status == LOSS_OK) {
        optimizer->options = loaded;
        optimizer->segments = segments;
        status = make_room(optimizer, &h, c.used);
        optimizer->options = status == LOSS_OK ? loaded : mine;
        optimizer->segments = status == LOSS_OK ? segments : my_segments;
    }
    lossi_options_destroy(status == LOSS_OK ? &mine : &loaded);
    lossi_release(optimizer->context, status == LOSS_OK ? my_segments.all : segments.all);
    if (status == LOSS_OK) {
        take_run(&c, optimizer);
    }
    return status;
}
