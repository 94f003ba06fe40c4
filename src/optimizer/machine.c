/*
 * The ask/tell machine: start, ask, tell, and the limits that hold for every algorithm.
 *
 *     idle ──start──► running ──tell…──► finished ──start──► …
 *
 * While it runs, `request` is what is wanted. ask() names it; a tell that fits it is counted, judged and
 * handed to the algorithm, which asks for the next thing before the tell returns. So between calls the
 * machine is always waiting for one answer, and that is where a run can be stopped, inspected or, one day,
 * saved.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "optimizer/optimizer.h"

extern const lossi_vector_kernels LOSSI_ISA_DECLARE(vector_kernels);
static const lossi_vector_kernels *const kernel_table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    vector_kernels);

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector register */

/* ---- start ---- */

/* A block of at least `wanted` bytes: the one there is, kept for starting again, or a fresh one. NULL: no
 * memory. */
static void *reserve(const loss_optimizer *optimizer, void *block, int64_t size, int64_t wanted)
{
    return size >= wanted ? block : lossi_allocate(optimizer->context, wanted);
}

/* Takes over a block that is not the one there was. */
static void *keep(const loss_optimizer *optimizer, void *old, void *fresh)
{
    if (fresh != old) {
        lossi_release(optimizer->context, old);
    }
    return fresh;
}

/* Nothing is changed unless everything was there. */
static loss_status allocate(loss_optimizer *optimizer, int64_t vectors_size, int64_t integers_size)
{
    void *vectors = reserve(optimizer, optimizer->vectors, optimizer->vectors_size, vectors_size);
    void *integers = reserve(optimizer, optimizer->integers, optimizer->integers_size, integers_size);
    if (vectors == NULL || (integers == NULL && integers_size > 0)) {
        if (vectors != optimizer->vectors) {
            lossi_release(optimizer->context, vectors);
        }
        if (integers != optimizer->integers) {
            lossi_release(optimizer->context, integers);
        }
        return lossi_fail_memory(optimizer->context, "the workspace of an optimizer");
    }
    optimizer->vectors_size = vectors_size > optimizer->vectors_size ? vectors_size : optimizer->vectors_size;
    optimizer->integers_size = integers_size > optimizer->integers_size ? integers_size
                                                                        : optimizer->integers_size;
    optimizer->vectors = keep(optimizer, optimizer->vectors, vectors);
    optimizer->integers = keep(optimizer, optimizer->integers, integers);
    return LOSS_OK;
}

static loss_status prepare(loss_optimizer *optimizer)
{
    lossi_layout layout = {.pairs = 3};
    loss_status status = optimizer->row->layout(optimizer, &layout);
    if (status != LOSS_OK) {
        return status;
    }
    int64_t size = optimizer->dtype == LOSS_FLOAT64 ? 8 : 4;
    int64_t count = 2 * (int64_t)layout.pairs + layout.vectors;
    if (optimizer->dimension > (INT64_MAX / count - ALIGNMENT) / size || layout.integers > INT64_MAX / 8) {
        return lossi_fail_memory(optimizer->context, "the workspace of an optimizer");
    }
    int64_t stride = (optimizer->dimension * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    status = allocate(optimizer, count * stride, 8 * layout.integers);
    if (status == LOSS_OK) {
        optimizer->stride = stride;
        optimizer->pairs = layout.pairs;
    }
    return status;
}

static loss_status check_finite(const loss_optimizer *optimizer, const void *x0)
{
    lossi_pass pass = {.in = {x0}};
    if (isfinite(lossi_run_pass(optimizer, optimizer->kernels->norm, &pass).maximum[0])) {
        return LOSS_OK;
    }
    int64_t i = 0;
    while (isfinite(optimizer->dtype == LOSS_FLOAT64 ? ((const double *)x0)[i]
                                                     : (double)((const float *)x0)[i])) {
        i++;
    }
    return lossi_fail_row(optimizer->context, LOSS_ERROR_NONFINITE, i,
                          "the starting point of %s has a number that is not finite at %lld (counted from 0)",
                          optimizer->owner, (long long)i);
}

loss_status loss_optimizer_start(loss_optimizer *optimizer, const void *x0)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x0 == NULL) {
        return lossi_fail_null(optimizer->context, "x0");
    }
    optimizer->kernels =
        kernel_table[lossi_context_isa(optimizer->context)][lossi_real_index(optimizer->dtype)];
    loss_status status = check_finite(optimizer, x0);
    if (status == LOSS_OK) {
        status = prepare(optimizer);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_machine *m = &optimizer->machine;
    *m = (lossi_machine){
        .phase = LOSSI_RUNNING,
        .test = LOSSI_TEST_NONE,
        .value = NAN,
        .gradient_norm = NAN,
        .best_value = NAN,
        .best_norm = NAN,
        .held_out_value = NAN,
        .least_norm = INFINITY,
        .test_value = NAN,
        .test_threshold = NAN,
        .report = (int32_t)lossi_options_common(&optimizer->options, LOSSI_REPORT)->integer ||
                  optimizer->callback != NULL,
        .at = 0,
        .trial = 1,
        .spare = 2,
        .best = 1,
        .slope_along = -1,
        .direction = -1,
        .answer = -1};
    atomic_store(&optimizer->stop, 0);
    optimizer->explained = 0;
    optimizer->clock_start = lossi_clock();
    optimizer->max_seconds = lossi_options_common(&optimizer->options, LOSSI_MAX_SECONDS)->number;
    memset(optimizer->state, 0, (size_t)optimizer->row->state_size);
    memcpy(lossi_vector(optimizer, lossi_pair_x(m->trial)), x0,
           (size_t)optimizer->dimension * (optimizer->dtype == LOSS_FLOAT64 ? 8 : 4));
    optimizer->row->start(optimizer);
    return LOSS_OK;
}

/* ---- what an algorithm asks ---- */

static void request(loss_optimizer *optimizer, int32_t what)
{
    lossi_machine *m = &optimizer->machine;
    m->request = what;
    m->asked = 0;
    m->point = what == LOSS_REQUEST_HESSIAN_PRODUCT ? m->at : m->trial;
}

void lossi_request_value(loss_optimizer *optimizer)
{
    request(optimizer, LOSS_REQUEST_VALUE);
}

void lossi_request_gradient(loss_optimizer *optimizer, int32_t slope_along)
{
    optimizer->machine.slope_along = slope_along;
    optimizer->machine.answer = lossi_pair_gradient(optimizer->machine.trial);
    request(optimizer, LOSS_REQUEST_VALUE_AND_GRADIENT);
}

void lossi_request_product(loss_optimizer *optimizer, int32_t direction, int32_t answer)
{
    optimizer->machine.direction = direction;
    optimizer->machine.answer = answer;
    request(optimizer, LOSS_REQUEST_HESSIAN_PRODUCT);
}

void lossi_request_batch(loss_optimizer *optimizer, int32_t pair, int64_t offset, int64_t count)
{
    optimizer->machine.indices_offset = offset;
    optimizer->machine.indices_count = count;
    optimizer->machine.answer = lossi_pair_gradient(optimizer->machine.trial);
    request(optimizer, LOSS_REQUEST_BATCH_GRADIENT);
    optimizer->machine.point = pair;
}

void lossi_request_held_out(loss_optimizer *optimizer)
{
    request(optimizer, LOSS_REQUEST_HELD_OUT_VALUE);
}

void *lossi_answer(const loss_optimizer *optimizer)
{
    return lossi_vector(optimizer, optimizer->machine.answer);
}

/* ---- ask ---- */

loss_status loss_optimizer_ask(loss_optimizer *optimizer, int32_t *what)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    lossi_machine *m = &optimizer->machine;
    if (what == NULL) {
        return lossi_fail_null(optimizer->context, "request");
    }
    if (m->phase == LOSSI_IDLE) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s was asked before it was started",
                          optimizer->owner);
    }
    if (m->phase == LOSSI_RUNNING && atomic_load_explicit(&optimizer->stop, memory_order_relaxed)) {
        m->iterate_ready = 0;
        lossi_finish(optimizer, LOSS_STOP_USER, LOSSI_TEST_NONE, NAN, NAN);
    }
    m->shown = m->iterate_ready;
    if (m->iterate_ready) {
        m->iterate_ready = 0;
        *what = LOSS_REQUEST_NEW_ITERATE;
        return LOSS_OK;
    }
    if (m->phase == LOSSI_FINISHED && m->complete) {
        m->value = m->best_value;
        m->gradient_norm = m->best_norm;
    }
    m->asked = 1;
    *what = m->request;
    return LOSS_OK;
}

static loss_status not_part(const loss_optimizer *optimizer, const char *name)
{
    return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "'%s' is not part of what %s asks for now", name,
                      optimizer->owner);
}

/* The vector a name stands for now, −1 when it is not part of the request, −2 when there is no such name. */
static int32_t payload(const loss_optimizer *optimizer, const char *name)
{
    const lossi_machine *m = &optimizer->machine;
    if (strcmp(name, "x") == 0) {
        if (!m->shown && (!m->asked || m->phase != LOSSI_RUNNING)) {
            return -1;
        }
        return lossi_pair_x(m->shown ? m->at : m->point);
    }
    if (strcmp(name, "direction") == 0) {
        return m->asked && m->request == LOSS_REQUEST_HESSIAN_PRODUCT ? m->direction : -1;
    }
    if (strcmp(name, "best_x") == 0) {
        return lossi_pair_x(m->best);
    }
    if (strcmp(name, "best_gradient") == 0) {
        return m->complete ? lossi_pair_gradient(m->best) : -1;
    }
    return -2;
}

static const char *payload_name(const void *names, int32_t index)
{
    return ((const char *const *)names)[index];
}

loss_status loss_optimizer_get_pointer(const loss_optimizer *optimizer, const char *name,
                                       const void **pointer)
{
    static const char *const names[] = {"x", "direction", "indices", "best_x", "best_gradient"};
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL || pointer == NULL) {
        return lossi_fail_null(optimizer->context, name == NULL ? "name" : "pointer");
    }
    const lossi_machine *m = &optimizer->machine;
    if (strcmp(name, "indices") == 0) {
        if (!m->asked || m->shown || m->request != LOSS_REQUEST_BATCH_GRADIENT) {
            return not_part(optimizer, name);
        }
        *pointer = optimizer->integers + m->indices_offset;
        return LOSS_OK;
    }
    int32_t vector = m->phase == LOSSI_IDLE ? -1 : payload(optimizer, name);
    if (vector >= 0) {
        *pointer = lossi_vector(optimizer, vector);
        return LOSS_OK;
    }
    for (int32_t i = 0; i < 5; i++) {
        if (strcmp(name, names[i]) == 0) {
            return not_part(optimizer, name);
        }
    }
    return lossi_fail_name(optimizer->context, "part of a request called", name, payload_name, names, 5);
}

/* ---- tell ---- */

/* Whether this kind of answer fits what was asked. */
static loss_status expects(const loss_optimizer *optimizer, int32_t one, int32_t other)
{
    const lossi_machine *m = &optimizer->machine;
    if (m->phase != LOSSI_RUNNING || !m->asked) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s was told something it had not asked for",
                          optimizer->owner);
    }
    if (m->request != one && m->request != other) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                          "%s asked for request %d, which is not answered this way", optimizer->owner,
                          (int)m->request);
    }
    return LOSS_OK;
}

static void limit(loss_optimizer *optimizer, loss_status outcome, int32_t option, double value)
{
    lossi_finish(optimizer, outcome, option, value,
                 lossi_options_common(&optimizer->options, option)->number);
}

/* The limits are hard: no tell goes by without them. */
static void check_limits(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    const lossi_options *options = &optimizer->options;
    if (m->phase != LOSSI_RUNNING) {
        return;
    }
    if (m->iterations >= lossi_options_common(options, LOSSI_MAX_ITERATIONS)->integer) {
        limit(optimizer, LOSS_STOP_ITERATIONS, LOSSI_MAX_ITERATIONS, (double)m->iterations);
    } else if (m->evaluations >= lossi_options_common(options, LOSSI_MAX_EVALUATIONS)->integer) {
        limit(optimizer, LOSS_STOP_EVALUATIONS, LOSSI_MAX_EVALUATIONS, (double)m->evaluations);
    } else if (optimizer->max_seconds < INFINITY) { /* the clock is read only when it matters */
        double seconds = lossi_clock() - optimizer->clock_start;
        if (seconds >= optimizer->max_seconds) {
            limit(optimizer, LOSS_STOP_SECONDS, LOSSI_MAX_SECONDS, seconds);
        }
    }
}

/* A complete point can end the run wherever it was met, also inside a line search. */
static int32_t reached(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    double unbounded = lossi_options_common(&optimizer->options, LOSSI_UNBOUNDED_VALUE)->number;
    double target = lossi_options_common(&optimizer->options, LOSSI_TARGET_VALUE)->number;
    if (m->told_value <= unbounded) {
        lossi_finish(optimizer, LOSS_ERROR_UNBOUNDED, LOSSI_UNBOUNDED_VALUE, m->told_value, unbounded);
        return 1;
    }
    if (m->told_value <= target && isfinite(m->told_norm)) {
        lossi_finish(optimizer, LOSS_STOP_TARGET, LOSSI_TARGET_VALUE, m->told_value, target);
        return 1;
    }
    return 0;
}

static void advance(loss_optimizer *optimizer)
{
    optimizer->machine.evaluations++;
    optimizer->row->advance(optimizer);
    check_limits(optimizer);
}

loss_status loss_optimizer_tell_value(loss_optimizer *optimizer, double value)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = expects(optimizer, LOSS_REQUEST_VALUE, LOSS_REQUEST_HELD_OUT_VALUE);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_machine *m = &optimizer->machine;
    m->told_value = value;
    if (m->request == LOSS_REQUEST_HELD_OUT_VALUE) { /* of other data: no evaluation of f */
        m->held_out_value = value;
    } else {
        m->value_evaluations++;
    }
    advance(optimizer);
    return LOSS_OK;
}

loss_status loss_optimizer_tell_gradient(loss_optimizer *optimizer, double value, const void *gradient)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    lossi_machine *m = &optimizer->machine;
    if (gradient == NULL) {
        return lossi_fail_null(optimizer->context, "gradient");
    }
    loss_status status = expects(optimizer, LOSS_REQUEST_VALUE_AND_GRADIENT, LOSS_REQUEST_BATCH_GRADIENT);
    if (status != LOSS_OK) {
        return status;
    }
    if (m->request == LOSS_REQUEST_BATCH_GRADIENT) { /* its only reader passes over it as it stands */
        m->told_value = value;
        m->batches++;
        optimizer->told = gradient;
        advance(optimizer);
        optimizer->told = NULL;
        return LOSS_OK;
    }
    const void *along = m->slope_along < 0 ? gradient : lossi_vector(optimizer, m->slope_along);
    lossi_pass pass = {.in = {gradient, along}, .out = {lossi_answer(optimizer)}};
    lossi_pass_result result = lossi_run_pass(optimizer, optimizer->kernels->take, &pass);
    m->told_value = value;
    m->told_slope = result.sum[0];
    m->told_norm = result.maximum[0];
    m->value_evaluations++;
    m->gradient_evaluations++;
    lossi_consider_best(optimizer);
    if (reached(optimizer)) {
        m->evaluations++;
        return LOSS_OK;
    }
    advance(optimizer);
    return LOSS_OK;
}

loss_status loss_optimizer_tell_vector(loss_optimizer *optimizer, const void *vector)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    lossi_machine *m = &optimizer->machine;
    if (vector == NULL) {
        return lossi_fail_null(optimizer->context, "vector");
    }
    loss_status status = expects(optimizer, LOSS_REQUEST_HESSIAN_PRODUCT, LOSS_REQUEST_PRECONDITION);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_pass pass = {.in = {vector, lossi_vector(optimizer, m->direction)},
                       .out = {lossi_answer(optimizer)}};
    lossi_pass_result result = lossi_run_pass(optimizer, optimizer->kernels->take, &pass);
    m->told_slope = result.sum[0];
    m->told_norm = result.maximum[0];
    m->hessian_products += m->request == LOSS_REQUEST_HESSIAN_PRODUCT;
    advance(optimizer);
    return LOSS_OK;
}

/* ---- stop, outcome ---- */

void loss_optimizer_stop(loss_optimizer *optimizer)
{
    if (optimizer != NULL) {
        atomic_store_explicit(&optimizer->stop, 1, memory_order_relaxed);
    }
}

loss_status loss_optimizer_outcome(const loss_optimizer *optimizer, loss_status *status)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (status == NULL) {
        return lossi_fail_null(optimizer->context, "status");
    }
    if (optimizer->machine.phase == LOSSI_IDLE) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s has not been started", optimizer->owner);
    }
    *status = optimizer->machine.phase == LOSSI_FINISHED ? optimizer->machine.outcome : LOSS_OK;
    return LOSS_OK;
}
