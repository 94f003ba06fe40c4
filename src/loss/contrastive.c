/*
 * Contrastive loss of pairs of vectors, target 1 for a pair that belongs together and 0 for one that does not.
 *
 *     loss = target · d² + (1 − target) max(0, margin − d)²,   d = ‖first − second‖
 *
 * The half that repels is smooth at the margin. At d = 0 it has a kink: gradient and curvature of the distance are 0 there,
 * as no direction is better than another. Gauss–Newton leaves out its part with the second derivative of d, which is
 * negative.
 * Results are within 16 ulp of the largest number of their row: the distance is rounded before the margin is subtracted.
 * Hadsell, Chopra & LeCun, Dimensionality reduction by learning an invariant mapping (2006), eq. (4), without its ½.
 */
#include "loss/distance.h"
#include "loss/structured.h"

enum { MARGIN };
enum { FIRST, SECOND, TARGET, ROLES };

/* The half that repels: value, first and second derivative in d. */
typedef struct outer {
    double value, slope, bend;
} outer;

static outer repelling(double d, double part, double margin)
{
    const double gap = margin - d, inside = gap > 0 || gap != gap ? gap : 0; /* NaN stays NaN */
    const outer result = {part * inside * inside, -2 * part * inside, gap >= 0 ? 2 * part : 0};
    return result;
}

static void put(real *row, int64_t j, int64_t columns, const f64v *x, double factor)
{
    f64v scaled[LOSSI_WIDENED];
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        scaled[v] = x[v] * f64_set1(factor);
    }
    if (row != NULL) {
        lossi_wide_store(row, j, columns, scaled);
    }
}

/* t d² is a square: it goes without d, and keeps its curvature where d is 0. */
static void derivatives(const lossi_part *part, int64_t i, const lossi_distance *d, double target,
                        const outer *f)
{
    const int64_t columns = part->columns;
    const lossi_derivatives *out = part->output;
    const f64v attracts = f64_set1(target), slope = f64_set1(f->slope), bend = f64_set1(f->bend);
    const f64v along = f64_set1(d->along), twice = f64_set1(2 * target);
    const f64v kept = part->curvature_kind == LOSSI_GAUSS_NEWTON ? f64_set1(0) : slope;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        lossi_distance_terms of, square;
        f64v gradient[LOSSI_WIDENED], curvature[LOSSI_WIDENED], product[LOSSI_WIDENED];
        lossi_distance plain = *d;
        plain.squared = 1;
        plain.before = plain.after = 1; /* 2 δ needs no units */
        lossi_distance_at(d, j, columns, &of);
        lossi_distance_at(&plain, j, columns, &square);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64v u = of.gradient[v];
            gradient[v] = attracts * square.gradient[v] + slope * u;
            curvature[v] = twice + (bend * (u * u) + kept * of.bend[v]);
            product[v] = attracts * square.product[v] + (bend * along * u + kept * of.product[v]);
        }
        for (int side = FIRST; side <= SECOND; side++) {
            const double sign = side == FIRST ? part->scale : -part->scale;
            put(lossi_row_to(out[side].gradient, i, columns), j, columns, gradient, sign);
            put(lossi_row_to(out[side].curvature, i, columns), j, columns, curvature, part->scale);
            put(lossi_row_to(out[side].product, i, columns), j, columns, product, sign);
        }
    }
}

static void contrastive(const lossi_part *part)
{
    const int64_t columns = part->columns;
    for (int64_t i = 0; i < part->rows; i++) {
        const double target = (double)lossi_get((const real *)part->input[TARGET].data + i);
        lossi_distance d = {.a = lossi_row_of(part->input[FIRST].data, i, columns),
                            .b = lossi_row_of(part->input[SECOND].data, i, columns),
                            .along_a = lossi_row_of(part->output[FIRST].direction, i, columns),
                            .along_b = lossi_row_of(part->output[SECOND].direction, i, columns),
                            .power = 2,
                            .seconds = 1};
        lossi_distance_measure(&d, columns);
        const double length = lossi_distance_in(&d, 0),
                     attracted = target == 0 ? 0 : target * length * length;
        const outer f = repelling(length, 1 - target, part->prepared->parameters[MARGIN]);
        lossi_put((real *)part->value + i, (real)(attracted + f.value));
        part->denominator[i] = 1;
        derivatives(part, i, &d, target, &f);
    }
}

extern const lossi_kernels LOSSI_NAME(contrastive);
const lossi_kernels LOSSI_NAME(contrastive) = {.part = contrastive};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 1,
                .doc = "how far apart pairs should be that do not belong together"},
};

static const lossi_role roles[ROLES] = {
    [FIRST] = {.name = "first",
               .flags = LOSSI_DIFFERENTIABLE,
               .doc = "rows x columns, real: one vector of each pair"},
    [SECOND] = {.name = "second",
                .flags = LOSSI_DIFFERENTIABLE,
                .doc = "rows x columns, real: the other; where they coincide the distance has gradient and "
                       "curvature 0"},
    [TARGET] = {.name = "target",
                .columns = 1,
                .domain = {0, 1, 0},
                .doc = "rows x 1, real: 1 for a pair that belongs together, 0 for one that does not; numbers "
                       "between mix both"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES};

extern const lossi_row lossi_row_contrastive;
const lossi_row lossi_row_contrastive = {
    .name = "contrastive",
    .aliases = "contrastive_loss",
    .summary = "pairs of vectors that belong together attract, others repel up to a margin",
    .formula = "t*d^2 + (1 - t)*max(0, margin - d)^2, d = |first - second|, t = target",
    .reference =
        "Hadsell, Chopra & LeCun, Dimensionality reduction by learning an invariant mapping (2006), eq. (4)",
    .elsewhere = "pytorch-metric-learning ContrastiveLoss (first power of the distance)",
    .flags = LOSSI_CLASSIFICATION,
    .structure = &structure,
    .options = options,
    .option_count = 1,
};

#endif
