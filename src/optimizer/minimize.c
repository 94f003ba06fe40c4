/*
 * loss_optimizer_minimize(): ask and tell in a loop over an objective.
 *
 * It uses the public functions of both sides. Answers are written straight into the optimizer's workspace, so
 * nothing is allocated and nothing copied twice.
 */
#include <math.h>
#include <string.h>

#include "gradient/objective.h"
#include "optimizer/composite.h"
#include "optimizer/stochastic.h"

loss_status loss_optimizer_set_iterate_callback(loss_optimizer *optimizer, loss_iterate_callback callback,
                                                void *user)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    optimizer->callback = callback;
    optimizer->callback_user = user;
    return LOSS_OK;
}

/* The penalties of the objective that have no derivative everywhere are the optimizer's while it minimises. */
static void borrow(loss_optimizer *optimizer, const loss_objective *objective)
{
    optimizer->objective_penalties = objective == NULL ? NULL : &objective->penalties;
    optimizer->objective_penalised = objective == NULL ? 0 : objective->penalised;
}

static loss_status check_objective(const loss_optimizer *optimizer, loss_objective *objective)
{
    loss_context *context = optimizer->context;
    loss_status status = loss_objective_prepare(objective);
    if (status != LOSS_OK) {
        return status;
    }
    if (loss_objective_dtype(objective) != optimizer->dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "%s works on %s, but the objective is a function of %s",
                          optimizer->owner, loss_dtype_name(optimizer->dtype),
                          loss_dtype_name(loss_objective_dtype(objective)));
    }
    if (loss_objective_dimension(objective) != optimizer->dimension) {
        return lossi_fail(context, LOSS_ERROR_SHAPE, "%s has dimension %lld, but the objective %lld",
                          optimizer->owner, (long long)optimizer->dimension,
                          (long long)loss_objective_dimension(objective));
    }
    return LOSS_OK;
}

static loss_status check(const loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    if (objective == NULL || x == NULL) {
        return lossi_fail_null(optimizer->context, objective == NULL ? "objective" : "x");
    }
    return check_objective(optimizer, objective);
}

/*
 * What cannot be evaluated ends the run; a value that is not finite is an answer like any other. Should that
 * end the run too, the objective's sentence, which names the row, is the better one.
 */
static int32_t ends(loss_optimizer *optimizer, loss_status status)
{
    optimizer->explained = status == LOSS_ERROR_NONFINITE;
    return status != LOSS_OK && status != LOSS_ERROR_NONFINITE;
}

loss_status loss_optimizer_set_held_out(loss_optimizer *optimizer, loss_objective *objective)
{
    loss_status status = lossi_optimizer_changeable(optimizer);
    if (status == LOSS_OK && objective != NULL && optimizer->row->stochastic == NULL) {
        status = lossi_fail(optimizer->context, LOSS_ERROR_SUPPORT, "%s makes no use of held-out data",
                            optimizer->owner);
    }
    if (status == LOSS_OK && objective != NULL) {
        status = check_objective(optimizer, objective);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (optimizer->held_out != NULL) {
        lossi_objective_drop(optimizer->held_out);
    }
    optimizer->held_out = objective == NULL ? NULL : lossi_objective_retain(objective);
    return LOSS_OK;
}

static loss_status answer_value(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    double value = NAN;
    loss_status status = loss_objective_evaluate(objective, x, &value, NULL);
    return ends(optimizer, status) ? status : loss_optimizer_tell_value(optimizer, value);
}

static loss_status answer_gradient(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    double value = NAN;
    void *gradient = lossi_answer(optimizer);
    loss_status status = loss_objective_evaluate(objective, x, &value, gradient);
    return ends(optimizer, status) ? status : loss_optimizer_tell_gradient(optimizer, value, gradient);
}

/* After a batch comes what follows it in the order of the epoch, but for methods that choose their batches. */
static loss_status answer_batch(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    const lossi_machine *m = &optimizer->machine;
    const lossi_stochastic *s = optimizer->state;
    double value = NAN;
    void *gradient = lossi_answer(optimizer);
    const void *indices = NULL;
    loss_status status = loss_optimizer_get_pointer(optimizer, "indices", &indices);
    if (status == LOSS_OK) {
        const int32_t in_order = optimizer->row->stochastic->ask == NULL;
        const lossi_batch batch = {m->indices_count, indices,
                                   in_order ? s->samples - (m->indices_offset + m->indices_count) : 0};
        status = lossi_objective_evaluate_batch(objective, x, batch, &value, gradient);
    }
    return ends(optimizer, status) ? status : loss_optimizer_tell_gradient(optimizer, value, gradient);
}

/* With the running statistics of the objective that trains, where it has any. */
static loss_status answer_held_out(loss_optimizer *optimizer, const loss_objective *objective, const void *x)
{
    double value = NAN;
    if (optimizer->held_out == NULL) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                          "%s asked for the held-out value: loss_optimizer_set_held_out() says of which data",
                          optimizer->owner);
    }
    if (objective->kind == optimizer->held_out->kind && objective->kind->follow != NULL) {
        objective->kind->follow(optimizer->held_out, objective);
    }
    loss_status status = loss_objective_evaluate(optimizer->held_out, x, &value, NULL);
    return ends(optimizer, status) ? status : loss_optimizer_tell_value(optimizer, value);
}

static loss_status answer_product(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    void *product = lossi_answer(optimizer);
    const void *direction = NULL;
    loss_status status = loss_optimizer_get_pointer(optimizer, "direction", &direction);
    if (status == LOSS_OK) {
        status = loss_objective_hessian_product(objective, x, direction, product);
    }
    return ends(optimizer, status) ? status : loss_optimizer_tell_vector(optimizer, product);
}

static loss_status answer_hessian(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    void *matrix = lossi_answer(optimizer);
    loss_status status = loss_objective_hessian(objective, x, matrix);
    return ends(optimizer, status) ? status : loss_optimizer_tell_vector(optimizer, matrix);
}

static loss_status answer_precondition(loss_optimizer *optimizer, loss_objective *objective, const void *x)
{
    void *product = lossi_answer(optimizer);
    const void *direction = NULL;
    loss_status status = loss_optimizer_get_pointer(optimizer, "direction", &direction);
    if (status == LOSS_OK) {
        status = loss_objective_precondition(objective, x, direction, product);
    }
    return ends(optimizer, status) ? status : loss_optimizer_tell_vector(optimizer, product);
}

static loss_status answer(loss_optimizer *optimizer, loss_objective *objective, int32_t request)
{
    const lossi_machine *m = &optimizer->machine;
    const void *x = lossi_vector(optimizer, lossi_pair_x(m->shown ? m->at : m->point));
    switch (request) {
    case LOSS_REQUEST_NEW_ITERATE:
        if (optimizer->callback != NULL && optimizer->callback(optimizer->callback_user, optimizer) != 0) {
            loss_optimizer_stop(optimizer);
        }
        return LOSS_OK;
    case LOSS_REQUEST_VALUE:
        return answer_value(optimizer, objective, x);
    case LOSS_REQUEST_VALUE_AND_GRADIENT:
        return answer_gradient(optimizer, objective, x);
    case LOSS_REQUEST_BATCH_GRADIENT:
        return answer_batch(optimizer, objective, x);
    case LOSS_REQUEST_HELD_OUT_VALUE:
        return answer_held_out(optimizer, objective, x);
    case LOSS_REQUEST_HESSIAN_PRODUCT:
        return answer_product(optimizer, objective, x);
    case LOSS_REQUEST_HESSIAN:
        return answer_hessian(optimizer, objective, x);
    case LOSS_REQUEST_PRECONDITION:
        return answer_precondition(optimizer, objective, x);
    default:
        return lossi_fail(optimizer->context, LOSS_ERROR_SUPPORT,
                          "%s asked for request %d, which no objective can answer", optimizer->owner,
                          (int)request);
    }
}

/* How many iterates there have been; of stochastic methods every step is one. */
static int64_t iterates(const loss_optimizer *optimizer)
{
    return optimizer->row->stochastic != NULL ? ((const lossi_stochastic *)optimizer->state)->steps
                                              : optimizer->machine.iterations;
}

/* What is asked for, and whether the answer made a new iterate: then the objective is told. */
static loss_status go_on(loss_optimizer *optimizer, loss_objective *objective, int32_t request)
{
    const int64_t before = iterates(optimizer);
    const loss_status status = answer(optimizer, objective, request);
    return status == LOSS_OK && iterates(optimizer) != before ? loss_objective_new_iterate(objective)
                                                              : status;
}

loss_status loss_optimizer_run(loss_optimizer *optimizer, loss_objective *objective, void *x)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = check(optimizer, objective, x);
    int32_t request = LOSS_REQUEST_DONE;
    if (status == LOSS_OK) {
        status = lossi_optimizer_free_to_start(optimizer);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (optimizer->machine.phase != LOSSI_IDLE) {
        borrow(optimizer, objective);
        lossi_composite_settle(optimizer);
    }
    optimizer->machine.report |= optimizer->callback != NULL;
    objective->smooth_only = 1;
    optimizer->driven = 1;
    optimizer->kinked = lossi_linear_kinked(objective);
    while ((status = loss_optimizer_ask(optimizer, &request)) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        status = go_on(optimizer, objective, request);
        if (status != LOSS_OK) { /* the objective has said why */
            loss_objective_get_int(objective, "callback_status", &optimizer->machine.callback_status);
            lossi_interrupt(optimizer, status, LOSSI_TEST_NONE, NAN, NAN);
        }
    }
    objective->smooth_only = 0;
    optimizer->driven = 0;
    optimizer->kinked = NULL;
    borrow(optimizer, NULL);
    if (optimizer->machine.phase != LOSSI_IDLE) {
        lossi_composite_settle(optimizer);
    }
    if (status != LOSS_OK) {
        return status;
    }
    memcpy(x, lossi_vector(optimizer, lossi_pair_x(optimizer->machine.best)),
           (size_t)optimizer->dimension * (optimizer->dtype == LOSS_FLOAT64 ? 8 : 4));
    return optimizer->machine.outcome;
}

loss_status loss_optimizer_minimize(loss_optimizer *optimizer, loss_objective *objective, void *x)
{
    if (optimizer == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (objective == NULL || x == NULL) {
        return lossi_fail_null(optimizer->context, objective == NULL ? "objective" : "x");
    }
    loss_status status = lossi_optimizer_free_to_start(optimizer);
    if (status == LOSS_OK) {
        status = check_objective(optimizer, objective);
    }
    if (status != LOSS_OK) {
        return status;
    }
    optimizer->samples_hint = 0;
    loss_objective_get_int(objective, "samples", &optimizer->samples_hint);
    borrow(optimizer, objective);
    status = loss_optimizer_start(optimizer, x);
    borrow(optimizer, NULL);
    optimizer->samples_hint = 0;
    return status == LOSS_OK ? loss_optimizer_run(optimizer, objective, x) : status;
}
