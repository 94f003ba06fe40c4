/*
 * Asymmetric loss of multi-label classification: a focal loss with a power of its own for each class, where negatives that are
 * easy enough count nothing; of a logit x and a target t in [0, 1].
 *
 *     p = σ(x),   u = max(p − clip, 0)
 *     loss = −t (1 − p)^γ₊ log p − (1 − t) u^γ₋ log(1 − u)
 *
 * clip = 0 leaves the focal terms of both classes (focal.h). Otherwise, with v = 1/(1 − u) = 1/(σ(−x) + clip), M = −log(1 − u),
 * μ = M/u and σ' = p (1 − p), the term of negatives has
 *
 *     d/dx = σ' u^γ (γ μ + v)
 *     d²/dx² = σ' u^(γ − 1) (σ' (γ (γ − 1) μ + 2 γ v + u v²) + (1 − 2p) u (γ μ + v)),   γ = γ₋
 *
 * where p > clip, and is 0 elsewhere; at p = clip the flat piece counts. It stays below −log(clip), where its derivatives vanish:
 * a negative that is wrong enough has no gradient left. u is made as a multiple of what e = e⁻ᵃ is beyond its value at p = clip,
 * so that its digits are right next to 0. Not convex; no majorizer.
 * Ridnik et al., Asymmetric loss for multi-label classification (2021), eq. (7); the gradient is that of the whole, focusing
 * weights included.
 */
#define LOSSI_PAIRS /* its formula fills the registers: two vectors side by side, not four (loss/pointwise.h) */
#include "loss/focal.h"
#include "loss/pointwise.h"

/* clip and 1 − clip as two numbers each, for a power makes much of a rounding; and as they round */
enum { GAMMA_POSITIVE, GAMMA_NEGATIVE, CLIP, CLIP_REST, FREE, FREE_REST, WHOLE_CLIP, WHOLE_FREE };

/* (p − clip)/large to more digits than a number has, as (1 − clip) − clip e or (1 − clip) e − clip. */
LOSSI_INLINE focal_pair shifted(const lossi_logit *l, const real *parameters)
{
    const vreal clip = v_set1(parameters[CLIP]), clip_rest = v_set1(parameters[CLIP_REST]);
    const vreal free = v_set1(parameters[FREE]), free_rest = v_set1(parameters[FREE_REST]);
    const vreal by = v_select(l->up, -clip, free), from = v_select(l->up, free, -clip);
    const vreal product = by * l->e, sum = from + product, back = sum - from;
    const vreal rounded = (from - (sum - back)) + (product - back) + v_fma(by, l->e, -product);
    const vreal rest = rounded + v_select(l->up, free_rest, -clip_rest) +
                       v_fma(v_select(l->up, -clip_rest, free_rest), l->e, by * l->missing);
    const vreal head = sum + rest;
    return (focal_pair){head, rest - (head - sum)};
}

/* 1/(1 − u) as (1 + e)/(clip (1 + e) + e) or (1 + e)/(clip (1 + e) + 1), the quotient with its remainder. */
LOSSI_INLINE vreal shifted_inverse(const lossi_logit *l, const real *parameters)
{
    const vreal one = v_set1(1), clip = v_set1(parameters[CLIP]), clip_rest = v_set1(parameters[CLIP_REST]);
    const vreal d = one + l->e, d_rest = (l->e - (d - one)) + l->missing;
    const vreal product = clip * d, plus = v_select(l->up, l->e, one), sum = product + plus;
    const vreal back = sum - plus, rounded = (plus - (sum - back)) + (product - back);
    const vreal rest = rounded + v_fma(clip, d, -product) + v_fma(clip, d_rest, clip_rest * d) +
                       v_select(l->up, l->missing, v_set1(0));
    const vreal inverse = one / sum, quotient = d * inverse;
    return v_fma(v_fnma(quotient, sum, d) + v_fnma(quotient, rest, d_rest), inverse, quotient);
}

/* The term of negatives for clip > 0; slope and bend are in a = |x|. */
LOSSI_INLINE lossi_focal_term shifted_term(const lossi_logit *l, const real *parameters)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const real gamma = parameters[GAMMA_NEGATIVE];
    const vreal g = v_set1(gamma);
    focal_pair n = shifted(l, parameters);
    const vmask flat = v_le(n.head, zero);
    n = (focal_pair){v_select(flat, one, n.head), v_select(flat, zero, n.tail)};
    const focal_pair u = focal_times(n, (focal_pair){l->large, l->large_missing});
    const vreal v = shifted_inverse(l, parameters);
    const vreal near = v_fma(u.tail, v, -v_log1p(-v_min(half, u.head)));
    const vreal m = v_select(v_lt(u.head, half), near, v_log(v)), mu = m / u.head;
    /* u^γ and u^(γ − 1) */
    const focal_pair power = focal_power(u, gamma);
    const vreal ratio = power.head / u.head;
    const focal_pair quotient = {
        ratio, (v_fnma(ratio, u.head, power.head) + v_fnma(ratio, u.tail, power.tail)) / u.head};
    const focal_pair below = gamma < 1 ? quotient : focal_power(u, gamma - 1);
    const vreal many = g * mu, inner = many + v, back = inner - many;
    const focal_pair sum = {inner, (many - (inner - back)) + (v - back)};
    /* σ' = e large² is multiplied by numbers as large as 1/clip: with all its digits, and lowered afterwards */
    const focal_pair e = {l->lifted, l->lifted_missing}, large = {l->large, l->large_missing};
    const focal_pair bell = focal_times(focal_times(e, large), large);
    const focal_pair slope = focal_settled(focal_times(focal_times(bell, power), sum));
    const vreal upward = v_select(l->up, l->lower, -l->lower);
    const vreal outer = v_fma(u.head * v, v, g * v_fma(v_set1(gamma - 1), mu, v + v));
    const vreal down = v_fnma(l->e, n.head, n.head); /* ± (1 − 2p) u/large² */
    const focal_pair steep = focal_settled(focal_times(focal_times(bell, below), focal_times(large, large)));
    const vreal bend = (steep.head * v_fma(l->e, outer, v_select(l->up, -down, down) * inner)) * l->lower;
    lossi_focal_term term;
    term.value = v_select(flat, zero, power.head * m);
    term.slope = v_select(flat, zero, slope.head * upward);
    term.slope_missing = v_select(flat, zero, slope.tail * upward);
    term.bend = v_select(flat, zero, bend);
    return term;
}

LOSSI_INLINE void asymmetric(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), other = one - t;
    const lossi_logit l = lossi_logit_for(x, out);
    const lossi_sides ones = lossi_sides_of(&l, one), zeros = lossi_sides_of(&l, zero);
    const lossi_focal_term positive = lossi_focal(&l, &ones, parameters[GAMMA_POSITIVE]);
    const lossi_focal_term negative = parameters[CLIP] > 0
                                          ? shifted_term(&l, parameters)
                                          : lossi_focal(&l, &zeros, parameters[GAMMA_NEGATIVE]);
    /* the two slopes may cancel: with what they, their product and 1 − t lost by rounding */
    const vreal product = other * negative.slope, product_missing = v_fma(other, negative.slope, -product);
    const vreal rest = v_fma(t, positive.slope_missing, other * negative.slope_missing) +
                       v_fma((one - other) - t, negative.slope, product_missing);
    const vreal slope = v_fma(t, positive.slope, product) + rest;
    /* a coefficient of 0 takes away a term that may be infinite */
    const vreal loss = v_select(v_eq(t, zero), zero, t * positive.value) +
                       v_select(v_eq(other, zero), zero, other * negative.value);

    out->value = loss;
    out->gradient = v_select(l.up, slope, -slope);
    out->curvature = v_fma(t, positive.bend, other * negative.bend);
    out->majorizer = out->curvature;
}

/*
 * Value and gradient for γ₊ = 1, γ₋ = 4 and a clip neither next to 0 nor to ½, with |x| up to LOGIT_DEEP. With q = σ(−x),
 * P = −log p and s = (1 − u)(1 + e), so that one division gives both 1/(1 + e) and v:
 *
 *     loss = t q P + (1 − t) u⁴ M,   gradient = −t q (p P + q) + (1 − t) p q u³ (4 M + u v)
 *
 * Next to the corner a move of x by an ulp is more than what clip loses by rounding.
 */
typedef struct brief_clip {
    vreal u, u_missing, v, large; /* u before the flat piece is cut off */
} brief_clip;

LOSSI_INLINE brief_clip brief_clip_of(vmask up, vreal e, vreal e_missing, const real *parameters)
{
    const vreal one = v_set1(1);
    const vreal clip = v_set1(parameters[WHOLE_CLIP]), free = v_set1(parameters[WHOLE_FREE]);
    const vreal by = v_select(up, -clip, free), from = v_select(up, free, -clip), n = v_fma(by, e, from);
    const vreal free_missing = (one - free) - clip;
    const vreal less = from - n, back = from - (less + n); /* what the difference lost where n leads */
    const vreal n_missing = v_fma(v_select(up, one, e), free_missing,
                                  v_fma(by, e_missing, v_fma(by, e, less) + back));
    const vreal d = one + e, s = v_fma(clip, d, v_select(up, e, one));
    const vreal both = v_reciprocal(d * s), rough = both * s;
    /* 1/(1 + e) is rough (1 + rest), as lossi_rough_inverse() has it */
    const vreal rest = v_fnma(rough, e_missing, v_fnma(rough, e, one - rough)), product = n * rough;
    const vreal missing = v_fma(n_missing, rough, v_fma(product, rest, v_fma(n, rough, -product)));
    brief_clip c = {.u = product + missing, .v = (both * d) * d, .large = v_fma(rough, rest, rough)};
    c.u_missing = missing - (c.u - product);
    return c;
}

LOSSI_INLINE void brief(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), four = v_set1(4);
    const vreal below = v_copysign(x, v_set1(-1)), other = one - t;
    vreal e_missing;
    const vreal e = lossi_exp_shallow_parts(below, &e_missing);
    const vmask up = v_ge(x, zero);
    const brief_clip c = brief_clip_of(up, e, e_missing, parameters);
    const vreal u = v_max(zero, c.u), p = v_select(up, one, e) * c.large, q = v_select(up, e, one) * c.large;
    const vreal left = one - u, surprise = v_log1p_unit(e) - v_min(zero, x);
    const vreal m = -lossi_log_of_sum(left, ((one - left) - u) - c.u_missing, c.v); /* −log(1 − u) */
    const vreal square = u * u, missing = v_fma(u + u, c.u_missing, v_fma(u, u, -square));
    const vreal cube = v_fma(square, u, v_fma(missing, u, square * c.u_missing));
    const vreal fourth = v_fma(square, square, (square + square) * missing);
    const vreal wrong = t * q, steep = (other * (p * q)) * (cube * v_fma(four, m, u * c.v));

    lossi_leave(out, v_lt(below, v_set1(-LOGIT_DEEP)));
    out->value = v_fma(wrong, surprise, (other * fourth) * m);
    out->gradient = v_fnma(wrong, v_fma(p, surprise, q), steep);
}

static int32_t is_brief(const lossi_prepared *prepared)
{
    const double *parameters = prepared->parameters;
    return parameters[GAMMA_POSITIVE] == 1 && parameters[GAMMA_NEGATIVE] == 4 &&
           parameters[WHOLE_CLIP] >= 0x1p-10 && parameters[WHOLE_CLIP] <= 0.25;
}

#define LOSSI_FORMULA  asymmetric
#define LOSSI_SHORT    brief
#define LOSSI_IS_SHORT is_brief
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include "loss/focal_bounds.h"

static const loss_option options[] = {
    [GAMMA_POSITIVE] = {.name = "gamma_positive",
                        .aliases = "gamma_pos",
                        .type = LOSS_OPTION_DOUBLE,
                        .minimum = 0,
                        .maximum = 1000,
                        .initial = 1,
                        .doc = "the power of the probability missed by a positive"},
    [GAMMA_NEGATIVE] = {.name = "gamma_negative",
                        .aliases = "gamma_neg",
                        .type = LOSS_OPTION_DOUBLE,
                        .minimum = 0,
                        .maximum = 1000,
                        .initial = 4,
                        .doc = "the power of the shifted probability of a negative"},
    [CLIP] = {.name = "clip",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 0,
              .maximum = 0.49, /* at ½ the corner is a number, x = 0; below, the logit of clip is none */
              .initial = 0.05,
              .doc = "the probability up to which a negative counts nothing"},
};

/* Slope and bend of the term of negatives at x; given: γ, clip. */
static double shifted_steepness(double x, const double *given)
{
    const double gamma = given[0], q = 1 / (1 + exp(x)), p = 1 - q, u = p - given[1];
    return u > 0 ? p * q * pow(u, gamma - 1) * (gamma * -log1p(-u) + u / (1 - u)) : 0;
}

static double shifted_bend(double x, const double *given)
{
    const double gamma = given[0], q = 1 / (1 + exp(x)), p = 1 - q, u = p - given[1];
    if (u <= 0) {
        return 0;
    }
    const double m = -log1p(-u), v = 1 / (1 - u), inner = gamma * m + u * v;
    const double outer = gamma * (gamma - 1) * m + 2 * gamma * u * v + u * u * v * v;
    return p * q * pow(u, gamma - 2) * (p * q * outer + (q - p) * u * inner);
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* A row is between its two classes in slope and curvature. */
static void prepare_bounds(lossi_prepared *prepared, const double *negative)
{
    const double positive = prepared->parameters[GAMMA_POSITIVE], clip = negative[1];
    const double edge = clip > 0 ? log(clip / (1 - clip)) : 0;
    lossi_bounds *bounds = &prepared->bounds;
    bounds->lipschitz = larger(focal_lipschitz(positive),
                               clip > 0 ? lossi_supremum(shifted_steepness, negative, edge, edge + 40)
                                        : focal_lipschitz(negative[0]));
    if (clip == 0) {
        bounds->derivatives = REAL_INFINITY;
        bounds->curvature = larger(focal_largest_curvature(positive), focal_largest_curvature(negative[0]));
    } else {
        bounds->derivatives = ceil(negative[0]); /* of u^(γ + 1) */
    }
    if (clip > 0 && negative[0] >= 1) { /* below 1 it is infinite next to the edge */
        bounds->curvature = larger(focal_largest_curvature(positive),
                                   lossi_supremum(shifted_bend, negative, edge + 1e-9, edge + 40));
    }
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    double *parameters = prepared->parameters;
    const double negative = parameters[GAMMA_NEGATIVE];
    (void)values;
    if (parameters[CLIP] < 1e-30) {
        parameters[CLIP] = 0; /* which changes no digit */
    }
    const double clip = parameters[CLIP], free = 1 - clip;
    parameters[WHOLE_CLIP] = clip;
    parameters[WHOLE_FREE] = free;
    parameters[CLIP] = (double)(float)clip; /* exact in both element types */
    parameters[CLIP_REST] = clip - parameters[CLIP];
    parameters[FREE] = (double)(float)free;
    parameters[FREE_REST] = (free - parameters[FREE]) + ((1 - free) - clip);
    prepared->target = (lossi_domain){0, 1, 0};
    prepare_bounds(prepared, (const double[]){negative, clip});
    if (clip > 0 && negative == 0) {
        prepared->flags &= ~(uint32_t)LOSSI_SMOOTH; /* −log(1 − u) has a corner */
    }
    if (clip > 0 || negative > 0 || parameters[GAMMA_POSITIVE] > 0) {
        prepared->flags &= ~(uint32_t)LOSSI_CONVEX;
    }
}

extern const lossi_row lossi_row_asymmetric;
const lossi_row lossi_row_asymmetric = {
    .name = "asymmetric",
    .aliases = "asl asymmetric_loss",
    .summary = "focal terms with a power for each class, where easy negatives count nothing",
    .formula = "-t*(1 - p)^gamma_positive*log(p) - (1 - t)*u^gamma_negative*log(1 - u), "
               "u = max(p - clip, 0), p = 1/(1 + exp(-x)), x = prediction, t = target",
    .reference = "Ridnik et al., Asymmetric loss for multi-label classification (2021), eq. (7)",
    .elsewhere = "Alibaba-MIIL ASL AsymmetricLoss, without its stopped gradients",
    .elementary = "exp log1p log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 3,
    .prepare = prepare,
};

#endif
