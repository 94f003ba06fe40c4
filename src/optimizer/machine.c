/*
 * The ask/tell machine: start, ask, tell, and the limits that hold for every algorithm.
 *
 *     idle ──start──► running ──tell…──► finished ──start──► …
 *
 * While it runs, `request` is what is wanted. ask() names it; a tell that fits it is counted, judged and
 * handed to the algorithm, which asks for the next thing before the tell returns. So between calls the
 * machine is always waiting for one answer, and that is where a run can be stopped, inspected or saved
 * (checkpoint.c). What stops a run from outside, a limit or the user, leaves that question open: resume asks it
 * again.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/composite.h"

/* ---- start ---- */

static loss_status check_finite(const loss_optimizer *optimizer, const void *x0)
{
    int64_t i = 0;
    while (i < optimizer->dimension &&
           isfinite(optimizer->dtype == LOSS_FLOAT64 ? ((const double *)x0)[i]
                                                     : (double)((const float *)x0)[i])) {
        i++;
    }
    if (i == optimizer->dimension) {
        return LOSS_OK;
    }
    return lossi_fail_row(optimizer->context, LOSS_ERROR_NONFINITE, i,
                          "the starting point of %s has a number that is not finite at %lld (counted from 0)",
                          optimizer->owner, (long long)i);
}

loss_status lossi_optimizer_free_to_start(const loss_optimizer *optimizer)
{
    if (!optimizer->driven) {
        return LOSS_OK;
    }
    return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                      "%s is minimising: no callback of that run can begin, go on with or load another",
                      optimizer->owner);
}

loss_status loss_optimizer_start(loss_optimizer *optimizer, const void *x0)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x0 == NULL) {
        return lossi_fail_null(optimizer->context, "x0");
    }
    loss_status status = lossi_optimizer_free_to_start(optimizer);
    if (status == LOSS_OK) {
        status = check_finite(optimizer, x0);
    }
    if (status == LOSS_OK) {
        status = lossi_workspace_prepare(optimizer);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_machine *m = &optimizer->machine;
    *m = (lossi_machine){.phase = LOSSI_RUNNING,
                         .test = LOSSI_TEST_NONE,
                         .value = NAN,
                         .gradient_norm = NAN,
                         .best_value = NAN,
                         .best_norm = NAN,
                         .held_out_value = NAN,
                         .least_norm = INFINITY,
                         .test_value = NAN,
                         .test_threshold = NAN,
                         .report = (int32_t)lossi_common(optimizer, LOSSI_REPORT)->integer ||
                                   optimizer->callback != NULL,
                         .at = 0,
                         .trial = 1,
                         .spare = 2,
                         .best = 1,
                         .slope_along = -1,
                         .direction = -1,
                         .answer = -1,
                         .samples = optimizer->samples_hint};
    atomic_store(&optimizer->stop, 0);
    optimizer->explained = optimizer->unsettled = 0;
    optimizer->clock_start = lossi_clock();
    optimizer->max_seconds = lossi_common(optimizer, LOSSI_MAX_SECONDS)->number;
    memset(optimizer->state, 0, (size_t)optimizer->row->state_size);
    memcpy(lossi_vector(optimizer, lossi_pair_x(m->trial)), x0,
           (size_t)optimizer->dimension * (optimizer->dtype == LOSS_FLOAT64 ? 8 : 4));
    lossi_composite_start(optimizer);
    optimizer->row->start(optimizer);
    return LOSS_OK;
}

/* ---- what an algorithm asks ---- */

/* Requests are numbered in blocks: those of second derivatives, and preconditioners, are at the iterate. */
static int32_t at_iterate(int32_t what)
{
    return what == LOSS_REQUEST_HESSIAN_PRODUCT || what == LOSS_REQUEST_HESSIAN ||
           what == LOSS_REQUEST_PRECONDITION;
}

static void request(loss_optimizer *optimizer, int32_t what)
{
    lossi_machine *m = &optimizer->machine;
    m->request = what;
    m->asked = 0;
    m->point = at_iterate(what) ? m->at : m->trial;
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

void lossi_request_precondition(loss_optimizer *optimizer, int32_t direction, int32_t answer)
{
    optimizer->machine.direction = direction;
    optimizer->machine.answer = answer;
    request(optimizer, LOSS_REQUEST_PRECONDITION);
}

void lossi_request_hessian(loss_optimizer *optimizer, int64_t matrix)
{
    optimizer->machine.matrix = matrix;
    request(optimizer, LOSS_REQUEST_HESSIAN);
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
    const lossi_machine *m = &optimizer->machine;
    if (m->request == LOSS_REQUEST_HESSIAN) {
        /* float32 numbers lie in the upper half of the matrix they will be widened to, see take_hessian() */
        int64_t n = optimizer->dimension;
        return (char *)(optimizer->doubles + m->matrix) + (optimizer->dtype == LOSS_FLOAT64 ? 0 : 4 * n * n);
    }
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
    if (optimizer->unsettled && m->phase == LOSSI_RUNNING) {
        return lossi_fail(
            optimizer->context, LOSS_ERROR_CHECKPOINT,
            "%s has other penalties now than the run began with: attach the same, or go on with the same "
            "objective",
            optimizer->owner);
    }
    if (m->phase == LOSSI_RUNNING && atomic_load_explicit(&optimizer->stop, memory_order_relaxed)) {
        lossi_interrupt(optimizer, LOSS_STOP_USER, LOSSI_TEST_NONE, NAN, NAN); /* a report due comes first */
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
        return m->asked &&
                       (m->request == LOSS_REQUEST_HESSIAN_PRODUCT || m->request == LOSS_REQUEST_PRECONDITION)
                   ? m->direction
                   : -1;
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
    if (name[0] == 'x' && name[1] == '\0' && m->asked && !m->shown && m->phase == LOSSI_RUNNING) {
        *pointer = lossi_vector(optimizer,
                                lossi_pair_x(m->point)); /* what is asked for at every evaluation */
        return LOSS_OK;
    }
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

/* How a request is answered, for sentences. */
static const char *answered_by(int32_t what)
{
    switch (what) {
    case LOSS_REQUEST_VALUE:
        return "a value: loss_optimizer_tell_value()";
    case LOSS_REQUEST_HELD_OUT_VALUE:
        return "a held-out value: loss_optimizer_tell_value()";
    case LOSS_REQUEST_VALUE_AND_GRADIENT:
        return "a value and a gradient: loss_optimizer_tell_gradient()";
    case LOSS_REQUEST_BATCH_GRADIENT:
        return "the gradient of a batch: loss_optimizer_tell_gradient()";
    case LOSS_REQUEST_HESSIAN:
        return "a Hessian: loss_optimizer_tell_vector()";
    case LOSS_REQUEST_HESSIAN_PRODUCT:
        return "a Hessian product: loss_optimizer_tell_vector()";
    default:
        return "a preconditioned vector: loss_optimizer_tell_vector()";
    }
}

/* Whether this kind of answer fits what was asked. */
static loss_status expects(const loss_optimizer *optimizer, int32_t one, int32_t other)
{
    const lossi_machine *m = &optimizer->machine;
    if (m->phase != LOSSI_RUNNING || !m->asked) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s was told something it had not asked for",
                          optimizer->owner);
    }
    if (m->request != one && m->request != other) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s asked for another thing, %s",
                          optimizer->owner, answered_by(m->request));
    }
    return LOSS_OK;
}

static void limit(loss_optimizer *optimizer, loss_status outcome, int32_t option, double value)
{
    lossi_interrupt(optimizer, outcome, option, value, lossi_common(optimizer, option)->number);
}

/* The limits are hard: no tell goes by without them. */
static void check_limits(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    if (m->phase != LOSSI_RUNNING) {
        return;
    }
    if (m->iterations >= lossi_common(optimizer, LOSSI_MAX_ITERATIONS)->integer) {
        limit(optimizer, LOSS_STOP_ITERATIONS, LOSSI_MAX_ITERATIONS, (double)m->iterations);
    } else if (m->evaluations >= lossi_common(optimizer, LOSSI_MAX_EVALUATIONS)->integer) {
        limit(optimizer, LOSS_STOP_EVALUATIONS, LOSSI_MAX_EVALUATIONS, (double)m->evaluations);
    } else if (optimizer->max_seconds < INFINITY) { /* the clock is read only when it matters */
        double seconds = lossi_clock() - optimizer->clock_start;
        if (seconds >= optimizer->max_seconds) {
            limit(optimizer, LOSS_STOP_SECONDS, LOSSI_MAX_SECONDS, seconds);
        }
    }
}

/* f has no minimum. */
static int32_t fell(loss_optimizer *optimizer)
{
    double value = optimizer->machine.told_value;
    double unbounded = lossi_common(optimizer, LOSSI_UNBOUNDED_VALUE)->number;
    if (value <= unbounded) {
        lossi_finish(optimizer, LOSS_ERROR_UNBOUNDED, LOSSI_UNBOUNDED_VALUE, value, unbounded);
    }
    return value <= unbounded;
}

/* A complete point can end the run wherever it was met, also inside a line search. */
static int32_t reached(loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    double target = lossi_common(optimizer, LOSSI_TARGET_VALUE)->number;
    if (fell(optimizer)) {
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
        lossi_composite_value(optimizer);
        if (fell(optimizer)) {
            m->evaluations++;
            return LOSS_OK;
        }
    }
    advance(optimizer);
    return LOSS_OK;
}

/* Takes an answer over, unless it was written where it belongs; its product with another vector and its norm. */
static lossi_pass_result take(const loss_optimizer *optimizer, const void *told, const void *along)
{
    void *answer = lossi_answer(optimizer);
    lossi_pass pass; /* no more is filled in than is read */
    pass.in[0] = told;
    pass.in[1] = along;
    pass.out[0] = answer;
    return told == answer ? lossi_run_part(optimizer, optimizer->kernels->measure, &pass, optimizer->padded)
                          : lossi_run_pass(optimizer, optimizer->kernels->take, &pass);
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
        lossi_composite_batch(optimizer);
        advance(optimizer);
        optimizer->told = NULL;
        return LOSS_OK;
    }
    const void *along = m->slope_along < 0 ? gradient : lossi_vector(optimizer, m->slope_along);
    lossi_pass_result result = take(optimizer, gradient, along);
    m->told_value = value;
    m->told_slope = result.sum[0];
    m->told_norm = result.maximum[0];
    m->value_evaluations++;
    m->gradient_evaluations++;
    lossi_composite_gradient(optimizer);
    lossi_consider_best(optimizer);
    if (reached(optimizer)) {
        m->evaluations++;
        return LOSS_OK;
    }
    advance(optimizer);
    return LOSS_OK;
}

/* The numbers told, widened to double, and the largest of them; NaN when one is. */
static void take_hessian(loss_optimizer *optimizer, const void *told)
{
    lossi_machine *m = &optimizer->machine;
    int64_t count = optimizer->dimension * optimizer->dimension;
    double *matrix = optimizer->doubles + m->matrix, largest = 0.0;
    for (int64_t i = 0; i < count; i++) { /* upwards: what is overwritten has been read */
        double element;
        if (optimizer->dtype == LOSS_FLOAT64) {
            element = ((const double *)told)[i];
        } else {
            float single;
            memcpy(&single, (const char *)told + 4 * i, sizeof single);
            element = single;
        }
        matrix[i] = element;
        largest = fabs(element) <= largest || largest != largest ? largest : fabs(element);
    }
    m->told_norm = largest;
    m->hessians++;
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
    if (m->request == LOSS_REQUEST_HESSIAN && m->phase == LOSSI_RUNNING && m->asked) {
        take_hessian(optimizer, vector);
        lossi_composite_hessian(optimizer);
        advance(optimizer);
        return LOSS_OK;
    }
    loss_status status = expects(optimizer, LOSS_REQUEST_HESSIAN_PRODUCT, LOSS_REQUEST_PRECONDITION);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_pass_result result = take(optimizer, vector, lossi_vector(optimizer, m->direction));
    m->told_slope = result.sum[0];
    m->told_norm = result.maximum[0];
    if (m->request == LOSS_REQUEST_HESSIAN_PRODUCT) {
        lossi_composite_product(optimizer);
    }
    m->hessian_products += m->request == LOSS_REQUEST_HESSIAN_PRODUCT;
    m->preconditions += m->request == LOSS_REQUEST_PRECONDITION;
    advance(optimizer);
    return LOSS_OK;
}

/* ---- stop, resume, outcome ---- */

void loss_optimizer_stop(loss_optimizer *optimizer)
{
    if (optimizer != NULL) {
        atomic_store_explicit(&optimizer->stop, 1, memory_order_relaxed);
    }
}

loss_status loss_optimizer_resume(loss_optimizer *optimizer)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    lossi_machine *m = &optimizer->machine;
    if (m->phase == LOSSI_RUNNING) {
        return LOSS_OK;
    }
    if (m->phase == LOSSI_IDLE || m->open_request == 0) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE, "%s cannot go on: %s", optimizer->owner,
                          m->phase == LOSSI_IDLE
                              ? "it was not started"
                              : "its run came to an end, or an option of its method was set since");
    }
    m->phase = LOSSI_RUNNING;
    m->request = m->open_request;
    m->value = m->open_value;
    m->gradient_norm = m->open_norm;
    m->open_request = m->asked = m->outcome = 0;
    m->test = LOSSI_TEST_NONE;
    m->test_value = m->test_threshold = NAN;
    optimizer->clock_start = lossi_clock() - m->seconds;
    optimizer->max_seconds = lossi_common(optimizer, LOSSI_MAX_SECONDS)->number;
    atomic_store(&optimizer->stop, 0);
    check_limits(optimizer);
    return LOSS_OK;
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
