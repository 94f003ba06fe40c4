/* Compact quasi-Newton systems, see compact_system.h. Sums go upwards, one by one: the matrices are tiny. */
#include "optimizer/compact_system.h"

#include <math.h>

/* a = LLᵀ in the lower half. */
static int32_t cholesky(double *a, int32_t k, int32_t stride)
{
    for (int32_t j = 0; j < k; j++) {
        double *row = a + (int64_t)j * stride, pivot = row[j];
        for (int32_t i = 0; i < j; i++) {
            pivot -= row[i] * row[i];
        }
        if (!(pivot > 0.0) || !isfinite(pivot)) {
            return 0;
        }
        row[j] = sqrt(pivot);
        for (int32_t l = j + 1; l < k; l++) {
            double *below = a + (int64_t)l * stride, sum = below[j];
            for (int32_t i = 0; i < j; i++) {
                sum -= below[i] * row[i];
            }
            below[j] = sum / row[j];
        }
    }
    return 1;
}

/* x = L⁻¹x */
static void forward(const double *l, int32_t k, int32_t stride, double *x)
{
    for (int32_t j = 0; j < k; j++) {
        const double *row = l + (int64_t)j * stride;
        for (int32_t i = 0; i < j; i++) {
            x[j] -= row[i] * x[i];
        }
        x[j] /= row[j];
    }
}

/* x = L⁻ᵀx */
static void backward(const double *l, int32_t k, int32_t stride, double *x)
{
    for (int32_t j = k - 1; j >= 0; j--) {
        for (int32_t i = j + 1; i < k; i++) {
            x[j] -= l[(int64_t)i * stride + j] * x[i];
        }
        x[j] /= l[(int64_t)j * stride + j];
    }
}

int32_t lossi_compact_factor(lossi_compact_system *s)
{
    if (!cholesky(s->p, s->k, s->stride)) {
        return 0;
    }
    for (int32_t i = 0; i < s->k; i++) { /* the rows of X = BC⁻ᵀ */
        forward(s->p, s->k, s->stride, s->b + (int64_t)i * s->stride);
    }
    for (int32_t i = 0; i < s->k; i++) {
        for (int32_t j = 0; j <= i; j++) {
            const double *x_i = s->b + (int64_t)i * s->stride, *x_j = s->b + (int64_t)j * s->stride;
            double sum = s->q[(int64_t)i * s->stride + j];
            for (int32_t l = 0; l < s->k; l++) {
                sum += x_i[l] * x_j[l];
            }
            s->q[(int64_t)i * s->stride + j] = sum;
        }
    }
    return cholesky(s->q, s->k, s->stride);
}

/* v₂ = J⁻ᵀJ⁻¹(u₂ + XC⁻¹u₁),  v₁ = C⁻ᵀ(Xᵀv₂ − C⁻¹u₁) */
void lossi_compact_solve(const lossi_compact_system *s, const double *u, double *v)
{
    int32_t k = s->k;
    double *v1 = v, *v2 = v + k;
    for (int32_t i = 0; i < 2 * k; i++) {
        v[i] = u[i];
    }
    forward(s->p, k, s->stride, v1);
    for (int32_t i = 0; i < k; i++) {
        for (int32_t l = 0; l < k; l++) {
            v2[i] += s->b[(int64_t)i * s->stride + l] * v1[l];
        }
    }
    forward(s->q, k, s->stride, v2);
    backward(s->q, k, s->stride, v2);
    for (int32_t l = 0; l < k; l++) {
        double sum = -v1[l];
        for (int32_t i = 0; i < k; i++) {
            sum += s->b[(int64_t)i * s->stride + l] * v2[i];
        }
        v1[l] = sum;
    }
    backward(s->p, k, s->stride, v1);
}
