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
    const real left = lossi_first_lane(
        v_fnma(v_set1(softmax->rest), v_set1(softmax->divisor.head), v_set1(softmax->others.head)) +
        v_fnma(v_set1(softmax->rest), v_set1(softmax->divisor.missing), v_set1(softmax->others.missing)));
    return v_select(largest, v_set1(left * softmax->inverse), (v_set1(1) - rest) - p);
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
    lossi_softmax_begin(tile, row, 1, &s.softmax);
    lossi_softmax_values(tile, row, 0, &s);
    lossi_put((real *)tile->denominator + row, 1);
    lossi_softmax_finish(tile, row, &s);
}

/* ---- labels ---- */

/* A row while it is worked on. */
typedef struct label_row {
    lossi_softmax softmax;
    int64_t label;
    real p, rest; /* of the label */
    real steepness, turn, lean;
    real origin, at_label; /* of the direction: its element at the largest column, and d of the label */
    real others, along;    /* S, D */
    double mean;           /* p · d */
} label_row;

/* ψ of the label, with its class weight. */
static real evaluate_label(const lossi_tile *tile, real weight, label_row *l)
{
    const lossi_softmax *softmax = &l->softmax;
    const int32_t is_largest = l->label == softmax->largest;
    const vmask largest = v_eq(v_set1(is_largest ? 1 : 0), v_set1(1));
    const vreal away = v_set1(is_largest ? 0 : lossi_get(softmax->logits + l->label) - softmax->maximum);
    vreal missing;
    const vreal e = v_exp_parts(away, &missing), p = lossi_softmax_divide(softmax, e, missing);
    const vreal rest = v_select(largest, v_set1(softmax->rest), v_set1(1) - p);
    const lossi_probability x = {p, rest, rest_missing(softmax, largest, p, rest),
                                 away - v_set1(softmax->log)};
    lossi_psi psi;
    weighted(tile, &x, v_set1(weight), &psi);
    l->p = lossi_first_lane(p);
    l->rest = lossi_first_lane(rest);
    l->steepness = lossi_first_lane(psi.steepness);
    l->turn = lossi_first_lane(psi.turn);
    l->lean = lossi_first_lane(psi.lean);
    if (tile->curvature_kind == LOSSI_GAUSS_NEWTON && l->turn < -(l->p * l->rest)) {
        l->turn = -(l->p * l->rest);
        l->lean = l->p * l->p;
    }
    /* NaN in a column that counts for nothing is NaN all the same */
    return softmax->others.head != softmax->others.head ? softmax->others.head : lossi_first_lane(psi.value);
}

/* d of a vector of columns; 0 without a direction. */
LOSSI_INLINE vreal load_direction(const lossi_tile *tile, int64_t row, const label_row *l, int64_t j)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    return tile->product == NULL
               ? v_set1(0)
               : lossi_load_columns(direction, j, tile->columns, l->origin) - v_set1(l->origin);
}

LOSSI_INLINE vmask at_label(const label_row *l, int64_t j)
{
    return v_eq(lossi_lane_numbers(0), v_set1((real)(l->label - j)));
}

/* The sums over all columns but the label and the largest. */
static void sum_others(const lossi_tile *tile, int64_t row, label_row *l)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const vreal zero = v_set1(0);
    lossi_softmax_columns at;
    lossi_lane_sum others, along;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&along);
    l->origin = tile->product == NULL ? 0 : lossi_get(direction + l->softmax.largest);
    l->at_label = tile->product == NULL ? 0 : lossi_get(direction + l->label) - l->origin;
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        lossi_softmax_load(&l->softmax, j, &at);
        const vmask left_out = v_mask_or(at.largest, at_label(l, j));
        const vreal p = v_select(left_out, zero, at.p);
        lossi_columns_add(&others, j, p);
        lossi_columns_add(&along, j, v_select(left_out, zero, at.p * load_direction(tile, row, l, j)));
    }
    const double total = lossi_columns_total(&along, tile->columns);
    l->others = (real)lossi_columns_total(&others, tile->columns);
    l->along = (real)total;
    l->mean = total + (double)l->p * (double)l->at_label; /* d is 0 at the largest */
}

/* Curvature and product of a vector of columns. */
LOSSI_INLINE void second_derivatives(const label_row *l, const lossi_softmax_columns *at, vreal d, vmask here,
                                     vreal *curvature, vreal *product)
{
    const real divide = l->rest == 0 ? 1 : l->rest; /* then all others are 0 too */
    const double w = (double)l->at_label - l->mean;
    /* p · d + τ w_y/(1 − p_y), from which d differs little in some columns: for float32 in two parts */
    const double centre = l->mean + (double)l->turn * (w / (double)divide);
    const vreal head = v_set1((real)centre), tail = v_set1((real)(centre - (double)(real)centre));
    const real more = 1 - l->turn / divide;
    const vreal g = v_set1(l->steepness), turn = v_set1(l->turn), lean = v_set1(l->lean);
    const vreal flat = v_set1(l->lean + more * l->others),
                level = v_set1(-(l->lean * l->at_label + more * l->along));
    const vreal part = g * at->p, bent = v_fma(turn, at->p / v_set1(divide), at->rest);
    const vreal moved = (d - head) - tail;
    *curvature = v_select(here, g * v_set1(l->rest) * lean, part * v_select(at->largest, flat, bent));
    *product = v_select(here, g * lean * v_set1((real)w), part * v_select(at->largest, level, moved));
}

/* Everything is read of columns before anything of them is written: the gradient may take the prediction's place. */
static __attribute__((noinline)) void write_row(const lossi_tile *tile, int64_t row, const label_row *l)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal g = v_set1(l->steepness), own = v_set1(-(l->steepness * l->rest));
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vmask here = at_label(l, j);
        lossi_softmax_columns at;
        lossi_softmax_load(&l->softmax, j, &at);
        if (to.curvature != NULL || to.product != NULL) {
            vreal curvature, product;
            second_derivatives(l, &at, load_direction(tile, row, l, j), here, &curvature, &product);
            lossi_store_scaled_columns(tile, to.curvature, j, curvature);
            lossi_store_scaled_columns(tile, to.product, j, product);
        }
        lossi_store_scaled_columns(tile, to.gradient, j, v_select(here, own, g * at.p));
    }
}

static void counted_row(const lossi_tile *tile, int64_t row, label_row *l)
{
    const double *weights = tile->prepared->class_weight;
    const real weight = weights == NULL ? 1 : (real)weights[l->label];
    lossi_softmax_begin(tile, row, 1, &l->softmax);
    const real value = evaluate_label(tile, weight, l);
    lossi_put((real *)tile->value + row, value);
    lossi_put((real *)tile->denominator + row, weight);
    if (value != value) {
        lossi_fill_row(tile, row, value);
        return;
    }
    if (tile->curvature != NULL || tile->product != NULL) {
        sum_others(tile, row, l);
    }
    if (tile->gradient != NULL) {
        write_row(tile, row, l);
    }
}

static void everything(const lossi_tile *tile)
{
    for (int64_t row = 0; row < tile->rows; row++) {
        label_row l = {.label = tile->labels == NULL ? -1 : tile->labels[row]};
        if (tile->labels == NULL) {
            distribution_row(tile, row);
        } else if (l.label != tile->prepared->ignore_label) {
            counted_row(tile, row, &l);
        } else {
            lossi_put((real *)tile->value + row, 0);
            lossi_put((real *)tile->denominator + row, 0);
            lossi_fill_row(tile, row, 0);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {everything, everything, everything, NULL};
