/*
 * Supervised contrastive loss, SupCon: the mean over an anchor's positives of the cross-entropy of telling each from all others.
 *
 *     loss = log Σ_a exp(s_a/τ) − (1/|P|) Σ_{p ∈ P} s_p/τ,   a over positives and negatives,   τ the temperature
 *
 * A row of the prediction is an anchor's similarities to all candidates; loss/similarities.h says how positives and negatives are
 * given; the role "negatives" is what leaves the anchor itself out. Unlike in InfoNCE other positives are in the sum. An anchor
 * without positives does not count: its row is 0, and nothing is added to the denominator, which is the number of the others.
 *
 * The gradient by s/τ is π_j − 1/|P| at a positive, formed as |P| e_j − Σ_P e less the negatives' Σ e, over |P| times the sum of all:
 * positives that are equal leave the negatives alone, to their last digit. Convex, so Gauss–Newton is exact.
 * Khosla et al., Supervised contrastive learning (2020), eq. (2), L_out.
 */
#include "loss/similarities.h"

enum { TEMPERATURE };

/* Arrays of scratch: of real, a list of columns, then of double. */
enum { COPY, DIRECTION, POSITIVE, E, E_LOST, OWN, OWN_LOST, W, ARRAYS };

typedef struct anchor {
    lossi_anchor a;
    double *array[ARRAYS];
    int64_t *positive;      /* their columns */
    real *copy, *direction; /* of positives and negatives */
    double temperature;
    lossi_twofold factor;               /* 1/temperature */
    lossi_exponentials e;               /* of all */
    lossi_twofold positives, negatives; /* Σ e of both */
} anchor;

/* Σ (m − s)/(|P| τ) + log Σ e */
static real value(const anchor *x)
{
    double *gap = x->array[W], log[LOSSI_LANES] = {x->e.others.head};
    memset(gap, 0, (size_t)lossi_padded(x->a.positives) * sizeof *gap);
    memset(x->array[OWN_LOST], 0, (size_t)lossi_padded(x->a.positives) * sizeof *gap);
    for (int64_t k = 0; k < x->a.positives; k++) {
        const real s = lossi_get(x->a.similarity + x->positive[k]);
        gap[k] = s == x->e.maximum ? 0 : (double)x->e.maximum - (double)s;
    }
    lossi_wide_log1p(log, LOSSI_LANES);
    const double sum = lossi_twofold_dot(gap, x->array[OWN_LOST], NULL, x->a.positives).head;
    return (real)(sum / (double)x->a.positives / x->temperature + log[0]);
}

/* The sums over positives and negatives: the positives are set aside meanwhile. */
static void sums(anchor *x)
{
    double *const e[] = {x->array[E], x->array[E_LOST]}, *const own[] = {x->array[OWN], x->array[OWN_LOST]};
    const int kinds = LOSSI_REAL == 64 ? 2 : 1; /* float32 has nothing lost */
    for (int k = 0; k < kinds; k++) {
        memset(own[k], 0, (size_t)lossi_padded(x->a.positives) * sizeof(double));
        for (int64_t i = 0; i < x->a.positives; i++) {
            own[k][i] = e[k][x->positive[i]];
            e[k][x->positive[i]] = 0;
        }
    }
    x->positives = lossi_twofold_dot(own[0], own[1], NULL, x->a.positives);
    x->negatives = lossi_twofold_dot(e[0], e[1], NULL, x->a.candidates);
    for (int k = 0; k < kinds; k++) {
        for (int64_t i = 0; i < x->a.positives; i++) {
            e[k][x->positive[i]] = own[k][i];
        }
    }
}

static void gradients(const anchor *x)
{
    const lossi_twofold number = lossi_twofold_of((double)x->a.positives);
    const double slope = x->a.part->scale / x->temperature / x->e.total.head;
    lossi_anchor_slopes(&x->a, x->array[E], slope);
    for (int64_t k = 0; k < x->a.positives; k++) {
        const lossi_twofold e = {x->array[OWN][k], LOSSI_REAL == 64 ? x->array[OWN_LOST][k] : 0};
        const double apart = lossi_twofold_subtract(lossi_twofold_multiply(number, e), x->positives).head;
        lossi_put(x->a.gradient + x->positive[k], (real)(slope / number.head * (apart - x->negatives.head)));
    }
}

static void derivatives(anchor *x)
{
    const double bend = x->a.part->scale / x->temperature / x->temperature, *e = x->array[E];
    lossi_twofold mean = lossi_twofold_of(0);
    if (x->a.product != NULL) { /* read before anything is written */
        double origin;
        lossi_anchor_direction(&x->a, x->copy, x->direction);
        mean = lossi_exponentials_mean(&x->e, e, x->array[E_LOST], x->direction, x->a.candidates, x->array[W],
                                       &origin);
    }
    if (x->a.gradient != NULL) {
        sums(x);
        gradients(x);
    }
    if (x->a.curvature != NULL) {
        lossi_exponentials_curvature(&x->e, e, x->a.candidates, bend, x->a.curvature);
    }
    if (x->a.product != NULL) {
        lossi_exponentials_product(&x->e, e, x->array[W], mean, x->a.candidates, bend, x->a.product);
    }
}

static real anchored(anchor *x)
{
    lossi_exponentials_of(x->copy, x->a.candidates, x->factor, x->array[E], x->array[E_LOST], &x->e);
    const real result = value(x);
    if (result == result) {
        derivatives(x);
    } else {
        lossi_anchor_fill(&x->a, result);
    }
    return result;
}

static void supervised_contrastive(const lossi_part *part)
{
    anchor x = {.temperature = part->prepared->parameters[TEMPERATURE]};
    x.factor = lossi_twofold_divide(lossi_twofold_of(1), lossi_twofold_of(x.temperature));
    for (int k = 0; k < ARRAYS; k++) {
        x.array[k] = (double *)part->scratch + k * lossi_padded(part->columns);
    }
    x.positive = (int64_t *)(void *)x.array[POSITIVE];
    x.copy = (real *)(void *)x.array[COPY];
    x.direction = (real *)(void *)x.array[DIRECTION];
    for (int64_t i = 0; i < part->rows; i++) {
        real result = 0;
        lossi_anchor_begin(part, i, 1, x.positive, x.copy, &x.a);
        if (x.a.probe != x.a.probe || x.a.positives == 0) {
            result = x.a.probe;
            lossi_anchor_fill(&x.a, result);
        } else {
            result = anchored(&x);
        }
        lossi_put((real *)part->value + i, result);
        part->denominator[i] = x.a.positives > 0;
    }
}

extern const lossi_kernels LOSSI_NAME(supervised_contrastive);
const lossi_kernels LOSSI_NAME(supervised_contrastive) = {.part = supervised_contrastive};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [TEMPERATURE] = LOSSI_TEMPERATURE(0.1),
};

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    return ARRAYS * lossi_padded(shape->columns[LOSSI_SIMILARITY]) * (int64_t)sizeof(double);
}

static const lossi_structure structure = {
    .roles = lossi_similarity_roles,
    .role_count = LOSSI_SIMILARITY_ROLES,
    .weight_doc = "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                  "weight over the anchors with a positive",
    .check = lossi_similarities_check,
    .classes = lossi_similarities_classes,
    .scratch = scratch};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double temperature = prepared->parameters[TEMPERATURE];
    (void)values;
    /* of two distributions, and of log Σ exp (Böhning 1992) */
    prepared->bounds.lipschitz = 1.41421356237309504880 / temperature;
    prepared->bounds.curvature = 0.5 / temperature / temperature;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_supervised_contrastive;
const lossi_row lossi_row_supervised_contrastive = {
    .name = "supervised_contrastive",
    .aliases = "sup_con supcon",
    .summary = "mean over an anchor's positives of the cross-entropy of telling each from all others",
    .formula =
        "log(sum over positives and negatives of exp(s_a/t)) - mean over positives of s_p/t, s = prediction, "
        "t = temperature",
    .reference = "Khosla et al., Supervised contrastive learning (2020), eq. (2)",
    .elsewhere = "SupContrast SupConLoss; pytorch-metric-learning SupConLoss",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
