/*
 * A tile of rows in a pass of a linear model: where its features are, their products with parameters, and what is multiplied
 * back onto them; of dense rows and of sparse ones.
 */
#ifndef LOSSI_GRADIENT_LINEAR_TILE_H
#define LOSSI_GRADIENT_LINEAR_TILE_H

#include "gradient/linear_model.h"
#include "loss/evaluation.h"

enum { LOSSI_WOVEN_STEP = 2 }; /* numbers of a feature there */

typedef struct lossi_tile_pass {
    lossi_linear_model *model;
    lossi_linear_shape shape; /* of the kernels */
    const lossi_linear_kernels *kernels;
    const lossi_sparse_kernels *sparse_kernels;
    const lossi_sparse_features *sparse; /* the features, NULL: they are dense */
    lossi_evaluation e;
    lossi_cut cut;
    int32_t what;
    const int64_t *indices;
    int64_t following; /* that many indices more are those of the next batch, most likely */
    int64_t asked;     /* so many of the first rows were asked for by the pass before */
    int32_t serial;    /* whether one thread does all slices, in order */
    const lossi_array *features, *prediction; /* prediction: only when predicting */
    int32_t woven; /* whether parameters and sums lie side by side (linear_woven.h) */
    char *scratch;
    int64_t scratch_each;
    int32_t asks_ahead;
    lossi_total totals[LOSSI_SLICES];
} lossi_tile_pass;

/* The scratch of one worker, for one tile. */
typedef struct lossi_tile_work {
    const void **x; /* where its rows are */
    int64_t *rows;  /* which rows of the data they are, when some are masked */
    char *copy;     /* the features, when their columns are not contiguous, or their squares; a sparse row */
    lossi_sparse_row *entries; /* where its rows are, when they are sparse */
    double *merged;            /* a row of zeros, to add up entries of one column */
    int32_t *is_woven;         /* whether this worker's parameters are in the next already */
    double *woven;
    char *prediction; /* rows × outputs, and so the next two */
    char *directional, *derivative;
    double *wide;  /* the derivative as float64 */
    double *block; /* the sums of a block, in the padded layout */
    char *loss;
    int64_t asked, end;   /* up to which row features were asked for, and up to which they may be */
    lossi_upcoming ahead; /* the same of many outputs, whose products ask while they multiply */
    int32_t fresh;        /* whether nothing was summed yet where sums go */
} lossi_tile_work;

/* Whether the columns of dense features are not contiguous, and rows are copied. */
int32_t lossi_tile_copied(const lossi_array *features);

/* Whether the entries of a sparse row have to be added up before they are squared. */
int32_t lossi_tile_merging(const lossi_tile_pass *pass);

/* Lays out a worker's scratch and gives its size. */
int64_t lossi_tile_lay_out(const lossi_tile_pass *pass, char *scratch, lossi_tile_work *work);

/* Tiles from `row` on up to `end` come next, one after another: what may be asked for. */
void lossi_tile_begin(const lossi_tile_pass *pass, lossi_tile_work *work, int64_t row, int64_t end);

/* Where the rows of a tile are: gives how many count, leaving out masked ones before anything of them is read. */
int64_t lossi_tile_find_rows(const lossi_tile_pass *pass, const lossi_tile_work *work, int64_t first,
                             int64_t rows);

/* Predictions, unless they are known; of a Hessian product also along its direction. */
void lossi_tile_forward(const lossi_tile_pass *pass, lossi_tile_work *work, int64_t first, int64_t count,
                        char *prediction);

/* What the loss made of the tile, onto the sums about the parameters, or in their place when they are fresh. */
void lossi_tile_backward(const lossi_tile_pass *pass, lossi_tile_work *work, int64_t first, int64_t count,
                         double *sums);

#endif
