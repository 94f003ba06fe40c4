/*
 * Sums of what elementwise nodes make, over all rows of each channel: of the elements, which is what a bias is moved by, and of their
 * products with how far another array is from its means, for normalisations. Blocks of the sums' own order (reduce.h) are computed and
 * added up one after the other, so bits are those of an array that is made first, and one that nothing else reads never is.
 */
#include <string.h>

#include "core/sum.h"
#include "gradient/graph/channel_kernels.h"
#include "gradient/graph/channels.h"
#include "gradient/graph/fused_parts.h"
#include "gradient/graph/operations.h"
#include "gradient/objective.h"

/* ---- which ---- */

int32_t lossi_fused_sum_of(const lossi_tape *tape, int32_t node)
{
    const lossi_tape_node *at = &tape->nodes[node];
    if (at->operation != &lossi_operation_sum_axes && at->operation != &lossi_operation_channel_dot) {
        return 0;
    }
    const lossi_shape *shape = lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    const int64_t columns = shape->rank > 1 ? shape->size[shape->rank - 1] : 0;
    if (columns < 2 || columns > LOSSI_COLUMNS) {
        return 0;
    }
    for (int32_t i = 0; at->operation == &lossi_operation_sum_axes && i < shape->rank; i++) {
        const int32_t reduced = at->attributes.integer[0] >> i & 1;
        if (i == shape->rank - 1 ? reduced : !reduced && shape->size[i] != 1) {
            return 0;
        }
    }
    return 1;
}

static int32_t place_in(const int32_t *list, int32_t count, int32_t node)
{
    for (int32_t i = 0; i < count; i++) {
        if (list[i] == node) {
            return i;
        }
    }
    return -1;
}

void lossi_fused_list_sums(lossi_fused *fused, const lossi_tape *tape, const int32_t *members,
                           int32_t member_count, const int32_t *inputs, const int32_t *outputs,
                           int32_t output_count, int32_t *made)
{
    for (int32_t i = 0; i < member_count; i++) {
        const lossi_tape_node *at = &tape->nodes[members[i]];
        if ((at->operation->flags & LOSSI_OPERATION_ELEMENTWISE) != 0) {
            continue;
        }
        const int32_t source = lossi_tape_input(tape, members[i], 0);
        lossi_fused_sum *sum = &fused->sums[fused->sum_count++];
        sum->made = place_in(made, fused->made_count, source);
        if (sum->made < 0) {
            sum->made = fused->made_count++;
            made[sum->made] = source;
            fused->written[sum->made] = -1;
        }
        sum->output = place_in(outputs, output_count, members[i]);
        sum->x = sum->moments = -1;
        if (at->operation == &lossi_operation_channel_dot) {
            sum->x = place_in(inputs, fused->input_count, lossi_tape_input(tape, members[i], 1));
            sum->moments = place_in(inputs, fused->input_count, lossi_tape_input(tape, members[i], 2));
        }
    }
}

/* ---- room ---- */

static int64_t columns_of(const lossi_fused *fused)
{
    return fused->shape.size[fused->shape.rank - 1];
}

/* Of the array that only sums read, a block of theirs. */
static int64_t made_bytes(const lossi_fused *fused)
{
    const int64_t columns = columns_of(fused);
    return lossi_fused_padded(lossi_column_cut_of(0, columns).block_rows * columns *
                              loss_dtype_size(fused->dtype));
}

int64_t lossi_fused_sums_worker(const lossi_fused *fused)
{
    int64_t bytes = 0;
    for (int32_t k = 0; k < fused->made_count; k++) {
        bytes += fused->written[k] < 0 ? made_bytes(fused) : 0;
    }
    return fused->sum_count == 0
               ? 0
               : bytes + fused->sum_count * lossi_column_room(columns_of(fused)) * (int64_t)sizeof(double) +
                     lossi_fused_padded(fused->made_count * (int64_t)sizeof(char *));
}

int64_t lossi_fused_sums_shared(const lossi_fused *fused)
{
    return fused->sum_count == 0 ? 0
                                 : lossi_fused_padded(fused->sum_count * LOSSI_SLICES * columns_of(fused) *
                                                      (int64_t)sizeof(double));
}

/* ---- running ---- */

/* Where a worker's sums are, and what of the program's outputs only they read; NULL of others. */
static double *place(const lossi_fused_worker *w, char ***made)
{
    const lossi_fused *fused = w->job->fused;
    char *next = w->made + lossi_fused_padded(fused->made_count * (int64_t)sizeof(char *));
    *made = (char **)(void *)w->made;
    for (int32_t k = 0; k < fused->made_count; k++) {
        (*made)[k] = fused->written[k] < 0 ? next : NULL;
        next += fused->written[k] < 0 ? made_bytes(fused) : 0;
    }
    return (double *)(void *)next;
}

static void add_block(const lossi_fused_job *j, const lossi_fused_sum *sum, const char *made, int64_t row,
                      int64_t rows, double *to)
{
    const int64_t columns = j->cut.columns, at = row * columns * j->size;
    const char *from = made != NULL ? made : j->outputs[j->fused->written[sum->made]].data + at;
    if (sum->x < 0) {
        lossi_column_add(&j->cut, lossi_reduce_kernels_for(j->isa, j->fused->real_index), from, rows, j->size,
                         to);
    } else {
        lossi_channel_kernels_for(j->isa, j->fused->real_index)
            ->products(from, j->inputs[sum->x].data + at, rows, columns, j->inputs[sum->moments].data, to);
    }
}

static void run_piece(void *argument, int64_t piece, int32_t worker)
{
    const lossi_fused_job *j = argument;
    const lossi_fused *fused = j->fused;
    const int64_t columns = j->cut.columns, room = lossi_column_room(columns);
    const int64_t begin = piece * j->cut.piece_rows, behind = begin + j->cut.piece_rows;
    const int64_t end = behind < j->cut.rows ? behind : j->cut.rows;
    lossi_fused_worker w;
    char **made;
    lossi_fused_begin(&w, j, worker);
    double *sums = place(&w, &made);
    for (int32_t k = 0; k < fused->sum_count; k++) {
        lossi_column_begin(&j->cut, sums + k * room);
    }
    for (int64_t row = begin; row < end; row += j->cut.block_rows) {
        const int64_t rows = end - row < j->cut.block_rows ? end - row : j->cut.block_rows;
        lossi_fused_blocks(&w, row * columns, (row + rows) * columns, made);
        for (int32_t k = 0; k < fused->sum_count; k++) {
            const lossi_fused_sum *sum = &fused->sums[k];
            add_block(j, sum, made[sum->made], row, rows, sums + k * room);
        }
    }
    for (int32_t k = 0; k < fused->sum_count; k++) {
        if (fused->sums[k].x < 0) {
            lossi_column_end(&j->cut, sums + k * room);
        }
        memcpy(j->sums + (k * j->cut.pieces + piece) * columns, sums + k * room,
               (size_t)columns * sizeof *sums);
    }
}

/* A sum of all pieces to where it is wanted; that of products times 1 / deviation. */
static void finish(const lossi_fused_job *j, int32_t which)
{
    const lossi_fused_sum *sum = &j->fused->sums[which];
    const int64_t columns = j->cut.columns;
    double *sums = j->sums + which * j->cut.pieces * columns;
    lossi_column_join(&j->cut, sums);
    for (int64_t c = 0; c < columns; c++) {
        const double scale = sum->x < 0 ? 1.0
                                        : lossi_real_get(j->fused->dtype, j->inputs[sum->moments].data,
                                                         LOSSI_MOMENT_SCALE * columns + c);
        lossi_real_put(j->fused->dtype, j->outputs[sum->output].data, c, sums[c] * scale);
    }
}

void lossi_fused_run_sums(lossi_fused_job *j, loss_context *context)
{
    const int64_t columns = columns_of(j->fused);
    j->cut = lossi_column_cut_of(j->elements / columns, columns);
    if (j->elements == 0) { /* nothing is read, not even one element */
        memset(j->sums, 0, (size_t)(j->fused->sum_count * columns) * sizeof *j->sums);
    } else if (j->task == j->elements || j->cut.pieces == 1) {
        for (int64_t piece = 0; piece < j->cut.pieces; piece++) {
            run_piece(j, piece, 0);
        }
    } else {
        lossi_parallel(context, j->cut.pieces, run_piece, j);
    }
    for (int32_t k = 0; k < j->fused->sum_count; k++) {
        finish(j, k);
    }
}
