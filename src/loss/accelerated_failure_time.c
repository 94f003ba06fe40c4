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
#include "loss/failure_time_normal.h"
#include "loss/failure_time_single.h"
#include "simd/math_logarithms.h"
#include "simd/widen.h"

enum { DISTRIBUTION, SCALE, CONSTANT = LOSSI_PARAMETERS - 1 };
enum { NORMAL, LOGISTIC, EXTREME };
enum { PREDICTION, LOWER, UPPER, ROLES };

#define LEAST 0x1p-126 /* time: the smallest float32 that is a normal number, for both types */

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

/* Of a row, divided by σ; 0 where nothing is known. A row outside its domain is NaN. */
LOSSI_INLINE void put(lossi_element *e, vreal value, vreal slope, vreal bend)
{
    const vreal x = e->in[PREDICTION], lower = e->in[LOWER], upper = e->in[UPPER], zero = v_set1(0);
    const vmask nothing = v_mask_and(v_le(lower, zero), v_eq(upper, v_set1(REAL_INFINITY)));
    const vreal bad = v_select(
        v_is_nan(x), x,
        v_select(v_is_nan(lower), lower,
                 v_select(v_is_nan(upper), upper, v_nan_where(v_gt(lower, upper), zero))));
    e->outside = v_lt(upper, v_set1((real)LEAST));
    e->value = bad + v_select(nothing, zero, value);
    e->gradient[PREDICTION] = bad - v_select(nothing, zero, slope);
    e->curvature[PREDICTION] = bad + v_select(nothing, zero, bend);
    e->product[PREDICTION] = e->curvature[PREDICTION] * e->direction[PREDICTION];
}

#if LOSSI_REAL == 32

/* Value and slope of normal noise, in double: the two halves of a vector side by side. */
LOSSI_INLINE f64m normal_halves(const double *parameters, const lossi_element *e, int care, f64v *value,
                                f64v *slope)
{
    const vreal x = e->in[PREDICTION], lower = e->in[LOWER], upper = e->in[UPPER];
    const f64v inverse = f64_set1(1 / parameters[SCALE]), constant = f64_set1(parameters[CONSTANT]);
    const lossi_failure_row low = {f32_to_f64_low(x), f32_to_f64_low(lower), f32_to_f64_low(upper), inverse,
                                   constant};
    const lossi_failure_row high = {f32_to_f64_high(x), f32_to_f64_high(lower), f32_to_f64_high(upper),
                                    inverse, constant};
    const f64m rare = lossi_failure_single(&low, care, &value[0], &slope[0]);
    return f64_mask_or(rare, lossi_failure_single(&high, care, &value[1], &slope[1]));
}

static __attribute__((noinline)) void with_care(const double *parameters, const lossi_element *e, f64v *value,
                                                f64v *slope)
{
    normal_halves(parameters, e, 1, value, slope);
}

static __attribute__((noinline)) void normal_single(const double *parameters, const lossi_element *e,
                                                    vreal *value, vreal *slope)
{
    f64v values[2], slopes[2];
    if (__builtin_expect(f64_mask_any(normal_halves(parameters, e, 0, values, slopes)), 0)) {
        f64v made[2], steep[2];
        const lossi_element copy = *e;
        with_care(parameters, &copy, made, steep);
        for (int half = 0; half < 2; half++) {
            values[half] = made[half];
            slopes[half] = steep[half];
        }
    }
    *value = f64_to_f32(values[0], values[1]);
    *slope = f64_to_f32(slopes[0], slopes[1]);
}

/* Without the curvature, which is not made in double. */
LOSSI_INLINE void normal_formula(const lossi_part *part, const real *numbers, lossi_element *e)
{
    vreal value, slope;
    (void)numbers;
    normal_single(part->prepared->parameters, e, &value, &slope);
    put(e, value, slope, v_set1(0));
}

/*
 * The formula is so long that a vector is over before the processor sees the next. In thirds, each of which goes over a chunk of
 * rows, there is always another one to work on.
 */
enum { CHUNK = 256 };

typedef struct chunk {
    double a[CHUNK], b[CHUNK], product[CHUNK], turn[CHUNK], value[CHUNK], slope[CHUNK];
    double probability[CHUNK], rest[CHUNK], base[CHUNK], steep[CHUNK];
} chunk;

/* Returns whether a row is rare. */
static int chunk_begin(const lossi_part *part, int64_t first, int count, chunk *c)
{
    const double *parameters = part->prepared->parameters;
    const float *x = (const float *)part->input[PREDICTION].data + first;
    const float *lower = (const float *)part->input[LOWER].data + first;
    const float *upper = (const float *)part->input[UPPER].data + first;
    lossi_failure_row given = {.inverse_scale = f64_set1(1 / parameters[SCALE]),
                               .constant = f64_set1(parameters[CONSTANT])};
    f64m rare = f64_lt(f64_set1(0), f64_set1(0)), known;
    LOSSI_NO_UNROLL
    for (int k = 0; k < count; k += F64_LANES) {
        f64v log_time, width;
        given.lower = f64_load_float32(lower + k);
        given.upper = f64_load_float32(upper + k);
        rare = f64_mask_or(rare, lossi_failure_logarithms(&given, 0, &log_time, &width));
        f64_store(c->value + k, log_time);
        f64_store(c->slope + k, width);
    }
    LOSSI_NO_UNROLL
    for (int k = 0; k < count; k += F64_LANES) {
        lossi_failure_ends ends;
        const f64v log_time = f64_load(c->value + k), width = f64_load(c->slope + k);
        given.prediction = f64_load_float32(x + k);
        given.lower = f64_load_float32(lower + k);
        given.upper = f64_load_float32(upper + k);
        rare = f64_mask_or(rare, lossi_failure_ends_of(&given, log_time, width, 0, &ends, &known));
        f64_store(c->a + k, ends.a);
        f64_store(c->b + k, ends.b);
        f64_store(c->product + k, ends.product);
        f64_store(c->turn + k, ends.turn);
        f64_store(c->value + k, ends.value);
        f64_store(c->slope + k, ends.slope);
    }
    return f64_mask_any(rare);
}

static void chunk_go_on(int count, chunk *c)
{
    LOSSI_NO_UNROLL
    for (int k = 0; k < count; k += F64_LANES) {
        const lossi_failure_ends ends = {.a = f64_load(c->a + k),
                                         .b = f64_load(c->b + k),
                                         .product = f64_load(c->product + k),
                                         .turn = f64_load(c->turn + k)};
        const lossi_failure_sides sides = lossi_failure_sides_of(&ends);
        f64_store(c->probability + k, sides.probability);
        f64_store(c->rest + k, sides.rest);
        f64_store(c->base + k, sides.value);
        f64_store(c->steep + k, sides.slope);
    }
}

/* Half a vector of float32: value and derivative. */
LOSSI_INLINE void chunk_end(const chunk *c, int k, const float *lower, const float *upper, f64v *value,
                            f64v *slope)
{
    const f64m known = lossi_failure_is_exact(f64_load_float32(lower), f64_load_float32(upper));
    const f64v made = lossi_failure_value(f64_load(c->probability + k), f64_load(c->rest + k),
                                          f64_load(c->base + k));
    *value = f64_select(known, f64_load(c->value + k), made);
    *slope = f64_select(known, f64_load(c->slope + k), f64_load(c->steep + k));
}

LOSSI_INLINE vreal chunk_vector(const lossi_part *part, int64_t i, const chunk *c, int k, vmask *outside)
{
    const float *lower = part->input[LOWER].data, *upper = part->input[UPPER].data;
    lossi_element e;
    f64v value[2], slope[2];
    for (int r = 0; r < ROLES; r++) {
        e.in[r] = v_load((const real *)part->input[r].data + i);
    }
    chunk_end(c, k, lower + i, upper + i, &value[0], &slope[0]);
    chunk_end(c, k + F64_LANES, lower + i + F64_LANES, upper + i + F64_LANES, &value[1], &slope[1]);
    e.direction[PREDICTION] = v_set1(0);
    put(&e, f64_to_f32(value[0], value[1]), f64_to_f32(slope[0], slope[1]), v_set1(0));
    *outside = v_mask_or(*outside, e.outside);
    lossi_element_store(part->output[PREDICTION].gradient, i, VREAL_LANES,
                        e.gradient[PREDICTION] * v_set1((real)part->scale));
    return e.value;
}

/* Whole packs; returns how many elements. */
static int64_t normal_packs(const lossi_part *part)
{
    const int64_t elements = part->rows * part->columns / LOSSI_LANES * LOSSI_LANES;
    f64v lanes[LOSSI_WIDE] = {{0}};
    vmask outside = {0};
    chunk c;
    if (part->value == NULL) {
        lossi_lanes_load(part->lanes, lanes);
    }
    for (int64_t first = 0; first < elements; first += CHUNK) {
        const int count = elements - first < CHUNK ? (int)(elements - first) : CHUNK;
        const int rare = chunk_begin(part, first, count, &c);
        if (!rare) {
            chunk_go_on(count, &c);
        }
        LOSSI_NO_UNROLL
        for (int k = 0; k < count; k += LOSSI_LANES) {
            vreal values[LOSSI_PACK];
            for (int v = 0; v < LOSSI_PACK; v++) {
                const int at = k + v * VREAL_LANES;
                values[v] = __builtin_expect(rare, 0)
                                ? lossi_element_at(part, normal_formula, NULL, ROLES, first + at, &outside)
                                : chunk_vector(part, first + at, &c, at, &outside);
            }
            lossi_put_values(values, part->value, first + k, lanes);
        }
    }
    if (part->value == NULL) {
        lossi_lanes_store(part->lanes, lanes);
    }
    if (part->outside != NULL && v_mask_any(outside)) {
        *part->outside = 1;
    }
    return elements;
}

#endif

LOSSI_INLINE row row_of(const lossi_element *e, vreal scale)
{
    const vreal x = e->in[PREDICTION], lower = e->in[LOWER], upper = e->in[UPPER], one = v_set1(1);
    const vmask finite = v_lt(upper, v_set1(REAL_INFINITY)), above = v_gt(lower, v_set1(0));
    const vreal first = v_select(above, lower, one),
                last = v_select(v_eq(upper, v_set1(REAL_INFINITY)), one, upper);
    parts log_lower, log_upper;
    row r;
    log_lower.head = v_log_parts(first, &log_lower.tail);
    log_upper.head = v_log_parts(last, &log_upper.tail);
    r.left = v_mask_and(v_le(lower, v_set1(0)), finite);
    r.exact = v_mask_and(v_eq(lower, upper), finite);
    r.interval = v_mask_and(v_mask_and(above, v_lt(lower, upper)), finite);
    r.lower = standard(log_lower, x, scale);
    r.upper = standard(log_upper, x, scale);
    r.middle = add(r.lower, r.upper);
    r.middle = (parts){v_set1((real)0.5) * r.middle.head, v_set1((real)0.5) * r.middle.tail};
    r.log_time = log_lower;
    const vreal ratio = (last - first) / first;
    r.width = v_select(v_lt(ratio, one), v_log1p(ratio), whole(add(log_upper, opposite(log_lower)))) / scale;
    return r;
}

/*
 * Of the baseline, which is slow anyway and whose vectors are long code, once for the loop of values and slopes and that of
 * everything. Elsewhere the first leaves second derivatives out, a fifth of the time.
 */
#if defined(LOSSI_ISA_BASE)
#define NOISE static __attribute__((noinline))
#else
#define NOISE LOSSI_INLINE
#endif

NOISE void noise(const row *r, double distribution, result *out)
{
    *out = distribution == NORMAL ? normal(r) : distribution == LOGISTIC ? logistic(r) : extreme(r);
}

LOSSI_INLINE void formula(const lossi_part *part, const real *numbers, lossi_element *e)
{
    (void)numbers;
    const double *parameters = part->prepared->parameters;
    const double constant = parameters[CONSTANT];
    const vreal scale = v_set1((real)parameters[SCALE]);
    row r = row_of(e, scale);
    r.constant.head = v_set1((real)constant);
    r.constant.tail = v_set1((real)(constant - (double)(real)constant));
    result out;
    noise(&r, parameters[DISTRIBUTION], &out);
    vreal value = out.value, slope = out.slope / scale;
#if LOSSI_REAL == 32
    if (parameters[DISTRIBUTION] == NORMAL) {
        normal_single(parameters, e, &value, &slope);
    }
#endif
    put(e, value, slope, out.bend / scale / scale);
}

static void everything(const lossi_part *part)
{
    lossi_elements(part, formula, ROLES, 1);
}

static void accelerated_failure_time(const lossi_part *part)
{
#if LOSSI_REAL == 32
    if (part->prepared->parameters[DISTRIBUTION] == NORMAL) {
        if (lossi_elementwise_second(part, ROLES)) {
            everything(part);
        } else {
            lossi_elements_rest(part, ROLES, normal_packs(part), everything);
        }
        return;
    }
#endif
    lossi_elementwise(part, formula, ROLES, 0, everything);
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
               .domain = {LEAST, LOSSI_UNBOUNDED, 0},
               .doc = "rows x columns, real: the time by which it had happened; infinity: not seen "
                      "(right-censored); with lower <= 0 as well the loss is 0"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .flags = LOSSI_ADDS_UP};

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
