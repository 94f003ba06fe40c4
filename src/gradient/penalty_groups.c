/*
 * The penalty of groups,
 *
 *     group_lasso  strength · Σ_g w_g · √p_g · ‖x_g‖      Yuan & Lin, J. R. Statist. Soc. B 68 (2006), eq. 2.1
 *
 * for groups g of p_g parameters: neighbours by number, or the segments of an optimizer, or every row or column of them,
 * with the factor w_g of the segment, which is 1 for all others.
 *
 * A sum of squares has the lanes of core/sum.h: element j of the group belongs to lane j mod 16. Columns are taken some at
 * a time, so that rows are read as they lie in memory; every column has its own lanes.
 */
#include <math.h>
#include <stddef.h>

#include "core/sum.h"
#include "gradient/objective.h"
#include "gradient/penalty_row.h"
#include "loss/evaluation.h"

enum { STRENGTH, GROUP_SIZE, GROUP_SIZES, GROUPS };

enum { BY_SIZE, BY_SEGMENT, BY_ROW, BY_COLUMN };

static const loss_option options_of_groups[] = {
    [STRENGTH] = {"strength", LOSS_OPTION_DOUBLE, 0, 1e300, 1, NULL, NULL,
                  "the factor before the sum of √size · norm over the groups"},
    [GROUP_SIZE] = {"group_size", LOSS_OPTION_INT, 1, 0x1p53, 1, NULL, NULL,
                    "how many neighbouring parameters make a group, the last one may have fewer"},
    [GROUP_SIZES] = {"group_sizes", LOSS_OPTION_ARRAY, 1, 0x1p53, 0, NULL, NULL,
                     "the sizes of all groups in turn, instead of group_size; their sum is the count"},
    [GROUPS] =
        {"groups", LOSS_OPTION_STRING, 0, 0, 0, "sizes", "sizes|segments|segment_rows|segment_columns",
         "what makes a group: a number of neighbours, a segment of the optimizer, a row or a column of one"},
};

static int64_t kind_of(const lossi_options *options)
{
    return lossi_options_own(options, GROUPS)->integer;
}

/* ---- which groups there are ---- */

/* Groups of one size: element j of group g is x[first + g · next + j · stride]. */
typedef struct groups {
    int64_t first, count, next, size, stride;
    double factor; /* w_g */
} groups;

/* How far a walk over all of them is: the number of the next size or shape, the next parameter. */
typedef struct walk {
    int64_t index, at;
} walk;

static int32_t next_sizes(const lossi_options *options, lossi_stretch s, walk *w, groups *g)
{
    const lossi_option_value *sizes = lossi_options_own(options, GROUP_SIZES);
    const int64_t left = s.first + s.count - w->at;
    if (left <= 0) {
        return 0;
    }
    int64_t size = sizes->count > 0 ? (int64_t)sizes->array[w->index++]
                                    : lossi_options_own(options, GROUP_SIZE)->integer;
    size = size < left ? size : left;
    *g = (groups){w->at, sizes->count > 0 ? 1 : left / size, size, size, 1, 1.0};
    w->at += g->count * size;
    return 1;
}

/* Segments that are not penalised are no groups. */
static int32_t next_shape(const lossi_options *options, lossi_stretch s, walk *w, groups *g)
{
    const int64_t kind = kind_of(options);
    while (s.shapes != NULL && w->index < s.shapes->count) {
        const lossi_segment_shape shape = s.shapes->at(s.shapes->all, w->index++);
        if (shape.offset < s.first || shape.offset >= s.first + s.count || shape.factor == 0.0) {
            continue;
        }
        if (kind == BY_SEGMENT) {
            const int64_t size = shape.rows * shape.columns;
            *g = (groups){shape.offset, 1, size, size, 1, shape.factor};
        } else if (kind == BY_ROW) {
            *g = (groups){shape.offset, shape.rows, shape.columns, shape.columns, 1, shape.factor};
        } else {
            *g = (groups){shape.offset, shape.columns, 1, shape.rows, shape.columns, shape.factor};
        }
        return 1;
    }
    return 0;
}

static int32_t next_groups(const lossi_options *options, lossi_stretch s, walk *w, groups *g)
{
    return kind_of(options) == BY_SIZE ? next_sizes(options, s, w, g) : next_shape(options, s, w, g);
}

/* ---- some groups at a time ---- */

enum { TILE = 16 };

static lossi_stretch one(lossi_stretch s, const groups *g, int64_t index)
{
    s.first = g->first + index * g->next;
    s.count = g->size;
    return s;
}

/* The norms of groups from … from + count − 1. */
static void take_norms(lossi_stretch s, const void *x, const groups *g, int64_t from, int64_t count,
                       double *norms)
{
    double lanes[TILE][LOSSI_LANES];
    for (int64_t k = 0; k < count; k++) {
        for (int64_t l = 0; l < LOSSI_LANES; l++) {
            lanes[k][l] = 0.0;
        }
        norms[k] = g->stride == 1 ? sqrt(lossi_sum_of_squares(one(s, g, from + k), x)) : 0.0;
    }
    if (g->stride == 1) {
        return;
    }
    for (int64_t j = 0; j < g->size; j++) {
        for (int64_t k = 0; k < count; k++) {
            const double x_j = lossi_real_at(s.dtype, x, g->first + (from + k) * g->next + j * g->stride);
            lanes[k][j % LOSSI_LANES] += x_j * x_j;
        }
    }
    for (int64_t k = 0; k < count; k++) {
        norms[k] = sqrt(lossi_sum_lanes(lanes[k]));
    }
}

static void shrink_one(lossi_stretch s, void *x, int64_t at, double factor)
{
    lossi_real_put(s.dtype, x, at, factor * lossi_real_at(s.dtype, x, at));
}

static void shrink(lossi_stretch s, void *x, const groups *g, int64_t from, int64_t count,
                   const double *factors)
{
    for (int64_t k = 0; k < count && g->stride == 1; k++) {
        for (int64_t j = 0; j < g->size; j++) {
            shrink_one(s, x, g->first + (from + k) * g->next + j, factors[k]);
        }
    }
    for (int64_t j = 0; j < g->size && g->stride != 1; j++) {
        for (int64_t k = 0; k < count; k++) {
            shrink_one(s, x, g->first + (from + k) * g->next + j * g->stride, factors[k]);
        }
    }
}

/* ---- what a penalty does ---- */

static double value_of(const lossi_options *options, lossi_stretch s, const void *x)
{
    double sum = 0.0, norms[TILE];
    walk w = {0, s.first};
    groups g;
    while (next_groups(options, s, &w, &g)) {
        for (int64_t from = 0; from < g.count; from += TILE) {
            const int64_t count = g.count - from < TILE ? g.count - from : TILE;
            take_norms(s, x, &g, from, count, norms);
            for (int64_t k = 0; k < count; k++) {
                sum += g.factor * sqrt((double)g.size) * norms[k];
            }
        }
    }
    return lossi_options_own(options, STRENGTH)->number * sum;
}

/* x_g = max(1 − t·w_g·√p_g/‖x_g‖, 0) · x_g */
static void prox(const lossi_options *options, lossi_stretch s, double step, void *x)
{
    double norms[TILE], factors[TILE];
    walk w = {0, s.first};
    groups g;
    while (next_groups(options, s, &w, &g)) {
        const double by = step * lossi_options_own(options, STRENGTH)->number * g.factor *
                          sqrt((double)g.size);
        for (int64_t from = 0; from < g.count; from += TILE) {
            const int64_t count = g.count - from < TILE ? g.count - from : TILE;
            take_norms(s, x, &g, from, count, norms);
            for (int64_t k = 0; k < count; k++) {
                factors[k] = norms[k] <= by ? 0.0 : 1.0 - by / norms[k];
            }
            shrink(s, x, &g, from, count, factors);
        }
    }
}

/* Parameter j of group k. */
static int64_t place(const groups *g, int64_t k, int64_t j)
{
    return g->first + k * g->next + j * g->stride;
}

/* ‖x_g + way_g‖ */
static double norm_of_end(lossi_stretch s, const void *x, const void *way, const groups *g, int64_t k)
{
    double lanes[LOSSI_LANES] = {0};
    for (int64_t j = 0; j < g->size; j++) {
        const int64_t at = place(g, k, j);
        const double end = lossi_real_at(s.dtype, x, at) + lossi_real_at(s.dtype, way, at);
        lanes[j % LOSSI_LANES] += end * end;
    }
    return sqrt(lossi_sum_lanes(lanes));
}

/* way_g −= t·w_g·√p_g/‖x_g + way_g‖ · (x_g + way_g), or to 0. */
static void prox_way(const lossi_options *options, lossi_stretch s, double step, const void *x, void *way)
{
    walk w = {0, s.first};
    groups g;
    while (next_groups(options, s, &w, &g)) {
        const double by = step * lossi_options_own(options, STRENGTH)->number * g.factor *
                          sqrt((double)g.size);
        for (int64_t k = 0; k < g.count; k++) {
            const double norm = norm_of_end(s, x, way, &g, k);
            for (int64_t j = 0; j < g.size; j++) {
                const int64_t at = place(&g, k, j);
                const double x_j = lossi_real_at(s.dtype, x, at), way_j = lossi_real_at(s.dtype, way, at);
                lossi_real_put(s.dtype, way, at, norm <= by ? -x_j : way_j - by * ((x_j + way_j) / norm));
            }
        }
    }
}

/* ---- what makes no sense ---- */

static loss_status check_sizes(const lossi_options *options, loss_context *context, const char *title,
                               int64_t length)
{
    const lossi_option_value *sizes = lossi_options_own(options, GROUP_SIZES);
    double sum = 0.0;
    for (int64_t g = 0; g < sizes->count; g++) {
        if (sizes->array[g] != floor(sizes->array[g])) {
            return lossi_fail(context, LOSS_ERROR_RANGE,
                              "group %lld of %s has %g parameters: a whole number is needed", (long long)g,
                              title, sizes->array[g]);
        }
        sum += sizes->array[g];
    }
    if (sizes->count > 0 && sum != (double)length) {
        return lossi_fail(context, LOSS_ERROR_SHAPE,
                          "the groups of %s have %.0f parameters together, but it is about %lld", title, sum,
                          (long long)length);
    }
    return LOSS_OK;
}

static loss_status uncovered(loss_context *context, const char *title, lossi_stretch s, int64_t from,
                             int64_t to)
{
    return lossi_fail(context, LOSS_ERROR_SHAPE,
                      "%s is about parameters %lld … %lld, which are in no segment of %s: name them too "
                      "(penalty_factor 0 leaves a segment out)",
                      title, (long long)from, (long long)to - 1, s.shapes->owner);
}

/* Whole segments cover the stretch. */
static loss_status check_cover(loss_context *context, const char *title, lossi_stretch s)
{
    const int64_t end = s.first + s.count;
    int64_t covered = s.first;
    for (int64_t i = 0; i < s.shapes->count; i++) {
        const lossi_segment_shape shape = s.shapes->at(s.shapes->all, i);
        const int64_t behind = shape.offset + shape.rows * shape.columns;
        if (behind <= s.first || shape.offset >= end) {
            continue;
        }
        if (shape.offset < s.first || behind > end) {
            return lossi_fail(context, LOSS_ERROR_SHAPE,
                              "%s is about parameters %lld … %lld, and cuts the segment of parameters %lld … "
                              "%lld of %s",
                              title, (long long)s.first, (long long)end - 1, (long long)shape.offset,
                              (long long)behind - 1, s.shapes->owner);
        }
        if (shape.offset > covered) {
            return uncovered(context, title, s, covered, shape.offset);
        }
        covered = behind;
    }
    return covered < end ? uncovered(context, title, s, covered, end) : LOSS_OK;
}

static loss_status check(const lossi_options *options, loss_context *context, const char *title,
                         lossi_stretch s)
{
    if (kind_of(options) == BY_SIZE) {
        return check_sizes(options, context, title, s.length);
    }
    if (lossi_options_own(options, GROUP_SIZES)->count > 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "%s has group_sizes, and groups that are segments: one of them is enough", title);
    }
    if (s.shapes == NULL) {
        return LOSS_OK;
    }
    if (s.shapes->count == 0) {
        return lossi_fail(
            context, LOSS_ERROR_STATE,
            "the groups of %s are segments, and %s has none: loss_optimizer_add_segment() names "
            "them",
            title, s.shapes->owner);
    }
    return check_cover(context, title, s);
}

static int32_t shaped(const lossi_options *options)
{
    return kind_of(options) != BY_SIZE;
}

const lossi_penalty_row lossi_penalty_group_lasso = {
    .name = "group_lasso",
    .options = options_of_groups,
    .option_count = sizeof options_of_groups / sizeof *options_of_groups,
    .rough = LOSSI_ROUGH_NORM,
    .rough_value = value_of,
    .prox = prox,
    .way = prox_way,
    .check = check,
    .shaped = shaped,
};
