/*
 * The penalties that shrink; the one of groups is in penalty_groups.c, those that keep parameters in a set are in penalty_sets.c.
 *
 *     l2           ½ · strength · Σ x_j²       Hoerl & Kennard, Technometrics 12 (1970), eq. 2.1
 *     l1           strength · Σ |x_j|          Tibshirani, J. R. Statist. Soc. B 58 (1996)
 *     elastic_net  strength · (ratio · Σ |x_j| + ½ · (1 − ratio) · Σ x_j²)
 *                                              Zou & Hastie, J. R. Statist. Soc. B 67 (2005), as in glmnet
 *
 * A sum has the lanes of core/sum.h: element j of the penalty belongs to lane j mod 16, a square is rounded before it
 * is added, lanes are added by halving.
 */
#include <math.h>
#include <stddef.h>

#include "core/sum.h"
#include "gradient/objective.h"
#include "gradient/penalty_row.h"
#include "loss/evaluation.h"

enum { STRENGTH, RATIO };

static double number(const lossi_options *options, int32_t index)
{
    return lossi_options_own(options, index)->number;
}

static double element(lossi_stretch s, const void *x, int64_t i)
{
    return lossi_real_at(s.dtype, x, s.first + i); /* inline: of small batches the penalties are a part */
}

/* ---- sums ---- */

double lossi_sum_of_squares(lossi_stretch s, const void *x)
{
    double lanes[LOSSI_LANES] = {0};
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i);
        lanes[i % LOSSI_LANES] += x_i * x_i;
    }
    return lossi_sum_lanes(lanes);
}

static double sum_of_magnitudes(lossi_stretch s, const void *x)
{
    double lanes[LOSSI_LANES] = {0};
    for (int64_t i = 0; i < s.count; i++) {
        lanes[i % LOSSI_LANES] += fabs(element(s, x, i));
    }
    return lossi_sum_lanes(lanes);
}

static void add_scaled(double factor, lossi_stretch s, const void *x, double *out)
{
    for (int64_t i = 0; i < s.count; i++) {
        out[i] += factor * element(s, x, i);
    }
}

/* x = sign(x) · max(|x| − by, 0); NaN stays. */
static void soften(double by, lossi_stretch s, void *x)
{
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i), left = fabs(x_i) - by;
        lossi_real_put(s.dtype, x, s.first + i, left <= 0.0 ? copysign(0.0, x_i) : copysign(left, x_i));
    }
}

/* The same for a way from x: where the sign stays, the shift is exact; what would cross over ends at 0. */
static void soften_way(double by, lossi_stretch s, const void *x, void *way)
{
    for (int64_t i = 0; i < s.count; i++) {
        const double x_i = element(s, x, i), way_i = element(s, way, i), to = x_i + way_i;
        lossi_real_put(s.dtype, way, s.first + i, fabs(to) <= by ? -x_i : way_i - copysign(by, to));
    }
}

/* ---- l2 ---- */

static const loss_option l2_options[] = {
    [STRENGTH] = {"strength", LOSS_OPTION_DOUBLE, 0, 1e300, 1, NULL, NULL,
                  "the factor before half the sum of squares"},
};

static double l2_value(const lossi_options *options, lossi_stretch s, const void *x)
{
    return 0.5 * number(options, STRENGTH) * lossi_sum_of_squares(s, x);
}

/* The gradient is strength · x and the Hessian strength · 1: one function for both. */
static void l2_add(const lossi_options *options, lossi_stretch s, const void *x, double *out)
{
    add_scaled(number(options, STRENGTH), s, x, out);
}

static const lossi_penalty_row l2 = {
    .name = "l2",
    .options = l2_options,
    .option_count = sizeof l2_options / sizeof *l2_options,
    .value = l2_value,
    .add_gradient = l2_add,
    .add_product = l2_add,
};

/* ---- l1 ---- */

static const loss_option l1_options[] = {
    [STRENGTH] = {"strength", LOSS_OPTION_DOUBLE, 0, 1e300, 1, NULL, NULL,
                  "the factor before the sum of magnitudes"},
};

static double l1_value(const lossi_options *options, lossi_stretch s, const void *x)
{
    return number(options, STRENGTH) * sum_of_magnitudes(s, x);
}

static void l1_prox(const lossi_options *options, lossi_stretch s, double step, void *x)
{
    soften(step * number(options, STRENGTH), s, x);
}

static void l1_way(const lossi_options *options, lossi_stretch s, double step, const void *x, void *way)
{
    soften_way(step * number(options, STRENGTH), s, x, way);
}

static double l1_weight(const lossi_options *options, int64_t index)
{
    (void)index;
    return number(options, STRENGTH);
}

static const lossi_penalty_row l1 = {
    .name = "l1",
    .options = l1_options,
    .option_count = sizeof l1_options / sizeof *l1_options,
    .rough = LOSSI_ROUGH_L1,
    .rough_value = l1_value,
    .prox = l1_prox,
    .way = l1_way,
    .weight = l1_weight,
};

/* ---- elastic_net ---- */

static const loss_option elastic_net_options[] = {
    [STRENGTH] = {"strength", LOSS_OPTION_DOUBLE, 0, 1e300, 1, NULL, NULL, "the factor before both parts"},
    [RATIO] = {"l1_ratio", LOSS_OPTION_DOUBLE, 0, 1, 0.5, NULL, NULL,
               "the share of the sum of magnitudes; the rest is that of half the sum of squares"},
};

static double square_factor(const lossi_options *options)
{
    return number(options, STRENGTH) * (1.0 - number(options, RATIO));
}

static double elastic_net_weight(const lossi_options *options, int64_t index)
{
    (void)index;
    return number(options, STRENGTH) * number(options, RATIO);
}

static double elastic_net_value(const lossi_options *options, lossi_stretch s, const void *x)
{
    return 0.5 * square_factor(options) * lossi_sum_of_squares(s, x);
}

static void elastic_net_add(const lossi_options *options, lossi_stretch s, const void *x, double *out)
{
    add_scaled(square_factor(options), s, x, out);
}

static double elastic_net_rough(const lossi_options *options, lossi_stretch s, const void *x)
{
    return elastic_net_weight(options, 0) * sum_of_magnitudes(s, x);
}

static void elastic_net_prox(const lossi_options *options, lossi_stretch s, double step, void *x)
{
    soften(step * elastic_net_weight(options, 0), s, x);
}

static void elastic_net_way(const lossi_options *options, lossi_stretch s, double step, const void *x,
                            void *way)
{
    soften_way(step * elastic_net_weight(options, 0), s, x, way);
}

static const lossi_penalty_row elastic_net = {
    .name = "elastic_net",
    .options = elastic_net_options,
    .option_count = sizeof elastic_net_options / sizeof *elastic_net_options,
    .rough = LOSSI_ROUGH_L1,
    .value = elastic_net_value,
    .add_gradient = elastic_net_add,
    .add_product = elastic_net_add,
    .rough_value = elastic_net_rough,
    .prox = elastic_net_prox,
    .way = elastic_net_way,
    .weight = elastic_net_weight,
};

/* ---- all ---- */

const lossi_penalty_row *const lossi_penalty_rows[] = {
    &lossi_penalty_box, &elastic_net, &lossi_penalty_group_lasso, &l1, &l2, &lossi_penalty_simplex,
};
const int32_t lossi_penalty_row_count = sizeof lossi_penalty_rows / sizeof *lossi_penalty_rows;
