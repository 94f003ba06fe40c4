/*
 * The part of linear_cross_entropy_driver.h for second derivatives: sweeps as for the gradients, in which a tile of logits has beside it
 * what they are along the direction. A product or a curvature has a sweep of its own, so that a worker has one set of sums.
 */
#ifndef LOSSI_LOSS_LINEAR_CROSS_ENTROPY_PRODUCTS_H
#define LOSSI_LOSS_LINEAR_CROSS_ENTROPY_PRODUCTS_H

#include "loss/linear_cross_entropy_panels.h"

/* What the panel is along the direction, in a second panel; 0 without one. */
static void set_along(const job *j, worker *w, const lossi_array *direction, int64_t i, int64_t k)
{
    double *to = w->second_panel + k * j->stride;
    memset(to, 0, (size_t)j->stride * sizeof *to);
    if (direction != NULL) {
        widen_row(j, w, direction, i, to);
    }
}

/* Logits along the direction: the product rule, and the bias. `of_panel` says whether the panel has a direction. */
static void multiply_along(const job *j, worker *w, const lossi_array *direction, int32_t of_panel,
                           const int64_t *index, int64_t first, int64_t count, int64_t panel,
                           const void *const *x, const void **x_along)
{
    const lossi_linear_shape shape = {j->d, panel, j->stride, 0};
    memset(w->along, 0, (size_t)(count * panel) * sizeof *w->along);
    if (of_panel) {
        j->linear->forward_wide(&shape, count, x, w->second_panel, w->along);
    }
    if (direction != NULL) {
        for (int64_t i = 0; i < count; i++) {
            x_along[i] = real_row(j, direction, index != NULL ? index[i] : first + i,
                                  w->along_copies + i * j->d * j->call->real_size);
        }
        j->linear->forward_wide(&shape, count, x_along, w->panel, w->spare);
        for (int64_t i = 0; i < count * panel; i++) {
            w->along[i] += w->spare[i];
        }
    }
}

static double bias_along(const job *j, int64_t c)
{
    const lossi_array *along = j->along[BIAS];
    return along == NULL ? 0 : lossi_real_at(along->dtype, along->pointer, c * along->column_stride);
}

/* Adds Σ h x + g x' of a tile to the block; Gauss–Newton has no g. */
static void accumulate_product(const job *j, worker *w, int64_t count, int64_t panel, const void *const *x,
                               const void *const *x_along, int64_t number, int32_t last)
{
    const lossi_linear_shape shape = {j->d, panel, j->stride, 1}, without = {j->d, panel, j->stride, 0};
    j->linear->backward(&shape, count, x, w->along, 0, w->block, NULL);
    if (x_along != NULL && !j->gauss_newton) {
        j->linear->backward(&without, count, x_along, w->z, 0, w->block, NULL);
    }
    end_tile(j, w, panel, number, last);
}

/* ---- by rows ---- */

/* A panel of rows meets all classes, for DIRECT, SECOND, AVERAGES or CURVE_FEATURES. */
static void meet_classes_again(const job *j, worker *w, row_state *rows, int32_t operation)
{
    const lossi_array *direction = j->along[COEFFICIENTS];
    const void *x[TILE], *x_along[TILE];
    for (int64_t c = 0; c < j->classes; c += TILE) {
        const int64_t count = j->classes - c < TILE ? j->classes - c : TILE, n = rows->count;
        const int32_t last = c + TILE >= j->classes;
        tile t = tile_of(j, w, c, count);
        t.by_class = 1;
        t.x = x;
        multiply_classes(j, w, c, count, n, x);
        if (operation == DIRECT || operation == SECOND) {
            multiply_along(j, w, direction, j->along[FEATURES] != NULL, NULL, c, count, n, x, x_along);
            for (int64_t i = 0; i < count * n; i++) {
                w->along[i] += bias_along(j, c + i / n);
            }
        }
        run_on_logits(j, &t, operation);
        if (operation == SECOND) {
            accumulate_product(j, w, count, n, x, direction != NULL ? x_along : NULL, c / TILE, last);
        } else if (operation == AVERAGES) {
            accumulate(j, w, count, n, x, c / TILE, last);
        } else if (operation == CURVE_FEATURES) {
            end_tile(j, w, n, c / TILE, last);
        }
    }
}

/* D, and what the largest class is apart from it. */
static void find_means(const job *j, worker *w, row_state *rows)
{
    meet_classes_again(j, w, rows, DIRECT);
    for (int64_t k = 0; k < rows->count; k++) {
        const double others = rows->mean[k] + rows->mean_lost[k], d = rows->apart[k];
        rows->mean[k] = rows->inverse[k] * d + others;
        rows->apart[k] = rows->others[k] * rows->inverse[k] * d - others;
    }
}

/* The curvature of a panel of rows: first μ, which takes the place of the direction. */
static void curve_rows(const job *j, worker *w, row_state *rows)
{
    const double bend = 2 * j->by.z_loss * j->by.rate;
    const size_t bytes = (size_t)(rows->count * j->stride) * sizeof(double);
    clear(j, w, rows->count);
    meet_classes_again(j, w, rows, AVERAGES);
    memcpy(w->second_panel, w->total, bytes);
    clear(j, w, rows->count);
    meet_classes_again(j, w, rows, CURVE_FEATURES);
    for (int64_t k = 0; k < rows->count; k++) {
        double *total = w->total + k * j->stride;
        for (int64_t i = 0; i < j->d && bend != 0; i++) {
            const double mean = w->second_panel[k * j->stride + i];
            total[i] += rows->factor[k] * bend * (mean * mean);
        }
        put_numbers(j, j->curvature[FEATURES], rows->index[k], 0, total, j->d);
    }
}

/* What a panel of rows has of second derivatives, after its sums. */
static void second_of_rows(const job *j, worker *w, row_state *rows)
{
    if (j->call->product_wanted) {
        for (int64_t k = 0; k < rows->count; k++) {
            set_along(j, w, j->along[FEATURES], rows->index[k], k);
        }
        find_means(j, w, rows);
    }
    if (j->product[FEATURES] != NULL) {
        clear(j, w, rows->count);
        meet_classes_again(j, w, rows, SECOND);
        for (int64_t k = 0; k < rows->count; k++) {
            put_numbers(j, j->product[FEATURES], rows->index[k], 0, w->total + k * j->stride, j->d);
        }
    }
    if (j->curvature[FEATURES] != NULL) {
        curve_rows(j, w, rows);
    }
}

/* ---- by classes ---- */

/* A panel of classes meets all rows, for SECOND or CURVE_CLASSES. */
static void meet_rows_again(const job *j, worker *w, int64_t first, int64_t panel, int32_t operation)
{
    const lossi_array *direction = j->along[FEATURES];
    const void *x[TILE], *x_along[TILE];
    for (int64_t row = 0; row < j->call->rows; row += TILE) {
        const int64_t end = j->call->rows - row < TILE ? j->call->rows : row + TILE;
        const int32_t last = end == j->call->rows;
        tile t = tile_of(j, w, first, panel);
        t.x = x;
        recall(j, row, end, &w->rows);
        multiply_rows(j, w, first, panel, x);
        if (operation == SECOND) {
            multiply_along(j, w, direction, j->along[COEFFICIENTS] != NULL, w->rows.index, 0, w->rows.count,
                           panel, x, x_along);
            for (int64_t i = 0; i < w->rows.count * panel; i++) {
                w->along[i] += bias_along(j, first + i % panel);
            }
        }
        run_on_logits(j, &t, operation);
        if (operation == SECOND) {
            accumulate_product(j, w, w->rows.count, panel, x, direction != NULL ? x_along : NULL, row / TILE,
                               last);
        } else {
            end_tile(j, w, panel, row / TILE, last);
        }
    }
}

/* A product or a curvature of the coefficients and the bias, whichever are wanted. */
static void second_of_classes(const job *j, worker *w, int64_t first, int64_t panel, int32_t operation,
                              const lossi_array *const *outputs)
{
    if (outputs[COEFFICIENTS] == NULL && outputs[BIAS] == NULL) {
        return;
    }
    if (operation == SECOND) {
        for (int64_t k = 0; k < panel; k++) {
            set_along(j, w, j->along[COEFFICIENTS], first + k, k);
        }
    }
    clear(j, w, panel);
    meet_rows_again(j, w, first, panel, operation);
    put_classes(j, w, first, panel, outputs);
}

#endif
