/*
 * The reference vectors of a loss (tests/data/reference, written by tests/reference/generate.py), read into groups: rows
 * of the same element type, options, number of columns and kind of target, which one call can evaluate.
 */
#ifndef LOSS_TEST_VECTORS_H
#define LOSS_TEST_VECTORS_H

#include <stdint.h>

#include "loss/loss.h"

enum { VECTOR_VALUE, VECTOR_GRADIENT, VECTOR_CURVATURE, VECTOR_PRODUCT, VECTOR_MAJORIZER, VECTOR_OUTPUTS };

/*
 * An exact result, and how far it goes down and up when every input moves by at most one ulp. Where it is a difference of larger terms,
 * their size.
 */
typedef struct exact_number {
    long double exact, down, up, terms;
} exact_number;

typedef struct vector_group {
    loss_dtype dtype;
    char options[160];
    int64_t rows, columns;
    int32_t labels;                          /* the target is one class label a row */
    int32_t untargeted;                      /* there is no target */
    int32_t available;                       /* bit per output: 1 << VECTOR_VALUE, … */
    double *prediction, *target, *direction; /* row-major; direction is 0 where the file has none */
    int64_t *label;
    int32_t *generic; /* rows that are no corner: finite, away from kinks */
    int32_t *line;    /* of the file */
    exact_number *exact[VECTOR_OUTPUTS];
} vector_group;

typedef struct vector_file {
    int64_t count;
    vector_group *groups;
    double ulp; /* the k of "within k ulp" */
} vector_file;

/* Reads the vectors of a loss; returns 0, or the number of the line that is wrong, or −1 when there is no file. */
int vectors_read(const char *name, vector_file *out);
void vectors_free(vector_file *file);

/* Sets the options of a group, as "delta=0.5;target_encoding=zero_one". */
loss_status vectors_configure(loss_function *function, const char *options);

/* Reads exact~down~up@terms, of which all but the first may be left out, and ~both; the end is the text's where there is no number. */
exact_number exact_read(const char *text, char **end);

/* Whether x is within `ulps`, of its size or its terms', of [exact − down, exact + up]; an infinity stands for everything above the largest number. */
int exact_contains(const exact_number *number, double x, double ulps, loss_dtype dtype);

/* How far outside, in ulps: for the report. */
double exact_distance(const exact_number *number, double x, loss_dtype dtype);

/* Whether a loss is of more than predictions and targets; in a context of its own. */
int32_t is_structured(const char *name);

#endif
