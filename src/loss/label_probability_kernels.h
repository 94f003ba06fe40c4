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
static void weighted(const lossi_tile *tile, const lossi_probability *x, vreal u, lossi_psi *out)
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

/* u of 16 columns. */
static void load_weights(const lossi_tile *tile, int64_t row, int64_t j, vreal *u)
{
    const double *weight = tile->prepared->class_weight;
    lossi_load_pack(lossi_row_of(tile->target, row, tile->target_stride), j, tile->columns, 0, u);
    if (weight == NULL) {
        return;
    }
    real padded[LOSSI_LANES] = {0};
    for (int lane = 0; lane < LOSSI_LANES && j + lane < tile->columns; lane++) {
        padded[lane] = (real)weight[j + lane];
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        u[v] = u[v] * v_load(padded + v * VREAL_LANES);
    }
}

static void columns(const lossi_tile *tile, int64_t row, const lossi_softmax_state *s, int64_t j,
                    lossi_columns *out)
{
    vreal u[LOSSI_PACK];
    load_weights(tile, row, j, u);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal p = out->p[v], rest = out->rest[v];
        const lossi_probability x = {p, rest, rest_missing(&s->softmax, out->largest[v], p, rest),
                                     out->log[v]};
        lossi_psi psi;
        weighted(tile, &x, u[v], &psi);
        out->value[v] = psi.value;
        out->first[v] = -psi.steepness;
        /* ψ'' is multiplied by (1 − p)²: where 1 − p has no digits left that is nothing */
        out->second[v] = psi.steepness * psi.turn / v_max(v_set1(REAL_MIN), rest);
    }
}

static void distribution_row(const lossi_tile *tile, int64_t row)
{
    lossi_softmax_state s = {.linear = 0};
    lossi_softmax_begin(tile, row, &s.softmax);
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

/* d of 16 columns; 0 without a direction. */
LOSSI_INLINE void load_direction(const lossi_tile *tile, int64_t row, const label_row *l, int64_t j, vreal *d)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    for (int v = 0; v < LOSSI_PACK && tile->product == NULL; v++) {
        d[v] = v_set1(0);
    }
    if (tile->product != NULL) {
        lossi_load_pack(direction, j, tile->columns, l->origin, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = d[v] - v_set1(l->origin);
        }
    }
}

/* The sums over all columns but the label and the largest. */
static void sum_others(const lossi_tile *tile, int64_t row, label_row *l)
{
    const real *direction = lossi_row_of(tile->direction, row, tile->direction_stride);
    const vreal zero = v_set1(0);
    vreal p[LOSSI_PACK], rest[LOSSI_PACK], log[LOSSI_PACK], number[LOSSI_PACK], d[LOSSI_PACK];
    vmask largest[LOSSI_PACK];
    lossi_lane_sum others, along;
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&along);
    l->origin = tile->product == NULL ? 0 : lossi_get(direction + l->softmax.largest);
    l->at_label = tile->product == NULL ? 0 : lossi_get(direction + l->label) - l->origin;
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_softmax_pack(&l->softmax, j, p, rest, log, largest);
        lossi_column_numbers(j, number);
        load_direction(tile, row, l, j, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask left_out = v_mask_or(largest[v], v_eq(number[v], v_set1((real)l->label)));
            lossi_lane_sum_add(&others, v, v_select(left_out, zero, p[v]));
            lossi_lane_sum_add(&along, v, v_select(left_out, zero, p[v] * d[v]));
        }
    }
    const double total = lossi_lane_sum_total(&along);
    l->others = (real)lossi_lane_sum_total(&others);
    l->along = (real)total;
    l->mean = total + (double)l->p * (double)l->at_label; /* d is 0 at the largest */
}

/* Curvature and product of 16 columns. */
static void second_derivatives(const label_row *l, const vreal *p, const vreal *rest, const vreal *d,
                               const vmask *largest, const vmask *here, vreal *curvature, vreal *product)
{
    const real divide = l->rest == 0 ? 1 : l->rest; /* then all others are 0 too */
    const double w = (double)l->at_label - l->mean;
    /* p · d + τ w_y/(1 − p_y), from which d differs little in some columns: for float32 in two parts */
    const double centre = l->mean + (double)l->turn * (w / (double)divide);
    const vreal head = v_set1((real)centre), tail = v_set1((real)(centre - (double)(real)centre));
    const real more = 1 - l->turn / divide;
    const vreal g = v_set1(l->steepness), turn = v_set1(l->turn), lean = v_set1(l->lean),
                divisor = v_set1(divide);
    const vreal flat = v_set1(l->lean + more * l->others),
                level = v_set1(-(l->lean * l->at_label + more * l->along));
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal part = g * p[v], bent = v_fma(turn, p[v] / divisor, rest[v]);
        const vreal moved = (d[v] - head) - tail;
        curvature[v] = v_select(here[v], g * v_set1(l->rest) * lean, part * v_select(largest[v], flat, bent));
        product[v] = v_select(here[v], g * lean * v_set1((real)w), part * v_select(largest[v], level, moved));
    }
}

/* Everything is read of 16 columns before anything of them is written: the gradient may take the prediction's place. */
static void write_pack(const lossi_tile *tile, int64_t row, const label_row *l, int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal g = v_set1(l->steepness), at_label = v_set1(-(l->steepness * l->rest));
    vreal p[LOSSI_PACK], rest[LOSSI_PACK], log[LOSSI_PACK], d[LOSSI_PACK];
    vreal gradient[LOSSI_PACK], curvature[LOSSI_PACK], product[LOSSI_PACK];
    vmask largest[LOSSI_PACK], here[LOSSI_PACK];

    lossi_softmax_pack(&l->softmax, j, p, rest, log, largest);
    lossi_column_numbers(j, gradient);
    for (int v = 0; v < LOSSI_PACK; v++) {
        here[v] = v_eq(gradient[v], v_set1((real)l->label));
        gradient[v] = v_select(here[v], at_label, g * p[v]);
    }
    if (to.curvature != NULL || to.product != NULL) {
        load_direction(tile, row, l, j, d);
        second_derivatives(l, p, rest, d, largest, here, curvature, product);
        lossi_store_scaled(tile, to.curvature, j, curvature);
        lossi_store_scaled(tile, to.product, j, product);
    }
    lossi_store_scaled(tile, to.gradient, j, gradient);
}

static void counted_row(const lossi_tile *tile, int64_t row, label_row *l)
{
    const double *weights = tile->prepared->class_weight;
    const real weight = weights == NULL ? 1 : (real)weights[l->label];
    lossi_softmax_begin(tile, row, &l->softmax);
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
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        write_pack(tile, row, l, j);
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
