/*
 * Cholesky factors by blocks of columns, and what is done with them.
 *
 * A block of columns is factored within itself; the rows below it are solved against it, sixteen at a time, in a
 * transposed copy, the panel; and what is right of it has the product of the two subtracted, 4 × 16 numbers at a
 * time, held in registers over the whole block (Golub & Van Loan, Matrix Computations, 4th ed. 2013, §4.2.6;
 * the tiles: Goto & van de Geijn, ACM TOMS 34 (2008) 12).
 */
#include "optimizer/dense.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "core/isa.h"

#define DECLARED(stem, isa) extern const lossi_dense_kernels lossi_##stem##_##isa##_float64;
#define LISTED(stem, isa)   &lossi_##stem##_##isa##_float64,
LOSSI_ISA_LIST(DECLARED, dense_kernels)
static const lossi_dense_kernels *const kernel_table[LOSSI_ISA_COUNT] = {
    LOSSI_ISA_LIST(LISTED, dense_kernels)};

enum {
    COLUMNS = 64,    /* of a block: 32 rows of it are half of a first-level cache of 32 KiB */
    TASK_ROWS = 32,  /* of what a thread takes at a time */
    PARALLEL = 256,  /* rows below which threads would wake up too late */
    ALIGNMENT = 8,   /* numbers of a cache line */
    TRANSPOSED = 16, /* a square that is transposed at once */
};

static int64_t panel_size(int64_t n)
{
    return (n + LOSSI_PANEL_STRIP - 1) / LOSSI_PANEL_STRIP * LOSSI_PANEL_STRIP * COLUMNS;
}

loss_status lossi_dense_check(loss_context *context, int64_t n)
{
    /* n² and what comes with it then is below 2⁶⁰; whether there is so much, the allocator knows */
    return n <= INT64_C(1) << 29 ? LOSS_OK : lossi_fail_memory(context, "a dense matrix");
}

int64_t lossi_dense_numbers(int64_t n)
{
    return n * n + 5 * n + panel_size(n) + ALIGNMENT;
}

lossi_dense lossi_dense_at(loss_context *context, int64_t n, double *numbers, int64_t *order)
{
    double *rest = numbers + n * n;
    uintptr_t panel = (uintptr_t)(rest + 5 * n), line = ALIGNMENT * sizeof(double);
    return (lossi_dense){.context = context,
                         .kernels = kernel_table[lossi_context_isa(context)],
                         .n = n,
                         .matrix = numbers,
                         .diagonal = rest,
                         .pivot = rest + n,
                         .side = rest + 2 * n,
                         .work = {rest + 3 * n, rest + 4 * n},
                         .panel = rest + 5 * n + (line - panel % line) % line / sizeof(double),
                         .order = order};
}

/* ---- the matrix ---- */

void lossi_dense_take(const lossi_dense *dense)
{
    int64_t n = dense->n;
    double *a = dense->matrix;
    for (int64_t i = 0; i < n; i++) {
        dense->diagonal[i] = a[i * n + i];
        for (int64_t j = 0; j < i; j++) {
            a[j * n + i] = 0.5 * a[j * n + i] + 0.5 * a[i * n + j];
        }
    }
}

void lossi_dense_symv(const lossi_dense *dense, const double *x, double *y)
{
    int64_t n = dense->n;
    for (int64_t i = 0; i < n; i++) {
        y[i] = dense->diagonal[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) {
        const double *row = dense->matrix + i * n;
        y[i] += dense->kernels->dot(row + i + 1, x + i + 1, n - i - 1);
        dense->kernels->add(y + i + 1, x[i], row + i + 1, n - i - 1);
    }
}

double lossi_dense_norm(const lossi_dense *dense, const double *x)
{
    double largest = 0.0, sum = 0.0;
    for (int64_t i = 0; i < dense->n; i++) {
        largest = fabs(x[i]) <= largest || largest != largest ? largest : fabs(x[i]);
    }
    if (!(largest > 0.0) || !isfinite(largest)) {
        return largest;
    }
    for (int64_t i = 0; i < dense->n; i++) {
        sum += x[i] / largest * (x[i] / largest);
    }
    return largest * sqrt(sum);
}

/* ---- Cholesky ---- */

/* The lower half of the matrix for the factor: that of the upper half, a square at a time for the cache. */
static void copy_down(const lossi_dense *dense, double shift)
{
    int64_t n = dense->n;
    double *a = dense->matrix;
    for (int64_t first = 0; first < n; first += TRANSPOSED) {
        for (int64_t left = 0; left <= first; left += TRANSPOSED) {
            for (int64_t i = first; i < n && i < first + TRANSPOSED; i++) {
                for (int64_t j = left; j < i && j < left + TRANSPOSED; j++) {
                    a[i * n + j] = a[j * n + i];
                }
            }
        }
    }
    for (int64_t i = 0; i < n; i++) {
        a[i * n + i] = dense->diagonal[i] + shift;
    }
}

/* A block of columns under way. */
typedef struct block {
    const lossi_dense *dense;
    int64_t first, count, below; /* columns first … first + count − 1 = below − 1; rows below … n − 1 */
} block;

/* Σ a·b of short rows, in four lanes so that a sum need not wait for the one before. */
static double short_dot(const double *a, const double *b, int64_t count)
{
    double lane[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (int k = 0; k < 4; k++) {
            lane[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < count; i++) {
        lane[0] += a[i] * b[i];
    }
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* Factors the block's own rows. Gives how many were good. */
static int64_t factor_block(const block *b, double shift, double least, double *pivot)
{
    int64_t n = b->dense->n;
    for (int64_t i = 0; i < b->count; i++) {
        double *row = b->dense->matrix + (b->first + i) * n + b->first;
        for (int64_t j = 0; j < i; j++) {
            const double *other = b->dense->matrix + (b->first + j) * n + b->first;
            row[j] = (row[j] - short_dot(row, other, j)) / other[j];
        }
        double before = fabs(b->dense->diagonal[b->first + i] + shift);
        double rest = row[i] - short_dot(row, row, i);
        if (!(rest > least * before) || !isfinite(rest)) {
            *pivot = rest;
            return i;
        }
        row[i] = sqrt(rest);
    }
    return b->count;
}

static double *strip_at(const block *b, int64_t row)
{
    return b->dense->panel + (row - b->below) * COLUMNS;
}

/* Rows of the panel: out of the matrix, solved, and back. */
static void solve_rows(void *argument, int64_t index, int32_t worker)
{
    const block *b = argument;
    int64_t n = b->dense->n, from = b->below + index * TASK_ROWS;
    (void)worker;
    for (int64_t row = from; row < n && row < from + TASK_ROWS; row += LOSSI_PANEL_STRIP) {
        double *strip = strip_at(b, row);
        int64_t rows = n - row < LOSSI_PANEL_STRIP ? n - row : LOSSI_PANEL_STRIP;
        for (int64_t c = 0; c < LOSSI_PANEL_STRIP; c++) {
            const double *in = b->dense->matrix + (row + c) * n + b->first;
            for (int64_t t = 0; t < b->count; t++) {
                strip[t * LOSSI_PANEL_STRIP + c] = c < rows ? in[t] : 0.0;
            }
        }
        b->dense->kernels->solve(b->dense->matrix + b->first * n + b->first, n, b->count, strip);
        for (int64_t c = 0; c < rows; c++) {
            double *out = b->dense->matrix + (row + c) * n + b->first;
            for (int64_t t = 0; t < b->count; t++) {
                out[t] = strip[t * LOSSI_PANEL_STRIP + c];
            }
        }
    }
}

/* Rows right of the block, up to the diagonal. */
static void update_rows(void *argument, int64_t index, int32_t worker)
{
    const block *b = argument;
    int64_t n = b->dense->n, from = b->below + index * TASK_ROWS;
    int64_t to = n < from + TASK_ROWS ? n : from + TASK_ROWS;
    (void)worker;
    for (int64_t column = b->below; column < to; column += LOSSI_PANEL_STRIP) {
        for (int64_t row = from; row < to; row += LOSSI_ROWS) {
            int64_t rows = to - row < LOSSI_ROWS ? to - row : LOSSI_ROWS, width[LOSSI_ROWS];
            for (int64_t r = 0; r < LOSSI_ROWS; r++) {
                int64_t wide = row + r - column + 1;
                width[r] = wide < LOSSI_PANEL_STRIP ? wide : LOSSI_PANEL_STRIP;
            }
            if (width[rows - 1] > 0) {
                b->dense->kernels->update(b->dense->matrix + row * n + column,
                                          b->dense->matrix + row * n + b->first, n, rows, width,
                                          strip_at(b, column), b->count);
            }
        }
    }
}

static void for_rows(const lossi_dense *dense, int64_t rows, lossi_task task, block *b)
{
    int64_t tasks = (rows + TASK_ROWS - 1) / TASK_ROWS;
    if (rows >= PARALLEL) {
        lossi_parallel(dense->context, tasks, task, b);
        return;
    }
    for (int64_t i = 0; i < tasks; i++) {
        task(b, i, 0);
    }
}

int64_t lossi_dense_cholesky(const lossi_dense *dense, double shift, double epsilon, double *pivot)
{
    int64_t n = dense->n;
    copy_down(dense, shift);
    for (int64_t first = 0; first < n; first += COLUMNS) {
        int64_t count = n - first < COLUMNS ? n - first : COLUMNS;
        block b = {dense, first, count, first + count};
        int64_t good = factor_block(&b, shift, (double)n * epsilon, pivot);
        if (good < count) {
            return first + good;
        }
        for_rows(dense, n - b.below, solve_rows, &b);
        for_rows(dense, n - b.below, update_rows, &b);
    }
    return n;
}

void lossi_dense_solve_lower(const lossi_dense *dense, int64_t count, double *x)
{
    for (int64_t i = 0; i < count; i++) {
        const double *row = dense->matrix + i * dense->n;
        x[i] = (x[i] - dense->kernels->dot(row, x, i)) / row[i];
    }
}

void lossi_dense_solve_upper(const lossi_dense *dense, int64_t count, double *x)
{
    for (int64_t i = count - 1; i >= 0; i--) {
        const double *row = dense->matrix + i * dense->n;
        x[i] /= row[i];
        dense->kernels->add(x, -x[i], row, i);
    }
}
