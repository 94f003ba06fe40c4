/* Running means and variances: where they are, and folding. */
#include "gradient/graph/statistics.h"

#include <math.h>
#include <string.h>

#include "gradient/graph/channels.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "gradient/objective.h"

static int32_t is_wanted(const loss_graph *graph, const uint8_t *needed, int32_t node)
{
    return needed[node] && graph->tape.nodes[node].operation == &lossi_operation_batch_norm;
}

static void describe(lossi_statistics *s, const loss_graph *graph, int32_t node)
{
    const lossi_tape_node *at = &graph->tape.nodes[node];
    lossi_statistic_node *own = &s->nodes[s->count++];
    own->node = node;
    own->channels = at->shape.size[at->shape.rank - 1];
    own->offset = s->room;
    own->momentum = at->attributes.number[1];
    own->of_rows = lossi_shape_of_rows(&at->shape);
    own->elements = own->channels > 0 ? lossi_shape_row(&at->shape) / own->channels : 0;
    s->room += LOSSI_MOMENTS * own->channels;
}

static char *running_at(const lossi_statistics *s, const lossi_statistic_node *node, int32_t which)
{
    return s->values + (node->offset + which * node->channels) * loss_dtype_size(s->dtype);
}

static double get(const lossi_statistics *s, const char *from, int64_t i)
{
    float single;
    double number;
    if (s->dtype == LOSS_FLOAT32) {
        memcpy(&single, from + 4 * i, sizeof single);
        return single;
    }
    memcpy(&number, from + 8 * i, sizeof number);
    return number;
}

static void put(const lossi_statistics *s, char *to, int64_t i, double number)
{
    const float single = (float)number;
    if (s->dtype == LOSS_FLOAT32) {
        memcpy(to + 4 * i, &single, sizeof single);
    } else {
        memcpy(to + 8 * i, &number, sizeof number);
    }
}

loss_status lossi_statistics_create(lossi_statistics *s, const loss_graph *graph, const uint8_t *needed)
{
    const int64_t size = loss_dtype_size(graph->tape.dtype), nodes = graph->tape.count;
    int64_t count = 0;
    *s = (lossi_statistics){.context = graph->context, .dtype = graph->tape.dtype};
    for (int32_t i = 0; i < nodes; i++) {
        count += is_wanted(graph, needed, i);
    }
    if (count == 0) {
        return LOSS_OK;
    }
    s->nodes = lossi_allocate(s->context, count * (int64_t)sizeof *s->nodes);
    s->counts = lossi_allocate(s->context, count * (int64_t)sizeof *s->counts);
    s->running = lossi_allocate(s->context, 2 * nodes * (int64_t)sizeof *s->running);
    for (int32_t i = 0; s->nodes != NULL && i < nodes; i++) {
        if (is_wanted(graph, needed, i)) {
            describe(s, graph, i);
        }
    }
    s->values = lossi_allocate(s->context, s->room * size);
    s->moments = lossi_allocate(s->context, s->room * size);
    s->pending = lossi_allocate(s->context, s->room * (int64_t)sizeof *s->pending);
    if (s->nodes == NULL || s->counts == NULL || s->running == NULL || s->values == NULL ||
        s->moments == NULL || s->pending == NULL) {
        lossi_statistics_destroy(s);
        return lossi_fail_memory(graph->context, "the running statistics of a graph");
    }
    for (int32_t i = 0; i < s->count; i++) {
        for (int32_t which = 0; which < 2; which++) {
            s->running[2 * s->nodes[i].node + which] = running_at(s, &s->nodes[i], which);
        }
        for (int64_t c = 0; c < s->nodes[i].channels; c++) {
            put(s, running_at(s, &s->nodes[i], 1), c, 1.0);
        }
    }
    return LOSS_OK;
}

void lossi_statistics_destroy(lossi_statistics *s)
{
    if (s->context != NULL) {
        lossi_release(s->context, s->nodes);
        lossi_release(s->context, s->counts);
        lossi_release(s->context, s->running);
        lossi_release(s->context, s->values);
        lossi_release(s->context, s->moments);
        lossi_release(s->context, s->pending);
    }
    memset(s, 0, sizeof *s);
}

const lossi_statistic_node *lossi_statistics_find(const lossi_statistics *s, int32_t node)
{
    for (int32_t i = 0; i < s->count; i++) {
        if (s->nodes[i].node == node) {
            return &s->nodes[i];
        }
    }
    return NULL;
}

void lossi_statistics_begin(lossi_statistics *s)
{
    s->seen = 0;
    for (int32_t i = 0; i < s->count; i++) {
        s->counts[i] = 0;
    }
}

/* Means and squared deviations of two parts as those of both; pending holds mean and deviations, not the variance. */
void lossi_statistics_add(lossi_statistics *s, int64_t rows)
{
    const int64_t size = loss_dtype_size(s->dtype);
    for (int32_t i = 0; i < s->count; i++) {
        const lossi_statistic_node *node = &s->nodes[i];
        const double own = (double)node->elements * (double)(node->of_rows ? rows : 1);
        const double before = s->counts[i], all = before + own;
        const char *moments = s->moments + node->offset * size;
        double *mean = s->pending + node->offset, *spread = mean + node->channels;
        for (int64_t c = 0; c < node->channels && own > 0; c++) {
            const double other = get(s, moments, LOSSI_MOMENT_MEAN * node->channels + c);
            const double variance = get(s, moments, LOSSI_MOMENT_VARIANCE * node->channels + c);
            const double delta = before > 0 ? other - mean[c] : 0.0;
            mean[c] = before > 0 ? mean[c] + delta * (own / all) : other;
            spread[c] = (before > 0 ? spread[c] : 0.0) + variance * own +
                        delta * delta * before * (own / all);
        }
        s->counts[i] = all;
        s->seen |= own > 0;
    }
}

/* The variance is the unbiased one, of more than one element. */
void lossi_statistics_fold(lossi_statistics *s)
{
    for (int32_t i = 0; s->seen && i < s->count; i++) {
        const lossi_statistic_node *node = &s->nodes[i];
        const double *mean = s->pending + node->offset, *spread = mean + node->channels;
        const double n = s->counts[i], w = node->momentum;
        for (int64_t c = 0; c < node->channels && n > 0; c++) {
            if (!isfinite(mean[c]) || !isfinite(spread[c])) {
                continue; /* of an evaluation that was not finite: nobody steps there, and nothing of it stays */
            }
            char *means = running_at(s, node, 0), *variances = running_at(s, node, 1);
            put(s, means, c, (1 - w) * get(s, means, c) + w * mean[c]);
            put(s, variances, c, (1 - w) * get(s, variances, c) + w * (spread[c] / (n > 1 ? n - 1 : n)));
        }
    }
    s->seen = 0;
}

static void set_running(lossi_statistics *s, const lossi_statistic_node *node, const void *mean,
                        const void *variance)
{
    const size_t bytes = (size_t)(node->channels * loss_dtype_size(s->dtype));
    memcpy(running_at(s, node, 0), mean, bytes);
    memcpy(running_at(s, node, 1), variance, bytes);
}

loss_status lossi_statistics_exchange(lossi_statistics *s, loss_context *context, int32_t node, int32_t set,
                                      void *mean, void *variance)
{
    const lossi_statistic_node *own = lossi_statistics_find(s, node);
    if (own == NULL) {
        return lossi_fail(context, LOSS_ERROR_RANGE, "node %d is no batch_norm that is evaluated here",
                          (int)node);
    }
    for (int64_t c = 0; set && c < own->channels; c++) {
        const double m = lossi_real_get(s->dtype, mean, c), v = lossi_real_get(s->dtype, variance, c);
        if (!isfinite(m) || !isfinite(v) || v < 0) {
            return lossi_fail(context, LOSS_ERROR_RANGE,
                              "channel %lld: means are finite, variances too and not negative", (long long)c);
        }
    }
    if (set) {
        set_running(s, own, mean, variance);
    } else {
        const size_t bytes = (size_t)(own->channels * loss_dtype_size(s->dtype));
        memcpy(mean, running_at(s, own, 0), bytes);
        memcpy(variance, running_at(s, own, 1), bytes);
    }
    return LOSS_OK;
}

void lossi_statistics_follow(lossi_statistics *s, const lossi_statistics *other)
{
    for (int32_t i = 0; i < s->count; i++) {
        const lossi_statistic_node *from = lossi_statistics_find(other, s->nodes[i].node);
        if (from != NULL) {
            set_running(s, &s->nodes[i], running_at(other, from, 0), running_at(other, from, 1));
        }
    }
}
