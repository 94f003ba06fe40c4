/*
 * The way forwards through the times of Cox's likelihood, where every row is at risk from the beginning: a row's derivatives are its
 * own and the sums over the times up to its own. Of loss/cox.c, whose words it uses; loss/cox_entries.h is the way with late entries.
 */
#ifndef LOSSI_LOSS_COX_PAST_H
#define LOSSI_LOSS_COX_PAST_H

/* Sums over the past; of the largest row at risk those up to when it became that, and its own since then. */
typedef struct past {
    number inverse, square, along;
    int64_t top;
    number top_inverse, top_square, top_along, top_curvature, top_product;
} past;

static void put(const cohort *c, void *array, const member *m, number sum)
{
    const real total = (real)lossi_extended_double(sum);
    lossi_put((real *)array + m->row, c->probe + total * (real)c->part->scale);
}

static void finish(const cohort *c, const past *s, int64_t p)
{
    const lossi_derivatives *out = &c->part->output[PREDICTION];
    const member *m = &c->members[p];
    const int top = p == s->top;
    const number inverse = top ? s->top_inverse : s->inverse;
    if (c->gradient) {
        put(c, out->gradient, m, plus(m->own[GRADIENT], times(m->mass, s->inverse)));
    }
    if (c->curvature) {
        const number apart = minus(inverse, times(m->mass, top ? s->top_square : s->square));
        put(c, out->curvature, m,
            plus(m->own[CURVATURE], times(m->mass, top ? plus(apart, s->top_curvature) : apart)));
    }
    if (c->product) {
        const number apart = minus(by(inverse, m->direction), top ? s->top_along : s->along);
        put(c, out->product, m,
            plus(m->own[PRODUCT], times(m->mass, top ? plus(apart, s->top_product) : apart)));
    }
}

static void pass(const cohort *c, past *s, const moment *now)
{
    if (now->top != s->top) {
        s->top = now->top;
        s->top_inverse = s->inverse;
        s->top_square = s->square;
        s->top_along = s->along;
        s->top_curvature = s->top_product = lossi_extended_zero;
    }
    s->inverse = plus(s->inverse, now->inverse);
    if (c->curvature) {
        s->square = plus(s->square, now->square);
        s->top_curvature = plus(s->top_curvature, now->top_curvature);
    }
    if (c->product) {
        s->along = plus(s->along, now->along);
        s->top_product = plus(s->top_product, now->top_product);
    }
}

static void forwards(const cohort *c)
{
    const number zero = lossi_extended_zero;
    past s = {zero, zero, zero, -1, zero, zero, zero, zero, zero};
    for (int64_t first = 0, end; first < c->count; first = end) {
        for (end = first + 1; end < c->count && c->moments[end].top == -3; end++) {
        }
        for (int64_t p = first; p < end; p++) {
            if (c->members[p].event) {
                finish(c, &s, p);
            }
        }
        if (c->moments[first].top >= -1 && c->probe == 0) {
            pass(c, &s, &c->moments[first]);
        }
        for (int64_t p = first; p < end; p++) {
            if (!c->members[p].event) {
                finish(c, &s, p);
            }
        }
    }
}

#endif
