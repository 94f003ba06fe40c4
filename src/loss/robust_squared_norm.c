/*
 * Robust losses ρ of a squared norm s = ‖f‖², as nonlinear least squares wants them: there is no target, the prediction is
 * s ≥ 0, and value, gradient and curvature are ρ(s), ρ′(s) and ρ″(s). With b = a² and v = s/b, a the scale:
 *
 *     huber           s                  s ≤ b,   2a√s − b   beyond
 *     soft_l1         2b (√(1 + v) − 1)
 *     cauchy          b log(1 + v)
 *     tukey           ⅓b (1 − (1 − v)³)  s ≤ b,   ⅓b         beyond
 *     geman_mcclure   b v/(1 + v)
 *     welsch          b (1 − e⁻ᵛ)
 *     arctan          a arctan(s/a), a in units of s
 *     fair            2b (√v − log(1 + √v))
 *     barron          2b β/α ((1 + v/β)^(α/2) − 1), α the shape, β = |α − 2| (loss/general_squared_norm.h)
 *     tolerant        w log((1 + e^((s − a)/w))/(1 + e^(−a/w))), w the width: scale and width are in units of s
 *
 * ρ(s) ≈ s at 0 (but for tolerant), and ρ(r²) is twice the loss of the residual r that has the name. The objective
 * ½ Σ ρ(‖f‖²) has the gradient ρ′ Jᵀf and the Hessian Jᵀ(ρ′ I + 2ρ″ f fᵀ)J + ….
 * Triggs, McLauchlan, Hartley & Fitzgibbon, Bundle adjustment: a modern synthesis (2000), §4.3.
 */
#include "loss/general_squared_norm.h"
#include "loss/tolerance.h"
#include "simd/math_atan.h"
#include "simd/math_logarithms.h"

enum { KIND, SCALE, WIDTH, SHAPE, SQUARE = LOSSI_PARAMETERS - 1 /* b */ };
enum { HUBER, SOFT_L1, CAUCHY, TUKEY, GEMAN_MCCLURE, WELSCH, TOLERANT, ARCTAN, FAIR, BARRON, KINDS };

LOSSI_INLINE vreal constant(double x)
{
    return v_set1((real)x);
}

LOSSI_INLINE void huber(vreal s, vreal same, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), b = v_set1(parameters[SQUARE]), one = v_set1(1);
    const vmask inside = v_le(s, b), over = v_gt(s, v_set1(REAL_MAX)); /* false for NaN */
    vreal root, p = a * v_inverse_root_and_root(s, &root);
    if (lossi_unusual(out, over)) {
        root = v_select(over, s, root);
        p = v_select(over, v_set1(0), p);
    }

    (void)same;
    out->value = v_select(inside, s, a * (root + (root - a)));
    out->gradient = v_select(inside, one, p);
    out->curvature = v_select(inside, v_set1(0), constant(-0.5) * p / s);
}

/* With w = 1/√(1 + v) = a/√(b + s): 2w/(1 + w) s, w, −½ w/(b + s). The quarter of a sum does not overflow. */
LOSSI_INLINE void soft_l1(vreal s, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), b = v_set1(parameters[SQUARE]), quarter = constant(0.25);
    const vreal fourth = v_fma(quarter, s, quarter * b), root = v_sqrt(fourth), twice = a + a;

    out->value = v_select(v_lt(s, v_set1(REAL_INFINITY)), twice / (root + root + a) * s, s);
    out->gradient = constant(0.5) * a / root;
    out->curvature = constant(-0.125) * out->gradient / fourth;
}

/* 1/(1 + v) = b/(b + s), by halves; *half_sum is ½ (b + s) */
LOSSI_INLINE vreal weight(vreal s, vreal b, vreal *half_sum)
{
    const vreal half = constant(0.5);
    *half_sum = v_fma(half, s, half * b);
    return half * b / *half_sum;
}

LOSSI_INLINE void cauchy(vreal s, const real *parameters, lossi_point *out)
{
    const vreal b = v_set1(parameters[SQUARE]);
    const lossi_ratio x = lossi_ratio_above(s, b, ROBUST_LARGE * ROBUST_LARGE);
    vreal half_sum;

    out->value = v_select(v_lt(x.q, v_set1(ROBUST_TINY)), s, b * v_log1p(x.q));
    out->gradient = weight(s, b, &half_sum);
    if (lossi_rare(x.large)) {
        out->value = v_select(x.large, b * lossi_ratio_log(&x), out->value);
    }
    out->curvature = constant(-0.5) * out->gradient / half_sum;
}

LOSSI_INLINE void tukey(vreal s, const real *parameters, lossi_point *out)
{
    const vreal b = v_set1(parameters[SQUARE]), zero = v_set1(0), third = constant(1.0 / 3), v = s / b;
    const vmask outside = v_gt(s, b); /* false for NaN */
    const vreal left = (b - s) / b;

    out->value = v_select(outside, b * third, s * v_fma(third * v, v, left));
    out->gradient = v_select(outside, zero, left * left);
    out->curvature = v_select(outside, zero, v_set1(-2) * left / b);
}

LOSSI_INLINE void geman_mcclure(vreal s, const real *parameters, lossi_point *out)
{
    const vreal b = v_set1(parameters[SQUARE]);
    vreal half_sum;
    const vreal p = weight(s, b, &half_sum);

    out->value = v_select(v_lt(b * constant(1 / ROBUST_TINY), s), b, s * p);
    out->gradient = p * p;
    out->curvature = -p * (p / half_sum);
}

LOSSI_INLINE void welsch(vreal s, const real *parameters, lossi_point *out)
{
    const vreal b = v_set1(parameters[SQUARE]), gone = v_set1(ROBUST_DECAYED * ROBUST_DECAYED);
    const vreal cut = v_min(b * gone, s), v = cut / b, missing = v_fnma(v, b, cut) * (v_set1(1) / b);
    vreal one_minus;
    const vreal half = lossi_half_decay(v, missing, &one_minus);

    out->value = v_select(v_lt(v, v_set1(ROBUST_TINY)), s, b * one_minus);
    out->gradient = half * half;
    out->curvature = -half * (half / b);
}

LOSSI_INLINE void tolerant(vreal s, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), w = v_set1(parameters[WIDTH]);
    const lossi_tolerance rho = lossi_tolerance_of(s, v_set1(0), a, w);

    out->value = rho.value;
    out->gradient = rho.first * rho.second;
    out->curvature = rho.side * (rho.side / w);
}

/* With p = 1/(1 + (s/a)²): ρ′ = p, ρ″ = −2 s/a² p²; far out (a/s)² and −2 (a/s)²/s */
LOSSI_INLINE void arctan(vreal s, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), two = v_set1(2);
    const lossi_ratio x = lossi_ratio_of(s, a);
    const lossi_weight w = lossi_weight_of(x.q);
    const vreal p = lossi_weight_nearest(&w);

    out->value = v_select(lossi_ratio_small(&x), s, a * v_atan(x.q));
    out->gradient = p;
    out->curvature = -two * (p * ((p * x.q) / a));
    if (lossi_rare(x.large)) {
        const vreal far = a / s;
        out->value = v_select(x.large, a * v_atan(s / a), out->value);
        out->gradient = v_select(x.large, far * far, out->gradient);
        out->curvature = v_select(x.large, -two * (far * (far / s)), out->curvature);
    }
}

/* log(1 + √v)/√v is next to nothing */
#if LOSSI_REAL == 32
#define STRAIGHT REAL(0x1p40)
#else
#define STRAIGHT REAL(0x1p72)
#endif

/* With p = 1/(1 + √v): ρ′ = p, ρ″ = −½ p²/(a √s), which is −∞ at 0 */
LOSSI_INLINE void fair(vreal s, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), one = v_set1(1), root = v_sqrt(s), twice = a + a;
    const lossi_ratio x = lossi_ratio_above(root, a, STRAIGHT);
    const vreal sum = one + x.q, inverse = one / sum;
    const vreal near = twice * (a * v_x_minus_log1p_of(x.q, sum, inverse));
    vreal p = inverse;

    out->value = v_select(v_lt(x.q, v_set1(ROBUST_TINY)), s, near);
    if (lossi_rare(x.large)) { /* infinity among them */
        out->value = v_select(x.large, twice * root, out->value);
        p = v_select(x.large, a / root, p);
    }
    out->gradient = p;
    out->curvature = constant(-0.5) * (p / a) * (p / root);
}

/* ---- huber, the kind by default, in the loop of long formulas ---- */

#undef LOSSI_DOMAINS /* loss/robust.h has residuals: a squared norm is not below 0 */
#define LOSSI_FORMULA huber
#include "loss/pointwise_long_packs.h"

/* ---- the other kinds: one loop a kind, then what was wanted of its results ---- */

enum {
    CHUNK = 256 /* elements, whole packs of 16: the results of all kinds stay in the first-level cache */
};

typedef struct chunk {
    real value[CHUNK], gradient[CHUNK], curvature[CHUNK];
} chunk;

typedef void (*formula)(vreal s, const real *parameters, lossi_point *out);

LOSSI_INLINE void fill(const real *s, int count, const real *parameters, int curved, chunk *out, formula rho)
{
    for (int i = 0; i < count; i += VREAL_LANES) {
        lossi_point point;
        rho(count - i < VREAL_LANES ? v_load_part(s + i, count - i) : v_load(s + i), parameters, &point);
        v_store(out->value + i, point.value);
        v_store(out->gradient + i, point.gradient);
        if (__builtin_expect_with_probability(curved, 1, 0.25)) { /* not made where it is not wanted */
            v_store(out->curvature + i, point.curvature);
        }
    }
}

static void fill_general(const real *s, int count, const double *parameters, chunk *out)
{
    const lossi_general g = lossi_general_of(parameters[SHAPE], parameters[SCALE]);
    LOSSI_NO_UNROLL
    for (int i = 0; i < count; i += VREAL_LANES) {
        lossi_point point;
        lossi_general_norm(count - i < VREAL_LANES ? v_load_part(s + i, count - i) : v_load(s + i), &g,
                           &point);
        v_store(out->value + i, point.value);
        v_store(out->gradient + i, point.gradient);
        v_store(out->curvature + i, point.curvature);
    }
}

static void evaluate(const real *s, int count, const double *wide, const real *parameters, int curved,
                     chunk *out)
{
    switch ((int)parameters[KIND]) {
    case SOFT_L1:
        fill(s, count, parameters, curved, out, soft_l1);
        break;
    case CAUCHY:
        fill(s, count, parameters, curved, out, cauchy);
        break;
    case TUKEY:
        fill(s, count, parameters, curved, out, tukey);
        break;
    case GEMAN_MCCLURE:
        fill(s, count, parameters, curved, out, geman_mcclure);
        break;
    case WELSCH:
        fill(s, count, parameters, curved, out, welsch);
        break;
    case TOLERANT:
        fill(s, count, parameters, curved, out, tolerant);
        break;
    case FAIR:
        fill(s, count, parameters, curved, out, fair);
        break;
    case BARRON:
        fill_general(s, count, wide, out);
        break;
    default:
        fill(s, count, parameters, curved, out, arctan);
    }
}

static void add_values(const real *value, int count, double *total)
{
    f64v lanes[LOSSI_WIDE];
    int i = 0;
    lossi_lanes_load(total, lanes);
    for (; i + LOSSI_LANES <= count; i += LOSSI_LANES) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lanes_add(lanes, v, v_load(value + i + v * VREAL_LANES));
        }
    }
    lossi_lanes_store(total, lanes);
    for (int lane = 0; i < count; i++, lane++) {
        total[lane] += (double)value[i];
    }
}

static void put_gradient(const lossi_tile *tile, const real *from, int64_t first, int count)
{
    const vreal scale = v_set1((real)tile->scale);
    real *to = (real *)tile->gradient + first;
    int i = 0;
    for (; i + VREAL_LANES <= count && tile->streaming; i += VREAL_LANES) {
        v_stream(to + i, v_load(from + i) * scale);
    }
    for (; i + VREAL_LANES <= count; i += VREAL_LANES) {
        v_store(to + i, v_load(from + i) * scale);
    }
    if (i < count) {
        v_store_part(to + i, v_load_part(from + i, count - i) * scale, count - i);
    }
}

static void put_curvature(const lossi_tile *tile, const chunk *from, int64_t first, int count)
{
    const vreal scale = v_set1((real)tile->scale);
    for (int i = 0; i < count; i += VREAL_LANES) {
        const lossi_point point = {.curvature = v_load(from->curvature + i)};
        const vreal out = lossi_curvature_of(&point, tile->curvature_kind) * scale;
        if (count - i < VREAL_LANES) {
            v_store_part((real *)tile->curvature + first + i, out, count - i);
        } else {
            v_store((real *)tile->curvature + first + i, out);
        }
    }
}

static void everything(const lossi_tile *tile)
{
    real parameters[LOSSI_PARAMETERS];
    chunk results;
    if (tile->prepared->parameters[KIND] == HUBER) {
        LOSSI_NAME(pointwise)(tile, packs);
        return;
    }
    lossi_pointwise_parameters(tile, parameters);
    if (tile->outside != NULL) {
        *tile->outside = 1; /* not looked at in passing: look at it all */
    }
    for (int64_t first = 0; first < tile->rows; first += CHUNK) {
        const int count = tile->rows - first < CHUNK ? (int)(tile->rows - first) : CHUNK;
        evaluate((const real *)tile->prediction + first, count, tile->prepared->parameters, parameters,
                 tile->curvature != NULL, &results);
        if (tile->value != NULL) {
            memcpy((real *)tile->value + first, results.value, (size_t)count * sizeof(real));
        } else {
            add_values(results.value, count, tile->lanes);
        }
        if (tile->gradient != NULL) {
            put_gradient(tile, results.gradient, first, count);
        }
        if (tile->curvature != NULL) {
            put_curvature(tile, &results, first, count);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(robust_squared_norm);
const lossi_kernels LOSSI_NAME(robust_squared_norm) = {everything, everything, everything, NULL};

#ifdef LOSSI_ONCE

#include <math.h>

/* Squares of the scale, too, are numbers of float32. */
#define SCALE_RANGE .type = LOSS_OPTION_DOUBLE, .minimum = 1e-18, .maximum = 1e18, .initial = 1

static const loss_option options[] = {
    [KIND] = {.name = "kind",
              .type = LOSS_OPTION_STRING,
              .text = "huber",
              .choices = "huber|soft_l1|cauchy|tukey|geman_mcclure|welsch|tolerant|arctan|fair|barron",
              .doc = "which loss; docs/losses.md has their formulas"},
    [SCALE] = {.name = "scale",
               SCALE_RANGE,
               .doc = "the norm from which on it counts less; of tolerant and arctan a squared norm"},
    [WIDTH] = {.name = "width", SCALE_RANGE, .doc = "of tolerant: over which squared norms it sets in"},
    [SHAPE] = {.name = "shape",
               .aliases = "alpha",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = -LOSSI_UNBOUNDED,
               .maximum = LOSSI_UNBOUNDED,
               .initial = 1,
               .doc = "of barron: 2 s itself, 1 soft_l1, 0 cauchy, -2 geman_mcclure, -infinity welsch, of "
                      "other scales"},
};

/* sup ρ of Barron's loss */
static double largest(double alpha, double b)
{
    return alpha >= 0 ? LOSSI_UNBOUNDED : isinf(alpha) ? 2 * b : 2 * b * (2 - alpha) / -alpha;
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int32_t kind = (int32_t)lossi_options_own(values, KIND)->integer;
    const double a = prepared->parameters[SCALE], w = prepared->parameters[WIDTH], b = a * a,
                 alpha = prepared->parameters[SHAPE];
    const double most[KINDS] = {[HUBER] = LOSSI_UNBOUNDED,    [SOFT_L1] = LOSSI_UNBOUNDED,
                                [CAUCHY] = LOSSI_UNBOUNDED,   [TUKEY] = b / 3,
                                [GEMAN_MCCLURE] = b,          [WELSCH] = b,
                                [TOLERANT] = LOSSI_UNBOUNDED, [ARCTAN] = 1.5707963267948966 * a,
                                [FAIR] = LOSSI_UNBOUNDED,     [BARRON] = largest(alpha, b)};
    const double derivatives[KINDS] = {
        [HUBER] = 1,
        [SOFT_L1] = LOSSI_UNBOUNDED,
        [CAUCHY] = LOSSI_UNBOUNDED,
        [TUKEY] = 2,
        [GEMAN_MCCLURE] = LOSSI_UNBOUNDED,
        [WELSCH] = LOSSI_UNBOUNDED,
        [TOLERANT] = LOSSI_UNBOUNDED,
        [ARCTAN] = LOSSI_UNBOUNDED,
        [FAIR] = LOSSI_UNBOUNDED,
        [BARRON] = LOSSI_UNBOUNDED,
    };
    prepared->parameters[SQUARE] = b;
    prepared->prediction = (lossi_domain){0, LOSSI_UNBOUNDED, 0};
    /* ρ″ is negative, but for tolerant, whose largest is ¼/w where s = a, and shapes above 2, up to 4 at most ½/b */
    const int rising = kind == BARRON && alpha > 2;
    const double bend = kind == TOLERANT ? 1 / (4 * w) : !rising ? 0 : alpha > 4 ? LOSSI_UNBOUNDED : 0.5 / b;
    prepared->bounds = (lossi_bounds){rising ? LOSSI_UNBOUNDED : 1, bend, 0, most[kind], derivatives[kind]};
    prepared->flags |= kind == TOLERANT || (kind == BARRON && alpha >= 2) ? LOSSI_CONVEX : 0;
}

extern const lossi_row lossi_row_robust_squared_norm;
const lossi_row lossi_row_robust_squared_norm = {
    .name = "robust_squared_norm",
    .aliases = "rho",
    .summary = "robust loss of a squared norm, for nonlinear least squares: there is no target",
    .formula =
        "rho(s), s = prediction >= 0: with kind huber s if s <= scale^2, else 2*scale*sqrt(s) - scale^2",
    .reference = "Triggs, McLauchlan, Hartley & Fitzgibbon, Bundle adjustment: a modern synthesis (2000)",
    .elsewhere = "Ceres HuberLoss, SoftLOneLoss, CauchyLoss, ArctanLoss, TukeyLoss, TolerantLoss; "
                 "google-research robust_loss",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_NO_TARGET,
    .options = options,
    .option_count = SHAPE + 1,
    .prepare = prepare,
};

#endif
