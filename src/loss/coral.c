/*
 * CORAL, consistent rank logits: ordered classes by one score x a row and K − 1 biases that all rows share, each the logistic
 * loss of the question whether the class k is above a level.
 *
 *     loss = Σ_j log(1 + e^y_j),   y_j = −(x + b_j) where k > j, else x + b_j,   j = 0 … K − 2
 *
 * With s_j = −1 where k > j, else 1, and w_j = σ(y_j) σ(−y_j), the derivatives are
 *
 *     ∂b_j  s_j σ(y_j)     ∂x  their sum     ∂b_j∂b_j  w_j     ∂x∂b_j  w_j     ∂xx  Σ w_j
 *
 * Convex in score and biases together. The denominator is the number of rows: the levels are added, not averaged.
 * Cao, Mirjalili & Raschka, Rank consistent ordinal regression for neural networks (2020), eq. (4).
 */
#include "loss/extended.h"
#include "loss/lanes.h"
#include "loss/logit.h"
#include "loss/logit_single.h"
#include "loss/structured.h"
#include "loss/wide.h"

enum { PREDICTION, TARGET, BIASES, ROLES };

#if LOSSI_REAL == 32

/* Level j is added to lane j mod 16, in double (core/sum.h), where the levels of float32 lose nothing that counts. */
typedef struct level_sums {
    lossi_wide_sum value, gradient, curvature, product;
} level_sums;

/* log(1 + e^y), σ(y), σ(y) σ(−y) */
typedef struct level {
    f64v value, up, bend;
} level;

LOSSI_INLINE level level_of(f64v y)
{
    const f64v one = f64_set1(1), zero = f64_set1(0);
    const lossi_single_logit l = lossi_single_logit_of(y);
    const f64v large = one / (one + l.e), small = l.e * large;
    return (level){f64_max(zero, y) + l.soft, f64_select(l.up, large, small), small * large};
}

/* Levels that are not there count 0. */
LOSSI_INLINE void add_levels(lossi_wide_sum *to, int64_t j, const f64v *terms, const f64m *there)
{
    f64v counted[LOSSI_WIDENED], one[LOSSI_WIDENED];
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        counted[v] = f64_select(there[v], terms[v], f64_set1(0));
        one[v] = f64_set1(1);
    }
    lossi_wide_sum_add(to, j, counted, one);
}

static void put_levels(void *array, int64_t first, int count, const f64v *numbers, vreal scale)
{
    if (array != NULL) {
        v_store_part((real *)array + first, f64_to_f32(numbers[0], numbers[1]) * scale, count);
    }
}

static void put_sum(void *array, int64_t i, const lossi_wide_sum *sum, double scale)
{
    if (array != NULL) {
        lossi_put((real *)array + i, (real)lossi_wide_sum_total(sum) * (real)scale);
    }
}

/* Levels j … of a row; `second`, a constant: with curvatures and products. */
LOSSI_INLINE void some_levels(const lossi_part *part, int64_t i, int64_t j, f64v x, f64v along, int second,
                              level_sums *sums)
{
    static const double lanes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const lossi_derivatives *bias = &part->output[BIASES];
    const int64_t levels = part->input[BIASES].columns, k = ((const int64_t *)part->input[TARGET].data)[i];
    const int count = levels - j < VREAL_LANES ? (int)(levels - j) : VREAL_LANES;
    const vreal scale = v_set1((real)part->scale);
    f64v biases[LOSSI_WIDENED], moves[LOSSI_WIDENED];
    f64v value[LOSSI_WIDENED], slope[LOSSI_WIDENED], bend[LOSSI_WIDENED];
    f64m there[LOSSI_WIDENED];
    lossi_wide_load(part->input[BIASES].data, j, levels, biases);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v index = f64_load(lanes + v * F64_LANES), one = f64_set1(1);
        const f64v side = f64_select(f64_lt(index, f64_set1((double)(k - j))), -one, one);
        const level at = level_of(side * (x + biases[v]));
        there[v] = f64_lt(index, f64_set1(count));
        value[v] = at.value;
        slope[v] = side * at.up;
        bend[v] = at.bend;
    }
    add_levels(&sums->value, j, value, there);
    add_levels(&sums->gradient, j, slope, there);
    put_levels(bias->gradient, i * levels + j, count, slope, scale);
    if (second) {
        add_levels(&sums->curvature, j, bend, there);
        put_levels(bias->curvature, i * levels + j, count, bend, scale);
        lossi_wide_load(bias->direction, j, levels, moves);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            moves[v] = bend[v] * (along + moves[v]);
        }
        add_levels(&sums->product, j, moves, there);
        put_levels(bias->product, i * levels + j, count, moves, scale);
    }
}

LOSSI_INLINE void some_row(const lossi_part *part, int64_t i, int second)
{
    const lossi_derivatives *score = &part->output[PREDICTION];
    const int64_t levels = part->input[BIASES].columns;
    const f64v x = f64_set1(lossi_get((const real *)part->input[PREDICTION].data + i));
    const f64v along = f64_set1(score->direction == NULL ? 0 : lossi_get((const real *)score->direction + i));
    level_sums sums = {lossi_wide_sum_zero(), lossi_wide_sum_zero(), lossi_wide_sum_zero(),
                       lossi_wide_sum_zero()};
    for (int64_t j = 0; j < levels; j += VREAL_LANES) {
        some_levels(part, i, j, x, along, second, &sums);
    }
    put_sum(part->value, i, &sums.value, 1);
    put_sum(score->gradient, i, &sums.gradient, part->scale);
    if (second) {
        put_sum(score->curvature, i, &sums.curvature, part->scale);
        put_sum(score->product, i, &sums.product, part->scale);
    }
    part->denominator[i] = 1;
}

static void one_row(const lossi_part *part, int64_t i)
{
    const lossi_derivatives *score = &part->output[PREDICTION], *bias = &part->output[BIASES];
    if (score->curvature != NULL || score->product != NULL || bias->curvature != NULL ||
        bias->product != NULL) {
        some_row(part, i, 1);
    } else {
        some_row(part, i, 0);
    }
}

#else

/* A sum over the levels, with what rounding took away. */
typedef struct level_sum {
    double sum, lost;
} level_sum;

static void add_levels(level_sum *to, vreal terms, int count)
{
    real each[VREAL_LANES];
    v_store(each, terms);
    for (int lane = 0; lane < count; lane++) {
        lossi_add_kept(&to->sum, &to->lost, (double)each[lane]);
    }
}

static void put_sum(void *array, int64_t i, level_sum sum, double scale)
{
    if (array != NULL) {
        const double total = sum.sum - sum.sum == 0 ? sum.sum + sum.lost : sum.sum; /* infinity, NaN */
        lossi_put((real *)array + i, (real)total * (real)scale);
    }
}

static void put_levels(void *array, int64_t first, int count, vreal numbers)
{
    if (array != NULL) {
        v_store_part((real *)array + first, numbers, count);
    }
}

static void one_row(const lossi_part *part, int64_t i)
{
    const lossi_derivatives *score = &part->output[PREDICTION], *bias = &part->output[BIASES];
    const int64_t levels = part->input[BIASES].columns, k = ((const int64_t *)part->input[TARGET].data)[i];
    const real *biases = part->input[BIASES].data;
    const vreal x = v_set1(lossi_get((const real *)part->input[PREDICTION].data + i));
    const vreal scale = v_set1((real)part->scale);
    const vreal along = v_set1(score->direction == NULL ? 0 : lossi_get((const real *)score->direction + i));
    level_sum value = {0, 0}, gradient = {0, 0}, curvature = {0, 0}, product = {0, 0};
    for (int64_t j = 0; j < levels; j += VREAL_LANES) {
        const int count = levels - j < VREAL_LANES ? (int)(levels - j) : VREAL_LANES;
        real sides[VREAL_LANES];
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            sides[lane] = k > j + lane ? -1 : 1;
        }
        const vreal side = v_load(sides), y = side * (x + v_load_part(biases + j, count));
        const lossi_logit l = lossi_logit_of(y);
        const vreal slope = side * v_select(l.up, l.large, l.small), bend = l.small_large;
        add_levels(&value, l.soft + v_max(v_set1(0), y), count);
        add_levels(&gradient, slope, count);
        if (score->curvature != NULL) {
            add_levels(&curvature, bend, count);
        }
        put_levels(bias->gradient, i * levels + j, count, slope * scale);
        put_levels(bias->curvature, i * levels + j, count, bend * scale);
        if (bias->direction != NULL) {
            const vreal moved = bend * (along + v_load_part((const real *)bias->direction + j, count));
            add_levels(&product, moved, count);
            put_levels(bias->product, i * levels + j, count, moved * scale);
        }
    }
    put_sum(part->value, i, value, 1);
    put_sum(score->gradient, i, gradient, part->scale);
    put_sum(score->curvature, i, curvature, part->scale);
    put_sum(score->product, i, product, part->scale);
    part->denominator[i] = 1;
}

#endif

static void coral(const lossi_part *part)
{
    for (int64_t i = 0; i < part->rows; i++) {
        one_row(part, i);
    }
}

extern const lossi_kernels LOSSI_NAME(coral);
const lossi_kernels LOSSI_NAME(coral) = {.part = coral};

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
    [BIASES] = {.name = "biases",
                .rows = LOSSI_ROWS_SHARED,
                .columns = LOSSI_COLUMNS_ANY,
                .flags = LOSSI_DIFFERENTIABLE,
                .doc = "1 x (classes - 1), real: shared by all rows: the class is above level j with the "
                       "log-odds score + biases[j]"},
};

static int64_t classes(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role)
{
    (void)prepared;
    (void)role;
    return shape->columns[BIASES] + 1;
}

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .classes = classes};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED; /* the others grow with the number of levels */
}

extern const lossi_row lossi_row_coral;
const lossi_row lossi_row_coral = {
    .name = "coral",
    .aliases = "coral_loss",
    .summary = "ordered classes as logistic losses of being above each level, biases shared by all rows",
    .formula = "sum over j of log(1 + exp(y_j)), y_j = -(x + b_j) if k > j, else x + b_j, x = prediction, "
               "k = target, b = biases",
    .reference = "Cao, Mirjalili & Raschka, Rank consistent ordinal regression for neural networks (2020)",
    .elsewhere = "coral-pytorch coral_loss",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_LABELS,
    .structure = &structure,
    .prepare = prepare,
};

#endif
