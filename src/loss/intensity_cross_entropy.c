/*
 * Cross-entropy of a target t in [0, 1] and the probability that something of intensity w log(1 + eˣ) happens at all, x =
 * prediction: 1 − e⁻ᵘ. For w = 1 that is the sigmoid and the loss logistic.
 *
 *     loss = −t log(1 − e⁻ᵘ) + (1 − t) u,   u = w s,   s = log(1 + eˣ)
 *
 * With E = e^u − 1, q = 1 − e⁻ᵘ and R = w σ(x)/E, the derivatives are w σ(x) (1 − t) − t R and
 *
 *     (1 − t) w σ(x) σ(−x) + t R σ(−x) (eˣ w − q)/q,    (eˣ w − q)/q = a + b + a b,   a = (eˣ − s)/s,   b = (u − q)/q.
 *
 * a and b are not negative: the loss is convex for every w (Bernoulli's inequality). e⁻ᵘ magnifies what the rounding of u lost,
 * hence its tail. Where u is tiny, −log q is −log w − log s, and R is σ(x)/s, which is 1 at −∞. At x = ±∞ a coefficient of 0
 * takes its term away.
 * Ke et al., LightGBM: a highly efficient gradient boosting decision tree (2017), objective cross_entropy_lambda.
 */
#include "loss/elementwise.h"
#include "loss/logit_single.h"
#include "loss/two_sum.h"
#include "simd/math_logarithms.h"

enum { PREDICTION, TARGET, INTENSITY, ROLES };

/* Where a target or an intensity lies outside its domain. */
LOSSI_INLINE vmask outside(vreal t, vreal w)
{
    return v_mask_or(v_lt(w, v_set1(REAL(0x1p-126))), v_mask_or(v_lt(t, v_set1(0)), v_gt(t, v_set1(1))));
}

#if LOSSI_REAL == 32

/* Below FLAT eˣ is s to the last digit; below TINY, u is q; below NEAR two terms of a series are all there is. */
#define FLAT (-40.0)
#define TINY 0x1p-100
#define NEAR 0x1p-8

/* coefficient · x, and 0 for a coefficient of 0 even where x is infinite */
LOSSI_INLINE f64v times(f64v coefficient, f64v x)
{
    return f64_select(f64_eq(coefficient, f64_set1(0)), f64_set1(0), coefficient * x);
}

/* −log q, and R, where u is next to nothing: the logarithm of w s is one of factors, R is σ(x)/s. */
LOSSI_INLINE void where_tiny(f64m tiny, f64v x, f64v w, f64v s, f64v up, f64v *log, f64v *share)
{
    const f64m flat = f64_lt(x, f64_set1(FLAT));
    const f64v s_log = f64_select(flat, x, single_log(f64_select(flat, f64_set1(1), s)));
    *log = f64_select(tiny, single_log(w) + s_log, *log);
    *share = f64_select(tiny, f64_select(flat, f64_set1(1), up / s), *share);
}

/* The whole in double: value, gradient, curvature. */
LOSSI_INLINE void intensity(f64v x, f64v t, f64v w, f64v *value, f64v *gradient, f64v *curvature)
{
    const f64v zero = f64_set1(0), one = f64_set1(1), half = f64_set1(0.5), rest = one - t;
    const lossi_single_logit l = lossi_single_logit_of(x);
    const f64v large = single_reciprocal(one + l.e), small = l.e * large;
    const f64v up = f64_select(l.up, large, small), down = f64_select(l.up, small, large);
    const f64v s = f64_max(zero, x) + l.soft, u = w * s;
    f64v minus_q;
    const f64v decayed = single_exp_nonpositive(-u, &minus_q), q = -minus_q;
    const f64v slope = w * up, inverse = single_reciprocal(q); /* not where u is tiny */
    f64v log = single_log_of_complement(q, decayed), share = (slope * decayed) * inverse;
    const f64m tiny = f64_lt(u, f64_set1(TINY));
    if (__builtin_expect(f64_mask_any(tiny), 0)) {
        where_tiny(tiny, x, w, s, up, &log, &share);
    }
    *value = times(rest, u) - times(t, log);
    *gradient = times(rest, slope) - t * share;

    /* the second derivative of −log q: a and b, by their series near 0 */
    const f64v y = single_exp(f64_min(f64_set1(4), x)), near = f64_set1(NEAR);
    const f64v a_near = y * f64_fma(y, f64_fma(y, f64_set1(1.0 / 24), f64_set1(-1.0 / 12)), half);
    const f64v a = f64_select(f64_lt(y, near), a_near, (y - s) / s);
    const f64v b = f64_select(f64_lt(u, near), u * f64_fma(u, f64_set1(1.0 / 12), half), (u - q) * inverse);
    const f64m direct = f64_mask_or(f64_gt(x, f64_set1(4)), f64_gt(u, f64_set1(16)));
    const f64v apart = f64_fnma(down, q, slope);
    const f64v bend = share * f64_select(direct, apart * inverse, down * f64_fma(a, b, a + b));
    *curvature = times(rest, slope * down) + times(t, bend);
}

LOSSI_INLINE void formula(const lossi_part *part, const real *parameters, lossi_element *e)
{
    (void)parameters;
    const vreal x = e->in[PREDICTION], t = e->in[TARGET];
    const vreal w = part->input[INTENSITY].data != NULL ? e->in[INTENSITY] : v_set1(1);
    f64v value[2], gradient[2], curvature[2];
    intensity(f32_to_f64_low(x), f32_to_f64_low(t), f32_to_f64_low(w), &value[0], &gradient[0],
              &curvature[0]);
    intensity(f32_to_f64_high(x), f32_to_f64_high(t), f32_to_f64_high(w), &value[1], &gradient[1],
              &curvature[1]);
    const vreal bad = v_select(v_is_nan(x), x, v_select(v_is_nan(t), t, v_select(v_is_nan(w), w, v_set1(0))));
    e->outside = outside(t, w);
    e->value = bad + f64_to_f32(value[0], value[1]);
    e->gradient[PREDICTION] = bad + f64_to_f32(gradient[0], gradient[1]);
    e->curvature[PREDICTION] = bad + f64_to_f32(curvature[0], curvature[1]);
    e->product[PREDICTION] = e->curvature[PREDICTION] * e->direction[PREDICTION];
}

#else

/* Below FLAT eˣ is s to the last digit; below TINY, u is q and E; above FAR 1 − e⁻ᵘ is 1, and t/(1 − t), unless it is
 * infinite, far below E. */
#define FLAT (LOSSI_REAL == 32 ? (real)-18 : (real)-38)
#define TINY ((real)0x1p-60)
#define FAR  ((real)45)

/* u = head + tail, log u where it is tiny, w σ(x), σ(x), σ(−x), s, and eˣ where it is s. */
typedef struct intensity {
    vreal head, tail, logarithm, slope, up, down, s;
    vmask flat, tiny;
} intensity;

/* coefficient · x, and 0 for a coefficient of 0 even where x is infinite */
LOSSI_INLINE vreal times(vreal coefficient, vreal x)
{
    return v_select(v_eq(coefficient, v_set1(0)), v_set1(0), coefficient * x);
}

/* σ(x) and σ(−x), as v_sigmoid() makes them, of e = e⁻|ˣ| and one division; it is returned. */
LOSSI_INLINE vreal both_sigmoids(vreal x, vreal e, vreal e_missing, intensity *i)
{
    const vreal one = v_set1(1), d = e + one, d_missing = (e - (d - one)) + e_missing;
    const vreal inverse = v_reciprocal(d);
    const vreal large = v_fma(v_fnma(inverse, d, one) - inverse * d_missing, inverse, inverse);
    const vreal rough = e * inverse;
    const vreal small = v_fma(v_fnma(rough, d, e) + v_fnma(rough, d_missing, e_missing), inverse, rough);
    const vmask negative = v_lt(x, v_set1(0));
    i->up = v_select(negative, small, large);
    i->down = v_select(negative, large, small);
    return inverse;
}

/* u, as plain_intensity_of() has it, and x are where near_values() is right. */
LOSSI_INLINE vmask is_near(vreal x, vreal u)
{
    return v_mask_and(v_mask_and(v_ge(u, v_set1(TINY)), v_le(u, v_set1(FAR))), v_ge(x, v_set1(FLAT)));
}

/* Where neither is next to nothing. */
LOSSI_INLINE intensity plain_intensity_of(vreal x, vreal w)
{
    const vreal zero = v_set1(0), infinity = v_set1(REAL_INFINITY);
    intensity i;
    vreal e_missing, rest;
    const vreal e = v_exp_parts(-v_abs(x), &e_missing);
    const vreal rise = v_log1p_parts(e, &rest), positive = v_max(zero, x);
    const vreal s = positive + rise, inverse = both_sigmoids(x, e, e_missing, &i);
    const vreal s_tail = lossi_missing_of(positive, rise, s) + v_fma(e_missing, inverse, rest);
    const vreal u = w * s, u_tail = v_fma(w, s_tail, v_fma(w, s, -u));
    i.s = s;
    i.head = u;
    i.tail = v_select(v_lt(u, infinity), u_tail, zero);
    i.slope = w * i.up;
    i.flat = v_lt(x, v_set1(FLAT));
    i.tiny = v_lt(u, v_set1(TINY));
    i.logarithm = zero;
    return i;
}

LOSSI_INLINE intensity intensity_of(vreal x, vreal w)
{
    const vreal zero = v_set1(0), infinity = v_set1(REAL_INFINITY);
    intensity i = plain_intensity_of(x, w);
    if (v_mask_any(v_mask_or(i.flat, i.tiny))) {
        vreal w_tail;
        const vreal w_log = v_log_parts(w, &w_tail), s_log = v_select(i.flat, x, v_log(i.s));
        const vreal head = w_log + s_log, tail = lossi_missing_of(w_log, s_log, head) + w_tail;
        const vreal deep = v_exp_of_parts(head, tail); /* eˣ alone may be too small for a number */
        i.head = v_select(i.flat, deep, i.head);
        i.tail = v_select(i.flat, zero, i.tail);
        i.slope = v_select(i.flat, deep, i.slope);
        i.tiny = v_lt(i.head, v_set1(TINY));
        i.logarithm = head + v_select(v_lt(v_abs(head), infinity), tail, zero);
    }
    return i;
}

/* Value and gradient where data are: one exponential gives e⁻ᵘ and q, and what q is missing, which its logarithm shows. */
LOSSI_INLINE void near_values(const intensity *i, vreal t, vreal *value, vreal *slope)
{
    const vreal one = v_set1(1), rest = one - t;
    vreal n, low, exponent;
    const vreal r = v_exp_reduce(-i->head, &n, &low), tail = v_fma(r * r, v_exp_tail(r), low - i->tail);
    const vreal power = v_pow2(n), base = power - one, head = v_fma(power, r, base);
    /* what the sum lost, and what 2ⁿ − 1 did where 2ⁿ is below its last digit */
    const vreal lost = v_fma(power, r, base - head) + ((power - base) - one);
    const vreal less = v_fma(power, tail, lost), minus_q = head + less, q_missing = (minus_q - head) - less;
    const vreal decayed = v_fma(power, r + tail, power), q = -minus_q, inverse = v_reciprocal(q);
    const vreal rough = decayed * inverse, odds = v_fma(v_fnma(rough, q, decayed), inverse, rough); /* 1/E */
    const vreal m = v_split_normal(q, &exponent);
    const vmask upper = v_eq(exponent, v_set1(0)); /* e⁻ᵘ is to be had with all of its digits there */
    const vreal f = v_select(upper, -decayed, m - one),
                more = v_fma(q_missing, inverse, exponent * MATH_LN2_LOW);
    const vreal log = v_log_sum_low(exponent, f, v_select(upper, v_set1(0), more));
    *value = v_fma(rest, i->head, -(t * log));
    *slope = i->slope * v_fnma(t, odds, rest);
}

/* Elsewhere, NaN too: lanes where the others are. */
static __attribute__((noinline)) void far_values(const vreal *of, vreal *value, vreal *slope)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal x = of[0], t = of[1], w = of[2], rest = one - t;
    const intensity i = intensity_of(x, w);
    const vreal u = i.head;
    const vmask far = v_gt(u, v_set1(FAR));
    const vreal near = v_select(far, one, u), near_tail = v_select(far, zero, i.tail);
    const vreal odds = v_expm1_of_parts(near, near_tail);  /* E; 1/E is not wanted where it is tiny */
    const vreal ratio = v_select(i.flat, one, i.up / i.s); /* σ(x)/s */
    /* e^(−u/2) twice: its square may be too small for a number that a large w still makes one */
    const vreal root = v_exp_of_parts(-half * u, -half * i.tail);
    const vreal decayed = v_select(v_eq(root, zero), zero, i.slope * root);
    const vreal logarithm = v_select(far, -(root * root), v_log1mexp(near) + near_tail / odds);
    const vreal bad = v_select(v_is_nan(x), x, v_select(v_is_nan(t), t, v_select(v_is_nan(w), w, zero)));
    const vmask plain = is_near(x, u);
    const vreal slow_value = times(rest, u) - times(t, v_select(i.tiny, i.logarithm, logarithm));
    const vreal slow_slope = v_select(
        far, times(rest, i.slope) - t * (decayed * root),
        v_select(i.tiny, ratio * v_fma(rest, u, -t), i.slope * (rest - t / odds)));
    *value = v_select(plain, *value, bad + slow_value);
    *slope = v_select(plain, *slope, bad + slow_slope);
}

/* The second derivative, by everything that may be asked for. */
LOSSI_INLINE vreal curvature_of(vreal x, vreal t, vreal w)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5), rest = one - t;
    const intensity i = intensity_of(x, w);
    const vreal u = i.head;
    const vmask far = v_gt(u, v_set1(FAR));
    const vreal near = v_select(far, one, u), near_tail = v_select(far, zero, i.tail);
    const vreal odds = v_expm1_of_parts(near, near_tail), ratio = v_select(i.flat, one, i.up / i.s);
    const vreal root = v_exp_of_parts(-half * u, -half * i.tail);
    const vreal decayed = v_select(v_eq(root, zero), zero, i.slope * root);

    /* the second derivative of −log q */
    const vreal q = v_select(far, one, -v_expm1_of_parts(-near, -near_tail));
    const vmask direct = v_mask_or(v_gt(x, v_set1(4)), v_gt(u, v_set1(16))); /* eˣ w is 13 q and more */
    const vreal y = v_exp(v_min(v_set1(4), x)), small = v_set1((real)0.25 * REAL_EPSILON);
    const vreal a = v_select(v_lt(y, small), half * y, v_x_minus_log1p(y) / i.s);
    const vreal excess = v_select(v_gt(u, one), u - q, v_x_minus_log1p(-q));
    const vreal b = v_select(v_lt(u, small), half * u, excess / q);
    const vreal apart = v_fnma(i.down, q, i.slope);
    const vreal share = v_select(i.tiny, ratio, i.slope / odds); /* R */
    const vreal bend = share * v_select(direct, apart / q, i.down * v_fma(a, b, a + b));
    const vreal last = v_select(v_eq(root, zero), zero, decayed * (apart * root));
    const vreal bad = v_select(v_is_nan(x), x, v_select(v_is_nan(t), t, v_select(v_is_nan(w), w, zero)));
    return bad + (times(rest, i.slope * i.down) + times(t, v_select(far, last, bend)));
}

LOSSI_INLINE void formula(const lossi_part *part, const real *parameters, lossi_element *e)
{
    const vreal x = e->in[PREDICTION], t = e->in[TARGET];
    const vreal w = part->input[INTENSITY].data != NULL ? e->in[INTENSITY] : v_set1(1);
    const intensity i = plain_intensity_of(x, w);
    vreal value, slope;
    (void)parameters;
    near_values(&i, t, &value, &slope);
    if (lossi_rare(v_mask_not(is_near(x, i.head)))) {
        const vreal of[] = {x, t, w};
        vreal all_values = value, all_slopes = slope;
        far_values(of, &all_values, &all_slopes);
        value = all_values;
        slope = all_slopes;
    }
    e->outside = outside(t, w);
    e->value = value;
    e->gradient[PREDICTION] = slope;
    e->curvature[PREDICTION] = curvature_of(x, t, w);
    e->product[PREDICTION] = e->curvature[PREDICTION] * e->direction[PREDICTION];
}

#endif

static __attribute__((noinline)) void everything(const lossi_part *part)
{
    lossi_elements(part, formula, ROLES, 1);
}

static void intensity_cross_entropy(const lossi_part *part)
{
    lossi_elementwise(part, formula, ROLES, 0, everything);
}

extern const lossi_kernels LOSSI_NAME(intensity_cross_entropy);
const lossi_kernels LOSSI_NAME(intensity_cross_entropy) = {.part = intensity_cross_entropy};

#ifdef LOSSI_ONCE

/* Intensities are positive: from the smallest float32 that is a normal number on, the same for both types. */
static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real: log(exp(s) - 1) of the intensity s"},
    [TARGET] = {.name = "target",
                .domain = {0, 1, 0},
                .doc = "rows x columns, real: 1 where it happened, 0 where not, or a probability"},
    [INTENSITY] = {.name = "intensity",
                   .flags = LOSSI_OPTIONAL,
                   .domain = {0x1p-126, LOSSI_UNBOUNDED, 0},
                   .doc = "rows x columns, real, optional: the factor w on s; 1 without it"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .flags = LOSSI_ADDS_UP};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_intensity_cross_entropy;
const lossi_row lossi_row_intensity_cross_entropy = {
    .name = "intensity_cross_entropy",
    .aliases = "xentlambda cross_entropy_lambda",
    .summary = "cross-entropy of the probability that something of a weighted intensity happens, targets 0 "
               "to 1",
    .formula = "-t*log(1 - exp(-u)) + (1 - t)*u, u = w*log(1 + exp(x)), x = prediction, t = target, w = "
               "intensity or 1",
    .reference = "Ke et al., LightGBM: a highly efficient gradient boosting decision tree (2017)",
    .elsewhere = "LightGBM cross_entropy_lambda (weights as intensities)",
    .elementary = "exp log1p expm1 log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .prepare = prepare,
};

#endif
