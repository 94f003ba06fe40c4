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

/* ---- pivots ---- */

/* The largest |element| in row and column `row` of what is left from `from` on, but for the diagonal; where. */
static double largest_beside(const lossi_dense *dense, int64_t from, int64_t row, int64_t *where)
{
    int64_t n = dense->n;
    const double *a = dense->matrix;
    double largest = 0.0;
    for (int64_t j = from; j < n; j++) {
        double size = j == row ? 0.0 : fabs(j < row ? a[row * n + j] : a[j * n + row]);
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

/* Exchanges rows and columns k < p of the lower half, those of L included. */
static void exchange(const lossi_dense *dense, int64_t k, int64_t p)
{
    int64_t n = dense->n, order = dense->order[k];
    double *a = dense->matrix;
    if (k == p) {
        return;
    }
    dense->order[k] = dense->order[p];
    dense->order[p] = order;
    for (int64_t j = 0; j < k; j++) {
        swap_numbers(&a[k * n + j], &a[p * n + j]);
    }
    swap_numbers(&a[k * n + k], &a[p * n + p]);
    for (int64_t i = k + 1; i < p; i++) {
        swap_numbers(&a[i * n + k], &a[p * n + i]);
    }
    for (int64_t i = p + 1; i < n; i++) {
        swap_numbers(&a[i * n + k], &a[i * n + p]);
    }
}

/* Brings the pivot to row k. Gives its rows: 1 or 2. */
static int32_t choose(const lossi_dense *dense, int64_t k)
{
    int64_t n = dense->n, at = k, other = k, next = k;
    double beside = largest_beside(dense, k, k, &other);
    if (fabs(dense->matrix[k * n + k]) >= alpha * beside) {
        return 1;
    }
    /* every round has a larger `beside`, so there are fewer than n; most often one or two */
    for (;;) {
        double largest = largest_beside(dense, k, other, &next);
        if (fabs(dense->matrix[other * n + other]) >= alpha * largest) {
            exchange(dense, k, other);
            return 1;
        }
        if (!(largest > beside)) {
            break;
        }
        at = other;
        other = next;
        beside = largest;
    }
    exchange(dense, k, at < other ? at : other);
    exchange(dense, k + 1, at < other ? other : at);
    return 2;
}

/* ---- elimination ---- */

static void eliminate_one(const lossi_dense *dense, int64_t k)
{
    int64_t n = dense->n;
    double *a = dense->matrix, *column = dense->work[0], d = a[k * n + k];
    if (d == 0.0) { /* and so is all beside it: it was the largest */
        return;
    }
    for (int64_t i = k + 1; i < n; i++) {
        column[i] = a[i * n + k];
    }
    for (int64_t i = k + 1; i < n; i++) {
        double l = column[i] / d;
        a[i * n + k] = l;
        dense->kernels->add(a + i * n + k + 1, -l, column + k + 1, i - k);
    }
}

static void eliminate_two(const lossi_dense *dense, int64_t k)
{
    int64_t n = dense->n;
    double *a = dense->matrix, *first = dense->work[0], *second = dense->work[1];
    /* divided by the element beside the diagonal, which is the largest: nothing overflows */
    double b = a[(k + 1) * n + k], c = a[k * n + k] / b, d = a[(k + 1) * n + k + 1] / b;
    double scale = 1.0 / (c * d - 1.0) / b;
    for (int64_t i = k + 2; i < n; i++) {
        first[i] = a[i * n + k];
        second[i] = a[i * n + k + 1];
    }
    for (int64_t i = k + 2; i < n; i++) {
        double l = scale * (d * first[i] - second[i]), m = scale * (c * second[i] - first[i]);
        a[i * n + k] = l;
        a[i * n + k + 1] = m;
        dense->kernels->add(a + i * n + k + 2, -l, first + k + 2, i - k - 1);
        dense->kernels->add(a + i * n + k + 2, -m, second + k + 2, i - k - 1);
    }
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
    for (int64_t k = 0; k < n;) {
        if (choose(dense, k) == 1) {
            eliminate_one(dense, k);
            invert_one(dense, k, floor, &inertia);
            k += 1;
        } else {
            eliminate_two(dense, k);
            invert_two(dense, k, floor, &inertia);
            k += 2;
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
