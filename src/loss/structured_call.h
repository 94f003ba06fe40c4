/* One call of a loss with a structure, between finding its arrays (structured_roles.c) and running it (structured.c). */
#ifndef LOSSI_LOSS_STRUCTURED_CALL_H
#define LOSSI_LOSS_STRUCTURED_CALL_H

#include "loss/evaluation.h"
#include "loss/structured.h"

/* The outputs of a differentiable role, in the order of lossi_derivatives. */
enum { LOSSI_OF_GRADIENT, LOSSI_OF_CURVATURE, LOSSI_OF_PRODUCT, LOSSI_OF_COUNT };

typedef struct lossi_bound_role {
    const lossi_role *role;
    const lossi_array *input, *direction, *output[LOSSI_OF_COUNT]; /* NULL: not given, not wanted */
    const lossi_array *groups;                                     /* the offsets of an own number of rows */
    int64_t rows, columns;                                         /* −1: not given */
    int64_t classes, blank;                                        /* of labels; −1: any, none */
} lossi_bound_role;

typedef struct lossi_structured_call {
    loss_context *context;
    const loss_function *function;
    const lossi_structure *structure;
    const lossi_tile_kernels *tiles;
    loss_dtype dtype;
    int32_t real_size, pointwise, grouped, product_wanted;
    double scale;
    lossi_bound_role roles[LOSSI_ROLES];
    const lossi_array *weight, *mask, *value, *offsets;
    int64_t rows, columns; /* of the first role */
    int64_t units;         /* rows, or groups */
    lossi_cut cut;         /* of the units */
    lossi_shape shape;     /* of a tile, or of the largest group */
    int32_t shapes_only;   /* no element is looked at: offsets may be anything */
} lossi_structured_call;

/* The scratch of one worker, laid out for the largest part. */
typedef struct lossi_buffers {
    char *input[LOSSI_ROLES], *direction[LOSSI_ROLES], *output[LOSSI_ROLES][LOSSI_OF_COUNT];
    char *value, *kernel, *group_value;
    double *denominator, *weight, *group_denominator;
    void *real_weight;
    int64_t *active;
} lossi_buffers;

/* Whether derivatives of the role can be asked for in this call, and whether they are summed over the rows. */
int32_t lossi_structured_differentiable(const lossi_bound_role *bound);
int32_t lossi_structured_shared(const lossi_bound_role *bound);

/* Takes bytes, in whole cache lines, from *used on; base NULL only counts. */
char *lossi_structured_take(char *base, int64_t *used, int64_t bytes);

/* Lays out a worker's scratch from base on, or only counts it; gives the bytes. */
int64_t lossi_structured_lay_out(const lossi_structured_call *call, char *base, lossi_buffers *buffers);

/* Finds and checks every array of the call, and the shapes of its parts. Every status of loss_function_evaluate(). */
loss_status lossi_structured_bind(lossi_structured_call *call, const loss_data *inputs,
                                  const loss_data *outputs);

/* Offset `index` of an array of offsets; all `rows` in one group without one. */
int64_t lossi_offset(const lossi_array *offsets, int64_t index, int64_t rows);

#endif
