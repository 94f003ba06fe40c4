/*
 * Inside of cox.c: rows that are at risk from a time of their own on, in (start, time] (left truncation, or one row for each
 * interval in which a subject's score stays what it is).
 *
 * Going back in time rows join the risk set at their time and leave it at their start, and a sum that a row left could only be had
 * by subtraction. So sums are those of a tree over the rows, of which a join or a leave changes a branch. What all risk sets
 * together give a row is a sum over the event times in its interval: of a tree over these, but for the times when the row is the
 * largest one at risk, which are a few runs and walked one by one. All is additions, O(n log n).
 *
 * Andersen & Gill, Cox's regression model for counting processes (1982), eq. (2.3).
 */
#ifndef LOSSI_LOSS_COX_ENTRIES_H
#define LOSSI_LOSS_COX_ENTRIES_H

/* Where a row is among the event times, and where it is the largest at risk. */
typedef struct entry {
    int64_t from;              /* the first event time after its start */
    int64_t first_run, at_run; /* its runs, −1: none; at_run is the last */
} entry;

/* Event times `from` … `end` − 1 with the same largest row. */
typedef struct run {
    int64_t from, end, next;
} run;

/* Σ 1/S, 1/S² and Σ w e^x v / S² of some event times. */
typedef struct span {
    number inverse, square, along;
} span;

typedef struct entries {
    cohort *c;
    entry *rows;    /* in the order of the members */
    risk *tree;     /* leaf p at count + p, the root at 1 */
    int64_t *times; /* of each event time the place of its first member, latest first; then earliest first */
    run *runs;
    span *spans; /* a tree over the event times, leaf e at count_times + e */
    int64_t count_times, count_runs;
    const int64_t *by_start; /* rows, latest start first */
    int64_t *place;          /* of a row among the members */
    double *order;           /* scratch of sorting */
} entries;

static risk risk_of_nobody(void)
{
    const number zero = lossi_extended_zero;
    return (risk){zero, zero, zero, zero, -1, 0};
}

static risk together(const cohort *c, const risk *a, const risk *b)
{
    if (a->top < 0 || b->top < 0) {
        return a->top < 0 ? *b : *a;
    }
    const int second = lossi_extended_greater(c->members[b->top].mass, c->members[a->top].mass);
    const risk *large = second ? b : a, *small = second ? a : b;
    risk both = {plus(a->sum, b->sum),         a->along, plus(large->rest, small->sum), a->along, large->top,
                 a->infinities + b->infinities};
    if (c->product) {
        both.along = plus(a->along, b->along);
        both.rest_along = plus(large->rest_along, small->along);
    }
    return both;
}

static void renew_branch(entries *e, int64_t p)
{
    for (int64_t i = (e->c->count + p) / 2; i > 0; i /= 2) {
        e->tree[i] = together(e->c, &e->tree[2 * i], &e->tree[2 * i + 1]);
    }
}

static void enter(entries *e, int64_t p)
{
    risk one = risk_of_nobody();
    join(e->c, &one, p);
    e->tree[e->c->count + p] = one;
    renew_branch(e, p);
}

static void leave(entries *e, int64_t p)
{
    e->tree[e->c->count + p] = risk_of_nobody();
    renew_branch(e, p);
}

/* One row has no tree above its leaf, which is the root then. */
static const risk *at_risk(const entries *e)
{
    return &e->tree[1];
}

/* A run begins or goes on; times come latest first. */
static void note_largest(entries *e, int64_t time, int64_t top)
{
    run *last = e->count_runs > 0 ? &e->runs[e->count_runs - 1] : NULL;
    if (top < 0) {
        return;
    }
    if (last != NULL && last->next == top && last->end == time) { /* next: whose run, until all are known */
        last->end = time + 1;
        return;
    }
    e->runs[e->count_runs++] = (run){time, time + 1, top};
}

static void event_time(entries *e, tie *t, int32_t efron)
{
    cohort *c = e->c;
    const risk r = *at_risk(e);
    collect(c, &r, t);
    if (c->probe == 0) {
        const int32_t tied = efron && t->count > 1;
        means(c, &r, t, tied);
        if (tied) {
            put_efron(c, &r, t);
        }
        each_event(c, &r, t, tied);
        say(c, &r, t, &c->moments[t->first]);
    }
    note_largest(e, e->count_times, r.top);
    e->times[e->count_times++] = t->first;
}

static int32_t has_event(const cohort *c, const tie *t)
{
    int32_t found = 0;
    for (int64_t p = t->first; p < t->end; p++) {
        found |= c->members[p].event;
    }
    return found;
}

static void backwards_entries(entries *e)
{
    cohort *c = e->c;
    const void *starts = c->part->input[START].data, *times = c->part->input[TIME].data;
    const int32_t efron = c->part->prepared->parameters[TIES] != 0;
    int64_t gone = 0;
    tie t;
    for (int64_t i = 1; i < 2 * c->count; i++) {
        e->tree[i] = risk_of_nobody();
    }
    for (t.end = c->count; t.end > 0; t.end = t.first) {
        t.first = t.end - 1;
        while (c->moments[t.first].top == 1) {
            t.first--;
        }
        const double time = at(times, c->members[t.first].row);
        for (; gone < c->count && at(starts, e->by_start[gone]) >= time; gone++) {
            const int64_t p = e->place[e->by_start[gone]];
            e->rows[p].from = e->count_times;
            leave(e, p);
        }
        for (int64_t p = t.end - 1; p >= t.first; p--) {
            if (!c->members[p].event) {
                enter(e, p);
            }
        }
        const int32_t events = has_event(c, &t);
        if (events) {
            event_time(e, &t, efron);
        }
        for (int64_t p = t.end - 1; p >= t.first && events; p--) {
            if (c->members[p].event) {
                enter(e, p);
            }
        }
        mark_time(c, &t, events);
    }
    for (; gone < c->count; gone++) {
        e->rows[e->place[e->by_start[gone]]].from = e->count_times;
    }
}

/* Event times were numbered as they came, latest first: from here on earliest first. */
static void turn_around(entries *e)
{
    const int64_t n = e->count_times;
    for (int64_t k = 0; k < n / 2; k++) {
        const int64_t other = e->times[k];
        e->times[k] = e->times[n - 1 - k];
        e->times[n - 1 - k] = other;
    }
    for (int64_t p = 0; p < e->c->count; p++) {
        e->rows[p].from = n - e->rows[p].from;
        e->rows[p].first_run = e->rows[p].at_run = -1;
    }
    for (int64_t k = e->count_runs - 1; k >= 0; k--) { /* the earliest first */
        run *now = &e->runs[k];
        entry *row = &e->rows[now->next];
        *now = (run){n - now->end, n - now->from, -1};
        if (row->first_run < 0) {
            row->first_run = k;
        } else {
            e->runs[row->at_run].next = k;
        }
        row->at_run = k;
    }
}

static span of_both(const cohort *c, const span *a, const span *b)
{
    return (span){plus(a->inverse, b->inverse),
                  c->curvature || c->product ? plus(a->square, b->square) : a->square,
                  c->product ? plus(a->along, b->along) : a->along};
}

static void plant_spans(entries *e)
{
    const int64_t n = e->count_times;
    for (int64_t k = 0; k < n; k++) {
        const moment *m = &e->c->moments[e->times[k]];
        e->spans[n + k] = (span){m->inverse, m->square, m->along};
    }
    for (int64_t i = n - 1; i > 0; i--) {
        e->spans[i] = of_both(e->c, &e->spans[2 * i], &e->spans[2 * i + 1]);
    }
}

/* Onto `sum` what event times from … end − 1 say. */
static void add_span(const entries *e, int64_t from, int64_t end, span *sum)
{
    int64_t low = from + e->count_times, high = end + e->count_times;
    for (; low < high; low /= 2, high /= 2) {
        if (low % 2 == 1) {
            *sum = of_both(e->c, sum, &e->spans[low++]);
        }
        if (high % 2 == 1) {
            *sum = of_both(e->c, sum, &e->spans[--high]);
        }
    }
}

/* What the event times before `end` give row p. */
static void finish_entry(const entries *e, int64_t p, int64_t end)
{
    const cohort *c = e->c;
    const lossi_derivatives *out = &c->part->output[PREDICTION];
    const member *m = &c->members[p];
    const number zero = lossi_extended_zero;
    span others = {zero, zero, zero};
    number inverse = zero, curvature = zero, product = zero; /* of the times when it is the largest */
    int64_t from = e->rows[p].from;
    for (int64_t k = e->rows[p].first_run; k >= 0; k = e->runs[k].next) {
        add_span(e, from, e->runs[k].from, &others);
        for (from = e->runs[k].from; from < e->runs[k].end; from++) {
            const moment *now = &c->moments[e->times[from]];
            inverse = plus(inverse, now->inverse);
            curvature = c->curvature ? plus(curvature, now->top_curvature) : curvature;
            product = c->product ? plus(product, now->top_product) : product;
        }
    }
    add_span(e, from, end, &others);
    if (c->gradient) {
        put(c, out->gradient, m, plus(m->own[GRADIENT], times(m->mass, plus(others.inverse, inverse))));
    }
    if (c->curvature) {
        const number apart = minus(others.inverse, times(m->mass, others.square));
        put(c, out->curvature, m, plus(m->own[CURVATURE], times(m->mass, plus(apart, curvature))));
    }
    if (c->product) {
        const number apart = minus(by(others.inverse, m->direction), others.along);
        put(c, out->product, m, plus(m->own[PRODUCT], times(m->mass, plus(apart, product))));
    }
}

static void forwards_entries(entries *e)
{
    const cohort *c = e->c;
    int64_t before = 0; /* event times before that of the row */
    for (int64_t p = 0; p < c->count && c->probe != 0; p++) {
        e->rows[p] = (entry){0, -1, -1};
        finish_entry(e, p, 0); /* puts NaN */
    }
    if (c->probe != 0) {
        return;
    }
    turn_around(e);
    plant_spans(e);
    for (int64_t first = 0, end; first < c->count; first = end) {
        const int32_t now = c->moments[first].top >= -1; /* whether there are events */
        for (end = first; end == first || (end < c->count && c->moments[end].top == -3); end++) {
            finish_entry(e, end, c->members[end].event ? before : before + now);
        }
        before += now;
    }
}

/* Scratch for a group of so many rows, from `scratch` on; NULL only counts. Gives the bytes. */
static int64_t lay_out_entries(int64_t count, char *scratch, entries *e)
{
    const int64_t bytes[] = {count * (int64_t)sizeof(entry),
                             2 * count * (int64_t)sizeof(risk),
                             count * (int64_t)sizeof(int64_t),
                             count * (int64_t)sizeof(run),
                             2 * count * (int64_t)sizeof(span),
                             count * (int64_t)sizeof(int64_t),
                             lossi_order_scratch(count) * (int64_t)sizeof(double)};
    void *place[7];
    int64_t used = 0;
    for (int k = 0; k < 7; k++) {
        place[k] = scratch != NULL ? scratch + used : NULL;
        used += bytes[k];
    }
    e->rows = place[0];
    e->tree = place[1];
    e->times = place[2];
    e->runs = place[3];
    e->spans = place[4];
    e->place = place[5];
    e->order = place[6];
    return used;
}

/* Bytes of scratch behind the moments, of sorting too. */
static inline int64_t sweep_scratch(int64_t rows, int32_t starts)
{
    entries unused;
    return starts ? lay_out_entries(rows, NULL, &unused)
                  : lossi_order_scratch(rows) * (int64_t)sizeof(double);
}

/* Both ways through the rows, which have been sorted. */
static void sweep(cohort *c, char *scratch)
{
    entries e = {.c = c};
    if (c->part->input[START].data == NULL) {
        backwards(c);
        forwards(c);
        return;
    }
    lay_out_entries(c->count, scratch, &e);
    e.by_start = lossi_order_descending(c->part->input[START].data, c->count, e.order);
    for (int64_t p = 0; p < c->count; p++) {
        e.place[c->members[p].row] = p;
    }
    backwards_entries(&e);
    forwards_entries(&e);
}

#endif
