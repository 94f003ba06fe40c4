/*
 * Sparsemax loss: what cross-entropy is to softmax for the projection of the logits onto the distributions, which gives most
 * classes a probability of exactly 0.
 *
 *     p_j = max(0, z_j − τ) with Σ p = 1        loss = ½ |p − e_y|² + max(0, τ − z_y),   times the class weight of y
 *
 * That is the Fenchel–Young loss p·z − z_y + ½ (1 − p·p) without its cancellation: it is 0 from a margin of 1 on. With S the n
 * classes of p > 0:
 *
 *     gradient  p − e_y        curvature  diag 1_S − 1_S 1_Sᵀ/n        majorizer  I − 11ᵀ/K, as a diagonal I
 *
 * τ is found by Newton's method from z_max − 1 on, below which no class has a part: it climbs to the root of Σ max(0, z − τ) = 1
 * in a few steps, and each drops classes from S. At the label 1 − p_y is the sum of the others.
 *
 * A part may be far smaller than the logits it is made of: then it has the digits that τ has beyond the element type. Logits are
 * measured from m, the largest, where S has exact differences, as z > m − 1 is between m/2 and 2m; where |m| < 2 they are taken as they
 * are. Sums over S are exact or nearly so, τ is a head and a tail, and so is the mean of a direction.
 *
 * Martins & Astudillo, From softmax to sparsemax (2016), eq. (16); Blondel, Martins & Niculae, Learning with Fenchel–Young losses
 * (2020), table 1.
 */
#include "loss/class_margin.h"
#include "loss/twofold.h"

/* A number, and what it is missing as one of the element type. */
typedef struct split {
    real head, tail;
} split;

/* A row while it is worked on. */
typedef struct projection {
    real origin, top; /* what logits are measured from, and the largest from there */
    int64_t largest;
    double cut;        /* of sums over S */
    split tau;         /* from the origin too */
    double count;      /* n */
    real rest;         /* 1 − p_y */
    split mean;        /* of the direction over S */
    int32_t majorizer; /* then S is everything */
    int32_t infinite;  /* the origin is */
} projection;

static split split_of(lossi_twofold x)
{
    const real head = (real)x.head;
    return (split){head, (real)((x.head - (double)head) + x.lost)};
}

/* z − ∞ is no number where z is the largest; not inline: rows with an infinity are rare. */
static __attribute__((noinline)) void load_from_infinity(const projection *s, int64_t j, int64_t columns,
                                                         vreal *x)
{
    vreal number[LOSSI_PACK];
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask beyond = v_ge(number[v], v_set1((real)columns));
        x[v] = v_select(v_eq(number[v], v_set1((real)s->largest)), v_set1(s->top),
                        v_select(beyond, v_set1(-REAL_INFINITY), x[v] - v_set1(s->origin)));
    }
}

/* z of 16 columns, from the origin; −∞ beyond the row. */
LOSSI_INLINE void load_logits(const lossi_tile *tile, const lossi_margin_row *m, const projection *s,
                              int64_t j, vreal *x)
{
    lossi_load_pack(m->logits, j, tile->columns, -REAL_INFINITY, x);
    if (s->infinite) {
        load_from_infinity(s, j, tile->columns, x);
        return;
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        x[v] = x[v] - v_set1(s->origin);
    }
}

/*
 * A sum of numbers below 3 in size, as many as there are columns. float64 cuts each where the unit of the number 3 · 2^k is, with 2^k
 * at least their sum: the upper parts are then added exactly, in any order, and the lower ones are small.
 */
typedef struct small_sum {
    f64v upper[LOSSI_WIDE];
#if LOSSI_REAL == 64
    f64v lower[LOSSI_WIDE];
#endif
} small_sum;

static double cut_of(int64_t columns)
{
    double power = 2;
    while (power < 3 * (double)columns) {
        power *= 2;
    }
    return 3 * power;
}

LOSSI_INLINE void small_sum_clear(small_sum *lanes)
{
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes->upper[v] = f64_set1(0);
#if LOSSI_REAL == 64
        lanes->lower[v] = f64_set1(0);
#endif
    }
}

LOSSI_INLINE void small_sum_add(small_sum *lanes, double cut, int v, vreal x)
{
#if LOSSI_REAL == 64
    const f64v upper = (x + v_set1(cut)) - v_set1(cut);
    lanes->upper[v] = lanes->upper[v] + upper;
    lanes->lower[v] = lanes->lower[v] + (x - upper);
#else
    (void)cut;
    lanes->upper[2 * v] = lanes->upper[2 * v] + f32_to_f64_low(x);
    lanes->upper[2 * v + 1] = lanes->upper[2 * v + 1] + f32_to_f64_high(x);
#endif
}

LOSSI_INLINE lossi_twofold small_sum_total(const small_sum *lanes)
{
#if LOSSI_REAL == 64
    return lossi_twofold_settle(f64_sum_sixteen(lanes->upper), f64_sum_sixteen(lanes->lower));
#else
    return lossi_twofold_of(f64_sum_sixteen(lanes->upper));
#endif
}

/* Σ x and how many there are above a threshold; NaN when one is. */
static lossi_twofold sum_above(const lossi_tile *tile, const lossi_margin_row *m, projection *s,
                               real threshold)
{
    const vreal zero = v_set1(0);
    vreal x[LOSSI_PACK], counted = zero; /* a lane has far less than 2^24 */
    small_sum sum;
    lossi_doubles count = lossi_doubles_set1(0);
    small_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_logits(tile, m, s, j, x);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vmask above = v_gt(x[v], v_set1(threshold));
            small_sum_add(&sum, s->cut, v, v_select(above, x[v], v_select(v_is_nan(x[v]), x[v], zero)));
            counted = counted + v_select(above, v_set1(1), zero);
        }
    }
    lossi_count(&count, counted);
    s->count = lossi_count_total(&count);
    return small_sum_total(&sum);
}

/* τ, and S by its number; 0 for a row with a NaN in it or without a limit. */
static int32_t project(const lossi_tile *tile, const lossi_margin_row *m, projection *s)
{
    const real maximum = lossi_row_maximum(m->logits, tile->columns, &s->largest),
               highest = lossi_get(m->logits + s->largest);
    lossi_twofold sum;
    double before = 0;
    s->origin = maximum < 2 && maximum > -2 ? 0 : maximum;
    s->infinite = s->origin - s->origin != 0;
    s->top = s->origin == maximum ? 0 : maximum;
    s->tau.head = s->top - 1;
    do {
        before = s->count;
        sum = sum_above(tile, m, s, s->tau.head);
        if (sum.head != sum.head || highest != highest) {
            return 0;
        }
        s->tau.head = (real)((sum.head - 1) / s->count);
    } while (s->count != before);
    const lossi_twofold above = lossi_twofold_subtract(sum, lossi_twofold_of(1));
    s->tau = split_of(lossi_twofold_divide(above, lossi_twofold_of(s->count)));
    return 1;
}

/* p of 16 columns. */
LOSSI_INLINE void load_probabilities(const projection *s, const vreal *x, vreal *p)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        p[v] = v_max(v_set1(0), (x[v] - v_set1(s->tau.head)) - v_set1(s->tau.tail));
    }
}

/* 1 in S and 0 outside, times d: NaN of infinity and NaN, as with any curvature of 0. 0 when no product is wanted. */
LOSSI_INLINE void load_direction(const lossi_tile *tile, const lossi_margin_row *m, const projection *s,
                                 int64_t j, const vreal *p, vreal *d)
{
    if (tile->product == NULL) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            d[v] = v_set1(0);
        }
        return;
    }
    lossi_load_pack(m->direction, j, tile->columns, 0, d);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask in = v_gt(p[v], v_set1(0));
        const vreal part = s->majorizer ? v_set1(1) : v_select(in, v_set1(1), v_set1(0));
        d[v] = part * d[v];
    }
}

/* The loss; and of the direction its mean. */
static real evaluate_row(const lossi_tile *tile, const lossi_margin_row *m, projection *s)
{
    const vreal zero = v_set1(0);
    lossi_lane_sum others, squares, along;
    vreal x[LOSSI_PACK], number[LOSSI_PACK], p[LOSSI_PACK], d[LOSSI_PACK];
    lossi_lane_sum_clear(&others);
    lossi_lane_sum_clear(&squares);
    lossi_lane_sum_clear(&along);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        load_logits(tile, m, s, j, x);
        lossi_column_numbers(j, number);
        load_probabilities(s, x, p);
        load_direction(tile, m, s, j, p, d);
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vreal other = v_select(v_eq(number[v], v_set1((real)m->label)), zero, p[v]);
            lossi_lane_sum_add(&others, v, other);
            lossi_lane_sum_add(&squares, v, other * other);
            if (tile->product != NULL) {
                lossi_lane_sum_add(&along, v, d[v]);
            }
        }
    }
    const real own = m->label == s->largest ? s->top : m->own - s->origin;
    const double below = (double)(s->tau.head - own) + (double)s->tau.tail;
    const double rest = below >= 0 ? 1 : lossi_lane_sum_total(&others);
    const double size = s->majorizer ? (double)tile->columns : s->count;
    s->rest = (real)rest;
    s->mean = tile->product == NULL
                  ? (split){0, 0}
                  : split_of(lossi_twofold_divide(lossi_lane_sum_parts(&along), lossi_twofold_of(size)));
    return (real)((double)m->weight *
                  ((lossi_lane_sum_total(&squares) + rest * rest) / 2 + (below > 0 ? below : 0)));
}

/* 16 columns. Everything is read before anything is written over it. */
static void write_pack(const lossi_tile *tile, int64_t row, const lossi_margin_row *m, const projection *s,
                       int64_t j)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    const vreal weight = v_set1(m->weight), zero = v_set1(0), mean = v_set1(s->mean.head),
                tail = v_set1(s->mean.tail);
    const vreal bend = v_set1((real)(s->majorizer ? 1 : (s->count - 1) / s->count) * m->weight);
    vreal x[LOSSI_PACK], number[LOSSI_PACK], p[LOSSI_PACK], d[LOSSI_PACK], curvature[LOSSI_PACK];
    load_logits(tile, m, s, j, x);
    lossi_column_numbers(j, number);
    load_probabilities(s, x, p);
    load_direction(tile, m, s, j, p, d);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vreal part = s->majorizer ? v_set1(1) : v_select(v_gt(p[v], zero), v_set1(1), zero);
        curvature[v] = part * bend;
        if (to.product != NULL) {
            d[v] = weight * ((d[v] - part * mean) - part * tail);
        }
        p[v] = weight * v_select(v_eq(number[v], v_set1((real)m->label)), v_set1(-s->rest), p[v]);
    }
    lossi_store_scaled(tile, to.curvature, j, curvature);
    if (to.product != NULL) {
        lossi_store_scaled(tile, to.product, j, d);
    }
    lossi_store_scaled(tile, to.gradient, j, p);
}

static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m)
{
    projection s = {.cut = cut_of(tile->columns), .majorizer = tile->curvature_kind == LOSSI_MAJORIZER};
    if (!project(tile, m, &s)) {
        lossi_margin_fill(tile, row, REAL_NAN, REAL_NAN);
        return;
    }
    if (m->weight == 0) {
        lossi_margin_fill(tile, row, 0, 0);
        return;
    }
    lossi_put((real *)tile->value + row, evaluate_row(tile, m, &s));
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL; j += LOSSI_LANES) {
        write_pack(tile, row, m, &s, j);
    }
}

extern const lossi_kernels LOSSI_NAME(sparsemax);
const lossi_kernels LOSSI_NAME(sparsemax) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_CLASS_OPTION_ROWS};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    const double weight = lossi_largest_class_weight(prepared);
    prepared->bounds = (lossi_bounds){sqrt(2.0) * weight, weight, 0, LOSSI_UNBOUNDED, 1};
}

extern const lossi_row lossi_row_sparsemax;
const lossi_row lossi_row_sparsemax = {
    .name = "sparsemax",
    .aliases = "multiclass_sparsemax sparsemax_loss",
    .summary = "what cross-entropy is to softmax for a projection that makes small probabilities 0",
    .formula =
        "u*(|p - e_y|^2/2 + max(0, tau - z_y)), p_j = max(0, z_j - tau) with sum p = 1, z = prediction, "
        "y = label, u = class_weight of y",
    .reference = "Martins & Astudillo, From softmax to sparsemax (2016), eq. (16)",
    .elsewhere = "optax multiclass_sparsemax_loss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY |
             LOSSI_COUNTS_ROWS | LOSSI_MAJORIZED,
    .options = options,
    .option_count = LOSSI_CLASS_OPTIONS,
    .prepare = prepare,
};

#endif
