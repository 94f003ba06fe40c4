/*
 * Losses of two boxes (x1, y1, x2, y2): one minus the intersection over the union, and what its relatives add to it.
 *
 *     u = 1 − I/U                        I, U: areas of the intersection and the union
 *     g = (C − U)/C                      C: area of the hull, the smallest box around both
 *     d = ‖centres apart‖²/(cw² + ch²)   cw, ch: width and height of the hull
 *     v = (4/π²) θ²,  s = v²/(u + v)     θ = arctan(W/H) − arctan(w/h), what the shapes are apart
 *
 * u, g and d are ratios M/D, whose derivatives are r_j = (M_j − r D_j)/D and (M_jk − r D_jk − r_j D_k − r_k D_j)/D. The M are sums of
 * parts that are not negative, so that boxes that nearly agree keep their digits. Gauss–Newton takes of −r_j D_k − r_k D_j the
 * positive part ½ w wᵀ, w = ρ D′ − r′/ρ, ρ² = ‖r′‖/‖D′‖, and leaves out what bends the ratio itself down.
 *
 * Kinks: where edges of the boxes meet a coordinate has two slopes; the gradient is the smallest number between them, curvature
 * and product are those of the inner piece: the prediction inside the target, or overlapping it. Boxes without an area: I/U = 1
 * where both are the same, 0 otherwise, and a ratio without a denominator has no slope. A box with x2 < x1 or y2 < y1, or with
 * corners that are not finite, is none: NaN in its row. Lengths are divided by a power of two near the hull's larger side.
 */
#ifndef LOSSI_LOSS_BOX_H
#define LOSSI_LOSS_BOX_H

#include "loss/structured.h"
#include "loss/wide.h"
#include "simd/math_atan.h"

enum { LOSSI_BOX_PLAIN, LOSSI_BOX_GENERALIZED, LOSSI_BOX_DISTANCE, LOSSI_BOX_COMPLETE };
enum { LOSSI_CORNERS = 4, LOSSI_BOX_PREDICTION = 0, LOSSI_BOX_TARGET, LOSSI_BOX_ROLES };

#define LOSSI_BOX_SHAPE 0.40528473456935109 /* 4/π² */

/* How the intersection and the hull change along their axis with one coordinate of the prediction. */
typedef struct lossi_box_moves {
    f64v inner, hull;
} lossi_box_moves;

/* F64_LANES pairs of boxes. Coordinate c is on axis c % 2; c / 2 says which end. */
typedef struct lossi_boxes {
    f64v p[LOSSI_CORNERS], t[LOSSI_CORNERS];
    f64v unit;                                       /* the power of two */
    f64v side[2], target_side[2], inner[2], hull[2]; /* along each axis */
    lossi_box_moves up[LOSSI_CORNERS], down[LOSSI_CORNERS], piece[LOSSI_CORNERS];
    f64v q, u, area_inverse;                          /* I/U, 1 − I/U, 1/U */
    f64v filled, g, hull_inverse;                     /* U/C, (C − U)/C, 1/C */
    f64v apart[2], d, diagonal_inverse;               /* centres; d; 1/(cw² + ch²) */
    f64v angle, v, share, blend_inverse, s, diameter; /* θ, v, v/(u + v), 1/(u + v), s, 1/(w² + h²) */
} lossi_boxes;

LOSSI_INLINE f64v lossi_box_inverse(f64v x)
{
    return f64_select(f64_eq(x, f64_set1(0)), f64_set1(0), f64_set1(1) / x);
}

LOSSI_INLINE f64v lossi_box_flag(f64m mask)
{
    return f64_select(mask, f64_set1(1), f64_set1(0));
}

/* ---- lengths and areas ---- */

/* Sides, overlap and hull of an axis before they are divided by the unit; the overlap is negative between boxes apart. */
LOSSI_INLINE void lossi_box_axis(lossi_boxes *b, int axis)
{
    const f64v low = b->p[axis], high = b->p[axis + 2], target_low = b->t[axis], target_high = b->t[axis + 2];
    b->side[axis] = high - low;
    b->target_side[axis] = target_high - target_low;
    b->inner[axis] = f64_min(high, target_high) - f64_max(low, target_low);
    b->hull[axis] = f64_max(high, target_high) - f64_min(low, target_low);
}

/* What both coordinates of an axis do on their two sides, and in the inner piece. */
LOSSI_INLINE void lossi_box_changes(lossi_boxes *b, int axis)
{
    const f64v zero = f64_set1(0), raw = b->inner[axis];
    const f64v low = b->p[axis], high = b->p[axis + 2], target_low = b->t[axis], target_high = b->t[axis + 2];
    const f64m over = f64_gt(raw, zero), touch = f64_ge(raw, zero);
    lossi_box_moves *const up = &b->up[axis], *const down = &b->down[axis], *const piece = &b->piece[axis];

    up[0].inner = -lossi_box_flag(f64_mask_and(over, f64_ge(low, target_low)));
    down[0].inner = -lossi_box_flag(f64_mask_and(touch, f64_gt(low, target_low)));
    piece[0].inner = -lossi_box_flag(f64_mask_and(touch, f64_ge(low, target_low)));
    up[0].hull = piece[0].hull = -lossi_box_flag(f64_lt(low, target_low));
    down[0].hull = -lossi_box_flag(f64_le(low, target_low));

    up[2].inner = lossi_box_flag(f64_mask_and(touch, f64_lt(high, target_high)));
    down[2].inner = lossi_box_flag(f64_mask_and(over, f64_le(high, target_high)));
    piece[2].inner = lossi_box_flag(f64_mask_and(touch, f64_le(high, target_high)));
    up[2].hull = lossi_box_flag(f64_ge(high, target_high));
    down[2].hull = piece[2].hull = lossi_box_flag(f64_gt(high, target_high));
}

/* Lengths in units of about the larger side of the hull. */
LOSSI_INLINE void lossi_box_normalize(lossi_boxes *b)
{
    const f64v zero = f64_set1(0), most = f64_set1(1000);
    const f64v large = f64_max(b->hull[0], b->hull[1]);
    f64v exponent;
    f64_split(f64_select(f64_gt(large, zero), large, f64_set1(1)), &exponent);
    exponent = f64_min(most, f64_max(-most, exponent));
    b->unit = f64_pow2(-exponent);
    for (int axis = 0; axis < 2; axis++) {
        b->side[axis] = b->side[axis] * b->unit;
        b->target_side[axis] = b->target_side[axis] * b->unit;
        b->inner[axis] = f64_max(zero, b->inner[axis] * b->unit);
        b->hull[axis] = b->hull[axis] * b->unit;
        b->apart[axis] = ((b->p[axis] - b->t[axis]) * b->unit + (b->p[axis + 2] - b->t[axis + 2]) * b->unit) *
                         f64_set1(0.5);
    }
}

/* Of the box a: its area without the intersection. */
LOSSI_INLINE f64v lossi_box_outside(const lossi_boxes *b, const f64v *a, const f64v *side)
{
    f64v beyond[2];
    for (int axis = 0; axis < 2; axis++) {
        beyond[axis] = ((f64_max(b->p[axis], b->t[axis]) - a[axis]) +
                        (a[axis + 2] - f64_min(b->p[axis + 2], b->t[axis + 2]))) *
                       b->unit;
    }
    return beyond[0] * side[1] + b->inner[0] * beyond[1];
}

/* The area of the hull that neither of two overlapping boxes has: in its corners, between an edge of one and one of the other. */
LOSSI_INLINE f64v lossi_box_corners(const lossi_boxes *b)
{
    const f64v zero = f64_set1(0);
    f64v sum = zero;
    for (int i = 0; i < LOSSI_CORNERS; i += 2) {
        for (int j = 1; j < LOSSI_CORNERS; j += 2) {
            const f64v x = (b->p[i] - b->t[i]) * b->unit, y = (b->p[j] - b->t[j]) * b->unit;
            /* further out at one end is below, at the other above */
            const f64v sign = f64_set1(i / 2 == j / 2 ? -1 : 1);
            sum = sum + f64_max(zero, sign * (x * y));
        }
    }
    return sum;
}

LOSSI_INLINE void lossi_box_areas(lossi_boxes *b, int kind)
{
    const f64v zero = f64_set1(0), one = f64_set1(1);
    const f64v inner = b->inner[0] * b->inner[1], own = b->side[0] * b->side[1],
               other = b->target_side[0] * b->target_side[1], hull = b->hull[0] * b->hull[1];
    const f64m overlap = f64_mask_and(f64_gt(b->inner[0], zero), f64_gt(b->inner[1], zero));
    const f64v outside = f64_select(
        overlap, lossi_box_outside(b, b->p, b->side) + lossi_box_outside(b, b->t, b->target_side),
        own + other);
    const f64v all = outside + inner;
    f64m same = f64_eq(b->p[0], b->t[0]);
    for (int c = 1; c < LOSSI_CORNERS; c++) {
        same = f64_mask_and(same, f64_eq(b->p[c], b->t[c]));
    }
    const f64m nothing = f64_eq(all, zero);
    b->area_inverse = lossi_box_inverse(all);
    b->u = f64_select(nothing, f64_select(same, zero, one), outside / all);
    b->q = f64_select(nothing, f64_select(same, one, zero), inner / all);
    if (kind == LOSSI_BOX_GENERALIZED) {
        b->hull_inverse = lossi_box_inverse(hull);
        b->g = f64_select(overlap, lossi_box_corners(b), hull - all) * b->hull_inverse;
        b->filled = all * b->hull_inverse;
    }
}

/* θ, as one arc tangent of the two sides' vectors, so that shapes that nearly agree keep their digits. A point has no shape. */
LOSSI_INLINE f64v lossi_box_angle(f64v sine, f64v cosine)
{
    const f64v nothing = f64_set1(0);
    const f64m none = f64_mask_and(f64_eq(sine, nothing), f64_eq(cosine, nothing));
    const f64v q = sine / cosine;
#if LOSSI_REAL == 64
    const f64v angle = v_atan(q);
#else
    const f64v rounded = f32_to_f64_low(f64_to_f32(q, q)), missing = q - rounded;
    const f64v angle = f32_to_f64_low(v_atan(f64_to_f32(q, q))) +
                       f64_select(f64_lt(f64_abs(rounded), f64_set1(0x1p60)),
                                  missing / f64_fma(rounded, rounded, f64_set1(1)), nothing);
#endif
    return f64_select(none, nothing, angle);
}

LOSSI_INLINE void lossi_box_distances(lossi_boxes *b, int kind)
{
    const f64v zero = f64_set1(0), one = f64_set1(1);
    const f64v square = f64_fma(b->hull[0], b->hull[0], b->hull[1] * b->hull[1]);
    b->diagonal_inverse = lossi_box_inverse(square);
    b->d = f64_fma(b->apart[0], b->apart[0], b->apart[1] * b->apart[1]) * b->diagonal_inverse;
    if (kind != LOSSI_BOX_COMPLETE) {
        return;
    }
    const f64v w = b->side[0], h = b->side[1], target_w = b->target_side[0], target_h = b->target_side[1];
    const f64v own = f64_fma(w, w, h * h);
    const f64m shapeless = f64_mask_or(f64_eq(own, zero),
                                       f64_eq(f64_fma(target_w, target_w, target_h * target_h), zero));
    /* W h − w H with what the second product loses */
    const f64v product = w * target_h;
    const f64v sine = f64_fma(target_w, h, -product) - f64_fma(w, target_h, -product);
    b->angle = f64_select(shapeless, zero, lossi_box_angle(sine, f64_fma(w, target_w, h * target_h)));
    b->diameter = f64_select(shapeless, zero, one / own);
    b->v = f64_set1(LOSSI_BOX_SHAPE) * (b->angle * b->angle);
    b->blend_inverse = lossi_box_inverse(b->u + b->v);
    b->share = b->v * b->blend_inverse;
    b->s = b->v * b->share;
}

/* ---- first derivatives ---- */

/* What one coordinate changes, in units. */
typedef struct lossi_box_slopes {
    f64v u, g, d, angle;                /* of the ratios and of θ */
    f64v area, inner, hull;             /* of the areas */
    f64v diagonal;                      /* of cw² + ch² */
    f64v sign, along_inner, along_hull; /* of the sides themselves: ±1, −1 … 1 */
    f64v total;
} lossi_box_slopes;

LOSSI_INLINE void lossi_box_slope(const lossi_boxes *b, int kind, int c, const lossi_box_moves *moves,
                                  lossi_box_slopes *out)
{
    const int axis = c % 2, other = 1 - axis;
    const f64v one = f64_set1(1), two = f64_set1(2);
    out->sign = f64_set1(c < 2 ? -1 : 1);
    out->along_inner = moves->inner;
    out->along_hull = moves->hull;
    out->area = out->sign * b->side[other];
    out->inner = moves->inner * b->inner[other];
    out->hull = moves->hull * b->hull[other];
    out->u = (b->q * out->area - (one + b->q) * out->inner) * b->area_inverse;
    out->total = out->u;
    if (kind == LOSSI_BOX_GENERALIZED) {
        out->g = (b->filled * out->hull - (out->area - out->inner)) * b->hull_inverse;
        out->total = out->u + out->g;
    }
    if (kind >= LOSSI_BOX_DISTANCE) {
        out->diagonal = two * b->hull[axis] * moves->hull;
        out->d = (b->apart[axis] - b->d * out->diagonal) * b->diagonal_inverse;
        out->total = out->u + out->d;
    }
    if (kind == LOSSI_BOX_COMPLETE) {
        /* s_u = −(v/(u + v))², s_v = (v/(u + v)) (2 − v/(u + v)) */
        const f64v turn = out->sign * b->side[other] * b->diameter;
        const f64v by_shape = b->share * (two - b->share);
        out->angle = axis == 0 ? -turn : turn;
        out->total = (one - b->share * b->share) * out->u + out->d +
                     by_shape * (f64_set1(2 * LOSSI_BOX_SHAPE) * b->angle * out->angle);
    }
}

/* The smallest number between the slopes on both sides. */
LOSSI_INLINE f64v lossi_box_gradient(const lossi_boxes *b, int kind, int c)
{
    const f64v zero = f64_set1(0);
    lossi_box_slopes up, down;
    lossi_box_slope(b, kind, c, &b->up[c], &up);
    lossi_box_slope(b, kind, c, &b->down[c], &down);
    const f64m across = f64_mask_or(f64_mask_and(f64_lt(up.total, zero), f64_gt(down.total, zero)),
                                    f64_mask_and(f64_gt(up.total, zero), f64_lt(down.total, zero)));
    const f64m upwards = f64_lt(f64_abs(up.total), f64_abs(down.total));
    return f64_select(across, zero, f64_select(upwards, up.total, down.total));
}

/* ---- second derivatives ---- */

typedef struct lossi_box_hessian {
    f64v at[LOSSI_CORNERS][LOSSI_CORNERS]; /* j ≤ k */
} lossi_box_hessian;

/* Adds factor · x xᵀ. */
LOSSI_INLINE void lossi_box_add_square(lossi_box_hessian *h, f64v factor, const f64v *x)
{
    for (int j = 0; j < LOSSI_CORNERS; j++) {
        for (int k = j; k < LOSSI_CORNERS; k++) {
            h->at[j][k] = h->at[j][k] + factor * (x[j] * x[k]);
        }
    }
}

/* Adds factor · (−r Dᵀ − D rᵀ), or the positive part of it. */
LOSSI_INLINE void lossi_box_add_ratio(lossi_box_hessian *h, f64v factor, const f64v *r, const f64v *d,
                                      int32_t gauss_newton)
{
    const f64v zero = f64_set1(0);
    if (!gauss_newton) {
        for (int j = 0; j < LOSSI_CORNERS; j++) {
            for (int k = j; k < LOSSI_CORNERS; k++) {
                h->at[j][k] = h->at[j][k] - factor * (r[j] * d[k] + d[j] * r[k]);
            }
        }
        return;
    }
    f64v rr = zero, dd = zero, w[LOSSI_CORNERS];
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        rr = f64_fma(r[c], r[c], rr);
        dd = f64_fma(d[c], d[c], dd);
    }
    const f64m some = f64_mask_and(f64_gt(rr, zero), f64_gt(dd, zero));
    const f64v ratio = f64_select(some, f64_sqrt(f64_sqrt(rr / dd)), zero), away = lossi_box_inverse(ratio);
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        w[c] = ratio * d[c] - away * r[c];
    }
    lossi_box_add_square(h, f64_set1(0.5) * factor, w);
}

/* Adds a_jk where j and k are of different axes: the second derivatives of a product of two sides are those of its sides. */
LOSSI_INLINE void lossi_box_add_bends(const lossi_boxes *b, int kind, const lossi_box_slopes *s,
                                      lossi_box_hessian *h)
{
    const f64v one = f64_set1(1), weight = kind == LOSSI_BOX_COMPLETE ? one - b->share * b->share : one;
    for (int j = 0; j < LOSSI_CORNERS; j++) {
        for (int k = j + 1; k < LOSSI_CORNERS; k += 2) {
            const f64v area = s[j].sign * s[k].sign, inner = s[j].along_inner * s[k].along_inner;
            h->at[j][k] = h->at[j][k] + weight * (b->q * area - (one + b->q) * inner) * b->area_inverse;
            if (kind == LOSSI_BOX_GENERALIZED) {
                const f64v hull = s[j].along_hull * s[k].along_hull;
                h->at[j][k] = h->at[j][k] + (b->filled * hull - (area - inner)) * b->hull_inverse;
            }
        }
    }
}

LOSSI_INLINE void lossi_box_add_distance(const lossi_boxes *b, const lossi_box_slopes *s,
                                         int32_t gauss_newton, lossi_box_hessian *h)
{
    const f64v half = f64_set1(0.5), two = f64_set1(2);
    f64v r[LOSSI_CORNERS], d[LOSSI_CORNERS];
    for (int j = 0; j < LOSSI_CORNERS; j++) {
        r[j] = s[j].d;
        d[j] = s[j].diagonal;
        for (int k = j; k < LOSSI_CORNERS; k += 2) {
            const f64v hull = two * b->d * (s[j].along_hull * s[k].along_hull);
            h->at[j][k] = h->at[j][k] + (gauss_newton ? half : half - hull) * b->diagonal_inverse;
        }
    }
    lossi_box_add_ratio(h, b->diagonal_inverse, r, d, gauss_newton);
}

/* Of s: its Hessian by u and v is 2/(u + v) z zᵀ, z = (v, −u)/(u + v); and that of v. */
LOSSI_INLINE void lossi_box_add_shape(const lossi_boxes *b, const lossi_box_slopes *s, int32_t gauss_newton,
                                      lossi_box_hessian *h)
{
    const f64v one = f64_set1(1), two = f64_set1(2), shape = f64_set1(2 * LOSSI_BOX_SHAPE);
    const f64v by_shape = b->share * (two - b->share) * shape, square = b->diameter * b->diameter;
    const f64v width = b->side[0], height = b->side[1];
    f64v z[LOSSI_CORNERS], turn[LOSSI_CORNERS];
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        turn[c] = s[c].angle;
        z[c] = b->share * s[c].u - (one - b->share) * (shape * b->angle * turn[c]);
    }
    lossi_box_add_square(h, two * b->blend_inverse, z);
    lossi_box_add_square(h, by_shape, turn);
    for (int j = 0; j < LOSSI_CORNERS && !gauss_newton; j++) {
        for (int k = j; k < LOSSI_CORNERS; k++) {
            const f64v same = two * width * height * square,
                       cross = (height - width) * (height + width) * square;
            const f64v bend = j % 2 != k % 2 ? cross : j % 2 == 0 ? same : -same;
            h->at[j][k] = h->at[j][k] + by_shape * b->angle * (s[j].sign * s[k].sign * bend);
        }
    }
}

LOSSI_INLINE void lossi_box_second(const lossi_boxes *b, int kind, int32_t gauss_newton, lossi_box_hessian *h)
{
    const f64v one = f64_set1(1);
    lossi_box_slopes s[LOSSI_CORNERS];
    f64v r[LOSSI_CORNERS], d[LOSSI_CORNERS];
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        lossi_box_slope(b, kind, c, &b->piece[c], &s[c]);
        r[c] = s[c].u;
        d[c] = s[c].area - s[c].inner;
        for (int k = c; k < LOSSI_CORNERS; k++) {
            h->at[c][k] = f64_set1(0);
        }
    }
    if (!gauss_newton) {
        lossi_box_add_bends(b, kind, s, h);
    }
    lossi_box_add_ratio(h, (kind == LOSSI_BOX_COMPLETE ? one - b->share * b->share : one) * b->area_inverse,
                        r, d, gauss_newton);
    if (kind == LOSSI_BOX_GENERALIZED) {
        for (int c = 0; c < LOSSI_CORNERS; c++) {
            r[c] = s[c].g;
            d[c] = s[c].hull;
        }
        lossi_box_add_ratio(h, b->hull_inverse, r, d, gauss_newton);
    }
    if (kind >= LOSSI_BOX_DISTANCE) {
        lossi_box_add_distance(b, s, gauss_newton, h);
    }
    if (kind == LOSSI_BOX_COMPLETE) {
        lossi_box_add_shape(b, s, gauss_newton, h);
    }
}

/* ---- the kernel ---- */

/* Rows first … of an array as columns, unit boxes beyond its end. */
LOSSI_INLINE void lossi_box_load(const void *array, int64_t first, int count, f64v *out)
{
    double lanes[LOSSI_CORNERS][F64_LANES];
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        for (int i = 0; i < F64_LANES; i++) {
            lanes[c][i] = i < count ? (double)lossi_get((const real *)array + (first + i) * LOSSI_CORNERS + c)
                                    : c / 2;
        }
        out[c] = f64_load(lanes[c]);
    }
}

LOSSI_INLINE void lossi_box_store(void *array, int64_t first, int count, const f64v *x)
{
    double lanes[F64_LANES];
    for (int c = 0; array != NULL && c < LOSSI_CORNERS; c++) {
        f64_store(lanes, x[c]);
        for (int i = 0; i < count; i++) {
            lossi_put((real *)array + (first + i) * LOSSI_CORNERS + c, (real)lanes[i]);
        }
    }
}

/* Everything that the value needs, and 0, or NaN where there is no box. */
LOSSI_INLINE f64v lossi_box_measure(lossi_boxes *b, int kind)
{
    const f64v zero = f64_set1(0), infinity = f64_set1((double)INFINITY);
    f64m good = f64_eq(zero, zero);
    for (int axis = 0; axis < 2; axis++) {
        lossi_box_axis(b, axis);
        lossi_box_changes(b, axis);
        good = f64_mask_and(good,
                            f64_mask_and(f64_ge(b->side[axis], zero), f64_ge(b->target_side[axis], zero)));
        good = f64_mask_and(good, f64_lt(b->hull[axis], infinity));
    }
    lossi_box_normalize(b);
    lossi_box_areas(b, kind);
    if (kind >= LOSSI_BOX_DISTANCE) {
        lossi_box_distances(b, kind);
    }
    return f64_select(good, zero, f64_set1((double)NAN));
}

LOSSI_INLINE void lossi_box_derive(const lossi_part *part, int kind, int64_t first, int count,
                                   const lossi_boxes *b, f64v probe)
{
    const lossi_derivatives *out = &part->output[LOSSI_BOX_PREDICTION];
    const f64v scale = f64_set1(part->scale) * b->unit;
    f64v gradient[LOSSI_CORNERS], curvature[LOSSI_CORNERS], product[LOSSI_CORNERS], along[LOSSI_CORNERS];
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        gradient[c] = probe + scale * lossi_box_gradient(b, kind, c);
    }
    lossi_box_store(out->gradient, first, count, gradient);
    if (out->curvature == NULL && out->product == NULL) {
        return;
    }
    lossi_box_hessian h;
    lossi_box_second(b, kind, part->curvature_kind == LOSSI_GAUSS_NEWTON, &h);
    for (int c = 0; c < LOSSI_CORNERS; c++) {
        along[c] = f64_set1(0);
    }
    if (out->direction != NULL) {
        lossi_box_load(out->direction, first, count, along);
    }
    for (int j = 0; j < LOSSI_CORNERS; j++) {
        f64v sum = f64_set1(0);
        for (int k = 0; k < LOSSI_CORNERS; k++) {
            sum = f64_fma(j < k ? h.at[j][k] : h.at[k][j], along[k], sum);
        }
        /* the unit twice, not its square, which may overflow */
        curvature[j] = probe + scale * (h.at[j][j] * b->unit);
        product[j] = probe + scale * (sum * b->unit);
    }
    lossi_box_store(out->curvature, first, count, curvature);
    lossi_box_store(out->product, first, count, product);
}

LOSSI_INLINE void lossi_box_loss(const lossi_part *part, int kind)
{
    const lossi_derivatives *out = &part->output[LOSSI_BOX_PREDICTION];
    for (int64_t first = 0; first < part->rows; first += F64_LANES) {
        const int count = part->rows - first < F64_LANES ? (int)(part->rows - first) : F64_LANES;
        double lanes[F64_LANES];
        lossi_boxes b;
        lossi_box_load(part->input[LOSSI_BOX_PREDICTION].data, first, count, b.p);
        lossi_box_load(part->input[LOSSI_BOX_TARGET].data, first, count, b.t);
        const f64v probe = lossi_box_measure(&b, kind);
        const f64v more = kind == LOSSI_BOX_GENERALIZED ? b.g
                          : kind == LOSSI_BOX_DISTANCE  ? b.d
                          : kind == LOSSI_BOX_COMPLETE  ? b.d + b.s
                                                        : probe;
        f64_store(lanes, probe + (b.u + more));
        for (int i = 0; i < count; i++) {
            lossi_put((real *)part->value + first + i, (real)lanes[i]);
            part->denominator[first + i] = 1;
        }
        if (out->gradient != NULL || out->curvature != NULL || out->product != NULL) {
            lossi_box_derive(part, kind, first, count, &b, probe);
        }
    }
}

/* The structure of all of them. */
#ifdef LOSSI_ONCE

static const lossi_role lossi_box_roles[LOSSI_BOX_ROLES] = {
    [LOSSI_BOX_PREDICTION] = {.name = "prediction",
                              .columns = LOSSI_CORNERS,
                              .flags = LOSSI_DIFFERENTIABLE,
                              .doc = "rows x 4, real: the corners x1 y1 x2 y2 of a box; NaN in its row where "
                                     "x2 < x1, y2 < y1, or a corner is not "
                                     "finite"},
    [LOSSI_BOX_TARGET] = {.name = "target",
                          .columns = LOSSI_CORNERS,
                          .doc = "rows x 4, real: those of the true box, the same way; two equal boxes "
                                 "without an area have intersection over union 1"},
};

static const lossi_structure lossi_box_structure = {.roles = lossi_box_roles, .role_count = LOSSI_BOX_ROLES};

#endif

#endif
