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

#include "core/isa.h"
#include "core/sum.h"
#include "gradient/difference_kernels.h"

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

static const lossi_difference_kernels *kernels_for(const loss_objective *o)
{
    return lossi_difference_kernels_for(lossi_context_isa(o->context), lossi_real_index(o->dtype));
}

/* 2^exponent. */
static lossi_power power_of_two(int exponent)
{
    enum { MOST = 1000 }; /* more is not always a double; less than the smallest there is none of */
    const int first = exponent < MOST ? exponent : MOST;
    return (lossi_power){ldexp(1, first), ldexp(1, exponent - first)};
}

/* Moves the point to x + t along the line, which may have no finite such point; the way gone, 0 when rounding leaves it where it is. */
static double move(lossi_gradient_difference *d, const loss_objective *o, const line *l, double t,
                   int32_t *finite)
{
    const lossi_difference_kernels *kernels = kernels_for(o);
    if (l->direction == NULL) {
        const double at = lossi_real_get(o->dtype, l->x, l->index);
        memcpy(d->point, l->x, (size_t)(o->dimension * o->real_size));
        lossi_real_put(o->dtype, d->point, l->index, at + t);
        *finite = kernels->finite(o->dimension, d->point);
        return lossi_real_get(o->dtype, d->point, l->index) - at;
    }
    const int32_t result = kernels->move(o->dimension, l->x, l->direction, power_of_two(-l->exponent), t,
                                         d->point);
    *finite = (result & LOSSI_FINITE) != 0;
    return (result & LOSSI_MOVED) != 0 ? t : 0;
}

/* The gradient at x + t along the line; *finite: whether there is one, somewhere else than at x unless t is 0. */
static loss_status gradient_at(lossi_gradient_difference *d, loss_objective *o, const line *l, double t,
                               char *gradient, double *way, int32_t *finite)
{
    double value;
    int32_t inside;
    *way = move(d, o, l, t, &inside);
    *finite = 0;
    if (t != 0 && (*way == 0 || !inside)) {
        return LOSS_OK;
    }
    loss_status status = d->gradient(o, d->point, &value, gradient);
    *finite = status == LOSS_OK && isfinite(value) && kernels_for(o)->finite(o->dimension, gradient);
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
    const double width = e.finite ? e.ahead - e.behind : (double)NAN;
    kernels_for(o)->quotient(o->dimension, d->ahead, d->behind, width, power_of_two(l->exponent), out);
    return e.finite ? LOSS_OK
                    : lossi_fail(o->context, LOSS_ERROR_NONFINITE,
                                 "there are no finite gradients around x to take a difference of, which "
                                 "Hessians come from");
}

/* ---- directions ---- */

/* The exponent of the largest element, NaN in *norm when there is one that is not a number; *norm is that of the vector over 2^exponent. */
static int32_t measure(const loss_objective *o, const void *vector, double *norm)
{
    const lossi_difference_kernels *kernels = kernels_for(o);
    const lossi_cut cut = lossi_cut_rows(o->dimension, 1);
    const double largest = kernels->largest(o->dimension, vector);
    double sums[LOSSI_SLICES];
    int exponent = 0;
    if (isfinite(largest)) {
        frexp(largest, &exponent);
    }
    for (int64_t slice = 0; slice < cut.slices; slice++) {
        const int64_t begin = slice * cut.slice_rows, end = begin + cut.slice_rows;
        sums[slice] = kernels->squares(vector, power_of_two(-exponent), begin,
                                       end < cut.rows ? end : cut.rows);
    }
    *norm = sqrt(lossi_sum_slices(sums, cut.slices));
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
