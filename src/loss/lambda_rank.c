/*
 * LambdaRank with a value: the logistic loss of every pair of items in a group that should be ordered, times what exchanging the
 * two in the current order would change of the normalised discounted cumulative gain.
 *
 *     loss = Σ |ΔNDCG| log(1 + e^(σ d)),   d = s_low − s_high,   over the pairs with target_high > target_low
 *     |ΔNDCG| = |G_high − G_low| |D(rank_high) − D(rank_low)| / DCG of the best order
 *
 * with gains G = 2^target − 1, or the target itself, and discounts D(r) = 1/log2(1 + r) up to the rank `truncation`, 0 beyond it.
 * Ranks are those of the scores of this call, largest first, equal ones in the order of their rows. The weights are held constant:
 * gradient, curvature and product are of the function with these weights, whose value this is, so that a line search between two
 * reorderings sees one function. Boosting libraries have the gradient and no value, and rescale it by list or by the distance of
 * scores: none of that here. LambdaLoss has log2 instead of log, a factor of 1/log 2.
 *
 * Rows are items, groups (queries) come by the role "offsets"; the denominator is the number of lists in which there is something
 * to order. D(i) − D(j) is log 2 (L_j − L_i)/(L_i L_j) with L_r = log(1 + r), which does not cancel: logarithms of neighbours
 * differ by 2 artanh(1/(2r + 1)), and are added up with what rounding takes away.
 * Burges, From RankNet to LambdaRank to LambdaMART (2010), §4; Wang et al., The LambdaLoss framework (2018), eq. (14).
 */
#include <math.h>

#include "loss/order.h"
#include "loss/pairwise.h"
#include "loss/twofold.h"

enum { SHARPNESS, TRUNCATION, GAIN };
enum { EXPONENTIAL, LINEAR };

/* Arrays of scratch: G, L, 1/L or 0 beyond the truncation, of each item; L and 1/L of each rank; one number. An order behind them. */
enum {
    GAINS,
    LOG,
    LOG_LOST,
    INVERSE,
    RANK_LOG,
    RANK_LOG_LOST,
    RANK_INVERSE,
    FACTOR,
    ORDER,
    OTHER_ORDER,
    ARRAYS
};

static double *array(const lossi_pairs *p, int32_t which)
{
    return p->own + which * lossi_padded(p->items);
}

/* 2^y − 1 = (2ⁿ − 1) + 2ⁿ (2^(y − n) − 1), n the nearest whole number: exact for whole relevances. */
static void exponential_gains(const lossi_pairs *p)
{
    double *gain = array(p, GAINS);
    for (int64_t i = 0; i < p->items; i += VREAL_LANES) {
        const int count = p->items - i < VREAL_LANES ? (int)(p->items - i) : VREAL_LANES;
        const vreal y = v_load_part(p->relevance + i, count);
        real rest[VREAL_LANES];
        v_store(rest, v_expm1((y - v_round(y)) * (real)0.69314718055994530942)); /* log 2 */
        for (int lane = 0; lane < count; lane++) {
            const double whole = rint((double)lossi_get(p->relevance + i + lane));
            const double power = ldexp(1, whole > 1100 ? 1100 : whole > -1100 ? (int)whole : -1100);
            gain[i + lane] = (power - 1) + power * (double)rest[lane];
        }
    }
}

static void gains(const lossi_pairs *p)
{
    memset(array(p, GAINS), 0, (size_t)lossi_padded(p->items) * sizeof(double));
    if ((int32_t)p->part->prepared->parameters[GAIN] == EXPONENTIAL) {
        exponential_gains(p);
        return;
    }
    for (int64_t i = 0; i < p->items; i++) {
        array(p, GAINS)[i] = (double)lossi_get(p->relevance + i);
    }
}

/* 2 artanh(1/(2r + 1)) by its series, as long as it has to be for the last digit. */
static double log_step(int64_t rank)
{
    const double z = 1 / (double)(2 * rank + 1), square = z * z;
    const int terms = rank < 8 ? 18 : rank < 64 ? 8 : 5;
    double tail = 0;
    for (int k = terms; k > 0; k--) {
        tail = square * (tail + 1 / (double)(2 * k + 1));
    }
    return 2 * z + 2 * z * tail;
}

/* L and 1/L of each rank. */
static void discounts(const lossi_pairs *p)
{
    const double truncation = p->part->prepared->parameters[TRUNCATION];
    lossi_twofold log = lossi_twofold_of(0);
    for (int64_t r = 0; r < p->items; r++) {
        log = lossi_twofold_add(log, lossi_twofold_of(log_step(r + 1)));
        array(p, RANK_LOG)[r] = log.head;
        array(p, RANK_LOG_LOST)[r] = log.lost;
        array(p, RANK_INVERSE)[r] = truncation > 0 && (double)r >= truncation
                                        ? 0
                                        : lossi_twofold_divide(lossi_twofold_of(1), log).head;
    }
}

/* Every item's, by its rank. Gives 1 over the DCG of the best order without its log 2, 0 where there is no gain. */
static double weights(const lossi_pairs *p)
{
    lossi_twofold best = lossi_twofold_of(0);
    gains(p);
    discounts(p);
    const int64_t *order = lossi_order_descending(p->relevance, p->items, array(p, ARRAYS));
    for (int64_t r = 0; r < p->items; r++) {
        const double gain = array(p, GAINS)[order[r]], inverse = array(p, RANK_INVERSE)[r];
        best = lossi_twofold_add(best,
                                 lossi_twofold_multiply(lossi_twofold_of(gain), lossi_twofold_of(inverse)));
    }
    const double factor = best.head > 0 ? 1 / best.head : best.head == best.head ? 0 : best.head;
    order = lossi_order_descending(p->score, p->items, array(p, ARRAYS));
    memset(array(p, INVERSE), 0, (size_t)lossi_padded(p->items) * sizeof(double));
    for (int64_t r = 0; r < p->items; r++) {
        array(p, LOG)[order[r]] = array(p, RANK_LOG)[r];
        array(p, LOG_LOST)[order[r]] = array(p, RANK_LOG_LOST)[r];
        array(p, INVERSE)[order[r]] = array(p, RANK_INVERSE)[r];
    }
    array(p, FACTOR)[0] = factor;
    return factor;
}

/* |ΔNDCG| of item i and items j …: log 2 is in neither D nor the best DCG. */
LOSSI_INLINE vreal change(const lossi_pairs *p, int64_t i, int64_t j)
{
    const f64v gain = f64_set1(array(p, GAINS)[i]), log = f64_set1(array(p, LOG)[i]), none = f64_set1(0);
    const f64v lost = f64_set1(array(p, LOG_LOST)[i]), inverse = f64_set1(array(p, INVERSE)[i]);
    const f64v factor = f64_set1(array(p, FACTOR)[0]);
    f64v out[LOSSI_WIDENED];
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const int64_t at = j + v * F64_LANES;
        const f64v there = f64_load(array(p, INVERSE) + at);
        const f64v apart = (f64_load(array(p, LOG) + at) - log) + (f64_load(array(p, LOG_LOST) + at) - lost);
        const f64m both = f64_mask_and(f64_gt(there, none), f64_gt(inverse, none));
        const f64v discount = f64_select(both, f64_abs(apart) * there * inverse, f64_abs(there - inverse));
        out[v] = f64_abs(f64_load(array(p, GAINS) + at) - gain) * factor * discount;
    }
#if LOSSI_REAL == 64
    return out[0];
#else
    return f64_to_f32(out[0], out[1]);
#endif
}

LOSSI_INLINE void formula(const lossi_pairs *p, int64_t i, int64_t j, vreal d, lossi_pair *out)
{
    const vreal sharpness = v_set1((real)p->part->prepared->parameters[SHARPNESS]), weight = change(p, i, j);
    lossi_pair_logistic(sharpness * d, out);
    out->value = weight * out->value;
    out->slope = weight * (sharpness * out->slope);
    out->bend = weight * (sharpness * (sharpness * out->bend)); /* the square alone may be infinite */
}

static void lambda_rank(const lossi_part *part)
{
    lossi_pairs p;
    lossi_pairs_begin(&p, part);
    if (weights(&p) != 0) {
        lossi_pairs_all(&p, formula, 0);
    }
    p.pairs = p.pairs > 0; /* a list */
    lossi_pairs_end(&p);
}

extern const lossi_kernels LOSSI_NAME(lambda_rank);
const lossi_kernels LOSSI_NAME(lambda_rank) = {.part = lambda_rank};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [SHARPNESS] = {.name = "sharpness",
                   .aliases = "sigma",
                   .type = LOSS_OPTION_DOUBLE,
                   .minimum = 1e-30,
                   .maximum = 1e30,
                   .initial = 1,
                   .doc = "the factor on the difference of two scores"},
    [TRUNCATION] = {.name = "truncation",
                    .aliases = "truncation_level",
                    .type = LOSS_OPTION_INT,
                    .minimum = 0,
                    .maximum = 1e9,
                    .initial = 30,
                    .doc = "the last rank that counts for the gain; 0: all of them"},
    [GAIN] = {.name = "gain",
              .type = LOSS_OPTION_STRING,
              .text = "exponential",
              .choices = "exponential|linear",
              .doc = "the gain of an item: 2^target - 1, or its target"},
};

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    const int64_t items = shape->rows[0], own = ARRAYS * lossi_padded(items) + lossi_order_scratch(items);
    return lossi_pairs_scratch(prepared, shape) + own * (int64_t)sizeof(double);
}

static const lossi_structure structure = {
    .roles = lossi_list_roles,
    .role_count = LOSSI_LIST_ROLES,
    .weight_doc = "groups x 1, real, optional: a factor on every output of its list; denominator: the sum of "
                  "weight over the lists with two different gains and a best order whose gain is above 0",
    .flags = LOSSI_GROUPED,
    .scratch = scratch};

/* Between two reorderings it is smooth and convex; where scores are equal, weights jump. */
static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    (void)prepared;
}

extern const lossi_row lossi_row_lambda_rank;
const lossi_row lossi_row_lambda_rank = {
    .name = "lambda_rank",
    .aliases = "lambda_loss lambdarank rank_ndcg lambda_mart",
    .summary =
        "logistic loss of pairs that should be ordered, weighted by what exchanging them changes of NDCG",
    .formula = "sum over pairs with target_i > target_j of |delta NDCG| log(1 + exp(sharpness*(x_j - x_i))), "
               "x = prediction, |delta NDCG| of the current order, held constant",
    .reference = "Burges, From RankNet to LambdaRank to LambdaMART: an overview (2010), section 4",
    .elsewhere = "XGBoost rank:ndcg; LightGBM lambdarank; CatBoost LambdaMart; TF-Ranking lambda weights",
    .flags = 0,
    .structure = &structure,
    .options = options,
    .option_count = 3,
    .prepare = prepare,
};

#endif
