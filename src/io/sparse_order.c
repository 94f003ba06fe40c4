/*
 * Another order of the rows of a sparse table, in place.
 *
 * Rows have different lengths, so that none fits into the place of another. They are sorted by where they belong: a range of rows is
 * parted in two, those of its lower places before those of its upper ones, and each half is sorted alike. Parting is done half by
 * half, after which the upper rows of the first half and the lower rows of the second change places as two blocks (a rotation; Dudziński &
 * Dydek, "On a stable minimum storage merging algorithm", Information Processing Letters 12, 1981). A range that fits in a buffer of
 * a thirty-second of the entries is arranged through it at once, so that the entries move about twelve times.
 */
#include "sparse.h"

#include <inttypes.h>
#include <string.h>

/* Of the entries and of the rows, what part is arranged at once; the longest row in any case. */
#define BUFFER_PART 32

/* Bytes that two blocks swap at a time, through the stack. */
#define SWAPPED 4096

enum { ARRAYS = 2 };

struct work {
    int64_t *starts; /* rows + 1 offsets, always those of the rows as they lie */
    void
        *keys; /* where the row that lies here belongs: int32 while all rows can be told by one, else int64 */
    int64_t key_size;
    int64_t *list; /* which rows of a range come one after another */
    int64_t *old;  /* starts or keys of a range before it is arranged */
    int64_t most;  /* rows that there is room for in these */
    char *buffer;
    int64_t capacity; /* entries */
    char *arrays[ARRAYS];
    int64_t sizes[ARRAYS]; /* bytes of an entry */
};

static int64_t key_of(const struct work *w, int64_t row)
{
    return w->key_size == sizeof(int32_t) ? ((const int32_t *)w->keys)[row] : ((const int64_t *)w->keys)[row];
}

static void set_key(const struct work *w, int64_t row, int64_t key)
{
    if (w->key_size == sizeof(int32_t)) {
        ((int32_t *)w->keys)[row] = (int32_t)key;
    } else {
        ((int64_t *)w->keys)[row] = key;
    }
}

/* ---- blocks that change places ---- */

static void swap(char *a, char *b, int64_t bytes)
{
    char aside[SWAPPED];
    while (bytes > 0) {
        const size_t now = (size_t)(bytes < SWAPPED ? bytes : SWAPPED);
        memcpy(aside, a, now);
        memcpy(a, b, now);
        memcpy(b, aside, now);
        a += now;
        b += now;
        bytes -= (int64_t)now;
    }
}

/* The first left bytes go behind the right ones that follow them. */
static void rotate(char *p, int64_t left, int64_t right, char *buffer, int64_t room)
{
    while (left > room && right > room) {
        if (left <= right) {
            swap(p, p + left, left);
            p += left;
            right -= left;
        } else {
            swap(p + left - right, p + left, right);
            left -= right;
        }
    }
    if (left <= right) {
        memcpy(buffer, p, (size_t)left);
        memmove(p, p + left, (size_t)right);
        memcpy(p + right, buffer, (size_t)left);
    } else {
        memcpy(buffer, p + left, (size_t)right);
        memmove(p + right, p, (size_t)left);
        memcpy(p, buffer, (size_t)right);
    }
}

/* The rows first … middle − 1 go behind the rows middle … end − 1. */
static void rotate_rows(const struct work *w, int64_t first, int64_t middle, int64_t end)
{
    const int64_t start = w->starts[first];
    const int64_t left = w->starts[middle] - start, right = w->starts[end] - w->starts[middle];
    for (int a = 0; a < ARRAYS; a++) {
        const int64_t size = w->sizes[a];
        rotate(w->arrays[a] + start * size, left * size, right * size, w->buffer, w->capacity * size);
    }
    for (int64_t i = first; i < end; i++) {
        w->starts[i] += i < middle ? right : -left;
    }
    const int64_t size = sizeof *w->starts, room = w->capacity * w->sizes[0];
    rotate((char *)(w->starts + first), (middle - first) * size, (end - middle) * size, w->buffer, room);
    rotate((char *)w->keys + first * w->key_size, (middle - first) * w->key_size,
           (end - middle) * w->key_size, w->buffer, room);
}

/* ---- ranges ---- */

/* Puts the rows of a range, which fits in the buffer, in the order of the list. */
static void arrange(const struct work *w, int64_t first, int64_t end)
{
    const int64_t start = w->starts[first], entries = w->starts[end] - start;
    const size_t rows = (size_t)(end - first);
    memcpy(w->old, w->starts + first, (rows + 1) * sizeof *w->old);
    for (int a = 0; a < ARRAYS; a++) {
        const int64_t size = w->sizes[a];
        char *to = w->arrays[a] + start * size;
        memcpy(w->buffer, to, (size_t)(entries * size));
        for (int64_t i = 0; i < end - first; i++) {
            const int64_t row = w->list[i] - first;
            const size_t bytes = (size_t)((w->old[row + 1] - w->old[row]) * size);
            memcpy(to, w->buffer + (w->old[row] - start) * size, bytes);
            to += bytes;
        }
    }
    for (int64_t i = first; i < end; i++) {
        const int64_t row = w->list[i - first] - first;
        w->starts[i + 1] = w->starts[i] + w->old[row + 1] - w->old[row];
    }
    for (int64_t i = first; i < end; i++) {
        w->old[i - first] = key_of(w, i);
    }
    for (int64_t i = first; i < end; i++) {
        set_key(w, i, w->old[w->list[i - first] - first]);
    }
}

static int fits(const struct work *w, int64_t first, int64_t end)
{
    return end - first <= w->most && w->starts[end] - w->starts[first] <= w->capacity;
}

/* Rows that belong below the pivot come first, both kinds as they follow one another; where the others begin. */
static int64_t part(const struct work *w, int64_t first, int64_t end, int64_t pivot)
{
    if (end - first <= 1) {
        return first + (end > first && key_of(w, first) < pivot);
    }
    if (!fits(w, first, end)) {
        const int64_t middle = first + (end - first) / 2;
        const int64_t a = part(w, first, middle, pivot), b = part(w, middle, end, pivot);
        rotate_rows(w, a, middle, b);
        return a + b - middle;
    }
    int64_t count = 0;
    for (int64_t i = first; i < end; i++) {
        if (key_of(w, i) < pivot) {
            w->list[count++] = i;
        }
    }
    const int64_t others = first + count;
    for (int64_t i = first; i < end; i++) {
        if (key_of(w, i) >= pivot) {
            w->list[count++] = i;
        }
    }
    arrange(w, first, end);
    return others;
}

/* A range that has just the rows which belong in it. */
static void sort(const struct work *w, int64_t first, int64_t end)
{
    if (end - first <= 1) {
        return;
    }
    if (!fits(w, first, end)) {
        const int64_t middle = first + (end - first) / 2;
        part(w, first, end, middle);
        sort(w, first, middle);
        sort(w, middle, end);
        return;
    }
    for (int64_t i = first; i < end; i++) {
        w->list[key_of(w, i) - first] = i;
    }
    arrange(w, first, end);
}

/* What has one element a row, cycle after cycle; the keys, which have done their work, are set to the mark where that is done. */
static void gather(const struct work *w, void *values, int64_t size, const int64_t *order, int64_t rows,
                   int64_t mark)
{
    char aside[sizeof(int64_t)], *first = values;
    for (int64_t i = 0; i < rows; i++) {
        if (key_of(w, i) == mark) {
            continue;
        }
        int64_t to = i;
        memcpy(aside, first + i * size, (size_t)size);
        for (; order[to] != i; to = order[to]) {
            memcpy(first + to * size, first + order[to] * size, (size_t)size);
            set_key(w, to, mark);
        }
        memcpy(first + to * size, aside, (size_t)size);
        set_key(w, to, mark);
    }
}

/* ---- the call ---- */

static loss_status find_keys(const loss_sparse *sparse, const int64_t *order, const struct work *w)
{
    for (int64_t i = 0; i < sparse->rows; i++) {
        set_key(w, i, -1);
    }
    for (int64_t i = 0; i < sparse->rows; i++) {
        if (order[i] < 0 || order[i] >= sparse->rows || key_of(w, order[i]) >= 0) {
            struct lossi_io_message message = {0};
            lossi_io_message_add(&message, "the order is no permutation: place %" PRId64 " has row %" PRId64,
                                 i, order[i]);
            return lossi_io_message_fail(&message, sparse->context, LOSS_ERROR_ARGUMENT);
        }
        set_key(w, order[i], i);
    }
    return LOSS_OK;
}

static int64_t buffer_entries(const loss_sparse *sparse)
{
    const int64_t *offsets = sparse->offsets;
    int64_t entries = sparse->entries / BUFFER_PART + 1;
    for (int64_t i = 0; i < sparse->rows; i++) {
        const int64_t length = offsets[i + 1] - offsets[i];
        entries = length > entries ? length : entries;
    }
    return entries;
}

loss_status loss_sparse_reorder(loss_sparse *sparse, const int64_t *order)
{
    if (!sparse) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_context *context = sparse->context;
    if (!order) {
        return lossi_io_fail_null(context, "the order");
    }
    const int64_t rows = sparse->rows, value_size = loss_dtype_size(sparse->value_dtype);
    struct work w = {.starts = sparse->offsets,
                     .key_size = rows <= INT32_MAX ? sizeof(int32_t) : sizeof(int64_t),
                     .most = rows / BUFFER_PART + 1,
                     .capacity = buffer_entries(sparse),
                     .arrays = {sparse->values, sparse->indices},
                     .sizes = {value_size, loss_dtype_size(sparse->index_dtype)}};
    const int64_t widest = w.sizes[0] > w.sizes[1] ? w.sizes[0] : w.sizes[1];
    loss_status status = LOSS_ERROR_MEMORY;
    w.keys = lossi_io_table_allocate(context, rows, (size_t)w.key_size);
    w.list = w.keys ? lossi_io_table_allocate(context, 2 * w.most + 1, sizeof *w.list) : NULL;
    w.buffer = w.list ? lossi_io_table_allocate(context, w.capacity, (size_t)widest) : NULL;
    if (w.buffer) {
        status = find_keys(sparse, order, &w);
    }
    if (!status) {
        w.old = w.list + w.most;
        sort(&w, 0, rows);
        sparse->is_reordered = 1;
        gather(&w, sparse->labels, value_size, order, rows, -1);
        if (sparse->queries) {
            gather(&w, sparse->queries, sizeof(int64_t), order, rows, -2);
        }
    }
    loss_context_release(context, w.buffer);
    loss_context_release(context, w.list);
    loss_context_release(context, w.keys);
    return status;
}
