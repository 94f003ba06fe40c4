/*
 * Cosine embedding loss of pairs of vectors: target 1 pulls them to the same direction, −1 pushes them apart.
 *
 *     loss = 1 − c               target 1                 c = â · b̂,  â = a/‖a‖,  b̂ = b/‖b‖
 *            max(0, c − margin)  target −1
 *
 * 1 − c is ½ ‖â − b̂‖² where c > 0: it keeps its digits when the directions nearly agree. With P = 1 − ââᵀ, Q = 1 − b̂b̂ᵀ
 *
 *     ∂c/∂a = (b̂ − c â)/‖a‖ = Pb̂/‖a‖          along (p, q):  dc = b̂·Pp/‖a‖ + â·Qq/‖b‖
 *     d(∂c/∂a) = (Qq/‖b‖ − dc â − c Pp/‖a‖ − (â·p) ∂c/∂a)/‖a‖,   diagonal −(c (1 − â_j²) + 2 â_j (b̂_j − c â_j))/‖a‖²
 *
 * Gauss–Newton is JᵀJ of the residual â − b̂ (target 1) or â + b̂ (−1, where it is active), for the loss is half the square of
 * that but for a constant. The cosine with a vector of length 0 is defined as 0, and so are its derivatives; PyTorch's 1e-12
 * under the root gives it a gradient of 1e6. At the margin the gradient is 0. Lengths must be in the range of double; one below
 * the normal numbers, which has no inverse, counts as 0.
 * Results are within 16 ulp of the largest number of their row: an angle is a difference of rounded unit vectors.
 * Salton, Wong & Yang, A vector space model for automatic indexing (1975); PyTorch CosineEmbeddingLoss.
 */
#include "loss/structured.h"
#include "loss/wide.h"

enum { MARGIN };
enum { FIRST, SECOND, TARGET, ROLES };

/* One vector of the pair, and the direction it moves in. */
typedef struct side {
    const real *x, *along;
    double inverse;      /* 1/‖x‖, 0 for a vector of length 0 */
    double radial;       /* x̂ · direction */
    double other_radial; /* the other's unit vector · direction */
} side;

typedef struct pair {
    side s[2];
    double cosine, one_minus, change; /* c, 1 − c, dc */
} pair;

static void load(const side *s, int64_t j, int64_t columns, f64v *unit, f64v *along)
{
    lossi_wide_load(s->x, j, columns, unit);
    lossi_wide_load(s->along, j, columns, along);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        unit[v] = unit[v] * f64_set1(s->inverse);
    }
}

/* ‖by · x‖. */
static double length_of(const real *x, int64_t columns, double by)
{
    lossi_wide_sum square = lossi_wide_sum_zero();
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v moved[LOSSI_WIDENED];
        lossi_wide_load(x, j, columns, moved);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            moved[v] = moved[v] * f64_set1(by);
        }
        lossi_wide_sum_add(&square, j, moved, moved);
    }
    return sqrt(lossi_wide_sum_total(&square));
}

/* Lengths first: unit vectors are needed before anything is subtracted. Squares beyond a double are taken of x times 2^±600. */
static void measure_lengths(pair *p, int64_t columns)
{
    for (int k = 0; k < 2; k++) {
        double length = length_of(p->s[k].x, columns, 1);
        if (!(length > 0x1p-450 && length < 0x1p450)) {
            const double by = length < 1 ? 0x1p600 : 0x1p-600;
            length = length_of(p->s[k].x, columns, by) / by;
        }
        p->s[k].inverse = length < 0x1p-1022 ? 0 : 1 / length;
    }
}

static void measure(pair *p, int64_t columns)
{
    lossi_wide_sum dot = lossi_wide_sum_zero(), gap = dot, radial[2] = {dot, dot}, other[2] = {dot, dot};
    measure_lengths(p, columns);
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v u[2][LOSSI_WIDENED], along[2][LOSSI_WIDENED], difference[LOSSI_WIDENED];
        load(&p->s[0], j, columns, u[0], along[0]);
        load(&p->s[1], j, columns, u[1], along[1]);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            difference[v] = u[0][v] - u[1][v];
        }
        lossi_wide_sum_add(&dot, j, u[0], u[1]);
        lossi_wide_sum_add(&gap, j, difference, difference);
        for (int k = 0; k < 2; k++) {
            lossi_wide_sum_add(&radial[k], j, u[k], along[k]);
            lossi_wide_sum_add(&other[k], j, u[1 - k], along[k]);
        }
    }
    p->cosine = lossi_wide_sum_total(&dot);
    const int32_t nothing = p->s[0].inverse == 0 || p->s[1].inverse == 0;
    p->one_minus = nothing || !(p->cosine > 0) ? 1 - p->cosine : 0.5 * lossi_wide_sum_total(&gap);
    p->change = 0;
    for (int k = 0; k < 2; k++) {
        p->s[k].radial = lossi_wide_sum_total(&radial[k]);
        p->s[k].other_radial = lossi_wide_sum_total(&other[k]);
        /* b̂ · Pp = b̂·p − c (â·p) */
        p->change += nothing ? 0 : (p->s[k].other_radial - p->cosine * p->s[k].radial) * p->s[k].inverse;
    }
}

static void put(void *array, int64_t i, int64_t j, int64_t columns, const f64v *x, double factor)
{
    f64v scaled[LOSSI_WIDENED];
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        scaled[v] = x[v] * f64_set1(factor);
    }
    if (array != NULL) {
        lossi_wide_store(lossi_row_to(array, i, columns), j, columns, scaled);
    }
}

/* slope is the derivative of the loss in c: −1, 1 or 0. */
static void derivatives(const lossi_part *part, int64_t i, const pair *p, int k, double slope)
{
    const int64_t columns = part->columns;
    const side *own = &p->s[k], *other = &p->s[1 - k];
    const lossi_derivatives *out = &part->output[k];
    const int32_t gauss_newton = part->curvature_kind == LOSSI_GAUSS_NEWTON;
    const f64v inverse = f64_set1(own->inverse), away = f64_set1(other->inverse), c = f64_set1(p->cosine);
    const f64v rest = f64_set1(p->one_minus), radial = f64_set1(own->radial);
    const f64v mixed = f64_set1(other->inverse *
                                (other->other_radial - p->cosine * other->radial)); /* â · Qq/‖b‖ */
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v u[LOSSI_WIDENED], w[LOSSI_WIDENED], du[LOSSI_WIDENED], dw[LOSSI_WIDENED];
        f64v gradient[LOSSI_WIDENED], curvature[LOSSI_WIDENED], product[LOSSI_WIDENED];
        load(own, j, columns, u, du);
        load(other, j, columns, w, dw);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64v turned = inverse * (du[v] - radial * u[v]);                     /* Pp/‖a‖ */
            const f64v other_turned = away * (dw[v] - f64_set1(other->radial) * w[v]); /* Qq/‖b‖ */
            /* b̂ − c â as (b̂ − â) + (1 − c) â: exact where the two agree */
            const f64v turn = (w[v] - u[v]) + rest * u[v];
            gradient[v] = turn * inverse;
            if (gauss_newton) { /* for slope −1 residual â − b̂, for 1 â + b̂ */
                curvature[v] = (f64_set1(1) - u[v] * u[v]) * inverse * inverse;
                product[v] = inverse * (turned + f64_set1(slope) * (other_turned - mixed * u[v]));
            } else {
                curvature[v] = -(c * (f64_set1(1) - u[v]) * (f64_set1(1) + u[v]) +
                                 f64_set1(2) * u[v] * turn) *
                               inverse * inverse;
                product[v] = inverse *
                             (other_turned - f64_set1(p->change) * u[v] - c * turned - radial * gradient[v]);
            }
        }
        put(out->gradient, i, j, columns, gradient, slope * part->scale);
        put(out->curvature, i, j, columns, curvature, (gauss_newton ? slope * slope : slope) * part->scale);
        put(out->product, i, j, columns, product, (gauss_newton ? slope * slope : slope) * part->scale);
    }
}

static void cosine_embedding(const lossi_part *part)
{
    const int64_t columns = part->columns;
    const double margin = part->prepared->parameters[MARGIN];
    for (int64_t i = 0; i < part->rows; i++) {
        const double target = (double)lossi_get((const real *)part->input[TARGET].data + i);
        pair p;
        for (int k = 0; k < 2; k++) {
            p.s[k].x = lossi_row_of(part->input[k].data, i, columns);
            p.s[k].along = lossi_row_of(part->output[k].direction, i, columns);
        }
        measure(&p, columns);
        const double excess = p.cosine - margin,
                     nan = target != target || excess != excess ? target + excess : 0;
        const int32_t nothing = p.s[0].inverse == 0 || p.s[1].inverse == 0;
        const double slope = nothing ? 0 : target > 0 ? -1 : excess > 0 ? 1 : 0;
        lossi_put((real *)part->value + i, (real)(nan + (target > 0   ? p.one_minus
                                                         : excess > 0 ? excess
                                                                      : 0)));
        part->denominator[i] = 1;
        derivatives(part, i, &p, FIRST, slope + nan);
        derivatives(part, i, &p, SECOND, slope + nan);
    }
}

extern const lossi_kernels LOSSI_NAME(cosine_embedding);
const lossi_kernels LOSSI_NAME(cosine_embedding) = {.part = cosine_embedding};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = -1,
                .maximum = 1,
                .initial = 0,
                .doc = "the cosine up to which pairs may agree that do not belong together"},
};

static const lossi_role roles[ROLES] = {
    [FIRST] = {.name = "first",
               .flags = LOSSI_DIFFERENTIABLE,
               .doc = "rows x columns, real: one vector of each pair; the cosine with a vector of length 0 "
                      "is 0 and so are its derivatives"},
    [SECOND] = {.name = "second", .flags = LOSSI_DIFFERENTIABLE, .doc = "rows x columns, real: the other"},
    [TARGET] = {.name = "target",
                .columns = 1,
                .domain = {-1, 1, 1},
                .doc = "rows x 1, real: 1 for a pair that belongs together, -1 for one that does not"},
};

static const lossi_structure structure = {.roles = roles, .role_count = ROLES};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.maximum = 2;
}

extern const lossi_row lossi_row_cosine_embedding;
const lossi_row lossi_row_cosine_embedding = {
    .name = "cosine_embedding",
    .aliases = "cosine_embedding_loss cosine_distance cosine_similarity",
    .summary = "pairs of vectors are pulled to one direction, or pushed from it up to a margin",
    .formula = "1 - c if t = 1, max(0, c - margin) if t = -1, c = cosine of first and second, t = target",
    .reference = "Salton, Wong & Yang, A vector space model for automatic indexing (1975)",
    .elsewhere = "PyTorch CosineEmbeddingLoss; Keras CosineSimilarity (its negative); optax cosine_distance",
    .flags = LOSSI_CLASSIFICATION,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
