/* Packing patches: runs of elements that lie side by side in the image are copied as they are. */
#include "gradient/graph/patches.h"

#include <string.h>

enum {
    MOST_COLUMNS = (int)LOSSI_PRODUCT_DEPTH > (int)LOSSI_PRODUCT_PANEL_ROWS ? (int)LOSSI_PRODUCT_DEPTH
                                                                            : (int)LOSSI_PRODUCT_PANEL_ROWS
};

/* Columns of a panel that come from neighbouring elements of the image. */
typedef struct run_of {
    int64_t to, bytes;     /* in a row of the panel */
    int64_t from;          /* from the corner of the patch, in bytes */
    int64_t down, across;  /* of the run's first pixel from the corner, in pixels */
    int64_t pixels, begin; /* of a whole run; and where in it these columns begin, in bytes */
} run_of;

/* Inline and in wide moves: a call of memcpy costs as much as the runs of an image with few channels take. */
static inline __attribute__((always_inline)) void copy(char *to, const char *from, int64_t bytes)
{
    if (bytes >= 32) {
        int64_t i = 0;
        for (; i + 32 <= bytes; i += 32) {
            memcpy(to + i, from + i, 32);
        }
        memcpy(to + bytes - 32, from + bytes - 32, 32);
    } else if (bytes >= 16) {
        memcpy(to, from, 16);
        memcpy(to + bytes - 16, from + bytes - 16, 16);
    } else if (bytes >= 8) {
        memcpy(to, from, 8);
        memcpy(to + bytes - 8, from + bytes - 8, 8);
    } else if (bytes >= 4) {
        memcpy(to, from, 4);
    }
}

/* The runs that columns begin … end − 1 consist of; at most one per column. */
static int32_t list_runs(const lossi_patches *p, int64_t begin, int64_t end, run_of *runs)
{
    const int32_t joined = p->dilation[1] == 1 && p->depth == p->channels; /* a row of the window is one */
    const int64_t pixels = joined ? p->window[1] : 1, length = pixels * p->depth;
    int32_t count = 0;
    for (int64_t column = begin; column < end;) {
        const int64_t unit = column / length, skipped = column - unit * length;
        const int64_t stop = (unit + 1) * length < end ? (unit + 1) * length : end;
        run_of *run = &runs[count++];
        run->down = (joined ? unit : unit / p->window[1]) * p->dilation[0];
        run->across = joined ? 0 : unit % p->window[1] * p->dilation[1];
        run->from = ((run->down * p->width + run->across) * p->channels + p->first + skipped) * p->size;
        run->to = (column - begin) * p->size;
        run->bytes = (stop - column) * p->size;
        run->pixels = pixels;
        run->begin = skipped * p->size;
        column = stop;
    }
    return count;
}

static int64_t between(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* A patch of which some is outside: (top, left) is its corner in the image. */
static void pack_clipped(const lossi_patches *p, const run_of *runs, int32_t count, int64_t top, int64_t left,
                         int64_t corner, char *to)
{
    const int64_t pixel = p->depth * p->size;
    for (int32_t i = 0; i < count; i++) {
        const run_of *run = &runs[i];
        const int64_t row = top + run->down, column = left + run->across, end = run->begin + run->bytes;
        const int64_t inside = between(-column, 0, run->pixels) * pixel;
        const int64_t outside = between(p->width - column, 0, run->pixels) * pixel;
        const int64_t first = between(inside, run->begin, end);
        const int64_t last = row < 0 || row >= p->height ? first : between(outside, first, end);
        memset(to + run->to, 0, (size_t)(first - run->begin));
        if (last > first) {
            copy(to + run->to + first - run->begin, p->images + (corner + run->from + first - run->begin),
                 last - first);
        }
        memset(to + run->to + last - run->begin, 0, (size_t)(end - last));
    }
}

void lossi_patches_pack(const void *argument, int64_t row_begin, int64_t row_end, int64_t column_begin,
                        int64_t column_end, void *panel, int64_t panel_stride)
{
    const lossi_patches *p = argument;
    run_of runs[MOST_COLUMNS];
    const int32_t count = list_runs(p, column_begin, column_end, runs);
    const int64_t covered_down = (p->window[0] - 1) * p->dilation[0] + 1;
    const int64_t covered_across = (p->window[1] - 1) * p->dilation[1] + 1;
    int64_t across = row_begin % p->places[1], down = row_begin / p->places[1] % p->places[0];
    int64_t image = row_begin / p->places[1] / p->places[0];
    char *to = panel;
    for (int64_t row = row_begin; row < row_end; row++) {
        const int64_t top = down * p->stride[0] - p->before[0], left = across * p->stride[1] - p->before[1];
        const int64_t element = ((image * p->height + top) * p->width + left) * p->channels;
        if (top >= 0 && top + covered_down <= p->height && left >= 0 && left + covered_across <= p->width) {
            const char *corner = p->images + element * p->size;
            for (int32_t i = 0; i < count; i++) {
                copy(to + runs[i].to, corner + runs[i].from, runs[i].bytes);
            }
        } else {
            pack_clipped(p, runs, count, top, left, element * p->size, to);
        }
        to += panel_stride * p->size;
        if (++across == p->places[1]) {
            across = 0;
            if (++down == p->places[0]) {
                down = 0;
                image++;
            }
        }
    }
}

/* ---- laid out ---- */

static int64_t covered(const lossi_patches *p, int32_t axis)
{
    return (p->window[axis] - 1) * p->dilation[axis] + 1;
}

/* Pixels of a row with the zeros that windows see on either side. */
static int64_t laid_width(const lossi_patches *p)
{
    return (p->places[1] - 1) * p->stride[1] + covered(p, 1);
}

/* Row `row` of an image, which may be outside. */
static void lay_row(const lossi_patches *p, int64_t image, int64_t row, char *to)
{
    const int64_t width = laid_width(p), pixel = p->depth * p->size;
    const int64_t first = between(p->before[1], 0, width);
    const int64_t last = between(p->width + p->before[1], first, width);
    if (row < 0 || row >= p->height || last == first) {
        memset(to, 0, (size_t)(width * pixel));
        return;
    }
    const char *from =
        p->images +
        (((image * p->height + row) * p->width + first - p->before[1]) * p->channels + p->first) * p->size;
    memset(to, 0, (size_t)(first * pixel));
    if (p->depth == p->channels) {
        memcpy(to + first * pixel, from, (size_t)((last - first) * pixel));
    } else {
        for (int64_t i = first; i < last; i++, from += p->channels * p->size) {
            memcpy(to + i * pixel, from, (size_t)pixel);
        }
    }
    memset(to + last * pixel, 0, (size_t)((width - last) * pixel));
}

/* Rows of images that so many rows of places of one see. */
static int64_t lines_of(const lossi_patches *p, int64_t places)
{
    return (places - 1) * p->stride[0] + covered(p, 0);
}

int64_t lossi_patches_room(const void *argument, int64_t rows)
{
    const lossi_patches *p = argument;
    const int64_t places = rows > 1 ? (rows - 2) / p->places[1] + 2
                                    : 1; /* rows of places, and images, that they are of */
    const int64_t images = places > 1 ? (places - 2) / p->places[0] + 2 : 1;
    const int64_t between_images = lines_of(p, 1) - p->stride[0];
    return (places * p->stride[0] + images * (between_images > 0 ? between_images : 0)) * laid_width(p) *
           p->depth * p->size;
}

void lossi_patches_lay(const void *argument, int64_t begin, int64_t end, void *room, int64_t *rows)
{
    const lossi_patches *p = argument;
    const int64_t across = p->places[1], down = p->places[0], line = laid_width(p) * p->depth;
    int64_t lines = 0;
    for (int64_t row = begin; row < end;) { /* the rows of places of an image */
        const int64_t image = row / across / down, first = row / across % down;
        const int64_t behind = (end - 1) / across - image * down + 1, last = behind < down ? behind : down;
        const int64_t top = first * p->stride[0] - p->before[0], count = lines_of(p, last - first);
        for (int64_t i = 0; i < count; i++) {
            lay_row(p, image, top + i, (char *)room + (lines + i) * line * p->size);
        }
        for (int64_t at = first; at < last; at++) {
            const int64_t stop = (image * down + at + 1) * across < end ? (image * down + at + 1) * across
                                                                        : end;
            for (int64_t i = row % across; row < stop; row++, i++) {
                rows[row - begin] = (lines + (at - first) * p->stride[0]) * line +
                                    i * p->stride[1] * p->depth;
            }
        }
        lines += count;
    }
}

/* The first row of an image that a row of places sees, `more` further down, from the first image on. */
static int64_t line_seen(const lossi_patches *p, int64_t row, int64_t more)
{
    const int64_t places = row / p->places[1], image = places / p->places[0];
    return image * p->height +
           between(places % p->places[0] * p->stride[0] - p->before[0] + more, 0, p->height);
}

const char *lossi_patches_source(const void *argument, int64_t begin, int64_t end, int64_t *bytes)
{
    const lossi_patches *p = argument;
    const int64_t line = p->width * p->channels * p->size, first = line_seen(p, begin, 0);
    *bytes = (line_seen(p, end - 1, covered(p, 0)) - first) * line;
    return p->images + first * line;
}

int32_t lossi_patches_runs(const void *argument, int64_t begin, int64_t end, lossi_matrix_run *runs)
{
    const lossi_patches *p = argument;
    const int64_t pixels = p->dilation[1] == 1 ? p->window[1] : 1, length = pixels * p->depth;
    int32_t count = 0;
    for (int64_t column = begin; column < end;) {
        const int64_t unit = column / length, stop = (unit + 1) * length < end ? (unit + 1) * length : end;
        const int64_t down = pixels == 1 ? unit / p->window[1] : unit;
        const int64_t right = pixels == 1 ? unit % p->window[1] * p->dilation[1] : 0;
        const int64_t corner = (down * p->dilation[0] * laid_width(p) + right) * p->depth;
        runs[count++] = (lossi_matrix_run){corner + column - unit * length, stop - column};
        column = stop;
    }
    return count;
}
