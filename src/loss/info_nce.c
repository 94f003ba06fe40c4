/*
 * InfoNCE, or NT-Xent: the cross-entropy of telling a positive from the negatives of its anchor, for each positive.
 *
 *     loss = Σ_p log(e_p + N) − s_p/τ,   e_j = exp(s_j/τ),   N = Σ e over the negatives,   τ the temperature
 *
 * A row of the prediction is an anchor's similarities to all candidates; loss/similarities.h says how positives and negatives are
 * given. Other positives are not in a positive's sum. The denominator is the number of positives, so that the cost is a mean over
 * positive pairs; an anchor without positives or without negatives does not count. With a label and no mask this is the
 * cross-entropy of s/τ; at temperature 1 it is the N-pairs loss. pytorch-metric-learning adds the smallest number inside the
 * logarithm, which takes the gradient away where the loss is large.
 *
 * With P = softmax of the negatives, q_p = N/(e_p + N) and q̄ = 1 − q, each formed without a difference, and everything measured from
 * the largest negative, the derivatives by s/τ are
 *
 *     positive   −q_p         q_p q̄_p                             q_p q̄_p (v_p − P·v)
 *     negative   P_k Σ q      P_k (Σ q q̄ + (1 − P_k) Σ q²)        P_k (Σ q² (v_k − P·v) + Σ q q̄ (v_k − v_p))
 *
 * Convex, so Gauss–Newton is exact.
 * van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding (2018), eq. (4); Chen et al. (2020), eq. (1).
 */
#include "loss/similarities.h"

enum { TEMPERATURE };

/* Arrays of scratch: of real, a list of columns, then of double. */
enum { COPY, REALS, POSITIVE, E, E_LOST, Q, BOTH, LOG, LINEAR, W, W_POSITIVE, ARRAYS };

typedef struct anchor {
    lossi_anchor a;
    double *array[ARRAYS];
    int64_t *positive;  /* their columns */
    real *copy, *reals; /* of the negatives; something at the positives, or the direction */
    double temperature;
    lossi_twofold factor;      /* 1/temperature */
    lossi_exponentials e;      /* of the negatives */
    lossi_twofold q, both, qq; /* Σ q, Σ q q̄, Σ q² */
    lossi_twofold mean, from;  /* of the direction: P·w, Σ q q̄ w_p */
} anchor;

/* a/sum, given what rounding took away from both; the derivatives of float64 have q squared in them. */
LOSSI_INLINE f64v part_of(f64v a, f64v a_lost, f64v sum, f64v sum_lost, f64v inverse)
{
    const f64v part = a * inverse;
#if LOSSI_REAL == 64
    const f64v left = f64_fma(-part, sum, a) + (a_lost - part * sum_lost);
    return f64_fma(left, inverse, part);
#else
    (void)a_lost, (void)sum, (void)sum_lost;
    return part;
#endif
}

/* q, q q̄ and the loss of each positive, in two terms. */
static void positives(anchor *x)
{
    const f64v n = f64_set1(x->e.total.head), n_lost = f64_set1(x->e.total.lost),
               others = f64_set1(x->e.others.head);
    const f64v zero = f64_set1(0), one = f64_set1(1);
    f64v maximum[LOSSI_WIDENED];
    for (int k = Q; k <= LINEAR; k++) {
        memset(x->array[k], 0, (size_t)lossi_padded(x->a.positives) * sizeof(double));
    }
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        maximum[v] = f64_set1((double)x->e.maximum);
    }
    lossi_gather(x->a.similarity, x->positive, x->a.positives, x->reals);
    for (int64_t j = 0; j < x->a.positives; j += VREAL_LANES) {
        f64v s[LOSSI_WIDENED], far[LOSSI_WIDENED];
        lossi_twofolds t, f;
        lossi_wide_load(x->reals, j, x->a.positives, s);
        lossi_twofolds_difference(s, maximum, x->factor, &t);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64m above = f64_gt(t.head[v], zero);
            far[v] = t.head[v];
            t.head[v] = f64_select(above, -t.head[v], t.head[v]);
            t.lost[v] = f64_select(above, -t.lost[v], t.lost[v]);
        }
        lossi_twofolds_exp(&t, &f);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const int64_t at = j + v * F64_LANES;
            const f64m above = f64_gt(far[v], zero);
            const f64v less = n * f.head[v],
                       less_lost = f64_fma(n, f.head[v], -less) + (n * f.lost[v] + n_lost * f.head[v]);
            const f64v away = f64_select(above, less, n), away_lost = f64_select(above, less_lost, n_lost);
            const f64v own = f64_select(above, one, f.head[v]), own_lost = f64_select(above, zero, f.lost[v]);
            const f64v larger = f64_max(away, own), sum = away + own;
            const f64v sum_lost = (f64_min(away, own) - (sum - larger)) + (away_lost + own_lost);
            const f64v inverse = one / sum, q = part_of(away, away_lost, sum, sum_lost, inverse);
            f64_store(x->array[Q] + at, q);
            f64_store(x->array[BOTH] + at, q * part_of(own, own_lost, sum, sum_lost, inverse));
            f64_store(x->array[LOG] + at, f64_select(above, away, others + own));
            f64_store(x->array[LINEAR] + at, f64_select(above, zero, -far[v]));
        }
    }
    for (int k = Q; k <= LINEAR; k++) { /* what the last vector has beyond the positives */
        double *end = x->array[k] + x->a.positives;
        memset(end, 0, (size_t)(lossi_padded(x->a.positives) - x->a.positives) * sizeof *end);
    }
}

static real value(const anchor *x)
{
    const int64_t count = x->a.positives;
    memset(x->array[W], 0, (size_t)lossi_padded(count) * sizeof(double));
    lossi_wide_log1p(x->array[LOG], count);
    const lossi_twofold logs = lossi_twofold_dot(x->array[LOG], x->array[W], NULL, count);
    const lossi_twofold linear = lossi_twofold_dot(x->array[LINEAR], x->array[W], NULL, count);
    const lossi_twofold sum = lossi_twofold_add(logs, linear);
    return (real)(sum.head == sum.head ? sum.head : logs.head + linear.head); /* infinity */
}

static void gradients(const anchor *x)
{
    const double slope = x->a.part->scale / x->temperature;
    lossi_anchor_slopes(&x->a, x->array[E], lossi_twofold_divide(x->q, x->e.total).head * slope);
    for (int64_t k = 0; k < x->a.positives; k++) {
        lossi_put(x->a.gradient + x->positive[k], (real)(-slope * x->array[Q][k]));
    }
}

static void curvatures(const anchor *x)
{
    const double bend = x->a.part->scale / x->temperature / x->temperature, total = x->e.total.head;
    const double rest = x->e.others.head / total; /* 1 − P of the largest */
    const f64v one = f64_set1(1), both = f64_set1(x->both.head), qq = f64_set1(x->qq.head);
    const f64v inverse = f64_set1(1 / total);
    for (int64_t j = 0; j < x->a.candidates; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64v p = f64_load(x->array[E] + j + v * F64_LANES) * inverse;
            out[v] = f64_set1(bend) * (p * (both + (one - p) * qq));
        }
        lossi_wide_store(x->a.curvature, j, x->a.candidates, out);
    }
    lossi_put(x->a.curvature + x->e.largest, (real)(bend * ((x->both.head + rest * x->qq.head) / total)));
    for (int64_t k = 0; k < x->a.positives; k++) {
        lossi_put(x->a.curvature + x->positive[k], (real)(bend * x->array[BOTH][k]));
    }
}

/* w, at negatives and positives, and its means: all that is read of the direction. */
static void directions(anchor *x)
{
    double *own = x->array[W_POSITIVE], *lost = x->array[LINEAR], origin;
    const size_t bytes = (size_t)lossi_padded(x->a.positives) * sizeof *own;
    lossi_anchor_direction(&x->a, x->copy, x->reals);
    x->mean = lossi_exponentials_mean(&x->e, x->array[E], x->array[E_LOST], x->reals, x->a.candidates,
                                      x->array[W], &origin);
    memset(own, 0, bytes);
    memset(lost, 0, bytes);
    for (int64_t k = 0; k < x->a.positives; k++) {
        own[k] = (double)lossi_get(x->a.direction + x->positive[k]) - origin;
    }
    x->from = lossi_twofold_dot(x->array[BOTH], lost, own, x->a.positives);
}

static void products(const anchor *x)
{
    const double bend = x->a.part->scale / x->temperature / x->temperature;
    const f64v none = f64_set1(0), factor = f64_set1(bend / x->e.total.head), qq = f64_set1(x->qq.head);
    const f64v mean = f64_set1(x->mean.head), mean_lost = f64_set1(x->mean.lost);
    const f64v from = f64_set1(x->from.head), from_lost = f64_set1(x->from.lost);
    for (int64_t j = 0; j < x->a.candidates; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const int64_t at = j + v * F64_LANES;
            const f64v w = f64_load(x->array[W] + at);
            const f64v apart = lossi_product_minus(w, none, lossi_twofold_of(1), mean, mean_lost);
            const f64v across = lossi_product_minus(w, none, x->both, from, from_lost);
            out[v] = factor * f64_load(x->array[E] + at) * (qq * apart + across);
        }
        lossi_wide_store(x->a.product, j, x->a.candidates, out);
    }
    for (int64_t k = 0; k < x->a.positives; k++) {
        const lossi_twofold w = lossi_twofold_of(x->array[W_POSITIVE][k]);
        const double apart = lossi_twofold_subtract(w, x->mean).head;
        lossi_put(x->a.product + x->positive[k], (real)(bend * (x->array[BOTH][k] * apart)));
    }
}

/* Negatives that are all −∞ cost nothing, and there is no limit where a positive is that too. */
static real far_away(const anchor *x)
{
    int32_t away = 0;
    for (int64_t k = 0; k < x->a.positives; k++) {
        away |= lossi_get(x->a.similarity + x->positive[k]) == -REAL_INFINITY;
    }
    const real result = away ? REAL_NAN : 0;
    lossi_anchor_fill(&x->a, result);
    return result;
}

/* A row that counts. */
static real anchored(anchor *x)
{
    double *none = x->array[W];
    lossi_exponentials_of(x->copy, x->a.candidates, x->factor, x->array[E], x->array[E_LOST], &x->e);
    if (x->e.maximum == -REAL_INFINITY) {
        return far_away(x);
    }
    positives(x);
    memset(none, 0, (size_t)lossi_padded(x->a.positives) * sizeof *none);
    x->q = lossi_twofold_dot(x->array[Q], none, NULL, x->a.positives);
    x->both = lossi_twofold_dot(x->array[BOTH], none, NULL, x->a.positives);
    x->qq = lossi_twofold_dot(x->array[Q], none, x->array[Q], x->a.positives);
    const real result = value(x);
    if (result != result) {
        lossi_anchor_fill(&x->a, result);
        return result;
    }
    if (x->a.product != NULL) {
        directions(x);
    }
    if (x->a.gradient != NULL) {
        gradients(x);
    }
    if (x->a.curvature != NULL) {
        curvatures(x);
    }
    if (x->a.product != NULL) {
        products(x);
    }
    return result;
}

static void info_nce(const lossi_part *part)
{
    anchor x = {.temperature = part->prepared->parameters[TEMPERATURE]};
    x.factor = lossi_twofold_divide(lossi_twofold_of(1), lossi_twofold_of(x.temperature));
    for (int k = 0; k < ARRAYS; k++) {
        x.array[k] = (double *)part->scratch + k * lossi_padded(part->columns);
    }
    x.positive = (int64_t *)(void *)x.array[POSITIVE];
    x.reals = (real *)(void *)x.array[REALS];
    x.copy = (real *)(void *)x.array[COPY];
    for (int64_t i = 0; i < part->rows; i++) {
        real result = 0;
        lossi_anchor_begin(part, i, 0, x.positive, x.copy, &x.a);
        const int32_t counts = x.a.positives > 0 && x.a.negatives > 0;
        if (x.a.probe != x.a.probe || !counts) {
            result = x.a.probe;
            lossi_anchor_fill(&x.a, result);
        } else {
            result = anchored(&x);
        }
        lossi_put((real *)part->value + i, result);
        part->denominator[i] = counts ? (double)x.a.positives : 0;
    }
}

extern const lossi_kernels LOSSI_NAME(info_nce);
const lossi_kernels LOSSI_NAME(info_nce) = {.part = info_nce};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [TEMPERATURE] = LOSSI_TEMPERATURE(0.07),
};

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    return ARRAYS * lossi_padded(shape->columns[LOSSI_SIMILARITY]) * (int64_t)sizeof(double);
}

static const lossi_structure structure = {.roles = lossi_similarity_roles,
                                          .role_count = LOSSI_SIMILARITY_ROLES,
                                          .check = lossi_similarities_check,
                                          .classes = lossi_similarities_classes,
                                          .scratch = scratch};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values; /* a row may have any number of positives: no bound of its derivatives */
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_info_nce;
const lossi_row lossi_row_info_nce = {
    .name = "info_nce",
    .aliases = "nt_xent ntxent n_pairs",
    .summary = "cross-entropy of telling each positive of an anchor from the anchor's negatives",
    .formula =
        "sum over positives p of log(exp(s_p/t) + sum over negatives of exp(s_k/t)) - s_p/t, s = prediction, "
        "t = temperature",
    .reference =
        "van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding (2018)",
    .elsewhere = "optax ntxent; pytorch-metric-learning NTXentLoss, NPairsLoss (temperature=1)",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
