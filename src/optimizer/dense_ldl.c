/*
 * P A Pᵀ = LDLᵀ of a symmetric matrix that need not be definite, made so.
 *
 * Pivots, of one row or of two, are chosen by rook search: L then has no large element, whatever the matrix, and
 * eigenvalues of D are those of A but for the modest condition of L. That is what makes them worth changing:
 * Cheng & Higham, SIAM J. Matrix Anal. Appl. 19 (1998) 1097–1110, which raises the small and the negative ones to
 * a bound; here the negative ones count with their size, so that a step goes far along small negative curvature and
 * not far along large: Gill, Murray & Wright, Practical Optimization, 1981, §4.4.2.1. The search: Ashcraft, Grimes &
 * Lewis, SIAM J. Matrix Anal. Appl. 20 (1998) 513–561, §2.4.
 */
#include <math.h>
#include <string.h>

#include "optimizer/dense.h"

static const double alpha = 0.64038820320220757; /* (1 + √17)/8: one row grows as much as half of two do */

/*
 * A panel of columns under way: `count` from `first` on are those of L, kept column after column in l, and of W = LD in w;
 * behind them in w there is room for the two of the next pivot. What is right of the panel waits for their product LWᵀ,
 * and a column is brought up to date when the search looks at it. dlasyf_rook of LAPACK is cut in the same way.
 */
enum {
    COLUMNS = 32,   /* l and w share the panel of Cholesky factors */
    TASK_ROWS = 32, /* of what a thread takes at a time */
    PARALLEL = 256, /* rows below which threads would wake up too late */
};

typedef struct panel {
    const lossi_dense *dense;
    double *l, *w;
    int64_t first, count;
} panel;

/* ---- pivots ---- */

/* Column c of what is left, from row `from` on. */
static void take_column(const panel *p, int64_t from, int64_t c, double *out)
{
    int64_t n = p->dense->n;
    const double *a = p->dense->matrix;
    for (int64_t i = from; i <= c; i++) {
        out[i] = a[c * n + i];
    }
    for (int64_t i = c + 1; i < n; i++) {
        out[i] = a[i * n + c];
    }
    for (int64_t t = 0; t < p->count; t++) {
        p->dense->kernels->add(out + from, -p->w[t * n + c], p->l + t * n + from, n - from);
    }
}

/* The largest |element| of a column from `from` on, but for the one of the diagonal; where. */
static double largest_beside(const double *column, int64_t from, int64_t n, int64_t diagonal, int64_t *where)
{
    double largest = 0.0;
    for (int64_t j = from; j < n; j++) {
        double size = j == diagonal ? 0.0 : fabs(column[j]);
        if (size > largest) {
            largest = size;
            *where = j;
        }
    }
    return largest;
}

static void swap_numbers(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* Exchanges rows and columns k < q of the lower half, those of L included, and rows of the panel with the next two. */
static void exchange(const panel *p, int64_t k, int64_t q)
{
    const lossi_dense *dense = p->dense;
    int64_t n = dense->n, order = dense->order[k];
    double *a = dense->matrix;
    if (k == q) {
        return;
    }
    dense->order[k] = dense->order[q];
    dense->order[q] = order;
    for (int64_t j = 0; j < p->first; j++) {
        swap_numbers(&a[k * n + j], &a[q * n + j]);
    }
    swap_numbers(&a[k * n + k], &a[q * n + q]);
    for (int64_t i = k + 1; i < q; i++) {
        swap_numbers(&a[i * n + k], &a[q * n + i]);
    }
    for (int64_t i = q + 1; i < n; i++) {
        swap_numbers(&a[i * n + k], &a[i * n + q]);
    }
    for (int64_t t = 0; t < p->count; t++) {
        swap_numbers(&p->l[t * n + k], &p->l[t * n + q]);
    }
    for (int64_t t = 0; t < p->count + 2; t++) {
        swap_numbers(&p->w[t * n + k], &p->w[t * n + q]);
    }
}

/* Brings the pivot to row k, and its columns behind the others in w. Gives its rows: 1 or 2. */
static int32_t choose(const panel *p, int64_t k)
{
    int64_t n = p->dense->n, at = k, other = k, next = k;
    double *here = p->w + p->count * n, *there = here + n;
    size_t size = (size_t)(n - k) * sizeof *here;
    take_column(p, k, k, here);
    double beside = largest_beside(here, k, n, k, &other);
    if (other == k || fabs(here[k]) >= alpha * beside) {
        return 1;
    }
    /* every round has a larger `beside`, so there are fewer than n; most often one or two */
    for (;;) {
        take_column(p, k, other, there);
        double largest = largest_beside(there, k, n, other, &next);
        if (fabs(there[other]) >= alpha * largest) {
            memcpy(here + k, there + k, size);
            exchange(p, k, other);
            return 1;
        }
        if (!(largest > beside)) {
            break;
        }
        at = other;
        other = next;
        beside = largest;
        memcpy(here + k, there + k, size);
    }
    for (int64_t i = k; i < n && at > other; i++) {
        swap_numbers(&here[i], &there[i]);
    }
    exchange(p, k, at < other ? at : other);
    exchange(p, k + 1, at < other ? other : at);
    return 2;
}

/* ---- elimination ---- */

static void eliminate_one(const panel *p, int64_t k)
{
    int64_t n = p->dense->n;
    double *l = p->l + p->count * n, d = p->w[p->count * n + k];
    const double *column = p->w + p->count * n;
    p->dense->matrix[k * n + k] = d;
    for (int64_t i = k + 1; i < n; i++) {
        l[i] = d == 0.0 ? 0.0 : column[i] / d; /* all beside a pivot of 0 is 0: it was the largest */
    }
}

static void eliminate_two(const panel *p, int64_t k)
{
    int64_t n = p->dense->n;
    double *a = p->dense->matrix, *l = p->l + p->count * n, *m = l + n;
    const double *first = p->w + p->count * n, *second = first + n;
    a[k * n + k] = first[k];
    a[(k + 1) * n + k] = first[k + 1];
    a[(k + 1) * n + k + 1] = second[k + 1];
    /* divided by the element beside the diagonal, which is the largest: nothing overflows */
    double b = first[k + 1], c = first[k] / b, d = second[k + 1] / b;
    double scale = 1.0 / (c * d - 1.0) / b;
    l[k + 1] = 0.0;
    for (int64_t i = k + 2; i < n; i++) {
        l[i] = scale * (d * first[i] - second[i]);
        m[i] = scale * (c * second[i] - first[i]);
    }
}

/* ---- what is right of a panel ---- */

/* Rows up to the diagonal have LWᵀ subtracted, as those of a Cholesky factor have LLᵀ. */
static void update_rows(void *argument, int64_t index, int32_t worker)
{
    const panel *p = argument;
    int64_t n = p->dense->n, below = p->first + p->count, from = below + index * TASK_ROWS;
    int64_t to = n < from + TASK_ROWS ? n : from + TASK_ROWS;
    double strip[COLUMNS * LOSSI_PANEL_STRIP];
    (void)worker;
    for (int64_t column = below; column < to; column += LOSSI_PANEL_STRIP) {
        for (int64_t t = 0; t < p->count; t++) {
            for (int64_t c = 0; c < LOSSI_PANEL_STRIP; c++) {
                strip[t * LOSSI_PANEL_STRIP + c] = column + c < n ? p->w[t * n + column + c] : 0.0;
            }
        }
        for (int64_t row = from; row < to; row += LOSSI_ROWS) {
            int64_t rows = to - row < LOSSI_ROWS ? to - row : LOSSI_ROWS, width[LOSSI_ROWS];
            for (int64_t r = 0; r < LOSSI_ROWS; r++) {
                int64_t wide = row + r - column + 1;
                width[r] = wide < LOSSI_PANEL_STRIP ? wide : LOSSI_PANEL_STRIP;
            }
            if (width[rows - 1] > 0) {
                p->dense->kernels->update(p->dense->matrix + row * n + column,
                                          p->dense->matrix + row * n + p->first, n, rows, width, strip,
                                          p->count);
            }
        }
    }
}

/* The panel goes to its place, and out of what is right of it. */
static void leave(panel *p)
{
    int64_t n = p->dense->n, rows = n - p->first - p->count, tasks = (rows + TASK_ROWS - 1) / TASK_ROWS;
    for (int64_t i = p->first + 1; i < n; i++) {
        double *row = p->dense->matrix + i * n + p->first;
        for (int64_t t = 0; t < p->count && t < i - p->first; t++) {
            row[t] = p->l[t * n + i];
        }
    }
    if (rows >= PARALLEL) {
        lossi_parallel(p->dense->context, tasks, update_rows, p);
    } else {
        for (int64_t i = 0; i < tasks; i++) {
            update_rows(p, i, 0);
        }
    }
    p->first += p->count;
    p->count = 0;
}

/* ---- the middle factor ---- */

static void note(lossi_inertia *inertia, double value, int64_t place, double x, double y)
{
    inertia->negative += value < 0.0;
    if (value < inertia->least) {
        *inertia = (lossi_inertia){inertia->negative, value, place, {x, y}};
    }
}

static void invert_one(const lossi_dense *dense, int64_t k, double floor, lossi_inertia *inertia)
{
    double value = dense->matrix[k * dense->n + k];
    note(inertia, value, k, 1.0, 0.0);
    dense->pivot[k] = 1.0 / fmax(fabs(value), floor);
    dense->side[k] = 0.0;
}

/* Of (a b; b c): the eigenvalue of the larger size first, and the other from the trace. */
static void invert_two(const lossi_dense *dense, int64_t k, double floor, lossi_inertia *inertia)
{
    int64_t n = dense->n;
    double *block = dense->matrix + (k + 1) * n + k;
    double a = dense->matrix[k * n + k], b = block[0], c = block[1];
    double half = 0.5 * (a - c), middle = 0.5 * (a + c), size = fmax(fabs(half), fabs(b));
    double radius = size * sqrt(half / size * (half / size) + b / size * (b / size));
    double upper = middle + radius, lower = middle - radius;
    /* the eigenvector of the upper one, from the row without cancellation */
    double x = half >= 0.0 ? half + radius : b, y = half >= 0.0 ? b : radius - half;
    size = fmax(fabs(x), fabs(y));
    x /= size;
    y /= size;
    double length = sqrt(x * x + y * y);
    x /= length;
    y /= length;
    note(inertia, upper, k, x, y);
    note(inertia, lower, k, -y, x);
    upper = 1.0 / fmax(fabs(upper), floor);
    lower = 1.0 / fmax(fabs(lower), floor);
    dense->pivot[k] = x * x * upper + y * y * lower;
    dense->pivot[k + 1] = y * y * upper + x * x * lower;
    dense->side[k] = x * y * (upper - lower);
    dense->side[k + 1] = 0.0;
    block[0] = 0.0; /* L has nothing there */
}

static double largest_element(const lossi_dense *dense)
{
    double largest = 0.0;
    for (int64_t i = 0; i < dense->n; i++) {
        largest = fmax(largest, fabs(dense->diagonal[i]));
        for (int64_t j = i + 1; j < dense->n; j++) {
            largest = fmax(largest, fabs(dense->matrix[i * dense->n + j]));
        }
    }
    return largest;
}

lossi_inertia lossi_dense_ldl(const lossi_dense *dense, double epsilon)
{
    int64_t n = dense->n;
    double largest = largest_element(dense), floor = largest > 0.0 ? sqrt(epsilon) * largest : 1.0;
    lossi_inertia inertia = {0, 0.0, 0, {0.0, 0.0}};
    for (int64_t i = 0; i < n; i++) {
        dense->order[i] = i;
        dense->matrix[i * n + i] = dense->diagonal[i];
        for (int64_t j = 0; j < i; j++) {
            dense->matrix[i * n + j] = dense->matrix[j * n + i];
        }
    }
    panel p = {dense, dense->panel, dense->panel + COLUMNS * n, 0, 0};
    for (int64_t k = 0; k < n; k = p.first + p.count) {
        if (choose(&p, k) == 1) {
            eliminate_one(&p, k);
            invert_one(dense, k, floor, &inertia);
            p.count += 1;
        } else {
            eliminate_two(&p, k);
            invert_two(dense, k, floor, &inertia);
            p.count += 2;
        }
        if (p.count > COLUMNS - 2 || p.first + p.count == n) { /* no room for two more */
            leave(&p);
        }
    }
    return inertia;
}

/* ---- solutions ---- */

/* x = Pᵀ L⁻ᵀ work[0], which is overwritten. */
static void finish(const lossi_dense *dense, double *x)
{
    double *y = dense->work[0];
    for (int64_t i = dense->n - 1; i >= 0; i--) {
        dense->kernels->add(y, -y[i], dense->matrix + i * dense->n, i);
        x[dense->order[i]] = y[i];
    }
}

void lossi_dense_ldl_solve(const lossi_dense *dense, double *x)
{
    int64_t n = dense->n;
    double *y = dense->work[0];
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[dense->order[i]] - dense->kernels->dot(dense->matrix + i * n, y, i);
    }
    for (int64_t k = 0; k < n; k++) {
        double here = y[k];
        if (dense->side[k] == 0.0) {
            y[k] = dense->pivot[k] * here;
        } else {
            y[k] = dense->pivot[k] * here + dense->side[k] * y[k + 1];
            y[k + 1] = dense->side[k] * here + dense->pivot[k + 1] * y[k + 1];
            k++;
        }
    }
    finish(dense, x);
}

void lossi_dense_negative(const lossi_dense *dense, const lossi_inertia *inertia, double *z)
{
    double *y = dense->work[0];
    memset(y, 0, (size_t)dense->n * sizeof *y);
    y[inertia->place] = inertia->vector[0];
    if (inertia->vector[1] != 0.0) {
        y[inertia->place + 1] = inertia->vector[1];
    }
    finish(dense, z);
}
