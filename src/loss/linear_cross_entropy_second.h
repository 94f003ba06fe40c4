/*
 * Second derivatives of linear_cross_entropy.c, on tiles of its logits. With a_c = c_c · x + b_c, z = cap(a)/τ, slopes s = ∂z/∂a and bends
 * b = ∂²z/∂a², p = softmax z, R = W + 2λL, and a row's gradient γ by z and g = s γ by a:
 *
 *     by a    H = diag s (R (diag p − ppᵀ) + 2λ ppᵀ) diag s + diag(b γ)
 *     along (x', c', b')    a'_c = c_c · x' + c'_c · x + b'_c,   h = H a'
 *     products    ∂x  Σ_c h_c c_c + g_c c'_c      ∂c_c  Σ_rows h_c x + g_c x'      ∂b_c  Σ_rows h_c
 *     curvature   ∂x_j  R Σ_c p_c (s_c c_cj − μ_j)² + 2λ μ_j² + Σ_c b_c γ_c c_cj²,   μ_j = Σ_c p_c s_c c_cj
 *                 ∂c_cj  Σ_rows H_cc x_j²          ∂b_c  Σ_rows H_cc
 *
 * Gauss–Newton has no g, and R and b γ where they are positive. h is s p (R (d − D) + 2λ D) + b γ a' with d = s a' and D = Σ p d; of the
 * largest class, whose p may be nearly 1, d − D is d Σ p − Σ p d over the others.
 */
#ifndef LOSSI_LOSS_LINEAR_CROSS_ENTROPY_SECOND_H
#define LOSSI_LOSS_LINEAR_CROSS_ENTROPY_SECOND_H

/* Where element (line i, k) of a tile belongs. */
LOSSI_INLINE int64_t row_of(const tile *t, int64_t i, int64_t k)
{
    return t->by_class ? k : i;
}

LOSSI_INLINE int64_t class_of(const tile *t, int64_t i, int64_t k)
{
    return t->first + (t->by_class ? i : k);
}

LOSSI_INLINE double slope_at(const tile *t, int64_t at)
{
    return t->slope == NULL ? 1 : t->slope[at];
}

/* p of a tile. */
static void probabilities(const tile *t, double *p)
{
    const row_state *rows = t->rows;
    const int64_t lines = t->by_class ? t->classes : rows->count, n = t->by_class ? rows->count : t->classes;
    double from[TILE], from_missing[TILE];
    for (int64_t i = 0; i < lines; i++) {
        for (int64_t k = 0; k < n; k++) {
            from[k] = rows->maximum[row_of(t, i, k)];
            from_missing[k] = rows->maximum_missing[row_of(t, i, k)];
        }
        const logits maxima = {from, t->missing == NULL ? NULL : from_missing};
        exponentials(t->by, n, line_of(t, i * n), maxima, p + i * n);
        for (int64_t k = 0; k < n; k++) {
            p[i * n + k] *= rows->inverse[row_of(t, i, k)];
        }
    }
}

/* Takes the classes of a tile into Σ p d of the others, and finds d of the largest class. */
static void direct(const tile *t)
{
    row_state *rows = t->rows;
    probabilities(t, t->spare);
    for (int64_t k = 0; k < rows->count; k++) {
        double sum = 0;
        for (int64_t i = 0; i < t->classes; i++) {
            const int64_t at = i * rows->count + k;
            const double d = slope_at(t, at) * t->along[at] * t->by->rate;
            if (t->first + i == rows->top[k]) {
                rows->apart[k] = d;
            } else {
                sum += t->spare[at] == 0 ? 0 : t->spare[at] * d;
            }
        }
        lossi_add_kept(&rows->mean[k], &rows->mean_lost[k], sum);
    }
}

/* R of a row, in units of its factor. */
LOSSI_INLINE double raised_of(const tile *t, int64_t row)
{
    const double own = t->rows->own_weight[row];
    const double raised = t->by->plain
                              ? 1
                              : own_part(t->by, own) + other_weight(t->by, own) + t->rows->z_slope[row];
    return t->gauss_newton && raised < 0 ? 0 : raised;
}

/* b γ of an element; Gauss–Newton has it where it is positive. */
LOSSI_INLINE double bent(const tile *t, int64_t at)
{
    const double bend = t->bend == NULL ? 0 : t->bend[at] * t->z[at];
    return t->gauss_newton && bend < 0 ? 0 : bend;
}

/* Logits become g, and what is along the direction h. */
static void second(const tile *t)
{
    const row_state *rows = t->rows;
    const int64_t lines = t->by_class ? t->classes : rows->count, n = t->by_class ? rows->count : t->classes;
    const double bend = 2 * t->by->z_loss;
    probabilities(t, t->spare);
    by_logit(t);
    for (int64_t i = 0; i < lines; i++) {
        for (int64_t k = 0; k < n; k++) {
            const int64_t at = i * n + k, row = row_of(t, i, k);
            const double slope = slope_at(t, at), p = t->spare[at], along = t->along[at];
            const double d = slope * along * t->by->rate, mean = rows->mean[row];
            const double apart = class_of(t, i, k) == rows->top[row] ? rows->apart[row] : d - mean;
            const double h = p == 0 ? 0 : p * (raised_of(t, row) * apart + bend * mean);
            t->along[at] = rows->factor[row] * slope * h + (t->bend == NULL ? 0 : bent(t, at) * along);
            t->z[at] *= slope;
        }
    }
}

/* Logits become the diagonal of H. */
static void diagonal(const tile *t)
{
    const row_state *rows = t->rows;
    const int64_t lines = t->by_class ? t->classes : rows->count, n = t->by_class ? rows->count : t->classes;
    probabilities(t, t->spare);
    by_logit(t);
    for (int64_t i = 0; i < lines; i++) {
        for (int64_t k = 0; k < n; k++) {
            const int64_t at = i * n + k, row = row_of(t, i, k);
            const double slope = slope_at(t, at), p = t->spare[at];
            const double rest = class_of(t, i, k) == rows->top[row] ? rows->others[row] * rows->inverse[row]
                                                                    : 1 - p;
            const double bend = p == 0 ? 0 : p * (raised_of(t, row) * rest + 2 * t->by->z_loss * p);
            t->z[at] = rows->factor[row] * t->by->rate * (slope * slope) * bend + bent(t, at);
        }
    }
}

/* Logits become p s: what μ is a sum of. */
static void averages(const tile *t)
{
    probabilities(t, t->spare);
    for (int64_t at = 0; at < t->classes * t->rows->count; at++) {
        t->z[at] = t->spare[at] * slope_at(t, at);
    }
}

/* Adds what the classes of a tile are to the curvature of the features of its rows, μ being in `center`. */
static void curve_features(const tile *t)
{
    const row_state *rows = t->rows;
    probabilities(t, t->spare);
    by_logit(t);
    for (int64_t i = 0; i < t->classes; i++) {
        const real *c = t->x[i];
        for (int64_t k = 0; k < rows->count; k++) {
            const int64_t at = i * rows->count + k;
            const double slope = slope_at(t, at), bend = bent(t, at);
            const double spread = t->spare[at] == 0
                                      ? 0
                                      : t->spare[at] * raised_of(t, k) * (rows->factor[k] * t->by->rate);
            const double *center = t->center + k * t->stride;
            double *sums = t->sums + k * t->stride;
            for (int64_t j = 0; j < t->d && (spread != 0 || bend != 0); j++) {
                const double number = (double)c[j], apart = slope * number - center[j];
                sums[j] += spread * (apart * apart) + bend * (number * number);
            }
        }
    }
}

/* Adds what the rows of a tile are to the curvature of the coefficients of its classes, and of their bias. */
static void curve_classes(const tile *t)
{
    double *bias = t->sums + t->classes * t->stride;
    diagonal(t);
    for (int64_t i = 0; i < t->rows->count; i++) {
        const real *x = t->x[i];
        for (int64_t k = 0; k < t->classes; k++) {
            const double bend = t->z[i * t->classes + k];
            double *sums = t->sums + k * t->stride;
            for (int64_t j = 0; j < t->d; j++) {
                const double number = (double)x[j];
                sums[j] += bend * (number * number);
            }
            bias[k] += bend;
        }
    }
}

#endif
