/*
 * Inside of structured.c: a part, which is a tile of rows or one group, on its way through the kernel.
 */
#ifndef LOSSI_LOSS_STRUCTURED_PART_H
#define LOSSI_LOSS_STRUCTURED_PART_H

#include "loss/structured_call.h"

/* The first bad number or label of a slice. */
typedef struct lossi_fault {
    loss_status status;
    int32_t role;
    int64_t row, label;
    double number;
} lossi_fault;

typedef struct lossi_slice {
    lossi_total total;
    lossi_fault wrong;
    double *shared; /* LOSSI_OF_COUNT rows for each column of each shared role */
} lossi_slice;

typedef struct lossi_run {
    lossi_structured_call call;
    const lossi_kernels *kernels;
    char *scratch;
    int64_t scratch_each;
    int64_t shared_columns;     /* of all shared roles together */
    int32_t plain, look_before; /* structured_plain.c: whole blocks in place; domains before the kernel */
    lossi_slice slices[LOSSI_SLICES];
} lossi_run;

/* A part while it is worked on. */
typedef struct lossi_work {
    lossi_run *r;
    lossi_slice *s;
    lossi_buffers b;
    int64_t unit, first, rows; /* its first unit; its rows in arrays of the first role */
    const int64_t *active;     /* NULL: all of them; else which count */
    int64_t count;             /* how many */
    lossi_part part;
} lossi_work;

/* A tile of rows, or groups one after the other: values to where they are wanted and onto the slice's total. 0 when a number
   or label is bad; what, is in the slice then. */
int32_t lossi_structured_run_rows(lossi_work *w, int64_t first, int64_t rows);
int32_t lossi_structured_run_groups(lossi_work *w, int64_t first, int64_t groups);

/* Whether the call is a plain one; and a block of such a call, with the same result. */
void lossi_structured_plain_init(lossi_run *r);
int32_t lossi_structured_run_plain(const lossi_run *r, lossi_slice *s, int64_t first, int64_t rows);

#endif
