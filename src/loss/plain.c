/* Blocks of contiguous rows: check, call the kernel in place, add up. */
#include "loss/plain.h"

#include <math.h>
#include <string.h>

#include "core/prefetch.h"

enum {
    ALIGNMENT = 64 /* of streaming stores, at most a vector */,
    PAGE = 4096,
    TOGETHER = 4 /* blocks; measured */,
    MOST_ON_THE_WAY =
        512 *
        1024 /* bytes: larger blocks, and the rows they come from, do not stay in a second-level cache */
};

static int32_t dense(const lossi_array *array, int64_t columns)
{
    return (array->column_stride == 1 || columns == 1) && (array->row_stride == columns || array->rows == 1);
}

static int32_t everywhere(const lossi_domain *domain)
{
    return isinf(domain->low) && isinf(domain->high);
}

/*
 * Several blocks, where a block has few rows. Not where rows are checked for more than labels: of two things that are wrong the one in the
 * first block is named.
 */
static int64_t rows_together(const lossi_plain *plain)
{
    const int64_t rows = TOGETHER * plain->block_rows;
    if (plain->pointwise || plain->domains || plain->block_rows == 1 || plain->block_rows >= LOSSI_PARTS) {
        return plain->block_rows;
    }
    return rows < LOSSI_PARTS ? rows : LOSSI_PARTS;
}

int32_t lossi_plain_init(lossi_plain *plain, const lossi_evaluation *e, const lossi_cut *cut,
                         const lossi_array *prediction, const lossi_array *gradient)
{
    const lossi_prepared *prepared = &e->function->prepared;
    const int64_t target_columns = e->labels ? 1 : e->columns;
    const lossi_array *target = e->target != NULL ? e->target : prediction;
    if (e->callback || e->weight != NULL || e->mask != NULL || e->indices != NULL ||
        !dense(prediction, e->columns) || !dense(target, target_columns) ||
        (!e->labels && target->dtype != e->dtype)) {
        return 0;
    }
    /* a gradient in the place of the target: a kernel over rows needs the target to the end */
    if (gradient != NULL &&
        (!dense(gradient, e->columns) || (e->target != NULL && gradient->pointer == target->pointer))) {
        return 0;
    }
    if (gradient != NULL && gradient->pointer == prediction->pointer &&
        (e->function->row->flags & LOSSI_APART) != 0) {
        return 0;
    }
    plain->e = e;
    plain->prediction = prediction->pointer;
    plain->target = target->pointer;
    plain->gradient = gradient != NULL ? gradient->pointer : NULL;
    plain->pointwise = (e->function->row->flags & LOSSI_POINTWISE) != 0;
    plain->domains = !everywhere(&prepared->prediction) || (!e->labels && !everywhere(&prepared->target));
    plain->copy_labels = e->labels &&
                         (target->dtype != LOSS_INT64 || (uintptr_t)plain->target % sizeof(int64_t) != 0);
    plain->tile_rows = cut->tile_rows;
    plain->block_rows = cut->block_rows;
    plain->rows_together = rows_together(plain);
    /* element i of a tile belongs to lane i mod 16: the lanes go on through a block only when tiles are packs of 16 */
    return !plain->pointwise || cut->tile_rows * e->columns % LOSSI_LANES == 0;
}

/* ---- scratch: the gradient when it is streamed; and for losses over rows, by row ---- */

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/*
 * Of losses over rows the gradient of a block is on its way while that of the next is made, so there are two places: half a page apart
 * as pages go, because a load waits for a store before it that is at the same place of another page. Before each there is room for what
 * is left of the block before, less than a cache line.
 */
static int64_t place_bytes(const lossi_plain *plain)
{
    const int64_t bytes = ALIGNMENT + padded(plain->rows_together * plain->e->columns * plain->e->real_size);
    return (bytes + PAGE - 1) / PAGE * PAGE + PAGE / 2;
}

static int64_t gradient_bytes(const lossi_plain *plain)
{
    return !plain->e->streaming ? 0
           : plain->pointwise   ? padded(plain->rows_together * plain->e->columns * plain->e->real_size)
                                : 2 * place_bytes(plain);
}

/* Whether a block waits for the next one to send it. */
static int32_t waits(const lossi_plain *plain)
{
    return plain->rows_together * plain->e->columns * plain->e->real_size <= MOST_ON_THE_WAY;
}

static char *place_of(const lossi_plain *plain, char *scratch, int64_t first)
{
    const int64_t odd = first / plain->block_rows % 2;
    return scratch + ALIGNMENT + (waits(plain) ? odd * place_bytes(plain) : 0);
}

int64_t lossi_plain_scratch(const lossi_plain *plain)
{
    const int64_t rows = plain->pointwise ? 0 : plain->rows_together, size = plain->e->real_size;
    return gradient_bytes(plain) + plain->e->own_scratch + 2 * padded(rows * size) +
           padded(rows * (int64_t)sizeof(int64_t));
}

/* ---- checks ---- */

static int32_t bad(lossi_total *total, loss_status status, const char *role, int64_t row, double number)
{
    total->status = status;
    total->role = role;
    total->row = row;
    total->bad = number;
    return 0;
}

/* Elements first … first + count − 1 of an array. */
static int32_t keeps_to(const lossi_plain *plain, lossi_total *total, const char *role, const char *array,
                        const lossi_domain *domain, int64_t first, int64_t count)
{
    const lossi_evaluation *e = plain->e;
    if (everywhere(domain)) {
        return 1;
    }
    int64_t index = e->tiles->outside(count, array + first * e->real_size, domain);
    return index < 0 ? 1
                     : bad(total, LOSS_ERROR_DOMAIN, role, (first + index) / e->columns,
                           lossi_real_at(e->dtype, array, first + index));
}

static int32_t in_domains(const lossi_plain *plain, lossi_total *total, int64_t first, int64_t count)
{
    const lossi_prepared *prepared = &plain->e->function->prepared;
    return !plain->domains ||
           (keeps_to(plain, total, "prediction", plain->prediction, &prepared->prediction, first, count) &&
            (plain->e->labels ||
             keeps_to(plain, total, "target", plain->target, &prepared->target, first, count)));
}

/* The labels of rows, aligned and in 64 bits; NULL when one is no class. */
static const int64_t *labels_of(const lossi_plain *plain, int64_t *copy, int64_t first, int64_t rows,
                                lossi_total *total)
{
    const lossi_evaluation *e = plain->e;
    const int64_t size = loss_dtype_size(e->target->dtype);
    const char *from = plain->target + first * size;
    const int64_t *labels = copy;
    int64_t counted;
    if (!plain->copy_labels) {
        labels = (const int64_t *)(const void *)from;
    } else if (size == 8) {
        memcpy(copy, from, (size_t)(rows * size));
    } else {
        for (int64_t i = 0; i < rows; i++) {
            int32_t small;
            memcpy(&small, from + i * size, sizeof small);
            copy[i] = small;
        }
    }
    int64_t index = e->tiles->labels_outside(rows, labels, e->columns, e->function->prepared.ignore_label,
                                             &counted);
    if (index >= 0) {
        total->label = labels[index];
        bad(total, LOSS_ERROR_LABEL, "target", first + index, (double)labels[index]);
        return NULL;
    }
    return labels;
}

/* ---- blocks ---- */

static void run(const lossi_plain *plain, const lossi_tile *tile)
{
    if (tile->gradient != NULL) {
        plain->e->kernels->gradient(tile);
    } else {
        plain->e->kernels->value(tile);
    }
}

/* Domains are looked at by the kernel, which sees every number anyway; where it overwrites them, before. */
static void pointwise_block(const lossi_plain *plain, char *scratch, int64_t first, int64_t count,
                            lossi_total *total)
{
    const lossi_evaluation *e = plain->e;
    const int32_t size = e->real_size;
    const int32_t aligned = ((uintptr_t)plain->gradient + (uintptr_t)(first * size)) % ALIGNMENT == 0;
    const int32_t copied = plain->gradient != NULL && e->streaming && !aligned;
    const int32_t in_place = plain->domains && plain->gradient == plain->prediction;
    /* a second look at the data wants it in the first-level cache */
    const int64_t most = copied || in_place ? LOSSI_TILE : count;
    int32_t outside = 0;
    lossi_tile tile = {.prepared = &e->function->prepared,
                       .scale = e->scale,
                       .columns = 1,
                       .lanes = total->lanes,
                       .elements = e->rows * e->columns,
                       .isa = e->isa,
                       .ask_ahead = lossi_ask_ahead(LOSSI_POINTWISE_AHEAD),
                       .scratch = scratch + gradient_bytes(plain),
                       .streaming = e->streaming && aligned,
                       .outside = plain->domains && !in_place ? &outside : NULL};
    for (int64_t end = first + count; first < end; first += tile.rows) {
        tile.rows = end - first < most ? end - first : most;
        if (in_place && !in_domains(plain, total, first, tile.rows)) {
            return;
        }
        tile.prediction = plain->prediction + first * size;
        tile.target = plain->target + first * size;
        tile.gradient = plain->gradient == NULL ? NULL : copied ? scratch : plain->gradient + first * size;
        run(plain, &tile);
        if (outside && !in_domains(plain, total, first, tile.rows)) {
            return;
        }
        if (copied) {
            e->tiles->stream(tile.rows, scratch, plain->gradient + first * size);
        }
    }
    total->weight_lanes[0] += (double)count; /* integers: exact in any order */
}

/* ---- on the way past the caches ---- */

/* Whole cache lines; the bytes that are left are less than one. */
static void send(const lossi_plain *plain, lossi_stream *stream)
{
    const int64_t whole = stream->bytes / ALIGNMENT * ALIGNMENT;
    plain->e->tiles->stream(whole / plain->e->real_size, stream->from, stream->to);
    stream->from += whole;
    stream->to += whole;
    stream->bytes -= whole;
}

static void keep_before(lossi_stream *stream, char *place)
{
    char *const before = place - stream->bytes;
    memmove(before, stream->from, (size_t)stream->bytes);
    stream->from = before;
}

/* A block follows what is left of the one before it: no cache line is written in two parts but for the first and the last. */
static void follow(const lossi_plain *plain, lossi_stream *stream, char *place, char *to, int64_t bytes)
{
    if (stream->to == NULL) {
        const int64_t apart = (int64_t)(-(uintptr_t)to % ALIGNMENT), head = apart < bytes ? apart : bytes;
        memcpy(to, place, (size_t)head);
        stream->from = place + head;
        stream->to = to + head;
        stream->bytes = bytes - head;
        return;
    }
    if (stream->rows.elements == 0) {
        send(plain, stream);
    }
    keep_before(stream, place);
    stream->bytes += bytes;
}

void lossi_plain_end(const lossi_plain *plain, lossi_stream *stream)
{
    if (stream->to != NULL) {
        plain->e->tiles->send_rest(stream);
        send(plain, stream);
        memcpy(stream->to, stream->from, (size_t)stream->bytes);
    }
}

/* Rows of one block: the sum goes by tiles. */
static void add_block(const lossi_plain *plain, const char *value, const char *denominator, int64_t rows,
                      lossi_total *total)
{
    const lossi_evaluation *e = plain->e;
    for (int64_t i = 0; i < rows; i += plain->tile_rows) {
        const int64_t left = rows - i, count = left < plain->tile_rows ? left : plain->tile_rows;
        if (count == 1) {
            total->lanes[0] += lossi_real_at(e->dtype, value, i);
            total->weight_lanes[0] += lossi_real_at(e->dtype, denominator, i);
        } else {
            e->tiles->sum(count, value + i * e->real_size, total->lanes);
            e->tiles->sum(count, denominator + i * e->real_size, total->weight_lanes);
        }
    }
    lossi_total_end_block(total);
}

static void rowwise_rows(const lossi_plain *plain, char *scratch, int64_t first, int64_t rows,
                         lossi_stream *stream, lossi_total *total)
{
    const lossi_evaluation *e = plain->e;
    const int64_t columns = e->columns, size = e->real_size, each = padded(plain->rows_together * size);
    char *value = scratch + gradient_bytes(plain), *denominator = value + each;
    char *gradient = plain->gradient == NULL ? NULL : plain->gradient + first * columns * size;
    const int32_t copied = gradient != NULL && e->streaming;
    /* rows that are multiplied on the way are read just before the next ones are written (loss/stream.h) */
    char *const place = stream->rows.elements > 0 ? (char *)(uintptr_t)stream->from
                                                  : place_of(plain, scratch, first);
    lossi_tile tile = {.prepared = &e->function->prepared,
                       .scale = e->scale,
                       .rows = rows,
                       .columns = columns,
                       .prediction = plain->prediction + first * columns * size,
                       .prediction_stride = columns,
                       .target_stride = columns,
                       .value = value,
                       .gradient = copied ? place : gradient,
                       .gradient_stride = columns,
                       .stream = copied ? stream : NULL,
                       .denominator = denominator};
    stream->multiplies = copied && plain->rows_together <= LOSSI_PARTS &&
                         ((uintptr_t)gradient | (uintptr_t)(rows * columns * size)) % ALIGNMENT == 0;
    if (!in_domains(plain, total, first * columns, rows * columns)) {
        return;
    }
    if (e->labels) {
        tile.labels = labels_of(plain, (int64_t *)(void *)(denominator + each), first, rows, total);
        if (tile.labels == NULL) {
            return;
        }
    } else {
        tile.target = plain->target + first * columns * size;
    }
    run(plain, &tile);
    for (int64_t i = 0; i < rows; i += plain->block_rows) {
        const int64_t left = rows - i;
        add_block(plain, value + i * size, denominator + i * size,
                  left < plain->block_rows ? left : plain->block_rows, total);
    }
    if (copied) {
        follow(plain, stream, place, gradient, rows * columns * size);
    }
    if (copied && !waits(plain) && stream->rows.elements == 0) {
        send(plain, stream);
        keep_before(stream, place);
    }
}

void lossi_plain_rows(const lossi_plain *plain, char *scratch, int64_t first, int64_t rows,
                      lossi_stream *stream, lossi_total *total)
{
    if (plain->pointwise) {
        const int64_t columns = plain->e->columns;
        pointwise_block(plain, scratch, first * columns, rows * columns, total);
        lossi_total_end_block(total);
    } else {
        rowwise_rows(plain, scratch, first, rows, stream, total);
    }
}
