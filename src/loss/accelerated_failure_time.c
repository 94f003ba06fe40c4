/*
 * Negative log-likelihood of accelerated failure times: log T = x + σ ε, ε normal, logistic or extreme (T then log-normal,
 * log-logistic or Weibull), where of T two bounds are known. x = prediction, z(t) = (log t − x)/σ, F the distribution of ε.
 *
 *     lower = upper     −log(F'(z)/(σ t))                       the time itself
 *     upper = ∞         −log(1 − F(z(lower)))                   right-censored
 *     lower ≤ 0         −log F(z(upper))                        left-censored; with upper = ∞ nothing is known and the loss 0
 *     otherwise         −log(F(z(upper)) − F(z(lower)))         interval-censored; NaN where lower > upper
 *
 * A probability is never formed where its logarithm is wanted, nor a difference of two that agree: widths of intervals are
 * log1p((upper − lower)/lower)/σ, and z carries what its rounding lost, for in the tails the losses multiply that by z or e^z. XGBoost
 * clips the probabilities at 1e-12 and the derivatives at ±15 instead. Convex in x.
 * Normal intervals: two hazards are in the ratio and its slope, each good to 3 ulp, hence up to 8 ulp.
 * Kalbfleisch & Prentice, The statistical analysis of failure time data (2nd ed. 2002), §3.2 and §2.2.
 */
#include "loss/elementwise.h"
#include "loss/two_sum.h"
#include "simd/math_logarithms.h"
#include "simd/math_normal.h"

enum { DISTRIBUTION, SCALE, CONSTANT = LOSSI_PARAMETERS - 1 };
enum { NORMAL, LOGISTIC, EXTREME };
enum { PREDICTION, LOWER, UPPER, ROLES };

/* head + tail */
typedef struct parts {
    vreal head, tail;
} parts;

/* −log of the probability, and its derivatives by z (of both ends alike). */
typedef struct result {
    vreal value, slope, bend;
} result;

/* A row: z at both ends, log t of the upper one, their mean and distance; which case it is. */
typedef struct row {
    parts lower, upper, middle, log_time, constant;
    vreal width;
    vmask exact, left, interval;
} row;

LOSSI_INLINE parts sum_of(vreal a, vreal b)
{
    const vreal sum = a + b;
    return (parts){sum, lossi_missing_of(a, b, sum)};
}

LOSSI_INLINE parts add(parts a, parts b)
{
    const parts sum = sum_of(a.head, b.head);
    return sum_of(sum.head, sum.tail + (a.tail + b.tail));
}

LOSSI_INLINE parts opposite(parts a)
{
    return (parts){-a.head, -a.tail};
}

LOSSI_INLINE parts either(vmask mask, parts a, parts b)
{
    return (parts){v_select(mask, a.head, b.head), v_select(mask, a.tail, b.tail)};
}

LOSSI_INLINE vreal whole(parts a)
{
    return a.head + a.tail;
}

/* slope · tail, which is nothing where the tail is 0, even at infinity */
LOSSI_INLINE vreal shift(vreal slope, vreal tail)
{
    return v_select(v_eq(tail, v_set1(0)), v_set1(0), slope * tail);
}

/* (log t − x)/σ */
LOSSI_INLINE parts standard(parts log_time, vreal x, vreal scale)
{
    const parts over = add(log_time, (parts){-x, v_set1(0)});
    const vreal z = over.head / scale, rest = v_fnma(z, scale, over.head) + over.tail;
    return v_mask_all(v_eq(scale, v_set1(1)))
               ? over
               : sum_of(z, v_select(v_lt(v_abs(z), v_set1(REAL_INFINITY)), rest / scale, v_set1(0)));
}

/* ---- normal ---- */

/* Hazard h, its slope h (h − z) and −log(1 − Φ) at z. */
typedef struct tail {
    vreal hazard, slope, value;
} tail;

LOSSI_INLINE tail beyond(parts z)
{
    const vreal h = v_normal_hazard(z.head), c = v_normal_hazard_slope(z.head, h), one = v_set1(1);
    const vreal apart = v_select(v_lt(z.head, v_set1(0)), h - z.head, c / h); /* h − z */
    return (tail){h + shift(c, z.tail), c + shift(v_fma(c, apart, h * (c - one)), z.tail),
                  shift(h, z.tail) - v_log_normal_survival(z.head)};
}

/* The sums over a series in an interval: see narrow(). */
#if LOSSI_REAL == 32
#define TERMS 16
#else
#define TERMS 28
#endif

/*
 * A narrow interval about m ≥ 0, of half the width d ≤ 0.63, d m ≤ ½: φ(m + t) = φ(m) e^(−mt − t²/2), whose series in t = d u has
 * Hermite's polynomials as coefficients, integrated over −1 ≤ u ≤ 1, and times u and u². The bend is 1 less the variance.
 */
LOSSI_INLINE result narrow(parts m, vreal width, vreal *density)
{
    const vreal half = v_set1((real)0.5), one = v_set1(1), d = half * width, y = m.head * d, square = d * d;
    vreal before = v_set1(0), now = one, total = one, first = v_set1(0), second = v_set1((real)1 / 3);
    LOSSI_UNROLL
    for (int k = 1; k <= TERMS; k++) {
        const vreal next = -(y * now + square * before) * v_set1((real)1 / (real)k);
        before = now;
        now = next;
        if (k % 2 == 0) {
            total = v_fma(now, v_set1((real)1 / (real)(k + 1)), total);
            second = v_fma(now, v_set1((real)1 / (real)(k + 3)), second);
        } else {
            first = v_fma(now, v_set1((real)1 / (real)(k + 2)), first);
        }
    }
    const vreal mean = first / total;
    const vreal head = half * m.head, high = head * m.head; /* m²/2 */
    const vreal low = v_fma(head, m.head, -high) + m.head * m.tail;
    result out;
    *density = v_exp(v_fma(-half, square, y)) / (width * total); /* at the lower end, over the probability */
    out.value = high + (low + (v_set1(REAL(0.9189385332046727)) - v_log(width) - v_log(total)));
    out.slope = v_set1(0);
    out.bend = one - square * (second / total - mean * mean);
    return out;
}

/* Both ends on one side: Φ(−a) (1 − ratio), ratio = Φ(−b)/Φ(−a) = e^(−w m) h(a)/h(b). */
LOSSI_INLINE result one_side(parts a, parts b, vreal decay, vreal *density)
{
    const tail low = beyond(a), high = beyond(b);
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal ratio = v_select(v_eq(decay, zero), zero, decay * (low.hazard / high.hazard));
    const vreal odds = ratio / (one - ratio), apart = high.hazard - low.hazard;
    const vreal other = odds * (v_fma(apart * (one + odds), apart, low.slope - high.slope));
    *density = low.hazard / (one - ratio);
    return (result){low.value + v_log_complement(ratio), zero,
                    low.slope + v_select(v_eq(odds, zero), zero, other)};
}

/* 0 between the ends, none near: 1 less both tails. */
LOSSI_INLINE result both_sides(parts a, parts b, vreal decay, vreal *density)
{
    const vreal height = v_normal_density(v_abs(a.head));
    const vreal below = v_normal_cdf(a.head) + shift(height, a.tail);
    const vreal above = v_normal_cdf(-b.head) - shift(v_normal_density(v_abs(b.head)), b.tail);
    const vreal outside = below + above, probability = v_set1(1) - outside;
    const vreal start = (height - shift(height * a.head, a.tail)) / probability, end = start * decay;
    const vreal difference = start - end;
    *density = start;
    return (result){-v_log1p(-outside), v_set1(0),
                    v_fma(difference, difference,
                          v_select(v_eq(end, v_set1(0)), v_set1(0), b.head * end) -
                              v_select(v_eq(start, v_set1(0)), v_set1(0), a.head * start))};
}

LOSSI_INLINE void choose(vmask mask, const result *x, vreal x_density, result *out, vreal *density)
{
    out->value = v_select(mask, x->value, out->value);
    out->bend = v_select(mask, x->bend, out->bend);
    *density = v_select(mask, x_density, *density);
}

/* Three ways, each taken only when an interval asks for it: the result of a lane is that of its own way, whatever the others do. */
LOSSI_INLINE result normal_interval(const row *r)
{
    const vreal zero = v_set1(0), w = r->width;
    const vmask flip = v_lt(r->middle.head, zero);
    const parts m = either(flip, opposite(r->middle), r->middle);
    const parts a = either(flip, opposite(r->upper), r->lower),
                b = either(flip, opposite(r->lower), r->upper);
    const vreal product = w * m.head, missing = v_fma(w, m.head, -product) + w * m.tail;
    const vmask far = v_eq(v_abs(product), v_set1(REAL_INFINITY));
    const vreal rest = v_select(far, zero, missing);
    const vreal decay = v_exp_of_parts(-product, -rest); /* φ(b)/φ(a) */
    const vmask slim = v_mask_and(r->interval,
                                  v_mask_and(v_le(w, v_set1((real)1.26)), v_le(product, v_set1(1))));
    const vmask wide = v_mask_and(r->interval, v_mask_not(slim)), across = v_lt(a.head, zero);
    const vmask straddling = v_mask_and(wide, across), beside = v_mask_and(wide, v_mask_not(across));
    vreal density = zero;
    result out = {zero, zero, zero};
    if (v_mask_any(beside)) {
        out = one_side(a, b, decay, &density);
    }
    if (v_mask_any(straddling)) {
        vreal other;
        const result x = both_sides(a, b, decay, &other);
        choose(straddling, &x, other, &out, &density);
    }
    if (v_mask_any(slim)) {
        vreal other;
        const result x = narrow(m, w, &other);
        choose(slim, &x, other, &out, &density);
    }
    /* (φ(a) − φ(b)) / P */
    const vreal slope = v_select(v_eq(product, zero), zero, density * -v_expm1_of_parts(-product, -rest));
    out.slope = v_select(flip, -slope, slope);
    return out;
}

LOSSI_INLINE result normal(const row *r)
{
    const vmask known = v_mask_or(r->exact, r->interval);
    tail one = {v_set1(0), v_set1(0), v_set1(0)};
    if (!v_mask_all(known)) {
        one = beyond(either(r->left, opposite(r->upper), r->lower));
    }
    const vreal z = r->lower.head, half = v_set1((real)0.5) * z, square = half * z;
    const parts squared = {square, v_fma(half, z, -square) + shift(z, r->lower.tail)};
    const parts far = {square, v_set1(0)};
    const vreal exact = whole(
        add(add(either(v_lt(square, v_set1(REAL_INFINITY)), squared, far), r->log_time), r->constant));
    result out = {v_select(r->exact, exact, one.value),
                  v_select(r->exact, z, v_select(r->left, -one.hazard, one.hazard)),
                  v_select(r->exact, v_set1(1), one.slope)};
    if (v_mask_any(r->interval)) {
        const result between = normal_interval(r);
        out.value = v_select(r->interval, between.value, out.value);
        out.slope = v_select(r->interval, between.slope, out.slope);
        out.bend = v_select(r->interval, between.bend, out.bend);
    }
    return out;
}

/* ---- logistic ---- */

/* σ(z), and log(1 + e^z) */
LOSSI_INLINE vreal sigmoid(parts z)
{
    const vreal s = v_sigmoid(z.head);
    return v_fma(s, v_sigmoid(-z.head) * z.tail, s);
}

LOSSI_INLINE vreal softplus(parts z)
{
    return v_fma(v_sigmoid(z.head), z.tail, v_softplus(z.head));
}

LOSSI_INLINE result logistic(const row *r)
{
    const parts minus_upper = opposite(r->upper), minus_lower = opposite(r->lower);
    const parts z = either(r->left, minus_upper, r->lower);
    const vmask low = v_lt(r->lower.head, v_set1(0));
    const parts size = either(low, r->lower, minus_lower); /* −|z| */
    const vreal up = sigmoid(z), down = sigmoid(opposite(z)), flank = up * down, two = v_set1(2);
    const vreal upper = sigmoid(r->upper), minus = sigmoid(minus_upper);
    /* −log of σ(z) σ(−z) is |z| + 2 log(1 + e^−|z|) */
    const parts rise = {two * softplus(size), v_set1(0)};
    const vreal exact = whole(add(add(opposite(size), r->log_time), add(rise, r->constant)));
    const vreal difference = v_tanh(v_set1((real)0.5) * r->lower.head) + shift(two * flank, r->lower.tail);
    result out = {v_select(r->exact, exact, softplus(z)),
                  v_select(r->exact, difference, v_select(r->left, -up, up)),
                  v_select(r->exact, two * flank, flank)};
    if (v_mask_any(r->interval)) {
        /* σ(a) − σ(−b) = (1 − e^(−2m)) σ(a) σ(b), or with all signs changed */
        const vmask flip = v_lt(r->middle.head, v_set1(0));
        const parts m = either(flip, r->middle, opposite(r->middle));
        const vreal apart = -v_expm1_of_parts(two * m.head, two * m.tail);
        const vreal slope = v_select(flip, -(minus * down * apart), up * upper * apart);
        const vreal value = (softplus(r->lower) + softplus(minus_upper)) - v_log1mexp(r->width);
        out.value = v_select(r->interval, value, out.value);
        out.slope = v_select(r->interval, slope, out.slope);
        out.bend = v_select(r->interval, v_fma(upper, minus, flank), out.bend);
    }
    return out;
}

/* ---- extreme ---- */

/* For −log(1 − e⁻ᵠ): q/(e^q − 1), 1 less that, and q (q − 1 + e⁻ᵠ)/((1 − e⁻ᵠ)(e^q − 1)), the second derivative by z. */
typedef struct odds {
    vreal ratio, rest, bend;
} odds;

LOSSI_INLINE odds odds_of(vreal q)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5), infinity = v_set1(REAL_INFINITY);
    const vmask tiny = v_lt(q, v_set1((real)0.25 * REAL_EPSILON));
    const vreal up = v_expm1(q), y = -v_expm1(-q);
    const vmask number = v_lt(up, infinity);
    const vreal ratio = v_select(v_eq(q, zero), one, v_select(number, q / up, zero));
    const vreal excess = v_select(v_gt(q, one), q - y, v_x_minus_log1p(-y)); /* q − y */
    const vreal relative = v_select(tiny, half * q, excess / y);
    odds out;
    out.ratio = v_select(v_is_nan(q), q, ratio);
    out.rest = v_select(tiny, half * q, v_select(number, v_x_minus_log1p(up) / up, one));
    out.bend = v_select(v_eq(ratio, zero), zero, ratio * relative);
    return out;
}

LOSSI_INLINE result extreme(const row *r)
{
    /* z below which −log(1 − e⁻ᵠ) is q/2 − log q to the last digit */
    const vreal tiny = v_set1(LOSSI_REAL == 32 ? (real)-17 : (real)-37), half = v_set1((real)0.5);
    const vreal low = v_exp_of_parts(r->lower.head, r->lower.tail),
                high = v_exp_of_parts(r->upper.head, r->upper.tail);
    const vmask two = r->interval, left = v_mask_or(r->left, two);
    /* left-censored: q; in an interval q less that of the lower end, times 1 − e^−w */
    const vreal q = v_select(two, high * -v_expm1(-r->width), high);
    const vreal start = v_select(two, low, v_set1(0));
    const odds o = odds_of(q);
    const vreal log_q = whole(r->upper) + v_select(two, v_log1mexp(r->width), v_set1(0));
    const vreal logarithm = v_select(v_lt(log_q, tiny), half * q - log_q, -v_log1mexp(q));
    const vreal more = v_expm1_of_parts(r->lower.head, r->lower.tail); /* start − 1 */
    const vreal slope = v_select(v_lt(start, half), start - o.ratio, more + o.rest);
    const parts time = add(r->log_time, opposite(r->lower));
    const vreal exact = whole(add(add(time, (parts){low, v_set1(0)}), r->constant));
    return (result){
        v_select(left, start + logarithm, v_select(r->exact, exact, low)),
        v_select(left, slope, v_select(r->exact, more, low)),
        v_select(left, start + o.bend, low),
    };
}

/* ---- all of them ---- */

LOSSI_INLINE void formula(const lossi_part *part, const real *numbers, lossi_element *e)
{
    (void)numbers;
    const double *parameters = part->prepared->parameters;
    const vreal scale = v_set1((real)parameters[SCALE]), zero = v_set1(0), one = v_set1(1);
    const vreal x = e->in[PREDICTION], lower = e->in[LOWER], upper = e->in[UPPER],
                infinity = v_set1(REAL_INFINITY);
    const vmask right = v_eq(upper, infinity), above = v_gt(lower, zero), wrong = v_gt(lower, upper);
    const vreal first = v_select(above, lower, one), last = v_select(right, one, upper);
    parts log_lower, log_upper;
    row r;
    result out;
    log_lower.head = v_log_parts(first, &log_lower.tail);
    log_upper.head = v_log_parts(last, &log_upper.tail);
    r.left = v_mask_and(v_le(lower, zero), v_lt(upper, infinity));
    r.exact = v_mask_and(v_eq(lower, upper), v_lt(upper, infinity));
    r.interval = v_mask_and(v_mask_and(above, v_lt(lower, upper)), v_lt(upper, infinity));
    r.lower = standard(log_lower, x, scale);
    r.upper = standard(log_upper, x, scale);
    r.middle = add(r.lower, r.upper);
    r.middle = (parts){v_set1((real)0.5) * r.middle.head, v_set1((real)0.5) * r.middle.tail};
    r.log_time = log_lower;
    const vreal ratio = (last - first) / first;
    r.width = v_select(v_lt(ratio, one), v_log1p(ratio), whole(add(log_upper, opposite(log_lower)))) / scale;
    const double constant = parameters[CONSTANT];
    r.constant.head = v_set1((real)constant);
    r.constant.tail = v_set1((real)(constant - (double)(real)constant));
    if (parameters[DISTRIBUTION] == NORMAL) {
        out = normal(&r);
    } else if (parameters[DISTRIBUTION] == LOGISTIC) {
        out = logistic(&r);
    } else {
        out = extreme(&r);
    }
    const vmask nothing = v_mask_and(v_le(lower, zero), right);
    const vreal bad = v_select(
        v_is_nan(x), x,
        v_select(v_is_nan(lower), lower,
                 v_select(v_is_nan(upper), upper, v_select(wrong, v_set1(REAL_NAN), zero))));
    e->value = bad + v_select(nothing, zero, out.value);
    e->gradient[PREDICTION] = bad - v_select(nothing, zero, out.slope / scale);
    e->curvature[PREDICTION] = bad + v_select(nothing, zero, out.bend / scale / scale);
    e->product[PREDICTION] = e->curvature[PREDICTION] * e->direction[PREDICTION];
}

static void accelerated_failure_time(const lossi_part *part)
{
    lossi_elementwise_long(part, formula, ROLES);
}

extern const lossi_kernels LOSSI_NAME(accelerated_failure_time);
const lossi_kernels LOSSI_NAME(accelerated_failure_time) = {.part = accelerated_failure_time};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DISTRIBUTION] = {.name = "distribution",
                      .aliases = "aft_loss_distribution",
                      .type = LOSS_OPTION_STRING,
                      .text = "normal",
                      .choices = "normal|logistic|extreme",
                      .doc = "of the logarithm of time: T is log-normal, log-logistic or Weibull"},
    [SCALE] = {.name = "scale",
               .aliases = "sigma aft_loss_distribution_scale",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-6,
               .maximum = 1e6,
               .initial = 1,
               .doc = "sigma, the factor on the noise of the logarithm"},
};

/* Times are positive: from the smallest float32 that is a normal number on, the same for both types. */
static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real: the location of log time"},
    [LOWER] =
        {.name = "lower",
         .doc = "rows x columns, real: the time at which the event had not happened yet; 0 or less: nothing "
                "known (left-censored); the same number as upper: the time of the event; above upper: NaN"},
    [UPPER] = {.name = "upper",
               .domain = {0x1p-126, LOSSI_UNBOUNDED, 0},
               .doc = "rows x columns, real: the time by which it had happened; infinity: not seen "
                      "(right-censored); with lower <= 0 as well the loss is 0"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double distribution = prepared->parameters[DISTRIBUTION], scale = prepared->parameters[SCALE];
    double log_scale[F64_LANES];
    (void)values;
    f64_store(log_scale, v_log(v_set1(scale)));
    /* log(2 pi)/2 */
    prepared->parameters[CONSTANT] = log_scale[0] + (distribution == NORMAL ? 0.91893853320467274178 : 0);
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
    prepared->bounds.lipschitz = distribution == LOGISTIC ? 1 / scale : LOSSI_UNBOUNDED;
    prepared->bounds.curvature = distribution == NORMAL     ? 1 / scale / scale
                                 : distribution == LOGISTIC ? 0.5 / scale / scale
                                                            : LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_accelerated_failure_time;
const lossi_row lossi_row_accelerated_failure_time = {
    .name = "accelerated_failure_time",
    .aliases = "aft survival_aft",
    .summary = "negative log-likelihood of times known exactly or between bounds, log-normal, log-logistic "
               "or Weibull",
    .formula = "-log(F(z_upper) - F(z_lower)), or -log(F'(z)/(scale*t)) if lower = upper = t, z = (log(t) - "
               "x)/scale, x = prediction",
    .reference = "Kalbfleisch & Prentice, The statistical analysis of failure time data (2nd ed. 2002)",
    .elsewhere = "XGBoost survival:aft (clipped)",
    .elementary = "log log erfc erfc exp exp log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .structure = &structure,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
