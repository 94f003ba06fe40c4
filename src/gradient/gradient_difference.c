/*
 * Hessian products as central differences of gradients,
 *
 *     ∇²f(x)·v ≈ (∇f(x + r·v) − ∇f(x − r·v)) / 2r,      r = √ε · (1 + ‖x‖) / ‖v‖,
 *
 * with ε the precision of the element type and Euclidean norms. The step is that of Andrei, Accelerated conjugate gradient
 * algorithm with finite difference Hessian/vector product approximation, J. Comput. Appl. Math. 230 (2009), 570–582. Rows of the
 * Hessian go along a coordinate, by a step of their own.
 *
 * Directions are taken times a power of two that makes their largest element about 1, so that any length of v gives the same digits.
 *
 * Where a gradient is not finite the steps are shortened. What is found then is an end of the domain at about the last step, and the
 * difference is taken well within it. On the end itself the inner side has to do.
 */
#include "gradient/gradient_difference.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Along what: a direction, or a coordinate when that is NULL. */
typedef struct line {
    const void *x, *direction;
    int32_t exponent; /* of the largest element of the direction */
    int64_t index;
} line;

/* Where the differences are taken, how far apart, and whether one of them is x itself. */
typedef struct ends {
    double ahead, behind; /* the way really gone along a coordinate */
    int32_t finite;
} ends;

static double element(const loss_objective *o, const line *l, int64_t i)
{
    return ldexp(lossi_real_get(o->dtype, l->direction, i), -l->exponent);
}

/* Moves the point to x + t along the line; the way gone, 0 when rounding leaves it where it is. */
static double move(lossi_gradient_difference *d, const loss_objective *o, const line *l, double t)
{
    int32_t moved = 0;
    if (l->direction == NULL) {
        const double at = lossi_real_get(o->dtype, l->x, l->index);
        memcpy(d->point, l->x, (size_t)(o->dimension * o->real_size));
        lossi_real_put(o->dtype, d->point, l->index, at + t);
        return lossi_real_get(o->dtype, d->point, l->index) - at;
    }
    for (int64_t i = 0; i < o->dimension; i++) {
        const double at = lossi_real_get(o->dtype, l->x, i);
        lossi_real_put(o->dtype, d->point, i, at + t * element(o, l, i));
        moved |= lossi_real_get(o->dtype, d->point, i) != at;
    }
    return moved ? t : 0;
}

static int32_t all_finite(const loss_objective *o, const void *vector)
{
    for (int64_t i = 0; i < o->dimension; i++) {
        if (!isfinite(lossi_real_get(o->dtype, vector, i))) {
            return 0;
        }
    }
    return 1;
}

/* The gradient at x + t along the line; *finite: whether there is one, somewhere else than at x unless t is 0. */
static loss_status gradient_at(lossi_gradient_difference *d, loss_objective *o, const line *l, double t,
                               char *gradient, double *way, int32_t *finite)
{
    double value;
    *way = move(d, o, l, t);
    *finite = 0;
    if (t != 0 && (*way == 0 || !all_finite(o, d->point))) {
        return LOSS_OK;
    }
    loss_status status = d->gradient(o, d->point, &value, gradient);
    *finite = status == LOSS_OK && isfinite(value) && all_finite(o, gradient);
    return status;
}

static loss_status two_sided(lossi_gradient_difference *d, loss_objective *o, const line *l, double step,
                             ends *e)
{
    loss_status status = gradient_at(d, o, l, step, d->ahead, &e->ahead, &e->finite);
    return status != LOSS_OK || !e->finite ? status
                                           : gradient_at(d, o, l, -step, d->behind, &e->behind, &e->finite);
}

/* x itself and the side that has gradients. */
static loss_status one_sided(lossi_gradient_difference *d, loss_objective *o, const line *l, double step,
                             ends *e)
{
    loss_status status = gradient_at(d, o, l, 0, d->behind, &e->behind, &e->finite);
    for (int32_t side = 1; side >= -1 && status == LOSS_OK && e->finite; side -= 2) {
        status = gradient_at(d, o, l, side * step, d->ahead, &e->ahead, &e->finite);
        if (status != LOSS_OK || e->finite) {
            return status;
        }
        e->finite = side > 0; /* the other side may do */
    }
    return status;
}

static loss_status find_ends(lossi_gradient_difference *d, loss_objective *o, const line *l, double step,
                             ends *e)
{
    enum { TRIES = 10, SHORTER = 16 }; /* down to 2⁻⁴⁰ of the step, below which rounding leaves nothing */
    /* ε^(1/3) of the way to the end, as with f's own steps: the remainder is its square there, the rounding ε over it. */
    const double within = o->dtype == LOSS_FLOAT32 ? 0x1p-8 : 0x1p-17;
    double shorter = step;
    loss_status status = two_sided(d, o, l, step, e);
    for (int32_t k = 0; k < TRIES && status == LOSS_OK && !e->finite; k++) {
        shorter /= SHORTER;
        status = two_sided(d, o, l, shorter, e);
        if (status == LOSS_OK && e->finite) {
            status = two_sided(d, o, l, shorter * within, e);
        }
    }
    return status == LOSS_OK && !e->finite ? one_sided(d, o, l, step, e) : status;
}

static loss_status allocate(lossi_gradient_difference *d, const loss_objective *o)
{
    char **const arrays[] = {&d->point, &d->ahead, &d->behind};
    for (int32_t i = 0; i < 3; i++) {
        if (*arrays[i] == NULL) {
            *arrays[i] = lossi_allocate(o->context, o->dimension * o->real_size);
        }
        if (*arrays[i] == NULL) {
            return lossi_fail_memory(o->context, "Hessians by differences");
        }
    }
    return LOSS_OK;
}

static loss_status along(lossi_gradient_difference *d, loss_objective *o, const line *l, double step,
                         void *out)
{
    ends e;
    loss_status status = allocate(d, o);
    if (status == LOSS_OK) {
        status = find_ends(d, o, l, step, &e);
    }
    if (status != LOSS_OK) {
        return status;
    }
    for (int64_t i = 0; i < o->dimension; i++) {
        const double rise = lossi_real_get(o->dtype, d->ahead, i) - lossi_real_get(o->dtype, d->behind, i);
        lossi_real_put(o->dtype, out, i,
                       e.finite ? ldexp(rise / (e.ahead - e.behind), l->exponent) : (double)NAN);
    }
    return e.finite ? LOSS_OK
                    : lossi_fail(o->context, LOSS_ERROR_NONFINITE,
                                 "there are no finite gradients around x to take a difference of, which "
                                 "Hessians come from");
}

/* ---- directions ---- */

/* The exponent of the largest element, NaN in *norm when there is one that is not finite; *norm is that of the vector over 2^exponent. */
static int32_t measure(const loss_objective *o, const void *vector, double *norm)
{
    double largest = 0, sum = 0;
    int exponent = 0;
    for (int64_t i = 0; i < o->dimension; i++) {
        const double size = fabs(lossi_real_get(o->dtype, vector, i));
        largest = isnan(size) || isnan(largest) ? (double)NAN : fmax(largest, size);
    }
    if (isfinite(largest)) {
        frexp(largest, &exponent);
    }
    for (int64_t i = 0; i < o->dimension; i++) {
        const double part = ldexp(lossi_real_get(o->dtype, vector, i), -exponent);
        sum += part * part;
    }
    *norm = sqrt(sum);
    return exponent;
}

loss_status lossi_gradient_difference_product(lossi_gradient_difference *d, loss_objective *o, const void *x,
                                              const void *direction, void *product)
{
    const double epsilon = o->dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    double length, size;
    const int32_t exponent = measure(o, direction, &length), exponent_x = measure(o, x, &size);
    if (length == 0) {
        memset(product, 0, (size_t)(o->dimension * o->real_size));
        return LOSS_OK;
    }
    const double norm = fmin(ldexp(size, exponent_x), DBL_MAX / 2);
    const line l = {x, direction, exponent, 0};
    return along(d, o, &l, sqrt(epsilon) * (1 + norm) / length, product);
}

/* ---- coordinates ---- */

/*
 * The step of central differences along a coordinate, relative to max(|x|, 1): near ε^(1/3), where the rounding of the
 * gradients, ε/h, is as large as the third derivatives' part, h² (Nocedal & Wright, Numerical Optimization, 2006, §8.1).
 * It is not the step of a product, which has to do for directions of any kind.
 */
static double coordinate_step(loss_dtype dtype, double x)
{
    return (dtype == LOSS_FLOAT32 ? 0x1p-8 : 0x1p-17) * fmax(fabs(x), 1);
}

/* How ∇f changes along coordinate i, over the way it really went once x is rounded. */
loss_status lossi_gradient_difference_row(lossi_gradient_difference *d, loss_objective *o, const void *x,
                                          int64_t index, void *row)
{
    const line l = {x, NULL, 0, index};
    return along(d, o, &l, coordinate_step(o->dtype, lossi_real_get(o->dtype, x, index)), row);
}

void lossi_gradient_difference_free(lossi_gradient_difference *d, loss_context *context)
{
    lossi_release(context, d->point);
    lossi_release(context, d->ahead);
    lossi_release(context, d->behind);
}
