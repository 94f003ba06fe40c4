/*
 * Negative partial log-likelihood of Cox's proportional hazards, right-censored, one score x = log risk a row.
 *
 *     loss = Σ w_i (log S(t_i) − x_i) over events i,   S(t) = Σ w_j e^(x_j) over the rows at risk, those with time ≥ t     breslow
 *     at a time with d events of which T is the sum:  (Σ w_i/d) Σ_l log(S − (l/d) T) − Σ w_i x_i,   l = 0 … d − 1          efron
 *
 * With the role "start" a row is at risk in (start, time] alone (loss/cox_entries.h); NaN where that is empty.
 * Strata come as groups, by the role "offsets". Case weights are part of the formula, in the risk sets too; events of weight 0
 * are none. The denominator is the weight of the events; without events the loss is 0. Convex; x + c gives the same bits where
 * adding c is exact and scores are less than 2³⁰ apart.
 *
 * Once sorted by time all is sums over the past or the future, O(n). With π the share of a row in a sum S, gradient, diagonal
 * and product are sums of π − event, π (1 − π) and π (v − Σ π v). Where π is nearly 1 these are small, and written so they
 * cancel; 1 − π is instead the sum of the others over S. That takes, for each risk set, its sum without its largest member,
 * which additions alone keep up to date, and for tied events the sum without each. A row that is never the largest has π ≤ ½.
 * Sums are extended (extended.h): of two doubles, and with exponents of their own.
 * Cox, Partial likelihood (1975); Breslow, discussion of Cox (1972); Efron, The efficiency of Cox's likelihood function for
 * censored data (1977), eq. (8.1).
 */
#include "loss/extended.h"
#include "loss/lanes.h"
#include "loss/order.h"
#include "loss/structured.h"

enum { TIES };
enum { PREDICTION, TIME, EVENT, START, OFFSETS, ROLES };
enum { GRADIENT, CURVATURE, PRODUCT, SUMS };

#define INFINITE_EXPONENT 0x1p1010 /* of e^∞ */
#define LN2               0x1.62e42fefa39efp-1
#define LN2_REST          0x1.abc9e3b39803fp-56
#define LOG2_E            0x1.71547652b82fep0

typedef lossi_extended number;

/* A row, in the order of time. */
typedef struct member {
    number mass;      /* w e^x, times the same factor in all rows */
    number own[SUMS]; /* what an event's own time gives; before that the sums over the tied events ahead */
    double score, weight, direction;
    int64_t row;
    int32_t event;
    /* a term of the value: weight · (exponent · log 2 + log(1 + argument)) */
    real argument;
    double exponent, log_weight;
} member;

/* What a time with events adds to those at risk: to the sums of 1/S, 1/S² and Σ w e^x v / S², and for the largest row instead
   of 1/S − mass/S² and v/S − Σ w e^x v / S² those sums without it. */
typedef struct moment {
    number inverse, square, along, top_curvature, top_product;
    int64_t top; /* −1: nobody but the events themselves */
} moment;

/* Those at risk after a time: the sums of w e^x and w e^x v, and both without the largest. */
typedef struct risk {
    number sum, along, rest, rest_along;
    int64_t top, infinities;
} risk;

typedef struct cohort {
    const lossi_part *part;
    int64_t count;
    member *members;
    moment *moments; /* of the time whose first member is at the same place */
    double linear, linear_lost, events, events_lost;
    real probe;                           /* NaN when the loss is */
    int32_t gradient, curvature, product; /* what is wanted */
} cohort;

/* Not inlined: there are a hundred of them below. */
#define CALLED __attribute__((noinline))

static CALLED number plus(number a, number b)
{
    return lossi_extended_add(a, b);
}

static CALLED number minus(number a, number b)
{
    return lossi_extended_subtract(a, b);
}

static CALLED number times(number a, number b)
{
    return lossi_extended_times(a, b);
}

static CALLED number by(number a, double b)
{
    return b == 1 ? a : lossi_extended_times(a, lossi_extended_from(b));
}

static double kept(double sum, double lost)
{
    return sum - sum == 0 ? sum + lost : sum; /* infinity and NaN have nothing to give back */
}

/* ---- the rows, sorted, with their exponentials ---- */

static double at(const void *array, int64_t i)
{
    return (double)lossi_get((const real *)array + i);
}

/* What is subtracted from the scores: the largest, or nothing where they are too far apart to be subtracted exactly. */
static double reference(const cohort *c)
{
    double high = -INFINITY, low = INFINITY;
    for (int64_t i = 0; i < c->count; i++) {
        const double x = c->members[i].score;
        if (x - x == 0) {
            high = x > high ? x : high;
            low = x < low ? x : low;
        }
    }
    return high - low < 0x1p30 ? high : 0;
}

/* x − reference = n log 2 + head + tail. */
static double reduce(double x, double reference, double *n, real *head, real *tail)
{
    double missing, low;
    const double z = lossi_two_sum(x, -reference, &missing);
    *n = rint(z * LOG2_E);
    double r = lossi_two_sum(fma(-*n, LN2, z), fma(-*n, LN2_REST, missing), &low);
    if (!(fabs(r) < 60)) { /* n has not digits enough: neighbours of x differ by more than this */
        r = r > 0 ? 60 : -60;
        low = 0;
    }
    *head = (real)r;
    *tail = (real)((r - (double)*head) + low);
    return z;
}

static void exponentials(cohort *c)
{
    const double shift = reference(c);
    for (int64_t i = 0; i < c->count; i += VREAL_LANES) {
        const int64_t count = c->count - i < VREAL_LANES ? c->count - i : VREAL_LANES;
        real head[VREAL_LANES] = {0}, tail[VREAL_LANES] = {0};
        double n[VREAL_LANES] = {0};
        vreal missing;
        for (int64_t lane = 0; lane < count; lane++) {
            const double x = c->members[i + lane].score;
            reduce(x - x == 0 ? x : shift, shift, &n[lane], &head[lane], &tail[lane]);
        }
        const vreal e = v_exp_parts(v_load(head), &missing);
        v_store(tail, v_fma(e, v_load(tail), missing));
        v_store(head, e);
        for (int64_t lane = 0; lane < count; lane++) {
            member *m = &c->members[i + lane];
            m->mass = m->score == INFINITY ? (number){1, 0, INFINITE_EXPONENT}
                      : m->score == -INFINITY
                          ? lossi_extended_zero
                          : lossi_extended_scaled((double)head[lane], (double)tail[lane], n[lane]);
            m->mass = by(m->mass, m->weight);
        }
    }
}

static void gather(cohort *c, double *scratch)
{
    const lossi_part *part = c->part;
    const real *times = part->input[TIME].data, *starts = part->input[START].data;
    const int64_t *order = lossi_order_ascending(times, c->count, scratch);
    for (int64_t p = 0; p < c->count; p++) {
        member *m = &c->members[p];
        const int64_t i = order[p];
        const double time = at(times, i), event = at(part->input[EVENT].data, i),
                     start = starts == NULL ? -INFINITY : at(starts, i);
        const void *direction = part->output[PREDICTION].direction;
        m->row = i;
        m->score = at(part->input[PREDICTION].data, i);
        m->weight = part->weight != NULL ? part->weight[i] : 1;
        m->direction = direction != NULL ? at(direction, i) : 0;
        m->event = event != 0 && m->weight != 0;
        m->argument = 0;
        m->exponent = m->log_weight = 0;
        if (!(m->score == m->score && time == time && event == event && m->weight == m->weight &&
              (starts == NULL || start < time))) {
            c->probe = REAL_NAN;
        }
        for (int k = 0; k < SUMS; k++) {
            m->own[k] = lossi_extended_zero;
        }
        c->moments[p].top = time == time && p > 0 &&
                            at(times, order[p - 1]) == time; /* for a while: tied to the last */
    }
    exponentials(c);
}

/* ---- backwards in time: the risk sets, and what each time with events says ---- */

static void join(cohort *c, risk *r, int64_t p)
{
    const member *m = &c->members[p];
    const number along = c->product ? by(m->mass, m->direction) : lossi_extended_zero;
    if (r->top < 0 || lossi_extended_greater(m->mass, c->members[r->top].mass)) {
        r->rest = r->sum;
        r->rest_along = r->along;
        r->top = p;
    } else {
        r->rest = plus(r->rest, m->mass);
        r->rest_along = c->product ? plus(r->rest_along, along) : along;
    }
    r->sum = plus(r->sum, m->mass);
    r->along = c->product ? plus(r->along, along) : along;
    r->infinities += m->score == INFINITY;
}

/* The tied events of a time. */
typedef struct tie {
    int64_t first, end; /* the members of that time */
    int64_t count;      /* events among them */
    int64_t highest;    /* the event with the largest score */
    number mass, along, weight;
    /* means over l of 1/S, (1 − l/d)/S, 1/S², (1 − l/d)/S², (1 − l/d)²/S²; l is 0 for Breslow */
    number inverse, inverse_tied, square, square_mixed, square_tied;
} tie;

/* Sums over the events, in each what stands ahead of it, for the sums without it. */
static void collect(cohort *c, const risk *r, tie *t)
{
    int64_t infinities = r->infinities;
    t->mass = t->along = t->weight = lossi_extended_zero;
    t->count = 0;
    for (int64_t p = t->first; p < t->end; p++) {
        member *m = &c->members[p];
        if (!m->event) {
            continue;
        }
        m->own[0] = t->mass;
        m->own[1] = t->along;
        m->own[2] = t->weight;
        t->mass = plus(t->mass, m->mass);
        t->along = c->product ? plus(t->along, by(m->mass, m->direction)) : t->along;
        t->weight = plus(t->weight, lossi_extended_from(m->weight));
        t->highest = t->count == 0 || m->score > c->members[t->highest].score ? p : t->highest;
        t->count++;
        infinities += m->score == INFINITY;
        lossi_add_kept(&c->events, &c->events_lost, m->weight);
    }
    if (t->count > 0 && (infinities > 1 || (t->mass.high == 0 && r->sum.high == 0))) {
        c->probe = REAL_NAN; /* ∞/∞ or 0/0 */
    }
}

/* 1 − l/d */
static number left_of(int64_t l, int64_t count)
{
    return times(lossi_extended_from((double)(count - l)),
                 lossi_extended_reciprocal(lossi_extended_from((double)count)));
}

static void means(const cohort *c, const risk *r, tie *t, int32_t efron)
{
    const int64_t steps = efron ? t->count : 1;
    const number each = lossi_extended_reciprocal(lossi_extended_from((double)steps));
    t->inverse = t->inverse_tied = t->square = t->square_mixed = t->square_tied = lossi_extended_zero;
    if (steps == 1) {
        t->inverse = t->inverse_tied = lossi_extended_reciprocal(plus(r->sum, t->mass));
        t->square = t->square_mixed = t->square_tied = times(t->inverse, t->inverse);
        return;
    }
    for (int64_t l = 0; l < steps; l++) {
        const number left = left_of(l, steps),
                     one = lossi_extended_reciprocal(plus(r->sum, times(left, t->mass)));
        const number inverse = times(each, one), tied = times(left, inverse);
        t->inverse = plus(t->inverse, inverse);
        t->inverse_tied = plus(t->inverse_tied, tied);
        if (c->curvature || c->product) {
            t->square = plus(t->square, times(inverse, one));
            t->square_mixed = plus(t->square_mixed, times(tied, one));
            t->square_tied = plus(t->square_tied, times(times(left, tied), one));
        }
    }
}

/* The term weight · log(x). */
static void put_log(member *m, number x, double weight)
{
    int power = 0;
    const double fraction = frexp(x.high, &power); /* ½ … 1 */
    power -= fraction < 0.75;
    const double down = lossi_power_of_two(-power);
    m->exponent = x.exponent + power;
    m->argument = (real)((x.high * down - 1) + x.low * down);
    m->log_weight = weight;
    if (m->exponent > INFINITE_EXPONENT / 2) {
        m->exponent = INFINITY;
        m->argument = 0;
    } else if (x.high == 0) {
        m->exponent = -INFINITY;
        m->argument = 0;
    }
}

/* Efron's value: a logarithm for each l, relative to the highest of the tied scores. */
static void put_efron(cohort *c, const risk *r, const tie *t)
{
    const member *highest = &c->members[t->highest];
    const number unit = by(lossi_extended_reciprocal(highest->mass), highest->weight);
    const double mean = lossi_extended_double(
        times(t->weight, lossi_extended_reciprocal(lossi_extended_from((double)t->count))));
    int64_t l = 0;
    for (int64_t p = t->first; p < t->end; p++) {
        member *m = &c->members[p];
        if (m->event) {
            put_log(m, times(unit, plus(r->sum, times(left_of(l++, t->count), t->mass))), mean);
        }
        if (m->event && m->score != highest->score) {
            double missing;
            const double above = lossi_two_sum(highest->score, -m->score, &missing);
            lossi_add_kept(&c->linear, &c->linear_lost, m->weight * above);
            c->linear_lost += above - above == 0
                                  ? fma(m->weight, above, -(m->weight * above)) + m->weight * missing
                                  : 0;
        }
    }
}

/* An event's own time, with the sums over the other events of that time. */
static void own_time(const cohort *c, const risk *r, const tie *t, member *m, number mass, number along,
                     number weight)
{
    const double v = m->direction;
    if (c->gradient) {
        const number pull = plus(times(r->sum, t->inverse), times(mass, t->inverse_tied));
        m->own[GRADIENT] = minus(times(weight, times(m->mass, t->inverse_tied)), by(pull, m->weight));
    }
    if (c->curvature) {
        const number others = plus(times(r->sum, t->square_mixed), times(mass, t->square_tied));
        m->own[CURVATURE] = times(times(m->mass, t->weight), others);
    }
    if (c->product) {
        const number apart = plus(times(minus(by(r->sum, v), r->along), t->square_mixed),
                                  times(minus(by(mass, v), along), t->square_tied));
        m->own[PRODUCT] = times(times(m->mass, t->weight), apart);
    }
}

static void each_event(cohort *c, const risk *r, const tie *t, int32_t efron)
{
    number mass = lossi_extended_zero, along = mass, weight = mass;
    for (int64_t p = t->end - 1; p >= t->first; p--) {
        member *m = &c->members[p];
        if (!m->event) {
            continue;
        }
        const number other_mass = plus(m->own[0], mass), other_weight = plus(m->own[2], weight),
                     other_along = c->product ? plus(m->own[1], along) : along,
                     one = lossi_extended_from(m->weight);
        if (!efron) {
            const number others = plus(r->sum, other_mass);
            const number odds = m->mass.high == 0 ? (number){1, 0, INFINITE_EXPONENT}
                                                  : times(others, lossi_extended_reciprocal(m->mass));
            put_log(m, plus(one, times(one, odds)), m->weight);
        }
        own_time(c, r, t, m, other_mass, other_along, other_weight);
        mass = plus(mass, m->mass);
        along = c->product ? plus(along, by(m->mass, m->direction)) : along;
        weight = plus(weight, one);
    }
}

static void say(const cohort *c, const risk *r, const tie *t, moment *out)
{
    out->top = r->top;
    out->inverse = times(t->weight, t->inverse);
    out->square = out->along = out->top_curvature = out->top_product = lossi_extended_zero;
    if (c->curvature) {
        out->square = times(t->weight, t->square);
        out->top_curvature = times(t->weight,
                                   plus(times(r->rest, t->square), times(t->mass, t->square_mixed)));
    }
    if (c->product) {
        const double v = r->top >= 0 ? c->members[r->top].direction : 0;
        out->along = times(t->weight, plus(times(r->along, t->square), times(t->along, t->square_mixed)));
        out->top_product = times(t->weight, plus(times(minus(by(r->rest, v), r->rest_along), t->square),
                                                 times(minus(by(t->mass, v), t->along), t->square_mixed)));
    }
}

static void mark_time(cohort *c, const tie *t, int32_t events)
{
    c->moments[t->first].top = events ? c->moments[t->first].top : -2;
    for (int64_t p = t->first + 1; p < t->end; p++) {
        c->moments[p].top = -3; /* the same time as before */
    }
}

static void backwards(cohort *c)
{
    const int32_t efron = c->part->prepared->parameters[TIES] != 0;
    const number zero = lossi_extended_zero;
    risk r = {zero, zero, zero, zero, -1, 0};
    tie t;
    for (t.end = c->count; t.end > 0; t.end = t.first) {
        t.first = t.end - 1;
        while (c->moments[t.first].top == 1) {
            t.first--;
        }
        for (int64_t p = t.end - 1; p >= t.first; p--) {
            if (!c->members[p].event) {
                join(c, &r, p);
            }
        }
        collect(c, &r, &t);
        if (t.count > 0 && c->probe == 0) {
            const int32_t tied = efron && t.count > 1;
            means(c, &r, &t, tied);
            if (tied) {
                put_efron(c, &r, &t);
            }
            each_event(c, &r, &t, tied);
            say(c, &r, &t, &c->moments[t.first]);
        }
        for (int64_t p = t.end - 1; p >= t.first && t.count > 0; p--) {
            if (c->members[p].event) {
                join(c, &r, p);
            }
        }
        mark_time(c, &t, t.count > 0);
    }
}

/* ---- forwards in time: what all risk sets together give each row ---- */

#include "loss/cox_past.h"
/* and where rows are at risk from a time of their own on */
#include "loss/cox_entries.h"

/* ---- the value ---- */

static real value(const cohort *c)
{
    double sum = c->linear, lost = c->linear_lost;
    for (int64_t i = 0; i < c->count; i += VREAL_LANES) {
        real log[VREAL_LANES] = {0};
        for (int64_t lane = 0; lane < VREAL_LANES && i + lane < c->count; lane++) {
            log[lane] = c->members[i + lane].argument;
        }
        v_store(log, v_log1p(v_load(log)));
        for (int64_t lane = 0; lane < VREAL_LANES && i + lane < c->count; lane++) {
            const member *m = &c->members[i + lane];
            const double high = m->exponent * LN2, low = (double)log[lane];
            if (m->log_weight != 0) {
                lossi_add_kept(&sum, &lost, m->log_weight * (high + low));
            }
        }
    }
    return (real)kept(sum, lost);
}

static void cox(const lossi_part *part)
{
    cohort c = {.part = part, .count = part->rows};
    char *scratch = part->scratch;
    c.members = (member *)(void *)scratch;
    c.moments = (moment *)(void *)(scratch + (size_t)c.count * sizeof *c.members);
    c.gradient = part->output[PREDICTION].gradient != NULL;
    c.curvature = part->output[PREDICTION].curvature != NULL;
    c.product = part->output[PREDICTION].product != NULL;
    gather(&c, (double *)(void *)(c.moments + c.count));
    sweep(&c, (char *)(c.moments + c.count));
    lossi_put(part->value, c.probe + value(&c));
    *part->denominator = kept(c.events, c.events_lost);
}

extern const lossi_kernels LOSSI_NAME(cox);
const lossi_kernels LOSSI_NAME(cox) = {.part = cox};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [TIES] = {.name = "ties",
              .type = LOSS_OPTION_STRING,
              .text = "breslow",
              .choices = "breslow|efron",
              .doc = "what events at the same time count: each with all of them at risk, or with a share"},
};

static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .columns = 1,
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x 1, real: the score, the logarithm of the risk"},
    [TIME] = {.name = "time",
              .columns = 1,
              .doc = "rows x 1, real: when the event happened, or observation ended"},
    [EVENT] = {.name = "event",
               .columns = 1,
               .domain = {0, 1, 1},
               .doc = "rows x 1, real: 1 for an event, 0 for the end of observation (right-censored)"},
    [START] = {.name = "start",
               .columns = 1,
               .flags = LOSSI_OPTIONAL,
               .doc = "rows x 1, real, optional: when observation began: at risk in (start, time]; NaN where "
                      "that is empty. Without it from the beginning"},
    [OFFSETS] = {.name = "offsets",
                 .kind = LOSSI_ROLE_OFFSETS,
                 .flags = LOSSI_OPTIONAL,
                 .doc = "(groups + 1) x 1, integer, optional: the strata: stratum g is rows offsets[g] to "
                        "offsets[g + 1] - 1; without it all rows are one"},
};

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    (void)prepared;
    const int64_t rows = shape->rows[PREDICTION];
    return rows * (int64_t)(sizeof(member) + sizeof(moment)) + sweep_scratch(rows, shape->columns[START] > 0);
}

static const lossi_structure structure = {
    .roles = roles,
    .role_count = ROLES,
    .weight_doc = "rows x 1, real, optional: case weights, part of the formula, in the sums over the rows at "
                  "risk too; denominator: the sum of weight over the events",
    .flags = LOSSI_GROUPED | LOSSI_OWN_WEIGHTS,
    .scratch = scratch};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_cox;
const lossi_row lossi_row_cox = {
    .name = "cox",
    .aliases = "cox_ph proportional_hazards survival_cox",
    .summary = "negative partial log-likelihood of proportional hazards, right-censored, also left-truncated",
    .formula = "sum over events i of log(sum over start_j < time_i <= time_j of exp(x_j)) - x_i, "
               "x = prediction, start = -inf when not given",
    .reference = "Cox, Partial likelihood (1975)",
    .elsewhere = "XGBoost survival:cox (breslow, weights not in the risk sets); scikit-survival and skglm "
                 "(with efron)",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
