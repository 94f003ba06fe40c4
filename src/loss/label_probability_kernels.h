/*
 * The kernels of a loss of loss/label_probability.h, made from its formula: included once, after
 *     #define LOSSI_FORMULA softmax_focal
 *
 * Of a label, with g, τ and p + τ of the formula, ρ_j = p_j/(1 − p_y), d the direction from its element at the largest column and
 * w = d − p · d:
 *
 *     gradient   g p_j                                at the label  −g (1 − p_y)
 *     curvature  g p_j (1 − p_j + τ ρ_j)                            g (1 − p_y)(p_y + τ)
 *     product    g (p_j w_j − τ ρ_j w_y)                            g (p_y + τ) w_y
 *
 * At the largest column l ≠ y the differences may be of the size of p_y². They are made of sums over all columns but these two,
 * S = Σ p_k and D = Σ p_k d_k: with κ = τ/(1 − p_y)
 *
 *     curvature  g p_l (p_y + τ + (1 − κ) S)        product  −g p_l ((p_y + τ) d_y + (1 − κ) D)
 *
 * Of a distribution they are those of loss/softmax_loss.h with φ = u ψ.
 */
#include "loss/softmax_loss.h"

/* What the formula makes of a vector, weighted; where u is 0 it is 0, whatever ψ is. */
LOSSI_INLINE void weighted(const lossi_tile *tile, const lossi_probability *x, vreal u, lossi_psi *out)
{
    const vreal zero = v_set1(0);
    const vmask none = v_eq(u, zero);
    LOSSI_FORMULA(x, tile->prepared->parameters, out);
    out->value = v_select(none, zero, u * out->value);
    out->steepness = v_select(none, zero, u * out->steepness);
}

/* What the rounding of 1 − p lost: of the division that makes it in the largest column, else of the subtraction. */
LOSSI_INLINE vreal rest_missing(const lossi_softmax *softmax, vmask largest, vreal p, vreal rest)
{
    const vreal left = v_fnma(softmax->rest, softmax->divisor.head, softmax->others.head) +
                       v_fnma(softmax->rest, softmax->divisor.missing, softmax->others.missing);
    return v_select(largest, left * softmax->inverse, (v_set1(1) - rest) - p);
}

/* ---- distributions ---- */

/* u of a vector of columns. */
LOSSI_INLINE vreal load_weights(const lossi_tile *tile, int64_t row, int64_t j)
{
    const double *weight = tile->prepared->class_weight;
    const vreal t = lossi_load_columns(lossi_row_of(tile->target, row, tile->target_stride), j, tile->columns,
                                       0);
    if (weight == NULL) {
        return t;
    }
    real padded[VREAL_LANES] = {0};
    for (int lane = 0; lane < VREAL_LANES && j + lane < tile->columns; lane++) {
        padded[lane] = (real)weight[j + lane];
    }
    return t * v_load(padded);
}

LOSSI_INLINE void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                          lossi_columns *out)
{
    const lossi_softmax_columns *of = &out->of;
    const lossi_probability x = {of->p, of->rest, rest_missing(&s->softmax, of->largest, of->p, of->rest),
                                 of->log};
    lossi_psi psi;
    weighted(tile, &x, load_weights(tile, row, j), &psi);
    out->value = psi.value;
    out->first = -psi.steepness;
    /* ψ'' is multiplied by (1 − p)²: where 1 − p has no digits left that is nothing */
    out->second = psi.steepness * psi.turn / v_max(v_set1(REAL_MIN), of->rest);
}

static void distribution_row(const lossi_tile *tile, int64_t row)
{
    lossi_softmax_state s = {.linear = 0};
    lossi_softmax_begin(tile, row, 1, 0, &s.softmax);
    lossi_softmax_values(tile, row, v_set1(0), &s);
    lossi_softmax_finish(tile, row, &s);
}

/* The rows from `first` on, as many as there are lanes. */
static void distributions_abreast(const lossi_tile *tile, int64_t first)
{
    const double *weight = tile->prepared->class_weight;
    lossi_abreast_rows logits, target, gradient;
    lossi_kept kept;
    lossi_tile rows = lossi_abreast_tile(tile, first, &logits, &target, &gradient);
    lossi_prepared unweighted;
    lossi_softmax_state s = {.linear = 0};
    if (weight != NULL) { /* class weights are of columns, which are in no lane */
        unweighted = *tile->prepared;
        unweighted.class_weight = NULL;
        rows.prepared = &unweighted;
        for (int64_t j = 0; j < tile->columns; j++) {
            target.column[j] = target.column[j] * v_set1((real)weight[j]);
        }
    }
    lossi_softmax_begin_abreast(&logits, tile->columns, &kept, &s.softmax);
    lossi_softmax_abreast(&rows, v_set1(0), &s);
    lossi_abreast_finish(tile, first, s.value, &gradient);
}

static void distributions(const lossi_tile *tile)
{
    const int32_t abreast = lossi_goes_abreast(tile);
    for (int64_t row = 0; row < tile->rows; row++) {
        lossi_put((real *)tile->denominator + row, 1);
        if (!abreast) {
            distribution_row(tile, row);
        } else if (row % VREAL_LANES == 0) {
            distributions_abreast(tile, row);
        }
    }
}

/* ---- labels ---- */

/* A row while it is worked on; what is a vector has of rows abreast a lane for each. */
typedef struct label_row {
    lossi_softmax softmax;
    lossi_column_place place; /* of the label */
    vreal value, p, rest;     /* of the label */
    vreal steepness, turn, lean;
    vreal by, at_label; /* the gradient: what exponentials are multiplied by, and what it is at the label */
    real origin, direction; /* of the direction: its element at the largest column, and d of the label */
    double others, along;   /* S, D */
    double mean;            /* p · d */
} label_row;

/* ψ of the label, whose logit is given, with its class weight. */
static __attribute__((noinline)) void evaluate_label(const lossi_tile *tile, vreal weight, vreal logit,
                                                     vmask largest, label_row *l)
{
    const lossi_softmax *softmax = &l->softmax;
    const vreal away = v_select(largest, v_set1(0), logit - softmax->maximum), others = softmax->others.head;
    vreal missing;
    const vreal e = v_exp_parts(away, &missing), p = lossi_softmax_divide(softmax, e, missing);
    const vreal rest = v_select(largest, softmax->rest, v_set1(1) - p), scale = v_set1((real)tile->scale);
    const lossi_probability x = {p, rest, rest_missing(softmax, largest, p, rest), away - softmax->log};
    lossi_psi psi;
    weighted(tile, &x, weight, &psi);
    l->p = p;
    l->rest = rest;
    l->steepness = psi.steepness;
    l->turn = psi.turn;
    l->lean = psi.lean;
    l->by = (psi.steepness * softmax->inverse) * scale;
    l->at_label = -(psi.steepness * rest) * scale;
    /* NaN in a column that counts for nothing is NaN all the same */
    l->value = v_select(v_is_nan(others), others, psi.value);
}

/* d of a vector of columns; 0 without a direction. */
LOSSI_INLINE vreal load_direction(const lossi_tile *tile, int64_t row, const label_row *l, int64_t j)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    return tile->product == NULL
               ? v_set1(0)
               : lossi_load_columns(direction, j, tile->columns, l->origin) - v_set1(l->origin);
}

/* The sums over all columns but the label and the largest, and what Gauss–Newton leaves out. */
static void sum_others(const lossi_tile *tile, int64_t row, int64_t label, label_row *l)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const vreal zero = v_set1(0), least = -(l->p * l->rest);
    lossi_softmax_columns at;
    lossi_lane_sum others, along;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&along);
    l->origin = tile->product == NULL ? 0 : lossi_get(direction + l->softmax.largest);
    l->direction = tile->product == NULL ? 0 : lossi_get(direction + label) - l->origin;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_softmax_load(&l->softmax, j, &at);
        const vmask left_out = v_mask_or(at.largest, lossi_column_is(&l->place, j));
        const vreal p = v_select(left_out, zero, at.p);
        lossi_columns_add(&others, j, p);
        lossi_columns_add(&along, j, v_select(left_out, zero, at.p * load_direction(tile, row, l, j)));
    }
    const double total = lossi_columns_total(&along, tile->columns);
    l->others = lossi_columns_total(&others, tile->columns);
    l->along = total;
    l->mean = total + (double)lossi_first_lane(l->p) * (double)l->direction; /* d is 0 at the largest */
    if (tile->curvature_kind == LOSSI_GAUSS_NEWTON) {
        const vmask below = v_lt(l->turn, least);
        l->turn = v_select(below, least, l->turn);
        l->lean = v_select(below, l->p * l->p, l->lean);
    }
}

/* Curvature and product of a vector of columns. */
LOSSI_INLINE void second_derivatives(const label_row *l, const lossi_softmax_columns *at, vreal d, vmask here,
                                     vreal *curvature, vreal *product)
{
    const real label_rest = lossi_first_lane(l->rest), label_turn = lossi_first_lane(l->turn),
               label_lean = lossi_first_lane(l->lean);
    const real divide = label_rest == 0 ? 1 : label_rest; /* then all others are 0 too */
    const double w = (double)l->direction - l->mean;
    /* p · d + τ w_y/(1 − p_y), from which d differs little in some columns: for float32 in two parts */
    const double centre = l->mean + (double)label_turn * (w / (double)divide);
    const vreal head = v_set1((real)centre), tail = v_set1((real)(centre - (double)(real)centre));
    /* of terms that nearly cancel where the curvature changes its sign */
    const double more = 1 - (double)label_turn / (double)divide, lean = (double)label_lean;
    const vreal g = l->steepness;
    const vreal flat = v_set1((real)__builtin_fma(more, l->others, lean)),
                level = v_set1((real)-__builtin_fma(more, l->along, lean * (double)l->direction));
    const vreal part = g * at->p, bent = v_fma(l->turn, at->p / v_set1(divide), at->rest);
    const vreal moved = (d - head) - tail;
    *curvature = v_select(here, g * l->rest * l->lean, part * v_select(at->largest, flat, bent));
    *product = v_select(here, g * l->lean * v_set1((real)w), part * v_select(at->largest, level, moved));
}

/* Everything is read of columns before anything of them is written: the gradient may take the prediction's place. */
static __attribute__((noinline)) void write_row(const lossi_tile *tile, int64_t row, const label_row *l)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vmask here = lossi_column_is(&l->place, j);
        lossi_softmax_columns at;
        vreal curvature, product;
        const vreal missing = lossi_softmax_exponentials(&l->softmax, j, &at), e = at.p;
        lossi_softmax_complete(&l->softmax, missing, &at);
        second_derivatives(l, &at, load_direction(tile, row, l, j), here, &curvature, &product);
        lossi_store_scaled_columns(tile, to.curvature, j, curvature);
        lossi_store_scaled_columns(tile, to.product, j, product);
        if (to.gradient != NULL) {
            lossi_store_columns(to.gradient, j, tile->columns, v_select(here, l->at_label, e * l->by));
        }
    }
}

/* The gradient alone, of the exponentials that are in its place. */
LOSSI_INLINE void scale_row(const lossi_tile *tile, int64_t row, int64_t label, const label_row *l)
{
    real *e = lossi_place_of(tile->gradient, row, tile->gradient_stride);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_store_columns(e, j, tile->columns, lossi_load_columns(e, j, tile->columns, 0) * l->by);
    }
    lossi_put(e + label, lossi_first_lane(l->at_label));
}

/* A row that counts, whose softmax is known, with the class weight and the logit of its label. */
static void counted_row(const lossi_tile *tile, int64_t row, real weight, real logit, label_row *l)
{
    const int64_t label = tile->labels[row];
    const vreal is_largest = v_set1(label == l->softmax.largest ? 1 : 0);
    l->place = lossi_column_of_row(label);
    evaluate_label(tile, v_set1(weight), v_set1(logit), v_eq(is_largest, v_set1(1)), l);
    const real value = lossi_first_lane(l->value);
    lossi_put((real *)tile->value + row, value);
    if (value != value) {
        lossi_fill_row(tile, row, value);
    } else if (tile->curvature != NULL || tile->product != NULL) {
        sum_others(tile, row, label, l);
        write_row(tile, row, l);
    } else if (tile->gradient != NULL) {
        scale_row(tile, row, label, l);
    }
}

/* The weight of a row, what it adds to the denominator; 0 of one that does not count. */
static real weigh_row(const lossi_tile *tile, int64_t row)
{
    const double *weights = tile->prepared->class_weight;
    const int64_t label = tile->labels[row];
    const real weight = label == tile->prepared->ignore_label ? 0
                        : weights == NULL                     ? 1
                                                              : (real)weights[label];
    lossi_put((real *)tile->denominator + row, weight);
    return weight;
}

/* At most 16 rows from `first` on. */
static void label_rows(const lossi_tile *tile, int64_t first, int64_t count)
{
    const int32_t keep = tile->gradient != NULL && tile->curvature == NULL && tile->product == NULL;
    lossi_softmax softmax[LOSSI_LANES];
    real logit[LOSSI_LANES] = {0};
    for (int64_t i = 0; i < count; i++) {
        const int64_t label = tile->labels[first + i];
        if (label != tile->prepared->ignore_label) { /* the exponentials may take its place */
            logit[i] = lossi_get(lossi_row_of(tile->prediction, first + i, tile->prediction_stride) + label);
        }
    }
    lossi_softmax_begin(tile, first, count, keep, softmax);
    for (int64_t i = 0; i < count; i++) {
        const real weight = weigh_row(tile, first + i);
        if (tile->labels[first + i] == tile->prepared->ignore_label) {
            lossi_put((real *)tile->value + first + i, 0);
            lossi_fill_row(tile, first + i, 0);
        } else {
            label_row l = {.softmax = softmax[i]};
            counted_row(tile, first + i, weight, logit[i], &l);
        }
    }
}

/* The rows from `first` on, as many as there are lanes. */
static void labels_abreast(const lossi_tile *tile, int64_t first)
{
    const int64_t count = tile->rows - first < VREAL_LANES ? tile->rows - first : VREAL_LANES;
    const vreal zero = v_set1(0);
    real label[VREAL_LANES] = {0}, weight[VREAL_LANES] = {0};
    lossi_abreast_rows logits, gradient;
    lossi_kept kept;
    label_row l;
    const lossi_tile rows = lossi_abreast_tile(tile, first, &logits, NULL, &gradient);
    for (int64_t i = 0; i < count; i++) {
        const int64_t given = tile->labels[first + i];
        weight[i] = weigh_row(tile, first + i);
        label[i] = (real)(given == tile->prepared->ignore_label ? -1 : given);
    }
    const vreal number = v_load(label);
    const vmask counts = v_ge(number, zero);
    vreal logit = zero;
    l.place = lossi_column_of_rows(number);
    for (int64_t j = 0; j < tile->columns; j++) {
        logit = v_select(lossi_column_is(&l.place, j * VREAL_LANES), logits.column[j], logit);
    }
    lossi_softmax_begin_abreast(&logits, tile->columns, &kept, &l.softmax);
    evaluate_label(&rows, v_load(weight), logit, v_eq(l.place.lane, l.softmax.place.lane), &l);
    const vreal value = v_select(counts, l.value, zero), nan = v_select(v_is_nan(value), value, zero);
    const vreal by = v_select(counts, l.by, zero);
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j++) {
        const vmask here = lossi_column_is(&l.place, j * VREAL_LANES);
        const vreal slope = v_select(here, l.at_label, kept.e[j] * by);
        gradient.column[j] = v_select(v_mask_and(counts, v_eq(nan, zero)), slope, nan);
    }
    lossi_abreast_finish(tile, first, value, &gradient);
}

static void everything(const lossi_tile *tile)
{
    const int32_t abreast = lossi_goes_abreast(tile);
    /* a long row stays in the caches for the passes over it */
    const int64_t together = abreast ? VREAL_LANES : tile->columns <= LOSSI_RUN ? LOSSI_LANES : 1;
    if (tile->labels == NULL) {
        distributions(tile);
        return;
    }
    for (int64_t row = 0; row < tile->rows; row += together) {
        const int64_t left = tile->rows - row;
        if (abreast) {
            labels_abreast(tile, row);
        } else {
            label_rows(tile, row, left < together ? left : together);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
