/*
 * One call of a loss that reads more than predictions and targets, made from a reference case: the case, or several copies
 * of it one behind the other, which is more rows, or more groups.
 */
#ifndef LOSS_TEST_STRUCTURED_CALL_H
#define LOSS_TEST_STRUCTURED_CALL_H

#include "support/structured_case.h"

typedef struct structured_call {
    const structured_case *given;
    int64_t copies;
    void *input[CASE_ARRAYS]; /* of the case's dtype, or int64 */
    int64_t input_rows[CASE_ARRAYS];
    int32_t outputs; /* value, then gradient, curvature and product of each differentiable role */
    char output_role[CASE_ARRAYS][CASE_NAME];
    int64_t output_rows[CASE_ARRAYS], output_columns[CASE_ARRAYS];
    void *output[CASE_ARRAYS];
    uint32_t want;   /* a bit per output; all at first */
    int64_t padding; /* elements between the rows of every array; 0 at first */
    double scale;    /* 1 at first */
    void *weight;    /* NULL at first: weight_rows × 1, owned */
    int64_t weight_rows;
    uint8_t *mask; /* NULL at first: one for each row of the first role, owned */
    double sum, denominator;
} structured_call;

structured_call call_create(const structured_case *given, int64_t copies, int64_t padding);
void call_free(structured_call *call);

/* Evaluates; outputs are 777 before, sum and denominator also when it fails. */
loss_status call_evaluate(loss_context *context, const loss_function *function, structured_call *call);

/* Whether an output is the gradient of a role; its curvature and product, if there are any, are the next two. */
int32_t call_is_gradient(const structured_call *call, int32_t output);

/* Element of an array, whatever the padding. */
double call_input(const structured_call *call, int32_t input, int64_t row, int64_t column);
void call_set_input(structured_call *call, int32_t input, int64_t row, int64_t column, double number);
double call_output(const structured_call *call, int32_t output, int64_t row, int64_t column);

/* All outputs wanted by both have the same bits, and so have sum and denominator. */
void assert_same_call(const structured_call *actual, const structured_call *expected);

#endif
