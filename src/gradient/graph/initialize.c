/*
 * First parameters: drawn so that signals and gradients keep their size from layer to layer.
 *
 *     glorot   variance 2/(fan_in + fan_out)    Glorot & Bengio, AISTATS 2010, eq. 16 (uniform: ±√(6/(fan_in + fan_out)))
 *     he       variance 2/fan_in                He, Zhang, Ren & Sun, ICCV 2015, eq. 10
 *     orthogonal   columns or rows, whichever are fewer, orthonormal    Saxe, McClelland & Ganguli, ICLR 2014, §3.2
 *
 * Normal numbers by the polar method: Marsaglia & Bray, SIAM Review 6 (1964) 260, with the library's own logarithm, so that
 * they are the same everywhere.
 */
#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "core/random.h"
#include "gradient/graph/graph.h"
#include "gradient/graph/shape.h"
#include "gradient/objective.h"
#include "loss/expression/program.h"
#include "loss/random.h"

enum {
    ZEROS,
    ONES,
    UNIFORM,
    NORMAL,
    GLOROT_UNIFORM,
    GLOROT_NORMAL,
    HE_UNIFORM,
    HE_NORMAL,
    ORTHOGONAL,
    INITIALIZERS
};

static const char *const names[INITIALIZERS] = {"zeros",      "ones",           "uniform",
                                                "normal",     "glorot_uniform", "glorot_normal",
                                                "he_uniform", "he_normal",      "orthogonal"};

static const char *name_at(const void *unused, int32_t index)
{
    (void)unused;
    return names[index];
}

loss_status loss_graph_set_initializer(loss_graph *graph, int32_t node, const char *name, double gain)
{
    if (graph == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL) {
        return lossi_fail_null(graph->context, "the name of the initializer");
    }
    if (atomic_load_explicit(&graph->sealed, memory_order_acquire)) {
        return lossi_fail(graph->context, LOSS_ERROR_STATE, "the graph is sealed since its first use");
    }
    int32_t which = 0, parameter = 0;
    while (which < INITIALIZERS && strcmp(names[which], name) != 0) {
        which++;
    }
    while (parameter < graph->parameter_count && graph->parameters[parameter] != node) {
        parameter++;
    }
    if (which == INITIALIZERS) {
        return lossi_fail_name(graph->context, "initializer called", name, name_at, NULL, INITIALIZERS);
    }
    if (parameter == graph->parameter_count) {
        return lossi_fail(graph->context, LOSS_ERROR_RANGE, "node %d is no parameter", (int)node);
    }
    if (!isfinite(gain)) {
        return lossi_fail(graph->context, LOSS_ERROR_RANGE, "the gain of an initializer is finite");
    }
    if (which >= GLOROT_UNIFORM && graph->tape.nodes[node].shape.rank < 2) {
        return lossi_fail(graph->context, LOSS_ERROR_SHAPE,
                          "the initializer '%s' is for parameters with two sizes or more", name);
    }
    graph->initial[parameter] = (lossi_graph_initial){which, gain};
    return LOSS_OK;
}

/* ---- drawing ---- */

typedef struct drawing {
    loss_context *context;
    uint64_t seed, stream;
    int64_t count;
    double *numbers;
} drawing;

static void draw_uniform(const drawing *d, double half_width)
{
    loss_random_uniform(d->seed, d->stream, 0, d->count, d->numbers);
    for (int64_t i = 0; i < d->count; i++) {
        d->numbers[i] = (2 * d->numbers[i] - 1) * half_width;
    }
}

/* v = √(−2 log(s)/s) of s = numbers, in place. */
static loss_status polar_factors(loss_context *context, double *numbers, int64_t count)
{
    lossi_program *program = NULL;
    lossi_expression *e = lossi_expression_create(context, 16);
    void *scratch = NULL;
    if (e != NULL) {
        const int32_t s = lossi_expression_input(e, 0);
        const int32_t log_s = lossi_expression_apply(e, LOSSI_SCALAR_log, s, 0, 0);
        const int32_t twice = lossi_expression_apply(e, LOSSI_SCALAR_multiply,
                                                     lossi_expression_constant(e, -2.0), log_s, 0);
        const int32_t ratio = lossi_expression_apply(e, LOSSI_SCALAR_divide, twice, s, 0);
        const int32_t root = lossi_expression_apply(e, LOSSI_SCALAR_sqrt, ratio, 0, 0);
        if (lossi_program_compile(&program, e, &root, 1, 1, NULL) == 0) {
            scratch = lossi_allocate(context, lossi_program_scratch(program) + 64);
        }
    }
    if (scratch != NULL) {
        const void *inputs[] = {numbers};
        void *outputs[] = {numbers};
        char *aligned = (char *)scratch + (64 - (uintptr_t)scratch % 64) % 64;
        lossi_program_run(program, lossi_context_isa(context), LOSSI_FLOAT64, count, inputs, outputs,
                          aligned);
    }
    const loss_status status = scratch != NULL ? LOSS_OK : lossi_fail_memory(context, "first parameters");
    lossi_release(context, scratch);
    lossi_program_free(program);
    lossi_expression_free(e);
    return status;
}

/* Pairs (u, v) in the unit circle: the words 4k … 4k + 3 of attempt a are two uniform numbers. */
static void draw_pair(const drawing *d, int64_t pair, double uv[2])
{
    double s = 2;
    for (uint64_t attempt = 0; s >= 1 || s == 0; attempt++) {
        uint32_t words[4];
        lossi_philox(d->seed, d->stream, (uint64_t)pair | attempt << 48, words);
        for (int32_t i = 0; i < 2; i++) {
            const uint64_t bits = (uint64_t)words[2 * i] << 32 | words[2 * i + 1];
            uv[i] = (double)(bits >> 11) * 0x1p-52 - 1; /* −1 … 1 in steps of 2⁻⁵² */
        }
        s = uv[0] * uv[0] + uv[1] * uv[1];
    }
}

static loss_status draw_normal(const drawing *d, double deviation)
{
    const int64_t pairs = (d->count + 1) / 2;
    double *factors = lossi_allocate(d->context, (pairs + 1) * (int64_t)sizeof *factors), uv[2];
    if (factors == NULL) {
        return lossi_fail_memory(d->context, "first parameters");
    }
    for (int64_t k = 0; k < pairs; k++) {
        draw_pair(d, k, uv);
        factors[k] = uv[0] * uv[0] + uv[1] * uv[1];
    }
    const loss_status status = polar_factors(d->context, factors, pairs);
    for (int64_t k = 0; k < pairs && status == LOSS_OK; k++) {
        draw_pair(d, k, uv);
        for (int64_t i = 2 * k; i < d->count && i < 2 * k + 2; i++) {
            d->numbers[i] = uv[i - 2 * k] * factors[k] * deviation;
        }
    }
    lossi_release(d->context, factors);
    return status;
}

/* ---- orthonormal ---- */

/* Vector i has its elements at v[i · stride + k · step], k < length. */
typedef struct vectors {
    double *v;
    int64_t count, length, stride, step;
} vectors;

static double *element(const vectors *s, int64_t i, int64_t k)
{
    return &s->v[i * s->stride + k * s->step];
}

static double dot(const vectors *s, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t k = 0; k < s->length; k++) {
        sum += *element(s, i, k) * *element(s, j, k);
    }
    return sum;
}

/* Gram-Schmidt, each vector twice against those before: Giraud, Langou & Rozložník (2005): twice is enough. */
static void orthonormalise(const vectors *s, double gain)
{
    for (int64_t i = 0; i < s->count; i++) {
        for (int32_t pass = 0; pass < 2; pass++) {
            for (int64_t j = 0; j < i; j++) {
                const double factor = dot(s, i, j);
                for (int64_t k = 0; k < s->length; k++) {
                    *element(s, i, k) -= factor * *element(s, j, k);
                }
            }
        }
        const double norm = sqrt(dot(s, i, i));
        for (int64_t k = 0; k < s->length; k++) {
            *element(s, i, k) /= norm;
        }
    }
    for (int64_t i = 0; i < s->count; i++) {
        for (int64_t k = 0; k < s->length; k++) {
            *element(s, i, k) *= gain;
        }
    }
}

/* ---- all parameters ---- */

static loss_status draw(const drawing *d, const lossi_shape *shape, lossi_graph_initial initial)
{
    const int64_t columns = shape->rank > 0 ? shape->size[shape->rank - 1] : 1;
    const int64_t rows = columns > 0 ? d->count / columns : 0;
    double fan_in = 1, fan_out = 1;
    for (int32_t i = 0; i + 1 < shape->rank; i++) {
        fan_in *= (double)shape->size[i];
        fan_out *= i + 2 < shape->rank ? (double)shape->size[i] : (double)columns;
    }
    const double fan = initial.which == HE_UNIFORM || initial.which == HE_NORMAL ? fan_in
                                                                                 : (fan_in + fan_out) / 2;
    loss_status status = LOSS_OK;
    switch (initial.which) {
    case ZEROS:
        break;
    case ONES:
        for (int64_t i = 0; i < d->count; i++) {
            d->numbers[i] = initial.gain;
        }
        break;
    case UNIFORM:
        draw_uniform(d, initial.gain);
        break;
    case NORMAL:
        status = draw_normal(d, initial.gain);
        break;
    case GLOROT_UNIFORM:
        draw_uniform(d, initial.gain * sqrt(3 / fan));
        break;
    case HE_UNIFORM:
        draw_uniform(d, initial.gain * sqrt(6 / fan));
        break;
    case GLOROT_NORMAL:
        status = draw_normal(d, initial.gain * sqrt(1 / fan));
        break;
    case HE_NORMAL:
        status = draw_normal(d, initial.gain * sqrt(2 / fan));
        break;
    default:
        status = draw_normal(d, 1);
        if (status == LOSS_OK) {
            const vectors by_rows = {d->numbers, rows, columns, columns, 1},
                          by_columns = {d->numbers, columns, rows, 1, columns};
            orthonormalise(rows <= columns ? &by_rows : &by_columns, initial.gain);
        }
    }
    return status;
}

loss_status loss_graph_initialize(const loss_graph *graph, loss_context *context, uint64_t seed, void *x)
{
    if (graph == NULL || context == NULL || x == NULL) {
        return lossi_fail_null(context, graph == NULL ? "the graph" : context == NULL ? "the context" : "x");
    }
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        const lossi_tape_node *node = &graph->tape.nodes[graph->parameters[i]];
        const int64_t count = lossi_shape_row(&node->shape), offset = node->attributes.integer[0];
        /* Streams below 2^40 are those of shuffles and dropout. */
        drawing d = {context, seed, (UINT64_C(1) << 40) + (uint64_t)i, count, NULL};
        d.numbers = lossi_allocate(context, (count + 1) * (int64_t)sizeof *d.numbers);
        loss_status status = d.numbers != NULL ? draw(&d, &node->shape, graph->initial[i])
                                               : lossi_fail_memory(context, "first parameters");
        for (int64_t k = 0; k < count && status == LOSS_OK; k++) {
            lossi_real_put(graph->tape.dtype, x, offset + k, d.numbers[k]);
        }
        lossi_release(context, d.numbers);
        if (status != LOSS_OK) {
            return status;
        }
    }
    return LOSS_OK;
}
