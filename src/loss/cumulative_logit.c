/*
 * Cumulative logit loss of ordered classes, the proportional odds model: one score x a row, thresholds θ₀ < θ₁ < … that all
 * rows share, and the class k from 0 to the number of thresholds.
 *
 *     loss = −log(σ(a) − σ(b)),   a = θ_k − x,  b = θ_{k−1} − x,   b = −∞ for the first class, a = +∞ for the last
 *          = log(1 + e⁻ᵃ) + log(1 + eᵇ) − log(1 − e⁻ᵈ),   d = a − b
 *
 * Three terms that are never negative: nothing cancels, however small the probability. With w(t) = σ(t) σ(−t) and
 * h = 1/(eᵈ − 1), the derivatives are
 *
 *     ∂x  σ(−a) − σ(b)        ∂a  −σ(−a) − h          ∂b  σ(b) + h
 *     ∂xx w(a) + w(b)         ∂aa w(a) + h (1 + h)    ∂bb w(b) + h (1 + h)     ∂ab −h (1 + h)   ∂xa −w(a)   ∂xb −w(b)
 *
 * Equal thresholds give +∞, thresholds in the wrong order NaN. Convex in score and thresholds together (Pratt 1981).
 * McCullagh, Regression models for ordinal data (1980), §2.
 */
#include "loss/lanes.h"
#include "loss/logit.h"
#include "loss/structured.h"

enum { PREDICTION, TARGET, THRESHOLDS, ROLES };

/* As many rows as lanes; beyond the last row a copy of it. */
typedef struct rows {
    real upper[VREAL_LANES], lower[VREAL_LANES], score[VREAL_LANES]; /* a, b, x */
    real score_direction[VREAL_LANES], upper_direction[VREAL_LANES], lower_direction[VREAL_LANES];
} rows;

/* Derivatives in the order x, a, b. */
enum { SCORE, UPPER, LOWER, ARGUMENTS };

typedef struct results {
    real value[VREAL_LANES];
    real gradient[ARGUMENTS][VREAL_LANES], curvature[ARGUMENTS][VREAL_LANES], product[ARGUMENTS][VREAL_LANES];
} results;

static real at(const void *array, int64_t i)
{
    return array == NULL ? 0 : lossi_get((const real *)array + i);
}

static void gather(const lossi_part *part, int64_t first, int64_t count, rows *r)
{
    const int64_t *labels = part->input[TARGET].data, thresholds = part->input[THRESHOLDS].columns;
    const void *theta = part->input[THRESHOLDS].data, *along = part->output[THRESHOLDS].direction;
    for (int64_t lane = 0; lane < VREAL_LANES; lane++) {
        const int64_t i = first + (lane < count ? lane : count - 1), k = labels[i];
        const real x = at(part->input[PREDICTION].data, i);
        r->score[lane] = x;
        r->upper[lane] = k < thresholds ? at(theta, k) : REAL_INFINITY;
        r->lower[lane] = k > 0 ? at(theta, k - 1) : -REAL_INFINITY;
        r->score_direction[lane] = at(part->output[PREDICTION].direction, i);
        r->upper_direction[lane] = k < thresholds ? at(along, k) : 0;
        r->lower_direction[lane] = k > 0 ? at(along, k - 1) : 0;
    }
}

/* What belongs to a side that is there, 0 otherwise. */
LOSSI_INLINE vreal there(vmask side, vreal x)
{
    return v_select(side, x, v_set1(0));
}

/* −log(1 − e⁻ᵈ) = log(1 + h), h = 1/(eᵈ − 1); where h is too large for a number, −log d. */
LOSSI_INLINE vreal minus_log_one_minus_exp(vreal d, vreal h)
{
    const vmask tiny = v_lt(d, v_set1(2 * REAL_MIN));
    const vreal log = v_log1p(h);
    return lossi_rare(tiny) ? v_select(tiny, -v_log(d), log) : log;
}

static void evaluate(const rows *r, results *out)
{
    const vreal x = v_load(r->score), theta_a = v_load(r->upper), theta_b = v_load(r->lower), one = v_set1(1);
    const vmask up = v_lt(theta_a, v_set1(REAL_INFINITY)), low = v_gt(theta_b, v_set1(-REAL_INFINITY));
    const vmask both = v_mask_and(up, low);
    /* a side that is not there is 0 and not infinite: the exponential of the largest number is subnormal, and arithmetic with
       subnormal numbers takes a hundred times as long */
    const vreal a = there(up, theta_a - x), b = there(low, theta_b - x),
                d = v_select(both, theta_a - theta_b, one);
    const vreal nan = v_select(v_is_nan(x), x, v_set1(0));
    const lossi_logit at_a = lossi_logit_of(a), at_b = lossi_logit_of(b);
    const vreal above = there(up, v_select(at_a.up, at_a.small, at_a.large));  /* σ(−a) */
    const vreal below = there(low, v_select(at_b.up, at_b.large, at_b.small)); /* σ(b) */
    const vreal wa = there(up, at_a.small_large), wb = there(low, at_b.small_large);
    const vreal rise_a = at_a.soft + v_max(v_set1(0), -a), rise_b = at_b.soft + v_max(v_set1(0), b);
    const vreal steep = one / v_expm1(d), h = there(both, steep), q = h * (one + h);
    /* σ(−a) − σ(b) is −expm1(a + b) σ(−a) σ(−b): for both sides about as likely, where the difference has lost digits */
    const vreal sum = a + b, close = v_select(v_lt(v_abs(sum), one), sum, one);
    const vreal apart = -v_expm1(close) * (above * v_select(at_b.up, at_b.small, at_b.large));
    const vreal slope = v_select(v_mask_and(both, v_lt(v_abs(sum), one)), apart, above - below);
    const vreal dx = v_load(r->score_direction), da = v_load(r->upper_direction),
                db = v_load(r->lower_direction);

    v_store(out->value,
            nan + (there(up, rise_a) + there(low, rise_b) + there(both, minus_log_one_minus_exp(d, steep))));
    v_store(out->gradient[SCORE], nan + slope);
    v_store(out->gradient[UPPER], nan - (above + h));
    v_store(out->gradient[LOWER], nan + (below + h));
    v_store(out->curvature[SCORE], nan + (wa + wb));
    v_store(out->curvature[UPPER], nan + (wa + q));
    v_store(out->curvature[LOWER], nan + (wb + q));
    v_store(out->product[SCORE], nan + (wa * (dx - da) + wb * (dx - db)));
    v_store(out->product[UPPER], nan + (wa * (da - dx) + q * (da - db)));
    v_store(out->product[LOWER], nan + (wb * (db - dx) + q * (db - da)));
}

/* A row of the thresholds' derivatives: 0 but for the two sides of its class. */
static void put_thresholds(const lossi_part *part, void *array, int64_t i, real upper, real lower)
{
    const int64_t thresholds = part->input[THRESHOLDS].columns;
    const int64_t k = ((const int64_t *)part->input[TARGET].data)[i];
    real *row = (real *)array + i * thresholds;
    const real scale = (real)part->scale;
    memset(row, 0, (size_t)thresholds * sizeof *row);
    if (k < thresholds) {
        lossi_put(row + k, upper * scale);
    }
    if (k > 0) {
        lossi_put(row + k - 1, lower * scale);
    }
}

/* An array of one number a row. */
static void put_rows(void *array, int64_t first, int64_t count, vreal numbers)
{
    if (array != NULL && count == VREAL_LANES) {
        v_store((real *)array + first, numbers);
    } else if (array != NULL) {
        v_store_part((real *)array + first, numbers, (int)count);
    }
}

static void put(const lossi_part *part, const results *out, int64_t first, int64_t count)
{
    const real(*const from[])[VREAL_LANES] = {out->gradient, out->curvature, out->product};
    void *const scores[] = {part->output[PREDICTION].gradient, part->output[PREDICTION].curvature,
                            part->output[PREDICTION].product};
    void *const thresholds[] = {part->output[THRESHOLDS].gradient, part->output[THRESHOLDS].curvature,
                                part->output[THRESHOLDS].product};
    const vreal scale = v_set1((real)part->scale);
    put_rows(part->value, first, count, v_load(out->value));
    for (int64_t lane = 0; lane < count; lane++) {
        part->denominator[first + lane] = 1;
    }
    for (int k = 0; k < 3; k++) {
        put_rows(scores[k], first, count, v_load(from[k][SCORE]) * scale);
        for (int64_t lane = 0; lane < count && thresholds[k] != NULL; lane++) {
            put_thresholds(part, thresholds[k], first + lane, from[k][UPPER][lane], from[k][LOWER][lane]);
        }
    }
}

static void cumulative_logit(const lossi_part *part)
{
    rows r;
    results out;
    for (int64_t i = 0; i < part->rows; i += VREAL_LANES) {
        const int64_t count = part->rows - i < VREAL_LANES ? part->rows - i : VREAL_LANES;
        gather(part, i, count, &r);
        evaluate(&r, &out);
        put(part, &out, i, count);
    }
}

extern const lossi_kernels LOSSI_NAME(cumulative_logit);
const lossi_kernels LOSSI_NAME(cumulative_logit) = {.part = cumulative_logit};

#ifdef LOSSI_ONCE

static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .columns = 1,
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x 1, real: the score"},
    [TARGET] = {.name = "target",
                .kind = LOSSI_ROLE_LABEL,
                .columns = 1,
                .doc = "rows x 1, integer: the ordered class, 0 to classes - 1"},
    [THRESHOLDS] =
        {.name = "thresholds",
         .rows = LOSSI_ROWS_SHARED,
         .columns = LOSSI_COLUMNS_ANY,
         .flags = LOSSI_DIFFERENTIABLE,
         .doc = "1 x (classes - 1), real: shared by all rows: the score at which the class changes, rising; "
                "the loss of a class between two equal ones is infinity, between falling ones NaN"},
};

static int64_t classes(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role)
{
    (void)prepared;
    (void)role;
    return shape->columns[THRESHOLDS] + 1;
}

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .classes = classes};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){1, 0.5, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED}; /* in the score */
}

extern const lossi_row lossi_row_cumulative_logit;
const lossi_row lossi_row_cumulative_logit = {
    .name = "cumulative_logit",
    .aliases = "ordinal proportional_odds",
    .summary = "negative log-likelihood of ordered classes, thresholds shared by all rows",
    .formula = "-log(sigmoid(theta_k - x) - sigmoid(theta_(k-1) - x)), x = prediction, k = target, theta = "
               "thresholds",
    .reference = "McCullagh, Regression models for ordinal data (1980)",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_LABELS,
    .structure = &structure,
    .prepare = prepare,
};

#endif
