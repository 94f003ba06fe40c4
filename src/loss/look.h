/*
 * Looks of the pointwise losses: at what data hardly ever hold, and in passing at the domains of predictions and targets.
 */
#ifndef LOSSI_LOSS_LOOK_H
#define LOSSI_LOSS_LOOK_H

#include "loss/lanes.h"
#include "loss/row.h"

/*
 * True where a lane is in a range that data are hardly ever in: huge, next to nothing, infinite. Such a range costs nothing but
 * this question when its results are made only then, and selected:
 *
 *     out->value = plain;
 *     if (lossi_rare(huge)) {
 *         out->value = v_select(huge, special, out->value);
 *     }
 *
 * The other lanes keep what they have, so the bits of an element never depend on its neighbours or on how many there are.
 */
LOSSI_INLINE int lossi_rare(vmask mask)
{
    return (int)__builtin_expect(v_mask_any(mask), 0);
}

/*
 * What a file may declare as LOSSI_DOMAINS of the domains that its prepare() gives, so that the loop is spared looks, and
 * registers for them. Nothing declared is right for every loss, and slower for simple ones.
 */
enum {
    LOSSI_SOMEWHERE,  /* any domains */
    LOSSI_EVERYWHERE, /* predictions and targets may be any numbers */
    LOSSI_SIGNS       /* predictions may be any numbers, targets are one of two */
};

/* LOSSI_LOOK_SIGNS is of −1 and +1: numbers whose bits differ in one. */
enum { LOSSI_LOOK_NOT, LOSSI_LOOK_RANGE, LOSSI_LOOK_DISCRETE, LOSSI_LOOK_SIGNS };

typedef struct lossi_look {
    int kind;
    vreal low, high;
    vreal least,
        most; /* so far; NaN is passed over; of signs the bits that all have, and those that any has */
} lossi_look;

LOSSI_INLINE lossi_look lossi_look_at(const lossi_tile *tile, const lossi_domain *domain, int domains,
                                      int is_target)
{
    const int everywhere = domain->low == -__builtin_inf() && domain->high == __builtin_inf();
    lossi_look look;
    if (domains != LOSSI_SOMEWHERE) {
        look.kind = domains != LOSSI_SIGNS || !is_target || tile->outside == NULL ? LOSSI_LOOK_NOT
                    : domain->low == -domain->high                                ? LOSSI_LOOK_SIGNS
                                                                                  : LOSSI_LOOK_DISCRETE;
    } else {
        look.kind = tile->outside == NULL || everywhere ? LOSSI_LOOK_NOT
                    : domain->discrete                  ? LOSSI_LOOK_DISCRETE
                                                        : LOSSI_LOOK_RANGE;
    }
    look.low = look.most = v_set1((real)domain->low);
    look.high = look.least = v_set1((real)domain->high);
    return look;
}

/* A pack of them. What is neither of two numbers, NaN too, is told at once: a vector to remember it is one too many. */
LOSSI_INLINE void lossi_pass(lossi_look *look, const real *x, int32_t *outside)
{
    if (look->kind == LOSSI_LOOK_RANGE) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            look->least = v_min(v_load(x + v * VREAL_LANES), look->least);
            look->most = v_max(v_load(x + v * VREAL_LANES), look->most);
        }
    } else if (look->kind == LOSSI_LOOK_SIGNS) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const vint bits = v_bits(v_load(x + v * VREAL_LANES));
            look->least = v_from_bits(v_bits(look->least) & bits);
            look->most = v_from_bits(v_bits(look->most) | bits);
        }
    } else if (look->kind == LOSSI_LOOK_DISCRETE) {
        vmask wrong = v_mask_and(v_ne(v_load(x), look->low), v_ne(v_load(x), look->high));
        LOSSI_UNROLL
        for (int v = 1; v < LOSSI_PACK; v++) {
            const vreal number = v_load(x + v * VREAL_LANES);
            wrong = v_mask_or(wrong, v_mask_and(v_ne(number, look->low), v_ne(number, look->high)));
        }
        if (lossi_rare(wrong)) {
            *outside = 1;
        }
    }
}

LOSSI_INLINE int lossi_looked_outside(const lossi_look *look)
{
    if (look->kind ==
        LOSSI_LOOK_SIGNS) { /* as numbers the bits that should not differ are not 0, for the sign is not among them */
        const vint low = v_bits(look->low), high = v_bits(look->high);
        const vint wrong = (v_bits(look->most) & ~low) | (~v_bits(look->least) & high);
        return v_mask_any(v_ne(v_from_bits(wrong), v_set1(0)));
    }
    return look->kind == LOSSI_LOOK_RANGE &&
           v_mask_any(v_mask_or(v_lt(look->least, look->low), v_gt(look->most, look->high)));
}

#endif
