/*
 * The reference vectors of a loss that reads more than predictions and targets (tests/reference/structured.py), as calls:
 * arrays by role, and exact results. Plain C: the programs that compare bits use it too.
 */
#ifndef LOSS_TEST_STRUCTURED_CASE_H
#define LOSS_TEST_STRUCTURED_CASE_H

#include <stdint.h>

#include "loss/loss.h"
#include "support/vectors.h"

enum { CASE_ARRAYS = 24, CASE_NAME = 48, CASE_NUMBERS = 512 };

/* An array of a call: what it holds, or what it should hold afterwards. */
typedef struct case_array {
    char role[CASE_NAME];   /* "prediction", "prediction.direction", "prediction.gradient", … */
    char layout[CASE_NAME]; /* "rows", "shared", "own", "offsets" */
    int32_t integers;       /* labels or offsets */
    int64_t rows, columns;
    double *number;      /* of inputs; integers too */
    exact_number *exact; /* of outputs */
} case_array;

typedef struct structured_case {
    loss_dtype dtype;
    int32_t generic, line;
    char options[160];
    int32_t inputs, outputs;
    case_array input[CASE_ARRAYS], output[CASE_ARRAYS];
} structured_case;

typedef struct case_file {
    int64_t count;
    structured_case *cases;
    double ulp;       /* the k of "within k ulp" */
    int32_t normwise; /* of the largest number of the row instead of each */
} case_file;

/* Reads the cases of a loss; 0, or the number of the line that is wrong, or −1 when there is no file. */
int cases_read(const char *name, case_file *out);
void cases_free(case_file *file);

/* The input or output of that role, NULL when there is none. */
const case_array *case_input(const structured_case *given, const char *role);
const case_array *case_output(const structured_case *given, const char *role);

#endif
