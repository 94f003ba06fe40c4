/* Penalties of an optimizer, see composite.h. */
#include "optimizer/composite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradient/objective.h"
#include "gradient/penalty_row.h"
#include "optimizer/stochastic.h"

/* The vectors after the row's own: one to work in, then what the kinds need. */
enum { SCRATCH, FIRST_OF_KIND };

static int32_t extra_vectors(const loss_optimizer *optimizer, int32_t rough)
{
    const lossi_optimizer_row *row = optimizer->row;
    if (rough == 0) { /* the gradients of batches are not copied, so what is added to them needs a place */
        return row->stochastic != NULL && lossi_penalties_smooth(&optimizer->penalties);
    }
    return FIRST_OF_KIND + ((rough & row->handles & LOSSI_ROUGH_BOUNDS) != 0 ? 2 : 0) +
           ((rough & row->handles & LOSSI_ROUGH_L1) != 0 ? 1 : 0);
}

static int32_t extra(const loss_optimizer *optimizer, int32_t index)
{
    return 2 * optimizer->pairs + optimizer->layout.vectors -
           extra_vectors(optimizer, optimizer->machine.rough) + index;
}

static const lossi_penalties *borrowed(const loss_optimizer *optimizer)
{
    return optimizer->objective_penalties;
}

static lossi_segment_shape shape_at(const void *all, int64_t index)
{
    const lossi_segment *segment = (const lossi_segment *)all + index;
    return (lossi_segment_shape){segment->offset, segment->rows, segment->columns,
                                 segment->options[LOSSI_SEGMENT_PENALTY_FACTOR]};
}

/* The segments as penalties see them. */
static lossi_shapes shapes_of(const loss_optimizer *optimizer)
{
    return (lossi_shapes){optimizer->owner, optimizer->segments.all, optimizer->segments.count, shape_at};
}

/* ---- start ---- */

/* The rows that handle these kinds; those that draw batches only where the optimizer is one that does. */
static void list_names(const loss_optimizer *optimizer, int32_t kinds, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const lossi_optimizer_row *row = lossi_optimizer_row_at(i);
        int32_t alike = optimizer->row->stochastic != NULL || row->stochastic == NULL;
        if ((row->handles & kinds) == kinds && alike && used < size) {
            used += (size_t)snprintf(text + used, size - used, "%s'%s'", used == 0 ? "" : ", ", row->name);
        }
    }
}

static loss_status refuse(const loss_optimizer *optimizer, int32_t rough)
{
    char names[256];
    int32_t kinds = rough & ~optimizer->row->handles;
    const char *penalty = lossi_penalties_named(&optimizer->penalties, kinds);
    if (penalty == NULL && borrowed(optimizer) != NULL) {
        penalty = lossi_penalties_named(borrowed(optimizer), kinds);
    }
    if (penalty == NULL) {
        penalty = "a penalty of the checkpoint";
    }
    list_names(optimizer, rough, names, sizeof names);
    return lossi_fail(
        optimizer->context, LOSS_ERROR_SUPPORT, "%s cannot handle %s; %s%s", optimizer->owner, penalty,
        names[0] == '\0' ? "no optimizer handles all of the penalties together" : "take one of ", names);
}

static void bounds_of(const loss_optimizer *optimizer, loss_dtype dtype, int64_t i, double *lower,
                      double *upper)
{
    *lower = -INFINITY;
    *upper = INFINITY;
    lossi_penalties_bounds(&optimizer->penalties, dtype, optimizer->dimension, i, lower, upper);
    if (borrowed(optimizer) != NULL) {
        lossi_penalties_bounds(borrowed(optimizer), dtype, optimizer->objective_penalised, i, lower, upper);
    }
}

/* Whether the boxes leave every parameter a number: each has been looked at by itself, but not with the others. */
static loss_status check_bounds(const loss_optimizer *optimizer)
{
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        double lower, upper, least, most;
        bounds_of(optimizer, optimizer->dtype, i, &lower, &upper);
        if (!(lower <= upper)) {
            bounds_of(optimizer, LOSS_FLOAT64, i, &least, &most);
            return lossi_fail_row(optimizer->context, LOSS_ERROR_RANGE, i,
                                  "the bounds of parameter %lld leave it no %s number: at least %.17g and at "
                                  "most %.17g",
                                  (long long)i, loss_dtype_name(optimizer->dtype), least, most);
        }
    }
    return LOSS_OK;
}

loss_status lossi_composite_layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int32_t rough = lossi_penalties_rough(&optimizer->penalties) | optimizer->rough_hint;
    const lossi_shapes shapes = shapes_of(optimizer);
    loss_status status = lossi_penalties_check(&optimizer->penalties, optimizer->context,
                                               optimizer->dimension, &shapes);
    if (status == LOSS_OK && borrowed(optimizer) != NULL && lossi_penalties_shaped(borrowed(optimizer))) {
        status = lossi_penalties_check(borrowed(optimizer), optimizer->context,
                                       optimizer->objective_penalised, &shapes);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (borrowed(optimizer) != NULL) {
        rough |= lossi_penalties_rough(borrowed(optimizer));
    }
    if ((rough & ~optimizer->row->handles) != 0) {
        return refuse(optimizer, rough);
    }
    if ((rough & LOSSI_ROUGH_BOUNDS) != 0) {
        status = check_bounds(optimizer);
        if (status != LOSS_OK) {
            return status;
        }
    }
    if (optimizer->row->stochastic != NULL) {
        status = lossi_stochastic_check_proximal(optimizer, rough);
        if (status != LOSS_OK) {
            return status;
        }
    }
    lossi_penalties_seal(&optimizer->penalties);
    optimizer->rough = rough;
    layout->vectors += extra_vectors(optimizer, rough);
    return LOSS_OK;
}

static void fill(const loss_optimizer *optimizer, int32_t vector, double number)
{
    for (int64_t i = 0; i < optimizer->dimension; i++) {
        lossi_real_put(optimizer->dtype, lossi_vector(optimizer, vector), i, number);
    }
}

static void place_bounds(const loss_optimizer *optimizer)
{
    void *lower = lossi_vector(optimizer, lossi_lower_bounds(optimizer));
    void *upper = lossi_vector(optimizer, lossi_upper_bounds(optimizer));
    fill(optimizer, lossi_lower_bounds(optimizer), -INFINITY);
    fill(optimizer, lossi_upper_bounds(optimizer), INFINITY);
    lossi_penalties_narrow(&optimizer->penalties, optimizer->dtype, optimizer->dimension, lower, upper);
    if (borrowed(optimizer) != NULL) {
        lossi_penalties_narrow(borrowed(optimizer), optimizer->dtype, optimizer->objective_penalised, lower,
                               upper);
    }
}

static void place_weights(const loss_optimizer *optimizer)
{
    void *weights = lossi_vector(optimizer, lossi_l1_weights(optimizer));
    fill(optimizer, lossi_l1_weights(optimizer), 0.0);
    lossi_penalties_add_weights(&optimizer->penalties, optimizer->dtype, optimizer->dimension, weights);
    if (borrowed(optimizer) != NULL) {
        lossi_penalties_add_weights(borrowed(optimizer), optimizer->dtype, optimizer->objective_penalised,
                                    weights);
    }
}

static uint64_t own_digest(const loss_optimizer *optimizer)
{
    return lossi_penalties_digest(&optimizer->penalties, 0xcbf29ce484222325u);
}

void lossi_composite_start(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    m->rough = optimizer->rough;
    m->smooth = lossi_penalties_smooth(&optimizer->penalties);
    m->digest = lossi_composite_digest(optimizer);
    m->own_digest = own_digest(optimizer);
    if (lossi_lower_bounds(optimizer) >= 0) {
        place_bounds(optimizer);
    }
    if (lossi_l1_weights(optimizer) >= 0) {
        place_weights(optimizer);
    }
    lossi_prox(optimizer, lossi_pair_x(m->trial), 0.0);
}

uint64_t lossi_composite_digest(const loss_optimizer *optimizer)
{
    uint64_t digest = own_digest(optimizer);
    if (borrowed(optimizer) != NULL && lossi_penalties_rough(borrowed(optimizer)) != 0) {
        digest = lossi_penalties_digest(borrowed(optimizer), digest);
    }
    return digest;
}

/* Those of the run's objective may be the optimizer's own now: it then goes on by ask and tell. */
int32_t lossi_composite_fits(const loss_optimizer *optimizer, const lossi_machine *run)
{
    const uint64_t own = own_digest(optimizer);
    return own == run->own_digest || own == run->digest;
}

void lossi_composite_settle(loss_optimizer *optimizer)
{
    optimizer->unsettled = lossi_composite_digest(optimizer) != optimizer->machine.digest;
}

/* ---- answers ---- */

void lossi_composite_value(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    m->told_rough = 0.0;
    if (m->smooth) {
        m->told_value += lossi_penalties_value(&optimizer->penalties, optimizer->dtype, optimizer->dimension,
                                               lossi_vector(optimizer, lossi_pair_x(m->trial)));
    }
    if (m->rough != 0) {
        m->told_rough = lossi_rough_value(optimizer, lossi_pair_x(m->trial));
        m->told_value += m->told_rough;
    }
}

/* The answer has changed: its slope and norm are taken again. */
static void measure(loss_optimizer *optimizer, int32_t along)
{
    lossi_machine *m = &optimizer->machine;
    lossi_pass_result result = lossi_run(optimizer, optimizer->kernels->measure,
                                         &(lossi_operands){.in = {m->answer, along < 0 ? m->answer : along}});
    m->told_slope = result.sum[0];
    m->told_norm = result.maximum[0];
}

static void add_smooth(loss_optimizer *optimizer, int32_t at, int32_t what, int32_t along)
{
    lossi_penalties_add_to(&optimizer->penalties, optimizer->dtype, optimizer->dimension,
                           lossi_vector(optimizer, at), what, lossi_answer(optimizer));
    measure(optimizer, along);
}

void lossi_composite_gradient(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    int32_t finite = isfinite(m->told_norm);
    lossi_composite_value(optimizer);
    if (m->smooth) {
        add_smooth(optimizer, lossi_pair_x(m->trial), LOSSI_PENALTIES_GRADIENT, m->slope_along);
    }
    if (m->rough != 0 && finite) {
        m->told_norm = lossi_stationarity(optimizer, lossi_pair_x(m->trial), m->answer);
    }
}

/* Of a batch: f is the mean over it, the smooth parts count in full; h is not part of the value. */
void lossi_composite_batch(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    if (!m->smooth) {
        return;
    }
    const void *x = lossi_vector(optimizer, lossi_pair_x(m->point));
    void *sum = lossi_vector(optimizer, extra(optimizer, SCRATCH));
    m->told_value += lossi_penalties_value(&optimizer->penalties, optimizer->dtype, optimizer->dimension, x);
    memcpy(sum, optimizer->told, (size_t)(optimizer->dimension * loss_dtype_size(optimizer->dtype)));
    lossi_penalties_add_to(&optimizer->penalties, optimizer->dtype, optimizer->dimension, x,
                           LOSSI_PENALTIES_GRADIENT, sum);
    optimizer->told = sum;
}

void lossi_composite_product(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    if (m->smooth) {
        add_smooth(optimizer, m->direction, LOSSI_PENALTIES_PRODUCT, m->direction);
    }
}

void lossi_composite_hessian(loss_optimizer *optimizer)
{
    lossi_machine *m = &optimizer->machine;
    int64_t n = optimizer->dimension;
    for (int64_t i = 0; m->smooth && i < n; i++) {
        double *diagonal = &optimizer->doubles[m->matrix + i * n + i];
        *diagonal += lossi_penalties_curvature(&optimizer->penalties, optimizer->dtype, n, i);
        m->told_norm = fabs(*diagonal) <= m->told_norm ? m->told_norm : fabs(*diagonal);
    }
}

/* ---- for algorithms ---- */

void lossi_prox(const loss_optimizer *optimizer, int32_t vector, double step)
{
    if (optimizer->machine.rough == 0) {
        return;
    }
    const lossi_shapes shapes = shapes_of(optimizer);
    lossi_penalties_prox(&optimizer->penalties, optimizer->dtype, optimizer->dimension, &shapes, step,
                         lossi_vector(optimizer, vector));
    if (borrowed(optimizer) != NULL) {
        lossi_penalties_prox(borrowed(optimizer), optimizer->dtype, optimizer->objective_penalised, &shapes,
                             step, lossi_vector(optimizer, vector));
    }
}

void lossi_prox_way(const loss_optimizer *optimizer, int32_t x, int32_t way, double step)
{
    const void *from = lossi_vector(optimizer, x);
    const lossi_shapes shapes = shapes_of(optimizer);
    lossi_penalties_way(&optimizer->penalties, optimizer->dtype, optimizer->dimension, &shapes, step, from,
                        lossi_vector(optimizer, way));
    if (borrowed(optimizer) != NULL) {
        lossi_penalties_way(borrowed(optimizer), optimizer->dtype, optimizer->objective_penalised, &shapes,
                            step, from, lossi_vector(optimizer, way));
    }
}

double lossi_rough_value(const loss_optimizer *optimizer, int32_t vector)
{
    const void *x = lossi_vector(optimizer, vector);
    const lossi_shapes shapes = shapes_of(optimizer);
    double value = lossi_penalties_rough_value(&optimizer->penalties, optimizer->dtype, optimizer->dimension,
                                               &shapes, x);
    if (borrowed(optimizer) != NULL) {
        value += lossi_penalties_rough_value(borrowed(optimizer), optimizer->dtype,
                                             optimizer->objective_penalised, &shapes, x);
    }
    return value;
}

double lossi_stationarity(const loss_optimizer *optimizer, int32_t x, int32_t gradient)
{
    int32_t scratch = extra(optimizer, SCRATCH);
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {gradient, gradient}, .out = {scratch}, .scalar = {-1.0, 0.0}});
    lossi_prox_way(optimizer, x, scratch, 1.0);
    return lossi_norm(optimizer, scratch);
}

int32_t lossi_composite_scratch(const loss_optimizer *optimizer)
{
    return extra(optimizer, SCRATCH);
}

static int32_t has(const loss_optimizer *optimizer, int32_t kind)
{
    return (optimizer->machine.rough & optimizer->row->handles & kind) != 0;
}

int32_t lossi_lower_bounds(const loss_optimizer *optimizer)
{
    return has(optimizer, LOSSI_ROUGH_BOUNDS) ? extra(optimizer, FIRST_OF_KIND) : -1;
}

int32_t lossi_upper_bounds(const loss_optimizer *optimizer)
{
    return has(optimizer, LOSSI_ROUGH_BOUNDS) ? extra(optimizer, FIRST_OF_KIND + 1) : -1;
}

int32_t lossi_l1_weights(const loss_optimizer *optimizer)
{
    return has(optimizer, LOSSI_ROUGH_L1)
               ? extra(optimizer, FIRST_OF_KIND + 2 * has(optimizer, LOSSI_ROUGH_BOUNDS))
               : -1;
}
