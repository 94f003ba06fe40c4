/*
 * Dense matrix products C = A·B, or C += A·B, for computation graphs: A is rows × inner, B inner × columns, C rows × columns.
 * The scheme is that of Goto & van de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34(3), 2008.
 *
 * What an element is, whatever the tiles, the instruction set and the number of threads (docs/numerics.md says the same):
 *
 * - block: inner is cut into blocks of LOSSI_PRODUCT_DEPTH; within one the products are a chain of fused multiply-adds in
 *   the element type, s = fma(a(i, k), b(k, j), s), k rising, s = +0 at first
 * - piece: blocks are cut into contiguous pieces as lossi_product_pieces() says, of the shape alone; the sums of the blocks
 *   of a piece are added in order. With `accumulate` C stands before the first block of the first piece
 * - tree: the sums of pieces are added pairwise, neighbours first, an odd one passing up, until one is left
 *
 * So float32 products are accumulated in float32, unlike every other sum of the library: |error| <= (n + O(n² u)) u Σ|a b| with
 * n = DEPTH + blocks of a piece + ⌈log2 pieces⌉ and u half a unit in the last place of 1, where one chain has n = inner; the
 * error grows no further than that of a chain of some hundred terms does, and a register holds twice as many elements.
 *
 * NaN and infinities come out as arithmetic says; no zero is skipped. Empty inner dimensions give +0.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_H

#include <stdint.h>

#include "loss/context.h"
#include "loss/data.h"

enum {
    LOSSI_PRODUCT_DEPTH = 256,      /* of a block of inner: two operands of a register tile stay in 32 KiB */
    LOSSI_PRODUCT_PIECES = 32,      /* at most, like the slices of core/sum.h */
    LOSSI_PRODUCT_PIECE_BLOCKS = 8, /* a piece has so many blocks at least */
    LOSSI_PRODUCT_PIECE_CELLS =
        32768 /* C is in one piece when it has more elements: there are tiles enough */
};

/* Element (i, j) is data[i · row_stride + j · column_stride], in elements; the transpose has them exchanged. */
typedef struct lossi_matrix_view {
    const void *data;
    int64_t row_stride, column_stride;
} lossi_matrix_view;

/*
 * Writes a panel of a matrix that exists nowhere, for example the patches of an image: element (i, j), row_begin <= i < row_end and
 * column_begin <= j < column_end, to panel[(i − row_begin) · panel_stride + (j − column_begin)], of the product's element
 * type. A panel is at most LOSSI_PRODUCT_PANEL_ROWS × LOSSI_PRODUCT_DEPTH or the other way round; elements between its rows
 * may be overwritten, none behind the last row's panel_stride. The rows begin at 64-byte boundaries. Panels may be asked for
 * more than once, in any order, and by several threads at a time: it reads its argument only.
 */
typedef void (*lossi_matrix_pack)(const void *argument, int64_t row_begin, int64_t row_end,
                                  int64_t column_begin, int64_t column_end, void *panel,
                                  int64_t panel_stride);

enum { LOSSI_PRODUCT_PANEL_ROWS = 256 };

/*
 * Lays rows of such a matrix out where its elements have places that add up: element (i, j), begin <= i < end, is the element
 * room[rows[i − begin] + place of column j], begin and end at most LOSSI_PRODUCT_PANEL_ROWS apart. Of so many rows a
 * lossi_matrix_room says how many bytes they take at most.
 */
typedef void (*lossi_matrix_lay)(const void *argument, int64_t begin, int64_t end, void *room, int64_t *rows);
typedef int64_t (*lossi_matrix_room)(const void *argument, int64_t rows);

/* The memory that laying rows begin … end − 1 out reads, and how many bytes: so that it can be asked for before. */
typedef const char *(*lossi_matrix_source)(const void *argument, int64_t begin, int64_t end, int64_t *bytes);

/* Neighbouring columns whose elements are neighbours: the place of the first, and how many. */
typedef struct lossi_matrix_run {
    int64_t first, count;
} lossi_matrix_run;

/* The places of columns begin … end − 1 as runs; gives how many there are, at most one for each column. */
typedef int32_t (*lossi_matrix_runs)(const void *argument, int64_t begin, int64_t end,
                                     lossi_matrix_run *runs);

/*
 * A factor: the view, or where `pack` is not NULL the matrix that it packs. With `transposed` the factor is the transpose of
 * the packed matrix: one packer of patches serves patches · weights, patchesᵀ · gradient and gradientᵀ · patches. (A view
 * is transposed by its strides; `transposed` is not looked at.)
 */
typedef struct lossi_matrix_factor {
    lossi_matrix_view view;
    lossi_matrix_pack pack;
    lossi_matrix_lay
        lay; /* NULL, or with the next four another way to what `pack` packs: the bits are the same */
    lossi_matrix_room room;
    lossi_matrix_source source;
    lossi_matrix_runs runs;
    int64_t together; /* every run is so many columns, or a multiple of that, but where it is cut off */
    const void *argument;
    int32_t transposed;
} lossi_matrix_factor;

/*
 * C = A·B, or C += A·B when accumulate is not 0. Element (i, j) of C is c[i · c_row_stride + j]; C overlaps neither factor nor
 * the scratch, of which lossi_matrix_product_scratch() says how much there has to be, at any address that is a multiple of
 * 64. The threads of the context share the work when there is enough. Not from within a task of lossi_parallel().
 *
 * Returns LOSS_OK; LOSS_ERROR_TYPE when dtype is no floating-point type and LOSS_ERROR_ARGUMENT for a negative size, where
 * nothing was done.
 */
loss_status lossi_matrix_product(loss_context *context, loss_dtype dtype, int64_t rows, int64_t columns,
                                 int64_t inner, lossi_matrix_view a, lossi_matrix_view b, void *c,
                                 int64_t c_row_stride, int32_t accumulate, void *scratch);

/* The same of factors that may be packed. */
loss_status lossi_matrix_product_packed(loss_context *context, loss_dtype dtype, int64_t rows,
                                        int64_t columns, int64_t inner, const lossi_matrix_factor *a,
                                        const lossi_matrix_factor *b, void *c, int64_t c_row_stride,
                                        int32_t accumulate, void *scratch);

/*
 * Bytes of scratch of either, for the threads that the context has now: a few hundred KiB a thread at most, and the sums of
 * pieces, at most 4 MiB in float32. −1 where sizes are negative or dtype is no floating-point type.
 */
int64_t lossi_matrix_product_scratch(const loss_context *context, loss_dtype dtype, int64_t rows,
                                     int64_t columns, int64_t inner);

/*
 * C = A·B, or C += A·B, on the thread that calls, for tasks of lossi_parallel() that have a product each: the same bits. Types and
 * sizes are right, `isa` is lossi_context_isa(), and scratch, one for each worker, is as much as the second function says.
 */
void lossi_matrix_product_serial(int32_t isa, loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner,
                                 lossi_matrix_view a, lossi_matrix_view b, void *c, int64_t c_row_stride,
                                 int32_t accumulate, void *scratch);
int64_t lossi_matrix_product_serial_scratch(loss_dtype dtype, int64_t rows, int64_t columns, int64_t inner);

/* How many blocks a piece has; the last piece may have fewer. 0 without blocks. */
static inline int64_t lossi_product_piece_blocks(int64_t rows, int64_t columns, int64_t inner)
{
    const int64_t blocks = inner / LOSSI_PRODUCT_DEPTH + (inner % LOSSI_PRODUCT_DEPTH != 0);
    int64_t pieces = blocks / LOSSI_PRODUCT_PIECE_BLOCKS;
    if (rows < 1 || columns < 1 || columns > LOSSI_PRODUCT_PIECE_CELLS / rows || pieces < 1) {
        pieces = 1;
    }
    pieces = pieces < LOSSI_PRODUCT_PIECES ? pieces : LOSSI_PRODUCT_PIECES;
    return blocks / pieces + (blocks % pieces != 0);
}

static inline int64_t lossi_product_pieces(int64_t rows, int64_t columns, int64_t inner)
{
    const int64_t blocks = inner / LOSSI_PRODUCT_DEPTH + (inner % LOSSI_PRODUCT_DEPTH != 0);
    const int64_t each = lossi_product_piece_blocks(rows, columns, inner);
    return each == 0 ? 0 : blocks / each + (blocks % each != 0);
}

#endif
