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
#include "gradient/graph/reduce.h"
#include "gradient/graph/run.h"

enum {
    SLICES = 32,         /* as in core/sum.h */
    SLICE_ROWS = 64,     /* at least */
    BLOCK_BYTES = 16384, /* half of a first-level cache */
    PARALLEL = 1 << 15   /* elements; fewer take no longer than threads need to wake up */
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

static int64_t block_rows(const slices *s)
{
    const int64_t fit = BLOCK_BYTES / (s->channels * s->size) / 4 * 4;
    return fit < 4 ? 4 : fit;
}

static void slice_moments(void *argument, int64_t index, int32_t worker)
{
    const slices *s = argument;
    const int64_t begin = s->rows * index / s->count, end = s->rows * (index + 1) / s->count;
    const int64_t channels = s->channels, block = block_rows(s);
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

/*
 * Squares that leave the range of float64 - those of float32 do not, in double - are taken of the channel times a power of two, in the
 * same order; so its numbers times a power of two have the same result, to the bit. The variance itself may be infinite or 0.
 */
enum { FAR = 800, FAR_POWER = 550 }; /* 2^±FAR is where range.c leaves the ordinary path, too */

static double scaled_at(const char *x, int64_t i, double factor)
{
    double number;
    memcpy(&number, x + 8 * i, sizeof number);
    return number * factor;
}

/* Σ (x factor − mean)^degree of n rows of a channel, degree 1 or 2. */
static double scaled_sum(const char *x, int64_t n, int64_t channels, double factor, double mean, int degree)
{
    double sum = 0;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        double term[4];
        for (int r = 0; r < 4; r++) {
            const double d = scaled_at(x, (i + r) * channels, factor) - mean;
            term[r] = degree == 2 ? d * d : d;
        }
        sum += (term[0] + term[1]) + (term[2] + term[3]);
    }
    for (; i < n; i++) {
        const double d = scaled_at(x, i * channels, factor) - mean;
        sum += degree == 2 ? d * d : d;
    }
    return sum;
}

/* Mean and spread of a channel times a factor. */
static void scaled_moments(const slices *s, int64_t channel, double factor, double *mean, double *spread)
{
    const int64_t block = block_rows(s);
    *mean = *spread = 0;
    for (int64_t index = 0; index < s->count; index++) {
        const int64_t begin = s->rows * index / s->count, end = s->rows * (index + 1) / s->count;
        double slice_mean = 0, slice_spread = 0;
        for (int64_t row = begin; row < end; row += block) {
            const int64_t n = end - row < block ? end - row : block;
            const char *x = s->x + (row * s->channels + channel) * s->size;
            const double own_mean = scaled_sum(x, n, s->channels, factor, 0, 1) / (double)n;
            const double own_spread = scaled_sum(x, n, s->channels, factor, own_mean, 2);
            join(1, (double)(row - begin), &slice_mean, &slice_spread, (double)n, &own_mean, &own_spread);
        }
        if (index == 0) {
            *mean = slice_mean;
            *spread = slice_spread;
        } else {
            join(1, (double)begin, mean, spread, (double)(end - begin), &slice_mean, &slice_spread);
        }
    }
}

/* What a channel is to be taken times; 1 almost always. A spread that is not finite may be that of numbers that are. */
static double factor_for(const slices *s, double spread, double epsilon)
{
    if (s->size != 8 || s->rows == 0) {
        return 1;
    }
    if (!(spread <= ldexp(1, FAR))) {
        return ldexp(1, -FAR_POWER);
    }
    return epsilon == 0 && spread < ldexp(1, -FAR) ? ldexp(1, FAR_POWER) : 1;
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
        const double epsilon = run->attributes->number[0], factor = factor_for(&s, spread[c], epsilon);
        if (factor != 1) {
            scaled_moments(&s, c, factor, &mean[c], &spread[c]);
        }
        const double variance = s.rows > 0 ? spread[c] / (double)s.rows : 0.0;
        put_real(&run->output, LOSSI_MOMENT_MEAN * channels + c, mean[c] / factor);
        put_real(&run->output, LOSSI_MOMENT_SCALE * channels + c,
                 factor / sqrt(variance + epsilon * factor * factor));
        put_real(&run->output, LOSSI_MOMENT_VARIANCE * channels + c, variance / factor / factor);
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

/* Cut as sums of columns are (reduce.h), so that a step that makes one of the factors has the same bits. */
typedef struct products {
    const slices *s;
    lossi_column_cut cut;
} products;

static void piece_products(void *argument, int64_t index, int32_t worker)
{
    const products *p = argument;
    const slices *s = p->s;
    const int64_t begin = index * p->cut.piece_rows, behind = begin + p->cut.piece_rows;
    const int64_t end = behind < s->rows ? behind : s->rows, skip = begin * s->channels * s->size;
    double *sum = s->sums + index * s->channels;
    (void)worker;
    memset(sum, 0, sizeof *sum * (size_t)s->channels);
    s->kernels->products(s->a + skip, s->x + skip, end - begin, s->channels, s->mean, sum);
}

int64_t lossi_channel_dot_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape *x = lossi_tape_shape(tape, lossi_tape_input(tape, node, 1));
    return lossi_column_cut_of(rows_of(x, rows), channels_of(x)).pieces * channels_of(x) *
           (int64_t)sizeof(double);
}

loss_status lossi_channel_dot_run(const lossi_node_run *run)
{
    slices s = slices_of(run, &run->input[1]);
    products p = {.s = &s};
    s.a = run->input[0].data;
    s.mean = run->input[2].data; /* the first of its rows */
    if (s.channels == 0) {
        return LOSS_OK;
    }
    p.cut = lossi_column_cut_of(s.rows, s.channels);
    if (s.rows * s.channels < PARALLEL) {
        for (int64_t i = 0; i < p.cut.pieces; i++) {
            piece_products(&p, i, 0);
        }
    } else {
        lossi_parallel(run->context, p.cut.pieces, piece_products, &p);
    }
    lossi_column_join(&p.cut, s.sums);
    for (int64_t c = 0; c < s.channels; c++) {
        put_real(&run->output, c, s.sums[c] * get_real(&run->input[2], LOSSI_MOMENT_SCALE * s.channels + c));
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
    if (s.rows * s.channels < PARALLEL) {
        s.count = 1;
        slice_apply(&n, 0, 0);
    } else {
        lossi_parallel(run->context, s.count, slice_apply, &n);
    }
    return LOSS_OK;
}
