/*
 * What a matrix product is made of, per instruction set and element type: tiles of C that stay in registers, and copies of
 * factors into the order in which the tiles read them.
 *
 * A tile has tile_rows × tile_columns elements. Elements of A are spread over a vector, those of B are whole vectors:
 * B is read as a panel of tile_columns contiguous elements per step of inner, A with any strides.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_KERNELS_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_KERNELS_H

#include <stdint.h>

#include "gradient/matrix_product.h"

/* Steps of inner, and how far it is to the next ones beyond what they are apart. */
typedef struct lossi_product_run {
    int64_t steps, a_jump, b_jump;
} lossi_product_run;

/*
 * rows × columns of C over `inner` steps, at most LOSSI_PRODUCT_DEPTH of them, as tiles. Element (i, k) of A with i = t · tile_rows
 * + r is a[t · a_tile + r · a_row + k · a_inner]; (k, j) of B with j = p · tile_columns + l is b[p · b_panel + k · b_inner + l],
 * where a panel is as wide as vectors are, also the last. The block's sums are added to element (i, j) of C, c[i · c_row +
 * j · c_column], or with `fresh` are C.
 *
 * With b_kept, and a copy of A in tiles of near_rows or more, the first tile of a panel that is whole copies B there while it reads it,
 * as copy_b() does, and the tiles below read the copy: one panel at a time.
 *
 * With a_rows row i of A begins at a[a_rows[i]] instead, and with b_vectors vector v of B's columns at b[b_vectors[v]]. With `runs` the
 * steps are those of one run after the other, all `inner` of them.
 *
 * What is a_ahead elements behind A and b_ahead behind B is asked for while they are read: nothing where that is 0. What is read
 * soon - to be laid out or copied, for the next block - is asked for too, a share of it before each tile.
 */
enum { LOSSI_PRODUCT_SOON = 2 };

typedef struct lossi_product_block {
    int64_t rows, columns, inner;
    int64_t tile_rows;
    const void *a;
    int64_t a_tile, a_row, a_inner, a_ahead;
    int32_t a_apart,
        a_in_order; /* of multiply_down: one vector of rows at a time; what is asked for lies side by side */
    const int64_t *a_rows; /* NULL: none */
    const void *b;
    int64_t b_panel, b_inner, b_ahead;
    const int64_t *b_vectors; /* NULL: none */
    void *b_kept;
    const lossi_product_run *runs; /* NULL: none */
    void *c;
    int64_t c_row, c_column;
    int32_t fresh;
    struct {
        const char *at;
        int64_t bytes;
    } soon[LOSSI_PRODUCT_SOON]; /* 0 bytes: nothing */
} lossi_product_block;

enum { LOSSI_PRODUCT_FEW = 4 };

typedef struct lossi_product_kernels {
    /* tile_rows at most; lanes: elements of a vector; near_rows: from so many rows on tiles are faster from a copy of A */
    int32_t tile_rows, tile_columns, lanes, down_rows, near_rows;
    int32_t tile_step; /* heights between its multiples are those above them */
    void (*multiply)(const lossi_product_block *block);
    /*
     * The same for at most LOSSI_PRODUCT_FEW columns, with vectors down the rows of C: a_inner = 1, a_tile = tile_rows · a_row for any
     * tile_rows, and element (k, j) of B is b[k · b_inner + j · b_panel]. down_rows: that are taken together.
     */
    void (*multiply_down)(const lossi_product_block *block);
    /* The same for one row, any columns and c_column = 1, where a_inner is any: all of a row of B before the next ones. */
    void (*multiply_across)(const lossi_product_block *block);
    /* Copies rows × inner of A into tiles: a_row = 1, a_inner = tile_rows, a_tile = inner · tile_rows. */
    void (*copy_a)(int64_t rows, int64_t inner, int64_t tile_rows, lossi_matrix_view from, void *to);
    /* Copies inner × columns of B, zeros to the right: b_inner = tile_columns, b_panel = inner · tile_columns; where
       there is no more than a vector of columns, b_inner = lanes. */
    void (*copy_b)(int64_t inner, int64_t columns, lossi_matrix_view from, void *to);
    /* to[i · to_row + j · to_column] += from[i · columns + j] */
    void (*add)(int64_t rows, int64_t columns, void *to, int64_t to_row, int64_t to_column, const void *from);
} lossi_product_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_product_kernels *lossi_product_kernels_for(int32_t isa, int32_t real_index);

#endif
