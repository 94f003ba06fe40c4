/*
 * Schedules of the learning rate, with t epochs of T done, both counted from the end of the warm-up:
 *
 *     warm-up       end/W during the first W epochs, for the batch that ends there
 *     step          factor^⌊t/every⌋                exponential   factor^(t/every)
 *     inverse_time  1/(1 + decay·t)                 cosine        final + (1 − final)·(1 + cos(πt/T))/2
 *     one_cycle     from start to 1 while t < peak·T, then from 1 to end, by half waves of a cosine
 *     plateau       factor for every plateau of the evaluated value, not below final
 *
 * The cosine: Loshchilov & Hutter, SGDR, ICLR 2017, eq. 5; one_cycle: Smith & Topin, SPIE 11006 (2019), with the
 * half waves that became usual.
 */
#include "optimizer/schedule.h"

#include <math.h>

/*
 * (1 + cos πu)/2 = sin²(π(1 − u)/2) for 0 ≤ u ≤ 1, by the Taylor series of the sine up to the 21st power
 * (error below 2e-18 at π/2): libm's cosine need not have the same bits everywhere.
 */
static double half_cosine(double u)
{
    static const double half_pi = 0x1.921fb54442d18p+0;
    double a = half_pi * (1.0 - u), term = a, sine = a;
    for (int k = 2; k <= 20; k += 2) {
        term *= -a * a / (double)(k * (k + 1));
        sine += term;
    }
    return sine * sine;
}

/* log m + e·log 2 with √½ ≤ m < √2, by 2·artanh((m − 1)/(m + 1)): the series has |s|² < 0.03, 12 terms leave 1e-19. */
static double logarithm(double x)
{
    static const double root_half = 0x1.6a09e667f3bcdp-1, log_2 = 0x1.62e42fefa39efp-1;
    int e;
    double m = frexp(x, &e);
    if (m < root_half) {
        m *= 2.0;
        e--;
    }
    double s = (m - 1.0) / (m + 1.0), square = s * s, power = s, sum = 0.0;
    for (int k = 1; k < 24; k += 2) {
        sum += power / (double)k;
        power *= square;
    }
    return 2.0 * sum + (double)e * log_2;
}

/* 2^k · exp r with |r| ≤ log(2)/2, where 16 terms of the series leave 1e-19; log 2 in two parts, k times the first is
 * exact (Cody & Waite, 1980). */
static double exponential(double y)
{
    static const double inverse = 0x1.71547652b82fep+0, high = 0x1.62e42fee00000p-1,
                        low = 0x1.a39ef35793c76p-33;
    double k = floor(y * inverse + 0.5), r = (y - k * high) - k * low, term = 1.0, sum = 1.0;
    for (int i = 1; i < 16; i++) {
        term *= r / (double)i;
        sum += term;
    }
    return ldexp(sum, (int)k);
}

double lossi_power(double base, double exponent)
{
    if (exponent == 0.0 || base == 1.0) {
        return 1.0;
    }
    double y = base > 0.0 ? exponent * logarithm(base) : -exponent * INFINITY;
    return y < -708.0 ? 0.0 : y > 709.0 ? (double)INFINITY : exponential(y);
}

/* From a to b in half a wave, 0 ≤ u ≤ 1. */
static double wave(double a, double b, double u)
{
    return b + (a - b) * half_cosine(u);
}

static double one_cycle(const lossi_schedule *s, double u)
{
    if (u < s->peak) {
        return wave(s->start, 1.0, u / s->peak);
    }
    return s->peak < 1.0 ? wave(1.0, s->end, (u - s->peak) / (1.0 - s->peak)) : 1.0;
}

/*
 * ⌊t/every⌋ of the numbers that were meant, t = begin − warmup: an `every` like 0.1 is no number of base 2, and t is made by a
 * quotient, a sum and a difference. As near below a whole number as the roundings of that are, it is the whole number.
 */
static double steps_done(double begin, double t, double every)
{
    static const double roundings = 8.0 * 0x1p-52; /* twice the four there are */
    double quotient = t / every, nearest = floor(quotient + 0.5);
    return nearest - quotient <= roundings * (begin / every) ? nearest : floor(quotient);
}

double lossi_schedule_factor(const lossi_schedule *s, double begin, double end)
{
    if (begin < s->warmup) {
        return end < s->warmup ? end / s->warmup : 1.0;
    }
    double t = begin - s->warmup, total = s->epochs - s->warmup;
    switch (s->kind) {
    case LOSSI_STEP:
        return lossi_power(s->factor, steps_done(begin, t, s->every));
    case LOSSI_EXPONENTIAL:
        return lossi_power(s->factor, t / s->every);
    case LOSSI_INVERSE_TIME:
        return 1.0 / (1.0 + s->decay * t);
    case LOSSI_COSINE:
        return wave(1.0, s->final, t / total);
    case LOSSI_ONE_CYCLE:
        return one_cycle(s, t / total);
    case LOSSI_PLATEAU:
        return s->plateau;
    default:
        return 1.0;
    }
}

void lossi_schedule_fall(lossi_schedule *s)
{
    s->plateau = fmax(s->plateau * s->factor, s->final);
}
