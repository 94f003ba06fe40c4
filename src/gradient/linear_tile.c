/*
 * A tile of a linear model: its rows, and their two products.
 *
 *     z = W·x + b for each row, of a Hessian product along its direction too;    G += Σ r·xᵀ
 *
 * Features come from memory once, asked for a tile ahead, so that memory works on while the loss and the products back run from
 * the caches. Goto & van de Geijn, ACM Trans. Math. Softw. 34 (2008), §4: what is read again has to be in a cache.
 */
#include "gradient/linear_tile.h"

#include <string.h>

#include "gradient/linear_parameters.h"

enum {
    ALIGNMENT = 64,
    AHEAD_ROWS = 8, /* of a batch of one output: asked for at least, of the products being made */
    FIRST_ROWS = 4, /* otherwise: asked for at once, before the first product */
    LINES_MOST = 8, /* a turn of one output asks for: more would hold up what follows them */
    PIECE_ROWS = 8, /* of a batch of one output: what was asked for arrives while so few are multiplied */
    SPARSE_PIECE_ROWS = 2 /* asked for in small portions: scattering needs the buffers too */
};

/* ---- memory ---- */

static char *take(char **scratch, int64_t bytes)
{
    char *piece = *scratch;
    *scratch += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return piece;
}

int32_t lossi_tile_copied(const lossi_array *features)
{
    return features->column_stride != 1 && features->columns > 1;
}

int32_t lossi_tile_merging(const lossi_tile_pass *p)
{
    return p->sparse != NULL && p->sparse->irregular && p->what == LOSSI_PASS_DIAGONAL;
}

/* How many features a worker has room to copy. */
static int64_t copies(const lossi_tile_pass *p)
{
    if (p->sparse != NULL) {
        return lossi_tile_merging(p) ? p->sparse->longest : 0;
    }
    return lossi_tile_copied(p->features) || p->what == LOSSI_PASS_DIAGONAL
               ? p->cut.tile_rows * p->shape.features
               : 0;
}

int64_t lossi_tile_lay_out(const lossi_tile_pass *p, char *scratch, lossi_tile_work *w)
{
    const lossi_linear_model *m = p->model;
    const int64_t rows = p->cut.tile_rows, real = m->base.real_size, outputs = rows * m->shape.outputs;
    char *end = scratch;
    w->x = (const void **)(void *)take(&end, p->sparse == NULL ? rows * (int64_t)sizeof *w->x : 0);
    w->entries = (lossi_sparse_row *)(void *)take(&end,
                                                  p->sparse != NULL ? rows * (int64_t)sizeof *w->entries : 0);
    w->rows = (int64_t *)(void *)take(&end, rows * (int64_t)sizeof *w->rows);
    w->copy = take(&end, copies(p) * real);
    w->merged = (double *)(void *)take(
        &end, lossi_tile_merging(p) ? p->shape.features * (int64_t)sizeof *w->merged : 0);
    w->is_woven = (int32_t *)(void *)take(&end, (int64_t)sizeof *w->is_woven);
    w->woven = (double *)(void *)take(
        &end, p->woven ? (p->shape.features + 1) * LOSSI_WOVEN_STEP * (int64_t)sizeof *w->woven : 0);
    w->prediction = take(&end, outputs * real);
    w->directional = take(&end, outputs * real);
    w->derivative = take(&end, outputs * real);
    w->wide = (double *)(void *)take(&end, outputs * (int64_t)sizeof *w->wide);
    w->block = (double *)(void *)take(&end, p->sparse == NULL ? m->size * (int64_t)sizeof *w->block : 0);
    w->loss = take(&end, p->prediction != NULL ? 0 : lossi_evaluation_scratch(&p->e, rows));
    return end - scratch;
}

/* ---- rows ---- */

/* Where the rows of a tile are: gives how many count, leaving out masked ones before anything of them is read. */
int64_t lossi_tile_find_rows(const lossi_tile_pass *p, const lossi_tile_work *w, int64_t first, int64_t rows)
{
    const lossi_array *features = p->features, *mask = p->prediction != NULL ? NULL : p->model->mask;
    const int64_t real = p->model->base.real_size, step = features->row_stride * real;
    int64_t count = 0;
    if (p->sparse != NULL && mask == NULL && p->indices == NULL) { /* all of them, one after another */
        lossi_sparse_find(p->sparse, first, rows, w->entries);
        return rows;
    }
    if (p->sparse == NULL && mask == NULL && p->indices == NULL) {
        const char *x = features->pointer + first * step;
        for (; count < rows; count++, x += step) {
            w->x[count] = x;
        }
        rows = 0; /* none is left to be looked for */
    }
    for (int64_t i = 0; i < rows; i++) {
        const int64_t row = p->indices != NULL ? p->indices[first + i] : first + i;
        if (!lossi_masked(mask, row)) {
            w->rows[count] = row;
            if (p->sparse != NULL) {
                w->entries[count++] = lossi_sparse_row_at(p->sparse, row);
            } else {
                w->x[count++] = features->pointer + row * step;
            }
        }
    }
    for (int64_t i = 0; p->sparse == NULL && lossi_tile_copied(features) && i < count; i++) {
        const char *from = w->x[i];
        char *to = w->copy + i * features->columns * real;
        for (int64_t j = 0; j < features->columns; j++) {
            memcpy(to + j * real, from + j * features->column_stride * real, (size_t)real);
        }
        w->x[i] = to;
    }
    return count;
}

/* The features of a tile squared, as standardised ones: in the copy, which may be where they are already. */
static void square(const lossi_tile_pass *p, const lossi_tile_work *w, int64_t count)
{
    const lossi_linear_model *m = p->model;
    const loss_dtype dtype = m->base.dtype;
    const int64_t features = p->features->columns;
    for (int64_t i = 0; i < count; i++) {
        char *to = w->copy + i * features * m->base.real_size;
        for (int64_t j = 0; j < features; j++) {
            double x = lossi_real_get(dtype, w->x[i], j);
            if (m->deviations != NULL) {
                x = m->deviations[j] != 0 ? (x - m->means[j]) / m->deviations[j] : 0;
            }
            lossi_real_put(dtype, to, j, x * x);
        }
        w->x[i] = to;
    }
}

/* Of a batch the targets are anywhere, too. */
static void ask_dense(const lossi_tile_pass *p, int64_t row)
{
    const int64_t real = p->model->base.real_size, bytes = p->features->columns * real;
    const uintptr_t from = (uintptr_t)p->features->pointer +
                           (uintptr_t)row * (uintptr_t)(p->features->row_stride * real);
    const lossi_array *target = p->model->target;
    if (p->indices != NULL) {
        __builtin_prefetch((
            const void *)((uintptr_t)target->pointer +
                          (uintptr_t)row * (uintptr_t)(target->row_stride * loss_dtype_size(target->dtype))));
    }
    for (int64_t i = 0; i < bytes; i += LOSSI_LINE) {
        __builtin_prefetch((const void *)(from + (uintptr_t)i));
    }
}

/* To the second-level cache: the first is for the parameters and sums that entries need. */
static void ask_entries(const lossi_tile_pass *p, lossi_sparse_row entries)
{
    const int64_t values = entries.count * p->model->base.real_size,
                  indices = entries.count * loss_dtype_size(p->sparse->array->index_dtype);
    for (int64_t i = 0; i < values; i += LOSSI_LINE) {
        __builtin_prefetch((const char *)entries.values + i, 0, 2);
    }
    for (int64_t i = 0; i < indices; i += LOSSI_LINE) {
        __builtin_prefetch((const char *)entries.indices + i, 0, 2);
    }
}

/* Asks for the features of the next rows up to one of them; a row that is masked may not be there, which is no harm. */
static void ask(const lossi_tile_pass *p, lossi_tile_work *w, int64_t to)
{
    to = to < w->end ? to : w->end;
    if (p->sparse != NULL && p->indices == NULL && w->asked < to) {
        ask_entries(p, lossi_sparse_span(p->sparse, w->asked, to - w->asked));
        w->asked = to;
    }
    for (; w->asked < to; w->asked++) {
        const int64_t row = p->indices != NULL ? p->indices[w->asked] : w->asked;
        if (p->sparse != NULL) {
            ask_entries(p, lossi_sparse_row_at(p->sparse, row));
        } else {
            ask_dense(p, row);
        }
    }
}

/* ---- the products, of dense rows and of sparse ones ---- */

static lossi_sparse_tile sparse_rows(const lossi_tile_pass *p, const lossi_sparse_row *x, int64_t rows)
{
    return (lossi_sparse_tile){&p->shape, p->sparse->array->index_dtype == LOSS_INT64, rows, x,
                               p->woven ? LOSSI_WOVEN_STEP : 0};
}

/* Of a batch of one output its rows, anywhere in memory, and their targets are asked for between the products of a few. */
static int32_t in_pieces(const lossi_tile_pass *p)
{
    return p->indices != NULL && p->shape.outputs == 1;
}

/* How many rows to multiply at once. */
static int64_t piece(const lossi_tile_pass *p, int64_t count)
{
    return p->asks_ahead && in_pieces(p) ? PIECE_ROWS : count;
}

/* How many rows of a slice were asked for while what came before it was multiplied. */
static int64_t asked_before(const lossi_tile_pass *p, int64_t row)
{
    if (row == 0) {
        return p->asked;
    }
    return p->serial && p->asks_ahead ? p->cut.tile_rows : 0;
}

void lossi_tile_begin(const lossi_tile_pass *p, lossi_tile_work *w, int64_t row, int64_t end)
{
    const int64_t real = p->model->base.real_size;
    w->asked = row + (p->sparse == NULL ? asked_before(p, row) : 0);
    w->end = p->serial || end == p->cut.rows ? p->cut.rows + p->following : end;
    w->ahead = (lossi_upcoming){.pace = LOSSI_LINE, .indices = p->indices, .next = w->asked};
    if (p->sparse == NULL) {
        w->ahead.rows = p->features->pointer;
        w->ahead.step = p->features->row_stride * real;
        w->ahead.bytes = p->features->columns * real;
    }
}

/*
 * What a product is to ask for: the rest of its tile and the next one, spread over this product and those to come until then; NULL
 * where that is not known before.
 */
static lossi_upcoming *ahead(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                             int64_t products, int64_t turn)
{
    lossi_upcoming *a = &w->ahead;
    const int64_t turns = products * count * p->shape.features * p->shape.outputs / turn;
    if (!p->asks_ahead || in_pieces(p)) {
        return NULL;
    }
    for (; a->next < w->end && a->next < first + FIRST_ROWS; a->next++) {
        ask_dense(p, p->indices != NULL ? p->indices[a->next] : a->next);
    }
    a->end = first + count + p->cut.tile_rows < w->end ? first + count + p->cut.tile_rows : w->end;
    if (a->at >= a->stop) {
        a->at = lossi_upcoming_row(a);
    }
    const int64_t bytes = (a->stop - a->at) + (a->next < a->end ? a->end - a->next : 0) * a->bytes,
                  pace = turns > 0 ? bytes / turns + 1 : LOSSI_LINE,
                  lines = (pace + LOSSI_LINE - 1) / LOSSI_LINE;
    if (p->shape.outputs == 1) {
        a->pace = (lines < LINES_MOST ? lines : LINES_MOST) * LOSSI_LINE;
    } else {
        a->pace = pace < LOSSI_LINE ? pace : LOSSI_LINE;
    }
    return a;
}

static void dense_forward(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                          int64_t products, const double *parameters, char *prediction)
{
    const int64_t step = piece(p, count), bytes = p->shape.outputs * p->model->base.real_size;
    for (int64_t i = 0; i < count; i += step) {
        const int64_t rows = count - i < step ? count - i : step;
        if (step < count) {
            ask(p, w, first + i + rows + AHEAD_ROWS);
            ask(p, w, w->asked + step / 2);
        }
        p->kernels->forward(&p->shape, rows, w->x + i, parameters, prediction + i * bytes,
                            ahead(p, w, first, count, products,
                                  p->shape.outputs == 1 ? p->kernels->one_forward : p->kernels->turn));
    }
}

/* Predictions, unless they are known; of a Hessian product also along its direction. */
void lossi_tile_forward(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                        char *prediction)
{
    const lossi_linear_model *m = p->model;
    const int32_t product = p->what == LOSSI_PASS_PRODUCT;
    if (p->sparse != NULL) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries, count);
        p->sparse_kernels->forward(&tile, p->woven ? w->woven : m->parameters, prediction,
                                   product ? w->directional : NULL);
        w->asked = w->asked > first + count ? w->asked : first + count;
        return;
    }
    const int64_t after = p->what == LOSSI_PASS_VALUE ? 0 : 1; /* a product back */
    if (prediction == w->prediction || !m->predictions_known) {
        dense_forward(p, w, first, count, after + product + 1, m->parameters, prediction);
    }
    if (product) {
        dense_forward(p, w, first, count, after + 1, m->direction, w->directional);
    }
}

static void dense_backward(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                           const double *r, double *sums)
{
    const int64_t step = piece(p, count);
    for (int64_t i = 0; i < count; i += step) {
        if (step < count) {
            ask(p, w, w->asked + step / 2);
        }
        p->kernels->backward(&p->shape, count - i < step ? count - i : step, w->x + i,
                             r + i * p->shape.outputs, w->fresh, sums,
                             ahead(p, w, first, count, 1,
                                   p->shape.outputs == 1 ? p->kernels->one_backward : p->kernels->turn));
        w->fresh = 0;
    }
}

/* Scattering leaves memory idle: meanwhile the next tile is asked for. */
static void sparse_backward(const lossi_tile_pass *p, lossi_tile_work *w, int64_t count, const double *r,
                            double *sums)
{
    const int64_t step = p->asks_ahead ? SPARSE_PIECE_ROWS : count;
    for (int64_t i = 0; i < count; i += step) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries + i, count - i < step ? count - i : step);
        if (p->asks_ahead) {
            ask(p, w, w->asked + step);
        }
        p->sparse_kernels->backward(&tile, r + i * p->shape.outputs, sums);
    }
}

static void backward_squares(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                             const double *r, double *sums)
{
    const double *means = p->model->centred ? p->model->means : NULL;
    if (p->sparse == NULL) {
        square(p, w, count);
        dense_backward(p, w, first, count, r, sums);
        return;
    }
    for (int64_t i = 0; lossi_tile_merging(p) && i < count; i++) {
        lossi_sparse_row row = w->entries[i];
        lossi_sparse_merge(p->sparse, &row, w->merged, w->copy);
        const lossi_sparse_tile tile = sparse_rows(p, &row, 1);
        p->sparse_kernels->backward_squares(&tile, r + i * p->shape.outputs, means, sums);
    }
    if (!lossi_tile_merging(p)) {
        const lossi_sparse_tile tile = sparse_rows(p, w->entries, count);
        p->sparse_kernels->backward_squares(&tile, r, means, sums);
    }
}

void lossi_tile_backward(const lossi_tile_pass *p, lossi_tile_work *w, int64_t first, int64_t count,
                         double *sums)
{
    const double *r = p->kernels->widen(count * p->shape.outputs, w->derivative, w->wide);
    if (p->what == LOSSI_PASS_DIAGONAL) {
        backward_squares(p, w, first, count, r, sums);
    } else if (p->sparse != NULL) {
        sparse_backward(p, w, count, r, sums);
    } else {
        dense_backward(p, w, first, count, r, sums);
    }
}
