/* An operation with options, applied to parameters: its elements by a plan, and objectives made of it. */
#ifndef LOSS_TEST_OPERATION_CASE_H
#define LOSS_TEST_OPERATION_CASE_H

#include "gradient/graph/tape.h"
#include "support/check.h"

enum { CASE_OPTIONS = 5, CASE_INPUTS = 3 };

typedef struct case_option {
    const char *name; /* NULL: no more; of a string option "name=word" */
    int32_t count;    /* of an array; 0: numbers[0] is an int or a double, by the option; -1: a string */
    double numbers[4];
} case_option;

typedef struct operation_case {
    const char *operation;
    case_option options[CASE_OPTIONS];
    int32_t inputs;
    lossi_shape shapes[CASE_INPUTS];
} operation_case;

loss_context *case_context(int32_t threads);

/* The operation with its options set; every one of them has to be accepted. */
loss_operation *case_operation(loss_context *context, const operation_case *c);

int64_t case_elements(const lossi_shape *shape);
int64_t case_parameters(const operation_case *c);

/* The elements of the operation, new memory; its shape. `training` as in the purpose of a tape. */
void *case_forward(loss_context *context, const operation_case *c, loss_dtype dtype, const void *x,
                   int32_t training, lossi_shape *shape);

/* Σ r y² with y the elements of the operation and r the whole numbers 1 … 5 in turn. */
loss_objective *case_objective(loss_context *context, const operation_case *c, loss_dtype dtype);

/* Numbers of x: generic ones between −1 and 1, or whole ones between −3 and 3, of which products are exact. */
void *case_numbers(loss_dtype dtype, int64_t count, uint64_t seed, int whole);

/* Both checks of the objective pass in float64. */
void case_check(const operation_case *c, uint64_t seed);

/* Gradient and product at whole numbers in float32 are those in float64, to `relative`. */
void case_compare_types(const operation_case *c, double relative);

/* Value, gradient and product have the same bits on one, two and three threads and with every instruction set. */
void case_compare_bits(const operation_case *c, loss_dtype dtype);

/* Whichever allocation fails, LOSS_ERROR_MEMORY comes back and nothing is lost. The options are as they are by default. */
void case_without_memory(const operation_case *c);

/* Applying it fails with that status, and a sentence that contains the words. */
void case_refused(const operation_case *c, loss_status status, const char *words);

#endif
