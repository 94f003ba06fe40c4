/*
 * Losses that read more than predictions and targets: several differentiable arrays, groups of rows, shared parameters.
 *
 * A row of the catalogue with a lossi_structure declares its roles. What is the same for all of them stands in structured.c:
 * roles become arrays, arrays are checked and made contiguous, masked rows leave, weights multiply, sums keep their order,
 * outputs are put away. A kernel sees a part: a tile of rows, or one group, as plain arrays.
 *
 * For each differentiable role R there are the outputs R.gradient, R.curvature, R.product and the input R.direction; the
 * product is the whole matrix of second derivatives times all directions, a direction that is not given being 0.
 */
#ifndef LOSSI_LOSS_STRUCTURED_H
#define LOSSI_LOSS_STRUCTURED_H

#include "core/data.h"
#include "loss/row.h"

enum { LOSSI_ROLES = 8 };

/* What a role holds. */
enum {
    LOSSI_ROLE_REAL,  /* numbers of the element type; integers are converted */
    LOSSI_ROLE_LABEL, /* int32 or int64; a kernel sees int64 */
    LOSSI_ROLE_OFFSETS /* int32 or int64, groups + 1 of them: group g is rows offsets[g] … offsets[g + 1] − 1 */
};

/* How many rows it has. */
enum {
    LOSSI_ROWS_ALL,    /* as many as the first role */
    LOSSI_ROWS_SHARED, /* one, which belongs to every row; its derivatives are summed over the rows */
    LOSSI_ROWS_OWN,    /* any number, in groups by the role that lossi_role.groups names */
    LOSSI_ROWS_ANY     /* any number, all of which belong to every row; for losses with a driver */
};

/* How many columns, when not a positive number. */
enum { LOSSI_COLUMNS_SAME = 0 /* as many as the first role */, LOSSI_COLUMNS_ANY = -1 };

enum { LOSSI_OPTIONAL = 1, LOSSI_DIFFERENTIABLE = 2 };

typedef struct lossi_role {
    const char *name;
    int32_t kind, rows, columns;
    uint32_t flags;
    const char *groups;  /* the role with the offsets of its groups, NULL for "offsets" */
    lossi_domain domain; /* of numbers; all zeros: everything */
    /*
     * What it is, for users: "SHAPE, TYPE: meaning", or "SHAPE, TYPE, optional: meaning". TYPE is "real" or "integer". Sentences
     * quote the shape, which is therefore without a comma.
     */
    const char *doc;
} lossi_role;

/* An array of a part: contiguous, row-major. */
typedef struct lossi_input {
    const void *data; /* real, or int64_t for labels; NULL: not given */
    int64_t rows, columns;
} lossi_input;

/* What is wanted of a differentiable role, laid out like its input; for a shared role one row for each row of the part. */
typedef struct lossi_derivatives {
    const void *direction; /* there whenever a product is wanted */
    void *gradient, *curvature, *product;
} lossi_derivatives;

/*
 * What a kernel works on: a tile of rows, or the rows of one group. Every wanted output is written in full. A product is
 * wanted of all differentiable roles that are given or of none, and a kernel scales derivatives by `scale`.
 */
typedef struct lossi_part {
    const lossi_prepared *prepared;
    double scale;
    int32_t curvature_kind;
    int64_t rows, columns; /* of the first role */
    lossi_input input[LOSSI_ROLES];
    lossi_derivatives output[LOSSI_ROLES];
    const double *weight; /* one a row, when the kernel weighs itself (LOSSI_OWN_WEIGHTS); NULL: 1 */
    void *value;          /* one a row (pointwise: an element), or one for the group */
    double *
        lanes; /* with LOSSI_ADDS_UP, where value is NULL: 16, onto which values are added (core/sum.h); and */
    int32_t *outside;    /* this is set to 1 where a number may lie outside its domain */
    double *denominator; /* the same: what it adds to the denominator; not for pointwise losses */
    void *scratch;       /* as many bytes as the structure asked for, aligned to 64 */
    int64_t ask_ahead;   /* elementwise: how many bytes ahead its arrays are asked for */
} lossi_part;

/* Shapes of a call, for the hooks: of a tile of rows, or of the largest group. */
typedef struct lossi_shape {
    int32_t real_size;
    int64_t rows[LOSSI_ROLES], columns[LOSSI_ROLES]; /* −1: not given */
} lossi_shape;

enum {
    LOSSI_GROUPED = 1,     /* rows come in groups: role "offsets"; without it all rows are one group */
    LOSSI_OWN_WEIGHTS = 2, /* weights are one a row and part of the formula, even in a group */
    LOSSI_ADDS_UP = 4 /* elementwise (loss/elementwise.h): its kernel can add values up and look at domains */
};

struct lossi_structured_call; /* loss/structured_call.h */

typedef struct lossi_structure {
    const lossi_role *roles; /* the first decides the element type, the rows and the columns */
    int32_t role_count;
    uint32_t flags;
    /* Of the role "weight", which every loss has, what lossi_role.doc is, with the denominator. May be NULL: loss/role.c says it. */
    const char *weight_doc;
    /* What the shapes of roles must be beyond that, or with these options; fails with a sentence. May be NULL. */
    loss_status (*check)(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape);
    /* How many classes the labels of a role have, from the shapes: labels are 0 … that − 1. May be NULL: any label. */
    int64_t (*classes)(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role);
    /* The class that no label of a role may be because it stands for none, the blank; −1: every class may. May be NULL: the same. */
    int64_t (*blank)(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role);
    /* Bytes of scratch of a kernel. May be NULL: none. */
    int64_t (*scratch)(const lossi_prepared *prepared, const lossi_shape *shape);
    /*
     * Runs a call whose arrays are found and checked (labels are not), in place of the parts of rows or groups. May be NULL; the
     * kernel then sees parts.
     */
    loss_status (*driver)(const struct lossi_structured_call *call, const lossi_kernels *kernels, double *sum,
                          double *denominator);
} lossi_structure;

struct loss_function;

/* loss_function_evaluate() for a function whose row has a structure; the arguments have been checked for NULL. */
loss_status lossi_structured_evaluate(loss_context *context, const struct loss_function *function,
                                      const loss_data *inputs, const loss_data *outputs, double *sum,
                                      double *denominator);

/* lossi_function_check_inputs() for such a function. */
loss_status lossi_structured_check(loss_context *context, const struct loss_function *function,
                                   const loss_data *inputs);

#endif
