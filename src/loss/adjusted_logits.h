/*
 * Logits with a soft cap c and a temperature τ: z = c tanh(x/c)/τ, or x/τ without a cap.
 *
 * What a softmax wants are differences z_j − m, whose absolute error is the relative error of e^(z_j − m). Without a cap that is an
 * error of x and no more; but a capped logit near ±c no longer moves with x, and the last digit of c would be seen. So logits and
 * differences are a head and what rounding takes from it. With u = e^(−2 |x|/c):
 *
 *     tanh = ±(1 − u)/(1 + u)      slope  4 u/(1 + u)²/τ      bend  ∓2 tanh · slope/c
 *
 * Soft caps: Gemma Team, Gemma 2 (2024), section 2; temperature: Hinton, Vinyals & Dean, Distilling the knowledge in a neural
 * network (2015), eq. (1).
 */
#ifndef LOSSI_LOSS_ADJUSTED_LOGITS_H
#define LOSSI_LOSS_ADJUSTED_LOGITS_H

#include "loss/rowwise.h"
#include "loss/soft_cap.h"

/* For the options of a function; the largest logit is set by lossi_adjusted_begin(). */
LOSSI_INLINE lossi_adjustment lossi_adjustment_of(const lossi_prepared *prepared)
{
    /* the least cap is a normal number of the type: a smaller one would be none, and makes all logits 0 as this does */
    const double given = prepared->soft_cap, least = (double)REAL_MIN,
                 cap = given > 0 && given < least ? least : given, temperature = prepared->temperature;
    return (lossi_adjustment){(real)cap,
                              (real)(cap - (double)(real)cap),
                              (real)temperature,
                              (real)(temperature - (double)(real)temperature),
                              0,
                              0};
}

/* What differences are measured from; the cap keeps the order of logits. Gives m. */
LOSSI_INLINE real lossi_adjusted_begin(lossi_adjustment *by, real largest)
{
    lossi_adjusted at;
    lossi_adjusted_cap(by, v_set1(largest), &at);
    by->top = lossi_first_lane(at.head);
    by->top_missing = lossi_first_lane(at.missing);
    return by->top / by->temperature;
}

/* A vector of logits: differences from the largest, 0 where `largest`, and the rest. Not inline: few need it, and it is long. */
static __attribute__((noinline)) void lossi_adjust(const lossi_adjustment *by, vreal x, vmask largest,
                                                   lossi_adjusted *out)
{
    const vreal zero = v_set1(0), top = v_set1(by->top), temperature = v_set1(by->temperature);
    lossi_adjusted_cap(by, x, out);
    /* Knuth, TAOCP vol. 2, 4.2.2, theorem B; what the division leaves comes from its remainder */
    const vreal apart = out->head - top, part = apart - out->head;
    const vreal lost = ((out->head - (apart - part)) - (top + part)) +
                       (out->missing - v_set1(by->top_missing));
    const vreal quotient = apart / temperature;
    const vreal left = v_fnma(quotient, temperature, apart) +
                       (lost - quotient * v_set1(by->temperature_missing));
    const vreal missing = left / temperature;
    out->head = v_select(largest, zero, quotient); /* ∞ − ∞ is 0 there */
    out->missing = v_select(v_mask_or(largest, v_is_nan(missing)), zero, missing); /* infinity has no error */
    out->slope = out->slope / temperature;
    out->bend = out->bend / temperature;
    out->exponential = v_exp_nonpositive(out->head);
    out->exponential = v_fma(out->exponential, out->missing, out->exponential);
}

#endif
