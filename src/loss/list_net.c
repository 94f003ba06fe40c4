/*
 * ListNet, the softmax loss of a ranked list: cross-entropy of the probabilities to be the first item, the targets' and the scores'.
 *
 *     loss = −Σ P_i log p_i,   p = softmax(scores),   P = softmax(targets)
 *
 * Rows are items, groups (queries) come by the role "offsets"; the denominator is the number of lists. What makes relevances a
 * distribution differs between libraries, so it is an option: their softmax, as in the paper, they divided by their sum, or they
 * as they are. A list whose relevances are all 0 has nothing to compare with and does not count, but for their softmax.
 *
 * With u the relevances or the exponentials of them, W = Σ u and Z what they are divided by, the derivatives are
 *
 *     (p_i W − u_i)/Z,   W/Z p_i (1 − p_i),   W/Z p_i (v_i − p·v)
 *
 * The first cancels once scores have learned the relevances: it is formed with twice the digits, and for the largest score, whose
 * p may be nearly 1, of what is left without it. Convex, so Gauss–Newton is exact.
 * Cao, Qin, Liu, Tsai & Li, Learning to rank: from pairwise approach to listwise approach (2007), §4.3.
 */
#include "loss/lists.h"
#include "loss/twofold.h"

enum { TRANSFORM };
enum { SOFTMAX, NORMALIZE, NONE };
enum { EXPONENTIAL, EXPONENTIAL_LOST, TARGET, TARGET_LOST, OTHER, ARRAYS };

typedef struct list {
    const real *score;
    int64_t items;
    double *array[ARRAYS]; /* padded */
    lossi_exponentials scores;
    lossi_twofold weight;       /* W */
    lossi_twofold other_weight; /* without the largest score's */
    double divisor;             /* Z */
} list;

/* u, and its sums. */
static void targets(const lossi_part *part, list *l)
{
    const real *relevance = part->input[LOSSI_RELEVANCE].data;
    const int32_t transform = (int32_t)part->prepared->parameters[TRANSFORM];
    double *u = l->array[TARGET], *lost = l->array[TARGET_LOST];
    if (transform == SOFTMAX) {
        lossi_exponentials e;
        lossi_exponentials_of(relevance, l->items, lossi_twofold_of(1), u, lost, &e);
    } else {
        memset(u, 0, (size_t)lossi_padded(l->items) * sizeof *u);
        memset(lost, 0, (size_t)lossi_padded(l->items) * sizeof *lost);
        for (int64_t i = 0; i < l->items; i++) {
            u[i] = (double)lossi_get(relevance + i);
        }
    }
    const double kept = u[l->scores.largest], kept_lost = LOSSI_REAL == 64 ? lost[l->scores.largest] : 0;
    l->weight = lossi_twofold_dot(u, lost, NULL, l->items);
    u[l->scores.largest] = 0;
    lost[l->scores.largest] = 0;
    l->other_weight = lossi_twofold_dot(u, lost, NULL, l->items);
    u[l->scores.largest] = kept;
    lost[l->scores.largest] = kept_lost;
    l->divisor = transform == NONE ? 1 : l->weight.head;
}

/* Σ u_i (m − s_i) + W log Σ e, over Z; a u of 0 takes its term away. */
static real value(list *l)
{
    double *gap = l->array[OTHER], log[LOSSI_LANES] = {l->scores.others.head};
    memset(gap, 0, (size_t)lossi_padded(l->items) * sizeof *gap);
    for (int64_t i = 0; i < l->items; i++) {
        const real s = lossi_get(l->score + i);
        gap[i] = s == l->scores.maximum || l->array[TARGET][i] == 0 ? 0
                                                                    : (double)l->scores.maximum - (double)s;
    }
    lossi_wide_log1p(log, LOSSI_LANES);
    const lossi_twofold linear = lossi_twofold_dot(l->array[TARGET], l->array[TARGET_LOST], gap, l->items);
    const lossi_twofold rest = lossi_twofold_multiply(l->weight, lossi_twofold_of(log[0]));
    const lossi_twofold sum = lossi_twofold_add(linear, rest);
    /* an infinite sum has no rounding error to give back */
    return (real)((sum.head == sum.head ? sum.head : linear.head + rest.head) / l->divisor);
}

static void gradients(const lossi_part *part, const list *l, real *to)
{
    const lossi_twofold rest = lossi_twofold_divide(l->scores.others, l->scores.total);
    const lossi_twofold steep = lossi_twofold_divide(l->weight, l->scores.total);
    const lossi_twofold here = lossi_twofold_subtract(l->other_weight,
                                                      lossi_twofold_multiply(rest, l->weight));
    const f64v factor = f64_set1(part->scale / l->divisor);
    for (int64_t j = 0; j < l->items; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        lossi_twofolds e, u;
        lossi_twofolds_load(l->array[EXPONENTIAL], l->array[EXPONENTIAL_LOST], j, &e);
        lossi_twofolds_load(l->array[TARGET], l->array[TARGET_LOST], j, &u);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            out[v] = factor * lossi_product_minus(e.head[v], e.lost[v], steep, u.head[v], u.lost[v]);
        }
        lossi_wide_store(to, j, l->items, out);
    }
    lossi_put(to + l->scores.largest, (real)(here.head * (part->scale / l->divisor)));
}

static void list_net(const lossi_part *part)
{
    const lossi_derivatives *out = &part->output[LOSSI_SCORE];
    const real probe = lossi_list_probe(part);
    list l = {.score = part->input[LOSSI_SCORE].data, .items = part->rows};
    if (part->rows == 0 || probe != probe) {
        lossi_list_fill(part, probe, part->rows > 0);
        return;
    }
    for (int k = 0; k < ARRAYS; k++) {
        l.array[k] = (double *)part->scratch + k * lossi_padded(part->rows);
    }
    lossi_exponentials_of(l.score, l.items, lossi_twofold_of(1), l.array[EXPONENTIAL],
                          l.array[EXPONENTIAL_LOST], &l.scores);
    targets(part, &l);
    if (l.weight.head == 0) {
        lossi_list_fill(part, 0, 0);
        return;
    }
    *part->denominator = 1;
    lossi_put(part->value, value(&l));
    const double factor = l.weight.head / l.divisor * part->scale, *e = l.array[EXPONENTIAL];
    if (out->gradient != NULL) {
        gradients(part, &l, out->gradient);
    }
    if (out->curvature != NULL) {
        lossi_exponentials_curvature(&l.scores, e, l.items, factor, out->curvature);
    }
    if (out->product != NULL) {
        double origin;
        const lossi_twofold mean = lossi_exponentials_mean(&l.scores, e, l.array[EXPONENTIAL_LOST],
                                                           out->direction, l.items, l.array[OTHER], &origin);
        lossi_exponentials_product(&l.scores, e, l.array[OTHER], mean, l.items, factor, out->product);
    }
}

extern const lossi_kernels LOSSI_NAME(list_net);
const lossi_kernels LOSSI_NAME(list_net) = {.part = list_net};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [TRANSFORM] = {.name = "target_transform",
                   .type = LOSS_OPTION_STRING,
                   .text = "softmax",
                   .choices = "softmax|normalize|none",
                   .doc = "what makes a distribution of relevances: their softmax, their sum, or nothing"},
};

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    return ARRAYS * lossi_padded(shape->rows[0]) * (int64_t)sizeof(double);
}

static const lossi_structure structure = {
    .roles = lossi_list_roles,
    .role_count = LOSSI_LIST_ROLES,
    .weight_doc =
        "groups x 1, real, optional: a factor on every output of its list; denominator: the sum of weight "
        "over the lists that have rows, and with another transform than softmax, relevances whose sum is not "
        "0",
    .flags = LOSSI_GROUPED,
    .scratch = scratch};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int32_t plain = (int32_t)prepared->parameters[TRANSFORM] == NONE;
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
    if (!plain) { /* of two distributions; the second derivative of log Σ exp is at most 1/2 (Böhning 1992) */
        prepared->bounds.lipschitz = 1.41421356237309504880;
        prepared->bounds.curvature = 0.5;
    }
}

extern const lossi_row lossi_row_list_net;
const lossi_row lossi_row_list_net = {
    .name = "list_net",
    .aliases = "listnet ranking_softmax query_softmax",
    .summary = "cross-entropy of the softmax of a list's scores with the softmax of its relevances",
    .formula =
        "-sum_i P_i log softmax(x)_i, x = prediction, P = softmax(target), target/sum(target) or target",
    .reference =
        "Cao, Qin, Liu, Tsai & Li, Learning to rank: from pairwise approach to listwise approach (2007)",
    .elsewhere = "rax softmax_loss (target_transform=normalize); optax ranking_softmax_loss (none); CatBoost "
                 "QuerySoftMax; TF-Ranking SoftmaxLoss",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
