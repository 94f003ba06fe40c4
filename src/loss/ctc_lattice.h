/*
 * The lattice of connectionist temporal classification (ctc.c): the 2L + 1 states of L labels, a blank before, between and after
 * them, through the frames. Forwards α, with the means of what the direction adds; backwards β and from both the posteriors.
 *
 *     α_t(j) = y_t(j) (α_{t−1}(j) + α_{t−1}(j − 1) + α_{t−1}(j − 2) where j is a label unlike the one before)
 *
 * y_t(j) is the probability of the class of state j in frame t; β runs the same way back (Graves et al. 2006, §4.1).
 */
#ifndef LOSSI_LOSS_CTC_LATTICE_H
#define LOSSI_LOSS_CTC_LATTICE_H

#include "loss/rowwise.h"
#include "loss/scaled.h"
#include "loss/structured.h"
#include "loss/wide.h"

enum { PREDICTION, TARGET, OFFSETS, TARGET_OFFSETS, ROLES };

enum {
    BEFORE = 2,
    BEYOND = 24 /* states that are none, around an array: a state looks two to each side, a vector further */
};

/* One array of doubles per state of a frame. */
enum {
    EMITTED,
    EMITTED_EXPONENT,
    LIKELY,
    BACK,
    BACK_EXPONENT,
    AHEAD,
    ALONG,
    SKIP,
    TOP,
    LAST,
    POSTERIOR,
    POSTERIOR_EXPONENT,
    REST,
    WEIGHED,
    STATE_ARRAYS
};

/* A sequence while it is worked on. */
typedef struct sequence {
    const lossi_part *part;
    const real *logits, *direction; /* direction NULL: no product */
    int64_t frames, classes, states, stride;
    int64_t *label;                        /* of each state */
    double *alpha, *alpha_exponent, *mean; /* of each frame: α with what it emits, E[V so far] */
    double *state[STATE_ARRAYS];
    double *gathered, *power; /* exponentials of the labels' logits */
    double *posterior,
        *turn;        /* of each class: post and its derivative along the direction; 0 between frames */
    real *e, *chosen; /* exponentials of a frame; logits of the labels less the largest */
    double lost;
    int32_t backwards, tangent, nan, impossible;
} sequence;

/* A frame: p = e/(1 + others), and what the largest class leaves. */
typedef struct frame {
    int64_t largest;
    double inverse, rest; /* 1/(1 + others), 1 − p of the largest */
    double origin, mean;  /* of the direction: its element at the largest, and from there p·direction */
} frame;

/* ln 2 in two parts: the first times an exponent up to 4096 is exact, and beyond a loss is too large for that to matter
   (Cody & Waite 1980, chapter 6). */
#define LN2_HIGH 0x1.62e42fefa4p-1
#define LN2_LOW  -0x1.8432a1b0e2634p-43

static int64_t padded(int64_t count)
{
    return (count + LOSSI_LANES - 1) / LOSSI_LANES * LOSSI_LANES;
}

/* ---- emissions ---- */

/* e^x of the logits of blank and labels as m 2ⁿ: in `gathered` and `power`, the blank first. */
static void exponentials_of_labels(sequence *s, int64_t count)
{
    for (int64_t i = 0; i < count; i += VREAL_LANES) {
        real head[VREAL_LANES], exponent[VREAL_LANES];
        const vreal x = v_max(v_set1(-REAL_MAX / 4), v_load(s->chosen + i));
        const vreal n = v_round(x * v_set1(MATH_LOG2_E));
        const vreal reduced = v_fnma(n, v_set1(MATH_LN2_LOW), v_fnma(n, v_set1(MATH_LN2_HIGH), x));
        /* far out the remainder has no digits left, nor does it matter */
        v_store(head, v_exp(v_min(v_set1(1), v_max(v_set1(-1), reduced))));
        v_store(exponent, n);
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            const int32_t never = s->chosen[i + lane] == -REAL_INFINITY;
            s->gathered[i + lane] = never ? 0 : (double)head[lane];
            s->power[i + lane] = (double)exponent[lane];
        }
    }
}

/* What frame t emits in each state; e of all classes too when `all`. */
static frame begin_frame(sequence *s, int64_t t, int32_t all)
{
    const real *row = s->logits + t * s->classes;
    const int64_t labels = s->states / 2;
    frame f = {0};
    const real maximum = lossi_row_maximum(row, s->classes, &f.largest);
    const double others = lossi_row_exponentials(row, s->classes, maximum, f.largest, all ? s->e : NULL);
    s->nan |= others != others || lossi_get(row + f.largest) != maximum;
    f.inverse = 1 / (1 + others);
    f.rest = others * f.inverse;
    for (int64_t i = 0; i <= labels; i++) {
        const int64_t k = s->label[i == 0 ? 0 : 2 * i - 1];
        s->chosen[i] = k == f.largest ? 0 : lossi_get(row + k) - maximum;
    }
    exponentials_of_labels(s, labels + 1);
    for (int64_t j = 0; j < s->states; j++) {
        const int64_t i = j % 2 == 0 ? 0 : j / 2 + 1;
        s->state[EMITTED][j] = s->gathered[i] * f.inverse;
        s->state[EMITTED_EXPONENT][j] = s->power[i];
        s->state[TOP][j] = s->label[j] == f.largest;
    }
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const lossi_scaled y = lossi_scaled_of(f64_load(s->state[EMITTED] + j),
                                               f64_load(s->state[EMITTED_EXPONENT] + j));
        const f64v outside = f64_set1(1) - f64_load(s->state[TOP] + j);
        lossi_scaled_store(s->state[EMITTED] + j, s->state[EMITTED_EXPONENT] + j, y);
        f64_store(s->state[LIKELY] + j, outside * lossi_scaled_plain(y)); /* p, but for the largest class */
    }
    return f;
}

/* The direction in each state, from its mean p·v; for the majorizer as it is. */
static void begin_direction(sequence *s, int64_t t, frame *f)
{
    const real *row = s->direction + t * s->classes;
    lossi_wide_sum sum = lossi_wide_sum_zero();
    if (s->part->curvature_kind == LOSSI_MAJORIZER) {
        return;
    }
    f->origin = (double)lossi_get(row + f->largest);
    for (int64_t j = 0; j < s->classes; j += VREAL_LANES) {
        f64v v[LOSSI_WIDENED], e[LOSSI_WIDENED];
        lossi_wide_load(row, j, s->classes, v);
        lossi_wide_load(s->e, j, s->classes, e);
        for (int w = 0; w < LOSSI_WIDENED; w++) {
            v[w] = v[w] - f64_set1(f->origin);
        }
        lossi_wide_sum_add(&sum, j, v, e);
    }
    f->mean = lossi_wide_sum_total(&sum) * f->inverse;
    for (int64_t j = 0; j < s->states; j++) {
        s->state[ALONG][j] = ((double)lossi_get(row + s->label[j]) - f->origin) - f->mean;
    }
}

/* ---- forwards ---- */

/* Σ of an array over the states, in lanes. */
static double total(const sequence *s, const double *x)
{
    f64v lanes[LOSSI_WIDE];
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes[v] = f64_set1(0);
    }
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const int v = (int)(j / F64_LANES) % LOSSI_WIDE;
        lanes[v] = lanes[v] + f64_load(x + j);
    }
    return f64_sum_sixteen(lanes);
}

/* Adds the probability of the paths that leave the states before a frame: 1 − p of what may follow, where the largest class
   is among that from what it leaves. */
static void lose(sequence *s, const double *alpha, const double *exponent, const frame *f)
{
    const f64v zero = f64_set1(0), one = f64_set1(1), rest = f64_set1(f->rest);
    const double *likely = s->state[LIKELY], *top = s->state[TOP], *skip = s->state[SKIP];
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const f64v past = f64_load(skip + j + 2);
        const f64v next = f64_load(likely + j) + f64_load(likely + j + 1) + past * f64_load(likely + j + 2);
        const f64v tops = f64_load(top + j) + f64_load(top + j + 1) + past * f64_load(top + j + 2);
        const f64v leaving = f64_max(zero, f64_select(f64_gt(tops, zero), rest, one) - next);
        const f64v here = lossi_scaled_plain(lossi_scaled_load(alpha + j, exponent + j));
        f64_store(s->state[POSTERIOR] + j, here * leaving);
    }
    s->lost += total(s, s->state[POSTERIOR]);
}

/* Row t of α; without a way back two rows are enough. */
static double *row_of(const sequence *s, double *array, int64_t t)
{
    return array + (s->backwards ? t : t % 2) * s->stride + BEFORE;
}

/* Nothing in any state, nor beyond them. */
static void clear_row(const sequence *s, double *m, double *exponent)
{
    for (int64_t j = -BEFORE; j < s->stride - BEFORE; j++) {
        m[j] = 0;
        exponent[j] = (double)-INFINITY;
    }
}

/* The first frame starts in the first blank or the first label. */
static void start(sequence *s, const frame *f)
{
    double *alpha = row_of(s, s->alpha, 0), *exponent = row_of(s, s->alpha_exponent, 0);
    const double *likely = s->state[LIKELY], *top = s->state[TOP];
    clear_row(s, alpha, exponent);
    for (int64_t j = 0; j < 2 && j < s->states; j++) {
        alpha[j] = s->state[EMITTED][j];
        exponent[j] = s->state[EMITTED_EXPONENT][j];
    }
    if (s->tangent) {
        double *mean = row_of(s, s->mean, 0);
        memset(mean - BEFORE, 0, (size_t)s->stride * sizeof *mean);
        for (int64_t j = 0; j < 2 && j < s->states; j++) {
            mean[j] = s->state[ALONG][j];
        }
    }
    s->lost = fmax(0, (top[0] + top[1] > 0 ? f->rest : 1) - (likely[0] + likely[1]));
}

static void step(sequence *s, int64_t t, const frame *f)
{
    const double *before = row_of(s, s->alpha, t - 1), *before_exponent = row_of(s, s->alpha_exponent, t - 1);
    double *alpha = row_of(s, s->alpha, t), *exponent = row_of(s, s->alpha_exponent, t);
    if (s->lost < 0.5) {
        lose(s, before, before_exponent, f);
    }
    clear_row(s, alpha, exponent);
    if (s->tangent) {
        memset(row_of(s, s->mean, t) - BEFORE, 0, (size_t)s->stride * sizeof *s->mean);
    }
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const f64v skip = f64_load(s->state[SKIP] + j);
        lossi_scaled past = lossi_scaled_load(before + j - 2, before_exponent + j - 2);
        past.m = skip * past.m;
        past.e = f64_select(f64_gt(past.m, f64_set1(0)), past.e, f64_set1((double)-INFINITY));
        const lossi_scaled_three from = lossi_scaled_align(
            lossi_scaled_load(before + j, before_exponent + j),
            lossi_scaled_load(before + j - 1, before_exponent + j - 1), past);
        const f64v sum = from.part[0] + from.part[1] + from.part[2];
        const lossi_scaled emitted = lossi_scaled_load(s->state[EMITTED] + j, s->state[EMITTED_EXPONENT] + j);
        lossi_scaled_store(alpha + j, exponent + j, lossi_scaled_of(sum * emitted.m, from.e + emitted.e));
        if (s->tangent) {
            const double *mean = row_of(s, s->mean, t - 1) + j;
            const f64v all = from.part[0] * f64_load(mean) + from.part[1] * f64_load(mean - 1) +
                             from.part[2] * f64_load(mean - 2);
            const f64v some = f64_select(f64_gt(sum, f64_set1(0)), all / sum, f64_set1(0));
            f64_store(row_of(s, s->mean, t) + j, some + f64_load(s->state[ALONG] + j));
        }
    }
}

/* The loss of the labels, from what has arrived in the last blank or the last label. */
static double arrived(sequence *s)
{
    const double infinity = (double)INFINITY;
    if (s->frames == 0) {
        return s->states == 1 ? 0 : infinity;
    }
    const double *alpha = row_of(s, s->alpha, s->frames - 1),
                 *exponent = row_of(s, s->alpha_exponent, s->frames - 1);
    const int64_t end = s->states - 1; /* before state 0 there is nothing */
    const double high = exponent[end] > exponent[end - 1] ? exponent[end] : exponent[end - 1];
    double parts[2];
    if (!(high > -infinity)) {
        return infinity;
    }
    for (int k = 0; k < 2; k++) {
        f64v plain = lossi_scaled_below((lossi_scaled){f64_set1(alpha[end - k]), f64_set1(exponent[end - k])},
                                        f64_set1(high));
        double lanes[F64_LANES];
        f64_store(lanes, plain);
        parts[k] = lanes[0];
    }
    if (s->lost < 0.5) {
        for (int64_t j = 0; j < s->states; j += F64_LANES) {
            f64_store(s->state[POSTERIOR] + j,
                      lossi_scaled_plain(lossi_scaled_load(alpha + j, exponent + j)));
        }
        for (int64_t j = end > 0 ? end - 1 : end; j < s->states + F64_LANES; j++) {
            s->state[POSTERIOR][j] = 0;
        }
        s->lost += total(s, s->state[POSTERIOR]);
    }
    if (s->lost < 0.5) {
        return -(double)lossi_first_lane(v_log1p(v_set1((real)-s->lost)));
    }
    return -(high * LN2_HIGH +
             (high * LN2_LOW + (double)lossi_first_lane(v_log(v_set1((real)(parts[0] + parts[1]))))));
}

static double forwards(sequence *s)
{
    for (int64_t t = 0; t < s->frames; t++) {
        frame f = begin_frame(s, t, s->tangent);
        if (s->tangent) {
            begin_direction(s, t, &f);
        }
        if (t == 0) {
            start(s, &f);
        } else {
            step(s, t, &f);
        }
    }
    return s->nan ? (double)NAN : arrived(s);
}

/* ---- backwards ---- */

/* β of a frame from B, what the next frame emits and continues with; posteriors of the states; B of this frame. */
static void step_back(sequence *s, int64_t t)
{
    const double *alpha = row_of(s, s->alpha, t), *alpha_exponent = row_of(s, s->alpha_exponent, t);
    double *back = s->state[BACK], *exponent = s->state[BACK_EXPONENT], *ahead = s->state[AHEAD];
    double highest = (double)-INFINITY, lanes[F64_LANES];
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const f64v skip = f64_load(s->state[SKIP] + j + 2), zero = f64_set1(0);
        lossi_scaled past = lossi_scaled_load(back + j + 2, exponent + j + 2);
        past.m = skip * past.m;
        past.e = f64_select(f64_gt(past.m, zero), past.e, f64_set1((double)-INFINITY));
        const lossi_scaled_three to = lossi_scaled_align(lossi_scaled_load(back + j, exponent + j),
                                                         lossi_scaled_load(back + j + 1, exponent + j + 1),
                                                         past);
        f64v sum = to.part[0] + to.part[1] + to.part[2], common = to.e;
        if (s->tangent) {
            const f64v all = to.part[0] * f64_load(ahead + j) + to.part[1] * f64_load(ahead + j + 1) +
                             to.part[2] * f64_load(ahead + j + 2);
            f64_store(s->state[REST] + j, f64_select(f64_gt(sum, zero), all / sum, zero));
            f64_store(ahead + j, f64_load(s->state[REST] + j) + f64_load(s->state[ALONG] + j));
        }
        if (t == s->frames - 1) { /* it may end in the last two states */
            sum = f64_load(s->state[LAST] + j);
            common = zero;
        }
        const lossi_scaled beta = lossi_scaled_of(sum, common);
        const lossi_scaled both = lossi_scaled_times(beta, lossi_scaled_load(alpha + j, alpha_exponent + j));
        lossi_scaled_store(s->state[POSTERIOR] + j, s->state[POSTERIOR_EXPONENT] + j, both);
        lossi_scaled_store(back + j, exponent + j,
                           lossi_scaled_times(beta, lossi_scaled_load(s->state[EMITTED] + j,
                                                                      s->state[EMITTED_EXPONENT] + j)));
        f64_store(lanes, both.e);
        for (int lane = 0; lane < F64_LANES; lane++) {
            highest = lanes[lane] > highest ? lanes[lane] : highest;
        }
    }
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const lossi_scaled both = lossi_scaled_load(s->state[POSTERIOR] + j,
                                                    s->state[POSTERIOR_EXPONENT] + j);
        f64_store(s->state[POSTERIOR] + j, lossi_scaled_below(both, f64_set1(highest)));
    }
    const f64v all = f64_set1(total(s, s->state[POSTERIOR]));
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        f64_store(s->state[POSTERIOR] + j, f64_load(s->state[POSTERIOR] + j) / all);
    }
}

/* Of each state post (E[V in it] − E[V]), into REST. */
static void turn_states(sequence *s, int64_t t)
{
    const double *mean = row_of(s, s->mean, t);
    double *rest = s->state[REST];
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        const f64v whole = f64_load(mean + j) + f64_load(rest + j);
        f64_store(rest + j, whole);
        f64_store(s->state[WEIGHED] + j, f64_load(s->state[POSTERIOR] + j) * whole);
    }
    const f64v centre = f64_set1(total(s, s->state[WEIGHED]));
    for (int64_t j = 0; j < s->states; j += F64_LANES) {
        f64_store(rest + j, f64_load(s->state[POSTERIOR] + j) * (f64_load(rest + j) - centre));
    }
}

/* ---- memory ---- */

static double *take(double **scratch, int64_t count)
{
    double *piece = *scratch;
    *scratch += padded(count);
    return piece;
}

/* Lays the arrays of a sequence out in scratch and gives the doubles they take; with scratch NULL only that. */
static int64_t lay_out(sequence *s, double *scratch, int64_t frames, int64_t labels, int64_t classes)
{
    double *end = scratch;
    s->states = 2 * labels + 1;
    s->stride = padded(BEFORE + s->states + BEYOND);
    s->alpha = take(&end, (frames > 2 ? frames : 2) * s->stride);
    s->alpha_exponent = take(&end, (frames > 2 ? frames : 2) * s->stride);
    s->mean = take(&end, (frames > 2 ? frames : 2) * s->stride);
    for (int k = 0; k < STATE_ARRAYS; k++) {
        s->state[k] = take(&end, s->stride);
    }
    s->gathered = take(&end, labels + 1 + LOSSI_LANES);
    s->power = take(&end, labels + 1 + LOSSI_LANES);
    s->chosen = (real *)(void *)take(&end, labels + 1 + LOSSI_LANES);
    s->label = (int64_t *)(void *)take(&end, s->states);
    s->posterior = take(&end, classes + LOSSI_LANES);
    s->turn = take(&end, classes + LOSSI_LANES);
    s->e = (real *)(void *)take(&end, classes + LOSSI_LANES);
    return end - scratch;
}

static void begin(sequence *s, int64_t labels, const int64_t *label, int64_t blank)
{
    for (int k = 0; k < STATE_ARRAYS; k++) {
        memset(s->state[k], 0, (size_t)s->stride * sizeof(double));
    }
    clear_row(s, s->state[BACK] + BEFORE, s->state[BACK_EXPONENT] + BEFORE);
    clear_row(s, s->state[EMITTED] + BEFORE, s->state[EMITTED_EXPONENT] + BEFORE);
    memset(s->posterior, 0, (size_t)(s->classes + LOSSI_LANES) * sizeof(double));
    memset(s->turn, 0, (size_t)(s->classes + LOSSI_LANES) * sizeof(double));
    memset(s->chosen, 0, (size_t)(labels + 1 + LOSSI_LANES) * sizeof(real));
    for (int64_t j = 0; j < s->states; j++) {
        s->label[j] = j % 2 == 0 ? blank : label[j / 2];
        s->state[SKIP][j] = j % 2 == 1 && j > 1 && label[j / 2] != label[j / 2 - 1];
        s->state[LAST][j] = j + 2 >= s->states;
        /* a path never collapses to labels with a blank among them */
        s->impossible |= j % 2 == 1 && label[j / 2] == blank;
    }
}

#endif
