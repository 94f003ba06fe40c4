/*
 * ListMLE: the likelihood of the order of the targets in the model of Plackett and Luce, which draws items one after the other with
 * probabilities proportional to eˢ.
 *
 *     loss = Σ_k log S_k − s_k,   S_k = Σ_{j ≥ k} exp s_j,   items in the order of their targets, largest first
 *
 * Rows are items, groups (queries) come by the role "offsets"; the denominator is the number of lists. Items of equal target keep
 * the order of their rows: other libraries shuffle them, so shuffle the rows to have that.
 *
 * Everything is O(n) once sorted. Backwards, with m_k the largest score from k on and r_k = S_k exp(−m_k) − 1, one exponential an
 * item, f_k = exp(−|s_k − m_{k+1}|), which never overflows; π_k = exp(s_k)/S_k and ρ_k = S_{k+1}/S_k = 1 − π_k are both formed
 * without a difference. Forwards, with a_i = S_k/S_i,
 *
 *     U = Σ_{i ≤ k} a_i,   V = Σ a_i²,   W = Σ a_i (1 − a_i),   X = Σ_i a_i Σ_{i ≤ j < k} p_ij v_j,   p_ij = exp(s_j)/S_i
 *
 * by recurrences of sums of nonnegative terms. The derivatives, in which nothing cancels but what is meant to, are
 *
 *     π (U − 1) − ρ      π (W + ρ V)      π (V ρ_k (v_k − v̄_{k+1}) + W v_k − X)
 *
 * where v̄_k is the mean of the direction under the probabilities of S_k. Convex, so Gauss–Newton is exact.
 * Xia, Liu, Wang, Zhang & Li, Listwise approach to learning to rank (2008), §4.2; Plackett, The analysis of permutations (1975).
 */
#include "loss/lists.h"
#include "loss/order.h"
#include "loss/twofold.h"

/* Arrays of scratch, in the order of the list. */
enum {
    SCORE,
    X, /* exponents, then exponentials f */
    X_LOST,
    R, /* r, then log S */
    CHOSEN,
    CHOSEN_LOST, /* π */
    REST,
    REST_LOST, /* ρ */
    ALONG,
    ALONG_LOST, /* ρ_k (v_k − v̄_{k+1}) */
    ARRAYS
};

typedef struct list {
    const lossi_part *part;
    int64_t items, padded;
    const int64_t *order;
    double *array[ARRAYS];
} list;

static lossi_twofold at(const list *l, int32_t array, int64_t k)
{
    return (lossi_twofold){l->array[array][k], LOSSI_REAL == 64 ? l->array[array + 1][k] : 0};
}

static void keep(list *l, int32_t array, int64_t k, lossi_twofold x)
{
    l->array[array][k] = x.head;
    if (LOSSI_REAL == 64) {
        l->array[array + 1][k] = x.lost;
    }
}

static lossi_twofold difference(double a, double b)
{
    return lossi_twofold_subtract(lossi_twofold_of(a), lossi_twofold_of(b));
}

/* Element of the direction of the item at place k. */
static double along(const list *l, int64_t k)
{
    return (double)lossi_get((const real *)l->part->output[LOSSI_SCORE].direction + l->order[k]);
}

/* f, of the largest score behind each place. */
static void exponentials(list *l)
{
    double largest = -(double)REAL_INFINITY;
    for (int64_t k = l->padded - 1; k >= 0; k--) {
        const double s = k < l->items ? l->array[SCORE][k] : 0, off = s - largest;
        const lossi_twofold exact = difference(s, largest);
        const double sign = off > 0 ? -1 : 1, lost = exact.lost == exact.lost ? exact.lost : 0;
        const int32_t none = k >= l->items - 1; /* nothing is behind */
        l->array[X][k] = none ? -(double)REAL_INFINITY : sign * off;
        l->array[X_LOST][k] = none ? 0 : sign * lost;
        largest = k < l->items && s > largest ? s : largest;
    }
    for (int64_t k = 0; k < l->items; k += VREAL_LANES) {
        lossi_twofolds x, f;
        lossi_twofolds_load(l->array[X], l->array[X_LOST], k, &x);
        lossi_twofolds_exp(&x, &f);
        lossi_twofolds_store(l->array[X], l->array[X_LOST], k, &f);
    }
}

/* r, π, ρ, and what the product needs; R gets r. */
static void backwards(list *l)
{
    const int32_t product = l->part->output[LOSSI_SCORE].product != NULL;
    const lossi_twofold one = lossi_twofold_of(1);
    lossi_twofold r = lossi_twofold_of(0), mean = r;
    double largest = -(double)REAL_INFINITY;
    for (int64_t k = l->items - 1; k >= 0; k--) {
        const int32_t first = k == l->items - 1, above = first || l->array[SCORE][k] > largest;
        const lossi_twofold f = at(l, X, k), behind = lossi_twofold_add(one, r);
        r = first ? r : above ? lossi_twofold_multiply(behind, f) : lossi_twofold_add(r, f);
        const lossi_twofold whole = lossi_twofold_add(one, r);
        const lossi_twofold chosen = lossi_twofold_divide(above ? one : f, whole);
        const lossi_twofold rest = first ? r : lossi_twofold_divide(above ? r : behind, whole);
        keep(l, CHOSEN, k, chosen);
        keep(l, REST, k, rest);
        l->array[R][k] = r.head;
        largest = above ? l->array[SCORE][k] : largest;
        if (product) {
            const lossi_twofold off = lossi_twofold_subtract(lossi_twofold_of(along(l, k)), mean);
            keep(l, ALONG, k, lossi_twofold_multiply(rest, off));
            mean = lossi_twofold_add(mean, lossi_twofold_multiply(chosen, off));
        }
    }
}

/* Σ (m − s) + log(1 + r), all of them nonnegative. */
static real value(list *l)
{
    double largest = -(double)REAL_INFINITY;
    double *gap = l->array[X];
    memset(l->array[R] + l->items, 0, (size_t)(l->padded - l->items) * sizeof(double));
    memset(l->array[X_LOST], 0, (size_t)l->padded * sizeof(double));
    lossi_wide_log1p(l->array[R], l->items);
    for (int64_t k = l->padded - 1; k >= 0; k--) {
        const double s = l->array[SCORE][k];
        const int32_t there = k < l->items;
        largest = there && s > largest ? s : largest;
        gap[k] = !there || s == largest ? 0 : largest - s;
    }
    const lossi_twofold linear = lossi_twofold_dot(gap, l->array[X_LOST], NULL, l->items);
    const lossi_twofold logs = lossi_twofold_dot(l->array[R], l->array[X_LOST], NULL, l->items);
    const lossi_twofold sum = lossi_twofold_add(linear, logs);
    return (real)(sum.head == sum.head ? sum.head : linear.head + logs.head); /* infinity */
}

static void put(const list *l, void *array, int64_t k, lossi_twofold x)
{
    if (array != NULL) {
        lossi_put((real *)array + l->order[k], (real)(x.head * l->part->scale));
    }
}

static void forwards(const list *l)
{
    const lossi_derivatives *out = &l->part->output[LOSSI_SCORE];
    const lossi_twofold zero = lossi_twofold_of(0), one = lossi_twofold_of(1);
    lossi_twofold u = zero, v = zero, w = zero, x = zero, step = zero;
    for (int64_t k = 0; k < l->items; k++) {
        const lossi_twofold chosen = at(l, CHOSEN, k), rest = at(l, REST, k);
        const lossi_twofold before = lossi_twofold_multiply(step, u); /* U − 1 */
        put(l, out->gradient, k, lossi_twofold_subtract(lossi_twofold_multiply(chosen, before), rest));
        if (out->curvature != NULL || out->product != NULL) {
            const lossi_twofold earlier =
                k == 0 ? zero : lossi_twofold_multiply(at(l, CHOSEN, k - 1), v); /* π V of the last place */
            w = lossi_twofold_multiply(step, lossi_twofold_add(w, earlier));
            if (out->product != NULL && k > 0) {
                const lossi_twofold own = lossi_twofold_of(along(l, k - 1));
                x = lossi_twofold_multiply(step, lossi_twofold_add(x, lossi_twofold_multiply(earlier, own)));
            }
            v = lossi_twofold_add(one, lossi_twofold_multiply(lossi_twofold_multiply(step, step), v));
            put(l, out->curvature, k,
                lossi_twofold_multiply(chosen, lossi_twofold_add(w, lossi_twofold_multiply(rest, v))));
        }
        if (out->product != NULL) {
            const lossi_twofold here = lossi_twofold_multiply(v, at(l, ALONG, k));
            const lossi_twofold across = lossi_twofold_multiply(w, lossi_twofold_of(along(l, k)));
            put(l, out->product, k,
                lossi_twofold_multiply(chosen, lossi_twofold_add(here, lossi_twofold_subtract(across, x))));
        }
        u = lossi_twofold_add(one, before);
        step = rest;
    }
}

static void list_mle(const lossi_part *part)
{
    const real *score = part->input[LOSSI_SCORE].data, probe = lossi_list_probe(part);
    list l = {.part = part, .items = part->rows, .padded = lossi_padded(part->rows)};
    double *scratch = part->scratch;
    if (part->rows == 0 || probe != probe) {
        lossi_list_fill(part, probe, part->rows > 0);
        return;
    }
    for (int k = 0; k < ARRAYS; k++, scratch += l.padded) {
        l.array[k] = scratch;
    }
    l.order = lossi_order_descending(part->input[LOSSI_RELEVANCE].data, l.items, scratch);
    for (int64_t k = 0; k < l.items; k++) {
        l.array[SCORE][k] = (double)lossi_get(score + l.order[k]);
    }
    exponentials(&l);
    backwards(&l);
    lossi_put(part->value, value(&l));
    *part->denominator = 1;
    forwards(&l);
}

extern const lossi_kernels LOSSI_NAME(list_mle);
const lossi_kernels LOSSI_NAME(list_mle) = {.part = list_mle};

#ifdef LOSSI_ONCE

static int64_t scratch_bytes(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    const int64_t items = shape->rows[0];
    return (ARRAYS * lossi_padded(items) + lossi_order_scratch(items)) * (int64_t)sizeof(double);
}

static const lossi_structure structure = {
    .roles = lossi_list_roles,
    .role_count = LOSSI_LIST_ROLES,
    .weight_doc = "groups x 1, real, optional: a factor on every output of its list; denominator: the sum of "
                  "weight over the lists that have rows",
    .flags = LOSSI_GROUPED,
    .scratch = scratch_bytes};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_list_mle;
const lossi_row lossi_row_list_mle = {
    .name = "list_mle",
    .aliases = "listmle plackett_luce",
    .summary = "negative log-likelihood of the order of the targets in the model of Plackett and Luce",
    .formula =
        "sum_k log(sum_(j >= k) exp(x_j)) - x_k, x = prediction in the order of the targets, largest first",
    .reference = "Xia, Liu, Wang, Zhang & Li, Listwise approach to learning to rank (2008)",
    .elsewhere = "TF-Ranking ListMLELoss",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .prepare = prepare,
};

#endif
