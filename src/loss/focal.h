/*
 * A logistic term times a power of the probability missed: what focal losses are made of.
 *
 *     loss = m^γ B,   m = (1 − t) σ(x) + t σ(−x),   B = −t log σ(x) − (1 − t) log σ(−x)
 *
 * With w the coefficient of the wrong side and o that of the right one (lossi_sides), a, e, large and soft as in logit.h,
 * n = w + o e and k = (w − o) e/n:
 *
 *     m = large n,   B = soft + w a
 *     d/da = m^γ large (w − o e + γ k B)
 *     d²/da² = m^γ large² (e/n) (n + γ (w − o) (2 (w − o e) + B ((γ − 1) k + e − 1)))
 *
 * A certain target (w = 0) on its right side has n = e and k = −1, whatever becomes of e: nothing is divided by what vanishes.
 */
#ifndef LOSSI_LOSS_FOCAL_H
#define LOSSI_LOSS_FOCAL_H

#include "loss/logit.h"
#include "loss/power.h"

typedef struct lossi_focal_term {
    vreal value, slope, bend; /* the loss and its derivatives in a = |x| */
    vreal slope_missing;      /* what the slope lost by rounding: two classes may meet at a zero */
} lossi_focal_term;

/* A product to more digits than a number has: head + tail. */
typedef struct focal_pair {
    vreal head, tail;
} focal_pair;

LOSSI_INLINE focal_pair focal_times(focal_pair a, focal_pair b)
{
    const vreal head = a.head * b.head;
    return (focal_pair){head, v_fma(a.head, b.head, -head) + v_fma(a.head, b.tail, a.tail * b.head)};
}

enum { FOCAL_MOST = 8 }; /* whole powers up to here are products */

/* head + tail with a head that has all the digits it can */
LOSSI_INLINE focal_pair focal_settled(focal_pair a)
{
    const vreal head = a.head + a.tail;
    return (focal_pair){head, a.tail - (head - a.head)};
}

LOSSI_INLINE int focal_is_whole(real y)
{
    return y >= 0 && y <= FOCAL_MOST && y == (real)(int)y;
}

/* A function of its own: it is long, wanted in several places, and by few calls. */
static __attribute__((noinline)) vreal focal_broken_power(vreal head, vreal tail, real y)
{
    return lossi_power(head, tail, v_set1(0), v_set1(y));
}

/* m^y. What m lost by rounding would be lost y times. */
LOSSI_INLINE focal_pair focal_power(focal_pair m, real y)
{
    focal_pair power = {v_set1(1), v_set1(0)};
    if (!focal_is_whole(y)) {
        return (focal_pair){focal_broken_power(m.head, m.tail, y), v_set1(0)};
    }
    for (int k = 0; k < (int)y; k++) {
        power = focal_times(power, m);
    }
    return focal_settled(power);
}

LOSSI_INLINE lossi_focal_term lossi_focal(const lossi_logit *l, const lossi_sides *w, real gamma)
{
    const vreal zero = v_set1(0), one = v_set1(1), two = v_set1(2), g = v_set1(gamma);
    const vmask sure = v_eq(w->wrong, zero);
    const vreal n = v_fma(w->right, l->e, w->wrong);
    const vreal n_missing = v_fma(w->right, l->e, w->wrong - n) +
                            v_fma(w->right, l->missing, v_fma(w->right_missing, l->e, w->wrong_missing));
    const focal_pair m = focal_times((focal_pair){n, n_missing}, (focal_pair){l->large, l->large_missing});
    focal_pair power = focal_power(m, gamma);
    if (!focal_is_whole(gamma)) { /* m is e⁻ᵃ there to the last digit, and underflows before its power does */
        const vmask far = v_mask_and(sure, v_gt(l->a, v_set1(LOGIT_DEEP)));
        power.head = v_select(far, lossi_power_of_e(g, l->a), power.head);
    }
    const vreal b = v_select(sure, l->soft, v_fma(w->wrong, l->a, l->soft));
    const vreal b_missing = v_select(sure, zero, v_fma(w->wrong, l->a, -b) + l->soft);
    /* e/n; the curvature of a wrong side multiplies it by numbers as large as a, and lowers it afterwards */
    const vreal lower = v_select(sure, one, l->lower), ratio = v_select(sure, one, l->lifted / n);
    const vreal k = w->apart * (ratio * lower);
    /* differences that have zeros: with what e, n, B and 1 − t lost by rounding */
    const vreal base = v_fnma(w->right, l->e, w->wrong) +
                       (w->wrong_missing - v_fma(w->right, l->missing, w->right_missing * l->e));
    const vreal z = v_fma(v_set1(gamma - 1), k, l->e);
    const vreal inner = v_fma(b, z, two * base - b) + b_missing * (z - one);
    const vreal bend = v_fma(g * w->apart, inner, n) + n_missing;
    const vreal product = (g * k) * b, sum = product + base, back = sum - product;
    const vreal rounded = (product - (sum - back)) + (base - back) + v_fma(g * k, b, -product);
    /* B is infinite only where the ratio is 0 */
    const vmask plain = v_eq(ratio, zero);
    const focal_pair steep = {v_select(plain, base, sum), v_select(plain, zero, rounded)};
    const focal_pair slope = focal_settled(
        focal_times(focal_times(power, (focal_pair){l->large, l->large_missing}), steep));
    const vreal curved = (power.head * l->square) * (ratio * bend) * lower;
    return (lossi_focal_term){power.head * b, slope.head, v_select(plain, zero, curved), slope.tail};
}

#endif
