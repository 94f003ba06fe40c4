/*
 * Triplet loss: an anchor should be nearer to a positive than to a negative, by a margin.
 *
 *     loss = φ(x),   x = d(anchor, positive) − d(anchor, negative) + margin
 *     φ(x) = max(0, x), or with soft = 1  log(1 + eˣ)
 *
 * d is the Euclidean distance, that of another norm p, or the Euclidean one's square; with swap = 1 the distance to the negative is
 * the smaller of those from the anchor and from the positive, the mean of both gradients where they are equal. Gradient 0 at x = 0
 * and for vectors that coincide. There epsilon = 0 adds nothing: PyTorch's 1e-6, which is added to every difference with its sign,
 * moves d(x, x) away from 0, and d(x, y) from d(y, x).
 * Gauss–Newton leaves out the second derivative of the distance to the negative, whose sign is the wrong one.
 * Results are within 8 ulp of the largest number of their row: differences of unit vectors that were rounded.
 * Schroff, Kalenichenko & Philbin, FaceNet (2015), eq. (2); swap: Balntas et al., Learning local feature descriptors (2016), §3.3;
 * soft: Hermans, Beyer & Leibe, In defense of the triplet loss (2017), eq. (4).
 */
#include "loss/distance.h"
#include "loss/structured.h"

enum { MARGIN, SWAP, SOFT, DISTANCE, NORM, EPSILON };
enum { ANCHOR, POSITIVE, NEGATIVE, ROLES };

/* φ, φ', φ''. */
typedef struct outer {
    double value, slope, bend;
} outer;

static real lane(vreal x)
{
    real lanes[VREAL_LANES];
    v_store(lanes, x);
    return lanes[0];
}

static outer outer_of(double x, int32_t soft)
{
    if (soft) {
        const vreal at = v_set1((real)x);
        const double up = (double)lane(v_sigmoid(at)), down = (double)lane(v_sigmoid(-at));
        return (outer){(double)lane(v_softplus(at)), up, up * down};
    }
    const double nan = x != x ? x : 0;
    return (outer){x > 0 ? x : nan, x > 0 ? 1 : nan, nan};
}

/* ---- one row ---- */

enum { TO_POSITIVE, TO_NEGATIVE, BETWEEN, DISTANCES };

/* The distances of a row, how much of each is in x, and φ. */
typedef struct triple {
    lossi_distance d[DISTANCES];
    double part[DISTANCES]; /* 1, and −1 in all for the negative's */
    double slope;           /* of x along the directions */
    int32_t seconds;        /* second derivatives are wanted */
    outer f;
} triple;

static lossi_distance between(const lossi_part *part, int64_t i, int a, int b, int32_t seconds)
{
    const int64_t columns = part->columns;
    const double *parameters = part->prepared->parameters;
    lossi_distance d = {.a = lossi_row_of(part->input[a].data, i, columns),
                        .b = lossi_row_of(part->input[b].data, i, columns),
                        .along_a = lossi_row_of(part->output[a].direction, i, columns),
                        .along_b = lossi_row_of(part->output[b].direction, i, columns),
                        .power = parameters[DISTANCE] != 0 ? 2 : parameters[NORM],
                        .epsilon = parameters[EPSILON],
                        .squared = parameters[DISTANCE] != 0,
                        .seconds = seconds};
    lossi_distance_measure(&d, columns);
    return d;
}

/* x in units of 2^exponent, which the distances can be given in: a square may be too large for a number. */
static double inside(const triple *t, double a, double b, double margin, int exponent)
{
    const double both = a < b ? a : b, nan = a != a ? a : b != b ? b : 0; /* both are there in NaN */
    const double x = lossi_distance_in(&t->d[TO_POSITIVE], exponent) - both;
    return x + (exponent == 0 ? margin : ldexp(margin, -exponent)) + nan;
}

static void measure(const lossi_part *part, int64_t i, triple *t)
{
    static const int ends[DISTANCES][2] = {{ANCHOR, POSITIVE}, {ANCHOR, NEGATIVE}, {POSITIVE, NEGATIVE}};
    const double *parameters = part->prepared->parameters;
    const int32_t swap = parameters[SWAP] != 0, count = swap ? DISTANCES : BETWEEN;
    int exponent = 0;
    t->seconds = 0;
    for (int r = 0; r < ROLES; r++) {
        t->seconds |= part->output[r].curvature != NULL || part->output[r].product != NULL;
    }
    for (int k = 0; k < count; k++) {
        t->d[k] = between(part, i, ends[k][0], ends[k][1], t->seconds);
        exponent = t->d[k].exponent > exponent ? t->d[k].exponent : exponent;
    }
    const double a = lossi_distance_in(&t->d[TO_NEGATIVE], exponent);
    const double b = swap ? lossi_distance_in(&t->d[BETWEEN], exponent) : a;
    t->part[TO_POSITIVE] = 1;
    t->part[TO_NEGATIVE] = !swap || a < b ? -1 : a == b ? -0.5 : 0;
    t->part[BETWEEN] = !swap || a < b ? 0 : a == b ? -0.5 : -1;
    const double x = inside(t, a, b, parameters[MARGIN], exponent);
    t->f = outer_of(exponent == 0 ? x : ldexp(x, exponent), parameters[SOFT] != 0);
    t->slope = 0;
    for (int k = 0; k < count; k++) {
        t->slope += t->part[k] == 0 ? 0 : t->part[k] * t->d[k].along;
    }
}

/* Adds factor · x to a sum of vectors; nothing of what is not there, though it may be infinite. */
LOSSI_INLINE void add(f64v *sum, double factor, const f64v *x)
{
    for (int v = 0; factor != 0 && v < LOSSI_WIDENED; v++) {
        sum[v] = sum[v] + f64_set1(factor) * x[v];
    }
}

typedef struct sums {
    f64v slope[LOSSI_WIDENED];                        /* of x */
    f64v bend[LOSSI_WIDENED], product[LOSSI_WIDENED]; /* of the loss */
} sums;

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

/* The derivatives of x at columns j …, collected for each of the three vectors; then φ's chain rule. */
static void derivatives(const lossi_part *part, int64_t i, const triple *t, int64_t j)
{
    static const int ends[DISTANCES][2] = {{ANCHOR, POSITIVE}, {ANCHOR, NEGATIVE}, {POSITIVE, NEGATIVE}};
    const int64_t columns = part->columns;
    sums all[ROLES];
    memset(all, 0, sizeof all);
    for (int k = 0; k < DISTANCES; k++) {
        lossi_distance_terms terms;
        if (t->part[k] == 0) {
            continue;
        }
        lossi_distance_at(&t->d[k], j, columns, &terms);
        const int32_t left_out = k != TO_POSITIVE && part->curvature_kind == LOSSI_GAUSS_NEWTON;
        const double kept = left_out ? 0 : t->part[k] * t->f.slope;
        for (int end = 0; end < 2; end++) {
            sums *s = &all[ends[k][end]];
            const double sign = end == 0 ? 1 : -1;
            add(s->slope, sign * t->part[k], terms.gradient);
            if (t->seconds) {
                add(s->bend, kept, terms.bend);
                add(s->product, sign * kept, terms.product);
            }
        }
    }
    for (int r = 0; r < ROLES; r++) {
        const lossi_derivatives *out = &part->output[r];
        if (t->seconds && t->f.bend != 0) { /* 0 beside the square of a slope that may be infinite */
            for (int v = 0; v < LOSSI_WIDENED; v++) {
                const f64v u = all[r].slope[v];
                all[r].bend[v] = f64_set1(t->f.bend) * (u * u) + all[r].bend[v];
                all[r].product[v] = f64_set1(t->f.bend * t->slope) * u + all[r].product[v];
            }
        }
        put(lossi_row_to(out->gradient, i, columns), j, columns, all[r].slope, t->f.slope * part->scale);
        put(lossi_row_to(out->curvature, i, columns), j, columns, all[r].bend, part->scale);
        put(lossi_row_to(out->product, i, columns), j, columns, all[r].product, part->scale);
    }
}

static void triplet(const lossi_part *part)
{
    for (int64_t i = 0; i < part->rows; i++) {
        triple t;
        measure(part, i, &t);
        lossi_put((real *)part->value + i, (real)t.f.value);
        part->denominator[i] = 1;
        for (int64_t j = 0; j < part->columns; j += VREAL_LANES) {
            derivatives(part, i, &t, j);
        }
    }
}

extern const lossi_kernels LOSSI_NAME(triplet);
const lossi_kernels LOSSI_NAME(triplet) = {.part = triplet};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 1,
                .doc = "by how much the positive should be nearer"},
    [SWAP] = {.name = "swap",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: the negative's distance is the smaller of those from anchor and positive"},
    [SOFT] = {.name = "soft",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: log(1 + exp(x)) instead of max(0, x)"},
    [DISTANCE] = {.name = "distance",
                  .type = LOSS_OPTION_STRING,
                  .text = "euclidean",
                  .choices = "euclidean|squared",
                  .doc = "what is compared: distances, or squares of those of p = 2"},
    [NORM] = {.name = "p",
              .aliases = "norm",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 1,
              .maximum = LOSSI_DISTANCE_LARGEST_POWER,
              .initial = 2,
              .doc = "the norm of differences: 1 the sum of their absolute values, 2 the Euclidean one"},
    [EPSILON] = {.name = "epsilon",
                 .aliases = "eps",
                 .type = LOSS_OPTION_DOUBLE,
                 .minimum = 0,
                 .maximum = 1e30,
                 .initial = 0,
                 .doc = "is added to every difference; PyTorch adds 1e-6"},
};

static const lossi_role roles[ROLES] = {
    [ANCHOR] = {.name = "anchor",
                .flags = LOSSI_DIFFERENTIABLE,
                .doc = "rows x columns, real: the vector that is compared"},
    [POSITIVE] = {.name = "positive",
                  .flags = LOSSI_DIFFERENTIABLE,
                  .doc = "rows x columns, real: one that should be near; where it is the anchor the distance "
                         "has gradient 0"},
    [NEGATIVE] = {.name = "negative",
                  .flags = LOSSI_DIFFERENTIABLE,
                  .doc = "rows x columns, real: one that should be farther away, by the margin"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES};

extern const lossi_row lossi_row_triplet;
const lossi_row lossi_row_triplet = {
    .name = "triplet",
    .aliases = "triplet_margin triplet_margin_loss triplet_margin_with_distance_loss",
    .summary = "an anchor should be nearer to a positive than to a negative, by a margin",
    .formula = "max(0, x), or log(1 + exp(x)) with soft, x = d(anchor, positive) - d(anchor, negative) + "
               "margin, d of the norm p",
    .reference = "Schroff, Kalenichenko & Philbin, FaceNet (2015), eq. (2)",
    .elsewhere = "PyTorch TripletMarginLoss (epsilon = 1e-6); pytorch-metric-learning "
                 "TripletMarginLoss",
    .structure = &structure,
    .options = options,
    .option_count = 6,
};

#endif
