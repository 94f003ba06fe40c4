/*
 * Softmax cross-entropy of a linear layer, without the matrix of its logits: features x (rows × d), coefficients c (classes × d),
 * an optional bias b (1 × classes) and class labels y.
 *
 *     z_j = (c_j · x + b_j)/τ,   loss = w_y (log Σ_k exp z_k − z_y)
 *     g_j = w_y (p_j − [j = y])/τ      ∂x  Σ_j g_j c_j        ∂c_j  Σ_rows g_j x        ∂b_j  Σ_rows g_j
 *
 * With a soft cap c, z_j = c tanh((c_j · x + b_j)/c)/τ, and g_j has its slope 1 − tanh². A capped logit near ±c no longer moves with x,
 * so that its last digit would be seen: it has what rounding takes from it beside it (loss/soft_cap.h), and so have the
 * differences of logits.
 *
 * Smoothing ε and a z-loss λ are those of loss/adjusted.h: with u_j = w_j ((1 − ε) [j = y] + ε/K), W = Σ u, L = log Σ exp z
 *
 *     loss = W L − Σ u_j z_j + λ L²,   g_j = ((W − u_j) p_j − u_j (1 − p_j) + 2λL p_j)/τ
 *
 * for which Σ w_j (m − z_j), too, is taken on the way: positive terms from the largest so far, and what that rises later once for all
 * weights seen.
 *
 * Logits are made in tiles of 64 rows and 64 classes, and made again for each gradient: no memory grows with rows × classes. The
 * logits of a row come and go, so its sum of exponentials is taken on the way (Milakov & Gimelshein 2018): Σ exp(z_j − a) without the
 * largest z, where the anchor a follows the largest once it is 32 behind. A sum that followed at every step would round at every
 * step. From the largest, m, all is as in loss/cross_entropy.c: log1p(s) + (m − z_y), and 1 − p from the others where p is nearly 1.
 *
 * Logits, gradients and sums over rows and classes are in double, rounded once at the end; weights and scale are in g before
 * it is summed. docs/numerics.md has the order of the sums. A gradient is a sum of terms of both signs, over classes or rows: it is
 * within 4 ulp of the sizes of these added up. Second derivatives are in loss/linear_cross_entropy_second.h, and so are theirs.
 *
 * Wijmans et al., Cut your losses in large-vocabulary language models (2024), section 4.
 */
#include "loss/class_options.h"
#include "loss/rowwise.h"
#include "loss/soft_cap.h"
#include "loss/structured.h"

enum { LABEL_SMOOTHING = LOSSI_CLASS_OPTIONS, TEMPERATURE, SOFT_CAP, Z_LOSS, OPTIONS };
enum { FEATURES, TARGET, COEFFICIENTS, BIAS, ROLES };

enum {
    TILE = 64,         /* rows and classes of a tile */
    TILES_A_BLOCK = 4, /* how many go into a sum that starts at +0 */
    ANCHOR_BEHIND =
        32 /* e³² is far from the end of float32, and e⁻³² below the rounding of float64's sums next to it */
};

/* CAP is in float64 for both types. */
enum { CAP, FORWARD, FINISH, BACKWARD, DIRECT, SECOND, AVERAGES, CURVE_FEATURES, CURVE_CLASSES };

/* At most TILE rows; those that are masked or ignored are not among them. */
typedef struct row_state {
    int64_t count, index[TILE]; /* which rows they are */
    int64_t label[TILE];
    double own_weight[TILE], weight[TILE], factor[TILE]; /* class weight, sample weight, it and scale/τ */
    double maximum[TILE], anchor[TILE];                  /* logits are those before the temperature */
    double maximum_missing[TILE], anchor_missing[TILE];  /* of a capped logit */
    double others[TILE], lost[TILE];              /* Σ exp(z − anchor) and its rounding errors; then s */
    double linear[TILE], linear_lost[TILE];       /* of smoothing: Σ w (maximum − z) */
    double own[TILE], inverse[TILE], value[TILE]; /* z of the label, 1/(1 + s), the loss */
    double own_missing[TILE];
    double z_slope[TILE]; /* 2λL */
    /* of products: the class of the largest logit; D, first without that class, and its rounding errors; d of that class, then d − D */
    int64_t top[TILE];
    double mean[TILE], mean_lost[TILE], apart[TILE];
} row_state;

/* What is the same for all rows of a call. */
typedef struct setting {
    const double *class_weight;   /* NULL: 1 */
    double weights, weights_lost; /* their sum */
    double smoothing, even;       /* ε, ε/K */
    double temperature, rate;     /* τ, 1/τ */
    double rate_missing;
    double cap; /* 0: none */
    double z_loss;
    double offset; /* what was taken from all logits */
    int64_t classes;
    int32_t plain; /* neither smoothing nor a z-loss */
} setting;

/* Logits of some rows and classes: a line for each class, or for each row. */
typedef struct tile {
    int32_t operation, by_class;
    const setting *by;
    row_state *rows;
    int64_t first, classes;
    double seen;             /* weights of the classes before `first` */
    double *z;               /* in BACKWARD they become g */
    double *missing, *slope; /* of a capped logit; NULL without a cap */
    /* for second derivatives: what a logit has along the direction, its bend, and what is to be overwritten */
    double *along, *bend, *spare;
    int32_t gauss_newton;
    /* curvatures are added to sums, laid out as for the products; what goes by, and μ */
    const void *const *x;
    int64_t d, stride;
    const double *center;
    double *sums;
} tile;

/* Some logits; missing is NULL without a cap. */
typedef struct logits {
    const double *z, *missing;
} logits;

static logits line_of(const tile *t, int64_t first)
{
    return (logits){t->z + first, t->missing == NULL ? NULL : t->missing + first};
}

static logits maxima_of(const tile *t)
{
    return (logits){t->rows->maximum, t->by->cap == 0 ? NULL : t->rows->maximum_missing};
}

static logits anchors_of(const tile *t)
{
    return (logits){t->rows->anchor, t->by->cap == 0 ? NULL : t->rows->anchor_missing};
}

static double weight_of(const setting *by, int64_t c)
{
    return by->class_weight == NULL ? 1 : by->class_weight[c];
}

/* e^d of 16 numbers; float32 has the exponential of the rounded number, and corrects it. */
LOSSI_INLINE void exponential_pack(const double *d, double *e)
{
#if LOSSI_REAL == 64
    for (int v = 0; v < LOSSI_PACK; v++) {
        f64_store(e + v * F64_LANES, v_exp(f64_load(d + v * F64_LANES)));
    }
#else
    for (int v = 0; v < LOSSI_PACK; v++) {
        const f64v low = f64_load(d + 2 * v * F64_LANES), high = f64_load(d + (2 * v + 1) * F64_LANES);
        const vreal x = f64_to_f32(low, high);
        const vreal missing = f64_to_f32(low - f32_to_f64_low(x), high - f32_to_f64_high(x));
        vreal result = v_exp(x);
        result = v_fma(result, v_select(v_is_nan(missing), v_set1(0), missing),
                       result); /* −∞ misses nothing */
        f64_store(e + 2 * v * F64_LANES, f32_to_f64_low(result));
        f64_store(e + (2 * v + 1) * F64_LANES, f32_to_f64_high(result));
    }
#endif
}

/* What differences of capped logits, and the product with the rate, have lost, times the rate: it corrects the exponential. */
LOSSI_INLINE f64v lost_of(const setting *by, f64v z, f64v from, f64v missing, f64v from_missing)
{
    const f64v apart = z - from, part = apart - z, rate = f64_set1(by->rate);
    const f64v rounded = (z - (apart - part)) - (from + part); /* Knuth, TAOCP vol. 2, 4.2.2, theorem B */
    const f64v product = f64_fma(apart, rate, -(apart * rate)) + apart * f64_set1(by->rate_missing);
    const f64v lost = product + (rounded + (missing - from_missing)) * rate;
    return f64_select(f64_is_nan(lost), f64_set1(0), lost); /* −∞ misses nothing */
}

/* e = exp(rate (z − from)), 1 where they are equal and 0 where z is −∞, whatever `from`. e may be z. */
static __attribute__((noinline)) void exponentials(const setting *by, int64_t count, logits z, logits from,
                                                   double *e)
{
    const f64v zero = f64_set1(0), least = f64_set1(-__builtin_inf()), rates = f64_set1(by->rate);
    for (int64_t j = 0; j < count; j += LOSSI_LANES) {
        const int64_t left = count - j < LOSSI_LANES ? count - j : LOSSI_LANES;
        const size_t bytes = (size_t)left * sizeof(double);
        double x[LOSSI_LANES] = {0}, a[LOSSI_LANES] = {0}, lost[LOSSI_LANES] = {0}, there[LOSSI_LANES] = {0};
        memcpy(x, z.z + j, bytes);
        memcpy(a, from.z + j, bytes);
        if (z.missing != NULL) {
            memcpy(there, z.missing + j, bytes);
            memcpy(lost, from.missing + j, bytes);
        }
        for (int v = 0; v < LOSSI_LANES; v += F64_LANES) {
            const f64v head = f64_load(x + v), origin = f64_load(a + v);
            const f64v apart = f64_select(f64_eq(head, origin), zero, (head - origin) * rates);
            f64_store(x + v, f64_select(f64_eq(head, least), least, apart));
            if (z.missing != NULL) {
                f64_store(lost + v, lost_of(by, head, origin, f64_load(there + v), f64_load(lost + v)));
            }
        }
        exponential_pack(x, x);
        for (int v = 0; v < LOSSI_LANES && z.missing != NULL; v += F64_LANES) {
            f64_store(x + v, f64_fma(f64_load(x + v), f64_load(lost + v), f64_load(x + v)));
        }
        memcpy(e + j, x, bytes);
    }
}

/* The same of one: element k of each. */
static double exponential(const setting *by, logits z, logits from, int64_t k)
{
    double e;
    const logits there = {z.z + k, z.missing == NULL ? NULL : z.missing + k};
    const logits origin = {from.z + k, from.missing == NULL ? NULL : from.missing + k};
    exponentials(by, 1, there, origin, &e);
    return e;
}

/* w (m − z): 0 without a weight, whatever z, and 0 where both are the same infinity; apart is what the logits miss. */
LOSSI_INLINE double weighed(double weight, double maximum, double z, double apart)
{
    return weight == 0 ? 0 : weight * ((z == maximum ? 0 : maximum - z) + apart);
}

/* What m − z misses. */
LOSSI_INLINE double missing_of(const tile *t, int64_t k, double missing)
{
    return t->by->cap == 0 ? 0 : t->rows->maximum_missing[k] - missing;
}

/* Row k has a larger logit than all before, `at` in the tile: the old one is one of the others now. */
static void raise(const tile *t, int64_t k, int64_t at)
{
    row_state *rows = t->rows;
    const double infinity = __builtin_inf(), rate = t->by->rate, maximum = t->z[at], old = rows->maximum[k],
                 old_missing = rows->maximum_missing[k];
    if (old > -infinity) {
        lossi_add_kept(&rows->others[k], &rows->lost[k], exponential(t->by, maxima_of(t), anchors_of(t), k));
    }
    rows->maximum[k] = maximum;
    rows->maximum_missing[k] = t->missing == NULL ? 0 : t->missing[at];
    if (t->by->smoothing > 0) {
        lossi_add_kept(&rows->linear[k], &rows->linear_lost[k],
                       weighed(t->seen, maximum, old, missing_of(t, k, old_missing)));
    }
    rows->top[k] = t->first + at / rows->count;
    if ((maximum - rows->anchor[k]) * rate > ANCHOR_BEHIND) {
        const double factor = exponential(t->by, anchors_of(t), maxima_of(t), k);
        rows->others[k] *= factor;
        rows->lost[k] *= factor;
        rows->anchor[k] = maximum;
        rows->anchor_missing[k] = rows->maximum_missing[k];
    }
}

/* Σ w (m − z) takes the classes of a tile. */
static void weigh(const tile *t)
{
    row_state *rows = t->rows;
    for (int64_t i = 0; i < t->classes; i++) {
        const double weight = weight_of(t->by, t->first + i);
        for (int64_t k = 0; k < rows->count; k++) {
            lossi_add_kept(
                &rows->linear[k], &rows->linear_lost[k],
                weighed(weight, rows->maximum[k], t->z[i * rows->count + k],
                        missing_of(t, k, t->missing == NULL ? 0 : t->missing[i * rows->count + k])));
        }
    }
}

/* Takes the classes of a tile into the sums of its rows. */
static void forward(const tile *t)
{
    row_state *rows = t->rows;
    const int64_t n = rows->count;
    const double infinity = __builtin_inf();
    double largest[TILE], sum[TILE], e[TILE];
    int64_t at[TILE];
    int32_t raised[TILE];
    for (int64_t k = 0; k < n; k++) {
        largest[k] = -infinity;
        at[k] = 0;
        sum[k] = 0;
    }
    for (int64_t i = 0; i < t->classes; i++) {
        for (int64_t k = 0; k < n; k++) { /* NaN is passed over */
            const double z = t->z[i * n + k];
            at[k] = z > largest[k] ? i : at[k];
            largest[k] = z > largest[k] ? z : largest[k];
        }
    }
    for (int64_t k = 0; k < n; k++) {
        const int64_t own = rows->label[k] - t->first;
        if (own >= 0 && own < t->classes) {
            rows->own[k] = t->z[own * n + k];
            rows->own_missing[k] = t->missing == NULL ? 0 : t->missing[own * n + k];
        }
        raised[k] = largest[k] > rows->maximum[k];
        if (raised[k]) {
            raise(t, k, at[k] * n + k);
        }
    }
    if (t->by->smoothing > 0) {
        weigh(t);
    }
    for (int64_t k = 0; k < n; k++) {
        if (raised[k]) {
            t->z[at[k] * n + k] = -infinity; /* the first of equals alone is left out */
        }
    }
    for (int64_t i = 0; i < t->classes; i++) {
        exponentials(t->by, n, line_of(t, i * n), anchors_of(t), e);
        for (int64_t k = 0; k < n; k++) {
            sum[k] += e[k];
        }
    }
    for (int64_t k = 0; k < n; k++) {
        lossi_add_kept(&rows->others[k], &rows->lost[k], sum[k]);
    }
}

/* W, and without the u of the label. */
LOSSI_INLINE double other_weight(const setting *by, double own_weight)
{
    const double rest = by->weights - own_weight, part = by->weights - rest;
    return by->even * (rest + ((part - own_weight) + by->weights_lost)); /* exact where the weights are */
}

LOSSI_INLINE double own_part(const setting *by, double own_weight)
{
    return own_weight * (1 - by->smoothing + by->even);
}

/* The loss of row k from log Σ exp(z − m). */
static double loss_of(const tile *t, int64_t k, double log)
{
    const setting *by = t->by;
    row_state *rows = t->rows;
    const double own_weight = rows->own_weight[k], m = rows->maximum[k],
                 missing = missing_of(t, k, rows->own_missing[k]);
    if (by->plain) {
        const double apart = weighed(1, m, rows->own[k], missing) / by->temperature;
        return own_weight == 0 ? (log != log ? log : 0) : own_weight * (log + apart);
    }
    const double total = by->z_loss == 0 ? 0 : (m + by->offset) / by->temperature + log;
    const double weight = own_part(by, own_weight) + other_weight(by, own_weight);
    const double all = rows->linear[k] - rows->linear[k] == 0 ? rows->linear[k] + rows->linear_lost[k]
                                                              : rows->linear[k];
    const double spread = by->smoothing == 0 ? 0 : by->even * (all / by->temperature);
    const double own = weighed((1 - by->smoothing) * own_weight, m, rows->own[k], missing) / by->temperature;
    rows->z_slope[k] = 2 * by->z_loss * total;
    return (weight == 0 ? (log != log ? log : 0) : weight * log + (own + spread)) +
           by->z_loss * total * total;
}

/* s from the sums, and the losses. */
static void finish(const tile *t)
{
    row_state *rows = t->rows;
    double behind[TILE];
    exponentials(t->by, rows->count, anchors_of(t), maxima_of(t), behind);
    for (int64_t k = 0; k < rows->count; k++) {
        /* −∞ is the largest: NaN and −∞ have no limit, but a class alone is the whole of it */
        const int32_t known = rows->maximum[k] > -__builtin_inf() || t->by->classes == 1;
        const double s = known ? (rows->others[k] + rows->lost[k]) * behind[k] : (double)REAL_NAN;
        const double log = (double)lossi_first_lane(v_log1p(v_set1((real)s)));
        rows->others[k] = s;
        rows->inverse[k] = 1 / (1 + s);
        rows->value[k] = loss_of(t, k, log);
    }
}

/* g at the label of row k, from its logit, `at` in the tile. */
static double own_slope(const tile *t, int64_t k, int64_t at)
{
    const row_state *rows = t->rows;
    const setting *by = t->by;
    const logits z = line_of(t, at),
                 from = {rows->maximum + k, t->missing == NULL ? NULL : rows->maximum_missing + k};
    /* both are −∞ where that is the only class */
    const double e = t->missing == NULL && *z.z == *from.z ? 1 : exponential(by, z, from, 0);
    const double p = e * rows->inverse[k], rest = e == 1 ? rows->others[k] * rows->inverse[k] : 1 - p;
    if (by->plain) {
        return -(rest * rows->factor[k]);
    }
    const double own_weight = rows->own_weight[k],
                 along = p == 0 ? 0 : (other_weight(by, own_weight) + rows->z_slope[k]) * p;
    return (along - own_part(by, own_weight) * rest) * rows->factor[k];
}

/* g of a class that is not the label, from its e = exp(z − m). */
LOSSI_INLINE double other_slope(const setting *by, const row_state *rows, int64_t k, int64_t c, double e)
{
    const double p = e * rows->inverse[k], u = by->even * weight_of(by, c),
                 rest = e == 1 ? rows->others[k] * rows->inverse[k] : 1 - p,
                 without = own_part(by, rows->own_weight[k]) + (other_weight(by, rows->own_weight[k]) - u);
    return ((p == 0 ? 0 : (without + rows->z_slope[k]) * p) - u * rest) * rows->factor[k];
}

/* γ of a tile: the gradient by what the softmax sees. */
static void by_logit(const tile *t)
{
    const row_state *rows = t->rows;
    const int64_t lines = t->by_class ? t->classes : rows->count, n = t->by_class ? rows->count : t->classes;
    double own[TILE], from[TILE], from_missing[TILE];
    for (int64_t k = 0; k < rows->count; k++) {
        const int64_t c = rows->label[k] - t->first;
        if (c >= 0 && c < t->classes) {
            own[k] = own_slope(t, k, t->by_class ? c * n + k : k * n + c);
        }
    }
    for (int64_t i = 0; i < lines; i++) {
        double *line = t->z + i * n;
        for (int64_t k = 0; k < n && !t->by_class; k++) {
            from[k] = rows->maximum[i];
            from_missing[k] = rows->maximum_missing[i];
        }
        const logits same = {from, t->missing == NULL ? NULL : from_missing};
        exponentials(t->by, n, line_of(t, i * n), t->by_class ? maxima_of(t) : same, line);
        for (int64_t k = 0; k < n; k++) {
            const int64_t row = t->by_class ? k : i;
            line[k] = t->by->plain ? line[k] * rows->inverse[row] * rows->factor[row]
                                   : other_slope(t->by, rows, row, t->first + (t->by_class ? i : k), line[k]);
        }
    }
    for (int64_t k = 0; k < rows->count; k++) {
        const int64_t c = rows->label[k] - t->first;
        if (c >= 0 && c < t->classes) {
            t->z[t->by_class ? c * n + k : k * n + c] = own[k];
        }
    }
}

/* g of a tile. */
static void backward(const tile *t)
{
    by_logit(t);
    for (int64_t i = 0; i < t->classes * t->rows->count && t->slope != NULL; i++) {
        t->z[i] *= t->slope[i];
    }
}

#include "loss/linear_cross_entropy_second.h"

/* Logits become capped ones, with what they miss and their slopes. */
static void cap_logits(const tile *t)
{
#if LOSSI_REAL == 64
    const lossi_adjustment by = {.cap = t->by->cap};
    const int64_t count = t->classes * t->rows->count;
    for (int64_t i = 0; i < count; i += VREAL_LANES) {
        const int left = count - i < VREAL_LANES ? (int)(count - i) : VREAL_LANES;
        lossi_adjusted at;
        lossi_adjusted_cap(&by, v_load_part(t->z + i, left), &at);
        v_store_part(t->z + i, at.head, left);
        v_store_part(t->missing + i, at.missing, left);
        v_store_part(t->slope + i, at.slope, left);
        if (t->bend != NULL) {
            v_store_part(t->bend + i, at.bend, left);
        }
    }
#else
    (void)t;
#endif
}

/* The driver below calls this with a tile in the place of scratch. */
static void linear_cross_entropy(const lossi_part *part)
{
    static void (*const operations[])(const tile *t) = {
        [CAP] = cap_logits,
        [FORWARD] = forward,
        [FINISH] = finish,
        [BACKWARD] = backward,
        [DIRECT] = direct,
        [SECOND] = second,
        [AVERAGES] = averages,
        [CURVE_FEATURES] = curve_features,
        [CURVE_CLASSES] = curve_classes,
    };
    const tile *t = part->scratch;
    operations[t->operation](t);
}

extern const lossi_kernels LOSSI_NAME(linear_cross_entropy);
const lossi_kernels LOSSI_NAME(linear_cross_entropy) = {.part = linear_cross_entropy};

#ifdef LOSSI_ONCE

#include "loss/linear_cross_entropy_driver.h"

static const lossi_role roles[ROLES] = {
    [FEATURES] = {.name = "features",
                  .columns = LOSSI_COLUMNS_ANY,
                  .flags = LOSSI_DIFFERENTIABLE,
                  .doc = "rows x features, real: what goes into the linear layer"},
    [TARGET] = {.name = "target",
                .kind = LOSSI_ROLE_LABEL,
                .columns = 1,
                .doc = "rows x 1, integer: the class, 0 to classes - 1"},
    [COEFFICIENTS] = {.name = "coefficients",
                      .rows = LOSSI_ROWS_ANY,
                      .flags = LOSSI_DIFFERENTIABLE,
                      .doc = "classes x features, real: of the layer, shared by all rows"},
    [BIAS] = {.name = "bias",
              .rows = LOSSI_ROWS_SHARED,
              .columns = LOSSI_COLUMNS_ANY,
              .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
              .doc = "1 x classes, real, optional: added to the logits, shared by all rows; 0 without it"},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    (void)prepared;
    const int64_t classes = shape->rows[COEFFICIENTS], biases = shape->columns[BIAS];
    return biases < 0 || biases == classes
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_SHAPE,
                            "%s has %lld rows of 'coefficients', one a class, and %lld numbers of 'bias'",
                            title, (long long)classes, (long long)biases);
}

static const lossi_structure structure = {
    .roles = roles,
    .role_count = ROLES,
    .weight_doc = "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                  "weight x class weight of the labels, without ignored rows",
    .check = check,
    .driver = drive};

static const loss_option options[] = {
    LOSSI_CLASS_OPTION_ROWS,
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
                     .doc = "what logits are divided by"},
    [SOFT_CAP] = {.name = "soft_cap",
                  .type = LOSS_OPTION_DOUBLE,
                  .minimum = 0,
                  .maximum = 1e6,
                  .initial = 0,
                  .doc =
                      "logits are soft_cap * tanh(logit/soft_cap), before the temperature; 0: as they are"},
    [Z_LOSS] = {.name = "z_loss",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e6,
                .initial = 0,
                .doc = "the factor of (log sum exp of logits)^2, which is added to the loss of each row"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    prepared->flags &= ~(uint32_t)(prepared->parameters[Z_LOSS] > 0 ? LOSSI_PROBABILISTIC : 0);
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_linear_cross_entropy;
const lossi_row lossi_row_linear_cross_entropy = {
    .name = "linear_cross_entropy",
    .aliases = "fused_linear_cross_entropy cut_cross_entropy",
    .summary = "softmax cross-entropy of a linear layer, without the matrix of its logits",
    .formula = "sum_j u_j*(L - z_j) + z_loss*L^2, L = log(sum_k exp(z_k)), u = class_weight * target "
               "distribution, z_j = (coefficients_j . features + bias_j)/temperature, with a soft cap "
               "soft_cap*tanh((coefficients_j . features + bias_j)/soft_cap)/temperature",
    .reference = "Wijmans et al., Cut your losses in large-vocabulary language models (2024)",
    .elsewhere =
        "PyTorch linear_cross_entropy; Liger-Kernel fused linear cross-entropy; Apple cut cross-entropy",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_LABELS,
    .structure = &structure,
    .options = options,
    .option_count = OPTIONS,
    .prepare = prepare,
};

#endif
