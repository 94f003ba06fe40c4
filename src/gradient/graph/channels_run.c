/*
 * Moments and sums of products of channels, in double whatever the element type.
 *
 * Rows are cut into at most SLICES contiguous slices, by their number alone, which threads share; slices are joined in order. Of
 * a slice the moments of blocks that stay in the first cache are taken in two passes, mean first, and joined in order as
 *
 *     δ = m_b − m_a,  m = m_a + δ n_b / n,  M = M_a + M_b + δ² n_a n_b / n
 *
 * Chan, Golub & LeVeque, Algorithms for computing the sample variance, The American Statistician 37(3), 1983.
 */
#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/channel_kernels.h"
#include "gradient/graph/channels.h"
#include "gradient/graph/run.h"

enum {
    SLICES = 32,        /* as in core/sum.h */
    SLICE_ROWS = 64,    /* at least */
    BLOCK_BYTES = 16384 /* half of a first-level cache */
};

/* A matrix of rows × channels, cut into slices. */
typedef struct slices {
    const lossi_channel_kernels *kernels;
    const char *x, *a; /* a of products */
    const void *mean;
    int64_t rows, channels, size, count;
    double *sums; /* of each slice: mean, M and room for a block's; or sums of products */
} slices;

static int64_t slice_count(int64_t rows)
{
    const int64_t count = rows / SLICE_ROWS;
    return count < 1 ? 1 : count > SLICES ? SLICES : count;
}

static int64_t channels_of(const lossi_shape *shape)
{
    return shape->size[shape->rank - 1];
}

static int64_t rows_of(const lossi_shape *shape, int64_t rows)
{
    lossi_shape without = *shape;
    without.rank--;
    return lossi_shape_elements(&without, rows);
}

static slices slices_of(const lossi_node_run *run, const lossi_value *x)
{
    slices s = {
        .kernels = lossi_channel_kernels_for(lossi_context_isa(run->context), lossi_real_index(x->dtype)),
        .x = x->data,
        .rows = rows_of(&x->shape, 0),
        .channels = channels_of(&x->shape),
        .size = loss_dtype_size(x->dtype),
        .sums = run->scratch};
    s.count = slice_count(s.rows);
    return s;
}

static void put_real(const lossi_value *to, int64_t i, double number)
{
    const float single = (float)number;
    if (to->dtype == LOSS_FLOAT32) {
        memcpy(to->data + 4 * i, &single, sizeof single);
    } else {
        memcpy(to->data + 8 * i, &number, sizeof number);
    }
}

static double get_real(const lossi_value *from, int64_t i)
{
    float single;
    double number;
    if (from->dtype == LOSS_FLOAT32) {
        memcpy(&single, from->data + 4 * i, sizeof single);
        return single;
    }
    memcpy(&number, from->data + 8 * i, sizeof number);
    return number;
}

static void run_slices(const lossi_node_run *run, slices *s, lossi_task task)
{
    enum { PARALLEL = 1 << 15 }; /* elements; fewer take no longer than threads need to wake up */
    if (s->rows * s->channels < PARALLEL) {
        for (int64_t i = 0; i < s->count; i++) {
            task(s, i, 0);
        }
    } else {
        lossi_parallel(run->context, s->count, task, s);
    }
}

/* ---- moments ---- */

/* The moments of `more` elements joined to those of `n`. */
static void join(int64_t channels, double n, double *mean, double *spread, double more,
                 const double *more_mean, const double *more_spread)
{
    for (int64_t c = 0; c < channels; c++) {
        const double delta = more_mean[c] - mean[c], part = more / (n + more);
        mean[c] += delta * part;
        spread[c] += more_spread[c] + delta * delta * n * part;
    }
}

static void slice_moments(void *argument, int64_t index, int32_t worker)
{
    const slices *s = argument;
    const int64_t begin = s->rows * index / s->count, end = s->rows * (index + 1) / s->count;
    const int64_t channels = s->channels, fit = BLOCK_BYTES / (channels * s->size) / 4 * 4;
    const int64_t block = fit < 4 ? 4 : fit;
    double *mean = s->sums + index * 4 * channels, *spread = mean + channels;
    double *own_mean = spread + channels, *own_spread = own_mean + channels;
    (void)worker;
    memset(mean, 0, sizeof *mean * (size_t)(2 * channels));
    for (int64_t row = begin; row < end; row += block) {
        const int64_t n = end - row < block ? end - row : block;
        const char *x = s->x + row * channels * s->size;
        memset(own_mean, 0, sizeof *mean * (size_t)(2 * channels));
        s->kernels->sum(x, n, channels, own_mean);
        for (int64_t c = 0; c < channels; c++) {
            own_mean[c] /= (double)n;
        }
        s->kernels->squares(x, n, channels, own_mean, own_spread);
        join(channels, (double)(row - begin), mean, spread, (double)n, own_mean, own_spread);
    }
}

int64_t lossi_channel_moments_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape *x = lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    return slice_count(rows_of(x, rows)) * 4 * channels_of(x) * (int64_t)sizeof(double);
}

loss_status lossi_channel_moments_run(const lossi_node_run *run)
{
    slices s = slices_of(run, &run->input[0]);
    const int64_t channels = s.channels;
    double *mean = s.sums, *spread = mean + channels;
    if (channels > 0) {
        run_slices(run, &s, slice_moments);
    }
    for (int64_t i = 1; i < s.count; i++) {
        const int64_t begin = s.rows * i / s.count, end = s.rows * (i + 1) / s.count;
        const double *own = s.sums + i * 4 * channels;
        join(channels, (double)begin, mean, spread, (double)(end - begin), own, own + channels);
    }
    for (int64_t c = 0; c < channels; c++) {
        const double variance = s.rows > 0 ? spread[c] / (double)s.rows : 0.0;
        put_real(&run->output, LOSSI_MOMENT_MEAN * channels + c, mean[c]);
        put_real(&run->output, LOSSI_MOMENT_SCALE * channels + c,
                 1.0 / sqrt(variance + run->attributes->number[0]));
        put_real(&run->output, LOSSI_MOMENT_VARIANCE * channels + c, variance);
    }
    return LOSS_OK;
}

/* The row of the moments that the operation is named for. */
loss_status lossi_channel_row_run(const lossi_node_run *run)
{
    const int32_t row = run->tape->nodes[run->node].operation == &lossi_operation_channel_scale
                            ? LOSSI_MOMENT_SCALE
                            : LOSSI_MOMENT_MEAN;
    const int64_t bytes = channels_of(&run->output.shape) * loss_dtype_size(run->output.dtype);
    memcpy(run->output.data, run->input[1].data + row * bytes, (size_t)bytes);
    return LOSS_OK;
}

/* ---- sums of products ---- */

static void slice_products(void *argument, int64_t index, int32_t worker)
{
    const slices *s = argument;
    const int64_t begin = s->rows * index / s->count, end = s->rows * (index + 1) / s->count;
    double *sum = s->sums + index * s->channels;
    const int64_t skip = begin * s->channels * s->size;
    (void)worker;
    memset(sum, 0, sizeof *sum * (size_t)s->channels);
    s->kernels->products(s->a + skip, s->x + skip, end - begin, s->channels, s->mean, sum);
}

int64_t lossi_channel_dot_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape *x = lossi_tape_shape(tape, lossi_tape_input(tape, node, 1));
    return slice_count(rows_of(x, rows)) * channels_of(x) * (int64_t)sizeof(double);
}

loss_status lossi_channel_dot_run(const lossi_node_run *run)
{
    slices s = slices_of(run, &run->input[1]);
    s.a = run->input[0].data;
    s.mean = run->input[2].data; /* the first of its rows */
    run_slices(run, &s, slice_products);
    for (int64_t c = 0; c < s.channels; c++) {
        double sum = s.sums[c];
        for (int64_t i = 1; i < s.count; i++) {
            sum += s.sums[i * s.channels + c];
        }
        put_real(&run->output, c, sum * get_real(&run->input[2], LOSSI_MOMENT_SCALE * s.channels + c));
    }
    return LOSS_OK;
}

/* ---- the normalisation ---- */

typedef struct normalising {
    const slices *s;
    const void *factor, *shift;
    char *y;
} normalising;

static void slice_apply(void *argument, int64_t index, int32_t worker)
{
    const normalising *n = argument;
    const slices *s = n->s;
    const int64_t begin = s->rows * index / s->count, end = s->rows * (index + 1) / s->count;
    const int64_t skip = begin * s->channels * s->size;
    (void)worker;
    s->kernels->apply(s->x + skip, end - begin, s->channels, s->mean, n->factor, n->shift, n->y + skip);
}

int64_t lossi_channel_normalise_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    (void)rows;
    return channels_of(lossi_tape_shape(tape, node)) * (int64_t)sizeof(double);
}

loss_status lossi_channel_normalise_run(const lossi_node_run *run)
{
    slices s = slices_of(run, &run->input[0]);
    const lossi_value factor = {run->scratch, run->output.dtype, {0}};
    normalising n = {&s, run->scratch, run->input[2].data, run->output.data};
    s.mean = run->input[3].data;
    for (int64_t c = 0; c < s.channels; c++) {
        put_real(&factor, c,
                 get_real(&run->input[3], LOSSI_MOMENT_SCALE * s.channels + c) * get_real(&run->input[1], c));
    }
    if (s.rows * s.channels < 1 << 15) {
        s.count = 1;
        slice_apply(&n, 0, 0);
    } else {
        lossi_parallel(run->context, s.count, slice_apply, &n);
    }
    return LOSS_OK;
}
