/*
 * The best constant by search: F(c) = Σ weight · loss(c, target) and its derivative G, both made by the loss's own kernels in
 * float64.
 *
 * Doubles are searched by halving not the interval but the number of doubles in it: 64 steps lead from any bracket to two
 * neighbours, whatever the scale of the loss, and no tolerance has to be chosen.
 *
 * Convex: G does not fall, so its zeros are an interval [a, b], found from both sides. Rounded, G may be 0 far out where it
 * is not: a ray of zeros that G meets at the smallest numbers there are leads to infinity, one that G jumps to has an end.
 *
 * Not convex: the best of many candidates, then down hill from it. With G(l) < 0 and either G(r) ≥ 0 or F(r) ≥ F(l) there is a
 * local minimum between; halving keeps that, and F(l) never rises.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "loss/constant.h"
#include "loss/evaluation.h"

enum {
    QUANTILES = 32, /* candidates: quantiles 0, 1/32, …, 1 of the targets, */
    POWERS = 8,     /* 0, ±2^k for k = −8 … 8, */
    CANDIDATES = QUANTILES + 1 + 1 + 2 * (2 * POWERS + 1) + 2 /* and the ends of the domain */
};

/* Below this part of the weight a derivative is one that underflows: no smooth loss gets there on the way to a zero. */
static const double underflow = 1e-290;

typedef struct search {
    loss_context *context;
    const loss_function *function;
    loss_data *inputs, *outputs;
    double *targets, *weights, *gradients;
    int64_t count;
    double low, high;       /* finite: what predictions are tried */
    double least, most;     /* what the domain says, perhaps infinite */
    double weight;          /* Σ weight */
    double constant;        /* where */
    double value, gradient; /* of the last point */
    loss_status status;
} search;

/* ---- doubles in order ---- */

/* The place of a double among all of them, 0 in the middle: neighbours are 1 apart. */
static int64_t place_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >= 0 ? bits : INT64_MIN - bits;
}

static double at_place(int64_t place)
{
    const int64_t bits = place >= 0 ? place : INT64_MIN - place;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The double with as many doubles on one side, up to a, as on the other, up to b. */
static double halfway(double a, double b)
{
    return at_place(place_of(a) / 2 + place_of(b) / 2 + (place_of(a) % 2 + place_of(b) % 2) / 2);
}

static int32_t are_neighbours(double a, double b)
{
    const double far = halfway(a, b);
    return far == a || far == b;
}

/* ---- F and G ---- */

static double sum_of_gradients(const search *s)
{
    const lossi_cut cut = lossi_cut_rows(s->count, 1);
    double sums[LOSSI_SLICES];
    for (int64_t slice = 0; slice < cut.slices; slice++) {
        lossi_total total;
        int64_t i = slice * cut.slice_rows;
        const int64_t end = i + cut.slice_rows < s->count ? i + cut.slice_rows : s->count;
        lossi_total_clear(&total);
        for (int64_t first = i; i < end; i++) {
            total.lanes[(i - first) % LOSSI_LANES] += s->gradients[i];
            if ((i - first) % LOSSI_BLOCK == LOSSI_BLOCK - 1) {
                lossi_total_end_block(&total);
            }
        }
        lossi_total_end_block(&total);
        sums[slice] = total.sum;
    }
    return lossi_sum_slices(sums, cut.slices);
}

/* F(c) and G(c); once something failed, nothing is done any more. */
static void evaluate(search *s, double c)
{
    s->constant = c;
    if (s->status == LOSS_OK) {
        s->status = loss_function_evaluate(s->context, s->function, s->inputs, s->outputs, &s->value, NULL);
    }
    s->gradient = s->status == LOSS_OK ? sum_of_gradients(s) : (double)NAN;
}

static double slope_at(search *s, double c)
{
    evaluate(s, c);
    return s->gradient;
}

static double value_at(search *s, double c)
{
    evaluate(s, c);
    return s->value;
}

/* ---- convex ---- */

/* Magnitudes on the way out: far places are tried only when near ones do not do, for a callback may overflow there. */
static const double ladder[] = {0x1p-10, 1,       0x1p10,  0x1p20,  0x1p40,
                                0x1p80,  0x1p160, 0x1p320, 0x1p640, DBL_MAX};

enum { RUNGS = sizeof ladder / sizeof *ladder };

/* What a search looks for. */
static int32_t not_negative(double slope)
{
    return slope >= 0;
}

static int32_t positive(double slope)
{
    return slope > 0;
}

static int32_t negative(double slope)
{
    return slope < 0;
}

/* The last double on the way from `outside`, where it is not so, to `inside`, where it is, at which it is so. */
static double edge(search *s, double outside, double inside, int32_t (*is_so)(double slope))
{
    while (!are_neighbours(outside, inside)) {
        const double middle = halfway(outside, inside);
        if (is_so(slope_at(s, middle))) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return inside;
}

/*
 * Between a point and one where a callback gives no number any more: the nearest place found at which it is so, `outside`
 * when there is none.
 */
static double before_nan(search *s, double outside, double nowhere, int32_t (*is_so)(double slope))
{
    double last = outside;
    while (!are_neighbours(last, nowhere)) {
        const double middle = halfway(last, nowhere), slope = slope_at(s, middle);
        if (is_so(slope)) {
            return edge(s, last, middle, is_so);
        }
        if (isnan(slope)) {
            nowhere = middle;
        } else {
            last = middle;
        }
    }
    return outside;
}

/* The first double from a point on, up or down, at which it is so; *found 0 when there is none up to the end. */
static double first(search *s, double from, double direction, int32_t (*is_so)(double slope), int32_t *found)
{
    double last = from;
    *found = 0;
    for (int32_t i = 0; i < RUNGS && !*found; i++) {
        double next = direction * ladder[i];
        if (direction > 0 ? next <= last : next >= last) { /* not yet beyond the point: the other way round */
            continue;
        }
        next = next < s->low ? s->low : next > s->high ? s->high : next;
        if (next == last) {
            continue;
        }
        const double slope = slope_at(s, next);
        if (is_so(slope)) {
            *found = 1;
            return edge(s, last, next, is_so);
        }
        if (isnan(slope)) {
            next = before_nan(s, last, next, is_so);
            *found = next != last;
            return next;
        }
        last = next;
    }
    return last;
}

static int32_t underflows(const search *s, double slope)
{
    return fabs(slope) <= underflow * s->weight;
}

/* G is 0 from a to b and nowhere else. */
static double of_interval(search *s, double a, double b)
{
    const int32_t from_minus_infinity = a == s->low && isinf(s->least),
                  to_infinity = b == s->high && isinf(s->most);
    if (from_minus_infinity && to_infinity) {
        return 0; /* a constant loss */
    }
    if (to_infinity) {
        return a > s->low && underflows(s, slope_at(s, at_place(place_of(a) - 1))) ? INFINITY : a;
    }
    if (from_minus_infinity) {
        return b < s->high && underflows(s, slope_at(s, at_place(place_of(b) + 1))) ? -INFINITY : b;
    }
    return a + (b / 2 - a / 2);
}

static double convex_minimum(search *s)
{
    const double start = s->low > 0 ? s->low : s->high < 0 ? s->high : 0;
    int32_t found;
    double a; /* the smallest double with G ≥ 0 */
    if (slope_at(s, start) >= 0) {
        a = first(s, start, -1, negative, &found);
        a = found ? at_place(place_of(a) + 1) : s->low;
    } else {
        a = first(s, start, 1, not_negative, &found);
        if (!found) {
            return s->most;
        }
    }
    const double slope = slope_at(s, a);
    if (slope == 0) {
        const double above = first(s, a, 1, positive, &found);
        return of_interval(s, a, found ? at_place(place_of(above) - 1) : s->high);
    }
    if (a == s->low) {
        return s->least;
    }
    const double before = at_place(place_of(a) - 1);
    return fabs(slope_at(s, before)) < fabs(slope) ? before : a;
}

/* ---- not convex ---- */

static void add_candidate(const search *s, double *candidates, int32_t *count, double c)
{
    int32_t i = *count;
    if (!(c >= s->least && c <= s->most)) {
        return;
    }
    for (; i > 0 && candidates[i - 1] > c; i--) {
        candidates[i] = candidates[i - 1];
    }
    candidates[i] = c;
    *count += 1;
}

static int32_t make_candidates(const search *s, const lossi_sample *samples, double *candidates)
{
    int32_t count = 0;
    for (int32_t i = 0; i <= QUANTILES; i++) {
        add_candidate(s, candidates, &count,
                      lossi_samples_quantile(samples, s->count, (double)i / QUANTILES));
    }
    for (int32_t i = -POWERS; i <= POWERS; i++) {
        add_candidate(s, candidates, &count, ldexp(1, i));
        add_candidate(s, candidates, &count, -ldexp(1, i));
    }
    add_candidate(s, candidates, &count, 0);
    add_candidate(s, candidates, &count, s->least);
    add_candidate(s, candidates, &count, s->most);
    return count;
}

/* Rounding of F is no hill. */
static int32_t is_higher(double value, double than)
{
    return value > than + fabs(than) * 0x1p-40;
}

/* From a point where F falls towards the other, where it has risen again, to a minimum between them. */
static double down_hill(search *s, double from, double to)
{
    const double direction = to > from ? 1 : -1;
    double lowest = value_at(s, from);
    while (!are_neighbours(from, to)) {
        const double middle = halfway(from, to);
        evaluate(s, middle);
        if (s->gradient * direction < 0 && !is_higher(s->value, lowest)) {
            from = middle;
            lowest = s->value;
        } else {
            to = middle;
        }
    }
    return value_at(s, to) < lowest ? to : from;
}

static double local_minimum(search *s, const lossi_sample *samples)
{
    double candidates[CANDIDATES], lowest = (double)NAN;
    const int32_t count = make_candidates(s, samples, candidates);
    int32_t best = -1;
    for (int32_t i = 0; i < count; i++) {
        const double value = value_at(s, candidates[i]);
        /* infinity only where nothing else is as good */
        if (value < lowest || (best < 0 && !isnan(value)) ||
            (value == lowest && isinf(candidates[best]) && isfinite(candidates[i]))) {
            best = i;
            lowest = value;
        }
    }
    if (best < 0 || isinf(candidates[best])) {
        return best < 0 ? (double)NAN : candidates[best];
    }
    const double c = candidates[best], slope = slope_at(s, c);
    double left = s->low, right = s->high;
    for (int32_t i = 0; i < count; i++) {
        left = candidates[i] < c && candidates[i] > left ? candidates[i] : left;
        right = candidates[i] > c && candidates[i] < right ? candidates[i] : right;
    }
    return slope < 0 && c < right  ? down_hill(s, c, right)
           : slope > 0 && c > left ? down_hill(s, c, left)
                                   : c;
}

/* ---- the search ---- */

static loss_status begin(search *s, const lossi_sample *samples)
{
    const int64_t bytes = s->count * (int64_t)sizeof *s->targets;
    const lossi_domain *domain = &s->function->prepared.prediction;
    s->least = domain->low;
    s->most = domain->high;
    s->low = isinf(s->least) ? -DBL_MAX : s->least;
    s->high = isinf(s->most) ? DBL_MAX : s->most;
    s->targets = lossi_allocate(s->context, 3 * bytes);
    if (s->targets == NULL) {
        return lossi_fail_memory(s->context, "the search of a best constant");
    }
    s->weights = s->targets + s->count;
    s->gradients = s->weights + s->count;
    lossi_exact_sum weight = {0, 0};
    for (int64_t i = 0; i < s->count; i++) {
        s->targets[i] = samples[i].target;
        s->weights[i] = samples[i].weight;
        lossi_exact_add(&weight, samples[i].weight);
    }
    s->weight = lossi_exact_total(&weight);
    loss_status status = loss_data_create(&s->inputs, s->context);
    if (status == LOSS_OK) {
        status = loss_data_create(&s->outputs, s->context);
    }
    if (status == LOSS_OK) { /* the prediction is the same number in every row */
        status = loss_data_set_input(s->inputs, "prediction", &s->constant, LOSS_FLOAT64, s->count, 1, 0, 1);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_input(s->inputs, "target", s->targets, LOSS_FLOAT64, s->count, 1, 1, 1);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_input(s->inputs, "weight", s->weights, LOSS_FLOAT64, s->count, 1, 1, 1);
    }
    if (status == LOSS_OK) {
        status = loss_data_set_output(s->outputs, "gradient", s->gradients, LOSS_FLOAT64, s->count, 1, 1, 1);
    }
    return status;
}

static int32_t are_finite(const lossi_sample *samples, int64_t count)
{
    double probe = 0;
    for (int64_t i = 0; i < count; i++) {
        probe += samples[i].target * 0; /* 0, or NaN */
    }
    return probe == 0;
}

loss_status lossi_constant_search(loss_context *context, const loss_function *function, lossi_sample *samples,
                                  lossi_sample *buffer, int64_t count, double *constant)
{
    search s = {.context = context, .function = function, .count = count};
    double found = (double)NAN;
    if (!are_finite(samples, count)) {
        *constant = found;
        return LOSS_OK;
    }
    s.status = begin(&s, samples);
    if (s.status == LOSS_OK && (function->prepared.flags & LOSSI_CONVEX) != 0) {
        found = convex_minimum(&s);
    } else if (s.status == LOSS_OK) {
        lossi_samples_sort(samples, buffer, count);
        found = local_minimum(&s, samples);
    }
    if (s.status == LOSS_OK) {
        *constant = found;
    }
    loss_data_free(s.inputs);
    loss_data_free(s.outputs);
    lossi_release(context, s.targets);
    return s.status;
}
