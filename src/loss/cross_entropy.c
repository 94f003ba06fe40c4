/*
 * Softmax cross-entropy: of logits z, of probabilities or of their logarithms, and a class label or a distribution.
 *
 *     loss = Σ_j u_j (log Σ_k exp z_k − z_j),   u_j = w_j q_j
 *
 * q is the target distribution with smoothing ε, (1 − ε) t + ε/K, where a label y is t_j = [j = y]; w are class weights. With
 * p = softmax z, W = Σ u and M = diag p − ppᵀ:
 *
 *     gradient  W p − u        curvature  W M, its diagonal W p_j (1 − p_j)        majorizer  ½ W (I − 11ᵀ/K)
 *
 * As a diagonal the majorizer is ½ W: the diagonal of that matrix alone would not be an upper bound.
 * Everything is made of positive parts (loss/rowwise.h): log Σ exp z − z_j = (m − z_j) + log1p(s), and the gradient is
 * (W − u_j) p_j − u_j (1 − p_j), which does not cancel for one-hot targets. A term with u_j = 0 is 0 even at z_j = −∞.
 * With smoothing, or of a distribution, it does where p_j is near u_j/W and the gradient near 0: p is rounded once, so results are
 * then within 4 ulp of these two terms added up, and those of a soft cap and of directions of theirs (tests/reference).
 * W M v does not change when a number is added to v: measured from its element at the largest logit, v_j − p·v keeps its
 * digits where one class dominates.
 * For probabilities: loss = −Σ u_j log p_j, gradient −u_j/p_j, curvature u_j/p_j², and no majorizer. For their logarithms, which
 * are taken as they are: gradient −u_j, curvature 0.
 * A temperature, a soft cap or a z-loss, all of logits only, are in loss/adjusted.h.
 *
 * Bridle, Training stochastic model recognition algorithms as networks (1990), eq. (4); smoothing: Szegedy et al., Rethinking
 * the Inception architecture (2016), §7; majorizer: Böhning, Multinomial logistic regression algorithm (1992).
 */
#include "loss/adjusted.h"
#include "loss/class_options.h"
#include "loss/label_row.h"
#include "loss/narrow.h"

enum { INPUT = LOSSI_CLASS_OPTIONS, LABEL_SMOOTHING, TEMPERATURE, SOFT_CAP, Z_LOSS, OPTIONS };

enum { LOGITS, PROBABILITIES, LOG_PROBABILITIES }; /* the choices of `input` */

enum { ROWS_AT_A_TIME = 64 }; /* rows whose logarithms are taken together */

/* A row while it is worked on. */
typedef struct row_state {
    int64_t largest; /* column of the first maximum */
    int64_t label;   /* −1 for a distribution */
    int32_t label_is_largest;
    int32_t counts; /* 0: has the ignored label */
    real own;       /* u of the label, without smoothing */
} row_state;

/* The rows worked on together; arrays by row so that vectors run over rows. */
typedef struct group {
    row_state row[ROWS_AT_A_TIME];
    real others[ROWS_AT_A_TIME];       /* s */
    real linear[ROWS_AT_A_TIME];       /* Σ u_j (m − z_j) */
    real weight[ROWS_AT_A_TIME];       /* W */
    real other_weight[ROWS_AT_A_TIME]; /* W − u of the largest column */
    real log[ROWS_AT_A_TIME];          /* log1p(s) */
    real inverse[ROWS_AT_A_TIME];      /* 1/(1 + s) */
    lossi_pieces pieces;               /* of the last row: where a row has several, it is alone */
    lossi_next_piece next;             /* of the row that comes */
    double weight_total;               /* of all class weights, where targets are smoothed */
} group;

static int32_t smooth(const lossi_tile *tile)
{
    return tile->labels == NULL || tile->prepared->parameters[LABEL_SMOOTHING] > 0;
}

/* Whether the logits are not the predictions, or there is more than the cross-entropy: loss/adjusted.h does all of that. */
static int32_t adjusted(const lossi_tile *tile)
{
    const double *parameters = tile->prepared->parameters;
    return parameters[TEMPERATURE] != 1 || parameters[SOFT_CAP] > 0 || parameters[Z_LOSS] > 0;
}

/* u of 16 columns; 0 beyond the row. */
static void targets(const lossi_tile *tile, int64_t row, int64_t label, int64_t j, vreal *u)
{
    lossi_class_targets(tile, tile->prepared->parameters[LABEL_SMOOTHING], row, label, j, u);
}

static void begin_row(const lossi_tile *tile, int64_t row, row_state *state)
{
    const lossi_class_label label = lossi_class_label_of(tile, row);
    state->label = label.label;
    state->counts = label.counts;
    state->own = label.own;
}

/*
 * Σ u_j x_j and Σ u_j, where x_j = m − z_j, 0 where both are +∞; a u_j of 0 takes its term away. W − u of the largest column
 * is summed for itself: the gradient there is as small as that difference.
 */
static __attribute__((noinline)) void weigh_columns(const lossi_tile *tile, int64_t row, real maximum,
                                                    group *g, int64_t i)
{
    const real *z = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    const row_state *state = &g->row[i];
    const vreal zero = v_set1(0), m = v_set1(maximum), largest = v_set1((real)state->largest);
    vreal u[LOSSI_PACK], pack[LOSSI_PACK], number[LOSSI_PACK];
    lossi_lane_sum sum, weight, rest;
    lossi_lane_sum_clear(&sum);
    lossi_lane_sum_clear(&weight);
    lossi_lane_sum_clear(&rest);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        targets(tile, row, state->label, j, u);
        lossi_load_pack(z, j, tile->columns, 0, pack);
        lossi_column_numbers(j, number);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask none = v_mask_or(v_eq(u[v], zero), v_eq(pack[v], m));
            lossi_lane_sum_add(&sum, v, v_select(none, zero, u[v] * (m - pack[v])));
            lossi_lane_sum_add(&weight, v, u[v]);
            lossi_lane_sum_add(&rest, v, v_select(v_eq(number[v], largest), zero, u[v]));
        }
    }
    g->linear[i] = (real)lossi_lane_sum_total(&sum);
    g->weight[i] = (real)(state->label < 0
                              ? lossi_lane_sum_total(&weight)
                              : lossi_class_total(tile, tile->prepared->parameters[LABEL_SMOOTHING],
                                                  g->weight_total, state->label));
    g->other_weight[i] = (real)lossi_lane_sum_total(&rest);
}

/* ---- logits ---- */

static void forward_row(const lossi_tile *tile, int64_t row, group *g, int64_t i)
{
    const real *z = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    real *e = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    const real *after = row + 1 < tile->rows ? z + tile->prediction_stride : NULL;
    row_state *state = &g->row[i];

    begin_row(tile, row, state);
    g->others[i] = g->linear[i] = g->weight[i] = g->other_weight[i] = 0;
    if (!state->counts) {
        lossi_pieces_clear(&g->pieces, tile->columns, tile->columns); /* one piece: no factor is asked for */
        lossi_send(tile->stream, tile->columns); /* as much as there is of any row: its place is wanted */
        return;
    }
    if (smooth(tile)) {
        const real m = lossi_row_maximum(z, tile->columns, &state->largest);
        weigh_columns(tile, row, m, g, i);
        g->others[i] = (real)lossi_pieces_of(z, tile->columns, after, e, tile->stream, &g->next, &g->pieces);
        return;
    }
    const real own = lossi_get(z + state->label); /* e may take its place */
    g->others[i] = (real)lossi_pieces_of(z, tile->columns, after, e, tile->stream, &g->next, &g->pieces);
    const real m = g->pieces.maximum;
    state->largest = g->pieces.largest;
    state->label_is_largest = own == m;
    g->weight[i] = state->own;
    g->linear[i] = state->own == 0 || own == m ? 0 : state->own * (m - own);
}

/* The loss of each row, vectors over rows. */
static void finish_values(const lossi_tile *tile, int64_t first, int64_t rows, group *g)
{
    const vreal one = v_set1(1), zero = v_set1(0);
    real value[ROWS_AT_A_TIME];
    for (int64_t i = 0; i < rows; i += VREAL_LANES) {
        const vreal s = v_load(g->others + i), weight = v_load(g->weight + i), log = v_log1p(s);
        v_store(g->inverse + i, one / (one + s));
        v_store(value + i, v_select(v_eq(weight, zero), v_select(v_is_nan(s), s, zero),
                                    v_fma(weight, log, v_load(g->linear + i))));
    }
    memcpy((real *)tile->value + first, value, (size_t)rows * sizeof *value);
}

/* What derivatives of one row share. */
typedef struct row_factors {
    vreal weight, other_weight, others, scale, largest;
    vreal inverse;     /* 1/(1 + s), times the factor of the piece that is worked on */
    vreal origin;      /* where directions are measured from */
    vreal p_direction; /* p · direction, measured from there */
} row_factors;

/* p and 1 − p of 16 columns, from e. */
static void probabilities(const row_factors *f, int64_t j, const vreal *e, vreal *p, vreal *rest)
{
    vreal number[LOSSI_PACK];
    lossi_column_numbers(j, number);
    LOSSI_ROLLED
    for (int v = 0; v < LOSSI_PACK; v++) {
        p[v] = e[v] * f->inverse;
        rest[v] = v_select(v_eq(number[v], f->largest), f->others * f->inverse, v_set1(1) - p[v]);
    }
}

/* p · direction, or for the majorizer the mean of direction. */
static __attribute__((noinline)) real along(const lossi_tile *tile, int64_t row, const lossi_pieces *pieces,
                                            real inverse, vreal origin)
{
    const real *e = lossi_row_of(tile->gradient, row, tile->gradient_stride);
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    vreal a[LOSSI_PACK], d[LOSSI_PACK];
    lossi_lane_sum sum;
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        const vreal factor = v_set1(inverse * pieces->factor[j / pieces->each]);
        lossi_load_pack(e, j, tile->columns, 0, a);
        lossi_load_pack(direction, j, tile->columns, 0, d);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&sum, v, majorizer ? d[v] : a[v] * factor * (d[v] - origin));
        }
    }
    const double total = lossi_lane_sum_total(&sum);
    return (real)(majorizer ? total / (double)tile->columns : total);
}

/* Curvature, product and the gradient of distributions, of 16 columns; e is overwritten by the gradient. */
static __attribute__((noinline)) void derivatives(const lossi_tile *tile, int64_t row, const row_state *state,
                                                  const row_factors *f, int64_t j)
{
    const int64_t columns = tile->columns;
    const int32_t majorizer = tile->curvature_kind == LOSSI_MAJORIZER;
    const vreal bound = v_set1((real)0.5) * f->weight;
    real *gradient = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    real *curvature = lossi_place_of(tile->curvature, row, tile->curvature_stride);
    real *product = lossi_place_of(tile->product, row, tile->product_stride);
    vreal e[LOSSI_PACK], p[LOSSI_PACK], rest[LOSSI_PACK], out[LOSSI_PACK];

    lossi_load_pack(gradient, j, columns, 0, e);
    probabilities(f, j, e, p, rest);
    if (product != NULL) {
        vreal d[LOSSI_PACK];
        lossi_load_pack(lossi_row_of(tile->direction, row, tile->direction_stride), j, columns, 0, d);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            out[v] = (majorizer ? bound : f->weight * p[v]) * ((d[v] - f->origin) - f->p_direction) *
                     f->scale;
        }
        lossi_store_pack(product, j, columns, out);
    }
    if (curvature != NULL) {
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            out[v] = (majorizer ? v_select(v_is_nan(p[v]), p[v], bound) : f->weight * p[v] * rest[v]) *
                     f->scale;
        }
        lossi_store_pack(curvature, j, columns, out);
    }
    if (!smooth(tile)) {
        return; /* label_gradient() does it: the same bits whatever else is wanted */
    }
    vreal number[LOSSI_PACK];
    lossi_column_numbers(j, number);
    targets(tile, row, state->label, j, out);
    LOSSI_ROLLED
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal other_u = v_select(v_eq(number[v], f->largest), f->other_weight, f->weight - out[v]);
        out[v] = (other_u * p[v] - out[v] * rest[v]) * f->scale;
    }
    lossi_store_pack(gradient, j, columns, out);
}

/* Whether exponentials are multiplied on their way past the caches (loss/stream.h). */
static int32_t goes_unscaled(const lossi_tile *tile)
{
    return tile->stream != NULL && tile->stream->multiplies && !smooth(tile);
}

/* The gradient of a label without smoothing: W p everywhere, and −W (1 − p) at the label. */
static void label_gradient(const lossi_tile *tile, int64_t row, const row_state *state, const group *g,
                           int64_t i)
{
    const lossi_pieces *pieces = &g->pieces;
    real *e = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    const real factor = state->own * (real)tile->scale, inverse = g->inverse[i];
    const real p = lossi_get(e + state->label) * (inverse * pieces->factor[state->label / pieces->each]);
    const real rest = state->label_is_largest ? g->others[i] * inverse : 1 - p;
    const lossi_label_factors by = {inverse, factor, -(rest * factor), state->label};
    if (goes_unscaled(tile)) {
        lossi_scale_on_the_way(pieces, &by, row, &tile->stream->rows);
    } else {
        lossi_scale_row(pieces, &by, e);
    }
}

/* One number in all derivatives: 0 for a row that does not count, NaN for a row with a NaN in it. */
static void fill_row(const lossi_tile *tile, int64_t row, real number)
{
    real *const rows[] = {lossi_place_of(tile->gradient, row, tile->gradient_stride),
                          lossi_place_of(tile->curvature, row, tile->curvature_stride),
                          lossi_place_of(tile->product, row, tile->product_stride)};
    for (int k = 0; k < 3; k++) {
        for (int64_t j = 0; rows[k] != NULL && j < tile->columns; j++) {
            lossi_put(rows[k] + j, number);
        }
    }
}

static void backward_row(const lossi_tile *tile, int64_t row, const group *g, int64_t i)
{
    const row_state *state = &g->row[i];
    if (!state->counts) {
        const lossi_label_factors nothing = {0, 0, 0, 0};
        fill_row(tile, row, 0);
        if (goes_unscaled(tile)) {
            lossi_scale_on_the_way(&g->pieces, &nothing, row, &tile->stream->rows);
        }
        return;
    }
    if (!smooth(tile) && tile->curvature == NULL && tile->product == NULL) {
        label_gradient(tile, row, state, g, i);
        return;
    }
    const lossi_pieces *pieces = &g->pieces;
    const real inverse = g->inverse[i];
    row_factors f = {.weight = v_set1(g->weight[i]),
                     .other_weight = v_set1(g->other_weight[i]),
                     .others = v_set1(g->others[i]),
                     .scale = v_set1((real)tile->scale),
                     .largest = v_set1((real)state->largest),
                     .origin = v_set1(0),
                     .p_direction = v_set1(0)};
    if (tile->product != NULL) {
        if (tile->curvature_kind != LOSSI_MAJORIZER) {
            f.origin = v_set1(
                lossi_get(lossi_row_of(tile->direction, row, tile->direction_stride) + state->largest));
        }
        f.p_direction = v_set1(along(tile, row, pieces, inverse, f.origin));
    }
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        f.inverse = v_set1(inverse * pieces->factor[j / pieces->each]);
        derivatives(tile, row, state, &f, j);
    }
    if (!smooth(tile)) {
        label_gradient(tile, row, state, g, i);
    }
}

static void logits(const lossi_tile *tile, int64_t first, int64_t rows, group *g)
{
    for (int64_t i = 0; i < rows; i++) {
        forward_row(tile, first + i, g, i);
    }
    for (int64_t i = rows; i % VREAL_LANES != 0; i++) {
        g->others[i] = g->linear[i] = g->weight[i] = 0; /* the last vector over rows */
    }
    finish_values(tile, first, rows, g);
    if (tile->stream != NULL &&
        tile->stream->rows.elements > 0) { /* what is still there of the rows before goes first */
        lossi_send(tile->stream, tile->stream->bytes);
    }
    for (int64_t i = 0; i < rows && tile->gradient != NULL; i++) {
        backward_row(tile, first + i, g, i);
    }
    if (goes_unscaled(tile)) {
        tile->stream->rows.elements = tile->rows * tile->columns;
    }
}

/* ---- probabilities as predictions, or their logarithms ---- */

/* 16 columns of one row; gives their part of the loss. */
static void probability_pack(const lossi_tile *tile, int64_t row, const row_state *state, int64_t j,
                             lossi_lane_sum *sum)
{
    const vreal zero = v_set1(0), scale = v_set1((real)tile->scale);
    const int32_t logarithms = tile->prepared->parameters[INPUT] == LOG_PROBABILITIES;
    real *gradient = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    real *curvature = lossi_place_of(tile->curvature, row, tile->curvature_stride);
    real *product = lossi_place_of(tile->product, row, tile->product_stride);
    vreal p[LOSSI_PACK], u[LOSSI_PACK], out[LOSSI_PACK], second[LOSSI_PACK];

    lossi_load_pack(lossi_row_of(tile->prediction, row, tile->prediction_stride), j, tile->columns, 1, p);
    targets(tile, row, state->label, j, u);
    LOSSI_ROLLED
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask none = v_eq(u[v], zero);
        const vreal nan = v_select(v_is_nan(p[v]), p[v], zero);
        const vreal slope = v_select(none, nan, logarithms ? u[v] + nan : u[v] / p[v]);
        const vreal log = logarithms ? p[v] : v_log(p[v]);
        lossi_lane_sum_add(sum, v, v_select(none, nan, -(u[v] * log)));
        out[v] = -slope * scale;
        second[v] = v_select(none, nan, logarithms ? nan : slope / p[v]) * scale;
    }
    if (product != NULL) {
        vreal d[LOSSI_PACK];
        lossi_load_pack(lossi_row_of(tile->direction, row, tile->direction_stride), j, tile->columns, 0, d);
        LOSSI_ROLLED
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = second[v] * d[v];
        }
        lossi_store_pack(product, j, tile->columns, d);
    }
    if (curvature != NULL) {
        lossi_store_pack(curvature, j, tile->columns, second);
    }
    if (gradient != NULL) {
        lossi_store_pack(gradient, j, tile->columns, out);
    }
}

static __attribute__((noinline)) void probabilities_row(const lossi_tile *tile, int64_t row)
{
    row_state state;
    lossi_lane_sum sum;
    begin_row(tile, row, &state);
    lossi_lane_sum_clear(&sum);
    if (!state.counts) {
        fill_row(tile, row, 0);
    } else {
        for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
            probability_pack(tile, row, &state, j, &sum);
        }
    }
    const real value = (real)lossi_lane_sum_total(&sum);
    lossi_put((real *)tile->value + row, value);
    if (value != value) {
        fill_row(tile, row, value);
    }
}

/* ---- kernels ---- */

static void everything(const lossi_tile *tile)
{
    group g;
    lossi_pieces_clear(&g.pieces, tile->columns, tile->columns);
    g.next.piece = NULL;
    g.weight_total = smooth(tile) ? lossi_class_weight_total(tile) : 0;
    if (tile->prepared->parameters[INPUT] != LOGITS) {
        for (int64_t row = 0; row < tile->rows; row++) {
            probabilities_row(tile, row);
        }
        return;
    }
    if (adjusted(tile)) {
        lossi_adjusted_tile(tile, tile->prepared->parameters[LABEL_SMOOTHING],
                            tile->prepared->parameters[Z_LOSS]);
        return;
    }
    if (!smooth(tile) && tile->curvature == NULL && tile->product == NULL &&
        tile->columns >= LOSSI_NARROW_LEAST && tile->columns <= LOSSI_NARROW_MOST) {
        lossi_narrow_tile(tile);
        return;
    }
    for (int64_t first = 0; first<tile->rows; first += tile->columns> LOSSI_PIECE ? 1 : ROWS_AT_A_TIME) {
        int64_t rows = tile->rows - first < ROWS_AT_A_TIME ? tile->rows - first : ROWS_AT_A_TIME;
        rows = tile->columns > LOSSI_PIECE ? 1 : rows;
        logits(tile, first, rows, &g);
    }
}

extern const lossi_kernels LOSSI_NAME(cross_entropy);
const lossi_kernels LOSSI_NAME(cross_entropy) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
    [INPUT] = {.name = "input",
               .type = LOSS_OPTION_STRING,
               .text = "logits",
               .choices = "logits|probabilities|log_probabilities",
               .doc = "what the predictions are"},
    [LABEL_SMOOTHING] = {.name = "label_smoothing",
                         .type = LOSS_OPTION_DOUBLE,
                         .minimum = 0,
                         .maximum = 1,
                         .initial = 0,
                         .doc = "the part of a target's mass that is spread evenly over all classes"},
    [TEMPERATURE] = {.name = "temperature",
                     .type = LOSS_OPTION_DOUBLE,
                     .minimum = 1e-6,
                     .maximum = 1e6,
                     .initial = 1,
                     .doc = "what logits are divided by, after the soft cap"},
    [SOFT_CAP] = {.name = "soft_cap",
                  .type = LOSS_OPTION_DOUBLE,
                  .minimum = 0,
                  .maximum = 1e6,
                  .initial = 0,
                  .doc = "c > 0: logits are c tanh(prediction/c); 0: the predictions"},
    [Z_LOSS] = {.name = "z_loss",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e6,
                .initial = 0,
                .doc = "the factor of (log sum exp of logits)^2, which is added to the loss of each row"},
};

/* The largest W of a label, or of a distribution that sums to 1. */
static double largest_weight(const lossi_prepared *prepared)
{
    const double smoothing = prepared->parameters[LABEL_SMOOTHING];
    double sum = 0;
    if (prepared->class_weight == NULL) {
        return 1;
    }
    for (int64_t j = 0; j < prepared->class_weights; j++) {
        sum += prepared->class_weight[j];
    }
    return (1 - smoothing) * lossi_largest_class_weight(prepared) +
           smoothing * (sum / (double)prepared->class_weights);
}

/*
 * By z: |W p − u| ≤ √2 W, near which a row comes that is sure of a wrong class, and an eigenvalue of W M is at most ½ W, reached
 * where two classes share the row (Böhning 1992). By the prediction the slope is at most 1/τ, and the bend of the soft cap, −2 t (1 − t²)/c,
 * t = tanh, at most 4/(3√3 c). A z-loss grows as the square of the logits, and bends down by any amount far below 0.
 */
static lossi_bounds bounds_of_logits(const lossi_prepared *prepared)
{
    const double largest = largest_weight(prepared), temperature = prepared->parameters[TEMPERATURE],
                 cap = prepared->parameters[SOFT_CAP];
    const double turn = cap > 0 ? 4 / (3 * sqrt(3.0)) / cap : 0;
    const double slope = sqrt(2.0) * largest / temperature;
    const double bend = (0.5 / temperature + turn) * largest / temperature;
    if (prepared->parameters[Z_LOSS] > 0) {
        return (lossi_bounds){LOSSI_UNBOUNDED, LOSSI_UNBOUNDED, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
    }
    return (lossi_bounds){slope, bend, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
}

/* What the logits and the sum of their exponentials have to do with the predictions. */
static void prepare_logits(lossi_prepared *prepared)
{
    const int32_t capped = prepared->parameters[SOFT_CAP] > 0, z_loss = prepared->parameters[Z_LOSS] > 0;
    prepared->temperature = prepared->parameters[TEMPERATURE];
    prepared->soft_cap = prepared->parameters[SOFT_CAP];
    prepared->bounds = bounds_of_logits(prepared);
    prepared->flags &= ~(uint32_t)(capped || z_loss ? LOSSI_CONVEX | LOSSI_MAJORIZED : 0);
    prepared->flags &= ~(uint32_t)(z_loss ? LOSSI_PROBABILISTIC : 0);
    if (capped) {
        prepared->constant =
            LOSSI_CONSTANT_SEARCH; /* which refuses: capped logits need not reach the shares */
    }
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int64_t input = lossi_options_own(values, INPUT)->integer;
    lossi_prepare_classes(values, prepared);
    prepared->prediction = input == PROBABILITIES ? (lossi_domain){0, 1, 0} : prepared->prediction;
    prepared->flags &= input == LOGITS ? ~(uint32_t)0 : ~(uint32_t)LOSSI_MAJORIZED;
    if (input == PROBABILITIES) {
        prepared->link = LOSSI_LINK_IDENTITY;
        prepared->bounds.derivatives = LOSSI_UNBOUNDED;
    } else if (input == LOG_PROBABILITIES) {
        prepared->link = LOSSI_LINK_LOG;
        prepared->bounds = (lossi_bounds){largest_weight(prepared), 0, -LOSSI_UNBOUNDED, LOSSI_UNBOUNDED,
                                          LOSSI_UNBOUNDED};
    } else {
        prepare_logits(prepared);
    }
}

extern const lossi_row lossi_row_cross_entropy;
const lossi_row lossi_row_cross_entropy = {
    .name = "cross_entropy",
    .aliases = "softmax_cross_entropy cross_entropy_loss categorical_cross_entropy "
               "sparse_categorical_cross_entropy multinomial_logistic nll nll_loss "
               "categorical_crossentropy sparse_categorical_crossentropy "
               "softmax_cross_entropy_with_integer_labels half_multinomial_loss multi_softmax "
               "multi_softprob multiclass multi_class",
    .summary = "softmax cross-entropy of class labels or distributions",
    .formula =
        "sum_j u_j*(L - z_j) + z_loss*L^2, L = log(sum_k exp(z_k)), u = class_weight * target distribution, "
        "z = prediction, or soft_cap*tanh(prediction/soft_cap)/temperature",
    .reference = "Bridle, Training stochastic model recognition algorithms as networks (1990), eq. (4)",
    .elsewhere = "PyTorch CrossEntropyLoss, and NLLLoss with input = log_probabilities; Keras "
                 "CategoricalCrossentropy and SparseCategoricalCrossentropy; "
                 "optax softmax_cross_entropy; scikit-learn HalfMultinomialLoss; XGBoost multi:softprob; "
                 "LightGBM multiclass; CatBoost MultiClass",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_LABELS |
             LOSSI_MAJORIZED,
    .link = LOSSI_LINK_SOFTMAX,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = OPTIONS,
    .prepare = prepare,
};

#endif
