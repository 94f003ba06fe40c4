/* The constant of a gamma distribution's density, to more digits than a number has: log y is added to it, which may cancel. */
#include "loss/gamma_constant.h"

#include "loss/extended_logarithm.h"

/*
 * log Γ(a) − a log a + a. Γ(a) is Γ(z)/(a (a + 1) … (z − 1)) with z = a + n from 200 on, where log Γ is Stirling's series
 * (z − ½) log z − z + ½ log(2π) + 1/(12 z) − 1/(360 z³) + 1/(1260 z⁵) − 1/(1680 z⁷) to 2⁻⁷⁹ (Whittaker & Watson, §12.33).
 */
static lossi_extended constant_of(double shape)
{
    const lossi_extended half_log_two_pi = {0x1.d67f1c864beb5p-1, -0x1.65b5a1b7ff5dfp-55, 0};
    const lossi_extended a = lossi_extended_from(shape), one = lossi_extended_from(1);
    lossi_extended z = a, product = one;
    for (int k = 0; k < 200 && z.high < 200; k++) {
        product = lossi_extended_times(product, z);
        z = lossi_extended_add(z, one);
    }
    const double w = 1 / z.high, square = w * w;
    const double rest = w * square * (-1.0 / 360 + square * (1.0 / 1260 - square * (1.0 / 1680)));
    const lossi_extended log = lossi_extended_logarithm(z);
    const lossi_extended twelfth = lossi_extended_reciprocal(
        lossi_extended_times(lossi_extended_from(12), z));
    lossi_extended sum = lossi_extended_subtract(lossi_extended_logarithm(product),
                                                 lossi_extended_add(half_log_two_pi, twelfth));
    /* so far subtracted; the largest terms are those of z and a, which are taken together */
    sum = lossi_extended_subtract(lossi_extended_from(rest), sum);
    sum = lossi_extended_subtract(sum, lossi_extended_subtract(z, a));
    sum = lossi_extended_subtract(sum, lossi_extended_times(lossi_extended_from(0.5), log));
    const lossi_extended of_z = lossi_extended_times(z, log);
    return lossi_extended_add(
        sum, lossi_extended_subtract(of_z, lossi_extended_times(a, lossi_extended_logarithm(a))));
}

void lossi_gamma_constant(double shape, double *head, double *rest)
{
    const lossi_extended constant = constant_of(shape);
    *head = (double)(float)lossi_extended_double(constant);
    *rest = (constant.high - *head) + constant.low;
}
