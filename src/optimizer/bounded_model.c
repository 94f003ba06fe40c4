/*
 * The model of L-BFGS-B: its matrices, the generalised Cauchy point, the minimiser in the subspace.
 * See bounded_model.h; "eq." and "algorithm" are those of Byrd, Lu, Nocedal & Zhu (1995).
 */
#include "optimizer/bounded_model.h"

#include <math.h>

#include "optimizer/compact_system.h"
#include "optimizer/composite.h"

/* ---- memory ---- */

enum { SQUARES = 3 + 2 * 3, SMALL_VECTORS = 5 };

int64_t lossi_bounded_doubles(int64_t n, int64_t memory)
{
    return SQUARES * memory * memory + SMALL_VECTORS * 2 * memory + n;
}

int64_t lossi_bounded_integers(int64_t n)
{
    return 2 * n;
}

void lossi_bounded_start(const loss_optimizer *optimizer, lossi_bounded_model *model, int32_t memory)
{
    int64_t square = (int64_t)memory * memory;
    lossi_memory_start(optimizer, &model->memory);
    model->theta = 1.0;
    model->capacity = memory;
    model->sy = 0;
    model->ss = square;
    model->yy = 2 * square;
    model->middle = 3 * square;
    model->reduced = 6 * square;
    model->small = 9 * square;
    model->times = model->small + (int64_t)SMALL_VECTORS * 2 * memory;
    model->heap = 0;
    model->free_list = optimizer->dimension;
    model->lower = lossi_lower_bounds(optimizer);
    model->upper = lossi_upper_bounds(optimizer);
    model->constrained = 0;
    model->boxed = model->lower >= 0;
    for (int64_t i = 0; model->lower >= 0 && i < optimizer->dimension; i++) {
        int32_t low = isfinite(lossi_element(optimizer, model->lower, i));
        int32_t high = isfinite(lossi_element(optimizer, model->upper, i));
        model->constrained |= low || high;
        model->boxed &= low && high;
    }
}

void lossi_bounded_forget(lossi_bounded_model *model)
{
    lossi_memory_forget(&model->memory);
    model->theta = 1.0;
}

static double *matrix(const loss_optimizer *optimizer, const lossi_bounded_model *model, int64_t place,
                      int32_t row)
{
    return optimizer->doubles + place + (int64_t)row * model->capacity;
}

/* The oldest pair is gone: the matrices move up and to the left. */
static void shift(const loss_optimizer *optimizer, const lossi_bounded_model *model, int32_t count)
{
    const int64_t places[] = {model->sy, model->ss, model->yy};
    for (int32_t which = 0; which < 3; which++) {
        for (int32_t i = 0; i < count; i++) {
            const double *from = matrix(optimizer, model, places[which], i + 1);
            double *to = matrix(optimizer, model, places[which], i);
            for (int32_t j = 0; j < count; j++) {
                to[j] = from[j + 1];
            }
        }
    }
}

static void add_products(const loss_optimizer *optimizer, lossi_bounded_model *model)
{
    const lossi_limited_memory *memory = &model->memory;
    int32_t newest = memory->count - 1;
    int32_t s = lossi_pair_x(memory->kept[newest]), y = lossi_pair_gradient(memory->kept[newest]);
    for (int32_t j = 0; j <= newest; j++) {
        int32_t s_j = lossi_pair_x(memory->kept[j]), y_j = lossi_pair_gradient(memory->kept[j]);
        matrix(optimizer, model, model->sy, newest)[j] = lossi_dot(optimizer, s, y_j);
        matrix(optimizer, model, model->sy, j)[newest] = lossi_dot(optimizer, s_j, y);
        matrix(optimizer, model, model->ss, newest)[j] = matrix(optimizer, model, model->ss,
                                                                j)[newest] = lossi_dot(optimizer, s, s_j);
        matrix(optimizer, model, model->yy, newest)[j] = matrix(optimizer, model, model->yy,
                                                                j)[newest] = lossi_dot(optimizer, y, y_j);
    }
    model->theta = 1.0 / memory->scale;
}

void lossi_bounded_learn(loss_optimizer *optimizer, lossi_bounded_model *model)
{
    lossi_limited_memory *memory = &model->memory;
    if (memory->count == model->capacity) { /* room for one more row before it is measured */
        int32_t oldest = memory->kept[0];
        shift(optimizer, model, memory->count - 1);
        memory->count--;
        for (int32_t i = 0; i < memory->count; i++) {
            memory->kept[i] = memory->kept[i + 1];
            memory->rho[i] = memory->rho[i + 1];
        }
        memory->unused[memory->unused_count++] = oldest;
    }
    if (lossi_memory_learn(optimizer, memory)) {
        add_products(optimizer, model);
    }
    lossi_memory_find_trial(optimizer, memory);
}

/* ---- products with the model ---- */

enum { P_VECTOR, C_VECTOR, V_VECTOR, W_VECTOR, U_VECTOR };

static double *small(const loss_optimizer *optimizer, const lossi_bounded_model *model, int32_t which)
{
    return optimizer->doubles + model->small + (int64_t)which * 2 * model->capacity;
}

static lossi_compact_system system_at(const loss_optimizer *optimizer, const lossi_bounded_model *model,
                                      int64_t place)
{
    int64_t square = (int64_t)model->capacity * model->capacity;
    double *at = optimizer->doubles + place;
    return (lossi_compact_system){at, at + square, at + 2 * square, model->memory.count, model->capacity};
}

/* M⁻¹ factored: P = D, B = L, Q = θSᵀS (eq. 3.4). */
static int32_t factor_middle(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    lossi_compact_system s = system_at(optimizer, model, model->middle);
    for (int32_t i = 0; i < s.k; i++) {
        const double *sy = matrix(optimizer, model, model->sy, i),
                     *ss = matrix(optimizer, model, model->ss, i);
        for (int32_t j = 0; j < s.k; j++) {
            s.p[i * s.stride + j] = i == j ? sy[i] : 0.0;
            s.b[i * s.stride + j] = j < i ? sy[j] : 0.0;
            s.q[i * s.stride + j] = model->theta * ss[j];
        }
    }
    return lossi_compact_factor(&s);
}

static void middle_product(const loss_optimizer *optimizer, const lossi_bounded_model *model, const double *u,
                           double *v)
{
    lossi_compact_system s = system_at(optimizer, model, model->middle);
    lossi_compact_solve(&s, u, v);
}

/* out = Wᵀ · vector */
static void w_transposed(const loss_optimizer *optimizer, const lossi_bounded_model *model, int32_t vector,
                         double *out)
{
    const lossi_limited_memory *memory = &model->memory;
    for (int32_t j = 0; j < memory->count; j++) {
        out[j] = lossi_dot(optimizer, lossi_pair_gradient(memory->kept[j]), vector);
        out[memory->count + j] = model->theta * lossi_dot(optimizer, lossi_pair_x(memory->kept[j]), vector);
    }
}

/* vector += factor · W · u */
static void add_w(const loss_optimizer *optimizer, const lossi_bounded_model *model, double factor,
                  const double *u, int32_t vector)
{
    const lossi_limited_memory *memory = &model->memory;
    for (int32_t j = 0; j < memory->count; j++) {
        const double by[] = {factor * u[j], factor * model->theta * u[memory->count + j]};
        const int32_t column[] = {lossi_pair_gradient(memory->kept[j]), lossi_pair_x(memory->kept[j])};
        for (int32_t half = 0; half < 2; half++) {
            lossi_run(optimizer, optimizer->kernels->move,
                      &(lossi_operands){.in = {vector, column[half]}, .out = {vector}, .scalar = {by[half]}});
        }
    }
}

/* Row i of W. */
static void w_row(const loss_optimizer *optimizer, const lossi_bounded_model *model, int64_t i, double *out)
{
    const lossi_limited_memory *memory = &model->memory;
    for (int32_t j = 0; j < memory->count; j++) {
        out[j] = lossi_element(optimizer, lossi_pair_gradient(memory->kept[j]), i);
        out[memory->count + j] = model->theta * lossi_element(optimizer, lossi_pair_x(memory->kept[j]), i);
    }
}

static double dot_small(int32_t count, const double *a, const double *b)
{
    double sum = 0.0;
    for (int32_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* ---- the generalised Cauchy point (algorithm CP) ---- */

/* The path x − t∇f meets the bound of parameter i at this t: 0 where it starts at it, ∞ where there is none. */
static double breakpoint(const loss_optimizer *optimizer, const lossi_bounded_model *model, int64_t i)
{
    double g = lossi_element(optimizer, lossi_pair_gradient(optimizer->machine.at), i);
    if (model->lower < 0 || g == 0.0) {
        return INFINITY;
    }
    double x = lossi_element(optimizer, lossi_pair_x(optimizer->machine.at), i);
    double bound = lossi_element(optimizer, g < 0.0 ? model->upper : model->lower, i);
    return isfinite(bound) ? fmax((x - bound) / g, 0.0) : INFINITY;
}

/* A heap of parameters, the earliest breakpoint on top; equal ones by number, so that the order is defined. */
static int32_t earlier(const double *times, int64_t a, int64_t b)
{
    return times[a] < times[b] || (times[a] == times[b] && a < b);
}

static void sink(const double *times, int64_t *heap, int64_t count, int64_t at)
{
    int64_t item = heap[at];
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && earlier(times, heap[child + 1], heap[child]);
        if (!earlier(times, heap[child], item)) {
            break;
        }
        heap[at] = heap[child];
    }
    heap[at] = item;
}

/* d = −∇f where the path can leave x, point = x; gives how many breakpoints there are, in a heap. moving: how many
 * parameters move. */
static int64_t begin_path(const loss_optimizer *optimizer, const lossi_bounded_model *model, int64_t *moving)
{
    double *times = optimizer->doubles + model->times;
    int64_t *heap = optimizer->integers + model->heap, count = 0;
    int32_t gradient = lossi_pair_gradient(optimizer->machine.at);
    lossi_copy(optimizer, model->point, lossi_pair_x(optimizer->machine.at));
    *moving = 0;
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        times[i] = breakpoint(optimizer, model, i);
        lossi_set_element(optimizer, model->direction, i,
                          times[i] > 0.0 ? -lossi_element(optimizer, gradient, i) : 0.0);
        *moving += times[i] > 0.0;
        if (times[i] > 0.0 && isfinite(times[i])) {
            heap[count++] = i;
        }
    }
    for (int64_t at = count / 2 - 1; at >= 0; at--) {
        sink(times, heap, count, at);
    }
    return count;
}

/* The slope and curvature of the model along the path, and what they are kept up to date with. */
typedef struct path {
    double slope, curvature, least_curvature;
    double *p, *c, *v, *w; /* Wᵀd, Wᵀ(point − x), and room */
    int32_t twice;         /* 2k */
} path;

/* Parameter i arrives at its bound, a stretch dt after the last one (eq. 4.9 and 4.10). */
static void turn(const loss_optimizer *optimizer, const lossi_bounded_model *model, path *t, int64_t i,
                 double dt)
{
    double d = lossi_element(optimizer, model->direction, i);
    double x = lossi_element(optimizer, lossi_pair_x(optimizer->machine.at), i);
    double bound = lossi_element(optimizer, d > 0.0 ? model->upper : model->lower, i), way = bound - x;
    lossi_set_element(optimizer, model->direction, i, 0.0);
    lossi_set_element(optimizer, model->point, i, bound);
    t->slope += dt * t->curvature + d * d - model->theta * d * way;
    t->curvature -= model->theta * d * d;
    if (t->twice > 0) {
        for (int32_t j = 0; j < t->twice; j++) {
            t->c[j] += dt * t->p[j];
        }
        w_row(optimizer, model, i, t->w);
        middle_product(optimizer, model, t->w, t->v);
        t->slope += d * dot_small(t->twice, t->c, t->v);
        t->curvature += 2.0 * d * dot_small(t->twice, t->p, t->v) - d * d * dot_small(t->twice, t->w, t->v);
        for (int32_t j = 0; j < t->twice; j++) {
            t->p[j] -= d * t->w[j];
        }
    }
    t->curvature = fmax(t->least_curvature, t->curvature);
}

/* point = the first local minimiser of the model along the projected path; c = Wᵀ(point − x). */
static void cauchy_point(const loss_optimizer *optimizer, lossi_bounded_model *model)
{
    double *times = optimizer->doubles + model->times, arrived = 0.0;
    int64_t *heap = optimizer->integers + model->heap, moving;
    int64_t left = begin_path(optimizer, model, &moving);
    path t = {.p = small(optimizer, model, P_VECTOR),
              .c = small(optimizer, model, C_VECTOR),
              .v = small(optimizer, model, V_VECTOR),
              .w = small(optimizer, model, W_VECTOR),
              .twice = 2 * model->memory.count};
    t.slope = -lossi_dot(optimizer, model->direction, model->direction);
    t.curvature = -model->theta * t.slope;
    w_transposed(optimizer, model, model->direction, t.p);
    for (int32_t j = 0; j < t.twice; j++) {
        t.c[j] = 0.0;
    }
    t.least_curvature = lossi_epsilon(optimizer) * t.curvature;
    if (t.twice > 0) {
        middle_product(optimizer, model, t.p, t.v);
        t.curvature -= dot_small(t.twice, t.p, t.v);
    }
    double step = t.slope < 0.0 ? -t.slope / t.curvature : 0.0;
    model->segments++;
    while (left > 0) {
        int64_t i = heap[0];
        double dt = times[i] - arrived;
        if (step < dt) {
            break;
        }
        heap[0] = heap[--left];
        sink(times, heap, left, 0);
        arrived = times[i];
        turn(optimizer, model, &t, i, dt);
        step = --moving > 0 ? -t.slope / t.curvature : 0.0;
        model->segments++;
    }
    step = step > 0.0 ? step : 0.0;
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        double d = lossi_element(optimizer, model->direction, i);
        if (d != 0.0) {
            double x = lossi_element(optimizer, model->point, i);
            lossi_set_element(optimizer, model->point, i, x + (arrived + step) * d);
        }
    }
    for (int32_t j = 0; j < t.twice; j++) {
        t.c[j] += step * t.p[j];
    }
    lossi_prox(optimizer, model->point, 0.0); /* rounding */
}

/* ---- the subspace ---- */

/* Parameters of the Cauchy point between their bounds, in order. */
static void find_free(const loss_optimizer *optimizer, lossi_bounded_model *model)
{
    int64_t *list = optimizer->integers + model->free_list;
    model->free_count = 0;
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        double point = lossi_element(optimizer, model->point, i);
        if (model->lower < 0 || (point > lossi_element(optimizer, model->lower, i) &&
                                 point < lossi_element(optimizer, model->upper, i))) {
            list[model->free_count++] = i;
        }
    }
}

/* work = the negative reduced gradient of the model at the Cauchy point (eq. 5.4); 0 at the other parameters. */
static void reduced_gradient(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    int32_t x = lossi_pair_x(optimizer->machine.at), g = lossi_pair_gradient(optimizer->machine.at);
    lossi_run(
        optimizer, optimizer->kernels->move,
        &(lossi_operands){.in = {x, model->point}, .out = {model->work}, .scalar = {-1.0}}); /* x − point */
    lossi_run(
        optimizer, optimizer->kernels->combine,
        &(lossi_operands){.in = {model->work, g}, .out = {model->work}, .scalar = {model->theta, -1.0}});
    middle_product(optimizer, model, small(optimizer, model, C_VECTOR), small(optimizer, model, V_VECTOR));
    add_w(optimizer, model, 1.0, small(optimizer, model, V_VECTOR), model->work);
}

static void clear_bound(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    const int64_t *list = optimizer->integers + model->free_list;
    int64_t next = 0;
    for (int64_t i = 0; model->free_count < optimizer->dimension && i < optimizer->dimension; i++) {
        if (next < model->free_count && list[next] == i) {
            next++;
        } else {
            lossi_set_element(optimizer, model->work, i, 0.0);
        }
    }
}

/*
 * Products of the rows of W at the parameters at bounds: sy, ss and yy over them. The fewer of the two kinds of
 * parameters are gone through; the other sum is the rest.
 */
static void bound_products(const loss_optimizer *optimizer, const lossi_bounded_model *model, double *sy,
                           double *ss, double *yy)
{
    const int64_t *list = optimizer->integers + model->free_list;
    int64_t n = optimizer->dimension, next = 0;
    int32_t k = model->memory.count, stride = model->capacity, over_free = 2 * model->free_count < n;
    double *row = small(optimizer, model, W_VECTOR), *y = row, *s = row + k;
    for (int32_t i = 0; i < stride * k; i++) {
        sy[i] = ss[i] = yy[i] = 0.0;
    }
    for (int64_t i = 0; i < n; i++) {
        int32_t is_free = next < model->free_count && list[next] == i;
        next += is_free;
        if (is_free != over_free) {
            continue;
        }
        w_row(optimizer, model, i, row);
        for (int32_t a = 0; a < k; a++) {
            for (int32_t b = 0; b < k; b++) {
                sy[a * stride + b] += s[a] / model->theta * y[b];
                ss[a * stride + b] += s[a] / model->theta * (s[b] / model->theta);
                yy[a * stride + b] += y[a] * y[b];
            }
        }
    }
    for (int32_t a = 0; over_free && a < k; a++) {
        for (int32_t b = 0; b < k; b++) {
            sy[a * stride + b] = matrix(optimizer, model, model->sy, a)[b] - sy[a * stride + b];
            ss[a * stride + b] = matrix(optimizer, model, model->ss, a)[b] - ss[a * stride + b];
            yy[a * stride + b] = matrix(optimizer, model, model->yy, a)[b] - yy[a * stride + b];
        }
    }
}

/*
 * M⁻¹ − WᵀZZᵀW/θ factored, Z the free parameters:
 * P = D + YᵀZZᵀY/θ, B = L − SᵀZZᵀY, Q = θSᵀAAᵀS with A the parameters at bounds.
 */
static int32_t factor_reduced(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    lossi_compact_system s = system_at(optimizer, model, model->reduced);
    bound_products(optimizer, model, s.b, s.q, s.p);
    for (int32_t i = 0; i < s.k; i++) {
        const double *sy = matrix(optimizer, model, model->sy, i),
                     *yy = matrix(optimizer, model, model->yy, i);
        for (int32_t j = 0; j < s.k; j++) {
            double *p = &s.p[i * s.stride + j], *b = &s.b[i * s.stride + j], *q = &s.q[i * s.stride + j];
            *p = (yy[j] - *p) / model->theta + (i == j ? sy[i] : 0.0);
            *b = (j < i ? sy[j] : 0.0) - (sy[j] - *b);
            *q *= model->theta;
        }
    }
    return lossi_compact_factor(&s);
}

/* The largest share of the step `work` from point that keeps to the bounds, and the parameter that stops it. */
static double largest_share(const loss_optimizer *optimizer, const lossi_bounded_model *model, int64_t *stops)
{
    const int64_t *list = optimizer->integers + model->free_list;
    double share = 1.0;
    *stops = -1;
    for (int64_t l = 0; l < model->free_count; l++) {
        int64_t i = list[l];
        double d = lossi_element(optimizer, model->work, i), x = lossi_element(optimizer, model->point, i);
        double bound = lossi_element(optimizer, d > 0.0 ? model->upper : model->lower, i);
        if (d != 0.0 && share * fabs(d) > fabs(bound - x)) {
            share = (bound - x) / d;
            *stops = i;
        }
    }
    return share;
}

/*
 * point = that point plus the step `work` brought back into the bounds; when that leads uphill, as far as the bounds
 * allow along the step instead (Morales & Nocedal 2011).
 */
static void take_step(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    int32_t x = lossi_pair_x(optimizer->machine.at), g = lossi_pair_gradient(optimizer->machine.at);
    int32_t trial = model->direction; /* free until the direction is known */
    lossi_run(optimizer, optimizer->kernels->move,
              &(lossi_operands){.in = {model->point, model->work}, .out = {trial}, .scalar = {1.0}});
    if (model->constrained) {
        double unbounded = lossi_dot(optimizer, trial, g);
        lossi_prox(optimizer, trial, 0.0);
        double slope = lossi_dot(optimizer, trial, g);
        if (slope != unbounded && slope - lossi_dot(optimizer, x, g) > 0.0) {
            int64_t stops;
            double share = largest_share(optimizer, model, &stops);
            lossi_run(
                optimizer, optimizer->kernels->move,
                &(lossi_operands){.in = {model->point, model->work}, .out = {trial}, .scalar = {share}});
            if (stops >= 0) {
                int32_t up = lossi_element(optimizer, model->work, stops) > 0.0;
                lossi_set_element(optimizer, trial, stops,
                                  lossi_element(optimizer, up ? model->upper : model->lower, stops));
            }
            lossi_prox(optimizer, trial, 0.0);
        }
    }
    lossi_copy(optimizer, model->point, trial);
}

/* work = (work + ZᵀW K⁻¹WᵀZ work / θ) / θ: the step to the minimiser (eq. 5.11). */
static void subspace_step(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    lossi_compact_system s = system_at(optimizer, model, model->reduced);
    double *u = small(optimizer, model, U_VECTOR);
    w_transposed(optimizer, model, model->work, u);
    lossi_compact_solve(&s, u, u);
    add_w(optimizer, model, 1.0 / model->theta, u, model->work);
    clear_bound(optimizer, model);
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {model->work, model->work},
                                .out = {model->work},
                                .scalar = {1.0 / model->theta, 0.0}});
}

int32_t lossi_bounded_minimize(const loss_optimizer *optimizer, lossi_bounded_model *model)
{
    int32_t x = lossi_pair_x(optimizer->machine.at), known = model->memory.count > 0;
    if (known && !factor_middle(optimizer, model)) {
        return 0;
    }
    if (!known && !model->constrained) { /* not as a difference: that of large x would have few digits */
        int32_t g = lossi_pair_gradient(optimizer->machine.at);
        lossi_run(optimizer, optimizer->kernels->combine,
                  &(lossi_operands){.in = {g, g}, .out = {model->direction}, .scalar = {-1.0, 0.0}});
        lossi_run(optimizer, optimizer->kernels->move,
                  &(lossi_operands){.in = {x, model->direction}, .out = {model->point}, .scalar = {1.0}});
        return 1;
    }
    if (model->constrained) {
        cauchy_point(optimizer, model);
        find_free(optimizer, model);
    } else { /* all are free: the subspace is everything */
        lossi_copy(optimizer, model->point, x);
        for (int32_t j = 0; j < 2 * model->memory.count; j++) {
            small(optimizer, model, C_VECTOR)[j] = 0.0;
        }
        find_free(optimizer, model);
    }
    if (known && model->free_count > 0) {
        if (!factor_reduced(optimizer, model)) {
            return 0;
        }
        reduced_gradient(optimizer, model);
        clear_bound(optimizer, model);
        subspace_step(optimizer, model);
        take_step(optimizer, model);
    }
    if (known && !model->constrained) { /* not as a difference here either */
        lossi_copy(optimizer, model->direction, model->work);
        return 1;
    }
    lossi_run(optimizer, optimizer->kernels->move,
              &(lossi_operands){.in = {model->point, x}, .out = {model->direction}, .scalar = {-1.0}});
    return 1;
}

double lossi_bounded_longest(const loss_optimizer *optimizer, const lossi_bounded_model *model)
{
    double longest = INFINITY;
    for (int64_t i = 0; model->constrained && i < optimizer->dimension; i++) {
        double d = lossi_element(optimizer, model->direction, i);
        if (d != 0.0) {
            double x = lossi_element(optimizer, lossi_pair_x(optimizer->machine.at), i);
            double way = lossi_element(optimizer, d > 0.0 ? model->upper : model->lower, i) - x;
            longest = d * way <= 0.0 ? 0.0 : longest * fabs(d) > fabs(way) ? way / d : longest;
        }
    }
    return longest;
}
