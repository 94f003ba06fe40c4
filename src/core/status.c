/* Statuses and the other public constants: one table of names, numbers and meanings. */
#include "loss/status.h"

#include <stddef.h>
#include <string.h>

#include "loss/data.h"
#include "loss/graph.h"
#include "loss/optimizer.h"
#include "loss/option.h"

typedef struct constant {
    const char *name;
    int32_t value;
    const char *message;
} constant;

#define CONSTANT(name, message)                                                                              \
    {                                                                                                        \
#name, name, message                                                                                 \
    }

/* Statuses first, each with its message; the others follow and have none. */
static const constant statuses[] = {
    CONSTANT(LOSS_OK, "done"),
    CONSTANT(LOSS_ERROR_ARGUMENT, "an argument is NULL, negative or otherwise impossible"),
    CONSTANT(LOSS_ERROR_MEMORY, "there is no memory"),
    CONSTANT(LOSS_ERROR_NAME, "there is nothing of that name"),
    CONSTANT(LOSS_ERROR_TYPE, "an element or option type does not fit"),
    CONSTANT(LOSS_ERROR_RANGE, "an option is outside its bounds"),
    CONSTANT(LOSS_ERROR_SHAPE, "rows or columns do not agree"),
    CONSTANT(LOSS_ERROR_STATE, "the call came out of order"),
    CONSTANT(LOSS_ERROR_SUPPORT, "what was asked for is not supported"),
    CONSTANT(LOSS_ERROR_CALLBACK, "a callback returned non-zero"),
    CONSTANT(LOSS_ERROR_NONFINITE, "a number that has to be finite is not"),
    CONSTANT(LOSS_ERROR_LABEL, "a class label is out of range"),
    CONSTANT(LOSS_ERROR_DOMAIN, "a prediction or target is outside the domain of the loss"),
    CONSTANT(LOSS_ERROR_FORMULA, "a formula cannot be read"),
    CONSTANT(LOSS_ERROR_LINE_SEARCH, "the line search found no acceptable step"),
    CONSTANT(LOSS_ERROR_UNBOUNDED, "the objective is unbounded below"),
    CONSTANT(LOSS_ERROR_DERIVATIVE, "the gradient contradicts the values of the objective"),
    CONSTANT(LOSS_ERROR_CHECKPOINT, "a checkpoint that is damaged, cut short, or of another optimizer"),
    CONSTANT(LOSS_ERROR_FILE, "a file cannot be opened, read or written"),
    CONSTANT(LOSS_ERROR_FORMAT, "the contents are not what the format says"),
    CONSTANT(LOSS_STOP_GRADIENT, "converged: the gradient is small enough"),
    CONSTANT(LOSS_STOP_VALUE, "converged: the objective hardly changes"),
    CONSTANT(LOSS_STOP_STEP, "converged: the parameters hardly change"),
    CONSTANT(LOSS_STOP_TARGET, "the objective reached the target"),
    CONSTANT(LOSS_STOP_ITERATIONS, "the limit of iterations was reached"),
    CONSTANT(LOSS_STOP_EVALUATIONS, "the limit of evaluations was reached"),
    CONSTANT(LOSS_STOP_SECONDS, "the time limit was reached"),
    CONSTANT(LOSS_STOP_PRECISION, "rounding hides any further progress"),
    CONSTANT(LOSS_STOP_USER, "stopped on request"),
};

static const constant others[] = {
    CONSTANT(LOSS_FLOAT32, NULL),
    CONSTANT(LOSS_FLOAT64, NULL),
    CONSTANT(LOSS_INT32, NULL),
    CONSTANT(LOSS_INT64, NULL),
    CONSTANT(LOSS_UINT8, NULL),
    CONSTANT(LOSS_OPTION_DOUBLE, NULL),
    CONSTANT(LOSS_OPTION_INT, NULL),
    CONSTANT(LOSS_OPTION_STRING, NULL),
    CONSTANT(LOSS_OPTION_ARRAY, NULL),
    CONSTANT(LOSS_ROWS, NULL),
    CONSTANT(LOSS_CHECK_OK, NULL),
    CONSTANT(LOSS_CHECK_WRONG, NULL),
    CONSTANT(LOSS_CHECK_KINK, NULL),
    CONSTANT(LOSS_CHECK_INCONCLUSIVE, NULL),
    CONSTANT(LOSS_REQUEST_VALUE, NULL),
    CONSTANT(LOSS_REQUEST_VALUE_AND_GRADIENT, NULL),
    CONSTANT(LOSS_REQUEST_HESSIAN_PRODUCT, NULL),
    CONSTANT(LOSS_REQUEST_HESSIAN, NULL),
    CONSTANT(LOSS_REQUEST_BATCH_GRADIENT, NULL),
    CONSTANT(LOSS_REQUEST_HELD_OUT_VALUE, NULL),
    CONSTANT(LOSS_REQUEST_PRECONDITION, NULL),
    CONSTANT(LOSS_REQUEST_NEW_ITERATE, NULL),
    CONSTANT(LOSS_REQUEST_DONE, NULL),
};

enum { STATUS_COUNT = sizeof statuses / sizeof *statuses, OTHER_COUNT = sizeof others / sizeof *others };

static const constant *find_status(loss_status status)
{
    for (int32_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i].value == status) {
            return &statuses[i];
        }
    }
    return NULL;
}

const char *loss_status_name(loss_status status)
{
    const constant *found = find_status(status);
    return found == NULL ? "LOSS_STATUS_UNKNOWN" : found->name;
}

const char *loss_status_message(loss_status status)
{
    const constant *found = find_status(status);
    return found == NULL ? "there is no such status" : found->message;
}

loss_status loss_constant(const char *name, int32_t *value)
{
    if (name == NULL || value == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    for (int32_t i = 0; i < STATUS_COUNT + OTHER_COUNT; i++) {
        const constant *row = i < STATUS_COUNT ? &statuses[i] : &others[i - STATUS_COUNT];
        if (strcmp(row->name, name) == 0) {
            *value = row->value;
            return LOSS_OK;
        }
    }
    return LOSS_ERROR_NAME;
}
